//! What is sent for a plan or a feature, checked.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::model::{CATEGORIES, FeatureCategory, FeatureOption, NOT_INCLUDED, Plan, category_key, term};
use crate::{
    entity::Patch,
    error::{Error, Result},
    web::{Fields, Sent},
};

/// The most characters of what a plan has of a feature (contract §5.7).
const MOST: usize = 150;

/// What was sent for a plan.
#[derive(Debug)]
pub struct PlanInput {
    plan: Patch<Plan>,
    /// All its features, when they were sent as one.
    features: Option<BTreeMap<String, String>>,
    /// Single ones, by category; nothing for one that it does not have.
    single: Vec<(String, Option<String>)>,
}

/// Reads the fields of a plan.
///
/// # Errors
/// `Invalid` with every field that is wrong.
pub fn read(mut fields: Fields, creating: bool) -> Result<PlanInput> {
    fields.set_creating(creating);
    let plan = Patch::read(&mut fields)?;
    let features = match fields.object("features").get() {
        Sent::Absent => None,
        Sent::Null => Some(BTreeMap::new()),
        Sent::Value(map) => Some(all(map, &mut fields)),
    };
    let mut single = Vec::new();
    for (category, _) in CATEGORIES {
        match fields.text(category).max(MOST).get() {
            Sent::Absent => {}
            Sent::Null => single.push((category.to_owned(), None)),
            Sent::Value(value) => single.push((category.to_owned(), included(value))),
        }
    }
    // A form names whatever category there is.
    let names = fields.map().keys().filter(|_| fields.is_form());
    let named: Vec<String> = names.filter_map(|name| name.strip_prefix("feature_")).map(str::to_owned).collect();
    for category in named {
        match fields.text(&format!("feature_{category}")).max(MOST).get() {
            Sent::Absent => {}
            Sent::Null => single.push((category_key(&category), None)),
            Sent::Value(value) => single.push((category_key(&category), included(value))),
        }
    }
    fields.finish()?;
    Ok(PlanInput { plan, features, single })
}

fn included(value: String) -> Option<String> {
    Some(value).filter(|value| !value.eq_ignore_ascii_case(NOT_INCLUDED))
}

fn all(map: serde_json::Map<String, Json>, fields: &mut Fields) -> BTreeMap<String, String> {
    let mut features = BTreeMap::new();
    for (key, value) in map {
        match value {
            Json::Null => {}
            Json::String(text) if text.trim().is_empty() => {}
            Json::String(text)
                if text.chars().count() <= MOST && key.chars().count() <= MOST && !category_key(&key).is_empty() =>
            {
                if let Some(text) = included(crate::types::clean(&text)) {
                    features.insert(category_key(&key), text);
                }
            }
            _ => fields.refuse(format!("features.{key}"), format!("must be text of at most {MOST} characters")),
        }
    }
    features
}

impl PlanInput {
    /// Puts it into a plan.
    ///
    /// # Errors
    /// `Internal` when the table does not fit the struct.
    pub fn apply(&self, plan: &mut Plan) -> Result<()> {
        let before = plan.clone();
        self.plan.apply(plan)?;
        plan.term = term(&plan.term);
        // Who sends back what follows from others has not said it.
        if before.backup_included_milli_tb.is_none() && plan.backup_included_milli_tb == Some(before.included_milli_tb()) {
            plan.backup_included_milli_tb = None;
        }
        // A new plan is sent whole by who copies one; nobody copies a price of nothing where a terabyte costs something.
        let is_new = before.id == 0;
        let follows = if is_new { plan.per_gb_micros(None) } else { before.per_gb_micros(None) };
        for (was, is) in [
            (before.backup_per_gb_workstation_micros, &mut plan.backup_per_gb_workstation_micros),
            (before.backup_per_gb_server_micros, &mut plan.backup_per_gb_server_micros),
        ] {
            if was.is_none() && *is == Some(follows) && !(is_new && follows == 0) {
                *is = None;
            }
        }
        let mut features = self.features.clone().unwrap_or_else(|| plan.features());
        for (category, value) in &self.single {
            match value {
                Some(value) => features.insert(category.clone(), value.clone()),
                None => features.remove(category),
            };
        }
        plan.features = serde_json::to_string(&features).map_err(Error::internal)?;
        Ok(())
    }
}

/// Reads the fields of a feature option.
///
/// # Errors
/// `Invalid` with every field that is wrong.
pub fn read_option(mut fields: Fields, creating: bool) -> Result<Patch<FeatureOption>> {
    fields.set_creating(creating);
    let mut option = Patch::<FeatureOption>::read(&mut fields)?;
    if option.has("category") {
        let key = category_key(&option.row().category);
        if key.is_empty() {
            fields.refuse("feature_category", "must have a letter or a digit");
        }
        option.set("category", key)?;
    }
    fields.finish()?;
    Ok(option)
}

/// Reads the fields of a feature category; without a key it is its name's.
///
/// # Errors
/// `Invalid` with every field that is wrong.
pub fn read_category(fields: &Fields) -> Result<Patch<FeatureCategory>> {
    let mut map = fields.map().clone();
    let text =
        |name: &str| map.get(name).and_then(Json::as_str).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let key = ["category", "feature_category", "feature_type", "feature_key"].into_iter().find_map(text);
    let name = text("display_name");
    if let (Some(one), _) | (None, Some(one)) = (key.clone(), name.clone()) {
        map.insert("category".to_owned(), category_key(&one).into());
        map.insert("display_name".to_owned(), name.unwrap_or(one).into());
    }
    let mut fields = Fields::from_form(map);
    fields.set_creating(true);
    let category = Patch::read(&mut fields)?;
    fields.finish()?;
    Ok(category)
}
