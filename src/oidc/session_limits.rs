//! When a session lapses: one formula for refresh, introspection, expiries in tokens, lists, counts and the sweeper.
//!
//! A session lapses when it is not used for its idle time, or at its maximum. A client's part has limits of its own, which may
//! be shorter than the session's; both must hold. With Offline Session Max Limited off, an offline session has no maximum.
//! Keycloak: SessionExpirationUtils.

use std::time::Duration;

use crate::base::Timestamp;
use crate::model::Client;
use crate::model::realm::{RealmSettings, seconds};
use crate::model::session::SessionKind;

const FALLBACK_SSO_IDLE: i64 = 1_800;
const FALLBACK_SSO_MAX: i64 = 36_000;
const FALLBACK_OFFLINE_IDLE: i64 = 2_592_000;
const FALLBACK_OFFLINE_MAX: i64 = 5_184_000;

/// How long a session, or a client's part of it, may live, and which settings say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub idle: Duration,
    pub max: Option<Duration>,
    pub idle_from: Source,
    pub max_from: Source,
}

/// The setting that a limit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Keycloak's name of it: a field of the realm, or an attribute of the client.
    pub setting: &'static str,
    pub owner: Owner,
}

/// Whose setting it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    Realm,
    Client,
    /// The realm's is not set, and Keycloak's fallback counts.
    Fallback,
}

impl Owner {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Realm => "realm",
            Self::Client => "client",
            Self::Fallback => "fallback",
        }
    }
}

/// When something ends, by which limit, and where that comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    pub at: Timestamp,
    pub by: Lapse,
    pub from: Source,
}

/// When a client's part in a session ends: by its own limits, or along with the session.
pub fn end_of(part: (Limits, Usage), session: (Limits, Usage)) -> End {
    let (part, session) = (part.0.end(part.1), session.0.end(session.1));
    if part.at <= session.at { part } else { session }
}

/// The two points in time that the limits are counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    pub started_at: Timestamp,
    pub last_used_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lapse {
    Idle,
    Max,
}

/// The points in time before which a start or a use counts as lapsed: the limits seen from `now`, as a statement needs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cutoffs {
    /// Last used at or before this: lapsed.
    pub idle: Timestamp,
    /// Started at or before this: lapsed.
    pub max: Timestamp,
}

impl Limits {
    fn of(idle: Setting, max: Option<Setting>) -> Self {
        let max_from = max.map_or(idle.from, |max| max.from);
        Self { idle: seconds(idle.seconds), max: max.map(|max| seconds(max.seconds)), idle_from: idle.from, max_from }
    }

    /// The instant from which the session is over, and which limit ends it.
    pub fn lapses_at(&self, usage: Usage) -> (Timestamp, Lapse) {
        let idle = usage.last_used_at + self.idle;
        match self.max.map(|max| usage.started_at + max) {
            Some(max) if max < idle => (max, Lapse::Max),
            _ => (idle, Lapse::Idle),
        }
    }

    /// The same with where the limit comes from.
    pub fn end(&self, usage: Usage) -> End {
        let (at, by) = self.lapses_at(usage);
        End { at, by, from: if by == Lapse::Max { self.max_from } else { self.idle_from } }
    }

    pub fn has_lapsed(&self, usage: Usage, now: Timestamp) -> bool {
        self.lapses_at(usage).0 <= now
    }

    pub fn cutoffs(&self, now: Timestamp) -> Cutoffs {
        Cutoffs { idle: now - self.idle, max: self.max.map_or(Timestamp::EARLIEST, |max| now - max) }
    }

    /// The end by the maximum alone: access tokens do not outlive it.
    pub fn max_end(&self, started_at: Timestamp) -> Option<Timestamp> {
        self.max.map(|max| started_at + max)
    }
}

/// The limits of a session.
pub fn of_session(realm: &RealmSettings, kind: SessionKind, remember_me: bool) -> Limits {
    let of_realm = |setting, number| Some(Setting { seconds: number, from: Source { setting, owner: Owner::Realm } });
    let fallback = |setting, seconds| Setting { seconds, from: Source { setting, owner: Owner::Fallback } };
    match kind {
        SessionKind::Online => {
            let longer = |plain: Setting, remembered: Option<Setting>| {
                remembered.filter(|r| remember_me && r.seconds > plain.seconds).unwrap_or(plain)
            };
            let idle = first_positive([of_realm("ssoSessionIdleTimeout", realm.sso_session_idle)])
                .unwrap_or(fallback("ssoSessionIdleTimeout", FALLBACK_SSO_IDLE));
            let max = first_positive([of_realm("ssoSessionMaxLifespan", realm.sso_session_max)])
                .unwrap_or(fallback("ssoSessionMaxLifespan", FALLBACK_SSO_MAX));
            let idle = longer(idle, of_realm("ssoSessionIdleTimeoutRememberMe", realm.sso_session_idle_remember_me));
            let max = longer(max, of_realm("ssoSessionMaxLifespanRememberMe", realm.sso_session_max_remember_me));
            Limits::of(idle, Some(max))
        }
        SessionKind::Offline => {
            let idle = first_positive([of_realm("offlineSessionIdleTimeout", realm.offline_session_idle)])
                .unwrap_or(fallback("offlineSessionIdleTimeout", FALLBACK_OFFLINE_IDLE));
            let max = first_positive([of_realm("offlineSessionMaxLifespan", realm.offline_session_max)])
                .unwrap_or(fallback("offlineSessionMaxLifespan", FALLBACK_OFFLINE_MAX));
            Limits::of(idle, realm.offline_session_max_limited.then_some(max))
        }
    }
}

/// The limits of a client's part: the client's own, else the realm's for clients, else the session's.
///
/// A client's own Offline Session Max counts also while the realm's is not limited.
pub fn of_client(realm: &RealmSettings, client: &Client, kind: SessionKind, remember_me: bool) -> Limits {
    let session = of_session(realm, kind, remember_me);
    let own = |setting| {
        let from = Source { setting, owner: Owner::Client };
        client.positive_seconds(setting).map(|seconds| Setting { seconds, from })
    };
    let of_realm = |setting, number| Some(Setting { seconds: number, from: Source { setting, owner: Owner::Realm } });
    let (own_idle, own_max, realm_idle, realm_max) = match kind {
        SessionKind::Online => (
            own("client.session.idle.timeout"),
            own("client.session.max.lifespan"),
            of_realm("clientSessionIdleTimeout", realm.client_session_idle),
            of_realm("clientSessionMaxLifespan", realm.client_session_max),
        ),
        SessionKind::Offline => (
            own("client.offline.session.idle.timeout"),
            own("client.offline.session.max.lifespan"),
            of_realm("clientOfflineSessionIdleTimeout", realm.client_offline_session_idle),
            of_realm("clientOfflineSessionMaxLifespan", realm.client_offline_session_max),
        ),
    };
    let limited = session.max.is_some();
    let idle = first_positive([own_idle, realm_idle]);
    let max = first_positive([own_max, realm_max.filter(|_| limited)]);
    Limits {
        idle: idle.map_or(session.idle, |idle| seconds(idle.seconds)),
        idle_from: idle.map_or(session.idle_from, |idle| idle.from),
        max: max.map(|max| seconds(max.seconds)).or(session.max),
        max_from: max.map_or(session.max_from, |max| max.from),
    }
}

/// What a user is promised who grants a client a session of its own: of the session's limits and the client's the shorter ones.
pub fn of_grant(realm: &RealmSettings, client: &Client, kind: SessionKind) -> Limits {
    let (session, part) = (of_session(realm, kind, false), of_client(realm, client, kind, false));
    let idle = if part.idle <= session.idle { part } else { session };
    let max = match (part.max, session.max) {
        (Some(of_part), Some(of_session)) if of_session < of_part => session,
        (None, Some(_)) => session,
        _ => part,
    };
    Limits { idle: idle.idle, idle_from: idle.idle_from, max: max.max, max_from: max.max_from }
}

/// The idle time after which a session, or the client's part of it, may be over: how exact the sweeper's index has to be.
pub fn shortest_idle(realm: &RealmSettings, client: &Client, kind: SessionKind) -> Duration {
    of_client(realm, client, kind, false).idle.min(of_session(realm, kind, false).idle)
}

/// For how long an access token of a client is good; while −1 is set, the span of the longest session.
pub fn access_token_lifespan(realm: &RealmSettings, client: &Client) -> Duration {
    match lifespan_setting(realm, client) {
        -1 => seconds(positive(realm.sso_session_max, FALLBACK_SSO_MAX)),
        lifespan => seconds(lifespan),
    }
}

fn lifespan_setting(realm: &RealmSettings, client: &Client) -> i64 {
    let own = client.attribute("access.token.lifespan").and_then(|v| v.trim().parse::<i64>().ok());
    own.filter(|own| *own == -1 || *own > 0).unwrap_or(realm.access_token_lifespan)
}

/// When the access token that is issued now expires (seconds since 1970): its lifespan, and never beyond the maximum.
pub fn access_token_expiry(realm: &RealmSettings, client: &Client, session: Option<SessionEnds>, now: Timestamp) -> i64 {
    let lifespan = lifespan_setting(realm, client);
    let until_session_end = || now.unix_seconds() + positive(realm.sso_session_max, FALLBACK_SSO_MAX);
    match session {
        None if lifespan == -1 => until_session_end(),
        None => now.unix_seconds() + lifespan,
        Some(ends) => {
            // An offline session outlives SSO Session Max: the span counts anew then, and no token is born dead.
            let session_end = Some(ends.sso_max.unix_seconds()).filter(|end| *end > now.unix_seconds());
            let by_lifespan =
                if lifespan == -1 { session_end.unwrap_or_else(until_session_end) } else { now.unix_seconds() + lifespan };
            ends.client_max.map_or(by_lifespan, |max| by_lifespan.min(max.unix_seconds()))
        }
    }
}

/// The ends of a session that an access token has to respect.
#[derive(Clone, Copy, Debug)]
pub struct SessionEnds {
    /// Start of the session and SSO Session Max, for tokens that live as long as the session.
    pub sso_max: Timestamp,
    /// The earlier of the session's and the client's maximum, if there is one.
    pub client_max: Option<Timestamp>,
}

impl SessionEnds {
    pub fn of(realm: &RealmSettings, client: &Client, kind: SessionKind, remember_me: bool, starts: Starts) -> Self {
        let online = of_session(realm, SessionKind::Online, remember_me);
        let of_session = of_session(realm, kind, remember_me).max_end(starts.session);
        let of_client = of_client(realm, client, kind, remember_me).max_end(starts.client);
        Self {
            sso_max: online.max_end(starts.session).unwrap_or(starts.session),
            client_max: [of_session, of_client].into_iter().flatten().min(),
        }
    }
}

/// When the session began, and when the client's part of it did.
#[derive(Clone, Copy, Debug)]
pub struct Starts {
    pub session: Timestamp,
    pub client: Timestamp,
}

/// When the refresh token that is issued now expires: none for an offline token while Offline Session Max is not limited.
pub fn refresh_token_expiry(
    realm: &RealmSettings,
    client: &Client,
    kind: SessionKind,
    remember_me: bool,
    starts: Starts,
    now: Timestamp,
) -> Option<i64> {
    if kind == SessionKind::Offline && !realm.offline_session_max_limited {
        return None;
    }
    let part = of_client(realm, client, kind, remember_me);
    let session_max = of_session(realm, kind, remember_me).max_end(starts.session);
    let ends = [Some(now + part.idle), part.max_end(starts.client), session_max];
    ends.into_iter().flatten().min().map(Timestamp::unix_seconds)
}

/// Until when a refresh token that is issued now works if nobody uses it, in seconds since 1970.
pub fn works_unused_until(
    realm: &RealmSettings,
    client: &Client,
    kind: SessionKind,
    remember_me: bool,
    starts: Starts,
    now: Timestamp,
) -> i64 {
    let used_at = |started_at| Usage { started_at, last_used_at: now };
    let part = of_client(realm, client, kind, remember_me).lapses_at(used_at(starts.client)).0;
    let session = of_session(realm, kind, remember_me).lapses_at(used_at(starts.session)).0;
    part.min(session).unix_seconds()
}

fn positive(number: i64, fallback: i64) -> i64 {
    if number > 0 { number } else { fallback }
}

/// A number of seconds, and where it comes from.
#[derive(Clone, Copy, Debug)]
struct Setting {
    seconds: i64,
    from: Source,
}

fn first_positive<const N: usize>(settings: [Option<Setting>; N]) -> Option<Setting> {
    settings.into_iter().flatten().find(|setting| setting.seconds > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_seconds(second)
    }

    fn limits(idle: u64, max: Option<u64>) -> Limits {
        let from = Source { setting: "offlineSessionIdleTimeout", owner: Owner::Realm };
        Limits { idle: Duration::from_secs(idle), max: max.map(Duration::from_secs), idle_from: from, max_from: from }
    }

    #[test]
    fn a_session_is_over_at_the_very_instant_its_idle_time_is() {
        let usage = Usage { started_at: at(0), last_used_at: at(100) };
        assert!(!limits(50, None).has_lapsed(usage, Timestamp::from_unix_micros(149_999_999)));
        assert!(limits(50, None).has_lapsed(usage, at(150)));
    }

    #[test]
    fn a_limit_says_where_it_comes_from() {
        let mut realm = RealmSettings::of(&serde_json::Map::new());
        let offline = |realm: &RealmSettings| of_session(realm, SessionKind::Offline, false);
        assert_eq!(offline(&realm).idle_from, Source { setting: "offlineSessionIdleTimeout", owner: Owner::Realm });
        realm.offline_session_idle = 0;
        assert_eq!(offline(&realm).idle_from.owner, Owner::Fallback);
        realm.sso_session_idle_remember_me = 999_999;
        let remembered = of_session(&realm, SessionKind::Online, true);
        assert_eq!(remembered.idle_from.setting, "ssoSessionIdleTimeoutRememberMe");
        assert_eq!(of_session(&realm, SessionKind::Online, false).idle_from.setting, "ssoSessionIdleTimeout");
    }

    #[test]
    fn the_earlier_limit_ends_it() {
        let usage = Usage { started_at: at(0), last_used_at: at(100) };
        assert_eq!(limits(50, Some(120)).lapses_at(usage), (at(120), Lapse::Max));
        assert_eq!(limits(50, Some(500)).lapses_at(usage), (at(150), Lapse::Idle));
    }

    proptest! {
        #[test]
        fn cut_offs_and_the_formula_say_the_same(
            started in 0_i64..10_000, used in 0_i64..10_000, now in 0_i64..40_000, idle in 1_u64..20_000, max in proptest::option::of(1_u64..20_000),
        ) {
            let usage = Usage { started_at: at(started), last_used_at: at(used) };
            let limits = limits(idle, max);
            let cut = limits.cutoffs(at(now));
            let by_cutoffs = usage.last_used_at <= cut.idle || usage.started_at <= cut.max;
            prop_assert_eq!(by_cutoffs, limits.has_lapsed(usage, at(now)));
        }

        #[test]
        fn lapsing_is_for_ever_and_a_use_never_moves_the_maximum(
            used in 0_i64..10_000, later in 0_i64..10_000, now in 0_i64..40_000, idle in 1_u64..20_000, max in 1_u64..20_000,
        ) {
            let usage = Usage { started_at: at(0), last_used_at: at(used) };
            let limits = limits(idle, Some(max));
            if limits.has_lapsed(usage, at(now)) {
                prop_assert!(limits.has_lapsed(usage, at(now + 1)));
            }
            let used_again = Usage { last_used_at: at(used + later), ..usage };
            prop_assert!(limits.lapses_at(used_again).0 >= limits.lapses_at(usage).0);
            prop_assert!(limits.lapses_at(used_again).0 <= at(i64::try_from(max).unwrap()));
        }

        #[test]
        fn raising_a_limit_never_lapses_a_live_session(used in 0_i64..10_000, now in 0_i64..40_000, idle in 1_u64..20_000, more in 0_u64..9_000) {
            let usage = Usage { started_at: at(0), last_used_at: at(used) };
            if !limits(idle, None).has_lapsed(usage, at(now)) {
                prop_assert!(!limits(idle + more, None).has_lapsed(usage, at(now)));
            }
        }
    }
}
