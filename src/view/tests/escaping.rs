//! Whatever a text holds, it stays a text: no page gains an element, an attribute or a script from it (CWE-79).

use scraper::Html;
use serde_json::Value as Json;

use super::*;

const CORPUS: &[&str] = &[
    "<script>alert(1)</script>",
    "\"><svg onload=alert(1)>",
    "'><img src=x onerror=alert(1)>",
    "\" autofocus onfocus=\"alert(1)",
    "' onmouseover='alert(1)",
    "` onclick=alert(1) `",
    "</title><script>alert(1)</script>",
    "</textarea><iframe src=javascript:alert(1)>",
    "--><script>alert(1)</script><!--",
    "]]><script>alert(1)</script>",
    "javascript:alert(1)",
    " java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "{{ 7 * 7 }}{% include 'layout/base.html' %}",
    "${profileScopeConsentText}\"><b>",
    "&lt;script&gt;&#60;script&#62;",
    "+ADw-script+AD4-",
    "\u{0}<b>\u{202e}\u{2028}\r\n<i>",
    "\u{1F512}<ß>",
];

#[test]
fn no_text_becomes_markup() {
    let templates = Templates::embedded();
    for (template, what, page) in pages() {
        let page: Json = serde_json::to_value(&page).unwrap();
        let rendered = |text: &str| {
            let shell = Shell { realm: text.into(), locale: text.into(), resources: text.into() };
            let page = minijinja::Value::from(Serde(with_every_text(&page, text)));
            Html::parse_document(&templates.render_value(template, &shell, page).unwrap())
        };
        let plain = skeleton(&rendered("plain"));
        for text in CORPUS {
            let document = rendered(text);
            assert_eq!(skeleton(&document), plain, "{template} {what}: {text:?}");
            assert_no_script_address(&document);
        }
    }
}

#[test]
fn what_is_escaped_arrives_unchanged() {
    let text = "<b>&amp;\"'`é\u{2028}";
    let page = Login { username: text.into(), error: None, ..Login::sample() };
    let shell = Shell { realm: text.into(), ..shell("en") };
    let document = Html::parse_document(&Templates::embedded().render(&shell, &page).unwrap());
    let find = |css: &str| document.select(&scraper::Selector::parse(css).unwrap()).next().unwrap();
    assert_eq!(find("#username").attr("value"), Some(text));
    assert_eq!(find(".brand span").text().collect::<String>(), text);
    assert_eq!(find("title").text().collect::<String>(), format!("Sign in to {text}"));
}

#[test]
fn no_page_has_a_script_or_style_of_its_own() {
    let templates = Templates::embedded();
    for (template, what, page) in pages() {
        let document = Html::parse_document(&templates.render_value(template, &shell("en"), page).unwrap());
        for element in document.tree.values().filter_map(|node| node.as_element()) {
            let inline = element.name() == "style" || element.name() == "script" && element.attr("src").is_none();
            let handler = element.attrs().any(|(name, _)| name == "style" || name.starts_with("on"));
            assert!(!inline && !handler, "{template} {what}: {element:?}");
        }
    }
}

fn with_every_text(value: &Json, text: &str) -> Json {
    match value {
        Json::String(_) => Json::String(text.into()),
        Json::Array(items) => items.iter().map(|item| with_every_text(item, text)).collect(),
        Json::Object(fields) => fields.iter().map(|(k, v)| (k.clone(), with_every_text(v, text))).collect(),
        other => other.clone(),
    }
}

/// Every element with the names of its attributes, in the order of the document.
fn skeleton(document: &Html) -> Vec<String> {
    let elements = document.tree.values().filter_map(|node| node.as_element());
    elements
        .map(|element| {
            let attributes: BTreeSet<_> = element.attrs().map(|(name, _)| name).collect();
            format!("{} {attributes:?}", element.name())
        })
        .collect()
}

fn assert_no_script_address(document: &Html) {
    for element in document.tree.values().filter_map(|node| node.as_element()) {
        for (name, value) in element.attrs().filter(|(name, _)| ["href", "src", "action", "formaction"].contains(name)) {
            let bare: String = value.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
            // A picture runs nothing, whatever stands in it.
            let is_picture = element.name() == "img" && bare.starts_with("data:image/");
            assert!(!bare.starts_with("javascript:") && (is_picture || !bare.starts_with("data:")), "{name}={value:?}");
        }
    }
}
