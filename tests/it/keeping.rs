//! An SQLite file is one file: nothing is left beside it, damage is told, and a backup comes back whole.

use std::fs;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{App, Database, Engine, PASSWORD, eventually};

fn file(app: &App) -> PathBuf {
    app.database.file().expect("an SQLite test").to_owned()
}

/// The names of what lies beside the database and belongs to it.
fn beside(app: &App) -> Vec<String> {
    let names = fs::read_dir(app.instance()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| ["-wal", "-shm", "-journal"].iter().any(|end| name.ends_with(end))).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_beside_the_file() {
    let mut app = App::start_on(&Engine::Sqlite).await;
    app.company("100001", "Written").await;
    assert!(!beside(&app).is_empty(), "the log while it runs");
    // A command beside the server leaves the server's log alone.
    app.cli().run_beside(&["users", "list"]).await.success();
    app.company("100002", "Written too").await;
    assert_eq!(app.stop().await, 0);
    assert_eq!(beside(&app), [] as [&str; 0], "after SIGTERM");

    app.start().await;
    app.company("100003", "Written and killed").await;
    app.kill();
    assert!(!beside(&app).is_empty(), "the log of the dead");
    let (cli, waiting) = (app.cli(), app.cli());
    let after = |what: &str| assert_eq!(beside(&app), [] as [&str; 0], "after {what}");
    let run = |words: &[&str], code: i32| {
        cli.run(words).code(code);
        after(&words.join(" "));
    };
    for _twice in 0..2 {
        run(&["doctor", "--offline"], 0);
        run(&["migrate", "--status"], 0);
        run(&["migrate"], 0);
    }
    run(&["users", "list"], 0);
    run(&["users", "disable", "nobody"], 1);
    run(&["token", "clients"], 0);
    run(&["config", "show"], 0);
    run(&["sync", "plans"], 0);
    run(&["sync", "show", "99"], 1);
    run(&["sync", "freshservice"], 2);
    run(&["backup"], 0);
    assert_eq!(app.database.number("SELECT count(*) FROM companies"), 3);
    // Interrupted while it waits for a password, with the database open.
    for signal in ["-INT", "-TERM"] {
        let mut command = waiting.command(&["users", "passwd", "tess", "--password-stdin"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Held open: to wait for a child closes its input, which would end it before the signal does.
        let held = child.stdin.take();
        eventually("the database is open", 10, || async { !beside(&app).is_empty() }).await;
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let code = child.wait().unwrap().code();
        drop(held);
        assert_eq!(code, Some(if signal == "-INT" { 130 } else { 143 }));
        after(signal);
    }
}

/// Writes rubbish over the page on which a table begins.
fn spoil(app: &App, table: &str) {
    let page = app.database.number(&format!("SELECT rootpage FROM sqlite_master WHERE name = '{table}'"));
    let size = app.database.number("PRAGMA page_size");
    let place = u64::try_from((page - 1) * size).unwrap();
    let opened = fs::OpenOptions::new().write(true).open(file(app)).unwrap();
    opened.write_all_at(&vec![0xA5; usize::try_from(size).unwrap()], place).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_called_damage_and_is_found() {
    let mut app = App::start_on(&Engine::Sqlite).await;
    app.company("100001", "Whole").await;
    app.contact("Bo Whole", "bo@example.com", &["100001"]).await;
    // The disk of the machine may be rather full; that is not what is looked at here.
    assert_eq!(app.anonymous().get("/health").await.ok()["checks"]["database"]["status"], "healthy");
    assert_eq!(app.stop().await, 0);
    app.cli().run(&["doctor", "--offline"]).success();
    spoil(&app, "contacts");

    let found = app.cli().run(&["doctor", "--offline"]).code(3);
    assert!(found.stdout.contains("damaged") && found.stdout.contains("codex restore"), "{}", found.stdout);
    let refused = app.cli().run(&["backup"]).code(5);
    assert!(refused.stderr.contains("damaged"), "a damaged database makes no backup: {}", refused.stderr);

    // Nobody has read the page: the search after the start finds it.
    app.start().await;
    let api = app.anonymous();
    let told = || async { api.get("/health").await.json()["checks"]["database"]["status"] == "unhealthy" };
    eventually("health tells of the damage", 20, told).await;
    let health = api.get("/health").await.ok();
    assert_eq!(health["status"], "degraded");
    assert!(health["checks"]["database"]["error"].as_str().unwrap().contains("restore a backup"), "{health}");
    let read = app.service().get("/api/contacts").await.status(500);
    assert!(read.error().contains("damaged") && read.error().contains("restore a backup"), "{}", read.error());
    let body = json!({"name": "Ann", "email": "ann@example.com", "company_account_numbers": ["100001"]});
    let written = app.admin().post("/api/contacts", &body).await.status(500);
    assert!(written.error().contains("damaged"), "{}", written.error());
    app.service().get("/api/companies/100001").await.ok();
    assert_eq!(app.stop().await, 0);

    // No database at all any more: the program says so and leaves.
    fs::write(file(&app), vec![0x5A; 8192]).unwrap();
    let gone = app.cli().run(&["serve", "--bind", "127.0.0.1:0"]).code(5);
    assert!(gone.stderr.contains("damaged") && gone.stderr.contains("codex restore"), "{}", gone.stderr);
    assert_eq!(gone.stderr.matches("damaged").count(), 1, "said once: {}", gone.stderr);
    app.cli().run(&["doctor", "--offline"]).code(3);
}

/// A bare copy with its checksum beside it, as `codex backup` made them before it put everything into one archive.
fn bare_copy(app: &App, name: &str) -> PathBuf {
    let copy = app.folder().join(name);
    app.database.execute(&format!("VACUUM INTO '{}'", copy.display()));
    let summed = Command::new("sha256sum").arg(name).current_dir(app.folder()).output().unwrap();
    assert!(summed.status.success(), "{}", String::from_utf8_lossy(&summed.stderr));
    fs::write(format!("{}.sha256", copy.display()), summed.stdout).unwrap();
    copy
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bare_copy_comes_back_whole_or_not_at_all() {
    let mut app = App::start_on(&Engine::Sqlite).await;
    app.company("100001", "Kept").await;
    let backup = bare_copy(&app, "codex-20261130T013000Z.db");
    let path = backup.to_str().unwrap().to_owned();
    app.cli().run_beside(&["backup", &path]).await.code(2);
    assert!(app.cli().run_beside(&["backup", "verify", &path]).await.code(2).stderr.contains("bare SQLite file"));

    app.company("100002", "After the backup").await;
    let running = app.cli().run_beside(&["restore", &path]).await.code(4);
    assert!(running.stderr.contains("stop Codex first"), "{}", running.stderr);
    app.service().get("/api/companies/100002").await.ok();
    // Killed, it leaves a log that belongs to the old file.
    app.kill();
    assert!(!beside(&app).is_empty());

    let bytes = fs::read(&backup).unwrap();
    let other = app.folder().join("other.db");
    let refuse = |bytes: &[u8], why: &str| {
        fs::write(&other, bytes).unwrap();
        let refused = app.cli().run(&["restore", other.to_str().unwrap()]).code(2);
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
        assert_eq!(app.database.number("SELECT count(*) FROM companies"), 2, "the live database is untouched");
    };
    refuse(&bytes[..bytes.len() / 2], "damaged");
    refuse(b"no database at all, but long enough to be read as the beginning of one", "damaged");
    refuse(b"", "not a Codex database");
    let flipped = bare_copy(&app, "flipped.db").to_str().unwrap().to_owned();
    let mut bits = fs::read(&flipped).unwrap();
    let middle = bits.len() / 2;
    bits[middle] ^= 1;
    fs::write(&flipped, bits).unwrap();
    let refused = app.cli().run(&["restore", &flipped]).code(2);
    assert!(refused.stderr.contains("sha256"), "one flipped bit is found: {}", refused.stderr);
    let newer = app.folder().join("newer.db");
    fs::copy(&backup, &newer).unwrap();
    Database::Sqlite(newer.clone()).execute("UPDATE refinery_schema_history SET version = 9999 WHERE version = 1");
    let refused = app.cli().run(&["restore", newer.to_str().unwrap()]).code(2);
    assert!(refused.stderr.contains("newer Codex"), "{}", refused.stderr);

    let done = app.cli().run(&["restore", &path, "--json"]).success().json();
    assert_eq!(beside(&app), [] as [&str; 0]);
    let kept = PathBuf::from(done["kept"].as_str().unwrap());
    assert_eq!(Database::Sqlite(kept).number("SELECT count(*) FROM companies"), 2, "the old file is kept whole");
    assert_eq!(mode(&file(&app)), 0o600);
    app.start().await;
    app.service().get("/api/companies/100001").await.status(401);
    let token = app.cli().run_beside(&["token", "create", "--user", "ada"]).await.success().stdout;
    let admin = app.with_token(token.trim());
    admin.get("/api/companies/100001").await.ok();
    admin.get("/api/companies/100002").await.status(404);
    admin.post("/api/companies", &json!({"account_number": "100002", "name": "Written again"})).await.status(201);
    assert_eq!(app.stop().await, 0);

    // A damaged file with its log is replaced as well, and a lost one.
    fs::write(file(&app), vec![0x5A; 8192]).unwrap();
    fs::write(format!("{}-wal", file(&app).display()), vec![0x5A; 8192]).unwrap();
    app.cli().run(&["restore", &path]).success();
    assert_eq!(app.database.number("SELECT count(*) FROM companies"), 1);
    fs::remove_file(file(&app)).unwrap();
    app.cli().run(&["restore", &path]).success();
    app.cli().run(&["doctor", "--offline"]).success();
}

/// The user `nobody`, for whom root works in this test.
const NOBODY: u32 = 65_534;

#[tokio::test(flavor = "multi_thread")]
async fn what_root_makes_belongs_to_the_owner_of_the_folder() {
    if fs::metadata("/proc/self").map(|me| std::os::unix::fs::MetadataExt::uid(&me)).unwrap() != 0 {
        return;
    }
    let app = App::builder(&Engine::Sqlite).fresh().prepare();
    fs::create_dir(app.instance()).unwrap();
    std::os::unix::fs::chown(app.instance(), Some(NOBODY), Some(NOBODY)).unwrap();
    fs::write(app.folder().join("key"), "k").unwrap();
    let cli = app.cli();
    cli.run(&["init", "--freshservice-domain", "acme", "--freshservice-api-key-file", "key"]).success();
    let add = ["users", "add", "ada", "--email", "ada@example.com", "--role", "admin", "--password-stdin"];
    cli.run_with_input(&add, PASSWORD).success();
    cli.run(&["backup"]).success();
    let backup = fs::read_dir(app.instance().join("backups")).unwrap().next().unwrap().unwrap().path();
    cli.run(&["restore", backup.to_str().unwrap()]).success();
    let mut seen = Vec::new();
    let mut waiting = vec![app.instance().to_owned()];
    while let Some(path) = waiting.pop() {
        let found = fs::metadata(&path).unwrap();
        let owner = std::os::unix::fs::MetadataExt::uid(&found);
        assert_eq!(owner, NOBODY, "{} is not the service's", path.display());
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            assert_eq!(found.permissions().mode() & 0o077, 0, "{} can be read by others", path.display());
        }
        seen.push(path.file_name().unwrap().to_string_lossy().into_owned());
    }
    for name in ["codex.db", "codex.conf", "jwt_private.pem", "codex.migrate.lock", "codex.lock"] {
        assert!(seen.iter().any(|found| found == name), "{name} in {seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_tells_what_is_wrong_with_its_place() {
    let app = App::builder(&Engine::Sqlite).fresh().prepare();
    fs::write(app.folder().join("plain"), "x").unwrap();
    let mut command = app.cli().command(&["serve", "--instance", "plain", "--bind", "127.0.0.1:0"]);
    let refused = command.output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("plain") && said.contains("a file") && said.contains("--instance"), "{said}");
    tokio::time::sleep(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_may_only_be_read_is_told() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    use std::os::unix::process::CommandExt as _;
    let app = tokio::task::spawn_blocking(|| App::builder(&Engine::Sqlite).prepare()).await.unwrap();
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let places = [app.folder().to_owned(), app.instance().to_owned(), file(&app)];
    for (place, mode) in places.iter().zip([0o700, 0o500, 0o400]) {
        if is_root {
            chown(place, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        fs::set_permissions(place, fs::Permissions::from_mode(mode)).unwrap();
    }
    let before = fs::read(file(&app)).unwrap();
    for words in [&["serve", "--bind", "127.0.0.1:0"][..], &["users", "disable", "tess"], &["backup"]] {
        let mut command = app.cli().command(words);
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        let ended = match command.output() {
            // Nobody but root reaches the program where it was built: then this cannot be tried.
            Err(error) if is_root && error.kind() == std::io::ErrorKind::PermissionDenied => return,
            ended => ended.unwrap(),
        };
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(5), "{words:?}: {said}");
        assert!(said.contains(app.instance().to_str().unwrap()), "{words:?}: {said}");
        assert!(said.contains("read-only") || said.contains("denied"), "{words:?}: {said}");
    }
    assert_eq!(fs::read(file(&app)).unwrap(), before);
    assert_eq!(beside(&app), [] as [&str; 0]);
    fs::set_permissions(app.instance(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(file(&app), fs::Permissions::from_mode(0o600)).unwrap();
    app.cli().run(&["backup"]).success();
}

/// `runuser -u codex -- codex …` in root's own folder.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_runs_in_a_folder_that_is_closed_to_it() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let app = tokio::task::spawn_blocking(|| App::builder(&Engine::Sqlite).prepare()).await.unwrap();
    let closed = app.folder().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::write(closed.join(".flaskenv"), "CORE_SERVICE_URL=http://127.0.0.1:1\n").unwrap();
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if is_root {
        let keys = app.instance().join("keys");
        let inside = fs::read_dir(&keys).into_iter().flatten().map(|key| key.unwrap().path());
        for place in inside.chain([app.folder().to_owned(), app.instance().to_owned(), file(&app), keys.clone()]) {
            chown(place, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    let become_nobody = if is_root { "chmod 700 . && exec runuser -u nobody -- \"$@\"" } else { "chmod 000 . && exec \"$@\"" };
    let command = app.cli().command(&["users", "list"]);
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", become_nobody, "sh"]).arg(command.get_program()).args(command.get_args()).current_dir(&closed);
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("CODEX_INSTANCE", app.instance());
    let ended = shell.output().unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    // Nobody but root reaches the program where it was built: then this cannot be tried.
    if is_root && said.contains("ermission denied") && said.contains("runuser") {
        return;
    }
    assert!(ended.status.success() && String::from_utf8_lossy(&ended.stdout).contains("ada"), "{said}");
}

/// A full disk, by the limit on the size of files that a shell sets: the program cannot tell the difference.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_stored_is_said_and_nothing_acknowledged_is_lost() {
    let mut app = tokio::task::spawn_blocking(|| App::builder(&Engine::Sqlite).prepare()).await.unwrap();
    let size = app.database.file().unwrap().metadata().unwrap().len() / 1024;
    app.limit_files(size + 600);
    app.start().await;
    let (admin, database) = (app.admin(), |health: &Value| health["checks"]["database"]["status"].clone());
    assert_eq!(database(&app.anonymous().get("/health").await.ok()), "healthy");
    let filling = "x".repeat(2_000);
    let mut stored = Vec::new();
    let refused = loop {
        let number = format!("{}", 500_000 + stored.len());
        let reply =
            admin.post("/api/companies", &json!({"account_number": number, "name": number, "description": filling})).await;
        if reply.status != 201 {
            break reply;
        }
        stored.push(number);
        assert!(stored.len() < 2_000, "the disk never became full");
    };
    assert_eq!(refused.status, 507, "{}", refused.text());
    assert!(!stored.is_empty());
    let health = app.anonymous().get("/health").await.status(200).json();
    assert_eq!((&health["status"], database(&health)), (&json!("degraded"), json!("unhealthy")), "{health}");
    assert!(health["checks"]["database"]["error"].as_str().unwrap().contains("cannot be written"), "{health}");
    let last = stored.last().unwrap().clone();
    app.service().get(&format!("/api/companies/{last}")).await.ok();

    // Whoever frees some room need not start it again.
    app.make_room();
    app.company("600001", "There is room again").await;
    assert_eq!(database(&app.anonymous().get("/health").await.ok()), "healthy");
    app.kill();
    app.start().await;
    for number in stored.iter().map(String::as_str).chain(["600001"]) {
        app.service().get(&format!("/api/companies/{number}")).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_that_goes_into_a_deleted_file() {
    let mut app = App::start_on(&Engine::Sqlite).await;
    app.company("100001", "Kept").await;
    let (file, aside) = (file(&app), file(&app).with_extension("aside"));
    fs::rename(&file, &aside).unwrap();
    let refused = app.admin().put("/api/companies/100001", &json!({"name": "Lost"})).await.status(503);
    assert!(
        refused.error().contains("deleted or replaced") && refused.error().contains("nothing was done"),
        "{}",
        refused.error()
    );
    let health = app.anonymous().get("/health").await.status(503).json();
    let database = &health["checks"]["database"];
    assert_eq!((&health["status"], &database["status"]), (&json!("unhealthy"), &json!("unhealthy")));
    assert!(database["error"].as_str().unwrap().contains("deleted or replaced"), "{health}");
    assert!(app.log().contains("deleted or replaced"), "the log says which file, and what to do");
    assert!(!file.exists(), "no empty database takes its place");
    // Put back, all is as it was.
    fs::rename(&aside, &file).unwrap();
    app.admin().put("/api/companies/100001", &json!({"name": "Kept well"})).await.ok();
    assert_eq!(app.anonymous().get("/health").await.ok()["checks"]["database"]["status"], "healthy");
    assert_eq!(app.stop().await, 0);
    app.start().await;
    assert_eq!(app.service().get("/api/companies/100001").await.ok()["name"], "Kept well");
}
