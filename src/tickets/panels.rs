//! The tickets on a company's page.

use std::collections::BTreeMap;

use super::pages::list::{priority, status};
use crate::{
    companies::Company,
    compliance::RedactionPolicy,
    db::Conn,
    error::Result,
    history::Record as _,
    resource::panel::{Content, Looker, Panel, Panels, Whose},
    tickets::{codes::SOURCE, statuses_store, store, views::ListedTicket},
    ui::{Line, Page, Table, Value},
};

/// How many tickets the page shows; the list has the rest.
const SHOWN: i64 = 10;

/// The tickets that changed last, and how many there are.
#[derive(Debug)]
struct Newest {
    tickets: Vec<ListedTicket>,
    /// How many the company has.
    count: i64,
}

/// The panel.
pub struct OfTickets;

impl Panels for OfTickets {
    fn of(&self, c: &mut Conn, looker: &Looker<'_>, whose: Whose<'_>) -> Result<Vec<Panel>> {
        let Some(number) = whose.account_number.filter(|_| whose.entity == Company::ENTITY) else { return Ok(Vec::new()) };
        let newest = Newest::read(c, whose.id, looker.policy, &looker.config.freshservice.statuses)?;
        let panel = Panel::new("tickets", "Tickets", Content::Rows(newest.table(looker.page, number)));
        Ok(vec![Panel { count: Some(newest.count), ..panel }])
    }
}

impl Newest {
    /// Reads them, as a caller may see them; `configured` is what the operator calls status codes.
    fn read(c: &mut Conn, company: i64, policy: &RedactionPolicy, configured: &BTreeMap<i64, String>) -> Result<Self> {
        let statuses = statuses_store::load(c, SOURCE, configured)?;
        let (rows, count) = store::newest_of_company(c, company, SHOWN)?;
        let tickets = rows.into_iter().map(|row| ListedTicket::new(row.redact(policy), &statuses)).collect();
        Ok(Self { tickets, count })
    }

    /// The table; `key` is the company's.
    fn table(&self, page: &Page, key: &str) -> Table {
        let query = serde_urlencoded::to_string([("company_id", key)]).unwrap_or_default();
        let all = (page.url(&format!("/tickets/?{query}")), format!("All {} tickets", self.count));
        Table {
            label: "Tickets",
            heads: vec![
                ("Subject", "cell--main"),
                ("Status", "cell--end"),
                ("Priority", ""),
                ("Requester", "cell--sub cell--cut"),
                ("Updated", ""),
            ],
            lines: self.tickets.iter().map(|ticket| line(page, ticket)).collect(),
            empty: "No ticket belongs to this company yet.",
            more: (self.count > SHOWN).then_some(all),
        }
    }
}

fn line(page: &Page, ticket: &ListedTicket) -> Line {
    let row = &ticket.view.row;
    let cells = vec![
        Value::link(page.url(&format!("/tickets/{}", row.external_id)), ticket.title()),
        status(&row.status, &ticket.status_text),
        priority(row.priority.as_deref()),
        Value::text(ticket.view.requester_name()),
        Value::ago(Some(&row.last_updated_at)),
    ];
    Line { cells, post: None }
}
