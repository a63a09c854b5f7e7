//! Watching a job while it runs: its log, and events for pages that are open.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{
        IntoResponse as _, Response,
        sse::{Event, Sse},
    },
};
use futures_util::stream;
use serde_json::json;
use tokio::time::Instant;

use super::{
    lease_store::{self, Job},
    log_store::{self, LogLine},
};
use crate::web::openapi::schema as json;
use crate::{
    auth::Staff,
    db::{Conn, Db},
    error::{Error, Result},
    types::Scope,
    web::{Path, Query, Routes, Web},
};

/// How often the database is asked for news.
const LOOK: Duration = Duration::from_millis(400);
/// How long one answer lasts. Browsers ask again by themselves where they left off; so a server that
/// stops never waits for somebody who only watches.
const LAST: Duration = Duration::from_secs(5);

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/sync/jobs/{job_id}/log", log)
        .tells("Read what a job has said", |schemas| {
            json::object(&[
                ("job_id", json::text()),
                ("status", json::text()),
                ("progress", json::or_null(json::text())),
                ("lines", json::list::<LogLine>(schemas)),
            ])
        })
        .asks(&[("after", "count", "Lines after this one.")])
        .get("/api/sync/jobs/{job_id}/events", events)
        .sends("Follow a job as server-sent events", "text/event-stream")
}

fn read(c: &mut Conn, job_id: &str, after: i64) -> Result<(Job, Vec<LogLine>)> {
    let job = lease_store::find(c, job_id)?.ok_or(Error::NotFound { what: "Job" })?;
    Ok((job, log_store::of(c, job_id, after)?))
}

/// `GET /api/sync/jobs/{job_id}/log?after=`: what a job said, after a line.
async fn log(_: Staff, State(web): State<Web>, Path(job_id): Path<String>, query: Query) -> Result<Response> {
    let after = query.count("after")?.unwrap_or(0);
    let (job, lines) = web.db.read(&Scope::All, move |c| read(c, &job_id, after)).await?;
    Ok(Json(json!({ "job_id": job.id, "status": job.status, "progress": job.progress, "lines": lines })).into_response())
}

/// What is still to be told to one listener.
struct Listener {
    db: Db,
    job_id: String,
    after: i64,
    told: Option<(String, Option<String>)>,
    queue: VecDeque<Event>,
    until: Instant,
    ended: bool,
}

/// `GET /api/sync/jobs/{job_id}/events`: the same as server-sent events: `log` for each line, `job` when
/// it moves, `end` when it is over. `Last-Event-ID` is the last line that the listener has.
async fn events(_: Staff, State(web): State<Web>, Path(job_id): Path<String>, headers: HeaderMap) -> Result<Response> {
    let after = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok()).unwrap_or(0);
    let id = job_id.clone();
    web.db.read(&Scope::All, move |c| read(c, &id, after)).await?;
    let until = Instant::now() + LAST;
    let listener = Listener { db: web.db.clone(), job_id, after, told: None, queue: VecDeque::new(), until, ended: false };
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    let mut response = Sse::new(events).into_response();
    response.headers_mut().insert("x-accel-buffering", axum::http::HeaderValue::from_static("no"));
    Ok(response)
}

impl Listener {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Some(event);
            }
            if self.ended || Instant::now() >= self.until {
                return None;
            }
            let (id, after) = (self.job_id.clone(), self.after);
            let (job, lines) = self.db.read(&Scope::All, move |c| read(c, &id, after)).await.ok()?;
            self.tell(&job, lines);
            if self.queue.is_empty() {
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    fn tell(&mut self, job: &Job, lines: Vec<LogLine>) {
        for line in lines {
            self.after = line.n;
            let data = json!({ "at": line.at, "level": line.level, "message": line.message }).to_string();
            self.queue.push_back(Event::default().event("log").id(line.n.to_string()).data(data));
        }
        let state = (job.status.clone(), job.progress.clone());
        if self.told.as_ref() != Some(&state) {
            let data = json!({ "status": job.status, "progress": job.progress, "error": job.error }).to_string();
            self.ended = job.status != "running";
            let name = if self.ended { "end" } else { "job" };
            self.queue.push_back(Event::default().event(name).retry(LOOK).data(data));
            self.told = Some(state);
        }
    }
}
