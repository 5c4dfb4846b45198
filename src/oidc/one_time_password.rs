//! One-time codes of an authenticator: by time (RFC 6238) and by counter (RFC 4226), over credentials in Keycloak's form.

use data_encoding::{BASE32, BASE32_NOPAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::base::{Secret, Timestamp, constant_time_eq};
use crate::model::CredentialId;
use crate::model::credential::{Credential, OTP};
use crate::model::realm::OtpPolicy;

/// Codes of these many digits are shown by authenticators, and asked for.
const DIGITS: std::ops::RangeInclusive<u32> = 6..=8;
/// How far codes may lie beside the expected one, whatever a realm says.
const MAX_WINDOW: i64 = 100;

/// The setting by which nobody could set up a device, if there is one.
pub fn impossible(policy: &OtpPolicy) -> Option<&'static str> {
    let possible = [
        ("otpPolicyType", ["totp", "hotp"].contains(&policy.kind.as_str())),
        ("otpPolicyAlgorithm", ["HmacSHA1", "HmacSHA256", "HmacSHA512"].contains(&policy.algorithm.as_str())),
        ("otpPolicyDigits", DIGITS.contains(&policy.digits)),
        ("otpPolicyPeriod", policy.period > 0),
        ("otpPolicyInitialCounter", policy.initial_counter >= 0),
        ("otpPolicyLookAheadWindow", (0..=MAX_WINDOW).contains(&policy.look_ahead)),
    ];
    possible.into_iter().find(|(_, is_possible)| !is_possible).map(|(setting, _)| setting)
}

/// A device that shows codes.
#[derive(Clone, Debug)]
pub struct Device {
    pub id: CredentialId,
    pub label: Option<String>,
    key: Secret,
    is_base32: bool,
    data: DeviceData,
    last_step: Option<i64>,
}

/// `credentialData` of an `otp` credential.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeviceData {
    sub_type: String,
    digits: u32,
    #[serde(default)]
    counter: i64,
    #[serde(default)]
    period: i64,
    algorithm: String,
    secret_encoding: Option<String>,
}

#[derive(Deserialize)]
struct SecretData {
    value: String,
}

impl Device {
    /// Reads a credential; none if it is of another kind, or in a form that nobody can check codes by.
    pub fn read(credential: &Credential) -> Option<Self> {
        if credential.kind != OTP {
            return None;
        }
        let data: DeviceData = serde_json::from_value(credential.credential_data.clone()).ok()?;
        let secret: SecretData = serde_json::from_str(credential.secret_data.expose()).ok()?;
        let is_known = match data.sub_type.as_str() {
            "totp" => data.period > 0,
            "hotp" => data.counter >= 0,
            _ => false,
        };
        let is_known = is_known && DIGITS.contains(&data.digits) && !secret.value.is_empty();
        is_known.then(|| Self {
            id: credential.id.clone(),
            label: credential.user_label.clone().filter(|label| !label.is_empty()),
            is_base32: data.secret_encoding.as_deref() == Some("BASE32"),
            key: Secret::new(secret.value),
            last_step: credential.last_step,
            data,
        })
    }

    /// Whether its codes go by time, and not by a counter; whatever new devices of the realm do.
    pub fn is_timed(&self) -> bool {
        self.data.sub_type == "totp"
    }

    /// The step at which this code is right, near the present one. A code of a step that was used, or of one before it, is not.
    pub fn step_of(&self, code: &str, policy: &OtpPolicy, now: Timestamp) -> Option<i64> {
        let window = policy.look_ahead.clamp(0, MAX_WINDOW);
        let is_timed = self.is_timed();
        let steps = if is_timed {
            let present = now.unix_seconds().div_euclid(self.data.period);
            present.saturating_sub(window)..=present.saturating_add(window)
        } else {
            let next = self.last_step.map_or(self.data.counter, |last| last.saturating_add(1).max(self.data.counter));
            next..=next.saturating_add(window)
        };
        let is_spent = |step: i64| !(is_timed && policy.is_reusable) && self.last_step.is_some_and(|last| step <= last);
        // Each is compared, so that the time tells nothing of which one fits.
        let fits: Vec<i64> = steps
            .filter(|step| {
                let expected = self.code_at(*step);
                expected.is_some_and(|expected| constant_time_eq(expected.as_bytes(), code.as_bytes()))
            })
            .collect();
        fits.into_iter().find(|step| !is_spent(*step))
    }

    /// RFC 4226 §5.3.
    fn code_at(&self, step: i64) -> Option<String> {
        let key = if self.is_base32 {
            let text = self.key.expose().trim_end_matches('=').to_ascii_uppercase();
            BASE32_NOPAD.decode(text.as_bytes()).ok()?
        } else {
            self.key.expose().as_bytes().to_vec()
        };
        let message = u64::try_from(step).ok()?.to_be_bytes();
        let digest = match self.data.algorithm.as_str() {
            "HmacSHA1" => mac::<Hmac<Sha1>>(&key, &message)?,
            "HmacSHA256" => mac::<Hmac<Sha256>>(&key, &message)?,
            "HmacSHA512" => mac::<Hmac<Sha512>>(&key, &message)?,
            _ => return None,
        };
        let at = usize::from(*digest.last()? & 15);
        let four: [u8; 4] = digest.get(at..at + 4)?.try_into().ok()?;
        let number = u32::from_be_bytes(four) & 0x7fff_ffff;
        let width = usize::try_from(self.data.digits).ok()?;
        Some(format!("{:0width$}", number % 10_u32.pow(self.data.digits)))
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let mut mac = <M as KeyInit>::new_from_slice(key).ok()?;
    mac.update(message);
    Some(mac.finalize().into_bytes().to_vec())
}

/// A device that is being set up: `secret` is text, whose bytes are the key (Keycloak).
pub fn new_device(policy: &OtpPolicy, id: CredentialId, label: Option<&str>, secret: &Secret, now: Timestamp) -> Credential {
    Credential {
        id,
        kind: OTP.to_owned(),
        user_label: label.map(str::to_owned),
        created_at: now,
        secret_data: Secret::new(json!({"value": secret.expose()}).to_string()),
        credential_data: credential_data(policy),
        priority: 20,
        last_step: None,
    }
}

fn credential_data(policy: &OtpPolicy) -> Value {
    json!({
        "subType": policy.kind,
        "digits": policy.digits,
        "counter": policy.initial_counter,
        "period": policy.period,
        "algorithm": policy.algorithm,
    })
}

/// The secret as people type it into an authenticator: groups of four.
pub fn typed_secret(secret: &Secret) -> String {
    let text = BASE32_NOPAD.encode(secret.expose().as_bytes());
    let groups: Vec<&str> = text.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(" ")
}

/// The address that an authenticator reads from a picture (`otpauth:`).
pub fn setup_address(policy: &OtpPolicy, issuer: &str, account: &str, secret: &Secret) -> String {
    let kind = &policy.kind;
    let encode = |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let (name, secret) = (encode(account), BASE32.encode(secret.expose().as_bytes()));
    let secret = secret.trim_end_matches('=');
    let (digits, algorithm) = (policy.digits, policy.algorithm.trim_start_matches("Hmac"));
    let issuer = encode(issuer);
    let own =
        if policy.is_counted() { format!("counter={}", policy.initial_counter) } else { format!("period={}", policy.period) };
    format!("otpauth://{kind}/{issuer}:{name}?secret={secret}&digits={digits}&algorithm={algorithm}&issuer={issuer}&{own}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> OtpPolicy {
        OtpPolicy {
            kind: "totp".to_owned(),
            algorithm: "HmacSHA1".to_owned(),
            digits: 8,
            period: 30,
            initial_counter: 0,
            look_ahead: 1,
            is_reusable: false,
        }
    }

    fn device(secret: &str, data: Value, last_step: Option<i64>) -> Device {
        let id = CredentialId::new("1");
        let mut credential = new_device(&policy(), id, None, &Secret::new(secret), Timestamp::from_unix_seconds(0));
        let mut whole = credential.credential_data.clone();
        whole.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
        (credential.credential_data, credential.last_step) = (whole, last_step);
        Device::read(&credential).unwrap()
    }

    /// RFC 6238, appendix B.
    #[test]
    fn codes_by_time_are_those_of_the_rfc() {
        let (short, middle) = ("12345678901234567890", "12345678901234567890123456789012");
        let long = "1234567890123456789012345678901234567890123456789012345678901234";
        for (seconds, algorithm, secret, code) in [
            (59, "HmacSHA1", short, "94287082"),
            (59, "HmacSHA256", middle, "46119246"),
            (59, "HmacSHA512", long, "90693936"),
            (1_111_111_109, "HmacSHA1", short, "07081804"),
            (20_000_000_000, "HmacSHA1", short, "65353130"),
            (20_000_000_000, "HmacSHA512", long, "47863826"),
        ] {
            let device = device(secret, json!({"algorithm": algorithm}), None);
            let now = Timestamp::from_unix_seconds(seconds);
            assert_eq!(device.step_of(code, &policy(), now), Some(seconds / 30), "{algorithm} at {seconds}");
            assert_eq!(device.step_of("00000000", &policy(), now), None);
        }
    }

    /// RFC 4226, appendix D.
    #[test]
    fn codes_by_counter_are_those_of_the_rfc_and_none_comes_twice() {
        let codes = ["755224", "287082", "359152", "969429", "338314"];
        let data = json!({"subType": "hotp", "digits": 6});
        let now = Timestamp::from_unix_seconds(0);
        let at = |last: Option<i64>, code: &str| device("12345678901234567890", data.clone(), last).step_of(code, &policy(), now);
        assert_eq!((at(None, codes[0]), at(None, codes[1]), at(None, codes[2])), (Some(0), Some(1), None), "one ahead");
        assert_eq!((at(Some(1), codes[1]), at(Some(1), codes[2])), (None, Some(2)));
    }

    #[test]
    fn a_code_is_right_a_step_early_and_late_and_once() {
        let now = Timestamp::from_unix_seconds(59);
        let at = |last: Option<i64>, seconds: i64| {
            let later = Timestamp::from_unix_seconds(59 + seconds);
            device("12345678901234567890", json!({}), last).step_of("94287082", &policy(), later)
        };
        assert_eq!((at(None, -30), at(None, 30), at(None, 60)), (Some(1), Some(1), None));
        assert_eq!((at(Some(0), 0), at(Some(1), 0), at(Some(2), 0)), (Some(1), None, None));
        let again = OtpPolicy { is_reusable: true, ..policy() };
        assert_eq!(device("12345678901234567890", json!({}), Some(1)).step_of("94287082", &again, now), Some(1));
    }

    #[test]
    fn keys_may_be_base32_and_nonsense_is_no_device() {
        let encoded = device("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", json!({"secretEncoding": "BASE32"}), None);
        assert_eq!(encoded.step_of("94287082", &policy(), Timestamp::from_unix_seconds(59)), Some(1));
        let mut credential =
            new_device(&policy(), CredentialId::new("1"), None, &Secret::new("x"), Timestamp::from_unix_seconds(0));
        for wrong in [json!({}), json!({"subType": "totp", "digits": 40, "algorithm": "HmacSHA1", "period": 30}), json!("x")] {
            credential.credential_data = wrong;
            assert!(Device::read(&credential).is_none());
        }
    }

    #[test]
    fn an_authenticator_is_told_everything() {
        let secret = Secret::new("12345678901234567890");
        assert_eq!(typed_secret(&secret), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert_eq!(
            setup_address(&policy(), "De mo", "a@b", &secret),
            "otpauth://totp/De%20mo:a%40b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&digits=8&algorithm=SHA1&issuer=De%20mo&period=30"
        );
    }
}
