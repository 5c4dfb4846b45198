//! How refresh tokens rotate, and what becomes of a presented one (RFC 9700 §4.14.2).
//!
//! The step itself is one conditional statement (`store::chain`): it compares the generation and the id that the token carries
//! with the row, and moves the row or does not. Here stand its parameters and what each outcome means.
//!
//! *Revoke Refresh Token* switches rotation on for a realm, as in Keycloak. It is **strict** then: each token works once, and the
//! one used last `refreshTokenMaxReuse` times more. Strict rotation loses a session whenever an answer gets lost. **Graceful**
//! rotation answers a retry with the same successor: shortly after the rotation for everybody; later for clients that prove
//! themselves, who are no thief of a token alone; and for public clients once a day. A client may have a mode of its own.

use std::time::Duration;

use super::session_limits::access_token_lifespan;
use crate::base::Timestamp;
use crate::model::session::ChainState;
use crate::model::{Client, RealmSettings, TokenId, own_attributes};

/// How the refresh tokens of a client rotate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationMode {
    /// Every token of the client's part works, any number of times.
    Off,
    On(Rules),
}

/// When the token used last is answered again, with the same successor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// So often at any time, whoever asks.
    pub max_reuse: i32,
    /// Any number of times so long after the rotation, or after the late retry of a public client: two tabs that wake up
    /// together retry together.
    pub grace: Duration,
    pub late: Late,
}

/// Whether a retry is answered after the grace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    Never,
    /// A public client: a token alone proves little.
    OnceADay,
    /// The client has proven itself.
    Always,
}

/// What a client may set; anything else counts as nothing.
const MODES: [&str; 3] = ["off", "strict", "graceful"];
/// The grace of a realm that sets none.
const GRACE: Duration = Duration::from_secs(30);
/// How long a late retry of a public client is held against the next one.
const LATE_EVERY: Duration = Duration::from_secs(86_400);
/// After so many late retries of one generation a client that has proven itself is told to slow down.
const MAX_LATE: i32 = 16;
/// How many chains a client has in one session at most, where nothing else is set.
const MAX_CHAINS: i64 = 100;

impl RotationMode {
    /// The mode of a client: its own, else the realm's.
    pub fn of(realm: &RealmSettings, client: &Client) -> Self {
        let of_realm = match realm.attributes.get(own_attributes::ROTATION).map(|v| v.trim()) {
            _ if !realm.revoke_refresh_token => "off",
            Some("graceful") => "graceful",
            _ => "strict",
        };
        let max_reuse = i32::try_from(realm.refresh_token_max_reuse.max(0)).unwrap_or(i32::MAX);
        let own = client.attribute(own_attributes::ROTATION).map(str::trim).filter(|own| MODES.contains(own));
        match own.unwrap_or(of_realm) {
            "off" => Self::Off,
            "graceful" => {
                let late = if client.is_confidential() { Late::Always } else { Late::OnceADay };
                Self::On(Rules { max_reuse, grace: grace(realm, client), late })
            }
            _ => Self::On(Rules { max_reuse, grace: Duration::ZERO, late: Late::Never }),
        }
    }

    pub fn is_on(self) -> bool {
        self != Self::Off
    }
}

/// No longer than a quarter of the access token's lifespan: so a thief and the owner do not both live on retries.
fn grace(realm: &RealmSettings, client: &Client) -> Duration {
    let of_realm = || realm.attributes.get(own_attributes::GRACE_PERIOD).and_then(|v| v.trim().parse::<u64>().ok());
    let own = client.positive_seconds(own_attributes::GRACE_PERIOD).and_then(|n| u64::try_from(n).ok());
    let configured = own.or_else(of_realm).map_or(GRACE, Duration::from_secs);
    configured.min(access_token_lifespan(realm, client) / 4)
}

/// The highest number of chains that a client may have in one session.
pub fn max_chains(realm: &RealmSettings, client: &Client) -> i64 {
    let of_realm = || realm.attributes.get(own_attributes::MAX_CHAINS).and_then(|v| v.trim().parse().ok());
    client.positive_seconds(own_attributes::MAX_CHAINS).or_else(of_realm).filter(|n| *n > 0).unwrap_or(MAX_CHAINS)
}

impl Rules {
    /// A rotation at or after this is within its grace; none where there is no grace.
    pub fn grace_from(&self, now: Timestamp) -> Option<Timestamp> {
        (!self.grace.is_zero()).then(|| now - self.grace)
    }

    /// A late retry before this is forgotten; none where there are no late retries, or any number.
    pub fn late_before(&self, now: Timestamp) -> Option<Timestamp> {
        (self.late == Late::OnceADay).then(|| now - LATE_EVERY)
    }

    /// How many late retries of one generation are answered to a client that has proven itself; 0 to others.
    pub fn late_limit(&self) -> i32 {
        if self.late == Late::Always { MAX_LATE.max(self.max_reuse) } else { 0 }
    }

    /// What would become of a token if it were presented now: as the statement decides, for those who only look.
    pub fn standing(&self, token: (&TokenId, i64), chain: &ChainState, now: Timestamp) -> Outcome {
        let (id, generation) = token;
        if chain.current.as_ref().is_none_or(|current| current == id) && chain.generation == generation {
            return Outcome::Rotated;
        }
        if generation > chain.generation {
            return Outcome::Ahead;
        }
        let answered_at = chain.late_replay_at.map_or(chain.rotated_at, |at| at.max(chain.rotated_at));
        let in_grace = self.grace_from(now).is_some_and(|from| answered_at >= from);
        if chain.previous.as_ref() != Some(id) {
            let is_two_behind = generation + 1 < chain.generation;
            return if in_grace && is_two_behind { Outcome::Stale } else { Outcome::Older };
        }
        let late = self.late_before(now).is_some_and(|before| chain.late_replay_at.is_none_or(|at| at < before));
        match () {
            () if in_grace || chain.replays < self.max_reuse.max(self.late_limit()) || late => Outcome::Replayed,
            () if self.late_limit() > 0 => Outcome::Throttled,
            () => Outcome::Reuse,
        }
    }
}

/// What the row said of the presented token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The current token: the row moved to its successor.
    Rotated,
    /// The token used last, within what is allowed: answered with the same successor again.
    Replayed,
    /// The token is ahead of the row: commits were lost in a failover. Accepted, with an alarm.
    Ahead,
    /// A token of before the one used last, within the grace: a client that was fast. Refused, and nothing is revoked.
    Stale,
    /// The token used last, late and over and over: the client is to slow down.
    Throttled,
    /// The token used last, once too often.
    Reuse,
    /// A token that was superseded before.
    Older,
    /// Rotation is off: the use is noted and nothing moves.
    Used,
}

impl Outcome {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "rotated" => Some(Self::Rotated),
            "replayed" => Some(Self::Replayed),
            "ahead" => Some(Self::Ahead),
            "stale" => Some(Self::Stale),
            "throttled" => Some(Self::Throttled),
            "reuse" => Some(Self::Reuse),
            "older" => Some(Self::Older),
            "used" => Some(Self::Used),
            _ => None,
        }
    }

    /// The words for the client if the token is not accepted; none if it is.
    pub fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Reuse => Some("Maximum allowed refresh token reuse exceeded"),
            Self::Older | Self::Stale => Some("Stale token"),
            Self::Throttled => Some("Too many retries with one refresh token"),
            Self::Rotated | Self::Replayed | Self::Ahead | Self::Used => None,
        }
    }

    /// Whether somebody has a token that they should not have: the client's part of the session ends.
    pub fn is_reuse(self) -> bool {
        matches!(self, Self::Reuse | Self::Older)
    }
}

/// The span to which the last refresh is rounded for the sweeper's index: about a day of thirty. The longer it is, the fewer
/// refreshes touch the index; the shorter, the sooner the sweeper comes by, as it looks for buckets that have lapsed to their end.
pub fn bucket_span(idle: Duration) -> Duration {
    (idle / 32).max(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClientId, ClientSettings, ClientUuid};
    use serde_json::{Map, json};

    fn realm(revoke: bool, rotation: Option<&str>) -> RealmSettings {
        let mut document = Map::new();
        document.insert("revokeRefreshToken".to_owned(), json!(revoke));
        document.insert("refreshTokenMaxReuse".to_owned(), json!(2));
        let attributes: Map<_, _> = rotation.map(|r| (own_attributes::ROTATION.to_owned(), json!(r))).into_iter().collect();
        document.insert("attributes".to_owned(), json!(attributes));
        RealmSettings::of(&document)
    }

    fn client(public: bool, attributes: &[(&str, &str)]) -> Client {
        let attributes = attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Client {
            uuid: ClientUuid::new("c"),
            client_id: ClientId::new("c"),
            enabled: true,
            not_before: 0,
            secret: None,
            settings: ClientSettings { public_client: public, attributes, ..ClientSettings::default() },
            mappers: Vec::new(),
            default_scopes: Vec::new(),
            optional_scopes: Vec::new(),
            scope_mappings: Vec::new(),
            registration_token: None,
        }
    }

    fn rules(mode: RotationMode) -> Rules {
        match mode {
            RotationMode::On(rules) => rules,
            RotationMode::Off => panic!("rotation is off"),
        }
    }

    #[test]
    fn keycloaks_switch_turns_rotation_on_and_a_client_may_have_its_own_mode() {
        let plain = client(true, &[]);
        assert_eq!(RotationMode::of(&realm(false, Some("graceful")), &plain), RotationMode::Off);
        let strict = Rules { max_reuse: 2, grace: Duration::ZERO, late: Late::Never };
        assert_eq!(RotationMode::of(&realm(true, None), &plain), RotationMode::On(strict));
        let own = client(true, &[(own_attributes::ROTATION, "gentle")]);
        assert_eq!(RotationMode::of(&realm(false, None), &own), RotationMode::Off, "what means nothing counts as nothing");
        let own = client(true, &[(own_attributes::ROTATION, "off ")]);
        assert_eq!(RotationMode::of(&realm(true, None), &own), RotationMode::Off);
        let own = client(false, &[(own_attributes::ROTATION, "graceful")]);
        assert_eq!(rules(RotationMode::of(&realm(false, None), &own)).late, Late::Always);
        assert_eq!(rules(RotationMode::of(&realm(true, Some("graceful")), &plain)).late, Late::OnceADay);
    }

    #[test]
    fn the_grace_is_at_most_a_quarter_of_the_access_tokens_lifespan() {
        let of = |attributes| rules(RotationMode::of(&realm(true, Some("graceful")), &client(true, attributes))).grace.as_secs();
        assert_eq!(of(&[]), 30);
        assert_eq!(of(&[("access.token.lifespan", "60")]), 15);
        assert_eq!(of(&[(own_attributes::GRACE_PERIOD, "45")]), 45);
        assert_eq!(of(&[(own_attributes::GRACE_PERIOD, "3600")]), 75);
    }

    #[test]
    fn only_a_client_that_proves_itself_retries_late_as_it_likes_and_a_public_one_once_a_day() {
        let now = Timestamp::from_unix_seconds(1_000_000);
        let (older, used, current) = (TokenId::new("0"), TokenId::new("1"), TokenId::new("2"));
        let mut chain = ChainState {
            generation: 2,
            current: Some(current.clone()),
            previous: Some(used.clone()),
            rotated_at: now - Duration::from_secs(3600),
            replays: 0,
            late_replay_at: None,
        };
        let strict = Rules { max_reuse: 0, grace: Duration::ZERO, late: Late::Never };
        let public = Rules { grace: GRACE, late: Late::OnceADay, ..strict };
        let bound = Rules { late: Late::Always, ..public };
        let of = |chain: &ChainState, id: &TokenId, generation| {
            [strict, public, bound].map(|rules| rules.standing((id, generation), chain, now))
        };
        assert_eq!(of(&chain, &current, 2), [Outcome::Rotated; 3]);
        assert_eq!(of(&chain, &TokenId::new("3"), 3), [Outcome::Ahead; 3]);
        assert_eq!(of(&chain, &older, 0), [Outcome::Older; 3]);
        assert_eq!(of(&chain, &used, 1), [Outcome::Reuse, Outcome::Replayed, Outcome::Replayed]);
        chain.late_replay_at = Some(now - Duration::from_secs(60));
        chain.replays = 1;
        assert_eq!(of(&chain, &used, 1), [Outcome::Reuse, Outcome::Reuse, Outcome::Replayed]);
        chain.replays = MAX_LATE;
        assert_eq!(of(&chain, &used, 1), [Outcome::Reuse, Outcome::Reuse, Outcome::Throttled]);
        chain.rotated_at = now - GRACE;
        assert_eq!(of(&chain, &used, 1), [Outcome::Reuse, Outcome::Replayed, Outcome::Replayed]);
        assert_eq!(of(&chain, &older, 0), [Outcome::Older, Outcome::Stale, Outcome::Stale]);
        assert_eq!(of(&chain, &TokenId::new("another"), 1), [Outcome::Older; 3], "of the same generation as the one used last");
    }
}
