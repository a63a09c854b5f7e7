//! A month as it is looked at afterwards: what has changed since it ended, and of whom too little is known for that.

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

use super::{counting::Exclusion, model::Plan, month::Month};
use crate::{
    assets::Asset,
    companies::Company,
    contacts::Contact,
    db::Conn,
    error::{Error, Result},
    history::{Past, Record, Unredacted, past_store::Watched, retention},
    network::Equipment,
    tickets::Ticket,
    types::now,
};

/// The place of a contact in a company, as changes name it: before the company's account number.
const PLACE: &str = "company:";

/// A contact's place in a company.
#[derive(Clone, Debug)]
pub struct Place {
    pub role: Option<String>,
}

/// What of each record decides how it is counted.
pub const WATCHED: [Watched; 5] = [
    (
        Company::ENTITY,
        &[
            "account_number",
            "name",
            "kind",
            "plan",
            "contract_term",
            "support_level",
            "managed_users",
            "managed_devices",
            "managed_network",
        ],
    ),
    (Contact::ENTITY, &["active", "job_title", "employment_type", PLACE]),
    (Asset::ENTITY, &["company_id", "kind", "backup_data_bytes"]),
    (Equipment::ENTITY, &["company_id", "kind"]),
    (
        Plan::ENTITY,
        &[
            "name",
            "term",
            "support_level",
            "per_user_cents",
            "per_workstation_cents",
            "per_server_cents",
            "per_vm_cents",
            "per_switch_cents",
            "per_firewall_cents",
            "per_hour_ticket_cents",
            "backup_workstation_cents",
            "backup_server_cents",
            "backup_included_milli_tb",
            "backup_per_tb_cents",
        ],
    ),
];
/// The same of tickets, which bear their own times.
const TICKETS: [Watched; 1] = [(Ticket::ENTITY, &["company_id", "status", "minutes_spent", "time_known", "last_updated_at"])];

/// A month, as what is stored now tells of it.
pub struct Then {
    /// The month.
    pub month: Month,
    /// What has changed since it ended.
    pub past: Past,
    /// What has changed of tickets since it began.
    pub tickets: Past,
    /// The companies by every account number that they have or had since.
    numbers: HashMap<String, i64>,
    /// Those of which nothing is known so early, with the end of the day on which they came to be known: what is changed later
    /// moves no month before it.
    unknown: HashMap<i64, String>,
}

impl Then {
    /// Looks back at a month.
    ///
    /// # Errors
    /// `Invalid` for one of which part of the history was removed.
    pub fn read(c: &mut Conn, month: &Month, companies: &[Company]) -> Result<Self> {
        refuse_removed(c, month, "month")?;
        let end = month.end();
        let past = if end > now() { Past::default() } else { Past::since(c, &end, &WATCHED)? };
        let tickets = Past::since(c, &month.start(), &TICKETS)?;
        let mut numbers = HashMap::new();
        for company in companies {
            let changes = past.of(Company::ENTITY, company.id);
            let earlier = changes.filter_map(|change| change.inside().fields["account_number"]["old"].as_str());
            numbers.extend(earlier.map(|number| (number.to_owned(), company.id)));
        }
        numbers.extend(companies.iter().map(|company| (company.account_number.clone(), company.id)));
        let late = companies.iter().filter(|company| company.created_at >= end);
        let unknown = late.map(|company| Ok((company.id, day_after(&company.created_at)?))).collect::<Result<_>>()?;
        Ok(Self { month: month.clone(), past, tickets, numbers, unknown })
    }

    /// Whether anything is known of the company so early; else it is taken as it was when its first day here ended.
    #[must_use]
    pub fn knows(&self, company: i64) -> bool {
        !self.unknown.contains_key(&company)
    }

    /// A company as it was.
    pub fn company(&self, now: Company) -> Result<Company> {
        match self.unknown.get(&now.id) {
            Some(moment) => self.past.until(now, moment),
            None => self.past.first(now),
        }
    }

    /// A row as it was in a company, and why it is not counted there.
    pub fn row<R: Record>(&self, now: R, company: i64) -> Result<(R, Option<String>)> {
        let Some(moment) = self.unknown.get(&company) else {
            return Ok(match self.past.row(now.clone())? {
                Some(row) => {
                    let absent = self.retired(row.retired_at());
                    (row, absent)
                }
                None => {
                    let absent = self.added(now.created_at());
                    (now, Some(absent))
                }
            });
        };
        if now.created_at() >= moment.as_str() {
            let absent = self.added(now.created_at());
            return Ok((now, Some(absent)));
        }
        let row = self.past.until(now, moment)?;
        let absent = row.retired_at().map(gone);
        Ok((row, absent))
    }

    /// Why a row was not there any more at the end of the month, if so.
    #[must_use]
    pub fn retired(&self, retired_at: Option<&str>) -> Option<String> {
        retired_at.filter(|at| **at < *self.month.end()).map(gone)
    }

    /// What is said of a row that came later.
    #[must_use]
    pub fn added(&self, created_at: &str) -> String {
        format!("added on {}, after the month", created_at.get(..10).unwrap_or_default())
    }

    /// Where a row of these companies was and as what, from how it is now: the company, the row, and why it is not counted.
    pub fn places<R: Record>(
        &self,
        now: R,
        company: impl Fn(&R) -> Option<i64>,
        wanted: &[i64],
    ) -> Result<Vec<(i64, R, Option<String>)>> {
        let is_wanted = |id: Option<i64>| id.filter(|id| wanted.contains(id));
        let here = is_wanted(company(&now));
        if let Some(id) = here.filter(|id| !self.knows(*id)) {
            let (row, absent) = self.row(now, id)?;
            return Ok(vec![(id, row, absent)]);
        }
        let mut found = Vec::new();
        match self.past.row(now.clone())? {
            Some(then) => {
                let place = company(&then);
                if let Some(id) = is_wanted(place) {
                    let absent = self.retired(then.retired_at());
                    found.push((id, then, absent));
                }
                if let Some(id) = here.filter(|id| Some(*id) != place) {
                    found.push((id, now, Some("not yet this company's at the end of the month".to_owned())));
                }
            }
            None => {
                let absent = Some(self.added(now.created_at()));
                found.extend(here.map(|id| (id, now, absent)));
            }
        }
        Ok(found)
    }

    /// The company that a change of a contact's places names.
    fn company_of(&self, field: &str) -> Option<i64> {
        self.numbers.get(field.strip_prefix(PLACE)?).copied()
    }

    /// The contacts who have left one of these companies since, and those whose place in it has changed.
    #[must_use]
    pub fn moved_contacts(&self, wanted: &[i64]) -> Vec<i64> {
        self.past.had(Contact::ENTITY, |field, old| {
            !old.is_null() && self.company_of(field).is_some_and(|company| wanted.contains(&company))
        })
    }

    /// The companies that these changes of a contact name.
    #[must_use]
    pub fn companies_of_contact(&self, contact: i64) -> HashSet<i64> {
        let fields = self.past.of(Contact::ENTITY, contact).filter_map(|change| change.inside().fields.as_object());
        fields.flat_map(serde_json::Map::keys).filter_map(|field| self.company_of(field)).collect()
    }

    /// The place that a contact had in a company, if it was in it; `now` is how that is today.
    #[must_use]
    pub fn place(&self, contact: i64, company: i64, now: Option<Place>) -> Option<Place> {
        let from = self.unknown.get(&company).map_or("", String::as_str);
        let mut place = now;
        for change in self.past.of(Contact::ENTITY, contact).take_while(|change| change.inside().at.as_str() >= from) {
            for (field, sides) in change.inside().fields.as_object().into_iter().flatten() {
                if self.company_of(field) == Some(company) {
                    place = match &sides["old"] {
                        Json::Object(old) => Some(Place { role: old.get("role").and_then(Json::as_str).map(str::to_owned) }),
                        _ => None,
                    };
                }
            }
        }
        place
    }

    /// The rows of a kind that belonged to one of these companies and have moved since.
    #[must_use]
    pub fn moved(&self, past: &Past, entity: &str, wanted: &[i64]) -> Vec<i64> {
        past.had(entity, |field, old| field == "company_id" && old.as_i64().is_some_and(|id| wanted.contains(&id)))
    }

    /// Whose a ticket was when the month ended: what has moved it since, a person or a merge, is taken away by the time of
    /// that change; what the vendor says, by the vendor's time. A company that was not known yet is no other one.
    fn company_of_ticket(&self, now: &Ticket) -> Option<i64> {
        let end = self.month.end();
        let mut company = now.company_id;
        for change in self.tickets.of(Ticket::ENTITY, now.id).map(Unredacted::inside) {
            if change.fields["last_updated_at"]["new"].as_str().unwrap_or(&change.at) < end.as_str() {
                break;
            }
            company = change.fields["company_id"]["old"].as_i64().or(company);
        }
        company
    }

    /// A ticket as it was when the month ended and when it began, by the vendor's own times: what is read later of those
    /// times belongs to them. Whose it was is as it was known when the month ended. None when it was last changed in another
    /// month.
    pub fn ticket(&self, now: Ticket) -> Result<Option<(Ticket, Option<Ticket>)>> {
        let (start, end) = (self.month.start(), self.month.end());
        let Some(then) = self.tickets.before(now.clone(), |ticket| ticket.last_updated_at < end)? else { return Ok(None) };
        if then.last_updated_at < start || then.last_updated_at >= end {
            return Ok(None);
        }
        let then = Ticket { company_id: self.company_of_ticket(&now), ..then };
        let before = self.tickets.before(now, |ticket| ticket.last_updated_at < start)?;
        Ok(Some((then, before.filter(|ticket| ticket.last_updated_at < start))))
    }
}

/// Refuses a month of which part of the history was removed: what is left would count it wrong.
///
/// # Errors
/// `Invalid` for the parameter of this name, with the oldest month that can be counted.
pub fn refuse_removed(c: &mut Conn, month: &Month, name: &str) -> Result<()> {
    let kept = retention::kept(c)?;
    let Some(since) = kept.lacks(&month.start()) else { return Ok(()) };
    let first = Month::named(name, since.get(..7).unwrap_or_default())?;
    let oldest = if first.start().as_str() < since { first.next() } else { first };
    let message = format!("history before {since} was removed; the oldest month that can be counted is {}", oldest.as_str());
    Err(Error::field(name, message))
}

/// What is left out by hand, as the rows that it is about are found.
#[must_use]
pub fn about(exclusion: &Exclusion) -> (String, i64) {
    (exclusion.entity.clone(), exclusion.entity_id)
}

/// Why a row that was retired at this moment is not counted.
fn gone(at: &str) -> String {
    format!("retired on {}", at.get(..10).unwrap_or(at))
}

/// The day after a moment: before every moment of it.
fn day_after(moment: &str) -> Result<String> {
    let day: jiff::civil::Date = moment.get(..10).unwrap_or_default().parse().map_err(Error::internal)?;
    Ok(day.tomorrow().map_err(Error::internal)?.to_string())
}
