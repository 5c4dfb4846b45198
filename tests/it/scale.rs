//! Many sessions: what is looked at does not grow with what is there. `./dev scale` does the same with a million.

use std::time::Duration;

use nightlatch::base::Timestamp;
use nightlatch::flow::sweep::{self, SweepRules};
use nightlatch::model::{ClientUuid, RealmId, SessionId, SessionKind};
use nightlatch::store::client_session;
use nightlatch::store::offline_grant::{self, GrantCutoffs, GrantFilter, PartCutoffs, Reach};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::races::{beside, connection, until_waiting};
use crate::rotation::futures;
use crate::support::{DAY, Plan, TestServer, measured, refresh_token};

/// How many offline sessions there are; one of a hundred has lapsed.
fn sessions() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "./dev scale hands the number over in the environment")]
    let asked = std::env::var("SCALE_SESSIONS").ok();
    asked.map_or(20_000, |n| n.parse().expect("SCALE_SESSIONS is a number"))
}

const MARGIN: Duration = Duration::from_secs(180);

/// Offline sessions of users of their own at the demo's backup client, used last at any time of the 29 days before; every
/// hundredth has lapsed since.
async fn seed(server: &TestServer, number: u64) -> PgConnection {
    let mut connection = connection(server).await;
    let now = server.now();
    let used =
        format!("to_timestamp({now} - case when g % 100 = 0 then 2678400 + g % 86400 else (g::bigint * 7919) % 2505600 end)");
    let statements = [
        format!(
            "insert into user_account (realm_id, user_id, username, email, unique_email, email_verified, enabled, not_before, version,
               attributes, required_actions, federated_identities, created_at)
             select realm_id, 'seed-' || g, 'seed-' || g, null, null, false, true, 0, 0, '{{}}', '{{}}', '[]', created_at
             from user_account, generate_series(0, {number} / 10) g where username = 'alice'"
        ),
        format!(
            "insert into session (kind, realm_id, session_id, user_id, started_at, last_grant_at, ip_address, user_agent, login_name,
               remember_me, notes)
             select 'offline', r.realm_id, 'seed-' || lpad(g::text, 12, '0'), 'seed-' || g / 10, {used}, {used},
               '10.0.' || g % 256 || '.' || g % 200, 'seed', 'seed', false, '{{}}'
             from realm r, generate_series(0, {number} - 1) g where r.name = 'demo'"
        ),
        "insert into client_session (kind, realm_id, session_id, client_uuid, started_at, details)
         select 'offline', s.realm_id, s.session_id, k.client_uuid, s.started_at, '{}'
         from session s join client k on k.realm_id = s.realm_id and k.client_id = 'demo-backup' where s.session_id like 'seed-%'"
            .to_owned(),
        "insert into chain (kind, realm_id, session_id, client_uuid, chain_id, generation, rotated_at, last_refresh_at,
           last_refresh_bucket, key_id, replays)
         select 'offline', p.realm_id, p.session_id, p.client_uuid, '', 0, p.started_at, p.started_at,
           to_timestamp(floor(extract(epoch from p.started_at) / 81000) * 81000), 'seed', 0
         from client_session p where p.session_id like 'seed-%'"
            .to_owned(),
    ];
    // Without the checks of references: the rows refer to what is there, and a million checks take long.
    sqlx::raw_sql("set session_replication_role = replica").execute(&mut connection).await.unwrap();
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }
    sqlx::raw_sql("vacuum analyze").execute(&mut connection).await.unwrap();
    connection
}

async fn realm(server: &TestServer) -> RealmId {
    server.server.realms.get(&server.server.store, "demo").await.unwrap().unwrap().snapshot.realm.id.clone()
}

/// The one text that a query finds, as SQL writes it.
async fn literal(connection: &mut PgConnection, query: &str) -> String {
    let text: String = sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(connection).await.unwrap();
    format!("'{text}'")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_among_many_sessions_reads_what_it_removes_and_touches_nothing_that_is_used() {
    let server = TestServer::start().await;
    let number = sessions();
    let mut connection = seed(&server, number).await;
    let realm = literal(&mut connection, "select realm_id from realm where name = 'demo'").await;
    let client = literal(&mut connection, "select client_uuid from client where client_id = 'demo-backup'").await;
    let cutoff = format!("to_timestamp({} - 2592000 - 180 - 81000)", server.now());
    let batch = 512.0;
    let candidates =
        "c.last_refresh_bucket as \"moment!\" from chain c where c.kind = $1 and c.realm_id = $2 and c.last_refresh_bucket < $3";
    let plan = Plan::of(&mut connection, candidates, &format!("'offline', {realm}, {cutoff}, null, '', 512")).await;
    assert_eq!((plan.whole_tables(), plan.rows_read() <= batch + 2.0), (vec![], true), "{}", plan.summary());
    let parts = "from chain c where c.kind = $1 and c.realm_id = $2 and c.client_uuid = $3 and c.last_refresh_bucket < $4";
    let plan = Plan::of(&mut connection, parts, &format!("'offline', {realm}, {client}, {cutoff}, null, '', 512")).await;
    assert_eq!((plan.whole_tables(), plan.rows_read() <= batch + 3.0), (vec![], true), "{}", plan.summary());
    let ids: Vec<String> = (0..100).map(|g| format!("seed-{:012}", g * 100)).collect();
    let ids = format!("'{{{}}}'", ids.join(","));
    let lock = "select session_id, user_id, started_at, last_grant_at, remember_me from session";
    let plan = Plan::of(&mut connection, lock, &format!("'offline', {realm}, {ids}")).await;
    assert_eq!((plan.whole_tables(), plan.rows_read() <= 303.0), (vec![], true), "{}", plan.summary());

    // Tokens in use, whose rows the sweeper takes for old: it has to look at them, and must let them be.
    let tokens = futures((0..64).map(|_| server.offline_token())).await;
    let aged = "update chain set last_refresh_bucket = to_timestamp(0) where session_id not like 'seed-%'";
    sqlx::raw_sql(aged).execute(&mut connection).await.unwrap();
    let rules = SweepRules { batch: 512, margin: MARGIN, dry_run: false };
    let promised = sweep::run(&server.server, SweepRules { dry_run: true, ..rules }).await.unwrap();
    let started = std::time::Instant::now();
    let sweeping = async {
        let swept = sweep::run(&server.server, rules).await.unwrap();
        let took = started.elapsed();
        // What a refresh held is for the next pass.
        (swept, sweep::run(&server.server, rules).await.unwrap(), took)
    };
    let refreshing = async {
        let (mut refreshed, mut slowest) = (0_u32, Duration::ZERO);
        for round in 0..4 {
            let asked = std::time::Instant::now();
            for answer in futures(tokens.iter().map(|token| server.refresh(token))).await {
                assert_eq!(answer.status, 200, "round {round}: {:?}", answer.body);
                refreshed += 1;
            }
            slowest = slowest.max(asked.elapsed());
        }
        (refreshed, slowest)
    };
    let ((first, second, took), (refreshed, slowest)) = tokio::join!(sweeping, refreshing);
    assert_eq!(first.offline_sessions + second.offline_sessions, number / 100);
    assert_eq!(promised.offline_sessions, number / 100, "a dry run promises it");
    assert_eq!(refreshed, 256);
    measured(format_args!("{number} sessions: swept in {took:?}, 64 refreshes at once beside it in {slowest:?} at most"));
    for token in &tokens {
        server.refresh(token).await.granted();
    }
    // What was looked at and lives is not looked at again.
    server.advance(Duration::from_secs(60));
    let third = sweep::run(&server.server, rules).await.unwrap();
    assert_eq!((third.offline_sessions, third.batches), (0, 1), "{third:?}");
    // The rules of the tables read every row: not within the time that a statement has.
    if number <= 100_000 {
        server.finish().await;
    } else {
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_that_stands_still_within_a_batch_holds_up_no_refresh() {
    let server = TestServer::start().await;
    let number = 2_000;
    seed(&server, number).await.close().await.unwrap();
    let tokens = futures((0..16).map(|_| server.offline_token())).await;
    // The sweeper has locked its batch, and waits for one part of it.
    let held = "select 1 from client_session where session_id = 'seed-000000000000' for update";
    let sweeping = sweep::run(&server.server, SweepRules { batch: 512, margin: MARGIN, dry_run: false });
    // Who waited for the sweeper would be answered 503.
    let refreshing = futures(tokens.iter().map(|token| server.refresh(token)));
    let (swept, answers) = beside(&server, held, sweeping, refreshing).await;
    assert_eq!(swept.unwrap().offline_sessions, number / 100);
    for answer in answers {
        server.refresh(&refresh_token(&answer.granted())).await.granted();
    }
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_grants_reads_a_page_however_many_there_are() {
    let server = TestServer::start().await;
    let number = sessions();
    let mut connection = seed(&server, number).await;
    let realm = literal(&mut connection, "select realm_id from realm where name = 'demo'").await;
    let client = literal(&mut connection, "select client_uuid from client where client_id = 'demo-backup'").await;
    let page = "select p.session_id, p.client_uuid, s.user_id, (select u.username";
    let middle = format!("'seed-{:012}'", number / 2);
    let clients: Vec<String> =
        sqlx::query_scalar("select client_uuid from client where realm_id = (select realm_id from realm where name = 'demo')")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let each = |moment: &str| format!("array[{}]::timestamptz[]", vec![moment; clients.len()].join(","));
    let (idle, max) = (format!("to_timestamp({})", server.now() - 2_592_000), "to_timestamp(0)");
    let live = format!("'{{{}}}', {}, {}, {idle}, {max}, '{{}}', '{{}}', null, null", clients.join(","), each(&idle), each(max));
    let kind = "'offline', '{}', '{}', null, null";
    let looked_at = u32::try_from(Reach::page(100).looked_at).unwrap();
    let until = format!("'seed-{:012}', '~'", looked_at - 1);
    let looked_at = f64::from(looked_at);
    // User, address, use, scope.
    let (all, unused) = ("null, null, null, null", format!("null, null, {idle}, null"));
    for (what, after, client, filters, most) in [
        ("the first page", "''", "null", all, 100.0),
        ("a page in the middle", middle.as_str(), "null", all, 100.0),
        ("of a client", middle.as_str(), client.as_str(), all, 100.0),
        ("of a user", "''", "null", "'seed-7', null, null, null", 10.0),
        // What no index serves is looked for among so many, and no more for one page.
        ("from an address", "''", "null", "null, '10.0.7.7', null, null", looked_at),
        ("with a scope", "''", "null", "null, null, null, 'none'", looked_at),
        ("unused for long", "''", "null", unused.as_str(), looked_at),
    ] {
        let until = if most > 100.0 { until.as_str() } else { "null, null" };
        let arguments = format!("{realm}, {after}, '', {client}, {filters}, null, null, {live}, {until}, {kind}, 100");
        let plan = Plan::of(&mut connection, page, &arguments).await;
        measured(format_args!("{number} sessions, {what}: {:.2} ms, {} rows read", plan.milliseconds(), plan.rows_read()));
        let whole = plan.whole_tables();
        assert!(whole.iter().all(|table| table == "client" || table == "realm"), "{what}: {whole:?}\n{}", plan.summary());
        // The part, its session and its chain; the user of what is found.
        assert!(plan.rows_read() <= most * 4.0 + 20.0, "{what}: {}\n{}", plan.rows_read(), plan.summary());
    }
    // Keycloak's own, which have no bound. Every hundredth has lapsed.
    let (admin, live) = (server.admin().await, number - number / 100);
    let sessions = format!("/demo/clients/{}", admin.client("demo-backup").await);
    assert_eq!(admin.get(&format!("{sessions}/offline-session-count")).await["count"], live);
    let statistics = admin.get("/demo/client-session-stats").await;
    let offline = json!(live.to_string());
    assert!(statistics.as_array().unwrap().iter().any(|client| client["offline"] == offline), "{statistics}");
    let last = admin.get(&format!("{sessions}/offline-sessions?first={}&max=20", live - 10)).await;
    assert_eq!(last.as_array().unwrap().len(), 10);
    assert_eq!(last[9]["id"], format!("seed-{:012}", number - 1));
    // The rules of the tables read every row: not within the time that a statement has.
    if number <= 100_000 {
        server.finish().await;
    } else {
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_comes_to_its_end_however_many_others_there_are() {
    let server = TestServer::start().await;
    let number = sessions();
    drop(seed(&server, number).await);
    let admin = server.admin().await;
    let call = async |path: &str, body: Value| {
        let answer = admin.call(Method::POST, &format!("/demo/nightlatch/offline-grants/{path}"), Some(&body)).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        answer.body
    };
    let unused = json!({"unusedFor": 28 * DAY.as_secs()});
    let preview = call("revocation-preview", unused.clone()).await;
    let meant = preview["counts"]["offline"]["grants"].as_u64().unwrap();
    assert!(meant > number / 50, "{preview}");
    let (mut token, mut revoked, mut requests) = (preview["token"].clone(), 0, 0);
    while !token.is_null() {
        let answer = call("revocation", json!({"token": token})).await;
        (revoked, requests) = (revoked + answer["revoked"].as_u64().unwrap(), requests + 1);
        assert_eq!(answer["done"], answer["token"].is_null());
        token = answer["token"].clone();
    }
    measured(format_args!("{number} sessions: {revoked} revoked in {requests} requests"));
    assert_eq!(revoked, meant);
    assert!(requests <= number / 100_000 + meant / 2_000 + 1, "{requests}");
    assert_eq!(call("revocation-preview", unused).await["counts"]["offline"]["grants"], 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_and_all_sessions_end_however_many_there_are() {
    let server = TestServer::start().await;
    let number = sessions();
    let mut connection = seed(&server, number).await;
    let left = async |connection: &mut PgConnection, table: &str| -> i64 {
        let count = format!("select count(*) from {table} where session_id like 'seed-%'");
        sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(connection).await.unwrap()
    };
    let realm = literal(&mut connection, "select realm_id from realm where name = 'demo'").await;
    let admin = server.admin().await;
    let client = admin.client("demo-backup").await;
    let middle = format!("'seed-{:012}'", number / 2);
    // Found, locked and taken in three steps or in two.
    for (statement, arguments, steps) in [
        ("with seen as materialized", format!("'offline', {realm}, '{client}', {middle}"), 3.0),
        ("with next as", format!("'offline', {realm}, to_timestamp({}), {middle}", server.now()), 2.0),
    ] {
        let plan = Plan::of(&mut connection, statement, &arguments).await;
        measured(format_args!("{number} sessions, the next 500: {:.2} ms, {} rows read", plan.milliseconds(), plan.rows_read()));
        assert_eq!((plan.whole_tables(), plan.rows_read() <= steps * 500.0), (vec![], true), "{}", plan.summary());
    }
    assert_eq!(admin.delete(&format!("/demo/clients/{client}")).await.status, 204);
    assert_eq!(left(&mut connection, "client_session").await, 0);
    assert_eq!(u64::try_from(left(&mut connection, "session").await).unwrap(), number, "they lapse, without a part");
    assert_eq!(admin.call(Method::POST, "/demo/logout-all", None).await.status, 200);
    if number <= 100_000 {
        assert_eq!(left(&mut connection, "session").await, 0);
        server.finish().await;
    } else {
        // The rest goes behind the answer.
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_client_goes_on_behind_sessions_that_another_has_ended() {
    let server = TestServer::start().await;
    seed(&server, 1_200).await.close().await.unwrap();
    let (store, realm) = (&server.server.store, realm(&server).await);
    let client = ClientUuid::new(server.admin().await.client("demo-backup").await);
    let next = async |after: Option<SessionId>| {
        let at = (&client, after.as_ref());
        let now = server.server.clock.now();
        store.in_tx(async |db| client_session::detach_next(db, SessionKind::Offline, &realm, at, now).await).await.unwrap()
    };
    // All that the first batch finds.
    let ends = "delete from session where session_id < 'seed-000000000500'";
    let mut other = connection(&server).await;
    sqlx::raw_sql(AssertSqlSafe(format!("begin; {ends}"))).execute(&mut other).await.unwrap();
    let mut watch = connection(&server).await;
    let ending = async {
        until_waiting(&mut watch, 1).await;
        sqlx::raw_sql("commit").execute(&mut other).await.unwrap();
    };
    let (first, ()) = tokio::join!(next(None), ending);
    assert_eq!(first, Some(SessionId::new("seed-000000000499")), "none of them was left, and there are more");
    let second = next(first).await;
    assert_eq!(second, Some(SessionId::new("seed-000000000999")));
    assert_eq!(next(next(second).await).await, None);
    let left = "select count(*) from session where session_id like 'seed-%' and empty_since is not null";
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(&mut watch).await.unwrap(), 700);
    server.finish().await;
}

#[tokio::test]
async fn a_count_that_did_not_look_at_everything_says_so() {
    let server = TestServer::start().await;
    seed(&server, 100).await.close().await.unwrap();
    let (store, realm) = (&server.server.store, realm(&server).await);
    let client = ClientUuid::new(server.admin().await.client("demo-backup").await);
    let (idle, max) = (server.server.clock.now() - 30 * DAY, Timestamp::from_unix_micros(0));
    let plain = PartCutoffs { idle: vec![idle], max: vec![max], session_idle: idle, session_max: max };
    let live = GrantCutoffs { clients: vec![client], plain, remembered: None };
    let all = GrantFilter::all(SessionKind::Offline, live);
    // What no index serves; and that of the first has lapsed.
    let from = |ip_address: &str| GrantFilter { ip_address: Some(ip_address.to_owned()), ..all.clone() };
    for (filter, found, looked_at, counted) in [
        (&all, 1_000, 1, (99, false)),
        (&all, 99, 1, (99, true)),
        (&all, 50, 1, (50, true)),
        (&from("10.0.7.7"), 1_000, 101, (1, false)),
        (&from("10.0.7.7"), 1_000, 8, (1, true)),
        (&from("10.0.7.7"), 1_000, 7, (0, true)),
        (&from("10.0.0.0"), 1_000, 101, (0, false)),
    ] {
        let reach = Reach { found, looked_at };
        let counts = store.in_report(async |db| offline_grant::count(db, &realm, filter, reach).await).await.unwrap();
        assert_eq!((counts.grants, counts.at_least), counted, "{reach:?} of {:?}", filter.ip_address);
    }
    server.finish().await;
}

#[tokio::test]
async fn users_are_found_by_a_part_of_their_names_however_many_there_are() {
    let number = sessions();
    let server = TestServer::start().await;
    let mut connection = connection(&server).await;
    let seed = format!(
        "insert into user_account (realm_id, user_id, username, email, unique_email, email_verified, first_name, last_name, enabled,
           not_before, version, attributes, required_actions, federated_identities, created_at)
         select realm_id, 'seed-' || g, 'user-' || md5(g::text), md5(g::text || 'e') || '@example.org', null, false,
           'First' || g, 'Last' || md5(g::text || 'l'), true, 0, 0, '{{}}', '{{}}', '[]', created_at
         from user_account, generate_series(1, {number}) g where username = 'alice'"
    );
    // Into an index of this kind many rows at once go many times faster by way of its list of what is to be sorted in.
    let faster = "alter index user_account_by_part set (fastupdate = on); set gin_pending_list_limit = '1GB'";
    let as_before = "alter index user_account_by_part set (fastupdate = off)";
    for statement in [faster, seed.as_str(), as_before, "vacuum analyze user_account"] {
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
    }
    let realm = literal(&mut connection, "select realm_id from realm where name = 'demo'").await;
    let list = "order by u.username offset $16 limit $17";
    for (what, username, words, part) in [
        ("a part of the name", "'%alic%'", "{}", "'%%alic%%'"),
        ("a word", "null", "{alic%}", "'%alic%%'"),
        ("nobody", "null", "{zzzzzz%}", "'%zzzzzz%%'"),
        ("everybody", "null", "{}", "null"),
    ] {
        let arguments = format!(
            "{realm}, {username}, null, null, null, '{words}', null, null, null, '{{}}', '{{}}', null, null, null, {part}, 0, 100"
        );
        let plan = Plan::of(&mut connection, list, &arguments).await;
        measured(format_args!("{number} users, {what}: {:.2} ms, {} rows read", plan.milliseconds(), plan.rows_read()));
        assert!(plan.rows_read() <= 1_500.0, "{what}: {}\n{}", plan.rows_read(), plan.summary());
    }
    server.stop().await;
}
