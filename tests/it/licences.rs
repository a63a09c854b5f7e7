//! Licences, their seats, and their keys.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, App, Engine, both, eventually};

async fn page(api: &Api, path: &str) -> String {
    api.get_with(path, "accept", "text/html").await.status(200).text()
}

async fn licence(api: &Api, more: Value) -> Value {
    let mut body = json!({"company_id": "100001", "product": "Office Suite", "vendor": "Contoso", "seats": 1});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    api.post("/api/licenses", &body).await.status(201).json()
}

async fn seat(api: &Api, license: &Value, holder: (&str, &Value)) -> Value {
    api.post("/api/license_seats", &json!({"license_id": license["id"], holder.0: holder.1})).await.status(201).json()
}

/// The day so many days from now, in UTC, which is the office's zone unless somebody says another.
pub(crate) fn day(ahead: i64) -> String {
    let moment = jiff::Timestamp::now().as_second() + ahead * 24 * 60 * 60;
    jiff::Timestamp::from_second(moment).unwrap().to_string()[..10].to_owned()
}

fn ids(list: &Value) -> Vec<i64> {
    list.as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect()
}

both! {
    async fn seats_are_counted_and_too_many_are_told(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let contact = app.contact("Ava Patel", "ava@example.com", &["100001"]).await;
        let asset = app.asset("LT-1", "100001").await;
        let api = app.technician();
        let one = licence(&api, json!({"price": 12.5, "term": "12 months", "starts_on": "2026-03-01", "auto_renews": true})).await;
        assert_eq!((&one["price"], &one["term"], &one["expires_on"]), (&json!(12.5), &json!("1-Year"), &json!("2027-02-28")), "{one}");
        assert_eq!((&one["seats_used"], &one["seats_free"], &one["over"], &one["has_key"]), (&json!(0), &json!(1), &json!(false), &json!(false)));
        let other = licence(&api, json!({"product": "Backup", "seats": null})).await;
        assert_eq!((&other["seats_free"], &other["over"]), (&Value::Null, &json!(false)), "for how many it is, it does not say");
        assert_eq!(ids(&api.get("/api/licenses?under=true").await.ok()), [one["id"].as_i64().unwrap()]);
        let first = seat(&api, &one, ("contact_id", &contact["id"])).await;
        assert_eq!((&first["company_id"], &first["contact_name"], &first["license_name"]), (&json!("100001"), &json!("Ava Patel"), &json!("Office Suite")));
        let second = api.post("/api/license_seats", &json!({"license_id": one["id"], "asset_id": asset["id"]})).await.status(201).json();
        assert_eq!(second["warnings"], json!(["2 seats are assigned and 1 are licensed: 1 over."]), "{second}");
        let now = api.get(&format!("/api/licenses/{}", one["id"])).await.ok();
        assert_eq!(ids(&api.get("/api/licenses?under=true").await.ok()), Vec::<i64>::new());
        assert_eq!((&now["seats_used"], &now["seats_free"], &now["over"]), (&json!(2), &json!(-1), &json!(true)));
        assert_eq!(ids(&api.get("/api/licenses?over=true").await.ok()), [one["id"].as_i64().unwrap()]);
        assert_eq!(ids(&api.get("/api/licenses?over=false").await.ok()), [other["id"].as_i64().unwrap()]);
        assert_eq!(api.get("/api/companies/100001/licenses").await.ok().as_array().unwrap().len(), 2);
        let csv = api.get("/api/licenses?format=csv").await.status(200).text();
        assert!(csv.contains("seats_used") && csv.contains("12.5") && !csv.contains("license_key"), "{csv}");
        for (body, field) in [
            (json!({"license_id": one["id"]}), "contact_id"), (json!({"license_id": one["id"], "contact_id": contact["id"]}), "contact_id"),
            (json!({"license_id": one["id"], "contact_id": contact["id"], "asset_id": asset["id"]}), "contact_id"),
            (json!({"license_id": 999, "contact_id": contact["id"]}), "license_id"),
        ] {
            assert_eq!(api.post("/api/license_seats", &body).await.status(400).fields(), [field], "{body}");
        }
        app.company("100002", "Bolt").await;
        let stranger = app.contact("Bo", "bo@example.com", &["100002"]).await;
        let refused = api.post("/api/license_seats", &json!({"license_id": one["id"], "contact_id": stranger["id"], "company_id": "100001"})).await.status(400);
        assert_eq!(refused.fields(), ["contact_id"], "of the same company");
        assert_eq!(api.put(&format!("/api/licenses/{}", one["id"]), &json!({"expires_on": "2026-01-01"})).await.status(400).fields(), ["expires_on"]);
        // Found, and shown where it belongs.
        assert_eq!(api.get("/api/search?q=contoso").await.ok()["licenses"].as_array().unwrap().len(), 2);
        for path in [format!("/contacts/{}", contact["id"]), format!("/assets/{}", asset["id"]), "/companies/100001".to_owned(), format!("/licenses/{}", one["id"])] {
            let html = page(&api, &path).await;
            assert!(html.contains("Office Suite"), "{path}: {html}");
        }
        let own = page(&api, &format!("/licenses/{}", one["id"])).await;
        assert!(own.contains(&format!("action=\"/license-seats/{}/retire\"", first["id"])), "a seat is released where it is listed: {own}");
        let list = page(&api, "/licenses/?over=true").await;
        assert!(list.contains("Office Suite") && !list.contains("Backup") && list.contains("/license-seats/"), "{list}");
        assert!(!list.contains("/network/vlans/"), "no tabs of networks beside licences");
        let past = app.admin().get(&format!("/api/history/license_seat/{}", first["id"])).await.ok();
        assert_eq!(past["changes"][0]["action"], "create");
    }

    async fn licences_are_found_where_neighbours_look_for_them(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        app.company("100002", "Other").await;
        let asset = app.asset("LT-1", "100001").await;
        let api = app.technician();
        let one = licence(&api, json!({"seats": 5, "expires_on": "2027-02-28"})).await;
        licence(&api, json!({"company_id": "100002", "product": "Backup"})).await;
        seat(&api, &one, ("asset_id", &asset["id"])).await;
        let service = app.service();
        for word in ["license", "License"] {
            let all = service.get(&format!("/api/assets?type={word}")).await.ok();
            assert_eq!(all.as_array().unwrap().len(), 2, "{all}");
            let mine = all.as_array().unwrap().iter().find(|row| row["id"] == one["id"]).unwrap();
            for (member, value) in [
                ("type", json!("license")), ("product", json!("Office Suite")), ("vendor", json!("Contoso")), ("seats", json!(5)),
                ("seats_used", json!(1)), ("expires_on", json!("2027-02-28")), ("company_id", json!("100001")), ("company_name", json!("Acme")),
            ] {
                assert_eq!(mine[member], value, "{member}: {mine}");
            }
            assert!(mine.get("license_key").is_none(), "{mine}");
        }
        // With the habits of every list, and none of it where devices are billed.
        let of = service.get("/api/assets?type=license&company_id=100002&fields=type,product").await.ok();
        assert_eq!(of, json!([{"type": "license", "product": "Backup"}]));
        let page = service.get("/api/assets?type=license&limit=1&sort=-product").await.status(200);
        assert_eq!((page.header("x-total-count"), &page.json()[0]["product"]), ("2", &json!("Office Suite")));
        assert_eq!(service.get("/api/assets?type=license&q=backup").await.ok().as_array().unwrap().len(), 1);
        let csv = service.get("/api/assets?type=license&format=csv").await.status(200).text();
        assert!(csv.lines().next().unwrap().starts_with("id,type,") && csv.lines().count() == 3, "{csv}");
        for path in ["/api/assets", "/api/companies/100001/assets", "/api/companies/100001/assets?type=license"] {
            let rows = service.get(path).await.ok();
            assert!(rows.as_array().unwrap().iter().all(|row| row["type"] != "license"), "{path}: {rows}");
        }
        // A client sees their own; a key that is limited to assets reaches no licences by their address.
        let cleo = app.client_of("cleo", "100002").await;
        assert_eq!(cleo.get("/api/assets?type=license").await.ok().as_array().unwrap().len(), 1);
        let made = app.admin().post("/api/keys", &json!({"name": "one", "types": ["asset"], "current_password": crate::support::PASSWORD})).await.status(201).json();
        let key = app.with_token(made["key"].as_str().unwrap());
        key.get("/api/assets").await.status(200);
        key.get("/api/assets?type=license").await.status(403);
    }

    async fn a_seat_goes_with_whoever_holds_it(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let contact = app.contact("Ava Patel", "ava@example.com", &["100001"]).await;
        let asset = app.asset("LT-1", "100001").await;
        let api = app.technician();
        let one = licence(&api, json!({"seats": 5})).await;
        seat(&api, &one, ("contact_id", &contact["id"])).await;
        seat(&api, &one, ("asset_id", &asset["id"])).await;
        for path in [format!("/api/contacts/{}", contact["id"]), format!("/api/assets/{}", asset["id"])] {
            let refused = api.delete(&path).await.status(409);
            assert_eq!(refused.json()["attached"]["license_seats"], 1, "{}", refused.text());
            api.delete(&format!("{path}?force=true")).await.status(200);
        }
        assert_eq!(api.get("/api/license_seats").await.ok(), json!([]));
        assert_eq!(api.get("/api/licenses").await.ok()[0]["seats_used"], 0);
        let changes = app.admin().get("/api/changes?types=license_seat").await.ok();
        let retired = changes["changes"].as_array().unwrap().iter().filter(|change| change["action"] == "retire").count();
        assert_eq!(retired, 2, "{changes}");
        // A seat that was let go comes back by undo while its holder is there.
        let free = app.contact("Cy", "cy@example.com", &["100001"]).await;
        let held = seat(&api, &one, ("contact_id", &free["id"])).await;
        api.delete(&format!("/api/license_seats/{}", held["id"])).await.status(200);
        let seq = app.database.number("SELECT max(seq) FROM changes WHERE entity = 'license_seat'");
        api.post(&format!("/api/changes/{seq}/undo"), &json!({})).await.status(200);
        assert_eq!(ids(&api.get("/api/license_seats").await.ok()), [held["id"].as_i64().unwrap()]);
        let refused = api.delete(&format!("/api/licenses/{}", one["id"])).await.status(409).json();
        assert_eq!(refused["attached"]["license_seats"], 1);
        api.delete(&format!("/api/licenses/{}?force=true", one["id"])).await.status(200);
        assert_eq!(api.get("/api/license_seats").await.ok(), json!([]));
    }

    async fn a_key_goes_in_sealed_and_out_on_one_page(engine: Engine) {
        const CANARY: &str = "CANARY-KEY-7F3Q";
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let api = app.technician();
        let one = licence(&api, json!({})).await;
        let path = format!("/api/licenses/{}/key", one["id"]);
        assert_eq!(api.put(&path, &json!({})).await.status(400).fields(), ["key"]);
        let refused = api.post("/api/licenses", &json!({"company_id": "100001", "product": "x", "license_key": CANARY})).await.status(400);
        assert_eq!(refused.fields(), ["license_key"], "it has an address of its own");
        assert_eq!(api.put(&path, &json!({"key": CANARY})).await.status(200).json()["has_key"], true);
        assert_eq!(app.database.number("SELECT count(*) FROM licenses WHERE license_key LIKE 'sealed:%'"), 1);
        for asked in [
            "/api/licenses".to_owned(), format!("/api/licenses/{}", one["id"]), "/api/licenses?format=csv".to_owned(),
            format!("/api/history/license/{}", one["id"]), "/api/changes?types=license".to_owned(), "/api/search?q=office".to_owned(),
        ] {
            for caller in [&app.admin(), &app.service()] {
                let text = caller.get(&asked).await.status(200).text();
                assert!(!text.contains(CANARY) && !text.contains("sealed:"), "{asked}: {text}");
            }
        }
        let past = app.admin().get(&format!("/api/history/license/{}", one["id"])).await.ok();
        assert_eq!(past["changes"][0]["fields"]["license_key"], json!({"old": null, "new": "set"}), "{past}");
        let html = page(&api, &format!("/licenses/{}", one["id"])).await;
        assert!(html.contains("Show key") && !html.contains(CANARY), "{html}");
        assert!(!page(&api, &format!("/licenses/{}/key", one["id"])).await.contains(CANARY));
        let show = |api: &Api| {
            let (api, path) = (api.clone(), format!("/licenses/{}/key/show", one["id"]));
            async move { api.send(Method::POST, &path, |request| request.header("accept", "text/html").form(&[("x", "y")])).await }
        };
        assert_eq!(show(&app.service()).await.status, 403, "never to a program");
        let shown = show(&api).await.status(200);
        assert!(shown.text().contains(CANARY) && shown.header("cache-control") == "no-store", "{}", shown.text());
        let readings = "SELECT CAST(coalesce(sum(times), 0) AS BIGINT) FROM disclosures WHERE entity = 'license_key' AND caller = 'tess'";
        eventually("the reading is noted", 20, || async { app.database.number(readings) == 1 }).await;
        assert!(!app.log().contains(CANARY));
        let form = |key: &'static str| {
            let (api, path) = (api.clone(), format!("/licenses/{}/key", one["id"]));
            async move { api.send(Method::POST, &path, |request| request.header("accept", "text/html").form(&[("key", key)])).await }
        };
        form("ANOTHER").await.status(303);
        assert!(show(&api).await.status(200).text().contains("ANOTHER"));
        form("").await.status(303);
        assert_eq!(api.get(&format!("/api/licenses/{}", one["id"])).await.ok()["has_key"], false);
        show(&api).await.status(404);
    }

    async fn renewals_are_told_in_four_states(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let api = app.technician();
        let mut known = Vec::new();
        for (state, ends) in [("in", Some(day(91))), ("ending", Some(day(90))), ("ending", Some(day(0))), ("expired", Some(day(-1))), ("unknown", None)] {
            let one = licence(&api, json!({"expires_on": ends})).await;
            assert_eq!(one["renewal"], state, "{one}");
            known.push((state, one["id"].as_i64().unwrap()));
        }
        for state in ["in", "ending", "expired", "unknown"] {
            let wanted: Vec<i64> = known.iter().filter(|(known, _)| *known == state).map(|(_, id)| *id).collect();
            let found = api.get(&format!("/api/licenses?renewal={state}&sort=id")).await.ok();
            assert_eq!(ids(&found), wanted, "{state}");
            assert_eq!(ids(&api.get(&format!("/api/companies/100001/licenses?renewal={state}&sort=id")).await.ok()), wanted);
        }
        assert_eq!(api.get("/api/licenses?renewal__in=in,unknown").await.ok().as_array().unwrap().len(), 2);
        assert_eq!(api.get("/api/licenses?renewal=soon").await.status(400).fields(), ["renewal"]);
        let html = page(&api, "/licenses/?renewal=expired").await;
        assert!(html.contains("Expired") && html.contains("1–1 of 1"), "{html}");
        assert_eq!(api.get_with("/licenses/?renewal=soon", "accept", "text/html").await.status, 400);
        assert!(page(&api, "/companies/100001").await.contains("renewal=ending"), "a company's page counts what ends");
    }

    async fn names_of_protected_people_are_told_as_the_policy_lets_them_be(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_COMPLIANCE_CLEARED_SERVICES", "cleared").start().await;
        let ward = json!({"account_number": "100001", "name": "Ward", "compliance_level": "hipaa"});
        app.admin().post("/api/companies", &ward).await.status(201);
        let contact = app.contact("Canary Jones", "cj@ward.example", &["100001"]).await;
        let api = app.technician();
        let one = licence(&api, json!({})).await;
        let held = seat(&api, &one, ("contact_id", &contact["id"])).await;
        assert_eq!(held["contact_name"], "Canary Jones");
        let one_seat = format!("/api/license_seats/{}", held["id"]);
        let past = format!("/api/history/license_seat/{}", held["id"]);
        for (who, api) in [("billing", app.billing()), ("service", app.service())] {
            for path in ["/api/license_seats", &one_seat, "/api/license_seats?format=csv", "/api/companies/100001/license_seats", &past] {
                let reply = api.get(path).await;
                assert!(reply.status == 403 || reply.status == 200 && !reply.text().contains("anary"), "{who} {path}: {}", reply.text());
            }
            let contact_page = api.get_with(&format!("/contacts/{}", contact["id"]), "accept", "text/html").await.text();
            assert!(!contact_page.contains("anary"), "{who}: {contact_page}");
            assert_eq!(api.get("/api/license_seats?sort=contact_name").await.status, 400, "names order nothing");
        }
        assert_eq!(app.billing().get(&one_seat).await.ok()["contact_name"], "C••• J•••");
        assert_eq!(api.get(&format!("{one_seat}?filter=phi")).await.ok()["contact_name"], "C••• J•••");
        let readings = "SELECT CAST(coalesce(sum(times), 0) AS BIGINT) FROM disclosures WHERE entity = 'contact' AND caller = 'tess' AND method = 'GET'";
        let before = app.database.number(readings);
        api.get("/api/license_seats").await.status(200);
        api.get("/api/license_seats").await.status(200);
        eventually("each reading is noted", 20, || async { app.database.number(readings) == before + 2 }).await;
    }
}
