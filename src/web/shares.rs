//! Each caller's share of the program: whoever asks for very much at once waits behind themselves, not everybody else.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use tokio::sync::Semaphore;

use super::peer::Peer;
use crate::{
    auth::Caller,
    db::{self, Portion},
    error::Error,
};

/// How many answers are made for one caller at once: enough to keep every reader of the database busy.
const AT_ONCE: usize = 16;
/// How many of them may have very many rows: fewer than all callers together may have, so that one is left for others.
const LONG_AT_ONCE: usize = 2;

/// Those who are being answered, each with their share; clones share it.
#[derive(Clone)]
pub struct Shares {
    here: Arc<Mutex<HashMap<String, Share>>>,
    /// Readers of the database, for all of them.
    readers: usize,
}

#[derive(Clone)]
struct Share {
    turns: Arc<Semaphore>,
    /// Turns at answers with very many rows.
    long: Arc<Semaphore>,
    portion: Portion,
    /// Requests under way.
    here: usize,
}

impl Share {
    fn new(readers: usize) -> Self {
        let long = Arc::new(Semaphore::new(LONG_AT_ONCE));
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)), long, portion: Portion::of(readers), here: 0 }
    }
}

tokio::task_local! {
    /// The caller's turns at answers with very many rows.
    static LONG: Arc<Semaphore>;
}

/// The turns of this request's caller at answers with very many rows; none outside of a request.
#[must_use]
pub fn long() -> Option<Arc<Semaphore>> {
    LONG.try_with(Arc::clone).ok()
}

/// A request's place in its caller's share, until it is answered.
struct Place {
    shares: Shares,
    who: String,
    share: Share,
}

impl Shares {
    /// Of a database with so many readers.
    #[must_use]
    pub fn of(readers: usize) -> Self {
        Self { here: Arc::default(), readers }
    }

    fn enter(&self, who: String) -> Place {
        let mut shares = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        let share = shares.entry(who.clone()).or_insert_with(|| Share::new(self.readers));
        share.here += 1;
        Place { shares: self.clone(), who, share: share.clone() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut shares = self.shares.here.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get_mut(&self.who) {
            share.here -= 1;
            if share.here == 0 {
                shares.remove(&self.who);
            }
        }
    }
}

/// The middleware: reads wait for a turn within the share of their caller, or of their address when nobody has signed
/// in.
pub async fn wait(State(shares): State<Shares>, request: Request, next: Next) -> Result<Response, Error> {
    let who = match (request.extensions().get::<Arc<Caller>>(), request.extensions().get::<Peer>()) {
        (Some(caller), _) => format!("{}:{}", caller.kind().as_str(), caller.name()),
        (None, Some(peer)) => peer.ip.to_string(),
        (None, None) => String::new(),
    };
    let place = shares.enter(who);
    let Share { turns, long, portion, .. } = place.share.clone();
    // Writes have a queue of their own, in which they share transactions.
    let _turn = if request.method().is_safe() { Some(turns.acquire().await.map_err(Error::internal)?) } else { None };
    Ok(LONG.scope(long, db::for_caller(portion, next.run(request))).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_asks_for_much_waits_behind_themselves() {
        let shares = Shares::of(4);
        let mut held = Vec::new();
        for _ in 0..AT_ONCE {
            held.push(shares.enter("service:ledger".to_owned()));
        }
        let turns: Vec<_> = held.iter().map(|place| Arc::clone(&place.share.turns).try_acquire_owned().unwrap()).collect();
        let next = shares.enter("service:ledger".to_owned());
        assert!(next.share.turns.try_acquire().is_err());
        assert!(shares.enter("service:beacon".to_owned()).share.turns.try_acquire().is_ok());
        drop(turns);
        assert!(next.share.turns.try_acquire().is_ok());
        drop((held, next));
        assert!(shares.here.lock().unwrap().is_empty(), "nobody is remembered");
    }
}
