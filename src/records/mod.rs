//! What works on records of every kind, and joins rooms: the one door of nouns, retiring with what is attached, bulk answers, search,
//! history, undo, import, and the pages of records.

mod bulk;
pub mod bulk_store;
pub mod contacts;
pub mod entities;
mod history;
pub mod import;
pub mod nouns;
pub mod pages;
mod remove;
pub mod remove_store;
pub mod retire;
mod search;
pub mod search_keys;
pub mod tickets;
pub mod undo;
pub mod undo_store;

use crate::companies::CompanyView;
use crate::web::Routes;
use crate::web::openapi::schema as json;

/// This room's routes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .merge(bulk::routes())
        .merge(contacts::routes())
        .merge(history::routes())
        .merge(import::routes())
        .merge(nouns::routes())
        .merge(pages::routes())
        .merge(remove::routes())
        .merge(search::routes())
        .merge(tickets::routes())
        .merge(undo::routes())
        .delete("/api/companies/{acct}", retire::company)
        .tells("Retire a company", json::written::<CompanyView>)
        .asks(&[("force", "boolean", "Although contacts, assets or other rows are attached to it.")])
        .get("/api/companies/{acct}/attached", retire::attached)
        .tells("Count what is attached to a company", |_| json::counts())
}
