//! Who may see what of protected people, and who read which of their records, for administrators.

use axum::{extract::State, response::Response};
use serde::Serialize;

use super::{Clearance, Level, POLICY};
use crate::{
    auth::{Admin, Person},
    config::Config,
    db::list::{ListQuery, Slice},
    error::{Error, Result},
    types::Scope,
    web::{
        Query, ReadRequest, Routes, Web,
        disclosures_store::{self as store, Count, Disclosure},
        list,
        openapi::schema as json,
    },
};

/// How many readings one answer has when nobody says how many.
const USUAL: i64 = 100;
/// From how many days ago on readings are counted when nobody says from when.
const DAYS: i64 = 30;

/// The routes of this room.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/compliance/policy", policy)
        .tells(
            "Tell what of protected people's data is shown, masked or withheld, by field, level and caller",
            json::one::<Policy>,
        )
        .get("/api/disclosures", index)
        .tells("List who has read protected data", json::list::<Disclosure>)
        .get("/api/disclosures/counts", counts)
        .tells("Count how often each caller has read protected data, by day", json::list::<Count>)
        .asks(&[("since", "string", "The first day, as 2026-01-31; otherwise thirty days ago.")])
}

/// The policy as programs read it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Policy {
    /// Every kind of field at every level for every kind of caller.
    pub cells: Vec<Cell>,
    /// Who the callers are.
    pub callers: Vec<CallerKind>,
    /// The services that are cleared.
    pub cleared_services: Vec<String>,
}

/// One decision of the policy.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Cell {
    /// The kind of field.
    pub field: &'static str,
    /// `standard`, `hipaa` or `cjis`.
    pub level: &'static str,
    /// The kind of caller.
    pub caller: &'static str,
    /// `shown`, `masked` or `withheld`.
    pub treatment: &'static str,
}

/// A kind of caller.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CallerKind {
    /// The word for it.
    pub caller: &'static str,
    /// Who they are.
    pub description: &'static str,
}

impl Policy {
    fn new(config: &Config) -> Self {
        let mut cells = Vec::new();
        for line in &POLICY {
            for level in [Level::Standard, Level::Hipaa, Level::Cjis] {
                cells.extend(Clearance::ALL.iter().zip(line.at(level)).map(|(caller, treatment)| Cell {
                    field: line.field.as_str(),
                    level: level.as_str(),
                    caller: caller.as_str(),
                    treatment: treatment.as_str(),
                }));
            }
        }
        let callers = Clearance::ALL.map(|caller| CallerKind { caller: caller.as_str(), description: caller.tells() });
        Self { cells, callers: callers.into(), cleared_services: config.compliance.cleared_services.clone() }
    }
}

/// `GET /api/compliance/policy`
async fn policy(State(web): State<Web>, _: Admin, _: Person, request: ReadRequest) -> Result<Response> {
    request.value(&Policy::new(&web.config))
}

/// `GET /api/disclosures?caller=&entity=&record=&at__gte=`: the newest readings first. For people: who may clear a
/// service does not ask one.
async fn index(State(web): State<Web>, _: Admin, _: Person, request: ReadRequest) -> Result<Response> {
    let query = usual(request.list(&store::DISCLOSURES)?);
    let record = record(&request.query)?;
    web.disclosures.flush().await;
    let variant = format!("{record:?}");
    list::respond(&web, &Scope::All, &variant, &request, query, move |c, query, rows| {
        store::each(c, query, record, |disclosure| rows.push(&disclosure))
    })
    .await
}

/// `GET /api/disclosures/counts?since=`: the newest day first.
async fn counts(State(web): State<Web>, _: Admin, _: Person, request: ReadRequest) -> Result<Response> {
    let since = since(&request.query)?;
    web.disclosures.flush().await;
    let variant = since.clone();
    list::value(&web, &Scope::All, &variant, &request, &["disclosure"], move |c| store::counts(c, &since)).await
}

/// A part of the list, also when nobody asks for one.
#[must_use]
pub fn usual(query: ListQuery) -> ListQuery {
    let slice = query.slice().unwrap_or(Slice { limit: USUAL, offset: 0 });
    query.with_slice(Some(slice))
}

/// The record whose readings are asked for.
///
/// # Errors
/// `Invalid` when it is no number.
pub fn record(query: &Query) -> Result<Option<i64>> {
    let record = query.text("record")?.filter(|text| !text.is_empty()).map(str::parse::<i64>);
    record.transpose().map_err(|_| Error::field("record", "must be a record's id"))
}

/// The day from which readings are counted.
///
/// # Errors
/// `Invalid` when it is no day.
pub fn since(query: &Query) -> Result<String> {
    let wrong = || Error::field("since", "must be a day, as 2026-01-31");
    match query.text("since")?.filter(|text| !text.is_empty()) {
        Some(text) if text.len() == 10 => text.parse::<jiff::civil::Date>().map(|day| day.to_string()).map_err(|_| wrong()),
        Some(_) => Err(wrong()),
        None => {
            let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
            Ok(today.saturating_sub(jiff::Span::new().days(DAYS)).to_string())
        }
    }
}
