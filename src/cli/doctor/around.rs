//! What is around Codex: Core, the address under which people find it, and how much vendors let us ask.

use std::time::Duration;

use super::{certificate, finding::Finding};
use crate::{
    config::Config,
    db::Db,
    error::Result,
    platform::core_probe::CoreProbe,
    vendors::{Vendor, rate_limit},
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks them.
pub async fn look(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(url) = &config.core.url {
        findings.push(core(url).await);
    }
    if let Some(url) = config.server.public_url.as_deref().filter(|url| url.starts_with("https://")) {
        findings.push(public(url).await);
    }
    findings
}

async fn core(url: &str) -> Finding {
    let advice = "is Core running, and is core.url right?";
    let probe = match CoreProbe::new(url) {
        Ok(probe) => probe,
        Err(error) => return Finding::wrong("core", error.to_string(), advice),
    };
    let said = probe.ask().await;
    match (said.response_time_ms, said.http_status, said.error) {
        (Some(taken), ..) => Finding::ok("core", format!("{url} answers ({taken} ms)")),
        (None, Some(status), _) => Finding::wrong("core", format!("{url}/health answers {status}"), advice),
        (None, None, why) => Finding::wrong("core", format!("{url}: {}", why.unwrap_or("no answer")), advice),
    }
}

/// Whether people reach us, and for how long the certificate lasts.
async fn public(url: &str) -> Finding {
    let check = "certificate";
    let advice = "renew it where it is served (Caddy does so by itself), and see server.public_url";
    let builder = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).tls_info(true);
    let Ok(http) = builder.build() else { return Finding::wrong(check, "TLS cannot be used here", advice) };
    let reply = match http.get(format!("{url}/health")).send().await {
        Ok(reply) => reply,
        Err(error) => {
            let why = if error.is_timeout() { "no answer in time".to_owned() } else { innermost(&error) };
            return Finding::warning(check, format!("{url} cannot be reached from here: {why}"), advice);
        }
    };
    let told = reply.extensions().get::<reqwest::tls::TlsInfo>().and_then(|info| info.peer_certificate());
    let Some(end) = told.and_then(certificate::not_after) else {
        return Finding::ok(check, format!("{url} is trusted"));
    };
    certificate::lasts(check, url, end, advice)
}

/// What a failure is about, below what says that there was one.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(below) = cause.source() {
        cause = below;
    }
    let text = cause.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// Whether a vendor lets us ask.
pub async fn quota(db: &Db, vendor: &Vendor, account: String) -> Result<Finding> {
    let check = "quota";
    if let Some(until) = rate_limit::blocked_until(db, account.clone()).await? {
        let what = format!("{} has shut this account out until {until}", vendor.name);
        return Ok(Finding::wrong(check, what, "find out what else asks with these keys; nothing is asked before"));
    }
    let known = rate_limit::known(db, account).await?;
    let put_off: Vec<&str> = known.iter().filter(|bucket| bucket.paused.is_some()).map(|bucket| bucket.bucket.as_str()).collect();
    if !put_off.is_empty() {
        let what = format!("{} puts us off ({})", vendor.name, put_off.join(", "));
        return Ok(Finding::warning(check, what, "it passes by itself; find out what else asks with these keys"));
    }
    let left: Vec<String> = known
        .iter()
        .filter_map(|bucket| bucket.seen.map(|(total, remaining)| format!("{} {remaining} of {total}", bucket.bucket)))
        .collect();
    let what = if left.is_empty() { "nothing is known against asking".to_owned() } else { format!("left: {}", left.join(", ")) };
    Ok(Finding::ok(check, format!("{}: {what}", vendor.name)))
}
