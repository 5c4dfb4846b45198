//! A theme on disk changes pages, texts and static files, and is tried before it is used.

use std::path::Path;

use super::*;

/// A folder of the test's own, gone with the test.
struct Theme(PathBuf);

impl Drop for Theme {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A theme with these files.
fn theme(name: &str, files: &[(&str, &str)]) -> Theme {
    let dir = std::env::temp_dir().join(format!("nightlatch-theme-{name}-{}", std::process::id()));
    for (path, text) in files {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    Theme(dir)
}

#[test]
fn a_theme_changes_the_frame_of_all_pages_by_one_file() {
    let base =
        "<!DOCTYPE html><html lang=\"{{ shell.locale }}\">{% include \"own/foot.html\" %}{% block main %}{% endblock %}</html>";
    let dir = theme("frame", &[("templates/layout/base.html", base), ("templates/own/foot.html", "<i>{{ shell.realm }}</i>")]);
    let html = Templates::with_theme(&dir.0).unwrap().render(&shell("de"), &Login::sample()).unwrap();
    assert!(html.starts_with("<!DOCTYPE html><html lang=\"de\"><i>Sample</i>") && html.contains("name=\"password\""));
}

#[test]
fn a_theme_changes_single_texts_and_brings_languages() {
    let english = "loginAccountTitle=Welcome to {0}";
    let dir = theme(
        "texts",
        &[
            ("templates/messages/messages_en.properties", english),
            ("templates/messages/messages_pt_BR.properties", "doLogIn=Entrar"),
        ],
    );
    let templates = Templates::with_theme(&dir.0).unwrap();
    assert_eq!(templates.locales().collect::<Vec<_>>(), ["de", "en", "pt-BR"]);
    let html = |locale| templates.render(&shell(locale), &Login::sample()).unwrap();
    assert!(html("en").contains("Welcome to {0}") && html("en").contains("Sign In"));
    assert!(html("pt-BR").contains("Entrar") && html("pt-BR").contains("lang=\"pt-BR\"") && html("pt-BR").contains("Welcome to"));
    assert!(html("de").contains("Bei Ihrem Konto anmelden"));
}

#[test]
fn a_faulty_theme_is_refused_with_the_place_of_the_fault() {
    let refusal = |name, template| {
        let dir = theme(name, &[("templates/login/login.html", template)]);
        Templates::with_theme(&dir.0).err().unwrap().to_string()
    };
    let typo = refusal("typo", "\n{{ page.usrname }}");
    assert!(typo.contains("login/login.html:2"), "{typo}");
    let syntax = refusal("syntax", "{% if %}");
    assert!(syntax.contains("login/login.html"), "{syntax}");
    assert!(Templates::with_theme(Path::new("/nowhere/at/all")).is_err());
}

#[test]
fn a_theme_replaces_and_adds_static_files() {
    let dir = theme("static", &[("static/nightlatch.css", "body{}"), ("static/img/own.png", "x"), ("static/notes.txt", "x")]);
    let (own, theirs) = (Assets::embedded(), Assets::with_theme(&dir.0).unwrap());
    assert_eq!(theirs.get("nightlatch.css").unwrap().bytes.as_ref(), b"body{}");
    assert_eq!(theirs.get("img/own.png").unwrap().content_type, "image/png");
    assert!(theirs.get("notes.txt").is_none() && theirs.get("logo.svg").is_some());
    assert_ne!(own.fingerprint(), theirs.fingerprint());
}
