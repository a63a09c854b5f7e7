//! The parts of a detail page: where it hangs, what is known with its sources, what happened.

use std::borrow::Cow;

use askama::Template;

use super::{Page, Section, Value, filters};

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
    /// Its page at a vendor, and what that vendor is called.
    pub away: Option<(String, &'static str)>,
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
            away: None,
        }
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
#[derive(Clone, Debug)]
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
    /// What it was part of, when it was done together with others.
    pub batch: Option<i64>,
    /// Where taking all of that back is posted, when the reader may.
    pub undo_all: Option<String>,
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
