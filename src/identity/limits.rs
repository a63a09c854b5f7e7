//! How often a sign-in may fail before the next attempt has to wait: a rule without a clock of its own.

/// Failures that cost nothing: people mistype.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Attempts before the first wait.
    pub free: i64,
    /// The longest wait, in seconds.
    pub longest: i64,
}

/// For one account from one address.
pub const HERE: Limit = Limit { free: 5, longest: 15 * 60 };
/// For one address, whichever accounts it tries.
pub const ADDRESS: Limit = Limit { free: 20, longest: 15 * 60 };
/// For one account from all addresses where it never signed in: beyond these, each address waits for its [`TURN`].
pub const EVERYWHERE: Limit = Limit { free: 100, longest: 60 };
/// Sign-ins over the provider that one address begins without ending them.
pub const BEGUN: Limit = Limit { free: 60, longest: 60 };
/// When its turn comes for one address while very many guess at an account from everywhere: half a minute after it
/// first asks, later after each failure of its own. So many who guess together are slowed down, and the owner, at a
/// new address, gets in after half a minute.
pub const TURN: Limit = Limit { free: 0, longest: 15 * 60 };

/// The first wait; every further failure doubles it.
const FIRST_WAIT: i64 = 30;
/// After this long without a failure, earlier ones are forgotten.
pub const FORGOTTEN_AFTER: i64 = 60 * 60;
/// After this long without a sign-in, an account's address is a new one again.
pub const PLACE_FORGOTTEN_AFTER: i64 = 90 * 24 * 60 * 60;
/// Addresses of one account that are remembered.
pub const MOST_PLACES: i64 = 20;
/// Rows that are kept in all.
pub const MOST_ROWS: i64 = 10_000;
/// How far the clocks of two instances may differ, in seconds.
pub const SKEW: i64 = 60;

impl Limit {
    /// Seconds to wait after this many failures in a row.
    #[must_use]
    pub fn wait(self, failures: i64) -> i64 {
        let beyond = failures - self.free;
        if beyond < 0 {
            return 0;
        }
        let doublings = u32::try_from(beyond).unwrap_or(u32::MAX).min(10);
        (FIRST_WAIT << doublings).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour() {
        let waits: Vec<i64> = [0, 4, 5, 6, 7, 9, 10, 11, 1_000_000].into_iter().map(|n| HERE.wait(n)).collect();
        assert_eq!(waits, [0, 0, 30, 60, 120, 480, 900, 900, 900]);
        assert_eq!((ADDRESS.wait(19), ADDRESS.wait(20)), (0, 30));
        assert_eq!((EVERYWHERE.wait(99), EVERYWHERE.wait(i64::MAX)), (0, 60));
    }
}
