//! Fields that administrators add to record types: defined, filled in, asked by, exported, imported, taken back.

use serde_json::{Value, json};

use crate::support::{Api, App, Engine, both};

async fn field(app: &App, body: Value) -> Value {
    app.admin().post("/api/custom_fields", &body).await.status(201).json()
}

async fn page(api: &Api, path: &str) -> String {
    api.get_with(path, "accept", "text/html").await.status(200).text()
}

/// One field of each kind for companies.
async fn of_every_kind(app: &App) {
    for (key, kind, more) in [
        ("door_code", "text", json!({"label": "Door code", "help": "Of the main entrance"})),
        ("story", "long_text", json!({})),
        ("seats", "number", json!({})),
        ("deposit", "money", json!({})),
        ("since", "date", json!({})),
        ("on_site", "yes_no", json!({})),
        ("parking", "choice", json!({"choices": ["Street", "Garage"]})),
        ("wiki", "link", json!({})),
    ] {
        let mut body = json!({"type": "company", "key": key, "label": key, "kind": kind});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        field(app, body).await;
    }
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

both! {
    async fn what_is_written_as_custom_fields_is_of_the_own_fields(engine: Engine) {
        let app = App::start_on(&engine).await;
        of_every_kind(&app).await;
        let tess = app.technician();
        app.company("1", "Acme").await;
        app.database.execute("UPDATE companies SET custom_fields = '{\"tier\":[\"A\"]}'");
        let whole = tess.put("/api/companies/1", &json!({"custom_fields": {"door_code": "47-11"}})).await.ok();
        assert_eq!((&whole["cf"]["door_code"], &whole["custom_fields"]["door_code"]), (&json!("47-11"), &json!("47-11")));
        // What the vendor has stands there too: it may be sent back, and is not written here.
        let shown = tess.get("/api/companies/1").await.ok();
        assert_eq!(shown["custom_fields"]["tier"], json!(["A"]), "{shown}");
        tess.put("/api/companies/1", &shown).await.status(200);
        // Who changes one of the two names of a field in what they were shown changes the field.
        for name in ["custom_fields", "cf"] {
            let mut sent = tess.get("/api/companies/1").await.ok();
            sent[name]["door_code"] = json!(format!("by {name}"));
            let whole = tess.put("/api/companies/1", &sent).await.ok();
            assert_eq!((&whole["custom_fields"]["door_code"], &whole["custom_fields"]["tier"]), (&json!(format!("by {name}")), &json!(["A"])), "{whole}");
        }
        for asked in ["custom_fields.door_code__ic=by", "fields=id,custom_fields", "sort=custom_fields.door_code", "fields=custom_fields.door_code"] {
            let found = tess.get(&format!("/api/companies?{asked}")).await.ok();
            assert!(found.as_array().unwrap().len() == 1 && found.to_string().contains("by cf"), "{asked}: {found}");
        }
        // A table that was asked for them has them too, also of records of which vendors have none.
        tess.post("/api/assets", &json!({"hostname": "PC-1", "company_account_number": "1"})).await.status(201);
        app.admin().post("/api/custom_fields", &json!({"type": "asset", "key": "rack", "label": "Rack", "kind": "text"})).await.status(201);
        tess.put("/api/assets/1", &json!({"custom_fields": {"rack": "R-7"}})).await.status(200);
        for (path, value) in [("assets", "R-7"), ("companies", "by cf")] {
            let table = tess.get(&format!("/api/{path}?format=csv&fields=id,custom_fields")).await.status(200).text();
            assert!(table.contains(value), "{path}: {table}");
        }
        assert_eq!(tess.get("/api/companies?custom_fields.door_code__ic=other").await.ok(), json!([]));
        assert_eq!(tess.get("/api/companies").await.ok()[0]["custom_fields"]["door_code"], "by cf");
        let sent = json!({"custom_fields": {"tier": ["A"], "seats": 5}, "cf": {"door_code": "12"}});
        let whole = tess.put("/api/companies/1", &sent).await.ok();
        assert_eq!((&whole["cf"]["seats"], &whole["cf"]["door_code"]), (&json!(5), &json!("12")));
        for (sent, field) in [
            (json!({"tier": ["B"]}), "custom_fields.tier"), (json!({"memo": "x"}), "custom_fields.memo"), (json!("x"), "custom_fields"),
        ] {
            assert_eq!(tess.put("/api/companies/1", &json!({"custom_fields": sent})).await.status(400).fields(), [field], "{sent}");
        }
        let refused = tess.post("/api/contacts", &json!({"name": "Ada", "company_account_numbers": ["1"], "custom_fields": {"memo": "x"}})).await.status(400);
        assert_eq!(refused.fields(), ["custom_fields.memo"]);
        assert_eq!(tess.get("/api/contacts").await.ok(), json!([]));
        // Many at once are held to it, and to the names of fields that there are.
        assert_eq!(tess.patch("/api/companies?name=Acme", &json!({"custom_fields": {"seats": 7}})).await.ok()["changed"], 1);
        let refused = tess.patch("/api/companies?name=Acme", &json!({"suport_level": "x"})).await.status(400);
        assert!(refused.fields() == ["suport_level"] && refused.text().contains("did you mean support_level?"), "{}", refused.text());
    }

    async fn nothing_is_added_to_answers_while_no_field_is_defined(engine: Engine) {
        let app = App::start_on(&engine).await;
        let made = app.company("100001", "Acme").await;
        assert!(made.get("cf").is_none() && made.get("tags").is_none(), "{made}");
        for path in ["/api/companies", "/api/companies/100001"] {
            let text = app.service().get(path).await.status(200).text();
            assert!(!text.contains("\"cf\"") && !text.contains("\"tags\""), "{text}");
        }
        let csv = app.service().get("/api/companies?format=csv").await.status(200).text();
        assert!(!csv.contains("cf."), "{csv}");
    }

    async fn every_kind_is_kept_and_told(engine: Engine) {
        let app = App::start_on(&engine).await;
        of_every_kind(&app).await;
        let api = app.technician();
        let own = json!({
            "door_code": "47-11", "story": "one\ntwo", "seats": -12.5, "deposit": 1250.5, "since": "2026-01-31",
            "on_site": true, "parking": "Garage", "wiki": "https://wiki.example/acme",
        });
        let made = api.post("/api/companies", &json!({"account_number": "100001", "name": "Acme", "cf": own})).await.status(201).json();
        assert_eq!(made["cf"], own, "{made}");
        assert_eq!(api.get("/api/companies/100001").await.ok()["cf"], own);
        assert_eq!(api.get("/api/companies").await.ok()[0]["cf"], own);
        let again = api.get("/api/companies/100001").await.ok();
        let put = api.put("/api/companies/100001", &again).await.status(200).json();
        assert_eq!(put["rev"], again["rev"], "what is sent back changes nothing");
        let one = api.patch("/api/companies/100001", &json!({"cf": {"seats": null, "door_code": "12"}})).await.status(200).json();
        assert_eq!((&one["cf"]["seats"], &one["cf"]["door_code"], &one["cf"]["since"]), (&Value::Null, &json!("12"), &json!("2026-01-31")));
    }

    async fn what_does_not_fit_is_named(engine: Engine) {
        let app = App::start_on(&engine).await;
        of_every_kind(&app).await;
        app.company("100001", "Acme").await;
        let wrong = json!({
            "seats": "many", "deposit": 1.234, "since": "yesterday", "on_site": "maybe", "parking": "Roof", "wiki": "ftp:x", "none": 1,
        });
        let reply = app.technician().put("/api/companies/100001", &json!({"name": "Other", "cf": wrong})).await.status(400);
        let mut fields = reply.fields();
        fields.sort();
        assert_eq!(fields, ["cf.deposit", "cf.none", "cf.on_site", "cf.parking", "cf.seats", "cf.since", "cf.wiki"]);
        assert_eq!(app.technician().get("/api/companies/100001").await.ok()["name"], "Acme", "nothing is half written");
        assert_eq!(app.technician().put("/api/companies/100001", &json!({"cf": 5})).await.status(400).fields(), ["cf"]);
        field(&app, json!({"type": "asset", "key": "rack", "label": "Rack", "kind": "text", "required": true})).await;
        let asset = json!({"hostname": "LT-1", "company_account_number": "100001"});
        assert_eq!(app.technician().post("/api/assets", &asset).await.status(400).fields(), ["cf.rack"]);
        assert_eq!(app.technician().get("/api/assets").await.ok(), json!([]));
        let asset = json!({"hostname": "LT-1", "company_account_number": "100001", "cf": {"rack": "A1"}});
        let id = app.technician().post("/api/assets", &asset).await.status(201).json()["id"].clone();
        assert_eq!(app.technician().put(&format!("/api/assets/{id}"), &json!({"cf": {"rack": ""}})).await.status(400).fields(), ["cf.rack"]);
    }

    async fn lists_filter_and_sort_by_them(engine: Engine) {
        let app = App::start_on(&engine).await;
        of_every_kind(&app).await;
        for (account, name, own) in [
            ("1", "Alpha", json!({"seats": 9, "door_code": "Émile", "on_site": true, "since": "2026-03-01"})),
            ("2", "Bravo", json!({"seats": 10, "door_code": "zulu", "on_site": false, "since": "2025-03-01"})), ("3", "Charlie", json!({})),
        ] {
            app.technician().post("/api/companies", &json!({"account_number": account, "name": name, "cf": own})).await.status(201);
        }
        let get = async |query: &str| app.technician().get(&format!("/api/companies?{query}")).await.ok();
        for (query, found) in [
            ("cf.seats=10", vec!["Bravo"]), ("cf.seats__gte=9.5", vec!["Bravo"]), ("cf.seats__in=9,10", vec!["Alpha", "Bravo"]),
            ("cf.door_code=emile", vec!["Alpha"]), ("cf.door_code__ic=UL", vec!["Bravo"]), ("cf.on_site=true", vec!["Alpha"]),
            ("cf.seats__empty=true", vec!["Charlie"]), ("cf.seats__empty=false", vec!["Alpha", "Bravo"]),
            ("cf.since__lte=2025-12-31", vec!["Bravo"]), ("sort=-cf.seats", vec!["Bravo", "Alpha", "Charlie"]),
            ("sort=cf.door_code&limit=1", vec!["Alpha"]), ("cf.seats=10&name=Alpha", vec![]),
        ] {
            assert_eq!(names(&get(query).await), found, "{query}");
        }
        for (query, name) in [("cf.nothing=1", "cf.nothing"), ("sort=cf.nothing", "sort"), ("cf.seats=x", "cf.seats"), ("cf.seats__foo=1", "cf.seats__foo"), ("fields=cf.nothing", "fields")] {
            let reply = app.technician().get(&format!("/api/companies?{query}")).await.status(400);
            assert!(reply.fields().contains(&name.to_owned()), "{query}: {}", reply.text());
        }
        let some = app.technician().get("/api/companies?fields=name,cf.seats&limit=1").await.ok();
        assert_eq!(some, json!([{"name": "Alpha", "cf.seats": 9}]));
        let paged = app.technician().get("/api/companies?cf.seats__gte=1&limit=1").await.status(200);
        assert_eq!(paged.header("x-total-count"), "2");
    }

    async fn an_export_comes_in_again(engine: Engine) {
        let app = App::start_on(&engine).await;
        of_every_kind(&app).await;
        let api = app.technician();
        app.admin().post("/api/tags", &json!({"name": "VIP"})).await.status(201);
        let own = json!({"door_code": "47-11", "seats": 3, "on_site": false});
        api.post("/api/companies", &json!({"account_number": "1", "name": "Acme", "cf": own, "tags": ["VIP"]})).await.status(201);
        let csv = api.get("/api/companies?format=csv").await.status(200).text();
        let head: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
        assert!(head.contains(&"cf.door_code") && head.contains(&"tags"), "{csv}");
        let same = app.admin().post_raw("/api/import/companies?dry_run=true", "text/csv", csv).await.status(200).json();
        assert_eq!((&same["same"], &same["update"]), (&json!(1), &json!(0)), "{same}");
        let other = "account_number,name,cf.seats,cf.door_code,tags\n1,Acme,4,,VIP\n2,Bravo,7,99,\n";
        let done = app.admin().post_raw("/api/import/companies", "text/csv", other).await.status(200).json();
        assert_eq!((&done["update"], &done["create"]), (&json!(1), &json!(1)), "{done}");
        let first = api.get("/api/companies/1").await.ok();
        assert_eq!((&first["cf"]["seats"], &first["cf"]["door_code"]), (&json!(4), &json!("47-11")));
        assert_eq!(api.get("/api/companies/2").await.ok()["cf"]["seats"], 7);
        let wrong = "account_number,name,cf.seats\n1,Acme,many\n";
        let refused = app.admin().post_raw("/api/import/companies?dry_run=true", "text/csv", wrong).await.status(200).json();
        assert!(refused["refused"] == 1 && refused.to_string().contains("cf.seats"), "{refused}");
        app.admin().post(&format!("/api/sync/runs/{}/undo", done["run_id"]), &json!({})).await.status(200);
        assert_eq!(api.get("/api/companies/1").await.ok()["cf"]["seats"], 3);
    }

    async fn a_change_is_in_history_and_can_be_taken_back(engine: Engine) {
        let app = App::start_on(&engine).await;
        of_every_kind(&app).await;
        let id = app.company("100001", "Acme").await["id"].clone();
        let api = app.technician();
        api.put("/api/companies/100001", &json!({"cf": {"door_code": "1", "seats": 4}})).await.status(200);
        api.put("/api/companies/100001", &json!({"cf": {"door_code": "2"}})).await.status(200);
        let past = api.get(&format!("/api/history/company/{id}")).await.ok();
        let last = &past["changes"][0];
        assert_eq!(last["fields"], json!({"cf.door_code": {"old": "1", "new": "2"}}), "{past}");
        let html = page(&api, "/companies/100001").await;
        assert!(html.contains("Door code") && html.contains(">Custom fields<"), "{html}");
        api.post(&format!("/api/changes/{}/undo", last["seq"]), &json!({})).await.status(200);
        assert_eq!(api.get("/api/companies/100001").await.ok()["cf"]["door_code"], "1");
        let first = past["changes"][1]["seq"].clone();
        api.put("/api/companies/100001", &json!({"cf": {"door_code": "9"}})).await.status(200);
        let refused = api.post(&format!("/api/changes/{first}/undo"), &json!({})).await.status(409);
        assert!(refused.text().contains("changed since"), "{}", refused.text());
    }

    async fn a_retired_field_hides_and_keeps_its_values(engine: Engine) {
        let app = App::start_on(&engine).await;
        of_every_kind(&app).await;
        app.technician().post("/api/companies", &json!({"account_number": "1", "name": "Acme", "cf": {"seats": 3, "story": "x"}})).await.status(201);
        let fields = app.admin().get("/api/custom_fields?type=company").await.ok();
        let of = |key: &str| fields.as_array().unwrap().iter().find(|field| field["key"] == key).unwrap()["id"].clone();
        let path = format!("/api/custom_fields/{}", of("seats"));
        let before = app.technician().get("/api/companies/1").await.status(200).header("etag").to_owned();
        app.admin().delete(&path).await.status(200);
        let shown = app.technician().get_with("/api/companies/1", "if-none-match", &before).await.status(200).json();
        assert!(shown["cf"].get("seats").is_none(), "{shown}");
        assert!(app.technician().get("/api/companies").await.ok()[0]["cf"].get("seats").is_none());
        assert_eq!(app.technician().put("/api/companies/1", &json!({"cf": {"seats": 4}})).await.status(400).fields(), ["cf.seats"]);
        app.admin().post(&format!("{path}/restore"), &json!({})).await.status(200);
        assert_eq!(app.technician().get("/api/companies/1").await.ok()["cf"]["seats"], 3);
        let story = format!("/api/custom_fields/{}", of("story"));
        let refused = app.admin().put(&story, &json!({"kind": "number"})).await.status(400);
        assert!(refused.fields() == ["kind"] && refused.text().contains("1 record"), "{}", refused.text());
        app.admin().put(&path, &json!({"kind": "text"})).await.status(200);
        assert_eq!(app.technician().get("/api/companies?cf.seats=3").await.ok()[0]["cf"]["seats"], "3");
        for (body, name) in [(json!({"key": "other"}), "key"), (json!({"type": "asset"}), "type"), (json!({"choices": ["a"]}), "choices")] {
            assert_eq!(app.admin().put(&path, &body).await.status(400).fields(), [name], "{body}");
        }
        app.technician().post("/api/custom_fields", &json!({})).await.status(403);
        let twice = json!({"type": "company", "key": "seats", "label": "Seats", "kind": "text"});
        app.admin().post("/api/custom_fields", &twice).await.status(409);
        for (body, name) in [(json!({"type": "toaster"}), "type"), (json!({"key": "No Spaces"}), "key"), (json!({"kind": "colour"}), "kind"), (json!({"kind": "choice"}), "choices")] {
            let mut whole = json!({"type": "company", "key": "new", "label": "New", "kind": "text"});
            whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
            assert_eq!(app.admin().post("/api/custom_fields", &whole).await.status(400).fields(), [name], "{whole}");
        }
    }

    async fn every_noun_of_the_one_door_takes_them(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let contact = app.contact("Ava Patel", "ava@example.com", &["100001"]).await["id"].clone();
        let asset = app.asset("LT-1", "100001").await["id"].clone();
        let place = app.admin().post("/api/companies/100001/locations", &json!({"name": "Head office", "address": "1 Alder Street"})).await.status(201).json()["id"].clone();
        let subnet = app.admin().post("/api/subnets", &json!({"company_id": "100001", "cidr": "10.0.0.0/24"})).await.status(201).json()["id"].clone();
        for (entity, path, list) in [
            ("contact", format!("/api/contacts/{contact}"), Some("/api/contacts")), ("asset", format!("/api/assets/{asset}"), Some("/api/companies/100001/assets")),
            ("location", format!("/api/companies/100001/locations/{place}"), None), ("subnet", format!("/api/subnets/{subnet}"), Some("/api/subnets")),
        ] {
            field(&app, json!({"type": entity, "key": "own", "label": "Own", "kind": "text"})).await;
            let put = app.technician().put(&path, &json!({"cf": {"own": entity}})).await.status(200).json();
            assert_eq!(put["cf"], json!({"own": entity}), "{path}: {put}");
            assert_eq!(app.technician().get(&path).await.ok()["cf"], json!({"own": entity}));
            if let Some(list) = list {
                assert_eq!(app.technician().get(list).await.ok()[0]["cf"], json!({"own": entity}), "{list}");
            }
        }
    }

    async fn protected_records_keep_theirs_from_the_uncleared(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_COMPLIANCE_CLEARED_SERVICES", "other").start().await;
        of_every_kind(&app).await;
        for (account, level) in [("1", "standard"), ("2", "hipaa")] {
            let body = json!({"account_number": account, "name": account, "compliance_level": level, "cf": {"door_code": "canary-4711"}});
            app.admin().post("/api/companies", &body).await.status(201);
        }
        let service = app.service();
        assert_eq!(service.get("/api/companies/1").await.ok()["cf"]["door_code"], "canary-4711");
        for path in ["/api/companies/2", "/api/companies?account_number=2", "/api/companies?account_number=2&format=csv"] {
            let text = service.get(path).await.status(200).text();
            assert!(!text.contains("canary"), "{path}: {text}");
        }
        let subnet = app.admin().post("/api/subnets", &json!({"company_id": "2", "cidr": "10.0.0.0/24"})).await.status(201).json()["id"].clone();
        field(&app, json!({"type": "subnet", "key": "own", "label": "Own", "kind": "text"})).await;
        app.technician().put(&format!("/api/subnets/{subnet}"), &json!({"cf": {"own": "canary-4711"}})).await.status(200);
        let hidden = app.admin().get("/api/companies/2").await.ok()["id"].clone();
        for path in [format!("/api/subnets/{subnet}"), "/api/search?q=canary-4711".to_owned(), format!("/api/history/company/{hidden}")] {
            let text = service.get(&path).await.status(200).text();
            assert!(!text.contains("canary") && !text.contains(&format!("\"id\":{hidden},\"account_number\":\"2\"")), "{path}: {text}");
        }
        let read = async |path: &str| {
            let before = app.admin().get("/api/disclosures?caller=tess&limit=500").await.ok().as_array().unwrap().len();
            app.technician().get(path).await.status(200);
            crate::support::eventually(path, 10, async || {
                app.admin().get("/api/disclosures?caller=tess&limit=500").await.ok().as_array().unwrap().len() > before
            })
            .await;
        };
        for path in [format!("/api/subnets/{subnet}"), "/api/subnets".to_owned(), "/api/subnets?format=csv".to_owned()] {
            read(&path).await;
        }
        for query in ["cf.door_code=canary-4711", "sort=cf.door_code"] {
            service.get(&format!("/api/companies?{query}")).await.status(403);
        }
        service.put("/api/companies/2", &json!({"cf": {"door_code": "x"}})).await.status(403);
        let client = app.client_of("carl", "1").await;
        let seen = client.get("/api/companies/1").await.ok();
        assert!(seen.get("cf").is_none(), "own fields are the provider's: {seen}");
        assert!(!client.get("/api/companies?format=csv").await.status(200).text().contains("cf."));
    }

    async fn the_search_finds_records_by_them_and_counts(engine: Engine) {
        let app = App::start_on(&engine).await;
        of_every_kind(&app).await;
        app.admin().post("/api/tags", &json!({"name": "Lighthouse"})).await.status(201);
        let api = app.technician();
        for (account, name, more) in [
            ("1", "Lighthouse Ltd", json!({})), ("2", "Bravo", json!({"cf": {"door_code": "at the lighthouse"}})),
            ("3", "Charlie", json!({"tags": ["Lighthouse"]})), ("4", "Delta", json!({})),
        ] {
            let mut body = json!({"account_number": account, "name": name});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            api.post("/api/companies", &body).await.status(201);
        }
        app.admin().post("/api/subnets", &json!({"company_id": "1", "cidr": "10.0.0.0/24", "note": "lighthouse"})).await.status(201);
        let found = api.get("/api/search?q=lighthouse&counts=true").await.ok();
        assert_eq!(names(&found["companies"]), ["Lighthouse Ltd", "Bravo", "Charlie"], "{found}");
        assert_eq!((&found["counts"]["companies"], &found["counts"]["contacts"]), (&json!(3), &json!(0)), "{found}");
        let one = api.get("/api/search?q=lighthouse&limit=1&counts=true").await.ok();
        assert_eq!((names(&one["companies"]), &one["counts"]["companies"]), (vec!["Lighthouse Ltd"], &json!(3)));
        assert!(api.get("/api/search?q=lighthouse").await.ok().get("counts").is_none(), "the shape of old stays");
        let html = page(&api, "/search?q=lighthouse").await;
        assert!(html.contains("Charlie") && !html.contains("Delta"), "{html}");
    }

    async fn people_fill_them_in_with_a_form(engine: Engine) {
        let app = App::start_on(&engine).await;
        of_every_kind(&app).await;
        app.technician().post("/api/companies", &json!({"account_number": "1", "name": "Acme", "cf": {"seats": 3}})).await.status(201);
        let api = app.technician();
        let form = page(&api, "/companies/1/edit").await;
        assert!(form.contains("name=\"cf.seats\"") && form.contains("value=\"3\"") && form.contains("Of the main entrance"), "{form}");
        let media = "application/x-www-form-urlencoded";
        api.post_raw("/companies/1/edit", media, "cf.seats=4&cf.on_site=true&cf.door_code=").await.status(303);
        let now = api.get("/api/companies/1").await.ok();
        assert_eq!((&now["cf"]["seats"], &now["cf"]["on_site"], &now["cf"]["door_code"]), (&json!(4), &json!(true), &Value::Null));
        let back = api.post_raw("/companies/1/edit", media, "cf.seats=many").await.status(400).text();
        assert!(back.contains("id=\"cf.seats-error\"") && back.contains("value=\"many\""), "{back}");
        let list = page(&api, "/companies/?col=name&col=cf.seats&sort=-cf.seats&cf.on_site=true").await;
        assert!(list.contains("sort=cf.seats") && list.contains("on_site: Yes"), "{list}");
        for path in ["/admin/fields/", "/admin/fields/new", "/admin/fields/1/edit"] {
            page(&app.admin(), path).await;
        }
        let made = "type=asset&label=Rack&key=rack&kind=choice&choices=A%0AB&position=&required=false";
        app.admin().post_raw("/admin/fields/new", media, made).await.status(303);
        let fields = app.admin().get("/api/custom_fields?type=asset").await.ok();
        assert_eq!(fields[0]["choices"], json!(["A", "B"]), "{fields}");
    }
}
