//! Recovery and licence keys of devices: sealed, and shown on one page to a person who asks for them.

use std::path::Path;

use codex::db::{Target, migrate};
use reqwest::Method;
use serde_json::{Value, json};

use crate::datto;
use crate::freshservice;
use crate::support::{Api, App, Cli, Database, Engine, Fleet, Output, Reply, both};

/// In every secret, and in nothing else.
const CANARY: &str = "CANARY";

fn bitlocker(device: usize) -> String {
    format!("{CANARY}-111111-222222-{device:06}")
}

fn windows(device: usize) -> String {
    format!("{CANARY}-VK7JG-NPHTM-{device:05}")
}

/// Every device with both keys and some plain fields, the first with names in capitals.
fn world(sites: usize, devices: usize) -> datto::State {
    let mut state = datto::Plan::sized(sites, devices, 0).build();
    for (number, uid) in state.uids("devices").into_iter().enumerate() {
        state.change(&uid, |record| {
            record["udf"] = json!({
                "udf1": "contoso.example", "udf2": bitlocker(number), "udf3": "C: 512 GB", "udf4": "Administrator",
                "udf5": "Ready for it", "udf6": "1099511627776", "udf7": "Workstation", "udf9": windows(number), "udf30": "last",
            });
        });
    }
    state
}

/// Every cell of every table, as far as it holds the word.
fn cells(database: &Database, word: &str) -> Vec<String> {
    let columns = match database {
        Database::Sqlite(_) => database.texts(
            "SELECT tables.name || '|' || columns.name FROM sqlite_master tables JOIN pragma_table_info(tables.name) columns
             WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%' AND tables.name NOT LIKE '%_fts%'",
        ),
        #[cfg(feature = "postgres")]
        Database::Postgres { .. } => database
            .texts("SELECT table_name || '|' || column_name FROM information_schema.columns WHERE table_schema = 'public'"),
    };
    let found = |column: &String| {
        let (table, column) = column.split_once('|').unwrap();
        database.number(&format!("SELECT count(*) FROM {table} WHERE CAST({column} AS TEXT) LIKE '%{word}%'")) > 0
    };
    assert!(columns.len() > 100, "{columns:?}");
    columns.into_iter().filter(found).collect()
}

/// The files below a folder that hold the word.
fn files(folder: &Path, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                waiting.push(entry.path());
            } else if std::fs::read(entry.path()).unwrap().windows(word.len()).any(|bytes| bytes == word.as_bytes()) {
                found.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }
    found
}

fn assert_nowhere(app: &App, told: &str) {
    if let Some(at) = told.find(CANARY) {
        panic!("{told}: a secret was told: …{}", &told[at.saturating_sub(300)..at]);
    }
    assert_eq!(cells(&app.database, CANARY), Vec::<String>::new());
    assert_eq!(files(app.folder(), CANARY), Vec::<String>::new());
}

fn heard(output: Output) -> String {
    output.stdout + &output.stderr
}

async fn reveal(api: &Api, asset: &Value, name: &str) -> Reply {
    api.send(Method::POST, &format!("/assets/{asset}/secrets/{name}"), |request| request).await
}

async fn asset_of(fleet: &Fleet, uid: &str) -> Value {
    fleet.list("/api/assets").await.into_iter().find(|asset| asset["external_id"] == uid).expect("an asset")["id"].clone()
}

/// What stands in one row's history, newest first: action and fields.
async fn history(app: &App, asset: &Value) -> Vec<(String, Value)> {
    let told = app.admin().get(&format!("/api/history/asset/{asset}")).await.ok();
    let changes = told["changes"].as_array().unwrap().iter();
    changes.map(|change| (change["action"].as_str().unwrap().to_owned(), change["fields"].clone())).collect()
}

/// What is stored of assets: their fields and keys, what vendors told, their history.
fn stored(app: &App) -> (Vec<String>, Vec<Value>, Vec<Value>) {
    let json = |sql: &str| app.database.texts(sql).iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    (
        app.database.texts("SELECT COALESCE(udf, '') || bitlocker_key || windows_key FROM assets ORDER BY id"),
        json("SELECT told FROM asset_sources ORDER BY asset_id, system"),
        json("SELECT fields FROM changes ORDER BY seq"),
    )
}

/// A path of the routes with ids that lead to something.
fn filled(path: &str, asset: &Value, plan: &Value, run: &Value, job: &str, seq: i64) -> String {
    let id = match path {
        _ if path.contains("/plans/") => plan.to_string(),
        _ if path.contains("/runs/") => run.to_string(),
        _ if path.contains("jobs/") => job.to_owned(),
        _ => asset.to_string(),
    };
    let pairs = [
        ("{acct}", datto::account_number(0).unwrap()),
        ("{entity}", "asset".to_owned()),
        ("{field}", "bitlocker_key".to_owned()),
        ("{seq}", seq.to_string()),
        ("{name}", "bitlocker_key".to_owned()),
        ("{*path}", "codex.css".to_owned()),
    ];
    let mut path = path.to_owned();
    for (from, to) in pairs {
        path = path.replace(from, &to);
    }
    while let Some((before, rest)) = path.split_once('{') {
        path = format!("{before}{id}{}", rest.split_once('}').unwrap().1);
    }
    path
}

both! {
    async fn a_key_stands_on_one_page_alone(engine: Engine) {
        let (psa, rmm) = (freshservice::Freshservice::start(freshservice::Plan::sized(3, 5).build()).await, datto::Datto::start(world(3, 6)).await);
        let app = App::builder(&engine).freshservice(&psa).datto(&rmm).env("CODEX_SERVER_LOG_LEVEL", "debug").start().await;
        let fleet = Fleet { app, psa, rmm };
        let (app, rmm) = (&fleet.app, &fleet.rmm);
        let mut told = String::new();
        told.push_str(&heard(fleet.sync(&["freshservice"]).await.code(0)));
        told.push_str(&heard(fleet.sync(&["datto", "--dry-run"]).await));
        told.push_str(&heard(fleet.sync(&["datto", "--dry-run", "--json"]).await));
        told.push_str(&heard(fleet.sync(&["datto"]).await.code(0)));
        let site = rmm.world(|state| state.sites[0]["uid"].as_str().unwrap().to_owned());
        let uids = rmm.world(|state| state.devices_of(&site));
        let (device, other) = (uids[0].clone(), uids[1].clone());
        let (asset, emptied) = (asset_of(&fleet, &device).await, asset_of(&fleet, &other).await);
        let number = rmm.world(|state| state.uids("devices").iter().position(|uid| *uid == device).unwrap());

        // An unchanged key plans nothing, although it is encrypted.
        let head = fleet.head();
        told.push_str(&heard(fleet.sync(&["datto"]).await.code(0)));
        assert_eq!(fleet.head(), head);
        assert_eq!(history(app, &asset).await.last().unwrap().1["bitlocker_key"], json!({"old": null, "new": "set"}));
        assert!(history(app, &asset).await.last().unwrap().1["udf"]["new"].as_str().unwrap().contains("contoso.example"));

        // The page: plain fields for staff, a button for each key, the key behind it.
        let technician = app.technician();
        let page = technician.get(&format!("/assets/{asset}")).await.status(200).text();
        for text in ["Entra ID tenant", "contoso.example", "Windows 11", "Ready for it", "Custom field 30", "BitLocker key", "Windows key", "Show"] {
            assert!(page.contains(text), "{text}");
        }
        for (api, name, key) in [(app.technician(), "bitlocker_key", bitlocker(number)), (app.admin(), "windows_key", windows(number))] {
            let shown = reveal(&api, &asset, name).await.status(200);
            assert!(shown.text().contains(&key), "{}", shown.text());
            assert_eq!(shown.header("cache-control"), "no-store");
        }
        let client = app.client_of("cleo", &datto::account_number(0).unwrap()).await;
        for (api, status) in [(app.billing(), 403), (client.clone(), 403), (app.service(), 403), (app.anonymous(), 401)] {
            told.push_str(&reveal(&api, &asset, "bitlocker_key").await.status(status).text());
        }
        for (id, name) in [(&asset, "udf"), (&asset, "hostname"), (&json!(999_999), "windows_key")] {
            reveal(&technician, id, name).await.status(404);
        }
        // A reload of that address leads back to the page and shows nothing.
        told.push_str(&app.technician().get(&format!("/assets/{asset}/secrets/bitlocker_key")).await.status(303).text());
        let log = app.log() + &app.printed();
        let noted: Vec<&str> = log.lines().filter(|line| line.contains("a secret was shown")).collect();
        assert_eq!(noted.len(), 2, "{noted:?}");
        for (line, (who, what)) in noted.iter().zip([("tess", "bitlocker_key"), ("ada", "windows_key")]) {
            assert!(line.contains(who) && line.contains(what) && line.contains(&asset.to_string()), "{line}");
        }

        // Stored as well, for administrators; the log may be set to say less.
        tokio::time::timeout(std::time::Duration::from_secs(10), async {
            let of = format!("/api/disclosures?record={asset}&sort=id");
            loop {
                let rows = app.admin().get(&of).await.ok();
                let rows: Vec<Value> = rows.as_array().unwrap().iter().map(|row| json!([row["caller"], row["entity"], row["record_ids"]])).collect();
                if rows == [json!(["tess", "bitlocker_key", [asset]]), json!(["ada", "windows_key", [asset]])] {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }).await.expect("the two readings are stored");

        // JSON: the fields under the contract's names, a secret's name with null.
        let one = app.service().get(&format!("/api/assets/{asset}")).await.ok();
        assert_eq!((&one["udf1"], &one["udf5"], &one["udf8"]), (&json!("contoso.example"), &json!("Ready for it"), &Value::Null));
        for name in ["udf2", "udf9"] {
            assert_eq!(one.get(name), Some(&Value::Null), "{name} is there and empty");
        }
        let labels: Vec<&str> = one["user_defined_fields"].as_array().unwrap().iter().map(|field| field["label"].as_str().unwrap()).collect();
        assert_eq!(labels, ["Entra ID tenant", "Disk information", "Enabled administrators", "Windows 11", "Backup size (bytes)", "Device type", "Custom field 30"]);
        let theirs = client.get(&format!("/api/assets/{asset}")).await.ok();
        assert_eq!((&theirs["user_defined_fields"], &theirs["udf1"]), (&json!([]), &Value::Null));

        // A changed key and one that was taken away; the plan tells no more than that.
        rmm.world(|state| {
            state.change(&device, |record| record["udf"]["udf2"] = json!(bitlocker(777)));
            state.change(&other, |record| (record["udf"]["udf2"], record["udf"]["udf5"]) = (json!("  "), json!("Done")));
        });
        told.push_str(&heard(fleet.sync(&["datto", "--dry-run"]).await));
        let plans = app.admin().get("/api/sync/plans").await.ok();
        let plan = app.admin().get(&format!("/api/sync/plans/{}", plans[0]["id"])).await.ok();
        let text = plan.to_string();
        assert!(text.contains(r#""field":"bitlocker_key","from":"set","to":"changed""#) && text.contains(r#""field":"bitlocker_key","from":"set","to":null"#), "{text}");
        assert!(!text.contains("sealed:"), "{text}");
        let page = app.admin().get(&format!("/admin/plans/{}?kind=asset&action=update", plans[0]["id"])).await.status(200).text();
        assert!(page.to_lowercase().contains("bitlocker key") && page.contains("changed") && !page.contains("sealed:"), "{page}");
        let report = fleet.sync(&["datto", "--json"]).await.code(0).json();
        assert!(reveal(&technician, &asset, "bitlocker_key").await.status(200).text().contains(&bitlocker(777)));
        reveal(&technician, &emptied, "bitlocker_key").await.status(404);
        assert_eq!(history(app, &asset).await[0].1, json!({"bitlocker_key": {"old": "set", "new": "changed"}}));
        assert_eq!(history(app, &emptied).await[0].1["bitlocker_key"], json!({"old": "set", "new": null}));

        // Undone: what history holds comes back, a key stays as the vendor has it.
        let run = report["run_id"].clone();
        let undone = app.admin().post(&format!("/api/sync/runs/{run}/undo"), &json!({})).await.ok();
        assert_eq!((&undone["undone"], &undone["refused"]), (&json!(1), &json!(1)), "{undone}");
        assert!(undone["refusals"].to_string().contains("history does not hold secrets"), "{undone}");
        assert_eq!(app.service().get(&format!("/api/assets/{emptied}")).await.ok()["udf5"], "Ready for it");
        assert!(reveal(&technician, &asset, "bitlocker_key").await.status(200).text().contains(&bitlocker(777)));

        // Every answer to every caller, and every method that answers with an asset.
        let job = app.database.texts("SELECT id FROM sync_jobs ORDER BY started_at DESC LIMIT 1").remove(0);
        let seq = app.database.number("SELECT max(seq) FROM changes WHERE entity = 'asset' AND action = 'update'");
        let callers = [app.admin(), app.technician(), app.billing(), client, app.service()];
        for route in codex::app::route_table() {
            let path = filled(route.path, &asset, &plans[0]["id"], &run, &job, seq);
            if route.path.contains("/secrets/") || route.path.contains("logout") || path.contains("/events") {
                continue;
            }
            if route.method == "GET" {
                for api in &callers {
                    for query in ["", "?fields=udf,udf2,bitlocker_key", "?format=csv", "?q=CAN", "?sort=bitlocker_key", "?limit=500&envelope=1"] {
                        let reply = api.get(&format!("{path}{query}")).await;
                        let text = reply.text();
                        assert!(!text.contains(CANARY), "GET {path}{query}");
                        assert!(!text.contains("sealed:"), "GET {path}{query} tells the sealed text");
                        if query.is_empty() && reply.status != 200 {
                            break;
                        }
                    }
                }
            }
        }
        let again = format!("/api/assets/{asset}");
        for api in [app.admin(), app.service()] {
            let replies = [
                api.put(&again, &json!({})).await.status(200),
                api.put(&format!("{again}?dry_run=true"), &json!({"description": "x"})).await.status(200),
                api.patch(&again, &json!({"description": "y"})).await.status(200),
                api.send(Method::DELETE, &format!("{again}?force=true&dry_run=true"), |request| request).await,
                api.delete(&again).await,
                api.post(&format!("{again}/restore"), &json!({})).await,
                api.post(&format!("/api/changes/{seq}/undo"), &json!({})).await,
                api.put(&format!("/api/pins/asset/{asset}/bitlocker_key"), &json!({})).await,
                api.delete(&format!("/api/pins/asset/{asset}/bitlocker_key")).await,
                api.get("/api/changes?limit=1000&types=asset").await.status(200),
                api.get(&format!("/api/assets/{asset}/sources")).await.status(200),
            ];
            for reply in replies {
                assert!(!reply.text().contains(CANARY) && !reply.text().contains("sealed:"), "{}", reply.text());
            }
        }
        told.push_str(&app.log());
        told.push_str(&app.printed());
        assert_nowhere(app, &told);
    }

    async fn another_key_is_said_and_the_next_pull_mends_it(engine: Engine) {
        let (psa, rmm) = (freshservice::Freshservice::start(freshservice::Plan::sized(2, 3).build()).await, datto::Datto::start(world(2, 3)).await);
        let mut app = App::builder(&engine).freshservice(&psa).datto(&rmm).start().await;
        app.cli().run_beside(&["sync", "freshservice"]).await.code(0);
        app.cli().run_beside(&["sync", "datto"]).await.code(0);
        let asset = app.admin().get("/api/assets").await.ok()[0]["id"].clone();
        let key = reveal(&app.admin(), &asset, "bitlocker_key").await.status(200).text();
        assert!(key.contains(CANARY));
        app.stop().await;
        // A key that is none: nothing can be sealed, and what is stored stays.
        let file = app.instance().join("credentials.key");
        let kept = std::fs::read(&file).unwrap();
        let head = app.database.number("SELECT version FROM head");
        std::fs::write(&file, "garbage").unwrap();
        let said = app.cli().run_beside(&["sync", "datto"]).await.code(0);
        assert!(said.stdout.contains("left as they are"), "{}", said.stdout);
        assert_eq!(app.database.number("SELECT version FROM head"), head);
        // Another: the page says so, and what the vendor tells is sealed anew.
        std::fs::remove_file(&file).unwrap();
        app.start().await;
        let wrong = reveal(&app.admin(), &asset, "bitlocker_key").await.status(503).text();
        assert!(wrong.contains("key"), "{wrong}");
        app.cli().run_beside(&["sync", "datto"]).await.code(0);
        assert!(reveal(&app.admin(), &asset, "bitlocker_key").await.status(200).text().contains(CANARY));
        assert_ne!(std::fs::read(&file).unwrap(), kept);
        assert_nowhere(&app, "");
    }

    /// The rows are put back to how versions before schema 14 wrote them; then the program starts again.
    async fn what_older_versions_stored_is_sealed_and_syncs_go_on(engine: Engine) {
        let (psa, rmm) = (freshservice::Freshservice::start(freshservice::Plan::sized(2, 3).build()).await, datto::Datto::start(world(2, 4)).await);
        let mut app = App::builder(&engine).freshservice(&psa).datto(&rmm).start().await;
        app.cli().run_beside(&["sync", "freshservice"]).await.code(0);
        app.cli().run_beside(&["sync", "datto"]).await.code(0);
        rmm.world(|state| state.devices.iter_mut().for_each(|record| record["udf"]["udf5"] = json!("Done")));
        app.cli().run_beside(&["sync", "datto", "--dry-run"]).await;
        let before = stored(&app);
        app.stop().await;
        let quoted = |text: &str| text.replace('\'', "''");
        let plain = |udf: &str, at: usize| {
            let mut fields: serde_json::Map<String, Value> = serde_json::from_str(udf).unwrap();
            fields.insert("udf2".to_owned(), bitlocker(at).into());
            fields.insert("udf9".to_owned(), windows(at).into());
            let mut sorted: Vec<_> = fields.into_iter().collect();
            sorted.sort_by_key(|(name, _)| (name.len(), name.clone()));
            Value::Object(sorted.into_iter().collect()).to_string()
        };
        let old = |side: &mut Value, at: usize| if let Some(text) = side.as_str() { *side = plain(text, at).into() };
        for row in app.database.texts("SELECT asset.id || ' ' || told FROM assets asset JOIN asset_sources source ON source.asset_id = asset.id") {
            let (id, told) = row.split_once(' ').unwrap();
            let mut words: serde_json::Map<String, Value> = serde_json::from_str(told).unwrap();
            let uid = app.database.texts(&format!("SELECT external_id FROM links WHERE entity = 'asset' AND entity_id = {id}")).remove(0);
            let at = rmm.world(|state| state.uids("devices").iter().position(|known| *known == uid).unwrap());
            words.retain(|name, _| name != "bitlocker_key" && name != "windows_key");
            old(&mut words["udf"], at);
            app.database.execute(&format!("UPDATE asset_sources SET told = '{}' WHERE asset_id = {id}", quoted(&Value::Object(words.clone()).to_string())));
            app.database.execute(&format!("UPDATE assets SET udf = '{}', bitlocker_key = NULL, windows_key = NULL WHERE id = {id}", quoted(words["udf"].as_str().unwrap())));
            for row in app.database.texts(&format!("SELECT seq || ' ' || fields FROM changes WHERE entity = 'asset' AND entity_id = {id} AND fields LIKE '%udf%'")) {
                let (seq, fields) = row.split_once(' ').unwrap();
                let mut fields: serde_json::Map<String, Value> = serde_json::from_str(fields).unwrap();
                fields.retain(|name, _| name != "bitlocker_key" && name != "windows_key");
                for side in 0..2 {
                    old(&mut fields["udf"][side], at);
                }
                app.database.execute(&format!("UPDATE changes SET fields = '{}' WHERE seq = {seq}", quoted(&Value::Object(fields).to_string())));
            }
            for row in app.database.texts(&format!("SELECT id || ' ' || fields FROM sync_plan_items WHERE entity_id = {id} AND fields LIKE '%udf%'")) {
                let (item, fields) = row.split_once(' ').unwrap();
                let mut fields: Vec<Value> = serde_json::from_str(fields).unwrap();
                fields.retain(|change| change["field"] != "bitlocker_key" && change["field"] != "windows_key");
                for change in fields.iter_mut().filter(|change| change["field"] == "udf") {
                    old(&mut change["from"], at);
                    old(&mut change["to"], at + 500);
                }
                app.database.execute(&format!("UPDATE sync_plan_items SET fields = '{}' WHERE id = {item}", quoted(&Value::Array(fields).to_string())));
            }
        }
        app.database.execute("DELETE FROM settings WHERE name LIKE 'asset_secrets%'");
        assert_eq!(cells(&app.database, CANARY).len(), 4, "{:?}", cells(&app.database, CANARY));
        app.start().await;
        assert_nowhere(&app, &(app.log() + &app.printed()));
        assert_eq!(stored(&app), before, "exactly as if it had never been otherwise");
        // The proposal's items tell that the keys change, and keep sealed what they become.
        let plans = app.admin().get("/api/sync/plans").await.ok();
        let text = app.admin().get(&format!("/api/sync/plans/{}", plans[0]["id"])).await.ok().to_string();
        assert!(text.contains(r#""field":"bitlocker_key","from":"set","to":"changed""#) && !text.contains("sealed:"), "{text}");
        app.admin().post(&format!("/api/sync/plans/{}/approve", plans[0]["id"]), &json!({})).await;
        let asset = app.admin().get("/api/assets").await.ok()[0]["id"].clone();
        assert!(reveal(&app.technician(), &asset, "windows_key").await.status(200).text().contains(CANARY));
        rmm.world(|state| state.devices.iter_mut().for_each(|record| record["udf"]["udf5"] = json!("Ready for it")));
        let head = app.database.number("SELECT version FROM head");
        app.cli().run_beside(&["sync", "datto"]).await.code(0);
        let seen = app.database.texts(&format!("SELECT fields FROM changes WHERE seq > {head} AND fields LIKE '%_key%'"));
        assert!(seen.len() <= 4, "{seen:?}");
        assert_nowhere(&app, "");
    }

    async fn an_upgrade_leaves_no_plain_key_behind(engine: Engine) {
        let folder = tempfile::tempdir().unwrap();
        let database = engine.database(folder.path(), None);
        let target = Target::parse(database.url().as_deref(), folder.path()).unwrap();
        tokio::task::spawn_blocking(move || migrate::run_to(&target, 13)).await.unwrap().unwrap();
        let udf = |at: usize| json!({"udf1": "contoso.example", "udf2": bitlocker(at), "UDF9": windows(at)}).to_string();
        let words = json!({"hostname": "PC-1", "udf": udf(1)}).to_string();
        let history = json!({"hostname": [null, "PC-1"], "udf": [null, udf(1)]}).to_string();
        let changed = json!({"udf": [udf(1), udf(2)]}).to_string();
        let held = json!([{"field": "udf", "from": udf(1), "to": udf(3)}]).to_string();
        database.execute(&format!(
            "INSERT INTO assets (id, hostname, udf, created_at, updated_at, hostname_folded, search_text) VALUES
               (1, 'PC-1', '{0}', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'pc-1', 'pc-1'),
               (2, 'PC-2', '{{\"udf2\": \"{CANARY} alone\"}}', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'pc-2', 'pc-2'),
               (3, 'PC-3', 'no JSON', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'pc-3', 'pc-3');
             INSERT INTO asset_sources (asset_id, system, told, told_at) VALUES (1, 'datto', '{words}', '2026-01-01T00:00:00Z');
             INSERT INTO changes (seq, at, actor_kind, actor, entity, entity_id, action, fields) VALUES
               (1, '2026-01-01T00:00:00Z', 'sync', 'datto', 'asset', 1, 'create', '{history}'),
               (2, '2026-01-02T00:00:00Z', 'sync', 'datto', 'asset', 1, 'update', '{changed}');
             UPDATE head SET version = 2;
             INSERT INTO sync_runs (id, source, job_id, dry_run, status, started_at) VALUES (7, 'datto', 'x', FALSE, 'held', '2026-01-02T00:00:00Z');
             INSERT INTO sync_pages (run_id, list, page, fetched_at, body) VALUES (7, 'devices', 0, '2026-01-02T00:00:00Z', '{0}');
             INSERT INTO sync_plans (id, run_id, source, status, created_at, summary) VALUES (9, 7, 'datto', 'held', '2026-01-02T00:00:00Z', '{{}}');
             INSERT INTO sync_plan_items (plan_id, entity, action, state, entity_id, rev, label, reason, fields, moves) VALUES
               (9, 'asset', 'update', 'held', 1, 1, 'PC-1', 'linked', '{held}', '{{}}'),
               (9, 'asset', 'update', 'applied', 1, 1, 'PC-1', 'linked', '{held}', '{{}}')",
            udf(2)
        ));
        assert_eq!(cells(&database, CANARY).len(), 5);
        let cli = Cli::new(folder.path(), folder.path(), database.url());
        let told = cli.run(&["migrate"]).success();
        assert!(!(told.stdout + &told.stderr).contains(CANARY));
        assert_eq!(cells(&database, CANARY), Vec::<String>::new());
        assert_eq!(files(folder.path(), CANARY), Vec::<String>::new(), "neither the file nor the copy that was kept");
        assert_eq!(database.texts("SELECT COALESCE(udf, 'none') FROM assets ORDER BY id"), [r#"{"udf1":"contoso.example"}"#, "none", "no JSON"]);
        assert_eq!(database.number("SELECT count(*) FROM assets WHERE bitlocker_key LIKE 'sealed:%'"), 2);
        assert_eq!(database.texts("SELECT fields FROM changes ORDER BY seq"), [
            r#"{"hostname":[null,"PC-1"],"udf":[null,"{\"udf1\":\"contoso.example\"}"],"bitlocker_key":[null,"set"],"windows_key":[null,"set"]}"#,
            r#"{"bitlocker_key":["set","changed"],"windows_key":["set","changed"]}"#,
        ]);
        let items = database.texts("SELECT fields FROM sync_plan_items ORDER BY id");
        assert!(items[0].contains("sealed:") && items[0].contains(r#""from":"set","to":"changed""#), "what waits can be applied: {}", items[0]);
        assert!(!items[1].contains("sealed:") && items[1].contains(r#""from":"set","to":"changed""#), "{}", items[1]);
        assert_eq!(database.number("SELECT count(*) FROM sync_pages"), 0);
        if let Some(file) = database.file() {
            let copy = Database::Sqlite(file.with_extension("before-upgrade-from-13.db"));
            assert_eq!(copy.number("SELECT count(*) FROM assets WHERE udf LIKE '%\"udf2\":\"sealed:%'"), 2, "the copy can be upgraded again");
            assert_eq!(copy.texts("SELECT action FROM changes ORDER BY seq"), ["create", "update"]);
        }
        let again = cli.run(&["migrate"]).success();
        assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    }
}
