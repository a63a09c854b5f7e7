//! What the sync centre says about jobs, runs and freshness.

use askama::Template;

use super::words;
use crate::{
    status::{Freshness, Waiting},
    sync::center_store::Past,
    web::view::{Page, Value, filters, time},
};

/// After so many hours without a good run the data counts as late.
const LATE_HOURS: i64 = 24;

/// The page.
#[derive(Template)]
#[template(path = "sync/center.html")]
pub struct CenterPage {
    /// The frame.
    pub page: Page,
    /// How the vendor stands.
    pub source: Source,
    /// Whether a sync can be started at all.
    pub configured: bool,
    /// The job that runs now.
    pub running: Option<Past>,
    /// The plans that wait.
    pub waiting: Vec<WaitingPlan>,
    /// What ran.
    pub runs: Vec<Run>,
    /// How much is stored.
    pub facts: Vec<(&'static str, i64, i64)>,
    /// Where it is stored.
    pub database: String,
    /// Whether people are kept here.
    pub users: bool,
}

/// One vendor.
pub struct Source {
    /// How it stands, in a word with a dot.
    pub state: Value,
    /// The same in a sentence.
    pub detail: String,
    /// How old the data is.
    pub as_of: Option<String>,
    /// Where it is read.
    pub address: String,
}

/// A plan that waits.
pub struct WaitingPlan {
    /// Its page.
    pub href: String,
    /// What it would do.
    pub text: String,
    /// Why it waits.
    pub because: String,
    /// Since when.
    pub since: String,
}

/// One job that ran.
pub struct Run {
    /// How it ended.
    pub outcome: Value,
    /// What it did.
    pub text: String,
    /// When it began.
    pub at: String,
    /// Who began it, and how long it took.
    pub detail: String,
    /// Why it failed.
    pub error: Option<String>,
    /// What it said.
    pub log: String,
    /// Its plan.
    pub plan: Option<String>,
}

/// How the vendor stands.
pub fn source(known: Option<Freshness>, running: Option<&Past>, address: Option<&str>) -> Source {
    let dot = |kind, text: &str| Value::Dot { kind, text: text.to_owned() };
    let as_of = known.as_ref().and_then(|known| known.as_of.clone());
    let (state, detail) = match (&known, running) {
        (_, Some(_)) => (dot("good", "Running"), "A run is on its way.".to_owned()),
        (Some(known), _) if matches!(known.last_status.as_str(), "failed" | "interrupted") => {
            let why = known.last_error.as_deref().unwrap_or("It broke off.");
            (dot("bad", "Failing"), format!("The last run failed: {}", words::sentence(why)))
        }
        (Some(_), _) => match as_of.as_deref() {
            Some(at) if time::older_than(at, LATE_HOURS) => {
                (dot("warn", "Late"), format!("The last good run is more than {LATE_HOURS} hours old."))
            }
            Some(_) => (dot("good", "Fresh"), String::new()),
            None => (dot("warn", "Never read"), "No run has succeeded yet.".to_owned()),
        },
        (None, _) => (dot("", "Never read"), "Nothing has been read from here yet.".to_owned()),
    };
    Source { state, detail, as_of, address: address.unwrap_or_default().to_owned() }
}

/// A plan that waits, in words.
pub fn waiting(page: &Page, plan: Waiting) -> WaitingPlan {
    WaitingPlan {
        href: page.url(&format!("/admin/plans/{}", plan.plan_id)),
        text: format!("Plan {}: {} {}", plan.plan_id, plan.items, if plan.items == 1 { "change waits" } else { "changes wait" }),
        because: words::sentence(&plan.because),
        since: plan.since,
    }
}

/// A job that ran, in words.
pub fn run(page: &Page, past: Past) -> Run {
    let approval = past.dry_run.is_none() && past.output.starts_with("plan ");
    let outcome = match (past.status.as_str(), past.dry_run, past.run_status.as_deref()) {
        ("running", ..) => Value::badge("info", "Running"),
        ("failed", ..) => Value::badge("danger", "Failed"),
        (_, Some(true), _) => Value::badge("", "Dry run"),
        (_, _, Some("held")) => Value::badge("warning", "Part waits"),
        _ if approval => Value::badge("success", "Approved"),
        _ => Value::badge("success", "Done"),
    };
    let (text, read) = match &past.summary {
        Some(_) if past.status == "failed" && past.plan.is_none() => Default::default(),
        Some(summary) => words::counts(summary, past.dry_run == Some(true)),
        None if approval => (words::sentence(&past.output), String::new()),
        None if past.status == "running" => (past.progress.as_deref().map(words::sentence).unwrap_or_default(), String::new()),
        None => Default::default(),
    };
    let took = past.completed_at.as_deref().and_then(|end| time::between(&past.started_at, end));
    let took = took.map(|took| format!(", took {took}")).unwrap_or_default();
    Run {
        outcome,
        text,
        detail: format!("Started by {}{took}{}", past.started_by, if read.is_empty() { read } else { format!(", read {read}") }),
        at: past.started_at,
        error: past.error.as_deref().map(words::sentence),
        log: past.output,
        plan: past.plan.map(|id| page.url(&format!("/admin/plans/{id}"))),
    }
}
