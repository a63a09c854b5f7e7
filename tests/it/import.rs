//! Tables that become records: planned, applied whole or not at all, undone, and known again.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, App, Engine, Reply, both};

async fn import(api: &Api, kind: &str, query: &str, table: impl Into<Vec<u8>>) -> Reply {
    let table = table.into();
    api.send(Method::POST, &format!("/api/import/{kind}{query}"), |request| {
        request.header("content-type", "text/csv").body(table)
    })
    .await
}

async fn world(engine: &Engine) -> App {
    world_of(engine, "nobody").await
}

async fn world_of(engine: &Engine, cleared: &str) -> App {
    let app = App::builder(engine).env("CODEX_COMPLIANCE_CLEARED_SERVICES", cleared).start().await;
    app.company("100001", "Acme").await;
    app.company("100002", "Bolt").await;
    app.contact("Ava Patel", "ava@example.com", &["100001", "100002"]).await;
    app.asset("LT-1", "100001").await;
    app.admin()
        .put("/api/assets/1", &json!({"serial_number": "S1", "description": "=1+1", "purchase_date": "2025-02-03"}))
        .await
        .status(200);
    let device = json!({"company_id": "100001", "name": "fw-1", "type": "firewall", "ip_address": "10.20.0.1"});
    app.admin().post("/api/network_equipment", &device).await.status(201);
    app
}

fn counts(plan: &Value) -> [i64; 4] {
    ["create", "update", "same", "refused"].map(|name| plan[name].as_i64().unwrap_or_else(|| panic!("{name} in {plan}")))
}

both! {
    async fn what_was_exported_changes_nothing_when_it_is_imported(engine: Engine) {
        let app = world(&engine).await;
        let api = app.technician();
        let head = app.database.number("SELECT version FROM head");
        let kinds = import(&api, "toasters", "?dry_run=true", "a\n1\n").await.status(400).error();
        let kinds: Vec<&str> = kinds.split("must be one of ").nth(1).unwrap().split(", ").collect();
        assert!(kinds.len() >= 8 && kinds.contains(&"network_connections"), "{kinds:?}");
        for kind in kinds {
            for reader in ["", "&for=excel"] {
                let table = api.get(&format!("/api/{kind}?format=csv{reader}")).await.status(200).body;
                let plan = import(&api, kind, "?dry_run=true", table.clone()).await.status(200).json();
                let rows = i64::try_from(String::from_utf8_lossy(&table).lines().count()).unwrap() - 1;
                assert_eq!(counts(&plan), [0, 0, rows.max(0), 0], "{kind}{reader}: {plan}");
            }
        }
        assert_eq!(app.database.number("SELECT version FROM head"), head);
    }

    async fn a_plan_says_what_becomes_of_each_row_and_why(engine: Engine) {
        let app = world(&engine).await;
        let api = app.technician();
        let table = "serial_number,hostname,company_account_number,model,purchase_date\n\
                     S1,LT-1,100001,Latitude,\n\
                     S2,LT-2,100002,,2026-01-31\n\
                     ,LT-1,100002,,\n\
                     S1,LT-9,100001,,\n";
        let plan = import(&api, "assets", "?dry_run=true", table).await.status(200).json();
        assert_eq!(counts(&plan), [2, 1, 0, 1], "{plan}");
        let rows = plan["rows"].as_array().unwrap();
        assert_eq!((&rows[0]["outcome"], &rows[0]["reason"], &rows[0]["id"]), (&json!("update"), &json!("by its serial number S1"), &json!(1)));
        assert_eq!(rows[0]["changes"], json!({"model": {"old": null, "new": "Latitude"}}), "an empty cell leaves what there is");
        assert_eq!((&rows[1]["outcome"], &rows[1]["line"], &rows[1]["id"]), (&json!("create"), &json!(3), &Value::Null));
        assert_eq!(rows[2]["outcome"], "create", "the same name at another company is another device");
        assert_eq!((&rows[3]["outcome"], &rows[3]["reason"]), (&json!("refused"), &json!("is the same record as line 2")));
        assert_eq!(api.get("/api/assets").await.ok().as_array().unwrap().len(), 1, "nothing was written");
        let refused = import(&api, "assets", "", table).await.status(409).json();
        assert!(refused["error"].as_str().unwrap().contains("nothing was imported") && refused["refused"][0]["line"] == 5, "{refused}");
        assert_eq!(api.get("/api/assets").await.ok().as_array().unwrap().len(), 1, "all or nothing");
    }

    async fn a_column_is_known_however_people_write_it(engine: Engine) {
        let app = world(&engine).await;
        let api = app.technician();
        let done = import(&api, "companies", "", "Account Number,NAME,contract-term,Description\n777001,Works,1-Year,Dentists\n").await;
        done.status(200);
        let made = api.get("/api/companies/777001").await.ok();
        assert_eq!((&made["name"], &made["description"]), (&json!("Works"), &json!("Dentists")), "{made}");
        let twice = import(&api, "companies", "?dry_run=true", "name,Name\na,b\n").await.status(400);
        assert!(twice.error().contains("twice"), "{}", twice.error());
    }

    async fn what_cannot_be_is_said_before_anything_is_written(engine: Engine) {
        let app = world(&engine).await;
        let api = app.technician();
        for (kind, table, says) in [
            ("assets", "hostnam\nx\n", "no \"hostnam\"; did you mean hostname?"), ("assets", "hostname,hostname\nx,y\n", "twice"),
            ("assets", "hostname,type\nx\n", "line 2 has 1 cells"), ("toasters", "a\n1\n", "must be one of companies, contacts, assets"),
            ("assets", "", "is empty"),
        ] {
            let refused = import(&api, kind, "?dry_run=true", table).await.status(400);
            assert!(refused.error().contains(says), "{table:?}: {}", refused.error());
        }
        let latin = import(&api, "assets", "?dry_run=true", b"hostname\nZo\xeb\n".to_vec()).await.status(400);
        assert!(latin.error().contains("line 2 is not UTF-8"), "{}", latin.error());
        assert_eq!(import(&api, "assets", "?dry_run=true&key=asset_tag", "hostname\nx\n").await.status(400).fields(), ["key"]);
        for (kind, table, says) in [
            ("assets", "hostname,company_account_number\nx,nobody\n", "there is no company nobody"),
            ("assets", "hostname,company_account_number,purchase_date\nx,100001,soon\n", "purchase_date: must be"),
            ("assets", "id,hostname\n999,x\n", "id: there is none with the id 999"),
            ("contacts", "name,email\nNobody,not an address\n", "email"),
            ("network_equipment", "name,type,company_id\nfw-9,toaster,100001\n", "type: must be one of"),
        ] {
            let plan = import(&api, kind, "?dry_run=true", table).await.status(200).json();
            assert_eq!(counts(&plan)[3], 1, "{table:?}: {plan}");
            assert!(plan["rows"][0]["reason"].as_str().unwrap().contains(says), "{table:?}: {plan}");
        }
        assert_eq!(import(&app.service(), "assets", "?dry_run=true", "hostname\nx\n").await.status, 403, "old values stand in plans");
    }

    async fn an_import_is_one_run_that_is_undone_as_one(engine: Engine) {
        let app = world(&engine).await;
        let api = app.admin();
        let contacts = "email,name,company_id,role,job_title\nava@example.com,Ava Patel,100001,billing,Director\nbo@example.com,Bo Lind,100002,,\n";
        let done = import(&api, "contacts", "", contacts).await.status(200).json();
        assert_eq!(counts(&done), [1, 1, 0, 0], "{done}");
        let ava = api.get("/api/contacts/1").await.ok();
        assert_eq!((&ava["title"], &ava["company_account_numbers"]), (&json!("Director"), &json!(["100001", "100002"])), "places elsewhere stay");
        assert_eq!(ava["companies"][0]["role"], "billing");
        assert_eq!(api.get("/api/contacts?email=bo@example.com").await.ok()[0]["company_id"], "100002");
        let again = import(&api, "contacts", "?dry_run=true", contacts).await.status(200).json();
        assert_eq!(counts(&again), [0, 0, 2, 0], "{again}");
        let run = done["run_id"].as_i64().unwrap();
        let change = &api.get("/api/history/contact/1").await.ok()["changes"][0];
        assert_eq!((&change["run_id"], &change["actor_kind"], &change["source"]), (&json!(run), &json!("import"), &json!("csv")));
        let undone = api.post(&format!("/api/sync/runs/{run}/undo"), &json!({})).await.status(200).json();
        assert_eq!(undone["refused"], 0, "{undone}");
        let ava = api.get("/api/contacts/1").await.ok();
        assert_eq!((&ava["title"], &ava["companies"][0]["role"]), (&Value::Null, &Value::Null));
        assert_eq!(api.get("/api/contacts").await.ok().as_array().unwrap().len(), 1);
    }

    async fn the_command_line_imports_what_it_has_shown(engine: Engine) {
        let app = world(&engine).await;
        let file = app.folder().join("assets.csv");
        let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain("hostname;company_account_number;serial_number\r\nZOË-1;100001;S7\r\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        std::fs::write(&file, wide).unwrap();
        let path = file.to_str().unwrap();
        let shown = app.cli().run_beside(&["import", "csv", path, "--as", "assets", "--dry-run"]).await.code(0);
        assert!(shown.stdout.contains("ZOË-1") && shown.stderr.contains("1 new, 0 changed"), "{} {}", shown.stdout, shown.stderr);
        app.cli().run_beside(&["import", "csv", path, "--as", "assets"]).await.code(2);
        assert_eq!(app.admin().get("/api/assets?serial_number=S7").await.ok(), json!([]), "nobody has said yes");
        let done = app.cli().run_beside(&["import", "csv", path, "--as", "assets", "--yes"]).await.code(0);
        assert_eq!(app.admin().get("/api/assets?serial_number=S7").await.ok()[0]["hostname"], "ZOË-1");
        let run = done.stderr.split("codex import undo ").nth(1).expect("how to take it back").trim().to_owned();
        app.cli().run_beside(&["import", "undo", &run]).await.code(0);
        assert_eq!(app.admin().get("/api/assets?serial_number=S7").await.ok(), json!([]));
        std::fs::write(&file, "hostname\nx\n").unwrap();
        app.cli().run_beside(&["import", "csv", path, "--as", "toasters"]).await.code(2);
        let refused = app.cli().run_beside(&["import", "csv", path, "--as", "assets", "--yes"]).await.code(2);
        assert!(refused.stdout.contains("is required"), "{}", refused.stdout);
    }

    async fn exports_of_other_products_are_read_as_they_come(engine: Engine) {
        let app = world(&engine).await;
        let api = app.admin();
        // (product, kind, its file, where a record of it is then, and what it is)
        let cases: [(&str, &str, &str, &str, Value); 10] = [
            ("ITFlow", "companies",
             "Client Name,Industry,Referral,Website,Primary Location Name,Location Phone,Location Address,City,State,Postal Code,Country,Primary Contact Name,Title,Contact Phone,Extension,Contact Mobile,Contact Email,Hourly Rate,Currency,Payment Terms,Tax ID,Abbreviation\nCedar Dental,Health,,https://cedar.example,HQ,(253) 555-0144,1 Cedar Way,Olympia,WA,98501,US,Ann Lee,Owner,,,,ann@cedar.example,150,USD,30,,CED\n",
             "/api/companies?name=Cedar%20Dental", json!({"address": "1 Cedar Way, Olympia, WA 98501, US", "primary_contact_name": "Ann Lee", "company_main_number": "(253) 555-0144"})),
            ("ITFlow", "contacts", "Name,Title,Department,Email,Phone,Ext,Mobile,Location\nAnn Lee,Owner,Front,ann@cedar.example,(253) 555-0145,12,,HQ\n",
             "/api/contacts?email=ann@cedar.example", json!({"title": "Owner", "work_phone_number": "(253) 555-0145 ext. 12", "company_id": "100002"})),
            ("ITFlow", "assets",
             "Name,Description,Type,Make,Model,Serial Number,Operating System,Purchase Date,Warranty Expire,Install Date,Assigned To,Location,Physical Location,Notes,Client\nCED-LT1,Front desk,Laptop,Dell,Latitude 5420,IT1,Windows 11,2024-02-01,0000-00-00,,Ann Lee,HQ,Desk,old,Cedar Dental\n",
             "/api/assets?serial_number=IT1", json!({"hostname": "CED-LT1", "type": "laptop", "manufacturer": "Dell", "purchase_date": "2024-02-01", "warranty_expires": null, "company_name": "Cedar Dental", "description": "Front desk\nold"})),
            ("Snipe-IT", "companies", "ID,Company Name,Phone,Fax,Email,Notes,Created At\n4,Dune Labs,(253) 555-0177,,,Sand,2024-01-01\n",
             "/api/companies?name=Dune%20Labs", json!({"company_main_number": "(253) 555-0177", "description": "Sand"})),
            ("Snipe-IT", "contacts", "Company,First Name,Last Name,Title,Email,Phone,Username,Employee Number,Location\nDune Labs,Paul,Reed,Chemist,paul@dune.example,,paul,7,Lab\n",
             "/api/contacts?email=paul@dune.example", json!({"name": "Paul Reed", "title": "Chemist", "location_name": "Lab"})),
            ("Snipe-IT", "assets",
             "ID,Company,Asset Name,Asset Tag,Model,Model No.,Category,Manufacturer,Serial,Purchased,Purchase Cost,Warranty,Warranty Expires,Location,Status,Notes\n9,Dune Labs,,A-009,OptiPlex,77,Desktop,Dell,SN9,2023-05-06,900,36,2026-05-06,Lab,Deployed,\n",
             "/api/assets?serial_number=SN9", json!({"hostname": "A-009", "asset_tag": "A-009", "model": "OptiPlex", "type": "workstation", "warranty_expires": "2026-05-06", "company_name": "Dune Labs"})),
            ("NetBox", "companies", "ID,Name,Slug,Group,Description,Comments\n1,Elm Bank,elm-bank,Clients,A bank,\n", "/api/companies?name=Elm%20Bank", json!({"description": "A bank"})),
            ("NetBox", "contacts", "Name,Groups,Assignments,Title,Phone,Email,Address\nEve Ohm,Admins,2,CTO,(253) 555-0188,eve@elm.example,2 Elm St\n",
             "/api/contacts?email=eve@elm.example", json!({"title": "CTO", "work_phone_number": "(253) 555-0188"})),
            ("NetBox", "assets", "Name,Status,Tenant,Site,Role,Manufacturer,Type,Serial number,Asset tag,IP Address\nelm-sw1,Active,Elm Bank,HQ,Switch,Cisco,C9300,NB1,,10.0.0.1/24\n",
             "/api/assets?serial_number=NB1", json!({"hostname": "elm-sw1", "type": "network_device", "model": "C9300", "company_name": "Elm Bank"})),
            ("IT Glue", "companies", "id,name,organization_type,organization_status,short_name,quick_notes,alert\n5,Fir Legal,Customer,Active,FIR,,\n", "/api/companies?name=Fir%20Legal", json!({"name": "Fir Legal"})),
        ];
        for (product, kind, table, place, wanted) in cases {
            let mine = if table.starts_with("Name,Title") { "&company=100002" } else { "" };
            let done = import(&api, kind, &format!("?{}", mine.trim_start_matches('&')), table).await.status(200).json();
            assert_eq!((&done["preset"], counts(&done)), (&json!(product), [1, 0, 0, 0]), "{product} {kind}: {done}");
            let found = api.get(place).await.ok()[0].clone();
            for (name, value) in wanted.as_object().unwrap() {
                assert_eq!(&found[name], value, "{product} {kind} {name}: {found}");
            }
        }
        let glue = "id,organization,name,hostname,configuration_type,configuration_status,manufacturer,model,serial_number,mac_address,primary_ip,location,notes\n8,Fir Legal,FIR-SRV,fir-srv,Server,Active,HPE,ML30,GL1,00:11:22:33:44:55,10.1.1.1,HQ,\n";
        let done = import(&api, "assets", "", glue).await.status(200).json();
        assert_eq!((&done["preset"], counts(&done)), (&json!("IT Glue"), [1, 0, 0, 0]), "{done}");
        assert_eq!(api.get("/api/assets?serial_number=GL1").await.ok()[0]["company_name"], "Fir Legal");
        // An extension is no number, and wherever its column stands it follows the number.
        let alone = "Name,Title,Email,Ext,Mobile\nFay Oak,Clerk,fay@cedar.example,12,(253) 555-0146\n";
        let plan = import(&api, "contacts", "?dry_run=true&company=100002", alone).await.status(200).json();
        assert_eq!((counts(&plan), &plan["ignored"]), ([1, 0, 0, 0], &json!(["Ext"])), "{plan}");
        let before = "Name,Email,Ext,Phone,Mobile\nFay Oak,fay@cedar.example,12,(253) 555-0147,\n";
        import(&api, "contacts", "?company=100002", before).await.status(200);
        let fay = api.get("/api/contacts?email=fay@cedar.example").await.ok()[0].clone();
        assert_eq!(fay["work_phone_number"], "(253) 555-0147 ext. 12", "{fay}");
        // Columns of somebody's own are passed over when the product is named, and refused when it is not.
        let own = "Name,Tenant,Role,Manufacturer,My field\nelm-sw2,Elm Bank,Switch,Cisco,x\n";
        import(&api, "assets", "?dry_run=true", own).await.status(400);
        let plan = import(&api, "assets", "?dry_run=true&preset=netbox", own).await.status(200).json();
        assert_eq!((counts(&plan), &plan["ignored"]), ([1, 0, 0, 0], &json!(["My field"])), "{plan}");
        let nobody = own.replace("Elm Bank", "Nobody Inc");
        let plan = import(&api, "assets", "?dry_run=true&preset=netbox", nobody).await.status(200).json();
        assert!(counts(&plan)[3] == 1 && plan["rows"][0]["reason"].as_str().unwrap().contains("no company called Nobody Inc"), "{plan}");
        assert_eq!(import(&api, "assets", "?dry_run=true&preset=hudu", own).await.status(400).fields(), ["preset"]);
        assert_eq!(import(&api, "companies", "?dry_run=true&company=100001", "name\nX\n").await.status(400).fields(), ["company"]);
        let file = app.folder().join("devices.csv");
        std::fs::write(&file, own).unwrap();
        let shown = app.cli().run_beside(&["import", "csv", file.to_str().unwrap(), "--as", "assets", "--preset", "netbox", "--dry-run"]).await.success();
        assert!(shown.stderr.contains("export of NetBox") && shown.stderr.contains("My field"), "{}", shown.stderr);
        let page = api.send(Method::POST, "/import", |request| {
            request.header("accept", "text/html").form(&[("kind", "assets"), ("preset", "netbox"), ("text", own)])
        });
        let page = page.await.status(200).text();
        assert!(page.contains("Read as an export of NetBox") && page.contains("1 new, 0 changed"), "{page}");
    }

    async fn the_page_shows_before_it_writes(engine: Engine) {
        let app = world(&engine).await;
        let api = app.technician();
        let post = async |fields: &[(&str, &str)]| {
            api.send(Method::POST, "/import", |request| request.header("accept", "text/html").form(fields)).await
        };
        let table = "serial_number,model\nS1,<b>Latitude</b>\n";
        let shown = post(&[("kind", "assets"), ("text", table)]).await.status(200).text();
        assert!(shown.contains("0 new, 1 changed") && shown.contains("Import 1 records") && !shown.contains("<b>Latitude"), "{shown}");
        assert_eq!(api.get("/api/assets/1").await.ok()["model"], Value::Null);
        let wrong = post(&[("kind", "assets"), ("text", "modell\nx\n")]).await.status(400).text();
        assert!(wrong.contains("did you mean model?"), "{wrong}");
        let done = post(&[("kind", "assets"), ("text", table), ("apply", "true")]).await;
        assert_eq!(done.status, 303);
        assert_eq!(api.get("/api/assets/1").await.ok()["model"], "<b>Latitude</b>");
        let list = api.get_with("/assets/", "accept", "text/html").await.status(200).text();
        assert!(list.contains("href=\"/import?kind=assets\""));
    }

    async fn a_plan_of_a_table_stands_where_plans_of_syncs_stand(engine: Engine) {
        let app = world(&engine).await;
        let (api, admin) = (app.technician(), app.admin());
        let table = "serial_number,model,hostname,company_account_number\nS1,Latitude,,\nS2,,LT-2,100002\n";
        let plan = import(&api, "assets", "?dry_run=true", table).await.status(200).json();
        let id = plan["plan_id"].as_i64().unwrap();
        let stored = admin.get(&format!("/api/sync/plans/{id}")).await.ok();
        assert_eq!((&stored["source"], &stored["status"]), (&json!("csv"), &json!("proposed")), "{stored}");
        let item = &stored["items"][0];
        assert_eq!((&item["kind"], &item["action"], &item["reason"], &item["external_id"]), (&json!("asset"), &json!("update"), &json!("by its serial number S1"), &json!("2")));
        assert_eq!(item["fields"], json!([{"field": "model", "from": null, "to": "Latitude"}]));
        let page = admin.get_with(&format!("/admin/plans/{id}"), "accept", "text/html").await.status(200).text();
        assert!(page.contains("Assets to create") && page.contains("Latitude"), "{page}");
        assert_eq!(api.get("/api/assets/1").await.ok()["model"], Value::Null);
        let done = admin.post(&format!("/api/sync/plans/{id}/approve"), &json!({})).await.status(200).json();
        assert_eq!((&done["applied"], &done["stale"]), (&json!(2), &json!(0)));
        assert_eq!(api.get("/api/assets/1").await.ok()["model"], "Latitude");
        assert_eq!(api.get("/api/assets?serial_number=S2").await.ok()[0]["company_id"], "100002");
        let change = &admin.get("/api/history/asset/1").await.ok()["changes"][0];
        assert_eq!((&change["actor_kind"], &change["source"], &change["run_id"]), (&json!("import"), &json!("csv"), &stored["run_id"]));
        let run = stored["run_id"].as_i64().unwrap();
        admin.post(&format!("/api/sync/runs/{run}/undo"), &json!({})).await.status(200);
        assert_eq!(api.get("/api/assets").await.ok().as_array().unwrap().len(), 1);
        // A noun that no vendor tells of.
        let nets = "company_account_number,cidr\n100001,10.9.0.0/24\n";
        let plan = import(&api, "subnets", "?dry_run=true", nets).await.status(200).json();
        let id = plan["plan_id"].as_i64().unwrap();
        assert_eq!(admin.get(&format!("/api/sync/plans/{id}")).await.ok()["items"][0]["kind"], "subnet");
        let page = admin.get_with(&format!("/admin/plans/{id}"), "accept", "text/html").await.status(200).text();
        assert!(page.contains("Subnets to create"), "{page}");
        app.cli().run_beside(&["sync", "approve", &id.to_string()]).await.code(0);
        assert_eq!(api.get("/api/subnets").await.ok().as_array().unwrap().len(), 1);
    }

    async fn a_record_that_changes_meanwhile_leaves_the_whole_table_undone(engine: Engine) {
        let app = world(&engine).await;
        let (api, admin) = (app.technician(), app.admin());
        app.asset("LT-2", "100002").await;
        let table = "id,model\n1,Latitude\n2,Optiplex\n";
        let plan = import(&api, "assets", "?dry_run=true", table).await.status(200).json();
        let id = plan["plan_id"].as_i64().unwrap();
        api.put("/api/assets/2", &json!({"description": "moved"})).await.status(200);
        let refused = admin.post(&format!("/api/sync/plans/{id}/approve"), &json!({})).await.status(409);
        assert!(refused.error().contains("nothing was imported: 1 records have changed"), "{}", refused.error());
        for asset in [1, 2] {
            assert_eq!(api.get(&format!("/api/assets/{asset}")).await.ok()["model"], Value::Null, "all or nothing");
        }
        let stored = admin.get(&format!("/api/sync/plans/{id}")).await.ok();
        assert_eq!(stored["status"], "discarded");
        import(&api, "assets", "", table).await.status(200);
        assert_eq!(api.get("/api/assets/2").await.ok()["model"], "Optiplex");
    }

    async fn an_import_that_was_killed_goes_on_at_the_next_start(engine: Engine) {
        let mut app = world(&engine).await;
        let plan = import(&app.technician(), "assets", "?dry_run=true", "id,model\n1,Latitude\n").await.status(200).json();
        let id = plan["plan_id"].as_i64().unwrap();
        app.kill();
        app.database.execute(&format!("UPDATE sync_plans SET status = 'applying' WHERE id = {id}"));
        app.start().await;
        crate::support::eventually("the rest is applied", 20, async || {
            app.admin().get("/api/assets/1").await.ok()["model"] == "Latitude"
        })
        .await;
        crate::support::eventually("the plan is done", 20, async || {
            app.admin().get(&format!("/api/sync/plans/{id}")).await.ok()["status"] == "applied"
        })
        .await;
    }

    async fn what_takes_much_away_waits_for_an_administrator(engine: Engine) {
        let app = App::builder(&engine)
            .env("CODEX_COMPLIANCE_CLEARED_SERVICES", "nobody")
            .env("CODEX_SYNC_RETIRE_MINIMUM", "2")
            .start()
            .await;
        app.company("100001", "Acme").await;
        app.company("100002", "Bolt").await;
        for name in ["LT-1", "LT-2", "LT-3"] {
            app.asset(name, "100001").await;
        }
        let (api, admin) = (app.technician(), app.admin());
        let table = "id,company_account_number\n1,100002\n2,100002\n3,100002\n";
        let held = import(&api, "assets", "", table).await.status(200).json();
        assert_eq!(held["held_because"], "3 of 3 assets would lose or change their company (limit 2)");
        assert_eq!(api.get("/api/assets/1").await.ok()["company_id"], "100001", "nothing is written yet");
        let id = held["plan_id"].as_i64().unwrap();
        assert_eq!(admin.get(&format!("/api/sync/plans/{id}")).await.ok()["status"], "held");
        // Another import does not take its place.
        import(&api, "assets", "", "id,model\n1,Latitude\n").await.status(200);
        let refused = admin.post(&format!("/api/sync/plans/{id}/approve"), &json!({})).await.status(409);
        assert!(refused.error().contains("nothing was imported: 1 records have changed"), "{}", refused.error());
        // On the page: shown, sent, and decided by whoever may.
        let post = async |api: &Api, fields: &[(&str, &str)]| {
            api.send(Method::POST, "/import", |request| request.header("accept", "text/html").form(fields)).await
        };
        let shown = post(&api, &[("kind", "assets"), ("text", table)]).await.status(200).text();
        assert!(shown.contains("An administrator has to approve this"), "{shown}");
        let plan = shown.split("name=\"plan\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert_eq!(post(&api, &[("plan", &plan)]).await.status, 303);
        assert_eq!(api.get("/api/assets/2").await.ok()["company_id"], "100001");
        admin.post(&format!("/api/sync/plans/{plan}/approve"), &json!({})).await.status(200);
        assert_eq!(api.get("/api/assets/2").await.ok()["company_id"], "100002");
        let shown = post(&admin, &[("kind", "assets"), ("text", "id,company_account_number\n1,100001\n2,100001\n3,100001\n")]).await.text();
        let plan = shown.split("name=\"plan\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert_eq!(post(&api, &[("plan", &plan)]).await.status, 404, "it is somebody else's");
        assert_eq!(post(&admin, &[("plan", &plan)]).await.status, 303);
        assert_eq!(api.get("/api/assets/2").await.ok()["company_id"], "100001", "who may approve has seen it");
    }

    async fn what_a_person_imports_no_sync_writes_over(engine: Engine) {
        let app = world_of(&engine, "ledger").await;
        app.database.execute("INSERT INTO links (entity, entity_id, system, external_id, linked_at) VALUES ('asset', 1, 'datto', 'd-1', '2026-01-01T00:00:00Z')");
        let pinned = async || app.database.texts("SELECT field FROM pins WHERE entity = 'asset' AND entity_id = 1 ORDER BY field");
        let done = import(&app.technician(), "assets", "", "id,model\n1,Latitude\n").await.status(200).json();
        assert_eq!(pinned().await, ["model"], "as if they had entered it");
        let run = done["run_id"].as_i64().unwrap();
        let undone = app.admin().post(&format!("/api/sync/runs/{run}/undo"), &json!({})).await.status(200).json();
        assert_eq!(undone["refused"], 0, "{undone}");
        assert_eq!((pinned().await, app.technician().get("/api/assets/1").await.ok()["model"].clone()), (vec![], Value::Null));
        let service = app.service();
        import(&service, "assets", "", "id,model\n1,Latitude\n").await.status(200);
        assert_eq!(pinned().await, [] as [&str; 0], "a service says when it pins");
        import(&service, "assets", "?pin=true", "id,manufacturer\n1,Dell\n").await.status(200);
        assert_eq!(pinned().await, ["manufacturer"]);
        let file = app.folder().join("assets.csv");
        std::fs::write(&file, "id,description\n1,Spare\n").unwrap();
        app.cli().run_beside(&["import", "csv", file.to_str().unwrap(), "--as", "assets", "--yes"]).await.code(0);
        assert!(pinned().await.len() == 2, "whoever runs a command is a person");
    }

    async fn doubles_far_apart_are_found_and_many_rows_are_no_matter(engine: Engine) {
        let app = world(&engine).await;
        let mut table = "hostname,serial_number,company_account_number\n".to_owned();
        (0..230).for_each(|row| table.push_str(&format!("PC-{row},N{row},100001\n")));
        let twice = format!("{table}PC-7,N999,100001\nPC-7,,100002\nPC-8,n8,100002\n");
        let plan = import(&app.technician(), "assets", "?dry_run=true", twice).await.status(200).json();
        assert_eq!(counts(&plan)[..3], [231, 0, 0], "{:?}", counts(&plan));
        let refused: Vec<&Value> = plan["rows"].as_array().unwrap().iter().filter(|row| row["outcome"] == "refused").collect();
        assert_eq!(refused.len(), 2, "{refused:?}");
        assert_eq!((&refused[0]["line"], &refused[0]["reason"]), (&json!(232), &json!("is the same record as line 9")));
        assert_eq!((&refused[1]["line"], &refused[1]["reason"]), (&json!(234), &json!("is the same record as line 10")));
        assert_eq!(plan["plan_id"], Value::Null, "what cannot be done is no plan");
        let done = import(&app.technician(), "assets", "", table).await.status(200).json();
        assert_eq!(counts(&done), [230, 0, 0, 0]);
        assert!(done["rows"].as_array().unwrap().iter().all(|row| row["id"].is_i64()));
        // Companies may stand below one that the same table makes.
        let firms: String = "account_number,name,parent_id\n".to_owned()
            + &(0..60).map(|row| format!("{},Firm {row},{}\n", 200_000 + row, if row == 0 { String::new() } else { "200000".to_owned() })).collect::<String>();
        let done = import(&app.technician(), "companies", "", firms).await.status(200).json();
        assert_eq!(counts(&done), [60, 0, 0, 0]);
    }

    async fn companies_that_stand_below_one_another_are_rehearsed_in_parts(engine: Engine) {
        let app = world(&engine).await;
        let tess = app.technician();
        let head = "account_number,name,parent_id\n";
        // A chain through every part, and somebody far down who is below the first.
        let parent = |row: usize| match row {
            0 => String::new(),
            row if row % 90 == 0 => (300_000 + row - 90).to_string(),
            row => (300_000 + row - row % 90).to_string(),
        };
        let firms: String = head.to_owned() + &(0..150).map(|row| format!("{},Firm {row},{}\n", 300_000 + row, parent(row))).collect::<String>();
        let done = import(&tess, "companies", "", firms.clone()).await.status(200).json();
        assert_eq!(counts(&done), [150, 0, 0, 0]);
        let last = tess.get("/api/companies/300149").await.ok();
        let above = tess.get("/api/companies/300090").await.ok();
        assert_eq!((&last["parent_id"], &above["name"]), (&above["id"], &json!("Firm 90")), "{last}");
        let again = import(&tess, "companies", "?dry_run=true", firms.clone()).await.status(200).json();
        assert_eq!(counts(&again), [0, 0, 150, 0]);
        // What an earlier part has moved is known to a later one: nothing ends up below itself.
        let round: String = head.to_owned()
            + "300001,Firm 1,300149\n"
            + &(100..149).map(|row| format!("{},Firm {row},{}\n", 300_000 + row, parent(row))).collect::<String>()
            + "300149,Firm 149,300001\n";
        let plan = import(&tess, "companies", "?dry_run=true", round).await.status(200).json();
        let refused: Vec<&Value> = plan["rows"].as_array().unwrap().iter().filter(|row| row["outcome"] == "refused").collect();
        assert_eq!((refused.len(), &refused[0]["line"]), (1, &json!(52)), "{refused:?}");
        assert!(refused[0]["reason"].as_str().unwrap().contains("own parent"), "{refused:?}");
        // A number is one company's, by whatever companies are known here.
        let twice: String = head.to_owned()
            + "400000,First,\n"
            + &(0..60).map(|row| format!("{},Other {row},\n", 500_000 + row)).collect::<String>()
            + "400000,Second,\n";
        let plan = import(&tess, "companies", "?dry_run=true&key=name", twice).await.status(200).json();
        let refused: Vec<&Value> = plan["rows"].as_array().unwrap().iter().filter(|row| row["outcome"] == "refused").collect();
        assert_eq!((refused.len(), &refused[0]["reason"]), (1, &json!("is the same record as line 2")), "{refused:?}");
    }

    async fn others_write_while_a_long_table_is_rehearsed(engine: Engine) {
        let app = world(&engine).await;
        let firms: String = "account_number,name,parent_id\n".to_owned()
            + &(0..200).map(|row| format!("{},Firm {row},{}\n", 600_000 + row, if row == 0 { "" } else { "600000" })).collect::<String>();
        let tess = app.technician();
        let long = tokio::spawn(async move { import(&tess, "companies", "?dry_run=true", firms).await });
        let (admin, mut writes) = (app.admin(), 0);
        while !long.is_finished() {
            admin.put("/api/companies/100001", &json!({"description": format!("Text {writes}")})).await.status(200);
            writes += 1;
        }
        assert_eq!(counts(&long.await.unwrap().status(200).json()), [200, 0, 0, 0]);
        // Before it, after it, and at least one in between.
        assert!(writes >= 3, "{writes} writes");
    }
}
