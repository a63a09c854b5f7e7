//! How far a copy is, kept in its target until it is finished: who finds it there goes on, and nobody else uses the database.

use serde_json::{Value as Json, json};

use crate::{
    db::{Conn, Engine, Value},
    error::{Error, Result},
    params,
};

use super::schema::Table;

/// The table that says it. No migration makes it.
pub const TABLE: &str = "copy_state";
/// The names of what is kept beside the tables.
const BIRTH: &str = "birth";
const FROM: &str = "from";
const ASIDE: &str = "aside";

/// How far a table is.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// Nothing of it is there.
    Nothing,
    /// Its rows are there up to this key.
    After(Vec<Value>),
    /// All its rows are there.
    Whole,
}

/// What an unfinished copy is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// When the source got its first table: no two databases have that in common but copies of one file.
    pub birth: String,
    /// What the source is called.
    pub name: String,
}

/// Whether a database holds a copy that is not finished.
pub fn is_there(conn: &mut Conn) -> Result<bool> {
    let sql = match conn.engine() {
        Engine::Sqlite => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1",
        Engine::Postgres => "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = ?1",
    };
    Ok(conn.first(sql, params![TABLE])?.is_some())
}

/// What is said of such a database to whoever wants to use it.
#[must_use]
pub fn unfinished() -> Error {
    Error::conflict(
        "the database holds a copy that is not finished: run the same codex copy again, which goes on where it was, \
         or begin again with an empty database",
    )
}

/// Begins: sets aside what hinders rows from coming in any order, and takes out what the migrations have put in.
///
/// # Errors
/// Those of the engine; nothing is changed then.
pub fn begin(conn: &mut Conn, tables: &[Table], origin: &Origin) -> Result<()> {
    let aside = hindrances(conn)?;
    conn.batch("BEGIN")?;
    conn.batch(&format!("CREATE TABLE {TABLE} (name TEXT PRIMARY KEY, value TEXT NOT NULL)"))?;
    let back: Vec<&str> = aside.iter().map(|(_, back)| back.as_str()).collect();
    set(conn, BIRTH, &origin.birth)?;
    set(conn, FROM, &origin.name)?;
    set(conn, ASIDE, &json!(back).to_string())?;
    for (away, _) in &aside {
        conn.batch(away)?;
    }
    for table in tables {
        conn.run(&format!("DELETE FROM \"{}\"", table.name), params![])?;
    }
    conn.batch("COMMIT")
}

/// Ends: everything that was set aside is in force again, and this table is gone, both or neither.
///
/// # Errors
/// `Constraint` when rows refer to rows that are not there.
pub fn end(conn: &mut Conn) -> Result<()> {
    let aside = get(conn, ASIDE)?.unwrap_or_default();
    let aside: Vec<String> = serde_json::from_str(&aside).map_err(Error::internal)?;
    conn.batch("BEGIN")?;
    let ended = aside.iter().try_for_each(|back| conn.batch(back)).and_then(|()| conn.batch(&format!("DROP TABLE {TABLE}")));
    match ended {
        Ok(()) => conn.batch("COMMIT"),
        Err(error) => {
            conn.batch("ROLLBACK")?;
            Err(error)
        }
    }
}

/// What is in the way of rows that come in any order, as statements that take it away and bring it back. SQLite's foreign
/// keys are a matter of the connection.
fn hindrances(conn: &mut Conn) -> Result<Vec<(String, String)>> {
    let pair = |row: &crate::db::Row| Ok((row.get(0)?, row.get(1)?));
    if conn.engine() == Engine::Sqlite {
        let sql = "SELECT 'DROP TRIGGER \"' || name || '\"', sql FROM sqlite_master WHERE type = 'trigger'";
        return conn.map(sql, params![], pair);
    }
    let triggers = "SELECT DISTINCT format('ALTER TABLE %I DISABLE TRIGGER USER', relation.relname),
          format('ALTER TABLE %I ENABLE TRIGGER USER', relation.relname)
        FROM pg_trigger trigger JOIN pg_class relation ON relation.oid = trigger.tgrelid
        WHERE NOT trigger.tgisinternal AND relation.relnamespace = CAST(current_schema() AS regnamespace)";
    let keys = "SELECT format('ALTER TABLE %I DROP CONSTRAINT %I', relation.relname, rule.conname),
          format('ALTER TABLE %I ADD CONSTRAINT %I %s', relation.relname, rule.conname, pg_get_constraintdef(rule.oid))
        FROM pg_constraint rule JOIN pg_class relation ON relation.oid = rule.conrelid
        WHERE rule.contype = 'f' AND rule.connamespace = CAST(current_schema() AS regnamespace)";
    let mut aside = conn.map(triggers, params![], pair)?;
    aside.extend(conn.map(keys, params![], pair)?);
    Ok(aside)
}

/// Of which source the unfinished copy is.
pub fn origin(conn: &mut Conn) -> Result<Origin> {
    Ok(Origin { birth: get(conn, BIRTH)?.unwrap_or_default(), name: get(conn, FROM)?.unwrap_or_default() })
}

/// How far a table is.
pub fn place(conn: &mut Conn, table: &Table) -> Result<Place> {
    let Some(text) = get(conn, &name_of(table))? else { return Ok(Place::Nothing) };
    let kept: Json = serde_json::from_str(&text).map_err(Error::internal)?;
    let Json::Array(key) = kept else { return Ok(Place::Whole) };
    let value = |json: &Json| match json {
        Json::Number(number) => number.as_i64().map(Value::Int),
        Json::String(text) => Some(Value::Text(text.clone())),
        _ => None,
    };
    let key: Option<Vec<Value>> = key.iter().map(value).collect();
    key.map(Place::After).ok_or_else(|| Error::Internal(format!("how far the copy of {} is cannot be read", table.name)))
}

/// Says how far a table is, in the transaction that has brought it there.
pub fn set_place(conn: &mut Conn, table: &Table, place: &Place) -> Result<()> {
    let kept = match place {
        Place::Nothing => return conn.run(&format!("DELETE FROM {TABLE} WHERE name = ?1"), params![name_of(table)]).map(drop),
        Place::After(key) => json!(key.iter().map(Value::to_json).collect::<Vec<_>>()),
        Place::Whole => json!(true),
    };
    set(conn, &name_of(table), &kept.to_string())
}

fn name_of(table: &Table) -> String {
    format!("table {}", table.name)
}

fn get(conn: &mut Conn, name: &str) -> Result<Option<String>> {
    let row = conn.first(&format!("SELECT value FROM {TABLE} WHERE name = ?1"), params![name])?;
    row.map(|row| row.get(0)).transpose()
}

fn set(conn: &mut Conn, name: &str, value: &str) -> Result<()> {
    let sql =
        format!("INSERT INTO {TABLE} (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value");
    conn.run(&sql, params![name, value]).map(drop)
}
