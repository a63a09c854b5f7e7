//! Backups: one file with database, attachments and keys, made while the server runs, tried out, and put back when it does
//! not.

pub mod archive;
pub mod care;
mod job;
pub mod make;
pub mod manifest;
mod pages;
pub mod restore;
mod retention;
pub mod scratch;
pub mod standing;
pub mod store;

use axum::{Json, extract::State};

pub use self::{
    job::{JOB, megabytes, said},
    standing::{NOTICE, Standing, standing},
    store::{Backup, last},
};
use crate::{
    auth::Admin,
    error::Result,
    types::Scope,
    web::{Routes, Web, openapi::schema as json},
};

/// How many are listed.
const LISTED: i64 = 500;

/// The routes of this room.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/backups", list)
        .tells("List backups with whether they can be restored", json::list::<Backup>)
        .get(standing::PAGE, pages::show)
}

async fn list(_caller: Admin, State(web): State<Web>) -> Result<Json<Vec<Backup>>> {
    Ok(Json(web.db.read(&Scope::All, |c| store::list(c, LISTED)).await?))
}
