//! What is counted of a company in a month, by which rule, and what is left out and why.

use std::collections::HashMap;

use serde::Serialize;

use super::model::{BILLED_HOURLY, Plan};
use crate::{
    companies::Company,
    db::Value,
    entity::Members,
    types::{decimal, fold},
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

/// A count that a company is billed for by itself, whatever there is.
#[derive(Debug)]
pub struct Managed {
    /// Its name in JSON.
    pub key: &'static str,
    /// Its name for people.
    pub label: &'static str,
    said: fn(&Company) -> Option<&str>,
    /// Whether it is the count of one line; the others are of several together.
    is_of_a_line: bool,
}

impl Managed {
    /// How much a company is billed for, when that is a number; in thousandths.
    #[must_use]
    pub fn of(&self, company: &Company) -> Option<i64> {
        let count = (self.said)(company)?.trim().parse::<i64>().ok();
        count.filter(|count| (0..1_000_000).contains(count)).map(|count| count * ONE)
    }
}

static USERS: Managed = Managed {
    key: "managed_users",
    label: "Managed users",
    said: |company| company.managed_users.as_deref(),
    is_of_a_line: true,
};
static DEVICES: Managed = Managed {
    key: "managed_devices",
    label: "Managed devices",
    said: |company| company.managed_devices.as_deref(),
    is_of_a_line: false,
};
static NETWORK: Managed = Managed {
    key: "managed_network",
    label: "Managed network",
    said: |company| company.managed_network.as_deref(),
    is_of_a_line: false,
};

/// The managed counts that several lines make together.
pub static TOTALS: [&Managed; 2] = [&DEVICES, &NETWORK];

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
    cost: fn(&Plan) -> i64,
    /// How many of the units in which it is measured make one: seconds of an hour, bytes of a TB.
    units_of_one: i64,
    /// How much of it a plan includes, in thousandths: only what is more is charged.
    included: Option<fn(&Plan) -> i64>,
    /// The managed count that it is, or is a part of.
    managed: Option<&'static Managed>,
    /// Whether only plans are charged for it whose support is billed by the hour.
    is_by_the_hour: bool,
    /// Whether it looks once more at what another line counts: what is left out is left out there.
    pub is_of_counted: bool,
}

/// What most lines have in common: whole things, each of which is charged.
const WHOLE: Rule = Rule {
    key: "",
    label: "",
    counts: "",
    cost: |_| 0,
    units_of_one: 1,
    included: None,
    managed: None,
    is_by_the_hour: false,
    is_of_counted: false,
};

impl Rule {
    /// Whether what it counts is part of this total.
    #[must_use]
    pub fn is_of(&self, total: &str) -> bool {
        self.managed.is_some_and(|managed| managed.key == total)
    }

    /// The field of a company that says how much of this line is billed, where one does.
    #[must_use]
    pub fn said_by(&self) -> Option<&'static str> {
        self.managed.filter(|managed| managed.is_of_a_line).map(|managed| managed.key)
    }

    /// So many units as a quantity, in thousandths.
    fn quantity(&self, units: i128) -> i64 {
        let per = i128::from(self.units_of_one);
        i64::try_from(nearest(units * i128::from(ONE), per)).unwrap_or(i64::MAX)
    }

    /// Whether it is a part of this managed count, which is of several lines.
    #[must_use]
    pub fn is_part_of(&self, total: &Managed) -> bool {
        self.managed.is_some_and(|managed| managed.key == total.key)
    }
}

/// A quotient, rounded; a half goes up.
fn nearest(units: i128, per: i128) -> i128 {
    (units + per / 2).div_euclid(per)
}

/// What a plan charges a month for one device of this type, in cents; none for a type that no line counts.
#[must_use]
pub fn per_device_cents(plan: &Plan, kind: &str) -> Option<i64> {
    match kind {
        "workstation" | "laptop" => Some(plan.per_workstation_cents),
        "server" => Some(plan.per_server_cents),
        "virtual_machine" => Some(plan.per_vm_cents),
        _ => None,
    }
}

/// Whether time on tickets is charged at this support level; a plan without any is billed by the hour.
#[must_use]
pub fn is_billed_hourly(support_level: Option<&str>) -> bool {
    let level = support_level.map(fold).filter(|level| !level.is_empty());
    level.is_none_or(|level| level == fold(BILLED_HOURLY))
}

/// Every line, in the order of a bill; `README.md` has the same table.
pub static RULES: [Rule; 10] = [
    Rule {
        key: "users",
        label: "Users",
        counts: "Contacts of the company who are active; by its settings all of them, or active ones with a role.",
        cost: |plan| plan.per_user_cents,
        managed: Some(&USERS),
        ..WHOLE
    },
    Rule {
        key: "workstations",
        label: "Workstations",
        counts: "Assets of type workstation or laptop.",
        cost: |plan| plan.per_workstation_cents,
        managed: Some(&DEVICES),
        ..WHOLE
    },
    Rule {
        key: "servers",
        label: "Servers",
        counts: "Assets of type server; by its settings virtual machines too.",
        cost: |plan| plan.per_server_cents,
        managed: Some(&DEVICES),
        ..WHOLE
    },
    Rule {
        key: "vms",
        label: "Virtual machines",
        counts: "Assets of type virtual machine, unless they count as servers.",
        cost: |plan| plan.per_vm_cents,
        managed: Some(&DEVICES),
        ..WHOLE
    },
    Rule {
        key: "switches",
        label: "Switches",
        counts: "Network equipment of type switch.",
        cost: |plan| plan.per_switch_cents,
        managed: Some(&NETWORK),
        ..WHOLE
    },
    Rule {
        key: "firewalls",
        label: "Firewalls",
        counts: "Network equipment of type firewall.",
        cost: |plan| plan.per_firewall_cents,
        managed: Some(&NETWORK),
        ..WHOLE
    },
    Rule {
        key: "backup_workstations",
        label: "Backed-up workstations",
        counts: "Counted workstations with backup data.",
        cost: |plan| plan.backup_workstation_cents,
        is_of_counted: true,
        ..WHOLE
    },
    Rule {
        key: "backup_servers",
        label: "Backed-up servers",
        counts: "Counted servers and virtual machines with backup data.",
        cost: |plan| plan.backup_server_cents,
        is_of_counted: true,
        ..WHOLE
    },
    Rule {
        key: "backup_tb",
        label: "Backup, in TB",
        counts: "Backup data of all counted devices, in bytes; the plan's included part is billed already.",
        cost: |plan| plan.backup_per_tb_cents,
        units_of_one: 1 << 40,
        included: Some(Plan::included_milli_tb),
        is_of_counted: true,
        ..WHOLE
    },
    Rule {
        key: "ticket_hours",
        label: "Ticket hours",
        counts: "Time on tickets that were last changed in the month, without what earlier months have counted of it: less than that is a credit. By its settings closed tickets without any count as a default. Charged where support is billed hourly.",
        cost: |plan| plan.per_hour_ticket_cents,
        units_of_one: 3_600,
        is_by_the_hour: true,
        ..WHOLE
    },
];

/// What was looked at for a line.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = BillingReceipt)]
pub struct Receipt {
    /// The noun of the record.
    pub entity: &'static str,
    /// Which one.
    pub id: i64,
    /// What it is called, as far as the reader may know.
    pub name: String,
    /// How much of the line it is; in thousandths.
    #[schema(value_type = f64)]
    #[serde(serialize_with = "in_ones")]
    pub quantity: i64,
    /// By which rule it was counted, or why it was left out.
    pub why: String,
}

/// Thousandths as JSON has them.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
fn in_ones<S: serde::Serializer>(quantity: &i64, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_f64(decimal::number(*quantity, 3))
}

/// A line with its receipts. Quantities are thousandths.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it is.
    pub rule: &'static Rule,
    /// The same before it is rounded, in the units in which the rule is measured.
    units: i128,
    /// How much there is.
    pub counted: i64,
    /// How much is billed, where the plan or a managed count says so.
    pub billed: Option<i64>,
    /// What one of it costs by the plan, in cents.
    pub unit: Option<i64>,
    /// What it costs by the plan, in cents; below zero for a credit.
    pub amount: Option<i64>,
    /// Why it costs something else than its count says.
    pub note: Option<String>,
    /// What was counted.
    pub receipts: Vec<Receipt>,
    /// What was not.
    pub left_out: Vec<Receipt>,
}

impl Line {
    fn new(rule: &'static Rule) -> Self {
        let (receipts, left_out) = (Vec::new(), Vec::new());
        Self { rule, units: 0, counted: 0, billed: None, unit: None, amount: None, note: None, receipts, left_out }
    }

    /// How much more there is than is billed.
    #[must_use]
    pub fn difference(&self) -> Option<i64> {
        self.billed.map(|billed| self.counted - billed)
    }

    /// Whether something else is billed than there is. What a plan includes is billed whatever there is.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.rule.included.is_none() && self.difference().is_some_and(|more| more != 0)
    }

    /// Says what of it is billed, and what it costs by the plan.
    pub fn price(&mut self, company: &Company, plan: Option<&Plan>, support_level: Option<&str>) {
        let included = self.rule.included.and_then(|included| plan.map(included));
        let own = self.rule.managed.filter(|managed| managed.is_of_a_line).and_then(|managed| managed.of(company));
        self.billed = own.or(included);
        self.unit = plan.map(self.rule.cost);
        let is_charged = !self.rule.is_by_the_hour || is_billed_hourly(support_level);
        self.amount = self.unit.map(|unit| if is_charged { self.cost(unit, included.unwrap_or_default()) } else { 0 });
        self.note = (!is_charged).then(|| format!("not charged: the support level is {}", support_level.unwrap_or_default()));
    }

    /// What so much costs, in cents: of what a plan includes only what is more.
    fn cost(&self, unit: i64, included: i64) -> i64 {
        let per = i128::from(self.rule.units_of_one);
        let included = i128::from(included) * per / i128::from(ONE);
        // What is not used of what a plan includes is no credit; time that earlier months have counted too much is one.
        let more = if included > 0 { (self.units - included).max(0) } else { self.units };
        // Multiplied first: what is rounded on the way is missing from the bill.
        i64::try_from(nearest(more * i128::from(unit), per)).unwrap_or(i64::MAX)
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

/// Something that may be counted, as it was at the end of the month.
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
    /// Why it was not the company's at the end of the month, or not any more.
    pub absent: Option<String>,
    /// Whether it is archived; a device's.
    pub archived: bool,
    /// A contact's.
    pub active: bool,
    /// A contact's in this company.
    pub role: Option<String>,
    /// What it says on a contact's card, and how they are employed.
    pub card: String,
    /// Bytes of backup, or minutes of work.
    pub amount: i64,
    /// A ticket's.
    pub sheet: Sheet,
}

/// What is known of a ticket's time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sheet {
    /// Whether its time sheet has been read.
    pub is_read: bool,
    /// Whether it is closed.
    pub is_closed: bool,
    /// The minutes that earlier months have counted.
    pub earlier: i64,
    /// Whether it was closed without time in an earlier month, which has counted the default for it.
    pub was_closed: bool,
}

impl Thing {
    fn receipt(&self, quantity: i64, why: String) -> Receipt {
        Receipt { entity: self.entity, id: self.id, name: self.name.clone(), quantity, why }
    }
}

/// One of something, in thousandths.
const ONE: i64 = 1_000;

/// What there was of a company at the end of a month.
#[derive(Clone, Debug, Default)]
pub struct Things {
    /// Its people.
    pub contacts: Vec<Thing>,
    /// Its devices.
    pub devices: Vec<Thing>,
    /// Its network equipment.
    pub gear: Vec<Thing>,
    /// Its tickets that were last changed in the month.
    pub tickets: Vec<Thing>,
}

/// How a company is counted.
pub struct Counting<'a> {
    /// Its settings.
    pub settings: &'a Settings,
    /// Whether archived devices of all companies are left out.
    pub without_archived: bool,
    /// What is left out by hand, with the reason as far as the reader may know it.
    pub excluded: HashMap<(String, i64), Option<String>>,
}

/// A contact whom nobody uses: its card says so.
const SHARED_MAILBOX: &str = "shared mailbox";

impl Counting<'_> {
    /// Why a thing is left out, whatever line it is for.
    fn absent(&self, thing: &Thing) -> Option<String> {
        let by_hand = self.excluded.get(&(thing.entity.to_owned(), thing.id));
        let said = |reason: &Option<String>| match reason {
            Some(reason) => format!("excluded by hand: {reason}"),
            None => "excluded by hand".to_owned(),
        };
        by_hand.map(said).or_else(|| thing.absent.clone())
    }

    /// The lines of the month.
    #[must_use]
    pub fn lines(&self, things: &Things) -> Vec<Line> {
        let mut lines: Vec<Line> = RULES.iter().map(Line::new).collect();
        if let [users, workstations, servers, vms, switches, firewalls, backup_workstations, backup_servers, backup, hours] =
            lines.as_mut_slice()
        {
            things.contacts.iter().for_each(|contact| self.contact(contact, users));
            for device in &things.devices {
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
            for one in &things.gear {
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
            things.tickets.iter().for_each(|ticket| self.ticket(ticket, hours));
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
        let archived =
            || (device.archived && (self.without_archived || self.settings.leave_out_archived)).then(|| "archived".to_owned());
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

    /// What a ticket counts for in a month is what it comes to at its end, less what that was before: over the months each
    /// ticket comes to what is known of it last, whatever was corrected on the way.
    fn ticket(&self, ticket: &Thing, line: &mut Line) {
        let Sheet { is_read, is_closed, earlier, was_closed } = ticket.sheet;
        // In seconds: the default is in hundredths of an hour.
        let default = self.settings.default_ticket_hours_hundredths.unwrap_or_default().max(0) * 36;
        let in_all = |minutes: i64, is_closed: bool| if minutes == 0 && is_closed { default } else { minutes * 60 };
        let (before, now) = (in_all(earlier, was_closed), in_all(ticket.amount, is_read && is_closed));
        let is_default = ticket.amount == 0 && now > 0;
        // Sixths of a minute are tenths of one.
        let minutes = |seconds: i64| decimal::plain(seconds / 6, 1);
        let which = if earlier == 0 && before > 0 { " (the default)" } else { "" };
        let said = format!("{} in all, of which earlier months have counted {}{which}", minutes(now), minutes(before));
        if let Some(why) = self.absent(ticket) {
            line.leave_out(ticket, why);
        } else if !is_read && ticket.amount == 0 {
            line.leave_out(ticket, "its time sheet has not been read yet");
        } else if now > before {
            let why = match (is_default, before) {
                (true, _) => "closed without time: the default".to_owned(),
                (false, 0) => format!("{} minutes", minutes(now)),
                (false, _) => format!("{} minutes: {said}", minutes(now - before)),
            };
            line.count(ticket, now - before, why);
        } else if now < before {
            line.count(ticket, now - before, format!("a credit of {} minutes: {said}", minutes(before - now)));
        } else if is_default {
            line.leave_out(ticket, "closed without time in an earlier month, which has counted it");
        } else if before > 0 {
            line.leave_out(ticket, format!("no more than the {} minutes that earlier months have counted", minutes(before)));
        } else {
            line.leave_out(ticket, "no time");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(key: &str) -> Line {
        Line::new(RULES.iter().find(|rule| rule.key == key).unwrap())
    }

    #[test]
    fn nothing_is_lost_by_rounding_single_tickets() {
        let mut line = line("ticket_hours");
        for _ in 0..3 {
            line.count(&Thing::default(), 20 * 60, "20 minutes");
        }
        let plan = Plan { per_hour_ticket_cents: 9_000, ..Plan::default() };
        line.price(&Company::default(), Some(&plan), None);
        assert_eq!((line.counted, line.amount), (1_000, Some(9_000)));
    }

    #[test]
    fn hours_are_charged_where_support_is_billed_hourly() {
        let mut line = line("ticket_hours");
        line.count(&Thing::default(), 3_600, "60 minutes");
        let plan = Plan { per_hour_ticket_cents: 9_000, ..Plan::default() };
        for (level, amount) in
            [(None, 9_000), (Some(""), 9_000), (Some("billed hourly"), 9_000), (Some("All Inclusive"), 0), (Some("Unlimited"), 0)]
        {
            line.price(&Company::default(), Some(&plan), level);
            assert_eq!((line.amount, line.note.is_some()), (Some(amount), amount == 0), "{level:?}");
        }
    }

    #[test]
    fn what_earlier_months_have_counted_too_much_is_a_credit() {
        let settings = Settings { default_ticket_hours_hundredths: Some(25), ..Settings::usual(1) };
        let counting = Counting { settings: &settings, without_archived: false, excluded: HashMap::new() };
        let plan = Plan { per_hour_ticket_cents: 6_000, ..Plan::default() };
        let closed = |was_closed| Sheet { is_read: true, is_closed: true, earlier: 0, was_closed };
        let worked = |earlier| Sheet { earlier, ..closed(false) };
        for (minutes, sheet, counted, amount) in [
            (60, closed(true), 750, 4_500),
            (10, closed(true), -83, -500),
            (15, closed(true), 0, 0),
            (0, closed(true), 0, 0),
            (0, Sheet { is_closed: false, ..closed(true) }, -250, -1_500),
            (0, closed(false), 250, 1_500),
            (30, worked(60), -500, -3_000),
            (0, worked(60), -750, -4_500),
            (90, worked(60), 500, 3_000),
        ] {
            let mut line = line("ticket_hours");
            counting.ticket(&Thing { amount: minutes, sheet, ..Thing::default() }, &mut line);
            line.price(&Company::default(), Some(&plan), None);
            assert_eq!((line.counted, line.amount), (counted, Some(amount)), "{minutes} {sheet:?}");
        }
    }

    #[test]
    fn of_what_a_plan_includes_only_the_rest_is_charged() {
        let mut line = line("backup_tb");
        line.count(&Thing::default(), 1 << 40, "a TB");
        let plan = Plan { backup_per_tb_cents: 1_500, backup_included_milli_tb: Some(500), ..Plan::default() };
        line.price(&Company::default(), Some(&plan), None);
        assert_eq!((line.counted, line.billed, line.amount, line.differs()), (1_000, Some(500), Some(750), false));
    }
}
