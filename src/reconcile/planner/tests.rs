//! Plans, above all those that must not happen.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::{
    Local, companies, contacts, distinct, retire,
    retirement_guard::{self, Dependants, Limits, Measure},
};
use crate::{
    db::Value as Cell,
    plan::{Action, Item, Kind, Plan, State, cells::Cells, local::Membership, record::SourceRecord},
    reconcile::absence::Evidence,
};

fn cells(values: Value) -> Cells {
    let cell = |(column, value): (&String, &Value)| {
        let column: &'static str = Box::leak(column.clone().into_boxed_str());
        let value = match value {
            Value::Bool(flag) => Cell::Bool(*flag),
            Value::String(text) => Cell::Text(text.clone()),
            _ => Cell::Null,
        };
        (column, value)
    };
    values.as_object().unwrap().iter().map(cell).collect()
}

fn local(id: i64, external: &[&str], values: Value) -> Local {
    Local {
        id,
        rev: 1,
        label: values["name"].as_str().unwrap_or_default().to_owned(),
        external_ids: external.iter().map(|&e| e.to_owned()).collect(),
        values: cells(values),
        ..Local::default()
    }
}

fn company(id: i64, external: &[&str], number: &str, at_vendor: bool) -> Local {
    local(id, external, json!({ "name": format!("C{id}"), "account_number": number, "account_number_at_vendor": at_vendor }))
}

fn department(external: &str, name: &str, number: Option<&str>) -> SourceRecord {
    SourceRecord {
        external_id: external.to_owned(),
        label: name.to_owned(),
        values: cells(json!({ "name": name })),
        account_number: number.map(str::to_owned),
        ..SourceRecord::default()
    }
}

fn requester(external: &str, email: &str, companies: &[&str]) -> SourceRecord {
    SourceRecord {
        external_id: external.to_owned(),
        label: email.to_owned(),
        values: cells(json!({ "name": "N", "email": email })),
        companies: Some(companies.iter().map(|&c| c.to_owned()).collect()),
        ..SourceRecord::default()
    }
}

fn plan_companies(locals: &[Local], records: Vec<SourceRecord>) -> Vec<Item> {
    let mut plan = Plan::default();
    companies::plan(&mut plan, locals, distinct(records), &HashSet::new());
    plan.items
}

fn to<'i>(item: &'i Item, field: &str) -> Option<&'i Value> {
    item.fields.iter().find(|f| f.field == field).map(|f| &f.to)
}

fn actions(items: &[Item]) -> Vec<Action> {
    items.iter().map(|item| item.action).collect()
}

#[test]
fn unchanged_rows_need_nothing() {
    let locals = [company(1, &["10"], "100001", true), company(2, &["20"], "777777", false)];
    assert!(plan_companies(&locals, vec![department("10", "C1", Some("100001")), department("20", "C2", None)]).is_empty());
}

#[test]
fn a_company_without_a_number_gets_the_same_free_one_each_time() {
    let first = plan_companies(&[], vec![department("10", "A", None)]);
    let number = to(&first[0], "account_number").unwrap().as_str().unwrap().to_owned();
    assert_eq!(number.len(), 6);
    assert_eq!(to(&first[0], "account_number_at_vendor"), Some(&json!(false)));
    assert_eq!(first, plan_companies(&[], vec![department("10", "A", None)]));
    let taken = plan_companies(&[], vec![department("10", "A", None), department("20", "B", Some(&number))]);
    let numbers: HashSet<&str> = taken.iter().filter_map(|i| to(i, "account_number")?.as_str()).collect();
    assert_eq!(numbers.len(), 2, "a number of the enumeration is not free");
}

#[test]
fn of_two_that_claim_a_number_the_one_that_has_it_keeps_it() {
    let locals = [company(1, &["20"], "100001", true)];
    let records = || vec![department("10", "A", Some("100001")), department("20", "C1", Some("100001"))];
    let items = plan_companies(&locals, records());
    assert_eq!(actions(&items), [Action::Review, Action::Create]);
    assert_ne!(to(&items[1], "account_number"), Some(&json!("100001")));
    let other = to(&items[1], "account_number").unwrap().as_str().unwrap().to_owned();
    let mut second = local(2, &["10"], json!({ "name": "A", "account_number": other, "account_number_at_vendor": false }));
    second.label = "A".to_owned();
    let again = plan_companies(&[locals[0].clone(), second], records());
    assert_eq!(actions(&again), [Action::Review], "the second run changes nothing");
}

#[test]
fn numbers_that_pass_from_row_to_row_are_moved_in_order() {
    let locals = [company(1, &["10"], "100001", true), company(2, &["20"], "100002", true)];
    let items = plan_companies(&locals, vec![department("10", "C1", Some("100002")), department("20", "C2", Some("100003"))]);
    assert_eq!(items.iter().map(|i| i.entity_id).collect::<Vec<_>>(), [Some(2), Some(1)]);
    let swapped = plan_companies(&locals, vec![department("10", "C1", Some("100002")), department("20", "C2", Some("100001"))]);
    assert!(swapped.iter().all(|i| to(i, "account_number").is_none()), "a circle stays as it is: {swapped:?}");
    assert_eq!(swapped.iter().filter(|i| i.action == Action::Review).count(), 2);
}

#[test]
fn companies_are_adopted_by_number_never_by_name() {
    let locals = [company(1, &[], "100001", false), company(2, &[], "100002", false)];
    let items = plan_companies(&locals, vec![department("10", "Renamed", Some("100001")), department("20", "C2", None)]);
    assert_eq!(actions(&items), [Action::Adopt, Action::Create]);
    assert_eq!(items[0].entity_id, Some(1));
    assert!(items[0].reason.contains("100001"));
}

#[test]
fn a_department_made_anew_with_the_same_number_gets_its_row_back() {
    let mut tombstone = company(1, &["10"], "100001", true);
    tombstone.retired = true;
    let items = plan_companies(&[tombstone], vec![department("30", "C1", Some("100001"))]);
    assert_eq!((items[0].action, items[0].entity_id), (Action::Adopt, Some(1)));
    let alive = company(1, &["10"], "100001", true);
    let items = plan_companies(&[alive], vec![department("30", "C1", Some("100001"))]);
    assert_eq!(actions(&items), [Action::Review, Action::Create], "not while its former record may still exist");
}

#[test]
fn tombstones_come_back_unless_a_person_made_them() {
    let mut row = company(1, &["10"], "100001", true);
    row.retired = true;
    let records = || vec![department("10", "C1", Some("100001"))];
    assert_eq!(actions(&plan_companies(std::slice::from_ref(&row), records())), [Action::Restore]);
    row.retired_by_hand = true;
    assert_eq!(actions(&plan_companies(&[row], records())), [Action::Review]);
}

#[test]
fn pinned_fields_are_reported_and_left() {
    let mut row = company(1, &["10"], "100001", true);
    row.pins.insert("name".to_owned());
    let items = plan_companies(&[row.clone()], vec![department("10", "Other", Some("100001"))]);
    assert_eq!(actions(&items), [Action::Pinned]);
    row.pins = HashSet::from(["account_number".to_owned()]);
    row.values.set("account_number_at_vendor", false);
    let items = plan_companies(&[row], vec![department("10", "C1", Some("999999"))]);
    assert_eq!(actions(&items), [Action::Pinned]);
}

fn known() -> contacts::Companies {
    contacts::Companies {
        by_external_id: HashMap::from([("10".to_owned(), (Some(1), "A".to_owned())), ("20".to_owned(), (None, "B".to_owned()))]),
        names: HashMap::from([(1, "A".to_owned()), (5, "Manual".to_owned()), (6, "Left".to_owned())]),
    }
}

fn plan_contacts(locals: &[Local], records: Vec<SourceRecord>) -> Vec<Item> {
    let mut plan = Plan::default();
    contacts::plan(&mut plan, locals, distinct(records), &known(), &HashSet::new());
    plan.items
}

#[test]
fn contacts_follow_their_departments_and_keep_what_people_linked() {
    let mut row = local(1, &["7"], json!({ "name": "N", "email": "a@x.example" }));
    row.memberships = vec![Membership { company_id: 5, ours: false }, Membership { company_id: 6, ours: true }];
    let items = plan_contacts(&[row.clone()], vec![requester("7", "a@x.example", &["10", "20", "99"])]);
    assert_eq!(actions(&items), [Action::Review, Action::Update]);
    assert_eq!(items[1].moves.join, ["10", "20"]);
    assert_eq!(items[1].moves.leave, [6]);
    assert_eq!(items[1].fields[0].to, json!(["Manual", "A", "B"]));
    let mut silent = requester("7", "a@x.example", &[]);
    silent.companies = None;
    assert!(plan_contacts(&[row], vec![silent]).is_empty(), "a record that does not tell moves nobody");
}

#[test]
fn an_email_adopts_one_contact_once_and_never_guesses() {
    let manual = local(1, &[], json!({ "name": "N", "email": "A@x.example" }));
    let items = plan_contacts(std::slice::from_ref(&manual), vec![requester("7", "a@x.example", &[])]);
    assert_eq!((items[0].action, items[0].entity_id), (Action::Adopt, Some(1)));
    let both = plan_contacts(&[manual], vec![requester("7", "a@x.example", &[]), requester("8", "a@x.example", &[])]);
    assert_eq!(both.iter().filter(|i| i.action == Action::Create).count(), 2);
    assert!(both.iter().all(|i| i.action != Action::Adopt));
    let nobody = local(1, &[], json!({ "name": "N", "email": "" }));
    assert_eq!(actions(&plan_contacts(&[nobody], vec![requester("7", "", &[])])), [Action::Create]);
}

#[test]
fn only_what_is_proven_gone_is_retired() {
    let locals = [
        company(1, &["10"], "1", true),
        company(2, &["20", "21"], "2", true),
        company(3, &[], "3", true),
        company(4, &["40"], "4", true),
    ];
    let listed = HashSet::from(["99".to_owned()]);
    let evidence = HashMap::from([
        ("10".to_owned(), Evidence::Gone("404".to_owned())),
        ("20".to_owned(), Evidence::Gone("404".to_owned())),
        ("21".to_owned(), Evidence::Unclear("500".to_owned())),
    ]);
    let mut plan = Plan::default();
    retire::plan(&mut plan, Kind::Company, &locals, &listed, &evidence);
    assert_eq!(actions(&plan.items), [Action::Retire, Action::Review, Action::Review]);
    assert_eq!(plan.items[0].entity_id, Some(1));
    assert_eq!(plan.items[0].evidence.as_deref(), Some("404"));
}

#[test]
fn the_retirement_guard_holds_more_than_a_little() {
    let limits = Limits { minimum: 3, percent: 5 };
    let of = |count: i64| -> Vec<Item> {
        (0..count).map(|id| Item::new(Kind::Company, Action::Retire, "x", "r").of(&company(id, &[], "1", true))).collect()
    };
    for (retiring, live, held) in [(0, 0, false), (3, 4, false), (4, 4, true), (6, 120, false), (7, 120, true)] {
        let (mut items, measure) = (of(retiring), Measure { live, ..Measure::default() });
        let reason = retirement_guard::close(&mut items, Kind::Company, &measure, limits);
        assert_eq!(reason.is_some(), held, "{retiring} of {live}");
        assert!(items.iter().all(|item| (item.state == State::Held) == held));
    }
    let reason = |unlisted, lost| {
        let dependants = vec![Dependants { lost, live: 1500, what: "contacts" }];
        retirement_guard::close(&mut of(1), Kind::Company, &Measure { live: 120, unlisted, dependants }, limits)
    };
    assert_eq!(reason(7, 80).as_deref(), Some("7 of 120 companies were not listed (limit 6)"));
    assert_eq!(reason(6, 80).as_deref(), Some("1 companies would be retired and take 80 of 1500 contacts along (limit 75)"));
    assert_eq!(reason(6, 75), None);
}
