//! Who may do what: one table of route × caller (contract §3.5). A new route without a row fails.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, App, Engine, both};

/// The callers, in the order of the columns below.
const CALLERS: [&str; 6] = ["anonymous", "client", "billing", "technician", "admin", "service"];

/// Everybody, without any token.
const PUBLIC: &str = "y y y y y y";
/// Everybody who is signed in; clients within their companies.
const SIGNED_IN: &str = "1 y y y y y";
/// People, not programs.
const PEOPLE: &str = "1 y y y y 3";
/// Those who change domain rows.
const EDITORS: &str = "1 3 3 y y y";
/// Technicians, administrators and services: those who watch syncs.
const STAFF: &str = "1 3 3 y y y";
/// Administrators and services.
const ADMINS: &str = "1 3 3 3 y y";

/// Those who change domain rows, people only: the forms of pages.
const STAFF_PEOPLE: &str = "1 3 3 y y 3";
/// Everybody but clients: the provider's own people.
const NO_CLIENTS: &str = "1 3 y y y y";
/// Administrators, people only: pages, and who read what.
const ADMIN_PEOPLE: &str = "1 3 3 3 y 3";

/// `y`: allowed (whatever else is wrong with the request), `1`: 401, `3`: 403.
const TABLE: &[(&str, &str)] = &[
    ("GET /.well-known/jwks.json", PUBLIC),
    ("POST /account/password", PEOPLE),
    ("GET /companies/{acct}/locations/{id}/edit", STAFF_PEOPLE),
    ("POST /companies/{acct}/locations/{id}/edit", STAFF_PEOPLE),
    ("GET /records/{entity}/{id}", STAFF_PEOPLE),
    ("GET /api/alerts", SIGNED_IN),
    ("GET /api/asset/{id}", SIGNED_IN),
    ("GET /api/assets", SIGNED_IN),
    ("POST /api/assets", EDITORS),
    ("DELETE /api/assets/{id}", EDITORS),
    ("GET /api/assets/{id}", SIGNED_IN),
    ("PATCH /api/assets/{id}", EDITORS),
    ("PUT /api/assets/{id}", EDITORS),
    ("POST /api/assets/{id}/restore", EDITORS),
    ("GET /api/changes", STAFF),
    ("POST /api/changes/{seq}/undo", EDITORS),
    ("GET /api/companies", SIGNED_IN),
    ("POST /api/companies", EDITORS),
    ("GET /api/companies/bulk", SIGNED_IN),
    ("DELETE /api/companies/{acct}", ADMINS),
    ("GET /api/companies/{acct}", SIGNED_IN),
    ("PATCH /api/companies/{acct}", EDITORS),
    ("PUT /api/companies/{acct}", EDITORS),
    ("GET /api/companies/{acct}/aliases", STAFF),
    ("GET /api/companies/{acct}/assets", SIGNED_IN),
    ("GET /api/companies/{acct}/attached", SIGNED_IN),
    ("GET /api/companies/{acct}/contacts", SIGNED_IN),
    ("GET /api/companies/{acct}/locations", SIGNED_IN),
    ("POST /api/companies/{acct}/locations", EDITORS),
    ("DELETE /api/companies/{acct}/locations/{id}", EDITORS),
    ("GET /api/companies/{acct}/locations/{id}", SIGNED_IN),
    ("PATCH /api/companies/{acct}/locations/{id}", EDITORS),
    ("PUT /api/companies/{acct}/locations/{id}", EDITORS),
    ("POST /api/companies/{acct}/restore", EDITORS),
    ("GET /api/companies/{acct}/tickets", SIGNED_IN),
    ("GET /api/companies/{acct}/users", SIGNED_IN),
    ("GET /api/change_requests", SIGNED_IN),
    ("GET /api/change_requests/{id}", SIGNED_IN),
    ("GET /api/config/freshservice_domain", SIGNED_IN),
    ("GET /api/freshservice/agents", NO_CLIENTS),
    ("GET /api/freshservice/ticket/{id}", SIGNED_IN),
    ("GET /api/freshservice/tickets", SIGNED_IN),
    ("GET /api/psa/config", SIGNED_IN),
    ("GET /api/psa/tickets", SIGNED_IN),
    ("GET /api/psa/tickets/active", SIGNED_IN),
    ("GET /api/ticket/{id}", SIGNED_IN),
    ("POST /api/ticket/{id}/update", EDITORS),
    ("GET /api/tickets", SIGNED_IN),
    ("GET /api/tickets/active", SIGNED_IN),
    ("GET /api/company/{acct}", SIGNED_IN),
    ("GET /api/contact/{id}", SIGNED_IN),
    ("GET /api/contacts", SIGNED_IN),
    ("POST /api/contacts", EDITORS),
    ("DELETE /api/contacts/{id}", EDITORS),
    ("GET /api/contacts/{id}", SIGNED_IN),
    ("PATCH /api/contacts/{id}", EDITORS),
    ("PUT /api/contacts/{id}", EDITORS),
    ("POST /api/contacts/{id}/restore", EDITORS),
    ("GET /api/disclosures", ADMIN_PEOPLE),
    ("GET /api/health", PUBLIC),
    ("GET /api/history/{entity}/{id}", STAFF),
    ("PUT /api/my/password", PEOPLE),
    ("GET /api/my/settings", PEOPLE),
    ("PUT /api/my/settings", PEOPLE),
    ("GET /api/pins/{entity}/{id}", STAFF),
    ("DELETE /api/pins/{entity}/{id}/{field}", EDITORS),
    ("PUT /api/pins/{entity}/{id}/{field}", EDITORS),
    ("GET /api/openapi.json", PUBLIC),
    ("GET /api/outbox", ADMINS),
    ("GET /api/outbox/{id}", ADMINS),
    ("POST /api/outbox/{id}/approve", ADMINS),
    ("POST /api/outbox/{id}/discard", ADMINS),
    ("POST /api/outbox/{id}/retry", ADMINS),
    ("POST /api/companies/{acct}/push", EDITORS),
    ("POST /api/contacts/{id}/push", EDITORS),
    ("GET /api/psa/agents", NO_CLIENTS),
    ("GET /api/public/user/home-page", SIGNED_IN),
    ("GET /api/public/user/theme", SIGNED_IN),
    ("GET /api/search", SIGNED_IN),
    ("GET /api/sync/jobs/{job_id}/events", STAFF),
    ("GET /api/sync/jobs/{job_id}/log", STAFF),
    ("GET /api/sync/credentials", ADMIN_PEOPLE),
    ("DELETE /api/sync/credentials/{system}", ADMIN_PEOPLE),
    ("GET /api/sync/credentials/{system}", ADMIN_PEOPLE),
    ("PUT /api/sync/credentials/{system}", ADMIN_PEOPLE),
    ("POST /api/sync/credentials/{system}/test", ADMIN_PEOPLE),
    ("GET /api/sync/schedules", STAFF),
    ("DELETE /api/sync/schedules/{job}", ADMINS),
    ("GET /api/sync/schedules/{job}", STAFF),
    ("PUT /api/sync/schedules/{job}", ADMINS),
    ("GET /api/sync/sources", STAFF),
    ("GET /api/sync/plans", ADMINS),
    ("GET /api/sync/plans/{id}", ADMINS),
    ("POST /api/sync/plans/{id}/approve", ADMINS),
    ("POST /api/sync/plans/{id}/discard", ADMINS),
    ("POST /api/sync/runs/{id}/undo", ADMINS),
    ("POST /api/token", PUBLIC),
    ("POST /api/token/revoke", PUBLIC),
    ("POST /api/token/validate", PUBLIC),
    ("GET /api/users", ADMINS),
    ("GET /api/users/{id}", ADMINS),
    ("GET /api/datto/device/{id}", SIGNED_IN),
    ("GET /api/datto/devices", SIGNED_IN),
    ("GET /api/rmm/device/{id}", SIGNED_IN),
    ("GET /api/rmm/devices", SIGNED_IN),
    ("GET /assets/api/search", PEOPLE),
    ("PUT /assets/{id}/update-contacts", EDITORS),
    ("GET /companies/api/search", PEOPLE),
    ("GET /companies/{acct}/locations", SIGNED_IN),
    ("POST /companies/{acct}/locations", EDITORS),
    ("DELETE /companies/{acct}/locations/{id}", EDITORS),
    ("PUT /companies/{acct}/update", EDITORS),
    ("GET /contacts/api/search", PEOPLE),
    ("PUT /contacts/{id}/update", EDITORS),
    ("GET /first-run", PUBLIC),
    ("POST /first-run", PUBLIC),
    ("GET /health", PUBLIC),
    ("GET /login", PUBLIC),
    ("POST /login", PUBLIC),
    ("POST /logout", PUBLIC),
    ("POST /service-token", PUBLIC),
    ("GET /static/{*path}", PUBLIC),
    ("POST /sync/freshservice", ADMINS),
    ("GET /sync/last/{script}", STAFF),
    ("POST /sync/create-account-numbers", ADMINS),
    ("POST /sync/outbox", ADMINS),
    ("POST /sync/psa", ADMINS),
    ("POST /sync/datto", ADMINS),
    ("POST /sync/datto-audits", ADMINS),
    ("POST /sync/rmm", ADMINS),
    ("GET /api/sync/review", ADMINS),
    ("GET /api/assets/{id}/sources", STAFF),
    ("POST /api/sync/review/accept-exact", ADMINS),
    ("POST /api/sync/review/{id}/create-company", ADMINS),
    ("POST /api/sync/review/{id}/link", ADMINS),
    ("POST /api/sync/review/{id}/ignore", ADMINS),
    ("POST /sync/push-to-datto", ADMINS),
    ("POST /sync/push-to-freshservice", ADMINS),
    ("GET /sync/status/{job_id}", STAFF),
    ("POST /sync/tickets", STAFF),
    ("POST /sync/tickets/full-history", ADMINS),
    ("POST /webhooks/freshservice/ticket", PUBLIC),
    ("GET /webhooks/health", PUBLIC),
    ("POST /webhooks/superops/ticket", PUBLIC),
    ("POST /webhooks/test", PUBLIC),
    // pages of companies, contacts and assets
    ("GET /", PEOPLE),
    ("GET /alerts/", PEOPLE),
    ("GET /assets/", PEOPLE),
    ("GET /assets/{id}", PEOPLE),
    ("GET /tickets/", PEOPLE),
    ("GET /tickets/{id}", PEOPLE),
    ("POST /tickets/{id}/update", STAFF_PEOPLE),
    ("GET /companies/", PEOPLE),
    ("GET /companies/{acct}", PEOPLE),
    ("GET /contacts/", PEOPLE),
    ("GET /contacts/{id}", PEOPLE),
    ("GET /search", PEOPLE),
    ("GET /assets/new", STAFF_PEOPLE),
    ("GET /assets/{id}/edit", STAFF_PEOPLE),
    ("GET /companies/new", STAFF_PEOPLE),
    ("GET /companies/{acct}/edit", STAFF_PEOPLE),
    ("GET /contacts/new", STAFF_PEOPLE),
    ("GET /contacts/{id}/edit", STAFF_PEOPLE),
    ("POST /assets/new", STAFF_PEOPLE),
    ("POST /assets/{id}/secrets/{name}", STAFF_PEOPLE),
    ("POST /assets/{id}/assign-user", STAFF_PEOPLE),
    ("POST /assets/{id}/edit", STAFF_PEOPLE),
    ("POST /assets/{id}/restore", STAFF_PEOPLE),
    ("POST /assets/{id}/retire", STAFF_PEOPLE),
    ("POST /assets/{id}/unassign-user/{contact}", STAFF_PEOPLE),
    ("POST /companies/new", STAFF_PEOPLE),
    ("POST /companies/{acct}/edit", STAFF_PEOPLE),
    ("POST /companies/{acct}/locations/add", STAFF_PEOPLE),
    ("POST /companies/{acct}/locations/{id}/remove", STAFF_PEOPLE),
    ("POST /companies/{acct}/restore", STAFF_PEOPLE),
    ("POST /contacts/new", STAFF_PEOPLE),
    ("POST /contacts/{id}/companies/assign", STAFF_PEOPLE),
    ("POST /contacts/{id}/companies/remove", STAFF_PEOPLE),
    ("POST /contacts/{id}/edit", STAFF_PEOPLE),
    ("POST /contacts/{id}/restore", STAFF_PEOPLE),
    ("POST /contacts/{id}/retire", STAFF_PEOPLE),
    ("POST /records/changes/{seq}/undo", STAFF_PEOPLE),
    ("POST /records/{entity}/{id}/pin", STAFF_PEOPLE),
    ("POST /records/{entity}/{id}/push", STAFF_PEOPLE),
    ("POST /companies/{acct}/retire", ADMIN_PEOPLE),
    // pages about oneself and for administrators
    ("GET /settings", PEOPLE),
    ("POST /settings", PEOPLE),
    ("POST /account/sign-out-everywhere", PEOPLE),
    ("GET /admin/", ADMIN_PEOPLE),
    ("POST /admin/sync/{job}", ADMIN_PEOPLE),
    ("GET /admin/credentials/{system}", ADMIN_PEOPLE),
    ("POST /admin/credentials/{system}", ADMIN_PEOPLE),
    ("POST /admin/credentials/{system}/forget", ADMIN_PEOPLE),
    ("POST /admin/credentials/{system}/test", ADMIN_PEOPLE),
    ("GET /admin/outbox", ADMIN_PEOPLE),
    ("POST /admin/outbox/{id}/approve", ADMIN_PEOPLE),
    ("POST /admin/outbox/{id}/discard", ADMIN_PEOPLE),
    ("POST /admin/outbox/{id}/retry", ADMIN_PEOPLE),
    ("GET /admin/review", ADMIN_PEOPLE),
    ("POST /admin/review/accept-exact", ADMIN_PEOPLE),
    ("POST /admin/review/{id}/create-company", ADMIN_PEOPLE),
    ("POST /admin/review/{id}/ignore", ADMIN_PEOPLE),
    ("POST /admin/review/{id}/link", ADMIN_PEOPLE),
    ("GET /admin/schedules/{job}", ADMIN_PEOPLE),
    ("POST /admin/schedules/{job}", ADMIN_PEOPLE),
    ("POST /admin/schedules/{job}/reset", ADMIN_PEOPLE),
    ("GET /admin/jobs/{id}", ADMIN_PEOPLE),
    ("POST /admin/runs/{id}/undo", ADMIN_PEOPLE),
    ("GET /admin/plans/{id}", ADMIN_PEOPLE),
    ("POST /admin/plans/{id}/approve", ADMIN_PEOPLE),
    ("POST /admin/plans/{id}/discard", ADMIN_PEOPLE),
    ("GET /admin/users", ADMIN_PEOPLE),
    ("GET /admin/users/new", ADMIN_PEOPLE),
    ("POST /admin/users/new", ADMIN_PEOPLE),
    ("GET /admin/users/{id}", ADMIN_PEOPLE),
    ("POST /admin/users/{id}", ADMIN_PEOPLE),
    ("POST /admin/users/{id}/password", ADMIN_PEOPLE),
    ("POST /admin/users/{id}/enabled", ADMIN_PEOPLE),
];

/// Routes that end the caller's own session or password: asked last.
const LAST: [&str; 4] = ["POST /logout", "POST /api/token/revoke", "POST /account/password", "POST /account/sign-out-everywhere"];

/// Routes that answer 401 to wrong credentials in the body, whoever asks.
const CREDENTIALS: [&str; 5] =
    ["POST /login", "POST /api/token", "POST /api/token/validate", "POST /api/token/revoke", "POST /service-token"];

struct World {
    app: App,
    callers: Vec<Api>,
    company: Value,
    contact: Value,
    asset: Value,
}

async fn world(engine: &Engine) -> World {
    // A vendor that nobody reaches: a sync may be started, and fails.
    let app = App::builder(engine)
        .env("CODEX_FRESHSERVICE_DOMAIN", "http://127.0.0.1:1")
        .env("CODEX_FRESHSERVICE_API_KEY", "x")
        .env("CODEX_DATTO_API_ENDPOINT", "http://127.0.0.1:1")
        .env("CODEX_DATTO_PUBLIC_KEY", "x")
        .env("CODEX_DATTO_SECRET_KEY", "x")
        .start()
        .await;
    let company = app.company("100001", "Acme").await;
    let contact = app.contact("Ava", "ava@example.com", &["100001"]).await;
    let asset = app.asset("LT-1", "100001").await;
    let client = app.client_of("cleo", "100001").await;
    let callers = vec![app.anonymous(), client, app.billing(), app.technician(), app.admin(), app.service()];
    World { app, callers, company, contact, asset }
}

impl World {
    /// A path of the table with the world's own records in its braces.
    fn fill(&self, path: &str) -> String {
        let id = if path.contains("/contacts") {
            self.contact["id"].to_string()
        } else if path.contains("/assets") || path.contains("{asset}") {
            self.asset["id"].to_string()
        } else {
            self.company["id"].to_string()
        };
        let mut out = String::new();
        let mut rest = path;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, tail) = after.split_once('}').unwrap();
            out.push_str(before);
            out.push_str(match name {
                "acct" | "account" => "100001",
                "entity" => "company",
                "field" => "name",
                "script" => "freshservice",
                "*path" => "codex.css",
                _ => &id,
            });
            rest = tail;
        }
        out + rest
    }
}

/// What these answer while a vendor cannot be reached, or while its calls are not wanted.
const AWAY: &[(&str, u16)] = &[
    ("GET /api/freshservice/ticket/{id}", 502),
    ("GET /api/ticket/{id}", 502),
    ("POST /webhooks/freshservice/ticket", 503),
    ("POST /webhooks/superops/ticket", 503),
    ("POST /webhooks/test", 503),
];

fn routes() -> Vec<String> {
    let mut routes: Vec<String> =
        codex::app::route_table().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    // Reads first, then writes, then what ends sessions.
    routes.sort_by_key(|route| {
        (LAST.contains(&route.as_str()), !route.starts_with("GET"), route.starts_with("DELETE"), route.clone())
    });
    routes.dedup();
    routes
}

#[test]
fn every_route_has_a_row_and_every_row_a_route() {
    let routed: BTreeSet<String> = routes().into_iter().collect();
    let rows: BTreeSet<String> = TABLE.iter().map(|(route, _)| (*route).to_owned()).collect();
    assert_eq!(rows.len(), TABLE.len(), "a route has two rows");
    let missing: Vec<_> = routed.difference(&rows).collect();
    assert!(missing.is_empty(), "routes without a row in the permission table: {missing:#?}");
    let stale: Vec<_> = rows.difference(&routed).collect();
    assert!(stale.is_empty(), "rows of the permission table without a route: {stale:#?}");
}

both! {
    async fn the_table_holds(engine: Engine) {
        let world = world(&engine).await;
        let mut wrong = Vec::new();
        for route in routes() {
            let Some((_, row)) = TABLE.iter().find(|(name, _)| *name == route) else { continue };
            let (method, path) = route.split_once(' ').unwrap();
            let path = world.fill(path);
            for ((caller, name), expected) in world.callers.iter().zip(CALLERS).zip(row.split(' ')) {
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                let reply = caller.send(method.clone(), &path, |request| {
                    let request = request.header("accept", "application/json");
                    if method == Method::GET { request } else { request.json(&json!({})) }
                }).await;
                let fits = match expected {
                    "1" => reply.status == 401,
                    "3" => reply.status == 403,
                    _ => !matches!(reply.status, 401 | 403) || CREDENTIALS.contains(&route.as_str()),
                };
                if !fits || reply.status >= 500 && !AWAY.contains(&(route.as_str(), reply.status)) {
                    wrong.push(format!("{route} as {name}: {} instead of {expected}", reply.status));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!(world.app.anonymous().get("/health").await.status, 200);
    }

    async fn the_other_mount_point_is_guarded_too(engine: Engine) {
        let world = world(&engine).await;
        for route in routes() {
            let Some((_, row)) = TABLE.iter().find(|(name, _)| *name == route) else { continue };
            let (method, path) = route.split_once(' ').unwrap();
            if row.starts_with('1') {
                let path = format!("/codex{}", world.fill(path));
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                let reply = world.app.anonymous().send(method, &path, |request| request.json(&json!({}))).await;
                assert_eq!(reply.status, 401, "{route} under /codex");
            }
        }
    }
}
