//! Gives the log of the runs to Helm: queued, in batches, and never at anybody's expense.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::helm_client::{Client, Outcome};
use crate::config::Config;

/// Entries of a batch.
const BATCH: usize = 10;
/// How long an entry waits for others.
const WAIT: Duration = Duration::from_secs(5);
/// Entries that wait while Helm is away; older ones are dropped.
const KEPT: usize = 500;
/// How often a batch that Helm does not want is offered.
const OFFERS: u32 = 3;
/// How long the end of the program waits for the last entries.
const FAREWELL: Duration = Duration::from_secs(3);

enum Message {
    Entry(Value),
    Flush(SyncSender<()>),
}

/// The way to Helm; clones share it.
#[derive(Clone)]
pub struct Helm {
    queue: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

impl Helm {
    /// Starts the thread that sends, when there are a Core and a Helm.
    #[must_use]
    pub fn start(config: &Config) -> Option<Self> {
        let (core, helm) = (config.core.url.as_deref()?, config.core.helm_url.as_deref()?);
        let client = Client::new(core, helm, &config.core.service_name)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        let (queue, waiting) = sync_channel(KEPT);
        let dropped = Arc::new(AtomicU64::new(0));
        let sender = Sender { client, runtime, waiting: VecDeque::new(), offers: 0, dropped: dropped.clone(), told: 0 };
        thread::Builder::new().name("helm".to_owned()).spawn(move || sender.run(&waiting)).ok()?;
        Some(Self { queue, dropped })
    }

    /// Queues an entry; when the queue is full it is dropped and counted.
    pub fn push(&self, entry: Value) {
        if self.queue.try_send(Message::Entry(entry)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many entries never reached Helm.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Sends what waits, for a short while at most.
    pub fn flush(&self) {
        let (done, wait) = sync_channel(1);
        if self.queue.try_send(Message::Flush(done)).is_ok() {
            let _sent_or_too_late = wait.recv_timeout(FAREWELL);
        }
    }
}

/// The thread's own: what waits, and how often its head was offered.
struct Sender {
    client: Client,
    runtime: tokio::runtime::Runtime,
    waiting: VecDeque<Value>,
    offers: u32,
    dropped: Arc<AtomicU64>,
    told: u64,
}

impl Sender {
    /// Until nobody can queue anything any more.
    fn run(mut self, queue: &Receiver<Message>) {
        let mut due: Option<Instant> = None;
        loop {
            let patience = due.map_or(Duration::from_hours(1), |due| due.saturating_duration_since(Instant::now()));
            match queue.recv_timeout(patience) {
                Ok(Message::Entry(entry)) => {
                    self.waiting.push_back(entry);
                    due.get_or_insert_with(|| Instant::now() + WAIT);
                    if self.waiting.len() == BATCH {
                        self.send();
                    }
                }
                Ok(Message::Flush(done)) => {
                    self.send();
                    if !self.waiting.is_empty() {
                        tracing::warn!(lost = self.waiting.len(), "Helm cannot be reached: log entries are lost at the end");
                    }
                    let _nobody_waits = done.send(());
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.send();
                    // What Helm did not take is offered again after the same wait.
                    due = Some(Instant::now() + WAIT);
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.waiting.is_empty() {
                due = None;
            }
        }
    }

    /// Sends batch after batch until nothing waits or Helm does not take them.
    fn send(&mut self) {
        while !self.waiting.is_empty() {
            let batch: Vec<Value> = self.waiting.iter().take(BATCH).cloned().collect();
            match self.runtime.block_on(self.client.send(&batch)) {
                Outcome::Kept => self.forget(batch.len(), false),
                // One bad entry spoils a batch, for ever.
                Outcome::Refused(_) if self.offers + 1 >= OFFERS => self.forget(batch.len(), true),
                Outcome::Refused(_) => {
                    self.offers += 1;
                    break;
                }
                Outcome::Away => break,
            }
        }
        let excess = self.waiting.len().saturating_sub(KEPT);
        if excess > 0 {
            self.forget(excess, true);
        }
        let dropped = self.dropped.load(Ordering::Relaxed);
        if dropped > self.told {
            tracing::warn!(dropped, "log entries did not reach Helm");
            self.told = dropped;
        }
    }

    fn forget(&mut self, count: usize, dropped: bool) {
        self.waiting.drain(..count.min(self.waiting.len()));
        self.offers = 0;
        if dropped {
            self.dropped.fetch_add(count as u64, Ordering::Relaxed);
        }
    }
}
