//! What takes long or is secret, made before the transaction begins: keys and password hashes.

use super::writer::ImportError;
use crate::base::Timestamp;
use crate::flow::context::Server;
use crate::flow::keys;
use crate::jose::Algorithm;
use crate::model::realm_import::{PasswordImport, RealmImport};
use crate::model::signing_key::StoredKey;
use crate::store::StoreError;

/// The keys of the file, and those that every realm has where the file brings none of the kind.
pub(super) async fn keys_of(server: &Server, import: &RealmImport, now: Timestamp) -> Result<Vec<StoredKey>, StoreError> {
    let mut all = import.keys.clone();
    let has = |algorithm: &str| import.keys.iter().any(|k| k.algorithm == algorithm);
    if !has("RS256") {
        all.push(keys::generate(server, Algorithm::Rs256, &import.name, now).await?);
    }
    if !has("RSA-OAEP") {
        all.push(keys::generate_encryption(&import.name, now).await?);
    }
    if !has("HS512") {
        all.push(keys::hmac(&server.entropy, Algorithm::Hs512));
    }
    if !has("AES") {
        all.push(keys::aes(&server.entropy));
    }
    Ok(all)
}

/// Hashes the passwords that stand in the clear; the order is that of the users and their credentials.
pub(super) async fn hash_passwords(
    server: &Server,
    import: &mut RealmImport,
    now: Timestamp,
) -> Result<Vec<Vec<crate::model::credential::Credential>>, ImportError> {
    let mut all = Vec::with_capacity(import.users.len());
    for user in &mut import.users {
        let mut of_user = Vec::new();
        for password in std::mem::take(&mut user.passwords) {
            of_user.push(match password {
                PasswordImport::Stored(credential) => credential,
                PasswordImport::Clear(clear) => {
                    server.passwords.hash(&server.entropy, &clear, now).await.ok_or(ImportError::Busy)?
                }
            });
        }
        all.push(of_user);
    }
    Ok(all)
}
