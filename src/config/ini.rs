//! Reads `codex.conf` as Python's `RawConfigParser` does, because people already have the file.
//!
//! `%` is an ordinary character, keys ignore case, `:` or `=` separates, `#` or `;` begins a comment
//! only at the start of a line, an indented line continues the value before it, and `[DEFAULT]`
//! gives every section its values.

use std::collections::BTreeMap;

/// One `key = value`, with the line it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Section name as written.
    pub section: String,
    /// Key in lower case.
    pub key: String,
    /// Value without surrounding blanks.
    pub value: String,
    /// Line number, from 1.
    pub line: usize,
}

/// Every entry of the file in order; the message of the error names the line.
pub fn parse(text: &str) -> Result<Vec<Entry>, String> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut section: Option<String> = None;
    let mut open = false;
    for (index, raw) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let (line, trimmed) = (index + 1, raw.trim());
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if raw.starts_with([' ', '\t']) && open {
            if let Some(last) = entries.last_mut() {
                last.value.push_str(if last.value.is_empty() { "" } else { "\n" });
                last.value.push_str(trimmed);
            }
            continue;
        }
        open = false;
        if let Some(rest) = trimmed.strip_prefix('[') {
            let name = rest.split_once(']').map(|(name, _)| name);
            section = Some(name.ok_or_else(|| format!("line {line}: a section needs a closing bracket"))?.to_owned());
            continue;
        }
        let Some(section) = &section else {
            return Err(format!("line {line}: a key before the first [section]"));
        };
        let (key, value) = trimmed.split_once(['=', ':']).ok_or_else(|| format!("line {line}: expected key = value"))?;
        entries.push(Entry { section: section.clone(), key: key.trim().to_lowercase(), value: value.trim().to_owned(), line });
        open = true;
    }
    Ok(entries)
}

/// The entries by section and key (the last one wins), with `[DEFAULT]` spread over the sections present.
#[must_use]
pub fn by_key(entries: Vec<Entry>) -> BTreeMap<(String, String), Entry> {
    let sections: std::collections::BTreeSet<String> = entries.iter().map(|e| e.section.clone()).collect();
    let mut map = BTreeMap::new();
    for entry in entries.iter().filter(|e| e.section == "DEFAULT") {
        for section in sections.iter().filter(|s| *s != "DEFAULT") {
            map.insert((section.clone(), entry.key.clone()), entry.clone());
        }
    }
    for entry in entries.into_iter().filter(|e| e.section != "DEFAULT") {
        map.insert((entry.section.clone(), entry.key.clone()), entry);
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_python_reads() {
        let text = "# note\n[Database]\nConnection_String: postgresql://u:p%40ss#1;x@h/db ; kept\n\n; c\n[a]\nk = one\n   two\nempty =\n";
        let map = by_key(parse(text).unwrap());
        let get = |s: &str, k: &str| map.get(&(s.to_owned(), k.to_owned())).map(|e| e.value.clone());
        assert_eq!(get("Database", "connection_string").unwrap(), "postgresql://u:p%40ss#1;x@h/db ; kept");
        assert_eq!(get("a", "k").unwrap(), "one\ntwo");
        assert_eq!(get("a", "empty").unwrap(), "");
    }

    #[test]
    fn names_the_line_that_it_cannot_read() {
        assert_eq!(parse("x = 1").unwrap_err(), "line 1: a key before the first [section]");
        assert_eq!(parse("[a]\nnonsense").unwrap_err(), "line 2: expected key = value");
        assert_eq!(parse("[a").unwrap_err(), "line 1: a section needs a closing bracket");
    }

    #[test]
    fn default_section_reaches_the_others() {
        let map = by_key(parse("[DEFAULT]\nk = 1\nj = 2\n[s]\nk = 3\n").unwrap());
        assert_eq!(map[&("s".to_owned(), "k".to_owned())].value, "3");
        assert_eq!(map[&("s".to_owned(), "j".to_owned())].value, "2");
    }
}
