//! What else of the account programs ask for: credentials, groups, linked accounts, languages.

use axum::body::Body;
use axum::extract::Path;
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::authenticate::{ManageAccount, Own, ViewGroups, ViewProfile};
use crate::flow::admin::user_holding;
use crate::flow::event;
use crate::http::admin::{Answer, done_uncached, plain_in_lower_case, shown_in_lower_case};
use crate::http::error::AdminError;
use crate::http::extract::{Query, read_json};
use crate::http::representation::credential::credential;
use crate::http::representation::group::brief_group;
use crate::model::CredentialId;
use crate::model::credential::{OTP, PASSWORD};
use crate::model::event::EventKind;
use crate::model::user::{CONFIGURE_TOTP, UPDATE_PASSWORD};
use crate::store;

const NOT_FOUND: AdminError = AdminError::NotFound("Credential not found");

/// The longest label that Keycloak's table holds.
const MAX_LABEL: usize = 255;

/// The kinds of credentials that sign-in asks for, with those that the user has.
pub(super) async fn credentials(own: Own<ViewProfile>, query: Query) -> Answer {
    let mut kinds = vec![
        json!({
            "type": PASSWORD,
            "category": "basic-authentication",
            "displayName": "password-display-name",
            "helptext": "password-help-text",
            "iconCssClass": "kcAuthenticatorPasswordClass",
            "updateAction": UPDATE_PASSWORD,
            "removeable": false,
        }),
        json!({
            "type": OTP,
            "category": "two-factor",
            "displayName": "otp-display-name",
            "helptext": "otp-help-text",
            "iconCssClass": "kcAuthenticatorOTPClass",
            "createAction": CONFIGURE_TOTP,
            "removeable": true,
        }),
    ];
    kinds.retain(|kind| query.text("type").is_none_or(|wanted| kind["type"] == wanted));
    if query.flag("user-credentials") != Some(false) {
        let realm = &own.cx().snapshot().realm.id;
        let held = store::credential::list_credentials(&mut own.cx().store().db().await?, realm, &own.user().id).await?;
        for kind in &mut kinds {
            let of_kind = held.iter().filter(|c| kind["type"] == c.kind.as_str());
            let shown: Vec<Value> = of_kind.map(|c| json!({"credential": credential(c)})).collect();
            kind["userCredentialMetadatas"] = Value::from(shown);
        }
    }
    Ok(shown_in_lower_case(&Value::from(kinds)))
}

/// A device is removed; a password is changed, and those of before are the realm's to keep.
pub(super) async fn remove_credential(own: Own<ManageAccount>, Path((_, id)): Path<(String, String)>) -> Answer {
    let (realm, id) = (&own.cx().snapshot().realm.id, CredentialId::new(id));
    let held = store::credential::list_credentials(&mut own.cx().store().db().await?, realm, &own.user().id).await?;
    let Some(found) = held.iter().find(|c| c.id == id) else { return Err(NOT_FOUND) };
    if found.kind != OTP {
        return Err(AdminError::bad_request("The credential cannot be removed"));
    }
    let mut told = event::new(own.cx(), EventKind::RemoveTotp).detail("selected_credential_id", id.as_str());
    told.client_id = Some(own.client().client_id.to_string());
    told.user_id = Some(own.user().id.clone());
    let removed = user_holding::delete_credential(own.cx(), &own.user().id, &id, Some(&told)).await? == Some(true);
    if removed { Ok(done_uncached()) } else { Err(NOT_FOUND) }
}

/// The name that the user gives to a credential: a JSON text.
pub(super) async fn name_credential(
    own: Own<ManageAccount>,
    Path((_, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let label: String = read_json(&headers, body).await.map_err(|_| AdminError::unparsable())?;
    if label.chars().count() > MAX_LABEL {
        return Err(AdminError::bad_request("The label is too long"));
    }
    let (realm, id) = (&own.cx().snapshot().realm.id, CredentialId::new(id));
    let mut db = own.cx().store().db().await?;
    let named = store::credential::set_label(&mut db, realm, &own.user().id, &id, &label).await?;
    if named { Ok(done_uncached()) } else { Err(NOT_FOUND) }
}

pub(super) async fn groups(own: Own<ViewGroups>) -> Answer {
    let snapshot = own.cx().snapshot();
    let groups = own.user().groups.iter().filter_map(|id| snapshot.groups.get(id));
    Ok(shown_in_lower_case(&groups.map(|group| Value::from(brief_group(snapshot, group))).collect()))
}

/// There are no identity providers to link with.
pub(super) async fn linked_accounts(_: Own<ManageAccount>) -> Answer {
    Ok(plain_in_lower_case(&json!([])))
}

pub(super) async fn supported_locales(own: Own<ViewProfile>) -> Answer {
    let document = &own.cx().snapshot().realm.document;
    let mut locales: Vec<&str> =
        document.get("supportedLocales").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    locales.sort_unstable();
    Ok(plain_in_lower_case(&json!(locales)))
}
