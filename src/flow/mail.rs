//! Letters on their way: handed to the mail server of the realm (RFC 5321), in HTML and in plain text.
//!
//! Who gets a letter, and what stands in it, is decided elsewhere. The password of the mail server is opened for the one letter and
//! printed nowhere. A server that is told to encrypt and cannot is not spoken to: nothing goes out in the clear by default of it.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use thiserror::Error;

use super::context::Cx;
use crate::base::{Secret, sha256};
use crate::model::MailServer;
use crate::model::mail::MailEncryption;
use crate::store;

/// What a letter takes at the most, whatever each step of it may take.
const AT_MOST: Duration = Duration::from_secs(60);

/// A letter as it is handed over.
#[derive(Clone)]
pub struct Post {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// Without what stands in it: a link there is as good as a password.
impl std::fmt::Debug for Post {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Post").field("to", &self.to).finish_non_exhaustive()
    }
}

/// Why a letter was not sent. The texts are for the log: they name neither the password nor what stands in the letter.
#[derive(Debug, Error)]
pub enum MailError {
    #[error("the realm has no mail server, or no sender for its letters")]
    NotSet,
    #[error("the address of this server is not configured: set hostname, so that links in letters lead here and nowhere else")]
    NoAddress,
    #[error("the mail server wants a token in place of a password, which is not supported")]
    Token,
    #[error("{0} is no address: {1}")]
    Address(&'static str, lettre::address::AddressError),
    #[error("the letter could not be put together: {0}")]
    Letter(String),
    #[error("the mail server did not take the letter: {0}")]
    Smtp(String),
    #[error("the mail server's password could not be read: {0}")]
    Sealed(String),
    /// The user may not get another letter now.
    #[error("too many letters of this kind are on their way to the user")]
    TooMany,
}

/// Sends a letter through the realm's mail server.
pub async fn send(cx: &Cx, post: &Post) -> Result<(), MailError> {
    let server = cx.settings().mail.as_ref().ok_or(MailError::NotSet)?;
    send_by(server, stored_password(cx)?.as_ref(), post).await
}

/// The password that the realm keeps for its mail server.
pub fn stored_password(cx: &Cx) -> Result<Option<Secret>, MailError> {
    let realm = &cx.snapshot().realm;
    let opened = store::realm::open_mail_secret(cx.store(), &realm.id, &realm.document, "password");
    opened.map_err(|error| MailError::Sealed(error.to_string()))
}

/// Sends a letter through this mail server.
pub async fn send_by(server: &MailServer, password: Option<&Secret>, post: &Post) -> Result<(), MailError> {
    if server.wants_token {
        return Err(MailError::Token);
    }
    let message = message(server, post)?;
    let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.host.as_str())
        .port(server.port)
        .timeout(Some(server.timeout))
        .tls(tls(server)?);
    if let Some(user) = &server.user {
        let password = password.map(Secret::expose).unwrap_or_default();
        transport = transport.credentials(Credentials::new(user.clone(), password.to_owned()));
    }
    match tokio::time::timeout(AT_MOST, transport.build().send(message)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(MailError::Smtp(causes(&error))),
        Err(_) => Err(MailError::Smtp("it took too long".to_owned())),
    }
}

fn tls(server: &MailServer) -> Result<Tls, MailError> {
    let parameters = || TlsParameters::new_rustls(server.host.clone()).map_err(|error| MailError::Smtp(causes(&error)));
    Ok(match server.encryption {
        MailEncryption::None => Tls::None,
        MailEncryption::StartTls => Tls::Required(parameters()?),
        MailEncryption::Tls => Tls::Wrapper(parameters()?),
    })
}

fn message(server: &MailServer, post: &Post) -> Result<Message, MailError> {
    let from = mailbox("from", &server.from, server.from_name.as_deref())?;
    let to = mailbox("the user's address", &post.to, None)?;
    // No two letters are the same, for no two links are; and the name of this machine is nobody's business.
    let id = URL_SAFE_NO_PAD.encode(sha256(format!("{}\n{}", post.to, post.text).as_bytes()));
    let mut letter = Message::builder()
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        .from(from)
        .to(to.clone())
        .subject(one_line(&post.subject))
        // Who is away answers to people, not to this (RFC 3834 §5).
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()));
    if let Some(reply_to) = &server.reply_to {
        letter = letter.reply_to(mailbox("replyTo", reply_to, server.reply_to_name.as_deref())?);
    }
    if let Some(sender) = &server.envelope_from {
        let sender = address("envelopeFrom", sender)?;
        let envelope = lettre::address::Envelope::new(Some(sender), vec![to.email]);
        letter = letter.envelope(envelope.map_err(|error| MailError::Letter(error.to_string()))?);
    }
    let parts = MultiPart::alternative_plain_html(post.text.clone(), post.html.clone());
    letter.multipart(parts).map_err(|error| MailError::Letter(error.to_string()))
}

fn mailbox(what: &'static str, address_text: &str, name: Option<&str>) -> Result<Mailbox, MailError> {
    Ok(Mailbox::new(name.map(one_line), address(what, address_text)?))
}

fn address(what: &'static str, text: &str) -> Result<Address, MailError> {
    text.trim().parse().map_err(|error| MailError::Address(what, error))
}

/// A name or a subject begins no other header (CWE-93).
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn causes(error: &lettre::transport::smtp::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
