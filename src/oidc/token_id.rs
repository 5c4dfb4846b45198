//! The ids of tokens.
//!
//! An access token's `jti` begins with six letters that say what it belongs to (Keycloak: AccessTokenContext); they decide in
//! which store its session is looked up. A refresh token's `jti` is a UUID of version 8 whose first 48 bits are its generation:
//! so the generation travels with the token while its claims stay Keycloak's to the letter.

use crate::base::Entropy;
use crate::model::{SessionKind, TokenId};

/// Which session an access token belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenSession {
    Online,
    Offline,
    /// None: the token of a service account.
    Transient,
    /// A token of before the letters: looked up online first, then offline.
    Unknown,
}

impl TokenSession {
    pub fn of(kind: SessionKind) -> Self {
        match kind {
            SessionKind::Online => Self::Online,
            SessionKind::Offline => Self::Offline,
        }
    }

    /// The stores in which the session may be, in order.
    pub fn kinds(self) -> &'static [SessionKind] {
        match self {
            Self::Online => &[SessionKind::Online],
            Self::Offline => &[SessionKind::Offline],
            Self::Transient => &[],
            Self::Unknown => &[SessionKind::Online, SessionKind::Offline],
        }
    }

    fn letters(self) -> &'static str {
        match self {
            Self::Online | Self::Unknown => "on",
            Self::Offline => "of",
            Self::Transient => "tr",
        }
    }
}

/// Which grant an access token came from, as the last two letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantLetters {
    AuthorizationCode,
    RefreshToken,
    Password,
    ClientCredentials,
    /// No grant: an example.
    Unknown,
}

impl GrantLetters {
    fn letters(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "ac",
            Self::RefreshToken => "rt",
            Self::Password => "ro",
            Self::ClientCredentials => "cc",
            Self::Unknown => "na",
        }
    }
}

/// A new `jti` for an access token.
pub fn access_token_id(entropy: &Entropy, session: TokenSession, lightweight: bool, grant: GrantLetters) -> String {
    let kind = if lightweight { "lt" } else { "rt" };
    format!("{}{kind}{}:{}", session.letters(), grant.letters(), entropy.uuid())
}

/// Which session a presented access token belongs to; `None` for letters that no server writes.
pub fn session_of(jti: &str) -> Option<TokenSession> {
    let Some((letters, _)) = jti.split_once(':') else { return Some(TokenSession::Unknown) };
    match (letters.len(), letters.get(..2)?) {
        (6, "on" | "nt") => Some(TokenSession::Online),
        (6, "of" | "ft") => Some(TokenSession::Offline),
        (6, "tr") => Some(TokenSession::Transient),
        _ => None,
    }
}

/// The highest generation that 48 bits hold: a rotation each millisecond for 8 900 years.
const MAX_GENERATION: i64 = (1 << 48) - 1;

/// A new `jti` for a refresh token of this generation.
pub fn refresh_token_id(entropy: &Entropy, generation: i64) -> TokenId {
    let mut bytes: [u8; 16] = entropy.bytes();
    bytes[..6].copy_from_slice(&generation.clamp(0, MAX_GENERATION).to_be_bytes()[2..]);
    TokenId::new(uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string())
}

/// The generation of a refresh token: 0 for one whose `jti` has another form, as imported ones have.
pub fn generation_of(jti: &str) -> i64 {
    match uuid::Uuid::try_parse(jti) {
        Ok(id) if id.get_version_num() == 8 => {
            let mut bytes = [0; 8];
            bytes[2..].copy_from_slice(&id.as_bytes()[..6]);
            i64::from_be_bytes(bytes)
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_letters_of_an_offline_refresh_are_keycloaks() {
        let id = access_token_id(&Entropy::seeded(1), TokenSession::Offline, false, GrantLetters::RefreshToken);
        assert!(id.starts_with("ofrtrt:"));
        assert_eq!(session_of(&id), Some(TokenSession::Offline));
    }

    #[test]
    fn unknown_letters_belong_to_no_session() {
        assert_eq!(session_of("xxrtac:1"), None);
        assert_eq!(session_of("on:1"), None);
        assert_eq!(session_of("3f1c"), Some(TokenSession::Unknown));
    }

    proptest! {
        #[test]
        fn the_generation_comes_back(generation in 0..=MAX_GENERATION, seed in any::<u64>()) {
            prop_assert_eq!(generation_of(refresh_token_id(&Entropy::seeded(seed), generation).as_str()), generation);
        }

        #[test]
        fn any_text_has_some_generation(jti in "\\PC{0,60}") {
            prop_assert!(generation_of(&jti) >= 0);
            let _ = session_of(&jti);
        }
    }
}
