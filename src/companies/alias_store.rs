//! The names under which companies have been recognised, in the database.

use super::alias::Alias;
use crate::db::{Conn, Write};
use crate::error::Result;
use crate::params;
use crate::types::now;

/// Learns a name; `key` is what two spellings of it have in common.
pub fn learn(w: &mut Write<'_>, company_id: i64, name: &str, key: &str, source: &str) -> Result<()> {
    if key.is_empty() {
        return Ok(());
    }
    let by = w.actor().name.clone();
    w.run(
        "INSERT INTO company_aliases (company_id, name, name_key, source, learnt_by, learnt_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (name_key, company_id) DO UPDATE SET name = excluded.name, source = excluded.source,
             learnt_by = excluded.learnt_by, learnt_at = excluded.learnt_at",
        params![company_id, name, key, source, by, now()],
    )?;
    w.touch("company");
    Ok(())
}

/// Forgets that a company goes by a name: what was called so is another's.
pub fn forget(w: &mut Write<'_>, company_id: i64, key: &str) -> Result<()> {
    if w.run("DELETE FROM company_aliases WHERE company_id = ?1 AND name_key = ?2", params![company_id, key])? > 0 {
        w.touch("company");
    }
    Ok(())
}

/// Every name's key, with the company that it is.
pub fn keys(c: &mut Conn) -> Result<Vec<(String, i64)>> {
    let rows = c.all("SELECT alias.name_key, alias.company_id FROM @company_aliases alias ORDER BY alias.id", &[])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// A company's names, the first learnt first.
pub fn of(c: &mut Conn, company_id: i64) -> Result<Vec<Alias>> {
    let sql = "SELECT alias.name, alias.source, alias.learnt_by, alias.learnt_at FROM @company_aliases alias
               WHERE alias.company_id = ?1 ORDER BY alias.id";
    let rows = c.all(sql, params![company_id])?;
    let alias = |row: &crate::db::Row| {
        Ok(Alias { name: row.get(0)?, source: row.get(1)?, learnt_by: row.get(2)?, learnt_at: row.get(3)? })
    };
    rows.iter().map(alias).collect()
}

/// Lets the names of one company be another's, but for those that it has itself; which ones.
pub fn hand_over(w: &mut Write<'_>, from: i64, to: i64) -> Result<Vec<i64>> {
    let sql = "SELECT alias.id FROM @company_aliases alias WHERE alias.company_id = ?1 AND NOT EXISTS
               (SELECT 1 FROM @company_aliases own WHERE own.company_id = ?2 AND own.name_key = alias.name_key) ORDER BY alias.id";
    let ids: Vec<i64> = w.map(sql, params![from, to], |row| row.get(0))?;
    hand_back(w, &ids, from, to)?;
    Ok(ids)
}

/// Lets these names be another company's, as far as they are this one's.
pub fn hand_back(w: &mut Write<'_>, ids: &[i64], from: i64, to: i64) -> Result<()> {
    w.run("UPDATE company_aliases SET company_id = ?3 WHERE id IN ids(?1) AND company_id = ?2", params![ids.to_vec(), from, to])?;
    w.touch("company");
    Ok(())
}
