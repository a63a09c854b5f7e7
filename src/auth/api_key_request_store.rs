//! How often API keys ask, as the processes on one database tell each other.

use crate::{
    db::{Row, Write},
    error::Result,
    params,
    types::now_plus,
};

/// For how many seconds requests count.
pub const WINDOW: i64 = 60;
/// After how many seconds nobody asks any more what was told.
const FORGOTTEN: i64 = 3_600;

/// What a process has counted of a key: since when (RFC 3339), and how many requests.
#[derive(Clone, Debug)]
pub struct Counted {
    pub key: i64,
    pub since: String,
    pub requests: u32,
}

/// Tells what this process has counted; what all others have counted of the same keys within the window.
pub fn exchange(w: &mut Write<'_>, process: &str, counted: &[Counted]) -> Result<Vec<(i64, u32)>> {
    let sql = "INSERT INTO api_key_requests (key_id, process, since, requests) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (key_id, process) DO UPDATE SET since = excluded.since, requests = excluded.requests";
    for one in counted {
        w.run(sql, params![one.key, process, &one.since, i64::from(one.requests)])?;
    }
    w.run("DELETE FROM api_key_requests WHERE since < ?1", params![now_plus(-FORGOTTEN)])?;
    let keys: Vec<i64> = counted.iter().map(|one| one.key).collect();
    let sql = "SELECT key_id, CAST(SUM(requests) AS BIGINT) FROM api_key_requests
               WHERE key_id IN ids(?1) AND process <> ?2 AND since > ?3 GROUP BY key_id";
    let rows = w.all(sql, params![keys, process, now_plus(-WINDOW)])?;
    let read = |row: &Row| Ok((row.get(0)?, u32::try_from(row.get::<i64>(1)?).unwrap_or(u32::MAX)));
    rows.iter().map(read).collect()
}
