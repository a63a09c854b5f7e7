//! A noun as JSON.

use axum::{extract::State, response::Response};

use super::{
    about,
    any::OfNoun,
    writes::{self, Input},
};
use crate::{
    auth::{Caller, Editor, Reader},
    companies::store as companies,
    compliance::RedactionPolicy,
    config::Config,
    db::{
        Conn, Write,
        list::{ListQuery, Slice},
    },
    entity::{
        Noun, Seen,
        noun::{self, Paths},
    },
    error::Result,
    resource::{Resource, api as resource},
    web::{Fields, Path, Query, ReadRequest, Routes, Web, list},
};

/// What can be asked about a noun and done to its rows.
pub fn routes<E: Noun>() -> Routes {
    let paths = Paths::of::<E>();
    Routes::new()
        .get(paths.list, index::<E>)
        .merge(resource::routes::<OfNoun<E>>(paths.list, paths.one, paths.restore))
        .get(paths.of_company, of_company::<E>)
}

/// The question with its company, as a number or an id; rows of a company that there is not are none.
pub fn narrowed<E: Noun>(c: &mut Conn, query: &ListQuery, company: Option<&str>) -> Result<ListQuery> {
    let Some(company) = company else { return Ok(query.clone()) };
    let id = companies::find_id(c, company)?.unwrap_or_default();
    Ok(query.clone().and(&format!("{}.company_id = {{}}", E::ENTITY), vec![id.into()]))
}

/// The company that a question names.
///
/// # Errors
/// When it is no text.
pub fn company_asked(query: &Query) -> Result<Option<String>> {
    Ok(query.text("company_account_number")?.or(query.text("company_id")?).map(str::to_owned))
}

/// How many rows that are about others are read at once.
const SOME: i64 = 200;

/// Gives each row to the list. Of rows that are about others some are gathered first: what those are called stands in other
/// tables.
fn each<E: Noun>(c: &mut Conn, query: &ListQuery, policy: &RedactionPolicy, rows: &mut list::Rows) -> Result<i64> {
    if E::ABOUT.is_none() {
        return query.each(c, |row| rows.push(&noun::view::<E>(row)?));
    }
    let asked = query.slice().unwrap_or(Slice { limit: i64::MAX, offset: 0 });
    let (mut given, mut total) = (0, 0);
    while given < asked.limit {
        let part = Slice { limit: SOME.min(asked.limit - given), offset: asked.offset + given };
        let mut found = query.clone().with_slice(Some(part)).run(c, noun::view::<E>)?;
        about::name(c, &mut found.items)?;
        about::log_disclosure(c, &found.items, policy)?;
        found.items.iter().try_for_each(|seen| rows.push(seen))?;
        let count = i64::try_from(found.items.len()).unwrap_or(i64::MAX);
        (given, total) = (given + count, found.total);
        if count < part.limit {
            break;
        }
    }
    Ok(total)
}

async fn index<E: Noun>(State(web): State<Web>, caller: Reader, request: ReadRequest) -> Result<Response> {
    let query = request.list(noun::list::<E>())?;
    let company = company_asked(&request.query)?;
    let policy = OfNoun::<E>::view(&caller, &web.config, &request.query)?;
    let variant = format!("{company:?}");
    list::respond(&web, &caller.scope(), &variant, &request, query, move |c, query, rows| {
        let query = narrowed::<E>(c, query, company.as_deref())?;
        each::<E>(c, &query, &policy, rows)
    })
    .await
}

async fn of_company<E: Noun>(
    State(web): State<Web>,
    caller: Reader,
    Path(acct): Path<String>,
    request: ReadRequest,
) -> Result<Response> {
    let query = request.list(noun::list::<E>())?;
    let policy = OfNoun::<E>::view(&caller, &web.config, &request.query)?;
    list::respond(&web, &caller.scope(), "", &request, query, move |c, query, rows| {
        companies::id_of(c, &acct)?;
        let query = narrowed::<E>(c, query, Some(&acct))?;
        each::<E>(c, &query, &policy, rows)
    })
    .await
}

impl<E: Noun> Resource for OfNoun<E> {
    type Row = E;
    type Key = i64;
    type Whose = ();
    type View = RedactionPolicy;
    type Input = Input<E>;
    type Shown = Seen<E>;
    type Retirer = Editor;

    fn view(caller: &Caller, config: &Config, query: &Query) -> Result<RedactionPolicy> {
        let policy = RedactionPolicy::of(caller, config, query)?;
        about::allow::<E>(&policy)?;
        Ok(policy)
    }

    fn id(_: &mut Conn, key: &i64) -> Result<i64> {
        Ok(*key)
    }

    fn path(key: &i64) -> String {
        format!("/api/{}/{key}", E::DOOR.api)
    }

    fn read(fields: Fields, creating: bool) -> Result<Input<E>> {
        writes::read(fields, creating)
    }

    fn create(w: &mut Write<'_>, (): &(), input: &Input<E>, _: &RedactionPolicy) -> Result<i64> {
        writes::create(w, input).map(|row| row.id())
    }

    fn update(w: &mut Write<'_>, id: i64, input: &Input<E>, rev: Option<i64>, _: &RedactionPolicy) -> Result<bool> {
        Ok(!writes::update(w, id, input, rev)?.changed.is_empty())
    }

    /// With `force` what cannot be without it retires with it, and the rest lets it go.
    fn retire(w: &mut Write<'_>, id: i64, force: bool) -> Result<()> {
        writes::retire::<E>(w, id, force).map(drop)
    }

    fn restore(w: &mut Write<'_>, id: i64) -> Result<()> {
        writes::restore::<E>(w, id, None).map(drop)
    }

    fn answer(c: &mut Conn, id: i64, policy: &RedactionPolicy) -> Result<Seen<E>> {
        let mut seen = [noun::get::<E>(c, id)?];
        about::name(c, &mut seen)?;
        about::log_disclosure(c, &seen, policy)?;
        let [seen] = seen;
        Ok(seen)
    }

    fn rev(shown: &Seen<E>) -> i64 {
        shown.row.rev()
    }

    fn warnings(c: &mut Conn, shown: &Seen<E>) -> Result<Vec<String>> {
        shown.row.warnings(c)
    }
}
