//! `/admin/`: one vendor, its freshness, the last runs, and what waits for approval.

use axum::{extract::State, response::Response};

use super::center_view::{self, CenterPage};
use crate::{
    agents::Frame,
    auth::Admin,
    db::Conn,
    error::{Error, Result},
    status,
    sync::{
        api,
        catalogue::JobKind,
        center_store,
        freshservice::SYSTEM,
        jobs::{self, Options},
    },
    types::Scope,
    web::{Fields, Web, view::Section},
};

/// How many runs are listed.
const SHOWN: i64 = 12;

/// `GET /admin/`
pub async fn show(_: Admin, frame: Frame, State(web): State<Web>) -> Result<Response> {
    jobs::sweep(&web.db).await?;
    let read = |c: &mut Conn| {
        let freshness = status::freshness(c)?.into_iter().find(|known| known.source == SYSTEM);
        Ok((freshness, center_store::past(c, SYSTEM, SHOWN)?, status::waiting(c)?, center_store::facts(c)?))
    };
    let (freshness, past, waiting, facts) = web.db.read(&Scope::All, read).await?;
    let credentials = web.config.freshservice.credentials();
    let running = past.first().filter(|job| job.status == "running").cloned();
    let mut page = frame.titled(Section::Admin, "Sync");
    // What the banner would say stands on this very page.
    page.waiting = 0;
    frame.show(&CenterPage {
        source: center_view::source(freshness, running.as_ref(), credentials.map(|(url, _)| url)),
        configured: credentials.is_some(),
        running,
        waiting: waiting.into_iter().map(|plan| center_view::waiting(&page, plan)).collect(),
        runs: past.into_iter().map(|past| center_view::run(&page, past)).collect(),
        facts,
        database: web.config.database.describe(),
        users: page.standalone,
        page,
    })
}

/// `POST /admin/sync/freshservice`: begins, and leads back to where it can be watched.
pub async fn start(caller: Admin, frame: Frame, State(web): State<Web>, mut fields: Fields) -> Result<Response> {
    let dry_run = fields.bool("dry_run").value().unwrap_or(false);
    fields.finish()?;
    let (kind, options) = (JobKind::Freshservice, Options { dry_run, ..Options::default() });
    match jobs::start(&web.db, &web.config, kind, options, caller.name()).await {
        Ok(started) => frame.go("/admin/", &format!("{}.", api::said(kind, &started))),
        Err(error @ (Error::Unavailable(_) | Error::Conflict { .. })) => frame.go_sorry("/admin/", &format!("{error}.")),
        Err(other) => Err(other),
    }
}
