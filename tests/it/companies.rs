//! Companies over the API: contract §1.1, design §6.

use serde_json::{Value, json};

use crate::support::{App, Engine, both};

/// Every key that the contract promises, present in every company (contract §1.1.1).
const KEYS: [&str; 37] = [
    "account_number",
    "name",
    "description",
    "billing_plan",
    "profit_or_non_profit",
    "company_main_number",
    "company_start_date",
    "domains",
    "phone_system",
    "email_system",
    "compliance_level",
    "contract_term_length",
    "contract_start_date",
    "contract_end_date",
    "support_level",
    "id",
    "parent_id",
    "billing_contact_id",
    "status",
    "domain",
    "external_id",
    "external_source",
    "freshservice_id",
    "plan_selected",
    "contract_term",
    "address",
    "managed_users",
    "managed_devices",
    "managed_network",
    "head_name",
    "head_user_id",
    "prime_user_name",
    "prime_user_id",
    "primary_contact_name",
    "datto_portal_url",
    "created_at",
    "updated_at",
];

both! {
    async fn a_company_has_every_key_and_the_right_types(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme Dental").await;
        let list = app.service().get("/api/companies").await.ok();
        assert_eq!(list.as_array().unwrap().len(), 1);
        let company = &list[0];
        for key in KEYS {
            assert!(company.get(key).is_some(), "{key} is missing in {company}");
        }
        assert_eq!(company["account_number"], "100001");
        assert_eq!(company["compliance_level"], "standard");
        assert!(company["id"].as_i64().unwrap() > 0);
        assert!(company["description"].is_null());
        assert!(company.get("error").is_none());
        let one = app.service().get("/api/companies/100001").await.ok();
        assert_eq!(&one, company, "list and detail have one shape");
        for alias in ["/api/company/100001", "/codex/api/companies/100001", "/codex/api/company/100001"] {
            assert_eq!(app.service().get(alias).await.ok(), one, "{alias}");
        }
        assert_eq!(app.service().get(&format!("/api/companies/{}", one["id"])).await.ok(), one, "by id");
    }

    async fn fields_come_back_as_they_were_sent(engine: Engine) {
        let app = App::start_on(&engine).await;
        let body = json!({
            "account_number": "00123", "name": "Ünïcode & Söhne \"GmbH\"", "description": "<b>not bold</b>", "billing_plan": "Gold",
            "profit_or_non_profit": "profit", "company_main_number": "+1 555 0100", "company_start_date": "2020-01-01",
            "domains": "[\"acme.example.com\",\"acme.test\"]", "phone_system": "PBX", "email_system": "Mail", "compliance_level": "hipaa",
            "contract_term_length": "2-Year", "contract_start_date": "2024-01-15", "contract_end_date": "2026-01-14",
            "support_level": "Billed Hourly", "address": "1 Main St", "managed_users": "12", "head_name": "Ava Patel",
        });
        let created = app.service().post("/api/companies", &body).await.status(201).json();
        assert!(created["message"].is_string());
        let read = app.service().get("/api/companies/00123").await.ok();
        for (key, sent) in body.as_object().unwrap() {
            assert_eq!(&read[key], sent, "{key}");
        }
        assert_eq!(read["plan_selected"], "Gold", "one plan under both of its names");
        assert_eq!(read["domain"], "acme.example.com");
        app.admin().put("/api/companies/00123", &json!({"plan_selected": "Silver"})).await.status(200);
        assert_eq!(app.service().get("/api/companies/00123").await.ok()["billing_plan"], "Silver");
    }

    async fn account_numbers_are_text_and_win_over_ids(engine: Engine) {
        let app = App::start_on(&engine).await;
        let first = app.company("00123", "Leading zeros").await;
        let id = first["id"].as_i64().unwrap();
        let second = app.company(&id.to_string(), "Its number is the other's id").await;
        // Such a number is refused when it is new; one that was imported stays reachable.
        let slash = app.company("ABC 1", "Slash").await;
        app.database.execute("UPDATE companies SET account_number = 'ABC 1/2' WHERE account_number = 'ABC 1'");
        let get = |path: String| { let api = app.service(); async move { api.get(&path).await } };
        assert_eq!(get(format!("/api/companies/{id}")).await.ok()["name"], "Its number is the other's id");
        assert_eq!(get("/api/companies/00123".to_owned()).await.ok()["id"], first["id"]);
        assert_eq!(get("/api/companies/123".to_owned()).await.status, 404);
        assert_eq!(get("/api/companies/ABC%201%2F2".to_owned()).await.ok()["id"], slash["id"]);
        assert_eq!(get("/api/companies/ABC%201%2F2/contacts".to_owned()).await.ok(), json!([]));
        assert_ne!(first["id"], second["id"]);
    }

    async fn a_company_without_a_number_gets_a_free_one(engine: Engine) {
        let app = App::start_on(&engine).await;
        let mut numbers = std::collections::BTreeSet::new();
        for number in 0..20 {
            let made = app.admin().post("/api/companies", &json!({"name": format!("Company {number}")})).await.status(201).json();
            let account = made["account_number"].as_str().unwrap().to_owned();
            assert!(account.len() == 6 && account.parse::<u32>().is_ok_and(|n| n >= 100_000), "{account}");
            numbers.insert(account);
        }
        assert_eq!(numbers.len(), 20);
    }

    async fn put_changes_the_fields_sent_and_patch_does_the_same(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.admin().post("/api/companies", &json!({"account_number": "1", "name": "A", "description": "d", "address": "x"})).await.status(201);
        let put = app.admin().put("/api/companies/1", &json!({"description": "e"})).await.status(200).json();
        assert_eq!((&put["description"], &put["address"], &put["name"]), (&json!("e"), &json!("x"), &json!("A")));
        assert!(put["message"].is_string());
        let patched = app.admin().patch("/api/companies/1", &json!({"address": null})).await.status(200).json();
        assert_eq!((&patched["description"], &patched["address"]), (&json!("e"), &Value::Null));
        let renumbered = app.admin().put("/api/companies/1", &json!({"account_number": "2"})).await;
        assert_eq!(renumbered.status, 409, "{}", renumbered.text());
        assert!(renumbered.text().contains("account_number"));
        assert_eq!(app.admin().put("/api/companies/404404", &json!({"name": "B"})).await.status(404).error(), "Company not found");
    }

    async fn taken_numbers_conflict(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let again = app.admin().post("/api/companies", &json!({"account_number": "100001", "name": "Other"})).await.status(409);
        assert_eq!(again.json()["message"], "Company already exists. Use PUT to update.");
        assert!(again.text().contains("account_number"), "{}", again.text());
        assert_eq!(app.service().get("/api/companies").await.ok().as_array().unwrap().len(), 1);
    }

    async fn the_tree_has_parents_and_no_loops(engine: Engine) {
        let app = App::start_on(&engine).await;
        let (top, middle, leaf) = (app.company("1", "Top").await, app.company("2", "Middle").await, app.company("3", "Leaf").await);
        let admin = app.admin();
        admin.put("/api/companies/2", &json!({"parent_id": top["id"]})).await.status(200);
        let moved = admin.put("/api/companies/3", &json!({"parent_id": middle["id"]})).await.status(200).json();
        assert_eq!(moved["parent_id"], middle["id"]);
        for (child, parent) in [("1", &leaf), ("1", &top), ("2", &leaf)] {
            let looped = admin.put(&format!("/api/companies/{child}"), &json!({"parent_id": parent["id"]})).await.status(400);
            assert!(looped.fields().contains(&"parent_id".to_owned()), "{}", looped.text());
        }
        let nobody = admin.put("/api/companies/3", &json!({"parent_id": 999_999})).await.status(400);
        assert!(nobody.fields().contains(&"parent_id".to_owned()), "{}", nobody.text());
        assert_eq!(admin.get("/api/companies/3").await.ok()["parent_id"], middle["id"]);
    }

    async fn the_vendors_user_ids_become_names(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("1", "Acme").await;
        let ava = app.contact("Ava Patel", "ava@example.com", &["1"]).await;
        app.database.execute(&format!(
            "INSERT INTO links (entity, entity_id, system, external_id, linked_at) VALUES ('contact', {}, 'freshservice', '77', 'x')", ava["id"]
        ));
        let put = async |body: Value| {
            app.technician().put("/companies/1/update", &body).await.status(200);
            let read = app.service().get("/api/companies/1").await.ok();
            (read["head_user_id"].clone(), read["head_name"].clone(), read["prime_user_name"].clone())
        };
        assert_eq!(put(json!({"head_user_id": 77})).await, (json!(77), json!("Ava Patel"), Value::Null));
        assert_eq!(put(json!({"prime_user_id": 77})).await, (json!(77), json!("Ava Patel"), json!("Ava Patel")));
        assert_eq!(put(json!({"head_user_id": null})).await, (Value::Null, Value::Null, json!("Ava Patel")));
        assert_eq!(put(json!({"head_user_id": 78})).await.1, Value::Null, "nobody here has that id");
    }

    async fn two_parents_at_once_make_no_loop(engine: Engine) {
        let app = App::start_on(&engine).await;
        for round in 0..10 {
            let (a, b) = (format!("A{round}"), format!("B{round}"));
            let (one, other) = (app.company(&a, &a).await, app.company(&b, &b).await);
            let admin = app.admin();
            let (path_a, path_b) = (format!("/api/companies/{a}"), format!("/api/companies/{b}"));
            let (under_b, under_a) = (json!({"parent_id": other["id"]}), json!({"parent_id": one["id"]}));
            let (first, second) = tokio::join!(admin.put(&path_a, &under_b), admin.put(&path_b, &under_a));
            let mut statuses = [first.status, second.status];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 400], "round {round}: both became the other's parent");
        }
    }

    async fn deleting_retires_and_restoring_brings_the_same_row_back(engine: Engine) {
        let app = App::start_on(&engine).await;
        let made = app.company("100001", "Acme").await;
        let admin = app.admin();
        assert_eq!(app.technician().delete("/api/companies/100001").await.status, 403, "only administrators retire companies");
        admin.delete("/api/companies/100001").await.status(200);
        assert_eq!(admin.get("/api/companies").await.ok(), json!([]));
        let kept = admin.get("/api/companies/100001").await.ok();
        assert!(kept["retired_at"].is_string() && kept["id"] == made["id"], "a retired company is still found by its number: {kept}");
        let listed = admin.get("/api/companies?retired=include").await.ok();
        assert_eq!(listed.as_array().unwrap().len(), 1, "retired rows are listed when asked for");
        admin.post("/api/companies/100001/restore", &json!({})).await.status(200);
        assert_eq!(admin.get("/api/companies/100001").await.ok()["id"], made["id"]);
    }

    async fn a_company_with_things_attached_is_not_deleted(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        app.contact("Ava Patel", "ava@example.com", &["100001"]).await;
        app.asset("LT-1", "100001").await;
        let refused = app.admin().delete("/api/companies/100001").await.status(409);
        let attached = refused.json()["attached"].clone();
        assert_eq!((&attached["contacts"], &attached["assets"]), (&json!(1), &json!(1)), "{}", refused.text());
        assert_eq!(app.service().get("/api/companies").await.ok().as_array().unwrap().len(), 1);
        app.admin().delete("/api/companies/100001?force=true").await.status(200);
        assert_eq!(app.service().get("/api/companies").await.ok(), json!([]));
    }

    async fn locations_belong_to_a_company(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let body = json!({"name": "Main Office", "address": "1 Main St", "phone_number": "555-0101"});
        let made = app.technician().post("/companies/100001/locations", &body).await.status(200);
        assert_eq!(made.json()["success"], true);
        let id = made.json()["location"]["id"].as_i64().unwrap();
        let list = app.service().get("/api/companies/100001/locations").await.ok();
        assert_eq!(list, json!([{"id": id, "name": "Main Office", "address": "1 Main St", "phone_number": "555-0101"}]));
        let page_list = app.technician().get("/companies/100001/locations").await.ok();
        assert_eq!((&page_list["success"], page_list["locations"].as_array().unwrap().len()), (&json!(true), 1));
        for wrong in [json!({"name": "x"}), json!({"address": "y"})] {
            app.technician().post("/companies/100001/locations", &wrong).await.status(400);
        }
        let refused = app.billing().post("/companies/100001/locations", &body).await.status(403);
        assert_eq!(refused.error(), "Insufficient permissions");
        app.technician().delete(&format!("/companies/100001/locations/{id}")).await.status(200);
        assert_eq!(app.service().get("/api/companies/100001/locations").await.ok(), json!([]));
        assert_eq!(app.service().get("/api/companies/999/locations").await.status(404).error(), "Company not found");
    }

    async fn bulk_gives_everything_in_one_answer(engine: Engine) {
        let app = App::start_on(&engine).await;
        for account in ["100001", "100002"] {
            app.company(account, &format!("Company {account}")).await;
            app.contact(&format!("Person {account}"), &format!("p{account}@example.com"), &[account]).await;
            app.asset(&format!("LT-{account}"), account).await;
        }
        app.contact("Of Both", "both@example.com", &["100001", "100002"]).await;
        let bulk = app.service().get("/api/companies/bulk").await.ok();
        assert_eq!(bulk.as_array().unwrap().len(), 2);
        for item in bulk.as_array().unwrap() {
            let account = item["company"]["account_number"].as_str().unwrap();
            let keys: Vec<&String> = item.as_object().unwrap().keys().collect();
            assert_eq!(keys, ["company", "assets", "contacts", "locations"]);
            assert_eq!(item["contacts"].as_array().unwrap().len(), 2, "a contact of two companies is in both");
            for part in ["assets", "contacts", "locations"] {
                assert_eq!(item[part], app.service().get(&format!("/api/companies/{account}/{part}")).await.ok(), "{part} of {account}");
            }
        }
        let with_tickets = app.service().get("/api/companies/bulk?include_tickets=TRUE&year=2026").await.ok();
        assert_eq!(with_tickets[0]["tickets"], json!([]));
    }
}
