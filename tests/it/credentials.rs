//! Credentials entered over HTTP: used at once, sealed, never given back.

use serde_json::{Value, json};

use crate::freshservice::{API_KEY, Freshservice, Plan};
use crate::support::{App, Engine, both, eventually};

const CANARY: &str = "canary-9f2e1c77";

async fn finished(app: &App, started: &Value) -> Value {
    let path = format!("/sync/status/{}", started["job_id"].as_str().unwrap_or_else(|| panic!("no job: {started}")));
    let admin = app.admin();
    eventually("the job ends", 60, || async { admin.get(&path).await.ok()["status"] != "running" }).await;
    admin.get(&path).await.ok()
}

fn key<'v>(seen: &'v Value, name: &str) -> &'v Value {
    seen["keys"].as_array().unwrap().iter().find(|key| key["name"] == name).unwrap()
}

both! {
    async fn what_is_entered_counts_at_the_next_job(engine: Engine) {
        let vendor = Freshservice::start(Plan::sized(3, 10).build()).await;
        let mut app = App::builder(&engine).start().await;
        let admin = app.admin();
        let path = "/api/sync/credentials/freshservice";
        admin.post("/sync/freshservice", &json!({})).await.status(500);
        let set = admin.put(path, &json!({"domain": vendor.url(), "api_key": API_KEY})).await.ok();
        assert_eq!((&set["configured"], &key(&set, "domain")["value"]), (&json!(true), &json!(vendor.url())));
        let secret = key(&set, "api_key");
        assert_eq!((&secret["set"], &secret["value"], &secret["origin"]), (&json!(true), &Value::Null, &json!("entered in the page")));
        assert_eq!(secret["fingerprint"].as_str().unwrap().len(), 8);
        let tried = admin.post(&format!("{path}/test"), &json!({})).await.ok();
        assert_eq!(tried["ok"], true, "{tried}");
        let done = finished(&app, &admin.post("/sync/freshservice", &json!({})).await.ok()).await;
        assert_eq!(done["status"], "completed", "{done}");
        app.cli().run_beside(&["sync", "freshservice"]).await.code(0);
        app.cli().run_beside(&["doctor"]).await.code(0);
        let shown = app.cli().run_beside(&["config", "show"]).await.code(0).stdout;
        assert!(shown.lines().any(|line| line.contains("freshservice.api_key") && line.contains("***") && line.contains("entered in the page")), "{shown}");

        // The environment wins over the page; the page says so and keeps what was entered.
        app.stop().await;
        let other = app.cli().env("CODEX_FRESHSERVICE_API_KEY", "wrong").run_beside(&["doctor", "--json"]).await;
        let finding = other.json().as_array().unwrap().iter().find(|found| found["check"] == "freshservice").cloned().unwrap();
        assert_eq!(finding["ok"], false, "{finding}");

        // Another key beside the database: said clearly, and nothing else suffers.
        let file = app.instance().join("credentials.key");
        let kept = std::fs::read(&file).unwrap();
        for lost in [Some("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="), Some("garbage"), None] {
            match lost {
                Some(text) => std::fs::write(&file, text).unwrap(),
                None => std::fs::remove_file(&file).unwrap(),
            }
            app.start().await;
            let admin = app.admin();
            let seen = admin.get(path).await.ok();
            assert!(seen["problem"].as_str().is_some_and(|why| why.contains("key")), "{lost:?}: {seen}");
            assert_eq!(seen["configured"], false);
            admin.get("/api/companies").await.ok();
            assert_eq!(admin.get("/health").await.status(200).json()["status"], "healthy");
            assert!(admin.post("/sync/freshservice", &json!({})).await.status(500).error().contains("not configured"));
            app.stop().await;
        }
        std::fs::write(&file, kept).unwrap();
        app.start().await;
        let admin = app.admin();
        assert_eq!(admin.get(path).await.ok()["configured"], true);
        let gone = admin.delete(path).await.ok();
        assert_eq!((&gone["configured"], &key(&gone, "api_key")["entered"]), (&json!(false), &json!(false)));
        assert_eq!(app.database.number("SELECT count(*) FROM vendor_credentials"), 0);
    }

    async fn nothing_ever_tells_a_secret(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_SERVER_LOG_LEVEL", "debug").start().await;
        let admin = app.admin();
        let mut told = String::new();
        let bodies = [
            ("datto", json!({"api_endpoint": "http://127.0.0.1:1", "public_key": format!("{CANARY}-p"), "secret_key": format!("{CANARY}-s")})),
            ("freshservice", json!({"domain": "http://127.0.0.1:1", "api_key": format!("{CANARY}-k")})),
            ("freshservice", json!({"domain": format!("two words {CANARY}"), "api_key": format!("{CANARY}\u{1}")})),
            ("datto", json!({"api_endpoint": format!("two words {CANARY}")})),
            ("datto", json!({"secret_key": CANARY.repeat(400)})),
        ];
        for (vendor, body) in bodies {
            let reply = admin.put(&format!("/api/sync/credentials/{vendor}"), &body).await;
            told.push_str(&reply.text());
        }
        for vendor in ["freshservice", "datto"] {
            let tried = admin.post(&format!("/api/sync/credentials/{vendor}/test"), &json!({})).await;
            assert_eq!(tried.json()["ok"], false);
            told.push_str(&tried.text());
        }
        finished(&app, &admin.post("/sync/freshservice", &json!({})).await.ok()).await;
        for path in ["/api/sync/credentials", "/api/sync/schedules", "/admin/", "/api/changes", "/health", "/sync/last/freshservice", "/api/openapi.json"] {
            told.push_str(&admin.get(path).await.text());
        }
        for words in [&["config", "show", "--json"][..], &["doctor", "--json"]] {
            let output = app.cli().run_beside(words).await;
            told.push_str(&(output.stdout + &output.stderr));
        }
        told.push_str(&app.log());
        told.push_str(&app.printed());
        for (table, columns) in [("vendor_credentials", "system || name || sealed || fingerprint || set_by"), ("settings", "name || value"), ("sync_jobs", "COALESCE(output, '') || COALESCE(error, '')"), ("sync_runs", "COALESCE(error, '')")] {
            told.push_str(&app.database.texts(&format!("SELECT {columns} FROM {table}")).join("\n"));
        }
        assert!(!told.contains("canary"), "{}", told.split("canary").next().unwrap_or_default().chars().rev().take(300).collect::<String>().chars().rev().collect::<String>());
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(app.instance().join("credentials.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        app.technician().get("/api/sync/credentials").await.status(403);
    }
}
