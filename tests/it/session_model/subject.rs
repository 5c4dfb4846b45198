//! The server under test: each step is taken against it, and its answer held against the model's.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, header};
use http_body_util::BodyExt;
use nightlatch::base::{Clock, Timestamp};
use nightlatch::flow::Server;
use nightlatch::flow::sweep::{self, SweepRules};
use nightlatch::http::router;
use nightlatch::store::invariants;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tower::ServiceExt;

use super::model::{Expected, Grant, Mode, Step, World};
use crate::support::{app, create_database, database_address, parts};

/// The real thing: the production router in process, on a database of its own.
pub(super) struct Subject {
    pub(super) server: Server,
    router: axum::Router,
    database: String,
    begins: Timestamp,
    seed: u64,
    client: &'static str,
    client_uuid: String,
    scope_id: String,
    user_id: String,
    admin: RefCell<Option<(String, i64)>>,
    /// For what a server does not do: clearing.
    connection: PgConnection,
    histories: u32,
}

impl Subject {
    pub(super) async fn start(mode: Mode) -> Self {
        let database = create_database().await;
        let server = parts(&database_address(&database), 1);
        let connection = PgConnection::connect(&database_address(&database)).await.unwrap();
        let client = if mode == (Mode::Graceful { bound: false }) { "demo-spa" } else { "demo-backup" };
        let empty = String::new;
        let begins = server.clock.now();
        let router = router(app(server.clone()));
        let mut subject = Self {
            server,
            router,
            database,
            begins,
            seed: 1,
            client,
            client_uuid: empty(),
            scope_id: empty(),
            user_id: empty(),
            admin: RefCell::new(None),
            connection,
            histories: 0,
        };
        let id = |list: &Value| list[0]["id"].as_str().unwrap().to_owned();
        subject.client_uuid = id(&subject.admin(Method::GET, &format!("/clients?clientId={client}"), None).await);
        subject.user_id = id(&subject.admin(Method::GET, "/users?username=alice&exact=true", None).await);
        let scopes = subject.admin(Method::GET, "/client-scopes", None).await;
        let offline = scopes.as_array().unwrap().iter().find(|s| s["name"] == "offline_access").unwrap();
        subject.scope_id = offline["id"].as_str().unwrap().to_owned();
        let direct = json!({"directAccessGrantsEnabled": true});
        subject.admin(Method::PUT, &format!("/clients/{}", subject.client_uuid), Some(direct)).await;
        let (rotates, kind, max_reuse) = match mode {
            Mode::Off => (false, "strict", 0),
            Mode::Strict { max_reuse } => (true, "strict", max_reuse),
            Mode::Graceful { .. } => (true, "graceful", 0),
        };
        let attributes = json!({"nightlatch.refresh.token.rotation": kind, "nightlatch.refresh.token.grace.period": "30"});
        let realm = json!({"revokeRefreshToken": rotates, "refreshTokenMaxReuse": max_reuse, "attributes": attributes});
        subject.admin(Method::PUT, "", Some(realm)).await;
        subject
    }

    fn now(&self) -> i64 {
        self.server.clock.now().unix_seconds()
    }

    async fn send(&self, request: Request<Body>) -> (u16, Value) {
        let (mut head, body) = request.into_parts();
        head.extensions.insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 9))));
        head.headers.insert(header::HOST, "id.test".parse().unwrap());
        let answer = self.router.clone().oneshot(Request::from_parts(head, body)).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    async fn post(&self, path: &str, more: &[(&str, &str)]) -> (u16, Value) {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(more).append_pair("client_id", self.client);
        if self.client == "demo-backup" {
            form.append_pair("client_secret", "demo-backup-secret");
        }
        let request = Request::post(format!("/realms/demo/protocol/openid-connect{path}"));
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form.finish())).unwrap()).await
    }

    /// Good for a minute.
    async fn admin_token(&self) -> String {
        if let Some((token, until)) = &*self.admin.borrow()
            && self.now() < *until
        {
            return token.clone();
        }
        let form = "grant_type=password&client_id=admin-cli&username=admin&password=admin";
        let request = Request::post("/realms/master/protocol/openid-connect/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form))
            .unwrap();
        let (_, tokens) = self.send(request).await;
        let token = tokens["access_token"].as_str().unwrap().to_owned();
        *self.admin.borrow_mut() = Some((token.clone(), self.now() + 50));
        token
    }

    async fn admin(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let token = self.admin_token().await;
        let request = Request::builder()
            .method(method)
            .uri(format!("/admin/realms/demo{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let (status, answer) = self.send(request.body(body).unwrap()).await;
        assert!(status < 300 || status == 404, "{path}: {status} {answer}");
        answer
    }

    async fn enable_user(&self, enabled: bool) {
        self.admin(Method::PUT, &format!("/users/{}", self.user_id), Some(json!({ "enabled": enabled }))).await;
    }

    async fn assign_scope(&self, assigned: bool) {
        let path = format!("/clients/{}/optional-client-scopes/{}", self.client_uuid, self.scope_id);
        self.admin(if assigned { Method::PUT } else { Method::DELETE }, &path, None).await;
    }

    async fn not_before(&self, moment: i64) {
        self.admin(Method::PUT, &format!("/clients/{}", self.client_uuid), Some(json!({ "notBefore": moment }))).await;
    }

    /// Another process on the same database: nothing is remembered but what is there.
    async fn restart(&mut self, clock: Clock) {
        self.seed += 1;
        let fresh = Server { clock, ..parts(&database_address(&self.database), self.seed) };
        self.router = router(app(fresh.clone()));
        std::mem::replace(&mut self.server, fresh).store.close().await;
    }

    /// Without sessions, for the next history. Now and then the years start anew too, or not-before would leave its 32 bits behind;
    /// a new server and new files for the tables cost more than the history itself.
    async fn clear(&mut self) {
        if self.histories.is_multiple_of(32) {
            self.restart(Clock::manual(self.begins)).await;
            sqlx::raw_sql("truncate session, client_session, chain, event, revoked_token, logout_notice")
                .execute(&mut self.connection)
                .await
                .unwrap();
        } else {
            sqlx::raw_sql("delete from session; delete from event; delete from revoked_token; delete from logout_notice")
                .execute(&mut self.connection)
                .await
                .unwrap();
        }
        self.admin.replace(None);
        self.histories += 1;
        self.enable_user(true).await;
        self.assign_scope(true).await;
        self.not_before(0).await;
    }

    pub(super) async fn follow(&mut self, mode: Mode, steps: &[Step]) -> Result<(), TestCaseError> {
        self.clear().await;
        let mut world = World { mode, grants: Vec::new(), user_is_enabled: true, scope_is_assigned: true, not_before: 0 };
        for (at, step) in steps.iter().enumerate() {
            self.take(&mut world, *step).await.map_err(|e| TestCaseError::fail(format!("step {at}, {step:?}: {e}")))?;
        }
        let broken = invariants::check(&self.server.store).await.unwrap();
        prop_assert_eq!(broken, Vec::<String>::new());
        Ok(())
    }

    async fn take(&mut self, world: &mut World, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Grant => self.grant(world).await?,
            Step::Wait(seconds) => self.server.clock.advance(Duration::from_secs(u64::from(seconds))),
            Step::EnableUser(enabled) => {
                self.enable_user(enabled).await;
                world.user_is_enabled = enabled;
            }
            Step::AssignScope(assigned) => {
                self.assign_scope(assigned).await;
                world.scope_is_assigned = assigned;
            }
            Step::RevokeOlderTokens => {
                world.not_before = self.now();
                self.not_before(world.not_before).await;
            }
            Step::Sweep => {
                let rules = SweepRules { batch: 3, margin: Duration::from_secs(60), dry_run: false };
                sweep::run(&self.server, rules).await.unwrap();
            }
            Step::Restart => self.restart(self.server.clock.clone()).await,
            _ if world.grants.is_empty() => {}
            Step::Refresh { grant, back, answer_is_lost } => {
                let grant = usize::from(grant) % world.grants.len();
                self.refresh(world, grant, usize::from(back), answer_is_lost).await?;
            }
            Step::Logout(grant) => {
                let grant = usize::from(grant) % world.grants.len();
                let (status, body) = self.post("/logout", &[("refresh_token", &world.grants[grant].tokens[0].0)]).await;
                prop_assert_eq!(status, 204, "{}", body);
                world.grants[grant].is_there = false;
            }
            Step::Revoke(grant) => {
                let grant = usize::from(grant) % world.grants.len();
                let (status, body) = self.post("/revoke", &[("token", &world.grants[grant].tokens[0].0)]).await;
                prop_assert_eq!(status, 200, "{}", body);
                world.grants[grant].is_there &= !world.grants[grant].has_part;
            }
            Step::EndByAdministrator(grant) => {
                let grant = usize::from(grant) % world.grants.len();
                let path = format!("/sessions/{}?isOffline=true", world.grants[grant].session);
                self.admin(Method::DELETE, &path, None).await;
                world.grants[grant].is_there = false;
            }
        }
        Ok(())
    }

    async fn grant(&self, world: &mut World) -> Result<(), TestCaseError> {
        let form = [("grant_type", "password"), ("username", "alice"), ("password", "alice"), ("scope", "openid offline_access")];
        let (status, body) = self.post("/token", &form).await;
        let expected = if world.user_is_enabled && world.scope_is_assigned { 200 } else { 400 };
        prop_assert_eq!(status, expected, "{}", body);
        if status == 200 {
            let token = body["refresh_token"].as_str().unwrap().to_owned();
            let now = self.now();
            world.grants.push(Grant {
                session: body["session_state"].as_str().unwrap().to_owned(),
                tokens: vec![(token, now)],
                held: 0,
                rotated_at: now,
                late_at: None,
                replays: 0,
                used_at: now,
                has_part: true,
                is_there: true,
            });
        }
        Ok(())
    }

    async fn refresh(&self, world: &mut World, at: usize, back: usize, answer_is_lost: bool) -> Result<(), TestCaseError> {
        let now = self.now();
        let token = world.grants[at].held.saturating_sub(back);
        let expected = world.refresh(at, token, now);
        let presented = world.grants[at].tokens[token].0.clone();
        let (status, body) = self.post("/token", &[("grant_type", "refresh_token"), ("refresh_token", &presented)]).await;
        let grant = &mut world.grants[at];
        match expected {
            Expected::Refused(code, text) => {
                prop_assert_eq!(
                    (status, body["error_description"].as_str()),
                    (code, Some(text)),
                    "token {} of {:?}",
                    token,
                    grant
                );
                return Ok(());
            }
            Expected::New => {
                prop_assert_eq!(status, 200, "{}: token {} of {:?}", body, token, grant);
                let successor = body["refresh_token"].as_str().unwrap().to_owned();
                prop_assert!(grant.tokens.iter().all(|(known, _)| *known != successor), "a token that was given before");
                grant.tokens.push((successor, now));
            }
            Expected::Again(current) => {
                prop_assert_eq!(status, 200, "{}: token {} of {:?}", body, token, grant);
                prop_assert_eq!(body["refresh_token"].as_str(), Some(grant.tokens[current].0.as_str()), "another branch");
            }
        }
        if !answer_is_lost {
            grant.held = grant.tokens.len() - 1;
        }
        Ok(())
    }
}
