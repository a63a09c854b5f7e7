//! Sites and devices of Datto RMM: whose they are, which asset each is, and what it takes to retire one.

use serde_json::{Value, json};

use crate::datto::{self, Datto, ListFault};
use crate::freshservice::{self, Freshservice};
use crate::support::{App, Engine, Output, both};

/// Codex beside both vendors.
struct Rmm {
    app: App,
    vendor: Datto,
    psa: Freshservice,
}

impl Rmm {
    /// Companies pulled, devices not yet.
    async fn start(engine: &Engine, sites: usize, devices: usize) -> Self {
        let psa = Freshservice::start(freshservice::Plan::sized(sites, 5).build()).await;
        let vendor = Datto::start(datto::Plan::sized(sites, devices, 0).build()).await;
        let app = App::builder(engine).freshservice(&psa).datto(&vendor).start().await;
        let rmm = Self { app, vendor, psa };
        rmm.cli(&["sync", "freshservice"]).await.code(0);
        rmm
    }

    async fn pulled(engine: &Engine, sites: usize, devices: usize) -> Self {
        let rmm = Self::start(engine, sites, devices).await;
        rmm.pull(&[]).await.code(0);
        rmm
    }

    async fn cli(&self, words: &[&str]) -> Output {
        self.app.cli().run_beside(words).await
    }

    async fn pull(&self, words: &[&str]) -> Output {
        self.cli(&[&["sync", "datto"], words].concat()).await
    }

    async fn assets(&self, query: &str) -> Vec<Value> {
        self.app.admin().get(&format!("/api/assets{query}")).await.ok().as_array().unwrap().clone()
    }

    /// The live asset that a device is.
    async fn asset_of(&self, uid: &str) -> Option<Value> {
        self.assets("").await.into_iter().find(|asset| asset["external_id"] == uid)
    }

    async fn review(&self) -> Vec<Value> {
        self.app.admin().get("/api/sync/review").await.ok().as_array().unwrap().clone()
    }

    fn head(&self) -> i64 {
        self.app.database.number("SELECT version FROM head")
    }

    /// What answers depend on; that somebody has read devices which are nobody's yet is noted, and is no part of it.
    fn versions(&self) -> Vec<String> {
        let sql = "SELECT entity || ' ' || version || ' ' || observed FROM versions WHERE entity NOT LIKE 'disclosure%' ORDER BY entity";
        self.app.database.texts(sql)
    }
}

/// The number of the site's company, as the stand-in made it.
fn number_of(site: usize) -> String {
    datto::account_number(site).unwrap()
}

both! {
    async fn devices_become_assets_of_their_sites_companies_and_a_second_pull_changes_nothing(engine: Engine) {
        let rmm = Rmm::pulled(&engine, 20, 300).await;
        let assets = rmm.assets("").await;
        assert_eq!(assets.len(), 300, "those in Deleted Devices are no assets");
        let same = assets.iter().filter(|asset| asset["hostname"] == "DESKTOP-SAME").count();
        assert_eq!(same, 6, "the same name is not the same device");
        let (device, site) = rmm.vendor.world(|state| {
            let site = state.sites[3]["uid"].as_str().unwrap().to_owned();
            (state.devices_of(&site)[0].clone(), site)
        });
        let asset = rmm.asset_of(&device).await.unwrap();
        assert_eq!(asset["company_account_number"], number_of(3), "a number with blanks around it is the number");
        let nowhere = rmm.assets("?company=none").await;
        assert!(nowhere.len() > 15 && nowhere.iter().all(|asset| asset["company_id"].is_null()), "{}", nowhere.len());
        let reasons: Vec<String> = rmm.review().await.iter().map(|entry| entry["reason"].as_str().unwrap().to_owned()).collect();
        for part in ["no account number", "no company's number", "different numbers"] {
            assert!(reasons.iter().any(|reason| reason.contains(part)), "{part}: {reasons:?}");
        }
        let (head, versions) = (rmm.head(), rmm.versions());
        let again = rmm.pull(&[]).await.code(0);
        assert!(again.stdout.contains("0 changes"), "{}", again.stdout);
        assert_eq!((rmm.head(), rmm.versions()), (head, versions), "an unchanged pull moves no ETag");
        rmm.vendor.world(|state| {
            state.rename(&device, "RENAMED");
            state.change(&device, |record| record["online"] = json!(false));
            let other = state.sites[4]["uid"].as_str().unwrap().to_owned();
            let number = state.account_of(&site).unwrap();
            assert_ne!(state.account_of(&other).as_deref(), Some(number.as_str()));
            state.renumber(&site, &number_of(5));
        });
        // A whole site that changes hands is more than a little: it would wait for approval.
        rmm.pull(&["--yes"]).await.code(0);
        let moved = rmm.asset_of(&device).await.unwrap();
        assert_eq!((&moved["id"], &moved["hostname"]), (&asset["id"], &json!("RENAMED")));
        assert_eq!(moved["company_account_number"], number_of(5), "a site that changes its number moves its devices");
        assert_eq!(moved["online"], false);
    }

    async fn a_persons_decision_moves_a_sites_devices_and_outlives_the_next_pull(engine: Engine) {
        let rmm = Rmm::pulled(&engine, 20, 200).await;
        let site = rmm.vendor.world(|state| state.sites[13]["uid"].as_str().unwrap().to_owned());
        let devices = rmm.vendor.world(|state| state.devices_of(&site).len());
        let entry = rmm.review().await.into_iter().find(|entry| entry["external_id"] == site).expect("the site waits");
        let target = number_of(2);
        let before = rmm.assets(&format!("?company_id={target}")).await.len();
        rmm.cli(&["sync", "review", "link", &entry["id"].to_string(), "no-such-company"]).await.code(2);
        rmm.cli(&["sync", "review", "link", &entry["id"].to_string(), &target]).await.code(0);
        let moved = rmm.assets(&format!("?company_id={target}")).await;
        assert_eq!(moved.len(), before + devices, "at once");
        assert!(rmm.pull(&[]).await.code(0).stdout.contains("0 changes"));
        assert_eq!(rmm.assets(&format!("?company_id={target}")).await.len(), before + devices, "and for good");
        assert!(!rmm.review().await.iter().any(|entry| entry["external_id"] == site));
        let other = rmm.review().await.into_iter().find(|entry| entry["kind"] == "site").unwrap();
        let path = format!("/api/sync/review/{}/ignore", other["id"]);
        assert_eq!(rmm.app.admin().post(&path, &json!({})).await.ok()["state"], "ignored");
        rmm.pull(&[]).await.code(0);
        assert!(!rmm.review().await.iter().any(|entry| entry["id"] == other["id"]), "ignored stays ignored");
    }

    async fn only_what_is_proven_gone_is_retired_and_it_comes_back_with_its_id(engine: Engine) {
        let rmm = Rmm::pulled(&engine, 10, 100).await;
        let (gone, buried, kept) = rmm.vendor.world(|state| {
            let site = state.sites[0]["uid"].as_str().unwrap().to_owned();
            let devices = state.devices_of(&site);
            (devices[0].clone(), devices[1].clone(), devices[2].clone())
        });
        let id = rmm.asset_of(&gone).await.unwrap()["id"].clone();
        let site = rmm.vendor.world(|state| {
            let record = state.devices.iter().find(|device| device["uid"] == gone.as_str()).cloned().unwrap();
            state.remove_device(&gone);
            state.bury_device(&buried);
            state.change(&kept, |record| record["hostname"] = json!({"not": "a name"}));
            let site = record["siteUid"].as_str().unwrap().to_owned();
            state.faults.add(&format!("/site/{site}/devices"), ListFault::Status(404));
            (site, record)
        });
        let head = rmm.head();
        rmm.pull(&["--yes"]).await.code(6);
        assert_eq!(rmm.assets("").await.len(), 100, "a site that cannot be read retires nothing of its company");
        assert_eq!(rmm.head(), head);
        rmm.vendor.world(|state| state.faults.lists.clear());
        let output = rmm.pull(&[]).await.code(0);
        assert!(output.stdout.contains("2 retired"), "{}", output.stdout);
        assert!(rmm.asset_of(&gone).await.is_none() && rmm.asset_of(&buried).await.is_none());
        assert!(rmm.asset_of(&kept).await.is_some(), "a record that cannot be used retires nothing");
        rmm.vendor.world(|state| state.devices.push(site.1.clone()));
        rmm.pull(&[]).await.code(0);
        assert_eq!(rmm.asset_of(&gone).await.unwrap()["id"], id, "the same row");
    }

    async fn a_vendor_that_shows_nothing_or_too_little_retires_nothing(engine: Engine) {
        let rmm = Rmm::pulled(&engine, 8, 120).await;
        let head = rmm.head();
        for fault in [ListFault::Empty, ListFault::Html, ListFault::Status(404), ListFault::Shape("{}"), ListFault::RepeatedPage] {
            rmm.vendor.world(|state| {
                state.faults.lists.clear();
                state.faults.add("*", fault.clone());
            });
            rmm.pull(&["--yes"]).await.code(6);
            assert_eq!(rmm.head(), head, "{fault:?}");
        }
        rmm.vendor.world(|state| {
            state.faults.lists.clear();
            state.faults.add("/account/devices", ListFault::Thin(3, true));
        });
        rmm.pull(&["--yes", "--full"]).await.code(0);
        assert_eq!(rmm.assets("").await.len(), 120, "a short account list loses nothing");
        let many: Vec<String> = rmm.vendor.world(|state| {
            state.faults.lists.clear();
            let devices: Vec<String> = state.uids("devices").into_iter().take(30).collect();
            devices.iter().for_each(|device| state.remove_device(device));
            devices
        });
        let output = rmm.pull(&[]).await.code(7);
        assert_eq!(rmm.assets("").await.len(), 120, "{}", output.stdout);
        rmm.pull(&["--yes"]).await.code(0);
        assert_eq!(rmm.assets("").await.len(), 120 - many.len());
    }

    async fn an_asset_that_was_here_before_is_adopted_once_for_a_reason(engine: Engine) {
        let rmm = Rmm::start(&engine, 10, 60).await;
        let here = |number: usize| uid_of(&rmm, number);
        let company = |number: usize| number_of(number * 31 % 10);
        let admin = rmm.app.admin();
        let add = async |body: Value| admin.post("/api/assets", &body).await.status(201).json()["id"].clone();
        let renamed = add(json!({"hostname": "BEFORE", "company_id": company(1), "serial_number": "sn0000001"})).await;
        let junk = add(json!({"hostname": "JUNK", "company_id": company(3), "serial_number": "To be filled by O.E.M."})).await;
        let named = add(json!({"hostname": "srv-a00002", "company_id": company(2), "description": "mine"})).await;
        let elsewhere = add(json!({"hostname": "LT-A00004", "company_id": company(5)})).await;
        rmm.pull(&[]).await.code(0);
        assert_eq!(rmm.asset_of(&here(1)).await.unwrap()["id"], renamed, "by its serial number");
        assert_eq!(rmm.asset_of(&here(2)).await.unwrap()["id"], named, "by its name");
        assert_ne!(rmm.asset_of(&here(3)).await.unwrap()["id"], junk);
        assert_ne!(rmm.asset_of(&here(4)).await.unwrap()["id"], elsewhere, "another company's asset is another asset");
        let reasons = rmm.app.database.texts("SELECT reason FROM sync_plan_items WHERE action = 'adopt' ORDER BY id");
        assert!(reasons.iter().any(|reason| reason.contains("same serial number SN0000001")), "{reasons:?}");
        assert!(rmm.pull(&[]).await.code(0).stdout.contains("0 changes"));
    }

    async fn two_vendors_meet_in_one_asset_and_each_field_knows_whose_it_is(engine: Engine) {
        let psa = Freshservice::start(freshservice::Plan::sized(10, 5).with_assets(40).build()).await;
        let vendor = Datto::start(datto::Plan::sized(10, 60, 0).build()).await;
        let app = App::builder(&engine).freshservice(&psa).datto(&vendor).start().await;
        let rmm = Rmm { app, vendor, psa };
        rmm.cli(&["sync", "freshservice"]).await.code(0);
        assert_eq!(rmm.assets("").await.len(), 40);
        rmm.pull(&[]).await.code(0);
        let uid = uid_of(&rmm, 2);
        let asset = rmm.asset_of(&uid).await.unwrap();
        assert_eq!(asset["asset_tag"], "ASSET-3", "Freshservice's third asset is Datto's device number two");
        assert_eq!(asset["warranty_expires"], "2027-03-01", "both speak, Datto is believed");
        assert_eq!(asset["purchase_date"], "2024-05-01", "Freshservice alone speaks of it");
        let id = asset["id"].as_i64().unwrap();
        let field_sources = rmm.app.technician().get(&format!("/api/assets/{id}/sources")).await.ok();
        let of = |field: &str| field_sources["fields"].as_array().unwrap().iter().find(|field_source| field_source["field"] == field).cloned().unwrap();
        assert_eq!((of("warranty_expires")["from"].clone(), of("asset_tag")["from"].clone()), (json!("datto"), json!("freshservice")));
        assert_eq!(of("warranty_expires")["said"]["freshservice"], "2027-05-01");
        assert!(rmm.cli(&["sync", "freshservice"]).await.code(0).stdout.contains("0 changes"));
        assert!(rmm.pull(&[]).await.code(0).stdout.contains("0 changes"), "neither undoes the other");
        rmm.vendor.world(|state| state.remove_device(&uid));
        rmm.pull(&[]).await.code(0);
        let left: Value = rmm.app.admin().get(&format!("/api/assets/{id}")).await.ok();
        assert_eq!((left["retired_at"].clone(), left["external_id"].clone()), (Value::Null, Value::Null), "one vendor still has it");
        assert_eq!((left["warranty_expires"].clone(), left["online"].clone()), (json!("2027-05-01"), Value::Null), "and is believed now");
        rmm.psa.world(|state| {
            let gone = state.assets.iter().find(|record| record["asset_tag"] == "ASSET-3").unwrap()["id"].as_i64().unwrap();
            state.remove(gone);
        });
        rmm.cli(&["sync", "freshservice"]).await.code(0);
        let gone: Value = rmm.app.admin().get(&format!("/api/assets/{id}")).await.ok();
        assert!(gone["retired_at"].is_string(), "now both have lost it");
        rmm.psa.world(|state| state.itil = false);
        rmm.cli(&["sync", "freshservice", "--yes"]).await.code(0);
        assert!(rmm.assets("").await.len() >= 39, "an account without assets retires none");
    }
}

fn uid_of(rmm: &Rmm, number: usize) -> String {
    rmm.vendor.world(|state| state.devices[number]["uid"].as_str().unwrap().to_owned())
}
