//! The page on which a table becomes records: chosen, looked at, and only then written.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use super::{CarriedOut, Desk, Import, Outcome, Plan, Reading, Row, api, kinds, presets};
use crate::{
    agents::PageContext,
    auth::Editor,
    compliance::RedactionPolicy,
    error::{Error, Result},
    records::pages::record::said,
    ui::{Choice, Page, Section, filters, words},
    web::{Fields, Routes, Web},
};

/// How many rows a page shows of each outcome.
const SHOWN: usize = 200;

/// The routes.
pub fn routes() -> Routes {
    Routes::new().get("/import", show).post("/import", send)
}

#[derive(Template)]
#[template(path = "records/import.html")]
struct ImportPage {
    page: Page,
    kinds: Vec<Choice>,
    kind: String,
    key: String,
    presets: Vec<Choice>,
    preset: String,
    company: String,
    text: String,
    problems: Vec<String>,
    plan: Option<Plan>,
}

impl ImportPage {
    /// The rows that are worth a look, the refused ones first.
    fn shown(&self) -> Vec<&Row> {
        let Some(plan) = &self.plan else { return Vec::new() };
        let of = |wanted: Outcome| plan.rows.iter().filter(move |row| row.outcome == wanted).take(SHOWN);
        of(Outcome::Refused).chain(of(Outcome::Update)).chain(of(Outcome::Create)).collect()
    }

    fn badge(row: &Row) -> (&'static str, &'static str) {
        match row.outcome {
            Outcome::Create => ("success", "New"),
            Outcome::Update => ("info", "Changed"),
            Outcome::Same => ("", "The same"),
            Outcome::Refused => ("danger", "Refused"),
        }
    }

    /// `Model: A → B`
    fn told(row: &Row) -> Vec<(String, String, String)> {
        let told = |(name, old, new): &(String, _, _)| (words(name), said(old), said(new));
        row.changes.iter().map(told).collect()
    }
}

fn blank(context: &PageContext, kind: String) -> ImportPage {
    ImportPage {
        page: context.titled(Section::Elsewhere, "Import a table"),
        kinds: kinds().into_iter().map(|kind| Choice::new(kind, words(kind))).collect(),
        kind,
        key: String::new(),
        presets: presets::products().into_iter().map(|(name, label)| Choice::new(name, label)).collect(),
        preset: String::new(),
        company: String::new(),
        text: String::new(),
        problems: Vec::new(),
        plan: None,
    }
}

async fn show(_: Editor, context: PageContext) -> Result<Response> {
    let kind = context.query.get("kind").unwrap_or_default().to_owned();
    context.show(&blank(&context, kind))
}

/// Shows what would become of the table, or, once that was looked at, does it.
async fn send(State(web): State<Web>, editor: Editor, context: PageContext, fields: Fields) -> Result<Response> {
    let text = |name: &str| fields.raw_text(name).unwrap_or_default().to_owned();
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    if let Ok(plan) = text("plan").parse::<i64>() {
        return carry_out(&web, &editor, &context, plan).await;
    }
    let (kind, key, table) = (text("kind"), text("key").trim().to_owned(), text("text"));
    let [preset, company] = ["preset", "company"].map(|name| text(name).trim().to_owned());
    let [key_said, preset_said, company_said] =
        [&key, &preset, &company].map(|text| Some(text.as_str()).filter(|text| !text.is_empty()));
    let reading = Reading { key: key_said, preset: preset_said, company: company_said };
    let page = ImportPage {
        key: key.clone(),
        preset: preset.clone(),
        company: company.clone(),
        text: table.clone(),
        ..blank(&context, kind.clone())
    };
    let import = match Import::read(&kind, table.as_bytes(), reading, &policy) {
        Ok(import) => import,
        Err(Error::Invalid(wrong)) => {
            let problems = wrong.into_iter().map(|error| format!("{}: {}", words(&error.field), error.message)).collect();
            return context.show_as(StatusCode::BAD_REQUEST, &ImportPage { problems, ..page });
        }
        Err(other) => return Err(other),
    };
    let (desk, apply, again) = (Desk::of(&web, editor.scope(), editor.actor()), text("apply") == "true", import.clone());
    let (doing, planning) = (desk.clone(), desk);
    let work = async move { if apply { import.apply(&doing).await } else { import.plan(&doing).await } };
    match api::in_time(tokio::spawn(work)).await {
        Ok(plan) if apply => match (&plan.held_because, plan.plan_id) {
            (Some(why), Some(id)) => waits(&context, id, why),
            _ => context.go("/import", &format!("Imported in run {}: {}.", plan.run_id.unwrap_or_default(), plan.words())),
        },
        Ok(plan) => context.show(&ImportPage { plan: Some(plan), ..page }),
        Err(Error::Conflict { message, .. }) => {
            let plan = if apply { again.plan(&planning).await.ok() } else { None };
            context.show_as(StatusCode::CONFLICT, &ImportPage { problems: vec![message], plan, ..page })
        }
        Err(other) => Err(other),
    }
}

/// Does what was looked at.
async fn carry_out(web: &Web, editor: &Editor, context: &PageContext, plan: i64) -> Result<Response> {
    let (db, actor, may_approve) = (web.db.clone(), editor.actor(), editor.is_admin());
    let work = async move { super::carry_out(&db, plan, &actor, may_approve, &Arc::default()).await };
    match api::in_time(tokio::spawn(work)).await {
        Ok(CarriedOut::Waits(stored)) => waits(context, plan, &stored.held_because.unwrap_or_default()),
        Ok(CarriedOut::Done(stored)) => {
            let changes = stored.summary["changes"].as_u64().unwrap_or(0);
            context.go("/import", &format!("Imported in run {}: {changes} records written.", stored.run_id))
        }
        Err(Error::Conflict { message, .. }) => context.go_sorry("/import", &format!("{message}.")),
        Err(other) => Err(other),
    }
}

fn waits(context: &PageContext, plan: i64, why: &str) -> Result<Response> {
    context.go("/import", &format!("Nothing is written yet: an administrator decides about plan {plan}, because {why}."))
}
