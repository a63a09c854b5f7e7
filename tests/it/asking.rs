//! What a person at a terminal sees: `codex init` asks, checks and tries; lists that are empty say so; failures name
//! what to look at.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::freshservice::{API_KEY, Freshservice, State};
use crate::support::{App, Cli, Engine, PASSWORD, both};

/// A command at a terminal (util-linux's `script` makes one), and somebody who reads and types.
struct Terminal {
    child: Child,
    keys: ChildStdin,
    shown: Arc<Mutex<String>>,
    read: usize,
}

impl Terminal {
    fn start(cli: &Cli, arguments: &[&str]) -> Self {
        let command = cli.command(arguments);
        let words: Vec<String> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| format!("'{}'", word.to_string_lossy()))
            .collect();
        let mut script = Command::new("script");
        script.args(["-qec", &words.join(" "), "/dev/null"]).env_clear().env("TERM", "xterm");
        script.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = command.get_current_dir() {
            script.current_dir(folder);
        }
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a terminal");
        let (mut output, keys) = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
        let shown = Arc::new(Mutex::new(String::new()));
        let seen = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut buffer) {
                seen.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
        });
        Self { child, keys, shown, read: 0 }
    }

    /// Waits until this is shown, after what was waited for before.
    fn sees(&mut self, text: &str) {
        let began = Instant::now();
        loop {
            let shown = self.shown.lock().unwrap().clone();
            if let Some(at) = shown[self.read..].find(text) {
                self.read += at + text.len();
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "no {text:?} after {:?}", &shown[self.read..]);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn types(&mut self, text: &str) {
        // The prompt is shown before the keys are listened to.
        std::thread::sleep(Duration::from_millis(150));
        self.keys.write_all(text.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn answers(&mut self, question: &str, answer: &str) {
        self.sees(question);
        self.types(&format!("{answer}\r"));
    }

    fn ends(mut self) {
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.shown.lock().unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn init_checks_each_answer_and_tries_the_keys() {
    let vendor = Freshservice::start(State::default()).await;
    let url = vendor.url().to_owned();
    let app = App::builder(&Engine::Sqlite).fresh().prepare();
    let cli = app.cli();
    let instance = app.instance().to_owned();
    tokio::task::spawn_blocking(move || {
        let mut terminal = Terminal::start(&cli, &["init"]);
        terminal.answers("SQLite or PostgreSQL", "oracle");
        terminal.sees("answer sqlite or postgresql");
        terminal.answers("SQLite or PostgreSQL", "");
        terminal.answers("Freshservice account", "no such account");
        terminal.answers("Freshservice account", &url);
        terminal.answers("Freshservice API key", "wrong");
        terminal.sees("the key is refused");
        terminal.sees("Enter it again?");
        terminal.types("y");
        terminal.answers("Freshservice account", "");
        terminal.answers("Freshservice API key", API_KEY);
        terminal.sees("the key is accepted");
        terminal.answers("Datto RMM platform", "");
        terminal.sees("Add an administrator now?");
        terminal.types("y");
        terminal.answers("Sign-in name", "ada");
        terminal.answers("E-mail", "nonsense");
        terminal.sees("must be an e-mail address");
        terminal.answers("E-mail", "ada@example.com");
        terminal.answers("Password for ada", PASSWORD);
        terminal.answers("Once more", PASSWORD);
        terminal.sees("Added the administrator ada");
        terminal.ends();
        let text = std::fs::read_to_string(instance.join("codex.conf")).unwrap();
        assert!(text.contains(&format!("domain = {url}")) && text.contains(&format!("api_key = {API_KEY}")), "{text}");
        assert!(!text.contains("wrong") && !text.contains("connection_string"), "{text}");

        let mut again = Terminal::start(&cli, &["init"]);
        again.answers("SQLite or PostgreSQL", "");
        again.sees(&format!("[{url}"));
        again.sees("codex.conf");
        again.types("\r");
        again.answers("Freshservice API key [configured]", "");
        again.sees("the key is accepted");
        again.answers("Datto RMM platform", "");
        again.sees("Add an administrator now?");
        again.types("n");
        again.ends();
        assert_eq!(std::fs::read_to_string(instance.join("codex.conf")).unwrap(), text, "what was kept is as it was");

        // By flags, and tried before anything is written.
        std::fs::write(instance.join("key"), "wrong").unwrap();
        let key = instance.join("key").to_str().unwrap().to_owned();
        let refused = cli.run(&["init", "--freshservice-api-key-file", &key, "--test"]).code(6);
        assert!(refused.stderr.contains("[freshservice] api_key"), "{}", refused.stderr);
        assert_eq!(std::fs::read_to_string(instance.join("codex.conf")).unwrap(), text);
    })
    .await
    .unwrap();
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread")]
async fn init_asks_for_postgresql_until_it_answers() {
    let Some(engine) = Engine::postgres() else { return };
    let app = tokio::task::spawn_blocking(move || App::builder(&engine).fresh().prepare()).await.unwrap();
    let address = url::Url::parse(&app.database.url().unwrap()).unwrap();
    let cli = Cli::new(app.folder(), app.instance(), None);
    let conf = app.instance().join("codex.conf");
    tokio::task::spawn_blocking(move || {
        let user = if address.username().is_empty() { "postgres" } else { address.username() };
        let mut terminal = Terminal::start(&cli, &["init"]);
        for (port, good) in [("1", false), (&*address.port().unwrap_or(5432).to_string(), true)] {
            terminal.answers("SQLite or PostgreSQL", "postgresql");
            terminal.answers("Host", address.host_str().unwrap());
            terminal.answers("Port", port);
            terminal.answers("Database name", address.path().trim_start_matches('/'));
            terminal.answers("User", user);
            terminal.answers("Password", address.password().unwrap_or("p@ss w/rd"));
            terminal.sees("Make this user and this database now");
            terminal.types("n");
            if good {
                terminal.sees("The database can be used");
            } else {
                terminal.sees(":1 refuses the connection");
                terminal.sees("Try again?");
                terminal.types("y");
            }
        }
        terminal.answers("Freshservice account", "");
        terminal.answers("Datto RMM platform", "");
        terminal.sees("Add an administrator now?");
        terminal.types("n");
        terminal.ends();
        let text = std::fs::read_to_string(&conf).unwrap();
        assert!(text.contains("connection_string = postgresql://"), "{text}");
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&conf).unwrap()) & 0o777, 0o600);
        cli.run(&["migrate"]).success();
    })
    .await
    .unwrap();
}

/// The address of another database, and of another user, on the server of the tests.
#[cfg(feature = "postgres")]
fn on_the_server(app: &App, database: &str, user: Option<(&str, &str)>) -> url::Url {
    let mut address = url::Url::parse(&app.database.url().unwrap()).unwrap();
    address.set_path(database);
    if let Some((name, password)) = user {
        address.set_username(name).unwrap();
        address.set_password(Some(password)).unwrap();
    }
    address
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread")]
async fn init_makes_user_and_database_and_drops_one_whose_name_was_typed() {
    let Some(engine) = Engine::postgres() else { return };
    let app = tokio::task::spawn_blocking(move || App::builder(&engine).fresh().prepare()).await.unwrap();
    let cli = Cli::new(app.folder(), app.instance(), None);
    let (user, database) = (format!("moved_user_{}", std::process::id()), format!("moved_in_{}", std::process::id()));
    tokio::task::spawn_blocking(move || {
        let admin = on_the_server(&app, "postgres", None);
        let ask = |terminal: &mut Terminal| {
            terminal.answers("SQLite or PostgreSQL", "postgresql");
            terminal.answers("Host", admin.host_str().unwrap());
            terminal.answers("Port", &admin.port().unwrap_or(5432).to_string());
            terminal.answers("Database name", &database);
            terminal.answers("User", &user);
            terminal.answers("Password", "it's \"odd\"");
            terminal.sees("Make this user and this database now");
            terminal.types("y");
            terminal.answers("Administrator's address", admin.as_str());
        };
        let finish = |mut terminal: Terminal| {
            terminal.sees("The database can be used");
            terminal.answers("Freshservice account", "");
            terminal.answers("Datto RMM platform", "");
            terminal.sees("Add an administrator now?");
            terminal.types("n");
            terminal.ends();
        };
        let mut terminal = Terminal::start(&cli, &["init"]);
        ask(&mut terminal);
        terminal.sees(&format!("Database {database}: made; made the user {user}"));
        finish(terminal);
        cli.run(&["migrate"]).success();
        let users = || cli.run(&["users", "list"]);
        let password = app.folder().join("password");
        std::fs::write(&password, "it's \"odd\"").unwrap();
        cli.run_with_input(
            &["users", "add", "ada", "--email", "ada@example.com", "--role", "admin", "--password-stdin"],
            PASSWORD,
        )
        .success();
        assert!(users().success().stdout.contains("ada"));

        // Asked again, the configured one is not kept; another name than its own drops nothing.
        let again = |typed: &str, says: &str| {
            std::fs::remove_file(app.instance().join("codex.conf")).unwrap();
            let mut terminal = Terminal::start(&cli, &["init"]);
            ask(&mut terminal);
            terminal.answers("type its name", typed);
            terminal.sees(says);
            finish(terminal);
        };
        again("something", "was there and is kept");
        assert!(users().success().stdout.contains("ada"));
        again(&database, "dropped and made anew");
        assert!(!users().success().stdout.contains("ada"));

        // By flags: only with its name once more.
        let secret = app.folder().join("admin");
        std::fs::write(&secret, admin.as_str()).unwrap();
        let (host, port) = (admin.host_str().unwrap().to_owned(), admin.port().unwrap_or(5432).to_string());
        let flags = [
            "init",
            "--db-host",
            &host,
            "--db-port",
            &port,
            "--db-name",
            &database,
            "--db-user",
            &user,
            "--db-password-file",
            password.to_str().unwrap(),
            "--db-admin-file",
            secret.to_str().unwrap(),
            "--test",
        ];
        let refused = cli.run(&[&flags[..], &["--drop-database", "else"]].concat()).code(2);
        assert!(refused.stderr.contains("nothing was dropped"), "{}", refused.stderr);
        let kept = cli.run(&flags);
        assert!(kept.stderr.contains("was there and is kept"), "{}", kept.stderr);
        let dropped = cli.run(&[&flags[..], &["--drop-database", &database]].concat());
        assert!(dropped.stderr.contains("dropped and made anew"), "{}", dropped.stderr);
        for file in std::fs::read_dir(app.instance()).unwrap().flatten() {
            let mode = std::os::unix::fs::MetadataExt::mode(&file.metadata().unwrap());
            assert_eq!(mode & 0o077, 0, "{} can be read by others", file.path().display());
        }
        app.database.execute(&format!("DROP DATABASE {database} WITH (FORCE)"));
        app.database.execute(&format!("DROP ROLE {user}"));
    })
    .await
    .unwrap();
}

/// Whatever the umask of whoever sets Codex up.
#[test]
fn nothing_that_init_makes_can_be_read_by_others() {
    let app = App::builder(&Engine::Sqlite).fresh().prepare();
    let key = app.folder().join("key");
    std::fs::write(&key, API_KEY).unwrap();
    let words = [
        "init",
        "--freshservice-domain",
        "acme",
        "--freshservice-api-key-file",
        key.to_str().unwrap(),
        "--admin",
        "ada",
        "--email",
        "ada@example.com",
        "--password-stdin",
    ];
    app.cli().run_with_input(&words, PASSWORD).success();
    let mut names: Vec<String> = Vec::new();
    for file in std::fs::read_dir(app.instance()).unwrap().flatten() {
        let mode = std::os::unix::fs::MetadataExt::mode(&file.metadata().unwrap());
        assert_eq!(mode & 0o077, 0, "{} can be read by others", file.path().display());
        names.push(file.file_name().to_string_lossy().into_owned());
    }
    assert!(names.iter().any(|name| name == "codex.migrate.lock") && names.iter().any(|name| name == "codex.conf"), "{names:?}");
}

#[cfg(feature = "postgres")]
#[test]
fn a_server_that_is_away_is_named_once_with_what_to_look_at() {
    let app = App::builder(&Engine::Sqlite)
        .fresh()
        .env("CODEX_DATABASE_CONNECTION_STRING", "postgresql://u:canary@127.0.0.1:1/x")
        .prepare();
    for verb in [&["users", "list"][..], &["migrate"], &["sync", "plans"], &["migrate", "--status"]] {
        let said = app.cli().run(verb).code(5).stderr;
        assert!(said.contains("127.0.0.1:1") && said.contains("[database]") && said.lines().count() == 1, "{verb:?}: {said}");
        assert!(!said.contains("os error") && !said.contains("canary"), "{said}");
    }
    let told = app.cli().run(&["doctor", "--offline"]).code(3).stdout;
    assert!(told.contains("127.0.0.1:1") && told.contains("[database]"), "{told}");
    let app = App::builder(&Engine::Sqlite)
        .fresh()
        .env("CODEX_DATABASE_CONNECTION_STRING", "postgresql://u:canary@127.0.0.1:99999/x")
        .prepare();
    let said = app.cli().run(&["users", "list"]).code(2).stderr;
    assert!(said.contains("database.connection_string") && !said.contains("canary"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_is_away_or_refuses_is_named_once_with_what_to_look_at() {
    let app = App::builder(&Engine::Sqlite).prepare();
    let away = app.cli().env("CODEX_FRESHSERVICE_DOMAIN", "http://127.0.0.1:1").env("CODEX_FRESHSERVICE_API_KEY", "k");
    let told = away.run(&["doctor"]).code(3).stdout;
    let line = told.lines().find(|line| line.contains("freshservice")).unwrap();
    assert!(line.contains("127.0.0.1:1") && line.contains("[freshservice] domain") && !line.contains("os error"), "{line}");
    let vendor = Freshservice::start(State::default()).await;
    let refused = app.cli().env("CODEX_FRESHSERVICE_DOMAIN", vendor.url()).env("CODEX_FRESHSERVICE_API_KEY", "canary");
    let said = refused.run_beside(&["sync", "freshservice"]).await.code(6).stderr;
    assert_eq!(said.matches("(401)").count(), 1, "once: {said}");
    assert!(said.contains("[freshservice] api_key") && !said.contains("canary"), "{said}");
}

#[test]
fn doctor_finds_a_key_that_signs_nothing() {
    let app = App::builder(&Engine::Sqlite).prepare();
    app.cli().run(&["doctor", "--offline"]).success();
    std::fs::write(app.instance().join("keys/jwt_private.pem"), "no key").unwrap();
    let told = app.cli().run(&["doctor", "--offline"]).code(3).stdout;
    assert!(told.contains("WRONG signing key") && told.contains("jwt_private.pem holds no RSA private key"), "{told}");
    assert!(told.contains("no damage, can be written"), "{told}");
}

#[test]
fn every_command_says_that_the_instance_is_a_file() {
    let app = App::builder(&Engine::Sqlite).fresh().prepare();
    std::fs::write(app.folder().join("plain"), "x").unwrap();
    for verb in [
        &["serve", "--bind", "127.0.0.1:0"][..],
        &["doctor", "--offline"],
        &["users", "list"],
        &["config", "show"],
        &["migrate", "--status"],
    ] {
        for place in ["plain", "plain/below"] {
            let said = Cli::new(app.folder(), &app.folder().join(place), None).run(verb).code(5).stderr;
            assert!(
                said.contains("plain is a file") && said.contains("--instance") && !said.contains("os error"),
                "{verb:?}: {said}"
            );
        }
    }
}

both! {
    async fn empty_lists_say_so_beside_the_data(engine: Engine) {
        let app = App::builder(&engine).fresh().start().await;
        for (verb, words) in [
            (&["users", "list"][..], "No users yet"),
            (&["token", "clients"], "No service"),
            (&["sync", "plans"], "No plans yet"),
            (&["sync", "review", "list"], "Nothing to review"),
            (&["accounts", "outbox"], "Nothing waits"),
        ] {
            let said = app.cli().run_beside(verb).await.success();
            assert!(said.stdout.is_empty() && said.stderr.contains(words), "{verb:?}: {said:?}");
            let json: Vec<&str> = verb.iter().copied().chain(["--json"]).collect();
            let said = app.cli().run_beside(&json).await.success();
            assert_eq!((said.json(), said.stderr.as_str()), (serde_json::json!([]), ""), "{verb:?}");
        }
    }

    async fn real_data_is_not_mixed_into_the_demo(engine: Engine) {
        let vendor = Freshservice::start(crate::freshservice::Plan::sized(3, 5).build()).await;
        let app = App::builder(&engine).freshservice(&vendor).start().await;
        app.company("100001", "Harbor Made Up").await;
        app.contact("Bo Made Up", "bo@example.com", &["100001"]).await;
        app.asset("MADE-UP", "100001").await;
        // As `serve --demo` marks what it has filled (the_demo_fills_an_empty_database_and_no_other).
        app.database.execute("INSERT INTO settings (name, value) VALUES ('demo', '2026-11-30T00:00:00Z')");
        for verb in [&["sync", "freshservice"][..], &["sync", "tickets"], &["accounts", "assign"], &["sync", "all"]] {
            let refused = app.cli().run_beside(verb).await;
            assert_ne!(refused.code, 0, "{verb:?}");
            assert!(refused.stderr.contains("demo data") && refused.stderr.contains("--instance"), "{verb:?}: {}", refused.stderr);
        }
        let admin = app.admin();
        let refused = admin.post("/sync/freshservice", &serde_json::json!({})).await.status(409);
        assert!(refused.text().contains("demo data"), "{}", refused.text());
        assert_eq!(app.database.number("SELECT count(*) FROM sync_runs"), 0);

        app.cli().run_beside(&["demo", "remove"]).await.code(2);
        app.cli().run_beside(&["demo", "remove", "--yes"]).await.success();
        for list in ["companies", "contacts", "assets"] {
            assert_eq!(admin.get(&format!("/api/{list}?limit=10")).await.ok(), serde_json::json!([]), "{list}");
        }
        assert_eq!(admin.get("/api/search?q=harbor").await.ok()["total"].as_i64().unwrap_or(0), 0);
        assert_eq!(app.database.number("SELECT count(*) FROM changes"), 0);
        app.cli().run_beside(&["demo", "remove", "--yes"]).await.code(2);
        app.cli().run_beside(&["sync", "freshservice"]).await.success();
        assert_eq!(app.database.number("SELECT count(*) FROM companies"), 3, "the real ones alone");
        app.cli().run_beside(&["doctor", "--offline"]).await.success();
    }
}

#[test]
fn the_demo_has_a_folder_of_its_own() {
    let app = App::builder(&Engine::Sqlite).fresh().prepare();
    let mut command = crate::support::codex(app.folder());
    let mut child =
        command.args(["serve", "--demo", "--bind", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains("Data: ") {
        assert_ne!(std::io::BufRead::read_line(&mut output, &mut said).unwrap(), 0, "{said}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(said.contains("demo-instance/codex.db"), "{said}");
    assert!(!app.folder().join("instance").exists());
}
