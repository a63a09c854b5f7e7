//! `codex accounts push-datto`: every Datto site of a company carries the company's account number. A
//! number that is missing is written; one that differs is listed, and changed only when that was asked for.

use serde_json::Value;

use super::{
    sites_store::{self, Site},
    steps::{self, About},
};
use crate::{
    companies::Company,
    db::Write,
    error::Result,
    history::Record,
    jobs::{
        Ended, Job,
        kind::{self, Definition, JobKind},
    },
    outbox::{self, Operation, Wish, run_report::Report, variables},
    plan::FieldChange,
    pulls::datto,
    types::{Actor, Scope},
    vendors::{
        datto::{SYSTEM, client::Datto},
        fault::{Cause, Fault},
    },
};

/// Decisions in one transaction.
const CHUNK: usize = 50;
/// The only field of a variable.
const VALUE: &str = "value";

/// What is to be done about a site.
enum Todo {
    /// The site has it.
    Nothing,
    /// Write it over what was found, which may be nothing.
    Write(Value),
    /// It has another one.
    Conflict(Value),
    /// It cannot be told, for this reason.
    Unknown(String),
}

/// Writes missing account numbers to Datto's sites.
pub const JOB: JobKind = JobKind(&Definition {
    name: "push-to-datto",
    aliases: &["push-datto", "push-to-rmm"],
    label: "Write account numbers to Datto RMM",
    what: "The company's number for every site that carries none",
    system: SYSTEM,
    pulls: false,
    plans: true,
    follows: Some((datto::JOB.as_str(), "account numbers")),
    in_all: Some(2),
    has_work: kind::always,
    body: |job| Box::pin(body(job)),
});

/// The body of the job; also the second step of a Datto pull that was asked for over HTTP.
pub async fn body(job: Job) -> Result<Ended> {
    let about = About { kind: JOB, what: "sites", operation: Operation::SiteVariable };
    steps::run(job, about, sites).await
}

async fn sites(job: Job, mut report: Report) -> Result<Report> {
    let (job, run) = (&job, report.run_id);
    let (sites, (all, alone)) = job.db.read(&Scope::All, |c| Ok((sites_store::linked(c)?, sites_store::counts(c)?))).await?;
    if all == 0 {
        report.notes.push("no site is known yet: run `codex sync datto` first".to_owned());
    }
    if alone > 0 {
        report.notes.push(format!("{alone} sites belong to no company: see `codex sync review list`"));
    }
    let (writes, held, agreed) = survey(job, run, sites, &mut report).await?;
    if !report.dry_run {
        let (conflicts, agreed) = (held, agreed);
        job.write(&Actor::sync(SYSTEM, run), move |w| note(w, &conflicts, &agreed)).await?;
    }
    if steps::may_write(job, &mut report) {
        let mut ids = Vec::new();
        for chunk in writes.chunks(CHUNK) {
            let chunk = chunk.to_vec();
            let enqueue =
                move |w: &mut Write<'_>| chunk.iter().map(|wish| outbox::store::enqueue(w, wish)).collect::<Result<Vec<_>>>();
            ids.extend(job.write(&Actor::sync(SYSTEM, run), enqueue).await?);
        }
        let delivered = outbox::deliver_for(job, run, ids).await?;
        report.deliver(delivered);
    }
    Ok(report)
}

/// Keeps what a person may approve, and drops what waited for one and is no more in question.
fn note(w: &mut Write<'_>, held: &[Wish], agreed: &[String]) -> Result<()> {
    for wish in held {
        outbox::store::enqueue(w, wish)?;
    }
    agreed.iter().try_for_each(|site| outbox::store::withdraw(w, Operation::SiteVariable, site))
}

/// Asks every site what it carries: what to write, what to hold for a person, and who agrees.
async fn survey(job: &Job, run: i64, sites: Vec<Site>, report: &mut Report) -> Result<(Vec<Wish>, Vec<Wish>, Vec<String>)> {
    let datto = Datto::open(&job.db, &job.config)?.shown_in(job.progress.clone());
    let name = job.config.datto.fields.vendor_name("account_number").to_owned();
    job.progress.begin("asking each site for its number", u64::try_from(sites.len()).ok());
    let (mut writes, mut held, mut agreed) = (Vec::new(), Vec::new(), Vec::new());
    for site in sites {
        report.checked += 1;
        job.progress.add(1);
        let todo = match variables::all(&datto, &site.uid).await {
            Ok(list) => decide(&variables::account_numbers(&list, &name), &site.number, job.options.force),
            Err(fault) if is_about_one_site(&fault) => {
                report.problems.push(format!("{}: {fault}", label(&site)));
                continue;
            }
            Err(fault) => {
                report.problems.push(fault.to_string());
                break;
            }
        };
        match todo {
            Todo::Nothing => agreed.push(site.uid),
            Todo::Write(found) => {
                let reason = if found.is_null() { "the site has no account number" } else { "the site has another one" };
                let change = FieldChange::new(name.clone(), found.clone(), site.number.clone().into());
                report.plan(&label(&site), &site.uid, Some(site.company_id), reason, change);
                writes.push(wish(&site, run, reason, Some(found), None));
            }
            Todo::Conflict(found) => {
                let there = found.as_str().unwrap_or_default();
                let why = format!("has {there} at Datto and {} here", site.number);
                report.conflicts.push(format!("{}: {why}; `--force` or an approval in the outbox changes it", label(&site)));
                held.push(wish(&site, run, &why, None, Some(found)));
            }
            Todo::Unknown(why) => report.conflicts.push(format!("{}: {why}", label(&site))),
        }
    }
    Ok((writes, held, agreed))
}

fn label(site: &Site) -> String {
    if site.name == site.company { site.name.clone() } else { format!("{} ({})", site.name, site.company) }
}

/// Whether only this site cannot be asked.
fn is_about_one_site(fault: &Fault) -> bool {
    matches!(fault.cause, Cause::Missing | Cause::Refused(..) | Cause::Absent(_) | Cause::Broken(_))
}

fn decide(found: &[Value], number: &str, force: bool) -> Todo {
    if found.iter().filter_map(variables::said).any(|said| said == variables::MASKED) {
        return Todo::Unknown("its variable is masked, so that its number cannot be told".to_owned());
    }
    let says = variables::values(found).get(VALUE).cloned().unwrap_or_default();
    match says.as_str() {
        Some(text) if text == number => Todo::Nothing,
        Some(_) if !force => Todo::Conflict(says),
        _ => Todo::Write(says),
    }
}

fn wish(site: &Site, run: i64, reason: &str, expected: Option<Value>, conflict: Option<Value>) -> Wish {
    let one = |value: Value| [(VALUE.to_owned(), value)].into_iter().collect();
    Wish {
        operation: Operation::SiteVariable,
        target: site.uid.clone(),
        key: String::new(),
        entity: Some((Company::ENTITY, site.company_id)),
        label: label(site),
        reason: reason.to_owned(),
        wanted: one(site.number.clone().into()),
        expected: expected.map(one),
        conflict: conflict.map(one),
        run_id: Some(run),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(found: &[Value], force: bool) -> String {
        match decide(found, "204729", force) {
            Todo::Nothing => "nothing".to_owned(),
            Todo::Write(over) => format!("write over {over}"),
            Todo::Conflict(found) => format!("conflict {found}"),
            Todo::Unknown(_) => "unknown".to_owned(),
        }
    }

    #[test]
    fn only_what_is_missing_is_written_unasked() {
        let variable = |value: Value, masked: bool| json!({ "id": 1, "name": "AccountNumber", "value": value, "masked": masked });
        assert_eq!(told(&[], false), "write over null");
        assert_eq!(told(&[variable(json!(""), false)], false), "write over null");
        assert_eq!(told(&[variable(json!(" 204729"), false)], true), "nothing");
        assert_eq!(told(&[variable(json!("999999"), false)], false), "conflict \"999999\"");
        assert_eq!(told(&[variable(json!("999999"), false)], true), "write over \"999999\"");
        assert_eq!(told(&[variable(Value::Null, true)], true), "unknown", "what cannot be read is not overwritten");
    }
}
