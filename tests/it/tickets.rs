//! Tickets as neighbours read them (contract §1.1.9, §1.6, §7.6), and who may read what of them.

use serde_json::{Value, json};

use crate::freshservice::{Freshservice, State, change, conversation, department, requester, ticket as record, time_entry};
use crate::support::{Api, App, Engine, Pull, both, eventually};

/// Stands in every text of the protected company's ticket.
const CANARY: &str = "Quetzalcoatl";
/// Departments: an ordinary one, a protected one.
const OPEN: i64 = 21_000_100_001;
const WARD: i64 = 21_000_100_002;
const AGENT: i64 = 21_000_900_001;

/// Hours before now, in seconds since 1970.
fn before(hours: i64) -> i64 {
    jiff::Timestamp::now().as_second() - hours * 3600
}

fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A ticket that has moved so many hours ago.
fn ticket(id: i64, requester: i64, department: Option<i64>, status: i64, hours: i64) -> Value {
    let mut ticket = record(id, requester, department, status, before(hours + 1));
    ticket["updated_at"] = json!(time(before(hours)));
    ticket["priority"] = json!(1);
    ticket
}

fn world() -> State {
    let mut state = State {
        departments: vec![department(OPEN, "Open Books", Some(204_001)), department(WARD, "Ward Clinic", Some(204_002))],
        requesters: vec![
            requester(21_000_300_001, "Ava", Some("Patel"), Some("ava@open.example"), &[OPEN]),
            requester(21_000_300_002, CANARY, Some("Ward"), Some("quetzalcoatl@ward.example"), &[WARD]),
        ],
        ..State::default()
    };
    state.tickets = vec![
        ticket(1, 21_000_300_001, Some(OPEN), 2, 1),
        ticket(2, 21_000_300_001, Some(OPEN), 5, 400 * 24),
        ticket(3, 21_000_300_001, None, 99, 2),
        ticket(4, 21_000_300_002, Some(WARD), 26, 3),
        ticket(5, 21_000_300_001, Some(OPEN), 8, 4),
    ];
    state.tickets[0]["responder_id"] = json!(AGENT);
    state.tickets[0]["group_id"] = json!(21_000_061_289_i64);
    state.tickets[2]["priority"] = Value::Null;
    state.tickets[2]["description"] = Value::Null;
    state.tickets[2]["description_text"] = Value::Null;
    for field in ["subject", "description", "description_text"] {
        state.tickets[3][field] = json!(format!("{CANARY} is ill"));
    }
    let said = |id, ticket, text: &str, private| conversation(id, ticket, text, private, before(1));
    state.conversations.insert(1, vec![said(71, 1, "It is on now", false), said(72, 1, "Among us: unplugged", true)]);
    state.conversations.insert(4, vec![said(74, 4, CANARY, false), said(75, 4, CANARY, true)]);
    state.time_entries.insert(1, vec![time_entry(81, "01:30", before(1))]);
    state.changes = vec![change(9, 21_000_300_001, Some(OPEN), before(5))];
    state
}

async fn pulled(engine: &Engine) -> Pull {
    let pull = Pull::pulled(engine, world()).await;
    let level = json!({"compliance_level": "hipaa"});
    pull.app.admin().put("/api/companies/204002", &level).await.status(200);
    pull.app.cli().run_beside(&["sync", "tickets"]).await.code(0);
    pull
}

fn service(app: &App, name: &str) -> Api {
    let token = app.cli().run(&["token", "create", "--service", name]).success().stdout;
    app.with_token(token.trim())
}

async fn ids(api: &Api, path: &str) -> Vec<i64> {
    let found = api.get(path).await.ok();
    let list = found.get("tickets").unwrap_or(&found).as_array().unwrap().clone();
    list.iter().map(|ticket| ticket["id"].as_i64().unwrap()).collect()
}

/// Every time in an answer has its zone, wherever it stands.
fn has_zones(value: &Value) {
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| {
            if let (true, Some(at)) =
                (name.contains("_at") || name.ends_with("due_by"), value.as_str().filter(|at| at.starts_with("20")))
            {
                assert!(at.len() == 20 && at.ends_with('Z'), "{name}: {at}");
            }
            has_zones(value);
        }),
        Value::Array(items) => items.iter().for_each(has_zones),
        _ => {}
    }
}

both! {
    async fn neighbours_read_tickets_as_they_always_did(engine: Engine) {
        let pull = pulled(&engine).await;
        let api = service(&pull.app, "beacon");

        // Brainhair's list.
        let list = api.get("/api/tickets").await.ok();
        assert_eq!((list["count"].as_i64(), list["total"].as_i64(), list["limit"].as_i64(), list["offset"].as_i64()), (Some(5), Some(5), Some(50), Some(0)));
        assert_eq!(ids(&api, "/api/tickets").await, [1, 3, 4, 5, 2], "what changed last comes first");
        for ticket in list["tickets"].as_array().unwrap() {
            for key in ["id", "subject", "status", "priority", "company_id", "last_updated_at", "total_hours_spent", "company_compliance_level"] {
                assert!(ticket.get(key).is_some(), "{key} is missing in {ticket}");
            }
        }
        let first = &list["tickets"][0];
        assert_eq!((first["company_id"].as_str(), first["status"].as_str(), first["total_hours_spent"].as_f64()), (Some("204001"), Some("open"), Some(1.5)));
        assert_eq!(first["requester_name"], "Ava Patel");
        has_zones(&list);
        assert_eq!(ids(&api, "/api/tickets?limit=2&offset=1").await, [3, 4]);
        assert_eq!(ids(&api, "/api/tickets?limit=abc&company_id=204001").await, [1, 5, 2]);
        for (status, want) in [("Open", vec![1]), ("CUSTOMER replied", vec![4]), ("customer-replied", vec![4]), ("26", vec![4]),
            ("99", vec![3]), ("in_progress", vec![4, 5]), ("active", vec![1, 3, 4, 5]), ("nothing", vec![])] {
            assert_eq!(ids(&api, &format!("/api/tickets?status={}", status.replace(' ', "%20"))).await, want, "{status}");
        }
        assert_eq!(ids(&api, "/api/tickets?priority=Low&q=ava").await, [1, 5, 2]);

        // One ticket, with what was said.
        let one = api.get("/api/ticket/1").await.ok();
        for key in ["id", "subject", "status", "priority", "requester_name", "requester_email", "created_at", "last_updated_at", "company_name", "description"] {
            assert!(!one[key].is_null(), "{key} is missing in {one}");
        }
        assert_eq!((one["conversations"][0]["body"].as_str(), one["notes"][0]["text"].as_str()), (Some("It is on now"), Some("Among us: unplugged")));
        assert_eq!((one["conversations"][0]["user"].as_str(), one["agent_name"].as_str()), (Some("Riley Stone"), Some("Riley Stone")));
        // The vendor gives no address with a note; neighbours print it.
        let address = one["conversations"][0]["from_email"].as_str();
        assert!(address.is_some_and(|address| address.starts_with("riley")), "{address:?}");
        assert!(one.get("error").is_none());
        assert_eq!(api.get("/api/freshservice/ticket/1").await.ok()["id"], 1);
        assert_eq!(api.get("/api/ticket/word").await.status, 404);
        let odd = api.get("/api/ticket/3").await.ok();
        assert_eq!((odd["company_id"].is_null(), odd["status"].as_str(), odd["priority_text"].as_str()), (true, Some("unknown"), Some("Unknown")));

        // KnowledgeTree and Ledger.
        let told = api.get("/api/companies/204001/tickets").await.ok();
        let told = told.as_array().unwrap();
        assert_eq!(told.iter().map(|ticket| ticket["ticket_id"].as_i64().unwrap()).collect::<Vec<_>>(), [1, 5, 2]);
        for ticket in told {
            assert!(ticket["total_hours_spent"].is_f64() && ticket["conversations"].is_array() && ticket["notes"].is_array(), "{ticket}");
            assert!(ticket["last_updated_at"].as_str().unwrap().ends_with('Z'));
        }
        let year = &told[2]["last_updated_at"].as_str().unwrap()[..4];
        let of_year = api.get(&format!("/api/companies/204001/tickets?year={year}")).await.ok();
        assert_eq!(of_year.as_array().unwrap().len(), told.iter().filter(|ticket| ticket["last_updated_at"].as_str().unwrap().starts_with(year)).count());
        let bulk = api.get(&format!("/api/companies/bulk?include_tickets=TRUE&year={year}")).await.ok();
        let item = bulk.as_array().unwrap().iter().find(|item| item["company"]["account_number"] == "204001").unwrap();
        assert_eq!(item["tickets"], of_year);
        assert!(api.get("/api/companies/bulk").await.ok()[0].get("tickets").is_none());

        // Beacon.
        let board = api.get("/api/tickets/active").await.ok();
        let numbers = |section: &str| board[section].as_array().unwrap().iter().map(|ticket| ticket["id"].as_i64().unwrap()).collect::<Vec<_>>();
        assert_eq!(["section1", "section2", "section3", "section4"].map(numbers), [vec![1], vec![4], vec![], vec![5, 3]]);
        assert_eq!((board["total_active"].as_i64(), board["section1"][0]["group_id"].as_i64(), board["section1"][0]["responder_id"].as_i64()),
            (Some(4), Some(21_000_061_289), Some(AGENT)));
        assert!(board["last_sync_time"].as_str().unwrap().ends_with('Z') && board["last_updated"].as_str().unwrap().ends_with("+00:00"));
        let unknown = &board["section4"][1];
        assert_eq!((unknown["priority_text"].as_str(), unknown["agent_name"].as_str(), unknown["company_id"].is_null()), (Some("Unknown"), Some("Unassigned"), true));
        assert_eq!(api.get(&format!("/api/tickets/active?responder_id={AGENT}")).await.ok()["total_active"], 1);
        let config = api.get("/api/psa/config").await.ok();
        let provider = &config["providers"][config["default_provider"].as_str().unwrap()];
        assert!(provider["ticket_url_template"].as_str().unwrap().ends_with("/a/tickets/{ticket_id}"));
        assert!(provider["group_ids"].get("professional_services").is_some());

        // The other doors to the same.
        assert_eq!(ids(&api, "/api/freshservice/tickets?limit=2").await, [1, 3]);
        let psa = api.get("/api/psa/tickets?company=204001&status=open").await.ok();
        assert_eq!((psa.as_array().unwrap().len(), psa[0]["external_id"].as_i64(), psa[0]["total_hours"].as_f64()), (1, Some(1), Some(1.5)));
        assert_eq!(api.get("/api/psa/tickets/active").await.ok()[0]["responder_name"], "Riley Stone");
        assert_eq!(api.get("/api/freshservice/agents").await.ok(), json!([{"id": AGENT, "name": "Riley Stone"}]));
        assert_eq!(api.get("/api/config/freshservice_domain").await.ok()["value"], pull.vendor.url().trim_start_matches("http://"));
        let change = api.get("/api/change_requests").await.ok();
        assert_eq!((change[0]["id"].as_i64(), change[0]["company_id"].as_str()), (Some(9), Some("204001")));
        assert_eq!(api.get("/api/change_requests/9").await.ok(), change[0]);
        assert_eq!(api.get("/api/search?q=cannot").await.ok()["tickets"].as_array().unwrap().len(), 4);
        assert!(api.get("/api/tickets?format=csv&fields=id,subject").await.status(200).text().starts_with("id,subject"));
    }

    async fn an_empty_database_has_no_tickets(engine: Engine) {
        let app = App::start_on(&engine).await;
        let api = app.service();
        assert_eq!(api.get("/api/tickets").await.ok(), json!({"tickets": [], "count": 0, "total": 0, "offset": 0, "limit": 50}));
        let board = api.get("/api/tickets/active").await.ok();
        assert_eq!((board["total_active"].as_i64(), board["last_sync_time"].is_null()), (Some(0), true));
        for path in ["/api/freshservice/tickets", "/api/psa/tickets", "/api/psa/tickets/active", "/api/freshservice/agents", "/api/change_requests"] {
            assert_eq!(api.get(path).await.ok(), json!([]), "{path}");
        }
        assert_eq!(api.get("/api/ticket/7").await.status(404).error(), "Ticket not found");
        assert_eq!(api.get("/api/psa/config").await.ok()["default_provider"], Value::Null);
        assert_eq!(api.post("/api/ticket/7/update", &json!({"status": "closed"})).await.status(404).error(), "Ticket not found");
    }

    async fn a_client_reads_their_own_tickets_and_no_colleagues_notes(engine: Engine) {
        let pull = pulled(&engine).await;
        let client = pull.app.client_of("cleo", "204001").await;
        assert_eq!(ids(&client, "/api/tickets").await, [1, 5, 2]);
        assert_eq!(client.get("/api/tickets/active").await.ok()["total_active"], 2);
        let own = client.get("/api/ticket/1").await.ok();
        assert_eq!((own["conversations"].as_array().unwrap().len(), own["notes"].clone()), (1, json!([])));
        for number in [3, 4, 77] {
            assert_eq!(client.get(&format!("/api/ticket/{number}")).await.status, 404);
        }
        assert_eq!(client.get("/api/companies/204002/tickets").await.status, 404);
        for path in ["/api/tickets", "/api/ticket/1", "/api/companies/204001/tickets", "/api/companies/bulk?include_tickets=true", "/tickets/1", "/tickets/", "/companies/204001"] {
            let told = client.get(path).await.status(200).text();
            assert!(!told.contains("Among us") && !told.contains(CANARY) && !told.contains("Ward"), "{path}: {told}");
        }
        client.post("/api/ticket/1/update", &json!({"notes": "mine"})).await.status(403);
    }

    async fn what_protected_people_wrote_reaches_no_uncleared_caller(engine: Engine) {
        let pull = pulled(&engine).await;
        for caller in [service(&pull.app, "brainhair"), pull.app.billing()] {
            for path in ["/api/tickets", "/api/tickets?q=quetz", "/api/tickets?subject__ic=quetz", "/api/tickets?format=csv", "/api/tickets/active",
                "/api/ticket/4", "/api/freshservice/ticket/4", "/api/companies/204002/tickets", "/api/companies/bulk?include_tickets=true",
                "/api/freshservice/tickets", "/api/psa/tickets", "/api/search?q=quetz", "/api/changes?limit=1000", "/api/history/ticket/4", "/tickets/", "/tickets/4", "/"] {
                let told = caller.get(path).await;
                assert!(told.status < 500 && !told.text().to_lowercase().contains("quetz"), "{path}: {} {}", told.status, told.text());
            }
            let one = caller.get("/api/ticket/4").await.ok();
            assert_eq!((one["subject"].as_str(), one["description"].is_null(), one["conversations"].clone()), (Some("Hidden: HIPAA client"), true, json!([])));
            assert!(ids(&caller, "/api/tickets?q=quetz").await.is_empty());
        }
        let cleared = service(&pull.app, "knowledgetree").get("/api/companies/204002/tickets").await.ok();
        assert_eq!((cleared[0]["conversations"][0]["body"].as_str(), cleared[0]["notes"][0]["text"].as_str()), (Some(CANARY), Some(CANARY)));
        let tightened = service(&pull.app, "knowledgetree").get("/api/ticket/1?filter=phi").await.ok();
        assert_eq!((tightened["description"].is_null(), tightened["subject"].as_str()), (true, Some("Hidden: HIPAA client")));
        let log = pull.app.log();
        assert!(log.contains("disclosure") && !log.contains(CANARY), "{log}");
    }

    async fn what_is_written_here_outlives_syncs_and_poisons_nothing(engine: Engine) {
        let pull = pulled(&engine).await;
        let api = service(&pull.app, "brainhair");
        let before = api.get("/api/ticket/1").await.ok();
        let done = api.post("/api/ticket/1/update", &json!({"status": "Waiting on Customer", "notes": "rang them", "assigned_to": "ada"})).await.ok();
        assert_eq!((done["success"].as_bool(), done["ticket_id"].as_i64(), done["message"].as_str()), (Some(true), Some(1), Some("Ticket updated successfully")));
        pull.vendor.world(|world| {
            world.change(1, |ticket| ticket["priority"] = json!(4));
            world.tickets.push(ticket(6, 21_000_300_001, Some(OPEN), 2, 0));
        });
        pull.app.cli().run_beside(&["sync", "tickets"]).await.code(0);
        let after = api.get("/api/ticket/1").await.ok();
        assert_eq!((after["status"].as_str(), after["status_id"].as_i64(), after["priority"].as_str()), (Some("waiting_customer"), Some(9), Some("urgent")));
        let note = after["notes"].as_array().unwrap().iter().find(|note| note["text"] == "rang them").unwrap();
        assert!(note["created_at"].as_str().unwrap().ends_with('Z') && note["user"] == "brainhair", "{note}");
        assert_eq!(after["notes"].as_array().unwrap().len(), 2, "the vendor's note stays beside ours");
        assert!(after["local_updated_at"].is_string() && before["local_updated_at"].is_null());
        assert_eq!(api.get("/api/ticket/6").await.ok()["status"], "open", "what came after our own write is not skipped");
        let row = after["row_id"].as_i64().unwrap();
        assert_eq!(api.get(&format!("/api/pins/ticket/{row}")).await.ok(), json!(["status", "status_id"]));
        for field in ["status", "status_id"] {
            api.delete(&format!("/api/pins/ticket/{row}/{field}")).await.status(200);
        }
        pull.vendor.world(|world| world.change(1, |ticket| ticket["priority"] = json!(3)));
        pull.app.cli().run_beside(&["sync", "tickets"]).await.code(0);
        assert_eq!(api.get("/api/ticket/1").await.ok()["status"], "open", "unpinned, it follows the vendor again");
    }

    async fn what_is_written_here_reaches_the_vendor_where_that_is_wanted(engine: Engine) {
        let vendor = Freshservice::start(world()).await;
        let app = App::builder(&engine).configuration("[freshservice]\npush_ticket_updates = yes\n").freshservice(&vendor).start().await;
        let pull = Pull { app, vendor };
        pull.run(&[]).await.code(0);
        pull.app.cli().run_beside(&["sync", "tickets"]).await.code(0);
        let api = pull.app.technician();
        api.post("/api/ticket/1/update", &json!({"status": "waiting on customer", "notes": "Waiting for <parts>"})).await.status(200);
        let arrived = |world: &mut State| world.tickets[0]["status"] == 9 && world.conversations[&1].len() == 3;
        eventually("the write arrives", 30, || async { pull.vendor.world(arrived) }).await;
        let ticket = api.get("/api/ticket/1").await.ok();
        let pins = format!("/api/pins/ticket/{}", ticket["row_id"]);
        eventually("the pin is released", 30, || async { api.get(&pins).await.ok() == json!([]) }).await;
        for _ in 0..2 {
            pull.app.cli().run_beside(&["sync", "tickets"]).await.code(0);
        }
        let ticket = api.get("/api/ticket/1").await.ok();
        let notes: Vec<&Value> = ticket["notes"].as_array().unwrap().iter().filter(|note| note["text"].as_str().unwrap().contains("parts")).collect();
        assert_eq!((ticket["status"].as_str(), notes.len()), (Some("waiting_customer"), 1), "{ticket}");
        let written = pull.vendor.world(|world| world.writes.len());
        assert_eq!(written, 2, "one status and one note, each sent once");
    }

    async fn a_ticket_that_is_not_stored_comes_from_the_vendor(engine: Engine) {
        let mut pull = pulled(&engine).await;
        pull.vendor.world(|world| {
            world.tickets.push(ticket(7, 21_000_300_001, Some(OPEN), 3, 0));
            world.conversations.insert(7, vec![conversation(97, 7, "Hello", false, before(0))]);
        });
        let api = service(&pull.app, "beacon");
        let (stored, live) = (api.get("/api/ticket/1").await.ok(), api.get("/api/ticket/7").await.ok());
        assert_eq!(live.as_object().unwrap().keys().collect::<Vec<_>>(), stored.as_object().unwrap().keys().collect::<Vec<_>>());
        assert_eq!((live["id"].as_i64(), live["company_id"].as_str(), live["status"].as_str(), live["requester_name"].as_str()), (Some(7), Some("204001"), Some("pending"), Some("Ava Patel")));
        assert_eq!((live["conversations"][0]["text"].as_str(), live["source"].as_str()), (Some("Hello"), Some("freshservice")));
        assert_eq!(api.get("/api/ticket/4242").await.status(404).error(), "Ticket not found");
        pull.vendor.go_away();
        assert_eq!(api.get("/api/ticket/8").await.status, 502);
        assert_eq!(api.get("/api/ticket/1").await.status, 200);
    }

    async fn the_pages_of_tickets_work(engine: Engine) {
        let pull = pulled(&engine).await;
        let page = pull.app.technician();
        let list = page.get("/tickets/?status=active&sort=-priority").await.status(200).text();
        assert!(list.contains("Ticket 1: cannot print") && list.contains("Open work") && !list.contains("Ticket 2: cannot print"), "{list}");
        let one = page.get("/tickets/1").await.status(200).text();
        for word in ["It is on now", "Among us: unplugged", "Riley Stone", "1:30", "Open Books", "History"] {
            assert!(one.contains(word), "{word} is missing: {one}");
        }
        let saved = page.post_raw("/tickets/1/update", "application/x-www-form-urlencoded", "status=on_hold&notes=Waiting%20for%20parts").await;
        assert_eq!((saved.status, saved.header("location")), (303, "/tickets/1"));
        let one = page.get("/tickets/1").await.status(200).text();
        assert!(one.contains("Waiting for parts") && one.contains("On Hold"), "{one}");
        assert!(page.get("/companies/204001").await.status(200).text().contains("Ticket 5: cannot print"));
        assert!(page.get("/").await.status(200).text().contains("Open tickets"));
        assert!(page.get("/search?q=cannot").await.status(200).text().contains("/tickets/1"));
        pull.app.billing().get("/tickets/1").await.status(200);
    }
}
