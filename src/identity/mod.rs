//! People who sign in here, and the tokens they get: stand-alone mode only. On the platform Core does all
//! this, and the only route left says so.

mod account;
mod accounts_api;
mod attempt_store;
mod backchannel;
mod factor;
mod factor_pages;
mod factor_store;
mod first_run;
mod id_token;
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
mod sso;
mod sso_provider;
mod sso_store;
mod store;
mod tokens;
mod totp;
mod users_api;

use std::sync::Arc;

pub use self::{
    issue::Token,
    model::{NewUser, User},
    session_store::end_all as end_all_sessions,
};
use tokio::sync::OnceCell;

use self::{model::AccountView, sessions::SessionView, sso_provider::Provider};
use crate::web::openapi::schema as json;
use crate::{agents::UserView, auth::keys::Jwk};
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
    provider: Option<Arc<Provider>>,
}

impl Identity {
    /// The room over this database, with the key pair of this instance folder (made if there is none).
    pub fn open(db: Db, config: Arc<Config>, issuer: &str, service: &str) -> Result<Self> {
        let signer = Arc::new(Signer::open(&config.instance)?);
        let provider = config.oidc.clone().map(Provider::new).transpose()?.map(Arc::new);
        Ok(Self { provider, db, config, signer, issuer: issuer.into(), service: service.into(), published: Arc::default() })
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

/// Asks the provider of single sign-on what it says of itself: whether it can be used, and which it is; none is configured
/// otherwise.
pub async fn probe_provider(config: &Config) -> Option<Result<String, String>> {
    let oidc = config.oidc.clone().filter(|_| !config.on_platform())?;
    let document = async { Provider::new(oidc)?.document().await }.await;
    Some(document.map(|document| format!("{} answers", document.issuer)).map_err(|error| error.to_string()))
}

/// The routes of stand-alone mode. They need `Extension(Identity)` and `Extension(Arc<Verifier>)`.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get("/login", login::form)
        .post("/login", login::sign_in)
        .form("/login/code", "/login", login::code)
        .get("/login/sso", sso::begin)
        .get("/login/sso/callback", sso::callback)
        .post("/oidc/backchannel-logout", backchannel::end)
        .form("/logout", "/", login::sign_out)
        .get("/first-run", first_run::form)
        .post("/first-run", first_run::create)
        .get("/settings", account::show)
        .form("/account/password", "/settings", account::change_password)
        .form("/account/sign-out-everywhere", "/settings", account::sign_out_everywhere)
        .form("/account/sessions/end-others", "/settings", sessions::end_others_form)
        .form("/account/sessions/{session}/end", "/settings", sessions::end_form)
        .form("/account/second-factor", "/settings", factor_pages::begin)
        .form("/account/second-factor/confirm", "/settings", factor_pages::confirm)
        .form("/account/second-factor/codes", "/settings", factor_pages::codes)
        .form("/account/second-factor/off", "/settings", factor_pages::off)
        .get("/api/my/second-factor", factor_pages::show)
        .tells("Tell whether you sign in with a second factor", |_| {
            let since = json::or_null(json::text());
            json::object(&[("enabled", json::flag()), ("since", since), ("recovery_codes_left", json::int())])
        })
        .post("/api/my/second-factor", factor_pages::begin)
        .tells("Begin to set up a second factor", |_| json::object(&[("secret", json::text()), ("uri", json::text())]))
        .takes(|_| json::object(&[("current_password", json::text())]))
        .delete("/api/my/second-factor", factor_pages::off)
        .does("Turn your second factor off")
        .takes(|_| json::object(&[("current_password", json::text()), ("code", json::text())]))
        .post("/api/my/second-factor/confirm", factor_pages::confirm)
        .tells("Confirm your second factor with its first code", |_| {
            json::object(&[("enabled", json::flag()), ("recovery_codes", json::array(json::text()))])
        })
        .takes(|_| json::object(&[("code", json::text())]))
        .post("/api/my/second-factor/recovery-codes", factor_pages::codes)
        .tells("Make your recovery codes anew", |_| json::object(&[("recovery_codes", json::array(json::text()))]))
        .takes(|_| json::object(&[("current_password", json::text()), ("code", json::text())]))
        .put("/api/my/password", account::put_password)
        .does("Change your own password")
        .takes(|_| {
            let passwords = json::object(&[("current_password", json::text()), ("new_password", json::text())]);
            json::with(passwords, &[("revoke_keys", json::flag())])
        })
        .get("/api/my/sessions", sessions::index)
        .tells("List where you are signed in", json::list::<SessionView>)
        .delete("/api/my/sessions", sessions::end_others)
        .tells("End all your other sessions", |_| json::object(&[("ended", json::int())]))
        .delete("/api/my/sessions/{session}", sessions::end)
        .does("End one of your sessions")
        .get("/set-password", links::form)
        .post("/set-password", links::set)
        .get("/api/accounts", accounts_api::index)
        .tells("List the accounts of users", json::list::<AccountView>)
        .post("/api/accounts", accounts_api::create)
        .makes("Add an account, with a password or with an invitation link", |schemas| {
            json::with(json::one::<AccountView>(schemas), &[("link", json::one::<links::Link>(schemas))])
        })
        .takes(accounts_api::new_body)
        .get("/api/accounts/{id}", accounts_api::show)
        .tells("Read an account", json::one::<AccountView>)
        .update("/api/accounts/{id}", accounts_api::update)
        .tells("Change an account", json::written::<AccountView>)
        .takes(accounts_api::changed_body)
        .delete("/api/accounts/{id}/second-factor", factor_pages::off_by_admin)
        .does("Turn off the second factor of an account")
        .delete("/api/accounts/{id}/single-sign-on", sso::unlink)
        .does("Unlink an account from the provider of single sign-on")
        .form("/admin/users/{id}/single-sign-on/unlink", "/admin/users/{id}", sso::unlink_form)
        .post("/api/accounts/{id}/password-link", accounts_api::password_link)
        .tells("Make a link by which somebody sets their password", json::one::<links::Link>)
        .get("/api/accounts/{id}/sessions", sessions::of_account)
        .tells("List where somebody is signed in", json::list::<SessionView>)
        .delete("/api/accounts/{id}/sessions", sessions::end_all_of_account)
        .tells("End all sessions of an account", |_| json::object(&[("ended", json::int())]))
        .may_take(|_| json::optional(&[("revoke_keys", json::flag())]))
        .delete("/api/accounts/{id}/sessions/{session}", sessions::end_of_account)
        .does("End one session of an account")
        .form("/admin/users/{id}/sessions/end", "/admin/users/{id}", sessions::end_all_of_user)
        .form("/admin/users/{id}/sessions/{session}/end", "/admin/users/{id}", sessions::end_of_user)
        .get("/admin/users", people_pages::index)
        .get("/admin/users/new", people_pages::new)
        .post("/admin/users/new", people_pages::create)
        .get("/admin/users/{id}", person_page::show)
        .post("/admin/users/{id}", person_page::update)
        .form("/admin/users/{id}/second-factor/off", "/admin/users/{id}", factor_pages::off_by_admin_form)
        .form("/admin/users/{id}/link", "/admin/users/{id}", links::make)
        .form("/admin/users/{id}/password", "/admin/users/{id}", person_page::set_password)
        .form("/admin/users/{id}/enabled", "/admin/users/{id}", person_page::set_enabled)
        .merge(token_routes())
}

/// What programs written for Core ask of whoever issues tokens.
fn token_routes() -> Routes {
    Routes::new()
        .get("/.well-known/jwks.json", tokens::jwks)
        .tells("Publish the keys by which tokens are proved", |schemas| json::object(&[("keys", json::list::<Jwk>(schemas))]))
        .post("/api/token", tokens::create)
        .tells("Get a token for a name and a password", |_| {
            json::object(&[("token", json::text()), ("token_type", json::text()), ("expires_in", json::int())])
        })
        .takes(sign_in_body)
        .post("/api/token/validate", tokens::validate)
        .tells("Tell whose token it is", |_| json::object(&[("valid", json::flag()), ("user", tokens::described_answer())]))
        .may_take(|_| json::optional(&[("token", json::or_null(json::text()))]))
        .answers(400, "There is no token.", |_| json::optional(&[("error", json::text()), ("valid", json::flag())]))
        .answers(401, "The token is not, or no longer, valid.", tokens::invalid_answer)
        .post("/api/token/revoke", tokens::revoke)
        .tells("End the session of a token", |_| json::object(&[("message", json::text())]))
        .may_take(|_| json::optional(&[("token", json::or_null(json::text()))]))
        .answers(404, "The session had ended before.", |_| json::object(&[("message", json::text())]))
        .post("/service-token", tokens::service)
        .tells("Get a token for a service", |_| {
            json::object(&[("token", json::text()), ("token_type", json::text()), ("expires_in", json::int())])
        })
        .takes(|_| {
            let needed = json::object(&[("calling_service", json::some_text()), ("client_secret", json::some_text())]);
            json::with(needed, &[("target_service", json::text())])
        })
        .get("/api/users", users_api::index)
        .tells("List the people who sign in", json::list::<UserView>)
        .get("/api/users/{id}", users_api::show)
        .tells("Read a person who signs in", json::one::<UserView>)
}

/// What somebody signs in with.
fn sign_in_body(_: &mut json::Schemas) -> serde_json::Value {
    let needed = json::object(&[("username", json::some_text()), ("password", json::some_text())]);
    json::with(needed, &[("code", json::text())])
}

/// What is left of them on the platform.
#[must_use]
pub fn platform_routes() -> Routes {
    Routes::new()
        .post("/api/token", tokens::gone)
        .tells("Get a token for a name and a password", |_| {
            json::object(&[("token", json::text()), ("token_type", json::text()), ("expires_in", json::int())])
        })
        .takes(sign_in_body)
}
