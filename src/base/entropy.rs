//! Where random bytes come from: the operating system, or a seed that makes a test repeatable.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A source of random bytes. Cloning shares the source.
#[derive(Clone)]
pub enum Entropy {
    /// The operating system's generator, through aws-lc.
    Os,
    /// The same bytes in the same order for the same seed.
    Seeded(Arc<Mutex<ChaCha20Rng>>),
}

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Os => "Entropy::Os",
            Self::Seeded(_) => "Entropy::Seeded",
        })
    }
}

impl Entropy {
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(ChaCha20Rng::seed_from_u64(seed))))
    }

    /// Fills `bytes`. A machine that cannot give random bytes cannot go on: that is the one panic here.
    pub fn fill(&self, bytes: &mut [u8]) {
        match self {
            Self::Os => aws_lc_rs::rand::fill(bytes).expect("the operating system gives random bytes"),
            Self::Seeded(rng) => rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes),
        }
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A random UUID of version 4, as text.
    pub fn uuid(&self) -> String {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid().to_string()
    }

    /// `N` random bytes in base64url without padding.
    pub fn token<const N: usize>(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes::<N>())
    }

    /// `length` random letters and digits, evenly drawn.
    pub fn alphanumeric(&self, length: usize) -> String {
        const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut text = String::with_capacity(length);
        while text.len() < length {
            // 248 = 4 * 62: bytes above would favour the first letters.
            for byte in self.bytes::<64>().into_iter().filter(|b| *b < 248) {
                if text.len() < length {
                    text.push(LETTERS[usize::from(byte) % 62] as char);
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself_and_two_seeds_differ() {
        assert_eq!(Entropy::seeded(1).uuid(), Entropy::seeded(1).uuid());
        assert_ne!(Entropy::seeded(1).uuid(), Entropy::seeded(2).uuid());
    }

    #[test]
    fn secrets_have_the_length_asked_for() {
        assert_eq!(Entropy::Os.alphanumeric(86).len(), 86);
        assert_eq!(Entropy::Os.token::<18>().len(), 24);
    }
}
