//! The rows of second factors: sealed secrets, digests of recovery codes, and sign-ins that wait for a code.

use crate::{
    db::{Conn, Write},
    error::{Error, Result},
    params,
    types::{now, now_plus},
};

/// A second factor, confirmed or on its way.
#[derive(Clone, Debug)]
pub struct Factor {
    /// Sealed.
    pub secret: String,
    /// The step of the last code that was used.
    pub last_step: i64,
    /// When its secret was made.
    pub created_at: String,
    /// Since when it is asked for.
    pub confirmed_at: Option<String>,
    /// Recovery codes that have not been used.
    pub left: i64,
}

/// A person's second factor.
pub fn find(c: &mut Conn, user_id: i64) -> Result<Option<Factor>> {
    let sql = "SELECT factor.secret, factor.last_step, factor.created_at, factor.confirmed_at,
               (SELECT COUNT(*) FROM recovery_codes code WHERE code.user_id = factor.user_id AND code.used_at IS NULL)
               FROM second_factors factor WHERE factor.user_id = ?1";
    let Some(row) = c.first(sql, params![user_id])? else { return Ok(None) };
    Ok(Some(Factor {
        secret: row.get(0)?,
        last_step: row.get(1)?,
        created_at: row.get(2)?,
        confirmed_at: row.get(3)?,
        left: row.get(4)?,
    }))
}

/// Whether a person has a second factor that is asked for.
pub fn is_on(c: &mut Conn, user_id: i64) -> Result<bool> {
    Ok(find(c, user_id)?.is_some_and(|factor| factor.confirmed_at.is_some()))
}

/// Stores the secret of one that is still to be confirmed, in place of an earlier one; those that were begun longer ago than so
/// many seconds go.
pub fn begin(w: &mut Write<'_>, user_id: i64, sealed: &str, seconds: i64) -> Result<()> {
    w.run("DELETE FROM second_factors WHERE confirmed_at IS NULL AND created_at < ?1", params![now_plus(-seconds)])?;
    let stored = w.run(
        "INSERT INTO second_factors (user_id, secret, created_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (user_id) DO UPDATE SET secret = ?2, created_at = ?3, last_step = 0
         WHERE second_factors.confirmed_at IS NULL",
        params![user_id, sealed, now()],
    )?;
    if stored == 0 { Err(Error::conflict("The second factor is on already; turn it off first")) } else { Ok(()) }
}

/// Notes that the code of a step was used; tells whether nobody was faster.
pub fn use_step(w: &mut Write<'_>, user_id: i64, sealed: &str, step: i64) -> Result<bool> {
    let sql = "UPDATE second_factors SET last_step = ?3 WHERE user_id = ?1 AND secret = ?2 AND last_step < ?3";
    Ok(w.run(sql, params![user_id, sealed, step])? > 0)
}

/// From now on it is asked for.
pub fn confirm(w: &mut Write<'_>, user_id: i64) -> Result<()> {
    w.run("UPDATE second_factors SET confirmed_at = ?2 WHERE user_id = ?1", params![user_id, now()]).map(|_| ())
}

/// Stores recovery codes by their digests, in place of those that the person had.
pub fn put_codes(w: &mut Write<'_>, user_id: i64, digests: &[String]) -> Result<()> {
    w.run("DELETE FROM recovery_codes WHERE user_id = ?1", params![user_id])?;
    for digest in digests {
        w.run("INSERT INTO recovery_codes (user_id, digest) VALUES (?1, ?2)", params![user_id, digest])?;
    }
    Ok(())
}

/// Uses a recovery code up; tells whether it could be used.
pub fn use_code(w: &mut Write<'_>, user_id: i64, digest: &str) -> Result<bool> {
    let sql = "UPDATE recovery_codes SET used_at = ?3 WHERE user_id = ?1 AND digest = ?2 AND used_at IS NULL";
    Ok(w.run(sql, params![user_id, digest, now()])? > 0)
}

/// Takes a person's second factor away, with all that belongs to it; tells whether there was one.
pub fn remove(w: &mut Write<'_>, user_id: i64) -> Result<bool> {
    for table in ["recovery_codes", "sign_in_challenges"] {
        w.run(&format!("DELETE FROM {table} WHERE user_id = ?1"), params![user_id])?;
    }
    Ok(w.run("DELETE FROM second_factors WHERE user_id = ?1", params![user_id])? > 0)
}

/// Stores a sign-in whose password was right and whose code is still to come.
pub fn put_challenge(w: &mut Write<'_>, hash: &str, user_id: i64, seconds: i64) -> Result<()> {
    w.run("DELETE FROM sign_in_challenges WHERE expires_at < ?1", params![now()])?;
    w.run(
        "INSERT INTO sign_in_challenges (token_hash, user_id, expires_at) VALUES (?1, ?2, ?3)",
        params![hash, user_id, now_plus(seconds)],
    )?;
    Ok(())
}

/// Whose sign-in it is.
pub fn challenged(c: &mut Conn, hash: &str) -> Result<Option<i64>> {
    let sql = "SELECT user_id FROM sign_in_challenges WHERE token_hash = ?1 AND expires_at > ?2";
    c.first(sql, params![hash, now()])?.map(|row| row.get(0)).transpose()
}

/// Ends the sign-ins of a person that wait for a code: with a new password, and once one of them is through.
pub fn forget_challenges(w: &mut Write<'_>, user_id: i64) -> Result<()> {
    w.run("DELETE FROM sign_in_challenges WHERE user_id = ?1", params![user_id]).map(|_| ())
}
