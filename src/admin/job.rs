//! `/admin/jobs/{id}`: what a job said while it ran, what its run changed, and taking that back.

use std::time::Duration;

use askama::Template;
use axum::{extract::State, response::Response};

use super::{
    center_store::{self, Past},
    center_view, words,
};
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
        pages::{
            record::{self, Mentioned},
            store::Names,
        },
        undo,
    },
    types::Scope,
    ui::{Crumb, Page, Section, Timeline, filters, link_to, thousands, time},
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
    dry: bool,
    /// What happened, in a sentence.
    lead: String,
    failed: Option<Failed>,
    progress: String,
    by: String,
    at: String,
    took: Option<String>,
    undone: Option<(String, String)>,
    lines: Vec<LogLine>,
    tally: Vec<String>,
    changes: Timeline,
    newer: Option<String>,
    older: Option<String>,
    plan: Option<String>,
    undo: Option<(String, String)>,
}

/// Why a job failed: in words, what can be done, the requests behind it.
struct Failed {
    why: String,
    remedy: &'static str,
    requests: Option<String>,
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
        crate::ui::Event { subject, run: None, ..record::event(change, &mentioned) }
    });
    let total: i64 = tally.iter().map(|(_, _, count)| count).sum();
    let can_undo = total > 0 && job.undone.is_none() && job.status != "running" && removed.is_none();
    let undo = job.run.filter(|_| can_undo).map(|run| {
        let question = format!("Undo {} changes of run {run}? What has changed since stays as it is.", thousands(total));
        (page.url(&format!("/admin/runs/{run}/undo")), question)
    });
    context.show(&JobPage {
        crumbs: vec![link_to(page.url("/admin/"), "Sync")],
        running: job.status == "running",
        dry: job.dry_run == Some(true),
        lead: lead(&job, total),
        failed: job.error.as_deref().map(failed),
        took: job.completed_at.as_deref().and_then(|end| time::between(&job.started_at, end)),
        progress: job.progress.unwrap_or_else(|| "Starting".to_owned()),
        by: job.started_by,
        at: job.started_at,
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

fn failed(text: &str) -> Failed {
    let (why, requests) = words::trouble(text);
    Failed { remedy: words::remedy(&why), why, requests }
}

/// What happened, in a sentence: what a person looks for first.
fn lead(job: &Past, changes: i64) -> String {
    let (did, read) = center_view::did(job);
    let read = if read.is_empty() { String::new() } else { format!(" It read {read}.") };
    let changed = match changes {
        0 => "Nothing was changed.".to_owned(),
        1 => "1 change had been made before that.".to_owned(),
        n => format!("{} changes had been made before that.", thousands(n)),
    };
    match (job.status.as_str(), job.dry_run) {
        ("running", _) => String::new(),
        ("failed", _) => format!("It did not finish.{read} {changed}"),
        (_, Some(true)) => format!("A run would do this: {}{read} Nothing was changed.", words::sentence(&did)),
        _ => format!("{}{read}", words::sentence(&did)),
    }
}

/// `12 contacts updated`
fn said(entity: &str, action: &str, count: i64) -> String {
    let done = record::ACTIONS.iter().find(|(known, ..)| *known == action).map_or(action, |(_, _, alone)| alone);
    format!("{} {done}", record::things(entity, count))
}

/// `POST /admin/runs/{id}/undo`. What takes long goes on without whoever asked for it.
pub async fn undo(caller: Admin, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    let (db, actor) = (web.db.clone(), caller.actor());
    let work = tokio::spawn(async move { undo::run(&db, id, &actor).await });
    match tokio::time::timeout(PATIENCE, work).await {
        Err(_) => context.go("/admin/", &format!("Run {id} is being undone.")),
        Ok(Err(cause)) => Err(Error::internal(cause)),
        Ok(Ok(Ok(summary))) => context.go("/admin/", &format!("Run {id}: {}.", summary.words())),
        Ok(Ok(Err(Error::Conflict { message, .. }))) => context.go_sorry("/admin/", &format!("{message}.")),
        Ok(Ok(Err(other))) => Err(other),
    }
}
