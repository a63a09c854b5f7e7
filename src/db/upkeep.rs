//! Work on stored rows that belongs to a step of the schema and that SQL alone cannot do: it runs after the
//! migrations, on a connection of its own, before anybody else is let in.

use std::path::Path;
use std::sync::Arc;

use super::conn::Conn;
use super::{Engine, Target};
use crate::error::{Error, Result};

/// What is to be done. It must find out by itself that there is nothing left to do, and may be broken off
/// at any point: the next start calls it again.
pub type Prepare = Arc<dyn Fn(&mut Upkeep) -> Result<()> + Send + Sync>;

/// Nothing.
#[must_use]
pub fn nothing() -> Prepare {
    Arc::new(|_| Ok(()))
}

/// The connection for such work.
pub struct Upkeep {
    conn: Conn,
    target: Target,
}

impl Upkeep {
    pub(super) fn open(target: &Target) -> Result<Self> {
        Ok(Self { conn: Conn::new(target.open(false)?, Arc::default()), target: target.clone() })
    }

    /// Whether anything can be stored: a transaction that writes and is rolled back.
    ///
    /// # Errors
    /// `Storage` when it cannot, `Unavailable` while another process writes.
    pub fn can_write(target: &Target) -> Result<()> {
        let _closed_before_the_end = super::begin_opening(target)?;
        let mut conn = Self::open(target)?.conn;
        let begin = if conn.engine() == Engine::Sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" };
        conn.batch(begin)?;
        let written = conn.run("UPDATE head SET version = version WHERE id = 1", &[]);
        conn.batch("ROLLBACK")?;
        written.map(drop)
    }

    /// Reads.
    pub fn look<T>(&mut self, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        work(&mut self.conn)
    }

    /// Writes in one transaction; other writers wait, so keep it short.
    ///
    /// # Errors
    /// Those of `work`, after everything is rolled back; those of the commit.
    pub fn step<T>(&mut self, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        match self.conn.engine() {
            Engine::Sqlite => self.conn.batch("BEGIN IMMEDIATE")?,
            Engine::Postgres => self.conn.begin("BEGIN", "SELECT version FROM head WHERE id = 1 FOR UPDATE")?,
        }
        match work(&mut self.conn) {
            Ok(done) => self.conn.batch("COMMIT").map(|()| done),
            Err(error) => {
                if self.conn.in_transaction() {
                    self.conn.batch("ROLLBACK")?;
                }
                Err(error)
            }
        }
    }

    /// Whether there is such a table.
    pub fn has_table(&mut self, name: &str) -> Result<bool> {
        let sql = match self.conn.engine() {
            Engine::Sqlite => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1",
            Engine::Postgres => "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = ?1",
        };
        Ok(self.conn.first(sql, &[name.into()])?.is_some())
    }

    /// Writes the tables anew, so that the files keep nothing of what was overwritten or deleted: SQLite's whole
    /// file with its log emptied, PostgreSQL's tables. It needs as much free space as they take.
    ///
    /// # Errors
    /// Those of the engine: the disk is full, somebody else is reading.
    pub fn rewrite(&mut self, tables: &[&str]) -> Result<()> {
        match self.conn.engine() {
            // Not in memory, where a large database does not fit.
            Engine::Sqlite => {
                self.conn.batch("PRAGMA temp_store=FILE; VACUUM; PRAGMA temp_store=MEMORY")?;
                let is_busy = self.conn.one("PRAGMA wal_checkpoint(TRUNCATE)", &[])?.get::<i64>(0)? != 0;
                if is_busy {
                    return Err(Error::Unavailable(
                        "others go on reading the database, and so its log cannot be emptied".to_owned(),
                    ));
                }
                Ok(())
            }
            Engine::Postgres => self.conn.batch(&format!("VACUUM (FULL) {}", tables.join(", "))),
        }
    }

    /// The copies of the database that earlier upgrades have kept beside it, each with its name.
    #[must_use]
    pub fn kept_copies(&self) -> Vec<(String, Target)> {
        let Target::Sqlite(path) = &self.target else { return Vec::new() };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let beginning = format!("{}.before-upgrade-from-", path.file_stem().unwrap_or_default().to_string_lossy());
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut copies: Vec<_> = files
            .filter_map(|file| Some((file.file_name().into_string().ok()?, Target::Sqlite(file.path()))))
            .filter(|(name, _)| name.starts_with(&beginning) && Path::new(name).extension().is_some_and(|end| end == "db"))
            .collect();
        copies.sort_by(|(one, _), (other, _)| one.cmp(other));
        copies
    }

    /// Does something in a kept copy, which stays one file.
    ///
    /// # Errors
    /// Those of `work` and of the engine.
    pub fn in_copy<T>(copy: &Target, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let mut opened = Self::open(copy)?;
        let done = work(&mut opened);
        opened.conn.batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE")?;
        done
    }
}
