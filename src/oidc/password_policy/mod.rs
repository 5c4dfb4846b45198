//! A realm's password policy: `length(8) and notUsername and passwordHistory(3)`, with Keycloak's rules and texts (26.7.0).

mod parse;

use std::time::Duration;

use fancy_regex::Regex;

pub use parse::{PolicyProblem, parse};

/// What a policy asks for; what it does not name asks for nothing.
#[derive(Clone, Debug, Default)]
pub struct PasswordPolicy {
    /// The text, with single spaces and without doublets.
    pub text: String,
    rules: Vec<Rule>,
    /// How many passwords, the present one among them, a new one must differ from.
    pub history: usize,
    /// A new password must differ from those of this time, whatever their number.
    pub history_age: Option<Duration>,
    /// A password older than this has to be changed at the next sign-in.
    pub expires_after: Option<Duration>,
    /// The file of forbidden passwords.
    pub forbidden_list: Option<String>,
    pub hash: HashRule,
}

/// How new passwords are hashed; none for the server's own choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HashRule {
    pub algorithm: Option<HashAlgorithm>,
    pub iterations: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashAlgorithm {
    Argon2,
    Pbkdf2Sha1,
    Pbkdf2Sha256,
    Pbkdf2Sha512,
}

#[derive(Clone, Debug)]
enum Rule {
    NotContainsUsername,
    SpecialChars(usize),
    UpperCase(usize),
    LowerCase(usize),
    MinLength(usize),
    Pattern(Box<Regex>),
    Digits(usize),
    NotUsername,
    MaxLength(usize),
    NotEmail,
}

/// Which rule a password breaks: the key of Keycloak's message, and what stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub key: &'static str,
    pub parameter: Option<String>,
}

impl Violation {
    fn new(key: &'static str, parameter: Option<usize>) -> Self {
        Self { key, parameter: parameter.map(|n| n.to_string()) }
    }

    pub fn of_history(count: usize) -> Self {
        Self::new("invalidPasswordHistoryMessage", Some(count))
    }

    pub fn of_history_age() -> Self {
        Self::new("invalidPasswordGenericMessage", None)
    }

    pub fn of_list() -> Self {
        Self::new("invalidPasswordBlacklistedMessage", None)
    }

    /// The English text, as administrators read it.
    pub fn text(&self) -> String {
        let parameter = self.parameter.as_deref().unwrap_or_default();
        let rest = match self.key {
            "invalidPasswordMinLengthMessage" => format!("minimum length {parameter}."),
            "invalidPasswordMaxLengthMessage" => format!("maximum length {parameter}."),
            "invalidPasswordMinDigitsMessage" => format!("must contain at least {parameter} numerical digits."),
            "invalidPasswordMinUpperCaseCharsMessage" => format!("must contain at least {parameter} upper case characters."),
            "invalidPasswordMinLowerCaseCharsMessage" => format!("must contain at least {parameter} lower case characters."),
            "invalidPasswordMinSpecialCharsMessage" => format!("must contain at least {parameter} special characters."),
            "invalidPasswordNotUsernameMessage" => "must not be equal to the username.".to_owned(),
            "invalidPasswordNotContainsUsernameMessage" => "Can not contain the username.".to_owned(),
            "invalidPasswordNotEmailMessage" => "must not be equal to the email.".to_owned(),
            "invalidPasswordRegexPatternMessage" => "fails to match regex pattern(s).".to_owned(),
            "invalidPasswordHistoryMessage" => format!("must not be equal to any of last {parameter} passwords."),
            "invalidPasswordBlacklistedMessage" => "password is blacklisted.".to_owned(),
            _ => "new password does not match password policies.".to_owned(),
        };
        format!("Invalid password: {rest}")
    }
}

impl PasswordPolicy {
    /// The first rule that the password breaks by itself, in Keycloak's order. What it was before, and lists, are looked at by
    /// whoever has them.
    pub fn check(&self, password: &str, username: &str, email: Option<&str>) -> Option<Violation> {
        self.rules.iter().find_map(|rule| rule.broken_by(password, username, email))
    }

    /// Whether the passwords of before have to be kept.
    pub fn keeps_history(&self) -> bool {
        self.history > 1 || self.history_age.is_some()
    }
}

impl Rule {
    /// Keycloak goes through a hash map of the names.
    fn order(&self) -> u8 {
        match self {
            Self::NotContainsUsername => 0,
            Self::SpecialChars(_) => 4,
            Self::UpperCase(_) => 6,
            Self::LowerCase(_) => 7,
            Self::MinLength(_) | Self::Pattern(_) => 8,
            Self::Digits(_) | Self::NotUsername => 10,
            Self::MaxLength(_) => 14,
            Self::NotEmail => 15,
        }
    }

    fn broken_by(&self, password: &str, username: &str, email: Option<&str>) -> Option<Violation> {
        // Lengths are Java's: in UTF-16.
        let length = || password.encode_utf16().count();
        let has = |is: fn(char) -> bool, least: usize| password.chars().filter(|c| is(*c)).count() >= least;
        let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
        let (holds, key, parameter) = match self {
            Self::MinLength(least) => (length() >= *least, "invalidPasswordMinLengthMessage", Some(*least)),
            Self::MaxLength(most) => (length() <= *most, "invalidPasswordMaxLengthMessage", Some(*most)),
            Self::Digits(least) => (has(char::is_numeric, *least), "invalidPasswordMinDigitsMessage", Some(*least)),
            Self::UpperCase(least) => (has(char::is_uppercase, *least), "invalidPasswordMinUpperCaseCharsMessage", Some(*least)),
            Self::LowerCase(least) => (has(char::is_lowercase, *least), "invalidPasswordMinLowerCaseCharsMessage", Some(*least)),
            Self::SpecialChars(least) => {
                (has(|c| !c.is_alphanumeric(), *least), "invalidPasswordMinSpecialCharsMessage", Some(*least))
            }
            Self::NotUsername => (!same(password, username), "invalidPasswordNotUsernameMessage", None),
            Self::NotContainsUsername => {
                let is_in = !username.is_empty() && password.to_lowercase().contains(&username.to_lowercase());
                (!is_in, "invalidPasswordNotContainsUsernameMessage", None)
            }
            Self::NotEmail => (!email.is_some_and(|email| same(password, email)), "invalidPasswordNotEmailMessage", None),
            // A pattern that takes too long to match counts as not matched.
            Self::Pattern(pattern) => (pattern.is_match(password).unwrap_or(false), "invalidPasswordRegexPatternMessage", None),
        };
        (!holds).then(|| Violation::new(key, parameter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(policy: &str, password: &str) -> Option<&'static str> {
        let found = parse(policy).unwrap().check(password, "alice", Some("alice@example.org"));
        found.map(|violation| violation.key.trim_start_matches("invalidPassword").trim_end_matches("Message"))
    }

    #[test]
    fn each_rule_takes_what_is_right_and_refuses_what_is_not() {
        for (policy, right, wrong, word) in [
            ("length(3)", "😀a", "ab", "MinLength"),
            ("maxLength(3)", "abc", "abcd", "MaxLength"),
            ("digits(2)", "a1b2", "a1", "MinDigits"),
            ("upperCase(1)", "aÄ", "aä", "MinUpperCaseChars"),
            ("lowerCase(1)", "Aa", "AA", "MinLowerCaseChars"),
            ("specialChars(2)", "a-!", "ab_", "MinSpecialChars"),
            ("notUsername", "alice1", "ALICE", "NotUsername"),
            ("notContainsUsername", "ali-ce", "xxALICExx", "NotContainsUsername"),
            ("notEmail(undefined)", "alice", "ALICE@example.org", "NotEmail"),
            ("regexPattern(^(?=.*[A-Z]).*$)", "aBc", "abc", "RegexPattern"),
            ("regexPattern(b)", "b", "abc", "RegexPattern"),
        ] {
            assert_eq!((broken(policy, right), broken(policy, wrong)), (None, Some(word)), "{policy}");
        }
    }

    #[test]
    fn the_first_of_several_is_told_in_keycloaks_order_and_in_its_words() {
        assert_eq!(broken("length(8) and digits(1) and upperCase(1)", "short"), Some("MinUpperCaseChars"));
        let violation = parse("length(8)").unwrap().check("short", "alice", None).unwrap();
        assert_eq!(violation.text(), "Invalid password: minimum length 8.");
    }

    #[test]
    fn a_pattern_that_runs_away_is_cut_off() {
        let nested = parse("regexPattern((a+)+\\1b)").unwrap();
        assert!(nested.check(&"a".repeat(60), "alice", None).is_some());
    }
}
