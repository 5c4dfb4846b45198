//! Lists of groups: which are looked for, and what is shown of them and of the way to them.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::Admin;
use super::users::attributes;
use crate::http::extract::Query;
use crate::http::representation::group::{brief_group, group as full_group};
use crate::model::{Group, GroupId, RealmSnapshot};

/// Which groups a list is to have.
pub(super) struct Matches {
    /// In small letters.
    search: Option<String>,
    exact: bool,
    attributes: Vec<(String, String)>,
}

impl Matches {
    pub(super) fn of(query: &Query) -> Self {
        Self {
            search: query.text("search").map(|s| s.trim().to_lowercase()).filter(|s| !s.is_empty()),
            exact: query.flag("exact").unwrap_or(false),
            attributes: query.text("q").map(attributes).unwrap_or_default(),
        }
    }

    pub(super) fn is_everything(&self) -> bool {
        self.search.is_none() && self.attributes.is_empty()
    }

    pub(super) fn fits(&self, group: &Group) -> bool {
        let name = group.name.to_lowercase();
        let has_name = self.search.as_ref().is_none_or(|s| if self.exact { name == *s } else { name.contains(s) });
        let has = |(key, value): &(String, String)| group.attributes.get(key).is_some_and(|held| held.contains(value));
        has_name && self.attributes.iter().all(has)
    }

    /// Those at every level, by name.
    pub(super) fn all<'a>(&self, snapshot: &'a RealmSnapshot) -> Vec<&'a Group> {
        let mut found: Vec<&Group> = snapshot.groups.values().filter(|g| self.fits(g)).collect();
        found.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        found
    }
}

/// What is shown of each group.
pub(super) struct Shape<'a> {
    snapshot: &'a RealmSnapshot,
    access: Value,
    is_brief: bool,
    /// How many groups stand directly below each; none where nobody asks.
    counts: Option<HashMap<&'a GroupId, usize>>,
}

impl<'a> Shape<'a> {
    /// `brief`: what a list is that does not say.
    pub(super) fn of<P>(admin: &'a Admin<P>, query: &Query, brief: bool) -> Self {
        let counts = query.flag("subGroupsCount").unwrap_or(true);
        Self {
            is_brief: query.flag("briefRepresentation").unwrap_or(brief),
            counts: counts.then(|| count_below(admin.cx.snapshot())),
            ..Self::in_full(admin)
        }
    }

    pub(super) fn in_full<P>(admin: &'a Admin<P>) -> Self {
        let snapshot = admin.cx.snapshot();
        Self { snapshot, access: Self::access(admin), is_brief: false, counts: Some(count_below(snapshot)) }
    }

    /// What the caller may do to a group.
    pub(super) fn access<P>(admin: &Admin<P>) -> Value {
        let manages = admin.has_any_of(&["manage-users"]);
        json!({
            "view": true,
            "viewMembers": true,
            "manageMembers": manages,
            "manage": manages,
            "manageMembership": manages,
        })
    }

    pub(super) fn show(&self, group: &Group) -> Map<String, Value> {
        let mut shown = if self.is_brief { brief_group(self.snapshot, group) } else { full_group(self.snapshot, group) };
        if let Some(counts) = &self.counts {
            shown.insert("subGroupCount".to_owned(), json!(counts.get(&group.id).copied().unwrap_or(0)));
        }
        shown.insert("access".to_owned(), self.access.clone());
        shown
    }

    /// The matches where they stand in the tree, with the groups above them and nothing else.
    pub(super) fn show_ways<'g>(&self, matches: impl Iterator<Item = &'g Group>) -> Vec<Map<String, Value>> {
        let wanted: HashSet<&GroupId> =
            matches.flat_map(|group| self.snapshot.lineage(&group.id)).map(|group| &group.id).collect();
        let mut below: HashMap<Option<&GroupId>, Vec<&Group>> = HashMap::new();
        for group in wanted.iter().filter_map(|id| self.snapshot.groups.get(*id)) {
            below.entry(group.parent.as_ref()).or_default().push(group);
        }
        for siblings in below.values_mut() {
            siblings.sort_by(|a, b| a.name.cmp(&b.name));
        }
        self.show_below(None, &below)
    }

    fn show_below(&self, parent: Option<&GroupId>, below: &HashMap<Option<&GroupId>, Vec<&Group>>) -> Vec<Map<String, Value>> {
        let show = |group: &&Group| {
            let mut shown = self.show(group);
            shown.insert("subGroups".to_owned(), Value::from(self.show_below(Some(&group.id), below)));
            shown
        };
        below.get(&parent).into_iter().flatten().map(show).collect()
    }
}

fn count_below(snapshot: &RealmSnapshot) -> HashMap<&GroupId, usize> {
    let mut counts = HashMap::new();
    for parent in snapshot.groups.values().filter_map(|g| g.parent.as_ref()) {
        *counts.entry(parent).or_insert(0) += 1;
    }
    counts
}
