//! From the one SQL text to what an engine runs: tenant tables narrowed by scope, id lists, placeholders.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::types::Scope;

/// Which database is behind a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// The embedded file.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

impl Engine {
    /// What people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// The rule of what hangs on an asset.
const OF_ASSET: &str = "asset_id IN (SELECT id FROM assets WHERE company_id IN ({}))";

/// How each tenant table is narrowed to some companies: `{}` stands for the list of ids.
const TENANT_TABLES: &[(&str, &str)] = &[
    ("companies", "id IN ({})"),
    ("contacts", "id IN (SELECT contact_id FROM contact_companies WHERE company_id IN ({}))"),
    ("contact_companies", "company_id IN ({})"),
    ("assets", "company_id IN ({})"),
    ("asset_observations", OF_ASSET),
    (
        "asset_contacts",
        "asset_id IN (SELECT id FROM assets WHERE company_id IN ({})) \
         AND contact_id IN (SELECT contact_id FROM contact_companies WHERE company_id IN ({}))",
    ),
    ("asset_audits", OF_ASSET),
    ("asset_software", OF_ASSET),
    ("asset_nics", OF_ASSET),
    ("asset_disks", OF_ASSET),
    // An alert is its asset's company's; one about no asset of ours is its site's.
    ("alerts", "asset_id IN (SELECT id FROM assets WHERE company_id IN ({})) OR (asset_id IS NULL AND company_id IN ({}))"),
    ("locations", "company_id IN ({})"),
    ("network_equipment", "company_id IN ({})"),
    ("network_interfaces", "company_id IN ({})"),
    ("network_connections", "company_id IN ({})"),
    ("subnets", "company_id IN ({})"),
    ("vlans", "company_id IN ({})"),
    ("licenses", "company_id IN ({})"),
    ("license_seats", "company_id IN ({})"),
    ("feature_overrides", "company_id IN ({})"),
    ("billing_snapshots", "company_id IN ({})"),
    ("tickets", "company_id IN ({})"),
    ("ticket_texts", "ticket_id IN (SELECT id FROM tickets WHERE company_id IN ({}))"),
    // What colleagues tell each other is never a client's to read.
    ("ticket_conversations", "NOT private AND ticket_id IN (SELECT id FROM tickets WHERE company_id IN ({}))"),
    ("change_requests", "company_id IN ({})"),
    // How the provider's own people spend their time.
    ("ticket_time_entries", "FALSE"),
    ("ticket_losses", "FALSE"),
    ("asset_sources", "asset_id IN (SELECT id FROM assets WHERE company_id IN ({}))"),
    // What the provider offers: everybody's to read (contract §3.5).
    ("billing_plans", "TRUE"),
    ("feature_options", "TRUE"),
    ("feature_categories", "TRUE"),
    // The provider's own people, and what its own staff decide about: nothing of any client.
    ("psa_agents", "FALSE"),
    ("notes", "FALSE"),
    ("attachments", "FALSE"),
    ("custom_fields", "FALSE"),
    ("custom_values", "FALSE"),
    ("tags", "FALSE"),
    ("record_tags", "FALSE"),
    ("company_aliases", "FALSE"),
    ("rmm_sites", "FALSE"),
    ("review_items", "FALSE"),
    ("billing_settings", "FALSE"),
    ("billing_exclusions", "FALSE"),
];

/// The tables that hold tenants' rows; SQL must write them with `@`.
pub fn tenant_tables() -> impl Iterator<Item = &'static str> {
    TENANT_TABLES.iter().map(|(table, _)| *table)
}

/// How many statements are remembered as they were sent; more than a program has, unless it composes new ones all the time.
const REMEMBERED: usize = 512;

/// The statements of a connection that sees every tenant, as the engine was sent them.
#[derive(Default)]
pub(super) struct Rewritten(HashMap<String, Arc<str>>);

impl Rewritten {
    /// A statement as the engine is sent it.
    ///
    /// # Errors
    /// As [`rewrite`].
    pub(super) fn of(&mut self, sql: &str, engine: Engine, scope: &Scope) -> Result<Arc<str>> {
        // What is narrowed to some companies names them, and no two callers' are the same.
        if *scope != Scope::All {
            return rewrite(sql, engine, scope).map(Arc::from);
        }
        if let Some(sent) = self.0.get(sql) {
            return Ok(Arc::clone(sent));
        }
        let sent: Arc<str> = Arc::from(rewrite(sql, engine, scope)?);
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        self.0.insert(sql.to_owned(), Arc::clone(&sent));
        Ok(sent)
    }
}

/// Rewrites one statement. `?n` stays for SQLite and becomes `$n` for PostgreSQL.
///
/// # Errors
/// `Internal` when `@` names a table that is not a tenant table: such a statement must not run.
pub fn rewrite<'a>(sql: &'a str, engine: Engine, scope: &Scope) -> Result<Cow<'a, str>> {
    let special = |b: u8| b == b'@' || b == b'\'' || (b == b'?' && engine == Engine::Postgres);
    if !sql.bytes().any(special) && !sql.contains("ids(") {
        return Ok(Cow::Borrowed(sql));
    }
    let mut out = String::with_capacity(sql.len() + 64);
    let mut rest = sql;
    while let Some(at) = rest.find(['@', '\'', '?', 'I']) {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        rest = match tail.as_bytes().first() {
            Some(b'@') => tenant(&mut out, tail, scope)?,
            Some(b'\'') => quoted(&mut out, tail),
            Some(b'?') if engine == Engine::Postgres => {
                out.push('$');
                tail.get(1..).unwrap_or_default()
            }
            Some(b'I') if tail.starts_with("IN ids(") => id_list(&mut out, tail, engine),
            _ => {
                let (one, more) = tail.split_at(1);
                out.push_str(one);
                more
            }
        };
    }
    out.push_str(rest);
    Ok(Cow::Owned(out))
}

fn quoted<'a>(out: &mut String, tail: &'a str) -> &'a str {
    let end = tail.get(1..).and_then(|body| body.find('\'')).map_or(tail.len(), |at| at + 2);
    let (text, more) = tail.split_at(end);
    out.push_str(text);
    more
}

fn tenant<'a>(out: &mut String, tail: &'a str, scope: &Scope) -> Result<&'a str> {
    let body = tail.get(1..).unwrap_or_default();
    let end = body.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(body.len());
    let (name, more) = body.split_at(end);
    let Some((table, rule)) = TENANT_TABLES.iter().find(|(table, _)| *table == name) else {
        return Err(Error::Internal(format!("@{name} is not a tenant table")));
    };
    match scope {
        Scope::All => out.push_str(table),
        Scope::Companies(ids) => {
            let list =
                if ids.is_empty() { "NULL".to_owned() } else { ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",") };
            let rule = rule.replace("{}", &list);
            write!(out, "(SELECT * FROM {table} WHERE {rule})").map_err(Error::internal)?;
        }
    }
    Ok(more)
}

fn id_list<'a>(out: &mut String, tail: &'a str, engine: Engine) -> &'a str {
    let body = tail.get("IN ids(".len()..).unwrap_or_default();
    let (placeholder, more) = body.split_once(')').unwrap_or((body, ""));
    match engine {
        Engine::Sqlite => {
            out.push_str("IN (SELECT value FROM json_each(");
            out.push_str(placeholder);
            out.push_str("))");
        }
        Engine::Postgres => {
            out.push_str("= ANY(CAST($");
            out.push_str(placeholder.trim_start_matches('?'));
            out.push_str(" AS BIGINT[]))");
        }
    }
    more
}

#[cfg(test)]
#[path = "rewrite_tests.rs"]
mod tests;
