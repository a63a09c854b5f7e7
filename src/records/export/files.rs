//! The two files of a list: CSV for spreadsheets and imports, JSON for programs.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use aws_lc_rs::digest::{Context, SHA256};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::{
    config::private,
    error::{Error, Result},
    types::hex,
    web::csv::{self, Columns, Reader, Table},
};

/// What a file is known by.
#[derive(Clone, Debug, Serialize)]
pub struct FileSum {
    /// Its name within the folder.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
}

/// Two files with the same rows.
#[derive(Clone, Debug, Serialize)]
pub struct Written {
    /// How many rows.
    pub rows: u64,
    /// As CSV.
    pub csv: FileSum,
    /// As JSON: an array of objects.
    pub json: FileSum,
}

/// A file whose sum is reckoned while it is written.
struct Summed {
    to: BufWriter<File>,
    name: String,
    sum: Context,
    bytes: u64,
}

impl Summed {
    fn create(folder: &Path, name: String) -> Result<Self> {
        let place = folder.join(&name);
        let made = place.parent().map_or(Ok(()), private::folder).and_then(|()| private::create_new(&place));
        let to = BufWriter::new(made.map_err(|error| failed(&place, &error))?);
        Ok(Self { to, name, sum: Context::new(&SHA256), bytes: 0 })
    }

    fn finish(mut self) -> Result<FileSum> {
        let done = self.to.flush().and_then(|()| self.to.get_ref().sync_all());
        done.map_err(|error| failed(Path::new(&self.name), &error))?;
        Ok(FileSum { file: self.name, bytes: self.bytes, sha256: hex(self.sum.finish().as_ref()) })
    }
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.sum.update(bytes.get(..count).unwrap_or_default());
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Why a file could not be written.
pub fn failed(place: &Path, error: &io::Error) -> Error {
    Error::Storage(format!("{} cannot be written: {error}", place.display()))
}

/// A list on its way into its files.
pub struct Pair {
    csv: Table<Summed>,
    json: Summed,
    columns: Columns,
    rows: u64,
}

impl Pair {
    /// The files of this name, without an end, within the folder.
    pub fn create(folder: &Path, name: &str, columns: &[String]) -> Result<Self> {
        let columns = Columns::new(columns);
        let csv = csv::table(&columns, Summed::create(folder, format!("{name}.csv"))?, Reader::Program)?;
        let mut json = Summed::create(folder, format!("{name}.json"))?;
        json.write_all(b"[").map_err(|error| failed(Path::new(name), &error))?;
        Ok(Self { csv, json, columns, rows: 0 })
    }

    /// One more row: as CSV has it, and as JSON has it.
    pub fn push(&mut self, cells: &Map<String, Json>, row: &Map<String, Json>) -> Result<()> {
        self.columns.read(cells)?;
        csv::record(&mut self.csv, &self.columns, Reader::Program)?;
        let before = if self.rows == 0 { "\n" } else { ",\n" };
        let written = self.json.write_all(before.as_bytes());
        written.and_then(|()| serde_json::to_writer(&mut self.json, row).map_err(io::Error::from)).map_err(|error| {
            let name = self.json.name.clone();
            failed(Path::new(&name), &error)
        })?;
        self.rows += 1;
        Ok(())
    }

    /// The whole files, on the disk.
    pub fn finish(mut self) -> Result<Written> {
        let end = if self.rows == 0 { "]\n" } else { "\n]\n" };
        self.json.write_all(end.as_bytes()).map_err(|error| failed(Path::new(&self.json.name), &error))?;
        let csv = self.csv.into_inner().map_err(|error| Error::Storage(error.to_string()))?;
        Ok(Written { rows: self.rows, csv: csv.finish()?, json: self.json.finish()? })
    }
}
