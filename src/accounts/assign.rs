//! `codex accounts assign`: every department without an account number gets one.

use super::{
    plan::{self, Department, Plan, Write as Wanted},
    steps::{self, About},
    survey,
};
use crate::{
    companies::{Company, store as companies},
    db::Write,
    error::Result,
    history::{self, Record, links},
    jobs::{
        Ended, Job,
        kind::{self, Definition, JobKind},
    },
    outbox::{self, Operation, run_report::Report},
    plan::{FieldChange, local::Local},
    pulls::freshservice,
    types::Actor,
    vendors::freshservice::SYSTEM,
};

/// Decisions in one transaction.
const CHUNK: usize = 50;
/// The field, here and in the outbox.
const NUMBER: &str = "account_number";

/// Gives departments without an account number one.
pub const JOB: JobKind = JobKind(&Definition {
    name: "create-account-numbers",
    aliases: &["set-account-numbers", "assign"],
    label: "Assign account numbers",
    what: "A free number for every company that has none at Freshservice",
    system: SYSTEM,
    pulls: false,
    plans: true,
    follows: Some((freshservice::JOB.as_str(), "account numbers")),
    in_all: None,
    has_work: kind::always,
    body: |job| Box::pin(body(job)),
});

/// The body of the job; also the second step of a Freshservice pull that was asked for over HTTP.
///
/// # Errors
/// `Upstream` when the departments cannot be read whole.
pub async fn body(job: Job) -> Result<Ended> {
    let about = About { kind: JOB, what: "departments", operation: Operation::Department };
    steps::run(job, about, |job, report| departments(job, report, plan::assign)).await
}

/// Reads all departments, and writes the numbers that are planned for them.
pub(super) async fn departments(job: Job, mut report: Report, make: fn(&[Department], &[Local]) -> Plan) -> Result<Report> {
    let departments = survey::departments(&job, report.run_id).await?;
    report.checked = departments.len();
    let plan = make(&departments, &survey::companies(&job).await?);
    show(&plan, &mut report);
    if steps::may_write(&job, &mut report) {
        write(&job, report.run_id, plan.writes, &mut report).await?;
    }
    Ok(report)
}

/// Puts a plan into words.
fn show(plan: &Plan, report: &mut Report) {
    for write in &plan.writes {
        let change = FieldChange::new(NUMBER, write.from.clone().into(), write.number.clone().into());
        report.plan(&write.label, &write.department, write.company, &write.reason, change);
    }
    plan.conflicts.iter().for_each(|left| left.conflict_in(report));
    plan.notes.iter().for_each(|left| left.note_in(report));
}

/// Decides in short transactions, and delivers what was decided.
async fn write(job: &Job, run: i64, writes: Vec<Wanted>, report: &mut Report) -> Result<()> {
    let mut ids = Vec::new();
    for chunk in writes.chunks(CHUNK) {
        let chunk = chunk.to_vec();
        let decide = move |w: &mut Write<'_>| {
            let mut decided = (Vec::new(), 0, Vec::new());
            for wanted in &chunk {
                match decide(w, run, wanted)? {
                    Some((id, created)) => {
                        decided.0.push(id);
                        decided.1 += usize::from(created);
                    }
                    None => decided.2.push(format!("{}: it changed while this ran; run again", wanted.label)),
                }
            }
            Ok(decided)
        };
        let (entries, created, stale) = job.write(&Actor::sync(SYSTEM, run), decide).await?;
        ids.extend(entries);
        report.created += created;
        report.notes.extend(stale);
    }
    let delivered = outbox::deliver_for(job, run, ids).await?;
    report.deliver(delivered);
    Ok(())
}

/// One number: the company that the department has none of is made here at once, so that the number is
/// taken from now on. `None` when the rows are no more what was planned for.
fn decide(w: &mut Write<'_>, run: i64, wanted: &Wanted) -> Result<Option<(i64, bool)>> {
    let (company, number, created) = match wanted.company {
        Some(id) => match history::find::<Company>(w, id)? {
            Some(company) if company.account_number == wanted.number => (id, wanted.number.clone(), false),
            _ => return Ok(None),
        },
        None if links::find(w, SYSTEM, Company::ENTITY, &wanted.department)?.is_some() => return Ok(None),
        None => {
            if companies::find_id(w, &wanted.number)?.is_some() {
                return Ok(None);
            }
            let new = Company {
                account_number: wanted.number.clone(),
                name: wanted.label.clone(),
                kind: "client".to_owned(),
                compliance_level: "standard".to_owned(),
                ..Company::default()
            };
            let id = history::create(w, &new, Some(&wanted.reason))?.id;
            links::link(w, Company::ENTITY, id, SYSTEM, &wanted.department)?;
            (id, wanted.number.clone(), true)
        }
    };
    let expected = Some([(NUMBER.to_owned(), wanted.from.clone().into())].into_iter().collect());
    let wish = outbox::Wish {
        operation: Operation::Department,
        target: wanted.department.clone(),
        key: String::new(),
        entity: Some((Company::ENTITY, company)),
        label: wanted.label.clone(),
        reason: wanted.reason.clone(),
        wanted: [(NUMBER.to_owned(), number.into())].into_iter().collect(),
        expected,
        conflict: None,
        run_id: Some(run),
    };
    Ok(Some((outbox::store::enqueue(w, &wish)?, created)))
}
