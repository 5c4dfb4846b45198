//! What events say of a refresh, and of the token that was presented.

use serde_json::{Map, Value};

use super::open::type_name;
use crate::flow::context::Cx;
use crate::flow::event;
use crate::oidc::refresh_token::PresentedRefreshToken;
use crate::oidc::rotation::Outcome as RotationOutcome;

/// What events say of a token that was presented.
pub(super) fn presented(token: &PresentedRefreshToken) -> Map<String, Value> {
    let mut details = Map::new();
    details.insert("refresh_token_id".to_owned(), Value::from(token.id.as_str()));
    details.insert("refresh_token_type".to_owned(), Value::from(type_name(token.kind)));
    event::put(&mut details, "refresh_token_sub", token.subject.as_deref());
    details
}

/// The same of one that was answered.
pub(super) fn refreshed(
    cx: &Cx,
    token: &PresentedRefreshToken,
    answer_scope: &str,
    outcome: RotationOutcome,
) -> Map<String, Value> {
    let mut details = presented(token);
    event::put(&mut details, "scope", Some(answer_scope));
    event::put(&mut details, "age_of_refresh_token", Some((cx.now.unix_seconds() - token.issued_at).to_string()));
    event::put(&mut details, "replay", (outcome == RotationOutcome::Replayed).then_some("true"));
    event::put(&mut details, "alarm", (outcome == RotationOutcome::Ahead).then_some("state behind token"));
    details
}
