//! The accounts of people who sign in here, managed as JSON by administrators: programs, whatever their rights, make no
//! people. `/api/users` keeps the meaning that neighbours know.

use axum::{
    Extension, Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

use serde_json::Value as JsonValue;

use super::{
    Identity,
    links::Link,
    model::{AccountView, COMPANY, NewUser, User},
    password, people, session_store, store,
};
use crate::{
    agents::users_api::{log_clients, seen},
    auth::{AdminPerson, Level},
    compliance::RedactionPolicy,
    db::{Conn, Write},
    error::{Error, Result},
    types::Scope,
    web::{
        Fields, Path, Peer, Preconditions, Prefix, ReadRequest, Reply, Sent, Web,
        openapi::{Schemas, schema as json},
    },
};

/// What a new account may be sent with.
pub fn new_body(_: &mut Schemas) -> JsonValue {
    let required = [("username", json::words(100)), ("email", email()), ("role", role())];
    let more = [
        ("name", name()),
        ("company_account_number", json::or_null(json::company())),
        ("enabled", json::flag()),
        ("password", password()),
    ];
    let mut body = json::with(json::object(&required), &more);
    // Whoever is a client belongs to a company.
    let others: Vec<&str> = Level::ALL.iter().filter(|level| **level != Level::Client).map(|level| level.as_str()).collect();
    let company =
        serde_json::json!({"required": ["company_account_number"], "properties": {"company_account_number": json::company()}});
    body["allOf"] = serde_json::json!([{"anyOf": [{"properties": {"role": {"enum": others}}}, company]}]);
    body
}

/// What an account may be changed to.
pub fn changed_body(_: &mut Schemas) -> JsonValue {
    json::optional(&[
        ("username", json::words(100)),
        ("email", email()),
        ("role", role()),
        ("name", name()),
        ("company_account_number", json::or_null(json::company())),
        ("enabled", json::flag()),
    ])
}

/// Empty stands for none, which is an invitation.
fn password() -> JsonValue {
    let text = serde_json::json!({"type": "string", "minLength": password::SHORTEST, "maxLength": password::LONGEST});
    serde_json::json!({"anyOf": [{"type": ["string", "null"], "maxLength": 0}, text]})
}

fn name() -> JsonValue {
    serde_json::json!({"type": ["string", "null"], "maxLength": 200})
}

fn email() -> JsonValue {
    serde_json::json!({"type": "string", "format": "email", "maxLength": 254})
}

fn role() -> JsonValue {
    json::choice(&Level::ALL.map(Level::as_str))
}

/// What a request says of an account.
struct AccountPatch {
    username: Sent<String>,
    email: Sent<String>,
    name: Sent<String>,
    role: Option<Level>,
    company: Sent<String>,
    enabled: Option<bool>,
}

impl AccountPatch {
    fn read(fields: &mut Fields, creating: bool) -> Self {
        fields.set_creating(creating);
        fields.alias("role", "permission_level");
        fields.alias("company_account_number", "company");
        let levels = Level::ALL.map(Level::as_str);
        Self {
            username: fields.text("username").required().max(100).get(),
            email: fields.text("email").required().max(254).get(),
            name: fields.text("name").max(200).get(),
            role: fields.text("role").required().one_of(&levels).value().and_then(|word| Level::find(&word)),
            company: fields.key("company_account_number").max(50).get(),
            enabled: fields.bool("enabled").not_null().value(),
        }
    }

    /// The account as it is with what was sent; only a client has a company.
    fn applied(self, c: &mut Conn, user: Option<&User>) -> Result<NewUser> {
        let mut new = user.map(NewUser::of).unwrap_or_default();
        self.username.store_value(&mut new.username);
        self.email.store_value(&mut new.email);
        if self.name.is_sent() {
            new.name = self.name.value().unwrap_or_default();
        }
        new.role = self.role.unwrap_or(new.role);
        if self.company.is_sent() {
            let company = self.company.value().map(|key| store::company_id(c, &key)).transpose();
            new.company_id = company.map_err(|_| Error::field("company_account_number", "there is no such company"))?;
        }
        if new.role != Level::Client {
            new.company_id = None;
        }
        new.checked().map_err(|error| match error {
            Error::Invalid(mut wrong) => {
                wrong.iter_mut().filter(|one| one.field == COMPANY).for_each(|one| one.field.push_str("_account_number"));
                Error::Invalid(wrong)
            }
            other => other,
        })
    }
}

/// Accounts as this administrator sees them: whose of protected clients they read is noted.
async fn told(web: &Web, caller: &AdminPerson, accounts: Vec<AccountView>) -> Result<Vec<AccountView>> {
    let users = seen(web, &caller.0, accounts.iter().map(|account| account.user.clone()).collect()).await?;
    Ok(accounts.into_iter().zip(users).map(|(account, user)| AccountView { user, ..account }).collect())
}

/// `GET /api/accounts`: everybody, by sign-in name.
pub async fn index(
    caller: AdminPerson,
    State(web): State<Web>,
    Extension(identity): Extension<Identity>,
    request: ReadRequest,
) -> Result<Response> {
    let accounts = identity.db.read(&Scope::All, |c| store::accounts(c, None)).await?;
    request.value(&told(&web, &caller, accounts).await?)
}

/// `GET /api/accounts/{id}`
pub async fn show(
    caller: AdminPerson,
    State(web): State<Web>,
    Extension(identity): Extension<Identity>,
    Path(id): Path<i64>,
    request: ReadRequest,
) -> Result<Response> {
    let accounts = identity.db.read(&Scope::All, move |c| store::accounts(c, Some(id))).await?;
    request.value(&told(&web, &caller, accounts).await?.pop().ok_or(Error::NotFound { what: "Account" })?)
}

/// `POST /api/accounts`: with a password, or else with a link for whoever it is about. The answer is the only one that has
/// the link.
pub async fn create(
    caller: AdminPerson,
    State(web): State<Web>,
    Extension(identity): Extension<Identity>,
    prefix: Prefix,
    peer: Peer,
    mut fields: Fields,
) -> Result<Response> {
    let sent = AccountPatch::read(&mut fields, true);
    let password = fields.raw_text("password").map(str::to_owned).filter(|password| !password.is_empty());
    if password.is_none() && !matches!(fields.map().get("password"), None | Some(JsonValue::Null | JsonValue::String(_))) {
        fields.refuse("password", "must be text");
    }
    fields.finish()?;
    let actor = caller.actor();
    let new = identity.db.read(&Scope::All, move |c| sent.applied(c, None)).await?;
    let user = identity.create(&actor, new, password.clone()).await?;
    let link = match password {
        Some(_) => None,
        None => {
            let link = identity.password_link(&actor, user.id).await?;
            let link = link.at(&prefix, &peer, web.config.server.public_url.as_deref());
            Some(link.mailed(&web.config, &user).await)
        }
    };
    let account = identity.db.read(&Scope::All, move |c| store::accounts(c, Some(user.id))).await?.pop();
    let mut body = serde_json::to_value(account).map_err(Error::internal)?;
    if let Some(link) = link {
        body["link"] = serde_json::to_value(link).map_err(Error::internal)?;
    }
    let headers =
        [(header::CACHE_CONTROL, "no-store".to_owned()), (header::LOCATION, format!("{prefix}/api/accounts/{}", user.id))];
    Ok((StatusCode::CREATED, headers, Json(body)).into_response())
}

/// `PUT` and `PATCH /api/accounts/{id}`: what was sent. Who is disabled is signed out at once.
pub async fn update(
    caller: AdminPerson,
    State(web): State<Web>,
    Path(id): Path<i64>,
    conditions: Preconditions,
    mut fields: Fields,
) -> Result<Response> {
    let digest = fields.digest();
    let sent = AccountPatch::read(&mut fields, false);
    fields.finish()?;
    let own = caller.user().map(|user| user.sub.clone());
    let policy = RedactionPolicy::of(&caller, &web.config, conditions.query())?;
    let request = conditions.clone();
    let work = move |w: &mut Write<'_>| {
        let user = store::get(w, id).map_err(|_| Error::NotFound { what: "Account" })?;
        request.check(id, user.rev)?;
        let (is_own, enabled) = (own.as_ref() == Some(&user.subject), sent.enabled);
        if is_own && enabled == Some(false) {
            return Err(Error::field("enabled", "is your own account; another administrator has to disable it"));
        }
        let new = sent.applied(w, Some(&user))?;
        if is_own && new.role != user.role {
            return Err(Error::field("role", "is your own; another administrator has to change it"));
        }
        people::free(w, &new, Some(id))?;
        store::update(w, id, &new)?;
        if let Some(enabled) = enabled {
            if !enabled {
                session_store::revoke_user(w, id, None)?;
            }
            store::set_enabled(w, id, enabled)?;
        }
        let account = store::accounts(w, Some(id))?.pop().ok_or(Error::NotFound { what: "Account" })?;
        log_clients(w, std::slice::from_ref(&account.user), &policy)?;
        Ok(Reply::ok(&account)?.tagged(id, account.rev))
    };
    conditions.run(&web, &Scope::All, &caller.actor(), &digest, work).await
}

/// `POST /api/accounts/{id}/password-link`: an invitation for who has no password yet, else a reset; shown this once.
pub async fn password_link(
    caller: AdminPerson,
    State(web): State<Web>,
    Extension(identity): Extension<Identity>,
    Path(id): Path<i64>,
    prefix: Prefix,
    peer: Peer,
) -> Result<Response> {
    let made = identity.password_link(&caller.actor(), id).await;
    let link: Link = made.map_err(|error| match error {
        Error::NotFound { .. } => Error::NotFound { what: "Account" },
        other => other,
    })?;
    let user = identity.db.read(&Scope::All, move |c| store::get(c, id)).await?;
    let link = link.at(&prefix, &peer, web.config.server.public_url.as_deref()).mailed(&web.config, &user).await;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(link)).into_response())
}
