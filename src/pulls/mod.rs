//! What is read from vendors, a folder for each.

pub mod datto;
pub mod freshservice;
pub mod keycloak;
