//! Assets as JSON (contract §1.1.6, §1.2).

use axum::{extract::State, response::Response};
use serde_json::{Value, json};

use super::{
    Asset,
    list_store::{self, Filters, LIST},
    model::{AssetDetail, AssetView},
    other_types,
    rules::{self, AssetInput},
    store,
    view_context::AssetViewContext,
};
use crate::web::openapi::{Schemas, schema as json};
use crate::{
    auth::{Editor, Person, Reader},
    companies::{Companies, Company, store as companies},
    contacts::Contact,
    db::{
        Conn, Write,
        list::{ListQuery, ListSpec, Page},
    },
    entity::{ending, schema, shape},
    error::{Error, Result},
    history::{self, Record as _},
    resource::{
        Resource, api as door, as_of,
        dependents::{self, Dependent, Moved},
        links::{self, Links},
        merged,
    },
    web::{Fields, Path, Preconditions, Query, ReadRequest, Reply, Routes, Web, list, table},
};

/// What lists of assets can be asked about warranties.
const WARRANTY_ASKED: &[(&str, &str, &str)] = &[(
    "warranty",
    ending::ASKED,
    "How the warranty stands: in, ending (within 90 days), expired or unknown, or several of them.",
)];

/// How many people may use one asset.
const MOST_USERS: usize = 500;

/// What can be asked about assets and done to them.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/assets", index)
        .tells("List assets", listed)
        .asks(WARRANTY_ASKED)
        .asks(&[as_of::PARAMETER])
        .merge(door::routes::<Assets>("/api/assets", "/api/assets/{id}", "/api/assets/{id}/restore"))
        .get("/api/asset/{id}", door::show::<Assets>)
        .tells("Asset: read", json::one::<AssetDetail>)
        .get("/api/companies/{acct}/assets", of_company)
        .tells("List the assets of a company", json::list::<AssetView>)
        .answers(307, merged::WHEN, merged::described)
        .asks(WARRANTY_ASKED)
        .asks(&[as_of::PARAMETER])
        .get("/assets/api/search", search)
        .tells("Search assets for the page that lists them", search_answer)
        .asks(&[
            ("q", "string", "What to look for."),
            ("page", "loose", "The page, counted from 1."),
            ("per_page", "loose", "The size of a page."),
            ("sort", "string", "The column."),
            ("dir", "string", "asc or desc."),
        ])
        .put("/assets/{id}/update-contacts", update_contacts)
        .tells("Replace who uses an asset, for pages", json::brief)
        .takes(|_| {
            let ids = json!({"type": "array", "items": json::id_of(Contact::ENTITY), "maxItems": MOST_USERS});
            json::closed(json::object(&[("contact_ids", ids)]))
        })
}

/// What a list of assets holds, whatever type it is asked for.
fn listed(schemas: &mut Schemas) -> Value {
    let others = other_types::all().iter().map(|other| (other.row)(schemas)).collect::<Vec<_>>();
    let own = json::one::<AssetView>(schemas);
    json::array(json!({ "anyOf": std::iter::once(own).chain(others).collect::<Vec<_>>() }))
}

async fn index(State(web): State<Web>, caller: Reader, request: ReadRequest) -> Result<Response> {
    if let Some(other) = other_types::asked(&request)? {
        return (other.list)(web, caller.0, request).await;
    }
    if let Some(was) = as_of::list::<Asset>(&web, &caller, &request, &LIST, None).await? {
        return Ok(was);
    }
    let query = request.list(&LIST)?;
    let filters = Filters::read(&request.query)?;
    let view_context = AssetViewContext::of(&caller, &web.config, &request.query)?;
    let variant = filters.key() + &view_context.key();
    list::respond(&web, &caller.scope(), &variant, &request, query, move |conn, query, rows| {
        list_store::each(conn, query, &filters, &view_context, |asset| rows.push(&asset))
    })
    .await
}

async fn of_company(State(web): State<Web>, caller: Reader, Path(acct): Path<String>, request: ReadRequest) -> Result<Response> {
    if let Some(was) = as_of::list::<Asset>(&web, &caller, &request, &LIST, Some(acct.clone())).await? {
        return Ok(was);
    }
    if let Some(elsewhere) = merged::part::<Companies>(&web, &caller, &acct, &request).await? {
        return Ok(elsewhere);
    }
    let query = request.list(&LIST)?;
    let filters = Filters::read(&request.query)?.billed(web.config.assets.archived_leave_billing);
    let view_context = AssetViewContext::of(&caller, &web.config, &request.query)?;
    let variant = filters.key() + &view_context.key();
    list::respond(&web, &caller.scope(), &variant, &request, query, move |conn, query, rows| {
        let company = companies::id_of(conn, &acct)?;
        let query = query.clone().and("asset.company_id = {}", vec![company.into()]);
        list_store::each(conn, &query, &filters, &view_context, |asset| rows.push(&asset))
    })
    .await
}

/// Assets as the one door writes them.
pub struct Assets;

impl Resource for Assets {
    type Row = Asset;
    type Key = i64;
    type Whose = ();
    type View = AssetViewContext;
    type Input = AssetInput;
    type Shown = AssetDetail;
    type Writer = Editor;
    type Retirer = Editor;

    fn id(_: &mut Conn, key: &i64) -> Result<i64> {
        Ok(*key)
    }

    fn path(key: &i64) -> String {
        format!("/api/assets/{key}")
    }

    const IS_MERGED: bool = true;

    fn key_of(_: &mut Conn, id: i64) -> Result<i64> {
        Ok(id)
    }

    fn list() -> Option<&'static ListSpec> {
        Some(&LIST)
    }

    fn chosen(c: &mut Conn, (): &(), query: ListQuery, parameters: &Query, view: &AssetViewContext) -> Result<Vec<i64>> {
        let (filters, mut ids) = (Filters::read(parameters)?, Vec::new());
        list_store::each(c, &query, &filters, view, |asset| {
            ids.push(asset.row.id);
            Ok(())
        })?;
        Ok(ids)
    }

    fn body(schemas: &mut Schemas, creating: bool) -> serde_json::Value {
        if creating { rules::new_body(schemas) } else { rules::changed_body(schemas) }
    }

    fn read(fields: Fields, creating: bool) -> Result<AssetInput> {
        rules::read(fields, creating)
    }

    fn create(w: &mut Write<'_>, (): &(), input: &AssetInput, _: &AssetViewContext) -> Result<i64> {
        store::create(w, input).map(|asset| asset.id)
    }

    fn update(w: &mut Write<'_>, id: i64, input: &AssetInput, rev: Option<i64>, view: &AssetViewContext) -> Result<bool> {
        Ok(!store::update(w, id, input, rev, &view.policy)?.changed.is_empty())
    }

    /// It goes with the links to those who use it, and comes back with them. What it alone holds stands in the way.
    fn retire(w: &mut Write<'_>, id: i64, force: bool) -> Result<()> {
        history::get::<Asset>(w, id)?;
        dependents::retire_bound(w, Asset::ENTITY, id, force)?;
        history::retire::<Asset>(w, id, None).map(drop)
    }

    fn linked_then(c: &mut Conn, id: i64, moment: &str) -> Result<Vec<(&'static str, Vec<i64>)>> {
        Ok(vec![("contact_ids", store::users_then(c, id, moment)?)])
    }

    fn answer(c: &mut Conn, id: i64, view: &AssetViewContext) -> Result<AssetDetail> {
        Ok(store::get_detail(c, id)?.redact(view))
    }

    fn rev(shown: &AssetDetail) -> i64 {
        shown.asset.row.rev
    }
}

/// The assets of a company, and those that a contact uses.
pub struct Owned;

impl Dependent for Owned {
    fn attached(&self, c: &mut Conn, entity: &str, id: i64) -> Result<Vec<(&'static str, i64)>> {
        let count = match entity {
            Company::ENTITY => store::attached_to_company(c, id)?,
            Contact::ENTITY => store::assigned_to(c, id)?,
            _ => 0,
        };
        Ok(vec![("assets", count)])
    }

    fn release(&self, w: &mut Write<'_>, entity: &str, id: i64) -> Result<()> {
        if entity != Company::ENTITY {
            return Ok(());
        }
        for asset in store::of_company(w, id)? {
            history::retire::<Asset>(w, asset.inside().row.id, Some("retired with its company"))?;
        }
        Ok(())
    }

    /// What a person uses, or who uses a device.
    fn hand_over(&self, w: &mut Write<'_>, entity: &str, from: i64, to: i64) -> Result<Vec<Moved>> {
        let users = |w: &mut Write<'_>, asset: i64| -> Result<Vec<i64>> {
            Ok(store::contacts_of(w, asset)?.iter().map(|contact| contact.inside().id).collect())
        };
        let mut moved = Vec::new();
        match entity {
            Contact::ENTITY => {
                let used: Vec<i64> = store::of_contact(w, from)?.iter().map(|asset| asset.inside().row.id).collect();
                for asset in used {
                    let mut now: Vec<i64> = users(w, asset)?.into_iter().filter(|id| *id != from && *id != to).collect();
                    now.push(to);
                    store::assign(w, asset, &now)?;
                    moved.push(asset);
                }
            }
            Asset::ENTITY => {
                let (theirs, mut all) = (users(w, from)?, users(w, to)?);
                all.extend(theirs.iter().copied().filter(|id| !all.contains(id)).collect::<Vec<_>>());
                store::assign(w, to, &all)?;
                store::assign(w, from, &[])?;
                moved = theirs;
            }
            _ => {}
        }
        Ok(vec![Moved::in_history("use", moved)])
    }
}

/// The assets that a contact uses.
pub struct Used;

impl Links for Used {
    fn belong(&self) -> (&'static str, &'static str) {
        (Contact::ENTITY, "asset_ids")
    }

    fn of(&self, c: &mut Conn, contact_id: i64) -> Result<Vec<i64>> {
        Ok(store::of_contact(c, contact_id)?.iter().map(|asset| asset.inside().row.id).collect())
    }

    fn replace(&self, w: &mut Write<'_>, contact_id: i64, wanted: &[i64]) -> Result<()> {
        let now = self.of(w, contact_id)?;
        for asset_id in wanted.iter().filter(|id| !now.contains(id)) {
            let asset = history::find::<Asset>(w, *asset_id)?.filter(|asset| asset.retired_at.is_none());
            asset.ok_or_else(|| Error::field("asset_ids", format!("there is no asset {asset_id}")))?;
            let mut users: Vec<i64> = store::contacts_of(w, *asset_id)?.iter().map(|contact| contact.inside().id).collect();
            users.push(contact_id);
            store::assign(w, *asset_id, &users)?;
        }
        for asset_id in now.iter().filter(|id| !wanted.contains(id)) {
            let users = store::contacts_of(w, *asset_id)?.into_iter().map(|contact| contact.inside().id);
            store::assign(w, *asset_id, &users.filter(|id| *id != contact_id).collect::<Vec<_>>())?;
        }
        Ok(())
    }
}

/// Replaces who uses an asset (contract §1.10).
async fn update_contacts(
    State(web): State<Web>,
    caller: Editor,
    Path(id): Path<i64>,
    conditions: Preconditions,
    mut fields: Fields,
) -> Result<Response> {
    let body = fields.digest();
    fields.set_creating(true);
    let contacts = fields.int_list("contact_ids").max_items(MOST_USERS).required().value().unwrap_or_default();
    fields.finish()?;
    let request = conditions.clone();
    let work = move |w: &mut Write<'_>| {
        links::change::<Assets>(w, &id, &request, |w, id| store::assign(w, id, &contacts))?;
        Reply::ok(&json!({"success": true, "message": "Contacts updated"}))
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), &body, work).await
}

/// What that table is made of.
const TABLE: [&str; 16] = [
    "id",
    "hostname",
    "description",
    "hardware_type",
    "operating_system",
    "antivirus_product",
    "online",
    "last_logged_in_user",
    "web_remote_url",
    "int_ip_address",
    "ext_ip_address",
    "domain",
    "last_seen",
    "patch_status",
    "company_name",
    "company_account_number",
];

/// What [`search`] answers.
fn search_answer(schemas: &mut Schemas) -> Value {
    json::done(&[
        ("assets", json::array(schema::only::<AssetView>(&TABLE))),
        ("pagination", json::one::<table::Pagination>(schemas)),
    ])
}

/// The table of our own page, while somebody types (contract §1.10).
async fn search(State(web): State<Web>, caller: Person, request: ReadRequest) -> Result<Response> {
    let (query, slice) = table::query(&request, &LIST, &["hostname", "hardware_type", "operating_system", "online"])?;
    let view_context = AssetViewContext::of(&caller.0, &web.config, &request.query)?;
    list::value(&web, &caller.0.scope(), &view_context.key(), &request, LIST.entities, move |conn| {
        let Page { items, total } = list_store::list(conn, &query, &Filters::default(), &view_context)?;
        let rows: Vec<_> = items.iter().map(|asset| shape::Only(asset, &TABLE)).collect();
        Ok(json!({"success": true, "assets": rows, "pagination": table::Pagination::new(slice, total)}))
    })
    .await
}
