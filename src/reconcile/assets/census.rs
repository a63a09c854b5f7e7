//! Which identifiers are on several live devices: those tell nothing, whatever they look like. Counted anew in each
//! run over everything that is known, as far as any asset that might be meant carries the identifier.

use std::collections::HashMap;

use super::matching::{Candidate, DeviceIdentifiers};

/// Who carries an identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bearer {
    /// An asset of ours.
    Asset(i64),
    /// A vendor's device that is no asset yet.
    Device(String),
}

/// From which side one looks. The same identifier once on each side is what makes two things one; twice on one
/// side it is on two devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The vendor's live devices.
    There,
    /// The live assets that were here before.
    Here,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    One(Bearer),
    Several,
}

/// Who carries each identifier.
#[derive(Debug, Default)]
pub struct Census {
    identifiers: HashMap<String, [Option<Seen>; 2]>,
}

impl Census {
    /// Of the identifiers of these assets; what none of them carries is not counted.
    #[must_use]
    pub fn of(candidates: &HashMap<i64, Vec<Candidate>>) -> Self {
        let mut census = Self::default();
        for candidate in candidates.values().flatten() {
            for key in keys(&candidate.identifiers) {
                census.identifiers.entry(key).or_default();
            }
        }
        for candidate in candidates.values().flatten().filter(|candidate| candidate.is_live()) {
            census.note(Side::Here, &Bearer::Asset(candidate.id), &candidate.identifiers);
        }
        census
    }

    /// Counts one device.
    pub fn note(&mut self, side: Side, bearer: &Bearer, identifiers: &DeviceIdentifiers) {
        for key in keys(identifiers) {
            let Some(seen) = self.identifiers.get_mut(&key) else { continue };
            let seen = if side == Side::There { &mut seen[0] } else { &mut seen[1] };
            match seen {
                None => *seen = Some(Seen::One(bearer.clone())),
                Some(Seen::One(known)) if known != bearer => *seen = Some(Seen::Several),
                Some(_) => {}
            }
        }
    }

    fn is_shared(&self, key: &str) -> bool {
        self.identifiers.get(key).is_some_and(|seen| seen.contains(&Some(Seen::Several)))
    }

    /// These identifiers without those that several devices carry.
    #[must_use]
    pub fn telling(&self, identifiers: &DeviceIdentifiers) -> DeviceIdentifiers {
        let mut telling = identifiers.clone();
        telling.serial = telling.serial.filter(|serial| !self.is_shared(&serial_key(serial)));
        telling.macs.retain(|mac| !self.is_shared(&mac_key(mac)));
        telling
    }

    /// Whether several devices bear this name.
    #[must_use]
    pub fn is_common_name(&self, identifiers: &DeviceIdentifiers) -> bool {
        self.is_shared(&name_key(identifiers))
    }
}

fn serial_key(serial: &str) -> String {
    format!("s{serial}")
}

fn mac_key(mac: &str) -> String {
    format!("m{mac}")
}

fn name_key(identifiers: &DeviceIdentifiers) -> String {
    format!("h{}", identifiers.hostname.full)
}

fn keys(identifiers: &DeviceIdentifiers) -> Vec<String> {
    let mut keys: Vec<String> = identifiers.macs.iter().map(|mac| mac_key(mac)).collect();
    keys.extend(identifiers.serial.as_deref().map(serial_key));
    if !identifiers.hostname.is_empty() {
        keys.push(name_key(identifiers));
    }
    keys
}
