//! Several instances on one database: what is said to one holds at all of them. That a slot of the schedule runs once is in
//! `scheduler.rs`.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::freshservice::{Freshservice, Plan};
use crate::support::{Api, App, Engine, PASSWORD, both, eventually};

both! {
    async fn an_answer_outlives_no_write_made_elsewhere_by_a_second(engine: Engine) {
        let app = App::start_on(&engine).await;
        let (second, third) = (app.beside().await, app.beside().await);
        app.company("100001", "Round 0").await;
        let callers = [app.admin(), second.admin(), third.admin()];
        let paths = ["/api/companies", "/api/companies/100001"];
        let mut slowest = Duration::ZERO;
        for round in 1..=12_usize {
            // Everybody keeps an answer from before the change.
            for (caller, path) in callers.iter().flat_map(|caller| paths.map(|path| (caller, path))) {
                caller.get(path).await.ok();
            }
            let name = format!("Round {round}");
            callers[round % 3].put("/api/companies/100001", &json!({"name": name})).await.ok();
            let written = Instant::now();
            let own = callers[round % 3].get("/api/companies/100001").await.ok();
            assert_eq!(own["name"], json!(name), "who has written reads what they wrote, at once");
            for (caller, path) in callers.iter().flat_map(|caller| paths.map(|path| (caller, path))) {
                while !caller.get(path).await.text().contains(&name) {
                    assert!(written.elapsed() < Duration::from_secs(1), "{path} is a second old");
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
            slowest = slowest.max(written.elapsed());
        }
        eprintln!("{}: all three tell of a change after {slowest:?} at most", engine.name());
    }

    async fn who_is_signed_in_or_out_or_locked_out_is_so_everywhere(engine: Engine) {
        let app = App::start_on(&engine).await;
        let (second, third) = (app.beside().await, app.beside().await);
        let sign_in = |api: Api, password: &'static str| async move {
            let form = [("username", "tess"), ("password", password)];
            api.send(Method::POST, "/login", |request| request.header("x-forwarded-for", "203.0.113.7").form(&form)).await
        };
        let signed_in = sign_in(app.anonymous(), PASSWORD).await.status(303);
        let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
        for api in [second.api(None), third.api(None)] {
            api.get_with("/api/companies", "cookie", &cookie).await.status(200);
        }
        let sessions = second.api(None).get_with("/api/my/sessions", "cookie", &cookie).await.ok();
        let own = sessions.as_array().unwrap().iter().find(|session| session["current"] == true).unwrap()["id"].clone();
        let ended = format!("/api/my/sessions/{}", own.as_str().unwrap());
        second.api(None).send(Method::DELETE, &ended, |request| request.header("cookie", &cookie)).await.status(204);
        second.api(None).get_with("/api/companies", "cookie", &cookie).await.status(401);
        // The others hear of it at their next look at the database.
        let ended = Instant::now();
        for api in [app.anonymous(), third.api(None)] {
            while api.get_with("/api/companies", "cookie", &cookie).await.status != 401 {
                assert!(ended.elapsed() < Duration::from_secs(1), "a session that was ended elsewhere stands for a second");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }

        let made = app.technician().post("/api/keys", &json!({"name": "script", "current_password": PASSWORD})).await.status(201).json();
        let key = made["key"].as_str().unwrap().to_owned();
        third.api(Some(&key)).get("/api/companies").await.ok();
        let revoked = format!("/api/keys/{}", made["id"]);
        app.technician().delete(&revoked).await.status(200);
        second.api(Some(&key)).get("/api/companies").await.status(401);
        third.api(Some(&key)).get("/api/companies").await.status(401);

        // Five wrong passwords, wherever they are tried.
        for api in [app.anonymous(), second.api(None), third.api(None), app.anonymous(), second.api(None)] {
            sign_in(api, "wrong").await.status(401);
        }
        sign_in(third.api(None), PASSWORD).await.status(429);
    }

    async fn how_often_a_key_asks_is_counted_by_all_together(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_LIMITS_KEY_REQUESTS", "60").start().await;
        let (second, third) = (app.beside().await, app.beside().await);
        let made = app.technician().post("/api/keys", &json!({"name": "script", "current_password": PASSWORD})).await.status(201).json();
        let key = made["key"].as_str().unwrap();
        let callers = [app.with_token(key), second.api(Some(key)), third.api(Some(key))];
        let mut answered = [0; 3];
        // Each alone would answer sixty; each hears of the others after six of theirs, or a second.
        for (index, caller) in callers.iter().enumerate().cycle().take(360) {
            answered[index] += u32::from(caller.get("/api/companies?limit=1").await.status == 200);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let all: u32 = answered.iter().sum();
        assert!((60..=90).contains(&all), "{answered:?}");
        for caller in &callers {
            caller.get("/api/companies").await.status(429);
        }
    }

    async fn a_sync_that_everybody_starts_runs_once(engine: Engine) {
        let mut world = Plan::sized(5, 20).build();
        world.faults.latency = Duration::from_millis(100);
        let vendor = Freshservice::start(world).await;
        let app = App::builder(&engine).freshservice(&vendor).start().await;
        let (second, third) = (app.beside().await, app.beside().await);
        let start = |api: Api| async move { api.post("/sync/freshservice", &json!({})).await.json()["job_id"].clone() };
        let (one, two, three) = tokio::join!(start(app.admin()), start(second.admin()), start(third.admin()));
        eventually("the sync has ended", 60, || async {
            app.database.number("SELECT count(*) FROM sync_jobs WHERE script = 'freshservice' AND status = 'completed'") == 1
        }).await;
        let jobs = "SELECT count(*) FROM sync_jobs WHERE script = 'freshservice'";
        assert_eq!(app.database.number(jobs), 1, "{one} {two} {three}");
        assert_eq!(app.database.number("SELECT count(*) FROM companies"), 5);
    }

    async fn one_that_is_killed_loses_nothing_and_holds_nobody_up(engine: Engine) {
        let mut app = App::start_on(&engine).await;
        let second = app.beside().await;
        let write = |api: Api, block: usize| async move {
            let mut made = Vec::new();
            for number in 0..200 {
                let account = format!("{block}{number:05}");
                let body = json!({"account_number": account, "name": "Kept"});
                match api.try_send(Method::POST, "/api/companies", |request| request.json(&body)).await {
                    Ok(reply) if reply.status == 201 => made.push(account),
                    Ok(reply) => panic!("{}: {}", reply.status, reply.text()),
                    Err(_) => break,
                }
            }
            made
        };
        let dying: Vec<_> = (1..=4).map(|block| tokio::spawn(write(app.admin(), block))).collect();
        let living = tokio::spawn(write(second.admin(), 9));
        eventually("writes are under way", 20, || async { app.database.number("SELECT count(*) FROM companies") > 20 }).await;
        app.kill();
        let mut acknowledged = living.await.unwrap();
        assert_eq!(acknowledged.len(), 200, "the other one goes on");
        for writer in dying {
            acknowledged.extend(writer.await.unwrap());
        }
        let present = app.database.texts("SELECT account_number FROM companies");
        let lost: Vec<_> = acknowledged.iter().filter(|account| !present.contains(account)).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    }
}
