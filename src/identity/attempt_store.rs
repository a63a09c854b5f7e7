//! Counts failed sign-ins in the database, so that every instance and every restart knows them.

use super::limits::{FORGOTTEN_AFTER, Limit};
use crate::{
    db::Write,
    error::{Error, Result},
    params,
    types::{now, now_plus},
};

/// Counts an attempt as failed before it is made, so that a hundred at once are not one; tells how many
/// seconds to wait if it must not be made at all.
pub fn begin(w: &mut Write<'_>, subjects: &[(String, Limit)]) -> Result<Option<i64>> {
    w.run("DELETE FROM sign_in_attempts WHERE last_at < ?1 AND blocked_until < ?2", params![now_plus(-FORGOTTEN_AFTER), now()])?;
    let mut counts = Vec::new();
    for (subject, limit) in subjects {
        let row = w.first("SELECT failures, blocked_until FROM sign_in_attempts WHERE subject = ?1", params![subject])?;
        let (failures, until) =
            row.map(|row| Ok::<_, Error>((row.get::<i64>(0)?, row.get::<String>(1)?))).transpose()?.unwrap_or_default();
        let left = seconds_until(&until);
        if left > 0 {
            return Ok(Some(left));
        }
        counts.push((subject, failures + 1, now_plus(limit.wait(failures + 1))));
    }
    for (subject, failures, blocked_until) in counts {
        w.run(
            "INSERT INTO sign_in_attempts (subject, failures, last_at, blocked_until) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (subject) DO UPDATE SET failures = ?2, last_at = ?3, blocked_until = ?4",
            params![subject, failures, now(), blocked_until],
        )?;
    }
    Ok(None)
}

/// The attempt was good after all: the account starts afresh, the address is as it was before.
pub fn succeeded(w: &mut Write<'_>, account: &str, address: &str) -> Result<()> {
    w.run("DELETE FROM sign_in_attempts WHERE subject = ?1", params![account])?;
    w.run(
        "UPDATE sign_in_attempts SET failures = failures - 1, blocked_until = ?2 WHERE subject = ?1 AND failures > 0",
        params![address, now()],
    )?;
    Ok(())
}

fn seconds_until(time: &str) -> i64 {
    let until = time.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second);
    until - jiff::Timestamp::now().as_second()
}
