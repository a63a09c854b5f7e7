//! A 2xx answer is a promise: whatever happens to the process afterwards, the row is there.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::support::{App, Engine, both, is_long};

const WRITERS: u32 = 6;

both! {
    async fn kill_9_again_and_again_loses_no_acknowledged_write(engine: Engine) {
        let rounds: u32 = if is_long() { 200 } else { 30 };
        let mut app = App::start_on(&engine).await;
        let (mut acknowledged, mut slowest) = (BTreeSet::new(), Duration::ZERO);
        let (counter, done) = (Arc::new(AtomicU32::new(100_000)), Arc::new(AtomicU32::new(0)));
        for round in 0..rounds {
            let stop = Arc::new(AtomicBool::new(false));
            let mut writers = tokio::task::JoinSet::new();
            for _ in 0..WRITERS {
                let (admin, counter, stop, done) = (app.admin(), Arc::clone(&counter), Arc::clone(&stop), Arc::clone(&done));
                writers.spawn(async move {
                    let mut mine = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let account = counter.fetch_add(1, Ordering::Relaxed).to_string();
                        let body = json!({"account_number": account, "name": format!("Company {account}")});
                        match admin.try_send(Method::POST, "/api/companies", |request| request.json(&body)).await {
                            Ok(reply) if reply.status == 201 => {
                                mine.push(account);
                                done.fetch_add(1, Ordering::Relaxed);
                            }
                            Ok(reply) => panic!("{}: {}", reply.status, reply.text()),
                            Err(_) => break,
                        }
                    }
                    mine
                });
            }
            let began = done.load(Ordering::Relaxed);
            while done.load(Ordering::Relaxed) == began {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            tokio::time::sleep(Duration::from_millis(u64::from(round * 37 % 120))).await;
            app.kill();
            stop.store(true, Ordering::Relaxed);
            let before = acknowledged.len();
            while let Some(mine) = writers.join_next().await {
                acknowledged.extend(mine.unwrap());
            }
            assert!(acknowledged.len() > before, "no write was acknowledged in round {round}");
            let again = Instant::now();
            app.start().await;
            slowest = slowest.max(again.elapsed());
            let listed = app.service().get("/api/companies").await.ok();
            let present: BTreeSet<String> =
                listed.as_array().unwrap().iter().map(|company| company["account_number"].as_str().unwrap().to_owned()).collect();
            let missing: Vec<_> = acknowledged.difference(&present).collect();
            assert!(missing.is_empty(), "round {round}: acknowledged and lost: {missing:?}");
        }
        eprintln!("{}: {rounds} kills, {} writes acknowledged, ready again after {slowest:?} at most", engine.name(), acknowledged.len());
        if app.database.file().is_some() {
            assert_eq!(app.database.texts("PRAGMA integrity_check"), ["ok"]);
            assert_eq!(app.database.texts("SELECT \"table\" FROM pragma_foreign_key_check"), [] as [&str; 0]);
        }
        let halves = "SELECT count(*) FROM companies company WHERE NOT EXISTS (SELECT 1 FROM changes change WHERE change.entity = 'company' AND change.entity_id = company.id)";
        assert_eq!(app.database.number(halves), 0, "companies without their change");
        assert!(acknowledged.len() > usize::try_from(rounds).unwrap(), "only {} writes were acknowledged", acknowledged.len());
    }

    async fn sigterm_finishes_what_is_under_way(engine: Engine) {
        let mut app = App::start_on(&engine).await;
        let mut writers = tokio::task::JoinSet::new();
        for number in 0..20 {
            let admin = app.admin();
            writers.spawn(async move {
                let body = json!({"account_number": format!("T{number}"), "name": "Under way"});
                admin.try_send(Method::POST, "/api/companies", |request| request.json(&body)).await.is_ok_and(|reply| reply.status == 201)
            });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(app.stop().await, 0, "exit code after SIGTERM");
        let mut promised = 0;
        while let Some(done) = writers.join_next().await {
            promised += i64::from(done.unwrap());
        }
        assert!(app.database.number("SELECT count(*) FROM companies") >= promised);
    }
}
