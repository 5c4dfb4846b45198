//! A password that somebody chooses: held against the realm's policy, hashed, and put in the place of the one before.

use super::context::Cx;
use super::password::{Check, MAX_PASSWORD_BYTES};
use crate::base::Secret;
use crate::model::credential::{Credential, PASSWORD, PASSWORD_HISTORY};
use crate::model::{CredentialId, UserId};
use crate::oidc::password_policy::{self, PasswordPolicy, Violation};
use crate::store::credential::KeptHistory;
use crate::store::{self, Db, StoreError};

/// Whose password it will be.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// None for a user who is being made.
    pub id: Option<&'a UserId>,
    pub username: &'a str,
    pub email: Option<&'a str>,
}

/// Why a password was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    Empty,
    TooLong,
    Policy(Violation),
    /// Too many passwords are being hashed.
    Busy,
}

/// A password that may be put.
#[derive(Clone, Debug)]
pub struct Accepted {
    credential: Credential,
    kept: KeptHistory,
}

/// The realm's policy. It was read when it was written: one that cannot be read now is trouble, and not a policy without rules.
pub fn policy(cx: &Cx) -> Result<PasswordPolicy, StoreError> {
    let text = cx.settings().password_policy.as_deref().unwrap_or_default();
    password_policy::parse(text).map_err(|problem| StoreError::Inconsistent(format!("a password policy: {problem}")))
}

/// Looks at the password and hashes it. This takes long: it comes before the transaction.
pub async fn accept(cx: &Cx, owner: Owner<'_>, password: &Secret) -> Result<Result<Accepted, Refused>, StoreError> {
    let text = password.expose();
    if text.trim().is_empty() {
        return Ok(Err(Refused::Empty));
    }
    if text.len() > MAX_PASSWORD_BYTES {
        return Ok(Err(Refused::TooLong));
    }
    let policy = policy(cx)?;
    if let Some(violation) = policy.check(text, owner.username, owner.email) {
        return Ok(Err(Refused::Policy(violation)));
    }
    if let Some(refused) = forbidden(cx, &policy, password).await? {
        return Ok(Err(refused));
    }
    if let Some(id) = owner.id
        && let Some(refused) = used_before(cx, &policy, id, password).await?
    {
        return Ok(Err(refused));
    }
    let Some(credential) = cx.server.passwords.hash(&policy.hash, cx.entropy(), password, cx.now).await else {
        return Ok(Err(Refused::Busy));
    };
    let count = i64::try_from(policy.history.saturating_sub(1)).unwrap_or(i64::MAX);
    let kept = KeptHistory { count, since: policy.history_age.map(|age| cx.now - age) };
    Ok(Ok(Accepted { credential, kept }))
}

async fn forbidden(cx: &Cx, policy: &PasswordPolicy, password: &Secret) -> Result<Option<Refused>, StoreError> {
    let Some(name) = &policy.forbidden_list else { return Ok(None) };
    let missing = |why: String| StoreError::Inconsistent(format!("the list of forbidden passwords {name}: {why}"));
    let list = cx.server.passwords.list(name).ok_or_else(|| missing("not found".to_owned()))?;
    Ok(match cx.server.passwords.is_listed(list, password).await {
        None => Some(Refused::Busy),
        Some(Ok(is_listed)) => is_listed.then(|| Refused::Policy(Violation::of_list())),
        Some(Err(error)) => return Err(missing(error.to_string())),
    })
}

/// Compares with the present password and those of before that count.
async fn used_before(cx: &Cx, policy: &PasswordPolicy, user: &UserId, password: &Secret) -> Result<Option<Refused>, StoreError> {
    if policy.history == 0 && policy.history_age.is_none() {
        return Ok(None);
    }
    let realm = &cx.snapshot().realm.id;
    let mut held = store::credential::list_credentials(&mut cx.store().db().await?, realm, user).await?;
    held.retain(|credential| [PASSWORD, PASSWORD_HISTORY].contains(&credential.kind.as_str()));
    // The present one first, then from the newest to the oldest.
    held.sort_by_key(|credential| (credential.kind != PASSWORD, std::cmp::Reverse(credential.created_at)));
    for (at, credential) in held.iter().enumerate() {
        let by_count = at < policy.history;
        let is_young = |age| credential.kind == PASSWORD || credential.created_at > cx.now - age;
        if !by_count && !policy.history_age.is_some_and(is_young) {
            continue;
        }
        match cx.server.passwords.check(&policy.hash, password, Some(credential)).await {
            Check::Busy => return Ok(Some(Refused::Busy)),
            Check::Right | Check::RightButWeak => {
                let violation = if by_count { Violation::of_history(policy.history) } else { Violation::of_history_age() };
                return Ok(Some(Refused::Policy(violation)));
            }
            Check::Wrong => {}
        }
    }
    Ok(None)
}

/// Puts the password, in the transaction of the change that it belongs to.
pub async fn put(cx: &Cx, db: &mut Db<'_>, user: &UserId, accepted: &Accepted) -> Result<(), StoreError> {
    let moved_to = CredentialId::new(cx.entropy().uuid());
    let realm = &cx.snapshot().realm.id;
    store::credential::put_password(db, realm, user, &accepted.credential, &moved_to, accepted.kept).await
}
