//! `GET /metrics` in Prometheus's text format: counts and times, never anything that tells of people.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;

use super::metrics_store::{self, Stored};
use crate::{
    auth::secret,
    error::{Error, Result},
    types::Scope,
    web::{
        Peer, Routes, Web,
        metrics::{Requests, about, line},
    },
};

/// How long the database may take; what it would have told is then left out.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// The format, as Prometheus names it.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// What a proxy adds to a request, which then is not from this machine.
const FORWARDED: [&str; 6] = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "forwarded", "via"];

/// The route, for this machine and whoever has the token.
#[must_use]
pub fn routes() -> Routes {
    Routes::new().get("/metrics", show).sends("Tell counts and times of this process, in Prometheus's text format", "text/plain")
}

async fn show(
    State(web): State<Web>,
    Extension(requests): Extension<Arc<Requests>>,
    peer: Peer,
    headers: HeaderMap,
) -> Result<Response> {
    may_read(&web, &peer, &headers)?;
    let stored = tokio::time::timeout(PATIENCE, web.db.read(&Scope::All, metrics_store::stored)).await;
    let mut out = String::with_capacity(16 * 1024);
    about(&mut out, "codex_build_info", "gauge", "The version that runs.");
    let (version, engine) = (env!("CARGO_PKG_VERSION"), web.config.database.engine());
    line(&mut out, format_args!("codex_build_info{{version=\"{version}\",database=\"{engine}\"}} 1"));
    requests.write(&mut out);
    database(&web, stored.ok().and_then(Result::ok), &mut out);
    process(&mut out);
    Ok(([(header::CONTENT_TYPE, FORMAT), (header::CACHE_CONTROL, "no-store")], out).into_response())
}

/// A program on this machine, which shows nothing and came through nobody; or one with the token.
fn may_read(web: &Web, peer: &Peer, headers: &HeaderMap) -> Result<()> {
    let shown = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    let allowed = match (shown, &web.config.server.metrics_token) {
        (Some(shown), Some(token)) => {
            shown.strip_prefix("Bearer ").is_some_and(|text| secret::matches(text.trim(), &secret::hash(token.expose())))
        }
        (Some(_), None) => false,
        (None, _) => peer.ip.is_loopback() && !FORWARDED.iter().any(|name| headers.contains_key(*name)),
    };
    if allowed {
        return Ok(());
    }
    Err(Error::Forbidden("metrics are for this machine, and for whoever has server.metrics_token".to_owned()))
}

fn database(web: &Web, stored: Option<Stored>, out: &mut String) {
    let is_up = u8::from(stored.is_some() && web.db.damage().is_none());
    about(out, "codex_database_up", "gauge", "Whether the database answers and is not damaged.");
    line(out, format_args!("codex_database_up {is_up}"));
    let (reads, writes) = web.db.waiting();
    about(out, "codex_database_waiting", "gauge", "Questions and changes that wait for their turn at the database.");
    line(out, format_args!("codex_database_waiting{{kind=\"read\"}} {reads}\ncodex_database_waiting{{kind=\"write\"}} {writes}"));
    about(out, "codex_database_reads_total", "counter", "Questions that the database has answered.");
    line(out, format_args!("codex_database_reads_total {}", web.db.reads()));
    let cost = web.db.cost();
    about(out, "codex_database_statements_total", "counter", "Statements of questions and changes.");
    line(out, format_args!("codex_database_statements_total {}", cost.statements));
    about(out, "codex_database_plans_again_total", "counter", "How often SQLite planned a kept statement again.");
    line(out, format_args!("codex_database_plans_again_total {}", cost.plans_again));
    about(out, "codex_database_scanned_rows_total", "counter", "Rows that SQLite stepped over in tables that it read whole.");
    line(out, format_args!("codex_database_scanned_rows_total {}", cost.scanned));
    let Some(stored) = stored else { return };
    about(out, "codex_job_last_success_timestamp_seconds", "gauge", "When a job last ended well, by whomever it was run.");
    for (job, at) in &stored.successes {
        if let Ok(at) = at.parse::<Timestamp>() {
            line(out, format_args!("codex_job_last_success_timestamp_seconds{{job=\"{job}\"}} {}", at.as_second()));
        }
    }
    about(out, "codex_outbox_entries", "gauge", "What is to be written to vendors, by state.");
    for (state, count) in &stored.outbox {
        line(out, format_args!("codex_outbox_entries{{state=\"{state}\"}} {count}"));
    }
}

/// What the system knows of this process, under the names that Prometheus's own libraries use.
fn process(out: &mut String) {
    let page = rustix::param::page_size() as u64;
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let mut pages = statm.split(' ').map_while(|field| field.parse::<u64>().ok());
    if let (Some(all), Some(resident)) = (pages.next(), pages.next()) {
        about(out, "process_virtual_memory_bytes", "gauge", "Virtual memory in bytes.");
        line(out, format_args!("process_virtual_memory_bytes {}", all * page));
        about(out, "process_resident_memory_bytes", "gauge", "Resident memory in bytes.");
        line(out, format_args!("process_resident_memory_bytes {}", resident * page));
    }
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        about(out, "process_open_fds", "gauge", "Open files and connections.");
        // The one that reads the folder is among them.
        line(out, format_args!("process_open_fds {}", files.count().saturating_sub(1)));
    }
}
