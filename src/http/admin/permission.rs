//! What a caller has to be allowed: as the type of a handler's argument, so that no handler can forget it.

use std::collections::HashSet;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use super::answer::last_segment;
use super::authenticate::Administrator;
use crate::flow::Cx;
use crate::flow::admin_request::{AdminRequest, Sent};
use crate::http::error::AdminError;
use crate::http::extract::{Caller, cx_of};
use crate::http::state::App;

/// Roles of which one is enough.
pub(crate) trait Permission: Send + Sync + 'static {
    const ANY_OF: &'static [&'static str];
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $roles:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name;
        impl Permission for $name {
            const ANY_OF: &'static [&'static str] = &$roles;
        }
    )+};
}

permissions! {
    /// Any administrative role of the realm.
    AnyRole = [];
    ViewRealm = ["view-realm", "manage-realm"];
    ManageRealm = ["manage-realm"];
    QueryUsers = ["query-users", "view-users", "manage-users"];
    ViewUsers = ["view-users", "manage-users"];
    ManageUsers = ["manage-users"];
    QueryGroups = ["query-groups", "view-users", "manage-users"];
    QueryClients = ["query-clients", "view-clients", "manage-clients"];
    ViewClients = ["view-clients", "manage-clients"];
    ManageClients = ["manage-clients"];
    ViewEvents = ["view-events", "manage-events"];
    ManageEvents = ["manage-events"];
}

/// An administrator who may do `P` in the realm of the path. The realm is as it stands in the database now.
pub(crate) struct Admin<P> {
    /// The request in the addressed realm.
    pub cx: Cx,
    pub administrator: Administrator,
    /// The address of the server, for `Location`.
    pub base: String,
    /// The address that was asked, to go on from to what is made there.
    address: String,
    permission: PhantomData<P>,
}

impl<P> Admin<P> {
    /// The address of what is made here, by its id or name.
    pub(crate) fn below(&self, id: &str) -> String {
        format!("{}/{}", self.address, last_segment(id))
    }

    pub(crate) fn has_any_of(&self, roles: &[&str]) -> bool {
        let held = self.administrator.roles_in(&self.cx.snapshot().realm.name);
        roles.iter().any(|r| held.contains(*r))
    }
}

impl<P: Permission> FromRequestParts<App> for Admin<P> {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AdminError> {
        let administrator = parts.extensions.get::<Administrator>().cloned().ok_or(AdminError::Unauthorized)?;
        let caller = Caller::of(app, parts);
        let parameters =
            RawPathParams::from_request_parts(parts, app).await.map_err(|_| AdminError::NotFound("Realm not found."))?;
        let name = parameters.iter().find(|(name, _)| *name == "realm").map(|(_, value)| value.to_owned());
        let name = name.ok_or(AdminError::NotFound("Realm not found."))?;
        let cx = cx_of(app, &caller, &name).await?.ok_or(AdminError::NotFound("Realm not found."))?;
        let cx = cx.refreshed().await?.ok_or(AdminError::NotFound("Realm not found."))?;
        let held = administrator.roles_in(&name);
        let allowed = if P::ANY_OF.is_empty() { sees_realm(&held) } else { P::ANY_OF.iter().any(|r| held.contains(*r)) };
        if !allowed {
            return Err(AdminError::Forbidden);
        }
        let sent = Sent::default();
        // Whoever reads the body leaves it there, for an event to tell of it.
        if cx.settings().admin_events_enabled && cx.settings().admin_events_details {
            parts.extensions.insert(sent.clone());
        }
        let address = format!("{}/admin/realms{}", caller.base, parts.uri.path().trim_end_matches('/'));
        let request = AdminRequest { auth: administrator.auth_details(), path: below_realm(parts.uri.path()), sent };
        let cx = Cx { admin: Some(Arc::new(request)), ..cx };
        Ok(Self { cx, administrator, base: caller.base, address, permission: PhantomData })
    }
}

/// Whether these roles let their holder know of the realm at all. Becoming others alone does not.
pub(super) fn sees_realm(held: &HashSet<String>) -> bool {
    held.iter().any(|role| role != "impersonation")
}

/// The address below the realm's: `/demo/users/1` is `users/1` of it.
fn below_realm(path: &str) -> String {
    let below = path.trim_matches('/').split_once('/').map_or("", |(_, below)| below);
    percent_encoding::percent_decode_str(below).decode_utf8_lossy().into_owned()
}
