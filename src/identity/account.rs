//! What stand-alone mode adds to the account page: the password, and where one is signed in.

use axum::{
    Extension,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{Identity, model::User, pages, password, sessions, sign_in, store, tokens::given};
use crate::{
    agents::{
        PageContext,
        settings::{self, Account},
    },
    auth::{self, Person},
    error::{Error, FieldError, Result},
    types::Scope,
    ui::{Field, Page, Value, form::place_errors},
    web::{Fields, Peer, Prefix, Web},
};

/// `GET /settings`
pub async fn show(
    context: PageContext,
    person: Person,
    State(web): State<Web>,
    Extension(identity): Extension<Identity>,
) -> Result<Response> {
    let from = context.query.get("sessions_from").and_then(|text| text.parse().ok()).unwrap_or(0);
    let account = identity.account(&context.page, person.user(), (&[], Vec::new()), from).await?;
    settings::page(&context, &web, StatusCode::OK, Some(account)).await
}

/// `POST /account/password`: the form of the account page.
pub async fn change_password(
    context: PageContext,
    person: Person,
    State(web): State<Web>,
    Extension(identity): Extension<Identity>,
    peer: Peer,
    fields: Fields,
) -> Result<Response> {
    let (errors, problem, retry) = match identity.change_password(&person, &peer, &fields).await {
        Ok(()) => return context.go("/settings", "Your password is changed."),
        Err(Error::Invalid(errors)) => (errors, None, None),
        Err(error @ Error::TooMany { retry_after }) => (Vec::new(), Some(pages::refusal(&error)), Some(retry_after)),
        Err(other) => return Err(other),
    };
    let status = if retry.is_some() { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::BAD_REQUEST };
    let account = identity.account(&context.page, person.user(), (&errors, problem.into_iter().collect()), 0).await?;
    let mut response = settings::page(&context, &web, status, Some(account)).await?;
    if let Some(seconds) = retry {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

/// `PUT /api/my/password`
pub async fn put_password(
    person: Person,
    Extension(identity): Extension<Identity>,
    peer: Peer,
    fields: Fields,
) -> Result<Response> {
    identity.change_password(&person, &peer, &fields).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /account/sign-out-everywhere`: every session of the person ends, this one too, and with `revoke_keys` their API keys.
pub async fn sign_out_everywhere(
    person: Person,
    State(web): State<Web>,
    Extension(identity): Extension<Identity>,
    prefix: Prefix,
    peer: Peer,
    mut fields: Fields,
) -> Result<Response> {
    let keys = sessions::asks_for_keys(&mut fields)?;
    let user = identity.own_user(&person.user().sub).await?;
    identity.end_all(&sign_in::actor(&user), user.id, None, keys).await?;
    pages::signed_out(&prefix, &peer, web.config.server.public_url.as_deref())
}

impl Identity {
    pub(super) async fn own_user(&self, subject: &str) -> Result<User> {
        let subject = subject.to_owned();
        self.db.read(&Scope::All, move |c| store::get_by_subject(c, &subject)).await
    }

    async fn change_password(&self, person: &Person, peer: &Peer, fields: &Fields) -> Result<()> {
        let (old, new) = (given(fields, "current_password")?, given(fields, "new_password")?);
        if fields.has("repeat_password") && given(fields, "repeat_password").ok().as_ref() != Some(&new) {
            return Err(Error::field("repeat_password", "must be the same as the new password"));
        }
        let keys = sessions::asks_for_keys(&mut fields.clone())?;
        let user = self.own_user(&person.user().sub).await?;
        if user.password_changed_at.is_none() {
            return Err(Error::conflict(
                "You have no password in Codex, because you sign in at the provider; it begins with a link that an administrator makes",
            ));
        }
        password::check("new_password", &new, &user.username)?;
        self.prove(&user, person.user(), Some(old), peer.ip).await?;
        self.set_password(&sign_in::actor(&user), &user.username, new, (person.user().jti.clone(), keys)).await?;
        Ok(())
    }

    /// The person's part of the page, with what is wrong with the password form.
    async fn account(
        &self,
        page: &Page,
        person: &auth::User,
        (errors, mut problems): (&[FieldError], Vec<String>),
        sessions_from: usize,
    ) -> Result<Account> {
        let user = self.own_user(&person.sub).await?;
        let sessions = self.sessions_of(user.id, person.jti.as_deref()).await?;
        let way = ("/settings", "/account/sessions/{session}/end");
        let secret = |name, label| Field::line("password", name, label, "").required();
        let mut password = vec![
            secret("current_password", "Current password").autocomplete("current-password").wide(),
            secret("new_password", "New password").autocomplete("new-password").hint(password::RULE),
            secret("repeat_password", "Confirm new password").autocomplete("new-password"),
            Field::check("revoke_keys", "Revoke my API keys too", false).wide(),
        ];
        if user.password_changed_at.is_none() {
            password.clear();
        }
        problems.extend(place_errors(&mut password, errors));
        if let Some(wrong) = password.iter_mut().find(|field| field.error.is_some()) {
            wrong.autofocus = true;
        }
        let factor = self.factor(user.id).await?;
        let factor = factor.map(|factor| (Value::date(factor.confirmed_at.as_deref()), factor.left));
        Ok(Account { password, problems, sessions: sessions::table(page, sessions, way, sessions_from), factor })
    }
}
