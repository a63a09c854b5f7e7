//! Assets as JSON (contract §1.1.6, §1.2).

use axum::{extract::State, response::Response};
use serde_json::{Value, json};

use super::{
    alert_api, devices_api,
    list_store::{self, Filters, LIST},
    model::{AssetDetail, AssetView},
    rules, store,
    view_context::AssetViewContext,
};
use crate::web::openapi::{Schemas, schema as json};
use crate::{
    auth::{Editor, Person, Reader},
    companies::store as companies,
    db::{Write, list::Page},
    entity::shape,
    error::{Error, Result},
    web::{Fields, Path, Preconditions, ReadRequest, Reply, Routes, Web, list, table},
};

/// What can be asked about assets and done to them.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/assets", index)
        .tells("List assets", json::list::<AssetView>)
        .post("/api/assets", create)
        .makes("Add an asset", json::written::<AssetDetail>)
        .takes(rules::new_body)
        .get("/api/assets/{id}", show)
        .tells("Read an asset", json::one::<AssetDetail>)
        .get("/api/asset/{id}", show)
        .tells("Read an asset", json::one::<AssetDetail>)
        .update("/api/assets/{id}", update)
        .tells("Change the fields of an asset that are sent", json::written::<AssetDetail>)
        .takes(rules::changed_body)
        .get("/api/companies/{acct}/assets", of_company)
        .tells("List the assets of a company", json::list::<AssetView>)
        .get("/assets/api/search", search)
        .tells("Search assets for the page that lists them", search_answer)
        .asks(&[
            ("q", "string", "What to look for."),
            ("page", "integer", "The page, counted from 1."),
            ("per_page", "integer", "The size of a page."),
            ("sort", "string", "The column."),
            ("dir", "string", "asc or desc."),
        ])
        .put("/assets/{id}/update-contacts", update_contacts)
        .merge(devices_api::routes())
        .merge(alert_api::routes())
}

async fn index(State(web): State<Web>, caller: Reader, request: ReadRequest) -> Result<Response> {
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

async fn show(State(web): State<Web>, caller: Reader, Path(id): Path<i64>, request: ReadRequest) -> Result<Response> {
    let view_context = AssetViewContext::of(&caller, &web.config, &request.query)?;
    let detail = web.db.read(&caller.scope(), move |conn| store::get_detail(conn, id)).await?.redact(&view_context);
    request.row(id, detail.asset.row.rev, &detail)
}

async fn create(State(web): State<Web>, caller: Editor, conditions: Preconditions, fields: Fields) -> Result<Response> {
    let body = fields.digest();
    let input = rules::read(fields, true)?;
    let view_context = AssetViewContext::of(&caller, &web.config, conditions.query())?;
    let work = move |w: &mut Write<'_>| {
        let asset = store::create(w, &input)?;
        let detail = store::get_detail(w, asset.id)?.redact(&view_context);
        let reply = Reply::created(&detail, format!("/api/assets/{}", asset.id))?;
        Ok(reply.tagged(asset.id, asset.rev).with("message", "Asset created"))
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
    let view_context = AssetViewContext::of(&caller, &web.config, conditions.query())?;
    let stands = async {
        let detail = web.db.read(&caller.scope(), move |conn| store::get_detail(conn, id)).await?.redact(&view_context);
        serde_json::to_value(detail).map_err(Error::internal)
    };
    let input = fields.of_record(rules::read, stands).await?;
    let expected = conditions.rev(id)?;
    let work = move |w: &mut Write<'_>| {
        store::update(w, id, &input, expected, &view_context.policy)?;
        updated(&store::get_detail(w, id)?.redact(&view_context))
    };
    conditions.run(&web, &caller.scope(), &caller.actor(), &body, work).await
}

fn updated(detail: &AssetDetail) -> Result<Reply> {
    Ok(Reply::ok(detail)?.tagged(detail.asset.row.id, detail.asset.row.rev).with("message", "Asset updated"))
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
    let contacts = fields.int_list("contact_ids").max_items(500).required().value().unwrap_or_default();
    fields.finish()?;
    let work = move |w: &mut Write<'_>| {
        store::assign(w, id, &contacts)?;
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
    json::done(&[("assets", json::array(json::any())), ("pagination", json::one::<table::Pagination>(schemas))])
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
