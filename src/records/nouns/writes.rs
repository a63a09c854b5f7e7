//! How a noun of the one door is written: what it refers to, whose it is, and what leads to it.

use std::collections::BTreeMap;

use super::{about, any::OfNoun, api, entities};
use crate::web::openapi::Schemas;
use crate::{
    auth::{Caller, Editor},
    companies::{Company, store as companies},
    compliance::RedactionPolicy,
    config::Config,
    db::{
        Conn, Value, Write,
        list::{ListQuery, ListSpec},
    },
    entity::{
        Noun, Patch, Seen,
        noun::{self, RECORD, references},
    },
    error::{Error, FieldError, Result},
    history::{
        self, Record as _,
        feed::Change,
        undo::{self, Undone},
    },
    records::merge,
    resource::{
        Resource,
        dependents::{Dependent, Moved, still_attached},
    },
    web::{Fields, Query, Reference, Sent},
};

/// Why a row retires that cannot be without another one.
const WITH_ITS_RECORD: &str = "retired with what it belongs to";
/// The column that says whose a row is.
const COMPANY: &str = "company_id";

/// What was sent for a noun, checked as far as that goes without other rows.
#[derive(Debug)]
pub struct Input<E: Noun> {
    patch: Patch<E>,
    company: Sent<Reference>,
}

impl<E: Noun> Resource for OfNoun<E> {
    type Row = E;
    type Key = i64;
    type Whose = ();
    type View = RedactionPolicy;
    type Input = Input<E>;
    type Shown = Seen<E>;
    type Writer = Editor;
    type Retirer = Editor;

    fn view(caller: &Caller, config: &Config, query: &Query) -> Result<RedactionPolicy> {
        let policy = RedactionPolicy::of(caller, config, query)?;
        about::allow::<E>(&policy)?;
        Ok(policy)
    }

    fn id(_: &mut Conn, key: &i64) -> Result<i64> {
        Ok(*key)
    }

    fn path(key: &i64) -> String {
        format!("/api/{}/{key}", E::DOOR.api)
    }

    fn list() -> Option<&'static ListSpec> {
        Some(noun::list::<E>())
    }

    fn chosen(c: &mut Conn, (): &(), query: ListQuery, parameters: &Query, policy: &RedactionPolicy) -> Result<Vec<i64>> {
        let query = api::Asked::read::<E>(parameters)?.narrow::<E>(c, &query)?;
        let query = about::by_shown::<E>(c, query, policy)?;
        query.first(c, |row| Ok(E::from_row(row, 0)?.id()))
    }

    fn body(schemas: &mut Schemas, creating: bool) -> serde_json::Value {
        super::api::body::<E>(schemas, creating)
    }

    fn read(mut fields: Fields, creating: bool) -> Result<Input<E>> {
        fields.set_creating(creating);
        let patch = Patch::read(&mut fields)?;
        for secret in E::SEALED {
            if fields.has(secret) {
                fields.refuse(*secret, "is a secret: it is not sent with other fields, but to an address of its own");
            }
        }
        // Whose a note is follows from its record.
        let company = if E::ABOUT.is_some() {
            Sent::Absent
        } else if fields.has("company_account_number") && !fields.has(COMPANY) {
            fields.key("company_account_number").max(50).not_null().get().map(Reference::Key)
        } else {
            fields.reference(COMPANY).max(50).not_null().get()
        };
        fields.finish()?;
        Ok(Input { patch, company })
    }

    fn create(w: &mut Write<'_>, (): &(), input: &Input<E>, _: &RedactionPolicy) -> Result<i64> {
        create(w, input)
    }

    fn update(w: &mut Write<'_>, id: i64, input: &Input<E>, rev: Option<i64>, policy: &RedactionPolicy) -> Result<bool> {
        if policy.strikes() {
            about::refuse_struck::<E>(&history::get(w, id)?, |name| input.patch.has(name), policy)?;
        }
        update(w, id, input, rev)
    }

    /// What leads to it stands in the way unless `force`: then what cannot be without it retires with it, and the rest lets it go.
    fn retire(w: &mut Write<'_>, id: i64, force: bool) -> Result<()> {
        history::get::<E>(w, id)?;
        let attached = attached_to(w, E::ENTITY, id)?;
        if !attached.is_empty() && !force {
            return Err(still_attached(&attached));
        }
        release_all(w, E::ENTITY, id)?;
        history::retire::<E>(w, id, None).map(drop)
    }

    fn restore(w: &mut Write<'_>, id: i64) -> Result<()> {
        let mut row = history::get::<E>(w, id)?;
        fit(w, &mut row, E::COLUMNS)?;
        history::restore::<E>(w, id, None).map(drop)
    }

    fn answer(c: &mut Conn, id: i64, policy: &RedactionPolicy) -> Result<Seen<E>> {
        let mut seen = [noun::get::<E>(c, id)?];
        about::complete(c, &mut seen, policy)?;
        let [seen] = seen;
        Ok(seen)
    }

    fn rev(shown: &Seen<E>) -> i64 {
        shown.row.rev()
    }

    fn warnings(c: &mut Conn, shown: &Seen<E>) -> Result<Vec<String>> {
        shown.row.warnings(c)
    }
}

/// Adds a row; its id. Whose it is follows from what it refers to when nobody says so.
pub fn create<E: Noun>(w: &mut Write<'_>, input: &Input<E>) -> Result<i64> {
    let mut row = E::default();
    input.patch.apply(&mut row)?;
    row.written_by(w.actor());
    if E::ABOUT.is_some() {
        fit(w, &mut row, &sent(input))?;
        return history::create(w, &row, None).map(|row| row.id());
    }
    let company = match &input.company {
        Sent::Value(reference) => companies::resolve(w, COMPANY, reference)?,
        Sent::Absent | Sent::Null => company_of_references(w, &row)?.ok_or_else(|| Error::field(COMPANY, "is required"))?,
    };
    set(&mut row, COMPANY, company)?;
    fit(w, &mut row, &[&sent(input)[..], &[COMPANY]].concat())?;
    history::create(w, &row, None).map(|row| row.id())
}

/// Changes the fields that were sent; whether any is another one now.
pub fn update<E: Noun>(w: &mut Write<'_>, id: i64, input: &Input<E>, rev: Option<i64>) -> Result<bool> {
    let before = history::get::<E>(w, id)?;
    if rev.is_some_and(|rev| rev != before.rev()) {
        return Err(Error::PreconditionFailed);
    }
    let mut row = before.clone();
    input.patch.apply(&mut row)?;
    if let (Sent::Value(reference), None) = (&input.company, E::ABOUT) {
        set(&mut row, COMPANY, companies::resolve(w, COMPANY, reference)?)?;
    }
    let moves = row.company_id() != before.company_id();
    let attached = if moves && E::ABOUT.is_none() { attached_to(w, E::ENTITY, id)? } else { BTreeMap::new() };
    if !attached.is_empty() {
        return Err(still_attached(&attached));
    }
    // Who moves elsewhere must fit there with everything; else only what is sent anew has to.
    let changed = |column: &&str| moves || E::field(column).is_some_and(|field| (field.read)(&row) != (field.read)(&before));
    let sent: Vec<&'static str> = E::COLUMNS.iter().copied().filter(changed).collect();
    fit(w, &mut row, &sent)?;
    let updated = history::update(w, id, None, None, |stored| {
        *stored = row;
        Ok(())
    })?;
    Ok(!updated.changed.is_empty())
}

/// Takes a change of a row back, by the rules that hold for it now.
pub fn undo<E: Noun>(w: &mut Write<'_>, change: &Change) -> Result<Undone> {
    let fits = match change.action.as_str() {
        "create" | "restore" => match attached_to(w, E::ENTITY, change.entity_id)? {
            attached if attached.is_empty() => Ok(()),
            attached => Err(still_attached(&attached)),
        },
        "retire" => history::get::<E>(w, change.entity_id).and_then(|mut row| fit(w, &mut row, E::COLUMNS)),
        _ => Ok(()),
    };
    match fits {
        Ok(()) => undo::row::<E>(w, change),
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. } | Error::NotFound { .. })) => {
            Ok(Undone::Refused(error.to_string()))
        }
        Err(other) => Err(other),
    }
}

/// How many live rows of the one door's nouns lead to a row, by noun; empty when none do.
fn attached_to(c: &mut Conn, entity: &str, id: i64) -> Result<BTreeMap<&'static str, i64>> {
    let mut found = BTreeMap::new();
    for noun in entities::nouns() {
        let count = noun.attached(c, entity, id)?.len();
        if count > 0 {
            found.insert(noun.door().api, i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
    Ok(found)
}

/// Lets every row of the one door's nouns go from a row that is about to retire.
fn release_all(w: &mut Write<'_>, entity: &str, id: i64) -> Result<()> {
    entities::nouns().try_for_each(|noun| noun.release(w, entity, id))
}

/// The columns that lead to rows of another noun, and whether a row can be without.
fn leading<E: Noun>(entity: &str) -> Vec<(&'static str, bool)> {
    // What somebody wrote about a record stays with it.
    if E::ABOUT.is_some() {
        return Vec::new();
    }
    if entity == Company::ENTITY {
        return vec![(COMPANY, false)];
    }
    let leading = references::<E>().filter(|(_, to)| to.entity == entity);
    leading.map(|(field, _)| (field.spec.column, !E::is_bound_by(field.spec.column))).collect()
}

/// The rows of the one door's nouns that lead to a record of any kind.
pub struct Leading;

impl Dependent for Leading {
    fn attached(&self, c: &mut Conn, entity: &str, id: i64) -> Result<Vec<(&'static str, i64)>> {
        Ok(attached_to(c, entity, id)?.into_iter().collect())
    }

    fn bound(&self, c: &mut Conn, entity: &str, id: i64) -> Result<Vec<(&'static str, i64)>> {
        let mut found = Vec::new();
        for noun in entities::nouns() {
            let count = noun.bound(c, entity, id)?.len();
            found.push((noun.door().api, i64::try_from(count).unwrap_or(i64::MAX)));
        }
        Ok(found)
    }

    fn retire_bound(&self, w: &mut Write<'_>, entity: &str, id: i64) -> Result<()> {
        entities::nouns().try_for_each(|noun| noun.retire_bound(w, entity, id))
    }

    fn release(&self, w: &mut Write<'_>, entity: &str, id: i64) -> Result<()> {
        release_all(w, entity, id)
    }

    fn moving(&self, c: &mut Conn, entity: &str, from: i64) -> Result<usize> {
        merge::count(c, entity, from)
    }

    fn hand_over(&self, w: &mut Write<'_>, entity: &str, from: i64, to: i64) -> Result<Vec<Moved>> {
        merge::hand_over(w, entity, from, to)
    }
}

/// As [`AnyNoun::bound`](super::AnyNoun::bound).
pub fn bound<E: Noun>(c: &mut Conn, entity: &str, id: i64) -> Result<Vec<i64>> {
    let mut found = Vec::new();
    for (column, _) in leading::<E>(entity).into_iter().filter(|(_, can_be_without)| !can_be_without) {
        found.extend(noun::ids_where::<E>(c, column, id)?);
    }
    Ok(found)
}

/// As [`AnyNoun::retire_bound`](super::AnyNoun::retire_bound).
pub fn retire_bound<E: Noun>(w: &mut Write<'_>, entity: &str, id: i64) -> Result<()> {
    for row in bound::<E>(w, entity, id)? {
        release_all(w, E::ENTITY, row)?;
        history::retire::<E>(w, row, Some(WITH_ITS_RECORD))?;
    }
    Ok(())
}

/// As [`AnyNoun::attached`](super::AnyNoun::attached).
pub fn attached<E: Noun>(c: &mut Conn, entity: &str, id: i64) -> Result<Vec<i64>> {
    let mut found = Vec::new();
    for (column, _) in leading::<E>(entity) {
        found.extend(noun::ids_where::<E>(c, column, id)?);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// As [`AnyNoun::release`](super::AnyNoun::release).
pub fn release<E: Noun>(w: &mut Write<'_>, entity: &str, id: i64) -> Result<()> {
    for (column, can_be_without) in leading::<E>(entity) {
        for row in noun::ids_where::<E>(w, column, id)? {
            if can_be_without {
                history::update(w, row, None, Some("what it referred to was retired"), |row: &mut E| {
                    set(row, column, Value::Null)
                })?;
            } else {
                release_all(w, E::ENTITY, row)?;
                history::retire::<E>(w, row, Some(WITH_ITS_RECORD))?;
            }
        }
    }
    Ok(())
}

fn set<E: Noun>(row: &mut E, column: &str, value: impl Into<Value>) -> Result<()> {
    let field = E::field(column).ok_or_else(|| Error::internal(format!("{} has no {column}", E::ENTITY)))?;
    (field.write)(row, &value.into())
}

fn sent<E: Noun>(input: &Input<E>) -> Vec<&'static str> {
    E::COLUMNS.iter().copied().filter(|column| input.patch.has(column)).collect()
}

fn company_of_references<E: Noun>(c: &mut Conn, row: &E) -> Result<Option<i64>> {
    for (field, to) in references::<E>() {
        if let Value::Int(id) = (field.read)(row).into()
            && let Some(Some(company)) = noun::company_of(c, to, id)?
        {
            return Ok(Some(company));
        }
    }
    Ok(None)
}

/// Holds a row that is about to be stored to what it refers to and to its room's own rules.
fn fit<E: Noun>(c: &mut Conn, row: &mut E, sent: &[&'static str]) -> Result<()> {
    if E::ABOUT.is_none() && sent.contains(&COMPANY) && history::get::<Company>(c, row.company_id())?.retired_at().is_some() {
        return Err(Error::field(COMPANY, "this company is retired"));
    }
    let mut wrong = Vec::new();
    for (field, to) in references::<E>().filter(|(field, _)| sent.contains(&field.spec.column)) {
        let Value::Int(id) = (field.read)(row).into() else { continue };
        let why = match noun::company_of(c, to, id)? {
            None => format!("there is no {} {id}", to.what),
            Some(company) if company != Some(row.company_id()) && !noun::is_of(c, to, id, row.company_id())? => {
                format!("{} {id} is another company's", to.what)
            }
            Some(_) if to.entity == E::ENTITY && id == row.id() => "cannot be itself".to_owned(),
            Some(_) => continue,
        };
        wrong.push(FieldError { field: field.spec.name.to_owned(), message: why });
    }
    if let Some(about) = E::ABOUT.filter(|_| sent.contains(&RECORD.0) || sent.contains(&RECORD.1)) {
        let company = about::company(c, row)?;
        (about.belong)(row, company);
    }
    if wrong.is_empty() { row.check(c, sent) } else { Err(Error::Invalid(wrong)) }
}
