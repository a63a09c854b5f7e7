//! One migrated database with users and keys, made once for each engine and copied for each test,
//! so that no test pays for migrations, key pairs and password hashes.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::{Cli, Database, Engine};

/// The password of every local user that the tests make.
pub const PASSWORD: &str = "correct horse battery staple";

/// A token for each kind of caller that exists in every test's database.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    /// User `ada`.
    pub admin: String,
    /// User `tess`.
    pub technician: String,
    /// User `bill`.
    pub billing: String,
    /// Service `ledger`.
    pub service: String,
}

/// A stopped instance that tests copy.
pub struct Template {
    folder: PathBuf,
    /// Its database.
    pub database: Database,
    /// Tokens signed with its keys.
    pub tokens: Tokens,
    _root: tempfile::TempDir,
}

impl Template {
    /// The template of this engine, made at the first call.
    pub fn of(engine: &Engine) -> &'static Self {
        static SQLITE: OnceLock<Template> = OnceLock::new();
        static POSTGRES: OnceLock<Template> = OnceLock::new();
        static ONE_MAKER: Mutex<()> = Mutex::new(());
        let cell = if engine.name() == "sqlite" { &SQLITE } else { &POSTGRES };
        if let Some(made) = cell.get() {
            return made;
        }
        let _turn = ONE_MAKER.lock().unwrap_or_else(PoisonError::into_inner);
        cell.get_or_init(|| Self::make(engine))
    }

    fn make(engine: &Engine) -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        let folder = root.path().join("instance");
        std::fs::create_dir(&folder).expect("the template's instance");
        let database = engine.database(&folder, None);
        let cli = Cli::new(root.path(), &folder, database.url());
        cli.run(&["migrate"]).success();
        for (name, role) in [("ada", "admin"), ("tess", "technician"), ("bill", "billing")] {
            let email = format!("{name}@msp.example.com");
            let arguments = ["users", "add", name, "--email", &email, "--role", role, "--password-stdin"];
            cli.run_with_input(&arguments, PASSWORD).success();
        }
        let token = |kind: &str, name: &str| {
            cli.run(&["token", "create", kind, name, "--hours", "24"]).success().stdout.trim().to_owned()
        };
        let tokens = Tokens {
            admin: token("--user", "ada"),
            technician: token("--user", "tess"),
            billing: token("--user", "bill"),
            service: token("--service", "ledger"),
        };
        Self { folder, database, tokens, _root: root }
    }

    /// Copies keys and files, but not the database, into another instance.
    pub fn copy_files(&self, to: &Path) {
        copy(&self.folder, to);
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("the template's instance").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&target).expect("a folder of the instance");
            let mode = entry.metadata().expect("the mode of a folder").permissions();
            std::fs::set_permissions(&target, mode).expect("the same mode");
            copy(&entry.path(), &target);
        } else if !entry.file_name().to_string_lossy().starts_with("codex.") {
            std::fs::copy(entry.path(), target).expect("a copy of the template's file");
        }
    }
}
