//! The one-time link with which the first administrator signs in. There is no default password.

use axum::{Extension, extract::State, http::StatusCode, response::Response};

use super::{
    Identity, Token,
    issue::BROWSER_SECONDS,
    model::NewUser,
    origin::Origin,
    pages::{self, Door},
    password, people,
    session_store::{self, Kind},
    store,
    tokens::given,
};
use crate::{
    auth::{Level, secret},
    error::{Error, FieldError, Result},
    types::{Actor, Scope},
    ui::{Field, Theme},
    web::{Fields, Prefix, Query, Web},
};

/// How long a link can be used.
const LINK_SECONDS: i64 = 15 * 60;

impl Identity {
    /// A fresh link's token, as long as nobody can sign in who may do everything; each start prints one.
    pub async fn first_run_token(&self) -> Result<Option<String>> {
        if self.db.read(&Scope::All, store::has_admin).await? {
            return Ok(None);
        }
        let token = secret::random()?;
        let hash = secret::hash(&token);
        self.db.write(&Scope::All, &Actor::system("first run"), move |w| session_store::put_link(w, &hash, LINK_SECONDS)).await?;
        Ok(Some(token))
    }

    /// Uses the link up and makes the administrator: both or neither.
    async fn make_first_admin(&self, link: &str, new: NewUser, password: String, origin: Origin) -> Result<Token> {
        self.check_link(link).await?;
        let new = new.checked()?;
        password::check("password", &password, &new.username)?;
        let hash = password::hash(password).await?;
        self.publish_key().await?;
        let (identity, link, actor) = (self.clone(), secret::hash(link), Actor::system("first run"));
        self.db
            .write(&Scope::All, &actor, move |w| {
                if store::has_admin(w)? || !session_store::use_link(w, &link)? {
                    return Err(used_up());
                }
                let user = people::create(w, new, Some(&hash))?;
                identity.issue_user(w, &user, (Kind::Browser, BROWSER_SECONDS), Some(&origin))
            })
            .await
    }

    async fn check_link(&self, link: &str) -> Result<()> {
        let hash = secret::hash(link);
        let stands = self.db.read(&Scope::All, move |c| Ok(!store::has_admin(c)? && session_store::link_stands(c, &hash)?));
        if stands.await? { Ok(()) } else { Err(used_up()) }
    }
}

fn used_up() -> Error {
    Error::Gone {
        message: "This sign-in link has been used or is too old. Start Codex again for a fresh one, or sign in.".to_owned(),
        details: serde_json::Map::new(),
    }
}

/// The form for the first administrator, as it was filled in.
fn door(prefix: &Prefix, theme: &Theme, token: &str, new: &NewUser, errors: &[FieldError]) -> Door {
    let mut door = Door::new(prefix, theme, "First administrator", "/first-run", "Create the account");
    door.lead = "Nobody can sign in yet. This link makes the first account, once.";
    door.hidden.push(("token", token.to_owned()));
    let fields = vec![
        Field::text("username", "User name", &new.username).required().autocomplete("username"),
        Field::text("name", "Full name", &new.name).autocomplete("name"),
        Field::line("email", "email", "E-mail", &new.email).required().autocomplete("email"),
        Field::line("password", "password", "Password", "").required().autocomplete("new-password").hint(password::RULE),
    ];
    door.with(fields, errors)
}

/// `GET /first-run?token=…`
pub async fn form(Extension(identity): Extension<Identity>, prefix: Prefix, theme: Theme, query: Query) -> Result<Response> {
    let token = query.get("token").unwrap_or_default();
    identity.check_link(token).await?;
    pages::page(StatusCode::OK, &door(&prefix, &theme, token, &NewUser::default(), &[]))
}

/// `POST /first-run`
pub async fn create(
    State(web): State<Web>,
    Extension(identity): Extension<Identity>,
    prefix: Prefix,
    origin: Origin,
    theme: Theme,
    mut fields: Fields,
) -> Result<Response> {
    if !fields.has("username") {
        fields.alias("username", "name");
    }
    let text = |name: &str| given(&fields, name).unwrap_or_default();
    let token = text("token");
    let new = NewUser {
        username: text("username"),
        email: text("email"),
        name: text("name"),
        role: Level::Admin,
        ..NewUser::default()
    };
    let peer = origin.peer.clone();
    match identity.make_first_admin(&token, new.clone(), text("password"), origin).await {
        Ok(issued) => pages::signed_in(&issued, "/", &prefix, &peer, web.config.server.public_url.as_deref()),
        Err(Error::Invalid(wrong)) if fields.is_form() => {
            pages::page(StatusCode::BAD_REQUEST, &door(&prefix, &theme, &token, &new, &wrong))
        }
        Err(other) => Err(other),
    }
}
