//! PostgreSQL restarted again and again, and replaced by its standby, while people write: what was acknowledged stays.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::support::{
    Api,
    cluster::{Cluster, Load, app_on},
    eventually,
};

fn writers(base: &str, token: &str, count: usize) -> Vec<Api> {
    (0..count).map(|_| Api::new(base, Some(token))).collect()
}

fn nothing_lost(cluster: &Cluster, database: &str, acknowledged: Vec<String>) {
    let present: BTreeSet<_> = cluster.texts(database, "SELECT account_number FROM companies").into_iter().collect();
    let lost: Vec<_> = acknowledged.iter().filter(|account| !present.contains(*account)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
}

/// As many restarts as `CODEX_TEST_RESTARTS` says; few by default, as each takes a while.
#[tokio::test(flavor = "multi_thread")]
async fn restarts_of_the_server_lose_no_acknowledged_write() {
    let made = tokio::task::spawn_blocking(|| Cluster::start(&[])).await.unwrap();
    let Some(cluster) = made else { return };
    let mut name = String::new();
    let (app, token) = app_on(&cluster, |database| {
        database.clone_into(&mut name);
        cluster.url(database)
    })
    .await;
    let restarts: u32 = std::env::var("CODEX_TEST_RESTARTS").ok().and_then(|count| count.parse().ok()).unwrap_or(4);
    let load = Load::start(writers(app.base(), &token, 6));
    let reader = Api::new(app.base(), Some(&token));
    let mut slowest = Duration::ZERO;
    for round in 0..restarts {
        load.more(20).await;
        let before = load.acknowledged();
        let down = tokio::task::block_in_place(|| {
            cluster.down(if round % 2 == 0 { "immediate" } else { "fast" });
            cluster.up();
            Instant::now()
        });
        // Written by whoever found the server back, with nothing done to Codex.
        eventually("writes go on", 10, || async { load.acknowledged() > before + 5 }).await;
        slowest = slowest.max(down.elapsed());
        reader.get("/api/companies?limit=1").await.ok();
    }
    let acknowledged = load.end().await;
    eprintln!("{restarts} restarts, {} writes acknowledged, back {slowest:?} after the server at the latest", acknowledged.len());
    tokio::task::block_in_place(|| nothing_lost(&cluster, &name, acknowledged));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_takes_over_and_no_acknowledged_write_is_lost() {
    let Some(primary) = tokio::task::spawn_blocking(|| Cluster::start(&[])).await.unwrap() else { return };
    let (primary, standby) = tokio::task::spawn_blocking(move || {
        let standby = primary.standby(&["hot_standby=on"]);
        // After the copy was made, so that the standby waits for nobody once it is in charge.
        primary.texts("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'");
        primary.texts("postgres", "ALTER SYSTEM SET synchronous_commit = 'remote_apply'");
        primary.reload();
        (primary, standby)
    })
    .await
    .unwrap();
    eventually("the standby confirms each commit", 20, || async {
        tokio::task::block_in_place(|| primary.texts("postgres", "SELECT sync_state FROM pg_stat_replication")) == ["sync"]
    })
    .await;
    let (mut name, ports) = (String::new(), (primary.port(), standby.port()));
    let (app, token) = app_on(&primary, |database| {
        database.clone_into(&mut name);
        // The standby first: it is passed over as long as it takes no writes.
        format!("postgresql://postgres@127.0.0.1:{},127.0.0.1:{}/{database}", ports.1, ports.0)
    })
    .await;
    // pg_dump passes it over as well.
    let made = app.cli().run_beside(&["backup", "--json"]).await.success().json();
    assert_eq!(made["restored_aside"], true, "{made}");
    let pid = app.pid();
    let load = Load::start(writers(app.base(), &token, 6));
    load.more(100).await;
    let killed = Instant::now();
    tokio::task::block_in_place(|| {
        primary.down("immediate");
        standby.promote();
    });
    let promoted = killed.elapsed();
    let before = load.acknowledged();
    eventually("writes go on", 10, || async { load.acknowledged() > before }).await;
    let back = killed.elapsed();
    let reader = Api::new(app.base(), Some(&token));
    eventually("reads go on", 10, || async { reader.get("/api/companies?limit=1").await.status == 200 }).await;
    load.more(20).await;
    let acknowledged = load.end().await;
    eprintln!("{} writes acknowledged; promoted after {promoted:?}, writes after {back:?}", acknowledged.len());
    assert!(back < Duration::from_secs(10), "back after {back:?}");
    assert_eq!(app.pid(), pid, "without a restart");
    tokio::task::block_in_place(|| nothing_lost(&standby, &name, acknowledged));
}
