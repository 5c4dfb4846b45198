//! `/partial-export`: the realm as a file, without its users and without secrets.

use serde_json::{Map, Value, json};

use super::answer::{Answer, plain_json};
use super::routes::{Routes, post};
use super::{Admin, ManageRealm, Permission, ViewClients, ViewUsers};
use crate::flow::Cx;
use crate::flow::admin::component;
use crate::http::error::AdminError;
use crate::http::extract::Query;
use crate::http::representation::export::{Parts, realm_file};
use crate::http::representation::user::user as full_user;
use crate::model::GroupPaths;
use crate::store::{self, StoreError};

pub(super) fn routes() -> Routes {
    Routes::new().route("/{realm}/partial-export", post(export))
}

/// Each part is for those who may see what is in it.
async fn export(admin: Admin<ManageRealm>, query: Query) -> Answer {
    let clients = query.flag("exportClients").unwrap_or(false);
    let groups_and_roles = query.flag("exportGroupsAndRoles").unwrap_or(false);
    if clients && !admin.has_any_of(ViewClients::ANY_OF) || groups_and_roles && !admin.has_any_of(ViewUsers::ANY_OF) {
        return Err(AdminError::Forbidden);
    }
    let components = component::list(&admin.cx).await?;
    let mut file = realm_file(admin.cx.snapshot(), &components, Parts { clients, groups_and_roles, secrets: false });
    if clients {
        file.insert("users".to_owned(), Value::from(service_accounts(&admin.cx).await?));
    }
    Ok(plain_json(&Value::from(file)))
}

/// The users that stand for clients come with these, by the names of what they hold.
async fn service_accounts(cx: &Cx) -> Result<Vec<Value>, StoreError> {
    let snapshot = cx.snapshot();
    let mut db = cx.store().db().await?;
    let (paths, mut found) = (GroupPaths::of(snapshot), Vec::new());
    for client in snapshot.clients.values().filter(|client| client.settings.service_accounts_enabled) {
        let Some(account) = store::user::find_service_account(&mut db, &snapshot.realm.id, &client.uuid).await? else { continue };
        let mut shown: Map<String, Value> = full_user(snapshot, &account, false);
        shown.insert("serviceAccountClientId".to_owned(), json!(client.client_id));
        shown.extend(crate::http::representation::export::held(snapshot, &paths, &account));
        found.push(Value::from(shown));
    }
    Ok(found)
}
