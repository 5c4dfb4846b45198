//! How clients are told that a session has ended: by a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4) or by a frame in
//! the browser (OpenID Connect Front-Channel Logout 1.0 §2).

use serde_json::{Map, Value, json};
use url::Url;

use super::client_address;
use crate::model::{Client, SessionId, UserId};

/// The event that a logout token tells of.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// For how many seconds a logout token is good (§2.4 recommends two minutes at most).
const LIFESPAN: i64 = 120;

/// Where a client wants to be told, if it does. A client with front-channel logout is told there (Keycloak).
pub fn backchannel_url(client: &Client, server: &str) -> Option<Url> {
    if client.settings.frontchannel_logout {
        return None;
    }
    client_address::resolve(client, client.attribute("backchannel.logout.url")?, server)
}

/// The frame in which a client hears of the end of a session of this issuer.
pub fn frontchannel_url(client: &Client, server: &str, issuer: &str, session: &SessionId) -> Option<Url> {
    if !client.settings.frontchannel_logout {
        return None;
    }
    let mut url = client_address::resolve(client, client.attribute("frontchannel.logout.url")?, server)?;
    if client.flag("frontchannel.logout.session.required", true) {
        url.query_pairs_mut().append_pair("iss", issuer).append_pair("sid", session.as_str());
    }
    Some(url)
}

/// What a logout token says. `id` is its `jti`, `now` in seconds.
pub fn claims(client: &Client, issuer: &str, user: &UserId, session: &SessionId, id: &str, now: i64) -> Map<String, Value> {
    let mut events = Map::from_iter([(EVENT.to_owned(), json!({}))]);
    if client.flag("backchannel.logout.revoke.offline.tokens", false) {
        events.insert("revoke_offline_access".to_owned(), Value::from(true));
    }
    let mut claims = Map::new();
    claims.insert("iat".to_owned(), Value::from(now));
    claims.insert("exp".to_owned(), Value::from(now + LIFESPAN));
    claims.insert("jti".to_owned(), Value::from(id));
    claims.insert("iss".to_owned(), Value::from(issuer));
    claims.insert("aud".to_owned(), Value::from(client.client_id.as_str()));
    claims.insert("sub".to_owned(), Value::from(user.as_str()));
    claims.insert("typ".to_owned(), Value::from("Logout"));
    if client.flag("backchannel.logout.session.required", false) {
        claims.insert("sid".to_owned(), Value::from(session.as_str()));
    }
    claims.insert("events".to_owned(), Value::Object(events));
    claims
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::client::ClientSettings;
    use crate::model::{ClientId, ClientUuid};

    fn client(attributes: &[(&str, &str)], frontchannel_logout: bool) -> Client {
        let attributes = attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let root_url = Some("https://app.example/base".to_owned());
        Client {
            uuid: ClientUuid::new("u"),
            client_id: ClientId::new("app"),
            enabled: true,
            not_before: 0,
            secret: None,
            settings: ClientSettings { attributes, frontchannel_logout, root_url, ..ClientSettings::default() },
            default_scopes: Vec::new(),
            optional_scopes: Vec::new(),
            mappers: Vec::new(),
            scope_mappings: Vec::new(),
            registration_token: None,
        }
    }

    #[test]
    fn cve_2026_4874_only_an_address_of_the_web_is_called_and_nothing_is_put_into_it() {
        let told = |url: &str| backchannel_url(&client(&[("backchannel.logout.url", url)], false), "https://id.example");
        assert_eq!(told("/logout").unwrap().as_str(), "https://app.example/base/logout");
        assert_eq!(told("https://other.example/x?y=1").unwrap().as_str(), "https://other.example/x?y=1");
        for refused in ["file:///etc/passwd", "gopher://x", "javascript:alert(1)", "logout", "http://", ""] {
            assert_eq!(told(refused), None, "{refused}");
        }
        let asked = told("https://${client.session.host}/x");
        assert!(asked.is_none_or(|url| url.as_str().contains("client.session.host")), "a placeholder is not filled in");
    }

    #[test]
    fn a_logout_token_has_no_nonce_and_names_the_session_only_where_that_is_wanted() {
        let (user, session) = (UserId::new("alice"), SessionId::new("s"));
        let of =
            |attributes: &[(&str, &str)]| claims(&client(attributes, false), "https://id/realms/r", &user, &session, "j", 10);
        let plain = of(&[]);
        assert!(!plain.contains_key("nonce") && !plain.contains_key("sid"));
        assert_eq!((plain["exp"].as_i64(), plain["events"].clone()), (Some(130), json!({EVENT: {}})));
        let full = of(&[("backchannel.logout.session.required", "true"), ("backchannel.logout.revoke.offline.tokens", "true")]);
        assert_eq!((full["sid"].as_str(), full["events"]["revoke_offline_access"].as_bool()), (Some("s"), Some(true)));
    }

    #[test]
    fn a_client_is_told_in_front_or_in_the_back_but_not_twice() {
        let both = [("backchannel.logout.url", "https://a.example/b"), ("frontchannel.logout.url", "https://a.example/f?x=1")];
        let front = client(&both, true);
        assert_eq!(backchannel_url(&front, "https://id"), None);
        let frame = frontchannel_url(&front, "https://id", "https://id/realms/r", &SessionId::new("s")).unwrap();
        assert_eq!(frame.as_str(), "https://a.example/f?x=1&iss=https%3A%2F%2Fid%2Frealms%2Fr&sid=s");
        assert_eq!(frontchannel_url(&client(&both, false), "https://id", "i", &SessionId::new("s")), None);
    }
}
