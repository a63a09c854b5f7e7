//! The parts of a detail page: where it hangs, what is known with its sources, what happened.

use std::borrow::Cow;

use askama::Template;

use super::{Page, Section, Value, filters};
use crate::{
    error::{Error, Result},
    types::phone,
};

/// One step of the way to a page.
#[derive(Clone, Debug)]
pub struct Crumb {
    /// With the prefix.
    pub href: String,
    /// The step's name.
    pub text: String,
}

/// A room's list, from which the pages and forms of its records hang.
#[derive(Clone, Copy, Debug)]
pub struct Records {
    pub section: Section,
    /// With its last slash: `/assets/`.
    pub path: &'static str,
    /// "Assets"
    pub title: &'static str,
    /// "New asset"
    pub new: &'static str,
    /// "Add asset"
    pub add: &'static str,
}

impl Records {
    /// The step that leads to the list.
    #[must_use]
    pub fn crumb(&self, page: &Page) -> Crumb {
        Crumb { href: page.url(self.path), text: self.title.to_owned() }
    }
}

/// The head of a record's page: where it hangs, what it is called, its state, and what can be done with it.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/record_head.html")]
pub struct Head {
    /// The page, titled with what people call the record.
    pub page: Page,
    pub crumbs: Vec<Crumb>,
    /// Its state, beside its name; that it is retired stands there anyway.
    pub badges: Vec<Value>,
    /// What it is, in one line.
    pub lead: String,
    /// How much hangs on it, with the way there: `12 contacts`.
    pub counts: Vec<Crumb>,
    /// What one needs of it while on the telephone.
    pub facts: Vec<Item>,
    /// What can be done with it elsewhere, the most usual first.
    pub ways: Vec<Way>,
    /// Its own address, below which the forms of its page are posted.
    pub base: String,
    /// Whether it is a person, who has initials.
    pub is_person: bool,
    pub retired: bool,
    /// When it was retired, where that is known.
    pub retired_at: String,
    /// Whether the reader may edit it and bring it back.
    pub may_edit: bool,
    pub may_retire: bool,
    /// Whether another record of its kind can be merged into it.
    pub may_merge: bool,
    /// Whether the reader may have the person forgotten that it is.
    pub may_forget: bool,
    /// What is asked before it retires.
    pub retire_question: String,
    /// What is still attached, when it could not retire.
    pub attached: Vec<Crumb>,
}

/// Something to do with a record that begins with a link: to call, to connect, to open it elsewhere.
#[derive(Clone, Debug)]
pub struct Way {
    pub href: String,
    pub words: Cow<'static, str>,
    pub icon: &'static str,
    /// Whether it leads out of here, into a window of its own.
    pub is_away: bool,
    /// Whether it is the first thing to do with such a record.
    pub is_primary: bool,
    /// Whether it stands in the menu of what is done more rarely.
    pub is_rare: bool,
}

impl Way {
    /// A telephone call to this number.
    #[must_use]
    pub fn call(number: Option<&str>) -> Option<Self> {
        let href = phone::href(number?)?;
        Some(Self { href, words: "Call".into(), icon: "phone", is_away: false, is_primary: false, is_rare: false })
    }

    /// A page elsewhere, if the address is one that a browser may follow.
    #[must_use]
    pub fn away(href: Option<&str>, words: impl Into<Cow<'static, str>>, icon: &'static str) -> Option<Self> {
        let Value::Away { href, .. } = Value::away(href, "") else { return None };
        Some(Self { href, words: words.into(), icon, is_away: true, is_primary: false, is_rare: false })
    }

    /// Another page of ours.
    #[must_use]
    pub fn here(href: impl Into<String>, words: impl Into<Cow<'static, str>>, icon: &'static str) -> Self {
        Self { href: href.into(), words: words.into(), icon, is_away: false, is_primary: false, is_rare: false }
    }

    /// The same as the first thing to do.
    #[must_use]
    pub fn first(mut self) -> Self {
        self.is_primary = true;
        self
    }

    /// The same in the menu.
    #[must_use]
    pub fn rarely(mut self) -> Self {
        self.is_rare = true;
        self
    }
}

impl askama::filters::HtmlSafe for Head {}

impl Head {
    /// That of a record at this address, which whoever may write may edit and retire.
    #[must_use]
    pub fn new(page: &Page, base: String, retired_at: Option<&str>) -> Self {
        Self {
            page: page.clone(),
            crumbs: Vec::new(),
            badges: Vec::new(),
            lead: String::new(),
            counts: Vec::new(),
            facts: Vec::new(),
            ways: Vec::new(),
            base,
            is_person: false,
            retired: retired_at.is_some(),
            retired_at: retired_at.unwrap_or_default().to_owned(),
            may_edit: page.may_write(),
            may_retire: page.may_write(),
            may_merge: false,
            may_forget: false,
            retire_question: format!("Retire {}? It leaves every list until it is restored.", page.title),
            attached: Vec::new(),
        }
    }

    fn usual(&self) -> impl Iterator<Item = &Way> {
        self.ways.iter().filter(|way| !way.is_rare)
    }

    fn rare(&self) -> impl Iterator<Item = &Way> {
        self.ways.iter().filter(|way| way.is_rare)
    }

    fn has_menu(&self) -> bool {
        self.rare().next().is_some() || self.may_forget || self.may_edit && !self.retired && self.may_retire
    }
}

/// Where a value came from.
#[derive(Clone, Debug)]
pub struct Source {
    /// The field in history's words.
    pub field: String,
    /// Letter for the mark: the first of its name; empty draws a hand.
    pub letter: &'static str,
    /// Who: `Freshservice`, `jane`.
    pub name: String,
    /// When, as stored.
    pub at: String,
    /// Which run, for a sync.
    pub run: Option<i64>,
    /// Whether a sync must leave it alone.
    pub pinned: bool,
    /// Whether there is a vendor that this value could follow again.
    pub synced: bool,
    /// Where pin and unpin are posted, when the reader may.
    pub action: Option<String>,
    /// Where writing the value to the vendor is posted, when it can be and the reader may.
    pub push: Option<String>,
    /// How far an earlier decision to write it to the vendor has come, in words.
    pub waits: Option<String>,
}

/// A label and its value.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/item.html")]
pub struct Item {
    /// What it is.
    pub label: Cow<'static, str>,
    /// What is known.
    pub value: Value,
    /// Where it came from, when a sync or a person set it.
    pub source: Option<Source>,
}

impl askama::filters::HtmlSafe for Item {}

impl Item {
    /// A label and its value, without a source.
    #[must_use]
    pub fn new(label: impl Into<Cow<'static, str>>, value: Value) -> Self {
        Self { label: label.into(), value, source: None }
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self.value, Value::None)
    }

    /// The same with its source.
    #[must_use]
    pub fn from(mut self, source: Option<Source>) -> Self {
        self.source = source;
        self
    }
}

/// One field that moved.
#[derive(Clone, Debug)]
pub struct Moved {
    /// The field in words.
    pub field: String,
    /// What it was; empty when it was nothing.
    pub old: String,
    /// What it is; empty when it is nothing.
    pub new: String,
}

/// One thing that happened to a record.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/event.html")]
pub struct Event {
    /// Who or what did it.
    pub who: String,
    /// Whether a person did.
    pub by_person: bool,
    /// What was done: `changed`, `created`, `retired`.
    pub what: String,
    /// What it was done to, where that is not plain.
    pub subject: Option<Crumb>,
    /// What belongs after that: `to Juniper Architects`; may be empty.
    pub toward: String,
    /// When, as stored.
    pub at: String,
    /// Why, when it was said.
    pub reason: Option<String>,
    /// Field by field.
    pub moved: Vec<Moved>,
    /// Where taking it back is posted, when the reader may.
    pub undo: Option<String>,
    /// The run of the sync that did it, where others of its kind may be folded away.
    pub run: Option<i64>,
    /// What it was part of, when it was done together with others.
    pub batch: Option<i64>,
    /// Where taking all of that back is posted, when the reader may.
    pub undo_all: Option<String>,
}

impl askama::filters::HtmlSafe for Event {}

/// How many changes by syncs in a row are folded away.
const FOLDED: usize = 3;

/// A part of a timeline.
enum Stretch<'a> {
    One(&'a Event),
    /// What syncs did one after the other.
    Folded(&'a [Event]),
}

/// A record's history, newest first.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/timeline.html")]
pub struct Timeline {
    /// What happened.
    pub events: Vec<Event>,
    /// The feed with everything, when there is more.
    pub more: Option<String>,
    /// Before which moment it was removed, when part of it was.
    pub kept_since: Option<String>,
}

impl askama::filters::HtmlSafe for Timeline {}

impl Timeline {
    /// Its parts: of what syncs did in a row the newest stands there, the rest is folded away where it is much.
    fn stretches(&self) -> Vec<Stretch<'_>> {
        let by_syncs = |one: &Event, next: &Event| one.run.is_some() && next.run.is_some();
        let mut all = Vec::new();
        for some in self.events.chunk_by(by_syncs) {
            match some {
                [first, others @ ..] if others.len() >= FOLDED => all.extend([Stretch::One(first), Stretch::Folded(others)]),
                few => all.extend(few.iter().map(Stretch::One)),
            }
        }
        all
    }
}

/// What a template of a room has drawn: markup already, whose values that template has escaped.
#[derive(Clone, Debug)]
pub struct Markup(String);

impl Markup {
    /// Draws it.
    ///
    /// # Errors
    /// `Internal` when the template fails.
    pub fn of(template: &impl Template) -> Result<Self> {
        template.render().map(Self).map_err(Error::internal)
    }
}

impl Markup {
    /// How many bytes it takes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was drawn.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Display for Markup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Markup {}

/// What a link to the fields under this heading leads to, on a record's page and in its form: `section-people-and-systems`.
#[must_use]
pub fn section_anchor(title: &str) -> String {
    let words = title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    format!("section-{}", words.map(str::to_lowercase).collect::<Vec<_>>().join("-"))
}
