//! When a running Codex has heard of what was written past it: it keeps answers until its next look at the database.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Longer than the pause between two looks at a file, and at a server.
const FILE: Duration = Duration::from_millis(25);
const SERVER: Duration = Duration::from_millis(150);

thread_local! {
    /// From when on what this test wrote elsewhere is known.
    static KNOWN_FROM: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Something was perhaps written by another program.
pub fn wrote(to_server: bool) {
    KNOWN_FROM.set(Some(Instant::now() + if to_server { SERVER } else { FILE }));
}

/// Waits until Codex has heard of it.
pub async fn until_heard() {
    if let Some(known_from) = KNOWN_FROM.take() {
        tokio::time::sleep_until(known_from.into()).await;
    }
}
