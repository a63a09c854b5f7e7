//! A plan for reading: grouped, what can hurt first, every field before and after.

use std::collections::{BTreeMap, HashMap};

use askama::Template;

use super::{
    plan_store::{Contexts, Count},
    words,
};
use crate::{
    agents::PageContext,
    plan::{Action, Item, Kind, State},
    reconcile::plans_store::Stored,
    records::entities,
    types::decimal,
    ui::{Crumb, Moved, Page, Section, Value, filters, thousands},
    web::encode_segment,
};

/// The groups in the order of a page: what can hurt first.
pub const ORDER: [Action; 8] = [
    Action::Retire,
    Action::Create,
    Action::Adopt,
    Action::Restore,
    Action::Update,
    Action::Pinned,
    Action::Review,
    Action::Skipped,
];

/// One group alone, as the address asks for it.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The kind of row.
    pub kind: Kind,
    /// What is done to it.
    pub action: Action,
    /// Which page of it.
    pub page: i64,
}

/// Some items of a group.
pub struct Group {
    /// The kind of row.
    pub kind: Kind,
    /// What is done to it.
    pub action: Action,
    /// How many there are.
    pub total: i64,
    /// How many were passed over.
    pub offset: i64,
    /// Some of them.
    pub items: Vec<Item>,
}

/// The account numbers of companies, which lead to their pages, by id.
pub type Accounts = HashMap<i64, String>;

/// The page.
#[derive(Template)]
#[template(path = "admin/plan.html")]
pub struct PlanPage {
    page: Page,
    crumbs: Vec<Crumb>,
    base: String,
    badge: Value,
    source: String,
    run: i64,
    made: String,
    decided: Option<(String, String)>,
    because: String,
    /// Whether a person may still decide.
    open: bool,
    /// How many changes need approval.
    waiting: i64,
    approve: String,
    question: String,
    /// The counts of all groups, each with its address.
    tallies: Vec<(String, String, bool)>,
    /// What waits, by company.
    held: Vec<Holding>,
    /// How much of what waits is not shown.
    unshown: i64,
    sections: Vec<GroupSection>,
    turns: Vec<(&'static str, String)>,
    asked: Option<Asked>,
}

/// A group as its card.
struct GroupSection {
    title: String,
    total: i64,
    lines: Vec<PlanLine>,
    more: Option<(String, i64)>,
}

/// What waits of one company.
struct Holding {
    company: String,
    href: Option<String>,
    /// What it would change on the month's bill, by the plan's prices.
    monthly: String,
    lines: Vec<HeldLine>,
}

/// One item to be decided about.
struct HeldLine {
    id: i64,
    what: String,
    action: (&'static str, &'static str),
    last_seen: Option<String>,
    open_tickets: i64,
    monthly: String,
    line: PlanLine,
}

/// One item as its row.
struct PlanLine {
    label: String,
    href: Option<String>,
    state: Option<Value>,
    reason: String,
    evidence: Option<String>,
    moved: Vec<Moved>,
}

impl PlanPage {
    /// The head of the page, without groups.
    pub fn new(context: &PageContext, plan: &Stored, counts: &[Count], asked: Option<Asked>) -> Self {
        let mut page = context.titled(Section::Admin, format!("Plan {}", plan.id));
        // The banner speaks of the other plans.
        page.waiting -= i64::from(plan.status == "held");
        let base = page.url(&format!("/admin/plans/{}", plan.id));
        let (kind, text) = words::status(&plan.status);
        let waiting = counts.iter().filter(|count| count.state == State::Held).map(|count| count.items).sum::<i64>();
        let open = matches!(plan.status.as_str(), "held" | "proposed");
        let mut tallies = Vec::new();
        for action in ORDER {
            for kind in Kind::all() {
                let of = counts.iter().filter(|count| count.kind == kind && count.action == action);
                let total: i64 = of.map(|count| count.items).sum();
                if total > 0 {
                    let text = format!("{}: {}", words::group(kind, action), thousands(total));
                    let current = asked.is_some_and(|asked| (asked.kind, asked.action) == (kind, action));
                    tallies.push((address(&base, kind, action, 1), text, current));
                }
            }
        }
        Self {
            crumbs: vec![Crumb { href: page.url("/admin/"), text: "Sync".to_owned() }],
            badge: Value::badge(kind, text),
            source: capital(&plan.source),
            run: plan.run_id,
            made: plan.created_at.clone(),
            decided: plan.decided_by.clone().zip(plan.decided_at.clone()),
            because: plan.held_because.as_deref().map(words::sentence).unwrap_or_default(),
            open,
            waiting,
            approve: if plan.status == "proposed" {
                "Apply this plan".to_owned()
            } else {
                format!("Approve {} {}", thousands(waiting), if waiting == 1 { "change" } else { "changes" })
            },
            question: question(plan.id, counts),
            tallies,
            held: Vec::new(),
            unshown: 0,
            sections: Vec::new(),
            turns: Vec::new(),
            asked,
            base,
            page,
        }
    }

    /// The same with these groups.
    #[must_use]
    pub fn with(mut self, groups: Vec<Group>, accounts: &Accounts) -> Self {
        for group in groups {
            let shown = group.offset + i64::try_from(group.items.len()).unwrap_or(0);
            let at = |page| address(&self.base, group.kind, group.action, page);
            if let Some(Asked { page, .. }) = self.asked {
                self.turns.extend((page > 1).then(|| ("Previous", at(page - 1))));
                self.turns.extend((shown < group.total).then(|| ("Next", at(page + 1))));
            }
            self.sections.push(GroupSection {
                title: words::group(group.kind, group.action),
                total: group.total,
                more: (self.asked.is_none() && shown < group.total).then(|| (at(1), group.total)),
                lines: group.items.iter().map(|item| line(&self.page, item, accounts)).collect(),
            });
        }
        self
    }
}

impl PlanPage {
    /// The same with what waits, each company's together; nothing when there is nothing to decide.
    #[must_use]
    pub fn deciding(mut self, held: Vec<Item>, contexts: &Contexts, currency: &str) -> Self {
        self.unshown = self.waiting - i64::try_from(held.len()).unwrap_or(0);
        let accounts = contexts.companies.iter().map(|(id, company)| (*id, company.account_number.clone())).collect();
        let mut by_company: BTreeMap<(bool, String, i64), (i64, Vec<HeldLine>)> = BTreeMap::new();
        for item in held {
            let known = contexts.of(&item);
            let name = known.company.and_then(|id| contexts.companies.get(&id)).map(|company| company.name.clone());
            let cents = known.monthly_cents.filter(|_| item.action == Action::Retire).map(|cents| -cents);
            let key = (name.is_none(), name.unwrap_or_default(), known.company.unwrap_or_default());
            let (sum, lines) = by_company.entry(key).or_default();
            *sum += cents.unwrap_or_default();
            lines.push(HeldLine {
                id: item.id,
                what: what(item.kind, known.kind.as_deref()),
                action: words::action(item.action),
                last_seen: known.last_seen,
                open_tickets: known.open_tickets,
                monthly: cents.map_or_else(|| "–".to_owned(), |cents| decimal::money(cents, currency)),
                line: line(&self.page, &item, &accounts),
            });
        }
        let holding = |((is_nobodys, name, id), (cents, lines)): ((bool, String, i64), (i64, Vec<HeldLine>))| Holding {
            company: if is_nobodys { "No company".to_owned() } else { name },
            href: accounts.get(&id).map(|account| self.page.url(&format!("/companies/{}", encode_segment(account)))),
            monthly: if cents == 0 { String::new() } else { format!("{} a month", decimal::money(cents, currency)) },
            lines,
        };
        self.held = by_company.into_iter().map(holding).collect();
        self
    }
}

/// What a row is, as people say it.
fn what(kind: Kind, device: Option<&str>) -> String {
    let word = device.map_or_else(|| kind.as_str().replace('_', " "), |kind| kind.replace('_', " "));
    capital(&word)
}

/// What approving would mean, in numbers.
fn question(id: i64, counts: &[Count]) -> String {
    let waits = |count: &&Count| matches!(count.state, State::Held | State::Pending);
    let sum = |retire: bool| -> i64 {
        counts.iter().filter(waits).filter(|count| (count.action == Action::Retire) == retire).map(|count| count.items).sum()
    };
    let (retired, others) = (sum(true), sum(false));
    let mut parts = Vec::new();
    if retired > 0 {
        parts.push(format!("{} {} retired", thousands(retired), if retired == 1 { "row is" } else { "rows are" }));
    }
    if others > 0 {
        parts.push(format!("{} other {} applied", thousands(others), if others == 1 { "change is" } else { "changes are" }));
    }
    let what = if parts.is_empty() { "nothing is left to apply".to_owned() } else { parts.join(" and ") };
    format!("Apply plan {id}: {what}? Retired rows leave the lists; each can be restored.")
}

fn address(base: &str, kind: Kind, action: Action, page: i64) -> String {
    let turn = if page > 1 { format!("&page={page}") } else { String::new() };
    format!("{base}?kind={}&action={}{turn}", kind.as_str(), action.as_str())
}

fn line(page: &Page, item: &Item, accounts: &Accounts) -> PlanLine {
    let href = item.entity_id.and_then(|id| match item.kind {
        Kind::Company => accounts.get(&id).map(|account| page.url(&format!("/companies/{}", encode_segment(account)))),
        Kind::Contact => Some(page.url(&format!("/contacts/{id}"))),
        Kind::Asset => Some(page.url(&format!("/assets/{id}"))),
        Kind::Ticket => item.external_id.as_ref().map(|id| page.url(&format!("/tickets/{}", encode_segment(id)))),
        Kind::PsaAgent | Kind::Site | Kind::Other(_) => None,
    });
    let told = item.fields.iter().filter(|change| item.action != Action::Create || !is_noise(&change.field, &change.to));
    let moved = told
        .map(|change| Moved {
            field: field_label(item.kind, &change.field),
            old: words::value(&change.from),
            new: words::value(&change.to),
        })
        .collect();
    PlanLine {
        label: if item.label.is_empty() { "without a name".to_owned() } else { item.label.clone() },
        href,
        state: words::state(item.state).map(|(kind, text)| Value::badge(kind, text)),
        reason: words::reason(&item.reason),
        evidence: item.evidence.as_deref().map(words::evidence),
        moved,
    }
}

/// What people call a field.
fn field_label(kind: Kind, field: &str) -> String {
    entities::spec(kind.as_str(), field).map_or_else(|| capital(&field.replace('_', " ")), |spec| spec.label.to_owned())
}

/// What says nothing about a new row.
fn is_noise(field: &str, to: &serde_json::Value) -> bool {
    to == &serde_json::Value::Bool(false) || field.starts_with("vendor_")
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
