//! Signing in over a provider (`OpenID` Connect, authorization code with PKCE): there and back, who it is here, and out again.

use std::net::IpAddr;

use askama::Template as _;
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse as _, Response},
};

use super::{
    Identity, Token, attempt_store,
    id_token::IdClaims,
    issue::BROWSER_SECONDS,
    login,
    model::{NewUser, User, email_key},
    origin::Origin,
    pages::{self, Door},
    people,
    session_store::{self, Kind},
    sign_in,
    sso_provider::{Document, Provider},
    sso_store::{self, Begun},
    store,
};
use crate::{
    agents::PageContext,
    auth::{Admin, AdminPerson, Level, Visitor, cookie, secret},
    config::LocalSignIn,
    contacts,
    db::Write,
    error::{Error, Result},
    types::{Actor, Scope},
    ui::Theme,
    web::{Path, Peer, Prefix, Query, Web},
};

/// What binds a sign-in to the browser in which it was begun.
const COOKIE: &str = "codex_sso";
/// How long somebody has at the provider, in seconds.
const PATIENCE: i64 = 10 * 60;

impl Identity {
    /// The provider.
    ///
    /// # Errors
    /// `NotFound` when none is configured.
    pub(super) fn provider(&self) -> Result<&Provider> {
        self.provider.as_deref().ok_or(Error::NotFound { what: "Page" })
    }

    /// Whether somebody may sign in with the password that is kept here; says what to do instead.
    pub(super) fn allow_local(&self, user: &User) -> Result<()> {
        let Some(oidc) = &self.config.oidc else { return Ok(()) };
        let allowed = match oidc.local_sign_in {
            LocalSignIn::Everybody => true,
            LocalSignIn::Admins => user.role == Level::Admin,
            LocalSignIn::Nobody => false,
        };
        if allowed {
            Ok(())
        } else {
            Err(Error::Forbidden(format!("You do not sign in with a password: sign in with {}.", oidc.name)))
        }
    }

    /// Remembers a sign-in that begins: the address at the provider, and what the browser keeps.
    async fn begin_sso(&self, base: &str, next: &str, from: IpAddr) -> Result<(String, String)> {
        let provider = self.provider()?;
        let document = provider.document().await?;
        let (state, nonce, code_verifier, browser) = (secret::random()?, secret::random()?, secret::random()?, secret::random()?);
        let begun = Begun {
            browser_hash: secret::hash(&browser),
            nonce,
            code_verifier,
            redirect_uri: format!("{base}/login/sso/callback"),
            next: next.to_owned(),
        };
        let mut address = url::Url::parse(&document.authorization_endpoint).map_err(Error::internal)?;
        address.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", &provider.settings.client_id),
            ("redirect_uri", &begun.redirect_uri),
            ("scope", &provider.settings.scopes),
            ("state", &state),
            ("nonce", &begun.nonce),
            // The digest of the verifier is what PKCE calls S256.
            ("code_challenge", &secret::hash(&begun.code_verifier)),
            ("code_challenge_method", "S256"),
        ]);
        let hash = secret::hash(&state);
        let actor = Actor::system("single sign-on");
        let from = sign_in::address(from);
        let begin = move |w: &mut Write<'_>| match attempt_store::begin_sso(w, &from)? {
            Some(seconds) => Ok(Some(seconds)),
            None => sso_store::begin(w, &hash, &begun, PATIENCE),
        };
        if let Some(seconds) = self.db.write(&Scope::All, &actor, begin).await? {
            return Err(Error::TooMany { retry_after: u64::try_from(seconds).unwrap_or(1) });
        }
        Ok((address.into(), browser))
    }

    /// Ends a sign-in that comes back from the provider: a token, and where the person wanted to go.
    async fn finish_sso(&self, query: &Query, browser: Option<&str>, origin: Origin) -> Result<(Token, String)> {
        let provider = self.provider()?;
        let name = &provider.settings.name;
        let hash = secret::hash(query.get("state").unwrap_or_default());
        let actor = Actor::system("single sign-on");
        let begun = self.db.write(&Scope::All, &actor, move |w| sso_store::take(w, &hash)).await?;
        let begun = begun.filter(|begun| browser.is_some_and(|browser| secret::matches(browser, &begun.browser_hash)));
        let begun = begun.ok_or_else(|| Error::Gone {
            message: "This sign-in took too long, was begun in another browser, or is over already. Sign in again.".to_owned(),
            details: serde_json::Map::new(),
        })?;
        let document = provider.document().await?;
        if !document.sent(query.get("iss")) {
            tracing::warn!("an answer of single sign-on names another issuer");
            return Err(Error::Unauthorized(format!("This answer does not come from {name}. Sign in again from this page.")));
        }
        if let Some(error) = query.get("error") {
            let error: String = error.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(60).collect();
            return Err(Error::Forbidden(match error.as_str() {
                "access_denied" => {
                    format!("{name} did not let you in. Try again, or ask whoever looks after your account there.")
                }
                _ => format!("{name} answered {error} instead of signing you in. Try again, or tell an administrator."),
            }));
        }
        let code = query.get("code").filter(|code| !code.is_empty());
        let code = code.ok_or_else(|| Error::Unauthorized(format!("{name} sent no code. Sign in again.")))?;
        let claims = provider.redeem(&document, code, &begun).await?;
        self.publish_key().await?;
        let identity = self.clone();
        let admitted = self.db.write(&Scope::All, &actor, move |w| {
            let user = identity.admit(w, &document, &claims)?;
            attempt_store::end_sso(w, &sign_in::address(origin.peer.ip))?;
            let token = identity.issue_user(w, &user, (Kind::SingleSignOn, BROWSER_SECONDS), Some(&origin))?;
            if let Some(session) = claims.session() {
                session_store::note_provider(w, &token.jti, session)?;
            }
            Ok(token)
        });
        let token = admitted.await.map_err(|error| match error.beside_fields() {
            Error::Invalid(wrong) => {
                let wrong: Vec<String> = wrong.iter().map(|one| format!("{} {}", one.field, one.message)).collect();
                Error::Forbidden(format!(
                    "Your account cannot be used here: {}. Ask an administrator of Codex.",
                    wrong.join("; ")
                ))
            }
            other => other,
        })?;
        Ok((token, begun.next))
    }

    /// Whose account it is: the one that is linked, else the one with the same address when that is proved, else perhaps a new
    /// one; with the role that the provider gives.
    fn admit(&self, w: &mut Write<'_>, document: &Document, claims: &IdClaims) -> Result<User> {
        let oidc = &self.provider()?.settings;
        let (issuer, email, who) = (&document.issuer, claims.text("email"), &oidc.name);
        let domain = email_key(&email).rsplit_once('@').map(|(_, domain)| domain.to_owned()).unwrap_or_default();
        if !oidc.domains.is_empty() && !oidc.domains.contains(&domain) {
            return Err(Error::Forbidden(format!(
                "Your address at {who} ({}) is not of a domain that may sign in here. Choose another account there.",
                if email.is_empty() { "none" } else { &email }
            )));
        }
        let role = self.role(claims)?;
        let linked = sso_store::linked(w, issuer, claims.subject())?.map(|id| store::get(w, id)).transpose()?;
        let user = match linked {
            Some(user) => user,
            None => self.first_time(w, issuer, claims, (&email, role))?,
        };
        if !user.enabled {
            return Err(Error::Forbidden("Your account is disabled. Ask an administrator of Codex.".to_owned()));
        }
        sso_store::used(w, issuer, claims.subject())?;
        match role {
            Some(role) if role != user.role => {
                let new = NewUser { role, company_id: company(w, role, user.company_id, &user.email)?, ..NewUser::of(&user) };
                store::update(w, user.id, &new.checked()?)
            }
            _ => Ok(user),
        }
    }

    /// The account of somebody who comes for the first time.
    fn first_time(
        &self,
        w: &mut Write<'_>,
        issuer: &str,
        claims: &IdClaims,
        (email, role): (&str, Option<Level>),
    ) -> Result<User> {
        let oidc = &self.provider()?.settings;
        let name = &oidc.name;
        if email.is_empty() {
            return Err(Error::Forbidden(format!(
                "{name} does not tell your e-mail address, by which Codex knows you. Ask an administrator."
            )));
        }
        if !claims.has_verified_email() && !oidc.trusts_email {
            return Err(Error::Forbidden(format!(
                "{name} does not say that the address {email} has been verified, so Codex cannot know that it is yours. Verify it there, or \
                 ask an administrator of Codex."
            )));
        }
        let known = store::find_by_email(w, email)?;
        let user = match known {
            Some(user) => user,
            None if oidc.creates => {
                let default = oidc.default_role.and_then(Level::find).unwrap_or_default();
                let role = role.unwrap_or(default);
                let said = claims.text("preferred_username");
                let username = if said.is_empty() || said.contains('@') { email.to_owned() } else { said };
                let company_id = company(w, role, None, email)?;
                let new = NewUser { username, email: email.to_owned(), name: claims.text("name"), role, company_id };
                people::create(w, new.checked()?, None)?
            }
            None => {
                return Err(Error::Forbidden(format!(
                    "There is no account for {email} in Codex. Ask an administrator to add you, then sign in again."
                )));
            }
        };
        if !user.enabled {
            return Ok(user);
        }
        if user.role == Level::Admin && !claims.has_verified_email() {
            return Err(Error::Forbidden(format!(
                "The account of {email} is an administrator's, and those are linked with verified addresses alone. Verify it at {name}, or \
                 sign in with your password."
            )));
        }
        if !sso_store::link(w, issuer, claims.subject(), user.id)? {
            return Err(Error::Forbidden(format!(
                "The account of {email} is linked with another account at {name}. Ask an administrator of Codex to unlink it."
            )));
        }
        store::note_sso(w, user.id, true)?;
        Ok(user)
    }

    /// The level that the provider's roles stand for; none when roles are Codex's own affair.
    fn role(&self, claims: &IdClaims) -> Result<Option<Level>> {
        let oidc = &self.provider()?.settings;
        if oidc.role_claim.is_empty() {
            return Ok(None);
        }
        let has = claims.values(&oidc.role_claim);
        let found = oidc.roles.iter().find(|(_, roles)| roles.iter().any(|role| has.contains(&role.as_str())));
        let level = found.map(|(level, _)| *level).or(oidc.default_role).and_then(Level::find);
        level.map(Some).ok_or_else(|| {
            Error::Forbidden(format!(
                "Your account at {} has no role in Codex. Ask whoever looks after your account there.",
                oidc.name
            ))
        })
    }

    /// Where a browser is led that signs out, so that the provider signs it out too; none when it does not offer that.
    pub(super) async fn end_at_provider(&self, base: &str) -> Option<String> {
        let provider = self.provider.as_ref()?;
        let end = provider.document().await.ok()?.end_session_endpoint.clone()?;
        let mut address = url::Url::parse(&end).ok()?;
        address.query_pairs_mut().extend_pairs([
            ("client_id", provider.settings.client_id.as_str()),
            ("post_logout_redirect_uri", &format!("{base}/login?signed_out=1")),
        ]);
        Some(address.into())
    }

    async fn unlink(&self, actor: &Actor, id: i64) -> Result<User> {
        self.db
            .write(&Scope::All, actor, move |w| {
                let user = store::get(w, id).map_err(|_| Error::NotFound { what: "Account" })?;
                if !sso_store::unlink(w, id)? {
                    return Err(Error::NotFound { what: "Single sign-on" });
                }
                session_store::revoke_single_sign_on(w, id)?;
                store::note_sso(w, id, false)?;
                Ok(user)
            })
            .await
    }
}

/// The company of somebody of this role: a client's own, else that of the one contact with their address.
fn company(w: &mut Write<'_>, role: Level, own: Option<i64>, email: &str) -> Result<Option<i64>> {
    if role != Level::Client || own.is_some() {
        return Ok(own.filter(|_| role == Level::Client));
    }
    Ok(match contacts::store::companies_of_email(w, email)?.as_slice() {
        [only] => Some(*only),
        _ => None,
    })
}

/// `GET /login/sso`: leads to the provider.
pub async fn begin(
    State(web): State<Web>,
    Visitor(caller): Visitor,
    Extension(identity): Extension<Identity>,
    prefix: Prefix,
    peer: Peer,
    theme: Theme,
    query: Query,
) -> Result<Response> {
    identity.provider()?;
    let next = pages::local(query.get("next").unwrap_or_default()).to_owned();
    if caller.is_some_and(|caller| caller.user().is_some()) {
        return pages::to(&format!("{prefix}{next}"), None);
    }
    let public_url = web.config.server.public_url.as_deref();
    match identity.begin_sso(&pages::base(&prefix, &peer, public_url), &next, peer.ip).await {
        Ok((address, browser)) => {
            let kept = cookie::put(COOKIE, &browser, PATIENCE, prefix.as_str(), pages::is_secure(&peer, public_url));
            let mut response = pages::to(&address, Some(kept))?;
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            Ok(response)
        }
        Err(error) => refused(&identity, &prefix, &theme, &next, error),
    }
}

/// `GET /login/sso/callback`: where the provider leads back to.
pub async fn callback(
    State(web): State<Web>,
    Extension(identity): Extension<Identity>,
    headers: HeaderMap,
    prefix: Prefix,
    origin: Origin,
    theme: Theme,
    query: Query,
) -> Result<Response> {
    let (peer, public_url) = (origin.peer.clone(), web.config.server.public_url.as_deref());
    let done = identity.finish_sso(&query, cookie::read(&headers, COOKIE), origin).await;
    let mut response = match done {
        Ok((token, next)) => pages::signed_in(&token, &next, &prefix, &peer, public_url)?,
        Err(error) => refused(&identity, &prefix, &theme, "", error)?,
    };
    let gone = cookie::put(COOKIE, "", 0, prefix.as_str(), pages::is_secure(&peer, public_url));
    response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_str(&gone).map_err(Error::internal)?);
    Ok(response)
}

/// The sign-in page with why it did not work.
fn refused(identity: &Identity, prefix: &Prefix, theme: &Theme, next: &str, error: Error) -> Result<Response> {
    let status = error.status();
    let words = match error {
        Error::Forbidden(words) | Error::Unauthorized(words) | Error::Unavailable(words) => words,
        Error::Gone { message, .. } => message,
        error @ Error::TooMany { .. } => pages::refusal(&error),
        other => return Err(other),
    };
    let mut door = login::door(identity, prefix, theme, next, "");
    door.problems.push(words);
    pages::page(status, &door)
}

/// The answer to signing out when the provider is to be told too. A form may lead nowhere else, but the page after it may.
pub fn leave(prefix: &Prefix, theme: &Theme, (name, address): (&str, String), cookie: &str) -> Result<Response> {
    let refresh = HeaderValue::from_str(&format!("0; url={address}")).map_err(Error::internal)?;
    let mut door = Door::new(prefix, theme, "Signed out", "/login", "");
    door.note = "You are signed out of Codex.";
    door.links.push((address, format!("Sign out of {name} too")));
    let html = door.render().map_err(Error::internal)?;
    let cookie = HeaderValue::from_str(cookie).map_err(Error::internal)?;
    let headers =
        [(header::CACHE_CONTROL, HeaderValue::from_static("no-store")), (header::REFRESH, refresh), (header::SET_COOKIE, cookie)];
    Ok((StatusCode::OK, headers, Html(html)).into_response())
}

/// `DELETE /api/accounts/{id}/single-sign-on`
pub async fn unlink(caller: AdminPerson, Extension(identity): Extension<Identity>, Path(id): Path<i64>) -> Result<StatusCode> {
    identity.unlink(&caller.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /admin/users/{id}/single-sign-on/unlink`
pub async fn unlink_form(
    _: Admin,
    context: PageContext,
    Extension(identity): Extension<Identity>,
    Path(id): Path<i64>,
) -> Result<Response> {
    let user = identity.unlink(&context.actor(), id).await?;
    context.go(&format!("/admin/users/{id}"), &format!("{} is no longer linked with the provider.", user.username))
}
