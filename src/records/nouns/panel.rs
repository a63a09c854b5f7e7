//! The rows of a noun that belong to another one's row, on that one's page.

use std::collections::BTreeMap;

use super::{about, entities, table::columns};
use crate::{
    companies::Company,
    compliance::RedactionPolicy,
    db::{
        Conn,
        list::{ListQuery, Slice},
    },
    entity::{
        Noun, Seen,
        ending::{Asked, State},
        noun::{self, RECORD, references},
    },
    error::Result,
    history::Record as _,
    resource::panel::{Action, Content, Looker, Panels, Tab, Written, WrittenCard},
    ui::{Line, Page, Post, Section, Table, Value, capitalised, thousands},
    web::encode_segment,
};

pub use crate::resource::panel::{Panel, Whose};

/// How many rows a page shows.
const SHOWN: i64 = 20;

/// The nouns' panels on a row's page: of every noun that can lead to it. Those without a row are offered to be added.
pub fn all(c: &mut Conn, page: &Page, whose: Whose<'_>, policy: &RedactionPolicy) -> Result<Vec<Panel>> {
    let (mut panels, mut offered) = (Vec::new(), BTreeMap::<Tab, Vec<Action>>::new());
    for noun in entities::nouns() {
        let Some(panel) = noun.panel(c, page, whose, policy)? else { continue };
        if panel.count == Some(0) && matches!(panel.content, Content::Rows(_)) {
            offered.entry(panel.tab).or_default().extend(panel.actions);
        } else {
            panels.push(panel);
        }
    }
    for (tab, actions) in offered.into_iter().filter(|(_, actions)| !actions.is_empty()) {
        let anchor = format!("add-{}", tab.title().to_lowercase());
        panels.push(Panel::new(tab, anchor, "Add", Content::Links(actions)));
    }
    Ok(panels)
}

/// The panels of the one door's nouns.
pub struct OfNouns;

impl Panels for OfNouns {
    fn of(&self, c: &mut Conn, looker: &Looker<'_>, whose: Whose<'_>) -> Result<Vec<Panel>> {
        all(c, looker.page, whose, looker.policy)
    }
}

/// The tab in which a noun's rows stand.
fn tab<E: Noun>() -> Tab {
    if E::SECTION == Section::Licences { Tab::Licences } else { Tab::Network }
}

/// What a panel is called; rows of the page's own noun are told apart from it by what they say of it.
fn title<E: Noun>(whose: Whose<'_>, column: &str) -> String {
    let many = capitalised(E::DOOR.many);
    match E::field(column).filter(|_| whose.entity == E::ENTITY) {
        Some(field) => format!("{many} with this {}", field.spec.label.to_lowercase()),
        None => many,
    }
}

fn overview<E: Noun>(page: &Page, whose: Whose<'_>) -> Option<Action> {
    let (words, path) = E::OVERVIEW.filter(|_| whose.entity == Company::ENTITY)?;
    let href = page.url(&format!("/companies/{}/{path}", encode_segment(whose.account_number?)));
    Some(Action { href, words: words.to_owned(), adds: false, edits: false })
}

/// How many of a company's rows are about to end, with the way to them.
fn ending<E: Noun>(c: &mut Conn, page: &Page, whose: Whose<'_>) -> Result<Option<Action>> {
    let Some(ends) = E::ENDS else { return Ok(None) };
    let all = ListQuery::everything(noun::list::<E>())?.and(&format!("{}.company_id = {{}}", E::ENTITY), vec![whose.id.into()]);
    let count = Asked::of(ends.sql, State::Ending).narrow(all).count(c)?;
    let number = encode_segment(whose.account_number.unwrap_or_default());
    let href = page.url(&format!("{}/?company_id={number}&{}={}", E::DOOR.page, ends.name, State::Ending.as_str()));
    Ok((count > 0).then(|| Action { href, words: format!("{} ending", thousands(count)), adds: false, edits: false }))
}

/// What people wrote about a row, for those who may read it.
fn written<E: Noun>(c: &mut Conn, page: &Page, whose: Whose<'_>, policy: &RedactionPolicy) -> Result<Option<Panel>> {
    let Some(about) = E::ABOUT.filter(|_| page.is_staff() && about::may_read::<E>(policy) && whose.entity != E::ENTITY) else {
        return Ok(None);
    };
    let query = ListQuery::everything(noun::list::<E>())?
        .and(
            &format!("{0}.{1} = {{}} AND {0}.{2} = {{}}", E::ENTITY, RECORD.0, RECORD.1),
            vec![whose.entity.into(), whose.id.into()],
        )
        .with_slice(Some(Slice { limit: SHOWN, offset: 0 }));
    let mut found = query.run(c, noun::view::<E>)?;
    about::complete(c, &mut found.items, policy)?;
    let record = format!("{}={}&{}={}", RECORD.0, whose.entity, RECORD.1, whose.id);
    let card = |seen: &Seen<E>| {
        let card = (about.card)(&seen.row);
        WrittenCard {
            href: page.url(&format!("{}/{}", E::DOOR.page, seen.row.id())),
            body: Value::markdown(Some(card.body)),
            by: card.by.to_owned(),
            at: Value::ago(Some(card.at)),
            is_pinned: card.is_pinned,
        }
    };
    let written = Written {
        cards: found.items.iter().map(card).collect(),
        more: (found.total > SHOWN)
            .then(|| (page.url(&format!("{}/?{record}", E::DOOR.page)), format!("All {}", thousands(found.total)))),
        action: (page.may_write() && whose.is_live).then(|| page.url(&format!("{}/new?{record}", E::DOOR.page))),
    };
    let panel = Panel::new(Tab::Notes, "record-notes", capitalised(E::DOOR.many), Content::Written(written));
    Ok(Some(Panel { count: Some(found.total), ..panel }))
}

/// One noun's panel; nothing when it cannot lead to such a row.
pub fn of<E: Noun>(c: &mut Conn, page: &Page, whose: Whose<'_>, policy: &RedactionPolicy) -> Result<Option<Panel>> {
    if E::ABOUT.is_some() {
        return written::<E>(c, page, whose, policy);
    }
    let is_company = whose.entity == Company::ENTITY;
    let leading: Vec<&str> = if is_company {
        vec!["company_id"]
    } else {
        references::<E>().filter(|(_, to)| to.entity == whose.entity).map(|(field, _)| field.spec.column).collect()
    };
    let Some(first) = leading.first() else { return Ok(None) };
    let condition = leading.iter().map(|column| format!("{}.{column} = {{}}", E::ENTITY)).collect::<Vec<_>>().join(" OR ");
    let query = ListQuery::everything(noun::list::<E>())?
        .and(&format!("({condition})"), vec![whose.id.into(); leading.len()])
        .with_slice(Some(Slice { limit: SHOWN, offset: 0 }));
    let mut found = query.run(c, noun::view::<E>)?;
    about::complete(c, &mut found.items, policy)?;
    let columns = columns::<E>();
    // Whose they are is what the page is about.
    let is_own =
        |key: &str| key == "company_name" || leading.len() == 1 && key.strip_suffix("_name") == first.strip_suffix("_id");
    let mut kept: Vec<usize> =
        columns.shown().iter().enumerate().filter(|(_, column)| column.usual && !is_own(column.key)).map(|(at, _)| at).collect();
    // What names a row stands in its link already.
    let label = |at: usize| columns.shown().get(at).map(|column| column.label);
    let named = kept.first().copied().and_then(label);
    let first_kept = kept.first().copied();
    kept.retain(|at| Some(*at) == first_kept || label(*at) != named);
    let heads = kept.iter().filter_map(|at| columns.shown().get(*at)).map(|column| (column.label, column.class)).collect();
    let line = |seen: &Seen<E>| {
        let mut cells: Vec<Value> = columns.cells(page, seen);
        if let Some(name) = cells.first_mut() {
            *name = Value::link(page.url(&format!("{}/{}", E::DOOR.page, seen.row.id())), seen.title());
        }
        let mut cells: Vec<Option<Value>> = cells.into_iter().map(Some).collect();
        // What is called as the page's own record has no link of its own there.
        let post = (kept.first() != Some(&0) && page.may_write() && whose.is_live).then(|| Post {
            action: page.url(&format!("{}/{}/retire", E::DOOR.page, seen.row.id())),
            label: "Release",
            confirm: String::new(),
            fields: Vec::new(),
        });
        Line { cells: kept.iter().filter_map(|at| cells.get_mut(*at)?.take()).collect(), post }
    };
    // What leads here by either of two columns is asked for as its company's.
    let asked = if is_company || leading.len() > 1 {
        format!("company_id={}", encode_segment(whose.account_number.unwrap_or_default()))
    } else {
        format!("{first}={}", whose.id)
    };
    let more = (found.total > SHOWN)
        .then(|| (page.url(&format!("{}/?{asked}", E::DOOR.page)), format!("All {}", thousands(found.total))));
    let add = (page.may_write() && whose.is_live).then(|| {
        let company = whose.account_number.map(encode_segment).unwrap_or_default();
        let this = if is_company { String::new() } else { format!("&{first}={}", whose.id) };
        Action::adding(page.url(&format!("{}/new?company={company}{this}", E::DOOR.page)), format!("New {}", E::DOOR.one))
    });
    let table = Table { label: E::DOOR.many, heads, lines: found.items.iter().map(line).collect(), empty: "None yet.", more };
    let panel = Panel::new(tab::<E>(), E::DOOR.api, title::<E>(whose, first), Content::Rows(table));
    let ending = if is_company { ending::<E>(c, page, whose)? } else { None };
    let actions = overview::<E>(page, whose).filter(|_| found.total > 0).into_iter().chain(ending).chain(add).collect();
    Ok(Some(Panel { count: Some(found.total), actions, ..panel }))
}
