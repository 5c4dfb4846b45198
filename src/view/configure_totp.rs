//! The page on which a user sets up an authenticator. The names of its inputs are Keycloak's.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use qrcode::QrCode;
use qrcode::render::svg;
use serde::Serialize;

use super::{Message, Page};

/// Posts `totp`, `totpSecret`, `userLabel`, `login`, and `logout-sessions=on` where it is ticked.
#[derive(Clone, Serialize)]
pub struct ConfigureTotp {
    pub action: String,
    /// Posted back: the page may be shown again, and the authenticator has it already.
    pub secret: String,
    /// For people who cannot take a picture.
    pub typed_secret: String,
    /// The picture that an authenticator reads, as SVG in base64; none if there is no room for it in one.
    pub picture: Option<String>,
    pub is_counted: bool,
    /// `SHA1`, `SHA256` or `SHA512`.
    pub algorithm: String,
    pub digits: u32,
    /// Seconds.
    pub period: i64,
    pub counter: i64,
    /// Why the user is asked.
    pub reason: Option<Message>,
    pub code_error: Option<Message>,
    pub label_error: Option<Message>,
}

/// Without the secret, and without the picture of it.
impl std::fmt::Debug for ConfigureTotp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConfigureTotp").field("action", &self.action).finish_non_exhaustive()
    }
}

impl ConfigureTotp {
    /// A picture of a text (QR code), dark on white whatever the page's colours are: that is what cameras read.
    pub fn picture_of(text: &str) -> Option<String> {
        let code = QrCode::new(text.as_bytes()).ok()?;
        let drawn = code.render::<svg::Color<'_>>().min_dimensions(240, 240).build();
        Some(STANDARD.encode(drawn))
    }
}

impl Page for ConfigureTotp {
    const TEMPLATE: &'static str = "login/configure-totp.html";

    fn sample() -> Self {
        Self {
            action: "/realms/sample/login-actions/required-action?execution=CONFIGURE_TOTP&tab_id=y".into(),
            secret: "12345678901234567890".into(),
            typed_secret: "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ".into(),
            picture: Self::picture_of("otpauth://totp/sample:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"),
            is_counted: false,
            algorithm: "SHA1".into(),
            digits: 6,
            period: 30,
            counter: 0,
            reason: Some(Message::new("configureTotpMessage")),
            code_error: Some(Message::new("invalidTotpMessage")),
            label_error: Some(Message::new("totpDeviceNameTooLong")),
        }
    }
}
