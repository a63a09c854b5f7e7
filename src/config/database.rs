//! Which database, in all the spellings that configuration files have.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Secret, read::Reader};

/// The chosen engine and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// PostgreSQL, by a `postgresql://` address with its password.
    Postgres(Secret),
}

impl Database {
    pub(super) fn read(read: &mut Reader<'_>, instance: &Path) -> Self {
        let fallback = Self::Sqlite(instance.join("codex.db"));
        let composed = composed(read);
        read.parsed(("database", "connection_string"), fallback.clone(), |text| match (text, composed) {
            ("", Some(address)) => Ok(Self::Postgres(address)),
            ("", None) => Ok(fallback),
            _ => parse(text, instance),
        })
    }

    /// `sqlite` or `postgresql`, as `/health` names it.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgresql",
        }
    }

    /// The file's path, or the address without its password: fit for people and logs.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres(address) => without_password(address.expose()),
        }
    }
}

/// The address past a pooler.
pub(super) fn direct(read: &mut Reader<'_>) -> Option<Secret> {
    read.parsed(("database", "direct_connection_string"), None, |text| match text {
        "" => Ok(None),
        _ => match parse(text, Path::new("")) {
            Ok(Database::Postgres(address)) => Ok(Some(address)),
            _ => Err("must begin with postgresql://".to_owned()),
        },
    })
}

/// From how long on a statement is logged.
pub(super) fn slow_query(read: &mut Reader<'_>) -> Option<Duration> {
    let millis = |text: &str| text.parse::<u64>().map_err(|_| "must be a whole number of milliseconds, 0 for never".to_owned());
    Some(read.parsed(("database", "slow_query_ms"), 0, millis)).filter(|millis| *millis > 0).map(Duration::from_millis)
}

/// How sessions on a PostgreSQL server are kept; a SQLite file has no use for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sessions {
    /// Sessions of each process that read; it has one that writes and one that looks for changes beside them.
    pub readers: usize,
    /// How long a statement may take.
    pub statement_timeout: Duration,
    /// How long a statement waits for a lock.
    pub lock_timeout: Duration,
    /// Whether a pooler gives each transaction another session, so that nothing may be kept in one.
    pub pooled: bool,
}

impl Default for Sessions {
    fn default() -> Self {
        let (statement_timeout, lock_timeout) = (Duration::from_mins(2), Duration::from_secs(5));
        Self { readers: 4, statement_timeout, lock_timeout, pooled: false }
    }
}

impl Sessions {
    pub(super) fn read(read: &mut Reader<'_>) -> Self {
        let usual = Self::default();
        let mut number = |name, usual: u64, most: u64| {
            read.parsed(("database", name), usual, |text| {
                text.parse().ok().filter(|n| (1..=most).contains(n)).ok_or(format!("must be a whole number from 1 to {most}"))
            })
        };
        Self {
            readers: usize::try_from(number("pool_size", usual.readers as u64, 64)).unwrap_or(usual.readers),
            statement_timeout: Duration::from_secs(number("statement_timeout", usual.statement_timeout.as_secs(), 3_600)),
            lock_timeout: Duration::from_secs(number("lock_timeout", usual.lock_timeout.as_secs(), 60)),
            pooled: read.flag("database", "pgbouncer"),
        }
    }
}

/// Helm's separate settings, when they say enough to sign in; host alone is only a hint for its backups.
fn composed(read: &Reader<'_>) -> Option<Secret> {
    let setting = |name| read.optional("database", name);
    let (host, name, user, password) = (setting("db_host")?, setting("db_name")?, setting("db_user")?, setting("db_password")?);
    let port = setting("db_port").unwrap_or_else(|| "5432".to_owned());
    let escape = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    Some(Secret::new(format!("postgresql://{}:{}@{host}:{port}/{}", escape(&user), escape(&password), escape(&name))))
}

/// `SQLAlchemy`'s spellings are accepted, dialect suffix and all; a relative SQLite path is in the instance folder.
fn parse(text: &str, instance: &Path) -> Result<Database, String> {
    let wrong = || "must begin with postgresql:// or sqlite:///".to_owned();
    let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
    match scheme.split('+').next() {
        Some("postgresql" | "postgres") => Ok(Database::Postgres(Secret::new(format!("postgresql://{rest}")))),
        Some("sqlite") => {
            let path = rest.strip_prefix('/').and_then(|path| path.split('?').next()).ok_or_else(wrong)?;
            if path.is_empty() || path == ":memory:" {
                return Err("must name a file: a database in memory would be lost".to_owned());
            }
            Ok(Database::Sqlite(instance.join(path)))
        }
        _ => Err(wrong()),
    }
}

/// Where the host begins in what follows `://`, behind user and password, in which `/`, `@` and (before the first `@`) `?`
/// need not be encoded.
#[must_use]
pub fn host_at(rest: &str) -> usize {
    let behind_first = rest.find('@').map_or(0, |at| at + 1);
    let parameters = rest[behind_first..].find('?').map_or(rest.len(), |at| behind_first + at);
    rest[..parameters].rfind('@').map_or(0, |at| at + 1)
}

/// An address with `***` in the place of its password.
pub fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return "***".to_owned() };
    let (user, rest) = rest.split_at(host_at(rest));
    let (place, tail) = rest.find('?').map_or((rest, ""), |at| rest.split_at(at));
    let user = user.strip_suffix('@').unwrap_or_default();
    let user = user.split_once(':').map_or_else(|| user.to_owned(), |(name, _)| format!("{name}:***"));
    let at = if user.is_empty() { "" } else { "@" };
    // A password may also be a parameter.
    let tail = tail.find("password=").map_or_else(|| tail.to_owned(), |at| format!("{}password=***", &tail[..at]));
    format!("{scheme}://{user}{at}{place}{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_every_spelling() {
        let parsed = |text| parse(text, Path::new("/i")).unwrap();
        assert_eq!(parsed("sqlite:////var/x.db"), Database::Sqlite("/var/x.db".into()));
        assert_eq!(parsed("sqlite:///x.db?timeout=3"), Database::Sqlite("/i/x.db".into()));
        for text in ["postgres://u@h/d", "postgresql://u@h/d", "postgresql+psycopg2://u@h/d"] {
            assert_eq!(parsed(text), Database::Postgres(Secret::new("postgresql://u@h/d")));
        }
        for text in ["mysql://x/y", "codex.db", "sqlite://", "sqlite:///:memory:"] {
            assert!(parse(text, Path::new("/i")).is_err(), "{text}");
        }
    }

    #[test]
    fn hides_the_password_alone() {
        assert_eq!(without_password("postgresql://u:p%2F@h:1/d"), "postgresql://u:***@h:1/d");
        assert_eq!(without_password("postgresql://u:a@b@h/d?options=x"), "postgresql://u:***@h/d?options=x");
        assert_eq!(without_password("postgresql://h/d?user=u&password=x"), "postgresql://h/d?user=u&password=***");
        assert_eq!(without_password("postgresql://u:a/b@h/d"), "postgresql://u:***@h/d");
        assert_eq!(without_password("postgresql://u:a?b@h/d?x=y"), "postgresql://u:***@h/d?x=y");
        assert_eq!(without_password("sqlite:////var/x.db"), "sqlite:////var/x.db");
    }
}
