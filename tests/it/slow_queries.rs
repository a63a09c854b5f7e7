//! The log of statements that take long: which, how long, and nothing of what they were asked with.

use crate::support::{App, Engine, both};

both! {
    async fn a_statement_that_takes_long_is_logged_without_its_values(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_DATABASE_SLOW_QUERY_MS", "1").start().await;
        let mut rows = Vec::new();
        for number in 0..6_000 {
            rows.push(format!("('S{number}', 'Canary Works {number}', 'x', 'x', 'canary works {number}', 'canary works {number}')"));
        }
        app.database.execute(&format!(
            "INSERT INTO companies (account_number, name, created_at, updated_at, name_folded, search_text) VALUES {}", rows.join(",")
        ));
        let found = app.service().get("/api/companies?name__ic=canary%20works&sort=-name").await.ok();
        assert_eq!(found.as_array().unwrap().len(), 6_000);
        let log = app.log();
        let line = log.lines().find(|line| line.contains("slow query") && line.contains("FROM @companies company"));
        let line = line.unwrap_or_else(|| panic!("no slow query in {log}"));
        assert!(line.contains("duration_ms=") && line.contains("LIKE ?"), "{line}");
        let told: Vec<&str> = log.lines().filter(|line| line.contains("slow query")).collect();
        assert!(told.iter().all(|line| !line.to_lowercase().contains("canary")), "{told:?}");
    }

    async fn nothing_is_slow_unless_somebody_says_so(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_DATABASE_SLOW_QUERY_MS", "0").start().await;
        app.company("100001", "Acme").await;
        app.service().get("/api/companies").await.ok();
        assert!(!app.log().contains("slow query"), "{}", app.log());
        let wrong = app.cli().env("CODEX_DATABASE_SLOW_QUERY_MS", "soon").run(&["config", "show"]).code(2);
        assert!(wrong.stderr.contains("slow_query_ms") && wrong.stderr.contains("milliseconds"), "{}", wrong.stderr);
    }
}
