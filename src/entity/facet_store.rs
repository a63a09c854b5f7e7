//! What is kept beside an entity, one row for each of its rows, without history.

use super::Fielded;
use crate::{
    db::{Conn, Row, Value, Write},
    error::Result,
};

/// A table beside an entity's. Written with [`facet!`](crate::facet).
pub trait Facet: Fielded {
    /// What SQL calls it.
    const ALIAS: &'static str;
    /// Its table.
    const TABLE: &'static str;
    /// The column with the id of the entity's row.
    const KEY: &'static str;

    /// Its columns, as `SELECT` lists them.
    #[must_use]
    fn select() -> String {
        Self::FIELDS.iter().map(|field| field.spec.sql).collect::<Vec<_>>().join(", ")
    }

    /// Reads a row selected so, from this cell on.
    ///
    /// # Errors
    /// `Internal` when a column holds another type.
    fn from_row(row: &Row, at: usize) -> Result<Self> {
        let mut read = Self::default();
        for (index, field) in Self::FIELDS.iter().enumerate() {
            (field.write)(&mut read, row.cell(at + index)?)?;
        }
        Ok(read)
    }

    /// The row beside this one, if there is one.
    fn beside(c: &mut Conn, id: i64) -> Result<Option<Self>> {
        let (alias, table, key) = (Self::ALIAS, Self::TABLE, Self::KEY);
        let sql = format!("SELECT {} FROM @{table} {alias} WHERE {alias}.{key} = ?1", Self::select());
        c.first(&sql, &[id.into()])?.map(|row| Self::from_row(&row, 0)).transpose()
    }

    /// Stores it beside this row.
    fn put(&self, w: &mut Write<'_>, id: i64) -> Result<()> {
        let columns: Vec<&str> = Self::FIELDS.iter().map(|field| field.spec.column).collect();
        let places: Vec<String> = (2..columns.len() + 2).map(|number| format!("?{number}")).collect();
        let set: Vec<String> = columns.iter().map(|column| format!("{column} = excluded.{column}")).collect();
        let sql = format!(
            "INSERT INTO {table} ({key}, {}) VALUES (?1, {}) ON CONFLICT ({key}) DO UPDATE SET {}",
            columns.join(", "),
            places.join(", "),
            set.join(", "),
            table = Self::TABLE,
            key = Self::KEY
        );
        let values = Self::FIELDS.iter().map(|field| (field.read)(self).into());
        let params: Vec<Value> = std::iter::once(id.into()).chain(values).collect();
        w.run(&sql, &params).map(|_| ())
    }
}
