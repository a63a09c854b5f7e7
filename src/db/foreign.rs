//! Databases that Codex did not make: read whole, in one snapshot, and never changed.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use super::{Driver, Target, migrate, sqlite, value::Row};
use crate::error::{Error, Result};

/// Where in an SQLite file's header it says how it is written, and the number that means "with a log".
const WRITE_VERSION: usize = 18;
const WITH_LOG: u8 = 2;

/// A database of another program.
pub struct Foreign {
    driver: Driver,
}

impl Foreign {
    /// Opens it as it is now; what its program writes from here on is not seen.
    ///
    /// # Errors
    /// `BadRequest` when there is no such file, `Unavailable` when the server cannot be reached, `Storage` and `Damaged`
    /// when the file cannot be read.
    pub fn open(target: &Target) -> Result<Self> {
        let driver = match target {
            Target::Sqlite(path) => Driver::Sqlite(file(path).map_err(|cause| sqlite::at(path, cause))?),
            Target::Postgres(_) => target.open(true)?,
        };
        let mut foreign = Self { driver };
        match &mut foreign.driver {
            Driver::Sqlite(connection) => {
                connection.execute_batch("PRAGMA query_only=ON; BEGIN").map_err(sqlite::error)?;
            }
            // A large table takes longer than a question of ours may.
            #[cfg(feature = "postgres")]
            Driver::Postgres(session) => {
                session.batch("SET statement_timeout = 0; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
            }
        }
        Ok(foreign)
    }

    /// Its tables with the names of their columns.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn tables(&mut self) -> Result<BTreeMap<String, Vec<String>>> {
        let sql = match &self.driver {
            Driver::Sqlite(_) => {
                "SELECT found.name, part.name FROM sqlite_master found JOIN pragma_table_info(found.name) part
                 WHERE found.type = 'table' AND found.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY found.name, part.cid"
            }
            #[cfg(feature = "postgres")]
            Driver::Postgres(_) => {
                "SELECT CAST(part.table_name AS TEXT), CAST(part.column_name AS TEXT) FROM information_schema.columns part
                 JOIN information_schema.tables found ON found.table_schema = part.table_schema AND found.table_name = part.table_name
                 WHERE part.table_schema = current_schema() AND found.table_type = 'BASE TABLE'
                 ORDER BY part.table_name, part.ordinal_position"
            }
        };
        let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
        self.run(sql, &mut |row| {
            tables.entry(row.get(0)?).or_default().push(row.get(1)?);
            Ok(())
        })?;
        Ok(tables)
    }

    /// How many rows a table has.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn count(&mut self, table: &str) -> Result<usize> {
        let mut count = 0_i64;
        self.run(&format!("SELECT count(*) FROM {}", quoted(table)), &mut |row| {
            count = row.get(0)?;
            Ok(())
        })?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    /// Gives each row of a table to `take`, in this order of columns: every value as text, whatever its type.
    ///
    /// # Errors
    /// Those of the engine, and of `take`.
    pub fn each(
        &mut self,
        table: &str,
        columns: &[String],
        order: &[&str],
        mut take: impl FnMut(Vec<Option<String>>) -> Result<()>,
    ) -> Result<()> {
        let cells: Vec<String> = columns.iter().map(|column| format!("CAST({} AS TEXT)", quoted(column))).collect();
        let order: Vec<String> = order.iter().map(|column| quoted(column)).collect();
        let sql = format!("SELECT {} FROM {} ORDER BY {}", cells.join(", "), quoted(table), order.join(", "));
        self.run(&sql, &mut |row| take((0..columns.len()).map(|at| row.get(at)).collect::<Result<_>>()?))
    }

    fn run(&mut self, sql: &str, take: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
        match &mut self.driver {
            Driver::Sqlite(connection) => sqlite::each(connection, sql, &[], &super::counts::Counts::default(), take),
            #[cfg(feature = "postgres")]
            Driver::Postgres(session) => session.each(sql, &[], take),
        }
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Opens a file so that nothing is written to it or left beside it.
fn file(path: &Path) -> Result<rusqlite::Connection> {
    let mut header = [0; WRITE_VERSION + 1];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    read.map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => Error::Damaged("it is no SQLite database".to_owned()),
        _ => Error::BadRequest(format!("{}: {error}", path.display())),
    })?;
    if header[WRITE_VERSION] == WITH_LOG {
        return migrate::look(path);
    }
    // Its program may be writing: the file's own locks keep the snapshot whole.
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
    rusqlite::Connection::open_with_flags(path, flags).map_err(sqlite::error)
}

/// Whether two databases are one and the same, as far as their addresses tell.
#[must_use]
pub fn is_same(one: &Target, other: &Target) -> bool {
    let real = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    match (one, other) {
        (Target::Sqlite(one), Target::Sqlite(other)) => real(one) == real(other),
        #[cfg(feature = "postgres")]
        (Target::Postgres(one), Target::Postgres(other)) => super::postgres::is_same(one.address(), other.address()),
        _ => false,
    }
}
