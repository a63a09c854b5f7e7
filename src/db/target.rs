//! Where the database is: a file, or a server named by a connection string.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use super::{Driver, Engine, sqlite};
use crate::config::{Sessions, host_at};
use crate::error::{Error, Result};

/// How often a search looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// A PostgreSQL server, or several that stand in for one another.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    address: String,
    /// The same database past a pooler.
    direct: Option<String>,
    sessions: Sessions,
}

impl Server {
    /// `postgresql://…` with its password.
    #[cfg(feature = "postgres")]
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// How sessions on it are kept.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "nobody connects"))]
    pub(super) fn sessions(&self) -> Sessions {
        self.sessions
    }

    /// The same database for whoever needs a session that stays theirs, as PostgreSQL's own programs do.
    ///
    /// # Errors
    /// `BadRequest` when a pooler stands before it and no other way is known.
    #[cfg_attr(not(any(feature = "postgres", test)), expect(dead_code, reason = "nobody connects"))]
    pub(super) fn directly(&self) -> Result<Self> {
        if !self.sessions.pooled {
            return Ok(self.clone());
        }
        let Some(direct) = &self.direct else {
            return Err(Error::BadRequest(
                "backups and restores need sessions that a pooler does not give: set database.direct_connection_string to the \
                 address of PostgreSQL itself"
                    .to_owned(),
            ));
        };
        Ok(Self { address: direct.clone(), direct: None, sessions: Sessions { pooled: false, ..self.sessions } })
    }

    /// The hosts and the database of the address: what stands between the user and the parameters.
    fn place(&self) -> &str {
        let rest = self.address.split_once("://").map_or("", |(_, rest)| rest);
        rest[host_at(rest)..].split('?').next().unwrap_or_default()
    }
}

impl From<String> for Server {
    fn from(address: String) -> Self {
        Self { address, direct: None, sessions: Sessions::default() }
    }
}

/// A parsed connection string.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL server; holds a password, so `Debug` and `Display` hide it.
    Postgres(Server),
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            Self::Postgres(server) => write!(f, "postgresql://{}", server.place()),
        }
    }
}

impl Target {
    /// Reads a connection string: `sqlite:///path`, a bare path, `postgresql://…`, `postgres://…`,
    /// each also with an SQLAlchemy dialect suffix (`postgresql+psycopg2://`). Nothing given means
    /// `codex.db` in the instance folder; relative files are relative to that folder.
    ///
    /// # Errors
    /// `BadRequest` for another scheme, or for PostgreSQL in a build without it.
    pub fn parse(text: Option<&str>, instance: &Path) -> Result<Self> {
        let text = text.map(str::trim).unwrap_or_default();
        if text.is_empty() {
            return Ok(Self::Sqlite(instance.join("codex.db")));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(Self::Sqlite(instance.join(text)));
        };
        match scheme.split('+').next().unwrap_or_default() {
            "sqlite" => Ok(Self::Sqlite(instance.join(rest.strip_prefix('/').unwrap_or(rest)))),
            "postgresql" | "postgres" if cfg!(feature = "postgres") => Ok(Self::Postgres(format!("postgresql://{rest}").into())),
            "postgresql" | "postgres" => Err(Error::BadRequest(
                "this build of Codex has no PostgreSQL: build it with `--features postgres`, or use SQLite".to_owned(),
            )),
            other => {
                Err(Error::BadRequest(format!("`{other}://` is not a database Codex knows; use sqlite:/// or postgresql://")))
            }
        }
    }

    /// The same with sessions kept like this; a file stays as it is.
    #[must_use]
    pub fn with_sessions(self, sessions: Sessions) -> Self {
        match self {
            Self::Postgres(server) => Self::Postgres(Server { sessions, ..server }),
            file @ Self::Sqlite(_) => file,
        }
    }

    /// The same with this address for those who cannot work through a pooler; a file stays as it is.
    #[must_use]
    pub fn past_pooler(self, direct: Option<&str>) -> Self {
        match self {
            Self::Postgres(server) => Self::Postgres(Server { direct: direct.map(str::to_owned), ..server }),
            file @ Self::Sqlite(_) => file,
        }
    }

    /// How many threads read.
    pub(super) fn readers(&self) -> usize {
        match self {
            Self::Sqlite(_) => super::READERS,
            Self::Postgres(server) => server.sessions.readers,
        }
    }

    /// The engine's name as `/health` reports it.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// Whether it is a server, which may be away for a while.
    #[must_use]
    pub fn is_server(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Reads the whole file in search of damage, within `patience` and until `stop`; what was found. A server looks
    /// after itself.
    ///
    /// # Errors
    /// `Unavailable` when it was broken off, `Damaged` when the file cannot even be looked at, `Storage`.
    pub fn damage(&self, patience: Duration, stop: &AtomicBool) -> Result<Option<String>> {
        let Self::Sqlite(path) = self else { return Ok(None) };
        if !path.exists() {
            return Ok(None);
        }
        let connection = sqlite::plain(path)?;
        let handle = connection.get_interrupt_handle();
        let (done, over) = std::sync::mpsc::channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let end = Instant::now() + patience;
                while over.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                    if stop.load(Ordering::SeqCst) || Instant::now() > end {
                        handle.interrupt();
                    }
                }
            });
            let found = super::backup::damage(&connection, false);
            drop(done);
            match found {
                Err(Error::Damaged(text)) => Ok(Some(text)),
                other => other,
            }
        })
    }

    pub(super) fn open(&self, query_only: bool) -> Result<Driver> {
        match self {
            Self::Sqlite(path) => sqlite::open(path, query_only).map(Driver::Sqlite),
            #[cfg(feature = "postgres")]
            Self::Postgres(server) => super::postgres::Session::open(server).map(|session| Driver::Postgres(Box::new(session))),
            #[cfg(not(feature = "postgres"))]
            Self::Postgres(_) => Err(Error::Unavailable("this build of Codex has no PostgreSQL".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        for (address, shown) in [
            ("postgresql://u:p@db:5433/codex?sslmode=require", "postgresql://db:5433/codex"),
            ("postgresql://u:a/b@db/codex", "postgresql://db/codex"),
            ("postgresql://u:a?b@db/codex?sslmode=require", "postgresql://db/codex"),
            ("postgresql:///codex?host=/run&password=x", "postgresql:///codex"),
        ] {
            assert_eq!(Target::Postgres(address.to_owned().into()).to_string(), shown);
        }
    }

    #[test]
    fn what_needs_a_session_goes_past_a_pooler() {
        let target = |pooled, direct| {
            let sessions = Sessions { pooled, ..Sessions::default() };
            let target =
                Target::Postgres("postgresql://pool/codex".to_owned().into()).with_sessions(sessions).past_pooler(direct);
            let Target::Postgres(server) = target else { panic!("a file") };
            server.directly().map(|server| (server.address, server.sessions.pooled)).map_err(|error| error.to_string())
        };
        let direct = "postgresql://db/codex";
        assert_eq!(target(true, Some(direct)), Ok((direct.to_owned(), false)));
        assert_eq!(target(false, Some(direct)), Ok(("postgresql://pool/codex".to_owned(), false)));
        assert!(target(true, None).unwrap_err().contains("database.direct_connection_string"));
    }
}
