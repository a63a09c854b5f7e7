//! A ticket with what was written and done.

use askama::Template;
use axum::{extract::State, response::Response};

use super::list::{company, hours, priority, status};
use crate::{
    agents::PageContext,
    auth::Editor,
    companies::pages::address,
    compliance::RedactionPolicy,
    error::Result,
    history::Record as _,
    resource::{
        panel::{self, Looker, Panel},
        record_history::{Facts, RecordHistory},
    },
    tickets::{
        Ticket, TimeEntry, api,
        codes::SOURCE,
        messages::MessageView,
        messages_store,
        service_desk::service_desk,
        single::{Update, send, write},
        statuses_store, store,
        views::{ListedTicket, TicketDetail},
    },
    ui::{Choice, Crumb, Head, Item, Line, Page, Section, Table, Timeline, Value, filters, link_to},
    web::{Fields, Path, Web},
};

/// A message, as the page shows it.
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
    head: Head,
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
pub async fn show(State(web): State<Web>, context: PageContext, Path(number): Path<i64>) -> Result<Response> {
    let staff = context.page.is_staff();
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let config = web.config.clone();
    let away = if staff { service_desk()?.page(&web, number).await? } else { None };
    let page = context.page.clone();
    let (detail, past, sheet, states, panels) = web
        .db
        .read(&context.scope(), move |c| {
            let detail = api::detail(c, number, &policy, staff, &config)?;
            let view = &detail.ticket.view;
            let row = view.row.id;
            let past = if staff { RecordHistory::read(c, "ticket", row, &policy)? } else { RecordHistory::default() };
            let sheet = if staff { messages_store::time_entries(c, row)? } else { Vec::new() };
            let statuses = statuses_store::load(c, SOURCE, &config.freshservice.statuses)?;
            let states: Vec<Choice> = statuses.offered(&[]).into_iter().map(|(word, label)| Choice::new(word, label)).collect();
            let (account_number, is_live) = (view.company_id.as_deref(), view.row.retired_at.is_none());
            let whose = panel::Whose { entity: Ticket::ENTITY, id: row, account_number, is_live };
            let panels = panel::all(c, &Looker { page: &page, policy: &policy, config: &config }, whose)?;
            Ok((detail, past, sheet, states, panels))
        })
        .await?;
    let ticket = &detail.ticket;
    let page = context.titled(Section::Tickets, ticket.title());
    let built = TicketPage {
        head: Head {
            crumbs: crumbs(&page, ticket),
            badges: badges(ticket),
            lead: lead(ticket),
            may_edit: false,
            away,
            ..Head::new(&page, page.url(&format!("/tickets/{number}")), ticket.view.row.retired_at.as_deref())
        },
        facts: facts(&page, &detail, &past),
        description: words(ticket),
        hidden: ticket.view.hidden(),
        turns: detail.thread.conversations.iter().map(turn).collect(),
        notes: staff.then(|| detail.thread.notes.iter().map(turn).collect()),
        panels,
        sheet: staff.then(|| time_sheet(&sheet)),
        state: ticket.view.row.status.clone(),
        states: offered(states, ticket),
        history: staff.then(|| past.timeline(&page)),
        page,
    };
    context.show(&built)
}

/// What it is about, at length, or why that is not shown.
fn words(ticket: &ListedTicket) -> Option<Value> {
    let text = ticket.view.description_text.clone().filter(|text| !text.trim().is_empty()).map(Value::Lines);
    text.or(ticket.view.hidden().map(Value::words))
}

/// The statuses that can be chosen; the present one is among them.
fn offered(mut states: Vec<Choice>, ticket: &ListedTicket) -> Vec<Choice> {
    states.retain(|choice| !matches!(choice.value.as_str(), "spam" | "deleted"));
    states.dedup_by(|one, other| one.value == other.value);
    let status = &ticket.view.row.status;
    if !states.iter().any(|choice| choice.value == *status) {
        states.insert(0, Choice::new(status.clone(), ticket.status_text.clone()));
    }
    states
}

fn crumbs(page: &Page, ticket: &ListedTicket) -> Vec<Crumb> {
    let mut crumbs = vec![link_to(page.url("/tickets/"), "Tickets")];
    if let (Some(number), Some(name)) = (&ticket.view.company_id, &ticket.view.company_name) {
        crumbs.push(link_to(address(page, number), name.clone()));
    }
    crumbs
}

fn badges(ticket: &ListedTicket) -> Vec<Value> {
    let row = &ticket.view.row;
    let mut badges = vec![status(&row.status, &ticket.status_text)];
    if matches!(row.priority.as_deref(), Some("urgent" | "high")) {
        badges.push(priority(row.priority.as_deref()));
    }
    badges
}

fn lead(ticket: &ListedTicket) -> String {
    let view = &ticket.view;
    let asked = view.requester_name().or(view.requester_email());
    let number = format!("Ticket {}", view.row.ticket_number);
    [Some(number.as_str()), view.company_name.as_deref(), asked].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn facts(page: &Page, detail: &TicketDetail, past: &RecordHistory) -> Vec<(&'static str, Vec<Item>)> {
    let (ticket, row) = (&detail.ticket, &detail.ticket.view.row);
    let facts = Facts { page, action: format!("/records/ticket/{}/pin", row.id), past };
    let worked = if row.time_known { Value::Count(format!("{} h", hours(row.hours()))) } else { Value::None };
    let about = vec![
        ("status", status(&row.status, &ticket.status_text)),
        ("priority", priority(row.priority.as_deref())),
        ("ticket_type", Value::words(ticket.view.kind())),
        ("minutes_spent", worked),
    ];
    let people = vec![
        ("company_id", company(page, ticket)),
        ("requester_name", Value::text(ticket.view.requester_name())),
        ("requester_email", Value::mail(ticket.view.requester_email())),
        ("responder_id", Value::text(ticket.view.agent_name.as_deref())),
    ];
    let mut times = facts.section(row, "Times", Vec::new());
    times.push(Item::new("Changed here", Value::ago(ticket.view.seen.local_updated_at.as_deref())));
    vec![("Ticket", facts.section(row, "Ticket", about)), ("People", facts.section(row, "People", people)), ("Times", times)]
}

fn turn(view: &MessageView) -> Turn {
    let MessageView { message, user, .. } = view;
    let mut badges = Vec::new();
    if message.incoming {
        badges.push(Value::badge("info", "From the client"));
    }
    Turn {
        who: if user.is_empty() { "Somebody".to_owned() } else { user.clone() },
        at: message.created_at.clone(),
        text: Value::Lines(message.body_text.clone()),
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
    context: PageContext,
    Path(number): Path<i64>,
    fields: Fields,
) -> Result<Response> {
    let update = Update::read(fields)?;
    let config = web.config.clone();
    let user = editor.name().to_owned();
    let done = web
        .db
        .write(&editor.scope(), &editor.actor(), move |w| {
            let view = store::get_view(w, number)?;
            write(w, view.inside().row.id, None, &update, &user, &config)
        })
        .await?;
    if done.queued {
        send(&web, context.caller.name()).await?;
        return context.go(&format!("/tickets/{number}"), "Saved; it is on its way to Freshservice.");
    }
    let words = match (done.status, done.note) {
        (true, Some(_)) => "The status is kept and the note added.",
        (true, None) => "The status is kept: a sync leaves it alone until the vendor has it.",
        (false, Some(_)) => "The note is added.",
        (false, None) => "Nothing was changed.",
    };
    context.go(&format!("/tickets/{number}"), words)
}
