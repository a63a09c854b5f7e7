//! Everything that changes a person: one function for each, used by pages, API and command line alike.

use super::{
    Identity,
    issue::{API_SECONDS, Token},
    model::{NewUser, User},
    password, session_store,
    session_store::Kind,
    store,
};
use crate::{
    agents::UserView,
    auth,
    db::Write,
    error::{Error, Result},
    types::{Actor, Scope},
};

impl Identity {
    /// Adds a person, whose fields have been checked; without a password nobody signs in as them until they set one.
    pub async fn create(&self, actor: &Actor, new: NewUser, password: Option<String>) -> Result<User> {
        if let Some(password) = &password {
            password::check("password", password, &new.username)?;
        }
        let hash = match password {
            Some(password) => Some(password::hash(password).await?),
            None => None,
        };
        self.db.write(&Scope::All, actor, move |w| create(w, new, hash.as_deref())).await
    }

    /// Adds a person who can sign in with this password, or is to set one. For a client, `company` is the account number.
    pub async fn add(&self, actor: &Actor, new: NewUser, company: Option<String>, password: Option<String>) -> Result<User> {
        let read = self.db.read(&Scope::All, move |c| {
            let company_id = company.as_deref().map(|key| store::company_id(c, key)).transpose()?;
            NewUser { company_id, ..new }.checked()
        });
        self.create(actor, read.await?, password).await
    }

    /// Changes who a person is and what they may do. For a client, `company` is the account number.
    pub async fn update(&self, actor: &Actor, id: i64, new: NewUser, company: Option<String>) -> Result<User> {
        self.db
            .write(&Scope::All, actor, move |w| {
                let company_id = company.as_deref().map(|key| store::company_id(w, key)).transpose()?;
                let new = NewUser { company_id, ..new }.checked()?;
                free(w, &new, Some(id))?;
                store::update(w, id, &new)
            })
            .await
    }

    /// Everybody, by sign-in name.
    pub async fn list(&self) -> Result<Vec<UserView>> {
        self.db.read(&Scope::All, store::list).await
    }

    /// Sets a person's password and ends their sessions, except the one that asks for it, and their API keys when that is said.
    pub async fn set_password(
        &self,
        actor: &Actor,
        login: &str,
        password: String,
        (except, keys): (Option<String>, bool),
    ) -> Result<User> {
        let user = self.find(login).await?;
        password::check("password", &password, &user.username)?;
        let hash = password::hash(password).await?;
        self.db
            .write(&Scope::All, actor, move |w| {
                let user = store::set_password(w, user.id, &hash)?;
                session_store::revoke_user(w, user.id, except.as_deref())?;
                if keys {
                    auth::api_key_store::revoke_all(w, &user.subject)?;
                }
                Ok(user)
            })
            .await
    }

    /// Lets a person in, or shuts them out at once: their sessions end in the same transaction.
    pub async fn set_enabled(&self, actor: &Actor, login: &str, enabled: bool) -> Result<User> {
        let user = self.find(login).await?;
        self.db
            .write(&Scope::All, actor, move |w| {
                if !enabled {
                    session_store::revoke_user(w, user.id, None)?;
                }
                store::set_enabled(w, user.id, enabled)
            })
            .await
    }

    /// Turns a person's second factor off: for the command line.
    pub async fn remove_factor_of(&self, actor: &Actor, login: &str) -> Result<User> {
        let user = self.find(login).await?;
        self.remove_factor(actor, user.id).await?;
        Ok(user)
    }

    /// A token for a person, without their password: for the command line, whose user owns the keys.
    pub async fn token_for(&self, actor: &Actor, login: &str, seconds: Option<i64>) -> Result<Token> {
        self.publish_key().await?;
        let (user, identity) = (self.find(login).await?, self.clone());
        if !user.enabled {
            return Err(Error::conflict(format!("{} is disabled", user.username)));
        }
        let seconds = seconds.unwrap_or(API_SECONDS);
        self.db.write(&Scope::All, actor, move |w| identity.issue_user(w, &user, (Kind::Api, seconds), None)).await
    }

    /// The person with this sign-in name or e-mail, as whoever makes a request.
    pub async fn person(&self, login: &str) -> Result<auth::User> {
        let user = self.find(login).await?;
        Ok(auth::User {
            sub: user.subject,
            name: user.name,
            email: user.email,
            username: user.username,
            level: user.role,
            jti: None,
            companies: user.company_id.into_iter().collect(),
            known_at: None,
        })
    }

    async fn find(&self, login: &str) -> Result<User> {
        let login = login.to_owned();
        let found = self.db.read(&Scope::All, move |c| store::find(c, &login)).await?;
        found.ok_or(Error::NotFound { what: "User" })
    }
}

/// Stores a new person; a name or address that is taken is named.
pub(super) fn create(w: &mut Write<'_>, new: NewUser, hash: Option<&str>) -> Result<User> {
    free(w, &new, None)?;
    let user = store::create(w, new)?;
    match hash {
        Some(hash) => store::set_password(w, user.id, hash),
        None => Ok(user),
    }
}

/// Whether nobody else goes by this name or address.
pub(super) fn free(w: &mut Write<'_>, new: &NewUser, own: Option<i64>) -> Result<()> {
    for (field, value) in [("username", &new.username), ("email", &new.email)] {
        if store::find(w, value)?.is_some_and(|other| Some(other.id) != own) {
            return Err(Error::taken(field, "is taken by another user"));
        }
    }
    Ok(())
}
