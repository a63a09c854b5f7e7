//! Behind PgBouncer in transaction mode, where each transaction may have another session.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{
    App, Engine,
    cluster::{as_postgres, free_port, give_to_postgres},
    eventually,
};

/// A pooler with fewer sessions than its callers would have.
struct Bouncer {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Bouncer {
    fn start(server: &str) -> Self {
        let server = url::Url::parse(server).unwrap();
        let folder = tempfile::Builder::new().prefix("bouncer").tempdir().unwrap();
        let (port, place) = (free_port(), folder.path().join("pgbouncer.ini"));
        let text = format!(
            "[databases]\n* = host={} port={} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 200\n",
            server.host_str().unwrap(),
            server.port().unwrap(),
        );
        std::fs::write(&place, text).unwrap();
        give_to_postgres(folder.path());
        let program =
            ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].map(std::path::Path::new).into_iter().find(|path| path.exists());
        let program = program.expect("pgbouncer: tests/run installs it");
        let mut command = as_postgres(program);
        let child = command.arg("-q").arg(&place).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "pgbouncer does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, port, _folder: folder }
    }

    fn in_front_of(&self, url: &str) -> String {
        let mut address = url::Url::parse(url).unwrap();
        address.set_port(Some(self.port)).unwrap();
        address.to_string()
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

async fn app_behind(fresh: bool) -> Option<(Bouncer, App)> {
    let engine = Engine::postgres()?;
    let (bouncer, mut app) = tokio::task::spawn_blocking(move || {
        let Engine::Postgres(server) = &engine else { panic!("no server") };
        let builder = App::builder(&engine);
        let app = if fresh { builder.fresh() } else { builder }.prepare();
        (Bouncer::start(server), app)
    })
    .await
    .unwrap();
    let address = bouncer.in_front_of(&app.database.url().unwrap());
    app.set_env("CODEX_DATABASE_CONNECTION_STRING", &address);
    app.set_env("CODEX_DATABASE_PGBOUNCER", "true");
    app.start().await;
    Some((bouncer, app))
}

#[tokio::test(flavor = "multi_thread")]
async fn three_instances_share_fewer_sessions_than_they_have_threads() {
    let Some((_bouncer, app)) = app_behind(false).await else { return };
    let (second, third) = (app.beside().await, app.beside().await);
    let mut writing = tokio::task::JoinSet::new();
    for (index, api) in [app.admin(), second.admin(), third.admin()].into_iter().enumerate() {
        for writer in 0..4 {
            let api = api.clone();
            writing.spawn(async move {
                for number in 0..10 {
                    let account = format!("1{index}{writer}{number:03}");
                    let body = json!({"account_number": account, "name": format!("Company {account}"), "managed_users": number});
                    api.post("/api/companies", &body).await.status(201);
                    let path = format!("/api/companies/{account}");
                    let changed = api.put(&path, &json!({"description": "changed", "billing_plan": null})).await.ok();
                    assert_eq!(changed["description"], "changed");
                    api.get("/api/companies?q=company&sort=-name&limit=5").await.ok();
                    api.get(&format!("/api/companies/{account}/history")).await;
                }
            });
        }
    }
    while let Some(done) = writing.join_next().await {
        done.unwrap();
    }
    assert_eq!(app.database.number("SELECT count(*) FROM companies"), 120);
    let contact = app.contact("Quentin", "quentin@example.com", &["100000"]).await;
    app.asset("PC-1", "100000").await;
    app.admin().get(&format!("/api/contacts/{}", contact["id"])).await.ok();
    for path in ["/", "/companies/", "/assets/", "/tickets/", "/search?q=quentin", "/admin/", "/companies/100000"] {
        let page = app.admin().get_with(path, "accept", "text/html").await;
        assert!(page.status < 400, "{path}: {}", page.text());
    }
    // Another session has no names of statements and no settings of ours.
    assert!(!app.log().contains("prepared statement"), "{}", app.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_is_made_ready_through_it() {
    let Some((_bouncer, app)) = app_behind(true).await else { return };
    eventually("the database is ready", 30, || async { app.anonymous().get("/health").await.status == 200 }).await;
    assert!(app.database.number("SELECT count(*) FROM refinery_schema_history") > 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_held_elsewhere_is_waited_for_as_long_as_is_configured() {
    let Some(engine) = Engine::postgres() else { return };
    for pooled in ["false", "true"] {
        let builder = App::builder(&engine).env("CODEX_DATABASE_LOCK_TIMEOUT", "1").env("CODEX_DATABASE_PGBOUNCER", pooled);
        let app = builder.env("CODEX_DATABASE_POOL_SIZE", "2").start().await;
        let lock = crate::db_faults::hold_the_write_lock(&app.database);
        let began = Instant::now();
        let refused = app.admin().post("/api/companies", &json!({"account_number": "100001", "name": "Late"})).await.status(503);
        assert!(!refused.header("retry-after").is_empty());
        let waited = began.elapsed();
        assert!(waited >= Duration::from_millis(900) && waited < Duration::from_secs(4), "pooled {pooled}: {waited:?}");
        lock.release().await;
        app.company("100001", "In time").await;
        let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'codex' AND datname = current_database()";
        assert!(app.database.number(sessions) <= 4, "two that read, one that writes, one that looks for changes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_goes_past_the_pooler_or_is_not_made() {
    let Some((_bouncer, mut app)) = app_behind(false).await else { return };
    app.company("100001", "Acme").await;
    let refused = app.cli().run_beside(&["backup"]).await.code(2);
    assert!(refused.stderr.contains("database.direct_connection_string"), "{}", refused.stderr);
    let direct = app.database.url().unwrap();
    app.set_env("CODEX_DATABASE_DIRECT_CONNECTION_STRING", &direct);
    let mut reading = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let api = app.admin();
        reading.spawn(async move {
            for _ in 0..200 {
                api.get("/api/companies?limit=1").await.ok();
            }
        });
    }
    app.cli().run_beside(&["backup"]).await.success();
    while let Some(done) = reading.join_next().await {
        done.unwrap();
    }
    assert_eq!(app.database.texts("SELECT state FROM backups"), ["restorable"]);
    let wrong = app.cli().env("CODEX_DATABASE_DIRECT_CONNECTION_STRING", "sqlite:///codex.db").run(&["config", "show"]).code(2);
    assert!(wrong.stderr.contains("database.direct_connection_string must begin with postgresql://"), "{}", wrong.stderr);
}
