//! Users of a file. One that is overwritten loses what it had, and keeps its id where the name is the same: an application that
//! knows users by their `sub` takes nobody for another.

use super::{Action, Adding, explain};
use crate::flow::admin::{Refusal, user};
use crate::model::credential::Credential;
use crate::model::realm_import::UserImport;
use crate::model::{User, UserId};
use crate::store::{self, Db};

impl Adding<'_> {
    pub(super) async fn user(&mut self, db: &mut Db<'_>, given: &UserImport, credentials: &[Credential]) -> Result<(), Refusal> {
        const KIND: &str = "USER";
        let (cx, realm) = (self.cx, self.writer.realm);
        let name = given.username.to_lowercase();
        if name.trim().is_empty() {
            return Err(Refusal::Invalid("User name is missing".to_owned()));
        }
        let email = given.email.as_deref().filter(|_| !cx.settings().duplicate_emails_allowed).map(str::to_lowercase);
        let mut new = given.clone();
        let mut action = Action::Added;
        if let Some(found) = store::user_list::find_same(db, realm, &name, email.as_deref()).await? {
            if !self.overwrites(KIND, &name, found.as_str(), format!("User with user name {name} already exists."))? {
                return Ok(());
            }
            let before = user::lock(cx, db, &found).await?.ok_or(Refusal::NotFound("User not found"))?;
            self.check_account(&before, given)?;
            store::user::delete_user(db, realm, &found).await?;
            if before.username == name {
                new.id = Some(found.clone());
            } else if new.id.as_ref() == Some(&found) {
                new.id = None;
            }
            action = Action::Overwritten;
        }
        if let Some(client) = new.service_account_of.as_deref().and_then(|client| self.names.clients.get(client))
            && store::user::find_service_account(db, realm, client).await?.is_some()
        {
            return Err(Refusal::Exists("The client has a service account already".to_owned()));
        }
        let id = new.id.clone().unwrap_or_else(|| UserId::new(self.writer.new_id()));
        new.id = Some(id.clone());
        self.check_giving(self.roles_named(&new.roles)?)?;
        for path in &new.groups {
            self.check_group(self.names.group(path).map_err(explain)?)?;
        }
        self.writer.user(db, &self.names, &new, credentials).await.map_err(explain)?;
        self.told(action, KIND, &name, id.as_str());
        Ok(())
    }

    /// A user that stands for a client is overwritten by nothing but the same.
    fn check_account(&self, before: &User, given: &UserImport) -> Result<(), Refusal> {
        let stands_for = given.service_account_of.as_deref().and_then(|client| self.names.clients.get(client));
        if before.service_account_of.as_ref() == stands_for {
            return Ok(());
        }
        Err(Refusal::Invalid(format!("User {} stands for a client, or the one of the file does", before.username)))
    }
}
