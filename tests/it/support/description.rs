//! The Admin REST API's own description: every answer in a test is held against it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use serde_json::{Value, json};

use super::Answer;

/// An operation, with its path cut at its slashes.
pub struct Operation {
    pub method: String,
    pub path: String,
    segments: Vec<String>,
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(nightlatch::http::api_description);
static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let paths = DOCUMENT["paths"].as_object().unwrap().iter();
    let of_path = |(path, methods): (&String, &Value)| {
        let methods: Vec<String> = methods.as_object().unwrap().keys().cloned().collect();
        let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
        methods.into_iter().map(move |method| (method, segments.clone())).collect::<Vec<_>>()
    };
    let all = paths.flat_map(of_path);
    all.map(|(method, segments)| Operation { method: method.to_uppercase(), path: segments.join("/"), segments }).collect()
});
/// By pointer into the document. To make one takes a while.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

pub fn operations() -> &'static [Operation] {
    &OPERATIONS
}

/// The operation that answers there: the one with the most words in common, from the left.
fn operation(method: &str, path: &str) -> Option<&'static Operation> {
    let given: Vec<&str> = path.split('/').collect();
    let fits = |operation: &&Operation| {
        let takes_rest = operation.path.ends_with("/group-by-path/{path}");
        let long_enough = given.len() == operation.segments.len() || takes_rest && given.len() > operation.segments.len();
        let mut pairs = operation.segments.iter().zip(&given);
        operation.method == method && long_enough && pairs.all(|(own, given)| own.starts_with('{') || own == given)
    };
    OPERATIONS
        .iter()
        .filter(fits)
        .max_by_key(|operation| operation.segments.iter().map(|own| !own.starts_with('{')).collect::<Vec<bool>>())
}

fn validator(pointer: &str) -> Arc<Validator> {
    let mut known = VALIDATORS.lock().unwrap();
    let make = || {
        let mut schema = DOCUMENT.pointer(pointer).unwrap().clone();
        schema["components"] = json!({"schemas": DOCUMENT["components"]["schemas"]});
        Arc::new(jsonschema::validator_for(&schema).unwrap())
    };
    Arc::clone(known.entry(pointer.to_owned()).or_insert_with(make))
}

/// Holds an answer against what its operation says of it. What no operation answers is a refusal like any other.
#[track_caller]
pub fn check(method: &str, path: &str, answer: &Answer) {
    let path = path.split('?').next().unwrap();
    let what = format!("{method} {path}: {} {}", answer.status, answer.body);
    if answer.status >= 400 {
        if answer.body.is_object() {
            assert_valid(&validator("/components/schemas/ErrorRepresentation"), &answer.body, &what);
        }
        return;
    }
    let operation = operation(method, path).unwrap_or_else(|| panic!("{what}: no operation is described"));
    let responses = format!("/paths/{}/{}/responses", escaped(&operation.path), operation.method.to_lowercase());
    let described = DOCUMENT.pointer(&format!("{responses}/{}", answer.status));
    let described = described.unwrap_or_else(|| panic!("{what}: the status is not described"));
    match described.pointer("/content/application~1json/schema") {
        Some(_) => {
            let pointer = format!("{responses}/{}/content/application~1json/schema", answer.status);
            assert_valid(&validator(&pointer), &answer.body, &what);
        }
        None if described.get("content").is_some() => {}
        None => assert_eq!(answer.body, json!(""), "{what}: no body is described"),
    }
}

fn escaped(path: &str) -> String {
    path.replace('~', "~0").replace('/', "~1")
}

#[track_caller]
fn assert_valid(validator: &Validator, body: &Value, what: &str) {
    let wrong: Vec<String> = validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{what}\n{}", wrong.join("\n"));
}
