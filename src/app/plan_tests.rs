//! How SQLite goes about every list. Its stability guarantee lets a cached statement keep one plan for all
//! values; the price is that the planner may not look at the values. It must never be a worse plan for that.

use std::collections::BTreeMap;

use rusqlite::{Connection, config::DbConfig, params_from_iter, types::Value as Bound};

use super::lists;
use crate::{
    assets, contacts,
    db::{
        Db, Target, Value,
        list::{Column, Kind, ListQuery, ListSpec},
    },
    demo, tickets,
    types::Scope,
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

/// The lists that grow without end.
fn long() -> [&'static ListSpec; 4] {
    [&assets::list_store::LIST, &contacts::list_store::LIST, &tickets::list_store::LIST, &tickets::change_store::LIST]
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "how the file's engine goes about it is what is looked at")]
async fn a_long_list_walks_its_index_whatever_it_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("codex.db");
    let db = Db::open(Target::Sqlite(path.clone()), 64).unwrap();
    demo::fill(&db).await.unwrap();
    let connection = Connection::open(&path).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
    let (mut asked_of, mut wrong) = (0, Vec::new());
    for spec in long() {
        let all = format!("SCAN {}", spec.key.split('.').next().unwrap());
        // In its usual order: another one than that is sorted, by a column for which an index would cost every write.
        for question in questions(spec).into_iter().filter(|question| question.contains("&&")) {
            let query = asked(spec, &question);
            let statements = db.read(&Scope::All, move |c| query.statements(c)).await.unwrap();
            let (keys, values) = &statements[0];
            let steps = plan(&connection, keys, values);
            asked_of += 1;
            if steps.contains(&all) {
                wrong.push(format!("{question} of {}\n  {steps:?}", spec.from));
            }
        }
        let everything = asked(spec, "per_page=50&page=1");
        let statements = db.read(&Scope::All, move |c| everything.statements(c)).await.unwrap();
        let (sql, values) = &statements[2];
        let steps = plan(&connection, sql, values);
        if !steps.iter().any(|step| step.starts_with(&format!("{all} USING COVERING INDEX "))) {
            wrong.push(format!("{sql} reads the rows\n  {steps:?}"));
        }
    }
    assert!(asked_of > 200, "{asked_of} statements");
    assert!(wrong.is_empty(), "{} of {asked_of}:\n{}", wrong.len(), wrong.join("\n"));
}
