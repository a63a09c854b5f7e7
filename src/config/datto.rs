//! The Datto RMM account, with the names that one tenant gave its variables and user-defined fields.

use super::{
    FieldNames, Secret,
    read::{Reader, web_address},
    sources::ENTERED,
};

/// The system's name in links, plans and history, which is its section's name here.
pub const SYSTEM: &str = super::rmm!();

/// How to reach Datto RMM.
#[derive(Clone, Debug)]
pub struct Datto {
    /// Where the account's region lives, without `/api`: `https://concord-api.centrastage.net`.
    pub api_endpoint: Option<String>,
    /// API key.
    pub public_key: Option<Secret>,
    /// API secret.
    pub secret_key: Option<Secret>,
    /// Whether the address was entered over HTTP and must lead to a public place, each time.
    pub guarded: bool,
    /// Names of the site variable and the user-defined fields.
    pub fields: FieldNames,
}

impl Datto {
    pub(super) fn read(read: &mut Reader<'_>) -> Self {
        Self {
            api_endpoint: read.parsed(("datto", "api_endpoint"), None, endpoint),
            public_key: read.secret("datto", "public_key"),
            secret_key: read.secret("datto", "secret_key"),
            guarded: read.origin("datto", "api_endpoint") == ENTERED && !read.flag("sync", "private_addresses"),
            fields: FieldNames::read(read, "datto.fields"),
        }
    }

    /// Address, key and secret, when all are set.
    #[must_use]
    pub fn credentials(&self) -> Option<(&str, &Secret, &Secret)> {
        Some((self.api_endpoint.as_deref()?, self.public_key.as_ref()?, self.secret_key.as_ref()?))
    }
}

/// A full address, a host, or the name of a platform (`concord`), as the address of the host.
pub fn endpoint(text: &str) -> Result<Option<String>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let full = match text {
        _ if text.contains("://") => text.to_owned(),
        _ if text.chars().all(plain) => format!("https://{}-api.centrastage.net", text.to_lowercase()),
        _ => format!("https://{text}"),
    };
    let address = web_address(&full)?;
    let root = address.trim_end_matches("/v2").trim_end_matches("/api").trim_end_matches('/');
    let url = url::Url::parse(root).map_err(|_| format!("must be an address, not {text:?}"))?;
    if url.path() != "/"
        || url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err("must be the address of the API alone, such as https://concord-api.centrastage.net".to_owned());
    }
    Ok(Some(root.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::endpoint;

    #[test]
    fn an_endpoint_has_several_spellings() {
        let concord = "https://concord-api.centrastage.net";
        for (text, want) in [
            ("concord", concord),
            ("concord-api.centrastage.net", concord),
            ("https://concord-api.centrastage.net/", concord),
            ("https://concord-api.centrastage.net/api", concord),
            ("https://concord-api.centrastage.net/api/v2/", concord),
            ("http://127.0.0.1:9000/api/", "http://127.0.0.1:9000"),
        ] {
            assert_eq!(endpoint(text).unwrap().unwrap(), want);
        }
        for wrong in ["ftp://x", "https://a.example/else", "https://u:p@a.example", "two words.example"] {
            assert!(endpoint(wrong).is_err(), "{wrong}");
        }
    }
}
