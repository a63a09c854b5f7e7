//! On an asset's page: which vendor each field came from, and what the others say.

use std::collections::BTreeMap;

use super::field_sources::{self, FieldSource};
use crate::{
    assets::Asset,
    companies::{Company, pages_store},
    compliance::RedactionPolicy,
    db::Conn,
    entity::Fielded as _,
    error::Result,
    history::Record as _,
    resource::panel::{Content, Looker, Panel, Panels, Tab, Whose},
    ui::{Line, Table, Value, words},
    vendors::{self, Vendor},
};

/// The panel, for those who work here; none when no vendor knows the asset.
pub struct OfVendors;

impl Panels for OfVendors {
    fn of(&self, c: &mut Conn, looker: &Looker<'_>, whose: Whose<'_>) -> Result<Vec<Panel>> {
        if whose.entity != Asset::ENTITY || !looker.page.is_staff() {
            return Ok(Vec::new());
        }
        let table = read(c, looker.config.assets.prefer, whose.id, looker.policy)?;
        Ok(table.map(|table| Panel::new(Tab::Overview, "sources", "Sources", Content::Rows(table))).into_iter().collect())
    }
}

fn read(c: &mut Conn, prefer: &str, id: i64, policy: &RedactionPolicy) -> Result<Option<Table>> {
    let field_sources = field_sources::of(c, prefer, id)?.redact(policy);
    if field_sources.systems.is_empty() {
        return Ok(None);
    }
    let companies: Vec<i64> = field_sources
        .fields
        .iter()
        .filter(|field_source| is_company(&field_source.field))
        .flat_map(|field_source| field_source.said.values().chain([&field_source.value]))
        .filter_map(serde_json::Value::as_i64)
        .collect();
    let names = pages_store::names(c, companies)?.into_iter().collect();
    let lines = field_sources.fields.iter().map(|field_source| line(field_source, prefer, &names)).collect();
    let mut heads = vec![("Field", "cell--main"), ("Believed", "")];
    heads.extend(columns(prefer).map(|vendor| (vendor.name, "cell--cut")));
    Ok(Some(Table { label: "What vendors say", heads, lines, empty: "No vendor knows this asset.", more: None }))
}

/// Whether a field holds the id of a company.
fn is_company(field: &str) -> bool {
    Asset::field(field).is_some_and(|field| field.spec.leads_to() == Some(Company::ENTITY))
}

/// The vendors, the one that is preferred first.
fn columns(prefer: &str) -> impl Iterator<Item = &'static Vendor> {
    let (first, others): (Vec<_>, Vec<_>) = vendors::ALL.iter().partition(|vendor| vendor.system == prefer);
    first.into_iter().chain(others)
}

fn line(field_source: &FieldSource, prefer: &str, companies: &BTreeMap<i64, String>) -> Line {
    let shown = |value: Option<&serde_json::Value>| match value {
        None => Value::None,
        Some(serde_json::Value::Number(id)) if is_company(&field_source.field) => {
            let name = id.as_i64().and_then(|id| companies.get(&id));
            Value::words(name.cloned().unwrap_or_else(|| format!("company {id}")))
        }
        Some(serde_json::Value::String(text)) => Value::words(text.clone()),
        Some(other) => Value::words(other.to_string()),
    };
    let from = match field_source.from.as_deref() {
        None => Value::None,
        Some("pinned") => Value::badge("warning", "Pinned here"),
        Some("here") => Value::words("Entered here"),
        Some(system) => Value::words(vendors::find(system).map_or(system, |vendor| vendor.name)),
    };
    let label = Asset::field(&field_source.field).map_or_else(|| words(&field_source.field), |field| field.spec.label.to_owned());
    let mut cells = vec![Value::words(label), from];
    cells.extend(columns(prefer).map(|vendor| shown(field_source.said.get(vendor.system))));
    Line { cells, post: None }
}
