//! A ticket with what was said and done.

use askama::Template;
use axum::{extract::State, response::Response};

use super::{
    mention,
    tickets::{company, hours, priority, status},
};
use crate::{
    agents::Frame,
    auth::Editor,
    companies::pages::address,
    compliance::RedactionPolicy,
    error::Result,
    history::Record as _,
    records::{
        nouns::panel::{self, Panel},
        tickets::{Update, send, write},
    },
    resource::past::{Facts, Past},
    tickets::{
        Ticket, TimeEntry, api,
        list_store::SOURCE,
        messages::SaidView,
        messages_store, statuses_store, store,
        views::{TicketDetail, TicketView},
    },
    ui::{Choice, Crumb, Item, Line, Page, Section, Table, Timeline, Value, filters},
    vendors::credentials,
    web::{Fields, Path, Web},
};

/// One thing that was said, as the page shows it.
struct Turn {
    who: String,
    at: String,
    text: Value,
    badges: Vec<Value>,
}

#[derive(Template)]
#[template(path = "tickets/detail.html")]
struct TicketPage {
    page: Page,
    crumbs: Vec<Crumb>,
    badges: Vec<Value>,
    lead: String,
    base: String,
    retired: bool,
    retired_at: String,
    attached: Vec<Crumb>,
    away: Option<String>,
    facts: Vec<(&'static str, Vec<Item>)>,
    description: Option<Value>,
    /// What stands in the place of what this reader may not see.
    hidden: Option<&'static str>,
    turns: Vec<Turn>,
    notes: Option<Vec<Turn>>,
    panels: Vec<Panel>,
    sheet: Option<Table>,
    states: Vec<Choice>,
    state: String,
    history: Option<Timeline>,
}

/// `GET /tickets/{id}`, by the vendor's number.
pub async fn show(State(web): State<Web>, frame: Frame, Path(number): Path<i64>) -> Result<Response> {
    let staff = frame.page.is_staff();
    let policy = RedactionPolicy::of(&frame.caller, &web.config, &frame.query)?;
    let config = web.config.clone();
    let account = credentials::effective(&web.db, &web.config).await?;
    let page = frame.page.clone();
    let (detail, past, sheet, states, panels) = web
        .db
        .read(&frame.scope(), move |c| {
            let detail = api::detail(c, number, &policy, staff, &config)?;
            let row = detail.ticket.row_id;
            let past = if staff { Past::read(c, "ticket", row, &policy)? } else { Past::default() };
            let sheet = if staff { messages_store::time_entries(c, row)? } else { Vec::new() };
            let statuses = statuses_store::load(c, SOURCE, &config.freshservice.statuses)?;
            let states: Vec<Choice> = statuses.offered(&[]).into_iter().map(|(word, label)| Choice::new(word, label)).collect();
            let (account_number, is_live) = (detail.ticket.company_id.as_deref(), detail.ticket.retired_at.is_none());
            let whose = panel::Whose { entity: Ticket::ENTITY, id: row, account_number, is_live };
            let panels = panel::all(c, &page, whose, &policy)?;
            Ok((detail, past, sheet, states, panels))
        })
        .await?;
    let ticket = &detail.ticket;
    let title = ticket.subject.clone().filter(|line| !line.is_empty()).unwrap_or_else(|| format!("Ticket {number}"));
    let page = frame.titled(Section::Tickets, title);
    let away = account.freshservice.web_url.as_ref().filter(|_| staff).map(|url| format!("{url}/a/tickets/{number}"));
    let built = TicketPage {
        crumbs: crumbs(&page, ticket),
        badges: badges(ticket),
        lead: lead(ticket),
        base: page.url(&format!("/tickets/{number}")),
        retired: ticket.retired_at.is_some(),
        retired_at: ticket.retired_at.clone().unwrap_or_default(),
        attached: Vec::new(),
        away,
        facts: facts(&page, &detail, &past),
        description: words(ticket),
        hidden: ticket.hidden,
        turns: detail.conversations.iter().map(turn).collect(),
        notes: staff.then(|| detail.notes.iter().map(turn).collect()),
        panels,
        sheet: staff.then(|| time_sheet(&sheet)),
        state: ticket.status.clone(),
        states: offered(states, ticket),
        history: staff.then(|| past.timeline(&page)),
        page,
    };
    frame.show(&built)
}

/// What it is about, at length, or why that is not shown.
fn words(ticket: &TicketView) -> Option<Value> {
    let text = ticket.description_text.clone().filter(|text| !text.trim().is_empty()).map(Value::Lines);
    text.or(ticket.hidden.map(Value::words))
}

/// The statuses that can be chosen; the present one is among them.
fn offered(mut states: Vec<Choice>, ticket: &TicketView) -> Vec<Choice> {
    states.retain(|choice| !matches!(choice.value.as_str(), "spam" | "deleted"));
    states.dedup_by(|one, other| one.value == other.value);
    if !states.iter().any(|choice| choice.value == ticket.status) {
        states.insert(0, Choice::new(ticket.status.clone(), ticket.status_text.clone()));
    }
    states
}

fn crumbs(page: &Page, ticket: &TicketView) -> Vec<Crumb> {
    let mut crumbs = vec![mention(page.url("/tickets/"), "Tickets")];
    if let (Some(number), Some(name)) = (&ticket.company_id, &ticket.company_name) {
        crumbs.push(mention(address(page, number), name.clone()));
    }
    crumbs
}

fn badges(ticket: &TicketView) -> Vec<Value> {
    let mut badges = vec![status(&ticket.status, &ticket.status_text)];
    if matches!(ticket.priority.as_deref(), Some("urgent" | "high")) {
        badges.push(priority(ticket.priority.as_deref()));
    }
    badges
}

fn lead(ticket: &TicketView) -> String {
    let asked = ticket.requester_name.as_ref().or(ticket.requester_email.as_ref());
    let number = format!("Ticket {}", ticket.ticket_number);
    [Some(&number), ticket.company_name.as_ref(), asked].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" · ")
}

fn facts(page: &Page, detail: &TicketDetail, past: &Past) -> Vec<(&'static str, Vec<Item>)> {
    let ticket = &detail.ticket;
    let facts = Facts { page, action: format!("/records/ticket/{}/pin", ticket.row_id), past };
    let text = |label, field, value: &Option<String>| facts.item(label, field, Value::text(value.as_deref()));
    let at = |label, field, value: &Option<String>| facts.item(label, field, Value::ago(value.as_deref()));
    let worked = if detail.hours_known { Value::Count(format!("{} h", hours(ticket.total_hours_spent))) } else { Value::None };
    let mut people = vec![
        facts.item("Company", "company_id", company(page, ticket)),
        text("Requester", "requester_name", &ticket.requester_name),
        facts.item("Address", "requester_email", Value::mail(ticket.requester_email.as_deref())),
        facts.item("Agent", "responder_id", Value::text(ticket.agent_name.as_deref())),
    ];
    people.push(facts.item("Hours worked", "minutes_spent", worked));
    vec![
        (
            "Ticket",
            vec![
                facts.item("Status", "status", status(&ticket.status, &ticket.status_text)),
                facts.item("Priority", "priority", priority(ticket.priority.as_deref())),
                facts.item("Type", "ticket_type", Value::words(ticket.r#type.clone())),
                text("Category", "category", &detail.category),
                text("Sub-category", "sub_category", &detail.sub_category),
                text("Item", "item_category", &detail.item_category),
            ],
        ),
        ("People", people),
        (
            "Times",
            vec![
                at("Opened", "vendor_created_at", &ticket.created_at),
                facts.item("Updated", "last_updated_at", Value::ago(Some(&ticket.last_updated_at))),
                at("First response due", "fr_due_by", &ticket.fr_due_by),
                at("First response", "first_responded_at", &detail.first_responded_at),
                at("Due", "due_by", &ticket.due_by),
                at("Resolved", "resolved_at", &ticket.resolved_at),
                at("Closed", "closed_at", &ticket.closed_at),
                Item::new("Changed here", Value::ago(detail.local_updated_at.as_deref())),
            ],
        ),
    ]
}

fn turn(said: &SaidView) -> Turn {
    let mut badges = Vec::new();
    if said.incoming {
        badges.push(Value::badge("info", "From the client"));
    }
    Turn {
        who: if said.user.is_empty() { "Somebody".to_owned() } else { said.user.clone() },
        at: said.created_at.clone(),
        text: Value::Lines(said.text.clone()),
        badges,
    }
}

fn time_sheet(entries: &[TimeEntry]) -> Table {
    let line = |entry: &TimeEntry| {
        let mut told = vec![Value::Count(format!("{}:{:02}", entry.minutes / 60, entry.minutes % 60))];
        if entry.running {
            told.push(Value::badge("info", "Running"));
        }
        if entry.billable == Some(false) {
            told.push(Value::badge("", "Not billable"));
        }
        let cells = vec![
            Value::date(entry.executed_at.as_deref().or(entry.created_at.as_deref())),
            Value::Many(told),
            Value::text(entry.note.as_deref()),
        ];
        Line { cells, post: None }
    };
    Table {
        label: "Time sheet",
        heads: vec![("Day", "cell--main"), ("Time", "cell--end"), ("Work", "cell--sub")],
        lines: entries.iter().map(line).collect(),
        empty: "No time has been booked.",
        more: None,
    }
}

/// `POST /tickets/{id}/update`: a status, a note, or both.
pub async fn update(
    State(web): State<Web>,
    editor: Editor,
    frame: Frame,
    Path(number): Path<i64>,
    fields: Fields,
) -> Result<Response> {
    let update = Update::read(fields)?;
    let config = web.config.clone();
    let user = editor.name().to_owned();
    let done = web
        .db
        .write(&editor.scope(), &editor.actor(), move |w| {
            let row = store::get_row(w, number)?;
            write(w, row.inside().ticket.id, None, &update, &user, &config)
        })
        .await?;
    if done.queued {
        send(&web, frame.caller.name()).await;
        return frame.go(&format!("/tickets/{number}"), "Saved; it is on its way to Freshservice.");
    }
    let words = match (done.status, done.note) {
        (true, Some(_)) => "The status is kept and the note added.",
        (true, None) => "The status is kept: a sync leaves it alone until the vendor has it.",
        (false, Some(_)) => "The note is added.",
        (false, None) => "Nothing was changed.",
    };
    frame.go(&format!("/tickets/{number}"), words)
}
