//! `/users`: the list, its count, and new users.

use serde_json::{Map, Value, json};

use super::answer::{Answer, created, shown};
use super::routes::{Routes, get};
use super::user::refused;
use super::{Admin, ManageUsers, QueryUsers, handing_out};
use crate::flow::admin::user;
use crate::http::error::AdminError;
use crate::http::extract::{Json, Query};
use crate::http::path_segment;
use crate::http::representation::user::{UserRepresentation, brief_user, user as full_user};
use crate::model::{GroupId, UserId};
use crate::store;
use crate::store::user_list::{UserFilter, Word};

pub(super) fn routes() -> Routes {
    Routes::new().route("/{realm}/users", get(list).post(create)).route("/{realm}/users/count", get(count))
}

/// How many users a list has that asks for no number.
pub(super) const PAGE: i64 = 100;

async fn list(admin: Admin<QueryUsers>, query: Query) -> Answer {
    let page = query.page(Some(PAGE))?;
    // Who may only query gets a list, but sees nobody in it.
    if !admin.has_any_of(&["view-users", "manage-users"]) {
        return Ok(shown(&json!([])));
    }
    let snapshot = admin.cx.snapshot();
    let realm = &snapshot.realm.id;
    let mut db = admin.cx.store().db().await?;
    let filter = filter(&query);
    let mut users = store::user_list::list_users(&mut db, realm, &filter, page.first, page.max).await?;
    // Who asks for ids gets them in their order.
    if let Some(wanted) = &filter.ids {
        users.sort_by_key(|user| wanted.iter().position(|id| *id == user.id));
    }
    let is_brief = query.flag("briefRepresentation").unwrap_or(false);
    let ids: Vec<UserId> = users.iter().map(|u| u.id.clone()).collect();
    let with_otp = if is_brief { None } else { Some(store::credential::holders_of(&mut db, realm, "otp", &ids).await?) };
    let manages = admin.has_any_of(&["manage-users"]);
    let list = users.iter().map(|user| {
        let mut shown = match &with_otp {
            None => brief_user(user),
            Some(holders) => full_user(snapshot, user, holders.contains(&user.id)),
        };
        shown.insert("access".to_owned(), json!({"manage": manages}));
        shown
    });
    Ok(shown(&Value::from(list.collect::<Vec<Map<String, Value>>>())))
}

async fn count(admin: Admin<QueryUsers>, query: Query) -> Answer {
    let mut db = admin.cx.store().db().await?;
    let count = store::user_list::count_users(&mut db, &admin.cx.snapshot().realm.id, &filter(&query)).await?;
    Ok(shown(&json!(count)))
}

async fn create(admin: Admin<ManageUsers>, Json(body): Json<UserRepresentation>) -> Answer {
    let snapshot = admin.cx.snapshot();
    let mut groups: Vec<GroupId> = Vec::new();
    for path in body.groups.iter().flatten() {
        let Some(group) = snapshot.group_at(&path.0) else {
            return Err(AdminError::bad_request(format!("Unable to find group specified by path: {}", path.0)));
        };
        if !handing_out::allows_group(&admin, &group.id) {
            return Err(AdminError::Forbidden);
        }
        groups.push(group.id.clone());
    }
    match user::create(&admin.cx, &body.to_change(), &groups).await? {
        Ok(id) => {
            let realm = path_segment(&snapshot.realm.name);
            Ok(created(&format!("{}/admin/realms/{realm}/users/{}", admin.base, path_segment(id.as_str()))))
        }
        Err(refusal) => refused(refusal),
    }
}

/// With `search` the fields are ignored (Keycloak).
fn filter(query: &Query) -> UserFilter {
    let mut filter = UserFilter {
        enabled: query.flag("enabled"),
        email_verified: query.flag("emailVerified"),
        exact: query.flag("exact").unwrap_or(false),
        attributes: query.text("q").map(attributes).unwrap_or_default(),
        provider: query.text("idpAlias").map(str::to_owned),
        provider_user: query.text("idpUserId").map(str::to_owned),
        created_after: query.text("createdAfter").and_then(|text| text.trim().parse().ok()),
        created_before: query.text("createdBefore").and_then(|text| text.trim().parse().ok()),
        ..UserFilter::default()
    };
    let owned = |name: &str| query.text(name).map(str::trim).map(str::to_owned);
    match query.text("search").map(str::trim) {
        Some(search) => match search.strip_prefix("id:") {
            Some(ids) => filter.ids = Some(ids.split_whitespace().map(UserId::new).collect()),
            None => filter.search = words(search),
        },
        None => {
            filter.username = owned("username");
            filter.email = owned("email");
            filter.first_name = owned("firstName");
            filter.last_name = owned("lastName");
        }
    }
    filter
}

/// Words between blanks; what stands in quotes is meant whole.
fn words(search: &str) -> Vec<Word> {
    if let Some(whole) = quoted(search) {
        return vec![Word::Whole(whole.to_owned())];
    }
    let word = |text: &str| match quoted(text) {
        Some(whole) => Word::Whole(whole.to_owned()),
        None => Word::Prefix(text.to_owned()),
    };
    search.split_whitespace().map(word).collect()
}

/// The text between two quotes.
fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"').filter(|inner| !inner.contains('"'))
}

/// `key:value "key 2":"value 2"`
pub(super) fn attributes(text: &str) -> Vec<(String, String)> {
    let mut rest = text.trim_start();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let Some((key, after)) = word(rest, ':') else { break };
        let Some(after) = after.strip_prefix(':') else { break };
        let Some((value, after)) = word(after, ' ') else { break };
        found.push((key.to_owned(), value.to_owned()));
        rest = after.trim_start();
    }
    found
}

/// What stands in quotes, or else before `end`; and what comes behind it.
fn word(text: &str, end: char) -> Option<(&str, &str)> {
    match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"'),
        None => Some(text.split_at(text.find(end).unwrap_or(text.len()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_words_and_quotes_mean_the_whole() {
        let (prefix, whole) = (|t: &str| Word::Prefix(t.to_owned()), |t: &str| Word::Whole(t.to_owned()));
        assert_eq!(words("anna jones"), [prefix("anna"), prefix("jones")]);
        assert_eq!(words("\"van Dyk\""), [whole("van Dyk")]);
        assert_eq!(words("\"a\" b"), [whole("a"), prefix("b")]);
        assert_eq!(attributes("a:1 b:\"2\""), [("a".into(), "1".into()), ("b".into(), "2".into())]);
        assert_eq!(attributes("Room:\"12 a\" \"my key\":x:y"), [("Room".into(), "12 a".into()), ("my key".into(), "x:y".into())]);
        assert_eq!(attributes("alone"), []);
        assert_eq!(attributes("\"open:1"), []);
    }
}
