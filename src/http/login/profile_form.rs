//! The fields of a profile on a form: which there are, what stands in them, and what was sent.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::flow::Cx;
use crate::flow::account::profile::Profile;
use crate::flow::pending;
use crate::model::User;
use crate::oidc::form::Parameters;
use crate::oidc::user_profile::{self, Editor, default_profile};
use crate::oidc::user_rules::Violation;
use crate::view::{FieldKind, Message, ProfileField};

/// What a form is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A user is made.
    Register,
    /// A user puts the own profile right.
    Update,
}

/// What stands in a form.
pub(super) struct Filled<'a> {
    pub profile: &'a Profile,
    pub violations: &'a [Violation],
}

/// What browsers fill in, and the keyboard of a phone.
const KNOWN: [(&str, &str, &str); 4] = [
    ("username", "username", "text"),
    ("email", "email", "email"),
    ("firstName", "given-name", "text"),
    ("lastName", "family-name", "text"),
];
/// Pages offer it, and no form asks for it.
const LANGUAGE: &str = "locale";

/// The profile that a form sends. What it does not show is not among it.
pub(super) fn read(cx: &Cx, form: &Parameters) -> Profile {
    let sent = |name: &str| form.get(name).map(str::to_owned);
    let mut attributes = BTreeMap::new();
    each(cx, |name, _| {
        let values: Vec<String> = form.all(name).map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned).collect();
        if name != LANGUAGE && KNOWN.iter().all(|(known, ..)| *known != name) {
            attributes.insert(name.to_owned(), values);
        }
    });
    Profile {
        username: sent("username"),
        email: sent("email"),
        first_name: sent("firstName"),
        last_name: sent("lastName"),
        attributes: Some(attributes),
    }
}

/// The profile as it is.
pub(super) fn of_user(user: &User) -> Profile {
    Profile {
        username: Some(user.username.clone()),
        email: user.email.clone(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        attributes: Some(user.attributes.clone()),
    }
}

fn each(cx: &Cx, mut visit: impl FnMut(&str, &Value)) {
    let default = default_profile();
    let profile = cx.snapshot().realm.user_profile.as_ref().unwrap_or(&default);
    for attribute in profile.get("attributes").and_then(Value::as_array).into_iter().flatten() {
        if let Some(name) = attribute.get("name").and_then(Value::as_str) {
            visit(name, attribute);
        }
    }
}

/// The fields, in the profile's order; on a form for new users the name that they will sign in by comes first.
pub(super) fn fields(cx: &Cx, purpose: Purpose, filled: &Filled<'_>) -> Vec<ProfileField> {
    let mut fields = Vec::new();
    each(cx, |name, attribute| fields.extend(field(cx, purpose, filled, (name, attribute))));
    if purpose == Purpose::Register {
        let sign_in_name = if cx.settings().registration_email_as_username { "email" } else { "username" };
        fields.sort_by_key(|field: &ProfileField| field.name != sign_in_name);
    }
    // The first that has to be looked at, else the first.
    let at = fields.iter().position(|field| field.error.is_some()).unwrap_or(0);
    if let Some(field) = fields.get_mut(at) {
        field.autofocus = true;
    }
    fields
}

fn field(cx: &Cx, purpose: Purpose, filled: &Filled<'_>, (name, attribute): (&str, &Value)) -> Option<ProfileField> {
    let (profile, settings) = (cx.snapshot().realm.user_profile.as_ref(), cx.settings());
    let registers = purpose == Purpose::Register;
    let by_email = settings.registration_email_as_username;
    let is_name = name == if by_email { "email" } else { "username" };
    let may_write = if registers {
        is_name || name != "username" && (profile.is_none() || user_profile::may_edit(profile, Editor::User, name))
    } else {
        pending::may_change(cx, name)
    };
    let is_shown = match (name, registers) {
        ("username", true) => !by_email,
        ("username", false) => may_write,
        (LANGUAGE, _) => false,
        (_, true) => may_write,
        (_, false) => may_write || profile.is_some() && user_profile::users_may_view(profile, name),
    };
    if !is_shown {
        return None;
    }
    let (autocomplete, keyboard) =
        KNOWN.iter().find(|(known, ..)| *known == name).map_or(("off", "text"), |(_, complete, keys)| (complete, keys));
    let is_many = attribute.get("multivalued").and_then(Value::as_bool).unwrap_or(false);
    let options = options(attribute);
    let kind = kind(attribute, is_many, &options);
    Some(ProfileField {
        name: name.to_owned(),
        label: attribute.get("displayName").and_then(Value::as_str).filter(|t| !t.is_empty()).unwrap_or(name).to_owned(),
        kind,
        values: values(filled.profile, name, is_many && kind == FieldKind::Text && may_write),
        options,
        autocomplete,
        keyboard,
        required: is_name || user_profile::is_required_of(Editor::User, attribute),
        read_only: !may_write,
        autofocus: false,
        error: filled.violations.iter().find(|v| v.field == name).map(|v| Message::new(v.message)),
    })
}

fn options(attribute: &Value) -> Vec<String> {
    let listed = attribute.pointer("/validations/options/options").and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// How a value is typed: the annotation `inputType` says so (Keycloak).
fn kind(attribute: &Value, is_many: bool, options: &[String]) -> FieldKind {
    let annotation = attribute.pointer("/annotations/inputType").and_then(Value::as_str).unwrap_or_default();
    match annotation {
        "textarea" if !is_many => FieldKind::Lines,
        kind if kind.starts_with("select") && !is_many && !options.is_empty() => FieldKind::Choice,
        _ => FieldKind::Text,
    }
}

/// The values, each in its place; where there may be several, there is a place for one more.
fn values(profile: &Profile, name: &str, one_more: bool) -> Vec<String> {
    let single = |value: &Option<String>| vec![value.clone().unwrap_or_default()];
    match name {
        "username" => return single(&profile.username),
        "email" => return single(&profile.email),
        "firstName" => return single(&profile.first_name),
        "lastName" => return single(&profile.last_name),
        _ => {}
    }
    let mut values = profile.attributes.as_ref().and_then(|all| all.get(name)).cloned().unwrap_or_default();
    if one_more || values.is_empty() {
        values.push(String::new());
    }
    values
}
