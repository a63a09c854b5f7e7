//! Notes each reading of protected people's records: who read which, by which route, and when.
//!
//! While an answer is made, the policy (`compliance`) says which protected records it shows in the clear; the cache
//! keeps that beside an answer and says it again each time the answer is sent. What a request showed becomes rows
//! soon after its answer, and before the program ends. An answer without a body (304, a redirection) shows nothing.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use tokio::sync::{mpsc, oneshot};

use super::{Web, disclosures_store as store};
use crate::{
    auth::Caller,
    db::Db,
    types::{Actor, Scope, now},
};

/// How many readings may wait to be stored.
const WAITING: usize = 8_192;
/// How many become rows in one write, and for how long they are gathered.
const AT_ONCE: usize = 2_048;
const GATHERED: Duration = Duration::from_millis(100);
/// After how long a write that failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Every kind of record whose readings are noted, and the secrets of assets.
const NOTED: [&str; 8] = ["contact", "company", "asset", "ticket", "alert", "change_request", "bitlocker_key", "windows_key"];

/// The kind of this name.
#[must_use]
pub fn noted(name: &str) -> Option<&'static str> {
    NOTED.into_iter().find(|known| *known == name)
}

/// The protected records that an answer shows, by kind.
pub type Shown = BTreeMap<&'static str, BTreeSet<i64>>;

thread_local! {
    /// What the cached answer that this thread is making shows; none while it makes none.
    static MAKING: RefCell<Option<Shown>> = const { RefCell::new(None) };
}

tokio::task_local! {
    /// What the answer to this task's request shows.
    static REQUEST: Readings;
}

/// What one request has read; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Readings(Arc<Mutex<(Shown, Vec<Arc<Shown>>)>>);

impl Readings {
    /// Those of the request that this task answers; outside of one they lead nowhere.
    #[must_use]
    pub fn current() -> Self {
        REQUEST.try_with(Self::clone).unwrap_or_default()
    }

    /// Says that these protected records are shown: by the answer being made for the cache, else by this request's.
    pub fn note(&self, entity: &'static str, ids: impl IntoIterator<Item = i64>) {
        MAKING.with_borrow_mut(|making| match making {
            Some(shown) => add(shown, entity, ids),
            None => add(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).0, entity, ids),
        });
    }

    /// Says that this request is sent a kept answer, which shows these.
    pub fn repeat(&self, shown: &Arc<Shown>) {
        if !shown.is_empty() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).1.push(Arc::clone(shown));
        }
    }

    /// What this request's own answer has shown until now.
    #[must_use]
    pub fn so_far(&self) -> Shown {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    fn take(&self) -> Vec<Arc<Shown>> {
        let (own, mut kept) = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if !own.is_empty() {
            kept.push(Arc::new(own));
        }
        kept
    }
}

fn add(shown: &mut Shown, entity: &'static str, ids: impl IntoIterator<Item = i64>) {
    let mut ids = ids.into_iter().peekable();
    if ids.peek().is_some() {
        shown.entry(entity).or_default().extend(ids);
    }
}

/// Runs what makes an answer that is kept, and says which protected records it shows.
pub fn counted<T>(make: impl FnOnce() -> T) -> (T, Arc<Shown>) {
    let outer = MAKING.replace(Some(Shown::new()));
    let made = make();
    (made, Arc::new(MAKING.replace(outer).unwrap_or_default()))
}

/// One request's readings, on their way to the table.
#[derive(Debug)]
struct Reading {
    at: String,
    caller: Arc<Caller>,
    method: Method,
    route: Arc<str>,
    shown: Vec<Arc<Shown>>,
}

enum Message {
    Read(Reading),
    Flush(oneshot::Sender<()>),
}

/// Where readings become rows; clones share it.
#[derive(Clone, Default)]
pub struct Disclosures(Arc<OnceLock<mpsc::Sender<Message>>>);

impl Disclosures {
    fn sender(&self, db: &Db) -> &mpsc::Sender<Message> {
        self.0.get_or_init(|| {
            let (sender, receiver) = mpsc::channel(WAITING);
            tokio::spawn(keep(db.clone(), receiver));
            sender
        })
    }

    /// Waits until everything that was read so far is stored.
    pub async fn flush(&self) {
        let Some(sender) = self.0.get() else { return };
        let (done, stored) = oneshot::channel();
        if sender.send(Message::Flush(done)).await.is_ok() {
            let _nobody_keeps = stored.await;
        }
    }
}

/// Notes that this request shows a person a secret of an asset, protected or not; never what it is.
pub fn secret(caller: &str, asset: i64, secret: &'static str) {
    tracing::info!(caller, asset, secret, "disclosure: a secret was shown");
    Readings::current().note(secret, [asset]);
}

/// The middleware that follows what a request reads.
pub async fn follow(State(web): State<Web>, request: Request, next: Next) -> Response {
    let Some(caller) = request.extensions().get::<Arc<Caller>>().cloned() else { return next.run(request).await };
    let method = request.method().clone();
    let route: Arc<str> = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).into();
    let readings = Readings::default();
    let response = REQUEST.scope(readings.clone(), next.run(request)).await;
    let shown = readings.take();
    if shown.is_empty() || method == Method::HEAD || response.status().is_redirection() {
        return response;
    }
    let count: usize = shown.iter().flat_map(|shown| shown.values()).map(BTreeSet::len).sum();
    tracing::info!(caller = caller.name(), route = &*route, count, "disclosure: protected records were read unmasked");
    let reading = Reading { at: now(), caller, method, route, shown };
    if let Err(mpsc::error::TrySendError::Full(Message::Read(lost)) | mpsc::error::TrySendError::Closed(Message::Read(lost))) =
        web.disclosures.sender(&web.db).try_send(Message::Read(reading))
    {
        // The database has taken nothing for long: answers go on, and the log holds what the table cannot.
        tracing::warn!(caller = lost.caller.name(), method = %lost.method, route = &*lost.route, records = ?lost.shown, "disclosure: not stored");
    }
    response
}

/// Stores readings, those of a moment in one write. What cannot be stored is kept until it can.
async fn keep(db: Db, mut receiver: mpsc::Receiver<Message>) {
    while let Some(first) = receiver.recv().await {
        let (mut readings, mut waiting) = (Vec::new(), Vec::new());
        let until = tokio::time::Instant::now() + GATHERED;
        let mut next = Some(first);
        while let Some(message) = next.take() {
            match message {
                Message::Read(reading) => readings.push(reading),
                Message::Flush(done) => waiting.push(done),
            }
            if readings.len() < AT_ONCE && waiting.is_empty() {
                next = tokio::time::timeout_at(until, receiver.recv()).await.unwrap_or_default();
            }
        }
        let rows = Arc::new(rows(readings));
        let mut told = false;
        loop {
            let wanted = Arc::clone(&rows);
            if rows.is_empty() {
                break;
            }
            match db.write_bulk(&Scope::All, &Actor::system("disclosures"), move |w| store::add(w, &wanted)).await {
                Ok(()) => break,
                Err(error) if !told => {
                    tracing::warn!(%error, "disclosures cannot be stored just now; they are kept until they can");
                }
                Err(_) => {}
            }
            told = true;
            tokio::time::sleep(AGAIN).await;
        }
        for done in waiting {
            let _nobody_waits = done.send(());
        }
    }
}

fn rows(readings: Vec<Reading>) -> Vec<store::NewRow> {
    let mut alike: HashMap<(String, Method, Arc<str>, Vec<usize>), usize> = HashMap::new();
    let mut groups: Vec<(Reading, i64)> = Vec::new();
    for reading in readings {
        let which: Vec<usize> = reading.shown.iter().map(|shown| Arc::as_ptr(shown).addr()).collect();
        let who = format!("{}:{}", reading.caller.is_service(), reading.caller.name());
        match alike.entry((who, reading.method.clone(), Arc::clone(&reading.route), which)) {
            std::collections::hash_map::Entry::Occupied(known) => {
                if let Some((_, times)) = groups.get_mut(*known.get()) {
                    *times += 1;
                }
            }
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(groups.len());
                groups.push((reading, 1));
            }
        }
    }
    groups.iter().flat_map(|(reading, times)| one(reading, *times)).collect()
}

/// A row for each kind of record, with every record once.
fn one(reading: &Reading, times: i64) -> Vec<store::NewRow> {
    let mut together: BTreeMap<&'static str, BTreeSet<i64>> = BTreeMap::new();
    for (entity, ids) in reading.shown.iter().flat_map(|shown| shown.iter()) {
        together.entry(entity).or_default().extend(ids);
    }
    let row = |(entity, ids): (&'static str, BTreeSet<i64>)| store::NewRow {
        at: reading.at.clone(),
        caller_kind: if reading.caller.is_service() { "service" } else { "user" },
        caller: reading.caller.name().to_owned(),
        method: reading.method.to_string(),
        route: reading.route.to_string(),
        entity,
        ids: ids.into_iter().collect(),
        times,
    };
    together.into_iter().map(row).collect()
}
