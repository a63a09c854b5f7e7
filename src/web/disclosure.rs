//! Notes each reading of protected people's data, also when the answer comes from the cache.
//!
//! Rooms say how many protected records an answer shows while they make it; the cache keeps that number
//! beside the answer, and it is logged each time the answer is sent.

use std::cell::Cell;

thread_local! {
    /// How many protected records the answer that this thread is making shows; none while it makes none.
    static SHOWN: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Runs what makes an answer, and says how many protected records it shows.
pub fn counted<T>(make: impl FnOnce() -> T) -> (T, usize) {
    let outer = SHOWN.replace(Some(0));
    let made = make();
    (made, SHOWN.replace(outer).unwrap_or_default())
}

/// Says that `caller` is shown so many protected records: now, or whenever the answer being made is sent.
pub fn shown(caller: &str, what: &str, count: usize) {
    match SHOWN.get() {
        _ if count == 0 => {}
        Some(before) => SHOWN.set(Some(before + count)),
        None => log(caller, what, count),
    }
}

/// Notes that a person was shown a secret of an asset; never what it is.
pub fn secret(caller: &str, asset: i64, secret: &str) {
    tracing::info!(caller, asset, secret, "disclosure: a secret was shown");
}

/// Writes the log line; never whose data it was.
pub fn log(caller: &str, what: &str, count: usize) {
    if count > 0 {
        tracing::info!(caller, what, count, "disclosure: protected records were read unmasked");
    }
}
