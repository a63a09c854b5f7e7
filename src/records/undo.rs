//! Taking changes back: one of them, all of a sync run, or a bulk edit or merge as one, newest first.

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State, response::Response};
use serde::Serialize;
use serde_json::{Value, json};

use super::{entities, import, merge, nouns::AnyNoun, undo_store};
use crate::web::openapi::schema as json;
use crate::{
    assets::{Asset, store as assets},
    auth::{Admin, Editor, Staff},
    billing::{self, Plan, store as plans},
    companies::{Company, store as companies},
    compliance::{Level, RedactionPolicy, trail},
    contacts::{Contact, Membership, store as contacts},
    custom::{self, AddedField},
    db::{Conn, Db, Write},
    error::{Error, Result},
    history::{
        self, Record as _, Unredacted,
        batches::{self, Batch},
        feed::{self, Change},
        forgotten, links, merges, pins, protection, retention,
        undo::Undone,
    },
    jobs::{
        self,
        kind::JobKind,
        lease_store::{self, Lease},
    },
    resource::dependents,
    tickets::Ticket,
    types::{Actor, Scope},
    web::{Path, Preconditions, Query, ReadRequest, Reply, Routes, Web},
};

/// Changes taken back in one transaction.
const CHUNK: i64 = 50;
/// How many refusals are told one by one.
const TOLD: usize = 50;

/// The routes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .post("/api/changes/{seq}/undo", one)
        .tells("Take a change back", |_| json::done(&[("seq", json::int()), ("undone", json::flag()), ("except", json::text())]))
        .get("/api/batches/{id}", show_batch)
        .tells("Read what was done as one: a bulk edit, a merge", |schemas| {
            json::with(json::one::<Batch>(schemas), &[("rows", json::counts()), ("history_removed", json::flag())])
        })
        .post("/api/batches/{id}/undo", all_of_batch)
        .tells("Take back as one what was done as one", |schemas| {
            let beside = [("success", json::flag()), ("batch_id", json::or_null(json::int())), ("dry_run", json::flag())];
            json::with(json::one::<Summary>(schemas), &beside)
        })
        .asks(&[("partial", "boolean", "Although part of it has changed since and stays as it is.")])
        .post("/api/sync/runs/{id}/undo", all_of_run)
        .tells("Take back what a run has changed", |schemas| {
            json::with(json::one::<Summary>(schemas), &[("success", json::flag())])
        })
}

/// What became of a run's changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = UndoSummary)]
pub struct Summary {
    /// Taken back.
    pub undone: u64,
    /// Nothing was left to take back.
    pub already: u64,
    /// Left as they are, because they have changed since or cannot be undone.
    pub refused: u64,
    /// The first of those in words, and what part of a change could not be taken back (a secret).
    pub refusals: Vec<String>,
}

impl Summary {
    /// In a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        match self.refused {
            0 => format!("{} changes undone", self.undone),
            refused => format!("{} changes undone, {refused} left as they are", self.undone),
        }
    }

    fn count(&mut self, change: &Change, undone: Undone) {
        match undone {
            Undone::Done => self.undone += 1,
            Undone::Already => self.already += 1,
            Undone::Except(why) => {
                self.undone += 1;
                self.tell(change, &why);
            }
            Undone::Refused(why) => {
                self.refused += 1;
                self.tell(change, &why);
            }
        }
    }

    fn tell(&mut self, change: &Change, why: &str) {
        if self.refusals.len() < TOLD {
            self.refusals.push(format!("{} {}: {why}", change.entity, change.entity_id));
        }
    }
}

/// Takes one change back.
pub fn change(w: &mut Write<'_>, change: &Change) -> Result<Undone> {
    if forgotten::is_forgotten(w, &change.entity, change.entity_id)? {
        return Ok(Undone::Refused(forgotten::WHY.to_owned()));
    }
    // What went on as another record comes back with the merge as a whole or not at all.
    if !matches!(change.action.as_str(), "create" | "merge" | "absorb" | "pin" | "unpin") {
        match merge::refuse_merged(w, &change.entity, change.entity_id) {
            Ok(()) => {}
            Err(Error::Conflict { message, .. }) => return Ok(Undone::Refused(message)),
            Err(other) => return Err(other),
        }
    }
    match (change.entity.as_str(), change.action.as_str()) {
        _ if custom::is_own(change) => custom::undo(w, change),
        (Contact::ENTITY, "join" | "leave") => place(w, change),
        (Asset::ENTITY, "assign" | "unassign") => users(w, change),
        (Contact::ENTITY, "assign" | "unassign") => device(w, change),
        (_, "link") => unlink(w, change),
        (_, "unlink") => link_again(w, change),
        (_, "merge") => merge::back(w, change),
        // What an import has set no longer stands, and syncs may write the field again.
        (_, "pin") if change.source.as_deref() == Some(import::SOURCE) => unpin(w, change),
        (_, "pin" | "unpin" | "absorb") => Ok(Undone::Already),
        (Company::ENTITY, "update") if change.fields.get(FEATURES).is_some() => features(w, change),
        (Company::ENTITY, "create") => match dependents::refuse_attached(w, Company::ENTITY, change.entity_id) {
            Ok(()) => entities::named(&change.entity)?.undo(w, change),
            Err(Error::Conflict { message, .. }) => Ok(Undone::Refused(message)),
            Err(other) => Err(other),
        },
        // A name or a term that companies go by stays theirs, and one that another plan has by now is not given twice.
        (Plan::ENTITY, _) => match plans::can_take_back(w, change) {
            Ok(()) => entities::named(&change.entity)?.undo(w, change),
            Err(Error::Conflict { message, .. }) => Ok(Undone::Refused(message)),
            Err(other) => Err(other),
        },
        // Its values are of its kind, and follow it.
        (AddedField::ENTITY, "update") => super::custom::take_back(w, change),
        (Ticket::ENTITY, "note" | "push") => Ok(Undone::Refused("what was said or sent cannot be undone".to_owned())),
        (entity, _) => match entities::named(entity) {
            Ok(entity) => entity.undo(w, change),
            Err(_) => Ok(Undone::Refused(format!("changes of a {entity} cannot be undone"))),
        },
    }
}

/// Refuses whoever is not cleared to take back what they could not have done: a change of what tells of people, or of
/// what decides who sees them.
///
/// # Errors
/// `Forbidden`.
pub fn allowed(c: &mut Conn, change: &Change, policy: &RedactionPolicy, is_admin: bool) -> Result<()> {
    if billing::OF_ADMINS.contains(&change.entity.as_str()) && !is_admin {
        return Err(Error::Forbidden("what is billed is decided by administrators".to_owned()));
    }
    if change.entity == AddedField::ENTITY && !is_admin {
        return Err(Error::Forbidden("custom fields are decided by administrators".to_owned()));
    }
    let is_plain = |field: &String| !field.ends_with("_id") && !field.contains(':') && !trail::is_withheld(&change.entity, field);
    let is_own = matches!(change.action.as_str(), "create" | "update" | "retire" | "restore");
    let fields = change.fields.as_object().into_iter().flatten();
    let is_harmless = is_own && (change.action != "update" || fields.into_iter().all(|(field, _)| is_plain(field)));
    let is_for_staff = entities::named(&change.entity).is_ok_and(|known| known.noun().is_some_and(AnyNoun::is_for_staff));
    if policy.is_cleared() || !is_for_staff && (is_harmless || !protection::anybody(c)?) {
        return Ok(());
    }
    Err(Error::Forbidden("this change can only be undone by somebody who may see protected records in full".to_owned()))
}

fn unpin(w: &mut Write<'_>, change: &Change) -> Result<Undone> {
    let entity = entities::exists(w, &change.entity, change.entity_id)?;
    let mut undone = Undone::Already;
    for field in change.fields.as_object().into_iter().flat_map(|fields| fields.keys()) {
        if pins::unpin(w, entity, change.entity_id, field)? {
            undone = Undone::Done;
        }
    }
    Ok(undone)
}

/// What was adopted stands alone again. A row that the same run created keeps its link: retired, it tells
/// the next sync that a person did not want it.
fn unlink(w: &mut Write<'_>, change: &Change) -> Result<Undone> {
    let entity = entities::exists(w, &change.entity, change.entity_id)?;
    if undo_store::created_by(w, entity, change.entity_id, change.run_id)? {
        return Ok(Undone::Already);
    }
    let mut undone = Undone::Already;
    for (field, sides) in change.fields.as_object().into_iter().flatten() {
        let link = field.strip_prefix("link:").zip(sides["new"].as_str());
        if let Some((system, external_id)) = link
            && links::unlink(w, entity, change.entity_id, system, external_id)?
        {
            undone = Undone::Done;
        }
    }
    Ok(undone)
}

/// The records of vendors that a row was, it is again, unless another row is by now.
fn link_again(w: &mut Write<'_>, change: &Change) -> Result<Undone> {
    let entity = entities::exists(w, &change.entity, change.entity_id)?;
    let mut undone = Undone::Already;
    for (field, sides) in change.fields.as_object().into_iter().flatten() {
        let Some((system, external_id)) = field.strip_prefix("link:").zip(sides["old"].as_str()) else { continue };
        match links::find(w, system, entity, external_id)? {
            Some(here) if here == change.entity_id => {}
            Some(other) => return Ok(Undone::Refused(format!("{external_id} of {system} is {entity} {other} by now"))),
            None => {
                links::link(w, entity, change.entity_id, system, external_id)?;
                undone = Undone::Done;
            }
        }
    }
    Ok(undone)
}

/// Who used a device uses it again, and whoever came with the change does not.
fn users(w: &mut Write<'_>, change: &Change) -> Result<Undone> {
    let ids = |side: &str| -> Vec<i64> {
        change.fields["contacts"][side].as_array().into_iter().flatten().filter_map(Value::as_i64).collect()
    };
    let (old, new) = (ids("old"), ids("new"));
    let now: Vec<i64> = assets::contacts_of(w, change.entity_id)?.iter().map(|contact| contact.inside().id).collect();
    let mut wanted: Vec<i64> = now.iter().copied().filter(|id| old.contains(id) || !new.contains(id)).collect();
    for id in old.into_iter().filter(|id| !new.contains(id)) {
        let is_live = history::find::<Contact>(w, id)?.is_some_and(|contact| contact.retired_at.is_none());
        if is_live && !wanted.contains(&id) {
            wanted.push(id);
        }
    }
    give(w, change.entity_id, &now, &wanted)
}

/// The same seen from one of those people.
fn device(w: &mut Write<'_>, change: &Change) -> Result<Undone> {
    let mut undone = Undone::Already;
    for (field, _) in change.fields.as_object().into_iter().flatten() {
        let Some(id) = field.strip_prefix("asset:").and_then(|id| id.parse().ok()) else { continue };
        let Some(asset) = history::find::<Asset>(w, id)? else { continue };
        let now: Vec<i64> = assets::contacts_of(w, asset.id)?.iter().map(|contact| contact.inside().id).collect();
        let mut wanted: Vec<i64> = now.iter().copied().filter(|id| *id != change.entity_id).collect();
        if change.action == "unassign" {
            wanted.push(change.entity_id);
        }
        if wanted.len() != now.len() && give(w, asset.id, &now, &wanted)? == Undone::Done {
            undone = Undone::Done;
        }
    }
    Ok(undone)
}

fn give(w: &mut Write<'_>, asset: i64, now: &[i64], wanted: &[i64]) -> Result<Undone> {
    if now == wanted {
        return Ok(Undone::Already);
    }
    match assets::assign(w, asset, wanted) {
        Ok(()) => Ok(Undone::Done),
        Err(error @ Error::Invalid(_)) => Ok(Undone::Refused(error.to_string())),
        Err(other) => Err(other),
    }
}

/// The field of a company's history that tells how it deviates from its plan.
const FEATURES: &str = "feature_overrides";

fn features(w: &mut Write<'_>, change: &Change) -> Result<Undone> {
    let side = |side: &str| -> std::collections::BTreeMap<String, String> {
        serde_json::from_value(change.fields[FEATURES][side].clone()).unwrap_or_default()
    };
    let (now, old) = (companies::feature_overrides(w, change.entity_id)?, side("old"));
    if now == old {
        return Ok(Undone::Already);
    }
    if now != side("new") {
        return Ok(Undone::Refused("its features have changed since".to_owned()));
    }
    companies::set_feature_overrides(w, change.entity_id, &old)?;
    Ok(Undone::Done)
}

/// A contact that joined a company leaves it again, and the other way round.
fn place(w: &mut Write<'_>, change: &Change) -> Result<Undone> {
    let fields = change.fields.as_object().into_iter().flatten();
    let mut undone = Undone::Already;
    for (field, sides) in fields {
        let Some(number) = field.strip_prefix("company:") else { continue };
        let Some(company_id) = undo_store::company(w, number)? else {
            return Ok(Undone::Refused(format!("there is no company {number}")));
        };
        let now = contacts::memberships(w, change.entity_id)?.into_iter().find(|known| known.company_id == company_id);
        match (&sides["old"], now) {
            (Value::Null, Some(_)) => {
                contacts::leave(w, change.entity_id, company_id)?;
                undone = Undone::Done;
            }
            (Value::Object(_), None) => {
                contacts::join(w, change.entity_id, &member_of(&sides["old"], company_id))?;
                undone = Undone::Done;
            }
            // Another place in the same company, which nobody has changed since.
            (Value::Object(_), Some(now)) if is_place(&now, &member_of(&sides["new"], company_id)) => {
                let before = member_of(&sides["old"], company_id);
                contacts::join(w, change.entity_id, &Membership { source: now.source, ..before })?;
                undone = Undone::Done;
            }
            (Value::Object(_), Some(now)) if !is_place(&now, &member_of(&sides["old"], company_id)) => {
                return Ok(Undone::Refused(format!("the place in company {number} has changed since")));
            }
            _ => {}
        }
    }
    Ok(undone)
}

/// A place in a company, as a change tells it.
fn member_of(side: &Value, company_id: i64) -> Membership {
    let text = |key: &str| side.get(key).and_then(Value::as_str).map(str::to_owned);
    let is_primary = side.get("is_primary").and_then(Value::as_bool).unwrap_or(false);
    Membership { company_id, role: text("role"), designation: text("designation"), is_primary, ..Membership::default() }
}

fn is_place(one: &Membership, other: &Membership) -> bool {
    (&one.role, &one.designation, one.is_primary) == (&other.role, &other.designation, other.is_primary)
}

/// Takes all changes of a run back, newest first, in short transactions. What a person or a later run
/// has changed since stays as it is. While it lasts no sync of the same kind runs.
///
/// # Errors
/// `NotFound`; `Conflict` while such a sync runs, or when part of its history was removed.
pub async fn run(db: &Db, id: i64, actor: &Actor) -> Result<Summary> {
    let read = move |c: &mut Conn| {
        let (source, started_at) = undo_store::run(c, id)?;
        retention::refuse_before(c, &started_at, "the run cannot be undone")?;
        Ok(source)
    };
    let source = db.read(&Scope::All, read).await?;
    let kind = JobKind::named(&source).ok_or_else(|| Error::conflict(format!("runs of {source} cannot be undone")))?;
    let busy = |job: &str| format!("a {} is running (job {job}); undo when it has ended", kind.label());
    jobs::under_lease(db, (kind, &actor.name), Duration::ZERO, busy, &Arc::default(), async |lease: Lease| {
        let summary = take_back(db, id, actor, &lease).await?;
        Ok((format!("run {id} undone: {}", summary.words()), summary))
    })
    .await
}

/// The same for whoever has the lease of that kind of job.
///
/// # Errors
/// `Conflict` once another process has taken the job over.
pub async fn take_back(db: &Db, id: i64, actor: &Actor, lease: &Lease) -> Result<Summary> {
    let mut summary = Summary::default();
    let mut before = i64::MAX;
    loop {
        let changes = db.read(&Scope::All, move |c: &mut Conn| feed::of_run(c, id, before, CHUNK)).await?;
        let Some(last) = changes.last() else { break };
        before = last.inside().seq;
        let lease = lease.clone();
        let work = move |w: &mut Write<'_>| {
            lease_store::check_lease(w, &lease)?;
            let mut done = Vec::with_capacity(changes.len());
            for each in changes {
                let undone = change(w, each.inside())?;
                done.push((each, undone));
            }
            Ok(done)
        };
        for (each, undone) in db.write_bulk(&Scope::All, actor, work).await? {
            summary.count(each.inside(), undone);
        }
    }
    let by = actor.name.clone();
    db.write(&Scope::All, &Actor::system("sync"), move |w| undo_store::mark(w, id, &by)).await?;
    Ok(summary)
}

/// `POST /api/changes/{seq}/undo`: takes one change back; 409 when it has changed since.
async fn one(State(web): State<Web>, editor: Editor, Path(seq): Path<i64>, conditions: Preconditions) -> Result<Response> {
    let policy = RedactionPolicy::of(&editor, &web.config, conditions.query())?;
    let is_admin = editor.is_admin();
    let work = move |w: &mut Write<'_>| {
        let told = found(w, seq)?;
        if let Some(whole) = merged_in(told.inside()) {
            let (summary, own) = batch(w, whole, false, &Undoer { policy, is_admin })?;
            let beside = json!({ "success": true, "seq": seq, "undone": summary.undone > 0, "batch_id": own });
            return Reply::ok(&beside);
        }
        allowed(w, told.inside(), &policy, is_admin)?;
        match change(w, told.inside())? {
            Undone::Refused(why) => Err(Error::conflict(format!("change {seq} stands: {why}"))),
            Undone::Except(why) => Reply::ok(&json!({ "success": true, "seq": seq, "undone": true, "except": why })),
            undone => Reply::ok(&json!({ "success": true, "seq": seq, "undone": undone == Undone::Done })),
        }
    };
    conditions.run(&web, &editor.scope(), &editor.actor(), "", work).await
}

/// A change that is to be taken back.
///
/// # Errors
/// `NotFound`; `Gone` for one that was removed from history.
pub fn found(c: &mut Conn, seq: i64) -> Result<Unredacted<Change>> {
    feed::get(c, seq).map_err(|error| match error {
        Error::NotFound { .. } => retention::missing(c, seq),
        other => other,
    })
}

/// The batch of a change that is nothing without the others of it: a merge.
#[must_use]
pub fn merged_in(change: &Change) -> Option<i64> {
    change.batch_id.filter(|_| matches!(change.action.as_str(), "merge" | "absorb"))
}

/// Who takes something back, as far as that matters.
#[derive(Clone, Debug)]
pub struct Undoer {
    pub policy: RedactionPolicy,
    pub is_admin: bool,
}

/// Takes a batch back, newest change first: all of it, or what has not changed since when a part is enough; the number
/// of what was done now, which can be taken back itself.
///
/// # Errors
/// `NotFound`; `Forbidden` for changes that this caller could not have made; `Conflict` with everything that stands in
/// the way.
pub fn batch(w: &mut Write<'_>, id: i64, is_part_enough: bool, by: &Undoer) -> Result<(Summary, Option<i64>)> {
    let whole = batches::get(w, id)?;
    if let Some(at) = &whole.undone_at {
        let by = whole.undone_by.as_deref().unwrap_or_default();
        return Err(Error::conflict(format!("batch {id} was undone by {by} at {at}")));
    }
    retention::refuse_before(w, &whole.at, &format!("batch {id} cannot be undone"))?;
    if batches::taken_back(w, &whole)?.is_some_and(|before| before.kind == batches::MERGE) {
        return Err(Error::conflict("a merge that was undone does not come back like this; merge the records again"));
    }
    let changes = feed::of_batch(w, id, i64::MAX)?;
    for each in &changes {
        allowed(w, each.inside(), &by.policy, by.is_admin)?;
    }
    let own = batches::begin(w, batches::UNDO, &whole.entity)?;
    let summary = if whole.kind == batches::MERGE { merge_back(w, id, &whole.entity, &changes)? } else { all(w, &changes)? };
    if summary.refused > 0 && !is_part_enough {
        let mut details = serde_json::Map::new();
        details.insert("conflicts".to_owned(), json!(summary.refusals));
        let message = format!("nothing was undone: {} of {} changes cannot be", summary.refused, changes.len());
        return Err(Error::Conflict { message, details });
    }
    let own = batches::end(w, own)?;
    batches::mark_undone(w, &whole, own)?;
    Ok((summary, own))
}

fn all(w: &mut Write<'_>, changes: &[Unredacted<Change>]) -> Result<Summary> {
    let mut summary = Summary::default();
    for each in changes {
        let undone = change(w, each.inside())?;
        summary.count(each.inside(), undone);
    }
    Ok(summary)
}

/// As little as a merge is an edit of every row that it moves is its undo: no sync is kept from those. What the merge has
/// pinned is free again, and the vendor's record that spoke for the other row speaks for it again.
fn merge_back(w: &mut Write<'_>, id: i64, entity: &str, changes: &[Unredacted<Change>]) -> Result<Summary> {
    let merged = merges::of_batch(w, id)?;
    w.unpinned(|w| {
        let mut summary = Summary::default();
        for each in changes.iter().map(Unredacted::inside) {
            let undone = if each.action == "pin" { unpin(w, each)? } else { change(w, each)? };
            summary.count(each, undone);
        }
        if let Some(merged) = merged {
            links::set_silent(w, entity, merged.loser, &merge::silent(&merged))?;
        }
        Ok(summary)
    })
}

/// `GET /api/batches/{id}`
async fn show_batch(State(web): State<Web>, staff: Staff, Path(id): Path<i64>, request: ReadRequest) -> Result<Response> {
    let read = move |c: &mut Conn| {
        let mut told = serde_json::to_value(batches::get(c, id)?).map_err(Error::internal)?;
        told["rows"] = json!(batches::tally(c, id)?);
        let at = told["at"].as_str().unwrap_or_default();
        told["history_removed"] = retention::kept(c)?.lacks(at).is_some().into();
        Ok(told)
    };
    request.value(&web.db.read(&staff.scope(), read).await?)
}

/// `POST /api/batches/{id}/undo`: 409 with every conflict when part of it has changed since, unless `partial=true`.
async fn all_of_batch(
    State(web): State<Web>,
    editor: Editor,
    Path(id): Path<i64>,
    conditions: Preconditions,
) -> Result<Response> {
    let by = Undoer { policy: RedactionPolicy::of(&editor, &web.config, conditions.query())?, is_admin: editor.is_admin() };
    let is_part_enough = conditions.query().is_on("partial")?;
    let work = move |w: &mut Write<'_>| {
        let (summary, own) = batch(w, id, is_part_enough, &by)?;
        Ok(Reply::ok(&summary)?.with("batch_id", own).with("success", true))
    };
    conditions.run(&web, &editor.scope(), &editor.actor(), "", work).await
}

/// `POST /api/sync/runs/{id}/undo`
async fn all_of_run(State(web): State<Web>, admin: Admin, Path(id): Path<i64>, query: Query) -> Result<Json<Value>> {
    let policy = RedactionPolicy::of(&admin, &web.config, &query)?;
    if !policy.is_cleared() && web.db.read(&Scope::All, protection::anybody).await? {
        policy.refuse_uncleared(Level::Hipaa, "a run")?;
    }
    let (db, actor) = (web.db.clone(), admin.actor());
    // In a task of its own: a client that leaves does not stop it halfway.
    let work = tokio::spawn(async move { run(&db, id, &actor).await });
    let summary = work.await.map_err(Error::internal)??;
    let mut body = serde_json::to_value(summary).map_err(Error::internal)?;
    body["success"] = json!(true);
    Ok(Json(body))
}
