//! Groups of a file, each with those below it. A group is known by its path; without one it is new.

use super::{Action, Adding, explain};
use crate::flow::admin::{Refusal, group};
use crate::model::realm_import::GroupImport;
use crate::model::{Group, GroupId};
use crate::store::{self, Db};

impl Adding<'_> {
    pub(super) async fn group(&mut self, db: &mut Db<'_>, given: &GroupImport, path: Option<&str>) -> Result<(), Refusal> {
        const KIND: &str = "GROUP";
        check(given)?;
        let Some(id) = path.and_then(|path| self.names.groups.get(path)).cloned() else {
            self.writer.group(db, &mut self.names, given, None, "").await.map_err(explain)?;
            let made = self.names.groups.get(&format!("/{}", given.name)).map(ToString::to_string).unwrap_or_default();
            self.told(Action::Added, KIND, &given.name, &made);
            return Ok(());
        };
        let path = path.unwrap_or_default();
        if self.overwrites(KIND, &given.name, id.as_str(), format!("Group '{path}' already exists"))? {
            self.overwrite_group(db, given, &id, path).await?;
            self.told(Action::Overwritten, KIND, &given.name, id.as_str());
        }
        Ok(())
    }

    /// The group, its roles and the groups below it become what the file says; members stay, and so do groups that it does not name.
    async fn overwrite_group(&mut self, db: &mut Db<'_>, given: &GroupImport, id: &GroupId, path: &str) -> Result<(), Refusal> {
        let (realm, before) = (self.writer.realm, self.cx.snapshot().groups.get(id));
        let row = Group {
            id: id.clone(),
            parent: before.and_then(|group| group.parent.clone()),
            name: given.name.clone(),
            description: given.description.clone(),
            attributes: given.attributes.clone(),
            roles: Vec::new(),
        };
        store::group::update_group(db, realm, &row).await?;
        for role in before.iter().flat_map(|group| &group.roles) {
            store::group::delete_role(db, realm, id, role).await?;
        }
        for role in &given.roles {
            store::group::insert_role(db, realm, id, self.names.role(role).map_err(explain)?).await?;
        }
        for child in &given.groups {
            let below = format!("{path}/{}", child.name);
            match self.names.groups.get(&below).cloned() {
                Some(known) => Box::pin(self.overwrite_group(db, child, &known, &below)).await?,
                None => self.writer.group(db, &mut self.names, child, Some(id), path).await.map_err(explain)?,
            }
        }
        Ok(())
    }
}

fn check(given: &GroupImport) -> Result<(), Refusal> {
    group::check(&given.name, given.description.as_deref(), &given.attributes)?;
    given.groups.iter().try_for_each(check)
}
