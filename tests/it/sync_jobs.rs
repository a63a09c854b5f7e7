//! Syncs as jobs: started over HTTP, one at a time, honest about processes that died.

use std::time::Duration;

use serde_json::{Value, json};

use crate::db_faults::hold_the_write_lock;
use crate::freshservice::Plan;
use crate::support::{Engine, Pull, both, eventually};

async fn finished(pull: &Pull, job: &str) -> Value {
    let admin = pull.app.admin();
    let path = format!("/sync/status/{job}");
    eventually("the job ends", 60, || async { admin.get(&path).await.ok()["status"] != "running" }).await;
    admin.get(&path).await.ok()
}

both! {
    async fn beacons_way_to_start_and_follow_a_sync(engine: Engine) {
        let pull = Pull::start(&engine, Plan::sized(10, 50).build()).await;
        let started = pull.app.admin().post("/sync/freshservice", &json!({})).await.ok();
        assert_eq!(started["success"], true);
        assert!(started["message"].is_string());
        let job = started["job_id"].as_str().unwrap().to_owned();
        assert_eq!(job.len(), 36, "a uuid: {job}");
        let done = finished(&pull, &job).await;
        assert_eq!((&done["status"], &done["success"], &done["id"]), (&json!("completed"), &json!(true), &json!(job)));
        for key in ["id", "script", "status", "started_at", "completed_at", "output", "error", "success"] {
            assert!(done.get(key).is_some(), "{key} is missing in {done}");
        }
        assert_eq!(done["script"], "freshservice");
        assert_eq!(pull.contacts().await.len(), 50);
        for script in ["freshservice", "psa"] {
            assert_eq!(pull.app.admin().get(&format!("/sync/last/{script}")).await.ok()["id"], json!(job), "{script}");
        }
        assert_eq!(pull.app.admin().get("/sync/last/tickets").await.status(404).error(), "No sync found for this script");
        assert_eq!(pull.app.admin().get("/sync/status/00000000-0000-4000-8000-000000000000").await.status(404).error(), "Job not found");
        let again = pull.app.service().post("/sync/psa", &json!({})).await.ok();
        assert_eq!(again["success"], true);
        finished(&pull, again["job_id"].as_str().unwrap()).await;
        pull.app.service().post("/codex/sync/freshservice", &json!({})).await.ok();
    }

    async fn one_at_a_time_over_http_and_command_line(engine: Engine) {
        let mut world = Plan::sized(5, 300).build();
        world.faults.latency = Duration::from_millis(400);
        let pull = Pull::start(&engine, world).await;
        let first = pull.app.admin().post("/sync/freshservice", &json!({})).await.ok();
        let second = pull.app.admin().post("/sync/psa", &json!({})).await.ok();
        assert_eq!((&second["job_id"], &second["success"]), (&first["job_id"], &json!(true)), "the running job's id");
        pull.run(&[]).await.code(4);
        pull.vendor.world(|state| state.faults.latency = Duration::ZERO);
        let done = finished(&pull, first["job_id"].as_str().unwrap()).await;
        assert_eq!(done["success"], true);
        pull.run(&[]).await.code(0);
    }

    async fn a_lease_from_before_the_clock_was_set_back_binds_nobody(engine: Engine) {
        let pull = Pull::start(&engine, Plan::sized(2, 2).build()).await;
        pull.app.database.execute(
            "INSERT INTO sync_jobs (id, script, status, started_at, started_by, host, pid, pid_started, heartbeat_at)
             VALUES ('gone', 'freshservice', 'running', '2099-01-01T00:00:00Z', 'ada', 'another machine', 1, '1', '2099-01-01T00:00:00Z')",
        );
        pull.app.database.execute(
            "INSERT INTO sync_leases (name, job_id, fence, expires_at) VALUES ('freshservice', 'gone', 3, '2099-01-01T00:01:00Z')",
        );
        pull.run(&[]).await.code(0);
        assert_eq!(pull.app.database.texts("SELECT status FROM sync_jobs WHERE id = 'gone'"), ["failed"]);
    }

    async fn a_failed_job_says_why(engine: Engine) {
        let mut pull = Pull::start(&engine, Plan::sized(2, 2).build()).await;
        pull.vendor.go_away();
        let started = pull.app.admin().post("/sync/freshservice", &json!({})).await.ok();
        let done = finished(&pull, started["job_id"].as_str().unwrap()).await;
        assert_eq!((&done["status"], &done["success"]), (&json!("failed"), &json!(false)));
        assert!(done["error"].as_str().is_some_and(|error| error.contains("Freshservice")), "{done}");
        assert!(done["completed_at"].is_string());
    }

    async fn a_kill_in_the_middle_is_noticed_and_made_good(engine: Engine) {
        let mut pull = Pull::start(&engine, Plan::sized(60, 1200).build()).await;
        for pause in [150, 500, 900] {
            pull.vendor.world(|state| state.faults.latency = Duration::from_millis(40));
            let started = pull.app.admin().post("/sync/freshservice", &json!({})).await.ok();
            let job = started["job_id"].as_str().unwrap().to_owned();
            tokio::time::sleep(Duration::from_millis(pause)).await;
            pull.app.kill();
            pull.app.start().await;
            let admin = pull.app.admin();
            let path = format!("/sync/status/{job}");
            eventually("the dead process's job is failed", 90, || async { admin.get(&path).await.ok()["status"] != "running" }).await;
        }
        pull.vendor.world(|state| state.faults.latency = Duration::ZERO);
        eventually("the dead process's lease is over", 90, || async { pull.run(&[]).await.code == 0 }).await;
        assert_eq!((pull.companies().await.len(), pull.contacts().await.len()), (60, 1200));
        let ids = pull.app.database.number("SELECT count(DISTINCT external_id) FROM links WHERE entity = 'contact' AND system = 'freshservice'");
        assert_eq!(ids, 1200, "each person once");
        let head = pull.head();
        pull.run(&[]).await.code(0);
        assert_eq!(pull.head(), head);
    }

    async fn assets_are_not_read_twice_because_a_run_was_killed(engine: Engine) {
        let mut pull = Pull::start(&engine, Plan::sized(4, 4).with_assets(1200).build()).await;
        pull.vendor.world(|state| state.faults.latency = Duration::from_millis(40));
        pull.app.admin().post("/sync/freshservice", &json!({})).await.ok();
        let listed = |page: u32| pull.vendor.seen(&format!("/assets?include=type_fields&page={page}&"));
        eventually("some pages of assets are read", 60, || async { listed(6) > 0 }).await;
        pull.app.kill();
        pull.app.start().await;
        pull.vendor.world(|state| state.faults.latency = Duration::ZERO);
        eventually("the dead process's lease is over", 90, || async { pull.run(&[]).await.code == 0 }).await;
        let asked = [2, 3, 4].map(|page| pull.vendor.seen(&format!("/assets?include=type_fields&page={page}&")));
        assert_eq!(asked, [1, 1, 1], "{:?}", pull.vendor.world(|state| state.requests.clone()));
        assert_eq!(pull.app.database.number("SELECT count(*) FROM assets WHERE retired_at IS NULL"), 1200);
        let head = pull.head();
        pull.run(&[]).await.code(0);
        assert_eq!(pull.head(), head);
    }

    async fn who_looks_at_a_job_that_runs_does_not_wait_for_writers(engine: Engine) {
        let pull = Pull::start(&engine, Plan::sized(60, 1200).build()).await;
        pull.vendor.world(|state| state.faults.latency = Duration::from_millis(500));
        let started = pull.app.admin().post("/sync/freshservice", &json!({})).await.ok();
        let job = started["job_id"].as_str().unwrap();
        let lock = hold_the_write_lock(&pull.app.database);
        let seen = pull.app.admin().get(&format!("/sync/status/{job}")).await;
        lock.release().await;
        assert_eq!(seen.ok()["status"], "running");
        pull.vendor.world(|state| state.faults.latency = Duration::ZERO);
        assert_eq!(finished(&pull, job).await["success"], true);
    }

    async fn a_person_saves_while_a_sync_applies(engine: Engine) {
        let pull = Pull::start(&engine, Plan::sized(40, 1000).build()).await;
        pull.app.company("999001", "By hand").await;
        let started = pull.app.admin().post("/sync/freshservice", &json!({})).await.ok();
        let job_began = std::time::Instant::now();
        let mut slowest = Duration::ZERO;
        let admin = pull.app.admin();
        let path = format!("/sync/status/{}", started["job_id"].as_str().unwrap());
        let mut number = 0;
        while admin.get(&path).await.ok()["status"] == "running" {
            number += 1;
            let began = std::time::Instant::now();
            admin.put("/api/companies/999001", &json!({"description": format!("edit {number}")})).await.status(200);
            slowest = slowest.max(began.elapsed());
        }
        // A machine that is busy makes everything slow; a save that waits for a whole sync waits its length.
        let bound = Duration::from_millis(1500).max(job_began.elapsed() / 2);
        assert!(slowest < bound, "a save waited {slowest:?} of a sync of {:?}", job_began.elapsed());
        assert!(number > 5, "only {number} saves came through");
        assert_eq!(finished(&pull, started["job_id"].as_str().unwrap()).await["success"], true);
    }

    async fn sigterm_in_the_middle_of_a_sync_ends_in_time(engine: Engine) {
        let mut world = Plan::sized(20, 800).build();
        world.faults.latency = Duration::from_millis(150);
        let mut pull = Pull::start(&engine, world).await;
        pull.app.admin().post("/sync/freshservice", &json!({})).await.ok();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(pull.app.stop().await, 0);
        pull.app.start().await;
        pull.vendor.world(|state| state.faults.latency = Duration::ZERO);
        eventually("the next sync runs", 90, || async { pull.run(&[]).await.code == 0 }).await;
        assert_eq!(pull.contacts().await.len(), 800);
    }
}
