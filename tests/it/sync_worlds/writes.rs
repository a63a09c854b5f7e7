//! What goes to the vendors goes there once: killed between the sending and the noting, cut off after the
//! vendor has done it, asked again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use super::{Dice, size, worlds};
use crate::support::{Engine, Fleet, both};
use crate::vendor_faults::AfterWrite;

/// How often each address was written to.
fn counts(writes: &[(String, Value)]) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for (path, _) in writes {
        *all.entry(path.clone()).or_default() += 1;
    }
    all
}

fn at_freshservice(fleet: &Fleet) -> BTreeMap<String, usize> {
    fleet.psa.world(|state| counts(&state.writes))
}

fn at_datto(fleet: &Fleet) -> BTreeMap<String, usize> {
    fleet.rmm.world(|state| counts(&state.writes))
}

/// Starts a command and kills it after this time.
async fn killed(fleet: &Fleet, words: &[&str], after: Duration) {
    let mut command = fleet.app.cli().command(words);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("codex starts");
    tokio::time::sleep(after).await;
    let _already_gone = child.kill();
    let _reaped = child.wait();
}

/// Kills the command again and again while its writes are held, lost or answered by a proxy, then lets it end.
async fn harried(fleet: &Fleet, words: &[&str], kills: usize) {
    let mut dice = Dice(7);
    for number in 0..kills {
        let fates = [AfterWrite::Answer, AfterWrite::Hold(Duration::from_secs(20)), AfterWrite::Reset, AfterWrite::Status(502)];
        for faults in [0, 1] {
            let mut next: Vec<AfterWrite> = vec![AfterWrite::Answer; number % 3];
            next.push(fates[(number + faults) % fates.len()]);
            let set = |faults: &mut crate::vendor_faults::Faults| faults.after_writes = next.into();
            if faults == 0 {
                fleet.psa.world(|state| set(&mut state.faults))
            } else {
                fleet.rmm.world(|state| set(&mut state.faults))
            }
        }
        killed(fleet, words, Duration::from_millis(250 + dice.roll(1800))).await;
    }
    fleet.psa.world(|state| state.faults.after_writes.clear());
    fleet.rmm.world(|state| state.faults.after_writes.clear());
    for _ in 0..3 {
        if fleet.app.cli().run_beside(words).await.code == 0 {
            return;
        }
    }
    fleet.app.cli().run_beside(words).await.code(0);
}

both! {
    async fn numbers_are_given_once_whatever_is_killed(engine: Engine) {
        let size = size();
        let (mut psa, rmm) = worlds(&size, 0);
        let without = psa.departments.iter().filter(|home| home["custom_fields"]["account_number"].is_null()).count();
        for home in psa.departments.iter_mut().skip(2).step_by(2) {
            home["custom_fields"]["account_number"] = Value::Null;
        }
        let lacking = psa.departments.iter().filter(|home| home["custom_fields"]["account_number"].is_null()).count();
        assert!(lacking > without + 2);
        let before = psa.departments.clone();
        let fleet = Fleet::start(&engine, psa, rmm).await;
        fleet.sync(&["freshservice"]).await.code(0);
        let dry = fleet.app.cli().run_beside(&["accounts", "assign", "--dry-run"]).await.code(0);
        assert!(at_freshservice(&fleet).is_empty(), "a dry run writes nothing: {}", dry.stdout);
        harried(&fleet, &["accounts", "assign", "--yes"], size.kills / 2).await;
        let writes = at_freshservice(&fleet);
        assert!(writes.values().all(|count| *count == 1), "written twice: {writes:?}");
        assert_eq!(writes.len(), lacking, "{writes:?}");
        let after = fleet.psa.world(|state| state.departments.clone());
        let numbers: BTreeSet<i64> = after.iter().map(|home| home["custom_fields"]["account_number"].as_i64().expect("a whole number")).collect();
        assert_eq!(numbers.len(), after.len(), "each has a number of its own");
        assert!(numbers.iter().all(|number| (100_000..1_000_000).contains(number)), "{numbers:?}");
        for (one, other) in before.iter().zip(&after) {
            let (mut one, mut other) = (one.clone(), other.clone());
            for home in [&mut one, &mut other] {
                home["custom_fields"]["account_number"] = Value::Null;
                home["updated_at"] = Value::Null;
            }
            assert_eq!(one, other, "nothing else of the department changed");
        }
        fleet.app.cli().run_beside(&["accounts", "assign", "--yes"]).await.code(0);
        assert_eq!(at_freshservice(&fleet), writes, "a second run writes nothing");
        fleet.sync(&["freshservice"]).await.code(0);
        let head = fleet.head();
        fleet.sync(&["freshservice"]).await.code(0);
        assert_eq!(fleet.head(), head);
    }

    async fn site_variables_are_made_once_whatever_is_killed(engine: Engine) {
        let size = size();
        let (psa, mut rmm) = worlds(&size, 0);
        // What happens when a variable exists already is not documented: a second copy must never be asked for.
        rmm.doubles_variables = true;
        let fleet = Fleet::start(&engine, psa, rmm).await;
        fleet.sync(&["freshservice"]).await.code(0);
        fleet.sync(&["datto"]).await.code(0);
        // The sites are known to belong to companies; then somebody clears the variables at the vendor.
        let linked: Vec<String> = fleet.rmm.world(|state| {
            let sites: Vec<String> = (0..size.sites).filter(|number| ![7, 13, 17].contains(&(number % 20)) && number % size.companies % 10 != 9)
                .map(|number| crate::datto::uid(1, number)).collect();
            sites.iter().for_each(|site| drop(state.variables.insert(site.clone(), Vec::new())));
            sites
        });
        fleet.sync(&["datto"]).await.code(0);
        harried(&fleet, &["accounts", "push-datto", "--yes"], size.kills / 2).await;
        let writes = at_datto(&fleet);
        assert!(writes.values().all(|count| *count == 1), "written twice: {writes:?}");
        for site in &linked {
            let found = fleet.rmm.world(|state| state.variables[site].clone());
            let named = found.iter().filter(|variable| variable["name"] == "AccountNumber").count();
            assert_eq!(named, 1, "{site}: {found:?}");
        }
        fleet.app.cli().run_beside(&["accounts", "push-datto", "--yes"]).await.code(0);
        assert_eq!(at_datto(&fleet), writes, "a second run writes nothing");
    }
}
