//! Fills a database with the large set of the bar: `cargo run --release --example large_set -- DIR
//! [companies] [contacts] [assets]`. For measuring only; the words are made up.

use std::path::PathBuf;

use codex::assets::{self, Observation};
use codex::companies;
use codex::contacts;
use codex::db::{Db, Target};
use codex::error::Result;
use codex::types::{Actor, Scope, now};
use codex::web::Fields;
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
    let (firms, people, devices) = (number(500), number(10_000), number(30_000));
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
                companies::store::create(w, &input)?;
            }
            Ok(())
        })
        .await?;
    }
    for start in (0..people).step_by(CHUNK) {
        let end = people.min(start + CHUNK);
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
                contacts::store::create(w, &input)?;
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
    Ok(())
}
