//! Keys in use: which one signs for a client, how new ones are made, and what a token that verifies says.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::component::purpose::Purpose;
use super::context::{Cx, Server};
use super::key_ring::KeyRing;
use crate::base::{Entropy, Timestamp};
use crate::jose::{self, Algorithm, JoseError, Key, KeyType, RsaSize};
use crate::model::component::Config;
use crate::model::signing_key::{KeyUse, StoredKey};
use crate::model::{Client, ComponentId, KeyId, RealmId};
use crate::store::{self, StoreError};

/// Refresh and offline tokens are signed with this and verified by this server alone.
pub const INTERNAL_ALGORITHM: Algorithm = Algorithm::Hs512;

/// The algorithm of a client's access or ID tokens: its own choice, else the realm's, else RS256.
pub fn algorithm_for(cx: &Cx, client: &Client, attribute: &str) -> Algorithm {
    let chosen = client.attribute(attribute).unwrap_or(&cx.settings().default_signature_algorithm);
    chosen.parse().unwrap_or(Algorithm::Rs256)
}

/// The algorithms of the tokens that a client gets: access token, and ID token, which a secret may sign instead of a key.
fn algorithms_of(cx: &Cx, client: &Client) -> [Algorithm; 2] {
    let id = id_algorithm(cx, client);
    let access = algorithm_for(cx, client, "access.token.signed.response.alg");
    [access, if id.is_symmetric() { access } else { id }]
}

/// The algorithm of a client's ID tokens. One that needs a secret needs a client that has one (OIDC Core §10.1).
pub fn id_algorithm(cx: &Cx, client: &Client) -> Algorithm {
    let chosen = algorithm_for(cx, client, "id.token.signed.response.alg");
    if chosen.is_symmetric() && client.secret.is_none() { Algorithm::Rs256 } else { chosen }
}

/// The client's secret as the key of a symmetric ID token: the only one that both sides have. A secret that is too short to sign
/// with is the administrator's mistake, and is named as such in the log.
pub fn client_key(client: &Client, algorithm: Algorithm) -> Result<Option<Key>, StoreError> {
    let Some(secret) = client.secret.as_ref().filter(|_| algorithm.is_symmetric()) else { return Ok(None) };
    Key::from_secret(client.uuid.as_str(), algorithm, secret.expose().as_bytes())
        .map(Some)
        .map_err(|e| StoreError::Inconsistent(format!("the secret of client {} does not sign: {e}", client.client_id)))
}

/// Whether everything is there to sign a client's tokens.
pub fn can_sign_for(cx: &Cx, client: &Client) -> bool {
    client_key(client, id_algorithm(cx, client)).is_ok()
        && algorithms_of(cx, client).into_iter().all(|algorithm| cx.realm.keys.signer(algorithm).is_some())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provided {
    WasThere,
    /// The realm has a new key, which this request's copy of it does not know.
    Made,
}

/// Makes the keys that a client's tokens need and the realm lacks.
pub async fn provide(cx: &Cx, client: &Client) -> Result<Provided, StoreError> {
    if can_sign_for(cx, client) {
        return Ok(Provided::WasThere);
    }
    client_key(client, id_algorithm(cx, client))?;
    for algorithm in algorithms_of(cx, client) {
        signing_key(cx, algorithm).await?;
    }
    Ok(Provided::Made)
}

/// The key to sign with. Where the realm has none of this algorithm yet, one is made and kept (Keycloak: fallback keys).
pub async fn signing_key(cx: &Cx, algorithm: Algorithm) -> Result<Key, StoreError> {
    if let Some(key) = cx.realm.keys.signer(algorithm) {
        return Ok(key.clone());
    }
    // A burst of requests makes one key, not one each.
    let _one_at_a_time = cx.server.realms.one_key_at_a_time().await;
    if let Some(key) = cx.refreshed().await?.and_then(|cx| cx.realm.keys.signer(algorithm).cloned()) {
        return Ok(key);
    }
    let realm = &cx.snapshot().realm;
    let key = fallback(generate(&cx.server, algorithm, &realm.name, cx.now).await?);
    cx.store()
        .in_tx(async |db| {
            store::realm::touch(db, &realm.id).await?;
            // Another request may have been first: then its key is the one.
            let there = store::signing_key::list_keys(db, &realm.id).await?;
            if !there.iter().any(|k| k.algorithm == key.algorithm && k.active && k.enabled) {
                store::signing_key::insert_key(db, &realm.id, &key, cx.now).await?;
            }
            Ok(())
        })
        .await?;
    cx.server.realms.invalidate(&realm.id);
    let fresh = cx.refreshed().await?;
    fresh
        .and_then(|cx| cx.realm.keys.signer(algorithm).cloned())
        .ok_or_else(|| StoreError::Inconsistent(format!("no key for {}", algorithm.as_str())))
}

/// How many bytes a new HMAC secret has, as Keycloak makes them.
pub const HMAC_BYTES: usize = 128;
/// How many bytes a new AES key has.
pub const AES_BYTES: usize = 16;

/// A key that is made where there is none: it stands behind every key that an administrator made.
pub fn fallback(key: StoredKey) -> StoredKey {
    let key = StoredKey { priority: -100, name: format!("fallback-{}", key.algorithm), ..key };
    StoredKey { config: key.plain_config(), ..key }
}

/// A new signing key. Key pairs take a while to find: they are made off the threads that serve requests.
pub async fn generate(server: &Server, algorithm: Algorithm, common_name: &str, now: Timestamp) -> Result<StoredKey, StoreError> {
    if algorithm.is_symmetric() {
        return Ok(hmac(&server.entropy, algorithm, HMAC_BYTES));
    }
    if algorithm.key_type() == KeyType::Rsa {
        let purpose = Purpose::Sign(algorithm);
        return generate_rsa(&server.entropy, purpose, RsaSize::Bits2048, common_name, now).await;
    }
    let name = common_name.to_owned();
    let generated = off_thread(move || jose::generate(algorithm, &name, now)).await?;
    let provider = if algorithm == Algorithm::EdDsa { "eddsa-generated" } else { "ecdsa-generated" };
    Ok(stored(&server.entropy, generated, provider, Purpose::Sign(algorithm)))
}

/// A new RSA key, for signatures or for encryption to this server.
pub async fn generate_rsa(
    entropy: &Entropy,
    purpose: Purpose,
    size: RsaSize,
    common_name: &str,
    now: Timestamp,
) -> Result<StoredKey, StoreError> {
    let name = common_name.to_owned();
    let generated = off_thread(move || jose::generate_rsa(size, &name, now)).await?;
    let provider = if purpose == Purpose::Receive { "rsa-enc-generated" } else { "rsa-generated" };
    Ok(stored(entropy, generated, provider, purpose))
}

/// Runs what takes long on a processor off the threads that serve requests.
pub async fn off_thread<T: Send + 'static>(
    make: impl FnOnce() -> Result<T, JoseError> + Send + 'static,
) -> Result<T, StoreError> {
    let made = tokio::task::spawn_blocking(make).await;
    let made = made.map_err(|e| StoreError::Inconsistent(format!("key generation ended: {e}")))?;
    made.map_err(|e| StoreError::Inconsistent(format!("key generation failed: {e}")))
}

fn stored(entropy: &Entropy, generated: jose::Generated, provider: &str, purpose: Purpose) -> StoredKey {
    let key = StoredKey {
        id: KeyId::new(generated.kid),
        component: ComponentId::new(entropy.uuid()),
        name: provider.to_owned(),
        provider_id: provider.to_owned(),
        priority: 100,
        algorithm: purpose.algorithm().to_owned(),
        key_use: if purpose == Purpose::Receive { KeyUse::Encryption } else { KeyUse::Signature },
        active: true,
        enabled: true,
        material: generated.private_pkcs8,
        certificate: generated.certificate_der,
        config: Config::new(),
    };
    StoredKey { config: key.plain_config(), ..key }
}

/// A new HMAC secret.
pub fn hmac(entropy: &Entropy, algorithm: Algorithm, bytes: usize) -> StoredKey {
    let name = format!("hmac-generated-{}", algorithm.as_str().to_lowercase());
    secret(entropy, (&name, "hmac-generated"), Purpose::Sign(algorithm), bytes)
}

/// A new AES key, as Keycloak has one in each realm.
pub fn aes(entropy: &Entropy, bytes: usize) -> StoredKey {
    secret(entropy, ("aes-generated", "aes-generated"), Purpose::Aes, bytes)
}

fn secret(entropy: &Entropy, (name, provider): (&str, &str), purpose: Purpose, bytes: usize) -> StoredKey {
    let mut material = Zeroizing::new(vec![0; bytes]);
    entropy.fill(&mut material);
    let key = StoredKey {
        id: KeyId::new(entropy.uuid()),
        component: ComponentId::new(entropy.uuid()),
        name: name.to_owned(),
        provider_id: provider.to_owned(),
        priority: 100,
        algorithm: purpose.algorithm().to_owned(),
        key_use: if purpose == Purpose::Aes { KeyUse::Encryption } else { KeyUse::Signature },
        active: true,
        enabled: true,
        material,
        certificate: None,
        config: Config::new(),
    };
    StoredKey { config: key.plain_config(), ..key }
}

/// The claims of a token of this realm whose signature is good; none otherwise. Nothing else has been looked at.
pub fn verified_claims(cx: &Cx, token: &str) -> Option<Map<String, Value>> {
    cx.realm.keys.verify(token).ok().map(|v| v.claims)
}

/// The same, on the realm as it stands now if the copy does not know the key: another node may have made it.
pub async fn claims_of_any_node(cx: &Cx, token: &str) -> Result<Option<(Cx, Map<String, Value>)>, StoreError> {
    if let Some(claims) = verified_claims(cx, token) {
        return Ok(Some((cx.clone(), claims)));
    }
    let Some(fresh) = cx.refreshed().await? else { return Ok(None) };
    Ok(verified_claims(&fresh, token).map(|claims| (fresh, claims)))
}

/// The claims of an ID token of this realm, one that a client's secret signed included. The client could have written that one
/// itself: it says which session the client means, and proves nothing about a user.
pub fn verified_id_token(cx: &Cx, token: &str) -> Option<Map<String, Value>> {
    let claims = verified_claims(cx, token).or_else(|| signed_by_secret(cx, token));
    claims.filter(|claims| claims.get("typ").and_then(Value::as_str) == Some("ID"))
}

fn signed_by_secret(cx: &Cx, token: &str) -> Option<Map<String, Value>> {
    let verified = jose::verify(token, |header| {
        let client = cx.snapshot().clients.get(header.kid.as_deref()?)?;
        client_key(client, id_algorithm(cx, client)).ok().flatten()
    });
    let verified = verified.ok()?;
    let client = cx.snapshot().clients.get(verified.header.kid.as_deref()?)?;
    let is_own = verified.claims.get("azp").and_then(Value::as_str) == Some(client.client_id.as_str());
    is_own.then_some(verified.claims)
}

/// The claims of a token that only this server reads: such are signed with the internal algorithm and with no other.
pub fn verified_internal_claims(cx: &Cx, token: &str) -> Option<Map<String, Value>> {
    let verified = cx.realm.keys.verify(token).ok()?;
    (verified.header.algorithm == INTERNAL_ALGORITHM).then_some(verified.claims)
}

/// The key that refresh and offline tokens are signed with.
pub fn internal_key<'a>(ring: &'a KeyRing, realm: &RealmId) -> Result<&'a Key, StoreError> {
    ring.signer(INTERNAL_ALGORITHM).ok_or_else(|| StoreError::Inconsistent(format!("realm {realm} has no HS512 key")))
}
