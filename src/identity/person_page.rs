//! `/admin/users/{id}`: who somebody is, their password, and whether they may come in.

use askama::Template;
use axum::{Extension, http::StatusCode, response::Response};

use super::{
    Identity,
    model::{NewUser, User},
    password,
    people_pages::{crumbs, person_fields, typed},
    sessions, sso_store, store,
    tokens::given,
};
use crate::{
    agents::PageContext,
    auth::Admin,
    error::{Error, FieldError, Result},
    types::Scope,
    ui::{Crumb, Field, Page, Section, Table, Value, filters, form::place_errors},
    web::{Fields, Path},
};

#[derive(Template)]
#[template(path = "identity/person.html")]
struct PersonPage {
    page: Page,
    crumbs: Vec<Crumb>,
    badge: Value,
    problems: Vec<String>,
    base: String,
    fields: Vec<Field>,
    password: Vec<Field>,
    username: String,
    enabled: bool,
    /// Whether the reader looks at their own account.
    own: bool,
    /// Whether they have a password already.
    known: bool,
    /// Whether a code is asked for besides.
    factor: bool,
    /// Whether they are linked with somebody at the provider of single sign-on.
    linked: bool,
    /// Where they are signed in.
    sessions: Table,
}

/// `GET /admin/users/{id}`
pub async fn show(
    _: Admin,
    context: PageContext,
    Extension(identity): Extension<Identity>,
    Path(id): Path<i64>,
) -> Result<Response> {
    let (user, company) = load(&identity, id).await?;
    form(&context, &identity, &user, (&NewUser::of(&user), &company), &[]).await
}

/// `POST /admin/users/{id}`
pub async fn update(
    _: Admin,
    context: PageContext,
    Extension(identity): Extension<Identity>,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response> {
    let (user, _) = load(&identity, id).await?;
    let (new, company) = typed(&fields);
    let saved = if is_own(&context, &user) && new.role != user.role {
        Err(Error::field("role", "is your own; another administrator has to change it"))
    } else {
        identity.update(&context.actor(), id, new.clone(), company.clone()).await
    };
    match saved.map_err(Error::beside_fields) {
        Ok(user) => context.go("/admin/users", &format!("{} is saved.", user.username)),
        Err(Error::Invalid(errors)) => form(&context, &identity, &user, (&new, &company.unwrap_or_default()), &errors).await,
        Err(other) => Err(other),
    }
}

/// `POST /admin/users/{id}/password`
pub async fn set_password(
    _: Admin,
    context: PageContext,
    Extension(identity): Extension<Identity>,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response> {
    let (user, company) = load(&identity, id).await?;
    let own = context.caller.user().filter(|_| is_own(&context, &user)).and_then(|own| own.jti.clone());
    let set = match given(&fields, "new_password") {
        Ok(new) => identity.set_password(&context.actor(), &user.username, new, (own, true)).await,
        Err(error) => Err(error),
    };
    match set {
        Ok(user) => context.go(&format!("/admin/users/{id}"), &format!("{} has a new password.", user.username)),
        Err(Error::Invalid(mut errors)) => {
            for error in &mut errors {
                "new_password".clone_into(&mut error.field);
            }
            form(&context, &identity, &user, (&NewUser::of(&user), &company), &errors).await
        }
        Err(other) => Err(other),
    }
}

/// `POST /admin/users/{id}/enabled`
pub async fn set_enabled(
    _: Admin,
    context: PageContext,
    Extension(identity): Extension<Identity>,
    Path(id): Path<i64>,
    mut fields: Fields,
) -> Result<Response> {
    let enabled = fields.bool("enabled").value();
    fields.finish()?;
    let enabled = enabled.ok_or_else(|| Error::field("enabled", "is required"))?;
    let (user, _) = load(&identity, id).await?;
    let back = format!("/admin/users/{id}");
    if is_own(&context, &user) && !enabled {
        return context.go_sorry(&back, "You cannot disable your own account.");
    }
    let user = identity.set_enabled(&context.actor(), &user.username, enabled).await?;
    let done = if enabled { "is enabled." } else { "is disabled; their sessions have ended." };
    context.go(&back, &format!("{} {done}", user.username))
}

/// The person, and the account number of their company.
async fn load(identity: &Identity, id: i64) -> Result<(User, String)> {
    let read = move |c: &mut crate::db::Conn| Ok((store::get(c, id)?, store::show(c, id)?.company_account_number));
    let (user, company) = identity.db.read(&Scope::All, read).await?;
    Ok((user, company.unwrap_or_default()))
}

fn is_own(context: &PageContext, user: &User) -> bool {
    context.caller.user().is_some_and(|own| own.sub == user.subject)
}

async fn form(
    context: &PageContext,
    identity: &Identity,
    user: &User,
    (typed, company): (&NewUser, &str),
    errors: &[FieldError],
) -> Result<Response> {
    let mut fields = person_fields(identity, typed, company).await?;
    let mut password = vec![
        Field::line("password", "new_password", "New password", "").required().autocomplete("new-password").hint(password::RULE),
    ];
    let problems = place_errors(fields.iter_mut().chain(&mut password), errors);
    let page = context.titled(Section::Admin, &user.username);
    let id = user.id;
    let linked = identity.db.read(&Scope::All, move |c| sso_store::is_linked(c, id)).await?;
    let own = context.caller.user().and_then(|own| own.jti.as_deref());
    let from = context.query.get("sessions_from").and_then(|text| text.parse().ok()).unwrap_or(0);
    let (place, end) = (format!("/admin/users/{}", user.id), format!("/admin/users/{}/sessions/{{session}}/end", user.id));
    let sessions = sessions::table(&page, identity.sessions_of(user.id, own).await?, (&place, &end), from);
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let view = PersonPage {
        crumbs: crumbs(&page, true),
        badge: if user.enabled { Value::badge("success", "Active") } else { Value::badge("danger", "Disabled") },
        problems,
        base: page.url(&format!("/admin/users/{}", user.id)),
        fields,
        password,
        username: user.username.clone(),
        enabled: user.enabled,
        own: is_own(context, user),
        known: user.password_changed_at.is_some(),
        factor: identity.factor(user.id).await?.is_some(),
        linked,
        sessions,
        page,
    };
    context.show_as(status, &view)
}
