//! What a run that writes to vendors did, or would do.

use serde::Serialize;

use super::{Delivered, Entry};
use crate::{
    companies::Company,
    db::Write,
    error::Result,
    history::Record as _,
    jobs::{Ended, Job, runs_store},
    plan::{Action, FieldChange, Item, Kind, State},
    types::{Actor, Scope},
};

/// How many lines of a kind are said; the rest is in the JSON.
const SHOWN: usize = 50;

/// The report.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The run.
    pub run_id: i64,
    /// Whether nothing was written on purpose.
    pub dry_run: bool,
    /// What was looked at: departments, or sites.
    pub checked: usize,
    /// How many writes were planned.
    pub planned: usize,
    /// Companies that were made here because their department had none.
    pub created: usize,
    /// What the vendor has now, as was read back.
    pub done: Vec<Entry>,
    /// What a person has to decide.
    pub conflicts: Vec<String>,
    /// What the vendor refused.
    pub failed: Vec<String>,
    /// What will be tried again.
    pub waiting: Vec<String>,
    /// What to know besides.
    pub notes: Vec<String>,
    /// Why something could not be done now.
    pub problems: Vec<String>,
    /// Whether a person at the terminal said no.
    pub declined: bool,
    /// What it is about, in the plural: `departments`.
    #[serde(skip)]
    pub what: &'static str,
    /// What would be written, for people to look at first.
    #[serde(skip)]
    pub items: Vec<Item>,
}

impl Report {
    /// Takes over what a delivery did.
    pub fn deliver(&mut self, delivered: Delivered) {
        let told = |entry: &Entry| {
            let error = entry.error.clone().unwrap_or_default();
            format!("{} (outbox entry {}): {error}", entry.called(), entry.id)
        };
        self.conflicts.extend(delivered.conflicts.iter().map(told));
        self.failed.extend(delivered.failed.iter().map(told));
        self.waiting.extend(delivered.waiting.iter().map(told));
        self.notes.extend(delivered.warnings);
        self.problems.extend(delivered.problems);
        self.done.extend(delivered.done);
    }

    /// Adds something to be written.
    pub fn plan(&mut self, label: &str, external_id: &str, company: Option<i64>, reason: &str, change: FieldChange) {
        let mut item = Item::new(Kind::Company, Action::Update, label, reason).from_vendor(external_id);
        item.entity_id = company;
        item.fields.push(change);
        item.state = if self.dry_run { State::Noted } else { State::Pending };
        self.planned += 1;
        self.items.push(item);
    }

    /// The exit code (design §7).
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if !(self.problems.is_empty() && self.failed.is_empty() && self.waiting.is_empty()) {
            return 6;
        }
        if self.conflicts.is_empty() && !self.declined { 0 } else { 7 }
    }

    /// In a few lines for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines = vec![format!("{} {} checked", self.checked, self.what)];
        let writes = match (self.planned, self.dry_run, self.declined) {
            (0, ..) if !self.done.is_empty() => String::new(),
            (0, ..) => "nothing to write".to_owned(),
            (n, true, _) => format!("{n} to write, none written (dry run)"),
            (n, _, true) => format!("{n} to write, declined at the terminal"),
            (n, ..) => format!("{n} to write"),
        };
        lines.extend(Some(writes).filter(|line| !line.is_empty()));
        if self.created > 0 {
            lines.push(format!("{} companies created", self.created));
        }
        if !self.done.is_empty() {
            lines.push(format!("{} written and read back", self.done.len()));
            lines.extend(self.done.iter().take(SHOWN).map(|entry| format!("  {}: {}", entry.called(), written(entry))));
        }
        let groups = [
            ("for a person to decide:", &self.conflicts),
            ("refused:", &self.failed),
            ("will be tried again:", &self.waiting),
            ("to know:", &self.notes),
        ];
        for (heading, found) in groups.into_iter().filter(|(_, found)| !found.is_empty()) {
            lines.push(format!("{} {heading}", found.len()));
            lines.extend(found.iter().take(SHOWN).map(|line| format!("  {line}")));
            if found.len() > SHOWN {
                lines.push(format!("  … and {} more, see --json", found.len() - SHOWN));
            }
        }
        lines.extend(self.problems.iter().cloned());
        lines.join("\n")
    }

    /// How the job ended.
    #[must_use]
    pub fn ended(self) -> Ended {
        let exit_code = self.exit_code();
        let why = [&self.problems, &self.failed, &self.waiting].into_iter().flatten().cloned().collect::<Vec<_>>().join("; ");
        let problem = (exit_code == 6).then_some(why);
        let report = serde_json::to_value(&self).unwrap_or_default();
        Ended { text: self.text(), problem, exit_code, report, items: self.items }
    }
}

/// Ends the run as its result says, and makes that the end of the job.
///
/// # Errors
/// That of the run, or of the database.
pub async fn finish(job: &Job, run: i64, result: Result<Report>) -> Result<Ended> {
    let (status, error, summary) = match &result {
        Err(error) => ("failed", Some(error.to_string()), String::from("{}")),
        Ok(report) => {
            let ended = report.clone().ended();
            let status = match ended.exit_code {
                0 => "done",
                7 => "held",
                _ => "failed",
            };
            let counts = serde_json::json!({
                "checked": report.checked, "planned": report.planned, "created": report.created, "done": report.done.len(),
                "conflicts": report.conflicts.len(), "failed": report.failed.len(), "waiting": report.waiting.len(),
                "changes": report.done.len(),
            });
            (status, ended.problem, counts.to_string())
        }
    };
    let lease = job.lease.clone();
    let finish = move |w: &mut Write<'_>| runs_store::finish(w, &lease, run, status, error.as_deref(), &summary);
    job.db.write_bulk(&Scope::All, &Actor::system("accounts"), finish).await?;
    Ok(result?.ended())
}

/// What was written, where that is a company's; what was written of people is not for a job's log.
fn written(entry: &Entry) -> String {
    let of_company = entry.entity.as_deref().is_none_or(|entity| entity == Company::ENTITY);
    let value = entry.wanted.values().next().filter(|_| of_company);
    value.map_or_else(|| "written".to_owned(), |value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}
