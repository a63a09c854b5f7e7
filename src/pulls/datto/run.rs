//! The Datto job: finish what an earlier run left, read, decide about sites, prove, plan, apply.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicBool},
};

use super::{
    alerts,
    fetch::Reader,
    inventory::Inventory,
    prove::Coverage,
    sites::{Companies, Match},
    source::{StagedDevices, Whose},
};
use crate::{
    assets::{secrets::Sealer, staleness_store},
    companies::alias_store,
    db::Write,
    error::{Error, Result},
    jobs::{Ended, Job, runs_store},
    plan::{Action, Item, Kind},
    reconcile::{
        assets::{
            DeviceList, Devices, Missing, Rules,
            census::Side,
            device_identifiers,
            devices::After,
            matching::{self, DeviceIdentifiers, MatchResult},
            unlinked_devices::{self, UnlinkedDevices},
        },
        reconciliation::{Reconciliation, finish_interrupted},
        report::{Ending, Report},
        review::{Raised, review_store},
        rows_store,
        sites::store::{self, StoredSite},
        staged_store,
    },
    types::{Actor, Scope, now_plus},
    vendors::{
        datto::{
            NAME, SYSTEM,
            client::{Audit, Datto},
            wire,
        },
        fault::Fault,
    },
};

/// New devices whose audit is looked at, to tell whether they are assets that were here before.
const LOOKUPS: usize = 600;
/// How old a staged page may be and still be used: the vendor's limits stretch a pull over many minutes.
const STAGED_SECONDS: i64 = 1800;
/// Sites written in one transaction.
const SITES: usize = 100;

/// The body of the job.
///
/// # Errors
/// `Upstream` when the vendor cannot be read or says nothing.
pub async fn body(job: Job) -> Result<Ended> {
    let client = Datto::open(&job.db, &job.config)?.shown_in(job.progress.clone());
    let mut report = Report { kinds: vec![Kind::Site, Kind::Asset], dry_run: job.options.dry_run, ..Report::default() };
    if !job.options.dry_run {
        report.applied += finish_interrupted(&job, SYSTEM, SYSTEM).await?.map_or(0, |(_, applied)| applied.done);
    }
    let (lease, dry_run, full) = (job.lease.clone(), job.options.dry_run, job.options.full);
    // What a run that failed had read is read anew: the vendor was not well, and much may have changed since.
    let before = job.db.read(&Scope::All, |c| runs_store::interrupted(c, SYSTEM, false)).await?.filter(|_| !full);
    let begin = move |w: &mut Write<'_>| {
        let run = runs_store::begin(w, &lease, SYSTEM, dry_run)?;
        let left =
            before.map(|from| staged_store::inherit(w, from, run, &now_plus(-STAGED_SECONDS))).transpose()?.unwrap_or_default();
        Ok((run, left > 0))
    };
    let (run, resumed) = job.write(&Actor::system("sync"), begin).await?;
    report.run_id = run;
    let sealer = Sealer::new(&job.config);
    let reader = Reader { job: job.clone(), run, client, resumed, shut: AtomicBool::new(false), sealer };
    let mut result = steps(&reader, &mut report).await;
    if let Some(why) = reader.sealer.problem() {
        report.beside.push(format!("BitLocker and Windows keys were left as they are: {why}"));
    }
    // Whether devices can be trusted does not depend on alerts.
    let trusted = report.ending;
    if result.is_ok()
        && !report.dry_run
        && let Err(error) = read_alerts(&reader, &mut report).await
    {
        result = Err(error);
    }
    report.retries = reader.client.retries();
    report.clean(&reader.client.mended());
    let (status, error) = Report::status(&result, trusted, &report.problems);
    let (lease, summary, days) = (job.lease.clone(), report.summary().to_string(), job.config.assets.life);
    let finish = move |w: &mut Write<'_>| {
        let before = staleness_store::as_of(w)?;
        runs_store::finish(w, &lease, run, status, error.as_deref(), &summary)?;
        staleness_store::moved(w, before.as_deref(), days)
    };
    let finished = job.write(&Actor::system("sync"), finish).await;
    let items = result?;
    finished?;
    Ok(report.ended(items))
}

/// Reads the alerts once devices are known. What cannot be read of them is a problem of the run.
async fn read_alerts(reader: &Reader, report: &mut Report) -> Result<()> {
    let pulled = alerts::pull(&reader.job, &reader.client, reader.run).await?;
    report.listed.insert("alerts", pulled.open + pulled.resolved);
    let said = if pulled.changed == 0 { "up to date".to_owned() } else { format!("{} new or changed", pulled.changed) };
    report.beside.push(format!("alerts: {} open and {} resolved listed; {said}", pulled.open, pulled.resolved));
    report.skipped += pulled.skipped;
    report.alerts_changed = pulled.changed;
    if !pulled.problems.is_empty() {
        report.problems.extend(pulled.problems);
        report.ending = Ending::Upstream;
    }
    Ok(())
}

async fn steps(reader: &Reader, report: &mut Report) -> Result<Vec<Item>> {
    let job = &reader.job;
    let mut inventory = reader.read().await?;
    let live = job.db.read(&Scope::All, |c| rows_store::live(c, Kind::Asset, SYSTEM)).await?;
    report.listed = [("sites", inventory.sites.len()), ("assets", inventory.devices.len())].into();
    let nothing = if inventory.sites.is_empty() { Some("sites") } else { inventory.devices.is_empty().then_some("devices") };
    if let Some(what) = nothing.filter(|_| live > 0) {
        let message = format!("{NAME} listed no {what} although {live} assets came from it; nothing was changed");
        return Err(Error::Upstream { service: NAME, message });
    }
    let (matches, known) = match_sites(job, &inventory).await?;
    if !job.options.dry_run {
        store_sites(job, &inventory, &matches, &known).await?;
    }
    let companies: Vec<Option<i64>> = matches.iter().map(|found| found.company).collect();
    let findings = reader.prove(&mut inventory, &Coverage { known: &known, companies: &companies }).await?;
    if !inventory.problems.is_empty() || findings.unproven.is_some() {
        report.ending = Ending::Upstream;
    }
    report.listed.insert("assets", inventory.devices.len());
    report.skip(&inventory.skipped_records);
    report.skipped = inventory.skipped;
    report.problems.extend(inventory.problems.iter().cloned().chain(findings.unproven));
    let notes = notes(&inventory, &matches);
    let companies = inventory
        .sites
        .iter()
        .zip(&matches)
        .map(|(site, found)| match found.company {
            Some(company) => Whose::Company(company),
            None if site.deleted || site.numbers.is_some() || known.contains_key(&site.uid) => Whose::Nobody,
            None => Whose::Unread,
        })
        .collect();
    let by_person = |(at, found): (usize, &Match)| matches!(found.basis, "person" | "ignored").then_some(at);
    let decided = matches.iter().enumerate().filter_map(by_person).collect();
    let names = job.config.datto.fields.clone();
    let list: Arc<dyn DeviceList> =
        Arc::new(StagedDevices { run: reader.run, inventory: Arc::new(inventory), companies, decided, names });
    let missing = findings.missing;
    let (verdicts, open) = meet(reader, &list, &missing).await?;
    let (rules, verdicts) = (Rules { system: SYSTEM, prefer: job.config.assets.prefer }, Arc::new(verdicts));
    let mut devices = Devices { rules, list, missing, verdicts, open, notes, after: After::default() };
    Reconciliation::of(job, reader.run, SYSTEM, SYSTEM).run(&mut devices, report).await
}

/// Whose each site is.
async fn match_sites(job: &Job, inventory: &Inventory) -> Result<(Vec<Match>, HashMap<String, StoredSite>)> {
    let read = |c: &mut crate::db::Conn| {
        let aliases = alias_store::keys(c)?;
        Ok((Companies::new(store::companies(c)?, store::links(c, SYSTEM)?, &aliases), store::all(c)?))
    };
    let (companies, known) = job.db.read(&Scope::All, read).await?;
    let resolve = |site: &super::inventory::Site| {
        if site.deleted {
            return Match { basis: "none", ..Match::default() };
        }
        companies.resolve(&site.uid, &site.name, site.numbers.as_deref(), known.get(&site.uid))
    };
    Ok((inventory.sites.iter().map(resolve).collect(), known))
}

/// Writes what was found out about sites, where it differs, and the review list.
async fn store_sites(job: &Job, inventory: &Inventory, matches: &[Match], known: &HashMap<String, StoredSite>) -> Result<()> {
    let mut work = Vec::new();
    for (site, found) in inventory.sites.iter().zip(matches) {
        if site.deleted || (site.numbers.is_none() && !known.contains_key(&site.uid)) {
            continue;
        }
        let before = known.get(&site.uid);
        let now = StoredSite {
            uid: site.uid.clone(),
            name: site.name.clone(),
            company_id: found.company,
            basis: found.basis.to_owned(),
            account_number: found.number.clone(),
            ..before.cloned().unwrap_or_default()
        };
        let same = before.is_some_and(|before| StoredSite { gone_at: None, ..now.clone() } == *before);
        work.push((now, same, found.clone(), site.numbers.is_some()));
    }
    for some in work.chunks(SITES) {
        let some = some.to_vec();
        job.write(&Actor::system("sync"), move |w| {
            some.iter().try_for_each(|(site, same, found, read)| store_site(w, site, *same, found, *read))
        })
        .await?;
    }
    let gone: Vec<String> = known
        .values()
        .filter(|known| known.gone_at.is_none() && !inventory.by_uid.contains_key(&known.uid))
        .map(|known| known.uid.clone())
        .collect();
    for some in gone.chunks(SITES) {
        let some = some.to_vec();
        let note = move |w: &mut Write<'_>| {
            some.iter().try_for_each(|uid| {
                store::set_gone(w, uid)?;
                review_store::close(w, SYSTEM, "site", uid)
            })
        };
        job.write(&Actor::system("sync"), note).await?;
    }
    Ok(())
}

fn store_site(w: &mut Write<'_>, site: &StoredSite, same: bool, found: &Match, read: bool) -> Result<()> {
    if !same {
        store::put(w, site)?;
    }
    match &found.review {
        Some((reason, candidates)) => {
            if found.reopened {
                review_store::reopen(w, SYSTEM, "site", &site.uid)?;
            }
            let (external_id, label) = (site.uid.clone(), site.name.clone());
            let (reason, candidates) = (reason.clone(), candidates.clone());
            review_store::raise(w, &Raised { system: SYSTEM, kind: "site", external_id, label, reason, candidates }).map(|_| ())
        }
        None if read => review_store::close(w, SYSTEM, "site", &site.uid),
        None => Ok(()),
    }
}

fn notes(inventory: &Inventory, matches: &[Match]) -> Vec<Item> {
    let mut notes = Vec::new();
    for (site, found) in inventory.sites.iter().zip(matches) {
        if let Some((reason, candidates)) = &found.review {
            let named: Vec<String> = candidates
                .iter()
                .map(|one| format!("{} ({})", one.name, one.account_number.as_deref().unwrap_or_default()))
                .collect();
            let maybe = if named.is_empty() { String::new() } else { format!("; maybe {}", named.join(", ")) };
            notes.push(Item::new(Kind::Site, Action::Review, &site.name, format!("{reason}{maybe}")).from_vendor(&site.uid));
        }
    }
    notes
}

/// What each new device is: an asset that was here before, maybe one, or something new; and about which of them a
/// person was asked before.
async fn meet(
    reader: &Reader,
    list: &Arc<dyn DeviceList>,
    missing: &Missing,
) -> Result<(HashMap<String, MatchResult>, HashMap<String, Vec<i64>>)> {
    let mut found = unlinked_devices::collect(&reader.job.db, SYSTEM, list, missing).await?;
    let worth = found.worth_a_look();
    if !worth.is_empty() {
        reader.job.progress.begin("looking at new devices", Some(worth.len().min(LOOKUPS) as u64));
    }
    let mut left = LOOKUPS;
    for at in worth.into_iter().take(LOOKUPS) {
        let Some(unlinked_device) = found.devices.get_mut(at) else { continue };
        left -= 1;
        match look(reader, &unlinked_device.external_id).await {
            Ok(Some((serial, macs))) => {
                unlinked_device.identifiers.serial = serial;
                unlinked_device.identifiers.add_macs(macs);
            }
            Ok(None) => {}
            Err(fault) => {
                tracing::warn!(%fault, "new devices are told from old assets by their names alone");
                left = 0;
                break;
            }
        }
        reader.job.progress.add(1);
    }
    if matching::rests_on_an_identifier(&found.devices, &found.candidates) {
        count_others(reader, &mut found, left).await;
    }
    Ok((matching::decide(&found.devices, &found.candidates, found.census), found.open))
}

/// Before an identifier is believed without a name, others are asked whether they carry it too: that of a maker's careless
/// contractor is on many devices, and on the first day none of them has been audited.
async fn count_others(reader: &Reader, found: &mut UnlinkedDevices, lookups: usize) {
    for (external_id, bearer) in found.unidentified.iter().take(lookups) {
        match look(reader, external_id).await {
            Ok(Some((serial, macs))) => {
                found.census.note(Side::There, bearer, &DeviceIdentifiers { serial, macs, ..DeviceIdentifiers::default() });
            }
            Ok(None) => {}
            Err(fault) => {
                tracing::warn!(%fault, "not every device could be asked for its serial number");
                return;
            }
        }
    }
}

/// The serial number and the network addresses in a device's audit.
async fn look(reader: &Reader, external_id: &str) -> std::result::Result<Option<(Option<String>, Vec<String>)>, Fault> {
    let Audit::Found(audit) = reader.client.audit(external_id, "device").await? else { return Ok(None) };
    let serial = wire::object(&audit, "bios").and_then(|bios| wire::text(bios, "serialNumber"));
    let nics = wire::list(&audit, "nics").iter().filter_map(wire::record);
    let own = nics.filter(|nic| !wire::text(nic, "instance").is_some_and(|name| device_identifiers::is_shared_adapter(&name)));
    let macs = own.filter_map(|nic| device_identifiers::mac(&wire::text(nic, "macAddress")?)).collect();
    Ok(Some((serial.as_deref().and_then(device_identifiers::serial), macs)))
}
