//! Where somebody is signed in, and ending that: one session, all others, or all of another person's.

use axum::{Extension, Json, http::StatusCode, response::Response};
use serde::Serialize;
use serde_json::json;

use super::{
    Identity,
    model::User,
    origin,
    session_store::{self, Session},
    sign_in, store,
};
use crate::{
    agents::PageContext,
    auth::{Admin, AdminPerson, Person, api_key_store, secret},
    error::{Error, Result},
    types::{Actor, Scope},
    ui::{Line, Page, Post, Table, Value},
    web::{Fields, Path, ReadRequest},
};

/// How much of a digest names a session.
const HANDLE: usize = 16;
/// How many a page shows at once.
const SHOWN: usize = 50;

/// A session as its person sees it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Session)]
pub struct SessionView {
    /// Names it here; the session's own id is in its token alone.
    id: String,
    /// `browser` or `api`.
    kind: String,
    /// Whether somebody else vouched for the person.
    single_sign_on: bool,
    browser: Option<String>,
    address: Option<String>,
    created_at: String,
    /// To the minute.
    last_used_at: Option<String>,
    expires_at: String,
    /// Whether it is the one that asks.
    current: bool,
}

fn handle(jti: &str) -> String {
    secret::hash(jti).chars().take(HANDLE).collect()
}

fn view(session: Session, own: Option<&str>) -> SessionView {
    SessionView {
        id: handle(&session.jti),
        browser: session.user_agent.as_deref().map(origin::browser).filter(|name| !name.is_empty()),
        current: own == Some(session.jti.as_str()),
        kind: session.kind,
        single_sign_on: session.method.is_some(),
        address: session.address,
        created_at: session.created_at,
        last_used_at: session.last_used_at,
        expires_at: session.expires_at,
    }
}

impl Identity {
    /// The sessions of a person that stand, the newest first; `own` is the one that asks.
    pub(super) async fn sessions_of(&self, id: i64, own: Option<&str>) -> Result<Vec<SessionView>> {
        let sessions = self.db.read(&Scope::All, move |c| session_store::of_user(c, id)).await?;
        Ok(sessions.into_iter().map(|session| view(session, own)).collect())
    }

    async fn own_sessions(&self, person: &Person) -> Result<Vec<SessionView>> {
        let user = self.own_user(&person.user().sub).await?;
        self.sessions_of(user.id, person.user().jti.as_deref()).await
    }

    /// Ends one session of a person.
    async fn end_session(&self, actor: &Actor, id: i64, session: String) -> Result<()> {
        let ended = self.db.write(&Scope::All, actor, move |w| {
            let sessions = session_store::of_user(w, id)?;
            let Some(found) = sessions.iter().find(|one| handle(&one.jti) == session) else { return Ok(false) };
            session_store::revoke(w, &found.jti)
        });
        if ended.await? { Ok(()) } else { Err(Error::NotFound { what: "Session" }) }
    }

    async fn end_own(&self, person: &Person, session: String) -> Result<()> {
        let user = self.own_user(&person.user().sub).await?;
        self.end_session(&sign_in::actor(&user), user.id, session).await
    }

    /// Ends every session of a person but one, and their API keys when that is asked for; how many sessions those were.
    pub(super) async fn end_all(&self, actor: &Actor, id: i64, except: Option<String>, keys: bool) -> Result<u64> {
        self.db
            .write(&Scope::All, actor, move |w| {
                let user = store::get(w, id)?;
                if keys {
                    api_key_store::revoke_all(w, &user.subject)?;
                }
                session_store::revoke_user(w, id, except.as_deref())
            })
            .await
    }

    async fn end_others(&self, person: &Person) -> Result<u64> {
        let user = self.own_user(&person.user().sub).await?;
        self.end_all(&sign_in::actor(&user), user.id, person.user().jti.clone(), false).await
    }

    /// The account whose sessions an administrator looks at.
    async fn account_of(&self, id: i64) -> Result<User> {
        let found = self.db.read(&Scope::All, move |c| store::get(c, id)).await;
        found.map_err(|error| match error {
            Error::NotFound { .. } => Error::NotFound { what: "Account" },
            other => other,
        })
    }
}

/// Whether a form or a request asks for the API keys to be revoked too.
pub(super) fn asks_for_keys(fields: &mut Fields) -> Result<bool> {
    let keys = fields.bool("revoke_keys").value();
    fields.clone().finish()?;
    Ok(keys.unwrap_or(false))
}

/// `GET /api/my/sessions`: all of them, the newest first.
pub async fn index(person: Person, Extension(identity): Extension<Identity>, request: ReadRequest) -> Result<Response> {
    request.value(&identity.own_sessions(&person).await?)
}

/// `DELETE /api/my/sessions/{session}`
pub async fn end(person: Person, Extension(identity): Extension<Identity>, Path(session): Path<String>) -> Result<StatusCode> {
    identity.end_own(&person, session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/my/sessions`: all but the one that asks.
pub async fn end_others(person: Person, Extension(identity): Extension<Identity>) -> Result<Json<serde_json::Value>> {
    Ok(Json(json!({ "ended": identity.end_others(&person).await? })))
}

/// `POST /account/sessions/{session}/end`
pub async fn end_form(
    person: Person,
    context: PageContext,
    Extension(identity): Extension<Identity>,
    Path(session): Path<String>,
) -> Result<Response> {
    identity.end_own(&person, session).await?;
    context.go("/settings", "The session has ended.")
}

/// `POST /account/sessions/end-others`
pub async fn end_others_form(person: Person, context: PageContext, Extension(identity): Extension<Identity>) -> Result<Response> {
    let words = match identity.end_others(&person).await? {
        0 => "You were not signed in anywhere else.".to_owned(),
        1 => "1 other session has ended.".to_owned(),
        many => format!("{many} other sessions have ended."),
    };
    context.go("/settings", &words)
}

/// `GET /api/accounts/{id}/sessions`
pub async fn of_account(
    caller: AdminPerson,
    Extension(identity): Extension<Identity>,
    Path(id): Path<i64>,
    request: ReadRequest,
) -> Result<Response> {
    identity.account_of(id).await?;
    request.value(&identity.sessions_of(id, caller.user().and_then(|own| own.jti.as_deref())).await?)
}

/// `DELETE /api/accounts/{id}/sessions/{session}`
pub async fn end_of_account(
    caller: AdminPerson,
    Extension(identity): Extension<Identity>,
    Path((id, session)): Path<(i64, String)>,
) -> Result<StatusCode> {
    identity.end_session(&caller.actor(), id, session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/accounts/{id}/sessions`: every one but that which asks, and with `revoke_keys` their API keys.
pub async fn end_all_of_account(
    caller: AdminPerson,
    Extension(identity): Extension<Identity>,
    Path(id): Path<i64>,
    mut fields: Fields,
) -> Result<Json<serde_json::Value>> {
    let keys = asks_for_keys(&mut fields)?;
    let user = identity.account_of(id).await?;
    Ok(Json(
        json!({ "ended": identity.end_all(&caller.actor(), user.id, caller.user().and_then(|own| own.jti.clone()), keys).await? }),
    ))
}

/// `POST /admin/users/{id}/sessions/{session}/end`
pub async fn end_of_user(
    _: Admin,
    context: PageContext,
    Extension(identity): Extension<Identity>,
    Path((id, session)): Path<(i64, String)>,
) -> Result<Response> {
    identity.end_session(&context.actor(), id, session).await?;
    context.go(&format!("/admin/users/{id}"), "The session has ended.")
}

/// `POST /admin/users/{id}/sessions/end`
pub async fn end_all_of_user(
    _: Admin,
    context: PageContext,
    Extension(identity): Extension<Identity>,
    Path(id): Path<i64>,
    mut fields: Fields,
) -> Result<Response> {
    let keys = asks_for_keys(&mut fields)?;
    let user = identity.account_of(id).await?;
    let own = context.caller.user().and_then(|own| own.jti.clone());
    identity.end_all(&context.actor(), id, own, keys).await?;
    let also = if keys { " Their API keys are revoked." } else { "" };
    context.go(&format!("/admin/users/{id}"), &format!("{} is signed out everywhere.{also}", user.username))
}

/// Sessions as a page shows them: `place` is the page, `end` where each is ended, and `from` the number of those before.
pub fn table(page: &Page, sessions: Vec<SessionView>, (place, end): (&str, &str), from: usize) -> Table {
    let line = |session: SessionView| {
        let program = if session.kind == "browser" { "Browser" } else { "API token" };
        let mut what = vec![Value::words(session.browser.unwrap_or_else(|| program.to_owned()))];
        if session.current {
            what.push(Value::badge("info", "This session"));
        } else if session.kind != "browser" {
            what.push(Value::badge("", "API token"));
        }
        if session.single_sign_on {
            what.push(Value::badge("", "Single sign-on"));
        }
        let cells = vec![
            Value::Many(what),
            Value::text(session.address.as_deref()),
            Value::ago(Some(&session.created_at)),
            if session.last_used_at.is_none() { Value::words("Never") } else { Value::ago(session.last_used_at.as_deref()) },
            Value::ago(Some(&session.expires_at)),
        ];
        let post = (!session.current).then(|| Post {
            action: page.url(&end.replace("{session}", &session.id)),
            label: "Sign out",
            confirm: String::new(),
            fields: Vec::new(),
        });
        Line { cells, post }
    };
    let next = from + SHOWN;
    let more = match (sessions.len() > next, from > 0) {
        (true, _) => Some((page.url(&format!("{place}?sessions_from={next}#sessions")), "Older sessions".to_owned())),
        (false, true) => Some((page.url(&format!("{place}#sessions")), "Newest sessions".to_owned())),
        (false, false) => None,
    };
    Table {
        label: "Where you are signed in",
        heads: vec![
            ("Browser", "cell--main"),
            ("From", "cell--sub"),
            ("Signed in", ""),
            ("Last used", "cell--sub"),
            ("Ends", ""),
        ],
        lines: sessions.into_iter().skip(from).take(SHOWN).map(line).collect(),
        empty: "No sessions.",
        more,
    }
}
