//! A noun is a struct and its field table: what is said of a field is said in its one line, and reading, checking,
//! storing, listing and assigning it follow from there.
//!
//! ```ignore
//! crate::entity! {
//!     /// A device or any other thing that somebody uses.
//!     pub struct Asset: "asset", "Asset", "assets" {
//!         /// Its name; never null.
//!         hostname: String = text("Hostname").required().max(150).synced().listed().folded("asset.hostname_folded"),
//!     }
//! }
//! ```

pub mod address;
mod cell;
mod declare;
pub mod ending_store;
mod facet_store;
pub mod field;
pub mod noun_store;
pub mod once;
mod patch;
pub mod personal;
pub mod schema;
pub mod shape;
#[cfg(test)]
mod tests;

pub use cell::Cell;
pub use ending_store as ending;
pub use facet_store::Facet;
pub use field::{Field, FieldSpec, Format, Kind, Layout, Stands, Target};
pub use noun_store::{self as noun, Noun, Seen};
pub use patch::Patch;
pub use personal::redact;
pub use shape::{Holds, Members, Shaped};

use serde_json::Value as Json;

use crate::{
    db::{Value, list::Column},
    error::{Error, Result},
    history::Record,
};

/// A struct with a field table.
pub trait Fielded: Default + Sized + 'static {
    /// Its fields, in the order of the struct's.
    const FIELDS: &'static [Field<Self>];
    /// The columns among them that hold secrets.
    const SEALED: &'static [&'static str];

    /// What is said of a column.
    #[must_use]
    fn field(column: &str) -> Option<&'static Field<Self>> {
        Self::FIELDS.iter().find(|field| field.spec.column == column)
    }

    /// The fields under a heading, but for those that stand only where the other ones do.
    #[must_use]
    fn section(title: &str, other: Stands) -> impl Iterator<Item = &'static Field<Self>> {
        let here =
            move |field: &&Field<Self>| field.spec.section.is_some_and(|(under, stands)| under == title && stands != other);
        Self::FIELDS.iter().filter(here)
    }
}

/// A row with history and a field table. Written with [`entity!`](crate::entity).
pub trait Entity: Record + Fielded {
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

/// Puts the columns of a list that come from these fields into their places from `to` on; where the next ones begin.
pub const fn list<E>(columns: &mut [Column], mut to: usize, fields: &[Field<E>]) -> usize {
    let mut at = 0;
    while at < fields.len() {
        if fields[at].spec.is_listed {
            columns[to] = fields[at].spec.list_column();
            to += 1;
        }
        at += 1;
    }
    to
}

/// The columns of a list: those of the fields of these tables that are `listed()`, and these others.
#[macro_export]
macro_rules! list_columns {
    ($($part:ty),+; $($other:expr),* $(,)?) => {{
        use $crate::{db::list::Column as ListColumn, entity::{Fielded as Listed, list, listed}};
        const OTHERS: &[ListColumn] = &[$($other),*];
        const COUNT: usize = OTHERS.len() $(+ listed(<$part as Listed>::FIELDS))+;
        const ALL: [ListColumn; COUNT] = {
            let mut all = [ListColumn::text("", ""); COUNT];
            let mut to = 0;
            $(to = list(&mut all, to, <$part as Listed>::FIELDS);)+
            let mut at = 0;
            while at < OTHERS.len() {
                all[to + at] = OTHERS[at];
                at += 1;
            }
            all
        };
        &ALL
    }};
}
