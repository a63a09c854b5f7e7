//! `codex init`: the first settings and the first administrator, by asking or from flags.

use std::path::PathBuf;

use dialoguer::{Confirm, Input, Password};

use super::{Context, Failure, context, failure, out, password};
use crate::{
    auth::Level,
    config::{Config, save},
    identity::NewUser,
    types::Actor,
};

/// Arguments of `codex init`.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Without flags it asks. With flags it asks nothing:\n  \
                        codex init --freshservice-domain acme --freshservice-api-key-file key.txt\n  \
                        pass show codex | codex init --admin ada --email ada@example.com --password-stdin\n\
                        Settings go to codex.conf in the instance folder, readable by its owner alone.")]
pub struct Args {
    /// Freshservice account: acme, acme.freshservice.com or a full address
    #[arg(long, value_name = "DOMAIN")]
    freshservice_domain: Option<String>,
    /// File with the Freshservice API key
    #[arg(long, value_name = "FILE")]
    freshservice_api_key_file: Option<PathBuf>,
    /// Datto RMM address of your region
    #[arg(long, value_name = "URL")]
    datto_api_endpoint: Option<String>,
    /// File with the Datto API key
    #[arg(long, value_name = "FILE")]
    datto_public_key_file: Option<PathBuf>,
    /// File with the Datto API secret
    #[arg(long, value_name = "FILE")]
    datto_secret_key_file: Option<PathBuf>,
    /// Database: postgresql://… or sqlite:///…
    #[arg(long, value_name = "URL")]
    database: Option<String>,
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

/// What is to be written: section, key, value.
type Answers = Vec<(&'static str, &'static str, String)>;

impl Args {
    fn is_empty(&self) -> bool {
        let texts = [&self.freshservice_domain, &self.datto_api_endpoint, &self.database, &self.admin];
        let files = [&self.freshservice_api_key_file, &self.datto_public_key_file, &self.datto_secret_key_file];
        texts.iter().all(|text| text.is_none()) && files.iter().all(|file| file.is_none())
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
        let files = [
            ("freshservice", "api_key", &self.freshservice_api_key_file),
            ("datto", "public_key", &self.datto_public_key_file),
            ("datto", "secret_key", &self.datto_secret_key_file),
        ];
        for (section, key, file) in files {
            let Some(file) = file else { continue };
            let text = std::fs::read_to_string(file).map_err(|e| Failure::usage(format!("{}: {e}", file.display())))?;
            answers.push((section, key, text.trim().to_owned()));
        }
        Ok(answers)
    }
}

/// Writes the settings and adds the administrator.
pub fn run(context: Context, args: Args) -> Result<u8, Failure> {
    let before = context.start(true)?;
    if args.is_empty() && !out::can_ask() {
        return Err(Failure::usage("there is no terminal to ask; pass the settings as flags (codex init --help)"));
    }
    let asking = args.is_empty();
    let answers = if asking { ask(&before)? } else { args.settings()? };
    // A value that would not be understood is refused before it is written.
    let tried = answers
        .iter()
        .fold(context, |context, (section, key, value)| context.with_flag(section, key, "codex init", Some(value.clone())));
    let config = tried.config()?;
    context::target(&config)?;
    context::make_instance(&config)?;
    let settings: Vec<_> = answers.iter().map(|(section, key, value)| (*section, *key, value.as_str())).collect();
    if !settings.is_empty() {
        save(&config.instance, &settings)?;
        out::note(format_args!("Wrote {}", config.instance.join("codex.conf").display()));
    }
    let person = if asking { ask_person(&config)? } else { args.admin.zip(args.email) };
    if let Some((name, email)) = person {
        add_admin(&config, name, email, args.password_stdin)?;
    }
    out::note("Next: codex serve");
    Ok(failure::DONE)
}

fn asked(error: dialoguer::Error) -> Failure {
    Failure::new(failure::FAILED, error.to_string())
}

fn ask(config: &Config) -> Result<Answers, Failure> {
    out::note("Leave an answer empty to skip it; what is configured already stays.");
    let mut answers = Answers::new();
    let mut text = |section, key, prompt: &str, secret: bool| -> Result<bool, Failure> {
        let answer = if secret {
            Password::new().with_prompt(prompt).allow_empty_password(true).interact().map_err(asked)?
        } else {
            Input::<String>::new().with_prompt(prompt).allow_empty(true).interact_text().map_err(asked)?
        };
        let given = !answer.trim().is_empty();
        if given {
            answers.push((section, key, answer.trim().to_owned()));
        }
        Ok(given)
    };
    let known = |there: bool| if there { " [configured]" } else { "" };
    let freshservice = config.freshservice.url.is_some();
    if text(
        "freshservice",
        "domain",
        &format!("Freshservice account (acme or acme.freshservice.com){}", known(freshservice)),
        false,
    )? || freshservice
    {
        text("freshservice", "api_key", &format!("Freshservice API key{}", known(config.freshservice.api_key.is_some())), true)?;
    }
    let datto = config.datto.api_endpoint.is_some();
    if text("datto", "api_endpoint", &format!("Datto RMM address (https://…){}", known(datto)), false)? || datto {
        text("datto", "public_key", "Datto API key", true)?;
        text("datto", "secret_key", "Datto API secret", true)?;
    }
    Ok(answers)
}

fn ask_person(config: &Config) -> Result<Option<(String, String)>, Failure> {
    if config.on_platform() || !Confirm::new().with_prompt("Add an administrator now?").default(true).interact().map_err(asked)? {
        return Ok(None);
    }
    let name = Input::<String>::new().with_prompt("Sign-in name").interact_text().map_err(asked)?;
    let email = Input::<String>::new().with_prompt("E-mail").interact_text().map_err(asked)?;
    Ok(Some((name, email)))
}

fn add_admin(config: &Config, username: String, email: String, from_stdin: bool) -> Result<(), Failure> {
    let password = password::take(from_stdin, &format!("Password for {username}"))?;
    let identity = context::identity(config)?;
    let new = NewUser { username, email, role: Level::Admin, ..NewUser::default() };
    let user = context::block_on(identity.add(&Actor::cli("init"), new, None, password))??;
    out::note(format_args!("Added the administrator {}", user.username));
    Ok(())
}
