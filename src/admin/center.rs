//! `/admin/`: every source and its freshness, the jobs, the last runs, and what waits for approval.

use axum::{extract::State, response::Response};

use super::{
    api,
    center_store::{self, Past},
    center_view::{self, CenterPage},
};
use crate::{
    agents::PageContext,
    auth::Admin,
    db::Conn,
    error::{Error, Result},
    jobs::{self, Options, kind::JobKind, scheduler},
    outbox,
    reconcile::review::review_store,
    status,
    types::Scope,
    ui::Section,
    vendors::credentials,
    web::{Fields, Path, Web},
};

/// How many runs are listed.
const SHOWN: i64 = 15;

/// `GET /admin/`
pub async fn show(_: Admin, context: PageContext, State(web): State<Web>) -> Result<Response> {
    jobs::reap(&web.db).await?;
    let read = |c: &mut Conn| {
        let newest =
            JobKind::all().iter().map(|kind| center_store::newest(c, kind.as_str())).collect::<Result<Vec<Option<Past>>>>()?;
        Ok((
            status::freshness(c)?,
            newest,
            center_store::past(c, SHOWN)?,
            status::waiting(c)?,
            center_store::facts(c)?,
            review_store::open(c)?,
            outbox::store::counts(c)?,
        ))
    };
    let (freshness, newest, past, waiting, facts, review, outbox) = web.db.read(&Scope::All, read).await?;
    let config = credentials::effective(&web.db, &web.config).await?;
    let mut page = context.titled(Section::Admin, "Sync");
    // What the banner would say stands on this very page.
    page.waiting = 0;
    let schedules = scheduler::view::all(&web.db, &web.config).await?;
    let vendors = credentials::view::all(&web.db, &web.config).await?;
    let known = |kind: &JobKind| freshness.iter().find(|known| known.source == kind.as_str());
    let mut jobs: Vec<(&str, Vec<center_view::Kind>)> = Vec::new();
    for (kind, newest) in JobKind::all().iter().zip(&newest) {
        let job = center_view::kind(&page, *kind, kind.configured(&config).is_ok(), known(kind), newest.as_ref());
        let job = job.scheduled(&page, schedules.iter().find(|schedule| schedule.job == kind.as_str()));
        let purpose = center_view::purpose(*kind);
        match jobs.iter_mut().find(|(known, _)| *known == purpose) {
            Some((_, of)) => of.push(job),
            None => jobs.push((purpose, vec![job])),
        }
    }
    let running = newest.iter().flatten().filter(|job| job.status == "running");
    context.show(&CenterPage {
        jobs,
        vendors: vendors.into_iter().map(|vendor| center_view::vendor(&page, vendor)).collect(),
        running: running.map(|job| center_view::running(&page, job)).collect(),
        waiting: waiting.into_iter().map(|plan| center_view::waiting(&page, plan)).collect(),
        runs: past.into_iter().map(|past| center_view::run(&page, past)).collect(),
        review: center_view::review(&page, review),
        outbox: center_view::outbox(&page, &outbox),
        facts,
        database: web.config.database.describe(),
        users: page.standalone,
        scheduler_off: schedules.iter().any(|one| one.inactive_because.as_deref() == Some(scheduler::view::SCHEDULER_OFF)),
        page,
    })
}

/// `POST /admin/sync/{job}`: begins, and leads back to where it can be watched.
pub async fn start(
    caller: Admin,
    context: PageContext,
    State(web): State<Web>,
    Path(name): Path<String>,
    mut fields: Fields,
) -> Result<Response> {
    let dry_run = fields.bool("dry_run").value().unwrap_or(false);
    fields.finish()?;
    let kind = JobKind::parse(&name).ok_or(Error::NotFound { what: "Job" })?;
    match jobs::start(&web.db, &web.config, kind, Options { dry_run, ..Options::default() }, caller.name()).await {
        Ok(started) => context.go("/admin/", &format!("{}.", api::said(kind, &started))),
        Err(error @ (Error::Unavailable(_) | Error::Conflict { .. })) => context.go_sorry("/admin/", &format!("{error}.")),
        Err(other) => Err(other),
    }
}
