//! What is made once for each type: a `static` inside a generic function is one for all of them.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::{LazyLock, PoisonError, RwLock},
};

type Made = &'static (dyn Any + Send + Sync);

/// The one `T` that belongs to `E`, made at its first use and kept for ever.
pub fn of_type<E: 'static, T: Send + Sync + 'static>(make: impl FnOnce() -> T) -> &'static T {
    static ALL: LazyLock<RwLock<HashMap<(TypeId, TypeId), Made>>> = LazyLock::new(RwLock::default);
    let key = (TypeId::of::<E>(), TypeId::of::<T>());
    let known = ALL.read().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
    if let Some(made) = known.and_then(<dyn Any + Send + Sync>::downcast_ref) {
        return made;
    }
    // Two that make it at the same time leave one behind that nobody uses.
    let made: &'static T = Box::leak(Box::new(make()));
    ALL.write().unwrap_or_else(PoisonError::into_inner).insert(key, made);
    made
}

/// A text that lasts as long as the program: of those there are as many as nouns.
#[must_use]
pub fn lasting(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}
