//! Reads `.flaskenv`, the file in which Helm hands its settings to a service.

/// One `KEY=value`, with the line it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The variable's name.
    pub name: String,
    /// Its value without quotes.
    pub value: String,
    /// Line number, from 1.
    pub line: usize,
}

/// Every assignment of the file; lines that are none are skipped, as Helm skips them.
#[must_use]
pub fn parse(text: &str) -> Vec<Entry> {
    text.trim_start_matches('\u{feff}').lines().enumerate().filter_map(|(index, raw)| entry(raw, index + 1)).collect()
}

fn entry(raw: &str, line: usize) -> Option<Entry> {
    let text = raw.trim();
    if text.starts_with('#') {
        return None;
    }
    let (name, value) = text.strip_prefix("export ").unwrap_or(text).split_once('=')?;
    Some(Entry { name: name.trim().to_owned(), value: unquote(value.trim()).to_owned(), line })
}

/// The text between matching quotes, or up to a comment that begins after a blank.
fn unquote(value: &str) -> &str {
    for quote in ['\'', '"'] {
        if let Some((inside, _)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return inside;
        }
    }
    value.split_once(" #").map_or(value, |(before, _)| before.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_helms_forms() {
        let text = "# c\nFLASK_APP=run.py\nSERVICE_NAME='codex'\nexport A=\"b c\" # note\nB=x#y # note\nbroken\n";
        let pairs: Vec<_> = parse(text).into_iter().map(|e| (e.name, e.value, e.line)).collect();
        let want = [("FLASK_APP", "run.py", 2), ("SERVICE_NAME", "codex", 3), ("A", "b c", 4), ("B", "x#y", 5)];
        assert_eq!(pairs, want.map(|(n, v, l)| (n.to_owned(), v.to_owned(), l)));
    }
}
