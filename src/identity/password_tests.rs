use super::*;

#[tokio::test]
async fn a_hash_knows_its_password_alone() {
    let stored = hash("correct horse".to_owned()).await.unwrap();
    assert!(stored.starts_with("$argon2id$v=19$"), "{stored}");
    assert!(verify(&place().unwrap(), "correct horse".to_owned(), Some(stored.clone())).await.unwrap());
    assert!(!verify(&place().unwrap(), "Correct horse".to_owned(), Some(stored)).await.unwrap());
    assert!(!verify(&place().unwrap(), "correct horse".to_owned(), Some("not a hash".to_owned())).await.unwrap());
}

#[tokio::test]
async fn nobody_has_a_password() {
    assert!(!verify(&place().unwrap(), "nobody has this password".to_owned(), None).await.unwrap());
    assert!(!verify(&place().unwrap(), "x".repeat(1_000_000), None).await.unwrap());
}

#[test]
fn weak_passwords_are_refused_by_name() {
    for bad in ["", "1234567", "AdaLovelace", &"x".repeat(1_001)] {
        let error = check("password", bad, "adalovelace").unwrap_err();
        assert!(error.to_string().starts_with("password: must"), "{error}");
    }
    assert!(check("password", "eight ch", "ada").is_ok());
    assert!(check("password", "grün ✓✓✓", "ada").is_ok());
}
