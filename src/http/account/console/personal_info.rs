//! The page "Personal info".

use axum::response::Response;

use super::section::Section;
use super::visitor::{OwnForm, Visitor};
use crate::flow::account::profile::{self, Profile, Refusal};
use crate::model::User;
use crate::oidc::user_profile::{self, Editor, default_profile};
use crate::oidc::user_rules::Violation;
use crate::view::Message;
use crate::view::account::{Field, PersonalInfo};

/// The fields of the page, and what browsers fill in.
const FIELDS: [(&str, &str); 4] =
    [("username", "username"), ("email", "email"), ("firstName", "given-name"), ("lastName", "family-name")];

pub(super) async fn show(visitor: Visitor) -> Response {
    let profile = of_user(visitor.user());
    page(&visitor, &profile, &[])
}

pub(super) async fn save(OwnForm { visitor, form }: OwnForm) -> Response {
    let sent = |name: &str| form.get(name).map(str::to_owned);
    let profile = Profile {
        username: sent("username"),
        email: sent("email"),
        first_name: sent("firstName"),
        last_name: sent("lastName"),
        // The page does not show them, so they stay.
        attributes: None,
    };
    let violations = match profile::update(&visitor.cx, visitor.user(), &profile).await {
        Ok(Ok(())) => return visitor.done(Section::PersonalInfo, "saved"),
        Ok(Err(Refusal::Invalid(violations))) => violations,
        Ok(Err(Refusal::SameUsername)) => vec![Violation::new("username", "usernameExistsMessage", Vec::new())],
        Ok(Err(Refusal::SameEmail)) => vec![Violation::new("email", "emailExistsMessage", Vec::new())],
        Ok(Err(Refusal::NotFound)) => return visitor.no_access(),
        Err(error) => return visitor.pages.trouble(&error),
    };
    page(&visitor, &profile, &violations)
}

fn of_user(user: &User) -> Profile {
    Profile {
        username: Some(user.username.clone()),
        email: user.email.clone(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        attributes: None,
    }
}

fn page(visitor: &Visitor, profile: &Profile, violations: &[Violation]) -> Response {
    let default = default_profile();
    let stored = visitor.cx.snapshot().realm.user_profile.as_ref().unwrap_or(&default);
    let edits_name = visitor.cx.settings().edit_username_allowed;
    let value = |name: &str| match name {
        "username" => profile.username.clone(),
        "email" => profile.email.clone(),
        "firstName" => profile.first_name.clone(),
        _ => profile.last_name.clone(),
    };
    let fields = FIELDS.into_iter().filter(|(name, _)| user_profile::users_may_view(Some(stored), name));
    let fields = fields.map(|(name, autocomplete)| Field {
        name: name.to_owned(),
        label: user_profile::display_name(stored, name).unwrap_or(name).to_owned(),
        value: value(name).unwrap_or_default(),
        autocomplete,
        required: user_profile::is_required(stored, Editor::User, name),
        read_only: !visitor.may_manage()
            || name == "username" && !edits_name
            || !user_profile::may_edit(Some(stored), Editor::User, name),
        error: violations.iter().find(|v| v.field == name).map(|v| Message::new(v.message)),
    });
    visitor.pages.own_form(&PersonalInfo {
        account: visitor.shell(),
        action: Section::PersonalInfo.address(&visitor.cx),
        fields: fields.collect(),
        error: (!violations.is_empty()).then(|| Message::new("accountNotUpdatedMessage")),
    })
}
