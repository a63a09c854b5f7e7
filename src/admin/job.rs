//! `/admin/jobs/{id}`: what a job said while it ran, what its run changed, and taking that back.

use std::time::Duration;

use askama::Template;
use axum::{extract::State, response::Response};

use super::center_store;
use crate::{
    agents::PageContext,
    auth::Admin,
    compliance::{RedactionPolicy, trail},
    db::Conn,
    error::{Error, Result},
    history::{feed, retention},
    jobs::{
        self,
        kind::JobKind,
        log_store::{self, LogLine},
    },
    records::{
        entities,
        pages::{
            record::{self, Mentioned},
            store::Names,
        },
        undo,
    },
    types::Scope,
    ui::{Crumb, Page, Section, Timeline, filters, link_to, thousands},
    vendors::fault,
    web::{Path, Web},
};

/// How many changes a page shows.
const SHOWN: i64 = 100;
/// How long somebody waits for an undo before it goes on without them.
const PATIENCE: Duration = Duration::from_secs(8);

#[derive(Template)]
#[template(path = "admin/job.html")]
struct JobPage {
    page: Page,
    crumbs: Vec<Crumb>,
    id: String,
    running: bool,
    failed: Option<(String, Option<String>)>,
    progress: String,
    by: String,
    at: String,
    ended: Option<String>,
    undone: Option<(String, String)>,
    lines: Vec<LogLine>,
    tally: Vec<String>,
    changes: Timeline,
    newer: Option<String>,
    older: Option<String>,
    plan: Option<String>,
    undo: Option<(String, String)>,
}

/// `GET /admin/jobs/{id}`, `?before=<seq>` for older changes.
pub async fn show(_: Admin, context: PageContext, State(web): State<Web>, Path(id): Path<String>) -> Result<Response> {
    jobs::reap(&web.db).await?;
    let before = Some(context.query.int_or("before", 0)).filter(|seq| *seq > 0);
    let wanted = id.clone();
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let read = move |c: &mut Conn| {
        let job = center_store::get(c, &wanted)?;
        let lines = log_store::of(c, &wanted, 0)?;
        let (mut tally, mut changes) = (Vec::new(), Vec::new());
        if let Some(run) = job.run {
            tally = feed::tally_of_run(c, run)?;
            changes = feed::of_run(c, run, before.unwrap_or(i64::MAX), SHOWN)?;
        }
        let changes = trail::changes(c, changes, &policy)?;
        let names = (Names::of(c, &changes)?, Mentioned::of(c, &changes, &policy)?);
        let removed = retention::kept(c)?.lacks(&job.started_at).filter(|_| job.run.is_some()).map(str::to_owned);
        Ok((job, lines, tally, (changes, removed), names))
    };
    let (job, lines, tally, (changes, removed), (names, mentioned)) = web.db.read(&Scope::All, read).await?;
    let label = JobKind::named(&job.script).map_or("Job", JobKind::label);
    let page = context.titled(Section::Admin, label);
    let here = format!("/admin/jobs/{id}");
    let full = i64::try_from(changes.len()).unwrap_or(0) == SHOWN;
    let older = changes.last().filter(|_| full).map(|last| page.url(&format!("{here}?before={}", last.seq)));
    let events = changes.iter().map(|change| {
        let subject = names.find(&page, change).map(|(href, name)| link_to(href, name));
        crate::ui::Event { subject, ..record::event(change, &mentioned) }
    });
    let total: i64 = tally.iter().map(|(_, _, count)| count).sum();
    let can_undo = total > 0 && job.undone.is_none() && job.status != "running" && removed.is_none();
    let undo = job.run.filter(|_| can_undo).map(|run| {
        let question = format!("Take back {} changes of run {run}? What has changed since stays as it is.", thousands(total));
        (page.url(&format!("/admin/runs/{run}/undo")), question)
    });
    context.show(&JobPage {
        crumbs: vec![link_to(page.url("/admin/"), "Sync")],
        running: job.status == "running",
        failed: job.error.as_deref().map(trouble),
        progress: job.progress.unwrap_or_else(|| "Starting".to_owned()),
        by: job.started_by,
        at: job.started_at,
        ended: job.completed_at,
        undone: job.undone,
        lines,
        tally: tally.iter().map(|(entity, action, count)| said(entity, action, *count)).collect(),
        changes: Timeline { events: events.collect(), more: None, kept_since: removed },
        newer: before.map(|_| page.url(&here)),
        older,
        plan: job.plan.map(|plan| page.url(&format!("/admin/plans/{plan}"))),
        undo,
        id,
        page,
    })
}

/// A failure in words, and the requests behind it.
fn trouble(text: &str) -> (String, Option<String>) {
    let (words, requests) = fault::told(text);
    (words, (!requests.is_empty()).then(|| requests.join("\n")))
}

/// `12 contacts updated`
fn said(entity: &str, action: &str, count: i64) -> String {
    let one = entities::named(entity).map_or_else(|_| entity.replace('_', " "), |noun| noun.what().to_lowercase());
    let things = match one.strip_suffix('y') {
        _ if count == 1 => one,
        Some(stem) => format!("{stem}ies"),
        None => format!("{one}s"),
    };
    let done = match action {
        "create" => "added",
        "update" => "changed",
        "retire" => "retired",
        "restore" => "restored",
        "join" => "put into a company",
        "leave" => "taken out of a company",
        "link" => "linked",
        "unlink" => "unlinked",
        "assign" => "assigned",
        "unassign" => "taken back",
        other => other,
    };
    format!("{} {things} {done}", thousands(count))
}

/// `POST /admin/runs/{id}/undo`. What takes long goes on without whoever asked for it.
pub async fn undo(caller: Admin, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    let (db, actor) = (web.db.clone(), caller.actor());
    let work = tokio::spawn(async move { undo::run(&db, id, &actor).await });
    match tokio::time::timeout(PATIENCE, work).await {
        Err(_) => context.go("/admin/", &format!("Run {id} is being taken back.")),
        Ok(Err(cause)) => Err(Error::internal(cause)),
        Ok(Ok(Ok(summary))) => context.go("/admin/", &format!("Run {id}: {}.", summary.words())),
        Ok(Ok(Err(Error::Conflict { message, .. }))) => context.go_sorry("/admin/", &format!("{message}.")),
        Ok(Ok(Err(other))) => Err(other),
    }
}
