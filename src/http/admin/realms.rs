//! `/admin/realms`: the realms that a caller administers, and new ones.

use axum::body::to_bytes;
use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Answer, created, shown};
use super::authenticate::Administrator;
use super::permission::{Permission, ViewRealm, sees_realm};
use super::routes::{Routes, get};
use crate::flow::admin::client;
use crate::flow::import_realm::{self, Creator, ImportError};
use crate::http::error::AdminError;
use crate::http::extract::{Caller, Query, read_representation};
use crate::http::path_segment;
use crate::http::representation::{RealmRepresentation, brief_realm, realm};
use crate::http::state::App;
use crate::model::realm_name;
use crate::oidc::admin_roles::{ADMIN, CREATE_REALM};
use crate::store;

/// A realm with all its users may be large.
const MAX_BODY: usize = 256 * 1024 * 1024;

pub(super) fn routes() -> Routes {
    Routes::new().route("/", get(list).post(create))
}

async fn list(State(app): State<App>, Extension(administrator): Extension<Administrator>, query: Query) -> Answer {
    let server = &app.server;
    let versions = store::realm::list_versions(&mut server.store.db().await?).await?;
    let mut all: Vec<Value> = Vec::new();
    for (_, name, _) in versions {
        let roles = administrator.roles_in(&name);
        if !sees_realm(&roles) {
            continue;
        }
        let Some(found) = server.realms.current(&server.store, &name).await? else { continue };
        all.push(match ViewRealm::ANY_OF.iter().any(|r| roles.contains(*r)) {
            false => json!({ "realm": name }),
            true if query.flag("briefRepresentation").unwrap_or(false) => brief_realm(&found.snapshot),
            true => realm(&found.snapshot),
        });
    }
    if all.is_empty() {
        return Err(AdminError::Forbidden);
    }
    Ok(shown(&Value::from(all)))
}

async fn create(
    State(app): State<App>,
    Extension(administrator): Extension<Administrator>,
    caller: Caller,
    request: Request,
) -> Answer {
    let may_all = administrator.is_of_master() && administrator.has_realm_role(ADMIN);
    let may_create = administrator.is_of_master() && administrator.has_realm_role(CREATE_REALM);
    if !(may_all || may_create) {
        return Err(AdminError::Forbidden);
    }
    let body = to_bytes(request.into_body(), MAX_BODY).await.map_err(|_| unreadable())?;
    let file: RealmRepresentation = read_representation(&body).map_err(|_| unreadable())?;
    let name = file.name().unwrap_or_default().to_owned();
    if let Some(letter) = realm_name::forbidden_letter(&name) {
        return Err(AdminError::Plain(StatusCode::BAD_REQUEST, format!("Character '{letter}' not allowed.")));
    }
    let server = &app.server;
    let now = server.clock.now();
    let mut import = file.to_import(now, &server.entropy);
    for new in &mut import.clients {
        client::fill_in_secret(new, &server.entropy, now);
    }
    // Who has all roles of all realms gets those of the new one by that.
    let gets_roles = (!may_all).then(|| &administrator.user().id);
    let creator = Creator { cx: &administrator.telling_of(&name), gets_roles };
    import_realm::run(server, import, Some(&creator)).await.map_err(explain)?;
    Ok(created(&format!("{}/admin/realms/{}", caller.base, path_segment(&name))))
}

fn unreadable() -> AdminError {
    AdminError::bad_request("unable to read contents from stream")
}

fn explain(error: ImportError) -> AdminError {
    match error {
        ImportError::Store(error) => error.into(),
        ImportError::Exists(_) | ImportError::Duplicate | ImportError::SameId => AdminError::conflict(error.to_string()),
        ImportError::Unknown(text) => AdminError::bad_request(text),
        ImportError::Busy => {
            AdminError::Described(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", ImportError::Busy.to_string())
        }
    }
}
