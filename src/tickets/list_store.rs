//! What the lists of tickets can be asked.

use std::collections::BTreeMap;

use super::{
    Statuses, Ticket, TicketView,
    codes::{self, ENDED, SOURCE, normalise, priority_code},
    statuses_store, store,
    views::ListedTicket,
};
use crate::{
    assets::store as assets,
    companies::store as companies,
    compliance::{Asking, Personal, Protected as _, RedactionPolicy, found_by_shown},
    db::{
        Conn, Value,
        list::{Column, Kind, ListQuery, ListSpec, Page, Search},
    },
    entity::Shaped as _,
    error::Result,
    history::ranks,
    list_columns, params,
    web::Query,
};

/// What the answers about tickets depend on.
pub const ENTITIES: &[&str] = &["ticket", "company", "contact", "psa_agent"];

/// Tickets, those that changed last first.
pub static LIST: ListSpec = ListSpec {
    entities: ENTITIES,
    select: store::select,
    from: store::FROM,
    key: "ticket.id",
    columns: list_columns![
        Ticket;
        // By its urgency, not by its word.
        Column::new("priority", "ticket.priority_id", Kind::Int),
        Column::text("agent_name", "agent.last_name"),
        Column::text("company_id", "company.account_number"),
        Column::text("company_account_number", "company.account_number"),
        Column::text("company_name", "company.name").folded("company.name_folded"),
        Column::new("total_hours_spent", "CAST(ticket.minutes_spent AS DOUBLE PRECISION) / 60", Kind::Real).required(),
    ],
    default_sort: "-last_updated_at",
    search: Some(Search { fts: "tickets_fts", text: "ticket.search_text", private: None }),
    retired: Some("ticket.retired_at"),
    own: &["company_id", "company_account_number", "status", "priority", "contact_id", "asset_id"],
    fields: ListedTicket::names,
};

/// What of tickets tells of people: of the company's, and of whoever asked.
static ASKING: Asking = Asking {
    rank: ranks::TICKET,
    columns: TicketView::TELLS,
    text: &[Personal::Subject, Personal::Name, Personal::Email, Personal::Text],
    always: &[("ticket.ticket_number", None)],
};

/// The filters that are more than a comparison with one column.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    /// A company's key.
    pub company: Option<String>,
    /// A status in any spelling, its code, or `active`.
    pub status: Option<String>,
    /// A priority or its code.
    pub priority: Option<String>,
    /// A vendor.
    pub provider: Option<String>,
    /// The contact who asked.
    pub contact: Option<i64>,
    /// An asset of whoever asked.
    pub asset: Option<i64>,
}

impl Filters {
    /// Reads them from a query string.
    ///
    /// # Errors
    /// When one of them cannot be read, naming it.
    pub fn read(query: &Query) -> Result<Self> {
        let text = |name: &str| query.text(name).map(|value| value.map(str::to_owned));
        Ok(Self {
            company: text("company_account_number")?.or(text("company_id")?),
            status: text("status")?,
            priority: text("priority")?,
            provider: None,
            contact: query.count("contact_id")?,
            asset: query.count("asset_id")?,
        })
    }

    /// A stable text of them, for cache keys.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{self:?}")
    }

    fn add(&self, conn: &mut Conn, mut query: ListQuery, statuses: &Statuses) -> Result<ListQuery> {
        if self.company.as_deref() == Some("none") {
            query = query.and("ticket.company_id IS NULL", Vec::new());
        } else if let Some(company) = &self.company {
            let Some(id) = companies::find_standing_id(conn, company)? else { return Ok(query.and("1 = 0", Vec::new())) };
            query = query.and("ticket.company_id = {}", vec![id.into()]);
        }
        if let Some(provider) = &self.provider {
            query = query.and("ticket.external_source = {}", vec![provider.to_lowercase().into()]);
        }
        if let Some(status) = &self.status {
            query = if normalise(status) == "active" {
                let words = ENDED.iter().map(|word| Value::from(*word)).collect();
                query.and(&format!("ticket.status NOT IN ({})", places(ENDED.len())), words)
            } else {
                match statuses.asked(status) {
                    (_, Some(code)) => query.and("ticket.status_id = {}", vec![code.into()]),
                    (words, None) => {
                        let condition = format!("ticket.status IN ({})", places(words.len()));
                        query.and(&condition, words.into_iter().map(Value::from).collect())
                    }
                }
            };
        }
        if let Some(priority) = &self.priority {
            query = match priority_code(priority) {
                Some(code) => query.and("ticket.priority_id = {}", vec![code.into()]),
                None => query.and("ticket.priority = {}", vec![normalise(priority).into()]),
            };
        }
        if let Some(contact) = self.contact {
            query = asked_by(conn, query, vec![contact])?;
        }
        if let Some(asset) = self.asset {
            let users = assets::contacts_of(conn, asset)?.iter().map(|user| user.inside().id).collect();
            query = asked_by(conn, query, users)?;
        }
        Ok(query)
    }

    /// Whether the question is about people.
    fn is_about_people(&self) -> bool {
        self.contact.is_some() || self.asset.is_some()
    }
}

/// Tickets that one of these contacts asked for.
fn asked_by(conn: &mut Conn, query: ListQuery, contacts: Vec<i64>) -> Result<ListQuery> {
    let requesters = store::requesters(conn, SOURCE, contacts)?;
    let theirs = format!("{} = {{}} AND ticket.requester_id IN ids({{}})", store::SOURCE_BESIDE);
    Ok(query.and(&theirs, vec![SOURCE.into(), requesters.into()]))
}

fn places(count: usize) -> String {
    vec!["{}"; count].join(", ")
}

/// Tickets as asked, as this caller may see them. `configured` is what the operator calls status codes.
pub fn list(
    conn: &mut Conn,
    query: &ListQuery,
    filters: &Filters,
    policy: &RedactionPolicy,
    configured: &BTreeMap<i64, String>,
) -> Result<Page<ListedTicket>> {
    let mut items = Vec::new();
    let total = each(conn, query, filters, policy, configured, |ticket| {
        items.push(ticket);
        Ok(())
    })?;
    Ok(Page { items, total })
}

/// The same one by one, with how many there are on all pages.
pub fn each(
    conn: &mut Conn,
    query: &ListQuery,
    filters: &Filters,
    policy: &RedactionPolicy,
    configured: &BTreeMap<i64, String>,
    mut take: impl FnMut(ListedTicket) -> Result<()>,
) -> Result<i64> {
    let statuses = statuses_store::load(conn, SOURCE, configured)?;
    let mut query = filters.add(conn, query.clone(), &statuses)?;
    if filters.is_about_people() {
        query = ASKING.filtered_by(query, Personal::Name, policy);
    }
    let query = found_by_shown::<Ticket>(conn, ASKING.allowed(query, policy), policy, &["ticket.subject"], |ticket| {
        ticket.subject = ticket.subject.take().map(|text| policy.screen(&text));
    })?;
    query.each(conn, |row| take(ListedTicket::new(store::view(row)?.redact(policy), &statuses)))
}

/// When the newest job that read tickets ended well.
pub fn last_sync(conn: &mut Conn) -> Result<Option<String>> {
    let sql = "SELECT max(job.completed_at) FROM sync_jobs job WHERE job.status = 'completed'
               AND (job.script LIKE 'tickets%' OR job.sync_type LIKE 'tickets%')";
    let at: Option<String> = conn.one(sql, params![])?.get(0)?;
    Ok(at.as_deref().and_then(codes::utc))
}
