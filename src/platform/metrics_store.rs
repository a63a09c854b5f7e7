//! What `/metrics` tells of what is stored.

use crate::{db::Conn, error::Result, outbox, params};

/// What is stored, as counts and times.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// Jobs, and when each last ended well (RFC 3339).
    pub successes: Vec<(String, String)>,
    /// States of entries of the outbox, and how many are in each.
    pub outbox: Vec<(&'static str, i64)>,
}

/// Reads it.
pub fn stored(c: &mut Conn) -> Result<Stored> {
    let sql = "SELECT script, MAX(completed_at) FROM sync_jobs WHERE success = ?1 AND completed_at IS NOT NULL
               GROUP BY script ORDER BY script";
    let successes = c.map(sql, params![true], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let outbox = outbox::store::counts(c)?.into_iter().map(|(state, count)| (state.as_str(), count)).collect();
    Ok(Stored { successes, outbox })
}
