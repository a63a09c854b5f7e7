use super::*;
use crate::{
    db::{Db, Engine, Target, Write},
    error::Error,
    params,
    types::{Actor, Scope, SearchText, fold},
};

static SPEC: ListSpec = ListSpec {
    entities: &["companies"],
    select: || "company.id, company.name".to_owned(),
    from: "@companies company",
    key: "company.id",
    columns: &[
        Column::new("id", "company.id", Kind::Int).required(),
        Column::text("name", "company.name").folded("company.name_folded").required(),
        Column::text("plan", "company.plan"),
        Column::new("created_at", "company.created_at", Kind::Time).required(),
        Column::new("account_number_at_vendor", "company.account_number_at_vendor", Kind::Bool).required(),
    ],
    default_sort: "name",
    search: Some(Search { fts: "companies_fts", text: "company.search_text", private: None }),
    retired: Some("company.retired_at"),
    own: &[],
    fields: || &["id", "name"],
};

const NAMES: [&str; 6] = ["Ärzte am Markt", "beta GmbH", "Alpha 100%", "Zeta_Lab", "delta \"quoted\"", "ALPHABET"];

/// A database of each engine: always SQLite, PostgreSQL when the tests have a server.
async fn filled() -> (tempfile::TempDir, Vec<Db>) {
    let folder = tempfile::tempdir().unwrap();
    let databases = vec![Db::open(Target::Sqlite(folder.path().join("codex.db")), 64).unwrap()];
    #[cfg(feature = "postgres")]
    let mut databases = databases;
    #[cfg(feature = "postgres")]
    if let Some(server) = std::env::var("CODEX_TEST_POSTGRES").ok().filter(|server| !server.is_empty()) {
        let name = format!("list_{}", uuid::Uuid::new_v4().simple());
        let address = url::Url::parse(&server).unwrap().join(&name).unwrap().to_string();
        let create =
            move || ::postgres::Client::connect(&server, ::postgres::NoTls)?.batch_execute(&format!("CREATE DATABASE {name}"));
        std::thread::spawn(create).join().unwrap().unwrap();
        databases.push(Db::open(Target::Postgres(address.into()), 64).unwrap());
    }
    for db in &databases {
        db.write(&Scope::All, &Actor::system("test"), fill).await.unwrap();
    }
    (folder, databases)
}

fn fill(w: &mut Write<'_>) -> Result<()> {
    for (id, name) in (1_i64..).zip(NAMES) {
        let plan = ["", "Gold", "silver", ""].get(usize::try_from(id).unwrap()).copied();
        let key = SearchText::new().words([name]).finish();
        let retired = (id == 6).then_some("2026-01-01T00:00:00Z");
        w.run(
            "INSERT INTO companies (id, account_number, name, plan, created_at, updated_at, retired_at, name_folded, search_text)
             VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8)",
            params![id, format!("10000{id}"), name, plan, format!("2026-0{id}-01T00:00:00Z"), retired, fold(name), &key],
        )?;
        if w.engine() == Engine::Sqlite {
            w.run("INSERT INTO companies_fts (rowid, search_text) VALUES (?1, ?2)", params![id, &key])?;
        }
    }
    Ok(())
}

fn asked(query: &str) -> Result<ListQuery> {
    let pairs: Vec<(&str, &str)> =
        query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap()).collect();
    ListQuery::parse(&SPEC, pairs.into_iter().map(|(name, value)| (name, Ok(value))))
}

async fn ids(db: &Db, query: &str) -> (Vec<i64>, i64) {
    let query = asked(query).unwrap();
    let page = db.read(&Scope::All, move |c| query.run(c, |row| row.get::<i64>(0))).await.unwrap();
    (page.items, page.total)
}

#[tokio::test]
async fn lists_are_ordered_filtered_and_cut() {
    let (_folder, databases) = filled().await;
    for (query, expected, total) in [
        ("", vec![3, 1, 2, 5, 4], 5),
        ("unknown=1&limit=abc&offset=x", vec![3, 1, 2, 5, 4], 5),
        ("sort=-name", vec![4, 5, 2, 1, 3], 5),
        ("sort=plan,-id", vec![3, 1, 2, 5, 4], 5),
        ("sort=-plan", vec![2, 1, 3, 4, 5], 5),
        ("limit=2", vec![3, 1], 5),
        ("limit=2&offset=4", vec![4], 5),
        ("limit=2&offset=9", vec![], 5),
        ("limit=0", vec![], 5),
        ("page=2&per_page=2", vec![2, 5], 5),
        ("page=&per_page=500", vec![3, 1, 2, 5, 4], 5),
        ("include_retired=true&name__ic=ALPHA", vec![3, 6], 2),
        ("retired=only", vec![6], 1),
        ("retired=include&name__ic=ALPHA", vec![3, 6], 2),
        ("name=beta GmbH", vec![2], 1),
        ("name=beta gmbh", vec![], 0),
        ("plan__ic=gol", vec![1], 1),
        ("plan__ne=gold", vec![3, 2, 5, 4], 4),
        ("id__ne=3&plan__ne=Gold", vec![2, 5, 4], 3),
        ("account_number_at_vendor__ne=true&id=1", vec![1], 1),
        ("plan__in=Gold,silver", vec![1, 2], 2),
        ("plan__in=,", vec![], 0),
        ("plan__empty=true", vec![3, 5, 4], 3),
        ("plan__empty=false", vec![1, 2], 2),
        ("id__gte=2&id__lte=3", vec![3, 2], 2),
        ("id__in=1,4", vec![1, 4], 2),
        ("created_at__gte=2026-04", vec![5, 4], 2),
        ("account_number_at_vendor=false&id=1", vec![1], 1),
        ("name__gte=D", vec![5, 4], 2),
        ("name=", vec![3, 1, 2, 5, 4], 5),
    ] {
        for db in &databases {
            assert_eq!(ids(db, query).await, (expected.clone(), total), "{query} in {db:?}");
        }
    }
}

#[tokio::test]
async fn search_finds_every_word_in_any_order_and_nothing_else() {
    let (_folder, databases) = filled().await;
    for text in [
        "arz",
        "ÄRZTE",
        "zte am",
        "100%",
        "%%%",
        "ta_l",
        "___",
        "\"quo",
        "alp",
        "a\\b",
        "  beta   gmbh ",
        "lphabet",
        "zzz",
        "gmbh beta",
        "al 10",
        "ta la",
    ] {
        let folded = fold(text);
        let words: Vec<&str> = folded.split(' ').map(|word| word.trim_matches('"')).collect();
        let has_all = |name: &str| words.iter().all(|word| fold(name).contains(word));
        let mut expected: Vec<i64> = (1..).zip(NAMES).filter(|(_, name)| has_all(name)).map(|(id, _)| id).collect();
        expected.sort_unstable();
        for db in &databases {
            let (mut found, _) = ids(db, &format!("retired=include&q={text}")).await;
            found.sort_unstable();
            assert_eq!(found, expected, "{text} in {db:?}");
        }
    }
    for db in &databases {
        assert_eq!(ids(db, "q=a").await.0, [3, 1]);
        assert_eq!(ids(db, "q=AL").await.0, [3]);
        assert_eq!(ids(db, "q=%").await.0, Vec::<i64>::new());
    }
}

#[tokio::test]
async fn a_scope_narrows_rows_and_their_number() {
    let (_folder, databases) = filled().await;
    let mine = Scope::Companies([2, 6].into());
    for query in ["", "limit=1", "q=beta", "name__ic=e"] {
        for db in &databases {
            let asked = asked(query).unwrap();
            let page = db.read(&mine, move |c| asked.run(c, |row| row.get::<i64>(0))).await.unwrap();
            assert_eq!((page.items, page.total), (vec![2], 1), "{query} in {db:?}");
        }
    }
}

#[test]
fn wrong_new_parameters_are_named() {
    for (query, message) in [
        ("sort=nme", "sort: cannot sort by nme; possible are id, name, plan, created_at, account_number_at_vendor"),
        (
            "name__like=x",
            "name__like: is no filter; possible are name, name__ne, name__ic, name__gte, name__lte, name__in, name__empty",
        ),
        ("id=x", "id: must be a whole number"),
        ("id__in=1,x", "id__in: must be a whole number"),
        ("id__ic=1", "id__ic: works on text only"),
        ("account_number_at_vendor=maybe", "account_number_at_vendor: must be true or false"),
        ("name__empty=maybe", "name__empty: must be true or false"),
        ("page=0", "page: must be a whole number from 1"),
        ("per_page=100000", "per_page: must be a whole number from 1 to 1000"),
        ("include_retired=maybe", "include_retired: must be true or false"),
        ("retired=yes", "retired: must be one of only, include, hide"),
    ] {
        assert_eq!(asked(query).unwrap_err().to_string(), message);
    }
    let long = "x".repeat(201);
    assert!(asked(&format!("search={long}")).unwrap_err().to_string().starts_with("search: must not be longer than 200"));
    let broken = ListQuery::parse(&SPEC, std::iter::once(("q", Err(Error::field("q", "must be valid UTF-8")))));
    assert!(broken.is_err());
}

#[test]
fn the_same_question_has_one_text() {
    assert_eq!(asked("q=Beta&unknown=1").unwrap().normalised(), asked("q=beta").unwrap().normalised());
    assert_ne!(asked("limit=1").unwrap().normalised(), asked("limit=2").unwrap().normalised());
    assert_ne!(asked("sort=name").unwrap().normalised(), asked("sort=-name").unwrap().normalised());
}
