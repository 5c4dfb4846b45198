//! What else there is to a client: its file for adapters, its nodes, and the secret of before.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, done, done_uncached, plain, plain_text, pushed, shown};
use super::routes::{Routes, delete, get, post};
use super::{Admin, ManageClients, ViewClients};
use crate::flow::Cx;
use crate::flow::admin::client::{self as clients, find};
use crate::flow::admin::settled;
use crate::flow::admin_event::Change;
use crate::flow::client_registration;
use crate::flow::masking::MASK;
use crate::http::error::AdminError;
use crate::http::extract::{Json, Representation};
use crate::http::representation::lenient::Text;
use crate::http::representation::{adapter_file, registered_client};
use crate::model::admin_event::ResourceType;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/{realm}/clients/{uuid}/installation/providers/{provider}", get(installation))
        .route("/{realm}/clients/{uuid}/registration-access-token", post(renew_registration_token))
        .route("/{realm}/clients/{uuid}/nodes", post(register_node))
        .route("/{realm}/clients/{uuid}/nodes/{node}", delete(unregister_node))
        .route("/{realm}/clients/{uuid}/test-nodes-available", get(test_nodes))
        .route("/{realm}/clients/{uuid}/client-secret/rotated", get(rotated_secret).delete(rotated_secret))
}

/// `keycloak.json`, as adapters read it.
const ADAPTER_FILE: &str = "keycloak-oidc-keycloak-json";

async fn installation(admin: Admin<ViewClients>, Path((_, uuid, provider)): Path<(String, String, String)>) -> Answer {
    let client = find(&admin.cx, &uuid)?;
    if provider != ADAPTER_FILE {
        return Err(AdminError::NotFound("Unknown Provider"));
    }
    let file = adapter_file(admin.cx.snapshot(), client, &admin.base);
    let mut response = plain_text(serde_json::to_string_pretty(&file).unwrap_or_default());
    response.headers_mut().insert(CONTENT_TYPE, axum::http::HeaderValue::from_static("text/plain"));
    Ok(response)
}

/// A new token by which the client reads and changes itself; the one of before is worth nothing.
async fn renew_registration_token(admin: Admin<ManageClients>, Path((_, uuid)): Path<(String, String)>) -> Answer {
    let client = find(&admin.cx, &uuid)?;
    let token = client_registration::renew_token(&admin.cx, client).await?;
    let mut shown = registered_client(admin.cx.snapshot(), client, Some(&token));
    if shown.contains_key("secret") {
        shown.insert("secret".to_owned(), json!(MASK));
    }
    Ok(plain(&Value::from(shown)))
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Node {
    node: Option<Text>,
}

impl Representation for Node {
    const NAME: &'static str = "Map";
}

/// The host of an instance of the client's application (adapters of a cluster).
async fn register_node(admin: Admin<ManageClients>, Path((_, uuid)): Path<(String, String)>, Json(given): Json<Node>) -> Answer {
    let Some(Text(node)) = given.node else {
        return Err(AdminError::Plain(StatusCode::BAD_REQUEST, "Node not found in params".to_owned()));
    };
    let (uuid, node) = (&uuid, &node);
    settled(admin.cx, |cx: Cx| async move {
        let mut client = find(&cx, uuid)?.clone();
        client.settings.registered_nodes.insert(node.clone(), cx.now.unix_seconds());
        clients::update_settings(&cx, &client, Change::create(ResourceType::ClusterNode, node)).await
    })
    .await?;
    Ok(done())
}

async fn unregister_node(admin: Admin<ManageClients>, Path((_, uuid, node)): Path<(String, String, String)>) -> Answer {
    let (uuid, node) = (&uuid, &node);
    settled(admin.cx, |cx: Cx| async move {
        let mut client = find(&cx, uuid)?.clone();
        client.settings.registered_nodes.remove(node).ok_or(clients::NO_NODE)?;
        clients::update_settings(&cx, &client, Change::delete(ResourceType::ClusterNode)).await
    })
    .await?;
    Ok(done_uncached())
}

/// Adapters that listened for this question are gone; nodes that nobody can ask have not answered.
async fn test_nodes(admin: Admin<ManageClients>, Path((_, uuid)): Path<(String, String)>) -> Answer {
    let failed = find(&admin.cx, &uuid)?.settings.registered_nodes.keys().cloned().collect();
    Ok(shown(&pushed(&crate::flow::admin::push::Pushed { taken: Vec::new(), failed })))
}

/// A secret is replaced at once: there is none of before.
async fn rotated_secret(admin: Admin<ManageClients>, Path((_, uuid)): Path<(String, String)>) -> Answer {
    find(&admin.cx, &uuid)?;
    Err(AdminError::NotFound("Client does not have a rotated secret"))
}
