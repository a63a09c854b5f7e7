//! What changed between two months, by company, and which changes of history made it so.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use axum::{extract::State, response::Response};
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::{
    cause::{CLIENT, Cause, Causes, PLAN, SUPPORT},
    counting::{Line, Receipt},
    model::Plan,
    month::Month,
    then::refuse_removed,
    trueup::{self, Asked, Trueup},
    trueup_store as counted,
};
use crate::{
    auth::BillingReader,
    companies::store as companies,
    compliance::RedactionPolicy,
    config::Config,
    contacts::Contact,
    db::Conn,
    error::{Error, Result},
    history::Record as _,
    tickets::Ticket,
    types::decimal,
    web::{ReadRequest, Web},
};

/// The months that are compared.
#[derive(Clone, Debug)]
pub struct Months {
    pub from: Month,
    pub to: Month,
}

impl Months {
    /// Those that a question names: the last two, unless it does.
    ///
    /// # Errors
    /// `Invalid` when one is none, or when they stand the wrong way round.
    pub fn read(from: Option<&str>, to: Option<&str>) -> Result<Self> {
        let to = to.map_or_else(|| Ok(Month::current()), |text| Month::begun("to", text))?;
        let from = from.map_or_else(|| Ok(to.previous()), |text| Month::begun("from", text))?;
        if from < to { Ok(Self { from, to }) } else { Err(Error::field("from", "must be an earlier month than to")) }
    }
}

/// A person or a device that is counted otherwise.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = BillingMove)]
pub struct Moved {
    pub entity: &'static str,
    pub id: i64,
    /// What it is called, as far as the reader may know.
    pub name: String,
    /// `came`, `went` or `changed`.
    pub change: &'static str,
    /// The line that counted it.
    pub from: Option<&'static str>,
    /// The line that counts it.
    pub to: Option<&'static str>,
    /// Why it is not counted any more, or was not yet.
    pub why: Option<String>,
    /// The change of it in history.
    pub cause: Option<Cause>,
}

/// A line that counts or costs something else.
#[derive(Clone, Debug)]
pub struct LineChange {
    pub key: &'static str,
    pub label: &'static str,
    pub counted: [i64; 2],
    /// How much is billed, where the plan or a managed count says so.
    pub billed: [Option<i64>; 2],
    pub unit: [Option<i64>; 2],
    pub amount: [Option<i64>; 2],
    /// The change of its price, or else of how much is billed.
    pub cause: Option<Cause>,
}

/// A term of the contract that is another one.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = BillingTermChange)]
pub struct TermChange {
    /// `plan`, `support_level`, `client`.
    pub what: &'static str,
    pub from: Option<String>,
    pub to: Option<String>,
    pub cause: Option<Cause>,
}

/// A company in both months.
#[derive(Debug)]
pub struct Compared {
    pub account_number: String,
    pub name: String,
    pub terms: Vec<TermChange>,
    pub lines: Vec<LineChange>,
    pub moved: Vec<Moved>,
    pub total: [Option<i64>; 2],
    /// What could not be known of either month, as sentences.
    pub unknown: Vec<String>,
}

/// Compares two months of one company, or of all clients; those in which nothing differs are left out.
pub fn compare(
    c: &mut Conn,
    config: &Config,
    months: &Months,
    company: Option<i64>,
    policy: &RedactionPolicy,
) -> Result<Vec<Compared>> {
    refuse_removed(c, &months.from, "from")?;
    let mut read = |month: &Month| {
        let asked = Asked::new(config, month.clone(), None);
        match company {
            Some(id) => Ok(vec![trueup::one(c, id, &asked)?]),
            None => trueup::of_clients(c, &asked),
        }
    };
    let (before, after) = (read(&months.from)?, read(&months.to)?);
    let causes = Causes::read(c, &months.from.end(), &months.to.end())?;
    let mut before: BTreeMap<i64, Trueup> = before.into_iter().map(|one| (one.company.id, one)).collect();
    let mut compared: Vec<Compared> = Vec::new();
    for now in after {
        let was = before.remove(&now.company.id);
        compared.extend(company_of(was.as_ref(), Some(&now), &causes));
    }
    compared.extend(before.values().filter_map(|was| company_of(Some(was), None, &causes)));
    name(c, &mut compared, policy)?;
    Ok(compared)
}

/// Only who has come, gone or changed is named, and noted as read.
fn name(c: &mut Conn, compared: &mut [Compared], policy: &RedactionPolicy) -> Result<()> {
    let people = || compared.iter().flat_map(|one| &one.moved).filter(|one| one.entity == Contact::ENTITY).map(|one| one.id);
    let ids: BTreeSet<i64> = people().collect();
    let names = counted::names(c, ids.into_iter().collect(), policy)?;
    for one in compared.iter_mut().flat_map(|company| &mut company.moved).filter(|one| one.entity == Contact::ENTITY) {
        one.name = names.get(&one.id).cloned().unwrap_or_else(|| format!("Contact {}", one.id));
    }
    Ok(())
}

fn company_of(was: Option<&Trueup>, is: Option<&Trueup>, causes: &Causes) -> Option<Compared> {
    let company = &is.or(was)?.company;
    let none = Vec::new();
    let (old, new) = (was.map_or(&none, |one| &one.lines), is.map_or(&none, |one| &one.lines));
    let terms = terms(was, is, company.id, causes);
    let plan = |one: Option<&Trueup>| one.and_then(|one| one.plan.as_ref().map(|plan| plan.id));
    let price = || {
        let prices = || plan(is).or(plan(was)).and_then(|plan| causes.of_plan(plan));
        let chosen = || causes.of_fields(company.id, PLAN);
        if plan(is) == plan(was) { prices().or_else(chosen) } else { chosen().or_else(prices) }
    };
    let billed = |fields: &[&str]| causes.of_fields(company.id, fields);
    let mut lines = lines(old, new, &price, &billed);
    lines.extend(totals(was, is, &billed));
    let moved = moved(old, new, causes);
    if terms.is_empty() && lines.is_empty() && moved.is_empty() {
        return None;
    }
    let mut unknown: Vec<String> = was.into_iter().chain(is).flat_map(|one| one.unknown.clone()).collect();
    unknown.dedup();
    Some(Compared {
        account_number: company.account_number.clone(),
        name: company.name.clone(),
        terms,
        lines,
        moved,
        total: [was.and_then(Trueup::total), is.and_then(Trueup::total)],
        unknown,
    })
}

fn terms(was: Option<&Trueup>, is: Option<&Trueup>, company: i64, causes: &Causes) -> Vec<TermChange> {
    let plan = |one: &Trueup| one.plan.as_ref().map(|Plan { name, term, .. }| format!("{name}, {term}"));
    let sides = [
        ("client", was.map(|_| "a client".to_owned()), is.map(|_| "a client".to_owned())),
        ("plan", was.and_then(plan), is.and_then(plan)),
        ("support_level", was.and_then(|one| one.support_level.clone()), is.and_then(|one| one.support_level.clone())),
    ];
    let differs = sides.into_iter().filter(|(_, from, to)| from != to);
    let fields = |what: &str| match what {
        "client" => CLIENT,
        "plan" => PLAN,
        _ => SUPPORT,
    };
    differs.map(|(what, from, to)| TermChange { what, from, to, cause: causes.of_fields(company, fields(what)) }).collect()
}

/// Totals of several lines of which another number is billed.
fn totals(was: Option<&Trueup>, is: Option<&Trueup>, billed: &dyn Fn(&[&str]) -> Option<Cause>) -> Vec<LineChange> {
    let managed = |one: Option<&Trueup>| -> BTreeMap<&'static str, (&'static str, i64)> {
        let totals = one.into_iter().flat_map(|one| &one.managed);
        totals.map(|(total, _, billed)| (total.key, (total.label, *billed))).collect()
    };
    // Also of a month for which nothing is said to be billed.
    let counted = |one: Option<&Trueup>, key: &str| {
        let lines = one.into_iter().flat_map(|one| &one.lines);
        lines.filter(|line| line.rule.is_of(key)).map(|line| line.counted).sum()
    };
    let (old, new) = (managed(was), managed(is));
    let keys: BTreeSet<&'static str> = old.keys().chain(new.keys()).copied().collect();
    let change = |key: &'static str| {
        let (from, to) = (old.get(key), new.get(key));
        let said = [from, to].map(|side| side.map(|(_, billed)| *billed));
        (said[0] != said[1]).then(|| LineChange {
            key,
            label: to.or(from).map_or(key, |(label, _)| label),
            counted: [was, is].map(|one| counted(one, key)),
            billed: said,
            unit: [None, None],
            amount: [None, None],
            // A total is called as the field that says it.
            cause: billed(&[key]),
        })
    };
    keys.into_iter().filter_map(change).collect()
}

fn lines(
    old: &[Line],
    new: &[Line],
    price: &dyn Fn() -> Option<Cause>,
    billed: &dyn Fn(&[&str]) -> Option<Cause>,
) -> Vec<LineChange> {
    let keys = if new.is_empty() { old } else { new };
    let find = |lines: &'_ [Line], key: &str| -> (i64, Option<i64>, Option<i64>, Option<i64>) {
        let line = lines.iter().find(|line| line.rule.key == key);
        line.map_or((0, None, None, None), |line| (line.counted, line.billed, line.unit, line.amount))
    };
    let change = |line: &Line| {
        let (was, is) = (find(old, line.rule.key), find(new, line.rule.key));
        (was != is).then(|| LineChange {
            key: line.rule.key,
            label: line.rule.label,
            counted: [was.0, is.0],
            billed: [was.1, is.1],
            unit: [was.2, is.2],
            amount: [was.3, is.3],
            cause: match (was.2 == is.2, was.1 == is.1) {
                (false, _) => price(),
                (true, false) => line.rule.said_by().and_then(|field| billed(&[field])).or_else(price),
                (true, true) => None,
            },
        })
    };
    keys.iter().filter_map(change).collect()
}

/// Where things are counted, and why others are not. Tickets are other ones every month: their lines tell of them.
fn placed(lines: &[Line]) -> HashMap<(&'static str, i64), (&Receipt, Option<&'static str>)> {
    let mut found = HashMap::new();
    for line in lines.iter().filter(|line| !line.rule.is_of_counted) {
        for receipt in line.left_out.iter().filter(|one| one.entity != Ticket::ENTITY) {
            found.entry((receipt.entity, receipt.id)).or_insert((receipt, None));
        }
        for receipt in line.receipts.iter().filter(|one| one.entity != Ticket::ENTITY) {
            found.insert((receipt.entity, receipt.id), (receipt, Some(line.rule.label)));
        }
    }
    found
}

fn moved(old: &[Line], new: &[Line], causes: &Causes) -> Vec<Moved> {
    let (was, is) = (placed(old), placed(new));
    let keys: BTreeSet<&(&'static str, i64)> = was.keys().chain(is.keys()).collect();
    let one = |(entity, id): &(&'static str, i64)| {
        let (before, after) = (was.get(&(*entity, *id)), is.get(&(*entity, *id)));
        let line = |side: Option<&(&Receipt, Option<&'static str>)>| side.and_then(|(_, line)| *line);
        let why = |side: Option<&(&Receipt, Option<&'static str>)>| side.map(|(receipt, _)| receipt.why.clone());
        let (change, why) = match (line(before), line(after)) {
            (None, Some(_)) => ("came", why(before)),
            (Some(_), None) => ("went", why(after)),
            (Some(from), Some(to)) if from != to => ("changed", None),
            _ => return None,
        };
        let name = after.or(before).map(|(receipt, _)| receipt.name.clone()).unwrap_or_default();
        let (from, to) = (line(before), line(after));
        Some(Moved { entity, id: *id, name, change, from, to, why, cause: causes.of(entity, *id) })
    };
    keys.into_iter().filter_map(one).collect()
}

impl Compared {
    fn json(&self) -> Json {
        let quantity = |thousandths: i64| decimal::number(thousandths, 3);
        let money = |cents: Option<i64>| cents.map(|cents| decimal::number(cents, 2));
        let line = |line: &LineChange| {
            json!({
                "key": line.key, "label": line.label,
                "counted": { "from": quantity(line.counted[0]), "to": quantity(line.counted[1]) },
                "billed": { "from": line.billed[0].map(quantity), "to": line.billed[1].map(quantity) },
                "unit_cost": { "from": money(line.unit[0]), "to": money(line.unit[1]) },
                "amount": { "from": money(line.amount[0]), "to": money(line.amount[1]) },
                "cause": line.cause,
            })
        };
        json!({
            "company": { "account_number": self.account_number, "name": self.name },
            "terms": self.terms, "lines": self.lines.iter().map(line).collect::<Vec<_>>(), "records": self.moved,
            "total": { "from": money(self.total[0]), "to": money(self.total[1]) }, "unknown": self.unknown,
        })
    }
}

/// `GET /api/billing/compare?from=&to=&company=`
pub async fn show(State(web): State<Web>, reader: BillingReader, request: ReadRequest) -> Result<Response> {
    let months = Months::read(request.query.text("from")?, request.query.text("to")?)?;
    let company = request.query.text("company")?.map(str::to_owned);
    let policy = RedactionPolicy::of(&reader, &web.config, &request.query)?;
    let config = web.config.clone();
    let read = move |c: &mut Conn| {
        let company = company.map(|key| companies::id_of(c, &key)).transpose()?;
        let found = compare(c, &config, &months, company, &policy)?;
        let found: Vec<Json> = found.iter().map(Compared::json).collect();
        Ok(json!({ "from": months.from.as_str(), "to": months.to.as_str(), "companies": found }))
    };
    let told = web.db.read(&reader.scope(), read).await?;
    request.value(&told)
}
