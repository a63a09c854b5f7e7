//! Whether the database is empty enough for made-up data, and how it becomes empty again.

use crate::{
    db::{Conn, Engine, Write},
    error::Result,
    params,
};

/// No company, contact or asset, not even a retired one.
pub fn is_empty(c: &mut Conn) -> Result<bool> {
    for sql in [
        "SELECT company.id FROM @companies company LIMIT 1",
        "SELECT contact.id FROM @contacts contact LIMIT 1",
        "SELECT asset.id FROM @assets asset LIMIT 1",
    ] {
        if c.first(sql, &[])?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A device of a company that is billed as a workstation.
pub fn a_workstation(c: &mut Conn, company: i64) -> Result<Option<i64>> {
    let sql = "SELECT max(asset.id) FROM @assets asset WHERE asset.company_id = ?1 AND asset.kind = 'workstation' AND asset.retired_at IS NULL";
    c.one(sql, params![company])?.get(0)
}

/// Says of everything there is that it happened at this moment, as a provider's records are no younger than their clients.
pub fn happened(w: &mut Write<'_>, at: &str) -> Result<()> {
    w.run("UPDATE changes SET at = ?1", params![at])?;
    for table in ["companies", "contacts", "assets"] {
        w.run(&format!("UPDATE {table} SET created_at = ?1, updated_at = ?1"), params![at])?;
    }
    Ok(())
}

/// What has nothing to do with the data: the schema, who signs in and how, what was set, what vendors allow. Ids and
/// versions keep counting, so that nothing new is taken for something old.
const KEPT: [&str; 30] = [
    "refinery_schema_history",
    "head",
    "versions",
    "settings",
    "users",
    "passwords",
    "sessions",
    "signing_keys",
    "service_clients",
    "first_run_links",
    "sign_in_attempts",
    "user_identities",
    "second_factors",
    "recovery_codes",
    "password_links",
    "sign_in_challenges",
    "api_keys",
    "webhook_endpoints",
    "notice_channels",
    "notice_choices",
    "notice_digests",
    "custom_fields",
    "tags",
    "agents",
    "schedules",
    "backups",
    "sync_leases",
    "vendor_credentials",
    "vendor_budgets",
    "vendor_calls",
];

/// Empties every other table, whatever tables there are; tells how many rows went.
pub fn empty(w: &mut Write<'_>) -> Result<u64> {
    let tables = match w.engine() {
        Engine::Sqlite => {
            "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual')
                           AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        }
        Engine::Postgres => {
            "SELECT CAST(tablename AS TEXT), 'table' FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"
        }
    };
    let mut ours = Vec::new();
    for row in w.all(tables, params![])? {
        let (name, kind): (String, String) = (row.get(0)?, row.get(1)?);
        if !KEPT.contains(&name.as_str()) {
            ours.push((name, kind));
        }
    }
    let mut rows = 0;
    for (name, _) in ours.iter().filter(|(_, kind)| kind == "table") {
        rows += u64::try_from(w.one(&format!("SELECT COUNT(*) FROM {name}"), params![])?.get::<i64>(0)?).unwrap_or(0);
    }
    match w.engine() {
        Engine::Postgres => {
            let names: Vec<&str> = ours.iter().map(|(name, _)| name.as_str()).collect();
            w.run(&format!("TRUNCATE {}", names.join(", ")), params![])?;
        }
        Engine::Sqlite => {
            // Rows refer to one another in every order; at the COMMIT none is left to refer.
            w.run("PRAGMA defer_foreign_keys = ON", params![])?;
            for (name, kind) in &ours {
                let sql = if kind == "virtual" {
                    format!("INSERT INTO {name} ({name}) VALUES ('delete-all')")
                } else {
                    format!("DELETE FROM {name}")
                };
                w.run(&sql, params![])?;
            }
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::KEPT;

    /// What refers to people who sign in stays with them.
    #[test]
    fn whatever_refers_to_users_is_kept() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let mut found = Vec::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "sql") {
                continue;
            }
            for statement in std::fs::read_to_string(path).unwrap().split(';').filter(|sql| sql.contains("REFERENCES users")) {
                let verb = ["CREATE TABLE ", "ALTER TABLE "].into_iter().find_map(|verb| statement.split_once(verb));
                let name = verb.unwrap().1.split_whitespace().next().unwrap();
                found.push(name.to_owned());
            }
        }
        assert!(found.len() >= 7, "{found:?}");
        let lost: Vec<_> = found.iter().filter(|name| !KEPT.contains(&name.as_str())).collect();
        assert!(lost.is_empty(), "{lost:?}");
    }
}
