//! Whose turn it is to deliver: one delivery at a time, whether as a job of its own or as part of another.

use crate::{
    db::Conn,
    error::Result,
    jobs::lease_store::{self, Lease},
    params,
    types::{now, now_plus},
};

/// How long a turn lasts without a sign of life.
const SECONDS: i64 = 60;

/// Takes the turn for a running job; `None` while another one has it.
pub fn take(c: &mut Conn, name: &str, job: &Lease) -> Result<Option<Lease>> {
    lease_store::check_lease(c, job)?;
    let Ok(fence) = lease_store::vacate(c, name)? else { return Ok(None) };
    lease_store::hold(c, name, &job.job_id, fence).map(Some)
}

/// Says that whoever has the turn lives.
///
/// # Errors
/// `Conflict` when it has passed to another.
pub fn keep(c: &mut Conn, turn: &Lease) -> Result<()> {
    lease_store::check_lease(c, turn)?;
    let sql = "UPDATE sync_leases SET expires_at = ?1 WHERE name = ?2 AND fence = ?3";
    c.run(sql, params![now_plus(SECONDS), &turn.name, turn.fence])?;
    Ok(())
}

/// Gives the turn back.
pub fn give_back(c: &mut Conn, turn: &Lease) -> Result<()> {
    let sql = "UPDATE sync_leases SET expires_at = ?1, job_id = '' WHERE name = ?2 AND job_id = ?3 AND fence = ?4";
    c.run(sql, params![now(), &turn.name, &turn.job_id, turn.fence])?;
    Ok(())
}
