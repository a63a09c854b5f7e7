//! Applying a stored plan in short transactions. Every item proves that its row is still the one that
//! was planned for; one that is not is left for the next plan.

use std::sync::Arc;

use serde_json::Value;

use super::{
    assets::{
        device_record::{USERS, users_of},
        sources_store, takeover,
    },
    assign::{self, LINK},
    planner::losses::PEOPLE,
    plans_store, rows_store, ticket_losses_store,
};
use crate::{
    agents::PsaAgent,
    assets::{self, Asset, secrets},
    companies::Company,
    contacts::{Contact, Membership, model::EMPLOYMENT, store as contacts},
    db::{Db, Write},
    entity::Entity,
    error::{Error, Result},
    history::{self, Record as _, links},
    jobs::{
        Job,
        lease_store::{Lease, check_lease},
    },
    plan::{Action, FieldChange, Item, Kind, Observation, State},
    progress::Progress,
    tickets::Ticket,
    types::{Actor, Scope},
};

/// Items in one transaction: a person's save never waits long behind them.
const CHUNK: i64 = 50;

/// Writes one item; `None` when its row is not what was planned for.
pub type WriteItem = Arc<dyn Fn(&mut Write<'_>, &Item) -> Result<Option<i64>> + Send + Sync>;

/// What writes the items of vendors' plans.
#[must_use]
pub fn of_vendor() -> WriteItem {
    Arc::new(apply)
}

/// Applies the pending items of a plan, wherever an earlier attempt stopped.
pub struct Apply {
    pub db: Db,
    /// Proof that this job may write.
    pub lease: Lease,
    /// The plan.
    pub plan: i64,
    /// The vendor, in history and links.
    pub actor: Actor,
    /// What writes an item.
    pub item: WriteItem,
    /// Where to say how far we are.
    pub progress: Arc<Progress>,
}

/// What became of the items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Done.
    pub done: u64,
    /// Left for the next plan, because the row had changed.
    pub stale: u64,
}

impl Apply {
    /// Applies this plan of a job.
    #[must_use]
    pub fn of(job: &Job, actor: Actor, plan: i64) -> Self {
        Self { db: job.db.clone(), lease: job.lease.clone(), plan, actor, item: of_vendor(), progress: job.progress.clone() }
    }

    /// Applies everything that is pending.
    pub async fn run(&self) -> Result<Applied> {
        let plan = self.plan;
        let total = self.db.read(&Scope::All, move |c| plans_store::count_in(c, plan, State::Pending)).await?;
        self.progress.begin("applying", u64::try_from(total).ok());
        let mut applied = Applied::default();
        loop {
            let items = self.db.read(&Scope::All, move |c| plans_store::items_in(c, plan, State::Pending, CHUNK)).await?;
            if items.is_empty() {
                return Ok(applied);
            }
            let count = items.len();
            let stale = match self.chunk(items.clone()).await {
                Ok(stale) => stale,
                Err(error) if is_about_one_item(&error) => self.one_by_one(items).await?,
                Err(error) => return Err(error),
            };
            applied.stale += stale;
            applied.done += count as u64 - stale;
            self.progress.add(count);
        }
    }

    /// One transaction for all of them; returns how many were stale.
    async fn chunk(&self, items: Vec<Item>) -> Result<u64> {
        let (lease, apply) = (self.lease.clone(), self.item.clone());
        self.db
            .write_bulk(&Scope::All, &self.actor, move |w| {
                check_lease(w, &lease)?;
                let mut stale = 0;
                for item in &items {
                    let done = apply(w, item)?;
                    stale += u64::from(done.is_none());
                    let outcome = if done.is_some() { State::Applied } else { State::Stale };
                    plans_store::mark_item(w, item, outcome, done)?;
                }
                Ok(stale)
            })
            .await
    }

    /// One of them cannot be applied: each on its own, and that one is stale.
    async fn one_by_one(&self, items: Vec<Item>) -> Result<u64> {
        let mut stale = 0;
        for item in items {
            let (id, lease) = (item.id, self.lease.clone());
            match self.chunk(vec![item.clone()]).await {
                Ok(count) => stale += count,
                Err(error) if is_about_one_item(&error) => {
                    tracing::warn!(item = id, %error, "a plan's item could not be applied");
                    let mark = move |w: &mut Write<'_>| {
                        check_lease(w, &lease)?;
                        plans_store::mark_item(w, &item, State::Stale, None)
                    };
                    self.db.write_bulk(&Scope::All, &self.actor, mark).await?;
                    stale += 1;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(stale)
    }

    /// Writes what moves without history.
    pub async fn observe(&self, observations: &[Observation]) -> Result<()> {
        for chunk in observations.chunks(usize::try_from(CHUNK).unwrap_or(50)) {
            let (lease, chunk) = (self.lease.clone(), chunk.to_vec());
            let observe = move |w: &mut Write<'_>| {
                check_lease(w, &lease)?;
                chunk.iter().try_for_each(|observation| rows_store::observe(w, observation))
            };
            self.db.write_bulk(&Scope::All, &self.actor, observe).await?;
        }
        Ok(())
    }
}

/// Whether a failure is about the item, not about the database or the lease.
fn is_about_one_item(error: &Error) -> bool {
    matches!(error, Error::Constraint { .. } | Error::Invalid(_) | Error::NotFound { .. } | Error::PreconditionFailed)
}

/// Applies one item; `None` when its row is not what was planned for.
fn apply(w: &mut Write<'_>, item: &Item) -> Result<Option<i64>> {
    match item.kind {
        Kind::Company => {
            let new = Company { kind: "client".to_owned(), compliance_level: "standard".to_owned(), ..Company::default() };
            write(w, item, new)
        }
        Kind::Contact => {
            let new = Contact { employment_type: EMPLOYMENT.to_owned(), active: true, ..Contact::default() };
            let id = write(w, item, new)?;
            if let Some(id) = id {
                relocate(w, id, item)?;
                if tells(item, "email") {
                    contacts::remember(w, id)?;
                }
            }
            Ok(id)
        }
        Kind::PsaAgent => {
            let (external_source, external_id) = (source(w), item.external_id.clone().unwrap_or_default());
            write(w, item, PsaAgent { external_source, external_id, active: true, ..PsaAgent::default() })
        }
        // What a plan says of sites is only told.
        Kind::Site => Ok(item.entity_id),
        Kind::Other(_) => Ok(None),
        Kind::Asset => {
            let new = Asset { kind: "other".to_owned(), status: "active".to_owned(), ..Asset::default() };
            let (system, external_id) = (source(w), item.external_id.clone().unwrap_or_default());
            let before = match item.action {
                Action::Adopt => links::find(w, &system, Asset::ENTITY, &external_id)?,
                _ => None,
            };
            let id = write(w, item, new)?;
            if let (Some(id), true) = (id, item.fields.iter().any(|change| change.field == PEOPLE)) {
                reassign(w, id, item)?;
            }
            if let (Some(id), Some(stand_in)) = (id, before.filter(|before| Some(*before) != id)) {
                takeover::hand_over(w, stand_in, id, &system, &item.reason)?;
            }
            if let Some(id) = id.filter(|_| tells(item, "serial_number")) {
                takeover::remember(w, id)?;
            }
            let former = item.fields.iter().filter(|change| change.field.starts_with(LINK));
            if let (Some(id), former) = (id, former.filter_map(|change| change.from.as_str()).collect::<Vec<_>>())
                && !former.is_empty()
            {
                for external_id in former {
                    links::unlink(w, Asset::ENTITY, id, &system, external_id)?;
                }
                if !links::of(w, Asset::ENTITY, id)?.iter().any(|link| link.system == system) {
                    sources_store::forget(w, id, &system)?;
                }
            }
            Ok(id)
        }
        Kind::Ticket if item.action == Action::Update => {
            let done = ticket_losses_store::resolve(w, item)?;
            Ok(item.entity_id.filter(|_| done))
        }
        Kind::Ticket => retire_ticket(w, item),
    }
}

/// Whether an item says anew who or what its row is, which this field tells.
fn tells(item: &Item, field: &str) -> bool {
    matches!(item.action, Action::Create | Action::Adopt) || item.fields.iter().any(|change| change.field == field)
}

/// Tickets are stored as they are listed; only their retirement is planned, and what too many of them would lose.
fn retire_ticket(w: &mut Write<'_>, item: &Item) -> Result<Option<i64>> {
    let Some(id) = item.entity_id.filter(|_| item.action == Action::Retire) else { return Ok(None) };
    if history::find::<Ticket>(w, id)?.is_none_or(|row| Some(row.rev()) != item.rev) {
        return Ok(None);
    }
    history::retire::<Ticket>(w, id, Some(item.evidence.as_deref().unwrap_or(&item.reason)))?;
    Ok(Some(id))
}

fn source(w: &Write<'_>) -> String {
    w.actor().source.clone().unwrap_or_default()
}

/// Creates, changes, retires or restores the item's row.
fn write<R: Entity>(w: &mut Write<'_>, item: &Item, mut new: R) -> Result<Option<i64>> {
    let system = source(w);
    let external_id = item.external_id.as_deref().unwrap_or_default();
    let linked = item.kind != Kind::PsaAgent;
    if item.action == Action::Create {
        if linked && links::find(w, &system, R::ENTITY, external_id)?.is_some() {
            return Ok(None);
        }
        assign::assign(&mut new, &item.fields)?;
        let id = history::create(w, &new, Some(&item.reason))?.id();
        if linked {
            links::link(w, R::ENTITY, id, &system, external_id)?;
        }
        return Ok(Some(id));
    }
    let Some(id) = item.entity_id else { return Ok(None) };
    let Some(row) = history::find::<R>(w, id)?.filter(|row| is_as_planned(row, item)) else { return Ok(None) };
    if item.action == Action::Retire {
        let reason = item.evidence.as_deref().unwrap_or(&item.reason);
        history::retire::<R>(w, id, Some(reason))?;
        return Ok(Some(id));
    }
    if item.action == Action::Adopt && linked {
        links::link(w, R::ENTITY, id, &system, external_id)?;
    }
    if row.retired_at().is_some() {
        history::restore::<R>(w, id, Some(&item.reason))?;
    }
    history::update::<R>(w, id, None, Some(&item.reason), |row| assign::assign(row, &item.fields))?;
    Ok(Some(id))
}

/// Whether a row still is the one that was planned for: by its revision, or for what had to wait while the rest
/// of its plan went on, by the values that it had.
fn is_as_planned<R: Entity>(row: &R, item: &Item) -> bool {
    if item.rev.is_some() {
        return Some(row.rev()) == item.rev;
    }
    let values = row.values();
    let now =
        |field: &str| R::COLUMNS.iter().zip(&values).find(|(column, _)| **column == field).map(|(_, value)| value.to_json());
    // Of a secret a plan tells only whether there is one.
    let same = |change: &FieldChange, now: Value| match secrets::kind(&change.field) {
        Some(_) => now.is_null() == change.from.is_null(),
        None => now == change.from,
    };
    let unchanged = item.fields.iter().all(|change| now(&change.field).is_none_or(|now| same(change, now)));
    item.action == Action::Update && row.retired_at().is_none() && unchanged
}

/// Gives an asset to the people whom the vendor names now, once that was approved.
fn reassign(w: &mut Write<'_>, asset: i64, item: &Item) -> Result<()> {
    let system = source(w);
    let joined: Vec<i64> = item.moves.join.iter().filter_map(|id| id.parse().ok()).collect();
    let now = |had: Vec<i64>| -> Vec<i64> {
        let mut now: Vec<i64> = had.into_iter().filter(|id| !item.moves.leave.contains(id)).collect();
        now.extend(joined.iter().copied().filter(|id| !now.contains(id)).collect::<Vec<_>>());
        now
    };
    let known = assets::store::contacts_of(w, asset)?.iter().map(|contact| contact.inside().id).collect();
    assets::store::assign(w, asset, &now(known))?;
    let sources = sources_store::of(w, vec![asset])?.remove(&asset).unwrap_or_default();
    if let Some(mut told) = sources.into_iter().find(|told| told.system == system) {
        let users = now(users_of(&told.words));
        told.words.insert(USERS.to_owned(), serde_json::json!(users));
        sources_store::put(w, asset, &system, told.place.as_deref(), &told.words)?;
    }
    Ok(())
}

/// Moves a contact between companies.
fn relocate(w: &mut Write<'_>, contact: i64, item: &Item) -> Result<()> {
    let system = source(w);
    let known = contacts::memberships(w, contact)?;
    let ours = known.iter().filter(|known| known.source.as_deref() == Some(system.as_str())).map(|known| known.company_id);
    for company in ours.filter(|company| item.moves.leave.contains(company)).collect::<Vec<_>>() {
        contacts::leave(w, contact, company)?;
    }
    for external_id in &item.moves.join {
        let Some(company_id) = links::find(w, &system, Company::ENTITY, external_id)? else { continue };
        let member = contacts::memberships(w, contact)?.into_iter().any(|known| known.company_id == company_id);
        if !member {
            contacts::join(w, contact, &Membership { company_id, source: Some(system.clone()), ..Membership::default() })?;
        }
    }
    Ok(())
}
