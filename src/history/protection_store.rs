//! Keeps each row as strictly protected as it ever was, until an administrator says otherwise.
//!
//! A row is protected through the companies that it belongs or once belonged to, and by a person's own
//! decision. Each of these is kept (`protections`), so that lowering one of them leaves the others in force;
//! the strictest stands in the row itself (`protection`). Levels are numbers here, the order is strictness.

use serde_json::json;

use super::ranks_store as ranks;
use super::record::Record;
use super::store::record_link;
use crate::db::{Conn, Write};
use crate::error::{Error, Result};
use crate::params;
use crate::types::{ActorKind, fold};

/// The words of the levels, the strictest last.
pub const LEVELS: &[&str] = &["standard", "hipaa", "cjis"];

/// The column of a company that says how strictly its people are protected.
const LEVEL_OF_COMPANY: &str = "compliance_level";
/// What moves whenever anything becomes more strictly protected than it was.
pub const PROTECTION: &str = "protection";
/// Where a person's own decision is kept among the companies.
const OWN: i64 = 0;

/// What carries a protection: entity, table, and how the rows of a company are found.
const PROTECTED: &[(&str, &str, &str)] = &[
    ("contact", "contacts", "SELECT place.contact_id FROM @contact_companies place WHERE place.company_id = ?1"),
    ("asset", "assets", "SELECT asset.id FROM @assets asset WHERE asset.company_id = ?1"),
    ("ticket", "tickets", "SELECT ticket.id FROM @tickets ticket WHERE ticket.company_id = ?1"),
    (
        "change_request",
        "change_requests",
        "SELECT change_request.id FROM @change_requests change_request WHERE change_request.company_id = ?1",
    ),
];

/// The rank of a level's word; an unknown word protects nothing.
#[must_use]
pub fn rank(word: &str) -> i64 {
    LEVELS.iter().position(|level| *level == word).and_then(|at| i64::try_from(at).ok()).unwrap_or(0)
}

/// The strictest rank.
const STRICTEST: i64 = 2;

/// The word of a rank; joined ranks ([`ranks`]) are as strict as the strictest of them.
#[must_use]
pub fn word(rank: i64) -> &'static str {
    usize::try_from(rank.min(STRICTEST)).ok().and_then(|at| LEVELS.get(at)).copied().unwrap_or("standard")
}

/// Whether an update may store this value, when it would lower a company's level. A sync or an import leaves the
/// stricter one standing (`false`).
///
/// # Errors
/// `Forbidden` for everybody else who is no administrator.
pub(super) fn may_store(w: &Write<'_>, entity: &str, column: &str, old: &str, new: &str) -> Result<bool> {
    let lowers = entity == "company" && column == LEVEL_OF_COMPANY && rank(new) < rank(old);
    match w.actor().kind {
        _ if !lowers || w.actor().lowers_protection => Ok(true),
        ActorKind::Sync | ActorKind::Import => Ok(false),
        _ => Err(refused(LEVEL_OF_COMPANY)),
    }
}

fn refused(field: &str) -> Error {
    Error::Forbidden(format!("{field}: only an administrator may lower it"))
}

/// What follows for protections from columns that have just been stored, as (column, old, new).
pub(super) fn follow(
    w: &mut Write<'_>,
    entity: &str,
    id: i64,
    changed: &[(&'static str, serde_json::Value, serde_json::Value)],
) -> Result<()> {
    for (column, old, new) in changed {
        if *column == "company_id" {
            written_about(w, entity, id, new.as_i64())?;
        }
        match (entity, *column) {
            ("company", LEVEL_OF_COMPANY) => {
                let [before, after] = [old, new].map(|level| rank(level.as_str().unwrap_or_default()));
                // A new company is followed by nobody yet, and most have no level.
                if before != after {
                    company(w, id, before, after)?;
                }
            }
            ("asset" | "ticket" | "change_request", "company_id") => {
                if let Some(company_id) = new.as_i64() {
                    belongs(w, entity, id, company_id)?;
                }
            }
            ("contact", "name" | "email") => renamed(w, id, column, old.as_str().unwrap_or_default())?,
            _ => {}
        }
    }
    Ok(())
}

/// Notes about a record belong to whoever the record belongs to.
fn written_about(w: &mut Write<'_>, entity: &str, id: i64, company: Option<i64>) -> Result<()> {
    let sql = "UPDATE notes SET company_id = ?1 WHERE entity = ?2 AND entity_id = ?3";
    if w.run(sql, params![company, entity, id])? > 0 {
        w.touch("note");
    }
    Ok(())
}

/// A protected person is called otherwise from now on: what still bears the name or address they had stays protected.
fn renamed(w: &mut Write<'_>, id: i64, column: &str, before: &str) -> Result<()> {
    let sql = "SELECT 1 FROM contacts WHERE id = ?1 AND protection > 0";
    if before.is_empty() || w.unscoped(|c| c.first(sql, params![id]))?.is_none() {
        return Ok(());
    }
    let (name, email) = if column == "name" { (Some(before.to_owned()), None) } else { (None, Some(fold(before))) };
    w.run("INSERT INTO former_people (contact_id, name, email_folded) VALUES (?1, ?2, ?3)", params![id, name, email])?;
    for entity in ["company", "ticket", PROTECTION] {
        w.touch(entity);
    }
    Ok(())
}

/// Whether anybody is protected at all.
pub fn anybody(c: &mut Conn) -> Result<bool> {
    let sql = "SELECT 1 FROM protected_people UNION ALL SELECT 1 FROM companies WHERE compliance_level <> 'standard' LIMIT 1";
    Ok(c.first(sql, &[])?.is_some())
}

/// The protected contacts who write from these addresses, or did.
pub fn with_addresses(c: &mut Conn, addresses: &[String]) -> Result<Vec<i64>> {
    let sql = "SELECT DISTINCT person.id FROM protected_people person WHERE person.email_folded = ?1";
    let mut found = Vec::new();
    for address in addresses {
        found.extend(c.map(sql, params![fold(address)], |row| row.get::<i64>(0))?);
    }
    Ok(found)
}

/// Somebody is about to use this asset no more: what their protection meant for it, it keeps until an administrator
/// decides otherwise.
pub fn keeps_of_users(w: &mut Write<'_>, asset_id: i64) -> Result<()> {
    let sql = "SELECT max(used.level) FROM protected_users used WHERE used.asset_id = ?1";
    match w.one(sql, params![asset_id])?.get::<Option<i64>>(0)? {
        Some(level) => raise(w, "asset", asset_id, OWN, level),
        None => Ok(()),
    }
}

/// A row belongs to a company from now on: it is protected as strictly as that company's people.
pub fn belongs(w: &mut Write<'_>, entity: &str, id: i64, company_id: i64) -> Result<()> {
    let level = level_of_company(w, company_id)?;
    if level > 0 { raise(w, entity, id, company_id, level) } else { Ok(()) }
}

fn level_of_company(w: &mut Write<'_>, company_id: i64) -> Result<i64> {
    let sql = "SELECT company.compliance_level FROM @companies company WHERE company.id = ?1";
    let row = w.unscoped(|c| c.first(sql, params![company_id]))?;
    row.map_or(Ok(0), |row| Ok(rank(&row.get::<String>(0)?)))
}

fn raise(w: &mut Write<'_>, entity: &str, id: i64, origin: i64, level: i64) -> Result<()> {
    let Some((_, table, _)) = PROTECTED.iter().find(|(name, ..)| *name == entity) else { return Ok(()) };
    w.run(
        "INSERT INTO protections (entity, entity_id, company_id, level) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (entity, entity_id, company_id) DO UPDATE SET level = excluded.level WHERE protections.level < excluded.level",
        params![entity, id, origin, level],
    )?;
    if w.run(&format!("UPDATE {table} SET protection = ?1 WHERE id = ?2 AND protection < ?1"), params![level, id])? > 0 {
        w.touch(PROTECTION);
    }
    Ok(())
}

/// Another row tells of these people from now on, and is as strictly protected as they are.
pub fn tells_of(w: &mut Write<'_>, contacts: &[i64]) -> Result<()> {
    if !contacts.is_empty() && !w.unscoped(|c| among(c, "contact", contacts.to_vec()))?.is_empty() {
        w.touch(PROTECTION);
    }
    Ok(())
}

/// One row goes on as what another one was: it stays protected for every reason for which that one is.
pub fn inherit(w: &mut Write<'_>, entity: &'static str, from: i64, to: i64) -> Result<()> {
    if from == to || !PROTECTED.iter().any(|(name, ..)| *name == entity) {
        return Ok(());
    }
    let sql = "SELECT origin.company_id, origin.level FROM protections origin WHERE origin.entity = ?1 AND origin.entity_id = ?2";
    let mut origins: Vec<(i64, i64)> =
        w.all(sql, params![entity, from])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<_>>()?;
    if entity == "asset" {
        // Who uses it does not come along, and what it keeps of them does.
        let sql = "SELECT max(used.level) FROM protected_users used WHERE used.asset_id = ?1";
        origins.extend(w.one(sql, params![from])?.get::<Option<i64>>(0)?.map(|level| (OWN, level)));
    }
    for (origin, level) in &origins {
        raise(w, entity, to, *origin, *level)?;
    }
    if !origins.is_empty() {
        w.touch(entity);
    }
    Ok(())
}

/// A company's level has changed: its rows follow upwards, and downwards those that nothing else protects.
fn company(w: &mut Write<'_>, company_id: i64, before: i64, after: i64) -> Result<()> {
    for (entity, table, members) in PROTECTED {
        if after > before {
            let insert = "INSERT INTO protections (entity, entity_id, company_id, level)";
            let once = "ON CONFLICT (entity, entity_id, company_id) DO UPDATE SET level = excluded.level WHERE protections.level < excluded.level";
            let ids: Vec<i64> =
                w.unscoped(|c| c.all(members, params![company_id])?.iter().map(|row| row.get(0)).collect::<Result<_>>())?;
            for id in ids {
                w.run(&format!("{insert} VALUES (?1, ?2, ?3, ?4) {once}"), params![*entity, id, company_id, after])?;
            }
        } else {
            let lower = "UPDATE protections SET level = ?1 WHERE entity = ?2 AND company_id = ?3 AND level > ?1";
            w.run(lower, params![after, *entity, company_id])?;
        }
        let strictest = format!(
            "UPDATE {table} SET protection = COALESCE((SELECT max(origin.level) FROM protections origin
             WHERE origin.entity = ?1 AND origin.entity_id = {table}.id), 0)
             WHERE id IN (SELECT origin.entity_id FROM protections origin WHERE origin.entity = ?1 AND origin.company_id = ?2)"
        );
        w.run(&strictest, params![*entity, company_id])?;
    }
    w.run("DELETE FROM protections WHERE company_id = ?1 AND level = 0", params![company_id])?;
    for entity in ["contact", "asset", "ticket", "change_request", "alert", PROTECTION] {
        w.touch(entity);
    }
    Ok(())
}

/// How strictly a row is protected, by whatever protects it.
///
/// # Errors
/// `NotFound`.
pub fn of<R: Record>(c: &mut Conn, id: i64) -> Result<i64> {
    let rank = ranks::KINDS.iter().find(|(entity, ..)| *entity == R::ENTITY).map_or("0", |(.., rank)| *rank);
    Ok(read::<R>(c, id, rank)?.min(STRICTEST))
}

fn read<R: Record>(c: &mut Conn, id: i64, rank: &str) -> Result<i64> {
    let sql = format!("SELECT {rank} FROM @{} {} WHERE {}.id = ?1", R::TABLE, R::ENTITY, R::ENTITY);
    c.first(&sql, params![id])?.ok_or(Error::NotFound { what: R::WHAT })?.get(0)
}

/// A person's decision about one row, which was protected at this rank before the write that says so. Whoever may
/// edit it may raise it; lowering it is for administrators, and goes no lower than the companies that it belongs to
/// now, and whatever else protects it. A form that repeats what stood there decides nothing.
///
/// # Errors
/// `Forbidden`, `Conflict` while something else demands more.
pub fn decide<R: Record>(w: &mut Write<'_>, id: i64, stood: i64, wanted: i64, companies: &[i64]) -> Result<()> {
    let before = read::<R>(w, id, &format!("{}.protection", R::ENTITY))?;
    if wanted == stood {
        return Ok(());
    }
    let lowers = wanted < before || wanted < stood;
    if lowers && !w.actor().lowers_protection {
        return Err(refused("protected_as"));
    }
    if wanted > before {
        raise(w, R::ENTITY, id, OWN, wanted)?;
    } else if wanted < before {
        let mut demanded = 0;
        for company in companies {
            demanded = demanded.max(level_of_company(w, *company)?);
        }
        if wanted < demanded {
            let why =
                format!("protected_as: its company is {}; lower the company, or take the record out of it first", word(demanded));
            return Err(Error::conflict(why));
        }
        let gone = "DELETE FROM protections WHERE entity = ?1 AND entity_id = ?2 AND level > ?3";
        w.run(gone, params![R::ENTITY, id, wanted])?;
        w.run(&format!("UPDATE {} SET protection = 0 WHERE id = ?1", R::TABLE), params![id])?;
        if wanted > 0 {
            raise(w, R::ENTITY, id, OWN, wanted)?;
        }
    }
    let still = if lowers { of::<R>(w, id)? } else { wanted };
    if still > wanted {
        let why = format!("protected_as: stays {} while it is of somebody who is, or nobody knows whose it is", word(still));
        return Err(Error::conflict(why));
    }
    if wanted == before {
        return Ok(());
    }
    let mut fields = serde_json::Map::new();
    fields.insert("protected_as".to_owned(), json!([word(before), word(wanted)]));
    for entity in ["contact", "asset", "ticket", "alert"] {
        w.touch(entity);
    }
    record_link::<R>(w, id, "update", fields)
}

/// Those of these rows that are protected, by whatever protects them: whoever reads them in the clear is noted.
pub fn among(c: &mut Conn, entity: &str, ids: Vec<i64>) -> Result<Vec<i64>> {
    let Some((_, table, rank)) = ranks::KINDS.iter().find(|(name, ..)| *name == entity && !ids.is_empty()) else {
        return Ok(Vec::new());
    };
    let sql = format!("SELECT {entity}.id FROM @{table} {entity} WHERE {entity}.id IN ids(?1) AND {rank} > 0");
    c.all(&sql, params![ids])?.iter().map(|row| row.get(0)).collect()
}
