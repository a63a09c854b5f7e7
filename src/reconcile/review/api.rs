//! The review list over HTTP.

use axum::{Json, extract::State};

use super::{
    Entry,
    decide::{self, Wish},
    exact::{self, Accepted},
    review_store,
};
use crate::web::openapi::schema as json;
use crate::{
    auth::Admin,
    compliance::{Level, RedactionPolicy, tell},
    db::Conn,
    error::{Error, Result},
    history::{Unredacted, protection},
    types::Scope,
    web::{Fields, Path, Preconditions, Query, Routes, Web},
};

/// How many entries one answer has.
const MOST: i64 = 5_000;

/// The routes of this room.
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/sync/review", list)
        .tells("List what a person has to decide", json::list::<Entry>)
        .asks(&[("state", "open|linked|ignored|settled|all", "What has been decided; open without it.")])
        .post("/api/sync/review/accept-exact", accept_exact)
        .tells("Link every site whose name is exactly that of a company", json::one::<Accepted>)
        .may_take(|_| json::optional(&[("ids", json::array(json::id_of("review_entry"))), ("dry_run", json::flag())]))
        .post("/api/sync/review/{id}/create-company", create_company)
        .tells("Make a company of a site", json::one::<Entry>)
        .may_take(|_| json::optional(&[("name", json::words(255)), ("account_number", json::words(50)), ("force", json::flag())]))
        .post("/api/sync/review/{id}/link", link)
        .tells("Link a site to a company, or a device to an asset", json::one::<Entry>)
        .takes(|_| {
            let target = |name: &str, target: serde_json::Value| json::object(&[(name, target)]);
            serde_json::json!({"anyOf": [target("company", json::company()), target("asset_id", json::id_of("asset"))]})
        })
        .post("/api/sync/review/{id}/ignore", ignore)
        .tells("Leave a site or device out", json::one::<Entry>)
}

/// What waits; with `?state=` what was decided (`linked`, `ignored`, `settled`), or `all`.
async fn list(caller: Admin, State(web): State<Web>, query: Query) -> Result<Json<Vec<Entry>>> {
    let policy = RedactionPolicy::of(&caller, &web.config, &query)?;
    let state = match query.text("state")?.unwrap_or("open") {
        "all" => None,
        state @ ("open" | "linked" | "ignored" | "settled") => Some(state.to_owned()),
        _ => return Err(Error::field("state", "must be open, linked, ignored, settled or all")),
    };
    let read = move |c: &mut Conn| {
        let (names, mut entries) = (exact::names(c)?, review_store::list(c, state.as_deref(), MOST)?);
        entries.iter_mut().filter(|entry| entry.state == "open").for_each(|entry| exact::offer(&names, entry));
        tell(c, entries.into_iter().map(Unredacted::new).collect(), &policy)
    };
    Ok(Json(web.db.read(&Scope::All, read).await?))
}

/// An entry as this caller may be told.
async fn told(web: &Web, caller: &Admin, query: &Query, entry: Entry) -> Result<Json<Entry>> {
    let policy = RedactionPolicy::of(caller, &web.config, query)?;
    let told = web.db.read(&Scope::All, move |c| tell(c, vec![Unredacted::new(entry)], &policy)).await?.pop();
    told.map(Json).ok_or(Error::NotFound { what: "Review entry" })
}

/// Whose a place is decides who sees its people: where anybody is protected, only those who may see everything say it.
async fn cleared(web: &Web, caller: &Admin) -> Result<()> {
    let policy = RedactionPolicy::of(caller, &web.config, &Query::default())?;
    if policy.is_cleared() || !web.db.read(&Scope::All, protection::anybody).await? {
        return Ok(());
    }
    policy.refuse_uncleared(Level::Hipaa, "whose a place is")
}

/// Links every site whose name is exactly a company's, or those of them in `ids`; `dry_run` only says which.
async fn accept_exact(
    caller: Admin,
    State(web): State<Web>,
    conditions: Preconditions,
    mut fields: Fields,
) -> Result<Json<Accepted>> {
    let ids = fields.int_list("ids").get().value();
    let dry_run = fields.bool("dry_run").get().value().unwrap_or(false);
    fields.finish()?;
    let dry_run = dry_run || conditions.is_rehearsal();
    cleared(&web, &caller).await?;
    Ok(Json(exact::accept(&web.db, &web.config, ids, dry_run, &caller.actor()).await?))
}

/// Makes a company of a site; `name` and `account_number` if they are to be others, `force` although the name is taken.
async fn create_company(
    caller: Admin,
    State(web): State<Web>,
    Path(id): Path<i64>,
    query: Query,
    mut fields: Fields,
) -> Result<Json<Entry>> {
    let wish = Wish {
        name: fields.text("name").max(255).get().value(),
        number: fields.key("account_number").max(50).get().value(),
        force: fields.bool("force").get().value().unwrap_or(false),
    };
    fields.finish()?;
    cleared(&web, &caller).await?;
    let entry = decide::create_company(&web.db, &web.config, id, wish, &caller.actor()).await?;
    told(&web, &caller, &query, entry).await
}

/// Links a site to `company` (account number or id), or a device to `asset_id`.
async fn link(
    caller: Admin,
    State(web): State<Web>,
    Path(id): Path<i64>,
    query: Query,
    mut fields: Fields,
) -> Result<Json<Entry>> {
    for name in ["company", "company_account_number", "company_id", "asset_id"] {
        fields.alias("target", name);
    }
    fields.set_creating(true);
    let target = fields.reference("target").max(50).required().get().value();
    fields.finish()?;
    let target = target.ok_or_else(|| Error::field("target", "is required"))?;
    cleared(&web, &caller).await?;
    let entry = decide::link(&web.db, &web.config, id, target, &caller.actor()).await?;
    told(&web, &caller, &query, entry).await
}

async fn ignore(caller: Admin, State(web): State<Web>, Path(id): Path<i64>, query: Query) -> Result<Json<Entry>> {
    let entry = decide::ignore(&web.db, id, &caller.actor()).await?;
    told(&web, &caller, &query, entry).await
}
