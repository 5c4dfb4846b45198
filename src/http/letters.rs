//! Letters: who gets one, in which language, and where its link leads.
//!
//! A link leads to the configured address of this server. Where none is configured, only to this machine itself: what a request
//! calls the server is nothing to send to anybody.

use std::sync::{Arc, LazyLock};

use tokio::sync::Semaphore;

use super::state::App;
use crate::base::Secret;
use crate::flow::Cx;
use crate::flow::action_link::Issued;
use crate::flow::forgotten_password::{self, Wanted};
use crate::flow::mail::{self, MailError, Post};
use crate::flow::tab_page::Shown;
use crate::flow::verify_email as verification;
use crate::model::{Client, MailServer, TabId, User};
use crate::store::StoreError;
use crate::view::{Letter, Link, Message, Shell, Written, choose_locale};

/// So many letters are on their way at once that nobody waits for.
static UNDER_WAY: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(32)));

/// What is said of a required action by name.
pub(super) fn action_name(action: &str) -> String {
    format!("${{requiredAction.{action}}}")
}

/// The address of a link.
pub(super) fn link(cx: &Cx, client: &Client, tab: Option<&TabId>, key: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("key", key).append_pair("client_id", client.client_id.as_str());
    if let Some(tab) = tab {
        query.append_pair("tab_id", tab.as_str());
    }
    format!("{}/login-actions/action-token?{}", cx.issuer, query.finish())
}

/// Whether a letter can be sent at all, before anything is made for it.
pub(super) fn check(app: &App, cx: &Cx) -> Result<(), MailError> {
    if cx.settings().mail.is_none() {
        return Err(MailError::NotSet);
    }
    if !app.urls.vouch_for(cx.server_url()) { Err(MailError::NoAddress) } else { Ok(()) }
}

/// Sends the letter of the page that waits for the proof of an address; what the page has to say if it did not go out.
pub(super) async fn verify_email(app: &App, cx: &Cx, locale: &str, shown: &Shown) -> Result<Option<Message>, StoreError> {
    let Some(user) = &shown.user else { return Ok(None) };
    let sent = match check(app, cx) {
        Err(problem) => Err(problem),
        Ok(()) => match verification::link(cx, shown, user).await? {
            Some(issued) => {
                let url = link(cx, &shown.client, Some(&shown.tab.tab), issued.key.expose());
                deliver(app, cx, locale, user, &verification_letter(cx, url, &issued)).await
            }
            None => Err(MailError::TooMany),
        },
    };
    let word = sent.as_ref().err().map(|_| "email_send_failed");
    verification::record(cx, &shown.client, user, word).await?;
    Ok(sent.err().map(|problem| {
        log(cx, &problem);
        Message::new(if matches!(problem, MailError::TooMany) { "tooManyRequestsMessage" } else { "emailSendErrorMessage" })
    }))
}

/// Sends the letter for a forgotten password behind the answer, if there is somebody to send it to.
pub(super) fn reset_password(app: &App, cx: &Cx, locale: &str, wanted: Wanted) {
    let Ok(permit) = Arc::clone(&UNDER_WAY).try_acquire_owned() else {
        tracing::warn!(realm = cx.snapshot().realm.name, "a letter was not sent: too many are on their way");
        return;
    };
    let (app, cx, locale) = (app.clone(), cx.clone(), locale.to_owned());
    tokio::spawn(async move {
        let _permit = permit;
        if let Err(problem) = check(&app, &cx) {
            return log(&cx, &problem);
        }
        let (client, tab) = (wanted.client().clone(), wanted.tab().clone());
        match forgotten_password::link(&cx, wanted).await {
            Ok(Some((user, issued))) => {
                let url = link(&cx, &client, Some(&tab), issued.key.expose());
                if let Err(problem) = deliver(&app, &cx, &locale, &user, &reset_letter(&cx, url, &issued)).await {
                    log(&cx, &problem);
                }
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "a letter could not be made"),
        }
    });
}

/// Sends a letter to a user, in the user's language or else in this one.
pub(super) async fn deliver(app: &App, cx: &Cx, locale: &str, user: &User, letter: &Letter) -> Result<(), MailError> {
    let Some(email) = &user.email else { return Err(MailError::Letter("the user has no address".to_owned())) };
    let own = user.attributes.get("locale").and_then(|values| values.first()).map(String::as_str);
    let supported: Vec<&str> = app.templates.locales().collect();
    mail::send(cx, &post(app, cx, choose_locale(own, Some(locale), &supported, "en"), email, letter)?).await
}

/// Tries a mail server with a letter to the administrator.
pub(super) async fn try_out(
    app: &App,
    cx: &Cx,
    server: &MailServer,
    password: Option<&Secret>,
    email: &str,
) -> Result<(), MailError> {
    let name = cx.snapshot().realm.display_name();
    let letter = Letter {
        subject: Message::new("emailTestSubject").with(name),
        paragraphs: vec![Message::new("emailTestText").with(name)],
        items: Vec::new(),
        link: None,
        lives: None,
        closing: None,
    };
    mail::send_by(server, password, &post(app, cx, "en", email, &letter)?).await
}

fn post(app: &App, cx: &Cx, locale: &str, email: &str, letter: &Letter) -> Result<Post, MailError> {
    let realm = cx.snapshot().realm.display_name().to_owned();
    let shell = Shell { realm, locale: locale.to_owned(), resources: String::new() };
    let written = app.templates.write(&shell, letter).map_err(|error| MailError::Letter(error.to_string()))?;
    let Written { subject, html, text } = written;
    Ok(Post { to: email.to_owned(), subject, text, html })
}

/// Why a letter did not go out, for whoever runs the server.
pub(super) fn log(cx: &Cx, problem: &MailError) {
    tracing::warn!(realm = cx.snapshot().realm.name, %problem, "a letter was not sent");
}

/// The letter by which a user proves an address.
pub(super) fn verification_letter(cx: &Cx, url: String, issued: &Issued) -> Letter {
    letter(cx, "emailVerificationSubject", "emailVerificationText", url, issued)
}

fn reset_letter(cx: &Cx, url: String, issued: &Issued) -> Letter {
    letter(cx, "passwordResetSubject", "passwordResetText", url, issued)
}

/// The letter in which an administrator asks for something.
pub(super) fn actions_letter(cx: &Cx, url: String, issued: &Issued, actions: &[String]) -> Letter {
    let items = actions.iter().map(|action| action_name(action)).collect();
    Letter { items, closing: None, ..letter(cx, "executeActionsSubject", "executeActionsText", url, issued) }
}

fn letter(cx: &Cx, subject: &'static str, text: &'static str, url: String, issued: &Issued) -> Letter {
    Letter {
        subject: Message::new(subject),
        paragraphs: vec![Message::new(text).with(cx.snapshot().realm.display_name())],
        items: Vec::new(),
        link: Some(Link { url, text: Message::new("letterProceed") }),
        lives: Some(issued.lives),
        closing: Some(Message::new("letterNotAskedFor")),
    }
}
