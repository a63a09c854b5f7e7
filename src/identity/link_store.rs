//! The rows of one-time links with which somebody sets their password; a link itself is never among them.

use crate::{
    db::{Conn, Write},
    error::Result,
    params,
    types::{now, now_plus},
};

/// Stores a link in place of those that the person had; when it ends.
pub fn put(w: &mut Write<'_>, hash: &str, user_id: i64, seconds: i64) -> Result<String> {
    w.run("DELETE FROM password_links WHERE user_id = ?1 OR expires_at < ?2", params![user_id, now()])?;
    let expires_at = now_plus(seconds);
    w.run(
        "INSERT INTO password_links (token_hash, user_id, expires_at) VALUES (?1, ?2, ?3)",
        params![hash, user_id, &expires_at],
    )?;
    Ok(expires_at)
}

/// Whose link it is, while it can be used.
pub fn find(c: &mut Conn, hash: &str) -> Result<Option<i64>> {
    let sql = "SELECT link.user_id FROM password_links link JOIN users account ON account.id = link.user_id
               WHERE link.token_hash = ?1 AND link.expires_at > ?2 AND account.enabled";
    c.first(sql, params![hash, now()])?.map(|row| row.get(0)).transpose()
}

/// Ends a person's links: with a new password none of them is good any more.
pub fn forget(w: &mut Write<'_>, user_id: i64) -> Result<()> {
    w.run("DELETE FROM password_links WHERE user_id = ?1", params![user_id]).map(|_| ())
}
