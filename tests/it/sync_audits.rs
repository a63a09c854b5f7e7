//! Audits and alerts of Datto RMM: read once, read again only when they moved, and kept through failures.

use serde_json::{Value, json};

use crate::datto::{Datto, ListFault, Plan, State, uid};
use crate::support::{App, Engine, Output, both};

struct Pull {
    app: App,
    vendor: Datto,
}

/// A world whose devices are all computers of one company.
fn world(devices: usize, alerts: usize) -> State {
    let mut state = Plan::sized(1, devices, alerts).build();
    state.sites[0]["name"] = json!("Acme Dental");
    let site = state.sites[0]["uid"].as_str().unwrap().to_owned();
    state.renumber(&site, "100001");
    let audited = (state.clock - 3600) * 1000;
    for device in state.devices.iter_mut().filter(|device| device["deleted"] == false) {
        (device["deviceClass"], device["lastAuditDate"]) = (json!("device"), json!(audited));
        device["hostname"] = json!(format!("PC-{}", device["id"]));
    }
    state
}

async fn start(engine: &Engine, state: State) -> Pull {
    let vendor = Datto::start(state).await;
    let app = App::builder(engine).datto(&vendor).start().await;
    app.company("100001", "Acme Dental").await;
    Pull { app, vendor }
}

impl Pull {
    async fn run(&self, words: &[&str]) -> Output {
        self.app.cli().run_beside(&[&["sync"], words].concat()).await
    }

    /// The device at the vendor with this number, as neighbours read it.
    async fn device(&self, number: usize) -> Value {
        let uid = uid(2, number);
        let list = self.app.service().get("/api/assets").await.ok();
        let found = list.as_array().unwrap().iter().find(|asset| asset["external_id"] == uid).cloned();
        let id = found.unwrap_or_else(|| panic!("no asset of {uid}: {list}"))["id"].clone();
        self.app.service().get(&format!("/api/datto/device/device-{id}")).await.ok()
    }

    fn number(&self, sql: &str) -> i64 {
        self.app.database.number(sql)
    }
}

both! {
    async fn audits_are_read_once_and_again_when_they_moved(engine: Engine) {
        let pull = start(&engine, world(12, 0)).await;
        pull.run(&["datto"]).await.code(0);
        assert_eq!(pull.vendor.seen("/software"), 0, "the lists come first and alone");
        assert_eq!(pull.device(0).await["collected_at"], Value::Null);
        let by_adapter = async || pull.app.technician().get("/api/assets?q=00-50-B6-00-00-01").await.ok().as_array().unwrap().clone();
        assert!(by_adapter().await.is_empty());
        let out = pull.run(&["datto-audits", "--json"]).await.code(0);
        assert!(by_adapter().await.iter().any(|asset| asset["external_id"] == uid(2, 0)), "found by any of its adapters");
        assert_eq!((&out.json()["due"], &out.json()["read"], &out.json()["left"]), (&json!(12), &json!(12), &json!(0)), "{}", out.stdout);
        let device = pull.device(0).await;
        assert_eq!(device["hardware"], json!({"cpu": "Core Ultra 7 155U", "ram_gb": 16.0, "disk_gb": 475.9}));
        assert_eq!((&device["serial_number"], &device["manufacturer"]), (&json!("SN0000000"), &json!("Latitude Works")));
        assert_eq!(device["installed_software"].as_array().unwrap().len(), 3);
        assert_eq!(device["health"]["disk_usage"], 76.5);
        assert!(device["collected_at"].is_string(), "{device}");
        assert_eq!(pull.device(3).await["serial_number"], Value::Null, "what makers' contractors leave is no serial number");
        let told = pull.app.admin().get("/api/changes?entity=asset&limit=1000").await.ok().to_string();
        assert!(told.contains("as the device's audit says"), "{told}");
        let (calls, head) = (pull.vendor.seen("/audit/"), pull.number("SELECT version FROM head"));
        let observed = pull.number("SELECT observed FROM versions WHERE entity = 'asset'");
        pull.run(&["datto"]).await.code(0);
        let again = pull.run(&["datto-audits", "--json"]).await.code(0);
        assert_eq!((&again.json()["due"], pull.vendor.seen("/audit/") - calls), (&json!(0), 0));
        assert_eq!((pull.number("SELECT version FROM head"), pull.number("SELECT observed FROM versions WHERE entity = 'asset'")), (head, observed));
        assert_eq!(pull.device(0).await["serial_number"], "SN0000000", "a pull does not forget what audits told");
        let later = (jiff::Timestamp::now().as_second() - 60) * 1000;
        pull.vendor.world(|state| {
            state.change(&uid(2, 5), |device| device["lastAuditDate"] = json!(later));
            state.software.insert(uid(2, 5), vec![json!({"name": "Browser", "version": "99.0"})]);
        });
        pull.run(&["datto"]).await.code(0);
        pull.run(&["datto-audits"]).await.code(0);
        assert_eq!(pull.vendor.seen("/audit/") - calls, 2, "one device, its audit and its programs");
        assert_eq!(pull.device(5).await["installed_software"], json!([{"name": "Browser", "version": "99.0"}]));
    }

    async fn a_failed_call_takes_nothing_away(engine: Engine) {
        let pull = start(&engine, world(4, 0)).await;
        pull.run(&["datto"]).await.code(0);
        pull.run(&["datto-audits"]).await.code(0);
        let before = pull.device(1).await;
        let later = (jiff::Timestamp::now().as_second() - 60) * 1000;
        pull.vendor.world(|state| {
            state.change(&uid(2, 1), |device| device["lastAuditDate"] = json!(later));
            state.change(&uid(2, 2), |device| device["lastAuditDate"] = json!(later));
            state.audits.remove(&uid(2, 2));
            state.faults.add("audit/software", ListFault::Status(422));
        });
        pull.run(&["datto"]).await.code(0);
        let kept = pull.device(2).await;
        pull.run(&["datto-audits"]).await;
        let after = pull.device(1).await;
        for key in ["hardware", "installed_software", "collected_at", "serial_number"] {
            assert_eq!(after[key], before[key], "{key}");
        }
        assert_eq!(pull.device(2).await["hardware"], kept["hardware"], "an audit that is gone at the vendor is not gone here");
        pull.vendor.world(|state| state.faults.lists.clear());
        let out = pull.run(&["datto-audits", "--json"]).await.code(0).json();
        assert_eq!((&out["due"], &out["read"]), (&json!(1), &json!(1)), "what the vendor does not have is not asked for again: {out}");
        assert_ne!(pull.device(1).await["collected_at"], before["collected_at"]);
    }

    async fn classes_without_an_audit_cost_nothing_twice(engine: Engine) {
        let mut state = world(4, 0);
        state.change(&uid(2, 0), |device| device["deviceClass"] = json!("rmmnetworkdevice"));
        state.change(&uid(2, 1), |device| device["deviceClass"] = json!("printer"));
        state.change(&uid(2, 2), |device| device["deviceClass"] = json!("esxihost"));
        let pull = start(&engine, state).await;
        pull.run(&["datto"]).await.code(0);
        let out = pull.run(&["datto-audits", "--json"]).await.code(0).json();
        assert_eq!((&out["read"], &out["without_audit"]), (&json!(3), &json!(1)), "{out}");
        assert_eq!((pull.vendor.seen("/audit/printer/"), pull.vendor.seen("/audit/esxihost/"), pull.vendor.seen("/software")), (1, 1, 1));
        let calls = pull.vendor.seen("/audit/");
        pull.run(&["datto-audits"]).await.code(0);
        assert_eq!(pull.vendor.seen("/audit/"), calls);
    }

    async fn a_killed_run_is_taken_up(engine: Engine) {
        let pull = start(&engine, world(60, 0)).await;
        pull.run(&["datto"]).await.code(0);
        let quiet = || std::process::Stdio::null();
        let mut command = pull.app.cli().command(&["sync", "datto-audits"]);
        let mut child = command.stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn().unwrap();
        for _ in 0..600 {
            if pull.number("SELECT count(*) FROM asset_audits") > 5 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let _gone = child.kill();
        let _reaped = child.wait();
        let held = pull.number("SELECT count(*) FROM asset_audits");
        let calls = pull.vendor.seen("/software");
        let out = pull.run(&["datto-audits", "--json"]).await.code(0).json();
        assert_eq!(out["due"], json!(60 - held), "what was stored is not read again");
        assert_eq!(out["left"], 0);
        assert!(pull.vendor.seen("/software") - calls <= usize::try_from(60 - held).unwrap());
        assert_eq!(pull.number("SELECT count(*) FROM asset_audits WHERE outcome = 'read'"), 60);
        assert_eq!(pull.number("SELECT count(*) FROM asset_software"), 180);
    }

    async fn alerts_come_move_and_go(engine: Engine) {
        let pull = start(&engine, world(10, 30)).await;
        pull.vendor.world(|state| state.alert_page_max = 7);
        pull.run(&["datto"]).await.code(0);
        let all = async |query: &str| pull.app.service().get(&format!("/api/alerts?{query}")).await.ok().as_array().unwrap().clone();
        assert_eq!((all("").await.len(), all("resolved=false").await.len()), (30, 10));
        assert_eq!(all("company_id=100001").await.len(), 30, "each is its device's company's");
        assert!(all("").await.iter().all(|alert| alert["asset_id"].is_i64() && alert["timestamp"].is_string()));
        let observed = || pull.number("SELECT observed FROM versions WHERE entity = 'alert'");
        let before = observed();
        pull.run(&["datto"]).await.code(0);
        assert_eq!(observed(), before, "a second run has no news");
        let (resolved, deleted) = (uid(3, 0), uid(3, 3));
        pull.vendor.world(|state| {
            let now = state.clock * 1000;
            for alert in &mut state.alerts {
                if alert["alertUid"] == resolved {
                    (alert["resolved"], alert["resolvedOn"], alert["resolvedBy"]) = (json!(true), json!(now), json!("riley"));
                }
            }
            state.alerts.retain(|alert| alert["alertUid"] != deleted);
        });
        pull.run(&["datto"]).await.code(0);
        let of = async |uid: &str| all(&format!("alert_uid={uid}")).await[0].clone();
        let one = of(&resolved).await;
        assert_eq!((&one["resolved"], &one["resolved_by"], &one["gone"]), (&json!(true), &json!("riley"), &json!(false)));
        assert!(one["resolved_at"].is_string());
        assert_eq!(pull.vendor.seen(&format!("/alert/{deleted}")), 1, "what vanished is asked for");
        let one = of(&deleted).await;
        assert_eq!((&one["resolved"], &one["gone"]), (&json!(true), &json!(true)));
        assert_eq!(all("resolved=false").await.len(), 8);
        pull.vendor.world(|state| state.faults.add_times("account/alerts/open", ListFault::Empty, 1));
        pull.run(&["datto"]).await;
        assert_eq!(all("resolved=false").await.len(), 8, "an empty list closes nothing");
    }

    async fn a_device_that_is_out_of_sight_ages_with_the_runs(engine: Engine) {
        let mut state = world(3, 0);
        let at = |days: i64| json!((jiff::Timestamp::now().as_second() - days * 86_400 - 60) * 1000);
        state.change(&uid(2, 0), |device| (device["online"], device["lastSeen"]) = (json!(false), at(15)));
        state.change(&uid(2, 1), |device| (device["online"], device["lastSeen"]) = (json!(false), at(120)));
        let pull = start(&engine, state).await;
        pull.run(&["datto"]).await.code(0);
        assert_eq!((&pull.device(0).await["life"], &pull.device(1).await["life"], &pull.device(2).await["life"]), (&json!("quiet"), &json!("archived"), &json!("active")));
        assert_eq!(pull.app.service().get("/api/companies/100001/assets").await.ok().as_array().unwrap().len(), 3);
        pull.vendor.world(|state| state.change(&uid(2, 1), |device| (device["online"], device["lastSeen"]) = (json!(true), at(0))));
        pull.run(&["datto"]).await.code(0);
        assert_eq!(pull.device(1).await["life"], "active", "back by itself");
    }
}
