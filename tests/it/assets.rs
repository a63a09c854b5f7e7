//! Assets over the API: contract §1.1.6 and §1.2, and Ledger's traps of §7.3.

use serde_json::json;

use crate::support::{App, Engine, both};

const KEYS: [&str; 25] = [
    "id",
    "hostname",
    "hardware_type",
    "operating_system",
    "device_type",
    "last_logged_in_user",
    "antivirus_product",
    "ext_ip_address",
    "int_ip_address",
    "domain",
    "online",
    "last_seen",
    "backup_usage_tb",
    "backup_data_bytes",
    "name",
    "type",
    "serial_number",
    "warranty_expires",
    "description",
    "patch_status",
    "last_reboot",
    "last_audit_date",
    "company_account_number",
    "company_id",
    "mac_address",
];

both! {
    async fn an_asset_has_every_key_and_none_that_changes_invoices(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let made = app.asset("LT-A1", "100001").await;
        assert!(made["message"].is_string() && made["id"].is_i64());
        for path in ["/api/companies/100001/assets".to_owned(), "/api/assets".to_owned()] {
            let list = app.service().get(&path).await.ok();
            for key in KEYS {
                assert!(list[0].get(key).is_some(), "{path}: {key} is missing in {}", list[0]);
            }
            for trap in ["datto_uid", "billing_type", "udf2", "udf9"] {
                assert!(list[0].get(trap).is_none(), "{path}: {trap} must not be there");
            }
            assert_eq!((&list[0]["company_id"], &list[0]["name"], &list[0]["backup_data_bytes"]), (&json!("100001"), &json!("LT-A1"), &json!(0)));
        }
        let one = app.service().get(&format!("/api/assets/{}", made["id"])).await.ok();
        assert_eq!(one["contacts"], json!([]));
        assert_eq!(app.service().get("/api/assets/999999").await.status(404).error(), "Asset not found");
        assert_eq!(app.service().get("/api/companies/999/assets").await.status(404).error(), "Company not found");
    }

    async fn backup_bytes_follow_the_text(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("1", "Acme").await;
        for (text, bytes) in [("0.50", 549_755_813_888_i64), ("1.25", 1_374_389_534_720), ("not a number", 0), ("", 0)] {
            let body = json!({"hostname": format!("H {text}"), "company_account_number": "1", "backup_usage_tb": text});
            let reply = app.admin().post("/api/assets", &body).await;
            if reply.status == 400 {
                assert!(text == "not a number" && reply.text().contains("backup_usage_tb"), "{}", reply.text());
                continue;
            }
            let read = app.service().get(&format!("/api/assets/{}", reply.status(201).json()["id"])).await.ok();
            assert_eq!(read["backup_data_bytes"], bytes, "{text}");
        }
    }

    async fn aliases_and_required_fields(engine: Engine) {
        let app = App::start_on(&engine).await;
        let company = app.company("100001", "Acme").await;
        let body = json!({"name": "SRV-1", "company_id": company["id"], "type": "Server", "serial_number": "SN1", "warranty_expires": "2027-03-01"});
        let made = app.service().post("/api/assets", &body).await.status(201).json();
        let read = app.service().get(&format!("/api/assets/{}", made["id"])).await.ok();
        assert_eq!((&read["hostname"], &read["company_account_number"]), (&json!("SRV-1"), &json!("100001")));
        assert_eq!((&read["type"], &read["serial_number"], &read["warranty_expires"]), (&json!("server"), &json!("SN1"), &json!("2027-03-01")));
        let fields = app.admin().post("/api/assets", &json!({})).await.status(400).fields();
        assert!(fields.contains(&"hostname".to_owned()) && fields.contains(&"company_account_number".to_owned()), "{fields:?}");
        let nowhere = app.admin().post("/api/assets", &json!({"hostname": "X", "company_account_number": "404"})).await.status(400);
        assert!(nowhere.text().contains("company_account_number"), "{}", nowhere.text());
    }

    async fn a_field_stands_wherever_its_line_says(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("1", "Acme").await;
        let (old, new) = (app.asset("LT-OLD", "1").await["id"].clone(), app.asset("LT-NEW", "1").await["id"].clone());
        for (id, day) in [(&old, "2021-02-28"), (&new, "2026-02-28")] {
            let body = json!({"purchase_date": day});
            assert_eq!(app.admin().put(&format!("/api/assets/{id}"), &body).await.ok()["purchase_date"], day);
        }
        let wrong = app.admin().put(&format!("/api/assets/{old}"), &json!({"purchase_date": "last spring"})).await.status(400);
        assert_eq!(wrong.fields(), ["purchase_date"]);
        let read = app.service();
        assert_eq!(read.get("/api/assets?purchase_date__lte=2025-01-01").await.ok()[0]["hostname"], "LT-OLD");
        assert_eq!(read.get("/api/assets?sort=-purchase_date").await.ok()[0]["hostname"], "LT-NEW");
        let csv = read.get("/api/assets?format=csv&fields=hostname,purchase_date&sort=purchase_date").await.status(200).text();
        assert_eq!(csv.trim_start_matches('\u{feff}').lines().nth(1), Some("LT-OLD,2021-02-28"));
        let history = read.get(&format!("/api/history/asset/{old}")).await.status(200).text();
        assert!(history.contains("purchase_date") && history.contains("2021-02-28"), "{history}");
        let page = async |path: String| app.admin().get_with(&path, "accept", "text/html").await.status(200).text();
        assert!(page(format!("/assets/{old}")).await.contains("Purchased"));
        let form = page(format!("/assets/{old}/edit")).await;
        assert!(form.contains("name=\"purchase_date\"") && form.contains("2021-02-28"), "{form}");
        let list = page("/assets/?col=purchase_date&sort=purchase_date".to_owned()).await;
        assert!(list.contains("Purchased") && list.contains("2021-02-28"), "{list}");
    }

    async fn the_list_filters(engine: Engine) {
        let app = App::start_on(&engine).await;
        let company = app.company("1", "Acme").await;
        app.company("2", "Beta").await;
        let of = |hostname: &str, account: &str, kind: &str| json!({"hostname": hostname, "company_account_number": account, "type": kind, "hardware_type": kind});
        app.admin().post("/api/assets", &of("SRV-1", "1", "server")).await.status(201);
        app.admin().post("/api/assets", &of("LT-1", "1", "laptop")).await.status(201);
        app.admin().post("/api/assets", &of("LT-2", "2", "laptop")).await.status(201);
        let names = async |query: String| -> Vec<String> {
            let list = app.service().get(&format!("/api/assets?{query}")).await.ok();
            list.as_array().unwrap().iter().map(|asset| asset["hostname"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names("company_account_number=2".to_owned()).await, ["LT-2"]);
        assert_eq!(names(format!("company_id={}", company["account_number"].as_str().unwrap())).await.len(), 2);
        assert_eq!(names("type=SERVER".to_owned()).await, ["SRV-1"]);
        assert_eq!(names("hostname=LT-1".to_owned()).await, ["LT-1"]);
        assert_eq!(names("limit=2&offset=2".to_owned()).await.len(), 1);
    }

    async fn people_are_assigned_and_unassigned(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("1", "Acme").await;
        let (asset, ava, noah) = (app.asset("LT-1", "1").await, app.contact("Ava", "a@example.com", &["1"]).await, app.contact("Noah", "n@example.com", &["1"]).await);
        let path = format!("/assets/{}/update-contacts", asset["id"]);
        let done = app.technician().put(&path, &json!({"contact_ids": [ava["id"], noah["id"]]})).await.status(200).json();
        assert_eq!(done["success"], true);
        let read = app.service().get(&format!("/api/assets/{}", asset["id"])).await.ok();
        assert_eq!(read["contacts"].as_array().unwrap().len(), 2);
        assert_eq!(app.service().get(&format!("/api/contacts/{}", ava["id"])).await.ok()["asset_ids"], json!([asset["id"]]));
        app.technician().put(&path, &json!({"contact_ids": [noah["id"], 424_242]})).await.status(400);
        assert_eq!(app.service().get(&format!("/api/assets/{}", asset["id"])).await.ok()["contacts"].as_array().unwrap().len(), 2);
        let stale = |request: reqwest::RequestBuilder| request.header("if-match", "\"1-99\"").json(&json!({"contact_ids": []}));
        assert_eq!(app.technician().send(reqwest::Method::PUT, &path, stale).await.status, 412);
        app.technician().put(&path, &json!({"contact_ids": []})).await.status(200);
        assert_eq!(app.service().get(&format!("/api/assets/{}", asset["id"])).await.ok()["contacts"], json!([]));
        app.billing().put(&path, &json!({"contact_ids": []})).await.status(403);
    }

    async fn an_asset_moves_between_companies_and_keeps_its_id(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("1", "Acme").await;
        app.company("2", "Beta").await;
        let made = app.asset("LT-1", "1").await;
        let path = format!("/api/assets/{}", made["id"]);
        app.admin().put(&path, &json!({"company_account_number": "2"})).await.status(200);
        assert_eq!(app.service().get("/api/companies/1/assets").await.ok(), json!([]));
        assert_eq!(app.service().get("/api/companies/2/assets").await.ok()[0]["id"], made["id"]);
        app.technician().delete(&path).await.status(200);
        assert_eq!(app.service().get("/api/companies/2/assets").await.ok(), json!([]));
        app.technician().post(&format!("{path}/restore"), &json!({})).await.status(200);
        assert_eq!(app.service().get("/api/companies/2/assets").await.ok()[0]["id"], made["id"]);
    }

    async fn every_column_of_the_contract_is_accepted(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("1", "Acme").await;
        let body = json!({
            "hostname": "LT-9", "company_account_number": "1", "hardware_type": "Laptop", "operating_system": "Debian 13", "last_logged_in_user": "ava",
            "antivirus_product": "Defender", "description": "hers", "ext_ip_address": "203.0.113.5", "int_ip_address": "10.0.0.5", "domain": "corp.local",
            "last_audit_date": "2026-01-01T00:00:00Z", "last_reboot": "2026-01-02T00:00:00Z", "last_seen": "2026-01-03T00:00:00Z", "online": true,
            "patch_status": "FullyPatched", "backup_usage_tb": "0.25", "device_type": "Workstation",
        });
        let id = app.service().post("/api/assets", &body).await.status(201).json()["id"].clone();
        let read = app.service().get(&format!("/api/assets/{id}")).await.ok();
        for (key, sent) in body.as_object().unwrap() {
            assert_eq!(&read[key], sent, "{key}");
        }
    }
}
