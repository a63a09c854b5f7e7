//! Statements that take long are logged: how long, and the text as it was written, without the values it was asked with.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// The characters of a statement that are logged at most.
const SHOWN: usize = 2_000;

/// From how many milliseconds on a statement is logged; 0 for none. The log is the process's own, and so is this.
static SLOW_MS: AtomicU64 = AtomicU64::new(0);

/// From now on statements that take so long are logged; `None` for none.
pub fn log_slower_than(limit: Option<Duration>) {
    let millis = limit.map_or(0, |limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX).max(1));
    SLOW_MS.store(millis, Ordering::Relaxed);
}

/// Runs a statement, with what is made of its rows, and says so when it took long.
pub(super) fn watched<T>(sql: &str, run: impl FnOnce() -> T) -> T {
    let limit = SLOW_MS.load(Ordering::Relaxed);
    if limit == 0 {
        return run();
    }
    let began = Instant::now();
    let done = run();
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    if millis >= limit {
        tracing::warn!(duration_ms = millis, sql = shown(sql), "slow query");
    }
    done
}

/// In one line, and no longer than anybody reads.
pub(super) fn shown(sql: &str) -> String {
    let mut line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(SHOWN) {
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_statement_is_one_line_of_bounded_length() {
        assert_eq!(shown("SELECT 1\n   FROM\tx"), "SELECT 1 FROM x");
        assert_eq!(shown(&"é".repeat(5_000)).chars().count(), super::SHOWN + 1);
    }
}
