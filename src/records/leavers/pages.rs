//! The page of people who have left and still hold something.

use std::collections::{BTreeMap, btree_map::Entry};

use askama::Template;
use axum::{extract::State, response::Response};

use super::{Leaver, store, take};
use crate::{
    agents::PageContext,
    auth::Editor,
    companies::pages::address,
    compliance::RedactionPolicy,
    db::{Conn, Write},
    error::Result,
    ui::{Choice, Crumb, Page, Section, Value, count_of, filters, link_to, words},
    web::{Fields, Path, Web},
};

/// Of how many people the page tells; the API has all.
const SHOWN: usize = 100;

/// What somebody holds, and how it is taken back.
struct Held {
    kind: Value,
    what: Crumb,
    detail: String,
    /// Where that is posted; nothing for a ticket, which is dealt with on its own page.
    action: Option<String>,
    label: &'static str,
    fields: Vec<(&'static str, String)>,
    /// Who can take it over.
    successors: Vec<Choice>,
}

struct Card {
    name: Crumb,
    state: Value,
    lead: String,
    held: Vec<Held>,
}

#[derive(Template)]
#[template(path = "records/leavers.html")]
struct LeaversPage {
    page: Page,
    lead: String,
    cards: Vec<Card>,
}

/// Those who can take over roles, by company.
type Successors = BTreeMap<i64, Vec<(i64, String)>>;

fn successors(c: &mut Conn, leavers: &[Leaver], policy: &RedactionPolicy) -> Result<Successors> {
    let mut all = Successors::new();
    for role in leavers.iter().take(SHOWN).flat_map(|leaver| leaver.primary_contact_of.iter().chain(&leaver.billing_contact_of)) {
        if let Entry::Vacant(place) = all.entry(role.id) {
            place.insert(store::successors(c, role.id, policy)?);
        }
    }
    Ok(all)
}

/// `GET /leavers`
pub async fn show(State(web): State<Web>, _: Editor, context: PageContext) -> Result<Response> {
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let read = move |c: &mut Conn| {
        let leavers = super::all(c, &policy)?;
        let successors = successors(c, &leavers, &policy)?;
        Ok((leavers, successors))
    };
    let (leavers, successors) = web.db.read(&context.scope(), read).await?;
    let page = context.titled(Section::Contacts, "Leavers");
    let count = i64::try_from(leavers.len()).unwrap_or(i64::MAX);
    let lead = match leavers.len() {
        0 => "Nobody who has left holds anything any more.".to_owned(),
        many if many > SHOWN => {
            format!(
                "{}; the first {SHOWN} are shown",
                count_of(count, "person who has left holds something", "people who have left still hold something")
            )
        }
        _ => count_of(count, "person who has left still holds something", "people who have left still hold something"),
    };
    let cards = leavers.iter().take(SHOWN).map(|leaver| card(&page, leaver, &successors)).collect();
    context.show(&LeaversPage { page, lead, cards })
}

fn card(page: &Page, leaver: &Leaver, successors: &Successors) -> Card {
    let base = page.url(&format!("/leavers/{}", leaver.id));
    let post = |what: &str| Some(format!("{base}/{what}"));
    let mut held = Vec::new();
    for device in &leaver.devices {
        held.push(Held {
            kind: Value::badge("", "Device"),
            what: link_to(page.url(&format!("/assets/{}", device.id)), device.name.clone()),
            detail: device.company_name.clone().unwrap_or_default(),
            action: post("device"),
            label: "Unassign",
            fields: vec![("asset_id", device.id.to_string())],
            successors: Vec::new(),
        });
    }
    for seat in &leaver.seats {
        held.push(Held {
            kind: Value::badge("", "Seat"),
            what: link_to(page.url(&format!("/license-seats/{}", seat.id)), seat.name.clone()),
            detail: seat.company_name.clone().unwrap_or_default(),
            action: post("seat"),
            label: "Release",
            fields: vec![("seat_id", seat.id.to_string())],
            successors: Vec::new(),
        });
    }
    let roles =
        [("Primary contact", "primary", &leaver.primary_contact_of), ("Billing contact", "billing", &leaver.billing_contact_of)];
    for (kind, what, companies) in roles {
        for company in companies {
            let known = successors.get(&company.id).into_iter().flatten().filter(|(id, _)| *id != leaver.id);
            let mut choices = vec![Choice::new("", "Nobody")];
            choices.extend(known.map(|(id, name)| Choice::new(id.to_string(), name.clone())));
            let number = company.company_account_number.as_deref().unwrap_or_default();
            held.push(Held {
                kind: Value::badge("warning", kind),
                what: link_to(address(page, number), company.name.clone()),
                detail: String::new(),
                action: post(what),
                label: "Hand over",
                fields: vec![("company_id", company.id.to_string())],
                successors: choices,
            });
        }
    }
    for ticket in &leaver.tickets {
        held.push(Held {
            kind: Value::badge("info", "Ticket"),
            what: link_to(page.url(&format!("/tickets/{}", ticket.id)), format!("Ticket {}", ticket.ticket_number)),
            detail: words(&ticket.status),
            action: None,
            label: "",
            fields: Vec::new(),
            successors: Vec::new(),
        });
    }
    Card {
        name: link_to(page.url(&format!("/contacts/{}", leaver.id)), leaver.name.clone()),
        state: Value::badge(if leaver.status == "retired" { "warning" } else { "" }, words(leaver.status)),
        lead: leaver.company_name.clone().unwrap_or_else(|| "no company".to_owned()),
        held,
    }
}

/// Reads the id of what is taken back, and of whoever takes it over.
fn sent(mut fields: Fields, name: &str) -> Result<(i64, Option<i64>)> {
    fields.set_creating(true);
    let id = fields.int(name).required().value().unwrap_or_default();
    let to = fields.int("to").value();
    fields.finish()?;
    Ok((id, to))
}

/// Does it, and leads back to the page.
async fn done(
    web: &Web,
    editor: &Editor,
    context: &PageContext,
    words: &str,
    work: impl FnOnce(&mut Write<'_>) -> Result<()> + Send + 'static,
) -> Result<Response> {
    web.db.write(&editor.scope(), &editor.actor(), work).await?;
    context.go("/leavers", words)
}

/// `POST /leavers/{id}/device` with `asset_id`
pub async fn take_device(
    State(web): State<Web>,
    editor: Editor,
    context: PageContext,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response> {
    let (asset, _) = sent(fields, "asset_id")?;
    done(&web, &editor, &context, "The device is taken away.", move |w| take::device(w, id, asset)).await
}

/// `POST /leavers/{id}/seat` with `seat_id`
pub async fn release_seat(
    State(web): State<Web>,
    editor: Editor,
    context: PageContext,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response> {
    let (seat, _) = sent(fields, "seat_id")?;
    done(&web, &editor, &context, "The seat is released.", move |w| take::seat(w, id, seat)).await
}

/// `POST /leavers/{id}/primary` with `company_id` and `to`
pub async fn hand_over_primary(
    State(web): State<Web>,
    editor: Editor,
    context: PageContext,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response> {
    let (company, to) = sent(fields, "company_id")?;
    let words = if to.is_some() { "The company has another primary contact." } else { "The company has no primary contact now." };
    done(&web, &editor, &context, words, move |w| take::primary(w, id, company, to)).await
}

/// `POST /leavers/{id}/billing` with `company_id` and `to`
pub async fn hand_over_billing(
    State(web): State<Web>,
    editor: Editor,
    context: PageContext,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response> {
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let (company, to) = sent(fields, "company_id")?;
    let words = if to.is_some() { "Somebody else gets the invoices." } else { "The company has no billing contact now." };
    done(&web, &editor, &context, words, move |w| take::billing(w, id, company, to, &policy)).await
}
