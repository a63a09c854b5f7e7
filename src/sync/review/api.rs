//! The review list over HTTP.

use axum::{Json, extract::State};

use super::{Entry, decide, review_store};
use crate::{
    auth::Admin,
    error::{Error, Result},
    types::Scope,
    web::{Fields, Path, Query, Routes, Web},
};

/// How many entries one answer has.
const MOST: i64 = 5_000;

/// The routes of this room.
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/sync/review", list)
        .post("/api/sync/review/{id}/link", link)
        .post("/api/sync/review/{id}/ignore", ignore)
}

/// What waits; with `?state=` what was decided (`linked`, `ignored`, `settled`), or `all`.
async fn list(_caller: Admin, State(web): State<Web>, query: Query) -> Result<Json<Vec<Entry>>> {
    let state = match query.text("state")?.unwrap_or("open") {
        "all" => None,
        state @ ("open" | "linked" | "ignored" | "settled") => Some(state.to_owned()),
        _ => return Err(Error::field("state", "must be open, linked, ignored, settled or all")),
    };
    Ok(Json(web.db.read(&Scope::All, move |c| review_store::list(c, state.as_deref(), MOST)).await?))
}

/// Links a site to `company` (account number or id), or a device to `asset_id`.
async fn link(caller: Admin, State(web): State<Web>, Path(id): Path<i64>, mut fields: Fields) -> Result<Json<Entry>> {
    for name in ["company", "company_account_number", "company_id", "asset_id"] {
        fields.alias("target", name);
    }
    fields.set_creating(true);
    let target = fields.key("target").max(50).required().get().value().unwrap_or_default();
    fields.finish()?;
    Ok(Json(decide::link(&web.db, &web.config, id, &target, &caller.actor()).await?))
}

async fn ignore(caller: Admin, State(web): State<Web>, Path(id): Path<i64>) -> Result<Json<Entry>> {
    Ok(Json(decide::ignore(&web.db, id, &caller.actor()).await?))
}
