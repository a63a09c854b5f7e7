//! Declares a noun, or what is kept beside it: the struct of the row and its field table from one list.

/// Declares an entity: each field is `name: Type = kind("Label").rule()…`, with the kinds and rules of
/// [`FieldSpec`](crate::entity::FieldSpec). As with [`record!`](crate::record), the type must have a `derived_columns`, and
/// one that is also found by what not everybody may search in names the function that makes that key (`private = …`).
#[macro_export]
macro_rules! entity {
    (
        $(#[$meta:meta])*
        pub struct $name:ident: $entity:literal, $what:literal, $table:literal $(, private = $private:ident)? {
            $($(#[$field_meta:meta])* $field:ident: $type:ty = $spec:expr,)+
        }
        $(secrets: $($secret:literal),+;)?
    ) => {
        $crate::record! {
            $(#[$meta])*
            pub struct $name: $entity, $what, $table $(, private = $private)? {
                $($(#[$field_meta])* $field: $type,)+
            }
            $(secrets: $($secret),+;)?
        }

        $crate::fielded! { $name: $entity { $($field: $type = $spec,)+ } $($($secret),+)? }

        impl $crate::entity::Entity for $name {}
    };
}

/// Declares what is kept beside an entity, one row for each of its rows, without history: the struct, its table (called
/// `$alias` in SQL), the column that names the entity's row, and its fields, as with [`entity!`](crate::entity).
#[macro_export]
macro_rules! facet {
    (
        $(#[$meta:meta])*
        pub struct $name:ident: $alias:literal, $table:literal, $key:literal {
            $($(#[$field_meta:meta])* $field:ident: $type:ty = $spec:expr,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)+
        }

        $crate::fielded! { $name: $alias { $($field: $type = $spec,)+ } }

        impl $crate::entity::Facet for $name {
            const ALIAS: &'static str = $alias;
            const TABLE: &'static str = $table;
            const KEY: &'static str = $key;
        }
    };
}

/// The field table of a struct whose columns are called `$alias.name` in SQL.
#[macro_export]
macro_rules! fielded {
    ($name:ident: $alias:literal { $($field:ident: $type:ty = $spec:expr,)+ } $($secret:literal),*) => {
        impl $crate::entity::Fielded for $name {
            const SEALED: &'static [&'static str] = &[$($secret),*];
            const FIELDS: &'static [$crate::entity::Field<Self>] = {
                use $crate::entity::field::kinds::*;
                &[$($crate::entity::Field {
                    spec: $spec.of(stringify!($field), concat!($alias, ".", stringify!($field)), <$type as $crate::entity::field::Stored>::AS),
                    read: |row| $crate::entity::field::Stored::cell(&row.$field),
                    write: |row, value| {
                        row.$field = $crate::db::FromValue::from_value(value)?;
                        Ok(())
                    },
                }),+]
            };
        }
    };
}
