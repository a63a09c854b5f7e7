//! Our rows as a plan needs them, tombstones included, read in one snapshot.

use std::collections::{HashMap, HashSet};

use super::planner::{contacts::Companies, retirement_guard::Dependants};
use crate::{
    agents::PsaAgent,
    assets::Asset,
    companies::Company,
    contacts::Contact,
    db::{Conn, Row, Value as Cell, Write},
    entity::{self, Entity},
    error::Result,
    history::{CLEARED, Record as _, forgotten, links, pins},
    params,
    plan::{
        Kind, Observation,
        cells::Cells,
        local::{Local, Membership},
    },
};

/// A kind's table, and its columns that a sync may set.
struct Table {
    name: &'static str,
    columns: Vec<Column>,
}

struct Column {
    name: &'static str,
    is_flag: bool,
}

impl Table {
    fn of<E: Entity>() -> Self {
        let synced = E::FIELDS.iter().map(|field| &field.spec).filter(|spec| spec.is_synced);
        let columns = synced.map(|spec| Column { name: spec.column, is_flag: spec.kind == entity::Kind::Flag });
        Self { name: E::TABLE, columns: columns.collect() }
    }
}

fn table(kind: Kind) -> Table {
    match kind {
        Kind::Company => Table::of::<Company>(),
        Kind::Contact => Table::of::<Contact>(),
        Kind::PsaAgent => Table::of::<PsaAgent>(),
        // The tickets' own job compares them without holding all of them.
        Kind::Ticket => Table { name: "tickets", columns: vec![Column { name: "subject", is_flag: false }] },
        // Read in chunks, in `assets/`.
        Kind::Site | Kind::Asset | Kind::Other(_) => Table { name: Asset::TABLE, columns: Vec::new() },
    }
}

/// Every row of a kind, tombstones included.
pub fn all(c: &mut Conn, kind: Kind, system: &str) -> Result<Vec<Local>> {
    let table = table(kind);
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let sql = format!("SELECT id, rev, retired_at, {} FROM @{} item ORDER BY id", columns.join(", "), table.name);
    let rows = c.all(&sql, &[])?;
    let mut external = external_ids(c, kind, system)?;
    let mut pinned: HashMap<i64, HashSet<String>> = HashMap::new();
    for (id, field) in pins::all(c, kind.as_str())? {
        pinned.entry(id).or_default().insert(field);
    }
    let by_hand = retired_by_hand(c, kind.as_str(), None)?;
    let forgotten: HashSet<i64> = forgotten::all(c, kind.as_str())?.into_iter().collect();
    let mut memberships = if kind == Kind::Contact { memberships(c, system)? } else { HashMap::new() };
    rows.iter()
        .map(|row| {
            let mut local = local(row, &table)?;
            local.external_ids = external.remove(&local.id).unwrap_or_default();
            local.pins = pinned.remove(&local.id).unwrap_or_default();
            local.memberships = memberships.remove(&local.id).unwrap_or_default();
            local.retired_by_hand = local.retired && by_hand.contains(&local.id);
            local.is_forgotten = forgotten.contains(&local.id);
            Ok(local)
        })
        .collect()
}

/// How many live rows of a kind came from this vendor: about as many records as its list will have.
pub fn live(c: &mut Conn, kind: Kind, system: &str) -> Result<u64> {
    let rows = format!("SELECT COUNT(*) FROM @{} item WHERE item.retired_at IS NULL", table(kind).name);
    let row = match kind {
        Kind::PsaAgent | Kind::Ticket => c.one(&format!("{rows} AND item.external_source = ?1"), params![system])?,
        Kind::Company | Kind::Contact | Kind::Site | Kind::Asset | Kind::Other(_) => {
            let linked = "SELECT entity_id FROM links WHERE system = ?1 AND entity = ?2";
            c.one(&format!("{rows} AND item.id IN ({linked})"), params![system, kind.as_str()])?
        }
    };
    Ok(u64::try_from(row.get::<i64>(0)?).unwrap_or(0))
}

fn local(row: &Row, table: &Table) -> Result<Local> {
    let cell = |(index, column): (usize, &Column)| {
        let cell = if column.is_flag { row.get::<Option<bool>>(index + 3)?.into() } else { row.get::<Cell>(index + 3)? };
        Ok((column.name, cell))
    };
    let values = table.columns.iter().enumerate().map(cell).collect::<Result<Cells>>()?;
    let name = values.text("name").to_owned();
    let label = if name.is_empty() {
        format!("{} {}", values.text("first_name"), values.text("last_name")).trim().to_owned()
    } else {
        name
    };
    let label = match values.text("email") {
        "" => label,
        email => format!("{label} <{email}>"),
    };
    Ok(Local {
        id: row.get(0)?,
        rev: row.get(1)?,
        retired: row.get::<Option<String>>(2)?.is_some(),
        label,
        values,
        ..Local::default()
    })
}

fn external_ids(c: &mut Conn, kind: Kind, system: &str) -> Result<HashMap<i64, Vec<String>>> {
    let mut ids: HashMap<i64, Vec<String>> = HashMap::new();
    if kind == Kind::PsaAgent {
        for row in c.all("SELECT id, external_id FROM @psa_agents item WHERE external_source = ?1", params![system])? {
            ids.entry(row.get(0)?).or_default().push(row.get(1)?);
        }
        return Ok(ids);
    }
    for (external_id, id) in links::all(c, system, kind.as_str())? {
        ids.entry(id).or_default().push(external_id);
    }
    Ok(ids)
}

/// The rows of a kind, or those among these, whose last retirement was not a sync's: no sync brings them back.
pub fn retired_by_hand(c: &mut Conn, entity: &str, ids: Option<&[i64]>) -> Result<HashSet<i64>> {
    if ids.is_some_and(<[i64]>::is_empty) {
        return Ok(HashSet::new());
    }
    let retirements = "SELECT entity_id, actor_kind, COALESCE(reason, '') FROM changes WHERE entity = ?1 AND action = 'retire'";
    let rows = match ids {
        Some(ids) => c.all(&format!("{retirements} AND entity_id IN ids(?2) ORDER BY seq"), params![entity, ids.to_vec()])?,
        None => c.all(&format!("{retirements} ORDER BY seq"), params![entity])?,
    };
    let mut by_hand = HashSet::new();
    for row in rows {
        let id: i64 = row.get(0)?;
        // What was cleared as a whole was not decided about one by one.
        if row.get::<String>(1)? == "sync" || row.get::<String>(2)? == CLEARED {
            by_hand.remove(&id);
        } else {
            by_hand.insert(id);
        }
    }
    Ok(by_hand)
}

fn memberships(c: &mut Conn, system: &str) -> Result<HashMap<i64, Vec<Membership>>> {
    let mut found: HashMap<i64, Vec<Membership>> = HashMap::new();
    for row in c.all("SELECT contact_id, company_id, source FROM @contact_companies link ORDER BY contact_id, company_id", &[])? {
        let ours = row.get::<Option<String>>(2)?.as_deref() == Some(system);
        found.entry(row.get(0)?).or_default().push(Membership { company_id: row.get(1)?, ours });
    }
    Ok(found)
}

/// The companies that contacts may name: those linked, and those that a plan is about to create.
#[must_use]
pub fn companies(locals: &[Local], planned: &[crate::plan::Item]) -> Companies {
    let mut companies = Companies::default();
    for local in locals {
        let name = local.text("name").to_owned();
        for external_id in &local.external_ids {
            companies.by_external_id.insert(external_id.clone(), (Some(local.id), name.clone()));
        }
        companies.names.insert(local.id, name);
    }
    for item in planned.iter().filter(|item| item.kind == Kind::Company && item.action.writes()) {
        if let Some(external_id) = &item.external_id {
            companies.by_external_id.entry(external_id.clone()).or_insert_with(|| (item.entity_id, item.label.clone()));
        }
    }
    companies
}

/// What would vanish from sight together with these companies: assets, and contacts that have no other
/// live company and that the vendor lists no more.
pub fn dependants(c: &mut Conn, companies: &[i64], listed_contacts: &HashSet<i64>) -> Result<[Dependants; 2]> {
    let live = "SELECT COUNT(*) FROM @assets asset WHERE asset.retired_at IS NULL";
    let lost = format!("{live} AND asset.company_id IN ids(?1)");
    let assets = Dependants { lost: count(c, &lost, Some(companies))?, live: count(c, live, None)?, what: "assets" };
    let live = "SELECT COUNT(*) FROM @contacts contact WHERE contact.retired_at IS NULL";
    let only_there =
        "SELECT DISTINCT here.contact_id FROM @contact_companies here JOIN @contacts contact ON contact.id = here.contact_id
         WHERE here.company_id IN ids(?1) AND contact.retired_at IS NULL AND NOT EXISTS
         (SELECT 1 FROM @contact_companies other JOIN @companies company ON company.id = other.company_id
          WHERE other.contact_id = here.contact_id AND company.retired_at IS NULL AND NOT (other.company_id IN ids(?1)))";
    let mut lost = 0;
    for row in c.all(only_there, params![companies.to_vec()])? {
        lost += u64::from(!listed_contacts.contains(&row.get::<i64>(0)?));
    }
    Ok([assets, Dependants { lost, live: count(c, live, None)?, what: "contacts" }])
}

fn count(c: &mut Conn, sql: &str, ids: Option<&[i64]>) -> Result<u64> {
    let row = match ids {
        Some(ids) => c.one(sql, params![ids.to_vec()])?,
        None => c.one(sql, &[])?,
    };
    Ok(u64::try_from(row.get::<i64>(0)?).unwrap_or(0))
}

/// Writes what moves without history.
pub fn observe(w: &mut Write<'_>, observation: &Observation) -> Result<()> {
    let table = table(observation.kind);
    let mut cells: Vec<Cell> = Vec::new();
    let mut sets = Vec::new();
    for (column, value) in observation.values.iter().filter(|(column, _)| table.columns.iter().any(|known| known.name == *column))
    {
        cells.push(value.clone());
        sets.push(format!("{column} = ?{}", cells.len()));
    }
    if sets.is_empty() {
        return Ok(());
    }
    cells.push(observation.entity_id.into());
    w.run(&format!("UPDATE {} SET {} WHERE id = ?{}", table.name, sets.join(", "), cells.len()), &cells)?;
    w.observe(observation.kind.as_str());
    Ok(())
}
