//! The rows of a noun that belong to another one's row, on that one's page.

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
        noun::{self, RECORD, references},
    },
    error::Result,
    history::Record as _,
    ui::{Line, Page, Table, Value, capitalised, thousands},
    web::encode_segment,
};

/// How many rows a page shows.
const SHOWN: i64 = 20;

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

/// Those rows.
#[derive(Clone, Debug)]
pub struct Panel {
    /// What the page's own links lead to: `subnets`.
    pub anchor: &'static str,
    /// Its heading.
    pub title: String,
    /// How many there are.
    pub count: i64,
    /// The first of them.
    pub table: Table,
    /// A page about all of them, and what it is called.
    pub overview: Option<(String, &'static str)>,
    /// Where one is added, and what that is called; nothing for those who may not.
    pub add: Option<(String, String)>,
    /// What people wrote, in place of the table.
    pub written: Option<Written>,
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

/// The panels on a row's page: of every noun that can lead to it.
pub fn all(c: &mut Conn, page: &Page, whose: Whose<'_>, policy: &RedactionPolicy) -> Result<Vec<Panel>> {
    let mut panels = Vec::new();
    for noun in entities::nouns() {
        panels.extend(noun.panel(c, page, whose, policy)?);
    }
    Ok(panels)
}

/// Whether something can be added of which there is none yet.
#[must_use]
pub fn offers(panels: &[Panel]) -> bool {
    panels.iter().any(|panel| panel.count == 0 && panel.add.is_some())
}

/// What a panel is called; rows of the page's own noun are told apart from it by what they say of it.
fn title<E: Noun>(whose: Whose<'_>, column: &str) -> String {
    let many = capitalised(E::DOOR.many);
    match E::field(column).filter(|_| whose.entity == E::ENTITY) {
        Some(field) => format!("{many} with this {}", field.spec.label.to_lowercase()),
        None => many,
    }
}

fn overview<E: Noun>(page: &Page, whose: Whose<'_>) -> Option<(String, &'static str)> {
    let (words, path) = E::OVERVIEW.filter(|_| whose.entity == Company::ENTITY)?;
    Some((page.url(&format!("/companies/{}/{path}", encode_segment(whose.account_number?))), words))
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
    let found = query.run(c, noun::view::<E>)?;
    about::log_disclosure(c, &found.items, policy)?;
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
    Ok(Some(Panel {
        anchor: E::DOOR.api,
        title: capitalised(E::DOOR.many),
        count: found.total,
        table: Table { label: E::DOOR.many, heads: Vec::new(), lines: Vec::new(), empty: "", more: None },
        overview: None,
        add: None,
        written: Some(Written {
            cards: found.items.iter().map(card).collect(),
            more: (found.total > SHOWN)
                .then(|| (page.url(&format!("{}/?{record}", E::DOOR.page)), format!("All {}", thousands(found.total)))),
            action: (page.may_write() && whose.is_live).then(|| page.url(&format!("{}/new?{record}", E::DOOR.page))),
        }),
    }))
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
    let found = query.run(c, noun::view::<E>)?;
    let columns = columns::<E>();
    // Whose they are is what the page is about.
    let is_own =
        |key: &str| key == "company_name" || leading.len() == 1 && key.strip_suffix("_name") == first.strip_suffix("_id");
    let kept: Vec<usize> =
        columns.shown().iter().enumerate().filter(|(_, column)| column.usual && !is_own(column.key)).map(|(at, _)| at).collect();
    let heads = kept.iter().filter_map(|at| columns.shown().get(*at)).map(|column| (column.label, column.class)).collect();
    let line = |seen: &Seen<E>| {
        let mut cells: Vec<Value> = columns.cells(page, seen);
        if let Some(name) = cells.first_mut() {
            *name = Value::link(page.url(&format!("{}/{}", E::DOOR.page, seen.row.id())), seen.title());
        }
        let mut cells: Vec<Option<Value>> = cells.into_iter().map(Some).collect();
        Line { cells: kept.iter().filter_map(|at| cells.get_mut(*at)?.take()).collect(), post: None }
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
        (page.url(&format!("{}/new?company={company}{this}", E::DOOR.page)), format!("New {}", E::DOOR.one))
    });
    Ok(Some(Panel {
        anchor: E::DOOR.api,
        title: title::<E>(whose, first),
        overview: overview::<E>(page, whose).filter(|_| found.total > 0),
        count: found.total,
        table: Table { label: E::DOOR.many, heads, lines: found.items.iter().map(line).collect(), empty: "None yet.", more },
        add,
        written: None,
    }))
}
