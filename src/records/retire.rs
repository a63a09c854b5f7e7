//! Retiring a company, which may have others' rows attached.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::nouns::door;
use crate::{
    assets::{Asset, store as assets},
    auth::{Admin, Reader},
    companies::{Company, Location, store as companies},
    compliance::RedactionPolicy,
    contacts::store as contacts,
    db::{Conn, Write},
    error::{Error, Result},
    history::{self, Record as _},
    web::{Path, Preconditions, Query, ReadRequest, Reply, Web},
};

/// What still belongs to a company, by kind, in numbers; empty when nothing does.
pub fn attached_to_company(c: &mut Conn, id: i64) -> Result<BTreeMap<&'static str, i64>> {
    let mut found = companies::attached(c, id)?;
    for (name, count) in [("contacts", contacts::attached_to_company(c, id)?), ("assets", assets::attached_to_company(c, id)?)] {
        if count > 0 {
            found.insert(name, count);
        }
    }
    for (name, count) in door::attached_to(c, Company::ENTITY, id)? {
        found.insert(name, i64::try_from(count).unwrap_or(i64::MAX));
    }
    Ok(found)
}

/// Retires a company. What is attached stands in the way unless `force`: then its assets and locations
/// retire with it, its contacts leave it, and the companies below it stand alone.
///
/// # Errors
/// `Conflict` with what is attached, `NotFound`.
pub fn retire_company(w: &mut Write<'_>, id: i64, force: bool) -> Result<Company> {
    let attached = attached_to_company(w, id)?;
    if !attached.is_empty() && !force {
        let list: Vec<String> = attached.iter().map(|(name, count)| format!("{count} {}", name.replace('_', " "))).collect();
        let mut details = serde_json::Map::new();
        details.insert("attached".to_owned(), json!(attached));
        return Err(Error::Conflict { message: format!("still attached: {}", list.join(", ")), details });
    }
    let reason = Some("retired with its company");
    for asset in attached_assets(w, id)? {
        history::retire::<Asset>(w, asset, reason)?;
    }
    for location in companies::locations(w, id)? {
        history::retire::<Location>(w, location.id, reason)?;
    }
    for contact in contacts::of_company(w, id)? {
        contacts::leave(w, contact.inside().row.id, id)?;
    }
    door::release_all(w, Company::ENTITY, id)?;
    for child in companies::children(w, id)? {
        history::update(w, child.id, None, Some("the company above was retired"), |company: &mut Company| {
            company.parent_id = None;
            Ok(())
        })?;
    }
    history::retire::<Company>(w, id, None)
}

fn attached_assets(c: &mut Conn, id: i64) -> Result<Vec<i64>> {
    Ok(assets::of_company(c, id)?.into_iter().map(|asset| asset.inside().row.id).collect())
}

/// `DELETE /api/companies/{acct}[?force=true]`.
///
/// # Errors
/// As [`retire_company`].
pub async fn company(
    State(web): State<Web>,
    admin: Admin,
    Path(key): Path<String>,
    query: Query,
    conditions: Preconditions,
) -> Result<Response> {
    let force = query.is_on("force")?;
    let policy = RedactionPolicy::of(&admin, &web.config, &query)?;
    let request = conditions.clone();
    conditions
        .run(&web, &admin.scope(), &admin.actor(), "", move |w| {
            let id = companies::id_of(w, &key)?;
            let before: Company = history::get(w, id)?;
            request.check(id, before.rev)?;
            retire_company(w, id, force)?;
            let view = companies::get_view(w, id)?.redact(&policy);
            Ok(Reply::ok(&view)?.with("message", "Company retired").tagged(view.row.id, view.row.rev))
        })
        .await
}

/// `GET /api/companies/{acct}/attached`: what a person should know before they retire it.
///
/// # Errors
/// `NotFound`.
pub async fn attached(State(web): State<Web>, reader: Reader, Path(key): Path<String>, request: ReadRequest) -> Result<Response> {
    let found = web
        .db
        .read(&reader.scope(), move |c| {
            let id = companies::id_of(c, &key)?;
            attached_to_company(c, id)
        })
        .await?;
    request.value(&found)
}
