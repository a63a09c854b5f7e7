//! Files on records of any kind: put there, listed, sent, taken away, on every record's page.

mod api;
mod download;
pub mod panel;
mod upload;

use crate::{
    compliance::RedactionPolicy,
    error::{Error, Result},
    web::Routes,
};

/// The routes.
#[must_use]
pub fn routes() -> Routes {
    api::routes()
}

/// Refuses whoever may not see everything: a file may tell of anybody.
///
/// # Errors
/// `Forbidden`.
fn allow(policy: &RedactionPolicy) -> Result<()> {
    if policy.sees_all() {
        return Ok(());
    }
    Err(Error::Forbidden("attachments are for technicians, administrators and cleared services".to_owned()))
}
