//! Filters for templates: `{{ "search"|icon }}`, `{{ at|ago }}`, `{{ count|thousands }}`.

#![expect(clippy::inline_always, reason = "the attribute comes from askama")]

use super::{icons, time};
use askama::{Result, Values, filters::Safe};

/// The icon of this name, inlined.
#[askama::filter_fn]
pub fn icon(name: impl AsRef<str>, _: &dyn Values) -> Result<Safe<&'static str>> {
    Ok(Safe(icons::svg(name.as_ref())))
}

/// Text whose long words may be broken: a style sheet that breaks none lets them run into what stands beside them.
#[askama::filter_fn]
pub fn breakable(text: impl AsRef<str>, _: &dyn Values) -> Result<Safe<String>> {
    Ok(Safe(super::words::breakable(text.as_ref())))
}

/// A bar filled by this many of a hundred; it draws itself, so that it needs no style sheet.
#[askama::filter_fn]
pub fn bar(share: impl std::fmt::Display, _: &dyn Values) -> Result<Safe<String>> {
    let part = |class: &str, share: &str, opacity: &str| {
        format!(r#"<rect class="{class}" width="{share}" height="8" rx="2" fill="currentColor" fill-opacity="{opacity}"/>"#)
    };
    let parts = part("bar__track", "100", "0.15") + &part("bar__fill", &share.to_string(), "0.7");
    let open = r#"<svg class="bar" width="100" height="8" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">"#;
    Ok(Safe(format!("{open}{parts}</svg>")))
}

/// How long ago, from a stored time.
#[askama::filter_fn]
pub fn ago(at: impl AsRef<str>, _: &dyn Values) -> Result<String> {
    Ok(time::ago(at.as_ref()))
}

/// The exact moment, with its zone, for the hover text.
#[askama::filter_fn]
pub fn exact(at: impl AsRef<str>, _: &dyn Values) -> Result<String> {
    Ok(time::exact(at.as_ref()))
}

/// The date alone.
#[askama::filter_fn]
pub fn date(at: impl AsRef<str>, _: &dyn Values) -> Result<String> {
    Ok(time::date(at.as_ref()))
}

/// A month of the calendar, in words.
#[askama::filter_fn]
pub fn month(text: impl AsRef<str>, _: &dyn Values) -> Result<String> {
    Ok(time::month(text.as_ref()))
}

/// A sentence with its dates as people read them.
#[askama::filter_fn]
pub fn dated(text: impl AsRef<str>, _: &dyn Values) -> Result<String> {
    Ok(time::dated(text.as_ref()))
}

/// A count as people read it.
#[askama::filter_fn]
pub fn thousands(count: &i64, _: &dyn Values) -> Result<String> {
    Ok(super::thousands(*count))
}

/// Two letters for a name.
#[askama::filter_fn]
pub fn initials(name: impl AsRef<str>, _: &dyn Values) -> Result<String> {
    Ok(super::initials(name.as_ref()))
}
