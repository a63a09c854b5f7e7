//! Months of the true-up: what is counted and charged, as it was when the month ended, and who may read why.

use codex::billing::month::Month;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, App, Engine, Reply, both};

const AGO: &str = "2020-01-01T00:00:00Z";

/// Everything that has been made so far was so long before.
fn long_ago(app: &App) {
    app.database.execute(&format!(
        "UPDATE changes SET at = '{AGO}'; UPDATE companies SET created_at = '{AGO}'; UPDATE contacts SET created_at = '{AGO}';
         UPDATE assets SET created_at = '{AGO}'; UPDATE network_equipment SET created_at = '{AGO}';
         UPDATE billing_plans SET created_at = '{AGO}';"
    ));
}

fn last_month() -> String {
    Month::current().previous().as_str().to_owned()
}

async fn plan(app: &App, name: &str, more: Value) -> Value {
    let mut body = json!({"plan_name": name, "term_length": "1-Year"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.admin().post("/api/billing-plans", &body).await.status(201).json()
}

async fn client(app: &App, number: &str, name: &str, more: Value) {
    let mut body = json!({"account_number": number, "name": name, "billing_plan": "Gold", "contract_term_length": "1-Year"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.admin().post("/api/companies", &body).await.status(201);
}

async fn device(app: &App, hostname: &str, account: &str, kind: &str) -> i64 {
    let body = json!({"hostname": hostname, "company_account_number": account, "type": kind, "last_logged_in_user": "CORP\\x"});
    app.admin().post("/api/assets", &body).await.status(201).json()["id"].as_i64().unwrap()
}

fn ticket(app: &App, number: i64, status: &str, minutes: i64, is_read: bool, at: &str) {
    app.database.execute(&format!(
        "INSERT INTO tickets (external_source, external_id, company_id, ticket_number, status, last_updated_at, minutes_spent, time_known, created_at, updated_at, subject_folded, requester_folded, search_text)
         VALUES ('freshservice', {number}, 1, '{number}', '{status}', '{at}', {minutes}, {is_read}, 'x', 'x', '', '', '')"
    ));
}

/// What a sync would have said of a ticket before: its change since.
fn ticket_was(app: &App, id: i64, minutes: i64, at: &str) {
    let seq = app.database.number("SELECT max(seq) + 1000 FROM changes");
    let now = codex::types::now();
    let fields = json!({"minutes_spent": [minutes, 90], "last_updated_at": [at, now]});
    app.database.execute(&format!(
        "INSERT INTO changes (seq, at, actor_kind, actor, entity, entity_id, action, fields)
         VALUES ({seq}, '{now}', 'sync', 'freshservice', 'ticket', {id}, 'update', '{fields}')"
    ));
}

fn line(told: &Value, key: &str) -> Value {
    told["lines"].as_array().unwrap().iter().find(|line| line["key"] == key).unwrap().clone()
}

fn whys(told: &Value, key: &str) -> Vec<String> {
    let receipts = line(told, key)["receipts"]["left_out"].clone();
    receipts
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{}: {}", one["name"].as_str().unwrap(), one["why"].as_str().unwrap()))
        .collect()
}

async fn page(api: &Api, path: &str) -> String {
    api.get_with(path, "accept", "text/html").await.status(200).text()
}

async fn form(api: &Api, path: &str, fields: &[(&str, &str)]) -> Reply {
    api.send(Method::POST, path, |request| request.header("accept", "text/html").form(fields)).await
}

async fn matching(api: &Api, method: Method, path: &str, tag: &str, body: Value) -> Reply {
    api.send(method, path, |request| request.header("if-match", tag).json(&body)).await
}

both! {
    async fn hours_are_charged_where_support_is_billed_hourly(engine: Engine) {
        let app = App::start_on(&engine).await;
        plan(&app, "Gold", json!({"per_hour_ticket_cost": 90, "support_level": "All Inclusive"})).await;
        client(&app, "1", "Acme", json!({})).await;
        let month = Month::current();
        ticket(&app, 1, "closed", 90, true, &format!("{}-02T10:00:00Z", month.as_str()));
        let told = app.billing().get("/api/billing/trueup?company=1").await.ok();
        let hours = line(&told, "ticket_hours");
        assert_eq!((&hours["counted"], &hours["unit_cost"], &hours["amount"], &told["total"]), (&json!(1.5), &json!(90.0), &json!(0.0), &json!(0.0)));
        assert_eq!(hours["note"], "not charged: the support level is All Inclusive");
        // What is agreed with the company goes before its plan.
        app.admin().put("/api/companies/1", &json!({"support_level": "Billed hourly"})).await.status(200);
        let told = app.billing().get("/api/billing/trueup?company=1").await.ok();
        assert_eq!((&line(&told, "ticket_hours")["amount"], &line(&told, "ticket_hours")["note"]), (&json!(135.0), &json!(null)));
    }

    async fn the_default_is_for_closed_tickets_whose_time_sheet_was_read(engine: Engine) {
        let app = App::start_on(&engine).await;
        client(&app, "1", "Acme", json!({})).await;
        app.admin().put("/api/billing/settings/1", &json!({"default_ticket_hours": 0.25})).await.status(200);
        let at = format!("{}-02T10:00:00Z", Month::current().as_str());
        for (number, status, is_read) in [(1, "closed", true), (2, "closed", false), (3, "open", true)] {
            ticket(&app, number, status, 0, is_read, &at);
        }
        let told = app.billing().get("/api/billing/trueup?company=1").await.ok();
        assert_eq!(line(&told, "ticket_hours")["counted"], 0.25);
        assert_eq!(whys(&told, "ticket_hours"), ["Ticket 2: its time sheet has not been read yet", "Ticket 3: no time"]);
        assert_eq!(told["unknown"], json!(["The time sheet of one ticket has not been read yet."]));
    }

    async fn why_something_is_left_out_is_told_to_those_who_may_read_it(engine: Engine) {
        let app = App::start_on(&engine).await;
        client(&app, "1", "Clinic", json!({"compliance_level": "hipaa"})).await;
        let id = device(&app, "LT-1", "1", "laptop").await;
        let out = json!({"company": "1", "entity": "asset", "entity_id": id, "reason": "On loan to Quetzal"});
        app.admin().post("/api/billing/exclusions", &out).await.status(201);
        let token = app.cli().run(&["token", "create", "--service", "brainhair"]).success().stdout;
        let brainhair = app.with_token(token.trim());
        for (caller, name) in [(app.billing(), "billing"), (brainhair.clone(), "a service")] {
            for path in ["/api/billing/trueup?company=1", "/api/billing/exclusions?company=1", "/api/billing/exclusions/1"] {
                let told = caller.get(path).await.status(200).text();
                assert!(!told.contains("Quetzal") && told.contains("Hidden: HIPAA client"), "{name}: {told}");
            }
        }
        let again = json!({"company": "1", "entity": "asset", "entity_id": id, "reason": "On loan to Quetzal"});
        assert!(!brainhair.post("/api/billing/exclusions", &again).await.status(200).text().contains("Quetzal"));
        let seen = page(&app.billing(), "/billing/trueup?company=1").await;
        assert!(!seen.contains("Quetzal") && seen.contains("excluded by hand"), "{seen}");
        for path in ["/api/billing/trueup?company=1", "/api/billing/exclusions?company=1"] {
            assert!(app.technician().get(path).await.text().contains("Quetzal"));
            assert!(!app.technician().get(&format!("{path}&filter=phi")).await.text().contains("Quetzal"));
        }
        brainhair.put("/api/billing/exclusions/1", &json!({"reason": "x"})).await.status(403);
    }

    async fn a_list_of_true_ups_names_nobody_and_notes_no_reading(engine: Engine) {
        let app = App::start_on(&engine).await;
        client(&app, "1", "Clinic", json!({"compliance_level": "hipaa"})).await;
        app.contact("Ada Moss", "ada@clinic.example", &["1"]).await;
        let noted = async || app.admin().get("/api/disclosures?route__ic=trueup&limit=500").await.ok().as_array().unwrap().len();
        assert!(!app.technician().get("/api/billing/trueup").await.text().contains("Moss"));
        page(&app.technician(), "/billing/trueup").await;
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        assert_eq!(noted().await, 0);
        assert!(app.technician().get("/api/billing/trueup?company=1").await.text().contains("Ada Moss"));
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        assert_eq!(noted().await, 1);
    }

    async fn what_has_changed_since_is_not_overwritten(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        let id = plan(&app, "Gold", json!({"per_user_cost": 10})).await["id"].clone();
        client(&app, "1", "Acme", json!({})).await;
        let html = page(&api, "/billing-plans/edit?plan=Gold").await;
        assert!(html.contains(&format!("name=\"rev_{id}\" value=\"1\"")), "{html}");
        api.put(&format!("/api/billing-plans/{id}"), &json!({"per_user_cost": 12})).await.status(200);
        let (ids, rev, cost) = (id.to_string(), format!("rev_{id}"), format!("per_user_cost_{id}"));
        let stale = form(&api, "/billing-plans/save", &[("plan_name", "Gold"), ("plan_ids[]", &ids), (&rev, "1"), (&cost, "10")]).await.status(409).text();
        assert!(stale.contains("Somebody else has changed this record") && stale.contains(&format!("name=\"rev_{id}\" value=\"1\"")), "{stale}");
        assert_eq!(api.get(&format!("/api/billing-plans/{id}")).await.ok()["per_user_cost"], 12.0);
        form(&api, "/billing-plans/save", &[("plan_name", "Gold"), ("plan_ids[]", &ids), (&rev, "2"), (&cost, "14")]).await.status(303);
        // Settings, of which nothing is stored at first.
        let before = api.get("/api/billing/settings/1").await.header("etag").to_owned();
        let saved = matching(&api, Method::PUT, "/api/billing/settings/1", &before, json!({"vms_as_servers": true})).await.status(200);
        matching(&api, Method::PUT, "/api/billing/settings/1", &before, json!({"vms_as_servers": false})).await.status(412);
        matching(&api, Method::PATCH, "/api/billing/settings/1", saved.header("etag"), json!({"count_contacts": "all"})).await.status(200);
        let html = page(&api, "/billing/trueup?company=1").await;
        assert!(html.contains("name=\"rev\" value=\"2\""), "{html}");
        let fields = [("company", "1"), ("month", ""), ("rev", "1"), ("count_contacts", "active")];
        form(&api, "/billing/trueup/settings", &fields).await.status(409);
        assert_eq!(api.get("/api/billing/settings/1").await.ok()["count_contacts"], "all");
        // Exclusions.
        let device = device(&app, "LT-1", "1", "laptop").await;
        let out = json!({"company": "1", "entity": "asset", "entity_id": device, "reason": "A loan"});
        let made = api.post("/api/billing/exclusions", &out).await.status(201);
        let (path, tag) = (format!("/api/billing/exclusions/{}", made.json()["id"]), made.header("etag"));
        api.put(&path, &json!({"reason": "A spare"})).await.status(200);
        matching(&api, Method::DELETE, &path, tag, json!({})).await.status(412);
        let now = api.get(&path).await.header("etag").to_owned();
        matching(&api, Method::DELETE, &path, &now, json!({})).await.status(200);
        assert_eq!(api.post("/api/billing/exclusions?dry_run=true", &out).await.ok()["dry_run"], true);
        assert_eq!(api.get("/api/billing/exclusions?company=1").await.ok(), json!([]));
    }

    async fn what_is_taken_back_is_taken_back(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        client(&app, "1", "Acme", json!({})).await;
        api.put("/api/billing/settings/1", &json!({"count_contacts": "all", "default_ticket_hours": 0.5})).await.status(200);
        let seq = app.database.number("SELECT max(seq) FROM changes WHERE entity = 'billing_settings'");
        assert_eq!(api.post(&format!("/api/changes/{seq}/undo"), &json!({})).await.ok()["undone"], true);
        let now = api.get("/api/billing/settings/1").await.ok();
        assert_eq!((&now["count_contacts"], &now["default_ticket_hours"]), (&json!("active"), &json!(null)));
        api.put("/api/billing/settings/1", &json!({"vms_as_servers": true})).await.status(200);
        let now = api.get("/api/billing/settings/1").await.ok();
        assert_eq!((&now["count_contacts"], &now["vms_as_servers"], &now["default_ticket_hours"]), (&json!("active"), &json!(true), &json!(null)));
        // A plan that was deleted comes back where no other one has its name.
        let id = plan(&app, "Silver", json!({})).await["id"].clone();
        api.delete(&format!("/api/billing-plans/{id}")).await.status(200);
        let seq = app.database.number("SELECT max(seq) FROM changes WHERE entity = 'billing_plan'");
        plan(&app, "silver", json!({})).await;
        let refused = api.post(&format!("/api/changes/{seq}/undo"), &json!({})).await.status(409);
        assert!(refused.error().contains("there is a plan silver for 1-Year already"), "{}", refused.error());
    }

    async fn archived_devices_leave_all_bills_when_the_operator_says_so(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_ASSETS_ARCHIVED_LEAVE_BILLING", "true").start().await;
        client(&app, "1", "Acme", json!({})).await;
        let id = device(&app, "OLD", "1", "server").await;
        device(&app, "NEW", "1", "server").await;
        let (at, started) = (codex::types::now_plus(-200 * 86_400), codex::types::now_plus(-1));
        app.database.execute(&format!(
            "INSERT INTO links (entity, entity_id, system, external_id, linked_at) VALUES ('asset', {id}, 'datto', 'uid-{id}', '{at}');
             UPDATE asset_observations SET last_seen = '{at}', source = 'datto' WHERE asset_id = {id};
             INSERT INTO sync_runs (source, job_id, dry_run, status, started_at) VALUES ('datto', 'x', FALSE, 'done', '{started}');"
        ));
        let told = app.billing().get("/api/billing/trueup?company=1").await.ok();
        assert_eq!((&line(&told, "servers")["counted"], whys(&told, "servers")), (&json!(1.0), vec!["OLD: archived".to_owned()]));
    }

    async fn a_price_of_nothing_is_a_price_and_what_follows_is_none(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        let free = plan(&app, "Free", json!({"backup_per_tb_fee": 15, "backup_cost_per_gb_server": 0})).await["id"].clone();
        let read = async |id: &Value| api.get(&format!("/api/billing-plans/{id}")).await.ok();
        assert_eq!((&read(&free).await["backup_cost_per_gb_server"], &read(&free).await["backup_cost_per_gb_workstation"]), (&json!(0.0), &json!(0.014648)));
        // A copy of what was read follows as the original does.
        let mut copy = read(&free).await;
        copy["plan_name"] = "Copy".into();
        copy["billing_plan"] = "Copy".into();
        let copied = api.post("/api/billing-plans", &copy).await.status(201).json()["id"].clone();
        api.put(&format!("/api/billing-plans/{copied}"), &json!({"backup_per_tb_fee": 30})).await.status(200);
        assert_eq!((&read(&copied).await["backup_cost_per_gb_server"], &read(&copied).await["backup_cost_per_gb_workstation"]), (&json!(0.0), &json!(0.029296)));
        let file = api.get("/billing-plans/export").await.ok();
        let exported = file["plans"].as_array().unwrap().iter().find(|plan| plan["plan_name"] == "Free").unwrap().clone();
        assert_eq!((&exported["backup_cost_per_gb_server"], &exported["backup_cost_per_gb_workstation"]), (&json!(0.0), &json!(null)));
    }

    async fn a_month_that_is_over_counts_what_there_was_when_it_ended(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        let gold = plan(&app, "Gold", json!({"per_user_cost": 10, "per_workstation_cost": 20, "per_server_cost": 100, "per_switch_cost": 5, "per_hour_ticket_cost": 60})).await["id"].clone();
        client(&app, "1", "Acme", json!({"managed_users": "2"})).await;
        client(&app, "2", "Bolt", json!({})).await;
        let ada = app.contact("Ada", "ada@acme.example", &["1"]).await["id"].clone();
        let bo = app.contact("Bo", "bo@acme.example", &["1"]).await["id"].clone();
        app.contact("Cy", "cy@acme.example", &["1"]).await;
        let moves = device(&app, "MOVES", "1", "server").await;
        let becomes = device(&app, "BECOMES", "1", "workstation").await;
        let goes = device(&app, "GOES", "1", "laptop").await;
        let switch = api.post("/api/network_equipment", &json!({"company_id": "1", "name": "sw-1", "type": "switch"})).await.status(201).json()["id"].clone();
        let (last, this) = (last_month(), Month::current());
        ticket(&app, 1, "closed", 90, true, &format!("{}-01T00:00:01Z", this.as_str()));
        ticket_was(&app, 1, 60, &format!("{last}-20T10:00:00Z"));
        long_ago(&app);
        // The ticket's change is of this month.
        app.database.execute(&format!("UPDATE changes SET at = '{}' WHERE entity = 'ticket'", codex::types::now()));
        api.put(&format!("/api/billing-plans/{gold}"), &json!({"per_user_cost": 12})).await.status(200);
        api.put("/api/companies/1", &json!({"managed_users": "9"})).await.status(200);
        api.put(&format!("/api/contacts/{ada}"), &json!({"active": false})).await.status(200);
        api.put(&format!("/api/contacts/{bo}"), &json!({"company_account_numbers": ["2"]})).await.status(200);
        app.contact("Di", "di@acme.example", &["1"]).await;
        api.put(&format!("/api/assets/{moves}"), &json!({"company_account_number": "2"})).await.status(200);
        api.put(&format!("/api/assets/{becomes}"), &json!({"type": "server"})).await.status(200);
        api.delete(&format!("/api/assets/{goes}")).await.status(200);
        device(&app, "COMES", "1", "laptop").await;
        api.delete(&format!("/api/network_equipment/{switch}")).await.status(200);
        api.put("/api/companies/1", &json!({"account_number": "100"})).await;
        let account = api.get("/api/companies/1").await.ok()["account_number"].as_str().unwrap().to_owned();
        let then = app.billing().get(&format!("/api/billing/trueup?company={account}&month={last}")).await.ok();
        for (key, counted, amount) in [("users", 3.0, 30.0), ("workstations", 2.0, 40.0), ("servers", 1.0, 100.0), ("switches", 1.0, 5.0), ("ticket_hours", 1.0, 60.0)] {
            let line = line(&then, key);
            assert_eq!((&line["counted"], &line["amount"]), (&json!(counted), &json!(amount)), "{key}: {line}");
        }
        assert_eq!((&line(&then, "users")["billed"], &then["as_of"], &then["unknown"]), (&json!(2.0), &json!(this.start()), &json!([])));
        let today = codex::types::now().chars().take(10).collect::<String>();
        assert_eq!(whys(&then, "users"), [format!("Di: added on {today}, after the month")]);
        assert_eq!(whys(&then, "workstations"), [format!("COMES: added on {today}, after the month")]);
        let now = app.billing().get("/api/billing/trueup?company=1").await.ok();
        for (key, counted) in [("users", 2.0), ("workstations", 1.0), ("servers", 1.0), ("switches", 0.0), ("ticket_hours", 0.5)] {
            assert_eq!(line(&now, key)["counted"], counted, "{key}: {}", line(&now, key));
        }
        assert_eq!((&line(&now, "users")["unit_cost"], &line(&now, "users")["billed"], &now["as_of"]), (&json!(12.0), &json!(9.0), &json!(null)));
        assert_eq!(line(&now, "ticket_hours")["receipts"]["counted"][0]["why"], "30 minutes: 90 in all, of which earlier months have counted 60");
        // Each company has what it had.
        let bolt = app.billing().get(&format!("/api/billing/trueup?company=2&month={last}")).await.ok();
        assert_eq!((&line(&bolt, "users")["counted"], &line(&bolt, "servers")["counted"]), (&json!(0.0), &json!(0.0)));
        assert_eq!(whys(&bolt, "servers"), ["MOVES: not yet this company's at the end of the month"]);
        let bolt = app.billing().get("/api/billing/trueup?company=2").await.ok();
        assert_eq!((&line(&bolt, "users")["counted"], &line(&bolt, "servers")["counted"]), (&json!(1.0), &json!(1.0)));
        // Who is no client any more was one.
        api.put("/api/companies/2", &json!({"company_type": "vendor", "kind": "vendor", "type": "vendor"})).await;
        let listed = |told: &Value| told["companies"].as_array().unwrap().len();
        let (then, now) = (app.billing().get(&format!("/api/billing/trueup?month={last}")).await.ok(), app.billing().get("/api/billing/trueup").await.ok());
        assert_eq!(listed(&then), 2);
        assert_eq!(listed(&now), if api.get("/api/companies/2").await.text().contains("\"vendor\"") { 1 } else { 2 });
    }

    async fn what_could_not_be_known_of_a_month_is_said(engine: Engine) {
        let app = App::start_on(&engine).await;
        plan(&app, "Gold", json!({"per_server_cost": 100})).await;
        client(&app, "1", "Acme", json!({})).await;
        device(&app, "SRV", "1", "server").await;
        let today = codex::types::now().chars().take(10).collect::<String>();
        let told = app.billing().get("/api/billing/trueup?company=1&month=2019-05").await.ok();
        assert_eq!((&line(&told, "servers")["amount"], &told["unknown"]), (&json!(100.0), &json!([format!("Nothing is known of this company before {today}: it is counted as it was when that day ended.")])));
        // A plan that was entered afterwards.
        app.database.execute(&format!("UPDATE companies SET created_at = '{AGO}'; UPDATE assets SET created_at = '{AGO}'; UPDATE changes SET at = '{AGO}' WHERE entity IN ('company', 'asset')"));
        app.admin().put("/api/billing/settings/1", &json!({"leave_out_archived": true})).await.status(200);
        let told = app.billing().get(&format!("/api/billing/trueup?company=1&month={}", last_month())).await.ok();
        let unknown = told["unknown"].as_array().unwrap();
        assert_eq!((&line(&told, "servers")["amount"], unknown.len()), (&json!(100.0), 2));
        assert!(unknown[0].as_str().unwrap().starts_with("Which devices were archived") && unknown[1].as_str().unwrap().contains(&format!("was entered on {today}")), "{unknown:?}");
        assert!(page(&app.admin(), &format!("/billing/trueup?company=1&month={}", last_month())).await.contains("its first prices are taken"));
        // What changes after the company's first day here moves no month before it.
        let (api, first) = (app.admin(), "/api/billing/trueup?company=1&month=2019-05");
        let gone = device(&app, "OLD", "1", "server").await;
        app.database.execute(&format!("UPDATE assets SET created_at = '{AGO}'; UPDATE changes SET at = '{AGO}' WHERE entity = 'asset'"));
        device(&app, "NEW", "1", "server").await;
        api.delete(&format!("/api/assets/{gone}")).await.status(200);
        app.contact("Ada", "ada@acme.example", &["1"]).await;
        api.put("/api/companies/1", &json!({"managed_devices": "9"})).await.status(200);
        let told = app.billing().get(first).await.ok();
        assert_eq!((&line(&told, "servers")["counted"], &line(&told, "users")["counted"]), (&json!(2.0), &json!(0.0)), "{told}");
        assert_eq!(whys(&told, "servers"), [format!("NEW: added on {today}, after the month")]);
        assert!(!told["managed"].to_string().contains("9.0"), "{told}");
    }

    async fn a_bookkeepers_morning(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        plan(&app, "Gold", json!({"per_user_cost": 10, "per_workstation_cost": 20})).await;
        for (number, name, level) in [("1", "Acme", "standard"), ("2", "Bolt", "standard"), ("3", "Clinic", "hipaa")] {
            client(&app, number, name, json!({"managed_users": "1", "compliance_level": level})).await;
        }
        app.contact("Ada Moss", "ada@acme.example", &["1"]).await;
        let bo = app.contact("Bo Quetzal", "bo@acme.example", &["1"]).await["id"].as_i64().unwrap();
        app.contact("Cy Lane", "cy@bolt.example", &["2"]).await;
        app.contact("Di Canary", "di@clinic.example", &["3"]).await;
        let loan = device(&app, "LT-1", "1", "laptop").await;
        long_ago(&app);
        let month = last_month();
        // Three clients; one has more than is billed, and the receipts say who.
        let all = app.billing().get(&format!("/api/billing/trueup?month={month}")).await.ok();
        let differ: Vec<i64> = all["companies"].as_array().unwrap().iter().map(|one| one["differences"].as_i64().unwrap()).collect();
        assert_eq!(differ, [1, 0, 0]);
        let acme = app.billing().get(&format!("/api/billing/trueup?company=1&month={month}")).await.ok();
        let users = line(&acme, "users");
        assert_eq!((&users["counted"], &users["billed"], users["receipts"]["counted"].as_array().unwrap().len()), (&json!(2.0), &json!(1.0), 2));
        // The month is frozen, once.
        app.technician().post("/api/billing/snapshots", &json!({"month": month})).await.status(403);
        let dry = app.billing().post("/api/billing/snapshots?dry_run=true", &json!({"month": month})).await.ok();
        assert_eq!(dry["frozen"].as_array().unwrap().len(), 3);
        assert!(page(&app.billing(), "/billing/snapshots").await.contains("/billing/snapshots/freeze"));
        assert!(!page(&app.technician(), "/billing/snapshots").await.contains("/billing/snapshots/freeze"));
        let frozen = app.billing().post("/api/billing/snapshots", &json!({"month": month})).await.status(201).json();
        assert_eq!(frozen["message"], "3 frozen, 0 adjusted, 0 unchanged");
        let again = api.post("/api/billing/snapshots", &json!({"month": month})).await.status(200).json();
        assert_eq!((again["frozen"].as_array().unwrap().len(), again["unchanged"].as_array().unwrap().len()), (0, 3));
        let first = frozen["frozen"][0].clone();
        assert_eq!((&first["kind"], &first["total"], &first["company"]["name"], &first["is_partial"]), (&json!("snapshot"), &json!(40.0), &json!("Acme"), &json!(false)));
        let path = format!("/api/billing/snapshots/{}", first["id"]);
        // It is proved by a tool that everybody has, and is the same for everybody.
        let mut sums = Vec::new();
        for (caller, reader) in [app.billing(), app.technician(), app.service(), app.admin()].iter().enumerate() {
            let file = reader.get(&format!("{path}.csv")).await.status(200);
            assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
            let kept = app.folder().join(format!("frozen-{caller}.csv"));
            std::fs::write(&kept, &file.body).unwrap();
            let sum = std::process::Command::new("sha256sum").arg(&kept).output().unwrap();
            let sum = String::from_utf8(sum.stdout).unwrap().split_whitespace().next().unwrap().to_owned();
            assert_eq!((sum.as_str(), sum.as_str()), (file.header("x-checksum-sha256"), first["sha256"].as_str().unwrap()));
            sums.push(sum);
        }
        sums.dedup();
        assert_eq!(sums.len(), 1);
        for one in frozen["frozen"].as_array().unwrap() {
            let csv = api.get(&format!("/api/billing/snapshots/{}.csv", one["id"])).await.text();
            for name in ["Moss", "Quetzal", "Lane", "Canary"] {
                assert!(!csv.contains(name), "{name}: {csv}");
            }
        }
        let csv = api.get(&format!("{path}.csv")).await.text();
        let rows: Vec<Vec<String>> = csv::Reader::from_reader(csv.as_bytes()).records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        let users = rows.iter().find(|row| row[0] == "line" && row[4] == "users").unwrap();
        assert_eq!(users[8..12], ["2.000", "1.000", "10.00", "20.00"]);
        assert!(rows.iter().any(|row| row[0] == "counted" && row[7] == format!("Contact {bo}") && row[12] == "an active contact"), "{csv}");
        assert!(rows.iter().any(|row| row[0] == "counted" && row[7] == "LT-1"), "{csv}");
        // Nothing changes it.
        for (word, statement) in [("changed", "UPDATE billing_snapshots SET total_cents = 1"), ("deleted", "DELETE FROM billing_snapshots")] {
            assert!(app.database.refuses(statement).contains("a frozen month is never"), "{word}");
        }
        api.delete(&path).await.status(405);
        // A later correction is an adjustment that says why.
        app.billing().post("/api/billing/exclusions", &json!({"company": "1", "entity": "asset", "entity_id": loan, "reason": "A loan to Quetzal"})).await.status(201);
        let adjusted = app.billing().post("/api/billing/snapshots", &json!({"month": month})).await.status(201).json();
        assert_eq!(adjusted["message"], "0 frozen, 1 adjusted, 2 unchanged");
        let adjustment = api.get(&format!("/api/billing/snapshots/{}", adjusted["frozen"][0]["id"])).await.ok();
        assert_eq!((&adjustment["adjusts"], &adjustment["number"], &adjustment["total"]), (&first["id"], &json!(2), &json!(20.0)));
        let difference = &adjustment["differences"][0];
        assert_eq!((&difference["key"], &difference["amount_by"], difference["because"][0]["name"].as_str().unwrap()), (&json!("workstations"), &json!(-20.0), "LT-1"));
        assert_eq!((&difference["because"][0]["after"], &difference["because"][0]["cause"]["action"]), (&json!("excluded by hand"), &json!("create")));
        assert!(!adjustment.to_string().contains("Quetzal") && !api.get(&format!("/api/billing/snapshots/{}.csv", adjusted["frozen"][0]["id"])).await.text().contains("Quetzal"));
        assert_eq!(api.get(&format!("{path}.csv")).await.text(), csv, "the snapshot stays");
        assert_eq!(api.get(&path).await.ok()["adjusted_by"], json!([adjusted["frozen"][0]["id"]]));
        assert_eq!(api.post("/api/billing/snapshots", &json!({"month": month})).await.ok()["message"], "0 frozen, 0 adjusted, 3 unchanged");
        let listed = app.billing().get(&format!("/api/billing/snapshots?month={month}&company=1")).await.ok();
        assert_eq!(listed.as_array().unwrap().iter().map(|one| one["number"].as_i64().unwrap()).collect::<Vec<_>>(), [1, 2]);
        // History knows of it, and does not take it back.
        let seq = app.database.number("SELECT min(seq) FROM changes WHERE entity = 'billing_snapshot'");
        api.post(&format!("/api/changes/{seq}/undo"), &json!({})).await.status(409);
        // As pages: who may see names sees them.
        let printed = page(&api, &format!("/billing/snapshots/{}", first["id"])).await;
        for words in ["Acme", &month, first["sha256"].as_str().unwrap(), "sha256sum --check", "Bo Quetzal", "LT-1"] {
            assert!(printed.contains(words), "{words}: {printed}");
        }
        let clinic = format!("/billing/snapshots/{}", frozen["frozen"][2]["id"]);
        assert!(page(&app.technician(), &clinic).await.contains("Di Canary") && !page(&app.billing(), &clinic).await.contains("Canary"));
        assert!(page(&app.billing(), "/billing/snapshots").await.contains("Adjustment"));
        app.client_of("cleo", "1").await.get(&path).await.status(403);
    }

    async fn an_adjustment_names_the_setting_and_the_contract_behind_it(engine: Engine) {
        let app = App::start_on(&engine).await;
        let gold = plan(&app, "Gold", json!({"per_user_cost": 10})).await;
        client(&app, "1", "Acme", json!({"managed_users": "1"})).await;
        app.contact("Ada Moss", "ada@acme.example", &["1"]).await;
        let bo = app.contact("Bo Lane", "bo@acme.example", &["1"]).await["id"].clone();
        app.technician().put(&format!("/api/contacts/{bo}"), &json!({"active": false})).await.status(200);
        long_ago(&app);
        let month = last_month();
        let api = app.billing();
        let freeze = async || api.post("/api/billing/snapshots", &json!({"month": month, "company": "1"})).await.status(201).json();
        let users = async |frozen: &Value| -> Value {
            let told = api.get(&format!("/api/billing/snapshots/{}", frozen["frozen"][0]["id"])).await.ok();
            told["differences"].as_array().unwrap().iter().find(|one| one["key"] == "users").unwrap().clone()
        };
        freeze().await;
        // Another rule brings a contact in: of that one nothing has changed.
        api.put("/api/billing/settings/1", &json!({"count_contacts": "all"})).await.status(200);
        let because = users(&freeze().await).await;
        assert_eq!((&because["because"][0]["name"], &because["because"][0]["cause"]), (&json!(format!("Contact {bo}")), &Value::Null), "{because}");
        assert_eq!((&because["terms"][0]["entity"], &because["terms"][0]["action"]), (&json!("billing_settings"), &json!("create")), "{because}");
        // What says by itself why it is counted otherwise needs no setting to explain it.
        api.post("/api/billing/exclusions", &json!({"company": "1", "entity": "contact", "entity_id": bo, "reason": "Left"})).await.status(201);
        let because = users(&freeze().await).await;
        assert_eq!((&because["because"][0]["cause"]["entity"], &because["terms"]), (&json!("billing_exclusion"), &json!([])), "{because}");
        // A month that goes on: who came says so, and what is billed and its price are the contract's and the plan's.
        let this = Month::current();
        let freeze = async || api.post("/api/billing/snapshots", &json!({"month": this.as_str(), "company": "1", "force": true})).await.status(201).json();
        freeze().await;
        app.contact("Cy Lane", "cy@acme.example", &["1"]).await;
        app.technician().put("/api/companies/1", &json!({"managed_users": "2"})).await.status(200);
        let price = json!({"per_user_cost": 12});
        api.put(&format!("/api/billing-plans/{}", gold["id"]), &price).await.status(403);
        app.admin().put(&format!("/api/billing-plans/{}", gold["id"]), &price).await.status(200);
        let because = users(&freeze().await).await;
        let said: Vec<(&str, &Value)> = because["terms"].as_array().unwrap().iter().map(|term| (term["entity"].as_str().unwrap(), &term["fields"])).collect();
        assert_eq!(said, [("company", &json!(["managed_users"])), ("billing_plan", &json!(["per_user_cents"]))], "{because}");
        assert_eq!(because["because"][0]["cause"]["entity"], "contact", "{because}");
    }

    async fn only_months_that_have_ended_are_frozen_unless_forced(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        client(&app, "1", "Acme", json!({"contract_start_date": "2020-01-01"})).await;
        let this = Month::current();
        for (body, field) in [
            (json!({}), "month"), (json!({"month": "2026-13"}), "month"), (json!({"month": this.as_str()}), "month"),
            (json!({"month": this.next().as_str(), "force": true}), "month"),
        ] {
            let refused = api.post("/api/billing/snapshots", &body).await;
            assert_eq!((refused.status, refused.fields()), (400, vec![field.to_owned()]), "{}", refused.text());
        }
        api.post("/api/billing/snapshots", &json!({"month": "2026-01", "company": "404"})).await.status(404);
        let forced = api.post("/api/billing/snapshots", &json!({"month": this.as_str(), "company": "1", "force": true})).await.status(201).json();
        assert_eq!(forced["frozen"][0]["is_partial"], true);
        assert!(api.get(&format!("/api/billing/snapshots/{}.csv", forced["frozen"][0]["id"])).await.text().contains("the month had not ended"));
        let sent = [("month", this.as_str())];
        let refused = form(&api, "/billing/snapshots/freeze", &sent).await.status(303);
        assert!(refused.header("set-cookie").contains("error"), "{}", refused.header("set-cookie"));
        let done = form(&api, "/billing/snapshots/freeze", &[("month", last_month().as_str())]).await.status(303);
        assert!(done.header("location").starts_with("/billing/snapshots/"), "{}", done.header("location"));
    }

    async fn time_that_was_charged_is_not_charged_again_and_too_much_of_it_is_a_credit(engine: Engine) {
        let app = App::start_on(&engine).await;
        plan(&app, "Gold", json!({"per_hour_ticket_cost": 60})).await;
        client(&app, "1", "Acme", json!({})).await;
        app.admin().put("/api/billing/settings/1", &json!({"default_ticket_hours": 0.25})).await.status(200);
        long_ago(&app);
        let (last, this) = (last_month(), Month::current());
        // Closed without time, which was entered later; and time that was too much.
        for (number, before, minutes) in [(1, 0, 60), (2, 60, 30)] {
            ticket(&app, number, "closed", minutes, true, &format!("{}-01T00:00:01Z", this.as_str()));
            ticket_was(&app, number, before, &format!("{last}-20T10:00:00Z"));
        }
        let then = line(&app.billing().get(&format!("/api/billing/trueup?company=1&month={last}")).await.ok(), "ticket_hours");
        assert_eq!((&then["counted"], &then["amount"]), (&json!(1.25), &json!(75.0)), "{then}");
        let now = line(&app.billing().get("/api/billing/trueup?company=1").await.ok(), "ticket_hours");
        assert_eq!((&now["counted"], &now["amount"]), (&json!(0.25), &json!(15.0)), "{now}");
        let told = now["receipts"]["counted"].as_array().unwrap().iter().map(|one| (one["quantity"].as_f64().unwrap(), one["why"].as_str().unwrap()));
        assert_eq!(told.collect::<Vec<_>>(), [
            (0.75, "45 minutes: 60 in all, of which earlier months have counted 15 (the default)"),
            (-0.5, "a credit of 30 minutes: 30 in all, of which earlier months have counted 60"),
        ]);
        // A credit alone is below zero, on the page too.
        app.database.execute(&format!("UPDATE tickets SET retired_at = '{}-01T00:00:02Z' WHERE id = 1", this.as_str()));
        let now = app.billing().get("/api/billing/trueup?company=1").await.ok();
        assert_eq!((&line(&now, "ticket_hours")["counted"], &now["total"]), (&json!(-0.5), &json!(-30.0)));
        assert!(page(&app.billing(), "/billing/trueup?company=1").await.contains("a credit of 30 minutes"));
    }

    async fn what_moves_a_ticket_later_leaves_past_months_as_they_were(engine: Engine) {
        let app = App::start_on(&engine).await;
        client(&app, "1", "Acme", json!({})).await;
        client(&app, "2", "Bolt", json!({})).await;
        long_ago(&app);
        let (last, now) = (last_month(), codex::types::now());
        for (number, old) in [(1, json!(1)), (2, Value::Null)] {
            ticket(&app, number, "closed", 60, true, &format!("{last}-20T10:00:00Z"));
            let (seq, fields) = (app.database.number("SELECT max(seq) + 1000 FROM changes"), json!({"company_id": [old, 2]}));
            app.database.execute(&format!(
                "UPDATE tickets SET company_id = 2 WHERE id = {number};
                 INSERT INTO changes (seq, at, actor_kind, actor, entity, entity_id, action, fields)
                 VALUES ({seq}, '{now}', 'user', 'ada', 'ticket', {number}, 'update', '{fields}')"
            ));
        }
        // Whose the second one is was only found out later.
        for (company, tickets) in [("1", ["Ticket 1"]), ("2", ["Ticket 2"])] {
            let told = app.billing().get(&format!("/api/billing/trueup?company={company}&month={last}")).await.ok();
            let counted = line(&told, "ticket_hours")["receipts"]["counted"].clone();
            assert_eq!(counted.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect::<Vec<_>>(), tickets, "{company}: {told}");
        }
    }

    async fn companies_that_were_entered_after_the_month_are_skipped_with_the_reason(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        client(&app, "1", "Acme", json!({})).await;
        long_ago(&app);
        client(&app, "2", "Bolt", json!({})).await;
        client(&app, "3", "Coil", json!({"contract_start_date": format!("{}-15", last_month())})).await;
        client(&app, "4", "Dyne", json!({"contract_start_date": Month::current().start()})).await;
        // Two at the same moment freeze each company once.
        let wanted = json!({"month": last_month()});
        let (one, other) = tokio::join!(api.post("/api/billing/snapshots", &wanted), api.post("/api/billing/snapshots", &wanted));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert!(statuses == [200, 201] || statuses == [201, 409], "{} {}", one.text(), other.text());
        let frozen = if one.status == 201 { one.json() } else { other.json() };
        assert_eq!(frozen["message"], "2 frozen, 0 adjusted, 0 unchanged, 2 skipped as entered after the month without an earlier contract: Bolt, Dyne");
        let today = codex::types::now().chars().take(10).collect::<String>();
        assert_eq!(frozen["skipped"], json!([
            {"company": {"account_number": "2", "name": "Bolt"}, "reason": format!("entered on {today}, after the month, and no contract start date says that it was a client before")},
            {"company": {"account_number": "4", "name": "Dyne"}, "reason": format!("entered on {today}, after the month, and its contract starts on {}", Month::current().start())},
        ]));
        assert_eq!(api.get("/api/billing/snapshots").await.ok().as_array().unwrap().len(), 2);
        let asked = json!({"month": last_month(), "company": "2"});
        assert_eq!(api.post("/api/billing/snapshots", &asked).await.status(201).json()["frozen"].as_array().unwrap().len(), 1);
    }

    async fn what_is_agreed_makes_an_adjustment_too(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        plan(&app, "Gold", json!({"support_level": "Billed Hourly"})).await;
        client(&app, "1", "Acme", json!({"managed_devices": "2"})).await;
        device(&app, "LT-1", "1", "laptop").await;
        let wanted = json!({"month": Month::current().as_str(), "company": "1", "force": true});
        api.post("/api/billing/snapshots", &wanted).await.status(201);
        api.post("/api/billing/snapshots", &wanted).await.status(200);
        api.put("/api/companies/1", &json!({"managed_devices": "3", "support_level": "Unlimited"})).await.status(200);
        let made = api.post("/api/billing/snapshots", &wanted).await.status(201).json();
        assert_eq!(made["message"], "0 frozen, 1 adjusted, 0 unchanged");
        let path = format!("/billing/snapshots/{}", made["frozen"][0]["id"]);
        let told = api.get(&format!("/api{path}")).await.ok();
        let differences = told["differences"].as_array().unwrap();
        assert_eq!(differences.iter().map(|one| one["key"].as_str().unwrap()).collect::<Vec<_>>(), ["managed_devices", "support_level"]);
        assert_eq!(differences[0]["billed"], json!({"before": 2.0, "after": 3.0}));
        assert_eq!(differences[1]["said"], json!({"before": "Billed Hourly", "after": "Unlimited"}));
        assert_eq!(differences[1]["terms"][0]["entity"], "company");
        let csv = api.get(&format!("/api{path}.csv")).await.text();
        assert!(csv.contains("was Billed Hourly, is Unlimited") && csv.contains("billed: was 2, is 3"), "{csv}");
        assert!(page(&api, &path).await.contains("was Billed Hourly, is Unlimited"));
    }

    async fn two_months_are_compared_with_the_changes_behind_them(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.admin();
        let gold = plan(&app, "Gold", json!({"per_user_cost": 10, "per_server_cost": 100, "per_workstation_cost": 20})).await["id"].clone();
        client(&app, "1", "Acme", json!({"compliance_level": "hipaa"})).await;
        client(&app, "2", "Bolt", json!({})).await;
        let ada = app.contact("Ada Moss", "ada@acme.example", &["1"]).await["id"].clone();
        app.contact("Bo Lane", "bo@acme.example", &["1"]).await;
        let becomes = device(&app, "BECOMES", "1", "workstation").await;
        let goes = device(&app, "GOES", "1", "laptop").await;
        long_ago(&app);
        let none = app.billing().get("/api/billing/compare").await.ok();
        assert_eq!((&none["from"], &none["to"], &none["companies"]), (&json!(last_month()), &json!(Month::current().as_str()), &json!([])));
        api.put(&format!("/api/contacts/{ada}"), &json!({"active": false})).await.status(200);
        api.put(&format!("/api/assets/{becomes}"), &json!({"type": "server"})).await.status(200);
        api.delete(&format!("/api/assets/{goes}")).await.status(200);
        device(&app, "COMES", "1", "laptop").await;
        api.put(&format!("/api/billing-plans/{gold}"), &json!({"per_user_cost": 12})).await.status(200);
        let told = app.technician().get(&format!("/api/billing/compare?from={}&company=1", last_month())).await.ok();
        let acme = &told["companies"][0];
        let records: Vec<(String, String, Value, Value)> = acme["records"].as_array().unwrap().iter().map(|one| {
            (one["name"].as_str().unwrap().to_owned(), one["change"].as_str().unwrap().to_owned(), one["cause"]["action"].clone(), one["cause"]["by"].clone())
        }).collect();
        for (name, change, action) in [("Ada Moss", "went", "update"), ("BECOMES", "changed", "update"), ("GOES", "went", "retire"), ("COMES", "came", "create")] {
            let one = records.iter().find(|one| one.0 == name).unwrap_or_else(|| panic!("{name}: {records:?}"));
            assert_eq!((one.1.as_str(), &one.2), (change, &json!(action)), "{name}");
            assert!(one.3.is_string(), "{name}");
        }
        assert_eq!(records.len(), 4, "who stayed is not told of: {records:?}");
        let users = acme["lines"].as_array().unwrap().iter().find(|line| line["key"] == "users").unwrap().clone();
        assert_eq!((&users["unit_cost"], &users["amount"]), (&json!({"from": 10.0, "to": 12.0}), &json!({"from": 20.0, "to": 12.0})));
        assert_eq!((&users["cause"]["fields"], &acme["total"]), (&json!(["per_user_cents"]), &json!({"from": 60.0, "to": 132.0})));
        // What is agreed anew is told with the change that said it, whatever else was changed later.
        plan(&app, "Platinum", json!({"per_user_cost": 30})).await;
        for said in [json!({"billing_plan": "Platinum"}), json!({"managed_devices": "4"}), json!({"managed_users": "5"}), json!({"name": "Acme & Co"})] {
            api.put("/api/companies/1", &said).await.status(200);
        }
        let agreed = app.technician().get(&format!("/api/billing/compare?from={}&company=1", last_month())).await.ok()["companies"][0].clone();
        assert_eq!((&agreed["terms"][0]["what"], &agreed["terms"][0]["cause"]["fields"]), (&json!("plan"), &json!(["plan"])), "{agreed}");
        let line = |key: &str| agreed["lines"].as_array().unwrap().iter().find(|line| line["key"] == key).unwrap().clone();
        assert_eq!((&line("users")["billed"], &line("users")["cause"]["fields"]), (&json!({"from": null, "to": 5.0}), &json!(["plan"])));
        let devices = line("managed_devices");
        assert_eq!((&devices["billed"], &devices["cause"]["fields"]), (&json!({"from": null, "to": 4.0}), &json!(["managed_devices"])));
        assert_eq!(devices["counted"], json!({"from": 2.0, "to": 2.0}), "what there was is counted, whatever was billed");
        assert!(page(&api, "/billing/compare?company=1").await.contains("billed not said → 4"));
        // A price is everybody's; names are not.
        let all = app.billing().get("/api/billing/compare").await.ok();
        assert_eq!(all["companies"].as_array().unwrap().len(), 2);
        assert!(!all.to_string().contains("Moss"));
        let html = page(&app.technician(), "/billing/compare").await;
        for words in ["Ada Moss", "Workstations → Servers", "retired on", "Added"] {
            assert!(html.contains(words), "{words}: {html}");
        }
        assert!(!page(&app.billing(), "/billing/compare").await.contains("Moss"));
        for query in ["from=2026-13", "from=2026-05&to=2026-05", "from=2026-06&to=2026-05"] {
            assert_eq!(app.billing().get(&format!("/api/billing/compare?{query}")).await.status(400).fields(), ["from"]);
        }
    }

    async fn a_job_freezes_the_last_month_when_the_operator_wants_it(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_SCHEDULER_FREEZE_MONTH", "3").start().await;
        let api = app.admin();
        client(&app, "1", "Acme", json!({})).await;
        long_ago(&app);
        assert_eq!(api.get("/api/sync/schedules/freeze-month").await.ok()["cadence"], "0 6 3 * *");
        form(&api, "/admin/sync/freeze-month", &[]).await.status(303);
        let mut frozen = json!([]);
        for _ in 0..100 {
            frozen = api.get("/api/billing/snapshots").await.ok();
            if frozen != json!([]) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        assert_eq!((&frozen[0]["month"], &frozen[0]["frozen_by"], &frozen[0]["company"]["name"]), (&json!(last_month()), &json!("freeze-month"), &json!("Acme")));
        let off = App::start_on(&engine).await;
        assert_eq!(off.admin().get("/api/sync/schedules/freeze-month").await.ok()["cadence"], "off");
    }
}
