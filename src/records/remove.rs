//! Retiring and restoring contacts, assets and locations: nothing is deleted, and both come back with their ids.

use axum::{extract::State, response::Response};
use serde_json::json;

use super::{contacts::detail as contact_detail, nouns::door, remove_store};
use crate::web::openapi::schema as json;
use crate::{assets::model::AssetDetail, contacts::model::ContactDetail};
use crate::{
    assets::{Asset, AssetViewContext, store as assets},
    auth::Editor,
    companies::{Location, store as companies},
    compliance::RedactionPolicy,
    contacts::Contact,
    db::Write,
    error::{Error, Result},
    history::{self, Record},
    web::{Path, Preconditions, Query, Reply, Routes, Web},
};

/// Retiring and restoring.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .delete("/api/companies/{acct}/locations/{id}", remove_location)
        .tells("Remove a location", |_| json::done(&[]))
        .delete("/companies/{acct}/locations/{id}", remove_location)
        .delete("/api/contacts/{id}", retire_contact)
        .tells("Retire a contact", json::written::<ContactDetail>)
        .asks(&[("force", "boolean", "Although it uses assets or gets invoices.")])
        .post("/api/contacts/{id}/restore", restore_contact)
        .tells("Bring a retired contact back", json::written::<ContactDetail>)
        .delete("/api/assets/{id}", retire_asset)
        .tells("Retire an asset", json::written::<AssetDetail>)
        .post("/api/assets/{id}/restore", restore_asset)
        .tells("Bring a retired asset back", json::written::<AssetDetail>)
}

/// Removes a location from a company; what stood there stands nowhere.
///
/// # Errors
/// `NotFound` when the company has no such location.
pub fn location(w: &mut Write<'_>, company: i64, id: i64) -> Result<()> {
    companies::get_location(w, company, id)?;
    door::release_all(w, Location::ENTITY, id)?;
    companies::remove_location(w, company, id)
}

async fn remove_location(
    State(web): State<Web>,
    editor: Editor,
    Path((key, id)): Path<(String, i64)>,
    conditions: Preconditions,
) -> Result<Response> {
    let work = move |w: &mut Write<'_>| {
        let company = companies::id_of(w, &key)?;
        location(w, company, id)?;
        Reply::ok(&json!({ "success": true }))
    };
    conditions.run(&web, &editor.scope(), &editor.actor(), "", work).await
}

/// Refuses while the contact uses assets or gets invoices, unless `force=true`.
async fn retire_contact(
    State(web): State<Web>,
    caller: Editor,
    Path(id): Path<i64>,
    query: Query,
    conditions: Preconditions,
) -> Result<Response> {
    let force = query.is_on("force")?;
    let policy = RedactionPolicy::of(&caller, &web.config, &query)?;
    let request = conditions.clone();
    let work = move |w: &mut Write<'_>| {
        let before: Contact = history::get(w, id)?;
        request.check(id, before.rev)?;
        if !force {
            refuse_while_attached(w, id)?;
        }
        history::retire::<Contact>(w, id, None)?;
        contact_reply(w, id, &policy, "Contact retired")
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), "", work).await
}

pub(super) fn refuse_while_attached(w: &mut Write<'_>, id: i64) -> Result<()> {
    let found = [("assets", remove_store::assigned_assets(w, id)?), ("billed companies", remove_store::billed_companies(w, id)?)];
    let found: Vec<_> = found.into_iter().filter(|(_, count)| *count > 0).collect();
    if found.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = found.iter().map(|(name, count)| format!("{count} {name}")).collect();
    let attached: serde_json::Map<_, _> = found.iter().map(|(name, count)| (name.replace(' ', "_"), json!(count))).collect();
    let mut details = serde_json::Map::new();
    details.insert("attached".to_owned(), attached.into());
    Err(Error::Conflict { message: format!("still attached: {}", list.join(", ")), details })
}

async fn restore_contact(
    State(web): State<Web>,
    caller: Editor,
    Path(id): Path<i64>,
    conditions: Preconditions,
) -> Result<Response> {
    let policy = RedactionPolicy::of(&caller, &web.config, conditions.query())?;
    let work = move |w: &mut Write<'_>| {
        history::restore::<Contact>(w, id, None)?;
        contact_reply(w, id, &policy, "Contact restored")
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), "", work).await
}

fn contact_reply(w: &mut Write<'_>, id: i64, policy: &RedactionPolicy, message: &str) -> Result<Reply> {
    let detail = contact_detail(w, id)?.redact(policy);
    Ok(Reply::ok(&detail)?.tagged(id, detail.contact.row.rev).with("message", message))
}

/// An asset goes with the links to those who use it, and comes back with them.
async fn retire_asset(
    State(web): State<Web>,
    caller: Editor,
    Path(id): Path<i64>,
    conditions: Preconditions,
) -> Result<Response> {
    let request = conditions.clone();
    let view_context = AssetViewContext::of(&caller, &web.config, conditions.query())?;
    let work = move |w: &mut Write<'_>| {
        let before: Asset = history::get(w, id)?;
        request.check(id, before.rev())?;
        history::retire::<Asset>(w, id, None)?;
        asset_reply(w, id, &view_context, "Asset retired")
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), "", work).await
}

async fn restore_asset(
    State(web): State<Web>,
    caller: Editor,
    Path(id): Path<i64>,
    conditions: Preconditions,
) -> Result<Response> {
    let view_context = AssetViewContext::of(&caller, &web.config, conditions.query())?;
    let work = move |w: &mut Write<'_>| {
        history::restore::<Asset>(w, id, None)?;
        asset_reply(w, id, &view_context, "Asset restored")
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), "", work).await
}

fn asset_reply(w: &mut Write<'_>, id: i64, view_context: &AssetViewContext, message: &str) -> Result<Reply> {
    let detail = assets::get_detail(w, id)?.redact(view_context);
    Ok(Reply::ok(&detail)?.tagged(id, detail.asset.row.rev).with("message", message))
}
