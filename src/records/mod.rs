//! What works on records of every kind: the nouns that are only declared, bulk answers, search, history, undo and imports.

pub mod attachments;
mod bulk;
pub mod bulk_store;
pub mod calendar;
pub mod clear;
pub mod clear_store;
pub mod custom;
pub mod entities;
pub mod export;
pub mod forget;
mod history;
pub mod import;
pub mod leavers;
pub mod legacy;
pub mod merge;
pub mod nouns;
pub mod orphans_store;
pub mod pages;
pub mod reach;
pub mod retention;
pub mod search;
pub mod search_keys;
pub mod undo;
pub mod undo_store;

use crate::web::Routes;

/// This room's routes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .merge(attachments::routes())
        .merge(bulk::routes())
        .merge(calendar::routes())
        .merge(custom::routes())
        .merge(forget::routes())
        .merge(history::routes())
        .merge(import::routes())
        .merge(leavers::routes())
        .merge(merge::routes())
        .merge(nouns::routes())
        .merge(pages::routes())
        .merge(search::routes())
        .merge(undo::routes())
}
