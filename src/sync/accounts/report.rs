//! What a run over account numbers did, or would do.

use serde::Serialize;

use super::plan::Left;
use crate::sync::{
    jobs::Ended,
    outbox::{Delivered, Entry},
    plan::{Action, FieldChange, Item, Kind, State},
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

    /// Adds something that a person has to sort out.
    pub fn conflict(&mut self, left: &Left) {
        self.items.push(item(left, Action::Review));
        self.conflicts.push(format!("{}: {}", left.label, left.why));
    }

    /// Adds something to know.
    pub fn note(&mut self, left: &Left) {
        self.notes.push(format!("{}: {}", left.label, left.why));
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

fn item(left: &Left, action: Action) -> Item {
    let mut item = Item::new(Kind::Company, action, &left.label, left.why.as_str()).from_vendor(&left.department);
    item.entity_id = left.company;
    item
}

/// What was written, where that is a company's; what was written of people is not for a job's log.
fn written(entry: &Entry) -> String {
    let of_company = matches!(entry.entity.as_deref(), None | Some("company"));
    let value = entry.wanted.values().next().filter(|_| of_company);
    value.map_or_else(|| "written".to_owned(), |value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}
