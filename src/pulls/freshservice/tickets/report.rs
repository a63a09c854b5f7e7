//! What a run over the tickets did, or would do.

use serde::Serialize;
use serde_json::Value;

use super::pages_store::Page;
use crate::{
    jobs::Ended,
    plan::{Action, Item, Kind, State},
    progress::minutes,
    reconcile::{
        report::{self, Ending},
        ticket_losses_store::Loss,
    },
};

/// How many things are told one by one.
const SHOWN: usize = 50;
/// How many items of a dry run are told one by one.
const ITEMS: usize = 1000;

/// How far conversations and time sheets are.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Details {
    /// Tickets of which everything was read.
    pub read: u64,
    /// Those of which something differed.
    pub changed: u64,
    /// Tickets of which something could not be read; they wait for the next run.
    pub failed: u64,
    /// Tickets that wait, those that failed included.
    pub left: u64,
    /// How many minutes those will take, as far as that can be told.
    pub left_minutes: Option<u64>,
}

/// What became of the change requests.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Changes {
    /// How many the vendor listed.
    pub listed: u64,
    /// New rows.
    pub created: u64,
    /// Rows of which something changed.
    pub updated: u64,
    /// Whether the account has no change requests.
    pub absent: bool,
}

/// What a run did, or (a dry run) would do.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The run.
    pub run_id: i64,
    /// The plan, when rows are to be retired.
    pub plan_id: Option<i64>,
    /// Whether nothing was written on purpose.
    pub dry_run: bool,
    /// How it ended.
    pub ending: Ending,
    /// Whether every ticket was listed.
    pub full: bool,
    /// What was listed: everything that changed at or after this.
    pub since: String,
    /// Whether it went on where an interrupted run had stopped.
    pub resumed: bool,
    /// How many tickets were listed.
    pub listed: u64,
    /// New rows.
    pub created: u64,
    /// Rows of which something changed.
    pub updated: u64,
    /// Tombstones that came back.
    pub restored: u64,
    /// Rows that were as told.
    pub unchanged: u64,
    /// Rows of which somebody has pinned what the vendor says otherwise.
    pub pinned: u64,
    /// Tombstones that a person made, which stay.
    pub kept_retired: u64,
    /// Rows that were retired, or would be.
    pub retired: u64,
    /// Retirements and other changes that wait for approval.
    pub held: u64,
    /// Those that are no retirements.
    pub held_changes: u64,
    /// Why they wait.
    pub held_because: Option<String>,
    /// Tickets that found their company.
    pub housed: u64,
    /// How many rows changed, or would.
    pub changes: u64,
    /// Records without a usable id.
    pub skipped: u64,
    /// The first of them, in words.
    pub skipped_records: Vec<String>,
    /// Records with fields that could not be used.
    pub odd: u64,
    /// The first of them, in words.
    pub odd_records: Vec<String>,
    /// How many records had broken characters, which were replaced.
    pub cleaned: usize,
    /// The first of them, in words.
    pub cleaned_records: Vec<String>,
    /// Conversations and time entries that could not be used.
    pub odd_details: u64,
    /// Conversations and time sheets.
    pub details: Details,
    /// Change requests.
    pub change_requests: Changes,
    /// What was noticed and is no fault.
    pub notes: Vec<String>,
    /// What went wrong, without stopping the rest.
    pub problems: Vec<String>,
    /// How many requests had to be repeated.
    pub retries: u32,
    /// For a dry run, what tickets would lose.
    #[serde(skip)]
    pub losses: Vec<Loss>,
    /// For a dry run, what it would do.
    #[serde(skip)]
    pub items: Vec<Item>,
}

impl Report {
    /// Counts a page.
    pub fn add(&mut self, page: Page) {
        self.created += page.created;
        self.updated += page.updated;
        self.restored += page.restored;
        self.unchanged += page.unchanged;
        self.pinned += page.pinned;
        self.kept_retired += page.kept_retired;
        self.losses.extend(page.losses);
        let room = ITEMS.saturating_sub(self.items.len());
        self.items.extend(page.items.into_iter().take(room));
    }

    /// Notes a record without a usable id.
    pub fn skip(&mut self, what: String) {
        self.skipped += 1;
        if self.skipped_records.len() < SHOWN {
            self.skipped_records.push(what);
        }
    }

    /// Notes fields that could not be used.
    pub fn odd(&mut self, what: &str, fields: &[String]) {
        if fields.is_empty() {
            return;
        }
        self.odd += 1;
        if self.odd_records.len() < SHOWN {
            self.odd_records.push(format!("{what}: {}", fields.join("; ")));
        }
    }

    /// Notes something that went wrong at the vendor.
    pub fn problem(&mut self, what: String) {
        self.problems.push(what);
        self.ending = Ending::Upstream;
    }

    /// Sums up.
    pub fn total(&mut self) {
        let tickets = self.created + self.updated + self.restored + self.retired + self.housed + self.details.changed;
        self.changes = tickets + self.change_requests.created + self.change_requests.updated;
        if self.held > 0 && self.ending == Ending::Done && !self.dry_run {
            self.ending = Ending::Held;
        }
    }

    /// The run in a few lines for people.
    #[must_use]
    pub fn text(&self) -> String {
        let what = if self.full { "all of them".to_owned() } else { format!("changed since {}", self.since) };
        let mut lines = vec![format!("tickets: {} listed ({what}); {}", self.listed, self.counts())];
        let details = &self.details;
        if details.read + details.failed + details.left > 0 {
            let mut line = format!("conversations and time sheets: {} tickets read", details.read);
            if details.failed > 0 {
                line = format!("{line}, {} failed and stay as they were", details.failed);
            }
            if details.left > 0 {
                line = format!("{line}, {} left for the next run", details.left);
                if let Some(left) = details.left_minutes {
                    line = format!("{line} (about {})", minutes(left));
                }
            }
            lines.push(line);
        }
        let changes = &self.change_requests;
        if changes.listed > 0 {
            lines.push(format!(
                "change requests: {} listed; {} new, {} updated",
                changes.listed, changes.created, changes.updated
            ));
        }
        lines.push(match (self.changes, self.dry_run) {
            (0, _) => "0 changes".to_owned(),
            (n, true) => format!("{n} changes, none made (dry run)"),
            (n, false) => format!("{n} changes"),
        });
        if let Some(why) = self.held_because.as_ref().filter(|_| self.held > 0) {
            let what = if self.held_changes > 0 { "changes" } else { "retirements" };
            lines.push(format!("{} {what} wait for approval: {why}", self.held));
            if let Some(plan) = self.plan_id {
                lines.push(format!(
                    "look at them with `codex sync show {plan}`, then `codex sync approve {plan}` or `discard {plan}`"
                ));
            }
        }
        if self.skipped > 0 {
            lines.push(format!("{} records had no usable id and were skipped:", self.skipped));
            lines.extend(self.skipped_records.iter().map(|what| format!("  {what}")));
        }
        if self.odd > 0 {
            lines.push(format!("{} records had fields that were not as expected:", self.odd));
            lines.extend(self.odd_records.iter().take(10).map(|what| format!("  {what}")));
        }
        lines.extend(report::cleaned(self.cleaned, &self.cleaned_records));
        lines.extend(self.notes.iter().cloned());
        lines.extend(self.problems.iter().cloned());
        lines.join("\n")
    }

    fn counts(&self) -> String {
        let retired = if self.dry_run { "to retire" } else { "retired" };
        let counts = [
            (self.created, "new"),
            (self.updated, if self.dry_run { "to update" } else { "updated" }),
            (self.restored, "back again"),
            (self.retired, retired),
            (self.housed, "given to their company"),
            (self.pinned, "kept as pinned"),
            (self.kept_retired, "retired by a person, kept so"),
        ];
        let parts: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
        if parts.is_empty() { "up to date".to_owned() } else { parts.join(", ") }
    }

    /// The same for whoever decides at a terminal.
    #[must_use]
    pub fn for_asking(&self) -> report::Report {
        let mut asking =
            report::Report { kinds: vec![Kind::Ticket], run_id: self.run_id, plan_id: self.plan_id, ..report::Report::default() };
        asking.listed.insert(Kind::Ticket.plural(), usize::try_from(self.listed).unwrap_or(usize::MAX));
        asking
    }

    /// Counts what waits.
    pub fn count(&mut self, items: &[Item]) {
        let held = || items.iter().filter(|item| item.state == State::Held);
        self.held = held().count() as u64;
        self.held_changes = held().filter(|item| item.action == Action::Update).count() as u64;
    }

    /// The counts, for the run's and the plan's row.
    #[must_use]
    pub fn summary(&self) -> Value {
        let listed = serde_json::json!({ Kind::Ticket.plural(): self.listed });
        let counts = serde_json::json!({ Kind::Ticket.plural(): {
            Action::Create.as_str(): self.created, Action::Update.as_str(): self.updated + self.housed + self.held_changes,
            Action::Restore.as_str(): self.restored, Action::Retire.as_str(): self.retired + self.held - self.held_changes,
        } });
        serde_json::json!({
            "listed": listed, "counts": counts, "changes": self.changes, "held": self.held,
            "held_changes": self.held_changes, "skipped": self.skipped, "cleaned": self.cleaned,
            "problems": self.problems, "details": self.details, "change_requests": self.change_requests,
        })
    }

    /// The end of the job.
    #[must_use]
    pub fn ended(self) -> Ended {
        let problem = (self.ending == Ending::Upstream).then(|| self.problems.join("; "));
        Ended {
            text: self.text(),
            problem,
            exit_code: self.ending.exit_code(),
            report: serde_json::to_value(&self).unwrap_or_default(),
            items: self.items,
        }
    }
}
