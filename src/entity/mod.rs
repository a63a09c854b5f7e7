//! A noun is a struct and its field table: what is said of a field is said in its one line, and reading, checking,
//! storing, listing and assigning it follow from there.
//!
//! ```ignore
//! crate::entity! {
//!     /// A device or any other thing that somebody uses.
//!     pub struct Asset: "asset", "Asset", "assets" {
//!         /// Its name; never null.
//!         hostname: String = text("Host name").required().max(150).synced().listed().folded("asset.hostname_folded"),
//!     }
//! }
//! ```

mod any;
mod declare;
pub mod field;
mod patch;
#[cfg(test)]
mod tests;

pub use any::{AnyEntity, of};
pub use field::{Field, FieldSpec, Kind};
pub use patch::Patch;

use serde_json::Value as Json;

use crate::{
    db::{Value, list::Column},
    error::{Error, Result},
    history::Record,
};

/// A row with a field table. Written with [`entity!`](crate::entity).
pub trait Entity: Record + Default {
    /// Its fields, in the order of [`Record::COLUMNS`].
    const FIELDS: &'static [Field<Self>];

    /// What is said of a column.
    #[must_use]
    fn field(column: &str) -> Option<&'static Field<Self>> {
        Self::FIELDS.iter().find(|field| field.spec.column == column)
    }

    /// The columns that a sync may set.
    #[must_use]
    fn synced() -> impl Iterator<Item = &'static str> {
        Self::FIELDS.iter().map(|field| &field.spec).filter(|spec| spec.is_synced).map(|spec| spec.column)
    }

    /// Sets a column to a value in the form in which plans and history keep it.
    ///
    /// # Errors
    /// `Internal` for a column that a sync does not set, or a value of another type.
    fn assign(&mut self, column: &str, value: &Json) -> Result<()> {
        let field = Self::field(column).filter(|field| field.spec.is_synced);
        let field = field.ok_or_else(|| Error::internal(format!("a plan names the unknown column {column}")))?;
        let value = cell(value).ok_or_else(|| Error::internal(format!("a plan's {column} is a list or an object")))?;
        (field.write)(self, &value)
    }
}

fn cell(value: &Json) -> Option<Value> {
    match value {
        Json::Null => Some(Value::Null),
        Json::Bool(value) => Some((*value).into()),
        Json::Number(number) => number.as_i64().map(Value::Int).or_else(|| number.as_f64().map(Value::Real)),
        Json::String(text) => Some(text.into()),
        Json::Array(_) | Json::Object(_) => None,
    }
}

/// How many of these fields can be listed.
#[must_use]
pub const fn listed<E>(fields: &[Field<E>]) -> usize {
    let (mut at, mut count) = (0, 0);
    while at < fields.len() {
        if fields[at].spec.is_listed {
            count += 1;
        }
        at += 1;
    }
    count
}

/// The columns of a list: those of the fields, then the others. `N` is how many there are of both.
///
/// # Panics
/// When the program is compiled and `N` is another number.
#[must_use]
pub const fn columns<E, const N: usize>(fields: &[Field<E>], others: &[Column]) -> [Column; N] {
    let mut columns = [Column::text("", ""); N];
    let (mut at, mut to) = (0, 0);
    while at < fields.len() {
        if fields[at].spec.is_listed {
            columns[to] = fields[at].spec.list_column();
            to += 1;
        }
        at += 1;
    }
    at = 0;
    while at < others.len() {
        columns[to] = others[at];
        to += 1;
        at += 1;
    }
    assert!(to == N, "every column of the list is given");
    columns
}

/// The columns of a list of `$entity`: those of its fields that are `listed()`, and these others.
#[macro_export]
macro_rules! list_columns {
    ($entity:ty, $($other:expr),* $(,)?) => {{
        const OTHERS: &[$crate::db::list::Column] = &[$($other),*];
        const COUNT: usize = $crate::entity::listed(<$entity as $crate::entity::Entity>::FIELDS) + OTHERS.len();
        const ALL: [$crate::db::list::Column; COUNT] =
            $crate::entity::columns::<$entity, COUNT>(<$entity as $crate::entity::Entity>::FIELDS, OTHERS);
        &ALL
    }};
}
