//! The list of companies: what it can be filtered, sorted and searched by.

use super::{
    Location,
    model::{Company, CompanyView},
    store,
};
use crate::compliance::{RedactionPolicy, found_by_shown};
use crate::db::Conn;
use crate::db::list::{Column, Kind, ListQuery, ListSpec, Search};
use crate::entity::{Shaped as _, ending};
use crate::error::Result;
use crate::history::Record as _;
use crate::list_columns;
use crate::web::Query;

/// How it stands with contracts that end: `?contract=ending`.
///
/// # Errors
/// When that is no state.
pub fn contract(query: &Query) -> Result<Option<ending::Asked>> {
    ending::Asked::read(query, "contract", CONTRACT)
}

/// The day on which a contract ends.
pub const CONTRACT: &str = "company.contract_end_date";

/// Every company, by name.
pub static COMPANIES: ListSpec = ListSpec {
    entities: &["company", "contact", "billing_plan"],
    select: store::select,
    from: "@companies company",
    key: "company.id",
    columns: list_columns![
        Company;
        Column::new("id", "company.id", Kind::Int).required(),
        Column::text("billing_plan", "company.plan"),
        Column::text("plan_selected", "company.plan"),
        Column::text("support_level", store::SUPPORT_LEVEL),
        Column::new("has_plan", store::HAS_PLAN, Kind::Bool).required(),
        Column::new("parent_id", store::PARENT, Kind::Int),
        Column::new("billing_contact_id", store::BILLING_CONTACT, Kind::Int),
        Column::text("freshservice_id", store::FRESHSERVICE_ID),
        Column::new("created_at", "company.created_at", Kind::Time).required(),
        Column::new("updated_at", "company.updated_at", Kind::Time).required(),
    ],
    default_sort: "name,account_number",
    search: Some(Search { fts: "companies_fts", text: "company.search_text", private: None }),
    retired: Some("company.retired_at"),
    own: &["contract", "contract__in"],
    fields: CompanyView::names,
};

/// The question without the companies that a search finds by what is struck from their descriptions.
pub fn by_shown(c: &mut Conn, query: ListQuery, policy: &RedactionPolicy) -> Result<ListQuery> {
    found_by_shown::<Company>(c, query, policy, &["company.description"], |company| {
        company.description = company.description.take().map(|text| policy.screen(&text));
    })
}

/// The locations of companies, by name.
pub static LOCATIONS: ListSpec = ListSpec {
    entities: &["location"],
    select: || Location::SELECT.to_owned(),
    from: "@locations location",
    key: "location.id",
    columns: &[
        Column::new("id", "location.id", Kind::Int).required(),
        Column::text("name", "location.name").required(),
        Column::text("address", "location.address"),
        Column::text("phone_number", "location.phone_number"),
        Column::new("created_at", "location.created_at", Kind::Time).required(),
        Column::new("updated_at", "location.updated_at", Kind::Time).required(),
    ],
    default_sort: "id",
    search: Some(Search { fts: "locations_fts", text: "location.search_text", private: None }),
    retired: Some("location.retired_at"),
    own: &[],
    fields: Location::names,
};
