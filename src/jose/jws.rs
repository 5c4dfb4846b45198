//! Signed tokens in the compact form of RFC 7515: made, verified, and looked into.
//!
//! Verification uses the public keys that aws-lc has parsed, not a JWT library: those we know lack ES512 and parse the key
//! anew for every token. The header decides nothing but which key is looked up: its `alg` must be the key's (RFC 8725
//! §3.1), `jku`, `jwk`, `x5u` and `x5c` are never read, `crit` is refused since no extension is understood (RFC 7515
//! §4.1.11). Of members named twice the last one counts (§4). Claims are not judged here.

use std::borrow::Borrow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Algorithm, JoseError, Key};

/// Longer tokens are refused before anything is decoded.
pub const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// What the protected header says. Untrusted until the token is verified, and `kid` is a stranger's text in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub algorithm: Algorithm,
    pub kid: Option<String>,
    pub typ: Option<String>,
}

/// A token whose signature is that of the key found for it.
#[derive(Clone, Debug)]
pub struct Verified {
    pub header: Header,
    pub claims: Map<String, Value>,
}

/// Signs `claims`. The header is `{"alg":…,"typ":…,"kid":…}` in this order, as Keycloak writes it.
///
/// With HS256, HS384, HS512, EdDSA and RS256 to RS512 the same key and claims always give the same token.
pub fn sign(key: &Key, typ: &str, claims: &impl Serialize) -> Result<String, JoseError> {
    let claims = serde_json::to_vec(claims).map_err(JoseError::Claims)?;
    let mut token = key.header(typ)?;
    token.reserve(claims.len() * 4 / 3 + 96);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut token);
    let signature = key.sign_bytes(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}

/// Verifies the signature of `token` with the key that `lookup` finds for its header.
pub fn verify<K: Borrow<Key>>(token: &str, lookup: impl FnOnce(&Header) -> Option<K>) -> Result<Verified, JoseError> {
    let parts = Parts::of(token)?;
    let header = parts.header()?;
    let key = lookup(&header).ok_or(JoseError::UnknownKey)?;
    let key: &Key = key.borrow();
    if header.algorithm != key.algorithm() {
        return Err(JoseError::WrongAlgorithm { token: header.algorithm, key: key.algorithm() });
    }
    let signature = decode(parts.signature, "its signature is no base64url")?;
    key.verify_bytes(parts.signed.as_bytes(), &signature)?;
    Ok(Verified { header, claims: parts.claims()? })
}

/// Decodes a token **without verifying it**: whoever sent it may have written all of it.
///
/// For telling kinds of tokens apart (which key to ask for, which answer a broken token gets); never for granting anything.
pub fn peek(token: &str) -> Option<(Header, Map<String, Value>)> {
    let parts = Parts::of(token).ok()?;
    Some((parts.header().ok()?, parts.claims().ok()?))
}

#[derive(Serialize)]
struct HeaderJson<'a> {
    alg: &'static str,
    typ: &'a str,
    kid: &'a str,
}

pub(super) fn encode_header(algorithm: Algorithm, typ: &str, kid: &str) -> Result<String, JoseError> {
    let header = HeaderJson { alg: algorithm.as_str(), typ, kid };
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).map_err(JoseError::Claims)?))
}

/// A token cut at its two dots; nothing is decoded yet.
struct Parts<'a> {
    /// Header, dot and payload: the JWS Signing Input.
    signed: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    fn of(token: &'a str) -> Result<Self, JoseError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(JoseError::TooLong);
        }
        let malformed = || JoseError::Malformed("it has not three parts");
        let (signed, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        let (header, payload) = signed.split_once('.').ok_or_else(malformed)?;
        if payload.contains('.') { Err(malformed()) } else { Ok(Self { signed, header, payload, signature }) }
    }

    fn header(&self) -> Result<Header, JoseError> {
        let members = object(self.header, "its header is no JSON object")?;
        let text = |name, what| match members.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(JoseError::Malformed(what)),
        };
        let algorithm = text("alg", "its alg is no text")?.ok_or(JoseError::Malformed("it has no alg"))?.parse()?;
        if members.contains_key("crit") {
            return Err(JoseError::Critical);
        }
        Ok(Header { algorithm, kid: text("kid", "its kid is no text")?, typ: text("typ", "its typ is no text")? })
    }

    fn claims(&self) -> Result<Map<String, Value>, JoseError> {
        object(self.payload, "its payload is no JSON object")
    }
}

fn object(part: &str, what: &'static str) -> Result<Map<String, Value>, JoseError> {
    serde_json::from_slice(&decode(part, what)?).map_err(|_| JoseError::Malformed(what))
}

/// Strict base64url (RFC 7515 §2): no padding, no white space, no stray bits at the end, so a token has one spelling only.
fn decode(part: &str, what: &'static str) -> Result<Vec<u8>, JoseError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| JoseError::Malformed(what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::testing;
    use proptest::prelude::*;
    use serde_json::json;

    /// The payload of RFC 7515 A.1 to A.3.
    const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

    fn rfc7515(header: &str, signature: &str, key: &Key) {
        let token = format!("{header}.{PAYLOAD}.{signature}");
        let verified = verify(&token, |_| Some(key)).unwrap();
        assert_eq!((&verified.claims["iss"], &verified.claims["exp"]), (&json!("joe"), &json!(1_300_819_380)));
        let broken = format!("{header}.{PAYLOAD}.{}", signature.replace(['Q', 'E'], "A"));
        assert!(matches!(verify(&broken, |_| Some(key)), Err(JoseError::BadSignature)));
    }

    #[test]
    fn rfc_7515_a_1_hs256_verifies() {
        let secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let key = Key::from_secret("a1", Algorithm::Hs256, &URL_SAFE_NO_PAD.decode(secret).unwrap()).unwrap();
        rfc7515("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", &key);
    }

    #[test]
    fn rfc_7515_a_2_rs256_verifies() {
        let n = concat!(
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs",
            "D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV",
            "MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
        );
        let signature = concat!(
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZ",
            "cAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-e",
            "OkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
        );
        rfc7515(
            "eyJhbGciOiJSUzI1NiJ9",
            signature,
            &testing::from_jwk(&json!({ "kty": "RSA", "n": n, "e": "AQAB" }), Algorithm::Rs256),
        );
    }

    #[test]
    fn rfc_7515_a_3_es256_verifies() {
        let (x, y) = ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
        let key = testing::from_jwk(&json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }), Algorithm::Es256);
        let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        rfc7515("eyJhbGciOiJFUzI1NiJ9", signature, &key);
    }

    /// The payloads of these two are no JSON, so only their signatures can be looked at.
    #[test]
    fn rfc_7515_a_4_es512_and_rfc_8037_a_4_eddsa_verify() {
        let x = "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk";
        let y = "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2";
        let es512 = testing::from_jwk(&json!({ "kty": "EC", "crv": "P-521", "x": x, "y": y }), Algorithm::Es512);
        let es512_signature = concat!(
            "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7Xdt",
            "AG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"
        );
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let eddsa = testing::from_jwk(&json!({ "kty": "OKP", "crv": "Ed25519", "x": x }), Algorithm::EdDsa);
        let eddsa_signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        for (key, signed, signature) in [
            (es512, "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA", es512_signature),
            (eddsa, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc", eddsa_signature),
        ] {
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            assert!(key.verify_bytes(signed.as_bytes(), &signature).is_ok(), "{key:?}");
            assert!(key.verify_bytes(b"other", &signature).is_err(), "{key:?}");
        }
    }

    #[test]
    fn every_algorithm_signs_what_it_verifies_under_a_header_in_keycloaks_order() {
        for algorithm in Algorithm::ALL {
            let key = testing::key(algorithm);
            for typ in ["JWT", "at+jwt"] {
                let token = sign(&key, typ, &json!({ "sub": "u1", "n": 1 })).unwrap();
                let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
                let expected = format!(r#"{{"alg":"{algorithm}","typ":"{typ}","kid":"{algorithm}"}}"#);
                assert_eq!(String::from_utf8(header).unwrap(), expected);
                let verified = verify(&token, |header| (header.kid.as_deref() == Some(key.kid())).then_some(&key)).unwrap();
                assert_eq!((verified.header.algorithm, verified.header.typ.as_deref()), (algorithm, Some(typ)));
                assert_eq!(Value::Object(verified.claims), json!({ "sub": "u1", "n": 1 }));
            }
        }
    }

    /// What we sign, a library that others wrote verifies. It has no ES512.
    #[test]
    fn jsonwebtoken_verifies_every_algorithm_it_has() {
        for algorithm in Algorithm::ALL.into_iter().filter(|a| *a != Algorithm::Es512) {
            let token = sign(&testing::key(algorithm), "JWT", &json!({ "sub": "u1" })).unwrap();
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let name: jsonwebtoken::Algorithm = algorithm.as_str().parse().unwrap();
            let key = match testing::key(algorithm).public() {
                None => jsonwebtoken::DecodingKey::from_secret(&[algorithm as u8; 64]),
                Some(public) => {
                    let jwk = crate::jose::public_jwk(public);
                    jsonwebtoken::DecodingKey::from_jwk(&serde_json::from_value(jwk).unwrap()).unwrap()
                }
            };
            assert!(jsonwebtoken::crypto::verify(signature, signed.as_bytes(), &key, name).unwrap(), "{algorithm}");
        }
    }

    #[test]
    fn signing_with_a_secret_is_deterministic() {
        for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
            let sign_once = || sign(&testing::key(algorithm), "JWT", &json!({ "jti": "a", "typ": "Offline" })).unwrap();
            assert_eq!(sign_once(), sign_once());
        }
    }

    fn hs256(header: &str, claims: &str) -> Result<Verified, JoseError> {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let key = testing::key(Algorithm::Hs256);
        let signature = URL_SAFE_NO_PAD.encode(key.sign_bytes(signed.as_bytes()).unwrap());
        verify(&format!("{signed}.{signature}"), |_| Some(key))
    }

    #[test]
    fn headers_that_are_not_plain_are_refused_though_the_signature_is_right() {
        assert!(hs256(r#"{"alg":"HS256"}"#, "{}").is_ok());
        assert!(hs256(r#"{"alg":"HS256","jku":"https://evil","x5u":1,"jwk":{"kty":"oct"}}"#, "{}").is_ok(), "ignored");
        for header in [r#"{"alg":"HS256","crit":["exp"]}"#, r#"{"alg":"HS256","crit":null}"#] {
            assert!(matches!(hs256(header, "{}"), Err(JoseError::Critical)), "{header}");
        }
        for header in ["", "[]", "7", r#"["HS256"]"#, "{}", r#"{"alg":7}"#, r#"{"alg":"HS256","kid":7}"#, r#"{"alg":"HS256"}x"#] {
            assert!(matches!(hs256(header, "{}"), Err(JoseError::Malformed(_))), "{header}");
        }
        for claims in ["", "[]", "null", "\"text\"", "{} {}", "\u{feff}{}"] {
            assert!(matches!(hs256(r#"{"alg":"HS256"}"#, claims), Err(JoseError::Malformed(_))), "{claims}");
        }
    }

    #[test]
    fn a_token_has_one_spelling_and_three_parts() {
        let key = testing::key(Algorithm::Hs256);
        let token = sign(&key, "JWT", &json!({ "a": 1 })).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let variants = [
            String::new(),
            signed.to_owned(),
            format!("{signed}."),
            format!("{token}."),
            format!("{token}="),
            format!("{token}\n"),
            format!(" {token}"),
            format!("{token}.{signature}"),
            format!(".{token}"),
            format!("{signed}..{signature}"),
        ];
        for variant in &variants {
            assert!(verify(variant, |_| Some(&key)).is_err(), "{variant:?}");
        }
        // 32 bytes end in two unused bits: another last letter would decode to the same signature.
        let next = |c: char| char::from_u32(c as u32 + 1).unwrap();
        let last = token.chars().last().unwrap();
        let respelt = format!("{}{}", &token[..token.len() - 1], next(last));
        assert!(verify(&respelt, |_| Some(&key)).is_err());
    }

    #[test]
    fn a_token_of_more_than_64_kib_is_refused_unread() {
        let key = testing::key(Algorithm::Hs512);
        let token = sign(&key, "JWT", &json!({ "a": "x".repeat(50_000) })).unwrap();
        assert!(token.len() > MAX_TOKEN_BYTES);
        let looked_up = |_: &Header| -> Option<Key> { panic!("it was read") };
        assert!(matches!(verify(&token, looked_up), Err(JoseError::TooLong)));
        assert!(peek(&token).is_none());
    }

    #[test]
    fn peek_reads_what_verify_refuses() {
        let token = sign(&testing::key(Algorithm::Hs512), "JWT", &json!({ "typ": "Offline" })).unwrap();
        assert!(matches!(verify(&token, |_| None::<Key>), Err(JoseError::UnknownKey)));
        let (header, claims) = peek(&token).unwrap();
        assert_eq!((header.algorithm, header.kid.as_deref()), (Algorithm::Hs512, Some("HS512")));
        assert_eq!(claims["typ"], "Offline");
        assert!(peek("no.token.atall").is_none());
    }

    proptest! {
        #[test]
        fn no_text_makes_verify_or_peek_panic(text in ".{0,200}", part in "[A-Za-z0-9_-]{0,40}(\\.[A-Za-z0-9_-]{0,40}){0,4}") {
            for token in [text, part] {
                prop_assert!(verify(&token, |_| Some(testing::key(Algorithm::Hs256))).is_err());
                let _ = peek(&token);
            }
        }

        #[test]
        fn no_json_makes_verify_or_peek_panic(header in "\\PC{0,60}", claims in "\\PC{0,60}", alg in "RS256|HS256|none|\\PC{0,8}") {
            for header in [header, json!({ "alg": alg, "kid": claims.clone() }).to_string()] {
                let _ = hs256(&header, &claims);
                let _ = peek(&format!("{}.{}.", URL_SAFE_NO_PAD.encode(&header), URL_SAFE_NO_PAD.encode(&claims)));
            }
        }

        #[test]
        fn a_changed_byte_is_never_verified(at in 0_usize..200, to in "[A-Za-z0-9_.-]") {
            let key = testing::key(Algorithm::Hs512);
            let mut token = sign(&key, "JWT", &json!({ "jti": "0123456789", "typ": "Offline" })).unwrap();
            let at = at % token.len();
            prop_assume!(token[at..=at] != to);
            token.replace_range(at..=at, &to);
            prop_assert!(verify(&token, |_| Some(&key)).is_err());
        }
    }
}
