//! Jobs that run by themselves: once per slot across instances, decided by the file or by a person.

use std::time::Duration;

use serde_json::{Value, json};

use crate::freshservice::{Freshservice, Plan};
use crate::support::{App, Engine, both, eventually};

/// A Codex whose scheduler runs, with a Freshservice that is read so often.
async fn scheduled(engine: &Engine, vendor: &Freshservice, cadence: &str) -> App {
    App::builder(engine)
        .freshservice(vendor)
        .env("CODEX_SKIP_SCHEDULER", "")
        .env("CODEX_SCHEDULER_FRESHSERVICE", cadence)
        .env("CODEX_SCHEDULER_TICKETS", "off")
        .env("CODEX_SCHEDULER_OUTBOX", "every 1s")
        .start()
        .await
}

const BY_ITSELF: &str = "SELECT count(*) FROM sync_jobs WHERE started_by = 'scheduler' AND status <> 'running'";

async fn schedule(app: &App) -> Value {
    app.admin().get("/api/sync/schedules/freshservice").await.ok()
}

both! {
    async fn one_slot_runs_once_across_instances(engine: Engine) {
        let vendor = Freshservice::start(Plan::sized(2, 5).build()).await;
        let app = scheduled(&engine, &vendor, "every 1s").await;
        let _second = app.beside().await;
        let _third = app.beside().await;
        eventually("five jobs ran by themselves", 60, || async { app.database.number(BY_ITSELF) >= 5 }).await;
        app.admin().put("/api/sync/schedules/freshservice", &json!({"enabled": false})).await.ok();
        eventually("what was running has ended", 30, || async {
            app.database.number("SELECT count(*) FROM sync_jobs WHERE status = 'running'") == 0
        }).await;
        // Slots of one second: more jobs than seconds would have shared some. A slot may be taken late, the next in time.
        let starts = app.database.texts("SELECT started_at FROM sync_jobs ORDER BY started_at");
        let second = |at: &String| at.parse::<jiff::Timestamp>().unwrap().as_second();
        let seconds = second(starts.last().unwrap()) - second(&starts[0]);
        assert!(i64::try_from(starts.len()).unwrap() <= seconds + 2, "{:?}", app.database.texts("SELECT started_at || ' ' || host FROM sync_jobs"));
        let overlapping = "SELECT count(*) FROM sync_jobs one JOIN sync_jobs other ON one.id <> other.id
                           WHERE other.started_at > one.started_at AND other.started_at < one.completed_at";
        assert_eq!(app.database.number(overlapping), 0);
        assert_eq!(app.database.number("SELECT count(*) FROM sync_jobs WHERE status = 'failed'"), 0);
        let seen = schedule(&app).await;
        assert_eq!((&seen["enabled"], &seen["active"], &seen["next_run_at"]), (&json!(false), &json!(false), &Value::Null));
        let before = app.database.number("SELECT count(*) FROM sync_jobs");
        tokio::time::sleep(Duration::from_millis(2500)).await;
        assert_eq!(app.database.number("SELECT count(*) FROM sync_jobs"), before, "switched off on the page");
        assert_eq!(app.database.number("SELECT count(*) FROM sync_jobs WHERE script = 'outbox'"), 0, "nothing waits to be sent");
    }

    async fn a_job_about_our_own_data_does_not_wait_for_a_vendor_that_shuts_us_out(engine: Engine) {
        let (root, key) = ("http://127.0.0.1:1", "public");
        let mut app = App::builder(&engine)
            .env("CODEX_SKIP_SCHEDULER", "").env("CODEX_SCHEDULER_FREEZE_MONTH", "1").env("CODEX_SCHEDULER_TICKETS", "off")
            .env("CODEX_DATTO_API_ENDPOINT", root).env("CODEX_DATTO_PUBLIC_KEY", key).env("CODEX_DATTO_SECRET_KEY", "secret")
            .start().await;
        app.company("100001", "Acme").await;
        app.database.execute("UPDATE companies SET created_at = '2025-01-01T00:00:00Z'; UPDATE changes SET at = '2025-01-01T00:00:00Z'");
        eventually("both clocks are set", 30, || async {
            app.database.number("SELECT count(*) FROM schedules WHERE job IN ('freeze-month', 'datto') AND next_run_at IS NOT NULL") == 2
        }).await;
        app.stop().await;
        let sum = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, format!("Datto RMM\n{root}\n{key}").as_bytes());
        let account = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, &sum.as_ref()[..16]);
        let until = jiff::Timestamp::now().as_millisecond() + 20 * 60 * 1000;
        app.database.execute(&format!("INSERT INTO vendor_budgets (account, bucket, paused_until_ms) VALUES ('{account}', '*', {until})"));
        let slot = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        app.database.execute(&format!("UPDATE schedules SET next_slot = '{slot}', next_run_at = '{slot}' WHERE job IN ('freeze-month', 'datto')"));
        app.start().await;
        let jobs = |script: &str| app.database.number(&format!("SELECT count(*) FROM sync_jobs WHERE script = '{script}' AND started_by = 'scheduler'"));
        eventually("the month is frozen", 30, || async { jobs("freeze-month") == 1 }).await;
        tokio::time::sleep(Duration::from_millis(2500)).await;
        assert_eq!(jobs("datto"), 0, "the vendor has shut us out, and is left alone");
        let tried = app.admin().post("/api/sync/credentials/datto/test", &json!({})).await.text();
        assert!(tried.contains("shut this address out"), "{tried}");
        assert_eq!(app.admin().get("/api/billing/snapshots").await.ok()[0]["company"]["name"], "Acme");
    }

    async fn missed_slots_are_made_up_for_once(engine: Engine) {
        let vendor = Freshservice::start(Plan::sized(2, 5).build()).await;
        let mut app = scheduled(&engine, &vendor, "*/5 * * * *").await;
        // The answer computes a next run before the clock has written its row; the row is what is moved back below.
        const PERIOD: &str = "SELECT COALESCE(max(period_seconds), 0) FROM schedules WHERE job = 'freshservice'";
        eventually("the clock is set", 30, || async { app.database.number(PERIOD) == 300 }).await;
        app.stop().await;
        app.database.execute(
            "UPDATE schedules SET next_slot = '2026-01-01T00:00:00Z', next_run_at = '2026-01-01T00:00:00Z' WHERE job = 'freshservice'",
        );
        app.start().await;
        eventually("the missed slot runs", 30, || async { schedule(&app).await["last_status"] == "completed" }).await;
        // Time for further slots, if there were any left to make up for.
        tokio::time::sleep(Duration::from_millis(2500)).await;
        let seen = schedule(&app).await;
        assert_eq!(seen["last_slot"], "2026-01-01T00:00:00Z");
        assert!(seen["next_run_at"].as_str().unwrap() > seen["last_run_at"].as_str().unwrap(), "{seen}");
        assert!(app.database.number("SELECT count(*) FROM sync_jobs") <= 2, "not once for each missed slot");
    }

    async fn a_persons_decision_wins_until_it_is_taken_back(engine: Engine) {
        let conf = "[scheduler]\nsync_psa_schedule = hourly\nsync_freshservice_enabled = true\ntime_zone = Europe/Berlin\n";
        let app = App::builder(&engine).configuration(conf).env("CODEX_FRESHSERVICE_DOMAIN", "http://127.0.0.1:1").env("CODEX_FRESHSERVICE_API_KEY", "x").start().await;
        let seen = schedule(&app).await;
        assert_eq!((&seen["cadence"], &seen["time_zone"]), (&json!("0 * * * *"), &json!("Europe/Berlin")));
        assert!(seen["origin"].as_str().unwrap().contains("codex.conf:2"), "{seen}");
        assert!(seen["inactive_because"].as_str().unwrap().contains("switched off"), "{seen}");
        let admin = app.admin();
        let path = "/api/sync/schedules/psa";
        let changed = admin.put(path, &json!({"cron": "30 4 * * 1-5", "time_zone": "America/New_York", "jitter": 60})).await.ok();
        assert_eq!((&changed["cadence"], &changed["origin"], &changed["jitter_seconds"]), (&json!("30 4 * * 1-5"), &json!("edited"), &json!(60)));
        assert!(changed["edited_by"].is_string() && changed["edited_at"].is_string());
        assert_eq!(changed["configured"]["cadence"], "0 * * * *");
        let wrong = admin.put(path, &json!({"cadence": "61 * * * *", "time_zone": "Mars/Base", "jitter_seconds": -1})).await.status(400);
        assert_eq!(wrong.fields(), ["cadence", "time_zone", "jitter_seconds"]);
        assert_eq!(schedule(&app).await["cadence"], "30 4 * * 1-5");
        let reset = admin.delete(path).await.ok();
        assert_eq!((&reset["cadence"], &reset["edited_by"]), (&json!("0 * * * *"), &Value::Null));
        admin.put("/api/sync/schedules/none", &json!({"enabled": true})).await.status(404);
        let datto = admin.get("/api/sync/schedules").await.ok();
        assert!(datto.as_array().unwrap().iter().any(|job| job["job"] == "freshservice"), "{datto}");
    }

    async fn what_a_dead_process_left_goes_on_a_few_times_at_most(engine: Engine) {
        let mut world = Plan::sized(20, 120).build();
        world.faults.latency = Duration::from_millis(300);
        let vendor = Freshservice::start(world).await;
        let mut app = scheduled(&engine, &vendor, "off").await;
        let started = app.admin().post("/sync/freshservice", &json!({})).await.ok();
        eventually("the run has begun", 20, || async { app.database.number("SELECT count(*) FROM sync_runs") == 1 }).await;
        app.kill();
        vendor.world(|state| state.faults.latency = Duration::ZERO);
        app.start().await;
        eventually("it goes on by itself", 60, || async { app.database.number(BY_ITSELF) == 1 }).await;
        let path = format!("/sync/status/{}", started["job_id"].as_str().unwrap());
        assert_eq!(app.admin().get(&path).await.ok()["status"], "failed");
        assert_eq!(app.database.number("SELECT count(*) FROM sync_jobs WHERE status = 'completed'"), 1);
        // Three deaths in a row: whatever kills it would kill it again.
        app.stop().await;
        app.database.execute("UPDATE sync_jobs SET status = 'failed', success = NULL, error = 'its process ended without a word'");
        app.database.execute(
            "INSERT INTO sync_jobs (id, script, status, started_at, error, started_by, host, pid, pid_started, heartbeat_at)
             VALUES ('third', 'freshservice', 'failed', '2026-01-01T00:00:00Z', 'its process ended without a word', 'ada', 'h', 1, '1', 'x')",
        );
        let before = app.database.number("SELECT count(*) FROM sync_jobs");
        app.start().await;
        tokio::time::sleep(Duration::from_millis(2500)).await;
        assert_eq!(app.database.number("SELECT count(*) FROM sync_jobs"), before);
    }

    async fn what_follows_another_job_runs_once_after_each_good_run_of_it(engine: Engine) {
        let vendor = Freshservice::start(Plan::sized(2, 5).build()).await;
        let app = scheduled(&engine, &vendor, "off").await;
        let changed = app.admin().put("/api/sync/schedules/tickets", &json!({"cadence": "after psa", "enabled": true})).await.ok();
        assert_eq!((&changed["cadence"], &changed["active"], &changed["next_run_at"]), (&json!("after psa"), &json!(true), &Value::Null));
        app.admin().put("/api/sync/schedules/tickets", &json!({"cadence": "after tickets"})).await.status(400);
        app.cli().run_beside(&["sync", "freshservice", "--dry-run"]).await.code(0);
        tokio::time::sleep(Duration::from_millis(2500)).await;
        assert_eq!(app.database.number(BY_ITSELF), 0, "a dry run brings nothing");
        for runs in 1..=2 {
            app.cli().run_beside(&["sync", "freshservice"]).await.code(0);
            eventually("tickets follow", 30, || async { app.database.number(BY_ITSELF) == runs }).await;
            tokio::time::sleep(Duration::from_millis(2500)).await;
            assert_eq!(app.database.number(BY_ITSELF), runs);
        }
        // What it remembers is from before the clock was set back: that must not keep it from ever running again.
        app.database.execute("UPDATE schedules SET last_slot = '2099-01-01T00:00:00Z' WHERE job = 'tickets'");
        eventually("tickets follow again", 30, || async { app.database.number(BY_ITSELF) == 3 }).await;
        assert_eq!(app.database.number("SELECT count(*) FROM sync_jobs WHERE started_by = 'scheduler' AND script <> 'tickets'"), 0);
    }
}
