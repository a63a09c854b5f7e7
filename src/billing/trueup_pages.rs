//! The true-up as a page, with what decides how a company is counted.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use super::{
    counting::{CONTACTS, Exclusion, Line, Receipt, Settings},
    month::Month,
    resource::{CompanySettings, Exclusions},
    trueup::{Asked, Trueup, of_clients, one as of_company},
};
use crate::{
    agents::PageContext,
    auth::{BillingEditor, BillingReader},
    companies::store as companies,
    compliance::RedactionPolicy,
    contacts::model::ROLES,
    db::{Conn, Write},
    error::{Error, Result},
    resource::{Resource, form_page::CHANGED_SINCE},
    types::decimal,
    ui::{Choice, Crumb, Field, Line as TableLine, Page, Section, Table, Value, filters, form},
    web::{Fields, Web, encode_segment},
};

/// The page.
const PAGE: &str = "/billing/trueup";

/// One line of the page.
struct Shown {
    key: &'static str,
    label: &'static str,
    rule: &'static str,
    counted: String,
    billed: String,
    difference: String,
    differs: bool,
    unit: String,
    amount: String,
    note: Option<String>,
    /// Whether single things are left out here, and not where another line counts them.
    can_leave_out: bool,
    receipts: Vec<Receipt>,
    left_out: Vec<Receipt>,
}

#[derive(Template)]
#[template(path = "billing/trueup.html")]
struct TrueupPage {
    page: Page,
    crumbs: Vec<Crumb>,
    month: String,
    account: String,
    plan: String,
    lines: Vec<Shown>,
    managed: Vec<(&'static str, String, String, String)>,
    total: String,
    /// What is left out by hand: what it is called, and why.
    exclusions: Vec<(String, Exclusion)>,
    settings: Vec<Field>,
    /// The revision of the settings that the form shows.
    rev: String,
    problems: Vec<String>,
    unknown: Vec<String>,
    /// Whether the month has ended: then it can be frozen.
    is_over: bool,
    may_edit: bool,
}

#[derive(Template)]
#[template(path = "billing/trueups.html")]
struct TrueupsPage {
    page: Page,
    month: String,
    table: Table,
}

/// `GET /billing/trueup[?company=&month=]`
pub async fn show(State(web): State<Web>, _: BillingReader, context: PageContext) -> Result<Response> {
    let month = Month::read(context.query.text("month")?)?;
    match context.query.text("company")?.map(str::to_owned) {
        Some(key) => one(&web, &context, key, month, StatusCode::OK, None).await,
        None => all(&web, &context, month).await,
    }
}

async fn all(web: &Web, context: &PageContext, month: Month) -> Result<Response> {
    let asked = Asked::new(&web.config, month.clone(), None);
    let all = web.db.read(&context.scope(), move |c| of_clients(c, &asked)).await?;
    let page = context.titled(Section::Billing, "True-up");
    let currency = &web.config.display.currency;
    let line = |trueup: &Trueup| {
        let row = &trueup.company;
        let href = page.url(&format!("{PAGE}?company={}&month={}", encode_segment(&row.account_number), month.as_str()));
        let count = |key: &str| {
            let line = trueup.lines.iter().find(|line| line.rule.key == key);
            Value::Count(line.map_or_else(String::new, |line| decimal::plain(line.counted, 3)))
        };
        let differs = match trueup.differences() {
            0 => Value::None,
            1 => Value::badge("warning", "1 difference"),
            more => Value::badge("warning", format!("{more} differences")),
        };
        TableLine {
            cells: vec![
                Value::link(href, row.name.clone()),
                Value::text(trueup.plan.as_ref().map(|plan| format!("{}, {}", plan.name, plan.term)).as_deref()),
                count("users"),
                count("workstations"),
                count("servers"),
                count("ticket_hours"),
                differs,
                Value::Count(trueup.total().map_or_else(|| "–".to_owned(), |cents| decimal::money(cents, currency))),
            ],
            post: None,
        }
    };
    let table = Table {
        label: "True-up",
        heads: vec![
            ("Company", "cell--main"),
            ("Plan", "cell--cut"),
            ("Users", "cell--number"),
            ("Workstations", "cell--number"),
            ("Servers", "cell--number"),
            ("Ticket hours", "cell--number"),
            ("Billed", "cell--sub"),
            ("By the plan", "cell--number cell--end"),
        ],
        lines: all.iter().map(line).collect(),
        empty: "No clients yet.",
        more: None,
    };
    context.show(&TrueupsPage { month: month.as_str().to_owned(), table, page })
}

async fn one(
    web: &Web,
    context: &PageContext,
    key: String,
    month: Month,
    status: StatusCode,
    refused: Option<(Error, String)>,
) -> Result<Response> {
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let asked = Asked::new(&web.config, month.clone(), Some(policy));
    let read_one = move |c: &mut Conn| {
        let id = companies::id_of(c, &key)?;
        of_company(c, id, &asked)
    };
    let trueup = web.db.read(&context.scope(), read_one).await?;
    let page = context.titled(Section::Billing, format!("True-up of {}", trueup.company.name));
    let currency = &web.config.display.currency;
    let plain = |quantity: i64| decimal::plain(quantity, 3);
    let mut settings = settings_form(&trueup.settings);
    let (mut rev, mut problems) = (trueup.settings.rev.to_string(), Vec::new());
    if let Some((error, shown)) = refused {
        rev = shown;
        match error {
            Error::Invalid(wrong) => problems = form::place_errors(&mut settings, &wrong),
            Error::PreconditionFailed => problems.push(CHANGED_SINCE.to_owned()),
            other => problems.push(other.to_string()),
        }
    }
    let built = TrueupPage {
        crumbs: vec![
            Crumb { href: page.url(&format!("{PAGE}?month={}", month.as_str())), text: "True-up".to_owned() },
            Crumb {
                href: page.url(&format!("/companies/{}", encode_segment(&trueup.company.account_number))),
                text: trueup.company.name.clone(),
            },
        ],
        month: month.as_str().to_owned(),
        account: trueup.company.account_number.clone(),
        plan: match (&trueup.plan, trueup.company.plan.as_deref()) {
            (Some(plan), _) => format!("{}, {}", plan.name, plan.term),
            (None, Some(name)) if !name.is_empty() => format!("{name}: no billing plan has this name and term"),
            (None, _) => "No plan".to_owned(),
        },
        total: trueup.total().map_or_else(|| "–".to_owned(), |cents| decimal::money(cents, currency)),
        managed: trueup
            .managed
            .iter()
            .map(|(total, counted, billed)| (total.label, plain(*counted), plain(*billed), plain(counted - billed)))
            .collect(),
        unknown: trueup.unknown.clone(),
        is_over: trueup.as_of.is_some(),
        rev,
        problems,
        may_edit: context.caller.edits_billing(),
        settings,
        lines: trueup.lines.iter().map(|line| shown(line, currency)).collect(),
        exclusions: named(&trueup.lines, trueup.exclusions),
        page,
    };
    context.show_as(status, &built)
}

/// Each exclusion with the name of its record, as the lines that leave it out have it.
fn named(lines: &[Line], exclusions: Vec<Exclusion>) -> Vec<(String, Exclusion)> {
    let receipts = || lines.iter().flat_map(|line| line.left_out.iter().chain(&line.receipts));
    let name = |one: &Exclusion| {
        let found = receipts().find(|receipt| receipt.entity == one.entity && receipt.id == one.entity_id);
        found.map_or_else(|| format!("{} {}", one.entity.replace('_', " "), one.entity_id), |receipt| receipt.name.clone())
    };
    exclusions.into_iter().map(|one| (name(&one), one)).collect()
}

fn shown(line: &Line, currency: &str) -> Shown {
    let plain = |quantity: i64| decimal::plain(quantity, 3);
    let difference = line.difference();
    let more = difference.filter(|more| *more > 0).map_or("", |_| "+");
    let money = |cents: Option<i64>| cents.map_or_else(|| "–".to_owned(), |cents| decimal::money(cents, currency));
    Shown {
        key: line.rule.key,
        label: line.rule.label,
        rule: line.rule.counts,
        counted: plain(line.counted),
        billed: line.billed.map_or_else(|| "–".to_owned(), plain),
        difference: difference.map_or_else(|| "–".to_owned(), |by| format!("{more}{}", plain(by))),
        differs: line.differs(),
        unit: money(line.unit),
        amount: money(line.amount),
        note: line.note.clone(),
        can_leave_out: !line.rule.is_of_counted,
        receipts: line.receipts.clone(),
        left_out: line.left_out.clone(),
    }
}

fn settings_form(settings: &Settings) -> Vec<Field> {
    let words = |word: &&str| match *word {
        "active" => Choice::new(*word, "Active"),
        "all" => Choice::new(*word, "Any, active or not"),
        other => Choice::new(other, "Active with a role"),
    };
    let mut roles = vec![Choice::new("", "–")];
    roles.extend(ROLES.iter().map(|role| Choice::word(role)));
    let hours = settings.default_ticket_hours_hundredths.map(|hours| decimal::plain(hours, 2)).unwrap_or_default();
    vec![
        Field::select(
            "count_contacts",
            "Contacts counted as users",
            settings.count_contacts.clone(),
            CONTACTS.iter().map(words).collect(),
        ),
        Field::select("contact_role", "With the role", settings.contact_role.clone().unwrap_or_default(), roles),
        Field::check("vms_as_servers", "Count virtual machines as servers", settings.vms_as_servers),
        Field::check("leave_out_archived", "Leave out archived devices", settings.leave_out_archived),
        Field::text("default_ticket_hours", "Hours of a closed ticket without time", hours),
    ]
}

/// Where a company's month is shown.
fn back(fields: &Fields) -> (String, String) {
    let key = fields.raw_text("company").unwrap_or_default().to_owned();
    let month = fields.raw_text("month").unwrap_or_default();
    (format!("{PAGE}?company={}&month={}", encode_segment(&key), encode_segment(month)), key)
}

/// `POST /billing/trueup/settings`
pub async fn save_settings(
    State(web): State<Web>,
    editor: BillingEditor,
    context: PageContext,
    fields: Fields,
) -> Result<Response> {
    let (path, key) = back(&fields);
    let month = Month::read(fields.raw_text("month").filter(|month| !month.is_empty()))?;
    let shown = fields.raw_text("rev").unwrap_or_default().to_owned();
    let (wanted, rev) = (key.clone(), shown.parse().ok());
    let saved = match CompanySettings::read(fields, false) {
        Ok(input) => {
            let work = move |w: &mut Write<'_>| {
                let id = CompanySettings::id(w, &wanted)?;
                CompanySettings::update(w, id, &input, rev, &())
            };
            web.db.write(&editor.scope(), &editor.actor(), work).await
        }
        Err(error) => Err(error),
    };
    match saved {
        Ok(_) => context.go(&path, "The settings were saved."),
        Err(error @ Error::Invalid(_)) => one(&web, &context, key, month, StatusCode::BAD_REQUEST, Some((error, shown))).await,
        Err(error @ Error::PreconditionFailed) => {
            one(&web, &context, key, month, StatusCode::CONFLICT, Some((error, shown))).await
        }
        Err(other) => Err(other),
    }
}

/// `POST /billing/trueup/exclude`
pub async fn exclude(State(web): State<Web>, editor: BillingEditor, context: PageContext, fields: Fields) -> Result<Response> {
    let (path, _) = back(&fields);
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let input = match Exclusions::read(fields, true) {
        Ok(input) => input,
        Err(error @ Error::Invalid(_)) => return context.go_sorry(&path, &format!("Nothing was left out: {error}.")),
        Err(other) => return Err(other),
    };
    let work = move |w: &mut Write<'_>| Exclusions::create(w, &(), &input, &policy).map(drop);
    web.db.write(&editor.scope(), &editor.actor(), work).await?;
    context.go(&path, "Left out.")
}

/// `POST /billing/trueup/include`
pub async fn include(
    State(web): State<Web>,
    editor: BillingEditor,
    context: PageContext,
    mut fields: Fields,
) -> Result<Response> {
    let (path, _) = back(&fields);
    let id = fields.int("id").required().value();
    fields.finish()?;
    let id = id.ok_or_else(|| Error::field("id", "is required"))?;
    web.db.write(&editor.scope(), &editor.actor(), move |w| Exclusions::retire(w, id, false)).await?;
    context.go(&path, "Counted again.")
}
