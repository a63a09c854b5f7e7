//! What stands beside a noun's rows and is read once they are there: what the records are called that they are about, and the
//! names of people to whom they refer, as far as the policy lets them be told. Who may read nouns that are about anybody.

use std::collections::{BTreeMap, BTreeSet};

use super::entities;
use crate::{
    compliance::{RedactionPolicy, found_by_shown, trail},
    db::{Conn, Value, list::ListQuery},
    entity::{
        Cell, Field, Kind, Noun, Seen,
        noun::{self, ABOUT_NAME, RECORD, besides, references},
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

/// Whether anything is put beside rows of this noun once they are there.
#[must_use]
pub fn is_gathered<E: Noun>() -> bool {
    E::ABOUT.is_some() || refers_to_people::<E>()
}

/// Whether its rows refer to people.
#[must_use]
pub fn refers_to_people<E: Noun>() -> bool {
    references::<E>().any(|(_, to)| to.are_people)
}

/// The fields of a noun in which somebody has written at length, and perhaps of somebody.
fn written<E: Noun>() -> impl Iterator<Item = &'static Field<E>> {
    let is_written = |field: &&Field<E>| matches!(field.spec.kind, Kind::Long(_) | Kind::Markdown(_));
    E::FIELDS.iter().filter(is_written).filter(|field| !E::SEALED.contains(&field.spec.column))
}

/// Takes out of a row's texts what the second net strikes for this caller.
pub fn strike<E: Noun>(row: &mut E, policy: &RedactionPolicy) {
    for field in written::<E>().filter(|_| policy.strikes()) {
        let shown = match (field.read)(row) {
            Cell::Text(text) => policy.screen(&text),
            _ => continue,
        };
        // A text in the place of a text is always taken.
        let _always_fits = (field.write)(row, &Value::Text(shown));
    }
}

/// Refuses to set texts of which this caller does not see everything.
///
/// # Errors
/// `Forbidden`, naming the field.
pub fn refuse_struck<E: Noun>(before: &E, is_sent: impl Fn(&str) -> bool, policy: &RedactionPolicy) -> Result<()> {
    for field in written::<E>().filter(|field| is_sent(field.spec.name)) {
        if let Cell::Text(text) = (field.read)(before) {
            policy.refuse_screened(field.spec.name, Some(&text.into_owned()))?;
        }
    }
    Ok(())
}

/// The question without rows that a search finds by what is struck from their texts.
pub fn by_shown<E: Noun>(c: &mut Conn, query: ListQuery, policy: &RedactionPolicy) -> Result<ListQuery> {
    let struck: Vec<&'static str> = written::<E>().map(|field| field.spec.sql).collect();
    if struck.is_empty() {
        return Ok(query);
    }
    found_by_shown::<E>(c, query, policy, &struck, |row| strike(row, policy))
}

/// Puts beside rows what stands elsewhere, as this caller may see it; what of protected records they read is noted.
pub fn complete<E: Noun>(c: &mut Conn, rows: &mut [Seen<E>], policy: &RedactionPolicy) -> Result<()> {
    rows.iter_mut().for_each(|seen| strike(&mut seen.row, policy));
    name(c, rows)?;
    name_people(c, rows, policy)?;
    log_disclosure(c, rows, policy)
}

fn name_people<E: Noun>(c: &mut Conn, rows: &mut [Seen<E>], policy: &RedactionPolicy) -> Result<()> {
    for (column, to) in besides::<E>().iter().filter_map(|beside| beside.names.filter(|(_, to)| to.are_people)) {
        let Some(field) = E::field(column) else { continue };
        let id = |seen: &Seen<E>| if let Cell::Int(id) = (field.read)(&seen.row) { Some(id) } else { None };
        let ids: BTreeSet<i64> = rows.iter().filter_map(id).collect();
        let named = noun::names(c, to, ids.into_iter().collect())?;
        let names: BTreeMap<i64, String> = trail::names(c, named, policy)?.into_iter().collect();
        let told = besides::<E>().iter().find(|beside| beside.names.is_some_and(|(known, _)| known == column));
        for seen in rows.iter_mut() {
            let name = id(seen).and_then(|id| names.get(&id)).filter(|name| !name.is_empty()).cloned();
            if let Some(told) = told {
                seen.put(told.name, name.map_or(Value::Null, Value::Text));
            }
        }
    }
    Ok(())
}

/// Puts what the records are called beside rows that are about them.
fn name<E: Noun>(c: &mut Conn, rows: &mut [Seen<E>]) -> Result<()> {
    let Some(about) = E::ABOUT else { return Ok(()) };
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
        seen.put(ABOUT_NAME, name.map_or(Value::Null, Value::Text));
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

/// The kinds of records that rows of this noun are about.
#[must_use]
pub fn known<E: Noun>() -> Vec<&'static str> {
    entities::ENTITIES.iter().map(|known| known.name()).filter(|name| *name != E::ENTITY).collect()
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
        return Err(Error::field(RECORD.0, format!("must be one of {}", self::known::<E>().join(", "))));
    };
    match known.find(c, id) {
        Err(Error::NotFound { .. }) => Err(Error::field(RECORD.1, format!("there is no {entity} {id}"))),
        Err(other) => Err(other),
        Ok(()) => known.company_of(c, id),
    }
}
