//! Account numbers at the sites of Datto RMM: what is missing is written, what differs is a person's business.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::datto::{self, AfterWrite, ListFault, variable};
use crate::freshservice::{self, department};
use crate::support::{Engine, Fleet, Output, both, eventually};

/// Three companies with a site each, all known by their numbers; Codex has seen them so.
async fn fleet(engine: &Engine) -> (Fleet, Vec<String>) {
    let mut psa = freshservice::State::default();
    for (n, number) in [(1, 204_729), (2, 300_000), (3, 500_000)] {
        psa.departments.push(department(21_000_100_000 + n, &format!("Company {n}"), Some(number)));
    }
    let mut rmm = datto::State::default();
    let sites: Vec<String> = (1_usize..=3)
        .map(|n| {
            let site = rmm.add_site(n, &format!("Site {n}"), Some(["204729", "300000", "500000"][n - 1]));
            rmm.add_device(n, &site, &format!("PC-{n}"));
            site
        })
        .collect();
    let fleet = Fleet::pulled(engine, psa, rmm).await;
    (fleet, sites)
}

async fn push(fleet: &Fleet, words: &[&str]) -> Output {
    fleet.app.cli().run_beside(&[&["accounts", "push-datto"], words].concat()).await
}

fn writes(fleet: &Fleet) -> usize {
    fleet.rmm.world(|state| state.writes.len())
}

fn variables(fleet: &Fleet, site: &str) -> Vec<(String, String)> {
    let text = |variable: &Value, key: &str| variable[key].as_str().unwrap_or_default().to_owned();
    fleet.rmm.world(|state| state.variables[site].iter().map(|v| (text(v, "name"), text(v, "value"))).collect())
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

both! {
    async fn what_is_missing_is_written_and_what_differs_waits_for_a_person(engine: Engine) {
        let (fleet, sites) = fleet(&engine).await;
        push(&fleet, &[]).await.code(0);
        assert_eq!(writes(&fleet), 0, "everybody agrees");
        fleet.rmm.world(|state| {
            state.variables.insert(sites[0].clone(), vec![variable(1, "Region", "North")]);
            state.variables.insert(sites[1].clone(), vec![variable(2, "account_number", "999999")]);
            state.variables.insert(sites[2].clone(), vec![variable(3, "ACCOUNT NUMBER", " 500000 ")]);
        });
        let shown = push(&fleet, &["--dry-run", "--json"]).await.code(7).json();
        assert_eq!((&shown["planned"], shown["conflicts"].as_array().unwrap().len(), writes(&fleet)), (&json!(1), 1, 0), "{shown}");
        push(&fleet, &[]).await.code(7);
        assert_eq!(variables(&fleet, &sites[0]), [pair("Region", "North"), pair("AccountNumber", "204729")]);
        assert_eq!((writes(&fleet), variables(&fleet, &sites[1])), (1, vec![pair("account_number", "999999")]));
        push(&fleet, &["--yes"]).await.code(7);
        assert_eq!(writes(&fleet), 1, "yes is no force");
        let admin = fleet.app.admin();
        let waits = admin.get("/api/outbox?state=conflict").await.ok();
        assert_eq!((waits.as_array().unwrap().len(), &waits[0]["found"]), (1, &json!({"value": "999999"})), "once, however often it is found");
        let approve = format!("/api/outbox/{}/approve", waits[0]["id"]);
        fleet.app.technician().post(&approve, &json!({})).await.status(403);
        admin.post(&approve, &json!({})).await.ok();
        eventually("the approved number is there", 30, || async { variables(&fleet, &sites[1]) == [pair("account_number", "300000")] }).await;
        eventually("it is settled", 30, || async { admin.get("/api/outbox?state=done").await.ok().as_array().unwrap().len() == 2 }).await;
        assert_eq!(writes(&fleet), 2);
        push(&fleet, &[]).await.code(0);
        fleet.rmm.world(|state| state.variables.insert(sites[2].clone(), vec![variable(3, "AccountNumber", "111111")]));
        push(&fleet, &["--force"]).await.code(0);
        assert_eq!((writes(&fleet), variables(&fleet, &sites[2])), (3, vec![pair("AccountNumber", "500000")]));
        fleet.sync(&["datto"]).await.code(0);
        let head = fleet.head();
        fleet.sync(&["datto"]).await.code(0);
        push(&fleet, &[]).await.code(0);
        assert_eq!((fleet.head(), writes(&fleet)), (head, 3));
    }

    async fn nothing_is_written_twice_whatever_happens_to_the_answer(engine: Engine) {
        let (fleet, sites) = fleet(&engine).await;
        fleet.rmm.world(|state| {
            sites.iter().for_each(|site| state.variables.get_mut(site).unwrap().clear());
            state.doubles_variables = true;
            state.faults.after_writes.push_back(AfterWrite::Hold(Duration::from_secs(60)));
        });
        let mut command = fleet.app.cli().command(&["accounts", "push-datto"]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        eventually("the first write is done", 30, || async { writes(&fleet) == 1 }).await;
        child.kill().unwrap();
        child.wait().unwrap();
        fleet.rmm.world(|state| {
            state.faults.after_writes.extend([AfterWrite::Reset, AfterWrite::Status(504)]);
            state.faults.add_times("/variable", ListFault::Empty, 1);
        });
        push(&fleet, &[]).await.code(0);
        for site in &sites {
            assert_eq!(variables(&fleet, site).len(), 1, "one variable at {site}");
        }
        assert_eq!(writes(&fleet), 3);
    }

    async fn a_masked_number_is_told_and_left_alone(engine: Engine) {
        let (fleet, sites) = fleet(&engine).await;
        fleet.rmm.world(|state| {
            let mut masked = variable(1, "AccountNumber", "");
            (masked["masked"], masked["value"]) = (json!(true), Value::Null);
            state.variables.insert(sites[0].clone(), vec![masked]);
        });
        let report = push(&fleet, &["--force", "--json"]).await.code(7).json();
        assert!(report["conflicts"][0].as_str().unwrap().contains("masked"), "{report}");
        assert_eq!(writes(&fleet), 0);
    }

    async fn a_pull_over_http_pushes_as_its_second_step(engine: Engine) {
        let (fleet, sites) = fleet(&engine).await;
        fleet.rmm.world(|state| state.variables.get_mut(&sites[0]).unwrap().clear());
        let admin = fleet.app.admin();
        let run = |path: &'static str| {
            let admin = admin.clone();
            async move {
                let job = admin.post(path, &json!({})).await.ok()["job_id"].as_str().unwrap().to_owned();
                let path = format!("/sync/status/{job}");
                eventually("the job ends", 60, || async { admin.get(&path).await.ok()["status"] != "running" }).await;
                admin.get(&path).await.ok()
            }
        };
        let done = run("/sync/rmm").await;
        assert_eq!((&done["success"], writes(&fleet)), (&json!(true), 0), "{done}");
        let done = run("/sync/datto").await;
        assert_eq!((&done["success"], writes(&fleet)), (&json!(true), 1), "{done}");
        let single = run("/sync/push-to-datto").await;
        assert_eq!((&single["success"], writes(&fleet)), (&json!(true), 1), "{single}");
    }
}
