//! Remembers what writes with an `Idempotency-Key` answered, in the same transaction as the write.

use super::write::Reply;
use crate::{
    db::Conn,
    error::{Error, Result},
    params,
    types::{now, now_plus},
};
use axum::http::StatusCode;

/// How long an answer is remembered, in seconds.
const KEPT_FOR: i64 = 24 * 60 * 60;

/// The answer that this key got before.
///
/// # Errors
/// When the key belonged to another request.
pub fn find(conn: &mut Conn, caller: &str, key: &str, request: &str) -> Result<Option<Reply>> {
    let row = conn.first(
        "SELECT request, status, body, etag, location FROM idempotency_keys WHERE caller = ?1 AND key = ?2 AND created_at > ?3",
        params![caller, key, now_plus(-KEPT_FOR)],
    )?;
    let Some(row) = row else { return Ok(None) };
    if row.get::<String>(0)? != request {
        return Err(Error::conflict("this Idempotency-Key was used for another request; use a new one"));
    }
    let status = u16::try_from(row.get::<i64>(1)?).ok().and_then(|code| StatusCode::from_u16(code).ok());
    Ok(Some(Reply {
        status: status.ok_or_else(|| Error::internal("a stored status is none"))?,
        body: serde_json::from_str(&row.get::<String>(2)?).map_err(Error::internal)?,
        etag: row.get(3)?,
        location: row.get(4)?,
    }))
}

/// Remembers an answer and forgets those that are too old.
///
/// # Errors
/// Those of the database.
pub fn keep(conn: &mut Conn, caller: &str, key: &str, request: &str, reply: &Reply) -> Result<()> {
    conn.run("DELETE FROM idempotency_keys WHERE created_at <= ?1", params![now_plus(-KEPT_FOR)])?;
    conn.run(
        "INSERT INTO idempotency_keys (caller, key, request, status, body, etag, location, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            caller,
            key,
            request,
            i64::from(reply.status.as_u16()),
            reply.body.to_string(),
            &reply.etag,
            &reply.location,
            now()
        ],
    )?;
    Ok(())
}
