//! Who read which protected records, in the database.

use serde::Serialize;

use crate::{
    db::{
        Conn, Row, Value, Write,
        list::{Column, Kind, ListQuery, ListSpec},
    },
    error::Result,
    params,
};

/// A reading to be stored.
#[derive(Clone, Debug)]
pub struct NewRow {
    pub at: String,
    /// `user` or `service`.
    pub caller_kind: &'static str,
    pub caller: String,
    /// The HTTP method.
    pub method: String,
    /// The route's pattern.
    pub route: String,
    /// The kind of record, or the secret.
    pub entity: &'static str,
    /// Which records.
    pub ids: Vec<i64>,
    /// How often, in this moment.
    pub times: i64,
}

/// A stored reading as administrators see it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Disclosure {
    /// Its number.
    pub id: i64,
    pub at: String,
    /// `user` or `service`.
    pub caller_kind: String,
    pub caller: String,
    /// The HTTP method.
    pub method: String,
    /// The route's pattern.
    pub route: String,
    /// `contact`, `company`, `asset`, `ticket`, `alert` or `change_request`; or the secret of an asset that was shown,
    /// `bitlocker_key` or `windows_key`.
    pub entity: String,
    /// Which records.
    pub record_ids: Vec<i64>,
    /// How many.
    pub record_count: i64,
    /// How often they were read, identically and in the same moment.
    pub times: i64,
}

/// Removes readings from before a moment, at most so many; how many went.
pub fn remove(c: &mut Conn, before: &str, limit: i64) -> Result<u64> {
    let sql = "DELETE FROM disclosures WHERE id IN (SELECT id FROM disclosures WHERE at < ?1 ORDER BY at, id LIMIT ?2)";
    c.run(sql, params![before, limit])
}

/// Stores readings.
pub fn add(w: &mut Write<'_>, rows: &[NewRow]) -> Result<()> {
    for row in rows {
        let list = row.ids.iter().map(|id| format!("{id},")).collect::<Vec<_>>().concat();
        w.run(
            "INSERT INTO disclosures (at, caller_kind, caller, method, route, entity, records, record_count, times)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                &row.at,
                row.caller_kind,
                &row.caller,
                &row.method,
                &row.route,
                row.entity,
                format!(",{list}"),
                i64::try_from(row.ids.len()).unwrap_or(i64::MAX),
                row.times
            ],
        )?;
    }
    w.touch("disclosure");
    Ok(())
}

/// What can be asked about readings, the newest first.
pub static DISCLOSURES: ListSpec = ListSpec {
    entities: &["disclosure"],
    select,
    from: "disclosures disclosure",
    key: "disclosure.id",
    columns: &[
        Column::new("id", "disclosure.id", Kind::Int).required(),
        Column::new("at", "disclosure.at", Kind::Time).required(),
        Column::text("caller_kind", "disclosure.caller_kind").required(),
        Column::text("caller", "disclosure.caller").required(),
        Column::text("method", "disclosure.method").required(),
        Column::text("route", "disclosure.route").required(),
        Column::text("entity", "disclosure.entity").required(),
        Column::new("record_count", "disclosure.record_count", Kind::Int).required(),
        Column::new("times", "disclosure.times", Kind::Int).required(),
    ],
    default_sort: "-id",
    search: None,
    retired: None,
    own: &["record"],
    fields: || &["id", "at", "caller_kind", "caller", "method", "route", "entity", "record_ids", "record_count", "times"],
};

fn select() -> String {
    "disclosure.id, disclosure.at, disclosure.caller_kind, disclosure.caller, disclosure.method, disclosure.route,
     disclosure.entity, disclosure.records, disclosure.record_count, disclosure.times"
        .to_owned()
}

fn disclosure(row: &Row) -> Result<Disclosure> {
    let records: String = row.get(7)?;
    Ok(Disclosure {
        id: row.get(0)?,
        at: row.get(1)?,
        caller_kind: row.get(2)?,
        caller: row.get(3)?,
        method: row.get(4)?,
        route: row.get(5)?,
        entity: row.get(6)?,
        record_ids: records.split(',').filter_map(|id| id.parse().ok()).collect(),
        record_count: row.get(8)?,
        times: row.get(9)?,
    })
}

/// How often somebody has read protected records on a day.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Count {
    /// The day, in UTC.
    pub day: String,
    /// `user` or `service`.
    pub caller_kind: String,
    pub caller: String,
    /// How many readings.
    pub readings: i64,
    /// How many records they showed, each as often as it was read.
    pub records: i64,
}

/// How often each caller has read protected records on each day from this one on, the newest day and who read most first.
pub fn counts(c: &mut Conn, since: &str) -> Result<Vec<Count>> {
    let sql = "SELECT substr(disclosure.at, 1, 10), disclosure.caller_kind, disclosure.caller,
                      CAST(sum(disclosure.times) AS BIGINT) AS readings,
                      CAST(sum(disclosure.record_count * disclosure.times) AS BIGINT) AS records
               FROM disclosures disclosure WHERE disclosure.at >= ?1
               GROUP BY substr(disclosure.at, 1, 10), disclosure.caller_kind, disclosure.caller
               ORDER BY 1 DESC, 4 DESC, 3";
    c.map(sql, params![since], |row| {
        Ok(Count { day: row.get(0)?, caller_kind: row.get(1)?, caller: row.get(2)?, readings: row.get(3)?, records: row.get(4)? })
    })
}

/// Readings as asked, one by one; of one record when `record` names it. Says how many there are on all pages.
pub fn each(c: &mut Conn, query: &ListQuery, record: Option<i64>, mut take: impl FnMut(Disclosure) -> Result<()>) -> Result<i64> {
    let query = match record {
        None => query.clone(),
        Some(id) => query.clone().and("disclosure.records LIKE {}", vec![Value::Text(format!("%,{id},%"))]),
    };
    query.each(c, |row| take(disclosure(row)?))
}
