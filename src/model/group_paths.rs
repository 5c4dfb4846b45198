//! Groups by path, as files name them: `/staff/night`.
//!
//! Names may hold slashes, so that two groups may share a path. Such a path names neither of them: each is told by its exact path
//! then, `~/staff~/night`, in which a slash of a name is `~/` and a tilde `~~`. No path of the first kind begins like that.

use std::collections::HashMap;

use super::{GroupId, RealmSnapshot};

/// Where a group stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupPath {
    plain: String,
    /// No two groups share it; without the tilde at its beginning.
    exact: String,
}

impl GroupPath {
    /// Of a group of this name just below this place.
    #[must_use]
    pub fn below(&self, name: &str) -> Self {
        let exact = name.replace('~', "~~").replace('/', "~/");
        Self { plain: format!("{}/{name}", self.plain), exact: format!("{}/{exact}", self.exact) }
    }

    pub fn of(snapshot: &RealmSnapshot, group: &GroupId) -> Self {
        snapshot.lineage(group).iter().rev().fold(Self::default(), |above, group| above.below(&group.name))
    }
}

/// Why a path leads to no group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoGroup {
    Unknown,
    Several,
}

#[derive(Clone, Debug, Default)]
pub struct GroupPaths {
    /// None: several groups have it.
    plain: HashMap<String, Option<GroupId>>,
    exact: HashMap<String, GroupId>,
}

impl GroupPaths {
    pub fn of(snapshot: &RealmSnapshot) -> Self {
        let mut all = Self::default();
        for id in snapshot.groups.keys() {
            all.insert(GroupPath::of(snapshot, id), id.clone());
        }
        all
    }

    pub fn insert(&mut self, path: GroupPath, id: GroupId) {
        self.plain.entry(path.plain).and_modify(|known| *known = None).or_insert_with(|| Some(id.clone()));
        self.exact.insert(path.exact, id);
    }

    /// The group that a file means by this text.
    pub fn find(&self, text: &str) -> Result<&GroupId, NoGroup> {
        match text.strip_prefix('~') {
            Some(exact) => self.exact.get(exact).ok_or(NoGroup::Unknown),
            None => self.plain.get(text).ok_or(NoGroup::Unknown)?.as_ref().ok_or(NoGroup::Several),
        }
    }

    /// The group that stands there.
    pub fn at(&self, path: &GroupPath) -> Option<&GroupId> {
        self.exact.get(&path.exact)
    }

    /// What a file calls the group that stands there.
    pub fn text(&self, path: GroupPath) -> String {
        if matches!(self.plain.get(&path.plain), Some(Some(_))) { path.plain } else { format!("~{}", path.exact) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_two_groups_share_names_neither_and_each_has_an_exact_one() {
        let top = GroupPath::default();
        let places = [top.below("a").below("b"), top.below("a/b"), top.below("a~").below("b"), top.below("c/d")];
        let mut paths = GroupPaths::default();
        for (number, path) in places.iter().enumerate() {
            paths.insert(path.clone(), GroupId::new(number.to_string()));
        }
        assert_eq!(paths.find("/a/b"), Err(NoGroup::Several));
        assert_eq!(paths.find("/a"), Err(NoGroup::Unknown));
        let texts: Vec<String> = places.iter().map(|path| paths.text(path.clone())).collect();
        assert_eq!(texts, ["~/a/b", "~/a~/b", "/a~/b", "/c/d"]);
        for (number, (text, path)) in texts.iter().zip(&places).enumerate() {
            let id = GroupId::new(number.to_string());
            assert_eq!((paths.find(text), paths.at(path)), (Ok(&id), Some(&id)), "{text}");
        }
    }
}
