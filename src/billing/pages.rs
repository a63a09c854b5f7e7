//! The page of plans with its forms (contract §2.1).

use std::collections::BTreeMap;

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use serde_json::{Map, Value as Json};

use super::{
    model::{FeatureOption, NOT_INCLUDED, Plan, costs},
    rules, store,
};
use crate::{
    agents::PageContext,
    auth::Admin,
    companies::model::TERMS,
    db::{Conn, Write},
    entity::Kind,
    error::{Error, Result},
    history,
    resource::form_page::CHANGED_SINCE,
    types::decimal,
    ui::{Crumb, Page, Section, filters},
    web::{Fields, Path, Routes, Web, encode_segment},
};

/// The list.
const PAGE: &str = "/billing-plans/";

/// The page and what is posted to it.
pub fn routes() -> Routes {
    Routes::new()
        .get(PAGE, index)
        .get("/billing-plans/edit", edit)
        .get("/billing-plans/features/", features)
        .form("/billing-plans/save", PAGE, save)
        .form("/billing-plans/create", PAGE, create)
        .form("/billing-plans/delete", PAGE, delete)
        .form("/billing-plans/copy-terms", PAGE, copy_terms)
        .form("/billing-plans/features/add", "/billing-plans/features/", add_feature)
        .form("/billing-plans/features/categories/add", "/billing-plans/features/", add_category)
        .form("/billing-plans/features/{id}/edit", "/billing-plans/features/", edit_feature)
        .form("/billing-plans/features/{id}/delete", "/billing-plans/features/", delete_feature)
}

/// One term, and how many companies have it.
struct Term {
    id: i64,
    name: String,
    users: usize,
}

/// The terms of one name side by side.
struct Card {
    name: String,
    terms: Vec<Term>,
    users: usize,
    rows: Vec<(String, Vec<String>)>,
    edit: String,
}

#[derive(Template)]
#[template(path = "billing/plans.html")]
struct PlansPage {
    page: Page,
    cards: Vec<Card>,
    is_admin: bool,
}

/// What a plan's amount is as people read it.
fn amount(kind: Kind, parts: i64, currency: &str) -> String {
    match kind {
        Kind::Decimal(2) => decimal::money(parts, currency),
        Kind::Decimal(places) => decimal::plain(parts, places),
        _ => parts.to_string(),
    }
}

/// A plan's amounts, in the order of its page.
fn amounts(plan: &Plan) -> impl Iterator<Item = (&'static crate::entity::FieldSpec, i64)> {
    let plan = plan.clone();
    costs().map(move |field| {
        let parts = match crate::db::Value::from((field.read)(&plan)) {
            crate::db::Value::Int(parts) => parts,
            _ => plan.included_milli_tb(),
        };
        (&field.spec, parts)
    })
}

fn grouped(plans: Vec<Plan>) -> Vec<Vec<Plan>> {
    let mut groups: BTreeMap<String, Vec<Plan>> = BTreeMap::new();
    for plan in plans {
        groups.entry(plan.place().0).or_default().push(plan);
    }
    groups.into_values().collect()
}

/// Everything that is shown of the terms of one name.
fn rows(plans: &[Plan], categories: &[(String, String)], currency: &str) -> Vec<(String, Vec<String>)> {
    let told: Vec<Vec<_>> = plans.iter().map(|plan| amounts(plan).collect()).collect();
    let mut rows = vec![("Support level".to_owned(), plans.iter().map(|plan| plan.support_level.clone()).collect())];
    for (at, field) in costs().enumerate() {
        let cells = told.iter().filter_map(|amounts: &Vec<(_, i64)>| amounts.get(at));
        rows.push((field.spec.label.to_owned(), cells.map(|(_, parts)| amount(field.spec.kind, *parts, currency)).collect()));
    }
    let features: Vec<_> = plans.iter().map(Plan::features).collect();
    for (key, words) in categories {
        let cell = |features: &BTreeMap<String, String>| features.get(key).cloned().unwrap_or_else(|| NOT_INCLUDED.to_owned());
        rows.push((words.clone(), features.iter().map(cell).collect()));
    }
    rows
}

async fn index(State(web): State<Web>, context: PageContext) -> Result<Response> {
    let read = |c: &mut Conn| {
        let mut used = Vec::new();
        for plans in grouped(store::all(c)?) {
            let users = plans.iter().map(|plan| store::users(c, plan).map(|users| users.len())).collect::<Result<Vec<_>>>()?;
            used.push((plans, users));
        }
        Ok((used, store::categories(c)?))
    };
    let (groups, categories) = web.db.read(&context.scope(), read).await?;
    let page = context.titled(Section::Billing, "Billing plans");
    let currency = &web.config.display.currency;
    let cards = groups.into_iter().filter_map(|(plans, users)| {
        let name = plans.first()?.name.clone();
        Some(Card {
            rows: rows(&plans, &categories, currency),
            users: users.iter().sum(),
            edit: page.url(&edit_path(&name)),
            terms: plans.into_iter().zip(users).map(|(plan, users)| Term { id: plan.id, name: plan.term, users }).collect(),
            name,
        })
    });
    let built = PlansPage { cards: cards.collect(), is_admin: page.is_admin(), page };
    context.show(&built)
}

fn edit_path(name: &str) -> String {
    format!("/billing-plans/edit?plan={}", encode_segment(name))
}

/// One cell of the form.
struct Input {
    name: String,
    value: String,
    error: Option<String>,
}

/// What can be typed or chosen in a row of the form.
struct FormRow {
    label: String,
    is_number: bool,
    choices: Option<String>,
    cells: Vec<Input>,
}

#[derive(Template)]
#[template(path = "billing/plan_edit.html")]
struct EditPage {
    page: Page,
    crumbs: Vec<Crumb>,
    name: String,
    plans: Vec<Plan>,
    /// The revision that the form shows of each plan.
    revs: Vec<String>,
    rows: Vec<FormRow>,
    options: Vec<(String, Vec<String>)>,
    problems: Vec<String>,
}

/// What was typed into a form, and what is wrong with it, by the names of its inputs.
#[derive(Default)]
struct Typed {
    values: Map<String, Json>,
    wrong: BTreeMap<String, String>,
    problems: Vec<String>,
}

async fn edit(State(web): State<Web>, _: Admin, context: PageContext) -> Result<Response> {
    let name = context.query.text("plan")?.unwrap_or_default().to_owned();
    form(&web, &context, name, StatusCode::OK, Typed::default()).await
}

async fn form(web: &Web, context: &PageContext, name: String, status: StatusCode, typed: Typed) -> Result<Response> {
    let read = move |c: &mut Conn| Ok((store::named(c, &name)?, store::categories(c)?, store::options(c)?));
    let (plans, categories, options) = web.db.read(&context.scope(), read).await?;
    let name = plans.first().ok_or(Error::NotFound { what: "Plan" })?.name.clone();
    let page = context.titled(Section::Billing, format!("Edit {name}"));
    let input = |name: String, stored: String| Input {
        value: typed.values.get(&name).and_then(Json::as_str).map_or(stored, str::to_owned),
        error: typed.wrong.get(&name).cloned(),
        name,
    };
    let revs = plans.iter().map(|plan| input(format!("rev_{}", plan.id), plan.rev.to_string()).value).collect();
    let row = |label: &str, is_number, choices, cells| FormRow { label: label.to_owned(), is_number, choices, cells };
    let each = |field: &str, stored: &dyn Fn(&Plan) -> String| -> Vec<Input> {
        plans.iter().map(|plan| input(format!("{field}_{}", plan.id), stored(plan))).collect()
    };
    let mut rows = vec![row(
        "Support level",
        false,
        Some("support_level".to_owned()),
        each("support_level", &|plan| plan.support_level.clone()),
    )];
    for (at, field) in costs().enumerate() {
        let stored = |plan: &Plan| match (field.spec.kind, amounts(plan).nth(at)) {
            (Kind::Decimal(2), Some((_, parts))) => decimal::written(parts, 2),
            (Kind::Decimal(places), Some((_, parts))) => decimal::plain(parts, places),
            _ => String::new(),
        };
        rows.push(row(field.spec.label, true, None, each(field.spec.name, &stored)));
    }
    for (key, words) in &categories {
        let stored = |plan: &Plan| plan.features().remove(key).unwrap_or_default();
        rows.push(row(words, false, Some(key.clone()), each(&format!("feature_{key}"), &stored)));
    }
    let mut offered: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for FeatureOption { category, name, .. } in options {
        offered.entry(category).or_default().push(name);
    }
    let levels = ["Billed Hourly", "All Inclusive", "Unlimited"].map(str::to_owned).to_vec();
    offered.insert("support_level".to_owned(), levels);
    let options = offered.into_iter().collect();
    let crumbs = vec![Crumb { href: page.url(PAGE), text: "Billing plans".to_owned() }];
    context.show_as(status, &EditPage { page, crumbs, name, plans, revs, rows, options, problems: typed.problems })
}

/// The plans that a form is about, each with the revision that it showed and the fields that were sent for it.
fn sent(fields: &Fields) -> Vec<(i64, Option<i64>, Fields)> {
    let ids = match fields.map().get("plan_ids") {
        Some(Json::Array(ids)) => ids.iter().filter_map(|id| id.as_str()?.parse::<i64>().ok()).collect(),
        _ => Vec::new(),
    };
    let of = |id: i64| {
        let ending = format!("_{id}");
        let own = fields.map().iter().filter_map(|(name, value)| Some((name.strip_suffix(&ending)?.to_owned(), value.clone())));
        let mut own: Map<String, Json> = own.collect();
        let rev = own.shift_remove("rev").and_then(|rev| rev.as_str()?.parse().ok());
        (id, rev, Fields::from_form(own))
    };
    ids.into_iter().map(of).collect()
}

/// `POST /billing-plans/save`: the plans of one name, all of them or none.
async fn save(State(web): State<Web>, admin: Admin, context: PageContext, fields: Fields) -> Result<Response> {
    let name = fields.raw_text("plan_name").unwrap_or_default().to_owned();
    let mut typed = Typed { values: fields.map().clone(), ..Typed::default() };
    let mut inputs = Vec::new();
    for (id, rev, own) in sent(&fields) {
        match rules::read(own, false) {
            Ok(input) => inputs.push((id, rev, input)),
            Err(Error::Invalid(wrong)) => {
                typed.wrong.extend(wrong.into_iter().map(|error| (format!("{}_{id}", error.field), error.message)));
            }
            Err(other) => return Err(other),
        }
    }
    if !typed.wrong.is_empty() {
        return form(&web, &context, name, StatusCode::BAD_REQUEST, typed).await;
    }
    if inputs.is_empty() {
        return Err(Error::field("plan_ids", "is required"));
    }
    let work = move |w: &mut Write<'_>| {
        let mut changed = 0;
        for (id, rev, input) in &inputs {
            changed += usize::from(!store::update(w, *id, input, *rev)?.changed.is_empty());
        }
        Ok(changed)
    };
    match web.db.write(&admin.scope(), &admin.actor(), work).await {
        Ok(0) => context.go(PAGE, "No changes to save."),
        Ok(_) => context.go(PAGE, &format!("{name} was saved.")),
        Err(Error::Conflict { message, .. }) => {
            typed.problems.push(message);
            form(&web, &context, name, StatusCode::CONFLICT, typed).await
        }
        Err(Error::PreconditionFailed) => {
            typed.problems.push(CHANGED_SINCE.to_owned());
            form(&web, &context, name, StatusCode::CONFLICT, typed).await
        }
        Err(other) => Err(other),
    }
}

/// What a new plan costs until somebody says otherwise (contract §2.1).
const USUAL: [(&str, &str); 5] = [
    ("per_hour_ticket_cost", "90"),
    ("backup_base_fee_workstation", "25"),
    ("backup_base_fee_server", "50"),
    ("backup_included_tb", "1"),
    ("backup_per_tb_fee", "15"),
];

/// `POST /billing-plans/create`: a plan with the four canonical terms.
async fn create(State(web): State<Web>, admin: Admin, context: PageContext, mut fields: Fields) -> Result<Response> {
    let name = fields.text("new_plan_name").required().max(100).value();
    fields.finish()?;
    let name = name.ok_or_else(|| Error::field("new_plan_name", "is required"))?;
    let wanted = name.clone();
    let work = move |w: &mut Write<'_>| {
        for term in TERMS {
            let mut map: Map<String, Json> = USUAL.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
            map.insert("plan_name".to_owned(), wanted.as_str().into());
            map.insert("term_length".to_owned(), term.into());
            store::create(w, &rules::read(Fields::from_form(map), true)?)?;
        }
        Ok(())
    };
    match web.db.write(&admin.scope(), &admin.actor(), work).await {
        Ok(()) => context.go(&edit_path(&name), &format!("{name} was added with its four terms.")),
        Err(Error::Conflict { .. }) => context.go_sorry(PAGE, &format!("A plan {name} exists already.")),
        Err(other) => Err(other),
    }
}

/// `POST /billing-plans/delete`: every term of a name, unless companies use one.
async fn delete(State(web): State<Web>, admin: Admin, context: PageContext, mut fields: Fields) -> Result<Response> {
    let name = fields.text("plan_name").required().value();
    fields.finish()?;
    let name = name.ok_or_else(|| Error::field("plan_name", "is required"))?;
    let wanted = name.clone();
    let work = move |w: &mut Write<'_>| {
        let plans = store::named(w, &wanted)?;
        if plans.is_empty() {
            return Err(Error::NotFound { what: "Plan" });
        }
        plans.iter().try_for_each(|plan| store::retire(w, plan.id).map(|_| ()))
    };
    match web.db.write(&admin.scope(), &admin.actor(), work).await {
        Ok(()) => context.go(PAGE, &format!("{name} was deleted.")),
        Err(Error::Conflict { message, .. }) => context.go_sorry(PAGE, &format!("{message}.")),
        Err(other) => Err(other),
    }
}

/// `POST /billing-plans/copy-terms`: what one term costs and has, to the other terms of its name.
async fn copy_terms(State(web): State<Web>, admin: Admin, context: PageContext, mut fields: Fields) -> Result<Response> {
    let name = fields.text("plan_name").required().value();
    let source = fields.text("source_term").required().value();
    fields.finish()?;
    let (Some(name), Some(source)) = (name, source) else { return Err(Error::field("plan_name", "is required")) };
    let (wanted, from) = (name.clone(), source.clone());
    let work = move |w: &mut Write<'_>| {
        let source = store::find(w, &wanted, Some(&from))?.ok_or(Error::NotFound { what: "Plan" })?;
        let others = store::named(w, &wanted)?.into_iter().filter(|plan| plan.id != source.id);
        for other in others.collect::<Vec<_>>() {
            history::update(w, other.id, None, Some("copied from another term"), |plan: &mut Plan| {
                let Plan { id, rev, created_at, updated_at, retired_at, name, term, .. } = plan.clone();
                *plan = Plan { id, rev, created_at, updated_at, retired_at, name, term, ..source.clone() };
                Ok(())
            })?;
        }
        Ok(())
    };
    web.db.write(&admin.scope(), &admin.actor(), work).await?;
    context.go(&edit_path(&name), &format!("{source} was copied to the other terms."))
}

/// The options of one category.
struct Category {
    key: String,
    words: String,
    options: Vec<FeatureOption>,
}

#[derive(Template)]
#[template(path = "billing/features.html")]
struct FeaturesPage {
    page: Page,
    categories: Vec<Category>,
    is_admin: bool,
}

async fn features(State(web): State<Web>, context: PageContext) -> Result<Response> {
    let (categories, options) = web.db.read(&context.scope(), |c| Ok((store::categories(c)?, store::options(c)?))).await?;
    let of = |key: &str| options.iter().filter(|option| option.category == key).cloned().collect();
    let page = context.titled(Section::Billing, "Feature options");
    let categories = categories.into_iter().map(|(key, words)| Category { options: of(&key), key, words }).collect();
    context.show(&FeaturesPage { categories, is_admin: page.is_admin(), page })
}

/// The page of features.
const FEATURES: &str = "/billing-plans/features/";

/// `POST /billing-plans/features/add`
async fn add_feature(State(web): State<Web>, admin: Admin, context: PageContext, fields: Fields) -> Result<Response> {
    let input = match rules::read_option(fields, true) {
        Ok(input) => input,
        Err(error @ Error::Invalid(_)) => return sorry(&context, &error),
        Err(other) => return Err(other),
    };
    let (option, is_new) = web.db.write(&admin.scope(), &admin.actor(), move |w| store::add_option(w, &input)).await?;
    let done = if is_new { "was added" } else { "exists already" };
    context.go(FEATURES, &format!("{} {done}.", option.name))
}

fn sorry(context: &PageContext, error: &Error) -> Result<Response> {
    context.go_sorry(FEATURES, &format!("Not saved: {error}."))
}

/// `POST /billing-plans/features/{id}/edit`
async fn edit_feature(
    State(web): State<Web>,
    admin: Admin,
    context: PageContext,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response> {
    let input = match rules::read_option(fields, false) {
        Ok(input) => input,
        Err(error @ Error::Invalid(_)) => return sorry(&context, &error),
        Err(other) => return Err(other),
    };
    match web.db.write(&admin.scope(), &admin.actor(), move |w| store::update_option(w, id, &input, None)).await {
        Ok(done) => context.go(FEATURES, &format!("{} was saved.", done.record.name)),
        Err(error @ Error::Conflict { .. }) => sorry(&context, &error),
        Err(other) => Err(other),
    }
}

/// `POST /billing-plans/features/{id}/delete`
async fn delete_feature(State(web): State<Web>, admin: Admin, context: PageContext, Path(id): Path<i64>) -> Result<Response> {
    let work = move |w: &mut Write<'_>| history::retire::<FeatureOption>(w, id, None);
    let option = web.db.write(&admin.scope(), &admin.actor(), work).await?;
    context.go(FEATURES, &format!("{} was deleted. Plans that have it keep it.", option.name))
}

/// `POST /billing-plans/features/categories/add`
async fn add_category(State(web): State<Web>, admin: Admin, context: PageContext, fields: Fields) -> Result<Response> {
    let input = match rules::read_category(&fields) {
        Ok(input) => input,
        Err(error @ Error::Invalid(_)) => return sorry(&context, &error),
        Err(other) => return Err(other),
    };
    let category = web.db.write(&admin.scope(), &admin.actor(), move |w| store::name_category(w, &input)).await?;
    context.go(FEATURES, &format!("{} was saved.", category.name))
}
