//! A person's preferences and the values that they may take.

use serde::Serialize;

use crate::{
    auth::{Level, User},
    error::Result,
    web::Fields,
};

/// What `theme_preference` may be.
pub const THEMES: [&str; 2] = ["light", "dark"];
/// What the account page offers besides: whatever the system says. Neighbours know the other two only.
pub const SYSTEM: &str = "system";
/// What `preferred_color_theme` may be.
pub const COLOR_THEMES: [&str; 9] = ["purple", "blue", "green", "orange", "gold", "red", "yellow", "matrix", "bee"];
/// Nexus's colour for each of them, in its light theme (`--color-primary` in its `global.css`).
pub const COLOR_SAMPLES: [&str; 9] =
    ["#6366f1", "#0ea5e9", "#059669", "#f97316", "#b39b7e", "#dc2626", "#eab308", "#00ff41", "#ffb300"];
/// What `knowledgetree_view_preference` may be; `list` is what `KnowledgeTree`'s own page sends.
pub const VIEWS: [&str; 4] = ["grid", "tree", "hierarchy", "list"];
/// What `home_page_preference` may be.
pub const HOME_PAGES: [&str; 7] = ["beacon", "knowledgetree", "brainhair", "codex", "ledger", "archive", "helm"];

/// How somebody likes their pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Preferences {
    /// `light`, `dark`, or [`SYSTEM`].
    pub theme_preference: String,
    /// One of the nine accents.
    pub preferred_color_theme: String,
    /// How `KnowledgeTree` shows its tree.
    pub knowledgetree_view_preference: String,
    /// Where Nexus leads after signing in.
    pub home_page_preference: String,
}

impl Default for Preferences {
    fn default() -> Self {
        let [theme, color, view, home] = [THEMES[0], COLOR_THEMES[0], VIEWS[0], HOME_PAGES[0]].map(str::to_owned);
        Self {
            theme_preference: theme,
            preferred_color_theme: color,
            knowledgetree_view_preference: view,
            home_page_preference: home,
        }
    }
}

impl Preferences {
    /// The same in the words that neighbours know.
    #[must_use]
    pub fn told(mut self) -> Self {
        if self.theme_preference == SYSTEM {
            THEMES[0].clone_into(&mut self.theme_preference);
        }
        self
    }
}

/// The preferences that somebody sends; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    theme: Option<String>,
    color_theme: Option<String>,
    view: Option<String>,
    home_page: Option<String>,
}

impl Patch {
    /// Reads and checks what was sent, naming every wrong value.
    pub fn read(fields: Fields) -> Result<Self> {
        Self::read_with(fields, &THEMES)
    }

    /// The same from our own page, which offers one theme more.
    pub fn read_page(fields: Fields) -> Result<Self> {
        Self::read_with(fields, &[THEMES[0], THEMES[1], SYSTEM])
    }

    fn read_with(mut fields: Fields, themes: &[&str]) -> Result<Self> {
        let patch = Self {
            theme: fields.text("theme_preference").not_null().one_of(themes).value(),
            color_theme: fields.text("preferred_color_theme").not_null().one_of(&COLOR_THEMES).value(),
            view: fields.text("knowledgetree_view_preference").not_null().one_of(&VIEWS).value(),
            home_page: fields.text("home_page_preference").not_null().one_of(&HOME_PAGES).value(),
        };
        fields.finish()?;
        Ok(patch)
    }

    /// The preferences with these changes.
    #[must_use]
    pub fn applied_to(self, before: &Preferences) -> Preferences {
        let or = |sent: Option<String>, kept: &String| sent.unwrap_or_else(|| kept.clone());
        Preferences {
            theme_preference: or(self.theme, &before.theme_preference),
            preferred_color_theme: or(self.color_theme, &before.preferred_color_theme),
            knowledgetree_view_preference: or(self.view, &before.knowledgetree_view_preference),
            home_page_preference: or(self.home_page, &before.home_page_preference),
        }
    }
}

/// A person as far as their tokens and their own choices tell.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Our id.
    pub id: i64,
    /// The subject of their tokens.
    pub subject: String,
    pub username: String,
    pub email: Option<String>,
    pub name: String,
    pub permission_level: String,
    /// Their choices.
    pub preferences: Preferences,
    /// Whether they may use Codex, as far as Keycloak has said.
    pub enabled: bool,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub created_at: String,
    pub updated_at: String,
    /// When Keycloak was last asked about them.
    pub last_synced_at: Option<String>,
    /// As of when the rest is known, in seconds since 1970.
    pub told_at: Option<i64>,
}

/// An agent as contract §1.9.1 has it, with the words of its first description at the end.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Agent)]
pub struct AgentView {
    pub keycloak_id: String,
    pub username: String,
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub enabled: bool,
    #[serde(flatten)]
    pub preferences: Preferences,
    pub created_at: String,
    pub updated_at: String,
    pub last_synced_at: Option<String>,
    pub id: String,
    pub name: String,
    pub theme: String,
    pub permission_level: String,
}

impl AgentView {
    /// An agent whose names and address are shown as this user's, which the policy has looked at.
    #[must_use]
    pub fn new(agent: Agent, seen: UserView) -> Self {
        let preferences = agent.preferences.told();
        let shown = |name: Option<String>| name.filter(|_| !seen.is_hidden);
        Self {
            id: agent.subject.clone(),
            keycloak_id: agent.subject,
            username: seen.username,
            email: seen.email,
            first_name: shown(agent.first_name),
            last_name: shown(agent.last_name),
            enabled: agent.enabled,
            theme: preferences.theme_preference.clone(),
            preferences,
            created_at: agent.created_at,
            updated_at: agent.updated_at,
            last_synced_at: agent.last_synced_at,
            name: seen.name,
            permission_level: agent.permission_level,
        }
    }
}

impl Agent {
    /// The same as whoever makes a request; a client still without companies.
    #[must_use]
    pub fn into_user(self) -> User {
        User {
            sub: self.subject,
            name: self.name,
            email: self.email.unwrap_or_default(),
            username: self.username,
            level: Level::from_claim(Some(&self.permission_level)),
            jti: None,
            companies: [].into(),
            known_at: self.told_at,
        }
    }
}

/// A number or a text.
fn either_id() -> utoipa::openapi::schema::Object {
    use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
    ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Integer, Type::String])).build()
}

/// A user as `/api/users` shows them; `id` is a number stand-alone and Keycloak's id on the platform.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = User)]
pub struct UserView {
    /// Id.
    #[schema(schema_with = either_id)]
    pub id: serde_json::Value,
    pub username: String,
    pub email: Option<String>,
    /// Account number of the client's company.
    pub company_account_number: Option<String>,
    pub permission_level: String,
    pub name: String,
    /// Whether they may sign in.
    pub enabled: bool,
    /// Whether the policy has kept their name back.
    #[serde(skip)]
    pub is_hidden: bool,
}
