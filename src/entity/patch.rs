//! What a write changes of a row: the fields that were sent, checked.

use super::{Field, Fielded};
use crate::{
    compliance::Personal,
    db::Value,
    error::{Error, Result},
    web::{Fields, Sent},
};

/// Some fields with their values.
#[derive(Debug)]
pub struct Patch<E: Fielded> {
    row: E,
    sent: Vec<&'static Field<E>>,
}

impl<E: Fielded> Patch<E> {
    /// Reads every field of the table that was sent; what is wrong with them is noted in `fields`.
    ///
    /// # Errors
    /// `Internal` when a field's kind does not fit its type.
    pub fn read(fields: &mut Fields) -> Result<Self> {
        let mut patch = Self { row: E::default(), sent: Vec::new() };
        for field in E::FIELDS {
            if let Sent::Value(value) = field.spec.read(fields) {
                (field.write)(&mut patch.row, &value)?;
                patch.sent.push(field);
            }
        }
        Ok(patch)
    }

    /// The fields as they would be in a row with nothing else in it.
    #[must_use]
    pub fn row(&self) -> &E {
        &self.row
    }

    /// Whether nothing was sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }

    /// Those among them that tell of people, and of what.
    pub fn personal(&self) -> impl Iterator<Item = (&'static str, Personal)> {
        self.sent.iter().filter_map(|field| Some((field.spec.name, field.spec.personal?)))
    }

    /// Whether this column is among them.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.sent.iter().any(|field| field.spec.column == column)
    }

    /// Whether a field of this name, as JSON has it, is among them.
    #[must_use]
    pub fn names(&self, name: &str) -> bool {
        self.sent.iter().any(|field| field.spec.name == name)
    }

    /// Sets a column that follows from others.
    ///
    /// # Errors
    /// `Internal` for a column that there is not, or a value of another type.
    pub fn set(&mut self, column: &str, value: impl Into<Value>) -> Result<()> {
        let field = E::field(column).ok_or_else(|| Error::internal(format!("there is no column {column}")))?;
        (field.write)(&mut self.row, &value.into())?;
        if !self.has(column) {
            self.sent.push(field);
        }
        Ok(())
    }

    /// A new row with the fields in it, and whatever `complete` adds.
    ///
    /// # Errors
    /// As [`Patch::apply`].
    pub fn made(&self, complete: impl FnOnce(&mut E)) -> Result<E> {
        let mut row = E::default();
        self.apply(&mut row)?;
        complete(&mut row);
        Ok(row)
    }

    /// Puts the fields into a row.
    ///
    /// # Errors
    /// `Internal` when a column reads as another type than it is written as.
    pub fn apply(&self, to: &mut E) -> Result<()> {
        self.sent.iter().try_for_each(|field| (field.write)(to, &(field.read)(&self.row).into()))
    }
}
