//! Delivering what the outbox holds: mark, send, read back. An entry whose request may have left is asked
//! about first, so that nothing is written twice, whatever was killed in between.

use std::{sync::Arc, time::Duration};

use super::{
    decide::{self, Next},
    delivered,
    model::{Entry, Operation, State, Values},
    store,
    turn::Turn,
    vendors::{Sight, Vendors},
};
use crate::{
    db::{Db, Write},
    error::Result,
    jobs::lease_store::check_lease,
    progress::Progress,
    types::{Actor, Scope},
    vendors::fault::{Cause, Fault},
};

/// Requests of one entry in one delivery.
const SENDS: u32 = 5;
/// Requests of one entry over all deliveries.
const MOST_ATTEMPTS: i64 = 25;
/// How long a request that may have left is given to arrive before the vendor is asked.
const SETTLING: Duration = Duration::from_millis(1500);
/// Looks at a record that the vendor says it has written, until it shows that.
const LOOKS: u32 = 4;
/// Seconds until an entry is tried again when its vendor cannot be asked.
const AWAY_SECONDS: i64 = 60;
/// Seconds until an entry is tried again whose outcome stayed unknown.
const DOUBT_SECONDS: i64 = 300;

/// What a delivery did, by entry.
#[derive(Clone, Debug, Default)]
pub struct Delivered {
    /// The vendor has it, as was read back.
    pub done: Vec<Entry>,
    /// The vendor has something else.
    pub conflicts: Vec<Entry>,
    /// Refused, or tried too often.
    pub failed: Vec<Entry>,
    /// Not now.
    pub waiting: Vec<Entry>,
    /// What to know although it went well.
    pub warnings: Vec<String>,
    /// Why something could not be delivered now.
    pub problems: Vec<String>,
}

impl Delivered {
    /// Adds what another delivery did.
    pub fn extend(&mut self, other: Self) {
        self.done.extend(other.done);
        self.conflicts.extend(other.conflicts);
        self.failed.extend(other.failed);
        self.waiting.extend(other.waiting);
        self.warnings.extend(other.warnings);
        self.problems.extend(other.problems);
    }
}

/// One delivery.
pub struct Delivery {
    pub db: Db,
    /// Proof that nobody else delivers.
    pub turn: Turn,
    /// Who is asked.
    pub vendors: Vendors,
    /// The run that the changes belong to, when the entry names none.
    pub run_id: Option<i64>,
    /// Where to say how far we are.
    pub progress: Arc<Progress>,
}

/// Where an entry ended.
enum End {
    Done,
    Conflict,
    Failed,
    Waiting,
    /// The vendor cannot be asked now: its other entries need not be tried.
    Away(String),
    /// Somebody decided otherwise meanwhile.
    Elsewhere,
}

impl Delivery {
    /// Delivers what is due, or these entries whether they are due or not.
    ///
    /// # Errors
    /// Those of the database; `Conflict` when the turn passed to another.
    pub async fn run(&self, only: Option<Vec<i64>>) -> Result<Delivered> {
        let total = match &only {
            Some(ids) => i64::try_from(ids.len()).unwrap_or(0),
            None => self.db.read(&Scope::All, store::due).await?,
        };
        let mut delivered = Delivered::default();
        if total == 0 {
            return Ok(delivered);
        }
        self.progress.begin("writing to the vendor", u64::try_from(total).ok());
        let (mut after, mut away) = (0, Vec::new());
        loop {
            let ids = only.clone();
            let Some(entry) = self.db.read(&Scope::All, move |c| store::next_due(c, after, ids)).await? else {
                return Ok(delivered);
            };
            after = entry.id;
            self.progress.add(1);
            let id = entry.id;
            if away.contains(&entry.system) {
                delivered.waiting.push(entry);
                continue;
            }
            let system = entry.system.clone();
            let end = self.one(entry, &mut delivered.warnings).await?;
            let entry = self.read(id).await?;
            match end {
                End::Done => delivered.done.push(entry),
                End::Conflict => delivered.conflicts.push(entry),
                End::Failed => delivered.failed.push(entry),
                End::Waiting => delivered.waiting.push(entry),
                End::Away(why) => {
                    delivered.problems.push(why);
                    away.push(system);
                    delivered.waiting.push(entry);
                }
                End::Elsewhere => {}
            }
        }
    }

    /// One short transaction that proves the turn first.
    async fn write<T: Send + 'static>(
        &self,
        actor: &Actor,
        work: impl FnOnce(&mut Write<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = self.turn.lease().clone();
        let proven = move |w: &mut Write<'_>| {
            check_lease(w, &turn)?;
            work(w)
        };
        self.db.write(&Scope::All, actor, proven).await
    }

    async fn read(&self, id: i64) -> Result<Entry> {
        self.db.read(&Scope::All, move |c| Ok(store::get(c, id)?.reveal())).await
    }

    async fn one(&self, mut entry: Entry, warnings: &mut Vec<String>) -> Result<End> {
        if !self.vendors.has(&entry) {
            let why = format!("{} is not configured", entry.operation.vendor().name);
            self.postpone(&entry, AWAY_SECONDS, &why).await?;
            return Ok(End::Away(why));
        }
        if entry.state.is_under_way() {
            tokio::time::sleep(SETTLING).await;
        }
        let mut sight = match self.vendors.look(&entry).await {
            Ok(Some(sight)) => sight,
            Ok(None) => return self.fail(&entry, "the vendor has no such record (any more)").await,
            Err(fault) => return self.cannot_look(&entry, &fault).await,
        };
        let mut before: Option<Sight> = None;
        for sends in 1..=SENDS {
            match decide::next(&entry, &sight.values) {
                Next::Done => return self.done(&entry, before.as_ref(), &sight, warnings).await,
                Next::Conflict => return self.conflict(&entry, &sight.values).await,
                Next::Send if entry.attempts >= MOST_ATTEMPTS => {
                    let why = format!("it was sent {MOST_ATTEMPTS} times, and the vendor does not have it");
                    return self.fail(&entry, &why).await;
                }
                Next::Send => {}
            }
            if !self.claim(&entry, &sight.values).await? {
                return Ok(End::Elsewhere);
            }
            entry = self.read(entry.id).await?;
            let accepted = match self.vendors.send(&entry, &sight).await {
                Ok(()) => true,
                Err(fault) if leaves_doubt(&entry, &fault.cause) => {
                    self.wonder(&entry, &fault, sends).await?;
                    false
                }
                Err(fault) => return self.refused(&entry, &fault).await,
            };
            entry = self.read(entry.id).await?;
            before.get_or_insert(sight);
            sight = match self.look_again(&entry, accepted).await {
                Ok(Some(seen)) if accepted && decide::next(&entry, &seen.values) == Next::Send => {
                    return self.fail(&entry, "the vendor accepted it, and does not show it").await;
                }
                Ok(Some(seen)) => seen,
                Ok(None) => return self.fail(&entry, "the vendor has no such record any more").await,
                Err(fault) => return self.cannot_look(&entry, &fault).await,
            };
        }
        match decide::next(&entry, &sight.values) {
            Next::Done => self.done(&entry, before.as_ref(), &sight, warnings).await,
            Next::Conflict => self.conflict(&entry, &sight.values).await,
            Next::Send => {
                self.postpone(&entry, DOUBT_SECONDS, "it was sent several times and did not arrive").await?;
                Ok(End::Waiting)
            }
        }
    }

    /// Looks at what was just written; what the vendor accepted may take a moment to show.
    async fn look_again(&self, entry: &Entry, accepted: bool) -> Result<Option<Sight>, Fault> {
        let mut sight = self.vendors.look(entry).await?;
        let mut looks = 1;
        while accepted && looks < LOOKS && sight.as_ref().is_some_and(|seen| decide::next(entry, &seen.values) == Next::Send) {
            tokio::time::sleep(Duration::from_millis(250 << looks)).await;
            sight = self.vendors.look(entry).await?;
            looks += 1;
        }
        Ok(sight)
    }

    async fn claim(&self, entry: &Entry, seen: &Values) -> Result<bool> {
        let (entry, seen) = (entry.clone(), seen.clone());
        self.write(&Actor::system("outbox"), move |w| store::claim(w, &entry, &seen)).await
    }

    /// Nobody knows how the request ended: that is written down, and the request gets time to arrive.
    async fn wonder(&self, entry: &Entry, fault: &Fault, sends: u32) -> Result<()> {
        let (id, why) = (entry.id, fault.to_string());
        tracing::info!(entry = id, %why, "asking the vendor how a write ended");
        self.write(&Actor::system("outbox"), move |w| store::wonder(w, id, &why)).await?;
        tokio::time::sleep(SETTLING * sends).await;
        Ok(())
    }

    async fn postpone(&self, entry: &Entry, seconds: i64, why: &str) -> Result<()> {
        let (id, why) = (entry.id, why.to_owned());
        self.write(&Actor::system("outbox"), move |w| store::postpone(w, id, seconds, &why)).await
    }

    async fn mark(&self, entry: &Entry, state: State, found: Option<Values>, why: String) -> Result<()> {
        let id = entry.id;
        self.write(&Actor::system("outbox"), move |w| store::mark(w, id, state, found.as_ref(), Some(&why))).await
    }

    async fn fail(&self, entry: &Entry, why: &str) -> Result<End> {
        self.mark(entry, State::Failed, None, why.to_owned()).await?;
        Ok(End::Failed)
    }

    async fn conflict(&self, entry: &Entry, seen: &Values) -> Result<End> {
        let why = "the vendor has another value; approve it to overwrite that".to_owned();
        self.mark(entry, State::Conflict, Some(seen.clone()), why).await?;
        Ok(End::Conflict)
    }

    /// The vendor could not be asked; what may have left stays a question.
    async fn cannot_look(&self, entry: &Entry, fault: &Fault) -> Result<End> {
        self.postpone(entry, AWAY_SECONDS, &fault.to_string()).await?;
        Ok(if matches!(fault.cause, Cause::Broken(_) | Cause::Refused(..)) { End::Waiting } else { End::Away(fault.to_string()) })
    }

    /// The vendor certainly did not act on the request.
    async fn refused(&self, entry: &Entry, fault: &Fault) -> Result<End> {
        if matches!(fault.cause, Cause::Refused(..) | Cause::Missing | Cause::Absent(_) | Cause::Conflict(_)) {
            return self.fail(entry, &fault.to_string()).await;
        }
        let (id, why) = (entry.id, fault.to_string());
        self.write(&Actor::system("outbox"), move |w| store::put_back(w, id, AWAY_SECONDS, &why)).await?;
        Ok(End::Away(fault.to_string()))
    }

    async fn done(&self, entry: &Entry, before: Option<&Sight>, now: &Sight, warnings: &mut Vec<String>) -> Result<End> {
        let touched = before.map(|before| self.vendors.collateral(entry, before, now)).unwrap_or_default();
        let warning =
            (!touched.is_empty()).then(|| format!("{}: the vendor also changed {}", entry.called(), touched.join(", ")));
        warnings.extend(warning.clone());
        let (entry, run_id) = (entry.clone(), entry.run_id.or(self.run_id));
        // It is Codex that wrote; the vendor only says so.
        let actor = Actor { run_id, ..Actor::system("codex") };
        let id = now.record.get("id").filter(|_| entry.operation == Operation::TicketNote).and_then(|id| id.as_str());
        let found = id.map(|id| Values::from_iter([("id".to_owned(), id.into())]));
        self.write(&actor, move |w| delivered::mark_delivered(w, &entry, found.as_ref(), warning.as_deref())).await?;
        Ok(End::Done)
    }
}

/// Whether the vendor may have acted on a request that failed so, or will when it is asked again. A conflict
/// is at Datto somebody else's write at the same moment, and at Freshservice a value that must be unique.
fn leaves_doubt(entry: &Entry, cause: &Cause) -> bool {
    match cause {
        Cause::Unknown(_) | Cause::Broken(_) => true,
        Cause::Conflict(_) => entry.operation == Operation::SiteVariable,
        _ => false,
    }
}
