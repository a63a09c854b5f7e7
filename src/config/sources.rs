//! Gathers what every source says about every setting, and lets the strongest win.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::{
    Problem, dotenv, ini, kept_address,
    keys::{Key, Kind, LATER, keys},
    private,
    suggest::nearest,
};

/// The origin of what was entered in the page or over HTTP.
pub const ENTERED: &str = "entered in the page";

/// Which database.
const ADDRESS: (&str, &str) = ("database", "connection_string");

/// One value, and where it was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Value {
    /// The text as given.
    pub text: String,
    /// Where it came from, in words a person can act on (`instance/codex.conf:12`).
    pub origin: String,
}

/// Everything that was said, before it is understood. The caller passes the environment in, so that
/// nothing here depends on the process that runs it.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The instance folder.
    pub instance: PathBuf,
    /// The folder in which the program was started; `.flaskenv` is looked for here first.
    pub folder: PathBuf,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// Credentials entered in the page, decrypted: (`section`, `key`) and value.
    pub stored: BTreeMap<(String, String), String>,
    /// Command-line flags: (`section`, `key`) and value; the flag's name is the origin.
    pub flags: Vec<(&'static str, &'static str, Value)>,
}

/// The winning values, and what should be told about the rest.
#[derive(Clone, Debug, Default)]
pub struct Resolved {
    /// The winner for every setting, by section and name.
    pub values: BTreeMap<(&'static str, &'static str), Value>,
    /// Unknown keys and the like: worth saying, no reason to stop.
    pub warnings: Vec<String>,
}

impl Sources {
    /// Reads the files and picks the winners.
    pub fn resolve(&self) -> Result<Resolved, Problem> {
        let conf_path = self.instance.join("codex.conf");
        let conf = match read(&conf_path)? {
            Some(text) => ini::by_key(ini::parse(&text).map_err(|m| Problem::new(format!("{}: {m}", conf_path.display())))?),
            None => BTreeMap::new(),
        };
        let flaskenv = self.flaskenv()?;
        let mut resolved = Resolved { warnings: unknown(&conf, &conf_path), ..Resolved::default() };
        resolved.warnings.extend(self.unknown_variables());
        let kept = self.kept_address(&conf);
        resolved.warnings.extend(kept.as_ref().map(|kept| kept.warning.clone()));
        for key in keys() {
            let mut value = Value { text: key.default.to_owned(), origin: "default".to_owned() };
            let own = (key.section, key.name);
            for (section, name) in key.also_conf.iter().chain([&own]) {
                let entry = conf.get(&((*section).to_owned(), (*name).to_owned()));
                prefer(&mut value, entry.map(|e| (e.value.clone(), format!("{}:{}", conf_path.display(), e.line))));
            }
            let kept = kept.as_ref().filter(|_| own == ADDRESS);
            prefer(&mut value, kept.map(|kept| (kept.address.clone(), kept.origin.clone())));
            let stored = self.stored.get(&(key.section.to_owned(), key.name.to_owned()));
            prefer(&mut value, stored.map(|text| (text.clone(), ENTERED.to_owned())));
            let lines = |name: &str| flaskenv.iter().rev().find(|(_, e)| e.name == name);
            from_variables(&mut value, key, |name| {
                lines(name).map(|(f, e)| (e.value.clone(), format!("{f}:{} ({name})", e.line)))
            })?;
            from_variables(&mut value, key, |name| {
                self.environment.get(name).map(|text| (text.clone(), format!("environment ({name})")))
            })?;
            if let Some((.., flag)) = self.flags.iter().rev().find(|(section, name, _)| (*section, *name) == own) {
                value = flag.clone();
            }
            resolved.values.insert(own, value);
        }
        Ok(resolved)
    }

    /// The database's address that stands in for what `codex.conf` says.
    fn kept_address(&self, conf: &BTreeMap<(String, String), ini::Entry>) -> Option<kept_address::Kept> {
        let told = |name: &str| conf.get(&(ADDRESS.0.to_owned(), name.to_owned())).map(|entry| entry.value.as_str());
        if told("db_password").is_some_and(|password| !password.is_empty()) {
            return None;
        }
        kept_address::instead_of(told(ADDRESS.1).filter(|address| !address.is_empty()), &self.instance)
    }

    /// The assignments of the first `.flaskenv` found, each with the file's name.
    fn flaskenv(&self) -> Result<Vec<(String, dotenv::Entry)>, Problem> {
        let beside = self.instance.file_name().is_some_and(|n| n == "instance").then(|| self.instance.parent()).flatten();
        for folder in [Some(self.folder.as_path()), beside, Some(self.instance.as_path())].into_iter().flatten() {
            let path = folder.join(".flaskenv");
            // Whoever becomes the service's user stays in their own folder, which may be closed to that one.
            if folder == self.folder && is_closed(&path) {
                continue;
            }
            if let Some(text) = read(&path)? {
                let name = path.strip_prefix(&self.folder).unwrap_or(&path).display().to_string();
                return Ok(dotenv::parse(&text).into_iter().map(|e| (name.clone(), e)).collect());
            }
        }
        Ok(Vec::new())
    }

    /// Variables that look like ours and are not: `CODEX_`, a section of ours, an unknown key.
    fn unknown_variables(&self) -> Vec<String> {
        let known: Vec<String> = keys().iter().map(Key::variable).collect();
        let ours = |name: &str| keys().iter().any(|k| name.starts_with(&format!("CODEX_{}_", k.section.to_uppercase())));
        let is_known = |name: &str| known.iter().any(|k| k == name || name.strip_suffix("_FILE") == Some(k));
        let strange = self.environment.keys().filter(|name| ours(name) && !is_known(name));
        strange.map(|name| said("unknown variable", name, nearest(name, known.iter().map(String::as_str)))).collect()
    }
}

/// Whether it cannot even be told if there is such a file.
fn is_closed(path: &Path) -> bool {
    fs::metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
}

/// The text of a file, nothing when it does not exist, a problem when it cannot be read.
fn read(path: &Path) -> Result<Option<String>, Problem> {
    match fs::read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(Problem::new(format!("{}: not valid UTF-8", path.display()))),
        },
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => {
            let why = match private::run_as_owner(path) {
                Some(how) if error.kind() == std::io::ErrorKind::PermissionDenied => format!("cannot be read: {how}"),
                _ => error.to_string(),
            };
            Err(Problem::new(format!("{}: {why}", path.display())))
        }
    }
}

/// A stronger source wins, unless it says nothing.
fn prefer(value: &mut Value, stronger: Option<(String, String)>) {
    if let Some((text, origin)) = stronger.filter(|(text, _)| !text.trim().is_empty()) {
        *value = Value { text: text.trim().to_owned(), origin };
    }
}

/// Looks a setting up under all its variables; for secrets also in the file that `…_FILE` names.
fn from_variables(value: &mut Value, key: &Key, find: impl Fn(&str) -> Option<(String, String)>) -> Result<(), Problem> {
    for name in key.also_env {
        prefer(value, find(name));
    }
    if key.kind != Kind::Plain {
        let names = key.also_env.iter().map(|n| format!("{n}_FILE")).chain([format!("{}_FILE", key.variable())]);
        for (path, origin) in names.filter_map(|name| find(&name)).filter(|(path, _)| !path.is_empty()) {
            let text = read(Path::new(&path))?.ok_or_else(|| Problem::new(format!("{path}: no such file, named by {origin}")))?;
            prefer(value, Some((text, format!("{path}, named by {origin}"))));
        }
    }
    prefer(value, find(&key.variable()));
    Ok(())
}

/// One warning for every key of `codex.conf` that nobody reads, and one for each section of later work.
fn unknown(conf: &BTreeMap<(String, String), ini::Entry>, path: &Path) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut later: Vec<&str> = Vec::new();
    for ((section, name), entry) in conf {
        let places = || keys().iter().flat_map(|k| k.also_conf.iter().copied().chain([(k.section, k.name)]));
        if places().any(|(s, n)| s == section && n == name) {
            continue;
        }
        let at = format!("{}:{}", path.display(), entry.line);
        if LATER.contains(&section.as_str()) {
            if !later.contains(&section.as_str()) {
                later.push(section);
                warnings.push(format!("{at}: section [{section}] is accepted but has no effect in this version"));
            }
        } else if places().any(|(s, _)| s == section) {
            let names = places().filter(|(s, _)| s == section).map(|(_, n)| n);
            warnings.push(said(&format!("{at}: unknown key"), &format!("[{section}] {name}"), nearest(name, names)));
        } else {
            let sections = places().map(|(s, _)| s);
            warnings.push(said(&format!("{at}: unknown section"), &format!("[{section}]"), nearest(section, sections)));
        }
    }
    warnings
}

fn said(what: &str, name: &str, guess: Option<&str>) -> String {
    guess.map_or_else(|| format!("{what} {name}"), |guess| format!("{what} {name}; did you mean {guess}?"))
}
