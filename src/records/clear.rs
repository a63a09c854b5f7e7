//! Clearing: every record of a kind is retired as one batch, so that one can begin anew. Nothing is deleted, one undo brings
//! all of it back, and unlike what a person retires by hand, a sync brings back what its vendor still lists.

use super::clear_store as store;
use crate::{
    agents::PsaAgent,
    assets::Asset,
    companies::Company,
    contacts::Contact,
    db::{Conn, Db, Write},
    error::Result,
    history::{self, CLEARED, Record, batches},
    types::{Actor, Scope},
};

/// How many rows are retired in one transaction: a person's save never waits long behind them.
const CHUNK: i64 = 200;

/// A kind of records that can be cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Assets,
    Contacts,
    Companies,
    Agents,
}

impl Kind {
    /// All of them, in the order in which they are cleared: what hangs on others first.
    pub const ALL: [Self; 4] = [Self::Assets, Self::Contacts, Self::Companies, Self::Agents];

    /// What the form sends (contract §2.1).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assets => "assets",
            Self::Contacts => "contacts",
            Self::Companies => "companies",
            Self::Agents => "agents",
        }
    }
}

/// How many records of each kind are live.
pub fn counts(c: &mut Conn) -> Result<Vec<(Kind, i64)>> {
    let counts =
        [store::count::<Asset>(c)?, store::count::<Contact>(c)?, store::count::<Company>(c)?, store::count::<PsaAgent>(c)?];
    Ok(Kind::ALL.into_iter().zip(counts).collect())
}

/// Retires every live record of a kind; returns how many, and the batch that brings them back, if there were any.
///
/// # Errors
/// Those of the database. What was retired until then stays so, in its batch.
pub async fn clear(db: &Db, kind: Kind, actor: &Actor) -> Result<(u64, Option<i64>)> {
    match kind {
        Kind::Assets => all::<Asset>(db, actor).await,
        Kind::Contacts => all::<Contact>(db, actor).await,
        Kind::Companies => all::<Company>(db, actor).await,
        Kind::Agents => all::<PsaAgent>(db, actor).await,
    }
}

async fn all<R: Record + 'static>(db: &Db, actor: &Actor) -> Result<(u64, Option<i64>)> {
    let (mut retired, mut batch) = (0, None);
    loop {
        let work = move |w: &mut Write<'_>| {
            let ids = store::some::<R>(w, CHUNK)?;
            if ids.is_empty() {
                return Ok((0, batch));
            }
            let batch = match batch {
                Some(batch) => batch,
                None => batches::begin(w, "retire", R::ENTITY)?,
            };
            w.set_batch(Some(batch));
            for id in &ids {
                history::retire::<R>(w, *id, Some(CLEARED))?;
            }
            w.set_batch(None);
            Ok((ids.len() as u64, Some(batch)))
        };
        let (some, of) = db.write_bulk(&Scope::All, actor, work).await?;
        if some == 0 {
            return Ok((retired, batch));
        }
        (retired, batch) = (retired + some, of);
    }
}
