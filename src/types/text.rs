//! Text as it is kept, and the one search key by which people and machines are sorted, filtered and found.
//!
//! The engines disagree about letters, so all of it is made in Rust (design §4, §10.8). Whoever changes what
//! [`fold`] or [`SearchText`] makes, or adds such a column, raises [`KEY_VERSION`]: stored keys are then made anew at the next start.

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization as _;

/// Which keys this program makes; those of another version in the database are made anew.
pub const KEY_VERSION: i64 = 5;
/// From this many characters on a trigram index can find a word.
pub const TRIGRAM: usize = 3;
/// How much of a text in a script other than Latin is taken apart for words of one and two characters.
const TAKEN_APART: usize = 2_000;
/// The fewest digits that are compared without their country code or trunk zero.
const LOCAL_DIGITS: usize = 7;
/// The fewest characters of an identifier that is compared without its separators.
const BARE: usize = 4;

/// Text as it is kept, whoever sent it: without control characters (line ends and tabs stay), without
/// characters that take no room or turn the writing around, and without blanks at its ends.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\r' if letters.peek() == Some(&'\n') => {}
            '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => kept.push('\n'),
            // They join and part letters of scripts that need it, and the pieces of an emoji; nothing else.
            '\u{200c}' | '\u{200d}' => {
                let joins = |letter: Option<char>| letter.is_some_and(|letter| letter > '\u{58f}' && !is_invisible(letter));
                if joins(kept.chars().next_back()) && joins(letters.peek().copied()) {
                    kept.push(letter);
                }
            }
            '\n' | '\t' => kept.push(letter),
            _ if letter.is_control() || is_invisible(letter) => {}
            _ => kept.push(letter),
        }
    }
    let trimmed = kept.trim();
    if trimmed.len() == kept.len() { kept } else { trimmed.to_owned() }
}

/// What takes no room: soft hyphens, joiners, marks of direction, byte order marks, tags, fillers.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Text as it is sorted, filtered and compared: lower case, without accents; ligatures and the letters that
/// only some languages have as their plain ones; typographic marks plain; blanks single. Other scripts keep
/// their letters.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() && !text.contains('`') {
        let visible = |letter: &char| letter.is_ascii_whitespace() || *letter == '\u{b}' || !letter.is_ascii_control();
        let plain: String = text.chars().filter(visible).map(|letter| letter.to_ascii_lowercase()).collect();
        return joined(&plain);
    }
    let visible = text.chars().filter_map(|letter| match letter {
        _ if letter.is_whitespace() => Some(' '),
        _ if letter.is_control() || is_invisible(letter) || matches!(letter, '\u{fe00}'..='\u{fe0f}') => None,
        _ => Some(plain_mark(letter)),
    });
    let letters =
        visible.nfkd().filter(|letter| !is_accent(*letter)).flat_map(char::to_lowercase).filter(|letter| !is_accent(*letter));
    let mut plain = String::with_capacity(text.len());
    for letter in letters.nfc() {
        if letter.is_ascii() {
            plain.push(letter);
        } else {
            push_plain(&mut plain, letter);
        }
    }
    joined(&plain)
}

/// The words of a text with single blanks between them.
fn joined(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded
}

/// Quotes and dashes as they are typed.
fn plain_mark(letter: char) -> char {
    match letter {
        '`'
        | '\u{b4}'
        | '\u{2b9}'
        | '\u{2bb}'..='\u{2bf}'
        | '\u{2c8}'
        | '\u{2ca}'
        | '\u{2cb}'
        | '\u{2018}'..='\u{201b}'
        | '\u{2032}'
        | '\u{2035}'
        | '\u{2039}'
        | '\u{203a}'
        | '\u{55a}'
        | '\u{a78c}'
        | '\u{ff07}'
        | '\u{ff40}' => '\'',
        '\u{ab}'
        | '\u{bb}'
        | '\u{2ba}'
        | '\u{201c}'..='\u{201f}'
        | '\u{2033}'
        | '\u{2036}'
        | '\u{275d}'
        | '\u{275e}'
        | '\u{301d}'..='\u{301f}'
        | '\u{ff02}' => '"',
        '\u{58a}'
        | '\u{1806}'
        | '\u{2010}'..='\u{2015}'
        | '\u{2043}'
        | '\u{207b}'
        | '\u{208b}'
        | '\u{2212}'
        | '\u{2e3a}'
        | '\u{2e3b}'
        | '\u{fe31}'
        | '\u{fe32}'
        | '\u{fe58}'
        | '\u{fe63}'
        | '\u{ff0d}' => '-',
        other => other,
    }
}

/// Accents, points and vowel marks that people leave out; the marks that make another letter in Japanese,
/// Thai and the scripts of India are none of them.
fn is_accent(letter: char) -> bool {
    matches!(letter,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}'
        | '\u{5c5}' | '\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// A Latin letter that no accent explains in plain ones, a digit of any script as ours, the rest as it is.
fn push_plain(plain: &mut String, letter: char) {
    match letter {
        'ς' => plain.push('σ'),
        'ə' | 'ǝ' => plain.push('e'),
        '\u{660}'..='\u{669}' => plain.extend(char::from_digit(u32::from(letter) - 0x660, 10)),
        '\u{6f0}'..='\u{6f9}' => plain.extend(char::from_digit(u32::from(letter) - 0x6f0, 10)),
        '\u{80}'..='\u{2af}'
        | '\u{1d00}'..='\u{1dbf}'
        | '\u{1e00}'..='\u{1eff}'
        | '\u{2c60}'..='\u{2c7f}'
        | '\u{a720}'..='\u{a7ff}'
        | '\u{ab30}'..='\u{ab6f}'
            if letter.is_alphabetic() =>
        {
            match deunicode::deunicode_char(letter) {
                Some(letters) if !letters.is_empty() && letters.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                    plain.push_str(&letters.to_ascii_lowercase());
                }
                _ => plain.push(letter),
            }
        }
        _ => plain.push(letter),
    }
}

/// An e-mail address as it is compared: who somebody is does not depend on case, but it does on accents.
#[must_use]
pub fn email_key(text: &str) -> String {
    clean(text).to_lowercase()
}

/// What a row is found by: its words, and its identifiers also without their separators. Words stand
/// between single blanks, so that a beginning or an end can be asked for.
#[derive(Clone, Debug, Default)]
pub struct SearchText {
    text: String,
    has: HashSet<String>,
}

impl SearchText {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the words of a text.
    #[must_use]
    pub fn words<T: AsRef<str>>(mut self, text: impl IntoIterator<Item = T>) -> Self {
        for text in text {
            for word in fold(text.as_ref()).split(' ').filter(|word| !word.is_empty()) {
                self.word(word);
            }
        }
        self
    }

    /// Adds identifiers such as a serial number or a MAC address, also without blanks and separators.
    #[must_use]
    pub fn ids<T: AsRef<str>>(mut self, ids: impl IntoIterator<Item = T>) -> Self {
        for id in ids {
            let folded = fold(id.as_ref());
            folded.split(' ').filter(|word| !word.is_empty()).for_each(|word| self.word(word));
            let bare = bare(&folded);
            if bare.chars().count() >= TRIGRAM && !is_address(&folded) {
                self.once(&bare);
            }
        }
        self
    }

    /// Adds telephone numbers, also as bare digits, with and without the country's code.
    #[must_use]
    pub fn phones<T: AsRef<str>>(mut self, numbers: impl IntoIterator<Item = T>) -> Self {
        for number in numbers {
            let folded = fold(number.as_ref());
            folded.split(' ').filter(|word| !word.is_empty()).for_each(|word| self.word(word));
            let (main, _) = crate::types::phone::parts(&folded);
            let digits: String = main.replace("(0)", "").chars().filter(char::is_ascii_digit).collect();
            if digits.len() >= TRIGRAM {
                self.once(&digits);
                if let Some(national) = national(&main, &digits) {
                    self.once(&format!("0{national}"));
                }
            }
        }
        self
    }

    /// Adds a ticket's number, also as it is written behind a `#`.
    #[must_use]
    pub fn number(mut self, number: &str) -> Self {
        self.once(&fold(number));
        self.once(&format!("#{}", fold(number)));
        self
    }

    /// The key as it is stored.
    #[must_use]
    pub fn finish(self) -> String {
        if self.text.is_empty() { String::new() } else { format!("{} ", self.text) }
    }

    fn word(&mut self, word: &str) {
        self.once(word);
        if !word.is_ascii() {
            self.take_apart(word);
        }
        let bare = bare(word);
        let inner = bare.len() != word.len() && bare.chars().count() >= TRIGRAM && !word.contains('@') && !is_address(word);
        if inner && word.chars().any(|letter| matches!(letter, '\'' | '-') || letter.is_ascii_digit()) {
            self.once(&bare);
        }
    }

    /// Adds the single characters and pairs of a word that is not plain Latin: a trigram index does not
    /// find words as short as many are in Chinese and Japanese.
    fn take_apart(&mut self, word: &str) {
        let letters: Vec<char> = word.chars().take(TAKEN_APART).collect();
        for letter in letters.iter().filter(|letter| !letter.is_ascii()) {
            self.once(&letter.to_string());
        }
        for pair in letters.windows(2) {
            self.once(&pair.iter().collect::<String>());
        }
    }

    fn once(&mut self, word: &str) {
        if !word.is_empty() && self.has.insert(word.to_owned()) {
            self.text.push(' ');
            self.text.push_str(word);
        }
    }
}

/// What a search text asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Every one of these must be found, in whatever order, each in one of its spellings.
    pub words: Vec<Vec<String>>,
    /// Or one of these: the whole text as one identifier that was written with blanks.
    pub whole: Vec<String>,
}

impl Wanted {
    /// Reads a search text; one without anything to look for wants nothing.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let folded = fold(text);
        let mut words: Vec<&str> = folded.split(' ').filter(|word| !word.is_empty()).collect();
        let says_something = |word: &&str| word.chars().any(char::is_alphanumeric);
        if words.iter().any(says_something) {
            words.retain(says_something);
        }
        words.sort_unstable();
        words.dedup();
        let whole = if words.len() > 1 { whole(&folded) } else { Vec::new() };
        Self { words: words.into_iter().map(spellings).collect(), whole }
    }

    /// Whether a search key has it.
    #[must_use]
    pub fn is_in(&self, key: &str) -> bool {
        self.words.iter().all(|spellings| spellings.iter().any(|word| key.contains(word.as_str())))
            || self.whole.iter().any(|whole| key.contains(whole.as_str()))
    }

    /// Whether there is anything to look for.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.words.is_empty()
    }
}

/// The ways in which a word may be stored.
fn spellings(word: &str) -> Vec<String> {
    let quoted = |letter: char| matches!(letter, '"' | '\'' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | ',' | ';');
    let inner = word.trim_matches(quoted);
    let word = if inner.chars().any(char::is_alphanumeric) { inner } else { word };
    if let Some(number) = ticket_number(word) {
        let mut found = vec![format!("#{number} ")];
        if !word.starts_with('#') {
            found.push(word.to_owned());
        }
        return found;
    }
    let mut found = vec![short(word)];
    if word.contains('@') || is_address(word) {
        return found;
    }
    let bare = bare(word);
    if bare.len() != word.len() && bare.chars().count() >= BARE && bare.chars().any(|letter| letter.is_ascii_digit()) {
        found.push(bare);
    }
    found.extend(phone_spellings(word));
    found.sort();
    found.dedup();
    found
}

/// A word as it is looked for: one character begins a word, and so do one and two of a script whose words
/// were taken apart.
fn short(word: &str) -> String {
    match word.chars().count() {
        1 if word.is_ascii() => format!(" {word}"),
        1 | 2 if !word.is_ascii() => format!(" {word} "),
        _ => word.to_owned(),
    }
}

/// The whole text as one identifier.
fn whole(folded: &str) -> Vec<String> {
    let bare = bare(folded);
    if !bare.chars().any(|letter| letter.is_ascii_digit()) {
        return Vec::new();
    }
    if let Some(number) = ticket_number(&bare) {
        return vec![format!("#{number} ")];
    }
    let mut found = phone_spellings(folded);
    if bare.chars().count() >= 6 {
        found.push(bare);
    }
    found.sort();
    found.dedup();
    found
}

/// The digits of what may be a telephone number, without the country's code and without the trunk zero.
fn phone_spellings(text: &str) -> Vec<String> {
    let mut digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let marks = text.chars().all(|letter| letter.is_ascii_digit() || matches!(letter, '+' | '(' | ')' | '.' | '-' | '/' | ' '));
    if !marks || digits.len() < LOCAL_DIGITS {
        return Vec::new();
    }
    if text.contains("(0)") {
        digits = text.replace("(0)", "").chars().filter(char::is_ascii_digit).collect();
    }
    let mut found = vec![digits.clone()];
    if let Some(national) = national(text, &digits) {
        found.push(national);
    }
    let without_prefix = digits.strip_prefix("00").or_else(|| digits.strip_prefix("011"));
    found.extend(without_prefix.map(str::to_owned));
    if digits.len() == 11 {
        found.extend(digits.strip_prefix('1').map(str::to_owned));
    }
    found.extend(digits.strip_prefix('0').map(|rest| rest.trim_start_matches('0').to_owned()));
    found.retain(|digits| digits.len() >= LOCAL_DIGITS);
    found
}

/// Whether a search for this text finds this telephone number, by what [`SearchText::phones`] makes of it.
#[must_use]
pub fn finds_phone(text: &str, number: &str) -> bool {
    let folded = fold(text);
    let plain = bare(&folded);
    if plain.len() < TRIGRAM || !plain.bytes().all(|letter| letter.is_ascii_digit()) || is_address(&folded) {
        return false;
    }
    let key = SearchText::new().phones([number]).finish();
    phone_spellings(&folded).iter().chain([&plain]).any(|digits| key.contains(digits))
}

/// The number within its country, when it is written with the country's code.
fn national(text: &str, digits: &str) -> Option<String> {
    let abroad = if text.trim_start().starts_with('+') {
        digits
    } else {
        digits.strip_prefix("00").or_else(|| digits.strip_prefix("011"))?
    };
    let rest = crate::types::phone::without_country(abroad)?;
    (rest.len() >= LOCAL_DIGITS - 1).then(|| rest.to_owned())
}

/// The ticket that a whole search text names: `4220`, `#4220`, `INC-4220`, `sr 4220`.
#[must_use]
pub fn ticket_named(text: &str) -> Option<i64> {
    let folded = fold(text);
    let plain = folded.bytes().all(|byte| byte.is_ascii_digit()).then_some(folded.as_str());
    plain
        .or_else(|| ticket_number(&folded))
        .map(str::to_owned)
        .or_else(|| ticket_number(&bare(&folded)).map(str::to_owned))?
        .parse()
        .ok()
}

/// The number in `#4220`, `INC-12`, `SR-12` and their kind.
fn ticket_number(word: &str) -> Option<&str> {
    const KINDS: [&str; 9] = ["inc", "sr", "chn", "prb", "rel", "req", "ticket", "tkt", "case"];
    let plain = word.strip_prefix('#').unwrap_or(word);
    let kind = KINDS.iter().find_map(|kind| plain.strip_prefix(kind));
    if kind.is_none() && plain.len() == word.len() {
        return None;
    }
    let number = kind.unwrap_or(plain).trim_start_matches(['-', '#', ':', '_']).trim_start_matches('0');
    ((1..=18).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(number)
}

/// The letters and digits alone.
fn bare(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).collect()
}

/// Whether a word is an IP address, or the beginning of one: its digits mean nothing without the dots.
fn is_address(word: &str) -> bool {
    let four = word.contains('.')
        && word.split('.').count() <= 5
        && word.split('.').all(|group| group.is_empty() || (group.len() <= 3 && group.parse::<u8>().is_ok()));
    let six = word.contains(':')
        && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':')
        && (word.contains("::") || word.split(':').any(|group| group.len() > 2) || word.split(':').count() > 6);
    four || six
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
