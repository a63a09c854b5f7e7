//! Plans and feature options over HTTP (contract §1.8.2, §1.8.3).

use axum::{extract::State, response::Response};

use super::{
    list_store::{OPTIONS, PLANS},
    model::{FeatureOption, Plan, category_key},
    rules, store,
};
use crate::{
    auth::{Admin, Reader},
    companies::model::{plan_key, term_key},
    db::{Write, list::ListQuery},
    error::{Error, Result},
    history,
    web::{Fields, Path, Preconditions, Query, ReadRequest, Reply, Web, list},
};

/// Which plans a neighbour asks for.
#[derive(Debug)]
struct Wanted {
    name: Option<String>,
    term: Option<String>,
}

impl Wanted {
    /// A name that is there and empty is no plan's: neighbours ask so for a company without one, and bill with the first
    /// that comes back.
    fn read(query: &Query) -> Self {
        let term = query.get("term_length").filter(|term| !term.trim().is_empty());
        Self { name: query.get("plan_name").map(plan_key), term: term.map(|term| term_key(Some(term))) }
    }

    fn narrow(self, query: &ListQuery) -> ListQuery {
        let conditions = [("billing_plan.name_key = {}", self.name), ("billing_plan.term_key = {}", self.term)];
        let asked = conditions.into_iter().filter_map(|(condition, value)| Some((condition, value?)));
        asked.fold(query.clone(), |query, (condition, value)| query.and(condition, vec![value.into()]))
    }
}

/// `GET /api/billing-plans[?plan_name=&term_length=]`
pub async fn index(State(web): State<Web>, reader: Reader, request: ReadRequest) -> Result<Response> {
    let query = request.list(&PLANS)?;
    let wanted = Wanted::read(&request.query);
    let variant = format!("{wanted:?}");
    list::respond(&web, &reader.scope(), &variant, &request, query, move |c, query, rows| {
        wanted.narrow(query).each(c, |row| rows.push(&store::view(row)?))
    })
    .await
}

/// `GET /api/billing-plans/{plan}`
pub async fn show(State(web): State<Web>, reader: Reader, Path(id): Path<i64>, request: ReadRequest) -> Result<Response> {
    let plan: Plan = web.db.read(&reader.scope(), move |c| history::get(c, id)).await?;
    request.row(plan.id, plan.rev, &plan)
}

/// `GET /api/billing-plans/{plan}/{term}`: the plan of this name.
pub async fn show_named(
    State(web): State<Web>,
    reader: Reader,
    Path((name, term)): Path<(String, String)>,
    request: ReadRequest,
) -> Result<Response> {
    let plan = web.db.read(&reader.scope(), move |c| store::find(c, &name, Some(&term))).await?;
    let plan = plan.ok_or(Error::NotFound { what: "Plan" })?;
    request.row(plan.id, plan.rev, &plan)
}

fn reply(plan: &Plan, done: &str, is_new: bool) -> Result<Reply> {
    let reply = if is_new { Reply::created(plan, format!("/api/billing-plans/{}", plan.id))? } else { Reply::ok(plan)? };
    Ok(reply.with("message", format!("Plan {done}")).tagged(plan.id, plan.rev))
}

/// `POST /api/billing-plans`
pub async fn create(State(web): State<Web>, admin: Admin, conditions: Preconditions, fields: Fields) -> Result<Response> {
    let body = fields.digest();
    let input = rules::read(fields, true)?;
    let work = move |w: &mut Write<'_>| reply(&store::create(w, &input)?, "created", true);
    conditions.run(&web, &admin.scope(), &admin.actor(), &body, work).await
}

/// `PUT` and `PATCH /api/billing-plans/{plan}`: the fields that were sent.
pub async fn update(
    State(web): State<Web>,
    admin: Admin,
    Path(id): Path<i64>,
    conditions: Preconditions,
    fields: Fields,
) -> Result<Response> {
    let body = fields.digest();
    let input = rules::read(fields, false)?;
    let expected = conditions.rev(id)?;
    let work = move |w: &mut Write<'_>| reply(&store::update(w, id, &input, expected)?.record, "updated", false);
    conditions.run(&web, &admin.scope(), &admin.actor(), &body, work).await
}

/// `DELETE /api/billing-plans/{plan}`: 409 while companies use it.
pub async fn retire(State(web): State<Web>, admin: Admin, Path(id): Path<i64>, conditions: Preconditions) -> Result<Response> {
    let request = conditions.clone();
    let work = move |w: &mut Write<'_>| {
        let before: Plan = history::get(w, id)?;
        request.check(id, before.rev)?;
        reply(&store::retire(w, id)?, "deleted", false)
    };
    conditions.run(&web, &admin.scope(), &admin.actor(), "", work).await
}

/// `POST /api/billing-plans/{plan}/restore`
pub async fn restore(State(web): State<Web>, admin: Admin, Path(id): Path<i64>, conditions: Preconditions) -> Result<Response> {
    let work = move |w: &mut Write<'_>| reply(&store::restore(w, id)?, "restored", false);
    conditions.run(&web, &admin.scope(), &admin.actor(), "", work).await
}

/// `GET /api/feature-options[?feature_type=|category=]`
pub async fn options(State(web): State<Web>, reader: Reader, request: ReadRequest) -> Result<Response> {
    let query = request.list(&OPTIONS)?;
    let names = ["feature_type", "category", "feature_category"];
    let asked = names.into_iter().find_map(|name| request.query.get(name)).map(category_key).filter(|key| !key.is_empty());
    let variant = format!("{asked:?}");
    list::respond(&web, &reader.scope(), &variant, &request, query, move |c, query, rows| {
        let query = match asked {
            Some(category) => query.clone().and("feature_option.category = {}", vec![category.into()]),
            None => query.clone(),
        };
        query.each(c, |row| rows.push(&store::option(row)?))
    })
    .await
}

/// `GET /api/feature-options/{id}`
pub async fn show_option(State(web): State<Web>, reader: Reader, Path(id): Path<i64>, request: ReadRequest) -> Result<Response> {
    let option: FeatureOption = web.db.read(&reader.scope(), move |c| history::get(c, id)).await?;
    request.row(option.id, option.rev, &option)
}

fn option_reply(option: &FeatureOption, done: &str, is_new: bool) -> Result<Reply> {
    let reply = if is_new { Reply::created(option, format!("/api/feature-options/{}", option.id))? } else { Reply::ok(option)? };
    Ok(reply.with("message", format!("Feature option {done}")).tagged(option.id, option.rev))
}

/// `POST /api/feature-options`: 201, or 200 with the one that is there already.
pub async fn create_option(State(web): State<Web>, admin: Admin, conditions: Preconditions, fields: Fields) -> Result<Response> {
    let body = fields.digest();
    let input = rules::read_option(fields, true)?;
    let work = move |w: &mut Write<'_>| match store::add_option(w, &input)? {
        (option, true) => option_reply(&option, "created", true),
        (option, false) => option_reply(&option, "exists already", false),
    };
    conditions.run(&web, &admin.scope(), &admin.actor(), &body, work).await
}

/// `PUT` and `PATCH /api/feature-options/{id}`: the fields that were sent.
pub async fn update_option(
    State(web): State<Web>,
    admin: Admin,
    Path(id): Path<i64>,
    conditions: Preconditions,
    fields: Fields,
) -> Result<Response> {
    let body = fields.digest();
    let input = rules::read_option(fields, false)?;
    let expected = conditions.rev(id)?;
    let work = move |w: &mut Write<'_>| option_reply(&store::update_option(w, id, &input, expected)?.record, "updated", false);
    conditions.run(&web, &admin.scope(), &admin.actor(), &body, work).await
}

/// `DELETE /api/feature-options/{id}`: plans keep what they say.
pub async fn retire_option(
    State(web): State<Web>,
    admin: Admin,
    Path(id): Path<i64>,
    conditions: Preconditions,
) -> Result<Response> {
    let request = conditions.clone();
    let work = move |w: &mut Write<'_>| {
        let before: FeatureOption = history::get(w, id)?;
        request.check(id, before.rev)?;
        option_reply(&history::retire::<FeatureOption>(w, id, None)?, "deleted", false)
    };
    conditions.run(&web, &admin.scope(), &admin.actor(), "", work).await
}
