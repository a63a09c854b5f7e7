//! Plans and runs in words.

use serde_json::Value;

use crate::{
    plan::{Action, Kind, State},
    ui::{thousands, time},
    vendors::fault,
};

/// The reason that the planner gives for retiring what a vendor has no more; how that is known stands beside it.
const GONE: &str = "the vendor has it no more";
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

/// A failure in words, and the requests behind it.
pub fn trouble(text: &str) -> (String, Option<String>) {
    let (words, requests) = fault::told(text);
    (sentence(&words), (!requests.is_empty()).then(|| requests.join("\n")))
}

/// What a person can do about a failure that was put into words by [`trouble`].
pub fn remedy(words: &str) -> &'static str {
    let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    if says(&["did not accept the API key", "the API key lacks the rights"]) {
        "Enter a working key under the vendor's credentials, then run it again."
    } else if says(&["is not configured"]) {
        "Enter the vendor's credentials."
    } else if says(&["could not be reached"]) {
        "Check the vendor's address and whether this machine can reach it. The next run tries again."
    } else if says(&["server error", "no usable answer"]) {
        "The trouble is at the vendor. The next run tries again; if it stays, ask their support."
    } else if says(&["asked too often", "cannot be asked now"]) {
        "Wait: the next scheduled run starts when the vendor answers again."
    } else if says(&["roke off", "has ended", "interrupted", "stopped"]) {
        "The next run goes on where this one left off."
    } else {
        "The log below says how far it came."
    }
}

/// The same, with its moments as people write them.
pub fn dated(text: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_end_matches([',', ';', ')']);
        if bare.ends_with('Z') && bare.contains('T') { word.replacen(bare, &time::exact(bare), 1) } else { word.to_owned() }
    };
    sentence(&text.split(' ').map(word).collect::<Vec<_>>().join(" "))
}

/// Why something is done, in a sentence; nothing where the heading has said it.
pub fn reason(text: &str) -> String {
    if text == GONE { String::new() } else { sentence(text) }
}

/// What proves that a vendor has a record no more. The two ways in which a vendor says so of the record itself are the usual
/// ones: `Deleted there (checked 21 Nov 2026, 15:19:06 UTC).`
pub fn evidence(text: &str) -> String {
    let said = |(how, at): (&str, &str)| {
        let known = ["its own address", "its record"].iter().any(|start| how.starts_with(start))
            && (how.ends_with("answered 404") || how.ends_with("is deleted"));
        known.then(|| format!("Deleted there (checked {}).", time::exact(at)))
    };
    let answered = text.rsplit_once(" at ").filter(|(_, at)| at.ends_with('Z') && at.contains('T'));
    let answered = answered.map(|(how, at)| (how.strip_suffix(", read").unwrap_or(how), at));
    answered.and_then(said).unwrap_or_else(|| dated(text))
}

/// What is done to a row, as a badge.
pub fn action(action: Action) -> (&'static str, &'static str) {
    match action {
        Action::Create => ("success", "Create"),
        Action::Adopt => ("info", "Link"),
        Action::Restore => ("success", "Bring back"),
        Action::Update => ("info", "Update"),
        Action::Retire => ("danger", "Retire"),
        Action::Pinned => ("", "Pinned"),
        Action::Review => ("warning", "Review"),
        Action::Skipped => ("", "Skipped"),
    }
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

/// What a run did, in a line, and what it read. Each kind of job counts other things.
pub fn did(script: &str, summary: &Value, dry_run: bool) -> (String, String) {
    let of = |name: &str| summary[name].as_i64().unwrap_or(0);
    let mut parts = Vec::new();
    let mut say = |count: i64, one: &str, more: &str| {
        if count > 0 {
            parts.push(format!("{} {}", thousands(count), if count == 1 { one } else { more }));
        }
    };
    let none = if summary.get("planned").is_some() {
        let numbers = script != "outbox";
        let (one, more) = if numbers { ("number", "numbers") } else { ("change", "changes") };
        if dry_run {
            say(of("planned"), &format!("{one} to write"), &format!("{more} to write"));
        }
        say(of("done"), &format!("{one} written"), &format!("{more} written"));
        say(of("created"), "company created", "companies created");
        say(of("conflicts"), "needs a decision", "need a decision");
        say(of("failed"), "refused", "refused");
        say(of("waiting"), "will be tried again", "will be tried again");
        let what = match script {
            "push-to-datto" => "sites",
            "outbox" => "changes",
            _ => "departments",
        };
        format!("{} {what} checked, nothing to write", thousands(of("checked")))
    } else if summary.get("without_audit").is_some() {
        say(of("read"), "device read", "devices read");
        say(of("without_audit"), "has no audit", "have no audit");
        say(of("failed"), "could not be read", "could not be read");
        say(of("left"), "left for the next run", "left for the next run");
        "No device had a new audit".to_owned()
    } else {
        let (counted, read) = counts(summary, dry_run);
        if !counted.is_empty() {
            parts.push(counted);
        }
        let details = &summary["details"];
        for (count, one, more) in [
            (details["read"].as_i64().unwrap_or(0), "conversation read", "conversations read"),
            (summary["change_requests"]["created"].as_i64().unwrap_or(0), "new change request", "new change requests"),
            (of("alerts_changed"), "alert updated", "alerts updated"),
            (of("cleaned"), "record with broken characters", "records with broken characters"),
        ] {
            if count > 0 {
                parts.push(format!("{} {}", thousands(count), if count == 1 { one } else { more }));
            }
        }
        return (if parts.is_empty() { "Everything was up to date".to_owned() } else { parts.join(", ") }, read);
    };
    (if parts.is_empty() { none } else { parts.join(", ") }, String::new())
}

/// What a run counted: `12 new, 3 changed`, and what it read. Nothing is nothing.
fn counts(summary: &Value, dry_run: bool) -> (String, String) {
    let of = |action: Action| -> i64 {
        let kinds = summary["counts"].as_object().into_iter().flat_map(|kinds| kinds.values());
        kinds.filter_map(|actions| actions[action.as_str()].as_i64()).sum()
    };
    let held = summary["held"].as_i64().unwrap_or(0);
    let changes = summary["held_changes"].as_i64().unwrap_or(0);
    let mut parts = Vec::new();
    let mut say = |count: i64, what: &str| {
        if count > 0 {
            parts.push(format!("{} {what}", thousands(count)));
        }
    };
    for action in Action::ALL {
        match (action, dry_run) {
            (Action::Retire, true) => say(of(action), "to retire"),
            (Action::Retire, false) => say((of(action) - (held - changes)).max(0), "retired"),
            (Action::Update, false) => say((of(action) - changes).max(0), short(action)),
            _ => say(of(action), short(action)),
        }
    }
    if !dry_run {
        say(held, "waiting for approval");
    }
    let listed = Kind::all().filter_map(|kind| Some((kind, summary["listed"][kind.plural()].as_i64()?)));
    let listed: Vec<String> = listed.map(|(kind, count)| format!("{} {}", thousands(count), kind.plural())).collect();
    (parts.join(", "), listed.join(", "))
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
        Action::Adopt => "to link",
        Action::Restore => "to bring back",
        Action::Update => "to update",
        Action::Retire => "to retire",
        Action::Pinned => "that differ but are pinned",
        Action::Review => "to review",
        Action::Skipped => "with fields that cannot be used",
    };
    let kind = kind.plural();
    let (first, rest) = kind.split_at_checked(1).unwrap_or(("", kind));
    format!("{}{rest} {what}", first.to_uppercase())
}

/// How far an item has come; nothing for what needs no word.
pub fn state(state: State) -> Option<(&'static str, &'static str)> {
    match state {
        State::Held => Some(("warning", "Needs approval")),
        State::Applied => Some(("success", "Done")),
        State::Stale => Some(("", "Changed since, left alone")),
        State::Discarded => Some(("", "Discarded")),
        State::Pending | State::Noted => None,
    }
}

/// How a plan stands.
pub fn status(word: &str) -> (&'static str, &'static str) {
    match word {
        "held" => ("warning", "Needs approval"),
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
        assert_eq!(did("freshservice", &json!({"counts": {}}), false).0, "Everything was up to date");
        let numbers = json!({"checked": 40, "planned": 13, "created": 2, "done": 13, "conflicts": 1, "failed": 0, "waiting": 0});
        assert_eq!(
            did("create-account-numbers", &numbers, false).0,
            "13 numbers written, 2 companies created, 1 needs a decision"
        );
        assert_eq!(
            did("create-account-numbers", &json!({"checked": 40, "planned": 0}), false).0,
            "40 departments checked, nothing to write"
        );
        assert_eq!(did("datto-audits", &json!({"read": 670, "without_audit": 3}), false).0, "670 devices read, 3 have no audit");
        let tickets = json!({"counts": {"tickets": {"update": 4}}, "held": 3, "held_changes": 3, "details": {"read": 5}});
        assert_eq!(did("tickets", &tickets, false).0, "1 changed, 3 waiting for approval, 5 conversations read");
        let evidence = "its own address answered 404 at 2026-11-21T15:19:06Z";
        assert_eq!(super::evidence(evidence), "Deleted there (checked 21 Nov 2026, 15:19:06 UTC).");
        let in_bin = "its own address says that it is in the site \"Deleted Devices\", read at 2026-11-21T15:19:06Z";
        assert_eq!(
            super::evidence(in_bin),
            "Its own address says that it is in the site \"Deleted Devices\", read at 21 Nov 2026, 15:19:06 UTC."
        );
        let deleted = "its own address says that it is deleted, read at 2026-11-21T15:19:06Z";
        assert_eq!(super::evidence(deleted), "Deleted there (checked 21 Nov 2026, 15:19:06 UTC).");
        assert_eq!(reason("the vendor has it no more"), "");
        assert_eq!(dated(evidence), "Its own address answered 404 at 21 Nov 2026, 15:19:06 UTC.");
        assert!(
            remedy("Freshservice did not accept the API key (401); check [freshservice] api_key.")
                .starts_with("Enter a working key")
        );
        assert!(
            remedy("Freshservice had a server error (502); gave up after 14 tries.").starts_with("The trouble is at the vendor")
        );
        assert!(remedy("It broke off.").starts_with("The next run goes on"));
        assert_eq!(sentence("it broke off"), "It broke off.");
        assert_eq!(cadence("0 2 * * *"), "daily at 02:00");
        assert_eq!(cadence("*/5 * * * *"), "every 5 minutes");
        assert_eq!(cadence("after datto"), "after datto");
        assert_eq!(cadence("0 2 * * 1"), "0 2 * * 1");
        assert_eq!(group(Kind::Contact, Action::Retire), "Contacts to retire");
    }
}
