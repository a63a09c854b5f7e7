//! What clients pay for: plans, the features that they are made of, what each company has, and the true-up of both.

mod api;
mod catalog;
pub mod cause;
pub mod company_plan;
pub mod compare;
pub mod counting;
mod described;
pub mod freeze;
pub mod list_store;
mod merged;
pub mod model;
pub mod month;
mod pages;
mod resource;
mod rules;
pub mod snapshot;
mod snapshot_api;
mod snapshot_pages;
pub mod snapshot_store;
pub mod store;
mod summary;
pub mod then;
mod transfer;
mod trueup;
mod trueup_pages;
pub mod trueup_store;

pub use counting::per_device_cents;
pub use merged::Billed;
pub use model::{FeatureCategory, FeatureOption, Plan};

use crate::entity::schema;
use crate::history::Record as _;
use crate::resource::{api as door, as_of};
use crate::web::Routes;
use crate::web::openapi::schema as json;
use counting::Settings;
use resource::{CompanySettings, Exclusions, Options, Plans};

/// The nouns of which administrators alone take changes back; plans and what can be chosen they alone change, too.
pub const OF_ADMINS: [&str; 5] =
    [Plan::ENTITY, FeatureOption::ENTITY, FeatureCategory::ENTITY, Settings::ENTITY, counting::Exclusion::ENTITY];

/// This room's routes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/billing-plans", api::index)
        .tells("List billing plans", json::list::<Plan>)
        .asks(&[("plan_name", "string", "Those of this name; none when it is empty."), as_of::PARAMETER])
        .merge(door::routes::<Plans>("/api/billing-plans", "/api/billing-plans/{plan}", "/api/billing-plans/{plan}/restore"))
        .get("/api/billing-plans/{plan}/{term}", api::show_named)
        .tells("Read the billing plan of a name and a term", json::one::<Plan>)
        .get("/api/feature-options", api::options)
        .tells("List what can be chosen for features", json::list::<FeatureOption>)
        .asks(&[as_of::PARAMETER])
        .merge(door::routes::<Options>("/api/feature-options", "/api/feature-options/{id}", "/api/feature-options/{id}/restore"))
        .get("/api/billing_summary", summary::index)
        .tells("Count what each company has that is billed", described::summary)
        .get("/api/billing/trueup", trueup::show)
        .tells("Compare what is counted with what is billed, with receipts", described::trueup)
        .asks(&[
            ("company", "string", "The account number of a company; all clients without it."),
            ("month", "month", "The month, as 2026-11."),
        ])
        .get("/api/billing/settings/{acct}", door::show::<CompanySettings>)
        .tells("Read how the people and devices of a company are counted", json::one::<Settings>)
        .update("/api/billing/settings/{acct}", door::update::<CompanySettings>)
        .tells("Decide how the people and devices of a company are counted", json::one::<Settings>)
        .takes(schema::changed::<Settings>)
        .get("/api/billing/exclusions", api::exclusions)
        .tells("List what is left out of bills by hand", json::list::<counting::Exclusion>)
        .asks(&[("company", "text!", "The account number of a company.")])
        .post("/api/billing/exclusions", door::create::<Exclusions>)
        .makes("Leave something out of bills", json::one::<counting::Exclusion>)
        .takes(described::exclusion)
        .get("/api/billing/exclusions/{id}", door::show::<Exclusions>)
        .tells("Read why something is left out of bills", json::one::<counting::Exclusion>)
        .update("/api/billing/exclusions/{id}", door::update::<Exclusions>)
        .tells("Say anew why something is left out of bills", json::one::<counting::Exclusion>)
        .takes(described::excluded_anew)
        .delete("/api/billing/exclusions/{id}", door::retire::<Exclusions>)
        .tells("Count something again that was left out of bills", json::one::<counting::Exclusion>)
        .get("/api/billing/compare", compare::show)
        .tells("Compare what is counted in two months, with the changes behind it", described::compared)
        .asks(&[
            ("from", "month", "The earlier month, as 2026-10; the one before without it."),
            ("to", "month", "The later month; this one without it."),
            ("company", "string", "The account number of a company; all clients without it."),
        ])
        .post("/api/billing/snapshots", snapshot_api::create)
        .makes("Freeze a month of one company or of every client", described::freezing)
        .takes(described::to_freeze)
        .get("/api/billing/snapshots", snapshot_api::index)
        .tells("List frozen months, the newest first", described::snapshots)
        .asks(&[
            ("month", "month", "Those of this month."),
            ("company", "string", "The account number of a company."),
            ("limit", "count", "At most so many."),
            ("offset", "count", "After so many."),
        ])
        .get("/api/billing/snapshots/{id}", snapshot_api::show)
        .tells("Read a frozen month; with .csv behind the id its file", described::snapshot)
        .get("/billing/snapshots", snapshot_pages::index)
        .get("/billing/snapshots/{id}", snapshot_pages::show)
        .form("/billing/snapshots/freeze", "/billing/snapshots", snapshot_pages::save)
        .get("/billing/compare", snapshot_pages::changes)
        .get("/billing/trueup", trueup_pages::show)
        .form("/billing/trueup/settings", "/billing/trueup", trueup_pages::save_settings)
        .form("/billing/trueup/exclude", "/billing/trueup", trueup_pages::exclude)
        .form("/billing/trueup/include", "/billing/trueup", trueup_pages::include)
        .get("/billing-plans/api/bulk-plans", catalog::bulk)
        .tells("Read all plans and features at once", described::bulk)
        .get("/billing-plans/api/plans", catalog::plans)
        .tells("List billing plans for pages", described::plans)
        .get("/billing-plans/api/plans/{plan}/{term}", catalog::plan)
        .tells("Read a billing plan for pages", described::plan)
        .get("/billing-plans/api/feature-options", catalog::options)
        .tells("List what can be chosen for features for pages", described::options)
        .get("/billing-plans/api/feature-categories", catalog::categories)
        .tells("List the categories of features", described::categories)
        .get("/billing-plans/export", transfer::export)
        .tells("Export every billing plan, feature option and category as one file", described::exported)
        .form("/billing-plans/import", "/billing-plans/", transfer::import)
        .merge(pages::routes())
        .merge(company_plan::routes())
}
