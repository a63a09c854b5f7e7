//! Plain text from a vendor's markup, for whoever cannot show markup.

/// The longest text that is kept; a description with embedded pictures can have megabytes.
const LONGEST: usize = 100_000;
/// Elements after which a new word begins at least.
const BREAKS: [&str; 9] = ["br", "p", "div", "tr", "li", "ul", "ol", "td", "table"];

/// Text as it came, without what a database or a page cannot hold, and not without end.
#[must_use]
pub fn clean(text: &str) -> String {
    let plain: String = crate::types::clean(text).chars().take(LONGEST).collect();
    plain.trim_end().to_owned()
}

/// What the markup says: tags out, entities resolved, white space folded to single blanks.
#[must_use]
pub fn plain(html: &str) -> String {
    let mut out = String::with_capacity(html.len().min(LONGEST));
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let tag = tail.get(1..).unwrap_or_default();
        if !tag.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
            out.push('<');
            rest = tag;
            continue;
        }
        let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        let name = name.to_ascii_lowercase();
        let end = if matches!(name.as_str(), "style" | "script") && !tag.starts_with('/') {
            tag.to_ascii_lowercase().find(&format!("</{name}")).and_then(|close| Some(close + tag.get(close..)?.find('>')?))
        } else if tag.starts_with("!--") {
            tag.find("-->").map(|close| close + 2)
        } else {
            tag.find('>')
        };
        if BREAKS.contains(&name.as_str()) {
            out.push(' ');
        }
        rest = end.and_then(|end| tag.get(end + 1..)).unwrap_or_default();
    }
    out.push_str(rest);
    let words = clean(&entities(&out));
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let found = tail.get(1..).and_then(|body| body.split_once(';')).filter(|(name, _)| name.len() <= 8);
        match found.and_then(|(name, after)| Some((letter(name)?, after))) {
            Some((letter, after)) => {
                out.push(letter);
                rest = after;
            }
            None => {
                out.push('&');
                rest = tail.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

fn letter(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "rsquo" => '’',
        "lsquo" => '‘',
        "euro" => '€',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_words() {
        for (html, want) in [
            ("<div>Cannot <b>print</b><br/>at all&nbsp;&amp; more</div><p>Thanks</p>", "Cannot print at all & more Thanks"),
            ("<style>p { color: red }</style>Hello<!-- not > this --> you<script>alert('<b>')</script>!", "Hello you!"),
            ("a < b and c > d &lt;x&gt; &#39;q&#x27; &unknown; &", "a < b and c > d <x> 'q' &unknown; &"),
            ("<p>unfinished <a href=\"", "unfinished"),
            ("", ""),
            ("plain\r\n  text\u{0}", "plain text"),
            ("ünïcödé<br>日本", "ünïcödé 日本"),
        ] {
            assert_eq!(plain(html), want, "{html}");
        }
        assert_eq!(plain(&"x".repeat(300_000)).len(), LONGEST);
    }
}
