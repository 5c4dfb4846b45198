//! What a realm may look like, in Keycloak's words.

use serde_json::{Map, Value};

use super::{Refusal, fits};
use crate::flow::masking::MASK;
use crate::model::authentication_flow::has_flow;
use crate::model::realm::{MAIL, MAIL_SECRETS, whole_number};
use crate::model::{RealmSettings, own_attributes};
use crate::oidc::one_time_password;

const SSL: [&str; 3] = ["all", "external", "none"];
/// Settings that name a flow.
const FLOWS: [&str; 7] = [
    "browserFlow",
    "registrationFlow",
    "directGrantFlow",
    "resetCredentialsFlow",
    "clientAuthenticationFlow",
    "dockerAuthenticationFlow",
    "firstBrokerLoginFlow",
];

/// Whether a realm may get these settings. `named` are those that the change names, `after` is all of them.
pub fn check(named: &Map<String, Value>, after: &Map<String, Value>) -> Result<(), Refusal> {
    let refuse = |text: &str| Err(Refusal::Invalid(text.to_owned()));
    let text = |name: &str| after.get(name).and_then(Value::as_str);
    fits(text("displayName").unwrap_or_default())?;
    if text("sslRequired").is_some_and(|v| !SSL.contains(&v.to_lowercase().as_str())) {
        return refuse("Invalid value for sslRequired");
    }
    let mail = after.get(MAIL);
    if MAIL_SECRETS.iter().any(|name| mail.and_then(|mail| mail.get(name)).is_some_and(|secret| secret == MASK)) {
        return refuse("The password of the mail server has to be given anew where the server or its user changes");
    }
    for flow in FLOWS {
        let alias = named.get(flow).map(|given| given.as_str().unwrap_or_default());
        if let Some(unknown) = alias.filter(|alias| !has_flow(after, alias)) {
            return Err(Refusal::Invalid(format!("Unable to resolve auth flow '{unknown}'")));
        }
    }
    let code = |name: &str| named.get(name).and_then(whole_number);
    if let (Some(login), Some(action)) = (code("accessCodeLifespanLogin"), code("accessCodeLifespanUserAction"))
        && (login < 1 || action < 1)
    {
        return refuse("AccessCodeLifespanLogin or AccessCodeLifespanUserAction cannot be 0");
    }
    if code("accessTokenLifespan").is_some_and(|n| n < -1) {
        return refuse("Invalid value for accessTokenLifespan");
    }
    let settings = RealmSettings::of(after);
    if named.keys().any(|name| name.starts_with("otpPolicy"))
        && let Some(setting) = one_time_password::impossible(&settings.otp)
    {
        return Err(Refusal::Invalid(format!("Invalid value for {setting}")));
    }
    own_attributes::check(&settings.attributes, false).map_err(Refusal::Invalid)?;
    lifespans(&settings)
}

/// A client's online session may not outlive the realm's; the offline pair is not compared (Keycloak).
fn lifespans(realm: &RealmSettings) -> Result<(), Refusal> {
    let refuse = |text: &str| Err(Refusal::Invalid(text.to_owned()));
    if realm.remember_me {
        if realm.client_session_idle > realm.sso_session_idle.max(realm.sso_session_idle_remember_me) {
            return refuse(
                "Client session idle timeout cannot exceed realm SSO session idle timeout and RememberMe idle timeout.",
            );
        }
        if realm.client_session_max > realm.sso_session_max.max(realm.sso_session_max_remember_me) {
            return refuse("Client session max lifespan cannot exceed realm SSO session max lifespan and RememberMe max span.");
        }
        return Ok(());
    }
    if realm.client_session_idle > realm.sso_session_idle {
        return refuse("Client Session Idle Timeout cannot be greater than Realm SSO Idle Timeout.");
    }
    if realm.client_session_max > realm.sso_session_max {
        return refuse("Client Session Max Lifespan cannot be greater than Realm SSO Max Lifespan.");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(named: Value) -> String {
        let named = named.as_object().cloned().unwrap();
        let mut after = crate::model::realm::fresh_document().clone();
        after.extend(named.clone());
        check(&named, &after).map_or_else(|r| r.to_string(), |()| "none".to_owned())
    }

    #[test]
    fn limits_of_clients_stay_within_the_realms() {
        assert_eq!(
            refusal(json!({"clientSessionIdleTimeout": 99999})),
            "Client Session Idle Timeout cannot be greater than Realm SSO Idle Timeout."
        );
        assert_eq!(
            refusal(json!({"clientSessionIdleTimeout": 99999, "rememberMe": true})),
            "Client session idle timeout cannot exceed realm SSO session idle timeout and RememberMe idle timeout."
        );
        assert_eq!(refusal(json!({"clientOfflineSessionIdleTimeout": 99_999_999})), "none");
        assert_eq!(refusal(json!({"ssoSessionIdleTimeout": 0, "offlineSessionIdleTimeout": 0})), "none");
    }

    #[test]
    fn only_both_code_lifespans_together_may_not_be_zero() {
        assert_eq!(refusal(json!({"accessCodeLifespanLogin": 0})), "none");
        assert_eq!(
            refusal(json!({"accessCodeLifespanLogin": 0, "accessCodeLifespanUserAction": 300})),
            "AccessCodeLifespanLogin or AccessCodeLifespanUserAction cannot be 0"
        );
    }

    #[test]
    fn codes_that_no_authenticator_can_show_are_not_asked_for() {
        for (setting, wrong, right) in [
            ("otpPolicyDigits", json!(5), json!(8)),
            ("otpPolicyPeriod", json!(0), json!(60)),
            ("otpPolicyAlgorithm", json!("HmacMD5"), json!("HmacSHA512")),
            ("otpPolicyInitialCounter", json!(-1), json!(3)),
            ("otpPolicyLookAheadWindow", json!(-1), json!(0)),
            ("otpPolicyType", json!("other"), json!("hotp")),
        ] {
            assert_eq!(refusal(json!({ setting: wrong })), format!("Invalid value for {setting}"));
            assert_eq!(refusal(json!({ setting: right })), "none");
        }
    }
}
