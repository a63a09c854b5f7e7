//! What taking changes back asks the database.

use crate::{
    db::{Conn, Write},
    error::{Error, Result},
    params,
    types::now,
};

/// What a run read, the name of its kind of job, and when it began.
///
/// # Errors
/// `NotFound`.
pub fn run(c: &mut Conn, run: i64) -> Result<(String, String)> {
    let row = c.first("SELECT source, started_at FROM sync_runs WHERE id = ?1", params![run])?;
    let row = row.ok_or(Error::NotFound { what: "Run" })?;
    Ok((row.get(0)?, row.get(1)?))
}

/// Notes who took a run back.
pub fn mark(w: &mut Write<'_>, run: i64, by: &str) -> Result<()> {
    w.run("UPDATE sync_runs SET undone_at = ?1, undone_by = ?2 WHERE id = ?3", params![now(), by, run]).map(|_| ())
}

/// The company of an account number, retired or not.
pub fn company(c: &mut Conn, account_number: &str) -> Result<Option<i64>> {
    let sql = "SELECT company.id FROM @companies company WHERE company.account_number = ?1";
    c.first(sql, params![account_number])?.map(|row| row.get(0)).transpose()
}

/// Whether this run created the row.
pub fn created_by(c: &mut Conn, entity: &str, id: i64, run: Option<i64>) -> Result<bool> {
    let sql = "SELECT 1 FROM changes WHERE entity = ?1 AND entity_id = ?2 AND action = 'create' AND run_id = ?3";
    Ok(run.is_some() && c.first(sql, params![entity, id, run])?.is_some())
}
