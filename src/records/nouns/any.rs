//! A noun whose type is known by its name alone: what the registry of all nouns holds.

use std::marker::PhantomData;

use serde_json::{Value as Json, json};

use super::{about, api, pages, panel, writes};
use crate::{
    companies::Company,
    compliance::RedactionPolicy,
    db::{
        Conn, Write,
        list::{ListQuery, ListSpec, Slice},
    },
    entity::{
        Entity, FieldSpec, Noun, Seen,
        noun::{self, Door, Paths},
        noun_store,
    },
    error::{Error, Result},
    history::{
        self, Record as _,
        feed::Change,
        undo::{self, Undone},
    },
    records::{merge, search::Searched},
    resource::Resource as _,
    ui::{Page, Section},
    web::{Fields, Routes, list},
};

/// What can be done with a row of which only the noun's name and the id are known.
pub trait AnyEntity: Sync {
    /// The word in history, links, pins and URLs.
    fn name(&self) -> &'static str;
    /// What people call one: "Company".
    fn what(&self) -> &'static str;
    /// Its table.
    fn table(&self) -> &'static str;
    /// What is said of its fields.
    fn specs(&self) -> Vec<&'static FieldSpec>;
    /// Fails unless there is such a row within the reader's scope.
    ///
    /// # Errors
    /// `NotFound`.
    fn find(&self, c: &mut Conn, id: i64) -> Result<()>;
    /// Takes a change of a row's own columns back, or of its life.
    ///
    /// # Errors
    /// As [`undo::row`].
    fn undo(&self, w: &mut Write<'_>, change: &Change) -> Result<Undone>;
    /// Makes the search keys of some of its rows after an id anew; the last of them. Nothing for a noun without such keys.
    fn rekey(&self, w: &mut Write<'_>, after: i64, most: i64) -> Result<Option<i64>>;
    /// Whose a row is, if it is one company's.
    fn company_of(&self, c: &mut Conn, id: i64) -> Result<Option<i64>>;
    /// What people call rows with these ids.
    fn called(&self, c: &mut Conn, ids: Vec<i64>) -> Result<Vec<(i64, String)>>;
    /// How many of its rows [`repoint`](Self::repoint) would move.
    fn moving(&self, c: &mut Conn, entity: &str, from: i64) -> Result<usize>;
    /// Lets its rows that lead to one record of another noun lead to another one; which they are.
    fn repoint(&self, w: &mut Write<'_>, entity: &str, from: i64, to: i64) -> Result<Vec<i64>>;
    /// Refuses two rows that cannot be one.
    ///
    /// # Errors
    /// `Conflict`.
    fn refuse_merge(&self, c: &mut Conn, into: i64, from: i64) -> Result<()>;
    /// Takes what is wanted of another row, which retires.
    ///
    /// # Errors
    /// `Invalid` for fields that there are not.
    fn absorb(&self, w: &mut Write<'_>, wanted: &merge::Wanted, pins: bool) -> Result<()>;
    /// The same as a noun of the one door, if it is one.
    fn noun(&self) -> Option<&dyn AnyNoun> {
        None
    }
}

/// What the one door does with a noun whose type is known by its name alone.
pub trait AnyNoun: AnyEntity {
    /// Where it is found.
    fn door(&self) -> Door;
    /// Its addresses.
    fn paths(&self) -> &'static Paths;
    /// Whether it is for the provider's own people alone.
    fn is_for_staff(&self) -> bool;
    /// Where its pages stand in the rail.
    fn section(&self) -> Section;
    /// Its list.
    fn list(&self) -> &'static ListSpec;
    /// Its routes: API and pages.
    fn routes(&self) -> Routes;
    /// Gives each of the rows that were asked for to a list, as it may be seen; how many there are on all pages.
    ///
    /// # Errors
    /// Those of the database and of the list.
    fn each(&self, c: &mut Conn, query: &ListQuery, policy: &RedactionPolicy, rows: &mut list::Rows) -> Result<i64>;
    /// One of its rows as an answer has it.
    ///
    /// # Errors
    /// `NotFound`.
    fn stands(&self, c: &mut Conn, id: i64) -> Result<Json>;
    /// Adds a row; its id.
    ///
    /// # Errors
    /// As [`writes::create`].
    fn create(&self, w: &mut Write<'_>, fields: Fields) -> Result<i64>;
    /// Changes the fields that were sent.
    ///
    /// # Errors
    /// As [`writes::update`].
    fn update(&self, w: &mut Write<'_>, id: i64, fields: Fields) -> Result<()>;
    /// At most so many of its rows that contain a text, for somebody who may see that much.
    ///
    /// # Errors
    /// When the text is too long.
    fn hits(&self, c: &mut Conn, text: &str, limit: i64, policy: &RedactionPolicy) -> Result<Vec<Json>>;
    /// How many of its rows contain a text, for somebody who may see that much.
    ///
    /// # Errors
    /// When the text is too long.
    fn count(&self, c: &mut Conn, text: &str, policy: &RedactionPolicy) -> Result<i64>;
    /// Its rows that belong to another noun's row, as that one's page shows them; nothing when none can.
    fn panel(&self, c: &mut Conn, page: &Page, whose: panel::Whose<'_>, policy: &RedactionPolicy)
    -> Result<Option<panel::Panel>>;
    /// The ids of its live rows that lead to another noun's row.
    fn attached(&self, c: &mut Conn, entity: &str, id: i64) -> Result<Vec<i64>>;
    /// Those of them that cannot be without that row.
    fn bound(&self, c: &mut Conn, entity: &str, id: i64) -> Result<Vec<i64>>;
    /// Retires those, and leaves the others as they are.
    fn retire_bound(&self, w: &mut Write<'_>, entity: &str, id: i64) -> Result<()>;
    /// Retires those of them that cannot be without that row, and lets the others go from it.
    fn release(&self, w: &mut Write<'_>, entity: &str, id: i64) -> Result<()>;
}

/// The entity `E` as an [`AnyEntity`].
pub struct Of<E>(PhantomData<fn() -> E>);

/// The entity `E` for the registry.
#[must_use]
pub const fn of<E: Entity>() -> Of<E> {
    Of(PhantomData)
}

impl<E: Entity> AnyEntity for Of<E> {
    fn name(&self) -> &'static str {
        E::ENTITY
    }

    fn what(&self) -> &'static str {
        E::WHAT
    }

    fn table(&self) -> &'static str {
        E::TABLE
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

    fn rekey(&self, w: &mut Write<'_>, after: i64, most: i64) -> Result<Option<i64>> {
        let has_keys = E::default().derived().iter().any(|(column, _)| *column == "search_text");
        if has_keys { history::rekey::<E>(w, after, most) } else { Ok(None) }
    }

    fn company_of(&self, c: &mut Conn, id: i64) -> Result<Option<i64>> {
        match () {
            () if E::ENTITY == Company::ENTITY => Ok(Some(id)),
            () if E::COLUMNS.contains(&"company_id") => noun_store::company_in::<E>(c, "company_id", id),
            () => Ok(None),
        }
    }

    fn moving(&self, c: &mut Conn, entity: &str, from: i64) -> Result<usize> {
        merge::moving::<E>(c, entity, from)
    }

    fn repoint(&self, w: &mut Write<'_>, entity: &str, from: i64, to: i64) -> Result<Vec<i64>> {
        merge::repoint::<E>(w, entity, from, to)
    }

    fn refuse_merge(&self, c: &mut Conn, into: i64, from: i64) -> Result<()> {
        merge::refuse::<E>(c, into, from)
    }

    fn absorb(&self, w: &mut Write<'_>, wanted: &merge::Wanted, pins: bool) -> Result<()> {
        merge::absorb::<E>(w, wanted, pins)
    }

    fn called(&self, c: &mut Conn, ids: Vec<i64>) -> Result<Vec<(i64, String)>> {
        let names = ["name", "hostname", "subject"];
        match names.into_iter().find(|name| E::COLUMNS.contains(name)) {
            Some(name) => noun_store::called::<E>(c, name, ids),
            None => Ok(ids.into_iter().map(|id| (id, format!("{} {id}", E::WHAT))).collect()),
        }
    }
}

/// The noun `E` of the one door.
pub struct OfNoun<E>(PhantomData<fn() -> E>);

/// The noun `E` of the one door for the registry.
#[must_use]
pub const fn noun<E: Noun>() -> OfNoun<E> {
    OfNoun(PhantomData)
}

impl<E: Noun> AnyEntity for OfNoun<E> {
    fn name(&self) -> &'static str {
        of::<E>().name()
    }

    fn what(&self) -> &'static str {
        of::<E>().what()
    }

    fn table(&self) -> &'static str {
        E::TABLE
    }

    fn specs(&self) -> Vec<&'static FieldSpec> {
        of::<E>().specs()
    }

    fn find(&self, c: &mut Conn, id: i64) -> Result<()> {
        of::<E>().find(c, id)
    }

    fn undo(&self, w: &mut Write<'_>, change: &Change) -> Result<Undone> {
        writes::undo::<E>(w, change)
    }

    fn rekey(&self, w: &mut Write<'_>, after: i64, most: i64) -> Result<Option<i64>> {
        of::<E>().rekey(w, after, most)
    }

    fn company_of(&self, c: &mut Conn, id: i64) -> Result<Option<i64>> {
        of::<E>().company_of(c, id)
    }

    fn moving(&self, c: &mut Conn, entity: &str, from: i64) -> Result<usize> {
        of::<E>().moving(c, entity, from)
    }

    fn repoint(&self, w: &mut Write<'_>, entity: &str, from: i64, to: i64) -> Result<Vec<i64>> {
        of::<E>().repoint(w, entity, from, to)
    }

    fn refuse_merge(&self, c: &mut Conn, into: i64, from: i64) -> Result<()> {
        of::<E>().refuse_merge(c, into, from)
    }

    fn absorb(&self, w: &mut Write<'_>, wanted: &merge::Wanted, pins: bool) -> Result<()> {
        of::<E>().absorb(w, wanted, pins)
    }

    fn called(&self, c: &mut Conn, ids: Vec<i64>) -> Result<Vec<(i64, String)>> {
        Ok(noun::some::<E>(c, ids)?.iter().map(|seen| (seen.row.id(), seen.title())).collect())
    }

    fn noun(&self) -> Option<&dyn AnyNoun> {
        Some(self)
    }
}

fn searched<E: Noun>(c: &mut Conn, text: &str, limit: i64, policy: &RedactionPolicy) -> Result<Searched> {
    let list = ListQuery::everything(noun::list::<E>())?;
    let query = list.clone().with_slice(Some(Slice { limit, offset: 0 })).with_search(text)?;
    let query = about::by_shown::<E>(c, query, policy)?;
    Searched::new(c, query, list, text, policy)
}

impl<E: Noun> AnyNoun for OfNoun<E> {
    fn door(&self) -> Door {
        E::DOOR
    }

    fn paths(&self) -> &'static Paths {
        Paths::of::<E>()
    }

    fn is_for_staff(&self) -> bool {
        E::ABOUT.is_some()
    }

    fn section(&self) -> Section {
        pages::section::<E>()
    }

    fn list(&self) -> &'static ListSpec {
        noun::list::<E>()
    }

    fn routes(&self) -> Routes {
        api::routes::<E>().merge(pages::routes::<E>())
    }

    fn each(&self, c: &mut Conn, query: &ListQuery, policy: &RedactionPolicy, rows: &mut list::Rows) -> Result<i64> {
        api::each::<E>(c, query, policy, rows)
    }

    fn stands(&self, c: &mut Conn, id: i64) -> Result<Json> {
        serde_json::to_value(noun::get::<E>(c, id)?).map_err(Error::internal)
    }

    fn create(&self, w: &mut Write<'_>, fields: Fields) -> Result<i64> {
        writes::create::<E>(w, &Self::read(fields, true)?)
    }

    fn update(&self, w: &mut Write<'_>, id: i64, fields: Fields) -> Result<()> {
        writes::update::<E>(w, id, &Self::read(fields, false)?, None).map(drop)
    }

    fn hits(&self, c: &mut Conn, text: &str, limit: i64, policy: &RedactionPolicy) -> Result<Vec<Json>> {
        if !about::may_read::<E>(policy) {
            return Ok(Vec::new());
        }
        let found = searched::<E>(c, text, limit, policy)?.first(c, |seen: &Seen<E>| seen.row.id(), noun::view::<E>)?;
        about::log_disclosure(c, &found, policy)?;
        let hit = |seen: &Seen<E>| {
            json!({
                "type": E::ENTITY, "id": seen.row.id(), "name": seen.title(),
                "company_id": seen.account_number, "company_name": seen.company_name,
            })
        };
        Ok(found.iter().map(hit).collect())
    }

    fn count(&self, c: &mut Conn, text: &str, policy: &RedactionPolicy) -> Result<i64> {
        if about::may_read::<E>(policy) { searched::<E>(c, text, 1, policy)?.count(c) } else { Ok(0) }
    }

    fn panel(
        &self,
        c: &mut Conn,
        page: &Page,
        whose: panel::Whose<'_>,
        policy: &RedactionPolicy,
    ) -> Result<Option<panel::Panel>> {
        panel::of::<E>(c, page, whose, policy)
    }

    fn attached(&self, c: &mut Conn, entity: &str, id: i64) -> Result<Vec<i64>> {
        writes::attached::<E>(c, entity, id)
    }

    fn bound(&self, c: &mut Conn, entity: &str, id: i64) -> Result<Vec<i64>> {
        writes::bound::<E>(c, entity, id)
    }

    fn retire_bound(&self, w: &mut Write<'_>, entity: &str, id: i64) -> Result<()> {
        writes::retire_bound::<E>(w, entity, id)
    }

    fn release(&self, w: &mut Write<'_>, entity: &str, id: i64) -> Result<()> {
        writes::release::<E>(w, entity, id)
    }
}
