//! What the sync centre says about jobs, runs and freshness.

use askama::Template;

use super::{center_store::Past, words};
use crate::{
    jobs::{
        self,
        kind::JobKind,
        scheduler::{self, Scheduled},
    },
    outbox,
    status::{Freshness, State, Waiting},
    ui::{Page, Value, capitalised, filters, thousands, time},
    vendors::credentials::Credentials,
};

/// The page.
#[derive(Template)]
#[template(path = "admin/center.html")]
pub struct CenterPage {
    /// What stands around it.
    pub page: Page,
    /// Every kind of job, by what it is for.
    pub jobs: Vec<(&'static str, Vec<Kind>)>,
    /// The vendors and whether they can be asked.
    pub vendors: Vec<Vendor>,
    /// The jobs that run now.
    pub running: Vec<Running>,
    /// The plans that wait.
    pub waiting: Vec<WaitingPlan>,
    /// What a person must decide beside plans: address and words.
    pub review: Option<(String, String)>,
    /// What is to be written to vendors and needs a person: address and words.
    pub outbox: Option<(String, String)>,
    /// What ran.
    pub runs: Vec<Run>,
    /// How much is stored.
    pub facts: Vec<(&'static str, i64, i64)>,
    /// Where it is stored.
    pub database: String,
    /// Whether people are kept here.
    pub users: bool,
    /// Whether nothing runs by itself.
    pub scheduler_off: bool,
}

/// One kind of job.
pub struct Kind {
    /// What people call it.
    pub label: &'static str,
    /// What it does.
    pub what: &'static str,
    /// How it stands, in a word with a dot.
    pub state: Value,
    /// The same in a sentence.
    pub detail: String,
    /// What can be done about a failure.
    pub remedy: &'static str,
    /// The requests behind a failure.
    pub requests: Option<String>,
    /// Whether it fails.
    pub fails: bool,
    /// Where it is started, unless it runs or cannot run.
    pub start: Option<String>,
    /// Whether it can be tried without changing anything.
    pub dry: bool,
    /// The newest run: its page, when it began, how long it took, what it did.
    pub last: Option<Last>,
    /// When it runs by itself, in words.
    pub cadence: String,
    /// When it runs next.
    pub next: Option<String>,
    /// Where its schedule is edited.
    pub edit: String,
}

/// The newest run of a kind of job.
pub struct Last {
    /// Its page.
    pub href: String,
    /// When it began.
    pub at: String,
    /// How long it took.
    pub took: String,
    /// What it did.
    pub did: String,
}

/// What a kind of job is for, as the heading of its group.
pub fn purpose(kind: JobKind) -> &'static str {
    match kind {
        kind if kind.system() == jobs::kind::OURS => "Codex",
        kind if kind.pulls() => "Read from vendors",
        _ => "Written to vendors",
    }
}

/// One vendor.
pub struct Vendor {
    /// Where its credentials are entered.
    pub href: String,
    /// What people call it.
    pub label: &'static str,
    /// Whether it can be asked.
    pub state: Value,
    /// Where it is, or what is wrong.
    pub detail: String,
}

impl CenterPage {
    /// Whether no vendor can be asked.
    fn nothing_ready(&self) -> bool {
        !self.vendors.iter().any(|vendor| matches!(&vendor.state, Value::Dot { kind: "good", .. }))
    }
}

/// A job that runs.
pub struct Running {
    pub id: String,
    /// Its page.
    pub href: String,
    /// What runs.
    pub label: &'static str,
    /// Whether it only plans.
    pub dry: bool,
    /// Who began it.
    pub by: String,
    pub at: String,
    /// How far it is.
    pub words: String,
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
    /// Who began it.
    pub by: String,
    /// How long it took.
    pub took: String,
    /// What it read.
    pub read: String,
    /// Why it failed, and the requests behind that.
    pub error: Option<(String, Option<String>)>,
    /// What ran.
    pub label: &'static str,
    /// Its page.
    pub href: String,
    /// Its plan.
    pub plan: Option<String>,
}

/// How a kind of job stands.
pub fn kind(page: &Page, kind: JobKind, configured: bool, known: Option<&Freshness>, newest: Option<&Past>) -> Kind {
    let dot = |kind, text: &str| Value::Dot { kind, text: text.to_owned() };
    let running = newest.is_some_and(|job| job.status == "running");
    let (state, detail) = match (configured, known, newest) {
        (_, _, Some(_)) if running => (dot("good", "Running"), String::new()),
        (false, ..) => (dot("", "Not set up"), String::new()),
        (_, Some(known), _) if known.state == State::Failing => (dot("bad", "Failing"), words::sentence(&known.detail)),
        (_, None, Some(job)) if job.status == "failed" => {
            (dot("bad", "Failing"), words::sentence(job.error.as_deref().unwrap_or("It broke off.")))
        }
        (_, Some(known), _) => match known.state {
            State::Never => (dot("warn", "Never read"), words::sentence(&known.detail)),
            State::Late => (dot("warn", "Late"), words::sentence(&known.detail)),
            State::Suspicious => (dot("warn", "Check"), words::sentence(&known.detail)),
            State::Ok | State::Failing => (dot("good", "Up to date"), String::new()),
        },
        (_, None, Some(_)) => (dot("good", "Done"), String::new()),
        (_, None, None) => (dot("", if kind.pulls() { "Never read" } else { "Never run" }), String::new()),
    };
    let fails = matches!(&state, Value::Dot { kind: "bad", .. });
    let (detail, requests) = if fails { words::trouble(&detail) } else { (detail, None) };
    let remedy = if fails { words::remedy(&detail) } else { "" };
    let start = (configured && !running).then(|| page.url(&format!("/admin/sync/{}", kind.as_str())));
    Kind {
        label: kind.label(),
        what: kind.what(),
        state,
        detail,
        remedy,
        requests,
        fails,
        last: newest.map(|job| last(page, job)),
        start,
        dry: kind.plans(),
        cadence: String::new(),
        next: None,
        edit: String::new(),
    }
}

/// The newest run of a kind, in a line.
fn last(page: &Page, job: &Past) -> Last {
    Last {
        href: page.url(&format!("/admin/jobs/{}", job.id)),
        at: job.started_at.clone(),
        took: took(job),
        did: if job.status == "failed" { "Failed".to_owned() } else { did(job).0 },
    }
}

/// How long a job took; empty while it runs.
fn took(job: &Past) -> String {
    job.completed_at.as_deref().and_then(|end| time::between(&job.started_at, end)).unwrap_or_default()
}

/// What a job did, in a line, and what it read.
pub fn did(past: &Past) -> (String, String) {
    match &past.summary {
        Some(_) if past.status == "failed" && past.plan.is_none() => Default::default(),
        Some(summary) => words::did(&past.script, summary, past.dry_run == Some(true)),
        None if past.status == "completed" => (words::sentence(past.output.lines().last().unwrap_or_default()), String::new()),
        None if past.status == "running" => (past.progress.as_deref().map(words::sentence).unwrap_or_default(), String::new()),
        None => Default::default(),
    }
}

/// What waits in the review list.
pub fn review(page: &Page, open: i64) -> Option<(String, String)> {
    let words = match open {
        0 => return None,
        1 => "1 site or device needs a decision".to_owned(),
        n => format!("{} sites or devices need a decision", thousands(n)),
    };
    Some((page.url("/admin/review"), words))
}

/// What waits for a person in the outbox.
pub fn outbox(page: &Page, counts: &[(outbox::State, i64)]) -> Option<(String, String)> {
    let waits: i64 = counts.iter().filter(|(state, _)| state.waits_for_person()).map(|(_, count)| count).sum();
    let words = match waits {
        0 => return None,
        1 => "One change could not be written to a vendor".to_owned(),
        n => format!("{} changes could not be written to a vendor", thousands(n)),
    };
    Some((page.url("/admin/outbox"), words))
}

/// A job that runs, in words.
pub fn running(page: &Page, job: &Past) -> Running {
    Running {
        href: page.url(&format!("/admin/jobs/{}", job.id)),
        id: job.id.clone(),
        label: label(&job.script),
        dry: job.dry_run == Some(true),
        by: job.started_by.clone(),
        at: job.started_at.clone(),
        words: job.progress.clone().unwrap_or_else(|| "Starting".to_owned()),
    }
}

impl Kind {
    /// The same with when it runs by itself.
    pub fn scheduled(mut self, page: &Page, schedule: Option<&Scheduled>) -> Self {
        let Some(schedule) = schedule else { return self };
        self.edit = page.url(&format!("/admin/schedules/{}", schedule.job));
        self.next.clone_from(&schedule.next_run_at);
        // That the scheduler is off is said once, above the table.
        self.cadence = match &schedule.inactive_because {
            Some(why) if why == scheduler::view::SCHEDULER_OFF => "Manual only".to_owned(),
            Some(why) if self.start.is_some() => format!("Manual only: {why}"),
            Some(_) => String::new(),
            None => capitalised(&words::cadence(&schedule.cadence)),
        };
        self
    }
}

/// A vendor and whether it can be asked.
pub fn vendor(page: &Page, known: Credentials) -> Vendor {
    let state = match (&known.problem, known.configured) {
        (Some(_), _) => Value::Dot { kind: "bad", text: "Unreadable".to_owned() },
        (None, true) => Value::Dot { kind: "good", text: "Set up".to_owned() },
        (None, false) => Value::Dot { kind: "", text: "Not set up".to_owned() },
    };
    let address = known.keys.iter().find_map(|key| key.value.clone());
    Vendor {
        href: page.url(&format!("/admin/credentials/{}", known.system)),
        label: known.label,
        state,
        detail: known.problem.or(address).unwrap_or_default(),
    }
}

/// What people call a kind of job.
pub fn label(script: &str) -> &'static str {
    JobKind::named(script).map_or("Job", JobKind::label)
}

/// A plan that waits, in words.
pub fn waiting(page: &Page, plan: Waiting) -> WaitingPlan {
    WaitingPlan {
        href: page.url(&format!("/admin/plans/{}", plan.plan_id)),
        text: format!(
            "Plan {}: {} {}",
            plan.plan_id,
            plan.items,
            if plan.items == 1 { "change needs approval" } else { "changes need approval" }
        ),
        because: words::sentence(&plan.because),
        since: plan.since,
    }
}

/// A job that ran, in words.
pub fn run(page: &Page, past: Past) -> Run {
    let approval = past.dry_run.is_none() && past.output.starts_with("plan ");
    let undo = past.dry_run.is_none() && past.output.starts_with("run ");
    let outcome = match (past.status.as_str(), past.dry_run, past.run_status.as_deref()) {
        ("running", ..) => Value::badge("info", "Running"),
        ("failed", ..) => Value::badge("danger", "Failed"),
        (_, Some(true), _) => Value::badge("", "Dry run"),
        (_, _, Some("held")) => Value::badge("warning", "Needs approval"),
        _ if past.undone.is_some() => Value::badge("", "Undone"),
        _ if approval => Value::badge("success", "Approved"),
        _ if undo => Value::badge("", "Undo"),
        _ => Value::badge("success", "Done"),
    };
    let (text, read) = did(&past);
    Run {
        outcome,
        text,
        took: took(&past),
        read,
        by: past.started_by,
        at: past.started_at,
        error: past.error.as_deref().map(words::trouble),
        label: label(&past.script),
        href: page.url(&format!("/admin/jobs/{}", past.id)),
        plan: past.plan.map(|id| page.url(&format!("/admin/plans/{id}"))),
    }
}
