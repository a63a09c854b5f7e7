//! What every company has that is billed, in one answer (contract §1.5).

use std::collections::{BTreeMap, HashMap};

use axum::{extract::State, response::Response};
use serde_json::{Map, Value as Json, json};

use super::{model::Plan, month::Month, store};
use crate::{
    assets::{AssetView, AssetViewContext, store as assets},
    auth::BillingReader,
    companies::{CompanyView, store as companies},
    contacts::{ContactView, store as contacts},
    db::Conn,
    error::Result,
    types::decimal,
    web::{ReadRequest, Web, list, text::Array},
};

/// How many companies are read at once.
const AT_ONCE: usize = 20;

/// How somebody asks.
struct Asked {
    view_context: AssetViewContext,
    /// Archived assets too.
    archived: bool,
}

/// `GET /api/billing_summary`
pub async fn index(State(web): State<Web>, reader: BillingReader, request: ReadRequest) -> Result<Response> {
    let asked = Asked {
        view_context: AssetViewContext::of(&reader, &web.config, &request.query)?,
        archived: !web.config.assets.archived_leave_billing,
    };
    // Hours are told by month, so that tomorrow's answer may be another.
    let month = Month::current();
    let variant = format!("{}|{}|{}", asked.view_context.key(), asked.archived, month.as_str());
    let entities = &["company", "contact", "asset", "ticket", "billing_plan", "feature_category"];
    list::json(&web, &reader.scope(), &variant, &request, entities, move |c, to| {
        let policy = &asked.view_context.policy;
        let all: Vec<CompanyView> = companies::all_views(c)?.into_iter().map(|company| company.redact(policy)).collect();
        let plans = store::Plans::read(c)?;
        let mut hours = store::minutes_by_month(c, month.previous().as_str())?;
        let mut overrides = store::overrides(c)?;
        let mut rows = Array::begin(to)?;
        for some in all.chunks(AT_ONCE) {
            let (mut people, mut devices) = (people(c, some, &asked)?, devices(c, some, &asked)?);
            for company in some {
                let id = company.row.id;
                let entry = entry(
                    company,
                    plans.of(company.row.plan.as_deref(), company.row.contract_term.as_deref()),
                    &overrides.remove(&id).unwrap_or_default(),
                    &people.remove(&id).unwrap_or_default(),
                    &devices.remove(&id).unwrap_or_default(),
                );
                rows.push(&with_hours(entry, &month, &hours.remove(&id).unwrap_or_default()))?;
            }
        }
        rows.end().map(drop)
    })
    .await
}

/// Active contacts, as far as the caller may see them.
fn people(c: &mut Conn, some: &[CompanyView], asked: &Asked) -> Result<HashMap<i64, Vec<ContactView>>> {
    let policy = &asked.view_context.policy;
    let mut found: HashMap<i64, Vec<ContactView>> = HashMap::new();
    for (company, contact) in contacts::of_companies(c, some.iter().map(|company| company.row.id).collect())? {
        if contact.inside().row.active {
            found.entry(company).or_default().push(contact.redact(policy));
        }
    }
    found.values_mut().for_each(|people| ContactView::order(people, policy));
    Ok(found)
}

fn devices(c: &mut Conn, some: &[CompanyView], asked: &Asked) -> Result<HashMap<i64, Vec<AssetView>>> {
    let mut found: HashMap<i64, Vec<AssetView>> = HashMap::new();
    for (company, asset) in assets::of_companies(c, some.iter().map(|company| company.row.id).collect())? {
        let asset = asset.redact(&asked.view_context);
        if asked.archived || asset.life != Some("archived") {
            found.entry(company).or_default().push(asset);
        }
    }
    Ok(found)
}

fn entry(
    company: &CompanyView,
    plan: Option<&Plan>,
    overrides: &BTreeMap<String, String>,
    people: &[ContactView],
    devices: &[AssetView],
) -> Map<String, Json> {
    let row = &company.row;
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for device in devices {
        *counts.entry(device.row.kind.as_str()).or_default() += 1;
    }
    let mut features = plan.map(Plan::features).unwrap_or_default();
    features.extend(overrides.iter().map(|(key, value)| (key.clone(), value.clone())));
    let features: Map<String, Json> = features
        .into_iter()
        .map(|(key, value)| {
            let source = if overrides.contains_key(&key) { "custom" } else { "plan" };
            (key, json!({ "value": value, "source": source }))
        })
        .collect();
    let assets = devices.iter().map(|device| {
        json!({
            "hostname": device.row.hostname, "hardware_type": device.row.hardware_type,
            "operating_system": device.row.operating_system, "type": device.row.kind,
        })
    });
    let users = people.iter().map(|person| json!({ "username": person.row.name, "email": person.row.email }));
    let told = json!({
        "account_number": row.account_number, "name": row.name, "plan_selected": row.plan,
        "company_main_number": row.main_number, "domains": row.domains,
        "billing_plan": row.plan.as_deref().unwrap_or_default(), "contract_term_length": row.term(),
        "support_level": company.support_level(), "plan_id": plan.map(|plan| plan.id),
        "asset_count": devices.len(), "user_count": people.len(), "counts_by_type": counts, "features": features,
        "assets": assets.collect::<Vec<_>>(), "users": users.collect::<Vec<_>>(),
    });
    match told {
        Json::Object(members) => members,
        _ => Map::new(),
    }
}

/// The hours of tickets by the month in which they were last changed, as Ledger bills them.
fn with_hours(mut entry: Map<String, Json>, month: &Month, minutes: &BTreeMap<String, i64>) -> Map<String, Json> {
    let hours = |month: &Month| decimal::number(minutes.get(month.as_str()).copied().unwrap_or_default() * 100 / 60, 2);
    entry.insert("hours".to_owned(), json!({ "this_month": hours(month), "last_month": hours(&month.previous()) }));
    entry
}
