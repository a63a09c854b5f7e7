//! What a person has left in the database, and how it goes.

use serde_json::Value as Json;

use super::tokens::Tokens;
use crate::{
    attachments::{self, Attachment},
    contacts::Contact,
    db::{Conn, Row, Value, Write},
    entity::Fielded as _,
    error::Result,
    history::{self, Record as _, forgotten, links},
    monitoring::alert_store,
    notes::Note,
    params,
    records::entities,
};

/// A table in which people are named in text.
pub struct Place {
    /// Tables with tenants with their mark.
    pub table: &'static str,
    /// By what its rows are known.
    key: &'static str,
    /// Whether that is a number, so that it is read in portions.
    is_numbered: bool,
    /// Whose answers it changes, and whose search keys are made anew.
    entity: Option<&'static str>,
    columns: &'static [&'static str],
}

const fn place(table: &'static str, entity: Option<&'static str>, columns: &'static [&'static str]) -> Place {
    Place { table, key: "id", is_numbered: true, entity, columns }
}

const fn keyed(table: &'static str, key: &'static str, columns: &'static [&'static str]) -> Place {
    Place { table, key, is_numbered: true, entity: None, columns }
}

const fn named(table: &'static str, key: &'static str, columns: &'static [&'static str]) -> Place {
    Place { table, key, is_numbered: false, entity: None, columns }
}

const ALERT: &str = "alert";

/// Everywhere that people are named in text.
pub const PLACES: &[Place] = &[
    place("@tickets", Some("ticket"), &["subject", "requester_name", "requester_email", "custom_fields"]),
    Place { key: "ticket_id", ..place("@ticket_texts", Some("ticket"), &["description", "description_text"]) },
    keyed("@ticket_conversations", "id", &["body_text", "body_html", "author", "from_email", "to_emails", "support_email"]),
    keyed("@ticket_time_entries", "id", &["note"]),
    place("@change_requests", Some("change_request"), &["subject", "description_text", "custom_fields"]),
    place("@notes", Some("note"), &["body"]),
    place("@attachments", Some("attachment"), &["name"]),
    place("@alerts", Some(ALERT), &["message", "resolved_by", "diagnostics", "context", "actions"]),
    place(
        "@companies",
        Some("company"),
        &["description", "head_name", "prime_user_name", "primary_contact_name", "custom_fields"],
    ),
    place("@contacts", Some("contact"), &["background_information", "custom_fields"]),
    place("@assets", Some("asset"), &["description", "enabled_administrators", "udf"]),
    keyed("@asset_observations", "asset_id", &["last_logged_in_user"]),
    keyed("@asset_sources", "asset_id", &["told"]),
    keyed("@asset_audits", "asset_id", &["details"]),
    place("@licenses", Some("license"), &["notes"]),
    place("@network_equipment", Some("equipment"), &["notes"]),
    place("@network_connections", Some("connection"), &["notes"]),
    place("@subnets", Some("subnet"), &["purpose", "notes"]),
    place("@locations", Some("location"), &["name", "address"]),
    keyed("@custom_values", "record_id", &["value", "folded"]),
    keyed("@billing_exclusions", "id", &["reason"]),
    keyed("@review_items", "id", &["label", "reason", "candidates"]),
    keyed("changes", "seq", &["fields", "reason"]),
    keyed("outbox", "id", &["label", "reason", "wanted", "expected", "seen_before", "found", "error"]),
    keyed("sync_plan_items", "id", &["label", "reason", "evidence", "fields", "moves"]),
    keyed("sync_pages", "run_id", &["body"]),
    keyed("sync_runs", "id", &["error", "summary"]),
    keyed("notices", "id", &["title", "detail"]),
    named("sync_jobs", "id", &["output", "error", "progress"]),
    named("job_log", "job_id", &["message"]),
    named("idempotency_keys", "key", &["body"]),
];

/// One text that names the person.
pub struct Found {
    key: Value,
    column: &'static str,
    old: String,
    new: String,
}

impl Place {
    /// The first and the last of its numbers.
    pub fn bounds(&self, c: &mut Conn) -> Result<(i64, i64)> {
        if !self.is_numbered {
            return Ok((0, 0));
        }
        // Each by itself is found at an end of the index; both in one question walk through it.
        let end = |which: &str| format!("COALESCE((SELECT {which}({}) FROM {} place), 0)", self.key, self.table);
        let sql = format!("SELECT {}, {}", end("MIN"), end("MAX"));
        let row = c.one(&sql, &[])?;
        Ok((row.get(0)?, row.get(1)?))
    }

    /// The texts of some rows that name the person.
    pub fn find(&self, c: &mut Conn, (from, to): (i64, i64), tokens: &Tokens) -> Result<Vec<Found>> {
        let portion = if self.is_numbered { format!("WHERE {0} >= {from} AND {0} <= {to}", self.key) } else { String::new() };
        let sql = format!("SELECT {}, {} FROM {} place {portion}", self.key, self.columns.join(", "), self.table);
        let mut found = Vec::new();
        c.each(&sql, &[], |row| {
            for (at, column) in self.columns.iter().enumerate() {
                let Some(old) = row.get::<Option<String>>(at + 1)? else { continue };
                if let Some(new) = tokens.without(&old) {
                    found.push(Found { key: row.get(0)?, column, old, new });
                }
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Stores what is left of a text, unless somebody has changed it since.
    pub fn put(&self, w: &mut Write<'_>, found: &Found) -> Result<()> {
        let table = self.table.trim_start_matches('@');
        let Found { key, column, old, new } = found;
        let sql = format!("UPDATE {table} SET {column} = ?1 WHERE {} = ?2 AND {column} = ?3", self.key);
        w.run(&sql, &[new.into(), key.clone(), old.into()])?;
        let Some(entity) = self.entity else { return Ok(()) };
        w.touch(entity);
        let Value::Int(id) = key else { return Ok(()) };
        if entity == ALERT {
            alert_store::rekey(w, id - 1, 1)?;
        } else {
            entities::named(entity)?.rekey(w, id - 1, 1)?;
        }
        Ok(())
    }
}

/// Columns that tell who somebody is without being said to tell of people.
const IDENTIFYING: [&str; 2] = ["user_number", "vendor_reference"];

/// Whether a column of a contact goes.
#[must_use]
pub fn is_gone(column: &str) -> bool {
    IDENTIFYING.contains(&column)
        || Contact::FIELDS.iter().any(|field| field.spec.column == column && field.spec.personal.is_some())
}

/// Whether a field in a contact's history goes: what is no column and no tie to another record is a field of one's own.
fn is_gone_from_history(field: &str) -> bool {
    let stays = |field: &str| ["link:", "company:", "asset:", "retired_at"].iter().any(|kept| field.starts_with(kept));
    is_gone(field) || !Contact::COLUMNS.contains(&field) && !stays(field)
}

/// The contacts who are this one: with those that were merged into it.
pub fn family(c: &mut Conn, id: i64) -> Result<Vec<i64>> {
    let id = history::merges::winner(c, Contact::ENTITY, id)?.unwrap_or(id);
    history::get::<Contact>(c, id)?;
    history::merges::family(c, Contact::ENTITY, id)
}

/// The contact with this address, when it is one.
pub fn with_email(c: &mut Conn, folded: &str) -> Result<Vec<i64>> {
    c.map("SELECT contact.id FROM @contacts contact WHERE contact.email_folded = ?1", params![folded], |row| row.get(0))
}

/// By what the person is recognised in text, now and before.
pub fn tokens(c: &mut Conn, ids: &[i64]) -> Result<Tokens> {
    let mut tokens = Tokens::default();
    for id in ids {
        let contact = history::get::<Contact>(c, *id)?;
        tokens.name(&contact.name);
        tokens.name(&contact.composed_name());
        for (column, value) in Contact::COLUMNS.iter().zip(contact.values()) {
            tokens.value(column, &value.to_json());
        }
        let (mut first, mut last) = (Vec::new(), Vec::new());
        for (field, side) in forgotten::sides(c, Contact::ENTITY, *id, is_gone)? {
            tokens.value(&field, &side);
            match (field.as_str(), side) {
                ("first_name", Json::String(text)) => first.push(text),
                ("last_name", Json::String(text)) => last.push(text),
                _ => {}
            }
        }
        for one in &first {
            last.iter().for_each(|other| tokens.name(&format!("{one} {other}")));
        }
        for link in links::of(c, Contact::ENTITY, *id)? {
            tokens.record(link.system, link.external_id);
        }
    }
    tokens.sign_ins();
    Ok(tokens)
}

/// What the forgotten person's row is called.
#[must_use]
pub fn title(id: i64) -> String {
    format!("Forgotten person {id}")
}

/// Empties the row, what hangs on it and its history, and retires it; the contents of files that may go now.
pub fn erase(w: &mut Write<'_>, id: i64, tokens: &Tokens) -> Result<Vec<String>> {
    let files = retire_attachments(w, id)?;
    retire_notes(w, id)?;
    crate::resource::dependents::release(w, Contact::ENTITY, id)?;
    history::retire::<Contact>(w, id, None)?;
    blank(w, id)?;
    w.run("DELETE FROM custom_values WHERE entity = ?1 AND record_id = ?2", params![Contact::ENTITY, id])?;
    w.run("DELETE FROM record_tags WHERE entity = ?1 AND record_id = ?2", params![Contact::ENTITY, id])?;
    w.run("DELETE FROM former_people WHERE contact_id = ?1", params![id])?;
    let plans = "UPDATE sync_plan_items SET label = ?2, reason = '', evidence = NULL, fields = '[]'
                 WHERE entity = ?1 AND entity_id = ?3";
    w.run(plans, params![Contact::ENTITY, title(id), id])?;
    for external in tokens.records() {
        let plans = "UPDATE sync_plan_items SET label = ?2, reason = '', evidence = NULL, fields = '[]'
                     WHERE entity = ?1 AND external_id = ?3";
        w.run(plans, params![Contact::ENTITY, title(id), external])?;
    }
    forgotten::empty(w, Contact::ENTITY, id, is_gone_from_history)?;
    forgotten::mark::<Contact>(w, id)?;
    w.touch(Contact::ENTITY);
    Ok(files)
}

fn blank(w: &mut Write<'_>, id: i64) -> Result<()> {
    let now: Contact = history::get(w, id)?;
    let (mut sets, mut values) = (vec!["active = ?1".to_owned(), "name = ?2".to_owned()], vec![false.into(), title(id).into()]);
    for (column, value) in Contact::COLUMNS.iter().zip(now.values()).filter(|(column, _)| is_gone(column) && **column != "name") {
        let field = Contact::FIELDS.iter().find(|field| field.spec.column == *column);
        let emptied = field.and_then(|field| field.spec.emptied);
        values.push(if value == Value::Null { Value::Null } else { emptied.into() });
        sets.push(format!("{column} = ?{}", values.len()));
    }
    values.push(id.into());
    w.run(&format!("UPDATE contacts SET {} WHERE id = ?{}", sets.join(", "), values.len()), &values)?;
    history::rekey::<Contact>(w, id - 1, 1).map(drop)
}

fn retire_notes(w: &mut Write<'_>, id: i64) -> Result<()> {
    let sql = "SELECT note.id FROM @notes note WHERE note.entity = ?1 AND note.entity_id = ?2";
    for note in w.map(sql, params![Contact::ENTITY, id], |row: &Row| row.get::<i64>(0))? {
        history::retire::<Note>(w, note, None)?;
        w.run("UPDATE notes SET body = ?2 WHERE id = ?1", params![note, super::tokens::MARK])?;
        history::rekey::<Note>(w, note - 1, 1)?;
        forgotten::empty(w, Note::ENTITY, note, |field| field == "body")?;
    }
    Ok(())
}

/// Under which name no content stands.
const NO_CONTENT: &str = "0000000000000000000000000000000000000000000000000000000000000000";

fn retire_attachments(w: &mut Write<'_>, id: i64) -> Result<Vec<String>> {
    let mut contents = Vec::new();
    for file in attachments::store::of_record(w, Contact::ENTITY, id)? {
        history::retire::<Attachment>(w, file.id, None)?;
        let sql = "UPDATE attachments SET name = ?2, sha256 = ?3, bytes = 0 WHERE id = ?1";
        w.run(sql, params![file.id, super::tokens::MARK, NO_CONTENT])?;
        forgotten::empty(w, Attachment::ENTITY, file.id, |field| ["name", "sha256"].contains(&field))?;
        contents.push(file.sha256);
    }
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_names_an_entity_that_there_is() {
        for entity in PLACES.iter().filter_map(|place| place.entity).filter(|entity| *entity != ALERT) {
            assert!(entities::named(entity).is_ok(), "{entity}");
        }
    }
}
