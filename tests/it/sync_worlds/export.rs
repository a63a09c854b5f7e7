//! Everything that the syncs have stored, as sorted lines without what differs from run to run: our own
//! ids, the times at which we wrote, and numbers that were drawn at random.

use std::collections::BTreeMap;

use crate::support::{Database, Engine};

/// Where the domain is. Tables that this version has not are left out.
const TABLES: [&str; 20] = [
    "companies",
    "contacts",
    "contact_companies",
    "psa_agents",
    "assets",
    "asset_observations",
    "asset_sources",
    "asset_contacts",
    "asset_audits",
    "asset_software",
    "asset_nics",
    "asset_disks",
    "rmm_sites",
    "alerts",
    "tickets",
    "ticket_texts",
    "ticket_conversations",
    "ticket_time_entries",
    "ticket_statuses",
    "change_requests",
];

/// Columns that tell when and in which order we did something, not what the vendor said.
const OURS: [&str; 28] = [
    "id",
    "rev",
    "seq",
    "run_id",
    "created_at",
    "updated_at",
    "observed_at",
    "asked_at",
    "fetched_at",
    "collected_at",
    "linked_at",
    "learned_at",
    "decided_at",
    "told_at",
    "read_at",
    "seen_at",
    "checked_at",
    "first_seen_at",
    "last_seen_at",
    "detail_synced_at",
    "audit_collected_at",
    "stage_since",
    "seen",
    "walk",
    "missed_by",
    "search_text",
    "private_text",
    "retired_at",
];

/// One line for each row, table by table.
pub type Export = BTreeMap<String, Vec<String>>;

/// What another row is called where a row holds its id.
fn named(table: &str, column: &str) -> Option<String> {
    let of = |list: &str, shown: &str| {
        let shown = format!("(SELECT {shown} FROM {list} other WHERE other.id = t.{column})");
        Some(shown)
    };
    match (table, column) {
        (_, "company_id") => of("companies", "other.name"),
        (_, "parent_id") => of("companies", "other.name"),
        (_, "contact_id" | "billing_contact_id") => of("contacts", "other.name || ' ' || other.email"),
        (_, "asset_id") => Some(link("asset", "asset_id")),
        (_, "ticket_id") => of("tickets", "CAST(other.external_id AS TEXT)"),
        // An address number that a company lacks at the vendor is drawn at random here.
        ("companies", "account_number") => {
            Some("(CASE WHEN t.account_number_at_vendor THEN t.account_number ELSE '?' END)".to_owned())
        }
        _ => None,
    }
}

/// The vendors' ids of a row of ours, in one text.
fn link(entity: &str, column: &str) -> String {
    format!(
        "(SELECT min(l.system || ':' || l.external_id) || '..' || max(l.system || ':' || l.external_id) FROM links l
          WHERE l.entity = '{entity}' AND l.entity_id = t.{column})"
    )
}

fn columns(engine: &Engine, database: &Database, table: &str) -> Vec<String> {
    let sql = match engine {
        Engine::Sqlite => format!("SELECT name FROM pragma_table_info('{table}')"),
        #[cfg(feature = "postgres")]
        Engine::Postgres(_) => {
            format!(
                "SELECT column_name::text FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '{table}'"
            )
        }
    };
    let mut columns = database.texts(&sql);
    columns.sort();
    columns
}

/// Reads it all, past Codex.
pub fn export(engine: &Engine, database: &Database) -> Export {
    let names = |sql: &str| -> BTreeMap<String, String> {
        let split = |line: String| line.split_once(' ').map(|(id, name)| (id.to_owned(), name.to_owned()));
        database.texts(sql).into_iter().filter_map(split).collect()
    };
    let companies = names("SELECT CAST(id AS TEXT) || ' ' || name FROM companies");
    let contacts = names("SELECT CAST(id AS TEXT) || ' ' || name || email FROM contacts");
    let mut all = Export::new();
    for table in TABLES {
        let columns = columns(engine, database, table);
        if columns.is_empty() {
            continue;
        }
        let has = |name: &str| columns.iter().any(|column| column == name);
        let mut shown: Vec<String> = Vec::new();
        for (entity, of) in [("company", "companies"), ("contact", "contacts"), ("asset", "assets"), ("ticket", "tickets")] {
            if table == of {
                shown.push(format!("COALESCE({}, '-')", link(entity, "id")));
            }
        }
        if has("retired_at") {
            shown.push("(CASE WHEN t.retired_at IS NULL THEN 'lives' ELSE 'retired' END)".to_owned());
        }
        for column in columns.iter().filter(|column| !OURS.contains(&column.as_str()) && !column.ends_with("_folded")) {
            let value = named(table, column).unwrap_or_else(|| format!("t.{column}"));
            shown.push(format!("'{column}=' || COALESCE(CAST({value} AS TEXT), '~')"));
        }
        let mut rows = database.texts(&format!("SELECT {} FROM {table} t", shown.join(" || ' | ' || ")));
        rows.iter_mut().for_each(|row| *row = without_sealed(row));
        if table == "asset_sources" {
            rows = rows.iter().map(|row| renamed(row, "\"company_id\":", &companies)).collect();
            rows = rows.iter().map(|row| renamed(row, "\"users\":[", &contacts)).collect();
        }
        rows.sort();
        all.insert(table.to_owned(), rows);
    }
    all
}

/// The same with names in place of our ids, in the list of numbers that follows this mark.
/// A row without its sealed values: each instance seals with a key of its own.
fn without_sealed(row: &str) -> String {
    let mut parts = row.split("sealed:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("sealed");
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "+/=:_-".contains(c)));
    }
    out
}

fn renamed(row: &str, mark: &str, names: &BTreeMap<String, String>) -> String {
    let Some((before, after)) = row.split_once(mark) else { return row.to_owned() };
    let end = after.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(after.len());
    let (ids, rest) = after.split_at(end);
    let called = |id: &str| names.get(id).map_or(id, String::as_str).to_owned();
    format!("{before}{mark}{}{rest}", ids.split(',').map(called).collect::<Vec<_>>().join(","))
}

/// Fails with the first lines that differ.
pub fn same(what: &str, one: &Export, other: &Export) {
    for (table, rows) in one {
        let others = &other[table];
        if rows == others {
            continue;
        }
        let few = |rows: &[String], others: &[String]| {
            let lines = rows.iter().filter(|row| !others.contains(row)).take(4);
            lines.map(|row| format!("\n    {}", row.chars().take(600).collect::<String>())).collect::<String>()
        };
        let (left, right) = (few(rows, others), few(others, rows));
        panic!(
            "{what}: {table} has {} and {} rows\n  only in the first:{left}\n  only in the second:{right}",
            rows.len(),
            others.len()
        );
    }
}

/// How many rows each table has that are not retired. The programs on a device are no rows that could be
/// lost: they are what the vendor said last, and a shorter list that claims to be whole is believed.
pub fn living(export: &Export) -> BTreeMap<String, usize> {
    let alive =
        |rows: &Vec<String>| rows.iter().filter(|row| !row.contains(" retired | ") && !row.starts_with("retired")).count();
    let kept = export.iter().filter(|(table, _)| table.as_str() != "asset_software");
    kept.map(|(table, rows)| (table.clone(), alive(rows))).collect()
}
