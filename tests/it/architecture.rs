//! Rules about the source tree that a reviewer would otherwise have to remember.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::parsed::parse;

/// Layers from the bottom up; a module may use those in earlier lines and those in its own layer
/// that stand before it. `lib.rs`, `main.rs`, `app` and `cli` see everything.
const LAYERS: [&str; 44] = [
    "error",
    "types",
    "config",
    "encryption",
    "db",
    "history",
    "auth",
    "web",
    "ui",
    "status",
    "compliance",
    "entity",
    "agents",
    "custom",
    "resource",
    "companies",
    "contacts",
    "assets",
    "monitoring",
    "network",
    "tickets",
    "notes",
    "attachments",
    "billing",
    "licences",
    "progress",
    "plan",
    "vendors",
    "jobs",
    "reconcile",
    "outbox",
    "pulls",
    "accounts",
    "services",
    "mail",
    "records",
    "backups",
    "outgoing_webhooks",
    "notices",
    "admin",
    "home",
    "identity",
    "platform",
    "demo",
];

/// What stands above all layers.
const TOP: [&str; 4] = ["app", "cli", "lib", "main"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut waiting = vec![root().join(folder)];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).flatten() {
            let path: PathBuf = entry.path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no .{extension} files in {folder}: the test looks in the wrong place");
    found
}

fn sources() -> Vec<(String, String)> {
    files("src", "rs")
}

fn is_test(name: &str) -> bool {
    name.ends_with("tests.rs") || name.contains("/tests/")
}

/// The lines of a file without comments.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(number, line)| (number + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn none(what: &str, wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{what}:\n  {}", wrong.join("\n  "));
}

#[test]
fn sql_lives_in_stores() {
    const PHRASES: [&str; 9] = [
        "SELECT ",
        "INSERT INTO",
        "UPDATE @",
        "DELETE FROM",
        "ON CONFLICT",
        "CREATE TABLE",
        "ALTER TABLE",
        "DROP TABLE",
        " FROM @",
    ];
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        let home = name.ends_with("store.rs") || name.starts_with("src/db/") || is_test(&name);
        for (number, line) in code(&text).filter(|_| !home) {
            if PHRASES.iter().any(|phrase| line.contains(phrase)) {
                wrong.push(format!("{name}:{number}: {}", line.trim()));
            }
        }
    }
    none("SQL outside the stores", wrong);
}

#[test]
fn features_are_asked_for_in_the_database_layer_only() {
    let mut wrong = Vec::new();
    for (name, text) in sources().into_iter().filter(|(name, _)| !name.starts_with("src/db/")) {
        wrong.extend(code(&text).filter(|(_, line)| line.contains("feature =")).map(|(number, _)| format!("{name}:{number}")));
    }
    none("cfg(feature) outside src/db", wrong);
}

#[test]
fn placeholders_are_written_in_one_style() {
    let mut wrong = Vec::new();
    for (name, text) in sources().into_iter().filter(|(name, _)| name.ends_with("store.rs")) {
        let dollar = |line: &str| line.match_indices('$').any(|(at, _)| line[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
        wrong.extend(code(&text).filter(|(_, line)| dollar(line)).map(|(number, _)| format!("{name}:{number}")));
    }
    none("$1 in a store (write ?1)", wrong);
}

fn module_of(name: &str) -> &str {
    name.trim_start_matches("src/").split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

#[test]
fn every_module_has_a_place_in_the_order() {
    let found: BTreeSet<String> = sources().iter().map(|(name, _)| module_of(name).to_owned()).collect();
    let homeless = found.into_iter().filter(|name| !LAYERS.contains(&name.as_str()) && !TOP.contains(&name.as_str()));
    none("not in the order of modules (tests/it/architecture.rs)", homeless.collect());
}

#[test]
fn arrows_point_one_way() {
    let mut wrong = Vec::new();
    for (name, text) in sources().into_iter().filter(|(name, _)| !is_test(name)) {
        let from = module_of(&name);
        let Some(height) = LAYERS.iter().position(|layer| *layer == from) else { continue };
        for (line, path) in parse(&name, &text).paths {
            let Some(to) = path.first().map(String::as_str) else { continue };
            let higher = LAYERS.iter().position(|layer| *layer == to).is_some_and(|other| other > height);
            if higher || ["app", "cli"].contains(&to) {
                wrong.push(format!("{name}:{line}: {from} -> {}", path.join("::")));
            }
        }
    }
    none("arrows that point up", wrong);
}

/// Where a vendor is told by its name: the configuration, whose sections are called so; and what reads the addresses of
/// contract §1, which have a vendor's name in them.
const OF_VENDORS: [&str; 2] = ["src/config/", "src/status/freshness.rs"];

#[test]
fn nothing_is_decided_by_a_vendors_name() {
    let systems: Vec<&str> = codex::vendors::ALL.iter().map(|vendor| vendor.system).collect();
    let mut wrong = Vec::new();
    for (name, text) in sources().into_iter().filter(|(name, _)| !is_test(name)) {
        if OF_VENDORS.iter().any(|folder| name.starts_with(folder)) {
            continue;
        }
        for (line, word) in parse(&name, &text).compared.into_iter().filter(|(_, word)| systems.contains(&word.as_str())) {
            wrong.push(format!("{name}:{line}: {word}"));
        }
    }
    none("compared with a vendor's name", wrong);
}

#[test]
fn no_sql_names_a_vendor() {
    let systems: Vec<String> = codex::vendors::ALL.iter().map(|vendor| format!("'{}'", vendor.system)).collect();
    let mut wrong = Vec::new();
    for (name, text) in sources().into_iter().filter(|(name, _)| name.ends_with("store.rs")) {
        for (number, line) in code(&text).filter(|(_, line)| systems.iter().any(|system| line.contains(system))) {
            wrong.push(format!("{name}:{number}: {}", line.trim()));
        }
    }
    none("SQL that names a vendor (pass its system, or ask vendors::ALL what it can do)", wrong);
}

/// Where a noun is told by its name: beneath the nouns, what protects their rows and what histories withhold of them;
/// and what reads the addresses of contract §1.
const OF_NOUNS: [&str; 4] =
    ["src/history/protection_store.rs", "src/history/links_store.rs", "src/compliance/trail.rs", "src/status/freshness.rs"];

#[test]
fn nothing_is_decided_by_a_nouns_name() {
    // "note" is also what was done: "added a note to it".
    let nouns: Vec<&str> =
        codex::records::entities::ENTITIES.iter().map(|entity| entity.name()).filter(|name| *name != "note").collect();
    let mut wrong = Vec::new();
    for (name, text) in sources().into_iter().filter(|(name, _)| !is_test(name) && !OF_NOUNS.contains(&name.as_str())) {
        for (line, word) in parse(&name, &text).compared.into_iter().filter(|(_, word)| nouns.contains(&word.as_str())) {
            wrong.push(format!("{name}:{line}: {word}"));
        }
    }
    none("compared with a noun's name (write Company::ENTITY)", wrong);
}

#[test]
fn every_module_says_why_it_exists() {
    let silent = sources().into_iter().filter(|(name, text)| !is_test(name) && !text.starts_with("//!"));
    none("no //! sentence at the top", silent.map(|(name, _)| name).collect());
}

#[test]
fn nothing_is_left_to_do() {
    let mut wrong = Vec::new();
    for (name, text) in [sources(), files("tests", "rs")].concat() {
        if name.ends_with("architecture.rs") {
            continue;
        }
        let marks = ["todo!(", "unimplemented!(", "TODO", "FIXME", "XXX", "#[ignore"];
        let marked = text.lines().enumerate().filter(|(_, line)| marks.iter().any(|mark| line.contains(mark)));
        wrong.extend(marked.map(|(number, line)| format!("{name}:{}: {}", number + 1, line.trim())));
    }
    none("left to do", wrong);
}

#[test]
fn every_migration_has_sample_data() {
    let folder = root().join("migrations");
    let names: Vec<String> =
        std::fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let steps: Vec<&String> = names.iter().filter(|name| name.ends_with(".sql")).collect();
    assert!(!steps.is_empty(), "no migrations");
    for step in steps {
        let (number, _) = step.split_once("__").unwrap_or_else(|| panic!("{step} is not called V<number>__<name>.sql"));
        let sample = folder.join("samples").join(format!("{number}.sql"));
        let text = std::fs::read_to_string(&sample).unwrap_or_else(|_| panic!("{step} has no {}", sample.display()));
        assert!(text.contains("INSERT INTO"), "{} inserts nothing", sample.display());
    }
}

#[test]
fn migrations_use_the_portable_types() {
    const FOREIGN: [&str; 11] = [
        " SERIAL ",
        "VARCHAR",
        "TIMESTAMP",
        "JSONB",
        " JSON",
        "NUMERIC",
        " REAL",
        " BLOB",
        "DATETIME",
        "CREATE TRIGGER",
        "CREATE FUNCTION",
    ];
    // That a frozen month stays is what the engines themselves see to, each in its own words.
    const GUARDS: [&str; 2] = ["CREATE TRIGGER BILLING_SNAPSHOTS_NO_", "CREATE FUNCTION BILLING_SNAPSHOTS_STAY()"];
    let mut wrong = Vec::new();
    for (name, text) in files("migrations", "sql").into_iter().filter(|(name, _)| !name.contains("samples")) {
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("--")) {
            let upper = line.to_uppercase();
            let is_guard = GUARDS.iter().any(|guard| upper.starts_with(guard)) && line.contains("-- only: ");
            if !is_guard && FOREIGN.iter().any(|word| upper.contains(word)) {
                wrong.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none("not portable", wrong);
}

#[test]
fn templates_have_no_styles_of_their_own() {
    let mut wrong = Vec::new();
    for (name, text) in files("templates", "html") {
        for (number, line) in text.lines().enumerate() {
            let bad = ["<style", "style=\"", "javascript:", "onclick=", "onload=", "onsubmit=", "onchange="];
            if bad.iter().any(|mark| line.contains(mark)) || (line.contains("<script") && !line.contains("src=")) {
                wrong.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none("inline styles or scripts", wrong);
}

#[test]
fn templates_have_no_html_comments() {
    let mut wrong = Vec::new();
    for (name, text) in files("templates", "html") {
        wrong.extend(
            text.lines()
                .enumerate()
                .filter(|(_, line)| line.contains("<!--"))
                .map(|(number, _)| format!("{name}:{}", number + 1)),
        );
    }
    none("HTML comments become visible text behind Nexus", wrong);
}

#[test]
fn nothing_is_fetched_from_strangers() {
    let mut wrong = Vec::new();
    for (name, text) in [files("templates", "html"), files("assets", "css"), files("assets", "js")].concat() {
        for (number, line) in text.lines().enumerate() {
            let foreign =
                ["src=\"http", "src=\"//", "@import", "url(http", "<link rel=\"stylesheet\" href=\"http", "import \"http"];
            if foreign.iter().any(|mark| line.contains(mark)) {
                wrong.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none("loaded from elsewhere", wrong);
}
