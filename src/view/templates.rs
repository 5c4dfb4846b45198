//! The set of templates and message files, made ready once at the start, and the rendering of one page.
//!
//! There is one engine per language, so nothing that a request names is ever loaded, compiled or kept: an unknown locale is
//! English. A theme is read and tried at the start with the sample of every page; a faulty one stops the server there, not
//! the user at the login.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minijinja::value::Serde;
use minijinja::{Environment, Value, context};
use serde::Serialize;

use super::account::{Applications, Devices, PersonalInfo, RemoveAccess};
use super::messages::Bundle;
use super::{
    ConfigureTotp, Consent, Error, ForgottenPassword, FormPost, FrontchannelLogout, Info, Letter, Login, LogoutConfirm,
    OneTimeCode, Oob, Register, UpdatePassword, UpdateProfile, VerifyEmail, Written,
};
use super::{embedded, engine, theme};

/// The language that is always there, and the one that a text comes from when another language lacks it.
pub(super) const FALLBACK: &str = "en";

/// What a page shows. The fields are what its template finds under `page`.
pub trait Page: Serialize {
    /// The template's path below `templates/`.
    const TEMPLATE: &'static str;

    /// An example with everything that the page can show.
    fn sample() -> Self;
}

/// What stands around every page; templates find it under `shell`.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The realm's display name, or its name.
    pub realm: String,
    /// As `choose_locale` answers it.
    pub locale: String,
    /// The address below which the static files are served, without a slash at the end: `/resources/{fingerprint}`.
    pub resources: String,
}

/// Every page in every language.
pub struct Templates {
    languages: BTreeMap<String, Language>,
}

/// The templates with the texts of one language, and the texts themselves.
struct Language {
    environment: Environment<'static>,
    messages: Arc<Bundle>,
}

/// Why a page cannot be shown: a fault of the product or of a theme, never of a request.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    #[error("the theme's {path} cannot be read")]
    Theme { path: PathBuf, source: std::io::Error },
    #[error("the template {name} is faulty in the language {locale}: {detail}")]
    Template { name: String, locale: String, detail: String },
}

impl Templates {
    /// The product's own pages.
    pub fn embedded() -> Self {
        Self::build(&embedded_sources(), embedded_messages()).expect("the tests render every embedded template in every language")
    }

    /// The product's pages with the templates and message files of a theme instead of, or besides, its own. The theme holds
    /// them at the same place below its `templates/` as the product does; a message file needs only the texts it changes.
    pub fn with_theme(dir: &Path) -> Result<Self, ViewError> {
        let mut sources = embedded_sources();
        sources.extend(theme::templates(dir)?);
        let mut messages = embedded_messages();
        for (locale, bundle) in theme::messages(dir)? {
            messages.entry(locale).or_default().merge(bundle);
        }
        let templates = Self::build(&sources, messages)?;
        templates.try_samples()?;
        Ok(templates)
    }

    /// The languages there are.
    pub fn locales(&self) -> impl Iterator<Item = &str> {
        self.languages.keys().map(String::as_str)
    }

    /// The page as HTML.
    pub fn render<P: Page>(&self, shell: &Shell, page: &P) -> Result<String, ViewError> {
        self.render_value(P::TEMPLATE, shell, Value::from(Serde(page)))
    }

    /// The letter, in HTML and in plain text.
    pub fn write(&self, shell: &Shell, letter: &Letter) -> Result<Written, ViewError> {
        let page = || Value::from(Serde(letter));
        let (_, language) = self.language(&shell.locale);
        Ok(Written {
            subject: language.messages.format(letter.subject.key(), letter.subject.args()),
            html: self.render_value(Letter::HTML, shell, page())?,
            text: self.render_value(Letter::TEXT, shell, page())?,
        })
    }

    fn build(sources: &BTreeMap<String, String>, mut messages: BTreeMap<String, Bundle>) -> Result<Self, ViewError> {
        let english = messages.get(FALLBACK).cloned().unwrap_or_default();
        let mut languages = BTreeMap::new();
        while let Some((locale, bundle)) = messages.pop_first() {
            let mut complete = english.clone();
            complete.merge(bundle);
            let messages = Arc::new(complete);
            let environment = engine::environment(sources, &messages).map_err(|(name, error)| ViewError::Template {
                name,
                locale: locale.clone(),
                detail: detail(&error),
            })?;
            languages.insert(locale, Language { environment, messages });
        }
        Ok(Self { languages })
    }

    /// What `${key}` stands for in a language; other texts stand for themselves.
    pub fn resolve(&self, locale: &str, text: &str) -> String {
        self.language(locale).1.messages.resolve(text).to_owned()
    }

    fn language(&self, locale: &str) -> (&str, &Language) {
        let found = self.languages.get_key_value(locale).or_else(|| self.languages.get_key_value(FALLBACK));
        let (name, language) = found.expect("the embedded English is always there");
        (name, language)
    }

    pub(super) fn render_value(&self, template: &str, shell: &Shell, page: Value) -> Result<String, ViewError> {
        let (locale, Language { environment, .. }) = self.language(&shell.locale);
        let shell = context! { realm => shell.realm.as_str(), locale => locale, resources => shell.resources.as_str() };
        environment.get_template(template).and_then(|t| t.render(context! { shell, page })).map_err(|error| ViewError::Template {
            name: template.into(),
            locale: locale.into(),
            detail: detail(&error),
        })
    }

    fn try_samples(&self) -> Result<(), ViewError> {
        for locale in self.locales() {
            let shell = Shell { realm: "Sample".into(), locale: locale.into(), resources: "/resources".into() };
            for (template, page) in samples() {
                self.render_value(template, &shell, page)?;
            }
            self.write(&shell, &Letter::sample())?;
        }
        Ok(())
    }
}

/// The sample of every page, with its template.
pub(super) fn samples() -> Vec<(&'static str, Value)> {
    fn of<P: Page>() -> (&'static str, Value) {
        (P::TEMPLATE, Value::from(Serde(P::sample())))
    }
    vec![
        of::<Applications>(),
        of::<ConfigureTotp>(),
        of::<Consent>(),
        of::<Devices>(),
        of::<Error>(),
        of::<ForgottenPassword>(),
        of::<FormPost>(),
        of::<FrontchannelLogout>(),
        of::<Info>(),
        of::<Login>(),
        of::<LogoutConfirm>(),
        of::<OneTimeCode>(),
        of::<Oob>(),
        of::<PersonalInfo>(),
        of::<Register>(),
        of::<RemoveAccess>(),
        of::<UpdatePassword>(),
        of::<UpdateProfile>(),
        of::<VerifyEmail>(),
    ]
}

fn embedded_sources() -> BTreeMap<String, String> {
    embedded::TEMPLATES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn embedded_messages() -> BTreeMap<String, Bundle> {
    embedded::MESSAGES.iter().map(|(locale, text)| ((*locale).to_owned(), Bundle::parse(text.as_bytes()))).collect()
}

/// With the causes, for the innermost says which line is wrong.
fn detail(error: &minijinja::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str("; ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
