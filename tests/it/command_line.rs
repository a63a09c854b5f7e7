//! The command line and the configuration: what a person types and what a cron job sees.

use std::collections::BTreeMap;

use crate::support::{App, Engine};

fn prepared(configuration: &str) -> App {
    App::builder(&Engine::Sqlite).configuration(configuration).prepare()
}

#[test]
fn help_names_every_verb_and_every_exit_code() {
    let app = prepared("");
    let help = app.cli().run(&["--help"]).success().stdout;
    for verb in ["serve", "init", "migrate", "sync", "users", "token", "config", "completions", "man"] {
        assert!(help.contains(&format!("  {verb}")), "{verb} is not in the help");
        app.cli().run(&[verb, "--help"]).success();
    }
    for code in ["0 done", "1 failure", "2 usage", "4 locked", "5 storage", "6 upstream", "7 plan"] {
        assert!(help.contains(code), "{code}");
    }
}

#[test]
fn wrong_usage_is_exit_2_and_says_what_is_right() {
    let app = prepared("");
    for words in [
        &["nonsense"][..],
        &["serve", "--bind", "nowhere"],
        &["users", "add", "x", "--email", "x@example.com", "--role", "emperor"],
        &["token", "create"],
    ] {
        let output = app.cli().run(words).code(2);
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{words:?}: {output:?}");
    }
}

#[test]
fn config_show_names_sources_and_hides_secrets() {
    let app =
        prepared("[freshservice]\napi_key = secret-in-the-file%x\ndomain = acme.freshservice.com\n[server]\nlog_level = info\n");
    let shown = app.cli().env("CODEX_SERVER_LOG_LEVEL", "debug").run(&["config", "show"]).success().stdout;
    assert!(!shown.contains("secret-in-the-file"), "{shown}");
    assert!(shown.contains("***") && shown.contains("acme.freshservice.com"));
    let level = shown.lines().find(|line| line.contains("log_level")).expect("log_level is shown");
    assert!(level.contains("debug") && level.contains("CODEX_SERVER_LOG_LEVEL"), "the environment wins over the file: {level}");
    let domain = shown.lines().find(|line| line.contains("acme.freshservice.com")).unwrap();
    assert!(domain.contains("codex.conf"), "{domain}");
}

#[test]
fn a_typing_mistake_in_the_configuration_is_reported_with_a_suggestion() {
    let app = prepared("[freshservice]\napi_kye = x\n");
    let output = app.cli().run(&["config", "show"]);
    let said = format!("{}{}", output.stdout, output.stderr);
    assert!(said.contains("api_kye") && said.contains("api_key"), "{said}");
}

#[test]
fn a_flaskenv_counts_less_than_the_environment() {
    let app = prepared("");
    std::fs::write(app.folder().join(".flaskenv"), "CODEX_SERVER_LOG_LEVEL=\"warn\"\nexport FLASK_APP=run.py\n").unwrap();
    let shown = app.cli().run(&["config", "show"]).success().stdout;
    assert!(
        shown.lines().any(|line| line.contains("log_level") && line.contains("warn") && line.contains(".flaskenv")),
        "{shown}"
    );
    let shown = app.cli().env("CODEX_SERVER_LOG_LEVEL", "error").run(&["config", "show"]).success().stdout;
    assert!(shown.lines().any(|line| line.contains("log_level") && line.contains("error")), "{shown}");
}

#[test]
fn the_description_of_the_api_is_printed_without_a_server() {
    let app = prepared("");
    let printed: serde_json::Value = serde_json::from_str(&app.cli().run(&["openapi"]).success().stdout).unwrap();
    assert_eq!(&printed, codex::app::description());
    let table = app.cli().run(&["openapi", "--table"]).success().stdout;
    assert!(table.contains("/api/companies/{acct}") && table.contains("Company: read"), "{table}");
}

#[test]
fn the_readme_has_every_operation() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let (_, rest) = text.split_once("<!-- operations -->\n").expect("where the operations begin");
    let (written, _) = rest.split_once("<!-- /operations -->").expect("where they end");
    let table = prepared("").cli().run(&["openapi", "--table"]).success().stdout;
    assert!(written.trim() == table.trim(), "put what `codex openapi --table` prints between the marks of README.md");
}

#[test]
fn completions_and_manual_are_printed() {
    let app = prepared("");
    for shell in ["bash", "zsh", "fish"] {
        assert!(app.cli().run(&["completions", shell]).success().stdout.contains("codex"), "{shell}");
    }
    assert!(app.cli().run(&["man"]).success().stdout.contains(".TH"));
    let folder = app.instance().join("man");
    app.cli().run(&["man", "--out", folder.to_str().unwrap()]).success();
    let pages: BTreeMap<String, String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap())
        .map(|file| (file.file_name().into_string().unwrap(), std::fs::read_to_string(file.path()).unwrap()))
        .collect();
    assert!(pages.contains_key("codex.1") && pages.contains_key("codex-users-add.1"), "{:?}", pages.keys());
    for (name, page) in &pages {
        let named = page.lines().filter_map(|line| line.strip_suffix("(1)").map(|command| command.replace('\\', "")));
        for command in named.filter(|command| command.starts_with("codex")) {
            assert!(pages.contains_key(&format!("{command}.1")), "{name} leads to a page of {command} that is not there");
        }
    }
}

#[test]
fn a_token_alone_is_on_standard_output() {
    let app = App::builder(&Engine::Sqlite).prepare();
    let output = app.cli().run(&["token", "create", "--service", "cron"]).success();
    let token = output.stdout.trim();
    assert_eq!(output.stdout.lines().count(), 1);
    assert_eq!(token.split('.').count(), 3, "{token}");
    let nobody = app.cli().run(&["token", "create", "--user", "nobody"]);
    assert!(nobody.code != 0 && nobody.stdout.is_empty(), "{nobody:?}");
}

#[test]
fn a_closed_pipe_is_no_panic() {
    let app = App::builder(&Engine::Sqlite).prepare();
    let mut child =
        app.cli().command(&["man"]).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_folder_that_cannot_be_written_is_exit_5() {
    let app = prepared("");
    let file = app.folder().join("a-file");
    std::fs::write(&file, "not a folder").unwrap();
    let mut command = crate::support::codex(app.folder());
    let output = command.args(["--instance", "a-file/instance", "migrate"]).output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr).lines().filter(|line| line.contains("error")).count(), 1);
}

#[test]
fn a_damaged_database_is_said_and_left_alone() {
    let app = prepared("[server]\n");
    let file = app.instance().join("codex.db");
    std::fs::write(&file, b"this is not a database, but somebody may want it back".repeat(100)).unwrap();
    let before = std::fs::read(&file).unwrap();
    let output = app.cli().run(&["migrate"]).code(5);
    assert!(!output.stderr.is_empty());
    assert_eq!(std::fs::read(&file).unwrap(), before);
}
