//! Precedence, origins, suggestions and refusals of the whole configuration.

use std::collections::BTreeMap;

use super::*;

fn sources(conf: &str, flaskenv: &str, environment: &[(&str, &str)]) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    let instance = folder.path().join("instance");
    std::fs::create_dir(&instance).unwrap();
    std::fs::write(instance.join("codex.conf"), conf).unwrap();
    std::fs::write(folder.path().join(".flaskenv"), flaskenv).unwrap();
    let environment: BTreeMap<String, String> = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let sources = Sources { instance, folder: folder.path().to_owned(), environment, ..Sources::default() };
    (folder, sources)
}

fn origin(config: &Config, key: &str) -> String {
    config.shown().iter().find(|s| s.key == key).unwrap().origin.clone()
}

#[test]
fn each_source_beats_the_one_before() {
    let (_folder, mut sources) =
        sources("[server]\nbind = 127.0.0.1:1\n[core]\nURL: http://conf\n", "CORE_SERVICE_URL='http://env/'\n", &[]);
    let config = Config::load(&sources).unwrap();
    assert_eq!((config.server.bind.port(), config.core.url.as_deref()), (1, Some("http://env")));
    assert_eq!(origin(&config, "core.url"), ".flaskenv:1 (CORE_SERVICE_URL)");
    assert!(origin(&config, "server.bind").ends_with("instance/codex.conf:2"));

    sources.stored.insert(("freshservice".to_owned(), "domain".to_owned()), "acme".to_owned());
    sources.environment.insert("CODEX_SERVER_BIND".to_owned(), "127.0.0.1:2".to_owned());
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.server.bind.port(), 2);
    assert_eq!(config.freshservice.url.as_deref(), Some("https://acme.freshservice.com"));

    let flag = Value { text: "127.0.0.1:3".to_owned(), origin: "--bind".to_owned() };
    sources.flags.push(("server", "bind", flag));
    let config = Config::load(&sources).unwrap();
    assert_eq!((config.server.bind.port(), origin(&config, "server.bind").as_str()), (3, "--bind"));
}

#[test]
fn the_own_name_of_a_variable_beats_the_borrowed_one() {
    let environment = [("LOG_LEVEL", "WARNING"), ("CODEX_SERVER_LOG_LEVEL", "debug")];
    let (_folder, sources) = sources("", "", &environment);
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.server.log_level, "debug");
}

#[test]
fn mail_needs_a_sender_and_an_account_has_two_parts() {
    let (_folder, sources) =
        sources("[mail]\nhost = mail.example.com\nuser = codex\nfrom = nobody\nport = 0\ntls = some\n", "", &[]);
    let wrong = Config::load(&sources).unwrap_err().to_string();
    for key in ["mail.from", "mail.password", "mail.port", "mail.tls"] {
        assert!(wrong.contains(key), "{key}: {wrong}");
    }
    let (_folder, sources) = self::sources("[mail]\nhost = mail.example.com\nfrom = Codex <codex@example.com>\n", "", &[]);
    let mail = Config::load(&sources).unwrap().mail.unwrap();
    assert_eq!((mail.port, mail.tls, mail.account.is_some()), (587, mail::Tls::StartTls, false));
    let (_folder, sources) = self::sources("[mail]\nfrom = nobody\n", "", &[]);
    assert!(Config::load(&sources).unwrap().mail.is_none());
}

#[test]
fn older_names_of_vendor_keys_still_count() {
    let conf = "[integrations]\nfreshservice_api_key = old%key\nfreshservice_domain = acme\n[freshservice]\ndomain = newer\n";
    let (_folder, sources) = sources(conf, "", &[]);
    let config = Config::load(&sources).unwrap();
    let (url, key) = config.freshservice.credentials().unwrap();
    assert_eq!((url, key.expose()), ("https://newer.freshservice.com", "old%key"));
}

#[test]
fn secrets_come_from_files_and_are_never_shown() {
    let (folder, mut sources) = sources("[datto]\nsecret_key = canary1\n", "", &[]);
    let file = folder.path().join("key");
    std::fs::write(&file, "canary2\n").unwrap();
    sources.environment.insert("CODEX_FRESHSERVICE_API_KEY_FILE".to_owned(), file.display().to_string());
    sources.environment.insert("CODEX_DATABASE_CONNECTION_STRING".to_owned(), "postgres://u:canary3@h/d".to_owned());
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.freshservice.api_key.as_ref().unwrap().expose(), "canary2");
    let text = format!("{config:?} {}", serde_json::to_string(config.shown()).unwrap());
    assert!(!text.contains("canary"), "{text}");
    assert!(text.contains("postgres://u:***@h/d"));
}

#[test]
fn a_slip_is_reported_with_a_suggestion() {
    let conf = "[freshservice]\ndomian = acme\n[databse]\nx = 1\n[superops]\nenabled = true\nother = 1\n";
    let (_folder, sources) = sources(conf, "", &[("CODEX_SERVER_BINDS", "x")]);
    let warnings = Config::load(&sources).unwrap().warnings.join("\n");
    assert!(warnings.contains("codex.conf:2: unknown key [freshservice] domian; did you mean domain?"), "{warnings}");
    assert!(warnings.contains("unknown section [databse]; did you mean database?"), "{warnings}");
    assert!(warnings.contains("unknown variable CODEX_SERVER_BINDS; did you mean CODEX_SERVER_BIND?"), "{warnings}");
    assert_eq!(warnings.matches("[superops]").count(), 1, "{warnings}");
}

#[test]
fn a_bad_value_names_its_key_and_its_origin() {
    let environment = [("CODEX_SERVER_BIND", "nowhere"), ("CODEX_COMPAT_LEDGER_ASSET_BILLING", "perhaps")];
    let (_folder, sources) = sources("[display]\ntime_zone = Mars/Base\n", "", &environment);
    let problem = Config::load(&sources).unwrap_err().to_string();
    assert!(problem.contains(
        "server.bind must be ADDRESS:PORT such as 127.0.0.1:5010, not \"nowhere\" (from environment (CODEX_SERVER_BIND))"
    ));
    assert!(problem.contains("compat.ledger_asset_billing must be true or false"), "{problem}");
    assert!(problem.contains("display.time_zone is no time zone") && problem.contains("codex.conf:2"), "{problem}");
}

#[test]
fn the_database_is_a_file_unless_someone_says_more() {
    let (_folder, mut sources) = sources("", "DB_HOST=h\nDB_NAME=n\nDB_PORT=5433\n", &[]);
    assert_eq!(Config::load(&sources).unwrap().database, Database::Sqlite(sources.instance.join("codex.db")));
    sources.environment.insert("DB_USER".to_owned(), "u".to_owned());
    sources.environment.insert("DB_PASSWORD".to_owned(), "p/w".to_owned());
    let database = Config::load(&sources).unwrap().database;
    assert_eq!(database, Database::Postgres(Secret::new("postgresql://u:p%2Fw@h:5433/n")));
    assert_eq!(database.describe(), "postgresql://u:***@h:5433/n");
}

#[test]
fn no_two_settings_share_a_variable() {
    let mut names: Vec<String> = keys().iter().map(Key::variable).collect();
    names.sort();
    let before = names.len();
    names.dedup();
    assert_eq!(names.len(), before);
}

#[test]
fn the_readme_has_every_setting() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let missing: Vec<String> = keys().iter().map(Key::path).filter(|path| !readme.contains(&format!("`{path}`"))).collect();
    assert!(missing.is_empty(), "not in README.md: {missing:?}");
    let borrowed = keys().iter().flat_map(|key| key.also_env);
    let missing: Vec<_> = borrowed.filter(|name| !readme.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "not in README.md: {missing:?}");
}
