//! Protected people in records that are not theirs: whose name a company bears, who asked for a ticket, what one asset
//! leaves to another, what is nobody's yet, and that every reading of it is noted, whoever reads.

use serde_json::{Value, json};

use crate::datto;
use crate::freshservice::{self, change, conversation, department, requester, ticket};
use crate::support::{Api, App, Engine, Fleet, both};

/// Stands in every personal field of the protected; nothing of it may reach an uncleared caller.
const CANARY: &str = "Quetzalcoatl";
const NAME: &str = "Quetzalcoatl Ward";
const EMAIL: &str = "Quetzalcoatl@ward.example";
const OPEN: i64 = 21_000_100_001;
const WARD: i64 = 21_000_100_002;
/// The protected requester, and one whom nothing protects.
const PATIENT: i64 = 21_000_300_010;
const PLAIN: i64 = 21_000_300_001;
const NOBODY: i64 = 21_000_300_099;

fn vendor() -> freshservice::State {
    freshservice::State {
        departments: vec![department(OPEN, "Open Books", Some(204_001)), department(WARD, "Ward Clinic", Some(204_002))],
        requesters: vec![
            requester(PLAIN, "Ava", Some("Patel"), Some("ava@open.example"), &[OPEN]),
            requester(PATIENT, CANARY, Some("Ward"), Some(EMAIL), &[WARD]),
        ],
        ..freshservice::State::default()
    }
}

/// Both vendors: Open Books is standard, Ward Clinic is not; the third site is nobody's.
async fn fleet(engine: &Engine, psa: freshservice::State, more: impl FnOnce(&mut datto::State, &[String])) -> Fleet {
    let mut rmm = datto::Plan::sized(2, 0, 0).build();
    rmm.variables.clear();
    let mut sites = rmm.uids("sites");
    for (site, number) in sites.iter().zip(["204001", "204002"]) {
        rmm.renumber(site, number);
    }
    sites.truncate(2);
    sites.push(rmm.add_site(77, "A site of nobody", None));
    more(&mut rmm, &sites);
    let fleet = Fleet::start(engine, psa, rmm).await;
    fleet.sync(&["freshservice"]).await.code(0);
    fleet.app.admin().put("/api/companies/204002", &json!({"compliance_level": "hipaa"})).await.status(200);
    fleet.sync(&["datto"]).await.code(0);
    fleet
}

fn service(app: &App, name: &str) -> Api {
    let token = app.cli().run(&["token", "create", "--service", name]).success().stdout;
    app.with_token(token.trim())
}

/// A device that tells of the protected.
fn speak(rmm: &mut datto::State, uid: &str, serial: &str) {
    rmm.change(uid, |device| {
        device["lastLoggedInUser"] = json!(CANARY);
        device["intIpAddress"] = json!("10.66.66.66");
        device["description"] = json!(format!("The laptop of {CANARY}"));
    });
    if let Some(audit) = rmm.audits.get_mut(uid) {
        audit["bios"]["serialNumber"] = json!(serial);
    }
}

async fn list(api: &Api, path: &str) -> Vec<Value> {
    api.get(path).await.ok().as_array().unwrap_or_else(|| panic!("{path} is no list")).clone()
}

async fn id_of(api: &Api, path: &str) -> i64 {
    list(api, path).await[0]["id"].as_i64().unwrap()
}

fn assert_clean(text: &str, what: &str) {
    for secret in [CANARY, "10.66.66.66"] {
        assert!(!text.to_lowercase().contains(&secret.to_lowercase()), "{what}: {text}");
    }
}

/// What this caller was shown since, as (entity, records).
async fn noted(app: &App, caller: &str, shows: impl AsyncFnOnce()) -> Vec<(String, Value)> {
    let path = format!("/api/disclosures?caller={caller}&sort=id&limit=1000");
    let before = list(&app.admin(), &path).await.len();
    shows().await;
    let rows = list(&app.admin(), &path).await.split_off(before);
    rows.into_iter().map(|row| (row["entity"].as_str().unwrap().to_owned(), row["record_ids"].clone())).collect()
}

/// The pages and answers in which a company shows itself.
const COMPANY: [&str; 9] = [
    "/api/companies",
    "/api/company/204001",
    "/api/companies/204001",
    "/api/companies?format=csv",
    "/api/companies/bulk",
    "/api/search?q=open%20books",
    "/companies/",
    "/companies/204001",
    "/companies/api/search",
];

both! {
    async fn texts_of_standard_companies_name_no_protected_person(engine: Engine) {
        let now = jiff::Timestamp::now().as_second();
        let mut psa = vendor();
        let mut told = ticket(4, PLAIN, Some(OPEN), 2, now - 7200);
        told["subject"] = json!(format!("{NAME} rang about 1751328000"));
        told["description"] = json!(format!("<p>Ward, {CANARY}: 219-09-9999 is theirs, 000-12-3456 is not</p>"));
        told["description_text"] = json!(format!("Ward, {CANARY}: 219-09-9999 is theirs, 000-12-3456 is not"));
        psa.tickets.push(told);
        psa.conversations.insert(4, vec![
            conversation(74, 4, "quetzálcoatl  WARD is at 10.66.66.66, card 4111 1111 1111 1111", false, now - 3600),
            conversation(75, 4, &format!("Ask {NAME}, (555) 234-4242"), true, now - 3600),
        ]);
        let fleet = fleet(&engine, psa, |_, _| {}).await;
        fleet.sync(&["tickets"]).await.code(0);
        let app = &fleet.app;
        let admin = app.admin();
        let description = json!({"description": format!("Owned by {NAME}, 219-09-9999; opens at 9")});
        admin.put("/api/companies/204001", &description).await.status(200);
        let (brainhair, beacon, billing) = (service(app, "brainhair"), service(app, "beacon"), app.billing());
        let numbers = ["219-09-9999", "4111 1111", "234-4242"];
        for path in [
            "/api/tickets", "/api/tickets?format=csv", "/api/ticket/4", "/api/tickets/active", "/api/psa/tickets", "/api/companies/204001/tickets",
            "/api/companies/204001", "/api/companies", "/api/companies?format=csv", "/api/companies/bulk",
        ] {
            let whole = app.technician().get(path).await.status(200).text();
            for (name, api) in [("brainhair", &brainhair), ("beacon", &beacon), ("billing", &billing)] {
                let text = api.get(path).await.status(200).text();
                assert_clean(&text, &format!("{name} at {path}"));
                assert!(!numbers.iter().any(|number| text.contains(number)), "{name} at {path}: {text}");
                assert!(text.contains("[NAME]") || path.ends_with("bulk") || !whole.contains(CANARY), "{name} at {path}: {text}");
            }
        }
        let ticket = brainhair.get("/api/ticket/4").await.ok();
        assert_eq!(ticket["subject"], "[NAME] rang about 1751328000", "numbers that are nobody's stay");
        assert!(ticket["description"].to_string().contains("[NAME]: [SSN] is theirs, 000-12-3456 is not"), "{ticket}");
        assert_eq!(ticket["conversations"][0]["text"], "[NAME] is at [IP], card [CARD]", "{ticket}");
        assert_eq!(ticket["notes"][0]["text"], "Ask [NAME], [PHONE]", "{ticket}");
        let told = app.technician().get("/api/ticket/4").await.text();
        assert!(told.contains(NAME) && told.contains("4111 1111 1111 1111"), "{told}");
        // Who asks for less gets less, cleared or not.
        let struck = "Owned by [NAME], [SSN]; opens at 9";
        for (api, path) in [(&brainhair, "/api/companies/204001"), (&app.technician(), "/api/companies/204001?filter=phi")] {
            assert_eq!(api.get(path).await.ok()["description"], struck);
        }
        // What was struck is not written back over what is there.
        let refused = brainhair.put("/api/companies/204001", &json!({"description": struck})).await.status(403).text();
        assert!(refused.contains("description"), "{refused}");
        assert_eq!(admin.get("/api/companies/204001").await.ok()["description"], description["description"]);
        // A name that is taken today is looked for from now on, the former one too.
        let person = id_of(&admin, "/api/companies/204002/contacts").await;
        admin.put(&format!("/api/contacts/{person}"), &json!({"name": "Opens At"})).await.status(200);
        assert_eq!(brainhair.get("/api/companies/204001").await.ok()["description"], "Owned by [NAME], [SSN]; [NAME] 9");
        // Once nobody is protected, nothing is struck any more.
        admin.put("/api/companies/204002", &json!({"compliance_level": "standard"})).await.status(200);
        assert_eq!(brainhair.get("/api/companies/204001").await.ok()["description"], description["description"]);
    }

    async fn what_is_written_on_devices_licences_and_alerts_is_struck_too(engine: Engine) {
        let fleet = fleet(&engine, vendor(), |_, _| {}).await;
        let app = &fleet.app;
        let (admin, tess) = (app.admin(), app.technician());
        let text = format!("Was {NAME}'s, (555) 234-4242");
        let asset = tess.post("/api/assets", &json!({"hostname": "OPEN-1", "company_account_number": "204001", "description": text})).await.status(201).json();
        let license = tess.post("/api/licenses", &json!({"company_id": "204001", "product": "Suite", "notes": text})).await.status(201).json();
        tess.post("/api/subnets", &json!({"company_id": "204001", "cidr": "10.1.0.0/24", "notes": text})).await.status(201);
        admin.post("/api/custom_fields", &json!({"type": "asset", "label": "Remark", "key": "remark", "kind": "text"})).await.status(201);
        tess.put(&format!("/api/assets/{}", asset["id"]), &json!({"cf": {"remark": text}})).await.status(200);
        let company = admin.get("/api/companies/204001").await.ok()["id"].clone();
        app.database.execute(&format!(
            "INSERT INTO alerts (alert_uid, priority, severity, message, kind, resolved, gone, muted, asset_id, company_id, source, first_seen_at, updated_at, message_folded, search_text, diagnostics)
             VALUES ('a-1', 'High', 1, '{0}', 'eventlog_ctx', FALSE, FALSE, FALSE, {1}, {company}, 'datto', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '{2}', '{2}', '{0}')",
            text.replace('\'', "''"), asset["id"], text.to_lowercase().replace('\'', "''")
        ));
        let (brainhair, beacon, billing) = (service(app, "brainhair"), service(app, "beacon"), app.billing());
        let struck = "Was [NAME]'s, [PHONE]";
        for (path, member) in [
            (format!("/api/assets/{}", asset["id"]), "description"), (format!("/api/asset/{}", asset["id"]), "description"),
            (format!("/api/licenses/{}", license["id"]), "notes"),
        ] {
            for (name, api) in [("brainhair", &brainhair), ("beacon", &beacon), ("billing", &billing)] {
                assert_eq!(api.get(&path).await.ok()[member], struck, "{name} at {path}");
            }
            assert_eq!(tess.get(&path).await.ok()[member], json!(text), "{path}");
        }
        assert_eq!(brainhair.get(&format!("/api/assets/{}", asset["id"])).await.ok()["cf"]["remark"], struck);
        for path in [
            "/api/assets", "/api/assets?format=csv", "/api/companies/204001/assets", "/api/licenses", "/api/licenses?format=csv", "/api/assets?type=license",
            "/api/companies/204001/licenses", "/api/subnets", "/api/alerts", "/api/alerts?format=csv", "/api/changes?since=0&limit=1000",
            &format!("/api/history/license/{}", license["id"]), &format!("/api/history/asset/{}", asset["id"]), "/licenses/", "/subnets/",
            &format!("/licenses/{}", license["id"]), "/companies/204001", "/api/companies/bulk",
        ] {
            for (name, api) in [("brainhair", &brainhair), ("beacon", &beacon), ("billing", &billing)] {
                let text = api.get(path).await.text();
                assert_clean(&text, &format!("{name} at {path}"));
                assert!(!text.contains("234-4242"), "{name} at {path}: {text}");
            }
        }
        // What the statements of this test wrote is not known to searches yet.
        app.cli().run_beside(&["doctor", "--offline", "--fix"]).await;
        // Nobody finds by what is struck, and everybody by what is shown.
        let word = NAME.split(' ').next().unwrap().to_lowercase();
        for list in ["/api/assets?", "/api/licenses?", "/api/subnets?", "/api/alerts?", "/api/assets?type=license&"] {
            for (query, found) in [(format!("q={word}"), 0), ("q=234-4242".to_owned(), 0), ("q=was".to_owned(), 1)] {
                let rows = brainhair.get(&format!("{list}{query}")).await.status(200);
                let count = rows.json().as_array().unwrap().len();
                assert!(if found == 0 { count == 0 } else { count >= 1 }, "{list}{query}: {}", rows.text());
            }
            assert!(!tess.get(&format!("{list}q={word}")).await.ok().as_array().unwrap().is_empty(), "{list}: a technician finds it");
        }
        let search = brainhair.get(&format!("/api/search?q={word}&counts=true")).await.ok();
        for kind in ["assets", "licenses", "subnets"] {
            assert_eq!((&search[kind], &search["counts"][kind]), (&json!([]), &json!(0)), "{kind}: {search}");
        }
        // What was struck is not written back.
        for path in [format!("/api/licenses/{}", license["id"]), format!("/api/assets/{}", asset["id"])] {
            let member = if path.contains("licenses") { "notes" } else { "description" };
            brainhair.put(&path, &json!({member: struck})).await.status(403);
        }
        brainhair.put(&format!("/api/assets/{}", asset["id"]), &json!({"cf": {"remark": struck}})).await.status(403);
        brainhair.put(&format!("/api/licenses/{}", license["id"]), &json!({"product": "Suite 2"})).await.status(200);
        assert_eq!(tess.get(&format!("/api/licenses/{}", license["id"])).await.ok()["notes"], json!(text));
    }

    async fn a_ticket_is_not_found_by_what_its_answer_strikes(engine: Engine) {
        let now = jiff::Timestamp::now().as_second();
        let mut psa = vendor();
        for (id, subject) in [(4, format!("{NAME} rang from (555) 234-4242 about a printer")), (5, "A printer of nobody".to_owned())] {
            let mut told = ticket(id, PLAIN, Some(OPEN), 2, now - 7200);
            told["subject"] = json!(subject);
            psa.tickets.push(told);
        }
        let fleet = fleet(&engine, psa, |_, _| {}).await;
        fleet.sync(&["tickets"]).await.code(0);
        let (brainhair, tess) = (service(&fleet.app, "brainhair"), fleet.app.technician());
        let found = async |api: &Api, query: &str| -> Vec<i64> {
            let list = api.get(&format!("/api/freshservice/tickets?{query}")).await.ok();
            let list = list.as_array().cloned().unwrap_or_else(|| list["tickets"].as_array().unwrap().clone());
            list.iter().map(|row| row["id"].as_i64().unwrap()).collect()
        };
        let word = NAME.split(' ').next().unwrap().to_lowercase();
        for (query, all, shown) in [
            (format!("q={word}"), vec![4], vec![]), (format!("q={}", &word[..6]), vec![4], vec![]), (format!("q={word}%20printer"), vec![4], vec![]),
            ("q=234-4242".to_owned(), vec![4], vec![]), ("q=printer&sort=id".to_owned(), vec![4, 5], vec![4, 5]),
            (format!("subject__ic={word}"), vec![4], vec![]), ("q=printer&sort=id&limit=1".to_owned(), vec![4], vec![4]),
        ] {
            assert_eq!(found(&tess, &query).await, all, "{query}");
            assert_eq!(found(&brainhair, &query).await, shown, "{query}");
        }
        let search = brainhair.get(&format!("/api/search?q={word}&counts=true")).await.ok();
        assert_eq!((&search["tickets"], &search["counts"]["tickets"]), (&json!([]), &json!(0)), "{search}");
        assert_eq!(brainhair.get("/api/search?q=printer&counts=true").await.ok()["counts"]["tickets"], 2);
    }

    async fn a_standard_company_tells_of_no_protected_person(engine: Engine) {
        let fleet = fleet(&engine, vendor(), |_, _| {}).await;
        let app = &fleet.app;
        let (admin, brainhair) = (app.admin(), service(app, "brainhair"));
        // The vendor's id fills the name in: not for whoever may not see it, whatever they do.
        let rehearsed = brainhair.post("/api/companies?dry_run=true", &json!({"name": "p", "head_user_id": PATIENT})).await.status(200).json();
        assert_eq!(rehearsed["head_name"], "Q••• W•••");
        let made = brainhair.post("/api/companies", &json!({"account_number": "7", "name": "p", "prime_user_id": PATIENT})).await.status(201);
        assert_clean(&made.text(), "a company that was made");
        for path in ["/api/companies/204001?dry_run=true", "/api/companies/204001"] {
            assert_clean(&brainhair.put(path, &json!({"head_user_id": PATIENT})).await.status(200).text(), path);
        }
        assert_clean(&brainhair.put("/companies/204001/update", &json!({"prime_user_id": PATIENT})).await.status(200).text(), "the page's own");
        assert_eq!(admin.get("/api/companies/204001").await.ok()["head_name"], NAME, "it was stored");
        for (name, caller) in [("brainhair", brainhair.clone()), ("beacon", service(app, "beacon")), ("billing", app.billing())] {
            for path in COMPANY {
                for accept in ["application/json", "text/html"] {
                    assert_clean(&caller.get_with(path, "accept", accept).await.text(), &format!("{name}: {path}"));
                }
            }
        }
        // A name is copied, and stays when the id is nobody's: whom a person wrote down, whom a sync did.
        admin.put("/api/companies/204001", &json!({"primary_contact_name": NAME, "head_user_id": null, "head_name": NAME})).await.status(200);
        let seen = brainhair.get("/api/companies/204001").await.ok();
        assert_eq!(json!([seen["head_name"], seen["prime_user_name"], seen["primary_contact_name"]]), json!(["Q••• W•••", "Q••• W•••", "Q••• W•••"]));
        fleet.psa.world(|world| {
            for field in ["head_name", "prime_user_name"] {
                world.departments[0][field] = json!(NAME);
            }
        });
        fleet.sync(&["freshservice"]).await.code(0);
        for path in COMPANY {
            assert_clean(&brainhair.get(path).await.text(), path);
        }
        // What is hidden cannot be set, or a mask would take its place.
        for field in ["head_name", "prime_user_name", "primary_contact_name"] {
            let refused = brainhair.put("/api/companies/204001", &json!({field: "Q•••"})).await.status(403);
            assert!(refused.error().contains("hidden from you"), "{}", refused.text());
        }
        // A client is no colleague of another company's people.
        let client = app.client_of("cleo", "204001").await;
        for path in ["/api/companies/204001", "/api/companies", "/companies/204001"] {
            assert_clean(&client.get(path).await.status(200).text(), path);
        }
        // Others keep their names.
        admin.put("/api/companies/7", &json!({"head_user_id": PLAIN, "prime_user_id": null})).await.status(200);
        assert_eq!(brainhair.get("/api/companies/7").await.ok()["head_name"], "Ava Patel");
        // Who may see them is noted.
        let open = admin.get("/api/companies/204001").await.ok()["id"].clone();
        let ledger = service(app, "ledger");
        for path in ["/api/companies/204001", "/api/history/company/1"] {
            let rows = noted(app, "ledger", async || assert!(ledger.get(path).await.status(200).text().contains(NAME), "{path}")).await;
            assert_eq!(rows, [("company".to_owned(), json!([open]))], "{path}");
        }
        let rows = noted(app, "ledger", async || drop(ledger.get("/api/companies/7").await.status(200))).await;
        assert_eq!(rows, [], "nobody there is protected");
        // Retiring the person changes nothing about it.
        let patient = id_of(&admin, "/api/companies/204002/contacts").await;
        admin.delete(&format!("/api/contacts/{patient}?force=true")).await.status(200);
        assert_clean(&brainhair.get("/api/companies/204001").await.text(), "after they were retired");
    }

    async fn what_takes_over_an_asset_stays_as_protected(engine: Engine) {
        let mut device = String::new();
        let fleet = fleet(&engine, vendor(), |rmm, sites| {
            device = rmm.add_device(901, &sites[2], "WARD-LAPTOP");
            speak(rmm, &device, "PF3ZK801");
        }).await;
        fleet.sync(&["datto-audits"]).await.code(0);
        let app = &fleet.app;
        let (admin, brainhair) = (app.admin(), service(app, "brainhair"));
        let site = list(&admin, "/api/sync/review").await.into_iter().find(|entry| entry["label"] == "A site of nobody").unwrap()["id"].clone();
        let link = async |number: &str| drop(admin.post(&format!("/api/sync/review/{site}/link"), &json!({"company": number})).await.status(200));
        link("204002").await;
        let before = list(&admin, "/api/companies/204002/assets").await.remove(0);
        assert_eq!((before["hostname"].as_str(), before["last_logged_in_user"].as_str()), (Some("WARD-LAPTOP"), Some(CANARY)));
        // An asset of a standard company that looks the same, and a site that is linked anew.
        let bait = json!({"hostname": "WARD-LAPTOP", "serial_number": "PF3ZK801", "company_account_number": "204001"});
        let bait = brainhair.post("/api/assets", &bait).await.status(201).json()["id"].clone();
        link("204001").await;
        let after = admin.get(&format!("/api/assets/{bait}")).await.ok();
        assert_eq!((after["external_id"].as_str(), after["company_account_number"].as_str()), (Some(device.as_str()), Some("204001")), "it took over");
        assert_eq!((after["last_logged_in_user"].as_str(), after["company_compliance_level"].as_str()), (Some(CANARY), Some("hipaa")));
        for path in [format!("/api/assets/{bait}"), "/api/assets?retired=include".to_owned(), "/api/companies/204001/assets".to_owned(), format!("/api/assets/{bait}/sources")] {
            assert_clean(&brainhair.get(&path).await.text(), &path);
        }
    }

    async fn a_device_that_comes_back_under_another_id_stays_protected(engine: Engine) {
        let mut devices = (String::new(), String::new());
        let fleet = fleet(&engine, vendor(), |rmm, sites| {
            devices.0 = rmm.add_device(901, &sites[1], "WARD-LAPTOP");
            speak(rmm, &devices.0, "PF3ZK801");
            // So that one of them is no great loss.
            for number in 0..12 {
                rmm.add_device(1_000 + number, &sites[0], &format!("OPEN-{number}"));
            }
        }).await;
        fleet.sync(&["datto-audits"]).await.code(0);
        let app = &fleet.app;
        let (admin, brainhair) = (app.admin(), service(app, "brainhair"));
        let old = id_of(&admin, "/api/companies/204002/assets").await;
        assert_eq!(admin.get(&format!("/api/assets/{old}")).await.ok()["serial_number"], "PF3ZK801");
        admin.delete(&format!("/api/assets/{old}")).await.status(200);
        let nobodys = fleet.rmm.world(|rmm| {
            rmm.remove_device(&devices.0);
            let site = rmm.sites.iter().find(|site| site["name"] == "A site of nobody").unwrap()["uid"].as_str().unwrap().to_owned();
            devices.1 = rmm.add_device(902, &site, "NEW-NAME");
            speak(rmm, &devices.1, "PF3ZK801");
            site
        });
        fleet.sync(&["datto"]).await.code(0);
        fleet.sync(&["datto-audits"]).await.code(0);
        let entry = list(&admin, "/api/sync/review").await.into_iter().find(|entry| entry["external_id"] == nobodys.as_str()).unwrap()["id"].clone();
        admin.post(&format!("/api/sync/review/{entry}/link"), &json!({"company": "204001"})).await.status(200);
        let new = list(&admin, "/api/companies/204001/assets").await.into_iter().find(|asset| asset["external_id"] == devices.1.as_str()).unwrap();
        assert_eq!((new["serial_number"].as_str(), new["company_compliance_level"].as_str()), (Some("PF3ZK801"), Some("hipaa")));
        assert!(new["id"] != old);
        assert_clean(&brainhair.get(&format!("/api/assets/{}", new["id"])).await.status(200).text(), "the same device");
    }

    async fn a_person_who_is_made_anew_stays_protected(engine: Engine) {
        let fleet = fleet(&engine, vendor(), |_, _| {}).await;
        let (admin, brainhair) = (fleet.app.admin(), service(&fleet.app, "brainhair"));
        let old = id_of(&admin, "/api/companies/204002/contacts").await;
        admin.delete(&format!("/api/contacts/{old}?force=true")).await.status(200);
        fleet.psa.world(|world| {
            world.remove(PATIENT);
            world.requesters.push(requester(PATIENT + 5, CANARY, Some("Ward"), Some(EMAIL), &[OPEN]));
        });
        fleet.sync(&["freshservice", "--yes"]).await.code(0);
        let new = list(&admin, "/api/companies/204001/contacts").await.into_iter().find(|contact| contact["email"] == EMAIL).unwrap();
        assert_eq!((new["company_compliance_level"].as_str(), new["id"] != old), (Some("hipaa"), true), "{new}");
        assert_clean(&brainhair.get("/api/contacts").await.text(), "made anew");
    }

    async fn a_planned_change_is_protected_by_whoever_asked(engine: Engine) {
        let now = jiff::Timestamp::now().as_second();
        let mut psa = vendor();
        for (id, asked_by, place) in [(9, PATIENT, Some(OPEN)), (10, PLAIN, Some(OPEN)), (11, NOBODY, None)] {
            let mut planned = change(id, asked_by, place, now - 3600);
            let words = if id == 10 { "A switch moves".to_owned() } else { format!("{CANARY} moves") };
            (planned["subject"], planned["description_text"]) = (json!(words), json!(words));
            psa.changes.push(planned);
        }
        let fleet = fleet(&engine, psa, |_, _| {}).await;
        fleet.sync(&["tickets"]).await.code(0);
        let (app, ledger) = (&fleet.app, service(&fleet.app, "ledger"));
        let brainhair = service(app, "brainhair");
        assert_eq!(brainhair.get("/api/change_requests/9").await.ok()["subject"], "Hidden: HIPAA client");
        assert_eq!(brainhair.get("/api/change_requests/10").await.ok()["subject"], "A switch moves");
        for path in ["/api/change_requests", "/api/change_requests?q=quetz", "/api/change_requests?sort=subject", "/api/change_requests/9", "/api/change_requests/11"] {
            assert_clean(&brainhair.get(path).await.status(200).text(), path);
        }
        assert_eq!(list(&brainhair, "/api/change_requests?q=quetz").await, [] as [Value; 0]);
        assert_eq!(list(&brainhair, "/api/change_requests?subject__ic=moves").await.len(), 1);
        let row = app.database.number("SELECT id FROM change_requests WHERE external_id = 9");
        for path in ["/api/change_requests/9".to_owned(), format!("/api/history/change_request/{row}")] {
            let rows = noted(app, "ledger", async || assert!(ledger.get(&path).await.status(200).text().contains(CANARY), "{path}")).await;
            assert_eq!(rows, [("change_request".to_owned(), json!([row]))], "{path}");
        }
    }

    async fn a_ticket_is_protected_by_whoever_asked_wherever_it_is_read(engine: Engine) {
        let now = jiff::Timestamp::now().as_second();
        let mut psa = vendor();
        let mut told = ticket(7, PATIENT, Some(OPEN), 2, now - 7200);
        told["subject"] = json!(format!("{CANARY} is ill"));
        psa.tickets.push(told);
        // One of somebody else's, on which they answer: by their id, and by their address alone.
        psa.tickets.push(ticket(8, PLAIN, Some(OPEN), 2, now - 7200));
        let mut said: Vec<Value> =
            (70..73).map(|id| conversation(id, 8, if id == 72 { "Thank you" } else { CANARY }, false, now - 3600)).collect();
        said[0]["user_id"] = json!(PATIENT);
        (said[1]["user_id"], said[1]["from_email"]) = (json!(NOBODY), json!(EMAIL));
        psa.conversations.insert(8, said);
        let fleet = fleet(&engine, psa, |_, _| {}).await;
        fleet.sync(&["tickets"]).await.code(0);
        let (app, ledger) = (&fleet.app, service(&fleet.app, "ledger"));
        let row = app.database.number("SELECT id FROM tickets WHERE external_id = 7");
        for path in ["/api/ticket/7".to_owned(), format!("/api/history/ticket/{row}"), "/api/changes?entity=ticket&limit=1000".to_owned()] {
            let rows = noted(app, "ledger", async || assert!(ledger.get(&path).await.status(200).text().contains(CANARY), "{path}")).await;
            assert_eq!(rows, [("ticket".to_owned(), json!([row]))], "{path}");
        }
        // Beside the ticket its requester stands, with telephone and devices.
        let page = noted(app, "tess", async || drop(app.technician().get_with("/tickets/7", "accept", "text/html").await.status(200))).await;
        assert_eq!(page.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), ["contact", "ticket"]);
        assert_eq!(page[1].1, json!([row]));
        let brainhair = service(app, "brainhair");
        for path in ["/api/tickets", "/api/ticket/8", "/api/companies/204001/tickets", "/api/companies/bulk?include=tickets"] {
            assert_clean(&brainhair.get(path).await.status(200).text(), path);
        }
        assert!(brainhair.get("/api/ticket/8").await.text().contains("Thank you"), "others' words are theirs");
        let other = app.database.number("SELECT id FROM tickets WHERE external_id = 8");
        let rows = noted(app, "ledger", async || assert!(ledger.get("/api/ticket/8").await.text().contains(CANARY))).await;
        assert_eq!(rows, [("ticket".to_owned(), json!([other]))]);
    }

    async fn a_ticket_is_protected_by_the_address_it_came_from(engine: Engine) {
        const SECRET: &str = "wh-5ecret-of-the-test";
        let stand_in = freshservice::Freshservice::start(vendor()).await;
        let hooks = format!("[webhooks]\nenabled = true\nsecret = {SECRET}\n");
        let app = App::builder(&engine).freshservice(&stand_in).configuration(&hooks).start().await;
        app.cli().run_beside(&["sync", "freshservice"]).await.code(0);
        app.admin().put("/api/companies/204002", &json!({"compliance_level": "hipaa"})).await.status(200);
        let open = list(&app.admin(), "/api/companies").await.into_iter().find(|company| company["account_number"] == "204001").unwrap();
        assert_eq!(open["compliance_level"], "standard");
        let call = async |number: i64, email: Option<&str>, more: Value| {
            let hidden = email != Some("ava@open.example");
            let name = if hidden { CANARY } else { "Ava" };
            let mut body = json!({"event": "ticket.created", "ticket_id": number, "subject": format!("{name} cannot print"), "status_id": 2,
                "requester_name": name, "requester_email": email, "updated_at": "2026-03-01T10:00:00Z"});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let text = body.to_string();
            app.anonymous().send(reqwest::Method::POST, "/webhooks/freshservice/ticket", |request| {
                request.header("content-type", "application/json").header("x-webhook-secret", SECRET).body(text)
            }).await.status(201);
        };
        call(41, Some("QUETZALCOATL@Ward.example"), json!({})).await;
        call(42, Some("quetzalcoatl@ward.example"), json!({"department_id": OPEN})).await;
        call(43, Some("quetzalcoatl@nowhere.example"), json!({})).await;
        call(44, Some("quetzalcoatl@nowhere.example"), json!({"requester_id": NOBODY})).await;
        call(45, Some("ava@open.example"), json!({})).await;
        let (brainhair, ledger) = (service(&app, "brainhair"), service(&app, "ledger"));
        for number in 41..45 {
            let text = brainhair.get(&format!("/api/ticket/{number}")).await.status(200).text();
            assert_clean(&text, "a ticket by its sender");
            assert!(text.contains("Hidden: HIPAA client"), "{number}: {text}");
            let row = app.database.number(&format!("SELECT id FROM tickets WHERE external_id = {number}"));
            for path in [format!("/api/ticket/{number}"), format!("/api/history/ticket/{row}")] {
                let rows = noted(&app, "ledger", async || drop(ledger.get(&path).await.status(200))).await;
                assert_eq!(rows, [("ticket".to_owned(), json!([row]))], "{path}");
            }
        }
        assert_eq!(brainhair.get("/api/ticket/45").await.ok()["subject"], "Ava cannot print");
        for question in ["", "?q=quetz", "?subject__ic=cannot", "?requester_email__ic=ward", "?sort=requester_name"] {
            assert_clean(&brainhair.get(&format!("/api/tickets{question}")).await.status(200).text(), question);
        }
        let found = brainhair.get("/api/tickets?subject__ic=cannot").await.ok();
        assert_eq!(found["total"], 1, "{found}");
        // One that is not here is asked of the vendor, and treated alike.
        stand_in.world(|world| {
            let now = jiff::Timestamp::now().as_second();
            for (id, asked_by, place) in [(71, NOBODY, None), (72, PATIENT, Some(OPEN))] {
                let mut told = ticket(id, asked_by, place, 2, now - 7200);
                (told["subject"], told["description_text"]) = (json!(format!("{CANARY} is ill")), json!(CANARY));
                world.tickets.push(told);
            }
        });
        for number in [71, 72] {
            assert!(app.admin().get(&format!("/api/ticket/{number}")).await.status(200).text().contains(CANARY));
            assert_clean(&brainhair.get(&format!("/api/ticket/{number}")).await.status(200).text(), "asked of the vendor");
        }
    }

    async fn a_device_of_nobody_is_protected_until_it_is_somebodys(engine: Engine) {
        let fleet = fleet(&engine, vendor(), |rmm, sites| {
            let device = rmm.add_device(901, &sites[2], "LOST-LAPTOP");
            speak(rmm, &device, "PF3ZK801");
            let known = rmm.devices.iter().find(|known| known["uid"] == device.as_str()).unwrap().clone();
            let mut alert = datto::alert(1, &known, jiff::Timestamp::now().as_second(), false);
            alert["diagnostics"] = json!(format!("{CANARY} logged in"));
            rmm.alerts.push(alert);
        }).await;
        let app = &fleet.app;
        let (admin, brainhair) = (app.admin(), service(app, "brainhair"));
        let asset = id_of(&admin, "/api/assets?hostname=LOST-LAPTOP").await;
        assert!(admin.get("/api/alerts").await.ok().to_string().contains(CANARY));
        let one = format!("/api/assets/{asset}");
        assert_eq!(admin.get(&one).await.ok()["company_compliance_level"], "hipaa");
        for path in [one.as_str(), "/api/assets", "/api/assets?q=10.66.66", "/api/assets?last_logged_in_user__ic=quetz", "/api/devices", "/api/alerts",
            "/alerts/", "/api/alerts?q=quetz", "/api/search?q=quetz", &format!("{one}/sources")] {
            assert_clean(&brainhair.get(path).await.text(), path);
        }
        for path in ["/api/assets?q=quetz", "/api/assets?int_ip_address=10.66.66.66"] {
            assert_eq!(list(&brainhair, path).await, [] as [Value; 0], "{path}");
        }
        let rows = noted(app, "ledger", async || drop(service(app, "ledger").get(&one).await.status(200))).await;
        assert_eq!(rows, [("asset".to_owned(), json!([asset]))]);
        // A form that repeats what stands there decides nothing; nobody can say that it is protected no more.
        app.technician().put(&one, &json!({"protected_as": "hipaa", "asset_tag": "T-1"})).await.status(200);
        admin.put(&one, &json!({"protected_as": "standard"})).await.status(409);
        let site = list(&admin, "/api/sync/review").await.into_iter().find(|entry| entry["kind"] == "site").unwrap()["id"].clone();
        admin.post(&format!("/api/sync/review/{site}/link"), &json!({"company": "204001"})).await.status(200);
        let known = brainhair.get(&one).await.ok();
        assert_eq!((known["last_logged_in_user"].as_str(), known["company_compliance_level"].as_str()), (Some(CANARY), Some("standard")));
        assert!(brainhair.get("/api/alerts").await.ok().to_string().contains(CANARY));
        // What a person made here is as they made it, also when it is nobody's.
        let own = json!({"hostname": "SPARE", "last_logged_in_user": "Ava", "company_account_number": "204001"});
        let own = admin.post("/api/assets", &own).await.status(201).json()["id"].clone();
        app.database.execute(&format!("UPDATE assets SET company_id = NULL WHERE id = {own}"));
        assert_eq!(brainhair.get(&format!("/api/assets/{own}")).await.ok()["last_logged_in_user"], "Ava");
    }

    async fn an_asset_is_protected_by_whoever_uses_it(engine: Engine) {
        let fleet = fleet(&engine, vendor(), |_, _| {}).await;
        let (admin, brainhair) = (fleet.app.admin(), service(&fleet.app, "brainhair"));
        let patient = id_of(&admin, "/api/companies/204002/contacts").await;
        let body = json!({"hostname": "LOANED", "company_account_number": "204001", "contact_ids": [patient], "last_logged_in_user": CANARY, "int_ip_address": "10.66.66.66"});
        let one = format!("/api/assets/{}", admin.post("/api/assets", &body).await.status(201).json()["id"]);
        for path in [one.as_str(), "/api/assets", "/api/companies/204001/assets", "/api/companies/bulk", "/api/assets?q=quetz"] {
            assert_clean(&brainhair.get(path).await.status(200).text(), path);
        }
        brainhair.put(&one, &json!({"last_logged_in_user": "Ava"})).await.status(403);
        admin.put(&one, &json!({"contact_ids": []})).await.status(200);
        assert_clean(&brainhair.get(&one).await.status(200).text(), "it tells of whoever used it");
        admin.put(&one, &json!({"protected_as": "standard"})).await.status(200);
        assert_eq!(brainhair.get(&one).await.ok()["last_logged_in_user"], CANARY, "it is nobody's who is protected");
    }

    async fn what_a_client_reads_of_their_colleagues_is_noted(engine: Engine) {
        let now = jiff::Timestamp::now().as_second();
        let mut psa = vendor();
        psa.tickets.push(ticket(7, PATIENT, Some(WARD), 2, now - 7200));
        let fleet = fleet(&engine, psa, |rmm, sites| speak_of(rmm, &sites[1])).await;
        fleet.sync(&["tickets"]).await.code(0);
        let app = &fleet.app;
        let admin = app.admin();
        let client = app.client_of("cleo", "204002").await;
        let contact = id_of(&admin, "/api/companies/204002/contacts").await;
        let asset = id_of(&admin, "/api/companies/204002/assets").await;
        let row = app.database.number("SELECT id FROM tickets WHERE external_id = 7");
        for (path, entity, id) in [
            ("/api/contacts".to_owned(), "contact", contact), (format!("/api/contacts/{contact}"), "contact", contact),
            ("/api/assets".to_owned(), "asset", asset), (format!("/api/assets/{asset}"), "asset", asset),
            ("/api/tickets".to_owned(), "ticket", row), ("/api/ticket/7".to_owned(), "ticket", row),
            ("/contacts/".to_owned(), "contact", contact), (format!("/contacts/{contact}"), "contact", contact),
            (format!("/assets/{asset}"), "asset", asset), ("/tickets/7".to_owned(), "ticket", row),
        ] {
            let accept = if path.starts_with("/api") { "application/json" } else { "text/html" };
            let rows = noted(app, "cleo", async || drop(client.get_with(&path, "accept", accept).await.status(200))).await;
            assert_eq!(rows.iter().filter(|row| **row == (entity.to_owned(), json!([id]))).count(), 1, "{path}: {rows:?}");
        }
        // The names of colleagues whom a company names count, what a client is not shown does not.
        admin.put("/api/companies/204002", &json!({"head_name": NAME})).await.status(200);
        let ward = admin.get("/api/companies/204002").await.ok()["id"].clone();
        let rows = noted(app, "cleo", async || drop(client.get("/api/companies/204002").await.status(200))).await;
        assert_eq!(rows, [("company".to_owned(), json!([ward]))]);
        let rows = noted(app, "cleo", async || drop(client.get("/api/contacts?filter=cjis").await.status(200))).await;
        assert_eq!(rows, []);
    }

    async fn why_a_device_may_be_an_asset_is_noted(engine: Engine) {
        let fleet = fleet(&engine, vendor(), |rmm, sites| speak_of(rmm, &sites[1])).await;
        let app = &fleet.app;
        let admin = app.admin();
        let asset = id_of(&admin, "/api/companies/204002/assets").await;
        let candidates = json!([{"id": asset, "name": "WARD-LAPTOP", "why": format!("the same address as that of {CANARY}")}]);
        app.database.execute(&format!(
            "INSERT INTO review_items (system, kind, external_id, label, reason, candidates, state, created_at, updated_at)
             VALUES ('datto', 'device', 'd-1', 'NEW', 'two things', '{candidates}', 'open', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z')"
        ));
        let ledger = service(app, "ledger");
        let rows = noted(app, "ledger", async || {
            assert!(ledger.get("/api/sync/review").await.status(200).text().contains(CANARY));
        }).await;
        assert_eq!(rows, [("asset".to_owned(), json!([asset]))]);
        // Fields of a company that it keeps from the uncleared are theirs in its history too.
        fleet.psa.world(|world| world.departments[1]["custom_fields"]["nurses"] = json!([NAME]));
        fleet.sync(&["freshservice"]).await.code(0);
        let ward = admin.get("/api/companies/204002").await.ok()["id"].clone();
        let path = format!("/api/history/company/{ward}");
        assert!(admin.get(&path).await.ok().to_string().contains(NAME), "the world holds it");
        assert_clean(&service(app, "brainhair").get(&path).await.status(200).text(), &path);
        assert_clean(&service(app, "brainhair").get("/api/changes?entity=company&limit=1000").await.status(200).text(), "the feed");
    }

    async fn nobody_unprotects_by_moving_renaming_or_taking_back(engine: Engine) {
        let fleet = fleet(&engine, vendor(), |rmm, sites| {
            let of_nobody = rmm.add_device(777, &sites[2], "PC-NOBODY");
            speak(rmm, &of_nobody, "SER-777");
        })
        .await;
        let app = &fleet.app;
        let (admin, technician, beacon) = (app.admin(), app.technician(), service(app, "beacon"));
        let patient = id_of(&admin, &format!("/api/contacts?q={CANARY}")).await;

        // Who no longer uses an asset has used it.
        let home = json!({"hostname": "HOME", "company_account_number": "204001", "contact_ids": [patient], "last_logged_in_user": CANARY,
            "int_ip_address": "10.66.66.66", "description": CANARY});
        let home = admin.post("/api/assets", &home).await.status(201).json()["id"].as_i64().unwrap();
        let path = format!("/api/assets/{home}");
        for (method, path, body) in [
            ("dry", format!("{path}?dry_run=true"), json!({"contact_ids": []})),
            ("contact", format!("/api/contacts/{patient}"), json!({"asset_ids": []})),
        ] {
            assert_clean(&beacon.put(&path, &body).await.status(200).text(), method);
        }
        assert_clean(&beacon.get(&path).await.status(200).text(), "taken from its user");
        technician.put(&format!("/assets/{home}/update-contacts"), &json!({"contact_ids": [patient]})).await.status(200);
        technician.put(&format!("/assets/{home}/update-contacts"), &json!({"contact_ids": []})).await.status(200);
        assert_clean(&beacon.get(&path).await.status(200).text(), "by a technician");
        admin.put(&path, &json!({"protected_as": "standard"})).await.status(200);
        assert!(beacon.get(&path).await.status(200).text().contains(CANARY), "an administrator decides");

        // Whose a device is, an uncleared caller does not say; nor where a protected person belongs, nor who gets invoices.
        let of_nobody = id_of(&admin, "/api/assets?q=PC-NOBODY").await;
        for query in ["?dry_run=true", ""] {
            let refused = beacon
                .put(&format!("/api/assets/{of_nobody}{query}"), &json!({"company_account_number": "204001"}))
                .await
                .status(403);
            assert_clean(&refused.text(), "a device of nobody");
        }
        beacon
            .put(&format!("/api/contacts/{patient}"), &json!({"company_account_numbers": ["204001", "204002"]}))
            .await
            .status(403);
        beacon.put(&format!("/api/contacts/{patient}"), &json!({"is_primary": true})).await.status(403);
        beacon.put("/api/companies/204002", &json!({"billing_contact_id": patient})).await.status(403);
        beacon.put("/api/companies/204001?dry_run=true", &json!({"head_name": NAME})).await.status(403);
        beacon.post("/api/companies?dry_run=true", &json!({"name": "p", "primary_contact_name": "Somebody"})).await.status(403);
        beacon.put(&format!("/api/contacts/{patient}"), &json!({"company_id": "204002"})).await.status(200);

        // Somebody who is called otherwise now is known by the old name and address too.
        admin.put("/api/companies/204001", &json!({"head_name": NAME})).await.status(200);
        let keyed = beacon.get("/api/companies/204001").await.ok();
        assert_eq!(keyed["head_name"], "Q••• W•••");
        technician
            .put(&format!("/api/contacts/{patient}"), &json!({"name": "Q. Ward", "email": "q@ward.example"}))
            .await
            .status(200);
        for path in ["/api/companies/204001", "/api/companies"] {
            assert_clean(&beacon.get(path).await.status(200).text(), path);
        }

        // What an uncleared caller could not have written it does not take back either.
        let feed = admin.get("/api/changes?entity=contact&limit=1000").await.ok();
        let renamed =
            feed["changes"].as_array().unwrap().iter().rev().find(|change| change["fields"]["email"].is_object()).unwrap()["seq"]
                .clone();
        beacon.post(&format!("/api/changes/{renamed}/undo"), &json!({})).await.status(403);
        technician.post(&format!("/api/changes/{renamed}/undo"), &json!({})).await.status(200);
    }

    async fn who_signs_in_for_a_protected_company_is_masked(engine: Engine) {
        let fleet = fleet(&engine, vendor(), |_, _| {}).await;
        let app = &fleet.app;
        let words = ["users", "add", "ward", "--email", EMAIL, "--role", "client", "--company", "204002", "--full-name", NAME, "--password-stdin"];
        app.cli().run_with_input(&words, "a long enough password").success();
        assert!(app.admin().get("/api/users").await.status(200).text().contains(NAME));
        assert_clean(&service(app, "beacon").get("/api/users").await.status(200).text(), "accounts of clients");
        let read = async || {
            service(app, "ledger").get("/api/users").await.status(200);
        };
        let told = noted(app, "ledger", read).await;
        assert_eq!((told.len(), told[0].0.as_str()), (1, "contact"), "whose account a cleared service reads is noted: {told:?}");
    }

    async fn a_question_without_an_answer_is_noted_too(engine: Engine) {
        let fleet = fleet(&engine, vendor(), |_, _| {}).await;
        let app = &fleet.app;
        let path = format!("/api/contacts?email__ic={}&limit=1", &EMAIL[..12]);
        let head = async || {
            app.technician().head(&path).await.status(200);
        };
        assert_eq!(noted(app, "tess", head).await.len(), 1);
        // Who asks for masks, and asks by what is masked then, learns of whom it is true all the same.
        let asks = async |path: &str| {
            let answer = app.technician().get(path).await.status(200);
            assert_clean(&answer.text(), path);
        };
        let by_address = format!("/api/contacts?filter=phi&email__ic={}", &EMAIL[..12]);
        for path in [by_address.as_str(), "/api/contacts?filter=phi&sort=first_name", "/api/contacts?filter=cjis&q=quetzal"] {
            assert!(!noted(app, "tess", async || asks(path).await).await.is_empty(), "{path} is not noted");
        }
        for path in ["/api/contacts?filter=phi", "/api/contacts?filter=phi&sort=id"] {
            assert!(noted(app, "tess", async || asks(path).await).await.is_empty(), "{path} tells nothing");
        }
        let taken = async || {
            app.technician().post("/api/contacts", &json!({"name": "x", "email": EMAIL})).await.status(409);
        };
        assert_eq!(noted(app, "tess", taken).await.len(), 1);
    }
}

/// A protected person's device at this site.
fn speak_of(rmm: &mut datto::State, site: &str) {
    let device = rmm.add_device(901, site, "WARD-LAPTOP");
    speak(rmm, &device, "PF3ZK801");
}
