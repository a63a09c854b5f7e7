//! Devices and assets that are one, that are not, and that nobody can tell.

use std::collections::HashMap;

use super::{super::census::Census, Candidate, DeviceIdentifiers, MatchResult, StandIn, Standing, UnlinkedDevice, decide};

fn candidate(id: i64, host: &str, serial: &str, mac: &str) -> Candidate {
    Candidate {
        id,
        name: host.to_owned(),
        identifiers: DeviceIdentifiers::of(host, Some(serial), &[mac.to_owned()]),
        standing: Standing::Unlinked,
    }
}

fn unlinked_device(uid: &str, host: &str, serial: &str, mac: &str) -> UnlinkedDevice {
    let identifiers = DeviceIdentifiers::of(host, Some(serial), &[mac.to_owned()]);
    UnlinkedDevice { external_id: uid.to_owned(), label: host.to_owned(), company: 1, identifiers, stand_in: None }
}

fn verdicts(unlinked_devices: &[UnlinkedDevice], candidates: Vec<Candidate>) -> HashMap<String, MatchResult> {
    let candidates = HashMap::from([(1, candidates)]);
    decide(unlinked_devices, &candidates, Census::of(&candidates))
}

#[test]
fn the_serial_number_beats_a_new_name() {
    let found = verdicts(&[unlinked_device("u", "NEW-NAME", "5CG1234ABC", "")], vec![candidate(7, "OLD-NAME", "5cg1234abc", "")]);
    assert!(
        matches!(found.get("u"), Some(MatchResult::Adopt(7, why)) if why.contains("same serial number 5CG1234ABC")),
        "{found:?}"
    );
}

#[test]
fn a_unique_hostname_is_enough_and_another_serial_number_is_too_much() {
    let found = verdicts(&[unlinked_device("u", "pc-1", "", "")], vec![candidate(7, "PC-1", "", "")]);
    assert!(matches!(found.get("u"), Some(MatchResult::Adopt(7, _))), "{found:?}");
    let found = verdicts(&[unlinked_device("u", "pc-1", "AAAA1111", "")], vec![candidate(7, "PC-1", "BBBB2222", "")]);
    assert!(found.is_empty(), "the machine behind the name was replaced: {found:?}");
}

#[test]
fn junk_never_matches() {
    for junk in ["To be filled by O.E.M.", "....", "00000000", "Default string"] {
        assert!(verdicts(&[unlinked_device("u", "a", junk, "")], vec![candidate(7, "b", junk, "")]).is_empty(), "{junk}");
    }
    assert!(
        verdicts(&[unlinked_device("u", "a", "", "00:E0:4C:00:00:01")], vec![candidate(7, "b", "", "00:E0:4C:00:00:01")])
            .is_empty()
    );
    let dock = "D8:BB:C1:AB:CD:EF";
    let both = [unlinked_device("u", "a", "", dock), unlinked_device("v", "c", "", dock)];
    assert!(verdicts(&both, vec![candidate(7, "b", "", dock)]).is_empty(), "an address on two devices is a dock's");
}

#[test]
fn what_could_be_two_things_is_neither() {
    let found = verdicts(&[unlinked_device("u", "pc", "", "")], vec![candidate(7, "pc", "", ""), candidate(8, "pc", "", "")]);
    assert!(matches!(found.get("u"), Some(MatchResult::Unsure(_, all)) if all.len() == 2), "{found:?}");
    let found =
        verdicts(&[unlinked_device("u", "pc", "", ""), unlinked_device("v", "pc", "", "")], vec![candidate(7, "pc", "", "")]);
    assert!(found.values().all(|v| matches!(v, MatchResult::Unsure(_, all) if all.len() == 1)) && found.len() == 2, "{found:?}");
    let found = verdicts(
        &[unlinked_device("u", "pc", "5CG1234ABC", ""), unlinked_device("v", "pc", "", "")],
        vec![candidate(7, "pc", "5CG1234ABC", "")],
    );
    assert!(
        matches!(found.get("u"), Some(MatchResult::Adopt(7, _))) && !found.contains_key("v"),
        "the better one takes it: {found:?}"
    );
}

#[test]
fn other_companies_have_other_assets() {
    let mut other = unlinked_device("u", "pc", "5CG1234ABC", "");
    other.company = 2;
    assert!(verdicts(&[other], vec![candidate(7, "pc", "5CG1234ABC", "")]).is_empty());
}

#[test]
fn a_mark_on_two_devices_identifies_neither() {
    let both = [unlinked_device("u", "LAB-1", "QWE4711", ""), unlinked_device("v", "LAB-2", "QWE4711", "")];
    assert!(verdicts(&both, vec![candidate(7, "RECEPTION", "QWE4711", "")]).is_empty());
    let twice = vec![candidate(7, "RECEPTION", "QWE4711", ""), candidate(8, "OFFICE", "QWE4711", "")];
    assert!(verdicts(&[unlinked_device("u", "LAB-1", "QWE4711", "")], twice).is_empty());
    let mut elsewhere = unlinked_device("v", "LAB-2", "QWE4711", "");
    elsewhere.company = 2;
    let both = [unlinked_device("u", "LAB-1", "QWE4711", ""), elsewhere];
    assert!(verdicts(&both, vec![candidate(7, "RECEPTION", "QWE4711", "")]).is_empty(), "another company's device counts too");
    let named = verdicts(&both, vec![candidate(7, "LAB-1", "QWE4711", "")]);
    assert!(matches!(named.get("u"), Some(MatchResult::Adopt(7, why)) if !why.contains("serial")), "{named:?}");
}

#[test]
fn a_name_that_anything_has_is_never_enough() {
    for name in ["localhost", "DESKTOP", "iPhone", "N/A", "MacBook-Pro"] {
        let found = verdicts(&[unlinked_device("u", name, "", "")], vec![candidate(7, name, "", "")]);
        assert!(matches!(found.get("u"), Some(MatchResult::Unsure(..))), "{name}: {found:?}");
        let found = verdicts(&[unlinked_device("u", name, "5CG1234ABC", "")], vec![candidate(7, name, "5CG1234ABC", "")]);
        assert!(matches!(found.get("u"), Some(MatchResult::Adopt(7, _))), "{name}: {found:?}");
    }
    let many: Vec<UnlinkedDevice> = (0..9).map(|n| unlinked_device(&format!("u{n}"), "iPhone", "", "")).collect();
    assert!(verdicts(&many, vec![candidate(7, "iPhone", "", "")]).is_empty(), "nobody could say either");
}

#[test]
fn names_that_are_cut_off_or_longer_ask_a_person_unless_a_mark_agrees() {
    for (there, here) in [("LT-A002", "lt-a002.corp.local"), ("RECEPTION-FRONT", "reception-frontdesk-2")] {
        let found = verdicts(&[unlinked_device("u", there, "", "")], vec![candidate(7, here, "", "")]);
        assert!(matches!(found.get("u"), Some(MatchResult::Unsure(..))), "{there}: {found:?}");
        let found = verdicts(&[unlinked_device("u", there, "5CG1234ABC", "")], vec![candidate(7, here, "5CG1234ABC", "")]);
        assert!(matches!(found.get("u"), Some(MatchResult::Adopt(7, _))), "{there}: {found:?}");
        let found = verdicts(&[unlinked_device("u", there, "AAAA1117", "")], vec![candidate(7, here, "BBBB2227", "")]);
        assert!(found.is_empty(), "{there}: {found:?}");
    }
    let exact = vec![candidate(7, "LT-A002", "", ""), candidate(8, "lt-a002.corp.local", "AAAA1117", "")];
    let found = verdicts(&[unlinked_device("u", "LT-A002", "BBBB2227", "")], exact);
    assert!(matches!(found.get("u"), Some(MatchResult::Adopt(7, _))), "{found:?}");
}

#[test]
fn a_device_that_comes_again_under_a_new_id_is_the_same_asset() {
    let of = |standing: Standing| Candidate { standing, ..candidate(7, "LT-7", "5CG1234ABC", "") };
    for standing in [Standing::Former, Standing::Retired(true), Standing::Retired(false)] {
        let found = verdicts(&[unlinked_device("u", "LT-7", "5CG1234ABC", "")], vec![of(standing)]);
        assert!(matches!(found.get("u"), Some(MatchResult::Adopt(7, _))), "{standing:?}: {found:?}");
        let found = verdicts(&[unlinked_device("u", "LT-8", "5CG1234ABC", "")], vec![of(standing)]);
        assert!(matches!(found.get("u"), Some(MatchResult::Adopt(7, _))), "{standing:?}: {found:?}");
        let found = verdicts(&[unlinked_device("u", "LT-7", "", "")], vec![of(standing)]);
        match standing {
            Standing::Retired(false) => assert!(found.is_empty(), "{found:?}"),
            _ => assert!(matches!(found.get("u"), Some(MatchResult::Unsure(..))), "{standing:?}: {found:?}"),
        }
        let found = verdicts(&[unlinked_device("u", "LT-7", "AAAA1117", "")], vec![of(standing)]);
        assert!(found.is_empty(), "{standing:?}: the computer was replaced: {found:?}");
    }
    let two = vec![of(Standing::Retired(false)), Candidate { id: 9, ..of(Standing::Retired(true)) }];
    let found = verdicts(&[unlinked_device("u", "LT-7", "5CG1234ABC", "")], two);
    assert!(matches!(found.get("u"), Some(MatchResult::Adopt(9, _))), "the last: {found:?}");
}

#[test]
fn an_asset_that_was_made_for_a_device_gives_way_for_a_mark_only() {
    let stand_in = |untouched, first| Some(StandIn { asset: 9, untouched, first, look: true });
    let with = |serial: &str, stand_in| UnlinkedDevice { stand_in, ..unlinked_device("u", "LT-7", serial, "") };
    let former = || vec![Candidate { standing: Standing::Former, ..candidate(7, "LT-7", "5CG1234ABC", "") }];
    let found = verdicts(&[with("5CG1234ABC", stand_in(true, false))], former());
    assert!(matches!(found.get("u"), Some(MatchResult::Adopt(7, why)) if why.contains("gives way")), "{found:?}");
    for (serial, stand_in) in [("5CG1234ABC", stand_in(false, false)), ("", stand_in(true, false))] {
        let found = verdicts(&[with(serial, stand_in)], former());
        assert!(matches!(found.get("u"), Some(MatchResult::Unsure(..))), "{found:?}");
    }
    let hand = || vec![candidate(7, "LT-7", "", "")];
    assert!(matches!(verdicts(&[with("", stand_in(true, true))], hand()).get("u"), Some(MatchResult::Adopt(7, _))));
    assert!(verdicts(&[with("", stand_in(true, false))], hand()).is_empty());
}
