//! Whether a new device is one of the assets that a company has already: an explainable score over
//! serial number, network address and hostname. Pure.

use std::collections::{HashMap, HashSet};

use super::{
    census::{Bearer, Census, Side},
    names::{Hostname, Likeness},
};

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
/// So many devices or assets of a company with the same name that anything may have: a person cannot say either.
const TOO_MANY: usize = 3;

/// What tells a device from others, already cleaned of what says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceIdentifiers {
    pub hostname: Hostname,
    /// As [`super::device_identifiers::serial`] gives it.
    pub serial: Option<String>,
    /// As [`super::device_identifiers::mac`] gives them.
    pub macs: Vec<String>,
}

impl DeviceIdentifiers {
    /// Device identifiers of raw values.
    #[must_use]
    pub fn of(hostname: &str, serial: Option<&str>, macs: &[String]) -> Self {
        let mut identifiers = Self {
            hostname: Hostname::of(hostname),
            serial: serial.and_then(super::device_identifiers::serial),
            macs: Vec::new(),
        };
        identifiers.add_macs(macs.iter().filter_map(|text| super::device_identifiers::mac(text)));
        identifiers
    }

    /// Takes in network addresses as [`super::device_identifiers::mac`] gives them.
    pub fn add_macs(&mut self, macs: impl IntoIterator<Item = String>) {
        self.macs.extend(macs);
        self.macs.sort();
        self.macs.dedup();
    }

    /// Whether it has identifiers beside its name.
    #[must_use]
    pub fn beside_name(&self) -> bool {
        self.serial.is_some() || !self.macs.is_empty()
    }
}

/// What an asset is to the vendor whose devices are new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// No record of this vendor is linked to it.
    #[default]
    Unlinked,
    /// The record that it was is gone at the vendor.
    Former,
    /// A sync retired it, because every vendor had lost it; `true` when that was lately.
    Retired(bool),
}

/// An asset that no living record of this vendor is linked to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    pub id: i64,
    /// Its name, for people.
    pub name: String,
    /// What tells it from others.
    pub identifiers: DeviceIdentifiers,
    /// What it is to the vendor.
    pub standing: Standing,
}

impl Candidate {
    /// Whether it is no tombstone.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !matches!(self.standing, Standing::Retired(_))
    }
}

/// A device of which it is not settled what it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnlinkedDevice {
    /// The vendor's id.
    pub external_id: String,
    pub label: String,
    /// Its company.
    pub company: i64,
    /// What tells it from others.
    pub identifiers: DeviceIdentifiers,
    /// The asset that stands in for it meanwhile.
    pub stand_in: Option<StandIn>,
}

/// An asset that was made for a device, and may turn out to be one that was here before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandIn {
    pub asset: i64,
    /// Whether nobody has done anything with it, so that it can give way.
    pub untouched: bool,
    /// Whether its name alone may decide, because it is compared for the first time.
    pub first: bool,
    /// Whether the device is worth asking for its identifiers.
    pub look: bool,
}

impl UnlinkedDevice {
    pub(super) fn bearer(&self) -> Bearer {
        match self.stand_in {
            Some(stand_in) => Bearer::Asset(stand_in.asset),
            None => Bearer::Device(self.external_id.clone()),
        }
    }
}

/// What an unlinked device is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MatchResult {
    /// This asset, and why.
    Adopt(i64, String),
    /// One of these, and why that cannot be said for certain: (asset, its name, what is alike).
    Unsure(String, Vec<(i64, String, String)>),
}

/// An unlinked device and an asset that are alike.
struct Pair<'c> {
    unlinked_device: usize,
    candidate: &'c Candidate,
    points: i32,
    alike: String,
    /// Why a person must decide, although they are alike.
    doubt: Option<String>,
}

/// How alike two things are, and in what; `None` when nothing is.
fn compare(unlinked_device: &UnlinkedDevice, candidate: &Candidate, census: &Census) -> Option<(i32, String, Option<String>)> {
    let (mine, theirs) = (census.telling(&unlinked_device.identifiers), census.telling(&candidate.identifiers));
    let (mut points, mut alike, mut doubt) = (0, Vec::new(), None);
    match (&mine.serial, &theirs.serial) {
        (Some(a), Some(b)) if a == b => {
            points += SERIAL;
            alike.push(format!("same serial number {}", a.to_uppercase()));
        }
        (Some(_), Some(_)) => points -= OTHER_SERIAL,
        _ => {}
    }
    if let Some(shared) = mine.macs.iter().find(|mac| theirs.macs.contains(mac)) {
        points += MAC;
        alike.push(format!("same network address {shared}"));
    }
    let strong = points > 0;
    let name = &candidate.name;
    match mine.hostname.likeness(&theirs.hostname) {
        None => {}
        Some(Likeness::Same) if mine.hostname.generic => doubt = Some(format!("many devices are called {name}")),
        Some(Likeness::Same) if census.is_common_name(&mine) => doubt = Some(format!("several devices are called {name}")),
        Some(Likeness::Same) => {
            points += HOSTNAME;
            alike.push(format!("same hostname {}", mine.hostname.full));
            doubt = match candidate.standing {
                Standing::Unlinked => None,
                Standing::Former => Some("the device that it was is gone, and this one has the same name only".to_owned()),
                Standing::Retired(true) => Some("it was retired lately, and this device has the same name only".to_owned()),
                Standing::Retired(false) if strong => None,
                Standing::Retired(false) => return None,
            };
        }
        Some(Likeness::Domain) => doubt = Some(format!("its name differs from {name} by the domain only")),
        Some(Likeness::CutOff) => doubt = Some(format!("its name and {name} are the same up to 15 letters")),
    }
    if alike.is_empty() && doubt.is_none() {
        return None;
    }
    if strong {
        doubt = None;
    }
    // A device that is an asset already changes what it is for an identifier of its own, not for a name.
    if let (Some(stand_in), None) = (unlinked_device.stand_in, &doubt) {
        if !strong && !stand_in.first {
            return None;
        }
        if !stand_in.untouched {
            doubt = Some(format!("asset {} was made for it, and has been worked on since", stand_in.asset));
        }
    }
    if doubt.is_some() && points < 0 {
        return None;
    }
    let why = match &doubt {
        Some(doubt) if alike.is_empty() => doubt.clone(),
        _ => joined(&alike, points),
    };
    Some((points, why, doubt))
}

fn joined(alike: &[String], points: i32) -> String {
    format!("{} (score {points})", alike.join(", "))
}

/// Decides about every unlinked device; those that are like nothing are not in the answer. A device and an
/// asset become one only when each is the other's clear best. `census` has counted everybody else.
#[must_use]
pub fn decide(
    unlinked_devices: &[UnlinkedDevice],
    candidates: &HashMap<i64, Vec<Candidate>>,
    mut census: Census,
) -> HashMap<String, MatchResult> {
    for unlinked_device in unlinked_devices {
        census.note(Side::There, &unlinked_device.bearer(), &unlinked_device.identifiers);
    }
    let index: HashMap<i64, Index<'_>> = candidates.iter().map(|(company, all)| (*company, Index::of(all))).collect();
    let (mut pairs, mut doubtful): (Vec<Pair<'_>>, Vec<Pair<'_>>) = (Vec::new(), Vec::new());
    for (at, unlinked_device) in unlinked_devices.iter().enumerate() {
        let Some(index) = index.get(&unlinked_device.company) else { continue };
        for candidate in index.alike(&unlinked_device.identifiers) {
            if unlinked_device.stand_in.is_some_and(|stand_in| stand_in.asset == candidate.id) {
                continue;
            }
            let Some((points, alike, doubt)) = compare(unlinked_device, candidate, &census) else { continue };
            let pair = Pair { unlinked_device: at, candidate, points, alike, doubt };
            if pair.doubt.is_some() {
                doubtful.push(pair);
            } else if points >= ENOUGH {
                pairs.push(pair);
            }
        }
    }
    prefer_the_living(&mut pairs);
    let mut verdicts = clear(unlinked_devices, &pairs);
    in_doubt(unlinked_devices, &doubtful, &mut verdicts);
    // What lost a candidate to a clearly better device is simply new.
    let taken: HashSet<i64> =
        verdicts.values().filter_map(|v| if let MatchResult::Adopt(id, _) = v { Some(*id) } else { None }).collect();
    verdicts.retain(|_, verdict| match verdict {
        MatchResult::Adopt(..) => true,
        MatchResult::Unsure(_, candidates) => {
            candidates.retain(|(id, _, _)| !taken.contains(id));
            !candidates.is_empty()
        }
    });
    verdicts
}

/// Whether a device would become an asset for a serial number or an address, although it has another name.
#[must_use]
pub fn rests_on_an_identifier(unlinked_devices: &[UnlinkedDevice], candidates: &HashMap<i64, Vec<Candidate>>) -> bool {
    let shares = |mine: &DeviceIdentifiers, theirs: &DeviceIdentifiers| {
        mine.hostname.likeness(&theirs.hostname).is_none()
            && (mine.serial.is_some() && mine.serial == theirs.serial || mine.macs.iter().any(|mac| theirs.macs.contains(mac)))
    };
    let index: HashMap<i64, Index<'_>> = candidates.iter().map(|(company, all)| (*company, Index::of(all))).collect();
    unlinked_devices.iter().any(|unlinked_device| {
        let alike =
            index.get(&unlinked_device.company).map(|index| index.alike(&unlinked_device.identifiers)).unwrap_or_default();
        alike.iter().any(|candidate| shares(&unlinked_device.identifiers, &candidate.identifiers))
    })
}

/// A tombstone counts only where no living asset does; of several the best, and of those the last.
fn prefer_the_living(pairs: &mut Vec<Pair<'_>>) {
    let living: HashSet<usize> = pairs.iter().filter(|pair| pair.candidate.is_live()).map(|pair| pair.unlinked_device).collect();
    let mut best: HashMap<usize, (i32, i64)> = HashMap::new();
    for pair in pairs.iter().filter(|pair| !living.contains(&pair.unlinked_device)) {
        let this = (pair.points, pair.candidate.id);
        let best = best.entry(pair.unlinked_device).or_insert(this);
        *best = this.max(*best);
    }
    pairs.retain(|pair| {
        pair.candidate.is_live() || best.get(&pair.unlinked_device).is_some_and(|best| *best == (pair.points, pair.candidate.id))
    });
}

/// Unlinked devices whose identifiers are enough.
fn clear(unlinked_devices: &[UnlinkedDevice], pairs: &[Pair<'_>]) -> HashMap<String, MatchResult> {
    let mut by_newcomer: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut by_candidate: HashMap<i64, Vec<usize>> = HashMap::new();
    for (at, pair) in pairs.iter().enumerate() {
        by_newcomer.entry(pair.unlinked_device).or_default().push(at);
        by_candidate.entry(pair.candidate.id).or_default().push(at);
    }
    let leads = |pair: usize, rivals: &[usize]| {
        rivals.iter().all(|rival| {
            *rival == pair || pairs.get(pair).zip(pairs.get(*rival)).is_some_and(|(a, b)| a.points >= b.points + LEAD)
        })
    };
    let mut verdicts = HashMap::new();
    for (at, mine) in &by_newcomer {
        let Some(unlinked_device) = unlinked_devices.get(*at) else { continue };
        let best = mine.iter().copied().find(|pair| leads(*pair, mine));
        let sure = best
            .and_then(|pair| pairs.get(pair).map(|found| (pair, found)))
            .filter(|(pair, found)| by_candidate.get(&found.candidate.id).is_some_and(|all| leads(*pair, all)));
        let verdict = match sure {
            Some((_, pair)) => MatchResult::Adopt(pair.candidate.id, because(unlinked_device, pair)),
            None => {
                let found: Vec<&Pair<'_>> = mine.iter().filter_map(|pair| pairs.get(*pair)).collect();
                let reason = if best.is_some() {
                    "an asset here may be this device, and other devices are as much like it".to_owned()
                } else {
                    format!("{} assets here may be this device", found.len())
                };
                unsure(reason, found)
            }
        };
        verdicts.insert(unlinked_device.external_id.clone(), verdict);
    }
    verdicts
}

fn because(unlinked_device: &UnlinkedDevice, pair: &Pair<'_>) -> String {
    let standing = match pair.candidate.standing {
        Standing::Unlinked => "not linked before",
        Standing::Former => "the device that it was is gone at the vendor",
        Standing::Retired(_) => "retired when its vendors had lost it",
    };
    match unlinked_device.stand_in {
        Some(stand_in) => format!("{standing}, {}; asset {}, which was made for it, gives way", pair.alike, stand_in.asset),
        None => format!("{standing}, {}", pair.alike),
    }
}

/// Unlinked devices about which only a person can say.
fn in_doubt(unlinked_devices: &[UnlinkedDevice], pairs: &[Pair<'_>], verdicts: &mut HashMap<String, MatchResult>) {
    let mut by_newcomer: HashMap<usize, Vec<&Pair<'_>>> = HashMap::new();
    let mut same_name: HashMap<(i64, &str), usize> = HashMap::new();
    for unlinked_device in unlinked_devices {
        *same_name.entry((unlinked_device.company, unlinked_device.identifiers.hostname.short.as_str())).or_default() += 1;
    }
    for pair in pairs {
        by_newcomer.entry(pair.unlinked_device).or_default().push(pair);
    }
    for (at, found) in by_newcomer {
        let Some(unlinked_device) =
            unlinked_devices.get(at).filter(|unlinked_device| !verdicts.contains_key(&unlinked_device.external_id))
        else {
            continue;
        };
        let named = same_name
            .get(&(unlinked_device.company, unlinked_device.identifiers.hostname.short.as_str()))
            .copied()
            .unwrap_or_default();
        if unlinked_device.identifiers.hostname.generic && named.max(found.len()) > TOO_MANY {
            continue;
        }
        let reason = match (found.as_slice(), found.iter().find_map(|pair| pair.doubt.clone())) {
            ([_], Some(doubt)) => format!("an asset here may be this device, but {doubt}"),
            (several, _) => format!("{} assets here may be this device", several.len()),
        };
        verdicts.insert(unlinked_device.external_id.clone(), unsure(reason, found));
    }
}

fn unsure(reason: String, mut found: Vec<&Pair<'_>>) -> MatchResult {
    found.sort_by_key(|pair| (-pair.points, pair.candidate.id));
    let named = found.into_iter().take(NAMED);
    MatchResult::Unsure(reason, named.map(|pair| (pair.candidate.id, pair.candidate.name.clone(), pair.alike.clone())).collect())
}

/// A company's candidates by each of their identifiers.
#[derive(Default)]
struct Index<'c> {
    by_identifier: HashMap<String, Vec<&'c Candidate>>,
}

impl<'c> Index<'c> {
    fn of(candidates: &'c [Candidate]) -> Self {
        let mut index = Self::default();
        for candidate in candidates {
            for key in keys(&candidate.identifiers) {
                index.by_identifier.entry(key).or_default().push(candidate);
            }
        }
        index
    }

    fn alike(&self, identifiers: &DeviceIdentifiers) -> Vec<&'c Candidate> {
        let mut found: Vec<&'c Candidate> =
            keys(identifiers).iter().filter_map(|key| self.by_identifier.get(key)).flatten().copied().collect();
        found.sort_by_key(|candidate| candidate.id);
        found.dedup_by_key(|candidate| candidate.id);
        found
    }
}

fn keys(identifiers: &DeviceIdentifiers) -> Vec<String> {
    let mut keys: Vec<String> = identifiers.macs.iter().map(|mac| format!("m{mac}")).collect();
    keys.extend(identifiers.serial.iter().map(|serial| format!("s{serial}")));
    if !identifiers.hostname.is_empty() {
        keys.push(format!("h{}", identifiers.hostname.stem()));
    }
    keys
}

#[cfg(test)]
#[path = "matching_tests.rs"]
mod tests;
