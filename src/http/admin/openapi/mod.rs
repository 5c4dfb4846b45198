//! The API described (OpenAPI 3.1): every operation that is served, with what it takes and what it gives. Addresses come from the
//! routes; what stands at each is looked up in `operations.txt`, whose words are these:
//!
//! `METHOD path takes SHAPE gives STATUS,STATUS SHAPE asks parameter parameter`
//!
//! A shape is the name of a schema, a JSON type, `any`, `text` (not JSON), `form`, `[shape]` for a list, `{shape}` for a map.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::operations;
use super::routes::Operation;

const OPERATIONS: &str = include_str!("operations.txt");
/// By name, without what no operation takes or gives.
const SCHEMAS: &str = include_str!("schemas.json");

const NUMBERS: [&str; 3] = ["first", "max", "lifespan"];
const FLAGS: [&str; 7] =
    ["briefRepresentation", "emailVerified", "enabled", "exact", "isOffline", "populateHierarchy", "subGroupsCount"];

/// What stands at an address.
#[derive(Debug, Default)]
struct Described<'a> {
    takes: Option<&'a str>,
    statuses: Vec<&'a str>,
    gives: Option<&'a str>,
    asks: Vec<&'a str>,
}

fn descriptions() -> BTreeMap<(&'static str, &'static str), Described<'static>> {
    OPERATIONS.lines().filter_map(description).collect()
}

fn description(line: &str) -> Option<((&str, &str), Described<'_>)> {
    let mut words = line.split(' ').peekable();
    let (method, path) = (words.next()?, words.next()?);
    let mut described = Described::default();
    if words.next_if_eq(&"takes").is_some() {
        described.takes = words.next();
    }
    if words.next_if_eq(&"gives").is_some() {
        described.statuses = words.next()?.split(',').collect();
        described.gives = words.next_if(|word| *word != "asks");
    }
    if words.next_if_eq(&"asks").is_some() {
        described.asks = words.collect();
    }
    Some(((path, method), described))
}

/// The document. It is made anew each time: hardly anybody asks for it.
pub(crate) fn document() -> Value {
    let descriptions = descriptions();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for operation in operations() {
        let Some(described) = descriptions.get(&(operation.path.as_str(), operation.method.as_str())) else { continue };
        let path = operation.path.replace("{*", "{");
        paths.entry(path).or_default().insert(operation.method.to_lowercase(), shown(&operation, described));
    }
    let schemas: Value = serde_json::from_str(SCHEMAS).unwrap_or_default();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Nightlatch Admin REST API",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Keycloak's Admin REST API, and beside it what is Nightlatch's own below /nightlatch.",
        },
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "An access token of the realm itself or of the realm master, of a user with administrative roles."}},
            "responses": {"Refusal": {"description": "What was wrong.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorRepresentation"}}}}},
        },
    })
}

fn shown(operation: &Operation, described: &Described<'_>) -> Value {
    let mut parameters: Vec<Value> = operation
        .path
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({"name": name.trim_start_matches('*'), "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    parameters.extend(described.asks.iter().map(|name| json!({"name": name, "in": "query", "schema": parameter(name)})));
    let answer = |status: &&str| {
        let mut answer = json!({"description": what(status)});
        if let Some(shape) = described.gives.filter(|_| *status != "204") {
            answer["content"] = content(shape);
        }
        ((*status).to_owned(), answer)
    };
    let mut responses: Map<String, Value> = described.statuses.iter().map(answer).collect();
    responses.insert("default".to_owned(), json!({"$ref": "#/components/responses/Refusal"}));
    let mut whole = json!({
        "operationId": id(operation),
        "tags": [tag(&operation.path)],
        "parameters": parameters,
        "responses": responses,
    });
    if let Some(shape) = described.takes {
        whole["requestBody"] = json!({"content": content(shape)});
    }
    whole
}

fn what(status: &str) -> &'static str {
    match status {
        "201" => "Made; its address is in Location.",
        "204" => "Done.",
        _ => "Found, or done.",
    }
}

fn parameter(name: &str) -> Value {
    let kind = match name {
        _ if NUMBERS.contains(&name) => "integer",
        _ if FLAGS.contains(&name) => "boolean",
        _ => "string",
    };
    json!({"type": kind})
}

fn content(shape: &str) -> Value {
    let media = match shape {
        "text" => "text/plain",
        "form" => "multipart/form-data",
        _ => "application/json",
    };
    json!({media: {"schema": schema(shape)}})
}

fn schema(shape: &str) -> Value {
    let inner = |open: char, close: char| shape.strip_prefix(open)?.strip_suffix(close);
    if let Some(of) = inner('[', ']') {
        return json!({"type": "array", "items": schema(of)});
    }
    if let Some(of) = inner('{', '}') {
        return json!({"type": "object", "additionalProperties": schema(of)});
    }
    match shape {
        "any" => json!({}),
        "text" => json!({"type": "string"}),
        "form" => json!({"type": "object"}),
        "string" | "integer" | "boolean" => json!({"type": shape}),
        name => json!({"$ref": format!("#/components/schemas/{name}")}),
    }
}

/// `getUsersById` and the like: method and words of the path.
fn id(operation: &Operation) -> String {
    let mut id = operation.method.to_lowercase();
    for segment in operation.path.split('/').skip(2).filter(|segment| !segment.is_empty()) {
        let (by, word) = match segment.strip_prefix('{') {
            Some(name) => ("By", name.trim_end_matches('}').trim_start_matches('*')),
            None => ("", segment),
        };
        id.push_str(by);
        for part in word.split(['-', '_', '.']) {
            let mut letters = part.chars();
            id.extend(letters.next().into_iter().flat_map(char::to_uppercase));
            id.push_str(letters.as_str());
        }
    }
    id
}

/// The family: what stands below the realm.
fn tag(path: &str) -> &str {
    path.split('/').nth(4).filter(|word| !word.starts_with('{')).unwrap_or("realms")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_that_is_served_is_described_and_no_other() {
        let served: BTreeSet<(String, String)> = operations().into_iter().map(|one| (one.path, one.method)).collect();
        let described = descriptions().into_keys().map(|(path, method)| (path.to_owned(), method.to_owned()));
        let described: BTreeSet<(String, String)> = described.collect();
        assert_eq!(served.difference(&described).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "not described");
        assert_eq!(described.difference(&served).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "not served");
    }

    #[test]
    fn every_name_that_the_document_refers_to_is_in_it_and_ids_are_unique() {
        let document = document();
        let text = document.to_string();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
        }
        let ids: Vec<&str> = text.split("\"operationId\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        assert_eq!(ids.len(), operations().len());
    }

    #[test]
    fn a_line_says_what_is_taken_given_and_asked() {
        let (key, described) = description("PUT /a/{b} takes [X] gives 200,204 {string} asks c d").unwrap();
        assert_eq!((key, described.takes, described.gives), (("/a/{b}", "PUT"), Some("[X]"), Some("{string}")));
        assert_eq!((described.statuses, described.asks), (vec!["200", "204"], vec!["c", "d"]));
        assert_eq!(schema("[{X}]")["items"]["additionalProperties"], json!({"$ref": "#/components/schemas/X"}));
    }
}
