//! Representations without their secrets, for events to tell of.

use serde_json::Value;

use crate::model::component::is_secret;

/// What stands in the place of a secret.
pub const MASK: &str = "**********";

/// Masks every secret of a representation.
pub fn mask(representation: &mut Value) {
    match representation {
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::Object(fields) => {
            // Those of users are left out whole, as Keycloak does.
            fields.remove("credentials");
            // `value` is a word of many representations: it is a secret where the type says that one is shown.
            let is_credential = fields.get("type").is_some_and(|kind| kind == "secret" || kind == "password");
            for (name, value) in fields {
                if is_secret(name) || is_credential && name == "value" {
                    hide(value);
                } else {
                    mask(value);
                }
            }
        }
        _ => {}
    }
}

/// Every text in it; a switch that has such a name is none.
fn hide(secret: &mut Value) {
    match secret {
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Object(fields) => fields.values_mut().for_each(hide),
        Value::String(text) => MASK.clone_into(text),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let mut value = json!({
            "username": "alice", "attributes": {"value": ["kept"]},
            "credentials": [{"type": "password", "value": "one"}], "secret": {"type": "secret", "value": "six"},
            "smtpServer": {"host": "h", "password": "two", "authTokenClientSecret": "seven"}, "access": {"resetPassword": true},
            "clients": [{"clientId": "a", "secret": "three", "attributes": {"client.secret.rotated": "four", "saml.signing.private.key": "eight"}}],
            "components": {"keys": [{"config": {"privateKey": ["five"], "algorithm": ["RS256"]}}]},
        });
        mask(&mut value);
        let text = value.to_string();
        for secret in ["one", "two", "three", "four", "five", "six", "seven", "eight"] {
            assert!(!text.contains(&format!("\"{secret}\"")), "{secret} in {text}");
        }
        assert!(["alice", "kept", "\"h\"", "RS256", "true"].iter().all(|word| text.contains(word)), "{text}");
    }
}
