use super::*;

fn stripped(address: &str) -> (String, &'static str) {
    let mut uri: Uri = address.parse().unwrap();
    let mount = strip_mount(&mut uri).unwrap();
    (uri.to_string(), mount)
}

#[test]
fn the_mount_is_taken_off_whole_path_segments_only() {
    assert_eq!(stripped("/codex/api/companies?x=1"), ("/api/companies?x=1".into(), "/codex"));
    assert_eq!(stripped("/codex"), ("/".into(), "/codex"));
    assert_eq!(stripped("/codex?a=b"), ("/?a=b".into(), "/codex"));
    assert_eq!(stripped("/codexes/1"), ("/codexes/1".into(), ""));
    assert_eq!(stripped("/api/codex"), ("/api/codex".into(), ""));
}

#[test]
fn a_forwarded_prefix_and_the_mount_are_not_doubled() {
    assert_eq!(Prefix::new("/codex", "/codex").as_str(), "/codex");
    assert_eq!(Prefix::new("/codex", "").as_str(), "/codex");
    assert_eq!(Prefix::new("", "/codex").as_str(), "/codex");
    assert_eq!(Prefix::new("/msp", "/codex").as_str(), "/msp/codex");
}

#[test]
fn a_forwarded_prefix_is_understood_however_it_is_spelled() {
    for same in ["/codex", "/codex/", "codex", "codex/", "//codex", "/codex//", " /codex ", "///codex///"] {
        assert_eq!(Prefix::new(same, "").as_str(), "/codex", "{same}");
        assert_eq!(Prefix::new(same, "/codex").as_str(), "/codex", "{same}");
    }
    assert_eq!(Prefix::new("msp//codex/", "").as_str(), "/msp/codex");
    for nothing in ["", "/", "//", " "] {
        assert_eq!(Prefix::new(nothing, "").as_str(), "", "{nothing}");
    }
}

#[test]
fn a_forwarded_prefix_that_could_break_a_link_is_dropped() {
    let long = "a".repeat(101);
    for bad in [
        "//evil.example",
        "/a\"b",
        "/<script>",
        "https://evil.example",
        "javascript:x",
        "/a b",
        "/..",
        "/codex/../x",
        "/.",
        "/a%2fb",
        "/a?b",
        "/a#b",
        "/a\\b",
        "\\\\evil.example",
        "@evil",
        &long,
    ] {
        assert_eq!(Prefix::new(bad, "").as_str(), "", "{bad}");
    }
}
