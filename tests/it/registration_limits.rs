//! What a client that registers itself may not say of itself, nor whoever holds its token.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::registry::{DEFAULT, OPENID, Registry, refused, rejected, text};
use crate::support::{TestServer, claims};

#[tokio::test]
async fn a_policy_that_says_nothing_of_who_may_register_lets_nobody_in() {
    let server = TestServer::start().await;
    let registry = Registry::of(&server).await;
    let kind = "org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy";
    let all = registry.admin.get(&format!("/demo/components?type={kind}")).await;
    let policy = all.as_array().unwrap().iter().find(|policy| policy["name"] == json!("Trusted Hosts")).unwrap();
    let path = format!("/demo/components/{}", text(&policy["id"]));
    let (sender, addresses) = ("host-sending-registration-request-must-match", "client-uris-must-match");
    for (config, why) in [
        (json!({sender: [""], addresses: []}), "'Host Sending Client Registration Request Must Match' is required"),
        (
            json!({sender: ["false"], addresses: ["false"]}),
            "At least one of hosts verification or client URIs validation must be enabled",
        ),
    ] {
        let mut policy = policy.clone();
        policy["config"] = config;
        let refused = registry.admin.call(Method::PUT, &path, Some(&policy)).await;
        assert_eq!((refused.status, refused.body), (400, json!({"errorMessage": why})));
    }
    // A file may bring policies that nobody understands: they are kept, and object to everything.
    let odd = |provider: &str, config: Value| json!({"name": provider, "providerId": provider, "subType": "anonymous", "config": config});
    for (realm, policies) in [
        ("own", json!([odd("own-spi", json!({}))])),
        ("odd", json!([odd("trusted-hosts", json!({sender: ["True"], addresses: ["True"]}))])),
        ("bare", json!([odd("trusted-hosts", json!({}))])),
        ("open", json!([odd("trusted-hosts", json!({sender: ["false"], addresses: ["false"]}))])),
    ] {
        let file = json!({"realm": realm, "enabled": true, "components": {kind: policies}});
        assert_eq!(registry.admin.call(Method::POST, "", Some(&file)).await.status, 201);
        let address = server.realm(realm, "/clients-registrations/openid-connect");
        let request = server.http.post(address).json(&json!({"redirect_uris": ["https://evil.example.org/"]}));
        assert_eq!(request.send().await.unwrap().status(), 403, "{realm}");
    }
    server.finish().await;
}

#[tokio::test]
async fn nobody_lifts_by_his_own_client_what_the_realm_protects_all_with() {
    let server = TestServer::start().await;
    let registry = Registry::of(&server).await;
    let initial = registry.initial(1).await;
    let wish =
        json!({"clientId": "app", "bearerOnly": true, "attributes": {"nightlatch.refresh.token.rotation": "off", "kept": "1"}});
    let made = registry.register(DEFAULT, Some(&initial), wish).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    assert_eq!((&made.body["bearerOnly"], &made.body["attributes"]["kept"]), (&json!(false), &json!("1")));
    let uuid = registry.admin.client("app").await;
    let path = format!("/demo/clients/{uuid}");
    let by_hand = json!({"notBefore": 1_700_000_000, "attributes": {"nightlatch.refresh.token.rotation": "strict"}});
    assert_eq!(registry.admin.call(Method::PUT, &path, Some(&by_hand)).await.status, 204);
    let change = json!({"clientId": "app", "notBefore": 0, "alwaysDisplayInConsole": true, "attributes": {
        "nightlatch.refresh.token.rotation": "off", "nightlatch.offline.grants.max": "999",
        "access.token.lifespan": "2000000000", "allow.token.introspection.without.audience.check": "true"}});
    let token = text(&made.body["registrationAccessToken"]);
    registry.call(Method::PUT, "default/app", Some(&token), Some(&change)).await.granted();
    let now = registry.admin.get(&path).await;
    assert_eq!((&now["notBefore"], &now["alwaysDisplayInConsole"]), (&json!(1_700_000_000), &json!(false)));
    let attributes = now["attributes"].as_object().unwrap();
    assert_eq!(attributes["nightlatch.refresh.token.rotation"], json!("strict"));
    for name in ["nightlatch.offline.grants.max", "access.token.lifespan", "allow.token.introspection.without.audience.check"] {
        assert!(!attributes.contains_key(name), "{name}");
    }
    server.finish().await;
}

#[tokio::test]
async fn no_mapper_of_a_client_that_registers_itself_says_who_somebody_is_or_for_whom_a_token_is() {
    let server = TestServer::start().await;
    let registry = Registry::of(&server).await;
    let initial = registry.initial(9).await;
    let mapper = |name: &str, claim: &str| {
        json!({"id": "a/b", "name": name, "protocol": "openid-connect", "protocolMapper": "oidc-usermodel-property-mapper",
            "config": {"user.attribute": "firstName", "claim.name": claim, "id.token.claim": "true"}})
    };
    for mappers in [
        json!([mapper("x", "sub")]),
        json!([mapper("x", "aud")]),
        json!([mapper("x", "sub.x")]),
        json!([mapper("", "first")]),
        json!([mapper("x", "first"), mapper("x", "second")]),
    ] {
        let refused = registry.register(DEFAULT, Some(&initial), json!({"clientId": "app", "protocolMappers": mappers})).await;
        assert_eq!((refused.status, &refused.body["error"]), (400, &json!("invalid_client_metadata")), "{mappers}");
    }
    let wish = json!({"clientId": "app", "protocolMappers": [mapper("x", "first")]});
    let made = registry.register(DEFAULT, Some(&initial), wish).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    assert_ne!(made.body["protocolMappers"][0]["id"], json!("a/b"), "an id is an address");
    // Nor does one that is there come to say it.
    let mut changed = made.body["protocolMappers"][0].clone();
    changed["config"]["claim.name"] = json!("sub");
    let token = text(&made.body["registrationAccessToken"]);
    let change = json!({"clientId": "app", "protocolMappers": [changed]});
    let refused = registry.call(Method::PUT, "default/app", Some(&token), Some(&change)).await;
    assert_eq!((refused.status, &refused.body["error"]), (400, &json!("invalid_client_metadata")));
    server.finish().await;
}

#[tokio::test]
async fn who_brings_nothing_registers_only_what_the_policies_let_through() {
    let server = TestServer::start().await;
    let registry = Registry::of(&server).await;
    registry.trust_this_host().await;
    let (uri, url) = (
        rejected("Trusted Hosts", "URI doesn't match any trusted host or trusted domain"),
        rejected("Trusted Hosts", "URL doesn't match any trusted host or trusted domain"),
    );
    let home = "http://127.0.0.1:9/cb";
    for (wish, why) in [
        (json!({"redirect_uris": ["http://a.example/cb"]}), &uri),
        (json!({"redirect_uris": [home, "http://127.0.0.1.evil.example/cb"]}), &uri),
        (json!({"redirect_uris": ["com.example.app:/cb"]}), &uri),
        (json!({"redirect_uris": [home], "client_uri": "http://a.example"}), &url),
        // CVE-2026-1180: what this server itself would ask is looked at, too.
        (json!({"redirect_uris": [home], "jwks_uri": "http://a.example/keys"}), &url),
        (json!({"redirect_uris": [home], "backchannel_logout_uri": "http://a.example/out"}), &url),
    ] {
        refused(&registry.register(OPENID, None, wish).await, 403, "insufficient_scope", why);
    }
    let made = registry.register(OPENID, None, json!({"redirect_uris": [home]})).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let (id, token) = (text(&made.body["client_id"]), text(&made.body["registration_access_token"]));
    assert_eq!(claims(&made.body["registration_access_token"])["registration_auth"], json!("anonymous"));
    let stands = registry.admin.get(&format!("/demo/clients/{}", registry.admin.client(&id).await)).await;
    assert_eq!((&stands["consentRequired"], &stands["fullScopeAllowed"]), (&json!(true), &json!(false)));
    // Nor does it get by changes what it did not get at first.
    let mapper = json!({"name": "x", "protocol": "openid-connect", "protocolMapper": "oidc-hardcoded-role-mapper",
        "config": {"role": "realm-management.realm-admin"}});
    for (field, value, policy, why) in [
        ("consentRequired", json!(false), "Consent Required", "Not permitted to update consentRequired to false"),
        ("fullScopeAllowed", json!(true), "Full Scope Disabled", "Not permitted to enable fullScopeAllowed"),
        ("protocolMappers", json!([mapper]), "Allowed Protocol Mapper Types", "ProtocolMapper type not allowed"),
        ("defaultClientScopes", json!(["nothing"]), "Allowed Client Scopes", "Not permitted to use specified clientScope"),
    ] {
        let mut change = json!({"clientId": id});
        change[field] = value;
        let answer = registry.call(Method::PUT, &format!("{DEFAULT}/{id}"), Some(&token), Some(&change)).await;
        refused(&answer, 403, "insufficient_scope", &rejected(policy, why));
    }
    registry.policy("Max Clients Limit", json!({"max-clients": ["3"]})).await;
    let full = rejected("Max Clients Limit", "It's allowed to have max 3 clients per realm");
    let answer = registry.register(OPENID, None, json!({"redirect_uris": [home]})).await;
    refused(&answer, 403, "insufficient_scope", &full);
    server.finish().await;
}

#[tokio::test]
async fn who_may_make_clients_makes_none_with_more_than_the_policies_allow() {
    let server = TestServer::start().await;
    let registry = Registry::of(&server).await;
    let (alice, management) = (registry.admin.alice().await, registry.admin.client("realm-management").await);
    let role = registry.admin.get(&format!("/demo/clients/{management}/roles/create-client")).await;
    let own = format!("/demo/users/{alice}/role-mappings/clients/{management}");
    assert_eq!(registry.admin.call(Method::POST, &own, Some(&json!([role]))).await.status, 204);
    let maker = server.admin_of_demo("alice", "alice").await;
    let mapper = json!({"name": "x", "protocol": "openid-connect", "protocolMapper": "oidc-hardcoded-role-mapper",
        "config": {"role": "realm-management.realm-admin"}});
    let wish = json!({"clientId": "mole", "serviceAccountsEnabled": true, "protocolMappers": [mapper]});
    let why = rejected("Allowed Protocol Mapper Types", "ProtocolMapper type not allowed");
    refused(&registry.register(DEFAULT, Some(maker.token()), wish).await, 403, "insufficient_scope", &why);
    let made = registry.register(DEFAULT, Some(maker.token()), json!({"clientId": "made"})).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let seen = registry.call(Method::GET, "default/made", Some(maker.token()), None).await;
    refused(&seen, 403, "insufficient_scope", "Forbidden");
    server.finish().await;
}

#[tokio::test]
async fn a_client_of_a_trusted_host_is_seen_and_deleted_from_there_alone() {
    let server = TestServer::start().await;
    let registry = Registry::of(&server).await;
    registry.trust_this_host().await;
    let made = registry.register(OPENID, None, json!({"redirect_uris": ["http://127.0.0.1:9/cb"]})).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let (one, token) = (format!("{OPENID}/{}", text(&made.body["client_id"])), text(&made.body["registration_access_token"]));
    registry.call(Method::GET, &one, Some(&token), None).await.granted();
    let elsewhere = json!({"trusted-hosts": ["192.0.2.1"], "host-sending-registration-request-must-match": ["true"],
        "client-uris-must-match": ["true"]});
    registry.policy("Trusted Hosts", elsewhere).await;
    for method in [Method::GET, Method::DELETE] {
        let refused = registry.call(method, &one, Some(&token), None).await;
        let why = rejected("Trusted Hosts", "Host not trusted.");
        assert_eq!((refused.status, &refused.body["error_description"]), (403, &json!(why)));
    }
    registry.trust_this_host().await;
    assert_eq!(registry.call(Method::DELETE, &one, Some(&token), None).await.status, 204);
    server.finish().await;
}

#[tokio::test]
async fn addresses_of_other_hosts_and_of_none_are_refused() {
    let server = TestServer::start().await;
    let registry = Registry::of(&server).await;
    registry.trust_this_host().await;
    for (member, value) in [
        ("frontchannel_logout_uri", json!("https://evil.example.org/f")),
        ("post_logout_redirect_uris", json!(["https://evil.example.org/"])),
    ] {
        let refused = registry.register(OPENID, None, json!({"redirect_uris": ["http://127.0.0.1:9/cb"], member: value})).await;
        assert_eq!((refused.status, &refused.body["error"]), (403, &json!("insufficient_scope")), "{member}: {:?}", refused.body);
    }
    let picture = json!({"redirect_uris": ["http://127.0.0.1:9/cb"], "logo_uri": "data:image/png;base64,AA=="});
    assert_eq!(registry.register(OPENID, None, picture).await.status, 201);
    for member in ["policy_uri", "tos_uri", "logo_uri"] {
        let wish = json!({"redirect_uris": ["http://127.0.0.1:9/cb"], member: "javascript:alert(1)"});
        let refused = registry.register(OPENID, None, wish).await;
        assert_eq!((refused.status, &refused.body["error"]), (400, &json!("invalid_client_metadata")), "{member}");
    }
    server.finish().await;
}

#[tokio::test]
async fn what_anybody_may_send_is_small() {
    let server = TestServer::start().await;
    let registry = Registry::of(&server).await;
    let huge = json!({"client_name": "x".repeat(300 * 1024)});
    assert_eq!(registry.register(OPENID, None, huge).await.status, 413);
    // Nor does a client grow without end by changing itself.
    let initial = registry.initial(1).await;
    let made = registry.register(DEFAULT, Some(&initial), json!({"clientId": "app"})).await;
    let attributes = |name: &str| json!({"clientId": "app", "attributes": {name: "x".repeat(100 * 1024)}});
    let token = text(&made.body["registrationAccessToken"]);
    let changed = registry.call(Method::PUT, "default/app", Some(&token), Some(&attributes("one"))).await.granted();
    let token = text(&changed["registrationAccessToken"]);
    let refused = registry.call(Method::PUT, "default/app", Some(&token), Some(&attributes("two"))).await;
    assert_eq!((refused.status, &refused.body["error_description"]), (400, &json!("Client metadata are too large")));
    server.finish().await;
}

#[tokio::test]
async fn the_page_that_registered_a_client_goes_on_with_it() {
    let server = TestServer::start().await;
    let registry = Registry::of(&server).await;
    let wish = json!({"count": 1, "expiration": 600, "webOrigins": ["https://page.example.org"]});
    let initial = registry.admin.call(Method::POST, "/demo/clients-initial-access", Some(&wish)).await;
    let made = registry
        .register(OPENID, Some(&text(&initial.body["token"])), json!({"redirect_uris": ["https://page.example.org/"]}))
        .await;
    let token = text(&made.body["registration_access_token"]);
    for (origin, status) in [("https://page.example.org", 200), ("https://other.example.org", 403)] {
        let request = server.http.get(text(&made.body["registration_client_uri"])).bearer_auth(&token).header("origin", origin);
        assert_eq!(request.send().await.unwrap().status(), status, "{origin}");
    }
    server.finish().await;
}
