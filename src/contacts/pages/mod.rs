//! The pages of contacts.

mod companies;
mod detail;
mod form;
mod list;

use super::Contacts;
use crate::{
    resource::{bulk_page, forms, links},
    ui::{Records, Section},
    web::Routes,
};
use companies::Place;

/// Their list.
const LIST: Records =
    Records { section: Section::Contacts, path: "/contacts/", title: "Contacts", new: "New contact", add: "Add contact" };

/// Their routes.
#[must_use]
pub fn routes() -> Routes {
    let edited = ["/contacts/{id}/edit", "/contacts/{id}/retire", "/contacts/{id}/restore"];
    Routes::new()
        .get("/contacts/", list::index)
        .get("/contacts/{id}", detail::show)
        .merge(bulk_page::routes::<Contacts>("/bulk/contacts", "/bulk/contacts/retire"))
        .merge(forms::routes::<Contacts>("/contacts/new", "/contacts/{id}", edited))
        .form("/contacts/{id}/companies/assign", "/contacts/{id}", links::add::<Place>)
        .form("/contacts/{id}/companies/remove", "/contacts/{id}", links::remove::<Place>)
}
