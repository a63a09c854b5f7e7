//! The stand-in Datto RMM as a program, for trying Codex by hand:
//! `cargo run --example datto_standin -- --port 8098 --sites 160 --devices 3000 --alerts 800`.

#![expect(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a tool of the tests, run by hand")]
#![allow(
    dead_code,
    unused_imports,
    clippy::allow_attributes,
    clippy::pedantic,
    reason = "the tests use more of the shared module"
)]

use std::time::Duration;

use clap::Parser;

#[path = "mod.rs"]
mod datto;
#[path = "../http_server.rs"]
mod http_server;
#[path = "../vendor_faults.rs"]
mod vendor_faults;

/// A Datto RMM account that does not exist.
#[derive(Parser)]
struct Arguments {
    /// The port on 127.0.0.1; 0 takes any that is free.
    #[arg(long, default_value_t = 8098)]
    port: u16,
    /// How many sites to make.
    #[arg(long, default_value_t = 160)]
    sites: usize,
    /// How many devices to make.
    #[arg(long, default_value_t = 3000)]
    devices: usize,
    /// How many alerts to make.
    #[arg(long, default_value_t = 800)]
    alerts: usize,
    /// How many companies the Freshservice beside it has, whose numbers the sites carry.
    #[arg(long, default_value_t = 120)]
    companies: usize,
    /// Percentage of requests that fail.
    #[arg(long, default_value_t = 0)]
    flaky: u64,
    /// Percentage of records that are garbage.
    #[arg(long, default_value_t = 0)]
    garbage: usize,
    /// Milliseconds that every answer takes.
    #[arg(long, default_value_t = 0)]
    latency: u64,
    /// Reads in the rolling window.
    #[arg(long, default_value_t = 600)]
    limit: usize,
    /// Writes in the rolling window.
    #[arg(long, default_value_t = 100)]
    write_limit: usize,
    /// Seconds of the rolling window.
    #[arg(long, default_value_t = 60)]
    window: u64,
    /// Seconds that a token lives.
    #[arg(long, default_value_t = 360_000)]
    token_life: u64,
    /// Devices without audits, which saves memory.
    #[arg(long)]
    no_audits: bool,
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let plan = datto::Plan::sized(arguments.sites, arguments.devices, arguments.alerts);
    let plan = plan.beside(arguments.companies).with_garbage(arguments.garbage);
    let mut state = if arguments.no_audits { plan.without_audits() } else { plan }.build();
    state.faults.flaky_percent = arguments.flaky;
    state.faults.latency = Duration::from_millis(arguments.latency);
    state.tokens.life = Duration::from_secs(arguments.token_life);
    state.limits = datto::Limits::new(Duration::from_secs(arguments.window), arguments.limit, arguments.write_limit);
    state.limits.slows_down = true;
    let server = datto::Datto::start_on(arguments.port, state).await;
    println!("CODEX_DATTO_API_ENDPOINT={}", server.url());
    println!("CODEX_DATTO_PUBLIC_KEY={}", datto::PUBLIC_KEY);
    println!("CODEX_DATTO_SECRET_KEY={}", datto::SECRET_KEY);
    tokio::signal::ctrl_c().await.expect("the interrupt signal");
}
