//! The words of the `prompt` parameter (OIDC Core §3.1.2.1). Unknown words are passed over, as Keycloak does.

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Show nothing: answer an error where something would have to be shown.
    pub none: bool,
    /// Ask for the password even though the user is signed in.
    pub login: bool,
    /// Ask for consent even though it was given.
    pub consent: bool,
    /// Show the registration form (OpenID Initiating User Registration).
    pub create: bool,
}

impl Prompt {
    pub fn parse(parameter: Option<&str>) -> Self {
        let mut prompt = Self::default();
        for word in parameter.unwrap_or_default().split(' ') {
            match word {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "create" => prompt.create = true,
                _ => {}
            }
        }
        prompt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_a_set_and_unknown_ones_are_passed_over() {
        assert_eq!(Prompt::parse(Some("login magic consent")), Prompt { login: true, consent: true, ..Prompt::default() });
        assert_eq!(Prompt::parse(Some("")), Prompt::default());
        assert_eq!(Prompt::parse(None), Prompt::default());
    }
}
