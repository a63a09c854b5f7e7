//! What there is to copy: tables, columns, keys and counters, as each engine tells them of itself.

use crate::{
    db::{Conn, Engine, pending},
    error::{Error, Result},
    params,
};

use super::state;

/// The table in which the migrations of each engine are counted: every database has its own.
const MIGRATIONS: &str = "refinery_schema_history";

/// What the engines call the types of columns, and what they mean; a type that is not here is not copied but refused.
const TYPES: &[(&str, Kind)] = &[
    ("integer", Kind::Whole),
    ("bigint", Kind::Whole),
    ("boolean", Kind::Truth),
    ("text", Kind::Text),
    ("character varying", Kind::Text),
    ("double precision", Kind::Real),
];

/// What a column holds, on both engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Whole,
    /// True or false; SQLite keeps 0 and 1.
    Truth,
    /// Text, and everything that is kept as text: times, JSON.
    Text,
    /// A number with a fraction.
    Real,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in the order of their names.
    pub columns: Vec<Column>,
    /// The positions of those that rows are ordered by: the primary key, or all columns where there is none.
    pub key: Vec<usize>,
    /// Whether there is one. Without it nobody can tell where a copy was broken off within the table.
    pub is_keyed: bool,
    /// The column that the engine numbers by itself.
    pub counted: Option<String>,
}

/// The tables of a database that are copied, in the order of their names.
///
/// # Errors
/// `Internal` for a column of a type that nobody has said how to copy.
pub fn tables(conn: &mut Conn) -> Result<Vec<Table>> {
    let sql = match conn.engine() {
        Engine::Sqlite => {
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND substr(name, 1, 7) <> 'sqlite_'"
        }
        Engine::Postgres => "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema()",
    };
    let mut names = conn.map(sql, params![], |row| row.get::<String>(0))?;
    names.retain(|name| ![MIGRATIONS, state::TABLE, pending::TABLE].contains(&name.as_str()));
    names.sort_unstable();
    names.into_iter().map(|name| table(conn, name)).collect()
}

/// A column as an engine describes it: name, type, place in the key (0 for none), whether it is numbered by itself.
type Described = (String, String, i64, bool);

fn table(conn: &mut Conn, name: String) -> Result<Table> {
    let sql = match conn.engine() {
        Engine::Sqlite => {
            "SELECT name, type, pk, EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1
               AND sql LIKE '%AUTOINCREMENT%') AND pk > 0
             FROM pragma_table_info(?1)"
        }
        Engine::Postgres => {
            "SELECT CAST(attribute.attname AS TEXT), format_type(attribute.atttypid, NULL),
               CAST(COALESCE(array_position(CAST(place.indkey AS INT2[]), attribute.attnum) + 1, 0) AS BIGINT),
               attribute.attidentity <> ''
             FROM pg_attribute attribute
             LEFT JOIN pg_index place ON place.indrelid = attribute.attrelid AND place.indisprimary
             WHERE attribute.attrelid = CAST(quote_ident(CAST(?1 AS TEXT)) AS regclass)
               AND attribute.attnum > 0 AND NOT attribute.attisdropped"
        }
    };
    let read = |row: &crate::db::Row| -> Result<Described> { Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)) };
    let mut described = conn.map(sql, params![&name], read)?;
    described.sort_unstable();
    let mut columns = Vec::with_capacity(described.len());
    let mut key = Vec::new();
    let mut counted = None;
    for (at, (column, kind, place, is_counted)) in described.into_iter().enumerate() {
        if place > 0 {
            key.push((place, at));
        }
        if is_counted {
            counted = Some(column.clone());
        }
        let known = TYPES.iter().find(|(type_name, _)| type_name.eq_ignore_ascii_case(&kind));
        let known =
            known.ok_or_else(|| Error::Internal(format!("{name}.{column} is {kind}, which is not known to be copied")))?;
        columns.push(Column { name: column, kind: known.1 });
    }
    key.sort_unstable();
    let is_keyed = !key.is_empty();
    let key = if is_keyed { key.into_iter().map(|(_, at)| at).collect() } else { (0..columns.len()).collect() };
    Ok(Table { name, columns, key, is_keyed, counted })
}

/// That two databases have the same tables.
///
/// # Errors
/// `BadRequest`, naming the first that differs.
pub fn same(from: &[Table], to: &[Table]) -> Result<()> {
    let differs = |name: &str| Err(Error::BadRequest(format!("the table {name} is not the same in both databases")));
    for (one, other) in from.iter().zip(to) {
        if one != other {
            return differs(&one.name);
        }
    }
    match from.get(to.len()).or_else(|| to.get(from.len())) {
        Some(table) => differs(&table.name),
        None => Ok(()),
    }
}

/// How many rows a table has.
///
/// # Errors
/// Those of the engine.
pub fn count(conn: &mut Conn, table: &Table) -> Result<i64> {
    conn.one(&format!("SELECT count(*) FROM \"{}\"", table.name), params![])?.get(0)
}

/// The highest number that the engine has given to a row of this table; 0 when it has given none.
pub fn counter(conn: &mut Conn, table: &Table) -> Result<i64> {
    let Some(column) = &table.counted else { return Ok(0) };
    let given = match conn.engine() {
        Engine::Sqlite => conn.first("SELECT seq FROM sqlite_sequence WHERE name = ?1", params![&table.name])?,
        Engine::Postgres => {
            let sequence = sequence(conn, table, column)?;
            conn.first(&format!("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}"), params![])?
        }
    };
    let given: i64 = given.map_or(Ok(0), |row| row.get(0))?;
    let highest = format!("SELECT COALESCE(max(\"{column}\"), 0) FROM \"{}\"", table.name);
    Ok(given.max(conn.one(&highest, params![])?.get(0)?))
}

/// Says from which number on the engine goes on numbering.
pub fn set_counter(conn: &mut Conn, table: &Table, given: i64) -> Result<()> {
    let Some(column) = table.counted.as_ref().filter(|_| given > 0) else { return Ok(()) };
    match conn.engine() {
        Engine::Sqlite => {
            conn.run("DELETE FROM sqlite_sequence WHERE name = ?1", params![&table.name])?;
            conn.run("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)", params![&table.name, given])?;
        }
        Engine::Postgres => {
            let sequence = sequence(conn, table, column)?;
            conn.all("SELECT setval(CAST(CAST(?1 AS TEXT) AS regclass), ?2, TRUE)", params![sequence, given])?;
        }
    }
    Ok(())
}

/// The name of PostgreSQL's counter, with its schema.
fn sequence(conn: &mut Conn, table: &Table, column: &str) -> Result<String> {
    let sql = "SELECT pg_get_serial_sequence(quote_ident(CAST(?1 AS TEXT)), CAST(?2 AS TEXT))";
    conn.one(sql, params![&table.name, column])?.get(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Db, Target};
    use crate::types::Scope;

    #[tokio::test]
    async fn every_table_of_the_migrations_can_be_copied() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(Target::Sqlite(folder.path().join("codex.db")), 8).unwrap();
        let found = db.read(&Scope::All, tables).await.unwrap();
        let names: Vec<&str> = found.iter().map(|table| table.name.as_str()).collect();
        assert!(names.len() > 80 && names.contains(&"changes") && names.contains(&"head"), "{names:?}");
        assert!(!names.iter().any(|name| name.contains("_fts") || *name == MIGRATIONS), "{names:?}");
        let companies = found.iter().find(|table| table.name == "companies").unwrap();
        assert_eq!(companies.counted.as_deref(), Some("id"));
        let place = found.iter().find(|table| table.name == "contact_companies").unwrap();
        let key: Vec<&str> = place.key.iter().map(|at| place.columns[*at].name.as_str()).collect();
        assert_eq!((key, place.counted.as_deref()), (vec!["contact_id", "company_id"], None));
    }
}
