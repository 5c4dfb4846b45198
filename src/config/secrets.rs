//! The key-encryption keys: what seals the secrets in the database, and is kept outside it.

use zeroize::Zeroizing;

use crate::base::Sealer;

/// The text of a key file: one key per line, newest first. Its memory is wiped when it goes.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyEncryptionKey(Zeroizing<String>);

impl KeyEncryptionKey {
    /// What [`Sealer::from_keys`] reads. Errors do not repeat the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        match Sealer::from_keys(text) {
            Ok(_) => Ok(Self(Zeroizing::new(text.to_owned()))),
            Err(problem) => Err(format!(
                "{problem}; a key is 32 random bytes in base64 or hex, one per line and the newest first; make one with: openssl \
                 rand -base64 32"
            )),
        }
    }

    /// The whole text, keys included. Every call is a place to review.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyEncryptionKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Entropy;

    const OLD: &str = "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=";

    #[test]
    fn several_keys_are_accepted_and_the_first_of_them_seals() {
        let new = "01".repeat(32);
        let keys = KeyEncryptionKey::parse(&format!("{new}\n{OLD}\n")).unwrap();
        let sealer = Sealer::from_keys(keys.expose()).unwrap();
        let sealed = |by: &Sealer| by.seal(&Entropy::Os, "context", b"secret");
        let alone = |key: &str| Sealer::from_keys(key).unwrap();
        assert_eq!(alone(&new).open("context", &sealed(&sealer)).unwrap().as_slice(), b"secret");
        assert_eq!(sealer.open("context", &sealed(&alone(OLD))).unwrap().as_slice(), b"secret");
        assert_eq!(format!("{keys:?}"), "KeyEncryptionKey(…)");
    }

    #[test]
    fn what_is_no_key_is_refused_without_repeating_the_text() {
        for text in ["", "c2hvcnQ=", "not base64!", &"zz".repeat(32), &"ab".repeat(16), &format!("{OLD}\nc2hvcnQ=")] {
            let error = KeyEncryptionKey::parse(text).unwrap_err();
            assert!(text.lines().all(|line| !error.contains(line)), "{error}");
            assert!(error.contains("openssl rand -base64 32"), "{error}");
        }
    }
}
