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
    session_store::Kind,
    sign_in::SignedIn,
    tokens::given,
};
use crate::{
    auth::{Verifier, Visitor, cookie},
    error::{Error, Result},
    ui::{Field, Look},
    web::{Fields, Peer, Prefix, Query, Web},
};

/// The sign-in form, as it was filled in.
fn door(prefix: &Prefix, look: &Look, next: &str, username: &str) -> Door {
    let mut door = Door::new(prefix, look, "Sign in", "/login", "Sign in");
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
pub async fn form(Visitor(caller): Visitor, prefix: Prefix, look: Look, query: Query) -> Result<Response> {
    let next = pages::local(query.get("next").unwrap_or_default());
    if caller.is_some() {
        return pages::to(&format!("{prefix}{next}"), None);
    }
    let mut door = door(&prefix, &look, next, "");
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
    look: Look,
    fields: Fields,
) -> Result<Response> {
    let text = |name: &str| given(&fields, name).unwrap_or_default();
    let (username, next) = (text("username"), text("next"));
    let wanted = (Kind::Browser, BROWSER_SECONDS);
    match identity.sign_in(&username, (text("password"), None), &origin, wanted).await {
        Ok(SignedIn::Token(token)) => {
            pages::signed_in(&token, &next, &prefix, &origin.peer, web.config.server.public_url.as_deref())
        }
        Ok(SignedIn::NeedsCode(challenge)) => pages::page(StatusCode::OK, &code_door(&prefix, &look, &next, &challenge)),
        Err(error @ (Error::Unauthorized(_) | Error::TooMany { .. })) => refused(door(&prefix, &look, &next, &username), &error),
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
fn code_door(prefix: &Prefix, look: &Look, next: &str, challenge: &str) -> Door {
    let mut door = Door::new(prefix, look, "Two-step sign-in", "/login/code", "Sign in");
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
    look: Look,
    fields: Fields,
) -> Result<Response> {
    let text = |name: &str| given(&fields, name).unwrap_or_default();
    let (challenge, next) = (text("challenge"), text("next"));
    let wanted = (Kind::Browser, BROWSER_SECONDS);
    match identity.sign_in_with_code(&challenge, &text("code"), &origin, wanted).await {
        Ok(token) => pages::signed_in(&token, &next, &prefix, &origin.peer, web.config.server.public_url.as_deref()),
        Err(error @ Error::Unauthorized(_)) => {
            let mut door = code_door(&prefix, &look, &next, &challenge);
            door.problems.push("The code is wrong.".to_owned());
            pages::page(error.status(), &door)
        }
        Err(error @ Error::TooMany { .. }) => refused(code_door(&prefix, &look, &next, &challenge), &error),
        Err(Error::Gone { message, .. }) => {
            let mut door = door(&prefix, &look, &next, "");
            door.problems.push(message);
            pages::page(StatusCode::GONE, &door)
        }
        Err(other) => Err(other),
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
