//! `codex init-db`: what Helm's installer asks for (`init_db.py`) when it has made a PostgreSQL database for Codex.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Context, Failure, context, failure, init, migrate, out};
use crate::{
    config::{Database, keep_address, save},
    db::{Target, migrate as schema},
};

/// Arguments of `codex init-db`; the names are Helm's.
#[derive(Debug, clap::Args)]
#[command(after_help = "Migrates the database and writes how to reach it to codex.conf, in this order: a failure leaves \
                        codex.conf as it was.\nThe password may come from PGPASSWORD. Without --headless this is \
                        `codex init`, or `codex migrate` with --migrate-only.")]
pub struct Args {
    /// Ask nothing
    #[arg(long)]
    headless: bool,
    /// Host of the PostgreSQL server
    #[arg(long, default_value = "localhost", value_name = "HOST")]
    db_host: String,
    /// Its port
    #[arg(long, default_value_t = 5432, value_name = "PORT")]
    db_port: u16,
    /// The database
    #[arg(long, default_value = "codex_db", value_name = "NAME")]
    db_name: String,
    /// The user it belongs to
    #[arg(long, default_value = "codex_user", value_name = "USER")]
    db_user: String,
    /// The user's password
    #[arg(long, env = "PGPASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    db_password: Option<String>,
    /// The database was there before; when the password is wrong, the address in codex.conf stays in use
    #[arg(long)]
    migrate_only: bool,
    /// Accepted, and without effect: made-up data has no place in a real database
    #[arg(long)]
    create_sample_data: bool,
    /// Only try to reach the database
    #[arg(long)]
    test: bool,
    /// Refused: Codex never drops its tables
    #[arg(long)]
    force_rebuild: bool,
}

/// Migrates the database and writes its address down.
pub fn run(context: Context, args: &Args) -> Result<u8, Failure> {
    if args.force_rebuild {
        return Err(Failure::usage("Codex never drops its tables; drop and create the database yourself (dropdb, createdb)"));
    }
    if !args.headless && !args.test {
        let migrate = migrate::Args::default();
        return if args.migrate_only { migrate::run(&context, &migrate) } else { init::run(context, init::Args::default()) };
    }
    let password = args.db_password.as_deref().filter(|password| !password.is_empty());
    let password = password.ok_or_else(|| Failure::usage("--headless needs --db-password (or PGPASSWORD)"))?;
    let before = context.start(true)?;
    let address = args.address(password);
    let new = Target::parse(Some(&address), &before.instance).map_err(Failure::opening)?;
    let reached = schema::version(&new).map_err(Failure::opening);
    if args.test {
        return reached.map(|version| {
            out::note(format_args!("{new} can be reached; schema version {version}"));
            failure::DONE
        });
    }
    if let Err(why) = reached {
        // Helm makes up a new password for a database that it keeps, and does not tell the server.
        let Some(known) = args.migrate_only.then(|| working(&before.database)).flatten() else {
            let user = &args.db_user;
            out::note(format_args!("If the password is wrong: sudo -u postgres psql -c \"ALTER USER {user} PASSWORD '…'\""));
            return Err(why);
        };
        out::note(format_args!("warning: {why}; the address in codex.conf works and stays"));
        return migrated(&known);
    }
    context::make_instance(&before)?;
    migrated(&new)?;
    let port = args.db_port.to_string();
    let settings = [
        ("database", "connection_string", address.as_str()),
        ("database", "db_host", &args.db_host),
        ("database", "db_port", &port),
        ("database", "db_name", &args.db_name),
        ("database", "db_user", &args.db_user),
    ];
    save(&before.instance, &settings)?;
    keep_address(&context.config()?)?;
    out::note(format_args!("Wrote {}", before.instance.join("codex.conf").display()));
    if let Database::Sqlite(file) = &before.database
        && file.exists()
    {
        out::note(format_args!("warning: {} is not used any more, and its data was not copied", file.display()));
    }
    if args.create_sample_data {
        out::note("No sample data was added; `codex serve --demo` shows a made-up provider in a folder of its own");
    }
    Ok(failure::DONE)
}

/// What a name keeps as it is, so that Helm's backup finds it again.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.');

impl Args {
    /// The connection string, each part escaped.
    fn address(&self, password: &str) -> String {
        let (user, name) = (utf8_percent_encode(&self.db_user, NAME), utf8_percent_encode(&self.db_name, NAME));
        let password = utf8_percent_encode(password, NON_ALPHANUMERIC);
        format!("postgresql://{user}:{password}@{}:{}/{name}", self.db_host, self.db_port)
    }
}

/// The database that is configured already, when it is a server that answers.
fn working(database: &Database) -> Option<Target> {
    let Database::Postgres(address) = database else { return None };
    let target = Target::Postgres(address.expose().to_owned().into());
    schema::version(&target).is_ok().then_some(target)
}

fn migrated(target: &Target) -> Result<u8, Failure> {
    let report = schema::run(target).map_err(Failure::opening)?;
    out::note(format_args!("{target}: schema version {} -> {}", report.from, report.to));
    Ok(failure::DONE)
}
