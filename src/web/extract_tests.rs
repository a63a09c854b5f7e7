use super::*;

#[test]
fn old_parameters_are_read_loosely() {
    let query = Query::parse("limit=abc&offset=%20 7&page=&hidden&x=1&x=2&flag=TRUE&other=0");
    assert_eq!(query.int_or("limit", 50), 50);
    assert_eq!(query.int_or("offset", 0), 7);
    assert_eq!(query.int_or("page", 1), 1);
    assert_eq!(query.get("x"), Some("1"));
    assert_eq!(query.get("hidden"), Some(""));
    assert_eq!(query.text("hidden").unwrap(), None);
    assert!(query.is_on("flag").unwrap());
    assert!(!query.is_on("other").unwrap());
    assert!(!query.is_on("absent").unwrap());
}

#[test]
fn new_numbers_are_read_strictly() {
    let query = Query::parse("after=7&empty=&less=-1&word=abc&real=1.5&long=99999999999999999999");
    assert_eq!(query.count("after").unwrap(), Some(7));
    assert_eq!((query.count("empty").unwrap(), query.count("absent").unwrap()), (None, None));
    for wrong in ["less", "word", "real", "long"] {
        assert_eq!(query.count(wrong).unwrap_err().to_string(), format!("{wrong}: must be a whole number, 0 or more"));
    }
}

#[test]
fn what_cannot_be_read_is_an_error_only_for_those_who_ask() {
    let query = Query::parse("q=%ff&name=a%00b&plus=a+b%2Bc");
    assert_eq!(query.get("q"), None);
    assert_eq!(query.text("q").unwrap_err().to_string(), "q: must be valid UTF-8");
    assert_eq!(query.text("name").unwrap_err().to_string(), "name: must not contain a NUL character");
    assert_eq!(query.text("plus").unwrap(), Some("a b+c"));
    assert!(query.text("absent").unwrap().is_none());
}
