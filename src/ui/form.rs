//! The fields of a form: what was typed, what is wrong with it, and which choices there are.

use crate::error::FieldError;
use askama::Template;
use std::{borrow::Cow, collections::BTreeSet};

/// One of several things to choose.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
}

impl Choice {
    /// A choice whose word is its value.
    #[must_use]
    pub fn word(value: &str) -> Self {
        Self { value: value.to_owned(), label: value.to_owned() }
    }

    /// A choice.
    #[must_use]
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into() }
    }
}

/// How a field is filled in.
#[derive(Clone, Debug)]
pub enum Kind {
    /// One line, by its HTML input type: `text`, `email`, `tel`, `date`, `number`, `url`, `password`.
    Line(&'static str),
    /// Several lines.
    Area,
    /// One of these.
    Select(Vec<Choice>),
    /// Any of these, as boxes to tick; what is chosen is in [`Field::values`].
    Many(Vec<Choice>),
    /// Yes or no.
    Check,
}

/// One field of a form.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/field.html")]
pub struct Field {
    /// What is sent.
    pub name: Cow<'static, str>,
    /// What is read.
    pub label: Cow<'static, str>,
    /// How it is filled in.
    pub kind: Kind,
    /// What was typed, or what is stored; `true` for a ticked box.
    pub value: String,
    /// What is chosen among many.
    pub values: Vec<String>,
    /// What is wrong with it.
    pub error: Option<String>,
    /// What helps to fill it in.
    pub hint: Cow<'static, str>,
    /// Whether it must be filled in.
    pub required: bool,
    /// Whether it takes the whole width.
    pub wide: bool,
    /// What the browser may offer, for passwords and names.
    pub autocomplete: &'static str,
    /// Whether the cursor starts here.
    pub autofocus: bool,
}

impl askama::filters::HtmlSafe for Field {}

/// Whether an input of this type shows such a value and lets its form be sent.
fn holds(input: &str, value: &str) -> bool {
    match input {
        "date" => value.len() == 10 && value.parse::<jiff::civil::Date>().is_ok(),
        "number" => value.parse::<f64>().is_ok(),
        "email" => {
            let fine = |letter: char| letter.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(letter);
            value.split_once('@').is_some_and(|(local, host)| {
                !local.is_empty()
                    && local.chars().all(fine)
                    && host.split('.').all(|label| {
                        !label.is_empty() && label.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
                    })
            })
        }
        "url" => url::Url::parse(value).is_ok(),
        _ => true,
    }
}

fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").trim().to_owned()
}

fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], "").trim().to_owned()
}

impl Field {
    fn of(kind: Kind, name: impl Into<Cow<'static, str>>, label: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            kind,
            value: value.into(),
            values: Vec::new(),
            error: None,
            hint: Cow::Borrowed(""),
            required: false,
            wide: false,
            autocomplete: "off",
            autofocus: false,
        }
    }

    /// One line of text.
    #[must_use]
    pub fn text(name: impl Into<Cow<'static, str>>, label: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        Self::of(Kind::Line("text"), name, label, value)
    }

    /// One line of another input type. A stored value that a browser would not show in such an input (a day
    /// in another spelling, an e-mail address that is none) gets a plain one, so that it is not lost.
    #[must_use]
    pub fn line(
        input: &'static str,
        name: impl Into<Cow<'static, str>>,
        label: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
    ) -> Self {
        let value = value.into();
        let input = if value.is_empty() || holds(input, &value) { input } else { "text" };
        Self::of(Kind::Line(input), name, label, value)
    }

    /// Several lines, over the whole width.
    #[must_use]
    pub fn area(name: impl Into<Cow<'static, str>>, label: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        Self { wide: true, ..Self::of(Kind::Area, name, label, value) }
    }

    /// One of several; a stored value that is no longer offered stays choosable.
    #[must_use]
    pub fn select(
        name: impl Into<Cow<'static, str>>,
        label: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
        mut choices: Vec<Choice>,
    ) -> Self {
        let value = value.into();
        if !choices.iter().any(|choice| choice.value == value) {
            choices.insert(0, Choice::new(value.clone(), if value.is_empty() { "–" } else { &value }));
        }
        Self::of(Kind::Select(choices), name, label, value)
    }

    /// Any of several.
    #[must_use]
    pub fn many(
        name: impl Into<Cow<'static, str>>,
        label: impl Into<Cow<'static, str>>,
        values: Vec<String>,
        choices: Vec<Choice>,
    ) -> Self {
        Self { values, wide: true, ..Self::of(Kind::Many(choices), name, label, "") }
    }

    /// Yes or no.
    #[must_use]
    pub fn check(name: impl Into<Cow<'static, str>>, label: impl Into<Cow<'static, str>>, value: bool) -> Self {
        Self::of(Kind::Check, name, label, if value { "true" } else { "" })
    }

    /// Must be filled in.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// With a word of help.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Over the whole width.
    #[must_use]
    pub fn wide(mut self) -> Self {
        self.wide = true;
        self
    }

    /// What the browser may offer.
    #[must_use]
    pub fn autocomplete(mut self, what: &'static str) -> Self {
        self.autocomplete = what;
        self
    }

    /// Whether a form sent this field back as it was shown. Browsers take line ends out of a single line,
    /// write them as CR LF in several, and cut nothing else; blanks at the ends never count.
    #[must_use]
    pub fn came_back(&self, sent: &serde_json::Value) -> bool {
        let text = sent.as_str().unwrap_or_default();
        match &self.kind {
            Kind::Check => (text == "true") == (self.value == "true"),
            Kind::Many(_) => {
                let chosen: BTreeSet<&str> = sent.as_array().into_iter().flatten().filter_map(|item| item.as_str()).collect();
                sent.is_array() && chosen == self.values.iter().map(String::as_str).collect()
            }
            Kind::Area => lines(text) == lines(&self.value),
            Kind::Line(_) | Kind::Select(_) => one_line(text) == one_line(&self.value),
        }
    }

    /// Whether it takes a sign-in name, which no keyboard should correct.
    fn is_name(&self) -> bool {
        self.autocomplete == "username"
    }

    fn chosen(&self, choice: &Choice) -> bool {
        self.value == choice.value || self.values.contains(&choice.value)
    }

    /// `aria-describedby` for the help and the error under the field.
    fn described(&self) -> String {
        let mut ids = Vec::new();
        if !self.hint.is_empty() {
            ids.push(format!("{}-hint", self.name));
        }
        if self.error.is_some() {
            ids.push(format!("{}-error", self.name));
        }
        ids.join(" ")
    }
}

/// What is said beside a field: of an empty one, what to enter.
fn told(field: &Field, error: &FieldError) -> String {
    if !error.is_missing() {
        return error.message.clone();
    }
    let verb = if matches!(field.kind, Kind::Select(_) | Kind::Many(_)) { "Choose" } else { "Enter" };
    let mut letters = field.label.chars();
    let first = letters.next();
    // A short name such as IP stays capital.
    let is_short = letters.as_str().starts_with(char::is_uppercase);
    let label = match first {
        Some(first) if !is_short => format!("{}{}", first.to_lowercase(), letters.as_str()),
        _ => field.label.to_string(),
    };
    format!("{verb} the {label}")
}

/// Puts each error beside its field (`name`, `name.0` and `name[0]` all belong to `name`) and returns
/// those that belong to none, to be shown above the form.
#[must_use]
pub fn place_errors<'a>(fields: impl IntoIterator<Item = &'a mut Field>, errors: &[FieldError]) -> Vec<String> {
    let mut rest: Vec<&FieldError> = errors.iter().collect();
    for field in fields {
        rest.retain(|error| {
            let root = error.field.split(['.', '[']).next().unwrap_or_default();
            if root != field.name && error.field != field.name {
                return true;
            }
            if field.error.is_none() {
                field.error = Some(told(field, error));
            }
            false
        });
    }
    rest.iter().map(|error| format!("{}: {}", error.field, error.message)).collect()
}
