//! Brings the rows, table by table, in the transaction of the import.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value as Json;

use super::{
    generations::{Generation, Kind},
    report::{Counted, Losses, Outcome},
    row::Row,
    spool::Spool,
};
use crate::{
    agents::PsaAgent,
    assets::{Asset, secrets::Sealer},
    billing::{FeatureCategory, FeatureOption, Plan},
    companies::{Company, Location},
    config::Config,
    contacts::Contact,
    db::{Conn, Write},
    error::{Error, Result},
    history::{self, Record, links},
    progress::Progress,
    tickets::{Statuses, codes, statuses_store},
    web::settings_store,
};

/// The tables whose rows keep the ids that they had.
const WITH_IDS: [&str; 8] = [
    FeatureCategory::TABLE,
    FeatureOption::TABLE,
    Plan::TABLE,
    Company::TABLE,
    Contact::TABLE,
    Location::TABLE,
    Asset::TABLE,
    PsaAgent::TABLE,
];
/// After how many rows the progress moves.
const STEP: usize = 100;

/// An import on its way.
pub struct Bringing<'b> {
    pub config: &'b Config,
    pub losses: Losses,
    /// Whether all of it is taken back afterwards.
    pub dry_run: bool,
    /// Seals the secrets of devices.
    pub sealer: Sealer,
    /// What the vendor of tickets calls its statuses.
    pub statuses: Statuses,
    /// The companies that are here, by their account numbers.
    pub companies: HashMap<String, i64>,
    /// The vendor's ids of companies that are here.
    pub departments: HashMap<i64, String>,
    /// The contacts that are here, with the vendor's ids of their companies.
    pub contacts: HashMap<i64, HashSet<String>>,
    /// The assets that are here.
    pub assets: HashSet<i64>,
    /// What each plan has of each feature, by the plan's id.
    pub features: HashMap<i64, BTreeMap<String, String>>,
    /// What became of each plan.
    pub plans: HashMap<i64, Outcome>,
}

/// Brings everything; what became of each table's rows, and what could not be brought.
///
/// # Errors
/// Those of the database; `Conflict` when it holds made-up data.
pub fn all(
    w: &mut Write<'_>,
    spool: &Spool,
    generation: &Generation,
    losses: Losses,
    config: &Config,
    progress: &Progress,
    dry_run: bool,
) -> Result<(Vec<Counted>, Losses)> {
    settings_store::refuse_demo(w)?;
    let mut this = Bringing {
        config,
        losses,
        dry_run,
        sealer: Sealer::new(config),
        statuses: statuses_store::load(w, codes::SOURCE, &config.freshservice.statuses)?,
        companies: HashMap::new(),
        departments: HashMap::new(),
        contacts: HashMap::new(),
        assets: HashSet::new(),
        features: HashMap::new(),
        plans: HashMap::new(),
    };
    this.read_features(spool, generation)?;
    let mut counts = Vec::new();
    for table in generation.tables().filter(|table| spool.count(table).is_some()) {
        let mut counted = Counted { table: table.name, ..Counted::default() };
        let mut step = 0;
        // The plans with the one spelling of their term go before those with another: where both are, it is the one that
        // companies are billed by.
        let passes: &[Option<bool>] = if table.kind == Kind::Plan { &[Some(true), Some(false)] } else { &[None] };
        for pass in passes {
            for row in spool.rows(table) {
                let row = row?;
                if pass.is_some_and(|canonical| canonical != Bringing::is_canonical(&row)) {
                    continue;
                }
                counted.add(&this.row(w, &row)?);
                step += 1;
                if step % STEP == 0 {
                    progress.add(STEP);
                }
            }
        }
        progress.add(step % STEP);
        counts.push(counted);
    }
    if !dry_run {
        WITH_IDS.iter().try_for_each(|table| w.pass_ids(table))?;
    }
    Ok((counts, this.losses))
}

impl Bringing<'_> {
    /// Brings a row: whole, or nothing of it.
    fn row(&mut self, w: &mut Write<'_>, row: &Row<'_>) -> Result<Outcome> {
        let outcome = match w.attempt(|w| self.record(w, row)) {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Refused(cannot_be(error)?),
        };
        match &outcome {
            Outcome::Refused(why) => self.losses.row(row, why),
            _ => row.note_rest(&mut self.losses),
        }
        Ok(outcome)
    }

    fn record(&mut self, w: &mut Write<'_>, row: &Row<'_>) -> Result<Outcome> {
        match row.table.kind {
            Kind::FeatureCategory => self.feature_category(w, row),
            Kind::FeatureOption => self.feature_option(w, row),
            Kind::Plan => self.plan(w, row),
            Kind::PlanFeature => self.plan_feature(row),
            Kind::Company => self.company(w, row),
            Kind::Contact => self.contact(w, row),
            Kind::Location => self.location(w, row),
            Kind::Override => self.feature_override(w, row),
            Kind::Membership => self.membership(w, row),
            Kind::Asset => self.asset(w, row),
            Kind::Assignment => self.assignment(w, row),
            Kind::Site => self.site(w, row),
            Kind::PsaAgent => self.psa_agent(w, row),
            Kind::Ticket => self.ticket(w, row),
            Kind::Agent => self.agent(w, row),
        }
    }

    /// The company that a row names, when it is here.
    ///
    /// # Errors
    /// `Invalid`, naming the column, when the row names none that is here.
    pub fn company_of(&self, row: &Row<'_>) -> Result<i64> {
        let number = row.text("company_account_number").ok_or_else(|| refused("names no company"))?;
        self.companies.get(&number).copied().ok_or_else(|| refused(format!("there is no company {number} here")))
    }

    /// The same for what may be without a company.
    pub fn company_if_any(&mut self, row: &Row<'_>) -> Option<i64> {
        let number = row.text("company_account_number")?;
        let found = self.companies.get(&number).copied();
        if found.is_none() {
            self.losses.value(row, "company_account_number", "there is no such company here");
        }
        found
    }
}

/// A row that cannot be, and why.
pub fn refused(why: impl Into<String>) -> Error {
    Error::conflict(why)
}

/// Why a row cannot be; what is wrong with the database ends everything.
fn cannot_be(error: Error) -> Result<String> {
    Ok(match error {
        Error::Conflict { message, .. } | Error::Forbidden(message) => message,
        Error::Invalid(_) => error.to_string(),
        Error::Constraint(what) => format!("contradicts another record ({what})"),
        Error::NotFound { what } => format!("{what} not found"),
        other => return Err(other),
    })
}

/// The id under which other programs know a row.
///
/// # Errors
/// `Conflict` when there is none, or one that they could not keep.
pub fn id(row: &Row<'_>) -> Result<i64> {
    let id = row.text("id").and_then(|text| super::values::whole(&text)).ok_or_else(|| refused("has no id"))?;
    if i32::try_from(id).is_ok_and(|id| id > 0) {
        Ok(id)
    } else {
        Err(refused("its id does not fit into 32 bits, as neighbours keep it"))
    }
}

/// Stores a record as the row has it, under its id where it has one. `known` is the record as it is here; it changes only
/// when an import like this one made it and nobody else has changed it, nor what hangs on it.
///
/// # Errors
/// `Conflict` when it is retired or was changed here.
pub fn keep<R: Record>(w: &mut Write<'_>, id: Option<i64>, known: Option<&R>, record: R) -> Result<(i64, Outcome)> {
    let Some(known) = known else {
        let made = match id {
            Some(id) => history::create_with_id(w, id, &record, None)?,
            None => history::create(w, &record, None)?,
        };
        return Ok((made.id(), Outcome::New));
    };
    let id = known.id();
    if known.retired_at().is_some() {
        return Ok((id, Outcome::Refused("was retired here".to_owned())));
    }
    if known.values() == record.values() {
        return Ok((id, Outcome::Same));
    }
    if !history::is_only_ours(w, R::ENTITY, id)? {
        return Ok((id, Outcome::Refused("was changed here since; what it says here stays".to_owned())));
    }
    history::update(w, id, None, None, |stored: &mut R| {
        *stored = record;
        Ok(())
    })?;
    Ok((id, Outcome::Changed))
}

/// Refuses what somebody has taken away from a record here.
///
/// # Errors
/// `Conflict`.
pub fn refuse_taken_away<R: Record>(w: &mut Write<'_>, id: i64, field: &str, has_it: impl Fn(&Json) -> bool) -> Result<()> {
    if history::was_taken_away(w, R::ENTITY, id, field, has_it)? {
        return Err(refused("was taken away here since; what it says here stays"));
    }
    Ok(())
}

/// A record at a vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct External {
    pub system: String,
    pub id: String,
}

/// Which of a vendor's records a row is.
pub fn external(row: &Row<'_>, losses: &mut Losses) -> Option<External> {
    let column = ["freshservice_id", "external_id"].into_iter().find(|column| {
        row.table.columns().any(|(known, to)| known == *column && to == super::generations::To::Code)
            && row.text(column).is_some()
    })?;
    let id = row.int(column, losses)?;
    let system = row.text("external_source").unwrap_or_else(|| codes::SOURCE.to_owned());
    Some(External { system, id: id.to_string() })
}

/// Refuses a row whose record at the vendor is another record here, or whose record here is another one at the vendor;
/// `is_alike` says for two without such a link whether they are one.
///
/// # Errors
/// `Conflict`, naming what is there.
pub fn is_that<R: Record>(
    c: &mut Conn,
    known: Option<(&R, &str)>,
    external: Option<&External>,
    is_alike: impl FnOnce(&R) -> bool,
) -> Result<()> {
    if let Some(External { system, id }) = external
        && let Some(other) = links::find(c, system, R::ENTITY, id)?
        && known.is_none_or(|(known, _)| known.id() != other)
    {
        return Err(refused(format!("{system} {id} is another {} here (id {other})", R::WHAT.to_lowercase())));
    }
    let Some((known, label)) = known else { return Ok(()) };
    let here = links::of(c, R::ENTITY, known.id())?;
    let is_one = match external.map(|external| (external, here.iter().find(|link| link.system == external.system))) {
        Some((external, Some(link))) => external.id == link.external_id,
        _ => is_alike(known),
    };
    if is_one { Ok(()) } else { Err(refused(format!("its place is taken by another {} here: {label}", R::WHAT.to_lowercase()))) }
}

/// Notes which of a vendor's records a record is.
pub fn link<R: Record>(w: &mut Write<'_>, id: i64, external: Option<&External>) -> Result<()> {
    let Some(External { system, id: external }) = external else { return Ok(()) };
    if links::find(w, system, R::ENTITY, external)?.is_some() {
        return Ok(());
    }
    links::link(w, R::ENTITY, id, system, external)
}
