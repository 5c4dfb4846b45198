//! The passwords of a file, hashed before the transaction begins: that takes long.

use serde_json::Value;

use super::writer::ImportError;
use crate::base::{Secret, Timestamp};
use crate::flow::context::Server;
use crate::flow::new_password::{Refused, forbidden};
use crate::model::credential::Credential;
use crate::model::realm_import::{PasswordImport, RealmImport, UserImport};
use crate::oidc::password_policy::{self, PasswordPolicy, PolicyProblem};

/// Hashes the passwords that stand in the clear; the order is that of the users and their credentials.
pub(in crate::flow) async fn hash_passwords(
    server: &Server,
    import: &mut RealmImport,
    now: Timestamp,
) -> Result<Vec<Vec<Credential>>, ImportError> {
    let policy = import.document.get("passwordPolicy").and_then(Value::as_str).unwrap_or_default();
    let policy = password_policy::parse(policy).map_err(|problem| ImportError::Unknown(problem.to_string()))?;
    if policy.forbidden_list.as_deref().is_some_and(|list| server.passwords.list(list).is_none()) {
        return Err(ImportError::Unknown(PolicyProblem::no_list().to_string()));
    }
    if policy.text.is_empty() {
        import.document.remove("passwordPolicy");
    } else {
        import.document.insert("passwordPolicy".to_owned(), Value::from(policy.text.as_str()));
    }
    let mut all = Vec::with_capacity(import.users.len());
    for user in &mut import.users {
        let mut of_user = Vec::new();
        for password in std::mem::take(&mut user.passwords) {
            of_user.push(match password {
                PasswordImport::Stored(credential) => credential,
                PasswordImport::Clear(clear) => {
                    check(server, &policy, user, &clear).await?;
                    server.passwords.hash(&policy.hash, &server.entropy, &clear, now).await.ok_or(ImportError::Busy)?
                }
            });
        }
        all.push(of_user);
    }
    Ok(all)
}

/// The answer does not say whose password it is, nor what is wrong with it; the log does.
async fn check(server: &Server, policy: &PasswordPolicy, user: &UserImport, password: &Secret) -> Result<(), ImportError> {
    let broken = policy.check(password.expose(), &user.username, user.email.as_deref()).map(Refused::Policy);
    let refused = match broken {
        Some(broken) => Some(broken),
        None => forbidden(&server.passwords, policy, password).await?,
    };
    match refused {
        None => Ok(()),
        Some(Refused::Busy) => Err(ImportError::Busy),
        Some(refused) => {
            tracing::warn!(user.username, ?refused, "a password of the realm file does not meet the file's own policy");
            Err(ImportError::Unknown("Password policy not met. See logs for details".to_owned()))
        }
    }
}
