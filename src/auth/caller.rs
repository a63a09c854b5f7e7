//! Who makes a request, once the token has been proved: the same for both ways to run Codex.

use std::sync::Arc;

use super::Level;
use crate::types::{Actor, ActorKind, Scope};

/// A person, as the token (and in stand-alone mode the user row) describes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Stable id: Keycloak's on the platform, our own otherwise.
    pub sub: String,
    /// Full name; may be empty.
    pub name: String,
    /// E-mail as the token spells it; may be empty.
    pub email: String,
    /// Sign-in name; may be empty.
    pub username: String,
    /// What they may do.
    pub level: Level,
    /// The session, when the token belongs to one.
    pub jti: Option<String>,
    /// The companies a client belongs to; unused for everybody else.
    pub companies: Arc<[i64]>,
}

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A person.
    User(User),
    /// Another program of the platform, by its service name.
    Service {
        /// `ledger`, `beacon`, …
        name: String,
    },
}

impl Caller {
    /// The tenant boundary of everything this caller reads or writes.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match self {
            Self::User(user) if user.level == Level::Client => Scope::Companies(user.companies.clone()),
            Self::User(_) | Self::Service { .. } => Scope::All,
        }
    }

    /// The hand to write beside this caller's changes. A person's edit pins a synced field; a service
    /// that wants to pin asks for it (`pin=true`), and its handler sets `pins`.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let kind = if self.is_service() { ActorKind::Service } else { ActorKind::User };
        let lowers_protection = self.level() == Some(Level::Admin);
        Actor { kind, name: self.name().to_owned(), source: None, run_id: None, pins: !self.is_service(), lowers_protection }
    }

    /// The person's level; none for a service, which is not bound by one.
    #[must_use]
    pub fn level(&self) -> Option<Level> {
        self.user().map(|user| user.level)
    }

    /// The person behind the request, if one is.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        match self {
            Self::User(user) => Some(user),
            Self::Service { .. } => None,
        }
    }

    /// Whether another program is calling.
    #[must_use]
    pub fn is_service(&self) -> bool {
        matches!(self, Self::Service { .. })
    }

    /// Whether this caller may do everything.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        matches!(self.level(), None | Some(Level::Admin))
    }

    /// Whether this caller works here: may edit companies, contacts, assets.
    #[must_use]
    pub fn is_staff(&self) -> bool {
        matches!(self.level(), None | Some(Level::Admin | Level::Technician))
    }

    /// A name a person recognises: sign-in name, else full name, e-mail or id; a service's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Service { name } => name,
            Self::User(user) => {
                let names = [&user.username, &user.name, &user.email];
                names.into_iter().find(|name| !name.is_empty()).unwrap_or(&user.sub)
            }
        }
    }
}
