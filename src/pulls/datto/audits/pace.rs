//! Leaves most of the vendor's budget to the others: audits only use what is left.

use std::time::Duration;

use crate::vendors::{
    datto::client::Datto,
    fault::{Cause, Fault},
};

/// Devices after which the vendor is asked how much of the budget is used.
const EVERY: u32 = 20;
/// The share of the budget above which audits wait, in percent.
const ENOUGH: u64 = 70;
/// How often at most it waits before it goes on: the client itself never goes beyond the limit.
const WAITS: u32 = 60;
/// The window when the vendor does not say how long it is.
const WINDOW: Duration = Duration::from_mins(1);

/// When to look again.
pub struct Pace {
    since: u32,
}

impl Pace {
    /// Looks before the first device.
    pub fn new() -> Self {
        Self { since: EVERY }
    }

    /// Returns when there is room for another device.
    ///
    /// # Errors
    /// When the vendor has shut us out.
    pub async fn wait(&mut self, client: &Datto) -> Result<(), Fault> {
        self.since += 1;
        if self.since < EVERY {
            return Ok(());
        }
        self.since = 0;
        for _ in 0..WAITS {
            let rate = match client.request_rate().await {
                Ok(rate) => rate,
                Err(fault) if matches!(fault.cause, Cause::Blocked(_) | Cause::Limited(_)) => return Err(fault),
                // Not every account tells; what we counted ourselves still holds.
                Err(_) => break,
            };
            let Some(reads) = rate.reads.filter(|reads| u64::from(reads.count) * 100 > u64::from(reads.limit) * ENOUGH) else {
                break;
            };
            let window = rate.window.unwrap_or(WINDOW);
            tracing::debug!(used = reads.count, limit = reads.limit, "the audits wait for the others");
            tokio::time::sleep((window / 12).clamp(Duration::from_millis(20), Duration::from_secs(10))).await;
        }
        Ok(())
    }
}
