//! The authorization request (RFC 6749 §4.1.1, OIDC Core §3.1.2.1), read in stages.
//!
//! First the client and the redirect URI: until both are known, an error is a page, because nothing may be redirected to where
//! nobody vouched for. Then everything else: an error goes back to the client, with `iss` (RFC 9207). Each stage takes what the
//! stage before found, so the order is held by the types. Some errors stay pages although the client is known (Keycloak).

use std::sync::Arc;

use serde_json::Value;

use super::error::{OAuthError, OAuthErrorCode};
use super::form::Parameters;
use super::prompt::Prompt;
use super::response_mode::{Response, ResponseMode};
use super::{mapper, pkce, redirect_uri, scope};
use crate::model::authorization_code::Challenge;
use crate::model::{Client, RealmSnapshot};

/// An error that the user is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageError {
    pub status: u16,
    /// A message key of the pages.
    pub message: &'static str,
    pub argument: Option<&'static str>,
}

impl PageError {
    pub fn new(message: &'static str) -> Self {
        Self { status: 400, message, argument: None }
    }

    fn parameter(name: &'static str) -> Self {
        Self { status: 400, message: "invalidParameterMessage", argument: Some(name) }
    }
}

/// The client is known, and the address that answers go to is one of its own.
#[derive(Clone, Debug)]
pub struct Identified {
    pub client: Arc<Client>,
    pub redirect_uri: String,
    pub state: Option<String>,
}

/// A request that the user may be asked about.
#[derive(Clone, Debug)]
pub struct Valid {
    pub identified: Identified,
    pub mode: ResponseMode,
    pub scope: Option<String>,
    pub nonce: Option<String>,
    pub challenge: Option<Challenge>,
    pub prompt: Prompt,
    /// Seconds; a sign-in that is older has to be repeated.
    pub max_age: Option<i64>,
    pub login_hint: Option<String>,
    pub ui_locales: Option<String>,
    /// A level of authentication is asked for: the password is asked for again.
    pub asks_level: bool,
}

/// How a request that was identified may fail.
#[derive(Clone, Debug)]
pub enum Failure {
    Page(PageError),
    Redirect { error: OAuthError, mode: ResponseMode },
}

/// The first stage.
pub fn identify(realm: &RealmSnapshot, server: &str, parameters: &Parameters) -> Result<Identified, PageError> {
    if !realm.realm.enabled {
        return Err(PageError::new("realmNotEnabledMessage"));
    }
    let client_id = parameters.get("client_id").ok_or(PageError::new("invalidRequestMessage"))?;
    if count(parameters, "client_id") > 1 {
        return Err(PageError::new("invalidRequestMessage"));
    }
    let client = realm.client(client_id).ok_or(PageError::new("clientNotFoundMessage"))?;
    if !client.enabled {
        return Err(PageError::new("clientDisabledMessage"));
    }
    if !client.is_openid_connect() {
        return Err(PageError::new("wrongClientProtocolMessage"));
    }
    if client.settings.bearer_only {
        return Err(PageError { status: 403, ..PageError::new("bearerOnlyMessage") });
    }
    let asked = parameters.get("redirect_uri").filter(|_| count(parameters, "redirect_uri") == 1);
    let root = client.root_url(server);
    let redirect_uri = asked
        .filter(|uri| redirect_uri::matches(uri, &client.settings.redirect_uris, &root))
        .ok_or(PageError::parameter("redirect_uri"))?;
    let state = parameters.get("state").map(str::to_owned);
    Ok(Identified { client: Arc::clone(client), redirect_uri: redirect_uri.to_owned(), state })
}

fn count(parameters: &Parameters, name: &str) -> usize {
    parameters.occurrences(name)
}

/// The second stage.
pub fn validate(realm: &RealmSnapshot, identified: Identified, parameters: &Parameters) -> Result<Valid, (Identified, Failure)> {
    match check(realm, &identified, parameters) {
        Ok(checked) => Ok(checked.finish(realm, identified, parameters)),
        Err(failure) => Err((identified, failure)),
    }
}

struct Checked {
    mode: ResponseMode,
    challenge: Option<Challenge>,
    max_age: Option<i64>,
    asks_level: bool,
}

impl Checked {
    fn finish(self, realm: &RealmSnapshot, identified: Identified, parameters: &Parameters) -> Valid {
        let owned = |name: &str| parameters.filled(name).map(str::to_owned);
        let prompt = Prompt::parse(parameters.get("prompt"));
        Valid {
            identified,
            mode: self.mode,
            scope: parameters.get("scope").map(|scope| scope::of_prompted(realm, prompt, scope)),
            nonce: owned("nonce"),
            challenge: self.challenge,
            prompt,
            max_age: self.max_age,
            login_hint: owned("login_hint").filter(|h| h.len() <= 255),
            ui_locales: owned("ui_locales"),
            asks_level: self.asks_level,
        }
    }
}

fn check(realm: &RealmSnapshot, identified: &Identified, parameters: &Parameters) -> Result<Checked, Failure> {
    let client = &identified.client;
    let response_type = ResponseType::parse(parameters.get("response_type"));
    let default_mode = response_type.as_ref().map_or(ResponseMode::Query, ResponseType::default_mode);
    let back = |mode: ResponseMode| move |error: OAuthError| Failure::Redirect { error, mode };
    if parameters.get("request").is_some() || parameters.get("request_uri").is_some() {
        return Err(Failure::Page(PageError::new("invalidRequestMessage")));
    }
    if parameters.has_duplicates() {
        return Err(back(default_mode)(OAuthError::invalid_request("duplicated parameter")));
    }
    let response_type = response_type.map_err(back(ResponseMode::Query))?;
    let mode = response_mode(parameters, default_mode).map_err(back(default_mode))?;
    response_type.check(client, mode, parameters).map_err(back(mode))?;
    let max_age = max_age(parameters).map_err(Failure::Page)?;
    if Prompt::parse(parameters.get("prompt")).create && !realm.realm.settings.registration_allowed {
        return Err(Failure::Page(PageError::new("registrationNotAllowedMessage")));
    }
    scope::check(realm, client, parameters.get("scope")).map_err(back(mode))?;
    let challenge = pkce::challenge(client, parameters).map_err(back(mode))?;
    let asks_level = asks_level(realm, client, parameters).map_err(Failure::Page)?;
    Ok(Checked { mode, challenge, max_age, asks_level })
}

/// A number of seconds, possibly with a sign; anything else is no request.
fn max_age(parameters: &Parameters) -> Result<Option<i64>, PageError> {
    let Some(text) = parameters.filled("max_age") else { return Ok(None) };
    let number: i64 = text.parse().map_err(|_| PageError::new("invalidRequestMessage"))?;
    Ok(Some(number).filter(|n| *n >= 0))
}

fn response_mode(parameters: &Parameters, default: ResponseMode) -> Result<ResponseMode, OAuthError> {
    match parameters.filled("response_mode") {
        None => Ok(default),
        Some(text) => ResponseMode::parse(text).ok_or(OAuthError::invalid_request("Invalid parameter: response_mode")),
    }
}

/// Whether the request asks for a level of authentication, by `acr_values` or as an essential claim (OIDC Core §5.5.1.1).
fn asks_level(realm: &RealmSnapshot, client: &Client, parameters: &Parameters) -> Result<bool, PageError> {
    let claims: Option<Value> = parameters.filled("claims").and_then(|text| serde_json::from_str(text).ok());
    let acr = claims.as_ref().and_then(|c| c.pointer("/id_token/acr"));
    let essential = acr.is_some_and(|a| a.get("essential") == Some(&Value::Bool(true)));
    if essential {
        let values = acr.and_then(|a| a.get("values")).and_then(Value::as_array).cloned().unwrap_or_default();
        let names = mapper::level_names(realm, client);
        let known = |v: &Value| v.as_str().is_some_and(|v| v.parse::<i64>().is_ok() || names.iter().any(|(name, _)| name == v));
        if !values.is_empty() && !values.iter().any(known) {
            return Err(PageError::parameter("claims"));
        }
    }
    Ok(essential || parameters.filled("acr_values").is_some())
}

/// The words of `response_type`.
struct ResponseType {
    code: bool,
    token: bool,
    id_token: bool,
}

impl ResponseType {
    fn parse(parameter: Option<&str>) -> Result<Self, OAuthError> {
        let text = parameter.ok_or(OAuthError::invalid_request("Missing parameter: response_type"))?;
        let mut found = Self { code: false, token: false, id_token: false };
        for word in scope::words(text) {
            match word {
                "code" => found.code = true,
                "token" => found.token = true,
                "id_token" => found.id_token = true,
                _ => return Err(OAuthError::bare(400, OAuthErrorCode::UnsupportedResponseType)),
            }
        }
        if found.code || found.is_implicit() {
            Ok(found)
        } else {
            Err(OAuthError::bare(400, OAuthErrorCode::UnsupportedResponseType))
        }
    }

    fn is_implicit(&self) -> bool {
        self.token || self.id_token
    }

    fn default_mode(&self) -> ResponseMode {
        if self.is_implicit() { ResponseMode::Fragment } else { ResponseMode::Query }
    }

    /// Whether the client may have this; tokens from the authorization endpoint itself are not given by this server.
    fn check(&self, client: &Client, mode: ResponseMode, parameters: &Parameters) -> Result<(), OAuthError> {
        let refused = |flow: &str| {
            let text = format!(
                "Client is not allowed to initiate browser login with given response_type. {flow} flow is disabled for the client."
            );
            Err(OAuthError::new(400, OAuthErrorCode::UnauthorizedClient, text))
        };
        if self.is_implicit() && mode == ResponseMode::Query {
            return Err(OAuthError::invalid_request("Response_mode 'query' not allowed for implicit or hybrid flow"));
        }
        if self.code && !client.settings.standard_flow_enabled {
            return refused("Standard");
        }
        if self.is_implicit() && !client.settings.implicit_flow_enabled {
            return refused("Implicit");
        }
        if self.id_token && parameters.filled("nonce").is_none() {
            return Err(OAuthError::invalid_request("Missing parameter: nonce"));
        }
        if self.is_implicit() {
            return Err(OAuthError::bare(400, OAuthErrorCode::UnsupportedResponseType));
        }
        Ok(())
    }
}

impl Identified {
    /// An error on its way back to the client.
    pub fn refuse(&self, error: &OAuthError, mode: ResponseMode, issuer: &str) -> Response {
        let mut fields = vec![("error", error.code.as_str().to_owned())];
        if let Some(description) = &error.description {
            fields.push(("error_description", description.clone().into_owned()));
        }
        self.answer(fields, mode, issuer)
    }

    /// An answer with `state` and, unless the client will not have it, `iss` (RFC 9207).
    pub fn answer(&self, mut fields: Vec<(&'static str, String)>, mode: ResponseMode, issuer: &str) -> Response {
        if let Some(state) = &self.state {
            fields.push(("state", state.clone()));
        }
        if !self.client.flag("exclude.issuer.from.auth.response", false) {
            fields.push(("iss", issuer.to_owned()));
        }
        Response { redirect_uri: self.redirect_uri.clone(), mode, fields }
    }
}
