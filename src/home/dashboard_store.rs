//! What the dashboard counts.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    assets::list_store as assets,
    companies::{
        list_store::{COMPANIES, CONTRACT},
        store::HAS_PLAN,
    },
    db::{
        Conn, Row,
        list::{ListQuery, ListSpec},
        moves,
    },
    entity::{
        Noun as _,
        ending::{Asked, State},
        noun,
    },
    error::Result,
    history::{
        Unredacted,
        feed::{self, Change},
        retention,
    },
    licences::License,
    monitoring::alert_store,
    params,
    records::leavers,
    tickets::store::{self as tickets, Neglected},
};

/// What the counts depend on. Whose the people and devices are is part of who reads ([`Conn::scope`]).
const COMPANIES_ALONE: &[&str] = &["company"];
const PLANS: &[&str] = &["company", "billing_plan"];
const PEOPLE: &[&str] = &["contact", "company"];
const ASSETS_ALONE: &[&str] = &["asset"];

/// How far back the newest changes are looked for.
const LOOKED_AT: i64 = 200;

/// Something that happened lately.
#[derive(Clone, Debug)]
pub enum Latest {
    /// A change by itself.
    Change(Box<Unredacted<Change>>),
    /// What a sync changed in one run.
    Run(RunOfChanges),
}

/// What a sync changed in one run.
#[derive(Clone, Debug)]
pub struct RunOfChanges {
    /// When it changed the last of it.
    pub at: String,
    /// The vendor or the kind of hand, and who acted.
    pub by: (String, String),
    /// The job whose run it was.
    pub job: Option<String>,
    /// The records that it changed, by noun.
    pub records: BTreeMap<String, BTreeSet<i64>>,
    /// Whether it changed more than was looked at.
    pub is_cut: bool,
}

/// What happened last to records that have a page, newest first; what one run of a sync did is told as one.
pub fn latest(c: &mut Conn, count: usize) -> Result<Vec<Latest>> {
    let kinds = ["company", "contact", "asset", "ticket"].map(str::to_owned);
    let since = feed::before_newest(c, LOOKED_AT)?.max(retention::kept(c)?.after);
    let changes = feed::after(c, Some(since), &kinds, None, LOOKED_AT)?.changes;
    let oldest = changes.first().and_then(|change| change.inside().run_id).filter(|_| since > 0);
    let mut runs: BTreeMap<i64, BTreeMap<String, BTreeSet<i64>>> = BTreeMap::new();
    for change in changes.iter().map(Unredacted::inside) {
        if let Some(run) = change.run_id {
            runs.entry(run).or_default().entry(change.entity.clone()).or_default().insert(change.entity_id);
        }
    }
    runs.retain(|_, records| records.values().map(BTreeSet::len).sum::<usize>() > 1);
    let sql = "SELECT run.id, run.job_id FROM sync_runs run WHERE run.id IN ids(?1)";
    let ids: Vec<i64> = runs.keys().copied().collect();
    let jobs = if ids.is_empty() { Vec::new() } else { c.map(sql, params![ids], |row| Ok((row.get(0)?, row.get(1)?)))? };
    let jobs: BTreeMap<i64, Option<String>> = jobs.into_iter().collect();
    let mut told = BTreeSet::new();
    let mut all = Vec::new();
    for change in changes.into_iter().rev() {
        if all.len() == count {
            break;
        }
        let Change { run_id, at, source, actor_kind, actor, .. } = change.inside();
        let Some((run, records)) = run_id.and_then(|run| Some((run, runs.get(&run)?))) else {
            all.push(Latest::Change(Box::new(change)));
            continue;
        };
        if told.insert(run) {
            all.push(Latest::Run(RunOfChanges {
                at: at.clone(),
                by: (source.clone().unwrap_or_else(|| actor_kind.clone()), actor.clone()),
                job: jobs.get(&run).cloned().flatten(),
                records: records.clone(),
                is_cut: oldest == Some(run),
            }));
        }
    }
    Ok(all)
}

/// What the dashboard counts.
#[derive(Clone, Debug)]
pub struct Counts {
    /// Companies that are not retired.
    pub companies: i64,
    /// Those of them that are clients.
    pub clients: i64,
    /// Contacts that are not retired.
    pub contacts: i64,
    /// Those of them that are active.
    pub active: i64,
    /// Assets that are not retired.
    pub assets: i64,
    /// Those of them that were online when last looked at.
    pub online: i64,
    /// Tickets that somebody still works on.
    pub tickets: i64,
    /// Those of them that are urgent or high.
    pub pressing: i64,
    /// Alerts that are open and not muted.
    pub alerts: i64,
    /// Those of them that are critical or high.
    pub urgent: i64,
}

/// Counts what there is.
pub fn counts(c: &mut Conn) -> Result<Counts> {
    let (alerts, urgent) = alert_store::open(c)?;
    let (tickets, pressing) = tickets::open(c)?;
    Ok(Counts {
        tickets,
        pressing,
        alerts,
        urgent,
        companies: c.kept_count(
            COMPANIES_ALONE,
            "SELECT count(*) FROM @companies company WHERE company.retired_at IS NULL",
            params![],
        )?,
        clients: c.kept_count(
            COMPANIES_ALONE,
            "SELECT count(*) FROM @companies company WHERE company.retired_at IS NULL AND company.kind = ?1",
            params!["client"],
        )?,
        contacts: c.kept_count(
            &[&moves("contact"), &moves("company")],
            "SELECT count(*) FROM @contacts contact WHERE contact.retired_at IS NULL",
            params![],
        )?,
        active: c.kept_count(
            PEOPLE,
            "SELECT count(*) FROM @contacts contact WHERE contact.retired_at IS NULL AND contact.active = ?1",
            params![true],
        )?,
        assets: c.kept_count(
            &[&moves("asset"), &moves("company")],
            "SELECT count(*) FROM @assets asset WHERE asset.retired_at IS NULL",
            params![],
        )?,
        online: c.kept_count(
            ASSETS_ALONE,
            "SELECT count(*) FROM @asset_observations seen JOIN @assets asset ON asset.id = seen.asset_id
             WHERE asset.retired_at IS NULL AND seen.online = ?1",
            params![true],
        )?,
    })
}

/// How many live assets there are of each type, most first.
pub fn assets_by_type(c: &mut Conn) -> Result<Vec<(String, i64)>> {
    let sql = "SELECT asset.kind, count(*) FROM @assets asset WHERE asset.retired_at IS NULL
               GROUP BY asset.kind ORDER BY count(*) DESC, asset.kind";
    c.kept(ASSETS_ALONE, sql, params![])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// How many live clients have each plan, most first; those without one have an empty name.
pub fn companies_by_plan(c: &mut Conn) -> Result<Vec<(String, i64)>> {
    let sql = "SELECT coalesce(company.plan, ''), count(*) FROM @companies company
               WHERE company.retired_at IS NULL AND company.kind = ?1 GROUP BY coalesce(company.plan, '')
               ORDER BY count(*) DESC, coalesce(company.plan, '')";
    c.kept(COMPANIES_ALONE, sql, params!["client"])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// What a company has agreed to.
#[derive(Clone, Debug)]
pub struct Contract {
    pub account_number: String,
    pub name: String,
    pub plan: Option<String>,
    pub ends: Option<String>,
}

/// The contracts of live companies by name, at most 20: for clients, who have few.
pub fn contracts(c: &mut Conn) -> Result<Vec<Contract>> {
    let sql = "SELECT company.account_number, company.name, company.plan, company.contract_end_date FROM @companies company
               WHERE company.retired_at IS NULL ORDER BY company.name_folded, company.id LIMIT 20";
    let rows = c.all(sql, params![])?;
    let contract =
        |row: &Row| Ok(Contract { account_number: row.get(0)?, name: row.get(1)?, plan: row.get(2)?, ends: row.get(3)? });
    rows.iter().map(contract).collect()
}

/// What somebody should look at, in numbers.
#[derive(Clone, Debug)]
pub struct Needs {
    /// Companies whose account number the vendor does not know.
    pub unassigned_numbers: i64,
    /// Clients without a plan.
    pub without_plan: i64,
    /// Companies whose plan or term names no plan.
    pub unknown_plan: i64,
    /// Contracts that are about to end.
    pub ending_contracts: i64,
    /// E-mail addresses that several contacts share.
    pub shared_emails: i64,
    /// Contacts in no company.
    pub without_company: i64,
    /// Warranties that are about to end.
    pub ending_warranties: i64,
    /// Licences that are about to end or to renew.
    pub ending_licenses: i64,
    /// Licences of which more seats are held than there are.
    pub licenses_over: i64,
    /// People who have left and still hold something.
    pub leavers: i64,
    /// Open tickets that are overdue or have no agent.
    pub neglected: Neglected,
}

/// How many rows of a list are about to end by this day of theirs.
fn ending(c: &mut Conn, list: &'static ListSpec, day: &'static str) -> Result<i64> {
    Asked::of(day, State::Ending).narrow(ListQuery::everything(list)?).count(c)
}

/// Counts what needs attention.
pub fn needs(c: &mut Conn) -> Result<Needs> {
    let licenses = noun::list::<License>();
    let ending_contracts = ending(c, &COMPANIES, CONTRACT)?;
    let ending_warranties = ending(c, &assets::LIST, assets::WARRANTY)?;
    let ending_licenses = ending(c, licenses, License::ENDS.map_or("", |ends| ends.sql))?;
    let licenses_over = ListQuery::parse(licenses, [("over", Ok("true"))].into_iter())?.count(c)?;
    let leavers = leavers::store::count(c)?;
    let neglected = tickets::neglected(c)?;
    Ok(Needs {
        unassigned_numbers: c.kept_count(
            COMPANIES_ALONE,
            "SELECT count(*) FROM @companies company WHERE company.retired_at IS NULL AND company.account_number_at_vendor = ?1
             AND EXISTS (SELECT 1 FROM links link WHERE link.entity = 'company' AND link.entity_id = company.id)",
            params![false],
        )?,
        without_plan: c.kept_count(
            COMPANIES_ALONE,
            "SELECT count(*) FROM @companies company
             WHERE company.retired_at IS NULL AND company.kind = ?1 AND (company.plan IS NULL OR company.plan = '')",
            params!["client"],
        )?,
        unknown_plan: c.kept_count(
            PLANS,
            &format!("SELECT count(*) FROM @companies company WHERE company.retired_at IS NULL AND NOT {HAS_PLAN}"),
            params![],
        )?,
        ending_contracts,
        ending_warranties,
        ending_licenses,
        licenses_over,
        leavers,
        neglected,
        shared_emails: c.kept_count(
            PEOPLE,
            "SELECT count(*) FROM (SELECT contact.email_folded FROM @contacts contact
             WHERE contact.retired_at IS NULL AND contact.email_folded <> '' GROUP BY contact.email_folded HAVING count(*) > 1) shared",
            params![],
        )?,
        without_company: c.kept_count(
            PEOPLE,
            "SELECT count(*) FROM @contacts contact WHERE contact.retired_at IS NULL AND contact.active = ?1
             AND NOT EXISTS (SELECT 1 FROM @contact_companies place WHERE place.contact_id = contact.id)",
            params![true],
        )?,
    })
}
