//! Values of one's own fields and the tags of a record: read, checked, kept with history, told.

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};

use super::{AddedField, Noun, noun, store, store::Kept};
use crate::{
    compliance::RedactionPolicy,
    db::{
        Conn, Write,
        list::beside::{Beside as _, CUSTOM, Members, OWN, PREFIX, Reader, Strike},
    },
    error::{Error, FieldError, Result},
    history::{feed::Change, undo::Undone},
    types::{decimal, fold},
    web::{Fields, Sent as Field},
};

/// How much of a value it is found and sorted by, in characters.
const FOUND_BY: usize = 400;
/// The longest text of each kind.
const LONG: usize = 20_000;
/// The member with the values, and that with the tags.
const MEMBERS: [&str; 2] = [OWN, "tags"];

/// The member under which the vendors' custom fields are answered, too; what is written there is of the own ones.
const VENDORS: &str = CUSTOM;

/// What was sent of a record's own fields and tags.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    values: Map<String, Json>,
    /// What was sent under [`VENDORS`].
    vendors: Option<Json>,
    tags: Option<Json>,
    is_form: bool,
}

impl Sent {
    /// What these fields say of them: `cf` as an object, each as `cf.<key>`, and `tags`.
    ///
    /// # Errors
    /// `Invalid` when `cf` is no object.
    pub fn of(fields: &Fields) -> Result<Self> {
        let map = fields.map();
        let mut values = Map::new();
        match map.get(MEMBERS[0]) {
            None | Some(Json::Null) => {}
            Some(Json::Object(own)) => values.extend(own.clone()),
            Some(_) => return Err(Error::field(MEMBERS[0], "must be an object of the fields' keys and values")),
        }
        let dotted = map.iter().filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_owned(), value.clone())));
        values.extend(dotted);
        let vendors = map.get(VENDORS).filter(|sent| !sent.is_null()).cloned();
        Ok(Self { values, vendors, tags: map.get(MEMBERS[1]).cloned(), is_form: fields.is_form() })
    }

    fn is_empty(&self) -> bool {
        self.values.is_empty() && self.vendors.is_none() && self.tags.is_none()
    }

    /// Whether [`Self::without_standing`] has anything to leave out.
    #[must_use]
    pub fn names_vendors(&self) -> bool {
        self.vendors.is_some()
    }

    /// The same without the custom fields that stand in the record, as its answer has them: who sends back what they were shown
    /// changes nothing, and of two names of a field that under which it was changed counts.
    #[must_use]
    pub fn without_standing(mut self, record: &Json) -> Self {
        let stands = &record[VENDORS];
        match &mut self.vendors {
            Some(sent) if sent == stands => self.vendors = None,
            Some(Json::Object(sent)) => {
                sent.retain(|key, value| stands.get(key) != Some(value));
                let own = &record[MEMBERS[0]];
                self.values.retain(|key, value| !sent.contains_key(key) || own.get(key) != Some(value));
            }
            _ => {}
        }
        self
    }

    /// All that was sent of own fields, with the keys as they were written; where both names were changed, `cf` counts.
    fn own(&self) -> Result<Vec<(String, &str, &Json)>> {
        let own = self.values.iter().map(|(key, value)| (format!("{PREFIX}{key}"), key.as_str(), value));
        let vendors = match &self.vendors {
            None => None,
            Some(Json::Object(sent)) => Some(sent),
            Some(_) => {
                let message = "must be an object of the fields' keys and values, as cf; the vendors' are written at the vendors";
                return Err(Error::field(VENDORS, message));
            }
        };
        let more = vendors.into_iter().flatten().filter(|(key, _)| !self.values.contains_key(*key));
        Ok(own.chain(more.map(|(key, value)| (format!("{VENDORS}.{key}"), key.as_str(), value))).collect())
    }
}

/// Whether a member of a body is about own fields or tags.
#[must_use]
pub fn is_member(name: &str) -> bool {
    MEMBERS.contains(&name) || name == VENDORS || name.starts_with(PREFIX)
}

/// A number with at most so many decimals, in ten-thousandths.
pub fn parts(text: &str, decimals: u32) -> Result<i64, String> {
    let wrong = |_| format!("must be a number with at most {decimals} decimals");
    let (sign, digits) = text.trim().strip_prefix('-').map_or((1, text.trim()), |rest| (-1, rest));
    decimal::read(digits, decimals).map(|parts| sign * parts * 10_i64.pow(4 - decimals)).map_err(wrong)
}

fn kept(text: String, number: Option<i64>) -> Kept {
    let folded = fold(&text.chars().take(FOUND_BY).collect::<String>());
    Kept { value: text, folded: folded.chars().take(FOUND_BY).collect(), number }
}

/// Reads what was sent for a field under this name; what is wrong with it is noted in `fields`.
pub fn read(field: &AddedField, name: &str, fields: &mut Fields) -> Field<Kept> {
    if let Some(decimals) = field.decimals() {
        let text = fields.text(name).check(|text: &String| parts(text, decimals).map(drop)).get();
        return text.map(|text| {
            let number = parts(&text, decimals).unwrap_or_default();
            let text = if decimals == 2 { decimal::written(number / 100, 2) } else { decimal::plain(number, 4) };
            kept(text, Some(number))
        });
    }
    let text = |field: Field<String>| field.map(|text| kept(text, None));
    match field.kind.as_str() {
        "yes_no" if fields.raw_text(name).is_some_and(|text| text.trim().is_empty()) => Field::Null,
        "yes_no" => fields.bool(name).get().map(|yes| kept(yes.to_string(), Some(i64::from(yes)))),
        "date" => text(fields.text(name).date().get()),
        "link" => text(fields.text(name).max(2_000).url().get()),
        "choice" => {
            let offered = field.offers();
            text(fields.text(name).one_of(&offered.iter().map(String::as_str).collect::<Vec<_>>()).get())
        }
        "long_text" => text(fields.text(name).max(LONG).get()),
        _ => text(fields.text(name).max(FOUND_BY).get()),
    }
}

/// A value as JSON has it.
#[must_use]
pub fn json(field: &AddedField, value: &str) -> Json {
    match field.kind.as_str() {
        "number" | "money" => serde_json::from_str(value).unwrap_or_else(|_| value.into()),
        "yes_no" => (value == "true").into(),
        _ => value.into(),
    }
}

/// What stands beside a record, as whoever has this policy may see it; who reads it of a protected one is noted.
pub fn of_record(c: &mut Conn, entity: &'static str, id: i64, policy: &RedactionPolicy) -> Result<Members> {
    if noun(entity).is_none() {
        return Ok(Members::default());
    }
    let shows = policy.clone();
    let strike = policy.strikes().then(|| Strike::new(policy.key(), move |text| shows.screen(text)));
    let reader = Reader { sees_all: policy.sees_all(), strike };
    let found = super::OfRecords.members(c, entity, &[id], &reader)?.remove(&id).unwrap_or_default();
    if let Some(entity) = found.protected {
        policy.log_disclosure(entity, [id]);
    }
    Ok(found)
}

/// Refuses whoever may not see what stands beside a protected record.
fn allow(c: &mut Conn, noun: Noun, ids: &[i64], policy: &RedactionPolicy) -> Result<()> {
    if policy.is_cleared() || store::protected(c, noun, ids)?.is_empty() {
        return Ok(());
    }
    let which = if ids.len() == 1 { "this record" } else { "some of these records" };
    Err(Error::Forbidden(format!("{}: hidden from you in {which}, so you cannot set it", MEMBERS.join(", "))))
}

/// Keeps what was sent of a record's own fields and tags, with history; whether anything is another one now.
///
/// # Errors
/// `Invalid`, naming every field that is wrong; `Forbidden`.
pub fn apply(w: &mut Write<'_>, entity: &str, id: i64, sent: &Sent, is_new: bool, policy: &RedactionPolicy) -> Result<bool> {
    let Some(noun) = noun(entity).filter(|_| is_new || !sent.is_empty()) else { return Ok(false) };
    if !sent.is_empty() {
        allow(w, noun, &[id], policy)?;
    }
    let fields = store::fields(w, noun.entity)?;
    let wanted = checked(&fields, sent, is_new)?;
    let tags = sent.tags.as_ref().map(|tags| tag_ids(w, tags, sent.is_form)).transpose()?;
    let mut changes = keep(w, noun, id, &wanted, policy)?;
    if let Some(tags) = tags {
        changes.extend(retag(w, noun, id, &tags)?);
    }
    if changes.is_empty() {
        return Ok(false);
    }
    store::record(w, noun, id, None, changes)?;
    Ok(true)
}

/// The values that were sent, checked.
fn checked<'f>(fields: &'f [AddedField], sent: &Sent, is_new: bool) -> Result<Vec<(&'f AddedField, Option<Kept>)>> {
    let own = sent.own()?;
    let named: Map<String, Json> = own.iter().map(|(_, key, value)| (format!("{PREFIX}{key}"), (*value).clone())).collect();
    let mut read_from = if sent.is_form { Fields::from_form(named) } else { Fields::new(named) };
    for (name, ..) in own.iter().filter(|(_, key, _)| !fields.iter().any(|field| field.key == *key)) {
        let known: Vec<&str> = fields.iter().map(|field| field.key.as_str()).collect();
        let known = if known.is_empty() { "there are none".to_owned() } else { format!("known are {}", known.join(", ")) };
        read_from.refuse(name, format!("there is no such field; {known}"));
    }
    let mut wanted = Vec::new();
    for field in fields {
        let name = field.name();
        match read(field, &name, &mut read_from) {
            Field::Null if field.required => read_from.refuse(name, "is required"),
            Field::Absent if field.required && is_new => read_from.refuse(name, "is required"),
            Field::Absent => {}
            Field::Null => wanted.push((field, None)),
            Field::Value(value) => wanted.push((field, Some(value))),
        }
    }
    read_from.finish()?;
    Ok(wanted)
}

/// Keeps values; what is another one now, for history.
///
/// # Errors
/// `Forbidden` for a value of which something is hidden from this caller.
fn keep(
    w: &mut Write<'_>,
    noun: Noun,
    id: i64,
    wanted: &[(&AddedField, Option<Kept>)],
    policy: &RedactionPolicy,
) -> Result<Map<String, Json>> {
    let mut changes = Map::new();
    if wanted.is_empty() {
        return Ok(changes);
    }
    let before: HashMap<i64, String> =
        store::values(w, noun.entity, &[id])?.into_iter().map(|(_, field, value)| (field, value)).collect();
    for (field, value) in wanted {
        let (old, new) = (before.get(&field.id), value.as_ref().map(|kept| &kept.value));
        if old == new {
            continue;
        }
        if field.is_written() {
            policy.refuse_screened(&field.name(), old)?;
        }
        store::keep(w, field.id, noun.entity, id, value.as_ref())?;
        let told = |value: Option<&String>| value.map_or(Json::Null, |value| json(field, value));
        changes.insert(field.name(), json!([told(old), told(new)]));
    }
    Ok(changes)
}

/// The tags of these names.
fn tag_ids(c: &mut Conn, sent: &Json, is_form: bool) -> Result<Vec<i64>> {
    let named = Map::from_iter([(MEMBERS[1].to_owned(), sent.clone())]);
    let mut fields = if is_form { Fields::from_form(named) } else { Fields::new(named) };
    let names = fields.text_list(MEMBERS[1]).max_items(50).max_each(40).get().value().unwrap_or_default();
    fields.finish()?;
    let known = store::tags(c)?;
    let (mut ids, mut unknown) = (Vec::new(), Vec::new());
    for name in names {
        match known.iter().find(|tag| tag.retired_at.is_none() && fold(&tag.name) == fold(&name)) {
            Some(tag) => ids.push(tag.id),
            None => unknown.push(FieldError {
                field: MEMBERS[1].to_owned(),
                message: format!("there is no tag {name:?}; tags are added at /api/tags"),
            }),
        }
    }
    if unknown.is_empty() { Ok(ids) } else { Err(Error::Invalid(unknown)) }
}

/// Gives a record these tags in place of those it has; the change for history, if it is one.
fn retag(w: &mut Write<'_>, noun: Noun, id: i64, wanted: &[i64]) -> Result<Option<(String, Json)>> {
    let names = |tags: &[(i64, i64, String, String)]| tags.iter().map(|(_, _, name, _)| name.clone()).collect::<Vec<_>>();
    let before = store::tags_of(w, noun.entity, &[id])?;
    for (_, tag, ..) in before.iter().filter(|(_, tag, ..)| !wanted.contains(tag)) {
        store::mark(w, *tag, noun, &[id], false)?;
    }
    for tag in wanted {
        store::mark(w, *tag, noun, &[id], true)?;
    }
    let after = store::tags_of(w, noun.entity, &[id])?;
    let (old, new) = (names(&before), names(&after));
    Ok((old != new).then(|| (MEMBERS[1].to_owned(), json!([old, new]))))
}

/// The names of the tags in use of each of these records.
fn tag_names(c: &mut Conn, noun: Noun, ids: &[i64]) -> Result<HashMap<i64, Vec<String>>> {
    let mut names: HashMap<i64, Vec<String>> = HashMap::new();
    for (id, _, name, _) in store::tags_of(c, noun.entity, ids)? {
        names.entry(id).or_default().push(name);
    }
    Ok(names)
}

/// Marks records of a noun with one tag and takes another away; how many are marked otherwise now.
///
/// # Errors
/// `Forbidden` for who may not see one of them in full.
pub fn set_tags(
    w: &mut Write<'_>,
    noun: Noun,
    ids: &[i64],
    (added, removed): (Option<i64>, Option<i64>),
    policy: &RedactionPolicy,
) -> Result<usize> {
    allow(w, noun, ids, policy)?;
    let mut before = tag_names(w, noun, ids)?;
    for (tag, marked) in added.map(|tag| (tag, true)).into_iter().chain(removed.map(|tag| (tag, false))) {
        store::mark(w, tag, noun, ids, marked)?;
    }
    let mut after = tag_names(w, noun, ids)?;
    let mut done = 0;
    for id in ids {
        let (old, new) = (before.remove(id).unwrap_or_default(), after.remove(id).unwrap_or_default());
        if old != new {
            store::record(w, noun, *id, None, Map::from_iter([(MEMBERS[1].to_owned(), json!([old, new]))]))?;
            done += 1;
        }
    }
    Ok(done)
}

/// Whether a change is one of what stands beside a record.
#[must_use]
pub fn is_own(change: &Change) -> bool {
    let fields = change.fields.as_object();
    change.action == "update"
        && noun(&change.entity).is_some()
        && fields
            .is_some_and(|fields| !fields.is_empty() && fields.keys().all(|name| label(name).is_some() || name == MEMBERS[1]))
}

/// The key of an own field in history.
#[must_use]
pub fn label(name: &str) -> Option<&str> {
    name.strip_prefix(PREFIX)
}

/// Takes such a change back, as far as nobody has changed the same thing since.
pub fn undo(w: &mut Write<'_>, change: &Change) -> Result<Undone> {
    let Some(noun) = noun(&change.entity) else { return Ok(Undone::Already) };
    let id = change.entity_id;
    let fields = store::fields(w, noun.entity)?;
    let stands = super::OfRecords
        .members(w, noun.entity, &[id], &Reader { sees_all: true, strike: None })?
        .remove(&id)
        .unwrap_or_default()
        .json;
    let (mut values, mut tags, mut since) = (Map::new(), None, Vec::new());
    for (name, sides) in change.fields.as_object().into_iter().flatten() {
        let (old, new) = (&sides["old"], &sides["new"]);
        let now = match label(name) {
            Some(key) if !fields.iter().any(|field| field.key == key) => {
                since.push(format!("the field {key} is retired"));
                continue;
            }
            Some(key) => stands.get(MEMBERS[0]).and_then(|own| own.get(key)),
            None => stands.get(MEMBERS[1]),
        };
        let now = now.cloned().unwrap_or_default();
        match label(name) {
            _ if now == *old => {}
            _ if now != *new => since.push(format!("{name} has changed since")),
            Some(key) => drop(values.insert(key.to_owned(), old.clone())),
            None => tags = Some(old.clone()),
        }
    }
    let sent = Sent { values, vendors: None, tags, is_form: false };
    let done = match apply(w, noun.entity, id, &sent, false, &RedactionPolicy::of_program()) {
        Ok(done) => done,
        Err(Error::Invalid(wrong)) => {
            return Ok(Undone::Refused(wrong.iter().map(|wrong| wrong.message.clone()).collect::<Vec<_>>().join("; ")));
        }
        Err(other) => return Err(other),
    };
    Ok(match (since.is_empty(), done) {
        (false, _) => Undone::Refused(since.join("; ")),
        (true, true) => Undone::Done,
        (true, false) => Undone::Already,
    })
}

/// A record gives way to another that is the same thing: what stands beside it goes along where the other has nothing.
pub fn hand_over(w: &mut Write<'_>, entity: &str, from: i64, to: i64) -> Result<()> {
    let Some(noun) = noun(entity) else { return Ok(()) };
    let fields = store::fields(w, noun.entity)?;
    let all = store::values(w, noun.entity, &[from, to])?;
    let of = |record: i64| all.iter().filter(move |(known, ..)| *known == record);
    let mut changes = Map::new();
    for (_, field, value) in of(from).filter(|(_, field, _)| !of(to).any(|(_, known, _)| known == field)) {
        let Some(field) = fields.iter().find(|known| known.id == *field) else { continue };
        let mut sent = Fields::from_form(Map::from_iter([(field.name(), value.as_str().into())]));
        if let Field::Value(value) = read(field, &field.name(), &mut sent) {
            store::keep(w, field.id, noun.entity, to, Some(&value))?;
            changes.insert(field.name(), json!([null, json(field, &value.value)]));
        }
    }
    let tags: Vec<i64> = store::tags_of(w, noun.entity, &[from, to])?.into_iter().map(|(_, tag, ..)| tag).collect();
    changes.extend(retag(w, noun, to, &tags)?);
    if changes.is_empty() { Ok(()) } else { store::record(w, noun, to, Some("its record gave way to another"), changes) }
}
