//! Backups: everything in one file, tried out before it counts, refused when it is not what it was, and put back whole.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Instant;

use age::secrecy::ExposeSecret as _;
use age::x25519::Identity;
use codex::backups::archive::{self, Writer};
use codex::backups::make::{self, Destination, Made};
use codex::backups::manifest::Manifest;
use codex::backups::restore;
use codex::config::Config;
use codex::db::backup::Proof;
use codex::db::{Conn, Engine as Kind, Target};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, App, Engine, both, eventually, is_long};

const CONTENT: &[u8] = b"%PDF-1.7\nwhat the contract says\n";
const OTHER: &[u8] = b"%PDF-1.7\nwhat its appendix says\n";
/// Where credentials may be entered whose address is no public one.
const PRIVATE: &str = "CODEX_SYNC_PRIVATE_ADDRESSES";

/// The folder where backups go by default.
fn folder(app: &App) -> PathBuf {
    app.instance().join("backups")
}

/// The names in a folder; one that is not there has none.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// What is left in the instance of a backup or restore that is over.
fn leavings(app: &App) -> Vec<String> {
    let all = [names(app.instance()), names(&folder(app))].concat();
    all.into_iter().filter(|name| name.starts_with("scratch-") || name.ends_with(".new")).collect()
}

/// Where an attachment lies.
fn stored(app: &App, content: &[u8]) -> PathBuf {
    let folders = fs::read_dir(app.instance().join("attachments")).unwrap().flatten();
    let mut files = folders.flat_map(|folder| fs::read_dir(folder.path()).unwrap().flatten()).map(|file| file.path());
    files.find(|file| fs::read(file).unwrap() == content).unwrap()
}

/// Makes a backup of a running Codex with the command.
async fn backup(app: &App, more: &[&str]) -> PathBuf {
    let made = app.cli().run_beside(&[&["backup"], more].concat()).await.success();
    PathBuf::from(made.stdout.trim())
}

fn companies(app: &App) -> i64 {
    app.database.number("SELECT count(*) FROM companies")
}

/// A caller who has signed in anew.
async fn again(app: &App) -> Api {
    let made = app.cli().run_beside(&["token", "create", "--user", "ada"]).await.success();
    app.with_token(made.stdout.trim())
}

/// The configuration and the database of an instance, for calls in this process.
fn inside(app: &App) -> (Config, Target) {
    let target = Target::parse(app.database.url().as_deref(), app.instance()).unwrap();
    (Config::for_instance(app.instance()).unwrap(), target)
}

async fn make_here(app: &App) -> Made {
    let ((config, target), to) = (inside(app), Destination::Folder(folder(app)));
    tokio::task::spawn_blocking(move || make::make(&config, &target, &to, &[]).unwrap()).await.unwrap()
}

/// Tries to restore a file; why it was refused.
async fn refused(app: &App, file: &Path) -> String {
    let ((config, target), file) = (inside(app), file.to_owned());
    let nothing = |_: &mut Conn| Ok(());
    let tried = tokio::task::spawn_blocking(move || restore::restore(&config, &target, &file, &[], nothing));
    tried.await.unwrap().expect_err("it was restored").to_string()
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

/// Runs the job and waits for its end.
async fn run_job(admin: &Api) -> Value {
    admin.post_raw("/admin/sync/backup", "application/x-www-form-urlencoded", "").await.status(303);
    eventually("the job ends", 60, || async { admin.get("/sync/last/backup").await.json()["status"] != "running" }).await;
    admin.get("/sync/last/backup").await.ok()
}

/// The dashboard has the newest changes, although numbers are missing before them.
fn shows_changes(page: &str) {
    assert!(page.contains("New"), "{page}");
}

async fn dashboard(api: &Api) -> String {
    api.get_with("/", "accept", "text/html").await.status(200).text()
}

both! {
    async fn everything_comes_back_as_it_was(engine: Engine) {
        let mut app = App::builder(&engine).env(PRIVATE, "true").start().await;
        let admin = app.admin();
        let company = app.company("100001", "Kept").await["id"].clone();
        let place = format!("/api/attachments?entity=company&entity_id={company}&name=a.pdf");
        let file = admin.post_raw(&place, "application/octet-stream", CONTENT.to_vec()).await.status(201).json();
        let other = admin.post_raw(&place, "application/octet-stream", OTHER.to_vec()).await.status(201).json();
        let entered = json!({"domain": "https://acme.example.com", "api_key": "canary-key"});
        admin.put("/api/sync/credentials/freshservice", &entered).await.ok();
        let made = app.cli().run_beside(&["backup", "--json"]).await.success().json();
        assert_eq!((&made["restored_aside"], &made["encrypted"]), (&json!(true), &json!(false)), "{made}");
        let path = PathBuf::from(made["file"].as_str().unwrap());
        assert_eq!(path.parent(), Some(folder(&app).as_path()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!((fs::metadata(&path).unwrap().len(), archive::digest(&path).unwrap()), (made["bytes"].as_u64().unwrap(), made["sha256"].as_str().unwrap().to_owned()));
        assert_eq!(leavings(&app), [] as [&str; 0]);
        let listed = admin.get("/api/backups").await.ok();
        assert_eq!((&listed[0]["state"], &listed[0]["made_by"], &listed[0]["attachments"]), (&json!("restorable"), &json!("cli"), &json!(2)), "{listed}");
        let verified = app.cli().run_beside(&["backup", "verify", path.to_str().unwrap(), "--json"]).await.success().json();
        assert_eq!((&verified["restored_aside"], &verified["engine"], &verified["attachments"]), (&json!(true), &json!(engine.name()), &json!(2)));

        app.company("100002", "After the backup").await;
        let running = app.cli().run_beside(&["restore", path.to_str().unwrap()]).await.code(4);
        assert!(running.stderr.contains("stop Codex first"), "{}", running.stderr);
        assert_eq!(companies(&app), 2);
        app.kill();
        // One is gone, the other has as many bytes as before.
        fs::remove_file(stored(&app, CONTENT)).unwrap();
        fs::write(stored(&app, OTHER), OTHER.to_ascii_uppercase()).unwrap();
        let key = app.instance().join("credentials.key");
        let before = fs::read(&key).unwrap();
        fs::write(&key, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
        let pem = app.instance().join("keys/jwt_private.pem");
        fs::remove_file(&pem).unwrap();
        let versions = app.database.number("SELECT max(version) FROM versions");

        let done = app.cli().run_beside(&["restore", path.to_str().unwrap(), "--json"]).await.success().json();
        assert_eq!((&done["attachments"], done["files"].as_array().unwrap().len()), (&json!(2), 2), "{done}");
        assert_eq!(leavings(&app), [] as [&str; 0]);
        assert_eq!(companies(&app), 1);
        assert!(app.database.number("SELECT max(version) FROM versions") > versions, "no answer of before is taken for one of now");
        let kept = done["kept"].as_str().unwrap();
        match app.database.file() {
            Some(_) => assert_eq!(crate::support::Database::Sqlite(kept.into()).number("SELECT count(*) FROM companies"), 2),
            None => {
                let schema = kept.split(' ').find(|word| word.starts_with("before_restore_")).unwrap();
                assert_eq!(app.database.number(&format!("SELECT count(*) FROM {schema}.companies")), 2);
            }
        }
        assert_eq!(fs::read(&key).unwrap(), before);
        for private in [&key, &pem, &app.instance().join("attachments")] {
            assert_eq!(fs::metadata(private).unwrap().permissions().mode() & 0o077, 0, "{}", private.display());
        }
        app.start().await;
        for token in [&app.tokens().admin, &app.tokens().service] {
            app.with_token(token).get("/api/companies").await.status(401);
        }
        let admin = again(&app).await;
        admin.get("/api/companies/100001").await.ok();
        admin.get("/api/companies/100002").await.status(404);
        for (file, content) in [(&file, CONTENT), (&other, OTHER)] {
            assert_eq!(admin.get(&format!("/api/attachments/{}/content", file["id"])).await.status(200).body, content);
        }
        let credentials = admin.get("/api/sync/credentials/freshservice").await.ok();
        assert_eq!((&credentials["configured"], &credentials["problem"]), (&json!(true), &Value::Null), "{credentials}");
        admin.post("/api/companies", &json!({"account_number": "100003", "name": "Written again"})).await.status(201);
        let doctor = app.cli().run_beside(&["doctor", "--offline"]).await.success();
        assert!(doctor.stdout.contains("the last one that can be restored is of"), "it knows where it comes from: {}", doctor.stdout);
        let known = admin.get("/api/backups").await.ok();
        assert_eq!((&known[0]["made_by"], &known[0]["state"], &known[0]["sha256"]), (&json!("restore"), &json!("restorable"), &made["sha256"]), "{known}");
        // A second backup, of what was restored.
        backup(&app, &[]).await;
        if app.database.file().is_none() {
            let number = app.database.number("SELECT CAST(oid AS BIGINT) FROM pg_database WHERE datname = current_database()");
            let left = format!("SELECT count(*) FROM pg_database WHERE datname LIKE 'codex_rehearsal_{number}_%'");
            assert_eq!(app.database.number(&left), 0, "what backups are tried out in is dropped");
        }
    }

    async fn a_condition_of_before_fits_no_record_that_has_come_as_far_again(engine: Engine) {
        let mut app = App::start_on(&engine).await;
        app.company("100001", "First").await;
        let path = backup(&app, &[]).await;
        let name = |name: &str| json!({"name": name});
        let put = async |api: &Api, etag: &str, body: &Value| {
            api.send(Method::PUT, "/api/companies/100001", |request| request.header("if-match", etag).json(body)).await
        };
        let mut lost = Vec::new();
        for (name_then, name_now) in [("Lost", "Another"), ("Lost again", "Yet another")] {
            let admin = again(&app).await;
            let etag = admin.put("/api/companies/100001", &name(name_then)).await.status(200).header("etag").to_owned();
            put(&admin, &etag, &name(name_then)).await.status(200);
            lost.push(etag);
            app.kill();
            app.cli().run_beside(&["restore", path.to_str().unwrap()]).await.success();
            app.start().await;
            let admin = again(&app).await;
            admin.put("/api/companies/100001", &name(name_now)).await.status(200);
            for etag in &lost {
                put(&admin, etag, &name("Overwritten")).await.status(412);
            }
            let now = admin.get("/api/companies/100001").await;
            let etag = now.header("etag").to_owned();
            assert_eq!(now.ok()["name"], json!(name_now));
            put(&admin, &etag, &name("Mine")).await.status(200);
        }
    }

    async fn who_follows_the_changes_is_told_that_some_were_lost(engine: Engine) {
        let mut app = App::start_on(&engine).await;
        app.company("100001", "Kept").await;
        let path = backup(&app, &[]).await;
        let read = async |api: &Api, since: &Value| api.get(&format!("/api/changes?since={since}&types=company")).await;
        let numbers = |page: &Value| page["changes"].as_array().unwrap().iter().map(|change| change["seq"].as_i64().unwrap()).collect::<Vec<_>>();
        let before = read(&app.service(), &json!(0)).await.ok()["cursor"].clone();
        app.company("100002", "Lost").await;
        app.company("100003", "Lost, too").await;
        let lost = read(&app.service(), &before).await.ok()["cursor"].clone();
        app.kill();
        app.cli().run_beside(&["restore", path.to_str().unwrap()]).await.success();
        app.start().await;
        let admin = again(&app).await;
        dashboard(&admin).await;
        let at_once = read(&admin, &lost).await.status(410).json();
        let idle = read(&admin, &before).await.ok();
        assert_eq!((numbers(&idle), &idle["cursor"]), (Vec::new(), &at_once["start"]), "{idle}");

        // As many changes as were lost, and more: their numbers are nobody else's.
        for number in 100_004..100_010 {
            admin.post("/api/companies", &json!({"account_number": number.to_string(), "name": "New"})).await.status(201);
        }
        let told = read(&admin, &lost).await.status(410).json();
        assert!(told["detail"].as_str().unwrap().contains("restored from a backup"), "{told}");
        let new = numbers(&read(&admin, &before).await.ok());
        assert_eq!(new.len(), 6);
        assert!(new.iter().all(|number| *number > lost.as_i64().unwrap()), "{new:?} after {lost}");
        for cursor in [&told["start"], &idle["cursor"]] {
            assert_eq!(numbers(&read(&admin, cursor).await.ok()), new, "nothing is missed from {cursor} on");
        }
        shows_changes(&dashboard(&admin).await);
    }

    async fn backups_under_write_load_are_each_consistent(engine: Engine) {
        let count = if engine.name() == "sqlite" || is_long() { 200 } else { 20 };
        let app = App::start_on(&engine).await;
        let already = app.database.number("SELECT count(*) FROM changes");
        let (stop, sent, stored) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
        let mut writers = tokio::task::JoinSet::new();
        for _ in 0..2 {
            let (admin, stop, sent, stored) = (app.admin(), Arc::clone(&stop), Arc::clone(&sent), Arc::clone(&stored));
            writers.spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let number = 100_000 + sent.fetch_add(1, Ordering::SeqCst);
                    let body = json!({"account_number": number.to_string(), "name": format!("Company {number}")});
                    admin.post("/api/companies", &body).await.status(201);
                    stored.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let began = Instant::now();
        for _ in 0..count {
            let before = stored.load(Ordering::SeqCst);
            let made = make_here(&app).await;
            assert_eq!(made.proof, Proof::Restored);
            let inside = made.manifest.database.tables["companies"];
            let after = sent.load(Ordering::SeqCst);
            assert!((before..=after).contains(&inside), "{inside} companies, of {before} that were stored before and {after} that were sent");
            // Each company came with one change; a state between would have one of the two.
            assert_eq!(inside + already, made.manifest.database.tables["changes"]);
            fs::remove_file(&made.path).unwrap();
        }
        let took = began.elapsed();
        stop.store(true, Ordering::SeqCst);
        while let Some(ended) = writers.join_next().await {
            ended.unwrap();
        }
        eprintln!("{}: {count} backups in {took:?} beside {} writes", engine.name(), stored.load(Ordering::SeqCst));
        assert!(stored.load(Ordering::SeqCst) > count, "there was no load");
        assert_eq!(leavings(&app), [] as [&str; 0]);
    }

    async fn what_is_not_as_it_was_made_is_refused_and_nothing_changes(engine: Engine) {
        let mut app = App::start_on(&engine).await;
        app.company("100001", "Live").await;
        let whole = backup(&app, &[]).await;
        assert_eq!(app.stop().await, 0);
        let bytes = fs::read(&whole).unwrap();
        let other = app.folder().join("other.tar.zst");
        let state = |app: &App| match app.database.file() {
            Some(file) => archive::digest(file).unwrap(),
            None => app.database.texts("SELECT name || updated_at FROM companies").join(";"),
        };
        let before = state(&app);
        let mut dice = Dice(20_261_201);
        for round in 0..100 {
            let changed = if round % 2 == 0 {
                let mut changed = bytes.clone();
                // Everywhere, and each part of the beginning and the end as well.
                let at = match round % 6 { 0 => round / 2, 2 => bytes.len() - 1 - round / 2, _ => dice.below(bytes.len()) };
                changed[at] ^= 1 << dice.below(8);
                changed
            } else {
                let length = match round { 1 => 0, 3 => bytes.len() - 1, 5 => bytes.len() - 48, _ => dice.below(bytes.len()) };
                bytes[..length].to_vec()
            };
            fs::write(&other, changed).unwrap();
            let why = refused(&app, &other).await;
            assert!(why.contains("damaged") || why.contains("not a") || why.contains("encrypted"), "round {round}: {why}");
            assert_eq!(state(&app), before, "round {round} changed the live database");
        }
        let why = app.cli().run(&["restore", other.to_str().unwrap()]).code(2).stderr;
        assert!(why.contains("other.tar.zst"), "{why}");
        assert_eq!(leavings(&app), [] as [&str; 0]);
        assert_eq!(companies(&app), 1);

        // Sound archives that are not ours to restore.
        let scratch = app.folder().join("unpacked");
        fs::create_dir(&scratch).unwrap();
        let manifest = archive::read(&whole, &[], &mut |name| Ok(name.starts_with("database").then(|| scratch.join("database")))).unwrap();
        let rewritten = |change: &dyn Fn(&mut Manifest)| {
            let _there_may_be_one = fs::remove_file(&other);
            let mut manifest = manifest.clone();
            change(&mut manifest);
            let mut writer = Writer::create(&other, &[]).unwrap();
            writer.add(manifest.database_name(), &scratch.join("database")).unwrap();
            writer.finish(manifest).unwrap();
        };
        let is_file = app.database.file().is_some();
        let another = if is_file { Kind::Postgres } else { Kind::Sqlite };
        type Change<'c> = &'c dyn Fn(&mut Manifest);
        let cases: [(Change<'_>, &str); 4] = [
            (&|manifest| manifest.format = 2, "newer Codex"),
            (&|manifest| manifest.database.schema_version = 9_999, "newer Codex"),
            (&|manifest| manifest.database.engine = another, "this instance uses"),
            (&|manifest| *manifest.database.tables.get_mut("companies").unwrap() += 1, "companies: the backup was made with 2 rows"),
        ];
        for (change, why) in cases {
            rewritten(change);
            let said = refused(&app, &other).await;
            assert!(said.contains(why), "{said}");
            assert_eq!(state(&app), before);
        }
        let mut foreign = tar::Builder::new(zstd::Encoder::new(fs::File::create(&other).unwrap(), 1).unwrap());
        foreign.append_path_with_name(scratch.join("database"), "../../etc/passwd.txt").unwrap_err();
        foreign.append_path_with_name(scratch.join("database"), "holiday.jpg").unwrap();
        foreign.into_inner().unwrap().finish().unwrap();
        assert!(refused(&app, &other).await.contains("not a backup of Codex"));
        fs::write(&other, "a letter to the editor").unwrap();
        assert!(refused(&app, &other).await.contains("not a Codex database or backup"));
        assert_eq!(state(&app), before);
        // The one that is whole still is.
        app.cli().run(&["restore", whole.to_str().unwrap()]).success();
        assert_eq!(companies(&app), 1);
    }

    async fn an_encrypted_backup_opens_with_its_identity_alone(engine: Engine) {
        let mut app = App::start_on(&engine).await;
        app.company("100001", "Canary Dental").await;
        let (identity, stranger) = (Identity::generate(), Identity::generate());
        let key = |name: &str, identity: &Identity| {
            let path = app.folder().join(name);
            fs::write(&path, format!("# created: today\n{}\n", identity.to_string().expose_secret())).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (right, wrong) = (key("right.txt", &identity), key("wrong.txt", &stranger));
        let to = app.folder().join("away");
        let path = backup(&app, &["--to", to.to_str().unwrap(), "--encrypt-to", &identity.to_public().to_string()]).await;
        assert!(path.starts_with(&to) && path.to_str().unwrap().ends_with(".tar.zst.age"), "{}", path.display());
        assert_eq!(names(&to).len(), 1, "nothing but what is encrypted is written there");
        assert_eq!(app.admin().get("/api/backups").await.ok()[0]["state"], "restorable", "it was tried out as well");
        let path = path.to_str().unwrap().to_owned();
        for (more, why) in [(vec![], "--identity"), (vec!["--identity", wrong.as_str()], "another identity")] {
            let refused = app.cli().run_beside(&[&["backup", "verify", &path], more.as_slice()].concat()).await.code(2);
            assert!(refused.stderr.contains(why), "{}", refused.stderr);
        }
        app.cli().run_beside(&["backup", "verify", &path, "--identity", &right]).await.success();
        for (recipient, why) in [("age1nobody", "age1nobody"), ("AGE-SECRET-KEY-1CANARY", "no recipient")] {
            let refused = app.cli().run_beside(&["backup", "--encrypt-to", recipient]).await.code(2);
            assert!(refused.stderr.contains(why) && !refused.stderr.contains("CANARY"), "{}", refused.stderr);
        }
        app.company("100002", "After the backup").await;
        assert_eq!(app.stop().await, 0);
        let mut bytes = fs::read(&path).unwrap();
        let mut dice = Dice(7);
        for _ in 0..20 {
            let (at, bit) = (dice.below(bytes.len()), 1 << dice.below(8));
            bytes[at] ^= bit;
            let flipped = app.folder().join("flipped.age");
            fs::write(&flipped, &bytes).unwrap();
            app.cli().run(&["restore", flipped.to_str().unwrap(), "--identity", &right]).code(2);
            bytes[at] ^= bit;
        }
        app.cli().run(&["restore", &path]).code(2);
        app.cli().run(&["restore", &path, "--identity", &wrong]).code(2);
        assert_eq!(companies(&app), 2);
        app.cli().run(&["restore", &path, "--identity", &right]).success();
        assert_eq!(companies(&app), 1);
    }

    async fn the_job_tries_out_keeps_and_tells(engine: Engine) {
        let app = App::builder(&engine).env("CODEX_SKIP_SCHEDULER", "").env("CODEX_BACKUP_KEEP", "1d").start().await;
        let admin = app.admin();
        app.company("100001", "Acme").await;
        let states = async || {
            let listed = admin.get("/api/backups").await.ok();
            listed.as_array().unwrap().iter().map(|backup| backup["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let open = async || {
            let open = admin.get("/api/notices").await.ok();
            let mine = open.as_array().unwrap().iter().filter(|notice| notice["kind"] == "backup");
            mine.map(|notice| notice["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        eventually("the schedule is known", 20, || async { dashboard(&admin).await.contains("No backups yet") }).await;

        // What a process left that died the day before yesterday.
        fs::create_dir_all(app.instance().join("scratch-dead")).unwrap();
        fs::create_dir_all(folder(&app)).unwrap();
        let draft = folder(&app).join("codex-20200101T000000Z.tar.zst.new");
        fs::write(&draft, "half").unwrap();
        for left in [app.instance().join("scratch-dead"), draft] {
            let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000);
            fs::File::open(left).unwrap().set_modified(old).unwrap();
        }
        let done = run_job(&admin).await;
        assert_eq!(done["status"], "completed", "{done}");
        assert!(done["output"].as_str().unwrap().contains("restored aside"), "{done}");
        assert_eq!(leavings(&app), [] as [&str; 0]);
        assert_eq!(states().await, ["restorable"]);
        assert_eq!(admin.get("/api/backups").await.ok()[0]["made_by"], "ada");
        assert!(dashboard(&admin).await.contains("The last one that can be restored"));

        // Broken by hand between two runs: found, told, and left for a person to look at.
        let first = folder(&app).join(&names(&folder(&app))[0]);
        let mut bytes = fs::read(&first).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&first, bytes).unwrap();
        let done = run_job(&admin).await;
        assert!(done["status"] == "failed" && done["error"].as_str().unwrap().contains("cannot be restored"), "{done}");
        assert_eq!(states().await, ["restorable", "broken"]);
        eventually("it is told", 60, || async { !open().await.is_empty() }).await;
        let told = open().await;
        let name = first.file_name().unwrap().to_str().unwrap();
        assert!(told[0].contains(name) && told[0].contains("cannot be restored"), "{told:?}");
        let (page, html) = (admin.get_with("/admin/backups", "accept", "text/html").await.status(200).text(), dashboard(&admin).await);
        assert!(page.contains("Cannot be restored") && page.contains("Restorable") && page.contains("SHA-256"), "{page}");
        assert!(html.contains("cannot be restored") && html.contains("/admin/backups"), "{html}");
        assert!(!dashboard(&app.technician()).await.contains("/admin/backups"), "who cannot look at it is not sent there");

        // One backup a day is kept: the newest that can be restored. What is broken is no longer told once it is deleted.
        fs::remove_file(&first).unwrap();
        let done = run_job(&admin).await;
        assert_eq!(done["status"], "completed", "{done}");
        assert!(done["output"].as_str().unwrap().contains("1 deleted"), "{done}");
        assert_eq!(names(&folder(&app)).len(), 1);
        let last = admin.get("/api/backups").await.ok();
        assert_eq!((&last[0]["state"], last[1]["missing_since"].is_string(), last.as_array().unwrap().len()), (&json!("restorable"), true, 2), "{last}");
        eventually("it is well again", 60, || async { open().await.is_empty() }).await;

        app.database.execute("UPDATE backups SET made_at = '2026-01-02T03:04:05Z' WHERE state = 'restorable'");
        eventually("it is late", 60, || async { open().await == ["No backup since 2026-01-02T03:04:05Z can be restored"] }).await;
        assert!(dashboard(&admin).await.contains("No backup since"));
        // A folder that cannot be written.
        fs::remove_dir_all(folder(&app)).unwrap();
        fs::write(folder(&app), "in the way").unwrap();
        let done = run_job(&admin).await;
        assert!(done["status"] == "failed" && done["error"].as_str().unwrap().contains("backups"), "{done}");
        assert_eq!(states().await[0], "failed");
        eventually("that is told too", 60, || async { open().await.contains(&"The last backup failed".to_owned()) }).await;
    }

    async fn the_command_keeps_what_it_is_told_to_keep(engine: Engine) {
        let app = App::start_on(&engine).await;
        app.company("100001", "Acme").await;
        let first = backup(&app, &[]).await;
        let second = backup(&app, &[]).await;
        assert!(first.exists() && second.exists(), "nothing is deleted unless that is asked for");
        let third = backup(&app, &["--keep", "3d"]).await;
        assert_eq!(names(&folder(&app)), [third.file_name().unwrap().to_str().unwrap()], "three of a day are one");
        assert_eq!(app.admin().get("/api/backups").await.ok().as_array().unwrap().len(), 1);
        let chosen = app.folder().join("chosen.tar.zst");
        assert_eq!(backup(&app, &[chosen.to_str().unwrap()]).await, chosen);
        app.cli().run_beside(&["backup", chosen.to_str().unwrap()]).await.code(2);
        for wrong in ["7", "0d", "seven"] {
            assert!(app.cli().run_beside(&["backup", "--keep", wrong]).await.code(2).stderr.contains("7d,4w,12m"));
        }
    }

    async fn a_full_disk_leaves_no_half_file(engine: Engine) {
        let app = App::start_on(&engine).await;
        for number in 0..20 {
            let body = json!({"account_number": (200_000 + number).to_string(), "name": "Large", "description": (0..1_200).map(|n| format!("{}", n * 7_919 + number)).collect::<String>()});
            app.admin().post("/api/companies", &body).await.status(201);
        }
        backup(&app, &[app.folder().join("room.tar.zst").to_str().unwrap()]).await;
        let command = app.cli().command(&["backup"]);
        let mut shell = Command::new("sh");
        shell.arg("-c").arg("trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"").arg(command.get_program()).args(command.get_args());
        shell.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(app.folder());
        let ended = shell.output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success(), "{said}");
        assert_eq!((names(&folder(&app)), leavings(&app)), (Vec::new(), Vec::new()), "{said}");
        backup(&app, &[]).await;
    }
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_create_no_database_is_told_that_nothing_was_tried_out() {
    let Some(engine) = Engine::postgres() else { return };
    let app = tokio::task::spawn_blocking(move || App::builder(&engine).fresh().prepare()).await.unwrap();
    let role = format!("codex_plain_{}", std::process::id());
    let name = app.database.texts("SELECT CAST(current_database() AS TEXT)").remove(0);
    app.database.execute(&format!("DROP ROLE IF EXISTS {role}"));
    app.database.execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'plain'; ALTER DATABASE {name} OWNER TO {role}"));
    let mut url = url::Url::parse(&app.database.url().unwrap()).unwrap();
    url.set_username(&role).unwrap();
    url.set_password(Some("plain")).unwrap();
    let cli = app.cli().env("CODEX_DATABASE_CONNECTION_STRING", url.to_string());
    let run = async |words: &[&str]| cli.run_beside(words).await;
    run(&["migrate"]).await.success();
    let made = run(&["backup", "--json"]).await.success().json();
    assert_eq!(made["restored_aside"], false, "{made}");
    let path = made["file"].as_str().unwrap();
    let state = app.database.texts("SELECT state || ' ' || problem FROM backups").remove(0);
    assert!(state.starts_with("unproven ") && state.contains("CREATEDB"), "{state}");
    let said = run(&["backup", "verify", path]).await.success().stdout;
    assert!(said.contains("every file is as it was") && said.contains("CREATEDB"), "{said}");
    run(&["restore", path]).await.success();
    run(&["migrate", "--status"]).await.success();
    app.database.execute(&format!("REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}; DROP ROLE {role}"));
}
