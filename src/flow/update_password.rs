//! The required action "update password": what a browser sends, and what becomes of it.

use super::browser::{Browser, Move, PageStep};
use super::context::Cx;
use super::new_password::{self, Accepted, Owner, Refused};
use super::required_action::{self, Done};
use super::tab_page::{ProvenTab, Shown, show, taken_at};
use super::{proven_user, sign_in, tab};
use crate::base::Secret;
use crate::model::event::EventKind;
use crate::model::user::UPDATE_PASSWORD;
use crate::model::{TabId, User};
use crate::oidc::password_policy::Violation;
use crate::store::StoreError;

/// The form "update password" as it was sent.
#[derive(Clone, Debug)]
pub struct NewPassword {
    pub form: String,
    pub password: Secret,
    pub confirmation: Secret,
    pub end_other_sessions: bool,
}

/// What is wrong with a new password, and at which field it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordProblem {
    Missing,
    Different,
    TooLong,
    Policy(Violation),
}

#[derive(Debug)]
pub enum PasswordOutcome {
    Moved(Move),
    Again { shown: Box<Shown>, problem: PasswordProblem },
}

pub async fn update_password(
    cx: &Cx,
    browser: &Browser,
    tab_id: &TabId,
    submitted: NewPassword,
) -> Result<PasswordOutcome, StoreError> {
    let ProvenTab { tab, client, user, mut known, .. } =
        match taken_at(cx, browser, tab_id, &submitted.form, &[PageStep::UpdatePassword]).await? {
            Ok(taken) => taken,
            Err(moved) => return Ok(PasswordOutcome::Moved(moved)),
        };
    // Who proved to be the user before the password that is there now was chosen does not put another in its place.
    if new_password::is_newer_than(cx, &user.id, proven_user::proved_at(&tab, &known)).await? {
        return Ok(PasswordOutcome::Moved(tab::start_over(cx, &tab, &client, Some("expiredActionMessage")).await?));
    }
    let password = match accept(cx, &user, &submitted).await? {
        Ok(password) => password,
        Err(None) => return Ok(PasswordOutcome::Moved(Move::error("tooManyRequestsMessage"))),
        Err(Some(problem)) => {
            return Ok(match show(cx, tab, client).await? {
                Ok(shown) => PasswordOutcome::Again { shown: Box::new(shown), problem },
                Err(moved) => PasswordOutcome::Moved(moved),
            });
        }
    };
    let done = Done {
        client: &client,
        who: &known,
        action: UPDATE_PASSWORD,
        event: EventKind::UpdatePassword,
        ends_other_sessions: submitted.end_other_sessions,
    };
    required_action::finish(cx, done, async |db| new_password::put(cx, db, &user.id, &password).await).await?;
    let Some(user) = cx.server.realms.read_user(cx.store(), &cx.snapshot().realm.id, &known.user_id).await? else {
        return Ok(PasswordOutcome::Moved(Move::error("invalidUserMessage")));
    };
    known.actions.retain(|action| action != UPDATE_PASSWORD);
    Ok(PasswordOutcome::Moved(sign_in::go_on(cx, browser, &client, &tab, &user, known).await?))
}

/// The password, or what is wrong with it; `None` if too many are being hashed.
async fn accept(cx: &Cx, user: &User, submitted: &NewPassword) -> Result<Result<Accepted, Option<PasswordProblem>>, StoreError> {
    let password = &submitted.password;
    if password.expose().is_empty() {
        return Ok(Err(Some(PasswordProblem::Missing)));
    }
    if !password.matches(submitted.confirmation.expose()) {
        return Ok(Err(Some(PasswordProblem::Different)));
    }
    let owner = Owner { id: Some(&user.id), username: &user.username, email: user.email.as_deref() };
    Ok(new_password::accept(cx, owner, password).await?.map_err(|refused| match refused {
        Refused::Empty => Some(PasswordProblem::Missing),
        Refused::TooLong => Some(PasswordProblem::TooLong),
        Refused::Policy(violation) => Some(PasswordProblem::Policy(violation)),
        Refused::Busy => None,
    }))
}
