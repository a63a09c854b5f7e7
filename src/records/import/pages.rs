//! The page on which a table becomes records: chosen, looked at, and only then written.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use super::{Import, Outcome, Plan, Row, kinds};
use crate::{
    agents::Frame,
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
        let told = |(name, sides): (&String, &serde_json::Value)| (words(name), said(&sides["old"]), said(&sides["new"]));
        row.changes.iter().map(told).collect()
    }
}

fn blank(frame: &Frame, kind: String) -> ImportPage {
    ImportPage {
        page: frame.titled(Section::Elsewhere, "Import a table"),
        kinds: kinds().into_iter().map(|kind| Choice::new(kind, words(kind))).collect(),
        kind,
        key: String::new(),
        text: String::new(),
        problems: Vec::new(),
        plan: None,
    }
}

async fn show(_: Editor, frame: Frame) -> Result<Response> {
    let kind = frame.query.get("kind").unwrap_or_default().to_owned();
    frame.show(&blank(&frame, kind))
}

/// Shows what would become of the table, or, once that was looked at, does it.
async fn send(State(web): State<Web>, editor: Editor, frame: Frame, fields: Fields) -> Result<Response> {
    let text = |name: &str| fields.raw_text(name).unwrap_or_default().to_owned();
    let policy = RedactionPolicy::of(&frame.caller, &web.config, &frame.query)?;
    let (kind, key, table) = (text("kind"), text("key").trim().to_owned(), text("text"));
    let page = ImportPage { key: key.clone(), text: table.clone(), ..blank(&frame, kind.clone()) };
    let import = match Import::read(&kind, table.as_bytes(), Some(key.as_str()).filter(|key| !key.is_empty()), &policy) {
        Ok(import) => import,
        Err(Error::Invalid(wrong)) => {
            let problems = wrong.into_iter().map(|error| format!("{}: {}", words(&error.field), error.message)).collect();
            return frame.show_as(StatusCode::BAD_REQUEST, &ImportPage { problems, ..page });
        }
        Err(other) => return Err(other),
    };
    if text("apply") != "true" {
        let plan = import.plan(&web.db, &editor.scope(), &editor.actor()).await?;
        return frame.show(&ImportPage { plan: Some(plan), ..page });
    }
    match import.apply(&web.db, &editor.scope(), &editor.actor()).await {
        Ok(plan) => frame.go("/import", &format!("Imported in run {}: {}.", plan.run_id.unwrap_or_default(), plan.words())),
        Err(Error::Conflict { message, .. }) => {
            let plan = import.plan(&web.db, &editor.scope(), &editor.actor()).await?;
            frame.show_as(StatusCode::CONFLICT, &ImportPage { problems: vec![message], plan: Some(plan), ..page })
        }
        Err(other) => Err(other),
    }
}
