//! Records and answers that no specification allows: the rest of the pull must not suffer.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::freshservice::{HOSTILE_VALUES, Limits, ListFault, Plan, State, department, requester};
use crate::support::{Engine, Pull, both};

/// One record for each field and each hostile value, made by replacing that field.
fn hostile(make: impl Fn(i64) -> Value, first_id: i64) -> Vec<Value> {
    let mut records = Vec::new();
    let mut id = first_id;
    let fields: Vec<String> = make(id).as_object().unwrap().keys().cloned().collect();
    for field in fields.iter().filter(|field| *field != "id") {
        for value in HOSTILE_VALUES {
            id += 1;
            let mut record = make(id);
            record[field] = serde_json::from_str(value).unwrap();
            records.push(record);
        }
        id += 1;
        let mut without = make(id);
        without.as_object_mut().unwrap().remove(field);
        records.push(without);
        id += 1;
        let mut huge = make(id);
        huge[field] = json!("ab ".repeat(20_000));
        records.push(huge);
    }
    records
}

both! {
    async fn nulls_and_wrong_types_in_every_field(engine: Engine) {
        let mut world = State { departments: vec![department(21_001, "Fine Company", Some(204_729))], ..State::default() };
        world.requesters.push(requester(39_001, "Fine", Some("Person"), Some("fine@example.com"), &[21_001]));
        world.departments.extend(hostile(|id| department(id, &format!("Hostile {id}"), None), 22_000_000_000));
        let person = |id: i64| requester(id, "Hostile", Some("Person"), Some(&format!("h{id}@example.com")), &[21_001]);
        world.requesters.extend(hostile(person, 40_000_000_000));
        for id in HOSTILE_VALUES.iter().map(|value| serde_json::from_str::<Value>(value).unwrap()) {
            let mut broken = person(41_000_000_000);
            broken["id"] = id.clone();
            world.requesters.push(broken);
            let mut broken = department(23_000_000_000, "No usable id", None);
            broken["id"] = id;
            world.departments.push(broken);
        }
        world.requesters.extend([Value::Null, json!(7), json!("text"), json!([]), json!({})]);
        world.departments.extend([Value::Null, json!(7), json!("text"), json!([]), json!({})]);
        world.agents.extend(hostile(|id| json!({"id": id, "first_name": "A", "last_name": "B", "email": "a@b.example", "active": true, "job_title": null}), 50_000));
        let (departments, requesters) = (world.departments.len(), world.requesters.len());
        let pull = Pull::start(&engine, world).await;
        let output = pull.run(&[]).await.code(0);
        assert!(output.stdout.contains("skipped") || output.stderr.contains("skipped"), "what could not be read is counted: {output:?}");
        let fine = pull.contact_of("fine@example.com").await.expect("the good record");
        assert_eq!(fine["name"], "Fine Person");
        assert!(pull.company_of(21_001).await.is_some());
        assert!(pull.companies().await.len() > departments - 40, "{} of {departments}", pull.companies().await.len());
        assert!(pull.contacts().await.len() > requesters - 40, "{} of {requesters}", pull.contacts().await.len());
        for path in ["/api/companies/bulk", "/api/contacts", "/api/psa/agents", "/api/companies?format=csv"] {
            pull.app.service().get(path).await.status(200);
        }
        let head = pull.head();
        pull.run(&[]).await.code(0);
        assert_eq!(pull.head(), head, "hostile records must be idempotent too");
    }

    async fn ids_beyond_two_to_the_53(engine: Engine) {
        let (company, other, person) = (9_007_199_254_740_993_i64, 9_007_199_254_740_992_i64, 9_223_372_036_854_775_807_i64);
        let world = State {
            departments: vec![department(company, "Odd", Some(100_001)), department(other, "Even", Some(100_002))],
            requesters: vec![requester(person, "Big", Some("Id"), Some("big@example.com"), &[company])],
            ..State::default()
        };
        let pull = Pull::pulled(&engine, world).await;
        let reply = pull.app.service().get("/api/companies/100001").await.status(200);
        assert!(reply.text().contains("9007199254740993"), "exact, as a number: {}", reply.text());
        let people = pull.app.service().get("/api/companies/100001/contacts").await.ok();
        assert_eq!((people.as_array().unwrap().len(), &people[0]["email"]), (1, &json!("big@example.com")));
        assert_eq!(pull.app.service().get("/api/companies/100002/contacts").await.ok(), json!([]));
        let head = pull.head();
        pull.run(&[]).await.code(0);
        assert_eq!(pull.head(), head);
    }

    async fn duplicate_e_mails_and_account_numbers(engine: Engine) {
        let world = State {
            departments: vec![department(1, "First", Some(100_001)), department(2, "Second", Some(100_001)), department(3, "Third", Some(100_003))],
            requesters: vec![
                requester(11, "One", None, Some("same@example.com"), &[1]),
                requester(12, "Two", None, Some("SAME@example.com"), &[2]),
                requester(13, "Three", None, Some("three@example.com"), &[3]),
            ],
            ..State::default()
        };
        let pull = Pull::pulled(&engine, world).await;
        assert_eq!((pull.companies().await.len(), pull.contacts().await.len()), (3, 3), "both are stored");
        let first = pull.company_of(1).await.unwrap()["account_number"].clone();
        let second = pull.company_of(2).await.unwrap()["account_number"].clone();
        assert_eq!(first, "100001", "the first keeps the number");
        assert_ne!(second, first);
        let head = pull.head();
        pull.run(&[]).await.code(0);
        assert_eq!(pull.head(), head);
        // The vendor swaps the numbers of two companies: each keeps its row.
        let (one, three) = (pull.company_of(1).await.unwrap(), pull.company_of(3).await.unwrap());
        pull.vendor.world(|state| {
            state.change(1, |record| record["custom_fields"]["account_number"] = json!(100_003));
            state.change(3, |record| record["custom_fields"]["account_number"] = json!(100_001));
            state.remove(2);
        });
        pull.run(&["--yes"]).await;
        assert_eq!(pull.company_of(1).await.unwrap()["id"], one["id"]);
        assert_eq!(pull.company_of(3).await.unwrap()["id"], three["id"]);
    }

    async fn deep_and_huge_answers_end_in_time(engine: Engine) {
        let pull = Pull::pulled(&engine, Plan::sized(5, 20).build()).await;
        for depth in [100, 100_000] {
            pull.vendor.world(|state| {
                state.faults.lists.clear();
                state.faults.add("requesters", ListFault::Deep(depth));
            });
            let output = pull.run(&[]).await;
            assert!(matches!(output.code, 0 | 6), "depth {depth}: {output:?}");
        }
        assert_eq!(pull.contacts().await.len(), 20);
    }

    async fn a_flaky_vendor_gives_the_same_result(engine: Engine) {
        let mut world = Plan::sized(120, 600).build();
        world.faults.flaky_percent = 20;
        let pull = Pull::start(&engine, world).await;
        pull.run(&[]).await.code(0);
        assert_eq!((pull.companies().await.len(), pull.contacts().await.len()), (120, 600));
        pull.vendor.world(|state| state.faults.flaky_percent = 0);
        let head = pull.head();
        pull.run(&[]).await.code(0);
        assert_eq!(pull.head(), head, "the flaky run was complete");
    }

    async fn retry_after_is_obeyed(engine: Engine) {
        let mut world = Plan::sized(5, 30).build();
        world.faults.add_times("requesters", ListFault::TooMany(Some(2)), 1);
        let pull = Pull::start(&engine, world).await;
        let began = Instant::now();
        pull.run(&[]).await.code(0);
        assert!(began.elapsed() >= Duration::from_millis(1900), "it came back after {:?}", began.elapsed());
        assert_eq!(pull.contacts().await.len(), 30);
    }

    async fn a_storm_of_429_without_retry_after_passes(engine: Engine) {
        let mut world = Plan::sized(5, 30).build();
        world.faults.add_times("departments", ListFault::TooMany(None), 2);
        let pull = Pull::start(&engine, world).await;
        let began = Instant::now();
        pull.run(&[]).await.code(0);
        assert!(began.elapsed() < Duration::from_secs(150));
        assert_eq!(pull.companies().await.len(), 5);
    }

    async fn each_rate_bucket_is_kept(engine: Engine) {
        let mut world = Plan::sized(30, 900).build();
        world.limits = Limits::new(Duration::from_secs(2), 40, 5);
        let pull = Pull::start(&engine, world).await;
        pull.run(&[]).await.code(0);
        let (refused, seen) = pull.vendor.world(|state| (state.limits.refused, state.requests.len()));
        assert!(refused <= 4, "{refused} of {seen} calls were refused: the budget in the headers was not read");
        assert_eq!(pull.contacts().await.len(), 900);
    }

    async fn a_wrong_key_is_said_at_once_and_not_repeated(engine: Engine) {
        let pull = Pull::start(&engine, Plan::sized(2, 2).build()).await;
        let cli = pull.app.cli().env("CODEX_FRESHSERVICE_API_KEY", "wrong-secret-key");
        let output = cli.run_beside(&["sync", "freshservice"]).await.code(6);
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(said.contains("401") || said.contains("key"), "{said}");
        assert!(!said.contains("wrong-secret-key"), "the secret is not printed");
        assert!(pull.vendor.world(|state| state.requests.len()) <= 4, "a refused key is not tried again and again");
    }

    async fn a_vendor_that_is_away_is_exit_6(engine: Engine) {
        let mut pull = Pull::pulled(&engine, Plan::sized(3, 3).build()).await;
        pull.vendor.go_away();
        let head = pull.head();
        let output = pull.run(&["--yes"]).await.code(6);
        assert!(!output.stderr.is_empty());
        assert_eq!(pull.head(), head);
        pull.vendor.come_back().await;
        pull.run(&[]).await.code(0);
    }
}
