//! Signing out at the provider ends what it has opened here: `OpenID` Connect Back-Channel Logout 1.0.
//!
//! The provider calls by itself, without a browser. What it says is believed by its signature alone.

use axum::{
    Extension,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{Identity, id_token::Logout, session_store, sso_store};
use crate::{
    db::Write,
    error::{Error, Result},
    types::{Actor, Scope, format_time},
    web::Fields,
};

/// How far the provider's clock may be behind ours, in seconds, for a session still to be older than what ends it.
const LEEWAY: i64 = 60;
/// The longest token that is looked at.
const LONGEST: usize = 16 * 1024;

/// `POST /oidc/backchannel-logout`: ends the sessions that a logout token names. What was opened after the token was made stays,
/// so that one that is sent again ends nothing new.
///
/// # Errors
/// `BadRequest` for a token that does not hold (§2.8), `NotFound` without a provider, `Unavailable` when its keys cannot be had.
pub async fn end(Extension(identity): Extension<Identity>, mut fields: Fields) -> Result<Response> {
    let provider = identity.provider()?;
    fields.set_creating(true);
    let token = fields.text("logout_token").required().max(LONGEST).value().unwrap_or_default();
    fields.finish()?;
    let document = provider.document().await?;
    let logout = provider.logout(&document, &token).await?;
    let issuer = document.issuer.clone();
    let ended = identity.db.write(&Scope::All, &Actor::system("single sign-on"), move |w| revoke(w, &issuer, &logout)).await?;
    tracing::info!(ended, "the provider of single sign-on has ended sessions");
    Ok((StatusCode::OK, [(header::CACHE_CONTROL, "no-store")]).into_response())
}

fn revoke(w: &mut Write<'_>, issuer: &str, logout: &Logout) -> Result<u64> {
    let at = jiff::Timestamp::from_second(logout.issued_at.saturating_add(LEEWAY))
        .map_err(|_| Error::BadRequest("iat is no time".to_owned()))?;
    let user = match &logout.subject {
        // Somebody who has never been here has nothing to end.
        Some(subject) => match sso_store::linked(w, issuer, subject)? {
            Some(user) => Some(user),
            None => return Ok(0),
        },
        None => None,
    };
    session_store::revoke_at_provider(w, user, logout.session.as_deref(), &format_time(at))
}
