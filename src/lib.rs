//! Codex: the central hub of a managed service provider. `src/README.md` shows the architecture.

pub mod encryption;

pub mod accounts;
pub mod admin;
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
pub mod home;
pub mod identity;
pub mod jobs;
pub mod network;
pub mod notes;
pub mod outbox;
pub mod plan;
pub mod platform;
pub mod progress;
pub mod pulls;
pub mod reconcile;
pub mod records;
pub mod status;
pub mod tickets;
pub mod types;
pub mod vendors;
pub mod web;
