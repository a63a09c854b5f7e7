//! The database layer by itself, on both engines: what a closure did is kept or undone as a whole.

use std::sync::Arc;
use std::time::Duration;

use codex::db::{Db, Target};
use codex::error::{Error, Result};
use codex::params;
use codex::types::{Actor, Scope};

use crate::support::{Database, Engine, both};

struct Opened {
    db: Db,
    _folder: tempfile::TempDir,
    _database: Database,
}

fn open(engine: &Engine, capacity: usize) -> Opened {
    let folder = tempfile::tempdir().unwrap();
    let database = engine.database(folder.path(), None);
    let target = Target::parse(database.url().as_deref(), folder.path()).unwrap();
    let db = std::thread::spawn(move || Db::open(target, capacity)).join().unwrap().unwrap();
    Opened { db, _folder: folder, _database: database }
}

const INSERT: &str = "INSERT INTO companies (account_number, name, created_at, updated_at, name_folded, search_text)
    VALUES (?1, ?1, 'now', 'now', ?1, ?1)";

async fn insert(db: &Db, account: String) -> Result<u64> {
    db.write(&Scope::All, &Actor::system("test"), move |w| {
        w.next_change("company")?;
        w.run(INSERT, params![account])
    })
    .await
}

async fn count(db: &Db) -> i64 {
    let count = db.read(&Scope::All, |c| c.one("SELECT count(*) FROM companies", params![])?.get(0)).await;
    count.unwrap()
}

both! {
    async fn a_panic_is_that_closures_failure_alone(engine: Engine) {
        let opened = open(&engine, 256);
        let db = &opened.db;
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..120_u32 {
            let db = db.clone();
            tasks.spawn(async move {
                let actor = Actor::system("test");
                let work = db.write(&Scope::All, &actor, move |w| {
                    w.run(INSERT, params![format!("P{number}")])?;
                    assert!(number % 3 != 0, "this closure panics on purpose");
                    Ok(())
                });
                (number, work.await)
            });
        }
        while let Some(done) = tasks.join_next().await {
            let (number, result) = done.unwrap();
            if number % 3 == 0 {
                assert!(matches!(result, Err(Error::Internal(_))), "{number}: {result:?}");
            } else {
                result.unwrap();
            }
        }
        assert_eq!(count(db).await, 80);
        let read: Result<i64> = db.read(&Scope::All, |_| panic!("this closure panics on purpose")).await;
        assert!(matches!(read, Err(Error::Internal(_))));
        for number in 0..20 {
            assert_eq!(count(db).await, 80, "read {number} after a panic");
        }
        insert(db, "after".to_owned()).await.unwrap();
    }

    async fn a_statement_that_fails_in_the_middle_leaves_nothing(engine: Engine) {
        let opened = open(&engine, 256);
        let db = &opened.db;
        insert(db, "first".to_owned()).await.unwrap();
        for statement in ["INSERT INTO companies (name) VALUES ('no number')", "SELECT nonsense FROM nowhere", "UPDATE locations SET id = 1 / 0"] {
            let actor = Actor::system("test");
            let failed = db.write(&Scope::All, &actor, move |w| {
                w.run(INSERT, params!["half"])?;
                w.run(statement, params![]).map(|_| ())
            });
            let (result, beside) = tokio::join!(failed, insert(db, format!("beside {statement}")));
            beside.unwrap();
            if !statement.starts_with("UPDATE") {
                assert!(result.is_err(), "{statement}");
            }
        }
        let halves = db.read(&Scope::All, |c| c.all("SELECT name FROM companies WHERE name = 'half'", params![])).await.unwrap();
        assert!(halves.len() <= 1, "only the UPDATE that touches no row may have kept its row");
    }

    async fn a_full_queue_answers_at_once(engine: Engine) {
        let opened = open(&engine, 4);
        let db = &opened.db;
        let gate = Arc::new(std::sync::Barrier::new(2));
        let inside = Arc::clone(&gate);
        let (began, begun) = tokio::sync::oneshot::channel();
        let slow = {
            let db = db.clone();
            tokio::spawn(async move {
                db.write(&Scope::All, &Actor::system("test"), move |w| {
                    let _told = began.send(());
                    inside.wait();
                    w.run(INSERT, params!["slow"])
                })
                .await
            })
        };
        begun.await.unwrap();
        let mut waiting = tokio::task::JoinSet::new();
        let mut refused = 0;
        for number in 0..12 {
            let db = db.clone();
            waiting.spawn(async move { insert(&db, format!("W{number}")).await });
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        while let Some(done) = waiting.try_join_next() {
            let error = done.unwrap().unwrap_err();
            assert_eq!(error.status(), 503, "{error}");
            refused += 1;
        }
        assert_eq!(refused, 8, "four wait, the others are told at once");
        assert_eq!(count(db).await, 0, "readers are not in that queue");
        tokio::task::spawn_blocking(move || gate.wait()).await.unwrap();
        slow.await.unwrap().unwrap();
        while let Some(done) = waiting.join_next().await {
            done.unwrap().unwrap();
        }
        assert_eq!(count(db).await, 5);
    }

    async fn a_tenants_scope_narrows_every_tenant_table(engine: Engine) {
        let opened = open(&engine, 16);
        let db = &opened.db;
        insert(db, "A".to_owned()).await.unwrap();
        insert(db, "B".to_owned()).await.unwrap();
        let ids = db.read(&Scope::All, |c| c.all("SELECT id FROM companies ORDER BY account_number", params![])).await.unwrap();
        let a: i64 = ids[0].get(0).unwrap();
        let ours = Scope::Companies(vec![a].into());
        let names = db.read(&ours, |c| c.all("SELECT company.name FROM @companies company", params![])).await.unwrap();
        assert_eq!(names.len(), 1);
        assert_eq!(names[0].get::<String>(0).unwrap(), "A");
        let nothing = Scope::Companies(vec![].into());
        for table in codex::db::tenant_tables() {
            let sql = format!("SELECT 1 FROM @{table} tenant");
            let seen = db.read(&nothing, move |c| c.all(&sql, params![])).await;
            assert_eq!(seen.unwrap_or_else(|error| panic!("{table}: {error}")).len(), 0, "{table}");
        }
        let bare = db.read(&ours, |c| c.all("SELECT @", params![])).await;
        assert!(bare.is_err(), "an @ that is no table must not run");
    }

    async fn readers_cannot_write(engine: Engine) {
        let opened = open(&engine, 16);
        let written = opened.db.read(&Scope::All, |c| c.run(INSERT, params!["smuggled"])).await;
        assert!(written.is_err());
        assert_eq!(count(&opened.db).await, 0);
    }

    async fn a_rehearsal_leaves_nothing(engine: Engine) {
        let opened = open(&engine, 16);
        let rows = opened.db.dry_run(&Scope::All, &Actor::system("test"), |w| w.run(INSERT, params!["rehearsed"])).await;
        assert_eq!(rows.unwrap(), 1);
        assert_eq!(count(&opened.db).await, 0);
    }
}
