//! Sites that fit one company, none, or two.

use std::collections::HashMap;

use super::Companies;
use crate::{
    reconcile::sites::store::{CompanyRef, StoredSite},
    vendors::datto::same_name,
};

fn companies() -> Companies {
    let company =
        |id: i64, number: &str, name: &str, retired| CompanyRef { id, number: number.to_owned(), name: name.to_owned(), retired };
    Companies::new(
        vec![
            company(1, "204729", "Acme Dental", false),
            company(2, "300300", "Birch Legal", false),
            company(3, "400400", "Cedar Farms", true),
        ],
        HashMap::from([("linked".to_owned(), vec![2])]),
        &[],
    )
}

fn known(company: Option<i64>, basis: &str, number: Option<&str>) -> StoredSite {
    StoredSite {
        company_id: company,
        basis: basis.to_owned(),
        account_number: number.map(str::to_owned),
        decided_number: number.map(str::to_owned),
        ..StoredSite::default()
    }
}

fn numbers(of: &[&str]) -> Vec<String> {
    of.iter().map(|number| (*number).to_owned()).collect()
}

#[test]
fn the_number_decides_and_a_new_number_moves() {
    let found = companies().resolve("s", "x", Some(&numbers(&["204729"])), None);
    assert_eq!((found.company, found.basis, found.review), (Some(1), "number", None));
    let before = known(Some(1), "number", Some("204729"));
    let found = companies().resolve("s", "x", Some(&numbers(&["300300"])), Some(&before));
    assert_eq!((found.company, found.review), (Some(2), None));
}

#[test]
fn what_fits_nothing_or_two_things_waits_for_a_person() {
    for (uid, said) in
        [("s", &["999999"][..]), ("s", &["400400"]), ("s", &["204729", "300300"]), ("s", &[]), ("linked", &["204729"])]
    {
        let found = companies().resolve(uid, "Acme - Main Office", Some(&numbers(said)), None);
        assert_eq!(found.company, None, "{said:?}");
        assert!(found.review.is_some(), "{said:?}");
    }
    let found = companies().resolve("s", "Acme - Main Office", Some(&numbers(&["999999"])), None);
    assert_eq!(found.review.unwrap().1[0].account_number.as_deref(), Some("204729"), "a candidate, no decision");
}

#[test]
fn a_link_helps_where_the_number_is_silent_and_silence_moves_nothing() {
    assert_eq!(companies().resolve("linked", "x", Some(&[]), None).company, Some(2));
    let before = known(Some(1), "number", Some("204729"));
    for said in [Some(&[][..]), None] {
        assert_eq!(companies().resolve("s", "x", said, Some(&before)).company, Some(1));
    }
    let typo = companies().resolve("s", "x", Some(&numbers(&["999999"])), Some(&before));
    assert_eq!((typo.company, typo.review.is_some()), (Some(1), true));
}

#[test]
fn a_persons_decision_outlives_runs() {
    let decided = known(Some(2), "person", Some("999999"));
    let found = companies().resolve("s", "x", Some(&numbers(&["999999"])), Some(&decided));
    assert_eq!((found.company, found.basis, found.review), (Some(2), "person", None));
    let found = companies().resolve("s", "x", Some(&numbers(&["204729"])), Some(&decided));
    assert_eq!((found.company, found.reopened), (Some(2), true), "a new number asks, and moves nothing");
    let ignored = known(None, "ignored", Some("999999"));
    let found = companies().resolve("s", "x", Some(&numbers(&["999999"])), Some(&ignored));
    assert_eq!((found.company, found.review), (None, None));
}

#[test]
fn a_variables_name_has_many_spellings() {
    for name in ["AccountNumber", "accountnumber", " Account Number ", "ACCOUNT_NUMBER", "account-number"] {
        assert!(same_name(name, "AccountNumber"), "{name}");
    }
    assert!(!same_name("AccountNumbers", "AccountNumber") && !same_name("", "AccountNumber"));
}
