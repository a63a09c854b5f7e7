//! `codex users`: the people who sign in here.

use serde_json::json;

use super::{Context, Failure, context, failure, out, password};
use crate::{
    auth::Level,
    identity::{Identity, NewUser, User},
    types::Actor,
};

/// Arguments of `codex users`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Add a person
    #[command(after_help = "Examples:\n  codex users add ada --email ada@example.com --role admin\n  \
                            pass show codex/cleo | codex users add cleo --email cleo@client.example --role client \
                            --company 204729 --password-stdin")]
    Add {
        /// Sign-in name
        name: String,
        /// E-mail address
        #[arg(long)]
        email: String,
        /// What they may do
        #[arg(long, value_parser = level, value_name = "admin|technician|billing|client")]
        role: Level,
        /// Full name
        #[arg(long, value_name = "NAME", default_value = "")]
        full_name: String,
        /// Account number of a client's company
        #[arg(long, value_name = "ACCOUNT", required_if_eq("role", "client"))]
        company: Option<String>,
        /// Read the password from stdin
        #[arg(long)]
        password_stdin: bool,
        /// Print the new user as JSON
        #[arg(long)]
        json: bool,
    },
    /// List everybody
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Set a password; ends the person's sessions
    Passwd {
        /// Sign-in name or e-mail
        name: String,
        /// Read the password from stdin
        #[arg(long)]
        password_stdin: bool,
    },
    /// Shut a person out at once
    Disable {
        /// Sign-in name or e-mail
        name: String,
    },
    /// Let a person in again
    Enable {
        /// Sign-in name or e-mail
        name: String,
    },
    /// Turn a person's second factor off, when phone and recovery codes are lost
    ResetFactor {
        /// Sign-in name or e-mail
        name: String,
    },
}

fn level(text: &str) -> Result<Level, String> {
    Level::find(text).ok_or_else(|| "one of admin, technician, billing, client".to_owned())
}

/// Does what was asked for.
pub fn run(context: Context, args: Args) -> Result<u8, Failure> {
    let config = context.start(true)?;
    let identity = context::identity(&config)?;
    context::block_on(act(&identity, args.verb))??;
    Ok(failure::DONE)
}

async fn act(identity: &Identity, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Add { name, email, role, full_name, company, password_stdin, json } => {
            let password = password::take(password_stdin, &format!("Password for {name}"))?;
            let new = NewUser { username: name, email, name: full_name, role, ..NewUser::default() };
            let user = identity.add(&Actor::cli("users add"), new, company, Some(password)).await?;
            if json {
                out::json(&described(&user))?;
            } else {
                out::line(format_args!("{}  {}", user.username, user.role.as_str()))?;
            }
        }
        Verb::List { json } => list(identity, json).await?,
        Verb::Passwd { name, password_stdin } => {
            let password = password::take(password_stdin, &format!("New password for {name}"))?;
            let user = identity.set_password(&Actor::cli("users passwd"), &name, password, (None, true)).await?;
            out::note(format_args!("{} has a new password; their sessions and API keys have ended.", user.username));
        }
        Verb::Disable { name } => set_enabled(identity, "users disable", &name, false).await?,
        Verb::ResetFactor { name } => {
            let user = identity.remove_factor_of(&Actor::cli("users reset-factor"), &name).await?;
            out::note(format_args!("{} signs in with the password alone.", user.username));
        }
        Verb::Enable { name } => set_enabled(identity, "users enable", &name, true).await?,
    }
    Ok(())
}

async fn list(identity: &Identity, as_json: bool) -> Result<(), Failure> {
    let people = identity.list().await?;
    if as_json {
        return out::json(&people);
    }
    let rows: Vec<Vec<String>> = people
        .into_iter()
        .map(|person| {
            let state = if person.enabled { "" } else { "disabled" };
            let company = person.company_account_number.unwrap_or_default();
            vec![person.username, person.permission_level, person.email.unwrap_or_default(), company, state.to_owned()]
        })
        .collect();
    Ok(out::table(
        &["NAME", "ROLE", "E-MAIL", "COMPANY", ""],
        &rows,
        "No users yet: codex users add NAME --email ADDRESS --role admin",
    )?)
}

async fn set_enabled(identity: &Identity, verb: &str, name: &str, enabled: bool) -> Result<(), Failure> {
    let user = identity.set_enabled(&Actor::cli(verb), name, enabled).await?;
    out::note(format_args!("{} is {}.", user.username, if enabled { "enabled" } else { "disabled; their sessions have ended" }));
    Ok(())
}

fn described(user: &User) -> serde_json::Value {
    json!({ "id": user.id, "username": user.username, "email": user.email, "name": user.name, "role": user.role.as_str() })
}
