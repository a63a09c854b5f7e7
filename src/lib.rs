//! Codex: the central hub of a managed service provider. `src/README.md` shows the architecture.

pub mod agents;
pub mod app;
pub mod assets;
pub mod auth;
pub mod cli;
pub mod companies;
pub mod compliance;
pub mod config;
pub mod contacts;
pub mod db;
pub mod demo;
pub mod entity;
pub mod error;
pub mod history;
pub mod hub;
pub mod identity;
pub mod network;
pub mod notes;
pub mod platform;
pub mod status;
pub mod sync;
pub mod tickets;
pub mod types;
pub mod vault;
pub mod web;
