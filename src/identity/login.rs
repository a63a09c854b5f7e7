//! Signing in and out with a browser, and changing one's password.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{Identity, issue::BROWSER_SECONDS, model::User, pages, password, session_store::Kind, sign_in, store, tokens::given};
use crate::{
    auth::{Person, Verifier, Visitor, cookie},
    error::{Error, Result},
    types::Scope,
    web::{Fields, Peer, Prefix, Query, Web},
};

#[derive(Template)]
#[template(path = "identity/login.html")]
struct LoginPage<'a> {
    prefix: &'a str,
    next: &'a str,
    username: &'a str,
    problem: Option<String>,
}

/// `GET /login`
pub async fn form(Visitor(caller): Visitor, prefix: Prefix, query: Query) -> Result<Response> {
    let next = pages::local(query.get("next").unwrap_or_default());
    if caller.is_some() {
        return pages::to(&format!("{prefix}{next}"), None);
    }
    pages::page(StatusCode::OK, &LoginPage { prefix: prefix.as_str(), next, username: "", problem: None })
}

/// `POST /login`
pub async fn sign_in(
    State(web): State<Web>,
    Extension(identity): Extension<Identity>,
    prefix: Prefix,
    peer: Peer,
    fields: Fields,
) -> Result<Response> {
    let text = |name: &str| given(&fields, name).unwrap_or_default();
    let (username, next) = (text("username"), text("next"));
    match identity.sign_in(&username, text("password"), peer.ip, Kind::Browser, BROWSER_SECONDS).await {
        Ok((_, token)) => pages::signed_in(&token, &next, &prefix, &peer, web.config.server.public_url.as_deref()),
        Err(error @ (Error::Unauthorized(_) | Error::TooMany { .. })) => {
            let problem = Some(sentence(&error));
            let page = LoginPage { prefix: prefix.as_str(), next: pages::local(&next), username: &username, problem };
            let mut response = pages::page(error.status(), &page)?;
            if let Error::TooMany { retry_after } = error {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
            }
            Ok(response)
        }
        Err(other) => Err(other),
    }
}

fn sentence(error: &Error) -> String {
    match error {
        Error::TooMany { retry_after } => format!("Too many attempts. Try again in {retry_after} seconds."),
        _ => "The user name or the password is wrong.".to_owned(),
    }
}

/// `POST /logout`: the session ends here, whatever becomes of the cookie.
pub async fn sign_out(
    State(web): State<Web>,
    Extension(identity): Extension<Identity>,
    Extension(verifier): Extension<Arc<Verifier>>,
    headers: HeaderMap,
    prefix: Prefix,
    peer: Peer,
) -> Result<Response> {
    if let Some(token) = cookie::token(&headers)
        && let Ok(claims) = verifier.claims(token).await
    {
        identity.revoke(&claims).await?;
    }
    pages::signed_out(&prefix, &peer, web.config.server.public_url.as_deref())
}

/// `POST /account/password` (a form leads back to the account page), `PUT /api/my/password`.
pub async fn change_password(
    person: Person,
    Extension(identity): Extension<Identity>,
    peer: Peer,
    prefix: Prefix,
    fields: Fields,
) -> Result<Response> {
    let (old, new) = (given(&fields, "current_password")?, given(&fields, "new_password")?);
    if fields.has("repeat_password") && given(&fields, "repeat_password").ok().as_ref() != Some(&new) {
        return Err(Error::field("repeat_password", "must be the same as the new password"));
    }
    let user = identity.own_user(&person.user().sub).await?;
    password::check("new_password", &new, &user.username)?;
    identity.prove_password(&user, old, peer.ip).await?;
    identity.set_password(&sign_in::actor(&user), &user.username, new, person.user().jti.clone()).await?;
    if fields.is_form() {
        return pages::to(&format!("{prefix}/account?saved=password"), None);
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl Identity {
    async fn own_user(&self, subject: &str) -> Result<User> {
        let subject = subject.to_owned();
        self.db.read(&Scope::All, move |c| store::get_by_subject(c, &subject)).await
    }
}
