//! The PostgreSQL leaf: sessions, binding, reading, classifying errors.

mod address;
mod tls;

use std::collections::HashMap;
use std::error::Error as StdError;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use postgres::fallible_iterator::FallibleIterator as _;
use postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Statement};

pub(super) use self::address::is_same;
use super::Server;
use super::value::{Row, Value};
use crate::config::Sessions;
use crate::error::{Error, Result};

/// How much of the patience with locks may have passed in a queue before it is subtracted.
const UNHURRIED: Duration = Duration::from_millis(250);
/// Distinct statements kept prepared on each connection.
const STATEMENT_CACHE: usize = 256;

/// One server session with its prepared statements. Never opened on an async thread.
///
/// Where a pooler gives each transaction another session, nothing is kept: what a session is told is told to every
/// transaction, and statements have no names.
pub(super) struct Session {
    client: Client,
    statements: HashMap<String, Statement>,
    keeping: Sessions,
    /// How long statements wait for locks, as the session or (pooled) the next transaction is told.
    lock_patience: Duration,
    /// Whether the server was found to be gone.
    lost: bool,
}

impl Session {
    /// Connects and sets the session up.
    ///
    /// # Errors
    /// `Unavailable` with the server's reason, never with the password.
    pub(super) fn open(server: &Server) -> Result<Self> {
        let client = address::Address::parse(server.address())?.connect()?;
        let keeping = server.sessions();
        let lock_patience = keeping.lock_timeout;
        let mut session = Self { client, statements: HashMap::new(), keeping, lock_patience, lost: false };
        if !keeping.pooled {
            session.batch(&session.settings("SET"))?;
        }
        Ok(session)
    }

    /// What statements of ours run with. Compiling one takes seconds where running it takes milliseconds: costs of lists
    /// are estimates. Plans are kept as the server sees fit (its default): planning the read of one company takes ten
    /// times as long as running it.
    fn settings(&self, set: &str) -> String {
        let (statement, lock) = (self.keeping.statement_timeout.as_millis(), self.lock_patience.as_millis().max(1));
        format!(
            "{set} jit = off; {set} statement_timeout = {statement}; \
             {set} lock_timeout = {lock}; {set} TIME ZONE 'UTC'"
        )
    }

    /// Begins a transaction, with what it does first.
    pub(super) fn begin(&mut self, begin: &str, first: &str) -> Result<()> {
        if self.keeping.pooled {
            return self.batch(&format!("{begin}; {}; {first}", self.settings("SET LOCAL")));
        }
        self.batch(&format!("{begin}; {first}"))
    }

    pub(super) fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Whether nothing can be asked of it any more.
    pub(super) fn is_lost(&self) -> bool {
        self.lost || self.client.is_closed()
    }

    /// Statements may take as long as they like from now on.
    pub(super) fn take_time(&mut self) -> Result<()> {
        if self.keeping.pooled { Ok(()) } else { self.batch("SET statement_timeout = 0") }
    }

    /// Statements wait for locks until then at most. Said to the server only when much of the time is gone already,
    /// so that it costs nothing usually.
    pub(super) fn wait_until(&mut self, until: Instant) -> Result<()> {
        let usual = self.keeping.lock_timeout;
        let left = until.saturating_duration_since(Instant::now());
        let patience = if left + UNHURRIED >= super::PATIENCE { usual } else { left.min(usual) };
        if self.keeping.pooled || patience == self.lock_patience {
            self.lock_patience = patience;
            return Ok(());
        }
        self.lock_patience = patience;
        self.batch(&format!("SET lock_timeout = {}", patience.as_millis().max(1)))
    }

    /// An error, and whether the session has come to its end by it.
    fn failed(&mut self, cause: postgres::Error) -> Error {
        self.lost |= ends_session(&cause);
        error(cause)
    }

    fn prepare(&mut self, sql: &str) -> Result<Statement> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).map_err(|cause| self.failed(cause))?;
        if self.statements.len() >= STATEMENT_CACHE {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    pub(super) fn all(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        self.each(sql, params, &mut |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    /// Hands over one row at a time, as they come from the server.
    pub(super) fn each(&mut self, sql: &str, params: &[Value], take: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
        self.ask(sql, params, take).map(drop)
    }

    /// Hands over each row; the number of rows that were touched.
    fn ask(&mut self, sql: &str, params: &[Value], take: &mut dyn FnMut(Row) -> Result<()>) -> Result<u64> {
        let asked = if self.keeping.pooled {
            self.client.query_typed_raw(sql, params.iter().map(|value| (Written(value), Type::UNKNOWN)))
        } else {
            let statement = self.prepare(sql)?;
            self.client.query_raw(&statement, params)
        };
        // What `take` fails with is its own.
        let mut refused = None;
        let done = asked.and_then(|mut rows| {
            while let Some(row) = rows.next()? {
                if let Err(cause) = read(&row).and_then(&mut *take) {
                    refused = Some(cause);
                    break;
                }
            }
            Ok(rows.rows_affected().unwrap_or_default())
        });
        match (done, refused) {
            (Ok(_), Some(cause)) => Err(cause),
            (Ok(touched), None) => Ok(touched),
            (Err(cause), _) => Err(self.failed(cause)),
        }
    }

    pub(super) fn run(&mut self, sql: &str, params: &[Value]) -> Result<u64> {
        self.ask(sql, params, &mut |_| Ok(()))
    }

    pub(super) fn batch(&mut self, sql: &str) -> Result<()> {
        self.client.batch_execute(sql).map_err(|cause| self.failed(cause))
    }
}

/// A value as text, whose type the server finds out: without a prepared statement nobody else knows it.
#[derive(Debug)]
struct Written<'a>(&'a Value);

impl ToSql for Written<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        let text = match self.0 {
            Value::Null => return Ok(IsNull::Yes),
            Value::Int(v) => v.to_string(),
            // Read as a whole number and as a truth value alike.
            Value::Bool(v) => u8::from(*v).to_string(),
            Value::Real(v) => v.to_string(),
            Value::Text(v) => {
                out.extend_from_slice(v.as_bytes());
                return Ok(IsNull::No);
            }
            Value::Ids(v) => format!("{{{}}}", v.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")),
        };
        out.extend_from_slice(text.as_bytes());
        Ok(IsNull::No)
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn read(row: &postgres::Row) -> Result<Row> {
    let mut cells = Vec::with_capacity(row.len());
    for (index, column) in row.columns().iter().enumerate() {
        cells.push(cell(row, index, column.type_()).map_err(error)?);
    }
    Ok(Row(cells))
}

fn cell(row: &postgres::Row, index: usize, kind: &Type) -> Result<Value, postgres::Error> {
    Ok(match *kind {
        Type::INT8 => row.try_get::<_, Option<i64>>(index)?.into(),
        Type::INT4 => row.try_get::<_, Option<i32>>(index)?.into(),
        Type::INT2 => row.try_get::<_, Option<i16>>(index)?.map(i64::from).into(),
        Type::BOOL => row.try_get::<_, Option<bool>>(index)?.into(),
        Type::FLOAT8 => row.try_get::<_, Option<f64>>(index)?.into(),
        Type::FLOAT4 => row.try_get::<_, Option<f32>>(index)?.map(f64::from).into(),
        _ => row.try_get::<_, Option<String>>(index)?.into(),
    })
}

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match (self, kind) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(v), &Type::INT4) => i32::try_from(*v)?.to_sql(kind, out),
            (Self::Int(v), &Type::INT2) => i16::try_from(*v)?.to_sql(kind, out),
            #[expect(clippy::cast_precision_loss, reason = "a whole number meant for a real column")]
            (Self::Int(v), &Type::FLOAT8) => (*v as f64).to_sql(kind, out),
            (Self::Int(v), &Type::BOOL) => (*v != 0).to_sql(kind, out),
            (Self::Int(v), &Type::TEXT) => v.to_string().to_sql(kind, out),
            (Self::Int(v), _) => v.to_sql(kind, out),
            (Self::Bool(v), &Type::INT8) => i64::from(*v).to_sql(kind, out),
            (Self::Bool(v), _) => v.to_sql(kind, out),
            (Self::Real(v), _) => v.to_sql(kind, out),
            (Self::Text(v), &Type::INT8) => v.parse::<i64>()?.to_sql(kind, out),
            (Self::Text(v), _) => v.to_sql(kind, out),
            (Self::Ids(v), _) => v.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn reason(cause: &postgres::Error) -> String {
    cause.as_db_error().map_or_else(
        || cause.source().map_or_else(|| cause.to_string(), ToString::to_string),
        |server| server.message().to_owned(),
    )
}

/// Why there is no session: with which servers, and which setting to look at.
fn away(config: &postgres::Config, cause: &postgres::Error, encrypting: bool) -> Error {
    use postgres::config::Host;
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(index, host)| {
        let port = ports.get(index).or(ports.first()).unwrap_or(&5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            Host::Unix(folder) => format!("{}:{port}", folder.display()),
        }
    });
    let hosts = hosts.collect::<Vec<_>>().join(", ");
    let place = format!("PostgreSQL at {}", if hosts.is_empty() { "localhost:5432" } else { &hosts });
    Error::Unavailable(why_away(&place, cause, encrypting))
}

fn why_away(place: &str, cause: &postgres::Error, encrypting: bool) -> String {
    if let Some(server) = cause.as_db_error() {
        let advice = match server.code().code() {
            "28P01" | "28000" => "; check user and password in [database]",
            "3D000" => "; create it (createdb), or check its name in [database]",
            _ => "",
        };
        return format!("{place} answers: {}{advice}", server.message());
    }
    let text = reason(cause);
    let text = text.split(" (os error").next().unwrap_or_default();
    let why = match text {
        text if text.contains("onnection refused") => "refuses the connection",
        text if text.contains("lookup address") => "is not known by that name",
        text if text.contains("timed out") => "gives no answer in time",
        text if text.contains("does not allow writes") => {
            return format!("{place} takes no writes now: the address in [database] wants one that does (target_session_attrs)");
        }
        text if encrypting => return format!("{place}: TLS fails: {text}; check sslmode and sslrootcert in [database]"),
        text => return format!("{place} cannot be reached: {text}; check host and port in [database]"),
    };
    format!("{place} {why}; is it running, and are host and port in [database] right?")
}

/// Whether nothing can be asked of the session after this.
fn ends_session(cause: &postgres::Error) -> bool {
    match cause.as_db_error() {
        Some(server) => server.code().code().starts_with("57P") || server.code().code().starts_with("08"),
        None => cause.is_closed() || is_of_the_network(cause),
    }
}

fn is_of_the_network(cause: &postgres::Error) -> bool {
    cause.source().is_some_and(<dyn std::error::Error + 'static>::is::<std::io::Error>)
}

/// Classifies a driver error by what the caller can do about it.
pub(super) fn error(cause: postgres::Error) -> Error {
    let Some(server) = cause.as_db_error() else {
        return if cause.is_closed() || is_of_the_network(&cause) {
            Error::Unavailable("the connection to PostgreSQL was lost".to_owned())
        } else {
            Error::internal(format!("PostgreSQL: {cause}: {}", reason(&cause)))
        };
    };
    match server.code().code() {
        code if code.starts_with("23") => {
            Error::Constraint(server.constraint().or(server.column()).unwrap_or(server.message()).to_owned())
        }
        "53100" => Error::Storage("the disk of the PostgreSQL server is full".to_owned()),
        "25006" => Error::Storage("the PostgreSQL server is read-only".to_owned()),
        // Shutting down, starting up, connection failures, too many connections, lock and statement time-outs.
        code if code.starts_with("57P") || code.starts_with("08") || code.starts_with("53") || code == "55P03" => {
            Error::Unavailable(format!("PostgreSQL: {}", server.message()))
        }
        "40001" | "40P01" | "57014" => Error::Unavailable("the database is busy; try again".to_owned()),
        _ => Error::internal(format!("PostgreSQL {}: {}", server.code().code(), server.message())),
    }
}
