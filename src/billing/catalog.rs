//! The catalogue of plans as neighbours read it in one answer (contract §1.8.4).

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use serde_json::{Map, Value as Json, json};

use super::{
    model::{CATEGORIES, Plan, term},
    store,
};
use crate::{
    auth::Reader,
    db::Conn,
    error::{Error, Result},
    web::{Path, ReadRequest, Web, list},
};

/// What these answers are made of.
const MADE_OF: &[&str] = &["billing_plan", "feature_option", "feature_category", "company"];

/// `GET /billing-plans/api/bulk-plans`: every plan under `<name>|<term>`, and under each spelling that companies have of it.
pub async fn bulk(State(web): State<Web>, reader: Reader, request: ReadRequest) -> Result<Response> {
    list::value(&web, &reader.scope(), "", &request, MADE_OF, |c| {
        let plans = store::Plans::read(c)?;
        let mut told = Map::new();
        for plan in plans.iter() {
            told.insert(format!("{}|{}", plan.name, plan.term), texts(plan));
        }
        for (name, spelled) in store::named_by_companies(c)? {
            if let Some(plan) = plans.of(Some(&name), spelled.as_deref()) {
                told.entry(format!("{name}|{}", term(spelled.as_deref().unwrap_or_default()))).or_insert_with(|| texts(plan));
            }
        }
        Ok(json!({ "plans": told }))
    })
    .await
}

fn texts(plan: &Plan) -> Json {
    let mut told = json!({ "plan_name": plan.name, "term_length": plan.term, "support_level": plan.support_level });
    for (category, _) in CATEGORIES {
        told[category] = plan.feature(category).into();
    }
    told
}

/// A plan with its features and what those are called.
fn whole(plan: &Plan, words: &BTreeMap<String, String>) -> Result<Json> {
    let mut told = serde_json::to_value(plan).map_err(Error::internal)?;
    let named = plan.features().into_keys().filter_map(|key| words.get(&key).map(|words| (key, Json::from(words.as_str()))));
    told["feature_display_names"] = Json::Object(named.collect());
    Ok(told)
}

fn words(c: &mut Conn) -> Result<BTreeMap<String, String>> {
    Ok(store::categories(c)?.into_iter().collect())
}

/// `GET /billing-plans/api/plans`
pub async fn plans(State(web): State<Web>, reader: Reader, request: ReadRequest) -> Result<Response> {
    list::value(&web, &reader.scope(), "", &request, MADE_OF, |c| {
        let words = words(c)?;
        let plans = store::all(c)?.iter().map(|plan| whole(plan, &words)).collect::<Result<Vec<_>>>()?;
        Ok(json!({ "status": "success", "count": plans.len(), "plans": plans }))
    })
    .await
}

/// `GET /billing-plans/api/plans/{plan}/{term}`
pub async fn plan(
    State(web): State<Web>,
    reader: Reader,
    Path((name, term)): Path<(String, String)>,
    request: ReadRequest,
) -> Result<Response> {
    let found = web
        .db
        .read(&reader.scope(), move |c| match store::find(c, &name, Some(&term))? {
            Some(plan) => Ok(Some(whole(&plan, &words(c)?)?)),
            None => Ok(None),
        })
        .await?;
    let plan = found.ok_or(Error::NotFound { what: "Plan" })?;
    request.value(&json!({ "status": "success", "plan": plan }))
}

/// `GET /billing-plans/api/feature-options`: what there is of each category.
pub async fn options(State(web): State<Web>, reader: Reader, request: ReadRequest) -> Result<Response> {
    list::value(&web, &reader.scope(), "", &request, MADE_OF, |c| {
        let categories = store::categories(c)?;
        let mut features: Map<String, Json> = categories.iter().map(|(key, _)| (key.clone(), json!([]))).collect();
        for option in store::options(c)? {
            let one = json!({
                "id": option.id, "category": option.category, "value": option.name, "display_name": option.name,
                "description": option.description,
            });
            if let Some(Json::Array(list)) = features.get_mut(&option.category) {
                list.push(one);
            }
        }
        let keys: Vec<&String> = categories.iter().map(|(key, _)| key).collect();
        Ok(json!({ "status": "success", "features": features, "categories": keys }))
    })
    .await
}

/// `GET /billing-plans/api/feature-categories`
pub async fn categories(State(web): State<Web>, reader: Reader, request: ReadRequest) -> Result<Response> {
    list::value(&web, &reader.scope(), "", &request, MADE_OF, |c| {
        let categories = store::categories(c)?;
        let keys: Vec<&String> = categories.iter().map(|(key, _)| key).collect();
        let words: Map<String, Json> = categories.iter().map(|(key, words)| (key.clone(), words.as_str().into())).collect();
        Ok(json!({ "status": "success", "categories": keys, "display_names": words, "count": keys.len() }))
    })
    .await
}
