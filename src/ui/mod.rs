//! What pages are made of: the frame around every page and the parts that fill it. A part is a struct
//! with a template under `templates/parts/`; printed inside another template it stays markup, and what
//! it holds is escaped by its own template.

pub mod codes;
pub mod error_page;
pub mod filters;
pub mod form;
mod form_page;
mod icons;
pub mod list;
mod list_page;
pub mod listing;
pub mod markdown;
pub mod record;
pub mod table;
mod theme;
pub mod time;
pub mod value;
mod words;

pub use form::{Choice, Field, Kind};
pub use form_page::{FormPage, FormSection};
pub use list::{Cells, Chip, Column, Filter, List, ListView, Row};
pub use list_page::ListPage;
pub use listing::{Listing, Shape, Shown};
pub use record::{Crumb, Event, Head, Item, Markup, Moved, Records, Source, Timeline, Way, section_anchor};
pub use table::{Line, Post, Table};
pub use theme::Theme;
pub use value::Value;
pub use words::{count_of, label, link_to, words};

use crate::auth::{Caller, Level};

/// The rooms that the rail leads to; `Page::section` names the one we are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// The dashboard.
    Dashboard,
    /// Companies and what hangs on them.
    Companies,
    /// People.
    Contacts,
    /// Devices.
    Assets,
    /// What networks are made of.
    Network,
    /// What companies may use, and who holds the seats.
    Licences,
    /// What clients asked for.
    Tickets,
    /// What clients pay for.
    Billing,
    /// What monitors raised.
    Alerts,
    /// Sync centre.
    Admin,
    /// One's own account.
    Settings,
    /// Pages outside the rooms: errors, search.
    Elsewhere,
}

/// The person a page is made for.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    /// How we address them.
    pub name: String,
    /// Their role in words.
    pub role: &'static str,
    /// Whether edit controls are shown.
    pub may_write: bool,
    /// Whether administration is shown.
    pub is_admin: bool,
    /// Whether they work here: others see neither history nor sources.
    pub is_staff: bool,
    /// Whether they are no client: what they share is colleagues' to see.
    pub may_share: bool,
}

impl Reader {
    /// The person behind a request; none when a program asks.
    #[must_use]
    pub fn of(caller: &Caller) -> Option<Self> {
        let user = caller.user()?;
        Some(Self {
            name: if user.name.is_empty() { caller.name().to_owned() } else { user.name.clone() },
            role: user.level.title(),
            may_write: caller.is_staff(),
            is_admin: caller.is_admin(),
            is_staff: caller.is_staff(),
            may_share: user.level != Level::Client,
        })
    }
}

/// What happened to the last form, shown once.
#[derive(Clone, Debug)]
pub struct Flash {
    /// `success`, `error` or `info`.
    pub kind: &'static str,
    /// One sentence.
    pub text: String,
}

/// What a list says of a source that feeds it.
#[derive(Clone, Debug)]
pub struct FreshLine {
    /// What people call the source.
    pub label: &'static str,
    /// When it was read last.
    pub as_of: Option<String>,
    /// What is wrong with it; empty when nothing is.
    pub words: &'static str,
    /// The rooms whose lists it feeds.
    pub feeds: &'static [&'static str],
}

/// The frame around a page: who reads it, where it hangs, how links start.
#[derive(Clone, Debug)]
pub struct Page {
    /// What links start with: empty, or `/codex` behind Nexus.
    pub prefix: String,
    /// Whether we bring our own stylesheet and rail.
    pub standalone: bool,
    /// `light`, `dark`, or empty for the system's choice.
    pub theme: String,
    /// One of the nine accents.
    pub color_theme: String,
    /// The name of the page.
    pub title: String,
    /// Where in the rail.
    pub section: Section,
    /// Nobody on the pages before signing in.
    pub reader: Option<Reader>,
    /// The outcome of the last form.
    pub flash: Option<Flash>,
    /// Sync plans that wait for an administrator.
    pub waiting: i64,
    /// Whether the data is made up.
    pub demo: bool,
    /// How fresh the sources of all rooms are.
    pub fresh: Vec<FreshLine>,
    /// The saved views of the list that this page is, if it is one.
    pub views: Vec<ListView>,
}

impl Page {
    /// A page that belongs to nobody: errors, signing in.
    #[must_use]
    pub fn outside(prefix: &str, standalone: bool, title: impl Into<String>) -> Self {
        Self {
            prefix: prefix.to_owned(),
            standalone,
            theme: String::new(),
            color_theme: "purple".to_owned(),
            title: title.into(),
            section: Section::Elsewhere,
            reader: None,
            flash: None,
            waiting: 0,
            demo: false,
            fresh: Vec::new(),
            views: Vec::new(),
        }
    }

    /// The same page as the browser was last shown pages.
    #[must_use]
    pub fn themed(mut self, theme: &Theme) -> Self {
        self.theme.clone_from(&theme.theme);
        self.color_theme.clone_from(&theme.color_theme);
        self
    }

    /// The same page under a name and in a room.
    #[must_use]
    pub fn titled(mut self, section: Section, title: impl Into<String>) -> Self {
        self.section = section;
        self.title = title.into();
        self
    }

    /// An address of ours, as the browser must ask for it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// Whether the reader may change things.
    #[must_use]
    pub fn may_write(&self) -> bool {
        self.reader.as_ref().is_some_and(|reader| reader.may_write)
    }

    /// Whether the reader runs the place.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.reader.as_ref().is_some_and(|reader| reader.is_admin)
    }

    /// Whether the reader is one of us and may see who changed what.
    #[must_use]
    pub fn is_staff(&self) -> bool {
        self.reader.as_ref().is_some_and(|reader| reader.is_staff)
    }

    /// The pages that a phone has no room for in its bar: path, name, icon.
    pub fn elsewhere(&self) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        let for_all = [
            ("/alerts/", "Alerts", "triangle-alert"),
            ("/network/equipment/", "Network", "router"),
            ("/licenses/", "Licences", "key-round"),
            ("/billing-plans/", "Billing", "credit-card"),
            ("/settings", "Settings", "settings"),
        ];
        for_all.into_iter().chain(self.is_admin().then_some(("/admin/", "Sync", "refresh-cw")))
    }

    /// The sources that feed this room's lists.
    pub fn fed(&self) -> impl Iterator<Item = &FreshLine> {
        self.fresh.iter().filter(|line| line.feeds.iter().any(|room| self.is(room)))
    }

    /// The mark for the rail's current entry.
    #[must_use]
    pub fn is(&self, section: &str) -> bool {
        match self.section {
            Section::Dashboard => section == "dashboard",
            Section::Companies => section == "companies",
            Section::Contacts => section == "contacts",
            Section::Assets => section == "assets",
            Section::Network => section == "network",
            Section::Licences => section == "licences",
            Section::Tickets => section == "tickets",
            Section::Billing => section == "billing",
            Section::Alerts => section == "alerts",
            Section::Admin => section == "admin",
            Section::Settings => section == "settings",
            Section::Elsewhere => false,
        }
    }

    /// The address of one of our files; it changes with the file.
    #[must_use]
    pub fn asset(&self, name: &str) -> String {
        self.url(&crate::web::static_files::path(name))
    }
}

/// Two letters for a name, as in an avatar.
#[must_use]
pub fn initials(name: &str) -> String {
    let mut words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.next_back().and_then(|word| word.chars().next());
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

/// A count as people read it: `30,112`.
#[must_use]
pub fn thousands(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if count < 0 {
        out.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests;

/// Words that begin with a capital letter.
#[must_use]
pub fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
