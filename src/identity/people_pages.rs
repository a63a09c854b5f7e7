//! `/admin/users`: everybody who can sign in here, and adding somebody.

use askama::Template;
use axum::{Extension, extract::State, http::StatusCode, response::Response};

use super::{Identity, links, model::NewUser, store, tokens::given};
use crate::{
    agents::{PageContext, UserView},
    auth::{Admin, Level},
    error::{Error, FieldError, Result},
    types::Scope,
    ui::{Choice, Crumb, Field, FormPage, FormSection, Line, Page, Section, Table, Value, filters, form::place_errors},
    web::{Fields, Peer, Prefix, Web, encode_segment},
};

#[derive(Template)]
#[template(path = "identity/people.html")]
struct PeoplePage {
    page: Page,
    crumbs: Vec<Crumb>,
    people: Table,
}

/// `GET /admin/users`
pub async fn index(_: Admin, context: PageContext, Extension(identity): Extension<Identity>) -> Result<Response> {
    let page = context.titled(Section::Admin, "Users");
    let lines = identity.list().await?.into_iter().map(|person| line(&page, person)).collect();
    let people = Table {
        label: "Users",
        heads: vec![
            ("User name", "cell--main"),
            ("Role", "cell--sub"),
            ("Name", "cell--sub cell--cut"),
            ("E-mail", "cell--cut"),
            ("Company", ""),
            ("State", "cell--end"),
        ],
        lines,
        empty: "Nobody can sign in yet.",
        more: None,
    };
    context.show(&PeoplePage { crumbs: crumbs(&page, false), people, page })
}

fn line(page: &Page, person: UserView) -> Line {
    let company = person
        .company_account_number
        .map_or(Value::None, |number| Value::link(page.url(&format!("/companies/{}", encode_segment(&number))), number));
    let cells = vec![
        Value::link(page.url(&format!("/admin/users/{}", person.id)), person.username),
        Value::words(role(&person.permission_level)),
        Value::text(Some(&person.name)),
        Value::mail(person.email.as_deref()),
        company,
        if person.enabled { Value::badge("success", "Active") } else { Value::badge("danger", "Disabled") },
    ];
    Line { cells, post: None }
}

/// `GET /admin/users/new`
pub async fn new(_: Admin, context: PageContext, Extension(identity): Extension<Identity>) -> Result<Response> {
    let empty = NewUser { role: Level::Technician, ..NewUser::default() };
    form(&context, &identity, StatusCode::OK, &empty, "", &[]).await
}

/// `POST /admin/users/new`: without a password, the answer shows an invitation link.
pub async fn create(
    _: Admin,
    context: PageContext,
    State(web): State<Web>,
    Extension(identity): Extension<Identity>,
    prefix: Prefix,
    peer: Peer,
    fields: Fields,
) -> Result<Response> {
    let (typed, company) = typed(&fields);
    let password = given(&fields, "password").ok();
    let added = identity.add(&context.actor(), typed.clone(), company.clone(), password.clone()).await;
    let user = match added.map_err(Error::beside_fields) {
        Ok(user) => user,
        Err(Error::Invalid(errors)) => {
            return form(&context, &identity, StatusCode::BAD_REQUEST, &typed, &company.unwrap_or_default(), &errors).await;
        }
        Err(other) => return Err(other),
    };
    if password.is_some() {
        return context.go("/admin/users", &format!("{} can sign in now.", user.username));
    }
    let link = identity.password_link(&context.actor(), user.id).await?;
    let link = link.at(&prefix, &peer, web.config.server.public_url.as_deref()).mailed(&web.config, &user).await;
    links::shown(&context, StatusCode::CREATED, user.id, &user.username, &link)
}

async fn form(
    context: &PageContext,
    identity: &Identity,
    status: StatusCode,
    typed: &NewUser,
    company: &str,
    errors: &[FieldError],
) -> Result<Response> {
    let mut fields = person_fields(identity, typed, company).await?;
    let password = Field::line("password", "password", "Password", "").autocomplete("new-password");
    fields.push(password.hint("At least 8 characters. Leave blank to get an invitation link."));
    let problems = place_errors(&mut fields, errors);
    let page = context.titled(Section::Admin, "Invite user");
    let view = FormPage {
        crumbs: crumbs(&page, true),
        problems,
        action: page.url("/admin/users/new"),
        rev: String::new(),
        sections: vec![FormSection { title: "Profile and role", fields }],
        save: "Add user",
        back: page.url("/admin/users"),
        page,
    };
    context.show_as(status, &view)
}

/// The fields of a person, as they were filled in.
pub(super) async fn person_fields(identity: &Identity, typed: &NewUser, company: &str) -> Result<Vec<Field>> {
    let companies = identity.db.read(&Scope::All, store::company_choices).await?;
    let mut choices = vec![Choice::new("", "None")];
    choices.extend(companies.into_iter().map(|(number, name)| {
        let label = format!("{name} ({number})");
        Choice::new(number, label)
    }));
    let roles = Level::ALL.map(|level| Choice::new(level.as_str(), level.title())).to_vec();
    Ok(vec![
        Field::text("username", "User name", &typed.username).required(),
        Field::text("name", "Full name", &typed.name),
        Field::line("email", "email", "E-mail", &typed.email).required(),
        Field::select("role", "Role", typed.role.as_str(), roles)
            .hint("Billing reads everything; a client sees their own company."),
        Field::select("company", "Company", company, choices).hint("For clients."),
    ])
}

/// What was typed into them.
pub(super) fn typed(fields: &Fields) -> (NewUser, Option<String>) {
    let text = |name: &str| given(fields, name).unwrap_or_default();
    let role = Level::from_claim(Some(&text("role")));
    let new = NewUser { username: text("username"), email: text("email"), name: text("name"), role, company_id: None };
    let company = Some(text("company")).filter(|company| role == Level::Client && !company.is_empty());
    (new, company)
}

/// The way to a page about people.
pub(super) fn crumbs(page: &Page, below: bool) -> Vec<Crumb> {
    let mut crumbs = vec![Crumb { href: page.url("/admin/"), text: "Sync".to_owned() }];
    if below {
        crumbs.push(Crumb { href: page.url("/admin/users"), text: "Users".to_owned() });
    }
    crumbs
}

/// A role as a word.
fn role(level: &str) -> &'static str {
    Level::from_claim(Some(level)).title()
}
