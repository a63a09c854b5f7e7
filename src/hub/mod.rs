//! What joins several rooms: retiring with what is attached, bulk answers, search, the dashboard.

mod history;
mod history_store;
pub mod retire;

use crate::web::Routes;

/// This room's routes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .merge(history::routes())
        .delete("/api/companies/{acct}", retire::company)
        .get("/api/companies/{acct}/attached", retire::attached)
}
