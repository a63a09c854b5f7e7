//! Forgetting a person: their data goes from the row, its history and every text that names them; that there was somebody stays.

mod pages;
pub mod store;
mod tokens;

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use serde::Serialize;

use self::{store::PLACES, tokens::Tokens};
use crate::{
    attachments::files::Folder,
    auth::Admin,
    compliance::{RedactionPolicy, forgotten_store},
    config::Config,
    contacts::Contact,
    db::{Conn, Db, Write},
    encryption::Encryption,
    error::{Error, Result},
    history::{self, Record as _, protection},
    types::{Actor, Scope, fold},
    web::{Fields, Path, Preconditions, Routes, Web, openapi::schema as described},
};

/// How many numbers of a table are looked through at once, and how many texts one transaction stores.
const PORTION: i64 = 1_000;
const TEXTS: usize = 100;

/// The routes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .post("/api/contacts/{id}/forget", forget_one)
        .tells("Forget a person", described::one::<Forgotten>)
        .takes(|_| described::optional(&[("name", described::text())]))
        .merge(pages::routes())
}

/// What was forgotten.
#[derive(Clone, Debug, Default, Serialize, utoipa::ToSchema)]
pub struct Forgotten {
    pub success: bool,
    /// The contact, and those that were merged into it.
    pub ids: Vec<i64>,
    /// What the contact is called from now on.
    pub name: String,
    /// In how many texts the person was named, by table.
    pub texts: BTreeMap<String, usize>,
    /// How many files were taken away.
    pub files: usize,
    /// Why earlier versions of it may still stand in the files of the database, which no question can reach.
    pub residue: Option<String>,
    /// Whether nothing was changed.
    pub dry_run: bool,
}

/// `POST /api/contacts/{id}/forget`: with the person's name, so that nobody forgets another one.
async fn forget_one(
    State(web): State<Web>,
    admin: Admin,
    Path(id): Path<i64>,
    conditions: Preconditions,
    mut fields: Fields,
) -> Result<Json<Forgotten>> {
    let is_rehearsal = conditions.query().is_rehearsal()?;
    let policy = RedactionPolicy::of(&admin, &web.config, conditions.query())?;
    let look = move |c: &mut Conn| {
        let rev = history::get::<Contact>(c, id)?.rev;
        if !policy.is_cleared() && !protection::among(c, Contact::ENTITY, vec![id])?.is_empty() {
            let who = "a protected person is forgotten by somebody who may see protected records in full";
            return Err(Error::Forbidden(who.to_owned()));
        }
        Ok(rev)
    };
    let rev = web.db.read(&Scope::All, look).await?;
    conditions.check(id, rev)?;
    let typed = fields.text("name").max(300).get().value();
    fields.finish()?;
    if !is_rehearsal {
        confirmed(&web.db, id, typed.as_deref()).await?;
    }
    let (db, config, actor) = (web.db.clone(), web.config.clone(), admin.actor());
    // In a task of its own: a client that leaves does not stop it halfway.
    let work = tokio::spawn(async move { forget(&db, &config, &actor, id, is_rehearsal).await });
    work.await.map_err(Error::internal)?.map(Json)
}

/// Refuses a name that is not the contact's.
///
/// # Errors
/// `Invalid`, `NotFound`.
pub async fn confirmed(db: &Db, id: i64, typed: Option<&str>) -> Result<()> {
    let contact = db.read(&Scope::All, move |c| history::get::<Contact>(c, id)).await?;
    if typed.map(fold) == Some(fold(&contact.name)) {
        return Ok(());
    }
    Err(Error::field("name", "must be the name of the person as it stands, because forgetting cannot be undone"))
}

/// The contact that is meant: its id, or the e-mail that one contact alone has.
///
/// # Errors
/// `NotFound`; `Conflict` when several have the address.
pub async fn meant(db: &Db, who: &str) -> Result<(i64, String)> {
    let who = who.to_owned();
    let find = move |c: &mut Conn| {
        let id = match who.parse() {
            Ok(id) => id,
            Err(_) => match store::with_email(c, &fold(&who))?.as_slice() {
                [id] => *id,
                [] => return Err(Error::NotFound { what: "Contact" }),
                several => {
                    let ids: Vec<String> = several.iter().map(i64::to_string).collect();
                    return Err(Error::conflict(format!(
                        "several contacts have this address; name one by its id: {}",
                        ids.join(", ")
                    )));
                }
            },
        };
        Ok((id, history::get::<Contact>(c, id)?.name))
    };
    db.read(&Scope::All, find).await
}

/// Forgets a person: first in texts elsewhere, in small transactions, then the rows that are theirs in one. Broken off
/// in between it is asked for again.
///
/// # Errors
/// `NotFound`; those of the database.
pub async fn forget(db: &Db, config: &Config, actor: &Actor, id: i64, is_rehearsal: bool) -> Result<Forgotten> {
    let known = db.read(&Scope::All, move |c| {
        let ids = store::family(c, id)?;
        let tokens = store::tokens(c, &ids)?;
        Ok((ids, tokens))
    });
    let (ids, tokens) = known.await?;
    let again = ids.first().copied().unwrap_or(id);
    let is_known = db.read(&Scope::All, move |c| history::forgotten::is_forgotten(c, Contact::ENTITY, again)).await?;
    if !is_rehearsal && !is_known {
        // Before any text goes, lest a sync brings it back meanwhile; what is not known again would.
        let (digests, id) = (tokens.digests(&Encryption::create(config)?), ids.first().copied().unwrap_or(id));
        db.write(&Scope::All, actor, move |w| forgotten_store::remember(w, id, &digests)).await?;
    }
    let texts = in_texts(db, actor, &tokens, is_rehearsal).await?;
    let name = store::title(ids.first().copied().unwrap_or(id));
    let mut done = Forgotten { success: true, ids: ids.clone(), name, texts, files: 0, residue: None, dry_run: is_rehearsal };
    if is_rehearsal {
        return Ok(done);
    }
    let known = tokens.clone();
    let actor_once = Actor { pins: false, ..actor.clone() };
    let erase = move |w: &mut Write<'_>| {
        let mut files = Vec::new();
        for id in &ids {
            files.extend(store::erase(w, *id, &known)?);
        }
        Ok(files)
    };
    let files = db.write(&Scope::All, &actor_once, erase).await?;
    done.files = files.len();
    let folder = Folder::of(config);
    for sha256 in files {
        folder.take_away(db, sha256).await?;
    }
    // What was said while that went on, and what the last step itself has told.
    in_texts(db, actor, &tokens, false).await?;
    done.residue = match db.erase_residue(actor).await {
        Ok(remains) => remains.map(str::to_owned),
        Err(error) => {
            tracing::warn!(%error, "the database was not written anew after somebody was forgotten");
            let why = if matches!(error, Error::Internal(_)) { "the log tells why".to_owned() } else { error.to_string() };
            Some(format!("The database could not be written anew ({why}): forget the same contact again later"))
        }
    };
    Ok(done)
}

async fn in_texts(db: &Db, actor: &Actor, tokens: &Tokens, is_rehearsal: bool) -> Result<BTreeMap<String, usize>> {
    let mut counts = BTreeMap::new();
    for place in PLACES {
        let (mut from, last) = db.read(&Scope::All, |c| place.bounds(c)).await?;
        while from <= last {
            let (own, to) = (tokens.clone(), from + PORTION - 1);
            let mut found = db.read(&Scope::All, move |c| place.find(c, (from, to), &own)).await?;
            if !found.is_empty() {
                *counts.entry(place.table.trim_start_matches('@').to_owned()).or_default() += found.len();
            }
            while !is_rehearsal && !found.is_empty() {
                let some: Vec<_> = found.drain(..found.len().min(TEXTS)).collect();
                db.write_bulk(&Scope::All, actor, move |w| some.iter().try_for_each(|one| place.put(w, one))).await?;
            }
            from = to + 1;
        }
    }
    Ok(counts)
}
