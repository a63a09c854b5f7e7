//! The tickets of a company, of a contact, and of those who use an asset, on their pages.

use super::pages::list::{priority, status};
use crate::{
    assets::{self, Asset},
    companies::Company,
    compliance::Veiled,
    contacts::Contact,
    db::{
        Conn,
        list::{ListQuery, Slice},
    },
    error::Result,
    history::Record as _,
    resource::panel::{Content, Looker, Panel, Panels, Tab, Whose},
    tickets::{TicketView, codes::SOURCE, list_store, statuses_store, store, views::ListedTicket},
    ui::{Line, Page, Table, Value},
};

/// How many tickets the page shows; the list has the rest.
const SHOWN: i64 = 10;

/// The headings of tickets in a table of few columns.
const HEADS: [(&str, &str); 5] =
    [("Subject", "cell--main"), ("Status", "cell--end"), ("Priority", ""), ("Requester", "cell--sub cell--cut"), ("Updated", "")];

/// This room's panels.
pub struct OfTickets;

impl Panels for OfTickets {
    fn of(&self, c: &mut Conn, looker: &Looker<'_>, whose: Whose<'_>) -> Result<Vec<Panel>> {
        match (whose.entity, whose.account_number) {
            (Company::ENTITY, Some(number)) => {
                let found = store::newest_of_company(c, whose.id, SHOWN)?;
                let all = serde_urlencoded::to_string([("company_id", number)]).unwrap_or_default();
                panel(c, looker, "Tickets", found, all)
            }
            (Contact::ENTITY, _) => of_people(c, looker, "Tickets", vec![whose.id], format!("contact_id={}", whose.id)),
            (Asset::ENTITY, _) => {
                let users = assets::store::contacts_of(c, whose.id)?.iter().map(|user| user.inside().id).collect();
                of_people(c, looker, "Tickets of its users", users, format!("asset_id={}", whose.id))
            }
            _ => Ok(Vec::new()),
        }
    }
}

/// The open tickets that changed last, of everybody whom the reader may see.
///
/// # Errors
/// When they cannot be read.
pub fn newest_open(c: &mut Conn, looker: &Looker<'_>) -> Result<Table> {
    let query = ListQuery::everything(&list_store::LIST)?.with_slice(Some(Slice { limit: SHOWN, offset: 0 }));
    let open = list_store::Filters { status: Some("active".to_owned()), ..list_store::Filters::default() };
    let found = list_store::list(c, &query, &open, looker.policy, &looker.config.freshservice.statuses)?;
    let lines = found.items.iter().map(|ticket| line(looker.page, ticket)).collect();
    let more = || (looker.page.url("/tickets/?status=active"), format!("All {} open tickets", found.total));
    Ok(Table {
        label: "Open tickets",
        heads: HEADS.to_vec(),
        lines,
        empty: "No open tickets.",
        more: (found.total > SHOWN).then(more),
    })
}

/// What these contacts asked for; `all` asks the list for the rest.
fn of_people(c: &mut Conn, looker: &Looker<'_>, title: &str, people: Vec<i64>, all: String) -> Result<Vec<Panel>> {
    let requesters = store::requesters(c, SOURCE, people)?;
    let found = store::newest_of_requesters(c, SOURCE, requesters, SHOWN)?;
    panel(c, looker, title, found, all)
}

/// Those that changed last, and how many there are; `all` asks the list for the rest.
fn panel(
    c: &mut Conn,
    looker: &Looker<'_>,
    title: &str,
    (newest, count): (Vec<Veiled<TicketView>>, i64),
    all: String,
) -> Result<Vec<Panel>> {
    let statuses = statuses_store::load(c, SOURCE, &looker.config.freshservice.statuses)?;
    let lines = newest.into_iter().map(|row| line(looker.page, &ListedTicket::new(row.redact(looker.policy), &statuses)));
    let table = Table {
        label: "Tickets",
        heads: HEADS.to_vec(),
        lines: lines.collect(),
        empty: "No tickets yet.",
        more: (count > SHOWN).then(|| (looker.page.url(&format!("/tickets/?{all}")), format!("All {count} tickets"))),
    };
    Ok(vec![Panel { count: Some(count), ..Panel::new(Tab::Tickets, "tickets", title, Content::Rows(table)) }])
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
