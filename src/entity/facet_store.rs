//! What is kept without history: beside an entity's rows, or as observations with a number of their own.

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
    /// The column with the id of the entity's row, or with the row's own number.
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

    /// All rows beside this one, in this order of columns, where there can be several.
    fn all_beside(c: &mut Conn, id: i64, order: &str) -> Result<Vec<Self>> {
        let (alias, table, key) = (Self::ALIAS, Self::TABLE, Self::KEY);
        let sql = format!("SELECT {} FROM @{table} {alias} WHERE {alias}.{key} = ?1 ORDER BY {order}", Self::select());
        c.map(&sql, &[id.into()], |row| Self::from_row(row, 0))
    }

    /// Stores it beside this row.
    fn put(&self, w: &mut Write<'_>, id: i64) -> Result<()> {
        let set: Vec<String> = columns::<Self>().map(|column| format!("{column} = excluded.{column}")).collect();
        let sql = format!("{} ON CONFLICT ({}) DO UPDATE SET {}", insert::<Self>(&[Self::KEY]), Self::KEY, set.join(", "));
        w.run(&sql, &self.params([id.into()])).map(|_| ())
    }

    /// Changes the row that is there.
    fn update(&self, w: &mut Write<'_>, id: i64) -> Result<()> {
        let set: Vec<String> = columns::<Self>().zip(2..).map(|(column, number)| format!("{column} = ?{number}")).collect();
        let sql = format!("UPDATE {} SET {} WHERE {} = ?1", Self::TABLE, set.join(", "), Self::KEY);
        w.run(&sql, &self.params([id.into()])).map(|_| ())
    }

    /// Adds a row to a table that numbers its rows itself; its number.
    fn add(&self, w: &mut Write<'_>) -> Result<i64> {
        w.one(&format!("{} RETURNING {}", insert::<Self>(&[]), Self::KEY), &self.params([]))?.get(0)
    }

    /// Makes the rows beside this one exactly these; `place` is the column that keeps their order, where there is one.
    fn replace(w: &mut Write<'_>, id: i64, rows: &[Self], place: Option<&'static str>) -> Result<()> {
        w.run(&format!("DELETE FROM {} WHERE {} = ?1", Self::TABLE, Self::KEY), &[id.into()])?;
        let keys: Vec<&str> = std::iter::once(Self::KEY).chain(place).collect();
        let sql = insert::<Self>(&keys);
        for (number, row) in (0_i64..).zip(rows) {
            w.run(&sql, &row.params([id.into()].into_iter().chain(place.map(|_| number.into()))))?;
        }
        Ok(())
    }

    /// Its values behind these.
    fn params(&self, keys: impl IntoIterator<Item = Value>) -> Vec<Value> {
        keys.into_iter().chain(Self::FIELDS.iter().map(|field| (field.read)(self).into())).collect()
    }
}

fn columns<F: Facet>() -> impl Iterator<Item = &'static str> {
    F::FIELDS.iter().map(|field| field.spec.column)
}

/// Inserts a row with these columns before its own.
fn insert<F: Facet>(keys: &[&'static str]) -> String {
    let all: Vec<&str> = keys.iter().copied().chain(columns::<F>()).collect();
    let places: Vec<String> = (1..=all.len()).map(|number| format!("?{number}")).collect();
    format!("INSERT INTO {} ({}) VALUES ({})", F::TABLE, all.join(", "), places.join(", "))
}
