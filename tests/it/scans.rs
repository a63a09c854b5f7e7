//! What no page, list or search does: read a large table from its beginning to its end. SQLite says of each statement how many
//! rows it walked through without an index that leads to them, PostgreSQL (`auto_explain`) what it did instead of planned.

use std::collections::BTreeMap;

use crate::support::{Api, App, Engine, PASSWORD};

/// The copies of each row of the made-up provider.
const COPIES: i64 = 20;
/// By how much the ids of a copy differ from those of the one before.
const APART: i64 = 1_000_000;
/// Who walks through so many rows has read a large table: those have four times as many.
const MANY: i64 = 1_000;

/// What is copied: a table with its columns that differ in a copy, numbers by [`APART`] and texts by their end.
const LARGE: &[(&str, &[&str], &[&str])] = &[
    ("assets", &["id"], &[]),
    ("contacts", &["id"], &[]),
    ("contact_companies", &["contact_id"], &[]),
    ("asset_contacts", &["asset_id", "contact_id"], &[]),
    ("asset_observations", &["asset_id"], &[]),
    ("asset_sources", &["asset_id"], &[]),
    ("asset_audits", &["asset_id"], &[]),
    ("asset_disks", &["asset_id"], &[]),
    ("asset_nics", &["asset_id"], &[]),
    ("asset_software", &["asset_id"], &[]),
    ("alerts", &["id", "asset_id"], &["alert_uid"]),
    ("tickets", &["id", "external_id"], &[]),
    ("ticket_texts", &["ticket_id"], &[]),
    ("ticket_conversations", &["id", "ticket_id", "external_id"], &[]),
    ("ticket_time_entries", &["id", "ticket_id", "external_id"], &[]),
    ("change_requests", &["id", "external_id"], &[]),
    ("notes", &["id"], &[]),
    ("licenses", &["id"], &[]),
    ("license_seats", &["id"], &[]),
    ("network_equipment", &["id"], &[]),
    ("network_interfaces", &["id"], &[]),
    ("links", &["entity_id"], &["external_id"]),
    ("changes", &["seq", "entity_id"], &[]),
];

/// What reads all of it by its nature: answers for programs that want all of it, and the page that looks for a person in every
/// text.
const WHOLE: &[&str] = &["/api/companies/bulk", "/api/billing_summary", "/contacts/{id}/forget"];

/// What is known to walk through many rows: a part of the statement in small letters, and why it stands.
const KNOWN: &[(&str, &str)] = &[
    ("count(", "a total is counted in an index, once until the data changes"),
    ("protected_people", "whether somebody is protected is asked of all who are, and of all who were"),
    ("contact.active = false", "those who have left are looked for among all people"),
    ("from network_equipment equipment left join", "no index has the order of its list"),
    ("from license_seats license_seat left join", "no index has the order of its list"),
];

fn columns(app: &App, table: &str) -> Vec<String> {
    let sql = match app.database.file() {
        Some(_) => format!("SELECT name FROM pragma_table_info('{table}')"),
        None => format!(
            "SELECT CAST(column_name AS TEXT) FROM information_schema.columns WHERE table_name = '{table}' AND table_schema = 'public'"
        ),
    };
    app.database.texts(&sql)
}

/// Makes the tables of a provider large that grow without end.
fn enlarge(app: &App) {
    for (table, numbers, texts) in LARGE {
        let columns = columns(app, table);
        let value = |name: &String| match name.as_str() {
            "is_primary" => "FALSE".to_owned(),
            name if numbers.contains(&name) => format!("original.{name} + step.n * {APART}"),
            name if texts.contains(&name) => format!("original.{name} || '-' || CAST(step.n AS TEXT)"),
            name => format!("original.{name}"),
        };
        let steps = format!(
            "WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {COPIES}) SELECT n FROM counted"
        );
        let of = if *table == "links" { "WHERE original.entity IN ('asset', 'contact')" } else { "" };
        app.database.execute(&format!(
            "INSERT INTO {table} ({}) SELECT {} FROM {table} original, ({steps}) step {of}",
            columns.join(", "),
            columns.iter().map(value).collect::<Vec<_>>().join(", ")
        ));
    }
    app.database.execute("UPDATE head SET version = (SELECT max(seq) FROM changes)");
    for table in ["assets", "contacts", "changes"] {
        assert!(app.database.number(&format!("SELECT count(*) FROM {table}")) > 4 * MANY, "{table} is not large");
    }
}

/// A large provider, served; and its administrator.
async fn large(engine: &Engine) -> (App, Api) {
    let builder = App::builder(engine).fresh().argument("--demo");
    let mut app = tokio::task::spawn_blocking(|| builder.prepare()).await.unwrap();
    app.start().await;
    let add = ["users", "add", "ada", "--email", "ada@msp.example.com", "--role", "admin", "--password-stdin"];
    let cli = app.cli();
    tokio::task::spawn_blocking(move || cli.run_with_input(&add, PASSWORD).success()).await.unwrap();
    let token = app.cli().run_beside(&["token", "create", "--user", "ada"]).await.success().stdout.trim().to_owned();
    assert_eq!(app.stop().await, 0);
    tokio::task::block_in_place(|| enlarge(&app));
    match app.database.file() {
        // Its searches know the copies from then on.
        Some(_) => drop(app.cli().run_beside(&["doctor", "--offline", "--fix"]).await),
        None => app.database.execute("VACUUM ANALYZE"),
    }
    app.set_env("CODEX_SERVER_LOG_LEVEL", "info,codex::db=trace");
    app.start().await;
    let admin = app.with_token(&token);
    (app, admin)
}

/// A path with records in its braces, one that a copy made where there are copies.
fn fill(app: &App, path: &str) -> String {
    let (mut filled, mut noun) = (Vec::new(), "");
    for segment in path.split('/') {
        let id = |column: &str, table: &str| {
            let is_there = columns(app, table).iter().any(|known| known == column);
            let sql = format!("SELECT COALESCE(max({column}), 1) FROM {table}");
            if is_there { app.database.number(&sql).to_string() } else { "1".to_owned() }
        };
        filled.push(match segment {
            "{acct}" | "{account}" => {
                app.database.texts("SELECT min(account_number) FROM companies WHERE kind = 'client'").remove(0)
            }
            "{entity}" => "asset".to_owned(),
            "{field}" => "hostname".to_owned(),
            "{script}" | "{job}" | "{system}" => "freshservice".to_owned(),
            "{*path}" => "codex.css".to_owned(),
            _ if !segment.starts_with('{') => segment.to_owned(),
            _ => match noun {
                "{entity}" | "asset" => id("id", "assets"),
                "contact" => id("id", "contacts"),
                "ticket" | "tickets" => id("external_id", "tickets"),
                other => id("id", &other.replace('-', "_")),
            },
        });
        noun = segment;
    }
    filled.join("/")
}

/// Asks for every page, every list and every search; how many there were.
async fn visit(app: &App, admin: &Api) -> usize {
    let mut paths: Vec<String> =
        codex::app::route_table().iter().filter(|route| route.method == "GET").map(|route| route.path.to_owned()).collect();
    paths.retain(|path| !WHOLE.contains(&path.as_str()));
    paths.sort();
    paths.dedup();
    let mut answered = 0;
    for path in paths {
        let filled = tokio::task::block_in_place(|| fill(app, &path));
        for question in ["limit=50", "per_page=50&page=1&q=ac", "per_page=50&page=1&q=dental"] {
            let reply = admin
                .get_with(
                    &format!("{filled}?{question}"),
                    "accept",
                    if path.starts_with("/api/") { "application/json" } else { "text/html" },
                )
                .await;
            assert!(reply.status < 500 || reply.status == 502 || reply.status == 503, "{filled}?{question}: {}", reply.text());
            answered += usize::from(reply.status == 200);
        }
    }
    answered
}

/// Statements that walked through too many rows, with how many.
fn refuse(scans: BTreeMap<String, i64>, answered: usize) {
    assert!(answered > 400, "only {answered} answers were looked at");
    let is_known = |sql: &str| KNOWN.iter().any(|(part, _)| sql.to_lowercase().contains(part));
    let told: Vec<String> =
        scans.iter().filter(|(sql, _)| !is_known(sql)).map(|(sql, rows)| format!("{rows} rows: {sql}")).collect();
    assert!(told.is_empty(), "{} statements read large tables:\n{}", told.len(), told.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_list_or_search_scans_a_large_table_on_sqlite() {
    let (app, admin) = large(&Engine::Sqlite).await;
    let answered = visit(&app, &admin).await;
    let mut scans = BTreeMap::new();
    for line in app.log().lines() {
        let Some((rows, sql)) = line.split_once(" scanned rows=").and_then(|(_, said)| said.split_once(" sql=")) else {
            continue;
        };
        let rows: i64 = rows.parse().unwrap();
        if rows >= MANY {
            let known = scans.entry(sql.to_owned()).or_insert(0);
            *known = rows.max(*known);
        }
    }
    assert!(app.log().contains(" scanned rows="), "nothing was told of any statement");
    refuse(scans, answered);
}

#[cfg(feature = "postgres")]
mod postgres {
    use serde_json::Value;

    use super::*;
    use crate::support::cluster::Cluster;

    /// The rows that the steps of a plan have read of a table from its beginning.
    fn scanned(step: &Value) -> i64 {
        let number = |name: &str| step[name].as_f64().unwrap_or_default();
        let own = (number("Actual Rows") + number("Rows Removed by Filter")) * number("Actual Loops");
        let below = step["Plans"].as_array().into_iter().flatten().map(scanned).max().unwrap_or_default();
        if step["Node Type"] == "Seq Scan" { below.max(own as i64) } else { below }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_page_list_or_search_scans_a_large_table() {
        // How much a scan costs depends on how many rows there are; whether there is another way does not.
        let settings = [
            "enable_seqscan=off",
            "session_preload_libraries=auto_explain",
            "auto_explain.log_min_duration=0",
            "auto_explain.log_analyze=on",
            "auto_explain.log_timing=off",
            "auto_explain.log_format=json",
            "log_line_prefix=%a:",
        ];
        let Some(cluster) = tokio::task::spawn_blocking(move || Cluster::start(&settings)).await.unwrap() else { return };
        let (app, admin) = large(&Engine::Postgres(cluster.url("postgres"))).await;
        let before = cluster.log().len();
        let answered = visit(&app, &admin).await;
        let log = cluster.log();
        let (mut scans, mut plans) = (BTreeMap::new(), 0);
        for record in log[before..].split("codex:LOG:  duration: ").skip(1) {
            let Some((_, plan)) = record.split_once("plan:\n") else { continue };
            let plan: String = plan.lines().take_while(|line| line.starts_with('\t')).collect();
            let Ok(plan) = serde_json::from_str::<Value>(&plan) else { continue };
            plans += 1;
            let rows = scanned(&plan["Plan"]);
            if rows >= MANY {
                let sql = plan["Query Text"].as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
                let known = scans.entry(sql).or_insert(0);
                *known = rows.max(*known);
            }
        }
        assert!(plans > 1_000, "only {plans} plans were told");
        refuse(scans, answered);
    }
}
