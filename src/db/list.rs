//! The one list engine: a room declares its list once; filters, search, order and pages are the same everywhere.
//!
//! Statements are composed from fixed fragments with numbered parameters (an optional filter that is
//! written as `?1 IS NULL OR …` defeats indexes); nothing that a client sends becomes SQL text.

use super::{ADDED, Conn, Row, Value};
use crate::{error::Result, types::Scope};

pub mod beside;
mod compose;
mod find;
mod joins;
mod parse;
#[cfg(test)]
mod tests;

pub use compose::escape;
pub use parse::{Filter, MAX_QUERY, Test};

/// What a column holds: decides which filters it has and how they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text; sorted and searched without regard to case.
    Text,
    /// A moment or a day in the one form, compared as text.
    Time,
    /// A whole number.
    Int,
    /// A number.
    Real,
    /// True or false.
    Bool,
}

/// A column that a list can be filtered and sorted by.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name in the query string, the same as in the JSON.
    pub name: &'static str,
    /// Its SQL expression.
    pub sql: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The column that holds its folded form, if there is one.
    pub folded: Option<&'static str>,
    /// Whether it can be null.
    pub nullable: bool,
    /// What it is ordered by, where that is something else.
    pub ordered_by: Option<&'static str>,
}

impl Column {
    /// A column that may be null.
    #[must_use]
    pub const fn new(name: &'static str, sql: &'static str, kind: Kind) -> Self {
        Self { name, sql, kind, folded: None, nullable: true, ordered_by: None }
    }

    /// Text.
    #[must_use]
    pub const fn text(name: &'static str, sql: &'static str) -> Self {
        Self::new(name, sql, Kind::Text)
    }

    /// The same column with a folded twin, by which it is sorted and compared.
    #[must_use]
    pub const fn folded(mut self, sql: &'static str) -> Self {
        self.folded = Some(sql);
        self
    }

    /// The same column, never null: an index can give its order.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.nullable = false;
        self
    }
}

/// How `q=` finds rows.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// The trigram table of SQLite, whose row ids are the list's keys.
    pub fts: &'static str,
    /// The column with the search key ([`crate::types::SearchText`]).
    pub text: &'static str,
    /// A second one that not everybody may search in; the trigram table has a column of the same name.
    pub private: Option<&'static str>,
}

/// Whether a search also looks into [`Search::private`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Private {
    /// Never, unless a room has said otherwise.
    #[default]
    Never,
    /// In rows that meet this condition.
    Where(&'static str),
    /// In every row.
    Always,
}

/// What a room declares about one of its lists.
#[derive(Debug)]
pub struct ListSpec {
    /// The entities whose changes change the list.
    pub entities: &'static [&'static str],
    /// Makes what follows `SELECT`.
    pub select: fn() -> String,
    /// What follows `FROM`, with tenant tables written with `@`.
    pub from: &'static str,
    /// The id that breaks ties.
    pub key: &'static str,
    /// What it can be filtered and sorted by.
    pub columns: &'static [Column],
    /// The order when none is asked for, as `sort=` would say it.
    pub default_sort: &'static str,
    /// Whether `q=` works, and how.
    pub search: Option<Search>,
    /// The column that says since when a row is retired.
    pub retired: Option<&'static str>,
    /// Parameters that the room reads itself although a column has the same name.
    pub own: &'static [&'static str],
    /// The members of the JSON, in order: what `fields=` may name and what CSV has as columns.
    pub fields: fn() -> &'static [&'static str],
}

/// Which rows a list shows with regard to retirement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Retired {
    /// Only live ones.
    #[default]
    Hide,
    /// Only retired ones.
    Only,
    /// All of them.
    Include,
}

/// A part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// How many rows.
    pub limit: i64,
    /// After how many others.
    pub offset: i64,
}

/// One condition: SQL with `{}` for each of its parameters.
#[derive(Clone, Debug)]
pub struct Condition {
    sql: String,
    params: Vec<Value>,
}

impl Condition {
    /// A condition.
    #[must_use]
    pub fn new(sql: impl Into<String>, params: Vec<Value>) -> Self {
        Self { sql: sql.into(), params }
    }
}

/// What a request asks of a list, checked against its spec.
#[derive(Clone, Debug)]
pub struct ListQuery {
    spec: &'static ListSpec,
    conditions: Vec<Condition>,
    filters: Vec<parse::Filter>,
    /// Filters by what is kept beside the rows, as they were asked.
    besides: Vec<(String, String)>,
    search: Option<String>,
    private: Private,
    sort: Vec<(Column, bool)>,
    /// The same by what is kept beside the rows: after how many of those, the name, and whether downwards.
    sort_beside: Vec<(usize, String, bool)>,
    /// Whether an order was asked for.
    is_sorted: bool,
    /// Columns that order only rows for which a condition holds; the others come last.
    only_where: Vec<(&'static str, String)>,
    retired: Retired,
    slice: Option<Slice>,
    /// Whether the asker may see everything of every row, and where what is kept beside the rows goes.
    sees_all: bool,
    gathered: Option<beside::Gathered>,
    /// What is struck from texts beside the rows.
    strike: Option<beside::Strike>,
}

/// What a list answers.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows, in order.
    pub items: Vec<T>,
    /// How many there are on all pages.
    pub total: i64,
}

impl ListQuery {
    /// What a query string asks of this list.
    ///
    /// # Errors
    /// When a new parameter (`sort`, `q`, a filter, `retired`) is wrong, naming it.
    pub fn parse<'a>(spec: &'static ListSpec, params: impl Iterator<Item = (&'a str, Result<&'a str>)>) -> Result<Self> {
        parse::parse(spec, params)
    }

    /// Everything, in the default order.
    ///
    /// # Errors
    /// When the spec's own default order names no column.
    pub fn everything(spec: &'static ListSpec) -> Result<Self> {
        Self::parse(spec, std::iter::empty())
    }

    /// One more condition, in SQL of the room's own with `{}` for each parameter.
    #[must_use]
    pub fn and(mut self, sql: &str, params: Vec<Value>) -> Self {
        self.conditions.push(Condition { sql: sql.to_owned(), params });
        self
    }

    /// Only these rows, whatever was asked.
    #[must_use]
    pub fn with_slice(mut self, slice: Option<Slice>) -> Self {
        self.slice = slice;
        self
    }

    /// The same, but these columns order only the rows for which this condition holds; the others come last.
    #[must_use]
    pub fn order_by_only_where(mut self, columns: &[&'static str], condition: &str) -> Self {
        self.only_where.extend(columns.iter().map(|column| (*column, condition.to_owned())));
        self
    }

    /// Another search, whatever was asked.
    ///
    /// # Errors
    /// When the text is too long.
    pub fn with_search(mut self, text: &str) -> Result<Self> {
        self.search = parse::search(text)?;
        Ok(self)
    }

    /// The same, searching in what not everybody may search in as well.
    #[must_use]
    pub fn searching(mut self, private: Private) -> Self {
        self.private = private;
        self
    }

    /// The same for an asker who may or may not see everything of every row, gathering what is kept beside the rows.
    #[must_use]
    pub fn gathering(mut self, sees_all: bool, gathered: beside::Gathered) -> Self {
        (self.sees_all, self.gathered) = (sees_all, Some(gathered));
        self.strike = if sees_all { None } else { beside::strike() };
        self
    }

    /// The same without what is kept beside the rows, for somebody who only looks which rows there are.
    #[must_use]
    pub fn ungathered(mut self) -> Self {
        self.gathered = None;
        self
    }

    fn rows_asked(&self) -> beside::Rows {
        let entity = self.spec.entities.first().copied().unwrap_or_default();
        beside::Rows { entity, key: self.spec.key, sees_all: self.sees_all }
    }

    /// Looks up what is kept beside such rows; where anything is, and somebody wants it, who keeps it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn begin_beside(&self, conn: &mut Conn) -> Result<Option<&'static dyn beside::Beside>> {
        let (Some(gathered), Some(keeper)) = (&self.gathered, beside::of(self.spec)) else { return Ok(None) };
        gathered.begin(keeper.columns(conn, self.rows_asked().entity)?);
        Ok(gathered.is_used().then_some(keeper))
    }

    /// The part that was asked for; `None` is everything.
    #[must_use]
    pub fn slice(&self) -> Option<Slice> {
        self.slice
    }

    /// The folded text that is searched for.
    #[must_use]
    pub fn search(&self) -> Option<&str> {
        self.search.as_deref()
    }

    /// The order as (column, descending).
    pub fn sort(&self) -> impl Iterator<Item = (&'static str, bool)> {
        self.sort.iter().map(|(column, descending)| (column.name, *descending))
    }

    /// Whether the question filters by one of these columns.
    #[must_use]
    pub fn filters_by(&self, columns: &[&str]) -> bool {
        self.filters.iter().any(|filter| columns.contains(&filter.column.name))
    }

    /// Whether the question says an order by one of these columns.
    #[must_use]
    pub fn sorts_by(&self, columns: &[&str]) -> bool {
        self.is_sorted && self.sort.iter().any(|(column, _)| columns.contains(&column.name))
    }

    /// The columns by which an order was asked for.
    pub fn sorted_by(&self) -> impl Iterator<Item = &Column> {
        self.sort.iter().filter(|_| self.is_sorted).map(|(column, _)| column)
    }

    /// The filters by columns.
    pub fn filters(&self) -> impl Iterator<Item = &Filter> {
        self.filters.iter()
    }

    /// By what is kept beside the rows the question filters or orders.
    pub fn asks_beside(&self) -> impl Iterator<Item = &str> {
        let filters = self.besides.iter().map(|(name, _)| name.as_str());
        filters.chain(self.sort_beside.iter().map(|(_, name, _)| name.as_str()))
    }

    /// Which rows are meant with regard to retirement.
    #[must_use]
    pub fn retired(&self) -> Retired {
        self.retired
    }

    /// Whether an order was asked for.
    #[must_use]
    pub fn is_sorted(&self) -> bool {
        self.is_sorted
    }

    /// Whether only what old clients know was asked: no order, search, filter or retired rows.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.filters.is_empty()
            && self.besides.is_empty()
            && self.search.is_none()
            && self.retired == Retired::Hide
            && !self.is_sorted
    }

    /// The list that is asked.
    #[must_use]
    pub fn spec(&self) -> &'static ListSpec {
        self.spec
    }

    /// The same question always gives the same text: part of cache keys and `ETag`s.
    #[must_use]
    pub fn normalised(&self) -> String {
        let sort: Vec<_> = self.sort().collect();
        let Self { conditions, filters, besides, sort_beside, search, private, only_where, retired, slice, .. } = self;
        let beside = format!("{besides:?}{sort_beside:?}{}{:?}", self.sees_all, self.strike);
        format!("{conditions:?}{filters:?}{search:?}{private:?}{sort:?}{only_where:?}{retired:?}{slice:?}{beside}")
    }

    /// The same among these rows, by their ids.
    #[must_use]
    pub fn among(self, ids: &[i64]) -> Self {
        let condition = format!("{} IN ids({{}})", self.spec.key);
        self.and(&condition, vec![Value::Ids(ids.to_vec())])
    }

    /// Gives the texts in these columns (SQL) of every row that the question finds, with the row's id: in no order, and
    /// whatever part of the rows was asked for.
    pub fn texts(&self, conn: &mut Conn, columns: &[&str], mut take: impl FnMut(i64, &str)) -> Result<()> {
        let parts = compose::compose(self, conn)?;
        conn.each(&parts.columns(self, columns), &parts.params, |row| {
            let id = row.get(0)?;
            for place in 1..=columns.len() {
                if let Some(text) = row.get::<Option<String>>(place)? {
                    take(id, &text);
                }
            }
            Ok(())
        })
    }

    /// Runs the question.
    pub fn run<T>(&self, conn: &mut Conn, mut make: impl FnMut(&Row) -> Result<T>) -> Result<Page<T>> {
        let mut items = Vec::new();
        let total = self.each(conn, |row| {
            items.push(make(row)?);
            Ok(())
        })?;
        Ok(Page { items, total })
    }

    /// Gives each row to `take` as it is read, and says how many there are on all pages: a list of any
    /// length takes no more memory than what `take` keeps of it.
    pub fn each(&self, conn: &mut Conn, mut take: impl FnMut(&Row) -> Result<()>) -> Result<i64> {
        let parts = compose::compose(self, conn)?;
        let items = self.rows(conn, &parts, &mut take)?;
        match self.slice {
            Some(slice) if !is_last(&slice, items) => self.total(conn, &parts),
            Some(slice) => Ok(slice.offset + count(items)),
            None => Ok(count(items)),
        }
    }

    /// Gives each row to `take`; says how many there were.
    fn rows(&self, conn: &mut Conn, parts: &compose::Parts, take: &mut impl FnMut(&Row) -> Result<()>) -> Result<usize> {
        let beside = self.begin_beside(conn)?;
        if self.slice.is_none() && self.is_plain() && beside.is_none() {
            // An index gives the usual order of everything.
            let mut items = 0;
            conn.each(&parts.all(self), &parts.params, |row| {
                items += 1;
                take(&row)
            })?;
            return Ok(items);
        }
        let keys = conn.map(&parts.keys(self), &parts.params_of(self.slice), |row| row.get::<i64>(0))?;
        for some in keys.chunks(SOME) {
            if let (Some(keeper), Some(gathered)) = (beside, &self.gathered) {
                let reader = beside::Reader { sees_all: self.sees_all, strike: self.strike.clone() };
                gathered.add(keeper.members(conn, self.rows_asked().entity, some, &reader)?);
            }
            let (sql, params) = parts.rows(self, some);
            conn.each(&sql, &params, |row| take(&row))?;
        }
        Ok(keys.len())
    }

    /// The rows of the slice alone, without counting the others.
    pub fn first<T>(&self, conn: &mut Conn, mut make: impl FnMut(&Row) -> Result<T>) -> Result<Vec<T>> {
        let parts = compose::compose(self, conn)?;
        let mut found = Vec::new();
        self.rows(conn, &parts, &mut |row| {
            found.push(make(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// The statements that answer it, as the engine is sent them: for looking at how it would go about it.
    pub fn statements(&self, conn: &mut Conn) -> Result<Vec<(String, Vec<Value>)>> {
        let parts = compose::compose(self, conn)?;
        let keys = (conn.sent(&parts.keys(self))?.to_string(), parts.params_of(self.slice));
        let (rows, params) = parts.rows(self, &[1, 2, 3]);
        let count = (conn.sent(&parts.count(self))?.to_string(), parts.params.clone());
        Ok(vec![keys, (conn.sent(&rows)?.to_string(), params), count])
    }

    /// How many rows the question has, on all pages.
    pub fn count(&self, conn: &mut Conn) -> Result<i64> {
        let parts = compose::compose(self, conn)?;
        self.total(conn, &parts)
    }

    fn total(&self, conn: &mut Conn, parts: &compose::Parts) -> Result<i64> {
        // How many live rows there are depends on them alone, unless whoever asks sees only some.
        let is_bare = self.conditions.is_empty() && self.filters.is_empty() && self.besides.is_empty() && self.search.is_none();
        let own = if is_bare && *conn.scope() == Scope::All { 1 } else { self.spec.entities.len() };
        let entities: Vec<&str> = self.spec.entities.iter().take(own).chain(&ADDED).copied().collect();
        conn.kept_count(&entities, &parts.count(self), &parts.params)
    }
}

/// How many rows are read at once.
const SOME: usize = 200;

/// A page that is not full, and not beyond the end, tells how many there are without counting.
fn is_last(slice: &Slice, items: usize) -> bool {
    count(items) < slice.limit && (items > 0 || slice.offset == 0)
}

fn count(items: usize) -> i64 {
    i64::try_from(items).unwrap_or(i64::MAX)
}
