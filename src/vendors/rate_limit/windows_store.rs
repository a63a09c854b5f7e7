//! The rows by which all processes share one vendor account's budget.

use crate::{db::Conn, error::Result, params};

/// The bucket that stands for the whole account.
pub const ALL: &str = "*";

/// The longest pause, in milliseconds. One that ends later was set before the clock was set back.
pub const LONGEST_PAUSE: i64 = 24 * 60 * 60 * 1000;

/// A count over a rolling window.
#[derive(Clone, Debug)]
pub struct Count {
    /// The account's fingerprint.
    pub account: String,
    /// Which of the vendor's counts.
    pub bucket: String,
    /// How many calls a window may have.
    pub allowed: i64,
    /// The window, in milliseconds.
    pub window: i64,
    /// The grain of the count, in milliseconds.
    pub slot: i64,
}

impl Count {
    fn slot_of(&self, now: i64) -> i64 {
        now - now.rem_euclid(self.slot)
    }

    /// How long a slot counts after its beginning: what was set aside in it is sent within one slot's length.
    fn life(&self) -> i64 {
        self.window + 2 * self.slot
    }
}

/// The outcome of asking for calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// So many calls are ours, set aside in the slot that begins then, and so many of the window are used in all.
    Granted(i64, i64, i64),
    /// None are free for so many milliseconds.
    Full(i64),
    /// The vendor put off all calls of this kind until then.
    Paused(i64),
    /// The vendor has shut the account out until then.
    Blocked(i64),
}

/// Sets up to `block` calls aside, after giving back what was left of an earlier reservation.
pub fn reserve(c: &mut Conn, count: &Count, block: i64, back: Option<(i64, i64)>, now: i64) -> Result<Reserved> {
    let (account, bucket) = (&count.account, &count.bucket);
    if let Some((slot, unused)) = back.filter(|(_, unused)| *unused > 0) {
        c.run(
            "UPDATE vendor_calls SET calls = calls - ?4 WHERE account = ?1 AND bucket = ?2 AND slot_ms = ?3 AND calls >= ?4",
            params![account, bucket, slot, unused],
        )?;
    }
    let kind = bucket.split(':').next().unwrap_or(bucket);
    let (blocked, paused) = (pause(c, account, ALL, now)?, pause(c, account, kind, now)?);
    if let Some(until) = blocked {
        return Ok(Reserved::Blocked(until));
    }
    if let Some(until) = paused {
        return Ok(Reserved::Paused(until));
    }
    // A slot of the future is one from before the clock was set back.
    c.run(
        "DELETE FROM vendor_calls WHERE account = ?1 AND bucket = ?2 AND (slot_ms <= ?3 OR slot_ms > ?4)",
        params![account, bucket, now - count.life(), now + count.window],
    )?;
    let row = c.one(
        "SELECT CAST(coalesce(sum(calls), 0) AS BIGINT), coalesce(min(slot_ms), 0) FROM vendor_calls
         WHERE account = ?1 AND bucket = ?2 AND calls > 0",
        params![account, bucket],
    )?;
    let (used, oldest): (i64, i64) = (row.get(0)?, row.get(1)?);
    let free = count.allowed - used;
    if free <= 0 {
        return Ok(Reserved::Full((oldest + count.life() - now).max(1)));
    }
    let (granted, slot) = (free.min(block), count.slot_of(now));
    add(c, account, bucket, slot, granted)?;
    Ok(Reserved::Granted(granted, slot, used + granted))
}

/// Adds the calls that others made, as the vendor counts them: all it knows of, minus ours.
pub fn note_others(c: &mut Conn, count: &Count, vendor_count: i64, held: i64, now: i64) -> Result<()> {
    let row = c.one(
        "SELECT CAST(coalesce(sum(calls), 0) AS BIGINT) FROM vendor_calls WHERE account = ?1 AND bucket = ?2 AND slot_ms > ?3",
        params![&count.account, &count.bucket, now - count.life()],
    )?;
    let others = vendor_count - (row.get::<i64>(0)? - held);
    if others > 0 {
        add(c, &count.account, &count.bucket, count.slot_of(now), others)?;
    }
    Ok(())
}

fn add(c: &mut Conn, account: &str, bucket: &str, slot: i64, calls: i64) -> Result<()> {
    c.run(
        "INSERT INTO vendor_calls (account, bucket, slot_ms, calls) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (account, bucket, slot_ms) DO UPDATE SET calls = vendor_calls.calls + excluded.calls",
        params![account, bucket, slot, calls],
    )?;
    Ok(())
}

/// Until when the vendor put off calls of this bucket, if that is still to come.
pub fn pause(c: &mut Conn, account: &str, bucket: &str, now: i64) -> Result<Option<i64>> {
    let sql = "SELECT paused_until_ms FROM vendor_budgets WHERE account = ?1 AND bucket = ?2 AND paused_until_ms > ?3
               AND paused_until_ms <= ?4";
    c.first(sql, params![account, bucket, now, now + LONGEST_PAUSE])?.map(|row| row.get(0)).transpose()
}

/// The vendor puts off calls of this bucket until then.
pub fn set_pause(c: &mut Conn, account: &str, bucket: &str, until: i64) -> Result<()> {
    c.run(
        "INSERT INTO vendor_budgets (account, bucket, paused_until_ms) VALUES (?1, ?2, ?3)
         ON CONFLICT (account, bucket) DO UPDATE SET paused_until_ms = excluded.paused_until_ms",
        params![account, bucket, until],
    )?;
    Ok(())
}

/// What an answer's headers said of a bucket.
pub fn set_seen(c: &mut Conn, account: &str, bucket: &str, total: i64, remaining: i64, now: i64) -> Result<()> {
    c.run(
        "INSERT INTO vendor_budgets (account, bucket, total, remaining, seen_ms) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (account, bucket) DO UPDATE SET total = excluded.total, remaining = excluded.remaining, seen_ms = excluded.seen_ms",
        params![account, bucket, total, remaining, now],
    )?;
    Ok(())
}

/// What is known of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketState {
    /// The bucket.
    pub bucket: String,
    /// Its size and what remained of it, as seen at or after the time asked about.
    pub seen: Option<(i64, i64)>,
    /// Until when it is put off.
    pub paused: Option<i64>,
}

/// Everything that is known of an account and still counts.
pub fn known(c: &mut Conn, account: &str, since: i64, now: i64) -> Result<Vec<BucketState>> {
    let sql = "SELECT bucket, total, remaining, seen_ms, paused_until_ms FROM vendor_budgets WHERE account = ?1";
    let mut known = Vec::new();
    for row in c.all(sql, params![account])? {
        let fresh = row.get::<Option<i64>>(3)?.is_some_and(|at| (since..=now).contains(&at));
        let seen: (Option<i64>, Option<i64>) = (row.get(1)?, row.get(2)?);
        known.push(BucketState {
            bucket: row.get(0)?,
            seen: if let (true, (Some(total), Some(remaining))) = (fresh, seen) { Some((total, remaining)) } else { None },
            paused: row.get::<Option<i64>>(4)?.filter(|until| (now + 1..=now + LONGEST_PAUSE).contains(until)),
        });
    }
    Ok(known)
}
