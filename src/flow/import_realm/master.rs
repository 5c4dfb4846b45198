//! What the master realm gets of a realm that is made: its client, the roles over it, and who holds them.

use std::collections::HashMap;

use serde_json::json;

use super::writer::{Creator, ImportError, Writer};
use crate::flow::admin_event::{Change, note};
use crate::flow::new_realm;
use crate::model::admin_event::ResourceType;
use crate::model::{ClientId, ClientUuid, Role, RoleId};
use crate::oidc::admin_roles::{ADMIN, master_client};
use crate::store::client::ClientRow;
use crate::store::{self, Db};

impl Writer<'_> {
    /// The realm's client in the master realm, whose roles administer it, and their place in the role `admin`.
    pub(super) async fn roles_in_master(&self, db: &mut Db<'_>, creator: Option<&Creator<'_>>) -> Result<(), ImportError> {
        let Some((master, _)) = store::realm::find_version(db, "master").await? else { return Ok(()) };
        store::realm::touch(db, &master).await?;
        let client = new_realm::realm_client(&self.import.name);
        let uuid = ClientUuid::new(self.new_id());
        let row = ClientRow {
            uuid: &uuid,
            client_id: &ClientId::new(master_client(&self.import.name)),
            enabled: true,
            not_before: 0,
            secret: None,
            settings: &client.settings,
        };
        store::client::insert_client(db, &master, &row, self.now).await?;
        let mut ids = HashMap::new();
        let roles = new_realm::admin_roles(&client.client_id);
        for role in &roles {
            let id = RoleId::new(self.new_id());
            let row = Role {
                id: id.clone(),
                client: Some(uuid.clone()),
                name: role.role.name.clone(),
                description: role.description.clone(),
                attributes: role.attributes.clone(),
                children: Vec::new(),
            };
            store::role::insert_role(db, &master, &row).await?;
            ids.insert(role.role.name.clone(), id);
        }
        for role in &roles {
            for child in role.composites.iter().filter_map(|c| ids.get(&c.name)) {
                store::role::insert_composite(db, &master, &ids[&role.role.name], child).await?;
            }
        }
        let admin = self.server.realms.get(&self.server.store, "master").await?;
        let admin = admin.and_then(|m| m.snapshot.realm_role(ADMIN).map(|r| r.id.clone()));
        for id in ids.values() {
            if let Some(admin) = &admin {
                store::role::insert_composite(db, &master, admin, id).await?;
            }
            if let Some(user) = creator.and_then(|c| c.gets_roles) {
                store::user::insert_role(db, &master, user, id).await?;
            }
        }
        let Some(creator) = creator else { return Ok(()) };
        if let Some(user) = creator.gets_roles {
            store::user::touch(db, &master, user).await?;
        }
        let shown = json!({"id": self.realm, "realm": self.import.name, "enabled": self.import.enabled});
        Ok(note(creator.cx, db, Change::add(ResourceType::Realm).showing(shown)).await?)
    }
}
