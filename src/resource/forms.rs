//! Records as forms: how they are shown, what is read of them, and what comes of it.

use axum::{extract::State, response::Response};

use super::{
    Resource,
    form_page::{Doubles, FormPage, Part, Typed, changed, without_blank_lists},
    merged,
};
use crate::{
    agents::PageContext,
    compliance::RedactionPolicy,
    custom::{self, form::Offered},
    db::{Conn, Write},
    error::{Error, Result},
    history::Record as _,
    ui::{Crumb, link_to, section_anchor},
    web::{Fields, Path, Query, Routes, Web, encode_segment},
};

/// The parameter that names the one section of a form which is edited.
pub const SECTION: &str = "section";

/// A record that people write in forms.
pub trait Form: Resource {
    /// What its form is made of that the database knows: the record, what can be chosen.
    type Ground: Send + Sync + 'static;
    /// The lists among its fields whose empty boxes mean "no value".
    const LISTS: &'static [&'static str] = &[];
    /// What records share that may be the same one, and the field that says so.
    const DOUBLES: (&'static str, &'static str) = ("", "");

    /// Reads it for a record, or for one that is to be added with what is typed.
    fn ground(c: &mut Conn, id: Option<i64>, typed: &Typed, view: &Self::View) -> Result<Self::Ground>;

    /// What stands in the form of a new record.
    fn begin(query: &Query) -> Typed;

    /// What stands in the form of a record that there is.
    ///
    /// # Errors
    /// When the record cannot be written as JSON.
    fn stands(ground: &Self::Ground) -> Result<Typed>;

    /// The form with this in it.
    fn form(context: &PageContext, ground: &Self::Ground, typed: &Typed) -> FormPage;

    /// Where a record's page is, below the prefix.
    fn page(key: &Self::Key) -> String;

    /// What people call a record.
    fn title(shown: &Self::Shown) -> String;

    /// What tells a record from others of the same name.
    fn mark(_shown: &Self::Shown) -> Option<String> {
        None
    }

    /// What is said when one was added.
    fn added(shown: &Self::Shown) -> String {
        format!("{} was added.", Self::title(shown))
    }

    /// What is said when one was retired.
    fn retired(c: &mut Conn, id: i64, view: &Self::View) -> Result<String> {
        Ok(format!("{} is retired.", Self::title(&Self::answer(c, id, view)?)))
    }

    /// Where one is led who has added a record.
    fn added_at(key: &Self::Key, _shown: &Self::Shown) -> String {
        Self::page(key)
    }

    /// What was sent, with what the form's address says.
    #[must_use]
    fn complete(_query: &Query, fields: Fields) -> Fields {
        fields
    }

    /// Records that may be the one which is typed: where their pages are, and what they are called.
    fn doubles(_c: &mut Conn, _typed: &Typed, _view: &Self::View) -> Result<Vec<(String, String)>> {
        Ok(Vec::new())
    }

    /// What is shown when a record could not be added.
    fn not_added(
        web: &Web,
        context: &PageContext,
        _whose: Self::Whose,
        typed: Typed,
        error: Error,
    ) -> impl Future<Output = Result<Response>> + Send {
        async move { adding::<Self>(web, context, &typed).await?.fail(context, error) }
    }

    /// What is shown when a record could not retire because of what is attached.
    fn not_retired(
        _web: &Web,
        _frame: &PageContext,
        _key: Self::Key,
        error: Error,
    ) -> impl Future<Output = Result<Response>> + Send {
        async move { Err(error) }
    }
}

/// The forms of the records of a list: pages to add and edit one, and what its own page posts.
#[must_use]
pub fn routes<R: Form>(added: &'static str, one: &'static str, [edited, retired, restored]: [&'static str; 3]) -> Routes {
    Routes::new()
        .get(added, new::<R>)
        .post(added, create::<R>)
        .get(edited, edit::<R>)
        .post(edited, update::<R>)
        .form(retired, one, retire::<R>)
        .form(restored, one, restore::<R>)
}

/// What is still attached to a record that could not retire, as a list.
#[must_use]
pub fn attached(error: &Error) -> Vec<Crumb> {
    match error {
        Error::Conflict { message, .. } => {
            let list = message.strip_prefix("still attached: ").unwrap_or(message);
            list.split(", ").map(|what| link_to(String::new(), what)).collect()
        }
        _ => Vec::new(),
    }
}

/// What a form is made of: what its room has read, and what administrators have added.
type Whole<R> = (<R as Form>::Ground, Offered);

/// A record's form with one's own fields and tags at its end.
fn form<R: Form>(context: &PageContext, (ground, offered): &Whole<R>, typed: &Typed) -> FormPage {
    let mut form = R::form(context, ground, typed);
    let fields = offered.inputs(|name| typed.sent(name), typed.sent_list("tags"));
    if !fields.is_empty() {
        form.sections.push(Part { title: "Custom fields", fields });
    }
    form
}

/// Only the section that the address names, where it names one: a record's page edits its sections one by one.
fn narrowed(context: &PageContext, mut form: FormPage) -> Result<FormPage> {
    let asked = context.query.text(SECTION)?.unwrap_or_default();
    let is_asked = |part: &Part| section_anchor(part.title) == asked;
    if form.sections.iter().any(is_asked) {
        form.sections.retain(is_asked);
        form.action = format!("{}?{SECTION}={asked}", form.action);
        form.back = format!("{}#{asked}", form.back);
    }
    Ok(form)
}

/// A record's page, at the section that was edited.
fn edited<R: Form>(context: &PageContext, key: &R::Key) -> Result<String> {
    let asked = context.query.text(SECTION)?.unwrap_or_default();
    let is_anchor = !asked.is_empty() && asked.chars().all(|letter| letter.is_alphanumeric() || letter == '-');
    Ok(if is_anchor { format!("{}#{}", R::page(key), encode_segment(asked)) } else { R::page(key) })
}

async fn ground<R: Form>(web: &Web, context: &PageContext, key: Option<R::Key>, typed: &Typed) -> Result<Whole<R>> {
    let view = R::view(&context.caller, &web.config, &context.query)?;
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let typed = typed.clone();
    let read = move |c: &mut Conn| {
        let id = key.map(|key| R::id(c, &key)).transpose()?;
        Ok((R::ground(c, id, &typed, &view)?, Offered::read(c, R::Row::ENTITY, id, &policy)?))
    };
    web.db.read(&context.scope(), read).await
}

async fn adding<R: Form>(web: &Web, context: &PageContext, typed: &Typed) -> Result<FormPage> {
    Ok(form::<R>(context, &ground::<R>(web, context, None, typed).await?, typed))
}

/// `GET` of an empty form.
pub async fn new<R: Form>(State(web): State<Web>, _: R::Writer, context: PageContext) -> Result<Response> {
    context.show(&adding::<R>(&web, &context, &R::begin(&context.query)).await?)
}

/// `POST` of a new record; the form comes back when it may be another one's double, or when something is wrong.
pub async fn create<R: Form>(
    State(web): State<Web>,
    editor: R::Writer,
    context: PageContext,
    whose: R::Whose,
    fields: Fields,
) -> Result<Response> {
    let fields = R::complete(&context.query, fields);
    let typed = Typed::new(fields.map().clone());
    if let Some(doubles) = doubles::<R>(&web, &context, &fields, &typed).await? {
        return adding::<R>(&web, &context, &typed).await?.ask(&context, doubles);
    }
    let view = R::view(&context.caller, &web.config, &context.query)?;
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let own = custom::Sent::of(&fields)?;
    let saved = match R::read(without_blank_lists(fields, R::LISTS), true) {
        Ok(input) => {
            let whose = whose.clone();
            let work = move |w: &mut Write<'_>| {
                let key = R::create(w, &whose, &input, &view)?;
                let id = R::id(w, &key)?;
                custom::apply(w, R::Row::ENTITY, id, &own, true, &policy)?;
                Ok((key, R::answer(w, id, &view)?))
            };
            web.db.write(&editor.scope(), &editor.actor(), work).await
        }
        Err(error) => Err(error),
    };
    match saved {
        Ok((key, shown)) => context.go(&R::added_at(&key, &shown), &R::added(&shown)),
        Err(error) => R::not_added(&web, &context, whose, typed, error).await,
    }
}

async fn doubles<R: Form>(web: &Web, context: &PageContext, fields: &Fields, typed: &Typed) -> Result<Option<Doubles>> {
    let (what, field) = R::DOUBLES;
    if field.is_empty() {
        return Ok(None);
    }
    let view = R::view(&context.caller, &web.config, &context.query)?;
    let wanted = typed.clone();
    let known = web.db.read(&context.scope(), move |c| R::doubles(c, &wanted, &view)).await?;
    let known = known.into_iter().map(|(path, name)| link_to(context.page.url(&path), name)).collect();
    Ok(Doubles::unless_confirmed(fields, what, &typed.text(field), known))
}

/// `GET` of a record's form.
pub async fn edit<R: Form>(
    State(web): State<Web>,
    _: R::Writer,
    context: PageContext,
    Path(key): Path<R::Key>,
) -> Result<Response> {
    let ground = ground::<R>(&web, &context, Some(key), &Typed::default()).await?;
    let stands = R::stands(&ground.0)?;
    context.show(&narrowed(&context, form::<R>(&context, &ground, &stands.without_own()))?)
}

/// `POST` of a record's form: what a person changed in it.
pub async fn update<R: Form>(
    State(web): State<Web>,
    editor: R::Writer,
    context: PageContext,
    Path(key): Path<R::Key>,
    fields: Fields,
) -> Result<Response> {
    let typed = Typed::new(fields.map().clone());
    let rev = typed.rev();
    let ground = ground::<R>(&web, &context, Some(key.clone()), &typed).await?;
    let fields = changed(&form::<R>(&context, &ground, &R::stands(&ground.0)?.without_own()), &fields);
    let policy = RedactionPolicy::of(&context.caller, &web.config, &context.query)?;
    let own = custom::Sent::of(&fields)?;
    let view = R::view(&context.caller, &web.config, &context.query)?;
    let saved = match R::read(without_blank_lists(fields, R::LISTS), false) {
        Ok(input) => {
            let key = key.clone();
            let work = move |w: &mut Write<'_>| {
                let id = R::id(w, &key)?;
                merged::refuse::<R>(w, id)?;
                let is_changed = R::update(w, id, &input, rev, &view)?;
                Ok(custom::apply(w, R::Row::ENTITY, id, &own, false, &policy)? || is_changed)
            };
            web.db.write(&editor.scope(), &editor.actor(), work).await
        }
        Err(error) => Err(error),
    };
    match saved {
        Ok(true) => context.go(&edited::<R>(&context, &key)?, "Saved."),
        Ok(false) => context.go(&edited::<R>(&context, &key)?, "No changes to save."),
        Err(error) => narrowed(&context, form::<R>(&context, &ground, &typed))?.fail(&context, error),
    }
}

/// `POST` that retires a record: refused with the list of what is still attached.
pub async fn retire<R: Form>(
    State(web): State<Web>,
    caller: R::Retirer,
    context: PageContext,
    Path(key): Path<R::Key>,
) -> Result<Response> {
    let view = R::view(&context.caller, &web.config, &context.query)?;
    let wanted = key.clone();
    let work = move |w: &mut Write<'_>| {
        let id = R::id(w, &wanted)?;
        R::retire(w, id, false)?;
        R::retired(w, id, &view)
    };
    match web.db.write(&caller.scope(), &caller.actor(), work).await {
        Ok(done) => context.go(&R::page(&key), &done),
        Err(error @ Error::Conflict { .. }) if is_attached(&error) => R::not_retired(&web, &context, key, error).await,
        Err(other) => Err(other),
    }
}

fn is_attached(error: &Error) -> bool {
    matches!(error, Error::Conflict { details, .. } if details.contains_key("attached"))
}

/// `POST` that brings a record back.
pub async fn restore<R: Form>(
    State(web): State<Web>,
    editor: R::Writer,
    context: PageContext,
    Path(key): Path<R::Key>,
) -> Result<Response> {
    let _may_see = R::view(&context.caller, &web.config, &context.query)?;
    let wanted = key.clone();
    let work = move |w: &mut Write<'_>| {
        let id = R::id(w, &wanted)?;
        merged::refuse::<R>(w, id)?;
        R::restore(w, id)
    };
    web.db.write(&editor.scope(), &editor.actor(), work).await?;
    context.go(&R::page(&key), "Restored.")
}
