//! The command line: one file for each verb.

mod accounts;
mod backup;
mod call;
mod certs;
mod completions;
mod config;
mod context;
mod copy;
mod demo;
mod doctor;
mod ending;
mod export;
mod failure;
mod forget;
mod import;
mod init;
mod init_db;
mod init_questions;
mod keys;
mod log;
mod mail;
mod man;
mod migrate;
pub mod openapi;
mod out;
mod password;
mod retention;
mod serve;
mod sync;
mod sync_all;
mod sync_progress;
mod sync_review;
mod sync_show;
mod systemd;
mod token;
mod users;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::app;

pub use self::{context::Context, failure::Failure};

/// The central hub of a managed service provider: companies, contacts, assets and more in one binary.
#[derive(Debug, Parser)]
#[command(name = "codex", version, propagate_version = true, arg_required_else_help = true, after_long_help = EXAMPLES)]
pub struct Cli {
    /// Folder with the database, the keys and codex.conf [default: instance; for serve --demo: demo-instance]
    #[arg(long, global = true, env = "CODEX_INSTANCE", value_name = "DIR")]
    instance: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  codex serve --demo                    a made-up provider to look at, in ./demo-instance
  codex init                            asks for database, vendors' keys and administrator, writes codex.conf
  codex serve                           the server, on http://127.0.0.1:5010
  codex sync freshservice --dry-run     shows what a sync would change
  codex import csv a.csv --as assets    shows what a table would change, and asks
  codex users add ada --email ada@example.com --role admin

Exit codes: 0 done, 1 failure, 2 usage or configuration, 3 doctor found something,
4 locked or already running, 5 storage, 6 upstream, 7 plan stale or approval needed.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Args),
    /// Set up codex.conf and the first administrator, by asking or from flags
    Init(init::Args),
    /// Set up a PostgreSQL database with the flags of Helm's installer
    InitDb(init_db::Args),
    /// Bring the database to this version's schema
    Migrate(migrate::Args),
    /// Write database, attachments and keys into one file that is tried out, also while the server runs
    Backup(backup::BackupArgs),
    /// Put a backup in the place of the database
    Restore(backup::RestoreArgs),
    /// Copy the whole database to an empty one, also from SQLite to PostgreSQL or back
    Copy(copy::Args),
    /// Write everything that is no secret to CSV and JSON files
    Export(export::Args),
    /// Bring rows of a table in
    Import(import::Args),
    /// Take the demo data out again
    Demo(demo::Args),
    /// Erase a person on request
    Forget(forget::Args),
    /// Add, list and lock out the people who sign in here
    Users(users::Args),
    /// Make tokens for scripts and services
    Token(token::Args),
    /// API keys of people: make, list and revoke them
    Keys(keys::Args),
    /// Bring vendors' data in, and decide about plans that wait
    Sync(sync::Args),
    /// Remove what is kept no longer: history, logs and what else [retention] names
    Retention(retention::Args),
    /// Account numbers at the vendors, and what waits to be written there
    Accounts(accounts::Args),
    /// Ask a neighbour on the platform, with a service token
    Call(call::Args),
    /// Send a test mail
    Mail(mail::Args),
    /// Make a certificate that vouches for itself, for https without a proxy
    Certs(certs::Args),
    /// Look at the configuration
    Config(config::Args),
    /// Look for what is wrong: configuration, database, vendors
    Doctor(doctor::Args),
    /// Print the description of the API (OpenAPI 3.1)
    Openapi(openapi::Args),
    /// Print the completion script of a shell
    Completions(completions::Args),
    /// Print the manual page
    Man(man::Args),
}

/// Runs the command; the number is the exit code.
pub fn run(cli: Cli) -> Result<u8, Failure> {
    app::register();
    // Made-up data never lands beside real data because somebody forgot a flag.
    let usual = if matches!(&cli.command, Command::Serve(args) if args.demo) { "demo-instance" } else { "instance" };
    let context = Context::new(cli.instance.unwrap_or_else(|| usual.into()))?;
    if !matches!(cli.command, Command::Serve(_)) {
        ending::on_signal();
    }
    let ended = match cli.command {
        Command::Serve(args) => serve::run(context, args),
        Command::Init(args) => init::run(context, args),
        Command::InitDb(args) => init_db::run(context, &args),
        Command::Migrate(args) => migrate::run(&context, &args),
        Command::Backup(args) => backup::backup(&context, args),
        Command::Restore(args) => backup::restore(&context, &args),
        Command::Copy(args) => copy::run(&context, &args),
        Command::Export(args) => export::run(&context, &args),
        Command::Import(args) => import::run(&context, &args),
        Command::Demo(args) => demo::run(&context, &args),
        Command::Forget(args) => forget::run(&context, args),
        Command::Users(args) => users::run(context, args),
        Command::Token(args) => token::run(context, args),
        Command::Keys(args) => keys::run(context, args),
        Command::Sync(args) => sync::run(&context, &args),
        Command::Retention(args) => retention::run(&context, &args),
        Command::Accounts(args) => accounts::run(&context, &args),
        Command::Call(args) => call::run(&context, &args),
        Command::Mail(args) => mail::run(&context, &args),
        Command::Certs(args) => certs::run(&context, &args),
        Command::Config(args) => config::run(&context, &args),
        Command::Doctor(args) => doctor::run(&context, &args),
        Command::Openapi(args) => openapi::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    };
    ending::close();
    log::flush();
    ended
}
