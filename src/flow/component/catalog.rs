//! The providers that a component may be of, by type and id, and what may be configured of each.

use super::property::{Kind, Property};
use crate::model::component::{KEY_PROVIDER, REGISTRATION_POLICY, USER_PROFILE};
use crate::oidc::registration_policy::{ADDRESSES, SENDER, TRUSTED_HOSTS};

/// How a component of a provider is dealt with.
#[derive(Clone, Copy, Debug)]
pub enum Provider {
    /// What else is in its configuration is left out, as Keycloak does.
    Known(&'static [Property], &'static [Property]),
    /// Kept whole and not acted on.
    Opaque,
    /// Keycloak has it, this server has not: kept, it would promise what is not done.
    Unsupported,
}

impl Provider {
    /// What may be configured, in the order in which it is looked at.
    pub fn properties(self) -> impl Iterator<Item = Property> {
        let (common, own): (&[Property], &[Property]) = match self {
            Self::Known(common, own) => (common, own),
            Self::Opaque | Self::Unsupported => (&[], &[]),
        };
        common.iter().chain(own).copied()
    }

    /// Whether a name stays in the configuration.
    pub fn keeps(self, name: &str) -> bool {
        matches!(self, Self::Opaque) || self.properties().any(|property| property.name == name)
    }
}

const KEY: [Property; 3] = [
    Property::new("priority", "Priority", Kind::Number),
    Property::new("enabled", "Enabled", Kind::Flag),
    Property::new("active", "Active", Kind::Flag),
];

const RSA_ALGORITHM: Property =
    Property::new("algorithm", "Algorithm", Kind::OneOf(&["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]));
/// Keycloak has RSA1_5 and RSA-OAEP-256 too.
const ENCRYPTION_ALGORITHM: Property = Property::new("algorithm", "Algorithm", Kind::OneOf(&["RSA-OAEP"]));
const HMAC_ALGORITHM: Property = Property::new("algorithm", "Algorithm", Kind::OneOf(&["HS256", "HS384", "HS512"]));
/// The words are Keycloak's; 1024 bits are refused where the key is made.
const KEY_SIZE: Property = Property::new("keySize", "Key size", Kind::OneOf(&["1024", "2048", "3072", "4096"]));
const HMAC_SIZE: Property =
    Property::new("secretSize", "Secret size", Kind::OneOf(&["16", "24", "32", "64", "128", "256", "512"]));
const AES_SIZE: Property = Property::new("secretSize", "AES Key size", Kind::OneOf(&["16", "24", "32"]));
const CURVE: Property = Property::new("ecdsaEllipticCurveKey", "Elliptic Curve", Kind::OneOf(&["P-256", "P-384", "P-521"]));
/// Keycloak has Ed448 too.
const EDWARDS_CURVE: Property = Property::new("eddsaEllipticCurveKey", "Elliptic Curve", Kind::OneOf(&["Ed25519"]));
const PRIVATE_KEY: Property = Property::required("privateKey", "Private RSA Key", Kind::Text);
const CERTIFICATE: Property = Property::new("certificate", "X509 Certificate", Kind::Text);

/// The provider of this type and id; `None` if Keycloak has none either.
pub fn provider(provider_type: &str, id: &str) -> Option<Provider> {
    match provider_type {
        KEY_PROVIDER => key_provider(id),
        REGISTRATION_POLICY => policy(id),
        USER_PROFILE => (id == "declarative-user-profile").then_some(Provider::Opaque),
        "org.keycloak.storage.UserStorageProvider" => ["ldap", "kerberos"].contains(&id).then_some(Provider::Opaque),
        "org.keycloak.storage.ldap.mappers.LDAPStorageMapper" => Some(Provider::Opaque),
        _ => None,
    }
}

fn key_provider(id: &str) -> Option<Provider> {
    let own: &'static [Property] = match id {
        "rsa" => &[PRIVATE_KEY, CERTIFICATE, RSA_ALGORITHM],
        "rsa-enc" => &[PRIVATE_KEY, CERTIFICATE, ENCRYPTION_ALGORITHM],
        "rsa-generated" => &[KEY_SIZE, RSA_ALGORITHM],
        "rsa-enc-generated" => &[KEY_SIZE, ENCRYPTION_ALGORITHM],
        "ecdsa-generated" => &[CURVE],
        "eddsa-generated" => &[EDWARDS_CURVE],
        "hmac-generated" => &[HMAC_SIZE, HMAC_ALGORITHM],
        "aes-generated" => &[AES_SIZE],
        "java-keystore" | "ecdh-generated" => return Some(Provider::Unsupported),
        _ => return None,
    };
    Some(Provider::Known(&KEY, own))
}

fn policy(id: &str) -> Option<Provider> {
    const MAX_CLIENTS: Property = Property::new("max-clients", "Max Clients Per Realm", Kind::Number);
    const TRUSTED: [Property; 3] = [
        Property::new(TRUSTED_HOSTS, "Trusted Hosts", Kind::List),
        Property::required(SENDER, "Host Sending Client Registration Request Must Match", Kind::Flag),
        Property::required(ADDRESSES, "Client URIs Must Match", Kind::Flag),
    ];
    const CLIENT_SCOPES: [Property; 2] = [
        Property::new("allowed-client-scopes", "Allowed Client Scopes", Kind::List),
        Property::new("allow-default-scopes", "Allow Default Scopes", Kind::Flag),
    ];
    const MAPPERS: Property = Property::new("allowed-protocol-mapper-types", "Allowed Protocol Mappers", Kind::List);
    const WEB_ORIGINS: Property = Property::new("web-origins", "Allowed Registration Web Origins", Kind::List);
    let own: &'static [Property] = match id {
        "max-clients" => &[MAX_CLIENTS],
        TRUSTED_HOSTS => &TRUSTED,
        "allowed-client-templates" => &CLIENT_SCOPES,
        "allowed-protocol-mappers" => &[MAPPERS],
        "registration-web-origins" => &[WEB_ORIGINS],
        "consent-required" | "client-disabled" | "scope" => &[],
        _ => return None,
    };
    Some(Provider::Known(&[], own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_told_apart_by_type_and_id() {
        assert!(matches!(provider(KEY_PROVIDER, "rsa-generated"), Some(Provider::Known(..))));
        assert!(matches!(provider(KEY_PROVIDER, "java-keystore"), Some(Provider::Unsupported)));
        assert!(provider(KEY_PROVIDER, "max-clients").is_none());
        assert!(provider(REGISTRATION_POLICY, "nothing").is_none());
        assert!(provider("nothing", "rsa").is_none());
        let rsa = provider(KEY_PROVIDER, "rsa-generated").unwrap();
        assert!(rsa.keeps("keySize") && rsa.keeps("priority") && !rsa.keeps("privateKey"));
    }
}
