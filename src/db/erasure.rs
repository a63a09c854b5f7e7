//! Takes what was erased out of the files as well: SQLite leaves it in pages of no use, in its log and in the tables for searches.

use super::{Db, begin_opening, pending, upkeep::Upkeep, words};
use crate::{
    error::{Error, Result},
    types::{Actor, Scope},
};

/// What remains on a server, which nobody but its administrator can take away.
const OF_A_SERVER: &str = "PostgreSQL keeps earlier versions of rows in its files until it uses their room again, and in its log";

impl Db {
    /// Leaves nothing of what was overwritten or deleted in an SQLite file and its log: it is written anew, for which it needs
    /// as much room again. Nobody else can write meanwhile (`PRAGMA secure_delete` alone is not enough: pages that were split
    /// keep copies of rows). Of a server, what may remain.
    ///
    /// # Errors
    /// `Storage` when there is no room, `Unavailable` while others go on writing or reading.
    pub async fn erase_residue(&self, actor: &Actor) -> Result<Option<&'static str>> {
        if self.target().is_server() {
            return Ok(Some(OF_A_SERVER));
        }
        while self.write_bulk(&Scope::All, actor, |w| pending::put_in(w)).await? > 0 {}
        for table in self.read(&Scope::All, words::tables).await? {
            let mut is_first = true;
            loop {
                let name = table.clone();
                if !self.write_bulk(&Scope::All, actor, move |w| words::merge(w, &name, is_first)).await? {
                    break;
                }
                is_first = false;
            }
        }
        let db = self.clone();
        let written = tokio::task::spawn_blocking(move || {
            let _closed_before_the_end = begin_opening(db.target())?;
            db.opener().still_there()?;
            Upkeep::open(db.target())?.rewrite(&[])
        });
        written.await.map_err(Error::internal)?.map(|()| None)
    }
}
