//! What holds for every page in every language.

mod escaping;
mod forms;
mod themes;

use std::collections::BTreeSet;
use std::path::PathBuf;

use minijinja::Value;
use minijinja::value::Serde;

use super::messages::Bundle;
use super::templates::samples;
use super::*;

fn shell(locale: &str) -> Shell {
    Shell { realm: "Sample".into(), locale: locale.into(), resources: "/resources/x".into() }
}

/// The samples, and what pages show that no sample can show at the same time: template, what is special, page.
fn pages() -> Vec<(&'static str, &'static str, Value)> {
    let again = Login {
        username: String::new(),
        attempted_username: Some("alice".into()),
        error: None,
        info: Some("reauthenticate".into()),
        ..Login::sample()
    };
    let bare = Login {
        username: String::new(),
        email_allowed: false,
        remember_me: None,
        forgotten_url: None,
        register_url: None,
        error: None,
        info: None,
        restart_url: None,
        ..Login::sample()
    };
    let disabled = Login { error: Some("accountDisabledMessage".into()), info: None, ..Login::sample() };
    let unlimited = Consent { offline: Some(OfflineTerms { idle_seconds: 3600, max_seconds: None }), ..Consent::sample() };
    let online = Consent { offline: None, ..Consent::sample() };
    let asked = UpdatePassword { new_error: None, confirm_error: None, ..UpdatePassword::sample() };
    let quiet = UpdatePassword { reason: None, new_error: None, ..UpdatePassword::sample() };
    let refused = Oob::error("access_denied", Some("The user said no".into()));
    fn of<P: Page>(what: &'static str, page: &P) -> (&'static str, &'static str, Value) {
        (P::TEMPLATE, what, Value::from(Serde(page)))
    }
    let variants = [
        of("again", &again),
        of("bare", &bare),
        of("disabled", &disabled),
        of("unlimited", &unlimited),
        of("online", &online),
        of("asked", &asked),
        of("quiet", &quiet),
        of("refused", &refused),
        of("refused bare", &Oob::error("access_denied", None)),
        of("bare", &Error { client_url: None, ..Error::sample() }),
        of("bare", &Info { text: None, link: None, ..Info::sample() }),
        of("bare", &LogoutConfirm { client_name: None, client_url: None, ..LogoutConfirm::sample() }),
        of("asked", &Register { is_again: false, password_error: None, confirm_error: None, ..Register::sample() }),
        of("bare", &UpdateProfile { reason: None, ..UpdateProfile::sample() }),
        of("asked", &VerifyEmail { error: None, ..VerifyEmail::sample() }),
        of("asked", &ForgottenPassword { username: String::new(), error: None, ..ForgottenPassword::sample() }),
        of("bare", &FormPost { fields: Vec::new(), ..FormPost::sample() }),
    ];
    samples().into_iter().map(|(template, page)| (template, "sample", page)).chain(variants).collect()
}

#[test]
fn every_page_renders_in_every_language_with_nothing_undefined() {
    let templates = Templates::embedded();
    for locale in templates.locales() {
        for (template, what, page) in pages() {
            let html = templates.render_value(template, &shell(locale), page).unwrap_or_else(|e| panic!("{what}: {e}"));
            assert!(html.starts_with(&format!("<!DOCTYPE html>\n<html lang=\"{locale}\" dir=\"ltr\">")), "{template} {what}");
            assert!(html.contains("<h1>") && html.trim_end().ends_with("</html>"), "{template} {what}");
        }
    }
}

#[test]
fn a_letter_says_the_same_in_html_and_in_plain_text_in_every_language() {
    let templates = Templates::embedded();
    for locale in templates.locales() {
        let Written { subject, html, text } = templates.write(&shell(locale), &Letter::sample()).unwrap();
        let link = Letter::sample().link.unwrap().url;
        assert!(html.starts_with("<!DOCTYPE html>") && html.contains(&link.replace('&', "&amp;")), "{locale}");
        assert!(text.contains(&format!("\n{link}\n")) && !text.contains("&amp;"), "{locale}: {text}");
        for part in [&subject, "Sample", "12 "] {
            assert!(html.contains(part) && text.contains(part), "{locale} {part}: {text}");
        }
        for loading in ["<img", "<link", "<script", "url("] {
            assert!(!html.contains(loading), "{locale}: a letter loads nothing");
        }
    }
}

#[test]
fn what_stands_in_a_letter_is_text() {
    let shell = Shell { realm: "<b>&\"x".into(), ..shell("en") };
    let letter = Letter { subject: Message::new("emailTestSubject").with("<i>y"), ..Letter::sample() };
    let written = Templates::embedded().write(&shell, &letter).unwrap();
    assert!(written.html.contains("&lt;b&gt;&amp;&quot;x") && !written.html.contains("<i>"));
    assert!(written.text.contains("<b>&\"x") && written.text.contains("Test email of <i>y"));
}

#[test]
fn every_template_of_a_page_has_a_sample() {
    let sampled: BTreeSet<_> = samples().into_iter().map(|(template, _)| template).collect();
    let embedded = embedded::TEMPLATES.iter().map(|(name, _)| *name).filter(|name| !name.starts_with("layout/"));
    let embedded = embedded.filter(|name| !name.starts_with("email/"));
    assert_eq!(sampled, embedded.collect());
}

#[test]
fn every_language_has_the_same_texts_with_the_same_arguments() {
    let bundles: Vec<_> = embedded::MESSAGES.iter().map(|(locale, file)| (locale, Bundle::parse(file.as_bytes()))).collect();
    let (_, english) = bundles.iter().find(|(locale, _)| **locale == "en").unwrap();
    let arguments = |text: &str| (0..4).filter(|n| text.contains(&format!("{{{n}}}"))).collect::<Vec<_>>();
    for (locale, bundle) in &bundles {
        let keys = |b: &Bundle| b.keys().map(str::to_owned).collect::<BTreeSet<_>>();
        assert_eq!(keys(bundle), keys(english), "{locale}");
        for key in bundle.keys() {
            let (here, there) = (bundle.pattern(key).unwrap(), english.pattern(key).unwrap());
            assert!(!here.is_empty(), "{locale} {key}");
            assert_eq!(arguments(here), arguments(there), "{locale} {key}");
        }
    }
}

#[test]
fn every_text_that_a_template_names_is_there() {
    let english = Bundle::parse(embedded::MESSAGES.iter().find(|(l, _)| *l == "en").unwrap().1.as_bytes());
    for (name, source) in embedded::TEMPLATES {
        for named in source.split("msg(\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(english.pattern(named).is_some(), "{name}: {named}");
        }
    }
}

#[test]
fn an_unknown_locale_is_english_and_leaves_nothing_behind() {
    let templates = Templates::embedded();
    for locale in ["", "xx", "../../etc/passwd", "de\0", "\"><script>"] {
        let html = templates.render(&shell(locale), &Login::sample()).unwrap();
        assert!(html.contains("<html lang=\"en\"") && html.contains("Sign in to your account"));
    }
    assert_eq!(templates.locales().collect::<Vec<_>>(), ["de", "en"]);
}

#[test]
fn names_that_are_keys_are_resolved_in_the_language_asked_for() {
    let templates = Templates::embedded();
    let shown = |locale: &str, name: &str| {
        let page = LogoutConfirm { client_name: Some(name.into()), ..LogoutConfirm::sample() };
        templates.render(&shell(locale), &page).unwrap()
    };
    assert!(shown("en", "${client_account-console}").contains("Account Console"));
    assert!(shown("xx", "${client_account-console}").contains("Account Console"));
    assert!(shown("de", "${unknown}").contains("${unknown}"));
}

/// `cargo test --lib write_pages -- --ignored`, then open the files in a browser.
#[test]
#[ignore = "writes every page into a folder, to be looked at"]
fn write_pages() {
    let dir: PathBuf = std::env::temp_dir().join("nightlatch-pages");
    std::fs::create_dir_all(&dir).unwrap();
    for (name, bytes) in embedded::ASSETS {
        std::fs::write(dir.join(name), bytes).unwrap();
    }
    let templates = Templates::embedded();
    for locale in templates.locales() {
        let shell = Shell { resources: ".".into(), ..shell(locale) };
        for (template, what, page) in pages() {
            let name = template.trim_start_matches("login/").trim_end_matches(".html").replace('/', "-");
            let html = templates.render_value(template, &shell, page).unwrap();
            std::fs::write(dir.join(format!("{name}.{}.{locale}.html", what.replace(' ', "-"))), html).unwrap();
        }
    }
}
