//! The page "Signed-in devices".

use axum::extract::Path;
use axum::response::Response;

use super::section::Section;
use super::visitor::{OwnForm, Visitor, device_name};
use crate::flow::account::sessions::{self, OwnSession};
use crate::http::path_segment;
use crate::model::device::Device;
use crate::model::{SessionId, SessionKind};
use crate::view::account::{Device as Card, Devices};

pub(super) async fn list(visitor: Visitor) -> Response {
    let mut found = match sessions::list(&visitor.cx, visitor.user(), SessionKind::Online).await {
        Ok(found) => found,
        Err(error) => return visitor.pages.trouble(&error),
    };
    found.sort_by_key(|s| !is_current(&visitor, s));
    let has_others = visitor.may_manage() && found.iter().any(|s| !is_current(&visitor, s));
    visitor.pages.own_form(&Devices {
        account: visitor.shell(),
        end_others: has_others.then(|| visitor.at("/devices/end-others")),
        sessions: found.iter().map(|session| card(&visitor, session)).collect(),
    })
}

fn is_current(visitor: &Visitor, session: &OwnSession) -> bool {
    session.listed.id == visitor.present.session.id
}

fn card(visitor: &Visitor, session: &OwnSession) -> Card {
    let listed = &session.listed;
    let device = Device::of(&listed.user_agent);
    let current = is_current(visitor, session);
    let known = listed.clients.iter().filter_map(|uuid| visitor.cx.snapshot().clients.get(uuid));
    let end = || visitor.at(&format!("/devices/{}/end", path_segment(listed.id.as_str())));
    Card {
        name: device_name(&device),
        mobile: device.mobile,
        current,
        ip_address: listed.ip_address.clone(),
        started_at: listed.started_at.unix_seconds(),
        last_used_ago: visitor.cx.now.unix_seconds().saturating_sub(listed.last_access_at.unix_seconds()),
        ends_at: session.ends_at.unix_seconds(),
        clients: known.map(|client| client.display_name().to_owned()).collect(),
        end: (!current && visitor.may_manage()).then(end),
    }
}

pub(super) async fn end(Path((_, id)): Path<(String, String)>, OwnForm { visitor, .. }: OwnForm) -> Response {
    match sessions::sign_out(&visitor.cx, visitor.user(), &SessionId::new(id)).await {
        Ok(true) => visitor.done(Section::Devices, "ended"),
        // It ended by itself, or by the first of two clicks: the list shows it.
        Ok(false) => visitor.back(Section::Devices),
        Err(error) => visitor.pages.trouble(&error),
    }
}

/// Offline access stays: it is ended where it is shown, with the applications.
pub(super) async fn end_others(OwnForm { visitor, .. }: OwnForm) -> Response {
    let own = visitor.present.session.id.clone();
    match sessions::sign_out_others(&visitor.cx, visitor.user(), &own).await {
        Ok(()) => visitor.done(Section::Devices, "ended-others"),
        Err(error) => visitor.pages.trouble(&error),
    }
}
