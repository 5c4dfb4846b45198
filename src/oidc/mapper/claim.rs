//! How a value gets its type and its place in the claims, and the mapper whose value is fixed.

use serde_json::{Map, Value};

use super::RESERVED;
use crate::model::ProtocolMapper;

/// A fixed claim; an empty value says nothing.
pub(super) fn hardcoded(mapper: &ProtocolMapper, claims: &mut Map<String, Value>) {
    if let Some(text) = mapper.config("claim.value").filter(|v| !v.is_empty())
        && let Some(value) = typed(mapper, text)
    {
        put_named(mapper, value, claims);
    }
}

/// The text as the mapper's JSON type; none if it does not fit.
pub(super) fn typed(mapper: &ProtocolMapper, text: &str) -> Option<Value> {
    match mapper.config("jsonType.label").unwrap_or("String") {
        "int" | "long" => text.trim().parse::<i64>().ok().map(Value::from),
        "boolean" => Some(Value::from(text.trim().eq_ignore_ascii_case("true"))),
        "JSON" => serde_json::from_str(text).ok(),
        _ => Some(Value::from(text)),
    }
}

/// Puts a value under the mapper's `claim.name`.
pub(super) fn put_named(mapper: &ProtocolMapper, value: Value, claims: &mut Map<String, Value>) {
    if let Some(name) = mapper.config("claim.name").filter(|n| !n.is_empty()) {
        put(&path(name), value, claims);
    }
}

/// The names from the outside in: `a.b` is `b` within `a`, and `a\.b` is one name.
pub(super) fn path(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        let last = parts.len() - 1;
        match c {
            '\\' => parts[last].extend(chars.next()),
            '.' => parts.push(String::new()),
            other => parts[last].push(other),
        }
    }
    parts
}

/// Puts a value at a path. Objects on the way are made; two lists at one place become one; a claim of the protocol stays.
pub(super) fn put(path: &[String], value: Value, claims: &mut Map<String, Value>) {
    let [first, rest @ ..] = path else { return };
    if first.is_empty() || RESERVED.contains(&first.as_str()) {
        return;
    }
    put_below(first, rest, value, claims);
}

fn put_below(first: &str, rest: &[String], value: Value, claims: &mut Map<String, Value>) {
    let [second, others @ ..] = rest else {
        match (claims.get_mut(first), value) {
            (Some(Value::Array(there)), Value::Array(more)) => {
                there.extend(more.into_iter().filter(|v| !there.contains(v)).collect::<Vec<_>>());
            }
            (_, value) => {
                claims.insert(first.to_owned(), value);
            }
        }
        return;
    };
    let inner = claims.entry(first.to_owned()).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(inner) = inner {
        put_below(second, others, value, inner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn dots_nest_and_escaped_dots_do_not() {
        let mut claims = Map::new();
        put(&path("a.b.c"), json!("deep"), &mut claims);
        put(&path("a.b.d"), json!("beside"), &mut claims);
        put(&path("x\\.y"), json!("dotted"), &mut claims);
        assert_eq!(Value::Object(claims), json!({"a": {"b": {"c": "deep", "d": "beside"}}, "x.y": "dotted"}));
    }

    #[test]
    fn the_claims_of_the_protocol_cannot_be_forged() {
        let mut claims = Map::new();
        for name in RESERVED {
            put(&path(name), json!("forged"), &mut claims);
        }
        assert!(claims.is_empty());
    }

    proptest! {
        #[test]
        fn any_name_is_a_path(name in "\\PC{0,30}") {
            let mut claims = Map::new();
            put(&path(&name), json!(1), &mut claims);
        }
    }
}
