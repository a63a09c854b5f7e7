//! What rooms show of their own on the page of another room's record. Who they are is said where rooms are joined.

use std::{borrow::Cow, sync::OnceLock};

use askama::Template;

use super::forms::SECTION;
use crate::{
    compliance::RedactionPolicy,
    config::Config,
    db::Conn,
    error::{Error, Result},
    ui::{Item, Markup, Page, Table, Timeline, Value, filters, section_anchor},
};

/// The tabs of a record's page, in the order in which they stand unless the page says another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tab {
    Overview,
    Conversation,
    Contacts,
    Assets,
    /// The assets of a person.
    Devices,
    Hardware,
    Software,
    Tickets,
    Alerts,
    Companies,
    Network,
    Licences,
    Billing,
    Time,
    Details,
    Notes,
    Files,
    History,
}

impl Tab {
    /// What its link says.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Conversation => "Conversation",
            Self::Contacts => "Contacts",
            Self::Assets => "Assets",
            Self::Devices => "Devices",
            Self::Hardware => "Hardware",
            Self::Software => "Software",
            Self::Tickets => "Tickets",
            Self::Alerts => "Alerts",
            Self::Companies => "Companies",
            Self::Network => "Network",
            Self::Licences => "Licences",
            Self::Billing => "Billing",
            Self::Time => "Time",
            Self::Details => "Details",
            Self::Notes => "Notes",
            Self::Files => "Files",
            Self::History => "History",
        }
    }
}

/// The row on whose page the panels stand.
#[derive(Clone, Copy, Debug)]
pub struct Whose<'a> {
    /// Its noun.
    pub entity: &'a str,
    pub id: i64,
    /// The number of the company to which it belongs, or which it is.
    pub account_number: Option<&'a str>,
    /// Whether it is in use: others can be added to it then.
    pub is_live: bool,
}

/// Who looks at the page.
#[derive(Clone, Copy)]
pub struct Looker<'a> {
    pub page: &'a Page,
    pub policy: &'a RedactionPolicy,
    pub config: &'a Config,
}

/// A room's panels.
pub trait Panels: Sync {
    /// Those on the page of this row; none when nothing of the room can belong to it.
    fn of(&self, c: &mut Conn, looker: &Looker<'_>, whose: Whose<'_>) -> Result<Vec<Panel>>;
}

static ALL: OnceLock<&'static [&'static dyn Panels]> = OnceLock::new();

/// Says who they are, in the order in which they stand, before any page is shown; the first call counts.
pub fn register(all: &'static [&'static dyn Panels]) {
    ALL.get_or_init(|| all);
}

/// The panels on a row's page.
pub fn all(c: &mut Conn, looker: &Looker<'_>, whose: Whose<'_>) -> Result<Vec<Panel>> {
    let rooms = ALL.get().ok_or_else(|| Error::internal("nobody has said yet what stands on pages"))?;
    let mut panels = Vec::new();
    for room in *rooms {
        panels.extend(room.of(c, looker, whose)?);
    }
    Ok(panels)
}

/// One of them.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/panel.html")]
pub struct Panel {
    /// Where on the page it stands.
    pub tab: Tab,
    /// What the page's own links lead to: `subnets`.
    pub anchor: Cow<'static, str>,
    /// Its heading.
    pub title: String,
    /// How many there are, when that is said.
    pub count: Option<i64>,
    /// What is counted, where that is not plain: `open`.
    pub counted: &'static str,
    /// Whether that number should not be.
    pub is_urgent: bool,
    /// What can be done beside the heading.
    pub actions: Vec<Action>,
    /// What stands in it.
    pub content: Content,
    /// What the page says of it under its title: `3 assets`; mostly nothing.
    pub lead: Option<String>,
    /// Whether it stands beside the others of its tab, where there is room.
    pub is_beside: bool,
}

impl askama::filters::HtmlSafe for Panel {}

impl Panel {
    /// A panel with nothing beside its heading.
    #[must_use]
    pub fn new(tab: Tab, anchor: impl Into<Cow<'static, str>>, title: impl Into<String>, content: Content) -> Self {
        Self {
            tab,
            anchor: anchor.into(),
            title: title.into(),
            count: None,
            counted: "",
            is_urgent: false,
            actions: Vec::new(),
            content,
            lead: None,
            is_beside: false,
        }
    }

    /// Fields under a heading of the record's form, which the card leads to for whoever may `edit` there.
    #[must_use]
    pub fn section(tab: Tab, title: &str, items: Vec<Item>, edit: Option<&str>) -> Self {
        let anchor = section_anchor(title);
        let edit = edit.map(|form| Action {
            href: format!("{form}?{SECTION}={anchor}#{anchor}"),
            words: "Edit".to_owned(),
            adds: false,
            edits: true,
        });
        Self { actions: edit.into_iter().collect(), ..Self::new(tab, anchor, title, Content::Facts(items)) }
    }

    /// What happened to the record.
    #[must_use]
    pub fn history(timeline: Timeline) -> Self {
        Self::new(Tab::History, "history", "History", Content::History(timeline))
    }
}

/// A link that looks like a button.
#[derive(Clone, Debug)]
pub struct Action {
    pub href: String,
    pub words: String,
    /// Whether it leads to a form that adds something.
    pub adds: bool,
    /// Whether it leads to the form of the section where it stands.
    pub edits: bool,
}

impl Action {
    /// A link to a form that adds something.
    #[must_use]
    pub fn adding(href: String, words: impl Into<String>) -> Self {
        Self { href, words: words.into(), adds: true, edits: false }
    }
}

/// What stands in a panel.
#[derive(Clone, Debug)]
pub enum Content {
    /// The first rows.
    Rows(Table),
    /// Files.
    Files(Files),
    /// What people wrote about the record.
    Written(Written),
    /// Labels and values; those without a value are folded away.
    Facts(Vec<Item>),
    /// What happened.
    History(Timeline),
    /// What only its room can draw.
    Drawn(Markup),
    /// What can be added.
    Links(Vec<Action>),
}

/// Files on a record.
#[derive(Clone, Debug)]
pub struct Files {
    pub there: Vec<File>,
    pub removed: Vec<File>,
    /// Where another is posted, when the reader may.
    pub action: Option<String>,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct File {
    /// Where it is sent from.
    pub href: String,
    pub name: String,
    pub size: String,
    /// Who put it there.
    pub by: String,
    /// When.
    pub at: Value,
    /// Where removing or restoring it is posted, when the reader may.
    pub action: Option<String>,
}

/// What people wrote about a record.
#[derive(Clone, Debug)]
pub struct Written {
    /// The first of it.
    pub cards: Vec<WrittenCard>,
    /// All of it, when only some is shown: address and words.
    pub more: Option<(String, String)>,
    /// Where more is posted; nothing for a record that is retired.
    pub action: Option<String>,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct WrittenCard {
    /// Its own page.
    pub href: String,
    /// The text.
    pub body: Value,
    /// Who wrote it.
    pub by: String,
    /// When it was last changed.
    pub at: Value,
    /// Whether it stands before the others.
    pub is_pinned: bool,
}

fn empty(items: &[Item]) -> usize {
    items.iter().filter(|item| item.is_empty()).count()
}
