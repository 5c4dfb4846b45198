//! Letters that administrators have sent, and the mail server that they go through.

use std::time::Duration;

use nightlatch::flow::sweep::{self, SweepRules};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::support::{Answer, Postbox, TestServer, database_address};
use crate::verify_email::{proceed, with_mail};

async fn send(server: &TestServer, path: &str, body: Option<&Value>) -> Answer {
    let admin = server.admin().await;
    admin.call(Method::PUT, &format!("/demo/users/{}/{path}", admin.alice().await), body).await
}

#[tokio::test]
async fn a_user_does_what_an_administrator_asks_for_and_goes_on_to_the_client() {
    let (server, postbox) = with_mail(json!({"adminEventsEnabled": true})).await;
    let path = "execute-actions-email?client_id=demo-backup&redirect_uri=http%3A%2F%2Flocalhost%3A3000%2Fwelcome&lifespan=600";
    let actions = json!(["UPDATE_PASSWORD", "VERIFY_EMAIL", "UPDATE_PROFILE"]);
    assert_eq!(send(&server, path, Some(&actions)).await.status, 204);
    let letter = postbox.take().await;
    assert_eq!(letter.header("subject"), "Update Your Account");
    let text = letter.part("text/plain");
    assert!(text.contains("- Update Password") && text.contains("10 minutes"), "{text}");
    let browser = server.browser();
    let asked = browser.get(&letter.link()).await;
    assert!(asked.says("Update Password, Verify Email, Update Profile"), "{}", asked.html);
    let page = browser.get(&proceed(&asked)).await;
    assert!(page.says("Update Account Information"), "{}", page.html);
    let names = [("email", "alice@example.org"), ("firstName", "Alice"), ("lastName", "Example")];
    let page = browser.post(&page.action(), &names).await;
    let done = browser.post(&page.action(), &[("password-new", "fresh"), ("password-confirm", "fresh")]).await;
    assert!(done.says("Your account has been updated.") && done.html.contains("http://localhost:3000/welcome"), "{}", done.html);
    assert!(browser.cookie("KEYCLOAK_IDENTITY").is_none(), "a letter signs nobody in");
    let admin = server.admin().await;
    let user = admin.get(&format!("/demo/users/{}", admin.alice().await)).await;
    assert_eq!(user["emailVerified"], true);
    let replayed = server.browser().get(&letter.link()).await;
    assert!(replayed.status == 400 && replayed.says("Action expired"), "{}", replayed.html);
    let events = admin.get("/demo/admin-events?operationTypes=ACTION").await;
    assert!(events[0]["resourcePath"].as_str().unwrap().ends_with("/execute-actions-email"), "{events}");
    assert!(!events.to_string().contains(letter.link().split("key=").nth(1).unwrap()), "no event tells the link");
    server.finish().await;
}

#[tokio::test]
async fn a_letter_of_an_administrator_lapses_by_the_realms_setting() {
    let (server, postbox) = with_mail(json!({"actionTokenGeneratedByAdminLifespan": 3600})).await;
    assert_eq!(send(&server, "send-verify-email", None).await.status, 204);
    assert_eq!(send(&server, "reset-password-email", None).await.status, 204);
    let (verify, reset) = (postbox.take().await, postbox.take().await);
    assert_eq!((verify.header("subject").as_str(), reset.header("subject").as_str()), ("Verify email", "Update Your Account"));
    server.advance(Duration::from_secs(3599));
    let browser = server.browser();
    let asked = browser.get(&verify.link()).await;
    assert!(browser.get(&proceed(&asked)).await.says("has been verified."));
    server.advance(Duration::from_secs(2));
    let late = server.browser().get(&reset.link()).await;
    assert!(late.status == 400 && late.says("Action expired"), "{}", late.html);
    server.finish().await;
}

#[tokio::test]
async fn a_letter_that_cannot_be_is_refused_and_nothing_is_kept_of_it() {
    let (server, postbox) = with_mail(json!({})).await;
    let update = json!(["UPDATE_PASSWORD"]);
    for (path, body, status, text) in [
        ("execute-actions-email", json!(["webauthn-register"]), 400, "Provided invalid required actions"),
        ("execute-actions-email?redirect_uri=http://localhost:3000/x", update.clone(), 400, "Client id missing"),
        (
            "execute-actions-email?client_id=demo-backup&redirect_uri=http://evil.test/",
            update.clone(),
            400,
            "Invalid redirect uri.",
        ),
        (
            "execute-actions-email?client_id=demo-backup&redirect_uri=javascript:alert(1)",
            update.clone(),
            400,
            "Invalid redirect uri.",
        ),
        ("execute-actions-email?client_id=nobody", update.clone(), 400, "Client doesn't exist"),
    ] {
        let answer = send(&server, path, Some(&body)).await;
        assert_eq!((answer.status, answer.body["errorMessage"].as_str()), (status, Some(text)), "{path}");
    }
    assert_eq!(send(&server, "execute-actions-email", Some(&json!([1]))).await.status, 400);
    let admin = server.admin().await;
    assert_eq!(admin.call(Method::PUT, "/demo/users/nobody/send-verify-email", None).await.status, 404);
    admin.put_user(json!({"requiredActions": []})).await;
    admin.set(json!({"smtpServer": {}})).await;
    let answer = send(&server, "execute-actions-email", Some(&update)).await;
    assert_eq!((answer.status, &answer.body["errorMessage"]), (500, &json!("Failed to send execute actions email")));
    let mut database = PgConnection::connect(&database_address(&server.database)).await.unwrap();
    let kept: i64 = sqlx::query_scalar("select count(*) from action_token").fetch_one(&mut database).await.unwrap();
    assert_eq!((kept, postbox.count()), (0, 0));
    server.finish().await;
}

#[tokio::test]
async fn who_may_not_manage_users_sends_no_letters_and_who_may_not_manage_realms_tries_no_server() {
    let (server, postbox) = with_mail(json!({})).await;
    let admin = server.admin().await;
    let helper = json!({"username": "helper", "enabled": true, "email": "h@example.org", "firstName": "H", "lastName": "H",
                        "credentials": [{"type": "password", "value": "helper"}]});
    assert_eq!(admin.call(Method::POST, "/demo/users", Some(&helper)).await.status, 201);
    let form = [("grant_type", "password"), ("username", "helper"), ("password", "helper")];
    let token = server.as_backup("/token", &form).await.granted()["access_token"].as_str().unwrap().to_owned();
    let alice = admin.alice().await;
    let call = async |method: Method, path: String, body: Value| {
        let address = format!("{}/admin/realms/demo{path}", server.base);
        server.http.request(method, address).bearer_auth(&token).json(&body).send().await.unwrap().status().as_u16()
    };
    for path in ["execute-actions-email", "send-verify-email", "reset-password-email"] {
        assert_eq!(call(Method::PUT, format!("/users/{alice}/{path}"), json!(["UPDATE_PASSWORD"])).await, 403, "{path}");
    }
    assert_eq!(call(Method::POST, "/testSMTPConnection".to_owned(), postbox.settings()).await, 403);
    assert_eq!(postbox.count(), 0);
    server.finish().await;
}

#[tokio::test]
async fn the_kept_password_goes_to_its_own_server_and_to_no_other() {
    let (own, other) = (Postbox::open().await, Postbox::open().await);
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let me = admin.get("/master/users?username=admin&exact=true").await[0]["id"].as_str().unwrap().to_owned();
    let address = json!({"email": "admin@example.org"});
    assert_eq!(admin.call(Method::PUT, &format!("/master/users/{me}"), Some(&address)).await.status, 204);
    let with = |postbox: &Postbox, password: &str| {
        let mut settings = postbox.settings();
        let more = json!({"auth": "true", "user": "mailer", "password": password, "envelopeFrom": "bounce@example.org", "replyTo": "help@example.org"});
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        settings
    };
    admin.set(json!({"smtpServer": with(&own, "k3pt-secret")})).await;
    let try_out = async |settings: Value| admin.call(Method::POST, "/demo/testSMTPConnection", Some(&settings)).await.status;
    assert_eq!(try_out(with(&own, "**********")).await, 204);
    let letter = own.take().await;
    let said = letter.envelope.join("\n");
    // base64 of "\0mailer\0k3pt-secret"
    assert!(said.contains("AUTH PLAIN AG1haWxlcgBrM3B0LXNlY3JldA=="), "{said}");
    assert!(said.contains("MAIL FROM:<bounce@example.org>") && letter.header("reply-to") == "help@example.org", "{said}");
    assert_eq!(letter.header("to"), "admin@example.org");
    assert_eq!(letter.header("auto-submitted"), "auto-generated");
    assert!(letter.header("message-id").ends_with("@example.org>"));
    let _ = try_out(with(&other, "**********")).await;
    if other.count() > 0 {
        assert!(!other.take().await.envelope.join("\n").contains("AG1haWxlcgBrM3B0"), "the secret stays at home");
    }
    assert_eq!(try_out(json!({"host": "127.0.0.1", "port": "1", "from": "a@b.c"})).await, 500);
    assert_eq!(
        try_out(json!({"host": "127.0.0.1", "port": own.port.to_string(), "from": "a@b.c", "starttls": "true"})).await,
        500,
        "a server that cannot encrypt gets nothing in the clear"
    );
    assert_eq!(own.count(), 0);
    server.finish().await;
}

#[tokio::test]
async fn a_letter_comes_in_the_users_language_and_no_text_breaks_out_of_it() {
    let (server, postbox) = with_mail(json!({"displayName": "Haus\r\nBcc: x@evil.test <b>"})).await;
    let admin = server.admin().await;
    let policy = json!({"unmanagedAttributePolicy": "ENABLED", "attributes": [
        {"name": "username", "permissions": {"view": ["admin", "user"], "edit": ["admin", "user"]}},
        {"name": "email", "permissions": {"view": ["admin", "user"], "edit": ["admin", "user"]}},
        {"name": "locale", "permissions": {"view": ["admin", "user"], "edit": ["admin", "user"]}}]});
    assert_eq!(admin.call(Method::PUT, "/demo/users/profile", Some(&policy)).await.status, 200);
    admin.set(json!({"internationalizationEnabled": true})).await;
    admin.put_user(json!({"attributes": {"locale": ["de"]}})).await;
    assert_eq!(send(&server, "send-verify-email", None).await.status, 204);
    let letter = postbox.take().await;
    assert!(letter.part("text/plain").contains("Jemand hat diese Adresse"), "{}", letter.raw);
    assert!(letter.part("text/html").contains("&lt;b&gt;") && !letter.part("text/html").contains("<b>"));
    let (head, _) = letter.raw.split_once("\r\n\r\n").unwrap();
    assert!(!head.contains("\r\nBcc"), "{head}");
    assert_eq!(letter.envelope.iter().filter(|line| line.starts_with("RCPT")).count(), 1);
    server.finish().await;
}

#[tokio::test]
async fn links_past_their_time_are_swept_and_others_stay() {
    let (server, postbox) = with_mail(json!({})).await;
    assert_eq!(send(&server, "send-verify-email?lifespan=60", None).await.status, 204);
    assert_eq!(send(&server, "send-verify-email?lifespan=6000", None).await.status, 204);
    let letters = [postbox.take().await, postbox.take().await];
    server.advance(Duration::from_secs(61));
    let rules = |dry_run| SweepRules { margin: Duration::ZERO, batch: 8, dry_run };
    assert_eq!(sweep::run(&server.server, rules(true)).await.unwrap().action_tokens, 1);
    assert_eq!(sweep::run(&server.server, rules(false)).await.unwrap().action_tokens, 1);
    assert!(server.browser().get(&letters[0].link()).await.says("Action expired"));
    assert!(server.browser().get(&letters[1].link()).await.says("Confirm validity"));
    server.finish().await;
}
