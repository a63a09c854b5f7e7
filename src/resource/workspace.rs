//! A record's page: its head, and everything about it in tabs. Without scripts the tabs are links within one page.

use askama::Template;

use super::panel::{Panel, Tab};
use crate::{
    error::Result,
    ui::{Head, Markup, Page, filters, link_to},
    web::Query,
};

/// How many bytes the tabs of a page take at most, unless one alone takes more; with what surrounds them a page stays below 60 KB.
const BYTES: usize = 40 * 1024;
/// The parameter that names the tab somebody wants to see, which then comes with the page.
const ASKED: &str = "tab";

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
    /// What its panels lead to.
    anchors: Vec<String>,
    /// How much there is, where the tab's panels are counted.
    count: Option<i64>,
    is_urgent: bool,
    /// Its panels; nothing where they come only when they are asked for.
    body: Option<Markup>,
    /// The page with this tab.
    href: String,
}

/// The panels of one tab, drawn.
#[derive(Default, Template)]
#[template(path = "parts/tab.html")]
struct Body {
    panels: Vec<Panel>,
    beside: Vec<Panel>,
}

impl Workspace {
    /// The page of a record: its panels, by tabs, of which those in `order` stand first. Tabs for which the page has no room any
    /// more are drawn when the address asks for them.
    ///
    /// # Errors
    /// `Internal` when a panel cannot be drawn.
    pub fn new(query: &Query, head: Head, order: &[Tab], panels: Vec<Panel>) -> Result<Self> {
        let counts = panels.iter().filter_map(|panel| Some((panel.anchor.clone(), panel.lead.clone()?))).collect::<Vec<_>>();
        let mut bodies: Vec<(Tab, Body)> = Vec::new();
        for panel in panels {
            let at = bodies.iter().position(|(tab, _)| *tab == panel.tab).unwrap_or_else(|| {
                bodies.push((panel.tab, Body::default()));
                bodies.len() - 1
            });
            let Some((_, body)) = bodies.get_mut(at) else { continue };
            if panel.is_beside { body.beside.push(panel) } else { body.panels.push(panel) }
        }
        bodies.sort_by_key(|(tab, _)| (order.iter().position(|known| known == tab).unwrap_or(order.len()), *tab));
        let mut groups = Vec::new();
        for (tab, body) in bodies {
            groups.push(Group::new(tab, &body, &head.base, query)?);
        }
        let asked = query.get(ASKED).unwrap_or_default();
        defer(&mut groups, asked);
        let counts = counts.into_iter().map(|(anchor, words)| {
            let far = groups.iter().find(|group| group.body.is_none() && group.anchors.iter().any(|known| *known == anchor));
            link_to(format!("{}#{anchor}", far.map_or("", |group| group.href.as_str())), words)
        });
        Ok(Self { page: head.page.clone(), head: Head { counts: counts.collect(), ..head }, warnings: Vec::new(), groups })
    }

    /// The same, saying what is odd about the record without being wrong.
    #[must_use]
    pub fn warning(mut self, warnings: Vec<String>) -> Self {
        self.warnings = warnings;
        self
    }
}

/// Leaves out what the page has no room for: the tab that is asked for has the first place, then they come in their order.
fn defer(groups: &mut [Group], asked: &str) {
    let size = |group: &Group| group.body.as_ref().map_or(0, Markup::len);
    let mut taken: usize = groups.iter().filter(|group| group.anchor == asked).map(size).sum();
    for (at, group) in groups.iter_mut().enumerate().filter(|(_, group)| group.anchor != asked) {
        let size = size(group);
        // What stands first is what people come for.
        if at == 0 || taken.saturating_add(size) <= BYTES {
            taken = taken.saturating_add(size);
        } else {
            group.body = None;
        }
    }
}

impl Group {
    fn new(tab: Tab, body: &Body, base: &str, query: &Query) -> Result<Self> {
        let anchor = tab.title().to_lowercase();
        // What stands first is what the tab is called after: seats are not licences.
        let count = body.panels.iter().find_map(|panel| panel.count).filter(|count| *count > 0 && tab != Tab::Overview);
        let kept = query.iter().filter_map(|(name, value)| Some((name, value.ok()?))).filter(|(name, _)| *name != ASKED);
        let address = kept.chain([(ASKED, anchor.as_str())]).collect::<Vec<_>>();
        Ok(Self {
            tab,
            anchors: body.panels.iter().chain(&body.beside).map(|panel| panel.anchor.clone().into_owned()).collect(),
            count,
            is_urgent: body.panels.iter().any(|panel| panel.is_urgent),
            body: Some(Markup::of(body)?),
            href: format!("{base}?{}", serde_urlencoded::to_string(address).unwrap_or_default()),
            anchor,
        })
    }

    /// Whether the group needs an id of its own: none of its cards has it already.
    fn is_named(&self) -> bool {
        self.body.is_none() || !self.anchors.contains(&self.anchor)
    }

    /// What leads to its other cards, as long as they are not there.
    fn absent(&self) -> impl Iterator<Item = &String> {
        self.anchors.iter().filter(|anchor| **anchor != self.anchor)
    }
}
