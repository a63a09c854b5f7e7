//! Notes each reading of protected people's records: who read which, by which route, and when.
//!
//! While an answer is made, the policy (`compliance`) says which protected records it shows in the clear; the cache
//! keeps that beside an answer and says it again each time the answer is sent. What a request showed becomes rows
//! soon after its answer, and before the program ends. An answer without a body (304, a redirection) shows nothing.
//! What waits to be stored is bounded in bytes; past that, what would show a protected record is not answered.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry},
    mem,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::Duration,
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use tokio::{
    sync::{Notify, oneshot},
    time::{Instant, sleep},
};

use super::{
    Web,
    answers::Noted,
    budget::{Budget, Share},
    disclosures_store as store,
    text::{self, Spare},
};
use crate::{
    auth::Caller,
    db::Db,
    error::{Error, Result},
    types::{Actor, Scope, now},
};

/// For how long readings are gathered for one write.
const GATHERED: Duration = Duration::from_millis(100);
/// How many readings become rows at once, and with how many records together.
const AT_ONCE: usize = 2_048;
const RECORDS: usize = 50_000;
/// After how long a write that failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long an answer waits for room to note who reads it, and how often it looks.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(20);
/// What a reading takes beside the records it names.
const READING: usize = 512;

/// What is read beside records of the registry and noted: observations, and the secrets of assets and licences.
const BESIDE: [&str; 4] = ["alert", "bitlocker_key", "windows_key", "license_key"];

/// The nouns of the registry.
static NOUNS: OnceLock<Vec<&'static str>> = OnceLock::new();

/// Says which nouns there are, before anything is read; the first call counts.
pub fn register(nouns: impl Iterator<Item = &'static str>) {
    NOUNS.get_or_init(|| nouns.collect());
}

/// The kind of this name whose readings are noted.
#[must_use]
pub fn noted(name: &str) -> Option<&'static str> {
    let nouns = NOUNS.get().map(Vec::as_slice).unwrap_or_default();
    nouns.iter().chain(&BESIDE).copied().find(|known| *known == name)
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

/// Numbers in rising order, each as how much it is more than the one before: most take one byte.
#[derive(Debug)]
struct Ids {
    bytes: Box<[u8]>,
    count: usize,
}

impl Ids {
    fn new(ids: &BTreeSet<i64>) -> Self {
        let (mut bytes, mut before) = (Vec::new(), 0_i64);
        for id in ids {
            let mut more = id.wrapping_sub(mem::replace(&mut before, *id)).cast_unsigned();
            while more >= 0x80 {
                bytes.push(more.to_le_bytes()[0] | 0x80);
                more >>= 7;
            }
            bytes.push(more.to_le_bytes()[0]);
        }
        Self { bytes: bytes.into_boxed_slice(), count: ids.len() }
    }

    fn iter(&self) -> impl Iterator<Item = i64> {
        let (mut more, mut shift, mut id) = (0_u64, 0, 0_i64);
        self.bytes.iter().filter_map(move |byte| {
            more |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 != 0 {
                return None;
            }
            id = id.wrapping_add(mem::take(&mut more).cast_signed());
            shift = 0;
            Some(id)
        })
    }
}

/// The protected records that a finished answer shows, in few bytes.
#[derive(Debug, Default)]
pub struct Kept {
    kinds: Vec<(&'static str, Ids)>,
    _share: Option<Share>,
}

impl Kept {
    fn new(shown: &Shown) -> Self {
        Self { kinds: shown.iter().map(|(entity, ids)| (*entity, Ids::new(ids))).collect(), _share: None }
    }

    /// The same for an answer that is kept, which counts against this budget.
    ///
    /// # Errors
    /// `Unavailable` when too much is held already.
    pub fn within(shown: &Shown, budget: &Budget, spare: &dyn Spare) -> Result<Self> {
        let kept = Self::new(shown);
        let share = budget.take(kept.bytes()).or_else(|| {
            spare.make_room(kept.bytes());
            budget.take(kept.bytes())
        });
        Ok(Self { _share: Some(share.ok_or_else(text::no_room)?), ..kept })
    }

    /// How many bytes of memory it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.kinds.iter().map(|(_, ids)| ids.bytes.len() + mem::size_of::<(&str, Ids)>()).sum()
    }

    fn count(&self) -> usize {
        self.kinds.iter().map(|(_, ids)| ids.count).sum()
    }
}

/// What one request has read; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Readings(Arc<Mutex<(Shown, Vec<Arc<Kept>>)>>);

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
    pub fn repeat(&self, shown: &Arc<Kept>) {
        if !shown.kinds.is_empty() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).1.push(Arc::clone(shown));
        }
    }

    /// What this request's own answer has shown until now.
    #[must_use]
    pub fn so_far(&self) -> Shown {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    fn take(&self) -> Vec<Arc<Kept>> {
        let (own, mut kept) = mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if !own.is_empty() {
            kept.push(Arc::new(Kept::new(&own)));
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
pub fn counted<T>(make: impl FnOnce() -> T) -> (T, Shown) {
    let outer = MAKING.replace(Some(Shown::new()));
    let made = make();
    (made, MAKING.replace(outer).unwrap_or_default())
}

/// Who reads, and how.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Reader {
    at: String,
    kind: &'static str,
    name: String,
    method: Method,
    route: Arc<str>,
}

/// Readings that are alike, on their way to the table.
#[derive(Debug)]
struct Reading {
    reader: Reader,
    shown: Vec<Arc<Kept>>,
    times: i64,
    /// What it takes beside what others that wait have already.
    bytes: usize,
}

impl Reading {
    fn records(&self) -> usize {
        self.shown.iter().map(|shown| shown.count()).sum()
    }
}

/// What waits to be stored.
#[derive(Default)]
struct Waiting {
    readings: Vec<Reading>,
    /// Where those are that read these sets.
    alike: HashMap<(Reader, Vec<usize>), usize>,
    /// The sets among them, which several may share.
    sets: BTreeSet<usize>,
    /// How much all of it takes, with what is being stored just now.
    bytes: usize,
    /// Who wants to know when all of it is stored.
    asking: Vec<oneshot::Sender<()>>,
}

impl Waiting {
    /// Adds a reading if it fits; what waits alone always does.
    fn add(&mut self, reader: &Reader, shown: &[Arc<Kept>], most: usize) -> bool {
        let which: Vec<usize> = shown.iter().map(|shown| Arc::as_ptr(shown).addr()).collect();
        let new: usize = shown.iter().zip(&which).filter(|(_, at)| !self.sets.contains(at)).map(|(shown, _)| shown.bytes()).sum();
        let key = (reader.clone(), which);
        if let Some(known) = self.alike.get(&key).and_then(|index| self.readings.get_mut(*index)) {
            known.times += 1;
            return true;
        }
        let bytes = READING + new;
        if self.bytes > 0 && self.bytes + bytes > most {
            return false;
        }
        self.bytes += bytes;
        self.sets.extend(&key.1);
        if let Entry::Vacant(free) = self.alike.entry(key) {
            free.insert(self.readings.len());
        }
        self.readings.push(Reading { reader: reader.clone(), shown: shown.to_vec(), times: 1, bytes });
        true
    }

    fn take(&mut self) -> (Vec<Reading>, Vec<oneshot::Sender<()>>) {
        self.alike.clear();
        self.sets.clear();
        (mem::take(&mut self.readings), mem::take(&mut self.asking))
    }
}

/// What all who note readings share.
struct Shared {
    waiting: Mutex<Waiting>,
    most: usize,
    /// Something waits; somebody wants it stored now.
    news: Arc<Notify>,
    haste: Arc<Notify>,
    keeper: OnceLock<()>,
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.news.notify_one();
    }
}

/// Where readings become rows; clones share it.
#[derive(Clone)]
pub struct Disclosures(Arc<Shared>);

impl Disclosures {
    /// Keeps so many bytes of readings that are not stored yet.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let (waiting, news, haste, keeper) = Default::default();
        Self(Arc::new(Shared { waiting, most, news, haste, keeper }))
    }

    /// Notes a reading; false when there is no room for it for long, because the database takes no writes. What a
    /// change shows may take as much again: it was made, and the database took it.
    async fn note(&self, db: &Db, reader: &Reader, shown: &[Arc<Kept>]) -> bool {
        let shared = &self.0;
        shared.keeper.get_or_init(|| {
            tokio::spawn(keep(db.clone(), Arc::downgrade(shared)));
        });
        let most = if reader.method.is_safe() { shared.most } else { shared.most.saturating_mul(2) };
        let until = Instant::now() + PATIENCE;
        while !shared.waiting().add(reader, shown, most) {
            if Instant::now() >= until {
                return false;
            }
            sleep(LOOK).await;
        }
        shared.news.notify_one();
        true
    }

    /// Waits until everything that was read so far is stored.
    pub async fn flush(&self) {
        if self.0.keeper.get().is_none() {
            return;
        }
        let (done, stored) = oneshot::channel();
        self.0.waiting().asking.push(done);
        self.0.haste.notify_one();
        self.0.news.notify_one();
        let _nobody_keeps = stored.await;
    }
}

/// Notes that this request shows a person a secret of an asset, protected or not; never what it is.
pub fn secret(caller: &str, record: i64, secret: &'static str) {
    tracing::info!(caller, record, secret, "disclosure: a secret was shown");
    Readings::current().note(secret, [record]);
}

/// The middleware that follows what a request reads. Nobody is shown a protected record without a trace: when there is
/// no room for one, because the database has taken nothing for long, the answer waits a little and is then refused.
pub async fn follow(State(web): State<Web>, request: Request, next: Next) -> Response {
    let Some(caller) = request.extensions().get::<Arc<Caller>>().cloned() else { return next.run(request).await };
    let method = request.method().clone();
    let route: Arc<str> = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).into();
    let readings = Readings::default();
    let mut response = REQUEST.scope(readings.clone(), next.run(request)).await;
    let shown = readings.take();
    if shown.is_empty() || response.status().is_redirection() {
        return response;
    }
    let count: usize = shown.iter().map(|shown| shown.count()).sum();
    let reader = Reader { at: now(), kind: caller.kind().as_str(), name: caller.name().to_owned(), method, route };
    if !web.disclosures.note(&web.db, &reader, &shown).await {
        tracing::warn!(caller = caller.name(), route = &*reader.route, count, "disclosure: refused, it could not be noted");
        return Error::Unavailable("who reads protected records cannot be noted just now; try again".to_owned()).into_response();
    }
    tracing::info!(caller = caller.name(), route = &*reader.route, count, "disclosure: protected records were read unmasked");
    response.extensions_mut().insert(Noted);
    // Who asks next what was read is told of this, although it is not stored yet.
    drop(web.answers.changing());
    response
}

/// Stores readings, those of a moment in one write. What cannot be stored is kept until it can.
async fn keep(db: Db, shared: Weak<Shared>) {
    let Some((news, haste)) = shared.upgrade().map(|shared| (Arc::clone(&shared.news), Arc::clone(&shared.haste))) else {
        return;
    };
    loop {
        news.notified().await;
        if shared.strong_count() > 0 {
            let _asked_for = tokio::time::timeout(GATHERED, haste.notified()).await;
        }
        let Some(taken) = shared.upgrade().map(|shared| shared.waiting().take()) else { return };
        let (mut readings, asking) = taken;
        while !readings.is_empty() {
            let mut records = 0;
            let fits = readings.iter().take(AT_ONCE).take_while(|reading| {
                let before = records;
                records += reading.records();
                before == 0 || records <= RECORDS
            });
            let rest = readings.split_off(fits.count());
            let some = mem::replace(&mut readings, rest);
            put(&db, Arc::new(some.iter().flat_map(rows).collect())).await;
            let Some(shared) = shared.upgrade() else { return };
            shared.waiting().bytes -= some.iter().map(|reading| reading.bytes).sum::<usize>();
        }
        for done in asking {
            let _nobody_waits = done.send(());
        }
    }
}

/// Stores rows, as soon as the database takes them.
async fn put(db: &Db, rows: Arc<Vec<store::NewRow>>) {
    let mut told = false;
    loop {
        let wanted = Arc::clone(&rows);
        match db.write_bulk(&Scope::All, &Actor::system("disclosures"), move |w| store::add(w, &wanted)).await {
            Ok(()) => return,
            Err(error) if !told => {
                tracing::warn!(%error, "disclosures cannot be stored just now; they are kept until they can");
            }
            Err(_) => {}
        }
        told = true;
        sleep(AGAIN).await;
    }
}

/// A row for each kind of record, with every record once.
fn rows(reading: &Reading) -> Vec<store::NewRow> {
    let Reading { reader, shown, times, .. } = reading;
    let mut together: BTreeMap<&'static str, BTreeSet<i64>> = BTreeMap::new();
    for (entity, ids) in shown.iter().flat_map(|shown| &shown.kinds) {
        together.entry(entity).or_default().extend(ids.iter());
    }
    let row = |(entity, ids): (&'static str, BTreeSet<i64>)| store::NewRow {
        at: reader.at.clone(),
        caller_kind: reader.kind,
        caller: reader.name.clone(),
        method: reader.method.to_string(),
        route: reader.route.to_string(),
        entity,
        ids: ids.into_iter().collect(),
        times: *times,
    };
    together.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(ids: impl IntoIterator<Item = i64>) -> Arc<Kept> {
        Arc::new(Kept::new(&Shown::from([("contact", ids.into_iter().collect())])))
    }

    #[test]
    fn ids_are_few_bytes_and_come_back_as_they_were() {
        for ids in [vec![], vec![1, 2, 3, 130, 131, 1_000_000, i64::MAX], vec![i64::MIN, -5, 0, 7, i64::MAX]] {
            assert_eq!(Ids::new(&ids.iter().copied().collect()).iter().collect::<Vec<_>>(), ids);
        }
        let many = kept(1..=18_000);
        assert!(many.bytes() < 18_200 && many.count() == 18_000, "{} bytes", many.bytes());
    }

    #[test]
    fn what_waits_is_bounded_and_what_is_alike_waits_once() {
        let reader = |route: &str| Reader {
            at: "2026-01-01T00:00:00Z".to_owned(),
            kind: "user",
            name: "ada".to_owned(),
            method: Method::GET,
            route: route.into(),
        };
        let (mut waiting, most) = (Waiting::default(), 40_000);
        let shown = [kept(1..=18_000)];
        assert!((0..1_000).all(|_| waiting.add(&reader("/a"), &shown, most)));
        // Another route that shows the same set adds little; another set does not fit a second time.
        assert!(waiting.add(&reader("/b"), &shown, most));
        assert!(waiting.add(&reader("/c"), &[kept(1..=18_000)], most));
        assert!(!waiting.add(&reader("/d"), &[kept(1..=18_000)], most) && waiting.bytes <= most);
        let (readings, _) = waiting.take();
        assert_eq!(readings.iter().map(|reading| reading.times).collect::<Vec<_>>(), [1_000, 1, 1]);
        assert_eq!(readings.iter().map(|reading| reading.bytes).sum::<usize>(), waiting.bytes);
        assert_eq!(rows(&readings[1])[0].ids, (1..=18_000).collect::<Vec<_>>());
    }
}
