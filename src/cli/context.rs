//! What every command starts from: the instance folder, the configuration, the database.

use std::{env, path::PathBuf, sync::Arc};

use super::{Failure, failure, log, out};
use crate::{
    app,
    config::{Config, Database, Secret, Sources, Value, private},
    db::{self, Db, Target, migrate, upkeep},
    error::Error,
    identity::Identity,
    reconcile::assets::sealing,
    records::search_keys,
    vendors::credentials,
};

/// Requests that may wait for the database before new ones are turned away.
const QUEUE: usize = 4096;

/// The sources of the configuration, before the command adds its flags.
#[derive(Clone, Debug)]
pub struct Context {
    sources: Sources,
}

impl Context {
    /// The process's own environment over an instance folder.
    pub fn new(instance: PathBuf) -> Result<Self, Failure> {
        let folder = env::current_dir()?;
        if let Some(file) = instance.ancestors().find(|place| place.exists() && !place.is_dir()) {
            let message = format!("--instance {}: {} is a file; name a folder", instance.display(), file.display());
            return Err(Failure::new(failure::STORAGE, message));
        }
        let environment = env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect();
        Ok(Self { sources: Sources { instance, folder, environment, ..Sources::default() } })
    }

    /// The instance folder.
    #[must_use]
    pub fn instance(&self) -> &std::path::Path {
        &self.sources.instance
    }

    /// A flag that beats every other source; `flag` is its name.
    #[must_use]
    pub fn with_flag(mut self, section: &'static str, key: &'static str, flag: &str, value: Option<String>) -> Self {
        if let Some(text) = value {
            self.sources.flags.push((section, key, Value { text, origin: flag.to_owned() }));
        }
        self
    }

    /// The configuration alone: nothing is logged or created.
    pub fn config(&self) -> Result<Config, Failure> {
        Ok(Config::load(&self.sources)?)
    }

    /// The configuration, with logging started and its oddities told; a command that is not the server
    /// keeps quiet about what goes well, unless someone chose a level.
    pub fn start(&self, quiet: bool) -> Result<Config, Failure> {
        let config = self.config()?;
        let chosen = config.shown().iter().any(|s| s.key == "server.log_level" && s.origin != "default");
        let quiet = quiet && !chosen && !config.server.dev;
        log::start(&config, if quiet { "warn" } else { &config.server.log_level }, quiet);
        for warning in &config.warnings {
            out::note(format_args!("warning: {warning}"));
        }
        Ok(config)
    }
}

/// Makes the instance folder, for its owner alone. A folder that exists stays as it is.
pub fn make_instance(config: &Config) -> Result<(), Failure> {
    let folder = &config.instance;
    private::folder(folder).map_err(|error| {
        let how = private::run_as_owner(folder).unwrap_or_else(|| error.to_string());
        Failure::new(failure::STORAGE, format!("the instance folder {} cannot be made: {how}", folder.display()))
    })
}

/// Where the database is, as the database layer says it; a build without PostgreSQL refuses its addresses.
pub fn target(config: &Config) -> Result<Target, Failure> {
    match &config.database {
        Database::Sqlite(path) => Ok(Target::Sqlite(path.clone())),
        Database::Postgres(address) => {
            let target = Target::parse(Some(address.expose()), &config.instance).map_err(Failure::opening)?;
            Ok(target.with_sessions(config.sessions).past_pooler(config.direct_database.as_ref().map(Secret::expose)))
        }
    }
}

/// What is done with the rows once the schema is in place.
pub fn prepare(config: &Config) -> upkeep::Prepare {
    sealing::prepare(config)
}

/// Opens the database, creating and migrating it; a server that is away is a failure.
pub fn open(config: &Config) -> Result<Db, Failure> {
    let target = target(config)?;
    make_instance(config)?;
    db::log_slower_than(config.slow_query);
    with_search_keys(Db::open_now(target, QUEUE, &prepare(config)).map_err(Failure::opening)?)
}

/// The same for the server, which waits for its database.
pub fn open_patiently(config: &Config) -> Result<Db, Failure> {
    let target = target(config)?;
    make_instance(config)?;
    db::log_slower_than(config.slow_query);
    with_search_keys(Db::open_with(target, QUEUE, &prepare(config)).map_err(Failure::opening)?)
}

fn with_search_keys(db: Db) -> Result<Db, Failure> {
    // A thread of its own, because some callers are in a runtime already.
    let refreshed = std::thread::scope(|scope| scope.spawn(|| block_on(search_keys::refresh(&db))).join());
    match refreshed {
        Ok(Ok(Ok(()) | Err(Error::Unavailable(_)))) => {}
        Ok(Ok(Err(error))) => tracing::warn!(%error, "the search keys of an earlier version could not all be made anew"),
        Ok(Err(failure)) => return Err(failure),
        Err(_) => return Err(Failure::new(failure::FAILED, "making the search keys anew failed".to_owned())),
    }
    Ok(db)
}

/// Opens the database for a command that needs one with something in it: none is made.
pub fn open_existing(config: &Config) -> Result<Db, Failure> {
    match &config.database {
        Database::Sqlite(path) if !path.exists() => {
            let message = format!("there is no database at {}; is --instance right?", path.display());
            Err(Failure::usage(message))
        }
        _ => open(config),
    }
}

/// The configuration with the credentials that were entered in the page, and why those cannot be used. A
/// database that is not there yet, cannot be reached or is of another version has nothing to say.
pub fn effective(config: &Config) -> Result<(Arc<Config>, Option<String>), Failure> {
    let plain = Arc::new(config.clone());
    let Ok(target) = target(config) else { return Ok((plain, None)) };
    let newest = migrate::steps().ok().and_then(|steps| steps.last().map(|(number, _)| *number));
    if migrate::version(&target).ok() != newest {
        return Ok((plain, None));
    }
    let Ok(db) = open(config) else { return Ok((plain, None)) };
    Ok(match block_on(credentials::effective_or_why(&db, &plain))? {
        Ok(known) => known,
        Err(error) => (plain, Some(error.to_string())),
    })
}

/// The database and the people in it; on the platform Core has the people.
pub fn identity(config: &Config) -> Result<Identity, Failure> {
    if config.on_platform() {
        return Err(Failure::usage("Core issues the tokens on this platform (core.url is set); its users are managed there"));
    }
    Ok(app::open_identity(Arc::new(config.clone()), open(config)?)?)
}

/// A runtime for commands that wait for something.
pub fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    Ok(runtime.block_on(work))
}
