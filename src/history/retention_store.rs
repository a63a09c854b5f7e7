//! How far back history goes, where the operator wants old changes removed.
//!
//! Changes are removed from the oldest on. Readers are told of the edge before anything goes, so that nobody takes what is
//! left for the whole.

use super::forgotten_store as forgotten;
use crate::{
    db::{Conn, Write},
    error::{Error, Result},
    params,
};

/// What is never removed, because it goes on deciding: that a person was forgotten, and who retired a row.
const STAYS: [&str; 2] = [forgotten::ACTION, "retire"];

/// How far back history goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Every change with a larger number is there.
    pub after: i64,
    /// Every change from this moment on is there; none as long as nothing was removed.
    pub since: Option<String>,
}

/// How far back history goes.
pub fn kept(c: &mut Conn) -> Result<Kept> {
    let row = c.one("SELECT kept_after, kept_since FROM head WHERE id = 1", &[])?;
    Ok(Kept { after: row.get(0)?, since: row.get(1)? })
}

impl Kept {
    /// The edge, when this moment is before it.
    #[must_use]
    pub fn lacks(&self, moment: &str) -> Option<&str> {
        self.since.as_deref().filter(|since| moment < *since)
    }
}

/// Refuses what needs the history since a moment of which part was removed.
///
/// # Errors
/// `Conflict`, in the words of `what`.
pub fn refuse_before(c: &mut Conn, moment: &str, what: &str) -> Result<()> {
    match kept(c)?.lacks(moment) {
        Some(since) => Err(Error::conflict(format!("{what}: history before {since} was removed (retention.history_days)"))),
        None => Ok(()),
    }
}

/// What is said of a change that is not there: that it was removed, when it was.
pub fn missing(c: &mut Conn, seq: i64) -> Error {
    match kept(c) {
        Ok(Kept { after, since: Some(since) }) if (1..=after).contains(&seq) => {
            let mut details = serde_json::Map::new();
            details.insert("start".to_owned(), after.into());
            Error::Gone { message: format!("change {seq} is older than the history that is kept (since {since})"), details }
        }
        Ok(_) => Error::NotFound { what: "Change" },
        Err(error) => error,
    }
}

/// Moves the edge up to a moment, if any change is older than that; whether it moved.
pub fn keep_since(w: &mut Write<'_>, moment: &str) -> Result<bool> {
    let known = kept(w)?;
    let first = "SELECT seq FROM changes WHERE seq > ?1 AND at >= ?2 ORDER BY seq LIMIT 1";
    let after: i64 = match w.first(first, params![known.after, moment])? {
        Some(row) => row.get::<i64>(0)? - 1,
        None => w.one("SELECT version FROM head WHERE id = 1", &[])?.get(0)?,
    };
    if after <= known.after {
        return Ok(false);
    }
    w.run("UPDATE head SET kept_after = ?1, kept_since = ?2 WHERE id = 1", params![after, moment])?;
    Ok(true)
}

/// Removes what lies before the edge among the next changes after a number; how many went and where to go on, or none at
/// the edge.
pub fn remove(w: &mut Write<'_>, from: i64, limit: i64) -> Result<Option<(u64, i64)>> {
    let next = "SELECT MAX(part.seq) FROM (SELECT seq FROM changes
                WHERE seq > ?1 AND seq <= (SELECT kept_after FROM head WHERE id = 1) ORDER BY seq LIMIT ?2) part";
    let Some(last) = w.one(next, params![from, limit])?.get::<Option<i64>>(0)? else { return Ok(None) };
    let gone = "DELETE FROM changes WHERE seq > ?1 AND seq <= ?2 AND action NOT IN (?3, ?4)";
    let gone = w.run(gone, params![from, last, STAYS[0], STAYS[1]])?;
    Ok(Some((gone, last)))
}
