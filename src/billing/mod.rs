//! What clients pay for: plans, the features that they are made of, what each company has, and the true-up of both.

mod api;
mod catalog;
pub mod counting;
pub mod list_store;
pub mod model;
mod pages;
mod rules;
pub mod store;
mod summary;
mod transfer;
mod trueup;
mod trueup_pages;
pub mod trueup_store;

pub use model::{FeatureCategory, FeatureOption, Plan};

use crate::web::Routes;

/// This room's routes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/billing-plans", api::index)
        .post("/api/billing-plans", api::create)
        .get("/api/billing-plans/{plan}", api::show)
        .update("/api/billing-plans/{plan}", api::update)
        .delete("/api/billing-plans/{plan}", api::retire)
        .post("/api/billing-plans/{plan}/restore", api::restore)
        .get("/api/billing-plans/{plan}/{term}", api::show_named)
        .get("/api/feature-options", api::options)
        .post("/api/feature-options", api::create_option)
        .get("/api/feature-options/{id}", api::show_option)
        .update("/api/feature-options/{id}", api::update_option)
        .delete("/api/feature-options/{id}", api::retire_option)
        .get("/api/billing_summary", summary::index)
        .get("/api/billing/trueup", trueup::show)
        .get("/api/billing/settings/{acct}", trueup::settings)
        .update("/api/billing/settings/{acct}", trueup::update_settings)
        .get("/api/billing/exclusions", trueup::exclusions)
        .post("/api/billing/exclusions", trueup::exclude)
        .delete("/api/billing/exclusions/{id}", trueup::include)
        .get("/billing/trueup", trueup_pages::show)
        .form("/billing/trueup/settings", "/billing/trueup", trueup_pages::save_settings)
        .form("/billing/trueup/exclude", "/billing/trueup", trueup_pages::exclude)
        .form("/billing/trueup/include", "/billing/trueup", trueup_pages::include)
        .get("/billing-plans/api/bulk-plans", catalog::bulk)
        .get("/billing-plans/api/plans", catalog::plans)
        .get("/billing-plans/api/plans/{plan}/{term}", catalog::plan)
        .get("/billing-plans/api/feature-options", catalog::options)
        .get("/billing-plans/api/feature-categories", catalog::categories)
        .get("/billing-plans/export", transfer::export)
        .form("/billing-plans/import", "/billing-plans/", transfer::import)
        .merge(pages::routes())
}
