//! Values as Keycloak reads them: a number where text is wanted, a truth value in quotes, a fraction where a whole number is.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Unexpected, Visitor};
use serde_json::Value;

use crate::base::Secret;

/// Says of a number that it does not fit: Keycloak answers it otherwise than a wrong type.
pub(crate) const OUT_OF_RANGE: &str = "number out of range";

/// A text; numbers and truth values are taken as they are written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text(pub String);

/// A truth value; `"true"` and numbers count, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flag(pub bool);

/// A whole number of 32 bits; in quotes and with a fraction (cut), too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number(pub i64);

/// A text that is not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hidden(pub Secret);

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl From<Text> for Option<String> {
    fn from(text: Text) -> Self {
        Some(text.0)
    }
}

impl From<Flag> for bool {
    fn from(flag: Flag) -> Self {
        flag.0
    }
}

impl From<Number> for i64 {
    fn from(number: Number) -> Self {
        number.0
    }
}

/// Sets what the representation names; absent and null leave the place alone.
pub(crate) fn put<T: Clone + Into<U>, U>(place: &mut U, given: Option<&T>) {
    if let Some(given) = given {
        *place = given.clone().into();
    }
}

pub(crate) fn texts(list: &[Text]) -> Vec<String> {
    list.iter().map(|t| t.0.clone()).collect()
}

pub(crate) fn text(given: Option<&Text>) -> Option<String> {
    given.map(|t| t.0.clone())
}

/// Entries that are there; null ones are left out.
pub(crate) fn text_map(map: &BTreeMap<String, Option<Text>>) -> BTreeMap<String, String> {
    map.iter().filter_map(|(k, v)| v.as_ref().map(|v| (k.clone(), v.0.clone()))).collect()
}

pub(crate) fn lists(map: &BTreeMap<String, Vec<Text>>) -> BTreeMap<String, Vec<String>> {
    map.iter().map(|(k, v)| (k.clone(), texts(v))).collect()
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Text, E> {
        Ok(Text(v.to_owned()))
    }

    fn visit_bool<E: Error>(self, v: bool) -> Result<Text, E> {
        Ok(Text(v.to_string()))
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<Text, E> {
        Ok(Text(v.to_string()))
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<Text, E> {
        Ok(Text(v.to_string()))
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Text, E> {
        Ok(Text(v.to_string()))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer).map(|t| Self(Secret::new(t.0)))
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        match text.trim() {
            "true" | "True" | "TRUE" => Ok(Self(true)),
            "false" | "False" | "FALSE" | "" => Ok(Self(false)),
            other => match other.parse::<i64>() {
                Ok(number) => Ok(Self(number != 0)),
                Err(_) => Err(D::Error::invalid_value(Unexpected::Str(other), &"a truth value")),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        let whole = text.trim().split('.').next().unwrap_or_default();
        let number: i64 = match whole.parse() {
            Ok(number) => number,
            Err(_) => return Err(D::Error::invalid_value(Unexpected::Str(&text), &"a whole number")),
        };
        if i32::try_from(number).is_err() {
            return Err(D::Error::custom(OUT_OF_RANGE));
        }
        Ok(Self(number))
    }
}

/// The fields of a representation that nothing here acts on.
pub(crate) trait Names {
    /// Those that say something: it is lost.
    const NAMES: &'static [&'static str];
    /// Those that Keycloak works out itself.
    const DERIVED: &'static [&'static str] = &[];
}

/// Takes a representation's remaining fields and refuses those that Keycloak does not know either.
#[derive(Clone, Debug)]
pub(crate) struct Ignored<N> {
    /// The names of those that said something.
    lost: Vec<String>,
    names: PhantomData<N>,
}

impl<N> Default for Ignored<N> {
    fn default() -> Self {
        Self { lost: Vec::new(), names: PhantomData }
    }
}

impl<N> Ignored<N> {
    /// What is lost of the thing at `path`, each by its own path.
    pub(crate) fn report(&self, path: &str, report: &mut Vec<String>) {
        report.extend(self.lost.iter().map(|name| format!("{path}.{name}")));
    }
}

/// Whether nothing is lost without this value: null, false, or empty.
pub(crate) fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

impl<'de, N: Names> Deserialize<'de> for Ignored<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rest<N>(PhantomData<N>);
        impl<'de, N: Names> Visitor<'de> for Rest<N> {
            type Value = Ignored<N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the known fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ignored<N>, A::Error> {
                let mut lost = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    if N::DERIVED.contains(&key.as_str()) {
                        map.next_value::<IgnoredAny>()?;
                    } else if !N::NAMES.contains(&key.as_str()) {
                        return Err(A::Error::unknown_field(&key, N::NAMES));
                    } else if !says_nothing(&map.next_value()?) {
                        lost.push(key);
                    }
                }
                Ok(Ignored { lost, names: PhantomData })
            }
        }
        deserializer.deserialize_map(Rest(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_may_stand_in_quotes_or_have_a_fraction_but_not_be_large() {
        let read = |value| serde_json::from_value::<Number>(value).map(|n| n.0).map_err(|e| e.to_string());
        assert_eq!(read(json!("77")), Ok(77));
        assert_eq!(read(json!(78.9)), Ok(78));
        assert_eq!(read(json!(-1)), Ok(-1));
        assert_eq!(read(json!(99_999_999_999_i64)), Err(OUT_OF_RANGE.to_owned()));
        assert!(read(json!("soon")).is_err());
    }

    #[test]
    fn a_word_is_no_truth_value() {
        assert_eq!(serde_json::from_value::<Flag>(json!("true")).unwrap(), Flag(true));
        assert_eq!(serde_json::from_value::<Flag>(json!(1)).unwrap(), Flag(true));
        assert!(serde_json::from_value::<Flag>(json!("maybe")).is_err());
        assert!(serde_json::from_value::<Text>(json!({})).is_err());
    }
}
