//! The mail server of a realm (`smtpServer`), as far as letters are sent through it. Names and defaults are Keycloak's.

use std::time::Duration;

use serde_json::{Map, Value};

use super::realm::whole_number;

/// Where letters are handed over, and in whose name. Secrets are not part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailServer {
    pub host: String,
    pub port: u16,
    pub encryption: MailEncryption,
    /// Who signs in there; none where nobody has to.
    pub user: Option<String>,
    /// Whether it wants a token in place of a password (`authType`), which cannot be had here.
    pub wants_token: bool,
    pub from: String,
    pub from_name: Option<String>,
    pub reply_to: Option<String>,
    pub reply_to_name: Option<String>,
    /// The address that undeliverable letters go back to.
    pub envelope_from: Option<String>,
    pub timeout: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailEncryption {
    None,
    /// The connection begins in the clear and is encrypted before anything is said.
    StartTls,
    /// Encrypted from the first byte.
    Tls,
}

const TIMEOUT_MILLIS: i64 = 10_000;
/// Nobody waits longer for a mail server, whatever is set.
const MAX_TIMEOUT_MILLIS: i64 = 30_000;

impl MailServer {
    /// None if no host or no sender is set.
    pub fn read(settings: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| {
            let text = settings.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
            text.map(str::to_owned)
        };
        let flag = |name: &str| match settings.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
            _ => false,
        };
        let number = |name: &str| settings.get(name).and_then(whole_number).filter(|number| *number > 0);
        let encryption = match (flag("ssl"), flag("starttls")) {
            (true, _) => MailEncryption::Tls,
            (false, true) => MailEncryption::StartTls,
            (false, false) => MailEncryption::None,
        };
        let usual = if encryption == MailEncryption::Tls { 465 } else { 25 };
        let millis = number("timeout").unwrap_or(TIMEOUT_MILLIS).max(number("connectionTimeout").unwrap_or(0));
        Some(Self {
            host: text("host")?,
            port: number("port").map_or(Some(usual), |port| u16::try_from(port).ok())?,
            encryption,
            user: text("user").filter(|_| flag("auth")),
            wants_token: flag("auth") && text("authType").is_some_and(|kind| kind.eq_ignore_ascii_case("token")),
            from: text("from")?,
            from_name: text("fromDisplayName"),
            reply_to: text("replyTo"),
            reply_to_name: text("replyToDisplayName"),
            envelope_from: text("envelopeFrom"),
            timeout: Duration::from_millis(millis.min(MAX_TIMEOUT_MILLIS).unsigned_abs()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(settings: Value) -> Option<MailServer> {
        MailServer::read(settings.as_object().unwrap())
    }

    #[test]
    fn settings_are_texts_or_what_they_mean() {
        let server = read(json!({"host": " mail.example ", "from": "a@example.org", "port": "2525", "ssl": "false"})).unwrap();
        assert_eq!((server.host.as_str(), server.port, server.encryption), ("mail.example", 2525, MailEncryption::None));
        let server = read(json!({"host": "m", "from": "a@b.c", "ssl": true, "auth": "true", "user": "u"})).unwrap();
        assert_eq!((server.port, server.encryption, server.user.as_deref()), (465, MailEncryption::Tls, Some("u")));
        let server = read(json!({"host": "m", "from": "a@b.c", "starttls": "true", "user": "u", "timeout": "1500"})).unwrap();
        assert_eq!(
            (server.encryption, server.user, server.timeout),
            (MailEncryption::StartTls, None, Duration::from_millis(1500))
        );
    }

    #[test]
    fn without_a_host_a_sender_or_a_port_that_can_be_there_is_no_server() {
        assert_eq!(read(json!({})), None);
        assert_eq!(read(json!({"host": "m"})), None);
        assert_eq!(read(json!({"host": "", "from": "a@b.c"})), None);
        assert_eq!(read(json!({"host": "m", "from": "a@b.c", "port": "99999"})), None);
    }
}
