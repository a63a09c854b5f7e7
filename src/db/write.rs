//! A connection inside a write transaction: the verbs of [`Conn`] plus what makes changes traceable.

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};

use super::conn::Conn;
use super::pending::Noted;
use super::rewrite::Engine;
use crate::error::{Error, Result};
use crate::params;
use crate::types::Actor;

/// What a batch has numbered and touched so far; undone with a savepoint that is rolled back.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    /// The head as the batch found it, plus one for each change since; `None` until first needed.
    pub(super) version: Option<i64>,
    pub(super) changed: BTreeSet<&'static str>,
    /// Those of which records came, went or belong to others now.
    pub(super) moved: BTreeSet<&'static str>,
    pub(super) observed: BTreeSet<&'static str>,
    pub(super) pending: Noted,
}

impl Ledger {
    /// Whether nothing was changed.
    pub(super) fn is_empty(&self) -> bool {
        self.version.is_none() && self.changed.is_empty() && self.observed.is_empty()
    }
}

/// One closure's write transaction (a savepoint of the batch).
pub struct Write<'a> {
    conn: &'a mut Conn,
    actor: &'a Actor,
    ledger: &'a mut Ledger,
    batch: Option<i64>,
    /// Whether somebody waits for it.
    awaited: bool,
}

impl<'a> Write<'a> {
    pub(super) fn new(conn: &'a mut Conn, actor: &'a Actor, ledger: &'a mut Ledger, awaited: bool) -> Self {
        Self { conn, actor, ledger, batch: None, awaited }
    }

    /// Whether a person or a program waits for the answer, rather than a sync that takes what turns are left.
    pub(super) fn is_awaited(&self) -> bool {
        self.awaited
    }

    /// What was noted whose words are to be put in later.
    pub(super) fn pending(&mut self) -> &mut Noted {
        &mut self.ledger.pending
    }

    /// Who makes the changes of this transaction.
    #[must_use]
    pub fn actor(&self) -> &'a Actor {
        self.actor
    }

    /// What the changes of this transaction are part of, when they are one thing together.
    #[must_use]
    pub fn batch(&self) -> Option<i64> {
        self.batch
    }

    /// Says what the changes from here on are part of.
    pub fn set_batch(&mut self, batch: Option<i64>) {
        self.batch = batch;
    }

    /// Does work of which no edit pins a synced field, whoever does it.
    ///
    /// # Errors
    /// Those of the work.
    pub fn unpinned<T>(&mut self, work: impl FnOnce(&mut Write<'_>) -> Result<T>) -> Result<T> {
        let actor = Actor { pins: false, ..self.actor.clone() };
        let mut inner =
            Write { conn: &mut *self.conn, actor: &actor, ledger: &mut *self.ledger, batch: self.batch, awaited: self.awaited };
        let done = work(&mut inner);
        self.batch = inner.batch;
        done
    }

    /// Does work of which nothing stays when it fails, whoever goes on after that: a statement that a server refuses would
    /// spoil the whole transaction otherwise.
    ///
    /// # Errors
    /// Those of the work; `Unavailable` when the engine has dropped the transaction.
    pub fn attempt<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let before = self.ledger.clone();
        self.conn.control("SAVEPOINT attempt")?;
        let done = work(self);
        if !self.conn.in_transaction() {
            return Err(Error::Unavailable("the transaction was dropped by the engine".to_owned()));
        }
        if done.is_ok() {
            self.conn.control("RELEASE SAVEPOINT attempt")?;
        } else {
            *self.ledger = before;
            self.conn.batch("ROLLBACK TO SAVEPOINT attempt; RELEASE SAVEPOINT attempt")?;
        }
        done
    }

    /// Lets the ids that a table gives from here on lie beyond those that are in it, after rows came with ids of their own.
    /// SQLite does so by itself.
    pub fn pass_ids(&mut self, table: &str) -> Result<()> {
        if self.conn.engine() == Engine::Sqlite {
            return Ok(());
        }
        let sequence: String = self.conn.one("SELECT CAST(pg_get_serial_sequence(?1, 'id') AS TEXT)", params![table])?.get(0)?;
        let sql = format!(
            "SELECT setval(CAST(?1 AS TEXT)::regclass, greatest((SELECT coalesce(max(id), 1) FROM {table}), (SELECT last_value FROM {sequence})))"
        );
        self.conn.one(&sql, params![&sequence]).map(|_| ())
    }

    /// The number of the next change of `entity`: ordered and gap-free over all writers, because the
    /// head row is locked from the batch's first number to its commit.
    pub fn next_change(&mut self, entity: &'static str) -> Result<i64> {
        self.ledger.moved.insert(entity);
        self.next_change_in_place(entity)
    }

    /// The same for a change after which there are the same records of `entity`, each belonging where it belonged: what is
    /// kept by [`moves`] stays.
    pub fn next_change_in_place(&mut self, entity: &'static str) -> Result<i64> {
        let head = match self.ledger.version {
            Some(version) => version,
            None => self.conn.one("SELECT version FROM head WHERE id = 1", params![])?.get(0)?,
        };
        self.ledger.version = Some(head + 1);
        self.ledger.changed.insert(entity);
        Ok(head + 1)
    }

    /// Says that lists of `entity` look different although none of its own rows changed (links, names
    /// of related rows), so that their `ETag`s move.
    pub fn touch(&mut self, entity: &'static str) {
        self.ledger.changed.insert(entity);
        self.ledger.moved.insert(entity);
    }

    /// Whether this write moves the version of `entity`.
    #[must_use]
    pub fn touches(&self, entity: &str) -> bool {
        self.ledger.changed.contains(entity)
    }

    /// Says that observations of `entity` moved: no change row, no feed entry, but other answers.
    pub fn observe(&mut self, entity: &'static str) {
        self.ledger.observed.insert(entity);
    }
}

impl Deref for Write<'_> {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        self.conn
    }
}

impl DerefMut for Write<'_> {
    fn deref_mut(&mut self) -> &mut Conn {
        self.conn
    }
}

/// What the version bears as its name that moves when records of `entity` come, go or belong elsewhere, and not when something
/// else is written in them: how many there are of each company is kept by it.
#[must_use]
pub fn moves(entity: &str) -> String {
    format!("{entity} moves")
}

/// Advances the head and the entity versions to what the batch changed, just before COMMIT.
pub(super) fn close(conn: &mut Conn, ledger: &Ledger) -> Result<()> {
    if ledger.is_empty() {
        return Ok(());
    }
    if let Some(version) = ledger.version {
        conn.run("UPDATE head SET version = ?1 WHERE id = 1", params![version])?;
    }
    let changed = ledger.changed.iter().map(|entity| (*entity).to_owned());
    for name in changed.chain(ledger.moved.iter().map(|entity| moves(entity))) {
        conn.run(
            "INSERT INTO versions (entity, version, observed) VALUES (?1, 1, 0)
             ON CONFLICT (entity) DO UPDATE SET version = versions.version + 1",
            params![name],
        )?;
    }
    for entity in &ledger.observed {
        conn.run(
            "INSERT INTO versions (entity, version, observed) VALUES (?1, 0, 1)
             ON CONFLICT (entity) DO UPDATE SET observed = versions.observed + 1",
            params![*entity],
        )?;
    }
    Ok(())
}
