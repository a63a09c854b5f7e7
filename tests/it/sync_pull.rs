//! A pull from a well-behaved Freshservice.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::freshservice::{Plan, State, department, requester};
use crate::support::{Engine, Pull, both};

/// Two companies and three people, easy to follow.
fn small() -> State {
    State {
        departments: vec![department(21_001, "Acme Dental", Some(204_729)), department(21_002, "Beta Law", None)],
        requesters: vec![
            requester(39_001, "Ava", Some("Patel"), Some("ava@acme.example.com"), &[21_001]),
            requester(39_002, "Noah", None, Some("noah@beta.example.com"), &[21_002]),
            requester(39_003, "Mia", Some("Moreau"), None, &[21_001, 21_002]),
        ],
        ..State::default()
    }
}

both! {
    async fn a_hundred_and_twenty_companies_and_fifteen_hundred_contacts(engine: Engine) {
        let pull = Pull::start(&engine, Plan::sized(120, 1500).build()).await;
        pull.run(&[]).await.code(0);
        let (companies, contacts) = (pull.companies().await, pull.contacts().await);
        assert_eq!((companies.len(), contacts.len()), (120, 1500));
        let numbers: BTreeSet<&str> = companies.iter().map(|company| company["account_number"].as_str().unwrap()).collect();
        assert_eq!(numbers.len(), 120, "every company has a number of its own");
        assert!(numbers.iter().all(|number| number.len() == 6));
        let without = contacts.iter().filter(|contact| contact["email"] == "").count();
        assert_eq!(without, 60, "people without e-mail are stored, with an empty one");
        let agents = pull.app.service().get("/api/psa/agents").await.ok();
        assert_eq!(agents.as_array().unwrap().len(), 9);

        let calls = pull.vendor.world(|state| state.requests.len());
        assert!(calls < 60, "{calls} calls for 18 pages of records");
        let (head, tag) = (pull.head(), pull.app.service().get("/api/companies").await.header("etag").to_owned());
        for words in [&[][..], &["--full"]] {
            pull.run(words).await.code(0);
            assert_eq!(pull.head(), head, "a run with nothing new upstream recorded a change ({words:?})");
        }
        assert_eq!(pull.app.service().get("/api/companies").await.header("etag"), tag);
    }

    async fn fields_arrive_where_neighbours_read_them(engine: Engine) {
        let pull = Pull::pulled(&engine, small()).await;
        let acme = pull.company_of(21_001).await.expect("Acme");
        assert_eq!((&acme["account_number"], &acme["name"], &acme["billing_plan"]), (&json!("204729"), &json!("Acme Dental"), &json!("Gold")));
        assert_eq!((&acme["external_id"], &acme["external_source"]), (&json!(21_001), &json!("freshservice")));
        assert_eq!(acme["domains"], json!("[\"acmedental.example.com\"]"));
        assert_eq!((&acme["contract_start_date"], &acme["contract_term"]), (&json!("2024-01-15"), &json!("2 years")));
        assert_eq!((&acme["company_main_number"], &acme["address"]), (&json!("555-0100"), &json!("1 Main Street")));
        let beta = pull.company_of(21_002).await.expect("Beta, although it has no number");
        assert_eq!(beta["account_number"].as_str().unwrap().len(), 6);
        let ava = pull.contact_of("ava@acme.example.com").await.expect("Ava");
        assert_eq!((&ava["name"], &ava["active"]), (&json!("Ava Patel"), &json!(true)));
        let noah = pull.contact_of("noah@beta.example.com").await.expect("Noah");
        assert_eq!(noah["name"], "Noah", "no last name, no None");
        let people = pull.app.service().get("/api/companies/204729/contacts").await.ok();
        let names: BTreeSet<&str> = people.as_array().unwrap().iter().map(|person| person["name"].as_str().unwrap()).collect();
        assert_eq!(names, BTreeSet::from(["Ava Patel", "Mia Moreau"]), "somebody with two companies is in both");
    }

    async fn vendor_agents_come_in_beacons_shape(engine: Engine) {
        let pull = Pull::pulled(&engine, Plan::sized(2, 2).build()).await;
        pull.vendor.world(|state| state.change(21_000_900_001, |agent| agent["active"] = json!(false)));
        pull.run(&[]).await.code(0);
        let agents = pull.app.service().get("/api/psa/agents").await.ok();
        let agents = agents.as_array().unwrap();
        assert_eq!(agents.len(), 9);
        for agent in agents {
            assert!(agent["id"].is_i64() && agent["external_id"].is_i64() && agent["name"].is_string() && agent["active"].is_boolean(), "{agent}");
            assert_eq!(agent["source"], "freshservice");
            assert!(agent.get("email").is_some() && agent.get("job_title").is_some());
        }
        assert_eq!((&agents[8]["external_id"], &agents[8]["active"]), (&json!(21_000_900_001_i64), &json!(false)), "active ones first");
    }

    async fn changes_upstream_become_changes_here_field_by_field(engine: Engine) {
        let pull = Pull::pulled(&engine, small()).await;
        let before = pull.company_of(21_001).await.unwrap();
        let head = pull.head();
        pull.vendor.world(|state| {
            state.change(21_001, |acme| {
                acme["name"] = json!("Acme Dental Group");
                acme["custom_fields"]["plan_selected"] = json!("Platinum");
            });
        });
        pull.run(&[]).await.code(0);
        let after = pull.company_of(21_001).await.unwrap();
        assert_eq!((&after["id"], &after["account_number"]), (&before["id"], &before["account_number"]));
        assert_eq!((&after["name"], &after["billing_plan"]), (&json!("Acme Dental Group"), &json!("Platinum")));
        let changes = pull.app.service().get(&format!("/api/changes?since={head}")).await.ok();
        let changes = changes["changes"].as_array().unwrap();
        assert_eq!(changes.len(), 1, "{changes:?}");
        assert_eq!((&changes[0]["actor_kind"], &changes[0]["source"]), (&json!("sync"), &json!("freshservice")));
        assert_eq!(changes[0]["fields"]["name"], json!({"old": "Acme Dental", "new": "Acme Dental Group"}));
        let fields = changes[0]["fields"].as_object().unwrap();
        assert!(!fields.contains_key("updated_at") && fields.len() <= 4, "only what changed: {fields:?}");
    }

    async fn a_new_number_at_the_vendor_keeps_the_row(engine: Engine) {
        let pull = Pull::pulled(&engine, small()).await;
        let before = pull.company_of(21_002).await.unwrap();
        pull.vendor.world(|state| state.change(21_002, |beta| beta["custom_fields"]["account_number"] = json!(777_001)));
        pull.run(&[]).await.code(0);
        let after = pull.company_of(21_002).await.unwrap();
        assert_eq!((&after["id"], &after["account_number"]), (&before["id"], &json!("777001")));
        pull.vendor.world(|state| state.change(21_002, |beta| beta["custom_fields"]["account_number"] = Value::Null));
        pull.run(&[]).await.code(0);
        assert_eq!(pull.company_of(21_002).await.unwrap()["account_number"], "777001", "a number that the vendor forgets is kept");
    }

    async fn people_move_between_companies(engine: Engine) {
        let pull = Pull::pulled(&engine, small()).await;
        let id = pull.contact_of("ava@acme.example.com").await.unwrap()["id"].clone();
        pull.vendor.world(|state| state.change(39_001, |ava| ava["department_ids"] = json!([21_002])));
        pull.run(&[]).await.code(0);
        let beta = pull.company_of(21_002).await.unwrap()["account_number"].as_str().unwrap().to_owned();
        let one = pull.app.service().get(&format!("/api/contacts/{id}")).await.ok();
        assert_eq!(one["company_account_numbers"], json!([beta]));
    }

    async fn a_company_that_a_person_added_for_a_contact_stays(engine: Engine) {
        let pull = Pull::pulled(&engine, small()).await;
        pull.app.company("300003", "Local only").await;
        let ava = pull.contact_of("ava@acme.example.com").await.unwrap()["id"].clone();
        let both = json!({"company_account_numbers": ["204729", "300003"]});
        pull.app.admin().put(&format!("/api/contacts/{ava}"), &both).await.status(200);
        pull.run(&[]).await.code(0);
        let one = pull.app.service().get(&format!("/api/contacts/{ava}")).await.ok();
        assert_eq!(one["company_account_numbers"], json!(["204729", "300003"]));
    }

    async fn every_workspace_is_read_in_both_editions(engine: Engine) {
        for msp_names in [false, true] {
            let mut world = Plan { msp: true, ..Plan::sized(12, 60) }.build();
            world.msp_names = msp_names;
            let pull = Pull::start(&engine, world).await;
            pull.run(&[]).await.code(0);
            assert_eq!((pull.companies().await.len(), pull.contacts().await.len()), (12, 60), "msp_names: {msp_names}");
            let head = pull.head();
            pull.run(&[]).await.code(0);
            assert_eq!(pull.head(), head);
        }
    }

    async fn a_dry_run_shows_fields_and_writes_nothing(engine: Engine) {
        let pull = Pull::start(&engine, small()).await;
        let head = pull.head();
        let first = pull.run(&["--dry-run"]).await.code(0);
        assert!(first.stdout.contains("Acme Dental"), "{}", first.stdout);
        assert_eq!((pull.companies().await.len(), pull.head()), (0, head));
        pull.run(&[]).await.code(0);
        let head = pull.head();
        pull.vendor.world(|state| state.change(39_001, |ava| ava["job_title"] = json!("Chief Dentist")));
        let second = pull.run(&["--dry-run"]).await.code(0);
        assert!(second.stdout.contains("Chief Dentist") && second.stdout.contains("title"), "{}", second.stdout);
        let json = pull.run(&["--dry-run", "--json"]).await.code(0).json();
        assert!(json.to_string().contains("Chief Dentist"), "{json}");
        assert_eq!(pull.head(), head);
        assert!(pull.contact_of("ava@acme.example.com").await.unwrap()["title"].is_null());
    }

    async fn a_dry_run_of_two_thousand_rows_stays_readable(engine: Engine) {
        let pull = Pull::start(&engine, Plan::sized(60, 2000).build()).await;
        let output = pull.run(&["--dry-run"]).await.code(0);
        let lines = output.stdout.lines().count();
        assert!((5..400).contains(&lines), "{lines} lines for 2,060 rows");
        assert!(output.stdout.contains("2000") || output.stdout.contains("2,000"), "{}", output.stdout);
        let all = pull.run(&["--dry-run", "--json"]).await.code(0).json().to_string();
        assert!(all.matches("39002").count() >= 2000, "--json has every row");
    }

    async fn without_a_key_the_command_says_what_is_missing(engine: Engine) {
        let app = crate::support::App::builder(&engine).prepare();
        let output = app.cli().run(&["sync", "freshservice"]).code(2);
        assert!(output.stderr.contains("api_key") || output.stderr.contains("API_KEY"), "{}", output.stderr);
    }
}
