//! Takes back what somebody holds who has left, by the writes that every page and program uses.

use serde_json::{Map, Value as Json, json};

use crate::{
    assets::store as assets,
    companies::{self, Company},
    compliance::RedactionPolicy,
    contacts::{Contact, Membership, store as contacts},
    db::Write,
    error::{Error, Result},
    history,
    licences::Seat,
    records::nouns::OfNoun,
    resource::Resource as _,
    web::Fields,
};

/// A device goes back: whoever else uses it goes on doing so.
///
/// # Errors
/// `NotFound`.
pub fn device(w: &mut Write<'_>, contact: i64, asset: i64) -> Result<()> {
    let users = assets::contacts_of(w, asset)?.into_iter().map(|user| user.inside().id);
    let others: Vec<i64> = users.filter(|user| *user != contact).collect();
    assets::assign(w, asset, &others)
}

/// A seat is free again.
///
/// # Errors
/// `NotFound`, also for a seat that somebody else holds by now.
pub fn seat(w: &mut Write<'_>, contact: i64, seat: i64) -> Result<()> {
    if history::get::<Seat>(w, seat)?.contact_id != Some(contact) {
        return Err(Error::NotFound { what: "Licence seat" });
    }
    OfNoun::<Seat>::retire(w, seat, false)
}

/// Whoever takes over is one of the company's own people.
fn successor(w: &mut Write<'_>, to: i64, company: i64) -> Result<Membership> {
    let contact: Contact = history::get(w, to)?;
    let place = contacts::memberships(w, to)?.into_iter().find(|place| place.company_id == company);
    match place.filter(|_| contact.active && contact.retired_at.is_none()) {
        Some(place) => Ok(place),
        None => Err(Error::field("to", format!("contact {to} is no active contact of this company"))),
    }
}

/// What somebody is in a company.
fn place(w: &mut Write<'_>, contact: i64, company: i64) -> Result<Option<Membership>> {
    history::get::<Contact>(w, contact)?;
    Ok(contacts::memberships(w, contact)?.into_iter().find(|place| place.company_id == company))
}

/// Another primary contact, or none.
///
/// # Errors
/// `NotFound`; `Invalid` for somebody who is not there.
pub fn primary(w: &mut Write<'_>, contact: i64, company: i64, to: Option<i64>) -> Result<()> {
    let before = place(w, contact, company)?.ok_or(Error::NotFound { what: "Contact" })?;
    if let Some(to) = to {
        let place = successor(w, to, company)?;
        let designation =
            if before.designation.as_deref() == Some("primary") { before.designation.clone() } else { place.designation.clone() };
        contacts::join(w, to, &Membership { is_primary: true, designation, ..place })?;
    }
    let designation = before.designation.clone().filter(|designation| designation != "primary");
    contacts::join(w, contact, &Membership { is_primary: false, designation, ..before })
}

/// Somebody else who gets the invoices, or nobody.
///
/// # Errors
/// `NotFound`; `Invalid` for somebody who is not there.
pub fn billing(w: &mut Write<'_>, contact: i64, company: i64, to: Option<i64>, policy: &RedactionPolicy) -> Result<()> {
    let before = place(w, contact, company)?;
    let role = || Some("billing".to_owned());
    let has_role = before.as_ref().is_some_and(|place| place.role == role());
    if let Some(to) = to {
        let place = successor(w, to, company)?;
        if has_role {
            contacts::join(w, to, &Membership { role: role(), ..place })?;
        }
    }
    if let Some(before) = before.filter(|_| has_role) {
        contacts::join(w, contact, &Membership { role: None, ..before })?;
    }
    if history::get::<Company>(w, company)?.billing_contact_id == Some(contact) {
        let fields: Map<String, Json> = [("billing_contact_id".to_owned(), json!(to))].into_iter().collect();
        let input = companies::rules::read(Fields::new(fields), false)?;
        companies::store::update(w, company, &input, None, policy)?;
    }
    Ok(())
}
