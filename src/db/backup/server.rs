//! A PostgreSQL database as one file, with PostgreSQL's own programs: `pg_dump` writes it within a snapshot in which the rows
//! are counted, and what `pg_restore` makes of it is run in one transaction of ours.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use percent_encoding::percent_decode_str;

use super::{
    super::{
        Driver,
        conn::Conn,
        migrate::{self, ADVISORY_LOCK},
        postgres::{Session, error},
        rewrite::Engine,
        target::{Server, Target},
    },
    Contents, Finish, Proof, Restored, Tables, after,
};
use crate::{
    config::{host_at, private},
    error::{Error, Result},
    params,
    types::now,
};

/// How long the sessions of a program that was ended may take to go.
const LINGER: Duration = Duration::from_secs(5);
/// How often is looked whether they have gone.
const PAUSE: Duration = Duration::from_millis(50);
/// How long `pg_dump` waits for a table that somebody else changes.
const LOCK_PATIENCE: &str = "--lock-wait-timeout=60s";
/// What the databases are called in which backups are tried out; the number of the database and the time follow.
const SCRATCH: &str = "codex_rehearsal_";
/// A scratch database that is as old as that, in seconds, was left by a process that died.
const ABANDONED: i64 = 24 * 60 * 60;

/// The longest statement of a dump that is collected before it is sent.
const CHUNK: usize = 1 << 20;

/// Writes the database into a file in PostgreSQL's custom format.
pub(super) fn dump<T>(server: &Server, to: &Path, look: impl FnOnce(&mut Conn, &Tables) -> Result<T>) -> Result<(Contents, T)> {
    let target = &Target::Postgres(server.clone());
    let schema_version = migrate::version(target)?;
    if schema_version == 0 {
        return Err(Error::BadRequest(format!("{target} holds no data yet")));
    }
    let mut conn = connect(target)?;
    conn.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
    let snapshot: String = conn.one("SELECT pg_export_snapshot()", &[])?.get(0)?;
    let schema = schema(&mut conn)?;
    let extensions = conn.map(
        "SELECT CAST(extname AS TEXT) FROM pg_extension JOIN pg_namespace space ON space.oid = extnamespace
         WHERE space.nspname = current_schema() ORDER BY extname",
        &[],
        |row| row.get(0),
    )?;
    let tables = counts(&mut conn, &schema)?;
    let looked = look(&mut conn, &tables)?;
    // Made before the program opens it, so that it is private from the beginning.
    private::create(to).map_err(|cause| Error::Storage(format!("{}: {cause}", to.display())))?;
    let (address, password) = without_password(server.address());
    let mut command = Command::new("pg_dump");
    command.args(["--format=custom", "--compress=0", "--no-owner", "--no-privileges", "--no-password", LOCK_PATIENCE]);
    command.arg(format!("--schema={}", quoted(&schema))).arg(format!("--snapshot={snapshot}"));
    command.arg("--file").arg(to).arg("--dbname").arg(&address);
    // Of several servers the one that we have asked for the snapshot, unless the address itself says otherwise.
    if address.contains(',') {
        command.env("PGTARGETSESSIONATTRS", "read-write");
    }
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    run("pg_dump", &mut command)?;
    conn.batch("COMMIT")?;
    Ok((Contents { engine: Engine::Postgres, schema_version, schema: Some(schema), extensions, tables }, looked))
}

/// Restores a file into a database of its own, which is dropped afterwards.
pub(super) fn restore_aside(server: &Server, file: &Path, said: &Contents) -> Result<Proof> {
    let mut conn = connect(&Target::Postgres(server.clone()))?;
    let number: i64 = conn.one("SELECT CAST(oid AS BIGINT) FROM pg_database WHERE datname = current_database()", &[])?.get(0)?;
    drop_abandoned(&mut conn, number)?;
    let seconds = jiff::Timestamp::now().as_second();
    let name = format!("{SCRATCH}{number}_{seconds}_{}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
    if let Err(cause) = session(&mut conn)?.client().batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")) {
        return match cause.code() {
            Some(code) if code.code() == "42501" => Ok(Proof::Impossible(
                "the PostgreSQL role may not create a database to try it out in: ALTER ROLE … CREATEDB".to_owned(),
            )),
            _ => Err(error(cause)),
        };
    }
    let tried = fill(&Target::Postgres(with_database(server.address(), &name).into()), file, said);
    let dropped = conn.batch(&format!("DROP DATABASE {name} WITH (FORCE)"));
    tried?;
    dropped.map(|()| Proof::Restored)
}

/// Fills an empty database, and compares what is in it.
fn fill(scratch: &Target, file: &Path, said: &Contents) -> Result<()> {
    let mut conn = connect(scratch)?;
    conn.batch("BEGIN")?;
    load(&mut conn, file, said)?;
    conn.batch("COMMIT")
}

/// Takes away what processes left behind that died while they tried a backup out.
fn drop_abandoned(conn: &mut Conn, number: i64) -> Result<()> {
    let ours = format!("{SCRATCH}{number}_");
    let names: Vec<String> = conn.map(
        "SELECT CAST(datname AS TEXT) FROM pg_database base WHERE left(CAST(datname AS TEXT), ?2) = ?1
         AND NOT EXISTS (SELECT 1 FROM pg_stat_activity session WHERE session.datid = base.oid)",
        params![ours.as_str(), i64::try_from(ours.len()).unwrap_or(0)],
        |row| row.get(0),
    )?;
    let before = jiff::Timestamp::now().as_second() - ABANDONED;
    for name in names {
        let made = name[ours.len()..].split('_').next().and_then(|seconds| seconds.parse::<i64>().ok());
        if made.is_some_and(|made| made < before) {
            conn.batch(&format!("DROP DATABASE IF EXISTS {}", quoted(&name)))?;
        }
    }
    Ok(())
}

/// Keeps every other Codex out of the database.
///
/// # Errors
/// `Unavailable` while another one is connected.
pub(super) fn alone(server: &Server) -> Result<Conn> {
    let target = &Target::Postgres(server.clone());
    let mut conn = connect(target)?;
    let end = Instant::now() + LINGER;
    // Who starts asks for the same lock before it looks at the schema.
    let sql = format!("SELECT pg_try_advisory_lock({ADVISORY_LOCK})");
    while !conn.one(&sql, &[])?.get::<bool>(0)? {
        if Instant::now() > end {
            return Err(Error::Unavailable(format!("{target} is being upgraded or restored; try again when that is done")));
        }
        std::thread::sleep(PAUSE);
    }
    while others(&mut conn)? > 0 {
        if Instant::now() > end {
            return Err(in_use(target));
        }
        std::thread::sleep(PAUSE);
    }
    Ok(conn)
}

/// Puts a file in the place of the tables, which move to a schema of their own, in one transaction.
pub(super) fn put_back(mut conn: Conn, file: &Path, said: &Contents, finish: Finish) -> Result<Restored> {
    conn.batch("BEGIN")?;
    let schema = schema(&mut conn)?;
    if said.schema.as_deref() != Some(schema.as_str()) {
        return Err(Error::BadRequest(format!(
            "its tables stand in the schema {}, and those of this database in {schema}: set search_path",
            said.schema.as_deref().unwrap_or("(none)")
        )));
    }
    // Refuses tables that are nobody's but another program's.
    let found = migrate::server_version(session(&mut conn)?)?;
    let last_change = "SELECT version FROM head WHERE id = 1";
    let replaced = if found > 0 { conn.first(last_change, &[])?.map(|row| row.get(0)).transpose()? } else { None };
    let kept = if found > 0 { Some(set_aside(&mut conn, &schema)?) } else { None };
    load(&mut conn, file, said)?;
    after(&mut conn, said.schema_version, replaced)?;
    finish(&mut conn)?;
    if others(&mut conn)? > 0 {
        return Err(Error::Unavailable("another Codex has connected meanwhile; nothing was changed".to_owned()));
    }
    conn.batch("COMMIT")?;
    Ok(Restored { version: said.schema_version, kept: kept.map(|kept| format!("the schema {kept} of the same database")) })
}

/// Moves everything of ours into a schema whose name says when. Extensions stay: both need them.
fn set_aside(conn: &mut Conn, schema: &str) -> Result<String> {
    let stamp: String = now().chars().filter(char::is_ascii_alphanumeric).collect();
    let kept = format!("before_restore_{}", stamp.to_lowercase());
    conn.batch(&format!("CREATE SCHEMA {}", quoted(&kept)))?;
    // Indexes, constraints and the sequences of columns go along with their tables.
    let tables: Vec<String> = conn.map(
        "SELECT CAST(class.relname AS TEXT) FROM pg_class class JOIN pg_namespace space ON space.oid = class.relnamespace
         WHERE space.nspname = current_schema() AND class.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
         AND NOT EXISTS (SELECT 1 FROM pg_depend depend WHERE depend.classid = CAST('pg_class' AS regclass)
                         AND depend.objid = class.oid AND depend.deptype IN ('e', 'a', 'i')
                         AND (depend.deptype = 'e' OR class.relkind = 'S'))
         ORDER BY class.relname",
        &[],
        |row| row.get(0),
    )?;
    for name in tables {
        conn.batch(&format!("ALTER TABLE {}.{} SET SCHEMA {}", quoted(schema), quoted(&name), quoted(&kept)))?;
    }
    let functions: Vec<String> = conn.map(
        "SELECT CAST(CAST(proc.oid AS regprocedure) AS TEXT) FROM pg_proc proc
         JOIN pg_namespace space ON space.oid = proc.pronamespace WHERE space.nspname = current_schema()
         AND NOT EXISTS (SELECT 1 FROM pg_depend depend WHERE depend.objid = proc.oid AND depend.deptype = 'e')",
        &[],
        |row| row.get(0),
    )?;
    for signature in functions {
        conn.batch(&format!("ALTER ROUTINE {signature} SET SCHEMA {}", quoted(&kept)))?;
    }
    Ok(kept)
}

/// Runs what `pg_restore` makes of a file, and compares the rows with what they should be; in a transaction of the caller's.
fn load(conn: &mut Conn, file: &Path, said: &Contents) -> Result<()> {
    let schema = said.schema.as_deref().ok_or_else(|| Error::Damaged("its schema is not named".to_owned()))?;
    conn.batch(&format!("CREATE SCHEMA IF NOT EXISTS {0}; SET search_path = {0}", quoted(schema)))?;
    for extension in &said.extensions {
        let (extension, schema) = (quoted(extension), quoted(schema));
        conn.batch(&format!("CREATE EXTENSION IF NOT EXISTS {extension} WITH SCHEMA {schema}"))?;
    }
    let mut command = Command::new("pg_restore");
    command.args(["--file=-", "--no-owner", "--no-privileges"]).arg(format!("--schema={schema}")).arg(file);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|cause| not_run("pg_restore", &cause))?;
    let said_wrong = listen(&mut child);
    let script = child.stdout.take().ok_or_else(|| Error::internal("pg_restore has no output"))?;
    let replayed = replay(session(conn)?, BufReader::with_capacity(1 << 16, script));
    let status = child.wait().map_err(|cause| not_run("pg_restore", &cause))?;
    let wrong = said_wrong.and_then(|thread| thread.join().ok()).unwrap_or_default();
    if !status.success() && replayed.is_ok() {
        return Err(failed("pg_restore", &wrong));
    }
    replayed.map_err(|cause| match cause {
        Error::Internal(text) | Error::Constraint(text) => Error::Damaged(format!("it cannot be loaded: {text}")),
        other => other,
    })?;
    // The script works without a search path; ours asks for its tables by their bare names.
    conn.batch(&format!("SET search_path = {}", quoted(schema)))?;
    said.compare(&counts(conn, schema)?)
}

/// Runs a script of `pg_restore`: statements, and between them the rows of tables.
fn replay(session: &mut Session, mut script: BufReader<ChildStdout>) -> Result<()> {
    let broken = |cause: std::io::Error| Error::Damaged(format!("pg_restore broke off: {cause}"));
    let (mut sql, mut line) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        if script.read_until(b'\n', &mut line).map_err(broken)? == 0 {
            return send(session, &mut sql);
        }
        // Words for psql alone.
        if line.starts_with(b"\\restrict ") || line.starts_with(b"\\unrestrict ") {
            continue;
        }
        if line.starts_with(b"COPY ") && line.ends_with(b" FROM stdin;\n") {
            send(session, &mut sql)?;
            let statement = String::from_utf8_lossy(&line).trim_end().trim_end_matches(';').to_owned();
            let mut rows = session.client().copy_in(statement.as_str()).map_err(error)?;
            loop {
                line.clear();
                if script.read_until(b'\n', &mut line).map_err(broken)? == 0 {
                    return Err(Error::Damaged("it ends within a table".to_owned()));
                }
                if line == b"\\.\n" {
                    break;
                }
                rows.write_all(&line).map_err(|cause| Error::Damaged(format!("{statement}: {cause}")))?;
            }
            rows.finish().map_err(error)?;
            continue;
        }
        sql.extend_from_slice(&line);
        if sql.len() > CHUNK && line == b"\n" && sql.ends_with(b";\n\n") {
            send(session, &mut sql)?;
        }
    }
}

fn send(session: &mut Session, sql: &mut Vec<u8>) -> Result<()> {
    let text = std::str::from_utf8(sql).map_err(|_| Error::Damaged("it holds statements that are no text".to_owned()))?;
    if !text.trim().is_empty() {
        session.batch(text)?;
    }
    sql.clear();
    Ok(())
}

/// A session without a limit of time for its statements.
fn connect(target: &Target) -> Result<Conn> {
    let mut conn = Conn::new(target.open(false)?, Arc::default());
    conn.batch("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")?;
    Ok(conn)
}

fn session(conn: &mut Conn) -> Result<&mut Session> {
    match &mut conn.driver {
        Driver::Postgres(session) => Ok(session),
        Driver::Sqlite(_) => Err(Error::internal("not a server")),
    }
}

/// The schema in which unqualified names are looked for.
fn schema(conn: &mut Conn) -> Result<String> {
    let found: Option<String> = conn.one("SELECT CAST(current_schema() AS TEXT)", &[])?.get(0)?;
    found.ok_or_else(|| Error::Unavailable("the PostgreSQL role has no schema: create one, or set search_path".to_owned()))
}

/// How many rows each table has.
fn counts(conn: &mut Conn, schema: &str) -> Result<Tables> {
    let sql = "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = ?1 ORDER BY tablename";
    let names: Vec<String> = conn.map(sql, params![schema], |row| row.get(0))?;
    names
        .into_iter()
        .map(|name| {
            let sql = format!("SELECT count(*) FROM {}.{}", quoted(schema), quoted(&name));
            Ok((name, conn.one(&sql, &[])?.get(0)?))
        })
        .collect()
}

/// How many sessions other programs of ours have. Each running one always has some.
fn others(conn: &mut Conn) -> Result<i64> {
    // What another transaction sees of sessions is kept until its end, unless that is cleared.
    conn.batch("SELECT pg_stat_clear_snapshot()")?;
    let sql = "SELECT count(*) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name = 'codex' AND pid <> pg_backend_pid()";
    conn.one(sql, &[])?.get(0)
}

fn in_use(target: &Target) -> Error {
    Error::Unavailable(format!(
        "{target} is in use: stop Codex first (systemctl stop codex), on every machine, and wait for its commands to end"
    ))
}

/// A name as SQL says it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Runs a program of PostgreSQL to its end.
fn run(name: &str, command: &mut Command) -> Result<()> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let done = command.spawn().and_then(Child::wait_with_output).map_err(|cause| not_run(name, &cause))?;
    if done.status.success() { Ok(()) } else { Err(failed(name, &String::from_utf8_lossy(&done.stderr))) }
}

/// Reads what a program complains of, so that it never waits for us.
fn listen(child: &mut Child) -> Option<std::thread::JoinHandle<String>> {
    let mut words = child.stderr.take()?;
    Some(std::thread::spawn(move || {
        let mut text = Vec::new();
        let _whatever_came = words.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    }))
}

fn not_run(name: &str, cause: &std::io::Error) -> Error {
    if cause.kind() == std::io::ErrorKind::NotFound {
        return Error::Unavailable(format!(
            "{name} is not installed on this machine: install PostgreSQL's client programs (apt install postgresql-client)"
        ));
    }
    Error::Unavailable(format!("{name} cannot be run: {cause}"))
}

/// The last thing that a program said.
fn failed(name: &str, words: &str) -> Error {
    let last = words.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it gave no reason");
    let last = last.trim_start_matches(name).trim_start_matches(": ").trim_start_matches("error: ");
    if last.contains("No space left") {
        return Error::Storage("the disk is full".to_owned());
    }
    Error::Unavailable(format!("{name} failed: {last}"))
}

/// Where the user, the host and the database begin and end in an address.
fn authority(url: &str) -> (usize, usize) {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let host = begin + host_at(&url[begin..]);
    let end = url[host..].find(['/', '?']).map_or(url.len(), |at| host + at);
    (begin, end)
}

/// An address for a command line, which everybody on the machine can read, and the password apart: that of its user, or the
/// parameter, which counts before it.
fn without_password(url: &str) -> (String, Option<String>) {
    let (begin, end) = authority(url);
    let (before, inside, rest) = (&url[..begin], &url[begin..end], &url[end..]);
    let (user, host) = inside.rsplit_once('@').map_or((None, inside), |(user, host)| (Some(user), host));
    let (user, mut password) = match user.map(|user| user.split_once(':').ok_or(user)) {
        Some(Ok((user, password))) => (format!("{user}@"), Some(password)),
        Some(Err(user)) => (format!("{user}@"), None),
        None => (String::new(), None),
    };
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let mut kept = Vec::new();
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.strip_prefix("password=") {
            Some(secret) => password = Some(secret),
            None => kept.push(parameter),
        }
    }
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    let password = password.map(|password| percent_decode_str(password).decode_utf8_lossy().into_owned());
    (format!("{before}{user}{host}{path}{query}"), password)
}

/// The same server, another database.
fn with_database(url: &str, name: &str) -> String {
    let (_, end) = authority(url);
    let (place, rest) = url.split_at(end);
    let query = rest.find('?').and_then(|at| rest.get(at..)).unwrap_or_default();
    format!("{place}/{name}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_not_on_the_command_line() {
        for (url, address, password) in [
            (
                "postgresql://ann:p%40ss@db:5433/codex?sslmode=require",
                "postgresql://ann@db:5433/codex?sslmode=require",
                Some("p@ss"),
            ),
            ("postgresql://ann@db/codex", "postgresql://ann@db/codex", None),
            ("postgresql:///codex?host=/run", "postgresql:///codex?host=/run", None),
            ("postgresql://ann:a@b@one,two/codex", "postgresql://ann@one,two/codex", Some("a@b")),
            ("postgresql:///codex?host=/run&password=p%40ss&user=ann", "postgresql:///codex?host=/run&user=ann", Some("p@ss")),
            ("postgresql://ann:a/b?c@db:5433/codex?x=y", "postgresql://ann@db:5433/codex?x=y", Some("a/b?c")),
            ("postgresql://ann:old@db/codex?password=new", "postgresql://ann@db/codex", Some("new")),
        ] {
            assert_eq!(without_password(url), (address.to_owned(), password.map(str::to_owned)), "{url}");
        }
    }

    #[test]
    fn another_database_is_on_the_same_server() {
        for (url, other) in [
            ("postgresql://ann:x@db:5433/codex?sslmode=require", "postgresql://ann:x@db:5433/scratch?sslmode=require"),
            ("postgresql://ann@db", "postgresql://ann@db/scratch"),
            ("postgresql:///codex?host=/run", "postgresql:///scratch?host=/run"),
        ] {
            assert_eq!(with_database(url, "scratch"), other);
        }
    }
}
