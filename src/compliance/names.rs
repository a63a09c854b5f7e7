//! Finds the names of protected people in a text, whatever their case, accents and what stands between their parts.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::scan::Finding;
use crate::{
    error::{Error, Result},
    types::fold,
};

/// How long a name of a single part is at least: shorter ones are words, too.
const LONE: usize = 9;
/// How many letters a name of several parts has at least.
const LEAST: usize = 5;
/// What stands in the place of a name.
const TOKEN: &str = "[NAME]";

/// The names that are looked for.
#[derive(Debug, Default)]
pub struct Names(Option<AhoCorasick>);

impl Names {
    /// These people's names.
    ///
    /// # Errors
    /// `Internal` when they are too many to be looked for.
    pub fn new(people: &[String]) -> Result<Self> {
        let forms: BTreeSet<String> = people.iter().flat_map(|name| forms(name)).collect();
        if forms.is_empty() {
            return Ok(Self(None));
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(forms)
            .map_err(Error::internal)?;
        Ok(Self(Some(automaton)))
    }

    /// Where they stand in a text.
    pub fn find(&self, text: &str, found: &mut Vec<Finding>) {
        let Some(automaton) = &self.0 else { return };
        let plain = Plain::of(text);
        found.extend(automaton.find_overlapping_iter(&plain.text).map(|hit| Finding {
            // Around a name are blanks, which are not part of it.
            start: plain.places[hit.start() + 1],
            end: plain.places[hit.end() - 1],
            token: TOKEN,
        }));
    }
}

/// A name of several parts in its folded words, from each of its parts on: "jane doe" and "doe jane".
pub(super) fn orders(name: &str) -> Vec<String> {
    let plain = Plain::of(name).text;
    let parts: Vec<&str> = plain.split_whitespace().collect();
    let from = |first: usize| [&parts[first..], &parts[..first]].concat().join(" ");
    if parts.len() > 1 { (0..parts.len()).map(from).collect() } else { Vec::new() }
}

/// How a name is written: as it is, without what is in its middle, and with what stands last put first.
fn forms(name: &str) -> Vec<String> {
    let plain = Plain::of(name).text;
    let parts: Vec<&str> = plain.split_whitespace().collect();
    let letters: usize = parts.iter().map(|part| part.chars().count()).sum();
    let written = |parts: &[&str]| format!(" {} ", parts.join(" "));
    match parts.as_slice() {
        [lone] if letters >= LONE => vec![written(&[lone])],
        [first, rest @ .., last] if letters >= LEAST => {
            let turned: Vec<&str> = [*last, *first].into_iter().chain(rest.iter().copied()).collect();
            let mut forms = vec![written(&parts), written(&turned)];
            if !rest.is_empty() && first.len() > 1 && last.len() > 1 && first.len() + last.len() >= LEAST {
                forms.extend([written(&[first, last]), written(&[last, first])]);
            }
            forms
        }
        _ => Vec::new(),
    }
}

/// A text as its folded words with one blank around each, and where in the text each byte comes from.
pub(super) struct Plain {
    text: String,
    places: Vec<usize>,
}

impl Plain {
    /// The words, with one blank between them.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// From where to where each word goes.
    pub(super) fn words(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut at = 0;
        self.text.split(' ').filter_map(move |word| {
            let start = at;
            at += word.len() + 1;
            (!word.is_empty()).then_some((start, start + word.len()))
        })
    }

    /// Where in the text a place is.
    pub(super) fn place(&self, at: usize) -> usize {
        self.places[at]
    }

    pub(super) fn of(text: &str) -> Self {
        let mut plain = Self { text: String::with_capacity(text.len() + 2), places: Vec::with_capacity(text.len() + 2) };
        plain.push(' ', 0);
        let mut at = 0;
        while let Some(letter) = text[at..].chars().next() {
            let mut length = letter.len_utf8();
            match letter {
                _ if letter.is_ascii_alphanumeric() => plain.push(letter.to_ascii_lowercase(), at),
                '&' if text[at..].starts_with("&nbsp;") => {
                    length = "&nbsp;".len();
                    plain.blank(at);
                }
                _ if letter.is_ascii() || letter.is_whitespace() => plain.blank(at),
                _ => {
                    let folded = fold(letter.encode_utf8(&mut [0; 4]));
                    if folded.chars().all(char::is_alphanumeric) {
                        // Nothing is left of an accent that stands alone: it belongs to the letter before it.
                        folded.chars().for_each(|letter| plain.push(letter, at));
                    } else {
                        plain.blank(at);
                    }
                }
            }
            at += length;
        }
        plain.text.push(' ');
        plain.places.push(text.len());
        plain
    }

    fn push(&mut self, letter: char, at: usize) {
        self.text.push(letter);
        self.places.resize(self.text.len(), at);
    }

    fn blank(&mut self, at: usize) {
        if !self.text.ends_with(' ') {
            self.push(' ', at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::scan::replaced;

    fn names() -> Names {
        let people = ["María José González", "Will Mark", "Will", "O'Brien-Smith Siobhán", "Quetzalcoatl", "Łukasz Żak"];
        Names::new(&people.map(str::to_owned)).unwrap()
    }

    fn screened(text: &str) -> String {
        let mut found = Vec::new();
        names().find(text, &mut found);
        replaced(text, found)
    }

    #[test]
    fn names_are_found_however_they_are_written() {
        for (text, shown) in [
            ("Maria Jose Gonzalez called", "[NAME] called"),
            ("MARÍA GONZÁLEZ's laptop", "[NAME]'s laptop"),
            ("Gonza\u{301}lez, Mari\u{301}a (new)", "[NAME] (new)"),
            ("for Siobhan O'Brien-Smith", "for [NAME]"),
            ("for O'Brien-Smith, Siobhán.", "for [NAME]."),
            ("<b>maria</b>&nbsp;gonzalez", "<b>maria</b>&nbsp;gonzalez"),
            ("maria&nbsp;gonzalez", "[NAME]"),
            ("quetzalcoatl is ill", "[NAME] is ill"),
            ("lukasz zak, will mark", "[NAME], [NAME]"),
        ] {
            assert_eq!(screened(text), shown, "{text}");
        }
    }

    #[test]
    fn ordinary_words_stay() {
        for text in ["Will you mark it? Will it", "William Markus", "Joan will marking", "Quetzalcoatls", ""] {
            assert_eq!(screened(text), text);
        }
    }

    #[test]
    fn ten_thousand_names_are_found_in_a_megabyte() {
        let people: Vec<String> = (0..10_000).map(|number| format!("Person{number} Family{}", number * 7)).collect();
        let names = Names::new(&people).unwrap();
        let text = "Person17 Family119 asked José about the printer of Person18 again. ".repeat(15_000);
        let mut found = Vec::new();
        names.find(&text, &mut found);
        assert_eq!(found.len(), 15_000);
    }
}
