//! The schedules over HTTP: seen by staff, decided by administrators.

use axum::{Json, extract::State};

use super::{
    Scheduled,
    store::{self, Edit},
    view,
};
use crate::web::openapi::schema as json;
use crate::{
    auth::{Admin, Staff},
    config::{Cadence, Config, cadence},
    db::Write,
    error::{Error, Result},
    jobs::kind::JobKind,
    status::{self, Freshness},
    types::{Actor, Scope},
    vendors::credentials,
    web::{Fields, Path, Routes, Sent, Web},
};

/// The longest jitter.
const MOST_JITTER: i64 = 3_600;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/sync/sources", sources)
        .tells("Tell how fresh each source is", json::list::<Freshness>)
        .get("/api/sync/schedules", all)
        .tells("List when jobs run by themselves", json::list::<Scheduled>)
        .get("/api/sync/schedules/{job}", one)
        .tells("Tell when a job runs by itself", json::one::<Scheduled>)
        .put("/api/sync/schedules/{job}", change)
        .tells("Decide when a job runs by itself", json::one::<Scheduled>)
        .takes(|_| {
            let words = "A line of cron, such as `0 2 * * *`, or an interval in words, such as `every 30m`.";
            json::optional(&[
                ("cadence", serde_json::json!({"type": ["string", "null"], "format": "cadence", "description": words})),
                ("time_zone", json::or_null(json::time_zone())),
                ("jitter_seconds", serde_json::json!({"type": ["integer", "null"], "minimum": 0, "maximum": MOST_JITTER})),
                ("enabled", json::or_null(json::flag())),
            ])
        })
        .delete("/api/sync/schedules/{job}", reset)
        .tells("Go back to the configured schedule", json::one::<Scheduled>)
}

/// How fresh each source is.
async fn sources(_caller: Staff, State(web): State<Web>) -> Result<Json<Vec<Freshness>>> {
    Ok(Json(web.db.read(&Scope::All, status::freshness).await?))
}

async fn all(_caller: Staff, State(web): State<Web>) -> Result<Json<Vec<Scheduled>>> {
    Ok(Json(view::all(&web.db, &web.config).await?))
}

async fn one(_caller: Staff, State(web): State<Web>, Path(job): Path<String>) -> Result<Json<Scheduled>> {
    Ok(Json(show(&web, kind(&job)?).await?))
}

async fn change(caller: Admin, State(web): State<Web>, Path(job): Path<String>, mut fields: Fields) -> Result<Json<Scheduled>> {
    let kind = kind(&job)?;
    let sent = sent(kind, &web.config, &mut fields);
    fields.finish()?;
    decide(&web, kind, sent, caller.name()).await?;
    Ok(Json(show(&web, kind).await?))
}

async fn reset(caller: Admin, State(web): State<Web>, Path(job): Path<String>) -> Result<Json<Scheduled>> {
    let kind = kind(&job)?;
    forget(&web, kind, caller.name()).await?;
    Ok(Json(show(&web, kind).await?))
}

async fn show(web: &Web, kind: JobKind) -> Result<Scheduled> {
    let config = credentials::effective(&web.db, &web.config).await?;
    web.db.read(&Scope::All, move |c| view::one(c, kind, &config)).await
}

fn kind(job: &str) -> Result<JobKind> {
    JobKind::parse(job).ok_or(Error::NotFound { what: "Job" })
}

/// What a person sent; null goes back to the configuration, what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// When it runs.
    pub cadence: Sent<String>,
    /// In which time zone.
    pub time_zone: Sent<String>,
    /// Put off by at most so many seconds.
    pub jitter_seconds: Sent<i64>,
    /// Whether it runs by itself.
    pub enabled: Sent<bool>,
}

/// Reads a decision from a request's fields, for the API and the page alike.
pub fn sent(kind: JobKind, config: &Config, fields: &mut Fields) -> Decision {
    fields.alias("cadence", "cron");
    fields.alias("cadence", "interval");
    fields.alias("jitter_seconds", "jitter");
    let daily = config.scheduler.of(kind.as_str()).daily;
    let cadence = |text: &String| match Cadence::parse(text, daily)? {
        Cadence::After(other) if JobKind::parse(&other).is_none_or(|other| other == kind) => {
            Err(format!("must name another job than {other}"))
        }
        _ => Ok(()),
    };
    let zone = |name: &String| match cadence::time_zone(name) {
        Ok(_) => Ok(()),
        Err(_) => Err("must be a time zone such as Europe/Berlin".to_owned()),
    };
    Decision {
        cadence: fields.text("cadence").check(cadence).get(),
        time_zone: fields.text("time_zone").check(zone).get(),
        jitter_seconds: fields.int("jitter_seconds").between(0, MOST_JITTER).get(),
        enabled: fields.bool("enabled").get(),
    }
}

/// Keeps a decision.
pub async fn decide(web: &Web, kind: JobKind, decision: Decision, by: &str) -> Result<()> {
    let who = by.to_owned();
    let keep = move |w: &mut Write<'_>| {
        let mut edit = store::find(w, kind.as_str())?.map(|row| row.edit).unwrap_or_default();
        decision.cadence.store(&mut edit.cadence);
        decision.time_zone.store(&mut edit.time_zone);
        decision.jitter_seconds.store(&mut edit.jitter_seconds);
        decision.enabled.store(&mut edit.enabled);
        store::edit(w, kind.as_str(), &edit, &who)
    };
    web.db.write(&Scope::All, &Actor::system("schedule"), keep).await?;
    tracing::info!(job = kind.as_str(), by, "the schedule was changed");
    Ok(())
}

/// Goes back to what is configured.
pub async fn forget(web: &Web, kind: JobKind, by: &str) -> Result<()> {
    let forget = move |w: &mut Write<'_>| store::edit(w, kind.as_str(), &Edit::default(), "");
    web.db.write(&Scope::All, &Actor::system("schedule"), forget).await?;
    tracing::info!(job = kind.as_str(), by, "the schedule was reset");
    Ok(())
}
