//! Counts what questions and changes cost the database: statements, plans made again, rows read for want of an index.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counts of this process; the engine's own threads and commands are not in them.
#[derive(Debug, Default)]
pub(super) struct Counts {
    statements: AtomicU64,
    plans_again: AtomicU64,
    scanned: AtomicU64,
}

/// What was counted until now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Statements that were run, without those of transactions.
    pub statements: u64,
    /// How often SQLite planned a kept statement again. A server tells nothing of that.
    pub plans_again: u64,
    /// Rows that SQLite stepped over in tables that it read whole. A server tells nothing of that.
    pub scanned: u64,
}

impl Counts {
    pub(super) fn statement(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }

    /// What SQLite tells of one use of a statement.
    pub(super) fn sqlite(&self, plans_again: i32, scanned: i32) {
        for (count, more) in [(&self.plans_again, plans_again), (&self.scanned, scanned)] {
            if let Some(more) = u64::try_from(more).ok().filter(|more| *more > 0) {
                count.fetch_add(more, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn cost(&self) -> Cost {
        let [statements, plans_again, scanned] =
            [&self.statements, &self.plans_again, &self.scanned].map(|count| count.load(Ordering::Relaxed));
        Cost { statements, plans_again, scanned }
    }
}
