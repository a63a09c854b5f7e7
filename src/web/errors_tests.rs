use super::*;

fn about(wants_page: bool) -> About {
    About {
        method: Method::GET,
        path: "/codex/companies/1?x".into(),
        target: "/companies/1?x".into(),
        wants_page,
        prefix: Prefix::new("/codex", ""),
        id: RequestId::of(&HeaderMap::new()),
        sign_in: true,
        headers: HeaderMap::new(),
        page: crate::ui::error_page::render,
    }
}

#[test]
fn the_body_speaks_both_vocabularies_and_extra_members_never_replace_them() {
    let mut details = Map::new();
    details.insert("attached".into(), json!({"assets": 3}));
    details.insert("status".into(), json!("mine"));
    let body = body(&about(false), &Error::Conflict { message: "still in use".into(), details });
    assert_eq!(body["error"], "still in use");
    assert_eq!(body["detail"], "still in use");
    assert_eq!(body["type"], "about:blank#conflict");
    assert_eq!(body["title"], "Conflict");
    assert_eq!(body["status"], 409);
    assert_eq!(body["instance"], "/codex/companies/1?x");
    assert_eq!(body["attached"]["assets"], 3);
    assert!(body["request_id"].is_string());
}

#[test]
fn causes_inside_are_never_shown() {
    for error in [Error::internal("password=hunter2"), Error::Storage("/srv/hunter2".into())] {
        let text = body(&about(false), &error).to_string();
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn every_wrong_field_is_listed() {
    let body = body(&about(false), &Error::field("name", "is required"));
    assert_eq!(body["error"], "name: is required");
    assert_eq!(body["errors"], json!([{"field": "name", "message": "is required"}]));
}

#[test]
fn a_browser_without_a_session_is_sent_to_sign_in_and_a_program_gets_401() {
    let denied = || Error::Unauthorized("sign in first".into()).into_response();
    let page = render(&about(true), denied());
    assert_eq!(page.status(), StatusCode::SEE_OTHER);
    assert_eq!(page.headers()[header::LOCATION], "/codex/login?next=%2Fcompanies%2F1%3Fx");
    let json = render(&about(false), denied());
    assert_eq!(json.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(json.headers()[header::WWW_AUTHENTICATE], "Bearer");
}

#[test]
fn busy_answers_say_when_to_come_back_and_keep_their_headers() {
    let busy = render(&about(false), Error::Unavailable("busy".into()).into_response());
    assert_eq!(busy.headers()[header::RETRY_AFTER], "1");
    let mut response = Error::TooMany { retry_after: 42 }.into_response();
    response.headers_mut().insert("x-kept", HeaderValue::from_static("yes"));
    let rendered = render(&about(false), response);
    assert_eq!(rendered.headers()[header::RETRY_AFTER], "42");
    assert_eq!(rendered.headers()["x-kept"], "yes");
    assert_eq!(rendered.headers()[header::CONTENT_TYPE], "application/json");
}

#[test]
fn only_people_get_pages() {
    let mut browser = HeaderMap::new();
    browser.insert(header::ACCEPT, HeaderValue::from_static("text/html,application/xhtml+xml"));
    assert!(wants_page("/companies/1", &browser));
    assert!(wants_page("/synchronous", &browser));
    for path in ["/api/companies", "/companies/api/search", "/sync/status/1", "/health", "/api"] {
        assert!(!wants_page(path, &browser), "{path}");
    }
    assert!(!wants_page("/companies/1", &HeaderMap::new()));
}
