//! One's own account: how pages look, where one starts, and the password.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use super::{edit::Typed, words};
use crate::{
    agents::{COLOR_THEMES, Frame, HOME_PAGES, Patch, store as agents},
    auth::Person,
    error::{Error, FieldError, Result},
    web::{
        Fields, Web,
        view::{Choice, Field, Flash, Page, Section, filters, form},
    },
};

#[derive(Template)]
#[template(path = "settings.html")]
struct Settings {
    page: Page,
    person: Vec<(&'static str, String)>,
    themes: Vec<(Choice, bool)>,
    colors: Vec<(Choice, bool)>,
    home: Option<Field>,
    problems: Vec<String>,
    password: Vec<Field>,
}

/// `GET /settings`, `GET /account`
pub async fn show(person: Person, State(web): State<Web>, mut frame: Frame) -> Result<Response> {
    if frame.query.get("saved") == Some("password") && frame.page.flash.is_none() {
        frame.page.flash = Some(Flash { kind: "success", text: "The password is changed.".to_owned() });
    }
    page(&web, &frame, &person, StatusCode::OK, &[]).await
}

/// `POST /settings`
pub async fn save(State(web): State<Web>, person: Person, frame: Frame, fields: Fields) -> Result<Response> {
    let patch = match Patch::read(fields) {
        Ok(patch) => patch,
        Err(Error::Invalid(wrong)) => return page(&web, &frame, &person, StatusCode::BAD_REQUEST, &wrong).await,
        Err(other) => return Err(other),
    };
    let user = person.user().clone();
    web.db
        .write(&crate::types::Scope::All, &frame.actor(), move |w| {
            let wanted = patch.applied_to(&agents::preferences(w, &user.sub)?);
            agents::save(w, &user, &wanted)
        })
        .await?;
    frame.go("/settings", "Saved.")
}

async fn page(web: &Web, frame: &Frame, person: &Person, status: StatusCode, wrong: &[FieldError]) -> Result<Response> {
    let user = person.user().clone();
    let subject = user.sub.clone();
    let chosen = web.db.read(&crate::types::Scope::All, move |c| agents::preferences(c, &subject)).await?;
    let typed = Typed::of(&chosen)?;
    let page = frame.titled(Section::Settings, "Settings");
    let mark = |value: &str, label: String, chosen: &str| (Choice::new(value, label), value == chosen);
    let password = vec![
        Field::line("password", "current_password", "Current password", "").required().autocomplete("current-password"),
        Field::line("password", "new_password", "New password", "").required().autocomplete("new-password"),
        Field::line("password", "repeat_password", "New password again", "").required().autocomplete("new-password"),
    ];
    let mut home = vec![Field::select(
        "home_page_preference",
        "Start page",
        typed.text("home_page_preference"),
        HOME_PAGES.iter().map(|page| Choice::new(*page, words(page))).collect(),
    )];
    let problems = form::place_errors(&mut home, wrong);
    let settings = Settings {
        themes: vec![mark("light", "Light".to_owned(), &page.theme), mark("dark", "Dark".to_owned(), &page.theme)],
        colors: COLOR_THEMES.iter().map(|color| mark(color, words(color), &page.color_theme)).collect(),
        person: vec![
            ("Name", user.name.clone()),
            ("Sign-in name", user.username.clone()),
            ("E-mail", user.email.clone()),
            ("Role", page.reader.as_ref().map_or("", |reader| reader.role).to_owned()),
        ],
        home: if page.standalone { None } else { home.pop() },
        problems,
        password: if page.standalone { password } else { Vec::new() },
        page,
    };
    frame.show_as(status, &settings)
}
