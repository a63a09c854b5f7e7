//! The running program when its database is held, away, or not there yet.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{App, Database, Engine, both};

/// Holds the lock that every write needs, from outside.
pub struct WriteLock {
    let_go: std::sync::mpsc::Sender<()>,
    holder: std::thread::JoinHandle<()>,
}

impl WriteLock {
    /// Gives it back.
    pub async fn release(self) {
        self.let_go.send(()).unwrap();
        tokio::task::spawn_blocking(move || self.holder.join().unwrap()).await.unwrap();
    }
}

/// Takes that lock.
pub fn hold_the_write_lock(database: &Database) -> WriteLock {
    let (taken, has_taken) = std::sync::mpsc::channel();
    let (let_go, may_go) = std::sync::mpsc::channel::<()>();
    let holder = match database {
        Database::Sqlite(file) => {
            let file = file.clone();
            std::thread::spawn(move || {
                let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
                let connection = rusqlite::Connection::open_with_flags(file, flags).unwrap();
                connection.busy_timeout(Duration::from_secs(5)).unwrap();
                connection.execute_batch("BEGIN IMMEDIATE").unwrap();
                taken.send(()).unwrap();
                may_go.recv().unwrap();
                connection.execute_batch("ROLLBACK").unwrap();
            })
        }
        #[cfg(feature = "postgres")]
        Database::Postgres { .. } => {
            let address = database.url().unwrap();
            std::thread::spawn(move || {
                let mut client = postgres::Client::connect(&address, postgres::NoTls).unwrap();
                client.batch_execute("BEGIN; SELECT version FROM head WHERE id = 1 FOR UPDATE").unwrap();
                taken.send(()).unwrap();
                may_go.recv().unwrap();
                client.batch_execute("ROLLBACK").unwrap();
            })
        }
    };
    has_taken.recv().unwrap();
    WriteLock { let_go, holder }
}

both! {
    async fn a_writer_elsewhere_delays_a_write(engine: Engine) {
        let app = App::start_on(&engine).await;
        let lock = hold_the_write_lock(&app.database);
        let written = app.company("100001", "Patient");
        let freed = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            let stored = app.database.number("SELECT count(*) FROM companies");
            lock.release().await;
            stored
        };
        let (_, stored) = tokio::join!(written, freed);
        assert_eq!(stored, 0, "the lock was not held");
    }

    async fn a_writer_elsewhere_that_stays_makes_writes_503_and_reads_go_on(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Before").await;
        let lock = hold_the_write_lock(&app.database);
        let began = Instant::now();
        let writing: Vec<_> = (0..12)
            .map(|number| {
                let admin = app.admin();
                tokio::spawn(async move {
                    let body = json!({"account_number": format!("1001{number:02}"), "name": "Refused"});
                    let reply = admin.post("/api/companies", &body).await;
                    (reply, began.elapsed())
                })
            })
            .collect();
        // The lock is held until everybody has been answered: who waited for it would never come back.
        for _ in 0..5 {
            app.service().get("/api/companies/100001").await.ok();
        }
        let mut waits = Vec::new();
        for write in writing {
            let (refused, waited) = write.await.unwrap();
            let refused = refused.status(503);
            waits.push(waited);
            assert!(!refused.header("retry-after").is_empty());
            assert!(refused.error().contains("nothing was done"), "{}", refused.error());
        }
        let (first, last) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
        assert!(*last < 4 * *first, "all wait at the same time, not one after the other: {waits:?}");
        lock.release().await;
        for number in 0..12 {
            let path = format!("/api/companies/1001{number:02}");
            assert_eq!(app.service().get(&path).await.status, 404, "what was refused must not appear later");
        }
        app.company("100003", "Afterwards").await;
    }
}

#[cfg(feature = "postgres")]
mod server {
    use super::*;
    use crate::support::{
        Proxy,
        cluster::{Cluster, app_on},
        eventually,
    };

    fn behind(proxy: &Proxy, url: &str) -> (String, String) {
        let mut address = url::Url::parse(url).unwrap();
        let server = format!("{}:{}", address.host_str().unwrap(), address.port().unwrap());
        address.set_port(Some(proxy.port())).unwrap();
        (address.to_string(), server)
    }

    /// An app whose way to PostgreSQL leads through a door.
    async fn app_behind_a_door(engine: &Engine, open: bool, fresh: bool) -> (App, Proxy) {
        let builder = App::builder(engine);
        let prepared = if fresh { builder.fresh() } else { builder };
        let mut app = tokio::task::spawn_blocking(|| prepared.prepare()).await.unwrap();
        let url = app.database.url().unwrap();
        let address = url::Url::parse(&url).unwrap();
        let server = format!("{}:{}", address.host_str().unwrap(), address.port().unwrap());
        let proxy = Proxy::start(server, open).await;
        let (through, _) = behind(&proxy, &url);
        app.set_env("CODEX_DATABASE_CONNECTION_STRING", &through);
        app.start().await;
        (app, proxy)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn postgres_goes_away_and_comes_back() {
        let Some(engine) = Engine::postgres() else { return };
        let (app, proxy) = app_behind_a_door(&engine, true, false).await;
        app.company("100001", "Before").await;
        proxy.shut();
        let away = app.service().get("/api/companies/100001").await;
        assert_eq!(away.status, 503, "{}", away.text());
        assert!(!away.header("retry-after").is_empty());
        let refused = app.admin().post("/api/companies", &json!({"account_number": "100002", "name": "Lost"})).await;
        assert_eq!(refused.status, 503, "{}", refused.text());
        app.anonymous().get("/health").await.status(503);
        proxy.open();
        let service = app.service();
        eventually("PostgreSQL is back", 15, || async { service.get("/api/companies/100001").await.status == 200 }).await;
        let tries = std::sync::atomic::AtomicU32::new(100_003);
        eventually("writes work again", 15, || async {
            // A number of its own for each try: what became of a try that met the outage is not known.
            let number = tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string();
            app.admin().post("/api/companies", &json!({"account_number": number, "name": "After"})).await.status == 201
        })
        .await;
        eventually("health is good again", 15, || async { app.anonymous().get("/health").await.status == 200 }).await;
        eventually("every reader is back", 15, || async { service.get("/api/companies/100002").await.status == 404 }).await;
    }

    /// All wait at the same time for a table that somebody locks: not one reader after the other.
    #[tokio::test(flavor = "multi_thread")]
    async fn readers_of_a_locked_table_wait_together() {
        let Some(engine) = Engine::postgres() else { return };
        let app = App::start_on(&engine).await;
        let url = app.database.url().unwrap();
        let (held, release) = (std::sync::mpsc::channel::<()>(), std::sync::mpsc::channel::<()>());
        let holder = std::thread::spawn(move || {
            let mut client = ::postgres::Client::connect(&url, ::postgres::NoTls).unwrap();
            client.batch_execute("BEGIN; LOCK TABLE contacts IN ACCESS EXCLUSIVE MODE").unwrap();
            held.0.send(()).unwrap();
            release.1.recv().unwrap();
        });
        tokio::task::spawn_blocking(move || held.1.recv().unwrap()).await.unwrap();
        let began = Instant::now();
        let asking: Vec<_> = (0..12)
            .map(|number| {
                let service = app.service();
                tokio::spawn(async move {
                    let reply = service.get(&format!("/api/contacts?limit={}", 20 + number)).await;
                    (reply, began.elapsed())
                })
            })
            .collect();
        let mut waits = Vec::new();
        for one in asking {
            let (refused, waited) = one.await.unwrap();
            assert!(!refused.status(503).header("retry-after").is_empty());
            waits.push(waited);
        }
        let (first, last) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
        assert!(*last < 2 * *first, "one after the other, the last wait three times as long: {waits:?}");
        release.0.send(()).unwrap();
        tokio::task::spawn_blocking(move || holder.join().unwrap()).await.unwrap();
        app.service().get("/api/contacts").await.ok();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_server_that_takes_no_writes_is_read_and_said_to_be_so() {
        let Some(cluster) = tokio::task::spawn_blocking(|| Cluster::start(&[])).await.unwrap() else { return };
        let (app, token) = app_on(&cluster, |database| cluster.url(database)).await;
        let admin = app.with_token(&token);
        let company = |number: &str| json!({"account_number": number, "name": "Acme"});
        admin.post("/api/companies", &company("100001")).await.status(201);
        let set = |value: &str| {
            let sql = format!("ALTER SYSTEM SET default_transaction_read_only = {value}");
            tokio::task::block_in_place(|| {
                cluster.texts("postgres", &sql);
                cluster.reload();
            });
        };
        set("on");
        eventually("writes are refused", 10, || async { admin.post("/api/companies", &company("100002")).await.status == 507 })
            .await;
        let refused = admin.post("/api/companies", &company("100003")).await.status(507);
        assert!(refused.error().contains("nothing was saved"), "{}", refused.error());
        admin.get("/api/companies/100001").await.ok();
        set("off");
        eventually("writes go on", 10, || async {
            [201, 409].contains(&admin.post("/api/companies", &company("100004")).await.status)
        })
        .await;
        admin.get("/api/companies/100003").await.status(404);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn postgres_is_not_there_at_start() {
        let Some(engine) = Engine::postgres() else { return };
        let (mut app, proxy) = app_behind_a_door(&engine, false, true).await;
        let health = app.anonymous().get("/health").await.status(503);
        assert_ne!(health.json()["status"], "healthy");
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(app.exit_code(), None, "it must wait for its database, not leave");
        proxy.open();
        eventually("PostgreSQL has come", 20, || async { app.anonymous().get("/health").await.status == 200 }).await;
        assert!(app.database.number("SELECT count(*) FROM refinery_schema_history") > 0);
    }
}
