//! What clients pay for: plans, the features that they are made of, what each company has, and the true-up of both.

mod api;
mod catalog;
pub mod company_plan;
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

use crate::entity::schema;
use crate::history::Record as _;
use crate::web::Routes;
use crate::web::openapi::schema as json;
use counting::Settings;

/// The nouns that administrators alone change, also by taking a change back.
pub const OF_ADMINS: [&str; 5] =
    [Plan::ENTITY, FeatureOption::ENTITY, FeatureCategory::ENTITY, Settings::ENTITY, counting::Exclusion::ENTITY];

/// This room's routes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/billing-plans", api::index)
        .tells("List billing plans", json::list::<Plan>)
        .asks(&[("plan_name", "string", "Those of this name; none when it is empty.")])
        .post("/api/billing-plans", api::create)
        .makes("Add a billing plan", json::written::<Plan>)
        .takes(schema::new::<Plan>)
        .get("/api/billing-plans/{plan}", api::show)
        .tells("Read a billing plan", json::one::<Plan>)
        .update("/api/billing-plans/{plan}", api::update)
        .tells("Change the fields of a billing plan that are sent", json::written::<Plan>)
        .takes(schema::changed::<Plan>)
        .delete("/api/billing-plans/{plan}", api::retire)
        .tells("Retire a billing plan that no company uses", json::written::<Plan>)
        .post("/api/billing-plans/{plan}/restore", api::restore)
        .tells("Bring a retired billing plan back", json::written::<Plan>)
        .get("/api/billing-plans/{plan}/{term}", api::show_named)
        .tells("Read the billing plan of a name and a term", json::one::<Plan>)
        .get("/api/feature-options", api::options)
        .tells("List what can be chosen for features", json::list::<FeatureOption>)
        .post("/api/feature-options", api::create_option)
        .makes("Add something that can be chosen for a feature", json::written::<FeatureOption>)
        .takes(|_| json::optional(&[]))
        .get("/api/feature-options/{id}", api::show_option)
        .tells("Read something that can be chosen for a feature", json::one::<FeatureOption>)
        .update("/api/feature-options/{id}", api::update_option)
        .tells("Change something that can be chosen for a feature", json::written::<FeatureOption>)
        .takes(|_| json::optional(&[]))
        .delete("/api/feature-options/{id}", api::retire_option)
        .tells("Retire something that can be chosen for a feature", json::written::<FeatureOption>)
        .get("/api/billing_summary", summary::index)
        .tells("Count what each company has that is billed", |_| json::array(json::optional(&[])))
        .get("/api/billing/trueup", trueup::show)
        .tells("Compare what is counted with what is billed, with receipts", |_| json::any())
        .asks(&[
            ("company", "string", "The account number of a company; all clients without it."),
            ("month", "string", "The month, as 2026-11."),
        ])
        .get("/api/billing/settings/{acct}", trueup::settings)
        .tells("Read how the people and devices of a company are counted", |_| json::any())
        .update("/api/billing/settings/{acct}", trueup::update_settings)
        .tells("Decide how the people and devices of a company are counted", |_| json::any())
        .takes(schema::changed::<Settings>)
        .get("/api/billing/exclusions", trueup::exclusions)
        .tells("List what is left out of bills by hand", |_| json::any())
        .post("/api/billing/exclusions", trueup::exclude)
        .makes("Leave something out of bills", |_| json::any())
        .takes(|_| json::optional(&[]))
        .delete("/api/billing/exclusions/{id}", trueup::include)
        .tells("Count something again that was left out of bills", |_| json::any())
        .get("/billing/trueup", trueup_pages::show)
        .form("/billing/trueup/settings", "/billing/trueup", trueup_pages::save_settings)
        .form("/billing/trueup/exclude", "/billing/trueup", trueup_pages::exclude)
        .form("/billing/trueup/include", "/billing/trueup", trueup_pages::include)
        .get("/billing-plans/api/bulk-plans", catalog::bulk)
        .tells("Read all plans and features at once", |_| json::any())
        .get("/billing-plans/api/plans", catalog::plans)
        .tells("List billing plans for pages", |_| json::any())
        .get("/billing-plans/api/plans/{plan}/{term}", catalog::plan)
        .tells("Read a billing plan for pages", |_| json::any())
        .get("/billing-plans/api/feature-options", catalog::options)
        .tells("List what can be chosen for features for pages", |_| json::any())
        .get("/billing-plans/api/feature-categories", catalog::categories)
        .tells("List the categories of features", |_| json::any())
        .get("/billing-plans/export", transfer::export)
        .form("/billing-plans/import", "/billing-plans/", transfer::import)
        .merge(pages::routes())
        .merge(company_plan::routes())
}
