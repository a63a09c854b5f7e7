//! From a query string to a checked question: old parameters loosely, new ones strictly (design §6).

use super::{Column, Kind, ListQuery, ListSpec, Retired, Slice, beside};
use crate::{
    db::Value,
    error::{Error, Result},
    types::{Wanted, fold},
};

/// The longest search text, in characters.
pub const MAX_QUERY: usize = 200;
/// The most rows that one page holds.
const MAX_LIMIT: i64 = 10_000;
/// The most rows of a page that is asked for by its number, and how many it has by default.
const PER_PAGE: (i64, i64) = (1_000, 50);
/// The most values that `__in` takes.
const MAX_IN: usize = 500;

/// The most filters that one question combines.
const MAX_FILTERS: usize = 50;

/// How a column is compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// The same value.
    Is(Value),
    /// Another value, or none; a text is the same whatever its case.
    IsNot(Value),
    /// Contains the text, whatever the case.
    Contains(String),
    /// No less.
    AtLeast(Value),
    /// No more.
    AtMost(Value),
    /// One of these.
    In(Vec<Value>),
    /// Without (or with) a value.
    Empty(bool),
}

/// One filter of a question.
#[derive(Clone, Debug)]
pub struct Filter {
    /// What is compared.
    pub column: Column,
    /// With what.
    pub test: Test,
}

const SUFFIXES: [&str; 6] = ["ne", "ic", "gte", "lte", "in", "empty"];

pub fn parse<'a>(spec: &'static ListSpec, params: impl Iterator<Item = (&'a str, Result<&'a str>)>) -> Result<ListQuery> {
    let (usual, _) = sort(spec, spec.default_sort)?;
    let mut query = ListQuery {
        spec,
        besides: Vec::new(),
        sort_beside: Vec::new(),
        sees_all: false,
        gathered: None,
        strike: None,
        conditions: Vec::new(),
        filters: Vec::new(),
        search: None,
        private: super::Private::Never,
        sort: usual,
        is_sorted: false,
        only_where: Vec::new(),
        retired: Retired::Hide,
        slice: None,
    };
    let mut paging = Paging::default();
    for (name, value) in params {
        match name {
            "limit" | "offset" => paging.read_loosely(name, value.ok()),
            "page" => paging.page = positive(name, value?, i64::MAX)?.or(paging.page),
            "per_page" => paging.per_page = positive(name, value?, PER_PAGE.0)?.or(paging.per_page),
            "sort" => ((query.sort, query.sort_beside), query.is_sorted) = (sort(spec, value?)?, true),
            "q" | "search" if spec.search.is_some() && !spec.own.contains(&name) => {
                query.search = search(value?).map_err(|why| why.with_name(name))?.or(query.search);
            }
            "retired" if spec.retired.is_some() => query.retired = retired(value?)?,
            "include_retired" if spec.retired.is_some() => {
                if on_or_off(name, value?)? {
                    query.retired = Retired::Include;
                }
            }
            _ if spec.own.contains(&name) => {}
            _ if beside::is_beside(name) && beside::of(spec).is_some() => {
                let value = value?.trim();
                if !value.is_empty() {
                    query.besides.push((short(name), value.to_owned()));
                }
            }
            _ => query.filters.extend(filter(spec, name, value)?),
        }
        if query.filters.len() + query.besides.len() > MAX_FILTERS {
            return Err(Error::field(short(name), format!("is one filter too many; at most {MAX_FILTERS} can be combined")));
        }
    }
    query.slice = paging.slice();
    Ok(query)
}

/// Renames the field of an error: `search` is the old name of `q`.
trait WithName {
    fn with_name(self, name: &str) -> Self;
}

impl WithName for Error {
    fn with_name(self, name: &str) -> Self {
        match self {
            Self::Invalid(mut fields) => {
                for field in &mut fields {
                    name.clone_into(&mut field.field);
                }
                Self::Invalid(fields)
            }
            other => other,
        }
    }
}

/// Folds a search text; blank is none.
pub fn search(text: &str) -> Result<Option<String>> {
    let length = text.chars().count();
    if length > MAX_QUERY {
        return Err(Error::field("q", format!("must not be longer than {MAX_QUERY} characters (it has {length})")));
    }
    Ok(Some(fold(text)).filter(|folded| !Wanted::read(folded).is_nothing()))
}

fn retired(value: &str) -> Result<Retired> {
    match value.trim() {
        "only" => Ok(Retired::Only),
        "include" => Ok(Retired::Include),
        "" | "hide" => Ok(Retired::Hide),
        _ => Err(Error::field("retired", "must be one of only, include, hide")),
    }
}

/// A switch of the new kind: what is neither on nor off is refused.
fn on_or_off(name: &str, value: &str) -> Result<bool> {
    if value.trim().is_empty() {
        return Ok(false);
    }
    boolean(value.trim()).map_err(|why| Error::field(name, why))
}

fn positive(name: &str, value: &str, most: i64) -> Result<Option<i64>> {
    if value.trim().is_empty() {
        return Ok(None);
    }
    let number = value.trim().parse().ok().filter(|number| (1..=most).contains(number));
    let range = if most == i64::MAX { "a whole number from 1".to_owned() } else { format!("a whole number from 1 to {most}") };
    number.map(Some).ok_or_else(|| Error::field(name, format!("must be {range}")))
}

/// The columns of the list, and those beside its rows with how many of the others stand before each.
type Order = (Vec<(Column, bool)>, Vec<(usize, String, bool)>);

fn sort(spec: &ListSpec, value: &str) -> Result<Order> {
    let (mut order, mut besides) = (Vec::new(), Vec::new());
    for part in value.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let name = part.trim_start_matches(['-', '+']).trim();
        if beside::key_of(name).is_some() && beside::of(spec).is_some() && besides.len() < MAX_FILTERS {
            besides.push((order.len(), short(name), part.starts_with('-')));
            continue;
        }
        let Some(column) = spec.columns.iter().find(|column| column.name == name) else {
            let known: Vec<_> = spec.columns.iter().map(|column| column.name).collect();
            return Err(Error::field("sort", format!("cannot sort by {}; possible are {}", short(name), known.join(", "))));
        };
        if !order.iter().any(|(known, _): &(Column, bool)| known.name == name) {
            order.push((*column, part.starts_with('-')));
        }
    }
    Ok((order, besides))
}

/// A stranger's word, short enough to be repeated in an error.
fn short(word: &str) -> String {
    word.chars().filter(|letter| !letter.is_control()).take(40).collect()
}

fn filter(spec: &ListSpec, name: &str, value: Result<&str>) -> Result<Option<Filter>> {
    let (plain, suffix) = name.split_once("__").map_or((name, None), |(plain, suffix)| (plain, Some(suffix)));
    let Some(column) = spec.columns.iter().find(|column| column.name == plain) else { return Ok(None) };
    if suffix.is_some_and(|suffix| !SUFFIXES.contains(&suffix)) {
        let known = SUFFIXES.map(|suffix| format!("{plain}__{suffix}")).join(", ");
        return Err(Error::field(short(name), format!("is no filter; possible are {plain}, {known}")));
    }
    let value = value?.trim();
    if value.is_empty() {
        return Ok(None);
    }
    let wrong = |why: String| Error::field(name, why);
    let test = match suffix {
        None => Test::Is(typed(column, value).map_err(wrong)?),
        Some("ne") => Test::IsNot(typed(column, value).map_err(wrong)?),
        Some("gte") => Test::AtLeast(typed(column, value).map_err(wrong)?),
        Some("lte") => Test::AtMost(typed(column, value).map_err(wrong)?),
        Some("in") => Test::In(values(column, value).map_err(wrong)?),
        Some("empty") => Test::Empty(boolean(value).map_err(wrong)?),
        Some(_) if matches!(column.kind, Kind::Text | Kind::Time) => Test::Contains(value.to_owned()),
        Some(_) => return Err(wrong("works on text only".to_owned())),
    };
    Ok(Some(Filter { column: *column, test }))
}

fn values(column: &Column, list: &str) -> Result<Vec<Value>, String> {
    let items: Vec<&str> = list.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
    if items.len() > MAX_IN {
        return Err(format!("must not have more than {MAX_IN} values"));
    }
    items.into_iter().map(|item| typed(column, item)).collect()
}

fn typed(column: &Column, value: &str) -> Result<Value, String> {
    match column.kind {
        Kind::Text | Kind::Time => Ok(Value::Text(value.to_owned())),
        Kind::Int => value.parse().map(Value::Int).map_err(|_| "must be a whole number".to_owned()),
        Kind::Real => match value.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Real(number)),
            _ => Err("must be a number".to_owned()),
        },
        Kind::Bool => boolean(value).map(Value::Bool),
    }
}

fn boolean(value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    }
}

/// The paging parameters of both kinds: of the old one, what is no number is as if it had not been sent.
#[derive(Default)]
struct Paging {
    limit: Option<i64>,
    offset: Option<i64>,
    page: Option<i64>,
    per_page: Option<i64>,
}

impl Paging {
    fn read_loosely(&mut self, name: &str, value: Option<&str>) {
        let place = if name == "limit" { &mut self.limit } else { &mut self.offset };
        *place = place.or_else(|| value?.trim().parse().ok());
    }

    fn slice(&self) -> Option<Slice> {
        if let Some(limit) = self.limit.filter(|limit| *limit >= 0) {
            return Some(Slice { limit: limit.min(MAX_LIMIT), offset: self.offset.unwrap_or(0).max(0) });
        }
        if self.page.is_none() && self.per_page.is_none() {
            return None;
        }
        let limit = self.per_page.unwrap_or(PER_PAGE.1);
        let page = self.page.unwrap_or(1);
        Some(Slice { limit, offset: (page - 1).saturating_mul(limit) })
    }
}
