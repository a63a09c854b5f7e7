//! Alerts of the RMM, open and resolved: lists that are read whole and compared with what is known. An
//! alert that vanished is asked for before it is closed.

mod mapping;
mod sites_store;
mod words;

use std::collections::HashSet;

use serde_json::Value;

use crate::{
    db::Write,
    error::Result,
    history::links,
    jobs::Job,
    monitoring::{alert::Alert, alert_store},
    types::{Actor, Scope},
    vendors::{
        datto::{
            NAME, SYSTEM,
            client::{Alerts, Datto, Of, Page},
            wire,
        },
        fault::Fault,
    },
};

/// The most pages that a list is believed to have.
const MOST_PAGES: u32 = 20_000;
/// So many pages of resolved alerts in a row without news, newest first: the older ones are known too.
const QUIET_PAGES: u32 = 3;
/// Alerts in one transaction.
const CHUNK: usize = 50;
/// Vanished alerts that are asked for in one run.
const ASKED: usize = 500;

/// What became of the alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulled {
    /// Open ones that were listed.
    pub open: usize,
    /// Resolved ones that were listed.
    pub resolved: usize,
    /// Those of both that were news.
    pub changed: usize,
    /// Those that ended by vanishing.
    pub gone: usize,
    /// Records that could not be used.
    pub skipped: usize,
    /// What could not be read, in words.
    pub problems: Vec<String>,
}

/// One walk over a list.
#[derive(Default)]
struct Paginator {
    seen: HashSet<String>,
    whole: bool,
}

/// Reads the alerts of the whole account and keeps what is new. What the vendor cannot tell now is a
/// problem in the outcome, and what we hold stays.
pub async fn pull(job: &Job, client: &Datto, run: i64) -> Result<Pulled> {
    let mut pulled = Pulled::default();
    job.progress.begin("reading open alerts", None);
    let open = walk(job, client, run, Alerts::Open, &mut pulled).await?;
    job.progress.begin("reading resolved alerts", None);
    let resolved = walk(job, client, run, Alerts::Resolved, &mut pulled).await?;
    if open.whole {
        vanished(job, client, run, &open, &resolved, &mut pulled).await?;
    }
    Ok(pulled)
}

async fn walk(job: &Job, client: &Datto, run: i64, which: Alerts, pulled: &mut Pulled) -> Result<Paginator> {
    let mut walk = Paginator::default();
    let (mut quiet, mut falling, mut last) = (0, true, None::<String>);
    for number in 0..MOST_PAGES {
        let Page { records, total, next } = match client.alerts(which, Of::Account, number).await {
            Ok(page) => page,
            Err(fault) => {
                pulled.problems.push(format!("{NAME}: {fault}"));
                return Ok(walk);
            }
        };
        let alerts = read(&records, which, pulled);
        let fresh = alerts.iter().filter(|alert| walk.seen.insert(alert.alert_uid.clone())).count();
        for alert in &alerts {
            falling &= last.is_none() || alert.raised_at <= last;
            last.clone_from(&alert.raised_at);
        }
        job.progress.add(alerts.len());
        let listed = records.len();
        let news = keep(job, run, alerts).await?;
        pulled.changed += news;
        *(if which == Alerts::Open { &mut pulled.open } else { &mut pulled.resolved }) = walk.seen.len();
        quiet = if news == 0 { quiet + 1 } else { 0 };
        let all = total.is_some_and(|total| walk.seen.len() as u64 >= total);
        if !next || listed == 0 || (fresh == 0 && all) {
            // A list that moved while it was read, or came short, proves nothing.
            walk.whole = total.is_none_or(|total| walk.seen.len() as u64 >= total) && (listed > 0 || !next);
            return Ok(walk);
        }
        if which == Alerts::Resolved && falling && quiet >= QUIET_PAGES && !job.options.full {
            return Ok(walk);
        }
    }
    pulled.problems.push(format!("{NAME}: the list of alerts does not end"));
    Ok(walk)
}

fn read(records: &[Value], which: Alerts, pulled: &mut Pulled) -> Vec<Alert> {
    let mut alerts = Vec::new();
    for record in records {
        match wire::record(record).and_then(|record| mapping::alert(record, which == Alerts::Resolved)) {
            Some(alert) => alerts.push(alert),
            None => pulled.skipped += 1,
        }
    }
    alerts
}

/// Keeps alerts where they differ from what is known; says how many did.
async fn keep(job: &Job, run: i64, mut alerts: Vec<Alert>) -> Result<usize> {
    let mut changed = 0;
    while !alerts.is_empty() {
        let rest = alerts.split_off(alerts.len().min(CHUNK));
        let some = std::mem::replace(&mut alerts, rest);
        let write = move |w: &mut Write<'_>| {
            let mut changed = 0;
            for alert in &some {
                let uid = alert.device_uid.as_deref();
                let asset = uid.map(|uid| links::find(w, SYSTEM, "asset", uid)).transpose()?.flatten();
                let company = alert.site_uid.as_deref().map(|uid| sites_store::company(w, uid)).transpose()?.flatten();
                changed += usize::from(alert_store::keep(w, SYSTEM, alert, asset, company)?);
            }
            Ok(changed)
        };
        changed += job.write(&Actor::sync(SYSTEM, run), write).await?;
    }
    Ok(changed)
}

/// Alerts that are open here and in neither list: each is asked for, and only its own answer closes it.
async fn vanished(
    job: &Job,
    client: &Datto,
    run: i64,
    open: &Paginator,
    resolved: &Paginator,
    pulled: &mut Pulled,
) -> Result<()> {
    let known = job.db.read(&Scope::All, |c| alert_store::open_uids(c, SYSTEM)).await?;
    let lost: Vec<String> =
        known.into_iter().filter(|uid| !open.seen.contains(uid) && !resolved.seen.contains(uid)).take(ASKED).collect();
    if lost.is_empty() {
        return Ok(());
    }
    job.progress.begin("asking for alerts that vanished", Some(lost.len() as u64));
    for uid in lost {
        match client.alert(&uid).await {
            Ok(Some(record)) => {
                if let Some(alert) = mapping::alert(&record, false).filter(|alert| alert.alert_uid == uid) {
                    pulled.changed += keep(job, run, vec![alert]).await?;
                }
            }
            Ok(None) => {
                let close = move |w: &mut Write<'_>| alert_store::close_gone(w, SYSTEM, &uid);
                job.write(&Actor::sync(SYSTEM, run), close).await?;
                pulled.gone += 1;
            }
            Err(Fault { cause: crate::vendors::fault::Cause::Broken(_), .. }) => {}
            Err(fault) => {
                pulled.problems.push(format!("{NAME}: {fault}"));
                return Ok(());
            }
        }
        job.progress.add(1);
    }
    Ok(())
}
