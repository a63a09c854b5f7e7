//! Tables as a source: their rows are planned against ours with a reason for each, and then go the way of every plan.
//!
//! A plan is made by rehearsal: the same rules, the same writes, taken back. So nothing can be planned that would then be
//! refused. A table is no complete list: nothing is ever retired for not being in it. Its rows belong together: all of them
//! are written or none, and what a person imports is theirs as if they had entered it.

mod api;
mod pages;
pub mod presets;
mod run;
mod sheet;
mod table;
mod target;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value as Json, json};

use crate::{
    compliance::RedactionPolicy,
    config::{Config, suggest::nearest},
    db::{Db, Write, list::beside},
    error::{Error, Result},
    jobs::kind::{Definition, JobKind, Running},
    plan::{Action, FieldChange, Item},
    progress::Progress,
    types::{Actor, Scope},
    web::{Fields, Routes, Web, openapi::values::OldAndNew},
};

use presets::Preset;
pub use run::{CarriedOut, approved, carry_out, resume};
use target::{Target, label};

/// What runs and plans of imports are called among others.
pub const SOURCE: &str = "csv";
/// How many refused rows are looked for before it is enough.
const ENOUGH: usize = 200;

/// The kind of job that an import is. One at a time plans or writes; nobody starts one without a table.
pub const JOB: JobKind = JobKind(&Definition {
    name: SOURCE,
    aliases: &[],
    label: "Table import",
    what: "makes records of the rows of a table",
    system: SOURCE,
    pulls: true,
    plans: true,
    follows: None,
    in_all: None,
    has_work: |_, _| Ok(false),
    body: |_| -> Running { Box::pin(async { Err(Error::conflict("an import begins with its table")) }) },
});

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
    #[schema(value_type = std::collections::BTreeMap<String, OldAndNew>)]
    pub changes: Changes,
    /// Why it is that record, or why it cannot be.
    pub reason: String,
}

/// Columns with their old and new values, kept small: a plan holds them for every row of a table.
#[derive(Clone, Debug, Default)]
pub struct Changes(Vec<(String, Json, Json)>);

impl Changes {
    /// Column, old and new value.
    pub fn iter(&self) -> impl Iterator<Item = &(String, Json, Json)> {
        self.0.iter()
    }
}

impl Serialize for Changes {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, old, new)| (name, json!({ "old": old, "new": new }))))
    }
}

impl Row {
    fn new(line: u64, outcome: Outcome, label: String, id: Option<i64>, reason: String) -> Self {
        Self { line, outcome, label, id, changes: Changes::default(), reason }
    }
}

/// What an import would do, or did.
#[derive(Clone, Debug, Default, Serialize, utoipa::ToSchema)]
#[schema(as = ImportPlan)]
pub struct Plan {
    /// What is imported.
    pub kind: &'static str,
    /// The run that undoes it; nothing for a rehearsal.
    pub run_id: Option<i64>,
    /// The stored plan, with which those of syncs are listed; nothing when there is nothing to do.
    pub plan_id: Option<i64>,
    /// Why it waits for an administrator's approval, or would; then nothing is written before.
    pub held_because: Option<String>,
    /// Rows that become records.
    pub create: usize,
    /// Rows that change one.
    pub update: usize,
    /// Rows that change nothing.
    pub same: usize,
    /// Rows that cannot be; with any of them nothing is written.
    pub refused: usize,
    /// Columns that say what is not entered but seen or reckoned, or that the preset has no field for.
    pub ignored: Vec<String>,
    /// The product whose export it was read as, if it was.
    pub preset: Option<&'static str>,
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

    /// How many records it writes.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.create + self.update
    }
}

/// Where an import goes, and for whom.
#[derive(Clone)]
pub struct Desk {
    pub db: Db,
    pub config: Arc<Config>,
    /// What whoever imports may reach.
    pub scope: Scope,
    pub actor: Actor,
    pub progress: Arc<Progress>,
}

impl Desk {
    /// For whoever has sent a request.
    #[must_use]
    pub fn of(web: &Web, scope: Scope, actor: Actor) -> Self {
        Self { db: web.db.clone(), config: web.config.clone(), scope, actor, progress: Arc::default() }
    }
}

/// What must be known of an import to write its stored plan later.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Origin {
    /// What is imported.
    pub kind: String,
    /// The column by which records are known again, when somebody chose one.
    pub key: Option<String>,
    /// Who imports.
    pub by: String,
    /// Whether what is imported is a person's, which no sync writes over.
    pub pins: bool,
    /// Whether it may make people's data less strictly protected.
    pub lowers_protection: bool,
}

/// How a table is to be read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading<'r> {
    /// The column by which records are known again.
    pub key: Option<&'r str>,
    /// The product whose export it is; one that is certain by its columns need not be named.
    pub preset: Option<&'r str>,
    /// The account number of the company whose rows they are, where they do not say it.
    pub company: Option<&'r str>,
}

/// A table that has been read and whose columns are known.
#[derive(Clone)]
pub struct Import {
    target: Target,
    sheet: Arc<sheet::Sheet>,
    /// The column by which records are known again, when the caller chose one.
    key: Option<String>,
    /// The product whose export it is.
    preset: Option<&'static Preset>,
    /// Whose rows they are that do not say it.
    company: Option<String>,
    ignored: Vec<String>,
    policy: RedactionPolicy,
}

/// What earlier rows of the same table are about.
#[derive(Default)]
struct Known {
    /// The lines of records that there were before, by id.
    found: HashMap<i64, u64>,
    /// The lines of new records, by what they will be known by.
    made: HashMap<String, u64>,
    /// The rows that later ones may name as what they are below, by the number that those would write.
    above: HashMap<String, usize>,
    /// The rows that put a record that was there before below another one.
    moved: BTreeSet<usize>,
}

impl Import {
    /// Reads a table of this kind.
    ///
    /// # Errors
    /// `Invalid` for a kind or a column that there is not, or a file that is no table.
    pub fn read(kind: &str, bytes: &[u8], reading: Reading<'_>, policy: &RedactionPolicy) -> Result<Self> {
        if !policy.sees_all() {
            return Err(Error::Forbidden("imports are for whoever may see protected records in full".to_owned()));
        }
        let target = target::named(kind)?;
        let mut sheet = sheet::read(bytes)?;
        let (takes, ignores) = (target.takes(), target.ignores());
        let is_ours = sheet.heads.iter().all(|head| takes.contains(&head.as_str()) || ignores.contains(&head.as_str()));
        let preset = match reading.preset {
            Some(name) => Some(presets::named(name, kind)?),
            None if is_ours => None,
            None => presets::recognised(kind, &sheet.heads),
        };
        let mut ignored = Vec::new();
        if let Some(preset) = preset {
            let done = preset.translate(&sheet, target.company_column())?;
            (sheet, ignored) = (done.sheet, done.ignored);
        }
        if preset.is_none() {
            sheet.heads.iter_mut().for_each(|head| as_ours(head, &takes, &ignores));
        }
        if reading.company.is_some() && target.company_column().is_none() {
            return Err(Error::field("company", format!("{kind} belong to no company")));
        }
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
        if let Some(key) = reading.key.filter(|key| !sheet.heads.iter().any(|head| head == key)) {
            return Err(Error::field("key", format!("the file has no column {key:?}")));
        }
        let [key, company] = [reading.key, reading.company].map(|text| text.map(str::to_owned));
        Ok(Self { target, sheet: Arc::new(sheet), key, preset, company, ignored, policy: policy.clone() })
    }

    /// The account number of the company whose row it is, where the row says a name or nothing.
    ///
    /// # Errors
    /// `Invalid` when no company is called so, or several are.
    fn whose(&self, w: &mut Write<'_>, cells: &[(&str, &str)]) -> Result<Option<String>> {
        let Some(column) = self.target.company_column() else { return Ok(None) };
        let said = cells.iter().find(|(name, value)| *name == column && !value.is_empty()).map(|(_, value)| *value);
        match said {
            Some(name) if self.preset.is_some() => target::company_called(w, column, name).map(Some),
            Some(_) => Ok(None),
            None => Ok(self.company.clone()),
        }
    }

    fn origin(&self, actor: &Actor) -> Origin {
        let Actor { name, pins, lowers_protection, .. } = actor;
        let (kind, key) = (self.target.name.to_owned(), self.key.clone());
        Origin { kind, key, by: name.clone(), pins: *pins, lowers_protection: *lowers_protection }
    }

    /// What becomes of some rows, in a transaction that is taken back: it holds the writer no longer than these rows take.
    fn rehearse(&self, w: &mut Write<'_>, rows: std::ops::Range<usize>, known: &mut Known) -> Result<Vec<(Row, Option<Item>)>> {
        let mut done = Vec::with_capacity(rows.len());
        // Their ids count within this transaction alone.
        let mut new: HashMap<i64, u64> = HashMap::new();
        for at in self.needed(&rows, known) {
            self.again(w, at, &mut new)?;
        }
        for at in rows {
            let Some((line, mut cells)) = self.at(at) else { break };
            let whose = match self.whose(w, &cells) {
                Ok(whose) => whose,
                Err(error) => {
                    done.push((Row::new(line, Outcome::Refused, label(&cells), None, cannot_be(error)?), None));
                    continue;
                }
            };
            if let (Some(number), Some(column)) = (&whose, self.target.company_column()) {
                cells.retain(|(name, _)| *name != column);
                cells.push((column, number));
            }
            done.push(match self.row(w, line, &cells, known, &mut new) {
                Ok(row) => {
                    self.remember(at, &cells, &row.0, known);
                    row
                }
                Err(error) => (Row::new(line, Outcome::Refused, label(&cells), None, cannot_be(error)?), None),
            });
        }
        Ok(done)
    }

    /// A row, with the line on which it begins.
    fn at(&self, at: usize) -> Option<(u64, Vec<(&str, &str)>)> {
        let (line, cells) = self.sheet.rows.get(at)?;
        Some((*line, self.sheet.heads.iter().map(String::as_str).zip(cells.iter()).collect()))
    }

    /// Keeps what later rows may depend on.
    fn remember(&self, at: usize, cells: &[(&str, &str)], row: &Row, known: &mut Known) {
        if !self.target.is_together() || !matches!(row.outcome, Outcome::Create | Outcome::Update) {
            return;
        }
        if let Some(number) = cell(cells, &[NUMBER]) {
            known.above.insert(number.to_owned(), at);
        }
        if row.outcome == Outcome::Update && cell(cells, &PARENT).is_some() {
            known.moved.insert(at);
        }
    }

    /// The earlier rows without which these ones cannot be judged: those that they are below, and every record that was put
    /// below another one, so that nothing ends up below itself.
    fn needed(&self, rows: &std::ops::Range<usize>, known: &Known) -> BTreeSet<usize> {
        if !self.target.is_together() {
            return BTreeSet::new();
        }
        let mut needed = known.moved.clone();
        let mut named: Vec<usize> = rows.clone().chain(known.moved.iter().copied()).collect();
        while let Some(at) = named.pop() {
            let parent = self.at(at).and_then(|(_, cells)| cell(&cells, &PARENT).and_then(|number| known.above.get(number)));
            if let Some(above) = parent.copied().filter(|above| *above < rows.start)
                && needed.insert(above)
            {
                named.push(above);
            }
        }
        needed
    }

    /// Writes an earlier row once more, in the transaction of rows that depend on it.
    fn again(&self, w: &mut Write<'_>, at: usize, new: &mut HashMap<i64, u64>) -> Result<()> {
        let Some((line, cells)) = self.at(at) else { return Ok(()) };
        let id = self.target.find(w, &cells, self.key.as_deref())?.0;
        let stands = id.map(|id| self.target.stands(w, id)).transpose()?.unwrap_or_default();
        let sent = self.sent(&cells).filter(|(name, value)| as_text(stands.get(*name)) != *value);
        let map: Map<String, Json> = sent.map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        match id {
            Some(id) => self.target.update(w, id, Fields::from_form(map), &self.policy),
            None => {
                let id = self.target.create(w, Fields::from_form(map), &self.policy)?;
                new.insert(id, line);
                Ok(())
            }
        }
    }

    fn row(
        &self,
        w: &mut Write<'_>,
        line: u64,
        cells: &[(&str, &str)],
        known: &mut Known,
        new: &mut HashMap<i64, u64>,
    ) -> Result<(Row, Option<Item>)> {
        let key = self.key.as_deref();
        let (id, reason) = self.target.find(w, cells, key)?;
        let label = label(cells);
        let names = if id.is_none() { self.target.identities(cells, key) } else { Vec::new() };
        let before = match id {
            Some(id) => new.get(&id).copied().or_else(|| known.found.insert(id, line)),
            None => names.iter().find_map(|name| known.made.get(name).copied()).or_else(|| {
                // A number is one record's, by whatever else records are known here.
                let above = cell(cells, &[NUMBER]).and_then(|number| known.above.get(number));
                above.and_then(|at| self.at(*at)).map(|(line, _)| line)
            }),
        };
        if let Some(before) = before {
            let id = id.filter(|id| !new.contains_key(id));
            return Ok((Row::new(line, Outcome::Refused, label, id, format!("is the same record as line {before}")), None));
        }
        let Some(id) = id else {
            let sent = self.sent(cells).map(|(name, value)| ((*name).to_owned(), json!(value)));
            let map: Map<String, Json> = sent.collect();
            let id = self.target.create(w, Fields::from_form(map.clone()), &self.policy)?;
            new.insert(id, line);
            known.made.extend(names.into_iter().map(|name| (name, line)));
            let mut item =
                Item::new(self.target.plan_kind(), Action::Create, &label, reason.as_str()).from_vendor(&line.to_string());
            item.fields = map.iter().map(|(name, value)| FieldChange::new(name, Json::Null, value.clone())).collect();
            let changes = Changes(map.into_iter().map(|(name, value)| (name, Json::Null, value)).collect());
            return Ok((Row { changes, ..Row::new(line, Outcome::Create, label, None, reason) }, Some(item)));
        };
        // What stands there already is neither read nor checked again; an empty cell leaves what there is.
        let stands = self.target.stands(w, id)?;
        let sent = self.sent(cells).filter(|(name, value)| as_text(stands.get(*name)) != *value);
        let map: Map<String, Json> = sent.map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let same = |label, reason| Row::new(line, Outcome::Same, label, Some(id), reason);
        if map.is_empty() {
            return Ok((same(label, reason), None));
        }
        self.target.log_disclosure(w, id, &self.policy)?;
        self.target.update(w, id, Fields::from_form(map.clone()), &self.policy)?;
        let now = self.target.stands(w, id)?;
        let (mut changes, mut fields) = (Vec::new(), Vec::new());
        for (name, entered) in map {
            let (old, new) = (stands.get(&name).cloned().unwrap_or_default(), now.get(&name).cloned().unwrap_or_default());
            if old == new {
                continue;
            }
            let entered = entered.as_str().filter(|text| as_text(Some(&new)) != **text).map(str::to_owned);
            fields.push(FieldChange { sealed: entered, ..FieldChange::new(&name, old.clone(), new.clone()) });
            changes.push((name, old, new));
        }
        if changes.is_empty() {
            return Ok((same(label, reason), None));
        }
        let mut item = Item::new(self.target.plan_kind(), Action::Update, &label, reason.as_str()).from_vendor(&line.to_string());
        (item.entity_id, item.rev, item.fields) = (Some(id), stands.get("rev").and_then(Json::as_i64), fields);
        let changes = Changes(changes);
        Ok((Row { changes, ..Row::new(line, Outcome::Update, label, Some(id), reason) }, Some(item)))
    }

    /// The cells that say something of what is taken.
    fn sent<'c>(&'c self, cells: &'c [(&'c str, &'c str)]) -> impl Iterator<Item = &'c (&'c str, &'c str)> {
        let is_taken = |name: &str| !self.ignored.iter().any(|ignored| ignored == name);
        cells.iter().filter(move |(name, value)| !value.is_empty() && *name != "id" && is_taken(name))
    }
}

/// Under what columns a row of a table whose rows may name one another says its own number, and that of the one that it is below.
const NUMBER: &str = "account_number";
const PARENT: [&str; 2] = ["parent_id", "parent"];

/// Takes a column for ours that a person has written otherwise: `Account Number` is `account_number`.
fn as_ours(head: &mut String, takes: &[&str], ignores: &[&str]) {
    let is_known = [takes, ignores].concat().contains(&head.as_str());
    let plain = head.trim().to_lowercase().replace([' ', '-'], "_");
    if !is_known && takes.contains(&plain.as_str()) {
        *head = plain;
    }
}

/// The first of these cells that says something.
fn cell<'c>(cells: &[(&str, &'c str)], names: &[&str]) -> Option<&'c str> {
    cells.iter().find(|(head, value)| names.contains(head) && !value.is_empty()).map(|(_, value)| *value)
}

/// What is wrong with a row; what is wrong with the database ends everything.
fn cannot_be(error: Error) -> Result<String> {
    Ok(match error {
        Error::Invalid(wrong) => {
            wrong.iter().map(|error| format!("{}: {}", error.field, error.message)).collect::<Vec<_>>().join("; ")
        }
        Error::Conflict { message, .. } | Error::Forbidden(message) => message,
        Error::NotFound { what } => format!("{what} not found"),
        Error::PreconditionFailed => "somebody has just changed it".to_owned(),
        other => return Err(other),
    })
}

/// A value as its cell in an export.
fn as_text(value: Option<&Json>) -> String {
    match value {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Writes an item of a stored plan by the rules of its noun's room; `None` when its record is not what was planned for.
fn write(w: &mut Write<'_>, item: &Item, target: Target, key: Option<&str>, policy: &RedactionPolicy) -> Result<Option<i64>> {
    let cells: Vec<(&str, String)> =
        item.fields.iter().map(|change| (change.field.as_str(), as_text(Some(&change.value())))).collect();
    let map = cells.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    if item.action == Action::Create {
        let cells: Vec<(&str, &str)> = cells.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let is_new = target.find(w, &cells, key)?.0.is_none();
        return if is_new { target.create(w, Fields::from_form(map), policy).map(Some) } else { Ok(None) };
    }
    let Some(id) = item.entity_id else { return Ok(None) };
    if target.stands(w, id)?.get("rev").and_then(Json::as_i64) != item.rev {
        return Ok(None);
    }
    target.update(w, id, Fields::from_form(map), policy)?;
    Ok(Some(id))
}
