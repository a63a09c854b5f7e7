//! A ticket with what was written and done.

use askama::Template;
use axum::{extract::State, response::Response};

use super::list::{company, hours, priority, status};
use crate::{
    agents::PageContext,
    assets::panels::devices_of_contact,
    auth::Editor,
    companies::pages::address,
    compliance::RedactionPolicy,
    contacts::{self, ContactView},
    db::Conn,
    error::Result,
    history::Record as _,
    resource::{
        panel::{self, Content, Looker, Panel, Tab},
        record_history::{Facts, RecordHistory},
        workspace::Workspace,
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
    ui::{Choice, Crumb, Head, Item, Line, Markup, Page, Section, Table, Value, Way, filters, link_to},
    web::{Fields, Path, Web},
};

/// A message, as the page shows it.
struct Turn {
    who: String,
    at: String,
    text: Value,
    badges: Vec<Value>,
}

/// What was said, oldest first.
#[derive(Template)]
#[template(path = "tickets/conversation.html")]
struct Talk {
    turns: Vec<Turn>,
    /// What stands in the place of what this reader may not see.
    hidden: Option<&'static str>,
    empty: &'static str,
}

/// The form for a status and a note.
#[derive(Template)]
#[template(path = "tickets/update.html")]
struct UpdateCard {
    base: String,
    states: Vec<Choice>,
    state: String,
}

/// Who asked, as one of our contacts.
struct Requester {
    contact: ContactView,
    devices: Table,
    /// How many devices they use.
    count: i64,
}

/// The tabs of a ticket.
const TABS: &[Tab] = &[Tab::Conversation, Tab::Details, Tab::Time, Tab::Notes, Tab::Files, Tab::History];

/// `GET /tickets/{id}`, by the vendor's number.
pub async fn show(State(web): State<Web>, context: PageContext, Path(number): Path<i64>) -> Result<Response> {
    let staff = context.page.is_staff();
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let config = web.config.clone();
    let away = if staff { service_desk()?.page(&web, number).await? } else { None };
    let page = context.page.clone();
    let (detail, past, sheet, states, panels, requester) = web
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
            let looker = Looker { page: &page, policy: &policy, config: &config };
            let panels = panel::all(c, &looker, whose)?;
            let requester = view.contact.as_ref().map(|contact| requester(c, &looker, contact.id)).transpose()?;
            Ok((detail, past, sheet, states, panels, requester))
        })
        .await?;
    let ticket = &detail.ticket;
    let page = context.titled(Section::Tickets, ticket.title());
    let base = page.url(&format!("/tickets/{number}"));
    let mut all = conversation(ticket, &detail.thread.conversations)?;
    all.extend(people(&page, ticket, requester.as_ref()));
    if page.may_write() && ticket.view.row.retired_at.is_none() {
        let states = offered(states, ticket);
        let update = UpdateCard { base: base.clone(), states, state: ticket.view.row.status.clone() };
        let update = Panel::new(Tab::Conversation, "update", "Update", Content::Drawn(Markup::of(&update)?));
        all.push(Panel { is_beside: true, ..update });
    }
    all.extend(facts(&page, &detail, &past).into_iter().map(|(title, items)| Panel::section(Tab::Details, title, items, None)));
    if staff {
        let count = i64::try_from(sheet.len()).ok();
        let time = Panel::new(Tab::Time, "time", "Time entries", Content::Rows(time_entries(&sheet)));
        all.push(Panel { count, ..time });
        let turns = detail.thread.notes.iter().map(turn).collect();
        all.push(talk(Tab::Notes, "notes", "Internal notes", turns, ticket.view.hidden(), "No internal notes.")?);
    }
    all.extend(panels);
    if staff {
        all.push(Panel::history(past.timeline(&page)));
    }
    let call = Way::call(requester.as_ref().and_then(|requester| requester.contact.phone()));
    let away = away.and_then(|(href, name)| Way::away(Some(href.as_str()), format!("Open in {name}"), "external-link"));
    let head = Head {
        crumbs: crumbs(&page, ticket),
        badges: badges(ticket),
        lead: lead(ticket),
        facts: summary(&page, ticket, requester.as_ref()),
        ways: call.into_iter().chain(away).collect(),
        may_edit: false,
        ..Head::new(&page, base, ticket.view.row.retired_at.as_deref())
    };
    context.show(&Workspace::new(&context.query, head, TABS, all)?)
}

/// The contact who asked, as the caller may see them, and their devices.
fn requester(c: &mut Conn, looker: &Looker<'_>, id: i64) -> Result<Requester> {
    let contact = contacts::store::get_view(c, id)?.redact(looker.policy);
    let (devices, count) = devices_of_contact(c, looker, id)?;
    Ok(Requester { contact, devices, count })
}

/// What one needs to know of a ticket while its requester is on the telephone.
fn summary(page: &Page, ticket: &ListedTicket, known: Option<&Requester>) -> Vec<Item> {
    let view = &ticket.view;
    let row = &view.row;
    let requester = match &view.contact {
        Some(contact) => {
            Value::link(page.url(&format!("/contacts/{}", contact.id)), view.requester_name().unwrap_or("Requester"))
        }
        None => Value::text(view.requester_name().or(view.requester_email())),
    };
    vec![
        Item::new("Requester", requester),
        Item::new("Phone", Value::phone(known.and_then(|known| known.contact.phone()))),
        Item::new("Priority", priority(row.priority.as_deref())),
        Item::new("Agent", Value::text(view.agent_name.as_deref())),
        Item::new("Due", Value::ago(row.due_by.as_deref())),
    ]
}

/// What the ticket is about and what was said.
fn conversation(ticket: &ListedTicket, messages: &[MessageView]) -> Result<Vec<Panel>> {
    let mut turns: Vec<Turn> = messages.iter().map(turn).collect();
    if let Some(text) = words(ticket) {
        let row = &ticket.view.row;
        let who = ticket.view.requester_name().or(ticket.view.requester_email()).unwrap_or("Requester").to_owned();
        let at = row.vendor_created_at.clone().unwrap_or_else(|| row.last_updated_at.clone());
        turns.insert(0, Turn { who, at, text, badges: vec![Value::badge("", "Description")] });
    }
    let hidden = ticket.view.hidden();
    Ok(vec![talk(Tab::Conversation, "conversation", "Conversation", turns, hidden, "No replies yet.")?])
}

fn talk(
    tab: Tab,
    anchor: &'static str,
    title: &str,
    turns: Vec<Turn>,
    hidden: Option<&'static str>,
    empty: &'static str,
) -> Result<Panel> {
    let count = i64::try_from(turns.len()).ok();
    let talk = Talk { turns, hidden, empty };
    Ok(Panel { count, ..Panel::new(tab, anchor, title, Content::Drawn(Markup::of(&talk)?)) })
}

/// Who asked and what they work with, beside the conversation.
fn people(page: &Page, ticket: &ListedTicket, requester: Option<&Requester>) -> Vec<Panel> {
    let view = &ticket.view;
    let contact = requester.map(|requester| &requester.contact);
    let name = match contact {
        Some(contact) => Value::link(page.url(&format!("/contacts/{}", contact.row.id)), contact.row.name.clone()),
        None => Value::text(view.requester_name()),
    };
    let mut items = vec![
        Item::new("Name", name),
        Item::new("Phone", Value::phone(contact.and_then(ContactView::phone))),
        Item::new("E-mail", Value::mail(view.requester_email())),
        Item::new("Title", Value::text(contact.and_then(|contact| contact.row.job_title.as_deref()))),
        Item::new("Company", company(page, ticket)),
        Item::new("Agent", Value::text(view.agent_name.as_deref())),
    ];
    items.retain(|item| !item.is_empty());
    let mut panels = Vec::new();
    if !items.is_empty() {
        let who = Panel::new(Tab::Conversation, "requester", "Requester", Content::Facts(items));
        panels.push(Panel { is_beside: true, ..who });
    }
    if let Some(requester) = requester {
        let devices = Content::Rows(requester.devices.clone());
        let devices = Panel::new(Tab::Conversation, "devices", "Their devices", devices);
        panels.push(Panel { is_beside: true, count: Some(requester.count), ..devices });
    }
    panels
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
    format!("Ticket {}", ticket.view.row.ticket_number)
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
    times.push(Item::new("Edited in Codex", Value::ago(ticket.view.seen.local_updated_at.as_deref())));
    vec![("Ticket", facts.section(row, "Ticket", about)), ("People", facts.section(row, "People", people)), ("Times", times)]
}

fn turn(view: &MessageView) -> Turn {
    let MessageView { message, user, .. } = view;
    let mut badges = Vec::new();
    if message.incoming {
        badges.push(Value::badge("info", "From the client"));
    }
    let unnamed = if message.incoming { "Requester" } else { "Service desk" };
    Turn {
        who: if user.is_empty() { unnamed.to_owned() } else { user.clone() },
        at: message.created_at.clone(),
        text: Value::Lines(message.body_text.clone()),
        badges,
    }
}

fn time_entries(entries: &[TimeEntry]) -> Table {
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
        label: "Time entries",
        heads: vec![("Day", "cell--main"), ("Time", "cell--end"), ("Work", "cell--sub")],
        lines: entries.iter().map(line).collect(),
        empty: "No time logged.",
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
