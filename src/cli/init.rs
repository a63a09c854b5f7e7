//! `codex init`: the first settings and the first administrator, by asking or from flags.

use std::path::PathBuf;

use super::{
    Context, Failure, context, failure,
    init_questions::{self as questions, Answers},
    out, password,
};
use crate::{
    auth::Level,
    config::{Config, Database, save},
    db::{Target, migrate, provision, provision::Wanted},
    demo,
    identity::NewUser,
    types::Actor,
    vendors,
};

/// Arguments of `codex init`.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Without flags it asks. With flags it asks nothing:\n  \
                        codex init --freshservice-domain acme --freshservice-api-key-file key.txt --test\n  \
                        codex init --db-host db.example --db-name codex --db-user codex --db-password-file pw.txt\n  \
                        codex init --db-host db.example --db-password-file pw.txt --db-admin-file admin-url.txt\n  \
                        pass show codex | codex init --admin ada --email ada@example.com --password-stdin\n\
                        Settings go to codex.conf in the instance folder, readable by its owner alone.")]
pub struct Args {
    /// Freshservice account: acme, acme.freshservice.com or a full address
    #[arg(long, value_name = "DOMAIN")]
    freshservice_domain: Option<String>,
    /// File with the Freshservice API key
    #[arg(long, value_name = "FILE")]
    freshservice_api_key_file: Option<PathBuf>,
    /// Datto RMM platform or address of your region
    #[arg(long, value_name = "URL")]
    datto_api_endpoint: Option<String>,
    /// File with the Datto API key
    #[arg(long, value_name = "FILE")]
    datto_public_key_file: Option<PathBuf>,
    /// File with the Datto API secret
    #[arg(long, value_name = "FILE")]
    datto_secret_key_file: Option<PathBuf>,
    /// Database: postgresql://… or sqlite:///…
    #[arg(long, value_name = "URL", conflicts_with = "db_host")]
    database: Option<String>,
    /// PostgreSQL host, instead of --database
    #[arg(long, value_name = "HOST", requires = "db_password_file")]
    db_host: Option<String>,
    /// PostgreSQL port
    #[arg(long, value_name = "PORT", requires = "db_host", default_value = "5432")]
    db_port: u16,
    /// PostgreSQL database
    #[arg(long, value_name = "NAME", requires = "db_host", default_value = "codex")]
    db_name: String,
    /// PostgreSQL user
    #[arg(long, value_name = "NAME", requires = "db_host", default_value = "codex")]
    db_user: String,
    /// File with the PostgreSQL password
    #[arg(long, value_name = "FILE", requires = "db_host")]
    db_password_file: Option<PathBuf>,
    /// Make the user and the database before, with the address of an administrator of the server that is in this file
    #[arg(long, value_name = "FILE", requires = "db_host")]
    db_admin_file: Option<PathBuf>,
    /// Drop the database that is there, with all that is in it: its name once more
    #[arg(long, value_name = "NAME", requires = "db_admin_file")]
    drop_database: Option<String>,
    /// Try the database and the vendors' keys; nothing is written when one does not work
    #[arg(long)]
    test: bool,
    /// Sign-in name of an administrator to add
    #[arg(long, value_name = "NAME", requires = "email")]
    admin: Option<String>,
    /// The administrator's e-mail
    #[arg(long, requires = "admin")]
    email: Option<String>,
    /// Read the administrator's password from stdin
    #[arg(long, requires = "admin")]
    password_stdin: bool,
}

impl Args {
    fn is_empty(&self) -> bool {
        let texts = [&self.freshservice_domain, &self.datto_api_endpoint, &self.database, &self.db_host, &self.admin];
        let files = [&self.freshservice_api_key_file, &self.datto_public_key_file, &self.datto_secret_key_file];
        !self.test && texts.iter().all(|text| text.is_none()) && files.iter().all(|file| file.is_none())
    }

    /// Makes user and database on the server, when an administrator's address was given.
    fn provide(&self, context: &Context) -> Result<(), Failure> {
        let (Some(admin), Some(password)) = (&self.db_admin_file, &self.db_password_file) else { return Ok(()) };
        if let Some(typed) = self.drop_database.as_ref().filter(|typed| **typed != self.db_name) {
            return Err(Failure::usage(format!(
                "--drop-database says {typed}, and --db-name {}; nothing was dropped",
                self.db_name
            )));
        }
        let (admin, password) = (read(admin)?, read(password)?);
        let administrator = Target::parse(Some(&admin), context.instance()).map_err(Failure::opening)?;
        let wanted = Wanted { database: &self.db_name, role: &self.db_user, password: &password };
        let made = provision::provide(&administrator, wanted, self.drop_database.is_some()).map_err(Failure::opening)?;
        out::note(questions::told(wanted, made));
        Ok(())
    }

    /// The settings among the flags, files read.
    fn settings(&self) -> Result<Answers, Failure> {
        let mut answers = Answers::new();
        let texts = [
            ("database", "connection_string", &self.database),
            ("freshservice", "domain", &self.freshservice_domain),
            ("datto", "api_endpoint", &self.datto_api_endpoint),
        ];
        answers.extend(texts.into_iter().filter_map(|(section, key, value)| Some((section, key, value.clone()?))));
        if let (Some(host), Some(file)) = (&self.db_host, &self.db_password_file) {
            let address = questions::postgres_address(host, self.db_port, &self.db_name, &self.db_user, &read(file)?);
            answers.push(("database", "connection_string", address));
        }
        let files = [
            ("freshservice", "api_key", &self.freshservice_api_key_file),
            ("datto", "public_key", &self.datto_public_key_file),
            ("datto", "secret_key", &self.datto_secret_key_file),
        ];
        for (section, key, file) in files {
            if let Some(file) = file {
                answers.push((section, key, read(file)?));
            }
        }
        Ok(answers)
    }
}

fn read(file: &PathBuf) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file).map_err(|e| Failure::usage(format!("{}: {e}", file.display())))?;
    Ok(text.trim().to_owned())
}

/// Writes the settings and adds the administrator.
pub fn run(context: Context, args: Args) -> Result<u8, Failure> {
    let before = context.start(true)?;
    if args.is_empty() && !out::can_ask() {
        return Err(Failure::usage("there is no terminal to ask; pass the settings as flags (codex init --help)"));
    }
    let asking = args.is_empty();
    args.provide(&context)?;
    let answers = if asking { questions::ask(&context, &before)? } else { args.settings()? };
    // A value that would not be understood is refused before it is written.
    let config = with_answers(&context, &answers)?;
    context::target(&config)?;
    if args.test {
        try_database(&config)?;
        for vendor in vendors::ALL {
            let said = context::block_on((vendor.probe)(&config))?;
            out::note(format_args!("{}: {}", vendor.name, said.map_err(|why| Failure::new(failure::UPSTREAM, why))?));
        }
    }
    context::make_instance(&config)?;
    let settings: Vec<_> = answers.iter().map(|(section, key, value)| (*section, *key, value.as_str())).collect();
    if !settings.is_empty() {
        save(&config.instance, &settings)?;
        out::note(format_args!("Wrote {}", config.instance.join("codex.conf").display()));
    }
    if !settings.is_empty() && holds_demo(&config)? {
        out::note(format_args!(
            "warning: {} holds the demo data, and no sync will write to it. Use another folder (codex --instance DIR init), \
             or take the demo out (codex demo remove)",
            config.database.describe()
        ));
    }
    let person = if asking { questions::ask_person(&config)? } else { args.admin.zip(args.email) };
    if let Some((name, email)) = person {
        add_admin(&config, name, email, args.password_stdin)?;
    }
    out::note("Next: codex serve, or where it is a service: systemctl enable --now codex (systemctl restart codex if it runs)");
    Ok(failure::DONE)
}

/// The configuration as it will be with these answers.
pub(super) fn with_answers(context: &Context, answers: &Answers) -> Result<Config, Failure> {
    let tried = answers.iter().fold(context.clone(), |context, (section, key, value)| {
        context.with_flag(section, key, "codex init", Some(value.clone()))
    });
    tried.config()
}

/// Whether the database can be used; nothing is made or changed.
pub(super) fn try_database(config: &Config) -> Result<(), Failure> {
    let target = context::target(config)?;
    migrate::version(&target).map(|_| ()).map_err(Failure::opening)
}

fn holds_demo(config: &Config) -> Result<bool, Failure> {
    if matches!(&config.database, Database::Sqlite(path) if !path.exists()) {
        return Ok(false);
    }
    // Settings are written even when the database cannot be asked just now.
    let Ok(db) = context::open(config) else { return Ok(false) };
    Ok(context::block_on(demo::is_there(&db))?.unwrap_or(false))
}

fn add_admin(config: &Config, username: String, email: String, from_stdin: bool) -> Result<(), Failure> {
    let password = password::take(from_stdin, &format!("Password for {username}"))?;
    let identity = context::identity(config)?;
    let new = NewUser { username, email, role: Level::Admin, ..NewUser::default() };
    let user = context::block_on(identity.add(&Actor::cli("init"), new, None, Some(password)))??;
    out::note(format_args!("Added the administrator {}", user.username));
    Ok(())
}
