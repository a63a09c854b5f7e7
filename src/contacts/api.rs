//! Contacts as JSON (contract §1.1.7, §1.3).

use axum::{extract::State, response::Response};
use serde_json::{Value, json};

use super::{
    Contact, ContactView, Membership,
    list_store::{self, LIST, OF_COMPANY, Places},
    store,
};
use crate::web::openapi::{Schemas, schema as json};
use crate::{
    auth::{Person, Reader},
    companies::{Companies, Company, store as companies},
    compliance::RedactionPolicy,
    db::{Conn, Write, list::Page},
    error::Result,
    history::Record as _,
    resource::{
        as_of,
        dependents::{Dependent, Moved},
        merged,
    },
    web::{Path, ReadRequest, Routes, Web, list, table},
};

/// What can be asked about contacts alone.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/contacts", index)
        .tells("List contacts", json::list::<ContactView>)
        .asks(&[as_of::PARAMETER])
        .get("/api/companies/{acct}/contacts", of_company)
        .tells("List the contacts of a company", json::list::<ContactView>)
        .answers(307, merged::WHEN, merged::described)
        .asks(&[as_of::PARAMETER])
        .get("/api/companies/{acct}/users", of_company)
        .tells("List the contacts of a company", json::list::<ContactView>)
        .answers(307, merged::WHEN, merged::described)
        .asks(&[as_of::PARAMETER])
        .get("/contacts/api/search", search)
        .tells("Search contacts for the page that lists them", search_answer)
        .asks(&[
            ("q", "string", "What to look for."),
            ("page", "loose", "The page, counted from 1."),
            ("per_page", "loose", "The size of a page."),
            ("sort", "string", "The column."),
            ("dir", "string", "asc or desc."),
        ])
}

async fn index(State(web): State<Web>, caller: Reader, request: ReadRequest) -> Result<Response> {
    if let Some(was) = as_of::list::<Contact>(&web, &caller, &request, &LIST, None).await? {
        return Ok(was);
    }
    let query = request.list(&LIST)?;
    let places = Places::read(&request.query)?;
    let policy = RedactionPolicy::of(&caller, &web.config, &request.query)?;
    let variant = places.key() + &policy.key();
    list::respond(&web, &caller.scope(), &variant, &request, query, move |conn, query, rows| {
        list_store::each(conn, query, &places, &policy, |contact| rows.push(&contact))
    })
    .await
}

/// Everybody at a company, complete and unpaged unless asked otherwise: Ledger bills each of them.
async fn of_company(State(web): State<Web>, caller: Reader, Path(acct): Path<String>, request: ReadRequest) -> Result<Response> {
    let everybody = web.config.compat.include_inactive_contacts;
    let number = acct.clone();
    let among = as_of::Among {
        key: format!("of company {acct}"),
        answers: &[],
        find: Box::new(move |c, moment| {
            let company = companies::id_of(c, &number)?;
            let members = store::members_then(c, company, moment)?;
            Ok(Box::new(move |contact: &Contact| members.contains(&contact.id) && (everybody || contact.active)))
        }),
    };
    if let Some(was) = as_of::list_among(&web, &caller, &request, &OF_COMPANY, None, Some(among)).await? {
        return Ok(was);
    }
    if let Some(elsewhere) = merged::part::<Companies>(&web, &caller, &acct, &request).await? {
        return Ok(elsewhere);
    }
    let query = request.list(&OF_COMPANY)?;
    let policy = RedactionPolicy::of(&caller, &web.config, &request.query)?;
    list::respond(&web, &caller.scope(), &policy.key(), &request, query, move |conn, query, rows| {
        let company = companies::id_of(conn, &acct)?;
        let query = query.clone().and("company.id = {}", vec![company.into()]);
        let query = if everybody { query } else { query.and("contact.active = {}", vec![true.into()]) };
        list_store::seen(conn, query, &policy, |contact| rows.push(&contact))
    })
    .await
}

/// The contacts of a company, and the companies that bill a contact.
pub struct Belonging;

impl Dependent for Belonging {
    fn attached(&self, c: &mut Conn, entity: &str, id: i64) -> Result<Vec<(&'static str, i64)>> {
        Ok(match entity {
            Company::ENTITY => vec![("contacts", store::attached_to_company(c, id)?)],
            Contact::ENTITY => vec![("billed_companies", store::billed_companies(c, id)?)],
            _ => Vec::new(),
        })
    }

    fn release(&self, w: &mut Write<'_>, entity: &str, id: i64) -> Result<()> {
        if entity != Company::ENTITY {
            return Ok(());
        }
        for contact in store::of_company(w, id)? {
            store::leave(w, contact.inside().row.id, id)?;
        }
        Ok(())
    }

    fn moving(&self, c: &mut Conn, entity: &str, from: i64) -> Result<usize> {
        if entity == Company::ENTITY { Ok(store::members(c, from)?.len()) } else { Ok(0) }
    }

    /// The places of a company's people, or of a person.
    fn hand_over(&self, w: &mut Write<'_>, entity: &str, from: i64, to: i64) -> Result<Vec<Moved>> {
        let mut moved = Vec::new();
        match entity {
            Company::ENTITY => {
                for contact in store::members(w, from)? {
                    let known = store::memberships(w, contact)?;
                    let Some(place) = known.iter().find(|place| place.company_id == from).cloned() else { continue };
                    store::leave(w, contact, from)?;
                    if !known.iter().any(|place| place.company_id == to) {
                        let is_primary = place.is_primary && !store::has_primary(w, to)?;
                        store::join(w, contact, &Membership { company_id: to, is_primary, ..place })?;
                    }
                    moved.push(contact);
                }
            }
            Contact::ENTITY => {
                for place in store::memberships(w, from)? {
                    let own = store::memberships(w, to)?.into_iter().find(|own| own.company_id == place.company_id);
                    store::leave(w, from, place.company_id)?;
                    // What the vendor says of the other record is no reason to end it.
                    let own = own.unwrap_or(Membership { company_id: place.company_id, ..Membership::default() });
                    let both = Membership {
                        role: own.role.clone().or(place.role),
                        designation: own.designation.clone().or(place.designation),
                        is_primary: own.is_primary || place.is_primary,
                        ..own
                    };
                    store::join(w, to, &both)?;
                    moved.push(place.company_id);
                }
            }
            _ => {}
        }
        Ok(vec![Moved::in_history("place", moved)])
    }
}

/// What [`search`] answers.
fn search_answer(schemas: &mut Schemas) -> Value {
    let texts = ["name", "email", "mobile_phone_number", "work_phone_number"].map(|name| (name, json::or_null(json::text())));
    let others = [("id", json::int()), ("active", json::flag()), ("company_count", json::int())];
    let row = json::object(&[&texts[..], &others[..]].concat());
    json::done(&[("contacts", json::array(row)), ("pagination", json::one::<table::Pagination>(schemas))])
}

/// The table of our own page, while somebody types (contract §1.10).
async fn search(State(web): State<Web>, caller: Person, request: ReadRequest) -> Result<Response> {
    let (query, slice) = table::query(&request, &LIST, &["name", "email", "active"])?;
    let query =
        if request.query.get("show_inactive") == Some("1") { query } else { query.and("contact.active = {}", vec![true.into()]) };
    let policy = RedactionPolicy::of(&caller.0, &web.config, &request.query)?;
    list::value(&web, &caller.0.scope(), &policy.key(), &request, LIST.entities, move |conn| {
        let Page { items, total } = list_store::list(conn, &query, &Places::default(), &policy)?;
        let counts = list_store::company_counts(conn, items.iter().map(|contact| contact.row.id).collect())?;
        let rows: Vec<Value> = items
            .iter()
            .map(|contact| {
                json!({
                    "id": contact.row.id,
                    "name": contact.row.name,
                    "email": contact.row.email,
                    "mobile_phone_number": contact.row.mobile_phone_number,
                    "work_phone_number": contact.row.work_phone_number,
                    "active": contact.row.active,
                    "company_count": counts.get(&contact.row.id).unwrap_or(&0),
                })
            })
            .collect();
        Ok(json!({"success": true, "contacts": rows, "pagination": table::Pagination::new(slice, total)}))
    })
    .await
}
