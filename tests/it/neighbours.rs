//! Each neighbour's calls, replayed in the order and by the reading rules of its own code (contract §1.0 and §7.6): what it indexes
//! must be there, what it formats must have the type, and what it does with the answer must work.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::core::{Core, service_claims, user_claims};
use crate::datto::{self, Datto};
use crate::freshservice::{self, Freshservice, conversation, department, requester, ticket, time_entry};
use crate::support::{Api, App, Engine, both, eventually};

const ACME: i64 = 21_000_100_001;
const AGENT: i64 = 21_000_900_001;
const TICKET: i64 = 4_711;

/// The platform with both vendors, pulled.
struct Platform {
    core: Core,
    app: App,
    _psa: Freshservice,
    _rmm: Datto,
}

fn hours_ago(hours: i64) -> i64 {
    jiff::Timestamp::now().as_second() - hours * 3_600
}

impl Platform {
    async fn start(engine: &Engine) -> Self {
        let mut psa = freshservice::State {
            departments: vec![department(ACME, "Acme", Some(204_001)), department(ACME + 1, "Beta", Some(204_002))],
            requesters: vec![
                requester(21_000_300_001, "Ava", Some("Patel"), Some("ava@acme.example"), &[ACME]),
                requester(21_000_300_002, "Nameless", None, None, &[ACME]),
            ],
            ..freshservice::State::default()
        };
        psa.tickets = vec![
            ticket(TICKET, 21_000_300_001, Some(ACME), 2, hours_ago(3)),
            ticket(4_712, 21_000_300_002, None, 99, hours_ago(2)),
        ];
        psa.tickets[0]["responder_id"] = json!(AGENT);
        psa.tickets[1]["priority"] = Value::Null;
        psa.tickets[1]["description_text"] = Value::Null;
        psa.conversations.insert(
            TICKET,
            vec![
                conversation(71, TICKET, "It prints", false, hours_ago(1)),
                conversation(72, TICKET, "Unplugged", true, hours_ago(1)),
            ],
        );
        psa.time_entries.insert(TICKET, vec![time_entry(81, "01:30", hours_ago(1))]);
        let mut rmm = datto::State::default();
        let site = rmm.add_site(1, "Acme", Some("204001"));
        for (number, hostname) in [(1, "ACME-PC-1"), (2, "ACME-SRV-1")] {
            rmm.add_device(number, &site, hostname);
        }
        let (core, psa, rmm) = (Core::start().await, Freshservice::start(psa).await, Datto::start(rmm).await);
        let app = App::builder(engine).core(&core).freshservice(&psa).datto(&rmm).start().await;
        for source in ["freshservice", "datto", "tickets"] {
            app.cli().run_beside(&["sync", source]).await.code(0);
        }
        let started = Self { core, app, _psa: psa, _rmm: rmm };
        let contract =
            json!({"billing_plan": "Managed & Secure", "contract_term_length": "1 Year", "contract_start_date": "2026-01-15"});
        started.admin().put("/api/companies/204001", &contract).await.status(200);
        started
    }

    fn admin(&self) -> Api {
        self.app.with_token(&self.core.user("ada", "ada@example.com", "admin"))
    }

    /// As Core writes tokens for a service: without a `jti`.
    fn service(&self, name: &str) -> Api {
        let mut claims = service_claims(name, "codex");
        claims.as_object_mut().unwrap().remove("jti");
        self.app.with_token(&self.core.token(&claims))
    }

    async fn plan(&self, service: &Api) -> i64 {
        let plan = json!({"plan_name": "Managed & Secure", "term_length": "1-Year", "per_user_cost": 55.5, "per_workstation_cost": 20, "soc": "Full", "support_level": "All Inclusive"});
        service.post("/api/billing-plans", &plan).await.status(201).json()["id"].as_i64().unwrap()
    }
}

/// `record['key']` in Python: there, or an exception; null is a value.
fn index<'a>(record: &'a Value, key: &str) -> &'a Value {
    record.get(key).unwrap_or_else(|| panic!("KeyError: {key} in {record}"))
}

/// What Python slices, lower-cases or strips: never null.
fn text<'a>(record: &'a Value, key: &str) -> &'a str {
    index(record, key).as_str().unwrap_or_else(|| panic!("TypeError: {key} is no text in {record}"))
}

fn rows(answer: &Value) -> &Vec<Value> {
    answer.as_array().unwrap_or_else(|| panic!("TypeError: {answer} is no list"))
}

/// `datetime.fromisoformat(text.replace('Z', '+00:00'))`, compared with an aware time.
fn aware(record: &Value, key: &str) -> jiff::Timestamp {
    text(record, key).replace('Z', "+00:00").parse().unwrap_or_else(|error| panic!("{key} in {record}: {error}"))
}

/// What `urllib.parse.quote(text, safe='')` makes of it.
fn quote(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The dashboard's row for one company: what its billing engine does with it.
fn ledger_bills(item: &Value, plans: &HashMap<(String, String), Value>) -> f64 {
    let company = index(item, "company");
    let plan = company["billing_plan"].as_str().expect("it strips and lower-cases the plan").trim();
    let term = company["contract_term_length"].as_str().unwrap_or("Month to Month");
    if let Some(start) = company["contract_start_date"].as_str() {
        start.split('T').next().unwrap().parse::<jiff::civil::Date>().unwrap_or_else(|error| panic!("{start}: {error}"));
    }
    for asset in rows(&item["assets"]) {
        assert!(asset["id"].as_i64().is_some_and(|id| i32::try_from(id).is_ok()), "the key of its overrides: {asset}");
        assert!(
            asset.get("datto_uid").is_none() && asset.get("billing_type").is_none(),
            "either would change the invoice: {asset}"
        );
        assert!(asset["backup_data_bytes"].is_i64() && asset["hostname"].is_string(), "{asset}");
    }
    for user in rows(&item["contacts"]) {
        assert!(user["id"].is_i64() && user.get("email").is_some(), "without the key it would be a user made by hand: {user}");
    }
    let hours: f64 = item["tickets"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|ticket| {
            aware(ticket, "last_updated_at");
            ticket["total_hours_spent"].as_f64().expect("a number of hours")
        })
        .sum();
    let Some(plan) = plans.get(&(plan.to_owned(), term.to_owned())) else { return 0.0 };
    let rate = |key: &str| index(plan, key).as_f64().unwrap_or_else(|| panic!("float() of {key} in {plan}"));
    rows(&item["contacts"]).len() as f64 * rate("per_user_cost")
        + rows(&item["assets"]).len() as f64 * rate("per_workstation_cost")
        + hours * rate("per_hour_ticket_cost")
}

both! {
    async fn ledger_bills_the_month(engine: Engine) {
        let platform = Platform::start(&engine).await;
        let ledger = platform.service("ledger");
        platform.plan(&ledger).await;

        // Later versions: all plans as a dictionary, one by its name, its features.
        let plans = ledger.get("/billing-plans/api/plans").await.ok();
        let known: HashMap<_, _> = rows(index(&plans, "plans")).iter().map(|plan| ((text(plan, "plan_name").to_owned(), text(plan, "term_length").to_owned()), plan.clone())).collect();
        let one = ledger.get(&format!("/billing-plans/api/plans/{}/{}", quote("Managed & Secure"), quote("1-Year"))).await.ok();
        assert_eq!((text(index(&one, "plan"), "support_level"), text(&one["plan"]["features"], "soc")), ("All Inclusive", "Full"));
        assert!(index(&one["plan"], "feature_display_names").is_object());
        ledger.get(&format!("/billing-plans/api/plans/{}/1-Year", quote("No such plan"))).await.status(404);
        assert!(index(&ledger.get("/billing-plans/api/feature-options").await.ok(), "features").is_object());
        rows(index(&ledger.get("/billing-plans/api/feature-categories").await.ok(), "categories"));

        // The dashboard, by one call; the same by five calls a company when that fails.
        let year = jiff::Timestamp::from_second(hours_ago(3)).unwrap().strftime("%Y").to_string();
        let bulk = ledger.get(&format!("/api/companies/bulk?include_tickets=true&year={year}")).await.ok();
        let acme = rows(&bulk).iter().find(|item| item["company"]["account_number"] == "204001").expect("Acme");
        let amounts: Vec<f64> = rows(&bulk).iter().map(|item| ledger_bills(item, &known)).collect();
        assert!((amounts.iter().sum::<f64>() - (2.0 * 55.5 + 2.0 * 20.0)).abs() < 0.001, "two users and two devices at the plan's price: {amounts:?}");
        assert_eq!(text(&acme["company"], "contract_end_date"), "2027-01-14", "it shows ours and computes none");
        let alone = ledger.get("/api/companies/204001").await.ok();
        assert_eq!(&alone, &acme["company"]);
        for (part, key) in [("assets", "assets"), ("contacts", "contacts"), ("locations", "locations")] {
            assert_eq!(&ledger.get(&format!("/api/companies/204001/{part}")).await.ok(), &acme[key], "{part}");
        }
        assert_eq!(&ledger.get(&format!("/api/companies/204001/tickets?year={year}")).await.ok(), &acme["tickets"]);
        for part in ["", "/assets", "/contacts", "/locations", "/tickets"] {
            ledger.get(&format!("/api/companies/999999{part}")).await.status(404);
        }

        // Earlier versions: a plan by its name and term, unencoded but for what `requests` encodes; none for an empty name.
        let by_name = ledger.get("/api/billing-plans?plan_name=Managed%20%26%20Secure&term_length=1-Year").await.ok();
        assert!(rows(&by_name)[0]["per_user_cost"].is_f64());
        assert_eq!(ledger.get("/api/billing-plans?plan_name=&term_length=1-Year").await.ok(), json!([]));
        let joined = ledger.get("/billing-plans/api/bulk-plans").await.ok();
        let key = format!("{}|{}", text(&alone, "billing_plan"), text(&alone, "contract_term_length"));
        assert_eq!(text(index(index(&joined, "plans"), &key), "soc"), "Full");
    }

    async fn knowledgetree_writes_its_folders(engine: Engine) {
        let platform = Platform::start(&engine).await;
        let tree = platform.service("knowledgetree");
        let mut files = Vec::new();
        for company in rows(&tree.get("/api/companies").await.ok()) {
            let (name, account) = (text(company, "name"), text(company, "account_number"));
            for user in rows(&tree.get(&format!("/api/companies/{account}/users")).await.ok()) {
                files.push(format!("{name}/Users/{}/Contact.md", text(user, "name")));
                assert!(index(user, "active").is_boolean());
            }
            for asset in rows(&tree.get(&format!("/api/companies/{account}/assets")).await.ok()) {
                files.push(format!("{name}/Assets/{}.md", text(asset, "hostname")));
            }
            let contacts = tree.get(&format!("/api/companies/{account}/contacts")).await.ok();
            let names: HashMap<_, _> = rows(&contacts).iter().filter(|contact| contact["email"].is_string()).map(|contact| (text(contact, "email"), text(contact, "name"))).collect();
            for ticket in rows(&tree.get(&format!("/api/companies/{account}/tickets")).await.ok()) {
                // `or` and `:.2f`: a number that is not 0, and one that can be formatted.
                let id = index(ticket, "ticket_id").as_i64().expect("the vendor's number");
                let hours = index(ticket, "total_hours_spent").as_f64().expect("a number");
                for message in rows(index(ticket, "conversations")).iter().chain(rows(index(ticket, "notes"))) {
                    assert!(!text(message, "body").is_empty() && index(message, "created_at").is_string(), "{message}");
                    assert!(index(message, "incoming").is_boolean() && message.get("from_email").is_some());
                }
                let whose = names.get(ticket["requester_email"].as_str().unwrap_or_default()).copied().unwrap_or("nobody");
                files.push(format!("{name}/Users/{whose}/Tickets/Ticket_{id}.md {hours:.2}"));
            }
        }
        for file in ["Acme/Users/Ava Patel/Contact.md", "Acme/Assets/ACME-PC-1.md", "Acme/Users/Ava Patel/Tickets/Ticket_4711.md 1.50"] {
            assert!(files.iter().any(|made| made == file), "{file} is missing in {files:?}");
        }
        tree.get("/health").await.status(200);
    }

    async fn brainhair_answers_a_technician(engine: Engine) {
        let platform = Platform::start(&engine).await;
        let hair = platform.service("brainhair");
        // `'error' in answer` is its test for failure, whatever the status.
        let read = async |path: &str| {
            let answer = hair.get(path).await.ok();
            assert!(answer.get("error").is_none(), "{path} looks like a failure: {answer}");
            answer
        };

        // Companies: the list's tool, the search by name, one by its number under the singular.
        let companies = read("/api/companies?limit=20").await;
        let found = rows(&companies).iter().find(|company| text(company, "name").to_lowercase().contains("acme")).expect("Acme");
        assert!(found["description"].is_null() || found["description"].is_string(), "it slices it when it is true");
        assert!(index(found, "account_number").is_string() && read("/api/companies?limit=1").await.as_array().unwrap().len() == 1);
        assert_eq!(text(&read("/api/company/204001").await, "name"), "Acme");
        hair.get("/api/company/999999").await.status(404);
        for path in ["/api/contacts?company_id=204001", "/api/assets?company_id=204001", "/api/companies/204001/contacts", "/api/companies/204001/locations"] {
            rows(&read(path).await);
        }
        let contact = read("/api/contacts?company_id=204001").await[0]["id"].as_i64().unwrap();
        let asset = read("/api/assets?company_id=204001").await[0]["id"].as_i64().unwrap();
        assert_eq!(read(&format!("/api/contact/{contact}")).await["id"], contact);
        assert_eq!(read(&format!("/api/asset/{asset}")).await["id"], asset);

        // Tickets: the list, one, a note and a status.
        let tickets = read("/api/tickets?limit=10&status=open&company_id=204001").await;
        assert_eq!(tickets["total"], 1);
        for ticket in rows(index(&tickets, "tickets")) {
            for key in ["id", "subject", "status", "priority"] {
                index(ticket, key);
            }
            index(ticket, "company_compliance_level");
        }
        rows(&read("/api/freshservice/tickets?limit=5").await);
        let update = hair.post(&format!("/api/ticket/{TICKET}/update"), &json!({"status": "in_progress", "notes": "Looked at it", "assigned_to": "tess"})).await.status(200).json();
        assert_eq!((&update["success"], &update["ticket_id"]), (&json!(true), &json!(TICKET)));
        for path in [format!("/api/ticket/{TICKET}"), format!("/api/freshservice/ticket/{TICKET}")] {
            let ticket = read(&path).await;
            for key in ["id", "subject", "status", "priority", "requester_name", "requester_email", "created_at", "last_updated_at"] {
                index(&ticket, key);
            }
            let notes = rows(index(&ticket, "notes"));
            let printed: Vec<String> = notes.iter().map(|note| text(note, "text").chars().take(100).collect()).collect();
            assert!(printed.iter().any(|text| text == "Looked at it") && printed.iter().any(|text| text == "Unplugged"), "{printed:?}");
        }
        assert_eq!(hair.get("/api/ticket/999999").await.status(404).error(), "Ticket not found");

        // Devices, under both names of the vendor's kind.
        for kind in ["datto", "rmm"] {
            let devices = read(&format!("/api/{kind}/devices?company_id=204001")).await;
            assert_eq!(index(&devices, "count"), 2);
            let device = &rows(index(&devices, "devices"))[0];
            let one = read(&format!("/api/{kind}/device/{}", text(device, "id"))).await;
            for key in ["cpu_usage", "ram_usage", "disk_usage"] {
                index(index(&one, "health"), key);
            }
            rows(index(&one, "installed_software"));
            assert!(["online", "offline"].contains(&text(&one, "status")));
        }
        for agent in rows(&read("/api/psa/agents?provider=freshservice").await) {
            text(agent, "name");
        }
    }

    async fn brainhair_imports_and_applies_plans(engine: Engine) {
        let platform = Platform::start(&engine).await;
        let hair = platform.service("brainhair");
        let mut plan = json!({
            "plan_name": "Managed", "term_length": "Month to Month", "per_user_cost": 50.0, "per_workstation_cost": 1.0, "per_server_cost": 100.0, "per_vm_cost": 100.0,
            "per_switch_cost": 25.0, "per_firewall_cost": 25.0, "per_hour_ticket_cost": 150.0, "backup_base_fee_workstation": 25.0, "backup_base_fee_server": 50.0,
            "backup_cost_per_gb_workstation": 1.0, "backup_cost_per_gb_server": 100.0, "support_level": "Billed Hourly", "antivirus": "Defender", "soc": "Not Included",
            "password_manager": "Keeper", "sat": "BSN", "email_security": "Not Included", "network_management": "Included",
        });
        let by_name = "/api/billing-plans?plan_name=Managed&term_length=Month+to+Month";
        assert_eq!(hair.get(by_name).await.ok(), json!([]));
        hair.post("/api/billing-plans", &plan).await.status(201);
        plan["per_user_cost"] = json!(60.0);
        let id = index(&hair.get(by_name).await.ok()[0], "id").as_i64().unwrap();
        hair.put(&format!("/api/billing-plans/{id}"), &plan).await.status(200);
        let stored = hair.get(by_name).await.ok()[0].clone();
        for (key, value) in plan.as_object().unwrap() {
            assert_eq!(index(&stored, key), value, "{key}: it prints costs with :.2f");
        }

        let option = json!({"feature_type": "soc", "value": "Managed SOC"});
        for status in [201, 200] {
            hair.post("/api/feature-options", &option).await.status(status);
        }
        let options = hair.get("/api/feature-options?category=soc").await.ok();
        assert!(rows(&options).iter().any(|option| text(option, "option_value") == "Managed SOC"), "{options}");
    }

    async fn beacon_fills_its_board(engine: Engine) {
        let platform = Platform::start(&engine).await;
        let beacon = platform.service("beacon");
        let config = beacon.get("/api/psa/config").await.ok();
        let provider = index(index(&config, "providers"), text(&config, "default_provider"));
        let base = text(provider, "ticket_url_template").replace("{ticket_id}", "");
        assert!(base.starts_with("http") && base.ends_with("/a/tickets/"));
        for group in ["professional_services", "helpdesk"] {
            index(index(provider, "group_ids"), group);
        }
        let agents = beacon.get("/api/psa/agents").await.ok();
        let named: HashMap<i64, &str> = rows(&agents).iter().filter(|agent| agent["active"] != false).map(|agent| (index(agent, "external_id").as_i64().unwrap(), text(agent, "name"))).collect();
        assert_eq!(named.get(&AGENT), Some(&"Riley Stone"));
        let board = beacon.get("/api/tickets/active").await.ok();
        assert!(board["last_sync_time"].as_str().is_some_and(|time| time.parse::<jiff::Timestamp>().is_ok()), "it shows when the board was made");
        let mut of_agent = Vec::new();
        for section in ["section1", "section2", "section3", "section4"] {
            for ticket in rows(index(&board, section)) {
                for key in ["priority_text", "type", "requester_name", "agent_name", "updated_friendly", "created_days_old", "sla_text", "sla_class", "subject"] {
                    text(ticket, key);
                }
                for key in ["description_text", "updated_at_str", "created_at_str", "fr_due_by_str", "due_by_str", "first_responded_at_iso"] {
                    index(ticket, key);
                }
                assert!(ticket["id"].is_i64() && (ticket["group_id"].is_null() || ticket["group_id"].is_i64()));
                if ticket["responder_id"] == AGENT {
                    of_agent.push(ticket["id"].as_i64().unwrap());
                }
            }
        }
        assert_eq!(of_agent, [TICKET], "it compares integers");

        // "Refresh": starts a sync, then asks until it has ended.
        let started = beacon.post("/sync/tickets", &json!({})).await.status(200).json();
        assert_eq!(started["success"], true);
        let job = text(&started, "job_id").to_owned();
        eventually("the sync has ended", 20, || async {
            let job = beacon.get(&format!("/sync/status/{job}")).await.ok();
            assert_ne!(text(&job, "status"), "failed", "{job}");
            text(&job, "status") == "completed"
        }).await;
        beacon.get("/sync/status/00000000-0000-4000-8000-000000000000").await.status(404);
        beacon.get("/health").await.status(200);
    }

    async fn archive_takes_its_monthly_snapshot(engine: Engine) {
        let platform = Platform::start(&engine).await;
        let archive = platform.service("archive");
        let accounts: Vec<String> = rows(&archive.get("/api/companies").await.ok()).iter().map(|company| text(company, "account_number").to_owned()).collect();
        assert_eq!(accounts, ["204001", "204002"]);
        for account in accounts {
            assert_eq!(text(&archive.get(&format!("/api/company/{account}")).await.ok(), "account_number"), account);
        }
    }

    async fn nexus_and_core_ask_how_a_person_likes_it(engine: Engine) {
        let platform = Platform::start(&engine).await;
        let nexus = platform.service("nexus");
        let person = platform.core.token(&user_claims("tess", "Tess@MSP.example.com", "technician"));
        let browser = platform.app.with_token(&person);
        // The button in every page that passes through Nexus, before and after it is pressed.
        for (theme, press) in [("light", false), ("dark", true)] {
            if press {
                browser.put("/codex/api/my/settings", &json!({"theme_preference": "dark"})).await.status(200);
            }
            let answer = nexus.get("/api/public/user/theme?email=tess%40msp.example.com").await.ok();
            assert_eq!(text(&answer, "theme"), theme);
            let colours = ["purple", "blue", "green", "orange", "gold", "red", "yellow", "matrix", "bee"];
            assert!(colours.contains(&text(&answer, "color_theme")));
        }
        // Core asks with the token of the person who signs in.
        let home = browser.get("/api/public/user/home-page?email=tess%40msp.example.com").await.ok();
        assert_eq!(text(&home, "home_page"), "beacon");
        // KnowledgeTree's page keeps its view there, from the browser.
        browser.put("/codex/api/my/settings", &json!({"knowledgetree_view_preference": "list"})).await.status(200);
        assert_eq!(text(&browser.get("/codex/api/my/settings").await.ok(), "knowledgetree_view_preference"), "list");
        platform.app.anonymous().get("/api/public/user/theme?email=x").await.status(401);
    }

    async fn helm_watches_and_its_page_lists_the_agents(engine: Engine) {
        let platform = Platform::start(&engine).await;
        let watched = platform.app.anonymous().get("/health").await;
        assert_eq!((watched.status, watched.json()["status"].is_string()), (200, true));
        let admin = platform.admin();
        admin.get("/api/my/settings").await.ok();
        let agents = admin.get("/api/agents").await.ok();
        let ada = rows(index(&agents, "agents")).iter().find(|agent| agent["email"] == "ada@example.com").expect("made from her token");
        let id = text(ada, "keycloak_id");
        assert_eq!(admin.get(&format!("/api/agents/{id}")).await.ok()["username"], "ada");
        let set = admin.put(&format!("/api/agents/{id}/settings"), &json!({"theme_preference": "dark"})).await.status(200).json();
        assert_eq!((&set["success"], &set["agent"]["theme_preference"]), (&json!(true), &json!("dark")));
        assert_eq!(admin.get("/api/agents/nobody").await.status(404).error(), "Agent not found");
    }
}
