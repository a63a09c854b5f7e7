//! Plans and runs in words.

use serde_json::Value;

use crate::{
    sync::plan::{Action, Kind, State},
    web::view::{thousands, time},
};

/// The longest value that a page shows in full.
const LONGEST: usize = 120;

/// With a capital and a full stop.
pub fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut letters = text.chars();
    let Some(first) = letters.next() else { return String::new() };
    let stop = if text.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{}{}{stop}", first.to_uppercase(), letters.as_str())
}

/// The same, with its moments as people write them.
pub fn dated(text: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_end_matches([',', ';', ')']);
        if bare.ends_with('Z') && bare.contains('T') { word.replacen(bare, &time::exact(bare), 1) } else { word.to_owned() }
    };
    sentence(&text.split(' ').map(word).collect::<Vec<_>>().join(" "))
}

/// A cadence as people say it: `daily at 02:00`, `every 5 minutes`; a cron expression that is neither, as it is.
pub fn cadence(text: &str) -> String {
    let fields: Vec<&str> = text.split_whitespace().collect();
    match fields.as_slice() {
        ["0", "*", "*", "*", "*"] => "every hour".to_owned(),
        [every, "*", "*", "*", "*"] if every.starts_with("*/") => format!("every {} minutes", &every[2..]),
        [minute, hour, "*", "*", "*"] => match (minute.parse::<u8>(), hour.parse::<u8>()) {
            (Ok(minute), Ok(hour)) => format!("daily at {hour:02}:{minute:02}"),
            _ => text.to_owned(),
        },
        _ => text.to_owned(),
    }
}

/// What a run counted: `12 new, 3 changed`, and what it read.
pub fn counts(summary: &Value, dry_run: bool) -> (String, String) {
    let of = |action: Action| -> i64 {
        let kinds = summary["counts"].as_object().into_iter().flat_map(|kinds| kinds.values());
        kinds.filter_map(|actions| actions[action.as_str()].as_i64()).sum()
    };
    let held = summary["held"].as_i64().unwrap_or(0);
    let mut parts = Vec::new();
    let mut say = |count: i64, what: &str| {
        if count > 0 {
            parts.push(format!("{} {what}", thousands(count)));
        }
    };
    for action in Action::ALL {
        match (action, dry_run) {
            (Action::Retire, true) => say(of(action), "to retire"),
            (Action::Retire, false) => say((of(action) - held).max(0), "retired"),
            _ => say(of(action), short(action)),
        }
    }
    if !dry_run {
        say(held, "waiting for approval");
    }
    let listed = Kind::ALL.into_iter().filter_map(|kind| Some((kind, summary["listed"][kind.plural()].as_i64()?)));
    let listed: Vec<String> = listed.map(|(kind, count)| format!("{} {}", thousands(count), kind.plural())).collect();
    (if parts.is_empty() { "Nothing to change".to_owned() } else { parts.join(", ") }, listed.join(", "))
}

fn short(action: Action) -> &'static str {
    match action {
        Action::Create => "new",
        Action::Adopt => "linked",
        Action::Restore => "back again",
        Action::Update => "changed",
        Action::Retire => "retired",
        Action::Pinned => "kept as pinned",
        Action::Review => "to review",
        Action::Skipped => "with unusable fields",
    }
}

/// The heading of a group.
pub fn group(kind: Kind, action: Action) -> String {
    let what = match action {
        Action::Create => "to create",
        Action::Adopt => "to link to the vendor's",
        Action::Restore => "to bring back",
        Action::Update => "to update",
        Action::Retire => "to retire",
        Action::Pinned => "that differ but are pinned",
        Action::Review => "for a person to look at",
        Action::Skipped => "with fields that cannot be used",
    };
    let kind = kind.plural();
    let (first, rest) = kind.split_at_checked(1).unwrap_or(("", kind));
    format!("{}{rest} {what}", first.to_uppercase())
}

/// How far an item has come; nothing for what needs no word.
pub fn state(state: State) -> Option<(&'static str, &'static str)> {
    match state {
        State::Held => Some(("warning", "Waits")),
        State::Applied => Some(("success", "Done")),
        State::Stale => Some(("", "Changed since, left alone")),
        State::Discarded => Some(("", "Discarded")),
        State::Pending | State::Noted => None,
    }
}

/// How a plan stands.
pub fn status(word: &str) -> (&'static str, &'static str) {
    match word {
        "held" => ("warning", "Waits for approval"),
        "proposed" => ("info", "Dry run"),
        "applying" => ("info", "Being applied"),
        "applied" => ("success", "Applied"),
        "discarded" => ("", "Discarded"),
        "superseded" => ("", "A later run took its place"),
        _ => ("", "Being made"),
    }
}

/// A stored value as a person reads it; empty for nothing.
pub fn value(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::Bool(yes) => (if *yes { "yes" } else { "no" }).to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(self::value).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    if text.chars().count() <= LONGEST { text } else { format!("{}…", text.chars().take(LONGEST).collect::<String>()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn runs_are_told_in_a_line() {
        let summary = json!({
            "listed": {"companies": 120, "contacts": 1500},
            "counts": {"companies": {"create": 2}, "contacts": {"create": 10, "update": 3, "retire": 5}},
            "held": 3,
        });
        let read = "120 companies, 1,500 contacts";
        assert_eq!(counts(&summary, false), ("12 new, 3 changed, 2 retired, 3 waiting for approval".into(), read.into()));
        assert_eq!(counts(&summary, true), ("12 new, 3 changed, 5 to retire".into(), read.into()));
        assert_eq!(counts(&json!({"counts": {}}), false), ("Nothing to change".into(), String::new()));
        let evidence = "its own address answered 404 at 2026-11-21T15:19:06Z";
        assert_eq!(dated(evidence), "Its own address answered 404 at 21 Nov 2026, 15:19:06 UTC.");
        assert_eq!(sentence("it broke off"), "It broke off.");
        assert_eq!(cadence("0 2 * * *"), "daily at 02:00");
        assert_eq!(cadence("*/5 * * * *"), "every 5 minutes");
        assert_eq!(cadence("after datto"), "after datto");
        assert_eq!(cadence("0 2 * * 1"), "0 2 * * 1");
        assert_eq!(group(Kind::Contact, Action::Retire), "Contacts to retire");
    }
}
