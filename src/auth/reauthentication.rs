//! Asks a person who is signed in to prove again that it is them, before something that outlives their session.

use std::{net::IpAddr, pin::Pin};

use super::User;
use crate::error::Result;

/// An answer to come.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// How that is done. People are a later room, so `app` hands it down where they sign in here; on the platform nobody asks.
pub trait Reauthentication: Send + Sync {
    /// Whether they have a password to give.
    fn has_password<'a>(&'a self, user: &'a User) -> Pending<'a, bool>;

    /// Proves it by the password or, for who has none, by having signed in a moment ago.
    ///
    /// # Errors
    /// `Invalid`, which names `current_password`; `TooMany`.
    fn prove<'a>(&'a self, user: &'a User, password: Option<String>, from: IpAddr) -> Pending<'a, ()>;
}
