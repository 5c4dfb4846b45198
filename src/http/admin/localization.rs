//! `/localization`: texts of the realm's own for its pages, by language.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::http::header::CACHE_CONTROL;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, done, plain, plain_text};
use super::routes::{Routes, get};
use super::{Admin, AnyRole, ManageRealm};
use crate::flow::Cx;
use crate::flow::admin::{Refusal, realm_document, settled};
use crate::flow::admin_event::Change;
use crate::http::error::AdminError;
use crate::http::extract::{Json, PlainText, Query, Representation};
use crate::http::representation::lenient::Text;
use crate::model::admin_event::ResourceType;
use crate::model::realm::LOCALIZATION_TEXTS;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/{realm}/localization", get(locales))
        .route("/{realm}/localization/{locale}", get(texts_of).post(add_texts).delete(remove_locale))
        .route("/{realm}/localization/{locale}/{key}", get(read).put(put).delete(remove))
}

/// Texts by key, by language.
type Texts = BTreeMap<String, BTreeMap<String, String>>;

/// A language and a key are names of things, not texts.
const MAX_KEY: usize = 255;
/// How many bytes all texts of a realm may have together: they are read with the realm.
const MAX_TEXTS: usize = 1024 * 1024;

#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
struct GivenTexts(BTreeMap<String, Text>);

impl Representation for GivenTexts {
    const NAME: &'static str = "Map";
}

const NOT_FOUND: Refusal = Refusal::NotFound("Localization text not found");

fn texts(cx: &Cx) -> Texts {
    let stored = cx.snapshot().realm.document.get(LOCALIZATION_TEXTS).cloned();
    stored.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
}

async fn locales(admin: Admin<AnyRole>) -> Answer {
    Ok(plain(&json!(texts(&admin.cx).keys().collect::<Vec<_>>())))
}

/// Where it is asked for, with the texts of the realm's own language for what is missing.
async fn texts_of(admin: Admin<AnyRole>, Path((_, locale)): Path<(String, String)>, query: Query) -> Answer {
    let mut all = texts(&admin.cx);
    let mut found = all.remove(&locale).unwrap_or_default();
    let default = admin.cx.snapshot().realm.document.get("defaultLocale").and_then(Value::as_str);
    if query.flag("useRealmDefaultLocaleFallback").unwrap_or(false)
        && let Some(fallback) = default.and_then(|locale| all.remove(locale))
    {
        for (key, text) in fallback {
            found.entry(key).or_insert(text);
        }
    }
    Ok(plain(&json!(found)))
}

async fn read(admin: Admin<AnyRole>, Path((_, locale, key)): Path<(String, String, String)>) -> Answer {
    let text = texts(&admin.cx).remove(&locale).and_then(|mut texts| texts.remove(&key)).ok_or(NOT_FOUND)?;
    let mut response = plain_text(text);
    response.headers_mut().remove(CACHE_CONTROL);
    Ok(response)
}

async fn put(
    admin: Admin<ManageRealm>,
    Path((_, locale, key)): Path<(String, String, String)>,
    PlainText(text): PlainText,
) -> Answer {
    let (locale, key, text) = (&locale, &key, &text);
    change(admin, |all| {
        all.entry(locale.clone()).or_default().insert(key.clone(), text.clone());
        Ok(())
    })
    .await
}

async fn add_texts(
    admin: Admin<ManageRealm>,
    Path((_, locale)): Path<(String, String)>,
    Json(GivenTexts(given)): Json<GivenTexts>,
) -> Answer {
    let (locale, given) = (&locale, &given);
    change(admin, |all| {
        all.entry(locale.clone()).or_default().extend(given.iter().map(|(key, text)| (key.clone(), text.0.clone())));
        Ok(())
    })
    .await
}

async fn remove(admin: Admin<ManageRealm>, Path((_, locale, key)): Path<(String, String, String)>) -> Answer {
    let (locale, key) = (&locale, &key);
    change(admin, |all| all.get_mut(locale).and_then(|texts| texts.remove(key)).map(|_| ()).ok_or(NOT_FOUND)).await
}

async fn remove_locale(admin: Admin<ManageRealm>, Path((_, locale)): Path<(String, String)>) -> Answer {
    if !texts(&admin.cx).contains_key(&locale) {
        let text = format!("No localization texts for locale {locale} found.");
        return Err(AdminError::Plain(axum::http::StatusCode::NOT_FOUND, text));
    }
    let locale = &locale;
    change(admin, |all| {
        all.remove(locale);
        Ok(())
    })
    .await
}

/// Writes the texts as `edit` leaves them.
async fn change(admin: Admin<ManageRealm>, edit: impl Fn(&mut Texts) -> Result<(), Refusal>) -> Answer {
    let edit = &edit;
    settled(admin.cx, |cx: Cx| async move {
        let mut all = texts(&cx);
        edit(&mut all)?;
        check(&all)?;
        realm_document::put(&cx, LOCALIZATION_TEXTS, json!(all), Change::update(ResourceType::Realm)).await
    })
    .await?;
    Ok(done())
}

fn check(all: &Texts) -> Result<(), Refusal> {
    let names = all.keys().chain(all.values().flat_map(BTreeMap::keys));
    let size: usize = all.values().flatten().map(|(key, text)| key.len() + text.len()).sum();
    if names.into_iter().any(|name| name.is_empty() || name.chars().count() > MAX_KEY) || size > MAX_TEXTS {
        return Err(Refusal::Invalid("Database operation failed".to_owned()));
    }
    Ok(())
}
