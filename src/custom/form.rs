//! Fields of one's own and tags in the form of a record.

use std::collections::HashMap;

use super::{AddedField, noun, store};
use crate::{
    compliance::RedactionPolicy,
    db::Conn,
    error::Result,
    ui::{Choice, Field},
};

/// What a record's form offers beside the fields of its noun.
#[derive(Clone, Debug, Default)]
pub struct Offered {
    fields: Vec<AddedField>,
    values: HashMap<i64, String>,
    tags: Vec<String>,
    chosen: Vec<String>,
}

impl Offered {
    /// For a record, or one that is to be added.
    pub fn read(c: &mut Conn, entity: &str, id: Option<i64>, policy: &RedactionPolicy) -> Result<Self> {
        let Some(noun) = noun(entity) else { return Ok(Self::default()) };
        let ids: Vec<i64> = id.into_iter().collect();
        let protected = store::protected(c, noun, &ids)?;
        if !policy.sees_all() && !protected.is_empty() {
            return Ok(Self::default());
        }
        let tags = store::tags(c)?.into_iter().filter(|tag| tag.retired_at.is_none()).map(|tag| tag.name).collect();
        let offered = Self {
            fields: store::fields(c, noun.entity)?,
            values: store::values(c, noun.entity, &ids)?.into_iter().map(|(_, field, value)| (field, value)).collect(),
            tags,
            chosen: store::tags_of(c, noun.entity, &ids)?.into_iter().map(|(_, _, name, _)| name).collect(),
        };
        if !offered.values.is_empty() || !offered.chosen.is_empty() {
            policy.log_disclosure(noun.entity, protected);
        }
        Ok(offered)
    }

    /// The form's fields: with what was typed under their names, or with what is stored.
    #[must_use]
    pub fn inputs(&self, typed: impl Fn(&str) -> Option<String>, typed_tags: Option<Vec<String>>) -> Vec<Field> {
        let mut inputs: Vec<Field> = self
            .fields
            .iter()
            .map(|field| {
                let stored = || self.values.get(&field.id).cloned().unwrap_or_default();
                input(field, typed(&field.name()).unwrap_or_else(stored))
            })
            .collect();
        if !self.tags.is_empty() {
            let choices = self.tags.iter().map(|name| Choice::word(name)).collect();
            inputs.push(Field::many("tags", "Tags", typed_tags.unwrap_or_else(|| self.chosen.clone()), choices));
        }
        inputs
    }
}

fn input(field: &AddedField, value: String) -> Field {
    let (name, label) = (field.name(), field.label.clone());
    let input = match field.kind.as_str() {
        "long_text" => Field::area(name, label, value),
        "date" => Field::line("date", name, label, value),
        "link" => Field::line("url", name, label, value),
        "yes_no" => {
            let choices = [("", "–"), ("true", "Yes"), ("false", "No")];
            Field::select(name, label, value, choices.map(|(value, label)| Choice::new(value, label)).to_vec())
        }
        "choice" => {
            let offered = field.offers().into_iter().map(|word| Choice::word(&word));
            Field::select(name, label, value, std::iter::once(Choice::new("", "–")).chain(offered).collect())
        }
        _ => Field::text(name, label, value),
    };
    let input = input.hint(field.help.clone().unwrap_or_default());
    if field.required { input.required() } else { input }
}
