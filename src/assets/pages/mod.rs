//! The pages of assets.

mod detail;
mod form;
mod inside;
mod label;
mod list;
mod secret;
mod users;

use super::Assets;
use crate::{
    resource::{bulk_page, forms, links},
    ui::{Records, Section},
    web::Routes,
};
use users::User;

/// Their list.
const LIST: Records = Records { section: Section::Assets, path: "/assets/", title: "Assets", new: "New asset", add: "Add asset" };

/// Their routes.
#[must_use]
pub fn routes() -> Routes {
    let edited = ["/assets/{id}/edit", "/assets/{id}/retire", "/assets/{id}/restore"];
    Routes::new()
        .get("/assets/", list::index)
        .get("/assets/{id}", detail::show)
        .get("/assets/{id}/label", label::show)
        .merge(bulk_page::routes::<Assets>("/bulk/assets", "/bulk/assets/retire"))
        .merge(forms::routes::<Assets>("/assets/new", "/assets/{id}", edited))
        .form("/assets/{id}/secrets/{name}", "/assets/{id}", secret::reveal)
        .form("/assets/{id}/assign-user", "/assets/{id}", links::add::<User>)
        .form("/assets/{id}/unassign-user/{contact}", "/assets/{id}", links::remove::<User>)
}
