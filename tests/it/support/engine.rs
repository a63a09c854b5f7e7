//! The two engines, and a database of its own for each test.

use std::path::{Path, PathBuf};

/// Which engine a test runs on.
#[derive(Clone, Debug)]
pub enum Engine {
    /// A file in the test's folder.
    Sqlite,
    /// A database on the server at this address.
    #[cfg(feature = "postgres")]
    Postgres(String),
}

impl Engine {
    /// The server that `tests/run` started. Without one this is a loud skip, and in CI a failure.
    #[cfg(feature = "postgres")]
    pub fn postgres() -> Option<Self> {
        let server = std::env::var("CODEX_TEST_POSTGRES").ok().filter(|address| !address.is_empty());
        if server.is_none() {
            let ci = std::env::var("CI").is_ok_and(|value| value == "true");
            assert!(!ci, "CODEX_TEST_POSTGRES is not set, and this is CI: start the tests with tests/run");
            eprintln!("SKIPPED on PostgreSQL: CODEX_TEST_POSTGRES is not set; tests/run starts a server for you");
        }
        server.map(Self::Postgres)
    }

    /// The engine's word, as `/health` and messages use it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => "postgres",
        }
    }

    /// A new database for the instance in `folder`: a copy of the template, or empty without one.
    pub fn database(&self, folder: &Path, template: Option<&Database>) -> Database {
        match self {
            Self::Sqlite => {
                let file = folder.join("codex.db");
                if let Some(Database::Sqlite(from)) = template {
                    std::fs::copy(from, &file).expect("a copy of the template database");
                    // A command that ended at once may have left its last words in the log.
                    let _there_may_be_none = std::fs::copy(from.with_extension("db-wal"), file.with_extension("db-wal"));
                }
                Database::Sqlite(file)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(server) => postgres_database(server, template),
        }
    }
}

/// One test's database; a PostgreSQL one is dropped with it.
#[derive(Debug)]
pub enum Database {
    /// The file.
    Sqlite(PathBuf),
    /// The server's address and the database's name.
    #[cfg(feature = "postgres")]
    Postgres {
        /// The address for maintenance, as `CODEX_TEST_POSTGRES` has it.
        server: String,
        /// The name of the test's own database.
        name: String,
    },
}

impl Database {
    /// The database's file; PostgreSQL has none.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(file) => Some(file),
            #[cfg(feature = "postgres")]
            Self::Postgres { .. } => None,
        }
    }

    /// The connection string for Codex; `None` means its default, the file in the instance.
    pub fn url(&self) -> Option<String> {
        match self {
            Self::Sqlite(_) => None,
            #[cfg(feature = "postgres")]
            Self::Postgres { server, name } => Some(replace_database(server, name)),
        }
    }

    /// Runs statements past Codex, to prepare or to look. Who asks Codex afterwards waits until it has heard of them.
    pub fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite(file) => sqlite(file).execute_batch(sql).expect("a statement of the test"),
            #[cfg(feature = "postgres")]
            Self::Postgres { server, name } => {
                let (address, sql) = (replace_database(server, name), sql.to_owned());
                off_the_runtime(move || connect(&address).batch_execute(&sql).expect("a statement of the test"));
            }
        }
        super::elsewhere::wrote(self.url().is_some());
    }

    /// Runs a statement past Codex that the engine itself must refuse; in its words.
    pub fn refuses(&self, sql: &str) -> String {
        match self {
            Self::Sqlite(file) => sqlite(file).execute_batch(sql).expect_err("the engine allows it").to_string(),
            #[cfg(feature = "postgres")]
            Self::Postgres { server, name } => {
                let (address, sql) = (replace_database(server, name), sql.to_owned());
                off_the_runtime(move || {
                    let refused = connect(&address).batch_execute(&sql).expect_err("the engine allows it");
                    refused.as_db_error().map_or_else(|| refused.to_string(), |said| said.message().to_owned())
                })
            }
        }
    }

    /// The first column of the first row of a query, past Codex, as a number.
    pub fn number(&self, sql: &str) -> i64 {
        match self {
            Self::Sqlite(file) => sqlite(file).query_row(sql, [], |row| row.get(0)).expect("a number from the database"),
            #[cfg(feature = "postgres")]
            Self::Postgres { server, name } => {
                let (address, sql) = (replace_database(server, name), sql.to_owned());
                off_the_runtime(move || connect(&address).query_one(&sql, &[]).expect("a number from the database").get(0))
            }
        }
    }

    /// The first column of every row of a query, past Codex, as text.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        match self {
            Self::Sqlite(file) => {
                let connection = sqlite(file);
                let mut statement = connection.prepare(sql).expect("a query of the test");
                let rows = statement.query_map([], |row| row.get(0)).expect("rows from the database");
                rows.map(|row| row.expect("a text from the database")).collect()
            }
            #[cfg(feature = "postgres")]
            Self::Postgres { server, name } => {
                let (address, sql) = (replace_database(server, name), sql.to_owned());
                off_the_runtime(move || {
                    let rows = connect(&address).query(&sql, &[]).expect("rows from the database");
                    rows.iter().map(|row| row.get(0)).collect()
                })
            }
        }
    }
}

#[cfg(feature = "postgres")]
impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres { server, name } = self {
            let (server, sql) = (server.clone(), format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
            off_the_runtime(move || {
                if let Ok(mut client) = postgres::Client::connect(&server, postgres::NoTls) {
                    let _gone_with_the_cluster = client.batch_execute(&sql);
                }
            });
        }
    }
}

/// Opens an SQLite file past Codex, patient with its writers.
#[expect(clippy::disallowed_methods, reason = "the tests look at the file from outside, on purpose")]
fn sqlite(file: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(file).expect("the test's database file");
    connection.busy_timeout(std::time::Duration::from_secs(10)).expect("a patient connection");
    connection
}

#[cfg(feature = "postgres")]
fn postgres_database(server: &str, template: Option<&Database>) -> Database {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    static ONE_COPY_AT_A_TIME: Mutex<()> = Mutex::new(());

    let name = format!("codex_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let from = match template {
        Some(Database::Postgres { name, .. }) => name.clone(),
        _ => "template0".to_owned(),
    };
    let (address, sql) = (server.to_owned(), format!("CREATE DATABASE {name} TEMPLATE {from} STRATEGY FILE_COPY"));
    off_the_runtime(move || {
        let _turn = ONE_COPY_AT_A_TIME.lock();
        connect(&address).batch_execute(&sql).expect("a database for the test");
    });
    Database::Postgres { server: server.to_owned(), name }
}

#[cfg(feature = "postgres")]
fn connect(address: &str) -> postgres::Client {
    postgres::Client::connect(address, postgres::NoTls).expect("the PostgreSQL server of CODEX_TEST_POSTGRES")
}

/// The blocking client must not be used on a thread of the runtime.
#[cfg(feature = "postgres")]
fn off_the_runtime<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::spawn(work).join().expect("work with PostgreSQL")
}

/// The same server, another database.
#[cfg(feature = "postgres")]
fn replace_database(server: &str, name: &str) -> String {
    let mut address = url::Url::parse(server).expect("CODEX_TEST_POSTGRES is an address");
    address.set_path(name);
    address.to_string()
}
