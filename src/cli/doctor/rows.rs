//! What is stored: what leads nowhere, what searches know, what dead processes hold, how fresh everything is.

use super::finding::Finding;
use crate::{
    attachments::{files::Folder, store as attachments},
    backups,
    compliance::forgotten_store,
    config::Config,
    db::{Conn, Db, Write, words},
    encryption::Encryption,
    error::Result,
    history::feed,
    jobs::{lease_store as leases, runs_store as runs},
    records::orphans_store as orphans,
    status::{self, State},
    types::{Actor, Scope, now_plus},
};

/// Seconds by which clocks may differ.
const SKEW: i64 = 300;
/// Seconds after which the last backup is old, although none is made by itself.
const OLD: i64 = 8 * 24 * 60 * 60;
/// Why a row that leads nowhere is left alone.
const ORPHANS: &str = "each tells what is gone: tell us (codex doctor --json), and keep the backup";

/// Looks at everything, and mends what can be.
pub async fn look(db: &Db, config: &Config, fix: bool) -> Result<Vec<Finding>> {
    Ok(vec![
        clock(db).await?,
        references(db).await?,
        search(db, fix).await?,
        jobs(db, fix).await?,
        staging(db, fix).await?,
        contents(db, config).await?,
        forgotten(db, config).await?,
        freshness(db).await?,
        backups(db).await?,
    ])
}

async fn ask<T: Send + 'static>(db: &Db, work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static) -> Result<T> {
    db.read(&Scope::All, move |c| {
        c.unhurried()?;
        work(c)
    })
    .await
}

async fn mend<T: Send + 'static>(db: &Db, work: impl FnOnce(&mut Write<'_>) -> Result<T> + Send + 'static) -> Result<T> {
    db.write(&Scope::All, &Actor::cli("doctor"), work).await
}

/// What was stored is of the past, and a server's clock is ours.
async fn clock(db: &Db) -> Result<Finding> {
    let advice = "set the clock: timedatectl set-ntp true";
    let (newest, apart) = ask(db, |c| Ok((feed::newest(c)?, c.clock_apart()?))).await?;
    if let Some(newest) = newest.filter(|newest| *newest > now_plus(SKEW)) {
        let what = format!("the last change was stored at {newest}, which is yet to come: the clock is behind, or was ahead");
        return Ok(Finding::wrong("clock", what, advice));
    }
    Ok(match apart {
        Some(seconds) if seconds.abs() > SKEW => {
            Finding::wrong("clock", format!("{seconds} seconds apart from the database server's"), advice)
        }
        Some(seconds) => Finding::ok("clock", format!("{seconds} seconds apart from the database server's")),
        None => Finding::ok("clock", "nothing is stored as of a time to come"),
    })
}

/// Rows that belong to rows which are not there.
async fn references(db: &Db) -> Result<Finding> {
    let found = ask(db, orphans::find).await?;
    if found.is_empty() {
        return Ok(Finding::ok("references", "every row leads to one that is there"));
    }
    let told: Vec<String> =
        found.iter().map(|orphans| format!("{} of {} to {}", orphans.rows, orphans.table, orphans.to)).collect();
    let what = format!("rows lead to rows that are not there: {}", told.join(", "));
    Ok(if found.iter().any(|orphans| orphans.is_forbidden) {
        Finding::wrong(
            "references",
            what,
            "restore a backup from before, or mend them by hand: the engine would refuse such rows",
        )
    } else {
        Finding::warning("references", what, ORPHANS)
    })
}

/// Whether searches find everything.
async fn search(db: &Db, fix: bool) -> Result<Finding> {
    let lacking = ask(db, words::lacking).await?;
    if lacking.is_empty() {
        return Ok(Finding::ok("search", "the tables for searches know every row"));
    }
    let what = format!("searches do not know the rows that there are of {}", lacking.join(", "));
    let found = Finding::wrong("search", what, "codex doctor --fix makes the tables for searches anew");
    if !fix {
        return Ok(found);
    }
    for table in lacking {
        mend(db, move |w| words::rebuild(w, &table)).await?;
    }
    Ok(found.mended("made anew"))
}

/// Jobs that claim to run.
async fn jobs(db: &Db, fix: bool) -> Result<Finding> {
    let dead = ask(db, leases::dead).await?.len();
    if dead == 0 {
        return Ok(Finding::ok("jobs", "none is held by a dead process"));
    }
    let what = format!("{dead} jobs claim to run, and their process is dead");
    let found = Finding::warning("jobs", what, "codex doctor --fix, or the next run, lets them go");
    if !fix {
        return Ok(found);
    }
    mend(db, |w| leases::reap(w)).await?;
    Ok(found.mended("let go"))
}

/// What vendors have told and no run will use.
async fn staging(db: &Db, fix: bool) -> Result<Finding> {
    let pages = ask(db, runs::unused_pages).await?;
    if pages == 0 {
        return Ok(Finding::ok("staging", "nothing is kept that no run will use"));
    }
    let what = format!("{pages} pages of vendors' lists are kept that no run will use");
    let found = Finding::warning("staging", what, "codex doctor --fix takes them away");
    if !fix {
        return Ok(found);
    }
    mend(db, |w| runs::drop_unused_pages(w)).await?;
    Ok(found.mended("taken away"))
}

/// Whether what is in attachments is there.
async fn contents(db: &Db, config: &Config) -> Result<Finding> {
    let folder = Folder::of(config);
    let missing: Vec<String> =
        ask(db, attachments::contents).await?.into_iter().filter(|sum| folder.find(sum).is_none()).collect();
    let Some(first) = missing.first() else { return Ok(Finding::ok("files", "every attachment has its file")) };
    let what = format!("{} files of attachments are not in {}, {first} first", missing.len(), folder.path().display());
    Ok(Finding::wrong("files", what, "copy the folder attachments/ from where the database comes from, or from a backup"))
}

/// Whether those who were forgotten would be known again.
async fn forgotten(db: &Db, config: &Config) -> Result<Finding> {
    let check = "forgotten people";
    if ask(db, forgotten_store::digests).await?.is_empty() {
        return Ok(Finding::ok(check, "nobody was forgotten"));
    }
    Ok(match Encryption::open(config) {
        Ok(_) => Finding::ok(check, "recognised in what vendors tell"),
        Err(error) => {
            let what = format!("not recognised in what vendors tell, so that a sync may bring them back: {error}");
            Finding::wrong(check, what, "put credentials.key back from a backup: a new one does not know them")
        }
    })
}

/// How old what vendors tell is.
async fn freshness(db: &Db) -> Result<Finding> {
    let sources = ask(db, status::freshness).await?;
    let late: Vec<String> = sources
        .iter()
        .filter(|source| matches!(source.state, State::Late | State::Failing | State::Suspicious))
        .map(|source| format!("{}: {}", source.label, source.detail))
        .collect();
    let fresh = sources.iter().filter(|source| source.state == State::Ok).count();
    Ok(if late.is_empty() {
        Finding::ok("freshness", format!("{fresh} sources are as fresh as they should be"))
    } else {
        Finding::warning("freshness", late.join("; "), "see the log of the last run (Admin, Sync centre), then run it again")
    })
}

/// The last backup that can be restored.
async fn backups(db: &Db) -> Result<Finding> {
    let advice = "codex backup, or [backup] in the configuration; keep a copy on another machine";
    let standing = ask(db, backups::standing).await?;
    if let Some(wrong) = standing.wrong.first() {
        let what = if wrong.detail.is_empty() { wrong.title.clone() } else { format!("{}: {}", wrong.title, wrong.detail) };
        return Ok(Finding::warning("backups", what, advice));
    }
    Ok(match standing.last {
        None => Finding::warning("backups", "none has been made", advice),
        Some(last) if last.made_at < now_plus(-OLD) => {
            Finding::warning("backups", format!("the last one that can be restored is of {}", last.made_at), advice)
        }
        Some(last) => Finding::ok("backups", format!("the last one that can be restored is of {}", last.made_at)),
    })
}
