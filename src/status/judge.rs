//! The judgement on a source: fine, late, failing, or too empty or too fast to be true.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::Source;

/// How often a source is expected when nothing says otherwise.
const USUAL_PERIOD: i64 = 86_400;
/// As many good runs are needed before one is compared with them.
const COMPARABLE: usize = 3;
/// Lists shorter than this prove nothing by being empty.
const NOTEWORTHY: u64 = 10;
/// Runs shorter than these seconds prove nothing by being fast.
const LONG: i64 = 20;
/// A run this many times faster than usual is suspicious.
const FAST: i64 = 10;

/// How a source stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = FreshnessState)]
pub enum State {
    /// As it should be.
    Ok,
    /// The last good run is older than twice the time between runs.
    Late,
    /// The last run failed.
    Failing,
    /// The last run found far less than those before it, or was far faster.
    Suspicious,
    /// No run has succeeded yet.
    Never,
}

impl State {
    /// The word for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Late => "late",
            Self::Failing => "failing",
            Self::Suspicious => "suspicious",
            Self::Never => "never",
        }
    }
}

/// How fresh one source's data is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Freshness {
    /// The job that brings it.
    pub source: String,
    /// What people call it.
    pub label: &'static str,
    /// How it stands.
    pub state: State,
    /// Why, in a sentence; empty when it stands well.
    pub detail: String,
    /// When the last run that could be trusted began; the data is as old as that.
    pub as_of: Option<String>,
    /// The same in seconds.
    pub age_seconds: Option<i64>,
    /// When it runs next by itself.
    pub next_run_at: Option<String>,
    /// How many seconds lie between runs.
    pub period_seconds: Option<i64>,
    /// When the newest run began.
    pub last_run_at: String,
    /// How it stands: `fetching`, `planning`, `applying`, `done`, `held`, `failed`, `interrupted`; empty
    /// when there was none.
    pub last_status: String,
    /// Why it failed.
    pub last_error: Option<String>,
}

/// One run, as far as it is judged.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// When it began.
    pub started_at: String,
    /// When it ended.
    pub finished_at: Option<String>,
    /// How it stands.
    pub status: String,
    /// Why it failed.
    pub error: Option<String>,
    /// Its counts.
    pub summary: Value,
}

impl Run {
    fn good(&self) -> bool {
        matches!(self.status.as_str(), "done" | "held")
    }

    fn failed(&self) -> bool {
        matches!(self.status.as_str(), "failed" | "interrupted")
    }

    fn seconds(&self) -> Option<i64> {
        let end: Timestamp = self.finished_at.as_deref()?.parse().ok()?;
        Some(end.as_second() - self.started_at.parse::<Timestamp>().ok()?.as_second())
    }

    fn listed(&self) -> impl Iterator<Item = (&str, u64)> {
        let listed = self.summary.get("listed").and_then(Value::as_object);
        listed.into_iter().flatten().filter_map(|(kind, count)| Some((kind.as_str(), count.as_u64()?)))
    }
}

/// What the schedule says of a source: the next run, and the time between runs.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// When it runs next.
    pub next_run_at: Option<String>,
    /// Seconds between runs.
    pub period_seconds: Option<i64>,
}

/// Judges a source by its newest runs, the newest first.
#[must_use]
pub fn judge(source: Source, runs: &[Run], expected: Expected, now: Timestamp) -> Freshness {
    let as_of = runs.iter().find(|run| run.good()).map(|run| run.started_at.clone());
    let age = as_of.as_deref().and_then(|at| at.parse::<Timestamp>().ok()).map(|at| (now.as_second() - at.as_second()).max(0));
    let ended = runs.iter().find(|run| run.good() || run.failed());
    let period = expected.period_seconds.unwrap_or(USUAL_PERIOD);
    let (state, detail) = match (ended, age) {
        (Some(run), _) if run.failed() => (State::Failing, run.error.clone().unwrap_or_else(|| "It broke off".to_owned())),
        (_, None) => (State::Never, "No run has succeeded yet".to_owned()),
        (_, Some(age)) if age > 2 * period => (State::Late, format!("The last good run is older than {}", words(2 * period))),
        _ => match suspicion(source, runs) {
            Some(why) => (State::Suspicious, why),
            None => (State::Ok, String::new()),
        },
    };
    let newest = runs.first().cloned().unwrap_or_default();
    Freshness {
        source: source.name.to_owned(),
        label: source.label,
        state,
        detail,
        as_of,
        age_seconds: age,
        next_run_at: expected.next_run_at,
        period_seconds: expected.period_seconds,
        last_run_at: newest.started_at,
        last_status: newest.status,
        last_error: newest.error,
    }
}

/// What is wrong with the newest good run, seen beside those before it.
fn suspicion(source: Source, runs: &[Run]) -> Option<String> {
    let mut good = runs.iter().filter(|run| run.good());
    let (newest, before): (&Run, Vec<&Run>) = (good.next()?, good.collect());
    if !source.whole || before.len() < COMPARABLE {
        return None;
    }
    let mut kinds: Vec<&str> = before.iter().flat_map(|run| run.listed().map(|(kind, _)| kind)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let of = |run: &Run, kind: &str| run.listed().find(|(known, _)| *known == kind).map(|(_, count)| count);
    for kind in kinds {
        let usual = median(before.iter().filter_map(|run| of(run, kind)).collect())?;
        let now = of(newest, kind).unwrap_or(0);
        if usual >= NOTEWORTHY && now * 2 < usual {
            return Some(format!("It listed {now} {kind}, where it usually lists {usual}"));
        }
    }
    let usual = median(before.iter().filter_map(|run| run.seconds()).collect())?;
    let took = newest.seconds()?;
    (usual >= LONG && took * FAST < usual).then(|| format!("It took {took} s, where it usually takes {usual} s"))
}

fn median<T: Ord + Copy>(mut values: Vec<T>) -> Option<T> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

fn words(seconds: i64) -> String {
    match seconds {
        s if s % 86_400 == 0 => format!("{} d", s / 86_400),
        s if s % 3_600 == 0 => format!("{} h", s / 3_600),
        s if s >= 120 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::SOURCES;
    use super::*;
    use serde_json::json;

    fn run(at: &str, end: &str, status: &str, contacts: u64) -> Run {
        Run {
            started_at: format!("2026-11-{at}:00Z"),
            finished_at: Some(format!("2026-11-{end}:00Z")),
            status: status.to_owned(),
            error: (status == "failed").then(|| "no".to_owned()),
            summary: json!({"listed": {"contacts": contacts, "companies": 3}}),
        }
    }

    fn state(runs: &[Run], period: Option<i64>) -> State {
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        judge(SOURCES[0], runs, Expected { next_run_at: None, period_seconds: period }, now).state
    }

    #[test]
    fn each_state_has_its_reason() {
        let past = |contacts| {
            ["20T10:00", "19T10:00", "18T10:00"].map(|at| run(at, &at.replace(":00", ":05"), "done", contacts)).to_vec()
        };
        let after = |newest: Run, contacts| [vec![newest], past(contacts)].concat();
        let fine = run("21T10:00", "21T10:05", "done", 100);
        assert_eq!(state(&[], None), State::Never);
        assert_eq!(state(&after(fine.clone(), 100), None), State::Ok);
        assert_eq!(state(&after(fine.clone(), 100), Some(300)), State::Late);
        assert_eq!(state(&past(100)[1..], None), State::Late, "two days are twice a day");
        assert_eq!(state(&after(run("21T10:00", "21T10:05", "failed", 0), 100), None), State::Failing);
        assert_eq!(state(&after(run("21T10:00", "21T10:05", "interrupted", 0), 100), None), State::Failing);
        assert_eq!(state(&after(run("21T10:00", "21T10:05", "applying", 0), 100), None), State::Ok, "it still runs");
        assert_eq!(state(&after(run("21T10:00", "21T10:05", "held", 0), 100), None), State::Suspicious);
        assert_eq!(state(&after(run("21T10:00", "21T10:05", "done", 49), 100), None), State::Suspicious);
        assert_eq!(state(&after(run("21T10:00", "21T10:05", "done", 1), 9), None), State::Ok, "too few to tell");
        assert_eq!(state(&after(run("21T10:00", "21T10:00", "done", 100), 100), None), State::Suspicious, "too fast");
        assert_eq!(state(&[run("21T10:00", "21T10:00", "failed", 0)], None), State::Failing);
    }
}
