//! The profile as its user changes it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::flow::admin::user::{fields, lock};
use crate::flow::context::Cx;
use crate::flow::{event, pending};
use crate::model::event::EventKind;
use crate::model::{User, UserId};
use crate::oidc::user_profile::{self, Editor};
use crate::oidc::user_rules::{self, Violation};
use crate::store::{self, Db, StoreError};

/// What a user sends: the whole profile, so what is missing is empty. Without attributes those that there are stay.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    pub username: Option<String>,
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub attributes: Option<BTreeMap<String, Vec<String>>>,
}

/// The fields that are no attributes.
const BASE: [&str; 4] = ["username", "email", "firstName", "lastName"];

/// Why nothing was changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// The user is gone, or switched off.
    NotFound,
    Invalid(Vec<Violation>),
    SameUsername,
    SameEmail,
}

pub async fn update(cx: &Cx, user: &User, profile: &Profile) -> Result<Result<(), Refusal>, StoreError> {
    let written = cx.store().in_tx(async |db| {
        if let Err(refusal) = put_in(cx, db, &user.id, profile).await? {
            return Ok(Err(refusal));
        }
        let mut updated = event::new(cx, EventKind::UpdateProfile);
        updated.user_id = Some(user.id.clone());
        event::record_in(cx, db, &updated).await?;
        Ok(Ok(()))
    });
    let written = named_conflict(written.await)?;
    cx.server.realms.read_user(cx.store(), &cx.snapshot().realm.id, &user.id).await?;
    Ok(written)
}

/// Writes the profile, in the transaction of what it belongs to.
pub(in crate::flow) async fn put_in(
    cx: &Cx,
    db: &mut Db<'_>,
    user: &UserId,
    profile: &Profile,
) -> Result<Result<(), Refusal>, StoreError> {
    let (realm, is_unique) = (&cx.snapshot().realm.id, !cx.settings().duplicate_emails_allowed);
    let Some(old) = lock(cx, db, user).await?.filter(|old| old.enabled) else { return Ok(Err(Refusal::NotFound)) };
    let changed = match apply(cx, &old, profile) {
        Ok(changed) => changed,
        Err(violations) => return Ok(Err(Refusal::Invalid(violations))),
    };
    // Names that stay are nobody's business: an administrator may have given them.
    if (&changed.username, &changed.email) != (&old.username, &old.email)
        && let Some(refusal) = taken(cx, db, &changed, Some(&old.id)).await?.refusal()
    {
        return Ok(Err(refusal));
    }
    store::user::update_user(db, realm, &changed, is_unique).await?;
    Ok(Ok(()))
}

/// What of a user's names another user has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::flow) struct Taken {
    pub email: bool,
    pub username: bool,
}

impl Taken {
    pub(in crate::flow) fn refusal(self) -> Option<Refusal> {
        self.email.then_some(Refusal::SameEmail).or(self.username.then_some(Refusal::SameUsername))
    }
}

/// Looks for other users with these names. Nobody takes another's address for a name, nor another's name for an address: where
/// people sign in by either, the other could not any more (CVE-2026-19607). In a transaction the answer holds until its end.
pub(in crate::flow) async fn taken(cx: &Cx, db: &mut Db<'_>, user: &User, except: Option<&UserId>) -> Result<Taken, StoreError> {
    let (realm, is_unique) = (&cx.snapshot().realm.id, !cx.settings().duplicate_emails_allowed);
    let email = user.email.as_deref();
    store::user_name::hold_names(db, realm, &user.username, email).await?;
    let (same_email, same_username) = store::user_name::find_taken(db, realm, &user.username, email, except).await?;
    let mut crossed = (false, false);
    if cx.settings().login_with_email_allowed && is_unique {
        crossed = store::user_name::find_taken(db, realm, email.unwrap_or_default(), Some(&user.username), except).await?;
    }
    Ok(Taken { email: same_email && is_unique || crossed.1, username: same_username || crossed.0 })
}

/// Two users who take a name at once: the database lets one have it.
pub(in crate::flow) fn named_conflict(
    written: Result<Result<(), Refusal>, StoreError>,
) -> Result<Result<(), Refusal>, StoreError> {
    match written {
        Err(error) if error.is_conflict(store::user::USERNAME_KEY) => Ok(Err(Refusal::SameUsername)),
        Err(error) if error.is_conflict(store::user::EMAIL_KEY) => Ok(Err(Refusal::SameEmail)),
        other => other,
    }
}

/// The user with the profile, if it is one that the user may have.
fn apply(cx: &Cx, old: &User, profile: &Profile) -> Result<User, Vec<Violation>> {
    let filled = |text: &Option<String>| text.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
    let realm = &cx.snapshot().realm;
    let mut user = old.clone();
    user.email = filled(&profile.email).map(|e| e.to_lowercase());
    user.first_name = filled(&profile.first_name);
    user.last_name = filled(&profile.last_name);
    user.email_verified = old.email_verified && user.email == old.email;
    if let Some(given) = &profile.attributes {
        user.attributes = user_rules::attributes(realm, Editor::User, &old.attributes, given);
    }
    let mut violations = kept_fields(cx, old, &mut user);
    if cx.settings().registration_email_as_username {
        user.username = user.email.clone().unwrap_or(user.username);
    } else if let Some(wanted) = filled(&profile.username).map(|n| n.to_lowercase()).filter(|n| *n != old.username) {
        if cx.settings().edit_username_allowed && may_edit(cx, "username") {
            user.username = wanted;
        } else {
            let read_only = ["error-user-attribute-read-only", "readOnlyUsernameMessage"];
            violations.extend(read_only.map(|message| Violation::new("username", message, Vec::<Value>::new())));
        }
    }
    let (before, now) = (fields(old), fields(&user));
    let mut found = user_rules::check(realm.user_profile.as_ref(), Editor::User, &now);
    // What was wrong before and is not the user's to change is no fault of this form.
    found
        .retain(|violation| pending::can_mend(cx, &violation.field) || before.get(&violation.field) != now.get(&violation.field));
    if profile.attributes.is_none() {
        // Who was not asked for an attribute is not told what is wrong with it.
        found.retain(|violation| !user.attributes.contains_key(&violation.field) && BASE.contains(&violation.field.as_str()));
    }
    violations.extend(found);
    if violations.is_empty() { Ok(user) } else { Err(violations) }
}

/// Fields that the profile does not let users write stay what they are.
fn kept_fields(cx: &Cx, old: &User, user: &mut User) -> Vec<Violation> {
    let fields = [
        ("email", &old.email, &mut user.email),
        ("firstName", &old.first_name, &mut user.first_name),
        ("lastName", &old.last_name, &mut user.last_name),
    ];
    let mut violations = Vec::new();
    for (name, before, after) in fields {
        if !may_edit(cx, name) {
            // A form that does not show the field does not send it.
            if after.is_some() && before != after {
                violations.push(Violation::new(name, "error-user-attribute-read-only", Vec::new()));
            }
            after.clone_from(before);
        }
    }
    violations
}

/// Whether the profile lets users write a field of their own; the profile that nobody edited does.
pub(in crate::flow) fn may_edit(cx: &Cx, field: &str) -> bool {
    let profile = cx.snapshot().realm.user_profile.as_ref();
    profile.is_none() || user_profile::may_edit(profile, Editor::User, field)
}
