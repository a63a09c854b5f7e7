//! Records and lists as they were at a moment.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{App, Engine, PASSWORD, both};

/// A moment between what was done so far and what is done next: times have whole seconds.
async fn moment(app: &App) -> String {
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let at = app.service().get("/api/changes?since=0").await.ok();
    let last = at["changes"].as_array().unwrap().last().unwrap()["at"].as_str().unwrap().to_owned();
    tokio::time::sleep(Duration::from_millis(100)).await;
    last
}

both! {
    async fn plans_options_and_locations_are_what_they_were(engine: Engine) {
        let app = App::start_on(&engine).await;
        let (tess, admin) = (app.technician(), app.admin());
        app.company("100001", "Acme").await;
        app.contact("Ada Moss", "ada@acme.example", &["100001"]).await;
        let office = tess.post("/api/companies/100001/locations", &json!({"name": "Office", "address": "1 Old Street"})).await.status(201).json()["id"].clone();
        let plan = admin.post("/api/billing-plans", &json!({"plan_name": "Gold", "term_length": "1-Year", "per_user_cost": 10})).await.status(201).json()["id"].clone();
        admin.post("/api/billing-plans", &json!({"plan_name": "Tin", "term_length": "1-Year"})).await.status(201);
        let option = admin.post("/api/feature-options", &json!({"category": "soc", "value": "Basic"})).await.status(201).json()["id"].clone();
        let then = moment(&app).await;
        tess.put(&format!("/api/companies/100001/locations/{office}"), &json!({"address": "2 New Street"})).await.status(200);
        admin.put(&format!("/api/billing-plans/{plan}"), &json!({"per_user_cost": 12.5})).await.status(200);
        admin.delete(&format!("/api/feature-options/{option}")).await.status(200);
        let was = async |path: &str| tess.get(&format!("{path}{}as_of={then}", if path.contains('?') { '&' } else { '?' })).await.ok();
        assert_eq!(was("/api/companies/100001/locations").await[0]["address"], "1 Old Street");
        for term in ["1-Year", "1%20Year", "12%20months"] {
            let plans = was(&format!("/api/billing-plans?plan_name=gold&term_length={term}")).await;
            assert_eq!((plans.as_array().unwrap().len(), &plans[0]["per_user_cost"]), (1, &json!(10.0)), "{term}");
        }
        assert_eq!(was("/api/billing-plans?plan_name=").await, json!([]), "no plan has no name");
        assert_eq!(was("/api/feature-options").await[0]["option_value"], "Basic");
        for name in ["category", "feature_type", "feature_category"] {
            assert_eq!(was(&format!("/api/feature-options?{name}=SOC")).await[0]["option_value"], "Basic", "{name}");
            assert_eq!(was(&format!("/api/feature-options?{name}=sat")).await, json!([]), "{name}");
        }
        for list in ["locations", "assets", "subnets", "contacts"] {
            tess.get(&format!("/api/companies/404/{list}?as_of={then}")).await.status(404);
        }
        assert_eq!(tess.get("/api/feature-options").await.ok(), json!([]));
        app.client_of("cleo", "100001").await.get(&format!("/api/companies/100001/locations?as_of={then}")).await.status(403);
    }

    async fn a_record_and_a_list_are_what_they_were(engine: Engine) {
        let app = App::start_on(&engine).await;
        let tess = app.technician();
        app.company("100001", "Acme").await;
        app.company("100002", "Other").await;
        let one = app.asset("LT-1", "100001").await["id"].clone();
        let two = app.asset("LT-2", "100001").await["id"].clone();
        tess.post("/api/subnets", &json!({"cidr": "10.0.0.0/24", "company_id": "100001"})).await.status(201);
        let then = moment(&app).await;
        tess.put(&format!("/api/assets/{one}"), &json!({"hostname": "RENAMED", "status": "spare", "company_account_number": "100002"})).await.status(200);
        tess.put(&format!("/api/assets/{one}"), &json!({"hostname": "AGAIN"})).await.status(200);
        tess.delete(&format!("/api/assets/{two}")).await.status(200);
        app.asset("LT-3", "100001").await;
        tess.patch("/api/subnets?company_id=100001", &json!({"cidr": "10.9.0.0/24"})).await.status(200);
        app.admin().put("/api/companies/100001", &json!({"name": "Acme Ltd"})).await.status(200);

        let was = tess.get(&format!("/api/assets/{one}?as_of={then}")).await.ok();
        assert_eq!((&was["hostname"], &was["status"], &was["company_account_number"]), (&json!("LT-1"), &json!("active"), &json!("100001")), "{was}");
        assert_eq!((&was["as_of"], &was["retired_at"]), (&json!(then), &Value::Null));
        assert_eq!(tess.get(&format!("/api/assets/{two}?as_of={then}")).await.ok()["retired_at"], Value::Null);
        assert_eq!(tess.get(&format!("/api/companies/100001?as_of={then}")).await.ok()["name"], "Acme");
        let hosts = async |query: &str| -> Vec<String> {
            let rows = tess.get(&format!("/api/assets?as_of={then}{query}")).await.ok();
            rows.as_array().unwrap().iter().map(|row| row["hostname"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(hosts("").await, ["LT-1", "LT-2"]);
        assert_eq!(hosts("&sort=-hostname").await, ["LT-2", "LT-1"]);
        assert_eq!(hosts("&company_id=100001&status=active&hostname__ic=lt-2").await, ["LT-2"]);
        assert_eq!(hosts("&company_id=100002").await, Vec::<String>::new());
        assert_eq!(hosts("&retired=only").await, Vec::<String>::new());
        let page = tess.get(&format!("/api/assets?as_of={then}&limit=1&offset=1")).await.status(200);
        assert_eq!((page.header("x-total-count"), &page.json()[0]["hostname"]), ("2", &json!("LT-2")));
        let csv = tess.get(&format!("/api/assets?as_of={then}&format=csv&fields=hostname,status")).await.status(200).text();
        assert_eq!(csv.lines().collect::<Vec<_>>(), ["hostname,status", "LT-1,active", "LT-2,active"]);
        // Those of a company are those that were its.
        let of_company: Vec<Value> = tess.get(&format!("/api/companies/100001/assets?as_of={then}&sort=hostname")).await.ok().as_array().unwrap().clone();
        assert_eq!(of_company.iter().map(|row| row["hostname"].as_str().unwrap()).collect::<Vec<_>>(), ["LT-1", "LT-2"]);
        assert_eq!(tess.get(&format!("/api/companies/100002/assets?as_of={then}")).await.ok(), json!([]));
        for path in ["/api/subnets", "/api/companies/100001/subnets"] {
            assert_eq!(tess.get(&format!("{path}?as_of={then}")).await.ok()[0]["cidr"], "10.0.0.0/24", "{path}");
        }
        assert_eq!(tess.get(&format!("/api/companies?as_of={then}&name=Acme")).await.ok().as_array().unwrap().len(), 1);
        // A moment stands for its end: what happened in that second has happened.
        let seen = tess.get(&format!("/api/history/asset/{one}")).await.ok()["changes"][0]["at"].as_str().unwrap().to_owned();
        assert_eq!(tess.get(&format!("/api/assets/{one}?as_of={seen}")).await.ok()["hostname"], "AGAIN");
        // Nothing of secrets, nor of what was not there yet.
        assert!(was.get("bitlocker_key").is_none(), "{was}");
        let three = tess.get("/api/assets?hostname=LT-3").await.ok()[0]["id"].clone();
        tess.get(&format!("/api/assets/{three}?as_of={then}")).await.status(404);
    }

    async fn who_was_linked_with_what_is_told_too(engine: Engine) {
        let app = App::start_on(&engine).await;
        let tess = app.technician();
        app.company("100001", "Acme").await;
        app.company("100002", "Other").await;
        let stays = app.contact("Ava", "ava@acme.example", &["100001"]).await["id"].clone();
        let goes = app.contact("Ben", "ben@acme.example", &["100001"]).await["id"].clone();
        let comes = app.contact("Cat", "cat@acme.example", &["100002"]).await["id"].clone();
        let one = app.asset("LT-1", "100001").await["id"].clone();
        let two = app.asset("LT-2", "100001").await["id"].clone();
        tess.put(&format!("/api/assets/{one}"), &json!({"contact_ids": [stays, goes]})).await.status(200);
        let then = moment(&app).await;
        tess.put(&format!("/api/contacts/{goes}"), &json!({"company_account_numbers": ["100002"], "name": "Benjamin"})).await.status(200);
        tess.put(&format!("/api/contacts/{comes}"), &json!({"company_account_numbers": ["100001"]})).await.status(200);
        tess.put(&format!("/api/assets/{one}"), &json!({"contact_ids": [comes]})).await.status(200);
        tess.put(&format!("/api/assets/{one}"), &json!({"contact_ids": []})).await.status(200);
        tess.put(&format!("/api/assets/{two}"), &json!({"contact_ids": [stays]})).await.status(200);
        let names = async |path: &str| -> Vec<String> {
            let rows = tess.get(path).await.ok();
            rows.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
        };
        for list in ["contacts", "users"] {
            assert_eq!(names(&format!("/api/companies/100001/{list}?as_of={then}")).await, ["Ava", "Ben"], "{list}");
        }
        assert_eq!(names("/api/companies/100001/contacts").await, ["Ava", "Cat"]);
        assert_eq!(names(&format!("/api/companies/100002/contacts?as_of={then}")).await, ["Cat"]);
        assert_eq!(names(&format!("/api/companies/100001/contacts?as_of={then}&limit=1&offset=1")).await, ["Ben"]);
        let users = async |id: &Value| tess.get(&format!("/api/assets/{id}?as_of={then}")).await.ok()["contact_ids"].clone();
        assert_eq!((users(&one).await, users(&two).await), (json!([stays, goes]), json!([])));
        let homes = async |id: &Value| tess.get(&format!("/api/contacts/{id}?as_of={then}")).await.ok()["company_ids"].clone();
        let [acme, other] = [tess.get("/api/companies/100001").await.ok()["id"].clone(), tess.get("/api/companies/100002").await.ok()["id"].clone()];
        assert_eq!([homes(&stays).await, homes(&goes).await, homes(&comes).await], [json!([acme]), json!([acme]), json!([other])]);
        tess.get(&format!("/api/companies/999999/contacts?as_of={then}")).await.status(404);
        app.billing().get(&format!("/api/companies/100001/contacts?as_of={then}")).await.status(403);
    }

    async fn what_history_cannot_tell_is_refused(engine: Engine) {
        let app = App::start_on(&engine).await;
        let tess = app.technician();
        app.company("100001", "Acme").await;
        app.contact("Ava", "ava@acme.example", &["100001"]).await;
        let then = moment(&app).await;
        for (path, field) in [
            (format!("/api/contacts?as_of={then}&q=ava"), "q"), (format!("/api/contacts?as_of={then}&role=billing"), "role"),
            (format!("/api/contacts?as_of={then}&company_id=100001"), "company_id"), (format!("/api/contacts?as_of={then}&sort=company_name"), "company_name"),
            ("/api/contacts?as_of=yesterday".to_owned(), "as_of"), ("/api/contacts?as_of=2999-01-01T00:00:00Z".to_owned(), "as_of"),
            ("/api/contacts?as_of=2001-01-01".to_owned(), "as_of"), (format!("/api/assets?as_of={then}"), "as_of"),
            (format!("/api/contacts?as_of={then}&tag=VIP"), "tag"), (format!("/api/contacts?as_of={then}&cf.badge=7"), "cf.badge"),
            (format!("/api/contacts?as_of={then}&sort=-cf.badge"), "cf.badge"),
            (format!("/api/tickets?as_of={then}"), "as_of"), (format!("/api/search?q=ava&as_of={then}"), "as_of"),
        ] {
            assert_eq!(tess.get(&path).await.status(400).fields(), [field], "{path}");
        }
        let path = format!("/api/contacts?as_of={then}");
        assert_eq!(tess.get(&path).await.ok()[0]["email"], "ava@acme.example");
        app.billing().get(&path).await.status(403);
        app.client_of("cleo", "100001").await.get(&path).await.status(403);
        let made = app.admin().post("/api/keys", &json!({"name": "one", "companies": ["100001"], "current_password": PASSWORD})).await.status(201).json();
        app.with_token(made["key"].as_str().unwrap()).get(&path).await.status(403);
        // Today's policy holds for what was.
        app.admin().put("/api/companies/100001", &json!({"compliance_level": "hipaa"})).await.status(200);
        let cli = app.cli();
        let token = tokio::task::spawn_blocking(move || cli.run(&["token", "create", "--service", "beacon"]).success().stdout);
        let beacon = app.with_token(token.await.unwrap().trim());
        beacon.get(&path).await.status(403);
        tess.get(&path).await.status(200);
        let read = app.admin().get("/api/disclosures").await.text();
        assert!(read.contains("tess") && read.contains("contact"), "{read}");
    }
}
