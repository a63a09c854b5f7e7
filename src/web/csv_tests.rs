use super::*;
use serde_json::json;

#[test]
fn no_cell_is_a_formula() {
    let rows = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "a=1", "a,\"b\"\nc"]
        .map(|text| json!({"name": text, "n": -5, "tags": ["=x"], "none": null}));
    let mut columns = Columns::new(&["name", "n", "tags", "none", "absent"]);
    let mut out = table(&columns, Vec::new()).unwrap();
    for row in &rows {
        columns.read(row).unwrap();
        record(&mut out, &columns).unwrap();
    }
    let text = String::from_utf8(out.into_inner().unwrap()).unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(reader.headers().unwrap(), vec!["name", "n", "tags", "none", "absent"]);
    let names: Vec<String> = reader.records().map(|record| record.unwrap()[0].to_owned()).collect();
    assert_eq!(names, ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "'\r=1", "a=1", "a,\"b\"\nc"]);
    assert!(text.contains(",-5,\"[\"\"=x\"\"]\",,\n"), "{text}");
}
