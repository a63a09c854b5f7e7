//! Devices and assets that are one, that are not, and that nobody can tell.

use std::collections::HashMap;

use super::{Candidate, Marks, Newcomer, Verdict, decide};

fn candidate(id: i64, host: &str, serial: &str, mac: &str) -> Candidate {
    Candidate { id, name: host.to_owned(), marks: Marks::of(host, Some(serial), &[mac.to_owned()]) }
}

fn newcomer(uid: &str, host: &str, serial: &str, mac: &str) -> Newcomer {
    Newcomer { external_id: uid.to_owned(), company: 1, marks: Marks::of(host, Some(serial), &[mac.to_owned()]) }
}

fn verdicts(newcomers: &[Newcomer], candidates: Vec<Candidate>) -> HashMap<String, Verdict> {
    decide(newcomers, &HashMap::from([(1, candidates)]))
}

#[test]
fn the_serial_number_beats_a_new_name() {
    let found = verdicts(&[newcomer("u", "NEW-NAME", "5CG1234ABC", "")], vec![candidate(7, "OLD-NAME", "5cg1234abc", "")]);
    assert!(matches!(found.get("u"), Some(Verdict::Adopt(7, why)) if why.contains("same serial number 5CG1234ABC")), "{found:?}");
}

#[test]
fn a_unique_hostname_is_enough_and_another_serial_number_is_too_much() {
    let found = verdicts(&[newcomer("u", "pc-1", "", "")], vec![candidate(7, "PC-1", "", "")]);
    assert!(matches!(found.get("u"), Some(Verdict::Adopt(7, _))), "{found:?}");
    let found = verdicts(&[newcomer("u", "pc-1", "AAAA1111", "")], vec![candidate(7, "PC-1", "BBBB2222", "")]);
    assert!(found.is_empty(), "the machine behind the name was replaced: {found:?}");
}

#[test]
fn junk_never_matches() {
    for junk in ["To be filled by O.E.M.", "....", "00000000", "Default string"] {
        assert!(verdicts(&[newcomer("u", "a", junk, "")], vec![candidate(7, "b", junk, "")]).is_empty(), "{junk}");
    }
    assert!(
        verdicts(&[newcomer("u", "a", "", "00:E0:4C:00:00:01")], vec![candidate(7, "b", "", "00:E0:4C:00:00:01")]).is_empty()
    );
    let dock = "D8:BB:C1:AB:CD:EF";
    let both = [newcomer("u", "a", "", dock), newcomer("v", "c", "", dock)];
    assert!(verdicts(&both, vec![candidate(7, "b", "", dock)]).is_empty(), "an address on two devices is a dock's");
}

#[test]
fn what_could_be_two_things_is_neither() {
    let found = verdicts(&[newcomer("u", "pc", "", "")], vec![candidate(7, "pc", "", ""), candidate(8, "pc", "", "")]);
    assert!(matches!(found.get("u"), Some(Verdict::Unsure(_, all)) if all.len() == 2), "{found:?}");
    let found = verdicts(&[newcomer("u", "pc", "", ""), newcomer("v", "pc", "", "")], vec![candidate(7, "pc", "", "")]);
    assert!(found.values().all(|v| matches!(v, Verdict::Unsure(_, all) if all.len() == 1)) && found.len() == 2, "{found:?}");
    let found = verdicts(
        &[newcomer("u", "pc", "5CG1234ABC", ""), newcomer("v", "pc", "", "")],
        vec![candidate(7, "pc", "5CG1234ABC", "")],
    );
    assert!(
        matches!(found.get("u"), Some(Verdict::Adopt(7, _))) && !found.contains_key("v"),
        "the better one takes it: {found:?}"
    );
}

#[test]
fn other_companies_have_other_assets() {
    let mut other = newcomer("u", "pc", "5CG1234ABC", "");
    other.company = 2;
    assert!(verdicts(&[other], vec![candidate(7, "pc", "5CG1234ABC", "")]).is_empty());
}
