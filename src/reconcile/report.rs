//! What a run did, or would do: counts for everybody, every item for whoever asks.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    error::Result,
    jobs::{Ended, Question},
    plan::{Action, Item, Kind, State},
    vendors::mend::Mended,
};

/// How a run ended; the command's exit code follows from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Everything was done.
    #[default]
    Done,
    /// Retirements wait for approval; the rest was done.
    Held,
    /// The vendor could not be read, or what it said proves nothing.
    Upstream,
    /// The plan no longer fits the data.
    Stale,
}

impl Ending {
    /// The exit code (design §7).
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Upstream => 6,
            Self::Held | Self::Stale => 7,
        }
    }
}

/// What a run did, or (a dry run) would do.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The kinds of rows that the run is about.
    #[serde(skip)]
    pub kinds: Vec<Kind>,
    /// What else there is to say, a line each.
    #[serde(skip)]
    pub beside: Vec<String>,
    /// The run.
    pub run_id: i64,
    /// The plan, when there was anything to plan.
    pub plan_id: Option<i64>,
    /// Whether nothing was applied on purpose.
    pub dry_run: bool,
    /// How it ended.
    pub ending: Ending,
    /// How many records each list had.
    pub listed: BTreeMap<&'static str, usize>,
    /// Kind → action → how many items.
    pub counts: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    /// How many rows change: everything but notes.
    pub changes: u64,
    /// How many items were applied, also those of an earlier run that broke off.
    pub applied: u64,
    /// How many changes wait for approval: retirements, and what would take too much away.
    pub held: u64,
    /// The kinds whose retirements are among them.
    pub held_kinds: std::collections::BTreeSet<&'static str>,
    /// Those that are no retirements, by kind.
    pub held_changes: BTreeMap<&'static str, u64>,
    /// Why they wait.
    pub held_because: Option<String>,
    /// How many records had no usable id.
    pub skipped: usize,
    /// The first of them, in words.
    pub skipped_records: Vec<String>,
    /// How many records had broken characters, which were replaced.
    pub cleaned: usize,
    /// The first of them, in words.
    pub cleaned_records: Vec<String>,
    /// How many alerts were news.
    pub alerts_changed: usize,
    /// What went wrong, without stopping the rest.
    pub problems: Vec<String>,
    /// How many requests had to be repeated.
    pub retries: u32,
}

/// What a report says of records that had broken characters.
#[must_use]
pub fn cleaned(count: usize, named: &[String]) -> Vec<String> {
    if count == 0 {
        return Vec::new();
    }
    let mut lines = vec![format!(
        "{count} {} broken characters, which were replaced:",
        if count == 1 { "record had" } else { "records had" }
    )];
    lines.extend(named.iter().map(|what| format!("  {what}")));
    lines
}

impl Report {
    /// What to ask a person at a terminal about these items.
    #[must_use]
    pub fn question<'q>(&'q self, items: &'q [Item]) -> Question<'q> {
        Question { items, text: self.text(), held_because: self.held_because.as_deref() }
    }

    /// How the job that made this report ended.
    #[must_use]
    pub fn ended(&self, items: Vec<Item>) -> Ended {
        let problem = (self.ending == Ending::Upstream).then(|| self.problems.join("; "));
        let report = serde_json::to_value(self).unwrap_or_default();
        Ended { text: self.text(), problem, exit_code: self.ending.exit_code(), report, items }
    }

    /// Counts the items of a plan, and nothing else.
    pub fn recount(&mut self, items: &[Item]) {
        (self.counts, self.changes, self.held, self.held_kinds, self.held_changes) = Default::default();
        self.count(items);
    }

    /// Counts these items too.
    pub fn count(&mut self, items: &[Item]) {
        for item in items {
            *self.counts.entry(item.kind.plural()).or_default().entry(item.action.as_str()).or_default() += 1;
            self.changes += u64::from(item.action.writes());
            if item.state == State::Held {
                self.held += 1;
                if item.action == Action::Retire {
                    self.held_kinds.insert(item.kind.plural());
                } else {
                    *self.held_changes.entry(item.kind.plural()).or_default() += 1;
                }
            }
        }
    }

    /// Nothing of it is done after all: everything waits.
    pub fn decline(&mut self) {
        self.held = self.changes;
        for (kind, actions) in &self.counts {
            let of = |action: Action| actions.get(action.as_str()).copied().unwrap_or(0);
            let others: u64 = Action::ALL.into_iter().filter(|action| action.writes() && *action != Action::Retire).map(of).sum();
            if of(Action::Retire) > 0 {
                self.held_kinds.insert(*kind);
            }
            if others > 0 {
                self.held_changes.insert(*kind, others);
            }
        }
    }

    /// Under which word a run is kept that ended so, and why when it failed.
    pub fn status<T>(result: &Result<T>, ending: Ending, problems: &[String]) -> (&'static str, Option<String>) {
        match result {
            Err(error) => ("failed", Some(error.to_string())),
            Ok(_) if ending == Ending::Upstream => ("failed", Some(problems.join("; "))),
            Ok(_) if ending == Ending::Held => ("held", None),
            Ok(_) => ("done", None),
        }
    }

    /// Takes back the count of an item of which nothing is left.
    pub fn uncount(&mut self, item: &Item) {
        if let Some(count) = self.counts.get_mut(item.kind.plural()).and_then(|actions| actions.get_mut(item.action.as_str())) {
            *count = count.saturating_sub(1);
        }
        self.changes = self.changes.saturating_sub(u64::from(item.action.writes()));
    }

    /// Takes over what a further part of the same run did.
    pub fn absorb(&mut self, part: Self) {
        for (kind, actions) in part.counts {
            let counts = self.counts.entry(kind).or_default();
            actions.into_iter().for_each(|(action, count)| *counts.entry(action).or_default() += count);
        }
        (self.changes, self.applied, self.held) =
            (self.changes + part.changes, self.applied + part.applied, self.held + part.held);
        self.held_kinds.extend(part.held_kinds);
        self.held_changes.extend(part.held_changes);
        self.plan_id = self.plan_id.filter(|_| part.held == 0 || self.held > part.held).or(part.plan_id).or(self.plan_id);
        self.held_because = match (self.held_because.take(), part.held_because) {
            (Some(first), Some(second)) => Some(format!("{first}; {second}")),
            (first, second) => first.or(second),
        };
        self.skipped += part.skipped;
        self.skipped_records.extend(part.skipped_records);
        self.problems.extend(part.problems);
        if self.ending == Ending::Done {
            self.ending = part.ending;
        }
    }

    /// Notes the records of a list that had no usable id.
    pub fn skip(&mut self, records: &[String]) {
        const SHOWN: usize = 50;
        self.skipped += records.len();
        let room = SHOWN.saturating_sub(self.skipped_records.len());
        self.skipped_records.extend(records.iter().take(room).cloned());
    }

    /// Notes the records that had broken characters.
    pub fn clean(&mut self, mended: &Mended) {
        (self.cleaned, self.cleaned_records) = (mended.count(), mended.named().to_vec());
    }

    /// How many items of this kind have this action.
    #[must_use]
    pub fn of(&self, kind: Kind, action: Action) -> u64 {
        self.counts.get(kind.plural()).and_then(|actions| actions.get(action.as_str())).copied().unwrap_or(0)
    }

    /// The counts, for the plan's row.
    #[must_use]
    pub fn summary(&self) -> Value {
        json!({
            "listed": self.listed, "counts": self.counts, "changes": self.changes, "held": self.held,
            "held_changes": self.held_changes.values().sum::<u64>(), "skipped": self.skipped,
            "cleaned": self.cleaned, "alerts_changed": self.alerts_changed, "problems": self.problems,
        })
    }

    /// The run in a few lines for people; also what a job keeps as its output.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        for kind in self.kinds.iter().copied() {
            let listed = self.listed.get(kind.plural()).map_or_else(|| "not read".to_owned(), |n| format!("{n} listed"));
            let parts: Vec<String> = Action::ALL
                .into_iter()
                .map(|action| (action, self.of(kind, action).saturating_sub(self.waiting(kind, action))))
                .filter(|(_, count)| *count > 0)
                .map(|(action, count)| format!("{count} {}", self.word(kind, action)))
                .chain(self.held_changes.get(kind.plural()).map(|count| format!("{count} waiting for approval")))
                .collect();
            let what = if parts.is_empty() { "up to date".to_owned() } else { parts.join(", ") };
            lines.push(format!("{}: {listed}; {what}", kind.plural()));
        }
        lines.extend(self.beside.iter().cloned());
        lines.push(match (self.changes, self.dry_run) {
            (0, _) => "0 changes".to_owned(),
            (n, true) => format!("{n} changes planned, none applied (dry run)"),
            (n, false) => format!("{n} changes planned, {} applied", self.applied),
        });
        if let (Some(why), Some(plan)) = (&self.held_because, self.plan_id) {
            let what = if self.held_kinds.is_empty() || !self.held_changes.is_empty() { "changes" } else { "retirements" };
            lines.push(format!("{} {what} wait for approval: {why}", self.held));
            lines.push(format!(
                "look at them with `codex sync show {plan}`, then `codex sync approve {plan}` or `discard {plan}`"
            ));
        }
        if self.skipped > 0 {
            lines.push(format!("{} records had no usable id and were skipped:", self.skipped));
            lines.extend(self.skipped_records.iter().map(|what| format!("  {what}")));
        }
        lines.extend(cleaned(self.cleaned, &self.cleaned_records));
        lines.extend(self.problems.iter().cloned());
        lines.join("\n")
    }

    /// How many changes of an action wait that are told by themselves.
    fn waiting(&self, kind: Kind, action: Action) -> u64 {
        if action == Action::Update { self.held_changes.get(kind.plural()).copied().unwrap_or(0) } else { 0 }
    }

    fn word(&self, kind: Kind, action: Action) -> &'static str {
        let waits = self.held_kinds.contains(&kind.plural());
        match (action, self.dry_run) {
            (Action::Create, _) => "new",
            (Action::Adopt, _) => "linked",
            (Action::Restore, _) => "back again",
            (Action::Update, true) => "to update",
            (Action::Update, false) => "updated",
            (Action::Retire, _) if waits => "that would be retired wait",
            (Action::Retire, true) => "to retire",
            (Action::Retire, false) => "retired",
            (Action::Pinned, _) => "kept as pinned",
            (Action::Review, _) => "to review",
            (Action::Skipped, _) => "with unusable fields",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declined_waits_and_is_told_by_kind() {
        let item = |kind, action| Item::new(kind, action, "x", "y");
        let mut report = Report { kinds: vec![Kind::Asset], plan_id: Some(7), ..Report::default() };
        report.listed.insert(Kind::Asset.plural(), 4);
        report.count(&[
            item(Kind::Asset, Action::Update),
            item(Kind::Asset, Action::Update),
            item(Kind::Asset, Action::Review),
            item(Kind::Asset, Action::Retire),
        ]);
        report.held_because = Some("declined at the terminal".to_owned());
        report.decline();
        assert_eq!((report.held, report.held_changes.get("assets"), report.held_kinds.len()), (3, Some(&2), 1));
        let text = report.text();
        assert!(text.contains("assets: 4 listed; 1 that would be retired wait, 1 to review, 2 waiting for approval"), "{text}");
        assert!(text.contains("3 changes wait for approval: declined at the terminal"), "{text}");
    }
}
