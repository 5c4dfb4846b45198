//! A password that somebody chooses: held against the realm's policy, hashed, and put in the place of the one before.

use super::context::Cx;
use super::password::{Check, MAX_PASSWORD_BYTES, Passwords};
use crate::base::{Secret, Timestamp};
use crate::model::credential::{Credential, PASSWORD, PASSWORD_HISTORY};
use crate::model::{CredentialId, UserId};
use crate::oidc::password_policy::{PasswordPolicy, Violation};
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

/// Looks at the password and hashes it. This takes long: it comes before the transaction.
pub async fn accept(cx: &Cx, owner: Owner<'_>, password: &Secret) -> Result<Result<Accepted, Refused>, StoreError> {
    let text = password.expose();
    if text.trim().is_empty() {
        return Ok(Err(Refused::Empty));
    }
    if text.len() > MAX_PASSWORD_BYTES {
        return Ok(Err(Refused::TooLong));
    }
    let policy = &cx.realm.password_policy.policy;
    // A policy that cannot be read is not one without rules.
    if let Some(problem) = &cx.realm.password_policy.problem {
        return Err(StoreError::Inconsistent(format!("the password policy: {problem}")));
    }
    if let Some(violation) = policy.check(text, owner.username, owner.email) {
        return Ok(Err(Refused::Policy(violation)));
    }
    if let Some(refused) = forbidden(&cx.server.passwords, policy, password).await? {
        return Ok(Err(refused));
    }
    if let Some(id) = owner.id
        && let Some(refused) = used_before(cx, policy, id, password).await?
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

/// Whether the policy's list has the password.
pub async fn forbidden(passwords: &Passwords, policy: &PasswordPolicy, password: &Secret) -> Result<Option<Refused>, StoreError> {
    let Some(name) = &policy.forbidden_list else { return Ok(None) };
    let missing = |why: String| StoreError::Inconsistent(format!("the list of forbidden passwords {name}: {why}"));
    let list = passwords.list(name).ok_or_else(|| missing("not found".to_owned()))?;
    Ok(match passwords.is_listed(list, password).await {
        None => Some(Refused::Busy),
        Some(Ok(is_listed)) => is_listed.then(|| Refused::Policy(Violation::of_list())),
        Some(Err(error)) => return Err(missing(error.to_string())),
    })
}

/// Whether the user's password was chosen after this moment.
pub async fn is_newer_than(cx: &Cx, user: &UserId, moment: Timestamp) -> Result<bool, StoreError> {
    let held = store::credential::list_credentials(&mut cx.store().db().await?, &cx.snapshot().realm.id, user).await?;
    Ok(held.iter().any(|credential| credential.kind == PASSWORD && credential.created_at > moment))
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

/// Puts the password, in the transaction of the change that it belongs to. The one before becomes history, if any is kept.
pub async fn put(cx: &Cx, db: &mut Db<'_>, user: &UserId, accepted: &Accepted) -> Result<(), StoreError> {
    let (realm, kept) = (&cx.snapshot().realm.id, accepted.kept);
    if kept.count > 0 || kept.since.is_some() {
        let held = store::credential::list_credentials(db, realm, user).await?;
        if let Some(before) = held.into_iter().find(|credential| credential.kind == PASSWORD) {
            let id = CredentialId::new(cx.entropy().uuid());
            let before = Credential { id, kind: PASSWORD_HISTORY.to_owned(), ..before };
            store::credential::insert_credential(db, realm, user, &before).await?;
        }
    }
    store::credential::put_password(db, realm, user, &accepted.credential).await?;
    store::credential::trim_history(db, realm, user, kept).await
}
