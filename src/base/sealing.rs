//! Secrets at rest: sealed with AES-256-GCM under a key that is kept outside the database.
//!
//! A sealed text is `v1.<key id>.<nonce>.<ciphertext and tag>`, the last two in base64url. It opens only in the context that
//! it was sealed in (a text like `realm|table|column|row`, authenticated but not stored), so nobody can move it to another
//! row. Several keys may be held; the newest seals, all open: a key is replaced by adding a line and sealing anew.
//! What is sealed, and where the keys come from, is not known here. NIST SP 800-38D, RFC 5869.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf;
use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::{Entropy, sha256};

const VERSION: &str = "v1";
const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 16;

/// Separates the sealing key from whatever else may be derived from a key-encryption key one day.
const SALT: &[u8] = b"nightlatch key-encryption key";
const LABEL: &[u8] = b"seal v1";

/// Why a sealed text did not open. Nothing here tells a secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("the sealed text has not the form v1.<key id>.<nonce>.<ciphertext>")]
    Malformed,
    #[error("the sealed text is cut short")]
    Truncated,
    /// The key that sealed it is not among those held. The id is checked to be eight hexadecimal digits.
    #[error("the sealing key {0} is missing")]
    UnknownKey(String),
    /// Changed, or sealed in another context: the tag says that something differs, not what.
    #[error("the sealed text was changed or belongs elsewhere")]
    NotAuthentic,
}

/// Why a list of keys was refused. Lines count from one; what they say is not repeated.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealingKeysError {
    #[error("there is no key in it")]
    Empty,
    #[error("line {0} is no key: 32 bytes are wanted, in base64 or hexadecimal")]
    Line(usize),
    /// The same key, or (one in four thousand million) another one with the same id.
    #[error("line {0} has the id of a key above it")]
    Duplicate(usize),
}

/// The key-encryption keys, newest first. Never empty.
pub struct Sealer {
    newest: SealingKey,
    older: Vec<SealingKey>,
}

struct SealingKey {
    /// The first eight hexadecimal digits of the key's SHA-256.
    id: String,
    key: LessSafeKey,
}

impl Sealer {
    /// Reads keys of 32 bytes, one per line, newest first: base64 (either alphabet, padded or not) or hexadecimal.
    /// Empty lines and lines that begin with `#` are skipped.
    pub fn from_keys(text: &str) -> Result<Self, SealingKeysError> {
        let mut keys: Vec<SealingKey> = Vec::new();
        let lines = text.lines().map(str::trim).enumerate();
        for (index, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let key = SealingKey::new(&*parse_key(line).ok_or(SealingKeysError::Line(index + 1))?);
            if keys.iter().any(|known| known.id == key.id) {
                return Err(SealingKeysError::Duplicate(index + 1));
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let newest = keys.next().ok_or(SealingKeysError::Empty)?;
        Ok(Self { newest, older: keys.collect() })
    }

    /// A new line for the list of keys.
    pub fn generate_key_line(entropy: &Entropy) -> String {
        STANDARD.encode(*Zeroizing::new(entropy.bytes::<KEY_BYTES>()))
    }

    /// Seals `plain` with the newest key, to be opened in the same context only.
    ///
    /// Nonces are random: one key may seal 2^32 texts, far more than a server has secrets (NIST SP 800-38D §8.3).
    pub fn seal(&self, entropy: &Entropy, context: &str, plain: &[u8]) -> String {
        let nonce = entropy.bytes::<NONCE_LEN>();
        let mut text = Vec::with_capacity(plain.len() + TAG_BYTES);
        text.extend_from_slice(plain);
        self.newest
            .key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut text)
            .expect("AES-GCM seals everything shorter than 64 GiB");
        format!("{VERSION}.{}.{}.{}", self.newest.id, URL_SAFE_NO_PAD.encode(nonce), URL_SAFE_NO_PAD.encode(text))
    }

    pub fn open(&self, context: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (id, nonce, text) = cut(sealed)?;
        let key = self.key(id).ok_or_else(|| SealError::UnknownKey(id.to_owned()))?;
        let nonce: [u8; NONCE_LEN] = decode(nonce)?.try_into().map_err(|_| SealError::Malformed)?;
        let mut text = Zeroizing::new(decode(text)?);
        if text.len() < TAG_BYTES {
            return Err(SealError::Truncated);
        }
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = key.open_in_place(nonce, Aad::from(context), &mut text).map_err(|_| SealError::NotAuthentic)?.len();
        text.truncate(opened);
        Ok(text)
    }

    fn key(&self, id: &str) -> Option<&LessSafeKey> {
        std::iter::once(&self.newest).chain(&self.older).find(|key| key.id == id).map(|key| &key.key)
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealer({}, {} older)", self.newest.id, self.older.len())
    }
}

impl SealingKey {
    fn new(bytes: &[u8; KEY_BYTES]) -> Self {
        let id = sha256(bytes)[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        let derived = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(bytes);
        let derived = derived.expand(&[LABEL], &AES_256_GCM).expect("a key of 32 bytes is within what HKDF gives");
        Self { id, key: LessSafeKey::new(UnboundKey::from(derived)) }
    }
}

/// The key id, the nonce and the ciphertext, still encoded.
fn cut(sealed: &str) -> Result<(&str, &str, &str), SealError> {
    let mut parts = sealed.split('.');
    let (Some(VERSION), Some(id)) = (parts.next(), parts.next()) else { return Err(SealError::Malformed) };
    if id.len() != 8 || !id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(SealError::Malformed);
    }
    match (parts.next(), parts.next(), parts.next()) {
        (Some(nonce), Some(text), None) => Ok((id, nonce, text)),
        (_, None, _) => Err(SealError::Truncated),
        _ => Err(SealError::Malformed),
    }
}

fn decode(part: &str) -> Result<Vec<u8>, SealError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| SealError::Malformed)
}

fn parse_key(line: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    const EITHER: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const ENGINES: [GeneralPurpose; 2] =
        [GeneralPurpose::new(&alphabet::STANDARD, EITHER), GeneralPurpose::new(&alphabet::URL_SAFE, EITHER)];
    let bytes = match line.len() {
        64 => Zeroizing::new(hexadecimal(line)?),
        _ => Zeroizing::new(ENGINES.iter().find_map(|engine| engine.decode(line).ok())?),
    };
    Some(Zeroizing::new(bytes.as_slice().try_into().ok()?))
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes().chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CONTEXT: &str = "realm|signing_key|private|k1";

    fn line(byte: u8) -> String {
        STANDARD.encode([byte; KEY_BYTES])
    }

    fn sealer(bytes: &[u8]) -> Sealer {
        Sealer::from_keys(&bytes.iter().map(|byte| line(*byte)).collect::<Vec<_>>().join("\n")).unwrap()
    }

    fn seal(sealer: &Sealer) -> String {
        sealer.seal(&Entropy::seeded(1), CONTEXT, b"secret")
    }

    #[test]
    fn what_is_sealed_opens_and_is_of_the_form_documented() {
        let sealer = sealer(&[1]);
        let sealed = seal(&sealer);
        assert_eq!(sealer.open(CONTEXT, &sealed).unwrap().as_slice(), b"secret");
        let parts: Vec<&str> = sealed.split('.').collect();
        assert_eq!((parts[0], parts[1], parts[2].len(), parts[3].len()), ("v1", "72cd6e84", 16, 30));
        assert_eq!(sealer.newest.id, "72cd6e84", "the head of the SHA-256 of 32 times 01");
    }

    /// Made once by an independent program: HKDF and AES-GCM of Python's `cryptography`. Stored texts must open for ever.
    #[test]
    fn a_text_sealed_by_another_implementation_opens() {
        let sealed = "v1.72cd6e84.AAECAwQFBgcICQoL.RbZ1kl05RI2ZMsKo4NC-xoCWVHYziQ";
        assert_eq!(sealer(&[1]).open(CONTEXT, sealed).unwrap().as_slice(), b"secret");
    }

    #[test]
    fn the_nonce_comes_from_the_entropy_handed_in() {
        let sealer = sealer(&[1]);
        assert_eq!(seal(&sealer), seal(&sealer));
        let entropy = Entropy::seeded(1);
        assert_ne!(sealer.seal(&entropy, CONTEXT, b"secret"), sealer.seal(&entropy, CONTEXT, b"secret"));
    }

    #[test]
    fn the_newest_key_seals_and_older_ones_open() {
        let old = seal(&sealer(&[1]));
        let both = sealer(&[2, 1]);
        assert_eq!(both.open(CONTEXT, &old).unwrap().as_slice(), b"secret");
        assert!(seal(&both).starts_with(&format!("v1.{}.", sealer(&[2]).newest.id)));
        assert_eq!(sealer(&[2]).open(CONTEXT, &old), Err(SealError::UnknownKey("72cd6e84".to_owned())));
    }

    #[test]
    fn another_context_does_not_open_it() {
        let sealer = sealer(&[1]);
        for context in ["", "realm|signing_key|private|k2", "realm|signing_key|private|k1 "] {
            assert_eq!(sealer.open(context, &seal(&sealer)), Err(SealError::NotAuthentic), "{context:?}");
        }
    }

    #[test]
    fn a_text_cut_anywhere_does_not_open() {
        let sealer = sealer(&[1]);
        let sealed = seal(&sealer);
        for length in 0..sealed.len() {
            assert!(sealer.open(CONTEXT, &sealed[..length]).is_err(), "{length}");
        }
        let opened = |text: &str| sealer.open(CONTEXT, text).unwrap_err();
        assert_eq!(opened("v1.72cd6e84.AAAAAAAAAAAAAAAA"), SealError::Truncated);
        assert_eq!(opened("v1.72cd6e84.AAAAAAAAAAAAAAAA.AAAA"), SealError::Truncated);
        assert_eq!(opened("v2.72cd6e84.AAAAAAAAAAAAAAAA.AAAA"), SealError::Malformed);
        assert_eq!(opened("v1.72CD6E84.AAAAAAAAAAAAAAAA.AAAA"), SealError::Malformed);
        assert_eq!(opened(&format!("{sealed}.AAAA")), SealError::Malformed);
        assert_eq!(opened(&format!("{sealed}==")), SealError::Malformed);
    }

    #[test]
    fn keys_are_read_in_base64_of_either_alphabet_and_in_hexadecimal() {
        let bytes: [u8; KEY_BYTES] = std::array::from_fn(|i| 255 - u8::try_from(i).unwrap());
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let forms = [STANDARD.encode(bytes), URL_SAFE_NO_PAD.encode(bytes), hex.clone(), hex.to_uppercase()];
        let ids = forms.map(|form| Sealer::from_keys(&format!("# newest\n\n  {form}\r\n")).unwrap().newest.id);
        assert!(ids.iter().all(|id| *id == ids[0]));
        let generated = Sealer::generate_key_line(&Entropy::seeded(1));
        assert!(Sealer::from_keys(&generated).is_ok());
    }

    #[test]
    fn keys_of_another_length_or_form_are_refused_by_their_line() {
        let refused = |text: &str| Sealer::from_keys(text).unwrap_err();
        assert_eq!(refused(""), SealingKeysError::Empty);
        assert_eq!(refused("# none\n"), SealingKeysError::Empty);
        assert_eq!(refused(&format!("{}\n\nsecret", line(1))), SealingKeysError::Line(3));
        for bad in [
            STANDARD.encode([1; 31]),
            STANDARD.encode([1; 33]),
            "zz".repeat(32),
            "é".repeat(32),
            format!("{} {}", line(1), line(2)),
        ] {
            assert_eq!(refused(&bad), SealingKeysError::Line(1), "{bad}");
        }
        assert_eq!(refused(&format!("{}\n{}", line(1), line(1))), SealingKeysError::Duplicate(2));
    }

    #[test]
    fn a_sealer_does_not_show_its_keys() {
        assert_eq!(format!("{:?}", sealer(&[1, 2])), "Sealer(72cd6e84, 1 older)");
    }

    proptest! {
        #[test]
        fn every_text_survives_its_round_trip(plain in proptest::collection::vec(any::<u8>(), 0..300), context in ".{0,60}") {
            let sealer = sealer(&[1]);
            let sealed = sealer.seal(&Entropy::Os, &context, &plain);
            let opened = sealer.open(&context, &sealed).unwrap();
            prop_assert_eq!(opened.as_slice(), &plain[..]);
        }

        #[test]
        fn a_changed_letter_never_opens(at in 0_usize..60, to in "[A-Za-z0-9_.-]") {
            let sealer = sealer(&[1]);
            let mut sealed = seal(&sealer);
            let at = at % sealed.len();
            prop_assume!(sealed[at..=at] != to);
            sealed.replace_range(at..=at, &to);
            prop_assert!(sealer.open(CONTEXT, &sealed).is_err());
        }

        #[test]
        fn no_text_makes_open_or_the_key_reader_panic(text in ".{0,120}", tail in "[A-Za-z0-9_.-]{0,60}") {
            let sealer = sealer(&[1]);
            prop_assert!(sealer.open(CONTEXT, &text).is_err());
            let forged = format!("v1.72cd6e84.{tail}");
            prop_assert!(sealer.open(CONTEXT, &forged).is_err());
            let _ = Sealer::from_keys(&text);
        }
    }
}
