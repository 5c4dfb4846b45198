//! Proof Key for Code Exchange (RFC 7636), with Keycloak's words.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::OAuthError;
use super::form::Parameters;
use crate::base::{constant_time_eq, sha256};
use crate::model::Client;
use crate::model::authorization_code::{Challenge, ChallengeMethod};

/// Reads the challenge of an authorization request; a client may demand a method (`pkce.code.challenge.method`).
pub fn challenge(client: &Client, parameters: &Parameters) -> Result<Option<Challenge>, OAuthError> {
    let demanded = client.attribute("pkce.code.challenge.method");
    let (value, method) = (parameters.get("code_challenge"), parameters.get("code_challenge_method"));
    if demanded.is_some() && method.is_none() {
        return Err(OAuthError::invalid_request("Missing parameter: code_challenge_method"));
    }
    if value.is_none() && method.is_none() {
        return Ok(None);
    }
    let method = match method {
        None | Some("plain") => ChallengeMethod::Plain,
        Some("S256") => ChallengeMethod::S256,
        Some(_) => return Err(OAuthError::invalid_request("Invalid parameter: code_challenge_method")),
    };
    let name = if method == ChallengeMethod::S256 { "S256" } else { "plain" };
    if demanded.is_some_and(|d| d != name) {
        return Err(OAuthError::invalid_request("Invalid parameter: code challenge method is not matching the configured one"));
    }
    let value = value.ok_or(OAuthError::invalid_request("Missing parameter: code_challenge"))?;
    if !is_well_formed(value) {
        return Err(OAuthError::invalid_request("Invalid parameter: code_challenge"));
    }
    Ok(Some(Challenge { value: value.to_owned(), method }))
}

/// Checks the verifier of a code exchange against the challenge of its authorization request (RFC 7636 §4.6).
pub fn verify(challenge: Option<&Challenge>, verifier: Option<&str>) -> Result<(), OAuthError> {
    let (challenge, verifier) = match (challenge, verifier) {
        (None, None) => return Ok(()),
        (None, Some(_)) => {
            return Err(OAuthError::invalid_grant("PKCE code verifier specified but challenge not present in authorization"));
        }
        (Some(_), None) => return Err(OAuthError::invalid_grant("PKCE code verifier not specified")),
        (Some(challenge), Some(verifier)) => (challenge, verifier),
    };
    if !is_well_formed(verifier) {
        return Err(OAuthError::invalid_grant("PKCE verification failed: Invalid code verifier"));
    }
    let computed = match challenge.method {
        ChallengeMethod::Plain => verifier.to_owned(),
        ChallengeMethod::S256 => URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes())),
    };
    if constant_time_eq(computed.as_bytes(), challenge.value.as_bytes()) {
        Ok(())
    } else {
        Err(OAuthError::invalid_grant("PKCE verification failed: Code mismatch"))
    }
}

/// 43 to 128 unreserved characters (RFC 7636 §4.1).
fn is_well_formed(text: &str) -> bool {
    (43..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn s256(value: &str) -> Challenge {
        Challenge { value: value.to_owned(), method: ChallengeMethod::S256 }
    }

    #[test]
    fn the_example_of_rfc_7636_appendix_b_fits() {
        let challenge = s256("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert_eq!(verify(Some(&challenge), Some(VERIFIER)), Ok(()));
        assert!(verify(Some(&challenge), Some(&challenge.value)).is_err());
    }

    #[test]
    fn cve_2023_48228_a_left_out_verifier_is_no_way_around() {
        let refused = verify(Some(&s256(VERIFIER)), None).unwrap_err();
        assert_eq!(refused.description.as_deref(), Some("PKCE code verifier not specified"));
    }

    #[test]
    fn cve_2024_23647_a_verifier_without_a_challenge_is_refused() {
        assert!(verify(None, Some(VERIFIER)).is_err());
    }

    #[test]
    fn cve_2025_4144_an_empty_verifier_does_not_count_as_absent() {
        assert!(verify(Some(&s256(VERIFIER)), Some("")).is_err());
        assert!(verify(None, Some("")).is_err());
    }

    proptest! {
        #[test]
        fn only_the_right_verifier_fits(verifier in "[A-Za-z0-9._~-]{43,128}", other in "[A-Za-z0-9._~-]{43,128}") {
            let challenge = s256(&URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes())));
            prop_assert!(verify(Some(&challenge), Some(&verifier)).is_ok());
            prop_assert_eq!(verify(Some(&challenge), Some(&other)).is_ok(), verifier == other);
        }
    }
}
