//! What every record's page shows of its past, in the words of people.

use crate::{
    assets::Asset,
    companies::{Location, pages_store},
    compliance::{RedactedChange, RedactionPolicy, tell, trail},
    contacts::Contact,
    custom,
    db::Conn,
    entity::Kind,
    error::Result,
    history::{
        Record as _,
        feed::{self, Origin},
        links, pins, retention,
    },
    outbox::{self, Entry, State, push::What},
    records::entities,
    resource::{
        record_history::{FieldOrigin, RecordHistory},
        values,
    },
    types::{Actor, decimal},
    ui::{Event, Moved, Source, capitalised, thousands, time, words},
    vendors,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value as Json;

/// How many changes a page shows.
const SHOWN: i64 = 20;
/// How long a value may be in the history before it is cut.
const LONGEST: usize = 160;
/// When a record was retired, as every history calls it.
const RETIRED_AT: &str = "retired_at";

/// The names of the records whose ids and numbers stand in changes.
#[derive(Clone, Debug, Default)]
pub struct Mentioned {
    /// Companies by account number.
    numbers: HashMap<String, String>,
    locations: HashMap<i64, String>,
    /// What fields hold the ids of, by noun and id.
    references: HashMap<(&'static str, i64), String>,
    /// What administrators call the fields that they have added, by noun and key.
    added: HashMap<(String, String), String>,
}

impl Mentioned {
    /// Reads them, once for all changes.
    pub fn of(c: &mut Conn, changes: &[RedactedChange], policy: &RedactionPolicy) -> Result<Self> {
        let numbers: BTreeSet<String> = changes
            .iter()
            .filter_map(|change| change.fields.as_object())
            .flatten()
            .filter_map(|(field, _)| field.strip_prefix("company:").map(str::to_owned))
            .collect();
        let locations =
            changes.iter().filter(|change| change.entity == Location::ENTITY).map(|change| change.entity_id).collect();
        Ok(Self {
            numbers: pages_store::names_by_number(c, &numbers.into_iter().collect::<Vec<_>>())?,
            locations: pages_store::location_names(c, locations)?,
            references: references(c, changes, policy)?,
            added: added(c, changes)?,
        })
    }

    /// What a change was done toward: the company that was joined or left, the device that was assigned, the location.
    fn toward(&self, change: &RedactedChange) -> String {
        let named = |kind: &str| {
            let fields = change.fields.as_object().into_iter().flatten();
            fields.into_iter().find_map(|(field, sides)| Some((field.strip_prefix(kind)?, sides)))
        };
        let device = |sides: &Json| ["new", "old"].iter().find_map(|side| sides[*side].as_str()).unwrap_or("a device").to_owned();
        match (change.entity.as_str(), change.action.as_str()) {
            (_, "join" | "leave") => {
                let company = named("company:")
                    .map(|(number, _)| self.numbers.get(number).cloned().unwrap_or_else(|| format!("company {number}")));
                let way = if change.action == "join" { "to" } else { "from" };
                company.map(|company| format!("{way} {company}")).unwrap_or_default()
            }
            (Contact::ENTITY, "assign") => named("asset:").map(|(_, sides)| format!("to {}", device(sides))).unwrap_or_default(),
            (Contact::ENTITY, "unassign") => {
                named("asset:").map(|(_, sides)| format!("from {}", device(sides))).unwrap_or_default()
            }
            (Location::ENTITY, _) => {
                self.locations.get(&change.entity_id).map(|name| format!("the location {name}")).unwrap_or_default()
            }
            _ => String::new(),
        }
    }

    fn said(&self, entity: &str, field: &str, value: &Json) -> String {
        if let Some(to) = leads_to(entity, field) {
            let what = entities::named(to).map_or("number", |noun| noun.what());
            let name = |id| self.references.get(&(to, id)).cloned().unwrap_or_else(|| format!("{what} {id}"));
            return numbers(value.clone()).into_iter().map(name).collect::<Vec<_>>().join(", ");
        }
        match (entities::spec(entity, field), value) {
            (Some(spec), Json::Number(number)) => match (spec.kind, spec.format, number.as_i64()) {
                (Kind::Decimal(places), _, Some(parts)) => decimal::written(parts, places),
                (_, Some(format), Some(number)) => values::measured(format, number),
                _ => said(value),
            },
            (Some(spec), Json::String(text)) if spec.read_as().is_some() => values::written(spec, text),
            // When a record was retired is no field of its own.
            (None, Json::String(at)) if field == RETIRED_AT => time::exact(at),
            _ => said(value),
        }
    }
}

/// The noun whose ids a field holds; a link's other end stands in the history as a field does.
fn leads_to(entity: &str, field: &str) -> Option<&'static str> {
    if (entity, field) == (Asset::ENTITY, "contacts") {
        return Some(Contact::ENTITY);
    }
    entities::spec(entity, field)?.leads_to()
}

/// The labels of added fields that changes are about.
fn added(c: &mut Conn, changes: &[RedactedChange]) -> Result<HashMap<(String, String), String>> {
    let fields = |change: &&RedactedChange| {
        change.fields.as_object().is_some_and(|map| map.keys().any(|name| custom::label(name).is_some()))
    };
    let entities: BTreeSet<&str> = changes.iter().filter(fields).map(|change| change.entity.as_str()).collect();
    let mut labels = HashMap::new();
    for entity in entities {
        let of = custom::store::labels(c, entity)?;
        labels.extend(of.into_iter().map(|(key, label)| ((entity.to_owned(), key), label)));
    }
    Ok(labels)
}

/// The names of what fields lead to, before the changes and after.
fn references(
    c: &mut Conn,
    changes: &[RedactedChange],
    policy: &RedactionPolicy,
) -> Result<HashMap<(&'static str, i64), String>> {
    let mut wanted: BTreeMap<&'static str, BTreeSet<i64>> = BTreeMap::new();
    for change in changes {
        for (field, sides) in change.fields.as_object().into_iter().flatten() {
            let Some(to) = leads_to(&change.entity, field) else { continue };
            let ids = ["old", "new"].iter().filter_map(|side| sides.get(side)).flat_map(|side| numbers(side.clone()));
            wanted.entry(to).or_default().extend(ids);
        }
    }
    let mut names = HashMap::new();
    for (to, ids) in wanted {
        let called = entities::named(to)?.called(c, ids.into_iter().collect())?;
        let called = if to == Contact::ENTITY { trail::names(c, called, policy)? } else { called };
        names.extend(called.into_iter().map(|(id, name)| ((to, id), name)));
    }
    Ok(names)
}

fn numbers(value: Json) -> Vec<i64> {
    match value {
        Json::Array(items) => items.iter().filter_map(Json::as_i64).collect(),
        other => other.as_i64().into_iter().collect(),
    }
}

/// A record's history, read in one go.
pub fn past(c: &mut Conn, entity: &str, id: i64, policy: &RedactionPolicy) -> Result<RecordHistory> {
    let changes = feed::of(c, entity, id, SHOWN)?;
    let changes = trail::changes(c, changes, policy)?;
    let outbox = outbox::store::open_of(c, entity, id)?;
    let can_be_written = |system: &str| vendors::find(system).is_some_and(|vendor| vendor.takes_records);
    let is_written = links::of(c, entity, id)?.iter().any(|link| can_be_written(&link.system));
    let mentioned = Mentioned::of(c, &changes, policy)?;
    let pins = pins::fields(c, entity, id)?;
    let is_linked = links::exists(c, entity, id)?;
    let pushes = What::parse(entity).filter(|_| is_written);
    let outbox = tell(c, outbox, policy)?;
    let known = |(field, origin): (String, Origin)| {
        let pinned = pins.contains(&field);
        let synced = vendor(&origin.source).is_some();
        // Worth a mark: a sync set it, a person pinned it, or a person changed it on a record that a vendor also has.
        (synced || pinned || is_linked).then(|| {
            let source = Source {
                letter: vendor(&origin.source).map_or("", |(letter, _)| letter),
                name: who(&origin.source, &origin.actor),
                at: origin.at,
                run: origin.run_id,
                pinned,
                synced,
                action: None,
                push: None,
                waits: outbox.iter().rev().find(|entry| entry.is_about(&field)).map(waits),
                field: field.clone(),
            };
            let can_be_pushed = pinned && pushes.is_some_and(|what| what.takes(&field));
            (field, FieldOrigin { source, can_be_pushed })
        })
    };
    let sources = feed::origins(c, entity, id)?.into_iter().filter_map(known).collect();
    let told = |change: &RedactedChange| (event(change, &mentioned), can_undo(change).then_some(change.seq));
    let begins =
        |change: &RedactedChange| change.action == "create" && (change.entity.as_str(), change.entity_id) == (entity, id);
    let kept_since = if changes.iter().any(begins) { None } else { retention::kept(c)?.since };
    Ok(RecordHistory { events: changes.iter().map(told).collect(), sources, kept_since })
}

fn can_undo(change: &RedactedChange) -> bool {
    let whole = change.entity == Location::ENTITY && matches!(change.action.as_str(), "create" | "retire");
    whole || matches!(change.action.as_str(), "update" | "join" | "leave" | "assign" | "unassign")
}

fn waits(entry: &Entry) -> String {
    let vendor = entry.operation.vendor().name;
    match entry.state {
        State::Conflict => format!("{vendor} had another value when this was to be written (outbox entry {}).", entry.id),
        State::Failed => {
            let why = entry.error.as_deref().unwrap_or("it was refused");
            format!("Could not be written to {vendor} (outbox entry {}): {why}", entry.id)
        }
        _ => format!("Waits to be written to {vendor}."),
    }
}

fn vendor(source: &str) -> Option<(&'static str, &'static str)> {
    vendors::find(source).map(|vendor| (vendor.name.get(..1).unwrap_or_default(), vendor.name))
}

/// Who did something, by the vendor or the kind of hand, and the name that it went by.
#[must_use]
pub fn who(source: &str, actor: &str) -> String {
    match (vendor(source), source) {
        (Some((_, name)), _) => name.to_owned(),
        (None, "system") if actor == "codex" => "Codex".to_owned(),
        (None, "cli") => format!("command line ({actor})"),
        (None, "import") if actor == Actor::DEMO => capitalised(actor),
        (None, "import") => format!("import ({actor})"),
        _ => actor.to_owned(),
    }
}

/// One change as the timeline tells it.
#[must_use]
pub fn event(change: &RedactedChange, mentioned: &Mentioned) -> Event {
    let source = change.source.as_deref().unwrap_or(&change.actor_kind);
    let moved = match (change.entity.as_str(), change.action.as_str()) {
        (_, "create") => Vec::new(),
        (Contact::ENTITY, "assign" | "unassign") => Vec::new(),
        (_, "leave") => Vec::new(),
        (_, "join") => place(change),
        _ => change
            .fields
            .as_object()
            .into_iter()
            .flatten()
            .map(|(field, value)| moved(&change.entity, field, value, mentioned))
            .collect(),
    };
    let pushed = change.action == "push";
    Event {
        who: if pushed { "Codex".to_owned() } else { who(source, &change.actor) },
        by_person: change.actor_kind == "user",
        what: if pushed { format!("wrote to {}", addressee(change)) } else { action(&change.action) },
        subject: None,
        toward: mentioned.toward(change),
        at: change.at.clone(),
        reason: reason(change),
        moved,
        undo: None,
        run: change.run_id,
        batch: change.batch_id,
        undo_all: None,
    }
}

/// The vendor that something was written to: its name stands before the fields, else in the reason.
fn addressee(change: &RedactedChange) -> &'static str {
    let prefix = change.fields.as_object().and_then(|fields| fields.keys().next()?.split_once(':'));
    let told = prefix.map(|(system, _)| system).or(change.source.as_deref());
    let said = change.reason.as_deref().unwrap_or_default();
    match told.and_then(vendor) {
        Some((_, name)) => name,
        None => vendors::ALL.iter().map(|vendor| vendor.name).find(|name| said.contains(*name)).unwrap_or("the vendor"),
    }
}

fn reason(change: &RedactedChange) -> Option<String> {
    match (change.run_id, &change.reason) {
        (Some(run), Some(why)) => Some(format!("run {run}: {why}")),
        (Some(run), None) => Some(format!("run {run}")),
        (None, why) => why.clone(),
    }
}

/// What can be done to a record: as history calls it, as its own line says it before what it was done to, and by itself.
pub const ACTIONS: &[(&str, &str, &str)] = &[
    ("create", "added", "added"),
    ("update", "changed", "changed"),
    ("retire", "retired", "retired"),
    ("restore", "restored", "restored"),
    ("join", "added", "added to a company"),
    ("leave", "removed", "removed from a company"),
    ("assign", "assigned", "assigned"),
    ("unassign", "unassigned", "unassigned"),
    ("pin", "pinned", "pinned"),
    ("unpin", "unpinned", "unpinned"),
    ("link", "linked", "linked"),
    ("unlink", "unlinked", "unlinked"),
    ("note", "added a note to it", "added a note to it"),
    ("attach", "attached a file", "attached a file"),
    ("detach", "removed a file", "removed a file"),
    ("merge", "merged another record into it", "merged another record into it"),
    ("absorb", "merged it into another record", "merged it into another record"),
];

/// Some records of a noun: `3 companies`.
#[must_use]
pub fn things(entity: &str, count: i64) -> String {
    let one = entities::named(entity).map_or_else(|_| entity.replace('_', " "), |noun| noun.what().to_lowercase());
    let things = match one.strip_suffix('y') {
        _ if count == 1 => one,
        Some(stem) => format!("{stem}ies"),
        None => format!("{one}s"),
    };
    format!("{} {things}", thousands(count))
}

fn action(word: &str) -> String {
    ACTIONS.iter().find(|(known, ..)| *known == word).map_or(word, |(_, said, _)| said).to_owned()
}

fn moved(entity: &str, field: &str, value: &Json, mentioned: &Mentioned) -> Moved {
    let side = |name: &str| value.get(name).map(|value| mentioned.said(entity, field, value)).unwrap_or_default();
    let label = match field.split_once(':') {
        Some(("link", system)) => format!("{} id", vendors::find(system).map_or(system, |vendor| vendor.name)),
        Some((kind, id)) => format!("{} {id}", words(kind)),
        None => match custom::label(field).and_then(|key| mentioned.added.get(&(entity.to_owned(), key.to_owned()))) {
            Some(label) => label.clone(),
            None => label(entity, field),
        },
    };
    Moved { field: label, old: side("old"), new: side("new") }
}

/// What people call a column. What is no field of the noun's own is called by its name.
fn label(entity: &str, field: &str) -> String {
    if let Some(spec) = entities::spec(entity, field) {
        return spec.label.to_owned();
    }
    let bare = ["_id", "_at"].iter().find_map(|suffix| field.strip_suffix(suffix)).unwrap_or(field);
    words(bare)
}

/// What somebody is in a company they were added to, or has become there.
fn place(change: &RedactedChange) -> Vec<Moved> {
    let sides = change.fields.as_object().into_iter().flatten().filter(|(field, _)| field.starts_with("company:"));
    let mut told = Vec::new();
    for (_, sides) in sides {
        for name in ["role", "designation", "is_primary"] {
            let side = |side: &str| match &sides[side][name] {
                Json::Bool(true) => "yes".to_owned(),
                Json::String(word) => words(word.as_str()),
                _ => String::new(),
            };
            let (old, new) = (side("old"), side("new"));
            if old != new {
                told.push(Moved { field: words(name.trim_start_matches("is_")), old, new });
            }
        }
    }
    told
}

/// A stored value as people read it, cut when it is long.
#[must_use]
pub fn said(value: &Json) -> String {
    let text = match value {
        Json::Null => String::new(),
        Json::Bool(true) => "yes".to_owned(),
        Json::Bool(false) => "no".to_owned(),
        Json::String(text) if text.starts_with('[') => match serde_json::from_str::<Json>(text) {
            Ok(list) => said(&list),
            Err(_) => text.clone(),
        },
        // What is no moment stays as it is.
        Json::String(text) => time::exact(text),
        Json::Array(items) => items.iter().map(said).collect::<Vec<_>>().join(", "),
        Json::Object(map) => {
            let told = map.iter().filter(|(_, value)| !matches!(value, Json::Null | Json::Bool(false)));
            let parts: Vec<String> =
                told.map(|(name, value)| {
                    if value == &Json::Bool(true) { words(name.trim_start_matches("is_")).to_lowercase() } else { said(value) }
                })
                .collect();
            if parts.is_empty() { "yes".to_owned() } else { parts.join(", ") }
        }
        Json::Number(number) => number.to_string(),
    };
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST).chain(['…']).collect() }
}
