//! What is counted of a company in a month, by which rule, and what is left out and why.

use std::collections::HashMap;

use serde::Serialize;

use super::model::Plan;
use crate::{
    db::Value,
    entity::Members,
    error::{Error, Result},
    types::{decimal, fold, now},
};

/// Which contacts are users.
pub const CONTACTS: &[&str] = &["active", "all", "role"];

crate::entity! {
    /// How a company is counted, where that is not as usual.
    pub struct Settings: "billing_settings", "Billing settings", "billing_settings" {
        /// Whose they are.
        company_id: i64 = int("Company").id_of("company").told().internal(),
        /// One of [`CONTACTS`].
        count_contacts: String = choice("Users are contacts who are", CONTACTS).section("Counting"),
        /// The role that counts then.
        contact_role: Option<String> = choice("With the role", crate::contacts::model::ROLES).section("Counting"),
        vms_as_servers: bool = flag("Count virtual machines as servers").section("Counting"),
        leave_out_archived: bool = flag("Leave out archived devices").section("Counting"),
        /// What a closed ticket without any time is billed with.
        default_ticket_hours_hundredths: Option<i64> = decimal("Hours of a closed ticket without time", 2).named("default_ticket_hours").section("Counting"),
    }
}

impl Settings {
    #[expect(clippy::unused_self, reason = "the shape that every record has")]
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// How a company is counted of which nobody has said anything.
    #[must_use]
    pub fn usual(company_id: i64) -> Self {
        Self { company_id, count_contacts: CONTACTS[0].to_owned(), ..Self::default() }
    }
}

crate::shaped! { Settings: Members::first(&["count_contacts"]).part(|settings: &Settings| settings) }

/// What can be left out by hand.
pub const EXCLUDED: &[&str] = &["contact", "asset", "equipment", "ticket"];

crate::entity! {
    /// Something that is left out of what a company is billed for, because somebody said so.
    pub struct Exclusion: "billing_exclusion", "Exclusion", "billing_exclusions" {
        /// Whose it is.
        company_id: i64 = int("Company").id_of("company").told().internal(),
        /// One of [`EXCLUDED`].
        entity: String = choice("Record", EXCLUDED).required(),
        /// Which one.
        entity_id: i64 = int("Record's id").required(),
        reason: String = text("Reason", 500).required(),
    }
}

impl Exclusion {
    #[expect(clippy::unused_self, reason = "the shape that every record has")]
    fn derived_columns(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
}

crate::shaped! { Exclusion: Members::first(&["id", "entity", "entity_id", "reason"]).record(|exclusion: &Exclusion| exclusion) }

/// A month of the calendar, in UTC: `2026-11`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Month(String);

impl Month {
    /// The month that a question names, or this one.
    ///
    /// # Errors
    /// `Invalid` for what is no month.
    pub fn read(text: Option<&str>) -> Result<Self> {
        let Some(text) = text else { return Ok(Self(now().chars().take(7).collect())) };
        match format!("{text}-01").parse::<jiff::civil::Date>() {
            Ok(date) if text.len() == 7 && date.year() >= 2000 => Ok(Self(text.to_owned())),
            _ => Err(Error::field("month", "must be a month like 2026-11")),
        }
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_before(&self, moment: &str) -> bool {
        moment.get(..7).unwrap_or_default() > self.0.as_str()
    }
}

/// A line of the bill: what it counts, and what one of it costs.
#[derive(Debug)]
pub struct Rule {
    /// Its name in JSON.
    pub key: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// What it counts, as a sentence.
    pub counts: &'static str,
    /// What one of it costs, in cents.
    pub cost: fn(&Plan) -> i64,
}

impl Rule {
    /// How many of the units in which it is measured make one: seconds of an hour, bytes of a TB.
    fn units_of_one(&self) -> i64 {
        match self.key {
            "ticket_hours" => 3_600,
            "backup_tb" => 1 << 40,
            _ => 1,
        }
    }

    /// So many units as a quantity, in thousandths.
    fn quantity(&self, units: i128) -> i64 {
        let per = i128::from(self.units_of_one());
        i64::try_from((units * i128::from(ONE) + per / 2) / per).unwrap_or(i64::MAX)
    }
}

/// Every line, in the order of a bill; `README.md` has the same table.
pub const RULES: [Rule; 10] = [
    Rule {
        key: "users",
        label: "Users",
        counts: "Contacts of the company who are active; by its settings all of them, or active ones with a role.",
        cost: |plan| plan.per_user_cents,
    },
    Rule {
        key: "workstations",
        label: "Workstations",
        counts: "Assets of type workstation or laptop.",
        cost: |plan| plan.per_workstation_cents,
    },
    Rule {
        key: "servers",
        label: "Servers",
        counts: "Assets of type server; by its settings virtual machines too.",
        cost: |plan| plan.per_server_cents,
    },
    Rule {
        key: "vms",
        label: "Virtual machines",
        counts: "Assets of type virtual machine, unless they count as servers.",
        cost: |plan| plan.per_vm_cents,
    },
    Rule { key: "switches", label: "Switches", counts: "Network equipment of type switch.", cost: |plan| plan.per_switch_cents },
    Rule {
        key: "firewalls",
        label: "Firewalls",
        counts: "Network equipment of type firewall.",
        cost: |plan| plan.per_firewall_cents,
    },
    Rule {
        key: "backup_workstations",
        label: "Backed-up workstations",
        counts: "Counted workstations with backup data.",
        cost: |plan| plan.backup_workstation_cents,
    },
    Rule {
        key: "backup_servers",
        label: "Backed-up servers",
        counts: "Counted servers and virtual machines with backup data.",
        cost: |plan| plan.backup_server_cents,
    },
    Rule {
        key: "backup_tb",
        label: "Backup, in TB",
        counts: "Backup data of all counted devices, in bytes; the plan's included part is billed already.",
        cost: |plan| plan.backup_per_tb_cents,
    },
    Rule {
        key: "ticket_hours",
        label: "Ticket hours",
        counts: "Time on tickets that were last changed in the month; by its settings also some for closed tickets without any.",
        cost: |plan| plan.per_hour_ticket_cents,
    },
];

/// What was looked at for a line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Receipt {
    /// The noun of the record.
    pub entity: &'static str,
    /// Which one.
    pub id: i64,
    /// What it is called, as far as the reader may know.
    pub name: String,
    /// How much of the line it is.
    pub quantity: f64,
    /// By which rule it was counted, or why it was left out.
    pub why: String,
}

/// A line with its receipts. Quantities are thousandths.
#[derive(Debug)]
pub struct Line {
    /// What it is.
    pub rule: &'static Rule,
    /// The same before it is rounded, in the units in which the rule is measured.
    units: i128,
    /// How much there is.
    pub counted: i64,
    /// How much is billed, where the plan or a managed count says so.
    pub billed: Option<i64>,
    /// What was counted.
    pub receipts: Vec<Receipt>,
    /// What was not.
    pub left_out: Vec<Receipt>,
}

impl Line {
    fn new(rule: &'static Rule) -> Self {
        Self { rule, units: 0, counted: 0, billed: None, receipts: Vec::new(), left_out: Vec::new() }
    }

    /// How much more there is than is billed.
    #[must_use]
    pub fn difference(&self) -> Option<i64> {
        self.billed.map(|billed| self.counted - billed)
    }

    /// What it costs by this plan, in cents: of what a plan includes only what is more.
    #[must_use]
    pub fn amount(&self, plan: &Plan) -> i64 {
        let per = i128::from(self.rule.units_of_one());
        let included = if self.rule.key == "backup_tb" {
            self.billed.map_or(0, |billed| i128::from(billed) * per / i128::from(ONE))
        } else {
            0
        };
        // Multiplied first: what is rounded on the way is missing from the bill.
        let exact = (self.units - included).max(0) * i128::from((self.rule.cost)(plan));
        i64::try_from((exact + per / 2) / per).unwrap_or(i64::MAX)
    }

    fn count(&mut self, thing: &Thing, units: i64, why: impl Into<String>) {
        self.units += i128::from(units);
        self.counted = self.rule.quantity(self.units);
        self.receipts.push(thing.receipt(self.rule.quantity(units.into()), why.into()));
    }

    fn leave_out(&mut self, thing: &Thing, why: impl Into<String>) {
        self.left_out.push(thing.receipt(0, why.into()));
    }
}

/// Something that may be counted.
#[derive(Clone, Debug, Default)]
pub struct Thing {
    /// Its noun.
    pub entity: &'static str,
    /// Which one.
    pub id: i64,
    /// What it is called, as far as the reader may know.
    pub name: String,
    /// What it is: a type of device or equipment.
    pub kind: String,
    /// Since when it is known here.
    pub since: String,
    /// Since when it is retired.
    pub retired_at: Option<String>,
    /// Since when it is archived; a device's.
    pub archived: bool,
    /// A contact's.
    pub active: bool,
    /// A contact's in this company.
    pub role: Option<String>,
    /// What it says on a contact's card, and how they are employed.
    pub card: String,
    /// Bytes of backup, or minutes of work.
    pub amount: i64,
    /// Whether a ticket is closed.
    pub closed: bool,
}

impl Thing {
    fn receipt(&self, quantity: i64, why: String) -> Receipt {
        Receipt { entity: self.entity, id: self.id, name: self.name.clone(), quantity: decimal::number(quantity, 3), why }
    }
}

/// One of something, in thousandths.
const ONE: i64 = 1_000;

/// How a company is counted in a month.
pub struct Counting<'a> {
    /// Its settings.
    pub settings: &'a Settings,
    /// The month.
    pub month: &'a Month,
    /// Since when the company is known here.
    pub since: &'a str,
    /// What is left out by hand, with the reason.
    pub excluded: HashMap<(String, i64), String>,
}

/// A contact whom nobody uses: its card says so.
const SHARED_MAILBOX: &str = "shared mailbox";

impl Counting<'_> {
    /// Why a thing is left out, whatever line it is for.
    fn absent(&self, thing: &Thing) -> Option<String> {
        if let Some(reason) = self.excluded.get(&(thing.entity.to_owned(), thing.id)) {
            return Some(format!("excluded by hand: {reason}"));
        }
        if let Some(at) = thing.retired_at.as_deref().filter(|at| !self.month.is_before(at)) {
            return Some(format!("retired on {}", at.get(..10).unwrap_or(at)));
        }
        // What was there before Codex knew the company is taken to have been there all the time.
        (self.month.is_before(&thing.since) && !self.month.is_before(self.since))
            .then(|| format!("added on {}, after the month", thing.since.get(..10).unwrap_or_default()))
    }

    /// The lines of the month.
    #[must_use]
    pub fn lines(&self, contacts: &[Thing], devices: &[Thing], gear: &[Thing], tickets: &[Thing]) -> Vec<Line> {
        let mut lines: Vec<Line> = RULES.iter().map(Line::new).collect();
        if let [users, workstations, servers, vms, switches, firewalls, backup_workstations, backup_servers, backup, hours] =
            lines.as_mut_slice()
        {
            contacts.iter().for_each(|contact| self.contact(contact, users));
            for device in devices {
                let is_server = device.kind == "server" || device.kind == "virtual_machine" && self.settings.vms_as_servers;
                let (line, backed_up) = match device.kind.as_str() {
                    "workstation" | "laptop" => (&mut *workstations, &mut *backup_workstations),
                    _ if is_server => (&mut *servers, &mut *backup_servers),
                    "virtual_machine" => (&mut *vms, &mut *backup_servers),
                    other => {
                        workstations.leave_out(device, format!("devices of type {} are not billed", other.replace('_', " ")));
                        continue;
                    }
                };
                self.device(device, line, backed_up, backup);
            }
            for one in gear {
                let line = match one.kind.as_str() {
                    "switch" => &mut *switches,
                    "firewall" => &mut *firewalls,
                    other => {
                        switches.leave_out(one, format!("equipment of type {other} is not billed"));
                        continue;
                    }
                };
                match self.absent(one) {
                    Some(why) => line.leave_out(one, why),
                    None => line.count(one, 1, format!("equipment of type {}", one.kind)),
                }
            }
            tickets.iter().for_each(|ticket| self.ticket(ticket, hours));
        }
        lines
    }

    fn contact(&self, contact: &Thing, line: &mut Line) {
        let why = self.absent(contact).or_else(|| {
            let role = self.settings.contact_role.as_deref();
            match self.settings.count_contacts.as_str() {
                _ if fold(&contact.card).contains(SHARED_MAILBOX) => Some("a shared mailbox".to_owned()),
                "all" => None,
                _ if !contact.active => Some("not active".to_owned()),
                "role" if contact.role.as_deref() != role => Some(format!("has not the role {}", role.unwrap_or("that counts"))),
                _ => None,
            }
        });
        match (why, self.settings.count_contacts.as_str(), &contact.role) {
            (Some(why), ..) => line.leave_out(contact, why),
            (None, "all", _) => line.count(contact, 1, "a contact"),
            (None, "role", Some(role)) => line.count(contact, 1, format!("an active contact with the role {role}")),
            (None, ..) => line.count(contact, 1, "an active contact"),
        }
    }

    fn device(&self, device: &Thing, line: &mut Line, backed_up: &mut Line, backup: &mut Line) {
        let archived = || (device.archived && self.settings.leave_out_archived).then(|| "archived".to_owned());
        if let Some(why) = self.absent(device).or_else(archived) {
            line.leave_out(device, why);
            return;
        }
        let kind = device.kind.replace('_', " ");
        line.count(device, 1, format!("a device of type {kind}"));
        if device.amount > 0 {
            backed_up.count(device, 1, format!("a {kind} with backup data"));
            backup.count(device, device.amount, format!("{} bytes of backup", device.amount));
        }
    }

    fn ticket(&self, ticket: &Thing, line: &mut Line) {
        if let Some(why) = self.absent(ticket) {
            line.leave_out(ticket, why);
        } else if ticket.amount > 0 {
            line.count(ticket, ticket.amount * 60, format!("{} minutes", ticket.amount));
        } else {
            match self.settings.default_ticket_hours_hundredths.filter(|hours| ticket.closed && *hours > 0) {
                Some(hours) => line.count(ticket, hours * 36, "closed without time: the default"),
                None => line.leave_out(ticket, "no time"),
            }
        }
    }
}

/// A managed count: a number, if it is one.
#[must_use]
pub fn managed(text: Option<&str>) -> Option<i64> {
    text?.trim().parse::<i64>().ok().filter(|count| (0..1_000_000).contains(count)).map(|count| count * ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_by_rounding_single_tickets() {
        let rule = RULES.iter().find(|rule| rule.key == "ticket_hours").unwrap();
        let mut line = Line::new(rule);
        for _ in 0..3 {
            line.count(&Thing::default(), 20 * 60, "20 minutes");
        }
        let plan = Plan { per_hour_ticket_cents: 9_000, ..Plan::default() };
        assert_eq!((line.counted, line.amount(&plan)), (1_000, 9_000));
    }

    #[test]
    fn of_what_a_plan_includes_only_the_rest_is_charged() {
        let rule = RULES.iter().find(|rule| rule.key == "backup_tb").unwrap();
        let mut line = Line::new(rule);
        line.billed = Some(500);
        line.count(&Thing::default(), 1 << 40, "a TB");
        let plan = Plan { backup_per_tb_cents: 1_500, ..Plan::default() };
        assert_eq!((line.counted, line.amount(&plan)), (1_000, 750));
    }
}
