//! Alerts in the database: events that move as the vendor tells them, without history.

use super::alert::{Alert, AlertView};
use crate::{
    compliance::{Level, Veiled},
    db::{Conn, Engine, Row, Write},
    entity::Facet as _,
    error::Result,
    history::ranks::ALERT,
    params,
    types::now,
};

/// Makes the keys of the next rows after this id anew; the last of them, if there were any.
pub fn rekey(w: &mut Write<'_>, after: i64, limit: i64) -> Result<Option<i64>> {
    let sql = format!("SELECT alert.id, {} FROM @alerts alert WHERE alert.id > ?1 ORDER BY alert.id LIMIT ?2", Alert::select());
    let mut last = None;
    for row in w.all(&sql, params![after, limit])? {
        let id = row.get(0)?;
        let alert = Alert::from_row(&row, 1)?.complete();
        alert.update(w, id)?;
        unindex(w, id)?;
        index(w, id, &alert)?;
        last = Some(id);
    }
    w.observe("alert");
    Ok(last)
}

/// The ids of the alerts of an asset, or of those of a company.
pub fn ids(c: &mut Conn, of_company: bool, id: i64) -> Result<Vec<i64>> {
    let column = if of_company { "company_id" } else { "asset_id" };
    c.map(&format!("SELECT alert.id FROM @alerts alert WHERE alert.{column} = ?1 ORDER BY alert.id"), params![id], |row| {
        row.get(0)
    })
}

/// Lets these alerts be about another asset, or of another company, as far as they are of this one.
pub fn move_some(w: &mut Write<'_>, ids: &[i64], of_company: bool, from: i64, to: i64) -> Result<()> {
    let column = if of_company { "company_id" } else { "asset_id" };
    let sql = format!("UPDATE alerts SET {column} = ?3 WHERE id IN ids(?1) AND {column} = ?2");
    w.run(&sql, params![ids.to_vec(), from, to])?;
    w.observe("alert");
    Ok(())
}

/// Keeps an alert as the vendor tells it now; says whether that was news.
pub fn keep(w: &mut Write<'_>, source: &str, told: &Alert, asset_id: Option<i64>, company_id: Option<i64>) -> Result<bool> {
    let at = now();
    let alert = Alert {
        source: source.to_owned(),
        asset_id,
        company_id,
        first_seen_at: at.clone(),
        updated_at: at,
        ..told.clone().complete()
    };
    let sql = format!("SELECT alert.id, {} FROM @alerts alert WHERE alert.source = ?1 AND alert.alert_uid = ?2", Alert::select());
    let (id, alert) = match w.first(&sql, params![source, &alert.alert_uid])? {
        Some(row) => {
            let (id, known) = (row.get(0)?, Alert::from_row(&row, 1)?);
            let alert = Alert { first_seen_at: known.first_seen_at.clone(), ..alert };
            if (Alert { updated_at: known.updated_at.clone(), ..alert.clone() }) == known {
                return Ok(false);
            }
            alert.update(w, id)?;
            unindex(w, id)?;
            (id, alert)
        }
        None => (alert.add(w)?, alert),
    };
    index(w, id, &alert)?;
    w.observe("alert");
    Ok(true)
}

fn unindex(w: &mut Write<'_>, id: i64) -> Result<()> {
    if w.engine() == Engine::Sqlite {
        w.run("DELETE FROM alerts_fts WHERE rowid = ?1", params![id])?;
    }
    Ok(())
}

fn index(w: &mut Write<'_>, id: i64, alert: &Alert) -> Result<()> {
    if w.engine() == Engine::Sqlite {
        w.run("INSERT INTO alerts_fts (rowid, search_text) VALUES (?1, ?2)", params![id, &alert.search_text])?;
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
        "alert.id, COALESCE(asset.hostname, alert.device_name), company.account_number, company.name, {ALERT}, {}",
        Alert::select()
    )
}

/// Reads a row selected as [`select`].
///
/// # Errors
/// `Internal` when a column holds another type.
pub fn view(row: &Row) -> Result<Veiled<AlertView>> {
    Ok(Veiled::new(AlertView {
        id: row.get(0)?,
        hostname: row.get(1)?,
        company_id: row.get(2)?,
        company_name: row.get(3)?,
        protection: Level::from_rank(row.get(4)?),
        row: Alert::from_row(row, 5)?,
    }))
}

/// How many alerts are open, and how many of them are critical or high; muted ones do not count.
pub fn open(c: &mut Conn) -> Result<(i64, i64)> {
    let sql = "SELECT count(*) FROM @alerts alert WHERE alert.resolved = ?1 AND alert.muted = ?1 AND alert.severity <= ?2";
    let of = &["alert", "asset"];
    Ok((c.kept_count(of, sql, params![false, 9])?, c.kept_count(of, sql, params![false, 1])?))
}
