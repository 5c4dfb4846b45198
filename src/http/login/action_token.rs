//! The links of letters.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::answer::{keep, move_on, query};
use crate::flow::Cx;
use crate::flow::open_link::{self, Opened, Question};
use crate::http::error::{PageFailure, Pages};
use crate::http::extract::{PageCx, browser};
use crate::http::letters;
use crate::http::state::App;
use crate::model::ActionKind;
use crate::view::{Info, Link, Message};

/// Programs that look at letters ask for the head only: that uses no link up.
pub(super) async fn head() -> StatusCode {
    StatusCode::OK
}

pub(super) async fn get(State(app): State<App>, PageCx(cx): PageCx, headers: HeaderMap, RawQuery(raw): RawQuery) -> Response {
    let pages = Pages::of(&app, &cx, &headers, None);
    let Ok(parameters) = query(raw.as_deref()) else { return PageFailure::Malformed(Box::new(pages)).into_response() };
    if parameters.occurrences("key") != 1 {
        return PageFailure::Malformed(Box::new(pages)).into_response();
    }
    let key = parameters.get("key").unwrap_or_default();
    match open_link::open(&cx, &browser(&headers), key, parameters.get("tab_id")).await {
        Ok(Opened::Moved(moved)) => move_on(&app, &cx, &pages, moved),
        Ok(Opened::Ask(question)) => {
            let mut response = pages.form(&ask(&cx, &pages, key, &question));
            keep(&app, &cx, std::slice::from_ref(&question.keep), &mut response);
            response
        }
        Err(error) => pages.trouble(&error),
    }
}

fn ask(cx: &Cx, pages: &Pages, key: &str, question: &Question) -> Info {
    let Question { tab, client, token, .. } = question;
    let email = token.details.email.as_str();
    let (heading, text) = match token.kind {
        ActionKind::VerifyEmail => {
            (Message::new("confirmEmailAddressVerificationHeader"), Message::new("confirmEmailAddressVerification").with(email))
        }
        ActionKind::ResetPassword => (Message::new("updatePasswordTitle"), Message::new("confirmPasswordReset").with(email)),
        ActionKind::ExecuteActions => {
            let names = token.details.actions.iter().map(|action| pages.resolve(&letters::action_name(action)));
            let names: Vec<String> = names.collect();
            (Message::new("confirmExecutionOfActions"), Message::new("listOfActions").with(names.join(", ")))
        }
    };
    let url = letters::link(cx, client, Some(&tab.tab), key);
    let text = Some(text).filter(|_| token.kind != ActionKind::ExecuteActions || !token.details.actions.is_empty());
    Info { heading, text, link: Some(Link { url, text: Message::new("proceedWithAction") }) }
}
