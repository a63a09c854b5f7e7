//! The list of tickets.

use std::sync::LazyLock;

use axum::{extract::State, response::Response};

use crate::{
    agents::{PageContext, psa_agents},
    assets::Asset,
    companies::{pages::address, pages_store},
    compliance::RedactionPolicy,
    contacts,
    db::Conn,
    error::{Error, Result},
    history,
    resource::columns::Columns,
    tickets::{
        codes::{SOURCE, priority_word},
        list_store::{self, Filters},
        service_desk::service_desk,
        statuses_store,
        views::ListedTicket,
    },
    ui::{Choice, ListPage, Listing, Page, Row, Section, Shape, Value, listing::ROOMY, words},
    web::Web,
};

static COLUMNS: LazyLock<Columns<ListedTicket>> = LazyLock::new(|| {
    Columns::new("subject", "Subject", |ticket: &ListedTicket| Value::words(ticket.title()))
        .usual("status", "Status", "cell--end", |_, ticket| status(&ticket.view.row.status, &ticket.status_text))
        .usual("ticket_number", "Number", "", |_, ticket| Value::code(Some(&ticket.view.row.ticket_number)))
        .usual("priority", "Priority", "cell--sub", |_, ticket| priority(ticket.view.row.priority.as_deref()))
        .usual("company_name", "Company", "cell--sub cell--cut", company)
        .usual("requester_name", "Requester", "cell--cut", |_, ticket| {
            Value::text(ticket.view.requester_name().or(ticket.view.requester_email()))
        })
        .usual("agent_name", "Agent", "cell--cut", |_, ticket| Value::text(ticket.view.agent_name.as_deref()))
        .other("type", "Type", "", |_, ticket| Value::words(ticket.view.kind()))
        .other("created_at", "Opened", "", |_, ticket| Value::date(ticket.view.row.vendor_created_at.as_deref()))
        .other("due_by", "Due", "", |_, ticket| Value::ago(ticket.view.row.due_by.as_deref()))
        .other("closed_at", "Closed", "", |_, ticket| Value::date(ticket.view.row.closed_at.as_deref()))
        .other("total_hours_spent", "Hours", "cell--number", |_, ticket| Value::Count(hours(ticket.view.row.hours())))
        .usual("last_updated_at", "Updated", "", |_, ticket| Value::ago(Some(&ticket.view.row.last_updated_at)))
});

static SHAPE: Shape = Shape {
    spec: &list_store::LIST,
    path: "/tickets/",
    api: "/api/tickets",
    bulk: None,
    yields: &[("agent_name", ROOMY)],
    columns: || COLUMNS.shown(),
    placeholder: "Search number, subject, requester",
    noun: "tickets",
    when_empty: "A sync of tickets brings them in.",
};

/// The most companies that are offered as a choice: each takes its place in the page.
const OFFERED: usize = 100;

/// `GET /tickets/`
pub async fn index(State(web): State<Web>, context: PageContext) -> Result<Response> {
    let listing = Listing::new(&SHAPE, &context.page, &context.query);
    let query = listing.ask()?;
    let asked = Filters::read(&context.query)?;
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let configured = web.config.freshservice.statuses.clone();
    let (found, statuses, agents, companies, people) = web
        .db
        .read(&context.scope(), move |c| {
            let found = list_store::list(c, &query, &asked, &policy, &configured)?;
            let statuses = statuses_store::load(c, SOURCE, &configured)?;
            let statuses = statuses.offered(&crate::tickets::store::status_words(c)?);
            let people = people(c, &asked, &policy)?;
            Ok((found, statuses, psa_agents(c, Some(SOURCE))?, companies(c, asked.company.as_deref())?, people))
        })
        .await?;
    let mut states = vec![Choice::new("active", "Open work")];
    states.extend(statuses.into_iter().map(|(word, label)| Choice::new(word, label)));
    let priorities = (1..=4).rev().filter_map(priority_word).map(|word| Choice::new(word, words(word)));
    let agents = agents.iter().filter(|agent| agent.active).map(|agent| Choice::new(agent.external_id.clone(), agent.name()));
    let mut filters = vec![
        listing.filter("status", "Status", states),
        listing.filter("priority", "Priority", priorities.collect()),
        listing.filter("responder_id", "Agent", agents.collect()),
        listing.filter("company_id", "Company", companies),
    ];
    filters.extend(people.into_iter().map(|(name, label, choice)| listing.filter(name, label, vec![choice])));
    let action = if context.page.may_write() { service_desk()?.new_page(&web).await? } else { None };
    let action = action.map(|href| (href, "New ticket"));
    let rows = found.items.into_iter().map(|ticket| row(&context.page, &ticket));
    let list = listing.list(filters, rows.collect(), found.total);
    context.show(&ListPage { page: context.titled(Section::Tickets, "Tickets"), action, list, import: None, tabs: Vec::new() })
}

/// The companies to choose from, where they are few enough for a choice: else the one that is asked for.
fn companies(c: &mut Conn, asked: Option<&str>) -> Result<Vec<Choice>> {
    let mut all = pages_store::company_choices(c)?;
    if all.len() > OFFERED {
        all.retain(|choice| asked == Some(choice.value.as_str()));
    }
    Ok(all)
}

/// Whose tickets are asked for, by what they are called.
fn people(c: &mut Conn, asked: &Filters, policy: &RedactionPolicy) -> Result<Vec<(&'static str, &'static str, Choice)>> {
    let mut filters = Vec::new();
    if let Some(id) = asked.contact {
        let contact = found(contacts::store::get_view(c, id))?.map(|contact| contact.redact(policy).row.name);
        filters.push(("contact_id", "Requester", Choice::new(id.to_string(), contact.unwrap_or_else(|| id.to_string()))));
    }
    if let Some(id) = asked.asset {
        let asset = history::find::<Asset>(c, id)?.map(|asset| asset.hostname);
        filters.push(("asset_id", "Device", Choice::new(id.to_string(), asset.unwrap_or_else(|| id.to_string()))));
    }
    Ok(filters)
}

/// Nothing instead of the error that there is none.
fn found<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Err(Error::NotFound { .. }) => Ok(None),
        other => other.map(Some),
    }
}

fn row(page: &Page, ticket: &ListedTicket) -> Row {
    let row = &ticket.view.row;
    Row {
        id: row.external_id,
        href: page.url(&format!("/tickets/{}", row.external_id)),
        name: ticket.title(),
        retired: row.retired_at.is_some(),
        cells: COLUMNS.cells(page, ticket),
    }
}

/// The company of a ticket.
pub fn company(page: &Page, ticket: &ListedTicket) -> Value {
    match (&ticket.view.company_id, &ticket.view.company_name) {
        (Some(number), Some(name)) => Value::link(address(page, number), name.clone()),
        _ => Value::None,
    }
}

/// A status by its name, coloured by what it means.
pub fn status(word: &str, name: &str) -> Value {
    let kind = match word {
        "open" | "customer_replied" | "update_needed" => "warning",
        "resolved" | "closed" | "job_complete_bill" | "billing_complete" => "success",
        "pending" | "scheduled" | "under_investigation" => "info",
        _ => "",
    };
    Value::badge(kind, name)
}

/// A priority; the usual ones are plain words.
pub fn priority(word: Option<&str>) -> Value {
    match word {
        None => Value::None,
        Some("urgent") => Value::badge("danger", "Urgent"),
        Some("high") => Value::badge("warning", "High"),
        Some(other) => Value::words(words(other)),
    }
}

/// Hours as people read them.
pub fn hours(hours: f64) -> String {
    format!("{hours:.2}")
}
