//! The required actions "update profile" and "verify profile": the same form, asked for by an administrator or by a profile that is
//! not as the realm wants it.

use super::account::profile::{self, Profile, Refusal};
use super::browser::{Browser, Move, PageStep};
use super::context::Cx;
use super::tab_page::{ProvenTab, Shown, show, taken_at};
use super::{event, sign_in};
use crate::model::event::EventKind;
use crate::model::user::{UPDATE_PROFILE, VERIFY_PROFILE};
use crate::model::{TabId, User, UserId};
use crate::oidc::user_rules::Violation;
use crate::store::{self, StoreError};

#[derive(Debug)]
pub enum Outcome {
    Moved(Move),
    /// The form again, with what was sent.
    Again {
        shown: Box<Shown>,
        violations: Vec<Violation>,
    },
}

pub async fn submit(cx: &Cx, browser: &Browser, tab_id: &TabId, form: &str, sent: &Profile) -> Result<Outcome, StoreError> {
    let steps = [PageStep::UpdateProfile, PageStep::VerifyProfile];
    let ProvenTab { tab, client, user, mut known, step } = match taken_at(cx, browser, tab_id, form, &steps).await? {
        Ok(taken) => taken,
        Err(moved) => return Ok(Outcome::Moved(moved)),
    };
    let kind = if step == PageStep::UpdateProfile { EventKind::UpdateProfile } else { EventKind::VerifyProfile };
    let violations = match put(cx, &user.id, &completed(&user, sent), kind).await? {
        Ok(()) => Vec::new(),
        Err(Refusal::NotFound) => return Ok(Outcome::Moved(Move::error("accountDisabledMessage"))),
        Err(Refusal::Invalid(violations)) => violations,
        Err(Refusal::SameUsername) => vec![Violation::new("username", "usernameExistsMessage", Vec::new())],
        Err(Refusal::SameEmail) => vec![Violation::new("email", "emailExistsMessage", Vec::new())],
    };
    if !violations.is_empty() {
        return Ok(match show(cx, tab, client).await? {
            Ok(shown) => Outcome::Again { shown: Box::new(shown), violations },
            Err(moved) => Outcome::Moved(moved),
        });
    }
    let Some(user) = cx.server.realms.read_user(cx.store(), &cx.snapshot().realm.id, &known.user_id).await? else {
        return Ok(Outcome::Moved(Move::error("invalidUserMessage")));
    };
    known.actions.retain(|action| ![UPDATE_PROFILE, VERIFY_PROFILE].contains(&action.as_str()));
    Ok(Outcome::Moved(sign_in::go_on(cx, browser, &client, &tab, &user, known).await?))
}

/// What the form does not ask for stays as it is.
fn completed(user: &User, sent: &Profile) -> Profile {
    let mut attributes = sent.attributes.clone().unwrap_or_default();
    for (name, values) in &user.attributes {
        attributes.entry(name.clone()).or_insert_with(|| values.clone());
    }
    Profile { attributes: Some(attributes), ..sent.clone() }
}

async fn put(cx: &Cx, user: &UserId, profile: &Profile, kind: EventKind) -> Result<Result<(), Refusal>, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let written = cx.store().in_tx(async |db| {
        if let Err(refusal) = profile::put_in(cx, db, user, profile).await? {
            return Ok(Err(refusal));
        }
        for action in [UPDATE_PROFILE, VERIFY_PROFILE] {
            store::user::delete_required_action(db, realm, user, action).await?;
        }
        let mut updated = event::new(cx, kind);
        updated.user_id = Some(user.clone());
        event::record_in(cx, db, &updated).await?;
        Ok(Ok(()))
    });
    profile::named_conflict(written.await)
}
