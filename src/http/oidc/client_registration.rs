//! `/clients-registrations`: clients that register themselves, in Keycloak's representation (`default`) and in OpenID Connect's
//! (`openid-connect`), and the file that Keycloak's adapters read (`install`).

use axum::Router;
use axum::extract::{FromRequestParts, Path};
use axum::http::header::{AUTHORIZATION, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get, post};
use serde_json::{Map, Value, json};

use super::with_preflight;
use crate::flow::Cx;
use crate::flow::admin::Refusal;
use crate::flow::client_authentication::{Proof, authenticate};
use crate::flow::client_registration::{self as registration, Bearer, Registered};
use crate::http::admin::{Answer, bearer, done, identify, plain};
use crate::http::cors::{Cors, foreign_origin};
use crate::http::error::{AdminError, OAuthFailure};
use crate::http::extract::{Caller, Json, RealmCx, Small};
use crate::http::path_segment;
use crate::http::representation::{ClientMetadata, ClientRepresentation, adapter_file, client_metadata, registered_client};
use crate::http::state::App;
use crate::model::Client;
use crate::model::event::EventKind;
use crate::oidc::form::Parameters;
use crate::oidc::registration_token::Kind;
use crate::oidc::{OAuthError, OAuthErrorCode};

const METHODS: &str = "DELETE, POST, GET, OPTIONS, PUT";
const DEFAULT: &str = "default";
const OPENID: &str = "openid-connect";

pub(super) fn routes() -> Router<App> {
    let at = |place: &str| format!("/realms/{{realm}}/clients-registrations/{place}");
    let route = |route: MethodRouter<App>| with_preflight(route, METHODS);
    Router::new()
        .route(&at(DEFAULT), route(post(register)))
        .route(&at("default/{client_id}"), route(get(read).put(change).delete(delete)))
        .route(&at(OPENID), route(post(register_metadata)))
        .route(&at("openid-connect/{client_id}"), route(get(read_metadata).put(change_metadata).delete(delete)))
        .route(&at("install/{client_id}"), route(get(install)))
        .route(&at("{provider}"), any(unknown_provider))
        .route(&at("{provider}/{client_id}"), any(unknown_provider))
}

async fn unknown_provider() -> Response {
    AdminError::NotFound("Client registration provider not found").into_response()
}

/// Who asks, in a realm as it stands now, and which page may read the answer.
struct Registrar {
    cx: Cx,
    bearer: Bearer,
    base: String,
    cors: Cors,
}

impl FromRequestParts<App> for Registrar {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let RealmCx(cx) = RealmCx::from_request_parts(parts, app).await.map_err(IntoResponse::into_response)?;
        let refused = |error: AdminError| error.into_response();
        let cx = cx.refreshed().await.map_err(|error| refused(error.into()))?;
        let cx = cx.ok_or_else(|| OAuthFailure::RealmNotFound.into_response())?;
        if !cx.snapshot().realm.enabled {
            return Err(refused(OAuthError::realm_not_enabled().into()));
        }
        let caller = Caller::of(app, parts);
        let kind = match parts.method {
            Method::POST => EventKind::ClientRegister,
            Method::PUT => EventKind::ClientUpdate,
            Method::DELETE => EventKind::ClientDelete,
            _ => EventKind::ClientInfo,
        };
        let bearer = bearer_of(app, &cx, &caller, &parts.headers, kind).await.map_err(refused)?;
        let cors = match foreign_origin(&parts.headers, &caller.base) {
            None => Cors::Silent,
            Some(_) => {
                let origins = registration::web_origins(&cx, &bearer).await.map_err(|error| refused(error.into()))?;
                let cors = Cors::for_origins(&parts.headers, &caller.base, &origins);
                cors.map_err(|invalid| refused(AdminError::Origin(invalid)))?
            }
        };
        Ok(Self { cx, bearer, base: caller.base, cors })
    }
}

async fn bearer_of(app: &App, cx: &Cx, caller: &Caller, headers: &HeaderMap, event: EventKind) -> Result<Bearer, AdminError> {
    let Some(token) = bearer(headers) else { return Ok(Bearer::Nobody) };
    let realm = &cx.snapshot().realm.name;
    let why = match registration::kind_of(cx, token).await? {
        Some(Kind::Initial { id, web_origins }) => return Ok(Bearer::Initial { id, web_origins }),
        Some(Kind::Registration(token)) => return Ok(Bearer::Client(token)),
        Some(Kind::Bearer) => match identify(app, caller, headers).await {
            Ok(administrator) => return Ok(Bearer::Administrator(administrator.roles_in(realm))),
            Err(AdminError::Unauthorized) => "Failed decode token",
            Err(error) => return Err(error),
        },
        Some(Kind::Other) => "Invalid type of token",
        None => "Failed decode token",
    };
    Err(registration::refused(cx, event, None, why).await?.into())
}

impl Registrar {
    /// Where the client stands, in one of the two languages.
    fn address(&self, provider: &str, client: &Client) -> String {
        let realm = path_segment(&self.cx.snapshot().realm.name);
        let id = path_segment(client.client_id.as_str());
        format!("{}/realms/{realm}/clients-registrations/{provider}/{id}", self.base)
    }

    fn answer(&self, mut response: Response) -> Response {
        self.cors.put_on(&mut response, "Location");
        response
    }

    fn made(&self, provider: &str, client: &Client, body: Map<String, Value>) -> Response {
        let mut response = plain(&Value::from(body));
        *response.status_mut() = StatusCode::CREATED;
        if let Ok(location) = HeaderValue::from_str(&self.address(provider, client)) {
            response.headers_mut().insert(LOCATION, location);
        }
        self.answer(response)
    }

    fn metadata(&self, registered: &Registered) -> Map<String, Value> {
        let mut body = client_metadata(registered.cx.snapshot(), &registered.client);
        body.insert("registration_client_uri".to_owned(), json!(self.address(OPENID, &registered.client)));
        if let Some(token) = &registered.token {
            body.insert("registration_access_token".to_owned(), json!(token));
        }
        body
    }
}

/// Keycloak answers the roles that an old field asked for: there are none.
fn represent(registered: &Registered) -> Map<String, Value> {
    let mut body = registered_client(registered.cx.snapshot(), &registered.client, registered.token.as_deref());
    body.insert("defaultRoles".to_owned(), json!([]));
    body
}

fn bad_metadata(text: &'static str) -> Refusal {
    Refusal::Protocol(OAuthError::new(400, OAuthErrorCode::InvalidClientMetadata, text))
}

async fn register(registrar: Registrar, Json(Small(given)): Json<Small<ClientRepresentation>>) -> Answer {
    let wish = given.to_registered(registrar.cx.entropy());
    let registered = registration::register(registrar.cx.clone(), &registrar.bearer, &wish).await?;
    Ok(registrar.made(DEFAULT, &registered.client, represent(&registered)))
}

async fn read(registrar: Registrar, Path((_, id)): Path<(String, String)>) -> Answer {
    let registered = registration::read(&registrar.cx, &registrar.bearer, &id).await?;
    Ok(registrar.answer(plain(&Value::from(represent(&registered)))))
}

async fn change(
    registrar: Registrar,
    Path((_, id)): Path<(String, String)>,
    Json(Small(given)): Json<Small<ClientRepresentation>>,
) -> Answer {
    let change = |cx: &Cx, client: &Client| Ok(given.put_whole(client, cx.entropy()));
    let registered = registration::change(registrar.cx.clone(), &registrar.bearer, &id, change).await?;
    Ok(registrar.answer(plain(&Value::from(represent(&registered)))))
}

async fn register_metadata(registrar: Registrar, Json(Small(given)): Json<Small<ClientMetadata>>) -> Answer {
    let wish = given.to_new(registrar.cx.entropy()).map_err(bad_metadata)?;
    let registered = registration::register(registrar.cx.clone(), &registrar.bearer, &wish).await?;
    let mut body = registrar.metadata(&registered);
    body.insert("client_id_issued_at".to_owned(), json!(registrar.cx.now.unix_seconds()));
    Ok(registrar.made(OPENID, &registered.client, body))
}

async fn read_metadata(registrar: Registrar, Path((_, id)): Path<(String, String)>) -> Answer {
    let registered = registration::read(&registrar.cx, &registrar.bearer, &id).await?;
    Ok(registrar.answer(plain(&Value::from(registrar.metadata(&registered)))))
}

async fn change_metadata(
    registrar: Registrar,
    Path((_, id)): Path<(String, String)>,
    Json(Small(given)): Json<Small<ClientMetadata>>,
) -> Answer {
    let change = |cx: &Cx, client: &Client| given.put_whole(cx.snapshot(), client).map_err(bad_metadata);
    let registered = registration::change(registrar.cx.clone(), &registrar.bearer, &id, change).await?;
    Ok(registrar.answer(plain(&Value::from(registrar.metadata(&registered)))))
}

async fn delete(registrar: Registrar, Path((_, id)): Path<(String, String)>) -> Answer {
    registration::delete(registrar.cx.clone(), &registrar.bearer, &id).await?;
    Ok(registrar.answer(done()))
}

/// For adapters that fetch their own file: by the client's credentials, by its token, or by nothing where the client is public.
async fn install(registrar: Registrar, headers: HeaderMap, Path((_, id)): Path<(String, String)>) -> Answer {
    let cx = &registrar.cx;
    let file = |cx: &Cx, client: &Client| {
        let file = adapter_file(cx.snapshot(), client, &registrar.base);
        registrar.answer(plain(&Value::from(file)))
    };
    if !matches!(registrar.bearer, Bearer::Nobody) {
        let registered = registration::read(cx, &registrar.bearer, &id).await?;
        return Ok(file(&registered.cx, &registered.client));
    }
    let Some(client) = cx.snapshot().client(&id) else {
        return Err(registration::read(cx, &Bearer::Nobody, &id).await.err().map_or(AdminError::Unauthorized, Into::into));
    };
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if authorization.is_none() && client.settings.public_client && client.enabled {
        return Ok(file(cx, client));
    }
    let mut proof = Proof::read(authorization, &Parameters::default());
    match authenticate(cx, &mut proof).await? {
        Ok(proven) if proven.uuid == client.uuid => Ok(file(cx, client)),
        _ => {
            let refused = registration::refused(cx, EventKind::ClientInfo, Some(&id), "Failed to authenticate client").await?;
            Err(refused.into())
        }
    }
}
