//! How a client proves who it is (RFC 6749 §2.3): what the request presents, and whether it fits the client.
//!
//! Credentials in the form win over those in the header, as Keycloak does; a header of one client and a bare `client_id` of
//! another do not mix (CVE-2026-118669).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::{INVALID_CLIENT, OAuthError, OAuthErrorCode};
use super::form::{self, Parameters};
use crate::base::Secret;
use crate::model::Client;

/// What a request presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    pub client_id: String,
    pub secret: Option<Secret>,
}

/// Reads the credentials of a request; none if it names no client, or names two.
pub fn read(authorization: Option<&str>, form: &Parameters) -> Option<Presented> {
    let header = authorization.and_then(basic);
    let form_id = form.get("client_id");
    let form_secret = form.get("client_secret");
    let presented = match (form_id, form_secret, header) {
        (Some(id), Some(secret), _) => Presented { client_id: id.to_owned(), secret: Some(Secret::new(secret)) },
        (Some(id), None, Some(header)) if header.client_id == id => header,
        (Some(_), None, Some(_)) => return None,
        (Some(id), None, None) => Presented { client_id: id.to_owned(), secret: None },
        (None, _, Some(header)) => header,
        (None, _, None) => return None,
    };
    Some(presented).filter(|p| !p.client_id.is_empty())
}

/// The credentials of `Authorization: Basic` (RFC 6749 §2.3.1: both parts form-encoded); none for anything else.
fn basic(header: &str) -> Option<Presented> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some(Presented { client_id: form::decode(id).ok()?, secret: Some(Secret::new(form::decode(secret).ok()?)) })
}

/// Whether what was presented fits the client. A public client has no secret, and one that is sent is not looked at.
pub fn verify(client: &Client, presented: &Presented) -> Result<(), OAuthError> {
    if !client.enabled {
        return Err(OAuthError::invalid_client());
    }
    if client.settings.public_client {
        return Ok(());
    }
    // Those that prove themselves by an assertion do not come here; certificates of connections are not looked at.
    if client.settings.client_authenticator_type != "client-secret" {
        return Err(OAuthError::invalid_client());
    }
    let fits = match (&client.secret, &presented.secret) {
        (Some(secret), Some(presented)) => !presented.expose().is_empty() && secret.matches(presented.expose()),
        _ => false,
    };
    if fits { Ok(()) } else { Err(OAuthError::new(401, OAuthErrorCode::UnauthorizedClient, INVALID_CLIENT)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn form(text: &str) -> Parameters {
        Parameters::parse(text.as_bytes()).unwrap()
    }

    fn header(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn the_form_wins_over_the_header() {
        let read = read(Some(&header("a:1")), &form("client_id=b&client_secret=2")).unwrap();
        assert_eq!(read, Presented { client_id: "b".to_owned(), secret: Some(Secret::new("2")) });
    }

    #[test]
    fn cve_2026_118669_a_header_of_one_client_does_not_speak_for_another() {
        assert_eq!(read(Some(&header("a:1")), &form("client_id=b")), None);
        assert_eq!(read(Some(&header("a:1")), &form("client_id=a")).unwrap().client_id, "a");
    }

    #[test]
    fn both_parts_of_the_header_are_form_encoded() {
        let read = read(Some(&header("my%20app:s3%3Acr%25t%2B")), &Parameters::default()).unwrap();
        assert_eq!((read.client_id.as_str(), read.secret), ("my app", Some(Secret::new("s3:cr%t+"))));
    }

    #[test]
    fn garbage_names_no_client() {
        for text in ["Basic", "Basic !!!", "Basic Og", "Bearer x", "Basic\tYTpi", ""] {
            assert_eq!(read(Some(text), &Parameters::default()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_not(text in "\\PC{0,60}") {
            let _ = read(Some(&text), &Parameters::default());
        }
    }
}
