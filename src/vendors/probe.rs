//! Whether the vendors' accounts can be asked: are they open to us at all, do the credentials fit.

use std::time::Duration;

use super::{
    Vendor,
    datto::{client::Datto, wire},
    fault::{Cause, Fault, advice},
    freshservice::client::{self as psa, Freshservice},
    rate_limit,
};
use crate::{config::Config, db::Db, error::Result as Outcome};

/// How long a vendor may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Good news, or what is wrong; neither with a secret. A vendor that is not configured at all is good news.
pub type Verdict = Result<String, String>;

/// Until when the vendor has shut us out, when it has: a job that waits until then does not make it worse.
pub async fn shut_out(db: &Db, config: &Config, vendor: Vendor) -> Outcome<Option<String>> {
    match (vendor.account)(config) {
        Ok(account) => rate_limit::blocked_until(db, account).await,
        Err(_) => Ok(None),
    }
}

/// Whether the key opens the Freshservice account, and whose it is.
pub async fn freshservice(config: &Config) -> Verdict {
    let account = &config.freshservice;
    let url = match (&account.url, &account.api_key) {
        (None, None) => return Ok("not configured".to_owned()),
        (Some(url), Some(_)) => url,
        (Some(_), None) => return Err("freshservice.api_key is not set".to_owned()),
        (None, Some(_)) => return Err("freshservice.domain is not set".to_owned()),
    };
    let client = Freshservice::alone(config).map_err(|error| error.to_string())?;
    within(url, async {
        match client.me().await {
            Ok(_) => Ok(format!("{url}: the key is accepted")),
            // A key whose agent may not see himself may still see what we read.
            Err(Fault { cause: Cause::Denied(403, _) | Cause::Missing, .. }) => {
                let list = psa::LISTS[0];
                client.page(list, 1, false).await.map(|_| format!("{url}: the key is accepted"))
            }
            Err(fault) => Err(fault),
        }
    })
    .await
}

/// Whether key and secret open the Datto RMM account, and what it is called.
pub async fn datto(config: &Config) -> Verdict {
    let account = &config.datto;
    let url = match (&account.api_endpoint, &account.public_key, &account.secret_key) {
        (None, None, None) => return Ok("not configured".to_owned()),
        (Some(url), Some(_), Some(_)) => url,
        (None, ..) => return Err("datto.api_endpoint is not set".to_owned()),
        (_, None, _) => return Err("datto.public_key is not set".to_owned()),
        (.., None) => return Err("datto.secret_key is not set".to_owned()),
    };
    let client = Datto::alone(config).map_err(|error| error.to_string())?;
    within(url, async {
        let record = client.account().await?;
        let name = wire::text(&record, "name").map(|name| format!(", the account is {name}")).unwrap_or_default();
        Ok(format!("{url}: the key is accepted{name}"))
    })
    .await
}

async fn within(url: &str, ask: impl Future<Output = Result<String, Fault>>) -> Verdict {
    match tokio::time::timeout(PATIENCE, ask).await {
        Ok(Ok(good)) => Ok(good),
        Ok(Err(fault)) => Err(match (&fault.cause, advice(fault.service, &fault.cause).unwrap_or_default()) {
            (Cause::Denied(status @ (400 | 401), _), advice) => format!("{url}: the key is refused ({status}); {advice}"),
            (Cause::Denied(..), _) => format!("{url}: the key lacks the rights; {fault}"),
            (Cause::Unreachable(why), advice) => format!("{why}; {advice}"),
            _ => format!("{url}: {fault}"),
        }),
        Err(_) => Err(format!("{url}: no answer within {} s", PATIENCE.as_secs())),
    }
}
