//! Settings from every source, the first settings by `init`, and what `doctor` finds.

use std::os::unix::fs::PermissionsExt as _;

use crate::freshservice::{API_KEY, Freshservice, State};
use crate::support::{App, Engine, PASSWORD, both};

fn prepared(configuration: &str) -> App {
    App::builder(&Engine::Sqlite).fresh().configuration(configuration).prepare()
}

fn shown(app: &App, variables: &[(&str, &str)], key: &str) -> serde_json::Value {
    let cli = variables.iter().fold(app.cli(), |cli, (name, value)| cli.env(name, *value));
    let all = cli.run(&["config", "show", "--json"]).success().json();
    let found = all.as_array().unwrap().iter().find(|setting| setting["key"] == key);
    found.unwrap_or_else(|| panic!("{key} is not shown")).clone()
}

#[test]
fn a_value_that_cannot_be_is_exit_2_with_its_key_and_its_origin() {
    let app = prepared("[sync]\nretire_percent = many\n");
    for words in [&["config", "show"][..], &["migrate"], &["serve", "--bind", "127.0.0.1:0"]] {
        let output = app.cli().run(words).code(2);
        assert!(output.stderr.contains("sync.retire_percent") && output.stderr.contains("codex.conf:2"), "{}", output.stderr);
        assert_eq!(output.stderr.lines().count(), 1, "one line says it: {}", output.stderr);
    }
    assert!(!app.instance().join("codex.db").exists(), "nothing was begun");
    let output = prepared("[server\n").cli().run(&["config", "show"]).code(2);
    assert!(output.stderr.contains("codex.conf") && output.stderr.contains("line 1"), "{}", output.stderr);
}

#[test]
fn an_older_file_is_read_as_python_reads_it() {
    let app = prepared(
        "; the predecessor's\n[integrations]\nFreshservice_Domain : acme\nfreshservice_api_key = per%cent;semi#hash\n\
         [database]\nconnection_string = sqlite:///other.db\n[scheduler]\nsync_psa_schedule = hourly\n[superops]\napi_url = x\n",
    );
    let output = app.cli().run(&["config", "show"]).success();
    assert!(!output.stdout.contains("semi"), "the key is hidden");
    assert!(output.stderr.contains("[superops]"), "{}", output.stderr);
    assert_eq!(shown(&app, &[], "freshservice.domain")["value"], "acme");
    assert_eq!(shown(&app, &[], "scheduler.freshservice")["value"], "hourly");
    app.cli().run(&["migrate"]).success();
    assert!(app.instance().join("other.db").exists(), "a relative path is inside the instance");
}

#[test]
fn secrets_come_from_files() {
    let app = prepared("");
    let file = app.folder().join("secret");
    std::fs::write(&file, "canary-in-a-file\n").unwrap();
    let path = file.to_str().unwrap();
    let setting = shown(&app, &[("CODEX_FRESHSERVICE_API_KEY_FILE", path)], "freshservice.api_key");
    assert_eq!((setting["value"].as_str(), setting["origin"].as_str().unwrap().contains(path)), (Some("***"), true), "{setting}");
    app.cli().env("CODEX_FRESHSERVICE_API_KEY_FILE", "/nowhere").run(&["config", "show"]).code(2);
    let address = [("CODEX_DATABASE_CONNECTION_STRING", "postgresql://codex:canary@db.example/codex")];
    assert_eq!(shown(&app, &address, "database.connection_string")["value"], "postgresql://codex:***@db.example/codex");
}

#[test]
fn the_names_that_helm_writes_are_read() {
    let app = prepared("");
    let text = "SERVICE_NAME='codex'\nCORE_SERVICE_URL=http://localhost:5000\nHELM_SERVICE_URL=http://localhost:5004\nFLASK_ENV=development\n";
    std::fs::write(app.folder().join(".flaskenv"), text).unwrap();
    assert_eq!(shown(&app, &[], "core.url")["value"], "http://localhost:5000");
    // Helm calls every installation a development; that is no wish for one without caches.
    assert_eq!(shown(&app, &[], "server.dev")["value"], "false");
    assert_eq!(shown(&app, &[("CORE_SERVICE_URL", "http://other:1")], "core.url")["origin"], "environment (CORE_SERVICE_URL)");
    let refused = app.cli().run(&["users", "list"]).code(2);
    assert!(refused.stderr.contains("Core"), "{}", refused.stderr);
}

#[test]
fn init_writes_settings_for_the_owner_alone_and_adds_an_administrator() {
    let app = prepared("# mine\n[server]\nbind = 127.0.0.1:5999\n");
    let key = app.folder().join("key");
    std::fs::write(&key, format!("{API_KEY}\n")).unwrap();
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
    let file = app.instance().join("codex.conf");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("# mine\n[server]\nbind = 127.0.0.1:5999\n") && text.contains("domain = acme"), "{text}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(app.cli().run(&["users", "list"]).success().stdout.contains("ada"));
    app.cli().run(&["init"]).code(2);
    app.cli().run(&["init", "--freshservice-domain", "no such account"]).code(2);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "what is refused is not written");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_asks_freshservice_whether_the_key_opens() {
    let vendor = Freshservice::start(State::default()).await;
    let app = App::builder(&Engine::Sqlite).freshservice(&vendor).prepare();
    let well = app.cli().run_beside(&["doctor", "--json"]).await;
    assert_eq!(well.code, 0, "{well:?}");
    let wrong = app.cli().env("CODEX_FRESHSERVICE_API_KEY", "wrong-canary").run_beside(&["doctor"]).await.code(3);
    assert!(wrong.stdout.contains("refused") && !wrong.stdout.contains("canary"), "{}", wrong.stdout);
    let file = app.instance().join("codex.db");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = app.cli().run_beside(&["doctor", "--offline"]).await.code(3);
    assert!(open.stdout.contains("codex.db can be read by others"), "{}", open.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_exit_4() {
    let app = App::start_on(&Engine::Sqlite).await;
    let address = app.base().trim_start_matches("http://");
    let output = app.cli().run(&["serve", "--bind", address]).code(4);
    assert!(output.stderr.contains(address) && output.stdout.is_empty(), "{output:?}");
}

both! {
    async fn a_healthy_run_never_says_error(engine: Engine) {
        let mut app = App::builder(&engine).fresh().argument("--demo").start().await;
        app.anonymous().get("/health").await.status(200);
        assert!(app.line("/first-run?token=").is_some());
        assert_eq!(app.stop().await, 0);
        let log = app.log().to_lowercase();
        assert!(!log.contains("error") && !log.contains("token="), "{log}");
    }
}
