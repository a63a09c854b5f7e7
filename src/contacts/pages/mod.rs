//! The pages of contacts.

mod companies;
mod detail;
mod form;
mod list;

use super::Contacts;
use crate::{resource::forms, web::Routes};

/// Their routes.
#[must_use]
pub fn routes() -> Routes {
    let edited = ["/contacts/{id}/edit", "/contacts/{id}/retire", "/contacts/{id}/restore"];
    Routes::new()
        .get("/contacts/", list::index)
        .get("/contacts/{id}", detail::show)
        .merge(forms::routes::<Contacts>("/contacts/new", "/contacts/{id}", edited))
        .form("/contacts/{id}/companies/assign", "/contacts/{id}", companies::join)
        .form("/contacts/{id}/companies/remove", "/contacts/{id}", companies::leave)
}
