//! One contact with its companies and its assets, read and written (contract §1.3, §1.10).

use crate::web::openapi::Schemas;
use crate::web::openapi::schema as json;
use crate::{
    assets::{Asset, store as assets},
    auth::Editor,
    compliance::{RedactionPolicy, Veiled},
    contacts::{
        Contact, ContactDetail,
        list_store::{self, LIST, Places},
        rules::{self, ContactInput},
        store as contacts,
    },
    db::{
        Conn, Write,
        list::{ListQuery, ListSpec},
    },
    error::{Error, Result},
    history::{self, Record as _},
    resource::{Done, Resource, api as door, brief, dependents, whole},
    web::{Fields, Query, Reply, Routes, Sent},
};

/// One contact.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .merge(door::routes::<Contacts>("/api/contacts", "/api/contacts/{id}", "/api/contacts/{id}/restore"))
        .get("/api/contact/{id}", door::show::<Contacts>)
        .tells("Contact: read", json::one::<ContactDetail>)
        .put("/contacts/{id}/update", door::update::<Contacts<true>>)
}

/// A contact with everything around it.
///
/// # Errors
/// `NotFound`.
pub fn detail(conn: &mut Conn, id: i64) -> Result<Veiled<ContactDetail>> {
    let contact = contacts::get_view(conn, id)?;
    let companies = contacts::memberships(conn, id)?;
    let asset_ids = assets::of_contact(conn, id)?.iter().map(|asset| asset.inside().row.id).collect();
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

    fn list() -> &'static ListSpec {
        &LIST
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
        let updated = contacts::update(w, id, input, rev, policy)?;
        assign(w, id, input)?;
        Ok(!updated.changed.is_empty())
    }

    /// Refused while they use assets or get invoices.
    fn retire(w: &mut Write<'_>, id: i64, force: bool) -> Result<()> {
        history::get::<Contact>(w, id)?;
        if !force {
            dependents::refuse_attached(w, Contact::ENTITY, id)?;
        }
        history::retire::<Contact>(w, id, None).map(drop)
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
///
/// # Errors
/// `Invalid` for an asset that does not exist.
pub fn assign(w: &mut Write<'_>, contact_id: i64, input: &ContactInput) -> Result<()> {
    let wanted: &[i64] = match &input.assets {
        Sent::Absent => return Ok(()),
        Sent::Null => &[],
        Sent::Value(assets) => assets,
    };
    let now: Vec<i64> = assets::of_contact(w, contact_id)?.iter().map(|asset| asset.inside().row.id).collect();
    for asset_id in wanted.iter().filter(|id| !now.contains(id)) {
        let asset = history::find::<Asset>(w, *asset_id)?.filter(|asset| asset.retired_at.is_none());
        asset.ok_or_else(|| Error::field("asset_ids", format!("there is no asset {asset_id}")))?;
        let mut users: Vec<i64> = assets::contacts_of(w, *asset_id)?.iter().map(|contact| contact.inside().id).collect();
        users.push(contact_id);
        assets::assign(w, *asset_id, &users)?;
    }
    for asset_id in now.iter().filter(|id| !wanted.contains(id)) {
        let users = assets::contacts_of(w, *asset_id)?.into_iter().map(|contact| contact.inside().id);
        assets::assign(w, *asset_id, &users.filter(|id| *id != contact_id).collect::<Vec<_>>())?;
    }
    Ok(())
}
