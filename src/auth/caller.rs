//! Who makes a request, once the token has been proved: the same for both ways to run Codex.

use std::sync::Arc;

use super::Level;
use crate::config::Config;
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
    /// As of when this is true, in seconds since 1970, when that is known.
    pub known_at: Option<i64>,
}

/// A program of a person's own, which acts for them with an API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyHolder {
    /// The key's own id.
    pub id: i64,
    /// What the key is called wherever somebody is named, with whose it is.
    pub name: String,
    /// Whoever made it, as they are now.
    pub owner: User,
    /// The companies it is limited to.
    pub companies: Option<Arc<[i64]>>,
    /// The kinds of records it is limited to.
    pub types: Option<Arc<[String]>>,
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
    /// A program with an API key: it may do what its owner may do, within the limits of the key.
    Key(KeyHolder),
}

impl Caller {
    /// The tenant boundary of everything this caller reads or writes.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match self {
            Self::User(user) => of_user(user),
            Self::Service { .. } => Scope::All,
            Self::Key(key) => match (of_user(&key.owner), &key.companies) {
                (owner, None) => owner,
                (Scope::All, Some(limit)) => Scope::Companies(limit.clone()),
                (Scope::Companies(own), Some(limit)) => {
                    Scope::Companies(own.iter().filter(|id| limit.contains(id)).copied().collect())
                }
            },
        }
    }

    /// The hand to write beside this caller's changes. A person's edit pins a synced field, also by a program of theirs;
    /// a service that wants to pin asks for it (`pin=true`), and its handler sets `pins`.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let lowers_protection = self.user().is_some_and(|user| user.level == Level::Admin);
        Actor {
            kind: self.kind(),
            name: self.name().to_owned(),
            source: None,
            run_id: None,
            pins: !self.is_service(),
            lowers_protection,
        }
    }

    /// What kind of caller it is.
    #[must_use]
    pub fn kind(&self) -> ActorKind {
        match self {
            Self::User(_) => ActorKind::User,
            Self::Service { .. } => ActorKind::Service,
            Self::Key(_) => ActorKind::Key,
        }
    }

    /// The level of the person, or of whoever made the key; none for a service, which is not bound by one.
    #[must_use]
    pub fn level(&self) -> Option<Level> {
        match self {
            Self::User(user) => Some(user.level),
            Self::Key(key) => Some(key.owner.level),
            Self::Service { .. } => None,
        }
    }

    /// The person in front of the request, if one is; a program of theirs is none.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        match self {
            Self::User(user) => Some(user),
            Self::Service { .. } | Self::Key(_) => None,
        }
    }

    /// The kinds of records that this caller reaches; none stands for all.
    #[must_use]
    pub fn types(&self) -> Option<Arc<[String]>> {
        match self {
            Self::Key(key) => key.types.clone(),
            Self::User(_) | Self::Service { .. } => None,
        }
    }

    /// Whether the operator lets this caller see everything of protected people: technicians, administrators, and the
    /// services that the configuration names.
    #[must_use]
    pub fn is_cleared(&self, config: &Config) -> bool {
        match self.level() {
            Some(level) => matches!(level, Level::Admin | Level::Technician),
            None => config.compliance.cleared_services.contains(&self.name().to_lowercase()),
        }
    }

    /// Whether another program of the platform is calling.
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

    /// Whether this caller may say how companies are counted, and freeze what is billed.
    #[must_use]
    pub fn edits_billing(&self) -> bool {
        matches!(self.level(), None | Some(Level::Admin | Level::Billing))
    }

    /// A name a person recognises: that of the person, of the service, of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Service { name } => name,
            Self::Key(key) => &key.name,
            Self::User(user) => user.called(),
        }
    }
}

impl User {
    /// A name a person recognises: sign-in name, else full name, e-mail or id.
    #[must_use]
    pub fn called(&self) -> &str {
        let names = [&self.username, &self.name, &self.email];
        names.into_iter().find(|name| !name.is_empty()).unwrap_or(&self.sub)
    }
}

fn of_user(user: &User) -> Scope {
    if user.level == Level::Client { Scope::Companies(user.companies.clone()) } else { Scope::All }
}
