//! Columns and their values, kept small: a plan holds one such row for every record of the vendor and
//! for every row of ours.

use crate::db::Value;

/// Some columns of a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cells(Vec<(&'static str, Value)>);

impl Cells {
    /// A column's value, if the column is named.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| *name == column).map(|(_, value)| value)
    }

    /// A text column, empty when null or not named.
    #[must_use]
    pub fn text(&self, column: &str) -> &str {
        match self.get(column) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    /// Sets a column.
    pub fn set(&mut self, column: &'static str, value: impl Into<Value>) {
        let value = value.into();
        match self.0.iter_mut().find(|(name, _)| *name == column) {
            Some((_, old)) => *old = value,
            None => self.0.push((column, value)),
        }
    }

    /// Sets a column that is not named yet.
    pub fn set_default(&mut self, column: &'static str, value: impl Into<Value>) {
        if self.get(column).is_none() {
            self.set(column, value);
        }
    }

    /// Takes a column out.
    pub fn remove(&mut self, column: &str) {
        self.0.retain(|(name, _)| *name != column);
    }

    /// Sets every column of the others.
    pub fn extend(&mut self, others: Self) {
        for (column, value) in others.0 {
            self.set(column, value);
        }
    }

    /// Columns and values, in the order in which they were set.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(column, value)| (*column, value))
    }

    /// Whether no column is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many columns are named.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl FromIterator<(&'static str, Value)> for Cells {
    fn from_iter<I: IntoIterator<Item = (&'static str, Value)>>(cells: I) -> Self {
        Self(cells.into_iter().collect())
    }
}
