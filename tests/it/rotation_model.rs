//! Rotation against a model: any sequence of presented tokens and passing time is answered as a few lines of Rust say.
//!
//! The statement under test decides in the database; the model knows nothing of it. A failure names its seed and its steps.

use std::time::Duration;

use nightlatch::base::Entropy;
use serde_json::json;

use crate::support::{Answer, TestServer, refresh_token};

/// The rules of a realm as its tests set them.
#[derive(Clone, Copy, Debug)]
struct Rules {
    max_reuse: u32,
    grace: i64,
    /// Whether the client proves itself.
    bound: bool,
}

/// What the model expects of an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expected {
    /// The successor of this generation: the same text whenever it is answered.
    Generation(usize),
    /// Refused, and nothing is lost.
    Stale,
    Throttled,
    /// Refused, and the client's part is gone.
    Reuse,
    Older,
    /// The part was gone before.
    Gone,
}

/// One chain: the generation that is current, and what happened to the one before.
#[derive(Debug)]
struct Model {
    rules: Rules,
    generation: usize,
    rotated_at: i64,
    replays: u32,
    late_at: Option<i64>,
    is_there: bool,
}

impl Model {
    fn present(&mut self, token: usize, now: i64) -> Expected {
        if !self.is_there {
            return Expected::Gone;
        }
        let answered_at = self.late_at.map_or(self.rotated_at, |at| at.max(self.rotated_at));
        let in_grace = self.rules.grace > 0 && now - answered_at <= self.rules.grace;
        if token == self.generation {
            (self.generation, self.rotated_at, self.replays) = (token + 1, now, 0);
            return Expected::Generation(self.generation);
        }
        if token + 1 < self.generation {
            self.is_there = in_grace;
            return if in_grace { Expected::Stale } else { Expected::Older };
        }
        if in_grace {
            return Expected::Generation(self.generation);
        }
        let is_graceful = self.rules.grace > 0;
        let limit = if is_graceful && self.rules.bound { self.rules.max_reuse.max(16) } else { self.rules.max_reuse };
        if self.replays < limit {
            self.replays += 1;
            return Expected::Generation(self.generation);
        }
        if is_graceful && self.rules.bound {
            return Expected::Throttled;
        }
        if is_graceful && self.late_at.is_none_or(|at| now - at > 86_400) {
            (self.late_at, self.replays) = (Some(now), self.replays + 1);
            return Expected::Generation(self.generation);
        }
        self.is_there = false;
        Expected::Reuse
    }
}

/// The client of the test: `demo-spa` proves nothing, `demo-backup` has a secret.
async fn refresh(server: &TestServer, rules: Rules, token: &str) -> Answer {
    if rules.bound {
        return server.refresh(token).await;
    }
    let form = [("grant_type", "refresh_token"), ("client_id", "demo-spa"), ("refresh_token", token)];
    server.post(&server.endpoint("/token"), &form).await
}

async fn first_token(server: &TestServer, rules: Rules) -> String {
    if rules.bound {
        return server.offline_token().await;
    }
    let form = [
        ("grant_type", "password"),
        ("client_id", "demo-spa"),
        ("username", "alice"),
        ("password", "alice"),
        ("scope", "openid offline_access"),
    ];
    refresh_token(&server.post(&server.endpoint("/token"), &form).await.granted())
}

async fn follows_the_model(rules: Rules, sequences: u64) {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let path = format!("/demo/clients/{}", admin.client("demo-spa").await);
    let direct = json!({"directAccessGrantsEnabled": true});
    assert_eq!(admin.call(reqwest::Method::PUT, &path, Some(&direct)).await.status, 204);
    let mode = if rules.grace > 0 { "graceful" } else { "strict" };
    let attributes = json!({"nightlatch.refresh.token.rotation": mode, "nightlatch.refresh.token.grace.period": "30"});
    admin.set(json!({"revokeRefreshToken": true, "refreshTokenMaxReuse": rules.max_reuse, "attributes": attributes})).await;
    for seed in 0..sequences {
        let entropy = Entropy::seeded(seed);
        let mut tokens = vec![first_token(&server, rules).await];
        let mut model = Model { rules, generation: 0, rotated_at: server.now(), replays: 0, late_at: None, is_there: true };
        let mut steps = Vec::new();
        for _ in 0..24 {
            let [choice, age, span] = entropy.bytes::<3>();
            // Mostly the newest tokens, sometimes any; mostly at once, sometimes much later.
            let back = if choice % 8 == 0 { usize::from(age) % tokens.len() } else { usize::from(age % 3) % tokens.len() };
            let token = tokens.len() - 1 - back;
            let wait = [0, 0, 0, 1, 29, 31, 3_600, 90_000][usize::from(span % 8)];
            server.advance(Duration::from_secs(wait));
            let expected = model.present(token, server.now());
            steps.push((wait, token, expected));
            let answer = refresh(&server, rules, &tokens[token]).await;
            let context = format!("{rules:?}, seed {seed}, (wait, token, expected): {steps:?}");
            let refused = |status: u16, text: &str| assert_eq!((answer.status, answer.refusal().2), (status, text), "{context}");
            match expected {
                Expected::Generation(at) => {
                    assert_eq!(answer.status, 200, "{context}: {:?}", answer.body);
                    let successor = refresh_token(&answer.body);
                    if at == tokens.len() {
                        tokens.push(successor);
                    } else {
                        assert_eq!(successor, tokens[at], "{context}: another branch");
                    }
                }
                Expected::Stale | Expected::Older => refused(400, "Stale token"),
                Expected::Reuse => refused(400, "Maximum allowed refresh token reuse exceeded"),
                Expected::Gone => refused(400, "Session doesn't have required client"),
                Expected::Throttled => refused(429, "Too many retries with one refresh token"),
            }
        }
    }
    server.finish().await;
}

#[tokio::test]
async fn strict_rotation_follows_the_model() {
    for max_reuse in [0, 2] {
        follows_the_model(Rules { max_reuse, grace: 0, bound: true }, 12).await;
    }
}

#[tokio::test]
async fn graceful_rotation_of_a_public_client_follows_the_model() {
    for max_reuse in [0, 2] {
        follows_the_model(Rules { max_reuse, grace: 30, bound: false }, 12).await;
    }
}

#[tokio::test]
async fn graceful_rotation_of_a_client_that_proves_itself_follows_the_model() {
    follows_the_model(Rules { max_reuse: 0, grace: 30, bound: true }, 12).await;
}
