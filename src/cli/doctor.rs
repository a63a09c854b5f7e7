//! `codex doctor`: looks for what is wrong and says what to do about it; changes nothing.

use std::{os::unix::fs::PermissionsExt as _, path::Path, sync::atomic::AtomicBool, time::Duration};

use serde::Serialize;

use super::{Context, Failure, context, failure, out};
use crate::{
    auth::Signer,
    config::{Config, Database},
    db::{migrate, upkeep::Upkeep},
    error::Error,
    identity, vendors,
};

/// How long the search for damage may take.
const PATIENCE: Duration = Duration::from_mins(30);

/// Arguments of `codex doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code 3 when something was found.")]
pub struct Args {
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Do not ask the vendors
    #[arg(long)]
    offline: bool,
}

/// One thing looked at.
#[derive(Debug, Serialize)]
struct Finding {
    /// What was looked at.
    check: &'static str,
    /// Whether it is as it should be.
    ok: bool,
    /// What was seen.
    detail: String,
}

fn finding(check: &'static str, result: Result<String, String>) -> Finding {
    let ok = result.is_ok();
    Finding { check, ok, detail: result.unwrap_or_else(|detail| detail) }
}

/// Looks, prints, and exits with 3 when something was found.
pub fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let config = match context.config() {
        Ok(config) => config,
        Err(problem) => return report(&[finding("configuration", Err(problem.to_string()))], args.json),
    };
    let mut findings = vec![finding("configuration", oddities(&config)), finding("permissions", permissions(&config))];
    findings.push(finding("database", database(&config)));
    if !config.on_platform() {
        let usable = Signer::check(&config.instance).map(|()| "tokens can be signed".to_owned());
        findings.push(finding("signing key", usable.map_err(|error| error.to_string())));
    }
    if !args.offline {
        let (config, wrong) = context::effective(&config)?;
        findings.extend(wrong.map(|why| finding("credentials", Err(why))));
        for vendor in vendors::ALL {
            findings.push(finding(vendor.system, context::block_on((vendor.probe)(&config))?));
        }
        findings.extend(context::block_on(identity::probe_provider(&config))?.map(|found| finding("single sign-on", found)));
    }
    report(&findings, args.json)
}

fn report(findings: &[Finding], as_json: bool) -> Result<u8, Failure> {
    if as_json {
        out::json(&findings)?;
    } else {
        for found in findings {
            out::line(format_args!("{:5} {:13} {}", if found.ok { "ok" } else { "WRONG" }, found.check, found.detail))?;
        }
    }
    Ok(if findings.iter().all(|found| found.ok) { failure::DONE } else { failure::FINDINGS })
}

fn oddities(config: &Config) -> Result<String, String> {
    let mode = if config.on_platform() { "a service of the platform" } else { "stand-alone" };
    if config.warnings.is_empty() { Ok(mode.to_owned()) } else { Err(config.warnings.join("; ")) }
}

/// Nobody but the owner reads secrets and personal data, or puts files where we look for ours.
fn permissions(config: &Config) -> Result<String, String> {
    let mut open = Vec::new();
    let mut look = |path: &Path, forbidden: u32, what: &str| {
        if let Ok(found) = path.metadata()
            && found.permissions().mode() & forbidden != 0
        {
            open.push(format!("{} can be {what} by others: chmod go= {0}", path.display()));
        }
    };
    look(&config.instance, 0o022, "written");
    let conf = config.instance.join("codex.conf");
    let from_conf = format!("{}:", conf.display());
    if config.shown().iter().any(|setting| setting.value.contains("***") && setting.origin.starts_with(&from_conf)) {
        look(&conf, 0o077, "read");
    }
    if let Database::Sqlite(path) = &config.database {
        look(path, 0o077, "read");
    }
    if open.is_empty() { Ok("what is private can be read by its owner alone".to_owned()) } else { Err(open.join("; ")) }
}

fn database(config: &Config) -> Result<String, String> {
    let target = context::target(config).map_err(|failure| failure.to_string())?;
    let known = |error: Error| error.to_string();
    let version = migrate::version(&target).map_err(known)?;
    let newest = migrate::steps().map_err(known)?.last().map_or(0, |(number, _)| *number);
    match version {
        0 => Ok(format!("{target}: empty or not there yet; serve or migrate will fill it")),
        version if version > newest => Err(format!("{target}: schema version {version} is newer than this Codex ({newest})")),
        version if version < newest => Err(format!("{target}: schema version {version} of {newest}; run codex migrate")),
        version => match target.damage(PATIENCE, &AtomicBool::new(false)).map_err(known)? {
            Some(found) => Err(format!("{target}: damaged, restore a backup (codex restore): {found}")),
            None => match Upkeep::can_write(&target) {
                Ok(()) => Ok(format!("{target}: schema version {version}, no damage, can be written")),
                Err(why) => Err(format!("{target}: nothing can be stored: {why}")),
            },
        },
    }
}
