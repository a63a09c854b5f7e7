//! How long history, readings, jobs and what else is over is kept.

use serde_json::{Value, json};

use crate::support::{App, Cli, Engine, Output, both};

/// The operator wants history for so many days.
async fn app_with(engine: &Engine, days: &str) -> App {
    App::builder(engine).env("CODEX_RETENTION_HISTORY_DAYS", days).start().await
}

async fn retention(app: &App) -> Value {
    app.cli().run_beside(&["retention", "--json"]).await.success().json()
}

async fn refused(cli: Cli) -> Output {
    tokio::task::spawn_blocking(move || cli.run(&["config", "show"])).await.unwrap().code(2)
}

/// Everything that has happened so far happened long ago.
fn long_ago(app: &App) {
    app.database.execute("UPDATE changes SET at = '2025-01-02T00:00:00Z'");
    for table in ["companies", "contacts", "assets"] {
        app.database.execute(&format!("UPDATE {table} SET created_at = '2025-01-02T00:00:00Z'"));
    }
    app.database.execute("UPDATE batches SET at = '2025-01-02T00:00:00Z'");
}

fn changes(app: &App) -> i64 {
    app.database.number("SELECT COUNT(*) FROM changes")
}

both! {
    async fn history_before_the_edge_is_gone_and_everybody_is_told(engine: Engine) {
        let app = app_with(&engine, "100").await;
        let tess = app.technician();
        app.company("100001", "Acme").await;
        let one = app.asset("LT-1", "100001").await["id"].clone();
        let gone = app.asset("LT-2", "100001").await["id"].clone();
        tess.put(&format!("/api/assets/{one}"), &json!({"hostname": "BEFORE"})).await.status(200);
        let old = tess.get("/api/changes").await.ok()["cursor"].as_i64().unwrap();
        tess.delete(&format!("/api/assets/{gone}")).await.status(200);
        long_ago(&app);
        tess.put(&format!("/api/assets/{one}"), &json!({"hostname": "AFTER"})).await.status(200);
        let seq = tess.get("/api/changes").await.ok()["cursor"].as_i64().unwrap();

        let told = retention(&app).await;
        assert!(told["removed"]["changes"].as_i64().unwrap() >= 4, "{told}");
        let since = told["history_since"].as_str().unwrap().to_owned();
        // Who retired a row decides what syncs do with it: that stays.
        assert_eq!(app.database.number("SELECT COUNT(*) FROM changes WHERE action = 'retire'"), 1);
        assert_eq!(changes(&app), 2);

        // The feed: a cursor from before the edge is told where to go on, and nothing is skipped in silence.
        for cursor in [0, old - 1] {
            let reply = tess.get(&format!("/api/changes?since={cursor}")).await.status(410).json();
            assert_eq!(reply["start"], json!(seq - 1), "{reply}");
        }
        for path in ["/api/changes".to_owned(), format!("/api/changes?since={}", seq - 1)] {
            let feed = tess.get(&path).await.ok();
            let seqs: Vec<i64> = feed["changes"].as_array().unwrap().iter().map(|one| one["seq"].as_i64().unwrap()).collect();
            assert_eq!((seqs, &feed["cursor"]), (vec![seq], &json!(seq)), "{path}");
        }
        // What was, as far as history tells.
        for path in [format!("/api/assets/{one}"), "/api/assets".to_owned()] {
            let refusal = tess.get(&format!("{path}?as_of=2025-06-01T00:00:00Z")).await.status(400);
            assert_eq!(refusal.fields(), ["as_of"]);
            assert!(refusal.error().contains(&since), "{}", refusal.error());
        }
        assert_eq!(tess.get(&format!("/api/assets/{one}?as_of={since}")).await.ok()["hostname"], "BEFORE");
        let was = tess.get(&format!("/api/assets?as_of={since}")).await.ok();
        assert_eq!(was.as_array().unwrap().iter().map(|row| &row["hostname"]).collect::<Vec<_>>(), ["BEFORE"]);
        // Of a kind nothing of which has changed since.
        assert_eq!(tess.get(&format!("/api/companies?as_of={since}")).await.ok()[0]["name"], "Acme");
        let history = tess.get(&format!("/api/history/asset/{one}")).await.ok();
        assert_eq!((&history["kept_since"], history["changes"].as_array().unwrap().len()), (&json!(since), 1));
        let page = tess.get(&format!("/assets/{one}")).await.status(200).text();
        assert!(page.contains("was removed."), "{page}");
        let new = app.asset("LT-3", "100001").await["id"].clone();
        assert!(!tess.get(&format!("/assets/{new}")).await.status(200).text().contains("was removed."));
        // A second run finds nothing, and leaves the edge where it is.
        assert_eq!(retention(&app).await["removed"]["changes"], 0);
        assert_eq!(tess.get(&format!("/api/history/asset/{one}")).await.ok()["kept_since"], json!(since));
    }

    async fn what_cannot_be_taken_back_or_counted_any_more_is_refused(engine: Engine) {
        let app = app_with(&engine, "100").await;
        let tess = app.technician();
        app.company("100001", "Acme").await;
        let one = app.asset("LT-1", "100001").await["id"].clone();
        let two = app.asset("LT-2", "100001").await["id"].clone();
        let done = tess.patch("/api/assets?company_id=100001", &json!({"status": "spare"})).await.status(200).json();
        let batch = done["batch_id"].as_i64().unwrap_or_else(|| panic!("{done}"));
        let merged = tess.post(&format!("/api/assets/{one}/merge"), &json!({"from": two})).await.status(200).json();
        let merge = merged["batch_id"].as_i64().unwrap_or_else(|| panic!("{merged}"));
        let undo = app.admin().post(&format!("/api/batches/{merge}/undo"), &json!({})).await.status(200).json()["batch_id"].as_i64().unwrap();
        long_ago(&app);
        app.database.execute(&format!("UPDATE batches SET undone_at = '2025-01-02T00:00:00Z' WHERE id = {merge}"));
        // The undo itself is younger than what it took back.
        let young = "2999-01-01T00:00:00Z";
        app.database.execute(&format!("UPDATE changes SET at = '{young}' WHERE batch_id = {undo}"));
        app.database.execute(&format!("UPDATE batches SET at = '{young}' WHERE id = {undo}"));
        let seq = app.database.number("SELECT MIN(seq) FROM changes WHERE action = 'update'");
        retention(&app).await;

        let refusal = tess.post(&format!("/api/batches/{batch}/undo"), &json!({})).await.status(409);
        assert!(refusal.error().contains("was removed"), "{}", refusal.error());
        assert_eq!(tess.get(&format!("/api/batches/{batch}")).await.ok()["history_removed"], true);
        assert_eq!(tess.get(&format!("/api/assets/{one}")).await.ok()["status"], "spare");
        assert!(tess.post(&format!("/api/changes/{seq}/undo"), &json!({})).await.status(410).json()["start"].as_i64().unwrap() >= seq);
        let again = tess.post(&format!("/api/batches/{undo}/undo"), &json!({})).await;
        assert!([409, 410].contains(&again.status), "{}", again.text());

        // A month that would be counted from what is left is refused, with the first that can be.
        let api = app.billing();
        for (path, field) in [
            ("/api/billing/trueup?company=100001&month=2025-03", "month"),
            ("/api/billing/compare?from=2025-03&to=2025-04", "from"),
        ] {
            let refusal = api.get(path).await.status(400);
            assert_eq!(refusal.fields(), [field], "{path}");
            assert!(refusal.error().contains("the oldest month that can be counted is 20"), "{}", refusal.error());
        }
        assert_eq!(app.admin().post("/api/billing/snapshots", &json!({"month": "2025-03"})).await.status(400).fields(), ["month"]);
        api.get("/api/billing/trueup?company=100001").await.status(200);
        api.get("/api/billing/compare").await.status(200);
    }

    async fn frozen_months_and_forgotten_people_outlive_history(engine: Engine) {
        let app = app_with(&engine, "100").await;
        app.company("100001", "Acme").await;
        let jane = app.contact("Jane Doe", "jane@acme.example", &["100001"]).await["id"].clone();
        app.database.execute("UPDATE companies SET created_at = '2025-01-02T00:00:00Z'");
        let month = json!({"month": "2025-03", "company": "100001"});
        app.database.execute("UPDATE changes SET at = '2025-01-02T00:00:00Z'");
        let made = app.admin().post("/api/billing/snapshots", &month).await.status(201).json();
        let id = made["frozen"][0]["id"].clone();
        let before = app.billing().get(&format!("/api/billing/snapshots/{id}.csv")).await.status(200).text();
        app.admin().post(&format!("/api/contacts/{jane}/forget"), &json!({"name": "Jane Doe"})).await.status(200);
        long_ago(&app);
        retention(&app).await;
        assert_eq!(app.billing().get(&format!("/api/billing/snapshots/{id}.csv")).await.status(200).text(), before);
        app.billing().get(&format!("/billing/snapshots/{id}")).await.status(200);
        // Nobody fills the row again.
        app.technician().put(&format!("/api/contacts/{jane}"), &json!({"name": "Jane Doe"})).await.status(409);
    }

    async fn nothing_goes_that_nobody_wants_gone(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        long_ago(&app);
        let before = changes(&app);
        let told = retention(&app).await;
        assert_eq!((told["removed"].get("changes"), &told["history_since"], changes(&app)), (None, &Value::Null, before), "{told}");
        app.technician().get("/api/changes?since=0").await.status(200);
        // A young installation loses nothing, and its history begins where it began.
        let young = app_with(&engine, "100").await;
        young.company("100001", "Acme").await;
        assert_eq!(retention(&young).await["removed"]["changes"], 0);
        assert_eq!(young.technician().get("/api/changes?since=0").await.ok()["changes"][0]["seq"], 1);
    }

    async fn jobs_runs_pages_readings_and_the_outbox_have_times_of_their_own(engine: Engine) {
        let app = App::builder(&engine)
            .env("CODEX_RETENTION_JOBS_DAYS", "30").env("CODEX_RETENTION_DISCLOSURES_DAYS", "2192").start().await;
        let (old, new) = ("2019-01-01T00:00:00Z", "2026-11-01T00:00:00Z");
        for n in 0..30 {
            let at = if n < 25 { old } else { new };
            app.database.execute(&format!(
                "INSERT INTO sync_jobs (id, script, status, started_at, completed_at, started_by, host, pid, pid_started, heartbeat_at)
                 VALUES ('job-{n:02}', 'datto', 'completed', '2019-01-01T00:00:{n:02}Z', '{at}', 'x', 'x', 1, 'x', '{at}');
                 INSERT INTO job_log (job_id, n, at, level, message) VALUES ('job-{n:02}', 1, '{at}', 'info', 'done');
                 INSERT INTO sync_runs (id, source, job_id, dry_run, status, started_at, finished_at) VALUES (1000 + {n}, 'datto', 'job-{n:02}', FALSE, 'done', '{old}', '{old}');
                 INSERT INTO sync_plans (id, run_id, source, status, created_at, summary) VALUES (1000 + {n}, 1000 + {n}, 'datto', '{}', '{old}', '{{}}');
                 INSERT INTO sync_plan_items (plan_id, entity, action, state, label, reason, fields, moves) VALUES (1000 + {n}, 'asset', 'update', 'done', 'x', 'x', '[]', '[]')",
                if n == 3 { "held" } else { "applied" },
            ));
        }
        app.database.execute(&format!(
            "INSERT INTO sync_pages (run_id, list, page, fetched_at, body) VALUES (1029, 'devices', 1, '{old}', '[]');
             INSERT INTO disclosures (at, caller_kind, caller, method, route, entity, records, record_count, times) VALUES
               ('{old}', 'user', 'ada', 'GET', '/x', 'contact', ',1,', 1, 1), ('2021-06-01T00:00:00Z', 'user', 'ada', 'GET', '/x', 'contact', ',1,', 1, 1)"
        ));
        let removed = retention(&app).await["removed"].clone();
        let count = |sql: &str| app.database.number(&format!("SELECT COUNT(*) FROM {sql}"));
        // The newest twenty stay, and so does what a plan still waits for.
        assert_eq!((count("sync_jobs WHERE script = 'datto'"), count("job_log WHERE job_id LIKE 'job-%'")), (20, 20), "{removed}");
        assert_eq!((count("sync_runs WHERE id >= 1000"), count("sync_plans WHERE id >= 1000"), count("sync_plan_items WHERE plan_id >= 1000")), (21, 21, 21));
        assert_eq!(count("sync_runs WHERE id = 1003"), 1);
        assert_eq!((count("sync_pages"), count("disclosures")), (0, 1), "{removed}");
        assert_eq!((&removed["staged pages"], &removed["disclosures"]), (&json!(1), &json!(1)));
    }

    async fn times_that_are_too_short_are_refused_with_what_would_be_right(engine: Engine) {
        for (key, value, words) in [
            ("DISCLOSURES_DAYS", "365", "retention.disclosures_days must be a whole number of days from 2192 (six years, as HIPAA asks), or unset for ever"),
            ("HISTORY_DAYS", "30", "retention.history_days must be a whole number of days from 100"),
            ("JOBS_DAYS", "0", "retention.jobs_days must be a whole number of days from 7"),
            ("STAGING_DAYS", "soon", "retention.staging_days must be a whole number of days from 1"),
        ] {
            let app = App::builder(&engine).env(&format!("CODEX_RETENTION_{key}"), value).prepare();
            let said = refused(app.cli()).await;
            assert!(said.stderr.contains(words), "{key}: {}", said.stderr);
        }
    }

    async fn the_schedule_runs_it_every_day(engine: Engine) {
        let app = App::start_on(&engine).await;
        let schedule = app.admin().get("/api/sync/schedules/retention").await.ok();
        assert_eq!((&schedule["cadence"], &schedule["enabled"]), (&json!("30 4 * * *"), &json!(true)), "{schedule}");
        let page = app.admin().get("/admin/").await.status(200).text();
        assert!(page.contains("Retention"), "{page}");
    }
}
