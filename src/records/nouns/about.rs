//! Nouns that are about records of any kind: who may read them, and what the records are called.

use std::collections::{BTreeMap, BTreeSet};

use super::entities;
use crate::{
    compliance::RedactionPolicy,
    db::{Conn, Value},
    entity::{
        Noun, Seen,
        noun::{ABOUT_NAME, RECORD, besides},
    },
    error::{Error, Result},
    history::protection,
};

/// Whether whoever sees that much may read rows of this noun.
#[must_use]
pub fn may_read<E: Noun>(policy: &RedactionPolicy) -> bool {
    E::ABOUT.is_none() || policy.sees_all()
}

/// Refuses everybody else.
///
/// # Errors
/// `Forbidden`.
pub fn allow<E: Noun>(policy: &RedactionPolicy) -> Result<()> {
    let why = || format!("{} are for technicians, administrators and cleared services", E::DOOR.many);
    if may_read::<E>(policy) { Ok(()) } else { Err(Error::Forbidden(why())) }
}

/// Puts what the records are called beside rows that are about them.
pub fn name<E: Noun>(c: &mut Conn, rows: &mut [Seen<E>]) -> Result<()> {
    let Some(about) = E::ABOUT else { return Ok(()) };
    let Some(place) = besides::<E>().iter().position(|beside| beside.name == ABOUT_NAME) else { return Ok(()) };
    let mut ids: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
    for seen in rows.iter() {
        let (entity, id) = (about.record)(&seen.row);
        ids.entry(entity.to_owned()).or_default().insert(id);
    }
    let mut names = BTreeMap::new();
    for (entity, ids) in ids {
        for (id, name) in entities::named(&entity)?.called(c, ids.into_iter().collect())? {
            names.insert((entity.clone(), id), name);
        }
    }
    for seen in rows {
        let (entity, id) = (about.record)(&seen.row);
        let name = names.get(&(entity.to_owned(), id)).cloned();
        if let Some(beside) = seen.beside.get_mut(place) {
            *beside = name.map_or(Value::Null, Value::Text);
        }
    }
    Ok(())
}

/// Notes that rows about protected records are read.
pub fn log_disclosure<E: Noun>(c: &mut Conn, rows: &[Seen<E>], policy: &RedactionPolicy) -> Result<()> {
    if E::ABOUT.is_some() {
        let protected = protection::among(c, E::ENTITY, rows.iter().map(|seen| seen.row.id()).collect())?;
        policy.log_disclosure(E::ENTITY, protected);
    }
    Ok(())
}

/// The record that a row is about, when it is there; whose it is.
///
/// # Errors
/// `Invalid`, naming the field.
pub fn company<E: Noun>(c: &mut Conn, row: &E) -> Result<Option<i64>> {
    let Some(about) = E::ABOUT else { return Ok(None) };
    let (entity, id) = (about.record)(row);
    let known = entities::named(entity).ok().filter(|known| known.name() != E::ENTITY);
    let Some(known) = known else {
        let known: Vec<&str> = entities::ENTITIES.iter().map(|known| known.name()).filter(|name| *name != E::ENTITY).collect();
        return Err(Error::field(RECORD.0, format!("must be one of {}", known.join(", "))));
    };
    match known.find(c, id) {
        Err(Error::NotFound { .. }) => Err(Error::field(RECORD.1, format!("there is no {entity} {id}"))),
        Err(other) => Err(other),
        Ok(()) => known.company_of(c, id),
    }
}
