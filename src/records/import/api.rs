//! An import over HTTP.

use axum::{extract::State, response::Response};
use serde_json::json;

use super::{Import, Plan};
use crate::web::openapi::schema as json;
use crate::{
    auth::Editor,
    compliance::RedactionPolicy,
    error::{Error, Result},
    web::{Path, Preconditions, Raw, ReadRequest, Routes, Web},
};

/// The route.
pub fn routes() -> Routes {
    Routes::new()
        .post("/api/import/{kind}", import)
        .tells("Import a table", |schemas| {
            json::with(json::one::<Plan>(schemas), &[("success", json::flag()), ("dry_run", json::flag())])
        })
        .asks(&[("key", "string", "The column by which rows are known again.")])
}

/// `POST /api/import/{kind}[?key=&dry_run=true]` with a table as its body: what becomes of each row. Without `dry_run` all of
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
    let key = conditions.query().text("key")?;
    let import = Import::read(&kind, &body, key, &policy)?;
    let plan = if conditions.is_rehearsal() {
        import.plan(&web.db, &editor.scope(), &editor.actor()).await?
    } else {
        import.apply(&web.db, &editor.scope(), &editor.actor()).await?
    };
    let mut answer = serde_json::to_value(&plan).map_err(Error::internal)?;
    answer["success"] = json!(plan.refused == 0);
    answer["dry_run"] = json!(conditions.is_rehearsal());
    request.value(&answer)
}
