//! How Codex asks the vendors: tokens, budgets that all processes share, blocks, and writes whose outcome
//! nobody knows.

use std::path::Path;
use std::time::{Duration, Instant};

use codex::config::Config;
use codex::db::{Db, Target};
use codex::vendors::datto::client::{self as datto_client, Alerts, Audit, Datto as Client, Of};
use codex::vendors::fault::Cause;
use codex::vendors::freshservice::client::Freshservice as Psa;
use codex::vendors::freshservice::tickets::ListParams;
use codex::vendors::probe;
use codex::vendors::rate_limit as budget;
use serde_json::json;

use crate::datto::{AfterWrite, Datto, Limits, ListFault, PUBLIC_KEY, Plan, SECRET_KEY, uid};
use crate::freshservice::{self, Freshservice};
use crate::support::{Database, Engine, Fleet, both};

struct World {
    db: Db,
    config: Config,
    target: Target,
    _folder: tempfile::TempDir,
    _database: Database,
}

async fn opened(target: &Target) -> Db {
    let target = target.clone();
    tokio::task::spawn_blocking(move || Db::open(target, 256)).await.unwrap().unwrap()
}

fn configured(folder: &Path, conf: &str) -> Config {
    std::fs::write(folder.join("codex.conf"), conf).unwrap();
    Config::for_instance(folder).unwrap()
}

async fn world(engine: &Engine, conf: &str) -> World {
    let folder = tempfile::tempdir().unwrap();
    let database = engine.database(folder.path(), None);
    let target = Target::parse(database.url().as_deref(), folder.path()).unwrap();
    let db = opened(&target).await;
    World { db, config: configured(folder.path(), conf), target, _folder: folder, _database: database }
}

async fn with_datto(engine: &Engine, vendor: &Datto) -> World {
    let conf = format!("[datto]\napi_endpoint = {}/api/\npublic_key = {PUBLIC_KEY}\nsecret_key = {SECRET_KEY}\n", vendor.url());
    world(engine, &conf).await
}

async fn with_freshservice(engine: &Engine, vendor: &Freshservice) -> World {
    let conf = format!("[freshservice]\ndomain = {}\napi_key = {}\n", vendor.url(), freshservice::API_KEY);
    world(engine, &conf).await
}

both! {
    async fn a_token_that_runs_out_is_renewed_once_for_everybody(engine: Engine) {
        let vendor = Datto::start(Plan::sized(4, 8, 0).build()).await;
        let world = with_datto(&engine, &vendor).await;
        let client = Client::open(&world.db, &world.config).unwrap();
        let other = Client::open(&world.db, &world.config).unwrap();
        assert_eq!(client.sites(0).await.unwrap().total, Some(5));
        other.devices(0).await.unwrap();
        assert_eq!(vendor.world(|state| state.tokens.grants), 1, "jobs of one process share a token");
        vendor.world(|state| state.tokens.expire());
        let (a, b, c, d) = tokio::join!(client.sites(0), client.devices(0), other.sites(0), other.devices(0));
        assert!(a.is_ok() && b.is_ok() && c.is_ok() && d.is_ok());
        assert_eq!(vendor.world(|state| state.tokens.grants), 2, "four requests found the token stale, one renewed it");
        vendor.world(|state| state.tokens.uses = Some(0));
        vendor.world(|state| state.tokens.expire());
        let fault = client.sites(0).await.unwrap_err();
        assert!(matches!(fault.cause, Cause::Denied(401, _)), "a fresh token that is refused is final: {fault}");
        assert_eq!(vendor.world(|state| state.tokens.grants), 3);
    }

    async fn wrong_credentials_are_said_at_once_and_without_the_secret(engine: Engine) {
        let vendor = Datto::start(Plan::sized(1, 1, 0).build()).await;
        let conf = format!("[datto]\napi_endpoint = {}\npublic_key = {PUBLIC_KEY}\nsecret_key = canary-secret\n", vendor.url());
        let world = world(&engine, &conf).await;
        let fault = Client::open(&world.db, &world.config).unwrap().sites(0).await.unwrap_err();
        assert!(matches!(fault.cause, Cause::Denied(400, _)), "{fault}");
        assert_eq!(vendor.world(|state| state.tokens.refused), 1, "wrong credentials are not tried again");
        let verdict = probe::datto(&world.config).await.unwrap_err();
        assert!(verdict.contains("refused (400)"), "{verdict}");
        for text in [fault.to_string(), verdict] {
            assert!(!text.contains("canary") && !text.contains(PUBLIC_KEY), "{text}");
        }
        let good = with_datto(&engine, &vendor).await;
        assert!(probe::datto(&good.config).await.is_ok_and(|text| text.contains("accepted")));
        let unset = configured(tempfile::tempdir().unwrap().path(), "[datto]\npublic_key = x\n");
        let error = Client::open(&good.db, &unset).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("CODEX_DATTO_API_ENDPOINT"), "{error}");
    }

    async fn all_processes_together_stay_within_the_window(engine: Engine) {
        let mut state = Plan::sized(3, 3, 0).build();
        state.limits = Limits::new(Duration::from_secs(2), 40, 10);
        let vendor = Datto::start(state).await;
        let first = with_datto(&engine, &vendor).await;
        // Somebody else has used the better part of the first window already.
        let stranger = Client::alone(&first.config).unwrap();
        for _ in 0..25 {
            stranger.account().await.unwrap();
        }
        let second = opened(&first.target).await;
        let started = Instant::now();
        let work = |db: Db, calls: usize| {
            let client = Client::open(&db, &first.config).unwrap();
            async move {
                for _ in 0..calls {
                    client.sites(0).await.unwrap();
                }
            }
        };
        tokio::join!(work(first.db.clone(), 30), work(second.clone(), 30));
        // A run that follows at once inherits what the others used.
        work(second, 20).await;
        let (refused, most) = vendor.world(|state| (state.limits.refused, state.limits.most_reads));
        assert_eq!(refused, 0, "the most in a window was {most}");
        assert!((20..=40).contains(&most), "the budget is used, and kept: {most}");
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    }

    async fn writes_have_a_count_of_their_own(engine: Engine) {
        let mut state = Plan::sized(2, 0, 0).build();
        state.limits = Limits::new(Duration::from_secs(1), 1_000, 10);
        let vendor = Datto::start(state).await;
        let world = with_datto(&engine, &vendor).await;
        let client = Client::open(&world.db, &world.config).unwrap();
        let site = vendor.world(|state| state.sites[1]["uid"].as_str().unwrap().to_owned());
        for number in 0..25 {
            client.set_variable(&site, &format!("Name{number}"), "1").await.unwrap();
        }
        let (refused, most) = vendor.world(|state| (state.limits.refused, state.limits.most_writes));
        assert!(refused == 0 && most <= 10, "{refused} refused, {most} in a window");
        assert_eq!(vendor.world(|state| state.writes.len()), 25);
    }

    async fn a_block_is_kept_to_by_everybody(engine: Engine) {
        let mut state = Plan::sized(2, 2, 0).build();
        (state.limits.patience, state.limits.reads, state.limits.window) = (0, 3, Duration::from_secs(2));
        // The vendor announces more than it grants.
        state.limits.announced = Some(json!({ "slidingTimeWindowSizeSeconds": 2, "accountRateLimit": 1000, "accountCount": 0 }));
        state.limits.retry_after = Some(0);
        let vendor = Datto::start(state).await;
        let world = with_datto(&engine, &vendor).await;
        let client = Client::open(&world.db, &world.config).unwrap();
        let mut last = None;
        for _ in 0..6 {
            last = client.sites(0).await.err();
            if last.is_some() {
                break;
            }
        }
        let fault = last.expect("a block");
        assert!(matches!(fault.cause, Cause::Blocked(_)), "{fault}");
        let account = datto_client::account(&world.config).unwrap();
        assert!(budget::blocked_until(&world.db, account).await.unwrap().is_some());
        let before = vendor.world(|state| state.requests.len());
        let next = opened(&world.target).await;
        for db in [&world.db, &next] {
            let fault = Client::open(db, &world.config).unwrap().devices(0).await.unwrap_err();
            assert!(matches!(fault.cause, Cause::Blocked(_)), "{fault}");
        }
        let asked = vendor.world(|state| state.requests[before..].iter().filter(|line| line.contains("/api/v2")).count());
        assert_eq!(asked, 0, "nothing is asked while the block lasts");
    }

    async fn refusals_and_pages_that_are_none_are_survived(engine: Engine) {
        let vendor = Datto::start(Plan::sized(30, 60, 6).build()).await;
        let world = with_datto(&engine, &vendor).await;
        let client = Client::open(&world.db, &world.config).unwrap();
        client.sites(0).await.unwrap();
        for fault in [ListFault::TooMany(None), ListFault::TooMany(Some(1)), ListFault::Html, ListFault::EmptyBody, ListFault::Cut, ListFault::Shape("{\"devices\":{}}")] {
            vendor.world(|state| state.faults.add_times("account/devices", fault.clone(), 1));
            let page = client.devices(0).await;
            assert!(page.is_ok_and(|page| page.total == Some(63)), "{fault:?}");
        }
        assert!(matches!(client.site_variables("nobody", 0).await.unwrap_err().cause, Cause::Missing));
        assert!(client.device("nobody").await.unwrap().is_none() && client.site("..").await.unwrap().is_none());
        let audits: Vec<Audit> = vec![
            client.audit(&uid(2, 6), "printer").await.unwrap(),
            client.audit(&uid(2, 0), "printer").await.unwrap(),
            client.audit(&uid(2, 0), "rmmnetworkdevice").await.unwrap(),
        ];
        assert!(matches!(audits[..], [Audit::Found(_), Audit::WrongClass, Audit::WrongClass]), "{audits:?}");
        let small = Datto::start({
            let mut state = Plan::sized(30, 60, 120).build();
            (state.page_max, state.alert_page_max, state.refuses_large_pages) = (250, 100, true);
            state
        }).await;
        let world = with_datto(&engine, &small).await;
        let client = Client::open(&world.db, &world.config).unwrap();
        let page = client.alerts(Alerts::Resolved, Of::Account, 0).await.unwrap();
        assert!(!page.records.is_empty(), "a smaller page where the large one is refused");
        assert_eq!(client.page_size().await.unwrap(), 250);
    }

    async fn a_write_whose_outcome_is_unknown_is_not_sent_again(engine: Engine) {
        let vendor = Datto::start(Plan::sized(2, 0, 0).build()).await;
        let rmm = with_datto(&engine, &vendor).await;
        let client = Client::open(&rmm.db, &rmm.config).unwrap();
        let site = vendor.world(|state| state.sites[1]["uid"].as_str().unwrap().to_owned());
        for (number, after) in [AfterWrite::Reset, AfterWrite::Status(502), AfterWrite::Status(504)].into_iter().enumerate() {
            vendor.world(|state| state.faults.after_writes.push_back(after));
            let fault = client.set_variable(&site, &format!("Name{number}"), "1").await.unwrap_err();
            assert!(matches!(fault.cause, Cause::Unknown(_)) && fault.method == "PUT", "{after:?}: {fault}");
            assert_eq!(vendor.world(|state| state.writes.len()), number + 1, "{after:?}");
        }
        let fault = client.set_variable(&site, "Name0", "2").await.unwrap_err();
        assert!(matches!(fault.cause, Cause::Conflict(_)), "{fault}");
        vendor.world(|state| state.faults.add_times("write/", ListFault::TooMany(Some(1)), 1));
        client.set_variable(&site, "Later", "2").await.unwrap();
        vendor.world(|state| state.faults.after_writes.push_back(AfterWrite::Hold(Duration::from_millis(30))));
        vendor.world(|state| state.tokens.expire());
        client.set_variable(&site, "Renewed", "2").await.unwrap();
        assert_eq!(vendor.world(|state| state.writes.len()), 5);

        let vendor = Freshservice::start(freshservice::Plan::sized(3, 3).build()).await;
        let psa = with_freshservice(&engine, &vendor).await;
        let client = Psa::open(&psa.db, &psa.config).unwrap();
        let id = vendor.world(|state| state.departments[0]["id"].to_string());
        vendor.world(|state| state.faults.after_writes.push_back(AfterWrite::Reset));
        let body = json!({ "custom_fields": { "account_number": 123_456 } });
        let fault = client.put_department(&id, &body).await.unwrap_err();
        assert!(matches!(fault.cause, Cause::Unknown(_)), "{fault}");
        let now = client.department(&id).await.unwrap().unwrap();
        assert_eq!(now["custom_fields"]["account_number"], 123_456);
        let told = client.put_department(&id, &json!({ "custom_fields": { "account_number": 123_457 } })).await.unwrap();
        assert_eq!(told["custom_fields"]["account_number"], 123_457);
        assert!(client.department("999").await.unwrap().is_none());
        assert!(probe::freshservice(&psa.config).await.unwrap().contains("accepted"));
        assert!(client.tickets("2000-01-01T00:00:00Z", 1, ListParams { embed: true, ..ListParams::default() }).await.is_ok());
    }

    async fn commands_in_a_row_and_side_by_side_never_meet_the_limit(engine: Engine) {
        let mut rmm = Plan::sized(8, 60, 20).build();
        // A window that is long beside the pauses of a busy machine.
        rmm.limits = Limits::new(Duration::from_secs(6), 120, 30);
        let fleet = Fleet::start(&engine, freshservice::Plan::sized(8, 20).build(), rmm).await;
        fleet.sync(&["freshservice"]).await.code(0);
        fleet.sync(&["datto"]).await.code(0);
        let (pull, audits) = tokio::join!(fleet.sync(&["datto"]), fleet.sync(&["datto-audits"]));
        pull.code(0);
        audits.code(0);
        let (refused, most, asked) = fleet.rmm.world(|state| (state.limits.refused, state.limits.most_reads, state.requests.len()));
        assert_eq!(refused, 0, "{asked} requests, at most {most} in a window");
        assert!(most <= 120 && asked > 130, "{asked} requests, at most {most} in a window");
    }
}
