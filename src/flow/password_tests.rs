use super::*;

/// Hashes of the same password by every algorithm that Keycloak has had, over the salt 00…0f; Keycloak 26.7.0 signs in with them.
const VECTORS: [(&str, u32, &str); 7] = [
    ("argon2", 5, "fO/87tNPKzs19ntluiblUxyQA8Rdqjk1Ov1FxaOMpm8="),
    ("pbkdf2-sha256", 27_500, "PfBruFNJ3iHnVheGjAeVMEHyYQkrq1Q/TRo82CXureY="),
    ("pbkdf2-sha256", 27_500, "PfBruFNJ3iHnVheGjAeVMEHyYQkrq1Q/TRo82CXureZEOX0hL6jq8qAiq8kGNbOiQ3p+KGc8xYdv0VfR8a5Qdg=="),
    ("pbkdf2-sha256", 600_000, "DHym9mRo1VHoOU0h1KyVtenN6XFTi6a3umFoksIxh7I="),
    ("pbkdf2-sha512", 30_000, "c5OlmGgn3i+TG7pVXjK68kYKGRXX7unIy0X7HePCAaZFrlPgQmeTitOFBME6ftpFpC8EB7zu+rolm3JnV16AiQ=="),
    ("pbkdf2-sha512", 210_000, "66Y8hf3xofswKSFJ+eZ7E/7aB2DLqW9/NbaC5ujtQb3/aUVzSbHMx1am7dnCH6oSeQNxzxWqfVEk6i/NuxCW1Q=="),
    ("pbkdf2", 20_000, "R6V2ydDy1R6v6K1OLHX/GAbGFbB2HIK3ZrPOizGZhJwN7zqo+hKIKHg1n9pK8gQEp/EhnIq3GsuG1vLWEdTtww=="),
];

fn imported(algorithm: &str, iterations: u32, value: &str) -> Credential {
    Credential {
        id: CredentialId::new("c"),
        kind: PASSWORD.to_owned(),
        user_label: None,
        created_at: Timestamp::from_unix_seconds(0),
        secret_data: Secret::new(json!({"value": value, "salt": "AAECAwQFBgcICQoLDA0ODw=="}).to_string()),
        credential_data: json!({"hashIterations": iterations, "algorithm": algorithm, "additionalParameters": {
            "hashLength": ["32"], "memory": ["7168"], "type": ["id"], "version": ["1.3"], "parallelism": ["1"]}}),
        priority: 10,
        last_step: None,
    }
}

#[tokio::test]
async fn hashes_that_keycloak_made_let_their_users_in() {
    let passwords = Passwords::new(2, Cost::KEYCLOAK);
    for (algorithm, iterations, value) in VECTORS {
        let credential = imported(algorithm, iterations, value);
        let right = passwords.check(&HashRule::default(), &Secret::new("Nightlatch-vector-1"), Some(&credential)).await;
        let expected = if algorithm == "argon2" { Check::Right } else { Check::RightButWeak };
        assert_eq!(right, expected, "{algorithm} {iterations}");
        assert_eq!(
            passwords.check(&HashRule::default(), &Secret::new("nightlatch-vector-1"), Some(&credential)).await,
            Check::Wrong
        );
    }
}

#[tokio::test]
async fn what_is_hashed_is_checked_and_nobody_without_a_password_comes_in() {
    let passwords = Passwords::new(1, Cost { memory_kib: 64, iterations: 1 });
    let credential =
        passwords.hash(&HashRule::default(), &Entropy::Os, &Secret::new("alice"), Timestamp::from_unix_seconds(0)).await.unwrap();
    assert_eq!(passwords.check(&HashRule::default(), &Secret::new("alice"), Some(&credential)).await, Check::Right);
    assert_eq!(passwords.check(&HashRule::default(), &Secret::new(""), Some(&credential)).await, Check::Wrong);
    assert_eq!(passwords.check(&HashRule::default(), &Secret::new("alice"), None).await, Check::Wrong);
    assert_eq!(passwords.check(&HashRule::default(), &Secret::new("a".repeat(1_025)), Some(&credential)).await, Check::Wrong);
}

#[test]
fn a_cost_that_would_stop_the_server_is_not_read() {
    for (algorithm, iterations) in [("argon2", 101), ("pbkdf2-sha256", 10_000_001), ("pbkdf2-sha256", 0), ("scrypt", 1)] {
        assert!(!is_understood(&imported(algorithm, iterations, VECTORS[0].2)), "{algorithm} {iterations}");
    }
}

#[tokio::test]
async fn a_realm_says_how_its_passwords_are_hashed_and_others_are_replaced() {
    let passwords = Passwords::new(1, Cost { memory_kib: 64, iterations: 1 });
    let (own, now) = (HashRule::default(), Timestamp::from_unix_seconds(0));
    for (algorithm, length) in
        [(HashAlgorithm::Pbkdf2Sha1, 64), (HashAlgorithm::Pbkdf2Sha256, 32), (HashAlgorithm::Pbkdf2Sha512, 64)]
    {
        let rule = HashRule { algorithm: Some(algorithm), iterations: Some(1_000) };
        let credential = passwords.hash(&rule, &Entropy::Os, &Secret::new("alice"), now).await.unwrap();
        assert_eq!(Stored::read(&credential).unwrap().value.len(), length);
        assert_eq!(passwords.check(&rule, &Secret::new("alice"), Some(&credential)).await, Check::Right);
        assert_eq!(passwords.check(&own, &Secret::new("alice"), Some(&credential)).await, Check::RightButWeak);
    }
}

#[tokio::test]
async fn a_list_is_a_file_of_its_folder_and_nothing_else() {
    let folder = std::env::temp_dir().join(format!("nightlatch-lists-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("inner")).unwrap();
    std::fs::write(folder.join("common.txt"), "123456\nPassw0rd\n").unwrap();
    let passwords = Passwords::new(1, Cost::KEYCLOAK).with_lists(Some(folder.clone()));
    let list = passwords.list("common.txt").unwrap();
    assert!(passwords.is_listed(list.clone(), &Secret::new("PASSW0RD")).await.unwrap().unwrap());
    assert!(!passwords.is_listed(list, &Secret::new("passw0rd1")).await.unwrap().unwrap());
    for name in ["", ".", "..", "inner", "none.txt", "../common.txt", "inner/../common.txt", ".hidden"] {
        assert_eq!(passwords.list(name), None, "{name}");
    }
    assert_eq!(Passwords::new(1, Cost::KEYCLOAK).list("common.txt"), None);
    std::fs::remove_dir_all(folder).unwrap();
}
