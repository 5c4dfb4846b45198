//! Reading a policy's text, and what is said about one that cannot be.

use std::time::Duration;

use fancy_regex::{Regex, RegexBuilder};
use thiserror::Error;

use super::{HashAlgorithm, PasswordPolicy, Rule};

/// Matching stops after so many steps back: a pattern must not keep a sign-in busy.
const MAX_BACKTRACKS: usize = 100_000;
const DAY: u64 = 86_400;

/// Why a policy cannot be kept, in Keycloak's words.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PolicyProblem {
    #[error("Password policy not found")]
    Unknown,
    #[error("Invalid config for {0}: {1}")]
    Config(String, &'static str),
}

impl PolicyProblem {
    /// The list that a policy names is not there; whoever has the lists finds out.
    pub fn no_list() -> Self {
        Self::Config("passwordBlacklist".to_owned(), "Password blacklist not found")
    }
}

/// Reads a policy. Of a rule that stands there twice the last counts.
pub fn parse(text: &str) -> Result<PasswordPolicy, PolicyProblem> {
    let mut parts: Vec<(&str, Option<&str>, &str)> = Vec::new();
    for part in text.split(" and ").map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = match part.split_once('(') {
            // What stands after the last bracket is no number either.
            Some((name, rest)) => (name.trim(), Some(rest.strip_suffix(')').unwrap_or(rest))),
            None => (part, None),
        };
        match parts.iter_mut().find(|(known, ..)| *known == name) {
            Some(known) => *known = (name, value, part),
            None => parts.push((name, value, part)),
        }
    }
    let mut policy = PasswordPolicy::default();
    for (name, value, _) in &parts {
        put(&mut policy, name, *value)?;
    }
    policy.rules.sort_by_key(Rule::order);
    policy.text = parts.iter().map(|(.., part)| *part).collect::<Vec<_>>().join(" and ");
    Ok(policy)
}

fn put(policy: &mut PasswordPolicy, name: &str, value: Option<&str>) -> Result<(), PolicyProblem> {
    let refuse = |why| PolicyProblem::Config(name.to_owned(), why);
    let number = |default: i32| match value.filter(|value| *value != "undefined") {
        Some(value) => value.trim().parse::<i32>().map_err(|_| refuse("Not a valid number")),
        None => Ok(default),
    };
    // A negative number asks for nothing.
    let count = |default: i32| number(default).map(|n| usize::try_from(n).unwrap_or(0));
    let span = |days: i32| u64::try_from(days).ok().map(|days| Duration::from_secs(days * DAY));
    match name {
        "length" => policy.rules.push(Rule::MinLength(count(8)?)),
        "maxLength" => policy.rules.push(Rule::MaxLength(count(64)?)),
        "digits" => policy.rules.push(Rule::Digits(count(1)?)),
        "upperCase" => policy.rules.push(Rule::UpperCase(count(1)?)),
        "lowerCase" => policy.rules.push(Rule::LowerCase(count(1)?)),
        "specialChars" => policy.rules.push(Rule::SpecialChars(count(1)?)),
        "notUsername" => policy.rules.push(Rule::NotUsername),
        "notContainsUsername" => policy.rules.push(Rule::NotContainsUsername),
        "notEmail" => policy.rules.push(Rule::NotEmail),
        "regexPattern" => {
            let value = value.ok_or_else(|| refuse("Config required"))?;
            if value.trim().is_empty() {
                return Err(refuse("White space not acepted"));
            }
            let pattern = whole(value).map_err(|_| refuse("Not a valid regular expression"))?;
            policy.rules.push(Rule::Pattern(Box::new(pattern)));
        }
        "passwordHistory" => policy.history = count(3)?,
        "passwordAge" => policy.history_age = span(number(30)?).filter(|span| !span.is_zero()),
        "forceExpiredPasswordChange" => policy.expires_after = span(number(365)?),
        "passwordBlacklist" => policy.forbidden_list = value.map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned),
        "hashAlgorithm" => {
            let value = value.ok_or_else(|| refuse("Password hashing provider id must be set"))?;
            policy.hash.algorithm = Some(match value {
                "argon2" => HashAlgorithm::Argon2,
                "pbkdf2" => HashAlgorithm::Pbkdf2Sha1,
                "pbkdf2-sha256" => HashAlgorithm::Pbkdf2Sha256,
                "pbkdf2-sha512" => HashAlgorithm::Pbkdf2Sha512,
                _ => return Err(refuse("Password hashing provider not found")),
            });
        }
        "hashIterations" => policy.hash.iterations = u32::try_from(number(-1)?).ok().filter(|n| *n > 0),
        // How old a sign-in may be that changes a credential, and when codes run out: read by whoever asks for them.
        "maxAuthAge" | "recoveryCodesWarningThreshold" => {
            number(0)?;
        }
        _ => return Err(PolicyProblem::Unknown),
    }
    Ok(())
}

/// Java's `matches`: the whole text.
fn whole(pattern: &str) -> Result<Regex, fancy_regex::Error> {
    RegexBuilder::new(&format!(r"\A(?:{pattern})\z")).backtrack_limit(MAX_BACKTRACKS).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        parse(text).map_or_else(|problem| problem.to_string(), |policy| format!("kept: {}", policy.text))
    }

    #[test]
    fn texts_are_kept_and_refused_as_keycloak_does() {
        for (text, expected) in [
            ("length(8) and digits(2)", "kept: length(8) and digits(2)"),
            ("length(8)  and   digits(1)", "kept: length(8) and digits(1)"),
            ("length(8) and length(9)", "kept: length(9)"),
            ("length", "kept: length"),
            ("digits(0)", "kept: digits(0)"),
            ("length(-1)", "kept: length(-1)"),
            ("notUsername(x)", "kept: notUsername(x)"),
            ("nonsense(1)", "Password policy not found"),
            ("length(x)", "Invalid config for length: Not a valid number"),
            ("length(99999999999)", "Invalid config for length: Not a valid number"),
            ("length(8) AND digits(1)", "Invalid config for length: Not a valid number"),
            ("specialChars(1) and", "Invalid config for specialChars: Not a valid number"),
            ("hashAlgorithm", "Invalid config for hashAlgorithm: Password hashing provider id must be set"),
            ("hashAlgorithm(nonsense)", "Invalid config for hashAlgorithm: Password hashing provider not found"),
            ("regexPattern", "Invalid config for regexPattern: Config required"),
            ("regexPattern()", "Invalid config for regexPattern: White space not acepted"),
            ("regexPattern([)", "Invalid config for regexPattern: Not a valid regular expression"),
            ("regexPattern(a(b) and c)", "Invalid config for regexPattern: Not a valid regular expression"),
            (" ", "kept: "),
        ] {
            assert_eq!(problem(text), expected, "{text}");
        }
    }

    #[test]
    fn spans_and_hashes_are_read() {
        let policy = parse("forceExpiredPasswordChange(0) and hashAlgorithm(pbkdf2-sha512) and hashIterations(1000)").unwrap();
        assert_eq!(policy.expires_after, Some(Duration::ZERO));
        assert_eq!((policy.hash.algorithm, policy.hash.iterations), (Some(HashAlgorithm::Pbkdf2Sha512), Some(1_000)));
        assert!(parse("passwordHistory").unwrap().keeps_history() && !parse("passwordHistory(1)").unwrap().keeps_history());
    }
}
