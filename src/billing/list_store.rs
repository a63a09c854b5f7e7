//! The lists of plans and of feature options: what they can be filtered, sorted and searched by.

use super::model::{FeatureOption, Plan};
use crate::{
    db::list::{Column, Kind, ListSpec, Search},
    entity::Shaped as _,
    history::Record as _,
    list_columns,
};

/// Every plan, by name and term.
pub static PLANS: ListSpec = ListSpec {
    entities: &["billing_plan"],
    select: || Plan::SELECT.to_owned(),
    from: "@billing_plans billing_plan",
    key: "billing_plan.id",
    columns: list_columns![
        Plan;
        Column::new("id", "billing_plan.id", Kind::Int).required(),
        Column::new("created_at", "billing_plan.created_at", Kind::Time).required(),
        Column::new("updated_at", "billing_plan.updated_at", Kind::Time).required(),
    ],
    default_sort: "plan_name,id",
    search: Some(Search { fts: "billing_plans_fts", text: "billing_plan.search_text", private: None }),
    retired: Some("billing_plan.retired_at"),
    own: &["plan_name", "term_length"],
    fields: Plan::names,
};

/// Every feature option, by category.
pub static OPTIONS: ListSpec = ListSpec {
    entities: &["feature_option"],
    select: || FeatureOption::SELECT.to_owned(),
    from: "@feature_options feature_option",
    key: "feature_option.id",
    columns: list_columns![
        FeatureOption;
        Column::new("id", "feature_option.id", Kind::Int).required(),
        Column::new("created_at", "feature_option.created_at", Kind::Time).required(),
        Column::new("updated_at", "feature_option.updated_at", Kind::Time).required(),
    ],
    default_sort: "feature_category,option_value",
    search: Some(Search { fts: "feature_options_fts", text: "feature_option.search_text", private: None }),
    retired: Some("feature_option.retired_at"),
    own: &["feature_category"],
    fields: FeatureOption::names,
};
