//! Whether a new device is one of the assets that a company has already: an explainable score over
//! serial number, network address and hostname. Pure.

use std::collections::{HashMap, HashSet};

use crate::types::fold;

/// What the same serial number is worth.
const SERIAL: i32 = 60;
/// What a shared network address is worth.
const MAC: i32 = 50;
/// What the same hostname is worth; alone it is just enough.
const HOSTNAME: i32 = 40;
/// What two different serial numbers take away: same name or address, but another machine.
const OTHER_SERIAL: i32 = 50;
/// The least that makes two things one.
const ENOUGH: i32 = 40;
/// By how much the best must lead.
const LEAD: i32 = 20;
/// How many candidates a review names.
const NAMED: usize = 10;

/// What tells a device from others, already cleaned of what says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Folded.
    pub hostname: String,
    /// As [`super::marks::serial`] gives it.
    pub serial: Option<String>,
    /// As [`super::marks::mac`] gives them.
    pub macs: Vec<String>,
}

impl Marks {
    /// Marks of raw values.
    #[must_use]
    pub fn of(hostname: &str, serial: Option<&str>, macs: &[String]) -> Self {
        let mut macs: Vec<String> = macs.iter().filter_map(|text| super::marks::mac(text)).collect();
        macs.sort();
        macs.dedup();
        Self { hostname: fold(hostname), serial: serial.and_then(super::marks::serial), macs }
    }
}

/// An asset that no record of this vendor is linked to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// Its id.
    pub id: i64,
    /// Its name, for people.
    pub name: String,
    /// What tells it from others.
    pub marks: Marks,
}

/// A device that is linked to nothing yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Newcomer {
    /// The vendor's id.
    pub external_id: String,
    /// Its company.
    pub company: i64,
    /// What tells it from others.
    pub marks: Marks,
}

/// What a newcomer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This asset, and why.
    Adopt(i64, String),
    /// One of these, and why that cannot be said for certain: (asset, its name, what is alike).
    Unsure(String, Vec<(i64, String, String)>),
}

/// How alike two things are, and in what; `None` when nothing is.
fn score(newcomer: &Marks, candidate: &Marks) -> Option<(i32, String)> {
    let mut points = 0;
    let mut alike = Vec::new();
    match (&newcomer.serial, &candidate.serial) {
        (Some(a), Some(b)) if a == b => {
            points += SERIAL;
            alike.push(format!("same serial number {}", a.to_uppercase()));
        }
        (Some(_), Some(_)) => points -= OTHER_SERIAL,
        _ => {}
    }
    if let Some(shared) = newcomer.macs.iter().find(|mac| candidate.macs.contains(mac)) {
        points += MAC;
        alike.push(format!("same network address {shared}"));
    }
    if !newcomer.hostname.is_empty() && newcomer.hostname == candidate.hostname {
        points += HOSTNAME;
        alike.push(format!("same hostname {}", newcomer.hostname));
    }
    if alike.is_empty() {
        return None;
    }
    Some((points, format!("{} (score {points})", alike.join(", "))))
}

/// Decides about every newcomer; those that are like nothing are not in the answer. A device and an
/// asset become one only when each is the other's clear best.
#[must_use]
pub fn decide(newcomers: &[Newcomer], candidates: &HashMap<i64, Vec<Candidate>>) -> HashMap<String, Verdict> {
    let common = common_macs(newcomers);
    let index: HashMap<i64, Index<'_>> = candidates.iter().map(|(company, all)| (*company, Index::of(all))).collect();
    let mut pairs: Vec<(usize, &Candidate, i32, String)> = Vec::new();
    for (at, newcomer) in newcomers.iter().enumerate() {
        let Some(index) = index.get(&newcomer.company) else { continue };
        let mut marks = newcomer.marks.clone();
        marks.macs.retain(|mac| !common.contains(mac.as_str()));
        for candidate in index.alike(&marks) {
            if let Some((points, why)) = score(&marks, &candidate.marks).filter(|(points, _)| *points >= ENOUGH) {
                pairs.push((at, candidate, points, why));
            }
        }
    }
    let mut by_newcomer: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut by_candidate: HashMap<i64, Vec<usize>> = HashMap::new();
    for (pair, (at, candidate, _, _)) in pairs.iter().enumerate() {
        by_newcomer.entry(*at).or_default().push(pair);
        by_candidate.entry(candidate.id).or_default().push(pair);
    }
    let leads = |pair: usize, rivals: &[usize]| {
        rivals
            .iter()
            .all(|rival| *rival == pair || pairs.get(pair).zip(pairs.get(*rival)).is_some_and(|(a, b)| a.2 >= b.2 + LEAD))
    };
    let mut verdicts = HashMap::new();
    for (at, mine) in &by_newcomer {
        let Some(newcomer) = newcomers.get(*at) else { continue };
        let clear = mine.iter().copied().find(|pair| leads(*pair, mine));
        let sure = clear.filter(|pair| {
            pairs.get(*pair).and_then(|(_, candidate, _, _)| by_candidate.get(&candidate.id)).is_some_and(|all| leads(*pair, all))
        });
        let verdict = match sure.and_then(|pair| pairs.get(pair)) {
            Some((_, candidate, _, why)) => Verdict::Adopt(candidate.id, why.clone()),
            None => unsure(mine.iter().filter_map(|pair| pairs.get(*pair)), clear.is_some()),
        };
        verdicts.insert(newcomer.external_id.clone(), verdict);
    }
    // What lost a candidate to a clearly better device is simply new.
    let taken: HashSet<i64> =
        verdicts.values().filter_map(|v| if let Verdict::Adopt(id, _) = v { Some(*id) } else { None }).collect();
    verdicts.retain(|_, verdict| match verdict {
        Verdict::Adopt(..) => true,
        Verdict::Unsure(_, candidates) => {
            candidates.retain(|(id, _, _)| !taken.contains(id));
            !candidates.is_empty()
        }
    });
    verdicts
}

fn unsure<'p>(pairs: impl Iterator<Item = &'p (usize, &'p Candidate, i32, String)>, rivals: bool) -> Verdict {
    let mut found: Vec<(i32, i64, String, String)> =
        pairs.map(|(_, candidate, points, why)| (*points, candidate.id, candidate.name.clone(), why.clone())).collect();
    found.sort_by_key(|(points, id, _, _)| (-points, *id));
    let reason = if rivals {
        "an asset here may be this device, and other devices are as much like it".to_owned()
    } else {
        format!("{} assets here may be this device", found.len())
    };
    Verdict::Unsure(reason, found.into_iter().take(NAMED).map(|(_, id, name, why)| (id, name, why)).collect())
}

/// Addresses that several of the newcomers have: a dock's, not a device's.
fn common_macs(newcomers: &[Newcomer]) -> HashSet<String> {
    let mut seen: HashMap<&str, u32> = HashMap::new();
    for mac in newcomers.iter().flat_map(|newcomer| &newcomer.marks.macs) {
        *seen.entry(mac).or_default() += 1;
    }
    seen.into_iter().filter(|(_, count)| *count > 1).map(|(mac, _)| mac.to_owned()).collect()
}

/// A company's candidates by each of their marks.
#[derive(Default)]
struct Index<'c> {
    by_mark: HashMap<String, Vec<&'c Candidate>>,
}

impl<'c> Index<'c> {
    fn of(candidates: &'c [Candidate]) -> Self {
        let mut index = Self::default();
        for candidate in candidates {
            for key in keys(&candidate.marks) {
                index.by_mark.entry(key).or_default().push(candidate);
            }
        }
        index
    }

    fn alike(&self, marks: &Marks) -> Vec<&'c Candidate> {
        let mut found: Vec<&'c Candidate> =
            keys(marks).iter().filter_map(|key| self.by_mark.get(key)).flatten().copied().collect();
        found.sort_by_key(|candidate| candidate.id);
        found.dedup_by_key(|candidate| candidate.id);
        found
    }
}

fn keys(marks: &Marks) -> Vec<String> {
    let mut keys: Vec<String> = marks.macs.iter().map(|mac| format!("m{mac}")).collect();
    keys.extend(marks.serial.iter().map(|serial| format!("s{serial}")));
    if !marks.hostname.is_empty() {
        keys.push(format!("h{}", marks.hostname));
    }
    keys
}

#[cfg(test)]
#[path = "matching_tests.rs"]
mod tests;
