//! Plans and features in the database.

use std::collections::{BTreeMap, HashMap};

use super::{
    model::{CATEGORIES, FeatureCategory, FeatureOption, Plan, category_words},
    rules::PlanInput,
};
use crate::{
    companies::{
        Company,
        model::{plan_key, term_key},
        store::Relative,
    },
    db::{Conn, Row, Write},
    entity::Patch,
    error::{Error, Result},
    history::{self, Record as _, Updated, feed::Change},
    params,
};

/// A plan as a list reads it.
pub fn view(row: &Row) -> Result<Plan> {
    Plan::from_row(row, 0)
}

/// A feature option as a list reads it.
pub fn option(row: &Row) -> Result<FeatureOption> {
    FeatureOption::from_row(row, 0)
}

/// Every plan that is offered, by name and term.
pub fn all(c: &mut Conn) -> Result<Vec<Plan>> {
    let sql = format!("SELECT {} FROM @billing_plans billing_plan WHERE billing_plan.retired_at IS NULL", Plan::SELECT);
    let mut plans = c.map(&sql, params![], view)?;
    plans.sort_by_cached_key(Plan::place);
    Ok(plans)
}

/// Every plan that there is or was.
pub fn all_ever(c: &mut Conn) -> Result<Vec<Plan>> {
    let sql = format!("SELECT {} FROM @billing_plans billing_plan ORDER BY billing_plan.id", Plan::SELECT);
    c.map(&sql, params![], view)
}

/// The plans of a name, by term.
pub fn named(c: &mut Conn, name: &str) -> Result<Vec<Plan>> {
    let key = plan_key(name);
    Ok(all(c)?.into_iter().filter(|plan| plan_key(&plan.name) == key).collect())
}

/// The plan of this name for this term, however they are written.
pub fn find(c: &mut Conn, name: &str, term: Option<&str>) -> Result<Option<Plan>> {
    let sql = format!(
        "SELECT {} FROM @billing_plans billing_plan
         WHERE billing_plan.retired_at IS NULL AND billing_plan.name_key = ?1 AND billing_plan.term_key = ?2",
        Plan::SELECT
    );
    c.first(&sql, params![plan_key(name), term_key(term)])?.map(|row| view(&row)).transpose()
}

/// The plans, for whoever looks up that of many companies.
pub struct Plans {
    all: Vec<Plan>,
    places: HashMap<(String, String), usize>,
}

impl Plans {
    /// Reads all of them.
    ///
    /// # Errors
    /// Those of the database.
    pub fn read(c: &mut Conn) -> Result<Self> {
        let all = all(c)?;
        let key = |plan: &Plan| (plan_key(&plan.name), term_key(Some(&plan.term)));
        let places = all.iter().enumerate().map(|(place, plan)| (key(plan), place)).collect();
        Ok(Self { all, places })
    }

    /// The plan of this name for this term, as [`find`] finds it; none without a name.
    #[must_use]
    pub fn of(&self, name: Option<&str>, term: Option<&str>) -> Option<&Plan> {
        let name = name.filter(|name| !name.is_empty())?;
        self.all.get(*self.places.get(&(plan_key(name), term_key(term)))?)
    }

    /// Each of them, in the order of [`all`].
    pub fn iter(&self) -> impl Iterator<Item = &Plan> {
        self.all.iter()
    }
}

/// The plan that a company's plan and term name.
pub fn of_company(c: &mut Conn, company: &Company) -> Result<Option<Plan>> {
    match company.plan.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => find(c, name, company.contract_term.as_deref()),
        None => Ok(None),
    }
}

/// The companies that have a plan.
pub fn users(c: &mut Conn, plan: &Plan) -> Result<Vec<Relative>> {
    let sql = "SELECT company.id, company.account_number, company.name FROM @companies company
               WHERE company.retired_at IS NULL AND company.plan_key = ?1 AND company.term_key = ?2
               ORDER BY company.name_folded, company.id";
    c.map(sql, params![plan_key(&plan.name), term_key(Some(&plan.term))], |row| {
        Ok(Relative { id: row.get(0)?, account_number: row.get(1)?, name: row.get(2)? })
    })
}

/// The plans and terms that companies name, as they are told of them.
pub fn named_by_companies(c: &mut Conn) -> Result<Vec<(String, Option<String>)>> {
    let sql = "SELECT DISTINCT company.plan, company.contract_term FROM @companies company
               WHERE company.retired_at IS NULL AND company.plan <> ''";
    c.map(sql, params![], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Adds a plan.
///
/// # Errors
/// `Conflict` when there is one of this name and term.
pub fn create(w: &mut Write<'_>, input: &PlanInput) -> Result<Plan> {
    let mut plan = Plan { support_level: super::model::BILLED_HOURLY.to_owned(), ..Plan::default() };
    input.apply(&mut plan)?;
    is_free(w, &plan)?;
    history::create(w, &plan, None)
}

fn is_free(c: &mut Conn, plan: &Plan) -> Result<()> {
    match find(c, &plan.name, Some(&plan.term))? {
        Some(other) if other.id != plan.id => {
            let mut details = serde_json::Map::new();
            details.insert("id".to_owned(), other.id.into());
            Err(Error::Conflict {
                message: format!("plan_name: there is a plan {} for {} already", other.name, other.term),
                details,
            })
        }
        _ => Ok(()),
    }
}

/// Changes the fields that were sent.
///
/// # Errors
/// `NotFound`; `Conflict` when another plan is called so, or when companies would lose it.
pub fn update(w: &mut Write<'_>, id: i64, input: &PlanInput, if_match: Option<i64>) -> Result<Updated<Plan>> {
    let before: Plan = history::get(w, id)?;
    if if_match.is_some_and(|rev| rev != before.rev) {
        return Err(Error::PreconditionFailed);
    }
    let mut plan = before.clone();
    input.apply(&mut plan)?;
    let key = |plan: &Plan| (plan_key(&plan.name), term_key(Some(&plan.term)));
    if key(&plan) != key(&before) && before.retired_at.is_none() {
        unused(w, &before, "renamed")?;
        is_free(w, &plan)?;
    }
    history::update(w, id, None, None, |stored| {
        *stored = plan;
        Ok(())
    })
}

/// Refuses while companies use a plan.
///
/// # Errors
/// `Conflict`, with how many do.
pub fn unused(c: &mut Conn, plan: &Plan, done: &str) -> Result<()> {
    let users = users(c, plan)?;
    let Some(first) = users.first() else { return Ok(()) };
    let who = match users.len() {
        1 => format!("{} uses it", first.name),
        others => format!("{} and {} more use it", first.name, others - 1),
    };
    let mut details = serde_json::Map::new();
    details.insert("attached".to_owned(), serde_json::json!({ "companies": users.len() }));
    Err(Error::Conflict { message: format!("{} ({}) cannot be {done}: {who}", plan.name, plan.term), details })
}

/// Takes a plan out of what is offered.
///
/// # Errors
/// `NotFound`; `Conflict` while companies use it.
pub fn retire(w: &mut Write<'_>, id: i64) -> Result<Plan> {
    let plan: Plan = history::get(w, id)?;
    if plan.retired_at.is_none() {
        unused(w, &plan, "deleted")?;
    }
    history::retire(w, id, None)
}

/// Offers a plan again.
///
/// # Errors
/// `NotFound`; `Conflict` when another one has taken its place.
pub fn restore(w: &mut Write<'_>, id: i64) -> Result<Plan> {
    let plan: Plan = history::get(w, id)?;
    is_free(w, &plan)?;
    history::restore(w, id, None)
}

/// Every feature option, by category and name.
pub fn options(c: &mut Conn) -> Result<Vec<FeatureOption>> {
    let sql = format!(
        "SELECT {} FROM @feature_options feature_option WHERE feature_option.retired_at IS NULL
         ORDER BY feature_option.category, feature_option.name_key",
        FeatureOption::SELECT
    );
    c.map(&sql, params![], option)
}

/// Adds a feature option, unless it is there; whether it is new.
pub fn add_option(w: &mut Write<'_>, input: &Patch<FeatureOption>) -> Result<(FeatureOption, bool)> {
    let wanted = input.made(|_| {})?;
    if let Some(known) = find_option(w, &wanted)? {
        return Ok((known, false));
    }
    history::create(w, &wanted, None).map(|made| (made, true))
}

fn find_option(c: &mut Conn, wanted: &FeatureOption) -> Result<Option<FeatureOption>> {
    let sql = format!(
        "SELECT {} FROM @feature_options feature_option
         WHERE feature_option.retired_at IS NULL AND feature_option.category = ?1 AND feature_option.name_key = ?2",
        FeatureOption::SELECT
    );
    c.first(&sql, params![&wanted.category, crate::types::fold(&wanted.name)])?.map(|row| option(&row)).transpose()
}

/// Changes a feature option.
///
/// # Errors
/// `NotFound`; `Conflict` when another one is called so.
pub fn update_option(
    w: &mut Write<'_>,
    id: i64,
    input: &Patch<FeatureOption>,
    if_match: Option<i64>,
) -> Result<Updated<FeatureOption>> {
    let mut wanted: FeatureOption = history::get(w, id)?;
    input.apply(&mut wanted)?;
    if wanted.retired_at.is_none() && find_option(w, &wanted)?.is_some_and(|other| other.id != id) {
        return Err(Error::conflict(format!("option_value: {} has an option {} already", wanted.category, wanted.name)));
    }
    history::update(w, id, if_match, None, |option| input.apply(option))
}

/// Offers a feature option again.
///
/// # Errors
/// `NotFound`; `Conflict` when another one has taken its place.
pub fn restore_option(w: &mut Write<'_>, id: i64) -> Result<()> {
    let wanted: FeatureOption = history::get(w, id)?;
    if find_option(w, &wanted)?.is_some_and(|other| other.id != id) {
        return Err(Error::conflict(format!("option_value: {} has an option {} already", wanted.category, wanted.name)));
    }
    history::restore::<FeatureOption>(w, id, None).map(drop)
}

/// Refuses to take a change of a plan back when companies would lose it, or when another one has its name and term by now.
///
/// # Errors
/// `Conflict`.
pub fn can_take_back(w: &mut Write<'_>, change: &Change) -> Result<()> {
    let plan: Plan = history::get(w, change.entity_id)?;
    let before = |field: &str, now: &str| change.fields[field]["old"].as_str().unwrap_or(now).to_owned();
    let named = Plan { name: before("name", &plan.name), term: before("term", &plan.term), ..plan.clone() };
    let is_renamed = (plan_key(&named.name), term_key(Some(&named.term))) != (plan_key(&plan.name), term_key(Some(&plan.term)));
    match (change.action.as_str(), plan.retired_at.is_some()) {
        ("create" | "restore", false) => unused(w, &plan, "taken back"),
        ("retire", true) => is_free(w, &plan),
        ("update", false) if is_renamed => {
            unused(w, &plan, "taken back")?;
            is_free(w, &named)
        }
        _ => Ok(()),
    }
}

/// The categories of features: the ones that every plan tells, then those that somebody has added or that plans and options
/// name; key and words.
pub fn categories(c: &mut Conn) -> Result<Vec<(String, String)>> {
    let sql = "SELECT feature_category.category, feature_category.name FROM @feature_categories feature_category
               WHERE feature_category.retired_at IS NULL ORDER BY feature_category.category";
    let named: BTreeMap<String, String> = c.map(sql, params![], |row| Ok((row.get(0)?, row.get(1)?)))?.into_iter().collect();
    let used =
        "SELECT DISTINCT feature_option.category FROM @feature_options feature_option WHERE feature_option.retired_at IS NULL";
    let mut further: Vec<String> = c.map(used, params![], |row| row.get(0))?;
    further.extend(all(c)?.iter().flat_map(|plan| plan.features().into_keys()));
    further.extend(named.keys().cloned());
    further.sort_unstable();
    further.dedup();
    further.retain(|key| !CATEGORIES.iter().any(|(known, _)| known == key));
    let words = |key: String| {
        let words = named.get(&key).cloned().unwrap_or_else(|| category_words(&key));
        (key, words)
    };
    Ok(CATEGORIES.iter().map(|(key, _)| (*key).to_owned()).chain(further).map(words).collect())
}

/// Names a category of features, for the first time or anew.
pub fn name_category(w: &mut Write<'_>, input: &Patch<FeatureCategory>) -> Result<FeatureCategory> {
    let wanted = input.made(|_| {})?;
    let sql = "SELECT feature_category.id FROM @feature_categories feature_category
               WHERE feature_category.retired_at IS NULL AND feature_category.category = ?1";
    match w.first(sql, params![&wanted.category])? {
        Some(row) => history::update(w, row.get(0)?, None, None, |category| input.apply(category)).map(|done| done.record),
        None => history::create(w, &wanted, None),
    }
}

/// The minutes of tickets from a month on, by company and by the month in which they were last changed.
pub fn minutes_by_month(c: &mut Conn, from: &str) -> Result<HashMap<i64, BTreeMap<String, i64>>> {
    let sql = "SELECT ticket.company_id, substr(ticket.last_updated_at, 1, 7), CAST(sum(ticket.minutes_spent) AS BIGINT)
               FROM @tickets ticket
               WHERE ticket.company_id IS NOT NULL AND ticket.retired_at IS NULL AND ticket.last_updated_at >= ?1
               GROUP BY 1, 2";
    let mut found: HashMap<i64, BTreeMap<String, i64>> = HashMap::new();
    for row in c.all(sql, params![from])? {
        found.entry(row.get(0)?).or_default().insert(row.get(1)?, row.get(2)?);
    }
    Ok(found)
}

/// Every company's deviations from its plan.
pub fn overrides(c: &mut Conn) -> Result<HashMap<i64, BTreeMap<String, String>>> {
    let sql = "SELECT override.company_id, override.feature_key, override.value FROM @feature_overrides override";
    let mut found: HashMap<i64, BTreeMap<String, String>> = HashMap::new();
    for row in c.all(sql, params![])? {
        found.entry(row.get(0)?).or_default().insert(row.get(1)?, row.get(2)?);
    }
    Ok(found)
}

/// The companies that are billed: clients, by name.
pub fn billed(c: &mut Conn) -> Result<Vec<i64>> {
    let sql = "SELECT company.id FROM @companies company WHERE company.retired_at IS NULL AND company.kind = 'client'
               ORDER BY company.name_folded, company.id";
    c.map(sql, params![], |row| row.get(0))
}
