//! `codex token create`: tokens for scripts and services, made by whoever may read the keys.

use serde_json::json;

use super::{Context, Failure, context, failure, out};
use crate::types::Actor;

/// Arguments of `codex token`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Print a token, alone, on stdout
    #[command(after_help = "Example:\n  curl -H \"Authorization: Bearer $(codex token create --user ada)\" \
                            http://127.0.0.1:5010/api/companies")]
    Create {
        #[command(flatten)]
        whose: Whose,
        /// How long it is valid
        #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..=8784))]
        hours: Option<u32>,
        /// As JSON, with its lifetime in seconds
        #[arg(long)]
        json: bool,
    },
    /// Print a new client secret, with which a service gets its tokens from /service-token
    Client {
        /// The service's name
        service: String,
    },
    /// List the services that have a client secret
    Clients {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Take a service's client secret back and end all its tokens
    Revoke {
        /// The service's name
        service: String,
    },
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// For this person, with their rights
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// For this service, with a service's rights
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
}

/// Prints the token.
pub fn run(context: Context, args: Args) -> Result<u8, Failure> {
    let config = context.start(true)?;
    let identity = context::identity(&config)?;
    context::block_on(async {
        let actor = Actor::cli("token create");
        match args.verb {
            Verb::Create { whose, hours, json } => {
                let seconds = hours.map(|hours| i64::from(hours) * 3600);
                let token = match (whose.user, whose.service) {
                    (Some(user), _) => identity.token_for(&actor, &user, seconds).await?,
                    (None, service) => identity.token_for_service(&actor, &service.unwrap_or_default(), seconds).await?,
                };
                if json {
                    out::json(&json!({ "token": token.text, "expires_in": token.seconds }))?;
                } else {
                    out::line(token.text)?;
                }
            }
            Verb::Client { service } => out::line(identity.add_client(&Actor::cli("token client"), &service).await?)?,
            Verb::Clients { json } => {
                let clients = identity.clients().await?;
                if json {
                    let told = |(name, since): (String, String)| json!({ "service": name, "since": since });
                    out::json(&clients.into_iter().map(told).collect::<Vec<_>>())?;
                } else {
                    let rows: Vec<_> = clients.into_iter().map(|(name, since)| vec![name, since]).collect();
                    out::table(&["SERVICE", "SINCE"], &rows, "No service has a client secret yet: codex token client NAME")?;
                }
            }
            Verb::Revoke { service } => {
                identity.remove_client(&Actor::cli("token revoke"), &service).await?;
                out::note(format_args!("{service} has no secret any more; its tokens have ended."));
            }
        }
        Ok(failure::DONE)
    })?
}
