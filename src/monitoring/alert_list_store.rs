//! What the list of alerts can be asked.

use super::{
    alert::{Alert, AlertView, PRIORITIES, priority},
    alert_store,
};
use crate::{
    companies::store as companies,
    compliance::{Asking, Personal, Protected as _, RedactionPolicy, without_hidden},
    db::{
        Conn, Value,
        list::{Column, Kind, ListQuery, ListSpec, Page, Search},
    },
    entity::Shaped as _,
    error::{Error, Result},
    history::ranks,
    list_columns,
    web::Query,
};

/// Alerts, open ones first, the newest first.
pub static ALERTS: ListSpec = ListSpec {
    entities: &["alert", "asset", "company", "contact"],
    select: alert_store::select,
    from: alert_store::FROM,
    key: "alert.id",
    columns: list_columns![
        Alert;
        Column::new("id", "alert.id", Kind::Int).required(),
        // By its urgency, not by its word.
        Column::new("priority", "alert.severity", Kind::Int).required(),
        Column::text("hostname", "asset.hostname").folded("asset.hostname_folded"),
        Column::text("company_id", "company.account_number"),
        Column::text("company_account_number", "company.account_number"),
        Column::text("company_name", "company.name").folded("company.name_folded"),
    ],
    default_sort: "resolved,-timestamp,-id",
    search: Some(Search { fts: "alerts_fts", text: "alert.search_text", private: None }),
    retired: None,
    own: &["company_id", "company_account_number", "priority", "priority__in"],
    fields: AlertView::names,
};

/// The filters that are more than a comparison with one column.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    company: Option<String>,
    priorities: Option<Vec<i64>>,
}

impl Wanted {
    /// Reads them from a query string.
    ///
    /// # Errors
    /// When one of them cannot be read, naming it.
    pub fn read(query: &Query) -> Result<Self> {
        let text = |name: &str| query.text(name).map(|value| value.map(str::to_owned));
        let priorities = text("priority")?.or(text("priority__in")?).map(|words| severities(&words)).transpose()?;
        Ok(Self { company: text("company_account_number")?.or(text("company_id")?), priorities })
    }

    /// A stable text of them, for cache keys.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{self:?}")
    }
}

fn severities(words: &str) -> Result<Vec<i64>> {
    words
        .split(',')
        .filter(|word| !word.trim().is_empty())
        .map(|word| match priority(word) {
            ("Unknown", _) if !word.trim().eq_ignore_ascii_case("unknown") => {
                Err(Error::field("priority", format!("must be one of {}", PRIORITIES.join(", "))))
            }
            (_, severity) => Ok(severity),
        })
        .collect()
}

/// What of alerts tells of people.
static ASKING: Asking = Asking {
    rank: ranks::ALERT,
    columns: AlertView::TELLS,
    text: &[Personal::Private],
    always: &[("asset.hostname_folded", None)],
};

/// Alerts as asked, as this caller may see them.
pub fn list(conn: &mut Conn, query: &ListQuery, wanted: &Wanted, policy: &RedactionPolicy) -> Result<Page<AlertView>> {
    let mut items = Vec::new();
    let total = each(conn, query, wanted, policy, |alert| {
        items.push(alert);
        Ok(())
    })?;
    Ok(Page { items, total })
}

/// The same one by one, with how many there are on all pages.
pub fn each(
    conn: &mut Conn,
    query: &ListQuery,
    wanted: &Wanted,
    policy: &RedactionPolicy,
    mut take: impl FnMut(AlertView) -> Result<()>,
) -> Result<i64> {
    let mut query = query.clone();
    if let Some(company) = &wanted.company {
        query = match companies::find_standing_id(conn, company)? {
            Some(id) => query.and("company.id = {}", vec![id.into()]),
            None => query.and("1 = 0", Vec::new()),
        };
    }
    if let Some(severities) = &wanted.priorities {
        query = query.and("alert.severity IN ids({})", vec![Value::Ids(severities.clone())]);
    }
    by_shown(conn, ASKING.allowed(query, policy), policy)?.each(conn, |row| take(alert_store::view(row)?.redact(policy)))
}

/// The columns of which something may be struck.
const STRUCK: &[&str] = &["alert.message", "alert.resolved_by"];

/// The question without the alerts that its search finds by what is struck from their texts.
fn by_shown(c: &mut Conn, query: ListQuery, policy: &RedactionPolicy) -> Result<ListQuery> {
    without_hidden(c, query, policy, STRUCK, |c, some, wanted| {
        let mut found = Vec::new();
        some.each(c, |row| {
            let shown = alert_store::view(row)?.redact(policy);
            // A search key is made of what is shown.
            let (id, key) = (shown.id, shown.row.complete().search_text);
            found.extend(wanted.is_in(&key).then_some(id));
            Ok(())
        })?;
        Ok(found)
    })
}
