//! Users as an administrator makes, changes and deletes them.
//!
//! Every write locks the user's row first and bumps its version, so that two changes at once do not undo each other and no
//! decision is taken on what was before. What a user may be called and may have stands in `oidc::user_rules`.

use std::collections::BTreeMap;

use serde_json::json;

use super::user_password::{NewPassword, PasswordRefusal, accept_all, accept_of, ask_for_change};
use crate::flow::admin_event::{Change, note};
use crate::flow::brute_force;
use crate::flow::context::Cx;
use crate::flow::new_password::{self, Owner};
use crate::model::admin_event::ResourceType;
use crate::model::login_failure::DISABLED_REASON;
use crate::model::user::UPDATE_PASSWORD;
use crate::model::{GroupId, User, UserId};
use crate::oidc::user_profile::Editor;
use crate::oidc::user_rules::{self, Violation};
use crate::store::{self, Db, StoreError};

/// What an administrator sets; none leaves the place as it is.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    pub username: Option<String>,
    pub email: Option<String>,
    pub email_verified: Option<bool>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub enabled: Option<bool>,
    pub attributes: Option<BTreeMap<String, Vec<String>>>,
    pub required_actions: Option<Vec<String>>,
    pub passwords: Vec<NewPassword>,
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    NotFound,
    NameMissing,
    SameUsername,
    SameEmail,
    Invalid(Vec<Violation>),
    Password(PasswordRefusal),
}

/// What a user can be asked to do; Keycloak drops other names without a word.
const REQUIRED_ACTIONS: [&str; 14] = [
    UPDATE_PASSWORD,
    "CONFIGURE_RECOVERY_AUTHN_CODES",
    "CONFIGURE_TOTP",
    "TERMS_AND_CONDITIONS",
    "UPDATE_EMAIL",
    "UPDATE_PROFILE",
    "VERIFY_EMAIL",
    "VERIFY_PROFILE",
    "delete_account",
    "delete_credential",
    "idp_link",
    "update_user_locale",
    "webauthn-register",
    "webauthn-register-passwordless",
];

/// What new users of the realm are asked to do.
fn asked_of_new(cx: &Cx) -> Vec<String> {
    let actions = cx.settings().required_actions.iter().filter(|action| action.enabled && action.default_action);
    actions.map(|action| action.alias.clone()).collect()
}

/// Makes a user who holds the default role and is in the default groups and in these.
pub async fn create(cx: &Cx, change: &UserChange, groups: &[GroupId]) -> Result<Result<UserId, Refusal>, StoreError> {
    let mut user = blank(cx);
    put_fields(cx, &mut user, change);
    if cx.settings().registration_email_as_username {
        let Some(email) = user.email.clone() else {
            return Ok(Err(Refusal::Invalid(vec![Violation::new("email", "error-user-attribute-required", Vec::new())])));
        };
        user.username = email;
    } else {
        user.username = filled(change.username.as_deref()).map(str::to_lowercase).unwrap_or_default();
    }
    if user.username.is_empty() {
        return Ok(Err(Refusal::NameMissing));
    }
    let taken = store_taken(cx, &mut cx.store().db().await?, &user, None).await?;
    if let Some(refusal) = taken.or_else(|| invalid(cx, &user, None)) {
        return Ok(Err(refusal));
    }
    let owner = Owner { id: None, username: &user.username, email: user.email.as_deref() };
    let passwords = match accept_all(cx, owner, &change.passwords).await? {
        Ok(passwords) => passwords,
        Err(refusal) => return Ok(Err(Refusal::Password(refusal))),
    };
    if change.passwords.last().is_some_and(|p| p.temporary) {
        ask_for_change(&mut user, true);
    }
    let realm = &cx.snapshot().realm;
    let written = cx.store().in_tx(async |db| {
        store::user::insert_user(db, &realm.id, &user, !cx.settings().duplicate_emails_allowed, &json!([])).await?;
        store::user::insert_role(db, &realm.id, &user.id, &realm.default_role).await?;
        for group in realm.default_groups.iter().chain(groups) {
            store::user::insert_membership(db, &realm.id, &user.id, group).await?;
        }
        for password in &passwords {
            new_password::put(cx, db, &user.id, password).await?;
        }
        note(cx, db, Change::create(ResourceType::User, user.id.as_str())).await
    });
    Ok(match named_conflict(written.await)? {
        Ok(()) => Ok(user.id),
        Err(refusal) => Err(refusal),
    })
}

pub async fn update(cx: &Cx, id: &UserId, change: &UserChange) -> Result<Result<(), Refusal>, StoreError> {
    let realm = &cx.snapshot().realm.id;
    // Before the row is locked: it takes long.
    let passwords = match accept_of(cx, id, &change.passwords).await? {
        Ok(passwords) => passwords,
        Err(refusal) => return Ok(Err(Refusal::Password(refusal))),
    };
    let written = cx.store().in_tx(async |db| {
        let Some(old) = lock(cx, db, id).await? else { return Ok(Err(Refusal::NotFound)) };
        let mut user = old.clone();
        put_fields(cx, &mut user, change);
        let wanted = filled(change.username.as_deref()).map(str::to_lowercase);
        if cx.settings().registration_email_as_username {
            user.username = user.email.clone().unwrap_or(user.username);
        } else if let Some(name) = wanted {
            user.username = name;
        }
        unlock(cx, db, &old, &mut user).await?;
        if let Some(refusal) = store_taken(cx, db, &user, Some(id)).await? {
            return Ok(Err(refusal));
        }
        let renames = user.username != old.username && !cx.settings().registration_email_as_username;
        if renames && !cx.settings().edit_username_allowed {
            let read_only = Violation::new("username", "error-user-attribute-read-only", Vec::new());
            return Ok(Err(Refusal::Invalid(vec![read_only])));
        }
        if let Some(refusal) = invalid(cx, &user, Some(&old)) {
            return Ok(Err(refusal));
        }
        if let Some(last) = change.passwords.last() {
            ask_for_change(&mut user, last.temporary);
        }
        store::user::update_user(db, realm, &user, !cx.settings().duplicate_emails_allowed).await?;
        for password in &passwords {
            new_password::put(cx, db, id, password).await?;
        }
        note(cx, db, Change::update(ResourceType::User)).await?;
        Ok(Ok(()))
    });
    let written = named_conflict(written.await)?.and_then(|inner| inner);
    cx.server.realms.read_user(cx.store(), realm, id).await?;
    Ok(written)
}

/// Who is enabled after too many wrong passwords begins anew.
async fn unlock(cx: &Cx, db: &mut Db<'_>, old: &User, user: &mut User) -> Result<(), StoreError> {
    if !user.enabled || !brute_force::is_locked_for_good(old) {
        return Ok(());
    }
    user.attributes.remove(DISABLED_REASON);
    store::login_failure::delete_failures(db, &cx.snapshot().realm.id, &old.id).await?;
    note(cx, db, Change::delete(ResourceType::UserLoginFailure)).await
}

pub async fn delete(cx: &Cx, id: &UserId) -> Result<bool, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let deleted = cx.store().in_tx(async |db| {
        let Some(user) = lock(cx, db, id).await? else { return Ok(false) };
        store::user::delete_user(db, realm, id).await?;
        let shown = json!({"id": user.id, "username": user.username});
        note(cx, db, Change::delete(ResourceType::User).showing(shown)).await?;
        Ok(true)
    });
    let deleted = deleted.await?;
    cx.server.realms.read_user(cx.store(), realm, id).await?;
    Ok(deleted)
}

/// Sets a password. The user's sessions go on.
pub async fn reset_password(cx: &Cx, id: &UserId, password: &NewPassword) -> Result<Result<(), Refusal>, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let accepted = match accept_of(cx, id, std::slice::from_ref(password)).await? {
        Ok(accepted) => accepted,
        Err(refusal) => return Ok(Err(Refusal::Password(refusal))),
    };
    let written = cx.store().in_tx(async |db| {
        let Some(mut user) = lock(cx, db, id).await? else { return Ok(Err(Refusal::NotFound)) };
        ask_for_change(&mut user, password.temporary);
        store::user::update_user(db, realm, &user, !cx.settings().duplicate_emails_allowed).await?;
        for password in &accepted {
            new_password::put(cx, db, id, password).await?;
        }
        note(cx, db, Change::action(ResourceType::User)).await?;
        Ok(Ok(()))
    });
    let written = written.await?;
    cx.server.realms.read_user(cx.store(), realm, id).await?;
    Ok(written)
}

/// Writes to what a user holds, with the version bumped; false if there is no such user.
pub async fn write(
    cx: &Cx,
    id: &UserId,
    work: impl AsyncFnOnce(&mut Db<'_>) -> Result<(), StoreError>,
) -> Result<bool, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let written = cx.store().in_tx(async |db| {
        let is_there = store::user::touch(db, realm, id).await?;
        if is_there {
            work(db).await?;
        }
        Ok(is_there)
    });
    let written = written.await?;
    cx.server.realms.read_user(cx.store(), realm, id).await?;
    Ok(written)
}

/// The user as it is, and nobody else may change it before this transaction ends.
pub async fn lock(cx: &Cx, db: &mut Db<'_>, id: &UserId) -> Result<Option<User>, StoreError> {
    let realm = &cx.snapshot().realm.id;
    if !store::user::touch(db, realm, id).await? {
        return Ok(None);
    }
    store::user::find_user(db, realm, id).await
}

/// A user without anything yet.
pub fn blank(cx: &Cx) -> User {
    User {
        id: UserId::new(cx.entropy().uuid()),
        username: String::new(),
        email: None,
        email_verified: false,
        first_name: None,
        last_name: None,
        enabled: false,
        not_before: 0,
        version: 0,
        attributes: BTreeMap::new(),
        required_actions: asked_of_new(cx),
        service_account_of: None,
        created_at: cx.now,
        roles: Vec::new(),
        groups: Vec::new(),
        consents: Vec::new(),
    }
}

/// Everything but the name. An empty text empties its field.
fn put_fields(cx: &Cx, user: &mut User, change: &UserChange) {
    let put = |place: &mut Option<String>, name: &str, given: Option<&String>| {
        let within = change.attributes.as_ref().map(|a| a.get(name).and_then(|values| values.first()));
        match (given, within) {
            (Some(given), _) | (None, Some(Some(given))) => *place = filled(Some(given)).map(str::to_owned),
            // Keycloak empties these where a body has `attributes` and does not name them; here nothing goes unasked.
            (None, _) => {}
        }
    };
    put(&mut user.email, "email", change.email.as_ref());
    put(&mut user.first_name, "firstName", change.first_name.as_ref());
    put(&mut user.last_name, "lastName", change.last_name.as_ref());
    user.email = user.email.take().map(|e| e.trim().to_lowercase());
    user.email_verified = change.email_verified.unwrap_or(user.email_verified);
    user.enabled = change.enabled.unwrap_or(user.enabled);
    if let Some(given) = &change.attributes {
        user.attributes = user_rules::attributes(&cx.snapshot().realm, Editor::Administrator, &user.attributes, given);
    }
    if let Some(actions) = &change.required_actions {
        user.required_actions = actions.iter().filter(|a| REQUIRED_ACTIONS.contains(&a.as_str())).cloned().collect();
    }
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|t| !t.is_empty())
}

/// What the profile says against the user; of a change only what is new can be wrong.
fn invalid(cx: &Cx, user: &User, old: Option<&User>) -> Option<Refusal> {
    if user.service_account_of.is_some() {
        return None;
    }
    let before = old.map(fields).unwrap_or_default();
    let now = fields(user);
    let mut violations = user_rules::check(cx.snapshot().realm.user_profile.as_ref(), Editor::Administrator, &now);
    violations.retain(|v| old.is_none() || before.get(&v.field) != now.get(&v.field));
    if violations.is_empty() { None } else { Some(Refusal::Invalid(violations)) }
}

/// The fields and attributes of a user, as the profile names them.
pub fn fields(user: &User) -> BTreeMap<String, Vec<String>> {
    let mut all = user.attributes.clone();
    all.insert("username".to_owned(), vec![user.username.clone()]);
    for (name, value) in [("email", &user.email), ("firstName", &user.first_name), ("lastName", &user.last_name)] {
        if let Some(value) = value {
            all.insert(name.to_owned(), vec![value.clone()]);
        }
    }
    all
}

/// Whether another user has the address or the name. Two requests at once may both see nobody; then the database refuses one.
async fn store_taken(cx: &Cx, db: &mut Db<'_>, user: &User, own: Option<&UserId>) -> Result<Option<Refusal>, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let (email, username) = store::user_name::find_taken(db, realm, &user.username, user.email.as_deref(), own).await?;
    Ok(if email && !cx.settings().duplicate_emails_allowed {
        Some(Refusal::SameEmail)
    } else {
        username.then_some(Refusal::SameUsername)
    })
}

fn named_conflict<T>(written: Result<T, StoreError>) -> Result<Result<T, Refusal>, StoreError> {
    match written {
        Ok(value) => Ok(Ok(value)),
        Err(error) if error.is_conflict(store::user::USERNAME_KEY) => Ok(Err(Refusal::SameUsername)),
        Err(error) if error.is_conflict(store::user::EMAIL_KEY) => Ok(Err(Refusal::SameEmail)),
        Err(error) => Err(error),
    }
}
