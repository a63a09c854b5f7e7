//! Moving in from the service before Codex: every row of each of its generations, on both engines, and once only.

use std::process::Stdio;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::former::{self, Generation, PLAIN};
use crate::support::{App, Engine, both};

async fn import(app: &App, address: &str, more: &[&str]) -> Value {
    let words = [&["import", "legacy", address, "--json"], more].concat();
    app.cli().run_beside(&words).await.success().json()
}

/// New, same, changed and refused of a table.
fn counts(report: &Value, table: &str) -> [i64; 4] {
    let tables = report["tables"].as_array().unwrap();
    let found = tables.iter().find(|counted| counted["table"] == table).unwrap_or_else(|| panic!("no {table} in {report}"));
    ["new", "same", "changed", "refused"].map(|name| found[name].as_i64().unwrap())
}

fn sum(report: &Value, name: &str) -> i64 {
    report["tables"].as_array().unwrap().iter().map(|table| table[name].as_i64().unwrap()).sum()
}

/// Whether a loss of this place says this.
fn lost(report: &Value, table: &str, column: Value, why: &str) -> bool {
    let losses = report["losses"].as_array().unwrap();
    losses.iter().any(|loss| loss["table"] == table && loss["column"] == column && loss["why"].as_str().unwrap().contains(why))
}

both! {
    async fn every_row_of_every_generation_is_here_afterwards(engine: Engine) {
        for generation in former::ALL {
            let app = App::start_on(&engine).await;
            let old = former::database(&engine, app.folder(), generation);
            let report = import(&app, &former::address(&old), &["--yes"]).await;
            assert_eq!(report["dry_run"], false);
            is_here(&app, generation, &report).await;

            let head = app.database.number("SELECT version FROM head");
            let again = import(&app, &former::address(&old), &["--yes"]).await;
            assert_eq!((sum(&again, "new"), sum(&again, "changed")), (0, 0), "{generation:?}: {again}");
            assert_eq!(app.database.number("SELECT version FROM head"), head, "{generation:?}: the second time nothing changes");
            let made = app.asset("NEW-1", "100001").await;
            assert!(made["id"].as_i64().unwrap() >= 100 + PLAIN, "ids go on beyond those that were kept: {made}");
            let made = app.contact("New One", "new@example.com", &["100001"]).await;
            assert!(made["id"].as_i64().unwrap() > 8, "{made}");
        }
    }

    async fn a_rehearsal_writes_nothing(engine: Engine) {
        let app = App::start_on(&engine).await;
        let old = former::database(&engine, app.folder(), Generation::Later);
        let address = former::address(&old);
        let head = app.database.number("SELECT version FROM head");
        let plan = import(&app, &address, &["--dry-run"]).await;
        assert_eq!(plan["dry_run"], true);
        assert_eq!(counts(&plan, "assets"), [PLAIN + 3, 0, 0, 1], "{plan}");
        assert_eq!(app.database.number("SELECT version FROM head"), head);
        assert_eq!(app.admin().get("/api/companies").await.ok(), json!([]));
        assert!(!app.instance().join("credentials.key").exists(), "nothing was sealed, so no key was made");
        let unasked = app.cli().run_beside(&["import", "legacy", &address]).await.code(2);
        assert!(unasked.stderr.contains("--yes") && unasked.stdout.contains("contact_company_link"), "{unasked:?}");
        assert_eq!(app.admin().get("/api/companies").await.ok(), json!([]));
        let done = import(&app, &address, &["--yes"]).await;
        assert_eq!(done["tables"], plan["tables"], "what was shown is what was done");
    }

    async fn what_is_something_else_or_was_changed_here_stays(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100009", "Ours").await;
        app.company("100001", "Not Acme").await;
        app.contact("Somebody Else", "else@example.com", &["100009"]).await;
        for number in 1..=7 {
            app.asset(&format!("OUR-{number}"), "100009").await;
        }
        let old = former::database(&engine, app.folder(), Generation::First);
        let report = import(&app, &former::address(&old), &["--yes"]).await;
        let api = app.admin();
        assert_eq!(api.get("/api/companies/100001").await.ok()["name"], "Not Acme");
        assert_eq!(api.get("/api/assets/7").await.ok()["hostname"], "OUR-7");
        assert!(lost(&report, "companies", Value::Null, "taken by another company here: Not Acme"), "{report}");
        assert!(lost(&report, "assets", Value::Null, "taken by another asset here: OUR-7"), "{report}");
        assert!(lost(&report, "locations", Value::Null, "there is no company 100001 here"), "{report}");
        // Somebody works with what was imported; the old service goes on for a while too.
        api.put("/api/assets/101", &json!({"description": "Ours now"})).await.status(200);
        old.execute("UPDATE assets SET description = 'Theirs' WHERE id IN (101, 103)");
        let again = import(&app, &former::address(&old), &["--yes"]).await;
        assert_eq!((sum(&again, "new"), sum(&again, "changed")), (0, 1), "{again}");
        assert_eq!(api.get("/api/assets/101").await.ok()["description"], "Ours now");
        assert_eq!(api.get("/api/assets/103").await.ok()["description"], "Theirs");
        assert!(lost(&again, "assets", Value::Null, "was changed here since"), "{again}");
    }

    async fn what_a_person_changed_stays_whatever_is_imported_beside_it(engine: Engine) {
        let app = App::start_on(&engine).await;
        let old = former::database(&engine, app.folder(), Generation::Later);
        old.execute(&format!("UPDATE companies SET name = '{}' WHERE account_number = 'A/B 1'", "n".repeat(200)));
        let report = import(&app, &former::address(&old), &["--yes"]).await;
        let api = app.admin();
        assert_eq!(api.get("/api/companies/A%2FB%201").await.ok()["name"], "n".repeat(150));
        assert!(lost(&report, "companies", json!("name"), "was cut after 150"), "{report}");
        api.put("/api/contacts/5", &json!({"title": "Partner"})).await.status(200);
        let file = app.folder().join("assets.csv");
        std::fs::write(&file, "hostname,company_account_number,description\nPC-101,100002,Typed\n").unwrap();
        app.cli().run_beside(&["import", "csv", file.to_str().unwrap(), "--as", "assets", "--yes"]).await.code(0);
        assert_eq!(api.get("/api/assets/101").await.ok()["description"], "Typed");
        old.execute(
            "UPDATE contacts SET title = 'Clerk' WHERE id = 5; INSERT INTO contact_company_link VALUES (5, 'A/B 1');
             UPDATE assets SET description = 'Theirs' WHERE id = 101",
        );
        // Somebody takes a contact out of a company and a device from its user: neither comes back.
        api.put("/api/contacts/3", &json!({"company_account_numbers": []})).await.status(200);
        api.put("/api/assets/7", &json!({"contact_ids": [3]})).await.status(200);
        // What is added to a contact by the one run is no reason for the next one to write over it.
        for (new, refused) in [(1, [0, 2, 0, 1]), (0, [0, 2, 0, 1])] {
            let report = import(&app, &former::address(&old), &["--yes"]).await;
            assert_eq!((sum(&report, "new"), counts(&report, "contacts")), (new, refused), "{report}");
            let partner = api.get("/api/contacts/5").await.ok();
            assert_eq!((&partner["title"], &partner["company_account_numbers"]), (&json!("Partner"), &json!(["100002", "A/B 1"])), "{partner}");
            assert_eq!(api.get("/api/assets/101").await.ok()["description"], "Typed", "an import of a table is somebody's, too");
            assert_eq!(api.get("/api/contacts/3").await.ok()["company_account_numbers"], json!([]));
            let laptop = api.get("/api/assets/7").await.ok();
            assert_eq!((laptop["contacts"].as_array().map(Vec::len), &laptop["contacts"][0]["id"]), (Some(1), &json!(3)), "{laptop}");
            for table in ["contact_company_link", "asset_contact_link"] {
                assert!(lost(&report, table, Value::Null, "was taken away here since"), "{table}: {report}");
            }
        }
    }

    async fn killed_in_the_middle_it_is_old_or_new(engine: Engine) {
        let app = App::builder(&engine).prepare();
        let old = former::database(&engine, app.folder(), Generation::First);
        old.execute("DELETE FROM assets WHERE id > 100");
        for from in (1000..5000).step_by(500) {
            let rows: Vec<String> = (from..from + 500).map(|id| format!("({id}, 'PC-{id}', '100001', 'x')")).collect();
            old.execute(&format!("INSERT INTO assets (id, hostname, company_account_number, description) VALUES {}", rows.join(", ")));
        }
        let address = former::address(&old);
        let (mut before, mut after) = (0, 0);
        for tried in 1..=12_u64 {
            let mut command = app.cli().command(&["import", "legacy", &address, "--yes"]);
            let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(25 * tried * tried));
            let _it_may_have_ended = child.kill();
            child.wait().unwrap();
            match app.database.number("SELECT count(*) FROM assets") {
                0 => {
                    before += 1;
                    assert_eq!(app.database.number("SELECT count(*) FROM companies"), 0);
                }
                4004 => after += 1,
                other => panic!("{other} assets after {tried} tries"),
            }
        }
        let done = app.cli().run_beside(&["import", "legacy", &address, "--yes", "--json"]).await.success().json();
        assert_eq!(counts(&done, "assets").iter().sum::<i64>(), 4004, "{done} after {before} and {after}");
        assert_eq!(app.database.number("SELECT count(*) FROM assets"), 4004);
        let left = std::fs::read_dir(app.instance()).unwrap().flatten().any(|file| file.file_name().to_string_lossy().starts_with(".import"));
        assert!(!left, "no copy of the other database is left behind");
    }

    async fn the_other_database_is_found_and_never_written(engine: Engine) {
        let app = App::start_on(&engine).await;
        let old = former::database(&engine, app.folder(), Generation::First);
        let folder = app.folder().join("service");
        std::fs::create_dir_all(&folder).unwrap();
        let conf = folder.join("codex.conf");
        let named = match old.url() {
            Some(url) => url.replace("postgresql://", "postgresql+psycopg2://").replace("postgres://", "postgresql+psycopg2://"),
            None => format!("sqlite:///{}", old.file().unwrap().display()),
        };
        std::fs::write(&conf, format!("[database]\nconnection_string = {named}\n[freshservice]\napi_key = canary\ndomain = acme\n")).unwrap();
        let before = old.file().map(|file| (std::fs::read(file).unwrap(), std::fs::read_dir(file.parent().unwrap()).unwrap().count()));
        let done = app.cli().run_beside(&["import", "legacy", conf.to_str().unwrap(), "--yes"]).await.success();
        assert!(done.stderr.contains("first Python service") && done.stderr.contains("[freshservice]"), "{}", done.stderr);
        assert!(!done.stderr.contains("canary") && !done.stdout.contains("canary"), "no secret is shown");
        let after = old.file().map(|file| (std::fs::read(file).unwrap(), std::fs::read_dir(file.parent().unwrap()).unwrap().count()));
        assert!(before == after, "the source is as it was, and nothing lies beside it");
        assert_eq!(app.admin().get("/api/assets/7").await.ok()["hostname"], "LT-7");
        // Beside its settings, under its usual name.
        if let Some(file) = old.file() {
            std::fs::copy(file, folder.join("codex.db")).unwrap();
            std::fs::write(&conf, "[freshservice]\ndomain = acme\n").unwrap();
            let again = import(&app, conf.to_str().unwrap(), &["--dry-run"]).await;
            assert_eq!(sum(&again, "new"), 0, "{again}");
        }
        let ours = app.database.url().unwrap_or_else(|| app.database.file().unwrap().to_str().unwrap().to_owned());
        for (wrong, says) in [(ours.as_str(), "is the database of this instance"), ("nowhere.db", "is no file"), ("mysql://h/d", "is not a database Codex knows")] {
            let refused = app.cli().run_beside(&["import", "legacy", wrong, "--yes"]).await.code(2);
            assert!(refused.stderr.contains(says), "{wrong}: {}", refused.stderr);
        }
        let other = App::builder(&engine).prepare();
        let another = other.database.url().unwrap_or_else(|| other.database.file().unwrap().to_str().unwrap().to_owned());
        let refused = app.cli().run_beside(&["import", "legacy", &another, "--yes"]).await.code(2);
        assert!(refused.stderr.contains("database of Codex itself"), "{}", refused.stderr);
    }
}

async fn is_here(app: &App, generation: Generation, report: &Value) {
    let api = app.admin();
    let has_contract = generation != Generation::Oldest;
    let acme = api.get("/api/companies/100001").await.ok();
    assert_eq!(
        (&acme["name"], &acme["billing_plan"], &acme["freshservice_id"]),
        (&json!("Acme"), &json!("Gold"), &json!(11)),
        "{acme}"
    );
    assert_eq!(
        (&acme["domains"], &acme["company_start_date"]),
        (&json!("[\"acme.com\",\"acme.org\"]"), &json!("2019-05-01")),
        "{acme}"
    );
    let bolt = api.get("/api/companies/100002").await.ok();
    assert_eq!((&bolt["name"], &bolt["domains"]), (&json!("Bolt"), &json!("[\"bolt.com\",\"bolt.org\"]")), "{bolt}");
    assert_eq!(api.get("/api/companies/A%2FB%201").await.ok()["name"], "Slash & Co");
    assert!(lost(report, "companies", json!("domains"), "is no list"), "{report}");
    if has_contract {
        assert_eq!(
            (&acme["contract_term_length"], &acme["contract_start_date"], &acme["contract_end_date"]),
            (&json!("1-Year"), &json!("2024-01-15"), &json!("2025-01-14"))
        );
        assert_eq!(
            (&acme["head_user_id"], &acme["created_at"]),
            (&json!(21_000_000_001_i64), &json!("2020-01-01T08:00:00Z")),
            "{acme}"
        );
        assert_eq!(
            (&bolt["contract_start_date"], &bolt["contract_end_date"]),
            (&json!("2024-01-15"), &json!("2027-01-14")),
            "{bolt}"
        );
        assert!(lost(report, "companies", json!("billing_plan"), "says something else than plan_selected"), "{report}");
    } else {
        assert_eq!(acme["primary_contact_name"], "Ava Patel");
        assert!(lost(report, "users", Value::Null, "people sign in anew"), "{report}");
    }
    assert_eq!(bolt["compliance_level"], if generation == Generation::Later { "hipaa" } else { "standard" });

    let ava = api.get("/api/contacts/3").await.ok();
    assert_eq!(
        (&ava["name"], &ava["email"], &ava["title"], &ava["active"]),
        (&json!("Ava Patel"), &json!("ava@example.com"), &json!("Director"), &json!(true)),
        "{ava}"
    );
    assert_eq!((&ava["company_account_numbers"], &ava["asset_ids"]), (&json!(["100001"]), &json!([7])), "{ava}");
    assert_eq!(ava["freshservice_id"], if has_contract { json!(20003) } else { Value::Null });
    let junior = api.get("/api/contacts/5").await.ok();
    assert_eq!(
        (&junior["email"], &junior["employment_type"], &junior["active"]),
        (&json!("AVA@example.com"), &json!("Full Time"), &json!(true)),
        "{junior}"
    );
    let nobody = api.get("/api/contacts/8").await.ok();
    assert_eq!(
        (&nobody["name"], &nobody["email"], &nobody["active"]),
        (&json!("Contact 8"), &json!(""), &json!(false)),
        "{nobody}"
    );
    assert!(lost(report, "contact_company_link", Value::Null, "there is no contact 77"), "{report}");

    let laptop = api.get("/api/assets/7").await.ok();
    assert_eq!(
        (&laptop["hostname"], &laptop["type"], &laptop["company_id"]),
        (&json!("LT-7"), &json!("laptop"), &json!("100001")),
        "{laptop}"
    );
    assert_eq!(
        (&laptop["last_seen"], &laptop["online"], &laptop["backup_data_bytes"]),
        (&json!("2025-10-01T12:00:00Z"), &json!(true), &json!(1_374_389_534_720_i64)),
        "{laptop}"
    );
    assert_eq!(laptop["contacts"].as_array().unwrap().len(), 2, "{laptop}");
    if has_contract {
        assert_eq!((&laptop["udf1"], &laptop["udf2"]), (&json!("tenant"), &Value::Null), "{laptop}");
        let kept = app.database.texts("SELECT bitlocker_key FROM assets WHERE id = 7");
        assert!(!kept[0].contains("canary") && !kept[0].is_empty(), "sealed");
        assert!(
            app.database.texts("SELECT fields FROM changes").iter().all(|fields| !fields.contains("canary")),
            "in no history"
        );
    }
    let server = api.get("/api/assets/9").await.ok();
    assert_eq!(
        (&server["company_id"], &server["last_seen"], &server["portal_url"]),
        (&Value::Null, &Value::Null, &Value::Null),
        "{server}"
    );
    assert!(lost(report, "assets", json!("company_account_number"), "no such company"), "{report}");
    assert_eq!(api.get("/api/assets/11").await.ok()["hostname"].as_str().unwrap().len(), 150);
    assert!(lost(report, "assets", json!("hostname"), "was cut after 150"), "{report}");
    assert!(lost(report, "assets", Value::Null, "32 bits"), "{report}");
    let all = api.get("/api/assets").await.ok();
    for id in 100..100 + PLAIN {
        let asset = all.as_array().unwrap().iter().find(|asset| asset["id"] == id).unwrap_or_else(|| panic!("no asset {id}"));
        let company = if id % 2 == 0 { "100001" } else { "100002" };
        let told = [&asset["hostname"], &asset["company_id"], &asset["operating_system"], &asset["domain"], &asset["last_seen"]];
        assert_eq!(
            told,
            [
                &json!(format!("PC-{id}")),
                &json!(company),
                &json!(format!("System {id}")),
                &json!(format!("d{id}.example")),
                &json!("2025-10-01T12:00:00Z")
            ]
        );
    }
    let change = api.get("/api/history/asset/100").await.ok()["changes"][0].clone();
    assert_eq!((&change["actor_kind"], &change["actor"]), (&json!("import"), &json!("import legacy")), "{change}");

    let places = api.get("/api/companies/100001/locations").await.ok();
    assert_eq!(
        (&places[0]["id"], &places[0]["name"], &places[0]["address"]),
        (&json!(4), &json!("Head office"), &json!("1 Main St")),
        "{places}"
    );
    assert_eq!(counts(report, "company_feature_overrides"), [1, 0, 0, 2], "{report}");
    assert_eq!(app.database.texts("SELECT value FROM feature_overrides"), ["SentinelOne"]);
    assert_eq!(app.database.texts("SELECT external_id FROM links WHERE system = 'datto'"), ["uid-1"]);
    if has_contract {
        plans_and_tickets(app, generation, report).await;
    }
}

async fn plans_and_tickets(app: &App, generation: Generation, report: &Value) {
    let api = app.admin();
    let gold = api.get("/api/billing-plans/2").await.ok();
    assert_eq!(
        (&gold["plan_name"], &gold["term_length"], &gold["support_level"]),
        (&json!("Gold"), &json!("1-Year"), &json!("All Inclusive")),
        "{gold}"
    );
    assert_eq!(
        (&gold["per_user_cost"], &gold["per_workstation_cost"], &gold["per_server_cost"]),
        (&json!(19.99), &json!(150.0), &json!(0.0)),
        "{gold}"
    );
    assert_eq!((&gold["antivirus"], &gold["soc"]), (&json!("SentinelOne"), &json!("Arctic")), "{gold}");
    let silver = api.get("/api/billing-plans/6").await.ok();
    assert_eq!((&silver["backup_included_tb"], &silver["per_user_cost"]), (&json!(2.0), &json!(0.0)), "{silver}");
    assert_eq!(counts(report, "billing_plans"), [2, 0, 0, 1], "{report}");
    assert!(lost(report, "billing_plans", Value::Null, "plan 2 has the same name and term"), "{report}");
    assert_eq!(counts(report, "plan_features"), [2, 0, 0, 1], "{report}");
    assert_eq!(counts(report, "feature_options"), [1, 0, 0, 1], "{report}");

    let printer = api.get("/api/ticket/5001").await.ok();
    assert_eq!(
        (&printer["subject"], &printer["status"], &printer["priority"]),
        (&json!("Printer"), &json!("closed"), &json!("medium")),
        "{printer}"
    );
    assert_eq!(
        (&printer["created_at"], &printer["last_updated_at"], &printer["total_hours_spent"]),
        (&json!("2025-03-01T08:00:00Z"), &json!("2025-03-02T09:00:00Z"), &json!(1.5)),
        "{printer}"
    );
    assert_eq!(printer["conversations"][0]["body"], "Off and on?", "{printer}");
    let notes: Vec<&str> = printer["notes"].as_array().unwrap().iter().map(|note| note["text"].as_str().unwrap()).collect();
    assert_eq!(notes, ["Toner", "Asked twice"], "{printer}");
    assert_eq!(printer["description_text"], "It smokes", "{printer}");
    let other = api.get("/api/ticket/5002").await.ok();
    assert_eq!((&other["last_updated_at"], &other["status"]), (&json!("2025-04-01T00:00:00Z"), &json!("unknown")), "{other}");
    assert!(lost(report, "ticket_details", json!("conversations"), "no JSON array"), "{report}");
    assert!(lost(report, "ticket_details", json!("priority"), "is no priority"), "{report}");

    assert_eq!(
        app.database.texts("SELECT theme_preference FROM agents WHERE keycloak_id IN ('kc-1', 'kc-2') ORDER BY keycloak_id"),
        ["dark", "light"]
    );
    assert_eq!(app.database.texts("SELECT home_page_preference FROM agents WHERE keycloak_id = 'kc-1'"), ["ledger"]);
    assert!(lost(report, "agents", json!("theme_preference"), "is no choice"), "{report}");
    assert!(lost(report, "sync_jobs", Value::Null, "log of former syncs"), "{report}");
    if generation == Generation::Later {
        let agents = api.send(Method::GET, "/api/psa/agents", |request| request).await.ok();
        assert!(agents.to_string().contains("Tess"), "{agents}");
        assert_eq!(app.database.number("SELECT id FROM psa_agents"), 12);
        assert_eq!(app.database.texts("SELECT description FROM feature_categories WHERE id = 2"), ["Web filtering\nDNS"]);
        assert!(lost(report, "rmm_site_links", Value::Null, "superops is no vendor"), "{report}");
    }
}

/// Without PostgreSQL an address of one is refused in words.
#[cfg(not(feature = "postgres"))]
#[test]
fn a_build_without_postgresql_says_so() {
    let app = App::builder(&Engine::Sqlite).prepare();
    let refused = app.cli().run(&["import", "legacy", "postgresql://h/d", "--yes"]).code(2);
    assert!(refused.stderr.contains("this build of Codex has no PostgreSQL"), "{}", refused.stderr);
}
