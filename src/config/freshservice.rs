//! The Freshservice account, with the names that one tenant gave its custom fields.

use std::collections::BTreeMap;

use super::{
    Secret,
    keys::keys,
    read::{Reader, web_address},
    sources::ENTERED,
};

/// The system's name in links, plans and history, which is its section's name here.
pub const SYSTEM: &str = super::service_desk!();

/// How to reach Freshservice.
#[derive(Clone, Debug)]
pub struct Freshservice {
    /// Where the API lives, without `/api/v2`: `https://acme.freshservice.com`.
    pub url: Option<String>,
    /// Where links for people lead.
    pub web_url: Option<String>,
    /// The API key.
    pub api_key: Option<Secret>,
    /// Whether the address was entered over HTTP and must lead to a public place, each time.
    pub guarded: bool,
    /// Names of the custom fields.
    pub fields: FieldNames,
    /// What the operator calls the account's status codes.
    pub statuses: BTreeMap<i64, String>,
    /// Whether what is written to tickets here is written to the vendor too.
    pub push_ticket_updates: bool,
    /// The group of agents that does projects, for Beacon.
    pub professional_services_group_id: Option<i64>,
    /// The group of agents that answers first, for Beacon.
    pub helpdesk_group_id: Option<i64>,
    /// What a closed ticket counts on whose time sheet nobody has written anything.
    pub default_ticket_minutes: i64,
}

impl Freshservice {
    pub(super) fn read(read: &mut Reader<'_>) -> Self {
        let url = read.parsed(("freshservice", "domain"), None, account);
        let web = read.parsed(("freshservice", "web_domain"), None, account);
        Self {
            web_url: web.or_else(|| url.clone()),
            url,
            api_key: read.secret("freshservice", "api_key"),
            guarded: read.origin("freshservice", "domain") == ENTERED && !read.flag("sync", "private_addresses"),
            fields: FieldNames::read(read, "freshservice.fields"),
            statuses: statuses(read),
            push_ticket_updates: read.flag("freshservice", "push_ticket_updates"),
            professional_services_group_id: read.parsed(("freshservice", "professional_services_group_id"), None, group),
            helpdesk_group_id: read.parsed(("freshservice", "helpdesk_group_id"), None, group),
            default_ticket_minutes: read.parsed(("freshservice", "default_ticket_hours"), 15, minutes),
        }
    }

    /// Address and key, when both are set.
    #[must_use]
    pub fn credentials(&self) -> Option<(&str, &Secret)> {
        Some((self.url.as_deref()?, self.api_key.as_ref()?))
    }
}

/// Hours as a decimal number, in minutes.
fn minutes(text: &str) -> Result<i64, String> {
    let hours: f64 =
        text.parse().ok().filter(|hours| (0.0..=24.0).contains(hours)).ok_or("must be hours from 0 to 24, such as 0.25")?;
    #[expect(clippy::cast_possible_truncation, reason = "at most 1440")]
    Ok((hours * 60.0).round() as i64)
}

fn group(text: &str) -> Result<Option<i64>, String> {
    match text {
        "" => Ok(None),
        _ => text.parse().map(Some).map_err(|_| format!("must be the group's number, not {text:?}")),
    }
}

/// `8 = scheduled, 9 = waiting_customer`: a code and the word that it means, as many as there are.
fn statuses(read: &mut Reader<'_>) -> BTreeMap<i64, String> {
    let entries = read.list("freshservice", "statuses");
    let pair = |entry: &String| {
        let (code, word) = entry.split_once(['=', ':']).ok_or_else(|| format!("has {entry:?}, which is not CODE = WORD"))?;
        let code = code.trim().parse().map_err(|_| format!("has {entry:?}, whose code is no number"))?;
        let word = word.trim();
        if word.is_empty() { Err(format!("has {entry:?}, which has no word")) } else { Ok((code, word.to_owned())) }
    };
    read.parsed(("freshservice", "statuses"), BTreeMap::new(), |_| entries.iter().map(pair).collect())
}

/// An account name, a host name or a full address, as a full address.
pub fn account(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.contains("://") {
        let url = web_address(text)?;
        if url::Url::parse(&url).is_ok_and(|url| !url.username().is_empty() || url.password().is_some()) {
            return Err("must be an address without a user name or password".to_owned());
        }
        return Ok(Some(url.trim_end_matches("/api/v2").to_owned()));
    }
    let host = text.trim_end_matches('/');
    if host.is_empty() || !host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':')) {
        return Err(format!("must be an account name, a host or an address, not {text:?}"));
    }
    Ok(Some(if host.contains('.') { format!("https://{host}") } else { format!("https://{host}.freshservice.com") }))
}

/// What the tenant calls the custom fields that we know.
#[derive(Clone, Debug)]
pub struct FieldNames(BTreeMap<&'static str, String>);

impl FieldNames {
    pub(super) fn read(read: &Reader<'_>, section: &str) -> Self {
        let ours = keys().iter().filter(|key| key.section == section);
        Self(ours.map(|key| (key.name, read.text(key.section, key.name).to_owned())).collect())
    }

    /// The vendor's name for one of our fields; our own name when there is no mapping.
    #[must_use]
    pub fn vendor_name<'a>(&'a self, ours: &'a str) -> &'a str {
        self.0.get(ours).map_or(ours, String::as_str)
    }

    /// Whether one of our fields takes what the vendor calls this.
    #[must_use]
    pub fn is_mapped(&self, theirs: &str) -> bool {
        self.0.values().any(|known| known == theirs)
    }

    /// Every pair of our name and the vendor's.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(ours, theirs)| (*ours, theirs.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::account;

    #[test]
    fn an_account_has_three_spellings() {
        for (text, want) in [
            ("acme", "https://acme.freshservice.com"),
            ("acme.freshservice.com", "https://acme.freshservice.com"),
            ("https://acme.freshservice.com/", "https://acme.freshservice.com"),
            ("http://127.0.0.1:9000/api/v2", "http://127.0.0.1:9000"),
        ] {
            assert_eq!(account(text).unwrap().unwrap(), want);
        }
        assert!(account("two words").is_err());
        assert!(account("https://acme.freshservice.com@evil.example").is_err());
    }
}
