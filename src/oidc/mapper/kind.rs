//! Which kinds of protocol mappers there are, and what is set where a new one does not say.

use crate::model::ProtocolMapper;

/// Every kind that Keycloak 26.7 knows, whatever its protocol: what is not done here is kept for where a realm goes next.
const KNOWN: [&str; 39] = [
    "docker-v2-allow-all-mapper",
    "oidc-acr-mapper",
    "oidc-address-mapper",
    "oidc-allowed-origins-mapper",
    "oidc-amr-mapper",
    "oidc-audience-mapper",
    "oidc-audience-resolve-mapper",
    "oidc-claims-param-token-mapper",
    "oidc-claims-param-value-idtoken-mapper",
    "oidc-full-name-mapper",
    "oidc-group-membership-mapper",
    "oidc-hardcoded-claim-mapper",
    "oidc-hardcoded-role-mapper",
    "oidc-nonce-backwards-compatible-mapper",
    "oidc-organization-group-membership-mapper",
    "oidc-organization-membership-mapper",
    "oidc-role-name-mapper",
    "oidc-session-state-mapper",
    "oidc-sha256-pairwise-sub-mapper",
    "oidc-sub-mapper",
    "oidc-usermodel-attribute-mapper",
    "oidc-usermodel-client-role-mapper",
    "oidc-usermodel-property-mapper",
    "oidc-usermodel-realm-role-mapper",
    "oidc-usersessionmodel-note-mapper",
    "saml-audience-mapper",
    "saml-audience-resolve-mapper",
    "saml-authn-context-class-ref-mapper",
    "saml-group-membership-mapper",
    "saml-hardcode-attribute-mapper",
    "saml-hardcode-role-mapper",
    "saml-organization-group-membership-mapper",
    "saml-organization-membership-mapper",
    "saml-role-list-mapper",
    "saml-role-name-mapper",
    "saml-user-attribute-mapper",
    "saml-user-attribute-nameid-mapper",
    "saml-user-property-mapper",
    "saml-user-session-note-mapper",
];

const ACCESS: &str = "access.token.claim";
const INTROSPECTION: &str = "introspection.token.claim";
const ID: &str = "id.token.claim";
const USER_INFO: &str = "userinfo.token.claim";

pub fn is_known(kind: &str) -> bool {
    KNOWN.contains(&kind)
}

/// What is told at introspection is what stands in access tokens, and at userinfo what stands in ID tokens, unless it is said
/// otherwise (Keycloak). A few kinds have switches of their own.
pub fn fill_in(mapper: &mut ProtocolMapper) {
    match mapper.mapper_type.as_str() {
        "oidc-nonce-backwards-compatible-mapper" => {}
        "oidc-organization-membership-mapper" => {
            for (key, value) in [
                ("addOrganizationAttributes", "false"),
                ("addOrganizationId", "false"),
                ("jsonType.label", "String"),
                ("multivalued", "true"),
            ] {
                mapper.config.entry(key.to_owned()).or_insert_with(|| value.to_owned());
            }
        }
        "oidc-allowed-origins-mapper" | "oidc-audience-resolve-mapper" => {
            mapper.config.entry(ACCESS.to_owned()).or_insert_with(|| "true".to_owned());
            follow(mapper, INTROSPECTION, ACCESS);
        }
        kind if kind.starts_with("oidc-") => {
            follow(mapper, INTROSPECTION, ACCESS);
            follow(mapper, USER_INFO, ID);
        }
        _ => {}
    }
}

fn follow(mapper: &mut ProtocolMapper, switch: &str, other: &str) {
    if let Some(value) = mapper.config.get(other).cloned() {
        mapper.config.entry(switch.to_owned()).or_insert(value);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::ProtocolMapperId;

    fn filled(kind: &str, config: &[(&str, &str)]) -> BTreeMap<String, String> {
        let mut mapper = ProtocolMapper {
            id: ProtocolMapperId::new("1"),
            name: "m".to_owned(),
            protocol: "openid-connect".to_owned(),
            mapper_type: kind.to_owned(),
            config: config.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        };
        fill_in(&mut mapper);
        mapper.config
    }

    #[test]
    fn what_is_not_said_follows_what_is() {
        let config = filled("oidc-hardcoded-claim-mapper", &[(ACCESS, "true"), (ID, "false")]);
        assert_eq!((config[INTROSPECTION].as_str(), config[USER_INFO].as_str()), ("true", "false"));
        assert!(filled("oidc-hardcoded-claim-mapper", &[]).is_empty());
        assert_eq!(filled("oidc-audience-resolve-mapper", &[])[INTROSPECTION], "true");
        assert_eq!(filled("oidc-nonce-backwards-compatible-mapper", &[(ID, "true")]).len(), 1);
        assert!(filled("saml-role-list-mapper", &[(ID, "true")]).len() == 1);
    }
}
