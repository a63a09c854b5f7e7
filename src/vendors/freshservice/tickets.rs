//! What is asked of Freshservice about tickets and change requests.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::{
    client::{Freshservice, PER_PAGE, Page},
    wire,
};
use crate::vendors::fault::{Cause, Fault};

/// How a list is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListParams {
    /// Of all workspaces instead of the primary one.
    pub all_workspaces: bool,
    /// With what costs extra: closing times and requesters of tickets.
    pub embed: bool,
}

impl ListParams {
    fn workspace(self) -> &'static str {
        if self.all_workspaces { "&workspace_id=0" } else { "" }
    }
}

/// Oldest change first, so that what changes while we page comes again instead of going missing.
const IN_ORDER: &str = "&order_by=updated_at&order_type=asc";
/// Closing times and requesters, in the list of tickets.
const EMBEDDED: &str = "&include=stats,requester";

impl Freshservice {
    /// Tickets that changed at or after this time. Without a time the vendor shows one month only: there is none.
    pub async fn tickets(&self, updated_since: &str, page: u32, ask: ListParams) -> Result<Page, Fault> {
        let path = format!("/tickets?updated_since={}&{}", escaped(updated_since), paged(page, ask));
        let extras: &[&'static str] = if ask.embed { &[EMBEDDED, IN_ORDER] } else { &[IN_ORDER] };
        self.with_extras("tickets", &["tickets"], &path, extras, page).await
    }

    /// Tickets in the trash that changed at or after this time.
    pub async fn deleted_tickets(&self, updated_since: &str, page: u32, ask: ListParams) -> Result<Page, Fault> {
        self.filtered("deleted", updated_since, page, ask).await
    }

    /// Tickets marked as spam that changed at or after this time.
    pub async fn spam_tickets(&self, updated_since: &str, page: u32, ask: ListParams) -> Result<Page, Fault> {
        self.filtered("spam", updated_since, page, ask).await
    }

    async fn filtered(&self, filter: &str, updated_since: &str, page: u32, ask: ListParams) -> Result<Page, Fault> {
        let since = escaped(updated_since);
        let path = format!("/tickets?filter={filter}&updated_since={since}&{}", paged(page, ask));
        self.with_extras("tickets", &["tickets"], &path, &[IN_ORDER], page).await
    }

    /// One ticket, also one in the trash (`deleted` says so); `None` when it was purged. `include` is empty
    /// or names what is embedded: `stats,requester,tags`.
    pub async fn ticket(&self, id: &str, include: &str) -> Result<Option<Map<String, Value>>, Fault> {
        let include = if include.is_empty() { String::new() } else { format!("?include={include}") };
        self.single("ticket", &["ticket"], &format!("/tickets/{}{include}", escaped(id)), id).await
    }

    /// Replies and notes of a ticket.
    pub async fn conversations(&self, id: &str, page: u32) -> Result<Page, Fault> {
        let path = format!("/tickets/{}/conversations?{}", escaped(id), paged(page, ListParams::default()));
        self.list("conversations", &["conversations"], &path).await
    }

    /// Time that was booked on a ticket.
    pub async fn time_entries(&self, id: &str, page: u32) -> Result<Page, Fault> {
        let path = format!("/tickets/{}/time_entries?{}", escaped(id), paged(page, ListParams::default()));
        self.list("time entries", &["time_entries"], &path).await
    }

    /// The fields of the ticket form; the account's own statuses are choices of one of them.
    pub async fn ticket_fields(&self) -> Result<Vec<Value>, Fault> {
        let keys = ["ticket_fields", "ticket_form_fields"];
        Ok(self.list("ticket form fields", &keys, "/ticket_form_fields").await?.records)
    }

    /// Change requests that changed at or after this time. [`Cause::Absent`] when the account has none of this.
    pub async fn changes(&self, updated_since: &str, page: u32, ask: ListParams) -> Result<Page, Fault> {
        let path = format!("/changes?updated_since={}&{}", escaped(updated_since), paged(page, ask));
        module("change requests", page, self.list("changes", &["changes"], &path).await)
    }

    /// A list whose optional parameters are left out when the vendor refuses them: the last one first, and
    /// on the first page only, because pages of another order do not fit together.
    async fn with_extras(
        &self,
        bucket: &'static str,
        keys: &[&str],
        path: &str,
        extras: &[&'static str],
        page: u32,
    ) -> Result<Page, Fault> {
        let mut wanted: Vec<&'static str> = extras.iter().copied().filter(|extra| !self.is_refused(extra)).collect();
        let mut left_out = Vec::new();
        loop {
            match self.list(bucket, keys, &format!("{path}{}", wanted.concat())).await {
                Err(Fault { cause: Cause::Refused(400, _), .. }) if page == 1 && !wanted.is_empty() => {
                    left_out.extend(wanted.pop());
                }
                Ok(found) => {
                    self.refuse(&left_out);
                    return Ok(found);
                }
                Err(fault) => return Err(fault),
            }
        }
    }
}

/// The same, where 404 or 403 for the first page means that the account lacks the module.
pub(super) fn module(what: &str, page: u32, answer: Result<Page, Fault>) -> Result<Page, Fault> {
    answer.map_err(|fault| match fault.cause {
        Cause::Missing | Cause::Denied(403, _) if page == 1 => Fault { cause: Cause::Absent(what.to_owned()), ..fault },
        _ => fault,
    })
}

pub(super) fn paged(page: u32, ask: ListParams) -> String {
    format!("page={page}&per_page={PER_PAGE}{}", ask.workspace())
}

/// A part of an address that cannot lead out of it.
pub(super) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The single record asked for, wrapped or bare.
pub(super) fn about<'j>(json: &'j Value, keys: &[&str], id: &str) -> Result<&'j Map<String, Value>, String> {
    let wrapped = keys.iter().find_map(|key| json.get(*key)?.as_object());
    let record = wrapped.or_else(|| json.as_object()).ok_or_else(|| "an answer without a record".to_owned())?;
    match record.get("id").and_then(wire::id) {
        Some(found) if found == id => Ok(record),
        _ => Err(format!("an answer about something else than {id}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_escaped_and_workspaces_asked_for() {
        assert_eq!(escaped("2026-11-21T10:00:00Z"), "2026%2D11%2D21T10%3A00%3A00Z");
        assert_eq!(escaped("../agents"), "%2E%2E%2Fagents");
        assert_eq!(paged(3, ListParams::default()), "page=3&per_page=100");
        assert_eq!(paged(1, ListParams { all_workspaces: true, embed: false }), "page=1&per_page=100&workspace_id=0");
    }

    #[test]
    fn a_missing_module_is_told_from_a_missing_page() {
        let fault = |cause| Fault { service: "Freshservice", method: "GET", path: "/changes".to_owned(), cause, attempts: 1 };
        let absent = |page, cause| matches!(module("x", page, Err(fault(cause))), Err(Fault { cause: Cause::Absent(_), .. }));
        assert!(absent(1, Cause::Missing) && absent(1, Cause::Denied(403, String::new())));
        assert!(!absent(2, Cause::Missing) && !absent(1, Cause::Denied(401, String::new())));
    }
}
