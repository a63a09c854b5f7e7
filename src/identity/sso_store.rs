//! The rows of single sign-on: who somebody is at the provider, and sign-ins on their way over it.

use crate::{
    db::{Conn, Write},
    error::Result,
    params,
    types::{now, now_plus},
};

/// Sign-ins that are on their way at once, of everybody: each address begins few.
const MOST: i64 = 50_000;
/// When one more is taken once there are so many, in seconds.
const LATER: i64 = 60;

/// A sign-in that was begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// A digest of what the browser keeps.
    pub browser_hash: String,
    /// What the provider writes into its token.
    pub nonce: String,
    /// What proves that whoever redeems the code has begun this.
    pub code_verifier: String,
    /// Where the provider leads back to.
    pub redirect_uri: String,
    /// Where the person wanted to go.
    pub next: String,
}

/// Stores a sign-in by a digest of its state; the seconds to wait when there are too many. Those that are on their way stay.
pub fn begin(w: &mut Write<'_>, state_hash: &str, begun: &Begun, seconds: i64) -> Result<Option<i64>> {
    w.run("DELETE FROM sign_in_requests WHERE expires_at < ?1", params![now()])?;
    let rows: i64 = w.one("SELECT COUNT(*) FROM sign_in_requests", &[])?.get(0)?;
    if rows >= MOST {
        return Ok(Some(LATER));
    }
    w.run(
        "INSERT INTO sign_in_requests (state_hash, browser_hash, nonce, code_verifier, redirect_uri, next, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            state_hash,
            &begun.browser_hash,
            &begun.nonce,
            &begun.code_verifier,
            &begun.redirect_uri,
            &begun.next,
            now_plus(seconds)
        ],
    )?;
    Ok(None)
}

/// Takes a sign-in that still stands: it can be taken once.
pub fn take(w: &mut Write<'_>, state_hash: &str) -> Result<Option<Begun>> {
    let sql = "DELETE FROM sign_in_requests WHERE state_hash = ?1 AND expires_at > ?2
               RETURNING browser_hash, nonce, code_verifier, redirect_uri, next";
    let Some(row) = w.first(sql, params![state_hash, now()])? else { return Ok(None) };
    Ok(Some(Begun {
        browser_hash: row.get(0)?,
        nonce: row.get(1)?,
        code_verifier: row.get(2)?,
        redirect_uri: row.get(3)?,
        next: row.get(4)?,
    }))
}

/// Whose account this subject of the provider has been linked with.
pub fn linked(c: &mut Conn, issuer: &str, subject: &str) -> Result<Option<i64>> {
    let sql = "SELECT user_id FROM user_identities WHERE issuer = ?1 AND subject = ?2";
    c.first(sql, params![issuer, subject])?.map(|row| row.get(0)).transpose()
}

/// Whether an account is linked with anybody at the provider.
pub fn is_linked(c: &mut Conn, user_id: i64) -> Result<bool> {
    Ok(c.first("SELECT 1 FROM user_identities WHERE user_id = ?1", params![user_id])?.is_some())
}

/// Links an account with a subject of the provider; tells whether it was free.
pub fn link(w: &mut Write<'_>, issuer: &str, subject: &str, user_id: i64) -> Result<bool> {
    let sql = "INSERT INTO user_identities (issuer, subject, user_id, created_at, last_used_at) VALUES (?1, ?2, ?3, ?4, ?4)
               ON CONFLICT DO NOTHING";
    Ok(w.run(sql, params![issuer, subject, user_id, now()])? > 0)
}

/// Notes that somebody signed in.
pub fn used(w: &mut Write<'_>, issuer: &str, subject: &str) -> Result<()> {
    let sql = "UPDATE user_identities SET last_used_at = ?3 WHERE issuer = ?1 AND subject = ?2";
    w.run(sql, params![issuer, subject, now()]).map(|_| ())
}

/// Takes an account's links away; tells whether there were any.
pub fn unlink(w: &mut Write<'_>, user_id: i64) -> Result<bool> {
    Ok(w.run("DELETE FROM user_identities WHERE user_id = ?1", params![user_id])? > 0)
}
