//! Rows on their way: read in the order of their keys, written in batches, and summed up so that both engines give the same sum.

use aws_lc_rs::digest::{Context, SHA256};

use crate::{
    db::{Conn, Engine, Row, Value},
    error::{Error, Result},
    types::hex,
};

use super::schema::{Column, Kind, Table};

/// Rows and bytes that are written in one transaction at most; whichever is reached first.
const ROWS: usize = 2_000;
const BYTES: usize = 4 * 1024 * 1024;
/// Rows and parameters of one statement at most.
const TOGETHER: usize = 200;
const PARAMETERS: usize = 30_000;

/// Gives each row of a table after this key to `take`, in the order of the keys.
///
/// # Errors
/// Those of the engine and of `take`.
pub fn each(conn: &mut Conn, table: &Table, after: &[Value], take: impl FnMut(Row) -> Result<()>) -> Result<()> {
    let list = |names: &[String]| names.join(", ");
    let columns: Vec<String> = table.columns.iter().map(|column| quoted(&column.name)).collect();
    let key: Vec<String> = key_columns(table).map(|column| in_order(column, conn.engine())).collect();
    let places: Vec<String> = (1..=key.len()).map(|place| format!("?{place}")).collect();
    let wanted = if after.is_empty() { String::new() } else { format!(" WHERE ({}) > ({})", list(&key), list(&places)) };
    // A key is never null; other columns are, and the engines do not agree where those come.
    let nulls = if table.is_keyed { "" } else { " NULLS FIRST" };
    let order: Vec<String> = key.iter().map(|column| format!("{column}{nulls}")).collect();
    let sql = format!("SELECT {} FROM {}{wanted} ORDER BY {}", list(&columns), quoted(&table.name), list(&order));
    conn.each(&sql, after, take)
}

/// The key of a row.
pub fn key_of(table: &Table, row: &[Value]) -> Vec<Value> {
    table.key.iter().filter_map(|at| row.get(*at).cloned()).collect()
}

fn key_columns(table: &Table) -> impl Iterator<Item = &Column> {
    table.key.iter().filter_map(|at| table.columns.get(*at))
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// Text is ordered by its bytes, whatever the server's language is: so both engines go the same way.
fn in_order(column: &Column, engine: Engine) -> String {
    match (column.kind, engine) {
        (Kind::Text, Engine::Postgres) => format!("{} COLLATE \"C\"", quoted(&column.name)),
        _ => quoted(&column.name),
    }
}

/// The values of a row as they are, whichever engine has told them.
///
/// # Errors
/// `Damaged` when a cell holds something else than its column says.
pub fn read(table: &Table, row: &Row) -> Result<Vec<Value>> {
    let mut cells = Vec::with_capacity(table.columns.len());
    for (at, column) in table.columns.iter().enumerate() {
        let cell = row.cell(at)?;
        cells.push(match (column.kind, cell) {
            (_, Value::Null) => Value::Null,
            (Kind::Truth, Value::Int(0 | 1)) => Value::Bool(*cell == Value::Int(1)),
            #[expect(clippy::cast_precision_loss, reason = "SQLite keeps a whole real as an integer")]
            (Kind::Real, Value::Int(number)) => Value::Real(*number as f64),
            (Kind::Whole, Value::Int(_)) | (Kind::Truth, Value::Bool(_)) => cell.clone(),
            (Kind::Text, Value::Text(_)) | (Kind::Real, Value::Real(_)) => cell.clone(),
            _ => return Err(Error::Damaged(format!("{}.{} holds what its type does not allow", table.name, column.name))),
        });
    }
    Ok(cells)
}

/// The sum of a table's rows in the order of their keys, the same on both engines: SHA-256 over each cell's kind, length and
/// content.
pub struct Sum(Context);

impl Sum {
    /// Of no rows yet. The names of the columns are part of it.
    pub fn of(table: &Table) -> Self {
        let mut sum = Self(Context::new(&SHA256));
        for column in &table.columns {
            sum.bytes(column.name.as_bytes());
        }
        sum
    }

    /// Of one more row.
    pub fn add(&mut self, row: &[Value]) {
        for cell in row {
            match cell {
                Value::Null => self.0.update(b"n"),
                Value::Int(number) => self.tagged(b"i", &number.to_be_bytes()),
                Value::Real(number) => self.tagged(b"r", &number.to_bits().to_be_bytes()),
                Value::Bool(truth) => self.tagged(b"b", &[u8::from(*truth)]),
                Value::Text(text) => {
                    self.0.update(b"t");
                    self.bytes(text.as_bytes());
                }
                // Never stored.
                Value::Ids(_) => {}
            }
        }
    }

    fn tagged(&mut self, tag: &[u8], bytes: &[u8]) {
        self.0.update(tag);
        self.0.update(bytes);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    /// In hexadecimal.
    pub fn finish(self) -> String {
        hex(self.0.finish().as_ref())
    }
}

/// Reads a whole table: its sum, and how many rows it has.
pub fn sum(conn: &mut Conn, table: &Table, mut step: impl FnMut()) -> Result<(String, i64)> {
    let (mut sum, mut rows) = (Sum::of(table), 0);
    each(conn, table, &[], |row| {
        sum.add(&read(table, &row)?);
        rows += 1;
        step();
        Ok(())
    })?;
    Ok((sum.finish(), rows))
}

/// Rows that wait to be written together.
#[derive(Default)]
pub struct Batch {
    rows: Vec<Vec<Value>>,
    bytes: usize,
}

impl Batch {
    /// One more.
    pub fn push(&mut self, row: Vec<Value>) {
        let length = |cell: &Value| if let Value::Text(text) = cell { text.len() } else { 8 };
        self.bytes += row.iter().map(length).sum::<usize>();
        self.rows.push(row);
    }

    /// Whether it is time to write them.
    pub fn is_full(&self) -> bool {
        self.rows.len() >= ROWS || self.bytes >= BYTES
    }

    /// The last of them.
    pub fn last(&self) -> Option<&[Value]> {
        self.rows.last().map(Vec::as_slice)
    }

    /// Writes them, in the transaction that is open.
    ///
    /// # Errors
    /// `BadRequest` for text that the engine cannot hold; those of the engine.
    pub fn write(&mut self, conn: &mut Conn, table: &Table) -> Result<()> {
        if conn.engine() == Engine::Postgres {
            self.rows.iter().try_for_each(|row| without_nul(table, row))?;
        }
        let most = TOGETHER.min(PARAMETERS / table.columns.len().max(1));
        for rows in self.rows.chunks(most.max(1)) {
            let params: Vec<Value> = rows.iter().flatten().cloned().collect();
            conn.run(&insert(table, rows.len()), &params)?;
        }
        self.rows.clear();
        self.bytes = 0;
        Ok(())
    }
}

fn insert(table: &Table, rows: usize) -> String {
    let columns: Vec<String> = table.columns.iter().map(|column| quoted(&column.name)).collect();
    let width = columns.len();
    let row = |row: usize| (1..=width).map(|place| format!("?{}", row * width + place)).collect::<Vec<_>>().join(", ");
    let values: Vec<String> = (0..rows).map(|at| format!("({})", row(at))).collect();
    format!("INSERT INTO {} ({}) VALUES {}", quoted(&table.name), columns.join(", "), values.join(", "))
}

/// PostgreSQL keeps no text with a zero byte in it, which SQLite does.
fn without_nul(table: &Table, row: &[Value]) -> Result<()> {
    let has_nul = |cell: &Value| matches!(cell, Value::Text(text) if text.contains('\0'));
    let Some(at) = row.iter().position(has_nul) else { return Ok(()) };
    let column = table.columns.get(at).map(|column| column.name.as_str()).unwrap_or_default();
    let key: Vec<String> = key_of(table, row).iter().map(|value| value.to_json().to_string()).collect();
    Err(Error::BadRequest(format!(
        "{}.{column} of the row {} holds a zero byte, which PostgreSQL cannot keep; take it out first",
        table.name,
        key.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let column = |name: &str, kind| Column { name: name.to_owned(), kind };
        let columns = vec![column("a", Kind::Whole), column("b", Kind::Text), column("c", Kind::Truth)];
        Table { name: "t".to_owned(), columns, key: vec![0], is_keyed: true, counted: None }
    }

    fn of(rows: &[Vec<Value>]) -> String {
        let mut sum = Sum::of(&table());
        for row in rows {
            sum.add(&read(&table(), &Row::of(row.clone())).unwrap());
        }
        sum.finish()
    }

    #[test]
    fn both_engines_ways_of_saying_the_same_give_one_sum() {
        let of_sqlite = vec![vec![1.into(), "x".into(), 1.into()], vec![2.into(), Value::Null, 0.into()]];
        let of_postgres = vec![vec![1.into(), "x".into(), true.into()], vec![2.into(), Value::Null, false.into()]];
        assert_eq!(of(&of_sqlite), of(&of_postgres));
    }

    #[test]
    fn nothing_can_move_between_cells_or_rows_unseen() {
        let row = |a: i64, b: &str, c: bool| vec![a.into(), b.into(), c.into()];
        let all = [
            of(&[]),
            of(&[row(1, "", false)]),
            of(&[row(1, "\0", false)]),
            of(&[row(1, "b", false)]),
            of(&[row(1, "b", true)]),
            of(&[row(1, "b", true), row(2, "", false)]),
            of(&[vec![1.into(), Value::Null, false.into()]]),
        ];
        let distinct: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn what_a_column_cannot_hold_is_not_passed_on() {
        for wrong in [vec![1.into(), "x".into(), 2.into()], vec!["1".into(), "x".into(), true.into()]] {
            assert!(matches!(read(&table(), &Row::of(wrong)), Err(Error::Damaged(_))));
        }
        let zero = vec![7.into(), "a\0b".into(), true.into()];
        assert!(without_nul(&table(), &zero).unwrap_err().to_string().contains("t.b of the row 7"));
    }

    #[test]
    fn a_statement_numbers_its_parameters_through() {
        assert_eq!(insert(&table(), 2), "INSERT INTO \"t\" (\"a\", \"b\", \"c\") VALUES (?1, ?2, ?3), (?4, ?5, ?6)");
    }
}
