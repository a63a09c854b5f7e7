//! Plans, features, and where companies deviate from their plan.

use super::{
    bring::{Bringing, id, keep, refuse_taken_away, refused},
    generations::{Generation, Kind},
    report::Outcome,
    row::Row,
    spool::Spool,
    store, values,
};
use crate::{
    billing::{
        self, FeatureCategory, FeatureOption, Plan,
        model::{BILLED_HOURLY, CATEGORIES, category_key, category_words},
    },
    companies::{self, Company},
    db::Write,
    error::Result,
    history,
    types::fold,
};

impl Bringing<'_> {
    /// Reads what plans have of each feature: the plans' own columns, and above them the table of features.
    pub fn read_features(&mut self, spool: &Spool, generation: &Generation) -> Result<()> {
        for kind in [Kind::Plan, Kind::PlanFeature] {
            for table in generation.tables().filter(|table| table.kind == kind) {
                for row in spool.rows(table) {
                    self.read_feature(&row?);
                }
            }
        }
        Ok(())
    }

    fn read_feature(&mut self, row: &Row<'_>) {
        let number = |column| row.text(column).and_then(|text| values::whole(&text));
        if row.table.kind == Kind::PlanFeature {
            let (plan, key, value) = (number("plan_id"), row.text("feature_type"), row.text("feature_value"));
            if let (Some(plan), Some(key), Some(value)) = (plan, key, value) {
                self.features.entry(plan).or_default().insert(category_key(&key), value);
            }
            return;
        }
        let Some(plan) = number("id") else { return };
        let said = CATEGORIES.iter().filter_map(|(key, _)| Some(((*key).to_owned(), row.text(key)?)));
        self.features.entry(plan).or_default().extend(said);
    }

    /// Whether a plan's term is spelled as companies' are.
    pub fn is_canonical(row: &Row<'_>) -> bool {
        row.text("term_length").is_some_and(|term| billing::model::term(&term) == term)
    }

    pub fn plan(&mut self, w: &mut Write<'_>, row: &Row<'_>) -> Result<Outcome> {
        let id = id(row)?;
        let known = history::find::<Plan>(w, id)?;
        let mut plan = known.clone().unwrap_or_default();
        row.fill(&mut plan, &mut self.losses)?;
        plan.term = billing::model::term(&row.text("term_length").unwrap_or_default());
        if plan.support_level.is_empty() {
            BILLED_HOURLY.clone_into(&mut plan.support_level);
        }
        if plan.name.is_empty() {
            return Err(refused("has no name"));
        }
        let features = self.features.get(&id).cloned().unwrap_or_default();
        plan.features = serde_json::json!(features).to_string();
        if let Some(known) = known.as_ref().filter(|known| fold(&known.name) != fold(&plan.name) || known.term != plan.term) {
            return Err(refused(format!("its place is taken by another plan here: {} ({})", known.name, known.term)));
        }
        if let Some(other) = billing::store::find(w, &plan.name, Some(&plan.term))?.filter(|other| other.id != id) {
            let why = format!("plan {} has the same name and term, {}", other.id, plan.term);
            self.plans.insert(id, Outcome::Refused(why.clone()));
            return Err(refused(why));
        }
        let (_, outcome) = keep(w, Some(id), known.as_ref(), plan)?;
        self.plans.insert(id, outcome.clone());
        Ok(outcome)
    }

    /// A feature of a plan came with its plan.
    #[expect(clippy::unnecessary_wraps, reason = "the shape that every kind of row has")]
    pub fn plan_feature(&self, row: &Row<'_>) -> Result<Outcome> {
        let plan = row.text("plan_id").and_then(|text| values::whole(&text));
        Ok(match plan.and_then(|plan| self.plans.get(&plan)) {
            Some(Outcome::Refused(_)) => Outcome::Refused("its plan was not brought".to_owned()),
            Some(outcome) => outcome.clone(),
            None => Outcome::Refused("there is no such plan".to_owned()),
        })
    }

    pub fn feature_category(&mut self, w: &mut Write<'_>, row: &Row<'_>) -> Result<Outcome> {
        let id = id(row)?;
        let key = row.text("feature_key").map(|key| category_key(&key)).filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| refused("has no key"))?;
        let known = history::find::<FeatureCategory>(w, id)?;
        let mut category = known.clone().unwrap_or_default();
        row.fill(&mut category, &mut self.losses)?;
        if let Some(whole) = row.text("full_name") {
            category.description = Some(match category.description.take() {
                Some(text) => format!("{whole}\n{text}"),
                None => whole,
            });
        }
        if category.name.is_empty() {
            category.name = category_words(&key);
        }
        if let Some(known) = known.as_ref().filter(|known| known.category != key) {
            return Err(refused(format!("its place is taken by another category here: {}", known.category)));
        }
        if store::category_id(w, &key)?.is_some_and(|other| other != id) {
            return Err(refused(format!("there is a category {key} here")));
        }
        category.category = key;
        keep(w, Some(id), known.as_ref(), category).map(|(_, outcome)| outcome)
    }

    pub fn feature_option(&mut self, w: &mut Write<'_>, row: &Row<'_>) -> Result<Outcome> {
        let id = id(row)?;
        let category = row.text("feature_category").or_else(|| row.text("feature_type")).map(|key| category_key(&key));
        let category = category.filter(|key| !key.is_empty()).ok_or_else(|| refused("has no category"))?;
        let known = history::find::<FeatureOption>(w, id)?;
        let mut option = known.clone().unwrap_or_default();
        row.fill(&mut option, &mut self.losses)?;
        option.category = category;
        if option.name.is_empty() {
            return Err(refused("has no name"));
        }
        let key = fold(&option.name);
        if let Some(known) = known.as_ref().filter(|known| known.category != option.category || fold(&known.name) != key) {
            return Err(refused(format!("its place is taken by another option here: {} {}", known.category, known.name)));
        }
        if store::option_id(w, &option.category, &key)?.is_some_and(|other| other != id) {
            return Err(refused(format!("there is an option {} of {} here", option.name, option.category)));
        }
        keep(w, Some(id), known.as_ref(), option).map(|(_, outcome)| outcome)
    }

    pub fn feature_override(&mut self, w: &mut Write<'_>, row: &Row<'_>) -> Result<Outcome> {
        let company = self.company_of(row)?;
        let key = row.text("feature_key").map(|key| category_key(&key)).filter(|key| !key.is_empty());
        let (Some(key), Some(value)) = (key, row.text("value")) else { return Err(refused("names no feature, or no value")) };
        if !row.flag("override_enabled", true, &mut self.losses) {
            return Err(refused("is switched off, and so without effect"));
        }
        let mut overrides = companies::store::feature_overrides(w, company)?;
        match overrides.get(&key) {
            Some(here) if *here == value => return Ok(Outcome::Same),
            Some(here) => return Err(refused(format!("the company has {here} for {key} here"))),
            None => refuse_taken_away::<Company>(w, company, "feature_overrides", |side| side.get(&key).is_some())?,
        }
        overrides.insert(key, value);
        companies::store::set_feature_overrides(w, company, &overrides)?;
        Ok(Outcome::New)
    }
}
