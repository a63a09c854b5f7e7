//! The page on which two records are compared and merged.

use std::collections::BTreeMap;

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use crate::{
    agents::PageContext,
    companies::Company,
    compliance::RedactionPolicy,
    contacts::Contact,
    db::{
        Conn, Write,
        list::{ListQuery, Slice},
    },
    error::{Error, Result},
    history::{self, Record as _, protection},
    records::{
        merge::{self, Merger, Wanted},
        undo::Undoer,
    },
    resource::{forms::Form, values::shown},
    types::Actor,
    ui::{Crumb, Page, Section, Value, filters, link_to, words},
    web::{Fields, Path, Reference, Web, encode_segment},
};

/// How many records of the same name are offered.
const OFFERED: i64 = 6;

/// One field of both.
struct Side {
    name: &'static str,
    label: &'static str,
    mine: Value,
    theirs: Value,
    differs: bool,
    /// Whether the other one's value is taken unless somebody chooses.
    takes: bool,
}

/// The record that is compared.
struct Other {
    mine: String,
    theirs: String,
    fields: Vec<Side>,
    moves: Vec<(String, i64)>,
    may: bool,
}

#[derive(Template)]
#[template(path = "records/merge.html")]
struct MergePage {
    page: Page,
    crumbs: Vec<Crumb>,
    problems: Vec<String>,
    back: String,
    action: String,
    one: String,
    from: String,
    /// Whether the suggestions are what was found, not what is called alike.
    found: bool,
    suggestions: Vec<Crumb>,
    other: Option<Other>,
}

/// What the page reads.
struct Known {
    into: i64,
    title: String,
    /// How the other one is named in this page's address and form.
    from: String,
    /// Records that may be meant: how they are named there, and what they are called.
    alike: Vec<(String, String)>,
    other: Option<(i64, String, Vec<Side>)>,
    problem: Option<String>,
}

/// `GET` of a record's `merge`: which other one, and how they differ.
pub async fn show<R: Form<Whose = ()>>(
    State(web): State<Web>,
    caller: R::Retirer,
    context: PageContext,
    Path(key): Path<R::Key>,
) -> Result<Response> {
    let from = context.query.text("from")?.unwrap_or_default().to_owned();
    let merger = merger(&web, &caller, &context)?;
    page::<R>(&web, &context, key, (from, merger), (StatusCode::OK, Vec::new())).await
}

/// `POST` of it: merges them.
pub async fn save<R: Form<Whose = ()>>(
    State(web): State<Web>,
    caller: R::Retirer,
    context: PageContext,
    Path(key): Path<R::Key>,
    mut fields: Fields,
) -> Result<Response> {
    let from = fields.text("from").max(100).get().value().unwrap_or_default();
    let chosen = fields.map().iter().filter_map(|(name, side)| Some((name.strip_prefix("field.")?.to_owned(), side == "from")));
    let choices: BTreeMap<String, bool> = chosen.collect();
    let merger = merger(&web, &caller, &context)?;
    let (by, other, into) = (merger.clone(), reference::<R>(&from), key.clone());
    let work = move |w: &mut Write<'_>| {
        let into = R::id(w, &into)?;
        let wanted = Wanted { into, from: merge::id_of(w, R::Row::ENTITY, &other)?, choices };
        merge::merge(w, R::Row::ENTITY, &wanted, &by)
    };
    let actor = Actor { pins: false, ..context.actor() };
    match web.db.write(&context.scope(), &actor, work).await {
        Ok(_) => context.go(&R::page(&key), "Merged. It can be undone as one, from the history."),
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. })) => {
            let status = error.status();
            page::<R>(&web, &context, key, (from, merger), (status, vec![error.to_string()])).await
        }
        Err(other) => Err(other),
    }
}

fn merger(web: &Web, caller: &crate::auth::Caller, context: &PageContext) -> Result<Merger> {
    let policy = RedactionPolicy::of(caller, &web.config, &context.query)?;
    let by = Undoer { policy, is_admin: caller.is_admin() };
    Ok(Merger { by, pins: caller.actor().pins, types: caller.types() })
}

/// Companies are known by their number, everything else by its id.
fn reference<R: Form>(text: &str) -> Reference {
    let id = text.parse().ok().filter(|_| R::Row::ENTITY != Company::ENTITY);
    id.map_or_else(|| Reference::Key(text.to_owned()), Reference::Id)
}

async fn page<R: Form<Whose = ()>>(
    web: &Web,
    context: &PageContext,
    key: R::Key,
    (from, merger): (String, Merger),
    (status, mut problems): (StatusCode, Vec<String>),
) -> Result<Response> {
    let view = R::view(&context.caller, &web.config, &context.query)?;
    let (own, asked) = (key.clone(), from.clone());
    let policy = merger.by.policy.clone();
    let known = web.db.read(&context.scope(), move |c| read::<R>(c, &own, &asked, (&view, &policy))).await?;
    problems.extend(known.problem);
    let mut other = None;
    if let Some((id, theirs, fields)) = known.other {
        let wanted = Wanted { into: known.into, from: id, choices: BTreeMap::new() };
        let actor = Actor { pins: false, ..context.actor() };
        let tried = web.db.dry_run(&context.scope(), &actor, move |w| merge::merge(w, R::Row::ENTITY, &wanted, &merger)).await;
        let (moves, may) = match tried {
            Ok(done) => (done.moved.into_iter().map(|(what, count)| (moved(&what, count), count)).collect(), true),
            Err(Error::Conflict { message, .. } | Error::Forbidden(message)) => {
                problems.push(message);
                (Vec::new(), false)
            }
            Err(error @ Error::Invalid(_)) => {
                problems.push(error.to_string());
                (Vec::new(), false)
            }
            Err(other) => return Err(other),
        };
        other = Some(Other { mine: known.title.clone(), theirs, fields, moves, may });
    }
    let back = context.page.url(&R::page(&key));
    let action = format!("{back}/merge");
    let one = R::Row::WHAT.to_lowercase();
    let suggest = |(named, called): (String, String)| link_to(format!("{action}?from={}", encode_segment(&named)), called);
    let suggestions = known.alike.into_iter().map(suggest).collect();
    let page = MergePage {
        page: context.titled(section::<R>(), format!("Merge into {}", known.title)),
        crumbs: vec![link_to(back.clone(), known.title)],
        problems,
        back,
        action,
        one,
        found: !known.from.is_empty(),
        from: known.from,
        suggestions,
        other,
    };
    context.show_as(status, &page)
}

fn section<R: Form>() -> Section {
    match R::Row::ENTITY {
        Company::ENTITY => Section::Companies,
        Contact::ENTITY => Section::Contacts,
        _ => Section::Assets,
    }
}

/// What moves, as people call it.
fn moved(what: &str, count: i64) -> String {
    match (what, count) {
        ("place", 1) => "membership".to_owned(),
        ("place", _) => "memberships".to_owned(),
        ("use", 1) => "assignment".to_owned(),
        ("use", _) => "assignments".to_owned(),
        (what, 1) => words(what).to_lowercase(),
        (what, _) => plural(&words(what).to_lowercase()),
    }
}

fn plural(word: &str) -> String {
    if let Some(stem) = word.strip_suffix('y') { format!("{stem}ies") } else { format!("{word}s") }
}

fn read<R: Form<Whose = ()>>(
    c: &mut Conn,
    key: &R::Key,
    from: &str,
    (view, policy): (&R::View, &RedactionPolicy),
) -> Result<Known> {
    let into = R::id(c, key)?;
    let title = R::title(&R::answer(c, into, view)?);
    let mut known = Known { into, title, from: from.to_owned(), alike: Vec::new(), other: None, problem: None };
    if from.is_empty() {
        known.alike = found_by::<R>(c, into, &known.title, view)?.into_iter().map(|(_, named, called)| (named, called)).collect();
        return Ok(known);
    }
    let id = match merge::id_of(c, R::Row::ENTITY, &reference::<R>(from)) {
        Ok(id) => Some(id),
        Err(Error::Invalid(_)) => {
            let mut found = found_by::<R>(c, into, from, view)?;
            if found.len() == 1
                && let Some((id, named, _)) = found.pop()
            {
                known.from = named;
                Some(id)
            } else {
                if found.is_empty() {
                    let what = R::Row::WHAT.to_lowercase();
                    known.problem = Some(format!("No other {what} is found by “{from}”. Try its name, or its number."));
                }
                known.alike = found.into_iter().map(|(_, named, called)| (named, called)).collect();
                None
            }
        }
        Err(other) => return Err(other),
    };
    match id {
        Some(id) if id != into => {
            known.other = Some((id, R::title(&R::answer(c, id, view)?), sides::<R>(c, into, id, policy)?));
        }
        Some(_) => known.problem = Some("That is this record itself.".to_owned()),
        None => {}
    }
    Ok(known)
}

/// The live records beside this one that are found by a text: each with how it is named in an address, and what it is called.
fn found_by<R: Form<Whose = ()>>(c: &mut Conn, into: i64, text: &str, view: &R::View) -> Result<Vec<(i64, String, String)>> {
    let slice = Some(Slice { limit: OFFERED, offset: 0 });
    let query =
        ListQuery::everything(R::list().ok_or(Error::NotFound { what: R::Row::WHAT })?)?.with_search(text)?.with_slice(slice);
    let ids = R::chosen(c, &(), query, &crate::web::Query::default(), view)?;
    let call = |id| {
        let shown = R::answer(c, id, view)?;
        let (title, mark) = (R::title(&shown), R::mark(&shown));
        let called = mark.as_ref().map_or_else(|| title.clone(), |mark| format!("{title} ({mark})"));
        let named = mark.filter(|_| R::Row::ENTITY == Company::ENTITY).unwrap_or_else(|| id.to_string());
        Ok((id, named, called))
    };
    ids.into_iter().filter(|id| *id != into).map(call).collect()
}

/// How two records differ, in their own values: for those who may see all of them.
fn sides<R: Form>(c: &mut Conn, into: i64, from: i64, policy: &RedactionPolicy) -> Result<Vec<Side>> {
    if !policy.sees_all() {
        return Err(Error::Forbidden(
            "Records are compared by somebody who may see protected records in full, and without filter in the address"
                .to_owned(),
        ));
    }
    let protected = protection::among(c, R::Row::ENTITY, vec![into, from])?;
    policy.log_disclosure(R::Row::ENTITY, protected);
    let (mine, theirs) = (history::get::<R::Row>(c, into)?, history::get::<R::Row>(c, from)?);
    let side = |field: &'static crate::entity::Field<R::Row>| {
        let (one, other) = ((field.read)(&mine), (field.read)(&theirs));
        let [ours, told] = [&one, &other].map(|cell| cell.text().map(str::to_owned));
        let (mine, theirs) = (shown(&field.spec, &one), shown(&field.spec, &other));
        let values: [crate::db::Value; 2] = [one.into(), other.into()];
        let blank =
            |value: &crate::db::Value, text: &Option<String>| *value == crate::db::Value::Null || text.as_deref() == Some("");
        let takes = blank(&values[0], &ours) && !blank(&values[1], &told);
        Side { name: field.spec.name, label: field.spec.label, mine, theirs, differs: values[0] != values[1], takes }
    };
    let known = merge::choosable::<R::Row>().map(side);
    Ok(known.filter(|side| side.differs || !matches!(side.mine, Value::None)).collect())
}
