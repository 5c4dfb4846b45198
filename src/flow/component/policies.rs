//! The policies of client registration that every realm begins with (Keycloak: `DefaultClientRegistrationPolicies`).

use crate::base::Entropy;
use crate::model::component::{Config, REGISTRATION_POLICY};
use crate::model::{Component, ComponentId};

const MAPPERS: [&str; 8] = [
    "oidc-address-mapper",
    "oidc-full-name-mapper",
    "oidc-sha256-pairwise-sub-mapper",
    "oidc-usermodel-attribute-mapper",
    "oidc-usermodel-property-mapper",
    "saml-role-list-mapper",
    "saml-user-attribute-mapper",
    "saml-user-property-mapper",
];

type Policy = (&'static str, &'static str, &'static [(&'static str, &'static [&'static str])]);

const MAPPER_TYPES: Policy =
    ("Allowed Protocol Mapper Types", "allowed-protocol-mappers", &[("allowed-protocol-mapper-types", &MAPPERS)]);
const CLIENT_SCOPES: Policy = ("Allowed Client Scopes", "allowed-client-templates", &[("allow-default-scopes", &["true"])]);
const WEB_ORIGINS: Policy = ("Allowed Registration Web Origins", "registration-web-origins", &[]);

const ANONYMOUS: [Policy; 7] = [
    (
        "Trusted Hosts",
        "trusted-hosts",
        &[("host-sending-registration-request-must-match", &["true"]), ("client-uris-must-match", &["true"])],
    ),
    ("Consent Required", "consent-required", &[]),
    ("Full Scope Disabled", "scope", &[]),
    ("Max Clients Limit", "max-clients", &[("max-clients", &["200"])]),
    MAPPER_TYPES,
    CLIENT_SCOPES,
    WEB_ORIGINS,
];
const AUTHENTICATED: [Policy; 3] = [MAPPER_TYPES, CLIENT_SCOPES, WEB_ORIGINS];

/// The policies of a new realm, below the realm.
pub fn defaults(entropy: &Entropy) -> Vec<Component> {
    let policies = |sub_type: &'static str, all: &'static [Policy]| {
        all.iter().map(move |(name, provider_id, config)| Component {
            id: ComponentId::new(entropy.uuid()),
            name: (*name).to_owned(),
            provider_type: REGISTRATION_POLICY.to_owned(),
            provider_id: (*provider_id).to_owned(),
            parent: String::new(),
            sub_type: Some(sub_type.to_owned()),
            config: config.iter().map(|(name, values)| ((*name).to_owned(), owned(values))).collect::<Config>(),
        })
    };
    policies("anonymous", &ANONYMOUS).chain(policies("authenticated", &AUTHENTICATED)).collect()
}

fn owned(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::component::{catalog, property};

    #[test]
    fn the_policies_of_a_new_realm_may_be_as_they_are() {
        let all = defaults(&Entropy::seeded(1));
        assert_eq!(all.len(), 10);
        for policy in all {
            let provider = catalog::provider(&policy.provider_type, &policy.provider_id).unwrap();
            assert_eq!(property::check(&policy.config, provider.properties()), Ok(()), "{policy:?}");
            assert!(policy.config.keys().all(|name| provider.keeps(name)), "{policy:?}");
        }
    }
}
