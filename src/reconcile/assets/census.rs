//! Which marks are on several live devices: those tell nothing, whatever they look like. Counted anew in each
//! run over everything that is known, as far as any asset that might be meant carries the mark.

use std::collections::HashMap;

use super::matching::{Candidate, Marks};

/// Who carries a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bearer {
    /// An asset of ours.
    Asset(i64),
    /// A vendor's device that is no asset yet.
    Device(String),
}

/// From which side one looks. The same mark once on each side is what makes two things one; twice on one
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

/// Who carries each mark.
#[derive(Debug, Default)]
pub struct Census {
    marks: HashMap<String, [Option<Seen>; 2]>,
}

impl Census {
    /// Of the marks of these assets; what none of them carries is not counted.
    #[must_use]
    pub fn of(candidates: &HashMap<i64, Vec<Candidate>>) -> Self {
        let mut census = Self::default();
        for candidate in candidates.values().flatten() {
            for key in keys(&candidate.marks) {
                census.marks.entry(key).or_default();
            }
        }
        for candidate in candidates.values().flatten().filter(|candidate| candidate.is_live()) {
            census.note(Side::Here, &Bearer::Asset(candidate.id), &candidate.marks);
        }
        census
    }

    /// Counts one device.
    pub fn note(&mut self, side: Side, bearer: &Bearer, marks: &Marks) {
        for key in keys(marks) {
            let Some(seen) = self.marks.get_mut(&key) else { continue };
            let seen = if side == Side::There { &mut seen[0] } else { &mut seen[1] };
            match seen {
                None => *seen = Some(Seen::One(bearer.clone())),
                Some(Seen::One(known)) if known != bearer => *seen = Some(Seen::Several),
                Some(_) => {}
            }
        }
    }

    fn is_shared(&self, key: &str) -> bool {
        self.marks.get(key).is_some_and(|seen| seen.contains(&Some(Seen::Several)))
    }

    /// These marks without those that several devices carry.
    #[must_use]
    pub fn telling(&self, marks: &Marks) -> Marks {
        let mut telling = marks.clone();
        telling.serial = telling.serial.filter(|serial| !self.is_shared(&serial_key(serial)));
        telling.macs.retain(|mac| !self.is_shared(&mac_key(mac)));
        telling
    }

    /// Whether several devices bear this name.
    #[must_use]
    pub fn is_common_name(&self, marks: &Marks) -> bool {
        self.is_shared(&name_key(marks))
    }
}

fn serial_key(serial: &str) -> String {
    format!("s{serial}")
}

fn mac_key(mac: &str) -> String {
    format!("m{mac}")
}

fn name_key(marks: &Marks) -> String {
    format!("h{}", marks.hostname.full)
}

fn keys(marks: &Marks) -> Vec<String> {
    let mut keys: Vec<String> = marks.macs.iter().map(|mac| mac_key(mac)).collect();
    keys.extend(marks.serial.as_deref().map(serial_key));
    if !marks.hostname.is_empty() {
        keys.push(name_key(marks));
    }
    keys
}
