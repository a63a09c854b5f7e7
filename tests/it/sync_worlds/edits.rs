//! The vendor deletes, renames and moves a fifth of everything: exactly that happens here, ids stay, and
//! so does what a person has pinned.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{nothing_more, pull_all, size, worlds};
use crate::support::{Database, Engine, Fleet, both};

/// What became of an asset or a ticket: our id, its name, its company, whether it is retired.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    id: String,
    name: String,
    company: String,
    retired: bool,
}

fn rows(database: &Database, sql: &str) -> BTreeMap<String, Row> {
    let split = |line: String| {
        let mut parts = line.split('\u{1f}').map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        let (key, id, name, company, retired) = (next(), next(), next(), next(), next());
        (key, Row { id, name, company, retired: retired == "1" })
    };
    database.texts(sql).into_iter().map(split).collect()
}

/// A query whose parts are written with `X` between them.
fn joined(sql: &str) -> String {
    sql.split_whitespace().map(|word| if word == "X" { "|| '\u{1f}' ||" } else { word }).collect::<Vec<_>>().join(" ")
}

/// The devices by uid.
fn devices(fleet: &Fleet) -> BTreeMap<String, Row> {
    let sql = "SELECT l.external_id X CAST(a.id AS TEXT) X a.hostname X COALESCE(c.name, '-') X
               (CASE WHEN a.retired_at IS NULL THEN '0' ELSE '1' END)
               FROM links l JOIN assets a ON a.id = l.entity_id LEFT JOIN companies c ON c.id = a.company_id
               WHERE l.system = 'datto' AND l.entity = 'asset'";
    rows(&fleet.app.database, &joined(sql))
}

/// The tickets by their number.
fn tickets(fleet: &Fleet) -> BTreeMap<String, Row> {
    let sql = "SELECT CAST(t.external_id AS TEXT) X CAST(t.id AS TEXT) X COALESCE(t.subject, '-') X COALESCE(c.name, '-') X
               (CASE WHEN t.retired_at IS NULL THEN '0' ELSE '1' END)
               FROM tickets t LEFT JOIN companies c ON c.id = t.company_id";
    rows(&fleet.app.database, &joined(sql))
}

/// Runs a job as often as a person would who approves what the retirement guard holds.
async fn approved(fleet: &Fleet, job: &str) {
    let output = fleet.sync(&[job]).await;
    if output.code == 7 {
        fleet.sync(&[job, "--yes"]).await.code(0);
    } else {
        output.code(0);
    }
}

both! {
    async fn a_fifth_of_the_devices_is_deleted_renamed_and_moved(engine: Engine) {
        let size = size();
        let (psa, rmm) = worlds(&size, 0);
        let fleet = Fleet::start(&engine, psa, rmm).await;
        pull_all(&fleet).await;
        let before = devices(&fleet);
        assert!(before.len() >= size.devices, "{} of {} devices", before.len(), size.devices);
        let homes: Vec<String> = fleet.rmm.world(|state| state.uids("sites"));
        let known: BTreeSet<&String> = before.iter().filter(|(_, row)| !row.retired && row.company != "-").map(|(uid, _)| uid).collect();
        let company_of_site: BTreeMap<String, String> = fleet.rmm.world(|state| {
            let told = |device: &serde_json::Value| Some((device["siteUid"].as_str()?.to_owned(), before.get(device["uid"].as_str()?)?.company.clone()));
            state.devices.iter().filter_map(told).filter(|(_, company)| company != "-").collect()
        });
        let pinned: BTreeSet<String> = known.iter().step_by(7).map(|uid| (*uid).clone()).collect();
        for uid in &pinned {
            let path = format!("/api/assets/{}", before[uid].id);
            fleet.app.technician().put(&path, &json!({"hostname": format!("PINNED-{}", before[uid].id)})).await.status(200);
        }
        let sql = "SELECT CAST(entity_id AS TEXT) FROM links WHERE system = 'freshservice' AND entity = 'asset'";
        let shared: BTreeSet<String> = fleet.app.database.texts(sql).into_iter().collect();
        assert!(before.values().any(|row| shared.contains(&row.id)), "some devices are assets of the other vendor too");
        let mut expected = devices(&fleet);
        for (number, uid) in known.iter().enumerate() {
            let row = expected.get_mut(*uid).unwrap();
            match number % 15 {
                1 => {
                    fleet.rmm.world(|state| if number % 2 == 0 { state.remove_device(uid) } else { state.bury_device(uid) });
                    // What the other vendor still has lives on there.
                    if shared.contains(&row.id) {
                        expected.remove(*uid);
                    } else {
                        row.retired = true;
                    }
                }
                6 => {
                    fleet.rmm.world(|state| state.rename(uid, &format!("RENAMED-{number}")));
                    if !pinned.contains(*uid) {
                        row.name = format!("RENAMED-{number}");
                    }
                }
                11 => {
                    let other = homes.iter().cycle().skip(number).find(|site| company_of_site.get(*site).is_some_and(|name| *name != row.company));
                    let other = other.expect("a site of another company");
                    fleet.rmm.world(|state| state.move_device(uid, other));
                    row.company = company_of_site[other].clone();
                }
                _ => {}
            }
        }
        assert!(expected != before);
        approved(&fleet, "datto").await;
        let after = devices(&fleet);
        for (uid, row) in &expected {
            assert_eq!(after.get(uid), Some(row), "device {uid}; before: {:?}", before[uid]);
        }
        assert_eq!(after.len(), expected.len(), "nothing new");
        let sql = "SELECT CAST(id AS TEXT) FROM assets WHERE retired_at IS NULL";
        let living: BTreeSet<String> = fleet.app.database.texts(sql).into_iter().collect();
        assert!(shared.is_subset(&living), "what Freshservice still has was retired");
        nothing_more(&fleet, "after the edits").await;
        assert_eq!(devices(&fleet), expected);
    }

    async fn a_fifth_of_the_tickets_is_deleted_renamed_and_moved(engine: Engine) {
        let (psa, rmm) = worlds(&size(), 0);
        let fleet = Fleet::start(&engine, psa, rmm).await;
        pull_all(&fleet).await;
        let mut expected = tickets(&fleet);
        let homes: Vec<(i64, String)> = fleet.psa.world(|state| {
            let told = |home: &serde_json::Value| Some((home["id"].as_i64()?, home["name"].as_str()?.to_owned()));
            state.departments.iter().filter_map(told).collect()
        });
        let living: Vec<String> = expected.iter().filter(|(_, row)| !row.retired && row.company != "-").map(|(id, _)| id.clone()).collect();
        for (number, key) in living.iter().enumerate() {
            let id: i64 = key.parse().unwrap();
            let row = expected.get_mut(key).unwrap();
            match number % 15 {
                1 => {
                    fleet.psa.world(|state| state.change(id, |ticket| ticket["deleted"] = json!(true)));
                    row.retired = true;
                }
                6 => {
                    row.name = format!("Another subject {number}");
                    let subject = row.name.clone();
                    fleet.psa.world(|state| state.change(id, |ticket| ticket["subject"] = json!(subject)));
                }
                11 => {
                    let (home, name) = homes.iter().cycle().skip(number).find(|(_, name)| *name != row.company).unwrap();
                    fleet.psa.world(|state| state.change(id, |ticket| ticket["department_id"] = json!(home)));
                    row.company = name.clone();
                }
                _ => {}
            }
        }
        approved(&fleet, "tickets").await;
        let after = tickets(&fleet);
        for (id, row) in &expected {
            assert_eq!(after.get(id), Some(row), "ticket {id}");
        }
        assert_eq!(after.len(), expected.len(), "nothing new");
        nothing_more(&fleet, "after the edits").await;
    }

    async fn a_site_that_changes_its_number_takes_its_devices_along(engine: Engine) {
        let (psa, rmm) = worlds(&size(), 0);
        let fleet = Fleet::start(&engine, psa, rmm).await;
        fleet.sync(&["freshservice"]).await.code(0);
        fleet.sync(&["datto"]).await.code(0);
        let before = devices(&fleet);
        let site = crate::datto::uid(1, 0);
        let here: Vec<String> = fleet.rmm.world(|state| state.devices_of(&site));
        assert!(!here.is_empty() && here.iter().all(|uid| before[uid].company != "-"), "the site has devices of a company");
        fleet.rmm.world(|state| state.renumber(&site, &crate::datto::account_number(1).unwrap()));
        approved(&fleet, "datto").await;
        let after = devices(&fleet);
        let other = fleet.psa.world(|state| state.departments[1]["name"].as_str().unwrap().to_owned());
        for (uid, row) in &before {
            let company = if here.contains(uid) { other.clone() } else { row.company.clone() };
            assert_eq!(after[uid], Row { company, ..row.clone() }, "{uid}");
        }
    }
}
