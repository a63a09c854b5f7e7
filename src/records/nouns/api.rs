//! A noun as JSON.

use axum::{extract::State, response::Response};
use serde::Serialize;

use super::{about, any::OfNoun};
use crate::web::openapi::{Schemas, schema as json};
use crate::{
    auth::Reader,
    companies::store as companies,
    compliance::RedactionPolicy,
    db::{
        Conn,
        list::{ListQuery, Slice},
    },
    entity::{
        Noun, Seen,
        ending::{self, Days},
        noun::{self, Paths, RECORD, references},
        once::lasting,
        schema,
    },
    error::Result,
    resource::{Resource, api as resource, as_of},
    web::{Path, Query, ReadRequest, Routes, Web, list},
};

/// What can be asked about a noun and done to its rows.
pub fn routes<E: Noun>() -> Routes {
    let paths = Paths::of::<E>();
    let many = E::DOOR.many;
    let asks = |routes: Routes| match E::ENDS {
        Some(ends) => routes.asks(&[(ends.name, ending::ASKED, "in, ending, expired or unknown, or several of them.")]),
        None => routes,
    };
    let list = Routes::new()
        .get(paths.list, index::<E>)
        .tells(lasting(format!("List {many}")), json::list::<Seen<E>>)
        .asks(&[as_of::PARAMETER]);
    let routes = asks(list)
        .merge(resource::routes::<OfNoun<E>>(paths.list, paths.one, paths.restore))
        .get(paths.of_company, of_company::<E>)
        .tells(lasting(format!("List the {many} of a company")), json::list::<Seen<E>>);
    asks(routes)
}

/// A noun's company is sent by its number or its id; what a noun is about, by its kind and id.
const COMPANY: [&str; 2] = ["company_id", "company_account_number"];

/// What may be sent of a noun.
pub fn body<E: Noun>(schemas: &mut Schemas, creating: bool) -> serde_json::Value {
    let fields = match (creating, E::ONE_OF) {
        (false, _) => schema::changed::<E>(schemas),
        (true, []) => schema::new::<E>(schemas),
        (true, names) => json::with_one_of(schema::new::<E>(schemas), names),
    };
    let fields = if E::ABOUT.is_some() { json::with(fields, &[(RECORD.0, json::choice(&about::known::<E>()))]) } else { fields };
    if E::ABOUT.is_some() {
        return fields;
    }
    let body = json::with(fields, &COMPANY.map(|name| (name, json::company())));
    // Whose it is follows from what it refers to, when nobody says so.
    let places = references::<E>().filter(|(_, to)| !to.are_people).map(|(field, _)| field.spec.name);
    let needed: Vec<&str> = COMPANY.into_iter().chain(places).collect();
    let is_bound = references::<E>().any(|(field, to)| field.spec.is_required && !to.are_people);
    if creating && !is_bound { json::with_one_of(body, &needed) } else { body }
}

/// What a question asks of a noun's rows beside their columns.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Whose they are, by number or id.
    company: Option<String>,
    /// How it stands with their end.
    ends: Option<ending::Asked>,
}

impl Asked {
    /// Reads it.
    ///
    /// # Errors
    /// When a parameter is wrong, naming it.
    pub fn read<E: Noun>(query: &Query) -> Result<Self> {
        let company = query.text("company_account_number")?.or(query.text("company_id")?).map(str::to_owned);
        let ends = match E::ENDS {
            Some(ends) => ending::Asked::read(query, ends.name, ends.sql)?,
            None => None,
        };
        Ok(Self { company, ends })
    }

    /// The same of this company.
    #[must_use]
    pub fn of(self, company: String) -> Self {
        Self { company: Some(company), ..self }
    }

    /// The question, narrowed to that; rows of a company that there is not are none.
    pub fn narrow<E: Noun>(&self, c: &mut Conn, query: &ListQuery) -> Result<ListQuery> {
        let mut query = query.clone();
        if let Some(company) = &self.company {
            let id = companies::find_standing_id(c, company)?.unwrap_or_default();
            query = query.and(&format!("{}.company_id = {{}}", E::ENTITY), vec![id.into()]);
        }
        Ok(match &self.ends {
            Some(ends) => ends.narrow(query),
            None => query,
        })
    }

    /// What tells the answer from others to the same question: who sees what, and the day that says what ends.
    pub(super) fn variant<E: Noun>(&self, policy: &RedactionPolicy) -> String {
        let (who, day) = (policy.key(), E::ENDS.map(|_| Days::now()));
        format!("{:?}{:?}{who}{day:?}", self.company, self.ends)
    }
}

/// How many rows are read at once beside which something is put.
const SOME: i64 = 200;

/// Gives each row to the list. Of rows that are about others some are gathered first: what those are called stands in other
/// tables.
pub fn each<E: Noun>(c: &mut Conn, query: &ListQuery, policy: &RedactionPolicy, rows: &mut list::Rows) -> Result<i64> {
    each_as::<E, _>(c, query, policy, rows, |seen| seen)
}

/// The same, each row as what `shown` makes of it.
pub(super) fn each_as<E: Noun, T: Serialize>(
    c: &mut Conn,
    query: &ListQuery,
    policy: &RedactionPolicy,
    rows: &mut list::Rows,
    shown: impl Fn(Seen<E>) -> T,
) -> Result<i64> {
    let query = &about::by_shown::<E>(c, query.clone(), policy)?;
    if !about::is_gathered::<E>() {
        return query.each(c, |row| {
            let mut seen = noun::view::<E>(row)?;
            about::strike(&mut seen.row, policy);
            rows.push(&shown(seen))
        });
    }
    let asked = query.slice().unwrap_or(Slice { limit: i64::MAX, offset: 0 });
    let (mut given, mut total) = (0, 0);
    while given < asked.limit {
        let part = Slice { limit: SOME.min(asked.limit - given), offset: asked.offset + given };
        let mut found = query.clone().with_slice(Some(part)).run(c, noun::view::<E>)?;
        about::complete(c, &mut found.items, policy)?;
        let count = i64::try_from(found.items.len()).unwrap_or(i64::MAX);
        found.items.into_iter().try_for_each(|seen| rows.push(&shown(seen)))?;
        (given, total) = (given + count, found.total);
        if count < part.limit {
            break;
        }
    }
    Ok(total)
}

async fn index<E: Noun>(State(web): State<Web>, caller: Reader, request: ReadRequest) -> Result<Response> {
    let query = request.list(noun::list::<E>())?;
    let asked = Asked::read::<E>(&request.query)?;
    let policy = OfNoun::<E>::view(&caller, &web.config, &request.query)?;
    if let Some(was) = as_of::list::<E>(&web, &caller, &request, noun::list::<E>(), None).await? {
        return Ok(was);
    }
    let variant = asked.variant::<E>(&policy);
    list::respond(&web, &caller.scope(), &variant, &request, query, move |c, query, rows| {
        let query = asked.narrow::<E>(c, query)?;
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
    let asked = Asked::read::<E>(&request.query)?.of(acct.clone());
    let policy = OfNoun::<E>::view(&caller, &web.config, &request.query)?;
    if let Some(was) = as_of::list::<E>(&web, &caller, &request, noun::list::<E>(), Some(acct.clone())).await? {
        return Ok(was);
    }
    let variant = asked.variant::<E>(&policy);
    list::respond(&web, &caller.scope(), &variant, &request, query, move |c, query, rows| {
        companies::id_of(c, &acct)?;
        let query = asked.narrow::<E>(c, query)?;
        each::<E>(c, &query, &policy, rows)
    })
    .await
}
