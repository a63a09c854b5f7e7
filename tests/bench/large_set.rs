//! Fills a database with the large set of the bar: `cargo run --release --example large_set -- DIR
//! [companies] [contacts] [assets] [tickets]`. For measuring only; the words are made up.

use std::path::PathBuf;

use codex::assets::{self, Observation};
use codex::auth::Caller;
use codex::companies;
use codex::compliance::RedactionPolicy;
use codex::config::Config;
use codex::contacts;
use codex::db::{Db, Target, Write};
use codex::error::{Error, Result};
use codex::tickets::{self, Ticket};
use codex::types::{Actor, Scope, now};
use codex::web::{Fields, Query};
use serde_json::{Map, Value, json};

/// Rows in one transaction.
const CHUNK: usize = 200;

fn fields(value: Value) -> Fields {
    Fields::new(if let Value::Object(map) = value { map } else { Map::new() })
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let folder = PathBuf::from(args.next().unwrap_or_else(|| "instance".to_owned()));
    let mut number = |default: usize| args.next().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (firms, people, devices, tickets) = (number(500), number(10_000), number(30_000), number(50_000));
    std::fs::create_dir_all(&folder).map_err(codex::error::Error::internal)?;
    let db = Db::open(Target::parse(None, &folder)?, 1_000)?;
    let actor = Actor::import("large set");
    for start in (0..firms).step_by(CHUNK) {
        let end = firms.min(start + CHUNK);
        db.write_bulk(&Scope::All, &actor, move |w| {
            for n in start..end {
                let input = companies::rules::read(
                    fields(json!({
                        "account_number": (100_000 + n).to_string(), "name": format!("Company {n:05}"),
                        "description": "A company of the large set, with a sentence of text.",
                        "plan": "Gold", "contract_term": "2-Year", "domains": [format!("company{n}.example")],
                    })),
                    true,
                )?;
                companies::store::create(w, &input, None)?;
            }
            Ok(())
        })
        .await?;
    }
    let folder = tempfile::tempdir().map_err(Error::internal)?;
    let config = Config::for_instance(folder.path()).map_err(Error::internal)?;
    let ledger = Caller::Service { name: "ledger".to_owned() };
    let policy = RedactionPolicy::of(&ledger, &config, &Query::default())?;
    for start in (0..people).step_by(CHUNK) {
        let end = people.min(start + CHUNK);
        let policy = policy.clone();
        db.write_bulk(&Scope::All, &actor, move |w| {
            for n in start..end {
                let input = contacts::rules::read(
                    fields(json!({
                        "name": format!("Person {n:05}"), "email": format!("person{n}@company{}.example", n % firms),
                        "work_phone_number": format!("+1 555 {n:06}"), "job_title": "Engineer",
                        "company_account_numbers": [(100_000 + n % firms).to_string()],
                    })),
                    true,
                )?;
                contacts::store::create(w, &input, &policy)?;
            }
            Ok(())
        })
        .await?;
    }
    for start in (0..devices).step_by(CHUNK) {
        let end = devices.min(start + CHUNK);
        db.write_bulk(&Scope::All, &actor, move |w| {
            for n in start..end {
                let input = assets::rules::read(
                    fields(json!({
                        "hostname": format!("LT-{n:06}"), "company_account_number": (100_000 + n % firms).to_string(),
                        "hardware_type": "Laptop", "operating_system": "Microsoft Windows 11 Pro", "serial_number": format!("SN{n:08}"),
                    })),
                    true,
                )?;
                let asset = assets::store::create(w, &input)?;
                let seen = Observation {
                    online: Some(n % 3 != 0),
                    last_seen: Some(now()),
                    int_ip_address: Some(format!("10.{}.{}.{}", n / 65_536, n / 256 % 256, n % 256)),
                    ..Observation::default()
                };
                assets::store::observe(w, asset.id, &seen)?;
            }
            Ok(())
        })
        .await?;
    }
    for start in (0..tickets).step_by(CHUNK) {
        let end = tickets.min(start + CHUNK);
        db.write_bulk(&Scope::All, &actor, move |w| (start..end).try_for_each(|n| ticket(w, n, firms))).await?;
    }
    Ok(())
}

/// A ticket with some 800 characters of text, one in ten of them open.
fn ticket(w: &mut Write<'_>, n: usize, firms: usize) -> Result<()> {
    let firm = (100_000 + n % firms).to_string();
    let (status, code) = if n.is_multiple_of(10) { ("open", 2) } else { ("closed", 5) };
    let number = i64::try_from(n).unwrap_or_default();
    let ticket = Ticket {
        external_source: "freshservice".to_owned(),
        external_id: number + 1,
        company_id: companies::store::find_id(w, &firm)?,
        ticket_number: format!("INC-{}", n + 1),
        subject: Some(format!("Printer {n} on the second floor does not print")),
        status: status.to_owned(),
        status_id: Some(code),
        priority: Some("medium".to_owned()),
        priority_id: Some(2),
        ticket_type: Some("Incident".to_owned()),
        requester_name: Some(format!("Person {:05}", n % 10_000)),
        requester_email: Some(format!("person{}@company{}.example", n % 10_000, n % firms)),
        vendor_created_at: Some("2026-01-05T08:00:00Z".to_owned()),
        last_updated_at: format!("2026-{:02}-{:02}T{:02}:{:02}:00Z", n % 12 + 1, n % 28 + 1, n % 24, n % 60),
        minutes_spent: 15,
        ..Ticket::default()
    };
    let stored = tickets::store::upsert(w, &ticket, None)?.ticket;
    let text = "The printer was switched off and on again, and the cable was looked at. ".repeat(11);
    tickets::store::set_text(w, stored.id, Some(&format!("<p>{text}</p>")), Some(&text)).map(|_| ())
}
