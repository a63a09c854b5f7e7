//! Alerts in the database: events that move as the vendor tells them, without history.

use super::alert::{Alert, AlertView, kind_words, priority};
use crate::compliance::{Level, Veiled};
use crate::db::{Conn, Engine, Row, Value, Write};
use crate::error::Result;
use crate::history::ranks::ALERT;
use crate::params;
use crate::types::{SearchText, fold, now};

/// What [`keep`] compares and writes, in the order of [`values`].
const COLUMNS: [&str; 24] = [
    "asset_id",
    "company_id",
    "device_uid",
    "device_name",
    "site_uid",
    "site_name",
    "priority",
    "severity",
    "kind",
    "message",
    "raised_at",
    "muted",
    "resolved",
    "resolved_at",
    "resolved_by",
    "gone",
    "ticket_number",
    "diagnostics",
    "context",
    "monitor",
    "actions",
    "autoresolve_mins",
    "message_folded",
    "search_text",
];

fn values(alert: &Alert, asset_id: Option<i64>, company_id: Option<i64>) -> Vec<Value> {
    let (word, severity) = priority(&alert.priority);
    let message = if alert.message.is_empty() { kind_words(&alert.kind) } else { alert.message.clone() };
    let text = search_key(&message, alert.device_name.as_ref(), alert.site_name.as_ref(), alert.ticket_number.as_ref());
    let folded = fold(&message);
    params![
        asset_id,
        company_id,
        &alert.device_uid,
        &alert.device_name,
        &alert.site_uid,
        &alert.site_name,
        word,
        severity,
        &alert.kind,
        message,
        &alert.raised_at,
        alert.muted,
        alert.resolved,
        &alert.resolved_at,
        &alert.resolved_by,
        false,
        &alert.ticket_number,
        &alert.diagnostics,
        &alert.context,
        &alert.monitor,
        &alert.actions,
        alert.autoresolve_mins,
        folded,
        text,
    ]
    .to_vec()
}

fn search_key(message: &str, device: Option<&String>, site: Option<&String>, ticket: Option<&String>) -> String {
    let key = SearchText::new().words([message]).words(device).words(site);
    ticket.into_iter().fold(key, |key, ticket| key.number(ticket)).finish()
}

/// Makes the keys of the next rows after this id anew; the last of them, if there were any.
pub fn rekey(w: &mut Write<'_>, after: i64, limit: i64) -> Result<Option<i64>> {
    let sql = "SELECT alert.id, alert.message, alert.device_name, alert.site_name, alert.ticket_number FROM @alerts alert
               WHERE alert.id > ?1 ORDER BY alert.id LIMIT ?2";
    let mut last = None;
    for row in w.all(sql, params![after, limit])? {
        let (id, message): (i64, String) = (row.get(0)?, row.get(1)?);
        let [device, site, ticket]: [Option<String>; 3] = [row.get(2)?, row.get(3)?, row.get(4)?];
        let text = search_key(&message, device.as_ref(), site.as_ref(), ticket.as_ref());
        w.run("UPDATE alerts SET message_folded = ?2, search_text = ?3 WHERE id = ?1", params![id, fold(&message), &text])?;
        unindex(w, id)?;
        index(w, id, text.into())?;
        last = Some(id);
    }
    w.observe("alert");
    Ok(last)
}

/// Whether a cell is what would be written: SQLite's truth values are numbers.
fn same(kept: &Value, told: &Value) -> bool {
    match (kept, told) {
        (Value::Int(kept), Value::Bool(told)) => (*kept != 0) == *told,
        (kept, told) => kept == told,
    }
}

/// The alerts of an asset become another's: both are the same device.
pub fn repoint(w: &mut Write<'_>, from: i64, to: i64) -> Result<()> {
    if w.run("UPDATE alerts SET asset_id = ?2 WHERE asset_id = ?1", params![from, to])? > 0 {
        w.observe("alert");
    }
    Ok(())
}

/// Keeps an alert as the vendor tells it now; says whether that was news.
pub fn keep(w: &mut Write<'_>, source: &str, alert: &Alert, asset_id: Option<i64>, company_id: Option<i64>) -> Result<bool> {
    let told = values(alert, asset_id, company_id);
    let sql = format!(
        "SELECT alert.id, {} FROM @alerts alert WHERE alert.source = ?1 AND alert.alert_uid = ?2",
        COLUMNS.map(|column| format!("alert.{column}")).join(", ")
    );
    let at = now();
    let id = match w.first(&sql, params![source, &alert.alert_uid])? {
        Some(row) => {
            let id: i64 = row.get(0)?;
            let mut changed = false;
            for (place, told) in told.iter().enumerate() {
                changed |= !same(&row.get::<Value>(place + 1)?, told);
            }
            if !changed {
                return Ok(false);
            }
            let sets: Vec<String> = COLUMNS.iter().enumerate().map(|(n, column)| format!("{column} = ?{}", n + 3)).collect();
            let sql = format!("UPDATE alerts SET {}, updated_at = ?2 WHERE id = ?1", sets.join(", "));
            let mut all = vec![Value::Int(id), at.into()];
            all.extend(told.iter().cloned());
            w.run(&sql, &all)?;
            unindex(w, id)?;
            id
        }
        None => {
            let places: Vec<String> = (1..=COLUMNS.len()).map(|n| format!("?{}", n + 3)).collect();
            let sql = format!(
                "INSERT INTO alerts (source, alert_uid, first_seen_at, updated_at, {}) VALUES (?1, ?2, ?3, ?3, {}) RETURNING id",
                COLUMNS.join(", "),
                places.join(", ")
            );
            let mut all = vec![source.into(), Value::from(&alert.alert_uid), at.into()];
            all.extend(told.iter().cloned());
            w.one(&sql, &all)?.get(0)?
        }
    };
    index(w, id, told.last().cloned().unwrap_or(Value::Null))?;
    w.observe("alert");
    Ok(true)
}

fn unindex(w: &mut Write<'_>, id: i64) -> Result<()> {
    if w.engine() == Engine::Sqlite {
        w.run("DELETE FROM alerts_fts WHERE rowid = ?1", params![id])?;
    }
    Ok(())
}

fn index(w: &mut Write<'_>, id: i64, text: Value) -> Result<()> {
    if w.engine() == Engine::Sqlite {
        w.run("INSERT INTO alerts_fts (rowid, search_text) VALUES (?1, ?2)", &[id.into(), text])?;
    }
    Ok(())
}

/// Ends an open alert that the vendor no longer knows.
pub fn close_gone(w: &mut Write<'_>, source: &str, alert_uid: &str) -> Result<()> {
    let sql = "UPDATE alerts SET resolved = ?3, resolved_at = ?4, gone = ?3, updated_at = ?4
               WHERE source = ?1 AND alert_uid = ?2 AND resolved = ?5";
    if w.run(sql, params![source, alert_uid, true, now(), false])? > 0 {
        w.observe("alert");
    }
    Ok(())
}

/// The vendor's ids of the alerts that are open here.
pub fn open_uids(c: &mut Conn, source: &str) -> Result<Vec<String>> {
    let sql = "SELECT alert.alert_uid FROM @alerts alert WHERE alert.source = ?1 AND alert.resolved = ?2 ORDER BY alert.id";
    c.all(sql, params![source, false])?.iter().map(|row| row.get(0)).collect()
}

/// An alert beside its asset and its company: the asset's, or its site's when there is no asset.
pub const FROM: &str = "@alerts alert
    LEFT JOIN @assets asset ON asset.id = alert.asset_id
    LEFT JOIN @companies company ON company.id = CASE WHEN alert.asset_id IS NULL THEN alert.company_id ELSE asset.company_id END";

/// What [`view`] reads.
#[must_use]
pub fn select() -> String {
    format!(
        "alert.id, alert.alert_uid, alert.priority, alert.message, alert.kind, alert.raised_at, alert.resolved, alert.resolved_at,
     alert.resolved_by, alert.gone, alert.muted, alert.ticket_number, alert.asset_id, COALESCE(asset.hostname, alert.device_name),
     company.account_number, company.name, alert.device_uid, alert.site_uid, alert.site_name,
     alert.diagnostics, alert.context, alert.monitor, alert.actions, alert.autoresolve_mins, alert.source, alert.first_seen_at,
     alert.updated_at, {ALERT}"
    )
}

/// Reads a row selected as [`select`].
///
/// # Errors
/// `Internal` when a column holds another type.
pub fn view(row: &Row) -> Result<Veiled<AlertView>> {
    let json = |at: usize| -> Result<serde_json::Value> {
        let text: Option<String> = row.get(at)?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    };
    let company_id: Option<String> = row.get(14)?;
    Ok(Veiled::new(AlertView {
        id: row.get(0)?,
        alert_uid: row.get(1)?,
        priority: row.get(2)?,
        message: row.get(3)?,
        kind: row.get(4)?,
        timestamp: row.get(5)?,
        resolved: row.get(6)?,
        resolved_at: row.get(7)?,
        resolved_by: row.get(8)?,
        gone: row.get(9)?,
        muted: row.get(10)?,
        ticket_number: row.get(11)?,
        asset_id: row.get(12)?,
        hostname: row.get(13)?,
        company_account_number: company_id.clone(),
        company_id,
        company_name: row.get(15)?,
        protection: Level::from_rank(row.get(27)?),
        device_uid: row.get(16)?,
        site_uid: row.get(17)?,
        site_name: row.get(18)?,
        diagnostics: row.get(19)?,
        context: json(20)?,
        monitor: json(21)?,
        actions: json(22)?,
        autoresolve_mins: row.get(23)?,
        data_source: row.get(24)?,
        first_seen_at: row.get(25)?,
        updated_at: row.get(26)?,
    }))
}

/// How many alerts are open, and how many of them are critical or high; muted ones do not count.
pub fn open(c: &mut Conn) -> Result<(i64, i64)> {
    let sql = "SELECT count(*) FROM @alerts alert WHERE alert.resolved = ?1 AND alert.muted = ?1 AND alert.severity <= ?2";
    let all = c.one(sql, params![false, 9])?.get(0)?;
    Ok((all, c.one(sql, params![false, 1])?.get(0)?))
}
