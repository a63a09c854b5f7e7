use super::*;
use crate::web::{Fields, Path, Query};
use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

fn app(standalone: bool) -> Router {
    let routes = Routes::new()
        .get("/companies/", async |prefix: Prefix| format!("list at {prefix}"))
        .get("/api/things/{id}", async |Path(id): Path<i64>, query: Query| format!("{id} {}", query.int_or("limit", 5)))
        .post("/api/things", async |mut fields: Fields| -> Result<String, Error> {
            let name = fields.text("name").required().max(5).value();
            fields.finish()?;
            Ok(name.unwrap_or_default())
        })
        .get("/api/panic", async || -> String { panic!("secret") })
        .get("/api/broken", async || -> Result<String, Error> { Err(Error::internal("secret")) });
    let (web, _folder) = crate::web::test_state(standalone);
    wrap(routes.merge(crate::web::static_files::routes()), web, crate::ui::error_page::render, |router| router)
}

async fn ask(method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> (StatusCode, HeaderMap, String) {
    let mut request = Request::new(body.into());
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(name.parse::<header::HeaderName>().unwrap(), value.parse().unwrap());
    }
    let response = app(true).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn get(path: &str) -> (StatusCode, HeaderMap, String) {
    ask(Method::GET, path, &[], "").await
}

#[tokio::test]
async fn every_route_exists_at_both_mounts() {
    assert_eq!(get("/api/things/7?limit=x").await.2, "7 5");
    assert_eq!(get("/codex/api/things/7?limit=9").await.2, "7 9");
    assert_eq!(get("/codex/companies/").await.2, "list at /codex");
    let (status, headers, _) = get("/codex/companies?x=1").await;
    assert_eq!(
        (status, &headers[header::LOCATION]),
        (StatusCode::PERMANENT_REDIRECT, &HeaderValue::from_static("/codex/companies/?x=1"))
    );
}

#[tokio::test]
async fn unknown_addresses_and_methods_answer_in_json() {
    for path in ["/nowhere", "/api/things/abc", "/codexes", "/codex/nowhere"] {
        let (status, headers, body) = get(path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(headers[header::CONTENT_TYPE], "application/json");
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["instance"], path);
    }
    let (status, headers, body) = ask(Method::DELETE, "/api/things/7", &[], "").await;
    assert_eq!((status, &headers[header::ALLOW]), (StatusCode::METHOD_NOT_ALLOWED, &HeaderValue::from_static("GET,HEAD")));
    assert!(body.contains("\"error\""));
}

#[tokio::test]
async fn a_browser_gets_a_page() {
    let (status, headers, body) = ask(Method::GET, "/nowhere", &[("accept", "text/html")], "").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
    assert!(body.contains("Page not found"), "{body}");
    assert!(headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'none'"));
}

#[tokio::test]
async fn a_panic_and_a_bug_are_500_without_their_text() {
    for path in ["/api/panic", "/api/broken"] {
        let (status, headers, body) = ask(Method::GET, path, &[("x-correlation-id", "abc-1")], "").await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(headers["x-request-id"], "abc-1");
        assert!(!body.contains("secret"), "{body}");
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["request_id"], "abc-1");
    }
}

#[tokio::test]
async fn bad_bodies_are_refused_by_name() {
    let json_type = [("content-type", "application/json; charset=utf-8")];
    let post = async |headers, body: &'static str| ask(Method::POST, "/api/things", headers, body).await;
    assert_eq!(post(&json_type, r#"{"name":"Acme"}"#).await.2, "Acme");
    assert_eq!(post(&[("content-type", "application/x-www-form-urlencoded")], "name=Acme").await.2, "Acme");
    let (status, _, body) = post(&json_type, r#"{"name":"too long"}"#).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["errors"][0]["field"], json!("name"));
    assert_eq!(post(&[("content-type", "text/xml")], "<name/>").await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(post(&json_type, "").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_body_of_20_megabytes_is_refused_announced_or_not() {
    let announced = ask(Method::POST, "/api/things", &[("content-length", "20000000")], vec![b' '; 20_000_000]).await;
    let streamed = ask(Method::POST, "/api/things", &[], vec![b' '; 20_000_000]).await;
    for (status, headers, body) in [announced, streamed] {
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(headers[header::CONTENT_TYPE], "application/json");
        assert!(body.contains("65536"), "strangers may send less: {body}");
    }
}

#[tokio::test]
async fn behind_the_platform_there_is_no_policy_and_no_sign_in_page() {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = "/nowhere".parse().unwrap();
    let response = app(false).oneshot(request).await.unwrap();
    assert!(response.headers().get(header::CONTENT_SECURITY_POLICY).is_none());
    assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
}

#[tokio::test]
async fn a_file_keeps_its_named_address_for_ever() {
    let path = crate::web::static_files::path("robots.txt");
    let (status, headers, body) = get(&path).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "User-agent: *\nDisallow: /\n"));
    assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
    let etag = headers[header::ETAG].to_str().unwrap();
    assert_eq!(ask(Method::GET, &path, &[("if-none-match", etag)], "").await.0, StatusCode::NOT_MODIFIED);
    assert_eq!(get("/static/robots.txt?v=old").await.1[header::CACHE_CONTROL], "no-cache");
    assert_eq!(get("/static/../Cargo.toml").await.0, StatusCode::NOT_FOUND);
}
