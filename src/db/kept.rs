//! Answers of statements that are dear and seldom change (totals, mostly), kept while the versions of the entities behind them
//! stay the same. The versions are read in the snapshot that asks, so an answer is never older than its snapshot, whoever wrote.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use super::value::{Row, Value};

/// How many answers are kept.
const MOST: usize = 1_024;
/// Answers of more rows are not kept.
const ROWS: usize = 64;
/// A question that is longer, with its values, is not kept.
const LONGEST: usize = 8 * 1024;

/// The version and the observations of each entity, as a snapshot has them.
pub(super) type Versions = Vec<(String, (i64, i64))>;

/// Those of the entities of a question, in its order.
pub(super) type Stamp = Vec<(i64, i64)>;

/// The answers that a process keeps, whichever thread asks.
#[derive(Debug, Default)]
pub(super) struct Kept {
    is_off: AtomicBool,
    answers: Mutex<HashMap<String, (Stamp, Vec<Row>)>>,
}

impl Kept {
    /// From now on nothing is kept.
    pub(super) fn turn_off(&self) {
        self.is_off.store(true, Ordering::Relaxed);
        self.answers().clear();
    }

    pub(super) fn is_off(&self) -> bool {
        self.is_off.load(Ordering::Relaxed)
    }

    /// What names a question, as the engine is sent it; none when it is too long.
    pub(super) fn question(entities: &[&str], sent: &str, params: &[Value]) -> Option<String> {
        let question = format!("{entities:?}{params:?}{sent}");
        (question.len() <= LONGEST).then_some(question)
    }

    /// The answer at these versions.
    pub(super) fn find(&self, question: &str, stamp: &Stamp) -> Option<Vec<Row>> {
        self.answers().get(question).filter(|(of, _)| of == stamp).map(|(_, rows)| rows.clone())
    }

    pub(super) fn keep(&self, question: String, stamp: Stamp, rows: &[Row]) {
        if rows.len() > ROWS || self.is_off() {
            return;
        }
        let mut answers = self.answers();
        if answers.len() >= MOST && !answers.contains_key(&question) {
            // Most of them are of versions that are past.
            answers.clear();
        }
        answers.insert(question, (stamp, rows.to_vec()));
    }

    fn answers(&self) -> MutexGuard<'_, HashMap<String, (Stamp, Vec<Row>)>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The versions of these entities; one that never changed has none.
pub(super) fn stamp(versions: &Versions, entities: &[&str]) -> Stamp {
    let of = |entity: &&str| versions.iter().find(|(known, _)| known == entity).map_or((0, 0), |(_, version)| *version);
    entities.iter().map(of).collect()
}
