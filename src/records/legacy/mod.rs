//! Moving in: the database of the service that came before Codex, whichever of its three generations, becomes ours.
//!
//! Ids that other programs know are kept (Ledger stores those of assets and contacts). It is one transaction: all of it or
//! nothing. A second run changes nothing, and what somebody has changed here since is never written over, nor is a record
//! that is something else than the row with its id. The other database is only read.

mod billing;
mod bring;
mod devices;
mod generations;
mod people;
mod report;
mod row;
mod spool;
mod store;
mod tickets;
mod values;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use report::{Counted, Loss, Report};

use self::{generations::Generation, report::Losses, spool::Spool};
use crate::{
    config::{Config, ini},
    db::{Db, Target, Write, foreign, foreign::Foreign},
    error::{Error, Result},
    progress::Progress,
    types::{Actor, Scope},
};

/// Who writes what is imported, in history.
const ACTOR: &str = "import legacy";
/// The table that every generation has.
const COMPANIES: &str = "companies";
/// The table in which our own schema's steps are kept.
const OUR_STEPS: &str = "refinery_schema_history";
/// Where both Python services look when their settings name no database.
const DEFAULTS: [(&str, &str); 2] = [("codex.conf", "codex.db"), ("nexus.conf", "nexus_brainhair.db")];

/// Where the other database is.
#[derive(Clone, Debug)]
pub struct Place {
    /// The database.
    pub target: Target,
    /// The sections of the settings file that named it, when one did.
    pub settings: Vec<String>,
}

impl Place {
    /// A connection string, an SQLite file, or the settings file of a former service, which names its database.
    ///
    /// # Errors
    /// `BadRequest`, saying what it is not.
    pub fn find(text: &str) -> Result<Self> {
        if text.contains("://") {
            let here = Path::new("");
            return Ok(Self { target: Target::parse(Some(text), here)?, settings: Vec::new() });
        }
        let path = Path::new(text);
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("conf")) {
            return Self::named_by(path);
        }
        if !path.is_file() {
            return Err(Error::BadRequest(format!(
                "{text} is no file; name an SQLite file, a settings file (codex.conf, nexus.conf), or postgresql://user:password@host/database"
            )));
        }
        Ok(Self { target: Target::Sqlite(path.to_owned()), settings: Vec::new() })
    }

    /// The database that a settings file names, as its service found it: `[database] connection_string`, else its own file
    /// beside the settings. A relative file lies beside the settings too.
    fn named_by(path: &Path) -> Result<Self> {
        let wrong = |why: String| Error::BadRequest(format!("{}: {why}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let entries = ini::by_key(ini::parse(&text).map_err(wrong)?);
        let folder =
            path.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Path::to_owned);
        let named = entries.iter().find(|((section, key), _)| section == "database" && key == "connection_string");
        let target = match named.map(|(_, entry)| entry.value.as_str()).filter(|value| !value.is_empty()) {
            Some(address) if address.contains("://") => {
                Target::parse(Some(address), &folder).map_err(|error| wrong(error.to_string()))?
            }
            Some(_) => return Err(wrong("[database] connection_string must begin with postgresql:// or sqlite:///".to_owned())),
            None => {
                let name = path.file_name().unwrap_or_default();
                let usual = DEFAULTS.iter().find(|(settings, _)| name == *settings).map(|(_, file)| folder.join(file));
                let usual = usual.filter(|file| file.is_file());
                Target::Sqlite(usual.ok_or_else(|| wrong("names no database ([database] connection_string)".to_owned()))?)
            }
        };
        let mut settings: Vec<String> =
            entries.into_keys().map(|(section, _)| section).filter(|section| section != "database").collect();
        settings.dedup();
        Ok(Self { target, settings })
    }
}

/// A database of the former service, copied as it was.
#[derive(Clone)]
pub struct Source(Arc<Held>);

struct Held {
    place: Place,
    generation: &'static Generation,
    known_by: String,
    spool: Spool,
    losses: Losses,
}

impl Source {
    /// Looks which generation it is, and copies what is known of it into a nameless file in `folder`.
    ///
    /// # Errors
    /// `BadRequest` when it is no database of the former service, and those of reading it.
    pub fn open(place: Place, ours: &Target, folder: &Path) -> Result<Self> {
        if foreign::is_same(&place.target, ours) {
            return Err(Error::BadRequest(format!(
                "{ours} is the database of this instance; give Codex an empty one ([database] connection_string, or another --instance)"
            )));
        }
        let mut database = Foreign::open(&place.target)?;
        let tables = database.tables()?;
        let (generation, known_by) = recognised(&tables, &place.target)?;
        let spool = Spool::copy(&mut database, &tables, generation, folder)?;
        let mut losses = Losses::default();
        for table in tables.keys().filter(|name| !generation.tables().any(|table| table.name == name.as_str())) {
            let rows = database.count(table)?;
            let why =
                generations::LEFT.iter().find(|(name, _)| name == table).map_or("Codex knows no such table", |(_, why)| why);
            if rows > 0 {
                losses.table(table, rows, why);
            }
        }
        Ok(Self(Arc::new(Held { place, generation, known_by, spool, losses })))
    }

    /// Which generation it is.
    #[must_use]
    pub fn generation(&self) -> &'static str {
        self.0.generation.name
    }

    /// By what that was seen.
    #[must_use]
    pub fn known_by(&self) -> &str {
        &self.0.known_by
    }

    /// How many rows are known of it.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.0.spool.total()
    }

    /// What would become of it; nothing is written.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn plan(&self, db: &Db, config: &Arc<Config>, progress: &Arc<Progress>) -> Result<Report> {
        db.dry_run(&Scope::All, &Actor::import(ACTOR), self.work(config, progress, true)).await
    }

    /// Brings all of it that can be, in one transaction.
    ///
    /// # Errors
    /// Those of the database; then nothing is written.
    pub async fn apply(&self, db: &Db, config: &Arc<Config>, progress: &Arc<Progress>) -> Result<Report> {
        db.write(&Scope::All, &Actor::import(ACTOR), self.work(config, progress, false)).await
    }

    fn work(
        &self,
        config: &Arc<Config>,
        progress: &Arc<Progress>,
        dry_run: bool,
    ) -> impl FnOnce(&mut Write<'_>) -> Result<Report> + Send + 'static {
        let (held, config, progress) = (self.0.clone(), config.clone(), progress.clone());
        move |w| {
            progress.begin(if dry_run { "planning" } else { "importing" }, u64::try_from(held.spool.total()).ok());
            let brought = bring::all(w, &held.spool, held.generation, held.losses.clone(), &config, &progress, dry_run);
            progress.end_phase();
            let (tables, losses) = brought?;
            Ok(Report {
                generation: held.generation.name,
                known_by: held.known_by.clone(),
                source: held.place.target.to_string(),
                dry_run,
                tables,
                losses: losses.list(),
            })
        }
    }
}

/// Which generation these tables are of, and by what that is seen.
///
/// # Errors
/// `BadRequest` when they are none's, or our own.
fn recognised(tables: &BTreeMap<String, Vec<String>>, target: &Target) -> Result<(&'static Generation, String)> {
    let has = |table: &str, column: &str| tables.get(table).is_some_and(|columns| columns.iter().any(|known| known == column));
    if tables.contains_key(OUR_STEPS) {
        return Err(Error::BadRequest(format!("{target} is a database of Codex itself, not of the service before it")));
    }
    if !has(COMPANIES, "account_number") {
        return Err(Error::BadRequest(format!(
            "{target} is no database of the former service: it has no table companies with the column account_number"
        )));
    }
    let marks = |of: &'static Generation, marks: &[(&str, bool)]| {
        let seen: Vec<&str> = marks.iter().filter(|(_, is_there)| *is_there).map(|(mark, _)| *mark).collect();
        (!seen.is_empty()).then(|| (of, seen.join(", ")))
    };
    let later = marks(
        &generations::LATER,
        &[
            ("companies.external_id", has(COMPANIES, "external_id")),
            ("contacts.external_source", has("contacts", "external_source")),
            ("rmm_site_links", tables.contains_key("rmm_site_links")),
        ],
    );
    let first = || {
        marks(
            &generations::FIRST,
            &[
                ("contacts.freshservice_id", has("contacts", "freshservice_id")),
                ("ticket_details.ticket_id", has("ticket_details", "ticket_id")),
                ("companies.contract_term", has(COMPANIES, "contract_term")),
            ],
        )
    };
    let oldest = || {
        marks(
            &generations::OLDEST,
            &[
                ("scheduler_jobs", tables.contains_key("scheduler_jobs")),
                ("users.permission_level", has("users", "permission_level")),
                ("companies.freshservice_id without a contract", has(COMPANIES, "freshservice_id")),
            ],
        )
    };
    later.or_else(first).or_else(oldest).ok_or_else(|| {
        Error::BadRequest(format!(
            "{target} has companies, but nothing by which one of the three generations of the former service is known"
        ))
    })
}
