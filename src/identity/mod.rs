//! People who sign in here, and the tokens they get: stand-alone mode only. On the platform Core does all
//! this, and the only route left says so.

mod account;
mod attempt_store;
mod first_run;
mod issue;
mod limits;
mod login;
mod model;
mod pages;
mod password;
mod people;
mod people_pages;
mod person_page;
mod secret;
mod services;
mod session_store;
mod sign_in;
mod store;
mod tokens;
mod users_api;

use std::{path::Path, sync::Arc};

pub use self::{
    issue::Token,
    model::{NewUser, User},
};
use tokio::sync::OnceCell;

use crate::web::openapi::schema as json;
use crate::{agents::UserView, auth::keys::Jwk};
use crate::{
    auth::{Signer, local},
    db::Db,
    error::Result,
    web::Routes,
};

/// Everything the room needs; cheap to clone.
#[derive(Clone, Debug)]
pub struct Identity {
    db: Db,
    signer: Arc<Signer>,
    issuer: Arc<str>,
    service: Arc<str>,
    published: Arc<OnceCell<()>>,
}

impl Identity {
    /// The room over this database, with the key pair of this instance folder (made if there is none).
    pub fn open(db: Db, instance: &Path, issuer: &str, service: &str) -> Result<Self> {
        let signer = Arc::new(Signer::open(instance)?);
        Ok(Self { db, signer, issuer: issuer.into(), service: service.into(), published: Arc::default() })
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
        .form("/logout", "/", login::sign_out)
        .get("/first-run", first_run::form)
        .post("/first-run", first_run::create)
        .get("/settings", account::show)
        .form("/account/password", "/settings", account::change_password)
        .form("/account/sign-out-everywhere", "/settings", account::sign_out_everywhere)
        .put("/api/my/password", account::put_password)
        .tells("Change your own password", |_| json::any())
        .takes(|_| json::object(&[("current_password", json::text()), ("new_password", json::text())]))
        .get("/admin/users", people_pages::index)
        .get("/admin/users/new", people_pages::new)
        .post("/admin/users/new", people_pages::create)
        .get("/admin/users/{id}", person_page::show)
        .post("/admin/users/{id}", person_page::update)
        .form("/admin/users/{id}/password", "/admin/users/{id}", person_page::set_password)
        .form("/admin/users/{id}/enabled", "/admin/users/{id}", person_page::set_enabled)
        .get("/.well-known/jwks.json", tokens::jwks)
        .tells("Publish the keys by which tokens are proved", |schemas| json::object(&[("keys", json::list::<Jwk>(schemas))]))
        .post("/api/token", tokens::create)
        .tells("Get a token for a name and a password", |_| {
            json::object(&[("token", json::text()), ("token_type", json::text()), ("expires_in", json::int())])
        })
        .takes(|_| json::object(&[("username", json::text()), ("password", json::text())]))
        .post("/api/token/validate", tokens::validate)
        .tells("Tell whose token it is", |_| {
            json::optional(&[("valid", json::flag()), ("user", json::any()), ("error", json::text())])
        })
        .takes(|_| json::optional(&[("token", json::text())]))
        .post("/api/token/revoke", tokens::revoke)
        .tells("End the session of a token", |_| json::optional(&[("message", json::text())]))
        .takes(|_| json::optional(&[("token", json::text())]))
        .post("/service-token", tokens::service)
        .tells("Get a token for a service", |_| {
            json::object(&[("token", json::text()), ("token_type", json::text()), ("expires_in", json::int())])
        })
        .takes(|_| {
            json::optional(&[
                ("calling_service", json::text()),
                ("client_secret", json::text()),
                ("target_service", json::text()),
            ])
        })
        .get("/api/users", users_api::index)
        .tells("List the people who sign in", json::list::<UserView>)
        .get("/api/users/{id}", users_api::show)
        .tells("Read a person who signs in", json::one::<UserView>)
}

/// What is left of them on the platform.
#[must_use]
pub fn platform_routes() -> Routes {
    Routes::new()
        .post("/api/token", tokens::gone)
        .tells("Get a token for a name and a password", |_| {
            json::object(&[("token", json::text()), ("token_type", json::text()), ("expires_in", json::int())])
        })
        .takes(|_| json::object(&[("username", json::text()), ("password", json::text())]))
}
