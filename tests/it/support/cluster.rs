//! PostgreSQL clusters of a test's own: to be encrypted, restarted, killed and replaced.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Api, App, Engine, PASSWORD};

/// A cluster that runs until it is dropped.
pub struct Cluster {
    folder: tempfile::TempDir,
    port: u16,
    settings: Vec<String>,
}

/// Whether a command is run as the account that PostgreSQL wants: it refuses to run as root.
fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|said| said.stdout == b"0\n")
}

fn bin() -> PathBuf {
    std::env::var_os("CODEX_TEST_POSTGRES_BIN")
        .map(PathBuf::from)
        .expect("CODEX_TEST_POSTGRES_BIN: start the tests with tests/run")
}

/// A port that nobody uses just now.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port()
}

/// A program of PostgreSQL or around it, as its account.
pub fn as_postgres(program: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/").stdin(Stdio::null());
    command
}

/// Gives what root has made to that account.
pub fn give_to_postgres(place: &Path) {
    if is_root() {
        let given = Command::new("chown").arg("-R").arg("postgres").arg(place).status();
        assert!(given.is_ok_and(|status| status.success()), "chown {}", place.display());
    }
}

fn run(program: &str, arguments: &[&str]) {
    // Into a file: a server that is started inherits what its starter writes to.
    let log = tempfile::NamedTempFile::new().expect("a log file");
    let output = |log: &tempfile::NamedTempFile| log.reopen().expect("the log file");
    let status = as_postgres(&bin().join(program)).args(arguments).stdout(output(&log)).stderr(output(&log)).status();
    let said = std::fs::read_to_string(log.path()).unwrap_or_default();
    assert!(status.is_ok_and(|status| status.success()), "{program} {arguments:?}:\n{said}");
}

impl Cluster {
    /// A new cluster with these settings (`name=value`). None, said aloud, where the tests have no PostgreSQL.
    pub fn start(settings: &[&str]) -> Option<Self> {
        Engine::postgres()?;
        let made = Self::folder(settings);
        run("initdb", &["-D", &made.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        made.up();
        Some(made)
    }

    /// A copy of this one that follows it.
    pub fn standby(&self, settings: &[&str]) -> Self {
        let made = Self::folder(settings);
        let port = self.port.to_string();
        run(
            "pg_basebackup",
            &["-D", &made.data(), "-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-R", "-c", "fast", "--no-sync"],
        );
        made.up();
        made
    }

    fn folder(settings: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("cluster").tempdir().expect("a folder for the cluster");
        give_to_postgres(folder.path());
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        Self { folder, port: free_port(), settings }
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// Puts a file into the data folder.
    pub fn put(&self, name: &str, text: &str) {
        let file = self.folder.path().join("data").join(name);
        std::fs::write(&file, text).expect("a file of the cluster");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&file, mode).expect("its mode");
        give_to_postgres(&file);
    }

    /// Starts it again.
    pub fn up(&self) {
        let mut options = format!(
            "-p {} -h 127.0.0.1 -k {} -c max_connections=60 -c shared_buffers=16MB -c fsync=off -c full_page_writes=off",
            self.port,
            self.folder.path().display()
        );
        for setting in &self.settings {
            options.push_str(&format!(" -c {setting}"));
        }
        let log = self.folder.path().join("log").display().to_string();
        run("pg_ctl", &["-D", &self.data(), "-l", &log, "-w", "-t", "60", "-o", &options, "start"]);
    }

    /// Stops it: `fast` says goodbye, `immediate` is as if it were killed.
    pub fn down(&self, mode: &str) {
        run("pg_ctl", &["-D", &self.data(), "-m", mode, "-w", "-t", "60", "stop"]);
    }

    /// Has it read its settings again.
    pub fn reload(&self) {
        run("pg_ctl", &["-D", &self.data(), "reload"]);
    }

    /// Makes a standby the one that takes writes.
    pub fn promote(&self) {
        run("pg_ctl", &["-D", &self.data(), "-w", "-t", "60", "promote"]);
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        let file = self.folder.path().join("log");
        String::from_utf8_lossy(&std::fs::read(file).unwrap_or_default()).into_owned()
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a database of it.
    pub fn url(&self, database: &str) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Asks it, past Codex; the first column as text.
    pub fn texts(&self, database: &str, sql: &str) -> Vec<String> {
        let (address, sql) = (self.url(database), sql.to_owned());
        let asked = std::thread::spawn(move || {
            let mut client = postgres::Client::connect(&address, postgres::NoTls).expect("the cluster");
            let rows = client.simple_query(&sql).expect("a statement of the test");
            let row = |message: &postgres::SimpleQueryMessage| match message {
                postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
                _ => None,
            };
            rows.iter().filter_map(row).collect()
        });
        asked.join().expect("an answer of the cluster")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _down_already = as_postgres(&bin().join("pg_ctl"))
            .args(["-D", &self.data(), "-m", "immediate", "stop"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

/// A running Codex over a database of its own in this cluster, at an address made of the database's name, and its
/// administrator's token.
pub async fn app_on(cluster: &Cluster, address: impl FnOnce(&str) -> String) -> (App, String) {
    let builder = App::builder(&Engine::Postgres(cluster.url("postgres"))).fresh();
    let mut app = tokio::task::spawn_blocking(|| builder.prepare()).await.expect("a prepared instance");
    let url = app.database.url().expect("a server");
    app.set_env("CODEX_DATABASE_CONNECTION_STRING", &address(url.rsplit('/').next().unwrap_or_default()));
    let cli = app.cli();
    let token = tokio::task::spawn_blocking(move || {
        let add = ["users", "add", "ada", "--email", "ada@msp.example.com", "--role", "admin", "--password-stdin"];
        cli.run_with_input(&add, PASSWORD).success();
        cli.run(&["token", "create", "--user", "ada"]).success().stdout.trim().to_owned()
    });
    let token = token.await.expect("an administrator");
    app.start().await;
    (app, token)
}

/// Companies that were written, and what was said about them.
pub struct Load {
    stop: std::sync::Arc<std::sync::atomic::AtomicBool>,
    acknowledged: std::sync::Arc<std::sync::atomic::AtomicUsize>,
    writers: tokio::task::JoinSet<Vec<String>>,
}

impl Load {
    /// So many who write one company after the other, whatever they are answered.
    pub fn start(callers: Vec<Api>) -> Self {
        use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
        let (stop, acknowledged) = (std::sync::Arc::new(AtomicBool::new(false)), std::sync::Arc::new(AtomicUsize::new(0)));
        let mut writers = tokio::task::JoinSet::new();
        for (writer, api) in callers.into_iter().enumerate() {
            let (stop, acknowledged) = (stop.clone(), acknowledged.clone());
            writers.spawn(async move {
                let mut mine = Vec::new();
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let account = format!("{}{number:05}", writer + 1);
                    let body = serde_json::json!({"account_number": account, "name": format!("Company {account}")});
                    match api.try_send(reqwest::Method::POST, "/api/companies", |request| request.json(&body)).await {
                        Ok(reply) if reply.status == 201 => {
                            mine.push(account);
                            acknowledged.fetch_add(1, Ordering::Relaxed);
                        }
                        Ok(reply) if reply.status == 503 => {
                            assert!(!reply.header("retry-after").is_empty());
                            tokio::time::sleep(Duration::from_millis(20)).await;
                        }
                        Ok(reply) => panic!("{}: {}", reply.status, reply.text()),
                        Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                    }
                }
                mine
            });
        }
        Self { stop, acknowledged, writers }
    }

    /// How many were acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Waits until so many more were.
    pub async fn more(&self, count: usize) {
        let before = self.acknowledged();
        super::eventually("writes are acknowledged", 20, || async { self.acknowledged() >= before + count }).await;
    }

    /// Ends it; the numbers of all companies that were acknowledged.
    pub async fn end(mut self) -> Vec<String> {
        self.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        let mut all = Vec::new();
        while let Some(mine) = self.writers.join_next().await {
            all.extend(mine.expect("a writer"));
        }
        all
    }
}
