//! The pages that people see: a typed context for each, a sample of it, and the template that shows it.
//!
//! A page says what stands on it; its template says how; the message files say it in a language. Nothing in here decides
//! anything, reads a request or knows a route: every address comes from the handler that shows the page. Every value is
//! escaped, no page needs JavaScript, and none but the adapter pages has a script or style of its own in it, so that the
//! strictest Content-Security-Policy fits (OWASP ASVS 3.4.3). A theme is a folder that mirrors `templates/` and `static/`.

pub mod account;
mod adapter_page;
mod assets;
mod configure_totp;
mod consent;
mod embedded;
mod engine;
mod error;
mod forgotten_password;
mod form_post;
mod frontchannel_logout;
mod info;
mod letter;
mod locale;
mod login;
mod logout_confirm;
mod message;
mod messages;
mod one_time_code;
mod oob;
mod profile_field;
mod register;
mod session_iframe;
mod templates;
mod theme;
mod third_party_cookies;
mod update_password;
mod update_profile;
mod verify_email;

#[cfg(test)]
mod tests;

pub use adapter_page::AdapterPage;
pub use assets::{Asset, Assets};
pub use configure_totp::ConfigureTotp;
pub use consent::{Consent, OfflineTerms, ScopeText};
pub use error::Error;
pub use forgotten_password::ForgottenPassword;
pub use form_post::FormPost;
pub use frontchannel_logout::{FrontchannelLogout, ToldClient};
pub use info::{Info, Link};
pub use letter::{Letter, Written};
pub use locale::choose_locale;
pub use login::Login;
pub use logout_confirm::LogoutConfirm;
pub use message::Message;
pub use one_time_code::{CodeDevice, OneTimeCode};
pub use oob::Oob;
pub use profile_field::{FieldKind, ProfileField};
pub use register::Register;
pub use session_iframe::SESSION_IFRAME;
pub use templates::{Page, Shell, Templates, ViewError};
pub use third_party_cookies::{THIRD_PARTY_COOKIES_STEP1, THIRD_PARTY_COOKIES_STEP2};
pub use update_password::UpdatePassword;
pub use update_profile::UpdateProfile;
pub use verify_email::VerifyEmail;
