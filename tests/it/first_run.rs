//! The first minutes: an empty folder, one command, a sign-in link, an administrator, and the demo.

use std::os::unix::fs::PermissionsExt as _;

use reqwest::Method;
use serde_json::json;

use crate::support::{App, Engine, PASSWORD, Reply, both};

fn link(app: &App) -> String {
    let line = app.line("/first-run?token=").unwrap_or_else(|| panic!("no sign-in link:\n{}", app.log()));
    let (_, token) = line.split_once("/first-run?token=").unwrap();
    token.trim().to_owned()
}

async fn become_admin(app: &App, token: &str, name: &str) -> Reply {
    let form = [
        ("token", token),
        ("username", name),
        ("email", "first@example.com"),
        ("password", PASSWORD),
        ("password_again", PASSWORD),
    ];
    app.anonymous().send(Method::POST, "/first-run", |request| request.header("origin", app.base()).form(&form)).await
}

both! {
    async fn an_empty_folder_becomes_a_hub_with_an_administrator(engine: Engine) {
        let app = App::builder(&engine).fresh().start().await;
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(app.instance()), 0o700);
        let mut files = vec![app.instance().to_owned()];
        while let Some(path) = files.pop() {
            if path.is_dir() {
                files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            } else if path.extension().is_none_or(|extension| extension != "lock") {
                assert_eq!(mode(&path) & 0o077, 0, "{} can be read by others", path.display());
            }
        }
        let token = link(&app);
        let page = app.anonymous().get_with(&format!("/first-run?token={token}"), "accept", "text/html").await.status(200);
        assert!(page.text().contains("<form"));
        let wrong = app.anonymous().get("/first-run?token=guess").await;
        assert!((400..500).contains(&wrong.status), "{}", wrong.status);
        let weak = {
            let form = [("token", token.as_str()), ("username", "ada"), ("email", "first@example.com"), ("password", "short")];
            app.anonymous().send(Method::POST, "/first-run", |request| request.header("origin", app.base()).form(&form)).await
        };
        assert_eq!(weak.status, 400, "a weak password is refused, and the link still works");
        let made = become_admin(&app, &token, "ada").await;
        assert_eq!(made.status, 303, "{}", made.text());
        assert!(made.headers.get("set-cookie").is_some(), "signed in at once");
        let again = become_admin(&app, &token, "eve").await;
        assert!((400..500).contains(&again.status), "the link works once: {}", again.status);
        let reply = app.anonymous().post("/api/token", &json!({"username": "ada", "password": PASSWORD})).await.ok();
        app.with_token(reply["token"].as_str().unwrap()).post("/api/companies", &json!({"name": "First"})).await.status(201);
    }

    async fn one_link_makes_one_administrator_even_at_once(engine: Engine) {
        let app = App::builder(&engine).fresh().start().await;
        let token = link(&app);
        let (one, two) = tokio::join!(become_admin(&app, &token, "ada"), become_admin(&app, &token, "eve"));
        let made = [one.status, two.status].iter().filter(|status| **status == 303).count();
        assert_eq!(made, 1, "{} and {}", one.status, two.status);
        assert_eq!(app.database.number("SELECT count(*) FROM users"), 1);
    }

    async fn each_start_prints_a_fresh_link_until_there_is_an_administrator(engine: Engine) {
        let mut app = App::builder(&engine).fresh().start().await;
        let first = link(&app);
        assert_eq!(app.stop().await, 0);
        app.start().await;
        let second = link(&app);
        assert_ne!(first, second);
        let add = ["users", "add", "ada", "--email", "ada@example.com", "--role", "admin", "--password-stdin"];
        app.cli().run_with_input(&add, PASSWORD).success();
        let late = become_admin(&app, &second, "eve").await;
        assert!((400..500).contains(&late.status), "there is an administrator now: {}", late.status);
        assert_eq!(app.stop().await, 0);
        app.start().await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        app.anonymous().get("/health").await.status(200);
        assert!(!app.printed().contains("/first-run"), "no link when nobody needs one");
    }

    async fn an_administrator_of_the_provider_is_one(engine: Engine) {
        let mut app = App::builder(&engine).fresh().start().await;
        let token = link(&app);
        become_admin(&app, &token, "ada").await.status(303);
        app.database.execute(
            "INSERT INTO user_identities (issuer, subject, user_id, created_at, last_used_at)
             SELECT 'https://login.example.com', 'ada', id, created_at, created_at FROM users;
             DELETE FROM passwords",
        );
        assert_eq!(app.stop().await, 0);
        app.start().await;
        app.anonymous().get("/health").await.status(200);
        assert!(!app.printed().contains("/first-run"), "somebody can sign in");
    }

    async fn an_expired_link_is_useless(engine: Engine) {
        let app = App::builder(&engine).fresh().start().await;
        let token = link(&app);
        app.database.execute("UPDATE first_run_links SET expires_at = '2020-01-01T00:00:00Z'");
        let late = become_admin(&app, &token, "ada").await;
        assert!((400..500).contains(&late.status), "{}", late.status);
    }

    async fn the_demo_fills_an_empty_database_and_no_other(engine: Engine) {
        let app = App::builder(&engine).fresh().argument("--demo").start().await;
        let add = ["users", "add", "ada", "--email", "ada@example.com", "--role", "admin", "--password-stdin"];
        app.cli().run_with_input(&add, PASSWORD);
        let token = app.cli().run(&["token", "create", "--service", "test"]).success().stdout.trim().to_owned();
        let service = app.with_token(&token);
        let companies = service.get("/api/companies").await.ok();
        assert!((8..=40).contains(&companies.as_array().unwrap().len()), "about a dozen companies");
        assert!(companies.as_array().unwrap().iter().any(|company| !company["parent_id"].is_null()), "in a tree");
        assert!(service.get("/api/contacts").await.ok().as_array().unwrap().len() >= 100);
        assert!(service.get("/api/assets").await.ok().as_array().unwrap().len() >= 100);
        assert_eq!(app.cli().run(&["doctor"]).code, 0, "the demo is sound");
        assert_eq!(app.database.number("SELECT count(*) FROM settings WHERE name = 'demo'"), 1, "and marked as made up");
    }
}

both! {
    async fn what_was_set_outlives_the_demo(engine: Engine) {
        let mut app = App::builder(&engine).fresh().argument("--demo").start().await;
        let add = ["users", "add", "ada", "--email", "ada@example.com", "--role", "admin", "--password-stdin"];
        app.cli().run_with_input(&add, PASSWORD);
        assert_eq!(app.stop().await, 0);
        let at = "'2026-01-01T00:00:00Z'";
        let set = [
            ("user_identities", "issuer, subject, user_id, created_at, last_used_at", format!("'https://id.example', 'a', (SELECT id FROM users), {at}, {at}")),
            ("second_factors", "user_id, secret, created_at", format!("(SELECT id FROM users), 'sealed', {at}")),
            ("recovery_codes", "user_id, digest", "(SELECT id FROM users), 'digest'".to_owned()),
            ("api_keys", "subject, name, name_folded, beginning, digest, writes, created_at, expires_at", format!("'a', 'k', 'k', 'cdx', 'd', FALSE, {at}, {at}")),
            ("webhook_endpoints", "name, name_folded, url, secret, cleared, enabled, after, created_at, updated_at", format!("'w', 'w', 'https://hooks.example/', 's', FALSE, FALSE, 1, {at}, {at}")),
            ("notice_channels", "name, name_folded, format, url, created_at", format!("'c', 'c', 'slack', 's', {at}")),
            ("notice_choices", "subject, kind, how", "'a', 'sync', 'daily'".to_owned()),
            ("notice_digests", "subject, at", "'a', '07:00'".to_owned()),
            ("custom_fields", "entity, key, label, kind, created_at, updated_at", format!("'company', 'door', 'Door', 'text', {at}, {at}")),
            ("tags", "name, name_folded, color, created_at, updated_at", format!("'VIP', 'vip', 'teal', {at}, {at}")),
        ];
        for (table, columns, values) in &set {
            app.database.execute(&format!("INSERT INTO {table} ({columns}) VALUES ({values})"));
        }
        app.database.execute("INSERT INTO record_tags (entity, record_id, tag_id) SELECT 'company', min(id), (SELECT id FROM tags) FROM companies");
        app.cli().run(&["demo", "remove", "--yes"]).success();
        for (table, ..) in &set {
            assert_eq!(app.database.number(&format!("SELECT count(*) FROM {table}")), 1, "{table}");
        }
        for table in ["companies", "contacts", "record_tags", "changes"] {
            assert_eq!(app.database.number(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
        }
    }
}

#[test]
fn a_build_without_postgresql_says_so() {
    let app = App::builder(&Engine::Sqlite).fresh().env("CODEX_DATABASE_CONNECTION_STRING", "mysql://localhost/x").prepare();
    let output = app.cli().run(&["serve", "--bind", "127.0.0.1:0"]).code(2);
    assert!(output.stderr.contains("postgresql://"), "{}", output.stderr);
    #[cfg(not(feature = "postgres"))]
    {
        let app =
            App::builder(&Engine::Sqlite).fresh().env("CODEX_DATABASE_CONNECTION_STRING", "postgresql://localhost/x").prepare();
        let output = app.cli().run(&["serve", "--bind", "127.0.0.1:0"]).code(2);
        assert!(output.stderr.contains("--features postgres"), "{}", output.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_demo_is_refused_where_there_is_data() {
    let mut app = App::start_on(&Engine::Sqlite).await;
    app.company("100001", "Real").await;
    assert_eq!(app.stop().await, 0);
    let mut child = app
        .cli()
        .command(&["serve", "--bind", "127.0.0.1:0", "--demo"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let _refused_or_serving = child.kill();
    child.wait().unwrap();
    assert_eq!(app.database.number("SELECT count(*) FROM companies"), 1, "real data stays alone");
}
