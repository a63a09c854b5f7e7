//! Keeps order, filters and searches from telling what answers do not show.
//!
//! A caller who may not see a field in full learns nothing by asking with it: rows that hide it are left out of
//! what is filtered or searched by it, and come last, by their ids, in what is sorted by it. Both follow the level
//! from which the policy hides the field, so that numbers, pages and `ETag`s tell nothing either.

use super::{Level, Personal, RedactionPolicy};
use crate::db::list::ListQuery;

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
