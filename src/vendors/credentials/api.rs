//! Credentials over HTTP, for administrators who are people: written, never read.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{Change, Credentials, change, connection_test, view};
use crate::web::openapi::schema as json;
use crate::{
    auth::AdminPerson,
    config::Secret,
    error::{Error, Result},
    vendors::{ALL, vendor},
    web::{Fields, Path, Routes, Sent, Web},
};

/// The longest credential.
const LONGEST: usize = 4_096;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/sync/credentials", all)
        .tells("List the credentials of vendors, without secrets", json::list::<Credentials>)
        .get("/api/sync/credentials/{system}", one)
        .tells("Read the credentials of a vendor, without secrets", json::one::<Credentials>)
        .put("/api/sync/credentials/{system}", put)
        .tells("Enter credentials of a vendor", json::one::<Credentials>)
        .takes(|_| {
            let mut names: Vec<&str> = ALL.iter().flat_map(|vendor| vendor.keys).map(|(name, _)| *name).collect();
            names.sort_unstable();
            names.dedup();
            let text = json::or_null(serde_json::json!({"type": "string", "maxLength": LONGEST}));
            let mut body = json::optional(&names.into_iter().map(|name| (name, text.clone())).collect::<Vec<_>>());
            body["minProperties"] = serde_json::json!(1);
            body
        })
        .delete("/api/sync/credentials/{system}", delete)
        .tells("Remove the credentials that were entered", json::one::<Credentials>)
        .post("/api/sync/credentials/{system}/test", try_them)
        .tells("Try the credentials of a vendor", |_| json::done(&[("ok", json::flag()), ("message", json::text())]))
}

async fn all(_caller: AdminPerson, State(web): State<Web>) -> Result<Json<Vec<Credentials>>> {
    Ok(Json(view::all(&web.db, &web.config).await?))
}

async fn one(_caller: AdminPerson, State(web): State<Web>, Path(system): Path<String>) -> Result<Json<Credentials>> {
    show(&web, &system).await.map(Json)
}

async fn show(web: &Web, system: &str) -> Result<Credentials> {
    let system = vendor(system)?.system;
    let known = view::all(&web.db, &web.config).await?;
    known.into_iter().find(|found| found.system == system).ok_or(Error::NotFound { what: "Vendor" })
}

/// Sets what is sent; null forgets what was entered. Nothing that was sent is ever sent back.
async fn put(
    caller: AdminPerson,
    State(web): State<Web>,
    Path(system): Path<String>,
    mut fields: Fields,
) -> Result<Json<Credentials>> {
    let changes = sent(&system, &mut fields)?;
    fields.finish()?;
    change(&web.db, &web.config, vendor(&system)?, changes, caller.name()).await?;
    show(&web, &system).await.map(Json)
}

/// Reads credentials from a request's fields, for the API and the page alike.
///
/// # Errors
/// `NotFound` when there is no such vendor; `Invalid` when nothing was sent.
pub fn sent(system: &str, fields: &mut Fields) -> Result<Vec<Change>> {
    let vendor = vendor(system)?;
    let mut changes = Vec::new();
    for (name, _) in vendor.keys {
        let printable = |text: &String| {
            if text.chars().any(char::is_control) { Err("must be one line of printable characters".to_owned()) } else { Ok(()) }
        };
        match fields.text(name).max(LONGEST).check(printable).get() {
            Sent::Absent => {}
            // A field of a form that was left empty stays as it is: what is stored cannot be shown in it.
            Sent::Null if fields.is_form() => {}
            Sent::Null => changes.push((*name, None)),
            Sent::Value(text) => changes.push((*name, Some(Secret::new(text)))),
        }
    }
    if changes.is_empty() {
        let names: Vec<_> = vendor.keys.iter().map(|(name, _)| *name).collect();
        fields.refuse(names.first().copied().unwrap_or("body"), format!("send at least one of {}", names.join(", ")));
    }
    Ok(changes)
}

/// Forgets what was entered; what other sources say counts again.
async fn delete(caller: AdminPerson, State(web): State<Web>, Path(system): Path<String>) -> Result<Json<Credentials>> {
    let known = vendor(&system)?;
    let changes = known.keys.iter().map(|(name, _)| (*name, None)).collect();
    change(&web.db, &web.config, known, changes, caller.name()).await?;
    show(&web, &system).await.map(Json)
}

/// Asks the vendor one small question with the credentials that count now.
async fn try_them(_caller: AdminPerson, State(web): State<Web>, Path(system): Path<String>) -> Result<Json<Value>> {
    let tried = connection_test::run(&web.db, &web.config, vendor(&system)?).await?;
    let (ok, message) = match tried {
        Ok(message) => (true, message),
        Err(message) => (false, message),
    };
    Ok(Json(json!({ "ok": ok, "success": ok, "message": message })))
}
