//! Keeps order, filters and searches from telling what answers do not show.
//!
//! A caller who may not see a field in full learns nothing by asking with it: rows that hide it are left out of
//! what is filtered or searched by it, and come last, by their ids, in what is sorted by it. Both follow the level
//! from which the policy hides the field, so that numbers, pages and `ETag`s tell nothing either.

use std::collections::BTreeSet;

use super::{Level, Personal, RedactionPolicy};
use crate::{
    db::{
        Conn, Value,
        list::{Column, ListQuery},
    },
    error::Result,
    history::Record,
    types::Wanted,
};

/// The question without the rows that its search finds by nothing but what is struck from their texts for this caller:
/// whoever is not shown a name does not learn by searching for it whose text it stands in. `strike` strikes from a row what
/// the answer does, in the columns `struck` (SQL, as `ticket.subject`): who filters by one of those finds no row of which
/// anything is struck.
///
/// # Errors
/// Those of the database.
pub fn found_by_shown<R: Record>(
    c: &mut Conn,
    query: ListQuery,
    policy: &RedactionPolicy,
    struck: &[&'static str],
    strike: impl Fn(&mut R),
) -> Result<ListQuery> {
    without_hidden(c, query, policy, struck, |c, some, wanted| {
        let mut rows = Vec::new();
        some.each(c, |row| {
            let mut shown = R::from_row(row, 0)?;
            strike(&mut shown);
            rows.push(shown);
            Ok(())
        })?;
        let mut found = Vec::new();
        for shown in rows {
            let own = shown.derived().into_iter().find(|(column, _)| *column == SEARCH_TEXT);
            let key = if let Some((_, Value::Text(key))) = own { key } else { String::new() };
            // What it is found by beside its own text is looked up row by row.
            let is_found =
                wanted.is_in(&key) || R::PRIVATE && wanted.is_in(&[key, shown.private(c)?.unwrap_or_default()].join(" "));
            found.extend(is_found.then(|| shown.id()));
        }
        Ok(found)
    })
}

/// The same for rows of any kind: `found` says which of some rows are found by what is shown of them.
///
/// Rows of which anything is struck come last in what is sorted by it.
///
/// Of every row that the search finds, whatever part of them is asked for, the columns `struck` are looked at; only rows of which
/// something is struck are read whole, [`SOME`] at a time.
///
/// # Errors
/// Those of the database.
pub fn without_hidden(
    c: &mut Conn,
    query: ListQuery,
    policy: &RedactionPolicy,
    struck: &[&'static str],
    mut found: impl FnMut(&mut Conn, &ListQuery, &Wanted) -> Result<Vec<i64>>,
) -> Result<ListQuery> {
    let is_filtered = query.filters().any(|filter| struck.contains(&filter.column.sql));
    let is_struck = |column: &&Column| struck.contains(&column.sql);
    let sorted: Vec<&'static str> = query.sorted_by().filter(is_struck).map(|column| column.name).collect();
    let is_searched = query.search().is_some() || is_filtered;
    if !policy.strikes() || !is_searched && sorted.is_empty() {
        return Ok(query);
    }
    let everything = query.clone().ungathered().with_slice(None);
    let mut hidden = BTreeSet::new();
    everything.texts(c, struck, |id, text| {
        if policy.screen(text) != text {
            hidden.insert(id);
        }
    })?;
    let key = query.spec().key;
    let query = match hidden.iter().map(i64::to_string).collect::<Vec<_>>().join(",") {
        ids if ids.is_empty() || sorted.is_empty() => query,
        ids => query.order_by_only_where(&sorted, &format!("NOT ({key} IN ({ids}))")),
    };
    if !is_searched {
        return Ok(query);
    }
    if let Some(wanted) = query.search().map(Wanted::read).filter(|_| !is_filtered) {
        let touched: Vec<i64> = hidden.iter().copied().collect();
        for some in touched.chunks(SOME) {
            for id in found(c, &everything.clone().among(some), &wanted)? {
                hidden.remove(&id);
            }
        }
    }
    if hidden.is_empty() {
        return Ok(query);
    }
    Ok(query.and(&format!("NOT ({key} IN ids({{}}))"), vec![Value::Ids(hidden.into_iter().collect())]))
}

/// How many rows are read whole at once.
const SOME: usize = 200;

/// What rows are found by.
const SEARCH_TEXT: &str = "search_text";

/// What of a list tells of people.
#[derive(Debug)]
pub struct Asking {
    /// SQL that says how strictly a row is protected (`history::ranks`).
    pub rank: &'static str,
    /// The columns with people in them.
    pub columns: &'static [(&'static str, Personal)],
    /// What the text that `q=` searches is made of.
    pub text: &'static [Personal],
    /// The folded columns that `q=` may still find a row by when it hides the rest, and what they tell of people.
    pub always: &'static [(&'static str, Option<Personal>)],
}

impl Asking {
    /// The question as this caller may ask it.
    #[must_use]
    pub fn allowed(&self, query: ListQuery, policy: &RedactionPolicy) -> ListQuery {
        if policy.is_cleared() {
            if self.is_about_people(&query) {
                policy.ask_of_people();
            }
            return query;
        }
        let hidden: Vec<(&'static str, Level)> =
            self.columns.iter().filter_map(|(name, field)| Some((*name, policy.hidden_from(*field)?))).collect();
        let mut query = query;
        for level in [Level::Hipaa, Level::Cjis] {
            let names: Vec<&'static str> = hidden.iter().filter(|(_, from)| *from == level).map(|(name, _)| *name).collect();
            if names.is_empty() {
                continue;
            }
            let below = self.below(level);
            if query.filters_by(&names) {
                query = query.and(&below, Vec::new());
            }
            query = query.order_by_only_where(&names, &below);
        }
        self.search(query, policy)
    }

    /// Whether the question filters, orders or searches by what tells of people.
    fn is_about_people(&self, query: &ListQuery) -> bool {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        let searched = !self.text.is_empty() || query.spec().search.as_ref().is_some_and(|search| search.private.is_some());
        query.filters_by(&names) || query.sorts_by(&names) || query.search().is_some() && searched
    }

    /// The same when the question filters by one of these fields in a way of the room's own.
    #[must_use]
    pub fn filtered_by(&self, query: ListQuery, field: Personal, policy: &RedactionPolicy) -> ListQuery {
        policy.ask_of_people();
        match policy.hidden_from(field) {
            Some(level) if !policy.is_cleared() => query.and(&self.below(level), Vec::new()),
            _ => query,
        }
    }

    fn search(&self, query: ListQuery, policy: &RedactionPolicy) -> ListQuery {
        let Some(text) = query.search().map(crate::types::fold) else { return query };
        let Some(level) = self.text.iter().filter_map(|field| policy.hidden_from(*field)).min() else { return query };
        let shown = |field: &Option<Personal>| field.is_none_or(|field| policy.hidden_from(field).is_none());
        let columns: Vec<&str> = self.always.iter().filter(|(_, field)| shown(field)).map(|(column, _)| *column).collect();
        let found = columns.iter().map(|column| format!(" OR {column} LIKE {{}} ESCAPE '\\'")).collect::<Vec<_>>().concat();
        let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let value = crate::db::Value::Text(format!("%{escaped}%"));
        query.and(&format!("{}{found}", self.below(level)), columns.iter().map(|_| value.clone()).collect())
    }

    fn below(&self, level: Level) -> String {
        format!("({} < {})", self.rank, level.rank())
    }
}
