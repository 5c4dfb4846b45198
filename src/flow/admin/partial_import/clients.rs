//! Clients of a file. One that is overwritten keeps its id, its roles, what it has in its scope, and its secrets where the file has
//! none or masked ones.

use super::{Action, Adding, explain};
use crate::flow::admin::{Refusal, client};
use crate::flow::masking::MASK;
use crate::model::client::is_secret_attribute;
use crate::model::realm_import::ClientImport;
use crate::model::{Client, ClientId};
use crate::store::Db;

impl Adding<'_> {
    pub(super) async fn client(&mut self, db: &mut Db<'_>, given: &ClientImport) -> Result<(), Refusal> {
        const KIND: &str = "CLIENT";
        let (cx, name) = (self.cx, given.client_id.as_str());
        let mut new = given.clone();
        new.secret = new.secret.filter(|secret| secret.expose() != MASK);
        if let Some(before) = cx.snapshot().client(name) {
            let text = format!("Client id '{name}' already exists");
            if self.overwrites(KIND, name, before.uuid.as_str(), text)? {
                client::check_new(cx, &new)?;
                client::refuse_built_in(before)?;
                self.overwrite(db, before, &new).await?;
                self.told(Action::Overwritten, KIND, name, before.uuid.as_str());
            }
            return Ok(());
        }
        client::check_new(cx, &new)?;
        client::fill_in_secret(&mut new, cx.entropy(), cx.now);
        self.writer.client(db, &mut self.names, &new).await.map_err(explain)?;
        let uuid = self.names.clients.get(name).cloned().ok_or(Refusal::NotFound("Could not find client"))?;
        if new.settings.service_accounts_enabled && !self.writer.brings_account(name) {
            client::open_account(cx, db, name, &uuid).await?;
        }
        self.told(Action::Added, KIND, name, uuid.as_str());
        Ok(())
    }

    async fn overwrite(&self, db: &mut Db<'_>, before: &Client, new: &ClientImport) -> Result<(), Refusal> {
        let mut settings = new.settings.clone();
        for (name, secret) in before.settings.attributes.iter().filter(|(name, _)| is_secret_attribute(name)) {
            settings.attributes.entry(name.clone()).or_insert_with(|| secret.clone());
        }
        let after = Client {
            client_id: ClientId::new(new.client_id.as_str()),
            enabled: new.enabled,
            // What has been revoked stays revoked.
            not_before: before.not_before.max(new.not_before),
            secret: new.secret.clone().or_else(|| before.secret.clone()),
            settings,
            ..before.clone()
        };
        client::update_in(self.cx, db, before, &after).await?;
        client::replace_parts(self.cx, db, before, new).await
    }
}
