//! Key and certificate of a client: made here or uploaded, and shown without what is secret.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Admin, Answer, TestServer};

const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const AT: &str = "certificates/jwt.credential";

async fn with_client(server: &TestServer) -> (Admin<'_>, String) {
    let admin = server.admin().await;
    let client = json!({"clientId": "app", "clientAuthenticatorType": "client-jwt", "serviceAccountsEnabled": true});
    assert_eq!(admin.call(Method::POST, "/demo/clients", Some(&client)).await.status, 201);
    let path = format!("/demo/clients/{}", admin.client("app").await);
    (admin, path)
}

async fn token(server: &TestServer, private_key: &str, jti: &str) -> Answer {
    let now = server.now();
    let claims = json!({"iss": "app", "sub": "app", "aud": server.realm("demo", ""), "jti": jti, "iat": now, "exp": now + 60});
    // Programs call the key what they like: there is one.
    let header = Header { kid: Some("of-the-programs-own".to_owned()), ..Header::new(Algorithm::RS256) };
    let key = EncodingKey::from_rsa_der(&STANDARD.decode(private_key).unwrap());
    let assertion = jsonwebtoken::encode(&header, &claims, &key).unwrap();
    let form = [("grant_type", "client_credentials"), ("client_assertion_type", KIND), ("client_assertion", &*assertion)];
    server.post(&server.endpoint("/token"), &form).await
}

async fn upload(server: &TestServer, admin: &Admin<'_>, path: &str, format: &str, file: &str) -> Answer {
    let body = format!(
        "--b0\r\nContent-Disposition: form-data; name=\"keystoreFormat\"\r\n\r\n{format}\r\n--b0\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"key\"\r\nContent-Type: application/octet-stream\r\n\r\n{file}\r\n--b0--\r\n"
    );
    let request = server.http.post(format!("{}/admin/realms{path}", server.base)).bearer_auth(admin.token());
    let request = request.header("content-type", "multipart/form-data; boundary=b0").body(body);
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_made_key_is_shown_once_and_proves_the_client() {
    let server = TestServer::start().await;
    let (admin, path) = with_client(&server).await;
    admin.set(json!({"adminEventsEnabled": true, "adminEventsDetailsEnabled": true})).await;
    assert_eq!(admin.get(&format!("{path}/{AT}")).await, json!({}));
    let made = admin.call(Method::POST, &format!("{path}/{AT}/generate"), None).await.granted();
    let private = made["privateKey"].as_str().unwrap();
    token(&server, private, "1").await.granted();
    let masked = json!({"privateKey": "**********", "certificate": made["certificate"]});
    assert_eq!(admin.get(&format!("{path}/{AT}")).await, masked);
    let shown = admin.get(&path).await;
    assert_eq!(shown["attributes"]["jwt.credential.private.key"], "**********");
    assert_eq!(shown["attributes"]["jwt.credential.certificate"], made["certificate"]);
    // Put back as it was shown, it is still there; and it is nobody's to read.
    assert_eq!(admin.call(Method::PUT, &path, Some(&shown)).await.status, 204);
    assert_eq!(admin.get(&format!("{path}/{AT}")).await, masked);
    for place in [&*path, "/demo/clients", "/demo/admin-events?max=1000"] {
        assert!(!admin.get(place).await.to_string().contains(private), "{place}");
    }
    assert!(!crate::secrets_at_rest::everything(&server).await.contains(private));
    let told = admin.get("/demo/admin-events?operationTypes=ACTION&resourceTypes=CLIENT").await;
    assert_eq!(told.as_array().unwrap().len(), 1);
    let again = admin.call(Method::POST, &format!("{path}/{AT}/generate"), None).await.granted();
    assert_ne!(again["certificate"], made["certificate"]);
    assert_eq!(token(&server, private, "2").await.status, 400, "the old key is worth nothing");
    token(&server, again["privateKey"].as_str().unwrap(), "3").await.granted();
    server.finish().await;
}

#[tokio::test]
async fn an_uploaded_certificate_key_or_set_takes_the_place_of_the_key() {
    let server = TestServer::start().await;
    let (admin, path) = with_client(&server).await;
    let other = format!("{path}/certificates/my.prefix/generate");
    let made = admin.call(Method::POST, &other, None).await.granted();
    let (private, certificate) = (made["privateKey"].as_str().unwrap(), made["certificate"].as_str().unwrap());
    assert_eq!(token(&server, private, "0").await.refusal().2, "Unable to load public key");
    let armoured = format!("-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n");
    for (at, file) in [("1", certificate), ("2", &armoured)] {
        let answer = upload(&server, &admin, &format!("{path}/{AT}/upload-certificate"), "Certificate PEM", file).await.granted();
        assert_eq!(answer, json!({"certificate": certificate}));
        token(&server, private, at).await.granted();
    }
    let der = STANDARD.decode(certificate).unwrap();
    let spki = nightlatch::jose::spki_of_certificate(&der).unwrap();
    let answer =
        upload(&server, &admin, &format!("{path}/{AT}/upload"), "Public Key PEM", &STANDARD.encode(spki)).await.granted();
    assert_eq!(answer, json!({"publicKey": STANDARD.encode(spki)}));
    token(&server, private, "3").await.granted();
    let key = nightlatch::jose::Key::from_spki("k", nightlatch::jose::Algorithm::Rs256, spki, None).unwrap();
    let mut jwk = nightlatch::jose::public_jwk(key.public().unwrap());
    jwk["kid"] = json!("of-the-programs-own");
    let set = json!({ "keys": [jwk] }).to_string();
    upload(&server, &admin, &format!("{path}/{AT}/upload-certificate"), "JSON Web Key Set", &set).await.granted();
    assert_eq!(admin.get(&format!("{path}/{AT}")).await, json!({}));
    token(&server, private, "4").await.granted();
    server.finish().await;
}

#[tokio::test]
async fn an_upload_that_is_none_is_refused_and_changes_nothing() {
    let server = TestServer::start().await;
    let (admin, path) = with_client(&server).await;
    admin.call(Method::POST, &format!("{path}/{AT}/generate"), None).await.granted();
    let before = admin.get(&path).await;
    let to = format!("{path}/{AT}/upload-certificate");
    let text = |answer: &Answer| {
        let body: &Value = &answer.body;
        body.get("error").or(body.get("errorMessage")).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    for (format, file, said) in [
        ("Certificate PEM", "", "file cannot be empty"),
        ("Certificate PEM", "nonsense", "Failed to decode certificate"),
        ("Certificate PEM", "AAAA", "Failed to decode certificate"),
        ("Public Key PEM", "AAAA", "Failed to decode public key"),
        ("JSON Web Key Set", "{}", "Failed to decode key set"),
        ("JSON Web Key Set", r#"{"keys": [{"kty": "oct", "k": "AAAA"}]}"#, "The key set has no key for signatures"),
        ("JKS", "x", "The keystore format JKS is not supported"),
        ("jks", "x", "error loading keystore"),
    ] {
        let answer = upload(&server, &admin, &to, format, file).await;
        assert_eq!((answer.status, text(&answer)), (400, said.to_owned()), "{format} {file}");
    }
    let plain = admin.call(Method::POST, &to, Some(&json!({}))).await;
    assert_eq!((plain.status, text(&plain)), (400, "keystoreFormat cannot be null".to_owned()));
    let large = upload(&server, &admin, &to, "Certificate PEM", &"A".repeat(300 * 1024)).await;
    assert_eq!(large.status, 400);
    for wrong in ["/demo/clients/nobody", "/master/clients/nobody"] {
        assert_eq!(admin.call(Method::GET, &format!("{wrong}/{AT}"), None).await.status, 404, "{wrong}");
    }
    let odd = admin.call(Method::POST, &format!("{path}/certificates/a%20b/generate"), None).await;
    assert_eq!(odd.status, 400);
    let user = server.sign_in("openid").await["access_token"].as_str().unwrap().to_owned();
    let address = format!("{}/admin/realms{path}/{AT}/generate", server.base);
    assert_eq!(server.http.post(address).bearer_auth(user).send().await.unwrap().status(), 403);
    assert_eq!(admin.get(&path).await, before);
    server.finish().await;
}
