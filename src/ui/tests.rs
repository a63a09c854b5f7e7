use super::*;
use askama::Template as _;

#[test]
fn counts_and_initials_read_as_people_write_them() {
    for (count, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (30_112, "30,112"), (-1_234_567, "-1,234,567")] {
        assert_eq!(thousands(count), text);
    }
    for (name, letters) in [("Ada Lovelace", "AL"), ("jürgen", "J"), ("", ""), ("M. de la Cruz", "MC"), ("élise O'Neil", "ÉN")]
    {
        assert_eq!(initials(name), letters, "{name}");
    }
}

#[test]
fn what_a_value_holds_stays_text() -> askama::Result<()> {
    let evil = "<script>alert(1)</script>\"'";
    let values = [
        Value::words(evil),
        Value::link(format!("/x?{evil}"), evil),
        Value::Mail(evil.into()),
        Value::Phone(evil.into()),
        Value::Code(evil.into()),
        Value::Lines(evil.into()),
        Value::Date(evil.into()),
        Value::badge("info", evil),
    ];
    for value in values {
        let html = value.render()?;
        assert!(!html.contains("<script") && !html.contains("\"'"), "{html}");
    }
    Ok(())
}

#[test]
fn only_web_addresses_are_ways_out() {
    assert!(matches!(Value::away(Some("javascript:alert(1)"), "x"), Value::Text(_)));
    assert!(matches!(Value::away(Some("https://example.com"), "x"), Value::Away { .. }));
    assert!(matches!(Value::away(None, "x"), Value::None));
}

#[test]
fn errors_stand_beside_their_fields_and_the_rest_above() {
    let mut fields = [Field::text("name", "Name", ""), Field::text("domains", "Domains", "")];
    let wrong = |field: &str| crate::error::FieldError { field: field.into(), message: "is wrong".into() };
    let rest = form::place_errors(&mut fields, &[wrong("name"), wrong("domains[2]"), wrong("other")]);
    assert_eq!(fields.each_ref().map(|field| field.error.is_some()), [true, true]);
    assert_eq!(rest, ["other: is wrong"]);
    for (label, told) in [("Name", "Enter the name"), ("IP address", "Enter the IP address")] {
        let mut fields = [Field::text("name", label, "")];
        let empty = crate::error::FieldError { field: "name".into(), message: "must not be empty".into() };
        assert!(form::place_errors(&mut fields, &[empty]).is_empty());
        assert_eq!(fields[0].error.as_deref(), Some(told));
    }
}

#[derive(askama::Template)]
#[template(source = "{% extends \"layout.html\" %}{% block main %}<p>x</p>{% endblock %}", ext = "html")]
struct Plain {
    page: Page,
}

fn page(standalone: bool) -> Page {
    let reader = Reader {
        name: "Ada Lovelace".into(),
        role: "Administrator",
        may_write: true,
        is_admin: true,
        is_staff: true,
        may_share: true,
    };
    Page { reader: Some(reader), ..Page::outside("/codex", standalone, "Companies") }
}

#[test]
fn inside_nexus_pages_bring_neither_style_nor_rail_and_hang_from_one_root() -> askama::Result<()> {
    let html = Plain { page: page(false) }.render()?;
    for ours in ["stylesheet", "class=\"rail", "data-theme", "<style", "<!--"] {
        assert!(!html.contains(ours), "{ours}: {html}");
    }
    let body = html.split("<body>").nth(1).and_then(|rest| rest.split("</body>").next()).unwrap_or_default().trim();
    assert!(body.starts_with("<div class=\"app") && body.ends_with("</div>"), "{body}");
    assert_eq!(body.matches("<div").count(), body.matches("</div>").count(), "{body}");
    Ok(())
}

#[test]
fn on_its_own_a_page_brings_both_and_every_link_carries_the_prefix() -> askama::Result<()> {
    let html = Plain { page: page(true) }.render()?;
    assert!(html.contains("class=\"rail\"") && html.contains("/codex/static/theme.css?v="), "{html}");
    for link in html.split("href=\"").skip(1).chain(html.split("action=\"").skip(1)).chain(html.split("src=\"").skip(1)) {
        assert!(link.starts_with("/codex/") || link.starts_with('#'), "{link}");
    }
    Ok(())
}

#[test]
fn every_icon_that_a_page_names_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut waiting = vec![root.join("templates")];
    let mut seen = 0;
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        for (before, _) in text.match_indices("\"|icon").map(|(at, _)| text.split_at(at)) {
            let name = before.rsplit('"').next().unwrap_or_default();
            if name.contains(['{', '.', ' ']) {
                continue;
            }
            assert!(!icons::svg(name).is_empty(), "{} names the icon {name}, which is not in src/ui/icons.rs", path.display());
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} icons are named: the test looks in the wrong place");
}
