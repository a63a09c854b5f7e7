//! Permissions as types: a handler that takes one of these runs only for callers who may.
//!
//! | type | service | admin | technician | billing | client |
//! |---|---|---|---|---|---|
//! | [`Anyone`], [`Reader`] | yes | yes | yes | yes | yes; `scope()` holds them to their companies |
//! | [`Editor`], [`Staff`] | yes | yes | yes | – | – |
//! | [`BillingReader`] | yes | yes | yes | yes | – |
//! | [`BillingEditor`] | yes | yes | – | yes | – |
//! | [`Admin`] | yes | yes | – | – | – |
//! | [`AdminPerson`] | – | yes | – | – | – |
//! | [`Person`] | – | yes | yes | yes | yes |
//! | [`Visitor`] | may be anybody, also nobody |||||

use std::{convert::Infallible, ops::Deref, sync::Arc};

use axum::{extract::FromRequestParts, http::request::Parts};

use super::{Caller, Level, User, authenticate::Rejected};
use crate::error::{Error, Result};

fn caller(parts: &Parts) -> Result<Arc<Caller>> {
    match (parts.extensions.get::<Arc<Caller>>(), parts.extensions.get::<Rejected>()) {
        (Some(caller), _) => Ok(caller.clone()),
        (None, Some(rejected)) => Err(rejected.clone().into()),
        (None, None) => Err(Error::Unauthorized("Authentication required".to_owned())),
    }
}

macro_rules! permission {
    ($(#[$doc:meta])* $name:ident, $may:expr, $else:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(pub Arc<Caller>);

        impl Deref for $name {
            type Target = Caller;

            fn deref(&self) -> &Caller {
                &self.0
            }
        }

        impl<S: Send + Sync> FromRequestParts<S> for $name {
            type Rejection = Error;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
                let caller = caller(parts)?;
                let may: fn(&Caller) -> bool = $may;
                if may(&caller) { Ok(Self(caller)) } else { Err(Error::Forbidden($else.to_owned())) }
            }
        }
    };
}

permission!(
    /// Any valid token.
    Anyone, |_| true, ""
);
permission!(
    /// Reads tenant data, within [`Caller::scope`].
    Reader, |_| true, ""
);
permission!(
    /// Changes companies, contacts, assets, networks, locations, tickets.
    Editor, Caller::is_staff, "Insufficient permissions"
);
permission!(
    /// Works here: reviews and sync status, notes meant for colleagues.
    Staff, Caller::is_staff, "Insufficient permissions"
);
permission!(
    /// Reads what is billed.
    BillingReader, |caller| caller.level() != Some(Level::Client), "Insufficient permissions"
);
permission!(
    /// Says how companies are counted, and freezes what is billed.
    BillingEditor, Caller::edits_billing, "This is for administrators and for billing"
);
permission!(
    /// May do everything.
    Admin, Caller::is_admin, "Admin access required"
);

permission!(
    /// An administrator who is a person: what a stolen or careless service must not do.
    AdminPerson, |caller| caller.user().is_some() && caller.is_admin(), "This is for administrators, not for services"
);

/// A person; services are refused.
#[derive(Clone, Debug)]
pub struct Person(pub Arc<Caller>, User);

impl Person {
    /// The person.
    #[must_use]
    pub fn user(&self) -> &User {
        &self.1
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Person {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let caller = caller(parts)?;
        let user = caller.user().cloned();
        let user = user.ok_or_else(|| Error::Forbidden("This endpoint is for users only".to_owned()))?;
        Ok(Self(caller, user))
    }
}

/// Whoever comes: the caller, if the request carries a valid token.
#[derive(Clone, Debug)]
pub struct Visitor(pub Option<Arc<Caller>>);

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<Arc<Caller>>().cloned()))
    }
}
