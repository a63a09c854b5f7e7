//! A ticket's notes at Freshservice: how one is written, and how it is recognised when nobody knows
//! whether it arrived.

use serde_json::{Value, json};

use super::model::Entry;
use crate::{
    types::format_time,
    vendors::{
        fault::{Cause, Fault},
        freshservice::{client::Freshservice, wire::id},
    },
};

/// How far the vendor's clock may be behind ours.
const SKEW: i64 = 300;
/// Pages of conversations beyond which we no longer look.
const MOST_PAGES: u32 = 200;

/// The body of the write: the vendor takes HTML.
#[must_use]
pub fn body(entry: &Entry) -> Value {
    let text = entry.wanted.get("body").and_then(Value::as_str).unwrap_or_default();
    let private = entry.wanted.get("private").and_then(Value::as_bool).unwrap_or(true);
    json!({ "body": html(text), "private": private })
}

fn html(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    format!("<div>{}</div>", escaped.replace('\n', "<br>"))
}

/// The id of this note among the ticket's conversations: the same words, written since it was sent, and not
/// one of those (`taken`) that are known to be another note of ours.
pub async fn find(client: &Freshservice, entry: &Entry, sent_at: &str, taken: &[String]) -> Result<Option<String>, Fault> {
    let since = before(sent_at);
    let wanted = words(entry.wanted.get("body").and_then(Value::as_str).unwrap_or_default());
    for number in 1..=MOST_PAGES {
        let page = match client.conversations(&entry.target, number).await {
            Err(fault) if fault.cause == Cause::Missing => return Ok(None),
            other => other?,
        };
        if page.records.is_empty() {
            return Ok(None);
        }
        let ours = page.records.iter().filter(|note| is_it(note, &wanted, &since)).filter_map(|note| id(note.get("id")?));
        if let Some(found) = ours.into_iter().find(|id| !taken.contains(id)) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn before(sent_at: &str) -> String {
    let at = sent_at.parse::<jiff::Timestamp>().unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format_time(jiff::Timestamp::from_second(at.as_second() - SKEW).unwrap_or(at))
}

fn is_it(note: &Value, wanted: &str, since: &str) -> bool {
    let at = note.get("created_at").and_then(Value::as_str).and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let recent = at.is_some_and(|at| format_time(at).as_str() >= since);
    let says = |key: &str| {
        note.get(key).and_then(Value::as_str).is_some_and(|text| words(text) == wanted || words(&plain(text)) == wanted)
    };
    recent && (says("body_text") || says("body"))
}

/// Text without its markup, good enough to compare what we wrote ourselves.
fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut inside = false;
    for letter in html.chars() {
        match letter {
            '<' => {
                inside = true;
                text.push(' ');
            }
            '>' if inside => inside = false,
            _ if inside => {}
            other => text.push(other),
        }
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&")
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_known_by_its_words_and_its_time() {
        let wanted = words("Replaced the fan <left>\nTested & closed");
        let sent = html("Replaced the fan <left>\nTested & closed");
        let since = before("2026-11-21T10:00:00Z");
        let note = |body: &str, at: &str| json!({ "id": 5, "body": body, "created_at": at });
        assert!(is_it(&note(&sent, "2026-11-21T10:00:01Z"), &wanted, &since));
        assert!(is_it(&note(&sent, "2026-11-21T11:57:00+02:00"), &wanted, &since), "their clock is slow");
        assert!(!is_it(&note(&sent, "2026-11-21T09:00:00Z"), &wanted, &since), "an older one with the same words");
        assert!(!is_it(&note("<div>Something else</div>", "2026-11-21T10:00:01Z"), &wanted, &since));
    }
}
