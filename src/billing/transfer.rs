//! All plans as one file, and such a file as plans (contract §1.8.4).

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use serde_json::{Map, Value as Json, json};

use super::{model::Plan, rules, store};
use crate::{
    agents::PageContext,
    auth::Admin,
    db::{Conn, Write},
    error::{Error, FieldError, Result},
    web::{Fields, Raw, Web, json as strict, multipart},
};

/// Where the import's form stands.
const PAGE: &str = "/billing-plans/";
/// What a plan's file does not have: what only this database knows.
const OURS: [&str; 6] = ["id", "billing_plan", "rev", "created_at", "updated_at", "retired_at"];

/// `GET /billing-plans/export`
pub async fn export(State(web): State<Web>, admin: Admin) -> Result<Response> {
    let text = web.db.read(&admin.scope(), everything).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"billing_plans_export.json\"")),
    ];
    Ok((headers, text).into_response())
}

fn everything(c: &mut Conn) -> Result<String> {
    let mut plans = Vec::new();
    for plan in store::all(c)? {
        let mut told = serde_json::to_value(&plan).map_err(Error::internal)?;
        if let Json::Object(members) = &mut told {
            members.retain(|name, _| !OURS.contains(&name.as_str()));
            // What follows from another price is no price of its own.
            for (name, own) in [
                ("backup_cost_per_gb_workstation", plan.backup_per_gb_workstation_micros),
                ("backup_cost_per_gb_server", plan.backup_per_gb_server_micros),
            ] {
                if own.is_none() {
                    members.insert(name.to_owned(), Json::Null);
                }
            }
        }
        plans.push(told);
    }
    let options: Vec<Json> = store::options(c)?
        .into_iter()
        .map(|option| {
            json!({
                "feature_category": option.category, "option_value": option.name, "display_name": option.name,
                "description": option.description,
            })
        })
        .collect();
    let categories: Vec<Json> =
        store::categories(c)?.into_iter().map(|(key, words)| json!({ "category": key, "display_name": words })).collect();
    let file = json!({ "plans": plans, "feature_options": options, "feature_categories": categories });
    serde_json::to_string_pretty(&file).map_err(Error::internal)
}

/// `POST /billing-plans/import`: adds the plans and options of a file that are not there yet; all of them or, when one is
/// wrong, none.
pub async fn import(
    State(web): State<Web>,
    admin: Admin,
    context: PageContext,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response> {
    let done = match multipart::file(&headers, &body, "json_file").and_then(|file| File::read(&file)) {
        Ok(file) => web.db.write(&admin.scope(), &admin.actor(), move |w| file.add(w)).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(done) => context.go(PAGE, &done.words()),
        Err(error @ (Error::Invalid(_) | Error::BadRequest(_) | Error::Conflict { .. })) => {
            context.go_sorry(PAGE, &format!("Nothing was imported. {error}"))
        }
        Err(other) => Err(other),
    }
}

/// A file of plans.
struct File {
    plans: Vec<Map<String, Json>>,
    options: Vec<Map<String, Json>>,
    categories: Vec<Map<String, Json>>,
}

/// What came of a file.
#[derive(Default)]
struct Done {
    plans: usize,
    options: usize,
    there: usize,
}

impl Done {
    fn words(&self) -> String {
        let Self { plans, options, there } = self;
        format!("Imported {plans} plans and {options} feature options; {there} existed already.")
    }
}

impl File {
    fn read(bytes: &[u8]) -> Result<Self> {
        let mut map = strict::object(bytes)?;
        let mut list = |name: &str, is_required: bool| match map.remove(name) {
            Some(Json::Array(items)) => items
                .into_iter()
                .enumerate()
                .map(|(at, item)| match item {
                    Json::Object(map) => Ok(map),
                    _ => Err(Error::field(format!("{name}[{at}]"), "must be an object")),
                })
                .collect(),
            None if !is_required => Ok(Vec::new()),
            _ => Err(Error::field(name, "must be an array: the file is not an export of plans")),
        };
        Ok(Self {
            plans: list("plans", true)?,
            options: list("feature_options", true)?,
            categories: list("feature_categories", false)?,
        })
    }

    fn add(self, w: &mut Write<'_>) -> Result<Done> {
        let mut done = Done::default();
        let known = store::categories(w)?;
        for (at, map) in self.categories.into_iter().enumerate() {
            let category = rules::read_category(&Fields::new(map)).map_err(|error| within("feature_categories", at, error))?;
            if !known.iter().any(|(key, _)| *key == category.row().category) {
                store::name_category(w, &category)?;
            }
        }
        for (at, map) in self.options.into_iter().enumerate() {
            let option = rules::read_option(Fields::new(map), true).map_err(|error| within("feature_options", at, error))?;
            let (_, is_new) = store::add_option(w, &option)?;
            if is_new { done.options += 1 } else { done.there += 1 }
        }
        for (at, map) in self.plans.into_iter().enumerate() {
            let input = rules::read(Fields::new(map), true).map_err(|error| within("plans", at, error))?;
            let mut wanted = Plan::default();
            input.apply(&mut wanted)?;
            if store::find(w, &wanted.name, Some(&wanted.term))?.is_some() {
                done.there += 1;
            } else {
                store::create(w, &input)?;
                done.plans += 1;
            }
        }
        Ok(done)
    }
}

/// What is wrong, with where it stands.
fn within(list: &str, at: usize, error: Error) -> Error {
    match error {
        Error::Invalid(wrong) => {
            let placed = |one: FieldError| FieldError { field: format!("{list}[{at}].{}", one.field), ..one };
            Error::Invalid(wrong.into_iter().map(placed).collect())
        }
        other => other,
    }
}
