//! The reference: what a server answers, said without one.

use proptest::prelude::*;

pub(super) const IDLE: i64 = 2_592_000;
pub(super) const GRACE: i64 = 30;

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Grant,
    /// A client presents the token that it holds, or one of so many before. A lost answer leaves it with what it held.
    Refresh {
        grant: u8,
        back: u8,
        answer_is_lost: bool,
    },
    Logout(u8),
    Revoke(u8),
    EndByAdministrator(u8),
    EnableUser(bool),
    AssignScope(bool),
    RevokeOlderTokens,
    Wait(u32),
    Sweep,
    Restart,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let refresh = (any::<u8>(), prop_oneof![6 => Just(0_u8), 3 => Just(1), 1 => 2_u8..5], proptest::bool::weighted(0.2));
    prop_oneof![
        8 => Just(Step::Grant),
        100 => refresh.prop_map(|(grant, back, answer_is_lost)| Step::Refresh { grant, back, answer_is_lost }),
        2 => any::<u8>().prop_map(Step::Logout),
        2 => any::<u8>().prop_map(Step::Revoke),
        2 => any::<u8>().prop_map(Step::EndByAdministrator),
        2 => any::<bool>().prop_map(Step::EnableUser),
        2 => any::<bool>().prop_map(Step::AssignScope),
        1 => Just(Step::RevokeOlderTokens),
        30 => prop_oneof![Just(1_u32), Just(29), Just(31), Just(3_600), Just(90_000), Just(1_300_000)].prop_map(Step::Wait),
        3 => Just(Step::Sweep),
        1 => Just(Step::Restart),
    ]
}

/// How the realm rotates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mode {
    Off,
    Strict { max_reuse: u32 },
    Graceful { bound: bool },
}

impl Mode {
    pub(super) fn grace(self) -> Option<i64> {
        matches!(self, Self::Graceful { .. }).then_some(GRACE)
    }
}

/// One grant as the model sees it.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) session: String,
    /// By generation; while rotation is off, in the order they were given. With each its `iat`.
    pub(super) tokens: Vec<(String, i64)>,
    /// The token that the client holds.
    pub(super) held: usize,
    pub(super) rotated_at: i64,
    pub(super) late_at: Option<i64>,
    pub(super) replays: u32,
    /// The last use, or the loss of the part.
    pub(super) used_at: i64,
    pub(super) has_part: bool,
    pub(super) is_there: bool,
}

/// What a refresh is answered.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expected {
    /// A token that nobody has seen.
    New,
    /// The successor that was given before.
    Again(usize),
    Refused(u16, &'static str),
}

pub(super) struct World {
    pub(super) mode: Mode,
    pub(super) grants: Vec<Grant>,
    pub(super) user_is_enabled: bool,
    pub(super) scope_is_assigned: bool,
    pub(super) not_before: i64,
}

impl World {
    /// In the order of the answers: session, user, part, scope, not-before, rotation.
    pub(super) fn refresh(&mut self, at: usize, token: usize, now: i64) -> Expected {
        let grant = &mut self.grants[at];
        if !grant.is_there || now >= grant.used_at + IDLE {
            return Expected::Refused(400, "Offline user session not found");
        }
        if !self.user_is_enabled {
            return Expected::Refused(400, "User disabled");
        }
        if !grant.has_part {
            return Expected::Refused(400, "Session doesn't have required client");
        }
        if !self.scope_is_assigned {
            return Expected::Refused(400, "Offline session invalid because offline access not granted anymore");
        }
        if grant.tokens[token].1 < self.not_before {
            return Expected::Refused(400, "Stale token");
        }
        grant.rotate(self.mode, token, now)
    }
}

impl Grant {
    fn rotate(&mut self, mode: Mode, token: usize, now: i64) -> Expected {
        let current = self.tokens.len() - 1;
        if mode == Mode::Off {
            self.used_at = now;
            return Expected::New;
        }
        if token == current {
            (self.rotated_at, self.replays, self.used_at) = (now, 0, now);
            return Expected::New;
        }
        let answered_at = self.late_at.map_or(self.rotated_at, |at| at.max(self.rotated_at));
        let in_grace = mode.grace().is_some_and(|grace| now - answered_at <= grace);
        if token + 1 < current {
            return if in_grace { Expected::Refused(400, "Stale token") } else { self.reuse(now, "Stale token") };
        }
        self.used_at = now;
        if in_grace {
            return Expected::Again(current);
        }
        let limit = match mode {
            Mode::Strict { max_reuse } => max_reuse,
            Mode::Graceful { bound: true } => 16,
            _ => 0,
        };
        if self.replays < limit {
            self.replays += 1;
            return Expected::Again(current);
        }
        match mode {
            Mode::Graceful { bound: true } => Expected::Refused(429, "Too many retries with one refresh token"),
            Mode::Graceful { bound: false } if self.late_at.is_none_or(|at| now - at > 86_400) => {
                (self.late_at, self.replays) = (Some(now), self.replays + 1);
                Expected::Again(current)
            }
            _ => self.reuse(now, "Maximum allowed refresh token reuse exceeded"),
        }
    }

    /// The client's part goes; the session stays, empty.
    fn reuse(&mut self, now: i64, text: &'static str) -> Expected {
        (self.has_part, self.used_at) = (false, now);
        Expected::Refused(400, text)
    }
}
