//! Believable, fictional worlds, the same for the same plan.

use serde_json::{Value, json};

use super::State;
use super::records::{DELETED_DEVICES, alert, audit, device, site, uid, variable, vary};

/// How large a world to make.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many sites, beside the one of deleted devices.
    pub sites: usize,
    /// How many devices.
    pub devices: usize,
    /// How many alerts, two thirds of them resolved.
    pub alerts: usize,
    /// How many companies the stand-in Freshservice has, whose numbers the sites carry.
    pub companies: usize,
    /// Percentage of devices, sites and alerts that no specification allows.
    pub garbage_percent: usize,
    /// The time at which everything was seen last.
    pub now: i64,
    /// Whether devices have audits and programs.
    pub audits: bool,
}

/// The account number of the stand-in Freshservice's company of this place; every tenth has none.
pub fn account_number(company: usize) -> Option<String> {
    (company % 10 != 9).then(|| (100_000 + company * 7919 % 900_000).to_string())
}

/// The spellings of the variable's name that people type.
pub const SPELLINGS: [&str; 6] =
    ["AccountNumber", "accountnumber", "Account Number", "ACCOUNT_NUMBER", "account-number", " AccountNumber "];

const MAKES: [&str; 4] = ["LT", "WS", "SRV", "PC"];

impl Plan {
    /// A world of this size with as many companies as sites, without garbage.
    pub fn sized(sites: usize, devices: usize, alerts: usize) -> Self {
        let now = jiff::Timestamp::now().as_second();
        Self { sites, devices, alerts, companies: sites.max(1), garbage_percent: 0, now, audits: true }
    }

    /// The same beside a Freshservice with this many companies.
    #[must_use]
    pub fn beside(mut self, companies: usize) -> Self {
        self.companies = companies.max(1);
        self
    }

    /// The same with garbage among the records.
    #[must_use]
    pub fn with_garbage(mut self, percent: usize) -> Self {
        self.garbage_percent = percent;
        self
    }

    /// The same without audits, which take memory.
    #[must_use]
    pub fn without_audits(mut self) -> Self {
        self.audits = false;
        self
    }

    /// Makes the world.
    pub fn build(&self) -> State {
        let mut state = State { clock: self.now, ..State::default() };
        for number in 0..self.sites {
            let place = site(number, &format!("Site {number:04} - Main Office"));
            let variables = self.variables(number);
            state.variables.insert(uid(1, number), variables);
            state.sites.push(place);
        }
        for number in 0..self.devices {
            let home = &state.sites[number * 31 % self.sites.max(1)];
            let mut made = device(number, home, &format!("{}-A{number:05}", MAKES[number % 4]), self.now - 60);
            vary(&mut made, number, self.now);
            if number % 50 == 49 {
                made["hostname"] = json!("DESKTOP-SAME");
            }
            if self.audits {
                state.audits.insert(uid(2, number), audit(number));
                let programs = ["Archive Tool", "Browser", "Office Suite"].iter().enumerate();
                let programs = programs.map(|(at, name)| json!({"name": name, "version": format!("{}.{}", at + 1, number % 9)}));
                state.software.insert(uid(2, number), programs.collect());
            }
            state.devices.push(made);
        }
        for number in 0..self.alerts {
            let source = state.devices.get(number * 17 % state.devices.len().max(1)).cloned().unwrap_or_default();
            state.alerts.push(alert(number, &source, self.now, number % 3 != 0));
        }
        self.deleted(&mut state);
        self.spoil(&mut state);
        state
    }

    fn variables(&self, number: usize) -> Vec<Value> {
        let id = 900_000 + i64::try_from(number * 4).unwrap_or_default();
        let mut all = vec![variable(id, "Region", "North")];
        let company = number % self.companies;
        let Some(account) = account_number(company) else { return all };
        match number % 20 {
            7 => {}
            13 => all.push(variable(id + 1, "AccountNumber", &format!("9990{number:03}"))),
            17 => {
                all.push(variable(id + 1, "AccountNumber", &account));
                let other = account_number((company + 1) % self.companies).unwrap_or_else(|| "100000".to_owned());
                all.push(variable(id + 2, "accountnumber", &other));
            }
            3 => all.push(variable(id + 1, "AccountNumber", &format!("  {account} "))),
            kind => all.push(variable(id + 1, SPELLINGS[kind % SPELLINGS.len()], &account)),
        }
        all
    }

    /// The site of deleted devices, with three of them.
    fn deleted(&self, state: &mut State) {
        let grave = site(self.sites, DELETED_DEVICES);
        for number in 0..3_usize {
            let mut gone = device(self.devices + number, &grave, &format!("GONE-{number}"), self.now - 86_400 * 200);
            (gone["deleted"], gone["online"]) = (json!(true), json!(false));
            state.devices.push(gone);
        }
        state.sites.push(grave);
    }

    /// Makes some records worse than any specification allows, always the same ones.
    fn spoil(&self, state: &mut State) {
        if self.garbage_percent == 0 {
            return;
        }
        let every = (100 / self.garbage_percent).max(1);
        let chosen = |number: usize| number % every == every / 2;
        for (number, record) in state.devices.iter_mut().enumerate().filter(|(number, _)| chosen(*number)) {
            spoil_device(record, number / every);
        }
        for (number, record) in state.alerts.iter_mut().enumerate().filter(|(number, _)| chosen(*number)) {
            match number / every % 4 {
                0 => record["alertUid"] = Value::Null,
                1 => record["timestamp"] = json!("the day before"),
                2 => record["alertSourceInfo"] = Value::Null,
                _ => record["alertContext"] = json!("x".repeat(40_000)),
            }
        }
        let mut nameless = site(self.sites + 1, "");
        nameless["name"] = Value::Null;
        state.variables.insert(uid(1, self.sites + 1), Vec::new());
        state.sites.extend([Value::Null, json!({"uid": null, "name": "Without a uid"}), json!([]), nameless]);
        for (number, variables) in state.variables.values_mut().enumerate().filter(|(number, _)| chosen(*number)) {
            match number / every % 3 {
                0 => variables.push(Value::Null),
                1 => variables.push(json!({"id": "x", "name": 7, "value": [1]})),
                _ => variables.push(json!({"id": 1, "name": null, "value": null, "masked": "perhaps"})),
            }
        }
    }
}

fn spoil_device(record: &mut Value, kind: usize) {
    match kind % 12 {
        0 => record["hostname"] = Value::Null,
        1 => record["uid"] = Value::Null,
        2 => record["hostname"] = json!("ab ".repeat(20_000)),
        3 => record["hostname"] = json!("nul\u{0}host\u{1F600}"),
        4 => record["lastSeen"] = json!({"at": "noon"}),
        5 => record["udf"] = json!([1, 2, 3]),
        6 => *record = json!("a text where a device should be"),
        7 => record["deviceType"] = json!(7),
        8 => record["online"] = json!("yes"),
        9 => record["lastSeen"] = json!(9.9e300),
        10 => *record = Value::Null,
        _ => record["antivirus"] = json!([[["deep"]]]),
    }
}
