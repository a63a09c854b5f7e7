//! Makes the stored search keys anew after an upgrade to a program that makes them differently: in steps
//! that keep nobody waiting, and that go on where they were when they are interrupted.

use super::entities::ENTITIES;
use crate::{
    assets::audit_store,
    db::{Db, Write},
    error::Result,
    monitoring::alert_store,
    types::{Actor, KEY_VERSION, Scope},
    web::settings_store as settings,
};

/// Under which name the database remembers whose keys it has: the version, or how far its making is.
const SETTING: &str = "search_keys";
/// What makes the keys of some rows after an id, at most so many; tells the last of them.
type Maker = fn(&mut Write<'_>, i64, i64) -> Result<Option<i64>>;
/// How many rows of a noun one step takes.
const ROWS: i64 = 200;
/// Whose keys are made after those of all nouns, and how many rows (of programs: how many devices) one step takes.
const OTHERS: [(Maker, i64); 2] = [(alert_store::rekey, ROWS), (audit_store::rekey_software, 20)];

/// Makes whatever is old anew; nothing to do costs one question.
pub async fn refresh(db: &Db) -> Result<()> {
    let stored = db.read(&Scope::All, |c| settings::find(c, SETTING)).await?;
    if stored.as_deref() == Some(KEY_VERSION.to_string().as_str()) {
        return Ok(());
    }
    let began = std::time::Instant::now();
    let actor = Actor::system("search keys");
    while !db.write_bulk(&Scope::All, &actor, step).await? {}
    tracing::info!(seconds = began.elapsed().as_secs(), "the search keys are those of this version");
    Ok(())
}

/// One step; whether it was the last. Another process may be doing the same: each goes on where the other was.
fn step(w: &mut Write<'_>) -> Result<bool> {
    let done = KEY_VERSION.to_string();
    let stored = settings::find(w, SETTING)?.unwrap_or_default();
    if stored == done {
        return Ok(true);
    }
    let (mut turn, mut after) = place(&stored);
    while turn < ENTITIES.len() + OTHERS.len() {
        let last = match (ENTITIES.get(turn), OTHERS.get(turn.saturating_sub(ENTITIES.len()))) {
            (Some(noun), _) => noun.rekey(w, after, ROWS)?,
            (None, Some((make, most))) => make(w, after, *most)?,
            (None, None) => None,
        };
        if let Some(last) = last {
            settings::set(w, SETTING, &format!("{done}/{turn}/{last}"))?;
            return Ok(false);
        }
        (turn, after) = (turn + 1, 0);
    }
    settings::set(w, SETTING, &done)?;
    Ok(true)
}

/// How far the making of this version's keys is: whose turn it is, and after which row.
fn place(stored: &str) -> (usize, i64) {
    let mut parts = stored.split('/');
    if parts.next().and_then(|version| version.parse().ok()) != Some(KEY_VERSION) {
        return (0, 0);
    }
    let place = parts.next().and_then(|place| place.parse().ok()).unwrap_or(0);
    (place, parts.next().and_then(|after| after.parse().ok()).unwrap_or(0))
}
