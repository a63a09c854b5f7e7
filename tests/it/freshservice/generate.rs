//! Believable, fictional records, the same for the same seed.

use serde_json::{Value, json};

use super::State;

/// How large a world to make.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many companies.
    pub departments: usize,
    /// How many people.
    pub requesters: usize,
    /// How many tickets.
    pub tickets: usize,
    /// How many assets.
    pub assets: usize,
    /// How many sites the stand-in Datto beside it has; the assets are where its devices are.
    pub sites: usize,
    /// Which of all such worlds.
    pub seed: u64,
    /// Freshservice for MSPs, with one workspace for each company.
    pub msp: bool,
}

/// What a careless or hostile system may put into any field.
pub const HOSTILE_VALUES: [&str; 14] = [
    "null",
    "\"\"",
    "\"   \"",
    "0",
    "-1",
    "1.5",
    "1e300",
    "true",
    "[]",
    "[null]",
    "[[1],{\"a\":2}]",
    "{\"deep\":{\"er\":[1]}}",
    "\"nul\\u0000 and \\ud83d\\ude00\"",
    "9223372036854775807",
];

const FIRST: [&str; 24] = [
    "Ava", "Noah", "Mia", "Liam", "Zoë", "Omar", "Ines", "Jonas", "Priya", "Mateo", "Freya", "Kenji", "Lucía", "Tariq", "Nora",
    "Emil", "Saoirse", "Dmitri", "Amara", "Håkon", "Leila", "Bram", "Chloé", "Tomasz",
];
const LAST: [&str; 24] = [
    "Patel",
    "Okafor",
    "Lindqvist",
    "Moreau",
    "García",
    "Novak",
    "Tanaka",
    "O'Neill",
    "Schmidt",
    "Rossi",
    "Kowalski",
    "Haddad",
    "Jensen",
    "Silva",
    "Nguyen",
    "Abara",
    "Müller",
    "Fischer",
    "Castellanos",
    "Weiss",
    "Ferreira",
    "Bakker",
    "Ito",
    "van der Berg",
];
const PLACE: [&str; 20] = [
    "Harbor",
    "Maple",
    "Summit",
    "Riverside",
    "Granite",
    "Lakeview",
    "Cedar",
    "Northwind",
    "Bluebird",
    "Orchard",
    "Copper",
    "Willow",
    "Juniper",
    "Meridian",
    "Falcon",
    "Prairie",
    "Beacon Hill",
    "Stonegate",
    "Evergreen",
    "Silver Creek",
];
const TRADE: [&str; 16] = [
    "Dental",
    "Law Group",
    "Logistics",
    "Veterinary",
    "Architects",
    "Accounting",
    "Foods",
    "Manufacturing",
    "Physiotherapy",
    "Realty",
    "Insurance",
    "Engineering",
    "Pediatrics",
    "Brewing",
    "Hardware",
    "Charter School",
];
const PLANS: [&str; 4] = ["Bronze", "Silver", "Gold", "Platinum"];
const TITLES: [&str; 8] =
    ["Office Manager", "Accountant", "Director", "Receptionist", "Technician", "Partner", "Nurse", "Purchasing Lead"];

/// A time of the world's clock in the vendor's form.
pub fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A company with every field that the vendor sends.
pub fn department(id: i64, name: &str, account_number: Option<i64>) -> Value {
    let slug: String = name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    json!({
        "id": id, "name": name, "description": null, "head_user_id": null, "head_name": null, "prime_user_id": null,
        "prime_user_name": null, "domains": [format!("{slug}.example.com")], "workspace_id": 2,
        "custom_fields": {
            "account_number": account_number, "plan_selected": "Gold", "managed_users": null, "contract_term": "2 years",
            "contract_start_date": "2024-01-15", "company_main_number": "555-0100", "address": "1 Main Street",
        },
        "created_at": "2023-02-03T19:05:39Z", "updated_at": "2026-01-01T00:00:00Z",
    })
}

/// A person with every field that the vendor sends.
pub fn requester(id: i64, first: &str, last: Option<&str>, email: Option<&str>, departments: &[i64]) -> Value {
    json!({
        "id": id, "first_name": first, "last_name": last, "job_title": null, "primary_email": email, "secondary_emails": [],
        "work_phone_number": null, "mobile_phone_number": null, "department_ids": departments, "department_names": null,
        "can_see_all_tickets_from_associated_departments": false, "can_see_all_changes_from_associated_departments": false,
        "reporting_manager_id": null, "address": null, "time_zone": "Eastern Time (US & Canada)", "time_format": "12h",
        "language": "en", "location_id": null, "location_name": null, "background_information": null,
        "custom_fields": {"user_number": null}, "active": true, "has_logged_in": false, "is_agent": false, "vip_user": false,
        "external_id": null, "work_schedule_id": null, "workspace_id": 2,
        "created_at": "2024-02-03T22:20:49Z", "updated_at": "2026-01-01T00:00:00Z",
    })
}

/// A vendor user.
pub fn agent(id: i64, first: &str, last: &str) -> Value {
    json!({
        "id": id, "first_name": first, "last_name": last, "email": format!("{}.{}@msp.example.com", first, last).to_lowercase(),
        "job_title": "Engineer", "active": true, "occasional": false, "department_ids": [], "group_ids": [], "member_of": [],
        "observer_of": [], "roles": [], "work_phone_number": null, "mobile_phone_number": null, "last_login_at": null,
        "last_active_at": null, "created_at": "2023-01-01T08:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
    })
}

/// The custom fields that the account defines on departments.
pub fn department_fields() -> Vec<Value> {
    let field = |name: &str, kind: &str| json!({"id": 1, "name": name, "label": name, "field_type": kind, "required": false});
    vec![
        field("account_number", "custom_number"),
        field("plan_selected", "custom_dropdown"),
        field("managed_users", "custom_number"),
        field("contract_term", "custom_text"),
        field("contract_start_date", "custom_date"),
        field("company_main_number", "custom_text"),
        field("address", "custom_text"),
    ]
}

impl Plan {
    /// A world of this size.
    pub fn sized(departments: usize, requesters: usize) -> Self {
        Self { departments, requesters, tickets: 0, assets: 0, sites: departments, seed: 7, msp: false }
    }

    /// The same with this many tickets.
    #[must_use]
    pub fn with_tickets(mut self, tickets: usize) -> Self {
        self.tickets = tickets;
        self
    }

    /// The same with this many assets.
    #[must_use]
    pub fn with_assets(mut self, assets: usize) -> Self {
        self.assets = assets;
        self
    }

    /// The same beside a stand-in Datto with so many sites, whose devices the assets are.
    #[must_use]
    pub fn beside(mut self, sites: usize) -> Self {
        self.sites = sites;
        self
    }

    /// Makes the world.
    pub fn build(&self) -> State {
        let mut state = State { msp: self.msp, ..State::default() };
        let mut ids = 21_000_100_000_i64;
        for number in 0..self.departments {
            ids += 7;
            let place = PLACE[(number + self.pick(number, 5)) % PLACE.len()];
            let mut name = format!("{place} {}", TRADE[number % TRADE.len()]);
            if state.departments.iter().any(|other| other["name"] == name) {
                name = format!("{} & {name}", LAST[number % LAST.len()]);
            }
            let account = (number % 10 != 9).then(|| 100_000 + i64::try_from(number * 7919 % 900_000).unwrap_or_default());
            let mut record = department(ids, &name, account);
            record["custom_fields"]["plan_selected"] = json!(PLANS[self.pick(number, PLANS.len())]);
            if self.msp {
                let workspace = number + 2;
                record["workspace_id"] = json!(workspace);
                if number > 0 {
                    state.workspaces.push(json!({"id": workspace, "name": name, "primary": false, "state": "active"}));
                }
            }
            state.departments.push(record);
        }
        for number in 0..self.requesters {
            let person = self.person(&state, number);
            state.requesters.push(person);
        }
        for number in 0..8_usize {
            let id = 21_000_900_010 + i64::try_from(number).unwrap_or_default();
            state.agents.push(agent(id, FIRST[number], LAST[number + 3]));
        }
        self.ticket_room(&mut state);
        self.asset_room(&mut state);
        state
    }

    fn person(&self, state: &State, number: usize) -> Value {
        let id = 39_002_500_000 + i64::try_from(number * 3).unwrap_or_default();
        let first = FIRST[self.pick(number, FIRST.len())];
        let last = LAST[self.pick(number * 31 + 5, LAST.len())];
        let home = state.departments.get(number % state.departments.len().max(1));
        let mut departments: Vec<i64> = home.iter().filter_map(|record| record["id"].as_i64()).collect();
        if number % 12 == 5 && !self.msp {
            let second = &state.departments[(number * 5 + 1) % state.departments.len()];
            departments.extend(second["id"].as_i64());
            departments.dedup();
        }
        if number % 60 == 59 {
            departments.clear();
        }
        let plain: String =
            format!("{first}.{last}").to_lowercase().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.').collect();
        let email = format!("{plain}{number}@example.com");
        let last = (number % 40 != 39).then_some(last);
        let mut record = requester(id, first, last, (number % 25 != 24).then_some(email.as_str()), &departments);
        record["job_title"] = json!(TITLES[self.pick(number * 3, TITLES.len())]);
        record["active"] = json!(number % 15 != 14);
        record["mobile_phone_number"] = json!(format!("555-{number:04}"));
        record["workspace_id"] = home.map_or(json!(2), |record| record["workspace_id"].clone());
        record
    }

    fn pick(&self, number: usize, choices: usize) -> usize {
        let mixed = (self.seed.wrapping_add(number as u64)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        usize::try_from(mixed).unwrap_or_default() % choices
    }
}
