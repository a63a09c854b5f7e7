use super::*;
use serde_json::json;

fn cells(texts: &[&str], reader: Reader) -> Vec<String> {
    let rows: Vec<Map<String, Value>> =
        texts.iter().map(|text| json!({"text": text, "n": -5, "tags": ["=x"]}).as_object().unwrap().clone()).collect();
    let bytes = of_rows(&["text", "n", "tags", "absent"].map(str::to_owned), &rows, reader).unwrap();
    assert_eq!(bytes.starts_with("\u{feff}".as_bytes()), reader == Reader::Person, "the mark of UTF-8");
    let mut read = ::csv::Reader::from_reader(bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes));
    read.records()
        .map(|record| {
            let record = record.unwrap();
            assert_eq!((&record[1], &record[2], &record[3]), ("-5", "[\"=x\"]", ""));
            record[0].to_owned()
        })
        .collect()
}

/// Everything that somebody could put into a cell, and what it becomes for programs and for people.
const CELLS: [(&str, &str, &str); 30] = [
    ("=1+1", "'=1+1", "'=1+1"),
    ("+1+1", "'+1+1", "'+1+1"),
    ("-2+3", "'-2+3", "'-2+3"),
    ("@SUM(A1)", "'@SUM(A1)", "'@SUM(A1)"),
    ("\t=1", "\t'=1", "\t'=1"),
    ("\r=1", "\r'=1", "\r'=1"),
    ("\n=1", "\n'=1", "\n'=1"),
    ("  =1", "  '=1", "  '=1"),
    ("\u{feff}=1", "\u{feff}'=1", "\u{feff}'=1"),
    ("x;=1+1", "x;'=1+1", "x;'=1+1"),
    ("x; =1+1", "x; '=1+1", "x; '=1+1"),
    ("x\t=1", "x\t'=1", "x\t'=1"),
    ("x\n@A1", "x\n'@A1", "x\n'@A1"),
    ("＝1+1", "'＝1+1", "'＝1+1"),
    ("＋1", "'＋1", "'＋1"),
    ("－1", "'－1", "'－1"),
    ("＠A1", "'＠A1", "'＠A1"),
    ("'=1", "''=1", "''=1"),
    ("''+cmd|' /C calc'!A0", "'''+cmd|' /C calc'!A0", "'''+cmd|' /C calc'!A0"),
    ("+49 (30) 123-4567", "+49 (30) 123-4567", "'+49 (30) 123-4567"),
    ("+49301234567", "+49301234567", "'+49301234567"),
    ("+1 555 010 0199 ext. 123", "+1 555 010 0199 ext. 123", "'+1 555 010 0199 ext. 123"),
    ("-5", "'-5", "'-5"),
    ("+1.5", "'+1.5", "'+1.5"),
    ("+49", "'+49", "'+49"),
    ("+1 555 010 0199;=1", "'+1 555 010 0199;'=1", "'+1 555 010 0199;'=1"),
    ("+12345678*A1", "'+12345678*A1", "'+12345678*A1"),
    ("a=1, \"b\"\nc", "a=1, \"b\"\nc", "a=1, \"b\"\nc"),
    ("O'Neill - Sons", "O'Neill - Sons", "O'Neill - Sons"),
    ("", "", ""),
];

#[test]
fn no_cell_is_a_formula_and_every_cell_comes_back() {
    let texts = CELLS.map(|(text, _, _)| text);
    assert_eq!(cells(&texts, Reader::Program), CELLS.map(|(_, program, _)| program));
    assert_eq!(cells(&texts, Reader::Person), CELLS.map(|(_, _, person)| person));
    for (text, program, person) in CELLS {
        assert_eq!(unguarded(person), text);
        assert!(program == text || unguarded(program) == text, "{text}");
    }
}

#[test]
fn a_heading_is_no_formula_either() {
    let row = json!({"=x": 1}).as_object().unwrap().clone();
    assert_eq!(String::from_utf8(of_rows(&["=x".to_owned()], &[row], Reader::Program).unwrap()).unwrap(), "'=x\n1\n");
}

#[test]
fn rows_that_are_written_one_by_one_are_no_formulas_either() {
    let mut columns = Columns::new(&["name", "n", "absent"]);
    for (reader, text) in
        [(Reader::Program, "name,n,absent\n'=1+1,-5,\n"), (Reader::Person, "\u{feff}name,n,absent\n'=1+1,-5,\n")]
    {
        let mut out = table(&columns, Vec::new(), reader).unwrap();
        columns.read(&json!({"name": "=1+1", "n": -5})).unwrap();
        record(&mut out, &columns, reader).unwrap();
        assert_eq!(String::from_utf8(out.into_inner().unwrap()).unwrap(), text);
    }
}
