use super::*;

#[test]
fn terms_have_one_spelling() {
    for text in ["1 Year", "1-year", "12 months", "1 years", "1-Year"] {
        assert_eq!(canonical_term(text), "1-Year", "{text}");
    }
    assert_eq!(canonical_term("36 Months"), "3-Year");
    for text in ["Monthly", "month-to-month", "Month to Month"] {
        assert_eq!(canonical_term(text), "Month to Month", "{text}");
    }
    assert_eq!(canonical_term("until further notice"), "until further notice");
}
