//! Sync centre: what ran, what runs, and what waits for a decision.

use askama::Template;
use axum::{extract::State, response::Response};

use super::{sync_store as store, words};
use crate::{
    agents::Frame,
    auth::Admin,
    error::{Error, Result},
    status::{self, Freshness, Waiting},
    sync::{api, jobs, jobs_store, run::Options},
    types::Scope,
    web::{
        Fields, Web,
        view::{Line, Page, Section, Table, Value, filters, time},
    },
};

/// How many runs are shown.
const RUNS: i64 = 15;

#[derive(Template)]
#[template(path = "sync/centre.html")]
struct Centre {
    page: Page,
    configured: bool,
    fresh: Option<Freshness>,
    running: Option<jobs_store::Job>,
    waiting: Vec<Waiting>,
    runs: Table,
}

/// `GET /admin/`
pub async fn show(State(web): State<Web>, _: Admin, frame: Frame) -> Result<Response> {
    jobs::sweep(&web.db).await?;
    let (fresh, last, waiting, runs) = web
        .db
        .read(&Scope::All, |c| {
            let fresh = status::freshness(c)?.into_iter().find(|fresh| fresh.source == "freshservice");
            Ok((fresh, jobs_store::last(c, "freshservice")?, status::waiting(c)?, store::runs(c, RUNS)?))
        })
        .await?;
    let page = Page { waiting: 0, ..frame.titled(Section::Admin, "Sync") };
    let lines = runs.into_iter().map(|run| Line { cells: cells(&page, run), post: None });
    let runs = Table {
        label: "Last runs",
        heads: vec![
            ("Run", "cell--main"),
            ("State", "cell--end"),
            ("Began", "cell--sub"),
            ("Took", "cell--sub"),
            ("Changes", "cell--number"),
            ("Note", "cell--cut"),
        ],
        lines: lines.collect(),
        empty: "Nothing has run yet.",
        more: None,
    };
    let running = last.filter(|job| job.status == "running");
    let configured = web.config.freshservice.credentials().is_some();
    frame.show(&Centre { page, configured, fresh, running, waiting, runs })
}

fn cells(page: &Page, run: store::Run) -> Vec<Value> {
    let name = format!("{} {}{}", vendor(&run.source), run.id, if run.dry_run { ", trial" } else { "" });
    let name = run
        .plan_id
        .map_or_else(|| Value::words(name.clone()), |plan| Value::link(page.url(&format!("/admin/plans/{plan}")), name.clone()));
    let took = run.finished_at.as_deref().and_then(|end| time::between(&run.started_at, end));
    vec![
        name,
        state(&run.status),
        Value::ago(Some(&run.started_at)),
        Value::text(took.as_deref()),
        run.changes.map_or(Value::None, Value::count),
        Value::text(run.error.as_deref()),
    ]
}

/// The vendor as people write it.
pub fn vendor(source: &str) -> String {
    match source {
        "freshservice" => "Freshservice".to_owned(),
        "datto" => "Datto RMM".to_owned(),
        other => words(other),
    }
}

/// A run's or a plan's state as a badge.
pub fn state(word: &str) -> Value {
    match word {
        "done" | "applied" => Value::badge("success", words(word)),
        "held" | "proposed" => Value::badge("warning", "Waits for approval"),
        "failed" | "interrupted" => Value::badge("danger", words(word)),
        "fetching" | "planning" | "applying" => Value::badge("info", words(word)),
        other => Value::badge("", words(other)),
    }
}

/// `POST /admin/sync/freshservice`: `dry_run` only plans.
pub async fn start(State(web): State<Web>, admin: Admin, frame: Frame, mut fields: Fields) -> Result<Response> {
    let dry_run = fields.bool("dry_run").value().unwrap_or(false);
    fields.finish()?;
    match api::begin(&web, admin.name(), Options { dry_run, ..Options::default() }).await {
        Ok((_, words)) => frame.go("/admin/", &format!("{words}.")),
        Err(Error::Unavailable(why)) => frame.go_sorry("/admin/", &format!("{why}.")),
        Err(other) => Err(other),
    }
}
