//! People who sign in here, and the tokens they get: stand-alone mode only. On the platform Core does all
//! this, and the only route left says so.

mod account;
mod accounts_api;
mod attempt_store;
mod factor;
mod factor_pages;
mod factor_store;
mod first_run;
mod issue;
mod limits;
mod link_store;
mod links;
mod login;
mod model;
mod origin;
mod pages;
mod password;
mod people;
mod people_pages;
mod person_page;
mod services;
mod session_store;
mod sessions;
mod sign_in;
mod store;
mod tokens;
mod totp;
mod users_api;

use std::sync::Arc;

pub use self::{
    issue::Token,
    model::{NewUser, User},
};
use tokio::sync::OnceCell;

use crate::{
    auth::{Signer, local},
    config::Config,
    db::Db,
    error::Result,
    web::Routes,
};

/// Everything the room needs; cheap to clone.
#[derive(Clone, Debug)]
pub struct Identity {
    db: Db,
    config: Arc<Config>,
    signer: Arc<Signer>,
    issuer: Arc<str>,
    service: Arc<str>,
    published: Arc<OnceCell<()>>,
}

impl Identity {
    /// The room over this database, with the key pair of this instance folder (made if there is none).
    pub fn open(db: Db, config: Arc<Config>, issuer: &str, service: &str) -> Result<Self> {
        let signer = Arc::new(Signer::open(&config.instance)?);
        Ok(Self { db, config, signer, issuer: issuer.into(), service: service.into(), published: Arc::default() })
    }

    /// What signs our tokens.
    #[must_use]
    pub fn signer(&self) -> Arc<Signer> {
        self.signer.clone()
    }

    /// Makes the public half of our key known to every instance, before the first token is out.
    async fn publish_key(&self) -> Result<()> {
        self.published.get_or_try_init(|| local::publish(&self.db, &self.signer)).await.copied()
    }
}

/// The routes of stand-alone mode. They need `Extension(Identity)` and `Extension(Arc<Verifier>)`.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/login", login::form)
        .post("/login", login::sign_in)
        .form("/login/code", "/login", login::code)
        .form("/logout", "/", login::sign_out)
        .get("/first-run", first_run::form)
        .post("/first-run", first_run::create)
        .get("/settings", account::show)
        .form("/account/password", "/settings", account::change_password)
        .form("/account/sign-out-everywhere", "/settings", account::sign_out_everywhere)
        .form("/account/sessions/end-others", "/settings", sessions::end_others_form)
        .form("/account/sessions/{session}/end", "/settings", sessions::end_form)
        .form("/account/second-factor", "/settings", factor_pages::begin_form)
        .form("/account/second-factor/confirm", "/settings", factor_pages::confirm_form)
        .form("/account/second-factor/codes", "/settings", factor_pages::codes_form)
        .form("/account/second-factor/off", "/settings", factor_pages::off_form)
        .get("/api/my/second-factor", factor_pages::show)
        .post("/api/my/second-factor", factor_pages::begin)
        .delete("/api/my/second-factor", factor_pages::off)
        .post("/api/my/second-factor/confirm", factor_pages::confirm)
        .post("/api/my/second-factor/recovery-codes", factor_pages::codes)
        .put("/api/my/password", account::put_password)
        .get("/api/my/sessions", sessions::index)
        .delete("/api/my/sessions", sessions::end_others)
        .delete("/api/my/sessions/{session}", sessions::end)
        .get("/set-password", links::form)
        .post("/set-password", links::set)
        .get("/api/accounts", accounts_api::index)
        .post("/api/accounts", accounts_api::create)
        .get("/api/accounts/{id}", accounts_api::show)
        .update("/api/accounts/{id}", accounts_api::update)
        .delete("/api/accounts/{id}/second-factor", factor_pages::off_by_admin)
        .post("/api/accounts/{id}/password-link", accounts_api::password_link)
        .get("/admin/users", people_pages::index)
        .get("/admin/users/new", people_pages::new)
        .post("/admin/users/new", people_pages::create)
        .get("/admin/users/{id}", person_page::show)
        .post("/admin/users/{id}", person_page::update)
        .form("/admin/users/{id}/second-factor/off", "/admin/users/{id}", factor_pages::off_by_admin_form)
        .form("/admin/users/{id}/link", "/admin/users/{id}", links::make)
        .form("/admin/users/{id}/password", "/admin/users/{id}", person_page::set_password)
        .form("/admin/users/{id}/enabled", "/admin/users/{id}", person_page::set_enabled)
        .get("/.well-known/jwks.json", tokens::jwks)
        .post("/api/token", tokens::create)
        .post("/api/token/validate", tokens::validate)
        .post("/api/token/revoke", tokens::revoke)
        .post("/service-token", tokens::service)
        .get("/api/users", users_api::index)
        .get("/api/users/{id}", users_api::show)
}

/// What is left of them on the platform.
#[must_use]
pub fn platform_routes() -> Routes {
    Routes::new().post("/api/token", tokens::gone)
}
