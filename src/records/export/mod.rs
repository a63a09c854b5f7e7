//! Everything that is no secret, as files that other programs read: records as the API has them, which an import takes back,
//! and the tables behind them. All of it is of one moment, and a manifest says what belongs to it.

mod files;
mod lists;
mod tables;

use std::{fs, io::Write as _, path::Path, sync::Arc};

use serde::Serialize;

use crate::{
    config::{Config, private},
    db::{Conn, Engine, migrate},
    error::{Error, Result},
    history::feed,
    progress::Progress,
    types::now,
};
use files::Written;

/// The form of the files; another one when a program that reads them must be changed.
const FORMAT: u32 = 1;
/// What lies in the folder beside the files.
const MANIFEST: &str = "manifest.json";
const SUMS: &str = "SHA256SUMS";

/// What was written.
#[derive(Debug, Serialize)]
pub struct Manifest {
    /// The form of the files.
    pub format: u32,
    /// The version of Codex.
    pub codex: &'static str,
    /// The version of the schema.
    pub schema: i64,
    /// `sqlite` or `postgresql`.
    pub engine: &'static str,
    /// When it was made.
    pub made_at: String,
    /// The number of the last change in it.
    pub head: i64,
    /// The records, as the API has them.
    pub records: Vec<Records>,
    /// The tables, as the database has them.
    pub tables: Vec<Written>,
}

/// The records of one kind.
#[derive(Debug, Serialize)]
pub struct Records {
    /// What `codex import csv … --as` calls them.
    pub kind: String,
    /// Whether that takes them.
    pub importable: bool,
    /// Whether they are those that are retired.
    pub retired: bool,
    /// The files.
    #[serde(flatten)]
    pub written: Written,
}

impl Manifest {
    /// How many rows of records, and of tables.
    #[must_use]
    pub fn rows(&self) -> (u64, u64) {
        (self.records.iter().map(|records| records.written.rows).sum(), self.tables.iter().map(|table| table.rows).sum())
    }
}

/// Writes everything into a folder, which is made and must be empty. The manifest is written last: without it the export is
/// not whole.
///
/// # Errors
/// `BadRequest` when the folder holds something, `Storage` when it cannot be written.
pub fn run(c: &mut Conn, folder: &Path, config: &Config, progress: &Arc<Progress>) -> Result<Manifest> {
    begin(folder)?;
    c.unhurried()?;
    let records = lists::write(c, folder, config, progress)?;
    let tables = tables::write(c, folder, progress)?;
    let engine = if c.engine() == Engine::Sqlite { "sqlite" } else { "postgresql" };
    let (schema, head) = (migrate::newest()?, feed::head(c)?);
    let codex = env!("CARGO_PKG_VERSION");
    let manifest = Manifest { format: FORMAT, codex, schema, engine, made_at: now(), head, records, tables };
    progress.end_phase();
    conclude(folder, &manifest)?;
    Ok(manifest)
}

fn begin(folder: &Path) -> Result<()> {
    match fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
        Ok(true) => return Err(Error::BadRequest(format!("{} is not empty; name a new folder", folder.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            return Err(Error::BadRequest(format!("{} is a file; name a folder", folder.display())));
        }
        _ => {}
    }
    private::folder(folder).map_err(|error| files::failed(folder, &error))
}

/// The sums in the form that `sha256sum --check` reads, and the manifest.
fn conclude(folder: &Path, manifest: &Manifest) -> Result<()> {
    let written = manifest.records.iter().map(|records| &records.written).chain(&manifest.tables);
    let mut lines = String::new();
    for file in written.flat_map(|written| [&written.csv, &written.json]) {
        lines.push_str(&file.sha256);
        lines.push_str("  ");
        lines.push_str(&file.file);
        lines.push('\n');
    }
    let text = serde_json::to_string_pretty(manifest).map_err(Error::internal)?;
    for (name, text) in [(SUMS, lines), (MANIFEST, text + "\n")] {
        let place = folder.join(name);
        let done =
            private::create_new(&place).and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
        done.map_err(|error| files::failed(&place, &error))?;
    }
    Ok(())
}
