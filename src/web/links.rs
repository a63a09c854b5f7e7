//! The `Link` header of a page: where the first, previous, next and last ones are.

use super::ReadRequest;
use crate::db::list::Slice;
use axum::http::HeaderValue;
use url::form_urlencoded;

/// Which part of how much.
#[derive(Clone, Copy, Debug)]
pub struct Paging {
    /// The part.
    pub slice: Slice,
    /// The whole.
    pub total: i64,
}

/// The header, with the caller's own parameters kept and counted on in the way they counted.
#[must_use]
pub fn header(request: &ReadRequest, paging: &Paging) -> Option<HeaderValue> {
    let Paging { slice: Slice { limit, offset }, total } = *paging;
    if limit < 1 {
        return None;
    }
    let last = (total - 1).max(0) / limit * limit;
    let mut targets = vec![("first", 0)];
    if offset > 0 {
        targets.push(("prev", (offset - limit).max(0).min(last)));
    }
    if offset + limit < total {
        targets.push(("next", offset + limit));
    }
    targets.push(("last", last));
    let links: Vec<_> =
        targets.into_iter().map(|(rel, offset)| format!("<{}>; rel=\"{rel}\"", address(request, limit, offset))).collect();
    HeaderValue::from_str(&links.join(", ")).ok()
}

fn address(request: &ReadRequest, limit: i64, offset: i64) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in request.query.iter() {
        if let (Ok(value), false) = (value, ["limit", "offset", "page", "per_page"].contains(&name)) {
            query.append_pair(name, value);
        }
    }
    if request.query.get("limit").is_some_and(|limit| limit.trim().parse::<i64>().is_ok()) {
        query.append_pair("limit", &limit.to_string()).append_pair("offset", &offset.to_string());
    } else {
        query.append_pair("page", &(offset / limit + 1).to_string()).append_pair("per_page", &limit.to_string());
    }
    format!("{}{}?{}", request.prefix, request.path, query.finish())
}
