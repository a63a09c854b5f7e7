//! `codex doctor`: looks for what is wrong and says what to do about it; with `--fix` it mends what is safe to mend.

mod around;
mod certificate;
mod finding;
mod folder;
mod rows;

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::{Context, Failure, context, failure, out};
use crate::{
    auth::Signer,
    config::Config,
    db::{Db, migrate, upkeep::Upkeep},
    error::Error,
    identity, vendors,
};
use finding::{Finding, Level};

/// How long the search for damage may take.
const PATIENCE: Duration = Duration::from_mins(30);

/// Arguments of `codex doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Levels: ok, warn (look at it when there is time), WRONG (something does not work, or will not).\n\
                        Exit code 3 when something is wrong; warnings alone are 0, with --strict 3.")]
pub struct Args {
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Do not ask the vendors, Core or anybody else
    #[arg(long)]
    offline: bool,
    /// Mend what is safe to mend: permissions, what dead processes hold, staging that nobody uses, tables for searches
    #[arg(long)]
    fix: bool,
    /// Warnings count, too
    #[arg(long)]
    strict: bool,
}

/// Looks, mends if asked to, prints, and exits by the worst that was found.
pub fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let config = match context.config() {
        Ok(config) => config,
        Err(problem) => {
            let advice = "correct it where it says; codex config show tells where each setting comes from";
            return report(&[Finding::wrong("configuration", problem.to_string(), advice)], args);
        }
    };
    let mut findings = vec![configuration(&config)];
    findings.extend(folder::look(&config, args.fix));
    findings.extend(certificate::own(&config));
    let (found, is_usable) = database(&config);
    findings.push(found);
    if !config.on_platform() {
        let usable = Signer::check(&config.instance).map(|()| "tokens can be signed".to_owned());
        let advice = "restore keys/ from a backup; without it everybody signs in anew";
        findings.push(Finding::of("signing key", usable.map_err(|error| error.to_string()), advice));
    }
    if is_usable {
        let db = context::open(&config)?;
        findings.extend(context::block_on(rows::look(&db, &config, args.fix))??);
        findings.extend(quotas(&db, &config)?);
    }
    if !args.offline {
        findings.extend(neighbours(&config)?);
    }
    report(&findings, args)
}

fn report(findings: &[Finding], args: &Args) -> Result<u8, Failure> {
    if args.json {
        out::json(&findings)?;
    } else {
        for found in findings {
            out::line(found)?;
        }
    }
    let worst = findings.iter().map(|found| found.level).max().unwrap_or(Level::Ok);
    let bearable = if args.strict { Level::Ok } else { Level::Warning };
    Ok(if worst <= bearable { failure::DONE } else { failure::FINDINGS })
}

fn configuration(config: &Config) -> Finding {
    let mode = if config.on_platform() { "a service of the platform" } else { "stand-alone" };
    if config.warnings.is_empty() {
        return Finding::ok("configuration", mode);
    }
    Finding::wrong("configuration", config.warnings.join("; "), "correct it, or take the line out")
}

/// How the database is; and whether anything can be asked of it.
fn database(config: &Config) -> (Finding, bool) {
    let wrong = |what: String, advice: &str| (Finding::wrong("database", what, advice), false);
    let target = match context::target(config) {
        Ok(target) => target,
        Err(failure) => return wrong(failure.to_string(), "see [database] in the README"),
    };
    let versions = migrate::version(&target).and_then(|version| Ok((version, migrate::newest()?)));
    let (version, newest) = match versions {
        Ok(versions) => versions,
        Err(error) => return wrong(error.to_string(), "see what it says"),
    };
    if version == 0 {
        return (Finding::ok("database", format!("{target}: empty or not there yet; serve or migrate will fill it")), false);
    }
    if version > newest {
        let what = format!("{target}: schema version {version} is newer than this Codex ({newest})");
        return wrong(what, "use a newer Codex");
    }
    if version < newest {
        return wrong(format!("{target}: schema version {version} of {newest}; run codex migrate"), "codex migrate");
    }
    let damaged = |found: String| {
        let what = format!("{target}: damaged, restore a backup (codex restore): {found}");
        wrong(what, "stop Codex, codex restore with the last good backup, and look at the disk")
    };
    match target.damage(PATIENCE, &AtomicBool::new(false)) {
        Ok(None) => match Upkeep::can_write(&target) {
            Ok(()) => (Finding::ok("database", format!("{target}: schema version {version}, no damage, can be written")), true),
            Err(why) => wrong(format!("{target}: nothing can be stored: {why}"), "make room, or see who may write the file"),
        },
        Ok(Some(found)) | Err(Error::Damaged(found)) => damaged(found),
        Err(error) => wrong(error.to_string(), "see what it says"),
    }
}

/// Who is asked over the network.
fn neighbours(config: &Config) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    let (config, unreadable) = context::effective(config)?;
    let advice = "put credentials.key back, or enter the credentials again (Admin, Credentials)";
    findings.extend(unreadable.map(|why| Finding::wrong("credentials", why, advice)));
    for vendor in vendors::ALL {
        let verdict = context::block_on((vendor.probe)(&config))?;
        findings.push(Finding::of(vendor.system, verdict, vendor.setup));
    }
    let advice = "see [oidc] in codex.conf, and whether the provider answers";
    let provider = context::block_on(identity::probe_provider(&config))?;
    findings.extend(provider.map(|found| Finding::of("single sign-on", found, advice)));
    findings.extend(context::block_on(around::look(&config))?);
    Ok(findings)
}

/// Whether a vendor has shut us out, or put us off.
fn quotas(db: &Db, config: &Config) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for vendor in vendors::ALL.iter().filter(|vendor| (vendor.is_configured)(config)) {
        let Ok(account) = (vendor.account)(config) else { continue };
        findings.push(context::block_on(around::quota(db, vendor, account))??);
    }
    Ok(findings)
}
