use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::{Presented, presented};

fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in list {
        map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    map
}

fn token(text: &str) -> Presented {
    Presented::Token(text.to_owned())
}

#[test]
fn the_header_wins_and_the_cookie_counts_only_when_we_issue() {
    let both = headers(&[("authorization", "Bearer abc"), ("cookie", "codex_session=xyz")]);
    assert_eq!(presented(&both, true), token("abc"));
    let cookie = headers(&[("cookie", "session=nexus; codex_session=xyz; other=1")]);
    assert_eq!(presented(&cookie, true), token("xyz"));
    assert_eq!(presented(&cookie, false), Presented::Nothing);
    assert_eq!(presented(&headers(&[]), true), Presented::Nothing);
    assert_eq!(presented(&headers(&[("cookie", "codex_session=")]), true), Presented::Nothing);
    assert_eq!(presented(&headers(&[("cookie", "codex_session_old=1; xcodex_session=2")]), true), Presented::Nothing);
}

#[test]
fn a_malformed_header_is_not_overlooked() {
    for value in ["abc", "Bearer", "Bearer ", "Bearer a b", "Basic YTpi", "Token abc", "Bearer\tabc"] {
        let sent = headers(&[("authorization", value), ("cookie", "codex_session=xyz")]);
        assert_eq!(presented(&sent, true), Presented::Garbage, "{value:?}");
    }
    let twice = headers(&[("authorization", "Bearer a"), ("authorization", "Bearer b")]);
    assert_eq!(presented(&twice, true), Presented::Garbage);
    assert_eq!(presented(&headers(&[("authorization", "bearer abc")]), false), token("abc"));
}

#[test]
fn an_api_key_comes_one_way_at_a_time() {
    let key = || Presented::Key("codex_abc".to_owned());
    assert_eq!(presented(&headers(&[("x-api-key", " codex_abc ")]), false), key());
    assert_eq!(presented(&headers(&[("authorization", "Bearer codex_abc")]), false), key());
    assert_eq!(presented(&headers(&[("x-api-key", "codex_abc"), ("cookie", "codex_session=xyz")]), true), key());
    for both in [("authorization", "Bearer codex_abc"), ("authorization", "Bearer abc"), ("x-api-key", "codex_abc")] {
        assert_eq!(presented(&headers(&[("x-api-key", "codex_abc"), both]), true), Presented::Garbage, "{both:?}");
    }
    assert_eq!(presented(&headers(&[("x-api-key", "abc"), ("cookie", "codex_session=xyz")]), true), Presented::Garbage);
}
