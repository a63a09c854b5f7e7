//! Planned changes in the database.

use super::{ChangeRequest, change::ChangeView};
use crate::{
    compliance::{Asking, Level, Personal, Protected as _, RedactionPolicy, Veiled, found_by_shown},
    db::{
        Conn, Row, Write,
        list::{Column, ListQuery, ListSpec, Search},
    },
    entity::Shaped as _,
    error::{Error, Result},
    history::{self, Record, ranks},
    list_columns, params,
};

const FROM: &str = "@change_requests change_request LEFT JOIN @companies company ON company.id = change_request.company_id";

fn select() -> String {
    format!("{}, company.account_number, company.name, {}", ChangeRequest::SELECT, ranks::CHANGE_REQUEST)
}

fn view(row: &Row) -> Result<Veiled<ChangeView>> {
    let at = ChangeRequest::width();
    let protection = Level::from_rank(row.get(at + 2)?);
    Ok(Veiled::new(ChangeView::new(ChangeRequest::from_row(row, 0)?, row.get(at)?, row.get(at + 1)?, protection)?))
}

/// What of planned changes tells of people.
static ASKING: Asking =
    Asking { rank: ranks::CHANGE_REQUEST, columns: ChangeView::TELLS, text: &[Personal::Subject], always: &[] };

/// Planned changes, the newest first.
pub static LIST: ListSpec = ListSpec {
    entities: &["change_request", "company", "contact", "psa_agent"],
    select,
    from: FROM,
    key: "change_request.id",
    columns: list_columns![
        ChangeRequest;
        Column::text("company_id", "company.account_number"),
        Column::text("company_name", "company.name").folded("company.name_folded"),
    ],
    default_sort: "-last_updated_at",
    search: Some(Search { fts: "change_requests_fts", text: "change_request.search_text", private: None }),
    retired: Some("change_request.retired_at"),
    own: &[],
    fields: ChangeView::names,
};

/// Planned changes as asked, as this caller may see them.
pub fn each(
    c: &mut Conn,
    query: &ListQuery,
    policy: &RedactionPolicy,
    mut take: impl FnMut(ChangeView) -> Result<()>,
) -> Result<i64> {
    let query = found_by_shown::<ChangeRequest>(
        c,
        ASKING.allowed(query.clone(), policy),
        policy,
        &["change_request.subject"],
        |change| {
            change.subject = change.subject.take().map(|text| policy.screen(&text));
        },
    )?;
    query.each(c, |row| take(view(row)?.redact(policy)))
}

/// One planned change by the vendor's number.
///
/// # Errors
/// `NotFound`.
pub fn get_view(c: &mut Conn, external_id: i64) -> Result<Veiled<ChangeView>> {
    let sql = format!("SELECT {} FROM {FROM} WHERE change_request.external_id = ?1 ORDER BY change_request.id", select());
    c.first(&sql, params![external_id])?.map(|row| view(&row)).transpose()?.ok_or(Error::NotFound { what: ChangeRequest::WHAT })
}

/// The stored changes with these numbers at one vendor, retired ones too.
pub fn by_external_ids(c: &mut Conn, source: &str, external_ids: Vec<i64>) -> Result<Vec<ChangeRequest>> {
    let sql = format!(
        "SELECT {} FROM @change_requests change_request WHERE change_request.external_source = ?1 AND change_request.external_id IN ids(?2)
         ORDER BY change_request.id",
        ChangeRequest::SELECT
    );
    c.all(&sql, params![source, external_ids])?.iter().map(|row| ChangeRequest::from_row(row, 0)).collect()
}

/// Stores a planned change as the vendor tells it; says what it was: new, changed, or the same. One that
/// had been retired comes back.
pub fn upsert(w: &mut Write<'_>, told: &ChangeRequest, reason: Option<&str>) -> Result<(ChangeRequest, bool)> {
    let known = by_external_ids(w, &told.external_source, vec![told.external_id])?.pop();
    let Some(known) = known else { return Ok((history::create(w, told, reason)?, true)) };
    let mut moved = false;
    if known.retired_at.is_some() {
        history::restore::<ChangeRequest>(w, known.id, reason)?;
        moved = true;
    }
    let updated = history::update(w, known.id, None, reason, |change: &mut ChangeRequest| {
        *change = told.clone();
        Ok(())
    })?;
    Ok((updated.record, moved || !updated.changed.is_empty()))
}
