//! Roles of a file. One that is overwritten keeps its id, so that who holds it still does.

use super::{Action, Adding, explain};
use crate::flow::admin::{Refusal, role};
use crate::model::realm_import::RoleImport;
use crate::model::{Role, RoleId};
use crate::store::{self, Db};

impl Adding<'_> {
    /// The roles first, then what they hold: they may name each other.
    pub(super) async fn roles(&mut self, db: &mut Db<'_>, roles: &[RoleImport]) -> Result<(), Refusal> {
        let mut written = Vec::new();
        for role in roles {
            if let Some(id) = self.role(db, role).await? {
                written.push((id, &role.composites));
            }
        }
        for (id, composites) in written {
            self.check_giving(self.roles_named(composites)?)?;
            for child in composites {
                let child = self.names.role(child).map_err(explain)?;
                store::role::insert_composite(db, self.writer.realm, &id, child).await?;
            }
        }
        Ok(())
    }

    /// The role's id, if it was written.
    async fn role(&mut self, db: &mut Db<'_>, given: &RoleImport) -> Result<Option<RoleId>, Refusal> {
        let name = given.role.name.as_str();
        let (kind, shown, text) = match &given.role.client {
            None => ("REALM_ROLE", name.to_owned(), format!("Realm role '{name}' already exists")),
            Some(client) => ("CLIENT_ROLE", format!("{client}-->{name}"), format!("Client role '{name}' already exists")),
        };
        let client = match &given.role.client {
            None => None,
            Some(id) => Some(self.names.clients.get(id).cloned().ok_or(Refusal::NotFound("Could not find client"))?),
        };
        let before = self.names.roles.get(&given.role).cloned();
        let id = before.clone().or_else(|| given.id.clone()).unwrap_or_else(|| RoleId::new(self.writer.new_id()));
        let row = Role {
            id: id.clone(),
            client,
            name: name.to_owned(),
            description: given.description.clone(),
            attributes: given.attributes.clone(),
            children: Vec::new(),
        };
        role::check(&row)?;
        if before.is_some() && !self.overwrites(kind, &shown, id.as_str(), text)? {
            return Ok(None);
        }
        role::refuse_administrative(self.cx, &row)?;
        self.once(id.as_str(), &shown)?;
        // What it held it holds no longer: those who have it lose that.
        self.check_giving([&id])?;
        let realm = self.writer.realm;
        if before.is_none() {
            store::role::insert_role(db, realm, &row).await?;
            self.names.roles.insert(given.role.clone(), id.clone());
            self.told(Action::Added, kind, &shown, id.as_str());
            return Ok(Some(id));
        }
        if !store::role::update_role(db, realm, &row).await? {
            return Err(role::NOT_FOUND);
        }
        for child in self.cx.snapshot().roles.get(&id).iter().flat_map(|role| &role.children) {
            store::role::delete_composite(db, realm, &id, child).await?;
        }
        self.told(Action::Overwritten, kind, &shown, id.as_str());
        Ok(Some(id))
    }
}
