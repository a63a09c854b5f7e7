//! Signing in and out with a browser, and changing one's password.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};

use super::{
    Identity,
    issue::BROWSER_SECONDS,
    origin::Origin,
    pages::{self, Door},
    session_store::{self, Kind},
    sign_in::SignedIn,
    sso,
    tokens::given,
};
use crate::{
    auth::{Verifier, Visitor, cookie},
    config::LocalSignIn,
    error::{Error, Result},
    types::Scope,
    ui::{Field, Theme},
    web::{Fields, Peer, Prefix, Query, Web},
};

/// The sign-in form, as it was filled in.
pub fn door(identity: &Identity, prefix: &Prefix, theme: &Theme, next: &str, username: &str) -> Door {
    let mut door = Door::new(prefix, theme, "Sign in", "/login", "Sign in");
    if let Some(oidc) = &identity.config.oidc {
        let next = percent_encoding::utf8_percent_encode(pages::local(next), percent_encoding::NON_ALPHANUMERIC);
        door.links.push((door.page.url(&format!("/login/sso?next={next}")), format!("Sign in with {}", oidc.name)));
        if oidc.local_sign_in == LocalSignIn::Nobody {
            return door;
        }
    }
    door.hidden.push(("next", pages::local(next).to_owned()));
    let name = Field::text("username", "User name or e-mail", username).required().autocomplete("username");
    let password = Field::line("password", "password", "Password", "").required().autocomplete("current-password");
    let mut door = door.with(vec![name, password], &[]);
    if !username.is_empty() {
        door.fields.iter_mut().for_each(|field| field.autofocus = field.name == "password");
    }
    door
}

/// `GET /login`
pub async fn form(
    Visitor(caller): Visitor,
    Extension(identity): Extension<Identity>,
    prefix: Prefix,
    theme: Theme,
    query: Query,
) -> Result<Response> {
    let next = pages::local(query.get("next").unwrap_or_default());
    if caller.is_some() {
        return pages::to(&format!("{prefix}{next}"), None);
    }
    let mut door = door(&identity, &prefix, &theme, next, "");
    if query.get("signed_out").is_some() {
        door.note = "You are signed out.";
    }
    if query.get("password_set").is_some() {
        door.note = "Your password is set. Sign in with it.";
    }
    pages::page(StatusCode::OK, &door)
}

/// `POST /login`
pub async fn sign_in(
    State(web): State<Web>,
    Extension(identity): Extension<Identity>,
    prefix: Prefix,
    origin: Origin,
    theme: Theme,
    fields: Fields,
) -> Result<Response> {
    let text = |name: &str| given(&fields, name).unwrap_or_default();
    let (username, next) = (text("username"), text("next"));
    let wanted = (Kind::Browser, BROWSER_SECONDS);
    match identity.sign_in(&username, (text("password"), None), &origin, wanted).await {
        Ok(SignedIn::Token(token)) => {
            pages::signed_in(&token, &next, &prefix, &origin.peer, web.config.server.public_url.as_deref())
        }
        Ok(SignedIn::NeedsCode(challenge)) => pages::page(StatusCode::OK, &code_door(&prefix, &theme, &next, &challenge)),
        Err(error @ (Error::Unauthorized(_) | Error::Forbidden(_) | Error::TooMany { .. })) => {
            refused(door(&identity, &prefix, &theme, &next, &username), &error)
        }
        Err(other) => Err(other),
    }
}

/// The same form again, with why it was refused.
fn refused(mut door: Door, error: &Error) -> Result<Response> {
    door.problems.push(pages::refusal(error));
    let mut response = pages::page(error.status(), &door)?;
    if let Error::TooMany { retry_after } = error {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*retry_after));
    }
    Ok(response)
}

/// The form for the code of the second factor.
fn code_door(prefix: &Prefix, theme: &Theme, next: &str, challenge: &str) -> Door {
    let mut door = Door::new(prefix, theme, "Two-step sign-in", "/login/code", "Sign in");
    door.lead = "Enter the six digits that your authenticator app shows, or a recovery code.";
    door.hidden.push(("next", pages::local(next).to_owned()));
    door.hidden.push(("challenge", challenge.to_owned()));
    door.with(vec![Field::text("code", "Code", "").required().autocomplete("one-time-code")], &[])
}

/// `POST /login/code`
pub async fn code(
    State(web): State<Web>,
    Extension(identity): Extension<Identity>,
    prefix: Prefix,
    origin: Origin,
    theme: Theme,
    fields: Fields,
) -> Result<Response> {
    let text = |name: &str| given(&fields, name).unwrap_or_default();
    let (challenge, next) = (text("challenge"), text("next"));
    let wanted = (Kind::Browser, BROWSER_SECONDS);
    match identity.sign_in_with_code(&challenge, &text("code"), &origin, wanted).await {
        Ok(token) => pages::signed_in(&token, &next, &prefix, &origin.peer, web.config.server.public_url.as_deref()),
        Err(error @ Error::Unauthorized(_)) => {
            let mut door = code_door(&prefix, &theme, &next, &challenge);
            door.problems.push("The code is wrong.".to_owned());
            pages::page(error.status(), &door)
        }
        Err(error @ Error::TooMany { .. }) => refused(code_door(&prefix, &theme, &next, &challenge), &error),
        Err(Error::Gone { message, .. }) => {
            let mut door = door(&identity, &prefix, &theme, &next, "");
            door.problems.push(message);
            pages::page(StatusCode::GONE, &door)
        }
        Err(other) => Err(other),
    }
}

/// `POST /logout`: the session ends here, whatever becomes of the cookie, and at the provider if it was opened there.
pub async fn sign_out(
    State(web): State<Web>,
    Extension(identity): Extension<Identity>,
    Extension(verifier): Extension<Arc<Verifier>>,
    headers: HeaderMap,
    prefix: Prefix,
    peer: Peer,
    theme: Theme,
) -> Result<Response> {
    let public_url = web.config.server.public_url.as_deref();
    if let Some(token) = cookie::token(&headers)
        && let Ok(claims) = verifier.claims(token).await
    {
        let jti = claims.jti.clone().unwrap_or_default();
        let over_provider = identity.db.read(&Scope::All, move |c| session_store::single_sign_on(c, &jti)).await?.is_some();
        identity.revoke(&claims).await?;
        if over_provider
            && let Some(oidc) = &identity.config.oidc
            && let Some(address) = identity.end_at_provider(&pages::base(&prefix, &peer, public_url)).await
        {
            let gone = cookie::clear(prefix.as_str(), pages::is_secure(&peer, public_url));
            return sso::leave(&prefix, &theme, (&oidc.name, address), &gone);
        }
    }
    pages::signed_out(&prefix, &peer, public_url)
}
