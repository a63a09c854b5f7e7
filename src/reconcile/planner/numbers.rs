//! Account numbers: who keeps one that several claim, and a free one for who has none.

use std::collections::{HashMap, HashSet};

/// The smallest six-digit number.
const FIRST: u64 = 100_000;
/// How many six-digit numbers there are.
const MANY: u64 = 900_000;

/// The numbers in use, here and at the vendor, and who claims them there.
#[derive(Debug, Default)]
pub struct Numbers {
    taken: HashSet<String>,
    claims: HashMap<String, String>,
}

impl Numbers {
    /// Marks a number as in use.
    pub fn take(&mut self, number: &str) {
        self.taken.insert(number.to_owned());
    }

    /// The first to claim a number at the vendor has it. Returns the vendor id of the one who has.
    pub fn claim(&mut self, number: &str, external_id: &str) -> &str {
        self.take(number);
        self.claims.entry(number.to_owned()).or_insert_with(|| external_id.to_owned())
    }

    /// Who has this number at the vendor.
    #[must_use]
    pub fn owner(&self, number: &str) -> Option<&str> {
        self.claims.get(number).map(String::as_str)
    }

    /// A free six-digit number for this vendor id; the same each time as long as it is free, so that a
    /// dry run shows what the real run will do. `None` when all are in use.
    pub fn free(&mut self, external_id: &str) -> Option<String> {
        let start = external_id
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let number =
            (0..MANY).map(|step| (FIRST + (start.wrapping_add(step)) % MANY).to_string()).find(|n| !self.taken.contains(n))?;
        self.take(&number);
        Some(number)
    }
}
