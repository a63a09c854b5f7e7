//! What a record looks like in answers: the fields of its tables, and what is made of them.

use std::{collections::HashMap, sync::Arc};

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use utoipa::{
    PartialSchema as _,
    openapi::{
        RefOr, Schema, Type,
        schema::{AdditionalProperties, AnyOfBuilder, ArrayBuilder, ObjectBuilder, SchemaType},
    },
};

use super::{Cell, Entity, Field, FieldSpec, Fielded, Kind, Layout};
use crate::web::openapi::values::Scalar;

/// How a member is read from a record.
pub type Read<V> = Arc<dyn for<'a> Fn(&'a V) -> Cell<'a> + Send + Sync>;

/// What a member of an answer holds, as the API description says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holds {
    kind: Json,
    is_nullable: bool,
    description: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Json {
    Text,
    Int,
    Real,
    Flag,
    Nested(Layout),
}

impl Holds {
    /// Text.
    pub const TEXT: Self = Self::some(Json::Text);
    /// A whole number.
    pub const INT: Self = Self::some(Json::Int);
    /// A number.
    pub const REAL: Self = Self::some(Json::Real);
    /// True or false.
    pub const FLAG: Self = Self::some(Json::Flag);
    /// A list of texts.
    pub const TEXTS: Self = Self::some(Json::Nested(Layout::Texts));

    const fn some(kind: Json) -> Self {
        Self { kind, is_nullable: false, description: None }
    }

    /// The same, or null.
    #[must_use]
    pub const fn or_null(mut self) -> Self {
        self.is_nullable = true;
        self
    }

    /// What a field of a table holds.
    #[must_use]
    pub fn of(spec: &FieldSpec) -> Self {
        let kind = match spec.kind {
            Kind::Int | Kind::Reference(_) => Json::Int,
            Kind::Decimal(_) => Json::Real,
            Kind::Flag => Json::Flag,
            Kind::Json(layout) => Json::Nested(layout),
            _ => Json::Text,
        };
        Self { kind, is_nullable: spec.is_nullable, description: Some(spec.label) }
    }

    fn schema(self) -> RefOr<Schema> {
        let one = |kind: Type| if self.is_nullable { SchemaType::from_iter([kind, Type::Null]) } else { SchemaType::Type(kind) };
        let object = || ObjectBuilder::new().description(self.description);
        match self.kind {
            Json::Text => object().schema_type(one(Type::String)).into(),
            Json::Int => object().schema_type(one(Type::Integer)).into(),
            Json::Real => object().schema_type(one(Type::Number)).into(),
            Json::Flag => object().schema_type(one(Type::Boolean)).into(),
            Json::Nested(Layout::Texts) => {
                let texts = ArrayBuilder::new().items(ObjectBuilder::new().schema_type(Type::String));
                texts.schema_type(one(Type::Array)).description(self.description).into()
            }
            Json::Nested(Layout::NamedTexts) => {
                let text = ObjectBuilder::new().schema_type(Type::String);
                object().schema_type(one(Type::Object)).additional_properties(Some(text)).into()
            }
            Json::Nested(Layout::Choices) => {
                let several = ArrayBuilder::new().items(Scalar::schema());
                let choice = AnyOfBuilder::new().item(ObjectBuilder::new().schema_type(Type::Boolean)).item(several);
                object().schema_type(one(Type::Object)).additional_properties(Some(Schema::from(choice.build()))).into()
            }
            Json::Nested(Layout::AsSent) => {
                let named = AdditionalProperties::<Schema>::FreeForm(true);
                let anything = ObjectBuilder::new().schema_type(SchemaType::AnyValue);
                let sent = AnyOfBuilder::new()
                    .description(self.description)
                    .item(ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(named)))
                    .item(ArrayBuilder::new().items(anything));
                let null = || ObjectBuilder::new().schema_type(Type::Null);
                let sent = if self.is_nullable { sent.item(null()) } else { sent };
                sent.into()
            }
        }
    }
}

/// The members of a record's answers, in their order.
pub struct Members<V> {
    first: &'static [&'static str],
    /// Whether those are all.
    is_closed: bool,
    names: Vec<&'static str>,
    holds: Vec<Holds>,
    reads: Vec<Read<V>>,
}

impl<V> std::fmt::Debug for Members<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Members").field(&self.names).finish()
    }
}

/// A record with such members. Written with [`shaped!`](crate::shaped).
pub trait Shaped: Sized + 'static {
    /// Its members.
    fn members() -> &'static Members<Self>;

    /// Their names, in their order.
    #[must_use]
    fn names() -> &'static [&'static str] {
        &Self::members().names
    }
}

impl<V: 'static> Members<V> {
    /// No members yet; those with these names will stand first, in this order, and the others follow in the order in
    /// which they are added.
    #[must_use]
    pub fn first(names: &'static [&'static str]) -> Self {
        Self { first: names, is_closed: false, names: Vec::new(), holds: Vec::new(), reads: Vec::new() }
    }

    /// No members yet; of those that are added, the ones with these names will stand in this order, and no others.
    #[must_use]
    pub fn only(names: &'static [&'static str]) -> Self {
        Self { is_closed: true, ..Self::first(names) }
    }

    /// The members of a record that this one contains.
    #[must_use]
    pub fn within<P: Shaped>(self, of: fn(&V) -> &P) -> Self {
        let inner = P::members();
        let members = inner.names.iter().zip(inner.holds.iter().zip(&inner.reads));
        members.fold(self, |all, (name, (holds, read))| all.with(name, *holds, Arc::new(move |view| read(of(view)))))
    }

    /// The member `of` under another name as well.
    #[must_use]
    pub fn also(self, name: &'static str, of: &str) -> Self {
        match self.names.iter().position(|known| *known == of) {
            Some(at) => {
                let (holds, read) = (self.holds[at], Arc::clone(&self.reads[at]));
                self.with(name, holds, read)
            }
            None => self,
        }
    }

    /// A record's bookkeeping and fields.
    #[must_use]
    pub fn record<E: Entity>(self, of: fn(&V) -> &E) -> Self {
        self.with("id", Holds::INT, Arc::new(move |view| of(view).id().into()))
            .part(of)
            .with("created_at", Holds::TEXT, Arc::new(move |view| of(view).created_at().into()))
            .with("updated_at", Holds::TEXT, Arc::new(move |view| of(view).updated_at().into()))
            .with("retired_at", Holds::TEXT.or_null(), Arc::new(move |view| of(view).retired_at().into()))
            .with("rev", Holds::INT, Arc::new(move |view| of(view).rev().into()))
    }

    /// The fields of a table; secrets stand in no answer.
    #[must_use]
    pub fn part<P: Fielded>(mut self, of: fn(&V) -> &P) -> Self {
        let told = |field: &&Field<P>| !field.spec.is_internal && !P::SEALED.contains(&field.spec.column);
        for field in P::FIELDS.iter().filter(told) {
            let (read, holds) = (field.read, Holds::of(&field.spec));
            self = match field.spec.kind {
                Kind::Json(_) => self.with(field.spec.emitted, holds, Arc::new(move |view| read(of(view)).embedded())),
                Kind::Decimal(places) => {
                    self.with(field.spec.emitted, holds, Arc::new(move |view| read(of(view)).of_parts(places)))
                }
                _ => self.with(field.spec.emitted, holds, Arc::new(move |view| read(of(view)))),
            };
        }
        self
    }

    /// A member that is made of others, or another value for one that is there.
    #[must_use]
    pub fn member(self, name: &'static str, holds: Holds, read: fn(&V) -> Cell<'_>) -> Self {
        self.with(name, holds, Arc::new(read))
    }

    /// The same, read by a function that knows more than its record.
    #[must_use]
    pub fn computed(self, name: &'static str, holds: Holds, read: Read<V>) -> Self {
        self.with(name, holds, read)
    }

    fn with(mut self, name: &'static str, holds: Holds, read: Read<V>) -> Self {
        match self.names.iter().position(|known| *known == name) {
            Some(at) => (self.holds[at], self.reads[at]) = (holds, read),
            None => {
                self.names.push(name);
                self.holds.push(holds);
                self.reads.push(read);
            }
        }
        self
    }

    /// The members in their order.
    #[must_use]
    pub fn done(self) -> Self {
        let order: HashMap<&str, usize> = self.first.iter().enumerate().map(|(place, name)| (*name, place)).collect();
        let members = self.names.into_iter().zip(self.holds.into_iter().zip(self.reads));
        let mut members: Vec<_> = members.filter(|(name, _)| !self.is_closed || order.contains_key(name)).collect();
        members.sort_by_key(|(name, _)| order.get(name).copied().unwrap_or(usize::MAX));
        let (names, parts): (_, Vec<_>) = members.into_iter().unzip();
        let (holds, reads) = parts.into_iter().unzip();
        Self { first: self.first, is_closed: self.is_closed, names, holds, reads }
    }

    /// What a record looks like in JSON, for the API description. Every member is always there.
    #[must_use]
    pub fn schema(&self) -> Schema {
        let members = self.names.iter().zip(&self.holds);
        let object =
            members.fold(ObjectBuilder::new(), |object, (name, holds)| object.property(*name, holds.schema()).required(*name));
        object.build().into()
    }

    /// Writes a record as a JSON object.
    pub fn write<S: Serializer>(&self, view: &V, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("", self.names.len())?;
        for (name, read) in self.names.iter().zip(&self.reads) {
            object.serialize_field(name, &read(view))?;
        }
        object.end()
    }
}

/// A record with these members alone.
#[derive(Debug)]
pub struct Only<'a, V>(pub &'a V, pub &'static [&'static str]);

impl<V: Shaped> Serialize for Only<'_, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let members = V::members();
        let mut object = serializer.serialize_struct("", self.1.len())?;
        for (name, read) in members.names.iter().zip(&members.reads).filter(|(name, _)| self.1.contains(name)) {
            object.serialize_field(name, &read(self.0))?;
        }
        object.end()
    }
}

/// Declares what a record looks like in answers: `shaped! { View: Members::first(…).record(|view| &view.row)… }`.
#[macro_export]
macro_rules! shaped {
    ($view:ty: $members:expr) => {
        impl $crate::entity::Shaped for $view {
            fn members() -> &'static $crate::entity::Members<Self> {
                static MEMBERS: std::sync::LazyLock<$crate::entity::Members<$view>> =
                    std::sync::LazyLock::new(|| $members.done());
                &MEMBERS
            }
        }

        impl serde::Serialize for $view {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                <Self as $crate::entity::Shaped>::members().write(self, serializer)
            }
        }

        impl utoipa::PartialSchema for $view {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                <Self as $crate::entity::Shaped>::members().schema().into()
            }
        }

        impl utoipa::ToSchema for $view {}
    };
}
