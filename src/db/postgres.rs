//! The PostgreSQL leaf: connecting, binding, reading, classifying errors.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use postgres::fallible_iterator::FallibleIterator as _;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, NoTls, Statement};

use super::value::{Row, Value};
use crate::error::{Error, Result};

/// How long a connection attempt may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a statement waits for a lock that another session holds, in PostgreSQL's words; as long as
/// on SQLite, so that a stuck writer elsewhere is a 503 on both.
const LOCK_PATIENCE: &str = "5s";
/// How much of that may have passed in a queue before it is subtracted.
const UNHURRIED: Duration = Duration::from_millis(250);
/// Distinct statements kept prepared on each connection.
const STATEMENT_CACHE: usize = 256;

/// One server session with its prepared statements. Never opened on an async thread.
pub(super) struct Session {
    client: Client,
    statements: HashMap<String, Statement>,
    /// Whether statements of this session wait for locks for less than [`LOCK_PATIENCE`].
    hurried: bool,
}

impl Session {
    /// Connects and sets the session up.
    ///
    /// # Errors
    /// `Unavailable` with the server's reason, never with the password.
    pub(super) fn open(url: &str) -> Result<Self> {
        let mut config: postgres::Config = url.parse().map_err(|_| {
            let message = "database.connection_string cannot be read; write it as postgresql://user:password@host:port/database";
            Error::BadRequest(message.to_owned())
        })?;
        config.connect_timeout(CONNECT_TIMEOUT).application_name("codex");
        // Compiling a statement takes seconds where running it takes milliseconds: costs of lists are estimates.
        let mut client = config.connect(NoTls).map_err(|cause| Error::Unavailable(away(&config, &cause)))?;
        client
            .batch_execute(&format!(
                "SET plan_cache_mode = force_custom_plan; SET jit = off; SET statement_timeout = '120s'; SET lock_timeout = '{LOCK_PATIENCE}';
                 SET TIME ZONE 'UTC'"
            ))
            .map_err(error)?;
        Ok(Self { client, statements: HashMap::new(), hurried: false })
    }

    pub(super) fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Statements wait for locks until then at most. Said to the server only when much of the time is gone already,
    /// so that it costs nothing usually.
    pub(super) fn wait_until(&mut self, until: Instant) -> Result<()> {
        let left = until.saturating_duration_since(Instant::now());
        if left + UNHURRIED >= super::PATIENCE {
            if std::mem::take(&mut self.hurried) {
                self.batch(&format!("SET lock_timeout = '{LOCK_PATIENCE}'"))?;
            }
            return Ok(());
        }
        self.hurried = true;
        self.batch(&format!("SET lock_timeout = {}", left.as_millis().max(1)))
    }

    fn prepare(&mut self, sql: &str) -> Result<Statement> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).map_err(error)?;
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
        let statement = self.prepare(sql)?;
        let mut rows = self.client.query_raw(&statement, params).map_err(error)?;
        while let Some(row) = rows.next().map_err(error)? {
            take(read(&row)?)?;
        }
        Ok(())
    }

    pub(super) fn run(&mut self, sql: &str, params: &[Value]) -> Result<u64> {
        let statement = self.prepare(sql)?;
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        self.client.execute(&statement, &params).map_err(error)
    }

    pub(super) fn batch(&mut self, sql: &str) -> Result<()> {
        self.client.batch_execute(sql).map_err(error)
    }
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

/// Why there is no session: with which server, and which setting to look at.
fn away(config: &postgres::Config, cause: &postgres::Error) -> String {
    use postgres::config::Host;
    let host = config.get_hosts().first().map_or_else(
        || "localhost".to_owned(),
        |host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(folder) => folder.display().to_string(),
        },
    );
    let place = format!("PostgreSQL at {host}:{}", config.get_ports().first().unwrap_or(&5432));
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
        text => return format!("{place} cannot be reached: {text}; check host and port in [database]"),
    };
    format!("{place} {why}; is it running, and are host and port in [database] right?")
}

/// Classifies a driver error by what the caller can do about it.
pub(super) fn error(cause: postgres::Error) -> Error {
    let Some(server) = cause.as_db_error() else {
        return if cause.is_closed() || cause.source().is_some_and(<dyn std::error::Error + 'static>::is::<std::io::Error>) {
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
