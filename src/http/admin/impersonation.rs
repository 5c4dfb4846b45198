//! `/users/{id}/impersonation`: the caller's browser is signed in as the user.

use axum::extract::{Path, State};
use serde_json::json;

use super::answer::{Answer, shown};
use super::routes::{Routes, post};
use super::user::user_of;
use super::{Admin, Permission, handing_out};
use crate::flow::admin::impersonation::{self, Impersonation};
use crate::http::error::AdminError;
use crate::http::login::keep;
use crate::http::state::App;
use crate::store::StoreError;

pub(super) fn routes() -> Routes {
    Routes::new().route("/{realm}/users/{id}/impersonation", post(begin))
}

#[derive(Debug)]
struct Impersonate;

impl Permission for Impersonate {
    const ANY_OF: &'static [&'static str] = &["impersonation"];
}

/// Whoever may become somebody holds what that one holds: nobody becomes an administrator of more than he is.
async fn begin(admin: Admin<Impersonate>, State(app): State<App>, Path((_, id)): Path<(String, String)>) -> Answer {
    let user = user_of(&admin, &id).await?;
    let cx = &admin.cx;
    if !user.enabled {
        return Err(AdminError::bad_request("User is disabled"));
    }
    if user.service_account_of.is_some() {
        return Err(AdminError::bad_request("Service account cannot be impersonated"));
    }
    if !handing_out::allows(&admin, cx.snapshot().roles_of(&user)) {
        return Err(AdminError::Forbidden);
    }
    let own_realm = &admin.administrator.own_cx().snapshot().realm;
    let who = Impersonation { user: &user, administrator: admin.administrator.user(), realm_of_administrator: &own_realm.name };
    let Some((_, kept)) = impersonation::begin(cx, who).await? else { return Err(StoreError::Busy.into()) };
    let same_realm = own_realm.id == cx.snapshot().realm.id;
    let mut response = shown(&json!({"sameRealm": same_realm, "redirect": format!("{}/account", cx.issuer)}));
    keep(&app, cx, &[kept], &mut response);
    Ok(response)
}
