//! Where somebody is signed in, and ending that: one session, or all others.

use axum::{Extension, Json, http::StatusCode, response::Response};
use serde::Serialize;
use serde_json::json;

use super::{
    Identity, origin,
    session_store::{self, Session},
    sign_in,
};
use crate::{
    agents::Frame,
    auth::{Person, secret},
    error::{Error, Result},
    types::Scope,
    ui::{Line, Page, Post, Table, Value},
    web::Path,
};

/// How much of a digest names a session.
const HANDLE: usize = 16;

/// A session as its person sees it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Session)]
pub struct SessionView {
    /// Names it here; the session's own id is in its token alone.
    id: String,
    /// `browser` or `api`.
    kind: String,
    browser: Option<String>,
    address: Option<String>,
    created_at: String,
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
        address: session.address,
        created_at: session.created_at,
        expires_at: session.expires_at,
    }
}

impl Identity {
    /// The sessions of a person that stand, the newest first.
    pub(super) async fn sessions(&self, person: &crate::auth::User) -> Result<Vec<SessionView>> {
        let user = self.own_user(&person.sub).await?;
        let sessions = self.db.read(&Scope::All, move |c| session_store::of_user(c, user.id)).await?;
        Ok(sessions.into_iter().map(|session| view(session, person.jti.as_deref())).collect())
    }

    /// Ends one session of a person.
    async fn end_session(&self, person: &Person, id: String) -> Result<()> {
        let user = self.own_user(&person.user().sub).await?;
        let actor = sign_in::actor(&user);
        let ended = self.db.write(&Scope::All, &actor, move |w| {
            let sessions = session_store::of_user(w, user.id)?;
            let Some(session) = sessions.iter().find(|session| handle(&session.jti) == id) else { return Ok(false) };
            session_store::revoke(w, &session.jti)
        });
        if ended.await? { Ok(()) } else { Err(Error::NotFound { what: "Session" }) }
    }

    /// Ends every session of a person but the one that asks; how many those were.
    async fn end_others(&self, person: &Person) -> Result<u64> {
        let user = self.own_user(&person.user().sub).await?;
        let (actor, own) = (sign_in::actor(&user), person.user().jti.clone());
        self.db.write(&Scope::All, &actor, move |w| session_store::revoke_user(w, user.id, own.as_deref())).await
    }
}

/// `GET /api/my/sessions`
pub async fn index(person: Person, Extension(identity): Extension<Identity>) -> Result<Json<Vec<SessionView>>> {
    identity.sessions(person.user()).await.map(Json)
}

/// `DELETE /api/my/sessions/{session}`
pub async fn end(person: Person, Extension(identity): Extension<Identity>, Path(session): Path<String>) -> Result<StatusCode> {
    identity.end_session(&person, session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/my/sessions`: all but the one that asks.
pub async fn end_others(person: Person, Extension(identity): Extension<Identity>) -> Result<Json<serde_json::Value>> {
    Ok(Json(json!({ "ended": identity.end_others(&person).await? })))
}

/// `POST /account/sessions/{session}/end`
pub async fn end_form(
    person: Person,
    frame: Frame,
    Extension(identity): Extension<Identity>,
    Path(session): Path<String>,
) -> Result<Response> {
    identity.end_session(&person, session).await?;
    frame.go("/settings", "The session has ended.")
}

/// `POST /account/sessions/end-others`
pub async fn end_others_form(person: Person, frame: Frame, Extension(identity): Extension<Identity>) -> Result<Response> {
    let words = match identity.end_others(&person).await? {
        0 => "You were not signed in anywhere else.".to_owned(),
        1 => "1 other session has ended.".to_owned(),
        many => format!("{many} other sessions have ended."),
    };
    frame.go("/settings", &words)
}

/// The sessions on the account page.
pub fn table(page: &Page, sessions: Vec<SessionView>) -> Table {
    let line = |session: SessionView| {
        let program = if session.kind == "browser" { "Browser" } else { "API token" };
        let mut what = vec![Value::words(session.browser.unwrap_or_else(|| program.to_owned()))];
        if session.current {
            what.push(Value::badge("info", "This session"));
        } else if session.kind != "browser" {
            what.push(Value::badge("", "API token"));
        }
        let cells = vec![
            Value::Many(what),
            Value::text(session.address.as_deref()),
            Value::ago(Some(&session.created_at)),
            Value::ago(Some(&session.expires_at)),
        ];
        let post = (!session.current).then(|| Post {
            action: page.url(&format!("/account/sessions/{}/end", session.id)),
            label: "Sign out",
            confirm: String::new(),
            fields: Vec::new(),
        });
        Line { cells, post }
    };
    Table {
        label: "Where you are signed in",
        heads: vec![("Browser", "cell--main"), ("From", ""), ("Signed in", "cell--sub"), ("Ends", "cell--sub")],
        lines: sessions.into_iter().map(line).collect(),
        empty: "No sessions.",
        more: None,
    }
}
