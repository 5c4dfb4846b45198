//! The required action "update password": what a browser sends, and what becomes of it.

use super::browser::{Browser, Move, PageStep};
use super::context::Cx;
use super::login::{Shown, show, stale_form, taken};
use super::new_password::{self, Accepted, Owner, Refused};
use super::required_action::{self, Done};
use super::{pending, sign_in};
use crate::base::Secret;
use crate::model::authentication_session::Progress;
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
    let (tab, client) = match taken(cx, browser, tab_id, &submitted.form).await? {
        Ok(taken) => taken,
        Err(moved) => return Ok(PasswordOutcome::Moved(moved)),
    };
    let Progress::Authenticated(mut authenticated) = tab.progress.clone() else {
        return Ok(PasswordOutcome::Moved(stale_form(cx, browser, &tab, &client).await?));
    };
    let realm = &cx.snapshot().realm.id;
    let user = cx.server.realms.read_user(cx.store(), realm, &authenticated.user_id).await?;
    // The code of another page of the tab does not change a password, and neither does who was not asked to.
    let is_asked = |user: &User| pending::next(cx, user, &authenticated.actions) == Some(PageStep::UpdatePassword);
    let Some(user) = user.filter(|user| is_asked(user)) else {
        return Ok(PasswordOutcome::Moved(stale_form(cx, browser, &tab, &client).await?));
    };
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
        who: &authenticated,
        action: UPDATE_PASSWORD,
        event: EventKind::UpdatePassword,
        ends_other_sessions: submitted.end_other_sessions,
    };
    required_action::finish(cx, done, async |db| new_password::put(cx, db, &user.id, &password).await).await?;
    let Some(user) = cx.server.realms.read_user(cx.store(), realm, &authenticated.user_id).await? else {
        return Ok(PasswordOutcome::Moved(Move::error("invalidUserMessage")));
    };
    authenticated.actions.retain(|action| action != UPDATE_PASSWORD);
    Ok(PasswordOutcome::Moved(sign_in::go_on(cx, browser, &client, &tab, &user, authenticated).await?))
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
