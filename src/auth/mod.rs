//! Proves who is asking and what they may do. The same for both ways to run Codex: only where the
//! keys come from, and where a client's companies stand, differs.
//!
//! The path of a token: [`authenticate`] takes it from the request, [`Verifier`] proves it, the
//! [`Caller`] waits in the request's extensions until a handler asks for it by naming a permission
//! ([`Reader`], [`Editor`], [`Admin`], …) in its signature. An API key takes the same path: [`ApiKeys`] finds whose it is
//! and holds the request to its limits.

pub mod api_key;
mod api_key_request_store;
pub mod api_key_store;
mod api_keys;
mod authenticate;
mod caller;
mod claims;
pub mod cookie;
mod core_http;
pub mod csrf;
mod extract;
mod jwks;
pub mod keys;
mod last_use;
mod level;
pub mod local;
mod proved;
mod reauthentication;
mod revocation;
pub mod secret;
pub mod signer;
mod snapshot;
mod standing;
mod store;
mod token;
mod verifier;

pub use api_key::{ApiKey, Reach};
pub use api_keys::ApiKeys;
pub use authenticate::{Rejected, authenticate};
pub use caller::{Caller, KeyHolder, User};
pub use claims::{Claims, Expected, Issued, is_service_name};
pub use extract::{Admin, AdminPerson, Anyone, BillingEditor, BillingReader, Editor, Person, Reader, Staff, Visitor};
pub use level::Level;
pub use reauthentication::{Pending, Reauthentication};
pub use signer::Signer;
pub use verifier::{CompanyLookup, PersonKeeper, Verifier};
