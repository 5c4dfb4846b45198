//! The values that metric labels may have.

/// An enum whose variants are label values.
macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident { $($(#[$note:meta])* $variant:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$note])* $variant),+ }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    )+};
}

labels! {
    /// The grant of a token request. `Other` stands for whatever a client made up.
    Grant {
        AuthorizationCode = "authorization_code",
        RefreshToken = "refresh_token",
        Password = "password",
        ClientCredentials = "client_credentials",
        Other = "other",
    }

    Outcome {
        Success = "success",
        Refused = "refused",
        /// The server could not decide: the database was down.
        Failed = "failed",
    }

    /// The `error` of a refused token request (RFC 6749 §5.2 and its extensions); `None` of a granted one.
    TokenError {
        None = "",
        InvalidRequest = "invalid_request",
        InvalidClient = "invalid_client",
        InvalidGrant = "invalid_grant",
        UnauthorizedClient = "unauthorized_client",
        UnsupportedGrantType = "unsupported_grant_type",
        InvalidScope = "invalid_scope",
        AccessDenied = "access_denied",
        AuthorizationPending = "authorization_pending",
        SlowDown = "slow_down",
        ExpiredToken = "expired_token",
        InvalidDpopProof = "invalid_dpop_proof",
        TemporarilyUnavailable = "temporarily_unavailable",
        Other = "other",
    }

    /// What became of an attempt to tell a client of a logout.
    Notice {
        Taken = "taken",
        /// Tried again later.
        Failed = "failed",
        GivenUp = "given_up",
    }

    /// What a refresh token that was used before was answered with.
    Replay {
        /// The same successor again.
        Grace = "grace",
        /// A refusal, and the end of the client's part of the session.
        Reuse = "reuse",
        /// The advice to wait.
        Throttled = "throttled",
    }

    /// What the sweeper removes.
    SweepKind {
        OfflineSession = "offline_session",
        OfflinePart = "offline_client_session",
        OnlinePart = "online_client_session",
        Event = "event",
        UserSession = "user_session",
        AuthorizationCode = "authorization_code",
        AuthenticationSession = "authentication_session",
        Other = "other",
    }

    HttpMethod {
        Get = "GET",
        Head = "HEAD",
        Post = "POST",
        Put = "PUT",
        Patch = "PATCH",
        Delete = "DELETE",
        Options = "OPTIONS",
        Other = "other",
    }

    PoolState {
        Idle = "idle",
        Used = "used",
    }
}

impl HttpMethod {
    pub fn from_name(name: &str) -> Self {
        Self::ALL.iter().copied().find(|method| method.as_str() == name).unwrap_or(Self::Other)
    }
}

impl TokenError {
    /// From the `error` of an answer.
    pub fn from_code(code: &str) -> Self {
        Self::ALL.iter().copied().find(|error| error.as_str() == code).unwrap_or(Self::Other)
    }
}

/// The name of a realm that exists. Making one is the promise that it was looked up and not merely read from a request.
#[derive(Clone, Copy, Debug)]
pub struct Realm<'a>(&'a str);

impl<'a> Realm<'a> {
    pub fn of_existing(name: &'a str) -> Self {
        Self(name)
    }

    pub(super) fn name(self) -> String {
        self.0.to_owned()
    }
}

/// The template of a route that matched: `/realms/{realm}`, never a path from a request. `None` is "no route".
#[derive(Clone, Copy, Debug)]
pub struct Route<'a>(Option<&'a str>);

impl<'a> Route<'a> {
    pub fn of_template(template: Option<&'a str>) -> Self {
        Self(template)
    }

    pub(super) fn name(self) -> String {
        self.0.unwrap_or("none").to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_makes_up_is_other() {
        assert_eq!(TokenError::from_code("invalid_grant"), TokenError::InvalidGrant);
        assert_eq!(TokenError::from_code("my_error"), TokenError::Other);
        assert_eq!(HttpMethod::from_name("POST"), HttpMethod::Post);
        assert_eq!(HttpMethod::from_name("BREW"), HttpMethod::Other);
    }
}
