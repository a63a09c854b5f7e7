//! Taking changes back: one of them, or all of a sync run, newest first.

use axum::{Json, extract::State, response::Response};
use serde::Serialize;
use serde_json::{Value, json};

use super::{entities, import, nouns::AnyNoun, undo_store};
use crate::web::openapi::schema as json;
use crate::{
    auth::{Admin, Editor},
    billing::{self, Plan, store as plans},
    companies::Company,
    compliance::{Level, RedactionPolicy, trail},
    contacts::{Contact, Membership, store as contacts},
    db::{Conn, Db, Write},
    error::{Error, Result},
    history::{
        Record as _,
        feed::{self, Change},
        links, protection,
        undo::Undone,
    },
    jobs::{
        self,
        kind::JobKind,
        lease_store::{self, Acquired, Lease},
    },
    resource::dependents,
    tickets::Ticket,
    types::{Actor, Scope},
    web::{Path, Preconditions, Query, Reply, Routes, Web},
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
            0 => format!("{} changes taken back", self.undone),
            refused => format!("{} changes taken back, {refused} left as they are", self.undone),
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
    match (change.entity.as_str(), change.action.as_str()) {
        (Contact::ENTITY, "join" | "leave") => place(w, change),
        (_, "link") => unlink(w, change),
        (_, "pin" | "unpin") => Ok(Undone::Already),
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
        (Ticket::ENTITY, "note" | "push") => Ok(Undone::Refused("what was said or sent is not taken back".to_owned())),
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
    let is_plain = |field: &String| !field.ends_with("_id") && !field.contains(':') && !trail::is_personal(&change.entity, field);
    let is_own = matches!(change.action.as_str(), "create" | "update" | "retire" | "restore");
    let fields = change.fields.as_object().into_iter().flatten();
    let is_harmless = is_own && (change.action != "update" || fields.into_iter().all(|(field, _)| is_plain(field)));
    let is_for_staff = entities::named(&change.entity).is_ok_and(|known| known.noun().is_some_and(AnyNoun::is_for_staff));
    if policy.is_cleared() || !is_for_staff && (is_harmless || !protection::anybody(c)?) {
        return Ok(());
    }
    Err(Error::Forbidden("this change is taken back by somebody who may see protected records in full".to_owned()))
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
/// `NotFound`, `Conflict` while such a sync runs.
pub async fn run(db: &Db, id: i64, actor: &Actor) -> Result<Summary> {
    let source = db.read(&Scope::All, move |c| undo_store::source(c, id)).await?;
    if source == import::SOURCE {
        return walk(db, id, actor, None).await;
    }
    let kind = JobKind::parse(&source).ok_or_else(|| Error::conflict(format!("runs of {source} cannot be undone")))?;
    let lease = match jobs::acquire(db, kind, &actor.name).await? {
        Acquired::Ours(lease) => lease,
        Acquired::Running(job) => {
            return Err(Error::conflict(format!("a {} is running (job {job}); undo when it has ended", kind.label())));
        }
    };
    let result = walk(db, id, actor, Some(&lease)).await;
    let (output, error) = match &result {
        Ok(summary) => (format!("run {id} undone: {}", summary.words()), None),
        Err(error) => (String::new(), Some(error.to_string())),
    };
    db.write(&Scope::All, &Actor::system("sync"), move |w| lease_store::finish(w, &lease, &output, error.as_deref())).await?;
    result
}

/// `lease` is what a run of a job needs; an import is none.
async fn walk(db: &Db, id: i64, actor: &Actor, lease: Option<&Lease>) -> Result<Summary> {
    let mut summary = Summary::default();
    let mut before = i64::MAX;
    loop {
        let changes = db.read(&Scope::All, move |c: &mut Conn| feed::of_run(c, id, before, CHUNK)).await?;
        let Some(last) = changes.last() else { break };
        before = last.inside().seq;
        let lease = lease.cloned();
        let work = move |w: &mut Write<'_>| {
            if let Some(lease) = &lease {
                lease_store::check_lease(w, lease)?;
            }
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
        let told = feed::get(w, seq)?;
        allowed(w, told.inside(), &policy, is_admin)?;
        match change(w, told.inside())? {
            Undone::Refused(why) => Err(Error::conflict(format!("change {seq} stands: {why}"))),
            Undone::Except(why) => Reply::ok(&json!({ "success": true, "seq": seq, "undone": true, "except": why })),
            undone => Reply::ok(&json!({ "success": true, "seq": seq, "undone": undone == Undone::Done })),
        }
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
