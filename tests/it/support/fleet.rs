//! A Codex with both vendors, and what the pulls did.

use serde_json::Value;

use super::{App, Engine, Output};
use crate::datto::{self, Datto};
use crate::freshservice::{self, Freshservice};

/// A running Codex that is configured for both running stand-ins.
pub struct Fleet {
    /// Codex.
    pub app: App,
    /// Where companies, people and tickets are.
    pub psa: Freshservice,
    /// Where devices and alerts are.
    pub rmm: Datto,
}

impl Fleet {
    /// Starts all three.
    pub async fn start(engine: &Engine, psa: freshservice::State, rmm: datto::State) -> Self {
        let (psa, rmm) = (Freshservice::start(psa).await, Datto::start(rmm).await);
        let app = App::builder(engine).freshservice(&psa).datto(&rmm).start().await;
        Self { app, psa, rmm }
    }

    /// Starts all three and pulls companies, then devices, both of which must work.
    pub async fn pulled(engine: &Engine, psa: freshservice::State, rmm: datto::State) -> Self {
        let fleet = Self::start(engine, psa, rmm).await;
        fleet.sync(&["freshservice"]).await.code(0);
        fleet.sync(&["datto"]).await.code(0);
        fleet
    }

    /// Runs `codex sync` with these words after it.
    pub async fn sync(&self, words: &[&str]) -> Output {
        let words = [&["sync"], words].concat();
        self.app.cli().run_beside(&words).await
    }

    /// A list as a neighbour sees it.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        let list = self.app.service().get(path).await.ok();
        list.as_array().unwrap_or_else(|| panic!("{path} is no array: {list}")).clone()
    }

    /// The number of changes recorded so far.
    pub fn head(&self) -> i64 {
        self.app.database.number("SELECT version FROM head")
    }
}
