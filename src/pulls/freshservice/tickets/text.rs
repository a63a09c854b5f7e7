//! Plain text from a vendor's markup, for whoever cannot show markup: the words with their paragraphs, lists,
//! tables and quoted replies.

use std::cell::RefCell;

use html5ever::{
    Attribute, TokenizerResult,
    tendril::StrTendril,
    tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states::RawKind},
};

/// The longest text that is kept, in characters.
const LONGEST: usize = 100_000;
/// The most blanks and marks that lists and quotations may put before a line.
const DEEPEST: usize = 10;

/// Text as it came, without what a database or a page cannot hold, and not without end.
#[must_use]
pub fn clean(text: &str) -> String {
    let plain: String = crate::types::clean(text).chars().take(LONGEST).collect();
    plain.trim_end().to_owned()
}

/// Markup as it is kept: pictures that are written into it lead to the vendor instead, so that nothing has to be
/// cut for their sake.
#[must_use]
pub fn lean(html: &str, link: Option<&str>) -> String {
    let mut out = String::with_capacity(html.len().min(LONGEST));
    let mut rest = html;
    while let Some(at) = find_data(rest) {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        // The value ends with its quotation mark; without one, where no address goes on.
        let quote = before.chars().next_back().filter(|mark| matches!(mark, '"' | '\''));
        let end = match quote {
            Some(quote) => tail.find(quote),
            None => tail.find(|c: char| c.is_whitespace() || matches!(c, '>' | ')' | '"' | '\'')),
        };
        out.push_str(link.unwrap_or("#"));
        rest = tail.get(end.unwrap_or(tail.len())..).unwrap_or_default();
    }
    out.push_str(rest);
    clean(&out)
}

/// Where a picture that is written into the markup begins.
fn find_data(text: &str) -> Option<usize> {
    let is_picture = |at: usize| text.get(at..at + 11).is_some_and(|start| start.eq_ignore_ascii_case("data:image/"));
    text.match_indices(':').filter_map(|(colon, _)| colon.checked_sub(4)).find(|at| is_picture(*at))
}

/// What the markup says. `link` is where a reader finds what text cannot show.
#[must_use]
pub fn plain(html: &str, link: Option<&str>) -> String {
    let sink = Sink(RefCell::new(Layout { link: link.map(str::to_owned), ..Layout::default() }));
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    while let TokenizerResult::Script(()) = tokenizer.feed(&input) {}
    tokenizer.end();
    clean(&tokenizer.sink.0.take().out)
}

/// Takes the tokens of the markup.
struct Sink(RefCell<Layout>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut layout = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => layout.text(&text),
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => {
                layout.start(&tag);
                match &*tag.name {
                    "style" | "noscript" | "iframe" => return TokenSinkResult::RawData(RawKind::Rawtext),
                    "script" => return TokenSinkResult::RawData(RawKind::ScriptData),
                    "title" | "textarea" => return TokenSinkResult::RawData(RawKind::Rcdata),
                    _ => {}
                }
            }
            Token::TagToken(tag) => layout.end(&tag.name),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// The text as far as it is written.
#[derive(Default)]
struct Layout {
    out: String,
    /// Line ends that are due before the next word.
    breaks: usize,
    /// Whether a blank is due before the next word.
    space: bool,
    quotes: usize,
    /// The lists around, each with its next number when it is numbered.
    lists: Vec<Option<u32>>,
    /// Within `pre`.
    verbatim: usize,
    /// Within what is not shown.
    hidden: Option<String>,
    /// Cells in the present row.
    cells: usize,
    /// Where the present link leads, and where its text begins.
    links: Vec<(Option<String>, usize)>,
    link: Option<String>,
}

impl Layout {
    fn text(&mut self, text: &str) {
        if self.hidden.is_some() || self.out.len() > LONGEST * 4 {
            return;
        }
        if self.verbatim > 0 {
            for (at, line) in text.split('\n').enumerate() {
                self.breaks = self.breaks.max(usize::from(at > 0));
                if !line.is_empty() {
                    self.word(line);
                }
            }
            return;
        }
        self.space |= text.starts_with(char::is_whitespace);
        for word in text.split_whitespace() {
            self.word(word);
            self.space = true;
        }
        self.space &= text.ends_with(char::is_whitespace);
    }

    /// Writes a word behind what is due before it.
    fn word(&mut self, word: &str) {
        if self.out.is_empty() {
            self.lead();
        } else if self.breaks > 0 {
            (0..self.breaks).for_each(|_| self.out.push('\n'));
            self.lead();
        } else if self.space {
            self.out.push(' ');
        }
        (self.breaks, self.space) = (0, false);
        self.out.push_str(word);
    }

    /// What stands before every line of a quotation and of a list within a list.
    fn lead(&mut self) {
        (0..self.quotes.min(DEEPEST)).for_each(|_| self.out.push_str("> "));
        (1..self.lists.len().min(DEEPEST)).for_each(|_| self.out.push_str("  "));
    }

    fn line(&mut self, breaks: usize) {
        self.breaks = self.breaks.max(breaks);
        self.space = false;
    }

    fn start(&mut self, tag: &Tag) {
        if self.hidden.is_some() {
            return;
        }
        match &*tag.name {
            "style" | "script" | "title" | "noscript" | "iframe" => self.hidden = Some(tag.name.to_string()),
            "br" => {
                self.breaks = (self.breaks + 1).min(2);
                self.space = false;
            }
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" | "section" | "article" => self.line(2),
            "div" | "dt" | "dd" | "tr" | "caption" | "figcaption" | "header" | "footer" | "address" => {
                self.line(1);
                self.cells = 0;
            }
            "pre" => {
                self.line(2);
                self.verbatim += 1;
            }
            "blockquote" => {
                self.line(2);
                self.quotes += 1;
            }
            "ul" | "ol" => {
                self.line(if self.lists.is_empty() { 2 } else { 1 });
                self.lists.push((&*tag.name == "ol").then_some(1));
            }
            "li" => {
                self.line(1);
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number = number.saturating_add(1);
                        format!("{}.", *number - 1)
                    }
                    _ => "-".to_owned(),
                };
                self.word(&mark);
                self.space = true;
            }
            "td" | "th" => {
                if self.cells > 0 {
                    self.space = true;
                    self.word("|");
                }
                self.space = true;
                self.cells += 1;
            }
            "hr" => {
                self.line(1);
                self.word("---");
                self.line(1);
            }
            "img" => self.picture(&tag.attrs),
            "a" => {
                let address = attribute(&tag.attrs, "href").filter(|to| to.starts_with("http://") || to.starts_with("https://"));
                self.links.push((address, self.out.len()));
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        if let Some(hidden) = &self.hidden {
            if hidden == name {
                self.hidden = None;
            }
            return;
        }
        match name {
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" | "section" | "article" => self.line(2),
            "div" | "li" | "dt" | "dd" | "tr" | "caption" | "figcaption" | "header" | "footer" | "address" => self.line(1),
            "pre" => {
                self.verbatim = self.verbatim.saturating_sub(1);
                self.line(2);
            }
            "blockquote" => {
                self.quotes = self.quotes.saturating_sub(1);
                self.line(2);
            }
            "ul" | "ol" => {
                self.lists.pop();
                self.line(if self.lists.is_empty() { 2 } else { 1 });
            }
            "a" => {
                let Some((Some(address), from)) = self.links.pop() else { return };
                let shown = self.out.get(from..).unwrap_or_default().trim();
                let bare = address.split_once("://").map_or(address.as_str(), |(_, rest)| rest).trim_end_matches('/');
                if !shown.is_empty() && !shown.contains(bare) {
                    self.space = true;
                    self.word(&format!("({address})"));
                }
            }
            _ => {}
        }
    }

    /// A picture by what it says it shows and where it is; one of a single point says nothing.
    fn picture(&mut self, attributes: &[Attribute]) {
        let tiny = ["width", "height"]
            .iter()
            .any(|side| attribute(attributes, side).is_some_and(|size| matches!(size.trim_end_matches("px"), "0" | "1")));
        if tiny {
            return;
        }
        let source = attribute(attributes, "src").unwrap_or_default();
        let place =
            if source.starts_with("http://") || source.starts_with("https://") { Some(source) } else { self.link.clone() };
        let shown = attribute(attributes, "alt").filter(|alt| !alt.is_empty());
        let words = match (shown, place) {
            (Some(shown), Some(place)) => format!("[picture: {shown}, {place}]"),
            (Some(words), None) | (None, Some(words)) => format!("[picture: {words}]"),
            (None, None) => "[picture]".to_owned(),
        };
        self.space = true;
        self.word(&words);
        self.space = true;
    }
}

/// An attribute's value, on one line.
fn attribute(attributes: &[Attribute], name: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| &*attribute.name.local == name)?;
    Some(found.value.split_whitespace().collect::<Vec<_>>().join(" ")).map(|text| text.chars().take(2_000).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(html: &str) -> String {
        plain(html, Some("https://desk.example/a/tickets/7"))
    }

    #[test]
    fn markup_becomes_words() {
        for (html, want) in [
            ("<div>Cannot <b>print</b><br/>at all&nbsp;&amp; more</div><p>Thanks</p>", "Cannot print\nat all & more\n\nThanks"),
            ("<p>Gru&szlig; &ldquo;x&rdquo; &#8211; &copy 2026</p>", "Gruß “x” – © 2026"),
            ("<style>p { color: red }</style>Hello<!-- not > this --> you<script>alert('<b>')</script>!", "Hello you!"),
            ("a < b and c > d &lt;x&gt; &#39;q&#x27; &unknown; &", "a < b and c > d <x> 'q' &unknown; &"),
            ("<p>unfinished <a href=\"", "unfinished"),
            ("", ""),
            ("plain\r\n  text\u{0}", "plain text"),
            ("ünïcödé<br>日本", "ünïcödé\n日本"),
            ("bo<b>ld</b>er <i> x </i>", "bolder x"),
        ] {
            assert_eq!(text(html), want, "{html}");
        }
    }

    #[test]
    fn lists_tables_and_quotations_keep_their_shape() {
        for (html, want) in [
            (
                "Do:<ul><li>one</li><li>two<ol><li>a</li><li>b</li></ol></li></ul>done",
                "Do:\n\n- one\n- two\n  1. a\n  2. b\n\ndone",
            ),
            ("<table><tr><th>Name</th><th>Size</th></tr><tr><td>C:</td><td> 20 GB </td></tr></table>", "Name | Size\nC: | 20 GB"),
            (
                "Thanks!<div>On Monday Ava wrote:</div><blockquote><p>First</p><p>Second<br>line</p></blockquote>end",
                "Thanks!\nOn Monday Ava wrote:\n\n> First\n\n> Second\n> line\n\nend",
            ),
            ("<pre>a  b\n  c</pre>", "a  b\n  c"),
            (
                "See <a href=\"https://x.example/y\">the page</a> or <a href='https://x.example'>x.example</a>",
                "See the page (https://x.example/y) or x.example",
            ),
        ] {
            assert_eq!(text(html), want, "{html}");
        }
    }

    #[test]
    fn pictures_lead_to_the_vendor_and_nothing_is_cut_before_it_is_read() {
        let data = format!("data:image/png;base64,{}", "A".repeat(2_000_000));
        let html = format!("<p>before</p><img src=\"{data}\" alt=\"screen\"><img src={data}><p>after</p>");
        let link = "https://desk.example/a/tickets/7";
        assert_eq!(text(&html), format!("before\n\n[picture: screen, {link}] [picture: {link}]\n\nafter"));
        assert_eq!(
            lean(&html, Some(link)),
            format!("<p>before</p><img src=\"{link}\" alt=\"screen\"><img src={link}><p>after</p>")
        );
        assert_eq!(plain("x<img src='cid:1'><img width=1 src='https://t.example/p.gif'>", None), "x [picture]");
        assert_eq!(text(&"<b>x</b>".repeat(300_000)).chars().count(), LONGEST);
        let deep = format!("{}x{}", "<blockquote><ul><li>".repeat(20_000), "</li></ul></blockquote>".repeat(20_000));
        assert!(text(&deep).chars().count() <= LONGEST);
    }
}
