//! Whole worlds of both vendors, pulled as a provider pulls them, with everything going wrong that can:
//! the result must be the one of a good day.
//!
//! The worlds are small unless `CODEX_TEST_LONG=1` is set; then they have the size that the acceptance
//! of the syncs asks for, and take their time.

mod edits;
mod export;
mod faults;
mod hostile;
mod kills;
mod writes;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use export::{Export, export, same};

use crate::support::{Engine, Fleet, Output, is_long};
use crate::{datto, freshservice};

/// What a provider's scheduler runs, in this order.
pub const JOBS: [&str; 4] = ["freshservice", "datto", "datto-audits", "tickets"];

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub companies: usize,
    pub people: usize,
    pub assets: usize,
    pub tickets: usize,
    pub sites: usize,
    pub devices: usize,
    pub alerts: usize,
    pub kills: usize,
    pub scripts: usize,
}

/// The size of every day.
const SMALL: Size =
    Size { companies: 14, people: 40, assets: 24, tickets: 60, sites: 20, devices: 100, alerts: 30, kills: 12, scripts: 24 };

/// The size of the acceptance.
const LARGE: Size = Size {
    companies: 120,
    people: 600,
    assets: 300,
    tickets: 2500,
    sites: 160,
    devices: 3000,
    alerts: 800,
    kills: 50,
    scripts: 200,
};

/// The size of this run.
pub fn size() -> Size {
    if is_long() { LARGE } else { SMALL }
}

/// A good day's worlds and what it stored, made once for each engine and share of garbage.
#[derive(Clone)]
pub struct GoodDay {
    pub psa: freshservice::State,
    pub rmm: datto::State,
    pub rows: Export,
    pub took: Vec<(&'static str, Duration)>,
}

/// The good day that everything else is compared with.
pub async fn good_day(engine: &Engine, garbage: usize) -> GoodDay {
    static DAYS: tokio::sync::Mutex<BTreeMap<(&str, usize), GoodDay>> = tokio::sync::Mutex::const_new(BTreeMap::new());
    let mut days = DAYS.lock().await;
    if let Some(day) = days.get(&(engine.name(), garbage)) {
        return day.clone();
    }
    let (psa, rmm) = worlds(&size(), garbage);
    let fleet = Fleet::start(engine, psa.clone(), rmm.clone()).await;
    let took = pull_all(&fleet).await;
    let rows = stored(engine, &fleet);
    let counts: Vec<String> = rows.iter().map(|(table, rows)| format!("{table} {}", rows.len())).collect();
    eprintln!("{} with {garbage} % garbage: {took:?}; {}", engine.name(), counts.join(", "));
    nothing_more(&fleet, "a good day").await;
    let day = GoodDay { psa, rmm, rows, took };
    days.insert((engine.name(), garbage), day.clone());
    day
}

/// Both vendors at this size, with this share of garbage among the records.
pub fn worlds(size: &Size, garbage: usize) -> (freshservice::State, datto::State) {
    let psa = freshservice::Plan::sized(size.companies, size.people)
        .with_tickets(size.tickets)
        .with_assets(size.assets)
        .beside(size.sites);
    let rmm = datto::Plan::sized(size.sites, size.devices, size.alerts).beside(size.companies).with_garbage(garbage);
    (psa.build(), rmm.build())
}

/// Runs every job once and fails unless each ends well; gives the seconds of each.
pub async fn pull_all(fleet: &Fleet) -> Vec<(&'static str, Duration)> {
    let mut took = Vec::new();
    for job in JOBS {
        let began = Instant::now();
        fleet.sync(&[job]).await.code(0);
        took.push((job, began.elapsed()));
    }
    took
}

/// Runs every job until it ends well, a few times at most: what a scheduler does over a day.
pub async fn pull_until_well(fleet: &Fleet) {
    for job in JOBS {
        let mut last: Option<Output> = None;
        for _ in 0..4 {
            let output = fleet.sync(&[job]).await;
            if output.code == 0 {
                last = None;
                break;
            }
            last = Some(output);
        }
        if let Some(output) = last {
            output.code(0);
        }
    }
}

/// Fails unless another round of everything records no change at all.
pub async fn nothing_more(fleet: &Fleet, what: &str) {
    let head = fleet.head();
    for job in JOBS {
        fleet.sync(&[job]).await.code(0);
        assert_eq!(fleet.head(), head, "{what}: {job} changed something although nothing changed at the vendor");
    }
}

/// What this fleet has stored.
pub fn stored(engine: &Engine, fleet: &Fleet) -> Export {
    export(engine, &fleet.app.database)
}

/// Numbers that look random and are the same in every run.
#[derive(Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// A number from 0 to below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        ((mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 33) % sides
    }
}
