//! The account page: how somebody likes their pages. Stand-alone mode adds password and sessions to it.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use super::{COLOR_SAMPLES, COLOR_THEMES, HOME_PAGES, PageContext, Patch, VIEWS, keys, model::SYSTEM, store};
use crate::{
    auth::Person,
    error::Result,
    types::Scope,
    ui::{Choice, Field, Item, Page, Section, Table, Value, filters},
    web::{Fields, Web},
};

/// What only stand-alone mode knows about an account.
#[derive(Debug)]
pub struct Account {
    /// The password form; empty for who has no password.
    pub password: Vec<Field>,
    /// What is wrong with it, beyond single fields.
    pub problems: Vec<String>,
    /// Where the person is signed in.
    pub sessions: Table,
    /// Since when a second factor is asked for, and how many recovery codes are left.
    pub factor: Option<(Value, i64)>,
}

#[derive(Template)]
#[template(path = "agents/settings.html")]
struct SettingsPage {
    page: Page,
    facts: Vec<Item>,
    username: String,
    themes: Vec<Radio>,
    colors: Vec<Radio>,
    fields: Vec<Field>,
    keys: Table,
    account: Option<Account>,
}

/// One of several looks.
struct Radio {
    value: &'static str,
    label: String,
    /// The icon of a theme, the colour of a colour theme.
    sample: &'static str,
    chosen: bool,
}

/// `GET /settings` on the platform.
pub async fn show(context: PageContext, State(web): State<Web>) -> Result<Response> {
    page(&context, &web, StatusCode::OK, None).await
}

/// `POST /settings`
pub async fn save(context: PageContext, person: Person, State(web): State<Web>, fields: Fields) -> Result<Response> {
    let (patch, user) = (Patch::read_page(fields)?, person.user().clone());
    let actor = context.actor();
    let saved = web.db.write(&Scope::All, &actor, move |w| {
        let wanted = patch.applied_to(&store::preferences(w, &user.sub)?);
        store::save(w, &user, &wanted)
    });
    saved.await?;
    context.go("/settings", "Your settings are saved.")
}

/// The page, with what stand-alone mode adds to it.
pub async fn page(context: &PageContext, web: &Web, status: StatusCode, account: Option<Account>) -> Result<Response> {
    let Some(user) = context.caller.user().cloned() else { return context.go("/", "") };
    let subject = user.sub.clone();
    let known = web.db.read(&Scope::All, move |c| store::find(c, &subject)).await?;
    let mut chosen = known.as_ref().map(|agent| agent.preferences.clone()).unwrap_or_default();
    if known.is_none() {
        SYSTEM.clone_into(&mut chosen.theme_preference);
    }
    let standalone = context.page.standalone;
    let themes = [("light", "sun"), ("dark", "moon"), (SYSTEM, "sun-moon")];
    let offered = themes.into_iter().filter(|(value, _)| standalone || *value != SYSTEM);
    let word = |value: &str| Choice::new(value, capital(value));
    let page = SettingsPage {
        page: context.titled(Section::Settings, "Settings"),
        facts: vec![
            Item::new("Name", Value::text(Some(&user.name))),
            Item::new("User name", Value::text(Some(&user.username))),
            Item::new("E-mail", Value::text(Some(&user.email))),
            Item::new("Role", Value::words(user.level.title())),
        ],
        username: user.username.clone(),
        themes: offered
            .map(|(value, icon)| Radio { value, label: capital(value), sample: icon, chosen: value == chosen.theme_preference })
            .collect(),
        colors: COLOR_THEMES
            .into_iter()
            .zip(COLOR_SAMPLES)
            .map(|(value, sample)| Radio { value, label: capital(value), sample, chosen: value == chosen.preferred_color_theme })
            .collect(),
        // Neither Nexus nor KnowledgeTree is there when Codex stands alone.
        fields: if standalone {
            Vec::new()
        } else {
            vec![
                Field::select("home_page_preference", "Home page", chosen.home_page_preference, HOME_PAGES.map(word).to_vec())
                    .hint("Where Nexus leads after signing in."),
                Field::select(
                    "knowledgetree_view_preference",
                    "KnowledgeTree view",
                    chosen.knowledgetree_view_preference,
                    VIEWS.map(word).to_vec(),
                )
                .hint("How KnowledgeTree lists its pages."),
            ]
        },
        keys: keys::pages::own(context, web, &user.sub).await?,
        account,
    };
    context.show_as(status, &page)
}

fn capital(word: &str) -> String {
    if word == "knowledgetree" {
        return "KnowledgeTree".to_owned();
    }
    let mut letters = word.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
