//! Groups of a file, each with those below it. A group is known by its path; without one it is new.

use super::{Action, Adding, explain, twice};
use crate::flow::admin::{Refusal, group};
use crate::model::realm_import::GroupImport;
use crate::model::{Group, GroupId, GroupPath, NoGroup};
use crate::store::{self, Db};

impl Adding<'_> {
    pub(super) async fn group(&mut self, db: &mut Db<'_>, given: &GroupImport, path: Option<&str>) -> Result<(), Refusal> {
        const KIND: &str = "GROUP";
        check(given)?;
        let known = match path.map(|path| (path, self.names.groups.find(path).cloned())) {
            None | Some((_, Err(NoGroup::Unknown))) => None,
            Some((path, Err(NoGroup::Several))) => {
                return Err(Refusal::Invalid(format!("Several groups have the path {path}")));
            }
            Some((path, Ok(id))) => Some((path, id)),
        };
        let Some((path, id)) = known else {
            let made = self.new_group(db, given, None, &GroupPath::default()).await?;
            self.told(Action::Added, KIND, &given.name, made.as_str());
            return Ok(());
        };
        if self.overwrites(KIND, &given.name, id.as_str(), format!("Group '{path}' already exists"))? {
            self.check_group(&id)?;
            self.overwrite_group(db, given, &id).await?;
            self.told(Action::Overwritten, KIND, &given.name, id.as_str());
        }
        Ok(())
    }

    /// A group that is not there yet, with those below it. Who may not hand out what its parent gives may not make it.
    async fn new_group(
        &mut self,
        db: &mut Db<'_>,
        given: &GroupImport,
        parent: Option<&GroupId>,
        above: &GroupPath,
    ) -> Result<GroupId, Refusal> {
        self.check_roles_of(given)?;
        group::check_depth(parent.map_or(0, |parent| self.cx.snapshot().lineage(parent).len()) + given.height())?;
        self.writer.group(db, &mut self.names, given, parent, above).await.map_err(explain)?;
        self.names.groups.at(&above.below(&given.name)).cloned().ok_or(Refusal::NotFound("Group not found"))
    }

    /// The group, its roles and the groups below it become what the file says; members stay, and so do groups that it does not name.
    async fn overwrite_group(&mut self, db: &mut Db<'_>, given: &GroupImport, id: &GroupId) -> Result<(), Refusal> {
        self.once(id.as_str(), &given.name)?;
        let (cx, realm) = (self.cx, self.writer.realm);
        // What the file itself has made is not in the realm yet.
        let before = cx.snapshot().groups.get(id).ok_or_else(|| twice(&given.name))?;
        self.check_giving(&before.roles)?;
        self.check_giving(self.roles_named(&given.roles)?)?;
        let row = Group {
            name: given.name.clone(),
            description: given.description.clone(),
            attributes: given.attributes.clone(),
            ..before.clone()
        };
        store::group::update_group(db, realm, &row).await?;
        for role in &before.roles {
            store::group::delete_role(db, realm, id, role).await?;
        }
        for role in &given.roles {
            store::group::insert_role(db, realm, id, self.names.role(role).map_err(explain)?).await?;
        }
        let place = GroupPath::of(cx.snapshot(), id);
        for child in &given.groups {
            match self.names.groups.at(&place.below(&child.name)).cloned() {
                Some(known) => Box::pin(self.overwrite_group(db, child, &known)).await?,
                None => {
                    self.new_group(db, child, Some(id), &place).await?;
                }
            }
        }
        Ok(())
    }

    fn check_roles_of(&self, given: &GroupImport) -> Result<(), Refusal> {
        self.check_giving(self.roles_named(&given.roles)?)?;
        given.groups.iter().try_for_each(|child| self.check_roles_of(child))
    }
}

fn check(given: &GroupImport) -> Result<(), Refusal> {
    group::check(&given.name, given.description.as_deref(), &given.attributes)?;
    given.groups.iter().try_for_each(check)
}
