//! The pages of tickets.

mod detail;
pub(super) mod list;

use crate::web::Routes;

/// Their routes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new().get("/tickets/", list::index).get("/tickets/{id}", detail::show).form(
        "/tickets/{id}/update",
        "/tickets/{id}",
        detail::update,
    )
}
