//! Graceful rotation: a lost answer loses no session, and a thief gains nothing.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::rotation::futures;
use crate::support::{Answer, TestServer, database_address, refresh_token};

const CALLBACK: &str = "http://localhost:3000/cb";
/// A quarter of the access token's lifespan of 300 s would be 75.
const GRACE: Duration = Duration::from_secs(30);
const SECOND: Duration = Duration::from_secs(1);

async fn graceful() -> TestServer {
    let server = TestServer::start().await;
    // Attributes of the realm are replaced, save the server's own: the demo realm has no others.
    let settings = json!({"revokeRefreshToken": true, "attributes": {"nightlatch.refresh.token.rotation": "graceful"},
        "eventsEnabled": true, "enabledEventTypes": ["REFRESH_TOKEN", "REFRESH_TOKEN_ERROR", "REVOKE_GRANT"]});
    server.admin().await.set(settings).await;
    server
}

impl TestServer {
    /// An offline token of the public client, got in a browser of its own.
    async fn public_token(&self) -> String {
        let admin = self.admin().await;
        let path = format!("/demo/clients/{}", admin.client("demo-spa").await);
        let change = json!({"directAccessGrantsEnabled": true});
        assert_eq!(admin.call(reqwest::Method::PUT, &path, Some(&change)).await.status, 204);
        let form = [
            ("grant_type", "password"),
            ("client_id", "demo-spa"),
            ("username", "alice"),
            ("password", "alice"),
            ("scope", "openid offline_access"),
        ];
        refresh_token(&self.post(&self.endpoint("/token"), &form).await.granted())
    }

    async fn refresh_public(&self, token: &str) -> Answer {
        let form = [("grant_type", "refresh_token"), ("client_id", "demo-spa"), ("refresh_token", token)];
        self.post(&self.endpoint("/token"), &form).await
    }

    async fn events(&self, kind: &str) -> Vec<Value> {
        let events = self.admin().await.get(&format!("/demo/events?type={kind}&max=100")).await;
        events.as_array().unwrap().clone()
    }

    /// Something that an administrator does to the client `demo-backup`.
    async fn change_backup(&self, attributes: Value) -> Answer {
        let admin = self.admin().await;
        let path = format!("/demo/clients/{}", admin.client("demo-backup").await);
        admin.call(reqwest::Method::PUT, &path, Some(&json!({ "attributes": attributes }))).await
    }
}

const REUSE: (u16, &str, &str) = (400, "invalid_grant", "Maximum allowed refresh token reuse exceeded");
const STALE: (u16, &str, &str) = (400, "invalid_grant", "Stale token");
const GONE: (u16, &str, &str) = (400, "invalid_grant", "Session doesn't have required client");

/// A connection that has put the chains by, as a backup or a standby that hears of nothing more.
async fn backed_up(server: &TestServer) -> PgConnection {
    let mut database = PgConnection::connect(&database_address(&server.database)).await.unwrap();
    sqlx::raw_sql("create table kept as select * from offline_chain").execute(&mut database).await.unwrap();
    database
}

async fn restore(database: &mut PgConnection) {
    let back = "update offline_chain c set generation = k.generation, current_jti = k.current_jti, previous_jti = k.previous_jti,
        rotated_at = k.rotated_at, replays = k.replays, late_replay_at = k.late_replay_at
        from kept k where k.session_id = c.session_id";
    sqlx::raw_sql(back).execute(database).await.unwrap();
}

#[tokio::test]
async fn r1_sixty_four_at_once_within_the_grace_get_one_successor() {
    let server = graceful().await;
    let token = server.public_token().await;
    let answers = futures((0..64).map(|_| server.refresh_public(&token))).await;
    let mut successors: Vec<String> = answers.into_iter().map(|a| refresh_token(&a.granted())).collect();
    successors.dedup();
    assert_eq!(successors.len(), 1, "the same to the byte");
    server.advance(GRACE);
    assert_eq!(refresh_token(&server.refresh_public(&token).await.granted()), successors[0], "on its last second, too");
    server.refresh_public(&successors[0]).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn a_public_client_retries_late_once_a_day_and_then_it_is_a_theft() {
    let server = graceful().await;
    let first = server.public_token().await;
    let second = refresh_token(&server.refresh_public(&first).await.granted());
    server.advance(GRACE + SECOND);
    let tabs_that_wake_up = futures((0..20).map(|_| server.refresh_public(&first))).await;
    assert!(tabs_that_wake_up.into_iter().all(|a| refresh_token(&a.granted()) == second), "one retry, however many ask");
    server.advance(GRACE + SECOND);
    assert_eq!(server.refresh_public(&first).await.refusal(), REUSE);
    // The owner's token is worth nothing either, and the owner asks the user again.
    assert_eq!(server.refresh_public(&second).await.refusal().2, "Session doesn't have required client");
    let failed = server.events("REFRESH_TOKEN_ERROR").await;
    assert!(failed.iter().any(|e| e["details"]["reuse"] == "true"), "{failed:?}");
    server.finish().await;
}

#[tokio::test]
async fn the_late_retry_of_a_public_client_comes_back_after_a_day() {
    let server = graceful().await;
    let mut token = server.public_token().await;
    for _ in 0..3 {
        let next = refresh_token(&server.refresh_public(&token).await.granted());
        server.advance(GRACE + SECOND);
        assert_eq!(refresh_token(&server.refresh_public(&token).await.granted()), next);
        server.advance(Duration::from_secs(86_401));
        token = next;
    }
    server.finish().await;
}

#[tokio::test]
async fn a_client_that_proves_itself_retries_late_and_is_slowed_down_but_never_cut_off() {
    let server = graceful().await;
    let first = server.offline_token().await;
    let second = refresh_token(&server.refresh(&first).await.granted());
    server.advance(Duration::from_secs(3600));
    for _ in 0..16 {
        assert_eq!(refresh_token(&server.refresh(&first).await.granted()), second);
    }
    let slowed = server.refresh(&first).await;
    assert_eq!(slowed.refusal().0, 429, "{:?}", slowed.body);
    assert_eq!(slowed.refusal().1, "temporarily_unavailable", "clients throw a token away on invalid_grant");
    assert!(slowed.headers.contains_key("retry-after"));
    let third = refresh_token(&server.refresh(&second).await.granted());
    server.refresh(&third).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn r9_a_duplicate_that_a_fast_client_overtook_is_refused_and_nothing_is_revoked() {
    let server = graceful().await;
    let first = server.offline_token().await;
    let second = refresh_token(&server.refresh(&first).await.granted());
    let third = refresh_token(&server.refresh(&second).await.granted());
    assert_eq!(server.refresh(&first).await.refusal(), STALE);
    let fourth = refresh_token(&server.refresh(&third).await.granted());
    server.advance(GRACE + SECOND);
    assert_eq!(server.refresh(&first).await.refusal(), STALE);
    assert_eq!(server.refresh(&fourth).await.refusal().2, "Session doesn't have required client", "now it was a theft");
    server.finish().await;
}

#[tokio::test]
async fn r11_a_token_whose_commit_was_lost_moves_the_row_forward_and_raises_an_alarm() {
    let server = graceful().await;
    let first = server.offline_token().await;
    let mut database = backed_up(&server).await;
    let second = refresh_token(&server.refresh(&first).await.granted());
    let third = refresh_token(&server.refresh(&second).await.granted());
    // A standby that had not heard of the last two rotations takes over.
    restore(&mut database).await;
    let fourth = refresh_token(&server.refresh(&third).await.granted());
    assert_eq!(refresh_token(&server.refresh(&third).await.granted()), fourth, "and its retry is answered");
    let events = server.events("REFRESH_TOKEN").await;
    assert!(events.iter().any(|e| e["details"]["alarm"] == "state behind token"), "{events:?}");
    let metrics = server.http.get(format!("{}/metrics", server.management)).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("nightlatch_refresh_ahead_total{realm=\"demo\"}"), "{metrics}");
    server.finish().await;
}

#[tokio::test]
async fn r12_owner_and_thief_of_one_token_get_one_successor_and_later_collide() {
    let server = graceful().await;
    let first = server.public_token().await;
    let both = futures((0..2).map(|_| server.refresh_public(&first))).await;
    let [second, stolen] =
        <[String; 2]>::try_from(both.into_iter().map(|a| refresh_token(&a.granted())).collect::<Vec<_>>()).unwrap();
    assert_eq!(second, stolen, "one generation, no fork");
    let third = refresh_token(&server.refresh_public(&second).await.granted());
    server.advance(GRACE + SECOND);
    assert_eq!(refresh_token(&server.refresh_public(&stolen).await.granted()), third, "the thief passes for a late retry");
    server.advance(GRACE + SECOND);
    let fourth = refresh_token(&server.refresh_public(&third).await.granted());
    server.advance(GRACE + SECOND);
    assert_eq!(server.refresh_public(&third).await.refusal(), REUSE, "whoever of the two comes second");
    assert_eq!(server.refresh_public(&fourth).await.refusal(), GONE);
    server.finish().await;
}

#[tokio::test]
async fn r12_after_a_restore_the_owner_is_ahead_and_a_thief_with_an_older_token_ends_the_part() {
    for thief_is_first in [true, false] {
        let server = graceful().await;
        let first = server.offline_token().await;
        let mut database = backed_up(&server).await;
        let second = refresh_token(&server.refresh(&first).await.granted());
        let third = refresh_token(&server.refresh(&second).await.granted());
        restore(&mut database).await;
        let mut stolen = first;
        if thief_is_first {
            stolen = refresh_token(&server.refresh(&stolen).await.granted());
            assert_ne!(stolen, second, "a fork of the same generation");
        }
        let seen = server.as_backup("/token/introspect", &[("token", &third)]).await.granted();
        assert_eq!(seen["active"], true, "what a refresh takes is active");
        let fourth = refresh_token(&server.refresh(&third).await.granted());
        assert_eq!(server.refresh(&stolen).await.refusal(), STALE, "it might be a retry that was overtaken");
        assert_eq!(refresh_token(&server.refresh(&third).await.granted()), fourth, "nothing is revoked");
        server.advance(GRACE + SECOND);
        assert_eq!(server.refresh(&stolen).await.refusal(), STALE);
        assert_eq!(server.refresh(&fourth).await.refusal(), GONE);
        let failed = server.events("REFRESH_TOKEN_ERROR").await;
        assert_eq!(failed.iter().filter(|e| e["details"]["reuse"] == "true").count(), 1, "{failed:?}");
        server.finish().await;
    }
}

#[tokio::test]
async fn r12_after_a_restore_two_tokens_of_one_generation_end_the_part_at_once() {
    let server = graceful().await;
    let first = server.offline_token().await;
    let mut database = backed_up(&server).await;
    let second = refresh_token(&server.refresh(&first).await.granted());
    restore(&mut database).await;
    let fork = refresh_token(&server.refresh(&first).await.granted());
    assert_ne!(fork, second);
    assert_eq!(server.refresh(&second).await.refusal(), STALE);
    assert_eq!(server.refresh(&fork).await.refusal(), GONE);
    server.finish().await;
}

#[tokio::test]
async fn a_client_may_have_a_mode_of_its_own() {
    let server = graceful().await;
    assert_eq!(server.change_backup(json!({"nightlatch.refresh.token.rotation": "strict"})).await.status, 204);
    let first = server.offline_token().await;
    server.refresh(&first).await.granted();
    assert_eq!(server.refresh(&first).await.refusal(), REUSE);
    assert_eq!(server.change_backup(json!({"nightlatch.refresh.token.rotation": "off"})).await.status, 204);
    let token = server.offline_token().await;
    for _ in 0..3 {
        server.refresh(&token).await.granted();
    }
    server.finish().await;
}

#[tokio::test]
async fn a_mode_that_does_not_exist_is_refused() {
    let server = graceful().await;
    let refused = server.change_backup(json!({"nightlatch.refresh.token.rotation": "gentle"})).await;
    assert_eq!(refused.status, 400, "{:?}", refused.body);
    assert_eq!(server.change_backup(json!({"nightlatch.refresh.token.grace.period": "soon"})).await.status, 400);
    let settings = json!({"attributes": {"nightlatch.refresh.token.rotation": "off"}});
    let refused = server.admin().await.call(reqwest::Method::PUT, "/demo", Some(&settings)).await;
    assert_eq!(refused.status, 400, "Revoke Refresh Token switches it off: {:?}", refused.body);
    server.finish().await;
}

#[tokio::test]
async fn r10_two_sign_ins_in_one_session_are_two_chains_and_the_longest_unused_gives_way() {
    let server = graceful().await;
    assert_eq!(server.change_backup(json!({"nightlatch.refresh.token.max.chains": "2"})).await.status, 204);
    let browser = server.browser();
    let scope = [("scope", "openid")];
    let mut tokens = Vec::new();
    let mut back = browser.sign_in("demo-backup", &scope).await;
    for _ in 0..3 {
        let code = back.parameter("code").unwrap();
        let form = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", CALLBACK)];
        tokens.push(refresh_token(&server.as_backup("/token", &form).await.granted()));
        server.advance(SECOND);
        if tokens.len() == 2 {
            tokens[0] = refresh_token(&server.refresh(&tokens[0]).await.granted());
            server.advance(SECOND);
        }
        back = browser.get(&server.authorization("demo-backup", &scope)).await;
    }
    assert_eq!(server.refresh(&tokens[1]).await.refusal(), STALE, "the second was unused longest");
    for at in [0, 2] {
        server.refresh(&tokens[at]).await.granted();
    }
    let ended = server.events("REVOKE_GRANT").await;
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert_eq!(ended[0]["details"]["reason"], "too_many_refresh_token_chains");
    server.finish().await;
}

#[tokio::test]
async fn online_refresh_tokens_rotate_alike() {
    let server = graceful().await;
    let first = refresh_token(&server.sign_in("openid").await);
    let second = refresh_token(&server.refresh(&first).await.granted());
    assert_eq!(refresh_token(&server.refresh(&first).await.granted()), second);
    server.advance(GRACE + SECOND);
    let third = refresh_token(&server.refresh(&second).await.granted());
    assert_ne!(second, third);
    server.finish().await;
}

#[tokio::test]
async fn a_token_that_would_be_answered_again_is_introspected_as_active() {
    let server = graceful().await;
    let first = server.public_token().await;
    server.refresh_public(&first).await.granted();
    let is_active = async |token: &str| {
        let answer = server.as_backup("/token/introspect", &[("token", token)]).await.granted();
        answer["active"].clone()
    };
    assert_eq!(is_active(&first).await, json!(true));
    server.advance(GRACE + SECOND);
    server.refresh_public(&first).await.granted();
    assert_eq!(is_active(&first).await, json!(true), "one retry, however often it is asked for");
    server.advance(GRACE + SECOND);
    assert_eq!(is_active(&first).await, json!(false), "the late retry of the day is used up");
    server.finish().await;
}
