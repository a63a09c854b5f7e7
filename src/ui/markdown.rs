//! Markdown as people read it: text, lists, tables, code and links; no markup of the writer's own and nothing that is
//! loaded from elsewhere.

use pulldown_cmark::{Alignment, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd, html};

/// A text in Markdown as HTML that can stand in a page.
#[must_use]
pub fn as_html(text: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let events = Parser::new_ext(text, options).filter_map(|event| match event {
        // Markup is shown as it was typed.
        Event::Html(markup) | Event::InlineHtml(markup) => Some(Event::Text(markup)),
        Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = if link_type == LinkType::Email || may_follow(&dest_url) { dest_url } else { CowStr::Borrowed("") };
            Some(Event::Start(Tag::Link { link_type, dest_url, title, id }))
        }
        // A picture is its words.
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        Event::SoftBreak => Some(Event::HardBreak),
        // Alignments would be styles of their own, which pages do not allow.
        Event::Start(Tag::Table(columns)) => Some(Event::Start(Tag::Table(vec![Alignment::None; columns.len()]))),
        other => Some(other),
    });
    let mut out = String::new();
    html::push_html(&mut out, events);
    out
}

fn may_follow(address: &str) -> bool {
    let address = address.to_ascii_lowercase();
    ["https://", "http://", "mailto:", "tel:", "/"].iter().any(|begin| address.starts_with(begin)) && !address.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::as_html;

    #[test]
    fn words_lists_and_links_are_set() {
        let html = as_html("**Call** first:\n\n- [site](https://a.example/x)\n- ~~mail~~");
        assert!(html.contains("<strong>Call</strong>") && html.contains("<a href=\"https://a.example/x\">site</a>"), "{html}");
        assert!(html.contains("<li><del>mail</del></li>"), "{html}");
        assert!(as_html("<ada@x.example>").contains("href=\"mailto:ada@x.example\""), "{}", as_html("<ada@x.example>"));
        assert!(as_html("|a|b|\n|:-:|--:|\n|1|2|").contains("<td>1</td>"), "no style of its own");
        assert_eq!(as_html("one\ntwo"), "<p>one<br />\ntwo</p>\n", "lines stay as they were typed");
    }

    #[test]
    fn nothing_runs_and_nothing_is_loaded() {
        for evil in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "![x](https://a.example/x.png)",
            "[x](javascript:alert(1))",
            "[x](JAVASCRIPT:alert(1))",
            "[x](data:text/html,x)",
            "<javascript:alert(1)>",
            "[x](//a.example/x)",
            "[x](https://a.example/\"onclick=\"alert(1))",
        ] {
            let html = as_html(evil);
            for bad in ["<script", "<img", "href=\"javascript", "href=\"data", "href=\"//", "\"onclick"] {
                assert!(!html.to_lowercase().contains(bad), "{evil}: {html}");
            }
        }
    }
}
