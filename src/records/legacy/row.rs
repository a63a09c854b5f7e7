//! One row of the former service's database, and how its columns become the fields of ours.

use super::{
    generations::{Table, To},
    report::Losses,
    values,
};
use crate::{
    entity::Fielded,
    error::Result,
    types::{clean, fold},
};

/// A row: every value as text.
pub struct Row<'t> {
    /// Its table.
    pub table: &'static Table,
    columns: &'t [String],
    cells: Vec<Option<String>>,
}

impl<'t> Row<'t> {
    /// A row with these columns.
    #[must_use]
    pub fn new(table: &'static Table, columns: &'t [String], cells: Vec<Option<String>>) -> Self {
        Self { table, columns, cells }
    }

    /// Whether its table has a column.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|known| known == column)
    }

    /// A value as it is stored.
    #[must_use]
    pub fn raw(&self, column: &str) -> Option<&str> {
        let at = self.columns.iter().position(|known| known == column)?;
        self.cells.get(at)?.as_deref()
    }

    /// A text as it is kept here, when it says something.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<String> {
        self.raw(column).map(clean).filter(|text| !text.is_empty())
    }

    /// A whole number; what is none is noted.
    pub fn int(&self, column: &str, losses: &mut Losses) -> Option<i64> {
        let text = self.text(column)?;
        let number = values::whole(&text);
        if number.is_none() {
            losses.value(self, column, "is no whole number");
        }
        number
    }

    /// Yes or no; what is neither is noted, and counts as `usual` like nothing.
    pub fn flag(&self, column: &str, usual: bool, losses: &mut Losses) -> bool {
        let Some(text) = self.text(column) else { return usual };
        values::flag(&text).unwrap_or_else(|| {
            losses.value(self, column, "is neither true nor false");
            usual
        })
    }

    /// By what people find it again in its database.
    #[must_use]
    pub fn key(&self) -> String {
        let parts: Vec<&str> = self.table.key.iter().filter_map(|column| self.raw(column)).collect();
        parts.join("/")
    }

    /// Puts into a record what the columns say that are its fields. What cannot be used is noted and leaves the field
    /// empty.
    ///
    /// # Errors
    /// `Internal` when a field's kind does not fit its type.
    pub fn fill<F: Fielded>(&self, to: &mut F, losses: &mut Losses) -> Result<()> {
        let mut told: Vec<(&str, &str, String)> = Vec::new();
        for (column, becomes) in self.table.columns() {
            let To::Field(name) = becomes else { continue };
            let Some(field) = F::field(name).filter(|_| self.has(column)) else { continue };
            let before = told.iter().find(|(known, ..)| *known == name);
            let Some(text) = self.text(column) else {
                if before.is_none() {
                    (field.write)(to, &values::empty(&field.spec))?;
                }
                continue;
            };
            if let Some((_, first, said)) = before {
                if spelled(said) != spelled(&text) {
                    losses.value(self, column, &format!("says something else than {first}, which counts"));
                }
                continue;
            }
            match values::read(&field.spec, &text) {
                Ok((value, note)) => {
                    (field.write)(to, &value)?;
                    if let Some(note) = note {
                        losses.value(self, column, &note);
                    }
                    told.push((name, column, text));
                }
                Err(why) => {
                    losses.value(self, column, &why);
                    (field.write)(to, &values::empty(&field.spec))?;
                }
            }
        }
        Ok(())
    }

    /// Notes what stands in columns that are left behind.
    pub fn note_rest(&self, losses: &mut Losses) {
        for column in self.columns {
            let why = match self.table.columns().find(|(known, _)| known == column) {
                Some((_, To::Left(why))) => why,
                None => "Codex has no such field",
                Some((_, To::Field(_) | To::Code)) => continue,
            };
            if self.text(column).is_some() {
                losses.value(self, column, why);
            }
        }
    }
}

/// Two spellings of one thing are the same here.
fn spelled(text: &str) -> String {
    fold(text).replace('-', " ")
}
