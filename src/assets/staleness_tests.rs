use super::*;

const DAYS: LifeDays = LifeDays { quiet: 14, stale: 30, archived: 90 };

fn labelled(seen: &str, own: [Option<i64>; 3]) -> Option<(&'static str, Option<String>)> {
    label(&Basis { watched: true, as_of: Some("2026-11-21T00:00:00Z".to_owned()), own }, Some(seen), DAYS)
}

#[test]
fn each_stage_begins_with_its_day() {
    for (seen, stage) in [
        ("2026-11-21T00:00:01Z", "active"),
        ("2026-11-07T00:00:01Z", "active"),
        ("2026-11-07T00:00:00Z", "quiet"),
        ("2026-10-22T00:00:01Z", "quiet"),
        ("2026-10-22T00:00:00Z", "stale"),
        ("2026-08-23T00:00:01Z", "stale"),
        ("2026-08-23T00:00:00Z", "archived"),
        ("2001-01-01T00:00:00Z", "archived"),
    ] {
        assert_eq!(labelled(seen, [None; 3]).map(|(stage, _)| stage), Some(stage), "{seen}");
    }
    let since = labelled("2026-11-01T10:00:00Z", [None; 3]).and_then(|(_, since)| since);
    assert_eq!(since.as_deref(), Some("2026-11-15T10:00:00Z"));
}

#[test]
fn a_company_has_its_own_days_in_order() {
    assert_eq!(labelled("2026-11-15T00:00:00Z", [Some(5), None, None]).map(|(stage, _)| stage), Some("quiet"));
    assert_eq!(labelled("2026-11-15T00:00:00Z", [Some(2), Some(4), Some(6)]).map(|(stage, _)| stage), Some("archived"));
    assert_eq!(days_of(DAYS, [Some(60), None, None]), LifeDays { quiet: 60, stale: 60, archived: 90 });
}

#[test]
fn what_nobody_watches_or_never_saw_has_no_label() {
    let as_of = Some("2026-11-21T00:00:00Z".to_owned());
    let basis = Basis { watched: true, as_of, own: [None; 3] };
    assert_eq!(label(&basis, None, DAYS), None);
    assert_eq!(label(&basis, Some("yesterday"), DAYS), None);
    assert_eq!(label(&Basis { watched: false, ..basis.clone() }, Some("2026-11-20T00:00:00Z"), DAYS), None);
    assert_eq!(label(&Basis { as_of: None, ..basis }, Some("2026-11-20T00:00:00Z"), DAYS), None);
}
