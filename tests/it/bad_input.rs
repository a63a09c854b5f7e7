//! Input that no client should send: a 4xx that names the field, and nothing half-written.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{App, Engine, Reply, both};

fn refused(reply: &Reply, field: &str) {
    assert!((400..500).contains(&reply.status), "{}: {} {}", reply.asked, reply.status, reply.text());
    assert!(reply.header("content-type").starts_with("application/json"), "{}", reply.asked);
    let named = reply
        .fields()
        .iter()
        .any(|name| name == field || name.starts_with(&format!("{field}[")) || name.starts_with(&format!("{field}.")));
    assert!(field.is_empty() || named || reply.text().contains(field), "{} does not name {field}: {}", reply.asked, reply.text());
}

async fn nothing_was_written(app: &App, head: i64) {
    assert_eq!(app.database.number("SELECT version FROM head"), head, "a change was recorded");
    assert_eq!(app.database.number("SELECT count(*) FROM contacts"), 0);
    app.anonymous().get("/health").await.status(200);
}

both! {
    async fn wrong_types_and_values_are_named(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let head = app.database.number("SELECT version FROM head");
        let admin = app.admin();
        let long = "x".repeat(100_000);
        let companies: Vec<(&str, Value)> = vec![
            ("name", json!({"account_number": "5", "name": true})),
            ("name", json!({"account_number": "5", "name": null})),
            ("name", json!({"account_number": "5", "name": ""})),
            ("name", json!({"account_number": "5", "name": "   "})),
            ("name", json!({"account_number": "5", "name": ["x"]})),
            ("name", json!({"account_number": "5", "name": long})),
            ("name", json!({"account_number": "5", "name": "nul\u{0}inside"})),
            ("name", json!({"account_number": "5"})),
            ("account_number", json!({"account_number": {"a": 1}, "name": "x"})),
            ("account_number", json!({"account_number": "x".repeat(200), "name": "x"})),
            ("account_number", json!({"account_number": "bulk", "name": "x"})),
            ("compliance_level", json!({"account_number": "5", "name": "x", "compliance_level": "secret"})),
            ("compliance_level", json!({"account_number": "5", "name": "x", "compliance_level": 3})),
            ("kind", json!({"account_number": "5", "name": "x", "kind": "enemy"})),
            ("parent_id", json!({"account_number": "5", "name": "x", "parent_id": 424_242})),
            ("parent_id", json!({"account_number": "5", "name": "x", "parent_id": "no"})),
            ("billing_contact_id", json!({"account_number": "5", "name": "x", "billing_contact_id": 424_242})),
            ("contract_start_date", json!({"account_number": "5", "name": "x", "contract_start_date": "yesterday"})),
            ("contract_end_date", json!({"account_number": "5", "name": "x", "contract_end_date": "2024-02-31"})),
            ("description", json!({"account_number": "5", "name": "x", "description": "x".repeat(2_000_000)})),
        ];
        for (field, body) in &companies {
            refused(&admin.post("/api/companies", body).await, field);
        }
        refused(&admin.post("/api/companies", &json!({"account_number": "100001", "name": "Taken"})).await, "account_number");
        for (field, body) in [
            ("email", json!({"name": "A", "email": "not an address"})),
            ("email", json!({"name": "A", "email": 5})),
            ("active", json!({"name": "A", "email": "a@example.com", "active": "perhaps"})),
            ("company_account_numbers", json!({"name": "A", "email": "a@example.com", "company_account_numbers": ["404"]})),
            ("company_account_numbers", json!({"name": "A", "email": "a@example.com", "company_account_numbers": "1"})),
            ("company_id", json!({"name": "A", "email": "a@example.com", "company_id": 424_242})),
            ("role", json!({"name": "A", "email": "a@example.com", "company_id": "100001", "role": "emperor"})),
        ] {
            refused(&admin.post("/api/contacts", &body).await, field);
        }
        for (field, body) in [
            ("company_account_number", json!({"hostname": "H", "company_account_number": "404"})),
            ("company_account_number", json!({"hostname": "H", "company_account_number": 1.5})),
            ("hostname", json!({"hostname": "", "company_account_number": "100001"})),
            ("type", json!({"hostname": "H", "company_account_number": "100001", "type": "spaceship"})),
            ("warranty_expires", json!({"hostname": "H", "company_account_number": "100001", "warranty_expires": "soon"})),
        ] {
            refused(&admin.post("/api/assets", &body).await, field);
        }
        nothing_was_written(&app, head).await;
    }

    async fn every_wrong_field_is_listed_at_once(engine: Engine) {
        let app = App::start_on(&engine).await;
        let body = json!({"name": true, "compliance_level": "secret", "kind": "enemy", "contract_start_date": "soon"});
        let fields = app.admin().post("/api/companies", &body).await.status(400).fields();
        for field in ["name", "compliance_level", "kind", "contract_start_date"] {
            assert!(fields.contains(&field.to_owned()), "{field} is not in {fields:?}");
        }
    }

    async fn bodies_that_are_not_json_objects(engine: Engine) {
        let app = App::start_on(&engine).await;
        let head = app.database.number("SELECT version FROM head");
        let admin = app.admin();
        for path in ["/api/companies", "/api/contacts", "/api/assets"] {
            for body in ["", "{", "[]", "null", "7", "\"x\"", "{\"name\": }", "{\"a\":1}{\"b\":2}"] {
                refused(&admin.post_raw(path, "application/json", body).await, "");
            }
            refused(&admin.post_raw(path, "application/json", vec![b'{', b'"', b'n', 0xff, 0xfe, b'"', b':', b'1', b'}']).await, "");
            refused(&admin.post_raw(path, "application/json", "{\"name\": \"\\ud800\"}").await, "");
            refused(&admin.post_raw(path, "application/json", format!("{{\"name\": {}1{}}}", "[".repeat(200_000), "]".repeat(200_000))).await, "");
            refused(&admin.post_raw(path, "text/plain", "name=x").await, "");
        }
        nothing_was_written(&app, head).await;
    }

    async fn bodies_that_are_far_too_large(engine: Engine) {
        let app = App::start_on(&engine).await;
        let head = app.database.number("SELECT version FROM head");
        for path in ["/api/companies", "/api/contacts"] {
            let mut body = br#"{"name": ""#.to_vec();
            body.resize(20 * 1024 * 1024, b'x');
            body.extend_from_slice(b"\"}");
            let sent = app.admin().try_send(Method::POST, path, |request| request.header("content-type", "application/json").body(body)).await;
            let reply = sent.unwrap_or_else(|error| panic!("the refusal must reach the client: {error:?}"));
            assert_eq!(reply.status, 413, "{}", reply.text());
        }
        let million = format!("{{\"name\":\"x\",\"email\":\"x@example.com\",\"company_account_numbers\":[{}]}}", vec!["\"1\""; 1_000_000].join(","));
        refused(&app.admin().post_raw("/api/contacts", "application/json", million).await, "company_account_numbers");
        let ids = format!("{{\"name\":\"x\",\"email\":\"x@example.com\",\"secondary_emails\":[{}]}}", vec!["\"a@b.example\""; 200_000].join(","));
        refused(&app.admin().post_raw("/api/contacts", "application/json", ids).await, "secondary_emails");
        nothing_was_written(&app, head).await;
    }

    async fn paths_and_queries_that_are_nonsense(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        for (path, status) in [
            ("/api/contacts/abc", 404), ("/api/contacts/-1", 404), ("/api/contacts/99999999999999999999", 404), ("/api/assets/0", 404),
            ("/api/companies/%00", 400), ("/api/companies/%ff%fe", 400), ("/api/companies/%2e%2e%2f", 404),
            ("/api/companies/99999999999999999999999999", 404),
        ] {
            let reply = app.service().get(path).await;
            assert_eq!(reply.status, status, "{path}: {}", reply.text());
        }
        // The old parameters are loose, as old clients need them; the newer ones are strict.
        for (query, status) in [
            ("q=%00", 400), ("q=%ff", 400), ("limit=-5", 200), ("offset=-1", 200), ("limit=99999999999999999999", 200),
            ("sort=name;drop", 400), ("page=99999999999999999999&per_page=1", 400),
        ] {
            let reply = app.service().get(&format!("/api/companies?{query}")).await;
            assert_eq!(reply.status, status, "{query}: {}", reply.text());
        }
        app.anonymous().get("/health").await.status(200);
    }

    async fn a_rehearsal_that_says_no_word_does_nothing(engine: Engine) {
        let app = App::start_on(&engine).await;
        let ada = app.admin();
        app.company("100001", "Acme").await;
        let ava = app.contact("Ava Patel", "ava@acme.example", &["100001"]).await["id"].clone();
        let head = app.database.number("SELECT version FROM head");
        for bare in ["dry_run", "dry_run=", "dry_run=%20"] {
            let made = ada.post(&format!("/api/companies?{bare}"), &json!({"name": "Other"})).await.status(200).json();
            let changed = ada.put(&format!("/api/contacts/{ava}?{bare}"), &json!({"job_title": "Other"})).await.ok();
            let retired = ada.delete(&format!("/api/contacts?id__in={ava}&{bare}")).await.ok();
            let forgotten = ada.post(&format!("/api/contacts/{ava}/forget?{bare}"), &json!({"name": "Ava Patel"})).await.ok();
            for told in [made, changed, retired, forgotten] {
                assert_eq!(told["dry_run"], true, "{bare}: {told}");
            }
        }
        assert_eq!(app.database.number("SELECT version FROM head"), head, "a change was recorded");
    }

    async fn a_update_with_one_wrong_field_changes_none(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let head = app.database.number("SELECT version FROM head");
        let body = json!({"description": "new", "compliance_level": "secret"});
        refused(&app.admin().put("/api/companies/100001", &body).await, "compliance_level");
        refused(&app.admin().put("/companies/100001/update", &body).await, "compliance_level");
        let company = app.service().get("/api/companies/100001").await.ok();
        assert!(company["description"].is_null());
        assert_eq!(app.database.number("SELECT version FROM head"), head);
    }
}
