//! One-time links with which somebody sets their password themselves: an invitation for who has none yet, else a reset. An
//! administrator makes them and passes them on.

use askama::Template;
use axum::{
    Extension,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Serialize;

use super::{
    Identity, link_store,
    model::User,
    pages::{self, Door},
    password, people_pages, session_store, store,
    tokens::given,
};
use crate::{
    agents::PageContext,
    auth::{Admin, api_key_store, secret},
    config::Config,
    error::{Error, FieldError, Result},
    mail::{self, Letter},
    types::{Actor, Scope},
    ui::{Crumb, Field, Page, Section, Theme, Value, filters},
    web::{Fields, Path, Peer, Prefix, Query, Web},
};

/// How long an invitation can be used.
const INVITATION: i64 = 7 * 24 * 60 * 60;
/// How long a reset can be used.
const RESET: i64 = 24 * 60 * 60;

/// A link on its way out: it is shown this once.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Link {
    /// `invitation` or `reset`.
    pub kind: &'static str,
    /// The whole address; left out when it was sent to whom it is for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
    pub expires_at: String,
    /// Where it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_to: Option<String>,
    /// Why it could not be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail_error: Option<String>,
    #[serde(skip)]
    token: String,
}

impl Link {
    /// The same with the address under which people reach us.
    #[must_use]
    pub fn at(mut self, prefix: &Prefix, peer: &Peer, public_url: Option<&str>) -> Self {
        self.url = format!("{}/set-password?token={}", pages::base(prefix, peer, public_url), self.token);
        self
    }

    /// Sends the link to whom it is for, where mail is set up: then nobody else sees it. What the server does not take is
    /// shown to the administrator as without mail.
    pub async fn mailed(mut self, config: &Config, user: &User) -> Self {
        let Some(mail) = &config.mail else { return self };
        let (subject, lead, lasts) = match self.kind {
            "reset" => ("Reset your Codex password", "An administrator has sent you a link to set a new password.", "24 hours"),
            _ => ("Your Codex account", "An administrator has made an account for you. Set your password to sign in.", "7 days"),
        };
        let text = format!(
            "{lead}\n\nUser name: {}\n\n{}\n\nThe link works once, for {lasts}. If you did not expect this mail, ignore it.\n",
            user.username, self.url
        );
        match mail::send(mail, &Letter { to: user.email.clone(), subject: subject.to_owned(), text }).await {
            Ok(()) => {
                self.url.clear();
                self.sent_to = Some(user.email.clone());
            }
            Err(fault) => {
                tracing::warn!(user = user.id, "a password link could not be sent by mail; it was shown instead");
                self.mail_error = Some(fault.message);
            }
        }
        self
    }
}

impl Identity {
    /// A fresh link for a person; the ones they had are good no more.
    pub async fn password_link(&self, actor: &Actor, id: i64) -> Result<Link> {
        let token = secret::random()?;
        let hash = secret::hash(&token);
        let made = self.db.write(&Scope::All, actor, move |w| {
            let user = store::get(w, id)?;
            if !user.enabled {
                return Err(Error::conflict(format!("{} is disabled", user.username)));
            }
            let kind = if user.password_changed_at.is_some() { "reset" } else { "invitation" };
            let expires_at = link_store::put(w, &hash, id, if kind == "reset" { RESET } else { INVITATION })?;
            store::note_link(w, id, kind, &expires_at)?;
            Ok((kind, expires_at))
        });
        let (kind, expires_at) = made.await?;
        Ok(Link { kind, url: String::new(), expires_at, sent_to: None, mail_error: None, token })
    }

    /// Whose link it is: their sign-in name.
    async fn link_name(&self, token: &str) -> Result<String> {
        let hash = secret::hash(token);
        let found = self.db.read(&Scope::All, move |c| {
            let id = link_store::find(c, &hash)?;
            id.map(|id| store::get(c, id).map(|user| user.username)).transpose()
        });
        found.await?.ok_or_else(used_up)
    }

    /// Uses a link up: the person has this password from now on, is signed in nowhere, and has no API keys.
    async fn use_link(&self, token: &str, password: String) -> Result<()> {
        let name = self.link_name(token).await?;
        password::check("password", &password, &name)?;
        let (hash, password) = (secret::hash(token), password::hash(password).await?);
        self.db
            .write(&Scope::All, &Actor { kind: crate::types::ActorKind::User, ..Actor::system(&name) }, move |w| {
                let id = link_store::find(w, &hash)?.ok_or_else(used_up)?;
                store::set_password(w, id, &password)?;
                let user = store::get(w, id)?;
                api_key_store::revoke_all(w, &user.subject)?;
                session_store::revoke_user(w, id, None).map(|_| ())
            })
            .await
    }
}

fn used_up() -> Error {
    Error::Gone {
        message: "This link has been used or is too old. Ask an administrator for a new one.".to_owned(),
        details: serde_json::Map::new(),
    }
}

fn door(prefix: &Prefix, theme: &Theme, token: &str, name: &str, errors: &[FieldError]) -> Door {
    let mut door = Door::new(prefix, theme, "Set your password", "/set-password", "Set password");
    door.lead = "This link works once. You sign in with the new password afterwards.";
    door.hidden.push(("token", token.to_owned()));
    let fields = vec![
        Field::text("username", "User name", name).autocomplete("username"),
        Field::line("password", "password", "New password", "").required().autocomplete("new-password").hint(password::RULE),
        Field::line("password", "repeat_password", "Confirm password", "").required().autocomplete("new-password"),
    ];
    let mut door = door.with(fields, errors);
    if errors.is_empty() {
        door.fields.iter_mut().for_each(|field| field.autofocus = field.name == "password");
    }
    door
}

/// `GET /set-password?token=…`
pub async fn form(Extension(identity): Extension<Identity>, prefix: Prefix, theme: Theme, query: Query) -> Result<Response> {
    let token = query.get("token").unwrap_or_default();
    let name = identity.link_name(token).await?;
    pages::page(StatusCode::OK, &door(&prefix, &theme, token, &name, &[]))
}

/// `POST /set-password`
pub async fn set(Extension(identity): Extension<Identity>, prefix: Prefix, theme: Theme, fields: Fields) -> Result<Response> {
    let text = |name: &str| given(&fields, name).unwrap_or_default();
    let (token, password) = (text("token"), text("password"));
    let differs = text("repeat_password") != password;
    let done = match identity.link_name(&token).await {
        Ok(_) if differs => Err(Error::field("repeat_password", "must be the same as the new password")),
        Ok(_) => identity.use_link(&token, password).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => pages::to(&format!("{prefix}/login?password_set=1"), None),
        Err(Error::Invalid(wrong)) if fields.is_form() => {
            let name = identity.link_name(&token).await?;
            pages::page(StatusCode::BAD_REQUEST, &door(&prefix, &theme, &token, &name, &wrong))
        }
        Err(other) => Err(other),
    }
}

#[derive(Template)]
#[template(path = "identity/link.html")]
struct LinkPage {
    page: Page,
    crumbs: Vec<Crumb>,
    lead: String,
    problem: Option<String>,
    link: Value,
    back: String,
}

/// A page that shows a link, this once.
pub fn shown(context: &PageContext, status: StatusCode, id: i64, name: &str, link: &Link) -> Result<Response> {
    if let Some(address) = &link.sent_to {
        return context.go(&format!("/admin/users/{id}"), &format!("The link was sent to {address}."));
    }
    let (title, lead) = match link.kind {
        "reset" => ("Password reset link", format!("Send this link to {name}. It works once, for 24 hours.")),
        _ => ("Invitation link", format!("Send this link to {name}. It works once, for 7 days.")),
    };
    let page = context.titled(Section::Admin, title);
    let view = LinkPage {
        crumbs: people_pages::crumbs(&page, true),
        lead,
        problem: link.mail_error.as_ref().map(|why| format!("The mail was not sent: {why}")),
        link: Value::code(Some(&link.url)),
        back: page.url(&format!("/admin/users/{id}")),
        page,
    };
    let mut response = context.show_as(status, &view)?;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// `POST /admin/users/{id}/link`
pub async fn make(
    _: Admin,
    context: PageContext,
    State(web): State<Web>,
    Extension(identity): Extension<Identity>,
    Path(id): Path<i64>,
    prefix: Prefix,
    peer: Peer,
) -> Result<Response> {
    let user = identity.db.read(&Scope::All, move |c| store::get(c, id)).await?;
    let link = identity.password_link(&context.actor(), id).await?;
    let link = link.at(&prefix, &peer, web.config.server.public_url.as_deref()).mailed(&web.config, &user).await;
    shown(&context, StatusCode::OK, id, &user.username, &link)
}
