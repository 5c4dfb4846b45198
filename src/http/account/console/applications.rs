//! The page "Applications": what may act for the user, and the way to end it.

use axum::extract::Path;
use axum::response::Response;

use super::section::Section;
use super::visitor::{OwnForm, Visitor, device_name};
use crate::flow::account::applications::{self, Application};
use crate::flow::admin::offline_grant::OfflineGrant;
use crate::http::login::answer::client_url;
use crate::http::path_segment;
use crate::model::SessionId;
use crate::model::device::Device;
use crate::oidc::session_limits::{self, Lapse};
use crate::view::account::{Application as Card, Applications, Consented, OfflineCard, RemoveAccess};

pub(super) async fn list(visitor: Visitor) -> Response {
    let mut found = match applications::list(&visitor.cx, visitor.user()).await {
        Ok(found) => found,
        Err(error) => return visitor.pages.trouble(&error),
    };
    // What acts while the user is away comes first.
    found.sort_by_key(|a| (a.offline.is_empty(), a.consent.is_none()));
    visitor.pages.own_form(&Applications {
        account: visitor.shell(),
        offline_count: found.iter().filter(|a| !a.offline.is_empty()).count(),
        applications: found.iter().map(|application| card(&visitor, application)).collect(),
    })
}

fn card(visitor: &Visitor, application: &Application) -> Card {
    let snapshot = visitor.cx.snapshot();
    let client = &application.client;
    let filled = |text: Option<&str>| text.filter(|t| !t.is_empty()).map(str::to_owned);
    let is_removable = visitor.may_manage() && (application.consent.is_some() || !application.offline.is_empty());
    Card {
        name: client.display_name().to_owned(),
        description: filled(client.settings.description.as_deref()),
        url: client_url(&visitor.cx, client),
        in_use: application.in_use,
        consented: application.consent.as_ref().map(|consent| Consented {
            since: consent.created_at.unix_seconds(),
            scopes: consent.scopes.iter().filter_map(|id| snapshot.scopes.get(id)).map(|s| s.consent_text().to_owned()).collect(),
        }),
        offline: application.offline.iter().map(|grant| offline_card(visitor, application, grant)).collect(),
        remove: is_removable.then(|| remove_address(visitor, client.client_id.as_str())),
    }
}

fn remove_address(visitor: &Visitor, client_id: &str) -> String {
    visitor.at(&format!("/applications/{}/remove", path_segment(client_id)))
}

fn offline_card(visitor: &Visitor, application: &Application, grant: &OfflineGrant) -> OfflineCard {
    let now = visitor.cx.now.unix_seconds();
    let end = || {
        let (client, session) = (application.client.client_id.as_str(), grant.found.session.as_str());
        visitor.at(&format!("/applications/{}/grants/{}/end", path_segment(client), path_segment(session)))
    };
    let last_used_at = grant.found.last_used_at.unix_seconds();
    OfflineCard {
        device: device_name(&Device::of(&grant.found.user_agent)),
        ip_address: grant.found.ip_address.clone(),
        granted_at: grant.found.granted_at.unix_seconds(),
        last_used_ago: now.saturating_sub(last_used_at),
        last_used_at,
        ends_at: grant.end.at.unix_seconds(),
        ends_in: grant.end.at.unix_seconds().saturating_sub(now),
        at_the_latest: grant.end.by == Lapse::Max,
        end: (application.offline.len() > 1 && visitor.may_manage()).then(end),
    }
}

/// Says what stops working, before it does.
pub(super) async fn ask(visitor: Visitor, Path((_, client_id)): Path<(String, String)>) -> Response {
    let application = match applications::find(&visitor.cx, visitor.user(), &client_id).await {
        Ok(Some(application)) => application,
        Ok(None) => return visitor.pages.not_found(),
        Err(error) => return visitor.pages.trouble(&error),
    };
    let lifespan = session_limits::access_token_lifespan(visitor.cx.settings(), &application.client);
    visitor.pages.own_form(&RemoveAccess {
        account: visitor.shell(),
        action: remove_address(&visitor, &client_id),
        back: Section::Applications.address(&visitor.cx),
        name: application.client.display_name().to_owned(),
        offline_count: application.offline.len(),
        has_consent: application.consent.is_some(),
        still_works: i64::try_from(lifespan.as_secs()).unwrap_or(i64::MAX),
    })
}

/// Ends one grant of several.
pub(super) async fn end_grant(
    Path((_, client_id, session)): Path<(String, String, String)>,
    OwnForm { visitor, .. }: OwnForm,
) -> Response {
    let Some(client) = visitor.cx.snapshot().client(&client_id) else { return visitor.pages.not_found() };
    match applications::end_grant(&visitor.cx, visitor.user(), client, &SessionId::new(session)).await {
        Ok(true) => visitor.done(Section::Applications, "grant-ended"),
        Ok(false) => visitor.pages.not_found(),
        Err(error) => visitor.pages.trouble(&error),
    }
}

pub(super) async fn remove(Path((_, client_id)): Path<(String, String)>, OwnForm { visitor, .. }: OwnForm) -> Response {
    let Some(client) = visitor.cx.snapshot().client(&client_id) else { return visitor.pages.not_found() };
    match applications::remove_access(&visitor.cx, visitor.user(), client).await {
        Ok(_) => visitor.done(Section::Applications, "removed"),
        Err(error) => visitor.pages.trouble(&error),
    }
}
