//! `/clients-initial-access`: tokens with which clients are registered.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, created, done, plain};
use super::routes::{Routes, delete, get};
use super::{Admin, ManageClients, ViewClients};
use crate::flow::admin::initial_access::{self, Wish};
use crate::http::error::AdminError;
use crate::http::extract::{Json, Representation};
use crate::http::representation::lenient::{Number, Text, texts};
use crate::model::{InitialAccess, InitialAccessId};
use crate::store;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/{realm}/clients-initial-access", get(list).post(create))
        .route("/{realm}/clients-initial-access/{id}", delete(remove))
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct ClientInitialAccess {
    expiration: Option<Number>,
    count: Option<Number>,
    web_origins: Option<Vec<Text>>,
}

impl Representation for ClientInitialAccess {
    const NAME: &'static str = "ClientInitialAccessCreatePresentation";
}

impl ClientInitialAccess {
    fn to_wish(&self) -> Result<Wish, AdminError> {
        let refuse =
            |error: &'static str, text: &str| Err(AdminError::Described(StatusCode::BAD_REQUEST, error, text.to_owned()));
        let (count, lifespan) = (self.count.map_or(1, |n| n.0), self.expiration.map_or(0, |n| n.0));
        if lifespan < 0 {
            return refuse("Invalid value for expiration", "The expiration time interval cannot be less than 0");
        }
        match i32::try_from(count) {
            Ok(count @ 0..) => {
                let web_origins = self.web_origins.as_deref().map(texts).unwrap_or_default();
                Ok(Wish { count, lifespan, web_origins })
            }
            _ => refuse("Invalid value for count", "The count cannot be less than 0"),
        }
    }
}

async fn list(admin: Admin<ViewClients>) -> Answer {
    let mut db = admin.cx.store().db().await?;
    let all = store::initial_access::list_initial_access(&mut db, &admin.cx.snapshot().realm.id).await?;
    Ok(plain(&Value::from(all.iter().map(represent).collect::<Vec<Value>>())))
}

fn represent(token: &InitialAccess) -> Value {
    let mut body = json!({
        "id": token.id,
        "timestamp": token.created_at.unix_seconds(),
        "expiration": token.lifespan,
        "count": token.count,
        "remainingCount": token.remaining,
    });
    if !token.web_origins.is_empty() {
        body["webOrigins"] = json!(token.web_origins);
    }
    body
}

/// The answer is the one place where the token is shown.
async fn create(admin: Admin<ManageClients>, Json(given): Json<ClientInitialAccess>) -> Answer {
    let (made, token) = initial_access::create(&admin.cx, given.to_wish()?).await?;
    let mut body = represent(&made);
    body["token"] = json!(token);
    let mut response = plain(&body);
    *response.status_mut() = StatusCode::CREATED;
    if let Some(location) = created(&admin.below(made.id.as_str())).headers_mut().remove(LOCATION) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response.into_response())
}

async fn remove(admin: Admin<ManageClients>, Path((_, id)): Path<(String, String)>) -> Answer {
    initial_access::delete(&admin.cx, &InitialAccessId::new(id)).await?;
    Ok(done())
}
