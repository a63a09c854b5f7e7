//! Account numbers at Freshservice, and the outbox through which they go: nothing is written twice.

use std::collections::HashSet;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::freshservice::{AfterWrite, ListFault, State, department, requester};
use crate::support::{Engine, Output, Pull, both, eventually};

/// Two departments with numbers and three without; one field that nobody may lose.
fn world() -> State {
    let mut state = State::default();
    for (n, number) in [(1_i64, Some(204_729)), (2, Some(300_000)), (3, None), (4, None), (5, None)] {
        let mut record = department(21_000_100_000 + n, &format!("Company {n}"), number);
        record["custom_fields"]["plan_selected"] = json!("Gold");
        record["custom_fields"]["managed_users"] = json!(n);
        record["domains"] = json!([format!("c{n}.example.com")]);
        state.departments.push(record);
    }
    state.requesters.push(requester(39_002_500_001, "Ada", Some("King"), Some("ada@c1.example.com"), &[21_000_100_001]));
    state
}

const FRESH: [i64; 3] = [21_000_100_003, 21_000_100_004, 21_000_100_005];

async fn accounts(pull: &Pull, words: &[&str]) -> Output {
    pull.app.cli().run_beside(&[&["accounts"], words].concat()).await
}

fn number(pull: &Pull, id: i64) -> Value {
    field(pull, id, "account_number")
}

fn field(pull: &Pull, id: i64, name: &str) -> Value {
    pull.vendor.world(|state| {
        state.departments.iter().find(|record| record["id"] == id).expect("the department")["custom_fields"][name].clone()
    })
}

fn writes(pull: &Pull) -> usize {
    pull.vendor.world(|state| state.writes.len())
}

fn spawn(pull: &Pull, words: &[&str]) -> Child {
    let mut command = pull.app.cli().command(words);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("codex starts")
}

both! {
    async fn every_company_without_a_number_gets_one_and_nothing_else_changes(engine: Engine) {
        let mut state = world();
        state.put.nulls_unsent_custom_fields = true;
        state.put.refuses_partial_objects = true;
        let pull = Pull::pulled(&engine, state).await;
        let given: Vec<Value> = FRESH.iter().map(|_| Value::Null).collect();
        assert_eq!(FRESH.map(|id| number(&pull, id)).to_vec(), given);
        let before = pull.vendor.world(|state| state.departments.clone());
        let shown = accounts(&pull, &["assign", "--dry-run", "--json"]).await.code(0).json();
        assert_eq!((&shown["planned"], shown["items"].as_array().unwrap().len(), writes(&pull)), (&json!(3), 3, 0));
        accounts(&pull, &["assign"]).await.code(0);
        assert_eq!(writes(&pull), 3);
        let mut numbers = HashSet::new();
        for id in FRESH {
            let there = number(&pull, id).as_i64().expect("an integer on the wire");
            assert!((100_000..=999_999).contains(&there) && numbers.insert(there));
            let company = pull.company_of(id).await.unwrap();
            assert_eq!((&company["account_number"], &company["account_number_at_vendor"]), (&json!(there.to_string()), &json!(true)));
        }
        for (old, new) in before.iter().zip(pull.vendor.world(|state| state.departments.clone())) {
            for key in ["name", "domains", "description", "head_user_id", "prime_user_id"] {
                assert_eq!(old[key], new[key], "{key}");
            }
            for key in ["plan_selected", "managed_users"] {
                assert_eq!(old["custom_fields"][key], new["custom_fields"][key], "{key}");
            }
        }
        let head = pull.head();
        accounts(&pull, &["assign"]).await.code(0);
        pull.run(&[]).await.code(0);
        assert_eq!((writes(&pull), pull.head()), (3, head), "a second run does nothing, and a sync agrees");
    }

    async fn before_any_pull_the_companies_are_made_with_their_numbers(engine: Engine) {
        let pull = Pull::start(&engine, world()).await;
        let report = accounts(&pull, &["assign", "--json"]).await.code(0).json();
        assert_eq!((&report["created"], &report["planned"]), (&json!(3), &json!(3)));
        assert_eq!(pull.companies().await.len(), 3);
        pull.run(&[]).await.code(0);
        assert_eq!(pull.companies().await.len(), 5);
        for id in FRESH {
            let company = pull.company_of(id).await.unwrap();
            assert_eq!(company["account_number"], json!(number(&pull, id).to_string()));
            assert_eq!(company["plan_selected"], "Gold", "the pull fills in the rest");
        }
    }

    async fn a_kill_between_the_request_and_its_record_writes_nothing_twice(engine: Engine) {
        let pull = Pull::pulled(&engine, world()).await;
        for round in 1..=3_usize {
            pull.vendor.world(|state| state.faults.after_writes.push_back(AfterWrite::Hold(Duration::from_secs(60))));
            let mut child = spawn(&pull, &["accounts", "assign"]);
            eventually("the write is done at the vendor", 30, || async { writes(&pull) >= round }).await;
            child.kill().unwrap();
            child.wait().unwrap();
            pull.vendor.world(|state| state.faults.after_writes.clear());
        }
        let waits = accounts(&pull, &["outbox", "--json"]).await.code(0).json();
        assert_eq!(waits.as_array().unwrap().iter().filter(|entry| entry["state"] == "sending").count(), 1, "{waits}");
        accounts(&pull, &["assign"]).await.code(0);
        assert_eq!(writes(&pull), 3, "one write for each company, three kills notwithstanding");
        assert_eq!(accounts(&pull, &["outbox", "--json"]).await.json(), json!([]));
        for id in FRESH {
            let company = pull.company_of(id).await.unwrap();
            assert_eq!(company["account_number"], json!(number(&pull, id).to_string()));
            assert_eq!(company["account_number_at_vendor"], json!(true));
        }
    }

    async fn lost_answers_and_refusals_are_told_apart(engine: Engine) {
        let pull = Pull::pulled(&engine, world()).await;
        pull.vendor.world(|state| {
            state.faults.after_writes.extend([AfterWrite::Reset, AfterWrite::Status(502), AfterWrite::Status(504)]);
        });
        accounts(&pull, &["assign"]).await.code(0);
        assert_eq!(writes(&pull), 3, "each was looked for before it was sent again");
        pull.vendor.world(|state| {
            state.change(FRESH[0], |record| record["custom_fields"]["account_number"] = json!(null));
            state.change(FRESH[1], |record| record["custom_fields"]["account_number"] = json!(null));
            state.faults.add_times("write/", ListFault::Status(500), 1);
            state.faults.add_times("write/", ListFault::TooMany(Some(0)), 1);
        });
        accounts(&pull, &["assign"]).await.code(0);
        assert_eq!(writes(&pull), 5, "what did not arrive was sent again, once");
        pull.vendor.world(|state| {
            state.change(FRESH[0], |record| record["custom_fields"]["account_number"] = json!(null));
            state.faults.add("write/", ListFault::Status(400));
        });
        let refused = accounts(&pull, &["assign", "--json"]).await.code(6).json();
        assert_eq!(refused["failed"].as_array().unwrap().len(), 1, "{refused}");
        let entry = accounts(&pull, &["outbox", "--json"]).await.json()[0].clone();
        assert_eq!(entry["state"], "failed");
        pull.vendor.world(|state| state.faults.lists.clear());
        accounts(&pull, &["retry", &entry["id"].to_string()]).await.code(0);
        assert_eq!(writes(&pull), 6);
        assert_eq!(pull.company_of(FRESH[0]).await.unwrap()["account_number"], json!(number(&pull, FRESH[0]).to_string()));
    }

    async fn drift_is_told_by_one_command_and_repaired_by_the_other(engine: Engine) {
        let pull = Pull::pulled(&engine, world()).await;
        accounts(&pull, &["assign"]).await.code(0);
        let done = writes(&pull);
        pull.vendor.world(|state| state.change(21_000_100_001, |record| record["custom_fields"]["account_number"] = json!(777_777)));
        let report = accounts(&pull, &["assign", "--json"]).await.code(0).json();
        assert!(report["notes"][0].as_str().unwrap().contains("777777"), "{report}");
        assert_eq!((writes(&pull), number(&pull, 21_000_100_001)), (done, json!(777_777)));
        accounts(&pull, &["push-freshservice", "--dry-run"]).await.code(0);
        assert_eq!(writes(&pull), done);
        accounts(&pull, &["push-freshservice", "--yes"]).await.code(0);
        assert_eq!((writes(&pull), number(&pull, 21_000_100_001)), (done + 1, json!(204_729)));
        accounts(&pull, &["push-freshservice"]).await.code(0);
        assert_eq!(writes(&pull), done + 1);
        // A number that another department has by now is nobody else's.
        pull.vendor.world(|state| {
            state.change(21_000_100_001, |record| record["custom_fields"]["account_number"] = json!(888_888));
            state.departments.push(department(21_000_100_009, "Thief", Some(204_729)));
        });
        accounts(&pull, &["push-freshservice"]).await.code(7);
        assert_eq!((writes(&pull), number(&pull, 21_000_100_001)), (done + 1, json!(888_888)));
    }

    async fn many_at_once_share_no_number(engine: Engine) {
        let mut state = State::default();
        state.departments.extend((0..40).map(|n| department(21_000_200_000 + n, &format!("New {n}"), None)));
        let pull = Pull::start(&engine, state).await;
        let (mut one, mut two, mut three) =
            (spawn(&pull, &["accounts", "assign"]), spawn(&pull, &["sync", "freshservice"]), spawn(&pull, &["accounts", "push-freshservice"]));
        let started = pull.app.admin().post("/sync/create-account-numbers", &json!({})).await.ok();
        assert_eq!(started["success"], true);
        for child in [&mut one, &mut two, &mut three] {
            child.wait().unwrap();
        }
        eventually("everybody has a number", 60, || async {
            accounts(&pull, &["assign"]).await.code == 0 && writes(&pull) >= 40
        }).await;
        let there: HashSet<String> = pull.vendor.world(|state| {
            state.departments.iter().map(|record| record["custom_fields"]["account_number"].to_string()).collect()
        });
        assert_eq!((there.len(), writes(&pull)), (40, 40), "each its own, each written once");
        pull.run(&[]).await.code(0);
        let here: HashSet<String> = pull.companies().await.iter().map(|company| company["account_number"].as_str().unwrap().to_owned()).collect();
        assert_eq!(here, there);
    }

    async fn a_pinned_value_can_be_written_to_freshservice_and_is_no_more_pinned(engine: Engine) {
        let pull = Pull::pulled(&engine, world()).await;
        let admin = pull.app.admin();
        admin.put("/api/companies/204729", &json!({"billing_plan": "Platinum"})).await.status(200);
        let company = admin.get("/api/companies/204729").await.ok();
        let pins = format!("/api/pins/company/{}", company["id"]);
        assert_eq!(admin.get(&pins).await.ok(), json!(["plan"]));
        let contact = pull.contact_of("ada@c1.example.com").await.unwrap();
        let contact_path = format!("/api/contacts/{}", contact["id"]);
        admin.put(&contact_path, &json!({"name": "Ada Mary Lovelace", "job_title": "Countess"})).await.status(200);
        admin.post("/api/companies/204729/push", &json!({"fields": ["compliance_level"]})).await.status(400);
        admin.post("/api/companies/204729/push", &json!({"fields": ["account_number"]})).await.status(400);
        let queued = admin.post("/api/companies/204729/push", &json!({"fields": ["plan"]})).await.ok();
        assert_eq!(queued["success"], true);
        admin.post(&format!("{contact_path}/push"), &json!({})).await.ok();
        eventually("the pins are gone", 30, || async {
            pull.app.technician().post("/api/companies/204729/push", &json!({"fields": ["plan"]})).await.ok();
            admin.get(&pins).await.ok() == json!([])
                && admin.get(&format!("/api/pins/contact/{}", contact["id"])).await.ok() == json!([])
        }).await;
        assert_eq!(field(&pull, 21_000_100_001, "plan_selected"), "Platinum");
        let person = pull.vendor.world(|state| state.requesters[0].clone());
        assert_eq!((&person["first_name"], &person["last_name"], &person["job_title"]), (&json!("Ada Mary"), &json!("Lovelace"), &json!("Countess")));
        assert_eq!(pull.vendor.world(|state| state.writes.iter().filter(|(path, _)| path.contains("departments")).count()), 1, "asked again, not written again");
        let (name, title) = ("Ada Mary Lovelace", "Countess");
        pull.run(&[]).await.code(0);
        let after = admin.get(&contact_path).await.ok();
        assert_eq!((after["name"].as_str(), after["job_title"].as_str()), (Some(name), Some(title)));
        assert_eq!(admin.get("/api/companies/204729").await.ok()["billing_plan"], "Platinum");
    }

    async fn a_pull_over_http_assigns_as_its_second_step_unless_told_not_to(engine: Engine) {
        let pull = Pull::start(&engine, world()).await;
        let job = pull.app.admin().post("/sync/psa", &json!({})).await.ok()["job_id"].as_str().unwrap().to_owned();
        let done = ended(&pull, &job).await;
        assert_eq!((&done["success"], writes(&pull)), (&json!(true), 0), "the later name pulls only");
        let job = pull.app.admin().post("/sync/freshservice", &json!({})).await.ok()["job_id"].as_str().unwrap().to_owned();
        let done = ended(&pull, &job).await;
        assert_eq!((&done["success"], writes(&pull)), (&json!(true), 3), "{done}");
        assert!(done["output"].as_str().unwrap().contains("account numbers"), "{done}");
    }
}

async fn ended(pull: &Pull, job: &str) -> Value {
    let (admin, path) = (pull.app.admin(), format!("/sync/status/{job}"));
    eventually("the job ends", 60, || async { admin.get(&path).await.ok()["status"] != "running" }).await;
    admin.get(&path).await.ok()
}
