//! `/clients/{uuid}/evaluate-scopes`: which mappers and roles a scope brings, and what tokens would hold.

use axum::extract::Path;
use serde_json::{Value, json};

use super::answer::{Answer, shown};
use super::role_lists::roles_shown;
use super::routes::{Routes, get};
use super::{Admin, Permission, ViewClients, ViewUsers};
use crate::flow::admin::client::find;
use crate::flow::admin::evaluate::{self, Example};
use crate::http::error::AdminError;
use crate::http::extract::Query;
use crate::model::{ClientUuid, ProtocolMapper, RoleId, UserId};
use crate::store;

pub(super) fn routes() -> Routes {
    let at = |rest: &str| format!("/{{realm}}/clients/{{uuid}}/evaluate-scopes/{rest}");
    Routes::new()
        .route(&at("protocol-mappers"), get(mappers))
        .route(&at("scope-mappings/{container}/granted"), get(granted))
        .route(&at("scope-mappings/{container}/not-granted"), get(not_granted))
        .route(&at("generate-example-access-token"), get(access_token))
        .route(&at("generate-example-id-token"), get(id_token))
        .route(&at("generate-example-userinfo"), get(user_info))
}

async fn mappers(admin: Admin<ViewClients>, Path((_, uuid)): Path<(String, String)>, query: Query) -> Answer {
    let client = find(&admin.cx, &uuid)?;
    let entry = |mapper: &ProtocolMapper, id: &str, name: &str, kind: &str| {
        json!({
            "mapperId": mapper.id,
            "mapperName": mapper.name,
            "containerId": id,
            "containerName": name,
            "containerType": kind,
            "protocolMapper": mapper.mapper_type,
        })
    };
    let scopes = evaluate::scopes(&admin.cx, client, query.text("scope"));
    let own = client.mappers.iter().map(|m| entry(m, client.uuid.as_str(), client.client_id.as_str(), "client"));
    let of_scopes = scopes
        .iter()
        .flat_map(|scope| scope.mappers.iter().map(move |mapper| entry(mapper, scope.id.as_str(), &scope.name, "client-scope")));
    Ok(shown(&Value::from(own.chain(of_scopes).collect::<Vec<Value>>())))
}

type OfContainer = Path<(String, String, String)>;

async fn granted(admin: Admin<ViewClients>, path: OfContainer, query: Query) -> Answer {
    roles(&admin, path, &query, true)
}

async fn not_granted(admin: Admin<ViewClients>, path: OfContainer, query: Query) -> Answer {
    roles(&admin, path, &query, false)
}

/// The roles of the realm (by its name) or of a client (by its id).
fn roles(admin: &Admin<ViewClients>, Path((_, uuid, container)): OfContainer, query: &Query, granted: bool) -> Answer {
    let (cx, snapshot) = (&admin.cx, admin.cx.snapshot());
    let client = find(cx, &uuid)?;
    let container = match snapshot.realm.name == container {
        true => None,
        false => Some(snapshot.clients.get(&ClientUuid::new(container)).ok_or(AdminError::NotFound("Role Container not found"))?),
    };
    let allowed = evaluate::roles(cx, client, query.text("scope"));
    let wanted: Vec<RoleId> = snapshot.roles.keys().filter(|id| allowed.contains(id) == granted).cloned().collect();
    Ok(shown(&roles_shown(snapshot, &wanted, |role| role.client.as_ref() == container.map(|c| &c.uuid))))
}

async fn access_token(admin: Admin<ViewClients>, path: Path<(String, String)>, query: Query) -> Answer {
    example(&admin, path, &query, Example::AccessToken).await
}

async fn id_token(admin: Admin<ViewClients>, path: Path<(String, String)>, query: Query) -> Answer {
    example(&admin, path, &query, Example::IdToken).await
}

async fn user_info(admin: Admin<ViewClients>, path: Path<(String, String)>, query: Query) -> Answer {
    example(&admin, path, &query, Example::UserInfo).await
}

/// What stands in a user's tokens is for those who may see the user.
async fn example(admin: &Admin<ViewClients>, Path((_, uuid)): Path<(String, String)>, query: &Query, what: Example) -> Answer {
    let client = find(&admin.cx, &uuid)?;
    let id = query.text("userId").ok_or(AdminError::NotFound("No userId provided"))?;
    if !admin.has_any_of(ViewUsers::ANY_OF) {
        return Err(AdminError::Forbidden);
    }
    let mut db = admin.cx.store().db().await?;
    let user = store::user::find_user(&mut db, &admin.cx.snapshot().realm.id, &UserId::new(id)).await?;
    let user = user.ok_or(AdminError::NotFound("No user found"))?;
    Ok(shown(&Value::from(evaluate::example(&admin.cx, client, &user, query.text("scope"), what))))
}
