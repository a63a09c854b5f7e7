//! What the tests stand on: engines, templates, the running program, its command line, its clients.

mod app;
mod cli;
mod client;
#[cfg(feature = "postgres")]
pub mod cluster;
mod described;
mod elsewhere;
mod engine;
#[allow(dead_code, clippy::allow_attributes, reason = "not every test of both vendors needs all of it")]
mod fleet;
#[cfg(feature = "postgres")]
mod proxy;
mod pull;
mod template;

pub use app::App;
pub use cli::{Cli, Output, codex};
pub use client::{Api, Reply};
pub use engine::{Database, Engine};
#[allow(unused_imports, clippy::allow_attributes, reason = "see the module")]
pub use fleet::Fleet;
#[cfg(feature = "postgres")]
pub use proxy::Proxy;
pub use pull::Pull;
pub use template::{PASSWORD, Tokens};

/// Writes each test once and runs it as `name::sqlite` and, with `--features postgres`, `name::postgres`.
macro_rules! both {
    ($($(#[$attribute:meta])* async fn $name:ident($engine:ident: $kind:ident) $body:block)*) => {
        $(
            mod $name {
                #[allow(unused_imports, clippy::allow_attributes, reason = "each test uses what it needs")]
                use super::*;

                $(#[$attribute])*
                async fn run($engine: $kind) $body

                #[tokio::test(flavor = "multi_thread")]
                async fn sqlite() {
                    run(crate::support::Engine::Sqlite).await;
                }

                #[cfg(feature = "postgres")]
                #[tokio::test(flavor = "multi_thread")]
                async fn postgres() {
                    if let Some(engine) = crate::support::Engine::postgres() {
                        run(engine).await;
                    }
                }
            }
        )*
    };
}
pub(crate) use both;

/// Whether the long numbers are asked for: as many kills, backups and records as the bar names.
pub fn is_long() -> bool {
    std::env::var("CODEX_TEST_LONG").is_ok_and(|value| value == "1")
}

/// How many times as long as usual a test is patient: on a machine that does much else at the same time nothing is wrong with
/// what comes late.
const BUSY: u64 = 4;

/// Asks again and again until the answer is yes; fails after several times as many seconds as that usually takes at most.
pub async fn eventually<F: Future<Output = bool>>(what: &str, seconds: u64, mut ask: impl FnMut() -> F) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(seconds * BUSY);
    while !ask().await {
        assert!(std::time::Instant::now() < end, "waited {} s in vain: {what}", seconds * BUSY);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
