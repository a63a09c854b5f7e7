//! Billing: plans and features as neighbours call them, and the page that keeps them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, App, Engine, Reply, both};

async fn page(api: &Api, path: &str) -> String {
    api.get_with(path, "accept", "text/html").await.status(200).text()
}

async fn form(api: &Api, path: &str, fields: &[(&str, &str)]) -> Reply {
    api.send(Method::POST, path, |request| request.header("accept", "text/html").form(fields)).await
}

async fn plan(app: &App, name: &str, term: &str, more: Value) -> Value {
    let mut body = json!({"plan_name": name, "term_length": term});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.service().post("/api/billing-plans", &body).await.status(201).json()
}

/// What Brainhair indexes without asking (contract §7.6), and everything else that §1.8.1 names.
const NUMBERS: [&str; 13] = [
    "per_user_cost",
    "per_workstation_cost",
    "per_server_cost",
    "per_vm_cost",
    "per_switch_cost",
    "per_firewall_cost",
    "per_hour_ticket_cost",
    "backup_base_fee_workstation",
    "backup_base_fee_server",
    "backup_included_tb",
    "backup_per_tb_fee",
    "backup_cost_per_gb_workstation",
    "backup_cost_per_gb_server",
];
const TEXTS: [&str; 10] = [
    "plan_name",
    "billing_plan",
    "term_length",
    "support_level",
    "antivirus",
    "soc",
    "password_manager",
    "sat",
    "email_security",
    "network_management",
];

both! {
    async fn a_plan_has_every_key_and_its_numbers_are_numbers(engine: Engine) {
        let app = App::start_on(&engine).await;
        let made = plan(&app, "Gold", "1 Year", json!({"per_user_cost": 45.5, "per_server_cost": "120", "backup_per_tb_fee": 15, "antivirus": "Defender", "features": {"Dark web": "Monthly"}})).await;
        assert!(made["message"].is_string() && made["id"].is_i64(), "{made}");
        let told = app.service().get("/api/billing-plans?plan_name=Gold&term_length=1-Year").await.ok();
        let one = &told.as_array().expect("a top-level array")[0];
        for name in NUMBERS {
            assert!(one[name].is_f64(), "{name}: {}", one[name]);
        }
        for name in TEXTS {
            assert!(one[name].is_string(), "{name}: {}", one[name]);
        }
        assert_eq!((&one["per_user_cost"], &one["per_server_cost"], &one["backup_included_tb"]), (&json!(45.5), &json!(120.0), &json!(1.0)));
        assert_eq!(one["backup_cost_per_gb_server"], json!(0.014648), "a gigabyte's part of a terabyte");
        assert_eq!((&one["term_length"], &one["support_level"], &one["soc"]), (&json!("1-Year"), &json!("Billed Hourly"), &json!("Not Included")));
        assert_eq!(one["features"], json!({"antivirus": "Defender", "dark_web": "Monthly"}));
        assert_eq!(app.database.number("SELECT per_user_cents FROM billing_plans"), 4550, "money is whole cents inside");
    }

    async fn neighbours_find_plans_however_they_spell_them(engine: Engine) {
        let app = App::start_on(&engine).await;
        for term in ["Monthly", "12 months", "2 Year", "3-year"] {
            plan(&app, "A+B & 100%", term, json!({})).await;
        }
        plan(&app, "Silver", "1-Year", json!({})).await;
        let count = async |query: &str| app.service().get(&format!("/api/billing-plans{query}")).await.ok().as_array().unwrap().len();
        assert_eq!(count("").await, 5);
        assert_eq!(count("?plan_name=&term_length=1-Year").await, 0, "a company without a plan has none");
        assert_eq!(count("?plan_name=+&term_length=1-Year").await, 0);
        assert_eq!(count("?term_length=1+Year").await, 2);
        assert_eq!(count("?plan_name=silver&term_length=").await, 1);
        for name in ["A%2BB%20%26%20100%25", "A+B+%26+100%25", "a%20b%20%26%20100%25"] {
            assert_eq!(count(&format!("?plan_name={name}&term_length=Month%20to%20Month")).await, 1, "{name}");
            let by_name = app.service().get(&format!("/api/billing-plans/{name}/Month%20to%20Month")).await.ok();
            assert_eq!(by_name["term_length"], "Month to Month", "{name}");
            assert!(by_name["features"].is_object());
        }
        let missing = app.service().get("/api/billing-plans/Silver/3-Year").await.status(404);
        assert_eq!(missing.error(), "Plan not found");
        assert_eq!(app.service().get("/api/billing-plans/9999").await.status(404).error(), "Plan not found");
        let client = { app.company("100001", "Acme").await; app.client_of("cleo", "100001").await };
        assert_eq!(client.get("/api/billing-plans").await.ok().as_array().unwrap().len(), 5);
        assert_eq!(app.service().get("/api/billing-plans?q=silver&fields=plan_name").await.ok(), json!([{"plan_name": "Silver"}]));
    }

    async fn brainhair_imports_plans_and_options(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.service();
        let body = json!({"plan_name": "Gold", "term_length": "1-Year", "support_level": "All Inclusive", "per_user_cost": 45.0,
            "backup_cost_per_gb_workstation": 1.0, "backup_cost_per_gb_server": 0.05, "antivirus": "SentinelOne", "sat": null});
        assert_eq!(api.get("/api/billing-plans?plan_name=Gold&term_length=1-Year").await.ok(), json!([]));
        let id = api.post("/api/billing-plans", &body).await.status(201).json()["id"].clone();
        let twice = api.post("/api/billing-plans", &body).await.status(409);
        assert!(twice.error().contains("Gold") && twice.json()["id"] == id, "{}", twice.text());
        let found = api.get("/api/billing-plans?plan_name=Gold&term_length=1-Year").await.ok();
        assert_eq!((&found[0]["id"], &found[0]["backup_cost_per_gb_server"]), (&id, &json!(0.05)));
        let put = api.put(&format!("/api/billing-plans/{id}"), &json!({"billing_plan": "Gold", "per_user_cost": 50})).await.status(200).json();
        assert_eq!((&put["id"], &put["per_user_cost"], &put["antivirus"]), (&id, &json!(50.0), &json!("SentinelOne")));
        for (sent, new) in [(json!({"feature_type": "antivirus", "value": "SentinelOne"}), true), (json!({"category": "Antivirus", "display_name": "sentinelone"}), false)] {
            let reply = api.post("/api/feature-options", &sent).await;
            assert_eq!(reply.status, if new { 201 } else { 200 }, "{}", reply.text());
            assert!(reply.json()["id"].is_i64() && reply.json()["message"].is_string());
        }
        api.post("/api/feature-options", &json!({"feature_type": "soc", "value": "24/7"})).await.status(201);
        for query in ["feature_type=antivirus", "category=antivirus"] {
            let options = api.get(&format!("/api/feature-options?{query}")).await.ok();
            let one = &options.as_array().unwrap()[0];
            assert_eq!(options.as_array().unwrap().len(), 1);
            for (name, value) in [("feature_type", "antivirus"), ("feature_category", "antivirus"), ("display_name", "SentinelOne"), ("option_value", "SentinelOne")] {
                assert_eq!(one[name], value, "{name}");
            }
        }
        assert_eq!(api.get("/api/feature-options?category=").await.ok().as_array().unwrap().len(), 2);
        assert_eq!(api.post("/api/feature-options", &json!({})).await.status(400).fields(), ["feature_category", "option_value"]);
    }

    async fn what_a_plan_cannot_be_is_named(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        assert_eq!(api.post("/api/billing-plans", &json!({})).await.status(400).fields(), ["plan_name", "term_length"]);
        let wrong = json!({"plan_name": "x".repeat(101), "term_length": "1-Year", "per_user_cost": -1, "per_vm_cost": "many", "per_server_cost": 1.234, "features": {"soc": 7}, "sat": [1]});
        let refused = api.post("/api/billing-plans", &wrong).await.status(400).fields();
        assert_eq!(refused, ["plan_name", "per_user_cost", "per_server_cost", "per_vm_cost", "features.soc", "sat"]);
        let one = plan(&app, "Gold", "1-Year", json!({"per_user_cost": 45.5, "soc": "24/7"})).await;
        let path = format!("/api/billing-plans/{}", one["id"]);
        // What was read and is sent back changes nothing.
        let stands = api.get(&path).await.ok();
        api.put(&path, &stands).await.status(200);
        assert_eq!(api.get(&path).await.ok(), stands);
        api.put(&path, &json!({"per_user_cost": null, "soc": null, "support_level": "", "backup_included_tb": 0.5})).await.status(200);
        let now = api.get(&path).await.ok();
        assert_eq!((&now["per_user_cost"], &now["soc"], &now["support_level"], &now["backup_included_tb"]), (&json!(0.0), &json!("Not Included"), &json!("Billed Hourly"), &json!(0.5)));
        app.technician().put(&path, &json!({"per_user_cost": 1})).await.status(403);
        assert_eq!(api.put(&format!("{path}?dry_run=true"), &json!({"per_user_cost": 9})).await.ok()["per_user_cost"], 9.0);
        assert_eq!(api.get(&path).await.ok()["per_user_cost"], 0.0);
    }

    async fn a_plan_in_use_is_neither_deleted_nor_renamed(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        let gold = plan(&app, "Gold", "1-Year", json!({})).await;
        let path = format!("/api/billing-plans/{}", gold["id"]);
        let acme = json!({"account_number": "100001", "name": "Acme", "billing_plan": "gold", "contract_term_length": "12 months"});
        api.post("/api/companies", &acme).await.status(201);
        let refused = api.delete(&path).await.status(409);
        assert!(refused.error().contains("Acme") && refused.json()["attached"]["companies"] == 1, "{}", refused.text());
        api.put(&path, &json!({"plan_name": "Golden"})).await.status(409);
        let created = app.database.number("SELECT max(seq) FROM changes WHERE entity = 'billing_plan'");
        assert!(api.post(&format!("/api/changes/{created}/undo"), &json!({})).await.status(409).error().contains("Acme"));
        api.put("/api/companies/100001", &json!({"billing_plan": ""})).await.status(200);
        api.delete(&path).await.status(200);
        assert_eq!(api.get("/api/billing-plans").await.ok(), json!([]));
        // Another one may take its place, and then it does not come back.
        let other = plan(&app, "Gold", "1-Year", json!({})).await;
        api.post(&format!("{path}/restore"), &json!({})).await.status(409);
        api.delete(&format!("/api/billing-plans/{}", other["id"])).await.status(200);
        api.post(&format!("{path}/restore"), &json!({})).await.status(200);
        assert_eq!(api.get("/api/billing-plans").await.ok()[0]["id"], gold["id"]);
    }

    async fn plans_have_a_history_and_it_can_be_taken_back(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        let one = plan(&app, "Gold", "1-Year", json!({"per_user_cost": 45})).await;
        let path = format!("/api/billing-plans/{}", one["id"]);
        api.put(&path, &json!({"per_user_cost": 50, "antivirus": "Defender"})).await.status(200);
        let history = api.get(&format!("/api/history/billing_plan/{}", one["id"])).await.ok();
        let fields = &history["changes"][0]["fields"];
        assert_eq!(fields["per_user_cents"], json!({"old": 4500, "new": 5000}));
        let seq = history["changes"][0]["seq"].clone();
        api.post(&format!("/api/changes/{seq}/undo"), &json!({})).await.status(200);
        let now = api.get(&path).await.ok();
        assert_eq!((&now["per_user_cost"], &now["antivirus"]), (&json!(45.0), &json!("Not Included")));
        assert!(app.service().get("/api/changes").await.text().contains("billing_plan"));
        // What is billed is decided by administrators, also by taking a change back.
        app.technician().post(&format!("/api/changes/{seq}/undo"), &json!({})).await.status(403);
        // A name that companies have come to go by is not taken from them.
        api.put(&path, &json!({"plan_name": "Platinum"})).await.status(200);
        let renamed = api.get(&format!("/api/history/billing_plan/{}", one["id"])).await.ok()["changes"][0]["seq"].clone();
        api.post("/api/companies", &json!({"account_number": "1", "name": "One", "billing_plan": "Platinum", "contract_term_length": "1-Year"})).await.status(201);
        let refused = api.post(&format!("/api/changes/{renamed}/undo"), &json!({})).await.status(409);
        assert!(refused.error().contains("One uses it"), "{}", refused.error());
        assert_eq!(api.get(&path).await.ok()["plan_name"], "Platinum");
    }

    async fn ledger_joins_companies_with_bulk_plans(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        plan(&app, "Gold", "1-Year", json!({"antivirus": "Defender", "support_level": "All Inclusive"})).await;
        plan(&app, "Gold", "Month to Month", json!({})).await;
        plan(&app, "Unused", "3-Year", json!({})).await;
        for (number, plan, term) in [("1", "Gold", "1 Year"), ("2", "GOLD", ""), ("3", "Nothing", "1-Year"), ("4", "", "")] {
            api.post("/api/companies", &json!({"account_number": number, "name": number, "billing_plan": plan, "contract_term_length": term})).await.status(201);
        }
        let bulk = app.service().get("/billing-plans/api/bulk-plans").await.ok();
        let plans = bulk["plans"].as_object().unwrap();
        assert!(plans.contains_key("Unused|3-Year"));
        for company in app.service().get("/api/companies").await.ok().as_array().unwrap() {
            // As Ledger puts the key together.
            let term = company["contract_term_length"].as_str().unwrap_or("Month to Month");
            let key = format!("{}|{term}", company["billing_plan"].as_str().unwrap());
            let expected = ["1", "2"].contains(&company["account_number"].as_str().unwrap());
            assert_eq!(plans.contains_key(&key), expected, "{key} in {plans:?}");
        }
        assert_eq!(plans["Gold|1-Year"]["antivirus"], "Defender");
        assert_eq!(plans["Gold|1-Year"]["support_level"], "All Inclusive");
        for name in ["plan_name", "term_length", "soc", "password_manager", "sat", "email_security", "network_management"] {
            assert!(plans["GOLD|Month to Month"][name].is_string(), "{name}");
        }
        let all = app.service().get("/billing-plans/api/plans").await.ok();
        assert_eq!((&all["status"], &all["count"]), (&json!("success"), &json!(3)));
        let one = app.service().get("/billing-plans/api/plans/gold/12%20months").await.ok();
        assert_eq!((&one["plan"]["features"]["antivirus"], &one["plan"]["feature_display_names"]["antivirus"]), (&json!("Defender"), &json!("Antivirus")));
        app.service().get("/billing-plans/api/plans/None/1-Year").await.status(404);
        api.post("/api/feature-options", &json!({"feature_type": "Dark web", "value": "Monthly"})).await.status(201);
        let options = app.service().get("/billing-plans/api/feature-options").await.ok();
        assert_eq!(options["features"]["dark_web"][0]["value"], "Monthly");
        let categories = app.service().get("/billing-plans/api/feature-categories").await.ok();
        assert_eq!((&categories["count"], &categories["display_names"]["dark_web"]), (&json!(7), &json!("Dark web")));
    }

    async fn an_export_is_imported_elsewhere(engine: Engine) {
        let app = App::start_on(&engine).await;
        plan(&app, "Gold", "1-Year", json!({"per_user_cost": 45.55, "backup_included_tb": 2, "antivirus": "Defender", "features": {"dark_web": "Monthly"}})).await;
        app.admin().post("/api/feature-options", &json!({"feature_type": "soc", "value": "24/7", "description": "Day and night"})).await.status(201);
        let file = app.admin().get("/billing-plans/export").await.status(200);
        assert!(file.header("content-disposition").contains("billing_plans_export.json"));
        let told = file.json();
        assert!(told["plans"][0].get("id").is_none() && told["feature_options"][0]["option_value"] == "24/7", "{told}");
        let send = async |app: &App, text: &str| {
            let body = format!("--x\r\nContent-Disposition: form-data; name=\"json_file\"; filename=\"plans.json\"\r\nContent-Type: application/json\r\n\r\n{text}\r\n--x--\r\n");
            app.admin().send(Method::POST, "/billing-plans/import", |request| {
                request.header("accept", "text/html").header("content-type", "multipart/form-data; boundary=x").body(body)
            }).await
        };
        let other = App::start_on(&engine).await;
        assert_eq!(send(&other, &file.text()).await.status(303).header("location"), "/billing-plans/");
        let bare = |list: Value| -> Value { let mut one = list[0].clone(); one.as_object_mut().unwrap().retain(|name, _| !["id", "rev", "created_at", "updated_at"].contains(&name.as_str())); one };
        let (here, there) = (app.admin().get("/api/billing-plans").await.ok(), other.admin().get("/api/billing-plans").await.ok());
        assert_eq!(bare(here), bare(there));
        assert_eq!(other.admin().get("/api/feature-options").await.ok()[0]["description"], "Day and night");
        // Again, it adds nothing; a wrong one adds nothing either, and says why.
        let again = send(&other, &file.text()).await.status(303);
        assert!(again.header("set-cookie").contains("Imported%200%20plans"), "{}", again.header("set-cookie"));
        let wrong = r#"{"plans": [{"plan_name": "New", "term_length": "1-Year"}, {"plan_name": "Other", "term_length": "1-Year", "per_user_cost": "many"}], "feature_options": []}"#;
        let refused = send(&other, wrong).await.status(303);
        assert!(refused.header("set-cookie").contains("plans%5B1%5D%2Eper%5Fuser%5Fcost"), "{}", refused.header("set-cookie"));
        assert_eq!(other.admin().get("/api/billing-plans").await.ok().as_array().unwrap().len(), 1);
        assert!(send(&other, "{}").await.header("set-cookie").contains("error"));
        app.technician().get("/billing-plans/export").await.status(403);
    }

    async fn the_page_keeps_plans(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        let made = form(&api, "/billing-plans/create", &[("new_plan_name", "Gold & Co")]).await.status(303);
        assert_eq!(made.header("location"), "/billing-plans/edit?plan=Gold%20%26%20Co");
        let plans = api.get("/api/billing-plans").await.ok();
        let terms: Vec<&str> = plans.as_array().unwrap().iter().map(|plan| plan["term_length"].as_str().unwrap()).collect();
        assert_eq!(terms, ["Month to Month", "1-Year", "2-Year", "3-Year"]);
        assert_eq!((&plans[0]["per_hour_ticket_cost"], &plans[0]["backup_base_fee_server"], &plans[0]["backup_per_tb_fee"]), (&json!(90.0), &json!(50.0), &json!(15.0)));
        form(&api, "/billing-plans/create", &[("new_plan_name", "gold & co")]).await.status(303);
        assert_eq!(api.get("/api/billing-plans").await.ok().as_array().unwrap().len(), 4);
        let ids: Vec<String> = plans.as_array().unwrap().iter().map(|plan| plan["id"].to_string()).collect();
        let (first, second) = (ids[0].as_str(), ids[1].as_str());
        let edit = page(&api, "/billing-plans/edit?plan=Gold%20%26%20Co").await;
        assert!(edit.contains(&format!("name=\"per_user_cost_{first}\" value=\"0.00\"")) && edit.contains("Month to Month"), "{edit}");
        let (cost, support, feature) = (format!("per_user_cost_{first}"), format!("support_level_{second}"), format!("feature_soc_{first}"));
        let saved = [("plan_name", "Gold & Co"), ("plan_ids[]", first), ("plan_ids[]", second), (&cost, "45.50"), (&support, "All Inclusive"), (&feature, "24/7")];
        form(&api, "/billing-plans/save", &saved).await.status(303);
        let plans = api.get("/api/billing-plans").await.ok();
        assert_eq!((&plans[0]["per_user_cost"], &plans[0]["soc"], &plans[1]["support_level"]), (&json!(45.5), &json!("24/7"), &json!("All Inclusive")));
        let refused = form(&api, "/billing-plans/save", &[("plan_name", "Gold & Co"), ("plan_ids[]", first), (&cost, "lots")]).await.status(400).text();
        assert!(refused.contains("value=\"lots\"") && refused.contains(&format!("id=\"{cost}-error\"")), "{refused}");
        form(&api, "/billing-plans/copy-terms", &[("plan_name", "Gold & Co"), ("source_term", "Month to Month")]).await.status(303);
        let plans = api.get("/api/billing-plans").await.ok();
        assert!(plans.as_array().unwrap().iter().all(|plan| plan["per_user_cost"] == 45.5 && plan["soc"] == "24/7"), "{plans}");
        let shown = page(&app.billing(), "/billing-plans/").await;
        assert!(shown.contains("$45.50") && shown.contains("24/7") && !shown.contains("/billing-plans/create"), "{shown}");
        api.post("/api/companies", &json!({"account_number": "1", "name": "Acme", "billing_plan": "Gold & Co", "contract_term": "2 years"})).await.status(201);
        let kept = form(&api, "/billing-plans/delete", &[("plan_name", "Gold & Co")]).await.status(303);
        assert!(kept.header("set-cookie").contains("Acme"));
        assert_eq!(api.get("/api/billing-plans").await.ok().as_array().unwrap().len(), 4, "all terms or none");
        api.put("/api/companies/1", &json!({"billing_plan": null})).await.status(200);
        form(&api, "/billing-plans/delete", &[("plan_name", "Gold & Co")]).await.status(303);
        assert_eq!(api.get("/api/billing-plans").await.ok(), json!([]));
        form(&app.technician(), "/billing-plans/create", &[("new_plan_name", "x")]).await.status(403);
    }

    async fn the_page_keeps_features(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        form(&api, "/billing-plans/features/categories/add", &[("display_name", "Dark web watch")]).await.status(303);
        form(&api, "/billing-plans/features/add", &[("category", "dark_web_watch"), ("value", "<b>Monthly</b>"), ("description", "By mail")]).await.status(303);
        let shown = page(&api, "/billing-plans/features/").await;
        assert!(shown.contains("Dark web watch") && shown.contains("&#60;b&#62;Monthly") && shown.contains("By mail"), "{shown}");
        let option = api.get("/api/feature-options").await.ok()[0].clone();
        form(&api, &format!("/billing-plans/features/{}/edit", option["id"]), &[("option_value", "Weekly"), ("description", "")]).await.status(303);
        let now = api.get(&format!("/api/feature-options/{}", option["id"])).await.ok();
        assert_eq!((&now["option_value"], &now["description"]), (&json!("Weekly"), &json!(null)));
        form(&api, &format!("/billing-plans/features/{}/delete", option["id"]), &[]).await.status(303);
        assert_eq!(api.get("/api/feature-options").await.ok(), json!([]));
        let sorry = form(&api, "/billing-plans/features/add", &[("category", ""), ("value", "")]).await.status(303);
        assert!(sorry.header("set-cookie").contains("error"));
    }

    async fn a_company_has_its_plan_s_support_level_until_it_says_another(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        plan(&app, "Gold", "1-Year", json!({"support_level": "All Inclusive", "per_user_cost": 45.5, "antivirus": "Defender", "soc": "24/7"})).await;
        api.post("/api/companies", &json!({"account_number": "1", "name": "Acme", "billing_plan": "gold", "contract_term_length": "1 Year"})).await.status(201);
        api.post("/api/companies", &json!({"account_number": "2", "name": "Bolt", "billing_plan": "Gold", "contract_term_length": "1-Year", "support_level": "Unlimited"})).await.status(201);
        let levels = async || -> Vec<Value> {
            app.service().get("/api/companies").await.ok().as_array().unwrap().iter().map(|company| company["support_level"].clone()).collect()
        };
        assert_eq!(levels().await, ["All Inclusive", "Unlimited"]);
        assert_eq!(app.service().get("/api/companies/bulk").await.ok()[0]["company"]["support_level"], "All Inclusive");
        let found = app.service().get("/api/companies?support_level=All%20Inclusive").await.ok();
        assert_eq!(found.as_array().unwrap().len(), 1);
        // Sent back as it was read, it stays the plan's.
        let read = api.get("/api/companies/1").await.ok();
        assert_eq!(api.put("/api/companies/1", &read).await.status(200).json()["rev"], read["rev"]);
        let id = api.get("/api/billing-plans").await.ok()[0]["id"].clone();
        api.put(&format!("/api/billing-plans/{id}"), &json!({"support_level": "Unlimited"})).await.status(200);
        assert_eq!(levels().await, ["Unlimited", "Unlimited"]);
        assert_eq!(app.service().get("/api/companies/bulk").await.ok()[0]["company"]["support_level"], "Unlimited");
        api.put("/api/companies/2", &json!({"support_level": null, "contract_term_length": "2-Year"})).await.status(200);
        assert_eq!(levels().await, [json!("Unlimited"), json!(null)]);
    }

    async fn a_company_s_page_tells_costs_and_features_with_their_source(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        plan(&app, "Gold", "1-Year", json!({"support_level": "All Inclusive", "per_user_cost": 45.5, "antivirus": "Defender", "soc": "24/7"})).await;
        api.post("/api/companies", &json!({"account_number": "1", "name": "Acme", "billing_plan": "Gold", "contract_term_length": "1-Year"})).await.status(201);
        api.put("/companies/1/update", &json!({"feature_overrides": {"soc": "Business hours"}})).await.status(200);
        let html = page(&api, "/companies/1").await;
        let card_of = |html: &str| html.split("id=\"plan\"").nth(1).unwrap().split("</section>").next().unwrap().to_owned();
        let card = card_of(&html);
        for words in ["Plan: Gold, 1-Year", "45.50", "Defender", "Business hours", "Custom", "/companies/1/features"] {
            assert!(card.contains(words), "{words}: {card}");
        }
        assert!(!card.contains("24/7") && html.contains("from plan"), "{card}");
        let edit = page(&api, "/companies/1/features").await;
        assert!(edit.contains("name=\"feature_soc\" value=\"Business hours\"") && edit.contains("Plan: 24/7"), "{edit}");
        form(&app.technician(), "/companies/1/features", &[("feature_soc", ""), ("feature_antivirus", "EDR")]).await.status(303);
        let html = card_of(&page(&api, "/companies/1").await);
        assert!(html.contains("24/7") && html.contains("EDR") && !html.contains("Business hours"));
        let past = api.get("/api/history/company/1").await.ok();
        assert_eq!(past["changes"][0]["fields"]["feature_overrides"]["new"], json!({"antivirus": "EDR"}));
        form(&api, "/companies/1/features", &[("feature_soc", &"x".repeat(101))]).await.status(400);
        let client = app.client_of("cleo", "1").await;
        assert!(page(&client, "/companies/1").await.contains("45.50"));
    }

    async fn companies_whose_plan_there_is_not_need_attention(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        plan(&app, "Gold", "1-Year", json!({})).await;
        for (number, plan, term) in [("1", "Gold", "1-Year"), ("2", "Gold", "2-Year"), ("3", "Old", "1-Year"), ("4", "Inactive", ""), ("5", "", "")] {
            api.post("/api/companies", &json!({"account_number": number, "name": number, "billing_plan": plan, "contract_term_length": term})).await.status(201);
        }
        let home = page(&api, "/").await;
        assert!(home.contains(r#">2</span></td><td class="cell--main"><a href="/companies/?has_plan=false">companies&#39; plan and term match no billing plan<"#), "{home}");
        let listed = api.get("/api/companies?has_plan=false&fields=account_number").await.ok();
        assert_eq!(listed, json!([{"account_number": "2"}, {"account_number": "3"}]));
        plan(&app, "Old", "1-Year", json!({})).await;
        assert_eq!(api.get("/api/companies?has_plan=false").await.ok().as_array().unwrap().len(), 1);
        // A database of before gets the keys at its next start.
        app.database.execute("UPDATE companies SET plan_key = NULL, term_key = NULL");
        app.database.execute("UPDATE settings SET value = '3' WHERE name = 'search_keys'");
        let mut app = app;
        app.stop().await;
        app.start().await;
        crate::support::eventually("the keys are made", 20, || async { app.admin().get("/api/companies?has_plan=false").await.ok().as_array().unwrap().len() == 1 }).await;
    }

    async fn the_summary_counts_what_is_billed(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_COMPLIANCE_CLEARED_SERVICES", "none").start().await;
        let api = app.admin();
        plan(&app, "Gold", "1-Year", json!({"antivirus": "Defender", "soc": "24/7", "support_level": "All Inclusive"})).await;
        let acme = json!({"account_number": "1", "name": "Acme", "billing_plan": "gold", "contract_term_length": "1 Year", "company_main_number": "555-0100", "domains": ["acme.example"]});
        api.post("/api/companies", &acme).await.status(201);
        api.post("/api/companies", &json!({"account_number": "2", "name": "Bolt", "compliance_level": "hipaa"})).await.status(201);
        api.put("/companies/1/update", &json!({"feature_overrides": {"soc": "Business hours"}})).await.status(200);
        app.contact("Ada Moss", "ada@acme.example", &["1"]).await;
        let gone = app.contact("Bo", "bo@acme.example", &["1"]).await;
        api.put(&format!("/api/contacts/{}", gone["id"]), &json!({"active": false})).await.status(200);
        app.contact("Cy Lane", "cy@bolt.example", &["2"]).await;
        for (host, kind) in [("LT-1", "laptop"), ("LT-2", "laptop"), ("SRV-1", "server"), ("OLD", "server")] {
            let made = api.post("/api/assets", &json!({"hostname": host, "company_account_number": "1", "type": kind, "operating_system": "Windows"})).await.status(201).json();
            if host == "OLD" {
                api.delete(&format!("/api/assets/{}", made["id"])).await.status(200);
            }
        }
        let month: String = codex::types::now().chars().take(7).collect();
        for (number, minutes, at) in [(1, 90, format!("{month}-02T10:00:00Z")), (2, 30, format!("{month}-03T10:00:00Z")), (3, 600, "2001-01-01T00:00:00Z".to_owned())] {
            app.database.execute(&format!(
                "INSERT INTO tickets (external_source, external_id, company_id, ticket_number, status, last_updated_at, minutes_spent, created_at, updated_at, subject_folded, requester_folded, search_text)
                 VALUES ('freshservice', {number}, 1, '{number}', 'closed', '{at}', {minutes}, 'x', 'x', '', '', '')"
            ));
        }
        let told = app.billing().get("/api/billing_summary").await.ok();
        let one = &told.as_array().expect("a top-level array")[0];
        for (name, value) in [
            ("account_number", json!("1")), ("name", json!("Acme")), ("plan_selected", json!("gold")), ("billing_plan", json!("gold")),
            ("contract_term_length", json!("1-Year")), ("support_level", json!("All Inclusive")), ("company_main_number", json!("555-0100")),
            ("domains", json!("[\"acme.example\"]")), ("asset_count", json!(3)), ("user_count", json!(1)),
            ("counts_by_type", json!({"laptop": 2, "server": 1})),
            ("features", json!({"antivirus": {"value": "Defender", "source": "plan"}, "soc": {"value": "Business hours", "source": "custom"}})),
            ("hours", json!({"this_month": 2.0, "last_month": 0.0})), ("users", json!([{"username": "Ada Moss", "email": "ada@acme.example"}])),
        ] {
            assert_eq!(one[name], value, "{name}");
        }
        assert_eq!(one["assets"][0], json!({"hostname": "LT-1", "hardware_type": null, "operating_system": "Windows", "type": "laptop"}));
        // Protected people are counted and not named.
        assert_eq!((&told[1]["user_count"], &told[1]["billing_plan"]), (&json!(1), &json!("")));
        for api in [app.billing(), app.service()] {
            assert!(!api.get("/api/billing_summary").await.text().contains("Lane"));
        }
        assert!(app.technician().get("/api/billing_summary").await.text().contains("Cy Lane"));
        app.client_of("cleo", "1").await.get("/api/billing_summary").await.status(403);
    }

    async fn plans_are_found_and_offered(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_DISPLAY_CURRENCY", "EUR").start().await;
        let api = app.admin();
        let gold = plan(&app, "Gold", "1-Year", json!({"per_user_cost": 1234.5, "antivirus": "Sentinel"})).await;
        plan(&app, "Gold", "2-Year", json!({})).await;
        let found = app.service().get("/api/search?q=sentinel").await.ok();
        assert_eq!(found["billing_plans"], json!([{"type": "billing_plan", "id": gold["id"], "name": "Gold, 1-Year", "url": format!("/billing-plans/#plan-{}", gold["id"])}]));
        assert_eq!(app.service().get("/api/search?q=").await.ok()["billing_plans"], json!([]));
        assert!(page(&api, "/search?q=sentinel").await.contains(&format!("/billing-plans/#plan-{}", gold["id"])));
        let listed = page(&api, "/billing-plans/").await;
        assert!(listed.contains(&format!("id=\"plan-{}\"", gold["id"])) && listed.contains("€1,234.50"), "{listed}");
        api.post("/api/companies", &json!({"account_number": "1", "name": "Acme", "billing_plan": "Legacy"})).await.status(201);
        let edit = page(&api, "/companies/1/edit").await;
        let choices = edit.split("<select class=\"form-group__select\" id=\"plan\"").nth(1).unwrap().split("</select>").next().unwrap();
        for (value, times) in [("Gold", 1), ("Inactive", 1), ("Legacy", 1)] {
            assert_eq!(choices.matches(&format!("<option value=\"{value}\"")).count(), times, "{value}: {choices}");
        }
        form(&api, "/companies/1/edit", &[("rev", "1"), ("plan", "Gold"), ("contract_term", "1-Year")]).await.status(303);
        let now = api.get("/api/companies/1").await.ok();
        assert_eq!((&now["plan_selected"], &now["billing_plan"], &now["support_level"]), (&json!("Gold"), &json!("Gold"), &json!("Billed Hourly")));
    }

    async fn a_month_is_counted_with_its_receipts(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        plan(&app, "Gold", "1-Year", json!({"per_user_cost": 10, "per_workstation_cost": 20.5, "per_server_cost": 100, "per_vm_cost": 50, "per_switch_cost": 5,
            "per_hour_ticket_cost": 90, "backup_base_fee_server": 25, "backup_included_tb": 0.5, "backup_per_tb_fee": 15})).await;
        let acme = json!({"account_number": "1", "name": "Acme", "billing_plan": "Gold", "contract_term_length": "1-Year", "managed_users": "3", "managed_devices": "4", "managed_network": "Yes"});
        api.post("/api/companies", &acme).await.status(201);
        app.contact("Ada", "ada@acme.example", &["1"]).await;
        let bo = app.contact("Bo", "bo@acme.example", &["1"]).await;
        let gone = app.contact("Cy", "cy@acme.example", &["1"]).await;
        let shared = app.contact("Info", "info@acme.example", &["1"]).await;
        api.put(&format!("/api/contacts/{}", bo["id"]), &json!({"active": false})).await.status(200);
        api.delete(&format!("/api/contacts/{}", gone["id"])).await.status(200);
        api.put(&format!("/api/contacts/{}", shared["id"]), &json!({"job_title": "Shared mailbox"})).await.status(200);
        let mut devices = Vec::new();
        for (host, kind, backup) in [("LT-1", "laptop", ""), ("PC-1", "workstation", ""), ("SRV-1", "server", "1"), ("VM-1", "virtual_machine", ""), ("PRN", "printer", "")] {
            let body = json!({"hostname": host, "company_account_number": "1", "type": kind, "backup_usage_tb": backup});
            devices.push(api.post("/api/assets", &body).await.status(201).json()["id"].clone());
        }
        api.post("/api/network_equipment", &json!({"company_id": "1", "name": "sw-1", "type": "switch"})).await.status(201);
        let month: String = codex::types::now().chars().take(7).collect();
        for (number, minutes, status) in [(1, 90, "closed"), (2, 0, "closed"), (3, 0, "open")] {
            app.database.execute(&format!(
                "INSERT INTO tickets (external_source, external_id, company_id, ticket_number, status, last_updated_at, minutes_spent, time_known, created_at, updated_at, subject_folded, requester_folded, search_text)
                 VALUES ('freshservice', {number}, 1, '{number}', '{status}', '{month}-02T10:00:00Z', {minutes}, TRUE, 'x', 'x', '', '', '')"
            ));
        }
        let told = app.billing().get("/api/billing/trueup?company=1").await.ok();
        assert_eq!((&told["month"], &told["plan"]["plan_name"]), (&json!(month), &json!("Gold")));
        let line = |told: &Value, key: &str| told["lines"].as_array().unwrap().iter().find(|line| line["key"] == key).unwrap().clone();
        for (key, counted, billed, amount) in [
            ("users", 1.0, json!(3.0), 10.0), ("workstations", 2.0, json!(null), 41.0), ("servers", 1.0, json!(null), 100.0), ("vms", 1.0, json!(null), 50.0),
            ("switches", 1.0, json!(null), 5.0), ("firewalls", 0.0, json!(null), 0.0), ("backup_servers", 1.0, json!(null), 25.0),
            ("backup_tb", 1.0, json!(0.5), 7.5), ("ticket_hours", 1.5, json!(null), 135.0),
        ] {
            let line = line(&told, key);
            assert_eq!((&line["counted"], &line["billed"], &line["amount"]), (&json!(counted), &billed, &json!(amount)), "{key}: {line}");
        }
        assert_eq!((&told["total"], &line(&told, "users")["difference"]), (&json!(373.5), &json!(-2.0)));
        assert_eq!(told["managed"], json!([{"key": "managed_devices", "counted": 4.0, "billed": 4.0, "difference": 0.0}]));
        let users = line(&told, "users");
        assert_eq!(users["receipts"]["counted"], json!([{"entity": "contact", "id": 1, "name": "Ada", "quantity": 1.0, "why": "an active contact"}]));
        let why: Vec<String> = users["receipts"]["left_out"].as_array().unwrap().iter().map(|one| format!("{}: {}", one["name"].as_str().unwrap(), one["why"].as_str().unwrap())).collect();
        assert_eq!(why.len(), 3, "{why:?}");
        assert!(why[0] == "Bo: not active" && why[1].starts_with("Cy: retired on 20") && why[2] == "Info: a shared mailbox", "{why:?}");
        assert_eq!(line(&told, "workstations")["receipts"]["left_out"][0]["why"], "devices of type printer are not billed");
        // What is left out by hand, and the settings.
        let out = json!({"company": "1", "entity": "asset", "entity_id": devices[0], "reason": "A loan"});
        let exclusion = api.post("/api/billing/exclusions", &out).await.status(201).json();
        api.post("/api/billing/exclusions", &out).await.status(200);
        let settings = json!({"count_contacts": "all", "vms_as_servers": true, "default_ticket_hours": 0.25});
        assert_eq!(api.put("/api/billing/settings/1", &settings).await.ok()["default_ticket_hours"], 0.25);
        let told = app.billing().get("/api/billing/trueup?company=1").await.ok();
        for (key, counted) in [("users", 2.0), ("workstations", 1.0), ("servers", 2.0), ("vms", 0.0), ("ticket_hours", 1.75)] {
            assert_eq!(line(&told, key)["counted"], counted, "{key}");
        }
        assert_eq!(line(&told, "workstations")["receipts"]["left_out"][0]["why"], "excluded by hand: A loan");
        api.put("/api/billing/settings/1", &json!({"count_contacts": "role", "contact_role": "technical"})).await.status(200);
        let told = app.billing().get("/api/billing/trueup?company=1").await.ok();
        assert_eq!((&line(&told, "users")["counted"], &line(&told, "users")["receipts"]["left_out"][0]["why"]), (&json!(0.0), &json!("has not the role technical")));
        api.delete(&format!("/api/billing/exclusions/{}", exclusion["id"])).await.status(200);
        let told = app.billing().get("/api/billing/trueup?company=1").await.ok();
        assert_eq!(line(&told, "workstations")["counted"], 2.0);
        assert!(api.get(&format!("/api/history/billing_exclusion/{}", exclusion["id"])).await.text().contains("A loan"));
        // A month before Codex knew anything counts what was there; tickets have their own months.
        let before = app.billing().get("/api/billing/trueup?company=1&month=2001-05").await.ok();
        assert_eq!((&line(&before, "servers")["counted"], &line(&before, "ticket_hours")["counted"]), (&json!(2.0), &json!(0.0)));
        let all = app.service().get("/api/billing/trueup").await.ok();
        assert!(all["companies"][0]["lines"][0].get("receipts").is_none() && all["companies"][0]["company"]["name"] == "Acme", "{all}");
        for (reply, field) in [
            (app.billing().get("/api/billing/trueup?company=1&month=2026-13").await, "month"),
            (app.billing().get("/api/billing/trueup?company=1&month=2999-01").await, "month"),
            (app.billing().get("/api/billing/compare?to=2999-01").await, "to"), (api.put("/api/billing/settings/1", &json!({"count_contacts": "some"})).await, "count_contacts"),
            (api.put("/api/billing/settings/1", &json!({"count_contacts": "role", "contact_role": null})).await, "contact_role"),
            (api.post("/api/billing/exclusions", &json!({"company": "1", "entity": "asset", "entity_id": 999, "reason": "x"})).await, "entity_id"),
            (api.post("/api/billing/exclusions", &json!({"company": "1", "entity": "company", "entity_id": 1, "reason": "x"})).await, "entity"),
        ] {
            assert_eq!((reply.status, reply.fields()), (400, vec![field.to_owned()]), "{}", reply.text());
        }
        app.billing().get("/api/billing/trueup?company=404").await.status(404);
    }

    async fn the_true_up_is_a_page(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        plan(&app, "Gold", "1-Year", json!({"per_user_cost": 10})).await;
        api.post("/api/companies", &json!({"account_number": "1", "name": "Acme", "billing_plan": "Gold", "contract_term_length": "1-Year", "managed_users": "3", "compliance_level": "hipaa"})).await.status(201);
        app.contact("Ada Moss", "ada@acme.example", &["1"]).await;
        let month: String = codex::types::now().chars().take(7).collect();
        let all = page(&app.billing(), "/billing/trueup").await;
        assert!(all.contains(&format!("/billing/trueup?company=1&#38;month={month}")) && all.contains("1 difference") && all.contains("$10.00"), "{all}");
        let html = page(&api, "/billing/trueup?company=1").await;
        for words in ["True-up of Acme", "Gold, 1-Year", "Ada Moss", "an active contact", "-2", "name=\"count_contacts\""] {
            assert!(html.contains(words), "{words}: {html}");
        }
        let seen = page(&app.billing(), "/billing/trueup?company=1").await;
        assert!(!seen.contains("Moss") && seen.contains("/billing/trueup/exclude"), "who bills is told no protected names: {seen}");
        assert!(!page(&app.technician(), "/billing/trueup?company=1").await.contains("/billing/trueup/exclude"));
        let own = [("company", "1"), ("month", month.as_str())];
        let with = |more: &[(&'static str, &'static str)]| [&own[..], more].concat();
        form(&api, "/billing/trueup/exclude", &with(&[("entity", "contact"), ("entity_id", "1"), ("reason", "On leave")])).await.status(303);
        assert!(page(&api, "/billing/trueup?company=1").await.contains("excluded by hand: On leave"));
        form(&api, "/billing/trueup/include", &with(&[("id", "1")])).await.status(303);
        assert!(page(&api, "/billing/trueup?company=1").await.contains("an active contact"));
        let refused = form(&api, "/billing/trueup/settings", &with(&[("count_contacts", "role"), ("contact_role", "")])).await.status(400).text();
        assert!(refused.contains("id=\"contact_role-error\""), "{refused}");
        let saved = form(&api, "/billing/trueup/settings", &with(&[("count_contacts", "all"), ("vms_as_servers", "true"), ("default_ticket_hours", "0.5")])).await.status(303);
        assert_eq!(saved.header("location"), format!("/billing/trueup?company=1&month={month}"));
        assert_eq!(api.get("/api/billing/settings/1").await.ok()["vms_as_servers"], true);
        form(&app.technician(), "/billing/trueup/settings", &own).await.status(403);
        app.client_of("cleo", "1").await.get_with("/billing/trueup", "accept", "text/html").await.status(403);
    }
}
