//! One contact with its companies and its assets, as the one door writes it (contract §1.3, §1.10).

use super::{
    Contact, ContactDetail,
    list_store::{self, LIST, Places},
    rules::{self, ContactInput},
    store as contacts,
};
use crate::web::openapi::Schemas;
use crate::web::openapi::schema as json;
use crate::{
    auth::Editor,
    compliance::{RedactionPolicy, Veiled},
    db::{
        Conn, Write,
        list::{ListQuery, ListSpec},
    },
    entity::schema::changed,
    error::Result,
    history::{self, Record as _},
    resource::{Done, Resource, api as door, brief, dependents, links, whole},
    web::{Fields, Query, Reply, Routes, Sent},
};

/// What the JSON of a contact calls the assets that they use.
const ASSETS: &str = "asset_ids";

/// The addresses of one contact.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .merge(door::routes::<Contacts>("/api/contacts", "/api/contacts/{id}", "/api/contacts/{id}/restore"))
        .get("/api/contact/{id}", door::show::<Contacts>)
        .tells("Contact: read", json::one::<ContactDetail>)
        .put("/contacts/{id}/update", door::update::<Contacts<true>>)
        .tells("Contact: change the fields that are sent, for pages", json::brief)
        .takes(changed::<Contact>)
}

/// A contact with everything around it.
///
/// # Errors
/// `NotFound`.
pub fn detail(conn: &mut Conn, id: i64) -> Result<Veiled<ContactDetail>> {
    let contact = contacts::get_view(conn, id)?;
    let companies = contacts::memberships(conn, id)?;
    let asset_ids = links::of(conn, Contact::ENTITY, ASSETS, id)?;
    let company_account_numbers = companies.iter().map(|place| place.account_number.clone()).collect();
    Ok(contact.within(|contact| ContactDetail { contact, company_account_numbers, companies, asset_ids }))
}

/// Contacts as the one door writes them; in a `PAGE` as the script of our old page reads what it has done.
pub struct Contacts<const PAGE: bool = false>;

impl<const PAGE: bool> Resource for Contacts<PAGE> {
    type Row = Contact;
    type Key = i64;
    type Whose = ();
    type View = RedactionPolicy;
    type Input = ContactInput;
    type Shown = ContactDetail;
    type Writer = Editor;
    type Retirer = Editor;

    fn id(_: &mut Conn, key: &i64) -> Result<i64> {
        Ok(*key)
    }

    fn path(key: &i64) -> String {
        format!("/api/contacts/{key}")
    }

    const IS_MERGED: bool = true;

    fn key_of(_: &mut Conn, id: i64) -> Result<i64> {
        Ok(id)
    }

    fn list() -> Option<&'static ListSpec> {
        Some(&LIST)
    }

    fn chosen(c: &mut Conn, (): &(), query: ListQuery, parameters: &Query, policy: &RedactionPolicy) -> Result<Vec<i64>> {
        let (places, mut ids) = (Places::read(parameters)?, Vec::new());
        list_store::each(c, &query, &places, policy, |contact| {
            ids.push(contact.row.id);
            Ok(())
        })?;
        Ok(ids)
    }

    fn body(schemas: &mut Schemas, creating: bool) -> serde_json::Value {
        if creating { rules::new_body(schemas) } else { rules::changed_body(schemas) }
    }

    fn read(fields: Fields, creating: bool) -> Result<ContactInput> {
        rules::read(fields, creating)
    }

    fn create(w: &mut Write<'_>, (): &(), input: &ContactInput, policy: &RedactionPolicy) -> Result<i64> {
        let id = contacts::create(w, input, policy)?.id;
        assign(w, id, input)?;
        Ok(id)
    }

    fn update(w: &mut Write<'_>, id: i64, input: &ContactInput, rev: Option<i64>, policy: &RedactionPolicy) -> Result<bool> {
        history::forgotten::refuse::<Contact>(w, id)?;
        let updated = contacts::update(w, id, input, rev, policy)?;
        assign(w, id, input)?;
        Ok(!updated.changed.is_empty())
    }

    /// Refused while they use assets, hold seats or get invoices.
    fn retire(w: &mut Write<'_>, id: i64, force: bool) -> Result<()> {
        history::get::<Contact>(w, id)?;
        if !force {
            dependents::refuse_attached(w, Contact::ENTITY, id)?;
        }
        contacts::refuse_shared(w, id, "retire it")?;
        dependents::release(w, Contact::ENTITY, id)?;
        history::retire::<Contact>(w, id, None).map(drop)
    }

    fn restore(w: &mut Write<'_>, id: i64) -> Result<()> {
        history::forgotten::refuse::<Contact>(w, id)?;
        contacts::refuse_shared(w, id, "bring it back")?;
        history::restore::<Contact>(w, id, None).map(drop)
    }

    fn linked_then(c: &mut Conn, id: i64, moment: &str) -> Result<Vec<(&'static str, Vec<i64>)>> {
        Ok(vec![("company_ids", contacts::companies_then(c, id, moment)?)])
    }

    fn answer(c: &mut Conn, id: i64, policy: &RedactionPolicy) -> Result<ContactDetail> {
        Ok(detail(c, id)?.redact(policy))
    }

    fn rev(shown: &ContactDetail) -> i64 {
        shown.contact.row.rev
    }

    fn reply(w: &mut Write<'_>, id: i64, key: &i64, policy: &RedactionPolicy, done: Done) -> Result<Reply> {
        if PAGE { brief::<Self>(w, id, done) } else { whole::<Self>(w, id, key, policy, done) }
    }
}

/// Replaces the assets of a contact, when they were sent.
fn assign(w: &mut Write<'_>, contact_id: i64, input: &ContactInput) -> Result<()> {
    let wanted: &[i64] = match &input.assets {
        Sent::Absent => return Ok(()),
        Sent::Null => &[],
        Sent::Value(assets) => assets,
    };
    links::replace(w, Contact::ENTITY, ASSETS, contact_id, wanted)
}
