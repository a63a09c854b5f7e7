//! One run over the tickets from beginning to end: list what changed, look for what has gone, read what
//! was said and worked.

use std::{borrow::Cow, sync::Arc};

use serde_json::{Map, Value};

use super::{SYSTEM, labels, list::Plan as ListPlan, report::Report, sightings_store};
use crate::{
    compliance::forgotten::ForgottenPeople,
    db::Write,
    error::{Error, Result},
    history,
    jobs::{Ended, Job, runs_store},
    reconcile::{
        self, plans_store,
        reconciliation::{Reconciliation, finish_interrupted},
    },
    tickets::{Statuses, Ticket, statuses_store, store},
    types::{Actor, Scope, now, now_plus},
    vendors::{
        fault::{Cause, Fault},
        freshservice::client::Freshservice,
    },
};

/// Rows changed in one transaction.
const CHUNK: i64 = 100;
/// A time further ahead is garbage; one that is not may be of another clock or zone.
const SKEW_SECONDS: i64 = 7 * 24 * 3600;

/// What every step of a run needs.
pub struct Run {
    /// The job.
    pub job: Job,
    /// The vendor.
    pub client: Freshservice,
    /// The run's number.
    pub id: i64,
    /// The number of its listing: another run's when it goes on with that.
    pub listing: i64,
    /// What the vendor's statuses mean.
    pub statuses: Arc<Statuses>,
    /// Whom the vendor may still tell of.
    pub forgotten: Option<ForgottenPeople>,
    /// When it began, by our clock.
    pub now: String,
    /// The latest time of the vendor's that is believed: clocks differ.
    pub horizon: String,
}

/// The body of the job.
pub async fn body(job: Job) -> Result<Ended> {
    let client = Freshservice::open(&job.db, &job.config)?.shown_in(job.progress.clone());
    let mut report = Report { dry_run: job.options.dry_run, ..Report::default() };
    if !report.dry_run {
        let plans = job.kind.as_str();
        if let Some((plan, applied)) = finish_interrupted(&job, SYSTEM, plans).await? {
            report.retired += applied.done;
            job.write(&Actor::system("sync"), move |w| plans_store::set_status(w, plan, "applied")).await?;
        }
    }
    let (lease, dry_run) = (job.lease.clone(), report.dry_run);
    let source = job.kind.as_str();
    let id = job.write(&Actor::system("sync"), move |w| runs_store::begin(w, &lease, source, dry_run)).await?;
    report.run_id = id;
    let statuses = Arc::new(Statuses::new(&[], &job.config.freshservice.statuses));
    let config = job.config.clone();
    let forgotten = job.db.read(&Scope::All, move |c| ForgottenPeople::read(c, &config)).await?;
    let mut run = Run { job, client, id, listing: id, statuses, forgotten, now: now(), horizon: now_plus(SKEW_SECONDS) };
    let result = run.steps(&mut report).await;
    report.retries = run.client.retries();
    let mended = run.client.mended();
    (report.cleaned, report.cleaned_records) = (mended.count(), mended.named().to_vec());
    report.total();
    let (status, error) = reconcile::report::Report::status(&result, report.ending, &report.problems);
    let (lease, summary) = (run.job.lease.clone(), report.summary().to_string());
    let finish = move |w: &mut Write<'_>| runs_store::finish(w, &lease, id, status, error.as_deref(), &summary);
    let finished = run.job.write(&Actor::system("sync"), finish).await;
    result?;
    finished?;
    Ok(report.ended())
}

impl Run {
    /// A record of the vendor's without what it tells of people who were forgotten here.
    pub fn without_forgotten<'r>(&self, record: &'r Value) -> Cow<'r, Value> {
        let Some(forgotten) = &self.forgotten else { return Cow::Borrowed(record) };
        let mut record = record.clone();
        forgotten.blank(SYSTEM, &mut record);
        Cow::Owned(record)
    }

    /// The same of one record by itself.
    pub fn one_without_forgotten(&self, record: Map<String, Value>) -> Map<String, Value> {
        match self.without_forgotten(&Value::Object(record)).into_owned() {
            Value::Object(record) => record,
            _ => Map::new(),
        }
    }

    /// Who makes the changes of this run.
    pub fn actor(&self) -> Actor {
        Actor::sync(SYSTEM, self.id)
    }

    /// Its plans.
    pub fn plans(&self) -> Reconciliation {
        Reconciliation::of(&self.job, self.id, SYSTEM, self.job.kind.as_str())
    }

    async fn steps(&mut self, report: &mut Report) -> Result<()> {
        self.learn_statuses(report).await?;
        let plan = ListPlan::make(self).await?;
        (report.full, report.since, report.resumed) = (plan.full, plan.since.clone(), plan.resumed());
        self.listing = plan.listing;
        if !report.dry_run {
            self.house(report).await?;
        }
        let met = self.list_tickets(&plan, report).await?;
        self.retire_gone(&plan, &met, report).await?;
        self.list_changes(report).await?;
        if !report.dry_run {
            self.read_details(report).await?;
        }
        Ok(())
    }

    /// Learns what the account calls its statuses. Where that cannot be asked, what is known stays.
    async fn learn_statuses(&mut self, report: &mut Report) -> Result<()> {
        let told = match self.client.ticket_fields().await {
            Ok(fields) => labels::statuses(&fields),
            Err(fault) if is_about_rights(&fault) => Vec::new(),
            Err(fault) => {
                report.notes.push(format!("the names of statuses could not be learnt: {fault}"));
                Vec::new()
            }
        };
        let configured = self.job.config.freshservice.statuses.clone();
        if report.dry_run {
            let known = self.job.db.read(&Scope::All, |c| statuses_store::learned(c, SYSTEM)).await?;
            let told = if told.is_empty() { known } else { told };
            self.statuses = Arc::new(Statuses::new(&told, &configured));
            return Ok(());
        }
        let actor = self.actor();
        let learn = move |w: &mut Write<'_>| {
            statuses_store::learn(w, SYSTEM, &told)?;
            statuses_store::load(w, SYSTEM, &configured)
        };
        self.statuses = Arc::new(self.job.write(&actor, learn).await?);
        loop {
            let statuses = self.statuses.clone();
            let reworded = self.job.write(&actor, move |w| store::reword(w, SYSTEM, &statuses, CHUNK)).await?;
            report.updated += reworded as u64;
            if reworded == 0 {
                return Ok(());
            }
        }
    }

    /// Gives tickets the company that their department has become since.
    async fn house(&self, report: &mut Report) -> Result<()> {
        loop {
            let house = |w: &mut Write<'_>| {
                let homeless = sightings_store::homeless(w, CHUNK)?;
                for (ticket, company) in &homeless {
                    let why = Some("its department has become a company");
                    history::update(w, *ticket, None, why, |ticket: &mut Ticket| {
                        ticket.company_id = Some(*company);
                        Ok(())
                    })?;
                }
                Ok(homeless.len() as u64)
            };
            let housed = self.job.write(&self.actor(), house).await?;
            report.housed += housed;
            if housed == 0 {
                return Ok(());
            }
        }
    }
}

/// Whether the vendor said that this is not there, or not for us: asking again changes nothing.
pub fn is_about_rights(fault: &Fault) -> bool {
    matches!(fault.cause, Cause::Missing | Cause::Absent(_) | Cause::Denied(403, _) | Cause::Refused(..))
}

/// The vendor's failure as ours.
pub fn upstream(message: impl Into<String>) -> Error {
    Error::Upstream { service: "Freshservice", message: message.into() }
}
