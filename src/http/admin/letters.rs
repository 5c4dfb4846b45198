//! Letters that administrators have sent: to users, with something to do, and to themselves, to try a mail server.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Map, Value};

use super::answer::{Answer, done};
use super::routes::{Routes, post, put};
use super::user::user_of;
use super::{Admin, ManageRealm, ManageUsers};
use crate::base::Secret;
use crate::flow::admin::letter::{self, Wanted};
use crate::flow::mail::{self, MailError};
use crate::flow::masking::MASK;
use crate::http::error::AdminError;
use crate::http::extract::{Json, Query, Representation};
use crate::http::letters;
use crate::http::state::App;
use crate::model::user::UPDATE_PASSWORD;
use crate::model::{ActionKind, MailServer};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/{realm}/users/{id}/execute-actions-email", put(execute_actions))
        .route("/{realm}/users/{id}/reset-password-email", put(reset_password))
        .route("/{realm}/users/{id}/send-verify-email", put(verify_email))
        .route("/{realm}/testSMTPConnection", post(try_out))
}

/// The name of a required action.
#[derive(Debug, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct ActionName(String);

impl Representation for ActionName {
    const NAME: &'static str = "String";
}

/// The settings of a mail server that is to be tried.
#[derive(serde::Deserialize)]
#[serde(transparent)]
pub(super) struct MailSettings(Map<String, Value>);

/// Without the settings: a password is among them.
impl std::fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("MailSettings").finish_non_exhaustive()
    }
}

impl Representation for MailSettings {
    const NAME: &'static str = "Map";
}

async fn execute_actions(
    State(app): State<App>,
    admin: Admin<ManageUsers>,
    Path((_, id)): Path<(String, String)>,
    query: Query,
    Json(actions): Json<Vec<ActionName>>,
) -> Answer {
    let actions = actions.into_iter().map(|name| name.0).collect();
    send(&app, &admin, &id, wanted(&query, ActionKind::ExecuteActions, actions)?).await
}

/// What Keycloak had before `execute-actions-email`.
async fn reset_password(
    State(app): State<App>,
    admin: Admin<ManageUsers>,
    Path((_, id)): Path<(String, String)>,
    query: Query,
) -> Answer {
    send(&app, &admin, &id, wanted(&query, ActionKind::ExecuteActions, vec![UPDATE_PASSWORD.to_owned()])?).await
}

async fn verify_email(
    State(app): State<App>,
    admin: Admin<ManageUsers>,
    Path((_, id)): Path<(String, String)>,
    query: Query,
) -> Answer {
    send(&app, &admin, &id, wanted(&query, ActionKind::VerifyEmail, Vec::new())?).await
}

fn wanted(query: &Query, kind: ActionKind, actions: Vec<String>) -> Result<Wanted, AdminError> {
    Ok(Wanted {
        kind,
        actions,
        client_id: query.text("client_id").map(str::to_owned),
        redirect_uri: query.text("redirect_uri").map(str::to_owned),
        lifespan: query.number("lifespan")?,
    })
}

async fn send(app: &App, admin: &Admin<ManageUsers>, id: &str, wanted: Wanted) -> Answer {
    let (cx, user) = (&admin.cx, user_of(admin, id).await?);
    let client = letter::check(cx, &user, &wanted)?;
    let failed = |problem: &MailError| {
        letters::log(cx, problem);
        let what = if wanted.kind == ActionKind::VerifyEmail { "verify" } else { "execute actions" };
        let text = match problem {
            MailError::NoAddress => format!("Failed to send {what} email: {problem}"),
            _ => format!("Failed to send {what} email"),
        };
        AdminError::Message(StatusCode::INTERNAL_SERVER_ERROR, text)
    };
    letters::check(app, cx).map_err(|problem| failed(&problem))?;
    let issued = letter::link(cx, &user, client, &wanted).await?.ok_or_else(|| failed(&MailError::TooMany))?;
    let url = letters::link(cx, client, None, issued.key.expose());
    let letter = match wanted.kind {
        ActionKind::VerifyEmail => letters::verification_letter(cx, url, &issued),
        _ => letters::actions_letter(cx, url, &issued, &wanted.actions),
    };
    letters::deliver(app, cx, "en", &user, &letter).await.map_err(|problem| failed(&problem))?;
    letter::sent(cx).await?;
    Ok(done())
}

/// Sends a letter to the administrator who asks, by the settings of the body.
async fn try_out(State(app): State<App>, admin: Admin<ManageRealm>, Json(settings): Json<MailSettings>) -> Answer {
    let sent = try_server(&app, &admin, &settings.0).await;
    Ok(match sent {
        Ok(()) => done(),
        Err(problem) => {
            letters::log(&admin.cx, &problem);
            AdminError::Message(StatusCode::INTERNAL_SERVER_ERROR, "Failed to send email".to_owned()).into_response()
        }
    })
}

async fn try_server(app: &App, admin: &Admin<ManageRealm>, settings: &Map<String, Value>) -> Result<(), MailError> {
    let cx = &admin.cx;
    let server = MailServer::read(settings).ok_or(MailError::NotSet)?;
    let password = match settings.get("password").and_then(Value::as_str) {
        // The kept password goes to the server that it was kept for and to no other, whoever asks.
        Some(MASK) if cx.settings().mail.as_ref().is_some_and(|kept| is_same_place(kept, &server)) => mail::stored_password(cx)?,
        Some(MASK) | None => None,
        Some(given) => Some(Secret::new(given)),
    };
    let email = admin.administrator.user().email.clone();
    let email = email.ok_or_else(|| MailError::Letter("the administrator has no address to send it to".to_owned()))?;
    letters::try_out(app, cx, &server, password.as_ref(), &email).await
}

fn is_same_place(kept: &MailServer, given: &MailServer) -> bool {
    let place = |server: &MailServer| (server.host.clone(), server.port, server.encryption, server.user.clone());
    place(kept) == place(given)
}
