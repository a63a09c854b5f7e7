//! What to do with an entry once the vendor was asked: pure, because here is where a mistake would write twice.

use serde_json::Value;

use super::model::{Entry, Values};

/// The next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The vendor has it already.
    Done,
    /// The vendor has what was expected: send.
    Send,
    /// The vendor has something else.
    Conflict,
}

/// Compares what the vendor has now with what is wanted and with what it may be before.
#[must_use]
pub fn next(entry: &Entry, now: &Values) -> Next {
    if entry.wanted.iter().all(|(field, wanted)| same(of(now, field), wanted)) {
        return Next::Done;
    }
    // Once a request may have left, only what was there before it is known not to be somebody else's doing.
    let base = if entry.state.is_under_way() { entry.seen_before.as_ref() } else { entry.expected.as_ref() };
    let Some(base) = base else { return Next::Send };
    let known = |field: &str, wanted: &Value| same(of(now, field), wanted) || same(of(now, field), of(base, field));
    if entry.wanted.iter().all(|(field, wanted)| known(field, wanted)) { Next::Send } else { Next::Conflict }
}

fn of<'v>(values: &'v Values, field: &str) -> &'v Value {
    values.get(field).unwrap_or(&Value::Null)
}

/// Whether two values mean the same: nothing, empty text and an empty list do.
#[must_use]
pub fn same(left: &Value, right: &Value) -> bool {
    left == right || (is_nothing(left) && is_nothing(right))
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
