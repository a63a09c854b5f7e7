use super::*;
use crate::plan::cells::Cells;

fn department(id: &str, number: DepartmentNumber) -> Department {
    Department { id: id.to_owned(), name: format!("Department {id}"), number }
}

fn has(number: &str) -> DepartmentNumber {
    DepartmentNumber::Number(number.to_owned())
}

fn local(id: i64, number: &str, departments: &[&str]) -> Local {
    let mut values = Cells::default();
    values.set("account_number", number);
    let external_ids = departments.iter().map(|id| (*id).to_owned()).collect();
    Local { id, external_ids, values, ..Local::default() }
}

#[test]
fn who_has_none_gets_the_one_given_here_and_else_a_free_one() {
    let departments =
        [department("1", DepartmentNumber::Nothing), department("2", has("500000")), department("3", DepartmentNumber::Nothing)];
    let plan = assign(&departments, &[local(10, "204729", &["1"]), local(11, "500000", &["2"])]);
    assert_eq!(plan.writes.len(), 2);
    assert_eq!((plan.writes[0].company, plan.writes[0].number.as_str()), (Some(10), "204729"));
    let fresh = &plan.writes[1];
    assert_eq!((fresh.company, fresh.number.len()), (None, 6));
    assert!(!["204729", "500000"].contains(&fresh.number.as_str()));
    assert_eq!(
        assign(&departments, &[local(10, "204729", &["1"]), local(11, "500000", &["2"])]),
        plan,
        "a dry run tells the truth"
    );
}

#[test]
fn new_numbers_differ_from_each_other_and_from_all_there_are() {
    let free: Vec<Department> = (0..300).map(|n| department(&n.to_string(), DepartmentNumber::Nothing)).collect();
    let first = assign(&free, &[]);
    let taken: Vec<Department> =
        first.writes.iter().enumerate().map(|(n, write)| department(&format!("9{n}"), has(&write.number))).collect();
    let both: Vec<Department> = free.iter().cloned().chain(taken).collect();
    let again = assign(&both, &[]);
    let numbers: HashSet<&str> = first.writes.iter().chain(&again.writes).map(|write| write.number.as_str()).collect();
    assert_eq!(numbers.len(), 600);
}

#[test]
fn a_number_that_differs_is_drift_and_is_never_assigned_over() {
    let departments = [department("1", has("111111")), department("2", DepartmentNumber::Unusable)];
    let locals = [local(10, "204729", &["1"]), local(11, "300000", &["2"])];
    let plan = assign(&departments, &locals);
    assert!(plan.writes.is_empty());
    assert_eq!((plan.notes.len(), plan.conflicts.len()), (1, 1));
    let plan = repair(&departments, &locals);
    let writes: Vec<_> = plan.writes.iter().map(|write| (write.number.as_str(), write.from.as_deref())).collect();
    assert_eq!(writes, [("204729", Some("111111")), ("300000", None)]);
}

#[test]
fn nobody_gets_a_number_that_another_department_has() {
    let departments = [department("1", DepartmentNumber::Nothing), department("2", has("204729"))];
    let locals = [local(10, "204729", &["1"])];
    for plan in [assign(&departments, &locals), repair(&departments, &locals)] {
        assert!(plan.writes.is_empty());
        assert!(plan.conflicts[0].why.contains("204729"), "{plan:?}");
    }
}

#[test]
fn two_departments_of_one_company_get_its_number_both_only_when_nobody_has_it() {
    let plan = assign(
        &[department("1", has("204729")), department("2", DepartmentNumber::Nothing)],
        &[local(10, "204729", &["1", "2"])],
    );
    assert!(plan.writes.is_empty(), "{plan:?}");
    assert_eq!(plan.conflicts.len(), 1);
}
