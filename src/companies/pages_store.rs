//! What the pages of companies, and forms that name a company, ask of the database.

use std::collections::HashMap;

use super::model::{BilledContact, INACTIVE};
use crate::{
    compliance::{Level, RedactionPolicy, Veiled},
    db::{Conn, Row, moves},
    error::{Error, Result},
    params,
    types::fold,
    ui::Choice,
};

/// The most companies or contacts that a form offers to choose from.
const OFFERED: i64 = 2_000;

fn counted(rows: &[Row]) -> Result<HashMap<i64, i64>> {
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// How many live contacts each of these companies has.
pub fn contacts_per_company(c: &mut Conn, ids: Vec<i64>) -> Result<HashMap<i64, i64>> {
    let sql = "SELECT place.company_id, count(*) FROM @contact_companies place
               JOIN @contacts contact ON contact.id = place.contact_id
               WHERE place.company_id IN ids(?1) AND contact.retired_at IS NULL GROUP BY place.company_id";
    counted(&c.kept(&[&moves("contact"), &moves("company")], sql, params![ids])?)
}

/// How many live assets each of these companies has.
pub fn assets_per_company(c: &mut Conn, ids: Vec<i64>) -> Result<HashMap<i64, i64>> {
    let sql = "SELECT asset.company_id, count(*) FROM @assets asset
               WHERE asset.company_id IN ids(?1) AND asset.retired_at IS NULL GROUP BY asset.company_id";
    counted(&c.kept(&[&moves("asset"), &moves("company")], sql, params![ids])?)
}

/// Companies to choose from, by name; the value is the account number.
pub fn company_choices(c: &mut Conn) -> Result<Vec<Choice>> {
    let sql = "SELECT company.account_number, company.name FROM @companies company WHERE company.retired_at IS NULL
               ORDER BY company.name_folded, company.id LIMIT ?1";
    let rows = c.all(sql, params![OFFERED])?;
    rows.iter()
        .map(|row| {
            let (number, name): (String, String) = (row.get(0)?, row.get(1)?);
            Ok(Choice::new(number.clone(), format!("{name} ({number})")))
        })
        .collect()
}

/// The names of the plans that there are, and what stands there for a company that is no client any more.
pub fn plan_choices(c: &mut Conn) -> Result<Vec<Choice>> {
    let sql =
        "SELECT DISTINCT billing_plan.name FROM @billing_plans billing_plan WHERE billing_plan.retired_at IS NULL ORDER BY 1";
    let mut names: Vec<String> = c.map(sql, params![], |row| row.get(0))?;
    names.push(INACTIVE.to_owned());
    Ok(names.iter().map(|name| Choice::word(name)).collect())
}

/// Contacts of a company to choose from, by name; the value is the id.
///
/// Forms are for those who may see whom they choose; whom a form offers, its reader has read.
pub fn contact_choices(c: &mut Conn, company_id: Option<i64>, policy: &RedactionPolicy) -> Result<Vec<Choice>> {
    let rows = match company_id {
        Some(id) => c.all(
            "SELECT contact.id, contact.name, contact.email, contact.protection FROM @contact_companies place
             JOIN @contacts contact ON contact.id = place.contact_id
             WHERE place.company_id = ?1 AND contact.retired_at IS NULL ORDER BY contact.name_folded, contact.id LIMIT ?2",
            params![id, OFFERED],
        )?,
        None => c.all(
            "SELECT contact.id, contact.name, contact.email, contact.protection FROM @contacts contact
             WHERE contact.retired_at IS NULL ORDER BY contact.name_folded, contact.id LIMIT ?1",
            params![OFFERED],
        )?,
    };
    rows.iter()
        .map(|row| {
            let BilledContact { id, name, email, .. } = billed(row)?.redact(policy);
            Ok(Choice::new(id.to_string(), if email.is_empty() { name } else { format!("{name}, {email}") }))
        })
        .collect()
}

fn billed(row: &Row) -> Result<Veiled<BilledContact>> {
    let protection = Level::from_rank(row.get(3)?);
    Ok(Veiled::new(BilledContact { id: row.get(0)?, name: row.get(1)?, email: row.get(2)?, protection }))
}

/// The contact who gets a company's invoices.
///
/// # Errors
/// `NotFound` for one that is not within the reader's scope.
pub fn billed_contact(c: &mut Conn, id: i64) -> Result<Veiled<BilledContact>> {
    let sql = "SELECT contact.id, contact.name, contact.email, contact.protection FROM @contacts contact WHERE contact.id = ?1";
    billed(&c.first(sql, params![id])?.ok_or(Error::NotFound { what: "Contact" })?)
}

/// Live companies with this name, capitals and accents aside: number and name.
pub fn companies_named(c: &mut Conn, name: &str) -> Result<Vec<(String, String)>> {
    let sql = "SELECT company.account_number, company.name FROM @companies company
               WHERE company.name_folded = ?1 AND company.retired_at IS NULL ORDER BY company.id LIMIT 5";
    c.all(sql, params![fold(name)])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The names of these companies, retired ones too.
pub fn names(c: &mut Conn, ids: Vec<i64>) -> Result<HashMap<i64, String>> {
    let sql = "SELECT company.id, company.name FROM @companies company WHERE company.id IN ids(?1)";
    c.all(sql, params![ids])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The names of the companies with these account numbers, retired ones too.
pub fn names_by_number(c: &mut Conn, numbers: &[String]) -> Result<HashMap<String, String>> {
    let sql = "SELECT company.name FROM @companies company WHERE company.account_number = ?1";
    let mut names = HashMap::new();
    for number in numbers {
        if let Some(row) = c.first(sql, params![number])? {
            names.insert(number.clone(), row.get(0)?);
        }
    }
    Ok(names)
}

/// The names of locations, removed ones too.
pub fn location_names(c: &mut Conn, ids: Vec<i64>) -> Result<HashMap<i64, String>> {
    let sql = "SELECT location.id, location.name FROM @locations location WHERE location.id IN ids(?1)";
    c.all(sql, params![ids])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
