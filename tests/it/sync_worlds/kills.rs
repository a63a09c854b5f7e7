//! The command is killed in the middle, again and again, and simply run again: the result is the one of
//! an uninterrupted run.

use std::process::Stdio;
use std::time::Duration;

use super::{Dice, GoodDay, JOBS, SMALL, good_day, nothing_more, same, size, stored, worlds};
use crate::support::{Engine, Fleet, both};

/// Starts a sync, kills it after this time as `kill -9` does; whether it was still at work.
async fn killed(fleet: &Fleet, job: &str, after: Duration) -> bool {
    let mut command = fleet.app.cli().command(&["sync", job]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("codex starts");
    tokio::time::sleep(after).await;
    let at_work = child.try_wait().expect("the child's state").is_none();
    let _already_gone = child.kill();
    let _reaped = child.wait();
    at_work
}

both! {
    async fn killed_at_random_points_and_run_again(engine: Engine) {
        let size = size();
        let GoodDay { mut psa, mut rmm, rows: expected, took } = good_day(&engine, 0).await;
        // Slow enough to be met in the middle.
        (psa.faults.latency, rmm.faults.latency) = (Duration::from_millis(10), Duration::from_millis(10));
        let fleet = Fleet::start(&engine, psa, rmm).await;
        let (mut dice, mut at_work) = (Dice(42), 0);
        for (job, whole) in &took {
            let (wanted, mut met) = (size.kills.div_ceil(JOBS.len()), 0);
            let mut span = *whole;
            for _ in 0..wanted * 5 {
                // Between the first lines of the program and the end of a whole run; what is left gets shorter.
                let after = Duration::from_millis(20) + span.mul_f64(dice.roll(1000) as f64 / 1000.0);
                if killed(&fleet, job, after).await { met += 1 } else { span = span.mul_f64(0.8) }
                if met == wanted {
                    break;
                }
            }
            at_work += met;
            fleet.sync(&[job]).await.code(0);
        }
        eprintln!("{}: {at_work} of {} kills met a running sync", engine.name(), size.kills);
        assert!(at_work >= size.kills, "only {at_work} kills met a running sync");
        same("after the kills", &expected, &stored(&engine, &fleet));
        nothing_more(&fleet, "after the kills").await;
    }

    async fn a_dead_command_does_not_hold_up_the_next(engine: Engine) {
        let (mut psa, rmm) = worlds(&SMALL, 0);
        psa.faults.latency = Duration::from_millis(300);
        let fleet = Fleet::start(&engine, psa, rmm).await;
        for job in JOBS {
            fleet.rmm.world(|state| state.faults.latency = Duration::from_millis(300));
            fleet.psa.world(|state| state.faults.latency = Duration::from_millis(300));
            assert!(killed(&fleet, job, Duration::from_millis(700)).await, "{job} was at work");
            fleet.rmm.world(|state| state.faults.latency = Duration::ZERO);
            fleet.psa.world(|state| state.faults.latency = Duration::ZERO);
            fleet.sync(&[job]).await.code(0);
        }
    }
}
