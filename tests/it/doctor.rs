//! `codex doctor`: each thing that can be wrong is found once, says what to do, and is mended where that is safe.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::support::{App, Engine, both};

/// What doctor says of this check.
async fn found(app: &App, check: &str, more: &[&str]) -> Value {
    let told = app.cli().run_beside(&[&["doctor", "--offline", "--json"], more].concat()).await;
    let findings = told.json();
    let of_check: Vec<&Value> = findings.as_array().unwrap().iter().filter(|finding| finding["check"] == check).collect();
    assert_eq!(of_check.len(), 1, "{check} in {findings}");
    let found = of_check[0].clone();
    let is_told = found["level"] == "ok" || found["advice"].as_str().is_some_and(|advice| !advice.is_empty());
    assert!(is_told, "what to do about it: {found}");
    let worst = findings.as_array().unwrap().iter().any(|finding| finding["level"] == "error");
    assert_eq!(told.code, if worst { 3 } else { 0 }, "the worst finding decides: {findings}");
    found
}

async fn level(app: &App, check: &str) -> String {
    found(app, check, &[]).await["level"].as_str().unwrap().to_owned()
}

fn open_to_others(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
}

/// Sets back when a file was written.
fn aged(path: &Path, days: u64) {
    let file = fs::File::options().write(true).open(path).unwrap();
    #[expect(clippy::disallowed_methods, reason = "the clock of the file system")]
    file.set_modified(SystemTime::now() - Duration::from_secs(days * 86_400)).unwrap();
}

both! {
    async fn what_can_be_read_by_others_is_closed(engine: Engine) {
        let app = App::builder(&engine).prepare();
        let key = app.instance().join("keys/jwt_private.pem");
        assert_eq!(level(&app, "permissions").await, "ok");
        open_to_others(&key);
        let wrong = found(&app, "permissions", &[]).await;
        assert_eq!(wrong["level"], "error");
        assert!(wrong["detail"].as_str().unwrap().contains("jwt_private.pem can be read by others"), "{wrong}");
        let mended = found(&app, "permissions", &["--fix"]).await;
        assert_eq!((&mended["level"], mended["mended"].is_string()), (&json!("ok"), true), "{mended}");
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(level(&app, "permissions").await, "ok");
    }

    async fn rows_that_lead_nowhere_are_told(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        assert_eq!(level(&app, "references").await, "ok");
        app.database.execute("INSERT INTO links (entity, entity_id, system, external_id, linked_at) VALUES ('company', 999, 'x', '1', 'x')");
        let told = found(&app, "references", &[]).await;
        assert_eq!(told["level"], "warning");
        assert!(told["detail"].as_str().unwrap().contains("1 of links to companies"), "{told}");
        // A warning is one for those who want it to be.
        app.cli().run_beside(&["doctor", "--offline", "--strict"]).await.code(3);
    }

    async fn what_dead_processes_hold_is_let_go(engine: Engine) {
        let app = App::builder(&engine).prepare();
        let at = "'2026-01-01T00:00:00Z'";
        app.database.execute(&format!(
            "INSERT INTO sync_jobs (id, script, status, started_at, started_by, host, pid, pid_started, heartbeat_at)
             VALUES ('dead', 'freshservice', 'running', {at}, 'ada', 'elsewhere', 1, 'x', {at})"
        ));
        assert_eq!(level(&app, "jobs").await, "warning");
        assert_eq!(found(&app, "jobs", &["--fix"]).await["mended"], "let go");
        assert_eq!(app.database.texts("SELECT status FROM sync_jobs WHERE id = 'dead'"), ["failed"]);
        assert_eq!(level(&app, "jobs").await, "ok");
    }

    async fn staging_that_no_run_will_use_goes(engine: Engine) {
        let app = App::start_on(&engine).await;
        let at = "'2026-01-01T00:00:00Z'";
        for (id, status) in [(1, "done"), (2, "failed")] {
            app.database.execute(&format!(
                "INSERT INTO sync_runs (id, source, job_id, dry_run, status, started_at, finished_at) VALUES ({id}, 'x', 'j', FALSE, '{status}', {at}, {at});
                 INSERT INTO sync_pages (run_id, list, page, fetched_at, body) VALUES ({id}, 'l', 1, {at}, '[]')"
            ));
        }
        let told = found(&app, "staging", &[]).await;
        assert!(told["level"] == "warning" && told["detail"].as_str().unwrap().starts_with("1 pages"), "{told}");
        assert_eq!(found(&app, "staging", &["--fix"]).await["mended"], "taken away");
        assert_eq!(app.database.number("SELECT max(run_id) FROM sync_pages"), 2, "what failed serves the next run");
        assert_eq!(app.database.number("SELECT count(*) FROM sync_pages"), 1);
    }

    async fn a_clock_that_is_behind_is_told(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        assert_eq!(level(&app, "clock").await, "ok");
        app.database.execute("UPDATE changes SET at = '2999-01-01T00:00:00Z'");
        let wrong = found(&app, "clock", &[]).await;
        assert!(wrong["level"] == "error" && wrong["detail"].as_str().unwrap().contains("2999"), "{wrong}");
    }

    async fn an_attachment_without_its_file_is_told(engine: Engine) {
        let app = App::start_on(&engine).await;
        let at = "'2026-01-01T00:00:00Z'";
        assert_eq!(level(&app, "files").await, "ok");
        app.database.execute(&format!(
            "INSERT INTO attachments (entity, entity_id, name, media_type, bytes, sha256, author, created_at, updated_at)
             VALUES ('company', 1, 'a.txt', 'text/plain', 1, 'abcdef', 'ada', {at}, {at})"
        ));
        let wrong = found(&app, "files", &[]).await;
        assert!(wrong["level"] == "error" && wrong["detail"].as_str().unwrap().contains("abcdef"), "{wrong}");
    }

    async fn uploads_that_broke_off_are_swept(engine: Engine) {
        let app = App::start_on(&engine).await;
        let drafts = app.instance().join("attachments/incoming");
        fs::create_dir_all(&drafts).unwrap();
        for (name, days) in [("old", 2), ("new", 0)] {
            fs::write(drafts.join(name), "x").unwrap();
            aged(&drafts.join(name), days);
        }
        let told = found(&app, "attachments", &[]).await;
        assert!(told["level"] == "warning" && told["detail"].as_str().unwrap().starts_with("1 uploads"), "{told}");
        assert_eq!(found(&app, "attachments", &["--fix"]).await["mended"], "taken away");
        assert!(!drafts.join("old").exists() && drafts.join("new").exists(), "one that is under way stays");
    }

    async fn a_source_that_fails_is_told(engine: Engine) {
        let app = App::start_on(&engine).await;
        assert_eq!(level(&app, "freshness").await, "ok");
        app.database.execute(
            "INSERT INTO sync_runs (source, job_id, dry_run, status, started_at, finished_at, error)
             VALUES ('freshservice', 'j', FALSE, 'failed', '2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z', 'it was shut')",
        );
        let told = found(&app, "freshness", &[]).await;
        assert!(told["level"] == "warning" && told["detail"].as_str().unwrap().contains("it was shut"), "{told}");
    }

    async fn a_vendor_that_has_shut_us_out_is_told(engine: Engine) {
        let vendor = crate::freshservice::Freshservice::start(crate::freshservice::State::default()).await;
        let app = App::builder(&engine).freshservice(&vendor).start().await;
        app.cli().run_beside(&["sync", "freshservice"]).await;
        assert_eq!(level(&app, "quota").await, "ok");
        let until = jiff::Timestamp::now().as_millisecond() + 3_600_000;
        app.database.execute("DELETE FROM vendor_budgets");
        let account = codex::vendors::ALL.iter().find(|vendor| vendor.system == "freshservice").map(|vendor| vendor.account).unwrap();
        let sources = codex::config::Sources {
            instance: app.instance().to_owned(),
            folder: app.folder().to_owned(),
            environment: [
                ("CODEX_FRESHSERVICE_DOMAIN".to_owned(), vendor.url()),
                ("CODEX_FRESHSERVICE_API_KEY".to_owned(), crate::freshservice::API_KEY.to_owned()),
            ].into_iter().collect(),
            ..codex::config::Sources::default()
        };
        let account = account(&codex::config::Config::load(&sources).unwrap()).unwrap();
        app.database.execute(&format!("INSERT INTO vendor_budgets (account, bucket, paused_until_ms) VALUES ('{account}', '*', {until})"));
        let wrong = found(&app, "quota", &[]).await;
        assert!(wrong["level"] == "error" && wrong["detail"].as_str().unwrap().contains("has shut this account out until"), "{wrong}");
        assert!(!wrong.to_string().contains(crate::freshservice::API_KEY), "no secret: {wrong}");
    }

    async fn a_key_without_which_forgotten_people_come_back_is_told(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        app.contact("Jane Doe", "jane@acme.example", &["100001"]).await;
        assert_eq!(level(&app, "forgotten people").await, "ok");
        app.cli().run_beside(&["forget", "contact", "jane@acme.example", "--yes"]).await.code(0);
        assert_eq!(level(&app, "forgotten people").await, "ok");
        fs::remove_file(app.instance().join("credentials.key")).unwrap();
        let found = found(&app, "forgotten people", &[]).await;
        assert!(found["level"] == "error" && found["detail"].as_str().unwrap().contains("credentials.key"), "{found}");
    }

    async fn backups_are_looked_for(engine: Engine) {
        let app = App::builder(&engine).prepare();
        let none = found(&app, "backups", &[]).await;
        assert!(none["level"] == "warning" && none["advice"].as_str().unwrap().contains("codex backup"), "{none}");
        app.cli().run_beside(&["backup"]).await.success();
        assert_eq!(level(&app, "backups").await, "ok");
        app.database.execute("UPDATE backups SET made_at = '2025-01-01T00:00:00Z'");
        let old = found(&app, "backups", &[]).await;
        assert!(old["level"] == "warning" && old["detail"].as_str().unwrap().contains("2025-01-01"), "{old}");
        app.database.execute("UPDATE backups SET state = 'broken', problem = 'cut short'");
        let broken = found(&app, "backups", &[]).await;
        assert!(broken["detail"].as_str().unwrap().contains("cannot be restored: cut short"), "{broken}");
    }
}

/// As root, which tests are not everywhere.
#[tokio::test(flavor = "multi_thread")]
async fn root_mends_nothing_that_a_link_leads_to() {
    let app = tokio::task::spawn_blocking(|| App::builder(&Engine::Sqlite).prepare()).await.unwrap();
    let (public, names) = (app.folder().join("public"), app.folder().join("names"));
    fs::create_dir(&public).unwrap();
    fs::write(&names, "root's").unwrap();
    fs::set_permissions(&public, fs::Permissions::from_mode(0o755)).unwrap();
    if chown(app.instance(), Some(65_534), Some(65_534)).is_err() {
        eprintln!("not root: skipped");
        return;
    }
    symlink(&public, app.instance().join("exports")).unwrap();
    symlink(&names, app.instance().join("names")).unwrap();
    fs::hard_link(&names, app.instance().join("also-names")).unwrap();
    let told = found(&app, "permissions", &["--fix"]).await;
    assert!(told["level"] == "error" && told["advice"].as_str().unwrap().contains("somebody else's"), "{told}");
    assert_eq!(fs::metadata(&public).unwrap().permissions().mode() & 0o777, 0o755);
    let told = found(&app, "owner", &["--fix"]).await;
    assert!(told["level"] == "error" && told["detail"].as_str().unwrap().starts_with("1 files"), "{told}");
    assert_eq!(fs::metadata(&names).unwrap().uid(), 0);
    assert_eq!(fs::symlink_metadata(app.instance().join("names")).unwrap().uid(), 65_534);
    assert_eq!(fs::metadata(app.instance().join("keys")).unwrap().uid(), 65_534);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_the_engine_would_refuse_are_wrong() {
    let app = App::start_on(&Engine::Sqlite).await;
    let at = "'2026-01-01T00:00:00Z'";
    app.database.execute(&format!(
        "PRAGMA foreign_keys=OFF; INSERT INTO locations (company_id, name, created_at, updated_at) VALUES (999, 'Nowhere', {at}, {at})"
    ));
    let wrong = found(&app, "references", &[]).await;
    assert!(wrong["level"] == "error" && wrong["detail"].as_str().unwrap().contains("1 of locations to companies"), "{wrong}");
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_that_miss_rows_are_mended() {
    let app = App::start_on(&Engine::Sqlite).await;
    app.company("100001", "Harbour Dental").await;
    let hits = async || app.service().get("/api/companies?q=harbour").await.ok().as_array().unwrap().len();
    assert_eq!((hits().await, level(&app, "search").await.as_str()), (1, "ok"));
    app.database.execute("INSERT INTO companies_fts (companies_fts) VALUES ('delete-all')");
    let wrong = found(&app, "search", &[]).await;
    assert!(wrong["level"] == "error" && wrong["detail"].as_str().unwrap().ends_with("companies"), "{wrong}");
    assert_eq!(found(&app, "search", &["--fix"]).await["mended"], "made anew");
    app.company("100002", "Another").await;
    assert_eq!((hits().await, level(&app, "search").await.as_str()), (1, "ok"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_for_https_are_looked_at() {
    let mut app = App::start_on(&Engine::Sqlite).await;
    let made = app.cli().run_beside(&["certs"]).await.success().stdout;
    let pair: Vec<String> = made.lines().map(|line| app.folder().join(line).display().to_string()).collect();
    app.set_env("CODEX_SERVER_TLS_CERT", &pair[0]);
    app.set_env("CODEX_SERVER_TLS_KEY", &pair[1]);
    let good = found(&app, "tls files", &[]).await;
    assert!(good["level"] == "ok" && good["detail"].as_str().unwrap().contains("ends in"), "{good}");
    app.cli().run_beside(&["certs", "--force", "--days", "5"]).await.success();
    let soon = found(&app, "tls files", &[]).await;
    assert!(soon["level"] == "warning" && soon["detail"].as_str().unwrap().contains("ends in"), "{soon}");
    let other = app.folder().join("other");
    app.cli().run_beside(&["certs", "--out", &other.display().to_string()]).await.success();
    fs::copy(other.join("key.pem"), &pair[1]).unwrap();
    let wrong = found(&app, "tls files", &[]).await;
    assert!(wrong["level"] == "error" && wrong["detail"].as_str().unwrap().contains("key.pem"), "{wrong}");
    fs::remove_file(&pair[1]).unwrap();
    let gone = found(&app, "tls files", &[]).await;
    assert!(gone["level"] == "error" && gone["detail"].as_str().unwrap().contains(&pair[1]), "{gone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn core_and_the_public_address_are_asked() {
    let core = crate::core::Core::start().await;
    let app = App::builder(&Engine::Sqlite).core(&core).prepare();
    let ask = async |app: &App, more: &[(&str, &str)]| {
        let cli = more.iter().fold(app.cli(), |cli, (name, value)| cli.env(name, *value));
        cli.run_beside(&["doctor", "--json"]).await
    };
    let of = |told: &crate::support::Output, check: &str| {
        told.json()
            .as_array()
            .unwrap()
            .iter()
            .find(|found| found["check"] == check)
            .cloned()
            .unwrap_or_else(|| panic!("{check} in {}", told.stdout))
    };
    assert_eq!(of(&ask(&app, &[]).await, "core")["level"], "ok");
    // What Helm does to the folder, and what it would do to the settings.
    fs::create_dir(app.instance().join("backups")).unwrap();
    fs::set_permissions(app.instance().join("backups"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(app.instance(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(app.instance().join("codex.conf"), "[freshservice]\ndomain = acme\napi_key = ab%cd\n").unwrap();
    fs::set_permissions(app.instance().join("codex.conf"), fs::Permissions::from_mode(0o600)).unwrap();
    let told = ask(&app, &[]).await;
    assert_eq!(of(&told, "permissions")["level"], "ok", "{}", told.stdout);
    assert!(of(&told, "helm")["detail"].as_str().unwrap().contains("[freshservice]"), "{}", told.stdout);
    // What no page takes is not to be entered in one.
    fs::write(app.instance().join("codex.conf"), "[database]\ndb_password = ab%cd\n").unwrap();
    let told = ask(&app, &[]).await;
    assert!(of(&told, "helm")["advice"].as_str().unwrap().contains("the database's user"), "{}", told.stdout);
    fs::remove_file(app.instance().join("codex.conf")).unwrap();
    let away = ask(&app, &[("CORE_SERVICE_URL", "http://127.0.0.1:1")]).await.code(3);
    let wrong = of(&away, "core");
    assert!(wrong["level"] == "error" && wrong["detail"].as_str().unwrap().contains("127.0.0.1:1"), "{wrong}");
    let unreachable = ask(&app, &[("CODEX_SERVER_PUBLIC_URL", "https://127.0.0.1:1")]).await;
    let told = of(&unreachable, "certificate");
    assert!(told["level"] == "warning" && told["detail"].as_str().unwrap().contains("cannot be reached"), "{told}");
}

#[test]
fn a_configuration_that_cannot_be_read_is_one_finding() {
    let app = App::builder(&Engine::Sqlite).configuration("[server]\nbind = nowhere\n").prepare();
    let told = app.cli().run(&["doctor", "--offline", "--json"]).code(3).json();
    assert_eq!(
        (told.as_array().unwrap().len(), &told[0]["check"], &told[0]["level"]),
        (1, &json!("configuration"), &json!("error"))
    );
}
