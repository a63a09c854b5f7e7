//! What `codex init` asks a person: each answer is checked, and tried where it can be, before the next question.

use dialoguer::{Confirm, Input, Password};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Context, Failure, context, failure, init, out};
use crate::{
    auth::Level,
    config::{Config, Database},
    db::{
        Target, provision,
        provision::{Made, Wanted},
    },
    identity::NewUser,
    vendors,
};

/// What is to be written: section, key, value.
pub(super) type Answers = Vec<(&'static str, &'static str, String)>;

/// Asks for the database and the vendors.
pub(super) fn ask(context: &Context, before: &Config) -> Result<Answers, Failure> {
    out::note("Press Enter to keep what is shown in brackets. Nothing is written before the last question.");
    let mut answers = Answers::new();
    database(context, before, &mut answers)?;
    freshservice(context, before, &mut answers)?;
    datto(context, before, &mut answers)?;
    Ok(answers)
}

/// Asks for the first administrator, unless people are managed elsewhere.
pub(super) fn ask_person(config: &Config) -> Result<Option<(String, String)>, Failure> {
    if config.on_platform() || !confirm("Add an administrator now?", true)? {
        return Ok(None);
    }
    let checked = |username: &str, email: &str| {
        let new = NewUser { username: username.to_owned(), email: email.to_owned(), role: Level::Admin, ..NewUser::default() };
        new.checked().map(|_| ()).map_err(|error| error.to_string())
    };
    let name = until(|| text("Sign-in name", None), |name| checked(name, "somebody@example.com"))?;
    let email = until(|| text("E-mail", None), |email| checked(&name, email))?;
    Ok(Some((name, email)))
}

/// The address of a PostgreSQL database in one line.
pub(super) fn postgres_address(host: &str, port: u16, name: &str, user: &str, password: &str) -> String {
    let escape = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    format!("postgresql://{}:{}@{}:{port}/{}", escape(user), escape(password), bracketed(host), escape(name))
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

fn database(context: &Context, before: &Config, answers: &mut Answers) -> Result<(), Failure> {
    let now = before.database.engine();
    out::note(format_args!("Database: now {}{}", before.database.describe(), origin(before, "database.connection_string")));
    loop {
        let engine = until(
            || text("SQLite or PostgreSQL (sqlite, postgresql)", Some(now)),
            |engine| match engine.to_ascii_lowercase().as_str() {
                "sqlite" => Ok(()),
                "postgresql" | "postgres" => {
                    let built_in = Target::parse(Some("postgresql://localhost/codex"), context.instance());
                    built_in.map(|_| ()).map_err(|error| error.to_string())
                }
                _ => Err("answer sqlite or postgresql".to_owned()),
            },
        )?;
        let address = if engine.eq_ignore_ascii_case("sqlite") {
            if matches!(before.database, Database::Sqlite(_)) {
                return Ok(());
            }
            "sqlite:///codex.db".to_owned()
        } else if matches!(before.database, Database::Postgres(_)) && confirm("Keep the PostgreSQL database that is set?", true)?
        {
            return match tried(context, answers, None) {
                Ok(()) => Ok(()),
                Err(why) => {
                    out::note(format_args!("It cannot be used: {why}"));
                    continue;
                }
            };
        } else {
            postgres(context)?
        };
        match tried(context, answers, Some(&address)) {
            Ok(()) => {
                out::note("The database can be used.");
                answers.push(("database", "connection_string", address));
                return Ok(());
            }
            Err(why) => {
                out::note(format_args!("It cannot be used: {why}"));
                if !confirm("Try again?", true)? {
                    return Err(Failure::new(failure::STORAGE, "nothing was written"));
                }
            }
        }
    }
}

fn postgres(context: &Context) -> Result<String, Failure> {
    let host = text("Host", Some("localhost"))?;
    let port =
        until(|| text("Port", Some("5432")), |port| port.parse::<u16>().map(|_| ()).map_err(|_| "must be a port".to_owned()))?;
    let name = text("Database name", Some("codex"))?;
    let user = text("User", Some("codex"))?;
    let password = secret("Password")?;
    let port = port.parse().unwrap_or(5432);
    if confirm("Make this user and this database now, with an administrator's address?", false)? {
        let wanted = Wanted { database: &name, role: &user, password: &password };
        made(context, &format!("postgresql://postgres@{}:{port}/postgres", bracketed(&host)), wanted)?;
    }
    Ok(postgres_address(&host, port, &name, &user, &password))
}

/// Makes user and database; what does not work is said, and the trial afterwards says what is missing.
fn made(context: &Context, usual: &str, wanted: Wanted<'_>) -> Result<(), Failure> {
    let typed = secret(&format!("Administrator's address [{usual}]"))?;
    let address = if typed.is_empty() { usual.to_owned() } else { typed };
    let done = Target::parse(Some(&address), context.instance()).and_then(|administrator| {
        let recreate = provision::exists(&administrator, wanted.database)? && wants_anew(wanted.database).unwrap_or(false);
        provision::provide(&administrator, wanted, recreate)
    });
    match done {
        Ok(made) => out::note(told(wanted, made)),
        Err(why) => out::note(format_args!("They could not be made: {why}")),
    }
    Ok(())
}

/// Whether a database is to be dropped: its name has to be typed.
fn wants_anew(database: &str) -> Result<bool, Failure> {
    out::note(format_args!("There is a database {database} already."));
    let prompt = "Enter keeps it. To DROP it with all that is in it and make it anew, type its name";
    let typed = Input::<String>::new().with_prompt(prompt).allow_empty(true).interact_text().map_err(asked)?;
    Ok(typed == database)
}

/// What was made, in a sentence.
pub(super) fn told(wanted: Wanted<'_>, made: Made) -> String {
    let Wanted { database, role, .. } = wanted;
    let user = if made.role { format!("made the user {role}") } else { format!("the user {role} was there") };
    match (made.dropped, made.database) {
        (true, _) => format!("Database {database}: dropped and made anew; {user}."),
        (false, true) => format!("Database {database}: made; {user}."),
        (false, false) => format!("Database {database}: was there and is kept; {user}."),
    }
}

/// Whether a database can be used.
fn tried(context: &Context, answers: &Answers, address: Option<&str>) -> Result<(), String> {
    let mut with = answers.clone();
    with.extend(address.map(|address| ("database", "connection_string", address.to_owned())));
    let config = init::with_answers(context, &with).map_err(|failure| failure.to_string())?;
    init::try_database(&config).map_err(|failure| failure.to_string())
}

fn freshservice(context: &Context, before: &Config, answers: &mut Answers) -> Result<(), Failure> {
    let key_known = before.freshservice.api_key.is_some();
    let (mut known, mut about) = (before.freshservice.url.clone(), origin(before, "freshservice.domain"));
    loop {
        let mut mine = answers.clone();
        let prompt = "Freshservice account (acme or acme.freshservice.com)";
        known = optional(context, &mut mine, ("freshservice", "domain"), prompt, known, &about)?;
        if known.is_none() {
            return Ok(());
        }
        keep_or_ask(&mut mine, "freshservice", "api_key", "Freshservice API key", key_known)?;
        if accepted(context, &mine, "freshservice")? {
            *answers = mine;
            return Ok(());
        }
        about.clear();
    }
}

fn datto(context: &Context, before: &Config, answers: &mut Answers) -> Result<(), Failure> {
    let (mut known, mut about) = (before.datto.api_endpoint.clone(), origin(before, "datto.api_endpoint"));
    loop {
        let mut mine = answers.clone();
        let prompt = "Datto RMM platform or address (concord, https://…)";
        known = optional(context, &mut mine, ("datto", "api_endpoint"), prompt, known, &about)?;
        if known.is_none() {
            return Ok(());
        }
        keep_or_ask(&mut mine, "datto", "public_key", "Datto API key", before.datto.public_key.is_some())?;
        keep_or_ask(&mut mine, "datto", "secret_key", "Datto API secret", before.datto.secret_key.is_some())?;
        if accepted(context, &mine, "datto")? {
            *answers = mine;
            return Ok(());
        }
        about.clear();
    }
}

/// Asks for something that may stay empty; what is typed is understood before the next question.
fn optional(
    context: &Context,
    answers: &mut Answers,
    (section, key): (&'static str, &'static str),
    prompt: &str,
    known: Option<String>,
    about: &str,
) -> Result<Option<String>, Failure> {
    let prompt = match &known {
        Some(known) => format!("{prompt} [{known}{about}]"),
        None => format!("{prompt} [none]"),
    };
    let answer = until(
        || Ok(Input::<String>::new().with_prompt(&prompt).allow_empty(true).interact_text().map_err(asked)?.trim().to_owned()),
        |answer| {
            if answer.is_empty() {
                return Ok(());
            }
            let mut with = answers.clone();
            with.push((section, key, answer.to_owned()));
            init::with_answers(context, &with).map(|_| ()).map_err(|failure| failure.to_string())
        },
    )?;
    let typed = !answer.is_empty();
    let value = if typed { Some(answer) } else { known };
    // What is set already stays where it was set, unless it was typed a moment ago.
    if let Some(value) = value.as_ref().filter(|_| typed || about.is_empty()) {
        answers.push((section, key, value.clone()));
    }
    Ok(value)
}

/// Asks for a secret; one that is set may stay.
fn keep_or_ask(
    answers: &mut Answers,
    section: &'static str,
    key: &'static str,
    prompt: &str,
    known: bool,
) -> Result<(), Failure> {
    loop {
        let answer = secret(&if known { format!("{prompt} [configured]") } else { prompt.to_owned() })?;
        if !answer.is_empty() {
            answers.push((section, key, answer));
            return Ok(());
        }
        if known {
            return Ok(());
        }
        out::note("It must not be empty.");
    }
}

/// Tries a vendor; when it does not work, the person says whether to go on all the same.
fn accepted(context: &Context, answers: &Answers, system: &str) -> Result<bool, Failure> {
    let config = init::with_answers(context, answers)?;
    match context::block_on((vendors::vendor(system)?.probe)(&config))? {
        Ok(good) => {
            out::note(good);
            Ok(true)
        }
        Err(why) => {
            out::note(why);
            Ok(!confirm("Enter it again?", true)?)
        }
    }
}

/// Where a value was said, when it was.
fn origin(config: &Config, key: &str) -> String {
    let said = config.shown().iter().find(|shown| shown.key == key).map(|shown| shown.origin.clone());
    said.filter(|origin| origin != "default").map_or_else(String::new, |origin| format!(", from {origin}"))
}

/// Asks until the answer passes.
fn until(ask: impl Fn() -> Result<String, Failure>, check: impl Fn(&str) -> Result<(), String>) -> Result<String, Failure> {
    loop {
        let answer = ask()?;
        match check(&answer) {
            Ok(()) => return Ok(answer),
            Err(why) => out::note(why),
        }
    }
}

fn text(prompt: &str, usual: Option<&str>) -> Result<String, Failure> {
    let mut input = Input::<String>::new().with_prompt(prompt);
    if let Some(usual) = usual {
        input = input.default(usual.to_owned());
    }
    Ok(input.interact_text().map_err(asked)?.trim().to_owned())
}

fn secret(prompt: &str) -> Result<String, Failure> {
    let answer = Password::new().with_prompt(prompt).allow_empty_password(true).interact().map_err(asked)?;
    Ok(answer.trim().to_owned())
}

fn confirm(prompt: &str, usual: bool) -> Result<bool, Failure> {
    Confirm::new().with_prompt(prompt).default(usual).interact().map_err(asked)
}

fn asked(error: dialoguer::Error) -> Failure {
    Failure::new(failure::FAILED, error.to_string())
}
