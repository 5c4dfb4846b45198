//! Registration: a stranger becomes a user, and goes on with the sign-in that led here.
//!
//! The new user holds the default role and is in the default groups; the profile is held against the realm's user profile as one
//! that its user writes, the password against the realm's policy. That a name is taken is told: there is no form that takes a name
//! and does not tell.

use std::sync::Arc;

use serde_json::json;

use super::account::profile::{self, Profile, Refusal, named_conflict};
use super::admin::user::{blank, fields};
use super::browser::{Browser, Move};
use super::context::Cx;
use super::new_password::{self, Accepted, Owner, Refused};
use super::tab_page::{Shown, show, stale_form, tab_of, taken};
use super::update_password::PasswordProblem;
use super::{event, sign_in};
use crate::base::Secret;
use crate::model::authentication_session::{Authenticated, Progress, TabRequest};
use crate::model::event::EventKind;
use crate::model::{Client, TabId, User};
use crate::oidc::user_profile::Editor;
use crate::oidc::user_rules::{self, Violation};
use crate::store::{self, StoreError};

/// The form as it was sent.
#[derive(Clone, Debug)]
pub struct Registration {
    pub form: String,
    pub profile: Profile,
    pub password: Secret,
    pub confirmation: Secret,
}

/// What is wrong with a form, field by field.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    pub violations: Vec<Violation>,
    pub password: Option<PasswordProblem>,
}

#[derive(Debug)]
pub enum Outcome {
    Moved(Move),
    /// The form again, with what was sent, passwords left out.
    Again {
        shown: Box<Shown>,
        problems: Problems,
    },
}

const NOT_ALLOWED: &str = "registrationNotAllowedMessage";

/// The form, in a tab in which nobody has proved anything.
pub async fn open(cx: &Cx, browser: &Browser, tab_id: Option<&str>) -> Result<Result<Shown, Move>, StoreError> {
    if !cx.settings().registration_allowed {
        return Ok(Err(Move::error(NOT_ALLOWED)));
    }
    let (tab, client) = match tab_of(cx, browser, tab_id).await? {
        Ok(found) => found,
        Err(moved) => return Ok(Err(moved)),
    };
    match (&tab.request, &tab.progress) {
        (TabRequest::SignIn(_), Progress::Password { .. }) => show(cx, tab, client).await,
        _ => Ok(Err(stale_form(cx, browser, &tab, &client).await?)),
    }
}

pub async fn submit(cx: &Cx, browser: &Browser, tab_id: &TabId, sent: &Registration) -> Result<Outcome, StoreError> {
    if !cx.settings().registration_allowed {
        return Ok(Outcome::Moved(Move::error(NOT_ALLOWED)));
    }
    let (tab, client) = match taken(cx, browser, tab_id, &sent.form).await? {
        Ok(taken) => taken,
        Err(moved) => return Ok(Outcome::Moved(moved)),
    };
    let (TabRequest::SignIn(_), Progress::Password { .. }) = (&tab.request, &tab.progress) else {
        return Ok(Outcome::Moved(stale_form(cx, browser, &tab, &client).await?));
    };
    let user = match register(cx, &client, sent).await? {
        Ok(user) => user,
        Err(None) => return Ok(Outcome::Moved(Move::error("tooManyRequestsMessage"))),
        Err(Some(problems)) => {
            return Ok(match show(cx, tab, client).await? {
                Ok(shown) => Outcome::Again { shown: Box::new(shown), problems },
                Err(moved) => Outcome::Moved(moved),
            });
        }
    };
    let known = Authenticated {
        user_id: user.id.clone(),
        login_name: user.username.clone(),
        remember_me: false,
        auth_time: cx.now.unix_seconds(),
        level: 1,
        session: None,
        asked: Vec::new(),
        actions: Vec::new(),
        mailed: None,
    };
    Ok(Outcome::Moved(sign_in::go_on(cx, browser, &client, &tab, &user, known).await?))
}

/// Makes the user, or says what is wrong; `None` if too many passwords are being hashed.
async fn register(cx: &Cx, client: &Client, sent: &Registration) -> Result<Result<Arc<User>, Option<Problems>>, StoreError> {
    let user = new_user(cx, &sent.profile);
    let mut problems = Problems { violations: wrong_fields(cx, &user), password: wrong_password(cx, &user, sent) };
    if problems.violations.is_empty() {
        problems.violations = taken_names(cx, &user).await?;
    }
    if !problems.violations.is_empty() || problems.password.is_some() {
        return Ok(Err(Some(problems)));
    }
    // This takes long, and nobody has it done with a form that is wrong anyhow.
    let owner = Owner { id: None, username: &user.username, email: user.email.as_deref() };
    let password = match new_password::accept(cx, owner, &sent.password).await? {
        Ok(password) => password,
        Err(Refused::Busy) => return Ok(Err(None)),
        Err(Refused::Policy(broken)) => {
            let password = Some(PasswordProblem::Policy(broken));
            return Ok(Err(Some(Problems { password, ..Problems::default() })));
        }
        Err(Refused::Empty) => {
            return Ok(Err(Some(Problems { password: Some(PasswordProblem::Missing), ..Problems::default() })));
        }
        Err(Refused::TooLong) => {
            return Ok(Err(Some(Problems { password: Some(PasswordProblem::TooLong), ..Problems::default() })));
        }
    };
    let by_email = cx.settings().registration_email_as_username;
    match insert(cx, client, &user, &password).await? {
        Ok(()) => {}
        Err(Refusal::SameUsername) if !by_email => return Ok(Err(Some(same("username", "usernameExistsMessage").into()))),
        Err(_) => return Ok(Err(Some(same("email", "emailExistsMessage").into()))),
    }
    let made = cx.server.realms.read_user(cx.store(), &cx.snapshot().realm.id, &user.id).await?;
    Ok(made.ok_or_else(|| Some(same("username", "invalidUserMessage").into())))
}

fn same(field: &str, message: &'static str) -> Violation {
    Violation::new(field, message, Vec::new())
}

impl From<Violation> for Problems {
    fn from(violation: Violation) -> Self {
        Self { violations: vec![violation], password: None }
    }
}

fn new_user(cx: &Cx, sent: &Profile) -> User {
    let filled = |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let mut user = blank(cx);
    user.enabled = true;
    let by_email = cx.settings().registration_email_as_username;
    // What the profile does not let users write is not theirs to bring along either, but for the name that they sign in by.
    let written = |field: &str, text: &Option<String>| filled(text).filter(|_| profile::may_edit(cx, field));
    user.email = if by_email { filled(&sent.email) } else { written("email", &sent.email) }.map(|email| email.to_lowercase());
    user.first_name = written("firstName", &sent.first_name);
    user.last_name = written("lastName", &sent.last_name);
    user.username = match by_email {
        true => user.email.clone().unwrap_or_default(),
        false => filled(&sent.username).unwrap_or_default().to_lowercase(),
    };
    if let Some(given) = &sent.attributes {
        user.attributes = user_rules::attributes(&cx.snapshot().realm, Editor::User, &user.attributes, given);
    }
    user
}

fn wrong_fields(cx: &Cx, user: &User) -> Vec<Violation> {
    let by_email = cx.settings().registration_email_as_username;
    let mut wrong = user_rules::check(cx.snapshot().realm.user_profile.as_ref(), Editor::User, &fields(user));
    if by_email {
        // The address is the name: what is wrong is told once, where it was typed.
        wrong.retain(|violation| violation.field != "username");
        if user.email.is_none() && !wrong.iter().any(|violation| violation.field == "email") {
            wrong.push(same("email", "missingEmailMessage"));
        }
    } else if user.username.is_empty() {
        wrong.retain(|violation| violation.field != "username");
        wrong.push(same("username", "missingUsernameMessage"));
    }
    wrong
}

fn wrong_password(cx: &Cx, user: &User, sent: &Registration) -> Option<PasswordProblem> {
    let password = sent.password.expose();
    if password.is_empty() {
        return Some(PasswordProblem::Missing);
    }
    if !sent.password.matches(sent.confirmation.expose()) {
        return Some(PasswordProblem::Different);
    }
    let policy = &cx.realm.password_policy.policy;
    policy.check(password, &user.username, user.email.as_deref()).map(PasswordProblem::Policy)
}

/// Whether another user has the name or the address.
async fn taken_names(cx: &Cx, user: &User) -> Result<Vec<Violation>, StoreError> {
    let taken = profile::taken(cx, &mut cx.store().db().await?, user, None).await?;
    let by_email = cx.settings().registration_email_as_username;
    let mut told = Vec::new();
    if taken.username && !by_email {
        told.push(same("username", "usernameExistsMessage"));
    }
    if taken.email || taken.username && by_email {
        told.push(same("email", "emailExistsMessage"));
    }
    Ok(told)
}

async fn insert(cx: &Cx, client: &Client, user: &User, password: &Accepted) -> Result<Result<(), Refusal>, StoreError> {
    let realm = &cx.snapshot().realm;
    let written = cx.store().in_tx(async |db| {
        // Again: somebody may have taken a name while the password was hashed.
        if let Some(refusal) = profile::taken(cx, db, user, None).await?.refusal() {
            return Ok(Err(refusal));
        }
        store::user::insert_user(db, &realm.id, user, !cx.settings().duplicate_emails_allowed, &json!([])).await?;
        store::user::insert_role(db, &realm.id, &user.id, &realm.default_role).await?;
        for group in &realm.default_groups {
            store::user::insert_membership(db, &realm.id, &user.id, group).await?;
        }
        new_password::put(cx, db, &user.id, password).await?;
        let mut registered =
            event::new(cx, EventKind::Register).detail("register_method", "form").detail("username", user.username.as_str());
        event::put(&mut registered.details, "email", user.email.as_deref());
        registered.client_id = Some(client.client_id.to_string());
        registered.user_id = Some(user.id.clone());
        event::record_in(cx, db, &registered).await?;
        Ok(Ok(()))
    });
    named_conflict(written.await)
}
