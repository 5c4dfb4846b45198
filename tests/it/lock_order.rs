//! R15: whoever locks rows of a user, of sessions and of clients does it in one order, and nobody waits in a circle.

use std::time::Duration;

use nightlatch::flow::sweep::{self, SweepRules};
use reqwest::Method;
use serde_json::json;

use crate::races::{OFFLINE, asked, behind, exchange, signed_in, without_deadlocks};
use crate::rotation::futures;
use crate::support::{Admin, Answer, TestServer, refresh_token};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r15_grants_refreshes_logouts_revocations_and_sweeps_do_not_wait_in_a_circle() {
    let server = TestServer::start().await;
    server.admin().await.set(json!({"revokeRefreshToken": true, "bruteForceProtected": true, "permanentLockout": false})).await;
    let id = server.admin().await.alice().await;
    let rules = SweepRules { margin: Duration::ZERO, batch: 8, dry_run: false };
    for _ in 0..6 {
        let tokens: Vec<_> = futures((0..3).map(|_| server.sign_in("openid offline_access"))).await;
        let browsers: Vec<_> = futures((0..3).map(|_| signed_in(&server))).await;
        let codes: Vec<_> = futures(browsers.iter().map(|browser| asked(&server, browser))).await;
        let admin = server.admin().await;
        let paths = [format!("/demo/users/{id}/consents/demo-backup"), format!("/demo/users/{id}/logout")];
        let refreshes = futures(tokens.iter().map(|t| server.refresh_of(t)));
        let revocations = futures(tokens.iter().map(|t| server.revoke_of(t)));
        let grants = futures((0..3).map(|_| server.as_backup("/token", &PASSWORD)));
        let exchanges = futures(codes.iter().map(|code| exchange(&server, code)));
        let ends = async { (admin.delete(&paths[0]).await, admin.call(Method::POST, &paths[1], None).await) };
        let swept = sweep::run(&server.server, rules);
        let (refreshes, revocations, grants, exchanges, ends, swept) =
            tokio::join!(refreshes, revocations, grants, exchanges, ends, swept);
        swept.unwrap();
        for answer in refreshes.iter().chain(&revocations).chain(&grants).chain(&exchanges).chain([&ends.0, &ends.1]) {
            assert!(answer.status < 500, "{:?}", answer.body);
        }
        // The administrator's logout makes stale what was issued up to its second.
        server.advance(Duration::from_secs(2));
    }
    without_deadlocks(server).await;
}

/// An exchange comes while an administrator's doing has begun, which waits for what is held: the exchange has to wait without what
/// the other asks for next.
async fn exchange_meets(held: &str, end: impl AsyncFnOnce(&Admin<'_>, &str) -> Answer) {
    let server = TestServer::start().await;
    let browser = signed_in(&server).await;
    let code = asked(&server, &browser).await;
    let admin = server.admin().await;
    let id = admin.alice().await;
    let (ended, exchanged) = behind(&server, held, end(&admin, &id), exchange(&server, &code)).await;
    assert_eq!(ended.status, 204, "{:?}; the exchange: {:?}", ended.body, exchanged.body);
    assert!(exchanged.status < 500, "{:?}", exchanged.body);
    without_deadlocks(server).await;
}

/// What ends something of a user takes the user first, and then the sessions.
const USER: &str = "select 1 from user_account where username = 'alice' for update";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r15_an_exchange_and_the_logout_of_its_user_do_not_wait_in_a_circle() {
    exchange_meets(USER, async |admin, id| admin.call(Method::POST, &format!("/demo/users/{id}/logout"), None).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r15_an_exchange_and_the_deletion_of_its_user_do_not_wait_in_a_circle() {
    exchange_meets(USER, async |admin, id| admin.delete(&format!("/demo/users/{id}")).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r15_an_exchange_and_the_end_of_what_its_client_may_do_not_wait_in_a_circle() {
    exchange_meets(USER, async |admin, id| admin.delete(&format!("/demo/users/{id}/consents/demo-backup")).await).await;
}

/// The sign-in goes on with the session of the browser, and takes from the user what was asked for and is done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r15_a_sign_in_and_the_logout_of_its_user_do_not_wait_in_a_circle() {
    let server = TestServer::start().await;
    let browser = signed_in(&server).await;
    let admin = server.admin().await;
    admin.put_user(json!({"requiredActions": ["VERIFY_PROFILE"]})).await;
    let logout = format!("/demo/users/{}/logout", admin.alice().await);
    let request = server.authorization("demo-backup", &OFFLINE);
    let (ended, page) = behind(&server, USER, admin.call(Method::POST, &logout, None), browser.get(&request)).await;
    assert_eq!(ended.status, 204, "{:?}", ended.body);
    assert!(page.status < 500, "{}", page.status);
    without_deadlocks(server).await;
}

/// The deletion has the online session, waits for the offline one, and asks for the client's codes in the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r15_an_exchange_and_the_deletion_of_its_client_do_not_wait_in_a_circle() {
    let end = async |admin: &Admin<'_>, _: &str| {
        let path = format!("/demo/clients/{}", admin.client("demo-backup").await);
        admin.delete(&path).await
    };
    exchange_meets("select 1 from offline_session for update", end).await;
}

const PASSWORD: [(&str, &str); 4] =
    [("grant_type", "password"), ("username", "alice"), ("password", "alice"), ("scope", "openid offline_access")];

impl TestServer {
    async fn refresh_of(&self, tokens: &serde_json::Value) -> Answer {
        self.refresh(&refresh_token(tokens)).await
    }

    async fn revoke_of(&self, tokens: &serde_json::Value) -> Answer {
        self.as_backup("/revoke", &[("token", &refresh_token(tokens))]).await
    }
}
