//! Clients that register themselves (RFC 7591, RFC 7592): by what, what they may look like, and by what they go on to change.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::registry::{DEFAULT, OPENID, Registry, refused, rejected, text};
use crate::support::{Answer, TestServer, claims};

#[tokio::test]
async fn a_client_registers_signs_users_in_changes_itself_and_goes() {
    let server = TestServer::start().await;
    let registry = Registry::of(&server).await;
    let initial = registry.initial(1).await;
    let metadata = json!({"client_name": "App", "redirect_uris": ["http://127.0.0.1:9/cb"], "scope": "openid offline_access",
        "grant_types": ["password", "authorization_code", "refresh_token"], "software_id": "unknown members are left out"});
    let made = registry.register(OPENID, Some(&initial), metadata).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let (id, secret) = (text(&made.body["client_id"]), text(&made.body["client_secret"]));
    let one = format!("{OPENID}/{id}");
    assert_eq!(made.headers["location"].to_str().unwrap(), text(&made.body["registration_client_uri"]));
    let form = [("grant_type", "password"), ("username", "alice"), ("password", "alice"), ("scope", "openid offline_access")];
    let request = server.http.post(server.endpoint("/token")).basic_auth(&id, Some(&secret)).form(&form);
    let tokens = Answer::of(request.send().await.unwrap()).await.granted();
    assert_eq!(claims(&tokens["refresh_token"])["typ"], json!("Offline"));
    // Reading leaves the token good, changing replaces it.
    let first = text(&made.body["registration_access_token"]);
    let read = registry.call(Method::GET, &one, Some(&first), None).await.granted();
    assert_eq!(read["client_name"], json!("App"));
    let change = json!({"client_id": id, "client_name": "New"});
    let changed = registry.call(Method::PUT, &one, Some(&first), Some(&change)).await.granted();
    assert_eq!((&changed["client_name"], &changed["redirect_uris"]), (&json!("New"), &read["redirect_uris"]));
    let view = "Not authorized to view client. Not valid token or client credentials provided.";
    refused(&registry.call(Method::GET, &one, Some(&first), None).await, 401, "invalid_token", view);
    let second = text(&changed["registration_access_token"]);
    assert_eq!(registry.call(Method::DELETE, &one, Some(&second), None).await.status, 204);
    refused(&registry.call(Method::GET, &one, Some(&second), None).await, 401, "invalid_token", view);
    server.finish().await;
}

#[tokio::test]
async fn an_initial_token_registers_as_many_clients_as_it_says_however_many_try_at_once() {
    let server = TestServer::start().await;
    let registry = Registry::of(&server).await;
    let initial = registry.initial(5).await;
    let mut tries = JoinSet::new();
    for n in 0..32 {
        let request = server.http.post(server.realm("demo", "/clients-registrations/default")).bearer_auth(&initial);
        let request = request.json(&json!({"clientId": format!("app-{n}")}));
        tries.spawn(async move { request.send().await.unwrap().status().as_u16() });
    }
    let statuses = tries.join_all().await;
    let made = statuses.iter().filter(|status| **status == 201).count();
    assert!(statuses.iter().all(|status| [201, 401, 503].contains(status)), "{statuses:?}");
    let listed = registry.admin.get("/demo/clients-initial-access").await;
    assert_eq!(listed[0]["remainingCount"], json!(5 - made));
    let clients = registry.admin.get("/demo/clients?clientId=app-&search=true").await;
    assert_eq!(clients.as_array().unwrap().len(), made);
    assert!(made <= 5);
    server.finish().await;
}

#[tokio::test]
async fn of_two_changes_with_one_token_one_is_made() {
    let server = TestServer::start().await;
    let registry = Registry::of(&server).await;
    let initial = registry.initial(1).await;
    let made = registry.register(DEFAULT, Some(&initial), json!({"clientId": "app"})).await;
    let token = text(&made.body["registrationAccessToken"]);
    let change = json!({"clientId": "app", "name": "new"});
    let attempt = || async { registry.call(Method::PUT, "default/app", Some(&token), Some(&change)).await.status };
    let (a, b, c, d) = tokio::join!(attempt(), attempt(), attempt(), attempt());
    let mut statuses = [a, b, c, d];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401, 401, 401]);
    server.finish().await;
}

#[tokio::test]
async fn tokens_that_are_none_register_nothing() {
    let server = TestServer::start().await;
    let registry = Registry::of(&server).await;
    let wish = || json!({"clientId": "app"});
    let used = registry.initial(0).await;
    let late = registry.initial(1).await;
    let gone = registry.initial(1).await;
    let listed = registry.admin.get("/demo/clients-initial-access").await;
    let ids: Vec<String> = listed.as_array().unwrap().iter().map(|one| text(&one["id"])).collect();
    let id = ids.iter().find(|id| json!(id) == claims(&json!(gone))["jti"]).unwrap();
    assert_eq!(registry.admin.delete(&format!("/demo/clients-initial-access/{id}")).await.status, 204);
    let alice = server.sign_in("openid").await;
    let foreign = registry.admin.call(Method::POST, "/master/clients-initial-access", Some(&json!({}))).await;
    let foreign = text(&foreign.body["token"]);
    for (token, status, error, description) in [
        (used.as_str(), 401, "invalid_token", "No remaining count on initial access token"),
        (&gone, 401, "invalid_token", "Initial Access Token not found"),
        (&foreign, 401, "invalid_token", "Failed decode token"),
        ("x.y.z", 401, "invalid_token", "Failed decode token"),
        (&text(&alice["refresh_token"]), 401, "invalid_token", "Invalid type of token"),
        (&text(&alice["access_token"]), 403, "insufficient_scope", "Forbidden"),
        (registry.admin.token(), 401, "invalid_token", "Failed decode token"),
    ] {
        refused(&registry.register(DEFAULT, Some(token), wish()).await, status, error, description);
    }
    server.advance(Duration::from_secs(600));
    refused(&registry.register(DEFAULT, Some(&late), wish()).await, 401, "invalid_token", "Failed decode token");
    let nobody = rejected("Trusted Hosts", "Host not trusted.");
    refused(&registry.register(DEFAULT, None, wish()).await, 403, "insufficient_scope", &nobody);
    assert_eq!(server.admin().await.get("/demo/clients?clientId=app").await, json!([]));
    server.finish().await;
}

#[tokio::test]
async fn a_clients_token_is_for_that_client_and_for_nothing_else() {
    let server = TestServer::start().await;
    let registry = Registry::of(&server).await;
    let initial = registry.initial(2).await;
    let made = registry.register(DEFAULT, Some(&initial), json!({"clientId": "app"})).await;
    let token = text(&made.body["registrationAccessToken"]);
    assert_eq!(registry.register(DEFAULT, Some(&initial), json!({"clientId": "other"})).await.status, 201);
    let update = "Not authorized to update client. Maybe missing token or bad token type.";
    let rename = json!({"clientId": "other", "name": "x"});
    let answer = registry.call(Method::PUT, "default/other", Some(&token), Some(&rename)).await;
    refused(&answer, 401, "invalid_token", update);
    refused(&registry.call(Method::DELETE, "default/other", Some(&token), None).await, 401, "invalid_token", update);
    let answer = registry.call(Method::PUT, "default/app", Some(&token), Some(&rename)).await;
    refused(&answer, 400, "invalid_client_metadata", "Client Identifier modified");
    refused(
        &registry.call(Method::GET, "default/app", Some(&initial), None).await,
        401,
        "invalid_token",
        "Not initial access token allowed",
    );
    // CVE-2026-101023: it is neither a refresh token nor an access token.
    let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
    assert_eq!(server.as_backup("/token", &form).await.refusal().1, "invalid_grant");
    let request = server.http.get(server.endpoint("/userinfo")).bearer_auth(&token);
    assert_eq!(request.send().await.unwrap().status(), 401);
    let request = server.http.get(format!("{}/admin/realms/demo/clients", server.base)).bearer_auth(&token);
    assert_eq!(request.send().await.unwrap().status(), 401);
    server.finish().await;
}

#[tokio::test]
async fn cve_2026_9705_a_disabled_client_does_not_enable_itself() {
    let server = TestServer::start().await;
    let registry = Registry::of(&server).await;
    let initial = registry.initial(1).await;
    let made = registry.register(DEFAULT, Some(&initial), json!({"clientId": "app"})).await;
    let token = text(&made.body["registrationAccessToken"]);
    let path = format!("/demo/clients/{}", registry.admin.client("app").await);
    assert_eq!(registry.admin.call(Method::PUT, &path, Some(&json!({"enabled": false}))).await.status, 204);
    for (method, body) in
        [(Method::GET, None), (Method::PUT, Some(json!({"clientId": "app", "enabled": true}))), (Method::DELETE, None)]
    {
        assert_eq!(registry.call(method.clone(), "default/app", Some(&token), body.as_ref()).await.status, 401, "{method}");
    }
    assert_eq!(registry.admin.get(&path).await["enabled"], json!(false));
    server.finish().await;
}

#[tokio::test]
async fn cve_2026_107623_what_a_client_reads_of_itself_it_may_put_back_and_loses_nothing() {
    let server = TestServer::start().await;
    let registry = Registry::of(&server).await;
    let initial = registry.initial(2).await;
    let metadata = json!({"redirect_uris": ["http://127.0.0.1:9/cb"], "post_logout_redirect_uris": ["http://127.0.0.1:9/out"],
        "backchannel_logout_uri": "https://app.example/logout", "logo_uri": "https://app.example/logo", "scope": "offline_access"});
    for (place, wish, id, token) in [
        (OPENID, metadata, "client_id", "registration_access_token"),
        (DEFAULT, json!({"clientId": "plain", "attributes": {"own": "x"}}), "clientId", "registrationAccessToken"),
    ] {
        let made = registry.register(place, Some(&initial), wish).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        let name = text(&made.body[id]);
        let path = format!("/demo/clients/{}", registry.admin.client(&name).await);
        let attributes = json!({"attributes": {"backchannel.logout.revoke.offline.tokens": "true"}});
        assert_eq!(registry.admin.call(Method::PUT, &path, Some(&attributes)).await.status, 204);
        let before = registry.admin.get(&path).await;
        let one = format!("{place}/{name}");
        let read = registry.call(Method::GET, &one, Some(&text(&made.body[token])), None).await.granted();
        let put = registry.call(Method::PUT, &one, Some(&text(&read[token])), Some(&read)).await.granted();
        let mut after = registry.admin.get(&path).await;
        let kept = after["attributes"].as_object_mut().unwrap();
        // What is written down of grants says no more than was so before.
        kept.retain(|name, value| {
            before["attributes"].get(name).is_some() || ![&json!("false"), &json!("true")].contains(&&*value)
        });
        assert_eq!(after, before, "{place}");
        let again = registry.call(Method::GET, &one, Some(&text(&put[token])), None).await.granted();
        for (field, value) in read.as_object().unwrap().iter().filter(|(field, _)| *field != token) {
            assert_eq!(&again[field], value, "{place} {field}");
        }
    }
    server.finish().await;
}

#[tokio::test]
async fn bad_metadata_are_refused_and_cost_nothing() {
    let server = TestServer::start().await;
    let registry = Registry::of(&server).await;
    let initial = registry.initial(1).await;
    for (wish, error, description) in [
        (json!({"redirect_uris": ["JaVaScRiPt:x"]}), "invalid_redirect_uri", "A redirect URI uses an illegal scheme"),
        (
            json!({"redirect_uris": ["https://a.example/#f"]}),
            "invalid_redirect_uri",
            "A redirect URI must not contain an URL fragment",
        ),
        (json!({"response_types": ["nonsense"]}), "invalid_client_metadata", "Client metadata invalid"),
        (json!({"token_endpoint_auth_method": "private_key_jwt"}), "invalid_client_metadata", "Client metadata invalid"),
        (json!({"client_id": "mine"}), "invalid_client_metadata", "Client Identifier included"),
        (json!({"client_uri": "data:text/html,x"}), "invalid_client_metadata", "Base URL uses an illegal scheme"),
        (json!({"redirect_uris": "one"}), "unknown_error", "Cannot parse the JSON"),
        (json!([]), "unknown_error", "Cannot parse the JSON"),
    ] {
        refused(&registry.register(OPENID, Some(&initial), wish).await, 400, error, description);
    }
    let answer = registry.register(DEFAULT, Some(&initial), json!({"clientId": "demo-backup"})).await;
    refused(&answer, 400, "invalid_client_metadata", "Client Identifier in use");
    let unknown = registry.register(DEFAULT, Some(&initial), json!({"clientId": "a", "nothing": 1})).await;
    assert!(text(&unknown.body["error"]).contains("Unrecognized field \"nothing\""), "{:?}", unknown.body);
    let form = server.http.post(server.realm("demo", "/clients-registrations/default")).form(&[("a", "b")]);
    assert_eq!(form.bearer_auth(&initial).send().await.unwrap().status(), 415);
    assert_eq!(registry.register("nothing", Some(&initial), json!({})).await.status, 404);
    let nowhere = server.realm("nowhere", "/clients-registrations/default");
    assert_eq!(server.http.post(nowhere).json(&json!({})).send().await.unwrap().status(), 404);
    assert_eq!(registry.admin.get("/demo/clients-initial-access").await[0]["remainingCount"], json!(1));
    for wish in [
        json!({"count": -1}),
        json!({"expiration": -1}),
        json!({"count": "x"}),
        json!({"count": 10_000_000_000_i64}),
        json!({"x": 1}),
    ] {
        let answer = registry.admin.call(Method::POST, "/demo/clients-initial-access", Some(&wish)).await;
        assert_eq!(answer.status, 400, "{wish}");
    }
    server.finish().await;
}

#[tokio::test]
async fn a_page_registers_only_from_an_origin_that_the_token_or_a_policy_names() {
    let server = TestServer::start().await;
    let registry = Registry::of(&server).await;
    let wish = json!({"count": 5, "webOrigins": ["https://page.example"]});
    let made = registry.admin.call(Method::POST, "/demo/clients-initial-access", Some(&wish)).await;
    let token = text(&made.body["token"]);
    let ask = async |origin: &str| {
        let request = server.http.post(server.realm("demo", "/clients-registrations/openid-connect")).bearer_auth(&token);
        request.header("origin", origin).json(&json!({})).send().await.unwrap()
    };
    let allowed = ask("https://page.example").await;
    assert_eq!(
        (allowed.status().as_u16(), &allowed.headers()["access-control-allow-origin"]),
        (201, &"https://page.example".parse().unwrap())
    );
    assert_eq!(ask("https://other.example").await.status(), 403);
    server.finish().await;
}

#[tokio::test]
async fn an_adapter_fetches_its_file_by_the_clients_secret() {
    let server = TestServer::start().await;
    let registry = Registry::of(&server).await;
    let get = async |id: &str, credentials: Option<(&str, &str)>| {
        let mut request = server.http.get(server.realm("demo", &format!("/clients-registrations/install/{id}")));
        if let Some((client, secret)) = credentials {
            request = request.basic_auth(client, Some(secret));
        }
        Answer::of(request.send().await.unwrap()).await
    };
    let file = get("demo-backup", Some(("demo-backup", "demo-backup-secret"))).await.granted();
    assert_eq!(file["credentials"]["secret"], json!("demo-backup-secret"));
    assert_eq!(get("account-console", None).await.granted()["public-client"], json!(true));
    for (id, credentials) in [
        ("demo-backup", None),
        ("demo-backup", Some(("demo-backup", "wrong"))),
        ("realm-management", Some(("demo-backup", "demo-backup-secret"))),
        ("nobody", None),
    ] {
        assert_eq!(get(id, credentials).await.status, 401, "{id} {credentials:?}");
    }
    // An administrator hands the client a token of its own.
    let path = format!("/demo/clients/{}/registration-access-token", registry.admin.client("demo-backup").await);
    let given = registry.admin.call(Method::POST, &path, None).await.granted();
    assert_eq!(given["secret"], json!("**********"));
    let token = text(&given["registrationAccessToken"]);
    let read = registry.call(Method::GET, "default/demo-backup", Some(&token), None).await.granted();
    assert_eq!(read["secret"], json!("demo-backup-secret"));
    server.finish().await;
}

#[tokio::test]
async fn what_clients_do_with_themselves_is_told() {
    let server = TestServer::start().await;
    let registry = Registry::of(&server).await;
    registry.admin.set(json!({"eventsEnabled": true, "adminEventsEnabled": true})).await;
    let initial = registry.initial(1).await;
    let made = registry.register(DEFAULT, Some(&initial), json!({"clientId": "app"})).await;
    registry.register(DEFAULT, Some(&initial), json!({"clientId": "two"})).await;
    let token = text(&made.body["registrationAccessToken"]);
    let changed = registry.call(Method::PUT, "default/app", Some(&token), Some(&json!({"clientId": "app"}))).await.granted();
    registry.call(Method::DELETE, "default/app", Some(&text(&changed["registrationAccessToken"])), None).await;
    let types = "type=CLIENT_REGISTER&type=CLIENT_REGISTER_ERROR&type=CLIENT_UPDATE&type=CLIENT_DELETE";
    let events = registry.admin.get(&format!("/demo/events?{types}")).await;
    let mut told: Vec<(&str, Option<&str>)> = events
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["type"].as_str().unwrap(), event["details"]["reason"].as_str()))
        .collect();
    told.sort_unstable();
    let used_up = Some("No remaining count on initial access token");
    assert_eq!(
        told,
        [("CLIENT_DELETE", None), ("CLIENT_REGISTER", None), ("CLIENT_REGISTER_ERROR", used_up), ("CLIENT_UPDATE", None)]
    );
    let admin = registry.admin.get("/demo/admin-events?resourceTypes=CLIENT_INITIAL_ACCESS_MODEL").await;
    assert_eq!(admin[0]["operationType"], json!("CREATE"));
    assert!(!admin.to_string().contains(&initial), "the token is shown once");
    server.finish().await;
}
