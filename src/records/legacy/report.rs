//! What an import of the former service's database would do, or did: counts for each table, and what could not be brought.

use std::collections::BTreeMap;

use serde::Serialize;

use super::row::Row;

/// How many rows are named for each reason.
const NAMED: usize = 10;

/// What becomes of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is new here.
    New,
    /// It is here and says the same.
    Same,
    /// It is here from an earlier import and says something else now.
    Changed,
    /// It cannot be, for this reason.
    Refused(String),
}

/// What became of the rows of one table.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Counted {
    /// Its name there.
    pub table: &'static str,
    /// Rows that become records, or parts of some.
    pub new: usize,
    /// Rows that are here already and say the same.
    pub same: usize,
    /// Rows that are here from an earlier import and say something else.
    pub changed: usize,
    /// Rows that cannot be.
    pub refused: usize,
}

impl Counted {
    /// Counts a row.
    pub fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::New => self.new += 1,
            Outcome::Same => self.same += 1,
            Outcome::Changed => self.changed += 1,
            Outcome::Refused(_) => self.refused += 1,
        }
    }
}

/// What could not be brought for one reason.
#[derive(Clone, Debug, Serialize)]
pub struct Loss {
    /// The table.
    pub table: String,
    /// The column; none when it is whole rows, or the whole table.
    pub column: Option<String>,
    /// Why.
    pub why: String,
    /// How many rows.
    pub rows: usize,
    /// The keys of the first of them.
    pub first: Vec<String>,
}

/// Everything that could not be brought, by where and why.
#[derive(Clone, Debug, Default)]
pub struct Losses(BTreeMap<Place, (usize, Vec<String>)>);

/// The table, the column when it is about one, and why.
type Place = (String, Option<String>, String);

impl Losses {
    /// Notes a value of a row.
    pub fn value(&mut self, row: &Row<'_>, column: &str, why: &str) {
        self.note(row.table.name, Some(column), why, row.key());
    }

    /// Notes a whole row.
    pub fn row(&mut self, row: &Row<'_>, why: &str) {
        self.note(row.table.name, None, why, row.key());
    }

    /// Notes a whole table.
    pub fn table(&mut self, table: &str, rows: usize, why: &str) {
        self.0.insert((table.to_owned(), None, why.to_owned()), (rows, Vec::new()));
    }

    fn note(&mut self, table: &str, column: Option<&str>, why: &str, key: String) {
        let place = (table.to_owned(), column.map(str::to_owned), why.to_owned());
        let (count, first) = self.0.entry(place).or_default();
        *count += 1;
        if first.len() < NAMED {
            first.push(key);
        }
    }

    /// As a list.
    #[must_use]
    pub fn list(self) -> Vec<Loss> {
        let told = |((table, column, why), (rows, first))| Loss { table, column, why, rows, first };
        self.0.into_iter().map(told).collect()
    }
}

/// What an import would do, or did.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Which generation of the former service it is.
    pub generation: &'static str,
    /// By what that was seen.
    pub known_by: String,
    /// Where it is, without a password.
    pub source: String,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// What becomes of each table's rows.
    pub tables: Vec<Counted>,
    /// What cannot be brought.
    pub losses: Vec<Loss>,
}

impl Report {
    /// How many rows it writes.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.tables.iter().map(|table| table.new + table.changed).sum()
    }

    /// In a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let sum = |of: fn(&Counted) -> usize| self.tables.iter().map(of).sum::<usize>();
        let [new, changed, same, refused] =
            [sum(|table| table.new), sum(|table| table.changed), sum(|table| table.same), sum(|table| table.refused)];
        format!("{new} new, {changed} changed, {same} the same, {refused} that cannot be")
    }
}
