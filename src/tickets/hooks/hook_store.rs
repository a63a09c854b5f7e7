//! Which calls have been taken.

use crate::db::Write;
use crate::error::Result;
use crate::params;
use crate::types::{now, now_plus};

/// How long a call is remembered, in seconds: far longer than a signature is good for.
const KEPT: i64 = 90 * 86_400;

/// Remembers a call; `false` when it had been taken before.
pub fn is_new(w: &mut Write<'_>, digest: &str) -> Result<bool> {
    w.run("DELETE FROM webhook_seen WHERE seen_at < ?1", params![now_plus(-KEPT)])?;
    let sql = "INSERT INTO webhook_seen (digest, seen_at) VALUES (?1, ?2) ON CONFLICT (digest) DO NOTHING";
    Ok(w.run(sql, params![digest, now()])? > 0)
}
