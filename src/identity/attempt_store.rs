//! Counts failed sign-ins in the database, so that every instance and every restart knows them.

use super::limits::{
    ADDRESS, BEGUN, EVERYWHERE, FORGOTTEN_AFTER, HERE, Limit, MOST_PLACES, MOST_ROWS, PLACE_FORGOTTEN_AFTER, SKEW, TURN,
};
use crate::{
    db::Write,
    error::Result,
    params,
    types::{now, now_plus},
};

/// Who tries to sign in, and from where.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The account: `user:7`, `service:…`, `name:…` for one that there is not.
    pub account: String,
    /// The address: `address:…`.
    pub address: String,
}

impl Attempt {
    fn here(&self) -> String {
        format!("{}|{}", self.account, self.address)
    }

    /// The row that says when it is this address's turn, while very many guess at this account.
    fn turn(&self) -> String {
        format!("turn:{}", self.here())
    }

    /// The row that says that this account has signed in from this address before.
    fn place(&self) -> String {
        format!("known:{}", self.here())
    }
}

/// Counts an attempt as failed before it is made, so that a hundred at once are not one; tells how many
/// seconds to wait if it must not be made at all. What strangers do elsewhere never keeps somebody from
/// signing in where they have signed in before.
pub fn begin(w: &mut Write<'_>, attempt: &Attempt) -> Result<Option<i64>> {
    tidy(w)?;
    let (here, here_left) = look(w, &attempt.here(), HERE)?;
    let (address, address_left) = look(w, &attempt.address, ADDRESS)?;
    let mut counts = vec![(attempt.here(), HERE, here), (attempt.address.clone(), ADDRESS, address)];
    let mut left = here_left.max(address_left);
    if !is_known(w, attempt)? {
        let (everywhere, everywhere_left) = look(w, &attempt.account, EVERYWHERE)?;
        counts.push((attempt.account.clone(), EVERYWHERE, everywhere));
        if left == 0 && everywhere_left > 0 {
            left = await_turn(w, attempt, here)?;
        }
    }
    if left > 0 {
        return Ok(Some(left));
    }
    for (subject, limit, failures) in counts {
        put(w, &subject, failures + 1, &now_plus(limit.wait(failures + 1)))?;
    }
    Ok(None)
}

/// Counts a sign-in over the provider that an address begins; tells how many seconds to wait if it must not.
pub fn begin_sso(w: &mut Write<'_>, address: &str) -> Result<Option<i64>> {
    tidy(w)?;
    let subject = sso(address);
    let (begun, left) = look(w, &subject, BEGUN)?;
    if left > 0 {
        return Ok(Some(left));
    }
    put(w, &subject, begun + 1, &now_plus(BEGUN.wait(begun + 1)))?;
    Ok(None)
}

/// One of those has ended well.
pub fn end_sso(w: &mut Write<'_>, address: &str) -> Result<()> {
    less(w, &sso(address))
}

fn sso(address: &str) -> String {
    format!("sso:{address}")
}

/// The failures of a subject, and for how many seconds it has to wait.
fn look(w: &mut Write<'_>, subject: &str, limit: Limit) -> Result<(i64, i64)> {
    let row = w.first("SELECT failures, last_at, blocked_until FROM sign_in_attempts WHERE subject = ?1", params![subject])?;
    let Some(row) = row else { return Ok((0, 0)) };
    Ok((row.get(0)?, left(limit, &row.get::<String>(1)?, &row.get::<String>(2)?).max(0)))
}

/// While too many guess at an account, each address has its turn a while after it first asked, so that nobody who
/// asks more often takes it away; longer after each failure of its own. The seconds that are left; 0 when its turn
/// has come, which is then used up.
fn await_turn(w: &mut Write<'_>, attempt: &Attempt, failures: i64) -> Result<i64> {
    let turn = attempt.turn();
    let known = w.first("SELECT last_at, blocked_until FROM sign_in_attempts WHERE subject = ?1", params![&turn])?;
    if let Some(row) = known {
        let left = left(TURN, &row.get::<String>(0)?, &row.get::<String>(1)?).max(0);
        if left == 0 {
            w.run("DELETE FROM sign_in_attempts WHERE subject = ?1", params![&turn])?;
        }
        return Ok(left);
    }
    let wait = TURN.wait(failures);
    put(w, &turn, failures, &now_plus(wait))?;
    Ok(wait)
}

/// The attempt could not be judged: it is as if it had not been made.
pub fn take_back(w: &mut Write<'_>, attempt: &Attempt) -> Result<()> {
    for subject in [attempt.here(), attempt.address.clone()] {
        less(w, &subject)?;
    }
    if is_known(w, attempt)? { Ok(()) } else { less(w, &attempt.account) }
}

/// The attempt was good after all: it starts afresh here, everything else is as it was before.
pub fn succeeded(w: &mut Write<'_>, attempt: &Attempt) -> Result<()> {
    w.run("DELETE FROM sign_in_attempts WHERE subject IN (?1, ?2)", params![attempt.here(), attempt.turn()])?;
    less(w, &attempt.address)?;
    if !is_known(w, attempt)? {
        less(w, &attempt.account)?;
    }
    put(w, &attempt.place(), 0, &now_plus(PLACE_FORGOTTEN_AFTER))?;
    // `}` comes after `|`, so these are the places of this account alone.
    let (from, to) = (format!("known:{}|", attempt.account), format!("known:{}}}", attempt.account));
    w.run(
        "DELETE FROM sign_in_attempts WHERE subject >= ?1 AND subject < ?2 AND subject NOT IN
         (SELECT subject FROM sign_in_attempts WHERE subject >= ?1 AND subject < ?2 ORDER BY last_at DESC, subject LIMIT ?3)",
        params![from, to, MOST_PLACES],
    )?;
    Ok(())
}

fn is_known(w: &mut Write<'_>, attempt: &Attempt) -> Result<bool> {
    Ok(w.first("SELECT 1 FROM sign_in_attempts WHERE subject = ?1", params![attempt.place()])?.is_some())
}

/// Drops what is forgotten, and the oldest when there are too many: whoever guesses must not fill the disk.
fn tidy(w: &mut Write<'_>) -> Result<()> {
    w.run("DELETE FROM sign_in_attempts WHERE last_at < ?1 AND blocked_until < ?2", params![now_plus(-FORGOTTEN_AFTER), now()])?;
    let rows: i64 = w.one("SELECT COUNT(*) FROM sign_in_attempts", &[])?.get(0)?;
    if rows >= MOST_ROWS {
        // Places, which people earned, are kept until last: they count for longest.
        w.run(
            "DELETE FROM sign_in_attempts WHERE subject IN
             (SELECT subject FROM sign_in_attempts ORDER BY blocked_until, last_at, subject LIMIT ?1)",
            params![rows - MOST_ROWS + MOST_ROWS / 10],
        )?;
    }
    Ok(())
}

fn put(w: &mut Write<'_>, subject: &str, failures: i64, blocked_until: &str) -> Result<()> {
    w.run(
        "INSERT INTO sign_in_attempts (subject, failures, last_at, blocked_until) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (subject) DO UPDATE SET failures = ?2, last_at = ?3, blocked_until = ?4",
        params![subject, failures, now(), blocked_until],
    )?;
    Ok(())
}

fn less(w: &mut Write<'_>, subject: &str) -> Result<()> {
    w.run(
        "UPDATE sign_in_attempts SET failures = failures - 1, blocked_until = ?2 WHERE subject = ?1 AND failures > 0",
        params![subject, now()],
    )?;
    Ok(())
}

/// Seconds that are left to wait. An attempt of the future is one from before the clock was set back:
/// it blocks nobody.
fn left(limit: Limit, last_at: &str, blocked_until: &str) -> i64 {
    let seconds = |time: &str| time.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second);
    let now = jiff::Timestamp::now().as_second();
    if seconds(last_at) > now + SKEW { 0 } else { (seconds(blocked_until) - now).min(limit.longest) }
}
