//! The pull from Freshservice: companies, contacts and agents, then assets; tickets have a job of their own.

pub mod absence;
pub mod asset_mapping;
pub mod assets;
pub mod reader;
pub mod service_desk;
pub mod tickets;

use std::collections::HashMap;

use crate::{
    db::Write,
    error::{Error, Result},
    jobs::{
        Ended, Job,
        kind::{self, Definition, JobKind},
        runs_store,
    },
    plan::{Item, Kind},
    reconcile::{
        absence::Evidence,
        people::{KINDS, List as Listed, Lists, People},
        planner::retire,
        reconciliation::{Reconciliation, finish_interrupted},
        report::{Ending, Report},
        rows_store,
    },
    types::{Actor, Scope},
    vendors::freshservice::{
        NAME, SYSTEM,
        client::{Freshservice, LISTS, List},
    },
};
use reader::{Fetched, Reader};

/// Pulls companies, contacts, agents and assets from Freshservice.
pub const JOB: JobKind = JobKind(&Definition {
    name: "freshservice",
    aliases: &["psa", "base", "freshservice-assets"],
    label: "Freshservice sync",
    what: "Companies, contacts, agents and assets",
    system: SYSTEM,
    pulls: true,
    plans: true,
    follows: None,
    in_all: Some(1),
    has_work: kind::always,
    body: |job| Box::pin(body(job)),
});

/// The body of the Freshservice job: finish what an earlier run left, read, prove, plan, apply.
///
/// # Errors
/// `Upstream` when the vendor cannot be read or says nothing.
pub async fn body(job: Job) -> Result<Ended> {
    let client = Freshservice::open(&job.db, &job.config)?.shown_in(job.progress.clone());
    let (dry_run, full) = (job.options.dry_run, job.options.full);
    let mut report = Report { kinds: KINDS.to_vec(), dry_run, ..Report::default() };
    for plans in [SYSTEM, assets::PLANS].into_iter().filter(|_| !dry_run) {
        report.applied += finish_interrupted(&job, SYSTEM, plans).await?.map_or(0, |(_, applied)| applied.done);
    }
    let predecessor = job.db.read(&Scope::All, |c| runs_store::interrupted(c, SYSTEM, true)).await?.filter(|_| !full);
    let lease = job.lease.clone();
    let run = job.write(&Actor::system("sync"), move |w| runs_store::begin(w, &lease, SYSTEM, dry_run)).await?;
    report.run_id = run;
    let reader = Reader { job: job.clone(), run, predecessor, client };
    let result = whole(&job, &reader, &mut report).await;
    report.retries = reader.client.retries();
    report.clean(&reader.client.mended());
    let (status, error) = Report::status(&result, report.ending, &report.problems);
    let (lease, summary) = (job.lease.clone(), report.summary().to_string());
    let finish = move |w: &mut Write<'_>| runs_store::finish(w, &lease, run, status, error.as_deref(), &summary);
    let finished = job.write(&Actor::system("sync"), finish).await;
    let items = result?;
    finished?;
    Ok(report.ended(items))
}

/// Companies and people first, then the assets that belong to them.
async fn whole(job: &Job, reader: &Reader, report: &mut Report) -> Result<Vec<Item>> {
    let mut fetched = read(job, reader, report).await?;
    let evidence = prove(job, reader, &mut fetched, report).await?;
    let list = |(kind, found): (Kind, Fetched)| (kind, Listed { records: found.records, listed: found.listed });
    let mut people = People::new(Lists { lists: fetched.into_iter().map(list).collect(), evidence });
    let this = Reconciliation::of(job, reader.run, SYSTEM, SYSTEM);
    let mut items = this.run(&mut people, report).await?;
    items.extend(assets::pull(reader, report).await?);
    Ok(items)
}

async fn read(job: &Job, reader: &Reader, report: &mut Report) -> Result<HashMap<Kind, Fetched>> {
    let mut fetched = HashMap::new();
    for list in LISTS {
        let expected = job.db.read(&Scope::All, move |c| rows_store::live(c, list.kind, SYSTEM)).await?;
        match reader.read(list, expected).await {
            Ok(found) => {
                report.listed.insert(list.kind.plural(), found.listed.len());
                report.skip(&found.skipped);
                fetched.insert(list.kind, found);
            }
            Err(error @ Error::Upstream { .. }) if list.kind == Kind::PsaAgent => {
                report.problems.push(error.to_string());
                report.ending = Ending::Upstream;
            }
            Err(error) => return Err(error),
        }
    }
    let nothing = |kind| fetched.get(&kind).is_some_and(|f: &Fetched| f.listed.is_empty());
    if nothing(Kind::Company) && nothing(Kind::Contact) {
        let why = "Freshservice listed no departments and no requesters; nothing was changed (may the key's agent see them?)";
        return Err(Error::Upstream { service: NAME, message: why.to_owned() });
    }
    Ok(fetched)
}

/// Looks into every row that a list lacked. A list that is empty, or lies, proves nothing.
async fn prove(
    job: &Job,
    reader: &Reader,
    fetched: &mut HashMap<Kind, Fetched>,
    report: &mut Report,
) -> Result<HashMap<String, Evidence>> {
    let mut evidence = HashMap::new();
    for list in LISTS {
        let Some(found) = fetched.get_mut(&list.kind) else { continue };
        let locals = job.db.read(&Scope::All, move |c| rows_store::all(c, list.kind, SYSTEM)).await?;
        let missing: Vec<String> = retire::missing(&locals, &found.listed).into_iter().map(|(id, _)| id.to_owned()).collect();
        if let Some(why) = empty(list, found, &missing) {
            report.problems.push(why);
            report.ending = Ending::Upstream;
            fetched.remove(&list.kind);
            continue;
        }
        let findings = reader.investigate(list, &missing, found).await?;
        if findings.count.list_lies() {
            let (name, alive) = (list.name(), findings.count.alive);
            let why = format!("the list of {name} lacks at least {alive} records that still exist; nothing was retired");
            report.problems.push(format!("{NAME}: {why}"));
            report.ending = Ending::Upstream;
            continue;
        }
        evidence.extend(findings.evidence);
    }
    Ok(evidence)
}

/// Why an empty list proves nothing, when there are rows that came from it.
fn empty(list: List, found: &Fetched, missing: &[String]) -> Option<String> {
    let suspicious = found.listed.is_empty() && !missing.is_empty();
    suspicious.then(|| {
        let rows = missing.len();
        format!(
            "Freshservice: the list of {} is empty although {rows} {} came from it; nothing was retired",
            list.name(),
            list.kind.plural()
        )
    })
}
