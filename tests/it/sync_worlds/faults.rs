//! One fault after the other, then all of them: the same rows as on a good day.

use std::time::Duration;

use super::{GoodDay, good_day, nothing_more, pull_all, pull_until_well, same, stored};
use crate::datto::{self, Flake};
use crate::freshservice;
use crate::support::{Engine, Fleet, both};

/// What goes wrong in a run.
#[derive(Clone, Copy, Debug, Default)]
struct Trouble {
    flaky: u64,
    only_bodies: bool,
    token_uses: Option<u32>,
    narrow: bool,
    garbage: usize,
}

fn troubled(trouble: Trouble, psa: &mut freshservice::State, rmm: &mut datto::State) {
    for faults in [&mut psa.faults, &mut rmm.faults] {
        faults.flaky_percent = trouble.flaky;
        faults.flakes = if trouble.only_bodies {
            vec![Flake::Cut, Flake::Reset, Flake::Truncated, Flake::EmptyBody]
        } else {
            Flake::ALL.to_vec()
        };
    }
    rmm.tokens.uses = trouble.token_uses;
    if trouble.narrow {
        rmm.limits = datto::Limits::new(Duration::from_secs(1), 120, 20);
        rmm.limits.slows_down = false;
        psa.limits = freshservice::Limits::new(Duration::from_secs(2), 160, 20);
    }
}

/// Pulls under this trouble, then compares with a good day and looks for a second run's changes.
async fn trouble(engine: &Engine, trouble: Trouble) -> Fleet {
    let GoodDay { mut psa, mut rmm, rows: expected, .. } = good_day(engine, trouble.garbage).await;
    troubled(trouble, &mut psa, &mut rmm);
    let fleet = Fleet::start(engine, psa, rmm).await;
    if trouble.flaky > 0 {
        pull_until_well(&fleet).await
    } else {
        drop(pull_all(&fleet).await)
    }
    same(&format!("{trouble:?}"), &expected, &stored(engine, &fleet));
    fleet.psa.world(|state| state.faults.flaky_percent = 0);
    fleet.rmm.world(|state| state.faults.flaky_percent = 0);
    nothing_more(&fleet, &format!("{trouble:?}")).await;
    same(&format!("{trouble:?}, again"), &expected, &stored(engine, &fleet));
    fleet
}

both! {
    async fn a_good_day(engine: Engine) {
        let rows = good_day(&engine, 0).await.rows;
        for (table, rows) in &rows {
            let mut distinct = rows.clone();
            distinct.dedup();
            assert!(table == "ticket_texts" || table.starts_with("ticket_t") || distinct.len() == rows.len(), "{table} has a row twice");
        }
    }

    async fn flaky_answers(engine: Engine) {
        trouble(&engine, Trouble { flaky: 10, ..Trouble::default() }).await;
    }

    async fn dropped_bodies(engine: Engine) {
        trouble(&engine, Trouble { flaky: 10, only_bodies: true, ..Trouble::default() }).await;
    }

    async fn tokens_that_end_in_the_middle(engine: Engine) {
        let fleet = trouble(&engine, Trouble { token_uses: Some(23), ..Trouble::default() }).await;
        assert!(fleet.rmm.world(|state| state.tokens.grants) > 3, "the token was renewed again and again");
    }

    async fn narrow_limits(engine: Engine) {
        let fleet = trouble(&engine, Trouble { narrow: true, ..Trouble::default() }).await;
        let limits = fleet.rmm.world(|state| state.limits.clone());
        assert_eq!((limits.refused, limits.blocked), (0, 0), "a limit that is announced is kept: {limits:?}");
        assert!(limits.most_reads <= 120, "{limits:?}");
    }

    async fn garbage_among_the_records(engine: Engine) {
        trouble(&engine, Trouble { garbage: 8, ..Trouble::default() }).await;
    }

    async fn everything_at_once(engine: Engine) {
        let all = Trouble { flaky: 10, only_bodies: false, token_uses: Some(31), narrow: true, garbage: 8 };
        let fleet = trouble(&engine, all).await;
        assert_eq!(fleet.rmm.world(|state| state.limits.blocked), 0, "never blocked");
    }
}
