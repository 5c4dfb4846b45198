//! What is left to do for a user who has proved to be the one: the required actions that this server can carry out. Others wait
//! until it can.

use super::admin::user::fields;
use super::browser::PageStep;
use super::context::Cx;
use crate::model::User;
use crate::model::user::{CONFIGURE_TOTP, UPDATE_PASSWORD, UPDATE_PROFILE, VERIFY_EMAIL, VERIFY_PROFILE};
use crate::oidc::user_profile::{self, Editor};
use crate::oidc::user_rules::{self, Violation};

/// The required actions that can be carried out.
pub const KNOWN: [&str; 5] = [UPDATE_PROFILE, VERIFY_EMAIL, CONFIGURE_TOTP, UPDATE_PASSWORD, VERIFY_PROFILE];

/// The next thing to do, in the order of the realm's required actions; one that is switched off is asked of nobody. `of_tab` are
/// actions that the link of a letter asks for, beside what the user is asked for anyhow.
pub fn next(cx: &Cx, user: &User, of_tab: &[String]) -> Option<PageStep> {
    let listed = |name: &str| user.required_actions.iter().chain(of_tab).any(|action| action == name);
    let step = |action: &str| match action {
        UPDATE_PROFILE => listed(action).then_some(PageStep::UpdateProfile),
        VERIFY_EMAIL => {
            let is_owed = owes_proof_of_address(cx, user) || listed(action) && can_prove_address(user);
            is_owed.then_some(PageStep::VerifyEmail)
        }
        CONFIGURE_TOTP => listed(action).then_some(PageStep::ConfigureTotp),
        UPDATE_PASSWORD => listed(action).then_some(PageStep::UpdatePassword),
        VERIFY_PROFILE => (!is_profile_complete(cx, user)).then_some(PageStep::VerifyProfile),
        _ => None,
    };
    cx.settings().required_actions.iter().filter(|action| action.enabled).find_map(|action| step(&action.provider_id))
}

fn can_prove_address(user: &User) -> bool {
    !user.email_verified && user.email.is_some()
}

/// Whether the realm wants the address proved and it is not.
pub fn owes_proof_of_address(cx: &Cx, user: &User) -> bool {
    cx.settings().verify_email && can_prove_address(user)
}

/// Whether the profile is as the realm wants it, as far as the user can do anything about it. The first administrators have none.
pub fn is_profile_complete(cx: &Cx, user: &User) -> bool {
    cx.snapshot().realm.is_master() || profile_gaps(cx, user).is_empty()
}

/// What is wrong with the profile that the user can put right.
pub fn profile_gaps(cx: &Cx, user: &User) -> Vec<Violation> {
    let profile = cx.snapshot().realm.user_profile.as_ref();
    let mut gaps = user_rules::check(profile, Editor::User, &fields(user));
    gaps.retain(|gap| can_mend(cx, &gap.field));
    gaps
}

/// Whether the form of the profile has a field of this name that users write in. It has none for the language, which pages offer,
/// and none for what the profile does not name.
pub fn can_mend(cx: &Cx, field: &str) -> bool {
    let is_named = BASE.contains(&field) || user_profile::names(cx.snapshot().realm.user_profile.as_ref(), field);
    field != "locale" && is_named && may_change(cx, field)
}

/// The fields of a profile that are no attributes.
const BASE: [&str; 4] = ["username", "email", "firstName", "lastName"];

/// Whether users write this field of their own, once they are there.
pub fn may_change(cx: &Cx, field: &str) -> bool {
    let (profile, settings) = (cx.snapshot().realm.user_profile.as_ref(), cx.settings());
    if field == "username" && (!settings.edit_username_allowed || settings.registration_email_as_username) {
        return false;
    }
    (profile.is_none() && BASE.contains(&field)) || user_profile::may_edit(profile, Editor::User, field)
}

/// What is asked of the user and done already: an address that was proved by other ways, a profile that is complete.
pub(super) fn settled(user: &User) -> Vec<&'static str> {
    let done = [(VERIFY_EMAIL, user.email_verified), (VERIFY_PROFILE, true)];
    let is_asked = |action: &str| user.required_actions.iter().any(|asked| asked == action);
    done.into_iter().filter(|(action, is_done)| *is_done && is_asked(action)).map(|(action, _)| action).collect()
}
