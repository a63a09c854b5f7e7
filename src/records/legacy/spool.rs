//! A copy of what is imported, as it was when the import began: what was shown is what is written, and no transaction of
//! ours waits for another program's database.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead as _, BufReader, BufWriter, Read, Write as _},
    os::unix::fs::FileExt as _,
    path::Path,
};

use super::generations::Table;
use super::{generations::Generation, row::Row};
use crate::{
    config::private,
    db::foreign::Foreign,
    error::{Error, Result},
};

/// How much is read at once.
const BUFFER: usize = 64 * 1024;

/// The rows of every known table.
pub struct Spool {
    file: File,
    tables: BTreeMap<&'static str, Copied>,
}

/// One table in the file.
struct Copied {
    columns: Vec<String>,
    begin: u64,
    rows: usize,
}

impl Spool {
    /// Copies what is known of a database into a file that only its owner could read and that nobody finds: it has no name,
    /// and is gone when this process ends, however it does.
    ///
    /// # Errors
    /// Those of the database; `Storage` when the file cannot be written.
    pub fn copy(
        source: &mut Foreign,
        found: &BTreeMap<String, Vec<String>>,
        generation: &Generation,
        folder: &Path,
    ) -> Result<Self> {
        let stored = |error: std::io::Error| Error::Storage(format!("{}: {error}", folder.display()));
        let path = folder.join(format!(".import-{}", uuid::Uuid::new_v4().simple()));
        let file = private::open(&path).map_err(stored)?;
        fs::remove_file(&path).map_err(stored)?;
        let (mut tables, mut at) = (BTreeMap::new(), 0_u64);
        let mut out = BufWriter::with_capacity(BUFFER, &file);
        for table in generation.tables() {
            let Some(columns) = found.get(table.name) else { continue };
            let order: Vec<&str> = table.key.iter().copied().filter(|key| columns.iter().any(|column| column == key)).collect();
            if order.is_empty() {
                return Err(Error::BadRequest(format!("the table {} has no column {}", table.name, table.key.join(" or "))));
            }
            let (begin, mut rows) = (at, 0);
            source.each(table.name, columns, &order, |cells| {
                let mut line = serde_json::to_vec(&cells).map_err(Error::internal)?;
                line.push(b'\n');
                out.write_all(&line).map_err(stored)?;
                at += u64::try_from(line.len()).map_err(Error::internal)?;
                rows += 1;
                Ok(())
            })?;
            tables.insert(table.name, Copied { columns: columns.clone(), begin, rows });
        }
        out.flush().map_err(stored)?;
        drop(out);
        Ok(Self { file, tables })
    }

    /// How many rows a table has; none where there is no such table.
    #[must_use]
    pub fn count(&self, table: &Table) -> Option<usize> {
        self.tables.get(table.name).map(|copied| copied.rows)
    }

    /// How many rows there are.
    #[must_use]
    pub fn total(&self) -> usize {
        self.tables.values().map(|copied| copied.rows).sum()
    }

    /// The rows of a table.
    pub fn rows(&self, table: &'static Table) -> impl Iterator<Item = Result<Row<'_>>> {
        let copied = self.tables.get(table.name);
        let lines = copied.map(|copied| {
            let reader = BufReader::with_capacity(BUFFER, At { file: &self.file, at: copied.begin });
            reader.lines().take(copied.rows).map(move |line| {
                let cells = serde_json::from_str(&line.map_err(Error::internal)?).map_err(Error::internal)?;
                Ok(Row::new(table, &copied.columns, cells))
            })
        });
        lines.into_iter().flatten()
    }
}

/// Reads a file from a place on, whoever else reads it.
struct At<'f> {
    file: &'f File,
    at: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
