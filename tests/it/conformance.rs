//! What each neighbour indexes without asking: contract §7.6 and §7.7.

use serde_json::{Value, json};

use crate::core::{Core, service_claims, user_claims};
use crate::support::{Api, App, Engine, both};

async fn filled(api: &Api) {
    api.post(
        "/api/companies",
        &json!({"account_number": "100001", "name": "Acme", "billing_plan": "Gold", "contract_start_date": "2024-01-15"}),
    )
    .await
    .status(201);
    api.post("/api/contacts", &json!({"name": "Ava Patel", "email": "ava@example.com", "company_account_numbers": ["100001"]}))
        .await
        .status(201);
    api.post("/api/assets", &json!({"hostname": "LT-1", "company_account_number": "100001"})).await.status(201);
}

fn hard(item: &Value, keys: &[&str]) {
    for key in keys {
        assert!(!item[key].is_null(), "{key} is missing or null in {item}");
    }
}

/// Every row of §7.6 that this program serves so far.
async fn every_neighbour(api: &Api) {
    let companies = api.get("/api/companies?limit=20").await.ok();
    let first = &companies.as_array().expect("an array")[0];
    hard(first, &["account_number", "name"]);
    assert!(first["billing_plan"].is_string() && first["account_number"].is_string());
    assert_eq!(first["contract_start_date"], "2024-01-15", "Ledger cuts at T and parses a date");
    assert!(first["domains"].is_string() || first["domains"].is_null(), "never a real array");
    let users = api.get("/api/companies/100001/users").await.ok();
    hard(&users[0], &["name", "email", "id"]);
    for soft in ["title", "mobile_phone_number", "work_phone_number", "active"] {
        assert!(users[0].get(soft).is_some(), "{soft}");
    }
    let assets = api.get("/api/companies/100001/assets").await.ok();
    hard(&assets[0], &["hostname", "id", "backup_data_bytes"]);
    assert!(assets[0].get("datto_uid").is_none() && assets[0].get("billing_type").is_none());
    let bulk = api.get("/api/companies/bulk").await.ok();
    hard(&bulk.as_array().expect("an array")[0], &["company", "assets", "contacts", "locations"]);
    assert!(api.get("/api/psa/agents").await.ok().is_array());
    let alone = api.get("/api/company/100001").await.ok();
    hard(&alone, &["account_number"]);
    // Brainhair asks for one of each by the singular.
    for (one, many, list) in [("contact", "contacts", &users), ("asset", "assets", &assets)] {
        let id = list[0]["id"].as_i64().expect("an integer id");
        let answer = api.get(&format!("/api/{one}/{id}")).await.ok();
        assert_eq!(answer, api.get(&format!("/api/{many}/{id}")).await.ok());
        assert_eq!(answer["id"], id);
        api.get(&format!("/api/{one}/999999")).await.status(404);
    }
    assert_eq!(api.get("/api/companies/nobody").await.status(404).error(), "Company not found");
}

both! {
    async fn neighbours_find_their_keys_with_a_service_token(engine: Engine) {
        let core = Core::start().await;
        let app = App::builder(&engine).core(&core).start().await;
        filled(&app.with_token(&core.service("test"))).await;
        for service in ["ledger", "knowledgetree", "beacon", "brainhair", "archive", "helm", "nexus"] {
            let mut claims = service_claims(service, "codex");
            claims.as_object_mut().unwrap().remove("jti");
            every_neighbour(&app.with_token(&core.token(&claims))).await;
        }
        for missing in ["jti", "name"] {
            let mut claims = user_claims("tess", "", "technician");
            claims.as_object_mut().unwrap().remove(missing);
            every_neighbour(&app.with_token(&core.token(&claims))).await;
        }
    }

    async fn an_empty_database_answers_with_empty_lists(engine: Engine) {
        let app = App::start_on(&engine).await;
        let service = app.service();
        for path in ["/api/companies", "/api/companies/bulk", "/api/contacts", "/api/assets", "/api/psa/agents"] {
            assert_eq!(service.get(path).await.ok(), json!([]), "{path}");
        }
        assert_eq!(service.get("/api/changes?since=0&types=company,contact,asset").await.ok()["changes"], json!([]));
        service.get("/api/search?q=nothing").await.ok();
        for page in ["/", "/companies/", "/contacts/", "/assets/"] {
            app.technician().get_with(page, "accept", "text/html").await.status(200);
        }
    }

    async fn nexus_asks_for_a_persons_theme(engine: Engine) {
        let app = App::start_on(&engine).await;
        let theme = app.service().get("/api/public/user/theme?email=nobody@example.com").await.ok();
        assert_eq!((&theme["theme"], &theme["color_theme"], &theme["source"]), (&json!("light"), &json!("purple"), &json!("default")));
        app.service().get("/api/public/user/theme").await.ok();
        let home = app.service().get("/api/public/user/home-page?email=nobody@example.com").await.ok();
        assert_eq!(home["home_page"], "beacon");
        let mine = app.technician().get("/api/my/settings").await.ok();
        for key in ["theme_preference", "preferred_color_theme", "knowledgetree_view_preference", "home_page_preference", "synced"] {
            assert!(mine.get(key).is_some(), "{key} in {mine}");
        }
        let put = app.technician().put("/api/my/settings", &json!({"theme_preference": "dark"})).await.status(200).json();
        assert_eq!((&put["success"], &put["theme_preference"]), (&json!(true), &json!("dark")));
        assert_eq!(app.service().get("/api/public/user/theme?email=TESS@msp.example.com").await.ok()["theme"], "dark");
        app.technician().put("/api/my/settings", &json!({"theme_preference": "plaid"})).await.status(400);
        let refused = app.service().get("/api/my/settings").await.status(403);
        assert_eq!(refused.error(), "This endpoint is for users only");
    }

    async fn health_needs_no_token(engine: Engine) {
        let app = App::start_on(&engine).await;
        for path in ["/health", "/codex/health", "/api/health"] {
            let health = app.anonymous().get(path).await.ok();
            let disk_is_fine = health["checks"]["disk"]["status"] == "healthy";
            let status = if disk_is_fine { "healthy" } else { "degraded" };
            assert_eq!((&health["service"], &health["status"]), (&json!("codex"), &json!(status)), "{path}: {health}");
            assert!(health["timestamp"].is_string());
            assert_eq!(health["checks"]["database"]["type"].as_str().map(|kind| kind.starts_with(engine.name())), Some(true), "{health}");
        }
    }

    async fn head_gzip_and_prefix(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let head = app.service().send(reqwest::Method::HEAD, "/api/companies", |request| request).await;
        assert_eq!((head.status, head.body.len()), (200, 0));
        let encoded = app.service().get_with("/api/companies", "accept-encoding", "br, zstd").await.status(200);
        assert!(encoded.header("content-encoding").is_empty(), "Nexus cannot read br or zstd");
        for path in ["/codex/api/companies/bulk", "/codex/api/companies/100001/contacts", "/codex/api/contacts"] {
            app.service().get(path).await.ok();
        }
        let id = app.service().get_with("/api/companies", "x-correlation-id", "neighbour-42").await;
        let echoed = id.headers.iter().any(|(_, value)| value.to_str().is_ok_and(|text| text.contains("neighbour-42")));
        assert!(echoed, "the caller's correlation id comes back: {:?}", id.headers);
    }

    async fn page_scripts_find_their_helpers(engine: Engine) {
        let app = App::start_on(&engine).await;
        filled(&app.service()).await;
        let api = app.technician();
        for (path, list, keys) in [
            ("/companies/api/search", "companies", vec!["account_number", "name", "description", "plan_selected", "email_system", "phone_system", "contract_end_date"]),
            ("/contacts/api/search", "contacts", vec!["id", "name", "email", "mobile_phone_number", "work_phone_number", "active", "company_count"]),
            ("/assets/api/search", "assets", vec!["id", "hostname", "description", "hardware_type", "operating_system", "antivirus_product", "online", "last_logged_in_user",
                "web_remote_url", "int_ip_address", "ext_ip_address", "domain", "last_seen", "patch_status", "company_name", "company_account_number"]),
        ] {
            let body = api.get(&format!("{path}?page=1&per_page=abc&sort_by=nonsense&order=sideways")).await.ok();
            assert_eq!(body["success"], true);
            let row = &body[list].as_array().unwrap_or_else(|| panic!("{list} in {body}"))[0];
            for key in keys {
                assert!(row.get(key).is_some(), "{path}: {key} in {row}");
            }
            let pagination = &body["pagination"];
            assert_eq!((&pagination["page"], &pagination["pages"], &pagination["total"]), (&json!(1), &json!(1), &json!(1)));
            assert_eq!((&pagination["has_prev"], &pagination["has_next"]), (&json!(false), &json!(false)));
            assert!(pagination.get("prev_num").is_some() && pagination.get("next_num").is_some());
            assert_eq!(api.get(&format!("{path}?search=nothing-like-it")).await.ok()[list], json!([]));
            assert_eq!(app.service().get(path).await.status, 403, "{path} is for users");
        }
    }

    async fn page_scripts_update_through_their_old_paths(engine: Engine) {
        let app = App::start_on(&engine).await;
        filled(&app.service()).await;
        let contact = app.service().get("/api/contacts").await.ok()[0]["id"].clone();
        let asset = app.service().get("/api/assets").await.ok()[0]["id"].clone();
        let company = json!({"name": "Acme II", "description": "", "billing_plan": "Silver", "feature_overrides": {"soc": "Full", "sat": ""}});
        let done = app.technician().put("/companies/100001/update", &company).await.status(200).json();
        assert_eq!(done["success"], true);
        let read = app.service().get("/api/companies/100001").await.ok();
        assert_eq!((&read["name"], &read["billing_plan"], &read["description"]), (&json!("Acme II"), &json!("Silver"), &Value::Null), "an empty string is null");
        let person = json!({"first_name": "Ava", "last_name": "Lindqvist", "secondary_emails": "a@example.com, b@example.com", "company_account_numbers": ["100001"], "asset_ids": [asset]});
        assert_eq!(app.technician().put(&format!("/contacts/{contact}/update"), &person).await.status(200).json()["success"], true);
        let read = app.service().get(&format!("/api/contacts/{contact}")).await.ok();
        assert_eq!((&read["name"], &read["asset_ids"]), (&json!("Ava Lindqvist"), &json!([asset])));
        assert!(app.billing().put("/companies/100001/update", &company).await.status(403).json()["error"].is_string());
        app.technician().put("/companies/404/update", &company).await.status(404);
    }
}
