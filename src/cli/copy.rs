//! `codex copy`: a whole database over to another one, between SQLite and PostgreSQL or within one of them.

use serde_json::json;

use super::{Context, Failure, context, failure, out, sync_progress};
use crate::{
    attachments::{Attachment, files::Folder},
    db::{
        Target,
        copy::{self, Copied, Event, Report},
    },
    error::Error,
    history::Record as _,
    progress::{Level, Progress},
};

/// Arguments of `codex copy`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The source may be served meanwhile: it is read in one snapshot, and what is stored later stays behind, so stop\n\
                        Codex first when the copy is to take its place. Broken off, the same command goes on where it was. Files of\n\
                        attachments and keys lie in the instance folder, not in the database, and stay there.\n\n\
                        Examples:\n  codex copy --to postgresql://codex:…@localhost/codex\n  \
                        codex copy --from postgresql://codex@db/codex --to sqlite:///codex-copy.db\n  \
                        CODEX_COPY_TO=postgresql://… codex copy --check"
)]
pub struct Args {
    /// The database to copy [default: the one of the configuration]
    #[arg(long, value_name = "URL", env = "CODEX_COPY_FROM", hide_env_values = true)]
    from: Option<String>,
    /// The empty database to copy it to: postgresql://… or sqlite:///…, a file within the instance folder unless it begins with /
    #[arg(long, value_name = "URL", env = "CODEX_COPY_TO", hide_env_values = true)]
    to: String,
    /// Copy nothing: only compare the two, table by table
    #[arg(long)]
    check: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Copies, or compares.
pub fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let config = context.start(true)?;
    let parsed = |url: &str| Target::parse(Some(url), &config.instance).map_err(Failure::opening);
    let from = args.from.as_deref().map_or_else(|| context::target(&config), parsed)?;
    let to = parsed(&args.to)?;
    let shown = sync_progress::new();
    if args.check {
        let found = copy::sums(&from, &mut |event| tell(&shown.progress, &event))
            .and_then(|here| Ok((here, copy::sums(&to, &mut |event| tell(&shown.progress, &event))?)));
        shown.clear();
        let (here, there) = found.map_err(of_databases)?;
        return compare(&here, &there, args.json);
    }
    let done = copy::run(&from, &to, &mut |event| tell(&shown.progress, &event));
    shown.clear();
    let done = done.map_err(of_databases)?;
    if args.json {
        out::json(&json!({ "from": from.to_string(), "to": to.to_string(), "copied": done }))?;
    } else {
        show(&done, &to)?;
    }
    let files = done.tables.iter().find(|copied| copied.table == Attachment::TABLE).map_or(0, |copied| copied.rows);
    if files > 0 {
        let folder = Folder::of(&config);
        out::note(format_args!(
            "The files of {files} attachments are not in the database: they stay in {}. An instance elsewhere needs a copy of that \
             folder, and of the keys beside it.",
            folder.path().display()
        ));
    }
    Ok(failure::DONE)
}

fn show(done: &Report, to: &Target) -> Result<(), Failure> {
    for Copied { table, rows, sha256, .. } in done.tables.iter().filter(|copied| copied.rows > 0) {
        out::line(format_args!("{rows:>9}  {table:32} {}", sha256.get(..16).unwrap_or(sha256)))?;
    }
    let rows: i64 = done.tables.iter().map(|copied| copied.rows).sum();
    if !done.changed.is_empty() {
        out::note(format_args!("The source had changed since the copy was begun; copied anew: {}", done.changed.join(", ")));
    }
    let resumed = if done.resumed { ", begun by an earlier run" } else { "" };
    out::note(format_args!(
        "{rows} rows in {} tables are the same in both{resumed}. To use {to}: set database.connection_string",
        done.tables.len()
    ));
    Ok(())
}

fn compare(here: &[Copied], there: &[Copied], as_json: bool) -> Result<u8, Failure> {
    let other = |name: &str| there.iter().find(|copied| copied.table == name);
    let differ: Vec<&Copied> = here.iter().filter(|copied| other(&copied.table) != Some(*copied)).collect();
    if as_json {
        let names: Vec<&str> = differ.iter().map(|copied| copied.table.as_str()).collect();
        out::json(&json!({ "same": differ.is_empty(), "differ": names, "from": here, "to": there }))?;
    } else {
        for Copied { table, rows, counter, .. } in &differ {
            let (theirs, given) = other(table).map_or((0, 0), |copied| (copied.rows, copied.counter));
            out::line(format_args!(
                "{table}: {rows} rows, numbered up to {counter}; there {theirs} rows, numbered up to {given}"
            ))?;
        }
        let words = if differ.is_empty() { "Every table is the same in both." } else { "The tables above differ." };
        out::note(words);
    }
    Ok(if differ.is_empty() { failure::DONE } else { failure::FAILED })
}

fn tell(progress: &Progress, event: &Event<'_>) {
    let total = |rows: i64| u64::try_from(rows).ok();
    match event {
        Event::Copying(table, rows) => progress.begin(&format!("copying {table}"), total(*rows)),
        Event::Checking(_, 0) => {}
        Event::Checking(table, rows) => progress.begin(&format!("checking {table}"), total(*rows)),
        Event::Row => progress.add(1),
        Event::Changed(table) => progress.say(Level::Warning, format!("{table} has changed since; copying it anew")),
        Event::Words => progress.begin("making the search tables", None),
    }
}

/// What is wrong with a database that was named is the command line's fault.
fn of_databases(error: Error) -> Failure {
    match error {
        Error::Conflict { message, .. } | Error::BadRequest(message) => Failure::usage(message),
        other => other.into(),
    }
}
