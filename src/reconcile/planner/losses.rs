//! The guard for everything that a run takes away without retiring a row: fields it empties, marks it
//! switches off, places it moves people and things out of. Counted for each kind and field.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::retirement_guard::Limits;
use crate::{
    db::Value as Cell,
    plan::{Action, FieldChange, Item, Kind, Moves, State},
    reconcile::assign::LINK,
};

/// The name under which a contact's companies are shown.
pub const COMPANIES: &str = "companies";
/// The name under which the people who use an asset are shown.
pub const PEOPLE: &str = "people";
/// Columns that say where a row belongs: one that changes has left its place.
const PLACES: [&str; 4] = ["company_id", "company_account_number", "department_ids", "requester_id"];
/// Columns of a ticket that go together: what is lost, and what is lost with it.
pub const GROUPS: [&[&str]; 2] = [&["company_id", "department_id"], &["requester_id", "requester_name", "requester_email"]];
/// Columns by which a row is known: when several become the same, they have lost theirs.
const NAMES: [&str; 5] = ["name", "email", "hostname", "serial_number", "mac_address"];

/// Whether a value says nothing.
fn is_empty(field: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => matches!(text.trim(), "" | "[]" | "{}") || (field == "kind" && text == "other"),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Number(number) => field == "backup_data_bytes" && number.as_i64() == Some(0),
        Value::Bool(_) => false,
    }
}

/// Whether a row has something in this field that could be lost.
#[must_use]
pub fn has(field: &str, value: &Cell) -> bool {
    match value.to_json() {
        Value::Bool(on) => on,
        other => !is_empty(field, &other),
    }
}

/// The members of a list, which may be JSON in a text.
fn members(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(list) => Some(list.clone()),
        Value::String(text) if text.starts_with('[') => serde_json::from_str(text).ok(),
        _ => None,
    }
}

/// Whether a change takes something away.
#[must_use]
pub fn takes(change: &FieldChange) -> bool {
    let FieldChange { field, from, to, .. } = change;
    match (from, to) {
        // Which records are linked is decided by evidence of its own.
        _ if field.starts_with(LINK) => false,
        (Value::Bool(true), Value::Bool(false)) => true,
        _ if is_empty(field, from) => false,
        _ if is_empty(field, to) => true,
        _ if field == COMPANIES || field == PEOPLE || PLACES.contains(&field.as_str()) => match (members(from), members(to)) {
            (Some(before), Some(after)) => before.iter().any(|one| !after.contains(one)),
            _ => from != to,
        },
        _ => false,
    }
}

/// What a run takes away of one kind of rows, and what there is to be taken.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How many rows lose something in a field.
    lost: BTreeMap<String, u64>,
    /// How many live rows have something in it.
    live: HashMap<String, u64>,
    /// How many rows get this value in a field by which they are known.
    same: HashMap<(String, String), u64>,
}

impl Tally {
    /// Adds what another part of the same run counted.
    pub fn absorb(&mut self, part: Self) {
        for (field, count) in part.lost {
            *self.lost.entry(field).or_default() += count;
        }
        for (field, count) in part.live {
            *self.live.entry(field).or_default() += count;
        }
        for (key, count) in part.same {
            *self.same.entry(key).or_default() += count;
        }
    }

    /// Counts a live row that this vendor feeds.
    pub fn row<'v>(&mut self, values: impl Iterator<Item = (&'static str, &'v Cell)>) {
        for (field, _) in values.filter(|(field, value)| has(field, value)) {
            self.hold(field);
        }
    }

    /// Counts a live row that has something in this field.
    pub fn hold(&mut self, field: &str) {
        match self.live.get_mut(field) {
            Some(count) => *count += 1,
            None => drop(self.live.insert(field.to_owned(), 1)),
        }
    }

    /// Counts so many live rows that have something in this field.
    pub fn hold_all(&mut self, field: &str, count: u64) {
        *self.live.entry(field.to_owned()).or_default() += count;
    }

    /// Counts what an item would take away. `excused` says which changes are no loss of the vendor's making.
    pub fn item(&mut self, item: &Item, excused: impl Fn(&Item, &FieldChange) -> bool) {
        if !changes_a_row(item) {
            return;
        }
        for change in &item.fields {
            if takes(change) && !excused(item, change) {
                *self.lost.entry(change.field.clone()).or_default() += 1;
            } else if let Some(key) = sameness(change) {
                *self.same.entry(key).or_default() += 1;
            }
        }
    }

    /// The fields in which too much would be lost, each with the reason in words.
    #[must_use]
    pub fn over(&self, kind: Kind, limits: Limits) -> Over {
        let mut lost = self.lost.clone();
        let alike: HashSet<(String, String)> =
            self.same.iter().filter(|(_, count)| **count > 1).map(|(key, _)| key.clone()).collect();
        for (field, _) in &alike {
            lost.entry(field.clone()).or_default();
        }
        for (key, count) in self.same.iter().filter(|(key, _)| alike.contains(*key)) {
            *lost.entry(key.0.clone()).or_default() += count;
        }
        let mut over = Over { fields: BTreeMap::new(), alike };
        for (field, count) in lost {
            let live = self.live.get(&field).copied().unwrap_or(0).max(count);
            let allowed = limits.of(live);
            if count > allowed {
                over.fields.insert(field.clone(), words(kind, &field, count, live, allowed));
            }
        }
        over
    }
}

/// A field by which rows are known, and the value that it would get.
fn sameness(change: &FieldChange) -> Option<(String, String)> {
    let known = NAMES.contains(&change.field.as_str()) && !is_empty(&change.field, &change.from);
    let to = change.to.as_str().filter(|_| known && change.from != change.to)?;
    Some((change.field.clone(), to.to_lowercase()))
}

fn changes_a_row(item: &Item) -> bool {
    matches!(item.action, Action::Update | Action::Adopt | Action::Restore) && item.state == State::Pending
}

fn words(kind: Kind, field: &str, count: u64, live: u64, allowed: u64) -> String {
    let rows = kind.plural();
    let what = match (kind, field) {
        (Kind::Contact, COMPANIES) => "would leave a company".to_owned(),
        (_, "company_id" | "company_account_number") => "would lose or change their company".to_owned(),
        (_, "requester_id") => "would lose or change their requester".to_owned(),
        (_, "department_ids") => "would lose departments".to_owned(),
        (_, PEOPLE) => "would lose people who use them".to_owned(),
        (_, "active") => "would be switched off".to_owned(),
        (_, "account_number_at_vendor") => "would have no account number at the vendor".to_owned(),
        (_, "head_user_id") => "would lose their head".to_owned(),
        (_, "prime_user_id") => "would lose their main user".to_owned(),
        (_, "vip_user" | "can_see_all_tickets" | "can_see_all_changes") => {
            format!("would have \"{}\" switched off", field.replace('_', " "))
        }
        _ => format!("would lose their {}", field.replace('_', " ")),
    };
    format!("{count} of {live} {rows} {what} (limit {allowed})")
}

/// The fields of one kind in which a run would take away too much.
#[derive(Clone, Debug, Default)]
pub struct Over {
    fields: BTreeMap<String, String>,
    alike: HashSet<(String, String)>,
}

impl Over {
    /// Whether nothing has to wait.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Whether this field is among them.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// The reasons, in words.
    pub fn reasons(&self) -> impl Iterator<Item = String> {
        self.fields.values().cloned()
    }

    /// Takes what has to wait out of the items of this kind, and takes away those of which nothing is left. `excused`
    /// says which changes are no loss of the vendor's making.
    #[must_use]
    pub fn hold(&self, items: &mut Vec<Item>, kind: Kind, excused: impl Fn(&Item, &FieldChange) -> bool) -> Vec<Item> {
        let of_kind = items.iter_mut().filter(|item| item.kind == kind);
        let held: Vec<Item> = of_kind.filter_map(|item| self.split(item, &excused)).collect();
        if !held.is_empty() {
            items.retain(|item| !(item.state == State::Pending && is_spent(item)));
        }
        held
    }

    /// Takes out of an item what has to wait, as an item of its own. It is checked against the values that it
    /// was planned for and not against the row's revision: the rest of the plan goes on.
    pub fn split(&self, item: &mut Item, excused: impl Fn(&Item, &FieldChange) -> bool) -> Option<Item> {
        if self.is_empty() || !changes_a_row(item) {
            return None;
        }
        let fields = std::mem::take(&mut item.fields);
        let waits = |change: &FieldChange| {
            let lost = takes(change) && !excused(item, change) || sameness(change).is_some_and(|key| self.alike.contains(&key));
            lost && self.has(&change.field)
        };
        let (mut held, rest): (Vec<FieldChange>, Vec<FieldChange>) = fields.into_iter().partition(waits);
        if held.is_empty() {
            item.fields = rest;
            return None;
        }
        let mut waiting = Item::new(item.kind, Action::Update, &item.label, item.reason.as_str());
        if held.iter().any(|change| change.field == COMPANIES || change.field == PEOPLE) {
            waiting.moves = std::mem::take(&mut item.moves);
        }
        waiting.state = State::Held;
        waiting.entity_id = item.entity_id;
        waiting.external_id.clone_from(&item.external_id);
        waiting.reason = held.iter().filter_map(|change| self.fields.get(&change.field)).cloned().collect::<Vec<_>>().join("; ");
        let goes_along = |change: &FieldChange| {
            let heads = GROUPS.iter().filter(|group| group.contains(&change.field.as_str())).map(|group| group[0]);
            item.kind == Kind::Ticket && heads.into_iter().any(|head| held.iter().any(|held| held.field == head))
        };
        let (along, rest): (Vec<FieldChange>, Vec<FieldChange>) = rest.into_iter().partition(goes_along);
        held.extend(along);
        (item.fields, waiting.fields) = (rest, held);
        Some(waiting)
    }
}

/// Excuses nothing.
#[must_use]
pub fn nothing(_: &Item, _: &FieldChange) -> bool {
    false
}

/// Whether nothing is left of an item to be done.
#[must_use]
pub fn is_spent(item: &Item) -> bool {
    item.action == Action::Update && item.fields.is_empty() && item.moves == Moves::default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn change(field: &str, from: Value, to: Value) -> FieldChange {
        FieldChange::new(field, from, to)
    }

    fn update(id: i64, fields: Vec<FieldChange>) -> Item {
        let mut item = Item::new(Kind::Contact, Action::Update, "x", "linked");
        (item.entity_id, item.rev, item.fields) = (Some(id), Some(1), fields);
        item
    }

    #[test]
    fn what_is_a_loss() {
        for (field, from, to, loss) in [
            ("email", json!("a@b"), Value::Null, true),
            ("email", json!("a@b"), json!("c@d"), false),
            ("email", Value::Null, json!("c@d"), false),
            ("active", json!(true), json!(false), true),
            ("active", json!(false), json!(true), false),
            ("company_id", json!(4), json!(5), true),
            ("company_id", Value::Null, json!(5), false),
            ("department_ids", json!("[\"1\",\"2\"]"), json!("[\"2\",\"1\",\"3\"]"), false),
            ("department_ids", json!("[\"1\",\"2\"]"), json!("[\"1\"]"), true),
            ("companies", json!(["A"]), json!([]), true),
            ("companies", json!(["A"]), json!(["A", "B"]), false),
            ("companies", json!(["A"]), json!(["B"]), true),
            ("kind", json!("laptop"), json!("other"), true),
        ] {
            assert_eq!(takes(&change(field, from, to)), loss, "{field}");
        }
    }

    #[test]
    fn more_than_a_little_waits_and_the_rest_goes_on() {
        let limits = Limits { minimum: 3, percent: 5 };
        let mut items: Vec<Item> = (0..4)
            .map(|id| {
                update(
                    id,
                    vec![change("job_title", json!("x"), json!("y")), change("email", json!(format!("{id}@a")), json!(""))],
                )
            })
            .collect();
        let mut tally = Tally::default();
        (0..4).for_each(|_| tally.hold("email"));
        items.iter().for_each(|item| tally.item(item, nothing));
        let over = tally.over(Kind::Contact, limits);
        assert_eq!(over.reasons().collect::<Vec<_>>(), ["4 of 4 contacts would lose their email (limit 3)"]);
        let held = over.split(&mut items[0], nothing).unwrap();
        assert_eq!((held.state, held.rev, held.fields.len()), (State::Held, None, 1));
        assert_eq!((items[0].fields.len(), is_spent(&items[0])), (1, false));
        (0..96).for_each(|_| tally.hold("email"));
        assert!(tally.over(Kind::Contact, limits).is_empty(), "4 of 100 is little");
    }

    #[test]
    fn one_name_for_everybody_is_a_loss_and_names_that_differ_are_none() {
        let limits = Limits { minimum: 3, percent: 5 };
        let of = |to: fn(i64) -> String| {
            let mut tally = Tally::default();
            for id in 0..9 {
                tally.hold("name");
                tally.item(&update(id, vec![change("name", json!(format!("n{id}")), json!(to(id)))]), nothing);
            }
            tally.over(Kind::Contact, limits).reasons().count()
        };
        assert_eq!((of(|_| "Same".to_owned()), of(|id| format!("m{id}"))), (1, 0));
    }
}
