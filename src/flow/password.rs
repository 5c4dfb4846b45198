//! Passwords: hashing and checking, in a pool of their own so that a storm of logins leaves the other threads free.
//!
//! New passwords are argon2id with Keycloak's parameters and stored in Keycloak's form. Hashes that Keycloak made (argon2,
//! pbkdf2 in three kinds) are checked as they are, and replaced by ours when their user signs in.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::base::{Entropy, Secret, Timestamp, constant_time_eq};
use crate::model::CredentialId;
use crate::model::credential::{Credential, PASSWORD};
use crate::oidc::password_policy::{HashAlgorithm, HashRule};

/// Longer passwords are refused before they are hashed.
pub const MAX_PASSWORD_BYTES: usize = 1_024;

/// Hashes are computed at most so often at once; beyond, requests queue up to this number and are then told to come later.
const MAX_QUEUE: usize = 256;

/// Cost of argon2id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    pub memory_kib: u32,
    pub iterations: u32,
}

impl Cost {
    /// Keycloak's parameters (OWASP's third choice).
    pub const KEYCLOAK: Self = Self { memory_kib: 7_168, iterations: 5 };
}

#[derive(Debug)]
pub struct Passwords {
    slots: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    cost: Cost,
    /// The folder of lists of forbidden passwords.
    lists: Option<PathBuf>,
}

/// What a check of a password says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    Right,
    /// Right, but the hash is of another kind or cost than new ones: it should be replaced.
    RightButWeak,
    Wrong,
    /// Too many are being checked at this moment.
    Busy,
}

impl Passwords {
    pub fn new(concurrency: usize, cost: Cost) -> Self {
        let (slots, queue) = (Semaphore::new(concurrency.max(1)), Semaphore::new(MAX_QUEUE));
        Self { slots: Arc::new(slots), queue: Arc::new(queue), cost, lists: None }
    }

    /// With a folder of lists of forbidden passwords: files in UTF-8, one password a line, in small letters.
    #[must_use]
    pub fn with_lists(self, folder: Option<PathBuf>) -> Self {
        Self { lists: folder, ..self }
    }

    /// Where the list of this name is; a name is that of a file and leads nowhere else.
    pub fn list(&self, name: &str) -> Option<PathBuf> {
        let is_name = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
        self.lists.as_ref().filter(|_| is_name).map(|folder| folder.join(name)).filter(|path| path.is_file())
    }

    /// Whether a list has the password, in whatever letters. The list is read anew each time: passwords are seldom set, and a
    /// list of millions is not for the memory. `None` if too many are at work.
    pub async fn is_listed(&self, list: PathBuf, password: &Secret) -> Option<std::io::Result<bool>> {
        let wanted = Secret::new(password.expose().to_lowercase());
        self.in_pool(move || {
            for line in BufReader::new(File::open(list)?).lines() {
                if line?.trim().to_lowercase() == wanted.expose() {
                    return Ok(true);
                }
            }
            Ok(false)
        })
        .await
    }

    /// Checks a password. Without a credential the same work is done for nothing, so that a name that nobody has takes as long
    /// as one that somebody has.
    pub async fn check(&self, rule: &HashRule, password: &Secret, credential: Option<&Credential>) -> Check {
        if password.expose().len() > MAX_PASSWORD_BYTES {
            return Check::Wrong;
        }
        let stored = credential.and_then(Stored::read);
        let new = Method::new(rule, self.cost);
        let work = stored.clone().unwrap_or_else(|| Stored::empty(&new, [0; 16]));
        let password = password.clone();
        let Some(hash) = self.in_pool(move || work.compute(password.expose().as_bytes())).await else { return Check::Busy };
        match (stored, hash) {
            (Some(stored), Some(hash)) if constant_time_eq(&hash, &stored.value) => {
                if stored.method == new && stored.value.len() == new.length() { Check::Right } else { Check::RightButWeak }
            }
            _ => Check::Wrong,
        }
    }

    /// Hashes a new password into a credential; `None` if too many are being hashed.
    pub async fn hash(&self, rule: &HashRule, entropy: &Entropy, password: &Secret, now: Timestamp) -> Option<Credential> {
        let salt: [u8; 16] = entropy.bytes();
        let method = Method::new(rule, self.cost);
        let work = Stored::empty(&method, salt);
        let password = password.clone();
        let value = self.in_pool(move || work.compute(password.expose().as_bytes())).await??;
        let secret = json!({"value": STANDARD.encode(value), "salt": STANDARD.encode(salt), "additionalParameters": {}});
        Some(Credential {
            id: CredentialId::new(entropy.uuid()),
            kind: PASSWORD.to_owned(),
            user_label: None,
            created_at: now,
            secret_data: Secret::new(secret.to_string()),
            credential_data: method.write(),
            priority: 10,
            last_step: None,
        })
    }

    async fn in_pool<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let queued = Arc::clone(&self.queue).try_acquire_owned().ok()?;
        let slot = Arc::clone(&self.slots).acquire_owned().await.ok()?;
        // The slot belongs to the work: a client that hangs up does not make room for another while its hash still runs.
        let done = tokio::task::spawn_blocking(move || {
            let value = work();
            drop((queued, slot));
            value
        });
        done.await.ok()
    }
}

/// A stored hash, read from Keycloak's JSON.
#[derive(Clone)]
struct Stored {
    value: Vec<u8>,
    salt: Vec<u8>,
    method: Method,
}

/// The costs that Keycloak has for hashes other than argon2, where a realm names none.
const PBKDF2: [(HashAlgorithm, Digest, u32); 3] = [
    (HashAlgorithm::Pbkdf2Sha1, Digest::Sha1, 1_300_000),
    (HashAlgorithm::Pbkdf2Sha256, Digest::Sha256, 600_000),
    (HashAlgorithm::Pbkdf2Sha512, Digest::Sha512, 210_000),
];
/// A realm's policy may not make a sign-in take minutes.
const MAX_ARGON2_ITERATIONS: u32 = 100;
const MAX_PBKDF2_ITERATIONS: u32 = 10_000_000;

#[derive(Clone, PartialEq, Eq)]
enum Method {
    Argon2 { variant: argon2::Algorithm, version: argon2::Version, memory_kib: u32, iterations: u32, parallelism: u32 },
    Pbkdf2 { digest: Digest, iterations: u32 },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

impl Method {
    /// As new passwords are hashed.
    fn new(rule: &HashRule, cost: Cost) -> Self {
        let other = PBKDF2.into_iter().find(|(algorithm, ..)| rule.algorithm == Some(*algorithm));
        if let Some((_, digest, usual)) = other {
            return Self::Pbkdf2 { digest, iterations: rule.iterations.unwrap_or(usual).min(MAX_PBKDF2_ITERATIONS) };
        }
        Self::Argon2 {
            variant: argon2::Algorithm::Argon2id,
            version: argon2::Version::V0x13,
            memory_kib: cost.memory_kib,
            iterations: rule.iterations.unwrap_or(cost.iterations).min(MAX_ARGON2_ITERATIONS),
            parallelism: 1,
        }
    }

    /// The bytes of a new hash.
    fn length(&self) -> usize {
        match self {
            Self::Argon2 { .. } | Self::Pbkdf2 { digest: Digest::Sha256, .. } => 32,
            Self::Pbkdf2 { .. } => 64,
        }
    }

    /// `credentialData` of a new hash.
    fn write(&self) -> Value {
        match self {
            Self::Argon2 { memory_kib, iterations, .. } => json!({
                "hashIterations": iterations,
                "algorithm": "argon2",
                "additionalParameters": {
                    "hashLength": ["32"], "memory": [memory_kib.to_string()], "type": ["id"], "version": ["1.3"],
                    "parallelism": ["1"]
                }
            }),
            Self::Pbkdf2 { digest, iterations } => {
                let algorithm = match digest {
                    Digest::Sha1 => "pbkdf2",
                    Digest::Sha256 => "pbkdf2-sha256",
                    Digest::Sha512 => "pbkdf2-sha512",
                };
                json!({"hashIterations": iterations, "algorithm": algorithm, "additionalParameters": {}})
            }
        }
    }

    /// Reads `credentialData`. Costs beyond any that Keycloak uses are refused: a file may not make a login take minutes.
    fn read(data: &Value) -> Option<Self> {
        let iterations = u32::try_from(data.get("hashIterations")?.as_u64()?).ok()?;
        let parameter = |name: &str| data.pointer(&format!("/additionalParameters/{name}/0")).and_then(Value::as_str);
        let digest = match data.get("algorithm").and_then(Value::as_str)? {
            "argon2" => {
                let number = |name: &str, default: u32| parameter(name).map_or(Some(default), |t| t.parse().ok());
                let memory_kib = number("memory", 7_168).filter(|m| *m <= 1 << 20)?;
                let parallelism = number("parallelism", 1).filter(|p| *p <= 64)?;
                let variant = match parameter("type").unwrap_or("id") {
                    "id" => argon2::Algorithm::Argon2id,
                    "i" => argon2::Algorithm::Argon2i,
                    "d" => argon2::Algorithm::Argon2d,
                    _ => return None,
                };
                let version = match parameter("version").unwrap_or("1.3") {
                    "1.3" => argon2::Version::V0x13,
                    "1.0" => argon2::Version::V0x10,
                    _ => return None,
                };
                let iterations = Some(iterations).filter(|i| (1..=MAX_ARGON2_ITERATIONS).contains(i))?;
                return Some(Self::Argon2 { variant, version, memory_kib, iterations, parallelism });
            }
            "pbkdf2" => Digest::Sha1,
            "pbkdf2-sha256" => Digest::Sha256,
            "pbkdf2-sha512" => Digest::Sha512,
            _ => return None,
        };
        Some(Self::Pbkdf2 { digest, iterations }).filter(|_| (1..=MAX_PBKDF2_ITERATIONS).contains(&iterations))
    }
}

impl Stored {
    fn read(credential: &Credential) -> Option<Self> {
        let secret: Value = serde_json::from_str(credential.secret_data.expose()).ok()?;
        let bytes = |name: &str| STANDARD.decode(secret.get(name)?.as_str()?).ok();
        let value = bytes("value").filter(|v| (16..=512).contains(&v.len()))?;
        Some(Self { value, salt: bytes("salt")?, method: Method::read(&credential.credential_data)? })
    }

    /// What a new hash is computed into.
    fn empty(method: &Method, salt: [u8; 16]) -> Self {
        Self { value: vec![0; method.length()], salt: salt.to_vec(), method: method.clone() }
    }

    /// The hash of this password under the stored salt and cost; the length is that of the stored one.
    fn compute(&self, password: &[u8]) -> Option<Vec<u8>> {
        let mut out = vec![0; self.value.len()];
        match self.method {
            Method::Argon2 { variant, version, memory_kib, iterations, parallelism } => {
                let params = argon2::Params::new(memory_kib, iterations, parallelism, Some(out.len())).ok()?;
                argon2::Argon2::new(variant, version, params).hash_password_into(password, &self.salt, &mut out).ok()?;
            }
            Method::Pbkdf2 { digest, iterations } => match digest {
                Digest::Sha1 => pbkdf2::pbkdf2_hmac::<sha1::Sha1>(password, &self.salt, iterations, &mut out),
                Digest::Sha256 => pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password, &self.salt, iterations, &mut out),
                Digest::Sha512 => pbkdf2::pbkdf2_hmac::<sha2::Sha512>(password, &self.salt, iterations, &mut out),
            },
        }
        Some(out)
    }
}

/// Whether a credential of an import can ever let somebody in.
pub fn is_understood(credential: &Credential) -> bool {
    credential.kind != PASSWORD || Stored::read(credential).is_some()
}

#[cfg(test)]
#[path = "password_tests.rs"]
mod tests;
