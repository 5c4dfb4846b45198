//! What programs find on the pages: the names that Keycloak's forms have, and the words that are looked for.

use scraper::{Html, Selector};

use super::*;

fn html<P: Page>(page: &P) -> Html {
    Html::parse_document(&Templates::embedded().render(&shell("en"), page).unwrap())
}

/// `name=value` of everything in the page's form that has a name, with the kind where it is no text field.
fn fields(document: &Html) -> Vec<String> {
    let all = Selector::parse("form input[name], form button[name]").unwrap();
    let described = document.select(&all).map(|field| {
        let ticked = if field.attr("checked").is_some() { " ticked" } else { "" };
        let kind = field.attr("type").unwrap_or("text");
        format!("{kind} {}={}{ticked}", field.attr("name").unwrap(), field.attr("value").unwrap_or(""))
    });
    described.collect()
}

fn text_of(document: &Html, css: &str) -> Vec<String> {
    let wanted = Selector::parse(css).unwrap();
    document.select(&wanted).map(|e| e.text().collect::<String>().trim().to_owned()).collect()
}

#[test]
fn the_login_form_has_exactly_the_fields_of_keycloak() {
    let page = Login::sample();
    let always = ["text username=alice", "password password="];
    let end = ["hidden credentialId=", "submit login="];
    let ticked = fields(&html(&page));
    assert_eq!(ticked, [&always[..], &["checkbox rememberMe=on ticked"], &end].concat());
    let unticked = Login { remember_me: Some(false), ..page.clone() };
    assert_eq!(fields(&html(&unticked)), [&always[..], &["checkbox rememberMe=on"], &end].concat());
    let none = Login { remember_me: None, ..page.clone() };
    assert_eq!(fields(&html(&none)), [&always[..], &end].concat());
    let again = Login { attempted_username: Some("alice".into()), remember_me: None, ..page };
    assert_eq!(fields(&html(&again)), [&["password password="], &end[..]].concat());
}

#[test]
fn the_login_page_says_what_keycloaks_says() {
    let document = html(&Login::sample());
    assert_eq!(text_of(&document, "title"), ["Sign in to Sample"]);
    assert_eq!(text_of(&document, "h1"), ["Sign in to your account"]);
    assert_eq!(text_of(&document, "label"), ["Username or email", "Password", "Remember me"]);
    assert_eq!(text_of(&document, "a"), ["Forgot Password?", "Register"]);
    assert_eq!(text_of(&document, "[name=login]"), ["Sign In"]);
    assert_eq!(text_of(&document, "[role=alert]"), ["Invalid username or password."]);
    assert_eq!(text_of(&document, "[role=status]"), ["Your login attempt timed out. Login will start from the beginning."]);
    let names_only = Login { email_allowed: false, ..Login::sample() };
    assert_eq!(text_of(&html(&names_only), "label")[0], "Username");
}

#[test]
fn a_user_who_signs_in_again_is_named_and_can_start_over() {
    let page = Login { attempted_username: Some("alice".into()), info: Some("reauthenticate".into()), ..Login::sample() };
    let document = html(&page);
    assert_eq!(text_of(&document, ".identity strong"), ["alice"]);
    assert_eq!(text_of(&document, ".identity a"), ["Restart login"]);
    let link = document.select(&Selector::parse(".identity a").unwrap()).next().unwrap();
    assert_eq!(link.attr("href"), page.restart_url.as_deref());
    assert_eq!(text_of(&document, "[role=status]"), ["Please re-authenticate to continue"]);
}

#[test]
fn errors_are_tied_to_the_fields_they_are_about() {
    let described = |document: &Html, css: &str| {
        let field = document.select(&Selector::parse(css).unwrap()).next().unwrap();
        let target = field.attr("aria-describedby").map(|id| text_of(document, &format!("#{id}")).concat());
        (target, field.attr("aria-invalid") == Some("true"))
    };
    let login = html(&Login::sample());
    for css in ["#username", "#password"] {
        assert_eq!(described(&login, css), (Some("Invalid username or password.".into()), true));
    }
    let disabled = html(&Login { error: Some("accountDisabledMessage".into()), ..Login::sample() });
    assert_eq!(described(&disabled, "#password"), (Some("Account is disabled, contact your administrator.".into()), false));
    let passwords = html(&UpdatePassword::sample());
    assert_eq!(described(&passwords, "#password-new"), (Some("Invalid password: minimum length 12.".into()), true));
    assert_eq!(described(&passwords, "#password-confirm"), (Some("Passwords don't match.".into()), true));
}

#[test]
fn every_visible_field_has_a_label_and_every_page_at_most_one_focus() {
    for (template, what, page) in pages() {
        let document = Html::parse_document(&Templates::embedded().render_value(template, &shell("en"), page).unwrap());
        let all = Selector::parse("input[id]").unwrap();
        for field in document.select(&all) {
            assert_eq!(text_of(&document, &format!("label[for={}]", field.attr("id").unwrap())).len(), 1, "{template} {what}");
            assert!(field.attr("autocomplete").is_some());
        }
        assert!(text_of(&document, "[autofocus]").len() <= 1, "{template} {what}");
        assert_eq!(text_of(&document, "h1").len(), 1);
        assert_eq!(text_of(&document, "main").len(), 1);
    }
}

#[test]
fn a_new_password_is_asked_for_with_keycloaks_names() {
    let document = html(&UpdatePassword::sample());
    let expected = ["password password-new=", "password password-confirm=", "checkbox logout-sessions=on", "submit login="];
    assert_eq!(fields(&document), expected);
    let missing = UpdatePassword { new_error: Some("missingPasswordMessage".into()), ..UpdatePassword::sample() };
    assert_eq!(text_of(&html(&missing), "#password-new-error"), ["Please specify password."]);
}

#[test]
fn consent_names_the_scopes_one_by_one_and_the_terms_in_a_sentence() {
    let document = html(&Consent::sample());
    assert_eq!(text_of(&document, "h1"), ["Grant Access to Mail Reader"]);
    assert_eq!(text_of(&document, "li"), ["User profile", "Email address", "Read all messages", "Offline Access"]);
    let terms = "Mail Reader keeps this access while you are away: it ends after 30 days without use and after 60 days at the \
                 latest, and you can end it in your account at any time.";
    assert_eq!(text_of(&document, ".terms"), [terms]);
    assert_eq!(fields(&document), ["hidden code=c0de", "submit accept=Yes", "submit cancel=No"]);
    assert!(text_of(&html(&Consent { offline: None, ..Consent::sample() }), ".terms").is_empty());
}

#[test]
fn logout_is_confirmed_with_keycloaks_names() {
    let document = html(&LogoutConfirm::sample());
    assert_eq!(fields(&document), ["hidden session_code=c0de", "submit confirmLogout=Logout"]);
    assert_eq!(text_of(&document, "h1"), ["Logging out"]);
    assert!(text_of(&document, "p").contains(&"Do you want to log out?".to_owned()));
}

#[test]
fn form_post_carries_the_fields_and_a_button_for_those_without_script() {
    let document = html(&FormPost::sample());
    let expected = [
        "hidden state=a b&c=d/é\"<>",
        "hidden code=c0de",
        "hidden iss=https://id.example/realms/sample",
        "submit continue=CONTINUE",
    ];
    assert_eq!(fields(&document), expected);
    let form = document.select(&Selector::parse("form").unwrap()).next().unwrap();
    assert_eq!((form.attr("action"), form.attr("method")), (Some("https://client.example/cb"), Some("post")));
    assert_eq!(text_of(&document, "script[src='/resources/x/form-post.js']").len(), 1);
}

#[test]
fn addresses_stay_legible_in_the_source() {
    let page = Templates::embedded()
        .render(&shell("en"), &Error { client_url: Some("https://client.example/bye?iss=x&sid=y".into()), ..Error::sample() })
        .unwrap();
    assert!(page.contains("href=\"https://client.example/bye?iss=x&amp;sid=y\""), "{page}");
}

#[test]
fn a_code_is_shown_alone_and_an_error_without_one() {
    let document = html(&Oob::code("c0de"));
    assert_eq!(text_of(&document, "#code"), ["c0de"]);
    assert_eq!(text_of(&document, "h1"), ["Success code"]);
    let refused = html(&Oob::error("access_denied", Some("The user said no".into())));
    assert_eq!(text_of(&refused, "h1"), ["Error code: access_denied"]);
    assert!(text_of(&refused, "#code").is_empty());
}
