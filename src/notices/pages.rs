//! The pages of notices: one's own choices, and for administrators mail, channels and what could not be delivered.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use super::{
    api, channels,
    settings::{self, Settings},
    store::{self, Channel, Notice, Undelivered},
};
use crate::{
    agents::PageContext,
    auth::{AdminPerson, Person},
    error::{Error, FieldError, Result},
    status::notice::{self, How},
    types::Scope,
    ui::{Choice, Crumb, Field, FormPage, FormSection, Line, Page, Post, Section, Table, Value, filters, form::place_errors},
    web::{Fields, Path, Web},
};

const HOME: &str = "/admin/notices";

#[derive(Template)]
#[template(path = "notices/admin.html")]
struct AdminPage {
    page: Page,
    crumbs: Vec<Crumb>,
    server: Option<String>,
    own: String,
    open: Table,
    channels: Table,
    undelivered: Table,
}

fn crumbs(page: &Page, below: bool) -> Vec<Crumb> {
    let mut crumbs = vec![Crumb { href: page.url("/admin/"), text: "Sync".to_owned() }];
    if below {
        crumbs.push(Crumb { href: page.url(HOME), text: "Notifications".to_owned() });
    }
    crumbs
}

/// `GET /account/notices`
pub async fn mine(person: Person, context: PageContext, State(web): State<Web>) -> Result<Response> {
    let (config, user) = (web.config.clone(), person.user().clone());
    let known = web.db.read(&Scope::All, move |c| settings::of(c, &config, &user)).await?;
    form_of(&context, StatusCode::OK, &known, None, &[])
}

/// `POST /account/notices`
pub async fn choose(person: Person, context: PageContext, State(web): State<Web>, fields: Fields) -> Result<Response> {
    let (config, user) = (web.config.clone(), person.user().clone());
    match settings::Wanted::read(fields.clone(), &user) {
        Ok(wanted) => {
            web.db.write(&Scope::All, &context.actor(), move |w| settings::save(w, &config, &user, wanted)).await?;
            context.go("/account/notices", "Notifications are saved.")
        }
        Err(Error::Invalid(errors)) => {
            let known = web.db.read(&Scope::All, move |c| settings::of(c, &config, &user)).await?;
            form_of(&context, StatusCode::BAD_REQUEST, &known, Some(&fields), &errors)
        }
        Err(other) => Err(other),
    }
}

/// The choices as a form.
fn form_of(
    context: &PageContext,
    status: StatusCode,
    known: &Settings,
    sent: Option<&Fields>,
    errors: &[FieldError],
) -> Result<Response> {
    let text = |name: &str, stored: &str| sent.map_or(Some(stored), |sent| sent.raw_text(name)).unwrap_or_default().to_owned();
    let words = || How::ALL.map(|(_, word, label)| Choice::new(word, label)).to_vec();
    let mut what: Vec<Field> = known
        .kinds
        .iter()
        .map(|choice| Field::select(choice.kind, choice.label, text(choice.kind, choice.how.as_str()), words()))
        .collect();
    let mut when = vec![
        Field::line("time", "digest_at", "Time", text("digest_at", &known.digest_at)).required(),
        Field::text("time_zone", "Time zone", text("time_zone", known.time_zone.as_deref().unwrap_or_default()))
            .hint("Such as Europe/Berlin. Leave blank for the time zone of Codex."),
    ];
    let mut problems = place_errors(what.iter_mut().chain(&mut when), errors);
    if !known.mail_enabled {
        problems.push("Codex does not send mail yet. An administrator has to set up the mail server.".to_owned());
    } else if known.email.trim().is_empty() {
        problems.push("Your account has no e-mail address, so nothing can be sent to you.".to_owned());
    }
    let page = context.titled(Section::Settings, "Notifications");
    let title = if what.is_empty() { "There are no notifications for your role" } else { "Mail me when" };
    let view = FormPage {
        crumbs: vec![Crumb { href: page.url("/settings"), text: "Settings".to_owned() }],
        problems,
        action: page.url("/account/notices"),
        rev: String::new(),
        sections: vec![FormSection { title, fields: what }, FormSection { title: "Daily digest", fields: when }],
        save: "Save",
        back: page.url("/settings"),
        page,
    };
    context.show_as(status, &view)
}

/// `GET /admin/notices`
pub async fn admin(caller: AdminPerson, context: PageContext, State(web): State<Web>) -> Result<Response> {
    let read = web.db.read(&Scope::All, |c| Ok((store::open(c)?, store::channels(c)?, store::undelivered(c)?)));
    let (open, channels, undelivered) = read.await?;
    let page = context.titled(Section::Admin, "Notifications");
    let view = AdminPage {
        crumbs: crumbs(&page, false),
        server: web.config.mail.as_ref().map(|mail| format!("{}:{}", mail.host, mail.port)),
        own: caller.user().map(|user| user.email.clone()).unwrap_or_default(),
        open: open_table(&page, open),
        channels: channel_table(&page, channels),
        undelivered: undelivered_table(&page, undelivered),
        page,
    };
    context.show(&view)
}

fn open_table(page: &Page, open: Vec<Notice>) -> Table {
    let line = |one: Notice| Line {
        cells: vec![
            Value::link(page.url(&one.path), one.title),
            Value::words(notice::find(&one.kind).map_or(one.kind.as_str(), |kind| kind.label)),
            Value::text(Some(&one.detail)),
            Value::ago(Some(&one.opened_at)),
        ],
        post: None,
    };
    Table {
        label: "Open notices",
        heads: vec![("Notice", "cell--main"), ("Kind", "cell--sub"), ("Details", "cell--cut"), ("Since", "")],
        lines: open.into_iter().map(line).collect(),
        empty: if page.demo { "Demo data is not watched: nothing is looked for here." } else { "Nothing is wrong." },
        more: None,
    }
}

fn channel_table(page: &Page, channels: Vec<Channel>) -> Table {
    let format = |name: &str| channels::FORMATS.iter().find(|(known, _)| *known == name).map_or("", |(_, label)| *label);
    let label = |name: &String| notice::find(name).map_or(name.clone(), |kind| kind.label.to_owned());
    let line = |one: Channel| Line {
        cells: vec![
            Value::link(page.url(&format!("{HOME}/channels/{}", one.id)), one.name.clone()),
            Value::words(format(&one.format)),
            Value::words(
                one.kinds
                    .map_or_else(|| "All notices".to_owned(), |kinds| kinds.iter().map(label).collect::<Vec<_>>().join("; ")),
            ),
        ],
        post: Some(Post {
            action: page.url(&format!("{HOME}/channels/{}/test", one.id)),
            label: "Send test",
            confirm: String::new(),
            fields: Vec::new(),
        }),
    };
    Table {
        label: "Channels",
        heads: vec![("Name", "cell--main"), ("Format", ""), ("Notices", "cell--cut")],
        lines: channels.into_iter().map(line).collect(),
        empty: "No channels yet. Add one for Microsoft Teams, Slack or another program.",
        more: None,
    }
}

fn undelivered_table(page: &Page, undelivered: Vec<Undelivered>) -> Table {
    let line = |one: Undelivered| Line {
        cells: vec![
            Value::words(one.title),
            Value::words(one.to),
            if one.given_up { Value::badge("danger", "Failed") } else { Value::badge("warning", "Retrying") },
            Value::text(one.error.as_deref()),
            Value::ago(Some(&one.created_at)),
        ],
        post: Some(Post {
            action: page.url(&format!("{HOME}/undelivered/{}/retry", one.id)),
            label: "Retry",
            confirm: String::new(),
            fields: Vec::new(),
        }),
    };
    Table {
        label: "Not delivered",
        heads: vec![
            ("Notice", "cell--main"),
            ("To", "cell--sub"),
            ("Status", "cell--sub"),
            ("Error", "cell--cut"),
            ("Created", ""),
        ],
        lines: undelivered.into_iter().map(line).collect(),
        empty: "Everything was delivered.",
        more: None,
    }
}

/// `POST /admin/notices/test-mail`
pub async fn test_mail(_: AdminPerson, context: PageContext, State(web): State<Web>, mut fields: Fields) -> Result<Response> {
    let address = fields.text("address").max(254).value().unwrap_or_default();
    fields.finish()?;
    match api::send_test(&web, &address).await {
        Ok(Ok(())) => context.go(HOME, &format!("Test mail sent to {address}.")),
        Ok(Err(said)) => context.go_sorry(HOME, &format!("The mail server did not take it: {said}.")),
        Err(Error::Conflict { message, .. }) => context.go_sorry(HOME, &message),
        Err(other) => Err(other),
    }
}

/// `GET /admin/notices/channels/new`
pub async fn new_channel(_: AdminPerson, context: PageContext) -> Result<Response> {
    channel_form(&context, StatusCode::OK, &Fields::default(), &[])
}

/// `POST /admin/notices/channels/new`
pub async fn add_channel(_: AdminPerson, context: PageContext, State(web): State<Web>, fields: Fields) -> Result<Response> {
    let added = match channels::Wanted::read(fields.clone(), web.config.private_webhooks) {
        Ok(wanted) => channels::add(&web.db, &web.config, &context.actor(), wanted).await,
        Err(error) => Err(error),
    };
    match added.map_err(Error::beside_fields) {
        Ok(channel) => context.go(HOME, &format!("{} is added.", channel.name)),
        Err(Error::Invalid(errors)) => channel_form(&context, StatusCode::BAD_REQUEST, &fields, &errors),
        Err(other) => Err(other),
    }
}

fn channel_form(context: &PageContext, status: StatusCode, sent: &Fields, errors: &[FieldError]) -> Result<Response> {
    let text = |name: &str| sent.raw_text(name).unwrap_or_default().to_owned();
    let chosen = sent.clone().text_list("kinds").value().unwrap_or_default();
    let formats = channels::FORMATS.map(|(format, label)| Choice::new(format, label)).to_vec();
    let kinds = notice::kinds().iter().map(|kind| Choice::new(kind.name, kind.label)).collect();
    let mut what = vec![
        Field::text("name", "Name", text("name")).required(),
        Field::select("format", "Format", text("format"), formats),
        Field::line("url", "url", "Webhook URL", text("url")).required().wide().hint("Encrypted; can't be viewed again."),
    ];
    let mut limits = vec![Field::many("kinds", "Notices", chosen, kinds)];
    let problems = place_errors(what.iter_mut().chain(&mut limits), errors);
    let page = context.titled(Section::Admin, "New channel");
    let view = FormPage {
        crumbs: crumbs(&page, true),
        problems,
        action: page.url(&format!("{HOME}/channels/new")),
        rev: String::new(),
        sections: vec![
            FormSection { title: "Channel", fields: what },
            FormSection { title: "Send only (nothing selected: all)", fields: limits },
        ],
        save: "Add channel",
        back: page.url(HOME),
        page,
    };
    context.show_as(status, &view)
}

#[derive(Template)]
#[template(path = "notices/channel.html")]
struct ChannelPage {
    page: Page,
    crumbs: Vec<Crumb>,
    base: String,
    channel: Table,
}

/// `GET /admin/notices/channels/{id}`
pub async fn channel(_: AdminPerson, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    let channel = web.db.read(&Scope::All, move |c| store::get_channel(c, id)).await?;
    let page = context.titled(Section::Admin, channel.name.clone());
    let base = page.url(&format!("{HOME}/channels/{id}"));
    context.show(&ChannelPage { crumbs: crumbs(&page, true), base, channel: channel_table(&page, vec![channel]), page })
}

/// `POST /admin/notices/channels/{id}/test`
pub async fn test_channel(_: AdminPerson, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    match channels::test(&web.db, &web.config, id).await? {
        Ok(()) => context.go(HOME, "Test message sent."),
        Err(fault) => context.go_sorry(HOME, &format!("Test message not sent. {}.", fault.message)),
    }
}

/// `POST /admin/notices/channels/{id}/remove`
pub async fn remove_channel(
    _: AdminPerson,
    context: PageContext,
    State(web): State<Web>,
    Path(id): Path<i64>,
) -> Result<Response> {
    let channel = web.db.write(&Scope::All, &context.actor(), move |w| store::remove_channel(w, id)).await?;
    context.go(HOME, &format!("{} is removed.", channel.name))
}

/// `POST /admin/notices/undelivered/{id}/retry`
pub async fn retry(_: AdminPerson, context: PageContext, State(web): State<Web>, Path(id): Path<i64>) -> Result<Response> {
    web.db.write(&Scope::All, &context.actor(), move |w| store::retry(w, id)).await?;
    context.go(HOME, "It is sent again.")
}
