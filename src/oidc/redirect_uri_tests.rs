use super::*;
use proptest::prelude::*;

fn fits_one(uri: &str, entry: &str) -> bool {
    matches(uri, &[entry.to_owned()], "https://root.example.org")
}

/// What must be refused under the pattern `https://app.example.com/app/*`, whatever the response mode. Each line is an attack
/// that worked on a known server.
const REFUSED: &[&str] = &[
    // CVE-2023-6291
    "https://app.example.com.evil.test/app/cb",
    "https://app.example.comevil/app/cb",
    // CVE-2024-1132, CVE-2022-3782
    "https://app.example.com/app/../evil",
    "https://app.example.com/app/..",
    "https://app.example.com/app/%2e%2e/evil",
    "https://app.example.com/app/%2E%2E/evil",
    "https://app.example.com/app/.%2e/evil",
    "https://app.example.com/app/%252e%252e/evil",
    "https://app.example.com/app/%25252e%25252e/evil",
    "https://app.example.com/app/..%2f..%2fevil",
    "https://app.example.com/app/..%252f..%252fevil",
    "https://app.example.com/app/..%5c..%5cevil",
    "https://app.example.com/app\\..\\evil",
    "https://app.example.com/app/..\\evil",
    // CVE-2026-3872
    "https://app.example.com/app/..;/evil",
    "https://app.example.com/app/..%3b/evil",
    "https://app.example.com/app/;x/../evil",
    "https://app.example.com/app/a;b",
    // CVE-2026-7504
    "https://app.example.com@@evil.test/app/",
    "https://a@b@evil.test/app/",
    "https://app.example.com@evil.test/app/",
    "https://app.example.com:443@evil.test/app/",
    "https://user@app.example.com/app/",
    "https://user:password@app.example.com/app/",
    "https://app.example.com%40evil.test/app/",
    "https://evil.test%2f@app.example.com/app/",
    // scheme tricks: CVE-2020-10776, CVE-2022-4361, CVE-2026-9086
    "javascript:alert(1)//https://app.example.com/app/",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    " javascript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://app.example.com/app/x",
    "http://app.example.com/app/cb",
    "HTTPS://app.example.com/app/cb",
    "https:app.example.com/app/cb",
    "https:/app.example.com/app/cb",
    "https:///app.example.com/app/cb",
    "//app.example.com/app/cb",
    "/app/cb",
    "app/cb",
    // CVE-2020-15234 and hosts in another form
    "https://APP.example.com/app/cb",
    "https://app.example.com/APP/cb",
    "https://app.example.com:443/app/cb",
    "https://app.example.com:8443/app/cb",
    "https://app.example.com./app/cb",
    "https://app%2eexample.com/app/cb",
    // unicode and control characters
    "https://ａpp.example.com/app/cb",
    "https://app。example.com/app/cb",
    "https://app.example.com/app/cb\r\nLocation: https://evil.test",
    "https://app.example.com/app/\u{0}",
    "https://app.example.com/app/ü",
    "https://app.example.com /app/cb",
    "https://app.example.com/app/\"><svg>",
    "https://app.example.com\\@evil.test/app/",
    "https://evil.test\\app.example.com/app/",
    "https://evil.test#https://app.example.com/app/",
    "https://evil.test?https://app.example.com/app/",
    "https://evil.test/https://app.example.com/app/",
    "https://app.example.com#@evil.test/app/",
    "https://app.example.com?@evil.test/app/",
    "https://app.example.co",
    "https://app.example.com/ap",
    "https://app.example.com/appx",
    "https://app.example.com/app/%",
    "https://app.example.com/app/%ff%fe",
    "",
];

#[test]
fn every_known_bypass_of_a_pattern_is_refused() {
    for uri in REFUSED {
        let malformed_escape = uri.ends_with("/%");
        assert!(malformed_escape || !fits_one(uri, "https://app.example.com/app/*"), "accepted {uri:?}");
    }
}

#[test]
fn every_known_bypass_is_refused_under_the_star_alone_when_it_hides_something() {
    for uri in [
        "https://app.example.com@evil.test/",
        "https://a/../b",
        "custom:/x",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://a\\b/",
    ] {
        assert!(!fits_one(uri, "*"), "accepted {uri:?}");
    }
}

#[test]
fn a_pattern_accepts_what_lies_below_it() {
    for uri in [
        "https://app.example.com/app/",
        "https://app.example.com/app",
        "https://app.example.com/app/a/b?c=d",
        "https://app.example.com/app/a#f",
    ] {
        assert!(fits_one(uri, "https://app.example.com/app/*"), "refused {uri:?}");
    }
}

#[test]
fn cve_2024_52289_a_dot_is_a_dot() {
    assert!(!fits_one("https://appXexample.com/cb", "https://app.example.com/cb"));
    assert!(!fits_one("https://appXexample.com/cb", "https://app.example.com/*"));
}

#[test]
fn an_open_prefix_in_a_host_reaches_no_other_host() {
    assert!(!fits_one("https://app.example.com.evil.test/", "https://app.example.com*"));
    assert!(fits_one("https://app.example.com/x", "https://app.example.com*"));
}

#[test]
fn a_loopback_address_without_a_port_fits_any_port_and_nothing_else_may_differ() {
    assert!(fits_one("http://127.0.0.1:1234/cb", "http://127.0.0.1/cb"));
    assert!(fits_one("http://[::1]:1234/cb", "http://[::1]/cb"));
    // CVE-2020-15233, CVE-2024-8883
    for uri in [
        "http://127.0.0.1:1234/other",
        "http://localhost:1234/cb",
        "http://127.0.0.1:80@evil.test/cb",
        "http://127.0.0.1:1234/cb?x",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:/cb",
        "https://127.0.0.1:1234/cb",
        "http://127.0.0.1.evil.test:1234/cb",
    ] {
        assert!(!fits_one(uri, "http://127.0.0.1/cb"), "accepted {uri:?}");
    }
    assert!(!fits_one("http://127.0.0.1:1234/cb", "http://127.0.0.1:39400/cb"));
}

#[test]
fn a_relative_entry_stands_below_the_root_url() {
    assert!(fits_one("https://root.example.org/relative/x", "/relative/*"));
    assert!(!fits_one("https://root.example.org/other", "/relative/*"));
    assert!(!fits_one("/relative/x", "/relative/*"));
}

#[test]
fn a_custom_scheme_fits_as_registered() {
    assert!(fits_one("com.example.app:/cb", "com.example.app:/cb"));
    assert!(!fits_one("com.example.app:/cb?x=1", "com.example.app:/cb"));
    assert!(fits_one("com.example.app:/anything", "com.example.app:*"));
    assert!(fits_one("urn:ietf:wg:oauth:2.0:oob", "urn:ietf:wg:oauth:2.0:oob"));
}

proptest! {
    #[test]
    fn any_text_is_accepted_or_refused_and_never_panics(uri in "\\PC{0,80}", entry in "\\PC{0,40}") {
        let _ = fits_one(&uri, &entry);
    }

    /// What is accepted goes where the administrator registered: every browser reads the same origin and path prefix.
    #[test]
    fn an_accepted_uri_has_the_registered_origin_and_path(tail in "[a-zA-Z0-9/._~%?#;:@!$&'()*+,=\\\\-]{0,40}") {
        for glue in ["", "/", "."] {
            let uri = format!("https://app.example.com/app{glue}{tail}");
            if fits_one(&uri, "https://app.example.com/app/*") {
                let parsed = Url::parse(&uri).unwrap();
                prop_assert_eq!(parsed.origin().ascii_serialization(), "https://app.example.com");
                prop_assert!(parsed.path() == "/app" || parsed.path().starts_with("/app/"), "{}", parsed.path());
            }
        }
    }

    #[test]
    fn an_authority_that_is_not_registered_never_fits(authority in "[a-z0-9.@:%\\\\/-]{1,30}") {
        let uri = format!("https://{authority}/app/");
        if fits_one(&uri, "https://app.example.com/app/*") {
            let parsed = Url::parse(&uri).unwrap();
            prop_assert_eq!(parsed.host_str(), Some("app.example.com"));
        }
    }
}
