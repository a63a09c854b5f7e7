//! `codex backup` and `codex restore`: everything in one file that was tried out, and back again.

use std::{
    fs,
    path::{Path, PathBuf},
};

use age::x25519::Identity;
use serde_json::json;

use super::{Context, Failure, context, failure, out};
use crate::{
    backups::{
        self, archive, care,
        make::{self, Destination, Made},
        manifest::Manifest,
        restore, scratch, store as backups_store,
    },
    config::{self, Config, Keep},
    db::{Db, Target, backup::Proof, migrate},
    error::Error,
    identity,
    types::Scope,
};

/// Arguments of `codex backup`.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Works while the server runs. Database, attachments, keys and codex.conf are written into one file, \
                  which gets its name once its database has been restored aside and compared. PostgreSQL: needs pg_dump and \
                  pg_restore, and a role that may create a database to try it out in.\n\n\
                  Examples:\n  codex backup\n  codex backup --to /mnt/backup --keep 7d,4w,12m --encrypt-to age1…\n  \
                  codex backup verify backups/codex-20261130T013000Z.tar.zst"
)]
pub struct BackupArgs {
    #[command(subcommand)]
    what: Option<What>,
    /// Where to [default: a name that says when, in the folder]
    #[arg(value_name = "FILE", conflicts_with = "to")]
    file: Option<PathBuf>,
    /// The folder [default: backup.to, which is backups/ in the instance folder]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Delete what is beyond so many days, weeks and months, such as 7d,4w,12m [default: delete nothing]
    #[arg(long, value_name = "N", value_parser = Keep::parse, conflicts_with = "file")]
    keep: Option<Keep>,
    /// Encrypt to this age recipient; may be given several times [default: `backup.encrypt_to`]
    #[arg(long, value_name = "RECIPIENT")]
    encrypt_to: Vec<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Read a backup whole, and try it out
    Verify(VerifyArgs),
}

/// Arguments of `codex backup verify`.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The file with the age identity that opens it
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `codex restore`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Stop the server first. The file is checked; a damaged, foreign or newer one changes nothing. The database that \
                  was there is kept beside the new one, and so are keys that differ. Everybody signs in again.\n\n\
                  Example:\n  systemctl stop codex\n  codex restore backups/codex-20261130T013000Z.tar.zst\n  systemctl start codex"
)]
pub struct RestoreArgs {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The file with the age identity that opens it
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Makes a backup and says where it is, or looks at one.
pub fn backup(context: &Context, args: BackupArgs) -> Result<u8, Failure> {
    if let Some(What::Verify(args)) = &args.what {
        return verify(context, args);
    }
    let config = context.start(true)?;
    let target = context::target(&config)?;
    let recipients = if args.encrypt_to.is_empty() {
        config.backup.encrypt_to.clone()
    } else {
        config::recipients(&args.encrypt_to.join(",")).map_err(|why| Failure::usage(format!("--encrypt-to {why}")))?
    };
    let to =
        args.file.map_or_else(|| Destination::Folder(args.to.unwrap_or_else(|| config.backup.to.clone())), Destination::File);
    existing(&target)?;
    if args.keep.is_some() && !is_current(&target)? {
        return Err(Failure::usage("--keep needs a database of this version: run codex migrate first; nothing was made"));
    }
    context::make_instance(&config)?;
    let made = make::make(&config, &target, &to, &recipients)?;
    let deleted = note(&config, &target, &made, args.keep)?;
    if args.json {
        out::json(&json!({
            "file": made.path, "bytes": made.bytes, "sha256": made.sha256, "encrypted": made.encrypted,
            "restored_aside": made.proof == Proof::Restored, "deleted": deleted,
        }))?;
    } else {
        out::line(made.path.display())?;
        out::note(format_args!("{}. To use it: codex restore {}", backups::said(&made), made.path.display()));
        deleted.iter().for_each(|file| out::note(format_args!("Deleted {file}")));
    }
    Ok(failure::DONE)
}

/// Refuses a database that is not there: none is made.
fn existing(target: &Target) -> Result<(), Failure> {
    match target {
        Target::Sqlite(path) if !path.exists() => {
            Err(Failure::usage(format!("there is no database at {}; is --instance right?", path.display())))
        }
        _ => Ok(()),
    }
}

/// Notes a backup in the database, and deletes what is beyond what is kept. A database of another version is left as it is:
/// what is kept there, the next server knows.
fn note(config: &Config, target: &Target, made: &Made, keep: Option<Keep>) -> Result<Vec<String>, Failure> {
    let Some(db) = current(config, target)? else { return Ok(Vec::new()) };
    let row = care::row_of(made, "cli");
    let folder = made.path.parent().unwrap_or(Path::new(".")).to_owned();
    Ok(context::block_on(async {
        db.write(&Scope::All, &crate::types::Actor::cli("backup"), move |w| backups_store::add(w, &row)).await?;
        match keep {
            Some(keep) => care::prune(&db, config, &folder, keep).await,
            None => Ok(Vec::new()),
        }
    })??)
}

/// Whether the database is there, and of this version.
fn is_current(target: &Target) -> Result<bool, Failure> {
    let is_there = !matches!(target, Target::Sqlite(path) if !path.exists());
    Ok(is_there && migrate::version(target)? == migrate::newest()?)
}

/// The database, when it is of this version.
fn current(config: &Config, target: &Target) -> Result<Option<Db>, Failure> {
    is_current(target)?.then(|| context::open(config)).transpose()
}

/// Reads a backup whole, tries it out, and notes what came of it.
fn verify(context: &Context, args: &VerifyArgs) -> Result<u8, Failure> {
    let config = context.start(true)?;
    let target = context::target(&config)?;
    context::make_instance(&config)?;
    let identities = identities(args.identity.as_deref())?;
    if archive::kind(&args.file)? == archive::Kind::Database {
        let why = "it is a bare SQLite file, which says nothing of what should be in it; codex restore checks it";
        return Err(Failure::usage(format!("{}: {why}", args.file.display())));
    }
    let tried = scratch::Scratch::new(&config).and_then(|folder| make::try_out(&target, &args.file, &identities, &folder));
    let (manifest, proof) = match tried {
        Ok(tried) => tried,
        Err(Error::Damaged(why)) => {
            let problem = format!("{} is damaged: {why}", args.file.display());
            if let Ok(Some(db)) = current(&config, &target) {
                context::block_on(care::note(&db, &args.file, Some(why)))??;
            }
            return Err(Failure::usage(problem));
        }
        Err(Error::BadRequest(why) | Error::Conflict { message: why, .. }) => {
            return Err(Failure::usage(format!("{}: {why}", args.file.display())));
        }
        Err(other) => return Err(other.into()),
    };
    if proof == Proof::Restored
        && let Ok(Some(db)) = current(&config, &target)
    {
        context::block_on(care::note(&db, &args.file, None))??;
    }
    report(args, &manifest, &proof)?;
    Ok(failure::DONE)
}

fn report(args: &VerifyArgs, manifest: &Manifest, proof: &Proof) -> Result<(), Failure> {
    let impossible = match proof {
        Proof::Restored => None,
        Proof::Impossible(why) => Some(why),
    };
    let remarks = manifest.remarks();
    if args.json {
        return out::json(&json!({
            "file": args.file, "made_at": manifest.made_at, "engine": manifest.database.engine,
            "schema_version": manifest.database.schema_version, "rows": manifest.database.rows(),
            "attachments": manifest.attachments(), "restored_aside": impossible.is_none(), "not_restored_because": impossible,
            "remarks": remarks,
        }));
    }
    out::line(format_args!(
        "{}: made {} of a {} database, {} rows, {} attachments; every file is as it was",
        args.file.display(),
        manifest.made_at,
        manifest.database.engine.name(),
        manifest.database.rows(),
        manifest.attachments()
    ))?;
    out::line(impossible.map_or_else(|| "Restored aside and compared".to_owned(), |why| format!("Not restored aside: {why}")))?;
    if let Some(remarks) = remarks {
        out::note(format_args!("warning: {remarks}"));
    }
    Ok(())
}

/// Puts a backup in the place of the database.
pub fn restore(context: &Context, args: &RestoreArgs) -> Result<u8, Failure> {
    let config = context.start(true)?;
    let target = context::target(&config)?;
    context::make_instance(&config)?;
    let identities = identities(args.identity.as_deref())?;
    let done = restore::restore(&config, &target, &args.file, &identities, end_sessions)?;
    // The restore is over, whatever comes of this.
    if let Err(failure) = done.manifest.as_ref().map_or(Ok(()), |manifest| note_restored(&config, &target, &args.file, manifest))
    {
        out::note(format_args!("warning: the backup could not be noted in the database: {failure}"));
    }
    let remarks = done.manifest.as_ref().and_then(Manifest::remarks);
    if args.json {
        let files = done.files.iter().map(|(file, kept)| json!({ "file": file, "kept": kept })).collect::<Vec<_>>();
        out::json(&json!({
            "restored": args.file, "version": done.version, "kept": done.kept, "files": files, "attachments": done.attachments,
            "remarks": remarks,
        }))?;
        return Ok(failure::DONE);
    }
    out::note(format_args!("Restored {} from {}", target, args.file.display()));
    if let Some(kept) = done.kept {
        out::note(format_args!("The database that was there is now {kept}"));
    }
    for (file, kept) in &done.files {
        match kept {
            Some(kept) => out::note(format_args!("Put back {}; the one before is now {}", file.display(), kept.display())),
            None => out::note(format_args!("Put back {}", file.display())),
        }
    }
    match &done.manifest {
        Some(manifest) => {
            out::note(format_args!(
                "{} of {} attachments were missing or damaged and are back",
                done.attachments,
                manifest.attachments()
            ));
        }
        None => out::note("It is a bare database: put attachments/, keys/ and credentials.key back yourself"),
    }
    if let Some(remarks) = remarks {
        out::note(format_args!("warning: {remarks}"));
    }
    out::note("Every session has ended. API keys are as they were then: codex keys list shows those to revoke again");
    out::note("Next: start Codex again (systemctl start codex)");
    Ok(failure::DONE)
}

/// Notes the backup from which the database comes; one of another version is left to the next server.
fn note_restored(config: &Config, target: &Target, file: &Path, manifest: &Manifest) -> Result<(), Failure> {
    match current(config, target)? {
        Some(db) => Ok(context::block_on(care::note_restored(&db, file, manifest))??),
        None => Ok(()),
    }
}

/// Nobody who was let in at the time of the backup is let in by it.
fn end_sessions(c: &mut crate::db::Conn) -> crate::error::Result<()> {
    identity::end_all_sessions(c)
}

/// The identities of a file as `age-keygen` writes it.
fn identities(file: Option<&Path>) -> Result<Vec<Identity>, Failure> {
    let Some(file) = file else { return Ok(Vec::new()) };
    let unusable = |why: String| Failure::usage(format!("--identity {}: {why}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| unusable(error.to_string()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let found =
        lines.map(|line| line.parse::<Identity>().map_err(|_| unusable("holds a line that is no age identity".to_owned())));
    let found = found.collect::<Result<Vec<_>, _>>()?;
    if found.is_empty() { Err(unusable("holds no age identity (AGE-SECRET-KEY-1…)".to_owned())) } else { Ok(found) }
}
