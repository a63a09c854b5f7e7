//! `codex copy`: a whole database in another one, of either engine, equal to the last byte; broken off, it goes on.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Api, App, Cli, Database, Engine, Output, PASSWORD, both};

/// A made-up provider on SQLite with somebody who may sign in, stopped; and a token of theirs.
async fn world() -> (App, String) {
    let mut app = App::builder(&Engine::Sqlite).fresh().argument("--demo").start().await;
    let add = ["users", "add", "ada", "--email", "ada@example.com", "--role", "admin", "--password-stdin"];
    app.cli().run_with_input(&add, PASSWORD).success();
    let token = app.cli().run(&["token", "create", "--user", "ada"]).success().stdout.trim().to_owned();
    let api = app.with_token(&token);
    // The highest number is given to a row that goes again: it is not given twice.
    let tag = api.post("/api/tags", &json!({"name": "Passing", "color": "teal"})).await.status(201).json();
    app.database.execute(&format!("DELETE FROM tags WHERE id = {}", tag["id"]));
    assert_eq!(app.stop().await, 0);
    (app, token)
}

/// An empty database of an engine, and how `codex copy` is told of it.
fn empty(app: &App, engine: &Engine, name: &str) -> (Database, String) {
    let folder = app.folder().join(name);
    std::fs::create_dir(&folder).unwrap();
    let database = engine.database(&folder, None);
    let url = database.url().unwrap_or_else(|| format!("sqlite:///{}", folder.join("codex.db").display()));
    (database, url)
}

fn copy(cli: &Cli, from: &str, to: &str, more: &[&str]) -> Output {
    cli.run(&[&["copy", "--from", from, "--to", to], more].concat())
}

fn source(app: &App) -> String {
    format!("sqlite:///{}", app.database.file().unwrap().display())
}

/// Table → (rows, sum, counter).
fn sums(copied: &Value) -> Vec<(String, i64, String, i64)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let tables = copied["copied"]["tables"].as_array().unwrap_or_else(|| panic!("{copied}")).iter();
    tables
        .map(|of| (text(&of["table"]), of["rows"].as_i64().unwrap(), text(&of["sha256"]), of["counter"].as_i64().unwrap()))
        .collect()
}

/// Goes on with another database.
async fn serve(app: &mut App, url: &str) {
    app.set_env("CODEX_DATABASE_CONNECTION_STRING", url);
    app.start().await;
}

/// What is asked of both.
async fn answers(api: &Api) -> Vec<Value> {
    let mut answers = Vec::new();
    for path in [
        "/api/companies",
        "/api/contacts",
        "/api/assets",
        "/api/changes?limit=1000",
        "/api/tickets?limit=50",
        "/api/contacts?q=a%20e",
    ] {
        answers.push(api.get(path).await.ok());
    }
    answers
}

both! {
    async fn a_world_is_the_same_there_and_back(engine: Engine) {
        let (mut app, token) = world().await;
        let (there, there_url) = empty(&app, &engine, "there");
        let (back, back_url) = empty(&app, &Engine::Sqlite, "back");
        let first = copy(&app.cli(), &source(&app), &there_url, &["--json"]).success().json();
        let second = copy(&app.cli(), &there_url, &back_url, &["--json"]).success().json();
        let tables = sums(&first);
        assert_eq!(tables, sums(&second), "{} there and back", engine.name());
        assert!(tables.len() > 80 && tables.iter().filter(|(_, rows, ..)| *rows > 0).count() > 30, "{tables:?}");
        let feed = tables.iter().find(|(name, ..)| name == "changes").unwrap();
        assert!(feed.1 > 500, "history comes along: {feed:?}");
        assert!(!first.to_string().contains("codex:"), "no password");
        let same = copy(&app.cli(), &source(&app), &back_url, &["--check", "--json"]).success().json();
        assert_eq!((&same["same"], &same["differ"]), (&json!(true), &json!([])));
        // What is told of a difference names its table.
        back.execute("UPDATE companies SET description = 'another' WHERE id = 1");
        let differs = copy(&app.cli(), &there_url, &back_url, &["--check"]).code(1);
        assert!(differs.stdout.starts_with("companies: ") && differs.stdout.lines().count() == 1, "{}", differs.stdout);

        let ids = |database: &Database| database.number("SELECT max(id) FROM companies");
        assert_eq!(ids(&app.database), ids(&there));
        app.start().await;
        let before = answers(&app.with_token(&token)).await;
        assert!(before.iter().all(|answer| answer.to_string().len() > 100), "something to compare");
        assert_eq!(app.stop().await, 0);
        serve(&mut app, &there_url).await;
        let api = app.with_token(&token);
        assert_eq!(answers(&api).await, before, "every answer is the same, search too");
        let made = api.post("/api/companies", &json!({"account_number": "999001", "name": "Made there"})).await.status(201).json();
        assert_eq!(made["id"].as_i64().unwrap(), before[0].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).max().unwrap() + 1);
        assert_eq!(api.get("/api/companies?q=made%20there").await.ok().as_array().unwrap().len(), 1);
        let tag = api.post("/api/tags", &json!({"name": "Another", "color": "teal"})).await.status(201).json();
        let given = tables.iter().find(|(name, ..)| name == "tags").unwrap().3;
        assert!(given > 0 && tag["id"].as_i64().unwrap() > given, "no number is given twice: {tag} after {given}");
        // What the engine itself guards is guarded again.
        assert!(there.refuses("DELETE FROM companies WHERE id = 1").to_lowercase().contains("foreign key"));
        assert_eq!(app.cli().run(&["doctor", "--offline"]).code, 0);
    }

    async fn broken_off_it_goes_on(engine: Engine) {
        let (app, _) = world().await;
        // More than one transaction's worth of rows, whose key is text.
        app.database.execute(
            "WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 30000)
             INSERT INTO job_log (job_id, n, at, level, message)
             SELECT 'job-' || (n % 7), n, '2026-01-01T00:00:00Z', 'info', 'line ' || n || ' of a long log' FROM counted",
        );
        let (_there, url) = empty(&app, &engine, "there");
        let mut left_unfinished = 0;
        for (line, pause) in [("copying changes", 0), ("copying job_log", 30), ("checking job_log", 0), ("copying settings", 0), ("making the search tables", 0)] {
            left_unfinished += i32::from(killed(&app, &url, line, Duration::from_millis(pause)).await);
        }
        assert!(left_unfinished >= 3, "killed {left_unfinished} times before the end");
        // Half a database is nobody's: not even migrations touch it.
        let refused = app.cli().env("CODEX_DATABASE_CONNECTION_STRING", &url).run(&["users", "list"]);
        if refused.code != 0 {
            assert!(refused.stderr.contains("a copy that is not finished"), "{}", refused.stderr);
            let told = app.cli().env("CODEX_DATABASE_CONNECTION_STRING", &url).run(&["doctor", "--offline"]).code(3);
            assert!(told.stdout.contains("a copy that is not finished"), "{}", told.stdout);
        }
        let resumed = copy(&app.cli(), &source(&app), &url, &["--json"]);
        if resumed.code == 0 {
            assert_eq!(resumed.json()["copied"]["resumed"], true);
        } else {
            assert!(resumed.stderr.contains("is not empty"), "the last one was done before it was killed: {}", resumed.stderr);
        }
        copy(&app.cli(), &source(&app), &url, &["--check"]).success();
        assert_eq!(app.cli().env("CODEX_DATABASE_CONNECTION_STRING", &url).run(&["doctor", "--offline"]).code, 0);
    }

    async fn a_source_that_has_changed_since_is_told_and_copied_anew(engine: Engine) {
        let (app, _) = world().await;
        let (_there, url) = empty(&app, &engine, "there");
        assert!(killed(&app, &url, "copying tickets", Duration::ZERO).await, "killed before the end");
        app.database.execute("UPDATE companies SET description = 'since then' WHERE id = 1");
        let told = copy(&app.cli(), &source(&app), &url, &["--json"]).success();
        let copied = told.json()["copied"].clone();
        assert_eq!((&copied["resumed"], &copied["changed"]), (&json!(true), &json!(["companies"])), "{copied}");
        copy(&app.cli(), &source(&app), &url, &["--check"]).success();
    }

    async fn only_an_empty_database_is_filled(engine: Engine) {
        let (app, _) = world().await;
        let other = App::builder(&engine).prepare();
        let url = other.database.url().unwrap_or_else(|| format!("sqlite:///{}", other.database.file().unwrap().display()));
        let users = other.database.number("SELECT count(*) FROM users");
        let refused = copy(&app.cli(), &source(&app), &url, &[]).code(2);
        assert!(refused.stderr.contains("is not empty"), "{}", refused.stderr);
        assert_eq!(other.database.number("SELECT count(*) FROM users"), users, "nothing was touched");
        assert_eq!(other.database.number("SELECT count(*) FROM companies"), 0);
        // Not begun for another source.
        let (_there, begun) = empty(&app, &engine, "begun");
        assert!(killed(&app, &begun, "copying tickets", Duration::ZERO).await, "killed before the end");
        let refused = copy(&app.cli(), &url, &begun, &[]).code(2);
        assert!(refused.stderr.contains("an unfinished copy of another database"), "{}", refused.stderr);
        // A migrated database without anybody in it is empty.
        let (_fresh, fresh) = empty(&app, &engine, "fresh");
        app.cli().env("CODEX_DATABASE_CONNECTION_STRING", &fresh).run(&["migrate"]).success();
        copy(&app.cli(), &source(&app), &fresh, &[]).success();
        // A source must be there, and Codex's own.
        let (_nothing, nothing) = empty(&app, &engine, "nothing");
        let refused = copy(&app.cli(), &nothing, &fresh, &[]).code(2);
        assert!(refused.stderr.contains("holds no data of Codex"), "{}", refused.stderr);
    }

    async fn a_source_that_is_served_is_read_as_of_one_moment(engine: Engine) {
        let app = App::start_on(&engine).await;
        for number in 0..40 {
            app.company(&format!("2000{number:02}"), &format!("Before {number}")).await;
        }
        let from = app.database.url().unwrap_or_else(|| source(&app));
        let (there, url) = empty(&app, &Engine::Sqlite, "there");
        let (cli, api) = (app.cli(), app.admin());
        let copying = tokio::task::spawn_blocking(move || copy(&cli, &from, &url, &[]).success());
        let mut written = 0;
        while !copying.is_finished() {
            let body = json!({"account_number": format!("3{written:05}"), "name": format!("Meanwhile {written}")});
            api.post("/api/companies", &body).await.status(201);
            written += 1;
        }
        copying.await.unwrap();
        let number = |sql: &str| there.number(sql);
        assert_eq!(number("SELECT version FROM head"), number("SELECT max(seq) FROM changes"), "{written} written meanwhile");
        assert_eq!(number("SELECT count(*) FROM companies"), number("SELECT count(*) FROM changes WHERE entity = 'company' AND action = 'create'"));
        let copied = number("SELECT count(*) FROM companies");
        assert!((40..=40 + written).contains(&copied), "{copied} of {}", 40 + written);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_in_use_and_a_source_of_yesterday_are_refused() {
    let app = App::start_on(&Engine::Sqlite).await;
    let (_there, url) = empty(&app, &Engine::Sqlite, "there");
    let busy = copy(&app.cli(), &url, &source(&app), &[]).code(2);
    assert!(busy.stderr.contains("holds no data"), "{}", busy.stderr);
    let old = app.folder().join("old.db");
    codex::db::migrate::run_to(&codex::db::Target::Sqlite(old.clone()), 30).unwrap();
    let from = format!("sqlite:///{}", old.display());
    let refused = copy(&app.cli(), &from, &url, &[]).code(2);
    assert!(refused.stderr.contains("schema version 30") && refused.stderr.contains("codex migrate"), "{}", refused.stderr);
    let other = App::builder(&Engine::Sqlite).prepare();
    let in_use = copy(&app.cli(), &source(&other), &source(&app), &[]).code(4);
    assert!(in_use.stderr.contains("is in use"), "{}", in_use.stderr);
}

/// Copies and kills the copy once it has said this; whether it was still at it.
async fn killed(app: &App, to: &str, line: &'static str, pause: Duration) -> bool {
    let mut command = app.cli().command(&["copy", "--from", &source(app), "--to", to]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    tokio::task::spawn_blocking(move || {
        for told in said.lines().map_while(Result::ok) {
            if told.contains(line) {
                std::thread::sleep(pause);
                let _already_gone = child.kill();
                break;
            }
        }
        !child.wait().unwrap().success()
    })
    .await
    .unwrap()
}
