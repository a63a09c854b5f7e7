//! Rows of a table become records: planned with a reason for each, applied all or not at all, and undone as one run.
//!
//! A plan is the import itself, rehearsed: the same rules, the same writes, taken back. So nothing can be planned that
//! would then be refused, and nothing is written that was not shown.

mod api;
mod pages;
mod run_store;
mod sheet;
mod target;

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::{
    compliance::RedactionPolicy,
    config::suggest::nearest,
    db::{Db, Write, list::beside},
    error::{Error, Result},
    types::{Actor, ActorKind, Scope},
    web::{Fields, Routes},
};

use target::{Target, label};

/// What runs of imports are called among other runs.
pub const SOURCE: &str = "csv";
/// How many refused rows are looked for before it is enough.
const ENOUGH: usize = 200;

/// The import's routes.
#[must_use]
pub fn routes() -> Routes {
    api::routes().merge(pages::routes())
}

/// The words for what can be imported.
#[must_use]
pub fn kinds() -> Vec<&'static str> {
    target::all().into_iter().map(|target| target.name).collect()
}

/// What becomes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// A new record.
    Create,
    /// Another value in a record that is there.
    Update,
    /// Nothing: the record is so already.
    Same,
    /// It cannot be.
    Refused,
}

/// One row of a plan.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ImportRow)]
pub struct Row {
    /// The line of the file on which it begins.
    pub line: u64,
    /// What becomes of it.
    pub outcome: Outcome,
    /// What its record is called.
    pub label: String,
    /// The record, when it is there already.
    pub id: Option<i64>,
    /// Column → old and new value.
    #[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>)]
    pub changes: Map<String, Json>,
    /// Why it is that record, or why it cannot be.
    pub reason: String,
}

/// What an import would do, or did.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ImportPlan)]
pub struct Plan {
    /// What is imported.
    pub kind: &'static str,
    /// The run that undoes it; nothing for a rehearsal.
    pub run_id: Option<i64>,
    /// Rows that become records.
    pub create: usize,
    /// Rows that change one.
    pub update: usize,
    /// Rows that change nothing.
    pub same: usize,
    /// Rows that cannot be; with any of them nothing is written.
    pub refused: usize,
    /// Columns that say what is not entered but seen or reckoned.
    pub ignored: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
}

impl Plan {
    /// In a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let Self { create, update, same, refused, .. } = self;
        format!("{create} new, {update} changed, {same} the same, {refused} refused")
    }
}

/// A table that has been read and whose columns are known.
#[derive(Clone)]
pub struct Import {
    target: Target,
    sheet: sheet::Sheet,
    /// The column by which records are known again, when the caller chose one.
    key: Option<String>,
    ignored: Vec<String>,
    policy: RedactionPolicy,
}

impl Import {
    /// Reads a table of this kind.
    ///
    /// # Errors
    /// `Invalid` for a kind or a column that there is not, or a file that is no table.
    pub fn read(kind: &str, bytes: &[u8], key: Option<&str>, policy: &RedactionPolicy) -> Result<Self> {
        if !policy.sees_all() {
            return Err(Error::Forbidden("imports are for whoever may see protected records in full".to_owned()));
        }
        let target = target::named(kind)?;
        let sheet = sheet::read(bytes)?;
        let (takes, ignores) = (target.takes(), target.ignores());
        let mut ignored = Vec::new();
        for (at, head) in sheet.heads.iter().enumerate() {
            if sheet.heads.iter().take(at).any(|other| other == head) {
                return Err(Error::field("file", format!("has the column {head:?} twice")));
            }
            // Whether there is such a field is known with the first row that has a value in it.
            if takes.contains(&head.as_str()) || head.starts_with(beside::PREFIX) || head == "tags" {
                continue;
            }
            if ignores.contains(&head.as_str()) {
                ignored.push(head.clone());
                continue;
            }
            let maybe = nearest(head, takes.iter().copied()).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            return Err(Error::field("file", format!("{kind} have no {head:?}{maybe}")));
        }
        if let Some(key) = key.filter(|key| !sheet.heads.iter().any(|head| head == key)) {
            return Err(Error::field("key", format!("the file has no column {key:?}")));
        }
        Ok(Self { target, sheet, key: key.map(str::to_owned), ignored, policy: policy.clone() })
    }

    /// What it would do; nothing is written.
    pub async fn plan(&self, db: &Db, scope: &Scope, actor: &Actor) -> Result<Plan> {
        let (import, actor) = (self.clone(), importing(actor, None));
        let mut plan = db.dry_run(scope, &actor, move |w| import.rows(w)).await?;
        // What would be made is not there, and will have another id.
        plan.rows.iter_mut().filter(|row| row.outcome == Outcome::Create).for_each(|row| row.id = None);
        Ok(plan)
    }

    /// Does it: all of it, or nothing.
    ///
    /// # Errors
    /// `Conflict` with the rows that cannot be.
    pub async fn apply(&self, db: &Db, scope: &Scope, actor: &Actor) -> Result<Plan> {
        let (kind, by) = (self.target.name, actor.name.clone());
        let run = db.write(&Scope::All, actor, move |w| run_store::begin(w, kind, &by)).await?;
        let (import, doing) = (self.clone(), importing(actor, Some(run)));
        let work = move |w: &mut Write<'_>| {
            let plan = import.rows(w)?;
            if plan.refused > 0 {
                return Err(refused(&plan));
            }
            run_store::finish(w, run, "done", None, &plan.words())?;
            Ok(Plan { run_id: Some(run), ..plan })
        };
        let result = db.write_bulk(scope, &doing, work).await;
        if let Err(error) = &result {
            let why = error.to_string();
            db.write(&Scope::All, actor, move |w| run_store::finish(w, run, "failed", Some(&why), "nothing was written")).await?;
        }
        result
    }

    fn rows(&self, w: &mut Write<'_>) -> Result<Plan> {
        let mut rows: Vec<Row> = Vec::with_capacity(self.sheet.rows.len());
        let (mut seen, mut refused) = (std::collections::HashMap::new(), 0);
        for (line, cells) in &self.sheet.rows {
            let cells: Vec<(&str, &str)> =
                self.sheet.heads.iter().map(String::as_str).zip(cells.iter().map(String::as_str)).collect();
            let row = match self.row(w, *line, &cells) {
                Ok(row) => row,
                Err(error) => cannot_be(*line, &cells, error)?,
            };
            let row = match row.id.and_then(|id| seen.insert(id, *line)) {
                Some(before) => {
                    let reason = format!("is the same record as line {before}");
                    Row { outcome: Outcome::Refused, changes: Map::new(), reason, ..row }
                }
                None => row,
            };
            refused += usize::from(row.outcome == Outcome::Refused);
            rows.push(row);
            if refused >= ENOUGH {
                break;
            }
        }
        let count = |wanted: Outcome| rows.iter().filter(|row| row.outcome == wanted).count();
        Ok(Plan {
            kind: self.target.name,
            run_id: None,
            create: count(Outcome::Create),
            update: count(Outcome::Update),
            same: count(Outcome::Same),
            refused,
            ignored: self.ignored.clone(),
            rows,
        })
    }

    fn row(&self, w: &mut Write<'_>, line: u64, cells: &[(&str, &str)]) -> Result<Row> {
        let (id, reason) = self.target.find(w, cells, self.key.as_deref())?;
        let label = label(cells);
        let Some(id) = id else {
            let sent = cells.iter().filter(|(name, value)| !value.is_empty() && *name != "id" && self.is_taken(name));
            let map: Map<String, Json> = sent.map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
            let changes = map.iter().map(|(name, value)| (name.clone(), json!({ "old": null, "new": value }))).collect();
            let id = self.target.create(w, Fields::from_form(map), &self.policy)?;
            return Ok(Row { line, outcome: Outcome::Create, label, id: Some(id), changes, reason });
        };
        // What stands there already is neither read nor checked again; an empty cell leaves what there is.
        let stands = self.target.stands(w, id)?;
        let differs = |(name, value): &&(&str, &str)| {
            !value.is_empty() && *name != "id" && self.is_taken(name) && as_text(stands.get(*name)) != *value
        };
        let map: Map<String, Json> =
            cells.iter().filter(differs).map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        if map.is_empty() {
            return Ok(Row { line, outcome: Outcome::Same, label, id: Some(id), changes: Map::new(), reason });
        }
        self.target.log_disclosure(w, id, &self.policy)?;
        let names: Vec<String> = map.keys().cloned().collect();
        self.target.update(w, id, Fields::from_form(map), &self.policy)?;
        let now = self.target.stands(w, id)?;
        let mut changes = Map::new();
        for name in names {
            let (old, new) = (stands.get(&name).cloned().unwrap_or_default(), now.get(&name).cloned().unwrap_or_default());
            if old != new {
                changes.insert(name, json!({ "old": old, "new": new }));
            }
        }
        let outcome = if changes.is_empty() { Outcome::Same } else { Outcome::Update };
        Ok(Row { line, outcome, label, id: Some(id), changes, reason })
    }

    fn is_taken(&self, name: &str) -> bool {
        !self.ignored.iter().any(|ignored| ignored == name)
    }
}

/// A row that is wrong; what is wrong with the database ends everything.
fn cannot_be(line: u64, cells: &[(&str, &str)], error: Error) -> Result<Row> {
    let reason = match error {
        Error::Invalid(wrong) => {
            wrong.iter().map(|error| format!("{}: {}", error.field, error.message)).collect::<Vec<_>>().join("; ")
        }
        Error::Conflict { message, .. } | Error::Forbidden(message) => message,
        Error::NotFound { what } => format!("{what} not found"),
        Error::PreconditionFailed => "somebody has just changed it".to_owned(),
        other => return Err(other),
    };
    let label = label(cells);
    Ok(Row { line, outcome: Outcome::Refused, label, id: None, changes: Map::new(), reason })
}

/// The same one, importing in this run.
fn importing(actor: &Actor, run: Option<i64>) -> Actor {
    Actor { kind: ActorKind::Import, source: Some(SOURCE.to_owned()), run_id: run, pins: false, ..actor.clone() }
}

/// A value as its cell in an export.
fn as_text(value: Option<&Json>) -> String {
    match value {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn refused(plan: &Plan) -> Error {
    let first = plan.rows.iter().find(|row| row.outcome == Outcome::Refused);
    let why = first.map(|row| format!("line {}: {}", row.line, row.reason)).unwrap_or_default();
    let mut details = Map::new();
    let rows: Vec<&Row> = plan.rows.iter().filter(|row| row.outcome == Outcome::Refused).collect();
    details.insert("refused".to_owned(), json!(rows));
    Error::Conflict { message: format!("nothing was imported: {} rows cannot be; {why}", plan.refused), details }
}
