//! A person's decision about something that a sync would not guess.

use super::{Entry, exact, review_store};
use crate::{
    assets::Asset,
    companies::{Company, alias_store, rules as company_rules, store as companies},
    config::Config,
    db::{Db, Write},
    error::{Error, Result},
    history::{self, Record, links},
    reconcile::{
        assets::{Rules, again, moving, sources_store, takeover},
        sites::{names, store},
    },
    types::{Actor, Scope},
    vendors,
    web::{Fields, Reference},
};

/// Assets moved in one transaction.
const CHUNK: i64 = 100;

/// Links an entry: a site to a company (a number is its id, text its account number), a device to an asset (by id).
///
/// # Errors
/// `NotFound` for an entry that is not there, `Invalid` for a target that is not, `Conflict` for an
/// asset that is another device already.
pub async fn link(db: &Db, config: &Config, id: i64, target: Reference, actor: &Actor) -> Result<Entry> {
    // A decision about a place is no edit of its assets: it pins nothing.
    let actor = Actor { pins: false, ..actor.clone() };
    let entry = db.read(&Scope::All, move |c| review_store::get(c, id)).await?;
    let by = actor.name.clone();
    if entry.kind != "site" {
        let rules = rules_of(config, &entry)?;
        return db.write(&Scope::All, &actor, move |w| link_device(w, rules, &entry, &target, &by)).await;
    }
    let (rules, uid) = (rules_of(config, &entry)?, entry.external_id.clone());
    let decide = move |w: &mut Write<'_>| {
        let company = live_company(w, &target)?;
        link_site(w, &entry, &company, &by)
    };
    let (company, reason) = db.write(&Scope::All, &actor, decide).await?;
    move_all(db, rules, &uid, company, &reason, &actor).await?;
    db.read(&Scope::All, move |c| review_store::get(c, id)).await
}

/// Makes a company of a site's name, and links the site to it. Without a number it takes the one that the site's
/// variable says, when no company has it, else a free one.
///
/// # Errors
/// `NotFound` for an entry that is not there, `Conflict` when a company of that name or number exists (the first not with
/// `force`), `Invalid` for an entry about a device and for what no company may be called.
pub async fn create_company(db: &Db, config: &Config, id: i64, wish: Wish, actor: &Actor) -> Result<Entry> {
    let actor = Actor { pins: false, ..actor.clone() };
    let entry = db.read(&Scope::All, move |c| review_store::get(c, id)).await?;
    if entry.kind != "site" {
        return Err(Error::field("id", format!("{} is a device; only a site can become a company", entry.label)));
    }
    let (rules, uid, by) = (rules_of(config, &entry)?, entry.external_id.clone(), actor.name.clone());
    let create = move |w: &mut Write<'_>| {
        let name = wish.name.unwrap_or_else(|| entry.label.clone());
        let names = exact::names(w)?;
        let taken = names.suggest(&name).into_iter().find(|one| one.fit.as_deref() == Some(names::EXACT));
        if let Some(taken) = taken.filter(|_| !wish.force) {
            let number = taken.account_number.unwrap_or_default();
            return Err(Error::conflict(format!("{} ({number}) has this name already; link the site to it instead", taken.name)));
        }
        let said = store::all(w)?.remove(&entry.external_id).and_then(|site| site.account_number);
        let free = |number: &String, w: &mut Write<'_>| Ok::<bool, Error>(companies::find_id(w, number)?.is_none());
        let number = match (wish.number, said) {
            (Some(number), _) => Some(number),
            (None, Some(said)) if !said.contains(',') && free(&said, w)? => Some(said),
            _ => None,
        };
        let mut fields = serde_json::Map::new();
        fields.insert("name".to_owned(), name.into());
        if let Some(number) = number {
            fields.insert("account_number".to_owned(), number.into());
        }
        let input = company_rules::read(Fields::new(fields), true)?;
        let company = companies::create(w, &input, None)?;
        link_site(w, &entry, &company, &by)
    };
    let (company, reason) = db.write(&Scope::All, &actor, create).await?;
    move_all(db, rules, &uid, company, &reason, &actor).await?;
    db.read(&Scope::All, move |c| review_store::get(c, id)).await
}

/// What a company that is made from a site should have.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Another name than the site's.
    pub name: Option<String>,
    /// An account number.
    pub number: Option<String>,
    /// Although a company of that name exists.
    pub force: bool,
}

/// Writes down whose a site is, and learns its name. Returns the company and the reason for its assets' history.
fn link_site(w: &mut Write<'_>, entry: &Entry, company: &Company, by: &str) -> Result<(i64, String)> {
    let before = store::all(w)?.remove(&entry.external_id).filter(|site| site.basis == "person");
    let key = names::key(&entry.label);
    if let Some(other) = before.and_then(|site| site.company_id).filter(|id| *id != company.id) {
        alias_store::forget(w, other, &key)?;
    }
    store::decide(w, &entry.external_id, Some(company.id), "person", by)?;
    if names::tells(&entry.label) {
        alias_store::learn(w, company.id, &entry.label, &key, &entry.system)?;
    }
    let decision = format!("belongs to {} ({})", company.name, company.account_number);
    review_store::decide(w, entry.id, "linked", &decision, by)?;
    Ok((company.id, format!("the site {} {decision}, decided by {by}", entry.label)))
}

/// Leaves things as they are and takes the entry off the list, for good.
///
/// # Errors
/// `NotFound`.
pub async fn ignore(db: &Db, id: i64, actor: &Actor) -> Result<Entry> {
    let by = actor.name.clone();
    let ignore = move |w: &mut Write<'_>| {
        let entry = review_store::get(w, id)?;
        if entry.kind == "site" {
            store::decide(w, &entry.external_id, None, "ignored", &by)?;
        }
        review_store::decide(w, id, "ignored", "left as it is", &by)?;
        review_store::get(w, id)
    };
    db.write(&Scope::All, actor, ignore).await
}

fn live_company(w: &mut Write<'_>, key: &Reference) -> Result<Company> {
    let id = companies::resolve(w, "target", key)?;
    let company: Company = history::get(w, id)?;
    if company.retired_at.is_some() {
        return Err(Error::field("target", format!("{} is retired", company.name)));
    }
    Ok(company)
}

/// Whose records an entry is about.
fn rules_of(config: &Config, entry: &Entry) -> Result<Rules> {
    let system = vendors::find(&entry.system).map(|vendor| vendor.system);
    let unknown = || Error::internal(format!("a review item of the unknown system {}", entry.system));
    Ok(Rules { system: system.ok_or_else(unknown)?, prefer: config.assets.prefer })
}

/// Moves the assets at a site, a few at a time, and compares them with those that the company had.
async fn move_all(db: &Db, rules: Rules, uid: &str, company: i64, reason: &str, actor: &Actor) -> Result<()> {
    let mut moved = Vec::new();
    let mut after = 0;
    loop {
        let place = uid.to_owned();
        let ids = db.read(&Scope::All, move |c| sources_store::at_place(c, rules.system, &place, after, CHUNK)).await?;
        let Some(last) = ids.last().copied() else { break };
        after = last;
        let reason = reason.to_owned();
        let some = db.write_bulk(&Scope::All, actor, move |w| moving::assets(w, rules, &ids, Some(company), &reason)).await?;
        moved.extend(some);
    }
    again::compare(db, rules, &moved, company, actor).await
}

/// Says that a device is an asset that was here before. The row that stood in for it goes; one that was retired lives again.
fn link_device(w: &mut Write<'_>, rules: Rules, entry: &Entry, target: &Reference, by: &str) -> Result<Entry> {
    let unknown = || Error::field("target", format!("there is no asset {target}"));
    let asset_id: i64 = match target {
        Reference::Id(id) => *id,
        Reference::Key(text) => text.trim().parse().map_err(|_| unknown())?,
    };
    let named = entry.candidates.iter().any(|candidate| candidate.id == asset_id);
    let asset: Asset =
        history::find(w, asset_id)?.filter(|asset: &Asset| named || asset.retired_at.is_none()).ok_or_else(unknown)?;
    if links::find(w, &entry.system, Asset::ENTITY, &entry.external_id)? != Some(asset_id) {
        let linked = links::of(w, Asset::ENTITY, asset_id)?;
        if let Some(other) = linked.iter().find(|link| asset.retired_at.is_none() && link.system == entry.system) {
            return Err(Error::conflict(format!("{} is the device {} already", asset.hostname, other.external_id)));
        }
        takeover::adopt(w, rules, asset_id, &entry.external_id, &format!("decided by {by}"))?;
    }
    review_store::decide(w, entry.id, "linked", &format!("is asset {asset_id} ({})", asset.hostname), by)?;
    review_store::get(w, entry.id)
}
