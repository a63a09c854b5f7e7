//! Runs the built program's commands and looks at what they say.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A command line for one instance.
#[derive(Clone, Debug)]
pub struct Cli {
    folder: PathBuf,
    instance: PathBuf,
    environment: Vec<(String, String)>,
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub struct Output {
    /// The exit code; -1 after a signal.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Fails unless the code was 0.
    pub fn success(self) -> Self {
        self.code(0)
    }

    /// Fails unless the code was this.
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code; stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Standard output as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {}", self.stdout))
    }
}

/// The built binary, with nothing of this machine's environment in reach.
pub fn codex(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_codex"));
    command.env_clear().current_dir(folder).env("HOME", folder).env("NO_COLOR", "1");
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

impl Cli {
    /// The commands of the instance in this folder.
    pub fn new(folder: &Path, instance: &Path, database: Option<String>) -> Self {
        let environment = database.into_iter().map(|url| ("CODEX_DATABASE_CONNECTION_STRING".to_owned(), url)).collect();
        Self { folder: folder.to_owned(), instance: instance.to_owned(), environment }
    }

    /// The same with one more environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// The command, not yet started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = codex(&self.folder);
        command.arg("--instance").arg(&self.instance).args(arguments);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end, with nothing on standard input.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with_input(arguments, "")
    }

    /// Runs a command to its end with this on standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("codex starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let _a_command_need_not_read_it = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().expect("codex ends");
        super::elsewhere::wrote(self.environment.iter().any(|(_, value)| value.starts_with("postgresql")));
        Output {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The same on a thread of its own, so that stand-ins on the runtime can answer meanwhile.
    pub async fn run_beside(&self, arguments: &[&str]) -> Output {
        let (cli, arguments) = (self.clone(), arguments.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
        let server = self.environment.iter().any(|(_, value)| value.starts_with("postgresql"));
        let output = tokio::task::spawn_blocking(move || cli.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()))
            .await
            .expect("the command's thread");
        if server {
            // A running Codex hears of another process's writes at its next look, or distrusts its
            // cache after half a second without one.
            tokio::time::sleep(std::time::Duration::from_millis(600)).await;
        }
        output
    }
}
