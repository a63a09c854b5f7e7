//! Frozen months over HTTP.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value as Json, json};

use super::{
    freeze::{count, keep},
    month::Month,
    snapshot_store::{self as store, Snapshot, Wanted},
};
use crate::{
    auth::{BillingEditor, BillingReader},
    companies::store as companies,
    db::{Conn, Write},
    error::{Error, Result},
    types::decimal,
    web::{Fields, Path, Preconditions, ReadRequest, Reply, Web},
};

/// The most that a list tells at once.
const MOST: i64 = 1_000;

/// Where frozen months are, below the prefix.
pub const API: &str = "/api/billing/snapshots";

/// A frozen month without its content.
pub fn summary(snapshot: &Snapshot) -> Json {
    let Snapshot { id, label, frozen_by, total, sha256, account_number, company, .. } = snapshot;
    json!({
        "id": id, "kind": if label.adjusts.is_some() { "adjustment" } else { "snapshot" }, "month": label.month,
        "company": { "account_number": account_number, "name": company }, "number": label.number, "adjusts": label.adjusts,
        "is_partial": label.is_partial, "frozen_at": label.frozen_at, "frozen_by": frozen_by,
        "total": total.map(|cents| decimal::number(cents, 2)), "sha256": sha256, "csv": format!("{API}/{id}.csv"),
    })
}

/// `POST /api/billing/snapshots`: freezes a month of one company or of every client. Where it was frozen before and comes out
/// differently, that is an adjustment.
pub async fn create(
    State(web): State<Web>,
    editor: BillingEditor,
    conditions: Preconditions,
    mut fields: Fields,
) -> Result<Response> {
    let body = fields.digest();
    fields.set_creating(true);
    let month = fields.text("month").required().max(7).value();
    let company = fields.key("company").max(50).value();
    let force = fields.bool("force").value().unwrap_or(false);
    fields.finish()?;
    let month = Month::named("month", &month.unwrap_or_default())?;
    super::freeze::is_partial(&month, force)?;
    let config = Arc::clone(&web.config);
    let wanted = month.clone();
    let read = move |c: &mut Conn| {
        let company = company.map(|key| companies::id_of(c, &key)).transpose()?;
        count(c, &config, &wanted, company, force)
    };
    let counted = web.db.read(&editor.scope(), read).await?;
    let work = move |w: &mut Write<'_>| {
        let frozen = keep(w, counted)?;
        let skipped = frozen
            .skipped
            .iter()
            .map(|one| json!({ "company": { "account_number": one.account_number, "name": one.company }, "reason": one.reason }));
        let told = json!({
            "message": frozen.words(), "month": month.as_str(),
            "frozen": frozen.made.iter().map(summary).collect::<Vec<_>>(),
            "unchanged": frozen.unchanged.iter().map(summary).collect::<Vec<_>>(), "skipped": skipped.collect::<Vec<_>>(),
        });
        if frozen.made.is_empty() { Reply::ok(&told) } else { Reply::created(&told, format!("{API}?month={}", month.as_str())) }
    };
    conditions.run(&web, &editor.scope(), &editor.actor(), &body, work).await
}

/// `GET /api/billing/snapshots?month=&company=&limit=&offset=`: the newest month first.
pub async fn index(State(web): State<Web>, reader: BillingReader, request: ReadRequest) -> Result<Response> {
    let month = request.query.text("month")?.map(|text| Month::named("month", text)).transpose()?;
    let company = request.query.text("company")?.map(str::to_owned);
    let (limit, offset) = (request.query.count("limit")?.unwrap_or(MOST).min(MOST), request.query.count("offset")?.unwrap_or(0));
    let read = move |c: &mut Conn| {
        let company = company.map(|key| companies::id_of(c, &key)).transpose()?;
        let wanted = Wanted { month: month.map(|month| month.as_str().to_owned()), company, family: None };
        store::list(c, &wanted, limit, offset)
    };
    let (found, total) = web.db.read(&reader.scope(), read).await?;
    let mut response = request.value(&found.iter().map(summary).collect::<Vec<_>>())?;
    response.headers_mut().insert("x-total-count", total.into());
    Ok(response)
}

/// `GET /api/billing/snapshots/{id}`, and with `.csv` behind it the file.
pub async fn show(
    State(web): State<Web>,
    reader: BillingReader,
    Path(name): Path<String>,
    request: ReadRequest,
) -> Result<Response> {
    let not_found = || Error::NotFound { what: "Snapshot" };
    if let Some(name) = name.strip_suffix(".csv") {
        let id: i64 = name.parse().map_err(|_| not_found())?;
        let (snapshot, csv) = web.db.read(&reader.scope(), move |c| store::file(c, id)).await?;
        return file(&snapshot, csv);
    }
    let id: i64 = name.parse().map_err(|_| not_found())?;
    let read = move |c: &mut Conn| {
        let (snapshot, content) = store::get(c, id)?;
        let first = snapshot.label.adjusts.unwrap_or(snapshot.id);
        let (family, _) = store::list(c, &Wanted { family: Some(first), ..Wanted::default() }, MOST, 0)?;
        Ok((snapshot, content, family))
    };
    let (snapshot, content, family) = web.db.read(&reader.scope(), read).await?;
    let mut told = summary(&snapshot);
    if let (Json::Object(told), Json::Object(content)) = (&mut told, content.json()) {
        told.extend(content);
        let later = family.iter().filter(|one| one.label.number > snapshot.label.number);
        told.insert("adjusted_by".to_owned(), later.map(|one| one.id).collect::<Vec<_>>().into());
    }
    request.value(&told)
}

/// The file, byte for byte as it was frozen.
fn file(snapshot: &Snapshot, csv: String) -> Result<Response> {
    let account: String = snapshot.account_number.chars().filter(char::is_ascii_alphanumeric).collect();
    let name = format!("attachment; filename=\"{account}-{}-{}.csv\"", snapshot.label.month, snapshot.label.number);
    let value = |text: &str| HeaderValue::from_str(text).map_err(Error::internal);
    let mut response = csv.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(header::CONTENT_DISPOSITION, value(&name)?);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert("x-checksum-sha256", value(&snapshot.sha256)?);
    Ok(response)
}
