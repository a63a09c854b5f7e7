//! A Codex and a Freshservice together, and what a pull did.

use serde_json::Value;

use super::{App, Engine, Output};
use crate::freshservice::{Freshservice, State};

/// A running Codex that is configured for a running stand-in.
pub struct Pull {
    /// Codex.
    pub app: App,
    /// The vendor.
    pub vendor: Freshservice,
}

impl Pull {
    /// Starts both.
    pub async fn start(engine: &Engine, world: State) -> Self {
        let vendor = Freshservice::start(world).await;
        let app = App::builder(engine).freshservice(&vendor).start().await;
        Self { app, vendor }
    }

    /// Starts both and pulls once, which must work.
    pub async fn pulled(engine: &Engine, world: State) -> Self {
        let pull = Self::start(engine, world).await;
        pull.run(&[]).await.code(0);
        pull
    }

    /// Runs `codex sync freshservice` with these words after it.
    pub async fn run(&self, words: &[&str]) -> Output {
        let words = [&["sync", "freshservice"], words].concat();
        self.app.cli().run_beside(&words).await
    }

    /// Every company that neighbours see.
    pub async fn companies(&self) -> Vec<Value> {
        self.list("/api/companies").await
    }

    /// Every contact that neighbours see.
    pub async fn contacts(&self) -> Vec<Value> {
        self.list("/api/contacts").await
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        let list = self.app.service().get(path).await.ok();
        list.as_array().expect("an array").clone()
    }

    /// The company that came from this department.
    pub async fn company_of(&self, department: i64) -> Option<Value> {
        self.companies().await.into_iter().find(|company| company["freshservice_id"] == department)
    }

    /// The contact with this e-mail.
    pub async fn contact_of(&self, email: &str) -> Option<Value> {
        self.contacts().await.into_iter().find(|contact| contact["email"] == email)
    }

    /// The number of changes recorded so far.
    pub fn head(&self) -> i64 {
        self.app.database.number("SELECT version FROM head")
    }
}
