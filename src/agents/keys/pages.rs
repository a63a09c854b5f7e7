//! API keys on the account page and on that of administrators.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

use super::{DAYS, Owner, Wanted, make, reauthenticate, store};
use crate::{
    agents::PageContext,
    auth::{
        Admin, ApiKey, Person, User, Verifier,
        api_key::{ACCESS, State as KeyState},
    },
    error::{Error, FieldError, Result},
    types::Scope,
    ui::{Choice, Crumb, Field, FormPage, FormSection, Line, Page, Post, Section, Table, Value, filters, form::place_errors},
    web::{Fields, Path, Peer, Web},
};

#[derive(Template)]
#[template(path = "agents/keys.html")]
struct KeysPage {
    page: Page,
    crumbs: Vec<Crumb>,
    keys: Table,
}

#[derive(Template)]
#[template(path = "agents/key.html")]
struct KeyPage {
    page: Page,
    crumbs: Vec<Crumb>,
    text: Value,
    header: Value,
}

/// Keys as a table; `revoke` is where each is ended, and `owners` says whose they are.
fn table(page: &Page, keys: Vec<ApiKey>, revoke: &str, owners: bool) -> Table {
    let line = |key: ApiKey| {
        let limits = [&key.types, &key.companies].into_iter().flatten().map(|list| list.join(", "));
        let limits: Vec<String> = limits.filter(|list| !list.is_empty()).collect();
        let access = if key.access == ACCESS[1] { "Read and write" } else { "Read only" };
        let state = match key.state {
            KeyState::Active => Value::Many(vec![Value::date(Some(&key.expires_at))]),
            KeyState::Expired => Value::badge("warning", "Expired"),
            KeyState::Revoked => Value::badge("", "Revoked"),
            KeyState::OwnerDisabled => Value::badge("danger", "Owner disabled"),
        };
        let mut cells = vec![Value::words(&key.name), Value::code(Some(&format!("{}…", key.starts_with)))];
        if owners {
            cells.push(Value::words(&key.owner));
        }
        cells.extend([
            Value::words(access),
            if limits.is_empty() { Value::words("Everything") } else { Value::words(limits.join("; ")) },
            if key.last_used_at.is_none() { Value::words("Never") } else { Value::ago(key.last_used_at.as_deref()) },
            state,
        ]);
        let post = (key.state != KeyState::Revoked).then(|| Post {
            action: page.url(&revoke.replace("{id}", &key.id.to_string())),
            label: "Revoke",
            confirm: format!("Revoke {}? Programs that use it stop working at once.", key.name),
            fields: Vec::new(),
        });
        Line { cells, post }
    };
    let mut heads = vec![("Name", "cell--main"), ("Starts with", "")];
    if owners {
        heads.push(("Owner", "cell--sub"));
    }
    heads.extend([("Access", "cell--sub"), ("Limited to", "cell--cut"), ("Last used", ""), ("Expires", "")]);
    Table { label: "API keys", heads, lines: keys.into_iter().map(line).collect(), empty: "No API keys yet.", more: None }
}

/// The keys of the person in front of the page, without those that have been revoked.
pub async fn own(context: &PageContext, web: &Web, subject: &str) -> Result<Table> {
    let subject = subject.to_owned();
    let mut keys = web.db.read(&Scope::All, move |c| store::all(c, Some(&subject))).await?;
    keys.retain(|key| key.state != KeyState::Revoked);
    Ok(table(&context.page, keys, "/account/keys/{id}/revoke", false))
}

/// `GET /admin/keys`: everybody's.
pub async fn all(_: Admin, context: PageContext, State(web): State<Web>) -> Result<Response> {
    let keys = web.db.read(&Scope::All, |c| store::all(c, None)).await?;
    let page = context.titled(Section::Admin, "API keys");
    let crumbs = vec![Crumb { href: page.url("/admin/"), text: "Sync".to_owned() }];
    context.show(&KeysPage { crumbs, keys: table(&page, keys, "/admin/keys/{id}/revoke", true), page })
}

/// `POST /admin/keys/{id}/revoke`
pub async fn revoke_any(_: Admin, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    let key = super::revoke(&web.db, &context.actor(), id, None).await?;
    context.go("/admin/keys", &format!("{} is revoked.", key.name))
}

/// `POST /account/keys/{id}/revoke`
pub async fn revoke_own(person: Person, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    let key = super::revoke(&web.db, &context.actor(), id, Some(person.user().sub.clone())).await?;
    context.go("/settings", &format!("{} is revoked.", key.name))
}

/// `GET /account/keys/new`
pub async fn new(person: Person, context: PageContext, Extension(verifier): Extension<Arc<Verifier>>) -> Result<Response> {
    form(&context, (&verifier, person.user()), StatusCode::OK, &Fields::default(), &[]).await
}

/// `POST /account/keys/new`: shows the key, this once.
pub async fn create(
    person: Person,
    context: PageContext,
    State(web): State<Web>,
    Extension(verifier): Extension<Arc<Verifier>>,
    peer: Peer,
    fields: Fields,
) -> Result<Response> {
    let reach = verifier.api_keys().reach();
    let owner = Owner { user: person.user().clone(), on_platform: web.config.on_platform() };
    let made = match Wanted::read(fields.clone(), reach) {
        Ok(wanted) => match reauthenticate(&verifier, person.user(), &fields, &peer).await {
            Ok(()) => make(&web.db, &context.actor(), owner, reach, wanted).await,
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    let (text, key) = match made.map_err(Error::beside_fields) {
        Ok(made) => made,
        Err(Error::Invalid(errors)) => {
            return form(&context, (&verifier, person.user()), StatusCode::BAD_REQUEST, &fields, &errors).await;
        }
        Err(other) => return Err(other),
    };
    let page = context.titled(Section::Settings, key.name);
    let view = KeyPage {
        crumbs: crumbs(&page),
        header: Value::code(Some(&format!("X-API-Key: {text}"))),
        text: Value::code(Some(&text)),
        page,
    };
    let mut response = context.show_as(StatusCode::CREATED, &view)?;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn crumbs(page: &Page) -> Vec<Crumb> {
    vec![Crumb { href: page.url("/settings"), text: "Settings".to_owned() }]
}

async fn form(
    context: &PageContext,
    (verifier, user): (&Verifier, &User),
    status: StatusCode,
    sent: &Fields,
    errors: &[FieldError],
) -> Result<Response> {
    let text = |name: &str, usual: &str| sent.raw_text(name).unwrap_or(usual).to_owned();
    let chosen: Vec<String> = sent.clone().text_list("types").value().unwrap_or_default();
    let types = (verifier.api_keys().reach().types)().into_iter().map(|(name, what)| Choice::new(name, what)).collect();
    let days = [("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "1 year"), ("1096", "3 years")];
    let access = vec![Choice::new(ACCESS[0], "Read only"), Choice::new(ACCESS[1], "Read and write")];
    let mut what = vec![
        Field::text("name", "Name", text("name", "")).required().hint("What the key is for: history calls it so."),
        Field::select("access", "Access", text("access", ACCESS[0]), access),
        Field::select(
            "expires_in_days",
            "Expires after",
            text("expires_in_days", &DAYS.0.to_string()),
            days.map(|(value, label)| Choice::new(value, label)).to_vec(),
        ),
    ];
    if let Some(reauthentication) = verifier.reauthentication()
        && reauthentication.has_password(user).await?
    {
        let password = Field::line("password", "current_password", "Current password", "").required();
        what.push(password.autocomplete("current-password").hint("A key goes on when you sign out."));
    }
    let mut limits = vec![
        Field::area("companies", "Companies", text("companies", ""))
            .hint("Account numbers, one per line. Leave blank for all that you see."),
        Field::many("types", "Records", chosen, types),
    ];
    let problems = place_errors(what.iter_mut().chain(&mut limits), errors);
    let page = context.titled(Section::Settings, "New API key");
    let view = FormPage {
        crumbs: crumbs(&page),
        problems,
        action: page.url("/account/keys/new"),
        rev: String::new(),
        sections: vec![
            FormSection { title: "Key", fields: what },
            FormSection { title: "Limit to (nothing chosen: whatever you may see)", fields: limits },
        ],
        save: "Create key",
        back: page.url("/settings"),
        page,
    };
    context.show_as(status, &view)
}
