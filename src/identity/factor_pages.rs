//! The second factor on the account page and as JSON: setting it up, recovery codes, turning it off.

use askama::Template;
use axum::{
    Extension, Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use qrcode::{Color, QrCode};
use serde_json::json;

use super::{Identity, factor::Setup, model::User, origin::Origin, pages, tokens::given};
use crate::{
    agents::Frame,
    auth::{Admin, AdminPerson, Caller, Person},
    error::{Error, FieldError, Result},
    ui::{Crumb, Field, Page, Section, Value, filters, form::place_errors},
    web::{Fields, Path},
};

/// The picture that an app reads: a path of squares, with the quiet zone around it.
struct Picture {
    size: usize,
    path: String,
}

impl Picture {
    fn of(text: &str) -> Result<Self> {
        const QUIET: usize = 4;
        let code = QrCode::new(text.as_bytes()).map_err(Error::internal)?;
        let width = code.width();
        let dark = code.to_colors().into_iter().enumerate().filter(|(_, color)| *color == Color::Dark);
        let square = |(at, _): (usize, Color)| format!("M{} {}h1v1h-1z", at % width + QUIET, at / width + QUIET);
        Ok(Self { size: width + 2 * QUIET, path: dark.map(square).collect() })
    }
}

#[derive(Template)]
#[template(path = "identity/factor.html")]
struct SetupPage {
    page: Page,
    crumbs: Vec<Crumb>,
    problems: Vec<String>,
    picture: Picture,
    secret: Value,
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

fn secret_page(frame: &Frame, status: StatusCode, template: &impl Template) -> Result<Response> {
    let mut response = frame.show_as(status, template)?;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn setup_page(
    frame: &Frame,
    setup: &Setup,
    status: StatusCode,
    errors: &[FieldError],
    problem: Option<String>,
) -> Result<Response> {
    let code = Field::text("code", "Code from the app", "").required().autocomplete("one-time-code");
    let mut fields = [Field { autofocus: true, ..code }];
    let mut problems = place_errors(&mut fields, errors);
    problems.extend(problem);
    let [code] = fields;
    let spaced: Vec<String> = setup.secret.as_bytes().chunks(4).map(|part| String::from_utf8_lossy(part).into_owned()).collect();
    let page = frame.titled(Section::Settings, "Set up two-step sign-in");
    let view = SetupPage {
        crumbs: crumbs(&page),
        problems,
        picture: Picture::of(&setup.address)?,
        secret: Value::code(Some(&spaced.join(" "))),
        code,
        page,
    };
    secret_page(frame, status, &view)
}

fn codes_page(frame: &Frame, codes: Vec<String>) -> Result<Response> {
    let page = frame.titled(Section::Settings, "Recovery codes");
    secret_page(frame, StatusCode::OK, &CodesPage { crumbs: crumbs(&page), codes, page })
}

impl Identity {
    /// The person, once they have proved their password again.
    async fn proved(&self, person: &Person, fields: &Fields, origin: &Origin) -> Result<User> {
        let password = given(fields, "current_password")?;
        let user = self.own_user(&person.user().sub).await?;
        self.prove_password(&user, password, origin.peer.ip).await?;
        Ok(user)
    }
}

/// What a form that asks for the password says when it is wrong; the person goes back to the page.
fn back(frame: &Frame, error: Error) -> Result<Response> {
    match error {
        Error::Invalid(_) => frame.go_sorry("/settings", "Your current password is wrong."),
        Error::TooMany { .. } => frame.go_sorry("/settings", &pages::refusal(&error)),
        Error::Conflict { message, .. } => frame.go_sorry("/settings", &message),
        other => Err(other),
    }
}

/// `POST /account/second-factor`: begins, with the picture for the app.
pub async fn begin_form(
    person: Person,
    frame: Frame,
    Extension(identity): Extension<Identity>,
    origin: Origin,
    fields: Fields,
) -> Result<Response> {
    let begun = match identity.proved(&person, &fields, &origin).await {
        Ok(user) => identity.begin_factor(&user).await,
        Err(error) => Err(error),
    };
    match begun {
        Ok(setup) => setup_page(&frame, &setup, StatusCode::OK, &[], None),
        Err(error) => back(&frame, error),
    }
}

/// `POST /account/second-factor/confirm`: shows the recovery codes, this once.
pub async fn confirm_form(
    person: Person,
    frame: Frame,
    Extension(identity): Extension<Identity>,
    origin: Origin,
    fields: Fields,
) -> Result<Response> {
    let user = identity.own_user(&person.user().sub).await?;
    let setup = identity.begun_factor(&user).await?;
    match identity.confirm_factor(&user, &given(&fields, "code").unwrap_or_default(), &origin).await {
        Ok(codes) => codes_page(&frame, codes),
        Err(Error::Invalid(errors)) => setup_page(&frame, &setup, StatusCode::BAD_REQUEST, &errors, None),
        Err(error @ Error::TooMany { .. }) => setup_page(&frame, &setup, error.status(), &[], Some(pages::refusal(&error))),
        Err(other) => Err(other),
    }
}

/// `POST /account/second-factor/codes`: new recovery codes, shown this once.
pub async fn codes_form(
    person: Person,
    frame: Frame,
    Extension(identity): Extension<Identity>,
    origin: Origin,
    fields: Fields,
) -> Result<Response> {
    match identity.proved(&person, &fields, &origin).await {
        Ok(user) => codes_page(&frame, identity.new_codes(&user).await?),
        Err(error) => back(&frame, error),
    }
}

/// `POST /account/second-factor/off`
pub async fn off_form(
    person: Person,
    frame: Frame,
    Extension(identity): Extension<Identity>,
    origin: Origin,
    fields: Fields,
) -> Result<Response> {
    match identity.proved(&person, &fields, &origin).await {
        Ok(user) => {
            identity.remove_factor(&frame.actor(), user.id).await?;
            frame.go("/settings", "Two-step sign-in is off.")
        }
        Err(error) => back(&frame, error),
    }
}

/// Whoever turns their own off gives their password, which an administrator does not for others.
async fn not_own(identity: &Identity, caller: &Caller, id: i64) -> Result<()> {
    let Some(user) = caller.user() else { return Ok(()) };
    if identity.own_user(&user.sub).await.is_ok_and(|own| own.id == id) {
        return Err(Error::conflict("this is your own second factor: turn it off in your settings, with your password"));
    }
    Ok(())
}

/// `POST /admin/users/{id}/second-factor/off`
pub async fn off_by_admin_form(
    _: Admin,
    frame: Frame,
    Extension(identity): Extension<Identity>,
    Path(id): Path<i64>,
) -> Result<Response> {
    not_own(&identity, &frame.caller, id).await?;
    identity.remove_factor(&frame.actor(), id).await?;
    frame.go(&format!("/admin/users/{id}"), "Two-step sign-in is off.")
}

fn secret_json(body: &serde_json::Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// `GET /api/my/second-factor`
pub async fn show(person: Person, Extension(identity): Extension<Identity>) -> Result<Json<serde_json::Value>> {
    let user = identity.own_user(&person.user().sub).await?;
    let factor = identity.factor(user.id).await?;
    Ok(Json(json!({
        "enabled": factor.is_some(),
        "since": factor.as_ref().and_then(|factor| factor.confirmed_at.as_ref()),
        "recovery_codes_left": factor.map_or(0, |factor| factor.left),
    })))
}

/// `POST /api/my/second-factor`: `current_password` for a secret that a code confirms.
pub async fn begin(person: Person, Extension(identity): Extension<Identity>, origin: Origin, fields: Fields) -> Result<Response> {
    let user = identity.proved(&person, &fields, &origin).await?;
    let setup = identity.begin_factor(&user).await?;
    Ok(secret_json(&json!({ "secret": setup.secret, "uri": setup.address })))
}

/// `POST /api/my/second-factor/confirm`: `code` for the recovery codes.
pub async fn confirm(
    person: Person,
    Extension(identity): Extension<Identity>,
    origin: Origin,
    fields: Fields,
) -> Result<Response> {
    let code = given(&fields, "code")?;
    let user = identity.own_user(&person.user().sub).await?;
    let codes = identity.confirm_factor(&user, &code, &origin).await?;
    Ok(secret_json(&json!({ "enabled": true, "recovery_codes": codes })))
}

/// `POST /api/my/second-factor/recovery-codes`: `current_password` for new ones.
pub async fn codes(person: Person, Extension(identity): Extension<Identity>, origin: Origin, fields: Fields) -> Result<Response> {
    let user = identity.proved(&person, &fields, &origin).await?;
    Ok(secret_json(&json!({ "recovery_codes": identity.new_codes(&user).await? })))
}

/// `DELETE /api/my/second-factor` with `current_password`.
pub async fn off(person: Person, Extension(identity): Extension<Identity>, origin: Origin, fields: Fields) -> Result<StatusCode> {
    let user = identity.proved(&person, &fields, &origin).await?;
    identity.remove_factor(&person.0.actor(), user.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/accounts/{id}/second-factor`
pub async fn off_by_admin(
    caller: AdminPerson,
    Extension(identity): Extension<Identity>,
    Path(id): Path<i64>,
) -> Result<StatusCode> {
    not_own(&identity, &caller, id).await?;
    identity.remove_factor(&caller.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
