//! What a company pays and has, by its plan and by its own deviations from it: on its page, and as a form.

use std::collections::BTreeMap;

use askama::Template;
use axum::{extract::State, response::Response};

use super::{
    Plan,
    model::{NOT_INCLUDED, costs},
    store as plans,
};
use crate::{
    agents::PageContext,
    auth::Editor,
    companies::{Company, pages::address, store as companies},
    db::{Conn, Write},
    entity::Kind,
    error::{Error, Result},
    history,
    history::Record as _,
    resource::panel::{Action, Content, Looker, Panel, Panels, Tab, Whose},
    types::decimal,
    ui::{Crumb, Line, Page, Section, Table, Value, filters, link_to},
    web::{Fields, Path, Routes, Web, encode_segment},
};

/// The most characters of a feature's deviation.
const MOST: usize = 100;
/// Whom we bill.
const CLIENT: &str = "client";

/// Its routes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new().get("/companies/{acct}/features", edit).post("/companies/{acct}/features", save)
}

/// The plan's panel.
pub struct OfPlan;

impl Panels for OfPlan {
    fn of(&self, c: &mut Conn, looker: &Looker<'_>, whose: Whose<'_>) -> Result<Vec<Panel>> {
        if whose.entity != Company::ENTITY {
            return Ok(Vec::new());
        }
        let company: Company = history::get(c, whose.id)?;
        Ok(panel(c, looker, &company)?.into_iter().collect())
    }
}

/// The card on a company's page: every amount of its plan, and every feature with where it comes from. Nothing for those
/// whom nobody bills.
fn panel(c: &mut Conn, looker: &Looker<'_>, company: &Company) -> Result<Option<Panel>> {
    let page = looker.page;
    let plan = plans::of_company(c, company)?;
    let overrides = companies::feature_overrides(c, company.id)?;
    let mut lines = Vec::new();
    if let Some(plan) = &plan {
        lines.extend(amounts(plan, &looker.config.display.currency).map(|(label, value)| line(label, value, "Plan")));
    }
    for (key, words) in plans::categories(c)? {
        let own = overrides.get(&key);
        let value = own.cloned().or_else(|| plan.as_ref()?.features().remove(&key));
        let source = if own.is_some() { "Custom" } else { "Plan" };
        if let Some(value) = value {
            lines.push(line(&words, value, source));
        }
    }
    let named = company.plan.as_deref().filter(|name| !name.is_empty());
    if named.is_none() && overrides.is_empty() && company.kind != CLIENT {
        return Ok(None);
    }
    let (title, why) = match (&plan, named) {
        (Some(plan), _) => (format!("Plan: {}, {}", plan.name, plan.term), "No costs and no features yet"),
        (None, Some(name)) => (format!("Plan: {name}"), "No billing plan has this name and term"),
        (None, None) => ("Plan".to_owned(), "No plan"),
    };
    if lines.is_empty() || plan.is_none() {
        lines.insert(0, Line { cells: vec![Value::words(why), Value::None, Value::None], post: None });
    }
    let edit = page.url(&format!("/companies/{}/features", encode_segment(&company.account_number)));
    let heads = vec![("What", "cell--main"), ("Value", "cell--end"), ("Source", "cell--sub")];
    let table = Table { label: "Plan", heads, lines, empty: "", more: None };
    let may_edit = page.may_write() && company.retired_at.is_none();
    let edit = may_edit.then(|| Action { href: edit, words: "Edit features".to_owned(), adds: false, edits: false });
    let counted = page.url(&format!("/billing/trueup?company={}", encode_segment(&company.account_number)));
    let is_told = page.reader.as_ref().is_some_and(|reader| reader.may_share);
    let counted = is_told.then(|| Action { href: counted, words: "True-up".to_owned(), adds: false, edits: false });
    let panel = Panel::new(Tab::Billing, "plan", title, Content::Rows(table));
    Ok(Some(Panel { actions: counted.into_iter().chain(edit).collect(), ..panel }))
}

fn line(label: &str, value: String, source: &str) -> Line {
    let kind = if source == "Custom" { "info" } else { "" };
    Line { cells: vec![Value::words(label), Value::words(value), Value::badge(kind, source)], post: None }
}

/// A plan's amounts that are not nothing.
fn amounts(plan: &Plan, currency: &str) -> impl Iterator<Item = (&'static str, String)> {
    costs().filter_map(move |field| match (field.spec.kind, crate::db::Value::from((field.read)(plan))) {
        (Kind::Decimal(places), crate::db::Value::Int(parts)) if parts > 0 => {
            Some((field.spec.label, if places == 2 { decimal::money(parts, currency) } else { decimal::plain(parts, places) }))
        }
        _ => None,
    })
}

/// One feature in the form.
struct Choice {
    key: String,
    words: String,
    of_plan: String,
    own: String,
    options: Vec<String>,
}

#[derive(Template)]
#[template(path = "billing/company_features.html")]
struct FeaturesPage {
    page: Page,
    crumbs: Vec<Crumb>,
    action: String,
    back: String,
    choices: Vec<Choice>,
}

/// `GET /companies/{acct}/features`
async fn edit(State(web): State<Web>, _: Editor, context: PageContext, Path(key): Path<String>) -> Result<Response> {
    let read = move |c: &mut Conn| {
        let id = companies::id_of(c, &key)?;
        let company: Company = history::get(c, id)?;
        let features = plans::of_company(c, &company)?.map(|plan| plan.features()).unwrap_or_default();
        let overrides = companies::feature_overrides(c, id)?;
        let mut options: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for option in plans::options(c)? {
            options.entry(option.category).or_default().push(option.name);
        }
        let mut categories = plans::categories(c)?;
        let further = overrides.keys().filter(|key| !categories.iter().any(|(known, _)| known == *key)).cloned();
        let further: Vec<_> = further.map(|key| (key.clone(), key)).collect();
        categories.extend(further);
        let choice = |(key, words): (String, String)| Choice {
            of_plan: features.get(&key).cloned().unwrap_or_else(|| NOT_INCLUDED.to_owned()),
            own: overrides.get(&key).cloned().unwrap_or_default(),
            options: options.remove(&key).unwrap_or_default(),
            key,
            words,
        };
        Ok((company, categories.into_iter().map(choice).collect::<Vec<_>>()))
    };
    let (company, choices) = web.db.read(&context.scope(), read).await?;
    let page = context.titled(Section::Companies, format!("Features of {}", company.name));
    let back = address(&page, &company.account_number);
    context.show(&FeaturesPage {
        crumbs: vec![link_to(page.url("/companies/"), "Companies"), link_to(back.clone(), company.name)],
        action: format!("{back}/features"),
        back,
        choices,
        page,
    })
}

/// `POST /companies/{acct}/features`: the deviations, all of them; an empty one is the plan's.
async fn save(
    State(web): State<Web>,
    editor: Editor,
    context: PageContext,
    Path(key): Path<String>,
    mut fields: Fields,
) -> Result<Response> {
    let names: Vec<String> = fields.map().keys().filter_map(|name| name.strip_prefix("feature_")).map(str::to_owned).collect();
    let mut wanted = BTreeMap::new();
    for name in names {
        if let Some(value) = fields.text(&format!("feature_{name}")).max(MOST).value() {
            wanted.insert(name, value);
        }
    }
    fields.finish()?;
    let account = key.clone();
    let work = move |w: &mut Write<'_>| {
        let id = companies::id_of(w, &key)?;
        if history::get::<Company>(w, id)?.retired_at.is_some() {
            return Err(Error::conflict("this company is retired"));
        }
        companies::set_feature_overrides(w, id, &wanted)
    };
    web.db.write(&editor.scope(), &editor.actor(), work).await?;
    context.go(&format!("/companies/{}#plan", encode_segment(&account)), "The features were saved.")
}
