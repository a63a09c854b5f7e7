//! The rows of API keys. A key itself is never among them: only its digest is.

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};

use super::{
    Level, User,
    api_key::{ACCESS, ApiKey, Limits, State},
};
use crate::{
    db::{Conn, Row, Write},
    error::{Error, OnConstraint as _, Result},
    history, params,
    types::{fold, now, now_plus},
};

/// The word of keys in history.
pub const ENTITY: &str = "api_key";
/// How often it is noted that a key is used, in seconds.
pub const NOTED_EVERY: i64 = 60;
/// The most keys that somebody has at once.
const MOST: i64 = 100;

/// A key that may be used, with whoever made it as they are now.
#[derive(Clone, Debug)]
pub struct Found {
    pub id: i64,
    pub name: String,
    pub limits: Limits,
    /// Its owner; a client of the platform still without companies.
    pub owner: User,
    /// Whether its last use has been noted within the minute.
    pub is_noted: bool,
}

/// Whoever owns keys where people sign in here.
const LOCAL_OWNER: (&str, &str) = (
    "owner.subject, owner.username, owner.name, owner.email, owner.role, company.id",
    "JOIN users owner ON owner.subject = api_key.subject AND owner.enabled
     LEFT JOIN @companies company ON company.id = owner.company_id AND company.retired_at IS NULL",
);
/// Whoever owns them on the platform.
const PLATFORM_OWNER: (&str, &str) = (
    "owner.keycloak_id, owner.username, owner.name, COALESCE(owner.email, ''), owner.permission_level, CAST(NULL AS BIGINT)",
    "JOIN agents owner ON owner.keycloak_id = api_key.subject AND owner.enabled",
);

/// The key with this digest, unless it was revoked, has expired, or its owner is disabled or gone.
pub fn find(c: &mut Conn, digest: &str, stand_alone: bool) -> Result<Option<Found>> {
    let (columns, owner) = if stand_alone { LOCAL_OWNER } else { PLATFORM_OWNER };
    let sql = format!(
        "SELECT api_key.id, api_key.name, api_key.writes, api_key.types, api_key.company_ids, api_key.last_used_at, {columns}
         FROM api_keys api_key {owner}
         WHERE api_key.digest = ?1 AND api_key.revoked_at IS NULL AND api_key.expires_at > ?2"
    );
    let Some(row) = c.first(&sql, params![digest, now()])? else { return Ok(None) };
    let companies = list::<i64>(&row, 4)?.map(|ids| in_use(c, ids)).transpose()?;
    let used: Option<String> = row.get(5)?;
    let company: Option<i64> = row.get(11)?;
    Ok(Some(Found {
        id: row.get(0)?,
        name: row.get(1)?,
        limits: Limits { writes: row.get(2)?, types: list(&row, 3)?, companies },
        owner: User {
            sub: row.get(6)?,
            username: row.get(7)?,
            name: row.get(8)?,
            email: row.get(9)?,
            level: Level::from_claim(Some(&row.get::<String>(10)?)),
            jti: None,
            companies: company.into_iter().collect(),
            known_at: None,
        },
        is_noted: used.is_some_and(|at| at > now_plus(-NOTED_EVERY)),
    }))
}

/// A JSON array in a column; none when the column is empty.
fn list<T: serde::de::DeserializeOwned>(row: &Row, at: usize) -> Result<Option<Vec<T>>> {
    let text: Option<String> = row.get(at)?;
    text.map(|text| serde_json::from_str(&text).map_err(Error::internal)).transpose()
}

/// Those of these companies that are not retired.
fn in_use(c: &mut Conn, ids: Vec<i64>) -> Result<Vec<i64>> {
    let sql = "SELECT company.id FROM @companies company WHERE company.id IN ids(?1) AND company.retired_at IS NULL";
    c.all(sql, params![ids])?.iter().map(|row| row.get(0)).collect()
}

/// Notes that a key is used, at most once a minute however many instances see it.
pub fn note_use(w: &mut Write<'_>, id: i64) -> Result<()> {
    let sql = "UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at <= ?3)";
    w.run(sql, params![id, now(), now_plus(-NOTED_EVERY)]).map(|_| ())
}

/// What a new key is.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// Whose it is, by the subject of their tokens.
    pub subject: String,
    pub name: String,
    pub limits: Limits,
    /// How it begins.
    pub beginning: String,
    pub digest: String,
    /// For how long it can be used.
    pub seconds: i64,
}

/// Stores a key. One that has expired lets another take its name.
pub fn create(w: &mut Write<'_>, new: &NewApiKey) -> Result<ApiKey> {
    let (at, expires_at) = (now(), now_plus(new.seconds));
    let sql = "SELECT COUNT(*) FROM api_keys WHERE subject = ?1 AND revoked_at IS NULL AND expires_at > ?2";
    let live: i64 = w.one(sql, params![&new.subject, &at])?.get(0)?;
    if live >= MOST {
        return Err(Error::conflict(format!("{MOST} API keys are the most that one person has; revoke one first")));
    }
    let folded = fold(&new.name);
    w.run(
        "UPDATE api_keys SET revoked_at = ?3 WHERE subject = ?1 AND name_folded = ?2 AND revoked_at IS NULL AND expires_at <= ?3",
        params![&new.subject, &folded, &at],
    )?;
    let json = |list: Option<Json>| list.map(|list| list.to_string());
    let inserted = w.one(
        "INSERT INTO api_keys (subject, name, name_folded, beginning, digest, writes, types, company_ids, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) RETURNING id",
        params![
            &new.subject,
            &new.name,
            &folded,
            &new.beginning,
            &new.digest,
            new.limits.writes,
            json(new.limits.types.as_ref().map(|types| json!(types))),
            json(new.limits.companies.as_ref().map(|ids| json!(ids))),
            &at,
            &expires_at
        ],
    );
    let id = inserted.on_unique("name", "You have an API key of this name").map_err(name_taken)?.get(0)?;
    let key = get(w, id)?;
    let mut fields = Map::new();
    fields.insert("name".to_owned(), json!([null, key.name]));
    fields.insert("owner".to_owned(), json!([null, key.owner]));
    fields.insert("access".to_owned(), json!([null, key.access]));
    fields.insert("types".to_owned(), json!([null, key.types]));
    fields.insert("companies".to_owned(), json!([null, key.companies]));
    fields.insert("expires_at".to_owned(), json!([null, key.expires_at]));
    history::record_change(w, ENTITY, id, "create", None, fields)?;
    Ok(key)
}

fn name_taken(error: Error) -> Error {
    match error {
        Error::Conflict { .. } => Error::taken("name", "is the name of another API key of yours"),
        other => other,
    }
}

/// Ends a key at once. One that has ended stays as it was.
pub fn revoke(w: &mut Write<'_>, id: i64) -> Result<ApiKey> {
    let at = now();
    let moved = w.run("UPDATE api_keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL", params![id, &at])?;
    let key = get(w, id)?;
    if moved > 0 {
        let mut fields = Map::new();
        fields.insert("name".to_owned(), json!([key.name, key.name]));
        fields.insert("revoked_at".to_owned(), json!([null, at]));
        history::record_change(w, ENTITY, id, "revoke", None, fields)?;
    }
    Ok(key)
}

/// Ends every key of a person at once; how many those were.
pub fn revoke_all(w: &mut Write<'_>, subject: &str) -> Result<usize> {
    let sql = "SELECT id FROM api_keys WHERE subject = ?1 AND revoked_at IS NULL AND expires_at > ?2 ORDER BY id";
    let ids: Vec<i64> = w.all(sql, params![subject, now()])?.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    for id in &ids {
        revoke(w, *id)?;
    }
    Ok(ids.len())
}

const KEY: &str = "SELECT api_key.id, api_key.name, api_key.beginning, api_key.subject,
    COALESCE(account.username, agent.username, api_key.subject), COALESCE(account.enabled, agent.enabled, FALSE),
    api_key.writes, api_key.types, api_key.company_ids, api_key.created_at, api_key.expires_at, api_key.last_used_at,
    api_key.revoked_at
    FROM api_keys api_key LEFT JOIN users account ON account.subject = api_key.subject
    LEFT JOIN agents agent ON agent.keycloak_id = api_key.subject";

/// The key with this id.
pub fn get(c: &mut Conn, id: i64) -> Result<ApiKey> {
    let rows = c.all(&format!("{KEY} WHERE api_key.id = ?1"), params![id])?;
    views(c, &rows)?.pop().ok_or(Error::NotFound { what: "API key" })
}

/// Everybody's keys, or those of one person, the newest first.
pub fn all(c: &mut Conn, subject: Option<&str>) -> Result<Vec<ApiKey>> {
    let sql = format!("{KEY} WHERE (CAST(?1 AS TEXT) IS NULL OR api_key.subject = ?1) ORDER BY api_key.id DESC");
    let rows = c.all(&sql, params![subject])?;
    views(c, &rows)
}

fn views(c: &mut Conn, rows: &[Row]) -> Result<Vec<ApiKey>> {
    let mut wanted = Vec::new();
    for row in rows {
        wanted.extend(list::<i64>(row, 8)?.unwrap_or_default());
    }
    let mut numbers: HashMap<i64, String> = HashMap::new();
    if !wanted.is_empty() {
        let sql = "SELECT company.id, company.account_number FROM @companies company
                   WHERE company.id IN ids(?1) AND company.retired_at IS NULL";
        for row in c.all(sql, params![wanted])? {
            numbers.insert(row.get(0)?, row.get(1)?);
        }
    }
    rows.iter().map(|row| view(row, &numbers)).collect()
}

fn view(row: &Row, numbers: &HashMap<i64, String>) -> Result<ApiKey> {
    let (expires_at, revoked_at): (String, Option<String>) = (row.get(10)?, row.get(12)?);
    let state = match (&revoked_at, row.get::<bool>(5)?) {
        (Some(_), _) => State::Revoked,
        _ if expires_at <= now() => State::Expired,
        (None, false) => State::OwnerDisabled,
        (None, true) => State::Active,
    };
    let ids = list::<i64>(row, 8)?;
    Ok(ApiKey {
        id: row.get(0)?,
        name: row.get(1)?,
        starts_with: row.get(2)?,
        subject: row.get(3)?,
        owner: row.get(4)?,
        access: ACCESS[usize::from(row.get::<bool>(6)?)],
        types: list(row, 7)?,
        companies: ids.map(|ids| ids.iter().filter_map(|id| numbers.get(id).cloned()).collect()),
        state,
        created_at: row.get(9)?,
        expires_at,
        last_used_at: row.get(11)?,
        revoked_at,
    })
}
