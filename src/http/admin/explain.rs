//! `/nightlatch/explain`: why a token or a grant works, or does not. Tokens travel in the body: addresses are written to logs.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, shown};
use super::routes::{Routes, post};
use super::{Admin, ViewUsers};
use crate::flow::admin::explain::{self, Subject};
use crate::http::error::AdminError;
use crate::http::extract::{Json, Representation};
use crate::model::{ClientId, SessionId, SessionKind};
use crate::oidc::explanation;

pub(super) fn routes() -> Routes {
    Routes::new().route("/{realm}/nightlatch/explain", post(run))
}

/// A token, or a session and a client.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Question {
    token: Option<String>,
    session_id: Option<String>,
    client_id: Option<String>,
    /// `offline`, which is the default, or `online`.
    kind: Option<String>,
}

impl Representation for Question {
    const NAME: &'static str = "Explain";
}

impl Question {
    fn subject(self) -> Option<Subject> {
        let kind = match self.kind.as_deref() {
            None | Some("offline") => SessionKind::Offline,
            Some("online") => SessionKind::Online,
            Some(_) => return None,
        };
        match (self.token, self.session_id, self.client_id) {
            (Some(token), None, None) => Some(Subject::Token(token)),
            (None, Some(session), Some(client)) => {
                Some(Subject::Grant { kind, session: SessionId::new(session), client: ClientId::new(client) })
            }
            _ => None,
        }
    }
}

async fn run(admin: Admin<ViewUsers>, Json(question): Json<Question>) -> Answer {
    let wrong = || AdminError::bad_request("Send a token, or sessionId and clientId; kind is offline or online");
    let explanation = explain::run(&admin.cx, &question.subject().ok_or_else(wrong)?).await?;
    let broken = explanation.checks.iter().find(|check| !check.ok);
    Ok(shown(&json!({
        "usable": explanation.is_usable(),
        "reason": broken.map(|check| check.rule),
        "tokenType": explanation.token_type,
        "sessionId": explanation.session,
        "client": explanation.client.as_ref().map(|c| json!({"id": c.uuid, "clientId": c.client_id})),
        "user": explanation.user.as_ref().map(|u| json!({"id": u.id, "username": u.username})),
        "endsAt": explanation.ends_at.map(|at| at.unix_millis()),
        "checks": explanation.checks.iter().map(explanation::shown).collect::<Vec<Value>>(),
    })))
}
