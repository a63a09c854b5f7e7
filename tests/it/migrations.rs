//! The chain of migrations: with data between its steps, on both engines, to the same schema.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;

use codex::db::{Target, migrate};
use codex::error::Result;

use crate::support::{App, Cli, Database, Engine, both, eventually, is_long};

struct Chain {
    target: Target,
    database: Database,
    folder: tempfile::TempDir,
}

impl Chain {
    fn new(engine: &Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = engine.database(folder.path(), None);
        let target = Target::parse(database.url().as_deref(), folder.path()).unwrap();
        Self { target, database, folder }
    }

    fn to(&self, version: i64) -> Result<migrate::Report> {
        let target = self.target.clone();
        std::thread::spawn(move || migrate::run_to(&target, version)).join().unwrap()
    }

    fn load_sample(&self, version: i64) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("migrations/samples/V{version}.sql"));
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let engine = self.target.engine();
        self.database.execute(&migrate::resolve(&text, engine));
    }

    /// Another one that is where this one is. What is sealed is sealed with the same key.
    fn copy_of(from: &Self, engine: &Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("credentials.key"), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
        let database = engine.database(folder.path(), Some(&from.database));
        let target = Target::parse(database.url().as_deref(), folder.path()).unwrap();
        Self { target, database, folder }
    }

    fn cli(&self) -> Cli {
        Cli::new(self.folder.path(), self.folder.path(), self.database.url())
    }

    /// A digest of every row of every table, but of what tells when a step was applied.
    fn contents(&self) -> BTreeMap<String, Vec<String>> {
        let row = |table: &str, columns: &BTreeSet<String>| match &self.database {
            Database::Sqlite(_) => {
                let names = columns.iter().map(|column| format!("quote(\"{}\")", column.split('|').next().unwrap()));
                format!("SELECT {} FROM {table} ORDER BY 1", names.collect::<Vec<_>>().join(" || ',' || "))
            }
            #[cfg(feature = "postgres")]
            Database::Postgres { .. } => format!("SELECT CAST(whole AS TEXT) FROM {table} whole ORDER BY 1"),
        };
        self.schema().iter().map(|(table, columns)| (table.clone(), self.database.texts(&row(table, columns)))).collect()
    }

    /// Every table with its columns: name, portable type, whether null is allowed.
    fn schema(&self) -> BTreeMap<String, BTreeSet<String>> {
        let rows = match &self.database {
            Database::Sqlite(_) => self.database.texts(
                "SELECT tables.name || '|' || columns.name || '|' || lower(columns.type) || '|' || (columns.\"notnull\" OR columns.pk > 0)
                 FROM sqlite_master tables JOIN pragma_table_info(tables.name) columns
                 WHERE tables.type IN ('table', 'view') AND tables.name NOT LIKE 'sqlite_%' AND tables.sql NOT LIKE 'CREATE VIRTUAL%'",
            ),
            #[cfg(feature = "postgres")]
            Database::Postgres { .. } => self.database.texts(
                "SELECT table_name || '|' || column_name || '|' || data_type || '|' || CASE is_nullable WHEN 'NO' THEN 1 ELSE 0 END
                 FROM information_schema.columns WHERE table_schema = 'public'",
            ),
        };
        let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in rows {
            let (table, column) = row.split_once('|').unwrap();
            // FTS5 keeps tables of its own; refinery's differ by its drivers.
            if table.contains("_fts") || table.starts_with("refinery") {
                continue;
            }
            let column = column.replace("|integer|", "|bigint|");
            tables.entry(table.to_owned()).or_default().insert(column);
        }
        tables
    }
}

fn migrate_version(target: &Target) -> i64 {
    let target = target.clone();
    std::thread::spawn(move || migrate::version(&target).unwrap()).join().unwrap()
}

both! {
    async fn the_chain_runs_with_data_between_its_steps(engine: Engine) {
        let chain = Chain::new(&engine);
        let steps = migrate::steps().unwrap();
        assert!(!steps.is_empty());
        let mut before = 0;
        for (version, name) in &steps {
            let report = chain.to(*version).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!((report.from, report.to), (before, *version), "{name}");
            before = *version;
            chain.load_sample(*version);
        }
        assert!(chain.database.number("SELECT count(*) FROM companies") > 0, "the samples survived");
        let again = chain.to(i64::MAX).unwrap();
        assert_eq!((again.from, again.to), (before, before));
    }

    /// From every schema that has landed, with the data of its time: the old one or the new one, never anything between.
    async fn an_upgrade_that_is_killed_is_done_or_not_begun(engine: Engine) {
        // Each schema at least once; on a server, which copies databases slowly, every sixth.
        let (kills, stride) = if engine.name() == "sqlite" || is_long() { (50, 1) } else { (8, 6) };
        let chain = Chain::new(&engine);
        let steps: Vec<i64> = migrate::steps().unwrap().into_iter().map(|(version, _)| version).collect();
        let (newest, old) = steps.split_last().unwrap();
        let mut landed = Vec::new();
        for (index, version) in old.iter().enumerate() {
            chain.to(*version).unwrap();
            chain.load_sample(*version);
            if index % stride > 0 {
                continue;
            }
            let whole = Chain::copy_of(&chain, &engine);
            let began = std::time::Instant::now();
            whole.cli().run(&["migrate"]).success();
            landed.push((*version, Chain::copy_of(&chain, &engine), whole.contents(), began.elapsed()));
        }
        let (mut done, mut not_begun) = (0, 0);
        for kill in 0..kills {
            let (from, before, after, usual) = &landed[kill * landed.len() / kills];
            let killed = Chain::copy_of(before, &engine);
            let mut child = killed.cli().command(&["migrate"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(*usual * u32::try_from(kill * 13 % kills).unwrap() / u32::try_from(kills).unwrap());
            child.kill().unwrap();
            child.wait().unwrap();
            if killed.database.file().is_none() {
                let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'codex'";
                eventually("the server has seen that its client is gone", 30, || async { killed.database.number(others) == 0 }).await;
            }
            let found = migrate_version(&killed.target);
            assert!(found == *from || found == *newest, "killed between: version {found} of {from} to {newest}");
            if found == *from {
                not_begun += 1;
                assert_eq!(killed.contents(), before.contents(), "from {from}");
            } else {
                done += 1;
            }
            killed.cli().run(&["migrate"]).success();
            assert_eq!(&killed.contents(), after, "from {from}, begun again");
            killed.cli().run(&["migrate", "--status"]).success();
        }
        eprintln!("{}: {kills} kills, {not_begun} before the end, {done} after it", engine.name());
        assert!(not_begun > 0, "none was killed before its end");
    }

    async fn every_table_has_sample_data(engine: Engine) {
        let chain = Chain::new(&engine);
        for (version, _) in migrate::steps().unwrap() {
            chain.to(version).unwrap();
            chain.load_sample(version);
        }
        let empty: Vec<String> = chain.schema().into_keys().filter(|table| chain.database.number(&format!("SELECT count(*) FROM {table}")) == 0).collect();
        assert!(empty.is_empty(), "no sample rows in {empty:?}");
    }

    async fn a_schema_from_the_future_is_refused(engine: Engine) {
        let chain = Chain::new(&engine);
        chain.to(i64::MAX).unwrap();
        chain.database.execute(
            "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) VALUES (9999, 'future', '2030-01-01T00:00:00Z', '1')",
        );
        let error = chain.to(i64::MAX).unwrap_err();
        assert!(error.to_string().contains("9999"), "{error}");
        let cli = Cli::new(chain.folder.path(), chain.folder.path(), chain.database.url());
        let output = cli.run(&["serve", "--bind", "127.0.0.1:0"]);
        assert!(matches!(output.code, 2 | 5), "{output:?}");
    }

    async fn tables_of_somebody_else_are_left_alone(engine: Engine) {
        let chain = Chain::new(&engine);
        chain.database.execute("CREATE TABLE companies (account_number VARCHAR(50) PRIMARY KEY, freshservice_id BIGINT)");
        chain.database.execute("INSERT INTO companies VALUES ('123456', 21000100001)");
        let bytes = |chain: &Chain| match &chain.database {
            Database::Sqlite(file) => std::fs::read(file).unwrap(),
            #[cfg(feature = "postgres")]
            Database::Postgres { .. } => Vec::new(),
        };
        let before = bytes(&chain);
        assert!(chain.to(i64::MAX).is_err());
        let cli = Cli::new(chain.folder.path(), chain.folder.path(), chain.database.url());
        let output = cli.run(&["migrate"]);
        assert_ne!(output.code, 0);
        assert!(output.stderr.contains("import"), "the command that helps is named: {}", output.stderr);
        assert_eq!(bytes(&chain), before);
        assert_eq!(chain.schema().len(), 1);
        assert_eq!(chain.database.number("SELECT count(*) FROM companies"), 1);
    }

    async fn migrate_says_where_the_schema_is(engine: Engine) {
        let app = App::builder(&engine).fresh().prepare();
        app.cli().run(&["migrate"]).success();
        let status = app.cli().run(&["migrate", "--status"]).success();
        let (newest, _) = migrate::steps().unwrap().pop().unwrap();
        assert!(status.stdout.contains(&newest.to_string()), "{}", status.stdout);
    }
}

#[cfg(feature = "postgres")]
#[test]
fn both_engines_have_the_same_schema() {
    let Some(postgres) = Engine::postgres() else { return };
    let (ours, theirs) = (Chain::new(&Engine::Sqlite), Chain::new(&postgres));
    ours.to(i64::MAX).unwrap();
    theirs.to(i64::MAX).unwrap();
    let (ours, theirs) = (ours.schema(), theirs.schema());
    assert!(ours.len() > 8, "{ours:?}");
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    for (table, columns) in &ours {
        assert_eq!(columns, &theirs[table], "{table}");
    }
}

#[test]
fn an_sqlite_file_is_copied_before_it_is_changed() {
    let chain = Chain::new(&Engine::Sqlite);
    let steps = migrate::steps().unwrap();
    let (first, _) = steps[0];
    chain.to(first).unwrap();
    chain.load_sample(first);
    let rows = chain.database.number("SELECT count(*) FROM companies");
    if steps.len() > 1 {
        let report = chain.to(i64::MAX).unwrap();
        let copy = report.kept_copy.expect("a copy");
        assert_eq!(Database::Sqlite(copy.clone()).number("SELECT count(*) FROM companies"), rows);
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(copy).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
