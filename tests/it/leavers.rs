//! People who have left: what they still hold, and how it is taken back.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, App, Engine, both};

async fn post(api: &Api, path: &str, fields: &[(&str, &str)]) -> u16 {
    api.send(Method::POST, path, |request| request.header("accept", "text/html").form(fields)).await.status
}

async fn leavers(api: &Api) -> Value {
    api.get("/api/leavers").await.ok()
}

/// A company with somebody who leaves, holding one of everything, and somebody who stays.
async fn world(app: &App) -> (Value, Value, Value) {
    app.company("100001", "Acme").await;
    let gone = app.contact("Gil Gone", "gil@example.com", &["100001"]).await;
    let stays = app.contact("Stacy Stays", "stacy@example.com", &["100001"]).await;
    let asset = app.asset("LT-1", "100001").await;
    let api = app.technician();
    let place = json!({"companies": [{"account_number": "100001", "is_primary": true, "role": "billing"}]});
    api.put(&format!("/api/contacts/{}", gone["id"]), &place).await.status(200);
    api.put("/api/companies/100001", &json!({"billing_contact_id": gone["id"]})).await.status(200);
    api.put(&format!("/api/assets/{}", asset["id"]), &json!({"contact_ids": [gone["id"], stays["id"]]})).await.status(200);
    let licence = json!({"company_id": "100001", "product": "Office Suite", "seats": 2});
    let licence = api.post("/api/licenses", &licence).await.status(201).json();
    api.post("/api/license_seats", &json!({"license_id": licence["id"], "contact_id": gone["id"]})).await.status(201);
    (gone, stays, asset)
}

both! {
    async fn whoever_left_is_told_with_all_that_they_hold_and_gives_it_back(engine: Engine) {
        let app = App::start_on(&engine).await;
        let (gone, stays, asset) = world(&app).await;
        let api = app.technician();
        assert_eq!(leavers(&api).await, json!([]), "while they are there");
        api.put(&format!("/api/contacts/{}", gone["id"]), &json!({"active": false})).await.status(200);
        app.database.execute(&format!("INSERT INTO links (entity, entity_id, system, external_id, linked_at) VALUES ('contact', {}, 'freshservice', '77', '2026-01-01T00:00:00Z')", gone["id"]));
        app.database.execute(
            "INSERT INTO tickets (external_source, external_id, company_id, ticket_number, subject, status, requester_id, last_updated_at, created_at, updated_at, subject_folded, requester_folded, search_text)
             VALUES ('freshservice', 7, 1, '#INC-7', 'Canary subject', 'open', 77, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '', '', '')",
        );
        let all = leavers(&api).await;
        let one = &all[0];
        assert_eq!((all.as_array().unwrap().len(), &one["name"], &one["status"], &one["company_id"]), (1, &json!("Gil Gone"), &json!("inactive"), &json!("100001")));
        assert_eq!((&one["devices"][0]["name"], &one["seats"][0]["name"]), (&json!("LT-1"), &json!("Office Suite")));
        assert_eq!((&one["primary_contact_of"][0]["name"], &one["billing_contact_of"][0]["company_account_number"]), (&json!("Acme"), &json!("100001")));
        assert_eq!((&one["tickets"][0]["ticket_number"], one["billing_contact_of"].as_array().unwrap().len()), (&json!("#INC-7"), 1));
        let html = api.get_with("/leavers", "accept", "text/html").await.status(200).text();
        for told in ["Gil Gone", "LT-1", "Office Suite", "/tickets/7", "Stacy Stays", "Unassign", "Release", "Hand over"] {
            assert!(html.contains(told), "no {told} in {html}");
        }
        assert!(api.get_with("/", "accept", "text/html").await.text().contains("href=\"/leavers\""), "the dashboard counts them");
        let base = format!("/leavers/{}", gone["id"]);
        let (seat, asset_id) = (one["seats"][0]["id"].to_string(), asset["id"].to_string());
        assert_eq!(post(&api, &format!("{base}/device"), &[("asset_id", &asset_id)]).await, 303);
        let device = api.get(&format!("/api/assets/{}", asset["id"])).await.ok();
        assert_eq!((device["contacts"].as_array().unwrap().len(), &device["contacts"][0]["id"]), (1, &stays["id"]), "others go on using it");
        assert_eq!(post(&api, &format!("{base}/seat"), &[("seat_id", &seat)]).await, 303);
        assert_eq!(post(&api, &format!("{base}/seat"), &[("seat_id", "999")]).await, 404);
        assert_eq!(post(&api, &format!("/leavers/{}/seat", stays["id"]), &[("seat_id", &seat)]).await, 404, "nobody else's");
        let to = stays["id"].to_string();
        assert_eq!(post(&api, &format!("{base}/primary"), &[("company_id", "1"), ("to", "999")]).await, 404);
        assert_eq!(post(&api, &format!("{base}/primary"), &[("company_id", "1"), ("to", &to)]).await, 303);
        assert_eq!(post(&api, &format!("{base}/billing"), &[("company_id", "1"), ("to", "")]).await, 303);
        let now = leavers(&api).await;
        for empty in ["devices", "seats", "primary_contact_of", "billing_contact_of"] {
            assert_eq!(now[0][empty], json!([]), "{empty}: {now}");
        }
        assert_eq!(now[0]["tickets"].as_array().unwrap().len(), 1, "a ticket is dealt with on its own page");
        let primary = api.get(&format!("/api/contacts/{}", stays["id"])).await.ok();
        assert_eq!(primary["is_primary"], true, "{primary}");
        assert_eq!(api.get("/api/companies/100001").await.ok()["billing_contact_id"], Value::Null);
        app.database.execute("UPDATE tickets SET status = 'closed'");
        assert_eq!(leavers(&api).await, json!([]));
    }

    async fn each_click_is_in_the_history_and_can_be_taken_back(engine: Engine) {
        let app = App::start_on(&engine).await;
        let (gone, _, asset) = world(&app).await;
        let api = app.technician();
        api.put(&format!("/api/contacts/{}", gone["id"]), &json!({"active": false})).await.status(200);
        let before = leavers(&api).await;
        let base = format!("/leavers/{}", gone["id"]);
        let (seat, asset) = (before[0]["seats"][0]["id"].to_string(), asset["id"].to_string());
        for (what, fields) in [
            ("device", [("asset_id", asset.as_str())]), ("seat", [("seat_id", seat.as_str())]), ("primary", [("company_id", "1")]), ("billing", [("company_id", "1")]),
        ] {
            let from = app.database.number("SELECT max(seq) FROM changes");
            assert_eq!(post(&api, &format!("{base}/{what}"), &fields).await, 303, "{what}");
            assert_ne!(leavers(&api).await, before, "{what}");
            let until = app.database.number("SELECT max(seq) FROM changes");
            assert!(until > from, "{what} leaves a trace");
            assert_eq!(app.database.texts(&format!("SELECT DISTINCT actor FROM changes WHERE seq > {from}")), ["tess"], "{what}");
            for seq in (from + 1..=until).rev() {
                let undone = api.post(&format!("/api/changes/{seq}/undo"), &json!({})).await;
                assert_eq!(undone.status, 200, "{what} {seq}: {}", undone.text());
            }
            assert_eq!(leavers(&api).await, before, "{what} is as it was");
        }
        assert!(api.get_with(&format!("/contacts/{}", gone["id"]), "accept", "text/html").await.text().contains("/undo"));
    }

    async fn who_may_not_see_names_sees_masks_and_others_nothing(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_COMPLIANCE_CLEARED_SERVICES", "cleared").start().await;
        let (gone, ..) = world(&app).await;
        app.technician().put(&format!("/api/contacts/{}", gone["id"]), &json!({"active": false})).await.status(200);
        app.admin().put("/api/companies/100001", &json!({"compliance_level": "hipaa"})).await.status(200);
        let seen = app.service().get("/api/leavers").await.status(200).text();
        assert!(!seen.contains("Gil") && !seen.contains("gil@") && seen.contains("G••• G•••"), "{seen}");
        assert!(app.technician().get("/api/leavers").await.status(200).text().contains("Gil Gone"));
        let client = app.client_of("cleo", "100001").await;
        for api in [&client, &app.billing()] {
            assert_eq!(api.get("/api/leavers").await.status, 403);
            assert_eq!(api.get_with("/leavers", "accept", "text/html").await.status, 403);
        }
    }
}
