//! Answers that no specification allows, one script after the other, against a Codex that has data:
//! nothing of it is retired wrongly, and the next good day is a good day.

use std::sync::Arc;
use std::time::Duration;

use super::export::living;
use super::{pull_all, size, stored, worlds};
use crate::support::{Engine, Fleet, both};
use crate::vendor_faults::{Faults, ListFault};

/// One answer, where it is given, and which job hears it.
#[derive(Clone, Debug)]
struct Script {
    job: &'static str,
    vendor: Vendor,
    resource: &'static str,
    fault: ListFault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Vendor {
    Freshservice,
    Datto,
}

const DATTO: [(&str, &str); 13] = [
    ("datto", "account/sites"),
    ("datto", "account/devices"),
    ("datto", "site/devices"),
    ("datto", "site/variables"),
    ("datto", "account/alerts/open"),
    ("datto", "account/alerts/resolved"),
    ("datto", "*"),
    ("datto", "token/"),
    ("datto", "system/pagination"),
    ("datto", "system/request_rate"),
    ("datto", "site/"),
    ("datto-audits", "audit/"),
    ("datto-audits", "audit/software"),
];

const FRESHSERVICE: [(&str, &str); 8] = [
    ("tickets", "tickets"),
    ("tickets", "tickets/"),
    ("tickets", "conversations"),
    ("tickets", "time_entries"),
    ("tickets", "ticket_form_fields"),
    ("tickets", "changes"),
    ("freshservice", "assets"),
    ("freshservice", "asset_types"),
];

fn faults() -> Vec<ListFault> {
    vec![
        ListFault::Empty,
        ListFault::Html,
        ListFault::Status(404),
        ListFault::EmptyFrom(2),
        ListFault::Thin(3, false),
        ListFault::Thin(3, true),
        ListFault::RepeatedPage,
        ListFault::ShortWithoutLink(7),
        ListFault::Short(7),
        ListFault::Status(403),
        ListFault::EmptyBody,
        ListFault::StatusFrom(2, 404),
        ListFault::Shift(5),
        ListFault::Repeat(5),
        ListFault::Cut,
        ListFault::Status(500),
        ListFault::Shape("{}"),
        ListFault::Shape("[]"),
        ListFault::Shape("null"),
        ListFault::Shape(
            "{\"pageDetails\":{\"totalCount\":0,\"nextPageUrl\":null},\"sites\":[],\"devices\":[],\"variables\":[],\"alerts\":[],\"software\":[]}",
        ),
        ListFault::Shape(
            "{\"tickets\":[],\"conversations\":[],\"time_entries\":[],\"changes\":[],\"assets\":[],\"asset_types\":[]}",
        ),
        ListFault::Shape("{\"sites\":null,\"devices\":null,\"variables\":null,\"alerts\":null,\"tickets\":null,\"assets\":null}"),
        ListFault::Shape(
            "{\"sites\":[null,7,\"x\",{}],\"devices\":[null,7,\"x\",{}],\"alerts\":[[]],\"tickets\":[null,{}],\"assets\":[{}]}",
        ),
        ListFault::Deep(2000),
        ListFault::Reset,
        ListFault::StatusFrom(2, 500),
        ListFault::Status(401),
        ListFault::TooMany(Some(0)),
    ]
}

/// Every script there is, mixed so that any few of them differ in everything.
fn scripts() -> Vec<Script> {
    let mut all = Vec::new();
    for fault in faults() {
        for (job, resource) in DATTO {
            // A list of programs that is shorter and says so consistently may as well be the truth.
            if (resource, &fault) != ("audit/software", &ListFault::Thin(3, false)) {
                all.push(Script { job, vendor: Vendor::Datto, resource, fault: fault.clone() });
            }
        }
        for (job, resource) in FRESHSERVICE {
            all.push(Script { job, vendor: Vendor::Freshservice, resource, fault: fault.clone() });
        }
    }
    // A step that shares no divisor with the number of scripts visits each of them once.
    let step = (all.len() * 5 / 13..).find(|step| gcd(*step, all.len()) == 1).expect("such a step");
    (0..all.len()).map(|number| all[number * step % all.len()].clone()).collect()
}

fn gcd(one: usize, other: usize) -> usize {
    if other == 0 { one } else { gcd(other, one % other) }
}

async fn tell(fleet: &Fleet, script: &Script) {
    let set = |faults: &mut Faults| {
        faults.lists.clear();
        faults.add(script.resource, script.fault.clone());
    };
    match script.vendor {
        Vendor::Datto => fleet.rmm.world(|state| set(&mut state.faults)),
        Vendor::Freshservice => fleet.psa.world(|state| set(&mut state.faults)),
    }
}

/// Plays these scripts one after the other against one fleet; gives what went wrong.
async fn play(engine: Engine, scripts: Vec<Script>) -> Vec<String> {
    let mut wrong = Vec::new();
    let small = super::Size { devices: 60, sites: 8, alerts: 20, tickets: 40, people: 20, companies: 6, assets: 12, ..size() };
    let (psa, mut rmm) = worlds(&small, 0);
    rmm.page_max = 20;
    rmm.alert_page_max = 10;
    let fleet = Fleet::start(&engine, psa, rmm).await;
    pull_all(&fleet).await;
    let good = living(&stored(&engine, &fleet));
    let mut before = good.clone();
    for (number, script) in scripts.iter().enumerate() {
        tell(&fleet, script).await;
        let flags: &[&str] = [&[][..], &["--yes"], &["--full"], &["--full", "--yes"]][number % 4];
        let words = &[&[script.job], flags].concat();
        let run = tokio::time::timeout(Duration::from_secs(200), fleet.sync(words)).await;
        let Ok(output) = run else {
            wrong.push(format!("{script:?} {words:?} takes for ever"));
            continue;
        };
        if ![0, 6, 7].contains(&output.code) {
            wrong.push(format!("{script:?} {words:?} ended with {}: {}", output.code, output.stderr));
        }
        let after = living(&stored(&engine, &fleet));
        for (table, rows) in &before {
            if after[table] < *rows {
                wrong.push(format!("{script:?} {words:?} (exit {}): {table} fell from {rows} to {}", output.code, after[table]));
            }
        }
        before = after;
    }
    fleet.psa.world(|state| state.faults.lists.clear());
    fleet.rmm.world(|state| state.faults.lists.clear());
    for job in super::JOBS {
        let output = fleet.sync(&[job]).await;
        if output.code != 0 {
            wrong.push(format!("a good day after the scripts: {job} ended with {}: {}", output.code, output.stderr));
        }
    }
    let after = living(&stored(&engine, &fleet));
    if after != good {
        wrong.push(format!("a good day after the scripts: {after:?} instead of {good:?}"));
    }
    wrong
}

both! {
    async fn no_answer_retires_what_is_there(engine: Engine) {
        let chosen: Vec<Script> = scripts().into_iter().take(size().scripts).collect();
        let hands = 6;
        let mut players = tokio::task::JoinSet::new();
        let chosen = Arc::new(chosen);
        for hand in 0..hands {
            let mine: Vec<Script> = chosen.iter().skip(hand).step_by(hands).cloned().collect();
            players.spawn(play(engine.clone(), mine));
        }
        let mut wrong = Vec::new();
        while let Some(found) = players.join_next().await {
            wrong.extend(found.expect("a player"));
        }
        assert!(wrong.is_empty(), "{} things went wrong in {} scripts:\n  {}", wrong.len(), chosen.len(), wrong.join("\n  "));
    }
}
