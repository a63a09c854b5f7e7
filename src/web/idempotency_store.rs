//! Remembers what writes with an `Idempotency-Key` answered, in the same transaction as the write.

use super::{
    disclosure::{Shown, noted},
    write::Reply,
};
use crate::{
    db::{Conn, Write},
    error::{Error, Result},
    history::protection::PROTECTION,
    params,
    types::{now, now_plus},
};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How long an answer is remembered, in seconds.
const KEPT_FOR: i64 = 24 * 60 * 60;

/// The members of an answer that are repeated in any case: none of them tells of people.
const ALWAYS: [&str; 5] = ["message", "success", "id", "account_number", "rev"];

/// The answer that this key got before, and which protected records it shows. Once anything has become more
/// strictly protected, kept answers no longer show records: whether this one may is past finding out.
///
/// # Errors
/// When the key belonged to another request.
pub fn find(conn: &mut Conn, caller: &str, key: &str, request: &str) -> Result<Option<(Reply, Shown)>> {
    let row = conn.first(
        "SELECT request, status, body, etag, location, protected_at, shown
         FROM idempotency_keys WHERE caller = ?1 AND key = ?2 AND created_at > ?3",
        params![caller, key, now_plus(-KEPT_FOR)],
    )?;
    let Some(row) = row else { return Ok(None) };
    if row.get::<String>(0)? != request {
        return Err(Error::conflict("this Idempotency-Key was used for another request; use a new one"));
    }
    let status = u16::try_from(row.get::<i64>(1)?).ok().and_then(|code| StatusCode::from_u16(code).ok());
    let mut body: Value = serde_json::from_str(&row.get::<String>(2)?).map_err(Error::internal)?;
    let mut shown = Shown::new();
    if row.get::<i64>(5)? == protected_at(conn)? {
        let kept: BTreeMap<String, Vec<i64>> = serde_json::from_str(&row.get::<String>(6)?).map_err(Error::internal)?;
        shown.extend(kept.into_iter().filter_map(|(entity, ids)| Some((noted(&entity)?, ids.into_iter().collect()))));
    } else if let Value::Object(members) = &mut body {
        members.retain(|name, _| ALWAYS.contains(&name.as_str()));
        members.insert("withheld".to_owned(), json!("done before; what is protected has changed since: read the record again"));
    }
    let status = status.ok_or_else(|| Error::internal("a stored status is none"))?;
    Ok(Some((Reply { status, body, etag: row.get(3)?, location: row.get(4)? }, shown)))
}

/// Tells one state of what is protected from another.
fn protected_at(conn: &mut Conn) -> Result<i64> {
    let row = conn.first("SELECT version FROM versions WHERE entity = ?1", params![PROTECTION])?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Remembers an answer and forgets those that are too old.
pub fn keep(w: &mut Write<'_>, caller: &str, key: &str, request: &str, reply: &Reply, shown: &Shown) -> Result<()> {
    // What this write itself protects, its answer takes into account.
    let protected_at = protected_at(w)? + i64::from(w.touches(PROTECTION));
    w.run("DELETE FROM idempotency_keys WHERE created_at <= ?1", params![now_plus(-KEPT_FOR)])?;
    w.run(
        "INSERT INTO idempotency_keys (caller, key, request, status, body, etag, location, created_at, protected_at, shown)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            caller,
            key,
            request,
            i64::from(reply.status.as_u16()),
            reply.body.to_string(),
            &reply.etag,
            &reply.location,
            now(),
            protected_at,
            serde_json::to_string(shown).map_err(Error::internal)?
        ],
    )?;
    Ok(())
}
