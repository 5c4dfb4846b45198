//! The two pages by which keycloak-js finds out whether the browser lets a third party have cookies.
//!
//! The first sets two and goes on to `step2.html` beside it; the second looks whether one is there, removes them and posts
//! `supported` or `unsupported` to the page around it. Without that message an adapter's start fails after ten seconds.

use super::AdapterPage;

/// `…/protocol/openid-connect/3p-cookies/step1.html`
pub const THIRD_PARTY_COOKIES_STEP1: AdapterPage =
    AdapterPage::new(include_str!("../../templates/adapter/3p-cookies-step1.html"));

/// `…/protocol/openid-connect/3p-cookies/step2.html`
pub const THIRD_PARTY_COOKIES_STEP2: AdapterPage =
    AdapterPage::new(include_str!("../../templates/adapter/3p-cookies-step2.html"));
