use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::*;

const PAYLOAD: &str = r#"{"iss":"hivematrix-core","sub":"u","exp":1}"#;

fn token(header: &str, payload: &str) -> String {
    format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
}

#[test]
fn a_plain_token_is_read() {
    for header in [r#"{"alg":"RS256","kid":"k"}"#, r#"{"alg":"RS256","kid":"k","typ":"JWT","x":1,"jku":"https://evil.example"}"#]
    {
        let text = token(header, PAYLOAD);
        assert_eq!(Token::parse(&text).unwrap().kid, "k");
    }
}

#[test]
fn every_other_form_is_refused() {
    let headers = [
        r#"{"alg":"none","kid":"k"}"#,
        r#"{"alg":"None","kid":"k"}"#,
        r#"{"alg":"HS256","kid":"k"}"#,
        r#"{"alg":"RS512","kid":"k"}"#,
        r#"{"alg":"PS256","kid":"k"}"#,
        r#"{"alg":"rs256","kid":"k"}"#,
        r#"{"alg":["RS256"],"kid":"k"}"#,
        r#"{"alg":"","kid":"k"}"#,
        r#"{"kid":"k"}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"alg":"RS256","kid":null}"#,
        r#"{"alg":"RS256","kid":7}"#,
        r#"{"alg":"RS256","kid":["k"]}"#,
        r#"{"alg":"RS256","kid":"k","typ":"at+jwt"}"#,
        r#"{"alg":"RS256","kid":"k","crit":["exp"]}"#,
        r#"{"alg":"RS256","kid":"k","b64":false}"#,
        r#"{"alg":"RS256","kid":"k","zip":"DEF"}"#,
        r#"{"alg":"RS256","alg":"none","kid":"k"}"#,
        r#"["RS256"]"#,
        "[]",
        "null",
        "",
        "{",
        r#" {"alg":"RS256","kid":"k"}"#,
    ];
    for header in headers {
        assert!(Token::parse(&token(header, PAYLOAD)).is_err(), "{header}");
    }
    let good = token(r#"{"alg":"RS256","kid":"k"}"#, PAYLOAD);
    let parts: Vec<&str> = good.split('.').collect();
    let forms = [
        String::new(),
        ".".into(),
        "..".into(),
        "a.b.c".into(),
        format!("{good}.x"),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        format!("{}.{}..{}", parts[0], parts[1], parts[2]),
        format!(" {good}"),
        good.replace('.', " ."),
        format!("{good}{}", "A".repeat(16 * 1024)),
    ];
    for form in forms {
        assert!(Token::parse(&form).is_err(), "{form}");
    }
    let groups = vec!["/Team 001/Site 1"; 500];
    let payload = PAYLOAD.replacen('{', &format!(r#"{{"groups":{},"#, serde_json::to_string(&groups).unwrap()), 1);
    let long = token(r#"{"alg":"RS256","kid":"k"}"#, &payload);
    assert!(long.len() > 12_000 && Token::parse(&long).is_ok());
    for payload in ["[]", "null", "\"x\"", "{", r#"{"iss":1}"#] {
        assert!(Token::parse(&token(r#"{"alg":"RS256","kid":"k"}"#, payload)).is_err(), "{payload}");
    }
}
