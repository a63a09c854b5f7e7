//! Real clicks in a real Chromium against the built program. Few flows, each as a person would do it;
//! an error on the browser's console fails the flow, and a failure leaves a screenshot.

#![expect(clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "a test says what went wrong by failing")]
#![allow(
    dead_code,
    unused_imports,
    clippy::allow_attributes,
    clippy::pedantic,
    reason = "the harness is shared with tests/it, which uses more of it"
)]

mod axe;
#[path = "../it/core.rs"]
mod core;
#[path = "../it/datto/mod.rs"]
mod datto;
mod driver;
mod flows;
#[path = "../it/freshservice/mod.rs"]
mod freshservice;
#[path = "../it/http_server.rs"]
mod http_server;
mod inside_nexus;
mod looks;
mod morning;
#[path = "../it/support/mod.rs"]
mod support;
#[path = "../it/vendor_faults.rs"]
mod vendor_faults;
