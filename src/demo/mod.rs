//! A believable provider's data, so that every page has something to show before there is anything real.
//!
//! The same every time, apart from dates, which stay as far from today as they were. Nothing in it can
//! be mistaken for someone: names under `.example`, telephone numbers 555-01xx, documentation addresses.

mod alerts;
mod chance;
mod firms;
mod licences;
mod machines;
mod networks;
mod people;
mod plans;
mod store;
mod tickets;

use chance::Chance;

use crate::{
    assets::{Asset, store as assets},
    companies::{Company, Location, contract, store as companies},
    contacts::store as contacts,
    db::{Db, Write},
    error::{Error, Result},
    history,
    records::entities::ENTITIES,
    types::{Actor, Scope, now, now_plus},
    web::settings_store::{self, DEMO},
};

/// What came of asking for demo data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The database was empty; now it holds this many companies, contacts and assets.
    Filled {
        /// Companies of every kind.
        companies: usize,
        /// Contacts, active and not.
        contacts: usize,
        /// Assets of every type.
        assets: usize,
    },
    /// It holds the demo data already.
    There,
    /// It holds other data; nothing was added.
    NotEmpty,
}

/// Fills an empty database, whole or not at all.
pub async fn fill(db: &Db) -> Result<Outcome> {
    db.write(&Scope::All, &Actor::import(Actor::DEMO), |w| {
        if settings_store::find(w, DEMO)?.is_some() {
            return Ok(Outcome::There);
        }
        if !store::is_empty(w)? {
            return Ok(Outcome::NotEmpty);
        }
        let outcome = everything(w)?;
        settings_store::set(w, DEMO, &now())?;
        Ok(outcome)
    })
    .await
}

/// Whether the database was filled with demo data.
pub async fn is_there(db: &Db) -> Result<bool> {
    db.read(&Scope::All, |c| Ok(settings_store::find(c, DEMO)?.is_some())).await
}

/// Empties a database that was filled with demo data, so that real data can come; tells how many rows went.
/// People who sign in and what was set stay.
pub async fn remove(db: &Db) -> Result<u64> {
    db.write(&Scope::All, &Actor::cli("demo remove"), |w| {
        if settings_store::find(w, DEMO)?.is_none() {
            return Err(Error::conflict("the database holds no demo data"));
        }
        let rows = store::empty(w)?;
        settings_store::unset(w, DEMO)?;
        ENTITIES.iter().map(|known| known.name()).chain(["alert"]).for_each(|entity| w.touch(entity));
        Ok(rows)
    })
    .await
}

/// The number of the demo's first ticket.
const FIRST_TICKET: i64 = 4_101;

/// How many days ago the demo's world was entered: before the last two months, so that something changes between them.
const BEGAN: i64 = 100;

/// Of how many machines one has an alert.
const ALERTED: usize = 29;

/// A contact and the name under which they sign in at work.
struct Worker {
    id: i64,
    login: String,
    name: String,
    email: String,
}

fn everything(w: &mut Write<'_>) -> Result<Outcome> {
    let mut chance = Chance::new(20_261_121);
    let mut known: Vec<(&firms::Firm, Company, Vec<Worker>)> = Vec::new();
    let (mut people_made, mut machines_made) = (0, 0);
    let mut watched: Vec<(i64, i64, String)> = Vec::new();
    for firm in firms::FIRMS {
        let parent = known.iter().find(|(other, ..)| Some(other.number) == firm.parent);
        let company = history::create(w, &firm.company(parent.map(|(_, company, _)| company.id)), None)?;
        for (name, address) in firm.sites {
            let location = Location {
                company_id: company.id,
                name: (*name).to_owned(),
                address: Some((*address).to_owned()),
                phone_number: Some(chance.phone()),
                ..Location::default()
            };
            companies::add_location(w, &location)?;
        }
        let bosses: Vec<i64> = parent.map(|(.., staff)| staff.iter().take(1).map(|boss| boss.id).collect()).unwrap_or_default();
        let staff = add_people(w, &mut chance, firm, &company, &bosses)?;
        machines_made += add_machines(w, &mut chance, firm, &company, &staff, &mut watched)?;
        let place = i64::try_from(known.len()).unwrap_or_default();
        networks::add(w, firm, &company, place)?;
        licences::add(w, firm, &company, &staff, place)?;
        people_made += staff.len();
        known.push((firm, company, staff));
    }
    plans::add(w, &known)?;
    tickets::agents(w)?;
    let mut number = FIRST_TICKET;
    for (firm, company, staff) in &known {
        number = tickets::add(w, &mut chance, firm, company, staff, number)?;
    }
    let some: Vec<_> = watched.into_iter().step_by(ALERTED).collect();
    alerts::add(w, &mut chance, &some)?;
    let companies_made = known.len();
    store::happened(w, &now_plus(-BEGAN * 86_400))?;
    people_made += some_history(w, &known)?;
    Ok(Outcome::Filled { companies: companies_made, contacts: people_made, assets: machines_made })
}

/// A company's people; the head of the company above has a place in it too, and someone gets the invoices.
fn add_people(
    w: &mut Write<'_>,
    chance: &mut Chance,
    firm: &firms::Firm,
    company: &Company,
    bosses: &[i64],
) -> Result<Vec<Worker>> {
    let mut staff = Vec::new();
    for index in 0..firm.people {
        let person = history::create(w, &people::person(chance, firm, index), None)?;
        contacts::join(w, person.id, &people::place(index, company.id))?;
        staff.push(Worker { id: person.id, login: people::login(&person), name: person.name, email: person.email });
    }
    for boss in bosses {
        contacts::join(w, *boss, &people::overseer(company.id))?;
    }
    let payer = staff.get(2).or(staff.first()).map(|worker| worker.id);
    history::update(w, company.id, None, None, |row: &mut Company| {
        row.billing_contact_id = payer;
        Ok(())
    })?;
    Ok(staff)
}

/// A company's machines: one for each person, and those that serve all.
fn add_machines(
    w: &mut Write<'_>,
    chance: &mut Chance,
    firm: &firms::Firm,
    company: &Company,
    staff: &[Worker],
    watched: &mut Vec<(i64, i64, String)>,
) -> Result<usize> {
    let machines = machines::of(chance, firm, staff);
    for machine in &machines {
        let mut asset = machine.asset.clone();
        asset.company_id = Some(company.id);
        let asset = history::create(w, &asset, None)?;
        assets::observe(w, asset.id, &machine.seen)?;
        watched.push((asset.id, company.id, asset.hostname.clone()));
        if let Some(user) = machine.user {
            assets::assign(w, asset.id, &[user])?;
        }
    }
    Ok(machines.len())
}

/// A few later changes, so that history has more to tell than that everything was created; says how many people they added.
fn some_history(w: &mut Write<'_>, known: &[(&firms::Firm, Company, Vec<Worker>)]) -> Result<usize> {
    let renewed = known.iter().filter(|(firm, ..)| firm.plan == Some("Gold")).take(3);
    for (_, company, _) in renewed {
        history::update(w, company.id, None, Some("contract renewed with a larger plan"), |row: &mut Company| {
            row.plan = Some("Platinum".to_owned());
            row.contract_start_date = Some(day(-40));
            row.contract_end_date = contract::end(&day(-40), "3-Year");
            row.contract_term = Some("3-Year".to_owned());
            Ok(())
        })?;
    }
    // Somebody starts at one client, and at another a device is given away.
    let mut hired = 0;
    if let Some((firm, company, _)) = known.iter().find(|(firm, ..)| firm.plan.is_some()) {
        let mut chance = Chance::new(7);
        let person = history::create(w, &people::person(&mut chance, firm, firm.people), Some("new starter"))?;
        contacts::join(w, person.id, &people::place(firm.people, company.id))?;
        hired += 1;
    }
    if let Some((_, company, _)) = known.iter().rfind(|(firm, ..)| firm.plan.is_some())
        && let Some(device) = store::a_workstation(w, company.id)?
    {
        history::retire::<Asset>(w, device, Some("given away"))?;
    }
    Ok(hired)
}

/// The date this many days from today.
fn day(days: i64) -> String {
    now_plus(days * 86_400).chars().take(10).collect()
}

#[cfg(test)]
mod tests;
