//! One contact with its companies and its assets, read and written (contract §1.3, §1.10).

use axum::{extract::State, response::Response};
use serde_json::{Value, json};

use crate::web::openapi::schema as json;
use crate::{
    assets::{Asset, store as assets},
    auth::{Editor, Reader},
    compliance::{RedactionPolicy, Veiled},
    contacts::{
        ContactDetail,
        rules::{self, ContactInput},
        store as contacts,
    },
    db::{Conn, Write},
    error::{Error, Result},
    history,
    web::{Fields, Path, Preconditions, ReadRequest, Reply, Routes, Sent, Web},
};

/// One contact.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .post("/api/contacts", create)
        .makes("Add a contact", json::written::<ContactDetail>)
        .takes(rules::new_body)
        .get("/api/contacts/{id}", show)
        .tells("Read a contact", json::one::<ContactDetail>)
        .get("/api/contact/{id}", show)
        .tells("Read a contact", json::one::<ContactDetail>)
        .update("/api/contacts/{id}", update)
        .tells("Change the fields of a contact that are sent", json::written::<ContactDetail>)
        .takes(rules::changed_body)
        .put("/contacts/{id}/update", update_from_page)
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

async fn show(State(web): State<Web>, caller: Reader, Path(id): Path<i64>, request: ReadRequest) -> Result<Response> {
    let policy = RedactionPolicy::of(&caller, &web.config, &request.query)?;
    let detail = web.db.read(&caller.scope(), move |conn| detail(conn, id)).await?.redact(&policy);
    request.row(id, detail.contact.row.rev, &detail)
}

async fn create(State(web): State<Web>, caller: Editor, conditions: Preconditions, fields: Fields) -> Result<Response> {
    let body = fields.digest();
    let input = rules::read(fields, true)?;
    let policy = RedactionPolicy::of(&caller, &web.config, conditions.query())?;
    let work = move |w: &mut Write<'_>| {
        let id = contacts::create(w, &input, &policy)?.id;
        assign(w, id, &input)?;
        let detail = detail(w, id)?.redact(&policy);
        let reply = Reply::created(&detail, format!("/api/contacts/{id}"))?;
        Ok(reply.tagged(id, detail.contact.row.rev).with("message", "Contact created"))
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), &body, work).await
}

async fn update(
    State(web): State<Web>,
    caller: Editor,
    Path(id): Path<i64>,
    conditions: Preconditions,
    fields: Fields,
) -> Result<Response> {
    let body = fields.digest();
    let policy = RedactionPolicy::of(&caller, &web.config, conditions.query())?;
    let input = fields.of_record(rules::read, stands(&web, &caller, &policy, id)).await?;
    let expected = conditions.rev(id)?;
    let work = move |w: &mut Write<'_>| {
        let detail = change(w, id, &input, expected, &policy)?.redact(&policy);
        Ok(Reply::ok(&detail)?.tagged(id, detail.contact.row.rev).with("message", "Contact updated"))
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), &body, work).await
}

/// A contact as this caller sees it.
async fn stands(web: &Web, caller: &Editor, policy: &RedactionPolicy, id: i64) -> Result<Value> {
    let detail = web.db.read(&caller.scope(), move |conn| detail(conn, id)).await?.redact(policy);
    serde_json::to_value(detail).map_err(Error::internal)
}

/// The same for our own page, which only looks at `success` and `message`.
async fn update_from_page(
    State(web): State<Web>,
    caller: Editor,
    Path(id): Path<i64>,
    conditions: Preconditions,
    fields: Fields,
) -> Result<Response> {
    let body = fields.digest();
    let policy = RedactionPolicy::of(&caller, &web.config, conditions.query())?;
    let input = fields.of_record(rules::read, stands(&web, &caller, &policy, id)).await?;
    let expected = conditions.rev(id)?;
    let work = move |w: &mut Write<'_>| {
        let rev = change(w, id, &input, expected, &policy)?.inside().contact.row.rev;
        Ok(Reply::ok(&json!({"success": true, "message": "Contact updated"}))?.tagged(id, rev))
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), &body, work).await
}

/// Changes what was sent of a contact, its companies and its assets, by a caller with this policy.
///
/// # Errors
/// Those of the rooms' stores.
pub fn change(
    w: &mut Write<'_>,
    id: i64,
    input: &ContactInput,
    expected: Option<i64>,
    policy: &RedactionPolicy,
) -> Result<Veiled<ContactDetail>> {
    contacts::update(w, id, input, expected, policy)?;
    assign(w, id, input)?;
    detail(w, id)
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
