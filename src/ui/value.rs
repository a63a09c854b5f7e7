//! A value on a page, in a table or beside a label.

use super::{filters, thousands};
use crate::db::list::beside::Shows;
use askama::Template;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// One value, by how it is shown.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/value.html")]
pub enum Value {
    /// Nothing is known: a faint dash.
    None,
    /// There is nothing to know: an empty cell.
    Empty,
    /// Plain words.
    Text(String),
    /// Several lines as they were typed.
    Lines(String),
    /// Text in Markdown.
    Markdown(String),
    /// A way to another page of ours.
    Link {
        /// With the prefix.
        href: String,
        /// What it leads to.
        text: String,
    },
    /// A way out of here.
    Away {
        /// The address, http or https.
        href: String,
        /// What it leads to.
        text: String,
    },
    /// A state, plan or type.
    Badge {
        /// `success`, `danger`, `warning`, `info`, `gold`, `platinum`, or empty for neutral.
        kind: &'static str,
        /// The word.
        text: String,
    },
    /// A state with a coloured dot beside its word.
    Dot {
        /// `good`, `warn`, `bad`, or empty.
        kind: &'static str,
        /// The word.
        text: String,
    },
    /// An e-mail address.
    Mail(String),
    /// A telephone number.
    Phone(String),
    /// Something to copy: a serial, an id, an IP address.
    Code(String),
    /// A date or moment, shown as its date.
    Date(String),
    /// A moment, shown as its distance.
    Ago(String),
    /// A number, ready to read.
    Count(String),
    /// Tags: their words and colours.
    Tags(Vec<(String, String)>),
    /// Several of these side by side.
    Many(Vec<Value>),
}

impl askama::filters::HtmlSafe for Value {}

/// A value in a row of a list, of which there are many on a page: the exact moment is added by a script.
#[derive(Template)]
#[template(
    source = "{% match self.0 %}{% when Value::Ago with (at) %}<time datetime=\"{{ at }}\">{{ at|ago }}</time>\
{% when Value::Code with (text) %}<code data-copy>{{ text|breakable }}</code>{% when other %}{{ other }}{% endmatch %}",
    ext = "html"
)]
pub struct InList<'a>(&'a Value);

impl askama::filters::HtmlSafe for InList<'_> {}

impl Value {
    /// The same as it stands in a row of a list.
    #[must_use]
    pub fn in_list(&self) -> InList<'_> {
        InList(self)
    }

    /// Plain words, or nothing.
    #[must_use]
    pub fn text(text: Option<&str>) -> Self {
        filled(text).map_or(Self::None, |text| Self::Text(text.to_owned()))
    }

    /// Several lines, or nothing.
    #[must_use]
    pub fn lines(text: Option<&str>) -> Self {
        filled(text).map_or(Self::None, |text| Self::Lines(text.to_owned()))
    }

    /// Text in Markdown, or nothing.
    #[must_use]
    pub fn markdown(text: Option<&str>) -> Self {
        filled(text).map_or(Self::None, |text| Self::Markdown(text.to_owned()))
    }

    /// Plain words that are never missing.
    #[must_use]
    pub fn words(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A way to another page of ours.
    #[must_use]
    pub fn link(href: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Link { href: href.into(), text: text.into() }
    }

    /// A way out, if the address is one that a browser may follow; else the words themselves.
    #[must_use]
    pub fn away(href: Option<&str>, text: &str) -> Self {
        match filled(href) {
            Some(href) if href.starts_with("https://") || href.starts_with("http://") => {
                Self::Away { href: href.to_owned(), text: text.to_owned() }
            }
            other => Self::text(other),
        }
    }

    /// A state, plan or type.
    #[must_use]
    pub fn badge(kind: &'static str, text: impl Into<String>) -> Self {
        Self::Badge { kind, text: text.into() }
    }

    /// Something to copy, or nothing.
    #[must_use]
    pub fn code(text: Option<&str>) -> Self {
        filled(text).map_or(Self::None, |text| Self::Code(text.to_owned()))
    }

    /// An e-mail address, or nothing.
    #[must_use]
    pub fn mail(text: Option<&str>) -> Self {
        filled(text).map_or(Self::None, |text| Self::Mail(text.to_owned()))
    }

    /// A telephone number, or nothing.
    #[must_use]
    pub fn phone(text: Option<&str>) -> Self {
        filled(text).map_or(Self::None, |text| Self::Phone(text.to_owned()))
    }

    /// A date, or nothing.
    #[must_use]
    pub fn date(text: Option<&str>) -> Self {
        filled(text).map_or(Self::None, |text| Self::Date(text.to_owned()))
    }

    /// A moment as its distance, or nothing.
    #[must_use]
    pub fn ago(text: Option<&str>) -> Self {
        filled(text).map_or(Self::None, |text| Self::Ago(text.to_owned()))
    }

    /// A number.
    #[must_use]
    pub fn count(count: i64) -> Self {
        Self::Count(thousands(count))
    }

    /// Tags, or nothing.
    #[must_use]
    pub fn tags(tags: Vec<(String, String)>) -> Self {
        if tags.is_empty() { Self::None } else { Self::Tags(tags) }
    }

    /// A value that is kept beside a row.
    #[must_use]
    pub fn beside(shows: Shows, value: &serde_json::Value) -> Self {
        match (shows, value) {
            (_, serde_json::Value::Null) => Self::None,
            (_, serde_json::Value::Bool(yes)) => Self::yes_no(*yes),
            (_, serde_json::Value::Number(number)) => Self::Count(number.to_string()),
            (Shows::Day, value) => Self::date(value.as_str()),
            (Shows::Link, value) => Self::away(value.as_str(), "Open"),
            (_, value) => Self::lines(value.as_str()),
        }
    }

    /// Online or not, when somebody looked.
    #[must_use]
    pub fn online(online: Option<bool>) -> Self {
        match online {
            Some(true) => Self::Dot { kind: "good", text: "Online".into() },
            Some(false) => Self::Dot { kind: "", text: "Offline".into() },
            None => Self::None,
        }
    }

    /// Yes or no.
    #[must_use]
    pub fn yes_no(yes: bool) -> Self {
        Self::words(if yes { "Yes" } else { "No" })
    }
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// What may stand in an address to write to; what could begin a header of the mail may not.
const MAILBOX: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'+');

/// The link that writes to an e-mail address, and to nobody else.
#[must_use]
pub fn mail_link(address: &str) -> String {
    let part = |text: &str| utf8_percent_encode(text, MAILBOX).to_string();
    match address.trim().rsplit_once('@') {
        Some((local, domain)) => format!("mailto:{}@{}", part(local), part(domain)),
        None => format!("mailto:{}", part(address.trim())),
    }
}

#[cfg(test)]
mod tests {
    use super::mail_link;

    #[test]
    fn a_mail_goes_to_its_address_alone() {
        for (address, link) in [
            ("ada@acme.example", "mailto:ada@acme.example"),
            ("a?bcc=x@y.example", "mailto:a%3Fbcc%3Dx@y.example"),
            ("a&cc=b@c@d.example", "mailto:a%26cc%3Db%40c@d.example"),
            ("ada+home@acme.example", "mailto:ada+home@acme.example"),
            ("a@b.example?subject=x", "mailto:a@b.example%3Fsubject%3Dx"),
            ("a@b.example,c@d.example", "mailto:a%40b.example%2Cc@d.example"),
            ("a%0abcc:x@y.example", "mailto:a%250abcc%3Ax@y.example"),
        ] {
            assert_eq!(mail_link(address), link);
        }
    }
}
