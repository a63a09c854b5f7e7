use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::auth::{keys::Key, token::Token};

#[test]
fn the_key_is_made_once_and_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let first = Signer::open(folder.path()).unwrap();
    let again = Signer::open(folder.path()).unwrap();
    assert_eq!(first.public(), again.public());
    assert_eq!(first.holder(), again.holder());
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder.path().join("keys/jwt_private.pem")), 0o600);
    assert_eq!(mode(folder.path().join("keys")), 0o700);
    assert_eq!(fs::read_dir(folder.path().join("keys")).unwrap().count(), 1);
}

#[test]
fn what_it_signs_its_public_half_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let signer = Signer::open(folder.path()).unwrap();
    let text = signer.sign(&serde_json::json!({"iss": "x", "sub": "y", "exp": 1})).unwrap();
    let token = Token::parse(&text).unwrap();
    let key = Key::new(signer.public()).unwrap();
    assert!(token.is_signed_by(&key));
    let other = tempfile::tempdir().unwrap();
    let stranger = Signer::open(other.path()).unwrap();
    assert_ne!(stranger.public().kid, signer.public().kid);
    let renamed = Jwk { kid: signer.public().kid.clone(), ..stranger.public().clone() };
    assert!(!token.is_signed_by(&Key::new(&renamed).unwrap()));
}

#[test]
fn a_file_that_is_no_key_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("keys")).unwrap();
    fs::write(folder.path().join("keys/jwt_private.pem"), "nonsense").unwrap();
    let error = Signer::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("jwt_private.pem"), "{error}");
}
