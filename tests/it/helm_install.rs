//! Helm's two ways to install Codex, in a copy of what stands at the top of the source tree.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::core::Core;
use crate::support::{Api, App, Engine, both, eventually};

/// What Helm, and whoever reads the tree, finds at its top.
const TOP: [&str; 6] = [".gitignore", "run.py", "init_db.py", "requirements.txt", "install.sh", "get_db_credentials.sh"];

/// What crontabs of the Python predecessors call, with its arguments, and the command that it is here.
const OLD_SCRIPTS: [(&str, &str); 12] = [
    ("pull_freshservice.py", "sync freshservice"),
    ("pull_datto.py", "sync datto"),
    ("set_account_numbers.py", "accounts assign --yes"),
    ("create_account_numbers.py", "accounts assign --yes"),
    ("push_account_nums_to_datto.py", "accounts push-datto --yes"),
    ("sync_tickets_from_freshservice.py", "sync tickets"),
    ("sync_tickets_from_freshservice.py --full-sync", "sync tickets --full"),
    ("sync_psa.py --provider freshservice --type base", "sync freshservice"),
    ("sync_psa.py --all-providers --type tickets --light", "sync tickets"),
    ("sync_psa.py --provider freshservice", "sync freshservice\nsync tickets"),
    ("sync_rmm.py --provider datto", "sync datto"),
    ("sync_rmm.py --test-connection", "doctor"),
];

/// What Helm's `config_manager.py sync-all` makes of section `[database]`.
const HELMS: &str = "[database]\nconnection_string = postgresql://codex_user:password@localhost:1/codex_db\ndb_host = localhost\n\
                     db_port = 1\ndb_name = codex_db\ndb_user = codex_user\n";

/// A clone of the tree beside Helm, without a binary.
struct Clone {
    site: tempfile::TempDir,
}

/// How a script ended, and what it said.
struct Ended {
    code: i32,
    said: String,
}

impl Clone {
    fn new() -> Self {
        let site = tempfile::tempdir().unwrap();
        let clone = Self { site };
        std::fs::create_dir_all(clone.path("")).unwrap();
        for name in TOP {
            std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(name), clone.path(name)).unwrap();
        }
        std::fs::create_dir_all(clone.path("deploy/helm")).unwrap();
        for script in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/helm")).unwrap() {
            let script = script.unwrap();
            std::fs::copy(script.path(), clone.path("deploy/helm").join(script.file_name())).unwrap();
        }
        clone
    }

    fn with_binary() -> Self {
        let clone = Self::new();
        symlink(env!("CARGO_BIN_EXE_codex"), clone.path("codex")).unwrap();
        clone
    }

    fn path(&self, name: &str) -> PathBuf {
        self.site.path().join("hivematrix-codex").join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Programs of this machine, before them those in `programs`, and nothing else of the environment.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(self.path("")).env("HOME", self.site.path()).env("PIP_NO_INDEX", "1");
        let inherited = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{inherited}", self.site.path().join("programs").display()));
        command
    }

    fn bash(&self, script: &str) -> Ended {
        let output = self.command("bash").args(["-c", script]).stdin(Stdio::null()).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Ended { code: output.status.code().unwrap_or(-1), said }
    }

    /// A program of somebody else's that is found first.
    fn program(&self, name: &str, script: &str) {
        let folder = self.site.path().join("programs");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// As Helm starts a service: its Python, `run.py`, the folder.
    fn start(&self, environment: &[(&str, &str)]) -> Running {
        let mut command = self.command(self.path("pyenv/bin/python").to_str().unwrap());
        command.arg(self.path("run.py")).envs(environment.iter().copied()).env("CODEX_SERVER_BIND", "127.0.0.1:0");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut log = child.stderr.take().unwrap();
        let drained = std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        let base = lines.find_map(|line| line.strip_prefix("Codex is listening on ").map(str::to_owned));
        Running { child, base: base.expect("it listens"), _lines: Box::new(lines), _drained: drained }
    }
}

struct Running {
    child: Child,
    base: String,
    /// Kept open: a program whose output nobody takes ends otherwise.
    _lines: Box<dyn Iterator<Item = String> + Send>,
    _drained: std::thread::JoinHandle<std::io::Result<u64>>,
}

impl Running {
    fn proc(&self, name: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{name}", self.child.id())).unwrap().replace('\0', " ").trim().to_owned()
    }

    fn stop(mut self) -> i32 {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The flags with which Helm calls `init_db.py`, for a database of the test.
fn flags(database: &str, password: &str) -> String {
    let url = url::Url::parse(database).unwrap();
    let (host, port) = (url.host_str().unwrap(), url.port().unwrap_or(5432));
    let (name, user) = (url.path().trim_start_matches('/'), url.username());
    format!("--headless --db-host {host} --db-port {port} --db-name '{name}' --db-user '{user}' --db-password '{password}'")
}

#[test]
fn without_a_binary_the_installer_says_what_to_do_and_builds_nothing() {
    let clone = Clone::new();
    clone.program("codex", "echo codex-cli 0.46.0");
    clone.program("cargo", "touch built");
    for script in ["./install.sh", "python3 init_db.py --headless --db-password x", "python3 run.py"] {
        let ended = clone.bash(script);
        assert_eq!(ended.code, 1, "{script}: {}", ended.said);
        assert!(ended.said.contains("CODEX_BINARY=") && ended.said.contains("CODEX_BUILD=1"), "{script}: {}", ended.said);
    }
    for left in ["built", "pyenv", "instance", "bin"] {
        assert!(!clone.path(left).exists(), "{left}: the next start has to try again");
    }
    let ended = clone.bash("CODEX_BINARY=/nowhere ./install.sh");
    assert!(ended.code == 1 && ended.said.contains("/nowhere"), "{}", ended.said);
    let ended = clone.bash("CODEX_BUILD=1 ./install.sh");
    assert!(ended.code != 0 && clone.path("built").exists(), "it builds when told: {}", ended.said);
}

#[test]
fn a_binary_on_the_path_or_named_is_installed() {
    let binary = env!("CARGO_BIN_EXE_codex");
    let clone = Clone::new();
    clone.program("codex", &format!("exec {binary} \"$@\""));
    let ended = clone.bash("./install.sh && readlink bin/codex-gunicorn");
    assert!(ended.code == 0 && ended.said.trim_end().ends_with("programs/codex"), "{}", ended.said);
    let ended = clone.bash(&format!("CODEX_BINARY={binary} ./install.sh && ./install.sh && readlink bin/codex-gunicorn"));
    assert!(ended.code == 0 && ended.said.trim_end().ends_with(binary), "named once, it stays: {}", ended.said);
    assert!(clone.read(".flaskenv").contains("CORE_SERVICE_URL=http://localhost:5000"));
    assert!(!clone.path("instance/codex.db").exists(), "the database is not the installer's business");
}

#[test]
fn the_list_of_services_is_made_here_and_makes_room_for_helms() {
    let clone = Clone::with_binary();
    assert_eq!(clone.bash("./install.sh").code, 0);
    let list: serde_json::Value = serde_json::from_str(&clone.read("services.json")).unwrap();
    assert_eq!((&list["core"]["url"], &list["codex"]["url"]), (&"http://localhost:5000".into(), &"http://localhost:5010".into()));
    let helm = clone.path("../hivematrix-helm");
    std::fs::create_dir(&helm).unwrap();
    let committed = clone.bash("git init -q && git add . && git -c user.name=a -c user.email=a@b.example commit -qm all");
    assert_eq!(committed.code, 0, "{}", committed.said);
    let ended = clone.bash("./install.sh && readlink services.json");
    assert!(ended.code == 0 && ended.said.contains("../hivematrix-helm/services.json"), "{}", ended.said);
    // Helm writes its list after that only, and a start without it is a start.
    assert_eq!(clone.bash("./codex config show --instance instance").code, 0);
    std::fs::write(helm.join("services.json"), "{}").unwrap();
    assert_eq!(clone.read("services.json"), "{}");
    let status = clone.bash("git status --porcelain");
    assert_eq!((status.code, status.said.as_str()), (0, ""), "Helm updates by `git pull`, and shows who was changed by hand");
}

#[test]
fn the_predecessors_scripts_live_on_beside_the_binary() {
    let clone = Clone::new();
    std::fs::write(clone.path("codex"), "#!/bin/sh\n[ \"$1\" = --version ] || pwd; echo \"$@\"\n").unwrap();
    std::fs::set_permissions(clone.path("codex"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let ended = clone.bash("./install.sh");
    assert_eq!(ended.code, 0, "{}", ended.said);
    let folder = std::fs::canonicalize(clone.path("")).unwrap();
    for (script, commands) in OLD_SCRIPTS {
        // As a crontab does: by its full path, from anywhere.
        let ended = clone.bash(&format!("here=$PWD; cd / && $here/pyenv/bin/python $here/{script}"));
        let told: Vec<&str> = ended.said.lines().filter(|line| Path::new(line) != folder).collect();
        assert_eq!((ended.code, told.join("\n").as_str()), (0, commands), "{script}: {}", ended.said);
    }
    let ended = clone.bash("python3 sync_psa.py --provider superops");
    assert!(ended.code == 2 && ended.said.contains("superops"), "{} {}", ended.code, ended.said);
    let first = clone.read("pull_datto.py");
    assert_eq!(first.lines().count(), 2, "{first}");
}

both! {
    async fn helms_placeholder_never_takes_the_place_of_an_address_that_works(engine: Engine) {
        let app = App::builder(&engine).fresh().prepare();
        let told = app.cli().command(&[]).get_envs().find_map(|(name, value)| (name == "CODEX_DATABASE_CONNECTION_STRING").then(|| value.unwrap().to_str().unwrap().to_owned()));
        let address = told.unwrap_or_else(|| "sqlite:///kept.db".to_owned());
        let engine = if address.starts_with("sqlite") { "sqlite" } else { "postgresql" };
        let clone = Clone::with_binary();
        let core = Core::start().await;
        assert_eq!(clone.bash("./install.sh").code, 0);
        let vendor = "[freshservice]\ndomain = acme\n";
        let real = format!("[database]\nconnection_string = {address}\n");
        // At first the real one; then what Helm makes of it; then a file that lost its section.
        for (conf, said) in [(real.as_str(), None), (HELMS, Some("placeholder")), ("", Some("no database any more"))] {
            std::fs::write(clone.path("instance/codex.conf"), format!("{conf}{vendor}")).unwrap();
            let shown = clone.bash("bin/codex config show");
            match said {
                Some(said) => assert!(shown.said.contains(said) && shown.said.contains("database-address"), "{}", shown.said),
                None => assert!(!shown.said.contains("database-address"), "{}", shown.said),
            }
            let running = clone.start(&[("CORE_SERVICE_URL", &core.url())]);
            let health = Api::new(&running.base, None).get("/health").await.ok();
            assert_eq!((&health["checks"]["database"]["type"], &health["checks"]["database"]["status"]), (&engine.into(), &"healthy".into()), "{health}");
            let kept = || clone.read("instance/database-address").trim() == address && clone.read("instance/codex.conf").contains(&address);
            eventually("the address is kept, and stands in codex.conf again", 10, || async { kept() }).await;
            assert!(clone.read("instance/codex.conf").contains(vendor), "{}", clone.read("instance/codex.conf"));
            assert_eq!(tokio::task::spawn_blocking(move || running.stop()).await.unwrap(), 0);
        }
        let mode = std::fs::metadata(clone.path("instance/database-address")).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        // Another real address wins.
        std::fs::write(clone.path("instance/codex.conf"), "[database]\nconnection_string = sqlite:///moved.db\n").unwrap();
        assert!(!clone.bash("bin/codex config show").said.contains("database-address"));
    }

    async fn the_lines_of_helms_start_install_and_start_codex(engine: Engine) {
        let app = App::builder(&engine).fresh().prepare();
        let clone = Clone::with_binary();
        let address = app.cli().command(&[]).get_envs().find_map(|(name, value)| (name == "CODEX_DATABASE_CONNECTION_STRING").then(|| value.unwrap().to_str().unwrap().to_owned()));
        let database = match &address {
            Some(address) => format!("python init_db.py {} --create-sample-data", flags(address, "p@ss:w/rd%")),
            None => "python init_db.py --migrate-only".to_owned(),
        };
        let install = format!(
            "set -e
            if [ ! -d pyenv ]; then chmod +x install.sh; ./install.sh; echo FIRST; fi
            pip --version >/dev/null
            source pyenv/bin/activate
            pip install -r requirements.txt -q
            if [ ! -f instance/codex.conf ] || ! grep -q '^connection_string' instance/codex.conf; then {database}; echo SECOND; fi
            deactivate
            echo DONE"
        );
        let ended = clone.bash(&install);
        assert!(ended.code == 0 && ended.said.contains("FIRST") && ended.said.contains("SECOND"), "{}", ended.said);
        assert!(!ended.said.contains("p@ss"), "{}", ended.said);
        let conf = clone.read("instance/codex.conf");
        if let Some(address) = &address {
            let mode = std::fs::metadata(clone.path("instance/codex.conf")).unwrap().permissions().mode() & 0o777;
            assert!(conf.contains("\nconnection_string = postgresql://postgres:p%40ss%3Aw%2Frd%25@") && mode == 0o600, "{mode:o} {conf}");
            assert!(!clone.path("instance/codex.db").exists());
            assert!(clone.bash("./get_db_credentials.sh").said.starts_with("postgresql://postgres:"));
            let again = clone.bash(&install);
            assert!(again.code == 0 && !again.said.contains("FIRST") && !again.said.contains("SECOND"), "the short way: {}", again.said);
            // Helm keeps a database and makes up a new password or user: what works stays.
            let other = flags(address, "x").replace("--db-user 'postgres'", "--db-user 'nobody_such'");
            let kept = clone.bash(&format!("python3 init_db.py {other} --migrate-only"));
            assert!(kept.code == 0 && kept.said.contains("warning") && clone.read("instance/codex.conf") == conf, "{}", kept.said);
            let refused = clone.bash(&format!("python3 init_db.py {other}"));
            assert!(refused.code == 5 && clone.read("instance/codex.conf") == conf, "{} {}", refused.code, refused.said);
        }
        assert!(clone.bash("python3 init_db.py --force-rebuild --headless").said.contains("never drops"));

        let core = Core::start().await;
        let running = clone.start(&[("CORE_SERVICE_URL", &core.url())]);
        assert_eq!(running.proc("comm"), "codex-gunicorn", "Helm knows a service by this name");
        let line = running.proc("cmdline");
        assert_eq!(line, format!("{} serve", clone.path("bin/codex-gunicorn").display()), "Helm stops what is left by this line");
        let health = Api::new(&running.base, None).get("/health").await.ok();
        let type_of = if address.is_some() { "postgresql" } else { "sqlite" };
        assert_eq!((&health["service"], &health["checks"]["database"]["type"]), (&"codex".into(), &type_of.into()), "{health}");
        let service = Api::new(&running.base, Some(&core.service("ledger")));
        assert_eq!(service.get("/api/companies").await.ok(), serde_json::json!([]), "no sample data");
        assert_eq!(tokio::task::spawn_blocking(move || running.stop()).await.unwrap(), 0);
    }
}
