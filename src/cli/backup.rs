//! `codex backup` and `codex restore`: copies of an SQLite database that can be trusted.

use std::path::PathBuf;

use serde_json::json;

use super::{Context, Failure, context, failure, out};
use crate::{config::private, db::backup, types::now};

/// Arguments of `codex backup`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Works while the server runs. The copy is checked before it gets its name, and FILE.sha256 is written \
                        beside it.\nIt holds the data alone: keep codex.conf, keys/, credentials.key and attachments/ as well.\n\n\
                        Examples:\n  codex backup\n  codex backup /mnt/backup/codex-$(date +%F).db\n\n\
                        PostgreSQL: pg_dump --format=custom --file=codex.dump \"$URL\"")]
pub struct BackupArgs {
    /// Where to [default: backups/codex-<time>.db in the instance folder]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `codex restore`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Stop the server first. The file is checked; a damaged or foreign one changes nothing. The database that \
                        was there is kept beside the new one.\n\n\
                        Example:\n  systemctl stop codex\n  codex restore backups/codex-20261130T020000Z.db\n  systemctl start codex\n\n\
                        PostgreSQL: pg_restore --clean --if-exists --dbname=\"$URL\" codex.dump"
)]
pub struct RestoreArgs {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Makes a backup and says where it is.
pub fn backup(context: &Context, args: BackupArgs) -> Result<u8, Failure> {
    let config = context.start(true)?;
    let target = context::target(&config)?;
    let file = if let Some(file) = args.file {
        file
    } else {
        let stamp: String = now().chars().filter(char::is_ascii_alphanumeric).collect();
        let folder = config.instance.join("backups");
        if config.instance.is_dir() && !target.is_server() {
            private::folder(&folder).map_err(|error| Failure::new(failure::STORAGE, format!("{}: {error}", folder.display())))?;
        }
        folder.join(format!("codex-{stamp}.db"))
    };
    let made = backup::make(&target, &file)?;
    if args.json {
        out::json(&json!({ "file": made.file, "bytes": made.bytes, "sha256": made.sha256 }))?;
    } else {
        out::line(made.file.display())?;
        out::note(format_args!("{:.1} MB, checked. To use it: codex restore {}", megabytes(made.bytes), made.file.display()));
    }
    Ok(failure::DONE)
}

/// Puts a backup in the place of the database.
pub fn restore(context: &Context, args: &RestoreArgs) -> Result<u8, Failure> {
    let config = context.start(true)?;
    let target = context::target(&config)?;
    context::make_instance(&config)?;
    let done = backup::restore(&target, &args.file)?;
    if args.json {
        out::json(&json!({ "restored": args.file, "version": done.version, "kept": done.kept }))?;
        return Ok(failure::DONE);
    }
    out::note(format_args!("Restored {} from {}", target, args.file.display()));
    if let Some(kept) = done.kept {
        out::note(format_args!("The database that was there is now {}", kept.display()));
    }
    out::note("Next: start Codex again (systemctl start codex)");
    Ok(failure::DONE)
}

#[expect(clippy::cast_precision_loss, reason = "a size for people")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000.0
}
