//! Frozen months as pages: which there are, one of them to print, and what changed between two months.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};

use super::{
    cause::Cause,
    compare::{Compared, Months, compare},
    freeze::{count, keep},
    month::Month,
    snapshot::{Content, FrozenReceipt},
    snapshot_api::API,
    snapshot_store::{self as store, Snapshot, Wanted},
    trueup_store as counted,
};
use crate::{
    agents::PageContext,
    auth::{BillingEditor, BillingReader},
    companies::store as companies,
    compliance::RedactionPolicy,
    contacts::Contact,
    db::{Conn, Write},
    error::{Error, Result},
    history::Record as _,
    types::decimal,
    ui::{Crumb, Line as TableLine, Page, Section, Table, Value, filters, time},
    web::{Fields, Path, Web, encode_segment},
};

/// The list.
const PAGE: &str = "/billing/snapshots";
/// The most that a page shows.
const MOST: i64 = 1_000;

#[derive(Template)]
#[template(path = "billing/snapshots.html")]
struct SnapshotsPage {
    page: Page,
    month: String,
    /// The last month that has ended.
    last: String,
    table: Table,
    may_freeze: bool,
}

/// `GET /billing/snapshots[?month=]`
pub async fn index(State(web): State<Web>, _: BillingReader, context: PageContext) -> Result<Response> {
    let month = context.query.text("month")?.map(|text| Month::named("month", text)).transpose()?;
    let wanted = Wanted { month: month.as_ref().map(|month| month.as_str().to_owned()), ..Wanted::default() };
    let (found, _) = web.db.read(&context.scope(), move |c| store::list(c, &wanted, MOST, 0)).await?;
    let page = context.titled(Section::Billing, "Frozen months");
    let currency = &web.config.display.currency;
    let line = |one: &Snapshot| {
        let kind = if one.label.adjusts.is_some() { Value::badge("warning", "Adjustment") } else { Value::words("Snapshot") };
        TableLine {
            cells: vec![
                Value::link(page.url(&format!("{PAGE}/{}", one.id)), one.company.clone()),
                Value::words(time::month(&one.label.month)),
                kind,
                Value::date(Some(&one.label.frozen_at)),
                Value::words(one.frozen_by.clone()),
                Value::code(one.sha256.get(..12)),
                Value::Count(one.total.map_or_else(|| "–".to_owned(), |cents| decimal::money(cents, currency))),
            ],
            post: None,
        }
    };
    let table = Table {
        label: "Frozen months",
        heads: vec![
            ("Company", "cell--main"),
            ("Month", "cell--end"),
            ("Kind", "cell--end"),
            ("Frozen", "cell--end"),
            ("By", "cell--end"),
            ("SHA-256", "cell--end"),
            ("By the plan", "cell--number"),
        ],
        lines: found.iter().map(line).collect(),
        empty: "No month has been frozen yet.",
        more: None,
    };
    let last = Month::current().previous().as_str().to_owned();
    let month = month.map_or_else(String::new, |month| month.as_str().to_owned());
    context.show(&SnapshotsPage { month, last, table, may_freeze: context.caller.edits_billing(), page })
}

/// `POST /billing/snapshots/freeze`
pub async fn save(State(web): State<Web>, editor: BillingEditor, context: PageContext, mut fields: Fields) -> Result<Response> {
    let month = fields.text("month").required().value().unwrap_or_default();
    let company = fields.key("company").max(50).value();
    let force = fields.bool("force").value().unwrap_or(false);
    fields.finish()?;
    let back = company.as_ref().map_or_else(
        || format!("{PAGE}?month={}", encode_segment(&month)),
        |key| format!("/billing/trueup?company={}&month={}", encode_segment(key), encode_segment(&month)),
    );
    let wanted = match Month::named("month", &month) {
        Ok(month) => month,
        Err(error) => return context.go_sorry(PAGE, &format!("Nothing was frozen: {error}.")),
    };
    let config = Arc::clone(&web.config);
    let read = move |c: &mut Conn| {
        let company = company.map(|key| companies::id_of(c, &key)).transpose()?;
        count(c, &config, &wanted, company, force)
    };
    let frozen = match web.db.read(&editor.scope(), read).await {
        Ok(counted) => web.db.write(&editor.scope(), &editor.actor(), move |w: &mut Write<'_>| keep(w, counted)).await,
        Err(error) => Err(error),
    };
    match frozen {
        Ok(frozen) => match frozen.made.as_slice() {
            [one] => context.go(&format!("{PAGE}/{}", one.id), &format!("{}.", frozen.words())),
            _ => context.go(&back, &format!("{}.", frozen.words())),
        },
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. })) => {
            context.go_sorry(&back, &format!("Nothing was frozen: {error}."))
        }
        Err(other) => Err(other),
    }
}

/// A record under its line.
struct ShownReceipt {
    name: String,
    quantity: String,
    why: String,
}

/// A line as it is printed.
struct ShownLine {
    label: String,
    rule: String,
    counted: String,
    billed: String,
    unit: String,
    amount: String,
    note: Option<String>,
    counted_receipts: Vec<ShownReceipt>,
    left_out: Vec<ShownReceipt>,
}

/// A line that has come out differently.
struct ShownDifference {
    label: String,
    counted: (String, String),
    amount: (String, String),
    by: String,
    words: Vec<String>,
}

#[derive(Template)]
#[template(path = "billing/snapshot.html")]
struct SnapshotPage {
    page: Page,
    crumbs: Vec<Crumb>,
    company: String,
    account: String,
    month: String,
    kind: &'static str,
    is_partial: bool,
    plan: String,
    frozen_at: String,
    frozen_by: String,
    total: String,
    sha256: String,
    file: String,
    csv: String,
    family: Vec<(String, String, bool)>,
    lines: Vec<ShownLine>,
    managed: Vec<(String, String, String)>,
    differences: Vec<ShownDifference>,
    unknown: Vec<String>,
}

/// `GET /billing/snapshots/{id}`
pub async fn show(State(web): State<Web>, _: BillingReader, context: PageContext, Path(id): Path<i64>) -> Result<Response> {
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let read = move |c: &mut Conn| {
        let (snapshot, content) = store::get(c, id)?;
        let first = snapshot.label.adjusts.unwrap_or(snapshot.id);
        let (family, _) = store::list(c, &Wanted { family: Some(first), ..Wanted::default() }, MOST, 0)?;
        let names = counted::names(c, content.contacts(), &policy)?;
        Ok((snapshot, content, family, names))
    };
    let (snapshot, content, family, names) = web.db.read(&context.scope(), read).await?;
    let currency = web.config.display.currency.clone();
    let money = |cents: Option<i64>| cents.map_or_else(|| "–".to_owned(), |cents| decimal::money(cents, &currency));
    let page = context.titled(Section::Billing, format!("{}, {}", snapshot.company, time::month(&snapshot.label.month)));
    let receipt = |one: &FrozenReceipt| {
        let known = names.get(&one.id).filter(|_| one.entity == Contact::ENTITY);
        ShownReceipt { name: known.unwrap_or(&one.name).clone(), quantity: decimal::plain(one.quantity, 3), why: one.why.clone() }
    };
    let lines = shown_lines(&content, &receipt, &money);
    let account: String = snapshot.account_number.chars().filter(char::is_ascii_alphanumeric).collect();
    let built = SnapshotPage {
        crumbs: vec![Crumb { href: page.url(PAGE), text: "Frozen months".to_owned() }],
        company: content.company.clone(),
        account: content.account_number.clone(),
        month: snapshot.label.month.clone(),
        kind: if snapshot.label.adjusts.is_some() { "Adjustment" } else { "Snapshot" },
        is_partial: snapshot.label.is_partial,
        plan: match (&content.plan, &content.term) {
            (Some(plan), Some(term)) => {
                let level = content.support_level.as_deref().map_or_else(String::new, |level| format!(", {level}"));
                format!("{plan}, {term}{level}")
            }
            _ => "no plan".to_owned(),
        },
        frozen_at: time::exact(&snapshot.label.frozen_at),
        frozen_by: snapshot.frozen_by.clone(),
        total: money(content.total),
        file: format!("{account}-{}-{}.csv", snapshot.label.month, snapshot.label.number),
        csv: page.url(&format!("{API}/{}.csv", snapshot.id)),
        sha256: snapshot.sha256.clone(),
        family: family.iter().map(|one| family_of(&page, one, snapshot.id)).collect(),
        managed: content
            .managed
            .iter()
            .map(|total| (total.label.clone(), decimal::plain(total.counted, 3), decimal::plain(total.billed, 3)))
            .collect(),
        differences: content
            .differences
            .iter()
            .map(|one| ShownDifference {
                label: one.label.clone(),
                counted: (one.side(0), one.side(1)),
                amount: (money(one.amount[0]), money(one.amount[1])),
                by: money(one.amount.iter().any(Option::is_some).then(|| one.amount_by())),
                words: one.words(),
            })
            .collect(),
        unknown: content.unknown.clone(),
        lines,
        page,
    };
    context.show(&built)
}

fn family_of(page: &Page, one: &Snapshot, shown: i64) -> (String, String, bool) {
    let name = if one.label.adjusts.is_some() { format!("Adjustment {}", one.label.number - 1) } else { "Snapshot".to_owned() };
    let at = time::date(&one.label.frozen_at);
    (page.url(&format!("{PAGE}/{}", one.id)), format!("{name}, {at}"), one.id == shown)
}

fn shown_lines(
    content: &Content,
    receipt: &dyn Fn(&FrozenReceipt) -> ShownReceipt,
    money: &dyn Fn(Option<i64>) -> String,
) -> Vec<ShownLine> {
    let line = |line: &super::snapshot::FrozenLine| ShownLine {
        label: line.label.clone(),
        rule: line.rule.clone(),
        counted: decimal::plain(line.counted, 3),
        billed: line.billed.map_or_else(|| "–".to_owned(), |billed| decimal::plain(billed, 3)),
        unit: money(line.unit),
        amount: money(line.amount),
        note: line.note.clone(),
        counted_receipts: line.receipts.iter().map(receipt).collect(),
        left_out: line.left_out.iter().map(receipt).collect(),
    };
    content.lines.iter().map(line).collect()
}

/// A sentence, and the change of history behind it.
struct ShownChange {
    what: String,
    detail: String,
    badge: (&'static str, &'static str),
    cause: String,
}

/// What changed of a company.
struct ShownCompany {
    name: String,
    href: String,
    total: String,
    changes: Vec<ShownChange>,
    unknown: Vec<String>,
}

#[derive(Template)]
#[template(path = "billing/compare.html")]
struct ComparePage {
    page: Page,
    from: String,
    to: String,
    account: String,
    companies: Vec<ShownCompany>,
}

/// `GET /billing/compare[?from=&to=&company=]`
pub async fn changes(State(web): State<Web>, _: BillingReader, context: PageContext) -> Result<Response> {
    let months = Months::read(context.query.text("from")?, context.query.text("to")?)?;
    let account = context.query.text("company")?.filter(|key| !key.is_empty()).map(str::to_owned);
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let (config, key, asked) = (Arc::clone(&web.config), account.clone(), months.clone());
    let read = move |c: &mut Conn| {
        let company = key.map(|key| companies::id_of(c, &key)).transpose()?;
        compare(c, &config, &asked, company, &policy)
    };
    let found = web.db.read(&context.scope(), read).await?;
    let page = context.titled(Section::Billing, "Changes");
    let currency = web.config.display.currency.clone();
    let companies = found.iter().map(|one| shown_company(&page, one, &months, &currency)).collect();
    let (from, to) = (months.from.as_str().to_owned(), months.to.as_str().to_owned());
    context.show(&ComparePage { from, to, account: account.unwrap_or_default(), companies, page })
}

fn shown_company(page: &Page, compared: &Compared, months: &Months, currency: &str) -> ShownCompany {
    let money = |cents: Option<i64>| cents.map_or_else(|| "–".to_owned(), |cents| decimal::money(cents, currency));
    let words = |cause: Option<&Cause>| cause.map(Cause::words).unwrap_or_default();
    let none = || "none".to_owned();
    let mut changes: Vec<ShownChange> = Vec::new();
    for term in &compared.terms {
        let what = match term.what {
            "plan" => "Plan",
            "client" => "Client",
            _ => "Support level",
        };
        changes.push(ShownChange {
            what: what.to_owned(),
            detail: format!("{} → {}", term.from.clone().unwrap_or_else(none), term.to.clone().unwrap_or_else(none)),
            badge: ("info", "Contract"),
            cause: words(term.cause.as_ref()),
        });
    }
    for one in &compared.moved {
        let badge = match one.change {
            "came" => ("success", "Added"),
            "went" => ("danger", "Removed"),
            _ => ("warning", "Changed"),
        };
        let detail = match (one.from, one.to) {
            (Some(from), Some(to)) => format!("{from} → {to}"),
            (from, to) => [from.or(to).map(str::to_owned), one.why.clone()].into_iter().flatten().collect::<Vec<_>>().join("; "),
        };
        changes.push(ShownChange { what: one.name.clone(), detail, badge, cause: words(one.cause.as_ref()) });
    }
    for line in &compared.lines {
        let price = if line.unit[0] == line.unit[1] {
            String::new()
        } else {
            format!("; each {} → {}", money(line.unit[0]), money(line.unit[1]))
        };
        let amount = match line.amount {
            [None, None] => String::new(),
            [was, is] => format!(", {} → {}", money(was), money(is)),
        };
        let counted = (decimal::plain(line.counted[0], 3), decimal::plain(line.counted[1], 3));
        let said = line.billed.map(|billed| billed.map_or_else(|| "not said".to_owned(), |billed| decimal::plain(billed, 3)));
        let billed = if said[0] == said[1] { String::new() } else { format!("; billed {} → {}", said[0], said[1]) };
        let what = if line.counted[0] != line.counted[1] {
            "Quantity"
        } else if line.unit[0] != line.unit[1] {
            "Price"
        } else if line.billed[0] != line.billed[1] {
            "Billed"
        } else {
            "Amount"
        };
        changes.push(ShownChange {
            what: line.label.to_owned(),
            detail: format!("{} → {}{amount}{price}{billed}", counted.0, counted.1),
            badge: ("info", what),
            cause: words(line.cause.as_ref()),
        });
    }
    ShownCompany {
        name: compared.name.clone(),
        href: page.url(&format!(
            "/billing/trueup?company={}&month={}",
            encode_segment(&compared.account_number),
            months.to.as_str()
        )),
        total: match compared.total {
            [None, None] => "No price".to_owned(),
            [was, is] => format!("{} → {}", money(was), money(is)),
        },
        changes,
        unknown: compared.unknown.clone(),
    }
}
