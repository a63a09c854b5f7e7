//! Everybody who uses Codex, by the subject of their tokens: who they are and how they like their pages.
//! The same on the platform, where Nexus asks here for theme and start page, and stand-alone.

mod agents_api;
mod agents_page;
mod api;
pub mod keys;
mod model;
mod page_context;
mod psa;
mod psa_api;
mod psa_store;
pub mod settings;
pub mod store;
pub mod users_api;
mod views;

pub use self::{
    model::{Agent, AgentView, COLOR_SAMPLES, COLOR_THEMES, HOME_PAGES, Patch, Preferences, THEMES, UserView, VIEWS},
    page_context::PageContext,
    psa::PsaAgent,
    psa_store::list as psa_agents,
};
use crate::web::Routes;
use crate::web::openapi::schema as json;

/// The room's routes. On the platform it also answers for the users, who live in Keycloak.
#[must_use]
pub fn routes(stand_alone: bool) -> Routes {
    let routes = Routes::new()
        .get("/api/my/settings", api::show)
        .tells("Read your own settings", |schemas| {
            json::with(
                json::one::<Preferences>(schemas),
                &[("synced", json::flag()), ("username", json::text()), ("email", json::or_null(json::text()))],
            )
        })
        .put("/api/my/settings", api::update)
        .tells("Change your own settings", |schemas| {
            json::with(json::one::<Preferences>(schemas), &[("success", json::flag()), ("message", json::text())])
        })
        .takes(preferences)
        .get("/api/public/user/theme", api::theme)
        .tells("Tell the theme that a person has chosen", |_| {
            json::optional(&[
                ("theme", json::text()),
                ("color_theme", json::text()),
                ("source", json::text()),
                ("email", json::or_null(json::text())),
            ])
        })
        .asks(&[("email", "string", "The e-mail address of the person.")])
        .get("/api/public/user/home-page", api::home_page)
        .tells("Tell the home page that a person has chosen", |_| {
            json::optional(&[("home_page", json::text()), ("source", json::text()), ("email", json::or_null(json::text()))])
        })
        .asks(&[("email", "string", "The e-mail address of the person.")])
        .get("/api/agents", agents_api::index)
        .tells("List agents", |schemas| json::object(&[("total", json::int()), ("agents", json::list::<AgentView>(schemas))]))
        .get("/api/agents/{id}", agents_api::show)
        .tells("Read an agent", json::one::<AgentView>)
        .put("/api/agents/{id}/settings", agents_api::update)
        .tells("Change the settings of an agent", |schemas| {
            json::done(&[("message", json::text()), ("agent", json::one::<AgentView>(schemas))])
        })
        .takes(preferences)
        .get("/agents", agents_page::show)
        .get("/api/psa/agents", psa_api::index)
        .tells("List the agents of all service desks", json::list::<PsaAgent>)
        .post("/settings", settings::save)
        .merge(keys::routes())
        .merge(views::routes());
    if stand_alone {
        return routes;
    }
    routes
        .get("/settings", settings::show)
        .get("/api/users", users_api::index)
        .tells("List the people who sign in", json::list::<UserView>)
        .get("/api/users/{id}", users_api::show)
        .tells("Read a person who signs in", json::one::<UserView>)
}

/// What people choose for themselves.
fn preferences(_: &mut json::Schemas) -> serde_json::Value {
    json::optional(&[
        ("theme_preference", json::choice(&THEMES)),
        ("preferred_color_theme", json::choice(&COLOR_THEMES)),
        ("knowledgetree_view_preference", json::choice(&VIEWS)),
        ("home_page_preference", json::choice(&HOME_PAGES)),
    ])
}
