//! The rules of SQL, over every statement that the store can send: `./dev sql` writes them to `.sqlx/`.
//!
//! A statement names its realm by a parameter, takes time and ids from the caller, lists its columns, and never updates or
//! deletes a whole table.

use std::path::Path;

/// Statements that name no realm by a parameter: a part of their text that no other statement has, and why.
const WITHOUT_REALM: &[(&str, &str)] = &[
    ("select realm_id, version from realm where name = $1", "finds the realm that an address names"),
    ("select realm_id, name, version from realm order by name", "the watch and the sweeper go over all realms"),
    ("delete from authorization_code where (realm_id, code_hash) in", "sweeps expired codes of all realms"),
    ("delete from authentication_session where (realm_id, tab_id) in", "sweeps expired tabs of all realms"),
    ("delete from revoked_token where (realm_id, jti) in", "sweeps notes of expired tokens of all realms"),
    ("delete from used_assertion where (realm_id, client_uuid, jti_hash) in", "sweeps notes of expired assertions of all realms"),
    ("delete from action_token where (realm_id, token_hash) in", "sweeps expired links of letters of all realms"),
    ("delete from initial_access_token where (realm_id, token_id) in", "sweeps expired initial access tokens of all realms"),
    ("select (select count(*) from authorization_code where expires_at < $1)", "counts what a sweep of all realms would remove"),
    ("select 'a part without a chain: '", "the invariants hold in all realms"),
    ("with due as ( select n.realm_id, n.notice_id from logout_notice n", "claims notices that are due, of all realms"),
    ("set local plan_cache_mode = force_custom_plan", "tells Postgres how to plan what comes next"),
    ("set local statement_timeout = '60s'", "gives a report of all grants its time"),
    ("set local statement_timeout = '15min'", "gives what an administrator removes its time"),
    ("select count(pg_advisory_xact_lock(name.hash))", "locks names, of which the realm is a part, and reads no table"),
];

/// What the database's clock or generators would bring in; both come from the caller.
const BROUGHT_IN: &[&str] = &[
    "now()",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtimestamp",
    "clock_timestamp(",
    "statement_timestamp(",
    "transaction_timestamp(",
    "gen_random_uuid(",
    "random(",
];

/// The text of every statement in lower case, with single spaces.
fn statements() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        panic!("there is no .sqlx folder: run ./dev sql and commit what it writes")
    };
    let mut texts = Vec::new();
    for entry in entries {
        let path = entry.expect(".sqlx can be read").path();
        if path.extension().is_some_and(|kind| kind == "json") {
            let text = std::fs::read_to_string(&path).expect(".sqlx holds text");
            let value: serde_json::Value = serde_json::from_str(&text).expect(".sqlx holds JSON: run ./dev sql again");
            let query = value["query"].as_str().expect("each file has a query: run ./dev sql again");
            texts.push(normal(query));
        }
    }
    assert!(!texts.is_empty(), ".sqlx is empty: run ./dev sql and commit what it writes");
    texts.sort();
    texts
}

fn normal(query: &str) -> String {
    query.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text without what stands in quotes.
fn without_literals(text: &str) -> String {
    text.split('\'').step_by(2).collect::<Vec<_>>().join("''")
}

/// Words, numbers and names in one piece (`s.realm_id`, `$1`), every other sign by itself.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut in_word = false;
    for c in without_literals(text).chars() {
        let is_word = c.is_ascii_alphanumeric() || "_.$".contains(c);
        if is_word && in_word {
            tokens.last_mut().expect("a word has begun").push(c);
        } else if !c.is_whitespace() {
            tokens.push(c.to_string());
        }
        in_word = is_word;
    }
    tokens
}

fn is_parameter(token: Option<&String>) -> bool {
    token.is_some_and(|t| t.starts_with('$'))
}

/// Whether a parameter says which realm is meant: `realm_id = $n` (or `= any($n)`), or a row inserted with its realm.
fn names_its_realm(text: &str) -> bool {
    let tokens = tokens(text);
    let compared = (0..tokens.len()).any(|at| {
        let column = tokens[at] == "realm_id" || tokens[at].ends_with(".realm_id");
        let equals = tokens.get(at + 1).is_some_and(|t| t == "=");
        let any = tokens.get(at + 2).is_some_and(|t| t == "any") && is_parameter(tokens.get(at + 4));
        column && equals && (is_parameter(tokens.get(at + 2)) || any)
    });
    compared || inserts_its_realm(&tokens)
}

fn inserts_its_realm(tokens: &[String]) -> bool {
    let Some(start) = tokens.windows(2).position(|pair| pair[0] == "insert" && pair[1] == "into") else { return false };
    let columns = tokens[start..].iter().skip_while(|t| *t != "(").take_while(|t| *t != ")");
    columns.into_iter().any(|t| t == "realm_id")
}

/// Updates and deletes that have no `where` of their own.
fn unbounded_writes(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let mut unbounded = Vec::new();
    for (at, word) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).map_or("", |i| tokens[i].as_str());
        // Not a statement: `for update`, `for no key update`, `on conflict … do update`.
        let writes = word == "delete" || (word == "update" && !["for", "key", "do"].contains(&before));
        if writes && !has_where(&tokens[at + 1..]) {
            unbounded.push(tokens[at..].iter().take(5).cloned().collect::<Vec<_>>().join(" "));
        }
    }
    unbounded
}

/// Whether `where` follows before the statement's own parenthesis ends.
fn has_where(rest: &[String]) -> bool {
    let mut depth = 0_i32;
    for token in rest {
        match token.as_str() {
            "(" => depth += 1,
            ")" if depth == 0 => return false,
            ")" => depth -= 1,
            "where" if depth == 0 => return true,
            _ => {}
        }
    }
    false
}

fn fail_on(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n\n"));
}

#[test]
fn every_statement_names_its_realm() {
    let mut problems = Vec::new();
    for text in statements() {
        let excepted = WITHOUT_REALM.iter().any(|(part, _)| text.contains(&normal(part)));
        if !excepted && !names_its_realm(&text) {
            problems.push(format!("names no realm: add realm_id = $n, or say in WITHOUT_REALM why not:\n  {text}"));
        }
    }
    fail_on(problems);
}

#[test]
fn every_exception_is_needed_and_is_one_statement() {
    let statements = statements();
    let mut problems = Vec::new();
    for (part, why) in WITHOUT_REALM {
        let found: Vec<&String> = statements.iter().filter(|text| text.contains(&normal(part))).collect();
        if found.len() != 1 {
            problems.push(format!("{} statements match the exception \"{part}\" ({why}): make it fit one", found.len()));
        } else if names_its_realm(found[0]) {
            problems.push(format!("the exception \"{part}\" ({why}) is not needed: take it out"));
        }
    }
    fail_on(problems);
}

#[test]
fn time_and_ids_come_from_the_caller() {
    let mut problems = Vec::new();
    for text in statements() {
        let spoken = without_literals(&text).replace(" (", "(");
        for name in BROUGHT_IN.iter().filter(|name| spoken.contains(**name)) {
            problems.push(format!("{name}: hand it in as a parameter:\n  {text}"));
        }
    }
    fail_on(problems);
}

#[test]
fn every_statement_lists_its_columns() {
    let starred = |text: &String| {
        let tokens = tokens(text);
        tokens.windows(2).any(|pair| pair[1] == "*" && (pair[0] == "select" || pair[0] == "returning" || pair[0].ends_with('.')))
    };
    let found = statements().into_iter().filter(starred);
    fail_on(found.map(|text| format!("select *: name the columns:\n  {text}")).collect());
}

#[test]
fn every_update_and_delete_has_a_where() {
    let mut problems = Vec::new();
    for text in statements() {
        for write in unbounded_writes(&text) {
            problems.push(format!("\"{write} …\" has no where: say which rows:\n  {text}"));
        }
    }
    fail_on(problems);
}

#[test]
fn the_rules_see_what_they_are_for() {
    assert!(names_its_realm("select a from t where t.realm_id = $1"));
    assert!(names_its_realm("select a from t where realm_id = any($2)"));
    assert!(names_its_realm("insert into t (kind, realm_id) values ($1, $2)"));
    assert!(!names_its_realm("insert into t (kind) select realm_id from u"));
    assert!(!names_its_realm("select a from t join u on t.realm_id = u.realm_id"));
    assert!(!names_its_realm("select 'realm_id = $1'"));
    assert!(unbounded_writes("select a from t where b = $1 for update skip locked").is_empty());
    assert!(unbounded_writes("insert into t (a) values ($1) on conflict (a) do update set a = $1").is_empty());
    assert!(unbounded_writes("update t set a = (select b from u where c = $1)").len() == 1);
    assert!(unbounded_writes("with gone as (delete from t) select a from gone where a = $1").len() == 1);
    assert!(unbounded_writes("with gone as (delete from t where a = $1 returning a) delete from u where a = $1").is_empty());
}
