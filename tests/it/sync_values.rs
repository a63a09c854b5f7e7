//! What vendors say, and what becomes of it: broken letters, days, losses that are too many at once.

use serde_json::{Value, json};

use crate::datto;
use crate::freshservice::{self, Plan, State, conversation, requester};
use crate::support::{Engine, Fleet, Output, Pull, both};

/// Half of a character beyond the first plane, as an escape; bytes that are no UTF-8.
const RAW: [(&str, &[u8]); 2] = [("@half@", br"\ud83d"), ("@bytes@", b"\xff\xfe")];

/// The plan that waits.
async fn waiting(pull: &Pull) -> Value {
    let plans = pull.app.cli().run_beside(&["sync", "plans", "--json"]).await.json();
    let waiting: Vec<Value> = plans.as_array().unwrap().iter().filter(|plan| plan["status"] == "held").cloned().collect();
    assert_eq!(waiting.len(), 1, "one plan waits: {plans}");
    waiting[0].clone()
}

async fn decide(pull: &Pull, verb: &str) -> Output {
    let id = waiting(pull).await["id"].to_string();
    pull.app.cli().run_beside(&["sync", verb, &id]).await
}

fn everybody(pull: &Pull, list: fn(&mut State) -> &mut Vec<Value>, change: impl Fn(usize, &mut Value)) {
    pull.vendor.world(|state| {
        let stamp = state.tick();
        for (at, record) in list(state).iter_mut().enumerate() {
            change(at, record);
            record["updated_at"] = json!(stamp);
        }
    });
}

fn count(pull: &Pull, sql: &str) -> i64 {
    pull.app.database.number(sql)
}

const MEMBERS: &str = "SELECT count(*) FROM contact_companies";
const ACTIVE: &str = "SELECT count(*) FROM contacts WHERE active AND retired_at IS NULL";

both! {
    async fn a_broken_letter_costs_neither_the_page_nor_the_record(engine: Engine) {
        let mut psa = Plan::sized(4, 12).with_tickets(8).with_assets(3).build();
        psa.faults.raw = RAW.to_vec();
        psa.departments[0]["name"] = json!("Acme@half@ Dental");
        psa.departments[1]["custom_fields"]["phone_system"] = json!("PBX@bytes@");
        for (at, (field, said)) in [
            ("first_name", json!("Bo@half@")), ("first_name", json!("C@bytes@y")), ("first_name", json!("D\u{0}d")), ("first_name", json!(42)),
            ("job_title", json!({"a": 1})),
        ].into_iter().enumerate() {
            psa.requesters[at][field] = said;
        }
        let mut nobody = psa.requesters[0].clone();
        (nobody["id"], nobody["first_name"]) = (Value::Null, json!("Nobody"));
        psa.requesters.push(nobody);
        psa.agents[0]["last_name"] = json!("Sto@half@ne");
        psa.assets[0]["type_fields"]["os_21000380002"] = json!("Windows\u{0} 11@half@");
        psa.assets[1]["type_fields"]["hostname_21000380002"] = json!(1234);
        psa.tickets[0]["subject"] = json!("Print@half@er");
        psa.tickets[2]["subject"] = json!(77);
        psa.conversations.insert(1, vec![conversation(9_000_001, 1, "Hel@bytes@lo", false, 1_760_000_000)]);
        let mut rmm = datto::Plan::sized(4, 10, 2).build();
        rmm.faults.raw = RAW.to_vec();
        rmm.sites[0]["name"] = json!("Si@half@te");
        rmm.devices[0]["hostname"] = json!("PC@bytes@1");
        rmm.devices[1]["hostname"] = json!(4711);
        // One that Freshservice knows by its serial number and one that nobody knows.
        rmm.devices[2]["hostname"] = Value::Null;
        rmm.devices[5]["hostname"] = Value::Null;
        rmm.devices[3]["description"] = json!("a\u{0}b@half@");
        let fleet = Fleet::start(&engine, psa, rmm).await;

        let output = fleet.sync(&["freshservice", "--json"]).await;
        let report = output.json();
        assert_eq!((output.code, &report["skipped"]), (0, &json!(1)), "{}", output.stdout);
        let cleaned = report["cleaned_records"].to_string();
        for record in ["department ", "requester ", "agent ", "asset "] {
            assert!(cleaned.contains(record), "{record} in {cleaned}");
        }
        assert_eq!(report["cleaned"], 7, "{cleaned}");
        let names = |rows: &[Value], field: &str| -> Vec<String> { rows.iter().filter_map(|row| row[field].as_str().map(str::to_owned)).collect() };
        let contacts = fleet.list("/api/contacts").await;
        assert_eq!(contacts.len(), 12, "nobody is lost but the one without an id");
        let first = names(&contacts, "first_name");
        for name in ["Bo\u{fffd}", "C\u{fffd}\u{fffd}y", "Dd", "42"] {
            assert!(first.iter().any(|known| known == name), "{name:?} in {first:?}");
        }
        assert!(report["items"].to_string().contains("first_name came as a number"), "{}", report["items"]);
        assert!(names(&fleet.list("/api/companies").await, "name").contains(&"Acme\u{fffd} Dental".to_owned()));
        let assets = fleet.list("/api/assets").await;
        assert!(names(&assets, "hostname").contains(&"1234".to_owned()) && assets.len() == 3, "{assets:?}");
        let text = fleet.sync(&["freshservice"]).await.code(0).stdout;
        assert!(text.contains("7 records had broken characters, which were replaced:"), "{text}");

        let output = fleet.sync(&["tickets", "--json"]).await;
        let cleaned = output.json()["cleaned_records"].to_string();
        assert_eq!(output.code, 0, "{}", output.stdout);
        assert!(cleaned.contains("ticket 1: broken characters in subject") && cleaned.contains("conversation 9000001"), "{cleaned}");
        let subjects = fleet.app.database.texts("SELECT subject FROM tickets ORDER BY external_id");
        assert!(subjects.contains(&"Print\u{fffd}er".to_owned()) && subjects.contains(&"77".to_owned()), "{subjects:?}");
        assert!(fleet.app.database.texts("SELECT body_text FROM ticket_conversations").contains(&"Hel\u{fffd}\u{fffd}lo".to_owned()));

        let output = fleet.sync(&["datto", "--json"]).await;
        let report = output.json();
        assert_eq!((output.code, &report["skipped"]), (0, &json!(0)), "{}", output.stdout);
        let cleaned = report["cleaned_records"].to_string();
        assert!(cleaned.contains("site ") && cleaned.contains("device "), "{cleaned}");
        let hosts = fleet.app.database.texts("SELECT hostname FROM assets WHERE rmm_site_name IS NOT NULL");
        assert_eq!(hosts.len(), 10, "{hosts:?}");
        assert!(hosts.contains(&"PC\u{fffd}\u{fffd}1".to_owned()) && hosts.contains(&"4711".to_owned()), "{hosts:?}");
        let unnamed: Vec<&String> = hosts.iter().filter(|host| host.starts_with("Device ")).collect();
        assert!(unnamed.len() == 1 && hosts.contains(&"SRV-A00002".to_owned()), "{hosts:?}");
        let head = fleet.head();
        for job in ["freshservice", "tickets", "datto"] {
            fleet.sync(&[job]).await.code(0);
        }
        assert_eq!(fleet.head(), head, "the same broken letters again change nothing");
    }

    async fn memberships_that_vanish_for_everybody_wait_and_the_rest_goes_on(engine: Engine) {
        let pull = Pull::pulled(&engine, Plan::sized(10, 60).build()).await;
        let (members, active) = (count(&pull, MEMBERS), count(&pull, ACTIVE));
        assert!(members >= 50);
        everybody(&pull, |state| &mut state.requesters, |_, person| {
            person["department_ids"] = json!([]);
            person["job_title"] = json!("Boss");
        });
        let output = pull.run(&[]).await;
        assert_eq!((output.code, count(&pull, MEMBERS)), (7, members), "{}", output.stdout);
        assert_eq!(count(&pull, "SELECT count(*) FROM contacts WHERE job_title = 'Boss'"), 60, "the rest of the plan goes on");
        let plan = waiting(&pull).await;
        let because = plan["held_because"].as_str().unwrap();
        assert!(because.contains("contacts would leave a company (limit 3)"), "{because}");
        // Again: the same waits, and nothing else is done.
        let head = pull.head();
        assert_eq!((pull.run(&[]).await.code, pull.head()), (7, head));
        // A row that was edited meanwhile is approved all the same: what waits is compared by its values.
        let one = pull.contacts().await[0]["id"].to_string();
        pull.app.technician().put(&format!("/api/contacts/{one}"), &json!({"employment_type": "Part Time"})).await.ok();
        decide(&pull, "approve").await.code(0);
        assert_eq!(count(&pull, MEMBERS), 0, "approved");
        assert_eq!(pull.run(&[]).await.code, 0);

        everybody(&pull, |state| &mut state.requesters, |_, person| person["active"] = json!(false));
        assert_eq!((pull.run(&[]).await.code, count(&pull, ACTIVE)), (7, active));
        assert!(waiting(&pull).await["held_because"].as_str().unwrap().contains("contacts would be switched off"));
        decide(&pull, "discard").await.code(0);
        assert_eq!(count(&pull, ACTIVE), active);
        everybody(&pull, |state| &mut state.requesters, |_, person| person["active"] = json!(true));
        assert_eq!(pull.run(&[]).await.code, 0, "the vendor took it back");

        // A few are the daily business: no more than three of a small account.
        everybody(&pull, |state| &mut state.requesters, |at, person| person["active"] = json!(at >= 3));
        assert_eq!((pull.run(&[]).await.code, count(&pull, ACTIVE)), (0, 57));
        // With --yes it is one's own decision.
        everybody(&pull, |state| &mut state.requesters, |_, person| person["active"] = json!(false));
        assert_eq!((pull.run(&["--yes"]).await.code, count(&pull, ACTIVE)), (0, 0));
    }

    async fn whatever_is_emptied_or_moved_for_everybody_waits(engine: Engine) {
        let pull = Pull::pulled(&engine, Plan::sized(8, 40).with_assets(12).build()).await;
        let first = pull.vendor.world(|state| {
            for at in 1..6 {
                state.agents.push(freshservice::State::default().agents[0].clone());
                let agent = state.agents.last_mut().unwrap();
                (agent["id"], agent["email"]) = (json!(21_000_900_001_i64 + at), json!(format!("agent{at}@msp.example.com")));
            }
            let departments = state.ids("departments");
            for agent in &mut state.agents {
                agent["department_ids"] = json!([departments[0], departments[1]]);
            }
            for (at, asset) in state.assets.iter_mut().enumerate() {
                asset["department_id"] = json!(departments[at % 8]);
                asset["user_id"] = state.requesters[at]["id"].clone();
            }
            departments[0]
        });
        pull.run(&["--yes"]).await.code(0);
        let people = "SELECT count(*) FROM asset_contacts";
        let owned = "SELECT count(*) FROM assets WHERE company_id IS NOT NULL";
        assert_eq!((count(&pull, people), count(&pull, owned)), (12, 12));

        // Everybody to one company: departments of people, of assets; agents lose theirs; mail goes.
        everybody(&pull, |state| &mut state.requesters, |_, person| {
            person["department_ids"] = json!([first]);
            person["primary_email"] = Value::Null;
        });
        everybody(&pull, |state| &mut state.agents, |_, agent| agent["department_ids"] = json!([]));
        everybody(&pull, |state| &mut state.departments, |_, company| {
            company["domains"] = json!([]);
            company["custom_fields"]["plan_selected"] = Value::Null;
        });
        let before = (count(&pull, MEMBERS), count(&pull, "SELECT count(DISTINCT company_id) FROM contact_companies"));
        let silent = "SELECT count(*) FROM contacts WHERE email = '' AND retired_at IS NULL";
        let without = count(&pull, silent);
        let output = pull.run(&[]).await;
        assert_eq!(output.code, 7, "{}", output.stdout);
        let because = waiting(&pull).await["held_because"].as_str().unwrap().to_owned();
        for part in ["contacts would leave a company", "contacts would lose their email", "agents would lose departments", "companies would lose their domains", "companies would lose their plan"] {
            assert!(because.contains(part), "{part} in {because}");
        }
        let now = (count(&pull, MEMBERS), count(&pull, "SELECT count(DISTINCT company_id) FROM contact_companies"));
        assert_eq!(now, before);
        assert_eq!(count(&pull, silent), without);
        decide(&pull, "approve").await.code(0);
        assert_eq!(count(&pull, "SELECT count(DISTINCT company_id) FROM contact_companies"), 1);
        assert_eq!(pull.run(&[]).await.code, 0);

        // The same of assets: whose they are, and who uses them.
        everybody(&pull, |state| &mut state.assets, |_, asset| {
            (asset["department_id"], asset["user_id"]) = (Value::Null, Value::Null);
            asset["asset_tag"] = json!(null);
        });
        let output = pull.run(&[]).await;
        assert_eq!(output.code, 7, "{}", output.stdout);
        assert_eq!((count(&pull, people), count(&pull, owned)), (12, 12));
        let because = waiting(&pull).await["held_because"].as_str().unwrap().to_owned();
        for part in ["12 of 12 assets would lose or change their company", "12 of 12 assets would lose people who use them", "12 of 12 assets would lose their asset tag"] {
            assert!(because.contains(part), "{part} in {because}");
        }
        let head = pull.head();
        assert_eq!((pull.run(&[]).await.code, pull.head()), (7, head));
        decide(&pull, "approve").await.code(0);
        assert_eq!((count(&pull, people), count(&pull, owned)), (0, 0));
        let head = pull.head();
        assert_eq!((pull.run(&[]).await.code, pull.head()), (0, head));
        // Who is given back to them is no loss.
        everybody(&pull, |state| &mut state.assets, |_, asset| asset["department_id"] = json!(first));
        assert_eq!((pull.run(&[]).await.code, count(&pull, owned)), (0, 12));
    }

    async fn a_device_may_move_and_an_account_that_moves_waits(engine: Engine) {
        let psa = Plan::sized(6, 5).build();
        let fleet = Fleet::pulled(&engine, psa, datto::Plan::sized(6, 30, 0).build()).await;
        let owned = "SELECT count(DISTINCT company_id) FROM assets";
        let before = fleet.app.database.number(owned);
        assert!(before > 3);
        fleet.rmm.world(|state| {
            let (devices, site) = (state.uids("devices"), state.uids("sites")[0].clone());
            devices.iter().for_each(|device| state.move_device(device, &site));
        });
        let output = fleet.sync(&["datto"]).await;
        assert_eq!(output.code, 7, "{}", output.stdout);
        assert!(output.stdout.contains("assets would lose or change their company"), "{}", output.stdout);
        assert_eq!(fleet.app.database.number(owned), before);
        assert_eq!(fleet.app.database.number("SELECT count(DISTINCT rmm_site_name) FROM assets"), 1, "the rest goes on");
        assert_eq!(fleet.sync(&["datto", "--yes"]).await.code, 0);
        assert_eq!(fleet.app.database.number(owned), 1);
    }

    async fn tickets_that_would_lose_their_company_or_requester_wait(engine: Engine) {
        let pull = Pull::pulled(&engine, Plan::sized(6, 40).with_tickets(60).build()).await;
        let sync = async |words: &[&str]| pull.app.cli().run_beside(&[&["sync", "tickets"], words].concat()).await;
        sync(&[]).await.code(0);
        let (owned, asked) = ("SELECT count(company_id) FROM tickets", "SELECT count(requester_id) FROM tickets");
        let before = (count(&pull, owned), count(&pull, asked));
        everybody(&pull, |state| &mut state.tickets, |_, ticket| {
            (ticket["department_id"], ticket["requester_id"]) = (Value::Null, Value::Null);
            ticket["subject"] = json!("Moved");
        });
        let output = sync(&[]).await;
        assert_eq!(output.code, 7, "{}", output.stdout);
        assert!(output.stdout.contains("changes wait for approval"), "{}", output.stdout);
        assert_eq!((count(&pull, owned), count(&pull, asked)), before);
        assert!(count(&pull, "SELECT count(*) FROM tickets WHERE subject = 'Moved'") >= 50, "the rest goes on");
        let plan = waiting(&pull).await;
        let because = plan["held_because"].as_str().unwrap();
        assert!(because.contains("tickets would lose or change their company") && because.contains("requester"), "{because}");
        // A later run that hears nothing new keeps it.
        assert_eq!((sync(&[]).await.code, waiting(&pull).await["id"].clone()), (7, plan["id"].clone()));
        decide(&pull, "approve").await.code(0);
        assert_eq!((count(&pull, owned), count(&pull, asked)), (0, 0));
        assert_eq!(sync(&[]).await.code, 0);
        // One ticket that changes hands is the daily business.
        let (department, person) = pull.vendor.world(|state| (state.ids("departments")[2], state.ids("requesters")[3]));
        for (department, person) in [(department, person), (pull.vendor.world(|state| state.ids("departments")[0]), person)] {
            pull.vendor.world(|state| state.change(1, |ticket| {
                (ticket["department_id"], ticket["requester_id"]) = (json!(department), json!(person));
            }));
            sync(&[]).await.code(0);
            let told = pull.app.database.texts("SELECT CAST(department_id AS TEXT) FROM tickets WHERE external_id = 1");
            assert_eq!(told, [department.to_string()]);
        }
        assert_eq!((count(&pull, owned), count(&pull, "SELECT count(*) FROM ticket_losses")), (1, 0));
    }

    async fn contracts_have_days_and_end_when_their_term_does(engine: Engine) {
        let mut world = Plan::sized(4, 3).build();
        let said = [("2024-02-29T00:00:00+02:00", "1 year"), ("2024-01-31T23:00:00-08:00", "3-Year"), ("15/01/2024", "2 years"), ("03/04/2024", "monthly")];
        for (department, (start, term)) in world.departments.iter_mut().zip(said) {
            (department["custom_fields"]["contract_start_date"], department["custom_fields"]["contract_term"]) = (json!(start), json!(term));
            department["custom_fields"]["contract_end_date"] = Value::Null;
            department["custom_fields"]["plan_selected"] = Value::Null;
        }
        let pull = Pull::pulled(&engine, world).await;
        let dates = |company: &Value| (company["contract_start_date"].as_str().map(str::to_owned), company["contract_end_date"].as_str().map(str::to_owned));
        let day = |start: &str, end: &str| (Some(start.to_owned()), Some(end.to_owned()));
        let ids = pull.vendor.world(|state| state.ids("departments"));
        let right = [day("2024-02-29", "2025-02-28"), day("2024-01-31", "2027-01-30"), day("2024-01-15", "2026-01-14"), (None, None)];
        for (id, right) in ids.iter().zip(&right) {
            assert_eq!(&dates(&pull.company_of(*id).await.unwrap()), right);
        }
        let head = pull.head();
        pull.run(&[]).await.code(0);
        assert_eq!(pull.head(), head, "a computed end is no news");
        // A start that a person entered ends with the vendor's term, and stays so.
        let staff = pull.app.technician();
        let last = pull.company_of(ids[3]).await.unwrap();
        let path = format!("/api/companies/{}", last["account_number"].as_str().unwrap());
        let edited = staff.put(&path, &json!({"contract_start_date": "2024-05-01T00:00:00+09:00", "contract_term": "2 Year"})).await.ok();
        assert_eq!(dates(&edited), day("2024-05-01", "2026-04-30"));
        pull.run(&[]).await.code(0);
        assert_eq!(dates(&pull.company_of(ids[3]).await.unwrap()), day("2024-05-01", "2026-04-30"));
        // An end that followed moves with its start and term, whoever changes them; one that somebody wrote stays.
        let path = format!("/api/companies/{}", pull.company_of(ids[2]).await.unwrap()["account_number"].as_str().unwrap());
        assert_eq!(dates(&staff.put(&path, &json!({"contract_start_date": "2026-02-01"})).await.ok()), day("2026-02-01", "2028-01-31"));
        pull.vendor.world(|state| state.change(ids[1], |department| {
            department["custom_fields"]["contract_start_date"] = json!("2027-01-31");
            department["custom_fields"].as_object_mut().unwrap().remove("contract_end_date");
        }));
        pull.run(&[]).await.code(0);
        assert_eq!(dates(&pull.company_of(ids[2]).await.unwrap()), day("2026-02-01", "2028-01-31"));
        assert_eq!(dates(&pull.company_of(ids[1]).await.unwrap()), day("2027-01-31", "2030-01-30"));

        // By the API: created and changed; a plan is text in every shape, never null.
        let made = staff.post("/api/companies", &json!({"account_number": "700001", "name": "Made", "contract_start_date": "2024-02-29", "contract_term_length": "4-Year"})).await.status(201).json();
        assert_eq!((dates(&made), &made["billing_plan"]), (day("2024-02-29", "2028-02-28"), &json!("")));
        let own = staff.put("/api/companies/700001", &json!({"contract_end_date": "2030-01-01"})).await.ok();
        assert_eq!(dates(&own), day("2024-02-29", "2030-01-01"), "an end that is set stands");
        let later = staff.put("/api/companies/700001", &json!({"contract_start_date": "2024-03-01"})).await.ok();
        assert_eq!(dates(&later), day("2024-03-01", "2030-01-01"), "also when the start is changed");
        let form = staff.put("/companies/700001/update", &json!({"contract_end_date": "", "contract_start_date": "2025-03-01"})).await;
        form.ok();
        assert_eq!(dates(&staff.get("/api/companies/700001").await.ok()), day("2025-03-01", "2029-02-28"));
        let service = pull.app.service();
        let mut shapes = service.get("/api/companies").await.ok().as_array().unwrap().clone();
        shapes.push(service.get("/api/companies/700001").await.ok());
        shapes.push(service.get("/api/company/700001").await.ok());
        shapes.extend(service.get("/api/companies?limit=2&envelope=1").await.ok()["data"].as_array().cloned().unwrap_or_default());
        let bulk = service.get("/api/companies/bulk").await.ok();
        let bulk: Vec<Value> = bulk["companies"].as_array().or_else(|| bulk.as_array()).unwrap().iter().map(|one| one.get("company").cloned().unwrap_or_else(|| one.clone())).collect();
        shapes.extend(bulk);
        for company in shapes {
            assert_eq!(company["billing_plan"], "", "{company}");
        }

        // New numbers that cannot stand in an address are refused; one that is there already stays reachable.
        for bad in ["a/b", "a?b", "a#b", "50%", " 700002", "700002 ", "a\tb", "a\u{7f}", "\n7"] {
            let refused = staff.post("/api/companies", &json!({"account_number": bad, "name": "Bad"})).await.status(400);
            assert_eq!(refused.fields(), ["account_number"], "{bad:?}");
        }
        pull.app.database.execute("UPDATE companies SET account_number = '70/1' WHERE account_number = '700001'");
        assert_eq!(service.get("/api/companies/70%2F1").await.ok()["name"], "Made");
        staff.put("/api/companies/70%2F1", &json!({"account_number": "70/1", "name": "Kept"})).await.ok();
    }

    async fn days_of_devices_are_never_moved_by_a_zone(engine: Engine) {
        let mut psa = Plan::sized(3, 3).with_assets(1).build();
        psa.assets[0]["type_fields"]["warranty_expiry_date_21000380001"] = json!("2027-03-01T00:00:00+02:00");
        let mut rmm = datto::Plan::sized(3, 4, 0).build();
        let said = [json!("2027-03-01T00:00:00+02:00"), json!("2027-03-01T23:30:00-08:00"), json!(1_803_855_600_000_i64), json!(1_803_859_200_000_i64)];
        for (device, said) in rmm.devices.iter_mut().zip(said) {
            device["warrantyDate"] = said;
        }
        let fleet = Fleet::pulled(&engine, psa, rmm).await;
        let days = fleet.app.database.texts("SELECT DISTINCT COALESCE(warranty_expires, 'none') FROM assets");
        assert_eq!(days, ["2027-03-01"]);
        let asset = fleet.list("/api/assets").await[0]["id"].to_string();
        let asset = fleet.app.technician().put(&format!("/api/assets/{asset}"), &json!({"warranty_expires": "2028-06-01T00:00:00+14:00"})).await.ok();
        assert_eq!(asset["warranty_expires"], "2028-06-01");
    }

    async fn names_follow_without_an_address_and_choices_are_kept(engine: Engine) {
        let mut world = Plan::sized(3, 6).with_assets(1).build();
        world.requesters[0]["primary_email"] = json!("n/a");
        world.requesters[0]["custom_fields"] = json!({"user_number": null, "on_call": true, "languages": ["de", "en"]});
        world.departments[0]["custom_fields"]["regions"] = json!(["North", "South"]);
        world.departments[0]["custom_fields"]["email_system"] = json!(["Microsoft 365", "Google"]);
        world.departments[0]["custom_fields"]["managed_network"] = json!(true);
        world.assets[0]["type_fields"]["encrypted_21000380002"] = json!(true);
        world.assets[0]["type_fields"]["ports_21000380002"] = json!(["HDMI", "USB"]);
        let pull = Pull::pulled(&engine, world).await;
        let (person, department) = pull.vendor.world(|state| (state.ids("requesters")[0], state.ids("departments")[0]));
        let of = async |id: i64| pull.contacts().await.into_iter().find(|contact| contact["freshservice_id"] == id).unwrap();
        let contact = of(person).await;
        assert_eq!(contact["custom_fields"], json!({"languages": ["de", "en"], "on_call": true}));
        let company = pull.company_of(department).await.unwrap();
        assert_eq!(company["custom_fields"], json!({"regions": ["North", "South"]}));
        assert_eq!((&company["email_system"], &company["managed_network"]), (&json!("[\"Microsoft 365\",\"Google\"]"), &json!("true")));
        let asset = pull.app.admin().get("/api/assets").await.ok()[0]["id"].to_string();
        let told = pull.app.admin().get(&format!("/api/assets/{asset}/sources")).await.ok().to_string();
        assert!(told.contains("encrypted") && told.contains("HDMI"), "{told}");
        for address in ["n/a", "none", "ask the front desk"] {
            pull.vendor.world(|state| state.change(person, |record| {
                (record["first_name"], record["last_name"], record["primary_email"]) = (json!("Mary"), json!(address), json!(address));
            }));
            pull.run(&[]).await.code(0);
            let contact = of(person).await;
            assert_eq!((&contact["first_name"], &contact["name"]), (&json!("Mary"), &json!(format!("Mary {address}"))));
        }
        let head = pull.head();
        pull.run(&[]).await.code(0);
        assert_eq!(pull.head(), head);
    }

    async fn whoever_is_deleted_and_made_anew_is_the_same_contact(engine: Engine) {
        let pull = Pull::pulled(&engine, Plan::sized(5, 20).build()).await;
        let old = pull.vendor.world(|state| state.requesters[4].clone());
        let email = old["primary_email"].as_str().unwrap().to_owned();
        let before = pull.contact_of(&email).await.unwrap();
        let staff = pull.app.technician();
        let path = format!("/api/contacts/{}", before["id"]);
        staff.put(&path, &json!({"company_id": before["company_id"], "role": "billing", "is_primary": true, "job_title": "Owner"})).await.ok();
        pull.vendor.world(|state| {
            let departments: Vec<i64> = old["department_ids"].as_array().unwrap().iter().filter_map(Value::as_i64).collect();
            let anew = requester(21_000_599_999, "Anew", Some("Person"), Some(&email.to_uppercase()), &departments);
            state.remove(old["id"].as_i64().unwrap());
            state.requesters.push(anew);
        });
        pull.run(&[]).await.code(0);
        let after = pull.contacts().await.into_iter().find(|contact| contact["freshservice_id"] == 21_000_599_999_i64).unwrap();
        assert_eq!((&after["id"], &after["role"], &after["is_primary"], &after["job_title"]), (&before["id"], &json!("billing"), &json!(true), &json!("Owner")));
        assert_eq!(pull.contacts().await.len(), 20);
        let head = pull.head();
        pull.run(&[]).await.code(0);
        assert_eq!(pull.head(), head);
        // Deleted first and made anew days later: the tombstone comes back.
        let (other, gone) = pull.vendor.world(|state| {
            let gone = state.requesters[1].clone();
            state.remove(gone["id"].as_i64().unwrap());
            (gone["primary_email"].as_str().unwrap().to_owned(), gone)
        });
        let before = pull.contact_of(&other).await.unwrap();
        pull.run(&[]).await.code(0);
        assert_eq!(pull.contacts().await.len(), 19);
        pull.vendor.world(|state| {
            let mut anew = gone.clone();
            anew["id"] = json!(21_000_599_998_i64);
            state.requesters.push(anew);
        });
        pull.run(&[]).await.code(0);
        assert_eq!(pull.contact_of(&other).await.unwrap()["id"], before["id"]);
        assert_eq!(pull.contacts().await.len(), 20);
    }
}
