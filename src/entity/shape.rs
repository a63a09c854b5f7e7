//! What a record looks like in answers: the fields of its tables, and what is made of them.

use std::{collections::HashMap, sync::Arc};

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use super::{Cell, Entity, Field, Fielded, Kind};

/// How a member is read from a record.
pub type Read<V> = Arc<dyn for<'a> Fn(&'a V) -> Cell<'a> + Send + Sync>;

/// The members of a record's answers, in their order.
pub struct Members<V> {
    first: &'static [&'static str],
    /// Whether those are all.
    is_closed: bool,
    names: Vec<&'static str>,
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
        Self { first: names, is_closed: false, names: Vec::new(), reads: Vec::new() }
    }

    /// No members yet; of those that are added, the ones with these names will stand in this order, and no others.
    #[must_use]
    pub fn only(names: &'static [&'static str]) -> Self {
        Self { is_closed: true, ..Self::first(names) }
    }

    /// The members of a record that this one contains.
    #[must_use]
    pub fn within<P: Shaped>(self, of: fn(&V) -> &P) -> Self {
        let members = P::members().names.iter().zip(&P::members().reads);
        members.fold(self, |all, (name, read)| all.with(name, Arc::new(move |view| read(of(view)))))
    }

    /// The member `of` under another name as well.
    #[must_use]
    pub fn also(self, name: &'static str, of: &str) -> Self {
        match self.names.iter().position(|known| *known == of) {
            Some(at) => {
                let read = Arc::clone(&self.reads[at]);
                self.with(name, read)
            }
            None => self,
        }
    }

    /// A record's bookkeeping and fields.
    #[must_use]
    pub fn record<E: Entity>(self, of: fn(&V) -> &E) -> Self {
        self.with("id", Arc::new(move |view| of(view).id().into()))
            .part(of)
            .with("created_at", Arc::new(move |view| of(view).created_at().into()))
            .with("updated_at", Arc::new(move |view| of(view).updated_at().into()))
            .with("retired_at", Arc::new(move |view| of(view).retired_at().into()))
            .with("rev", Arc::new(move |view| of(view).rev().into()))
    }

    /// The fields of a table; secrets stand in no answer.
    #[must_use]
    pub fn part<P: Fielded>(mut self, of: fn(&V) -> &P) -> Self {
        let told = |field: &&Field<P>| !field.spec.is_internal && !P::SEALED.contains(&field.spec.column);
        for field in P::FIELDS.iter().filter(told) {
            let read = field.read;
            self = match field.spec.kind {
                Kind::Json => self.with(field.spec.emitted, Arc::new(move |view| read(of(view)).embedded())),
                Kind::Decimal(places) => self.with(field.spec.emitted, Arc::new(move |view| read(of(view)).of_parts(places))),
                _ => self.with(field.spec.emitted, Arc::new(move |view| read(of(view)))),
            };
        }
        self
    }

    /// A member that is made of others, or another value for one that is there.
    #[must_use]
    pub fn member(self, name: &'static str, read: fn(&V) -> Cell<'_>) -> Self {
        self.with(name, Arc::new(read))
    }

    /// The same, read by a function that knows more than its record.
    #[must_use]
    pub fn computed(self, name: &'static str, read: Read<V>) -> Self {
        self.with(name, read)
    }

    fn with(mut self, name: &'static str, read: Read<V>) -> Self {
        match self.names.iter().position(|known| *known == name) {
            Some(at) => self.reads[at] = read,
            None => {
                self.names.push(name);
                self.reads.push(read);
            }
        }
        self
    }

    /// The members in their order.
    #[must_use]
    pub fn done(self) -> Self {
        let order: HashMap<&str, usize> = self.first.iter().enumerate().map(|(place, name)| (*name, place)).collect();
        let members = self.names.into_iter().zip(self.reads);
        let mut members: Vec<_> = members.filter(|(name, _)| !self.is_closed || order.contains_key(name)).collect();
        members.sort_by_key(|(name, _)| order.get(name).copied().unwrap_or(usize::MAX));
        let (names, reads) = members.into_iter().unzip();
        Self { first: self.first, is_closed: self.is_closed, names, reads }
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
    };
}
