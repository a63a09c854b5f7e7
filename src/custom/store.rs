//! Fields of one's own, their values, and tags in the database.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::{AddedField, Noun, Tag};
use crate::{
    db::{
        Conn, Value, Write,
        list::{Condition, escape},
    },
    error::Result,
    history::{self, Record as _, protection, ranks},
    params,
    types::{fold, now},
};

/// A value as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// As it is told.
    pub value: String,
    /// By which it is found and sorted.
    pub folded: String,
    /// The number it is, in ten-thousandths; yes and no are 1 and 0.
    pub number: Option<i64>,
}

/// The fields of a noun that are in use, in their order.
pub fn fields(c: &mut Conn, entity: &str) -> Result<Vec<AddedField>> {
    let sql = format!(
        "SELECT {} FROM @custom_fields custom_field
         WHERE custom_field.entity = ?1 AND custom_field.retired_at IS NULL ORDER BY custom_field.position, custom_field.id",
        AddedField::SELECT
    );
    c.map(&sql, params![entity], |row| AddedField::from_row(row, 0))
}

/// Every field of every noun, the retired ones last.
pub fn all_fields(c: &mut Conn) -> Result<Vec<AddedField>> {
    let sql = format!(
        "SELECT {} FROM @custom_fields custom_field
         ORDER BY custom_field.retired_at IS NOT NULL, custom_field.entity, custom_field.position, custom_field.id",
        AddedField::SELECT
    );
    c.map(&sql, params![], |row| AddedField::from_row(row, 0))
}

/// What the fields with these names are called, in use or not.
pub fn labels(c: &mut Conn, entity: &str) -> Result<HashMap<String, String>> {
    let sql = "SELECT custom_field.key, custom_field.label FROM @custom_fields custom_field WHERE custom_field.entity = ?1";
    Ok(c.map(sql, params![entity], |row| Ok((row.get(0)?, row.get(1)?)))?.into_iter().collect())
}

/// The values of records in fields that are in use: record, field, value.
pub fn values(c: &mut Conn, entity: &str, ids: &[i64]) -> Result<Vec<(i64, i64, String)>> {
    let sql = "SELECT kept.record_id, kept.field_id, kept.value FROM @custom_values kept
               WHERE kept.entity = ?1 AND kept.record_id IN ids(?2)";
    c.map(sql, params![entity, ids.to_vec()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

/// Every value of a field after a record, at most so many: record and value.
pub fn values_of_field(c: &mut Conn, field: i64, after: i64, most: i64) -> Result<Vec<(i64, String)>> {
    let sql = "SELECT kept.record_id, kept.value FROM @custom_values kept
               WHERE kept.field_id = ?1 AND kept.record_id > ?2 ORDER BY kept.record_id LIMIT ?3";
    c.map(sql, params![field, after, most], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// How many records have a value in each field.
pub fn counts(c: &mut Conn) -> Result<HashMap<i64, i64>> {
    let sql = "SELECT kept.field_id, count(*) FROM @custom_values kept GROUP BY kept.field_id";
    Ok(c.map(sql, params![], |row| Ok((row.get(0)?, row.get(1)?)))?.into_iter().collect())
}

/// Keeps a value, or forgets it.
pub fn keep(w: &mut Write<'_>, field: i64, entity: &str, record: i64, kept: Option<&Kept>) -> Result<()> {
    w.run("DELETE FROM custom_values WHERE field_id = ?1 AND record_id = ?2", params![field, record])?;
    if let Some(Kept { value, folded, number }) = kept {
        w.run(
            "INSERT INTO custom_values (field_id, record_id, entity, value, folded, number) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![field, record, entity, value, folded, *number],
        )?;
    }
    Ok(())
}

/// Records that something beside a row has changed, and moves the row's `rev`.
pub fn record(w: &mut Write<'_>, noun: Noun, id: i64, reason: Option<&str>, fields: Map<String, Json>) -> Result<()> {
    let sql = format!("UPDATE {} SET updated_at = ?1, rev = rev + 1 WHERE id = ?2", noun.table);
    w.run(&sql, params![now(), id])?;
    history::record_change(w, noun.entity, id, "update", reason, fields)
}

/// Whether there is such a row within the scope.
pub fn exists(c: &mut Conn, noun: Noun, ids: Vec<i64>) -> Result<Vec<i64>> {
    c.map(&format!("SELECT one.id FROM @{} one WHERE one.id IN ids(?1) ORDER BY one.id", noun.table), params![ids], |row| {
        row.get(0)
    })
}

/// Those of a noun's rows that are protected: by themselves, or by the company whose they are.
pub fn protected(c: &mut Conn, noun: Noun, ids: &[i64]) -> Result<Vec<i64>> {
    if ranks::KINDS.iter().any(|(entity, ..)| *entity == noun.entity) {
        return protection::among(c, noun.entity, ids.to_vec());
    }
    let sql = format!("SELECT one.id, one.company_id FROM @{} one WHERE one.id IN ids(?1)", noun.table);
    let whose: Vec<(i64, Option<i64>)> = c.map(&sql, params![ids.to_vec()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let companies = whose.iter().filter_map(|(_, company)| *company).collect();
    let companies = protection::among(c, "company", companies)?;
    Ok(whose
        .into_iter()
        .filter(|(_, company)| company.is_some_and(|company| companies.contains(&company)))
        .map(|(id, _)| id)
        .collect())
}

/// Every tag, the retired ones last.
pub fn tags(c: &mut Conn) -> Result<Vec<Tag>> {
    let sql = format!("SELECT {} FROM @tags tag ORDER BY tag.retired_at IS NOT NULL, tag.name_folded, tag.id", Tag::SELECT);
    c.map(&sql, params![], |row| Tag::from_row(row, 0))
}

/// Whether any tag is in use.
pub fn has_tags(c: &mut Conn) -> Result<bool> {
    Ok(c.first("SELECT 1 FROM @tags tag WHERE tag.retired_at IS NULL LIMIT 1", params![])?.is_some())
}

/// How many records have each tag.
pub fn tagged(c: &mut Conn) -> Result<HashMap<i64, i64>> {
    let sql = "SELECT marked.tag_id, count(*) FROM @record_tags marked GROUP BY marked.tag_id";
    Ok(c.map(sql, params![], |row| Ok((row.get(0)?, row.get(1)?)))?.into_iter().collect())
}

/// The tags in use of some records: record, tag, its name, its colour.
pub fn tags_of(c: &mut Conn, entity: &str, ids: &[i64]) -> Result<Vec<(i64, i64, String, String)>> {
    let sql = "SELECT marked.record_id, tag.id, tag.name, tag.color
               FROM @record_tags marked JOIN @tags tag ON tag.id = marked.tag_id
               WHERE marked.entity = ?1 AND marked.record_id IN ids(?2) AND tag.retired_at IS NULL ORDER BY tag.name_folded";
    c.map(sql, params![entity, ids.to_vec()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
}

/// Marks records with a tag, or takes it away.
pub fn mark(w: &mut Write<'_>, tag: i64, noun: Noun, ids: &[i64], marked: bool) -> Result<()> {
    let sql = if marked {
        format!(
            "INSERT INTO record_tags (tag_id, entity, record_id) SELECT CAST(?1 AS BIGINT), CAST(?2 AS TEXT), one.id
             FROM {} one WHERE one.id IN ids(?3)
             ON CONFLICT (entity, record_id, tag_id) DO NOTHING",
            noun.table
        )
    } else {
        "DELETE FROM record_tags WHERE tag_id = ?1 AND entity = ?2 AND record_id IN ids(?3)".to_owned()
    };
    w.run(&sql, params![tag, noun.entity, ids.to_vec()]).map(drop)
}

/// The records with a tag, at most so many: kind and id.
pub fn marked(c: &mut Conn, tag: i64, most: i64) -> Result<Vec<(String, i64)>> {
    let sql = "SELECT marked.entity, marked.record_id FROM @record_tags marked WHERE marked.tag_id = ?1
               ORDER BY marked.entity, marked.record_id LIMIT ?2";
    c.map(sql, params![tag, most], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The records of a kind whose own fields or tags contain a text, at most so many.
pub fn found(c: &mut Conn, entity: &str, text: &str, most: i64) -> Result<Vec<i64>> {
    let like = format!("%{}%", escape(&fold(text)));
    let sql = "SELECT kept.record_id FROM @custom_values kept JOIN @custom_fields custom_field ON custom_field.id = kept.field_id
               WHERE kept.entity = ?1 AND custom_field.retired_at IS NULL AND kept.folded LIKE ?2 ESCAPE '\\'
               UNION SELECT marked.record_id FROM @record_tags marked JOIN @tags tag ON tag.id = marked.tag_id
               WHERE marked.entity = ?1 AND tag.retired_at IS NULL AND tag.name_folded LIKE ?2 ESCAPE '\\' ORDER BY 1 LIMIT ?3";
    c.map(sql, params![entity, like, most], |row| row.get(0))
}

/// The condition that rows with this key have a tag.
#[must_use]
pub fn has_tag(entity: &str, key: &str, name: &str) -> Condition {
    let sql = format!(
        "{key} IN (SELECT marked.record_id FROM @record_tags marked JOIN @tags tag ON tag.id = marked.tag_id
                   WHERE marked.entity = {{}} AND tag.name_folded = {{}} AND tag.retired_at IS NULL)"
    );
    Condition::new(sql, vec![entity.into(), fold(name).into()])
}

/// How a field's values are compared.
#[derive(Clone, Debug)]
pub enum Test {
    /// The same.
    Is(Vec<Value>),
    /// Another one, or none.
    IsNot(Value),
    /// Contains a text.
    Contains(String),
    /// No less.
    AtLeast(Value),
    /// No more.
    AtMost(Value),
    /// Without (or with) a value.
    Empty(bool),
}

fn column(field: &AddedField) -> &'static str {
    if field.decimals().is_some() || field.kind == super::KINDS[5] { "number" } else { "folded" }
}

/// The condition that rows with this key have such a value.
#[must_use]
pub fn has_value(field: &AddedField, key: &str, test: Test) -> Condition {
    let column = column(field);
    let within = |sql: &str, params: Vec<Value>| {
        let sql = format!("{key} IN (SELECT kept.record_id FROM @custom_values kept WHERE kept.field_id = {}{sql})", field.id);
        Condition::new(sql, params)
    };
    let without = |sql: &str, params: Vec<Value>| {
        let kept = format!("SELECT kept.record_id FROM @custom_values kept WHERE kept.field_id = {}{sql}", field.id);
        Condition::new(format!("{key} NOT IN ({kept})"), params)
    };
    match test {
        Test::Is(values) => {
            let places = vec!["{}"; values.len()].join(", ");
            within(&format!(" AND kept.{column} IN ({places})"), values)
        }
        Test::Contains(text) => {
            within(" AND kept.folded LIKE {} ESCAPE '\\'", vec![format!("%{}%", escape(&fold(&text))).into()])
        }
        Test::AtLeast(value) => within(&format!(" AND kept.{column} >= {{}}"), vec![value]),
        Test::AtMost(value) => within(&format!(" AND kept.{column} <= {{}}"), vec![value]),
        Test::Empty(false) => within("", Vec::new()),
        Test::IsNot(value) => without(&format!(" AND kept.{column} = {{}}"), vec![value]),
        Test::Empty(true) => without("", Vec::new()),
    }
}

/// What rows with this key are ordered by.
#[must_use]
pub fn ordered(field: &AddedField, key: &str) -> String {
    format!(
        "(SELECT kept.{} FROM @custom_values kept WHERE kept.field_id = {} AND kept.record_id = {key})",
        column(field),
        field.id
    )
}
