//! What happens at the vendor between two pulls.

use serde_json::{Value, json};

use super::{DELETED_DEVICES, State, records};

impl State {
    /// The uids of the sites or the devices that still have one.
    pub fn uids(&self, list: &str) -> Vec<String> {
        let list = if list == "sites" { &self.sites } else { &self.devices };
        list.iter().filter_map(|record| record["uid"].as_str()).map(str::to_owned).collect()
    }

    /// The site of deleted devices.
    pub fn grave(&self) -> String {
        let found = self.sites.iter().find(|site| site["name"] == DELETED_DEVICES);
        found.and_then(|site| site["uid"].as_str()).expect("a site of deleted devices").to_owned()
    }

    /// Changes the site or the device with this uid.
    pub fn change(&mut self, uid: &str, change: impl FnOnce(&mut Value)) {
        let found = self.sites.iter_mut().chain(&mut self.devices).find(|record| record["uid"] == uid);
        change(found.unwrap_or_else(|| panic!("the world has no record {uid}")));
    }

    /// Gives a device another name.
    pub fn rename(&mut self, device: &str, hostname: &str) {
        self.change(device, |record| record["hostname"] = json!(hostname));
    }

    /// Puts a device into another site.
    pub fn move_device(&mut self, device: &str, site: &str) {
        let home = self.sites.iter().find(|record| record["uid"] == site).cloned().expect("the site to move to");
        self.change(device, |record| {
            record["siteId"] = home["id"].clone();
            record["siteUid"] = home["uid"].clone();
            record["siteName"] = home["name"].clone();
        });
    }

    /// Makes a device vanish for good, with its audit and its alerts.
    pub fn remove_device(&mut self, device: &str) {
        self.devices.retain(|record| record["uid"] != device);
        self.audits.remove(device);
        self.software.remove(device);
        self.alerts.retain(|alert| alert["alertSourceInfo"]["deviceUid"] != device);
    }

    /// Puts a device where the vendor keeps deleted ones.
    pub fn bury_device(&mut self, device: &str) {
        let grave = self.grave();
        self.move_device(device, &grave);
        self.change(device, |record| (record["deleted"], record["online"]) = (json!(true), json!(false)));
    }

    /// Makes a site vanish with all its devices.
    pub fn remove_site(&mut self, site: &str) {
        let devices: Vec<String> = self.devices_of(site);
        devices.iter().for_each(|device| self.remove_device(device));
        self.sites.retain(|record| record["uid"] != site);
        self.variables.remove(site);
    }

    /// The devices of a site.
    pub fn devices_of(&self, site: &str) -> Vec<String> {
        let here = self.devices.iter().filter(|record| record["siteUid"] == site);
        here.filter_map(|record| record["uid"].as_str()).map(str::to_owned).collect()
    }

    /// Adds a device to a site; gives its uid.
    pub fn add_device(&mut self, number: usize, site: &str, hostname: &str) -> String {
        let home = self.sites.iter().find(|record| record["uid"] == site).cloned().expect("the site of the new device");
        let made = records::device(number, &home, hostname, self.clock);
        let uid = records::uid(2, number);
        self.devices.push(made);
        self.audits.insert(uid.clone(), records::audit(number));
        uid
    }

    /// Adds a site with an account number, when there is one; gives its uid.
    pub fn add_site(&mut self, number: usize, name: &str, account: Option<&str>) -> String {
        let uid = records::uid(1, number);
        self.sites.push(records::site(number, name));
        let id = 950_000 + i64::try_from(number).unwrap_or_default();
        let variables = account.map(|account| records::variable(id, "AccountNumber", account));
        self.variables.insert(uid.clone(), variables.into_iter().collect());
        uid
    }

    /// Writes a site's account number at the vendor, in place of whatever it had.
    pub fn renumber(&mut self, site: &str, account: &str) {
        let id = 980_000 + i64::try_from(self.variables.len()).unwrap_or_default();
        self.variables.insert(site.to_owned(), vec![records::variable(id, "AccountNumber", account)]);
    }

    /// The value of the site's `AccountNumber`, spelled so.
    pub fn account_of(&self, site: &str) -> Option<String> {
        let variables = self.variables.get(site)?;
        let found = variables.iter().find(|variable| variable["name"] == "AccountNumber")?;
        found["value"].as_str().map(str::to_owned)
    }
}
