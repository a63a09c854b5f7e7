//! What works on records of every kind, and joins rooms: the one door of nouns, retiring with what is attached, bulk answers, search,
//! history, undo, import, and the pages of records.

pub mod attachments;
mod bulk;
pub mod bulk_store;
pub mod contacts;
pub mod custom;
pub mod entities;
mod history;
pub mod import;
pub mod nouns;
pub mod pages;
pub mod reach;
pub mod search;
pub mod search_keys;
pub mod tickets;
pub mod undo;
pub mod undo_store;

use crate::web::Routes;

/// This room's routes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .merge(attachments::routes())
        .merge(bulk::routes())
        .merge(contacts::routes())
        .merge(custom::routes())
        .merge(history::routes())
        .merge(import::routes())
        .merge(nouns::routes())
        .merge(pages::routes())
        .merge(search::routes())
        .merge(tickets::routes())
        .merge(undo::routes())
}
