//! Turns records of the log into entries as Helm takes them.

use std::fmt;

use serde_json::{Map, Value, json};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

use super::Helm;

/// The longest message.
const MESSAGE: usize = 2_000;
/// The longest trace id that Helm's table holds.
const TRACE: usize = 36;

/// Hands every record that reaches it to Helm.
pub struct HelmLayer {
    helm: Helm,
    host: String,
}

impl HelmLayer {
    /// Over this way to Helm.
    #[must_use]
    pub fn new(helm: Helm) -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self { helm, host: host.trim().chars().take(100).collect() }
    }
}

impl<S: Subscriber> Layer<S> for HelmLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut seen = Seen::default();
        event.record(&mut seen);
        let context = serde_json::from_str(&seen.context).unwrap_or_else(|_| Value::Object(seen.others));
        self.helm.push(json!({
            "level": level(*event.metadata().level()),
            "message": seen.message.chars().take(MESSAGE).collect::<String>(),
            "timestamp": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string(),
            "context": context,
            "trace_id": seen.job.chars().take(TRACE).collect::<String>(),
            "hostname": self.host,
            "process_id": std::process::id(),
        }));
    }
}

/// As Helm's viewers spell it.
fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        _ => "DEBUG",
    }
}

/// The fields of one record.
#[derive(Default)]
struct Seen {
    message: String,
    job: String,
    context: String,
    others: Map<String, Value>,
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            "job" => value.clone_into(&mut self.job),
            "context" => value.clone_into(&mut self.context),
            other => {
                self.others.insert(other.to_owned(), value.into());
            }
        }
    }
}
