//! What the user profile asks of a user's fields: lengths, characters, e-mail addresses (Keycloak: validators of the declarative
//! user profile). What only users have to fill in may stay empty when an administrator writes.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::user_profile::{self, Editor, default_profile};
use crate::model::Realm;

/// A field that does not fit. `message` and `params` are Keycloak's.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    pub field: String,
    pub message: &'static str,
    pub params: Vec<Value>,
}

impl Violation {
    pub fn new(field: &str, message: &'static str, more: Vec<Value>) -> Self {
        let params = std::iter::once(json!(field)).chain(more).collect();
        Self { field: field.to_owned(), message, params }
    }
}

/// The fields of a user that are no attributes.
const FIELDS: [&str; 4] = ["username", "email", "firstName", "lastName"];

/// Letters of the Latin alphabet, and what belongs to none.
static LATIN: LazyLock<fancy_regex::Regex> =
    LazyLock::new(|| fancy_regex::Regex::new(r"\A[\p{Latin}\p{Common}\p{Inherited}]*\z").expect("a pattern of scripts"));

/// Longest value of an attribute that the profile does not name.
const MAX_UNMANAGED: usize = 2_048;

/// Everything that is wrong with these fields; `username`, `email`, `firstName` and `lastName` are among them.
pub fn check(profile: Option<&Value>, editor: Editor, fields: &BTreeMap<String, Vec<String>>) -> Vec<Violation> {
    let default = default_profile();
    let profile = profile.unwrap_or(&default);
    let attributes: Vec<&Value> = profile.get("attributes").and_then(Value::as_array).into_iter().flatten().collect();
    let named = |name: &str| attributes.iter().copied().find(|a| a.get("name").and_then(Value::as_str) == Some(name));
    let mut found = Vec::new();
    for (name, values) in fields {
        let Some(attribute) = named(name) else {
            if values.iter().any(|v| v.chars().count() > MAX_UNMANAGED) {
                found.push(Violation::new(name, "error-invalid-length", vec![json!(0), json!(MAX_UNMANAGED)]));
            }
            continue;
        };
        let validations = attribute.get("validations").and_then(Value::as_object);
        for value in values.iter().filter(|v| !v.is_empty()) {
            for (validator, config) in validations.into_iter().flatten() {
                found.extend(validate(validator, config, name, value));
            }
        }
    }
    for attribute in attributes.iter().filter(|a| user_profile::is_required_of(editor, a)) {
        let name = attribute.get("name").and_then(Value::as_str).unwrap_or_default();
        if fields.get(name).is_none_or(|values| values.iter().all(|v| v.trim().is_empty())) {
            found.push(Violation::new(name, "error-user-attribute-required", Vec::new()));
        }
    }
    found
}

fn validate(validator: &str, config: &Value, field: &str, value: &str) -> Option<Violation> {
    let fails = |is_wrong: bool, message: &'static str, more: Vec<Value>| is_wrong.then(|| Violation::new(field, message, more));
    match validator {
        "length" => length(config, field, value),
        "email" => fails(!is_email(value), "error-invalid-email", vec![json!(value)]),
        "username-prohibited-characters" => {
            let is_wrong = value.chars().any(|c| c.is_whitespace() || "&`,:".contains(c) || is_prohibited(c));
            fails(is_wrong, "error-username-invalid-character", Vec::new())
        }
        // A letter of another alphabet looks like one of this.
        "up-username-not-idn-homograph" => {
            let is_wrong = !LATIN.is_match(value).unwrap_or(false);
            fails(is_wrong, "error-username-invalid-character", Vec::new())
        }
        "person-name-prohibited-characters" => {
            fails(value.chars().any(is_prohibited), "error-person-name-invalid-character", Vec::new())
        }
        "options" => {
            let options = config.get("options").and_then(Value::as_array);
            let is_known = options.is_none_or(|o| o.iter().any(|o| o.as_str() == Some(value)));
            fails(!is_known, "error-invalid-value", Vec::new())
        }
        _ => None,
    }
}

fn is_prohibited(c: char) -> bool {
    c.is_control() || "<>&\"$%!#?§;*~/\\|^=[]{}()".contains(c)
}

fn length(config: &Value, field: &str, value: &str) -> Option<Violation> {
    let bound = |name: &str| {
        let given = config.get(name)?;
        given.as_u64().or_else(|| given.as_str()?.trim().parse().ok())
    };
    let (min, max) = (bound("min"), bound("max"));
    let length = u64::try_from(value.trim().chars().count()).unwrap_or(u64::MAX);
    if min.is_none_or(|min| length >= min) && max.is_none_or(|max| length <= max) {
        return None;
    }
    let message = match (min, max) {
        (None, _) => "error-invalid-length-too-long",
        (_, None) => "error-invalid-length-too-short",
        _ => "error-invalid-length",
    };
    Some(Violation::new(field, message, vec![json!(min), json!(max)]))
}

/// One `@` between a local part of at most 64 characters and a domain, nothing blank, no markup.
fn is_email(value: &str) -> bool {
    let Some((local, domain)) = value.rsplit_once('@') else { return false };
    let is_plain = |text: &str| !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"@".contains(c));
    let dots_fit = |text: &str| !text.starts_with('.') && !text.ends_with('.') && !text.contains("..");
    let fits = |text: &str| !text.is_empty() && is_plain(text) && dots_fit(text);
    fits(local) && fits(domain) && local.chars().count() <= 64 && !domain.starts_with('-') && !domain.ends_with('-')
}

/// The attributes that are given, as far as the profile lets the editor write them. The others stay: who cannot see an
/// attribute cannot mean to delete it.
pub fn attributes(
    realm: &Realm,
    editor: Editor,
    old: &BTreeMap<String, Vec<String>>,
    given: &BTreeMap<String, Vec<String>>,
) -> BTreeMap<String, Vec<String>> {
    let profile = realm.user_profile.as_ref();
    // A user has a language only where the realm has more than one.
    let has_languages = realm.document.get("internationalizationEnabled") == Some(&Value::Bool(true));
    let is_writable = |name: &str| (name != "locale" || has_languages) && user_profile::may_edit(profile, editor, name);
    let mut kept: BTreeMap<_, _> =
        old.iter().filter(|(name, _)| !is_writable(name)).map(|(name, values)| (name.clone(), values.clone())).collect();
    for (name, values) in given.iter().filter(|(name, _)| !FIELDS.contains(&name.as_str()) && is_writable(name)) {
        let values = without_blanks(old.get(name), values);
        if !values.is_empty() {
            kept.insert(name.clone(), values);
        }
    }
    kept
}

/// A blank value is none, unless it came with an import and is left as it is.
fn without_blanks(old: Option<&Vec<String>>, given: &Vec<String>) -> Vec<String> {
    let is_as_before = old == Some(given);
    given.iter().filter(|value| is_as_before || !value.trim().is_empty()).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(field: &str, value: &str) -> Vec<&'static str> {
        let fields = BTreeMap::from([(field.to_owned(), vec![value.to_owned()])]);
        check(None, Editor::Administrator, &fields).into_iter().map(|v| v.message).collect()
    }

    #[test]
    fn a_blank_value_is_none_unless_it_was_there() {
        let values = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        let change = |old: &[&str], given: &[&str]| without_blanks(Some(&values(old)), &values(given));
        assert_eq!(change(&["x"], &[""]), values(&[]));
        assert_eq!(change(&["x"], &["", "b", "  "]), values(&["b"]));
        assert_eq!(change(&[""], &[""]), values(&[""]));
    }

    #[test]
    fn fields_are_checked_as_the_default_profile_says() {
        assert_eq!(messages("username", "ab"), ["error-invalid-length"]);
        assert_eq!(messages("username", "a<b>c"), ["error-username-invalid-character"]);
        assert_eq!(messages("username", "a b c"), ["error-username-invalid-character"]);
        assert_eq!(messages("email", "nonsense"), ["error-invalid-email"]);
        assert_eq!(messages("firstName", &"x".repeat(256)), ["error-invalid-length-too-long"]);
        assert_eq!(messages("firstName", "<b>"), ["error-person-name-invalid-character"]);
        for (field, value) in [("username", "alice.b-c_d@e"), ("email", "a+b@example.org"), ("lastName", "O'Hara-Müller")] {
            assert_eq!(messages(field, value), [""; 0], "{field}={value}");
        }
    }
}
