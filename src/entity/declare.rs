//! Declares a noun: the struct of its row, its history and its field table from one list.

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

        impl $crate::entity::Entity for $name {
            const FIELDS: &'static [$crate::entity::Field<Self>] = {
                use $crate::entity::field::kinds::*;
                &[$($crate::entity::Field {
                    spec: $spec.of(stringify!($field), concat!($entity, ".", stringify!($field)), <$type as $crate::entity::field::Stored>::AS),
                    read: |row| $crate::db::Value::from(&row.$field),
                    write: |row, value| {
                        row.$field = $crate::db::FromValue::from_value(value)?;
                        Ok(())
                    },
                }),+]
            };
        }
    };
}
