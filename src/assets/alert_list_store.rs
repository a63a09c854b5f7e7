//! What the list of alerts can be asked.

use super::{
    alert::{AlertView, PRIORITIES, priority},
    alert_store,
};
use crate::{
    companies::store as companies,
    compliance::{Asking, Personal, Protected as _, RedactionPolicy},
    db::{
        Conn, Value,
        list::{Column, Kind, ListQuery, ListSpec, Page, Search},
    },
    error::{Error, Result},
    history::ranks,
    web::Query,
};

/// Alerts, open ones first, the newest first.
pub static ALERTS: ListSpec = ListSpec {
    entities: &["alert", "asset", "company", "contact"],
    select: alert_store::select,
    from: alert_store::FROM,
    key: "alert.id",
    columns: &[
        Column::new("id", "alert.id", Kind::Int).required(),
        Column::text("alert_uid", "alert.alert_uid").required(),
        Column::text("message", "alert.message").folded("alert.message_folded").required(),
        Column::new("priority", "alert.severity", Kind::Int).required(),
        Column::text("kind", "alert.kind").required(),
        Column::new("timestamp", "alert.raised_at", Kind::Time),
        Column::new("resolved", "alert.resolved", Kind::Bool).required(),
        Column::new("resolved_at", "alert.resolved_at", Kind::Time),
        Column::text("resolved_by", "alert.resolved_by"),
        Column::new("gone", "alert.gone", Kind::Bool).required(),
        Column::new("muted", "alert.muted", Kind::Bool).required(),
        Column::text("ticket_number", "alert.ticket_number"),
        Column::new("asset_id", "alert.asset_id", Kind::Int),
        Column::text("hostname", "asset.hostname").folded("asset.hostname_folded"),
        Column::text("company_id", "company.account_number"),
        Column::text("company_account_number", "company.account_number"),
        Column::text("company_name", "company.name").folded("company.name_folded"),
        Column::text("device_uid", "alert.device_uid"),
        Column::text("site_uid", "alert.site_uid"),
        Column::text("site_name", "alert.site_name"),
        Column::new("updated_at", "alert.updated_at", Kind::Time).required(),
    ],
    default_sort: "resolved,-timestamp,-id",
    search: Some(Search { fts: "alerts_fts", text: "alert.search_text", private: None }),
    retired: None,
    own: &["company_id", "company_account_number", "priority", "priority__in"],
    fields: || {
        &[
            "id",
            "alert_uid",
            "priority",
            "message",
            "kind",
            "timestamp",
            "resolved",
            "resolved_at",
            "resolved_by",
            "gone",
            "muted",
            "ticket_number",
            "asset_id",
            "hostname",
            "company_id",
            "company_account_number",
            "company_name",
            "device_uid",
            "site_uid",
            "site_name",
            "diagnostics",
            "context",
            "monitor",
            "actions",
            "autoresolve_mins",
            "data_source",
            "first_seen_at",
            "updated_at",
        ]
    },
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
        query = match companies::find_id(conn, company)? {
            Some(id) => query.and("company.id = {}", vec![id.into()]),
            None => query.and("1 = 0", Vec::new()),
        };
    }
    if let Some(severities) = &wanted.priorities {
        query = query.and("alert.severity IN ids({})", vec![Value::Ids(severities.clone())]);
    }
    ASKING.allowed(query, policy).each(conn, |row| take(alert_store::view(row)?.redact(policy)))
}
