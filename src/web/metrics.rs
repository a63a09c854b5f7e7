//! Counts what is answered: how often, with which class of status, and how long it took. By route, never by address or caller.

use std::{
    collections::{BTreeSet, HashMap},
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::StatusCode,
    middleware::Next,
    response::Response,
};

use super::RouteInfo;

/// Upper bounds of the durations that are told apart, in microseconds.
const BOUNDS: [u64; 12] = [500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000, 30_000_000];
/// Classes of status; the last one had no answer: its caller left, or it took too long.
const CLASSES: [&str; 6] = ["1xx", "2xx", "3xx", "4xx", "5xx", "none"];
/// What stands in the place of a route for an address that has none.
const NO_ROUTE: &str = "none";

/// Requests since the start of this process.
#[derive(Debug)]
pub struct Requests {
    routes: HashMap<&'static str, [AtomicU64; CLASSES.len()]>,
    none: [AtomicU64; CLASSES.len()],
    reads: Durations,
    writes: Durations,
    under_way: AtomicU64,
}

#[derive(Debug, Default)]
struct Durations {
    buckets: [AtomicU64; BOUNDS.len()],
    count: AtomicU64,
    micros: AtomicU64,
}

impl Durations {
    fn add(&self, taken: Duration) {
        let micros = u64::try_from(taken.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = BOUNDS.iter().position(|bound| micros <= *bound).and_then(|index| self.buckets.get(index)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn write(&self, kind: &str, out: &mut String) {
        const NAME: &str = "codex_http_request_duration_seconds";
        let mut below = 0;
        for (bound, bucket) in BOUNDS.iter().zip(&self.buckets) {
            below += bucket.load(Ordering::Relaxed);
            line(out, format_args!("{NAME}_bucket{{kind=\"{kind}\",le=\"{}\"}} {below}", seconds(*bound)));
        }
        let (count, sum) = (self.count.load(Ordering::Relaxed).max(below), seconds(self.micros.load(Ordering::Relaxed)));
        line(out, format_args!("{NAME}_bucket{{kind=\"{kind}\",le=\"+Inf\"}} {count}"));
        line(out, format_args!("{NAME}_sum{{kind=\"{kind}\"}} {sum}"));
        line(out, format_args!("{NAME}_count{{kind=\"{kind}\"}} {count}"));
    }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of a process's life fit")]
fn seconds(micros: u64) -> f64 {
    micros as f64 / 1_000_000.0
}

/// A line of Prometheus's text format.
pub fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _never_fails = writeln!(out, "{text}");
}

/// What a metric is, before its values.
pub fn about(out: &mut String, name: &str, kind: &str, help: &str) {
    line(out, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
}

impl Requests {
    /// For these routes.
    #[must_use]
    pub fn of(table: &[RouteInfo]) -> Arc<Self> {
        let routes = table.iter().map(|route| (route.path, Default::default())).collect();
        let (reads, writes) = (Durations::default(), Durations::default());
        Arc::new(Self { routes, none: Default::default(), reads, writes, under_way: AtomicU64::new(0) })
    }

    /// Everything in Prometheus's text format.
    pub fn write(&self, out: &mut String) {
        about(out, "codex_http_requests_total", "counter", "Requests by route and class of status; none: there was no answer.");
        let routes: BTreeSet<_> = self.routes.keys().copied().collect();
        let counted = routes.into_iter().filter_map(|route| Some((route, self.routes.get(route)?)));
        for (route, classes) in counted.chain([(NO_ROUTE, &self.none)]) {
            for (class, count) in CLASSES.iter().zip(classes) {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    line(out, format_args!("codex_http_requests_total{{route=\"{route}\",status=\"{class}\"}} {count}"));
                }
            }
        }
        about(out, "codex_http_request_duration_seconds", "histogram", "Time until an answer began, for reads and writes.");
        self.reads.write("read", out);
        self.writes.write("write", out);
        about(out, "codex_http_requests_under_way", "gauge", "Requests whose answer has not begun.");
        line(out, format_args!("codex_http_requests_under_way {}", self.under_way.load(Ordering::Relaxed)));
    }
}

impl Requests {
    /// Counts a request that was sent the answer of another one, which this route had made.
    pub fn repeated(&self, route: Option<&MatchedPath>, status: StatusCode, since: Instant) {
        if let Some(count) = route.and_then(|route| self.routes.get(route.as_str())).unwrap_or(&self.none).get(class(status)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.reads.add(since.elapsed());
    }
}

/// Which of [`CLASSES`] a status is in.
fn class(status: StatusCode) -> usize {
    usize::from(status.as_u16() / 100).saturating_sub(1).min(CLASSES.len() - 2)
}

/// A request that is being counted; one that ends without an answer is, too.
struct Counted {
    requests: Arc<Requests>,
    route: Option<MatchedPath>,
    is_read: bool,
    since: Instant,
    class: usize,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let classes = self.route.as_ref().and_then(|route| self.requests.routes.get(route.as_str()));
        if let Some(count) = classes.unwrap_or(&self.requests.none).get(self.class) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let durations = if self.is_read { &self.requests.reads } else { &self.requests.writes };
        durations.add(self.since.elapsed());
        self.requests.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The middleware.
pub async fn count(State(requests): State<Arc<Requests>>, request: Request, next: Next) -> Response {
    requests.under_way.fetch_add(1, Ordering::Relaxed);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let is_read = request.method().is_safe();
    let mut counted = Counted { requests, route, is_read, since: Instant::now(), class: CLASSES.len() - 1 };
    let mut response = next.run(request).await;
    counted.class = class(response.status());
    if let Some(route) = &counted.route {
        response.extensions_mut().insert(route.clone());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_in_every_bucket_above_it() {
        let durations = Durations::default();
        durations.add(Duration::from_millis(3));
        durations.add(Duration::from_mins(1));
        let mut text = String::new();
        durations.write("read", &mut text);
        let value = |le: &str| {
            let wanted = format!("codex_http_request_duration_seconds_bucket{{kind=\"read\",le=\"{le}\"}} ");
            text.lines().find_map(|line| line.strip_prefix(&wanted)).unwrap().to_owned()
        };
        assert_eq!(["0.0025", "0.005", "30", "+Inf"].map(value), ["0", "1", "1", "2"]);
        assert!(text.contains("_sum{kind=\"read\"} 60.003\n") && text.contains("_count{kind=\"read\"} 2\n"), "{text}");
    }
}
