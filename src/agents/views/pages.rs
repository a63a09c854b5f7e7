//! Saved views by the forms above lists.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use serde_json::{Map, Value as Json};

use super::{Asker, Patch, SavedView, is_list, store};
use crate::{
    agents::PageContext,
    error::{Error, Result},
    types::Scope,
    ui::{Crumb, Field, FormSection, Page, Section, filters, form},
    web::{Fields, Path, Web},
};

/// What was typed of a view that could not be saved, with what is wrong.
#[derive(Template)]
#[template(path = "agents/view.html")]
struct ViewForm {
    page: Page,
    crumbs: Vec<Crumb>,
    problems: Vec<String>,
    action: String,
    rev: String,
    sections: Vec<FormSection>,
    save: &'static str,
    back: String,
    /// What is sent again as it was.
    kept: Vec<(&'static str, String)>,
}

fn asker(context: &PageContext) -> Result<Asker> {
    Asker::of(&context.caller).ok_or_else(|| Error::internal("a page for nobody"))
}

/// Where a list shows a view.
fn address(view: &SavedView) -> String {
    let mark = if view.query.is_empty() { "" } else { "&" };
    format!("/{}/?{}{mark}view={}", view.list, view.query, view.id)
}

/// The form again, with what was typed in it: a view of `list` that is posted to `action`.
fn refused(context: &PageContext, typed: &Map<String, Json>, (list, action): (&str, String), error: Error) -> Result<Response> {
    let list = list.trim_matches('/');
    let Error::Invalid(wrong) = error else { return Err(error) };
    if !is_list(list) {
        return Err(Error::Invalid(wrong));
    }
    let text = |name: &str| typed.get(name).and_then(Json::as_str).map(str::to_owned);
    let mut fields = vec![Field::text("name", "Name of the view", text("name").unwrap_or_default()).required()];
    if let Some(shared) = text("shared") {
        fields.push(Field::check("shared", "Share with colleagues", shared == "true"));
    }
    let problems = form::place_errors(&mut fields, &wrong);
    let query = text("query").unwrap_or_default();
    let page = context.titled(Section::Settings, "Save view");
    let shown = ViewForm {
        crumbs: Vec::new(),
        problems,
        action: page.url(&action),
        rev: String::new(),
        sections: vec![FormSection { title: "View", fields }],
        save: "Save view",
        back: page.url(&format!("/{list}/?{query}")),
        kept: ["list", "query", "is_default"].into_iter().filter_map(|name| Some((name, text(name)?))).collect(),
        page,
    };
    context.show_as(StatusCode::BAD_REQUEST, &shown)
}

/// `POST /views`
pub async fn create(State(web): State<Web>, context: PageContext, fields: Fields) -> Result<Response> {
    let asker = asker(&context)?;
    let typed = fields.map().clone();
    let saved = match Patch::read(fields, true, asker.is_staff) {
        Ok(wanted) => web.db.write(&Scope::All, &context.actor(), move |w| store::create(w, &asker, &wanted)).await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(view) => context.go(&address(&view), &format!("View saved: {}.", view.name)),
        Err(error) => {
            let list = typed.get("list").and_then(Json::as_str).unwrap_or_default().to_owned();
            refused(&context, &typed, (&list, "/views".to_owned()), error)
        }
    }
}

/// `POST /views/{id}`: the fields sent.
pub async fn update(State(web): State<Web>, context: PageContext, Path(id): Path<i64>, fields: Fields) -> Result<Response> {
    let asker = asker(&context)?;
    let read = asker.clone();
    let stands = web.db.read(&Scope::All, move |c| store::get(c, &read, id)).await?;
    let typed = fields.map().clone();
    let saved = match Patch::read(fields, false, asker.is_staff) {
        Ok(wanted) => web.db.write(&Scope::All, &context.actor(), move |w| store::update(w, &asker, id, &wanted)).await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(view) => context.go(&address(&view), "View saved."),
        Err(error) => refused(&context, &typed, (&stands.list, format!("/views/{id}")), error),
    }
}

/// `POST /views/{id}/delete`
pub async fn delete(State(web): State<Web>, context: PageContext, Path(id): Path<i64>) -> Result<Response> {
    let asker = asker(&context)?;
    let view = web.db.write(&Scope::All, &context.actor(), move |w| store::delete(w, &asker, id)).await?;
    context.go(&format!("/{}/?view=all", view.list), &format!("View deleted: {}.", view.name))
}
