//! The second factor: setting it up, recovery codes, turning it off. Each is done in one handler, which answers a form of the
//! account page with a page and a program with JSON.

use askama::Template;
use axum::{
    Extension, Json,
    extract::{FromRequestParts, MatchedPath},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value as JsonValue, json};

use super::{Identity, factor::Setup, model::User, origin::Origin, pages, tokens::given};
use crate::{
    agents::PageContext,
    auth::{Admin, AdminPerson, Caller, Person},
    error::{Error, FieldError, Result},
    ui::{Crumb, Field, Page, Section, Value, codes, filters, form::place_errors},
    web::{Fields, Path, Web},
};

#[derive(Template)]
#[template(path = "identity/factor.html")]
struct SetupPage {
    page: Page,
    crumbs: Vec<Crumb>,
    problems: Vec<String>,
    /// What the app needs, this once: after a wrong code it has it already.
    secret: Option<(codes::Picture, Value)>,
    code: Field,
}

#[derive(Template)]
#[template(path = "identity/codes.html")]
struct CodesPage {
    page: Page,
    crumbs: Vec<Crumb>,
    codes: Vec<String>,
}

fn crumbs(page: &Page) -> Vec<Crumb> {
    vec![Crumb { href: page.url("/settings"), text: "Settings".to_owned() }]
}

fn secret_page(context: &PageContext, status: StatusCode, template: &impl Template) -> Result<Response> {
    let mut response = context.show_as(status, template)?;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn setup_page(context: &PageContext, setup: Option<&Setup>, status: StatusCode, errors: &[FieldError]) -> Result<Response> {
    let code = Field::text("code", "Code from the app", "").required().autocomplete("one-time-code");
    let mut fields = [Field { autofocus: true, ..code }];
    let problems = place_errors(&mut fields, errors);
    let [code] = fields;
    let secret = setup.map(|setup| {
        let groups = setup.secret.as_bytes().chunks(4).map(|part| String::from_utf8_lossy(part).into_owned());
        Ok::<_, Error>((codes::qr(&setup.address)?, Value::code(Some(&groups.collect::<Vec<_>>().join(" ")))))
    });
    let page = context.titled(Section::Settings, "Set up two-step sign-in");
    let view = SetupPage { crumbs: crumbs(&page), problems, secret: secret.transpose()?, code, page };
    secret_page(context, status, &view)
}

fn codes_page(context: &PageContext, codes: Vec<String>) -> Result<Response> {
    let page = context.titled(Section::Settings, "Recovery codes");
    secret_page(context, StatusCode::OK, &CodesPage { crumbs: crumbs(&page), codes, page })
}

fn secret_json(body: &JsonValue) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// How somebody is answered: with a page, who sent a form of the account page; with JSON, who asked the API.
pub enum ReplyFormat {
    Page(Box<PageContext>),
    Json,
}

impl FromRequestParts<Web> for ReplyFormat {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self> {
        let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        if route.starts_with("/api/") {
            return Ok(Self::Json);
        }
        PageContext::from_request_parts(parts, web).await.map(|context| Self::Page(Box::new(context)))
    }
}

impl ReplyFormat {
    /// What came of it. A form that was refused leads back to the account page, which says why.
    fn tell<T>(
        self,
        done: Result<T>,
        page: impl FnOnce(&PageContext, T) -> Result<Response>,
        json: impl FnOnce(T) -> Response,
    ) -> Result<Response> {
        match (self, done) {
            (Self::Json, done) => Ok(json(done?)),
            (Self::Page(context), Ok(done)) => page(&context, done),
            (Self::Page(context), Err(error)) => match &error {
                Error::Invalid(wrong) if wrong.iter().any(|one| one.field == "code") => {
                    context.go_sorry("/settings", "The code is wrong or missing.")
                }
                Error::Invalid(_) => context.go_sorry("/settings", "Your current password is wrong."),
                Error::TooMany { .. } => context.go_sorry("/settings", &pages::refusal(&error)),
                Error::Conflict { message, .. } | Error::Gone { message, .. } => context.go_sorry("/settings", message),
                _ => Err(error),
            },
        }
    }
}

impl Identity {
    /// The person, once they have proved their password again.
    async fn proved(&self, person: &Person, fields: &Fields, origin: &Origin) -> Result<User> {
        let user = self.own_user(&person.user().sub).await?;
        self.prove(&user, person.user(), given(fields, "current_password").ok(), origin.peer.ip).await?;
        Ok(user)
    }

    /// The same with a code of the factor that they have.
    async fn proved_with_code(&self, person: &Person, fields: &Fields, origin: &Origin) -> Result<(User, String)> {
        let user = self.proved(person, fields, origin).await?;
        self.factor(user.id).await?.ok_or(Error::NotFound { what: "Second factor" })?;
        Ok((user, given(fields, "code")?))
    }
}

/// `POST /api/my/second-factor`, `POST /account/second-factor`: `current_password` for a secret that a code confirms.
pub async fn begin(
    person: Person,
    format: ReplyFormat,
    Extension(identity): Extension<Identity>,
    origin: Origin,
    fields: Fields,
) -> Result<Response> {
    let begun = match identity.proved(&person, &fields, &origin).await {
        Ok(user) => identity.begin_factor(&user).await,
        Err(error) => Err(error),
    };
    format.tell(
        begun,
        |context, setup| setup_page(context, Some(&setup), StatusCode::OK, &[]),
        |setup| secret_json(&json!({ "secret": setup.secret, "uri": setup.address })),
    )
}

/// `POST …/confirm`: `code` for the recovery codes, which are shown this once.
pub async fn confirm(
    person: Person,
    format: ReplyFormat,
    Extension(identity): Extension<Identity>,
    origin: Origin,
    fields: Fields,
) -> Result<Response> {
    let user = identity.own_user(&person.user().sub).await?;
    let code =
        if matches!(format, ReplyFormat::Json) { given(&fields, "code")? } else { given(&fields, "code").unwrap_or_default() };
    let confirmed = identity.confirm_factor(&user, &code, &origin, person.user().jti.clone()).await;
    match (format, confirmed) {
        (ReplyFormat::Page(context), Err(Error::Invalid(wrong))) => setup_page(&context, None, StatusCode::BAD_REQUEST, &wrong),
        (ReplyFormat::Page(context), Err(error @ Error::TooMany { .. })) => {
            let wrong = FieldError { field: "code".to_owned(), message: pages::refusal(&error) };
            setup_page(&context, None, error.status(), &[wrong])
        }
        (format, confirmed) => {
            format.tell(confirmed, codes_page, |codes| secret_json(&json!({ "enabled": true, "recovery_codes": codes })))
        }
    }
}

/// `POST …/recovery-codes`, `POST /account/second-factor/codes`: `current_password` and `code` for new ones.
pub async fn codes(
    person: Person,
    format: ReplyFormat,
    Extension(identity): Extension<Identity>,
    origin: Origin,
    fields: Fields,
) -> Result<Response> {
    let made = match identity.proved_with_code(&person, &fields, &origin).await {
        Ok((user, code)) => identity.new_codes(&user, &code, &origin).await,
        Err(error) => Err(error),
    };
    format.tell(made, codes_page, |codes| secret_json(&json!({ "recovery_codes": codes })))
}

/// `DELETE /api/my/second-factor`, `POST /account/second-factor/off`, with `current_password` and `code`.
pub async fn off(
    person: Person,
    format: ReplyFormat,
    Extension(identity): Extension<Identity>,
    origin: Origin,
    fields: Fields,
) -> Result<Response> {
    let done = match identity.proved_with_code(&person, &fields, &origin).await {
        Ok((user, code)) => identity.drop_factor(&user, &code, &origin).await,
        Err(error) => Err(error),
    };
    format.tell(
        done,
        |context, ()| context.go("/settings", "Two-step sign-in is off."),
        |()| StatusCode::NO_CONTENT.into_response(),
    )
}

/// `GET /api/my/second-factor`
pub async fn show(person: Person, Extension(identity): Extension<Identity>) -> Result<Json<JsonValue>> {
    let user = identity.own_user(&person.user().sub).await?;
    let factor = identity.factor(user.id).await?;
    Ok(Json(json!({
        "enabled": factor.is_some(),
        "since": factor.as_ref().and_then(|factor| factor.confirmed_at.as_ref()),
        "recovery_codes_left": factor.map_or(0, |factor| factor.left),
    })))
}

/// Whoever turns their own off gives their password, which an administrator does not for others.
async fn off_for_another(identity: &Identity, caller: &Caller, id: i64) -> Result<()> {
    if let Some(user) = caller.user()
        && identity.own_user(&user.sub).await.is_ok_and(|own| own.id == id)
    {
        return Err(Error::conflict("this is your own second factor: turn it off in your settings, with your password"));
    }
    identity.remove_factor(&caller.actor(), id).await
}

/// `POST /admin/users/{id}/second-factor/off`
pub async fn off_by_admin_form(
    _: Admin,
    context: PageContext,
    Extension(identity): Extension<Identity>,
    Path(id): Path<i64>,
) -> Result<Response> {
    off_for_another(&identity, &context.caller, id).await?;
    context.go(&format!("/admin/users/{id}"), "Two-step sign-in is off.")
}

/// `DELETE /api/accounts/{id}/second-factor`
pub async fn off_by_admin(
    caller: AdminPerson,
    Extension(identity): Extension<Identity>,
    Path(id): Path<i64>,
) -> Result<StatusCode> {
    off_for_another(&identity, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
