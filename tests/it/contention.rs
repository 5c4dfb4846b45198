//! A realm that is changed all the time: whoever signs in or uses a token then is answered, not sent away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::Connection;

use crate::support::{TestServer, claims, database_address};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_realm_that_keeps_changing_keeps_nobody_from_signing_in() {
    let server = TestServer::start().await;
    let stop = Arc::new(AtomicBool::new(false));
    let (url, stopped) = (database_address(&server.database), Arc::clone(&stop));
    let busy = tokio::spawn(async move {
        let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
        let mut changes = 0_u32;
        while !stopped.load(Ordering::Relaxed) {
            sqlx::query("update realm set version = version + 1").execute(&mut connection).await.unwrap();
            changes += 1;
        }
        changes
    });
    for _ in 0..20 {
        let tokens = server.sign_in("openid offline_access").await;
        let token = tokens["refresh_token"].as_str().unwrap();
        server.refresh(token).await.granted();
        let access = tokens["access_token"].as_str().unwrap();
        let told = server.http.get(server.endpoint("/userinfo")).bearer_auth(access).send().await.unwrap();
        assert_eq!(told.status(), 200);
        assert_eq!(claims(&tokens["access_token"])["typ"], "Bearer");
    }
    stop.store(true, Ordering::Relaxed);
    assert!(busy.await.unwrap() > 100, "the realm was changed all the time");
    server.finish().await;
}
