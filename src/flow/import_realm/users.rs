//! The users of a realm that is made: with their passwords, roles, groups and consents, and those that stand for clients.

use super::writer::{ImportError, Names, Writer};
use crate::base::Timestamp;
use crate::flow::context::Server;
use crate::model::credential::Credential;
use crate::model::realm_import::UserImport;
use crate::model::{ClientScopeId, ClientUuid, RoleId, User, UserId};
use crate::store::consent::Given;
use crate::store::{self, Db};

impl Writer<'_> {
    /// Whether the file has the client's account: nothing is made for the client then.
    pub(in crate::flow) fn brings_account(&self, client_id: &str) -> bool {
        self.accounts.contains(client_id)
    }

    pub(in crate::flow) async fn user(
        &self,
        db: &mut Db<'_>,
        names: &Names,
        user: &UserImport,
        credentials: &[Credential],
    ) -> Result<(), ImportError> {
        let service_account_of = match &user.service_account_of {
            None => None,
            Some(client) => Some(
                names
                    .clients
                    .get(client)
                    .cloned()
                    .ok_or_else(|| ImportError::Unknown(format!("Unable to find client {client}")))?,
            ),
        };
        let row = User {
            id: user.id.clone().unwrap_or_else(|| UserId::new(self.new_id())),
            username: user.username.to_lowercase(),
            email: user.email.as_ref().map(|e| e.to_lowercase()),
            email_verified: user.email_verified,
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            enabled: user.enabled,
            not_before: user.not_before,
            version: 0,
            attributes: user.attributes.clone(),
            required_actions: user.required_actions.clone(),
            service_account_of,
            created_at: user.created_at.unwrap_or(self.now),
            roles: Vec::new(),
            groups: Vec::new(),
            consents: Vec::new(),
        };
        self.user_row(db, &row, &user.federated_identities).await?;
        for credential in credentials {
            store::credential::insert_credential(db, self.realm, &row.id, credential).await?;
        }
        for role in &user.roles {
            store::user::insert_role(db, self.realm, &row.id, names.role(role)?).await?;
        }
        for path in &user.groups {
            store::user::insert_membership(db, self.realm, &row.id, names.group(path)?).await?;
        }
        self.consents(db, names, &row.id, user).await
    }

    async fn user_row(&self, db: &mut Db<'_>, row: &User, federated: &serde_json::Value) -> Result<(), ImportError> {
        let duplicates = self.import.document.get("duplicateEmailsAllowed").and_then(serde_json::Value::as_bool);
        store::user::insert_user(db, self.realm, row, !duplicates.unwrap_or(false), federated).await?;
        Ok(())
    }

    async fn consents(&self, db: &mut Db<'_>, names: &Names, id: &UserId, user: &UserImport) -> Result<(), ImportError> {
        for consent in &user.consents {
            let client = names.clients.get(&consent.client);
            let unknown =
                || ImportError::Unknown(format!("Unable to find client consent mappings for client: {}", consent.client));
            let client = client.ok_or_else(unknown)?;
            let mut scopes: Vec<ClientScopeId> = Vec::new();
            for name in &consent.scopes {
                let scope = names.scopes.get(name);
                let unknown =
                    || ImportError::Unknown(format!("Unable to find client scope {name} in the consents of {}", user.username));
                scopes.push(scope.ok_or_else(unknown)?.0.clone());
            }
            let at = consent.updated_at.or(consent.created_at).unwrap_or(self.now);
            let given = Given { scopes: &scopes, client_itself: false };
            store::consent::grant(db, self.realm, id, client, given, at).await?;
        }
        Ok(())
    }

    /// The accounts of clients that act for themselves, where the file brings none.
    pub(in crate::flow) async fn service_accounts(
        &self,
        db: &mut Db<'_>,
        names: &Names,
        default_role: &RoleId,
    ) -> Result<(), ImportError> {
        for client in self.import.clients.iter().filter(|c| c.settings.service_accounts_enabled) {
            let brought = self.brings_account(&client.client_id);
            let Some(uuid) = names.clients.get(&client.client_id).filter(|_| !brought) else { continue };
            let account = service_account(self.server, &client.client_id, uuid, self.now);
            self.user_row(db, &account, &serde_json::json!([])).await?;
            store::user::insert_role(db, self.realm, &account.id, default_role).await?;
        }
        Ok(())
    }
}

/// The user that stands for a client.
pub fn service_account(server: &Server, client_id: &str, client: &ClientUuid, now: Timestamp) -> User {
    User {
        id: UserId::new(server.entropy.uuid()),
        username: format!("service-account-{}", client_id.to_lowercase()),
        email: None,
        email_verified: false,
        first_name: None,
        last_name: None,
        enabled: true,
        not_before: 0,
        version: 0,
        attributes: std::collections::BTreeMap::new(),
        required_actions: Vec::new(),
        service_account_of: Some(client.clone()),
        created_at: now,
        roles: Vec::new(),
        groups: Vec::new(),
        consents: Vec::new(),
    }
}
