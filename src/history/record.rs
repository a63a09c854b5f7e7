//! What a domain row must tell about itself so that history can be kept of it.

use serde_json::Value as Json;

use crate::db::{Conn, Row, Value};
use crate::error::Result;

/// A row whose every change is recorded. Written with [`record!`](crate::record), so that a column is
/// named once and not in four places (struct, column list, reading, writing) that could drift apart.
pub trait Record: Clone + Send + Sized + 'static {
    /// The word in `changes.entity`, links, pins and URLs.
    const ENTITY: &'static str;
    /// The word for people, capitalised ("Company").
    const WHAT: &'static str;
    /// The table.
    const TABLE: &'static str;
    /// The columns kept in history, in the order of [`Record::values`].
    const COLUMNS: &'static [&'static str];
    /// Those among them that hold secrets, sealed: history tells when they change and never what they hold.
    const SECRETS: &'static [&'static str];
    /// All columns joined by commas, after the bookkeeping columns: what `SELECT` lists.
    const SELECT: &'static str;

    /// Whether it has a `private_text` that it is found by, which not everybody may search in.
    const PRIVATE: bool = false;

    /// The row's id; 0 before it is created.
    fn id(&self) -> i64;
    /// How often the row has been changed; what `If-Match` compares.
    fn rev(&self) -> i64;
    /// When it was created here.
    fn created_at(&self) -> &str;
    /// When it was last changed here.
    fn updated_at(&self) -> &str;
    /// When it was retired, if it is.
    fn retired_at(&self) -> Option<&str>;
    /// Is now the row as it was changed for the `rev`th time.
    fn stamp(&mut self, rev: i64, updated_at: &str);
    /// The values of [`Record::COLUMNS`].
    fn values(&self) -> Vec<Value>;
    /// Reads a row selected as [`Record::SELECT`], starting at `offset`.
    ///
    /// # Errors
    /// `Internal` when a column holds another type.
    fn from_row(row: &Row, offset: usize) -> Result<Self>;
    /// Columns computed from the others (folded text), never shown and not kept in history.
    fn derived(&self) -> Vec<(&'static str, Value)>;
    /// What the row is found by by those who may see it (`private_text`), where it has that column.
    fn private(&self, _c: &mut Conn) -> Result<Option<String>> {
        Ok(None)
    }
    /// How many cells [`Record::SELECT`] takes.
    #[must_use]
    fn width() -> usize {
        Self::COLUMNS.len() + 5
    }
}

/// What is told of a secret's two sides, in history and in plans: whether there is one, and that it changed.
#[must_use]
pub fn told_of_secret(old: &Json, new: &Json) -> (Json, Json) {
    let old = if old.is_null() { Json::Null } else { Json::from("set") };
    let new = match (&old, new) {
        (_, Json::Null) => Json::Null,
        (Json::Null, _) => Json::from("set"),
        _ => Json::from("changed"),
    };
    (old, new)
}

/// Declares a row: its struct and its [`Record`] plumbing. The type must have a
/// `fn derived_columns(&self) -> Vec<(&'static str, Value)>`; one that is also found by what not everybody
/// may search in names the function that makes that key (`private = …`). After the struct may follow
/// `secrets: "column", …;`.
#[macro_export]
macro_rules! record {
    (
        $(#[$meta:meta])*
        pub struct $name:ident: $entity:literal, $what:literal, $table:literal $(, private = $private:ident)? {
            $($(#[$field_meta:meta])* $first:ident: $first_type:ty,)+
        }
        $(secrets: $($secret:literal),+;)?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            /// The row's id, stable for ever and within 32 bits.
            pub id: i64,
            /// How often it has been changed.
            pub rev: i64,
            /// When it was created here.
            pub created_at: String,
            /// When it was last changed here.
            pub updated_at: String,
            /// When it was retired, if it is.
            pub retired_at: Option<String>,
            $($(#[$field_meta])* pub $first: $first_type,)+
        }

        impl $crate::history::Record for $name {
            const ENTITY: &'static str = $entity;
            const WHAT: &'static str = $what;
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($first)),+];
            const SECRETS: &'static [&'static str] = &[$($($secret),+)?];
            const SELECT: &'static str = concat!(
                $entity, ".id, ", $entity, ".rev, ", $entity, ".created_at, ", $entity, ".updated_at, ", $entity, ".retired_at"
                $(, ", ", $entity, ".", stringify!($first))+
            );

            fn id(&self) -> i64 { self.id }
            fn rev(&self) -> i64 { self.rev }
            fn created_at(&self) -> &str { &self.created_at }
            fn updated_at(&self) -> &str { &self.updated_at }
            fn retired_at(&self) -> Option<&str> { self.retired_at.as_deref() }
            fn stamp(&mut self, rev: i64, updated_at: &str) {
                self.rev = rev;
                updated_at.clone_into(&mut self.updated_at);
            }
            fn values(&self) -> Vec<$crate::db::Value> {
                vec![$($crate::db::Value::from(&self.$first)),+]
            }
            fn from_row(row: &$crate::db::Row, offset: usize) -> $crate::error::Result<Self> {
                let mut at = offset + 4;
                $(let $first = { at += 1; row.get(at)? };)+
                Ok(Self {
                    id: row.get(offset)?,
                    rev: row.get(offset + 1)?,
                    created_at: row.get(offset + 2)?,
                    updated_at: row.get(offset + 3)?,
                    retired_at: row.get(offset + 4)?,
                    $($first,)+
                })
            }
            fn derived(&self) -> Vec<(&'static str, $crate::db::Value)> { self.derived_columns() }
            $(const PRIVATE: bool = stringify!($private).len() > 0;
            fn private(&self, c: &mut $crate::db::Conn) -> $crate::error::Result<Option<String>> { self.$private(c).map(Some) })?
        }
    };
}
