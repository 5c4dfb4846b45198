//! Passwords that an administrator gives to users.

use crate::base::Secret;
use crate::flow::context::Cx;
use crate::flow::new_password::{self, Accepted, Owner};
use crate::model::user::UPDATE_PASSWORD;
use crate::model::{User, UserId};
use crate::store::{self, StoreError};

#[derive(Clone, Debug)]
pub struct NewPassword {
    pub value: Option<Secret>,
    /// Has to be changed at the next sign-in.
    pub temporary: bool,
}

/// Why a password was not taken.
#[derive(Clone, Debug, PartialEq)]
pub enum PasswordRefusal {
    Missing,
    Refused(new_password::Refused),
}

/// Passwords for a user who is there; none for one who is not.
pub(super) async fn accept_of(
    cx: &Cx,
    id: &UserId,
    passwords: &[NewPassword],
) -> Result<Result<Vec<Accepted>, PasswordRefusal>, StoreError> {
    if passwords.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let user = store::user::find_user(&mut cx.store().db().await?, &cx.snapshot().realm.id, id).await?;
    let Some(user) = user else { return Ok(Ok(Vec::new())) };
    accept_all(cx, Owner { id: Some(id), username: &user.username, email: user.email.as_deref() }, passwords).await
}

pub(super) async fn accept_all(
    cx: &Cx,
    owner: Owner<'_>,
    passwords: &[NewPassword],
) -> Result<Result<Vec<Accepted>, PasswordRefusal>, StoreError> {
    let mut all = Vec::new();
    for password in passwords {
        let Some(value) = &password.value else { return Ok(Err(PasswordRefusal::Missing)) };
        match new_password::accept(cx, owner, value).await? {
            Ok(accepted) => all.push(accepted),
            Err(refused) => return Ok(Err(PasswordRefusal::Refused(refused))),
        }
    }
    Ok(Ok(all))
}

/// Who gets a temporary password is asked for another at the next sign-in.
pub(super) fn ask_for_change(user: &mut User, temporary: bool) {
    user.required_actions.retain(|a| a != UPDATE_PASSWORD);
    if temporary {
        user.required_actions.push(UPDATE_PASSWORD.to_owned());
    }
}
