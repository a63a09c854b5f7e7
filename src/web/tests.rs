//! Lists and writes over real routes and a real database, with a room made of one query.

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Method, Request, StatusCode},
    response::Response,
};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{Fields, Path, Preconditions, ReadRequest, Reply, Routes, Web, list, middleware, test_state};
use crate::{
    db::list::{Column, Kind, ListSpec, Search},
    error::{Error, Result},
    params,
    types::{Actor, Scope, SearchText, fold, now},
};

static SPEC: ListSpec = ListSpec {
    entities: &["companies"],
    select: || "company.id, company.name".to_owned(),
    from: "@companies company",
    key: "company.id",
    columns: &[
        Column::new("id", "company.id", Kind::Int).required(),
        Column::text("name", "company.name").folded("company.name_folded").required(),
    ],
    default_sort: "id",
    search: Some(Search { fts: "companies_fts", text: "company.search_text", private: None }),
    retired: Some("company.retired_at"),
    own: &[],
    fields: || &["id", "name"],
};

async fn index(State(web): State<Web>, request: ReadRequest) -> Result<Response> {
    let query = request.list(&SPEC)?;
    list::respond(&web, &Scope::All, "", &request, query, |conn, query, rows| {
        query.each(conn, |row| rows.push(&json!({"id": row.get::<i64>(0)?, "name": row.get::<String>(1)?})))
    })
    .await
}

async fn show(State(web): State<Web>, Path(id): Path<i64>, request: ReadRequest) -> Result<Response> {
    let row =
        web.db.read(&Scope::All, move |c| c.first("SELECT name, rev FROM @companies company WHERE id = ?1", params![id])).await?;
    let row = row.ok_or(Error::NotFound { what: "Company" })?;
    request.row(id, row.get(1)?, &json!({"id": id, "name": row.get::<String>(0)?}))
}

async fn create(State(web): State<Web>, conditions: Preconditions, mut fields: Fields) -> Result<Response> {
    let name = fields.text("name").required().max(20).value().unwrap_or_default();
    let body = fields.digest();
    fields.finish()?;
    let work = move |w: &mut crate::db::Write<'_>| {
        let row = w.one(
            "INSERT INTO companies (account_number, name, created_at, updated_at, name_folded, search_text)
             VALUES (?1, ?1, ?2, ?2, ?3, ?4) RETURNING id",
            params![&name, now(), fold(&name), SearchText::new().words([&name]).finish()],
        )?;
        w.next_change("companies")?;
        let id: i64 = row.get(0)?;
        Ok(Reply::created(&json!({"id": id}), format!("/api/companies/{id}"))?.tagged(id, 1).with("message", "created"))
    };
    conditions.run(&web, &Scope::All, &Actor::system("test"), &body, work).await
}

async fn rename(State(web): State<Web>, Path(id): Path<i64>, conditions: Preconditions, fields: Fields) -> Result<Response> {
    let expected = conditions.rev(id)?;
    let work = move |w: &mut crate::db::Write<'_>| {
        let rev: i64 = w.one("SELECT rev FROM companies WHERE id = ?1", params![id])?.get(0)?;
        if expected.is_some_and(|expected| expected != rev) {
            return Err(Error::PreconditionFailed);
        }
        w.run("UPDATE companies SET rev = rev + 1, name = 'renamed' WHERE id = ?1", params![id])?;
        w.next_change("companies")?;
        Ok(Reply::ok(&json!({"id": id}))?.tagged(id, rev + 1))
    };
    conditions.run(&web, &Scope::All, &Actor::system("test"), &fields.digest(), work).await
}

fn app() -> (Router, tempfile::TempDir) {
    let (web, folder) = test_state(true);
    let routes = Routes::new().get("/api/companies", index).post("/api/companies", create);
    (
        middleware::wrap(
            routes.get("/api/companies/{id}", show).update("/api/companies/{id}", rename),
            web,
            crate::ui::error_page::render,
            |router| router,
        ),
        folder,
    )
}

struct Answer(StatusCode, HeaderMap, String);

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.1.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn ask(app: &Router, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = app.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    Answer(parts.status, parts.headers, text)
}

async fn get(app: &Router, path: &str) -> Answer {
    ask(app, Method::GET, path, &[], "").await
}

async fn post(app: &Router, path: &str, key: &str, name: &str) -> Answer {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    let headers = if key.is_empty() { &headers[..1] } else { &headers[..] };
    ask(app, Method::POST, path, headers, &json!({"name": name}).to_string()).await
}

#[tokio::test]
async fn a_list_stays_an_array_and_new_parameters_change_its_look() {
    let (app, _folder) = app();
    assert_eq!(get(&app, "/api/companies").await.2, "[]");
    for name in ["Acme", "=Beta", "Gamma"] {
        assert_eq!(post(&app, "/api/companies", "", name).await.0, StatusCode::CREATED);
    }
    let all = get(&app, "/api/companies?limit=x").await;
    assert_eq!(all.2, r#"[{"id":1,"name":"Acme"},{"id":2,"name":"=Beta"},{"id":3,"name":"Gamma"}]"#);
    assert_eq!((all.header("x-total-count"), all.header("link")), ("3", ""));
    let page = get(&app, "/codex/api/companies?limit=1&offset=1&sort=-name").await;
    assert_eq!(page.2, r#"[{"id":1,"name":"Acme"}]"#);
    assert_eq!(page.header("x-total-count"), "3");
    assert!(
        page.header("link").contains("</codex/api/companies?sort=-name&limit=1&offset=2>; rel=\"next\""),
        "{}",
        page.header("link")
    );
    let numbered = get(&app, "/api/companies?page=2&per_page=2").await;
    assert!(numbered.header("link").contains("</api/companies?page=1&per_page=2>; rel=\"prev\""), "{}", numbered.header("link"));
    assert_eq!(get(&app, "/api/companies?fields=name&limit=1").await.2, r#"[{"name":"Acme"}]"#);
    assert_eq!(
        get(&app, "/api/companies?envelope=1&limit=1").await.2,
        r#"{"items":[{"id":1,"name":"Acme"}],"total":3,"limit":1,"offset":0}"#
    );
    let csv = get(&app, "/api/companies?format=csv").await;
    assert_eq!(csv.2, "id,name\n1,Acme\n2,'=Beta\n3,Gamma\n");
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"companies.csv\"");
    assert_eq!(get(&app, "/api/companies?fields=secret").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(get(&app, "/api/companies?format=xml").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn unchanged_answers_are_not_sent_twice_and_changed_ones_are_never_old() {
    let (app, _folder) = app();
    let before = get(&app, "/api/companies").await;
    let known = [("if-none-match", before.header("etag"))];
    let unchanged = ask(&app, Method::GET, "/api/companies", &known, "").await;
    assert_eq!((unchanged.0, unchanged.2.as_str()), (StatusCode::NOT_MODIFIED, ""));
    post(&app, "/api/companies", "", "Acme").await;
    let after = ask(&app, Method::GET, "/api/companies", &known, "").await;
    assert_eq!((after.0, after.2.as_str()), (StatusCode::OK, r#"[{"id":1,"name":"Acme"}]"#));
    let one = get(&app, "/api/companies/1").await;
    let known = [("if-none-match", one.header("etag"))];
    assert_eq!(ask(&app, Method::GET, "/api/companies/1", &known, "").await.0, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn a_write_happens_only_to_the_version_that_was_read() {
    let (app, _folder) = app();
    let created = post(&app, "/api/companies", "", "Acme").await;
    assert_eq!((created.header("etag"), created.header("location")), ("\"1-1\"", "/api/companies/1"));
    let read = get(&app, "/api/companies/1").await;
    let put = async |etag: &str| ask(&app, Method::PUT, "/api/companies/1", &[("if-match", etag)], "").await;
    let first = put(read.header("etag")).await;
    assert_eq!((first.0, first.header("etag")), (StatusCode::OK, "\"1-2\""));
    assert_eq!(put(read.header("etag")).await.0, StatusCode::PRECONDITION_FAILED);
    assert_eq!(put("\"1-2\"").await.0, StatusCode::OK);
}

#[tokio::test]
async fn the_same_key_never_writes_twice() {
    let (app, _folder) = app();
    let first = post(&app, "/api/companies", "k1", "Acme").await;
    let again = post(&app, "/api/companies", "k1", "Acme").await;
    assert_eq!((first.0, &first.2), (again.0, &again.2));
    assert_eq!(first.2, r#"{"message":"created","id":1}"#);
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
    assert_eq!(first.header("etag"), again.header("etag"));
    assert_eq!(post(&app, "/api/companies", "k1", "Other").await.0, StatusCode::CONFLICT);
    assert_eq!(post(&app, "/api/companies", "k2", "Other").await.0, StatusCode::CREATED);
    assert_eq!(post(&app, "/api/companies", &"k".repeat(201), "Third").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(get(&app, "/api/companies").await.header("x-total-count"), "2");
}

#[tokio::test]
async fn a_dry_run_checks_everything_and_keeps_nothing() {
    let (app, _folder) = app();
    let dry = post(&app, "/api/companies?dry_run=true", "k1", "Acme").await;
    assert_eq!((dry.0, dry.header("location")), (StatusCode::OK, ""));
    assert_eq!(serde_json::from_str::<Value>(&dry.2).unwrap()["dry_run"], true);
    assert_eq!(post(&app, "/api/companies?dry_run=1", "", &"x".repeat(21)).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(get(&app, "/api/companies").await.2, "[]");
    assert_eq!(post(&app, "/api/companies", "k1", "Acme").await.0, StatusCode::CREATED);
}
