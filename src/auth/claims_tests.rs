use serde_json::{Value, json};

use super::*;

const NOW: f64 = 1_000_000.0;

fn user() -> Value {
    json!({
        "iss": "hivematrix-core", "sub": "u-1", "jti": "s", "name": "Ada", "email": "ada@example.com", "preferred_username": "ada",
        "permission_level": "technician", "groups": ["technicians"], "iat": 999_990, "exp": 1_000_100,
    })
}

fn service() -> Value {
    json!({
        "iss": "hivematrix-core", "sub": "service:ledger", "type": "service", "calling_service": "ledger", "target_service": "codex",
        "iat": 999_990, "exp": 1_000_100,
    })
}

fn with(mut base: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        base[name] = value.clone();
    }
    base
}

fn without(mut base: Value, name: &str) -> Value {
    base.as_object_mut().unwrap().remove(name);
    base
}

fn judge(claims: &Value) -> Result<Caller, String> {
    let expected =
        Expected { issuers: vec!["hivematrix-core".into(), "hivematrix.core".into()], service: "codex".into(), ours: false };
    let claims = serde_json::from_str::<Claims>(&claims.to_string()).map_err(|error| error.to_string())?;
    claims.check(&expected, NOW)?;
    Ok(claims.caller())
}

#[test]
fn every_kind_of_token_that_core_issues_is_accepted() {
    let Caller::User(ada) = judge(&user()).unwrap() else { unreachable!() };
    assert_eq!((ada.sub.as_str(), ada.level, ada.jti.as_deref()), ("u-1", Level::Technician, Some("s")));
    assert_eq!(judge(&service()).unwrap(), Caller::Service { name: "ledger".into() });
    assert!(judge(&without(service(), "target_service")).is_ok());
    let helm = json!({"iss": "hivematrix-core", "sub": "admin", "email": "", "preferred_username": "admin",
        "permission_level": "admin", "groups": ["admin"], "iat": 999_990, "exp": 1_086_390});
    assert!(judge(&helm).unwrap().is_admin());
    assert!(judge(&with(user(), &json!({"iss": "hivematrix.core", "jti": null, "name": "", "email": null}))).is_ok());
    assert!(judge(&with(user(), &json!({"iat": 999_000, "exp": 999_941}))).is_ok(), "within the leeway");
    assert!(judge(&with(user(), &json!({"iat": 1_000_060, "nbf": 1_000_060}))).is_ok(), "within the leeway");
    for late in [json!({"iat": 1_000_062}), json!({"nbf": 1_000_062}), json!({"exp": 999_938})] {
        assert!(judge(&with(user(), &late)).is_err(), "beyond the leeway: {late}");
    }
    let ours = Expected { issuers: vec!["hivematrix-core".into()], service: "codex".into(), ours: true };
    let early = serde_json::from_value::<Claims>(with(user(), &json!({"iat": 1_090_000, "exp": 1_100_000}))).unwrap();
    assert!(early.check(&ours, NOW).is_ok(), "a session of ours stands although our clock was set back");
}

#[test]
fn a_level_that_is_missing_or_unknown_is_a_clients() {
    for claims in [
        without(user(), "permission_level"),
        with(user(), &json!({"permission_level": null})),
        with(user(), &json!({"permission_level": ""})),
        with(user(), &json!({"permission_level": "Admin"})),
        with(user(), &json!({"permission_level": "root"})),
    ] {
        assert_eq!(judge(&claims).unwrap().level(), Some(Level::Client), "{claims}");
    }
}

#[test]
fn nothing_else_is_accepted() {
    let changes = [
        json!({"iss": "evil"}),
        json!({"iss": ""}),
        json!({"iss": null}),
        json!({"iss": ["hivematrix-core"]}),
        json!({"iss": "HIVEMATRIX-CORE"}),
        json!({"iss": "hivematrix-core "}),
        json!({"sub": ""}),
        json!({"sub": " "}),
        json!({"sub": null}),
        json!({"sub": 7}),
        json!({"exp": null}),
        json!({"exp": "1000100"}),
        json!({"exp": 999_970}),
        json!({"exp": 0}),
        json!({"exp": -5}),
        json!({"exp": []}),
        json!({"iat": 1_000_061}),
        json!({"iat": "now"}),
        json!({"iat": -1}),
        json!({"iat": 1_000_020, "exp": 1_000_010}),
        json!({"nbf": 1_000_061}),
        json!({"nbf": "x"}),
        json!({"aud": "codex"}),
        json!({"aud": []}),
        json!({"aud": ["nexus"]}),
        json!({"target_service": "ledger"}),
        json!({"target_service": ""}),
        json!({"type": "service"}),
        json!({"type": "Service"}),
        json!({"type": "refresh"}),
        json!({"type": ["service"]}),
        json!({"type": ""}),
        json!({"type": "service", "calling_service": "ledger"}),
        json!({"type": "service", "calling_service": "ledger", "sub": "service:ledger"}),
        json!({"calling_service": "ledger"}),
        json!({"sub": "service:ledger"}),
        json!({"permission_level": ["admin"]}),
        json!({"permission_level": 1}),
        json!({"email": ["a"]}),
        json!({"jti": 5}),
    ];
    for change in changes {
        assert!(judge(&with(user(), &change)).is_err(), "user {change}");
    }
    let changes = [
        json!({"sub": "service:beacon"}),
        json!({"sub": "ledger"}),
        json!({"calling_service": null}),
        json!({"calling_service": ""}),
        json!({"calling_service": "a b", "sub": "service:a b"}),
        json!({"calling_service": "", "sub": "service:"}),
        json!({"target_service": "beacon"}),
        json!({"type": null}),
        json!({"type": "user"}),
        json!({"email": "ada@example.com"}),
        json!({"preferred_username": "ada"}),
    ];
    for change in changes {
        assert!(judge(&with(service(), &change)).is_err(), "service {change}");
    }
    for name in ["iss", "sub", "exp"] {
        assert!(judge(&without(user(), name)).is_err(), "user without {name}");
    }
}

#[test]
fn a_claim_that_stands_twice_is_refused() {
    let text = r#"{"iss":"hivematrix-core","sub":"u","exp":1000100,"permission_level":"client","permission_level":"admin"}"#;
    assert!(serde_json::from_str::<Claims>(text).is_err());
}
