//! What a client may look like, in Keycloak's words and its order.

use super::{Refusal, fits};
use crate::model::{ClientSettings, ClientUuid, RealmSettings, own_attributes};
use crate::oidc::redirect_uri::{is_forbidden_scheme, scheme};

const PROTOCOLS: [&str; 3] = ["openid-connect", "saml", "docker-v2"];

/// Addresses that pages lead to.
const SHOWN: [(&str, &str); 2] = [("Policy URL", "policyUri"), ("Terms of service URL", "tosUri")];

pub fn check(client_id: &str, settings: &ClientSettings, realm: &RealmSettings) -> Result<(), Refusal> {
    let refuse = |text: &str| Err(Refusal::InvalidClient(text.to_owned()));
    if client_id.trim().is_empty() {
        return refuse("Client ID cannot be blank");
    }
    // Neither could be a segment of an address: browsers and programs take them out.
    if [".", ".."].contains(&client_id) {
        return refuse("Client ID is not valid");
    }
    fits(client_id)?;
    for text in [&settings.name, &settings.description].into_iter().flatten().chain(&settings.redirect_uris) {
        fits(text)?;
    }
    if let Some(protocol) = settings.protocol.as_deref().filter(|p| !PROTOCOLS.contains(p)) {
        return Err(Refusal::InvalidClient(format!("Invalid protocol: {protocol}")));
    }
    address("Root URL", settings.root_url.as_deref(), false)?;
    address("Base URL", settings.base_url.as_deref(), true)?;
    address("Backchannel logout URL", settings.attributes.get("backchannel.logout.url").map(String::as_str), false)?;
    logo(settings.attributes.get("logoUri").map(String::as_str))?;
    for (what, name) in SHOWN {
        address(what, settings.attributes.get(name).map(String::as_str), false)?;
    }
    address("JWKS URL", settings.attributes.get("jwks.url").map(String::as_str), false)?;
    redirect_uris(settings)?;
    own_attributes::check(&settings.attributes, true).map_err(Refusal::InvalidClient)?;
    limits(settings, realm)
}

/// An id that is brought along is a segment of addresses, as long as Keycloak's own.
pub fn check_id(uuid: Option<&ClientUuid>) -> Result<(), Refusal> {
    let fits = |id: &str| (1..=36).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    match uuid {
        Some(id) if !fits(id.as_str()) => Err(Refusal::InvalidClient("Invalid id".to_owned())),
        _ => Ok(()),
    }
}

/// A limit of the client may not exceed the realm's. What is no number counts as none.
fn limits(settings: &ClientSettings, realm: &RealmSettings) -> Result<(), Refusal> {
    let number = |name: &str| settings.attributes.get(name).and_then(|v| v.trim().parse::<i64>().ok());
    let remembered = |value: i64| if realm.remember_me { value } else { 0 };
    let idle = realm.sso_session_idle.max(remembered(realm.sso_session_idle_remember_me));
    let max = realm.sso_session_max.max(remembered(realm.sso_session_max_remember_me));
    if number("client.session.idle.timeout").is_some_and(|n| n > idle) {
        let text = "Client session idle timeout cannot exceed realm SSO session idle timeout.";
        return Err(Refusal::InvalidClient(text.to_owned()));
    }
    if number("client.session.max.lifespan").is_some_and(|n| n > max) {
        let text = "Client session max lifespan cannot exceed realm SSO session max lifespan.";
        return Err(Refusal::InvalidClient(text.to_owned()));
    }
    Ok(())
}

/// An address of the client. Keycloak's built-in clients have placeholders there.
fn address(what: &str, value: Option<&str>, may_be_relative: bool) -> Result<(), Refusal> {
    let Some(value) = value.filter(|v| !v.is_empty() && !v.contains("${")) else { return Ok(()) };
    // Browsers leave them out, and may find a scheme where none was.
    if value.contains(char::is_control) {
        return Err(Refusal::InvalidClient(format!("{what} is not a valid URL")));
    }
    if scheme(value).is_some_and(|s| is_forbidden_scheme(&s)) {
        return Err(Refusal::InvalidClient(format!("{what} uses an illegal scheme")));
    }
    if may_be_relative && scheme(value).is_none() || url::Url::parse(value).is_ok() {
        return Ok(());
    }
    Err(Refusal::InvalidClient(format!("{what} is not a valid URL")))
}

/// A picture may be written into its address, or stand below this server; it runs nothing.
fn logo(value: Option<&str>) -> Result<(), Refusal> {
    let value = value.unwrap_or_default();
    let runs = scheme(value).is_some_and(|scheme| ["javascript", "vbscript"].contains(&scheme.as_str()));
    if runs || value.contains(char::is_control) {
        return Err(Refusal::InvalidClient("Logo URL uses an illegal scheme".to_owned()));
    }
    Ok(())
}

/// Whether nothing is wrong with the addresses that a browser may be led back to.
pub fn redirect_uris(settings: &ClientSettings) -> Result<(), Refusal> {
    settings.redirect_uris.iter().try_for_each(|uri| redirect_uri(uri))
}

fn redirect_uri(uri: &str) -> Result<(), Refusal> {
    let refuse = |text: &str| Err(Refusal::InvalidClient(text.to_owned()));
    let Some(scheme) = scheme(uri) else { return Ok(()) };
    if is_forbidden_scheme(&scheme) {
        return refuse("A redirect URI uses an illegal scheme");
    }
    if uri.contains('#') {
        return refuse("A redirect URI must not contain an URL fragment");
    }
    let is_web = matches!(scheme.as_str(), "http" | "https");
    let is_broken = uri.contains(char::is_whitespace) || is_web && url::Url::parse(&uri.replace('*', "x")).is_err();
    if is_broken { refuse("A redirect URI is not a valid URI") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Map;

    fn refusal(change: impl FnOnce(&mut ClientSettings)) -> String {
        let mut settings = ClientSettings::default();
        change(&mut settings);
        match check("app", &settings, &RealmSettings::of(&Map::new())) {
            Ok(()) => "none".to_owned(),
            Err(refusal) => refusal.to_string(),
        }
    }

    #[test]
    fn addresses_that_run_something_or_go_nowhere_are_refused() {
        let redirect = |uri: &str| refusal(|s| s.redirect_uris = vec![uri.to_owned()]);
        assert_eq!(redirect("http://127.0.0.1:39400/*"), "none");
        assert_eq!(redirect("/relative/*"), "none");
        assert_eq!(redirect("app://back"), "none");
        assert_eq!(redirect("http://127.0.0.1/#f"), "A redirect URI must not contain an URL fragment");
        assert_eq!(redirect("javascript:alert(1)"), "A redirect URI uses an illegal scheme");
        assert_eq!(redirect("data:text/html,x"), "A redirect URI uses an illegal scheme");
        assert_eq!(redirect("http://[bad"), "A redirect URI is not a valid URI");
        assert_eq!(refusal(|s| s.root_url = Some("nonsense".to_owned())), "Root URL is not a valid URL");
        assert_eq!(refusal(|s| s.root_url = Some("javascript:alert(1)".to_owned())), "Root URL uses an illegal scheme");
        assert_eq!(refusal(|s| s.base_url = Some("/x".to_owned())), "none");
        for disguised in ["\tjavascript:alert(1)", "java\nscript:alert(1)", "\u{1}javascript:alert(1)"] {
            assert_eq!(refusal(|s| s.base_url = Some(disguised.to_owned())), "Base URL is not a valid URL");
        }
        assert_eq!(refusal(|s| s.protocol = Some("nothing".to_owned())), "Invalid protocol: nothing");
    }

    #[test]
    fn a_clients_online_limits_stay_within_the_realms_and_its_offline_ones_need_not() {
        let with = |name: &str, value: &str| refusal(|s| _ = s.attributes.insert(name.to_owned(), value.to_owned()));
        assert_eq!(with("client.session.idle.timeout", "1800"), "none");
        assert_eq!(
            with("client.session.idle.timeout", "1801"),
            "Client session idle timeout cannot exceed realm SSO session idle timeout."
        );
        assert_eq!(with("client.session.idle.timeout", "soon"), "none");
        assert_eq!(with("client.offline.session.idle.timeout", "99999999"), "none");
    }
}
