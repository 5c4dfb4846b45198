//! Users as an administrator looks for them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sqlx::types::Json;

use super::user::{ConsentRow, UserRow, select_users};
use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::{GroupId, RealmId, RoleId, User, UserId};

/// Which users a list shows. Fields match any case and any part, or the whole if `exact`.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    pub username: Option<String>,
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub exact: bool,
    /// Every one of these words is in one of the four fields.
    pub search: Vec<Word>,
    pub ids: Option<Vec<UserId>>,
    pub enabled: Option<bool>,
    pub email_verified: Option<bool>,
    /// Every one of these attributes has this value.
    pub attributes: Vec<(String, String)>,
    /// Linked to this identity provider, and there by this id.
    pub provider: Option<String>,
    pub provider_user: Option<String>,
    /// Milliseconds since 1970; none of them is before or after.
    pub created_after: Option<i64>,
    pub created_before: Option<i64>,
}

/// A word that is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// Beginning with this; `*` stands for anything.
    Prefix(String),
    Whole(String),
}

impl Word {
    fn pattern(&self) -> String {
        match self {
            Self::Prefix(text) => format!("{}%", escape(&text.to_lowercase()).replace('*', "%")),
            Self::Whole(text) => escape(&text.to_lowercase()),
        }
    }
}

/// A filter as the statements take it.
struct Patterns {
    username: Option<String>,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    words: Vec<String>,
    ids: Option<Vec<String>>,
    enabled: Option<bool>,
    email_verified: Option<bool>,
    keys: Vec<String>,
    values: Vec<String>,
    /// As the links of a user hold it.
    link: Option<Value>,
    after: Option<time::OffsetDateTime>,
    before: Option<time::OffsetDateTime>,
    /// What the four fields of a user, one after the other, have in them if any of the patterns fits: for the index.
    part: Option<String>,
}

impl Patterns {
    fn of(filter: &UserFilter) -> Self {
        let pattern = |text: &Option<String>| text.as_ref().map(|t| like(&t.to_lowercase(), filter.exact));
        let (username, email) = (pattern(&filter.username), pattern(&filter.email));
        let (first_name, last_name) = (pattern(&filter.first_name), pattern(&filter.last_name));
        let words: Vec<String> = filter.search.iter().map(Word::pattern).collect();
        let all = [&username, &email, &first_name, &last_name].into_iter().flatten().chain(&words);
        Self {
            part: part_of(all.map(String::as_str)),
            username,
            email,
            first_name,
            last_name,
            words,
            ids: filter.ids.as_ref().map(|ids| ids.iter().map(|id| id.as_str().to_owned()).collect()),
            enabled: filter.enabled,
            email_verified: filter.email_verified,
            keys: filter.attributes.iter().map(|(k, _)| k.clone()).collect(),
            values: filter.attributes.iter().map(|(_, v)| v.to_lowercase()).collect(),
            link: filter.provider.as_ref().map(|provider| {
                let mut link = serde_json::Map::from_iter([("identityProvider".to_owned(), json!(provider))]);
                if let Some(user) = &filter.provider_user {
                    link.insert("userId".to_owned(), json!(user));
                }
                json!([link])
            }),
            after: filter.created_after.map(|at| Timestamp::from_unix_millis(at).to_offset()),
            before: filter.created_before.map(|at| Timestamp::from_unix_millis(at).to_offset()),
        }
    }
}

/// The pattern that says most, for the four fields together. Less than three letters are no help: an index of trigrams has none.
fn part_of<'a>(patterns: impl Iterator<Item = &'a str>) -> Option<String> {
    let letters = |pattern: &&str| pattern.chars().filter(|letter| !['%', '\\'].contains(letter)).count();
    let longest = patterns.max_by_key(letters).filter(|pattern| letters(pattern) >= 3)?;
    Some(format!("%{longest}%"))
}

/// Completes a statement on users `u` with the condition of a filter; `$1` is the realm, `$2` to `$15` the filter. What `$15` says
/// the others say as well, and more exactly; it is there for the index. Whatever is not asked for folds away when the statement is
/// planned: a plan for any arguments would look dearer than every other, and is not taken.
macro_rules! filtered {
    ($run:ident, $rest:literal, $realm:expr, $filter:expr $(, $more:expr)*) => {
        $run!(
            "($2::text is null or u.username like $2) and ($3::text is null or u.email like $3)
               and ($4::text is null or lower(u.first_name) like $4) and ($5::text is null or lower(u.last_name) like $5)
               and not exists (select from unnest($6::text[]) word
                               where not coalesce(u.username like word, false) and not coalesce(u.email like word, false)
                                 and not coalesce(lower(u.first_name) like word, false)
                                 and not coalesce(lower(u.last_name) like word, false))
               and ($7::text[] is null or u.user_id = any($7))
               and ($8::boolean is null or u.enabled = $8) and ($9::boolean is null or u.email_verified = $9)
               and not exists (select from unnest($10::text[], $11::text[]) wanted (key, value)
                               where not exists (select from jsonb_array_elements_text(u.attributes -> wanted.key) held
                                                 where lower(held) = wanted.value))
               and ($12::jsonb is null or u.federated_identities @> $12)
               and ($13::timestamptz is null or u.created_at >= $13) and ($14::timestamptz is null or u.created_at <= $14)
               and (u.service_account_client_uuid is null or $2::text is not null)
               and ($15::text is null or u.username || ' ' || coalesce(u.email, '') || ' ' || lower(coalesce(u.first_name, ''))
                      || ' ' || lower(coalesce(u.last_name, '')) like $15)"
                + $rest,
            $realm.as_str(),
            $filter.username,
            $filter.email,
            $filter.first_name,
            $filter.last_name,
            &$filter.words,
            $filter.ids.as_deref(),
            $filter.enabled,
            $filter.email_verified,
            &$filter.keys,
            &$filter.values,
            $filter.link,
            $filter.after,
            $filter.before,
            $filter.part
            $(, $more)*
        )
    };
}

macro_rules! count_selected {
    ($condition:literal $(+ $more:literal)*, $($argument:expr),+) => {
        sqlx::query_scalar!(
            r#"select count(*) as "count!" from user_account u where u.realm_id = $1 and "# + $condition $(+ $more)*,
            $($argument),+
        )
    };
}

/// Users by name, a page at a time. Service accounts show up only when asked for by name.
pub async fn list_users(
    db: &mut Db<'_>,
    realm: &RealmId,
    filter: &UserFilter,
    first: i64,
    max: Option<i64>,
) -> Result<Vec<User>, StoreError> {
    let filter = Patterns::of(filter);
    let rows = filtered!(select_users, " order by u.username offset $16 limit $17", realm, filter, first, max);
    Ok(rows.fetch_all(db.raw()).await?.into_iter().map(User::from).collect())
}

/// Every user, service accounts among them (or nobody else), by id: those after this one, up to a limit.
pub async fn list_all(
    db: &mut Db<'_>,
    realm: &RealmId,
    only_accounts: bool,
    after: Option<&UserId>,
    limit: i64,
) -> Result<Vec<User>, StoreError> {
    let rows = select_users!(
        "(not $2 or u.service_account_client_uuid is not null) and ($3::text is null or u.user_id > $3) order by u.user_id limit $4",
        realm.as_str(),
        only_accounts,
        after.map(UserId::as_str),
        limit
    );
    Ok(rows.fetch_all(db.raw()).await?.into_iter().map(User::from).collect())
}

/// The direct members of a group by name, a page at a time.
pub async fn list_members(
    db: &mut Db<'_>,
    realm: &RealmId,
    group: &GroupId,
    first: i64,
    max: Option<i64>,
) -> Result<Vec<User>, StoreError> {
    let rows = select_users!(
        "u.user_id in (select m.user_id from user_group_membership m where m.realm_id = $1 and m.group_id = $2)
         and u.service_account_client_uuid is null order by u.username offset $3 limit $4",
        realm.as_str(),
        group.as_str(),
        first,
        max
    );
    Ok(rows.fetch_all(db.raw()).await?.into_iter().map(User::from).collect())
}

/// The users who hold a role directly by name, a page at a time.
pub async fn list_holders(
    db: &mut Db<'_>,
    realm: &RealmId,
    role: &RoleId,
    first: i64,
    max: Option<i64>,
) -> Result<Vec<User>, StoreError> {
    let rows = select_users!(
        "u.user_id in (select m.user_id from user_role m where m.realm_id = $1 and m.role_id = $2)
         and u.service_account_client_uuid is null order by u.username offset $3 limit $4",
        realm.as_str(),
        role.as_str(),
        first,
        max
    );
    Ok(rows.fetch_all(db.raw()).await?.into_iter().map(User::from).collect())
}

/// The user with this name, or else with this e-mail address; both in small letters.
pub async fn find_same(
    db: &mut Db<'_>,
    realm: &RealmId,
    username: &str,
    email: Option<&str>,
) -> Result<Option<UserId>, StoreError> {
    let row = sqlx::query_scalar!(
        "select user_id from user_account where realm_id = $1 and (username = $2 or email = $3)
         order by username = $2 desc limit 1",
        realm.as_str(),
        username,
        email,
    );
    Ok(row.fetch_optional(db.raw()).await?.map(UserId::new))
}

fn like(text: &str, exact: bool) -> String {
    if exact { escape(text) } else { format!("%{}%", escape(text)) }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// How many users a list with this filter has.
pub async fn count_users(db: &mut Db<'_>, realm: &RealmId, filter: &UserFilter) -> Result<i64, StoreError> {
    let filter = Patterns::of(filter);
    Ok(filtered!(count_selected, "", realm, filter).fetch_one(db.raw()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(filter: UserFilter) -> Option<String> {
        Patterns::of(&filter).part
    }

    #[test]
    fn the_index_is_asked_for_what_says_most() {
        assert_eq!(part(UserFilter::default()), None);
        let named = |username: &str, exact| UserFilter { username: Some(username.to_owned()), exact, ..UserFilter::default() };
        assert_eq!(part(named("Ada", false)), Some("%%ada%%".to_owned()));
        assert_eq!(part(named("a_b", true)), Some("%a\\_b%".to_owned()));
        assert_eq!(part(named("ad", false)), None);
        let words = ["bo", "*love*e", "x"].map(|word| Word::Prefix(word.to_owned()));
        assert_eq!(part(UserFilter { search: words.into(), ..UserFilter::default() }), Some("%%love%e%%".to_owned()));
    }
}
