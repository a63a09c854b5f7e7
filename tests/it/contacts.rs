//! Contacts over the API: contract §1.1.7 and §1.3, design §5.

use serde_json::{Value, json};

use crate::support::{App, Engine, both};

const KEYS: [&str; 19] = [
    "id",
    "name",
    "email",
    "title",
    "employment_type",
    "active",
    "mobile_phone_number",
    "work_phone_number",
    "secondary_emails",
    "company_id",
    "phone",
    "is_primary",
    "job_title",
    "vip_user",
    "full_name",
    "first_name",
    "last_name",
    "role",
    "designation",
];

both! {
    async fn a_contact_has_every_key(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let made = app.contact("Ava Patel", "ava@example.com", &["100001"]).await;
        assert!(made["message"].is_string() && made["id"].is_i64());
        for path in ["/api/companies/100001/contacts", "/api/companies/100001/users", "/api/contacts"] {
            let list = app.service().get(path).await.ok();
            assert_eq!(list.as_array().unwrap().len(), 1, "{path}");
            for key in KEYS {
                assert!(list[0].get(key).is_some(), "{path}: {key} is missing in {}", list[0]);
            }
            assert_eq!(list[0]["employment_type"], "Full Time");
            assert_eq!(list[0]["active"], true);
            assert_eq!(list[0]["company_id"], "100001", "company_id is the account number");
        }
        let one = app.service().get(&format!("/api/contacts/{}", made["id"])).await.ok();
        assert_eq!(one["company_account_numbers"], json!(["100001"]));
        assert_eq!(one["asset_ids"], json!([]));
        assert!(one["companies"].is_array());
        assert_eq!(app.service().get("/api/contacts/999999").await.status(404).error(), "Contact not found");
        assert_eq!(app.service().get("/api/companies/999/contacts").await.status(404).error(), "Company not found");
        assert_eq!(app.service().get("/api/companies/999/users").await.status, 404);
    }

    async fn a_role_without_a_company_is_the_one_in_the_only_company(engine: Engine) {
        let app = App::start_on(&engine).await;
        for number in ["100001", "100002"] {
            app.company(number, number).await;
        }
        let (admin, role) = (app.admin(), json!({"role": "billing", "is_primary": true}));
        let one = app.contact("Ava Patel", "ava@example.com", &["100001"]).await;
        let path = format!("/api/contacts/{}", one["id"]);
        let changed = admin.put(&path, &role).await.status(200).json();
        assert_eq!((&changed["companies"][0]["role"], &changed["companies"][0]["is_primary"]), (&json!("billing"), &json!(true)), "{changed}");
        let changed = admin.put(&path, &json!({"role": null})).await.status(200).json();
        assert_eq!((&changed["companies"][0]["role"], &changed["companies"][0]["is_primary"]), (&json!(null), &json!(true)), "{changed}");
        for (name, companies) in [("none", &[][..]), ("two", &["100001", "100002"])] {
            let other = app.contact(name, &format!("{name}@example.com"), companies).await;
            let path = format!("/api/contacts/{}", other["id"]);
            assert_eq!(admin.put(&path, &role).await.status(400).fields(), ["company_id"], "{name}");
            admin.put(&path, &json!({"title": "Clerk", "role": null, "is_primary": false})).await.status(200);
            assert_eq!(admin.get(&path).await.ok()["company_account_numbers"], json!(companies), "{name}");
        }
        admin.post("/api/contacts", &json!({"name": "New", "email": "new@example.com", "role": "billing"})).await.status(400);
    }

    async fn e_mails_are_unique_among_contacts_that_people_make(engine: Engine) {
        let app = App::start_on(&engine).await;
        let first = app.contact("Ava Patel", "Ava@Example.com", &[]).await;
        for same in ["Ava@Example.com", "ava@example.com", "AVA@EXAMPLE.COM "] {
            let refused = app.admin().post("/api/contacts", &json!({"name": "Other", "email": same})).await.status(409);
            assert!(refused.json().to_string().contains(&first["id"].to_string()), "the other's id is named: {}", refused.text());
        }
        let second = app.contact("Noah", "noah@example.com", &[]).await;
        let moved = app.admin().put(&format!("/api/contacts/{}", second["id"]), &json!({"email": "AVA@example.com"})).await;
        assert_eq!(moved.status, 409, "{}", moved.text());
        app.admin().put(&format!("/api/contacts/{}", first["id"]), &json!({"email": "ava@example.com"})).await.status(200);
    }

    async fn company_links_are_replaced_as_a_whole(engine: Engine) {
        let app = App::start_on(&engine).await;
        for account in ["1", "2", "3"] {
            app.company(account, account).await;
        }
        let made = app.contact("Ava", "ava@example.com", &["1", "2"]).await;
        let path = format!("/api/contacts/{}", made["id"]);
        let put = app.admin().put(&path, &json!({"company_account_numbers": ["2", "3"]})).await.status(200).json();
        assert_eq!(put["company_account_numbers"], json!(["2", "3"]));
        assert_eq!(app.service().get("/api/companies/1/contacts").await.ok(), json!([]));
        assert_eq!(app.service().get("/api/companies/3/contacts").await.ok()[0]["id"], made["id"]);
        let unknown = app.admin().put(&path, &json!({"company_account_numbers": ["2", "404"]})).await.status(400);
        assert!(unknown.text().contains("company_account_numbers"), "{}", unknown.text());
        assert_eq!(app.service().get(&path).await.ok()["company_account_numbers"], json!(["2", "3"]), "nothing half-written");
    }

    async fn the_seeds_names_work_too(engine: Engine) {
        let app = App::start_on(&engine).await;
        let company = app.company("100001", "Acme").await;
        let body = json!({"company_id": company["id"], "name": "John Doe", "email": "john@acme.example.com", "phone": "555-0101", "is_primary": true});
        let made = app.service().post("/api/contacts", &body).await.status(201).json();
        let listed = app.service().get("/api/companies/100001/contacts").await.ok();
        assert_eq!((&listed[0]["id"], &listed[0]["is_primary"]), (&made["id"], &json!(true)));
        assert_eq!((&listed[0]["work_phone_number"], &listed[0]["phone"]), (&json!("555-0101"), &json!("555-0101")));
    }

    async fn a_company_has_one_primary_contact(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("1", "Acme").await;
        let body = |name: &str| json!({"name": name, "email": format!("{name}@example.com"), "company_id": "1", "is_primary": true});
        app.admin().post("/api/contacts", &body("first")).await.status(201);
        app.admin().post("/api/contacts", &body("second")).await.status(201);
        let listed = app.service().get("/api/companies/1/contacts").await.ok();
        let primaries: Vec<&str> = listed.as_array().unwrap().iter().filter(|contact| contact["is_primary"] == true).filter_map(|contact| contact["name"].as_str()).collect();
        assert_eq!(primaries, ["second"], "the one named last is the primary contact: {listed}");
    }

    async fn the_list_filters(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("1", "Acme").await;
        app.company("2", "Beta").await;
        app.contact("Ava", "ava@example.com", &["1"]).await;
        let gone = app.contact("Noah", "noah@example.com", &["2"]).await;
        app.admin().put(&format!("/api/contacts/{}", gone["id"]), &json!({"active": false})).await.status(200);
        let names = async |query: &str| -> Vec<String> {
            let list = app.service().get(&format!("/api/contacts?{query}")).await.ok();
            list.as_array().unwrap().iter().map(|contact| contact["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names("company_account_number=1").await, ["Ava"]);
        assert_eq!(names("company_id=2").await, ["Noah"]);
        assert_eq!(names("email=AVA@example.com").await, ["Ava"]);
        assert_eq!(names("active=false").await, ["Noah"]);
        assert_eq!(names("search=noa").await, ["Noah"]);
        assert_eq!(names("limit=abc&nonsense=1").await.len(), 2, "old parameters stay loose");
        assert_eq!(names("email=").await, Vec::<String>::new(), "an empty e-mail matches nobody");
    }

    async fn inactive_contacts_are_still_listed_for_the_company(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("1", "Acme").await;
        let made = app.contact("Ava", "ava@example.com", &["1"]).await;
        app.admin().put(&format!("/api/contacts/{}", made["id"]), &json!({"active": false})).await.status(200);
        let listed = app.service().get("/api/companies/1/contacts").await.ok();
        assert_eq!(listed[0]["active"], false, "Ledger bills every listed contact (contract §7.3.5)");
    }

    async fn required_fields_are_named(engine: Engine) {
        let app = App::start_on(&engine).await;
        let reply = app.admin().post("/api/contacts", &json!({})).await.status(400);
        assert_eq!(reply.fields(), ["name"], "an e-mail is not required");
        assert!(!reply.error().is_empty());
    }

    async fn secondary_e_mails_are_an_encoded_string(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("1", "Acme").await;
        let body = json!({"name": "Ava", "email": "ava@example.com", "secondary_emails": ["a@example.com", "b@example.com"], "company_account_numbers": ["1"]});
        app.admin().post("/api/contacts", &body).await.status(201);
        let listed = app.service().get("/api/companies/1/contacts").await.ok();
        let text = listed[0]["secondary_emails"].as_str().expect("a string (contract §7.1.6)");
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), json!(["a@example.com", "b@example.com"]));
    }

    async fn a_retired_contact_leaves_the_lists_and_returns(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("1", "Acme").await;
        let made = app.contact("Ava", "ava@example.com", &["1"]).await;
        let path = format!("/api/contacts/{}", made["id"]);
        app.technician().delete(&path).await.status(200);
        assert_eq!(app.service().get("/api/contacts").await.ok(), json!([]));
        assert_eq!(app.service().get("/api/companies/1/contacts").await.ok(), json!([]));
        app.technician().post(&format!("{path}/restore"), &json!({})).await.status(200);
        assert_eq!(app.service().get("/api/companies/1/contacts").await.ok()[0]["id"], made["id"]);
    }
}
