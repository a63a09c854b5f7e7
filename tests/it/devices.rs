//! Devices as the RMM's clients ask for them (contract §1.7), their life, and the alerts about them.

use serde_json::{Value, json};

use crate::support::{Api, App, Engine, both};

/// The keys of the list that old clients read, and those that were recommended.
const LIST: [&str; 14] = [
    "id",
    "name",
    "company_id",
    "company_name",
    "status",
    "os",
    "device_type",
    "ip_address",
    "last_seen",
    "last_logged_in_user",
    "hostname",
    "type",
    "company",
    "asset_id",
];
const DETAIL: [&str; 11] = [
    "os_version",
    "mac_address",
    "domain",
    "antivirus",
    "patch_status",
    "last_reboot",
    "installed_software",
    "hardware",
    "health",
    "data_source",
    "collected_at",
];

async fn device(app: &App, hostname: &str, account: &str, body: Value) -> i64 {
    let mut all = json!({"hostname": hostname, "company_account_number": account, "last_logged_in_user": "CORP\\quetzal"});
    all.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    app.admin().post("/api/assets", &all).await.status(201).json()["id"].as_i64().unwrap()
}

/// What a pull and an audit would have stored, with the last good run just now.
fn watched(app: &App, id: i64, days_ago: i64) {
    let at = codex::types::now_plus(-days_ago * 86_400 - 60);
    let started = codex::types::now_plus(-1);
    app.database.execute(&format!(
        "INSERT INTO links (entity, entity_id, system, external_id, linked_at) VALUES ('asset', {id}, 'datto', 'uid-{id}', '{at}');
         UPDATE asset_observations SET last_seen = '{at}', source = 'datto' WHERE asset_id = {id};
         INSERT INTO sync_runs (source, job_id, dry_run, status, started_at) VALUES ('datto', 'x', FALSE, 'done', '{started}');"
    ));
}

async fn names(api: &Api, path: &str) -> Vec<String> {
    let list = api.get(path).await.ok();
    list.as_array().unwrap().iter().map(|asset| asset["hostname"].as_str().unwrap().to_owned()).collect()
}

both! {
    async fn devices_have_the_shape_of_the_contract_and_no_invented_value(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        app.company("100002", "Beta").await;
        let id = device(&app, "LT-1", "100001", json!({
            "online": true, "operating_system": "Microsoft Windows 11 Pro 10.0.22631", "hardware_type": "Laptop",
            "int_ip_address": "10.0.0.5", "domain": "corp.local",
        })).await;
        device(&app, "LT-2", "100002", json!({})).await;
        for name in ["datto", "rmm"] {
            let list = app.service().get(&format!("/api/{name}/devices")).await.ok();
            assert_eq!((list["count"].as_i64(), list["devices"].as_array().unwrap().len()), (Some(2), 2));
            for key in LIST {
                assert!(list["devices"][0].get(key).is_some(), "{key}: {list}");
            }
            let first = &list["devices"][0];
            assert_eq!((&first["id"], &first["status"], &first["ip_address"]), (&json!(format!("device-{id}")), &json!("online"), &json!("10.0.0.5")));
            assert_eq!((&first["company_id"], &first["device_type"]), (&json!("100001"), &json!("Laptop")));
            assert_eq!(list["devices"][1]["status"], "offline", "what nobody knows counts as offline");
            let count = async |query: &str| app.service().get(&format!("/api/{name}/devices?{query}")).await.ok()["count"].as_i64().unwrap();
            assert_eq!(count("company_id=100002").await, 1);
            assert_eq!(count("company_id=999").await, 0);
            assert_eq!((count("status=online").await, count("status=offline").await, count("status=sleeping").await), (1, 1, 2));
            assert_eq!((count("limit=1").await, count("limit=abc").await), (1, 2));
            let one = app.service().get(&format!("/api/{name}/device/device-{id}")).await.ok();
            for key in LIST.into_iter().chain(DETAIL) {
                assert!(one.get(key).is_some(), "{key}: {one}");
            }
            assert_eq!(one["os_version"], "10.0.22631");
            assert_eq!(one["installed_software"], json!([]));
            assert_eq!(one["hardware"], json!({"cpu": null, "ram_gb": null, "disk_gb": null}));
            assert_eq!(one["health"], json!({"cpu_usage": null, "ram_usage": null, "disk_usage": null}));
            assert_eq!((&one["mac_address"], &one["collected_at"]), (&Value::Null, &Value::Null));
            for (key, status, error) in [
                ("host-1", 400, "Invalid device ID format"), ("1", 400, "Invalid device ID format"), ("device-x", 400, "Invalid device ID"),
                ("device-", 400, "Invalid device ID"), ("device-999999", 404, "Device not found"), ("device-99999999999999999999", 404, "Device not found"),
            ] {
                let reply = app.service().get(&format!("/api/{name}/device/{key}")).await;
                assert_eq!((reply.status, reply.error()), (status, error.to_owned()), "{key}");
            }
            app.anonymous().get(&format!("/api/{name}/devices")).await.status(401);
        }
        let client = app.client_of("cleo", "100002").await;
        assert_eq!(client.get("/api/datto/devices").await.ok()["count"], 1);
        client.get(&format!("/api/rmm/device/device-{id}")).await.status(404);
    }

    async fn an_audit_is_told_as_it_was_made(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("1", "Acme").await;
        let id = device(&app, "LT-1", "1", json!({})).await;
        app.database.execute(&format!(
            "INSERT INTO asset_audits (asset_id, source, external_id, asked_for, asked_at, outcome, collected_at, fetched_at, cpu, cpu_cores, ram_bytes, disk_bytes, disk_free_bytes)
             VALUES ({id}, 'datto', 'u', '2026-11-20T12:00:00Z', '2026-11-20T13:00:00Z', 'read', '2026-11-20T12:00:00Z', '2026-11-20T13:00:00Z', 'Intel i7', 10, 17179869184, 536870912000, 134217728000);
             INSERT INTO asset_software (asset_id, name, version, name_folded) VALUES ({id}, 'Firefox', '145.0', 'firefox'), ({id}, 'Zoom', '', 'zoom');
             INSERT INTO asset_disks (asset_id, place, name, size_bytes, free_bytes, counts) VALUES ({id}, 0, 'C:', 536870912000, 134217728000, TRUE);
             INSERT INTO asset_nics (asset_id, place, name, mac_address) VALUES ({id}, 0, 'Wi-Fi', '3C:58:C2:00:11:22');"
        ));
        let one = app.service().get(&format!("/api/datto/device/device-{id}")).await.ok();
        assert_eq!(one["hardware"], json!({"cpu": "Intel i7", "ram_gb": 16.0, "disk_gb": 500.0}));
        assert_eq!(one["health"]["disk_usage"], 75.0);
        assert_eq!(one["installed_software"], json!([{"name": "Firefox", "version": "145.0"}, {"name": "Zoom", "version": null}]));
        assert_eq!(one["collected_at"], "2026-11-20T12:00:00Z");
        let asset = app.service().get(&format!("/api/assets/{id}")).await.ok();
        assert_eq!((&asset["software_count"], &asset["disks"][0]["name"], &asset["network_adapters"][0]["mac_address"]), (&json!(2), &json!("C:"), &json!("3C:58:C2:00:11:22")));
        let page = app.technician().get_with(&format!("/assets/{id}?software=fire"), "accept", "text/html").await.status(200).text();
        for word in ["Intel i7", "75 % of 500 GB used", "Wi-Fi", "Firefox", "Audited"] {
            assert!(page.contains(word), "{word}: {page}");
        }
        assert!(!page.contains("Zoom"), "the search finds what it was asked for alone");
    }

    async fn life_follows_the_last_good_run_and_takes_nothing_away(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("1", "Acme").await;
        app.company("2", "Beta").await;
        app.admin().put("/api/companies/2", &json!({"life_quiet_days": 3, "life_stale_days": 5, "life_archived_days": 7})).await.status(200);
        let wrong = app.admin().put("/api/companies/2", &json!({"life_quiet_days": 6})).await.status(400);
        assert_eq!(wrong.fields(), ["life_stale_days"]);
        for (hostname, account, days) in [("A-0", "1", 1), ("A-15", "1", 15), ("A-31", "1", 31), ("A-91", "1", 91), ("B-4", "2", 4), ("B-8", "2", 8)] {
            let id = device(&app, hostname, account, json!({})).await;
            watched(&app, id, days);
        }
        device(&app, "NEVER", "1", json!({"last_seen": "2020-01-01T00:00:00Z"})).await;
        let stages = app.service().get("/api/assets?fields=hostname,life").await.ok();
        let stages: Vec<(&str, &Value)> = stages.as_array().unwrap().iter().map(|asset| (asset["hostname"].as_str().unwrap(), &asset["life"])).collect();
        assert_eq!(stages, [
            ("A-0", &json!("active")), ("A-15", &json!("quiet")), ("A-31", &json!("stale")), ("A-91", &json!("archived")),
            ("B-4", &json!("quiet")), ("B-8", &json!("archived")), ("NEVER", &Value::Null),
        ]);
        assert_eq!(names(&app.service(), "/api/assets?life=quiet").await, ["A-15", "B-4"]);
        assert_eq!(names(&app.service(), "/api/assets?life=stale,archived").await, ["A-31", "A-91", "B-8"]);
        assert_eq!(names(&app.service(), "/api/assets?life=active").await, ["A-0"]);
        app.service().get("/api/assets?life=sleepy").await.status(400);
        assert_eq!(names(&app.service(), "/api/companies/1/assets").await.len(), 5, "a label takes nothing off a bill");
        let bulk = app.service().get("/api/companies/bulk").await.ok();
        assert_eq!(bulk[1]["assets"].as_array().unwrap().len(), 2);
        let page = app.technician().get_with("/assets/?life=archived", "accept", "text/html").await.status(200).text();
        assert!(page.contains("A-91") && page.contains("Archived") && !page.contains("A-15"), "{page}");
    }

    async fn archived_assets_leave_bills_when_the_operator_says_so(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_ASSETS_ARCHIVED_LEAVE_BILLING", "true").env("CODEX_ASSETS_LIFE_QUIET_DAYS", "10").start().await;
        app.company("1", "Acme").await;
        for (hostname, days) in [("OLD", 100), ("NEW", 12)] {
            let id = device(&app, hostname, "1", json!({})).await;
            watched(&app, id, days);
        }
        device(&app, "MANUAL", "1", json!({})).await;
        assert_eq!(names(&app.service(), "/api/companies/1/assets").await, ["MANUAL", "NEW"]);
        let bulk = app.service().get("/api/companies/bulk").await.ok();
        assert_eq!(bulk[0]["assets"].as_array().unwrap().len(), 2);
        assert_eq!(names(&app.service(), "/api/assets").await, ["MANUAL", "NEW", "OLD"], "our own list keeps it");
        assert_eq!(names(&app.service(), "/api/assets?life=quiet").await, ["NEW"]);
    }

    async fn who_used_a_protected_companys_device_is_masked(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.admin().post("/api/companies", &json!({"account_number": "7", "name": "Clinic", "compliance_level": "hipaa"})).await.status(201);
        let id = device(&app, "PC-1", "7", json!({"enabled_administrators": "quetzal"})).await;
        let token = app.cli().run(&["token", "create", "--service", "brainhair"]).success().stdout;
        let brainhair = app.with_token(token.trim());
        for path in [
            "/api/assets".to_owned(), format!("/api/assets/{id}"), "/api/companies/7/assets".to_owned(), "/api/companies/bulk".to_owned(),
            "/api/datto/devices".to_owned(), format!("/api/rmm/device/device-{id}"), "/api/assets?format=csv".to_owned(),
        ] {
            let text = brainhair.get(&path).await.status(200).text();
            assert!(!text.contains("quetzal"), "{path}: {text}");
            let text = app.service().get(&path).await.status(200).text();
            assert!(text.contains("quetzal"), "a cleared service sees it: {path}: {text}");
        }
        assert_eq!(brainhair.get("/api/assets?last_logged_in_user__ic=quetz").await.ok(), json!([]));
        let page = app.billing().get_with("/assets/", "accept", "text/html").await.status(200).text();
        assert!(page.contains("PC-1") && !page.contains("quetzal"), "{page}");
    }

    async fn alerts_are_listed_by_company_asset_and_state(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("1", "Acme").await;
        app.admin().post("/api/companies", &json!({"account_number": "2", "name": "Clinic", "compliance_level": "cjis"})).await.status(201);
        let (ours, theirs) = (device(&app, "LT-1", "1", json!({})).await, device(&app, "LT-2", "2", json!({})).await);
        let alert = |uid: &str, asset: i64, priority: &str, severity: i64, resolved: bool, at: &str| format!(
            "INSERT INTO alerts (source, alert_uid, asset_id, priority, severity, kind, message, raised_at, resolved, context, first_seen_at, updated_at, message_folded, search_text)
             VALUES ('datto', '{uid}', {asset}, '{priority}', {severity}, 'eventlog_ctx', 'quetzal logged on {uid}', '{at}', {resolved}, '{{\"@class\": \"eventlog_ctx\"}}', '{at}', '{at}', 'quetzal', 'quetzal');"
        );
        app.database.execute(&[
            alert("a1", ours, "Low", 3, false, "2026-11-20T10:00:00Z"), alert("a2", ours, "Critical", 0, true, "2026-11-20T11:00:00Z"),
            alert("a3", theirs, "High", 1, false, "2026-11-20T12:00:00Z"),
        ].concat());
        let uids = async |api: &Api, query: &str| -> Vec<String> {
            let list = api.get(&format!("/api/alerts?{query}")).await.ok();
            list.as_array().unwrap().iter().map(|alert| alert["alert_uid"].as_str().unwrap().to_owned()).collect()
        };
        let service = app.service();
        assert_eq!(uids(&service, "").await, ["a3", "a1", "a2"], "open ones first, the newest first");
        assert_eq!(uids(&service, "company_id=1").await, ["a1", "a2"]);
        assert_eq!(uids(&service, &format!("asset_id={theirs}")).await, ["a3"]);
        assert_eq!(uids(&service, "resolved=true").await, ["a2"]);
        assert_eq!(uids(&service, "priority=critical,high").await, ["a3", "a2"]);
        assert_eq!(uids(&service, "sort=priority&limit=2").await, ["a2", "a3"]);
        service.get("/api/alerts?priority=dire").await.status(400);
        let first = service.get("/api/alerts").await.status(200);
        assert_eq!(first.json()[0]["company_id"], "2");
        assert_eq!(first.json()[0]["context"], json!({"@class": "eventlog_ctx"}));
        let csv = service.get("/api/alerts?format=csv").await.status(200).text();
        assert!(csv.starts_with("id,alert_uid,priority,message"), "{csv}");
        let client = app.client_of("cleo", "1").await;
        assert_eq!(uids(&client, "").await, ["a1", "a2"]);
        let token = app.cli().run(&["token", "create", "--service", "brainhair"]).success().stdout;
        let masked = app.with_token(token.trim()).get("/api/alerts?company_id=2").await.ok();
        assert_eq!((&masked[0]["message"], &masked[0]["context"]), (&json!("Event log entry"), &Value::Null), "{masked}");
        for (path, word) in [("/alerts/?resolved=false", "quetzal logged on a1"), ("/companies/1", "quetzal logged on a1"), ("/", "Open alerts")] {
            let page = app.technician().get_with(path, "accept", "text/html").await.status(200).text();
            assert!(page.contains(word), "{path}: {page}");
        }
        let technician = app.technician();
        let dashboard = technician.get_with("/", "accept", "text/html").await.status(200).text();
        let urgent = "/alerts/?resolved=false&muted=false&priority__in=Critical,High";
        assert!(dashboard.contains(&urgent.replace('&', "&#38;")), "{dashboard}");
        let page = technician.get_with(urgent, "accept", "text/html").await.status(200).text();
        assert!(page.contains("LT-2") && !page.contains("LT-1"), "what is counted is what is shown: {page}");
        let page = app.technician().get_with(&format!("/assets/{ours}"), "accept", "text/html").await.status(200).text();
        assert!(page.contains("1 open") && page.contains("Resolved"), "{page}");
    }
}
