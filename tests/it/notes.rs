//! Notes on records of any kind: who reads them, what they show, and that readings of them are noted.

use codex::records::entities::{ENTITIES, nouns};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, App, Engine, both, eventually};

async fn page(api: &Api, path: &str) -> String {
    api.get_with(path, "accept", "text/html").await.status(200).text()
}

async fn note(api: &Api, entity: &str, id: &Value, body: &str) -> Value {
    let sent = json!({"entity": entity, "entity_id": id, "body": body});
    api.post("/api/notes", &sent).await.status(201).json()
}

#[test]
fn lists_of_notes_follow_the_names_of_every_noun() {
    let notes = nouns().find(|noun| noun.door().api == "notes").expect("notes");
    for entity in ENTITIES {
        assert!(notes.list().entities.contains(&entity.name()), "{} can be renamed", entity.name());
    }
}

both! {
    async fn a_note_stands_on_any_record(engine: Engine) {
        let app = App::start_on(&engine).await;
        let company = app.company("100001", "Acme").await;
        let contact = app.contact("Ava Patel", "ava@example.com", &["100001"]).await;
        let asset = app.asset("LT-1", "100001").await;
        let api = app.technician();
        let device = json!({"company_id": "100001", "name": "fw-1", "type": "firewall"});
        let device = api.post("/api/network_equipment", &device).await.status(201).json();
        for (entity, record, name) in [
            ("company", &company, "Acme"), ("contact", &contact, "Ava Patel"), ("asset", &asset, "LT-1"), ("equipment", &device, "fw-1"),
        ] {
            let made = note(&api, entity, &record["id"], &format!("**Ring** about {entity}")).await;
            assert_eq!((&made["record_name"], &made["author"], &made["pinned"]), (&json!(name), &json!("tess"), &json!(false)), "{made}");
            let of_company = if entity == "contact" { Value::Null } else { json!("100001") };
            assert_eq!(made["company_id"], of_company, "a contact can be in several companies");
            let list = api.get(&format!("/api/notes?entity={entity}&entity_id={}", record["id"])).await.ok();
            assert_eq!(list.as_array().unwrap().len(), 1, "{entity}");
        }
        for path in ["/companies/100001".to_owned(), format!("/contacts/{}", contact["id"]), format!("/assets/{}", asset["id"]), format!("/network/equipment/{}", device["id"])] {
            let html = page(&api, &path).await;
            assert!(html.contains("<strong>Ring</strong> about") && html.contains("action=\"/notes/new?entity="), "{path}: {html}");
        }
        for (body, field) in [
            (json!({"entity": "toaster", "entity_id": 1, "body": "x"}), "entity"), (json!({"entity": "contact", "entity_id": 999, "body": "x"}), "entity_id"),
            (json!({"entity": "contact", "entity_id": contact["id"], "body": " "}), "body"), (json!({"entity_id": 1, "body": "x"}), "entity"),
        ] {
            assert_eq!(api.post("/api/notes", &body).await.status(400).fields(), [field], "{body}");
        }
        let pinned = api.put("/api/notes/2", &json!({"pinned": true, "body": "Prefers e-mail"})).await.status(200).json();
        assert_eq!((&pinned["author"], &pinned["rev"]), (&json!("tess"), &json!(2)));
        let order: Vec<Value> = api.get("/api/notes").await.ok().as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
        assert_eq!(order[0], 2, "what is pinned stands first");
        let past = app.admin().get("/api/history/note/2").await.ok();
        assert_eq!(past["changes"][0]["fields"]["body"]["new"], "Prefers e-mail");
        assert_eq!(api.get("/api/search?q=prefers").await.ok()["notes"][0]["id"], 2);
        assert!(page(&api, "/search?q=prefers").await.contains("href=\"/notes/2\""));
        // What somebody wrote does not stand in the way of retiring the record, and stays.
        api.delete(&format!("/api/network_equipment/{}", device["id"])).await.status(200);
        assert_eq!(api.get("/api/notes?entity=equipment").await.ok().as_array().unwrap().len(), 1);
        api.delete("/api/notes/1").await.status(200);
        assert_eq!(api.get("/api/notes?entity=company").await.ok(), json!([]));
        assert_eq!(api.get("/api/notes?format=csv&fields=id,record_name").await.status(200).text().lines().count(), 4);
    }

    async fn a_note_is_written_on_the_record_s_page(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let api = app.technician();
        let post = async |path: &str, fields: &[(&str, &str)]| {
            api.send(Method::POST, path, |request| request.header("accept", "text/html").form(fields)).await
        };
        let done = post("/notes/new?entity=company&entity_id=1", &[("body", "<script>alert(1)</script>\n\n- one\n- two"), ("pinned", "true")]).await;
        assert_eq!((done.status, done.header("location")), (303, "/records/company/1"));
        let html = page(&api, "/companies/100001").await;
        assert!(html.contains("<li>one</li>") && html.contains("&lt;script&gt;") && !html.contains("<script>alert"), "{html}");
        let refused = post("/notes/new?entity=company&entity_id=1", &[("body", "")]).await.status(400).text();
        assert!(refused.contains("action=\"/notes/new?entity=company&#38;entity_id=1\""), "{refused}");
        assert!(page(&api, "/notes/").await.contains("href=\"/records/company/1\""));
        assert!(page(&api, "/notes/1").await.contains("<li>two</li>"));
        let changed = post("/notes/1/edit", &[("rev", "1"), ("body", "Now this"), ("pinned", "")]).await;
        assert_eq!(changed.status, 303);
        let now = api.get("/api/notes/1").await.ok();
        assert_eq!((&now["body"], &now["pinned"], &now["entity"]), (&json!("Now this"), &json!(false), &json!("company")));
        let about = json!({"entity": "note", "entity_id": 1, "body": "x"});
        assert_eq!(api.post("/api/notes", &about).await.status(400).fields(), ["entity"], "a note is about something else");
        // A note about somebody, read and sent back, stays as it is; one about a device goes where that goes.
        app.company("100002", "Bolt").await;
        let person = app.contact("Bo", "bo@example.com", &["100001"]).await;
        let one = note(&api, "contact", &person["id"], "x").await;
        let read = api.get(&format!("/api/notes/{}", one["id"])).await.ok();
        assert_eq!(api.put(&format!("/api/notes/{}", one["id"]), &read).await.status(200).json()["rev"], read["rev"]);
        let asset = app.asset("LT-1", "100001").await;
        note(&api, "asset", &asset["id"], "y").await;
        api.put(&format!("/api/assets/{}", asset["id"]), &json!({"company_account_number": "100002"})).await.status(200);
        assert_eq!(api.get("/api/companies/100002/notes").await.ok()[0]["body"], "y");
    }

    async fn only_those_who_may_see_everything_read_notes(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_COMPLIANCE_CLEARED_SERVICES", "cleared").start().await;
        let ward = json!({"account_number": "100001", "name": "Ward", "compliance_level": "hipaa"});
        app.admin().post("/api/companies", &ward).await.status(201);
        let contact = app.contact("Ada", "ada@ward.example", &["100001"]).await;
        note(&app.technician(), "contact", &contact["id"], "canary: allergic").await;
        let client = app.client_of("cleo", "100001").await;
        for (who, api) in [("client", &client), ("billing", &app.billing()), ("service", &app.service())] {
            for (method, path) in [
                (Method::GET, "/api/notes"), (Method::GET, "/api/notes/1"), (Method::PUT, "/api/notes/1"), (Method::DELETE, "/api/notes/1?dry_run=true"),
                (Method::POST, "/api/notes"), (Method::GET, "/api/companies/100001/notes"), (Method::POST, "/api/notes/1/restore"),
            ] {
                let reply = api.send(method.clone(), path, |request| if method == Method::GET { request } else { request.json(&json!({})) }).await;
                assert_eq!(reply.status, 403, "{who} {method} {path}: {}", reply.text());
            }
            let found = api.get("/api/search?q=canary").await.ok();
            assert_eq!(found["notes"], json!([]), "{who}");
            let (changes, created) = (api.get("/api/changes").await, app.database.number("SELECT max(seq) FROM changes WHERE entity = 'note'"));
            assert_eq!(api.post(&format!("/api/changes/{created}/undo"), &json!({})).await.status, 403, "{who}");
            let changes = changes.text();
            assert!(!changes.contains("canary"), "{who}: {changes}");
        }
        let html = page(&client, &format!("/contacts/{}", contact["id"])).await;
        assert!(!html.contains("canary") && !html.contains("/notes/"), "{html}");
        assert_eq!(app.technician().get("/api/notes?filter=phi").await.status, 403, "who asks for less gets less");
        // Whoever may read them leaves a trace where the record is protected.
        let readings = "SELECT CAST(coalesce(sum(times), 0) AS BIGINT) FROM disclosures WHERE entity = 'note' AND caller = 'tess' AND method = 'GET'";
        let before = app.database.number(readings);
        app.technician().get("/api/notes/1").await.status(200);
        eventually("the reading is noted", 20, || async { app.database.number(readings) == before + 1 }).await;
        app.technician().get(&format!("/api/history/note/{}", 1)).await.status(200);
        eventually("so is that of its history", 20, || async { app.database.number(readings) == before + 2 }).await;
    }
}
