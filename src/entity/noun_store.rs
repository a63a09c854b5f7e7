//! A noun of a company that the one door (`records/nouns`) reads and writes: its room declares it, and its addresses, lists,
//! answers, pages, forms, search and panels follow.

use std::{borrow::Cow, sync::Arc};

use serde::{Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::{
    Cell, Entity, Field, Holds, Kind, Members, Shaped, Target,
    ending::Days,
    once::{lasting, of_type},
};
use crate::{
    db::{
        Conn, Row, Value,
        list::{Column, Kind as ListKind, ListSpec, Search},
    },
    error::{Error, Result},
    params,
    types::{Actor, SearchText},
    ui::Section,
};

/// Where a noun is found, and what people call it.
#[derive(Clone, Copy, Debug)]
pub struct Door {
    /// Its list below `/api/` and below a company, and its part of a search: `subnets`.
    pub api: &'static str,
    /// Its list page without the last slash: `/network/subnets`.
    pub page: &'static str,
    /// One of them: `subnet`.
    pub one: &'static str,
    /// Several of them: `subnets`.
    pub many: &'static str,
    /// The member of its answers by which people know one.
    pub title: &'static str,
    /// The order of its list, as `sort=` would say it.
    pub sort: &'static str,
}

/// What answers and lists tell beside a row's own fields.
#[derive(Clone, Copy, Debug)]
pub struct Beside {
    /// The member.
    pub name: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// Where it comes from, in SQL over the row.
    pub sql: &'static str,
    /// What it holds.
    pub kind: ListKind,
    /// Whether a list page shows it unless somebody chooses otherwise.
    pub is_usual: bool,
    /// The reference of which this is the name: its column and what it leads to.
    pub names: Option<(&'static str, &'static Target)>,
    /// Whether yes and no mean online and offline.
    pub is_presence: bool,
}

impl Beside {
    /// A text or number that a list page can show.
    #[must_use]
    pub const fn new(name: &'static str, label: &'static str, sql: &'static str, kind: ListKind) -> Self {
        Self { name, label, sql, kind, is_usual: false, names: None, is_presence: false }
    }

    /// The same, whose yes and no mean online and offline.
    #[must_use]
    pub const fn presence(mut self) -> Self {
        self.is_presence = true;
        self
    }

    /// Whether it is put beside rows once they are there, and so can neither be asked by nor sorted by.
    fn is_put(&self) -> bool {
        self.sql == PUT
    }

    fn holds(&self) -> Holds {
        let kind = match self.kind {
            ListKind::Text | ListKind::Time => Holds::TEXT,
            ListKind::Int => Holds::INT,
            ListKind::Real => Holds::REAL,
            ListKind::Bool => Holds::FLAG,
        };
        kind.or_null()
    }

    /// The same, shown unless somebody chooses otherwise.
    #[must_use]
    pub const fn usual(mut self) -> Self {
        self.is_usual = true;
        self
    }
}

/// The SQL of what is put beside rows once they are there.
const PUT: &str = "CAST(NULL AS TEXT)";

/// The day on which a noun's rows end, where that is told as one of four states ([`super::ending`]).
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// The field with the day.
    pub column: &'static str,
    /// The same in SQL.
    pub sql: &'static str,
    /// The state's name in answers and questions.
    pub name: &'static str,
    /// Its name for people.
    pub label: &'static str,
}

/// How a noun that is about a record of any kind says so; its fields `entity` and `entity_id` name the record.
pub struct About<E> {
    /// The noun and the id of the record.
    pub record: for<'a> fn(&'a E) -> (&'a str, i64),
    /// Notes whose the record is.
    pub belong: fn(&mut E, Option<i64>),
    /// What the record's page shows of it.
    pub card: for<'a> fn(&'a E) -> Card<'a>,
}

/// What somebody wrote, as a record's page shows it.
#[derive(Clone, Copy, Debug)]
pub struct Card<'a> {
    /// The text, in Markdown.
    pub body: &'a str,
    /// Who wrote it.
    pub by: &'a str,
    /// When it was last changed.
    pub at: &'a str,
    /// Whether it stands before the others.
    pub is_pinned: bool,
}

/// The noun of the record in a row about one, and its id.
pub const RECORD: (&str, &str) = ("entity", "entity_id");
/// What that record is called, told beside the row.
pub const ABOUT_NAME: &str = "record_name";

/// A noun of a company. Its table has a `company_id`, a `search_text`, and on SQLite a trigram table beside it.
pub trait Noun: Entity + Sync {
    /// Where it is found.
    const DOOR: Door;
    /// What is told beside its fields; the names of what it refers to are told anyway.
    const BESIDE: &'static [Beside] = &[];
    /// Nothing here redacts yet, so nothing here may tell of people; held when the program is compiled.
    const OPEN: () = assert!(super::personal::count(Self::FIELDS) == 0, "a noun of the one door tells of nobody");
    /// Where its pages stand in the rail; nouns of one place are tabs of each other.
    const SECTION: Section = Section::Network;
    /// When its rows end, where they do.
    const ENDS: Option<Ends> = None;
    /// What there is about all of a company's rows: what it is called, and its address below the company's page.
    const OVERVIEW: Option<(&'static str, &'static str)> = None;
    /// Fields of which a new row has one.
    const ONE_OF: &'static [&'static str] = &[];
    /// What it is about, when that is a record of any kind. Such a noun is for the provider's own people and for services
    /// that may see everything: what stands in it can be about anybody.
    const ABOUT: Option<About<Self>> = None;
    /// The nouns that those are read from.
    const READS: &'static [&'static str] = &[];

    /// Whose it is; 0 before that is known.
    fn company_id(&self) -> i64;

    /// Rules over several fields or rows, for a row that is about to be stored; `sent` are the columns that were sent. What
    /// follows from them can be set here.
    ///
    /// # Errors
    /// `Invalid`, naming the field.
    fn check(&mut self, _c: &mut Conn, _sent: &[&'static str]) -> Result<()> {
        Ok(())
    }

    /// Whether a row is nothing without what this reference leads to, and so retires with it.
    #[must_use]
    fn is_bound_by(column: &str) -> bool {
        Self::field(column).is_some_and(|field| !field.spec.is_nullable)
    }

    /// Notes who makes a row.
    fn written_by(&mut self, _actor: &Actor) {}

    /// What is odd about a stored row without being wrong, as sentences.
    fn warnings(&self, _c: &mut Conn) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}

/// The addresses of a noun.
#[derive(Clone, Copy, Debug)]
pub struct Paths {
    /// `/api/subnets`
    pub list: &'static str,
    /// `/api/subnets/{id}`
    pub one: &'static str,
    /// `/api/subnets/{id}/restore`
    pub restore: &'static str,
    /// `/api/companies/{acct}/subnets`
    pub of_company: &'static str,
    /// `/network/subnets/`
    pub page: &'static str,
    /// `/network/subnets/new`
    pub page_new: &'static str,
    /// `/network/subnets/{id}`
    pub page_one: &'static str,
    /// `/network/subnets/{id}/edit`
    pub page_edit: &'static str,
    /// `/network/subnets/{id}/retire`
    pub page_retire: &'static str,
    /// `/network/subnets/{id}/restore`
    pub page_restore: &'static str,
}

impl Paths {
    /// Those of this noun.
    #[must_use]
    pub fn of<E: Noun>() -> &'static Self {
        of_type::<E, Self>(|| {
            let Door { api, page, .. } = E::DOOR;
            Self {
                list: lasting(format!("/api/{api}")),
                one: lasting(format!("/api/{api}/{{id}}")),
                restore: lasting(format!("/api/{api}/{{id}}/restore")),
                of_company: lasting(format!("/api/companies/{{acct}}/{api}")),
                page: lasting(format!("{page}/")),
                page_new: lasting(format!("{page}/new")),
                page_one: lasting(format!("{page}/{{id}}")),
                page_edit: lasting(format!("{page}/{{id}}/edit")),
                page_retire: lasting(format!("{page}/{{id}}/retire")),
                page_restore: lasting(format!("{page}/{{id}}/restore")),
            }
        })
    }
}

/// A noun's row as it is told.
#[derive(Clone, Debug)]
pub struct Seen<E> {
    /// The row.
    pub row: E,
    /// Its company's number.
    pub account_number: Option<String>,
    /// Its company's name.
    pub company_name: Option<String>,
    /// What stands beside it, in the order of [`besides`].
    pub beside: Vec<Value>,
}

impl<E: Noun> Seen<E> {
    /// What stands beside it under this name.
    #[must_use]
    pub fn beside(&self, name: &str) -> Option<&Value> {
        besides::<E>().iter().zip(&self.beside).find_map(|(beside, value)| (beside.name == name).then_some(value))
    }

    /// Puts a value beside it under this name.
    pub fn put(&mut self, name: &str, value: Value) {
        if let Some(at) = besides::<E>().iter().position(|beside| beside.name == name)
            && let Some(place) = self.beside.get_mut(at)
        {
            *place = value;
        }
    }

    /// What people know it by.
    #[must_use]
    pub fn title(&self) -> String {
        let own = E::FIELDS.iter().find(|field| field.spec.emitted == E::DOOR.title).map(|field| (field.read)(&self.row));
        let cell = own.or_else(|| self.beside(E::DOOR.title).map(Cell::from)).unwrap_or(Cell::Null);
        cell.text().map_or_else(|| format!("{} {}", E::WHAT, self.row.id()), str::to_owned)
    }
}

impl<E: Noun> Shaped for Seen<E> {
    fn members() -> &'static Members<Self> {
        of_type::<E, Members<Self>>(|| {
            let first = Members::first(&["id", "company_id", "company_account_number", "company_name"])
                .record(|seen: &Self| &seen.row)
                // The account number, as everywhere in neighbours' JSON.
                .member("company_id", Holds::TEXT.or_null(), |seen| seen.account_number.as_deref().into())
                .member("company_account_number", Holds::TEXT.or_null(), |seen| seen.account_number.as_deref().into())
                .member("company_name", Holds::TEXT.or_null(), |seen| seen.company_name.as_deref().into());
            let besides = besides::<E>().iter().enumerate();
            besides
                .fold(first, |all, (at, beside)| {
                    all.computed(
                        beside.name,
                        beside.holds(),
                        Arc::new(move |seen| seen.beside.get(at).map_or(Cell::Null, Cell::from)),
                    )
                })
                .done()
        })
    }
}

impl<E: Noun> PartialSchema for Seen<E> {
    fn schema() -> RefOr<Schema> {
        Self::members().schema().into()
    }
}

impl<E: Noun> ToSchema for Seen<E> {
    fn name() -> Cow<'static, str> {
        let word = |word: &str| word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default();
        E::ENTITY.split('_').map(word).collect::<String>().into()
    }
}

impl<E: Noun> Serialize for Seen<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        Self::members().write(self, serializer)
    }
}

/// The fields of a noun that refer to rows of others, and to which.
pub fn references<E: Noun>() -> impl Iterator<Item = (&'static Field<E>, &'static Target)> {
    E::FIELDS.iter().filter_map(|field| match field.spec.kind {
        Kind::Reference(to) => Some((field, to)),
        _ => None,
    })
}

/// What is told beside a noun's fields: its own besides, and the names of what it refers to.
#[must_use]
pub fn besides<E: Noun>() -> &'static [Beside] {
    of_type::<E, Vec<Beside>>(|| {
        let names = references::<E>().map(|(field, to)| {
            let spec = &field.spec;
            let sql = if to.are_people {
                // As far as the policy lets it be told.
                PUT.to_owned()
            } else {
                format!("(SELECT named.{} FROM @{} named WHERE named.id = {})", to.title, to.table, spec.sql)
            };
            let name = format!("{}_name", spec.emitted.trim_end_matches("_id"));
            Beside {
                name: lasting(name),
                label: spec.label,
                sql: lasting(sql),
                kind: ListKind::Text,
                is_usual: spec.is_usual,
                names: Some((spec.column, to)),
                is_presence: false,
            }
        });
        // Of which table it is depends on the row; whoever knows all nouns puts it there.
        let about = E::ABOUT.map(|_| Beside::new(ABOUT_NAME, "Record", PUT, ListKind::Text).usual());
        let ends = E::ENDS.map(|ends| Beside::new(ends.name, ends.label, PUT, ListKind::Text).usual());
        E::BESIDE.iter().copied().chain(ends).chain(about).chain(names).collect()
    })
}

fn select<E: Noun>() -> String {
    let besides = besides::<E>().iter().map(|beside| beside.sql);
    [E::SELECT, "company.account_number", "company.name"].into_iter().chain(besides).collect::<Vec<_>>().join(", ")
}

/// A noun's table beside its companies.
fn from<E: Noun>() -> String {
    let (table, alias) = (E::TABLE, E::ENTITY);
    format!("@{table} {alias} LEFT JOIN @companies company ON company.id = {alias}.company_id")
}

fn fields<E: Noun>() -> &'static [&'static str] {
    Seen::<E>::names()
}

/// A noun's list.
#[must_use]
pub fn list<E: Noun>() -> &'static ListSpec {
    let () = E::OPEN;
    of_type::<E, ListSpec>(|| {
        let alias = E::ENTITY;
        let of_row = |column: &str| lasting(format!("{alias}.{column}"));
        let mut columns: Vec<Column> =
            E::FIELDS.iter().filter(|field| field.spec.is_listed).map(|field| field.spec.list_column()).collect();
        columns.extend([
            Column::new("id", of_row("id"), ListKind::Int).required(),
            Column::text("company_id", "company.account_number"),
            Column::text("company_account_number", "company.account_number"),
            Column::text("company_name", "company.name").folded("company.name_folded"),
            Column::new("created_at", of_row("created_at"), ListKind::Time).required(),
            Column::new("updated_at", of_row("updated_at"), ListKind::Time).required(),
        ]);
        let known = besides::<E>().iter().filter(|beside| !beside.is_put());
        columns.extend(known.map(|beside| Column::new(beside.name, beside.sql, beside.kind)));
        let mut entities = vec![alias, "company"];
        entities.extend(references::<E>().map(|(_, to)| to.entity));
        entities.extend(E::READS);
        let mut own = vec!["company_id", "company_account_number"];
        if let Some(ends) = E::ENDS {
            own.extend([ends.name, lasting(format!("{}__in", ends.name))]);
        }
        ListSpec {
            entities: Vec::leak(entities),
            select: select::<E>,
            from: lasting(from::<E>()),
            key: of_row("id"),
            columns: Vec::leak(columns),
            default_sort: E::DOOR.sort,
            search: Some(Search { fts: lasting(format!("{}_fts", E::TABLE)), text: of_row("search_text"), private: None }),
            retired: Some(of_row("retired_at")),
            own: Vec::leak(own),
            fields: fields::<E>,
        }
    })
}

/// Reads a row of a noun's list.
///
/// # Errors
/// `Internal` when a column holds another type.
pub fn view<E: Noun>(row: &Row) -> Result<Seen<E>> {
    let at = E::width();
    let beside = |(place, beside): (usize, &Beside)| match beside.kind {
        // SQLite knows numbers alone.
        ListKind::Bool => row.get::<Option<bool>>(at + 2 + place).map(|yes| yes.map_or(Value::Null, Value::Bool)),
        _ => row.get(at + 2 + place),
    };
    let mut seen = Seen {
        row: E::from_row(row, 0)?,
        account_number: row.get(at)?,
        company_name: row.get(at + 1)?,
        beside: besides::<E>().iter().enumerate().map(beside).collect::<Result<_>>()?,
    };
    if let Some(ends) = E::ENDS {
        let day = E::field(ends.column).and_then(|field| (field.read)(&seen.row).text().map(str::to_owned));
        seen.put(ends.name, Days::now().state(day.as_deref()).as_str().into());
    }
    Ok(seen)
}

/// One of a noun's rows.
///
/// # Errors
/// `NotFound`.
pub fn get<E: Noun>(c: &mut Conn, id: i64) -> Result<Seen<E>> {
    let sql = format!("SELECT {} FROM {} WHERE {}.id = ?1", select::<E>(), from::<E>(), E::ENTITY);
    c.first(&sql, params![id])?.map(|row| view(&row)).transpose()?.ok_or(Error::NotFound { what: E::WHAT })
}

/// Those of a noun's rows that have these ids.
pub fn some<E: Noun>(c: &mut Conn, ids: Vec<i64>) -> Result<Vec<Seen<E>>> {
    let sql = format!("SELECT {} FROM {} WHERE {}.id IN ids(?1)", select::<E>(), from::<E>(), E::ENTITY);
    c.map(&sql, params![ids], view)
}

/// The first company of somebody.
const FIRST_OF_PERSON: &str = "(SELECT place.company_id FROM @contact_companies place WHERE place.contact_id = named.id
    ORDER BY place.is_primary DESC, place.company_id LIMIT 1)";

/// Whose row this is that a field refers to, of a person the first company; none for one that is not there any more, or not
/// within the scope.
pub fn company_of(c: &mut Conn, to: &Target, id: i64) -> Result<Option<Option<i64>>> {
    let company = if to.are_people { FIRST_OF_PERSON } else { "named.company_id" };
    let sql = format!("SELECT {company} FROM @{} named WHERE named.id = ?1 AND named.retired_at IS NULL", to.table);
    c.first(&sql, params![id])?.map(|row| row.get(0)).transpose()
}

/// Whether a row that a field refers to is (also) this company's.
pub fn is_of(c: &mut Conn, to: &Target, id: i64, company: i64) -> Result<bool> {
    let sql = format!("SELECT 1 FROM @{} named WHERE named.id = ?1 AND {}", to.table, belongs(to, "?2"));
    Ok(c.first(&sql, params![id, company])?.is_some())
}

/// That a row which is referred to is a company's, as a condition.
fn belongs(to: &Target, company: &str) -> String {
    if to.are_people {
        format!("named.id IN (SELECT place.contact_id FROM @contact_companies place WHERE place.company_id = {company})")
    } else {
        format!("named.company_id = {company}")
    }
}

/// The rows of a company that a field can refer to, with their names, at most `most`.
pub fn choices(c: &mut Conn, to: &Target, company: i64, most: i64) -> Result<Vec<(i64, String)>> {
    let sql = format!(
        "SELECT named.id, named.{} FROM @{} named WHERE {} AND named.retired_at IS NULL ORDER BY 2, 1 LIMIT ?2",
        to.title,
        to.table,
        belongs(to, "?1")
    );
    c.map(&sql, params![company, most], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The names of the rows behind such ids.
pub fn names(c: &mut Conn, to: &Target, ids: Vec<i64>) -> Result<Vec<(i64, String)>> {
    let sql = format!("SELECT named.id, named.{} FROM @{} named WHERE named.id IN ids(?1)", to.title, to.table);
    c.map(&sql, params![ids], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The ids of a noun's live rows whose column holds this id, such as those of a company.
pub fn ids_where<E: Noun>(c: &mut Conn, column: &str, id: i64) -> Result<Vec<i64>> {
    let sql = format!("SELECT row.id FROM @{} row WHERE row.{column} = ?1 AND row.retired_at IS NULL ORDER BY row.id", E::TABLE);
    c.map(&sql, params![id], |row| row.get(0))
}

/// The ids of all rows of a noun whose column holds this id, retired ones too.
pub fn ids_leading<E: Entity>(c: &mut Conn, column: &str, id: i64) -> Result<Vec<i64>> {
    let sql = format!("SELECT row.id FROM @{} row WHERE row.{column} = ?1 ORDER BY row.id", E::TABLE);
    c.map(&sql, params![id], |row| row.get(0))
}

/// The ids of a noun's live rows that are about this record.
pub fn ids_about<E: Entity>(c: &mut Conn, entity: &str, id: i64) -> Result<Vec<i64>> {
    let (kind, key) = RECORD;
    let sql = format!(
        "SELECT row.id FROM @{} row WHERE row.{kind} = ?1 AND row.{key} = ?2 AND row.retired_at IS NULL ORDER BY row.id",
        E::TABLE
    );
    c.map(&sql, params![entity, id], |row| row.get(0))
}

/// Whose a row of any noun is, by the column that says so.
pub fn company_in<E: Entity>(c: &mut Conn, column: &str, id: i64) -> Result<Option<i64>> {
    let sql = format!("SELECT row.{column} FROM @{} row WHERE row.id = ?1", E::TABLE);
    Ok(c.first(&sql, params![id])?.map(|row| row.get::<Option<i64>>(0)).transpose()?.flatten())
}

/// What the rows of a noun are called that have these ids, by a column.
pub fn called<E: Entity>(c: &mut Conn, column: &str, ids: Vec<i64>) -> Result<Vec<(i64, String)>> {
    let sql = format!("SELECT row.id, row.{column} FROM @{} row WHERE row.id IN ids(?1)", E::TABLE);
    c.map(&sql, params![ids], |row| Ok((row.get(0)?, row.get::<Option<String>>(1)?.unwrap_or_default())))
}

/// What a noun's row is found by: its fields that say so.
#[must_use]
pub fn search_text<E: Entity>(row: &E) -> String {
    let searched = E::FIELDS.iter().filter(|field| field.spec.is_searched);
    let key = searched.fold(SearchText::new(), |key, field| {
        let cell = (field.read)(row);
        match field.spec.kind {
            Kind::Int => match cell {
                Cell::Int(number) => key.words([number.to_string()]),
                _ => key,
            },
            Kind::Phone(_) => key.phones(cell.text()),
            _ if field.spec.is_code => key.ids(cell.text()),
            _ => key.words(cell.text()),
        }
    });
    key.finish()
}
