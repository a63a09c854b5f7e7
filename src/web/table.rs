//! What the tables on our own pages ask for while somebody types (contract §1.10): old parameter names,
//! all of them loose, and a `pagination` object in the answer.

use super::ReadRequest;
use crate::{
    db::list::{ListQuery, ListSpec, MAX_QUERY, Slice},
    error::Result,
};
use serde::Serialize;

/// The most rows of one page, and how many it has when nothing sensible is asked for.
const PER_PAGE: (i64, i64) = (500, 50);

/// Where in the whole a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Pagination {
    /// This page, from 1.
    pub page: i64,
    /// How many there are.
    pub pages: i64,
    /// How many rows there are on all of them.
    pub total: i64,
    /// Whether there is one before.
    pub has_prev: bool,
    /// Whether there is one after.
    pub has_next: bool,
    /// The one before.
    pub prev_num: Option<i64>,
    /// The one after.
    pub next_num: Option<i64>,
}

impl Pagination {
    /// The page that this slice is, of so many rows.
    #[must_use]
    pub fn new(slice: Slice, total: i64) -> Self {
        let size = slice.limit.max(1);
        let page = slice.offset / size + 1;
        let pages = (total + size - 1) / size;
        let (has_prev, has_next) = (page > 1, page < pages);
        Self {
            page,
            pages,
            total,
            has_prev,
            has_next,
            prev_num: has_prev.then(|| page - 1),
            next_num: has_next.then(|| page + 1),
        }
    }
}

/// What `page`, `per_page`, `sort_by`, `order` and `search` ask of a list; only these columns sort it.
///
/// # Errors
/// When the list's own default order is wrong.
pub fn query(request: &ReadRequest, spec: &'static ListSpec, sortable: &[&str]) -> Result<(ListQuery, Slice)> {
    let (most, usual) = PER_PAGE;
    let limit = Some(request.query.int_or("per_page", usual)).filter(|size| *size >= 1).unwrap_or(usual).min(most);
    let page = request.query.int_or("page", 1).max(1);
    let slice = Slice { limit, offset: (page - 1).saturating_mul(limit) };
    let column = request.query.get("sort_by").filter(|column| sortable.contains(column));
    let descending = request.query.get("order").is_some_and(|order| order.eq_ignore_ascii_case("desc"));
    let sort = column.map(|column| format!("{}{column}", if descending { "-" } else { "" }));
    let search: String = request.query.get("search").unwrap_or_default().chars().take(MAX_QUERY).collect();
    let query = ListQuery::parse(spec, sort.as_deref().map(|sort| ("sort", Ok(sort))).into_iter())?;
    Ok((query.with_search(&search)?.with_slice(Some(slice)), slice))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_its_neighbours() {
        let first = Pagination::new(Slice { limit: 50, offset: 0 }, 120);
        assert_eq!((first.page, first.pages, first.prev_num, first.next_num), (1, 3, None, Some(2)));
        let last = Pagination::new(Slice { limit: 50, offset: 100 }, 120);
        assert_eq!((last.page, last.has_prev, last.has_next, last.prev_num), (3, true, false, Some(2)));
        let empty = Pagination::new(Slice { limit: 50, offset: 0 }, 0);
        assert_eq!((empty.page, empty.pages, empty.has_prev, empty.has_next), (1, 0, false, false));
    }
}
