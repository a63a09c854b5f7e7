//! Many records in one request: all or none, by the list's own filters, and undone as one.

use serde_json::{Value, json};

use crate::support::{App, Engine, PASSWORD, both};

async fn world(engine: &Engine) -> App {
    let app = App::start_on(engine).await;
    app.company("100001", "Acme").await;
    app.company("100002", "Other").await;
    app
}

fn ids(rows: &Value) -> Vec<i64> {
    rows.as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

async fn count(app: &App, path: &str) -> usize {
    app.service().get(path).await.ok().as_array().unwrap().len()
}

both! {
    async fn rows_are_meant_by_their_tags_and_own_fields_too(engine: Engine) {
        let app = world(&engine).await;
        let tess = app.technician();
        app.admin().post("/api/custom_fields", &json!({"type": "asset", "key": "rack", "label": "Rack", "kind": "number"})).await.status(201);
        for name in ["VIP", "Lab"] {
            tess.post("/api/tags", &json!({"name": name, "color": "teal"})).await.status(201);
        }
        for (number, tags) in [(1, json!(["VIP", "Lab"])), (2, json!(["VIP"])), (3, json!([]))] {
            let device = json!({"hostname": format!("LT-{number}"), "company_account_number": "100001", "tags": tags, "cf": {"rack": number}});
            tess.post("/api/assets", &device).await.status(201);
        }
        for (query, matched) in [("tag=VIP", 2), ("tag=VIP&tag=Lab", 1), ("cf.rack__gte=2", 2), ("cf.rack=2&tag=vip", 1), ("tag=none", 0)] {
            let done = tess.patch(&format!("/api/assets?{query}&dry_run=true"), &json!({"status": "spare"})).await.status(200).json();
            assert_eq!(done["matched"], matched, "{query}: {done}");
        }
        assert_eq!(tess.patch("/api/assets?cf.shelf=1", &json!({"status": "spare"})).await.status(400).fields(), ["cf.shelf"]);
        assert_eq!(tess.patch("/api/assets?tag=", &json!({"status": "spare"})).await.status(400).fields(), ["tag"]);
        assert_eq!(tess.delete("/api/assets?tag=Lab").await.status(200).json()["changed"], 1);
        assert_eq!(count(&app, "/api/assets").await, 2);
    }

    async fn an_array_is_added_whole_or_not_at_all(engine: Engine) {
        let app = world(&engine).await;
        let tess = app.technician();
        let people = json!([
            {"name": "Ava", "email": "ava@acme.example", "company_account_numbers": ["100001"]},
            {"name": "Ben", "email": "ben@acme.example", "company_account_numbers": ["100001"]},
        ]);
        let tried = tess.post("/api/contacts?dry_run=true", &people).await.status(200).json();
        assert_eq!((tried.as_array().unwrap().len(), count(&app, "/api/contacts").await), (2, 0));
        let added = tess.post("/api/contacts", &people).await.status(201).json();
        assert_eq!((&added[0]["name"], &added[1]["name"]), (&json!("Ava"), &json!("Ben")), "in their order");

        let bad = json!([
            {"name": "Cleo", "email": "cleo@acme.example", "company_account_numbers": ["100001"]},
            {"name": "Dan", "email": "no address"},
            {"name": "Eve", "email": "eve@acme.example", "company_account_numbers": ["nowhere"]},
            {"email": 7, "job_title": 5, "nonsense": []},
        ]);
        let refused = tess.post("/api/contacts", &bad).await.status(400);
        assert!(refused.fields().iter().any(|field| field == "[1].email"), "{:?}", refused.fields());
        assert_eq!(count(&app, "/api/contacts").await, 2, "nothing of it");
        let late = json!([
            {"name": "Cleo", "email": "cleo@acme.example", "company_account_numbers": ["100001"]},
            {"name": "Eve", "email": "eve@acme.example", "company_account_numbers": ["nowhere"]},
            {"name": "Ava again", "email": "ava@acme.example", "company_account_numbers": ["100001"]},
        ]);
        let refused = tess.post("/api/contacts", &late).await.status(409).json();
        let fields: Vec<&str> = refused["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert!(fields[0].starts_with("[1].") && fields.contains(&"[2]"), "{refused}");
        assert_eq!(count(&app, "/api/contacts").await, 2);
        assert_eq!(tess.post("/api/contacts", &json!([1, {}])).await.status(400).fields(), ["[0]"]);
        tess.post("/api/contacts", &json!([])).await.status(400);
        let many: Vec<Value> = (0..5_001).map(|_| json!({})).collect();
        assert!(tess.post("/api/subnets", &json!(many)).await.status(400).error().contains("at most 5000"), "a limit");

        let twice = json!([{"account_number": "100003", "name": "A"}, {"account_number": "100003", "name": "B"}]);
        assert!(app.admin().post("/api/companies", &twice).await.status(409).text().contains("[1]"));
        let nets = json!([{"cidr": "10.0.0.0/24", "company_id": "100001"}, {"cidr": "10.0.1.0/24", "company_id": "100001"}]);
        assert_eq!(tess.post("/api/subnets", &nets).await.status(201).json().as_array().unwrap().len(), 2);
        let places = json!([{"name": "Head office", "address": "1 Main St"}, {"name": "Depot", "address": "2 Side St"}]);
        let places = tess.post("/api/companies/100001/locations", &places).await.status(201).json();
        assert_eq!(places[1]["name"], "Depot");
    }

    async fn what_a_filter_finds_is_changed_and_undone_as_one(engine: Engine) {
        let app = world(&engine).await;
        let tess = app.technician();
        let devices: Vec<Value> = (0..6)
            .map(|number| json!({"hostname": format!("LT-{number}"), "company_account_number": if number < 4 { "100001" } else { "100002" }}))
            .collect();
        let devices = ids(&tess.post("/api/assets", &json!(devices)).await.status(201).json());
        let tried = tess.patch("/api/assets?company_id=100001&dry_run=true", &json!({"status": "spare"})).await.status(200).json();
        assert_eq!((&tried["matched"], &tried["changed"], &tried["dry_run"]), (&json!(4), &json!(4), &json!(true)), "{tried}");
        assert_eq!(tried["differences"][0]["fields"]["status"], json!({"from": "active", "to": "spare"}), "{tried}");
        assert_eq!(count(&app, "/api/assets?status=spare").await, 0, "a rehearsal writes nothing");

        let done = tess.patch("/api/assets?company_id=100001", &json!({"status": "spare"})).await.status(200).json();
        assert_eq!((&done["matched"], &done["changed"]), (&json!(4), &json!(4)), "{done}");
        assert_eq!(count(&app, "/api/assets?status=spare").await, 4);
        let batch = done["batch_id"].as_i64().unwrap();
        let told = tess.get(&format!("/api/history/asset/{}", devices[0])).await.ok();
        assert_eq!(told["changes"][0]["batch_id"], batch);
        assert_eq!(tess.get(&format!("/api/batches/{batch}")).await.ok()["rows"], json!({"asset": 4}));

        // A later change of the same field is in the way of undoing it, unless a part is enough.
        tess.put(&format!("/api/assets/{}", devices[0]), &json!({"status": "repair"})).await.status(200);
        tess.put(&format!("/api/assets/{}", devices[1]), &json!({"description": "of no account"})).await.status(200);
        let refused = tess.post(&format!("/api/batches/{batch}/undo"), &json!({})).await.status(409).json();
        assert_eq!(refused["conflicts"].as_array().unwrap().len(), 1, "{refused}");
        assert_eq!(count(&app, "/api/assets?status=spare").await, 3, "nothing was undone");
        let part = tess.post(&format!("/api/batches/{batch}/undo?partial=true"), &json!({})).await.status(200).json();
        assert_eq!((&part["undone"], &part["refused"]), (&json!(3), &json!(1)), "{part}");
        assert_eq!((count(&app, "/api/assets?status=active").await, count(&app, "/api/assets?status=repair").await), (5, 1));
        assert!(tess.get(&format!("/api/batches/{batch}")).await.ok()["undone_at"].is_string());
        tess.post(&format!("/api/batches/{batch}/undo"), &json!({})).await.status(409);
        // What was undone can be undone.
        let again = tess.post(&format!("/api/batches/{}/undo", part["batch_id"]), &json!({})).await.status(200).json();
        assert_eq!((&again["undone"], count(&app, "/api/assets?status=spare").await), (&json!(3), 3), "{again}");
        assert_eq!(tess.get(&format!("/api/batches/{batch}")).await.ok()["undone_at"], serde_json::Value::Null);

        let none = tess.patch("/api/assets?hostname=nobody", &json!({"status": "spare"})).await.status(200).json();
        assert_eq!((&none["matched"], &none["batch_id"]), (&json!(0), &Value::Null));
        let wrong = tess.patch("/api/assets?company_id=100001", &json!({"status": "broken"})).await.status(400);
        assert_eq!(wrong.fields(), ["status"]);
        tess.patch("/api/assets?company_id=100001", &json!({})).await.status(400);
        tess.get("/api/batches/999").await.status(404);
    }

    async fn a_filter_that_is_none_means_nobody(engine: Engine) {
        let app = world(&engine).await;
        let (tess, body) = (app.technician(), json!({"status": "spare"}));
        app.asset("LT-1", "100001").await;
        for (query, field) in [
            ("compny_id=100001", "compny_id"), ("status=active&nonsense=1", "nonsense"), ("limit=5", "limit"), ("status=", "status"),
            ("status=active&status=spare", "status"), ("q=%20", "q"), ("hostname__like=x", "hostname__like"), ("dry_run=tru&status=active", "dry_run"),
        ] {
            let refused = tess.patch(&format!("/api/assets?{query}"), &body).await.status(400);
            assert_eq!(refused.fields(), [field], "{query}");
            let refused = tess.delete(&format!("/api/assets?{query}")).await.status(400);
            assert_eq!(refused.fields(), [field], "{query}");
        }
        for query in ["", "?retired=include", "?dry_run=true"] {
            tess.patch(&format!("/api/assets{query}"), &body).await.status(400);
            tess.delete(&format!("/api/assets{query}")).await.status(400);
        }
        assert_eq!(count(&app, "/api/assets?status=active").await, 1);
    }

    async fn many_are_retired_and_come_back_as_one(engine: Engine) {
        let app = world(&engine).await;
        let (tess, ada) = (app.technician(), app.admin());
        let people = ["ava", "ben", "cleo"].map(|name| json!({"name": name, "email": format!("{name}@x.example"), "company_account_numbers": ["100001"]}));
        let people = ids(&tess.post("/api/contacts", &json!(people)).await.status(201).json());
        let asset = app.asset("LT-1", "100001").await["id"].clone();
        tess.put(&format!("/api/contacts/{}", people[1]), &json!({"asset_ids": [asset]})).await.status(200);
        let refused = tess.delete("/api/contacts?company_id=100001").await.status(409).json();
        assert_eq!(refused["errors"][0]["field"], format!("#{}", people[1]), "{refused}");
        assert_eq!(count(&app, "/api/contacts").await, 3);
        let tried = tess.delete("/api/contacts?company_id=100001&force=true&dry_run=true").await.status(200).json();
        assert_eq!((&tried["changed"], count(&app, "/api/contacts").await), (&json!(3), 3), "{tried}");
        let done = tess.delete("/api/contacts?company_id=100001&force=true").await.status(200).json();
        assert_eq!((&done["changed"], count(&app, "/api/contacts").await), (&json!(3), 0), "{done}");
        tess.post(&format!("/api/batches/{}/undo", done["batch_id"]), &json!({})).await.status(200);
        assert_eq!(count(&app, "/api/contacts").await, 3);

        // A company with everything on it goes and comes back as one; only administrators retire companies.
        tess.delete("/api/companies?name=Acme&force=true").await.status(403);
        ada.delete("/api/companies?name=Acme").await.status(409);
        let before = (app.service().get("/api/companies/100001/contacts").await.ok(), count(&app, "/api/assets").await);
        let done = ada.delete("/api/companies?name=Acme&force=true").await.status(200).json();
        assert_eq!((count(&app, "/api/companies").await, count(&app, "/api/assets").await), (1, 0));
        let undone = ada.post(&format!("/api/batches/{}/undo", done["batch_id"]), &json!({})).await.status(200).json();
        assert_eq!(undone["refused"], 0, "{undone}");
        let after = (app.service().get("/api/companies/100001/contacts").await.ok(), count(&app, "/api/assets").await);
        assert_eq!((ids(&before.0), before.1), (ids(&after.0), after.1));
    }

    async fn limits_of_keys_hold_for_many_too(engine: Engine) {
        let app = world(&engine).await;
        let made = async |mut body: Value| {
            body["current_password"] = json!(PASSWORD);
            app.with_token(app.admin().post("/api/keys", &body).await.status(201).json()["key"].as_str().unwrap())
        };
        for (host, company) in [("LT-1", "100001"), ("LT-2", "100002")] {
            app.asset(host, company).await;
        }
        let people = made(json!({"name": "people", "access": "read-write", "types": ["contact"]})).await;
        let asset = app.admin().get("/api/assets").await.ok()[0]["id"].clone();
        let ava = json!({"name": "Ava", "email": "ava@x.example", "company_account_numbers": ["100001"], "asset_ids": [asset]});
        for body in [ava.clone(), json!([ava])] {
            let refused = people.post("/api/contacts", &body).await.status(403);
            assert!(refused.error().contains("asset"), "{}", refused.error());
        }
        assert_eq!(count(&app, "/api/contacts").await, 0, "nothing of it was done");
        let one = made(json!({"name": "one", "access": "read-write", "companies": ["100001"]})).await;
        let done = one.patch("/api/assets?status=active", &json!({"status": "spare"})).await.status(200).json();
        assert_eq!((&done["matched"], count(&app, "/api/assets?status=spare").await), (&json!(1), 1), "{done}");
        let companies = made(json!({"name": "companies", "access": "read-write", "types": ["company"]})).await;
        companies.patch("/api/assets?status=active", &json!({"status": "spare"})).await.status(403);
        for path in ["/api/companies/100001?force=true", "/api/companies?account_number=100001&force=true"] {
            let refused = companies.delete(path).await.status(403);
            assert!(refused.error().contains("asset"), "{}", refused.error());
        }
        assert_eq!((count(&app, "/api/companies").await, count(&app, "/api/assets").await), (2, 2), "nothing of it was done");
        let changed = companies.patch("/api/companies?account_number=100001", &json!({"description": "by key"})).await.status(200).json();
        assert_eq!(changed["changed"], 1);
        app.billing().patch("/api/assets?status=active", &json!({"status": "spare"})).await.status(403);
        let client = app.client_of("cleo", "100001").await;
        client.patch("/api/assets?status=active", &json!({"status": "spare"})).await.status(403);
        client.post("/api/contacts", &json!([])).await.status(403);
    }

    async fn every_noun_and_a_companys_locations_take_many(engine: Engine) {
        let app = world(&engine).await;
        let tess = app.technician();
        for noun in codex::records::entities::nouns() {
            let path = format!("/api/{}", noun.door().api);
            tess.patch(&path, &json!({"x": 1})).await.status(400);
            let none = tess.delete(&format!("{path}?id=999")).await.status(200).json();
            assert_eq!((&none["matched"], &none["changed"]), (&json!(0), &json!(0)), "{path}");
            tess.post(&path, &json!([])).await.status(400);
        }
        let places = json!([{"name": "A", "address": "1"}, {"name": "B", "address": "2"}]);
        tess.post("/api/companies/100001/locations", &places).await.status(201);
        tess.post("/api/companies/100002/locations", &json!({"name": "A", "address": "3"})).await.status(201);
        let done = tess.patch("/api/companies/100001/locations?name=A", &json!({"phone_number": "555 0100"})).await.status(200).json();
        assert_eq!(done["matched"], 1, "of this company alone: {done}");
        let gone = tess.delete("/api/companies/100001/locations?name__in=A,B").await.status(200).json();
        assert_eq!((&gone["changed"], count(&app, "/api/companies/100002/locations").await), (&json!(2), 1), "{gone}");
    }
}
