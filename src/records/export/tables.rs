//! The tables behind the records, as the database has them: history, links, texts, what vendors saw.

use std::{path::Path, sync::Arc};

use serde_json::{Map, Value as Json};

use super::files::{Pair, Written};
use crate::{
    db::{
        Conn,
        copy::{self, Table},
    },
    error::Result,
    progress::Progress,
};

/// The folder of tables.
const FOLDER: &str = "tables";

/// Columns that are made of others for searches.
const DERIVED: [&str; 2] = ["search_text", "private_text"];

/// What is exported, and of which tables which columns are left out because they hold secrets.
const TOLD: &[(&str, &[&str])] = &[
    ("agents", &[]),
    ("alerts", &[]),
    ("api_keys", &["digest", "beginning"]),
    ("asset_audits", &[]),
    ("asset_contacts", &[]),
    ("asset_disks", &[]),
    ("asset_nics", &[]),
    ("asset_observations", &[]),
    ("asset_software", &[]),
    ("asset_sources", &[]),
    ("assets", &["bitlocker_key", "windows_key"]),
    ("attachments", &[]),
    ("batches", &[]),
    ("billing_exclusions", &[]),
    ("billing_plans", &[]),
    ("billing_settings", &[]),
    ("billing_snapshots", &[]),
    ("change_requests", &[]),
    ("changes", &[]),
    ("companies", &[]),
    ("company_aliases", &[]),
    ("contact_companies", &[]),
    ("contacts", &[]),
    ("custom_fields", &[]),
    ("custom_values", &[]),
    ("default_views", &[]),
    ("disclosures", &[]),
    ("feature_categories", &[]),
    ("feature_options", &[]),
    ("feature_overrides", &[]),
    ("license_seats", &[]),
    ("licenses", &["license_key"]),
    ("links", &[]),
    ("locations", &[]),
    ("merges", &[]),
    ("network_connections", &[]),
    ("network_equipment", &[]),
    ("network_interfaces", &[]),
    ("notes", &[]),
    ("notice_channels", &["url"]),
    ("notice_choices", &[]),
    ("notice_digests", &[]),
    ("pins", &[]),
    ("protections", &[]),
    ("psa_agents", &[]),
    ("record_tags", &[]),
    ("review_items", &[]),
    ("rmm_sites", &[]),
    ("saved_views", &[]),
    ("schedules", &[]),
    ("subnets", &[]),
    ("tags", &[]),
    ("ticket_conversations", &[]),
    ("ticket_losses", &[]),
    ("ticket_statuses", &[]),
    ("ticket_texts", &[]),
    ("ticket_time_entries", &[]),
    ("tickets", &[]),
    ("user_identities", &[]),
    ("users", &[]),
    ("vlans", &[]),
    ("webhook_endpoints", &["secret", "former_secret"]),
];

/// What stays: secrets and what opens doors; names of people who are forgotten; and how far the program's own work is, which
/// means nothing elsewhere.
#[cfg(test)]
const KEPT: &[&str] = &[
    "first_run_links",
    "password_links",
    "passwords",
    "recovery_codes",
    "second_factors",
    "service_clients",
    "sessions",
    "settings",
    "sign_in_attempts",
    "sign_in_challenges",
    "sign_in_requests",
    "signing_keys",
    "vendor_credentials",
    "former_people",
    "forgotten_people",
    "api_key_requests",
    "feed_gaps",
    "head",
    "idempotency_keys",
    "job_log",
    "notice_deliveries",
    "notices",
    "outbox",
    "sync_jobs",
    "sync_leases",
    "sync_pages",
    "sync_plan_items",
    "sync_plans",
    "sync_runs",
    "ticket_details",
    "ticket_listings",
    "ticket_sightings",
    "vendor_budgets",
    "vendor_calls",
    "backups",
    "versions",
    "webhook_messages",
    "webhook_seen",
];

/// Whether it is said what becomes of a table.
#[cfg(test)]
fn is_decided(name: &str) -> bool {
    TOLD.iter().any(|(table, _)| *table == name) || KEPT.contains(&name)
}

/// Writes those that are told.
pub fn write(c: &mut Conn, folder: &Path, progress: &Arc<Progress>) -> Result<Vec<Written>> {
    let mut done = Vec::new();
    for table in copy::tables(c)? {
        let Some((_, secret)) = TOLD.iter().find(|(name, _)| *name == table.name) else { continue };
        progress.begin(&format!("exporting the table {}", table.name), u64::try_from(copy::count(c, &table)?).ok());
        done.push(one(c, folder, &table, secret, progress)?);
    }
    Ok(done)
}

fn one(c: &mut Conn, folder: &Path, table: &Table, secret: &[&str], progress: &Progress) -> Result<Written> {
    let is_told = |name: &str| !secret.contains(&name) && !DERIVED.contains(&name);
    let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).filter(|name| is_told(name)).collect();
    let mut pair = Pair::create(folder, &format!("{FOLDER}/{}", table.name), &names)?;
    copy::each(c, table, |row| {
        progress.add(1);
        let cells = table.columns.iter().zip(row).filter(|(column, _)| is_told(&column.name));
        let cells: Map<String, Json> = cells.map(|(column, value)| (column.name.clone(), value.to_json())).collect();
        pair.push(&cells, &cells)
    })?;
    pair.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_named_once() {
        let mut names: Vec<&str> = TOLD.iter().map(|(name, _)| *name).chain(KEPT.iter().copied()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[tokio::test]
    async fn it_is_said_of_every_table_what_becomes_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let db = crate::db::Db::open(crate::db::Target::Sqlite(folder.path().join("codex.db")), 8).unwrap();
        let tables = db.read(&crate::types::Scope::All, copy::tables).await.unwrap();
        let silent: Vec<&String> = tables.iter().map(|table| &table.name).filter(|name| !is_decided(name)).collect();
        assert!(silent.is_empty(), "say in TOLD or KEPT whether an export has {silent:?}");
        for (name, secret) in TOLD {
            let table = tables.iter().find(|table| table.name == *name).unwrap_or_else(|| panic!("{name} is no table"));
            for column in *secret {
                assert!(table.columns.iter().any(|known| known.name == *column), "{name} has no {column}");
            }
        }
    }
}
