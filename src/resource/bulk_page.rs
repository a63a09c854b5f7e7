//! Several records of a list changed or retired at once by a form. What it would do is shown before it is done, and it is
//! undone as one.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use serde_json::{Map, Value as Json};

use super::{
    Resource,
    bulk::{Together, together},
    form_page::{FormPage, Typed},
    forms::Form,
    merged,
    record_history::RecordHistory,
};
use crate::{
    agents::PageContext,
    compliance::RedactionPolicy,
    custom,
    db::{Conn, Write},
    error::{Error, Result},
    history::{Record as _, batches},
    types::Actor,
    ui::{Choice, Crumb, Event, Field, Kind, Page, Records, Timeline, count_of, filters, link_to},
    web::{Fields, Routes, Web},
};

/// The most records that are chosen on a page.
const MOST: usize = 500;
/// How many of them are named, and of how many is told what would change.
const SHOWN: usize = 25;

/// A record of which several are changed at once.
pub trait Many: Form {
    /// Their list.
    const LIST: Records;
    /// What one and several are called: `asset`, `assets`.
    const WORDS: (&'static str, &'static str);

    /// What these records can have alike beside the fields of their form, such as who uses them.
    fn beside(_c: &mut Conn, _ids: &[i64], _policy: &RedactionPolicy, _typed: &Typed) -> Result<Vec<Field>> {
        Ok(Vec::new())
    }

    /// What was sent, with that as the one door reads it.
    #[must_use]
    fn sent(fields: Map<String, Json>) -> Map<String, Json> {
        fields
    }
}

/// Where they are changed, and where they retire: `/bulk/assets`, `/bulk/assets/retire`.
#[must_use]
pub fn routes<R: Many>(changed: &'static str, retired: &'static str) -> Routes {
    Routes::new().get(changed, show::<R>).post(changed, change::<R>).form(retired, changed, retire::<R>)
}

/// The page.
#[derive(Template)]
#[template(path = "records/bulk.html")]
struct BulkPage {
    page: Page,
    crumbs: Vec<Crumb>,
    problems: Vec<String>,
    /// Where the form is posted; retiring is posted below it.
    action: String,
    /// The records' ids, as the address has them.
    ids: String,
    /// The first of them, and how many there are besides.
    named: Vec<Crumb>,
    unnamed: usize,
    count: String,
    fields: Vec<Field>,
    /// What a form that was shown before would do.
    plan: Option<Plan>,
    /// What was done just now, to be undone.
    done: Option<i64>,
    back: String,
}

/// What would be done.
struct Plan {
    words: String,
    /// What the button says that does it.
    button: String,
    action: String,
    /// What was typed.
    typed: Vec<(String, String)>,
    timeline: Timeline,
}

/// What the page reads.
struct Chosen {
    named: Vec<Crumb>,
    fields: Vec<Field>,
    done: Option<i64>,
}

/// Reads `ids=1,2,3`.
fn ids(text: &str) -> Result<Vec<i64>> {
    let ids: Option<Vec<i64>> = text.split(',').map(|id| id.trim().parse().ok()).collect();
    match ids {
        Some(ids) if ids.len() <= MOST => Ok(ids),
        Some(ids) => Err(Error::field("ids", format!("at most {MOST} records are changed at once; these are {}", ids.len()))),
        None => Err(Error::field("ids", "must be the ids of records, such as 1,2,3")),
    }
}

/// The fields of a form that several records can have alike, empty. A mark of one record alone, such as its name, is none.
fn common(form: FormPage, typed: &Typed) -> Vec<Field> {
    let fields = form.sections.into_iter().flat_map(|part| part.fields);
    let leave = || Choice::new("", "Leave as it is");
    fields
        .filter_map(|field| {
            let kind = match field.kind {
                Kind::Select(choices) => {
                    let choices = choices.into_iter().filter(|choice| !choice.value.is_empty());
                    Kind::Select(std::iter::once(leave()).chain(choices).collect())
                }
                Kind::Check => Kind::Select(vec![leave(), Choice::new("true", "Yes"), Choice::new("false", "No")]),
                Kind::Line(line @ ("date" | "text")) if !field.required => Kind::Line(line),
                _ => return None,
            };
            let value = typed.text(&field.name);
            Some(Field { kind, value, required: false, hint: "".into(), ..field })
        })
        .collect()
}

fn named<R: Many>(c: &mut Conn, page: &Page, ids: &[i64], view: &R::View) -> Result<Vec<Crumb>> {
    ids.iter()
        .take(SHOWN)
        .map(|id| Ok(link_to(page.url(&R::page(&R::key_of(c, *id)?)), R::title(&R::answer(c, *id, view)?))))
        .collect()
}

/// The page with what it reads of the records.
async fn page<R: Many>(web: &Web, context: &PageContext, ids: Vec<i64>, typed: &Typed) -> Result<BulkPage> {
    let view = R::view(&context.caller, &web.config, &context.query)?;
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let (asked, typed, wanted, frame) = (context.query.count("batch")?, typed.clone(), ids.clone(), context.clone());
    let read = move |c: &mut Conn| {
        let ground = R::ground(c, None, &Typed::default(), &view)?;
        let mut fields = R::beside(c, &wanted, &policy, &typed)?;
        fields.extend(common(R::form(&frame, &ground, &Typed::default()), &typed));
        let done = asked.map(|id| batches::get(c, id)).transpose()?;
        let done = done.filter(|batch| batch.entity == R::Row::ENTITY && batch.undone_at.is_none()).map(|batch| batch.id);
        Ok(Chosen { named: named::<R>(c, &frame.page, &wanted, &view)?, fields, done })
    };
    let chosen = web.db.read(&context.scope(), read).await?;
    let (one, many) = R::WORDS;
    let count = count_of(i64::try_from(ids.len()).unwrap_or(i64::MAX), one, many);
    let list = &R::LIST;
    Ok(BulkPage {
        page: context.titled(list.section, format!("Change {count}")),
        crumbs: vec![list.crumb(&context.page)],
        problems: Vec::new(),
        action: context.page.url(&format!("/bulk{}", list.path.trim_end_matches('/'))),
        unnamed: ids.len().saturating_sub(SHOWN),
        ids: ids.iter().map(i64::to_string).collect::<Vec<_>>().join(","),
        named: chosen.named,
        count,
        fields: chosen.fields,
        plan: None,
        done: chosen.done,
        back: context.page.url(list.path),
    })
}

/// `GET /bulk/assets?ids=1,2,3`
async fn show<R: Many>(State(web): State<Web>, _: R::Writer, context: PageContext) -> Result<Response> {
    let ids = ids(context.query.text("ids")?.unwrap_or_default())?;
    context.show(&page::<R>(&web, &context, ids, &Typed::default()).await?)
}

/// What is to be done to each.
enum Act<R: Resource> {
    Change(Box<(R::Input, custom::Sent)>),
    Retire,
}

/// Somebody's wish, as a form sent it.
struct Wish<R: Many> {
    ids: Vec<i64>,
    typed: Typed,
    act: Act<R>,
    is_confirmed: bool,
}

/// `POST /bulk/assets`: what the fields that were filled in would change; with `confirmed`, it is changed.
async fn change<R: Many>(State(web): State<Web>, editor: R::Writer, context: PageContext, fields: Fields) -> Result<Response> {
    let typed = Typed::new(fields.map().clone());
    let ids = ids(&typed.text("ids"))?;
    let mut sent = fields.map().clone();
    sent.retain(|name, value| {
        !["ids", "confirmed"].contains(&name.as_str()) && value.as_str().is_none_or(|text| !text.is_empty())
    });
    if sent.is_empty() {
        let nothing = Error::BadRequest("Fill in what is to change.".to_owned());
        return refused::<R>(&web, &context, ids, &typed, nothing).await;
    }
    let (sent, is_confirmed) = (Fields::from_form(R::sent(sent)), typed.is_on("confirmed"));
    let own = custom::Sent::of(&sent)?;
    match R::read(sent, false) {
        Ok(input) => {
            let act = Act::Change(Box::new((input, own)));
            run::<R>(&web, &context, &editor.actor(), Wish { ids, typed, act, is_confirmed }).await
        }
        Err(error) => refused::<R>(&web, &context, ids, &typed, error).await,
    }
}

/// `POST /bulk/assets/retire`: the same for retiring them.
async fn retire<R: Many>(State(web): State<Web>, caller: R::Retirer, context: PageContext, fields: Fields) -> Result<Response> {
    let typed = Typed::new(fields.map().clone());
    let (ids, is_confirmed) = (ids(&typed.text("ids"))?, typed.is_on("confirmed"));
    run::<R>(&web, &context, &caller.actor(), Wish { ids, typed, act: Act::Retire, is_confirmed }).await
}

/// The page again, with what is wrong.
async fn refused<R: Many>(web: &Web, context: &PageContext, ids: Vec<i64>, typed: &Typed, error: Error) -> Result<Response> {
    let mut shown = page::<R>(web, context, ids, typed).await?;
    let (status, problems) = match error {
        Error::Invalid(wrong) => (StatusCode::BAD_REQUEST, crate::ui::form::place_errors(&mut shown.fields, &wrong)),
        Error::Conflict { message, details } => {
            let errors = details.get("errors").and_then(Json::as_array).into_iter().flatten();
            let each = errors.filter_map(|error| error.get("message")?.as_str()).map(str::to_owned);
            (StatusCode::CONFLICT, std::iter::once(message).chain(each.take(SHOWN)).collect())
        }
        Error::BadRequest(why) => (StatusCode::BAD_REQUEST, vec![why]),
        other => return Err(other),
    };
    shown.problems = problems;
    context.show_as(status, &shown)
}

/// Rehearses or does it.
async fn run<R: Many>(web: &Web, context: &PageContext, actor: &Actor, wish: Wish<R>) -> Result<Response> {
    let Wish { ids, typed, act, is_confirmed } = wish;
    let view = R::view(&context.caller, &web.config, &context.query)?;
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let (kind, done) = if matches!(act, Act::Retire) { ("retire", "retired") } else { ("update", "changed") };
    let (types, wanted, frame) = (context.caller.types(), ids.clone(), context.page.clone());
    let work = move |w: &mut Write<'_>| {
        let together = together::<R>(w, kind, &wanted, (types.as_deref(), &policy), |w, id| match &act {
            Act::Retire => R::retire(w, id, false),
            Act::Change(change) => {
                let (input, own) = &**change;
                merged::refuse::<R>(w, id)?;
                R::update(w, id, input, None, &view)?;
                custom::apply(w, R::Row::ENTITY, id, own, false, &policy).map(drop)
            }
        })?;
        let events = events::<R>(w, &frame, &wanted, &together, (&view, &policy))?;
        Ok((together, events))
    };
    let scope = context.scope();
    let ran = if is_confirmed { web.db.write(&scope, actor, work).await } else { web.db.dry_run(&scope, actor, work).await };
    let (together, events) = match ran {
        Ok(ran) => ran,
        Err(error) => return refused::<R>(web, context, ids, &typed, error).await,
    };
    let (one, many) = R::WORDS;
    let changed = count_of(together.changed, one, many);
    if is_confirmed {
        let batch = together.batch.map_or_else(String::new, |batch| format!("&batch={batch}"));
        let ids = ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
        let path = format!("/bulk{}?ids={ids}{batch}", R::LIST.path.trim_end_matches('/'));
        return context.go(&path, &format!("{changed} {done}."));
    }
    let mut shown = page::<R>(web, context, ids, &typed).await?;
    let words = format!("{} of {} would be {done}", together.changed, shown.count);
    let below = if kind == "retire" { "/retire" } else { "" };
    let verb = if kind == "retire" { "Retire" } else { "Change" };
    shown.plan = Some(Plan {
        words,
        button: if together.changed > 0 { format!("{verb} {changed}") } else { String::new() },
        action: format!("{}{below}", shown.action),
        typed: shown
            .fields
            .iter()
            .filter(|field| !field.value.is_empty())
            .map(|field| (field.name.to_string(), field.value.clone()))
            .collect(),
        timeline: Timeline { events, more: None, kept_since: None },
    });
    context.show(&shown)
}

/// What was done to the first of them, as their histories tell it.
fn events<R: Many>(
    c: &mut Conn,
    page: &Page,
    ids: &[i64],
    together: &Together,
    (view, policy): (&R::View, &RedactionPolicy),
) -> Result<Vec<Event>> {
    let Some(batch) = together.batch else { return Ok(Vec::new()) };
    let mut events = Vec::new();
    for id in ids.iter().take(SHOWN) {
        let history = RecordHistory::read(c, R::Row::ENTITY, *id, policy)?;
        let done: Vec<Event> =
            history.events.into_iter().map(|(event, _)| event).filter(|event| event.batch == Some(batch)).collect();
        if done.is_empty() {
            continue;
        }
        let subject = link_to(page.url(&R::page(&R::key_of(c, *id)?)), R::title(&R::answer(c, *id, view)?));
        events.extend(done.into_iter().map(|event| Event { subject: Some(subject.clone()), batch: None, ..event }));
    }
    Ok(events)
}
