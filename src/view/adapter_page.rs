//! Pages that no person sees: browser adapters such as keycloak-js load them in hidden frames and talk to their script.
//!
//! They are protocol, not looks: no theme changes them, no value is put into them, and their script stands in the page, since
//! a frame that is loaded at every start of a client should cost one request. They must be frameable from anywhere.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::base::sha256;

/// A fixed page with one inline script.
#[derive(Clone, Copy, Debug)]
pub struct AdapterPage {
    html: &'static str,
}

impl AdapterPage {
    pub(super) const fn new(html: &'static str) -> Self {
        Self { html }
    }

    pub fn html(&self) -> &'static str {
        self.html
    }

    /// What a Content-Security-Policy has to allow as `script-src`: `'sha256-…'` (CSP Level 3 §2.3.1).
    pub fn script_source(&self) -> String {
        format!("'sha256-{}'", STANDARD.encode(sha256(self.script().as_bytes())))
    }

    fn script(&self) -> &'static str {
        let inner = self.html.split_once("<script>").and_then(|(_, rest)| rest.split_once("</script>"));
        inner.expect("the tests find one script in each of the constants").0
    }
}

#[cfg(test)]
mod tests {
    use crate::view::{SESSION_IFRAME, THIRD_PARTY_COOKIES_STEP1, THIRD_PARTY_COOKIES_STEP2};

    #[test]
    fn each_page_has_one_script_and_nothing_from_elsewhere() {
        for page in [SESSION_IFRAME, THIRD_PARTY_COOKIES_STEP1, THIRD_PARTY_COOKIES_STEP2] {
            assert_eq!(page.html().matches("<script").count(), 1);
            assert!(page.script().starts_with("\n\"use strict\";"));
            assert!(!page.html().contains("src=") && !page.html().contains("href="));
            assert!(page.script_source().starts_with("'sha256-") && page.script_source().len() == 53);
        }
    }

    #[test]
    fn the_pages_speak_the_protocol_of_the_adapters() {
        let holds = |html: &str, words: &[&str]| words.iter().all(|w| html.contains(w));
        assert!(holds(
            SESSION_IFRAME.html(),
            &["postMessage", "\"changed\"", "\"unchanged\"", "\"error\"", "KEYCLOAK_SESSION", "SHA-384"]
        ));
        assert!(holds(THIRD_PARTY_COOKIES_STEP1.html(), &["KEYCLOAK_3P_COOKIE=", "KEYCLOAK_3P_COOKIE_SAMESITE=", "step2.html"]));
        assert!(holds(THIRD_PARTY_COOKIES_STEP2.html(), &["\"supported\"", "\"unsupported\"", "postMessage"]));
    }
}
