//! Whose device is it, and which asset: marks that say nothing, names that anything has, computers that were
//! installed anew, adapters that come and go.

use serde_json::{Value, json};

use crate::datto::{self, Datto, State};
use crate::freshservice::{self, Freshservice};
use crate::support::{App, Engine, Output, both};

/// Codex beside both vendors, whose devices a test makes itself.
struct World {
    app: App,
    vendor: Datto,
    psa: Freshservice,
}

/// The sites, and the company of the same place with its number at both vendors.
fn site(at: usize) -> String {
    datto::uid(1, at)
}

impl World {
    async fn start(engine: &Engine, sites: usize) -> Self {
        let psa = Freshservice::start(freshservice::Plan::sized(sites, 5).build()).await;
        let vendor = Datto::start(datto::Plan::sized(sites, 0, 0).build()).await;
        let app = App::builder(engine).freshservice(&psa).datto(&vendor).start().await;
        Self { app, vendor, psa }
    }

    async fn sync(&self, words: &[&str]) -> Output {
        self.app.cli().run_beside(&[&["sync"], words].concat()).await
    }

    /// Both vendors, which must work.
    async fn pull(&self) {
        self.sync(&["freshservice"]).await.code(0);
        self.sync(&["datto"]).await.code(0);
    }

    /// An asset at Freshservice, of the company of a site.
    fn known(&self, number: i64, at: usize, name: &str, serial: Option<&str>, mac: Option<&str>) {
        self.psa.world(|state| {
            let department = state.departments[at]["id"].as_i64();
            let mut made = freshservice::asset(number, name, department, None, serial);
            made["type_fields"]["mac_addresses_21000380002"] = json!(mac);
            state.assets.push(made);
        });
    }

    /// A device at Datto, with what its audit says; `None` for one without an audit.
    fn device(&self, number: usize, at: usize, name: &str, audit: Option<(&str, Value)>) -> String {
        self.vendor.world(|state| {
            let uid = state.add_device(number + 1000, &site(at), name);
            match audit {
                Some((serial, nics)) => set_audit(state, &uid, serial, nics),
                None => drop(state.audits.remove(&uid)),
            }
            uid
        })
    }

    async fn assets(&self) -> Vec<Value> {
        self.app.admin().get("/api/assets").await.ok().as_array().unwrap().clone()
    }

    /// The live assets of this name.
    async fn named(&self, name: &str) -> Vec<Value> {
        self.assets().await.into_iter().filter(|asset| asset["hostname"] == name).collect()
    }

    /// The live asset that a device is.
    async fn asset_of(&self, uid: &str) -> Value {
        self.assets().await.into_iter().find(|asset| asset["external_id"] == uid).unwrap_or_else(|| panic!("no asset is {uid}"))
    }

    async fn review(&self) -> Vec<Value> {
        self.app.admin().get("/api/sync/review").await.ok().as_array().unwrap().clone()
    }
}

fn set_audit(state: &mut State, uid: &str, serial: &str, nics: Value) {
    let audit = state.audits.get_mut(uid).expect("an audit");
    audit["bios"]["serialNumber"] = json!(serial);
    audit["nics"] = nics;
}

fn nic(name: &str, mac: &str, ip: Option<&str>) -> Value {
    json!({"instance": name, "macAddress": mac, "ipv4": ip, "ipv6": null, "type": "Ethernet"})
}

const JUNK: [&str; 14] = [
    "SYS-1234567890",
    "(null string)",
    "Default string",
    "0123456789",
    "To Be Filled By O.E.M.",
    "SystemSerialNumb",
    "Not Specified",
    "OEM_Serial",
    "FFFFFFFF",
    "NNNNNNN",
    "MB-1234567890",
    "1.0",
    "03000200-0400-0500-0006-000700080009",
    "IATPASS",
];

const WANDERING: [(&str, &str); 8] = [
    ("20:41:53:59:4e:ff", "20-41-53-59-4E-FF"),
    ("24:b6:20:52:41:53", "24B620524153"),
    ("50:50:54:50:30:30", "5050.5450.3030"),
    ("33:50:6f:45:30:30", "33 50 6F 45 30 30"),
    ("00:1A:7D:DA:71:13", "001a.7dda.7113"),
    ("0C:5B:8F:27:9A:64", "0c:5b:8f:27:9a:64"),
    ("da:a1:19:5c:00:17", "DA-A1-19-5C-00-17"),
    ("00:0b:ca:fe:00:00", "00:0B:CA:FE:00:00"),
];

both! {
    async fn what_identifies_nothing_makes_nothing_one(engine: Engine) {
        let world = World::start(&engine, 3).await;
        let mut pairs = Vec::new();
        for (at, junk) in JUNK.iter().enumerate() {
            world.known(at as i64 + 1, 0, &format!("OLD-{at}"), Some(junk), None);
            pairs.push((format!("OLD-{at}"), world.device(at, 0, &format!("NEW-{at}"), Some((junk, json!([]))))));
        }
        for (at, (here, there)) in WANDERING.iter().enumerate() {
            world.known(at as i64 + 101, 0, &format!("OLD-M{at}"), None, Some(here));
            let nics = json!([nic("Ethernet", there, Some("10.0.0.9"))]);
            pairs.push((format!("OLD-M{at}"), world.device(at + 100, 0, &format!("NEW-M{at}"), Some(("", nics)))));
        }
        // No list has these: two devices carry them, in two companies, so that they identify neither.
        let dock = json!([nic("Ethernet 2", "A4:BB:6D:10:20:30", Some("10.0.0.9"))]);
        for (at, (serial, nics)) in [("QWE4711", json!([])), ("", dock)].into_iter().enumerate() {
            let mac = (at == 1).then_some("a4-bb-6d-10-20-30");
            world.known(at as i64 + 201, 0, &format!("OLD-S{at}"), Some(serial).filter(|serial| !serial.is_empty()), mac);
            let uid = world.device(at + 200, 0, &format!("NEW-S{at}"), Some((serial, nics.clone())));
            pairs.push((format!("OLD-S{at}"), uid));
            world.device(at + 210, 1, &format!("FAR-S{at}"), Some((serial, nics)));
        }
        // So does one on two assets of the other vendor.
        for (at, company) in [(0, 0), (1, 1)] {
            world.known(at + 301, company, &format!("OLD-T{at}"), Some("RTZ0815"), None);
        }
        pairs.push(("OLD-T0".to_owned(), world.device(300, 0, "NEW-T", Some(("RTZ0815", json!([]))))));
        // What is on one device at each vendor is a mark.
        world.known(401, 0, "OLD-GOOD", Some("5CG1234ABC"), None);
        let good = world.device(400, 0, "NEW-GOOD", Some(("5cg-1234-abc", json!([]))));
        world.known(402, 0, "OLD-GOOD-MAC", None, Some("d8bb.c1ab.cdef"));
        let good_mac = world.device(401, 0, "NEW-GOOD-MAC", Some(("", json!([nic("Ethernet", "D8-BB-C1-AB-CD-EF", None)]))));
        world.pull().await;
        for (old, uid) in &pairs {
            let (here, there) = (world.named(old).await, world.asset_of(uid).await);
            assert_eq!(here.len(), 1, "{old}");
            assert_ne!(here[0]["id"], there["id"], "{old}");
        }
        assert_eq!(world.asset_of(&good).await["asset_tag"], "ASSET-401");
        assert_eq!(world.asset_of(&good_mac).await["asset_tag"], "ASSET-402");
        assert!(world.named("OLD-GOOD").await.is_empty() && world.named("OLD-GOOD-MAC").await.is_empty());
        assert_eq!(world.named("OLD-0").await[0]["serial_number"], Value::Null, "nor is it shown as a serial number");
        // The other way round: what audits told counts when Freshservice comes second.
        let audited = world.device(500, 2, "LAB-1", Some(("UIO1337", json!([]))));
        world.sync(&["datto"]).await.code(0);
        world.sync(&["datto-audits"]).await.code(0);
        assert_eq!(world.asset_of(&audited).await["serial_number"], "UIO1337");
        world.known(501, 2, "LAB-OLD", Some("UIO1337"), None);
        world.known(502, 1, "LAB-OLDER", Some("UIO1337"), None);
        world.pull().await;
        assert_eq!(world.asset_of(&audited).await["asset_tag"], Value::Null, "two assets of Freshservice carry it");
        assert_eq!((world.named("LAB-OLD").await.len(), world.named("LAB-1").await.len()), (1, 1));
    }

    async fn a_name_that_anything_has_is_no_match_and_one_that_is_cut_off_is_asked_about(engine: Engine) {
        let world = World::start(&engine, 3).await;
        let names = ["localhost", "DESKTOP", "iPhone", "N/A", "unknown", "MacBook-Pro", "android-5f3c1d2e4b6a7988", "DC01"];
        let mut devices = Vec::new();
        for (at, name) in names.iter().enumerate() {
            world.known(at as i64 + 1, 0, name, None, None);
            devices.push(world.device(at, 0, name, None));
        }
        // A name is common when several live devices bear it, wherever they are.
        world.device(50, 1, "DC01", None);
        let like = [("lt-a002.corp.local", "LT-A002"), ("RECEPTION-FRONT", "reception-frontdesk-2"), ("ws-9", "WS-9.corp.local")];
        for (at, (here, there)) in like.iter().enumerate() {
            world.known(at as i64 + 101, 2, here, None, None);
            devices.push(world.device(at + 100, 2, there, None));
        }
        world.known(201, 2, "lt-b003.corp.local", Some("5CG1234ABC"), None);
        let sure = world.device(201, 2, "LT-B003", Some(("5CG1234ABC", json!([]))));
        world.known(202, 2, "FRONTDESK-7", None, None);
        let unique = world.device(202, 2, "frontdesk-7", None);
        world.pull().await;
        let review = world.review().await;
        for uid in &devices {
            assert_eq!(world.asset_of(uid).await["asset_tag"], Value::Null, "{uid}");
            let asked = review.iter().find(|entry| entry["external_id"] == *uid).unwrap_or_else(|| panic!("{uid}: {review:?}"));
            assert_eq!((asked["kind"].clone(), asked["candidates"].as_array().unwrap().len()), (json!("device"), 1), "{asked}");
        }
        assert_eq!(world.asset_of(&sure).await["asset_tag"], "ASSET-201", "another mark agrees");
        assert_eq!(world.asset_of(&unique).await["asset_tag"], "ASSET-202", "a name of its own is one");
        assert!(!review.iter().any(|entry| entry["external_id"] == sure || entry["external_id"] == unique));
        // A mark that comes later decides what was asked about.
        world.vendor.world(|state| {
            state.audits.insert(devices[8].clone(), datto::audit(108));
            set_audit(state, &devices[8], "JKQ7L03", json!([]));
        });
        world.psa.world(|state| {
            let asked = state.assets.iter().find(|asset| asset["asset_tag"] == "ASSET-101").unwrap()["id"].as_i64().unwrap();
            state.change(asked, |asset| asset["type_fields"]["serial_number_21000380001"] = json!("JKQ7L03"));
        });
        world.pull().await;
        world.sync(&["datto-audits"]).await.code(0);
        world.pull().await;
        assert_eq!(world.asset_of(&devices[8]).await["asset_tag"], "ASSET-101");
        assert!(!world.review().await.iter().any(|entry| entry["external_id"] == devices[8]), "and asks no more");
        assert!(world.sync(&["datto"]).await.code(0).stdout.contains("0 changes"));
        assert!(world.sync(&["freshservice"]).await.code(0).stdout.contains("0 changes"));
    }

    async fn a_computer_that_was_installed_anew_goes_on_as_the_same_asset(engine: Engine) {
        let world = World::start(&engine, 2).await;
        let serial = |name: &str| format!("PF{name}2X9K1");
        let add = |number: usize, name: &str, serial: &str| world.device(number, 0, name, Some((serial, json!([]))));
        world.known(1, 0, "AT-ONCE", Some(&serial("A")), None);
        let first: Vec<String> = [("AT-ONCE", "A"), ("LATER", "B"), ("EARLIER", "C"), ("RENAMED", "D"), ("NAME-ONLY", "E")]
            .iter()
            .enumerate()
            .map(|(at, (name, mark))| add(at, name, &serial(mark)))
            .collect();
        for filler in 10..30 {
            world.device(filler, 1, &format!("FILLER-{filler}"), None);
        }
        world.pull().await;
        world.sync(&["datto-audits"]).await.code(0);
        let mut before = Vec::new();
        for uid in &first {
            before.push(world.asset_of(uid).await["id"].as_i64().unwrap());
        }
        let contact = world.app.service().get("/api/contacts").await.ok()[0]["id"].clone();
        let path = format!("/api/assets/{}", before[0]);
        world.app.technician().put(&path, &json!({"description": "At the front desk"})).await.status(200);
        let people = format!("/assets/{}/update-contacts", before[0]);
        world.app.technician().put(&people, &json!({"contact_ids": [contact]})).await.status(200);
        // In one run: gone and back under another id; the second one has both for a while, the third is only gone.
        let gone = |uid: &String| world.vendor.world(|state| state.remove_device(uid));
        [&first[0], &first[2], &first[3], &first[4]].into_iter().for_each(gone);
        let at_once = add(40, "AT-ONCE", &serial("A"));
        let later = add(41, "LATER", &serial("B"));
        let renamed = add(43, "RENAMED-2", &serial("D"));
        let name_only = world.device(44, 0, "NAME-ONLY", None);
        let output = world.sync(&["datto"]).await.code(0);
        assert!(output.stdout.contains("2 retired"), "{}", output.stdout);
        let same = world.asset_of(&at_once).await;
        assert_eq!((same["id"].as_i64(), &same["description"], &same["asset_tag"]), (Some(before[0]), &json!("At the front desk"), &json!("ASSET-1")));
        let whole: Value = world.app.technician().get(&path).await.ok();
        assert!(whole.to_string().contains("front desk") && whole["retired_at"].is_null(), "{whole}");
        assert_eq!(world.app.database.number(&format!("SELECT count(*) FROM asset_contacts WHERE asset_id = {}", before[0])), 1);
        assert_eq!(world.app.database.number(&format!("SELECT count(*) FROM pins WHERE entity = 'asset' AND entity_id = {} AND field = 'description'", before[0])), 1);
        assert_eq!(world.named("AT-ONCE").await.len(), 1);
        assert_eq!(world.asset_of(&renamed).await["id"].as_i64(), Some(before[3]), "the serial number alone");
        let stranger = world.asset_of(&name_only).await["id"].as_i64().unwrap();
        assert_ne!(stranger, before[4], "the name alone");
        let asked = world.review().await.into_iter().find(|entry| entry["external_id"] == name_only).expect("a question");
        assert_eq!(asked["candidates"][0]["id"].as_i64(), Some(before[4]), "{asked}");
        let second = world.asset_of(&later).await["id"].as_i64().unwrap();
        assert_ne!(second, before[1], "while both are there, they are two");
        // Now the second is gone, and the third comes back.
        gone(&first[1]);
        let earlier = add(42, "EARLIER", &serial("C"));
        let output = world.sync(&["datto"]).await.code(0);
        assert!(!output.stdout.contains("retired") || output.stdout.contains("0 retired"), "{}", output.stdout);
        assert_eq!(world.asset_of(&later).await["id"].as_i64(), Some(before[1]), "the older row goes on");
        assert_eq!(world.named("LATER").await.len(), 1);
        assert_eq!(world.asset_of(&earlier).await["id"].as_i64(), Some(before[2]));
        assert!(world.sync(&["datto"]).await.code(0).stdout.contains("0 changes"));
        assert!(world.sync(&["freshservice"]).await.code(0).stdout.contains("0 changes"));
        // At the other vendor the same: deleted there and entered anew.
        world.psa.world(|state| {
            let gone = state.assets.iter().find(|asset| asset["asset_tag"] == "ASSET-1").unwrap()["id"].as_i64().unwrap();
            state.remove(gone);
        });
        world.known(2, 0, "AT-ONCE", Some(&serial("A")), None);
        world.sync(&["freshservice"]).await.code(0);
        assert_eq!((world.named("AT-ONCE").await.len(), &world.asset_of(&at_once).await["asset_tag"]), (1, &json!("ASSET-2")));
        assert_eq!(world.asset_of(&at_once).await["id"].as_i64(), Some(before[0]));
        assert!(world.sync(&["freshservice"]).await.code(0).stdout.contains("0 changes"));
        // A person says that it is the same: the older one lives again.
        let path = format!("/api/sync/review/{}/link", asked["id"]);
        world.app.admin().post(&path, &json!({"asset_id": before[4]})).await.ok();
        assert_eq!(world.asset_of(&name_only).await["id"].as_i64(), Some(before[4]));
        assert_eq!(world.named("NAME-ONLY").await.len(), 1);
        world.sync(&["datto-audits"]).await.code(0);
        assert!(world.sync(&["datto"]).await.code(0).stdout.contains("0 changes"));
    }

    async fn the_address_of_an_asset_is_its_makers_and_stays(engine: Engine) {
        let world = World::start(&engine, 1).await;
        let wired = |ip: Option<&str>| nic("Intel(R) Ethernet Connection (16) I219-LM", "8C:8C:AA:10:00:01", ip);
        let radio = |mac: &str| nic("Intel(R) Wi-Fi 6E AX211 160MHz", mac, Some("10.0.0.7"));
        let laptop = world.device(1, 0, "LT-1", Some(("JKQ7L03", json!([radio("DA:A1:19:5C:00:17"), wired(None)]))));
        let dock = || nic("Ethernet 3", "A4:BB:6D:10:20:30", Some("10.0.0.9"));
        let docked: Vec<String> = (2..4)
            .map(|at| {
                let own = nic("Ethernet", &format!("8C:8C:AA:10:00:0{at}"), None);
                world.device(at, 0, &format!("LT-{at}"), Some((&format!("JKQ7L0{at}X"), json!([dock(), own]))))
            })
            .collect();
        world.pull().await;
        let read_again = |minutes: i64| {
            let later = (jiff::Timestamp::now().as_second() - minutes * 60) * 1000;
            world.vendor.world(|state| {
                for uid in state.uids("devices") {
                    state.change(&uid, |device| device["lastAuditDate"] = json!(later));
                }
            });
        };
        let mac = async |uid: &str| world.asset_of(uid).await["mac_address"].clone();
        world.sync(&["datto-audits"]).await.code(0);
        assert_eq!(mac(&laptop).await, "8C:8C:AA:10:00:01", "the maker's, although another one is in use");
        for (round, nics) in [
            json!([radio("5E:00:19:5C:00:99"), wired(None)]),
            json!([radio("A6:13:19:5C:00:21")]),
            json!([radio("3C:58:C2:00:11:22"), wired(Some("10.0.0.8"))]),
        ]
        .into_iter()
        .enumerate()
        {
            world.vendor.world(|state| set_audit(state, &laptop, "JKQ7L03", nics));
            read_again(30 - i64::try_from(round).unwrap() * 5);
            world.sync(&["datto"]).await.code(0);
            let head = world.app.database.number("SELECT count(*) FROM changes WHERE entity = 'asset' AND fields LIKE '%mac_address%'");
            world.sync(&["datto-audits"]).await.code(0);
            assert_eq!(mac(&laptop).await, "8C:8C:AA:10:00:01", "round {round}");
            let now = world.app.database.number("SELECT count(*) FROM changes WHERE entity = 'asset' AND fields LIKE '%mac_address%'");
            assert!(round == 0 || now == head, "round {round}: nothing moves");
        }
        for (uid, own) in docked.iter().zip(["8C:8C:AA:10:00:02", "8C:8C:AA:10:00:03"]) {
            assert_eq!(mac(uid).await, own, "an address on two devices is a dock's");
        }
    }

    async fn the_sites_of_the_first_day_are_linked_by_name_at_once(engine: Engine) {
        let world = World::start(&engine, 6).await;
        let names: Vec<String> = world.psa.world(|state| {
            let names = ["Acme Dental", "Birch Legal, LLC", "Cedar & Sons", "Dune Group", "Dune Group Ltd", "Elm Farms"];
            for (department, name) in state.departments.iter_mut().zip(names) {
                department["name"] = json!(name);
            }
            names.iter().map(|name| (*name).to_owned()).collect()
        });
        let numbers: Vec<Option<String>> = (0..6).map(datto::account_number).collect();
        let sites = ["ACME  DENTAL", "birch legal", "The Cedar and Sons Inc.", "Dune Group", "Elm Farms - Main Office", "Fir Optics"];
        world.vendor.world(|state| {
            for (at, name) in sites.iter().enumerate() {
                state.change(&site(at), |record| record["name"] = json!(name));
                state.variables.insert(site(at), Vec::new());
            }
        });
        world.sync(&["freshservice"]).await.code(0);
        let admin = world.app.admin();
        let company = |at: usize| numbers[at].clone().unwrap();
        let hand = admin.post("/api/assets", &json!({"hostname": "FRONTDESK-1", "company_id": company(0), "description": "By hand"})).await.status(201).json()["id"].clone();
        let unsure = admin.post("/api/assets", &json!({"hostname": "iPad", "company_id": company(0)})).await.status(201).json()["id"].clone();
        let frontdesk = world.device(1, 0, "frontdesk-1", None);
        let ipad = world.device(2, 0, "iPad", None);
        for at in 0..6 {
            world.device(10 + at, at, &format!("PC-OF-{at}"), None);
        }
        world.sync(&["datto"]).await.code(0);
        assert_eq!(world.app.admin().get("/api/assets?company=none").await.ok().as_array().unwrap().len(), 8, "nobody's on the first day");
        // What is offered: exact names first, then beginnings.
        let review = world.review().await;
        let of = |name: &str| review.iter().find(|entry| entry["label"] == name).unwrap_or_else(|| panic!("{name}: {review:?}"))["candidates"][0].clone();
        for (at, site) in ["ACME  DENTAL", "birch legal", "The Cedar and Sons Inc."].iter().enumerate() {
            assert_eq!((of(site)["fit"].clone(), of(site)["account_number"].clone()), (json!("exact"), json!(company(at))), "{site}");
        }
        assert_eq!((of("Elm Farms - Main Office")["fit"].clone(), of("Elm Farms - Main Office")["account_number"].clone()), (json!("begins"), json!(company(5))));
        // Each is shown first, by the command, the API and the page; two companies of one name are left to a person.
        let head = world.app.database.number("SELECT version FROM head");
        let dry = admin.post("/api/sync/review/accept-exact", &json!({"dry_run": true})).await.ok();
        let shown: Vec<(&str, &str)> = dry["linked"].as_array().unwrap().iter().map(|one| (one["site"].as_str().unwrap(), one["company"].as_str().unwrap())).collect();
        assert_eq!(shown, [("ACME  DENTAL", names[0].as_str()), ("birch legal", names[1].as_str()), ("The Cedar and Sons Inc.", names[2].as_str())]);
        assert_eq!((&dry["dry_run"], &dry["left"], &dry["linked"][0]["devices"]), (&json!(true), &json!(3), &json!(3)), "{dry}");
        let told = world.sync(&["review", "accept-exact", "--dry-run"]).await.code(0);
        assert!(told.stdout.contains("birch legal") && told.stdout.contains("3 sites would be linked, 3 still wait"), "{}", told.stdout);
        world.sync(&["review", "accept-exact"]).await.code(2);
        let page = admin.get("/admin/review").await.text();
        assert_eq!(page.matches("name=\"ids[]\"").count(), 3, "ticked, each on its line");
        assert!(page.contains(&format!("name=\"target\" value=\"{}\"", company(5))), "a beginning is filled in");
        assert_eq!(world.app.database.number("SELECT version FROM head"), head, "nothing was done so far");
        admin.post("/api/sync/review/accept-exact", &json!({"ids": [424_242]})).await.status(400);
        let ticked = format!("ids[]={}", dry["linked"][1]["id"]);
        let form = "application/x-www-form-urlencoded";
        assert_eq!(admin.post_raw("/admin/review/accept-exact", form, ticked).await.status, 303);
        assert_eq!(world.named("PC-OF-1").await[0]["company_account_number"], company(1), "what was ticked");
        assert_eq!(world.review().await.iter().filter(|entry| entry["kind"] == "site").count(), 5, "and nothing else");
        let done = world.sync(&["review", "accept-exact", "--yes", "--json"]).await.code(0).json();
        assert_eq!((done["linked"].as_array().unwrap().len(), &done["left"], &done["refused"]), (2, &json!(3), &json!([])), "{done}");
        // Devices have their company at once, and are compared with what was there.
        for at in 0..3 {
            assert_eq!(world.named(&format!("PC-OF-{at}")).await[0]["company_account_number"], company(at));
        }
        let met = world.asset_of(&frontdesk).await;
        assert_eq!((&met["id"], &met["description"], &met["company_account_number"]), (&hand, &json!("By hand"), &json!(company(0))), "{met}");
        assert_eq!(world.assets().await.iter().filter(|asset| asset["hostname"].as_str().unwrap().eq_ignore_ascii_case("frontdesk-1")).count(), 1);
        assert_ne!(world.asset_of(&ipad).await["id"], unsure);
        assert!(world.review().await.iter().any(|entry| entry["external_id"] == ipad && entry["candidates"][0]["id"] == unsure));
        // Names are learnt: a second site of that name is offered with certainty, whatever the company is called by then.
        let aliases = world.app.technician().get(&format!("/api/companies/{}/aliases", company(2))).await.ok();
        assert_eq!((&aliases[0]["name"], &aliases[0]["source"]), (&json!("The Cedar and Sons Inc."), &json!("datto")), "{aliases}");
        world.app.technician().put(&format!("/api/companies/{}", company(2)), &json!({"name": "Cypress Partners"})).await.status(200);
        world.vendor.world(|state| state.add_site(77, "Cedar and Sons", None));
        let again = world.sync(&["datto"]).await.code(0);
        assert!(again.stdout.contains("0 changes"), "{}", again.stdout);
        let dry = admin.post("/api/sync/review/accept-exact?dry_run=true", &json!({})).await.ok();
        assert_eq!((&dry["linked"][0]["site"], &dry["linked"][0]["company"]), (&json!("Cedar and Sons"), &json!("Cypress Partners")), "{dry}");
        // A company is made of a site: with the number that the site carries, by command, API and page.
        let entry = async |label: &str| world.review().await.into_iter().find(|entry| entry["label"] == label).expect(label)["id"].clone();
        world.vendor.world(|state| state.renumber(&site(5), "777123"));
        world.sync(&["datto"]).await.code(0);
        let fir = entry("Fir Optics").await;
        admin.post(&format!("/api/sync/review/{fir}/create-company"), &json!({"name": "Acme Dental"})).await.status(409);
        assert_eq!(admin.post(&format!("/api/sync/review/{fir}/create-company"), &json!({})).await.ok()["state"], "linked");
        assert_eq!(world.app.technician().get("/api/companies/777123").await.ok()["name"], "Fir Optics");
        assert_eq!(world.named("PC-OF-5").await[0]["company_account_number"], "777123");
        let elm = entry("Elm Farms - Main Office").await.to_string();
        world.sync(&["review", "create-company", &elm, "--name", "Elm Nursery", "--number", "777124"]).await.code(0);
        assert_eq!(world.named("PC-OF-4").await[0]["company_account_number"], "777124");
        let dune = entry("Dune Group").await.to_string();
        world.sync(&["review", "create-company", &dune]).await.code(2);
        world.sync(&["review", "create-company", &dune, "--force"]).await.code(0);
        assert!(world.named("PC-OF-3").await[0]["company_account_number"].is_string());
        assert!(world.sync(&["datto"]).await.code(0).stdout.contains("0 changes"));
        let whole = world.app.admin().get("/api/assets?company=none").await.ok();
        assert_eq!(whole, json!([]), "nobody's no more");
    }
}
