use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::is_ours;

fn ours(headers: &[(&'static str, &'static str)], public_url: Option<&str>) -> bool {
    let map: HeaderMap = headers.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect();
    is_ours(&map, public_url)
}

#[test]
fn programs_and_our_own_pages_pass() {
    assert!(ours(&[("host", "codex.example")], None));
    assert!(ours(&[("sec-fetch-site", "same-origin"), ("origin", "null")], None));
    assert!(ours(&[("sec-fetch-site", "none")], None));
    assert!(ours(&[("host", "codex.example:5010"), ("origin", "http://codex.example:5010")], None));
    assert!(ours(&[("host", "codex.example"), ("origin", "https://CODEX.example:443")], None));
    assert!(ours(&[("host", "127.0.0.1:5010"), ("x-forwarded-host", "hub.example"), ("origin", "https://hub.example")], None));
    assert!(ours(&[("host", "127.0.0.1:5010"), ("origin", "https://hub.example")], Some("https://hub.example/codex")));
}

#[test]
fn other_sites_do_not() {
    for headers in [
        &[("host", "codex.example"), ("sec-fetch-site", "cross-site")][..],
        &[("host", "codex.example"), ("sec-fetch-site", "same-site"), ("origin", "https://codex.example")],
        &[("host", "codex.example"), ("sec-fetch-site", "")],
        &[("host", "codex.example"), ("origin", "https://evil.example")],
        &[("host", "codex.example"), ("origin", "https://codex.example.evil.example")],
        &[("host", "codex.example"), ("origin", "http://codex.example:8080")],
        &[("host", "codex.example"), ("origin", "null")],
        &[("host", "codex.example"), ("origin", "")],
        &[("host", "codex.example"), ("origin", "file://codex.example")],
        &[("origin", "https://codex.example")],
    ] {
        assert!(!ours(headers, Some("https://hub.example")), "{headers:?}");
    }
}
