//! Ends a command that is interrupted: what is queued is written, connections are closed, then it goes.

use std::{
    io::{self, IsTerminal as _, Write as _},
    process,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use tokio::signal::unix::{SignalKind, signal};

use crate::db;

/// Whether a signal has come.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Listens for SIGINT, SIGTERM and SIGHUP for the rest of the process; `codex serve` does so itself.
pub fn on_signal() {
    let _default_handling_stays = thread::Builder::new().name("signals".to_owned()).spawn(|| {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
        let number = runtime.block_on(async {
            let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()))
            else {
                return None;
            };
            tokio::select! {
                _ = interrupt.recv() => Some(2),
                _ = terminate.recv() => Some(15),
                _ = hangup.recv() => Some(1),
            }
        });
        if let Some(number) = number {
            ENDING.store(true, Ordering::SeqCst);
            if io::stderr().is_terminal() {
                // A question that was open has hidden the cursor.
                let _nobody_looks = write!(io::stderr(), "\x1b[?25h");
            }
            db::close_all();
            process::exit(128 + number);
        }
    });
}

/// The last thing a command does: nothing is left open, and a signal's exit code wins.
pub fn close() {
    while ENDING.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_secs(1));
    }
    db::close_all();
}
