use super::*;

fn headers(name: HeaderName, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(name, value.parse().unwrap())])
}

#[test]
fn a_write_accepts_every_tag_of_the_record() {
    for tag in [of_row(7, 3, b"body"), of_rev(7, 3), format!("\"1-1\", W/{}", of_rev(7, 3))] {
        assert_eq!(expected_rev(&headers(header::IF_MATCH, &tag), 7).unwrap(), Some(3), "{tag}");
    }
    assert_eq!(expected_rev(&HeaderMap::new(), 7).unwrap(), None);
    assert_eq!(expected_rev(&headers(header::IF_MATCH, "*"), 7).unwrap(), None);
    for tag in ["\"8-3\"", "\"x\"", "", "\"7\""] {
        assert!(expected_rev(&headers(header::IF_MATCH, tag), 7).is_err(), "{tag}");
    }
}

#[test]
fn a_reader_knows_exactly_what_it_has() {
    let tag = of_question("/api/companies", "1");
    assert!(is_known(&headers(header::IF_NONE_MATCH, &format!("\"other\", W/{tag}")), &tag));
    assert!(is_known(&headers(header::IF_NONE_MATCH, "*"), &tag));
    assert!(!is_known(&headers(header::IF_NONE_MATCH, &of_question("/api/companies", "2")), &tag));
    assert!(!is_known(&HeaderMap::new(), &tag));
}

#[test]
fn parts_do_not_run_into_one_another() {
    assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
}
