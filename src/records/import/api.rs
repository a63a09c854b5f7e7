//! An import over HTTP.

use std::time::Duration;

use axum::{extract::State, response::Response};
use serde_json::json;
use tokio::task::JoinHandle;

use super::{Desk, Import, Plan, Reading};
use crate::web::openapi::schema as json;
use crate::{
    auth::Editor,
    compliance::RedactionPolicy,
    entity::once::lasting,
    error::{Error, Result},
    web::{Path, Preconditions, Raw, ReadRequest, Routes, Web},
};

/// How long somebody waits for an import; a request may not take much longer.
const PATIENCE: Duration = Duration::from_secs(25);

/// The route.
pub fn routes() -> Routes {
    Routes::new()
        .post("/api/import/{kind}", import)
        .tells("Import a table", |schemas| {
            json::with(json::one::<Plan>(schemas), &[("success", json::flag()), ("dry_run", json::flag())])
        })
        .asks(&[
            ("kind", lasting(super::kinds().join("|")), "What the rows are."),
            ("key", "text", "The column by which rows are known again."),
            ("preset", "text", "The product whose export it is, when its columns do not tell."),
            ("company", "text", "The account number of the company whose rows they are that do not say it."),
        ])
        .takes_file(&["application/octet-stream"])
}

/// `POST /api/import/{kind}[?key=&preset=&company=&dry_run=true]` with a table as its body: what becomes of each row. Without `dry_run` all of
/// it is done, or nothing (409 with the rows that cannot be).
async fn import(
    State(web): State<Web>,
    editor: Editor,
    Path(kind): Path<String>,
    conditions: Preconditions,
    request: ReadRequest,
    Raw(body): Raw,
) -> Result<Response> {
    let policy = RedactionPolicy::of(&editor, &web.config, conditions.query())?;
    let query = conditions.query();
    let reading = Reading { key: query.text("key")?, preset: query.text("preset")?, company: query.text("company")? };
    let import = Import::read(&kind, &body, reading, &policy)?;
    let dry_run = conditions.is_rehearsal();
    let desk = Desk::of(&web, editor.scope(), conditions.pinning(editor.actor()));
    // In a task of its own: a client that leaves does not stop it halfway.
    let work = async move { if dry_run { import.plan(&desk).await } else { import.apply(&desk).await } };
    let plan = in_time(tokio::spawn(work)).await?;
    let mut answer = serde_json::to_value(&plan).map_err(Error::internal)?;
    answer["success"] = json!(plan.refused == 0);
    answer["dry_run"] = json!(dry_run);
    request.value(&answer)
}

/// What came of it, as long as a request may take.
///
/// # Errors
/// `Unavailable` when it takes longer; it goes on.
pub async fn in_time<T>(work: JoinHandle<Result<T>>) -> Result<T> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done.map_err(Error::internal)?,
        Err(_) => Err(Error::Unavailable(
            "this takes longer than a request may; it goes on in the background, and its plan (/api/sync/plans) tells how it ends"
                .to_owned(),
        )),
    }
}
