//! `/account`: the profile, as its user reads and changes it.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::authenticate::{ManageAccount, Own, ViewProfile};
use crate::flow::account::profile::{self, Profile, Refusal};
use crate::http::admin::{Answer, done_uncached, shown_in_lower_case};
use crate::http::error::{AdminError, json as json_response};
use crate::http::extract::{Query, read_json};
use crate::oidc::user_profile::{self, Editor, default_profile};
use crate::oidc::user_rules::Violation;

pub(super) async fn read(own: Own<ViewProfile>, query: Query) -> Answer {
    let user = own.user();
    let stored = own.cx().snapshot().realm.user_profile.as_ref();
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    put("id", json!(user.id));
    put("username", json!(user.username));
    for (name, value) in [("firstName", &user.first_name), ("lastName", &user.last_name), ("email", &user.email)] {
        let is_shown = stored.is_none() || user_profile::users_may_view(stored, name);
        if let Some(value) = value.as_ref().filter(|_| is_shown) {
            put(name, json!(value));
        }
    }
    put("emailVerified", json!(user.email_verified));
    let visible: BTreeMap<_, _> = user.attributes.iter().filter(|(name, _)| user_profile::users_may_view(stored, name)).collect();
    if !visible.is_empty() {
        put("attributes", json!(visible));
    }
    if query.flag("userProfileMetadata") != Some(false) {
        let edits_name = own.cx().settings().edit_username_allowed;
        put("userProfileMetadata", user_profile::metadata(stored, Editor::User, edits_name));
    }
    Ok(shown_in_lower_case(&Value::from(shown)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Sent {
    username: Option<String>,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    attributes: Option<BTreeMap<String, Vec<String>>>,
}

pub(super) async fn update(own: Own<ManageAccount>, headers: HeaderMap, body: Body) -> Answer {
    let sent: Sent = read_json(&headers, body).await.map_err(|_| AdminError::unparsable())?;
    let profile = Profile {
        username: sent.username,
        email: sent.email,
        first_name: sent.first_name,
        last_name: sent.last_name,
        attributes: Some(sent.attributes.unwrap_or_default()),
    };
    Ok(match profile::update(own.cx(), own.user(), &profile).await? {
        Ok(()) => done_uncached(),
        Err(refusal) => refused(&own, refusal)?,
    })
}

fn refused(own: &Own<ManageAccount>, refusal: Refusal) -> Answer {
    let (status, violations) = match refusal {
        Refusal::NotFound => return Err(AdminError::Unauthorized),
        Refusal::Invalid(violations) => (StatusCode::BAD_REQUEST, violations),
        Refusal::SameUsername => (StatusCode::CONFLICT, vec![Violation::new("username", "usernameExistsMessage", Vec::new())]),
        Refusal::SameEmail => (StatusCode::CONFLICT, vec![Violation::new("email", "emailExistsMessage", Vec::new())]),
    };
    Ok(told(own, status, &violations))
}

/// One error as it is and in a list, several in a list. Users are told the name that a field is shown by.
fn told(own: &Own<ManageAccount>, status: StatusCode, violations: &[Violation]) -> Response {
    let default = default_profile();
    let profile = own.cx().snapshot().realm.user_profile.as_ref().unwrap_or(&default);
    let one = |violation: &Violation| {
        let name = user_profile::display_name(profile, &violation.field).unwrap_or(&violation.field);
        let params: Vec<Value> = std::iter::once(json!(name)).chain(violation.params.iter().skip(1).cloned()).collect();
        json!({"field": violation.field, "errorMessage": violation.message, "params": params})
    };
    let list: Vec<Value> = violations.iter().map(one).collect();
    let mut body = match list.as_slice() {
        [Value::Object(only)] => only.clone(),
        _ => Map::new(),
    };
    body.insert("errors".to_owned(), Value::from(list));
    json_response(status, &Value::from(body))
}
