//! Makes what a PostgreSQL server must have before Codex can use it: a role that signs in, and a database that it owns.

use super::Target;
#[cfg(feature = "postgres")]
use super::{Driver, postgres::Session};
use crate::error::{Error, Result};

/// What is to be there.
#[derive(Clone, Copy)]
pub struct Wanted<'w> {
    /// The database.
    pub database: &'w str,
    /// The role it belongs to.
    pub role: &'w str,
    /// With what the role signs in, when it is made.
    pub password: &'w str,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// Whether the role is new. One that was there keeps its password: other programs may use it.
    pub role: bool,
    /// Whether the database is new.
    pub database: bool,
    /// Whether another one of that name was dropped, with all that it held.
    pub dropped: bool,
}

/// Whether a server has this database already; the address is an administrator's.
///
/// # Errors
/// `BadRequest` for what is no server, `Unavailable` when it cannot be reached or lets nobody in.
#[cfg(feature = "postgres")]
pub fn exists(administrator: &Target, database: &str) -> Result<bool> {
    with(administrator, |session| has(session, "SELECT 1 FROM pg_database WHERE datname = ?1", database))
}

/// The same in a build without PostgreSQL, where no address is a server's.
///
/// # Errors
/// Always.
#[cfg(not(feature = "postgres"))]
pub fn exists(_: &Target, _: &str) -> Result<bool> {
    Err(without())
}

/// Makes the role and the database as far as they are not there; with `recreate` the database is dropped before.
///
/// # Errors
/// As [`exists`]; `Internal` with the server's words when it refuses.
#[cfg(feature = "postgres")]
pub fn provide(administrator: &Target, wanted: Wanted<'_>, recreate: bool) -> Result<Made> {
    with(administrator, |session| make(session, wanted, recreate))
}

/// The same in a build without PostgreSQL, where no address is a server's.
///
/// # Errors
/// Always.
#[cfg(not(feature = "postgres"))]
pub fn provide(_: &Target, _: Wanted<'_>, _: bool) -> Result<Made> {
    Err(without())
}

#[cfg(not(feature = "postgres"))]
fn without() -> Error {
    Error::BadRequest("this build of Codex has no PostgreSQL".to_owned())
}

#[cfg(feature = "postgres")]
fn with<T>(administrator: &Target, work: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
    if !administrator.is_server() {
        return Err(Error::BadRequest("an administrator's address begins with postgresql://".to_owned()));
    }
    match administrator.open(false)? {
        Driver::Postgres(mut session) => work(&mut session),
        Driver::Sqlite(_) => Err(Error::internal("a server is no file")),
    }
}

#[cfg(feature = "postgres")]
fn has(session: &mut Session, sql: &str, name: &str) -> Result<bool> {
    Ok(!session.all(&sql.replace("?1", "$1"), &[name.into()])?.is_empty())
}

#[cfg(feature = "postgres")]
fn make(session: &mut Session, wanted: Wanted<'_>, recreate: bool) -> Result<Made> {
    let Wanted { database, role, password } = wanted;
    let mut made = Made::default();
    if !has(session, "SELECT 1 FROM pg_roles WHERE rolname = ?1", role)? {
        session.batch(&format!("CREATE ROLE {} LOGIN PASSWORD '{}'", quoted(role), password.replace('\'', "''")))?;
        made.role = true;
    }
    let is_there = has(session, "SELECT 1 FROM pg_database WHERE datname = ?1", database)?;
    if is_there && recreate {
        session.batch(&format!("DROP DATABASE {} WITH (FORCE)", quoted(database)))?;
        made.dropped = true;
    }
    if !is_there || recreate {
        let (database, owner) = (quoted(database), quoted(role));
        session.batch(&format!("CREATE DATABASE {database} OWNER {owner} ENCODING 'UTF8' TEMPLATE template0"))?;
        made.database = true;
    }
    Ok(made)
}

#[cfg(feature = "postgres")]
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
