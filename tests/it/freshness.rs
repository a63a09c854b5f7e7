//! How old the data is, said on every list, in `/health`, and never frozen by a cache.

use std::time::Duration;

use serde_json::{Value, json};

use crate::freshservice::Plan;
use crate::support::{App, Engine, Pull, both, eventually};

async fn source(app: &App) -> Value {
    let sources = app.admin().get("/api/sync/sources").await.ok();
    sources.as_array().unwrap().iter().find(|known| known["source"] == "freshservice").cloned().unwrap_or_default()
}

/// Moves every run so many hours back, and makes running servers notice.
fn age(app: &App, hours: i64) {
    for table in ["sync_runs", "sync_jobs"] {
        for row in app.database.texts(&format!("SELECT id || '|' || started_at FROM {table}")) {
            let (id, at) = row.split_once('|').unwrap();
            let at: jiff::Timestamp = at.parse().unwrap();
            let moved =
                jiff::Timestamp::from_second(at.as_second() - hours * 3600).unwrap().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            app.database.execute(&format!("UPDATE {table} SET started_at = '{moved}' WHERE id = '{id}'"));
        }
    }
}

both! {
    async fn every_list_says_how_old_it_is(engine: Engine) {
        let pull = Pull::start(&engine, Plan::sized(3, 12).build()).await;
        let service = pull.app.service();
        assert_eq!(service.get("/api/companies").await.header("x-codex-data-age"), "", "never read");
        assert!(!pull.app.admin().get("/companies/").await.text().contains("freshness-line"));
        pull.run(&[]).await.code(0);
        let first = service.get("/api/companies").await;
        let etag = first.header("etag").to_owned();
        let age_of = |reply: &crate::support::Reply| reply.header("x-codex-data-age").parse::<i64>();
        let before = age_of(&first).expect("an age");
        tokio::time::sleep(Duration::from_millis(2100)).await;
        for path in ["/api/companies", "/api/contacts", "/api/assets", "/api/companies/bulk", "/codex/api/companies?limit=1", "/api/companies?format=csv", "/api/psa/agents"] {
            let reply = service.get(path).await.status(200);
            assert!(age_of(&reply).is_ok_and(|age| age >= before + 2), "{path}: {}", reply.header("x-codex-data-age"));
        }
        let unchanged = service.get_with("/api/companies", "if-none-match", &etag).await.status(304);
        assert!(age_of(&unchanged).is_ok_and(|age| age >= before + 2), "a 304 says it, too");
        assert_eq!(service.get("/api/search?q=acme").await.header("x-codex-data-age"), "");
        let page = pull.app.admin().get("/contacts/").await.text();
        assert!(page.contains("freshness-line") && page.contains("Freshservice"), "{page}");
    }

    async fn each_state_is_told_and_none_makes_us_unwell(engine: Engine) {
        let mut pull = Pull::start(&engine, Plan::sized(4, 40).build()).await;
        for _ in 0..4 {
            pull.run(&[]).await.code(0);
        }
        let app = &pull.app;
        assert_eq!(source(app).await["state"], "ok");
        let health = app.anonymous().get("/health").await.status(200).json();
        assert_eq!(health["checks"]["sources"]["freshservice"]["status"], "ok", "{health}");
        // Far fewer people than ever before, on a plan that waits.
        pull.vendor.world(|state| state.requesters.truncate(3));
        pull.run(&[]).await;
        let seen = source(&pull.app).await;
        assert_eq!(seen["state"], "suspicious", "{seen}");
        assert!(seen["detail"].as_str().unwrap().contains("listed 3"), "{seen}");
        pull.vendor.go_away();
        pull.run(&[]).await.code(6);
        let app = &pull.app;
        assert_eq!(source(app).await["state"], "failing");
        assert!(app.admin().get("/companies/").await.text().contains("the last run failed"));
        app.database.execute("DELETE FROM sync_runs WHERE status = 'failed'");
        app.database.execute("DELETE FROM sync_jobs");
        age(app, 49);
        let seen = source(app).await;
        assert_eq!((&seen["state"], seen["age_seconds"].as_i64().is_some_and(|age| age > 49 * 3600)), (&json!("late"), true), "{seen}");
        let admin = app.admin();
        eventually("health says so", 5, || async {
            admin.get("/health").await.status(200).json()["checks"]["sources"]["freshservice"]["status"] == "late"
        })
        .await;
        assert_eq!(app.anonymous().get("/health").await.status(200).json()["status"], "healthy");
    }

    async fn sync_all_runs_what_is_configured(engine: Engine) {
        let pull = Pull::start(&engine, Plan::sized(2, 6).build()).await;
        let output = pull.app.cli().run_beside(&["sync", "all"]).await.code(0);
        assert!(output.stderr.contains("Freshservice sync"), "{}", output.stderr);
        assert_eq!(pull.contacts().await.len(), 6);
        let none = App::builder(&engine).start().await;
        assert!(none.cli().run_beside(&["sync", "all"]).await.code(2).stderr.contains("no vendor is configured"));
    }
}
