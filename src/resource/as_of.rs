//! Records and lists as they were at a moment, rebuilt from history: `?as_of=2026-11-01T00:00:00Z`.

use std::{cmp::Ordering, collections::HashMap, sync::Arc};

use axum::response::Response;
use serde::{Serialize, Serializer};

use super::{Resource, as_of_store as store};
use crate::{
    auth::Caller,
    compliance::RedactionPolicy,
    db::{
        Conn, Value,
        list::{Filter, ListQuery, ListSpec, Retired, Slice, Test},
    },
    entity::{Entity, Field, Holds, Kind, Members, Shaped, once::of_type},
    error::{Error, Result},
    history::{past_store, protection, retention},
    types::{Scope, fold, format_time, now},
    web::{AsOf, Query, ReadRequest, Web, list as lists},
};

/// The name of the parameter.
const NAME: &str = "as_of";
/// The same for the API description.
pub const PARAMETER: (&str, &str, &str) =
    (NAME, "string", "As it was at this moment: its own fields alone, rebuilt from history.");
/// Whose a row is.
const COMPANY: &str = "company_id";
/// The names under which answers and questions have it.
const COMPANY_NAMES: [&str; 2] = [COMPANY, "company_account_number"];

/// The moment that a request asks about, in the one form of times.
///
/// # Errors
/// `Invalid` for what is no time, or is in the future.
pub fn asked(query: &Query) -> Result<Option<String>> {
    let Some(text) = query.text(NAME)? else { return Ok(None) };
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let at: jiff::Timestamp =
        whole.parse().map_err(|_| Error::field(NAME, "must be a time with its zone, such as 2026-11-01T00:00:00Z"))?;
    let at = format_time(at);
    if at > now() {
        return Err(Error::field(NAME, "is in the future"));
    }
    Ok(Some(at))
}

/// A row as it was.
pub struct Was<E> {
    row: E,
    /// The number of its company.
    number: Option<String>,
    at: Arc<str>,
}

impl<E: Entity> Shaped for Was<E> {
    fn members() -> &'static Members<Self> {
        of_type::<E, Members<Self>>(|| {
            let all = Members::first(&["id", NAME])
                .member("id", Holds::INT, |was: &Self| was.row.id().into())
                .member(NAME, Holds::TEXT, |was| (&*was.at).into())
                .part(|was: &Self| &was.row);
            // A ticket has been made where it came from, and says so itself.
            let all = if Member::<E>::is_own("created_at") {
                all
            } else {
                all.member("created_at", Holds::TEXT, |was| was.row.created_at().into())
            };
            let all = all.member("retired_at", Holds::TEXT.or_null(), |was| was.row.retired_at().into());
            let all = if is_of_company::<E>() {
                COMPANY_NAMES
                    .into_iter()
                    .fold(all, |all, name| all.member(name, Holds::TEXT.or_null(), |was| was.number.as_deref().into()))
            } else {
                all
            };
            all.done()
        })
    }
}

impl<E: Entity> Serialize for Was<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        Self::members().write(self, serializer)
    }
}

fn is_of_company<E: Entity>() -> bool {
    E::COLUMNS.contains(&COMPANY)
}

/// The rows of a kind as they were, or one of them.
fn rebuilt<E: Entity>(c: &mut Conn, id: Option<i64>, at: &str) -> Result<Vec<E>> {
    refuse_before_history(c, E::ENTITY, at)?;
    let rows = store::rows::<E>(c, id)?;
    past_store::rewound(c, &past_store::after(at)?, id, rows)
}

/// Refuses a moment of which history does not tell.
///
/// # Errors
/// `Invalid`, which names the oldest moment that can be asked about.
fn refuse_before_history(c: &mut Conn, entity: &str, at: &str) -> Result<()> {
    if let Some(edge) = retention::kept(c)?.since {
        if at < edge.as_str() {
            let message = format!("older history was removed; the oldest moment that can be asked about is {edge}");
            return Err(Error::field(NAME, message));
        }
        return Ok(());
    }
    match store::began(c, entity)? {
        Some(began) if began.as_str() <= at => Ok(()),
        Some(began) => Err(Error::field(NAME, format!("is before history of this begins ({began})"))),
        None => Err(Error::field(NAME, "there is no history of this yet")),
    }
}

/// Refuses who is not told what was: history knows whose a record is, not whose it was to see.
fn allowed(caller: &Caller) -> Result<()> {
    if caller.is_staff() && caller.scope() == Scope::All {
        return Ok(());
    }
    let who = "technicians, administrators, services and keys that reach every company";
    Err(Error::Forbidden(format!("what records were is for {who}")))
}

/// The same for people's data, by today's policy; what is read of protected records is noted.
fn log<E: Entity>(c: &mut Conn, ids: Vec<i64>, policy: &RedactionPolicy) -> Result<()> {
    if !policy.sees_all() && protection::anybody(c)? {
        return Err(Error::Forbidden("what records were is read by somebody who may see protected records in full".to_owned()));
    }
    let protected = protection::among(c, E::ENTITY, ids)?;
    policy.log_disclosure(E::ENTITY, protected);
    Ok(())
}

fn numbered<E: Entity>(rows: Vec<E>, numbers: &HashMap<i64, String>, at: &Arc<str>) -> Vec<Was<E>> {
    let number = |row: &E| match E::field(COMPANY).map(|field| Value::from((field.read)(row))) {
        Some(Value::Int(id)) => numbers.get(&id).cloned(),
        _ => None,
    };
    rows.into_iter().map(|row| Was { number: number(&row), row, at: at.clone() }).collect()
}

fn marked(mut response: Response) -> Response {
    response.extensions_mut().insert(AsOf);
    response
}

/// A record as it was, when the request asks for that.
///
/// # Errors
/// `NotFound` for one that was not there yet.
pub async fn one<R: Resource>(web: &Web, caller: &Caller, key: R::Key, request: &ReadRequest) -> Result<Option<Response>> {
    record::<R::Row>(web, caller, request, move |c| R::id(c, &key), R::linked_then).await
}

/// What a record was linked with just before a moment, by the member that tells it.
type Linked = fn(&mut Conn, i64, &str) -> Result<Vec<(&'static str, Vec<i64>)>>;

/// Nothing is told of what a record was linked with.
pub fn unlinked(_: &mut Conn, _: i64, _: &str) -> Result<Vec<(&'static str, Vec<i64>)>> {
    Ok(Vec::new())
}

/// The same of a record that is found in its own way, with what it was linked with.
///
/// # Errors
/// `NotFound` for one that was not there yet.
pub async fn record<E: Entity>(
    web: &Web,
    caller: &Caller,
    request: &ReadRequest,
    find: impl FnOnce(&mut Conn) -> Result<i64> + Send + 'static,
    linked: Linked,
) -> Result<Option<Response>> {
    let Some(at) = asked(&request.query)? else { return Ok(None) };
    allowed(caller)?;
    let policy = RedactionPolicy::of(caller, &web.config, &request.query)?;
    let read = move |c: &mut Conn| {
        let id = find(c)?;
        let rows = rebuilt::<E>(c, Some(id), &at)?;
        log::<E>(c, vec![id], &policy)?;
        let numbers = store::numbers(c)?;
        let linked = linked(c, id, &past_store::after(&at)?)?;
        let was = numbered(rows, &numbers, &at.into()).pop();
        let was = was.ok_or(Error::NotFound { what: E::WHAT })?;
        let mut was = serde_json::to_value(was).map_err(Error::internal)?;
        for (name, ids) in linked {
            was[name] = ids.into();
        }
        Ok(was)
    };
    let was = web.db.read(&caller.scope(), read).await?;
    request.value(&was).map(marked).map(Some)
}

/// A list as it was, when the request asks for that; of one company, when the address names one.
///
/// # Errors
/// `Invalid` for what cannot be asked about the past.
pub async fn list<E: Entity>(
    web: &Web,
    caller: &Caller,
    request: &ReadRequest,
    spec: &'static ListSpec,
    company: Option<String>,
) -> Result<Option<Response>> {
    list_among::<E>(web, caller, request, spec, company, None).await
}

/// What tells some rows from others, once the moment is known (as the one after it).
pub type Find<E> = Box<dyn FnOnce(&mut Conn, &str) -> Result<Box<dyn Fn(&E) -> bool>> + Send>;

/// Which rows are meant, as the list itself finds them: by what its address names, or by parameters that it reads.
pub struct Among<E> {
    /// Tells them from others, for caches.
    pub key: String,
    /// The list's own parameters that are answered by this.
    pub answers: &'static [&'static str],
    /// Finds them.
    pub find: Find<E>,
}

/// The same of those rows alone that the list's room tells from others.
///
/// # Errors
/// As [`list`].
pub async fn list_among<E: Entity>(
    web: &Web,
    caller: &Caller,
    request: &ReadRequest,
    spec: &'static ListSpec,
    company: Option<String>,
    among: Option<Among<E>>,
) -> Result<Option<Response>> {
    let Some(at) = asked(&request.query)? else { return Ok(None) };
    allowed(caller)?;
    let policy = RedactionPolicy::of(caller, &web.config, &request.query)?;
    let query = request.list(spec)?;
    let (among, answers, find) = among.map_or_else(Default::default, |among| (among.key, among.answers, Some(among.find)));
    let asked = Asked::<E>::read(&query, &request.query, company.clone(), answers)?;
    let variant = format!("{NAME} {at}|{}|{:?}|{among}", policy.key(), asked.own);
    let known = Was::<E>::names();
    let load = move |c: &mut Conn, query: &ListQuery, rows: &mut lists::Rows| {
        let numbers = store::numbers(c)?;
        let is_known = |key: &String| numbers.iter().any(|(id, number)| fold(number) == fold(key) || id.to_string() == *key);
        if company.as_ref().is_some_and(|key| !is_known(key)) {
            return Err(Error::NotFound { what: "Company" });
        }
        let mut found = numbered(rebuilt::<E>(c, None, &at)?, &numbers, &at.clone().into());
        found.retain(|was| asked.means(query, was));
        if let Some(find) = find {
            let is_among = find(c, &past_store::after(&at)?)?;
            found.retain(|was| is_among(&was.row));
        }
        asked.sort(&mut found);
        let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
        let Slice { limit, offset } = query.slice().unwrap_or(Slice { limit: i64::MAX, offset: 0 });
        let [limit, offset] = [limit, offset].map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        let part: Vec<Was<E>> = found.into_iter().skip(offset).take(limit).collect();
        let shown: Vec<i64> = part.iter().map(|was| was.row.id()).collect();
        log::<E>(c, shown, &policy)?;
        part.iter().try_for_each(|was| rows.push(was))?;
        Ok(total)
    };
    lists::respond_as(web, &Scope::All, &variant, request, query, known, load).await.map(marked).map(Some)
}

/// What a question about the past is answered from: fields of the rows themselves.
#[derive(Clone, Copy)]
enum Member<E: 'static> {
    Id,
    CreatedAt,
    Company,
    Own(&'static Field<E>),
}

impl<E: Entity> Member<E> {
    /// Whether a row has a field of this name itself.
    fn is_own(name: &str) -> bool {
        E::FIELDS.iter().any(|field| field.spec.emitted == name)
    }

    fn named(name: &str) -> Option<Self> {
        match name {
            "id" => Some(Self::Id),
            "created_at" if !Self::is_own(name) => Some(Self::CreatedAt),
            name if COMPANY_NAMES.contains(&name) => is_of_company::<E>().then_some(Self::Company),
            name => E::FIELDS
                .iter()
                .find(|field| {
                    !E::SECRETS.contains(&field.spec.column)
                        && [field.spec.emitted, field.spec.name, field.spec.column].contains(&name)
                })
                .map(Self::Own),
        }
    }

    fn of(&self, was: &Was<E>) -> Value {
        match self {
            Self::Id => Value::Int(was.row.id()),
            Self::CreatedAt => was.row.created_at().into(),
            Self::Company => was.number.clone().map_or(Value::Null, Value::Text),
            Self::Own(field) => match (field.spec.kind, Value::from((field.read)(&was.row))) {
                #[expect(clippy::cast_precision_loss, reason = "amounts of money are far from that large")]
                (Kind::Decimal(places), Value::Int(parts)) => {
                    Value::Real(parts as f64 / 10_f64.powi(i32::try_from(places).unwrap_or(0)))
                }
                (_, value) => value,
            },
        }
    }
}

/// A question about the past.
struct Asked<E: 'static> {
    /// The parameters that the list reads itself, with what they must be.
    own: Vec<(&'static str, String)>,
    order: Vec<(&'static str, bool)>,
    of: std::marker::PhantomData<fn() -> E>,
}

impl<E: Entity> Asked<E> {
    fn read(query: &ListQuery, parameters: &Query, company: Option<String>, answered: &[&str]) -> Result<Self> {
        let cannot = |name: &str| Error::field(name, "cannot be asked together with as_of: history does not tell");
        if query.search().is_some() {
            return Err(cannot("q"));
        }
        if let Some(filter) = query.filters().find(|filter| Member::<E>::named(filter.column.name).is_none()) {
            return Err(cannot(filter.column.name));
        }
        if let Some(name) = query.asks_beside().next() {
            return Err(cannot(name));
        }
        let mut own: Vec<(&'static str, String)> = company.map(|number| (COMPANY, number)).into_iter().collect();
        for name in query.spec().own.iter().filter(|name| !answered.contains(name)) {
            let Some(value) = parameters.text(name)? else { continue };
            if Member::<E>::named(name).is_none() {
                return Err(cannot(name));
            }
            own.push((name, value.to_owned()));
        }
        let order: Vec<(&'static str, bool)> = query.sort().collect();
        if query.is_sorted()
            && let Some((name, _)) = order.iter().find(|(name, _)| Member::<E>::named(name).is_none())
        {
            return Err(cannot(name));
        }
        Ok(Self { own, order, of: std::marker::PhantomData })
    }

    /// Whether a row is one of those that are meant.
    fn means(&self, query: &ListQuery, was: &Was<E>) -> bool {
        let life = match query.retired() {
            Retired::Hide => was.row.retired_at().is_none(),
            Retired::Only => was.row.retired_at().is_some(),
            Retired::Include => true,
        };
        let same = |(name, wanted): &(&'static str, String)| {
            let is_id = COMPANY_NAMES.contains(name)
                && E::field(COMPANY).is_some_and(|field| Value::from((field.read)(&was.row)) == id(wanted));
            is_id || Member::<E>::named(name).is_some_and(|member| fold(&text(&member.of(was))) == fold(wanted))
        };
        life && self.own.iter().all(same) && query.filters().all(|filter| passes(filter, was))
    }

    fn sort(&self, rows: &mut [Was<E>]) {
        let order: Vec<(Member<E>, bool)> =
            self.order.iter().filter_map(|(name, descending)| Some((Member::named(name)?, *descending))).collect();
        rows.sort_by(|one, other| {
            let by = order.iter().map(|(member, descending)| {
                let (one, other) = (member.of(one), member.of(other));
                match (&one, &other) {
                    (Value::Null, Value::Null) => Ordering::Equal,
                    (Value::Null, _) => Ordering::Greater,
                    (_, Value::Null) => Ordering::Less,
                    _ if *descending => compared(&other, &one, true),
                    _ => compared(&one, &other, true),
                }
            });
            by.fold(Ordering::Equal, Ordering::then).then(one.row.id().cmp(&other.row.id()))
        });
    }
}

fn id(text: &str) -> Value {
    text.parse().map_or(Value::Null, Value::Int)
}

fn text(value: &Value) -> String {
    match value {
        Value::Null | Value::Ids(_) => String::new(),
        Value::Bool(yes) => yes.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.clone(),
    }
}

fn passes<E: Entity>(filter: &Filter, was: &Was<E>) -> bool {
    let Some(member) = Member::<E>::named(filter.column.name) else { return false };
    let (value, is_folded) = (member.of(was), filter.column.folded.is_some());
    let is_empty = matches!(&value, Value::Null) || matches!(&value, Value::Text(text) if text.is_empty());
    match &filter.test {
        Test::Empty(empty) => is_empty == *empty,
        Test::IsNot(_) if matches!(value, Value::Null) => true,
        Test::IsNot(Value::Text(other)) => fold(&text(&value)) != fold(other),
        Test::IsNot(other) => compared(&value, other, false) != Ordering::Equal,
        _ if matches!(value, Value::Null) => false,
        Test::Is(wanted) => compared(&value, wanted, false) == Ordering::Equal,
        Test::In(wanted) => wanted.iter().any(|wanted| compared(&value, wanted, false) == Ordering::Equal),
        Test::AtLeast(bound) => compared(&value, bound, is_folded) != Ordering::Less,
        Test::AtMost(bound) => compared(&value, bound, is_folded) != Ordering::Greater,
        Test::Contains(part) if is_folded => fold(&text(&value)).contains(&fold(part)),
        Test::Contains(part) => text(&value).to_ascii_lowercase().contains(&part.to_ascii_lowercase()),
    }
}

fn compared(one: &Value, other: &Value, is_folded: bool) -> Ordering {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) if is_folded => fold(one).cmp(&fold(other)),
        (Value::Text(one), Value::Text(other)) => one.cmp(other),
        (Value::Int(one), Value::Int(other)) => one.cmp(other),
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Real(one), Value::Real(other)) => one.total_cmp(other),
        _ => text(one).cmp(&text(other)),
    }
}
