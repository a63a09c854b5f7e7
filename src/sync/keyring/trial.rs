//! Tries credentials: one small question to the vendor, asked once.

use std::{sync::Arc, time::Duration};

use super::{Vendor, effective};
use crate::{config::Config, db::Db, error::Result};

/// How long a vendor may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The name and password that Datto gives to every integration.
const PUBLIC: (&str, &str) = ("public-client", "public");

/// What the vendor said: good news or bad.
pub type Verdict = Result<String, String>;

/// Tries the credentials that count now, those entered in the page included.
///
/// # Errors
/// Those of the database.
pub async fn run(db: &Db, config: &Arc<Config>, vendor: Vendor) -> Result<Verdict> {
    let config = effective(db, config).await?;
    Ok(vendor_says(&config, vendor.system).await)
}

/// Tries the credentials of this configuration; good news when the vendor is not configured at all.
///
/// # Errors
/// What is wrong, without secrets.
pub async fn vendor_says(config: &Config, system: &str) -> Verdict {
    match system {
        "freshservice" => freshservice(config).await,
        _ => datto(config).await,
    }
}

async fn freshservice(config: &Config) -> Verdict {
    let (url, key) = match (&config.freshservice.url, &config.freshservice.api_key) {
        (None, None) => return Ok("not configured".to_owned()),
        (Some(url), Some(key)) => (url, key),
        (Some(_), None) => return Err("freshservice.api_key is not set".to_owned()),
        (None, Some(_)) => return Err("freshservice.domain is not set".to_owned()),
    };
    let address = format!("{url}/api/v2/departments?page=1&per_page=1");
    ask(url, client()?.get(address).basic_auth(key.expose(), Some("X"))).await
}

async fn datto(config: &Config) -> Verdict {
    let datto = &config.datto;
    let (url, key, secret) = match (&datto.api_endpoint, &datto.public_key, &datto.secret_key) {
        (None, None, None) => return Ok("not configured".to_owned()),
        (Some(url), Some(key), Some(secret)) => (url.trim_end_matches('/').trim_end_matches("/api"), key, secret),
        (None, ..) => return Err("datto.api_endpoint is not set".to_owned()),
        (_, None, _) => return Err("datto.public_key is not set".to_owned()),
        (.., None) => return Err("datto.secret_key is not set".to_owned()),
    };
    let form = [("grant_type", "password"), ("username", key.expose()), ("password", secret.expose())];
    let request = client()?.post(format!("{url}/auth/oauth/token")).basic_auth(PUBLIC.0, Some(PUBLIC.1)).form(&form);
    ask(url, request).await
}

fn client() -> Result<reqwest::Client, String> {
    let builder = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
    builder.build().map_err(|error| error.to_string())
}

async fn ask(url: &str, request: reqwest::RequestBuilder) -> Verdict {
    match request.send().await {
        Ok(reply) if reply.status().is_success() => Ok(format!("{url}: the key is accepted")),
        // Datto answers a wrong key with 400, as OAuth has it.
        Ok(reply) if matches!(reply.status().as_u16(), 400 | 401 | 403) => {
            Err(format!("{url}: the key is refused ({})", reply.status()))
        }
        Ok(reply) => Err(format!("{url}: answers {}", reply.status())),
        Err(error) if error.is_timeout() => Err(format!("{url}: no answer within {} s", PATIENCE.as_secs())),
        Err(error) => Err(format!("{url}: cannot be reached ({})", error.without_url())),
    }
}
