//! `/admin/{realm}/console/whoami`: who is signed in at a console, and what they may do in which realm.

use axum::extract::{Extension, Path};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Answer, shown};
use super::authenticate::Administrator;
use super::routes::{Routes, get};
use crate::http::error::AdminError;
use crate::http::extract::Query;
use crate::oidc::admin_roles::CREATE_REALM;

pub(super) fn routes() -> Routes {
    Routes::new().route("/admin/{realm}/console/whoami", get(read))
}

const CONSOLE: &str = "security-admin-console";

/// Only tokens of the console's own client ask here.
async fn read(Extension(administrator): Extension<Administrator>, Path(realm): Path<String>, query: Query) -> Answer {
    let client = administrator.client_id();
    if client != CONSOLE {
        let text = format!("Token issued for an application that is not the admin console: {client}");
        return Err(AdminError::Plain(StatusCode::FORBIDDEN, text));
    }
    let own = &administrator.own_cx().snapshot().realm;
    // A token of the master realm may look at any; another one has roles in its own realm only.
    let looked_at = if own.is_master() { query.text("currentRealm").unwrap_or(&realm) } else { own.name.as_str() };
    let mut roles: Vec<String> = administrator.roles_in(looked_at).into_iter().collect();
    roles.sort_unstable();
    if roles.is_empty() {
        return Err(AdminError::Plain(StatusCode::FORBIDDEN, "No realm access".to_owned()));
    }
    let user = administrator.user();
    let locale = own.document.get("defaultLocale").and_then(Value::as_str).filter(|l| !l.is_empty()).unwrap_or("en");
    Ok(shown(&json!({
        "userId": user.id,
        "realm": own.name,
        "displayName": user.full_name().unwrap_or_else(|| user.username.clone()),
        "locale": user.attributes.get("locale").and_then(|values| values.first()).map_or(locale, String::as_str),
        "createRealm": own.is_master() && administrator.has_realm_role(CREATE_REALM),
        "realm_access": {looked_at: roles},
        "temporary": false,
    })))
}
