//! What may be configured of a provider, and Keycloak's words for what may not (`ConfigurationValidationHelper`).

use crate::model::component::Config;

/// What a value has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    Flag,
    OneOf(&'static [&'static str]),
    /// Any number of texts.
    List,
}

/// One thing that may be configured.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    pub name: &'static str,
    /// What it is called before people.
    pub label: &'static str,
    pub kind: Kind,
    pub is_required: bool,
}

impl Property {
    pub const fn new(name: &'static str, label: &'static str, kind: Kind) -> Self {
        Self { name, label, kind, is_required: false }
    }

    pub const fn required(name: &'static str, label: &'static str, kind: Kind) -> Self {
        Self { name, label, kind, is_required: true }
    }
}

/// Longer values are no configuration.
const MAX_VALUE: usize = 64 * 1024;

/// Refuses values that are not what they have to be: the first one, in the order of the properties.
pub fn check(config: &Config, properties: impl IntoIterator<Item = Property>) -> Result<(), String> {
    for property in properties {
        let values = config.get(property.name).map(Vec::as_slice).unwrap_or_default();
        check_one(&property, values).map_err(|text| format!("'{}' {text}", property.label))?;
    }
    match config.iter().find(|(_, values)| values.iter().any(|value| value.len() > MAX_VALUE || value.contains('\0'))) {
        Some((name, _)) => Err(format!("A value of '{name}' cannot be stored")),
        None => Ok(()),
    }
}

fn check_one(property: &Property, values: &[String]) -> Result<(), String> {
    let value = match values {
        _ if property.kind == Kind::List => return Ok(()),
        [] if property.is_required => return Err("is required".to_owned()),
        [] => return Ok(()),
        [value] => value,
        _ => return Err("should be a single entry".to_owned()),
    };
    match property.kind {
        Kind::Number if value.parse::<i64>().is_err() => Err("should be a number".to_owned()),
        Kind::Flag if !["true", "false"].contains(&value.as_str()) => Err("should be 'true' or 'false'".to_owned()),
        Kind::OneOf(allowed) if !allowed.contains(&value.as_str()) => Err(format!("should be {}", either(allowed))),
        _ => Ok(()),
    }
}

/// `a, b or c`.
fn either(allowed: &[&str]) -> String {
    match allowed {
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => allowed.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(kind: Kind, values: &[&str]) -> String {
        let values = values.iter().map(|v| (*v).to_owned()).collect();
        let config = Config::from([("x".to_owned(), values)]);
        check(&config, [Property::new("x", "X", kind)]).err().unwrap_or_default()
    }

    #[test]
    fn values_are_refused_in_keycloaks_words() {
        assert_eq!(refusal(Kind::Number, &["-100"]), "");
        assert_eq!(refusal(Kind::Number, &["high"]), "'X' should be a number");
        assert_eq!(refusal(Kind::Number, &["99999999999999999999"]), "'X' should be a number");
        assert_eq!(refusal(Kind::Number, &["1", "2"]), "'X' should be a single entry");
        assert_eq!(refusal(Kind::Flag, &["perhaps"]), "'X' should be 'true' or 'false'");
        assert_eq!(refusal(Kind::OneOf(&["16", "24", "32"]), &["7"]), "'X' should be 16, 24 or 32");
        assert_eq!(refusal(Kind::OneOf(&["RSA-OAEP"]), &["RSA1_5"]), "'X' should be RSA-OAEP");
        assert_eq!(refusal(Kind::List, &["a", "b"]), "");
        let missing = check(&Config::new(), [Property::required("x", "X", Kind::Text)]);
        assert_eq!(missing, Err("'X' is required".to_owned()));
        assert_eq!(refusal(Kind::Text, &["a\0b"]), "A value of 'x' cannot be stored");
    }
}
