//! The running program: started on a free port in a folder of its own, killed when the test ends.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::template::Template;
use super::{Api, Cli, Database, Engine, PASSWORD, Tokens};
use crate::core::Core;
use crate::datto::Datto;
use crate::freshservice::{API_KEY, Freshservice};

/// How to start the program.
pub struct Builder {
    engine: Engine,
    fresh: bool,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
    configuration: String,
}

impl Builder {
    /// An empty folder instead of a copy of the template: first run and migrations included.
    #[must_use]
    pub fn fresh(mut self) -> Self {
        self.fresh = true;
        self
    }

    /// One environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// One more word after `serve`.
    #[must_use]
    pub fn argument(mut self, word: &str) -> Self {
        self.arguments.push(word.to_owned());
        self
    }

    /// The text of `codex.conf`.
    #[must_use]
    pub fn configuration(mut self, text: &str) -> Self {
        text.clone_into(&mut self.configuration);
        self
    }

    /// On the platform, with this Core.
    #[must_use]
    pub fn core(self, core: &Core) -> Self {
        self.env("CORE_SERVICE_URL", core.url())
    }

    /// With this Freshservice account.
    #[must_use]
    pub fn freshservice(self, vendor: &Freshservice) -> Self {
        self.env("CODEX_FRESHSERVICE_DOMAIN", vendor.url()).env("CODEX_FRESHSERVICE_API_KEY", API_KEY)
    }

    /// With this Datto RMM account.
    #[must_use]
    pub fn datto(self, vendor: &Datto) -> Self {
        self.env("CODEX_DATTO_API_ENDPOINT", vendor.url())
            .env("CODEX_DATTO_PUBLIC_KEY", crate::datto::PUBLIC_KEY)
            .env("CODEX_DATTO_SECRET_KEY", crate::datto::SECRET_KEY)
    }

    /// Makes folder and database, without starting the program.
    pub fn prepare(self) -> App {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let instance = folder.path().join("instance");
        let template = (!self.fresh).then(|| Template::of(&self.engine));
        if template.is_some() || !self.configuration.is_empty() {
            std::fs::create_dir(&instance).expect("the instance");
        }
        if let Some(template) = template {
            template.copy_files(&instance);
        }
        if !self.configuration.is_empty() {
            std::fs::write(instance.join("codex.conf"), &self.configuration).expect("the configuration");
        }
        let database = self.engine.database(&instance, template.map(|made| &made.database));
        let tokens = template.map(|made| made.tokens.clone()).unwrap_or_default();
        let (environment, arguments) = (self.environment, self.arguments);
        App {
            folder,
            instance,
            database,
            tokens,
            environment,
            arguments,
            largest_file: None,
            base: String::new(),
            child: None,
            lines: Lines::default(),
        }
    }

    /// Starts the program and waits until it listens.
    pub async fn start(self) -> App {
        let mut app = tokio::task::spawn_blocking(|| self.prepare()).await.expect("a prepared instance");
        app.start().await;
        app
    }
}

/// What the program printed, line by line, as it comes.
#[derive(Clone, Default)]
struct Lines(Arc<(Mutex<Vec<String>>, Condvar)>);

impl Lines {
    fn follow(&self, output: impl std::io::Read + Send + 'static) {
        let lines = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                lines.0.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                lines.0.1.notify_all();
            }
        });
    }

    fn find(&self, text: &str, patience: Duration) -> Option<String> {
        let guard = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let absent = |lines: &mut Vec<String>| !lines.iter().any(|line| line.contains(text));
        let waited = self.0.1.wait_timeout_while(guard, patience, absent);
        let (lines, _) = waited.unwrap_or_else(PoisonError::into_inner);
        lines.iter().find(|line| line.contains(text)).cloned()
    }
}

/// A folder, a database, and most of the time a running program.
pub struct App {
    folder: tempfile::TempDir,
    instance: PathBuf,
    /// The test's own database.
    pub database: Database,
    tokens: Tokens,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
    /// How large a file of the program may become, in KiB.
    largest_file: Option<u64>,
    base: String,
    child: Option<Child>,
    lines: Lines,
}

impl App {
    /// How to start the program on this engine.
    pub fn builder(engine: &Engine) -> Builder {
        // Nothing runs by itself unless a test asks for it with an empty value.
        // And on a machine that does much else at the same time anything is slow, which is no news.
        // Each session of a server is a process of its own, which costs more than what most tests ask of it.
        let off = [("CODEX_SKIP_SCHEDULER", "1"), ("CODEX_DATABASE_SLOW_QUERY_MS", "0"), ("CODEX_DATABASE_POOL_SIZE", "2")];
        let environment = off.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let arguments = Vec::new();
        Builder { engine: engine.clone(), fresh: false, environment, arguments, configuration: String::new() }
    }

    /// A running program with an empty, migrated database, stand-alone.
    pub async fn start_on(engine: &Engine) -> Self {
        Self::builder(engine).start().await
    }

    /// Starts the program again after it was stopped or killed.
    pub async fn start(&mut self) {
        self.spawn();
        let lines = self.lines.clone();
        let found = tokio::task::spawn_blocking(move || lines.find("Codex is listening on ", Duration::from_secs(300))).await;
        let line = found.expect("the waiting thread").unwrap_or_else(|| panic!("codex did not listen:\n{}", self.log()));
        line.rsplit(' ').next().unwrap_or_default().trim_end_matches('/').clone_into(&mut self.base);
    }

    /// From the next start on, the program meets a full disk when a file of its own becomes larger than so many KiB.
    pub fn limit_files(&mut self, largest: u64) {
        self.largest_file = Some(largest);
    }

    /// There is room again on the disk of the program that runs.
    pub fn make_room(&mut self) {
        let lifted = Command::new("prlimit").args(["--pid", &self.pid().to_string(), "--fsize=unlimited:"]).status();
        assert!(lifted.is_ok_and(|status| status.success()), "prlimit");
        self.largest_file = None;
    }

    /// Starts the process and does not wait for anything.
    pub fn spawn(&mut self) {
        let words: Vec<&str> =
            ["serve", "--bind", "127.0.0.1:0"].into_iter().chain(self.arguments.iter().map(String::as_str)).collect();
        let mut command = self.cli().command(&words);
        if let Some(largest) = self.largest_file {
            let limited = format!("trap '' XFSZ; ulimit -S -f {}; exec \"$0\" \"$@\"", largest * 2);
            let mut shell = std::process::Command::new("sh");
            shell.arg("-c").arg(limited).arg(command.get_program()).args(command.get_args());
            shell.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
            shell.current_dir(&self.folder);
            command = shell;
        }
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_file()).expect("a log file");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().expect("codex starts");
        self.lines = Lines::default();
        self.lines.follow(child.stdout.take().expect("a pipe"));
        self.child = Some(child);
    }

    /// Waits for a line on standard output that contains this text.
    pub fn line(&self, text: &str) -> Option<String> {
        self.lines.find(text, Duration::from_secs(300))
    }

    /// Sets an environment variable for the next start, in place of an earlier value.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// A second process on the same instance and database, with the same callers.
    pub async fn beside(&self) -> Beside {
        self.beside_with(&[]).await
    }

    /// The same with more environment variables.
    pub async fn beside_with(&self, environment: &[(&str, &str)]) -> Beside {
        let mut command = self.cli().command(&["serve", "--bind", "127.0.0.1:0"]);
        command.envs(environment.iter().copied());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("codex starts");
        let lines = Lines::default();
        lines.follow(child.stdout.take().expect("a pipe"));
        let found = tokio::task::spawn_blocking(move || lines.find("Codex is listening on ", Duration::from_secs(30))).await;
        let line = found.expect("the waiting thread").expect("the second codex listens");
        let base = line.rsplit(' ').next().unwrap_or_default().trim_end_matches('/').to_owned();
        Beside { child, base, token: self.tokens.admin.clone() }
    }

    /// What the program wrote to standard output since its last start.
    pub fn printed(&self) -> String {
        self.lines.0.0.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }

    /// What the program wrote to standard error so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("stderr.log")
    }

    /// The instance's folder.
    pub fn instance(&self) -> &Path {
        &self.instance
    }

    /// The folder around the instance, in which the program runs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The program's address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("a running program").id()
    }

    /// Kills the process at once, as `kill -9` does.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _already_gone = child.kill();
            let _reaped = child.wait();
        }
    }

    /// Asks the process to end, waits at most ten seconds, and gives its exit code.
    pub async fn stop(&mut self) -> i32 {
        let mut child = self.child.take().expect("a running program");
        let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "SIGTERM was not sent");
        for _ in 0..200 {
            if let Some(status) = child.try_wait().expect("the child's state") {
                return status.code().unwrap_or(-1);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let _stuck = child.kill();
        let _reaped = child.wait();
        panic!("codex did not stop within ten seconds of SIGTERM:\n{}", self.log());
    }

    /// Whether the process still runs; its exit code when it does not.
    #[cfg(feature = "postgres")]
    pub fn exit_code(&mut self) -> Option<i32> {
        self.child.as_mut().and_then(|child| child.try_wait().ok().flatten()).map(|status| status.code().unwrap_or(-1))
    }

    /// The command line of this instance, with the same environment as the server.
    pub fn cli(&self) -> Cli {
        let cli = Cli::new(self.folder.path(), &self.instance, self.database.url());
        self.environment.iter().fold(cli, |cli, (name, value)| cli.env(name, value.as_str()))
    }

    /// A caller with this token.
    pub fn with_token(&self, token: &str) -> Api {
        Api::new(&self.base, Some(token))
    }

    /// A caller without a token.
    pub fn anonymous(&self) -> Api {
        Api::new(&self.base, None)
    }

    /// The local administrator.
    pub fn admin(&self) -> Api {
        self.with_token(&self.tokens.admin)
    }

    /// The local technician.
    pub fn technician(&self) -> Api {
        self.with_token(&self.tokens.technician)
    }

    /// The local billing user.
    pub fn billing(&self) -> Api {
        self.with_token(&self.tokens.billing)
    }

    /// The service `ledger`.
    pub fn service(&self) -> Api {
        self.with_token(&self.tokens.service)
    }

    /// The tokens behind the callers.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// A new client user of this company.
    pub async fn client_of(&self, name: &str, account: &str) -> Api {
        let (cli, name, account) = (self.cli(), name.to_owned(), account.to_owned());
        let made = tokio::task::spawn_blocking(move || {
            let email = format!("{name}@client.example.com");
            let add = ["users", "add", &name, "--email", &email, "--role", "client", "--company", &account, "--password-stdin"];
            cli.run_with_input(&add, PASSWORD).success();
            cli.run(&["token", "create", "--user", &name]).success().stdout.trim().to_owned()
        });
        self.with_token(&made.await.expect("a client user"))
    }

    /// Creates a company and gives it back as the API shows it.
    pub async fn company(&self, account: &str, name: &str) -> Value {
        self.admin().post("/api/companies", &json!({"account_number": account, "name": name})).await.status(201).json()
    }

    /// Creates a contact of these companies and gives it back.
    pub async fn contact(&self, name: &str, email: &str, accounts: &[&str]) -> Value {
        let body = json!({"name": name, "email": email, "company_account_numbers": accounts});
        self.admin().post("/api/contacts", &body).await.status(201).json()
    }

    /// Creates an asset of this company and gives it back.
    pub async fn asset(&self, hostname: &str, account: &str) -> Value {
        let body = json!({"hostname": hostname, "company_account_number": account});
        self.admin().post("/api/assets", &body).await.status(201).json()
    }
}

/// A second process beside an [`App`]'s own.
pub struct Beside {
    child: Child,
    base: String,
    token: String,
}

impl Beside {
    /// The local administrator, talking to the second process.
    pub fn admin(&self) -> Api {
        Api::new(&self.base, Some(&self.token))
    }

    /// Any caller, talking to the second process.
    pub fn api(&self, token: Option<&str>) -> Api {
        Api::new(&self.base, token)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- standard error of codex ---\n{}", self.log());
        }
    }
}
