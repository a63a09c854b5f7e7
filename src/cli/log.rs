//! The log: to stderr, one line a record, without colours where nobody sees them; on the platform the
//! records of the runs go to Helm instead, which reads stderr, too.

use std::sync::OnceLock;

use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter::filter_fn, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use super::out;
use crate::{
    config::Config,
    jobs::run_log::TARGET,
    platform::{Helm, HelmLayer},
};

/// Libraries whose own news are of no use to anybody: the steps of migrations, the notices of PostgreSQL.
const QUIET: &str = "refinery_core=warn,postgres=warn,tokio_postgres=warn";

/// The way to Helm of this process, as the log is the process's own.
static HELM: OnceLock<Helm> = OnceLock::new();

/// Starts logging at a level, or with a filter of tracing's own syntax. A command that tells the outcome of
/// a run itself keeps the run's records out of stderr: everything is said once.
pub fn start(config: &Config, level: &str, tells_itself: bool) {
    // The libraries' own debug output is of use to nobody who runs a server.
    let filter = match level {
        "debug" | "trace" => EnvFilter::new(format!("info,codex={level},{QUIET}")),
        _ => EnvFilter::new(format!("{level},{QUIET}")),
    };
    let helm = Helm::start(config);
    let to_helm = helm.is_some();
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(false);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = if config.server.log_json {
        lines.json().flatten_event(true).with_span_list(false).boxed()
    } else {
        lines.with_ansi(out::coloured_err()).boxed()
    };
    let lines =
        lines.with_filter(filter).with_filter(filter_fn(move |record| !(to_helm || tells_itself) || record.target() != TARGET));
    let runs = helm.clone().map(|helm| HelmLayer::new(helm).with_filter(filter_fn(|record| record.target() == TARGET)));
    // A second start in one process (tests) keeps the first.
    if tracing_subscriber::registry().with(lines).with(runs).try_init().is_ok()
        && let Some(helm) = helm
    {
        let _only_the_first = HELM.set(helm);
    }
}

/// Sends what still waits for Helm; called when the program is about to end.
pub fn flush() {
    if let Some(helm) = HELM.get() {
        helm.flush();
    }
}
