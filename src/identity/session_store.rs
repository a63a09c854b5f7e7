//! The rows behind tokens that Codex issued: a token counts only while its row stands.

use super::origin::Origin;
use crate::{
    db::{Conn, Row, Value, Write},
    error::Result,
    params,
    types::{now, now_plus},
};

/// What stands for single sign-on.
const SSO: &str = "sso";

/// Whose token it is.
#[derive(Clone, Debug)]
pub enum Holder {
    /// A row of `users`.
    User(i64),
    /// A service, by name.
    Service(String),
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A browser's cookie.
    Browser,
    /// The same, of somebody for whom the provider of single sign-on vouched.
    SingleSignOn,
    /// A program of a person's own.
    Api,
    /// Another service.
    Service,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Browser | Self::SingleSignOn => "browser",
            Self::Api => "api",
            Self::Service => "service",
        }
    }

    fn method(self) -> Option<&'static str> {
        (self == Self::SingleSignOn).then_some(SSO)
    }
}

/// Opens a session from somewhere; sessions that ended a day ago go.
pub fn open(w: &mut Write<'_>, jti: &str, holder: &Holder, kind: Kind, seconds: i64, origin: Option<&Origin>) -> Result<()> {
    w.run("DELETE FROM sessions WHERE expires_at < ?1", params![now_plus(-24 * 60 * 60)])?;
    let (user_id, service) = match holder {
        Holder::User(id) => (Some(*id), None),
        Holder::Service(name) => (None, Some(name.as_str())),
    };
    w.run(
        "INSERT INTO sessions (jti, user_id, service, kind, created_at, expires_at, address, user_agent, method)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            jti,
            user_id,
            service,
            kind.as_str(),
            now(),
            now_plus(seconds),
            origin.map(|origin| origin.peer.ip.to_string()),
            origin.and_then(|origin| origin.user_agent.clone()),
            kind.method()
        ],
    )?;
    Ok(())
}

/// Ends one session; tells whether it stood.
pub fn revoke(w: &mut Write<'_>, jti: &str) -> Result<bool> {
    let sql = "UPDATE sessions SET revoked_at = ?2 WHERE jti = ?1 AND revoked_at IS NULL AND expires_at > ?2";
    Ok(w.run(sql, params![jti, now()])? > 0)
}

/// Ends every session of a person, except one.
pub fn revoke_user(w: &mut Write<'_>, user_id: i64, except: Option<&str>) -> Result<u64> {
    w.run(
        "UPDATE sessions SET revoked_at = ?3 WHERE user_id = ?1 AND revoked_at IS NULL AND expires_at > ?3 AND jti <> ?2",
        params![user_id, except.unwrap_or_default(), now()],
    )
}

/// Ends every session of a person that was opened by single sign-on.
pub fn revoke_single_sign_on(w: &mut Write<'_>, user_id: i64) -> Result<u64> {
    w.run(
        "UPDATE sessions SET revoked_at = ?3 WHERE user_id = ?1 AND revoked_at IS NULL AND expires_at > ?3 AND method = ?2",
        params![user_id, SSO, now()],
    )
}

/// Ends every session of everybody, and every link that was still open: what is restored from a backup lets nobody in who
/// was locked out since. The database may be of an earlier version.
pub fn end_all(c: &mut Conn) -> Result<()> {
    c.run("UPDATE sessions SET revoked_at = ?1 WHERE revoked_at IS NULL", params![now()])?;
    c.run("UPDATE first_run_links SET used_at = ?1 WHERE used_at IS NULL", params![now()])?;
    Ok(())
}

/// Keeps which session at the provider of single sign-on a session belongs to.
pub fn note_provider(w: &mut Write<'_>, jti: &str, session: &str) -> Result<()> {
    w.run("UPDATE sessions SET provider_session = ?2 WHERE jti = ?1", params![jti, session]).map(drop)
}

/// Ends what single sign-on has opened up to a moment: of a person, of a session at the provider, or of both; then also the
/// person's sessions of which nobody knows to which one they belong.
pub fn revoke_at_provider(w: &mut Write<'_>, user_id: Option<i64>, session: Option<&str>, until: &str) -> Result<u64> {
    let mut params = params![now(), SSO, until].to_vec();
    let whose = match (user_id, session) {
        (Some(user), Some(session)) => {
            params.extend([Value::from(user), Value::from(session)]);
            "user_id = ?4 AND (provider_session = ?5 OR provider_session IS NULL)"
        }
        (Some(user), None) => {
            params.push(user.into());
            "user_id = ?4"
        }
        (None, Some(session)) => {
            params.push(session.into());
            "provider_session = ?4"
        }
        (None, None) => return Ok(0),
    };
    let sql = format!(
        "UPDATE sessions SET revoked_at = ?1
         WHERE revoked_at IS NULL AND expires_at > ?1 AND method = ?2 AND created_at <= ?3 AND {whose}"
    );
    w.run(&sql, &params)
}

/// A session that stands.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its token's id.
    pub jti: String,
    /// `browser` or `api`.
    pub kind: String,
    /// Since when.
    pub created_at: String,
    /// Until when.
    pub expires_at: String,
    /// From where it was opened.
    pub address: Option<String>,
    /// What the browser said of itself.
    pub user_agent: Option<String>,
    /// `sso`, or by password.
    pub method: Option<String>,
    /// To the minute.
    pub last_used_at: Option<String>,
}

/// The sessions of a person that stand, the newest first.
pub fn of_user(c: &mut Conn, user_id: i64) -> Result<Vec<Session>> {
    let sql = "SELECT jti, kind, created_at, expires_at, address, user_agent, method, last_used_at FROM sessions
               WHERE user_id = ?1 AND revoked_at IS NULL AND expires_at > ?2 ORDER BY created_at DESC, jti";
    let session = |row: &Row| {
        Ok(Session {
            jti: row.get(0)?,
            kind: row.get(1)?,
            created_at: row.get(2)?,
            expires_at: row.get(3)?,
            address: row.get(4)?,
            user_agent: row.get(5)?,
            method: row.get(6)?,
            last_used_at: row.get(7)?,
        })
    };
    c.all(sql, params![user_id, now()])?.iter().map(session).collect()
}

/// Whether this session was opened by single sign-on, and when.
pub fn single_sign_on(c: &mut Conn, jti: &str) -> Result<Option<String>> {
    let sql = "SELECT created_at FROM sessions WHERE jti = ?1 AND method = ?2 AND revoked_at IS NULL";
    c.first(sql, params![jti, SSO])?.map(|row| row.get(0)).transpose()
}

/// The hash of a service client's secret.
pub fn client_secret(c: &mut Conn, name: &str) -> Result<Option<String>> {
    c.first("SELECT secret_hash FROM service_clients WHERE name = ?1", params![name])?.map(|row| row.get(0)).transpose()
}

/// The names of all service clients, with the time they were made.
pub fn clients(c: &mut Conn) -> Result<Vec<(String, String)>> {
    let rows = c.all("SELECT name, created_at FROM service_clients ORDER BY name", params![])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Stores a service client, or its new secret.
pub fn put_client(w: &mut Write<'_>, name: &str, secret_hash: &str) -> Result<()> {
    w.run(
        "INSERT INTO service_clients (name, secret_hash, created_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (name) DO UPDATE SET secret_hash = ?2",
        params![name, secret_hash, now()],
    )?;
    Ok(())
}

/// Removes a service client and ends its sessions; tells whether there was anything to end.
pub fn remove_client(w: &mut Write<'_>, name: &str) -> Result<bool> {
    let sql = "UPDATE sessions SET revoked_at = ?2 WHERE service = ?1 AND revoked_at IS NULL AND expires_at > ?2";
    let ended = w.run(sql, params![name, now()])?;
    Ok(ended + w.run("DELETE FROM service_clients WHERE name = ?1", params![name])? > 0)
}

/// Stores a one-time sign-in link by its hash.
pub fn put_link(w: &mut Write<'_>, hash: &str, seconds: i64) -> Result<()> {
    w.run("DELETE FROM first_run_links WHERE expires_at < ?1", params![now()])?;
    w.run("INSERT INTO first_run_links (token_hash, expires_at) VALUES (?1, ?2)", params![hash, now_plus(seconds)])?;
    Ok(())
}

/// Whether a link can still be used.
pub fn link_stands(c: &mut Conn, hash: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM first_run_links WHERE token_hash = ?1 AND used_at IS NULL AND expires_at > ?2";
    Ok(c.first(sql, params![hash, now()])?.is_some())
}

/// Uses a link up; tells whether it could be used.
pub fn use_link(w: &mut Write<'_>, hash: &str) -> Result<bool> {
    let sql = "UPDATE first_run_links SET used_at = ?2 WHERE token_hash = ?1 AND used_at IS NULL AND expires_at > ?2";
    Ok(w.run(sql, params![hash, now()])? > 0)
}
