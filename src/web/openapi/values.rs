//! What fields hold whose type only their record knows, as the API description says it.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema, Type,
        schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, SchemaType},
    },
};

/// A value by itself: text, a number, true or false, or nothing.
#[derive(Clone, Debug)]
pub struct Scalar(pub serde_json::Value);

impl PartialSchema for Scalar {
    fn schema() -> RefOr<Schema> {
        scalar().description(Some("Text, a number, true or false, or null.")).into()
    }
}

impl ToSchema for Scalar {}

/// What a field holds: a value by itself; of what hangs on a record (its tags, its place in a company) several of them, in a
/// list or by their names.
#[derive(Clone, Copy, Debug)]
pub struct Held;

impl PartialSchema for Held {
    fn schema() -> RefOr<Schema> {
        let several = || ArrayBuilder::new().items(scalar());
        let named = ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(Schema::from(AnyOfBuilder::new().item(scalar()).item(several()).build())));
        AnyOfBuilder::new()
            .description(Some("What the field holds: of the field's own type."))
            .item(scalar())
            .item(several())
            .item(named)
            .into()
    }
}

impl ToSchema for Held {}

/// A field before and after a change.
#[derive(Clone, Copy, Debug, ToSchema)]
pub struct OldAndNew {
    /// What it held.
    pub old: Held,
    /// What it holds since.
    pub new: Held,
}

/// What a change tells of a field: both its values, that they are withheld, or whether it is pinned.
#[derive(Clone, Copy, Debug)]
pub struct ChangedField;

impl PartialSchema for ChangedField {
    fn schema() -> RefOr<Schema> {
        let flag = |name: &str| {
            let flag = ObjectBuilder::new().schema_type(Type::Boolean);
            ObjectBuilder::new().schema_type(Type::Object).property(name, flag).required(name)
        };
        AnyOfBuilder::new().item(OldAndNew::schema()).item(flag("withheld")).item(flag("pinned")).into()
    }
}

impl ToSchema for ChangedField {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        OldAndNew::schemas(schemas);
    }
}

fn scalar() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Number, Type::Boolean, Type::Null]))
}
