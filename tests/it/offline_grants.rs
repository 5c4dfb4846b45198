//! Our own addresses of the administration: grants searched, counted, reported, and ended after a preview.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::partial_import_rights::with_roles;
use crate::support::{Admin, DAY, TestServer, refresh_token};

const PATH: &str = "/demo/nightlatch/offline-grants";

async fn found(admin: &Admin<'_>, query: &str) -> usize {
    let page = admin.get(&format!("{PATH}?{query}")).await;
    let count = admin.get(&format!("{PATH}/count?{query}")).await;
    let listed = page["grants"].as_array().unwrap().len();
    assert_eq!(count["grants"], json!(listed), "{query}: counted is what is listed");
    listed
}

async fn post(admin: &Admin<'_>, path: &str, body: Value) -> (u16, Value) {
    let answer = admin.call(Method::POST, &format!("{PATH}/{path}"), Some(&body)).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn a_grant_tells_its_use_and_which_setting_ends_it() {
    let server = TestServer::start().await;
    let token = server.offline_token().await;
    for _ in 0..3 {
        server.advance(Duration::from_secs(60));
        server.refresh(&token).await.granted();
    }
    let admin = server.admin().await;
    let grant = admin.get(PATH).await["grants"][0].clone();
    assert_eq!((&grant["refreshCount"], &grant["lastIpAddress"]), (&json!(3), &json!("127.0.0.1")));
    assert_eq!(grant["endsBySetting"], json!({"name": "offlineSessionIdleTimeout", "of": "realm"}));
    assert!(grant["scopes"].as_array().unwrap().contains(&json!("offline_access")), "{grant}");
    admin.set(json!({"offlineSessionMaxLifespanEnabled": true, "offlineSessionMaxLifespan": 86_400})).await;
    let grant = server.admin().await.get(PATH).await["grants"][0].clone();
    assert_eq!((&grant["endsBy"], &grant["endsBySetting"]["name"]), (&json!("max"), &json!("offlineSessionMaxLifespan")));
    server.finish().await;
}

#[tokio::test]
async fn grants_are_searched_by_use_start_end_scope_and_address() {
    let server = TestServer::start().await;
    let old = server.offline_token().await;
    server.advance(10 * DAY);
    refresh_token(&server.sign_in("openid offline_access profile").await);
    let between = (server.now() - 1) * 1_000;
    let admin = server.admin().await;
    assert_eq!(found(&admin, "").await, 2);
    assert_eq!(found(&admin, &format!("grantedFrom={between}")).await, 1);
    assert_eq!(found(&admin, &format!("grantedBefore={between}")).await, 1);
    assert_eq!(found(&admin, "unusedFor=864000").await, 0, "used 864000 seconds ago is not unused for longer");
    assert_eq!(found(&admin, "unusedFor=863999").await, 1);
    assert_eq!(found(&admin, "scope=offline_access").await, 2);
    assert_eq!(found(&admin, "scope=nothing").await, 0);
    assert_eq!(found(&admin, "ipAddress=127.0.0.1&clientId=demo-backup").await, 2);
    assert_eq!(found(&admin, "ipAddress=192.0.2.1").await, 0);
    // Unused since its grant, the old one is over in 20 days.
    let over = |days: i64| format!("endsBefore={}", (server.now() + days * 86_400) * 1_000);
    assert_eq!((found(&admin, &over(19)).await, found(&admin, &over(21)).await, found(&admin, &over(31)).await), (0, 1, 2));
    server.refresh(&old).await.granted();
    assert_eq!(found(&admin, &over(21)).await, 0, "its use put it off");
    // A lapsed one is not found, whether the sweeper came by or not.
    server.advance(31 * DAY);
    assert_eq!(found(&server.admin().await, "").await, 0);
    for wrong in ["unusedFor=-1", "endsBefore=soon", "grantedFrom=1.5"] {
        let answer = server.admin().await.call(Method::GET, &format!("{PATH}?{wrong}"), None).await;
        assert_eq!(answer.status, 400, "{wrong}: {:?}", answer.body);
    }
    server.finish().await;
}

#[tokio::test]
async fn a_report_tells_which_clients_hold_what_nobody_uses() {
    let server = TestServer::start().await;
    let used = server.offline_token().await;
    server.offline_token().await;
    server.advance(8 * DAY);
    server.refresh(&used).await.granted();
    let report = server.admin().await.get(&format!("{PATH}/stale")).await;
    assert_eq!(report.as_array().unwrap().len(), 1, "{report}");
    let line = &report[0];
    assert_eq!((&line["client"]["clientId"], &line["grants"], &line["users"]), (&json!("demo-backup"), &json!(2), &json!(1)));
    assert_eq!((&line["unusedFor"], &line["neverUsed"]), (&json!({"7d": 1, "30d": 0, "90d": 0}), &json!(1)));
    server.finish().await;
}

#[tokio::test]
async fn a_revocation_ends_what_its_preview_has_shown_and_nothing_that_came_later() {
    let server = TestServer::start().await;
    server.admin().await.set(json!({"eventsEnabled": true, "enabledEventTypes": ["REVOKE_GRANT"]})).await;
    let (idle, woken) = (server.offline_token().await, server.offline_token().await);
    server.advance(DAY);
    let fresh = server.offline_token().await;
    let admin = server.admin().await;
    let (status, preview) = post(&admin, "revocation-preview", json!({"clientId": "demo-backup", "unusedFor": 3_600})).await;
    let counts = &preview["counts"]["offline"];
    assert_eq!((status, &counts["grants"], &counts["users"]), (200, &json!(2), &json!(1)), "{preview}");
    assert_eq!(preview["sample"].as_array().unwrap().len(), 2);
    // One of them wakes up in between: it is unused no more.
    server.refresh(&woken).await.granted();
    let later = server.offline_token().await;
    let token = json!({"token": preview["token"]});
    assert_eq!(post(&admin, "revocation", token.clone()).await, (200, json!({"revoked": 1, "done": true})));
    assert_eq!(
        post(&admin, "revocation", token.clone()).await,
        (200, json!({"revoked": 0, "done": true})),
        "again: nothing left"
    );
    assert_eq!(server.refresh(&idle).await.refusal().2, "Offline user session not found");
    for live in [&woken, &fresh, &later] {
        server.refresh(live).await.granted();
    }
    let events = admin.get("/demo/events?type=REVOKE_GRANT").await;
    assert_eq!((events.as_array().unwrap().len(), &events[0]["details"]["reason"]), (1, &json!("administrator")));
    server.finish().await;
}

#[tokio::test]
async fn a_preview_is_good_for_its_administrator_for_ten_minutes_and_for_nothing_else() {
    let server = TestServer::start().await;
    let offline = server.offline_token().await;
    let admin = server.admin().await;
    let (_, preview) = post(&admin, "revocation-preview", json!({})).await;
    let token = preview["token"].as_str().unwrap();
    assert_eq!(server.refresh(token).await.refusal().2, "Invalid refresh token");
    for wrong in [json!("x"), json!(offline), json!(format!("{token}x"))] {
        let (status, body) = post(&admin, "revocation", json!({"token": wrong})).await;
        assert_eq!((status, &body["errorMessage"]), (400, &json!("The preview is not valid any more")));
    }
    for (path, body) in
        [("revocation", json!({})), ("revocation", json!([token])), ("revocation-preview", json!({"everything": true}))]
    {
        assert_eq!(post(&admin, path, body).await.0, 400, "{path}");
    }
    assert_eq!(post(&admin, "revocation-preview", json!({"clientId": "nobody"})).await.0, 404);
    // Another realm's key signs another realm's previews.
    let elsewhere =
        admin.call(Method::POST, "/master/nightlatch/offline-grants/revocation", Some(&json!({"token": token}))).await;
    assert_eq!(elsewhere.status, 400, "{:?}", elsewhere.body);
    server.advance(Duration::from_secs(601));
    assert_eq!(post(&server.admin().await, "revocation", json!({"token": token})).await.0, 400);
    server.refresh(&offline).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn what_browsers_hold_and_what_was_issued_ends_the_same_way() {
    let server = TestServer::start().await;
    let offline = server.offline_token().await;
    let browser = server.browser();
    let code = browser.sign_in("demo-backup", &[("scope", "openid")]).await.parameter("code").unwrap();
    let form = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", "http://localhost:3000/cb")];
    let online = server.as_backup("/token", &form).await.granted();
    let admin = server.admin().await;
    let (_, preview) = post(&admin, "revocation-preview", json!({"kind": "online", "clientId": "demo-backup"})).await;
    assert_eq!((&preview["kind"], &preview["counts"]["online"]["grants"]), (&json!("online"), &json!(1)), "{preview}");
    let token = json!({"token": preview["token"]});
    assert_eq!(post(&admin, "revocation", token).await, (200, json!({"revoked": 1, "done": true})));
    assert_eq!(server.refresh(&refresh_token(&online)).await.refusal().2, "Session not active");
    let page = browser.get(&server.authorization("demo-backup", &[("scope", "openid"), ("prompt", "none")])).await;
    assert_eq!(page.parameter("error").as_deref(), Some("login_required"), "the sign-in went with its last client");
    server.refresh(&offline).await.granted();

    server.advance(Duration::from_secs(10));
    let admin = server.admin().await;
    let (_, preview) = post(&admin, "revocation-preview", json!({"kind": "tokens", "userId": admin.alice().await})).await;
    assert_eq!(preview["counts"]["offline"]["grants"], 1, "{preview}");
    let now = server.now();
    let answer = post(&admin, "revocation", json!({"token": preview["token"]})).await;
    assert_eq!(answer, (200, json!({"revoked": 0, "done": true, "notBefore": now})));
    assert_eq!(server.refresh(&offline).await.refusal().2, "Stale token");
    let client = json!({"kind": "tokens", "clientId": "demo-backup"});
    let fresh = server.offline_token().await;
    server.advance(Duration::from_secs(10));
    let admin = server.admin().await;
    let (_, preview) = post(&admin, "revocation-preview", client).await;
    post(&admin, "revocation", json!({"token": preview["token"]})).await;
    assert_eq!(server.refresh(&fresh).await.refusal().2, "Stale token");
    // Without a client or a user: the realm's. The administrator's own token is another realm's.
    let last = server.offline_token().await;
    server.advance(Duration::from_secs(10));
    let admin = server.admin().await;
    let (_, preview) = post(&admin, "revocation-preview", json!({"kind": "tokens"})).await;
    let now = server.now();
    assert_eq!(post(&admin, "revocation", json!({"token": preview["token"]})).await.1["notBefore"], now);
    assert_eq!(server.refresh(&last).await.refusal().2, "Stale token");
    for wrong in [
        json!({"kind": "all"}),
        json!({"kind": "tokens", "scope": "openid"}),
        json!({"kind": "tokens", "clientId": "demo-backup", "userId": "x"}),
        json!({"kind": "online", "endsBefore": 1}),
    ] {
        assert_eq!(post(&admin, "revocation-preview", wrong.clone()).await.0, 400, "{wrong}");
    }
    server.finish().await;
}

#[tokio::test]
async fn making_a_clients_tokens_stale_takes_the_right_to_change_the_client() {
    let server = TestServer::start().await;
    let helper = with_roles(&server, &["manage-users"]).await;
    let of_client = json!({"kind": "tokens", "clientId": "demo-backup"});
    assert_eq!(post(&helper, "revocation-preview", of_client.clone()).await.0, 403);
    assert_eq!(post(&helper, "revocation-preview", json!({"kind": "tokens", "userId": "nobody"})).await.0, 200);
    let helper = with_roles(&server, &["manage-clients"]).await;
    let (_, preview) = post(&helper, "revocation-preview", of_client).await;
    assert_eq!(post(&helper, "revocation", json!({"token": preview["token"]})).await.0, 200);
    // Who lost the right in between does not act on an older preview.
    let admin = server.admin().await;
    let management = admin.client("realm-management").await;
    let path = format!("/demo/users/{}/role-mappings/clients/{management}", admin.alice().await);
    let role = admin.get(&format!("/demo/clients/{management}/roles/manage-clients")).await;
    assert_eq!(admin.call(Method::DELETE, &path, Some(&json!([role]))).await.status, 204);
    server.advance(Duration::from_secs(2));
    let helper = server.admin_of_demo("alice", "alice").await;
    assert_eq!(post(&helper, "revocation", json!({"token": preview["token"]})).await.0, 403);
    server.finish().await;
}

#[tokio::test]
async fn many_grants_go_in_several_transactions_while_others_are_in_use() {
    let server = TestServer::start().await;
    let mut tokens = Vec::new();
    for _ in 0..300 {
        tokens.push(server.offline_token().await);
    }
    server.advance(DAY);
    let (used, unused) = tokens.split_at(8);
    for token in used {
        server.refresh(token).await.granted();
    }
    let admin = server.admin().await;
    let (_, preview) = post(&admin, "revocation-preview", json!({"unusedFor": 60})).await;
    let in_use = async {
        for token in used.iter().cycle().take(40) {
            server.refresh(token).await.granted();
        }
    };
    let (ended, ()) = tokio::join!(post(&admin, "revocation", json!({"token": preview["token"]})), in_use);
    assert_eq!(ended, (200, json!({"revoked": 292, "done": true})));
    assert_eq!(server.refresh(&unused[100]).await.status, 400);
    assert_eq!(admin.offline_sessions("demo-backup").await, 8);
    server.finish().await;
}
