//! Companies in the database.

use std::collections::{BTreeMap, HashMap};

use super::{
    contract,
    location::Location,
    model::{Company, CompanyView, Named},
    rules::{self, CompanyInput},
};
use crate::{
    compliance::{Level, Personal, RedactionPolicy, Veiled},
    config::{freshservice, service_desk},
    db::{Conn, Row, Write},
    entity::Patch,
    error::{Error, OnConstraint as _, Result},
    history::{self, Record, Updated, merges, protection, ranks},
    params,
    types::Scope,
    web::{Reference, Sent},
};

/// The Freshservice id beside a row: the smallest when a company is several departments.
pub const FRESHSERVICE_ID: &str = concat!(
    "(SELECT min(link.external_id) FROM links link
    WHERE link.entity = 'company' AND link.entity_id = company.id AND link.system = '",
    service_desk!(),
    "' AND NOT link.is_merged)"
);

/// The company above and the contact who gets the invoices, as far as they are within the reader's scope: the bare
/// id of somebody else's row tells a client that it exists.
pub const PARENT: &str = "(SELECT above.id FROM @companies above WHERE above.id = company.parent_id)";
/// As [`PARENT`].
pub const BILLING_CONTACT: &str = "(SELECT billed.id FROM @contacts billed WHERE billed.id = company.billing_contact_id)";

/// The plan that a company's plan and term name.
macro_rules! plan {
    () => {
        "FROM @billing_plans plan WHERE plan.retired_at IS NULL AND plan.name_key = company.plan_key AND plan.term_key = company.term_key"
    };
}

/// The support level of a company's plan.
const PLAN_SUPPORT_LEVEL: &str = concat!("(SELECT plan.support_level ", plan!(), ")");
/// A company's own support level, or its plan's.
pub const SUPPORT_LEVEL: &str = concat!("COALESCE(company.support_level, (SELECT plan.support_level ", plan!(), "))");
/// Whether there is such a plan where a company names one.
pub const HAS_PLAN: &str = concat!("(company.plan_key IS NULL OR EXISTS (SELECT 1 ", plan!(), "))");

/// Reads a row selected as [`select`].
///
/// # Errors
/// `Internal` when a column holds another type.
pub fn view(row: &Row) -> Result<Veiled<CompanyView>> {
    let at = Company::width();
    let freshservice_id: Option<String> = row.get(at)?;
    let company = Company::from_row(row, 0)?;
    let visible = Company { parent_id: row.get(at + 1)?, billing_contact_id: row.get(at + 2)?, ..company };
    let view = CompanyView::new(visible, freshservice_id.as_deref());
    let mut named = [Named::default(); 3];
    for (place, at) in named.iter_mut().zip(at + 3..) {
        *place = Named { protection: Level::from_rank(row.get(at)?), is_met: row.get(at + 3)? };
    }
    Ok(Veiled::new(CompanyView { named, plan_support_level: row.get(at + 9)?, ..view }))
}

/// What [`view`] reads.
#[must_use]
pub fn select() -> String {
    let people = [[ranks::HEAD, ranks::PRIME, ranks::FIRST], ranks::MET].concat().join(", ");
    format!("{}, {FRESHSERVICE_ID}, {PARENT}, {BILLING_CONTACT}, {people}, {PLAN_SUPPORT_LEVEL}", Company::SELECT)
}

/// The id behind a key in an address: account number first, then integer id (contract §1.1.4).
///
/// # Errors
/// `NotFound`.
pub fn id_of(c: &mut Conn, key: &str) -> Result<i64> {
    find_id(c, key)?.ok_or(Error::NotFound { what: "Company" })
}

/// The company with this account number; an id is none.
pub fn numbered(c: &mut Conn, key: &str) -> Result<Option<i64>> {
    let sql = "SELECT company.id FROM @companies company WHERE company.account_number = ?1";
    c.first(sql, params![key])?.map(|row| row.get(0)).transpose()
}

/// As [`id_of`], `None` when there is no such company.
pub fn find_id(c: &mut Conn, key: &str) -> Result<Option<i64>> {
    if let Some(id) = numbered(c, key)? {
        return Ok(Some(id));
    }
    let Some(id) = key.parse::<i64>().ok().filter(|_| key.bytes().all(|b| b.is_ascii_digit())) else { return Ok(None) };
    c.first("SELECT company.id FROM @companies company WHERE company.id = ?1", params![id])?.map(|row| row.get(0)).transpose()
}

/// As [`find_id`], for the filter of a list: a company that was merged into another is that one, where its records are now.
pub fn find_standing_id(c: &mut Conn, key: &str) -> Result<Option<i64>> {
    let Some(id) = find_id(c, key)? else { return Ok(None) };
    Ok(Some(merges::winner(c, Company::ENTITY, id)?.unwrap_or(id)))
}

/// The company that a write refers to.
///
/// # Errors
/// `Invalid`, naming the field, when there is no such company.
pub fn resolve(c: &mut Conn, field: &str, reference: &Reference) -> Result<i64> {
    let found = match reference {
        Reference::Key(key) => find_id(c, key)?,
        Reference::Id(id) => c
            .first("SELECT company.id FROM @companies company WHERE company.id = ?1", params![*id])?
            .map(|row| row.get(0))
            .transpose()?,
    };
    found.ok_or_else(|| Error::field(field, format!("there is no company {reference}")))
}

/// One company's wire shape.
///
/// # Errors
/// `NotFound`.
pub fn get_view(c: &mut Conn, id: i64) -> Result<Veiled<CompanyView>> {
    let sql = format!("SELECT {} FROM @companies company WHERE company.id = ?1", select());
    c.first(&sql, params![id])?.map(|row| view(&row)).transpose()?.ok_or(Error::NotFound { what: "Company" })
}

/// Every company that is not retired, by name.
pub fn all_views(c: &mut Conn) -> Result<Vec<Veiled<CompanyView>>> {
    let sql = format!(
        "SELECT {} FROM @companies company WHERE company.retired_at IS NULL ORDER BY company.name_folded, company.account_number",
        select()
    );
    c.map(&sql, params![], view)
}

/// Adds a company; one without an account number gets a free one. A caller with a policy names people only if they may.
///
/// # Errors
/// `Conflict` for a number that is taken, `Invalid` for references that lead nowhere.
pub fn create(w: &mut Write<'_>, input: &CompanyInput, policy: Option<&RedactionPolicy>) -> Result<Company> {
    if *w.scope() != Scope::All {
        return Err(Error::Forbidden("Whoever is limited to some companies cannot add one".to_owned()));
    }
    let mut company = Company {
        account_number: match &input.account_number {
            Some(number) => number.clone(),
            None => free_account_number(w)?,
        },
        kind: "client".to_owned(),
        compliance_level: "standard".to_owned(),
        ..Company::default()
    };
    input.company.apply(&mut company)?;
    refer(w, input, &mut company)?;
    if let Some(policy) = policy {
        refuse_people(w, input, &Company::default(), &company, policy)?;
    }
    contract::complete(&mut company);
    let taken = "SELECT 1 FROM @companies company WHERE company.account_number = ?1";
    if w.unscoped(|c| c.first(taken, params![&company.account_number]))?.is_some() {
        let refused = Err(Error::Constraint("account_number".to_owned()));
        return refused.on_unique("account_number", ALREADY_EXISTS).map_err(with_message);
    }
    history::create(w, &company, None).on_unique("account_number", ALREADY_EXISTS).map_err(with_message)
}

/// What old clients read when the number is taken (contract §1.1.5).
const ALREADY_EXISTS: &str = "Company already exists. Use PUT to update.";

/// Old clients read `message` beside `error`.
fn with_message(error: Error) -> Error {
    match error {
        Error::Conflict { message, mut details } => {
            details.insert("message".to_owned(), message.as_str().into());
            Error::Conflict { message, details }
        }
        other => other,
    }
}

/// Changes the fields that were sent, as far as this caller may see them.
///
/// # Errors
/// `Conflict` for another account number, `Invalid` for bad references, `PreconditionFailed`.
pub fn update(
    w: &mut Write<'_>,
    id: i64,
    input: &CompanyInput,
    if_match: Option<i64>,
    policy: &RedactionPolicy,
) -> Result<Updated<Company>> {
    let mut wanted: Company = history::get(w, id)?;
    let seen = get_view(w, id)?;
    let (own, named) = (Level::parse(&wanted.compliance_level), seen.inside().named);
    let names = ["head_name", "prime_user_name", "primary_contact_name"].into_iter().zip(named);
    for (name, person) in names.filter(|(name, _)| input.company.has(name)) {
        policy.refuse_hidden(own.max(person.protection), [(name, Personal::Name)])?;
    }
    if input.company.has("description") {
        policy.refuse_screened("description", wanted.description.as_ref())?;
    }
    if let Some(number) = input.account_number.as_ref().filter(|number| **number != wanted.account_number) {
        return Err(Error::conflict(format!(
            "account_number: a company keeps its number ({}); {number} was not stored",
            wanted.account_number
        )));
    }
    let before = wanted.clone();
    input.company.apply(&mut wanted)?;
    // Who sends back what follows from the plan has not said it.
    if before.support_level.is_none() && wanted.support_level == seen.inside().plan_support_level {
        wanted.support_level = None;
    }
    refer(w, input, &mut wanted)?;
    refuse_people(w, input, &before, &wanted, policy)?;
    let said =
        |company: &Company| [&company.contract_start_date, &company.contract_term, &company.contract_end_date].map(Clone::clone);
    // A row that nobody touches in this keeps what it has: an edit of something else is not one of the contract.
    if said(&wanted) != said(&before) {
        let [start, term, last] = said(&before);
        if wanted.contract_end_date == last && contract::follows(start.as_deref(), term.as_deref(), last.as_deref()) {
            wanted.contract_end_date = None;
        }
        contract::complete(&mut wanted);
    }
    history::update(w, id, if_match, None, |company: &mut Company| {
        *company = wanted;
        Ok(())
    })
}

/// Where anybody is protected, names are written by those who may see everything: whether one is masked then would tell
/// whose it is. So are protected contacts made those who get the invoices, whom more callers see.
fn refuse_people(
    w: &mut Write<'_>,
    input: &CompanyInput,
    before: &Company,
    wanted: &Company,
    policy: &RedactionPolicy,
) -> Result<()> {
    if policy.is_cleared() {
        return Ok(());
    }
    let names = |company: &Company| {
        [
            ("head_name", &company.head_name),
            ("prime_user_name", &company.prime_user_name),
            ("primary_contact_name", &company.primary_contact_name),
        ]
        .map(|(field, name)| (field, name.clone()))
    };
    for ((field, now), (_, then)) in names(wanted).into_iter().zip(names(before)) {
        if input.company.has(field) && now != then && protection::anybody(w)? {
            return policy.refuse_uncleared(Level::Hipaa, field);
        }
    }
    let billing = wanted.billing_contact_id.filter(|id| before.billing_contact_id != Some(*id));
    if !protection::among(w, "contact", billing.into_iter().collect())?.is_empty() {
        return policy.refuse_uncleared(Level::Hipaa, "billing_contact_id");
    }
    Ok(())
}

/// Resolves and checks what a company refers to: the company above it, and who gets its invoices.
fn refer(w: &mut Write<'_>, input: &CompanyInput, company: &mut Company) -> Result<()> {
    rules::check_life(company)?;
    match &input.parent {
        Sent::Absent => {}
        Sent::Null => company.parent_id = None,
        Sent::Value(reference) => {
            let parent = resolve(w, "parent_id", reference)?;
            if company.id != 0 && ancestors(w, parent)?.iter().any(|(id, _)| *id == company.id) {
                return Err(Error::field("parent_id", "would make the company its own parent"));
            }
            company.parent_id = Some(parent);
        }
    }
    if let Some(contact) = company.billing_contact_id
        && w.first("SELECT 1 FROM @contacts contact WHERE contact.id = ?1", params![contact])?.is_none()
    {
        return Err(Error::field("billing_contact_id", format!("there is no contact {contact}")));
    }
    if input.company.has("head_user_id") && !input.company.has("head_name") {
        company.head_name = vendor_user(w, company.head_user_id)?;
    }
    if input.company.has("prime_user_id") && !input.company.has("prime_user_name") {
        company.prime_user_name = vendor_user(w, company.prime_user_id)?;
    }
    Ok(())
}

/// The name of the contact whom Freshservice knows by this id (contract §1.10).
fn vendor_user(c: &mut Conn, id: Option<i64>) -> Result<Option<String>> {
    let Some(id) = id else { return Ok(None) };
    let sql = "SELECT contact.name FROM links link JOIN @contacts contact ON contact.id = link.entity_id
               WHERE link.entity = 'contact' AND link.system = ?1 AND link.external_id = ?2";
    c.first(sql, params![freshservice::SYSTEM, id.to_string()])?.map(|row| row.get(0)).transpose()
}

/// The account numbers and names of companies, by their ids.
pub fn called(c: &mut Conn, ids: Vec<i64>) -> Result<HashMap<i64, (String, String)>> {
    let sql = "SELECT company.id, company.account_number, company.name FROM @companies company WHERE company.id IN ids(?1)";
    let named = c.map(sql, params![ids], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    Ok(named.into_iter().collect())
}

/// A company and those above it, nearest first, as (id, name and account number).
pub fn ancestors(c: &mut Conn, id: i64) -> Result<Vec<(i64, Relative)>> {
    let mut chain: Vec<(i64, Relative)> = Vec::new();
    let mut next = Some(id);
    while let Some(id) = next.filter(|id| !chain.iter().any(|(seen, _)| seen == id)) {
        let sql = "SELECT company.parent_id, company.account_number, company.name FROM @companies company WHERE company.id = ?1";
        let Some(row) = c.first(sql, params![id])? else { break };
        chain.push((id, Relative { id, account_number: row.get(1)?, name: row.get(2)? }));
        next = row.get(0)?;
    }
    Ok(chain)
}

/// A company as others mention it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Relative {
    /// The row's id.
    pub id: i64,
    /// Its key.
    pub account_number: String,
    pub name: String,
}

/// The companies directly below one.
pub fn children(c: &mut Conn, id: i64) -> Result<Vec<Relative>> {
    let sql = "SELECT company.id, company.account_number, company.name FROM @companies company
               WHERE company.parent_id = ?1 AND company.retired_at IS NULL ORDER BY company.name_folded, company.id";
    let rows = c.all(sql, params![id])?;
    rows.iter().map(|row| Ok(Relative { id: row.get(0)?, account_number: row.get(1)?, name: row.get(2)? })).collect()
}

/// A six-digit account number that no company has.
///
/// # Errors
/// `Conflict` when none was found: nearly all are taken.
pub fn free_account_number(c: &mut Conn) -> Result<String> {
    for _ in 0..200 {
        let number = random_account_number()?;
        let taken =
            c.unscoped(|c| c.first("SELECT 1 FROM @companies company WHERE company.account_number = ?1", params![&number]))?;
        if taken.is_none() {
            return Ok(number);
        }
    }
    Err(Error::conflict("no free six-digit account number was found"))
}

/// 100000 to 999999, evenly.
///
/// # Errors
/// `Internal` when the system has no randomness.
pub fn random_account_number() -> Result<String> {
    let mut bytes = [0_u8; 4];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::Internal("no randomness".to_owned()))?;
    Ok((100_000 + u32::from_le_bytes(bytes) % 900_000).to_string())
}

/// What still belongs to a company within this room, by name.
pub fn attached(c: &mut Conn, id: i64) -> Result<BTreeMap<&'static str, i64>> {
    let mut found = BTreeMap::new();
    for (name, sql) in [
        ("companies", "SELECT count(*) FROM @companies company WHERE company.parent_id = ?1 AND company.retired_at IS NULL"),
        ("locations", "SELECT count(*) FROM @locations location WHERE location.company_id = ?1 AND location.retired_at IS NULL"),
    ] {
        let count: i64 = c.one(sql, params![id])?.get(0)?;
        if count > 0 {
            found.insert(name, count);
        }
    }
    Ok(found)
}

/// A company's locations, by id.
pub fn locations(c: &mut Conn, company_id: i64) -> Result<Vec<Location>> {
    let sql = format!(
        "SELECT {} FROM @locations location WHERE location.company_id = ?1 AND location.retired_at IS NULL ORDER BY location.id",
        Location::SELECT
    );
    c.all(&sql, params![company_id])?.iter().map(|row| Location::from_row(row, 0)).collect()
}

/// Adds a location.
///
/// # Errors
/// `NotFound` for a company that is not the caller's.
pub fn add_location(w: &mut Write<'_>, location: &Location) -> Result<Location> {
    history::get::<Company>(w, location.company_id)?;
    w.touch("company");
    history::create(w, location, None)
}

/// One of a company's locations.
///
/// # Errors
/// `NotFound` when the company has no such location.
pub fn get_location(c: &mut Conn, company_id: i64, id: i64) -> Result<Location> {
    let location: Location = history::get(c, id)?;
    if location.company_id != company_id || location.retired_at.is_some() {
        return Err(Error::NotFound { what: "Location" });
    }
    Ok(location)
}

/// Changes the fields of a location that were sent.
///
/// # Errors
/// `NotFound` when the company has no such location, `PreconditionFailed`.
pub fn update_location(
    w: &mut Write<'_>,
    company_id: i64,
    id: i64,
    input: &Patch<Location>,
    if_match: Option<i64>,
) -> Result<Updated<Location>> {
    get_location(w, company_id, id)?;
    w.touch("company");
    history::update(w, id, if_match, None, |location| input.apply(location))
}

/// Removes a location from a company.
///
/// # Errors
/// `NotFound` when the company has no such location.
pub fn remove_location(w: &mut Write<'_>, company_id: i64, id: i64) -> Result<()> {
    get_location(w, company_id, id)?;
    w.touch("company");
    history::retire::<Location>(w, id, None).map(|_| ())
}

/// A company's deviations from its plan's features, by key.
pub fn feature_overrides(c: &mut Conn, company_id: i64) -> Result<BTreeMap<String, String>> {
    let sql = "SELECT override.feature_key, override.value FROM @feature_overrides override WHERE override.company_id = ?1";
    c.all(sql, params![company_id])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Replaces all of a company's deviations; empty values are dropped (contract §1.10).
pub fn set_feature_overrides(w: &mut Write<'_>, company_id: i64, wanted: &BTreeMap<String, String>) -> Result<()> {
    history::get::<Company>(w, company_id)?;
    let before = feature_overrides(w, company_id)?;
    if before == *wanted {
        return Ok(());
    }
    w.run("DELETE FROM feature_overrides WHERE company_id = ?1", params![company_id])?;
    for (key, value) in wanted {
        let sql = "INSERT INTO feature_overrides (company_id, feature_key, value) VALUES (?1, ?2, ?3)";
        w.run(sql, params![company_id, key, value])?;
    }
    let mut fields = serde_json::Map::new();
    fields.insert("feature_overrides".to_owned(), serde_json::json!([before, wanted]));
    history::record_link::<Company>(w, company_id, "update", fields)
}
