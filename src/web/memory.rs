//! Gives back to the system what is free.
//!
//! The allocator keeps pages for a second after they were freed, and looks at those only when a thread that
//! has none left asks for one, or ends. After something large, and then silence, it would keep them for good.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

/// Longer than the allocator's second.
const LATER: Duration = Duration::from_millis(1_200);

static AWAITED: AtomicBool = AtomicBool::new(false);

/// Something large is about to be freed: a thread that ends a little later makes the allocator look.
pub fn tidy_later() {
    if AWAITED.swap(true, Ordering::AcqRel) {
        return;
    }
    let ends = thread::Builder::new().name("tidy".to_owned()).spawn(|| {
        thread::sleep(LATER);
        AWAITED.store(false, Ordering::Release);
        // What is freed between now and the next one is the next one's.
        thread::sleep(LATER);
    });
    if ends.is_err() {
        AWAITED.store(false, Ordering::Release);
    }
}
