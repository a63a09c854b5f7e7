//! The log: to stderr, one line a record, without colours where nobody sees them.

use tracing_subscriber::{EnvFilter, fmt};

use super::out;

/// Starts logging at a level, or with a filter of tracing's own syntax.
pub fn start(level: &str) {
    // The libraries' own debug output is of use to nobody who runs a server.
    let filter = match level {
        "debug" | "trace" => EnvFilter::new(format!("info,codex={level},refinery_core=warn")),
        _ => EnvFilter::new(format!("{level},refinery_core=warn")),
    };
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(out::coloured_err()).with_target(false);
    // A second start in one process (tests) keeps the first.
    let _already = lines.try_init();
}
