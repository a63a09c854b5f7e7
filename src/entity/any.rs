//! An entity whose type is known by its name alone: what a registry of all nouns holds.

use super::{Entity, FieldSpec};
use crate::{
    db::{Conn, Write},
    error::Result,
    history::{
        self,
        feed::Change,
        undo::{self, Undone},
    },
};
use std::marker::PhantomData;

/// What can be done with a row of which only the noun's name and the id are known.
pub trait AnyEntity: Sync {
    /// The word in history, links, pins and URLs.
    fn name(&self) -> &'static str;
    /// What is said of its fields.
    fn specs(&self) -> Vec<&'static FieldSpec>;
    /// Fails unless there is such a row within the reader's scope.
    ///
    /// # Errors
    /// `NotFound`, or those of the engine.
    fn find(&self, c: &mut Conn, id: i64) -> Result<()>;
    /// Takes a change of a row's own columns back, or of its life.
    ///
    /// # Errors
    /// As [`undo::row`].
    fn undo(&self, w: &mut Write<'_>, change: &Change) -> Result<Undone>;
}

/// The entity `E` as an [`AnyEntity`].
pub struct Of<E>(PhantomData<fn() -> E>);

/// The entity `E` for a registry.
#[must_use]
pub const fn of<E: Entity>() -> Of<E> {
    Of(PhantomData)
}

impl<E: Entity> AnyEntity for Of<E> {
    fn name(&self) -> &'static str {
        E::ENTITY
    }

    fn specs(&self) -> Vec<&'static FieldSpec> {
        E::FIELDS.iter().map(|field| &field.spec).collect()
    }

    fn find(&self, c: &mut Conn, id: i64) -> Result<()> {
        history::get::<E>(c, id).map(|_| ())
    }

    fn undo(&self, w: &mut Write<'_>, change: &Change) -> Result<Undone> {
        undo::row::<E>(w, change)
    }
}
