//! Everybody who uses Codex, by the subject of their tokens: who they are and how they like their pages.
//! The same on the platform, where Nexus asks here for theme and start page, and stand-alone.

mod agents_api;
mod agents_page;
mod api;
mod frame;
pub mod keys;
mod model;
mod psa;
mod psa_api;
mod psa_store;
pub mod settings;
pub mod store;
pub mod users_api;

pub use self::{
    frame::Frame,
    model::{Agent, AgentView, COLOR_THEMES, HOME_PAGES, Patch, Preferences, THEMES, UserView, VIEWS},
    psa::PsaAgent,
    psa_store::list as psa_agents,
};
use crate::web::Routes;

/// The room's routes. On the platform it also answers for the users, who live in Keycloak.
#[must_use]
pub fn routes(stand_alone: bool) -> Routes {
    let routes = Routes::new()
        .get("/api/my/settings", api::show)
        .put("/api/my/settings", api::update)
        .get("/api/public/user/theme", api::theme)
        .get("/api/public/user/home-page", api::home_page)
        .get("/api/agents", agents_api::index)
        .get("/api/agents/{id}", agents_api::show)
        .put("/api/agents/{id}/settings", agents_api::update)
        .get("/agents", agents_page::show)
        .get("/api/psa/agents", psa_api::index)
        .post("/settings", settings::save)
        .merge(keys::routes());
    if stand_alone {
        return routes;
    }
    routes.get("/settings", settings::show).get("/api/users", users_api::index).get("/api/users/{id}", users_api::show)
}
