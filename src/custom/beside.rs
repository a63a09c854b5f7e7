//! Fields of one's own and tags in lists of records of any kind.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::{AddedField, json, noun, shows, store, values};
use crate::{
    db::{
        Conn, Value,
        list::{
            Condition,
            beside::{self, Beside, Column, Members, OWN, Reader, Rows, Shows, TAG},
        },
    },
    error::{Error, Result},
    history::protection,
    types::fold,
};

/// The most values that `__in` takes.
const MOST: usize = 500;

/// What stands beside the records of every noun.
pub struct OfRecords;

impl Beside for OfRecords {
    fn takes(&self, entity: &str) -> bool {
        noun(entity).is_some()
    }

    fn columns(&self, c: &mut Conn, entity: &str) -> Result<Vec<Column>> {
        let column = |field: AddedField| {
            let choices = match field.kind.as_str() {
                "choice" => field.offers(),
                "yes_no" => vec!["true".to_owned(), "false".to_owned()],
                _ => Vec::new(),
            };
            Column { name: field.name(), shows: shows(&field.kind), choices, label: field.label }
        };
        let mut columns: Vec<Column> = store::fields(c, entity)?.into_iter().map(column).collect();
        let mut tags = store::tags(c)?;
        tags.retain(|tag| tag.retired_at.is_none());
        if !tags.is_empty() {
            let choices = tags.into_iter().map(|tag| tag.name).collect();
            columns.push(Column { name: "tags".to_owned(), label: "Tags".to_owned(), shows: Shows::Tags, choices });
        }
        Ok(columns)
    }

    fn condition(&self, c: &mut Conn, of: Rows, name: &str, value: &str) -> Result<Condition> {
        allow(c, of, name)?;
        if name == TAG {
            return Ok(store::has_tag(of.entity, of.key, value));
        }
        let (plain, suffix) = name.split_once("__").unwrap_or((name, ""));
        let field = named(c, of.entity, plain, name)?;
        let wrong = |why: String| Error::field(name, why);
        let one = |text: &str| operand(&field, text).map_err(wrong);
        let test = match suffix {
            "" => store::Test::Is(vec![one(value)?]),
            "ne" => store::Test::IsNot(one(value)?),
            "in" => {
                let values: Vec<Value> =
                    value.split(',').map(str::trim).filter(|item| !item.is_empty()).map(one).collect::<Result<_>>()?;
                if values.is_empty() || values.len() > MOST {
                    return Err(wrong(format!("must have 1 to {MOST} values")));
                }
                store::Test::Is(values)
            }
            "ic" => store::Test::Contains(value.to_owned()),
            "gte" => store::Test::AtLeast(one(value)?),
            "lte" => store::Test::AtMost(one(value)?),
            "empty" => match value.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => store::Test::Empty(true),
                "false" | "0" | "no" | "off" => store::Test::Empty(false),
                _ => return Err(wrong("must be true or false".to_owned())),
            },
            _ => {
                let known = ["ne", "ic", "gte", "lte", "in", "empty"].map(|suffix| format!("{plain}__{suffix}")).join(", ");
                return Err(wrong(format!("is no filter; possible are {plain}, {known}")));
            }
        };
        Ok(store::has_value(&field, of.key, test))
    }

    fn order(&self, c: &mut Conn, of: Rows, name: &str) -> Result<String> {
        allow(c, of, name)?;
        named(c, of.entity, name, "sort").map(|field| store::ordered(&field, of.key))
    }

    fn members(&self, c: &mut Conn, entity: &'static str, ids: &[i64], reader: &Reader) -> Result<HashMap<i64, Members>> {
        let sees_all = reader.sees_all;
        let fields = store::fields(c, entity)?;
        let has_tags = store::has_tags(c)?;
        let mut values: HashMap<(i64, i64), String> = HashMap::new();
        for (record, field, value) in store::values(c, entity, ids)? {
            values.insert((record, field), value);
        }
        let mut tags: HashMap<i64, Vec<(String, String)>> = HashMap::new();
        for (record, _, name, color) in store::tags_of(c, entity, ids)? {
            tags.entry(record).or_default().push((name, color));
        }
        let told = |id: &i64| tags.contains_key(id) || fields.iter().any(|field| values.contains_key(&(*id, field.id)));
        let asked: Vec<i64> = ids.iter().copied().filter(|id| !sees_all || told(id)).collect();
        let noun = noun(entity).filter(|_| !asked.is_empty());
        let protected = noun.map(|noun| store::protected(c, noun, &asked)).transpose()?.unwrap_or_default();
        let of = |id: &i64| {
            let is_hidden = !sees_all && protected.contains(id);
            let noted = (sees_all && protected.contains(id)).then_some(entity);
            let tags = if is_hidden { Vec::new() } else { tags.remove(id).unwrap_or_default() };
            let mut members = Map::new();
            if !fields.is_empty() {
                let value = |field: &AddedField| {
                    let value = values.get(&(*id, field.id)).map_or(Json::Null, |value| json(field, value));
                    let value = match value {
                        Json::String(text) if field.is_written() => reader.shown(text).into(),
                        other => other,
                    };
                    (field.key.clone(), value)
                };
                let own = if is_hidden { Json::Null } else { fields.iter().map(value).collect::<Map<_, _>>().into() };
                members.insert(OWN.to_owned(), own);
            }
            if has_tags {
                let names = || tags.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>().into();
                members.insert("tags".to_owned(), if is_hidden { Json::Null } else { names() });
            }
            (*id, Members { json: members, tags, protected: noted })
        };
        Ok(ids.iter().map(of).collect())
    }
}

/// What order and filters would tell of protected records is not for everybody.
fn allow(c: &mut Conn, of: Rows, name: &str) -> Result<()> {
    if of.sees_all || !protection::anybody(c)? {
        return Ok(());
    }
    Err(Error::Forbidden(format!("{name}: only somebody who may see protected records in full can ask by it")))
}

fn named(c: &mut Conn, entity: &str, name: &str, parameter: &str) -> Result<AddedField> {
    let fields = store::fields(c, entity)?;
    let known: Vec<String> = fields.iter().map(AddedField::name).collect();
    let key = beside::key_of(name).unwrap_or(name);
    fields.into_iter().find(|field| field.key == key).ok_or_else(|| {
        let known = if known.is_empty() { "there are none".to_owned() } else { format!("possible are {}", known.join(", ")) };
        Error::field(parameter, format!("there is no field {name}; {known}"))
    })
}

/// What a question compares with, in the form in which values are compared.
fn operand(field: &AddedField, text: &str) -> Result<Value, String> {
    match (field.decimals(), field.kind.as_str()) {
        (Some(_), _) => values::parts(text, 4).map(Value::Int),
        (None, "yes_no") => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Value::Int(1)),
            "false" | "0" | "no" | "off" => Ok(Value::Int(0)),
            _ => Err("must be true or false".to_owned()),
        },
        _ => Ok(Value::Text(fold(text))),
    }
}
