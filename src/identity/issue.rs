//! Issues tokens: a signed text for the caller, a session row for ourselves.

use super::{
    Identity,
    model::User,
    origin::Origin,
    session_store::{self, Holder, Kind},
};
use crate::{
    auth::{Issued, secret},
    db::Write,
    error::Result,
    types::{Actor, Scope},
};

/// How long a browser stays signed in.
pub const BROWSER_SECONDS: i64 = 12 * 60 * 60;
/// How long a token from `POST /api/token` lasts.
pub const API_SECONDS: i64 = 24 * 60 * 60;
/// How long a token from `POST /service-token` lasts, as Core's do.
pub const SERVICE_SECONDS: i64 = 300;

/// A token on its way out.
#[derive(Clone)]
pub struct Token {
    /// The signed text.
    pub text: String,
    /// The session behind it.
    pub jti: String,
    /// How long it lasts.
    pub seconds: i64,
}

impl Identity {
    /// A token for a person. The session is opened in the caller's transaction, so that it exists only
    /// if whatever else happens there (a password change, a used link) happens too.
    pub(super) fn issue_user(
        &self,
        w: &mut Write<'_>,
        user: &User,
        (kind, seconds): (Kind, i64),
        origin: Option<&Origin>,
    ) -> Result<Token> {
        let jti = secret::random()?;
        session_store::open(w, &jti, &Holder::User(user.id), kind, seconds, origin)?;
        let claims = Issued {
            sub: &user.subject,
            name: Some(if user.name.is_empty() { &user.username } else { &user.name }),
            email: Some(&user.email),
            preferred_username: Some(&user.username),
            permission_level: Some(user.role),
            ..self.claims(&jti, seconds)
        };
        let text = self.signer.sign(&claims)?;
        Ok(Token { text, jti, seconds })
    }

    /// A token for a service, to be shown to `target`.
    pub async fn issue_service(&self, actor: &Actor, name: &str, target: &str, seconds: i64) -> Result<Token> {
        self.publish_key().await?;
        let jti = secret::random()?;
        let sub = format!("service:{name}");
        let claims = Issued {
            sub: &sub,
            kind: Some("service"),
            calling_service: Some(name),
            target_service: Some(target),
            ..self.claims(&jti, seconds)
        };
        let text = self.signer.sign(&claims)?;
        let (session, holder) = (jti.clone(), Holder::Service(name.to_owned()));
        self.db
            .write(&Scope::All, actor, move |w| session_store::open(w, &session, &holder, Kind::Service, seconds, None))
            .await?;
        Ok(Token { text, jti, seconds })
    }

    fn claims<'a>(&'a self, jti: &'a str, seconds: i64) -> Issued<'a> {
        let iat = jiff::Timestamp::now().as_second();
        Issued { iss: &self.issuer, jti, iat, exp: iat + seconds, ..Issued::default() }
    }
}
