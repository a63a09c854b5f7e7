//! A record's page: its head, and everything about it in tabs. Without scripts the tabs are links within one page.

use askama::Template;

use super::panel::{Panel, Tab};
use crate::ui::{Crumb, Head, Page, filters, link_to};

/// The page.
#[derive(Template)]
#[template(path = "record.html")]
pub struct Workspace {
    page: Page,
    head: Head,
    warnings: Vec<String>,
    groups: Vec<Group>,
}

/// The panels of one tab.
struct Group {
    tab: Tab,
    /// The group's own id, and what its tab leads to.
    anchor: String,
    panels: Vec<Panel>,
    beside: Vec<Panel>,
}

impl Workspace {
    /// The page of a record: its panels, by tabs, of which those in `order` stand first.
    #[must_use]
    pub fn new(head: Head, order: &[Tab], panels: Vec<Panel>) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        for panel in panels {
            let at = groups.iter().position(|group| group.tab == panel.tab).unwrap_or_else(|| {
                groups.push(Group { tab: panel.tab, anchor: String::new(), panels: Vec::new(), beside: Vec::new() });
                groups.len() - 1
            });
            let Some(group) = groups.get_mut(at) else { continue };
            if panel.is_beside { group.beside.push(panel) } else { group.panels.push(panel) }
        }
        groups.sort_by_key(|group| (order.iter().position(|tab| *tab == group.tab).unwrap_or(order.len()), group.tab));
        for group in &mut groups {
            group.anchor = group.tab.title().to_lowercase();
        }
        let counts = groups.iter().flat_map(|group| &group.panels).filter_map(count);
        Self { page: head.page.clone(), head: Head { counts: counts.collect(), ..head }, warnings: Vec::new(), groups }
    }

    /// The same, saying what is odd about the record without being wrong.
    #[must_use]
    pub fn warning(mut self, warnings: Vec<String>) -> Self {
        self.warnings = warnings;
        self
    }
}

/// How much of something there is, with the way to it.
fn count(panel: &Panel) -> Option<Crumb> {
    panel.lead.clone().map(|words| link_to(format!("#{}", panel.anchor), words))
}

impl Group {
    /// Whether the group needs an id of its own: none of its cards has it already.
    fn is_named(&self) -> bool {
        self.panels.iter().chain(&self.beside).all(|panel| panel.anchor != self.anchor)
    }

    /// How much there is, where the tab's panels are counted.
    fn count(&self) -> Option<i64> {
        let counts = self.panels.iter().filter_map(|panel| panel.count);
        counts.reduce(i64::saturating_add).filter(|count| *count > 0 && self.tab != Tab::Overview)
    }

    fn is_urgent(&self) -> bool {
        self.panels.iter().any(|panel| panel.is_urgent)
    }
}
