//! `/metrics`: what it tells, and whom.

use serde_json::json;

use crate::freshservice::{Freshservice, Plan};
use crate::support::{App, Engine, both};

/// The value of a line, by its beginning.
fn value(text: &str, line: &str) -> Option<f64> {
    text.lines().find_map(|found| found.strip_prefix(line)?.trim().parse().ok())
}

both! {
    async fn counts_and_times_are_told_and_nothing_of_people(engine: Engine) {
        let vendor = Freshservice::start(Plan::sized(2, 5).build()).await;
        let app = App::builder(&engine).freshservice(&vendor).start().await;
        app.company("100001", "Canary Ltd").await;
        app.contact("Quentin Canary", "quentin@canary.example", &["100001"]).await;
        for _ in 0..3 {
            app.admin().get("/api/companies/100001").await.ok();
        }
        app.admin().get("/api/companies/999999").await.status(404);
        app.admin().get("/nowhere/canary").await.status(404);
        app.cli().run_beside(&["sync", "freshservice"]).await.success();
        let reply = app.anonymous().get("/metrics").await.status(200);
        assert!(reply.header("content-type").starts_with("text/plain; version=0.0.4"));
        let text = reply.text();
        let counted = |status: &str| value(&text, &format!("codex_http_requests_total{{route=\"/api/companies/{{acct}}\",status=\"{status}\"}}"));
        assert_eq!((counted("2xx"), counted("4xx")), (Some(3.0), Some(1.0)), "{text}");
        assert_eq!(value(&text, "codex_http_requests_total{route=\"none\",status=\"4xx\"}"), Some(1.0), "{text}");
        assert!(value(&text, "codex_http_request_duration_seconds_count{kind=\"write\"}") >= Some(2.0));
        assert_eq!(value(&text, "codex_http_requests_under_way"), Some(1.0), "this one");
        assert_eq!(value(&text, "codex_database_up"), Some(1.0));
        assert_eq!(value(&text, "codex_database_waiting{kind=\"write\"}"), Some(0.0));
        let success = value(&text, "codex_job_last_success_timestamp_seconds{job=\"freshservice\"}").unwrap();
        assert!((jiff::Timestamp::now().as_second() as f64 - success).abs() < 300.0, "{success}");
        assert!(value(&text, "process_resident_memory_bytes") > Some(1_000_000.0));
        assert!(text.contains("codex_build_info{version=\""));
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, number) = line.rsplit_once(' ').unwrap();
            assert!(number.parse::<f64>().is_ok() && name.starts_with(|first: char| first.is_ascii_lowercase()), "{line}");
        }
        for canary in ["anary", "quentin", "100001", "999999"] {
            assert!(!text.contains(canary), "{canary} in {text}");
        }
    }

    async fn only_this_machine_or_the_token_reads_them(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_SERVER_METRICS_TOKEN", "scrape-me").start().await;
        let anonymous = app.anonymous();
        anonymous.get("/metrics").await.status(200);
        let elsewhere = anonymous.get_with("/metrics", "x-forwarded-for", "203.0.113.7").await.status(403);
        assert!(elsewhere.error().contains("metrics_token"), "{}", elsewhere.error());
        // Through a proxy on this machine it is somebody else who asks.
        anonymous.get_with("/metrics", "x-forwarded-for", "127.0.0.1").await.status(403);
        anonymous.get_with("/metrics", "x-real-ip", "127.0.0.1").await.status(403);
        app.admin().get("/metrics").await.status(403);
        app.with_token("scrape-you").get("/metrics").await.status(403);
        let scraper = app.with_token("scrape-me");
        scraper.get("/metrics").await.status(200);
        scraper.get_with("/metrics", "x-forwarded-for", "203.0.113.7").await.status(200);
        scraper.get("/api/companies").await.status(401);
        let shown = app.cli().run_beside(&["config", "show"]).await.success();
        assert!(!shown.stdout.contains("scrape-me"), "{}", shown.stdout);
    }

    async fn each_line_of_the_log_is_json_when_that_is_wanted(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_SERVER_LOG_FORMAT", "json").env("CODEX_SERVER_LOG_LEVEL", "debug").start().await;
        app.anonymous().get_with("/api/companies", "authorization", "Bearer nonsense").await.status(401);
        let log = app.log();
        let records: Vec<serde_json::Value> =
            log.lines().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
        let refused = records.iter().find(|record| record["message"] == "token refused").unwrap_or_else(|| panic!("{log}"));
        assert_eq!((&refused["level"], &refused["span"]["path"]), (&json!("DEBUG"), &json!("/api/companies")));
        assert!(refused["span"]["id"].is_string() && refused["timestamp"].is_string(), "{refused}");
    }
}
