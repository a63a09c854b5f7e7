//! `codex import`: rows of a table become records.

use std::{io::Read as _, path::PathBuf, sync::Arc};

use clap::Subcommand;

use super::{Context, Failure, context, failure, out, sync_progress};
use crate::{
    compliance::RedactionPolicy,
    error::Error,
    records::{
        import::{CarriedOut, Desk, Import, Outcome, Plan, Reading, Row, carry_out, kinds, presets},
        legacy::{Counted, Loss, Place, Report, Source},
        undo,
    },
    types::{Actor, Scope},
};

/// Arguments of `codex import`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// A CSV file with the names of the columns in its first line, as an export has them: UTF-8 or UTF-16, with commas,
    /// semicolons or tabs. Shows what would change, and does all of it or nothing
    #[command(
        after_help = "Examples:\n  codex import csv assets.csv --as assets --dry-run\n  codex import csv assets.csv --as assets --key serial_number\n  codex import csv - --as contacts --yes < contacts.csv\n  codex import csv devices.csv --as assets --preset netbox --dry-run"
    )]
    Csv {
        /// The file; - reads standard input
        file: PathBuf,
        /// What its rows are: companies, contacts, assets, subnets and other nouns
        #[arg(long = "as", value_name = "KIND", value_parser = clap::builder::PossibleValuesParser::new(kinds()))]
        kind: String,
        /// The column by which a record is known again [default: id, then account number, e-mail, serial number or name]
        #[arg(long, value_name = "COLUMN")]
        key: Option<String>,
        /// The product whose export it is; one whose columns are certain is recognised by itself
        #[arg(long, value_name = "PRODUCT", value_parser = clap::builder::PossibleValuesParser::new(presets::products().into_iter().map(|(name, _)| name)))]
        preset: Option<String>,
        /// The account number of the company whose rows they are that do not say it
        #[arg(long, value_name = "NUMBER")]
        company: Option<String>,
        /// Only show what would change
        #[arg(long)]
        dry_run: bool,
        /// Do not ask at the terminal
        #[arg(long)]
        yes: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// The database of the service before Codex, of any of its three generations: a PostgreSQL address, an SQLite file, or the
    /// settings file that names one. Ids are kept; it is only read; all of it that can be is brought, or nothing
    #[command(
        after_help = "Examples:\n  codex import legacy /opt/hivematrix/codex/instance/codex.conf --dry-run\n  codex import legacy postgresql://codex_user:password@localhost/codex_db\n  codex import legacy nexus_brainhair.db --yes\nAn address with a password may also be given in CODEX_IMPORT_LEGACY, where other users of the machine do not see it."
    )]
    Legacy {
        /// postgresql://…, sqlite:///…, an SQLite file, codex.conf or nexus.conf
        #[arg(env = "CODEX_IMPORT_LEGACY", hide_env_values = true, value_name = "DATABASE")]
        database: String,
        /// Only show what would be brought
        #[arg(long)]
        dry_run: bool,
        /// Do not ask at the terminal
        #[arg(long)]
        yes: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Take an import back: the inverse of each of its changes, as far as nobody has changed the same thing since
    #[command(after_help = "Example:\n  codex import undo 12")]
    Undo {
        /// The run's number, as the import said it
        run: i64,
    },
}

/// Does what was asked for.
pub fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let (file, kind, reading, dry_run, yes, json) = match &args.verb {
        Verb::Csv { file, kind, key, preset, company, dry_run, yes, json } => {
            let reading = Reading { key: key.as_deref(), preset: preset.as_deref(), company: company.as_deref() };
            (file, kind, reading, dry_run, yes, json)
        }
        Verb::Legacy { database, dry_run, yes, json } => return legacy(context, database, *dry_run, *yes, *json),
        Verb::Undo { run } => return take_back(context, *run),
    };
    let mut bytes = Vec::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().lock().read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    read.map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
    let config = Arc::new(context.start(true)?);
    let db = context::open_existing(&config)?;
    let import = Import::read(kind, &bytes, reading, &RedactionPolicy::of_program()).map_err(wrong)?;
    drop(bytes);
    // Whoever runs a command is a person, and what they import is theirs.
    let actor = Actor { pins: true, ..Actor::cli("import csv") };
    let shown = sync_progress::new();
    let progress = shown.progress.clone();
    let desk = Desk { db, config, scope: Scope::All, actor: actor.clone(), progress: progress.clone() };
    let plan = context::block_on(import.plan(&desk))?;
    shown.clear();
    let plan = plan?;
    let Some(id) = plan.plan_id.filter(|_| !*dry_run && plan.refused == 0) else {
        show(&plan, *json)?;
        return Ok(if plan.refused > 0 { failure::USAGE } else { failure::DONE });
    };
    if !*json {
        show(&plan, false)?;
    }
    if let Some(why) = &plan.held_because {
        out::note(format_args!("This is more than an import changes unasked: {why}"));
    }
    let question = format!("Import {} records? [y/N] ", plan.changes());
    let sure = *yes || (out::can_ask() && matches!(sync_progress::ask(&question).as_deref(), Some("y" | "yes")));
    if !sure {
        let approve = format!("repeat this with --yes, or approve plan {id} (codex sync approve {id})");
        return Err(Failure::usage(format!("nothing was imported; to go ahead, {approve}")));
    }
    let done = context::block_on(carry_out(&desk.db, id, &actor, true, &progress))?;
    shown.clear();
    let CarriedOut::Done(stored) = done? else { return Err(Failure::usage(format!("plan {id} waits for an approval"))) };
    let done = Plan { run_id: Some(stored.run_id), ..plan };
    if *json {
        out::json(&done)?;
    }
    out::note(format_args!("Imported: {}. To take it back: codex import undo {}", done.words(), stored.run_id));
    Ok(failure::DONE)
}

/// Moves in.
fn legacy(context: &Context, database: &str, dry_run: bool, yes: bool, json: bool) -> Result<u8, Failure> {
    let config = Arc::new(context.start(true)?);
    let place = Place::find(database).map_err(Failure::opening)?;
    let settings = place.settings.clone();
    let db = context::open(&config)?;
    let source = Source::open(place, db.target(), &config.instance).map_err(Failure::opening)?;
    out::note(format_args!("This is {}, by {}: {} rows.", source.generation(), source.known_by(), source.rows()));
    let shown = sync_progress::new();
    let progress = shown.progress.clone();
    let planned = context::block_on(source.plan(&db, &config, &progress))?;
    shown.clear();
    let plan = planned.map_err(Failure::refused)?;
    if dry_run || plan.changes() == 0 {
        show_legacy(&plan, json)?;
        out::note(if dry_run { "Nothing was written." } else { "There is nothing to bring." });
        return Ok(failure::DONE);
    }
    if !json {
        show_legacy(&plan, false)?;
    }
    let question = format!("Bring {} rows? [y/N] ", plan.changes());
    let sure = yes || (out::can_ask() && matches!(sync_progress::ask(&question).as_deref(), Some("y" | "yes")));
    if !sure {
        return Err(Failure::usage("nothing was brought; to go ahead, repeat this with --yes"));
    }
    let done = context::block_on(source.apply(&db, &config, &progress))?;
    shown.clear();
    let done = done.map_err(Failure::refused)?;
    if json {
        out::json(&done)?;
    }
    out::note(format_args!("Brought: {}.", done.words()));
    if !settings.is_empty() {
        out::note(format_args!(
            "Not taken over from {database}: its settings ([{}]). Codex reads such a file as it is: copy it to {} and set [database] \
             there anew, or enter them with codex init",
            settings.join("], ["),
            config.instance.join("codex.conf").display()
        ));
    }
    Ok(failure::DONE)
}

fn show_legacy(report: &Report, json: bool) -> Result<(), Failure> {
    if json {
        return out::json(report);
    }
    let count = |table: &Counted| {
        let counts = [table.new, table.same, table.changed, table.refused];
        std::iter::once(table.table.to_owned()).chain(counts.iter().map(usize::to_string)).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = report.tables.iter().map(count).collect();
    out::table(&["TABLE", "NEW", "SAME", "CHANGED", "CANNOT"], &rows, "It has no rows.")?;
    if !report.losses.is_empty() {
        out::line("")?;
        let loss = |loss: &Loss| {
            let place = loss.column.as_ref().map_or_else(|| loss.table.clone(), |column| format!("{}.{column}", loss.table));
            let named = loss.first.join(", ");
            let more = if loss.rows > loss.first.len() && !loss.first.is_empty() { ", …" } else { "" };
            vec![place, loss.rows.to_string(), loss.why.clone(), format!("{named}{more}")]
        };
        let rows: Vec<Vec<String>> = report.losses.iter().map(loss).collect();
        out::table(&["CANNOT BE BROUGHT", "ROWS", "WHY", "WHICH"], &rows, "")?;
    }
    out::note(format_args!("{}.", report.words()));
    Ok(())
}

fn take_back(context: &Context, run: i64) -> Result<u8, Failure> {
    let config = context.start(true)?;
    let db = context::open_existing(&config)?;
    let summary = context::block_on(undo::run(&db, run, &Actor::cli("import undo")))??;
    for why in &summary.refusals {
        out::line(why)?;
    }
    out::note(format_args!("Run {run}: {}.", summary.words()));
    Ok(failure::DONE)
}

fn wrong(error: Error) -> Failure {
    match error {
        Error::Invalid(_) => Failure::usage(error.to_string()),
        other => other.into(),
    }
}

fn show(plan: &Plan, json: bool) -> Result<(), Failure> {
    if json {
        return out::json(plan);
    }
    let told = |row: &Row| {
        let changes: Vec<String> = row.changes.iter().map(|(name, old, new)| format!("{name}: {old} -> {new}")).collect();
        let what = match row.outcome {
            Outcome::Create => "new",
            Outcome::Update => "changed",
            Outcome::Same => "same",
            Outcome::Refused => "refused",
        };
        vec![row.line.to_string(), what.to_owned(), row.label.clone(), row.reason.clone(), changes.join(", ")]
    };
    let rows: Vec<Vec<String>> = plan.rows.iter().filter(|row| row.outcome != Outcome::Same).map(told).collect();
    out::table(&["LINE", "WHAT", "RECORD", "WHY", "CHANGES"], &rows, "Nothing would change.")?;
    if let Some(product) = plan.preset {
        out::note(format_args!("Read as an export of {product}."));
    }
    if !plan.ignored.is_empty() {
        let why = if plan.preset.is_none() { ", because it is seen or reckoned" } else { "" };
        out::note(format_args!("Not imported{why}: {}", plan.ignored.join(", ")));
    }
    out::note(format_args!("{}: {}.", plan.kind, plan.words()));
    Ok(())
}
