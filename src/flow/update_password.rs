//! The required action "update password": what a browser sends, and what becomes of it.

use super::browser::{Browser, Move, PageStep};
use super::context::Cx;
use super::login::{Shown, show, stale_form, tab_of};
use super::new_password::{self, Accepted, Owner, Refused};
use super::{event, logout_notice, other_sessions, sign_in, tab};
use crate::base::Secret;
use crate::model::authentication_session::{Authenticated, Progress};
use crate::model::event::EventKind;
use crate::model::user::UPDATE_PASSWORD;
use crate::model::{Client, TabId, User};
use crate::oidc::password_policy::Violation;
use crate::store::{self, StoreError};

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
    let (tab, client) = match tab_of(cx, browser, Some(tab_id.as_str())).await? {
        Ok(found) => found,
        Err(moved) => return Ok(PasswordOutcome::Moved(moved)),
    };
    let Some(tab) = tab::take(cx, browser, &tab.tab, &submitted.form).await? else {
        return Ok(PasswordOutcome::Moved(stale_form(cx, browser, &tab, &client).await?));
    };
    if tab.expires_at <= cx.now {
        return Ok(PasswordOutcome::Moved(tab::start_over(cx, &tab, &client, Some("loginTimeout")).await?));
    }
    let Progress::Authenticated(authenticated) = tab.progress.clone() else {
        return Ok(PasswordOutcome::Moved(stale_form(cx, browser, &tab, &client).await?));
    };
    let realm = &cx.snapshot().realm.id;
    let user = cx.server.realms.read_user(cx.store(), realm, &authenticated.user_id).await?;
    // The code of another page of the tab does not change a password, and neither does who was not asked to.
    let Some(user) = user.filter(|user| sign_in::pending_action(user) == Some(PageStep::UpdatePassword)) else {
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
    set_password(cx, &client, &authenticated, &password, submitted.end_other_sessions).await?;
    let Some(user) = cx.server.realms.read_user(cx.store(), realm, &authenticated.user_id).await? else {
        return Ok(PasswordOutcome::Moved(Move::error("invalidUserMessage")));
    };
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

async fn set_password(
    cx: &Cx,
    client: &Client,
    authenticated: &Authenticated,
    password: &Accepted,
    end_other_sessions: bool,
) -> Result<(), StoreError> {
    let realm = &cx.snapshot().realm.id;
    let user_id = &authenticated.user_id;
    let changed = cx.store().in_tx(async |db| {
        store::user::delete_required_action(db, realm, user_id, UPDATE_PASSWORD).await?;
        new_password::put(cx, db, user_id, password).await?;
        let told = if end_other_sessions { other_sessions::end(cx, db, authenticated).await? } else { Vec::new() };
        let mut changed = event::new(cx, EventKind::UpdatePassword).detail("custom_required_action", UPDATE_PASSWORD);
        changed.client_id = Some(client.client_id.to_string());
        changed.user_id = Some(user_id.clone());
        event::record_in(cx, db, &changed).await?;
        logout_notice::write(cx, db, &told).await
    });
    logout_notice::send(cx, changed.await?).await;
    Ok(())
}
