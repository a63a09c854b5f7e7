//! Programs that may ask for service tokens, managed from the command line.

use super::{Identity, session_store};
use crate::{
    auth::{is_service_name, secret},
    error::{Error, Result},
    types::{Actor, Scope},
};

impl Identity {
    /// Registers a service client, or gives it a new secret. The secret is shown this once.
    pub async fn add_client(&self, actor: &Actor, name: &str) -> Result<String> {
        check_name(name)?;
        let made = secret::random()?;
        let (name, hash) = (name.to_owned(), secret::hash(&made));
        self.db.write(&Scope::All, actor, move |w| session_store::put_client(w, &name, &hash)).await?;
        Ok(made)
    }

    /// The registered service clients: name and time of registration.
    pub async fn clients(&self) -> Result<Vec<(String, String)>> {
        self.db.read(&Scope::All, session_store::clients).await
    }

    /// Removes a service client; its tokens end at once.
    pub async fn remove_client(&self, actor: &Actor, name: &str) -> Result<()> {
        let name = name.to_owned();
        let removed = self.db.write(&Scope::All, actor, move |w| session_store::remove_client(w, &name)).await?;
        if removed { Ok(()) } else { Err(Error::NotFound { what: "Service client" }) }
    }

    /// A token for a service, without its secret: for the command line, whose user owns the keys.
    pub async fn token_for_service(&self, actor: &Actor, name: &str, seconds: Option<i64>) -> Result<super::Token> {
        check_name(name)?;
        let target = self.service.clone();
        self.issue_service(actor, name, &target, seconds.unwrap_or(super::issue::API_SECONDS)).await
    }
}

fn check_name(name: &str) -> Result<()> {
    if is_service_name(name) {
        return Ok(());
    }
    Err(Error::field("service", "must have 1 to 64 letters, digits, '-', '_' or '.'"))
}
