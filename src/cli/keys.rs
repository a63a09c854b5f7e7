//! `codex keys`: the API keys of people, made by whoever may open the database.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Context, Failure, context, failure, out};
use crate::{
    agents::{self, keys},
    app,
    auth::{ApiKey, User, api_key_store},
    config::Config,
    db::Db,
    error::Error,
    records::reach,
    types::{Actor, Scope},
    web::Fields,
};

/// Arguments of `codex keys`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make an API key and print it, alone, on stdout; it cannot be shown again
    #[command(after_help = "Examples:\n  codex keys create \"Nightly report\" --user ada\n  \
                            codex keys create Inventory --user tess --write --type asset --company 204729 --days 365")]
    Create {
        /// What it is for; history calls it so
        name: String,
        /// Whose it is: the key may do what they may do
        #[arg(long, value_name = "NAME")]
        user: String,
        /// Let it change records, not only read
        #[arg(long)]
        write: bool,
        /// Limit it to records of this type: asset, contact, …; may be repeated
        #[arg(long = "type", value_name = "TYPE")]
        types: Vec<String>,
        /// Limit it to the company with this account number; may be repeated
        #[arg(long = "company", value_name = "ACCOUNT")]
        companies: Vec<String>,
        /// After how many days it expires
        #[arg(long, value_name = "DAYS", default_value_t = keys::DAYS.0, value_parser = clap::value_parser!(i64).range(1..=keys::DAYS.1))]
        days: i64,
        /// As JSON, with everything about it
        #[arg(long)]
        json: bool,
    },
    /// List the API keys of everybody
    List {
        /// Of this person alone
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// End an API key at once
    Revoke {
        /// Its number, as `codex keys list` shows it
        id: i64,
    },
}

/// Does what was asked for.
pub fn run(context: Context, args: Args) -> Result<u8, Failure> {
    let config = context.start(true)?;
    let db = context::open_existing(&config)?;
    context::block_on(act(&config, &db, args.verb))??;
    Ok(failure::DONE)
}

async fn act(config: &Config, db: &Db, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Create { name, user, write, types, companies, days, json } => {
            let mut sent = Map::new();
            sent.insert("name".to_owned(), name.into());
            sent.insert("access".to_owned(), if write { "read-write" } else { "read" }.into());
            sent.insert("expires_in_days".to_owned(), days.into());
            for (field, list) in [("types", types), ("companies", companies)] {
                if !list.is_empty() {
                    sent.insert(field.to_owned(), Value::from(list));
                }
            }
            let wanted = keys::Wanted::read(Fields::new(sent), reach::reach())?;
            let owner = keys::Owner { user: person(config, db, &user).await?, on_platform: config.on_platform() };
            let (text, key) = keys::make(db, &Actor::cli("keys create"), owner, reach::reach(), wanted).await?;
            if json {
                out::json(&keys::api::with_text(&key, &text)?)?;
            } else {
                out::line(text)?;
            }
        }
        Verb::List { user, json } => list(db, user, json).await?,
        Verb::Revoke { id } => {
            let key = keys::revoke(db, &Actor::cli("keys revoke"), id, None).await?;
            out::note(format_args!("{} of {} is revoked.", key.name, key.owner));
        }
    }
    Ok(())
}

/// The person with this name or e-mail: who signs in here, or on the platform who has used Codex.
async fn person(config: &Config, db: &Db, name: &str) -> Result<User, Failure> {
    if !config.on_platform() {
        return Ok(app::open_identity(Arc::new(config.clone()), db.clone())?.person(name).await?);
    }
    let name = name.to_owned();
    let found = db.read(&Scope::All, move |c| agents::store::find_by_name(c, &name)).await?;
    let mut user = found.map(agents::Agent::into_user).ok_or(Error::NotFound { what: "User" })?;
    let (lookup, email) = (app::companies_of_client(), user.email.clone());
    user.companies = db.read(&Scope::All, move |c| lookup(c, &email)).await?.into();
    Ok(user)
}

async fn list(db: &Db, user: Option<String>, as_json: bool) -> Result<(), Failure> {
    let mut keys = db.read(&Scope::All, |c| api_key_store::all(c, None)).await?;
    keys.retain(|key| user.as_ref().is_none_or(|user| key.owner.eq_ignore_ascii_case(user)));
    if as_json {
        return out::json(&keys);
    }
    let row = |key: ApiKey| {
        let state = json!(key.state).as_str().unwrap_or_default().replace('_', " ");
        let limits = [key.types, key.companies].into_iter().flatten().map(|list| list.join(",")).collect::<Vec<_>>().join("; ");
        let used = key.last_used_at.unwrap_or_else(|| "never".to_owned());
        vec![key.id.to_string(), key.name, key.owner, key.access.to_owned(), limits, used, key.expires_at, state]
    };
    let heads = ["ID", "NAME", "OWNER", "ACCESS", "LIMITED TO", "LAST USED", "EXPIRES", "STATE"];
    let rows: Vec<_> = keys.into_iter().map(row).collect();
    Ok(out::table(&heads, &rows, "No API keys yet: codex keys create NAME --user NAME")?)
}
