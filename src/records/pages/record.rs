//! What every record's page shows of its past, in the words of people.

use crate::{
    assets::hardware::gigabytes,
    companies::{Location, pages_store},
    compliance::{RedactionPolicy, ToldChange, tell, trail},
    contacts::{Contact, pages_store as contact_pages},
    custom,
    db::Conn,
    entity::{Kind, Target},
    error::Result,
    history::{
        Record as _,
        feed::{self, Origin},
        links, pins,
    },
    outbox::{self, Entry, State, push::What},
    records::entities,
    resource::past::{Known, Past},
    types::decimal,
    ui::{Event, Moved, Source, time, words},
    vendors,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value as Json;

/// How many changes a page shows.
const SHOWN: i64 = 20;
/// How long a value may be in the history before it is cut.
const LONGEST: usize = 160;

/// The names of the records whose ids and numbers stand in changes.
#[derive(Clone, Debug, Default)]
pub struct Mentioned {
    contacts: HashMap<i64, String>,
    companies: HashMap<i64, String>,
    /// By account number.
    numbers: HashMap<String, String>,
    locations: HashMap<i64, String>,
    /// What fields of nouns refer to, by noun and id.
    references: HashMap<(&'static str, i64), String>,
    /// What administrators call the fields that they have added, by noun and key.
    added: HashMap<(String, String), String>,
}

impl Mentioned {
    /// Reads them, once for all changes.
    pub fn of(c: &mut Conn, changes: &[ToldChange], policy: &RedactionPolicy) -> Result<Self> {
        let ids = |of_contacts: bool| -> Vec<i64> {
            let fields = changes.iter().filter_map(|change| change.fields.as_object()).flatten();
            let sides = fields.filter(|(field, _)| points_to_contact(field) == Some(of_contacts));
            sides
                .flat_map(|(_, value)| ["old", "new"].map(|side| value.get(side).cloned().unwrap_or_default()))
                .flat_map(numbers)
                .collect()
        };
        let (contacts, companies) = (ids(true), ids(false));
        let numbers: BTreeSet<String> = changes
            .iter()
            .filter_map(|change| change.fields.as_object())
            .flatten()
            .filter_map(|(field, _)| field.strip_prefix("company:").map(str::to_owned))
            .collect();
        let locations =
            changes.iter().filter(|change| change.entity == Location::ENTITY).map(|change| change.entity_id).collect();
        let people = contact_pages::contact_names(c, contacts)?;
        Ok(Self {
            contacts: trail::names(c, people, policy)?.into_iter().collect(),
            companies: pages_store::names(c, companies)?,
            numbers: pages_store::names_by_number(c, &numbers.into_iter().collect::<Vec<_>>())?,
            locations: pages_store::location_names(c, locations)?,
            references: references(c, changes, policy)?,
            added: added(c, changes)?,
        })
    }

    /// What a change was done toward: the company that was joined or left, the device that was assigned, the location.
    fn toward(&self, change: &ToldChange) -> String {
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
        if let (Some(target), Some(id)) = (target(entity, field), value.as_i64()) {
            return self.references.get(&(target.entity, id)).cloned().unwrap_or_else(|| format!("{} {id}", target.what));
        }
        if let (Some(Kind::Decimal(places)), Some(parts)) = (entities::spec(entity, field).map(|spec| spec.kind), value.as_i64())
        {
            return decimal::written(parts, places);
        }
        let Some(of_contacts) = points_to_contact(field) else { return shown(field, value) };
        let names = if of_contacts { &self.contacts } else { &self.companies };
        let words =
            numbers(value.clone()).into_iter().map(|id| names.get(&id).cloned().unwrap_or_else(|| format!("number {id}")));
        words.collect::<Vec<_>>().join(", ")
    }
}

/// What a field of a noun refers to.
fn target(entity: &str, field: &str) -> Option<&'static Target> {
    match entities::spec(entity, field)?.kind {
        Kind::Reference(target) => Some(target),
        _ => None,
    }
}

/// The labels of added fields that changes are about.
fn added(c: &mut Conn, changes: &[ToldChange]) -> Result<HashMap<(String, String), String>> {
    let fields =
        |change: &&ToldChange| change.fields.as_object().is_some_and(|map| map.keys().any(|name| custom::label(name).is_some()));
    let entities: BTreeSet<&str> = changes.iter().filter(fields).map(|change| change.entity.as_str()).collect();
    let mut labels = HashMap::new();
    for entity in entities {
        let of = custom::store::labels(c, entity)?;
        labels.extend(of.into_iter().map(|(key, label)| ((entity.to_owned(), key), label)));
    }
    Ok(labels)
}

/// The names of what fields refer to, before the changes and after.
fn references(c: &mut Conn, changes: &[ToldChange], policy: &RedactionPolicy) -> Result<HashMap<(&'static str, i64), String>> {
    let mut wanted: BTreeMap<(&'static str, bool), BTreeSet<i64>> = BTreeMap::new();
    for change in changes {
        for (field, sides) in change.fields.as_object().into_iter().flatten() {
            let Some(target) = target(&change.entity, field) else { continue };
            let ids = wanted.entry((target.entity, target.are_people)).or_default();
            ids.extend(["old", "new"].iter().filter_map(|side| sides.get(side)?.as_i64()));
        }
    }
    let mut names = HashMap::new();
    for ((entity, are_people), ids) in wanted {
        let called = entities::named(entity)?.called(c, ids.into_iter().collect())?;
        let called = if are_people { trail::names(c, called, policy)? } else { called };
        names.extend(called.into_iter().map(|(id, name)| ((entity, id), name)));
    }
    Ok(names)
}

/// Whether a field holds ids of contacts (`true`), of companies (`false`), or no ids.
fn points_to_contact(field: &str) -> Option<bool> {
    match field {
        "contacts" | "billing_contact_id" => Some(true),
        "parent_id" | "company_id" => Some(false),
        _ => None,
    }
}

fn numbers(value: Json) -> Vec<i64> {
    match value {
        Json::Array(items) => items.iter().filter_map(Json::as_i64).collect(),
        other => other.as_i64().into_iter().collect(),
    }
}

/// A record's past, read in one go.
pub fn past(c: &mut Conn, entity: &str, id: i64, policy: &RedactionPolicy) -> Result<Past> {
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
            (field, Known { source, can_be_pushed })
        })
    };
    let sources = feed::origins(c, entity, id)?.into_iter().filter_map(known).collect();
    let told = |change: &ToldChange| (event(change, &mentioned), can_undo(change).then_some(change.seq));
    Ok(Past { events: changes.iter().map(told).collect(), sources })
}

fn can_undo(change: &ToldChange) -> bool {
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

fn who(source: &str, actor: &str) -> String {
    match (vendor(source), source) {
        (Some((_, name)), _) => name.to_owned(),
        (None, "system") if actor == "codex" => "Codex".to_owned(),
        (None, "cli") => format!("command line ({actor})"),
        (None, "import") => format!("import ({actor})"),
        _ => actor.to_owned(),
    }
}

/// One change as the timeline tells it.
#[must_use]
pub fn event(change: &ToldChange, mentioned: &Mentioned) -> Event {
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
        batch: change.batch_id,
        undo_all: None,
    }
}

/// The vendor that something was written to: its name stands before the fields, else in the reason.
fn addressee(change: &ToldChange) -> &'static str {
    let prefix = change.fields.as_object().and_then(|fields| fields.keys().next()?.split_once(':'));
    let told = prefix.map(|(system, _)| system).or(change.source.as_deref());
    let said = change.reason.as_deref().unwrap_or_default();
    match told.and_then(vendor) {
        Some((_, name)) => name,
        None => vendors::ALL.iter().map(|vendor| vendor.name).find(|name| said.contains(*name)).unwrap_or("the vendor"),
    }
}

fn reason(change: &ToldChange) -> Option<String> {
    match (change.run_id, &change.reason) {
        (Some(run), Some(why)) => Some(format!("run {run}: {why}")),
        (Some(run), None) => Some(format!("run {run}")),
        (None, why) => why.clone(),
    }
}

fn action(word: &str) -> String {
    match word {
        "create" => "added",
        "update" => "changed",
        "retire" => "retired",
        "restore" => "restored",
        "join" => "added",
        "leave" => "removed",
        "assign" => "assigned",
        "unassign" => "unassigned",
        "pin" => "pinned",
        "unpin" => "unpinned",
        "link" => "linked",
        "note" => "added a note to it",
        "attach" => "attached a file",
        "detach" => "removed a file",
        "unlink" => "unlinked",
        "merge" => "merged another record into it",
        "absorb" => "merged it into another record",
        other => other,
    }
    .to_owned()
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

/// What people call a column. What is no field of the noun's own is called by its name, without the unit and the "id" that
/// are in the value.
fn label(entity: &str, field: &str) -> String {
    if let Some(spec) = entities::spec(entity, field) {
        return spec.label.to_owned();
    }
    let bare = ["_id", "_at", "_bytes", "_tb"].iter().find_map(|suffix| field.strip_suffix(suffix)).unwrap_or(field);
    words(bare)
}

/// What somebody is in a company they were added to, or has become there.
fn place(change: &ToldChange) -> Vec<Moved> {
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

/// A column's value as the record's page shows it: days, moments and sizes in people's units.
fn shown(field: &str, value: &Json) -> String {
    match value {
        Json::String(at) if field.ends_with("_at") => time::exact(at),
        Json::String(day) if field.ends_with("_date") || field.ends_with("_expires") => time::date(day),
        Json::String(tb) if field.ends_with("_tb") && tb.parse::<f64>().is_ok() => format!("{tb} TB"),
        Json::String(word) if matches!(field, "kind" | "status" | "designation" | "role") => words(word),
        Json::String(level) if field == "compliance_level" => {
            if level == "standard" {
                words(level)
            } else {
                level.to_uppercase()
            }
        }
        Json::Number(bytes) if field.ends_with("_bytes") => bytes.as_i64().map(size).unwrap_or_default(),
        Json::Number(minutes) if field == "minutes_spent" => format!("{minutes} min"),
        other => said(other),
    }
}

fn size(bytes: i64) -> String {
    if bytes == 0 { "0 GB".to_owned() } else { format!("{} GB", gigabytes(bytes)) }
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
        Json::String(text) => text.clone(),
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
