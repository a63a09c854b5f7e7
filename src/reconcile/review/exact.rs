//! Sites whose name is exactly a company's: linked all at once, each shown.

use std::collections::HashMap;

use serde::Serialize;

use super::{Candidate, Entry, decide, review_store};
use crate::{
    companies::alias_store,
    config::Config,
    db::{Conn, Db},
    error::{Error, Result},
    reconcile::{
        assets::sources_store,
        sites::{names::Names, store},
    },
    types::{Actor, Scope},
    web::Reference,
};

/// A site and the company that has its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Exact {
    /// The entry of the review list.
    pub id: i64,
    /// The site's name.
    pub site: String,
    /// The company's name.
    pub company: String,
    /// The company's key.
    pub company_account_number: String,
    /// How many devices are at the site.
    pub devices: i64,
}

/// One that could not be linked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Refused {
    /// The entry of the review list.
    pub id: i64,
    /// The site's name.
    pub site: String,
    pub error: String,
}

/// What was done, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Accepted {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// The sites that were linked, or would be.
    pub linked: Vec<Exact>,
    /// Those that could not be.
    pub refused: Vec<Refused>,
    /// How many sites still wait afterwards.
    pub left: i64,
}

/// The companies by name, with what people have recognised.
pub fn names(c: &mut Conn) -> Result<Names> {
    Ok(Names::new(&store::companies(c)?, &alias_store::keys(c)?))
}

/// Offers of the site's name, after what the vendor's own data says.
pub fn offer(names: &Names, entry: &mut Entry) {
    if entry.kind != "site" {
        return;
    }
    entry.candidates.retain(Candidate::is_evidence);
    for offered in names.suggest(&entry.label) {
        if !entry.candidates.iter().any(|known| known.id == offered.id) {
            entry.candidates.push(offered);
        }
    }
}

/// Every open site whose name is exactly one company's, unless something else speaks for another company.
pub fn find(c: &mut Conn) -> Result<Vec<Exact>> {
    let (names, known) = (names(c)?, store::all(c)?);
    let devices: HashMap<(String, String), i64> = sources_store::counts(c)?;
    let mut found = Vec::new();
    for entry in review_store::list(c, Some("open"), i64::MAX)?.into_iter().rev().filter(|entry| entry.kind == "site") {
        let Some(company) = names.exact(&entry.label) else { continue };
        let is_anothers = known.get(&entry.external_id).and_then(|site| site.company_id).is_some_and(|id| id != company.id);
        if is_anothers || entry.candidates.iter().any(|one| one.is_evidence() && one.id != company.id) {
            continue;
        }
        found.push(Exact {
            id: entry.id,
            company: company.name.clone(),
            company_account_number: company.number.clone(),
            devices: devices.get(&(entry.system, entry.external_id)).copied().unwrap_or_default(),
            site: entry.label,
        });
    }
    Ok(found)
}

/// Links them, or those of them that are named; with `dry_run` only says which.
///
/// # Errors
/// `Invalid` for a named entry that is none of them.
pub async fn accept(db: &Db, config: &Config, only: Option<Vec<i64>>, dry_run: bool, actor: &Actor) -> Result<Accepted> {
    let mut found = db.read(&Scope::All, find).await?;
    if let Some(only) = only {
        if let Some(other) = only.iter().find(|id| !found.iter().any(|exact| exact.id == **id)) {
            return Err(Error::field("ids", format!("{other} is no site whose name is exactly a company's")));
        }
        found.retain(|exact| only.contains(&exact.id));
    }
    let mut accepted = Accepted { dry_run, ..Accepted::default() };
    for exact in found {
        if dry_run {
            accepted.linked.push(exact);
            continue;
        }
        let company = Reference::Key(exact.company_account_number.clone());
        match decide::link(db, config, exact.id, company, actor).await {
            Ok(_) => accepted.linked.push(exact),
            Err(error @ (Error::NotFound { .. } | Error::Invalid(_) | Error::Conflict { .. })) => {
                accepted.refused.push(Refused { id: exact.id, site: exact.site, error: error.to_string() });
            }
            Err(error) => return Err(error),
        }
    }
    let open = db.read(&Scope::All, review_store::open_sites).await?;
    let would = if dry_run { i64::try_from(accepted.linked.len()).unwrap_or_default() } else { 0 };
    accepted.left = open - would;
    Ok(accepted)
}
