//! What the account's status codes mean: what the operator says, else what the vendor says, else what
//! is known of it anyway.

use std::collections::{BTreeMap, BTreeSet};

use super::codes::{STATUSES, UNKNOWN, alias, normalise, title};

/// The last code that means the same in every account.
const STANDARD: i64 = 5;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Meaning {
    word: String,
    label: String,
}

/// The statuses of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses {
    known: BTreeMap<i64, Meaning>,
    /// Those that the account certainly has.
    own: BTreeSet<i64>,
}

impl Statuses {
    /// From what the vendor calls its codes and what the operator calls them.
    #[must_use]
    pub fn new(learned: &[(i64, String)], configured: &BTreeMap<i64, String>) -> Self {
        let known =
            STATUSES.iter().map(|(code, word, label)| (*code, Meaning { word: (*word).to_owned(), label: (*label).to_owned() }));
        let mut all: BTreeMap<i64, Meaning> = known.collect();
        for (code, label) in learned {
            let word = if *code <= STANDARD { all.get(code).map(|known| known.word.clone()) } else { None };
            all.insert(*code, Meaning { word: word.unwrap_or_else(|| word_of(*code, label)), label: label.trim().to_owned() });
        }
        for (code, word) in configured {
            let word = normalise(word);
            let usual =
                STATUSES.iter().find(|(_, known, _)| *known == word).map_or_else(|| title(&word), |known| known.2.to_owned());
            let label = all.get(code).filter(|_| learned.iter().any(|(known, _)| known == code));
            all.insert(*code, Meaning { label: label.map_or(usual, |known| known.label.clone()), word });
        }
        let told = learned.iter().map(|(code, _)| *code).chain(configured.keys().copied());
        let own = told.chain(all.keys().copied().filter(|code| *code <= STANDARD)).collect();
        Self { known: all, own }
    }

    /// The word of a code; `unknown` for one that nobody has explained.
    #[must_use]
    pub fn word(&self, code: Option<i64>) -> String {
        code.and_then(|code| self.known.get(&code)).map_or(UNKNOWN, |meaning| &meaning.word).to_owned()
    }

    /// The code of a word or a name, the lowest when several have it.
    #[must_use]
    pub fn code(&self, text: &str) -> Option<i64> {
        let word = normalise(text);
        let found = self.known.iter().find(|(_, meaning)| meaning.word == word || normalise(&meaning.label) == word);
        found.map(|(code, _)| *code)
    }

    /// The name for people.
    #[must_use]
    pub fn label(&self, code: Option<i64>, word: &str) -> String {
        let by_code = code.and_then(|code| self.known.get(&code)).filter(|meaning| meaning.word == word);
        let by_word = || self.known.values().find(|meaning| meaning.word == word);
        by_code.or_else(by_word).map_or_else(|| title(word), |meaning| meaning.label.clone())
    }

    /// The words that a status in a question stands for, however it is spelt; a number is a code.
    #[must_use]
    pub fn asked(&self, text: &str) -> (Vec<String>, Option<i64>) {
        let word = normalise(text);
        if let Ok(code) = word.parse() {
            return (Vec::new(), Some(code));
        }
        let mut words = alias(&word);
        words.extend(self.known.values().filter(|meaning| normalise(&meaning.label) == word).map(|meaning| meaning.word.clone()));
        words.dedup();
        (words, None)
    }

    /// What a written status becomes: its word and its code, when it has one. `in_progress`, which old
    /// clients write, is what the vendor calls pending unless the account has a status of that name.
    #[must_use]
    pub fn written(&self, text: &str) -> (String, Option<i64>) {
        let word = normalise(text);
        let code = word.parse().ok().filter(|code| self.known.contains_key(code)).or_else(|| self.code(&word));
        let code = code.or_else(|| if word == "in_progress" { self.code("pending") } else { None });
        code.map_or_else(|| (word, None), |code| (self.word(Some(code)), Some(code)))
    }

    /// As [`Statuses::written`], of what an account knows only.
    ///
    /// # Errors
    /// The names that are known.
    pub fn settable(&self, text: &str) -> Result<(String, Option<i64>), String> {
        let (word, code) = self.written(text);
        if code.is_some() {
            return Ok((word, code));
        }
        let words: Vec<&str> = self.known.values().map(|meaning| meaning.word.as_str()).collect();
        Err(format!("is no status of this account; known are {}", words.join(", ")))
    }

    /// Every status that the account has, and those of `used` beside them: word and name.
    #[must_use]
    pub fn offered(&self, used: &[String]) -> Vec<(String, String)> {
        let own = self.known.iter().filter(|(code, _)| self.own.contains(code));
        let mut all: Vec<(String, String)> = own.map(|(_, meaning)| (meaning.word.clone(), meaning.label.clone())).collect();
        all.extend(used.iter().map(|word| (word.clone(), self.label(None, word))));
        let mut seen = BTreeSet::new();
        all.retain(|(word, _)| seen.insert(word.clone()));
        all
    }
}

/// The word for an account's own status: that of a known name, that of the code when the name still says
/// it ("Waiting for Customer"), else the name itself.
fn word_of(code: i64, label: &str) -> String {
    let name = normalise(label);
    if let Some((_, word, _)) = STATUSES.iter().find(|(_, word, label)| *word == name || normalise(label) == name) {
        return (*word).to_owned();
    }
    let parts: Vec<&str> = name.split('_').collect();
    let says = |word: &str| word.split('_').all(|part| parts.contains(&part));
    match STATUSES.iter().find(|(known, word, _)| *known == code && says(word)) {
        Some((_, word, _)) => (*word).to_owned(),
        None if name.is_empty() => UNKNOWN.to_owned(),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operator_beats_the_vendor_beats_the_defaults() {
        let learned = [
            (2, "Neu".to_owned()),
            (9, "Waiting for Customer".to_owned()),
            (8, "On Hold".to_owned()),
            (40, "Parts ordered".to_owned()),
        ];
        let all = Statuses::new(&learned, &BTreeMap::from([(40, "Waiting customer".to_owned()), (41, "on_hold".to_owned())]));
        let word = |code| all.word(Some(code));
        assert_eq!((word(2).as_str(), all.label(Some(2), "open").as_str()), ("open", "Neu"));
        assert_eq!(
            (word(9).as_str(), all.label(Some(9), "waiting_customer").as_str()),
            ("waiting_customer", "Waiting for Customer")
        );
        assert_eq!(word(8), "on_hold", "a known name beats the default of the code");
        assert_eq!((word(40).as_str(), all.label(Some(40), "waiting_customer").as_str()), ("waiting_customer", "Parts ordered"));
        assert_eq!((word(41).as_str(), all.label(Some(41), "on_hold").as_str()), ("on_hold", "On Hold"));
        assert_eq!((word(99).as_str(), all.word(None).as_str()), ("unknown", "unknown"));
        assert_eq!(Statuses::new(&[(42, "Parts ordered".to_owned())], &BTreeMap::new()).word(Some(42)), "parts_ordered");
    }

    #[test]
    fn only_what_an_account_has_is_offered() {
        let words = |all: &Statuses, used: &[&str]| -> Vec<String> {
            let used: Vec<String> = used.iter().map(|word| (*word).to_owned()).collect();
            all.offered(&used).into_iter().map(|(_, label)| label).collect()
        };
        let none = Statuses::new(&[], &BTreeMap::new());
        assert_eq!(words(&none, &[]), ["Open", "Pending", "Resolved", "Closed"]);
        assert_eq!(
            words(&none, &["on_hold", "open", "unknown"]),
            ["Open", "Pending", "Resolved", "Closed", "On Hold", "Unknown"]
        );
        let own = Statuses::new(&[(6, "Parts ordered".to_owned())], &BTreeMap::from([(7, "Field visit".to_owned())]));
        assert_eq!(words(&own, &[]), ["Open", "Pending", "Resolved", "Closed", "Parts ordered", "Field Visit"]);
        for code in [6, 7, 99] {
            assert_eq!(none.word(Some(code)), "unknown", "only documented codes mean something in every account");
        }
        assert!(none.settable("half done").unwrap_err().contains("known are open, pending, resolved, closed"));
        assert_eq!(own.settable("parts-ordered"), Ok(("parts_ordered".to_owned(), Some(6))));
    }

    #[test]
    fn what_is_written_becomes_a_code_where_there_is_one() {
        let all = Statuses::new(&[], &BTreeMap::new());
        assert_eq!(all.written("Waiting on Customer"), ("waiting_customer".to_owned(), Some(9)));
        assert_eq!(all.written("5"), ("closed".to_owned(), Some(5)));
        assert_eq!(all.written("In-Progress"), ("pending".to_owned(), Some(3)));
        assert_eq!(all.written("half done"), ("half_done".to_owned(), None));
        assert_eq!(all.asked("23"), (Vec::new(), Some(23)));
        assert!(all.asked("in progress").0.contains(&"update_needed".to_owned()));
        assert!(all.asked("waiting on customer").0.contains(&"waiting_customer".to_owned()));
    }
}
