//! Searches the database for damage soon after the start and once each night.

use std::time::Duration;

use jiff::Zoned;

use crate::db::Db;

/// How long after the start: the first answers come first.
const AFTER_START: Duration = Duration::from_secs(1);
/// How often we look whether it is night; short, because clocks are set and machines sleep.
const LOOK: Duration = Duration::from_mins(10);
/// The hour of the night, in the machine's own time.
const HOUR: i8 = 3;
/// How long one search may take.
const PATIENCE: Duration = Duration::from_mins(10);

/// Searches until the program ends.
pub async fn watch(db: Db) {
    if db.target().is_server() {
        return;
    }
    tokio::time::sleep(AFTER_START).await;
    search(&db).await;
    let mut searched = Zoned::now().date();
    loop {
        tokio::time::sleep(LOOK).await;
        let now = Zoned::now();
        if now.hour() == HOUR && now.date() != searched {
            searched = now.date();
            search(&db).await;
        }
    }
}

async fn search(db: &Db) {
    let searching = db.clone();
    // On a thread of its own, which nobody waits for when the program ends.
    let (said, heard) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("damage".to_owned()).spawn(move || {
        let _nobody_waits = said.send(searching.search_for_damage(PATIENCE));
    });
    if thread.is_err() {
        return;
    }
    if let Ok(Err(error)) = heard.await {
        tracing::warn!(%error, "the search for damage did not come to its end");
    }
    if let Some(found) = db.damage() {
        tracing::error!(found, "the database is damaged; restore a backup (codex restore)");
    }
}
