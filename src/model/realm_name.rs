//! What a realm may be called: its name is a segment of every address of the realm.

use super::MAX_NAME;

/// Keycloak's.
const FORBIDDEN: &str = "/?#\\%;[]\"<>{}|^`";

/// The first letter of a name that an address cannot hold.
pub fn forbidden_letter(name: &str) -> Option<char> {
    name.chars().find(|c| FORBIDDEN.contains(*c) || c.is_control())
}

/// What is wrong with the name, in Keycloak's words.
pub fn check(name: &str) -> Result<(), String> {
    if name.trim().is_empty() || [".", ".."].contains(&name) {
        return Err("Realm name cannot be empty".to_owned());
    }
    if let Some(letter) = forbidden_letter(name) {
        return Err(format!("Character '{letter}' not allowed."));
    }
    if name.chars().count() > MAX_NAME {
        return Err("Database operation failed".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_segment_of_an_address() {
        assert_eq!(forbidden_letter("o-a/b"), Some('/'));
        for (name, problem) in [
            (" ", "Realm name cannot be empty"),
            ("..", "Realm name cannot be empty"),
            ("a\nb", "Character '\n' not allowed."),
            (&"x".repeat(256), "Database operation failed"),
        ] {
            assert_eq!(check(name), Err(problem.to_owned()), "{name}");
        }
        assert!(check("Prüfer-1").is_ok());
    }
}
