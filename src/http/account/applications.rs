//! `/account/applications`: what may act for the user, what it was allowed, and the end of it.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::authenticate::{ManageConsent, Own, ViewApplications, ViewConsent};
use crate::flow::account::applications::{self, Application};
use crate::flow::consent as flow;
use crate::http::admin::{Answer, done, plain_in_lower_case, shown_in_lower_case};
use crate::http::error::{AdminError, Pages};
use crate::http::extract::{Query, read_json};
use crate::http::login::answer::client_url;
use crate::http::state::App;
use crate::model::{Client, ClientScopeId, Consent, RealmSnapshot};

pub(super) async fn list(State(app): State<App>, own: Own<ViewApplications>, headers: HeaderMap, query: Query) -> Answer {
    let pages = Pages::of(&app, own.cx(), &headers, None);
    let wanted = query.text("name").map(str::to_lowercase);
    let matches = |client: &Client| match (&wanted, client.settings.name.as_deref()) {
        (None, _) => true,
        (Some(wanted), name) => name.is_some_and(|n| n.to_lowercase().contains(wanted)),
    };
    let found = applications::list(own.cx(), own.user()).await?;
    let shown = found.iter().filter(|a| matches(&a.client)).map(|a| application(&own, &pages, a));
    Ok(shown_in_lower_case(&shown.collect()))
}

fn application<P>(own: &Own<P>, pages: &Pages, application: &Application) -> Value {
    let settings = &application.client.settings;
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    put("clientId", json!(application.client.client_id));
    let texts = [
        ("clientName", settings.name.as_deref()),
        ("description", settings.description.as_deref()),
        ("rootUrl", settings.root_url.as_deref()),
        ("baseUrl", settings.base_url.as_deref()),
        ("logoUri", application.client.attribute("logoUri")),
        ("policyUri", application.client.attribute("policyUri")),
        ("tosUri", application.client.attribute("tosUri")),
    ];
    for (name, value) in texts {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            put(name, json!(value));
        }
    }
    if let Some(address) = client_url(own.cx(), &application.client) {
        put("effectiveUrl", json!(address));
    }
    put("userConsentRequired", json!(settings.consent_required));
    put("inUse", json!(application.in_use));
    put("offlineAccess", json!(!application.offline.is_empty()));
    if let Some(given) = &application.consent {
        put("consent", consent_json(own.cx().snapshot(), pages, given));
    }
    Value::from(shown)
}

fn consent_json(snapshot: &RealmSnapshot, pages: &Pages, consent: &Consent) -> Value {
    let scopes = consent.scopes.iter().filter_map(|id| snapshot.scopes.get(id));
    let mut scopes: Vec<(String, Value)> = scopes
        .map(|scope| {
            let text = pages.resolve(scope.consent_text());
            // Keycloak's own field has a slip of the pen in its name; both are there.
            let shown = json!({"id": scope.id, "name": scope.consent_text(), "displayText": text, "displayTest": text});
            (text, shown)
        })
        .collect();
    scopes.sort_by(|a, b| a.0.cmp(&b.0));
    json!({
        "createdDate": consent.created_at.unix_millis(),
        "lastUpdatedDate": consent.updated_at.unix_millis(),
        "grantedScopes": scopes.into_iter().map(|(_, shown)| shown).collect::<Vec<_>>(),
    })
}

fn client_of<'a, P>(own: &'a Own<P>, client_id: &str) -> Result<&'a Client, AdminError> {
    let missing = || AdminError::Message(StatusCode::NOT_FOUND, format!("No client with clientId: {client_id} found."));
    own.cx().snapshot().client(client_id).map(AsRef::as_ref).ok_or_else(missing)
}

pub(super) async fn consent(
    State(app): State<App>,
    own: Own<ViewConsent>,
    Path((_, client_id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let client = client_of(&own, &client_id)?;
    let pages = Pages::of(&app, own.cx(), &headers, None);
    Ok(match own.user().consent_for(&client.uuid) {
        Some(given) => plain_in_lower_case(&consent_json(own.cx().snapshot(), &pages, given)),
        None => done(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConsentChange {
    #[serde(default)]
    granted_scopes: Vec<GrantedScope>,
}

#[derive(Deserialize)]
struct GrantedScope {
    id: String,
}

/// What the user agrees to from now on.
pub(super) async fn change_consent(
    State(app): State<App>,
    own: Own<ManageConsent>,
    Path((_, client_id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let client = client_of(&own, &client_id)?;
    let change: ConsentChange = read_json(&headers, body).await.map_err(|_| AdminError::unparsable())?;
    let mut scopes = Vec::new();
    for granted in &change.granted_scopes {
        let id = ClientScopeId::new(granted.id.as_str());
        let is_of_client = client.default_scopes.contains(&id) || client.optional_scopes.contains(&id);
        if !is_of_client {
            return Err(AdminError::bad_request(format!("Scope id {} does not exist for client {client_id}.", granted.id)));
        }
        scopes.push(id);
    }
    scopes.sort_unstable();
    scopes.dedup();
    let user = flow::replace(own.cx(), client, own.user(), &scopes).await?;
    let pages = Pages::of(&app, own.cx(), &headers, None);
    Ok(match user.as_deref().and_then(|user| user.consent_for(&client.uuid)) {
        Some(given) => plain_in_lower_case(&consent_json(own.cx().snapshot(), &pages, given)),
        None => done(),
    })
}

pub(super) async fn remove_access(own: Own<ManageConsent>, Path((_, client_id)): Path<(String, String)>) -> Answer {
    let client = client_of(&own, &client_id)?;
    applications::remove_access(own.cx(), own.user(), client).await?;
    Ok(done())
}
