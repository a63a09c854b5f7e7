//! What a token is held against in stand-alone mode: published keys, sessions, the people behind them.

use super::{Level, keys::Jwk, last_use::NOTED_EVERY};
use crate::{
    db::{Conn, Write},
    error::Result,
    params,
    types::{now, now_plus},
};

/// A session that still stands, and the person it belongs to as the user table describes them now.
#[derive(Clone, Debug)]
pub struct Session {
    /// The token's subject.
    pub subject: String,
    /// The person; none for a service.
    pub account: Option<Account>,
    /// When its use was last noted.
    pub last_used_at: Option<String>,
    /// When it ends.
    pub expires_at: String,
}

/// The part of a user row that decides what a request may do.
#[derive(Clone, Debug)]
pub struct Account {
    pub username: String,
    pub name: String,
    pub email: String,
    pub level: Level,
    /// The company a client belongs to, while it is not retired.
    pub company_id: Option<i64>,
}

/// The session, unless it was revoked, has ended, or its person is disabled or gone.
pub fn find_session(c: &mut Conn, jti: &str) -> Result<Option<Session>> {
    let row = c.first(
        "SELECT session.service, account.subject, account.username, account.name, account.email, account.role,
                company.id, account.enabled, session.last_used_at, session.expires_at
         FROM sessions session LEFT JOIN users account ON account.id = session.user_id
         LEFT JOIN @companies company ON company.id = account.company_id AND company.retired_at IS NULL
         WHERE session.jti = ?1 AND session.revoked_at IS NULL AND session.expires_at > ?2",
        params![jti, now()],
    )?;
    let Some(row) = row else { return Ok(None) };
    let (last_used_at, expires_at) = (row.get(8)?, row.get(9)?);
    if let Some(service) = row.get::<Option<String>>(0)? {
        return Ok(Some(Session { subject: format!("service:{service}"), account: None, last_used_at, expires_at }));
    }
    let Some(subject) = row.get::<Option<String>>(1)? else { return Ok(None) };
    if !row.get::<bool>(7)? {
        return Ok(None);
    }
    let account = Account {
        username: row.get(2)?,
        name: row.get(3)?,
        email: row.get(4)?,
        level: Level::from_claim(Some(&row.get::<String>(5)?)),
        company_id: row.get(6)?,
    };
    Ok(Some(Session { subject, account: Some(account), last_used_at, expires_at }))
}

/// Notes that a session is used, at most once a minute however many instances see it.
pub fn note_use(w: &mut Write<'_>, jti: &str) -> Result<()> {
    let sql = "UPDATE sessions SET last_used_at = ?2 WHERE jti = ?1 AND (last_used_at IS NULL OR last_used_at <= ?3)";
    w.run(sql, params![jti, now(), now_plus(-NOTED_EVERY)]).map(|_| ())
}

/// The public keys of every instance, the newest first.
pub fn public_keys(c: &mut Conn) -> Result<Vec<Jwk>> {
    let rows = c.all("SELECT kid, modulus, exponent FROM signing_keys ORDER BY created_at DESC, kid", params![])?;
    let key = |kid, n, e| Jwk { kty: "RSA".into(), alg: Some("RS256".into()), usage: Some("sig".into()), kid, n, e };
    rows.iter().map(|row| Ok(key(row.get(0)?, row.get(1)?, row.get(2)?))).collect()
}

/// Stores the public key of one holder in place of the one it had.
pub fn publish_key(w: &mut Write<'_>, key: &Jwk, holder: &str) -> Result<()> {
    w.run("DELETE FROM signing_keys WHERE holder = ?1 AND kid <> ?2", params![holder, &key.kid])?;
    w.run(
        "INSERT INTO signing_keys (kid, holder, modulus, exponent, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (kid) DO UPDATE SET holder = ?2",
        params![&key.kid, holder, &key.n, &key.e, now()],
    )?;
    Ok(())
}
