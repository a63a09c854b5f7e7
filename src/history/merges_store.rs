//! Which row went on as which other one, in the database.

use serde_json::Value as Json;

use crate::{
    db::{Conn, Write},
    error::{Error, Result},
    params,
};

/// How a row went on as another one.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    pub loser: i64,
    pub winner: i64,
    /// What moved without history: by the room's word for it, the ids.
    pub moved: Json,
}

/// Notes that a row goes on as another one.
pub fn keep(w: &mut Write<'_>, entity: &str, merged: &Merged, batch: i64) -> Result<()> {
    let sql = "INSERT INTO merges (entity, loser_id, winner_id, batch_id, moved) VALUES (?1, ?2, ?3, ?4, ?5)";
    w.run(sql, params![entity, merged.loser, merged.winner, batch, merged.moved.to_string()]).map(drop)
}

/// The merge that a batch was, unless it is taken back.
pub fn of_batch(c: &mut Conn, batch: i64) -> Result<Option<Merged>> {
    let sql = "SELECT loser_id, winner_id, moved FROM merges WHERE batch_id = ?1";
    let Some(row) = c.first(sql, params![batch])? else { return Ok(None) };
    let moved = serde_json::from_str(&row.get::<String>(2)?).map_err(Error::internal)?;
    Ok(Some(Merged { loser: row.get(0)?, winner: row.get(1)?, moved }))
}

/// Forgets it again; what it was.
pub fn forget(w: &mut Write<'_>, entity: &str, loser: i64, winner: i64) -> Result<Option<Merged>> {
    let sql = "DELETE FROM merges WHERE entity = ?1 AND loser_id = ?2 AND winner_id = ?3 RETURNING moved";
    let Some(row) = w.first(sql, params![entity, loser, winner])? else { return Ok(None) };
    let moved = serde_json::from_str(&row.get::<String>(0)?).map_err(Error::internal)?;
    Ok(Some(Merged { loser, winner, moved }))
}

/// The row that a row went on as in the end; none for one that was never merged.
pub fn winner(c: &mut Conn, entity: &str, id: i64) -> Result<Option<i64>> {
    let sql = "SELECT winner_id FROM merges WHERE entity = ?1 AND loser_id = ?2";
    let (mut at, mut seen) = (id, vec![id]);
    while let Some(row) = c.first(sql, params![entity, at])? {
        at = row.get(0)?;
        if seen.contains(&at) {
            break;
        }
        seen.push(at);
    }
    Ok((at != id).then_some(at))
}

/// A row with all that were merged into it.
pub fn family(c: &mut Conn, entity: &str, id: i64) -> Result<Vec<i64>> {
    let (mut family, mut at) = (vec![id], 0);
    while let Some(winner) = family.get(at).copied() {
        let sql = "SELECT loser_id FROM merges WHERE entity = ?1 AND winner_id = ?2 ORDER BY loser_id";
        let losers: Vec<i64> = c.map(sql, params![entity, winner], |row| row.get(0))?;
        family.extend(losers.into_iter().filter(|loser| !family.contains(loser)).collect::<Vec<_>>());
        at += 1;
    }
    Ok(family)
}
