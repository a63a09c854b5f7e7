//! The whole database as one file: written while it is in use, tried out aside, and put back.

mod file;
#[cfg(feature = "postgres")]
mod server;

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use super::{Conn, Engine, Target, migrate};
use crate::{
    error::{Error, Result},
    params,
};

pub(super) use file::{copy_of, damage, hold};

/// By how much the versions of lists, and the numbers of changes, move when a database is put back: no answer of before may
/// pass for one of after.
const LEAP: i64 = 1_000_000;
/// The schema from which on the numbers that are left out are noted; the step to it notes those of before.
const GAPS_SINCE: i64 = 43;

/// The rows of each table.
pub type Tables = BTreeMap<String, i64>;

/// What is done with a database that was put back, before anybody uses it.
pub type Finish = fn(&mut Conn) -> Result<()>;

/// What a file with a whole database holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Of which engine.
    pub engine: Engine,
    /// The version of its schema.
    pub schema_version: i64,
    /// PostgreSQL's name of the schema with the tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// PostgreSQL's extensions that the tables need.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<String>,
    /// How many rows each table has.
    pub tables: Tables,
}

impl Contents {
    /// Refuses a schema that a newer Codex made.
    ///
    /// # Errors
    /// `Conflict`.
    pub fn is_known(&self) -> Result<()> {
        let newest = migrate::newest()?;
        if self.schema_version > newest { Err(migrate::newer(self.schema_version, newest)) } else { Ok(()) }
    }

    /// All rows together.
    #[must_use]
    pub fn rows(&self) -> i64 {
        self.tables.values().sum()
    }

    /// Whether these are the tables with as many rows.
    ///
    /// # Errors
    /// `Damaged`, with the first table that differs.
    fn compare(&self, found: &Tables) -> Result<()> {
        let names = self.tables.keys().chain(found.keys());
        let differs = names.into_iter().find(|name| self.tables.get(*name) != found.get(*name));
        let Some(name) = differs else { return Ok(()) };
        let words = |count: Option<&i64>| count.map_or_else(|| "no such table".to_owned(), |count| format!("{count} rows"));
        Err(Error::Damaged(format!(
            "{name}: the backup was made with {}, and has {}",
            words(self.tables.get(name)),
            words(found.get(name))
        )))
    }
}

/// Whether a file could be tried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It was restored aside, and was what it said.
    Restored,
    /// It could not be restored here, for this reason; it may well be sound.
    Impossible(String),
}

/// What putting a database back did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The version of its schema.
    pub version: i64,
    /// Where the database went that was there before: a file, or a schema of the same PostgreSQL database.
    pub kept: Option<String>,
}

/// Proof that nobody else uses the database, for as long as it is held.
pub struct Alone(Holding);

enum Holding {
    /// The lock beside the file.
    File { _lock: std::fs::File },
    #[cfg(feature = "postgres")]
    Server(Box<Conn>),
}

/// Writes the whole database into a file that nobody but its owner reads, while others go on; `look` reads in the very state
/// that is written, told which tables there are.
///
/// # Errors
/// `BadRequest` when there is no data, `Damaged` when the database is, `Unavailable` when a server or its programs are away,
/// `Storage`; those of `look`.
pub fn dump<T>(target: &Target, to: &Path, look: impl FnOnce(&mut Conn, &Tables) -> Result<T>) -> Result<(Contents, T)> {
    match target {
        Target::Sqlite(from) => file::dump(from, to, look),
        #[cfg(feature = "postgres")]
        Target::Postgres(server) => server::dump(&server.directly()?, to, look),
        #[cfg(not(feature = "postgres"))]
        Target::Postgres(_) => Err(without_postgres()),
    }
}

/// Tries a file out: it is opened as a database of its own, searched for damage, and its rows are counted. A file of
/// PostgreSQL is restored into a database that is dropped afterwards, on the server of `target`.
///
/// # Errors
/// `Damaged` or `BadRequest`, with what is wrong with the file; `Unavailable` or `Storage` when it could not be tried.
pub fn restore_aside(target: &Target, file: &Path, said: &Contents) -> Result<Proof> {
    said.is_known()?;
    match (said.engine, target) {
        (Engine::Sqlite, _) => file::prove(file, said).map(|_| Proof::Restored),
        #[cfg(feature = "postgres")]
        (Engine::Postgres, Target::Postgres(server)) => server::restore_aside(&server.directly()?, file, said),
        (Engine::Postgres, _) => {
            Ok(Proof::Impossible("it holds a PostgreSQL database, which only an instance on PostgreSQL can restore".to_owned()))
        }
    }
}

/// Makes sure that nobody else uses the database, and keeps others out.
///
/// # Errors
/// `Unavailable` while somebody uses it, with what to do.
pub fn alone(target: &Target) -> Result<Alone> {
    match target {
        Target::Sqlite(place) => hold(place, true).map(|lock| Alone(Holding::File { _lock: lock })),
        #[cfg(feature = "postgres")]
        Target::Postgres(server) => server::alone(&server.directly()?).map(|conn| Alone(Holding::Server(Box::new(conn)))),
        #[cfg(not(feature = "postgres"))]
        Target::Postgres(_) => Err(without_postgres()),
    }
}

/// Puts the database of a file in the place of ours, which is kept aside: all of it or nothing.
///
/// # Errors
/// `BadRequest` or `Damaged` for a file that is not what it says or not for this engine; `Storage`; those of `finish`.
pub fn put_back(alone: Alone, target: &Target, file: &Path, said: &Contents, finish: Finish) -> Result<Restored> {
    said.is_known()?;
    if said.engine != target.engine() {
        return Err(Error::BadRequest(format!(
            "it holds a database of {}, and this instance uses {}",
            said.engine.name(),
            target.engine().name()
        )));
    }
    match (alone.0, target) {
        (Holding::File { _lock }, Target::Sqlite(place)) => file::put_back(place, file, Some(said), finish),
        #[cfg(feature = "postgres")]
        (Holding::Server(conn), _) => server::put_back(*conn, file, said, finish),
        _ => Err(Error::internal("the lock is another database's")),
    }
}

/// The same with a bare SQLite file, as earlier versions wrote them: its checksum may lie beside it.
///
/// # Errors
/// As [`put_back`].
pub fn put_back_file(target: &Target, copy: &Path, finish: Finish) -> Result<Restored> {
    let Target::Sqlite(place) = target else {
        return Err(Error::BadRequest("it is an SQLite file, and this instance uses PostgreSQL".to_owned()));
    };
    file::check_sum(copy)?;
    let _alone = alone(target)?;
    file::put_back(place, copy, None, finish)
}

/// What belongs to every database that was put back, of this version of the schema, in the place of one with changes up to
/// `replaced` (if that could still be read). Changes are numbered from above all that anybody may have seen, and so are
/// revisions: an `If-Match` or a form of before must not fit a row that has come as far again.
fn after(c: &mut Conn, version: i64, replaced: Option<i64>) -> Result<()> {
    c.run("UPDATE versions SET version = version + ?1, observed = observed + ?1", params![LEAP])?;
    let last: i64 = c.one("SELECT version FROM head WHERE id = 1", &[])?.get(0)?;
    let next = (last.max(replaced.unwrap_or_default()) / LEAP + 2) * LEAP;
    c.run("UPDATE head SET version = ?1 WHERE id = 1", params![next])?;
    if version >= GAPS_SINCE {
        c.run("INSERT INTO feed_gaps (after, until) VALUES (?1, ?2)", params![last, next])?;
    }
    // Also those that waiting plans remember, which so go on fitting their rows.
    for table in revised(c)? {
        c.run(&format!("UPDATE {table} SET rev = rev % ?1 + ?2"), params![LEAP, next])?;
    }
    Ok(())
}

/// The tables with revisions.
fn revised(c: &mut Conn) -> Result<Vec<String>> {
    let sql = match c.engine() {
        Engine::Sqlite => {
            "SELECT found.name FROM sqlite_master found JOIN pragma_table_info(found.name) part
             WHERE found.type = 'table' AND part.name = 'rev' ORDER BY found.name"
        }
        Engine::Postgres => {
            "SELECT CAST(part.table_name AS TEXT) FROM information_schema.columns part
             WHERE part.table_schema = current_schema() AND part.column_name = 'rev' ORDER BY part.table_name"
        }
    };
    c.map(sql, params![], |row| row.get(0))
}

#[cfg(not(feature = "postgres"))]
fn without_postgres() -> Error {
    Error::Unavailable("this build of Codex has no PostgreSQL".to_owned())
}
