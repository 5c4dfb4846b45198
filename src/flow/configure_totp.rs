//! The required action "set up an authenticator": what a browser sends, and what becomes of it.

use super::browser::{Browser, Move, PageStep};
use super::context::Cx;
use super::required_action::{self, Done};
use super::sign_in;
use super::tab_page::{ProvenTab, Shown, show, stale_form, taken_at};
use crate::base::Secret;
use crate::model::authentication_session::Authenticated;
use crate::model::event::EventKind;
use crate::model::user::CONFIGURE_TOTP;
use crate::model::{Client, CredentialId, TabId};
use crate::oidc::one_time_password::{Device, new_device};
use crate::store::{self, StoreError};

/// The characters of a new secret: 20 letters and digits are 119 bits.
const SECRET_LENGTH: usize = 20;
/// The longest name that Keycloak's table holds.
const MAX_LABEL: usize = 255;

/// The form as it was sent. The secret is the one that the page showed: only this user, in this tab, can send it.
#[derive(Clone, Debug)]
pub struct NewAuthenticator {
    pub form: String,
    pub secret: Secret,
    pub code: Secret,
    pub label: String,
    pub end_other_sessions: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    CodeMissing,
    CodeWrong,
    LabelTooLong,
}

#[derive(Debug)]
pub enum Outcome {
    Moved(Move),
    /// The page again, with the same secret: the authenticator has it already.
    Again {
        shown: Box<Shown>,
        secret: Secret,
        problem: Problem,
    },
}

/// A secret for a page to show.
pub fn new_secret(cx: &Cx) -> Secret {
    Secret::new(cx.entropy().alphanumeric(SECRET_LENGTH))
}

pub async fn submit(cx: &Cx, browser: &Browser, tab_id: &TabId, given: NewAuthenticator) -> Result<Outcome, StoreError> {
    let ProvenTab { tab, client, mut known, .. } =
        match taken_at(cx, browser, tab_id, &given.form, &[PageStep::ConfigureTotp]).await? {
            Ok(taken) => taken,
            Err(moved) => return Ok(Outcome::Moved(moved)),
        };
    let is_ours =
        given.secret.expose().len() == SECRET_LENGTH && given.secret.expose().bytes().all(|b| b.is_ascii_alphanumeric());
    if !is_ours {
        return Ok(Outcome::Moved(stale_form(cx, browser, &tab, &client).await?));
    }
    if let Err(problem) = set_up(cx, &client, &known, &given).await? {
        return Ok(match show(cx, tab, client).await? {
            Ok(shown) => Outcome::Again { shown: Box::new(shown), secret: given.secret, problem },
            Err(moved) => Outcome::Moved(moved),
        });
    }
    let Some(user) = cx.server.realms.read_user(cx.store(), &cx.snapshot().realm.id, &known.user_id).await? else {
        return Ok(Outcome::Moved(Move::error("invalidUserMessage")));
    };
    known.actions.retain(|action| action != CONFIGURE_TOTP);
    Ok(Outcome::Moved(sign_in::go_on(cx, browser, &client, &tab, &user, known).await?))
}

/// Keeps the device once a code of it was right; the code is spent by that.
async fn set_up(
    cx: &Cx,
    client: &Client,
    authenticated: &Authenticated,
    given: &NewAuthenticator,
) -> Result<Result<(), Problem>, StoreError> {
    let (label, code) = (given.label.trim(), given.code.expose().trim());
    if code.is_empty() {
        return Ok(Err(Problem::CodeMissing));
    }
    if label.chars().count() > MAX_LABEL || label.contains(char::is_control) {
        return Ok(Err(Problem::LabelTooLong));
    }
    let (realm, user_id, policy) = (&cx.snapshot().realm.id, &authenticated.user_id, &cx.settings().otp);
    let id = CredentialId::new(cx.entropy().uuid());
    let mut credential = new_device(policy, id, Some(label), &given.secret, cx.now);
    credential.last_step = Device::read(&credential).and_then(|device| device.step_of(code, policy, cx.now));
    if credential.last_step.is_none() {
        return Ok(Err(Problem::CodeWrong));
    }
    let done = Done {
        client,
        who: authenticated,
        action: CONFIGURE_TOTP,
        event: EventKind::UpdateTotp,
        ends_other_sessions: given.end_other_sessions,
    };
    required_action::finish(cx, done, async |db| store::credential::insert_credential(db, realm, user_id, &credential).await)
        .await?;
    Ok(Ok(()))
}
