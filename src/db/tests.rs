use std::sync::mpsc;

use super::*;
use crate::params;

fn open(target: Target) -> Db {
    Db::open(target, 64).unwrap()
}

async fn round_trip(db: Db) {
    let actor = Actor::system("test");
    let id: i64 = db
        .write(&Scope::All, &actor, |w| {
            w.next_change("company")?;
            w.one(
                "INSERT INTO companies (account_number, name, created_at, updated_at, name_folded, search_text)
                 VALUES (?1, ?2, ?3, ?3, ?4, ?4) RETURNING id",
                params![uuid::Uuid::new_v4().to_string(), "Acme", crate::types::now(), "acme"],
            )?
            .get(0)
        })
        .await
        .unwrap();
    let panicked: Result<()> = db.write(&Scope::All, &actor, |_| panic!("on purpose")).await;
    assert!(matches!(panicked, Err(Error::Internal(_))));
    let undone: Result<()> = db
        .write(&Scope::All, &actor, move |w| {
            w.run("DELETE FROM companies WHERE id = ?1", params![id])?;
            w.run("SELECT nonsense", params![]).map(|_| ())
        })
        .await;
    assert!(undone.is_err());
    db.dry_run(&Scope::All, &actor, move |w| w.run("DELETE FROM companies WHERE id = ?1", params![id])).await.unwrap();
    let nobody = Scope::Companies(vec![].into());
    let seen = |scope: Scope| {
        let db = db.clone();
        async move {
            db.read(&scope, move |c| {
                c.all("SELECT company.name FROM @companies company WHERE company.id IN ids(?1)", params![vec![id]])
            })
            .await
            .unwrap()
            .len()
        }
    };
    assert_eq!(seen(Scope::All).await, 1);
    assert_eq!(seen(nobody).await, 0);
    assert_eq!(seen(Scope::Companies(vec![id].into())).await, 1);
}

#[tokio::test]
async fn sqlite_keeps_what_was_committed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(Target::parse(None, folder.path()).unwrap());
    round_trip(db.clone()).await;
    round_trip(db).await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_keeps_what_was_committed_and_nothing_else() {
    let Ok(url) = std::env::var("CODEX_TEST_POSTGRES_SMOKE") else { return };
    let db = open(Target::parse(Some(&url), std::path::Path::new(".")).unwrap());
    round_trip(db.clone()).await;
    drop(db);
}

#[tokio::test]
async fn one_caller_leaves_readers_for_others() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(Target::Sqlite(folder.path().join("codex.db")), 64).unwrap();
    let (portion, (under_way, begun)) = (Portion::of(READERS), mpsc::channel());
    let mut gates = Vec::new();
    let mut asked = Vec::new();
    for _ in 0..READERS {
        let (open, gate) = mpsc::channel::<()>();
        let (db, portion, under_way) = (db.clone(), portion.clone(), under_way.clone());
        gates.push(open);
        asked.push(tokio::spawn(async move {
            let question = db.read(&Scope::All, move |_| {
                under_way.send(()).map_err(Error::internal)?;
                let _ = gate.recv();
                Ok(())
            });
            for_caller(portion, question).await
        }));
    }
    let begun = tokio::task::spawn_blocking(move || {
        (0..READERS / 2).for_each(|_| begun.recv().unwrap());
        begun
    });
    let begun = begun.await.unwrap();
    for_caller(Portion::of(READERS), db.read(&Scope::All, ping)).await.unwrap();
    assert!(begun.try_recv().is_err(), "the caller's other questions wait behind its own");
    drop(gates);
    for question in asked {
        question.await.unwrap().unwrap();
    }
}
