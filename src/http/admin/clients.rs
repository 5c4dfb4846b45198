//! `/clients`: the clients of a realm.

use axum::extract::Path;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Answer, created, done, done_uncached, plain, pushed, shown};
use super::routes::{Routes, get, post};
use super::{Admin, ManageClients, Permission, QueryClients, ViewClients};
use crate::flow::Cx;
use crate::flow::admin::client::{self as clients, find};
use crate::flow::admin::push::push;
use crate::flow::admin::settled;
use crate::flow::admin_event::{Change, note_alone};
use crate::http::error::AdminError;
use crate::http::extract::{Json, Query};
use crate::http::path_segment;
use crate::http::representation::user::user as full_user;
use crate::http::representation::{ClientRepresentation, client};
use crate::model::Client;
use crate::model::admin_event::ResourceType;
use crate::oidc::admin_action::AdminAction;
use crate::oidc::admin_roles::administered_by;
use crate::store;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/{realm}/clients", get(list).post(create))
        .route("/{realm}/clients/{uuid}", get(read).put(change).delete(delete))
        .route("/{realm}/clients/{uuid}/client-secret", get(read_secret).post(renew_secret))
        .route("/{realm}/clients/{uuid}/push-revocation", post(push_revocation))
        .route("/{realm}/clients/{uuid}/service-account-user", get(service_account))
}

async fn list(admin: Admin<QueryClients>, query: Query) -> Answer {
    let mut not_allowed = query.text("q").unwrap_or_default().split_whitespace().filter_map(|part| part.split_once(':'));
    if let Some((attribute, _)) = not_allowed.next() {
        let text = format!("Attributes [{attribute}] not allowed for search");
        return Err(AdminError::Described(StatusCode::BAD_REQUEST, "invalid_request", text));
    }
    if !admin.has_any_of(ViewClients::ANY_OF) {
        return Ok(shown(&json!([])));
    }
    let snapshot = admin.cx.snapshot();
    let (wanted, part) = (query.text("clientId"), query.flag("search").unwrap_or(false));
    let fits = |client: &Client| match wanted {
        None => true,
        Some(id) if part => client.client_id.as_str().to_lowercase().contains(&id.to_lowercase()),
        Some(id) => client.client_id.as_str() == id,
    };
    let mut found: Vec<&Client> = snapshot.clients.values().map(AsRef::as_ref).filter(|c| fits(c)).collect();
    found.sort_by(|a, b| a.client_id.cmp(&b.client_id));
    let page: Vec<Value> = query.page(None)?.of(found).map(|c| represent(&admin, c)).collect();
    Ok(shown(&Value::from(page)))
}

/// The clients that hold administrative roles are the server's own.
fn represent<P>(admin: &Admin<P>, found: &Client) -> Value {
    let snapshot = admin.cx.snapshot();
    let is_own = administered_by(&snapshot.realm, &found.client_id).is_some();
    client(snapshot, found, !is_own && admin.has_any_of(ManageClients::ANY_OF))
}

async fn create(admin: Admin<ManageClients>, Json(given): Json<ClientRepresentation>) -> Answer {
    let base = format!("{}/admin/realms/{}/clients", admin.base, path_segment(&admin.cx.snapshot().realm.name));
    let new = given.to_new(false, admin.cx.entropy());
    let new = &new;
    let uuid = settled(admin.cx, |cx: Cx| async move { clients::create(&cx, new.clone()).await }).await?;
    Ok(created(&format!("{base}/{}", path_segment(uuid.as_str()))))
}

async fn read(admin: Admin<ViewClients>, Path((_, uuid)): Path<(String, String)>) -> Answer {
    Ok(shown(&represent(&admin, find(&admin.cx, &uuid)?)))
}

async fn change(
    admin: Admin<ManageClients>,
    Path((_, uuid)): Path<(String, String)>,
    Json(given): Json<ClientRepresentation>,
) -> Answer {
    let (uuid, given) = (&uuid, &given);
    settled(admin.cx, |cx: Cx| async move {
        let before = find(&cx, uuid)?;
        clients::update(&cx, before, &given.put_on(before)).await
    })
    .await?;
    Ok(done())
}

async fn delete(admin: Admin<ManageClients>, Path((_, uuid)): Path<(String, String)>) -> Answer {
    clients::delete(&admin.cx, find(&admin.cx, &uuid)?).await?;
    Ok(done_uncached())
}

async fn read_secret(admin: Admin<ViewClients>, Path((_, uuid)): Path<(String, String)>) -> Answer {
    let found = find(&admin.cx, &uuid)?;
    let secret = found.secret.as_ref().filter(|_| !found.settings.public_client);
    Ok(shown(&match secret {
        Some(secret) => json!({"type": "secret", "value": secret.expose()}),
        None => json!({"type": "secret"}),
    }))
}

async fn renew_secret(admin: Admin<ManageClients>, Path((_, uuid)): Path<(String, String)>) -> Answer {
    let uuid = &uuid;
    let secret = settled(admin.cx, |cx: Cx| async move { clients::renew_secret(&cx, find(&cx, uuid)?).await }).await?;
    Ok(plain(&json!({"type": "secret", "value": secret.expose()})))
}

/// The client's own not-before, to its admin URL.
async fn push_revocation(admin: Admin<ManageClients>, Path((_, uuid)): Path<(String, String)>) -> Answer {
    let client = find(&admin.cx, &uuid)?;
    let action = AdminAction::PushNotBefore { not_before: client.not_before };
    let told = pushed(&push(&admin.cx, std::iter::once(client), action).await?);
    note_alone(&admin.cx, Change::action(ResourceType::Client).showing(told.clone())).await?;
    Ok(plain(&told))
}

async fn service_account(admin: Admin<ViewClients>, Path((_, uuid)): Path<(String, String)>) -> Answer {
    let cx = &admin.cx;
    let found = find(cx, &uuid)?;
    let account = store::user::find_service_account(&mut cx.store().db().await?, &cx.snapshot().realm.id, &found.uuid).await?;
    match account.filter(|_| found.settings.service_accounts_enabled) {
        Some(account) => Ok(shown(&Value::from(full_user(cx.snapshot(), &account, false)))),
        None => {
            let text = format!("Service account not enabled for the client '{}'", found.client_id);
            Err(AdminError::Plain(StatusCode::BAD_REQUEST, text))
        }
    }
}
