//! How long to wait before asking again.

use std::time::Duration;

/// The first wait after a failure; each further one doubles.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// The longest wait between two attempts that no `Retry-After` asked for.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// The longest `Retry-After` that is obeyed; beyond it the run fails and says so.
pub const LONGEST_ASKED: Duration = Duration::from_hours(1);

/// The wait before attempt number `attempt + 1`, with jitter, so that several clients spread out.
#[must_use]
pub fn backoff(attempt: u32) -> Duration {
    let full = FIRST_WAIT.saturating_mul(1_u32 << attempt.saturating_sub(1).min(10)).min(LONGEST_WAIT);
    let half = full / 2;
    half + half.mul_f64(unit())
}

/// A random number between 0 and 1.
fn unit() -> f64 {
    let byte = uuid::Uuid::new_v4().as_bytes()[0];
    f64::from(byte) / 255.0
}

/// `Retry-After` as seconds or as an HTTP date (documentation says the one, the old swagger the other).
#[must_use]
pub fn retry_after(value: &str, now: jiff::Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return (seconds.is_finite() && seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(1e9)));
    }
    let at =
        jiff::fmt::rfc2822::parse(value).map(|zoned| zoned.timestamp()).or_else(|_| value.parse::<jiff::Timestamp>()).ok()?;
    let seconds = at.as_second().saturating_sub(now.as_second());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> jiff::Timestamp {
        "2026-11-21T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn seconds_and_dates_are_understood() {
        assert_eq!(retry_after(" 7 ", now()), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("0", now()), Some(Duration::ZERO));
        assert_eq!(retry_after("Sat, 21 Nov 2026 10:00:30 GMT", now()), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("2026-11-21T10:01:00Z", now()), Some(Duration::from_mins(1)));
        assert_eq!(retry_after("Sat, 21 Nov 2026 09:00:00 GMT", now()), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now()), None);
        assert_eq!(retry_after("-4", now()), None);
        assert_eq!(retry_after("NaN", now()), None);
    }

    #[test]
    fn waits_grow_and_stay_bounded() {
        assert!(backoff(1) <= FIRST_WAIT && backoff(1) >= FIRST_WAIT / 2);
        assert!(backoff(5) > backoff(1));
        assert!(backoff(60) <= LONGEST_WAIT);
    }
}
