//! The realm that the path names, with everything that use cases need to know of the request.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use super::caller::Caller;
use crate::flow::Cx;
use crate::http::error::{OAuthFailure, PageFailure, Pages};
use crate::http::state::App;
use crate::store::StoreError;

/// The request as use cases see it; `None` where there is no such realm.
pub(crate) async fn cx_of(app: &App, caller: &Caller, realm_name: &str) -> Result<Option<Cx>, StoreError> {
    let server = &app.server;
    let Some(realm) = server.realms.get(&server.store, realm_name).await? else { return Ok(None) };
    Ok(Some(Cx {
        server: server.clone(),
        realm,
        now: server.clock.now(),
        issuer: caller.issuer(realm_name),
        origin: caller.origin.clone(),
        admin: None,
    }))
}

async fn of_path(parts: &mut Parts, app: &App) -> Result<Option<Cx>, StoreError> {
    let Ok(parameters) = RawPathParams::from_request_parts(parts, app).await else { return Ok(None) };
    let Some((_, name)) = parameters.iter().find(|(name, _)| *name == "realm") else { return Ok(None) };
    cx_of(app, &Caller::of(app, parts), name).await
}

/// For endpoints that programs call: failures are JSON.
pub(crate) struct RealmCx(pub Cx);

impl FromRequestParts<App> for RealmCx {
    type Rejection = OAuthFailure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, OAuthFailure> {
        of_path(parts, app).await?.map(Self).ok_or(OAuthFailure::RealmNotFound)
    }
}

/// For endpoints that people see: failures are pages. The realm is as it stands in the database now, since what a page says is
/// decided on it.
pub(crate) struct PageCx(pub Cx);

impl FromRequestParts<App> for PageCx {
    type Rejection = PageFailure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PageFailure> {
        let pages = || Box::new(Pages::without_realm(app, &parts.headers));
        let (missing, broken) = (pages(), pages());
        let found = match of_path(parts, app).await {
            Ok(Some(cx)) => cx.refreshed().await,
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        match found {
            Ok(Some(cx)) => Ok(Self(cx)),
            Ok(None) => Err(PageFailure::RealmNotFound(missing)),
            Err(error) => Err(PageFailure::Store(broken, error)),
        }
    }
}
