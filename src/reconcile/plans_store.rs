//! Stored plans: what a run means to do, what it did, and what waits for a person.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use crate::{
    db::{Conn, Row},
    error::{Error, Result},
    history::Unredacted,
    jobs::lease_store::{Lease, check_lease},
    params,
    plan::{Action, FieldChange, Item, Kind, State},
    types::now,
    web::openapi::values::Scalar,
};

/// A stored plan.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = SyncPlan)]
pub struct Stored {
    pub id: i64,
    /// The run that made it.
    pub run_id: i64,
    /// The vendor.
    pub source: String,
    /// `draft`, `applying`, `applied`, `held`, `proposed` (a dry run), `discarded`, `superseded`.
    pub status: String,
    /// When it was made.
    pub created_at: String,
    /// When a person decided.
    pub decided_at: Option<String>,
    /// Who decided.
    pub decided_by: Option<String>,
    /// Why retirements wait.
    pub held_because: Option<String>,
    /// Counts by kind and action.
    #[schema(value_type = Summary)]
    pub summary: serde_json::Value,
}

/// What is counted of a plan; a draft has nothing of it yet, and each kind of job has members of its own.
#[derive(Debug, utoipa::ToSchema)]
#[schema(as = SyncPlanSummary)]
pub struct Summary {
    /// How many records each list had.
    pub listed: Option<BTreeMap<String, u64>>,
    /// By kind and action.
    pub counts: Option<BTreeMap<String, BTreeMap<String, u64>>>,
    /// How many of them write.
    pub changes: Option<u64>,
    /// How many wait for approval, and how many of these are no retirements.
    pub held: Option<u64>,
    pub held_changes: Option<u64>,
    /// Records without a usable id.
    pub skipped: Option<u64>,
    /// Records with broken characters.
    pub cleaned: Option<u64>,
    /// Alerts that were news.
    pub alerts_changed: Option<u64>,
    /// What went wrong, without stopping the rest.
    pub problems: Option<Vec<String>>,
    /// Of tickets: what became of their conversations and time sheets.
    pub details: Option<BTreeMap<String, Scalar>>,
    /// Of tickets: what became of the change requests.
    pub change_requests: Option<BTreeMap<String, Scalar>>,
    /// Of a table that is imported: what, by which column, by whom.
    pub import: Option<BTreeMap<String, Scalar>>,
}

const COLUMNS: &str = "id, run_id, source, status, created_at, decided_at, decided_by, held_because, summary";

fn stored(row: &Row) -> Result<Stored> {
    let summary: String = row.get(8)?;
    Ok(Stored {
        id: row.get(0)?,
        run_id: row.get(1)?,
        source: row.get(2)?,
        status: row.get(3)?,
        created_at: row.get(4)?,
        decided_at: row.get(5)?,
        decided_by: row.get(6)?,
        held_because: row.get(7)?,
        summary: serde_json::from_str(&summary).map_err(Error::internal)?,
    })
}

/// Begins a plan of this source. It is a draft, which counts for nothing, until its status says otherwise: a kill in between
/// leaves no half plan.
pub fn begin(c: &mut Conn, lease: &Lease, source: &str, run: i64, summary: &serde_json::Value) -> Result<i64> {
    check_lease(c, lease)?;
    c.run("UPDATE sync_runs SET status = 'planning' WHERE id = ?1", params![run])?;
    let sql =
        "INSERT INTO sync_plans (run_id, source, status, created_at, summary) VALUES (?1, ?2, 'draft', ?3, ?4) RETURNING id";
    c.one(sql, params![run, source, now(), summary.to_string()])?.get(0)
}

/// Says what a draft came to, once all its items are stored.
pub fn conclude(c: &mut Conn, lease: &Lease, plan: i64, held_because: Option<&str>, summary: &serde_json::Value) -> Result<()> {
    check_lease(c, lease)?;
    let sql = "UPDATE sync_plans SET held_because = ?1, summary = ?2 WHERE id = ?3";
    c.run(sql, params![held_because, summary.to_string(), plan])?;
    Ok(())
}

/// Retires every plan of this source that still waits: a newer run has seen how things are.
pub fn supersede(c: &mut Conn, lease: &Lease, source: &str) -> Result<()> {
    check_lease(c, lease)?;
    let sql = "UPDATE sync_plans SET status = 'superseded' WHERE source = ?1 AND status IN ('held', 'proposed', 'applying')";
    c.run(sql, params![source])?;
    Ok(())
}

/// Takes a draft away.
pub fn delete_draft(c: &mut Conn, plan: i64) -> Result<()> {
    c.run(
        "DELETE FROM sync_plan_items WHERE plan_id IN (SELECT id FROM sync_plans WHERE id = ?1 AND status = 'draft')",
        params![plan],
    )?;
    c.run("DELETE FROM sync_plans WHERE id = ?1 AND status = 'draft'", params![plan])?;
    Ok(())
}

/// Stores items; their ids are set.
pub fn add(c: &mut Conn, lease: &Lease, plan: i64, items: &mut [Item]) -> Result<()> {
    check_lease(c, lease)?;
    for item in items {
        let fields = stored_fields(&item.fields, true)?;
        let moves = serde_json::to_string(&item.moves).map_err(Error::internal)?;
        item.id = c
            .one(
                "INSERT INTO sync_plan_items
                 (plan_id, entity, action, state, entity_id, rev, external_id, label, reason, evidence, fields, moves)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) RETURNING id",
                params![
                    plan,
                    item.kind.as_str(),
                    item.action.as_str(),
                    item.state.as_str(),
                    item.entity_id,
                    item.rev,
                    &item.external_id,
                    &item.label,
                    &item.reason,
                    &item.evidence,
                    fields,
                    moves
                ],
            )?
            .get(0)?;
    }
    Ok(())
}

/// The fields of an item as they are stored, with what its secrets become as long as that is needed.
pub(super) fn stored_fields(fields: &[FieldChange], with_secrets: bool) -> Result<String> {
    if !with_secrets || fields.iter().all(|change| change.sealed.is_none()) {
        return serde_json::to_string(fields).map_err(Error::internal);
    }
    let stored = |change: &FieldChange| {
        let mut stored = serde_json::to_value(change).map_err(Error::internal)?;
        if let Some(sealed) = &change.sealed {
            stored["sealed"] = sealed.clone().into();
        }
        Ok(stored)
    };
    let stored: Vec<serde_json::Value> = fields.iter().map(stored).collect::<Result<_>>()?;
    serde_json::to_string(&stored).map_err(Error::internal)
}

pub const ITEM_COLUMNS: &str = "id, entity, action, state, entity_id, rev, external_id, label, reason, evidence, fields, moves";

pub fn item(row: &Row) -> Result<Item> {
    let unknown = || Error::internal("a plan item holds a word that this program does not know");
    Ok(Item {
        id: row.get(0)?,
        kind: Kind::parse(&row.get::<String>(1)?).ok_or_else(unknown)?,
        action: Action::parse(&row.get::<String>(2)?).ok_or_else(unknown)?,
        state: State::parse(&row.get::<String>(3)?).ok_or_else(unknown)?,
        entity_id: row.get(4)?,
        rev: row.get(5)?,
        external_id: row.get(6)?,
        label: row.get(7)?,
        reason: row.get(8)?,
        evidence: row.get(9)?,
        fields: serde_json::from_str(&row.get::<String>(10)?).map_err(Error::internal)?,
        moves: serde_json::from_str(&row.get::<String>(11)?).map_err(Error::internal)?,
    })
}

/// Some items of a plan, in the order in which they are applied.
pub fn items(c: &mut Conn, plan: i64, after: i64, limit: i64) -> Result<Vec<Unredacted<Item>>> {
    let sql = format!("SELECT {ITEM_COLUMNS} FROM sync_plan_items WHERE plan_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3");
    c.all(&sql, params![plan, after, limit])?.iter().map(|row| item(row).map(Unredacted::new)).collect()
}

/// The same, for a run that still works on its own plan.
pub fn own_items(c: &mut Conn, plan: i64, after: i64, limit: i64) -> Result<Vec<Item>> {
    let sql = format!("SELECT {ITEM_COLUMNS} FROM sync_plan_items WHERE plan_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3");
    c.all(&sql, params![plan, after, limit])?.iter().map(item).collect()
}

/// Some items of a plan in this state, in the order in which they are applied.
pub fn items_in(c: &mut Conn, plan: i64, state: State, limit: i64) -> Result<Vec<Item>> {
    let sql = format!("SELECT {ITEM_COLUMNS} FROM sync_plan_items WHERE plan_id = ?1 AND state = ?2 ORDER BY id LIMIT ?3");
    c.all(&sql, params![plan, state.as_str(), limit])?.iter().map(item).collect()
}

/// Writes what is left of an item after a part of it was taken out; nothing left takes the item away.
pub fn trim(c: &mut Conn, item: &Item, spent: bool) -> Result<()> {
    if spent {
        c.run("DELETE FROM sync_plan_items WHERE id = ?1", params![item.id])?;
        return Ok(());
    }
    let fields = stored_fields(&item.fields, true)?;
    let moves = serde_json::to_string(&item.moves).map_err(Error::internal)?;
    c.run("UPDATE sync_plan_items SET fields = ?1, moves = ?2 WHERE id = ?3", params![fields, moves, item.id])?;
    Ok(())
}

/// How many items of a plan are in this state.
pub fn count_in(c: &mut Conn, plan: i64, state: State) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM sync_plan_items WHERE plan_id = ?1 AND state = ?2";
    c.one(sql, params![plan, state.as_str()])?.get(0)
}

/// Says what became of an item; what its secrets were to become is forgotten.
pub fn mark_item(c: &mut Conn, item: &Item, state: State, entity_id: Option<i64>) -> Result<()> {
    let sql = "UPDATE sync_plan_items SET state = ?1, entity_id = COALESCE(entity_id, CAST(?2 AS BIGINT)),
               fields = COALESCE(CAST(?3 AS TEXT), fields) WHERE id = ?4";
    let secret = item.fields.iter().any(|change| change.sealed.is_some());
    let fields = if secret { Some(stored_fields(&item.fields, false)?) } else { None };
    c.run(sql, params![state.as_str(), entity_id, fields, item.id])?;
    Ok(())
}

/// Moves every item of a plan from one state to another.
pub fn move_items(c: &mut Conn, plan: i64, from: State, to: State) -> Result<u64> {
    c.run("UPDATE sync_plan_items SET state = ?1 WHERE plan_id = ?2 AND state = ?3", params![to.as_str(), plan, from.as_str()])
}

/// The items of a plan that wait for approval, by id.
pub fn held_ids(c: &mut Conn, plan: i64) -> Result<HashSet<i64>> {
    let sql = "SELECT id FROM sync_plan_items WHERE plan_id = ?1 AND state = ?2";
    c.all(sql, params![plan, State::Held.as_str()])?.iter().map(|row| row.get(0)).collect()
}

/// Lets these items of a plan be applied that wait for approval.
pub fn release(c: &mut Conn, plan: i64, items: Vec<i64>) -> Result<u64> {
    let sql = "UPDATE sync_plan_items SET state = ?1 WHERE plan_id = ?2 AND state = ?3 AND id IN ids(?4)";
    c.run(sql, params![State::Pending.as_str(), plan, State::Held.as_str(), items])
}

/// The rows that the items of a plan became, by the ids of their source.
pub fn entities(c: &mut Conn, plan: i64) -> Result<HashMap<String, i64>> {
    let sql = "SELECT external_id, entity_id FROM sync_plan_items
               WHERE plan_id = ?1 AND external_id IS NOT NULL AND entity_id IS NOT NULL";
    c.all(sql, params![plan])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Says of the plans of a run that nothing came of them.
pub fn withdraw(c: &mut Conn, run: i64) -> Result<()> {
    let items = "UPDATE sync_plan_items SET state = 'discarded' WHERE state IN ('pending', 'held', 'applied')
                 AND plan_id IN (SELECT id FROM sync_plans WHERE run_id = ?1)";
    c.run(items, params![run])?;
    c.run("UPDATE sync_plans SET status = 'discarded' WHERE run_id = ?1", params![run])?;
    Ok(())
}

/// Says what became of a plan.
pub fn set_status(c: &mut Conn, plan: i64, status: &str) -> Result<()> {
    c.run("UPDATE sync_plans SET status = ?1 WHERE id = ?2", params![status, plan])?;
    Ok(())
}

/// Records a person's decision.
pub fn decide(c: &mut Conn, plan: i64, status: &str, by: &str) -> Result<()> {
    let sql = "UPDATE sync_plans SET status = ?1, decided_at = ?2, decided_by = ?3 WHERE id = ?4";
    c.run(sql, params![status, now(), by, plan])?;
    Ok(())
}

/// One plan.
pub fn get(c: &mut Conn, id: i64) -> Result<Stored> {
    let row = c.first(&format!("SELECT {COLUMNS} FROM sync_plans WHERE id = ?1"), params![id])?;
    row.as_ref().map(stored).transpose()?.ok_or(Error::NotFound { what: "Plan" })
}

/// The newest plans.
pub fn list(c: &mut Conn, limit: i64) -> Result<Vec<Stored>> {
    c.all(&format!("SELECT {COLUMNS} FROM sync_plans ORDER BY id DESC LIMIT ?1"), params![limit])?.iter().map(stored).collect()
}

/// The plan of a run whose apply broke off.
pub fn unfinished(c: &mut Conn, source: &str) -> Result<Option<Stored>> {
    let sql = format!("SELECT {COLUMNS} FROM sync_plans WHERE source = ?1 AND status = 'applying' ORDER BY id DESC LIMIT 1");
    c.first(&sql, params![source])?.as_ref().map(stored).transpose()
}
