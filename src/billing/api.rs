//! Lists of what is billed over HTTP, and plans by their names (contract §1.8.2, §1.8.3).

use axum::{extract::State, response::Response};

use super::{
    counting::Exclusion,
    list_store::{OPTIONS, PLANS},
    model::{FeatureOption, Plan, category_key},
    store, trueup, trueup_store as counted,
};
use crate::{
    auth::{BillingReader, Reader},
    companies::{
        Company,
        model::{plan_key, term_key},
        store as companies,
    },
    compliance::RedactionPolicy,
    db::{Conn, list::ListQuery},
    error::{Error, Result},
    history,
    resource::as_of,
    web::{Path, Query, ReadRequest, Web, list},
};

/// Which plans a neighbour asks for.
#[derive(Clone, Debug)]
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

    /// The same of a plan as it was.
    fn means(&self, plan: &Plan) -> bool {
        let is = |wanted: &Option<String>, key: String| wanted.as_ref().is_none_or(|wanted| *wanted == key);
        is(&self.name, plan_key(&plan.name)) && is(&self.term, term_key(Some(&plan.term)))
    }

    fn narrow(self, query: &ListQuery) -> ListQuery {
        let conditions = [("billing_plan.name_key = {}", self.name), ("billing_plan.term_key = {}", self.term)];
        let asked = conditions.into_iter().filter_map(|(condition, value)| Some((condition, value?)));
        asked.fold(query.clone(), |query, (condition, value)| query.and(condition, vec![value.into()]))
    }
}

/// `GET /api/billing-plans[?plan_name=&term_length=]`
pub async fn index(State(web): State<Web>, reader: Reader, request: ReadRequest) -> Result<Response> {
    let wanted = Wanted::read(&request.query);
    let variant = format!("{wanted:?}");
    let meant = wanted.clone();
    let among = as_of::Among {
        key: variant.clone(),
        answers: PLANS.own,
        find: Box::new(move |_, _| Ok(Box::new(move |plan: &Plan| meant.means(plan)))),
    };
    if let Some(was) = as_of::list_among(&web, &reader, &request, &PLANS, None, Some(among)).await? {
        return Ok(was);
    }
    let query = request.list(&PLANS)?;
    list::respond(&web, &reader.scope(), &variant, &request, query, move |c, query, rows| {
        wanted.narrow(query).each(c, |row| rows.push(&store::view(row)?))
    })
    .await
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

/// `GET /api/feature-options[?feature_type=|category=]`
pub async fn options(State(web): State<Web>, reader: Reader, request: ReadRequest) -> Result<Response> {
    let names = ["feature_type", "category", "feature_category"];
    let asked = names.into_iter().find_map(|name| request.query.get(name)).map(category_key).filter(|key| !key.is_empty());
    let variant = format!("{asked:?}");
    let meant = asked.clone();
    let is_meant = move |option: &FeatureOption| meant.as_ref().is_none_or(|category| option.category == *category);
    let among = as_of::Among { key: variant.clone(), answers: OPTIONS.own, find: Box::new(move |_, _| Ok(Box::new(is_meant))) };
    if let Some(was) = as_of::list_among(&web, &reader, &request, &OPTIONS, None, Some(among)).await? {
        return Ok(was);
    }
    let query = request.list(&OPTIONS)?;
    list::respond(&web, &reader.scope(), &variant, &request, query, move |c, query, rows| {
        let query = match asked {
            Some(category) => query.clone().and("feature_option.category = {}", vec![category.into()]),
            None => query.clone(),
        };
        query.each(c, |row| rows.push(&store::option(row)?))
    })
    .await
}

/// `GET /api/billing/exclusions?company=`
pub async fn exclusions(State(web): State<Web>, reader: BillingReader, request: ReadRequest) -> Result<Response> {
    let key = request.query.text("company")?.map(str::to_owned).ok_or_else(|| Error::field("company", "is required"))?;
    let policy = RedactionPolicy::of(&reader, &web.config, &request.query)?;
    let read = move |c: &mut Conn| {
        let id = companies::id_of(c, &key)?;
        let company = history::get::<Company>(c, id)?;
        let found = counted::exclusions(c, vec![id])?;
        let reasons = trueup::reasons(c, &[company], found.clone(), &policy)?;
        let shown = found.into_iter().zip(reasons).map(|(one, reason)| Exclusion { reason: reason.unwrap_or_default(), ..one });
        Ok(shown.collect::<Vec<_>>())
    };
    let found = web.db.read(&reader.scope(), read).await?;
    request.value(&found)
}
