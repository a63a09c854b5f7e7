//! A plan as its page reads it: counts by group, and some items of a group.

use std::collections::HashMap;

use crate::{
    db::Conn,
    error::{Error, Result},
    history::Unredacted,
    params,
    plan::{Action, Item, Kind, State},
    reconcile::plans_store,
};

/// How many items of a group are in which state.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    /// The kind of row.
    pub kind: Kind,
    /// What is to be done.
    pub action: Action,
    /// How far they have come.
    pub state: State,
    /// How many.
    pub items: i64,
}

/// How many items a plan has, by kind, action and state.
pub fn counts(c: &mut Conn, plan: i64) -> Result<Vec<Count>> {
    let sql = "SELECT entity, action, state, COUNT(*) FROM sync_plan_items WHERE plan_id = ?1 GROUP BY entity, action, state";
    let unknown = || Error::internal("a plan item holds a word that this program does not know");
    let mut counts = Vec::new();
    for row in c.all(sql, params![plan])? {
        counts.push(Count {
            kind: Kind::parse(&row.get::<String>(0)?).ok_or_else(unknown)?,
            action: Action::parse(&row.get::<String>(1)?).ok_or_else(unknown)?,
            state: State::parse(&row.get::<String>(2)?).ok_or_else(unknown)?,
            items: row.get(3)?,
        });
    }
    Ok(counts)
}

/// Some items of one group, in the order in which they are applied.
pub fn group(c: &mut Conn, plan: i64, kind: Kind, action: Action, limit: i64, offset: i64) -> Result<Vec<Unredacted<Item>>> {
    let columns = plans_store::ITEM_COLUMNS;
    let sql = format!(
        "SELECT {columns} FROM sync_plan_items WHERE plan_id = ?1 AND entity = ?2 AND action = ?3 ORDER BY id LIMIT ?4 OFFSET ?5"
    );
    c.all(&sql, params![plan, kind.as_str(), action.as_str(), limit, offset])?
        .iter()
        .map(|row| plans_store::item(row).map(Unredacted::new))
        .collect()
}

/// The account numbers of these companies, by id.
pub fn accounts(c: &mut Conn, ids: Vec<i64>) -> Result<HashMap<i64, String>> {
    let sql = "SELECT company.id, company.account_number FROM @companies company WHERE company.id IN ids(?1)";
    c.all(sql, params![ids])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
