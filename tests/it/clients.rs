//! Other people's clients, unchanged.

use keycloak::types::{CredentialRepresentation, UserRepresentation};
use keycloak::{KeycloakAdmin, KeycloakAdminToken};
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreIdTokenVerifier, CoreProviderMetadata};
use openidconnect::{
    AuthorizationCode, ClientId, CsrfToken, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, RedirectUrl, RefreshToken,
    Scope, TokenResponse,
};
use serde_json::json;

use crate::support::{TestServer, claims};

#[tokio::test]
async fn openidconnect_signs_in_verifies_and_refreshes_offline() {
    let server = TestServer::start().await;
    let http =
        openidconnect::reqwest::ClientBuilder::new().redirect(openidconnect::reqwest::redirect::Policy::none()).build().unwrap();
    let issuer = IssuerUrl::new(server.realm("demo", "")).unwrap();
    let metadata = CoreProviderMetadata::discover_async(issuer, &http).await.unwrap();
    let client = CoreClient::from_provider_metadata(metadata, ClientId::new("demo-spa".to_owned()), None)
        .set_redirect_uri(RedirectUrl::new("http://localhost:3000/cb".to_owned()).unwrap());
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (address, state, nonce) = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_scope(Scope::new("offline_access".to_owned()))
        .set_pkce_challenge(challenge)
        .url();
    let browser = server.browser();
    let page = browser.get(address.as_str()).await;
    let back = browser.post(&page.action(), &[("username", "alice"), ("password", "alice")]).await;
    assert_eq!(back.parameter("state").as_ref(), Some(state.secret()));
    let code = AuthorizationCode::new(back.parameter("code").unwrap());
    let tokens = client.exchange_code(code).unwrap().set_pkce_verifier(verifier).request_async(&http).await.unwrap();
    // The server's clock stands in 2026; the library reads the machine's.
    let moment = chrono_of(server.now());
    let check: CoreIdTokenVerifier<'_> = client.id_token_verifier().set_time_fn(move || moment);
    let claims = tokens.id_token().unwrap().claims(&check, &nonce).unwrap();
    assert_eq!(claims.preferred_username().unwrap().as_str(), "alice");
    let offline = RefreshToken::new(tokens.refresh_token().unwrap().secret().clone());
    let refreshed = client.exchange_refresh_token(&offline).unwrap().request_async(&http).await.unwrap();
    assert!(!refreshed.access_token().secret().is_empty());
    server.finish().await;
}

fn chrono_of(seconds: i64) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(seconds, 0).unwrap()
}

#[tokio::test]
async fn the_keycloak_admin_crate_makes_users_and_sees_offline_sessions() {
    let server = TestServer::start().await;
    let http = reqwest::Client::new();
    let token = KeycloakAdminToken::acquire(&server.base, "admin", "admin", &http).await.unwrap();
    let admin = KeycloakAdmin::new(&server.base, token, http);
    let password = CredentialRepresentation { type_: Some("password".into()), value: Some("dora".into()), ..Default::default() };
    let user = UserRepresentation {
        username: Some("dora".into()),
        email: Some("dora@example.org".into()),
        first_name: Some("Dora".into()),
        last_name: Some("Example".into()),
        enabled: Some(true),
        credentials: Some(vec![password]),
        ..Default::default()
    };
    let made = admin.realm_users_post("demo", user).await.unwrap();
    let id = made.to_id().unwrap().to_owned();
    let found = admin.realm_users_with_user_id_get("demo", &id, None).await.unwrap();
    assert_eq!(found.username.as_deref(), Some("dora"));
    let form = [("grant_type", "password"), ("username", "dora"), ("password", "dora"), ("scope", "offline_access")];
    server.as_backup("/token", &form).await.granted();
    let clients = admin.realm_clients_get("demo", Some("demo-backup".into()), None, None, None, None, None).await.unwrap();
    let client = clients[0].id.clone().unwrap();
    let sessions = admin.realm_clients_with_client_uuid_offline_sessions_get("demo", &client, None, None).await.unwrap();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].username.as_deref(), Some("dora"));
    admin.realm_users_with_user_id_delete("demo", &id).await.unwrap();
    server.finish().await;
}

#[tokio::test]
async fn the_keycloak_admin_crate_counts_and_ends_offline_access() {
    let server = TestServer::start().await;
    let http = reqwest::Client::new();
    let token = KeycloakAdminToken::acquire(&server.base, "admin", "admin", &http).await.unwrap();
    let admin = KeycloakAdmin::new(&server.base, token, http);
    let clients = admin.realm_clients_get("demo", Some("demo-backup".into()), None, None, None, None, None).await.unwrap();
    let client = clients[0].id.clone().unwrap();
    let user = server.admin().await.alice().await;
    let (first, second) = (server.offline_token().await, server.offline_token().await);
    let count = admin.realm_clients_with_client_uuid_offline_session_count_get("demo", &client).await.unwrap();
    assert_eq!(count["count"], 2);
    let sessions = admin.realm_users_with_user_id_offline_sessions_with_client_uuid_get("demo", &user, &client).await.unwrap();
    assert_eq!(sessions.len(), 2);

    let sid = claims(&json!(first))["sid"].as_str().unwrap().to_owned();
    admin.realm_sessions_with_session_delete("demo", &sid, Some(true)).await.unwrap();
    assert_eq!(server.refresh(&first).await.status, 400);
    server.refresh(&second).await.granted();

    let consents = admin.realm_users_with_user_id_consents_get("demo", &user).await.unwrap();
    let ours = consents.iter().find(|consent| consent["clientId"] == "demo-backup").unwrap();
    assert_eq!(ours["additionalGrants"][0]["key"], "Offline Token");
    admin.realm_users_with_user_id_consents_with_client_delete("demo", &user, "demo-backup").await.unwrap();
    assert_eq!(server.refresh(&second).await.status, 400);

    let third = server.offline_token().await;
    let pushed = admin.realm_push_revocation_post("demo").await.unwrap();
    assert!(pushed.success_requests.is_none_or(|told| told.is_empty()), "no client has an admin URL");
    admin.realm_logout_all_post("demo").await.unwrap();
    assert_eq!(server.refresh(&third).await.status, 400);
    let count = admin.realm_clients_with_client_uuid_offline_session_count_get("demo", &client).await.unwrap();
    assert_eq!(count["count"], 0);
    server.finish().await;
}

#[tokio::test]
async fn keycloak_admin_client_of_npm_counts_and_ends_offline_access() {
    let server = TestServer::start_on_the_wall_clock().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/admin.mjs");
    let mut node = tokio::process::Command::new("node");
    let output = node.args([script, &server.base]).output().await.expect("node is installed by ./dev test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    server.finish().await;
}

#[tokio::test]
async fn openid_client_of_npm_keeps_its_offline_access_after_the_logout_until_it_revokes_it() {
    let server = TestServer::start_on_the_wall_clock().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/offline.mjs");
    let mut node = tokio::process::Command::new("node");
    let output = node.args([script, &server.realm("demo", "")]).output().await.expect("node is installed by ./dev test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    server.finish().await;
}
