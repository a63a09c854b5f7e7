//! The API keys of those who use Codex: what a new one may be, who may make and end which.

pub mod api;
pub mod pages;

use crate::web::openapi::schema as json;
use crate::{
    auth::{
        ApiKey, Caller, Reach, User, Verifier,
        api_key::{self, ACCESS, BEGINNING, Limits, PREFIX},
        api_key_store::{self as store, NewApiKey},
        secret,
    },
    db::Db,
    error::{Error, Result},
    types::{Actor, Scope},
    web::{Fields, Peer, Routes},
};

/// For how long a key is valid when nobody says so, and at most: in days.
pub const DAYS: (i64, i64) = (90, 1_096);
const DAY: i64 = 24 * 60 * 60;
/// The most companies that a key is limited to.
const MOST_COMPANIES: usize = 200;

/// The routes of keys.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/keys", api::index)
        .tells("List API keys, without the keys themselves", json::list::<ApiKey>)
        .post("/api/keys", api::create)
        .makes("Make an API key; only this answer holds it", |schemas| {
            json::with(json::one::<ApiKey>(schemas), &[("key", json::text())])
        })
        .takes(|_| {
            let name = json::object(&[("name", json::words(100))]);
            let some = |one: serde_json::Value| serde_json::json!({"type": ["array", "null"], "minItems": 1, "items": one});
            let more = [
                ("access", json::choice(&ACCESS)),
                ("types", some(json::choice(&api_key::types()))),
                ("companies", some(json::company())),
                ("expires_in_days", serde_json::json!({"type": "integer", "minimum": 1, "maximum": DAYS.1})),
                ("current_password", json::text()),
            ];
            json::closed(json::with(name, &more))
        })
        .get("/api/keys/{id}", api::show)
        .tells("Read what is known of an API key", json::one::<ApiKey>)
        .delete("/api/keys/{id}", api::revoke)
        .tells("Revoke an API key", json::one::<ApiKey>)
        .get("/account/keys/new", pages::new)
        .post("/account/keys/new", pages::create)
        .form("/account/keys/{id}/revoke", "/settings", pages::revoke_own)
        .get("/admin/keys", pages::all)
        .form("/admin/keys/{id}/revoke", "/admin/keys", pages::revoke_any)
}

/// What is asked for of a new key.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub name: String,
    pub writes: bool,
    pub types: Option<Vec<String>>,
    /// Account numbers, or ids.
    pub companies: Option<Vec<String>>,
    pub days: i64,
}

impl Wanted {
    /// Reads and checks what was sent, naming every wrong value. An empty list stands for no limit in a form, where nothing
    /// ticked is nothing said, and is refused elsewhere.
    ///
    /// # Errors
    /// `Invalid`.
    pub fn read(mut fields: Fields, reach: Reach) -> Result<Self> {
        let is_form = fields.is_form();
        fields.set_creating(true);
        let known: Vec<&str> = (reach.types)().iter().map(|(name, _)| *name).collect();
        let name = fields.text("name").required().max(100).value();
        let access = fields.text("access").not_null().one_of(&ACCESS).value();
        let all_known = |types: &Vec<String>| match types.iter().find(|kind| !known.contains(&kind.as_str())) {
            Some(kind) => Err(format!("has {kind:?}; it must be some of {}", known.join(", "))),
            None => not_empty(types, is_form),
        };
        let types = fields.text_list("types").check(all_known).value();
        let companies = fields.key_list("companies").max_items(MOST_COMPANIES).check(|list| not_empty(list, is_form)).value();
        let days = fields.int("expires_in_days").not_null().between(1, DAYS.1).value().unwrap_or(DAYS.0);
        fields.finish()?;
        let limit = |list: Option<Vec<String>>| list.filter(|list| !list.is_empty());
        Ok(Self {
            name: name.unwrap_or_default(),
            writes: access.as_deref() == Some(ACCESS[1]),
            types: limit(types),
            companies: limit(companies),
            days,
        })
    }
}

fn not_empty<T>(list: &[T], is_form: bool) -> Result<(), String> {
    if list.is_empty() && !is_form { Err("must name at least one; leave it out for no limit".to_owned()) } else { Ok(()) }
}

/// Whose a new key is.
#[derive(Clone, Debug)]
pub struct Owner {
    pub user: User,
    /// Whether Core knows them: then nobody but us keeps a row of them here.
    pub on_platform: bool,
}

/// Makes a key for this person. What is given back first is the key itself, which is kept nowhere.
///
/// # Errors
/// `Invalid` for a name that is taken or a company that there is not.
pub async fn make(db: &Db, actor: &Actor, owner: Owner, reach: Reach, wanted: Wanted) -> Result<(String, ApiKey)> {
    let Owner { user: owner, on_platform } = owner;
    let text = format!("{PREFIX}{}", secret::random()?);
    let digest = secret::hash(&text);
    let beginning = text.chars().take(BEGINNING).collect();
    let scope = Caller::User(owner.clone()).scope();
    let made = db.write(&scope, actor, move |w| {
        let companies = wanted.companies.map(|keys| {
            let ids = keys.iter().enumerate().map(|(at, key)| {
                let missing = || Error::field(format!("companies.{at}"), format!("there is no company {key}"));
                (reach.company)(w, key)?.ok_or_else(missing)
            });
            ids.collect::<Result<Vec<i64>>>()
        });
        if on_platform {
            super::store::remember(w, &owner)?;
        }
        let limits = Limits { writes: wanted.writes, types: wanted.types, companies: companies.transpose()? };
        let seconds = wanted.days * DAY;
        store::create(w, &NewApiKey { subject: owner.sub, name: wanted.name, limits, beginning, digest, seconds })
    });
    Ok((text, made.await?))
}

/// Asks again who it is that makes a key, which outlives their session, where people sign in here.
///
/// # Errors
/// `Invalid`, which names `current_password`; `TooMany`.
pub async fn reauthenticate(verifier: &Verifier, user: &User, fields: &Fields, peer: &Peer) -> Result<()> {
    let Some(reauthentication) = verifier.reauthentication() else { return Ok(()) };
    reauthentication.prove(user, fields.raw_text("current_password").map(str::to_owned), peer.ip).await
}

/// Ends a key at once: one's own, or anybody's where `subject` is none.
///
/// # Errors
/// `NotFound`, also for somebody else's.
pub async fn revoke(db: &Db, actor: &Actor, id: i64, subject: Option<String>) -> Result<ApiKey> {
    db.write(&Scope::All, actor, move |w| {
        is_of(&store::get(w, id)?, subject.as_deref())?;
        store::revoke(w, id)
    })
    .await
}

fn is_of(key: &ApiKey, subject: Option<&str>) -> Result<()> {
    if subject.is_none_or(|subject| subject == key.subject) { Ok(()) } else { Err(Error::NotFound { what: "API key" }) }
}
