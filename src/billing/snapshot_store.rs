//! Frozen months in the database. There is no way to change or to delete one, here or in the engines.

use std::collections::HashMap;

use super::{
    month::Month,
    snapshot::{Content, Label},
};
use crate::{
    db::{Conn, Row, Write},
    error::{Error, Result},
    history, params,
};

/// What changes of frozen months are called in history.
pub const ENTITY: &str = "billing_snapshot";

/// A frozen month without its content.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub id: i64,
    pub company_id: i64,
    pub label: Label,
    pub frozen_by: String,
    /// What the month costs by it, in cents.
    pub total: Option<i64>,
    pub sha256: String,
    pub account_number: String,
    pub company: String,
}

const SELECT: &str =
    "snapshot.id, snapshot.company_id, snapshot.month, snapshot.number, snapshot.adjusts_id, snapshot.is_partial,
    snapshot.frozen_at, snapshot.frozen_by, snapshot.total_cents, snapshot.sha256, company.account_number, company.name";
const FROM: &str = "@billing_snapshots snapshot JOIN @companies company ON company.id = snapshot.company_id";

fn read(row: &Row) -> Result<Snapshot> {
    Ok(Snapshot {
        id: row.get(0)?,
        company_id: row.get(1)?,
        label: Label {
            month: row.get(2)?,
            number: row.get(3)?,
            adjusts: row.get(4)?,
            is_partial: row.get(5)?,
            frozen_at: row.get(6)?,
        },
        frozen_by: row.get(7)?,
        total: row.get(8)?,
        sha256: row.get(9)?,
        account_number: row.get(10)?,
        company: row.get(11)?,
    })
}

/// Which frozen months are asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub month: Option<String>,
    pub company: Option<i64>,
    /// Those that belong to this snapshot: itself and its adjustments.
    pub family: Option<i64>,
}

/// Frozen months, the newest first; and how many there are.
pub fn list(c: &mut Conn, wanted: &Wanted, limit: i64, offset: i64) -> Result<(Vec<Snapshot>, i64)> {
    let mut params = Vec::new();
    let mut wheres = vec!["1 = 1".to_owned()];
    let mut add = |condition: &str, value: crate::db::Value| {
        params.push(value);
        wheres.push(condition.replace("{}", &format!("?{}", params.len())));
    };
    if let Some(month) = &wanted.month {
        add("snapshot.month = {}", month.into());
    }
    if let Some(company) = wanted.company {
        add("snapshot.company_id = {}", company.into());
    }
    if let Some(id) = wanted.family {
        add("(snapshot.id = {} OR snapshot.adjusts_id = {})", id.into());
    }
    let wheres = wheres.join(" AND ");
    let total = c.one(&format!("SELECT COUNT(*) FROM {FROM} WHERE {wheres}"), &params)?.get(0)?;
    params.extend([limit.into(), offset.into()]);
    let sql = format!(
        "SELECT {SELECT} FROM {FROM} WHERE {wheres}
         ORDER BY snapshot.month DESC, company.name_folded, snapshot.company_id, snapshot.number LIMIT ?{} OFFSET ?{}",
        params.len() - 1,
        params.len()
    );
    Ok((c.map(&sql, &params, read)?, total))
}

/// A frozen month with what is frozen.
///
/// # Errors
/// `NotFound`.
pub fn get(c: &mut Conn, id: i64) -> Result<(Snapshot, Content)> {
    let row = c.first(&format!("SELECT {SELECT}, snapshot.content FROM {FROM} WHERE snapshot.id = ?1"), params![id])?;
    let row = row.ok_or(Error::NotFound { what: "Snapshot" })?;
    let content: String = row.get(12)?;
    Ok((read(&row)?, serde_json::from_str(&content).map_err(Error::internal)?))
}

/// The file of a frozen month, as it was written then.
///
/// # Errors
/// `NotFound`.
pub fn file(c: &mut Conn, id: i64) -> Result<(Snapshot, String)> {
    let row = c.first(&format!("SELECT {SELECT}, snapshot.csv FROM {FROM} WHERE snapshot.id = ?1"), params![id])?;
    let row = row.ok_or(Error::NotFound { what: "Snapshot" })?;
    Ok((read(&row)?, row.get(12)?))
}

/// How a month stands frozen, by company: what was frozen last, and the snapshot that a further adjustment belongs to.
pub fn last_of_month(c: &mut Conn, month: &Month) -> Result<HashMap<i64, (Snapshot, Content)>> {
    let sql = format!(
        "SELECT {SELECT}, snapshot.content FROM {FROM} WHERE snapshot.month = ?1 AND NOT EXISTS (
             SELECT 1 FROM @billing_snapshots later
             WHERE later.company_id = snapshot.company_id AND later.month = snapshot.month AND later.number > snapshot.number)"
    );
    let mut found = HashMap::new();
    for row in c.all(&sql, params![month.as_str()])? {
        let (snapshot, content) = (read(&row)?, row.get::<String>(12)?);
        found.insert(snapshot.company_id, (snapshot, serde_json::from_str(&content).map_err(Error::internal)?));
    }
    Ok(found)
}

/// The number of what was frozen last of a month, by company.
pub fn last_numbers(c: &mut Conn, month: &Month) -> Result<HashMap<i64, i64>> {
    let sql = "SELECT snapshot.company_id, MAX(snapshot.number) FROM @billing_snapshots snapshot
               WHERE snapshot.month = ?1 GROUP BY snapshot.company_id";
    Ok(c.map(sql, params![month.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?.into_iter().collect())
}

/// Freezes a month of a company.
pub fn add(w: &mut Write<'_>, company: i64, label: Label, content: &Content) -> Result<i64> {
    let (csv, sum) = content.file(&label)?;
    let text = serde_json::to_string(content).map_err(Error::internal)?;
    let by = w.actor().name.clone();
    let Label { month, number, adjusts, is_partial, frozen_at } = label;
    let id: i64 = w
        .one(
            "INSERT INTO billing_snapshots
                 (company_id, month, number, adjusts_id, is_partial, frozen_at, frozen_by, total_cents, content, csv, sha256)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) RETURNING id",
            params![company, &month, number, adjusts, is_partial, &frozen_at, by, content.total, text, csv, &sum],
        )?
        .get(0)?;
    let told = [("company_id", company.into()), ("month", month.into()), ("sha256", sum.into()), ("adjusts_id", adjusts.into())];
    let fields =
        told.into_iter().map(|(name, value): (_, serde_json::Value)| (name.to_owned(), serde_json::json!([null, value])));
    history::record_change(w, ENTITY, id, "create", None, fields.collect())?;
    Ok(id)
}
