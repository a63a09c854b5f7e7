//! Keeps each row as strictly protected as it ever was, until an administrator says otherwise.
//!
//! A row is protected through the companies that it belongs or once belonged to, and by a person's own
//! decision. Each of these is kept (`protections`), so that lowering one of them leaves the others in force;
//! the strictest stands in the row itself (`protection`). Levels are numbers here, the order is strictness.

use serde_json::json;

use super::record::Record;
use super::store::record_link;
use crate::db::{Conn, Write};
use crate::error::{Error, Result};
use crate::params;
use crate::types::ActorKind;

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

/// The word of a rank.
#[must_use]
pub fn word(rank: i64) -> &'static str {
    usize::try_from(rank).ok().and_then(|at| LEVELS.get(at)).copied().unwrap_or("standard")
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
///
/// # Errors
/// Those of the engine.
pub(super) fn follow(
    w: &mut Write<'_>,
    entity: &str,
    id: i64,
    changed: &[(&'static str, serde_json::Value, serde_json::Value)],
) -> Result<()> {
    for (column, old, new) in changed {
        match (entity, *column) {
            ("company", LEVEL_OF_COMPANY) => {
                company(w, id, rank(old.as_str().unwrap_or_default()), rank(new.as_str().unwrap_or_default()))?;
            }
            ("asset" | "ticket" | "change_request", "company_id") => {
                if let Some(company_id) = new.as_i64() {
                    belongs(w, entity, id, company_id)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// A row belongs to a company from now on: it is protected as strictly as that company's people.
///
/// # Errors
/// Those of the engine.
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

/// How strictly a row is protected.
///
/// # Errors
/// `NotFound`, or those of the engine.
pub fn of<R: Record>(c: &mut Conn, id: i64) -> Result<i64> {
    let sql = format!("SELECT {}.protection FROM @{} {} WHERE {}.id = ?1", R::ENTITY, R::TABLE, R::ENTITY, R::ENTITY);
    c.first(&sql, params![id])?.ok_or(Error::NotFound { what: R::WHAT })?.get(0)
}

/// A person's decision about one row, which was protected at this rank before the write that says so. Whoever may
/// edit it may raise it; lowering it is for administrators, and goes no lower than the companies that it belongs to
/// now. A form that repeats what stood there decides nothing.
///
/// # Errors
/// `Forbidden`, `Conflict` while a company of its own demands more, or those of the engine.
pub fn decide<R: Record>(w: &mut Write<'_>, id: i64, stood: i64, wanted: i64, companies: &[i64]) -> Result<()> {
    let before = of::<R>(w, id)?;
    if wanted == stood || wanted == before {
        return Ok(());
    }
    if wanted > before {
        raise(w, R::ENTITY, id, OWN, wanted)?;
    } else {
        if !w.actor().lowers_protection {
            return Err(refused("protected_as"));
        }
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
    let mut fields = serde_json::Map::new();
    fields.insert("protected_as".to_owned(), json!([word(before), word(wanted)]));
    for entity in ["contact", "asset", "ticket", "alert"] {
        w.touch(entity);
    }
    record_link::<R>(w, id, "update", fields)
}

/// Those of these rows that are protected: whoever reads them in the clear is noted.
///
/// # Errors
/// Those of the engine.
pub fn among(c: &mut Conn, entity: &str, ids: Vec<i64>) -> Result<Vec<i64>> {
    let sql = match entity {
        _ if ids.is_empty() => return Ok(Vec::new()),
        "company" => {
            "SELECT company.id FROM @companies company WHERE company.id IN ids(?1) AND company.compliance_level <> 'standard'"
                .to_owned()
        }
        _ => match PROTECTED.iter().find(|(name, ..)| *name == entity) {
            Some((_, table, _)) => {
                format!("SELECT {entity}.id FROM @{table} {entity} WHERE {entity}.id IN ids(?1) AND {entity}.protection > 0")
            }
            None => return Ok(Vec::new()),
        },
    };
    c.all(&sql, params![ids])?.iter().map(|row| row.get(0)).collect()
}
