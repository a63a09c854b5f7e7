//! The stand-in Freshservice as a program, for trying Codex by hand:
//! `cargo run --example freshservice_standin -- --port 8099 --departments 120 --requesters 1500`.

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
mod freshservice;
#[path = "../http_server.rs"]
mod http_server;
#[path = "../vendor_faults.rs"]
mod vendor_faults;

/// A Freshservice account that does not exist.
#[derive(Parser)]
struct Arguments {
    /// The port on 127.0.0.1; 0 takes any that is free.
    #[arg(long, default_value_t = 8099)]
    port: u16,
    /// How many departments to make.
    #[arg(long, default_value_t = 120)]
    departments: usize,
    /// How many requesters to make.
    #[arg(long, default_value_t = 1500)]
    requesters: usize,
    /// How many tickets to make.
    #[arg(long, default_value_t = 0)]
    tickets: usize,
    /// How many assets to make.
    #[arg(long, default_value_t = 0)]
    assets: usize,
    /// How many sites the stand-in Datto beside it has: its devices are the assets.
    #[arg(long, default_value_t = 160)]
    sites: usize,
    /// Which world of that size.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Percentage of requests that fail.
    #[arg(long, default_value_t = 0)]
    flaky: u64,
    /// Milliseconds that every answer takes.
    #[arg(long, default_value_t = 0)]
    latency: u64,
    /// Freshservice for MSPs: a workspace for each company.
    #[arg(long)]
    msp: bool,
    /// Calls in a minute, all together.
    #[arg(long, default_value_t = 500)]
    limit: u32,
    /// Calls in a minute to list requesters or agents.
    #[arg(long, default_value_t = 140)]
    people_limit: u32,
    /// Calls in a minute to list tickets or assets.
    #[arg(long, default_value_t = 140)]
    ticket_limit: u32,
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let plan = freshservice::Plan {
        departments: arguments.departments,
        requesters: arguments.requesters,
        tickets: arguments.tickets,
        assets: arguments.assets,
        sites: arguments.sites,
        seed: arguments.seed,
        msp: arguments.msp,
    };
    let mut state = plan.build();
    state.faults.flaky_percent = arguments.flaky;
    state.faults.latency = Duration::from_millis(arguments.latency);
    state.limits = freshservice::Limits::new(Duration::from_secs(60), arguments.limit, arguments.people_limit);
    state.limits.tickets = arguments.ticket_limit;
    let server = freshservice::Freshservice::start_on(arguments.port, state).await;
    println!("CODEX_FRESHSERVICE_DOMAIN={}", server.url());
    println!("CODEX_FRESHSERVICE_API_KEY={}", freshservice::API_KEY);
    tokio::signal::ctrl_c().await.expect("the interrupt signal");
}
