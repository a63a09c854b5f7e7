//! How SQLite goes about every list. Its stability guarantee lets a cached statement keep one plan for all
//! values; the price is that the planner may not look at the values. It must never be a worse plan for that.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use axum::{body::Body, http::Request};
use http_body_util::BodyExt as _;
use rusqlite::{Connection, config::DbConfig, params_from_iter, types::Value as Bound};

use tower::ServiceExt as _;

use super::lists;
use crate::{
    auth::Level,
    config::Config,
    db::{
        Db, Target, Value,
        list::{Column, Kind, ListQuery, ListSpec},
        statements,
    },
    demo,
    identity::NewUser,
    types::{Actor, Scope},
};

/// A question for every filter of a list, in every order, with and without words, by pages.
fn questions(spec: &'static ListSpec) -> Vec<String> {
    let mut filters = vec![String::new()];
    for Column { name, kind, nullable, .. } in spec.columns {
        match kind {
            Kind::Text => filters.extend([format!("{name}=Acme"), format!("{name}__ic=acm"), format!("{name}__in=Acme,open")]),
            Kind::Time => filters.extend([format!("{name}__gte=2026-01-01"), format!("{name}__lte=2026-01-01")]),
            Kind::Int | Kind::Real => filters.extend([format!("{name}=7"), format!("{name}__gte=7"), format!("{name}__in=7,8")]),
            Kind::Bool => filters.extend([format!("{name}=true"), format!("{name}=false")]),
        }
        if *nullable {
            filters.extend([format!("{name}__empty=true"), format!("{name}__empty=false")]);
        }
    }
    if spec.search.is_some() {
        filters.extend(["q=ac", "q=acme", "q=acme dental", "q=a"].map(str::to_owned));
    }
    let mut orders = vec![String::new()];
    orders.extend(
        (0..).zip(spec.columns).map(|(at, column)| format!("sort={}{}", if at % 2 == 0 { "" } else { "-" }, column.name)),
    );
    let mut all = Vec::new();
    for filter in &filters {
        all.extend(orders.iter().map(|order| format!("{filter}&{order}&per_page=50&page=1")));
    }
    all
}

fn asked(spec: &'static ListSpec, question: &str) -> ListQuery {
    let pairs: Vec<(&str, &str)> = question.split('&').filter_map(|pair| pair.split_once('=')).collect();
    ListQuery::parse(spec, pairs.into_iter().map(|(name, value)| (name, Ok(value)))).unwrap()
}

/// The steps of a plan as SQLite says them.
fn plan(connection: &Connection, sql: &str, values: &[Value]) -> Vec<String> {
    let values = values.iter().map(|value| match value {
        Value::Null => Bound::Null,
        Value::Bool(value) => Bound::Integer(i64::from(*value)),
        Value::Int(value) => Bound::Integer(*value),
        Value::Real(value) => Bound::Real(*value),
        Value::Text(value) => Bound::Text(value.clone()),
        Value::Ids(ids) => Bound::Text(format!("{ids:?}")),
    });
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let rows = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// What a plan costs in steps that grow with a table: reading all of it, and putting all that was found in order.
/// Companies are few beside everything that belongs to them.
fn cost(plan: &[String]) -> u32 {
    let weight = |step: &String| match step.as_str() {
        step if step.contains(" VIRTUAL TABLE ") => 0,
        step if step.starts_with("SCAN company") => 1,
        step if step.starts_with("SCAN ") && !step.contains(" USING ") => 100,
        "USE TEMP B-TREE FOR ORDER BY" => 100,
        _ => 0,
    };
    plan.iter().map(weight).sum()
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the two ways of opening are what is compared")]
async fn no_list_has_a_worse_plan_for_the_guarantee_that_plans_are_stable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("codex.db");
    let db = Db::open(Target::Sqlite(path.clone()), 64).unwrap();
    demo::fill(&db).await.unwrap();
    let peeking = Connection::open(&path).unwrap();
    let stable = Connection::open(&path).unwrap();
    stable.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();

    let specs: BTreeMap<_, _> = lists().into_iter().map(|(_, spec)| (std::ptr::from_ref(spec) as usize, spec)).collect();
    let (mut asked_of, mut differ, mut worse) = (0, 0, Vec::new());
    for spec in specs.into_values() {
        for question in questions(spec) {
            let query = asked(spec, &question);
            let statements = db.read(&Scope::All, move |c| query.statements(c)).await.unwrap();
            for (sql, values) in statements {
                let (with, without) = (plan(&stable, &sql, &values), plan(&peeking, &sql, &values));
                asked_of += 1;
                differ += usize::from(with != without);
                if cost(&with) > cost(&without) {
                    worse.push(format!("{question} of {}\n  {with:?}\n  instead of {without:?}", spec.from));
                }
            }
        }
    }
    assert!(asked_of > 5_000, "{asked_of} statements");
    assert!(worse.is_empty(), "{} of {asked_of} statements ({differ} differ):\n{}", worse.len(), worse.join("\n"));
}

/// Tables with few rows however large the provider is: what it offers, what it has set up, one row for each client or source.
const FEW: [&str; 38] = [
    "agents",
    "api_keys",
    "billing_plans",
    "billing_settings",
    "companies",
    "company_aliases",
    "custom_fields",
    "feature_categories",
    "feature_options",
    "feature_overrides",
    "first_run_links",
    "head",
    "licenses",
    "locations",
    "notice_channels",
    "notice_choices",
    "notice_digests",
    "password_links",
    "passwords",
    "psa_agents",
    "rmm_sites",
    "schedules",
    "second_factors",
    "service_clients",
    "settings",
    "sign_in_challenges",
    "sign_in_requests",
    "signing_keys",
    "sync_leases",
    "sync_plans",
    "tags",
    "ticket_listings",
    "ticket_statuses",
    "user_identities",
    "users",
    "vendor_budgets",
    "vendor_credentials",
    "versions",
];

/// What a statement calls its tables.
fn aliases<'a>(sql: &'a str, tables: &BTreeSet<String>) -> BTreeMap<&'a str, &'a str> {
    let words: Vec<&str> =
        sql.split(|letter: char| !letter.is_alphanumeric() && letter != '_').filter(|word| !word.is_empty()).collect();
    let mut aliases = BTreeMap::new();
    for pair in words.windows(2) {
        if tables.contains(pair[0]) {
            aliases.insert(pair[0], pair[0]);
            aliases.insert(pair[1], pair[0]);
        }
    }
    aliases
}

/// The long tables that a plan reads from end to end, without an index that says where to begin or end.
fn scanned(plan: &[String], sql: &str, tables: &BTreeSet<String>) -> Vec<String> {
    let aliases = aliases(sql, tables);
    let scan = |step: &String| {
        let name = step.strip_prefix("SCAN ")?.split(' ').next()?;
        let table = aliases.get(name)?;
        (!step.contains(" USING ") && !FEW.contains(table)).then(|| (*table).to_owned())
    };
    plan.iter().filter_map(scan).collect()
}

fn tables(connection: &Connection) -> BTreeSet<String> {
    let mut statement = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(Result::unwrap).filter(|name| !name.contains("_fts")).collect()
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "how the file's engine goes about it is what is looked at")]
async fn no_list_reads_a_long_table_from_end_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("codex.db");
    let db = Db::open(Target::Sqlite(path.clone()), 64).unwrap();
    demo::fill(&db).await.unwrap();
    let connection = Connection::open(&path).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
    let tables = tables(&connection);
    let specs: BTreeMap<_, _> = lists().into_iter().map(|(_, spec)| (std::ptr::from_ref(spec) as usize, spec)).collect();
    let (mut asked_of, mut wrong) = (0, Vec::new());
    for spec in specs.into_values() {
        for question in questions(spec) {
            let query = asked(spec, &question);
            let statements = db.read(&Scope::All, move |c| query.statements(c)).await.unwrap();
            for (sql, values) in statements {
                asked_of += 1;
                let steps = plan(&connection, &sql, &values);
                for table in scanned(&steps, &sql, &tables) {
                    wrong.push(format!("{table}: {question}\n  {sql}\n  {steps:?}"));
                }
            }
        }
    }
    assert!(asked_of > 5_000, "{asked_of} statements");
    assert!(wrong.is_empty(), "{} of {asked_of}:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "how the file's engine goes about it is what is looked at")]
async fn no_page_or_answer_reads_a_long_table_from_end_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("codex.db");
    let db = Db::open(Target::Sqlite(path.clone()), 64).unwrap();
    demo::fill(&db).await.unwrap();
    let config = Arc::new(Config::for_instance(folder.path()).unwrap());
    let app = super::App::new(config, db.clone()).unwrap();
    let (identity, actor) = (app.identity().unwrap(), Actor::system("test"));
    let (username, email) = ("ada".to_owned(), "ada@example.com".to_owned());
    let ada = NewUser { username, email, name: "Ada".to_owned(), role: Level::Admin, company_id: None };
    identity.add(&actor, ada, None, Some("correct horse battery staple".to_owned())).await.unwrap();
    let token = identity.token_for(&actor, "ada", None).await.unwrap().text;
    let number =
        db.read(&Scope::All, |c| c.one("SELECT min(account_number) FROM companies", &[])?.get::<String>(0)).await.unwrap();
    let router = app.router();
    statements::watch(&path);
    let mut answered = 0;
    for route in super::route_table().into_iter().filter(|route| route.method == "GET") {
        let place = route.path.replace("{acct}", &number).replace("{*", "{");
        let place: String =
            place.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect::<Vec<_>>().join("/");
        for accept in ["text/html", "application/json"] {
            for query in ["", "?q=acme&page=1", "?sort=-name&per_page=20"] {
                let request = Request::builder().uri(format!("{place}{query}")).header("accept", accept);
                let request = request.header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap();
                let response = router.clone().oneshot(request).await.unwrap();
                answered += usize::from(response.status().is_success());
                // Streams of events never end, and nobody waits for them.
                let _rest = tokio::time::timeout(Duration::from_millis(300), response.into_body().collect()).await;
            }
        }
    }
    let seen = statements::take();
    assert!(answered > 300 && seen.len() > 400, "{answered} answers, {} statements", seen.len());
    let connection = Connection::open(&path).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
    let tables = tables(&connection);
    let mut wrong = Vec::new();
    for sql in seen.iter().filter(|sql| !sql.starts_with("PRAGMA")) {
        let steps = plan(&connection, sql, &[]);
        wrong.extend(scanned(&steps, sql, &tables).into_iter().map(|table| format!("{table}:\n  {sql}\n  {steps:?}")));
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), seen.len(), wrong.join("\n"));
}
