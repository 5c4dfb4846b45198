//! The form for the one-time code: what a browser sends, and what becomes of it.

use super::browser::{Browser, Move};
use super::context::Cx;
use super::login::record_failure;
use super::second_factor::{self, Checked};
use super::tab_page::{Shown, show, stale_form, taken};
use super::{proven_user, sign_in};
use crate::base::Secret;
use crate::model::TabId;
use crate::model::authentication_session::Progress;
use crate::store::StoreError;

#[derive(Clone, Debug)]
pub struct SubmittedCode {
    pub form: String,
    pub code: Secret,
    /// The device that the code is of, where the user has several.
    pub device: Option<String>,
}

#[derive(Debug)]
pub enum CodeOutcome {
    Moved(Move),
    /// The form again: the code was wrong.
    Again(Box<Shown>),
}

pub async fn submit(cx: &Cx, browser: &Browser, tab_id: &TabId, submitted: SubmittedCode) -> Result<CodeOutcome, StoreError> {
    let (tab, client) = match taken(cx, browser, tab_id, &submitted.form).await? {
        Ok(taken) => taken,
        Err(moved) => return Ok(CodeOutcome::Moved(moved)),
    };
    let Progress::OneTimeCode(authenticated) = tab.progress.clone() else {
        return Ok(CodeOutcome::Moved(stale_form(cx, browser, &tab, &client).await?));
    };
    let user = match proven_user::admitted(cx, &tab, &client, &authenticated).await? {
        Ok(user) => user,
        Err(moved) => return Ok(CodeOutcome::Moved(moved)),
    };
    let code = submitted.code.expose().trim();
    let devices = second_factor::devices(cx, &user).await?;
    let error = match second_factor::check(cx, &user, &devices, submitted.device.as_deref(), code).await? {
        Checked::Right(proof) if second_factor::take(cx, &mut cx.store().db().await?, &user, &proof).await? => {
            let moved = sign_in::go_on(cx, browser, &client, &tab, &user, authenticated).await?;
            return Ok(CodeOutcome::Moved(moved));
        }
        Checked::Right(_) | Checked::Wrong => "invalid_user_credentials",
        Checked::Locked(lock) => lock.event_error(),
    };
    record_failure(cx, &client, &authenticated.login_name, error).await?;
    Ok(match show(cx, tab, client).await? {
        Ok(shown) => CodeOutcome::Again(Box::new(shown)),
        Err(moved) => CodeOutcome::Moved(moved),
    })
}
