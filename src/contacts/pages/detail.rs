//! A contact with their companies and devices.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use super::{LIST, list::state};
use crate::{
    agents::PageContext,
    companies::{pages::address, pages_store},
    compliance::RedactionPolicy,
    contacts::{
        Contact, ContactView, Contacts, Membership,
        model::{DESIGNATIONS, ROLES},
        panels::place,
        resource::detail,
    },
    error::{Error, FieldError, Result},
    history::{self, Record as _},
    resource::{
        form_page::{Typed, or_none},
        forms, merged,
        panel::{self, Content, Looker, Panel, Tab},
        record_history::{Facts, RecordHistory},
        ways,
        workspace::Workspace,
    },
    ui::{Choice, Crumb, Field, Head, Item, Line, Markup, Page, Post, Table, Value, Way, filters, form, link_to, words},
    web::{Path, Web},
};

/// Where a contact belongs, and the form to assign them elsewhere.
#[derive(Template)]
#[template(path = "contacts/companies.html")]
struct Places {
    base: String,
    may_edit: bool,
    companies: Table,
    errors: Vec<String>,
    fields: Vec<Field>,
}

/// The tabs of a contact.
const TABS: &[Tab] =
    &[Tab::Overview, Tab::Devices, Tab::Tickets, Tab::Companies, Tab::Licences, Tab::Notes, Tab::Files, Tab::History];

/// What a form on the page could not do.
#[derive(Default)]
pub struct Refused {
    /// What is still attached when they were to be retired.
    pub attached: Vec<Crumb>,
    /// What is wrong with a company to join, and what was typed.
    pub link: Option<(Vec<FieldError>, Typed)>,
}

impl Refused {
    /// That the contact could not retire because of what is attached.
    #[must_use]
    pub fn attached(error: &Error) -> Self {
        Self { attached: forms::attached(error), link: None }
    }
}

/// `GET /contacts/{id}`
pub async fn show(State(web): State<Web>, context: PageContext, Path(id): Path<i64>) -> Result<Response> {
    if let Some(winner) = merged::page::<Contacts>(&web, &context, id).await? {
        return Ok(winner);
    }
    page(&web, &context, id, StatusCode::OK, Refused::default()).await
}

/// The page, also after a form on it was refused.
pub async fn page(web: &Web, context: &PageContext, id: i64, status: StatusCode, refused: Refused) -> Result<Response> {
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let (staff, writes) = (context.page.is_staff(), context.page.may_write());
    let (page, config) = (context.page.clone(), web.config.clone());
    let (detail, past, choices, panels, forgotten) = web
        .db
        .read(&context.scope(), move |c| {
            let detail = detail(c, id)?.redact(&policy);
            let past = if staff { RecordHistory::read(c, "contact", id, &policy)? } else { RecordHistory::default() };
            let choices = if writes { pages_store::company_choices(c)? } else { Vec::new() };
            let account_number = detail.companies.first().map(|place| place.account_number.as_str());
            let is_live = detail.contact.row.retired_at.is_none();
            let whose = panel::Whose { entity: Contact::ENTITY, id, account_number, is_live };
            let panels = panel::all(c, &Looker { page: &page, policy: &policy, config: &config }, whose)?;
            let forgotten = history::forgotten::is_forgotten(c, Contact::ENTITY, id)?;
            Ok((detail, past, choices, panels, forgotten))
        })
        .await?;
    let offered = if writes { ways::all(web).await? } else { Vec::new() };
    let page = context.titled(LIST.section, detail.contact.row.name.clone());
    let base = page.url(&format!("/contacts/{id}"));
    let contact = &detail.contact;
    let may_edit = page.may_write() && contact.row.retired_at.is_none();
    let form = may_edit.then(|| format!("{base}/edit"));
    let section = |(title, items)| Panel::section(Tab::Overview, title, items, form.as_deref());
    let mut all: Vec<Panel> = facts(&page, contact, &past).into_iter().map(section).collect();
    let places = places(&page, base.clone(), contact, &detail.companies, choices, refused.link);
    let count = i64::try_from(detail.companies.len()).ok();
    let companies = Panel::new(Tab::Companies, "companies", "Companies", Content::Drawn(Markup::of(&places)?));
    all.push(Panel { count, ..companies });
    all.extend(panels);
    if page.is_staff() {
        all.push(Panel::history(past.timeline(&page)));
    }
    let head = Head {
        crumbs: crumbs(&page, &detail.companies),
        badges: badges(contact),
        lead: lead(&detail.companies),
        facts: summary(&page, contact, &detail.companies),
        ways: own_ways(&page, contact).into_iter().chain(offered).collect(),
        is_person: true,
        retire_question: format!("Retire {}? They are hidden from lists until they are restored.", contact.row.name),
        attached: refused.attached,
        may_merge: true,
        may_forget: page.is_admin() && !forgotten,
        // Who was forgotten does not come back.
        may_edit: page.may_write() && !forgotten,
        ..Head::new(&page, base, contact.row.retired_at.as_deref())
    };
    context.show_as(status, &Workspace::new(&context.query, head, TABS, all)?)
}

fn own_ways(page: &Page, contact: &ContactView) -> Vec<Way> {
    let row = &contact.row;
    let may_move = page.may_write() && row.retired_at.is_none();
    let elsewhere =
        || Way::here(page.url(&format!("/contacts/{}/move", row.id)), "Move to another company", "building-2").rarely();
    Way::call(contact.phone()).into_iter().chain(may_move.then(elsewhere)).collect()
}

/// What one needs to know of a person while they are on the telephone.
fn summary(page: &Page, contact: &ContactView, companies: &[Membership]) -> Vec<Item> {
    let place = companies.iter().find(|place| place.is_primary).or(companies.first());
    let company =
        place.map_or(Value::None, |place| Value::link(address(page, &place.account_number), place.company_name.clone()));
    vec![
        Item::new("Phone", Value::phone(contact.phone())),
        Item::new("E-mail", Value::mail(Some(&contact.row.email))),
        Item::new("Company", company),
        Item::new("Title", Value::text(contact.row.job_title.as_deref())),
    ]
}

/// The card of companies, also after the form on it was refused.
fn places(
    page: &Page,
    base: String,
    contact: &ContactView,
    memberships: &[Membership],
    choices: Vec<Choice>,
    refused: Option<(Vec<FieldError>, Typed)>,
) -> Places {
    let (wrong, typed) = refused.unwrap_or_default();
    let mut fields = link_fields(&typed, choices, memberships);
    let mut errors = form::place_errors(&mut fields, &wrong);
    if errors.is_empty() && fields.iter().any(|field| field.error.is_some()) {
        errors.push("This was not saved.".to_owned());
    }
    let may_edit = page.may_write() && contact.row.retired_at.is_none();
    Places { may_edit, companies: companies(page, &base, contact, memberships), errors, fields, base }
}

fn crumbs(page: &Page, companies: &[Membership]) -> Vec<Crumb> {
    let mut crumbs = vec![LIST.crumb(page)];
    if let Some(first) = companies.iter().find(|place| place.is_primary).or(companies.first()) {
        crumbs.push(link_to(address(page, &first.account_number), first.company_name.clone()));
    }
    crumbs
}

fn badges(contact: &ContactView) -> Vec<Value> {
    let mut badges = Vec::new();
    if contact.status() == "inactive" {
        badges.push(Value::badge("", "Inactive"));
    }
    if contact.row.vip_user {
        badges.push(Value::badge("gold", "VIP"));
    }
    if contact.row.is_agent {
        badges.push(Value::badge("info", "Agent"));
    }
    badges
}

/// The companies beside the first, which stands below with what else one needs.
fn lead(companies: &[Membership]) -> String {
    let names: Vec<&str> = companies.iter().map(|place| place.company_name.as_str()).collect();
    if names.len() > 1 { names.join(", ") } else { String::new() }
}

fn facts(page: &Page, contact: &ContactView, past: &RecordHistory) -> Vec<(&'static str, Vec<Item>)> {
    let facts = Facts { page, action: format!("/records/contact/{}/pin", contact.row.id), past };
    let mut person = facts.section(&contact.row, "Person", vec![("active", state(contact.row.active))]);
    let vendor = contact.external_id.map_or(Value::None, |id| Value::Code(id.to_string()));
    person.push(Item::new("Freshservice requester", vendor));
    vec![("Contact details", facts.section(&contact.row, "Contact details", Vec::new())), ("Person", person)]
}

fn companies(page: &Page, base: &str, contact: &ContactView, places: &[Membership]) -> Table {
    let may = page.may_write() && contact.row.retired_at.is_none();
    let lines = places.iter().map(|member| Line {
        cells: vec![
            Value::link(address(page, &member.account_number), member.company_name.clone()),
            Value::code(Some(&member.account_number)),
            place(member.is_primary, member.role.as_deref(), member.designation.as_deref(), true),
            Value::text(member.source.as_deref().map(words).as_deref()),
        ],
        post: may.then(|| Post {
            action: format!("{base}/companies/remove"),
            label: "Remove",
            confirm: format!("Remove {} from {}?", contact.row.name, member.company_name),
            fields: vec![("company_id", member.account_number.clone())],
        }),
    });
    Table {
        label: "Companies",
        heads: vec![("Company", "cell--main"), ("Account", "cell--sub"), ("Role", "cell--sub"), ("From", "")],
        lines: lines.collect(),
        empty: "This contact belongs to no company yet.",
        more: None,
    }
}

fn link_fields(typed: &Typed, mut choices: Vec<Choice>, places: &[Membership]) -> Vec<Field> {
    for choice in &mut choices {
        if places.iter().any(|place| place.account_number == choice.value) {
            choice.label.push_str(", change role");
        }
    }
    let words = |known: &[&str]| or_none(known.iter().map(|word| Choice::new(*word, words(word))).collect());
    vec![
        Field::select("company_id", "Company", typed.text("company_id"), choices).required(),
        Field::select("role", "Role", typed.text("role"), words(ROLES)),
        Field::select("designation", "Designation", typed.text("designation"), words(DESIGNATIONS)),
        Field::check("is_primary", "The company's primary contact", typed.is_on("is_primary")),
    ]
}
