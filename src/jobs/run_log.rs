//! What the log says of every run: that it began, how it ended with what counts, what was left out, and
//! why it failed. On the platform these records go to Helm, whoever started the job.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Ended, Options, kind::JobKind, lease_store::Lease};
use crate::error::{Error, Result};

/// The target of these records, by which they are told from the rest of the log.
pub const TARGET: &str = "codex::run";

/// The run begins.
pub fn started(kind: JobKind, lease: &Lease, options: &Options) {
    let context = json!({
        "kind": kind.as_str(), "provider": kind.system(), "job_id": &lease.job_id, "dry_run": options.dry_run, "full": options.full,
    });
    tracing::info!(target: TARGET, job = %lease.job_id, %context, "{} started", kind.label());
}

/// The run has ended.
pub fn ended(kind: JobKind, lease: &Lease, took: Duration, ended: &Result<Ended>) {
    let mut context = Map::new();
    context.insert("kind".to_owned(), kind.as_str().into());
    context.insert("provider".to_owned(), kind.system().into());
    context.insert("job_id".to_owned(), lease.job_id.clone().into());
    context.insert("duration_seconds".to_owned(), ((took.as_secs_f64() * 1000.0).round() / 1000.0).into());
    let problem = match ended {
        Ok(ended) => {
            counts(&ended.report, &mut context);
            context.insert("exit_code".to_owned(), ended.exit_code.into());
            let left = left_out(&ended.report);
            if !left.is_empty() {
                let context = Value::Object(context.clone());
                tracing::warn!(target: TARGET, job = %lease.job_id, %context, "{}: {}", kind.label(), left.join(", "));
            }
            ended.problem.clone()
        }
        // What is a bug is told where bugs are told, and not to another service.
        Err(Error::Internal(why)) => {
            tracing::error!(job = %lease.job_id, why, "the {} broke", kind.label());
            Some("an internal failure; see Codex's own log".to_owned())
        }
        Err(error) => Some(error.to_string()),
    };
    if let Some(why) = problem {
        context.insert("cause".to_owned(), why.clone().into());
        let context = Value::Object(context);
        tracing::error!(target: TARGET, job = %lease.job_id, %context, "{} failed: {why}", kind.label());
    } else {
        let context = Value::Object(context);
        tracing::info!(target: TARGET, job = %lease.job_id, %context, "{} finished", kind.label());
    }
}

/// The counts of a report: every number in it, those per kind of row, and four sums over all kinds.
fn counts(report: &Value, context: &mut Map<String, Value>) {
    const SUMS: [(&str, &[&str]); 4] = [
        ("created", &["create"]),
        ("updated", &["update", "adopt", "restore"]),
        ("deleted", &["retire"]),
        ("skipped", &["skipped"]),
    ];
    let numbers = report
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| value.is_number() || matches!(name.as_str(), "listed" | "counts"));
    context.extend(numbers.map(|(name, value)| (name.clone(), value.clone())));
    let own = |name: &str| report.get(name).and_then(Value::as_u64).unwrap_or(0);
    for (word, actions) in SUMS {
        let told = own(word) + if word == "deleted" { own("retired") } else { 0 };
        let sum: u64 = actions.iter().map(|action| total(report, action)).sum();
        context.insert(word.to_owned(), (told + sum).into());
    }
}

fn by_kind<'r>(report: &'r Value, action: &'r str) -> impl Iterator<Item = (&'r str, u64)> {
    let kinds = report.get("counts").and_then(Value::as_object).into_iter().flatten();
    kinds.filter_map(move |(kind, actions)| Some((kind.as_str(), actions.get(action)?.as_u64().filter(|count| *count > 0)?)))
}

fn total(report: &Value, action: &str) -> u64 {
    by_kind(report, action).map(|(_, count)| count).sum()
}

/// What was left out, in numbers: names stay here.
fn left_out(report: &Value) -> Vec<String> {
    let skipped = by_kind(report, "skipped").map(|(kind, count)| format!("{count} {kind} skipped"));
    let review = by_kind(report, "review").map(|(kind, count)| format!("{count} {kind} left for review"));
    let unusable = report.get("skipped").and_then(Value::as_u64).filter(|count| *count > 0);
    skipped.chain(review).chain(unusable.map(|count| format!("{count} records without a usable id skipped"))).collect()
}
